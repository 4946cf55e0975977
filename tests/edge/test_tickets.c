/* SPDX-License-Identifier: Apache-2.0 */
/* test_tickets.c: how one waits for a ticket and what may be freed when; many tickets, many threads. */
#include "fake_attester.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true /* their malloc ends the program where others return NULL */
#else
#define SANITIZED false
#endif

static const atls_attester_options plain = {0};

static atls_ticket_state look(atls_ticket *t)
{
    atls_error err = {0};
    const atls_attested *got;
    return atls_ticket_poll(t, &got, &err);
}

static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1 && p.revents == POLLIN;
}

static size_t count_fds(void)
{
    size_t n = 0;
    for (int fd = 0; fd < 256; fd++) {
        n += fcntl(fd, F_GETFD) != -1 ? 1 : 0;
    }
    return n;
}

static int64_t now_ms(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- descriptors --------------------------------------------------------------------------------------------------- */

static void test_fd(void **state)
{
    const fake_end *end = *state;
    const size_t before = count_fds();
    stand *s;
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    const int fd = atls_ticket_fd(t);
    assert_true(fd >= 0);
    assert_int_equal(atls_ticket_fd(t), fd);
    assert_true((fcntl(fd, F_GETFL) & O_NONBLOCK) != 0);
    assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    stand_begun(s, 1);
    assert_false(readable(fd));
    assert_int_equal(look(t), ATLS_TICKET_WAITING);
    stand_end(s, *end);
    assert_true(readable(fd));
    assert_true(look(t) != ATLS_TICKET_WAITING);
    assert_true(readable(fd)); /* nobody reads from it */
    assert_int_equal(atls_ticket_fd(t), fd);
    atls_ticket_free(t);
    stand_close(s);
    assert_int_equal(count_fds(), before);
}

static void test_fd_of_a_settled_ticket(void **state)
{
    const fake_end *end = *state;
    const size_t before = count_fds();
    stand *s;
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_REPORT_DATA, 0);
    stand_begun(s, 1);
    stand_end(s, *end);
    const int fd = atls_ticket_fd(t);
    assert_true(fd >= 0);
    assert_true(readable(fd));
    atls_ticket_free(t);
    stand_close(s);
    assert_int_equal(count_fds(), before);
}

/* Its own alone: another ticket of the same thread does not wake it. */
static void test_fd_of_another_ticket(void **state)
{
    (void)state;
    stand *s;
    s = stand_open(&plain, 0);
    atls_ticket *a = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    atls_ticket *b = stand_ask(s, ATLS_TICKET_LEAF, 1);
    atls_ticket *c = stand_ask(s, ATLS_TICKET_LEAF, 2);
    const int fd = atls_ticket_fd(b);
    const int gone = atls_ticket_fd(c);
    atls_ticket_free(c);
    assert_int_equal(fcntl(gone, F_GETFD), -1);
    stand_end(s, FAKE_OK);
    assert_false(readable(fd));
    stand_begun(s, 2);
    stand_end(s, FAKE_OK);
    assert_true(readable(fd));
    atls_ticket_free(a);
    atls_ticket_free(b);
    stand_close(s);
}

static void test_no_fd_left(void **state)
{
    (void)state;
    stand *s;
    struct rlimit limit;
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    const size_t before = count_fds();
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_int_equal(atls_ticket_fd(t), -1);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(count_fds(), before);
    assert_true(atls_ticket_fd(t) >= 0); /* another time, perhaps */
    stand_begun(s, 1);
    stand_end(s, FAKE_OK);
    assert_int_equal(look(t), ATLS_TICKET_READY);
    atls_ticket_free(t);
    stand_close(s);
}

/* ---- waiting ------------------------------------------------------------------------------------------------------- */

static void *end_later(void *arg)
{
    stand *s = arg;
    fake_sleep_us(30000);
    stand_let_go(s);
    return NULL;
}

static void test_wait(void **state)
{
    (void)state;
    stand *s;
    pthread_t later;
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    int64_t from = now_ms();
    atls_ticket_wait(t, 0);
    assert_true(now_ms() - from < 5000);
    from = now_ms();
    atls_ticket_wait(t, 50);
    assert_true(now_ms() - from >= 49);
    assert_int_equal(look(t), ATLS_TICKET_WAITING);
    assert_int_equal(pthread_create(&later, NULL, end_later, s), 0);
    from = now_ms();
    atls_ticket_wait(t, UINT32_MAX); /* 49 days; the quote ends before */
    assert_int_equal(look(t), ATLS_TICKET_READY);
    atls_ticket_wait(t, UINT32_MAX); /* not a moment */
    assert_true(now_ms() - from < FAKE_PATIENCE_S * 1000);
    assert_int_equal(pthread_join(later, NULL), 0);
    atls_ticket_free(t);
    stand_close(s);
}

/* ---- who outlives whom ----------------------------------------------------------------------------------------------- */

/* Evidence is there once, and stays for whoever is left. */
static void test_shared_evidence(void **state)
{
    (void)state;
    stand *s;
    atls_ticket *t[4];
    const atls_attested *got[4];
    uint8_t value[64];
    s = stand_open(&plain, 0);
    t[0] = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    for (unsigned i = 1; i < 4; i++) {
        t[i] = stand_ask(s, ATLS_TICKET_LEAF, i);
    }
    stand_end(s, FAKE_OK);
    stand_begun(s, 2);
    stand_end(s, FAKE_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(atls_ticket_poll(t[i], &got[i], &s->err), ATLS_TICKET_READY);
    }
    const uint8_t *quote = got[1]->evidence.quote.ptr;
    assert_true(got[0]->evidence.quote.ptr != quote);
    for (unsigned i = 1; i < 4; i++) {
        assert_true(got[i]->evidence.quote.ptr == quote);
        fake_value(i, value);
        assert_true(stand_answer_holds(s, ATLS_TICKET_LEAF, value, got[i]));
        atls_ticket_free(t[i]);
    }
    fake_value(0, value);
    assert_true(stand_answer_holds(s, ATLS_TICKET_LEAF, value, got[0]));
    atls_ticket_free(t[0]);
    stand_close(s);
}

static void test_free_nothing(void **state)
{
    (void)state;
    atls_attester_free(NULL);
    atls_ticket_free(NULL);
}

static void test_free_idle(void **state)
{
    (void)state;
    stand *s;
    s = stand_open(&plain, 0);
    stand_close(s);
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    stand_end(s, FAKE_OK);
    atls_ticket_free(t);
    stand_close(s);
}

/* The end of an attester waits for the quote in the making, answers it, and fails those who wait. */
static void test_free_busy(void **state)
{
    (void)state;
    stand *s;
    pthread_t later;
    uint8_t value[64];
    const atls_attested *got;
    atls_error err = {0};
    s = stand_open(&plain, 0);
    atls_ticket *made = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    atls_ticket *left = stand_ask(s, ATLS_TICKET_LEAF, 1);
    atls_ticket *other = stand_ask(s, ATLS_TICKET_REPORT_DATA, 2);
    const int fd = atls_ticket_fd(left);
    assert_int_equal(pthread_create(&later, NULL, end_later, s), 0);
    atls_attester_free(s->a);
    assert_int_equal(pthread_join(later, NULL), 0);
    s->a = NULL;
    assert_int_equal(s->f.n_begun, 1);
    fake_value(0, value);
    assert_int_equal(atls_ticket_poll(made, &got, &err), ATLS_TICKET_READY);
    assert_true(stand_answer_holds(s, ATLS_TICKET_LEAF, value, got));
    assert_int_equal(atls_ticket_poll(left, &got, &err), ATLS_TICKET_FAILED);
    assert_null(got);
    assert_int_equal(err.code, ATLS_E_INTERNAL);
    assert_string_equal(err.message, "the attester was closed");
    assert_int_equal(look(other), ATLS_TICKET_FAILED);
    assert_true(readable(fd));
    atls_ticket_wait(left, UINT32_MAX);
    assert_true(readable(atls_ticket_fd(other)));
    atls_ticket_free(left);
    atls_ticket_free(made);
    atls_ticket_free(other);
    stand_close(s);
}

/* The session of the quote in the making goes, then the attester: nobody is left to answer. */
static void test_free_abandoned(void **state)
{
    (void)state;
    stand *s;
    pthread_t later;
    s = stand_open(&plain, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    atls_ticket_free(t);
    assert_int_equal(pthread_create(&later, NULL, end_later, s), 0);
    atls_attester_free(s->a);
    assert_int_equal(pthread_join(later, NULL), 0);
    s->a = NULL;
    stand_close(s);
}

/* ---- limits, signals ----------------------------------------------------------------------------------------------- */

static void test_no_memory(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip();
    }
    stand *s;
    atls_error err = {0};
    const atls_attested *got;
    s = stand_open(&(atls_attester_options){.arena_size = PTRDIFF_MAX / 2}, 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    atls_ticket_wait(t, FAKE_PATIENCE_S * 1000);
    assert_int_equal(atls_ticket_poll(t, &got, &err), ATLS_TICKET_FAILED);
    assert_int_equal(err.code, ATLS_E_MEMORY);
    const atls_attester_counts counts = atls_attester_count(s->a);
    assert_int_equal(counts.quotes, 0);
    assert_int_equal(counts.failed, 1);
    assert_int_equal(s->f.n_begun, 0);
    atls_ticket_free(t);
    stand_close(s);
}

static void test_no_such_kind(void **state)
{
    (void)state;
    stand *s;
    s = stand_open(&plain, 0);
    assert_null(stand_ask(s, (atls_ticket_kind)3, 0));
    assert_int_equal(s->err.code, ATLS_E_INTERNAL);
    stand_close(s);
}

/* The default limit, full: one quote answers all, and the evidence's room is not touched by their number. */
static void test_full(void **state)
{
    (void)state;
    enum { N = 4096 };
    static atls_ticket *t[N];
    stand *s;
    s = stand_open(&(atls_attester_options){.arena_size = 70}, 0);
    atls_ticket *first = stand_ask(s, ATLS_TICKET_LEAF, N);
    stand_begun(s, 1);
    for (unsigned i = 0; i < N; i++) {
        t[i] = stand_ask(s, ATLS_TICKET_LEAF, i);
        assert_non_null(t[i]);
    }
    assert_null(stand_ask(s, ATLS_TICKET_LEAF, N + 1));
    assert_int_equal(s->err.code, ATLS_E_LIMIT);
    assert_int_equal(atls_attester_count(s->a).waiting, N);
    stand_end(s, FAKE_OK);
    stand_begun(s, 2);
    stand_end(s, FAKE_OK);
    assert_int_equal(atls_attester_count(s->a).answered, N + 1);
    for (unsigned i = 0; i < N; i++) {
        const atls_attested *got;
        uint8_t value[64];
        fake_value(i, value);
        assert_int_equal(atls_ticket_poll(t[i], &got, &s->err), ATLS_TICKET_READY);
        assert_true(stand_answer_holds(s, ATLS_TICKET_LEAF, value, got));
        assert_int_equal(got->path.index, i);
        assert_int_equal(got->path.size, N);
        atls_ticket_free(t[i]);
    }
    atls_ticket_free(first);
    stand_close(s);
}

/* The largest tree, and one leaf more, which is then alone. */
static void test_largest(void **state)
{
    (void)state;
    static atls_ticket *t[ATLS_TREE_MAX_SIZE + 1];
    stand *s;
    const atls_attested *got;
    uint8_t value[64];
    if (getenv("ATLS_TEST_QUICK") != NULL) {
        skip();
    }
    s = stand_open(&(atls_attester_options){.max_waiting = ATLS_TREE_MAX_SIZE + 1}, 0);
    atls_ticket *first = stand_ask(s, ATLS_TICKET_REPORT_DATA, 0);
    stand_begun(s, 1);
    for (unsigned i = 0; i <= ATLS_TREE_MAX_SIZE; i++) {
        t[i] = stand_ask(s, ATLS_TICKET_LEAF, i);
        assert_non_null(t[i]);
    }
    stand_end(s, FAKE_OK);
    stand_begun(s, 2);
    stand_end(s, FAKE_OK);
    for (unsigned i = 0; i < ATLS_TREE_MAX_SIZE; i += 4369) { /* 16 of them, the last one too */
        fake_value(i, value);
        assert_int_equal(atls_ticket_poll(t[i], &got, &s->err), ATLS_TICKET_READY);
        assert_int_equal(got->path.size, ATLS_TREE_MAX_SIZE);
        assert_true(stand_answer_holds(s, ATLS_TICKET_LEAF, value, got));
    }
    stand_begun(s, 3);
    stand_end(s, FAKE_OK);
    assert_int_equal(atls_ticket_poll(t[ATLS_TREE_MAX_SIZE], &got, &s->err), ATLS_TICKET_READY);
    assert_int_equal(got->path.size, 1);
    for (unsigned i = 0; i <= ATLS_TREE_MAX_SIZE; i++) {
        atls_ticket_free(t[i]);
    }
    atls_ticket_free(first);
    stand_close(s);
}

static void test_signals(void **state)
{
    (void)state;
    static const int programs[] = {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGCHLD, SIGPIPE, SIGUSR1, SIGUSR2};
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    stand *s;
    sigset_t mine;
    s = stand_open(&plain, 0);
    assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &mine), 0);
    atls_ticket *t = stand_ask(s, ATLS_TICKET_LEAF, 0);
    stand_begun(s, 1);
    stand_end(s, FAKE_OK);
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        assert_int_equal(sigismember(&s->f.blocked, programs[i]), 1);
        assert_int_equal(sigismember(&mine, programs[i]), 0); /* the maker's own mask is as before */
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        assert_int_equal(sigismember(&s->f.blocked, faults[i]), 0);
    }
    atls_ticket_free(t);
    stand_close(s);
}

/* ---- many threads -------------------------------------------------------------------------------------------------- */

#define N_WORKERS 8
#define N_ROUNDS  300
#define N_HELD    4

typedef struct worker {
    stand *s;
    pthread_t id;
    uint64_t random;
    unsigned name;
    unsigned n_refused;
    unsigned n_asked;
    unsigned n_answered;
    unsigned n_failed;
    unsigned n_wrong; /* an answer that is not this request's */
} worker;

typedef struct held {
    atls_ticket *ticket;
    atls_ticket_kind kind;
    uint8_t value[64];
} held;

static void check_held(worker *w, const held *h)
{
    atls_error err = {0};
    const atls_attested *got;
    switch (atls_ticket_poll(h->ticket, &got, &err)) {
    case ATLS_TICKET_READY:
        w->n_answered++;
        w->n_wrong += stand_answer_holds(w->s, h->kind, h->value, got) ? 0 : 1;
        break;
    case ATLS_TICKET_FAILED:
        w->n_failed++;
        w->n_wrong += err.code == ATLS_E_TIMEOUT ? 0 : 1;
        break;
    case ATLS_TICKET_WAITING:
        break;
    }
}

static void ask(worker *w, held *h, unsigned i)
{
    atls_error err = {0};
    h->kind = fake_random(&w->random) % 4 == 0 ? ATLS_TICKET_REPORT_DATA : ATLS_TICKET_LEAF;
    fake_value(w->name * 1000000 + i, h->value);
    w->n_asked++;
    if (!atls_ticket_new(w->s->a, h->kind, h->value, &h->ticket, &err)) {
        w->n_refused++;
        w->n_wrong += err.code == ATLS_E_LIMIT && h->ticket == NULL ? 0 : 1;
    }
}

/* Waits in one way or another, or not at all. */
static void wait_somehow(worker *w, const held *h)
{
    const uint64_t r = fake_random(&w->random);
    struct pollfd p = {.fd = -1, .events = POLLIN};
    switch (r % 6) {
    case 0:
        break;
    case 1:
        fake_sleep_us((unsigned)(r >> 32) % 400);
        break;
    case 2:
        atls_ticket_wait(h->ticket, (uint32_t)(r >> 32) % 2);
        break;
    case 3:
        p.fd = atls_ticket_fd(h->ticket);
        (void)poll(&p, 1, (int)(r >> 32) % 2);
        break;
    case 4:
        p.fd = atls_ticket_fd(h->ticket);
        w->n_wrong += p.fd >= 0 && poll(&p, 1, FAKE_PATIENCE_S * 1000) == 1 ? 0 : 1;
        break;
    default:
        atls_ticket_wait(h->ticket, FAKE_PATIENCE_S * 1000);
        break;
    }
}

static void *hammer(void *arg)
{
    worker *w = arg;
    held all[N_HELD] = {{0}};
    for (unsigned i = 0; i < N_ROUNDS; i++) {
        held *h = &all[fake_random(&w->random) % N_HELD];
        if (h->ticket == NULL) {
            ask(w, h, i);
            continue;
        }
        wait_somehow(w, h);
        check_held(w, h);
        atls_ticket_free(h->ticket);
        h->ticket = NULL;
    }
    for (size_t k = 0; k < N_HELD; k++) {
        atls_ticket_free(all[k].ticket);
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    worker workers[N_WORKERS];
    worker all = {.n_asked = 0};
    stand *s;
    s = stand_open(&(atls_attester_options){.max_waiting = 16, .max_batch = 12, .arena_size = 4096},
                   0x9e3779b97f4a7c15u);
    for (unsigned i = 0; i < N_WORKERS; i++) {
        workers[i] = (worker){.s = s, .random = 0x2545f4914f6cdd1du + i, .name = i};
        assert_int_equal(pthread_create(&workers[i].id, NULL, hammer, &workers[i]), 0);
    }
    for (unsigned i = 0; i < N_WORKERS; i++) {
        assert_int_equal(pthread_join(workers[i].id, NULL), 0);
        assert_int_equal(workers[i].n_wrong, 0);
        all.n_asked += workers[i].n_asked;
        all.n_refused += workers[i].n_refused;
        all.n_answered += workers[i].n_answered;
        all.n_failed += workers[i].n_failed;
    }
    const atls_attester_counts counts = atls_attester_count(s->a);
    assert_int_equal(counts.waiting, 0);
    assert_int_equal(counts.refused, all.n_refused);
    assert_true(all.n_answered > 0 && all.n_failed > 0 && counts.dropped > 0);
    assert_true(counts.answered >= all.n_answered);
    assert_true(counts.refused + counts.dropped + counts.answered + all.n_failed <= all.n_asked);
    assert_true(counts.quotes > 0 && counts.failed > 0);
    atls_attester_free(s->a); /* ends a quote that may still be in the making */
    s->a = NULL;
    stand_close(s);
}

int main(void)
{
    static const fake_end ends[] = {FAKE_OK, FAKE_REFUSES};
    tap_list l = {0};
    tap_add(&l, "the descriptor becomes readable: ready", test_fd, &ends[0]);
    tap_add(&l, "the descriptor becomes readable: failed", test_fd, &ends[1]);
    tap_add(&l, "made late it is readable at once: ready", test_fd_of_a_settled_ticket, &ends[0]);
    tap_add(&l, "made late it is readable at once: failed", test_fd_of_a_settled_ticket, &ends[1]);
    tap_add(&l, "another's answer does not make it readable", test_fd_of_another_ticket, NULL);
    tap_add(&l, "no descriptor to be had", test_no_fd_left, NULL);
    tap_add(&l, "waiting ends in time, or when the quote does", test_wait, NULL);
    tap_add(&l, "evidence is shared and stays for who is left", test_shared_evidence, NULL);
    tap_add(&l, "nothing is freed", test_free_nothing, NULL);
    tap_add(&l, "an idle attester is freed", test_free_idle, NULL);
    tap_add(&l, "an attester is freed while it makes a quote and others wait", test_free_busy, NULL);
    tap_add(&l, "an attester is freed whose quote nobody wants", test_free_abandoned, NULL);
    tap_add(&l, "no memory for evidence", test_no_memory, NULL);
    tap_add(&l, "a kind that does not exist", test_no_such_kind, NULL);
    tap_add(&l, "4096 sessions under one quote, and not one more", test_full, NULL);
    tap_add(&l, "65536 sessions under one quote, and one more under the next", test_largest, NULL);
    tap_add(&l, "the program's signals do not land in the thread", test_signals, NULL);
    tap_add(&l, "eight threads ask, wait and go away", test_threads, NULL);
    return tap_run("tickets", &l);
}
