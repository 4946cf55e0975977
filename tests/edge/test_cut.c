/* SPDX-License-Identifier: Apache-2.0 */
/* test_cut.c: a line between an honest client and an honest server, over TCP, that stops, ends, is reset or drips after so many
 * bytes of one direction: at every step of every profile, at both ends. Whoever is left without a session says so in time, with a
 * code that names the line and nothing else; no byte of an application passes; no descriptor stays (net_close counts). */
#include "net.h"
#include "sample.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define STALL_MS  200u
#define DRIP_MS   400u
#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"

/* ---- the line ------------------------------------------------------------------------------------------------------------ */

typedef enum line_event { HOLDS, STALLS, ENDS, RESETS, DRIPS } line_event;
typedef enum line_way { TO_SERVER, TO_CLIENT } line_way;

typedef struct line {
    line_event how;
    line_way way; /* whose bytes are counted */
    size_t after; /* so many of them pass */
    atomic_size_t passed[2];
    int listener;
    int ends[2]; /* to the server, to the client */
    char port[8];
    const net *n;
    pthread_t thread;
} line;

static struct sockaddr_in loopback(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

static void reset(int fd)
{
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), 0);
    assert_int_equal(close(fd), 0);
}

/* What happens once enough has passed; false: the line is no more. */
static bool cut(line *l)
{
    if (l->how == ENDS) {
        (void)shutdown(l->ends[l->way], SHUT_WR); /* half open: the other direction goes on */
    }
    if (l->how != RESETS) {
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        reset(l->ends[i]);
        l->ends[i] = -1;
    }
    return false;
}

static size_t room(const line *l, line_way w, size_t size)
{
    const bool is_cut = l->how != HOLDS && l->how != DRIPS && atomic_load(&l->passed[l->way]) >= l->after;
    if (is_cut && (l->how == STALLS || w == l->way)) {
        return 0;
    }
    if (l->how == DRIPS) {
        return 1;
    }
    const size_t left = l->after - atomic_load(&l->passed[w]);
    return w == l->way && l->how != HOLDS && left < size ? left : size;
}

/* Carries what has come for one end; false: nothing more will. Behind the cut it is read and dropped. */
static bool carry(line *l, line_way w, bool *goes_on)
{
    uint8_t buf[4096];
    const size_t some = room(l, w, sizeof buf);
    const ssize_t n = read(l->ends[1 - w], buf, some == 0 ? sizeof buf : some);
    if (n <= 0) {
        if (l->how != STALLS && l->how != DRIPS) { /* there each end is to find out by itself */
            (void)shutdown(l->ends[w], SHUT_WR);
        }
        return false;
    }
    if (some == 0) {
        return true;
    }
    (void)send(l->ends[w], buf, (size_t)n, MSG_NOSIGNAL);
    const size_t passed = atomic_fetch_add(&l->passed[w], (size_t)n) + (size_t)n;
    if (l->how == DRIPS) {
        rig_nap(5);
    } else if (l->how != HOLDS && w == l->way && passed == l->after) {
        *goes_on = cut(l);
    }
    return true;
}

static void *carry_all(void *arg)
{
    line *l = arg;
    bool open[2] = {true, true};
    bool goes_on = true;
    const struct sockaddr_in to = loopback(l->n->port);
    const int on = 1;
    l->ends[TO_CLIENT] = accept(l->listener, NULL, NULL);
    l->ends[TO_SERVER] = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(l->ends[TO_SERVER], (const struct sockaddr *)&to, sizeof to) != 0) {
        return NULL;
    }
    (void)setsockopt(l->ends[TO_CLIENT], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    (void)setsockopt(l->ends[TO_SERVER], IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    while (goes_on && (open[TO_SERVER] || open[TO_CLIENT])) {
        struct pollfd p[2] = {{.fd = open[TO_SERVER] ? l->ends[TO_CLIENT] : -1, .events = POLLIN},
                              {.fd = open[TO_CLIENT] ? l->ends[TO_SERVER] : -1, .events = POLLIN}};
        (void)poll(p, 2, -1);
        for (line_way w = TO_SERVER; goes_on && w <= TO_CLIENT; w++) {
            open[w] = p[w].revents == 0 ? open[w] : carry(l, w, &goes_on);
        }
    }
    return NULL;
}

static void line_open(line *l, const net *n)
{
    struct sockaddr_in at = loopback("0");
    socklen_t len = sizeof at;
    l->n = n;
    l->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(l->listener, (const struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(l->listener, 1), 0);
    assert_int_equal(getsockname(l->listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(l->port, sizeof l->port, "%u", (unsigned)ntohs(at.sin_port));
    assert_int_equal(pthread_create(&l->thread, NULL, carry_all, l), 0);
}

/* The ends are gone, or never will be by themselves. */
static void line_close(line *l)
{
    if (l->how != RESETS) {
        for (size_t i = 0; i < 2; i++) {
            (void)shutdown(l->ends[i], SHUT_RDWR);
        }
    }
    assert_int_equal(pthread_join(l->thread, NULL), 0);
    for (size_t i = 0; i < 2; i++) {
        if (l->ends[i] >= 0) {
            assert_int_equal(close(l->ends[i]), 0);
        }
    }
    assert_int_equal(close(l->listener), 0);
}

/* ---- two honest ends ------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    unsigned profile;
    bool is_mutual;
} row;

static const row rows[] = {
    {"atls/1", ATLS_PROFILE_NATIVE, false},
    {"atls/1, both prove", ATLS_PROFILE_NATIVE, true},
    {"dstack", ATLS_PROFILE_DSTACK, false},
    {"constellation", ATLS_PROFILE_CONSTELLATION, false},
    {"constellation, both prove", ATLS_PROFILE_CONSTELLATION, true},
};

static void set_up(net *n, const row *w)
{
    net_open(n, NULL);
    n->client.profiles = w->profile;
    n->server.profiles = w->profile;
    n->server.now = sim_now(n->rig.sim);
    if (w->profile == ATLS_PROFILE_CONSTELLATION) {
        net_policy(n, "tdx", KEY_FRESH);
        n->client.identity = ATLS_IDENTITY_ATTESTED_ONLY;
        n->client.ca_file = NULL;
        n->server.certificate_file = NULL;
        n->server.private_key_file = NULL;
    } else if (w->is_mutual) { /* a client without a certificate */
        net_policy(n, "dstack_tdx", "\"attested_only\":true,");
    }
    if (w->is_mutual) {
        n->client.attest = sim_attest;
        n->client.attest_ctx = n->endorser;
        n->server.verifier = n->rig.verifier;
        n->server.endorse = sim_endorse;
        n->server.endorse_ctx = n->rig.sim;
    }
}

/* One meeting over such a line, as far as it gets; gives the milliseconds that it took. */
static int64_t meet(net *n, line *l)
{
    const int64_t begun = net_ms();
    n->serve = net_accept;
    net_start(n);
    line_open(l, n);
    n->connected =
        atls_connect("127.0.0.1", l->port, &n->client, &n->arena, &n->client_session, &n->result, &n->client_err);
    net_join(n);
    return net_ms() - begun;
}

/* How many bytes each direction needs. */
static void measure(const row *w, size_t needed[2])
{
    net n;
    line l = {.how = HOLDS};
    set_up(&n, w);
    (void)meet(&n, &l);
    assert_true(n.connected);
    assert_true(n.accepted);
    needed[TO_SERVER] = atomic_load(&l.passed[TO_SERVER]);
    needed[TO_CLIENT] = atomic_load(&l.passed[TO_CLIENT]);
    line_close(&l);
    net_close(&n);
}

/* ---- what must hold ---------------------------------------------------------------------------------------------------------- */

static void expect_nothing_said(atls_session *s)
{
    uint8_t byte = 0;
    size_t n = 1;
    atls_error err = {0};
    (void)!atls_session_read(s, &byte, 1, &n, &err);
    assert_int_equal(n, 0);
}

static void expect_end(const line *l, bool established, const atls_error *err, atls_session *s)
{
    if (established) {
        expect_nothing_said(s);
        return;
    }
    const bool is_late = err->code == ATLS_E_TIMEOUT;
    const bool is_cut = err->code == ATLS_E_IO || err->code == ATLS_E_TLS_HANDSHAKE || err->code == ATLS_E_PEER_REFUSED;
    if (!(l->how == STALLS || l->how == DRIPS ? is_late : is_cut) || err->field[0] == '\0') {
        char text[512];
        (void)atls_error_line(err, text, sizeof text);
        fail_msg("%s after %zu bytes to the %s: %s",
                 l->how == STALLS  ? "stalls"
                 : l->how == DRIPS ? "drips"
                 : l->how == ENDS  ? "ends"
                                   : "is reset",
                 l->after, l->way == TO_SERVER ? "server" : "client", text);
    }
}

static void try(const row *w, line_event how, line_way way, size_t after)
{
    net n;
    line l = {.how = how, .way = way, .after = after};
    set_up(&n, w);
    if (how == STALLS) {
        n.client.timeout_ms = n.server.timeout_ms = STALL_MS * rig_patience();
    }
    assert_true(meet(&n, &l) < 10000); /* long before which they end, unless the line has stopped */
    assert_false(way == TO_SERVER ? n.accepted : n.connected); /* who misses something has no session */
    expect_end(&l, n.connected, &n.client_err, n.client_session);
    expect_end(&l, n.accepted, &n.server_err, n.server_session);
    line_close(&l);
    net_close(&n);
}

/* From the first byte to the one before the last. */
static void test_cuts(void **state)
{
    const row *w = *state;
    const bool is_slow = rig_patience() > 1;
    const size_t n_cuts = is_slow ? 2 : SAMPLE(6, 3);
    const size_t n_stalls = is_slow ? 1 : SAMPLE(2, 1);
    size_t needed[2];
    measure(w, needed);
    for (line_way way = TO_SERVER; way <= TO_CLIENT; way++) {
        const size_t last = needed[way] - 16; /* signatures differ by some bytes in length */
        for (size_t i = 0; i <= n_cuts; i++) {
            try(w, ENDS, way, 1 + last * i / n_cuts);
            try(w, RESETS, way, 1 + last * i / n_cuts);
        }
        for (size_t i = 0; i <= n_stalls; i++) {
            try(w, STALLS, way, 1 + last * i / n_stalls);
        }
    }
}

static void test_drips(void **state)
{
    const row *w = *state;
    net n;
    line l = {.how = DRIPS};
    set_up(&n, w);
    n.client.timeout_ms = n.server.timeout_ms = DRIP_MS * rig_patience();
    assert_true(meet(&n, &l) < 10 * DRIP_MS * rig_patience());
    assert_false(n.connected);
    assert_false(n.accepted);
    expect_end(&l, n.connected, &n.client_err, n.client_session);
    expect_end(&l, n.accepted, &n.server_err, n.server_session);
    line_close(&l);
    net_close(&n);
}

int main(void)
{
    static char names[2 * sizeof rows / sizeof rows[0]][64];
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        (void)snprintf(names[2 * i], sizeof names[0], "%s: cut at every step", rows[i].name);
        (void)snprintf(names[2 * i + 1], sizeof names[0], "%s: a byte now and then", rows[i].name);
        tap_add(&l, names[2 * i], test_cuts, &rows[i]);
        tap_add(&l, names[2 * i + 1], test_drips, &rows[i]);
    }
    return tap_run("cut", &l);
}
