/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_limits.c: each limit of the service, and clients that are slow, rude or many. Every one of them ends with an honest phone
 * that enrols. */
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "site.h"

#define H    "Host: h\r\n"
#define T    "Content-Type: application/octet-stream\r\n"
#define FREE "\"challenge_per_minute\": 0, \"attest_per_minute\": 0"

static void pause_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}

static uint64_t tick_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)(t.tv_nsec / 1000000);
}

/* ---- slow ---- */

static const struct slow_row {
    const char *name;
    const char *first; /* at once */
    char drip;         /* then this, every 20 ms; 0: nothing */
    unsigned status;   /* 0: the connection ends without a word */
} slow_rows[] = {
    {"a client that says nothing", "", 0, 0},
    {"half a head, and silence", "GET /", 0, 408},
    {"a head in drops", "GET " SITE_CHALLENGE " HTTP/1.1\r\nX: ", 'x', 408},
    {"half a body, and silence", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 100\r\n\r\nabc", 0, 408},
    {"a body in drops", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 10000\r\n\r\n", 'x', 408},
    {"chunks in drops", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Transfer-Encoding: chunked\r\n\r\nffff\r\n", 'x', 408},
    {"a size of a chunk that never ends", "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Transfer-Encoding: chunked\r\n\r\n1",
     0, 408},
};

static const char quick[] =
    FREE ", \"head_timeout_ms\": 300, \"body_timeout_ms\": 400, \"idle_timeout_ms\": 300, \"write_timeout_ms\": 300";

static void slow_clients_are_cut(void **state)
{
    const struct slow_row *row = *state;
    site s;
    client_response r = {.status = 0};
    site_open(&s, "", NULL, quick);
    const int fd = client_open(s.port, 1);
    const uint64_t begun = tick_ms();
    assert_true(client_say(fd, row->first));
    while (row->drip != 0 && client_send(fd, &row->drip, 1) && recv(fd, r.head, 1, MSG_PEEK | MSG_DONTWAIT) < 0
           && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        pause_ms(20);
    }
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, row->status);
    assert_true(row->status != 0 || r.was_cut);
    assert_true(tick_ms() - begun < 20000);
    assert_true(client_is_closed(fd, 3000));
    (void)close(fd);
    site_flow(&s, false);
    site_end(&s);
}

/* Pipelined requests fill the way back of a client that does not read: it is closed, and nothing grows meanwhile. */
static void a_client_that_does_not_read(void **state)
{
    site s;
    (void)state;
    site_open(&s, "", NULL,
              FREE ", \"write_timeout_ms\": 300, \"requests_per_connection\": 1000000, \"idle_timeout_ms\": 600000");
    const int fd = client_open_narrow(s.port, 1, 2048);
    for (unsigned i = 0; i < 500000 && client_send_get(fd, "/nowhere"); i++) {
    }
    site_flow(&s, false);
    assert_true(site_wait_metric(&s, "timeouts_total", 1));
    (void)close(fd);
    site_end(&s);
}

/* ---- rude ---- */

static void pipelined_requests_are_answered_in_order(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, NULL);
    const int fd = client_open(s.port, 1);
    assert_true(client_say(fd, "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "\r\n"
                               "GET /nowhere HTTP/1.1\r\n" H "\r\n"
                               "POST " SITE_ATTEST " HTTP/1.1\r\n" H T
                               "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"
                               "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "Connection: close\r\n\r\n"
                               "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "\r\n"));
    static const unsigned wanted[] = {200, 404, 200, 200};
    for (size_t i = 0; i < 4; i++) {
        client_read(fd, &s.arena, &r);
        assert_int_equal(r.status, wanted[i]);
    }
    assert_true(client_is_closed(fd, 5000)); /* what follows Connection: close is not looked at */
    (void)close(fd);
    assert_true(site_metric(&s, "challenges_total") == 2);
    site_end(&s);
}

static void chunked_bodies_enrol(void **state)
{
    site s;
    client_response r;
    atls_bytes csr;
    char size[16];
    (void)state;
    site_open(&s, "", NULL, NULL);
    assert_true(phones_request(&s.phones, false, site_nonce(&s), NULL, &s.arena, &csr, &s.err));
    const int fd = client_open(s.port, 1);
    assert_true(client_say(fd, "POST " SITE_ATTEST " HTTP/1.1\r\n" H T
                               "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (size_t at = 0; at < csr.len; at += 100) {
        const size_t n = csr.len - at < 100 ? csr.len - at : 100;
        (void)snprintf(size, sizeof size, "%zx\r\n", n);
        assert_true(client_say(fd, size) && client_send(fd, csr.ptr + at, n) && client_say(fd, "\r\n"));
    }
    assert_true(client_say(fd, "0\r\n\r\n"));
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(atls_text_copy(r.body, &s.arena, &s.err), "\"Success\""));
    (void)close(fd);
    site_end(&s);
}

static void a_client_that_has_said_all_is_answered(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, NULL);
    const int fd = client_open(s.port, 1);
    assert_true(client_send_get(fd, SITE_CHALLENGE));
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 200);
    assert_true(client_is_closed(fd, 5000));
    (void)close(fd);
    site_end(&s);
}

static void wait_until_nobody_is_there(site *s)
{
    for (unsigned i = 0; i < 500 && site_metric(s, "connections_open") > 0; i++) {
        pause_ms(20);
    }
    assert_true(site_metric(s, "connections_open") == 0);
}

static void clients_that_reset(void **state)
{
    static const char *const said[] = {"", "GET ", "GET " SITE_CHALLENGE " HTTP/1.1\r\n" H "\r\n",
                                       "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 10\r\n\r\nabc",
                                       "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 3\r\n\r\nabc"};
    site s;
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)state;
    site_open(&s, "", NULL, NULL);
    for (unsigned i = 0; i < 200; i++) {
        const int fd = client_open(s.port, 1);
        (void)client_say(fd, said[i % 5]);
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        (void)close(fd);
    }
    site_flow(&s, false);
    wait_until_nobody_is_there(&s);
    site_end(&s);
}

static void garbage_is_survived(void **state)
{
    site s;
    uint32_t x = 1;
    uint8_t noise[700];
    (void)state;
    site_open(&s, "", NULL, quick);
    for (unsigned i = 0; i < 300; i++) {
        for (size_t k = 0; k < sizeof noise; k++) {
            x = x * 1664525u + 1013904223u;
            noise[k] = (uint8_t)(x >> 24);
        }
        const int fd = client_open(s.port, 1);
        (void)client_send(fd, noise, sizeof noise - i);
        (void)client_say(fd, "\r\n\r\n");
        (void)close(fd);
    }
    wait_until_nobody_is_there(&s); /* they are all of the phone's address, and may be as many as one may have */
    site_flow(&s, true);
    site_end(&s);
}

/* ---- many ---- */

static void rates_of_addresses(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL,
              "\"challenge_per_minute\": 6, \"challenge_burst\": 3, \"attest_per_minute\": 6, \"attest_burst\": 2");
    for (unsigned i = 0; i < 3; i++) {
        client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
        assert_int_equal(r.status, 200);
    }
    client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 429);
    assert_true(client_has(&r, "Retry-After: 10") || client_has(&r, "Retry-After: 11"));
    for (unsigned i = 0; i < 2; i++) {
        client_post(s.port, SITE_ATTEST, atls_bytes_str("x"), &s.arena, &r);
        assert_int_equal(r.status, 200);
    }
    client_post(s.port, SITE_ATTEST, atls_bytes_str("x"), &s.arena, &r);
    assert_int_equal(r.status, 429);
    const int fd = client_open(s.port, 2); /* another address is not concerned */
    assert_true(client_send_get(fd, SITE_CHALLENGE));
    client_read(fd, &s.arena, &r);
    assert_int_equal(r.status, 200);
    (void)close(fd);
    assert_true(site_metric(&s, "refused_rate_total") == 2);
    site_end(&s);
}

static void outstanding_challenges_are_bounded(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, FREE ", \"challenges\": 5");
    const atls_bytes nonce = site_nonce(&s);
    for (unsigned i = 0; i < 4; i++) {
        (void)site_nonce(&s);
    }
    client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 503);
    assert_true(client_has(&r, "Retry-After: 5"));
    assert_true(site_enrol(&s, false, nonce, NULL).is_success); /* who has one can use it, and makes room */
    pause_ms(2200);
    (void)site_nonce(&s);
    site_end(&s);
}

/* ---- workers that are held ---- */

typedef struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool is_open;
    atomic_uint n_waiting;
} gate;

static bool wait_at_gate(void *ctx, const atls_enrol_failure *failure, char *text, size_t size)
{
    gate *g = ctx;
    (void)failure;
    (void)text;
    (void)size;
    (void)pthread_mutex_lock(&g->lock);
    atomic_fetch_add(&g->n_waiting, 1);
    while (!g->is_open) {
        (void)pthread_cond_wait(&g->opened, &g->lock);
    }
    (void)pthread_mutex_unlock(&g->lock);
    return true;
}

static void open_gate(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->is_open = true;
    (void)pthread_cond_broadcast(&g->opened);
    (void)pthread_mutex_unlock(&g->lock);
}

static void the_queue_is_bounded(void **state)
{
    site s;
    client_response r;
    int fds[7];
    gate g = {.lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER};
    const atls_enrol_observers observers = {.ctx = &g, .pre_attestation_error = wait_at_gate};
    (void)state;
    site_folder(&s);
    s.observers = &observers;
    site_config(&s, "\"workers\": 2,", NULL, FREE ", \"queue\": 3, \"connections\": 8");
    site_start(&s);
    /* two at work, three waiting */
    for (unsigned i = 0; i < 5; i++) {
        fds[i] = client_open(s.port, 1);
        assert_true(client_send_post(fds[i], SITE_ATTEST, atls_bytes_str("x")));
        if (i == 1) {
            for (unsigned k = 0; k < 500 && atomic_load(&g.n_waiting) < 2; k++) {
                pause_ms(10);
            }
        }
    }
    assert_true(site_wait_metric(&s, "queue_depth", 3));
    client_post(s.port, SITE_ATTEST, atls_bytes_str("x"), &s.arena, &r);
    assert_int_equal(r.status, 503);
    assert_true(client_has(&r, "Retry-After: 1"));
    client_get(s.port, SITE_CHALLENGE, &s.arena, &r);
    assert_int_equal(r.status, 503);
    /* Whoever fills all connections cannot push out those whose requests have begun. */
    for (unsigned i = 0; i < 20; i++) {
        const int fd = client_open(s.port, 1);
        (void)client_say(fd, "GET ");
        if (i % 2 == 0) {
            (void)close(fd);
        } else {
            fds[5 + i / 2 % 2] = fd;
        }
    }
    open_gate(&g);
    for (unsigned i = 0; i < 5; i++) {
        client_read(fds[i], &s.arena, &r);
        assert_int_equal(r.status, 200);
        (void)close(fds[i]);
    }
    site_flow(&s, false);
    assert_true(site_metric(&s, "refused_queue_total") == 2);
    site_end(&s);
}

/* ---- bodies ---- */

static void bodies_together_are_bounded(void **state)
{
    site s;
    enum { N = 12 };
    int fds[N];
    uint8_t half[100000];
    (void)state;
    memset(half, 'x', sizeof half);
    site_open(&s, "", NULL, FREE ", \"bodies_len\": 1048576");
    for (unsigned i = 0; i < N; i++) { /* 128 KiB of room each: eight fit */
        fds[i] = client_open(s.port, 1);
        assert_true(client_say(fds[i], "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 200000\r\n\r\n"));
        assert_true(client_send(fds[i], half, sizeof half));
        pause_ms(30);
    }
    assert_true(site_wait_metric(&s, "connections_evicted_total", 4));
    assert_true(client_is_closed(fds[0], 2000));
    assert_false(client_is_closed(fds[N - 1], 50));
    site_flow(&s, false);
    for (unsigned i = 0; i < N; i++) {
        (void)close(fds[i]);
    }
    site_end(&s);
}

/* ---- connections ---- */

static long rss_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f != NULL) {
        if (fscanf(f, "%*s %ld", &pages) != 1) {
            pages = 0;
        }
        (void)fclose(f);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* As many as this process may have: both ends of a connection are here. */
static size_t how_many(size_t wanted)
{
    struct rlimit r;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = r.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &r);
    const size_t spare = 1200; /* of the service */
    const size_t can = r.rlim_cur > spare + 100 ? (size_t)r.rlim_cur - spare : 100;
    if (can < wanted) {
        print_message("# %zu descriptors are allowed: %zu connections in place of %zu\n", (size_t)r.rlim_cur, can,
                      wanted);
    }
    return can < wanted ? can : wanted;
}

static void ten_thousand_connections(void **state)
{
    site s;
    (void)state;
    const size_t n = how_many(10000);
    int *fds = calloc(n, sizeof *fds);
    assert_non_null(fds);
    site_open(&s, "", NULL,
              FREE ", \"connections\": 256, \"connections_per_address\": 1000, \"idle_timeout_ms\": 600000, "
                   "\"head_timeout_ms\": 600000, \"body_timeout_ms\": 600000");
    site_flow(&s, false);
    const long before = rss_kib();
    static const char *const said[] = {"", "GET /api",
                                       "POST " SITE_ATTEST " HTTP/1.1\r\n" H T "Content-Length: 9\r\n\r\nab"};
    for (size_t i = 0; i < n; i++) {
        fds[i] = client_open(s.port, 1);
        if (fds[i] >= 0) {
            (void)client_say(fds[i], said[i % 3]);
        }
        if (i % (n / 10) == n / 10 - 1) {
            site_flow(&s, i % 2 == 0); /* honest phones, meanwhile */
        }
    }
    assert_true(site_metric(&s, "connections_open") <= 256);
    assert_true(site_metric(&s, "connections_evicted_total") >= (double)(n - 300));
    const long after = rss_kib();
    print_message("# %zu connections, %ld KiB before, %ld KiB after\n", n, before, after);
    assert_true(after - before < 64 * 1024);
    site_flow(&s, true);
    for (size_t i = 0; i < n; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    free(fds);
    site_flow(&s, false);
    site_end(&s);
}

static void connections_of_one_address(void **state)
{
    site s;
    client_response r;
    int fds[6];
    (void)state;
    site_open(&s, "", NULL, FREE ", \"connections_per_address\": 4");
    for (unsigned i = 0; i < 6; i++) {
        fds[i] = client_open(s.port, 2);
        assert_true(fds[i] >= 0);
        pause_ms(20);
    }
    assert_true(client_is_closed(fds[4], 2000) && client_is_closed(fds[5], 2000));
    assert_true(client_send_get(fds[0], SITE_CHALLENGE));
    client_read(fds[0], &s.arena, &r);
    assert_int_equal(r.status, 200);
    site_flow(&s, false); /* from another one */
    assert_true(site_metric(&s, "connections_refused_total") == 2);
    for (unsigned i = 0; i < 6; i++) {
        (void)close(fds[i]);
    }
    site_end(&s);
}

static void requests_of_one_connection(void **state)
{
    site s;
    client_response r;
    (void)state;
    site_open(&s, "", NULL, FREE ", \"requests_per_connection\": 3");
    const int fd = client_open(s.port, 1);
    for (unsigned i = 1; i <= 3; i++) {
        assert_true(client_send_get(fd, SITE_CHALLENGE));
        client_read(fd, &s.arena, &r);
        assert_int_equal(r.status, 200);
        assert_int_equal(client_has(&r, "Connection: close"), i == 3);
    }
    assert_true(client_is_closed(fd, 5000));
    (void)close(fd);
    site_end(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof slow_rows / sizeof slow_rows[0]; i++) {
        tap_add(&l, slow_rows[i].name, slow_clients_are_cut, &slow_rows[i]);
    }
    tap_add(&l, "a client that does not read", a_client_that_does_not_read, NULL);
    tap_add(&l, "pipelined requests", pipelined_requests_are_answered_in_order, NULL);
    tap_add(&l, "a chunked body", chunked_bodies_enrol, NULL);
    tap_add(&l, "a half-closed connection", a_client_that_has_said_all_is_answered, NULL);
    tap_add(&l, "clients that reset", clients_that_reset, NULL);
    tap_add(&l, "garbage", garbage_is_survived, NULL);
    tap_add(&l, "rates of addresses", rates_of_addresses, NULL);
    tap_add(&l, "outstanding challenges", outstanding_challenges_are_bounded, NULL);
    tap_add(&l, "the queue", the_queue_is_bounded, NULL);
    tap_add(&l, "all bodies together", bodies_together_are_bounded, NULL);
    tap_add(&l, "connections of one address", connections_of_one_address, NULL);
    tap_add(&l, "requests of one connection", requests_of_one_connection, NULL);
    tap_add(&l, "ten thousand connections", ten_thousand_connections, NULL);
    return tap_run("http_limits", &l);
}
