/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_memory.c: what a fetcher remembers, and for how long: one request however many threads wait, stale pieces only
 * within their dates, failures for a moment, hosts that asked to be left alone. The clock is the test's. */
#include "fetch_scene.h"

#include <signal.h>
#include <time.h>

#define DAY       86400
#define N_THREADS 32
#define TCB       "endorsements.tcb_info"

typedef struct bench {
    double_server d;
    scene s;
} bench;

static void nap(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    (void)nanosleep(&t, NULL);
}

static void set_up(bench *b, const atls_fetcher_options *options)
{
    double_server *const alone[] = {&b->d};
    memset(b, 0, sizeof *b);
    double_open(&b->d);
    scene_open(&b->s);
    scene_fetcher(&b->s, options, alone, 1);
}

static void tear_down(bench *b)
{
    scene_close(&b->s);
    double_close(&b->d);
}

static void advance(bench *b, atls_time seconds)
{
    atomic_store(&b->s.now, atomic_load(&b->s.now) + seconds);
}

/* ---- one flight -------------------------------------------------------------------------------------------------------- */

typedef struct one {
    pthread_t thread;
    scene *s;
    atls_endorsement_request request;
    atls_arena arena;
    atls_endorsements out;
    atls_error err;
    bool ok;
} one;

static void *ask(void *arg)
{
    one *o = arg;
    o->ok = atls_fetcher_endorse(o->s->fetcher, &o->request, &o->arena, &o->out, &o->err);
    return NULL;
}

static void ask_together(bench *b, one all[N_THREADS])
{
    const atls_endorsement_request request = scene_request(&b->s);
    for (size_t i = 0; i < N_THREADS; i++) {
        all[i] = (one){.s = &b->s, .request = request};
        assert_true(atls_arena_new(&all[i].arena, (size_t)256 * 1024, &all[i].err));
        assert_int_equal(pthread_create(&all[i].thread, NULL, ask, &all[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
    }
}

static void free_all(one all[N_THREADS])
{
    for (size_t i = 0; i < N_THREADS; i++) {
        atls_arena_free(&all[i].arena);
    }
}

static void test_coalesced(void **state)
{
    static one all[N_THREADS];
    bench b;
    (void)state;
    set_up(&b, NULL);
    atomic_store(&b.d.delay_ms, 600);
    ask_together(&b, all);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_true(all[i].ok);
        assert_true(atls_bytes_equal(all[i].out.dcap.tcb_info, all[0].out.dcap.tcb_info));
    }
    assert_int_equal(double_seen(&b.d, NULL), 4);
    assert_int_equal(double_most(&b.d), 1);
    const atls_fetcher_counts c = atls_fetcher_count(b.s.fetcher);
    assert_int_equal(c.requests, 4);
    assert_true(c.coalesced >= N_THREADS - 1);
    assert_int_equal(c.entries, 4);
    free_all(all);
    tear_down(&b);
}

/* The failure is shared as well: also one that is not remembered afterwards. */
static void test_coalesced_failure(void **state)
{
    static one all[N_THREADS];
    bench b;
    (void)state;
    set_up(&b, NULL);
    atomic_store(&b.d.delay_ms, 600);
    atomic_store(&b.d.mode, DOUBLE_BROKEN);
    ask_together(&b, all);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_false(all[i].ok);
        assert_string_equal(all[i].err.field, TCB);
        assert_string_equal(all[i].err.message, all[0].err.message);
    }
    assert_int_equal(double_seen(&b.d, NULL), 1);
    free_all(all);
    tear_down(&b);
}

/* Who waits for another's request has a deadline, too. */
static void test_deadline(void **state)
{
    static one all[N_THREADS];
    const atls_fetcher_options o = {.request_timeout_ms = 60000, .total_timeout_ms = 700};
    bench b;
    (void)state;
    set_up(&b, &o);
    atomic_store(&b.d.mode, DOUBLE_SILENT);
    const unsigned begin = scene_ms();
    ask_together(&b, all);
    assert_true(scene_ms() - begin < SCENE_SOON_MS * scene_patience());
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_false(all[i].ok);
        assert_int_equal(all[i].err.code, ATLS_E_TIMEOUT);
        assert_true(all[i].err.retry);
    }
    free_all(all);
    tear_down(&b);
}

/* ---- fresh, stale, past its date ---------------------------------------------------------------------------------------- */

static void test_fresh(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_appraise(&b.s));
    advance(&b, DAY - 1);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 4);
    advance(&b, 1); /* max_age_s */
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 8);
    tear_down(&b);
}

/* The dates of the simulator's room. */
static atls_time first_date(bench *b)
{
    const atls_fetched *items;
    size_t n;
    atls_time first = INT64_MAX;
    atls_arena_reset(&b->s.arena);
    assert_true(atls_fetcher_list(b->s.fetcher, &b->s.arena, &items, &n, &b->s.err));
    for (size_t i = 0; i < n; i++) {
        first = items[i].valid_until < first ? items[i].valid_until : first;
    }
    return first;
}

static void test_stale(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse(&b.s));
    const atls_time first = first_date(&b);
    atomic_store(&b.d.mode, DOUBLE_BROKEN);
    atomic_store(&b.s.now, first - 1); /* the last second of all its dates */
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(atls_fetcher_count(b.s.fetcher).stale, 4);
    const unsigned seen = double_seen(&b.d, NULL);
    assert_int_equal(seen, 8);
    scene_ok(&b.s, scene_endorse(&b.s)); /* the failure is remembered: nobody is asked */
    assert_int_equal(double_seen(&b.d, NULL), seen);
    atomic_store(&b.s.now, first);
    assert_false(scene_endorse(&b.s)); /* not a second longer */
    atomic_store(&b.s.now, first + 11);
    assert_false(scene_appraise(&b.s));
    tear_down(&b);
}

/* A clock that was set back far: what was fetched in the future is not fresh. */
static void test_clock_back(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse(&b.s));
    advance(&b, -200);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 4);
    advance(&b, -3600);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 8);
    atomic_store(&b.s.now, ATLS_TIME_UNSET);
    scene_expect(&b.s, scene_endorse(&b.s), ATLS_E_INTERNAL, "clock", NULL);
    tear_down(&b);
}

/* A chip's certificate is not asked for again before it ends. */
static void test_vcek(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse_snp(&b.s, NULL));
    assert_int_equal(double_seen(&b.d, "blSPL"), 1);
    advance(&b, 3 * DAY);
    scene_ok(&b.s, scene_endorse_snp(&b.s, NULL));
    assert_int_equal(double_seen(&b.d, "blSPL"), 1);
    assert_int_equal(double_seen(&b.d, "cert_chain"), 2);
    tear_down(&b);
}

/* ---- failures ---------------------------------------------------------------------------------------------------------- */

typedef struct negative_row {
    const char *name;
    double_mode mode;
    const char *retry_after;
    unsigned until; /* remembered for so many seconds */
} negative_row;

static const negative_row negative_rows[] = {
    {"404 is remembered for a minute", DOUBLE_NOT_FOUND, NULL, 60},
    {"garbage is", DOUBLE_GARBAGE, NULL, 60},
    {"what broke is remembered for ten seconds", DOUBLE_BROKEN, NULL, 10},
};

static void test_negative(void **state)
{
    const negative_row *r = *state;
    bench b;
    set_up(&b, NULL);
    atomic_store(&b.d.mode, r->mode);
    assert_false(scene_endorse(&b.s));
    const atls_error first = b.s.err;
    atomic_store(&b.d.mode, DOUBLE_HONEST);
    advance(&b, (atls_time)r->until - 1);
    assert_false(scene_endorse(&b.s));
    assert_string_equal(b.s.err.message, first.message);
    assert_int_equal(b.s.err.code, first.code);
    assert_int_equal(double_seen(&b.d, NULL), 1);
    assert_int_equal(atls_fetcher_count(b.s.fetcher).negative, 1);
    advance(&b, 1);
    scene_ok(&b.s, scene_appraise(&b.s));
    tear_down(&b);
}

/* ---- throttling -------------------------------------------------------------------------------------------------------- */

/* Retry-After within the deadline: one waits, and asks once more. */
static void test_waits(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    b.d.retry_after = "1";
    atomic_store(&b.d.n_bad, 1);
    atomic_store(&b.d.mode, DOUBLE_THROTTLED);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(b.s.took_ms >= 950);
    assert_int_equal(double_seen(&b.d, NULL), 5);
    assert_int_equal(atls_fetcher_count(b.s.fetcher).throttled, 1);
    tear_down(&b);
}

/* Beyond the deadline: nobody asks that host, for any piece, before it is over; also without Retry-After. */
static void test_left_alone(void **state)
{
    static const char *const after[] = {"3600", NULL, "Sun, 06 Nov 2094 08:49:37 GMT", "soon"};
    const atls_fetcher_options o = {.total_timeout_ms = 6000 * scene_patience()};
    for (size_t i = 0; i < sizeof after / sizeof after[0]; i++) {
        bench b;
        (void)state;
        set_up(&b, &o);
        b.d.retry_after = after[i];
        atomic_store(&b.d.mode, DOUBLE_THROTTLED);
        scene_expect(&b.s, scene_endorse(&b.s), ATLS_E_IO, TCB, "429");
        assert_true(b.s.took_ms < 5000 * scene_patience());
        atomic_store(&b.d.mode, DOUBLE_HONEST);
        scene_expect(&b.s, scene_endorse_snp(&b.s, NULL), ATLS_E_IO, "endorsements.vcek", "left alone for");
        assert_int_equal(double_seen(&b.d, NULL), 1);
        tear_down(&b);
    }
}

/* Nobody waits for a host where another one has the piece. */
static void test_goes_elsewhere(void **state)
{
    double_server other = {.seed = NULL};
    bench b;
    (void)state;
    set_up(&b, NULL);
    double_open(&other);
    double_server *const both[] = {&b.d, &other};
    scene_fetcher(&b.s, NULL, both, 2);
    b.d.retry_after = "50";
    atomic_store(&b.d.mode, DOUBLE_UNAVAILABLE);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_true(b.s.took_ms < SCENE_SOON_MS * scene_patience());
    assert_int_equal(double_seen(&b.d, NULL), 1);
    assert_int_equal(double_seen(&other, NULL), 4);
    tear_down(&b);
    double_close(&other);
}

/* ---- refreshing -------------------------------------------------------------------------------------------------------- */

static void test_refresh(void **state)
{
    bench b;
    size_t n = 9;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(atls_fetcher_refresh(b.s.fetcher, 0, &n, &b.s.err));
    assert_int_equal(n, 0);
    assert_true(atls_fetcher_refresh(b.s.fetcher, 2 * DAY, &n, &b.s.err));
    assert_int_equal(n, 4);
    assert_int_equal(double_most(&b.d), 2);
    advance(&b, DAY);
    atomic_store(&b.d.mode, DOUBLE_NOT_FOUND);
    assert_false(atls_fetcher_refresh(b.s.fetcher, 0, &n, &b.s.err));
    assert_int_equal(n, 0);
    assert_int_equal(b.s.err.code, ATLS_E_ENDORSEMENTS_MISSING);
    scene_ok(&b.s, scene_appraise(&b.s)); /* what was there is there */
    tear_down(&b);
}

static void wait_for(bench *b, unsigned requests)
{
    const unsigned begin = scene_ms();
    while (double_seen(&b->d, NULL) < requests && scene_ms() - begin < SCENE_SOON_MS * scene_patience()) {
        nap(10);
    }
    assert_int_equal(double_seen(&b->d, NULL), requests);
}

/* With a thread nobody waits for what may still be used. */
static void test_background(void **state)
{
    const atls_fetcher_options o = {.background = true, .background_interval_s = 3600};
    bench b;
    (void)state;
    set_up(&b, &o);
    scene_ok(&b.s, scene_endorse(&b.s));
    atomic_store(&b.d.delay_ms, 60000);
    advance(&b, DAY);
    scene_ok(&b.s, scene_endorse(&b.s)); /* stale, and nobody has answered yet; and the thread is woken */
    assert_true(b.s.took_ms < SCENE_SOON_MS * scene_patience());
    wait_for(&b, 5);
    atomic_store(&b.d.delay_ms, 0);
    wait_for(&b, 8);
    nap(300);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 8);
    assert_int_equal(double_most(&b.d), 2);
    tear_down(&b);
}

/* After a clock that went back the thread's answer takes the place of the one from the future, and that is the end of it. */
static void test_background_clock_back(void **state)
{
    const atls_fetcher_options o = {.background = true, .background_interval_s = 3600};
    bench b;
    (void)state;
    set_up(&b, &o);
    scene_ok(&b.s, scene_endorse(&b.s));
    advance(&b, -3600);
    scene_ok(&b.s, scene_endorse(&b.s));
    wait_for(&b, 8);
    nap(300);
    scene_ok(&b.s, scene_endorse(&b.s));
    nap(300);
    assert_int_equal(double_seen(&b.d, NULL), 8);
    assert_int_equal(atls_fetcher_count(b.s.fetcher).stale, 4);
    tear_down(&b);
}

/* What must not be kept is fetched for whoever asks, and not again for nobody. */
static void test_background_no_store(void **state)
{
    const atls_fetcher_options o = {.background = true, .background_interval_s = 1};
    bench b;
    char url[128];
    atls_fetched document;
    (void)state;
    set_up(&b, &o);
    (void)snprintf(url, sizeof url, "%s/status.json", b.d.url); /* without Cache-Control */
    assert_true(atls_fetcher_document(b.s.fetcher, url, &b.s.arena, &document, &b.s.err));
    nap(2500);
    assert_int_equal(double_seen(&b.d, NULL), 1);
    tear_down(&b);
}

/* The thread looks by itself, too; and the end of the fetcher does not wait for a server that says nothing. */
static void test_background_end(void **state)
{
    const atls_fetcher_options o = {
        .background = true, .background_interval_s = 1, .request_timeout_ms = 60000, .total_timeout_ms = 60000};
    bench b;
    (void)state;
    set_up(&b, &o);
    scene_ok(&b.s, scene_endorse(&b.s));
    atomic_store(&b.d.mode, DOUBLE_SILENT);
    advance(&b, DAY);
    wait_for(&b, 5);
    const unsigned begin = scene_ms();
    atls_fetcher_free(b.s.fetcher);
    b.s.fetcher = NULL;
    assert_true(scene_ms() - begin < SCENE_SOON_MS * scene_patience());
    tear_down(&b);
}

/* pull asks again, whatever is remembered, and replaces it. */
static void test_pull(void **state)
{
    bench b;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse(&b.s));
    const atls_endorsement_request r = scene_request(&b.s);
    assert_true(atls_fetcher_pull(b.s.fetcher, &r, &b.s.arena, &b.s.out, &b.s.err));
    assert_int_equal(double_most(&b.d), 2);
    atomic_store(&b.d.mode, DOUBLE_NOT_FOUND);
    scene_expect(&b.s, atls_fetcher_pull(b.s.fetcher, &r, &b.s.arena, &b.s.out, &b.s.err), ATLS_E_ENDORSEMENTS_MISSING,
                 TCB, "404");
    scene_ok(&b.s, scene_endorse(&b.s)); /* and what was there stays */
    tear_down(&b);
}

/* ---- bounds and lists -------------------------------------------------------------------------------------------------- */

static void test_bounds(void **state)
{
    const atls_fetcher_options o = {.max_entries = 8};
    bench b;
    char chip_id[129];
    (void)state;
    set_up(&b, &o);
    scene_ok(&b.s, scene_endorse(&b.s)); /* four that are of use */
    memset(chip_id, 'a', sizeof chip_id - 1);
    chip_id[sizeof chip_id - 1] = '\0';
    for (unsigned i = 0; i < 40; i++) { /* forged reports: names that nobody has anything for */
        atls_endorsement_request r = scene_snp_request(&b.s, "Milan");
        (void)snprintf(chip_id, 3, "%02x", i);
        chip_id[2] = 'a';
        r.sev_snp.chip_id = chip_id;
        atls_error_clear(&b.s.err);
        assert_false(atls_fetcher_endorse(b.s.fetcher, &r, &b.s.arena, &b.s.out, &b.s.err));
    }
    const atls_fetcher_counts c = atls_fetcher_count(b.s.fetcher);
    assert_int_equal(c.entries, 8);
    assert_int_equal(c.evictions, 36);
    double_forget(&b.d);
    scene_ok(&b.s, scene_endorse(&b.s)); /* pushed out nothing but each other */
    assert_int_equal(double_seen(&b.d, NULL), 0);
    tear_down(&b);
}

static void test_bytes(void **state)
{
    const atls_fetcher_options o = {.max_len = 6000};
    bench b;
    (void)state;
    set_up(&b, &o);
    for (unsigned i = 0; i < 3; i++) {
        scene_ok(&b.s, scene_appraise(&b.s)); /* memory is too small, and everything works */
        assert_true(atls_fetcher_count(b.s.fetcher).len <= 6000);
    }
    assert_true(atls_fetcher_count(b.s.fetcher).evictions > 0);
    tear_down(&b);
}

static void test_list(void **state)
{
    bench b;
    const atls_fetched *items;
    size_t n;
    (void)state;
    set_up(&b, NULL);
    scene_ok(&b.s, scene_endorse(&b.s));
    const atls_endorsements e = b.s.out;
    atls_arena more;
    assert_true(atls_arena_new(&more, 1024 * 1024, &b.s.err));
    assert_true(atls_fetcher_list(b.s.fetcher, &more, &items, &n, &b.s.err));
    assert_int_equal(n, 4);
    assert_int_equal(items[0].kind, ATLS_FETCHED_ROOT_CA_CRL); /* newest first */
    assert_int_equal(items[1].kind, ATLS_FETCHED_PCK_CRL);
    assert_string_equal(items[1].pck_ca, "platform");
    assert_int_equal(items[2].kind, ATLS_FETCHED_QE_IDENTITY);
    assert_int_equal(items[3].kind, ATLS_FETCHED_TCB_INFO);
    assert_true(items[3].is_tdx && items[3].in_memory);
    assert_string_equal(items[3].source, b.d.url);
    assert_int_equal(items[3].fetched, SIM_NOW);
    assert_true(items[3].fresh_until > SIM_NOW && items[3].fresh_until < items[3].valid_until);
    assert_true(atls_bytes_equal(items[3].content, e.dcap.tcb_info));
    assert_true(atls_bytes_equal(items[3].signature, e.dcap.tcb_info_signature));
    assert_true(atls_bytes_equal(items[3].chain, e.dcap.tcb_info_issuer_chain));
    assert_true(atls_bytes_equal(items[1].content, e.dcap.pck_crl));
    atls_arena_free(&more);
    tear_down(&b);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    tap_add(&l, "32 threads, one request for each piece", test_coalesced, NULL);
    tap_add(&l, "32 threads, one failure", test_coalesced_failure, NULL);
    tap_add(&l, "32 threads, one deadline", test_deadline, NULL);
    tap_add(&l, "fresh for a day", test_fresh, NULL);
    tap_add(&l, "stale to the last second of every date", test_stale, NULL);
    tap_add(&l, "a clock that goes back", test_clock_back, NULL);
    tap_add(&l, "a chip's certificate is fetched once", test_vcek, NULL);
    for (size_t i = 0; i < sizeof negative_rows / sizeof negative_rows[0]; i++) {
        tap_add(&l, negative_rows[i].name, test_negative, &negative_rows[i]);
    }
    tap_add(&l, "Retry-After within the deadline", test_waits, NULL);
    tap_add(&l, "Retry-After beyond the deadline", test_left_alone, NULL);
    tap_add(&l, "Retry-After, and another source", test_goes_elsewhere, NULL);
    tap_add(&l, "refreshing what is due", test_refresh, NULL);
    tap_add(&l, "refreshing in the background", test_background, NULL);
    tap_add(&l, "in the background, after a clock that went back", test_background_clock_back, NULL);
    tap_add(&l, "in the background, what must not be kept", test_background_no_store, NULL);
    tap_add(&l, "the end of the background", test_background_end, NULL);
    tap_add(&l, "pulling", test_pull, NULL);
    tap_add(&l, "bounded in number", test_bounds, NULL);
    tap_add(&l, "bounded in bytes", test_bytes, NULL);
    tap_add(&l, "what is remembered", test_list, NULL);
    return tap_run("fetch_memory", &l);
}
