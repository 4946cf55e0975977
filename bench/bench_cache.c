/* SPDX-License-Identifier: Apache-2.0 */
/* bench_cache: a warm appraisal as the verifier's memory grows to 100,000 platforms, and on more than one thread.
 *
 * A few hundred platforms are real ones of the simulator, and are appraised in random order; the others are strangers of the
 * same size, since making 100,000 certificates would take longer than measuring. */
#include "bench.h"

#include "atls/atls.h"
#include "floor.h"
#include "sim/sim.h"
#include "tests/base/random.h"
#include "verify/caches.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define N_PLATFORMS 256u
#define N_SAMPLES   4000u
#define MOST        100000u
#define RUN_MS      1000u

typedef struct room {
    atls_arena keep;
    atls_bytes quotes[N_PLATFORMS];
    atls_endorsements endorsements;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_time now;
} room;

static const uint8_t report_data[64] = {1};

static void must(bool ok, const char *what, const atls_error *err)
{
    if (!ok) {
        char line[512];
        char text[640];
        atls_error_line(err, line, sizeof line);
        snprintf(text, sizeof text, "%s: %s", what, line);
        bench_die(text);
    }
}

/* The first machine is also the one whose policy and endorsements serve all. */
static void make_machine(room *r, size_t i)
{
    atls_error err = {0};
    char ppid[48];
    char key[48];
    char serial[64];
    const char *const settings[] = {ppid, key, serial, NULL};
    sim *s;
    snprintf(ppid, sizeof ppid, "pck.ppid=%032zx", i + 1);
    snprintf(key, sizeof key, "cert.pck.key=k%zu", i);
    snprintf(serial, sizeof serial, "cert.pck.serial=01%06zx", i);
    must(sim_new(&(sim_options){.kind = SIM_TDX_V4, .settings = settings}, &s, &err), "machine", &err);
    must(sim_quote(s, report_data, &r->keep, &r->quotes[i], &err), "quote", &err);
    if (i == 0) {
        const atls_verifier_options options = {.max_platforms = 2 * MOST};
        const atls_bytes root = sim_root(s);
        atls_bytes document;
        must(sim_collateral(s, &r->keep, &r->endorsements, &err) && sim_policy(s, "tdx", &r->keep, &document, &err)
                 && atls_policy_parse_with_roots(document, &root, 1, &r->policy, &err)
                 && atls_verifier_new_with_options(r->policy, &options, &r->verifier, &err),
             "verifier", &err);
        r->now = sim_now(s);
    }
    sim_free(s);
}

static bool hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                     atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = *(const atls_endorsements *)ctx;
    return true;
}

static void appraise(room *r, size_t i, atls_arena *a)
{
    atls_result result;
    atls_error err = {0};
    atls_appraisal in = {.evidence = r->quotes[i],
                         .event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value = {1}},
                         .now = r->now,
                         .endorse = hand_out,
                         .endorse_ctx = &r->endorsements};
    must(atls_verifier_appraise(r->verifier, &in, a, &result, &err), "appraisal", &err);
    atls_arena_reset(a);
}

/* ---- strangers ---- */

static void destroy(atls_cached *self)
{
    free(self);
}

static void fill(room *r, size_t n, randoms *random, size_t len)
{
    atls_cache *c = atls_verifier_caches(r->verifier)->platforms;
    while (atls_cache_count(c).entries < n) {
        atls_cached *stranger = calloc(1, len);
        if (stranger == NULL) {
            bench_die("no memory");
        }
        for (size_t i = 0; i < sizeof stranger->key; i += 8) {
            const uint64_t word = random_next(random);
            memcpy(stranger->key + i, &word, sizeof word);
        }
        stranger->len = len;
        stranger->destroy = destroy;
        atls_cache_put(c, stranger);
    }
}

static void grow(room *r, atls_arena *a)
{
    static uint64_t floor_ns[N_SAMPLES], ours_ns[N_SAMPLES];
    static const size_t sizes[] = {N_PLATFORMS, 1000, 10000, MOST};
    randoms random = {.state = 7};
    raw_floor f;
    floor_init(&f, 1);
    for (size_t i = 0; i < N_PLATFORMS; i++) {
        appraise(r, i, a);
    }
    const size_t len = atls_verifier_count(r->verifier).platforms.len / N_PLATFORMS;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        char name[96];
        fill(r, sizes[k], &random, len);
        for (size_t i = 0; i < N_SAMPLES; i++) {
            const uint64_t t0 = bench_now();
            floor_verify(&f);
            const uint64_t t1 = bench_now();
            appraise(r, random_below(&random, N_PLATFORMS), a);
            floor_ns[i] = t1 - t0;
            ours_ns[i] = bench_now() - t1;
        }
        const bench_stats floor_stats = bench_summarise(floor_ns, N_SAMPLES);
        const atls_cache_counts n = atls_verifier_count(r->verifier).platforms;
        snprintf(name, sizeof name, "warm, %zu platforms (%.1f MiB)", sizes[k], (double)n.len / 1048576);
        bench_row("floor: 1 P-256 verification, OpenSSL", floor_stats, 0);
        bench_row(name, bench_summarise(ours_ns, N_SAMPLES), floor_stats.median);
    }
    floor_free(&f);
}

/* ---- threads, by the clock on the wall ---- */

typedef struct worker {
    pthread_t id;
    room *r;
    randoms random;
    uint64_t end_ns;
    uint64_t n;
} worker;

static uint64_t wall_ns(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0) {
        bench_die("no clock");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *work(void *arg)
{
    worker *w = arg;
    atls_arena a;
    atls_error err = {0};
    must(atls_arena_new(&a, (size_t)1024 * 1024, &err), "arena", &err);
    while (wall_ns() < w->end_ns) {
        appraise(w->r, random_below(&w->random, N_PLATFORMS), &a);
        w->n++;
    }
    atls_arena_free(&a);
    return NULL;
}

static void crowd(room *r, size_t n_threads)
{
    worker workers[8];
    uint64_t n = 0;
    const uint64_t end = wall_ns() + RUN_MS * UINT64_C(1000000);
    for (size_t i = 0; i < n_threads; i++) {
        workers[i] = (worker){.r = r, .random = {.state = i + 1}, .end_ns = end};
        if (pthread_create(&workers[i].id, NULL, work, &workers[i]) != 0) {
            bench_die("no thread");
        }
    }
    for (size_t i = 0; i < n_threads; i++) {
        (void)pthread_join(workers[i].id, NULL);
        n += workers[i].n;
    }
    printf("%zu thread%s %49.0f warm appraisals/s by the clock on the wall\n", n_threads,
           n_threads == 1 ? ": " : "s:", (double)n * 1000 / RUN_MS);
}

int main(void)
{
    static room r;
    atls_arena work_arena;
    atls_error err = {0};
    bench_machine();
    must(atls_arena_new(&r.keep, ATLS_ARENA_DEFAULT_SIZE, &err)
             && atls_arena_new(&work_arena, ATLS_ARENA_DEFAULT_SIZE, &err),
         "arena", &err);
    for (size_t i = 0; i < N_PLATFORMS; i++) {
        make_machine(&r, i);
    }
    grow(&r, &work_arena);
    for (size_t n = 1; n <= 4; n *= 2) {
        crowd(&r, n);
    }
    const atls_cache_numbers c = atls_cache_count(atls_verifier_caches(r.verifier)->endorsements);
    printf("    the lock was not to be had %llu times in %llu\n", (unsigned long long)c.passed_over,
           (unsigned long long)(c.hits + c.misses));
    atls_verifier_free(r.verifier);
    atls_policy_free(r.policy);
    atls_arena_free(&work_arena);
    atls_arena_free(&r.keep);
    return 0;
}
