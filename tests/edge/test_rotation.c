/* SPDX-License-Identifier: Apache-2.0 */
/* test_rotation.c: keys and certificates that change under a server. For a lifetime: files that are replaced between two
 * sessions, measured or not. For one connection: the profile constellation, also where both ends prove themselves, through
 * atls_connect and atls_accept. */
#include "net.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "atls/hooks.h"

#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"
#define ZEROS     "000000000000000000000000000000000000000000000000"
#define OTHER     "\"rtmr1\":\"" ZEROS ZEROS "\","

/* ---- one session, both ends ------------------------------------------------------------------------------------------ */

typedef struct meeting {
    net *n;
    pthread_t thread;
    atls_session *client;
    atls_session *server;
    atls_result result; /* as atls_connect gave it */
    atls_error client_err;
    atls_error server_err;
} meeting;

static void *accept_one(void *arg)
{
    meeting *m = arg;
    int fd = accept(m->n->listener, NULL, NULL);
    if (fd >= 0 && !atls_accept(fd, &m->n->server, &m->server, &m->server_err)) {
        m->server = NULL;
    }
    return NULL;
}

static void meet_with(net *n, meeting *m, void *(*serve)(void *))
{
    *m = (meeting){.n = n};
    assert_int_equal(pthread_create(&m->thread, NULL, serve, m), 0);
    bool ok = atls_connect("127.0.0.1", n->port, &n->client, &n->arena, &m->client, &m->result, &m->client_err);
    assert_int_equal(ok, m->client != NULL);
    assert_int_equal(pthread_join(m->thread, NULL), 0);
}

static void meet(net *n, meeting *m)
{
    meet_with(n, m, accept_one);
}

static void part(meeting *m)
{
    atls_session_free(m->client);
    atls_session_free(m->server);
}

static void expect(const atls_error *err, atls_code code, const char *field)
{
    char line[512];
    if (err->code != code || strcmp(err->field, field) != 0) {
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("wanted %s %s, got %s", atls_code_name(code), field, line);
    }
}

static void expect_both(const meeting *m)
{
    expect(&m->client_err, ATLS_OK, "");
    expect(&m->server_err, ATLS_OK, "");
    assert_non_null(m->client);
    assert_non_null(m->server);
}

static void say(atls_session *from, atls_session *to, const char *text)
{
    char got[32] = "";
    size_t n = 0;
    atls_error err = {0};
    assert_true(atls_session_write_all(from, text, strlen(text), 5000, &err));
    assert_int_equal(atls_session_read_blocking(to, got, sizeof got, &n, 5000, &err), ATLS_STEP_DONE);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, n);
}

static void expect_alive(const meeting *m)
{
    say(m->client, m->server, "are you there?");
    say(m->server, m->client, "still here");
}

/* ---- keys for a lifetime --------------------------------------------------------------------------------------------- */

/* Another key and certificate for the same name, of the same authority. */
static void make_second(net *n, sim_tls *out)
{
    static const char *const settings[] = {"tls.key=the second key", "tls.leaf.serial=4102030405060708090a0b0c0d0e0f10",
                                           NULL};
    static const sim_options options = {.settings = settings};
    sim *room;
    assert_true(sim_new(&options, &room, &n->rig.err));
    assert_true(sim_tls_identity(room, RIG_NAME, &n->rig.arena, out, &n->rig.err));
    sim_free(room);
    assert_true(atls_bytes_equal(out->ca_pem, n->rig.tls.ca_pem));
    assert_false(atls_bytes_equal(out->leaf_der, n->rig.tls.leaf_der));
}

/* As it is done: a new file, which takes the old one's name. */
static void replace(const char *file, atls_bytes content)
{
    char path[64];
    rig_file(path, content);
    assert_int_equal(rename(path, file), 0);
}

static void expect_leaf(const meeting *m, const sim_tls *tls)
{
    uint8_t digest[32];
    unsigned len = 0;
    assert_int_equal(EVP_Digest(tls->leaf_der.ptr, tls->leaf_der.len, digest, &len, EVP_sha256(), NULL), 1);
    assert_memory_equal(atls_session_peer(m->client)->leaf_sha256, digest, sizeof digest);
}

typedef struct row {
    const char *name;
    unsigned profile;
    const char *kind;     /* of the policy */
    const char *measured; /* after the first session: n the new certificate, o the old one */
    bool is_old;          /* the old certificate is served on */
    atls_code code;
} row;

#define NATIVE ATLS_PROFILE_NATIVE
#define DSTACK ATLS_PROFILE_DSTACK
static const row rows[] = {
    {"atls/1: files replaced", NATIVE, "tdx", "", false, ATLS_OK},
    {"atls/1, policy with events: measured, then served", NATIVE, "dstack_tdx", "n", false, ATLS_OK},
    {"atls/1, policy with events: served unmeasured", NATIVE, "dstack_tdx", "", false,
     ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG},
    {"dstack: measured, then served", DSTACK, "dstack_tdx", "n", false, ATLS_OK},
    {"dstack: served unmeasured", DSTACK, "dstack_tdx", "", false, ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG},
    {"dstack: the old one served on", DSTACK, "dstack_tdx", "n", true, ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG},
    {"dstack: the new one, when the old one was measured again", DSTACK, "dstack_tdx", "no", false,
     ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG},
    {"dstack: back to the old one, measured again", DSTACK, "dstack_tdx", "no", true, ATLS_OK},
};

static void rotate(net *n, const row *w, const sim_tls *second)
{
    for (const char *c = w->measured; *c != '\0'; c++) {
        atls_bytes leaf = *c == 'n' ? second->leaf_der : n->rig.tls.leaf_der;
        assert_true(sim_measure_certificate(n->rig.sim, leaf, &n->rig.err));
    }
    if (!w->is_old) {
        replace(n->chain_file, second->chain_pem);
        replace(n->key_file, second->key_pem);
    }
}

static void test_rotation(void **state)
{
    const row *w = *state;
    sim_tls second;
    meeting before;
    meeting after;
    net n;
    net_open(&n, NULL);
    net_policy(&n, w->kind, "");
    n.client.profiles = w->profile;
    n.server.profiles = w->profile;
    make_second(&n, &second);
    meet(&n, &before);
    expect_both(&before);
    expect_leaf(&before, &n.rig.tls);
    rotate(&n, w, &second);
    meet(&n, &after);
    if (w->code == ATLS_OK) {
        expect_both(&after);
        expect_leaf(&after, w->is_old ? &n.rig.tls : &second);
        expect_alive(&after);
    } else {
        assert_null(after.client);
        expect(&after.client_err, w->code, "event_log.New TLS Certificate");
    }
    expect_alive(&before); /* whatever became of the next */
    part(&after);
    part(&before);
    net_close(&n);
}

/* Between the two files nobody is served: no session has one key in its certificate and another in its hands. */
static void test_half_way(void **state)
{
    sim_tls second;
    meeting m;
    net n;
    (void)state;
    net_open(&n, NULL);
    net_policy(&n, "tdx", "");
    n.client.profiles = ATLS_PROFILE_NATIVE;
    n.server.profiles = ATLS_PROFILE_NATIVE;
    make_second(&n, &second);
    replace(n.chain_file, second.chain_pem);
    meet(&n, &m);
    expect(&m.server_err, ATLS_E_CONFIGURATION, "private_key_file");
    expect(&m.client_err, ATLS_E_TLS_HANDSHAKE, "tls.handshake");
    assert_true(m.client_err.retry);
    part(&m);
    replace(n.key_file, second.key_pem);
    meet(&n, &m);
    expect_both(&m);
    expect_leaf(&m, &second);
    part(&m);
    net_close(&n);
}

/* ---- keys for a connection ------------------------------------------------------------------------------------------- */

/* The server has no files, and the certificates of both ends are of the room's day. */
static void open_constellation(net *n)
{
    net_open(n, NULL);
    net_policy(n, "tdx", KEY_FRESH);
    n->client.profiles = ATLS_PROFILE_CONSTELLATION;
    n->client.identity = ATLS_IDENTITY_ATTESTED_ONLY;
    n->client.ca_file = NULL;
    n->server.profiles = ATLS_PROFILE_CONSTELLATION;
    n->server.certificate_file = NULL;
    n->server.private_key_file = NULL;
    n->server.now = sim_now(n->rig.sim);
}

static void open_mutual(net *n)
{
    open_constellation(n);
    n->client.attest = sim_attest;
    n->client.attest_ctx = n->endorser;
    n->server.verifier = n->rig.verifier;
    n->server.endorse = sim_endorse;
    n->server.endorse_ctx = n->rig.sim;
}

static void expect_accepted(const atls_result *r)
{
    assert_non_null(r);
    assert_int_equal(r->verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(r->grade, ATLS_GRADE_KEY_FRESH);
    assert_string_equal(r->profile, "constellation");
    assert_true(r->attested_only);
}

static void test_fresh_keys(void **state)
{
    meeting first;
    meeting second;
    atls_error err = {0};
    net n;
    (void)state;
    open_constellation(&n);
    meet(&n, &first);
    expect_both(&first);
    meet(&n, &second);
    expect_both(&second);
    expect_accepted(&first.result);
    expect_accepted(atls_session_result(second.client));
    assert_null(atls_session_result(second.server));
    assert_string_equal(atls_session_profile(second.client), "constellation");
    assert_string_equal(atls_session_profile(second.server), "constellation");
    assert_true(atls_session_peer_accepted(second.client, &err)); /* which had nothing to show */
    assert_true(atls_session_peer_accepted(second.server, &err));
    assert_memory_not_equal(atls_session_peer(first.client)->leaf_sha256, atls_session_peer(second.client)->leaf_sha256,
                            32);
    expect_alive(&second);
    expect_alive(&first);
    part(&first);
    part(&second);
    net_close(&n);
}

static void expect_mutual(meeting *m)
{
    atls_error err = {0};
    expect_both(m);
    expect_accepted(atls_session_result(m->client));
    expect_accepted(atls_session_result(m->server));
    assert_int_equal(atls_session_peer(m->server)->identity, ATLS_IDENTITY_ATTESTED_ONLY);
    assert_memory_not_equal(atls_session_peer(m->client)->leaf_sha256, atls_session_peer(m->server)->leaf_sha256, 32);
    assert_true(atls_session_peer_accepted(m->server, &err));
    assert_false(atls_session_peer_accepted(m->client, &err));
    expect(&err, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    say(m->client, m->server, "hello");
    atls_error_clear(&err);
    assert_false(atls_session_peer_accepted(m->client, &err)); /* writing proves nothing */
    say(m->server, m->client, "hello yourself");
    atls_error_clear(&err);
    assert_true(atls_session_peer_accepted(m->client, &err));
    expect(&err, ATLS_OK, "");
}

static void test_mutual(void **state)
{
    meeting m;
    net n;
    (void)state;
    open_mutual(&n);
    meet(&n, &m);
    expect_mutual(&m);
    part(&m);
    net_close(&n);
}

/* The same, with evidence that is made elsewhere while both wait. */
static void test_attesters(void **state)
{
    meeting m;
    net n;
    sim *rooms[2];
    static const sim_options room = {0};
    (void)state;
    open_mutual(&n);
    atls_attester **attesters[2] = {&n.client.attester, &n.server.attester};
    n.client.attest = NULL;
    n.server.attest = NULL;
    for (size_t i = 0; i < 2; i++) {
        assert_true(sim_new(&room, &rooms[i], &n.rig.err));
        const atls_attester_options options = {.attest = sim_attest, .attest_ctx = rooms[i]};
        assert_true(atls_attester_new(&options, attesters[i], &n.rig.err));
    }
    meet(&n, &m);
    expect_mutual(&m);
    part(&m);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(atls_attester_count(*attesters[i]).answered, 1);
        atls_attester_free(*attesters[i]);
        sim_free(rooms[i]);
    }
    net_close(&n);
}

/* ---- clients that are refused ---------------------------------------------------------------------------------------- */

typedef struct refusal {
    const char *name;
    const char *members; /* of the server's policy */
    bool is_bare;        /* the client has nothing to show */
    bool speaks_first;
    atls_code code;
    const char *field;
} refusal;

static const refusal refusals[] = {
    {"another image", KEY_FRESH OTHER, false, false, ATLS_E_MEASUREMENT_MISMATCH, "quote.body.rtmr1"},
    {"another image, and it speaks first", KEY_FRESH OTHER, false, true, ATLS_E_MEASUREMENT_MISMATCH,
     "quote.body.rtmr1"},
    {"no evidence", KEY_FRESH, true, false, ATLS_E_UNSUPPORTED, "certificate.tbs.extensions"},
};

/* Its handshake is complete, and what it reads is the refusal. */
static void expect_refused_client(meeting *m, const refusal *w)
{
    uint8_t byte = 0;
    size_t n = 1;
    atls_error err = {0};
    expect(&m->client_err, ATLS_OK, "");
    assert_false(atls_session_peer_accepted(m->client, &err));
    expect(&err, ATLS_E_TLS_HANDSHAKE, "tls.application_data");
    atls_error_clear(&err);
    if (w->speaks_first) { /* into a socket that is closed already, perhaps */
        (void)!atls_session_write_all(m->client, "hello", 5, 5000, &err);
        atls_error_clear(&err);
    }
    assert_int_equal(atls_session_read_blocking(m->client, &byte, 1, &n, 5000, &err), ATLS_STEP_FAILED);
    assert_int_equal(n, 0);
    expect(&err, ATLS_E_PEER_REFUSED, "tls.alert");
    for (unsigned i = 0; i < 2; i++) { /* and that stays */
        atls_error_clear(&err);
        assert_false(atls_session_peer_accepted(m->client, &err));
        expect(&err, ATLS_E_PEER_REFUSED, "tls.alert");
        atls_error_clear(&err);
        assert_int_equal(atls_session_read(m->client, &byte, 1, &n, &err), ATLS_STEP_FAILED);
        expect(&err, ATLS_E_PEER_REFUSED, "tls.alert");
    }
}

static void test_refused(void **state)
{
    const refusal *w = *state;
    meeting m;
    net n;
    open_mutual(&n);
    atls_policy *policy = n.rig.policy; /* the client's stays as it is */
    atls_verifier *verifier = n.rig.verifier;
    n.rig.policy = NULL;
    n.rig.verifier = NULL;
    net_policy(&n, "tdx", w->members);
    n.server.verifier = n.rig.verifier;
    n.client.verifier = verifier;
    n.client.attest = w->is_bare ? NULL : sim_attest;
    meet(&n, &m);
    assert_null(m.server);
    expect(&m.server_err, w->code, w->field);
    expect_refused_client(&m, w);
    part(&m);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    net_close(&n);
}

/* ---- what else a session of this profile has -------------------------------------------------------------------------- */

static void test_alpn(void **state)
{
    static const char *const wanted[] = {"one", "two", NULL};
    static const char *const spoken[] = {"three", "two", NULL};
    static const char *const strange[] = {"four", NULL};
    meeting m;
    net n;
    (void)state;
    open_constellation(&n);
    n.client.alpn = wanted;
    n.server.alpn = spoken;
    meet(&n, &m);
    expect_both(&m);
    assert_true(atls_bytes_equal_str(atls_session_alpn(m.client), "two"));
    assert_true(atls_bytes_equal_str(atls_session_alpn(m.server), "two"));
    part(&m);
    n.server.alpn = strange;
    meet(&n, &m);
    assert_null(m.client);
    assert_null(m.server);
    part(&m);
    net_close(&n);
}

static int choose_anything(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    static const unsigned char name[] = "anything";
    (void)ssl;
    (void)in;
    (void)in_len;
    (void)arg;
    *out = name;
    *out_len = sizeof name - 1;
    return SSL_TLSEXT_ERR_OK;
}

static void *serve_anything(void *arg)
{
    meeting *m = arg;
    const atls_hook_server_options options = {
        .attest = sim_attest, .attest_ctx = m->n->rig.sim, .now = m->n->server.now};
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int fd = accept(m->n->listener, NULL, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, choose_anything, NULL);
    if (fd >= 0 && atls_hook_server(ctx, &options, &m->server_err)) {
        SSL *ssl = SSL_new(ctx);
        uint8_t byte;
        (void)SSL_set_fd(ssl, fd);
        (void)!(SSL_accept(ssl) == 1 && SSL_read(ssl, &byte, 1) == 1);
        ERR_clear_error();
        SSL_free(ssl);
    }
    (void)close(fd);
    SSL_CTX_free(ctx);
    return NULL;
}

/* The evidence is honest, and the protocol is none that was offered. */
static void test_alpn_not_offered(void **state)
{
    static const char *const wanted[] = {"one", "two", NULL};
    meeting m;
    net n;
    (void)state;
    open_constellation(&n);
    n.client.alpn = wanted;
    meet_with(&n, &m, serve_anything);
    assert_null(m.client);
    assert_int_equal(m.client_err.code, ATLS_E_TLS_HANDSHAKE); /* newer OpenSSL says so itself, for older ones we do */
    assert_int_not_equal(m.result.verdict, ATLS_VERDICT_ACCEPTED);
    net_close(&n);
}

/* An option that would promise what this profile does not look at. */
static void test_authorities(void **state)
{
    int pair[2];
    net n;
    (void)state;
    open_mutual(&n);
    n.server.client_ca_file = n.rig.ca_file;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(atls_accept(pair[0], &n.server, &n.server_session, &n.server_err));
    expect(&n.server_err, ATLS_E_CONFIGURATION, "client_ca_file");
    assert_int_equal(close(pair[1]), 0);
    net_close(&n);
}

static void test_silent_client(void **state)
{
    int pair[2];
    net n;
    (void)state;
    open_constellation(&n);
    n.server.timeout_ms = 200 * rig_patience();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(atls_accept(pair[0], &n.server, &n.server_session, &n.server_err));
    expect(&n.server_err, ATLS_E_TIMEOUT, "tls.handshake");
    assert_int_equal(close(pair[1]), 0);
    net_close(&n);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_rotation, &rows[i]);
    }
    tap_add(&l, "a certificate without its key, for a moment", test_half_way, NULL);
    tap_add(&l, "constellation: a key for each connection", test_fresh_keys, NULL);
    tap_add(&l, "constellation: both prove, and the client knows when it reads", test_mutual, NULL);
    tap_add(&l, "constellation: both prove, by attesters", test_attesters, NULL);
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        tap_add(&l, refusals[i].name, test_refused, &refusals[i]);
    }
    tap_add(&l, "constellation: the application's protocol", test_alpn, NULL);
    tap_add(&l, "constellation: a protocol that was not offered", test_alpn_not_offered, NULL);
    tap_add(&l, "constellation: authorities of clients", test_authorities, NULL);
    tap_add(&l, "constellation: a client that says nothing", test_silent_client, NULL);
    return tap_run("rotation", &l);
}
