/* SPDX-License-Identifier: Apache-2.0 */
/* bench_crowd: new attested sessions in a second, profile atls/1, with a quote generator that takes 40 ms and makes one quote
 * at a time, as real platforms do: one quote for all who asked meanwhile, and one quote for each. Whole sessions, both ends
 * in this process (TLS handshake, evidence, warm appraisal), over memory BIOs, two threads that drive a few hundred at a
 * time. The rate is by the clock on the wall, and the CPU time of a session, both ends, says what bounds it.
 *
 * Clients are elsewhere where it matters. So the CPU time of the server's steps is counted apart (it runs on the same thread, while
 * the other thread is as busy): what these cores could serve if clients had cores of their own. */
#include "bench.h"
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define QUOTE_MS  40
#define N_THREADS 2
#define N_SLOTS   128
#define RUN_MS    4000u

typedef struct slot {
    SSL *client_ssl;
    SSL *server_ssl;
    atls_session *client;
    atls_session *server;
    atls_step done;
    atls_step served;
} slot;

typedef struct driver {
    pthread_t id;
    world *w;
    atls_attester *attester;
    uint64_t end_ns;
    uint64_t n_sessions;
    uint64_t server_ns; /* CPU time of the server's end, opening and closing it included */
} driver;

static uint64_t wall_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
        bench_die("no clock");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t thread_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) != 0) {
        bench_die("no clock");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void nap_ns(long ns)
{
    const struct timespec t = {.tv_nsec = ns};
    (void)nanosleep(&t, NULL);
}

static bool quote_slowly(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                         atls_error *err)
{
    nap_ns(QUOTE_MS * 1000000L);
    return sim_attest(ctx, report_data, arena, out, err);
}

static void open_slot(driver *d, slot *s)
{
    atls_error err = {0};
    atls_client_options co = world_client(d->w, ATLS_PROFILE_NATIVE);
    atls_server_options so = world_server(d->w, ATLS_PROFILE_NATIVE);
    co.arena_size = 1024 * 1024;
    so.arena_size = 256 * 1024;
    so.attester = d->attester;
    *s = (slot){.client_ssl = SSL_new(d->w->client_ctx)};
    const uint64_t began = thread_ns();
    s->server_ssl = SSL_new(d->w->server_ctx);
    world_connect(s->client_ssl, s->server_ssl);
    if (!atls_server_session_new(s->server_ssl, &so, &s->server, &err)) {
        world_die("session", &err);
    }
    d->server_ns += thread_ns() - began;
    if (!atls_client_session_new(s->client_ssl, &co, &s->client, &err)) {
        world_die("session", &err);
    }
    s->done = ATLS_STEP_WANT_READ;
    s->served = ATLS_STEP_WANT_READ;
}

static void close_slot(driver *d, slot *s)
{
    const uint64_t began = thread_ns();
    atls_session_free(s->server);
    SSL_free(s->server_ssl);
    d->server_ns += thread_ns() - began;
    atls_session_free(s->client);
    SSL_free(s->client_ssl);
}

/* Moves both ends as far as they go. True: the session is there. */
static bool move_slot(driver *d, slot *s)
{
    atls_error err = {0};
    const uint64_t began = thread_ns();
    s->served = s->served == ATLS_STEP_DONE ? s->served : atls_session_step(s->server, &err);
    d->server_ns += thread_ns() - began;
    if (s->served != ATLS_STEP_FAILED && s->served != ATLS_STEP_WANT_EVIDENCE && s->done != ATLS_STEP_DONE) {
        s->done = atls_session_step(s->client, &err);
    }
    if (s->done == ATLS_STEP_FAILED || s->served == ATLS_STEP_FAILED) {
        world_die("step", &err);
    }
    return s->done == ATLS_STEP_DONE && s->served == ATLS_STEP_DONE;
}

static void *drive(void *arg)
{
    driver *d = arg;
    slot *slots = calloc(N_SLOTS, sizeof *slots);
    if (slots == NULL) {
        bench_die("no memory");
    }
    for (size_t i = 0; i < N_SLOTS; i++) {
        open_slot(d, &slots[i]);
    }
    uint64_t looked_ns = 0;
    for (uint64_t now = wall_ns(); now < d->end_ns; now = wall_ns()) {
        /* whoever waits for evidence is looked at once a millisecond: a server has atls_session_wait_fd instead */
        const bool look = now - looked_ns >= 1000000u;
        looked_ns = look ? now : looked_ns;
        size_t waiting = 0;
        for (size_t i = 0; i < N_SLOTS; i++) {
            if ((look || slots[i].served != ATLS_STEP_WANT_EVIDENCE) && move_slot(d, &slots[i])) {
                d->n_sessions++;
                close_slot(d, &slots[i]);
                open_slot(d, &slots[i]);
            }
            waiting += slots[i].served == ATLS_STEP_WANT_EVIDENCE ? 1 : 0;
        }
        if (waiting == N_SLOTS) {
            nap_ns(1000000);
        }
    }
    for (size_t i = 0; i < N_SLOTS; i++) {
        close_slot(d, &slots[i]);
    }
    free(slots);
    return NULL;
}

/* What a run came to. */
typedef struct rate {
    double whole;  /* sessions per second, both ends here */
    double served; /* what N_THREADS cores serve, by the CPU time of the server's end */
} rate;

static rate sessions_per_second(world *w, uint32_t max_batch)
{
    atls_error err = {0};
    atls_attester *attester;
    const atls_attester_options options = {.attest = quote_slowly, .attest_ctx = w->room, .max_batch = max_batch};
    driver drivers[N_THREADS];
    uint64_t total = 0;
    uint64_t server_ns = 0;
    if (!atls_attester_new(&options, &attester, &err)) {
        world_die("attester", &err);
    }
    const uint64_t began = wall_ns();
    const uint64_t cpu_ns = bench_now();
    for (size_t i = 0; i < N_THREADS; i++) {
        drivers[i] = (driver){.w = w, .attester = attester, .end_ns = began + RUN_MS * 1000000ull};
        if (pthread_create(&drivers[i].id, NULL, drive, &drivers[i]) != 0) {
            bench_die("no thread");
        }
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        (void)pthread_join(drivers[i].id, NULL);
        total += drivers[i].n_sessions;
        server_ns += drivers[i].server_ns;
    }
    const uint64_t quotes = atls_attester_count(attester).quotes;
    atls_attester_free(attester);
    const double n = (double)(total == 0 ? 1 : total);
    const rate r = {.whole = n * 1000 / RUN_MS,
                    .served = N_THREADS * 1e9 * n / (double)(server_ns == 0 ? 1 : server_ns)};
    printf("%-46s %10.1f sessions/s %8llu quotes for %llu sessions, %.2f ms of CPU each, %.2f of them the server's\n",
           max_batch == 1 ? "one quote for each session" : "one quote for all who asked meanwhile", r.whole,
           (unsigned long long)quotes, (unsigned long long)total, (double)(bench_now() - cpu_ns) / 1e6 / n,
           (double)server_ns / 1e6 / n);
    return r;
}

int main(void)
{
    static world w;
    bench_machine();
    world_init(&w);
    const rate alone = sessions_per_second(&w, 1);
    const rate batched = sessions_per_second(&w, 0);
    printf("%-46s %10.1f\n", "ratio, both ends on these cores", batched.whole / alone.whole);
    printf("%-46s %10.1f  (%.0f sessions/s)\n", "ratio, clients elsewhere", batched.served / alone.whole,
           batched.served);
    world_free(&w);
    return 0;
}
