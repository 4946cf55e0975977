/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c: one table of what a store of challenges does, run against each kind; and that of many threads and processes which
 * use up one nonce, one is told FRESH. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/service/turn.h"
#include "edge/tls/clock.h"
#include "rig.h"
#include "tap.h"

#define T      RIG_NOW
#define MINUTE ((int64_t)60000)

/* ---- kinds --------------------------------------------------------------------------------------------------------------------- */

static rig_redis server;
static bool has_redis;
static char folder[RIG_PATH_SIZE];

typedef enum kind {
    MEMORY,
    SQLITE,
    REDIS,
    N_KINDS,
} kind;

static const char *const kind_names[N_KINDS] = {"memory", "sqlite", "redis"};

/* An address of a store that nobody used yet, and options that go with it. */
typedef struct place {
    char url[2 * RIG_PATH_SIZE];
    char prefix[32];
    atls_challenges_options options;
} place;

static void make_place(kind k, const atls_challenges_options *o, place *p)
{
    static unsigned number;
    number++;
    p->options = *o;
    (void)snprintf(p->prefix, sizeof p->prefix, "t%u", number);
    p->options.prefix = p->prefix;
    p->options.timeout_ms = 20000;
    if (k == MEMORY) {
        (void)snprintf(p->url, sizeof p->url, "memory:");
    } else if (k == SQLITE) {
        (void)snprintf(p->url, sizeof p->url, "sqlite:%s/%u.db", folder, number);
    } else {
        if (!has_redis) {
            print_message("redis-server is not installed\n");
            skip();
        }
        (void)snprintf(p->url, sizeof p->url, "%s", server.url);
    }
}

static atls_challenges *open_place(const place *p)
{
    atls_challenges *s = NULL;
    atls_error err = {.code = ATLS_OK};
    if (!atls_challenges_open(p->url, &p->options, &s, &err)) {
        rig_die(&err);
    }
    return s;
}

/* ---- the table ----------------------------------------------------------------------------------------------------------------- */

typedef enum op {
    END = 0,
    INSERT, /* works */
    FULL,   /* insert fails, and says that there is no room */
    TWICE,  /* insert fails, because it is there already */
    ABSURD, /* insert fails: the call makes no sense */
    CONSUME,
    COUNT,
    MANY, /* that many inserts work */
} op;

typedef struct step {
    op op;
    uint32_t nonce;     /* MANY: the first one */
    int64_t now;        /* ms after T */
    int64_t expires;    /* ms after T */
    int found;          /* CONSUME: atls_consumed; COUNT: outstanding; MANY: how many */
    unsigned held;      /* COUNT */
    uint8_t nonce_len;  /* 0: 32 */
    uint8_t nonce_flip; /* changed in its last byte */
} step;

typedef struct row {
    const char *name;
    atls_challenges_options options;
    step steps[12];
} row;

#define IN(nonce, now, expires)                                                                                        \
    {                                                                                                                  \
        INSERT, nonce, now, expires, 0, 0, 0, 0                                                                        \
    }
#define NO(why, nonce, now, expires)                                                                                   \
    {                                                                                                                  \
        why, nonce, now, expires, 0, 0, 0, 0                                                                           \
    }
#define USE(nonce, now, found)                                                                                         \
    {                                                                                                                  \
        CONSUME, nonce, now, 0, ATLS_CONSUMED_##found, 0, 0, 0                                                         \
    }
#define SUM(now, outstanding, held)                                                                                    \
    {                                                                                                                  \
        COUNT, 0, now, 0, outstanding, held, 0, 0                                                                      \
    }

static const row rows[] = {
    {"what was never issued is unknown", {0}, {USE(1, 0, UNKNOWN), USE(1, 0, UNKNOWN)}},
    {"what was issued is fresh once, and then used",
     {0},
     {IN(1, 0, MINUTE), USE(1, 1, FRESH), USE(1, 1, USED), USE(1, 2, USED)}},
    {"one use leaves the others alone",
     {0},
     {IN(1, 0, MINUTE), IN(2, 0, MINUTE), USE(1, 1, FRESH), USE(2, 1, FRESH), USE(3, 1, UNKNOWN)}},
    {"it is good up to its last millisecond", {0}, {IN(1, 0, MINUTE), USE(1, MINUTE, FRESH)}},
    {"and not one later", {0}, {IN(1, 0, MINUTE), USE(1, MINUTE + 1, EXPIRED), USE(1, MINUTE + 1, EXPIRED)}},
    {"each has its own expiry",
     {0},
     {IN(1, 0, MINUTE), IN(2, 0, 2 * MINUTE), USE(1, MINUTE + 1, EXPIRED), USE(2, MINUTE + 1, FRESH)}},
    {"a used one stays used after its expiry", {0}, {IN(1, 0, MINUTE), USE(1, 5, FRESH), USE(1, MINUTE + 1, USED)}},
    {"a clock that goes back makes nothing fresh that was used",
     {0},
     {IN(1, 0, MINUTE), USE(1, MINUTE, FRESH), USE(1, 0, USED), USE(1, -MINUTE, USED)}},
    {"the nonce counts to its last bit, and in full",
     {0},
     {IN(1, 0, MINUTE),
      {CONSUME, 1, 0, 0, ATLS_CONSUMED_UNKNOWN, 0, 0, 1},
      {CONSUME, 1, 0, 0, ATLS_CONSUMED_UNKNOWN, 0, 31, 0},
      {CONSUME, 1, 0, 0, ATLS_CONSUMED_UNKNOWN, 0, 1, 0},
      USE(1, 0, FRESH)}},
    {"a nonce that is there is not taken again",
     {0},
     {IN(1, 0, MINUTE), NO(TWICE, 1, 1, MINUTE), USE(1, 2, FRESH), NO(TWICE, 1, 3, MINUTE), USE(1, 4, USED)}},
    {"a challenge that would live no time or more than a day",
     {0},
     {NO(ABSURD, 1, 0, 0), NO(ABSURD, 1, 0, -1), NO(ABSURD, 1, 0, 24 * 60 * MINUTE + 1), USE(1, 0, UNKNOWN),
      IN(1, 0, 24 * 60 * MINUTE)}},
    {"a nonce of fewer than 16 bytes", {0}, {{ABSURD, 1, 0, MINUTE, 0, 0, 15, 0}, {INSERT, 1, 0, MINUTE, 0, 0, 16, 0}}},
    {"an instant that is none", {0}, {NO(ABSURD, 1, -T, MINUTE), NO(ABSURD, 1, -T - 1, -T + 5)}},
    {"the ceiling",
     {.max_outstanding = 2},
     {IN(1, 0, MINUTE), IN(2, 0, MINUTE), NO(FULL, 3, 0, MINUTE), USE(3, 0, UNKNOWN), USE(1, 0, FRESH),
      USE(2, 0, FRESH)}},
    {"used ones count for the ceiling until they expire",
     {.max_outstanding = 1},
     {IN(1, 0, MINUTE), USE(1, 0, FRESH), NO(FULL, 2, MINUTE, 2 * MINUTE), USE(1, 0, USED),
      IN(2, MINUTE + 1, 2 * MINUTE), USE(2, MINUTE + 1, FRESH)}},
    {"expired ones make room where it is needed",
     {.max_outstanding = 2},
     {IN(1, 0, MINUTE), IN(2, 0, 2 * MINUTE), IN(3, MINUTE + 1, 3 * MINUTE), USE(1, MINUTE + 1, UNKNOWN),
      USE(2, MINUTE + 1, FRESH), USE(3, MINUTE + 1, FRESH)}},
    {"expired ones are remembered for a while",
     {.keep_ms = 1000},
     {IN(1, 0, 10), IN(2, 0, 10), USE(2, 0, FRESH), IN(3, 1010, MINUTE), USE(1, 1010, EXPIRED), USE(2, 1010, USED),
      SUM(1010, 1, 3)}},
    {"and no longer",
     {.keep_ms = 1000},
     {IN(1, 0, 10), IN(2, 0, 10), USE(2, 0, FRESH), IN(3, 1011, MINUTE), USE(1, 1011, UNKNOWN), USE(2, 1011, UNKNOWN),
      SUM(1011, 1, 1)}},
    {"what lives long is not swept with what came later",
     {.keep_ms = 1},
     {IN(1, 0, 10 * MINUTE), IN(2, 0, 10), IN(3, MINUTE, 2 * MINUTE), USE(1, MINUTE, FRESH), USE(2, MINUTE, UNKNOWN),
      SUM(MINUTE, 1, 2)}},
    {"an insert sweeps 64, and no more",
     {.keep_ms = 1},
     {{MANY, 100, 0, 10, 150, 0, 0, 0},
      SUM(0, 150, 150),
      IN(1, MINUTE, 2 * MINUTE),
      SUM(MINUTE, 1, 87),
      IN(2, MINUTE, 2 * MINUTE),
      SUM(MINUTE, 2, 24),
      IN(3, MINUTE, 2 * MINUTE),
      SUM(MINUTE, 3, 3)}},
    {"counting",
     {0},
     {SUM(0, 0, 0), IN(1, 0, MINUTE), IN(2, 0, 2 * MINUTE), IN(3, 0, 2 * MINUTE), SUM(0, 3, 3), USE(2, 0, FRESH),
      SUM(0, 2, 3), SUM(MINUTE, 2, 3), SUM(MINUTE + 1, 1, 3)}},
};
#define N_ROWS (sizeof rows / sizeof rows[0])

static void insert(atls_challenges *s, const step *t, atls_bytes nonce)
{
    atls_error err = {.code = ATLS_OK};
    bool is_full = true;
    const bool ok = atls_challenges_insert(s, nonce, T + t->now, T + t->expires, &is_full, &err);
    assert_int_equal(is_full, t->op == FULL);
    assert_int_equal(ok, t->op == INSERT);
    if (t->op == FULL || t->op == TWICE) {
        assert_int_equal(err.code, ATLS_E_ENROL_STORE);
        assert_int_equal(err.category, ATLS_CATEGORY_INTERNAL);
        assert_string_equal(err.field, t->op == FULL ? "store.max_outstanding" : "store.nonce");
    }
    if (t->op == ABSURD) {
        assert_int_equal(err.code, ATLS_E_USAGE);
    }
}

static void insert_many(atls_challenges *s, const step *t)
{
    uint8_t room[32];
    for (int i = 0; i < t->found; i++) {
        const step one = {INSERT, 0, t->now, t->expires, 0, 0, 0, 0};
        insert(s, &one, rig_nonce(t->nonce + (uint32_t)i, room));
    }
}

static void run_step(atls_challenges *s, const step *t)
{
    uint8_t room[32];
    atls_error err = {.code = ATLS_OK};
    atls_bytes nonce = rig_nonce(t->nonce, room);
    nonce.len = t->nonce_len == 0 ? 32 : t->nonce_len;
    room[31] ^= t->nonce_flip;
    if (t->op == CONSUME) {
        atls_consumed found = ATLS_CONSUMED_FRESH;
        assert_true(atls_challenges_consume(s, nonce, T + t->now, &found, &err));
        assert_int_equal(found, t->found);
    } else if (t->op == COUNT) {
        atls_challenges_numbers n;
        assert_true(atls_challenges_count(s, T + t->now, &n, &err));
        assert_int_equal(n.outstanding, t->found);
        assert_int_equal(n.held, t->held);
    } else if (t->op == MANY) {
        insert_many(s, t);
    } else {
        insert(s, t, nonce);
    }
}

static void test_row(kind k, const row *r)
{
    place p;
    make_place(k, &r->options, &p);
    atls_challenges *s = open_place(&p);
    assert_string_equal(atls_challenges_kind(s), kind_names[k]);
    for (const step *t = r->steps; t->op != END; t++) {
        run_step(s, t);
    }
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_challenges_ping(s, &err));
    atls_challenges_close(s);
}

static void test_memory(void **state)
{
    test_row(MEMORY, *state);
}

static void test_sqlite(void **state)
{
    test_row(SQLITE, *state);
}

static void test_redis(void **state)
{
    test_row(REDIS, *state);
}

/* ---- many at once --------------------------------------------------------------------------------------------------------------- */

#define N_THREADS 100
#define N_NONCES  40

typedef struct crowd {
    atls_challenges *stores[2]; /* the same challenges; every other thread */
    pthread_barrier_t start;
    atomic_uint n_fresh[N_NONCES];
    atomic_uint n_used[N_NONCES];
    atomic_uint next;
} crowd;

static void insert_nonces(atls_challenges *s, uint32_t n)
{
    uint8_t room[32];
    for (uint32_t i = 0; i < n; i++) {
        const step one = {INSERT, 0, 0, MINUTE, 0, 0, 0, 0};
        insert(s, &one, rig_nonce(i, room));
    }
}

static void *consume_all(void *arg)
{
    crowd *c = arg;
    uint8_t room[32];
    atls_challenges *s = c->stores[atomic_fetch_add(&c->next, 1) % 2];
    for (uint32_t i = 0; i < N_NONCES; i++) {
        atls_error err = {.code = ATLS_OK};
        atls_consumed found = ATLS_CONSUMED_UNKNOWN;
        (void)pthread_barrier_wait(&c->start);
        if (atls_challenges_consume_fn(s, rig_nonce(i, room), T, &found, &err)) {
            atomic_fetch_add(&c->n_fresh[i], found == ATLS_CONSUMED_FRESH ? 1 : 0);
            atomic_fetch_add(&c->n_used[i], found == ATLS_CONSUMED_USED ? 1 : 0);
        }
    }
    return NULL;
}

static void test_threads(kind k)
{
    static crowd c;
    place p;
    pthread_t threads[N_THREADS];
    const atls_challenges_options o = {0};
    make_place(k, &o, &p);
    memset(&c, 0, sizeof c);
    c.stores[0] = open_place(&p);
    c.stores[1] = k == MEMORY ? c.stores[0] : open_place(&p);
    insert_nonces(c.stores[0], N_NONCES);
    assert_int_equal(pthread_barrier_init(&c.start, NULL, N_THREADS), 0);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, consume_all, &c), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_barrier_destroy(&c.start);
    for (size_t i = 0; i < N_NONCES; i++) {
        assert_int_equal(c.n_fresh[i], 1);
        assert_int_equal(c.n_used[i], N_THREADS - 1);
    }
    if (c.stores[1] != c.stores[0]) {
        atls_challenges_close(c.stores[1]);
    }
    atls_challenges_close(c.stores[0]);
}

static void test_memory_threads(void **state)
{
    (void)state;
    test_threads(MEMORY);
}

static void test_sqlite_threads(void **state)
{
    (void)state;
    test_threads(SQLITE);
}

static void test_redis_threads(void **state)
{
    (void)state;
    test_threads(REDIS);
}

/* ---- processes -------------------------------------------------------------------------------------------------------------------- */

#define N_PROCESSES 8

/* Opens the store itself, which for SQLite is where the file is made, by all at once. */
static void run_process(const place *p, int go, int out)
{
    uint8_t found[N_NONCES];
    uint8_t room[32];
    char byte = 0;
    atls_error err = {.code = ATLS_OK};
    atls_challenges *s = NULL;
    memset(found, 0xff, sizeof found);
    if (read(go, &byte, 1) < 0 || !atls_challenges_open(p->url, &p->options, &s, &err)) {
        _exit(2);
    }
    for (uint32_t i = 0; i < N_NONCES; i++) {
        atls_consumed one = ATLS_CONSUMED_UNKNOWN;
        const bool ok = atls_challenges_consume(s, rig_nonce(i, room), T, &one, &err);
        found[i] = ok ? (uint8_t)one : 0xfe;
    }
    atls_challenges_close(s);
    _exit(write(out, found, sizeof found) == sizeof found ? 0 : 3);
}

static void test_processes(kind k)
{
    place p;
    int go[2];
    int result[2];
    pid_t pids[N_PROCESSES];
    unsigned n_fresh[N_NONCES] = {0};
    unsigned n_used[N_NONCES] = {0};
    const atls_challenges_options o = {0};
    make_place(k, &o, &p);
    assert_true(pipe(go) == 0 && pipe(result) == 0);
    for (size_t i = 0; i < N_PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            (void)close(go[1]);
            run_process(&p, go[0], result[1]);
        }
    }
    atls_challenges *s = open_place(&p);
    insert_nonces(s, N_NONCES);
    (void)close(go[1]); /* all at once */
    for (size_t i = 0; i < N_PROCESSES; i++) {
        uint8_t found[N_NONCES];
        int status = -1;
        assert_true(waitpid(pids[i], &status, 0) == pids[i] && status == 0);
        assert_int_equal(read(result[0], found, sizeof found), sizeof found);
        for (size_t j = 0; j < N_NONCES; j++) {
            n_fresh[j] += found[j] == ATLS_CONSUMED_FRESH ? 1 : 0;
            n_used[j] += found[j] == ATLS_CONSUMED_USED ? 1 : 0;
        }
    }
    for (size_t j = 0; j < N_NONCES; j++) {
        assert_int_equal(n_fresh[j], 1);
        assert_int_equal(n_used[j], N_PROCESSES - 1);
    }
    atls_challenges_close(s);
    (void)close(go[0]);
    (void)close(result[0]);
    (void)close(result[1]);
}

static void test_sqlite_processes(void **state)
{
    (void)state;
    test_processes(SQLITE);
}

static void test_redis_processes(void **state)
{
    (void)state;
    test_processes(REDIS);
}

/* The ceiling holds when all insert at once. */
static void *insert_some(void *arg)
{
    crowd *c = arg;
    const unsigned me = atomic_fetch_add(&c->next, 1);
    uint8_t room[32];
    for (uint32_t i = 0; i < 4; i++) {
        atls_error err = {.code = ATLS_OK};
        bool is_full = false;
        (void)pthread_barrier_wait(&c->start);
        const bool ok =
            atls_challenges_insert(c->stores[me % 2], rig_nonce(me * 4 + i, room), T, T + MINUTE, &is_full, &err);
        atomic_fetch_add(&c->n_fresh[0], ok ? 1 : 0);
        atomic_fetch_add(&c->n_used[0], !ok && is_full ? 1 : 0);
    }
    return NULL;
}

static void test_ceiling(kind k)
{
    static crowd c;
    place p;
    pthread_t threads[20];
    const atls_challenges_options o = {.max_outstanding = 30};
    make_place(k, &o, &p);
    memset(&c, 0, sizeof c);
    c.stores[0] = open_place(&p);
    c.stores[1] = k == MEMORY ? c.stores[0] : open_place(&p);
    assert_int_equal(pthread_barrier_init(&c.start, NULL, 20), 0);
    for (size_t i = 0; i < 20; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, insert_some, &c), 0);
    }
    for (size_t i = 0; i < 20; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_barrier_destroy(&c.start);
    assert_int_equal(c.n_fresh[0], 30);
    assert_int_equal(c.n_used[0], 50);
    if (c.stores[1] != c.stores[0]) {
        atls_challenges_close(c.stores[1]);
    }
    atls_challenges_close(c.stores[0]);
}

static void test_ceilings(void **state)
{
    (void)state;
    test_ceiling(MEMORY);
    test_ceiling(SQLITE);
    if (has_redis) {
        test_ceiling(REDIS);
    }
}

/* Whoever waits for a slot waits until the deadline, and no longer. */
static void test_turn(void **state)
{
    atls_turn t;
    uint32_t a = 9;
    uint32_t b = 9;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_turn_init(&t, 1, &err));
    assert_true(atls_turn_take(&t, atls_clock_ms(), &a, &err) && a == 0);
    const uint64_t from = atls_clock_ms();
    assert_false(atls_turn_take(&t, from + 50, &b, &err));
    assert_true(atls_clock_ms() - from >= 49 && atls_clock_ms() - from < 5000);
    assert_true(err.code == ATLS_E_ENROL_STORE && err.retry);
    atls_turn_give(&t, a);
    atls_error_clear(&err);
    assert_true(atls_turn_take(&t, 0, &b, &err) && b == 0);
    atls_turn_destroy(&t);
    assert_false(atls_turn_init(&t, 0, &err));
    assert_false(atls_turn_init(&t, ATLS_TURN_MAX_SLOTS + 1, &err));
}

int main(void)
{
    static char names[N_KINDS][N_ROWS][128];
    static const CMUnitTestFunction tests[N_KINDS] = {test_memory, test_sqlite, test_redis};
    tap_list l = {0};
    rig_make_folder(folder);
    has_redis = rig_redis_start(&server, (const char *const[]){"--save", "", NULL});
    for (size_t k = 0; k < N_KINDS; k++) {
        for (size_t i = 0; i < N_ROWS; i++) {
            (void)snprintf(names[k][i], sizeof names[k][i], "%s: %s", kind_names[k], rows[i].name);
            tap_add(&l, names[k][i], tests[k], &rows[i]);
        }
    }
    tap_add(&l, "memory: of 100 threads one is told fresh, for each of many nonces", test_memory_threads, NULL);
    tap_add(&l, "sqlite: of 100 threads one is told fresh, for each of many nonces", test_sqlite_threads, NULL);
    tap_add(&l, "redis: of 100 threads one is told fresh, for each of many nonces", test_redis_threads, NULL);
    tap_add(&l, "sqlite: of 8 processes on one file one is told fresh", test_sqlite_processes, NULL);
    tap_add(&l, "redis: of 8 processes on one server one is told fresh", test_redis_processes, NULL);
    tap_add(&l, "a slot is waited for until the deadline", test_turn, NULL);
    tap_add(&l, "the ceiling holds when 20 threads insert at once", test_ceilings, NULL);
    const int failed = tap_run("store", &l);
    rig_redis_end(&server);
    rig_remove_folder(folder);
    return failed;
}
