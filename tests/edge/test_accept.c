/* SPDX-License-Identifier: Apache-2.0 */
/* test_accept.c: atls_accept over the loopback: options that make no server, descriptors, refusals that arrive, ALPN. */
#include "net.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>

typedef struct bad_server {
    const char *name;
    void (*change)(net *n);
    const char *field;
} bad_server;

static void no_attester(net *n)
{
    n->server.attest = NULL;
}

static void no_chain(net *n)
{
    n->server.certificate_file = NULL;
}

static void missing_chain(net *n)
{
    n->server.certificate_file = "/nonexistent/chain.pem";
}

static void key_as_chain(net *n)
{
    n->server.certificate_file = n->key_file;
}

static void no_key(net *n)
{
    n->server.private_key_file = NULL;
}

static void chain_as_key(net *n)
{
    n->server.private_key_file = n->chain_file;
}

static void write_key(net *n, bool encrypted)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *f = fopen(n->key_file, "wb");
    unsigned char secret[] = "secret";
    assert_non_null(key);
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, encrypted ? EVP_aes_256_cbc() : NULL, encrypted ? secret : NULL,
                                          encrypted ? 6 : 0, NULL, NULL),
                     1);
    assert_int_equal(fclose(f), 0);
    EVP_PKEY_free(key);
}

/* This profile asks for no certificate of anybody's authority: clients of all kinds would come in. */
static void authorities_in_vain(net *n)
{
    n->server.profiles = ATLS_PROFILE_CONSTELLATION;
    n->server.client_ca_file = n->rig.ca_file;
}

static void other_key(net *n)
{
    write_key(n, false);
}

/* OpenSSL would ask the terminal for a passphrase, and wait. */
static void encrypted_key(net *n)
{
    write_key(n, true);
}

static const bad_server bad_servers[] = {
    {"no attester", no_attester, "attest"},
    {"no certificate file", no_chain, "certificate_file"},
    {"a certificate file that is not there", missing_chain, "certificate_file"},
    {"a certificate file without certificates", key_as_chain, "certificate_file"},
    {"no key file", no_key, "private_key_file"},
    {"a key file without a key", chain_as_key, "private_key_file"},
    {"a key of another certificate", other_key, "private_key_file"},
    {"an encrypted key", encrypted_key, "private_key_file"},
    {"authorities of clients, with constellation", authorities_in_vain, "client_ca_file"},
};

static void test_bad_server(void **state)
{
    const bad_server *w = *state;
    net n;
    int pair[2];
    net_open(&n, NULL);
    w->change(&n);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_false(atls_accept(pair[0], &n.server, &n.server_session, &n.server_err));
    assert_null(n.server_session);
    assert_int_equal(n.server_err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(n.server_err.field, w->field);
    assert_int_equal(fcntl(pair[0], F_GETFD), -1);
    assert_int_equal(close(pair[1]), 0);
    net_close(&n);
}

static void test_bad_descriptor(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    assert_false(atls_accept(-1, &n.server, &n.server_session, &n.server_err));
    assert_int_equal(n.server_err.code, ATLS_E_IO);
    assert_string_equal(n.server_err.field, "socket");
    net_close(&n);
}

static bool attest_refuses(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_TIMEOUT, "agent", "no answer");
}

/* The refusal arrives whole at a client that is not waiting for it, although the server closes at once. */
static void test_refusal_arrives(void **state)
{
    (void)state;
    net n;
    net_open(&n, NULL);
    n.server.attest = attest_refuses;
    n.serve = net_accept;
    net_start(&n);
    net_connect(&n);
    net_join(&n);
    assert_int_equal(n.client_err.code, ATLS_E_IO);
    assert_string_equal(n.client_err.field, "response.status");
    assert_string_equal(n.client_err.actual, "503");
    assert_false(n.accepted);
    assert_string_equal(n.server_err.field, "agent");
    net_close(&n);
}

typedef struct alpn_row {
    const char *name;
    const char *const offered[3];
    const char *const served[3];
    const char *chosen; /* NULL: no session */
} alpn_row;

static const alpn_row alpn_rows[] = {
    {"ALPN: the server's order counts", {"a", "http/1.1", NULL}, {"http/1.1", "a", NULL}, "http/1.1"},
    {"ALPN: h2 is never selected", {"h2", "http/1.1", NULL}, {"h2", "http/1.1", NULL}, "http/1.1"},
    {"ALPN: nothing in common is no session", {"a", NULL}, {"b", NULL}, NULL},
    {"ALPN: a client that offers nothing", {NULL}, {"b", NULL}, ""},
    {"ALPN: a server that has no list", {"a", NULL}, {NULL}, ""},
};

static void test_alpn(void **state)
{
    const alpn_row *w = *state;
    net n;
    net_open(&n, NULL);
    n.client.alpn = w->offered[0] == NULL ? NULL : w->offered;
    n.server.alpn = w->served[0] == NULL ? NULL : w->served;
    n.serve = net_accept;
    net_start(&n);
    net_connect(&n);
    net_join(&n);
    assert_int_equal(n.connected, w->chosen != NULL);
    if (n.connected) {
        assert_true(atls_bytes_equal_str(atls_session_alpn(n.client_session), w->chosen));
        assert_true(atls_bytes_equal_str(atls_session_alpn(n.server_session), w->chosen));
    } else {
        assert_int_equal(n.client_err.code, ATLS_E_TLS_HANDSHAKE);
        assert_int_equal(n.server_err.code, ATLS_E_TLS_HANDSHAKE);
    }
    net_close(&n);
}

/* A server that knows nothing of atls/1, and is strict about ALPN, to a client that leaves the profile open. */
static void test_open_profile(void **state)
{
    static const char *const http[] = {"http/1.1", NULL};
    net n;
    (void)state;
    net_open(&n, NULL);
    n.client.profiles = 0;
    n.server.alpn = http;
    n.serve = net_accept;
    net_start(&n);
    net_connect(&n);
    net_join(&n);
    assert_true(n.connected);
    net_close(&n);
}

/* ---- clients' certificates -------------------------------------------------------------------------------------------- */

/* A key and the self-signed certificate for it, which is its own authority. Both files are the caller's to remove. */
static void write_client(const char *certificate_file, const char *key_file, atls_time now)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_NAME_new();
    time_t at = (time_t)now;
    FILE *certificate = fopen(certificate_file, "wb");
    FILE *secret = fopen(key_file, "wb");
    assert_true(key != NULL && x != NULL && name != NULL && certificate != NULL && secret != NULL);
    assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_UTF8STRING,
                                                (const unsigned char *)"a client", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_version(x, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x), 1), 1);
    assert_non_null(X509_time_adj_ex(X509_getm_notBefore(x), -1, 0, &at));
    assert_non_null(X509_time_adj_ex(X509_getm_notAfter(x), 1, 0, &at));
    assert_true(X509_set_subject_name(x, name) == 1 && X509_set_issuer_name(x, name) == 1);
    assert_true(X509_set_pubkey(x, key) == 1 && X509_sign(x, key, EVP_sha256()) > 0);
    assert_int_equal(PEM_write_X509(certificate, x), 1);
    assert_int_equal(PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(certificate), 0);
    assert_int_equal(fclose(secret), 0);
    X509_NAME_free(name);
    X509_free(x);
    EVP_PKEY_free(key);
}

typedef struct client_row {
    const char *name;
    unsigned profile;
    bool shows;   /* the client has a certificate */
    bool trusted; /* of the authority that the server names */
    bool accepted;
} client_row;

static const client_row client_rows[] = {
    {"a client of these authorities", ATLS_PROFILE_NATIVE, true, true, true},
    {"a client of others", ATLS_PROFILE_NATIVE, true, false, false},
    {"a client without a certificate", ATLS_PROFILE_NATIVE, false, true, false},
    {"dstack: a client of these authorities", ATLS_PROFILE_DSTACK, true, true, true},
    {"dstack: a client of others", ATLS_PROFILE_DSTACK, true, false, false},
    {"dstack: a client without a certificate", ATLS_PROFILE_DSTACK, false, true, false},
};

/* attest_to: certificate. Evidence identifies the machine: no other client makes it leave, or even be made. */
static void test_client_authorities(void **state)
{
    const client_row *w = *state;
    rig_counted c = {0};
    char certificate[] = "/tmp/atls-client-XXXXXX";
    char key[] = "/tmp/atls-client-XXXXXX";
    net n;
    net_open(&n, NULL);
    assert_int_equal(close(mkstemp(certificate)), 0);
    assert_int_equal(close(mkstemp(key)), 0);
    n.server.now = sim_now(n.rig.sim);
    write_client(certificate, key, n.server.now);
    n.client.profiles = w->profile;
    n.server.profiles = w->profile;
    n.client.certificate_file = w->shows ? certificate : NULL;
    n.client.private_key_file = w->shows ? key : NULL;
    n.server.client_ca_file = w->trusted ? certificate : n.rig.ca_file;
    c.room = n.rig.sim;
    n.server.attest = rig_attest_counted;
    n.server.attest_ctx = &c;
    n.serve = net_accept;
    net_start(&n);
    net_connect(&n);
    net_join(&n);
    assert_int_equal(n.accepted, w->accepted);
    assert_int_equal(n.connected, w->accepted);
    assert_int_equal(c.n, w->accepted ? 1 : 0);
    if (!w->accepted) {
        assert_int_equal(n.server_err.code, ATLS_E_TLS_HANDSHAKE);
    }
    assert_int_equal(unlink(certificate), 0);
    assert_int_equal(unlink(key), 0);
    net_close(&n);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof bad_servers / sizeof bad_servers[0]; i++) {
        tap_add(&l, bad_servers[i].name, test_bad_server, &bad_servers[i]);
    }
    tap_add(&l, "a descriptor that is none", test_bad_descriptor, NULL);
    tap_add(&l, "a refusal arrives before the close", test_refusal_arrives, NULL);
    for (size_t i = 0; i < sizeof alpn_rows / sizeof alpn_rows[0]; i++) {
        tap_add(&l, alpn_rows[i].name, test_alpn, &alpn_rows[i]);
    }
    for (size_t i = 0; i < sizeof client_rows / sizeof client_rows[0]; i++) {
        tap_add(&l, client_rows[i].name, test_client_authorities, &client_rows[i]);
    }
    tap_add(&l, "ALPN: a strict server of dstack, profile left open", test_open_profile, NULL);
    return tap_run("accept", &l);
}
