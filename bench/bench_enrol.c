/* SPDX-License-Identifier: Apache-2.0 */
/* bench_enrol: the enrolment service under load: challenges and certification requests of simulated phones, half Android, half Apple,
 * over HTTP on loopback, with each store. Requests are made between the two halves of a round, so that only the service and its
 * sockets are measured. The rate is by the clock on the wall, with the clients on the same cores; the CPU time of the service in
 * one request, which is the process's less the clients', says what these cores could serve alone.
 *
 *   bench_enrol [--requests N] [--clients N] [--workers N] [--store URL]... [--soak SECONDS]
 *
 * Without --store: memory, and SQLite in a folder of its own; a Redis has to be named (redis://127.0.0.1:6379). --soak goes on in rounds for so
 * long, and prints the memory at the begin and at the end. */
#include "bench.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "edge/service/ca.h"
#include "edge/service/service.h"
#include "tests/service/client.h"
#include "tests/service/phones.h"

#define MAX_STORES  8
#define MAX_CLIENTS 64
#define MAX_TRIES   30
#define CLIENT_MEM  ((size_t)256 * 1024)

typedef struct setup {
    size_t n_requests; /* of a round */
    size_t n_clients;
    size_t n_workers;
    unsigned soak_s;
    const char *stores[MAX_STORES];
    size_t n_stores;
} setup;

typedef struct item {
    uint8_t nonce[ATLS_ENROL_MAX_NONCE_LEN];
    size_t nonce_len;
    uint8_t *csr;
    size_t csr_len;
} item;

typedef struct place {
    char folder[64];
    char config[96];
    atls_service *service;
    pthread_t thread;
    uint16_t port;
} place;

typedef struct client {
    pthread_t thread;
    const place *at;
    item *items; /* its share, n of them */
    size_t n;
    bool posts;
    uint64_t *ns; /* of each request */
    uint64_t cpu_ns;
    size_t n_refused; /* answers that say "later": the store was busy for too long, the queue full */
} client;

typedef struct measured {
    uint64_t wall_ns;
    uint64_t service_ns; /* CPU */
    size_t n_refused;
} measured;

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        bench_die(line);
    }
}

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    if (clock_gettime(id, &t) != 0) {
        bench_die("no clock");
    }
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static long rss_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*s %ld", &pages) != 1) {
        pages = 0;
    }
    if (f != NULL) {
        (void)fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ---- the service ---- */

static void write_file(const place *p, const char *name, atls_bytes text)
{
    char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", p->folder, name);
    FILE *f = fopen(path, "w");
    if (f == NULL || fwrite(text.ptr, 1, text.len, f) != text.len || fclose(f) != 0) {
        bench_die(path);
    }
}

static void write_config(const place *p, const setup *o, const char *store)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "{\"listen\":\"127.0.0.1:0\",\"admin_listen\":[],\"endpoint\":\"http://127.0.0.1/api/v1/attest\","
                   "\"proof_oid\":\"" PHONES_PROOF_OID
                   "\",\"store\":\"%s\",\"workers\":%zu,\"insecure_test_mode\":true,"
                   "\"insecure_test_ca\":\"ca\",\"android\":\"android.json\",\"apple\":\"apple.json\","
                   "\"status_list\":{\"file\":\"status.json\"},\"audit_file\":\"audit.log\",\"limits\":{"
                   "\"challenge_per_minute\":0,\"attest_per_minute\":0,\"requests_per_connection\":1000000,"
                   "\"challenges\":10000000}}",
                   store, o->n_workers);
    write_file(p, "config.json", atls_bytes_str(text));
}

static void quiet(void *ctx, int level, const char *line)
{
    (void)ctx;
    if (level <= 3) {
        (void)fprintf(stderr, "%s\n", line);
    }
}

static void *serve(void *arg)
{
    place *p = arg;
    atls_error err = {0};
    must(atls_service_run(p->service, &err), &err);
    return NULL;
}

static void open_place(place *p, const setup *o, const char *store, phones *ph)
{
    static uint8_t block[256 * 1024];
    char ca[96];
    atls_error err = {0};
    atls_arena a;
    atls_bytes policy;
    *p = (place){.folder = "/tmp/atls-bench-XXXXXX"};
    if (mkdtemp(p->folder) == NULL) {
        bench_die(p->folder);
    }
    (void)snprintf(ca, sizeof ca, "%s/ca", p->folder);
    (void)snprintf(p->config, sizeof p->config, "%s/config.json", p->folder);
    const atls_ca_init_options init = {.dir = ca, .now = (atls_time)time(NULL)};
    must(atls_ca_init(&init, &err), &err);
    for (unsigned is_apple = 0; is_apple < 2; is_apple++) {
        atls_arena_init(&a, block, sizeof block);
        must(phones_policy(ph, is_apple == 1, &a, &policy, &err), &err);
        write_file(p, is_apple == 1 ? "apple.json" : "android.json", policy);
    }
    write_file(p, "status.json", atls_bytes_str("{\"entries\":{}}"));
    write_config(p, o, store);
    const atls_service_options options = {.config_file = p->config, .log = quiet};
    must(atls_service_new(&options, &p->service, &err), &err);
    p->port = atls_service_port(p->service, false);
    if (pthread_create(&p->thread, NULL, serve, p) != 0) {
        bench_die("a thread cannot be started");
    }
}

static void close_place(place *p)
{
    char command[128];
    atls_service_stop(p->service);
    (void)pthread_join(p->thread, NULL);
    atls_service_free(p->service);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->folder);
    if (system(command) != 0) {
        bench_die(command);
    }
}

/* ---- the clients ---- */

static void take_challenge(atls_bytes body, item *it, atls_arena *a)
{
    atls_enrol_challenge c;
    atls_error err = {0};
    must(atls_enrol_challenge_read(body, a, &c, &err), &err);
    memcpy(it->nonce, c.nonce.ptr, c.nonce.len);
    it->nonce_len = c.nonce.len;
}

/* Asks until it is answered: a service that has too much to do says 503, and a client comes again. */
static void ask(client *c, int fd, const item *it, atls_arena *a, client_response *r)
{
    const struct timespec second = {.tv_sec = 1};
    for (unsigned i = 0; i < MAX_TRIES; i++) {
        atls_arena_reset(a);
        const bool sent = c->posts ? client_send_post(fd, "/api/v1/attest", atls_bytes_of(it->csr, it->csr_len))
                                   : client_send_get(fd, "/api/v1/challenge");
        client_read(fd, a, r);
        if (sent && r->status == 200) {
            return;
        }
        if (!sent || r->status != 503) {
            break;
        }
        c->n_refused++;
        (void)nanosleep(&second, NULL);
    }
    (void)fprintf(stderr, "status %u%s\n", r->status, r->was_cut ? ", cut" : "");
    bench_die("a request was not answered");
}

/* A store that cannot be asked in time is no fault of the request. */
static void judge_answer(client *c, atls_bytes body)
{
    static const char success[] = "{\"type\":\"Success\"";
    static const char internal[] = "{\"type\":\"Failure\",\"kind\":\"INTERNAL\"";
    if (body.len >= sizeof internal && memcmp(body.ptr, internal, sizeof internal - 1) == 0) {
        c->n_refused++;
    } else if (body.len < sizeof success || memcmp(body.ptr, success, sizeof success - 1) != 0) {
        bench_die("a request was refused");
    }
}

static void *run_client(void *arg)
{
    client *c = arg;
    atls_arena a;
    atls_error err = {0};
    const int fd = client_open(c->at->port, 1);
    if (fd < 0 || !atls_arena_new(&a, CLIENT_MEM, &err)) {
        bench_die("a client cannot begin");
    }
    for (size_t i = 0; i < c->n; i++) {
        client_response r;
        const uint64_t begun = clock_ns(CLOCK_MONOTONIC);
        ask(c, fd, &c->items[i], &a, &r);
        c->ns[i] = clock_ns(CLOCK_MONOTONIC) - begun;
        if (c->posts) {
            judge_answer(c, r.body);
        } else {
            take_challenge(r.body, &c->items[i], &a);
        }
    }
    c->cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    (void)close(fd);
    atls_arena_free(&a);
    return NULL;
}

/* One half of a round: all items, shared out. */
static measured run_half(const place *p, const setup *o, item *items, uint64_t *ns, bool posts)
{
    static client clients[MAX_CLIENTS];
    const uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    const uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    uint64_t theirs = 0;
    size_t refused = 0;
    size_t at = 0;
    for (size_t i = 0; i < o->n_clients; i++) {
        const size_t n = o->n_requests / o->n_clients + (i < o->n_requests % o->n_clients ? 1 : 0);
        clients[i] = (client){.at = p, .items = items + at, .n = n, .posts = posts, .ns = ns + at};
        at += n;
        if (pthread_create(&clients[i].thread, NULL, run_client, &clients[i]) != 0) {
            bench_die("a thread cannot be started");
        }
    }
    for (size_t i = 0; i < o->n_clients; i++) {
        (void)pthread_join(clients[i].thread, NULL);
        theirs += clients[i].cpu_ns;
        refused += clients[i].n_refused;
    }
    const uint64_t all = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    return (measured){.wall_ns = clock_ns(CLOCK_MONOTONIC) - begun,
                      .service_ns = all > theirs ? all - theirs : 0,
                      .n_refused = refused};
}

static void make_requests(const setup *o, item *items, phones *ph)
{
    atls_arena a;
    atls_error err = {0};
    must(atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err), &err);
    for (size_t i = 0; i < o->n_requests; i++) {
        atls_bytes csr;
        atls_arena_reset(&a);
        must(phones_request(ph, i % 2 == 1, atls_bytes_of(items[i].nonce, items[i].nonce_len), NULL, &a, &csr, &err),
             &err);
        items[i].csr = malloc(csr.len);
        if (items[i].csr == NULL) {
            bench_die("no memory");
        }
        memcpy(items[i].csr, csr.ptr, csr.len);
        items[i].csr_len = csr.len;
    }
    atls_arena_free(&a);
}

/* ---- numbers ---- */

static int by_size(const void *a, const void *b)
{
    uint64_t x = 0;
    uint64_t y = 0;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static void print_half(const char *store, const char *what, const setup *o, measured m, uint64_t *ns)
{
    const size_t n = o->n_requests;
    qsort(ns, n, sizeof *ns, by_size);
    const double us = 1000.0;
    printf("%-8.8s %-10s %9.0f /s %9.0f us %9.0f us %9.0f us %9.0f us %9.1f us\n", store, what,
           (double)n / ((double)m.wall_ns / 1e9), (double)ns[n / 2] / us, (double)ns[n * 9 / 10] / us,
           (double)ns[n * 99 / 100] / us, (double)ns[n - 1] / us, (double)m.service_ns / us / (double)n);
    if (m.n_refused > 0) {
        printf("%-8.8s %-10s %9zu times the answer was: later\n", store, what, m.n_refused);
    }
}

static void run_round(const char *store, const place *p, const setup *o, bool prints)
{
    atls_error err = {0};
    phones ph;
    item *items = calloc(o->n_requests, sizeof *items);
    uint64_t *ns = calloc(o->n_requests, sizeof *ns);
    if (items == NULL || ns == NULL) {
        bench_die("no memory");
    }
    must(phones_open(&ph, (atls_time)time(NULL), &err), &err);
    const measured gets = run_half(p, o, items, ns, false);
    if (prints) {
        print_half(store, "challenge", o, gets, ns);
    }
    make_requests(o, items, &ph);
    const measured posts = run_half(p, o, items, ns, true);
    if (prints) {
        print_half(store, "attest", o, posts, ns);
    }
    for (size_t i = 0; i < o->n_requests; i++) {
        free(items[i].csr);
    }
    phones_close(&ph);
    free(ns);
    free(items);
}

static void run_store(const setup *o, const char *store)
{
    atls_error err = {0};
    phones ph;
    place p;
    unsigned rounds = 1;
    must(phones_open(&ph, (atls_time)time(NULL), &err), &err);
    open_place(&p, o, store, &ph);
    run_round(store, &p, o, true);
    const long before = rss_kib();
    const uint64_t begun = clock_ns(CLOCK_MONOTONIC);
    while (o->soak_s > 0 && clock_ns(CLOCK_MONOTONIC) - begun < (uint64_t)o->soak_s * 1000000000u) {
        run_round(store, &p, o, false);
        rounds++;
    }
    if (o->soak_s > 0) {
        run_round(store, &p, o, true);
        printf("%-8.8s soak: %u rounds, %zu enrolments; RSS %ld KiB after the first, %ld KiB after the last\n", store,
               rounds + 1, o->n_requests * (rounds + 1), before, rss_kib());
    }
    close_place(&p);
    phones_close(&ph);
}

static size_t number(const char *text, size_t max)
{
    char *end = NULL;
    const unsigned long n = text == NULL ? 0 : strtoul(text, &end, 10);
    if (text == NULL || *end != '\0' || n == 0 || n > max) {
        bench_die("usage: bench_enrol [--requests N] [--clients N] [--workers N] [--store URL]... [--soak SECONDS]");
    }
    return n;
}

static void read_words(int argc, char *argv[], setup *o)
{
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--requests") == 0) {
            o->n_requests = number(value, 1000000);
        } else if (strcmp(argv[i], "--clients") == 0) {
            o->n_clients = number(value, MAX_CLIENTS);
        } else if (strcmp(argv[i], "--workers") == 0) {
            o->n_workers = number(value, 64);
        } else if (strcmp(argv[i], "--soak") == 0) {
            o->soak_s = (unsigned)number(value, 1000000);
        } else if (strcmp(argv[i], "--store") == 0 && value != NULL && o->n_stores < MAX_STORES) {
            o->stores[o->n_stores++] = value;
        } else {
            (void)number(NULL, 0);
        }
    }
}

int main(int argc, char *argv[])
{
    setup o = {.n_requests = 2000, .n_clients = 8, .n_workers = 2};
    read_words(argc, argv, &o);
    if (o.n_stores == 0) {
        o.stores[o.n_stores++] = "memory:";
        o.stores[o.n_stores++] = "sqlite:enrol.db";
    }
    bench_machine();
    printf("# %zu requests a half, %zu clients, %zu workers\n", o.n_requests, o.n_clients, o.n_workers);
    printf("%-8s %-10s %12s %12s %12s %12s %12s %12s\n", "store", "request", "rate", "median", "p90", "p99", "max",
           "service CPU");
    for (size_t i = 0; i < o.n_stores; i++) {
        run_store(&o, o.stores[i]);
    }
    return 0;
}
