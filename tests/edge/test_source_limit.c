/* SPDX-License-Identifier: Apache-2.0 */
/* test_source_limit.c: how often one address may ask for evidence: the bucket, whose it is, the table, many threads, and what a
 * session over it comes to. */
#include "net.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edge/tls/source_limit.h"

/* ---- the object ------------------------------------------------------------------------------------------------------ */

static atls_source_limit *make(uint32_t per_minute, uint32_t burst, uint32_t max_sources)
{
    const atls_source_limit_options o = {.per_minute = per_minute, .burst = burst, .max_sources = max_sources};
    atls_error err = {0};
    atls_source_limit *l = NULL;
    assert_true(atls_source_limit_new(&o, &l, &err));
    return l;
}

static struct sockaddr_storage of(const char *text)
{
    struct sockaddr_storage out = {.ss_family = AF_UNSPEC};
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(4433)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(4433)};
    if (inet_pton(AF_INET, text, &in4.sin_addr) == 1) {
        memcpy(&out, &in4, sizeof in4);
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        memcpy(&out, &in6, sizeof in6);
    }
    return out;
}

static bool take(atls_source_limit *l, const char *text, uint64_t now_ms)
{
    const struct sockaddr_storage sa = of(text);
    const atls_address who = atls_address_of((const struct sockaddr *)&sa);
    atls_error err = {0};
    const bool ok = atls_source_limit_take_at(l, &who, now_ms, &err);
    assert_int_equal(ok, err.code == ATLS_OK);
    if (!ok) {
        assert_int_equal(err.code, ATLS_E_LIMIT);
        assert_string_equal(err.field, "source_limit");
    }
    return ok;
}

static size_t take_all(atls_source_limit *l, const char *text, uint64_t now_ms)
{
    size_t n = 0;
    while (take(l, text, now_ms)) {
        n++;
    }
    return n;
}

static void test_rate(void **state)
{
    (void)state;
    atls_source_limit *l = make(6, 5, 0);
    assert_int_equal(take_all(l, "192.0.2.1", 1000), 5);
    assert_false(take(l, "192.0.2.1", 1000 + 9999));
    assert_int_equal(take_all(l, "192.0.2.1", 1000 + 10000), 1);
    assert_int_equal(take_all(l, "192.0.2.1", 1000 + 40000), 3);
    assert_int_equal(take_all(l, "192.0.2.1", 1000 + 3600000), 5); /* no more than the burst */
    const atls_source_limit_counts n = atls_source_limit_count(l);
    assert_int_equal(n.allowed, 14);
    assert_int_equal(n.refused, 5);
    atls_source_limit_free(l);
}

static void test_defaults(void **state)
{
    atls_error err = {0};
    atls_source_limit *l = NULL;
    (void)state;
    assert_true(atls_source_limit_new(NULL, &l, &err));
    assert_int_equal(take_all(l, "192.0.2.1", 1000), 60);
    assert_true(take(l, "192.0.2.1", 2000));
    atls_source_limit_free(l);
    l = make(7, 0, 0);
    assert_int_equal(take_all(l, "192.0.2.1", 1000), 7);
    atls_source_limit_free(l);
    const atls_source_limit_options much = {.max_sources = 1048577};
    assert_false(atls_source_limit_new(&much, &l, &err));
    assert_null(l);
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "max_sources");
    atls_source_limit_free(NULL);
}

/* Whether two texts are of one source. */
typedef struct source_row {
    const char *name;
    const char *a;
    const char *b;
    bool same;
    const char *actual; /* how a is called */
} source_row;

static const source_row source_rows[] = {
    {"sources: the same IPv4 address", "192.0.2.1", "192.0.2.1", true, "192.0.2.1"},
    {"sources: its neighbour", "192.0.2.1", "192.0.2.2", false, "192.0.2.1"},
    {"sources: one /64", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", true, "2001:db8:1:2::/64"},
    {"sources: the /64 beside it", "2001:db8:1:2::1", "2001:db8:1:3::1", false, "2001:db8:1:2::/64"},
    {"sources: IPv4 inside IPv6", "::ffff:192.0.2.1", "192.0.2.1", true, "192.0.2.1"},
    {"sources: IPv4 inside IPv6 are not one /64", "::ffff:192.0.2.1", "::ffff:192.0.2.2", false, "192.0.2.1"},
    {"sources: zeros of both kinds", "::", "0.0.0.0", false, "::/64"},
};

static void test_source(void **state)
{
    const source_row *w = *state;
    atls_source_limit *l = make(1, 3, 0);
    const struct sockaddr_storage sa = of(w->a);
    atls_error err = {0};
    assert_int_equal(take_all(l, w->a, 1000), 3);
    assert_int_equal(take_all(l, w->b, 1000), w->same ? 0 : 3);
    const atls_address who = atls_address_of((const struct sockaddr *)&sa);
    assert_false(atls_source_limit_take_at(l, &who, 1000, &err));
    assert_string_equal(err.actual, w->actual);
    assert_string_equal(err.expected, "3 at once, 1 a minute");
    assert_non_null(strstr(err.message, "again in 61 s"));
    atls_source_limit_free(l);
}

/* By the real clock; what is no address of the internet is one source. */
static void test_unknown(void **state)
{
    const struct sockaddr local = {.sa_family = AF_UNIX};
    const struct sockaddr_storage some = of("192.0.2.1");
    atls_error err = {0};
    (void)state;
    atls_source_limit *l = make(1, 2, 0);
    assert_true(atls_source_limit_take(l, NULL, &err));
    assert_true(atls_source_limit_take(l, &local, &err));
    assert_false(atls_source_limit_take(l, NULL, &err));
    assert_int_equal(err.code, ATLS_E_LIMIT);
    assert_string_equal(err.actual, "unknown");
    err = (atls_error){0};
    assert_true(atls_source_limit_take(l, (const struct sockaddr *)&some, &err));
    const atls_address nobody = atls_address_of_any(NULL);
    assert_false(atls_source_limit_take_at(l, &nobody, UINT64_MAX, &err));
    assert_int_equal(err.code, ATLS_E_INTERNAL);
    assert_string_equal(err.field, "clock");
    atls_source_limit_free(l);
}

static void number(char text[32], uint32_t i)
{
    (void)snprintf(text, 32, "10.%u.%u.%u", (unsigned)(i >> 16 & 0xff), (unsigned)(i >> 8 & 0xff),
                   (unsigned)(i & 0xff));
}

/* Many addresses come by, each of which uses itself up: whoever is new is served all the same, also an address that was
 * pushed out, and one that the crowd cannot push out gets back what time gives it. */
static void test_full(void **state)
{
    char text[32];
    (void)state;
    atls_source_limit *l = make(60, 2, 64);
    for (uint32_t i = 0; i < 20000; i++) {
        number(text, i);
        assert_int_equal(take_all(l, text, 1000 + i / 100), 2);
        if (i % 1000 == 0) {
            assert_true(take(l, "192.0.2.1", 1000 + (uint64_t)i * 10));
        }
    }
    assert_int_equal(take_all(l, "198.51.100.7", 1200), 2);
    assert_true(take(l, "192.0.2.1", 1000000));
    atls_source_limit_free(l);
}

/* Addresses that ask once do not make room for one that has used itself up. */
static void test_remembered(void **state)
{
    char text[32];
    (void)state;
    atls_source_limit *l = make(1, 100, 1000);
    assert_int_equal(take_all(l, "192.0.2.1", 1000), 100);
    for (uint32_t i = 0; i < 10000; i++) {
        number(text, i);
        assert_true(take(l, text, 1000));
    }
    assert_false(take(l, "192.0.2.1", 1000));
    atls_source_limit_free(l);
}

#define N_THREADS 8

static void *hammer(void *arg)
{
    atls_source_limit *l = arg;
    const struct sockaddr_storage one = of("192.0.2.1");
    const atls_address who = atls_address_of((const struct sockaddr *)&one);
    for (uint32_t i = 0; i < 1000; i++) {
        char text[32];
        atls_error err = {0};
        bool ok = atls_source_limit_take_at(l, &who, 1000, &err);
        number(text, i);
        const struct sockaddr_storage other = of(text);
        err = (atls_error){0};
        ok = atls_source_limit_take(l, (const struct sockaddr *)&other, &err) || ok;
        (void)ok;
        (void)atls_source_limit_count(l);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[N_THREADS];
    (void)state;
    atls_source_limit *l = make(1, 700, 65536);
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, l), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    const atls_source_limit_counts n = atls_source_limit_count(l);
    assert_int_equal(n.allowed, 700 + N_THREADS * 1000); /* nobody else came near 700 */
    assert_int_equal(n.refused, N_THREADS * 1000 - 700);
    atls_source_limit_free(l);
}

/* ---- sessions over SSLs of one's own --------------------------------------------------------------------------------- */

static void next_session(rig *r, const char *source)
{
    const struct sockaddr_storage sa = of(source == NULL ? "0.0.0.0" : source);
    atls_session_free(r->client);
    atls_session_free(r->server);
    SSL_free(r->client_ssl);
    SSL_free(r->server_ssl);
    r->client = NULL;
    r->server = NULL;
    r->client_err = (atls_error){0};
    r->server_err = (atls_error){0};
    r->server_options.source = source == NULL ? NULL : (const struct sockaddr *)&sa;
    rig_start(r, NULL);
    rig_run_to_end(r);
    r->server_options.source = NULL;
}

static void expect_over(const rig *r, bool is_native, const char *actual)
{
    assert_int_equal(r->server_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r->server_err.code), "LIMIT");
    assert_string_equal(r->server_err.field, "source_limit");
    assert_string_equal(r->server_err.actual, actual);
    assert_int_equal(r->client_step, ATLS_STEP_FAILED);
    assert_string_equal(atls_code_name(r->client_err.code), is_native ? "PEER_REFUSED" : "IO");
    assert_string_equal(r->client_err.actual, is_native ? "internal" : "503");
}

static void test_session(void **state)
{
    const bool *is_native = *state;
    rig_counted c = {0};
    rig r;
    rig_open(&r);
    if (*is_native) {
        rig_native(&r);
    }
    c.room = r.sim;
    r.server_options.attest = rig_attest_counted;
    r.server_options.attest_ctx = &c;
    r.server_options.source_limit = make(1, 2, 0);
    for (size_t i = 1; i <= 2; i++) {
        next_session(&r, "192.0.2.1");
        rig_expect_established(&r);
        assert_int_equal(c.n, i);
    }
    next_session(&r, "192.0.2.1");
    expect_over(&r, *is_native, "192.0.2.1");
    assert_int_equal(c.n, 2); /* no quote was asked for */
    next_session(&r, "192.0.2.2");
    rig_expect_established(&r);
    next_session(&r, NULL);
    next_session(&r, NULL);
    rig_expect_established(&r);
    next_session(&r, NULL);
    expect_over(&r, *is_native, "unknown");
    assert_int_equal(c.n, 5);
    atls_source_limit *l = r.server_options.source_limit;
    rig_close(&r);
    atls_source_limit_free(l);
}

/* Whoever asks for no evidence, and whoever is refused for another reason, uses nothing up. */
static void test_not_counted(void **state)
{
    static const char *const mine[] = {"a", NULL};
    static const char *const yours[] = {"b", NULL};
    rig r;
    (void)state;
    rig_open(&r);
    rig_mutual(&r);
    const atls_verifier *verifier = r.client_options.verifier;
    atls_source_limit *l = make(1, 1, 0);
    r.server_options.source_limit = l;
    r.client_options.verifier = NULL;
    next_session(&r, NULL);
    rig_expect_established(&r);
    r.client_options.verifier = verifier;
    r.client_options.alpn = mine;
    r.server_options.alpn = yours;
    next_session(&r, NULL);
    assert_string_equal(r.server_err.field, "client_hello.protocols");
    assert_int_equal(atls_source_limit_count(l).allowed + atls_source_limit_count(l).refused, 0);
    r.server_options.alpn = NULL;
    next_session(&r, NULL);
    rig_expect_established(&r);
    assert_int_equal(atls_source_limit_count(l).allowed, 1);
    rig_close(&r);
    atls_source_limit_free(l);
}

/* The attester's queue is not asked either. */
static void test_attester(void **state)
{
    rig r;
    (void)state;
    rig_open(&r);
    rig_native(&r);
    const atls_attester_options o = {.attest = sim_attest, .attest_ctx = r.sim, .platform = ATLS_PLATFORM_TDX};
    assert_true(atls_attester_new(&o, &r.server_options.attester, &r.err));
    r.server_options.attest = NULL;
    atls_source_limit *l = make(1, 1, 0);
    r.server_options.source_limit = l;
    next_session(&r, "192.0.2.1");
    rig_expect_established(&r);
    next_session(&r, "192.0.2.1");
    expect_over(&r, true, "192.0.2.1");
    const atls_attester_counts n = atls_attester_count(r.server_options.attester);
    assert_int_equal(n.quotes, 1);
    assert_int_equal(n.answered + n.dropped + n.refused + n.waiting, 1);
    atls_attester *a = r.server_options.attester;
    rig_close(&r);
    atls_attester_free(a);
    atls_source_limit_free(l);
}

/* ---- atls_accept ------------------------------------------------------------------------------------------------------- */

static void next_connection(net *n)
{
    atls_session_free(n->client_session);
    atls_session_free(n->server_session);
    n->client_session = NULL;
    n->server_session = NULL;
    n->client_err = (atls_error){0};
    n->server_err = (atls_error){0};
    net_start(n);
    net_connect(n);
    net_join(n);
}

static void expect_served(const net *n)
{
    if (!n->accepted || !n->connected) {
        fail_msg("server: %s, client: %s", n->server_err.message, n->client_err.message);
    }
}

static void test_accept(void **state)
{
    const unsigned *profile = *state;
    const struct sockaddr_storage told = of("2001:db8::1");
    rig_counted c = {0};
    net n;
    net_open(&n, NULL);
    if (*profile == ATLS_PROFILE_CONSTELLATION) {
        atls_bytes text;
        const atls_bytes root = sim_root(n.rig.sim);
        assert_true(sim_policy(n.rig.sim, "tdx", &n.arena, &text, &n.rig.err));
        const char *edited =
            atls_text_format(&n.arena, &n.rig.err, "{%s%.*s", "\"attested_only\":true,\"min_grade\":\"key_fresh\",",
                             (int)text.len - 1, (const char *)text.ptr + 1);
        atls_verifier_free(n.rig.verifier);
        atls_policy_free(n.rig.policy);
        assert_true(atls_policy_parse_with_roots(atls_bytes_str(edited), &root, 1, &n.rig.policy, &n.rig.err));
        assert_true(atls_verifier_new(n.rig.policy, &n.rig.verifier, &n.rig.err));
        n.client.verifier = n.rig.verifier;
        n.client.identity = ATLS_IDENTITY_ATTESTED_ONLY;
        n.client.ca_file = NULL;
        n.server.now = sim_now(n.rig.sim);
    }
    c.room = n.rig.sim;
    n.client.profiles = *profile;
    n.server.profiles = *profile;
    n.server.attest = rig_attest_counted;
    n.server.attest_ctx = &c;
    n.server.source_limit = make(1, 2, 0);
    n.serve = net_accept;
    next_connection(&n);
    expect_served(&n);
    next_connection(&n);
    expect_served(&n);
    assert_int_equal(c.n, 2);
    next_connection(&n);
    assert_false(n.accepted);
    assert_false(n.connected);
    assert_string_equal(atls_code_name(n.server_err.code), "LIMIT");
    assert_string_equal(n.server_err.field, "source_limit");
    assert_string_equal(n.server_err.actual, "127.0.0.1");
    assert_int_equal(c.n, 2);
    n.server.source = (const struct sockaddr *)&told; /* the caller knows better, from a proxy */
    next_connection(&n);
    expect_served(&n);
    assert_int_equal(c.n, 3);
    atls_source_limit *l = n.server.source_limit;
    net_close(&n);
    atls_source_limit_free(l);
}

int main(void)
{
    static const bool kinds[] = {true, false};
    static const unsigned profiles[] = {ATLS_PROFILE_NATIVE, ATLS_PROFILE_DSTACK, ATLS_PROFILE_CONSTELLATION};
    tap_list l = {0};
    tap_add(&l, "burst and rate", test_rate, NULL);
    tap_add(&l, "defaults, and options that make no sense", test_defaults, NULL);
    for (size_t i = 0; i < sizeof source_rows / sizeof source_rows[0]; i++) {
        tap_add(&l, source_rows[i].name, test_source, &source_rows[i]);
    }
    tap_add(&l, "sources: what is no address", test_unknown, NULL);
    tap_add(&l, "a full table locks nobody out", test_full, NULL);
    tap_add(&l, "a full table remembers who is used up", test_remembered, NULL);
    tap_add(&l, "many threads", test_threads, NULL);
    tap_add(&l, "atls/1, over an SSL of one's own", test_session, &kinds[0]);
    tap_add(&l, "dstack, over an SSL of one's own", test_session, &kinds[1]);
    tap_add(&l, "who asks for nothing uses nothing up", test_not_counted, NULL);
    tap_add(&l, "atls/1, with an attester's queue", test_attester, NULL);
    tap_add(&l, "atls_accept: atls/1", test_accept, &profiles[0]);
    tap_add(&l, "atls_accept: dstack", test_accept, &profiles[1]);
    tap_add(&l, "atls_accept: constellation", test_accept, &profiles[2]);
    return tap_run("source_limit", &l);
}
