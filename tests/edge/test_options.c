/* SPDX-License-Identifier: Apache-2.0 */
/* test_options.c: options that make no sense die before the first packet; the caller's OpenSSL objects stay the
 * caller's. */
#include "rig.h"

#include <openssl/err.h>

static atls_bytes no_answer(rig *r)
{
    (void)r;
    return atls_bytes_empty();
}

/* ---- options ----------------------------------------------------------------------------------------------------- */

typedef struct option_row {
    const char *name;
    void (*change)(rig *r);
    atls_code code;
    const char *field;
} option_row;

static const char long_label[] =
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com"; /* 64 */

/* 254 bytes in labels of 63 and less */
#define LABEL "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
static const char long_name[] = LABEL LABEL LABEL LABEL "ab";

#define CHANGE(function, statement)                                                                                    \
    static void function(rig *r)                                                                                       \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
static const char *const empty_alpn[] = {"", NULL};
CHANGE(no_verifier, r->client_options.verifier = NULL)
CHANGE(no_name, r->client_options.server_name = NULL)
CHANGE(name_empty, r->client_options.server_name = "")
CHANGE(name_space, r->client_options.server_name = "a b")
CHANGE(name_newline, r->client_options.server_name = "a\r\nX: y")
CHANGE(name_underscore, r->client_options.server_name = "a_b.example.com")
CHANGE(name_dot, r->client_options.server_name = "example.com.")
CHANGE(name_dots, r->client_options.server_name = "a..b")
CHANGE(name_hyphen, r->client_options.server_name = "-a.example.com")
CHANGE(name_hyphen_end, r->client_options.server_name = "a-.example.com")
CHANGE(name_label, r->client_options.server_name = long_label)
CHANGE(name_long, r->client_options.server_name = long_name)
CHANGE(no_mode, r->client_options.identity = (atls_identity_mode)99)
CHANGE(name_utf8, r->client_options.server_name = "m\303\274nchen.example.com")
CHANGE(name_wildcard, r->client_options.server_name = "*.example.com")
CHANGE(name_broken_ip, r->client_options.server_name = "256.0.0.1")
CHANGE(name_short_ip, r->client_options.server_name = "10.1")
CHANGE(name_brackets, r->client_options.server_name = "[::1]")
CHANGE(name_zone, r->client_options.server_name = "fe80::1%eth0")
CHANGE(host_newline, r->client_options.http_host = "a\r\nX: y")
CHANGE(host_newline_only, r->client_options.http_host = "a\n")
CHANGE(host_space, r->client_options.http_host = "a b")
CHANGE(host_empty, r->client_options.http_host = "")
CHANGE(host_utf8, r->client_options.http_host = "m\303\274nchen")
CHANGE(host_slash, r->client_options.http_host = "a/b")
CHANGE(ca_none, r->client_options.ca_file = NULL)
CHANGE(ca_missing, r->client_options.ca_file = "/nonexistent/ca.pem")
CHANGE(ca_empty, r->client_options.ca_file = "/dev/null")
CHANGE(pin_zero, r->client_options.identity = ATLS_IDENTITY_PIN)
CHANGE(attested_only, r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY)
CHANGE(alpn_empty, r->client_options.alpn = empty_alpn)
CHANGE(grade_session, rig_policy(r, "\"min_grade\":\"session\","))

static const char *const native_alpn[] = {"http/1.1", "atls/1", NULL};
static X509_STORE *no_roots;
CHANGE(profile_unknown, r->client_options.profiles = 64)
CHANGE(alpn_native, r->client_options.alpn = native_alpn)
CHANGE(store_and_file, r->client_options.ca_store = no_roots)
CHANGE(store_empty, r->client_options.ca_store = no_roots; r->client_options.ca_file = NULL)
CHANGE(mode_forgotten_file, r->client_options.identity = ATLS_IDENTITY_WEBPKI)
CHANGE(mode_forgotten_store, r->client_options.identity = ATLS_IDENTITY_WEBPKI; r->client_options.ca_file = NULL;
       r->client_options.ca_store = no_roots)
CHANGE(mode_forgotten_pin, r->client_options.identity = ATLS_IDENTITY_WEBPKI; r->client_options.ca_file = NULL;
       r->client_options.pin_spki_sha256[0] = 1)
CHANGE(proves_nothing, r->client_options.profiles = ATLS_PROFILE_NATIVE; r->client_options.verifier = NULL)
CHANGE(native_attested_only, r->client_options.profiles = ATLS_PROFILE_NATIVE;
       r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY)

static void unverified_dstack(rig *r)
{
    r->client_options.verifier = NULL;
    r->client_options.attest = sim_attest;
    r->client_options.attest_ctx = r->sim;
    r->client_options.profiles = ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK;
}

/* Without evidence of the server and without its name nothing would be known of it at all. */
static void unverified_nameless(rig *r)
{
    unverified_dstack(r);
    r->client_options.profiles = ATLS_PROFILE_NATIVE;
    r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
}

static void two_attesters(rig *r)
{
    r->client_options.attest = sim_attest;
    r->client_options.attester = (atls_attester *)r; /* only looked at for being there */
}

static void attested_only_without_event(rig *r)
{
    rig_policy(r, "\"attested_only\":true,\"insecure_skip_certificate_event\":true,");
    r->client_options.identity = ATLS_IDENTITY_ATTESTED_ONLY;
}

static const option_row option_rows[] = {
    {"no verifier", no_verifier, ATLS_E_CONFIGURATION, "verifier"},
    {"a policy that asks for more than the profile gives", grade_session, ATLS_E_CONFIGURATION, "min_grade"},
    {"no server name", no_name, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an empty server name", name_empty, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a space in the server name", name_space, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a header in the server name", name_newline, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an underscore in the server name", name_underscore, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a dot at the end", name_dot, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an empty label", name_dots, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a hyphen in front", name_hyphen, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a hyphen at the end of a label", name_hyphen_end, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a label of 64 bytes", name_label, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a name of 254 bytes", name_long, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a way of checking identity that there is not", no_mode, ATLS_E_CONFIGURATION, "identity"},
    {"a name that is not ASCII", name_utf8, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a wildcard as a name", name_wildcard, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an address out of range", name_broken_ip, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"half an address", name_short_ip, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an address in brackets", name_brackets, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"an address with a zone", name_zone, ATLS_E_INVALID_SERVER_NAME, "server_name"},
    {"a header in the Host", host_newline, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"a line end in the Host", host_newline_only, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"a space in the Host", host_space, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"an empty Host", host_empty, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"a Host that is not ASCII", host_utf8, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"a path in the Host", host_slash, ATLS_E_INVALID_SERVER_NAME, "http_host"},
    {"identity by CA without a file", ca_none, ATLS_E_CONFIGURATION, "ca_file"},
    {"identity by CA with a file that is not there", ca_missing, ATLS_E_CONFIGURATION, "ca_file"},
    {"identity by CA with an empty file", ca_empty, ATLS_E_CONFIGURATION, "ca_file"},
    {"identity by a pin of zeros", pin_zero, ATLS_E_CONFIGURATION, "pin_spki_sha256"},
    {"attested only, which the policy does not say", attested_only, ATLS_E_CONFIGURATION, "identity"},
    {"neither identity nor certificate event (R18)", attested_only_without_event, ATLS_E_CONFIGURATION,
     "insecure_skip_certificate_event"},
    {"identity by CA with a file and a store", store_and_file, ATLS_E_CONFIGURATION, "ca_file"},
    {"identity by CA with a store of nothing", store_empty, ATLS_E_CONFIGURATION, "ca_store"},
    {"a file of roots, and identity left at the system's", mode_forgotten_file, ATLS_E_CONFIGURATION, "ca_file"},
    {"a store of roots, and identity left at the system's", mode_forgotten_store, ATLS_E_CONFIGURATION, "ca_store"},
    {"a pin, and identity left at the system's", mode_forgotten_pin, ATLS_E_CONFIGURATION, "pin_spki_sha256"},
    {"a profile that there is not", profile_unknown, ATLS_E_CONFIGURATION, "profiles"},
    {"a way of proving among the application's protocols", alpn_native, ATLS_E_CONFIGURATION, "alpn"},
    {"atls/1 that proves nothing", proves_nothing, ATLS_E_CONFIGURATION, "verifier"},
    {"atls/1 with attested only, which the policy does not say", native_attested_only, ATLS_E_CONFIGURATION,
     "identity"},
    {"no verifier where dstack is possible", unverified_dstack, ATLS_E_CONFIGURATION, "verifier"},
    {"no verifier and no name", unverified_nameless, ATLS_E_CONFIGURATION, "verifier"},
    {"two ways of making evidence", two_attesters, ATLS_E_CONFIGURATION, "attester"},
    {"an empty protocol", alpn_empty, ATLS_E_CONFIGURATION, "alpn"},
};

static void test_option(void **state)
{
    const option_row *w = *state;
    rig r;
    rig_open(&r);
    w->change(&r);
    rig_ssl(&r);
    assert_false(atls_client_session_new(r.client_ssl, &r.client_options, &r.client, &r.err));
    assert_null(r.client);
    assert_string_equal(atls_code_name(r.err.code), atls_code_name(w->code));
    assert_string_equal(r.err.field, w->field);
    assert_int_equal(BIO_ctrl_pending(r.server_bio), 0); /* nothing has been sent */
    rig_close(&r);
}

/* ---- of servers -------------------------------------------------------------------------------------------------- */

static const char *const some_alpn[] = {"http/1.1", NULL};
CHANGE(serve_nothing, r->server_options.attest = NULL)
CHANGE(serve_unknown, r->server_options.profiles = 64)
CHANGE(serve_alpn, r->server_options.alpn = some_alpn)
CHANGE(serve_dstack_mutual, r->server_options.verifier = r->verifier)
CHANGE(serve_both_mutual, r->server_options.verifier = r->verifier;
       r->server_options.profiles = ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK)
CHANGE(serve_ca, r->server_options.client_ca_file = r->ca_file)
CHANGE(serve_two, r->server_options.attester = (atls_attester *)r)

static const option_row server_rows[] = {
    {"a server that makes no evidence", serve_nothing, ATLS_E_CONFIGURATION, "attest"},
    {"a server of a profile that there is not", serve_unknown, ATLS_E_CONFIGURATION, "profiles"},
    {"a server that chooses what its SSL_CTX must", serve_alpn, ATLS_E_CONFIGURATION, "alpn"},
    {"dstack's clients cannot prove themselves", serve_dstack_mutual, ATLS_E_CONFIGURATION, "profiles"},
    {"clients that must prove themselves get no other way", serve_both_mutual, ATLS_E_CONFIGURATION, "profiles"},
    {"authorities of clients, which only atls_accept looks at", serve_ca, ATLS_E_CONFIGURATION, "client_ca_file"},
    {"a server with two ways of making evidence", serve_two, ATLS_E_CONFIGURATION, "attester"},
};

static void test_server_option(void **state)
{
    const option_row *w = *state;
    rig r;
    rig_open(&r);
    w->change(&r);
    rig_ssl(&r);
    assert_false(atls_server_session_new(r.server_ssl, &r.server_options, &r.server, &r.err));
    assert_null(r.server);
    assert_string_equal(atls_code_name(r.err.code), atls_code_name(w->code));
    assert_string_equal(r.err.field, w->field);
    rig_close(&r);
}

static bool attest_nothing(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    (void)ctx;
    (void)report_data;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_IO, "agent", "the socket of the agent is secret");
}

static void test_server_options(void **state)
{
    (void)state;
    static const char *const alpn[] = {"http/1.1", NULL};
    rig r;
    rig_open(&r);
    rig_ssl(&r);
    r.server_options.attest = NULL;
    assert_false(atls_server_session_new(r.server_ssl, &r.server_options, &r.server, &r.err));
    assert_string_equal(r.err.field, "attest");
    atls_error_clear(&r.err);
    r.server_options.attest = attest_nothing;
    r.server_options.alpn = alpn;
    assert_false(atls_server_session_new(r.server_ssl, &r.server_options, &r.server, &r.err));
    assert_int_equal(r.err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(r.err.field, "alpn");
    atls_error_clear(&r.err);
    r.server_options.alpn = NULL;
    assert_false(atls_server_session_new(NULL, &r.server_options, &r.server, &r.err));
    assert_string_equal(r.err.field, "ssl");
    assert_null(r.server);
    rig_close(&r);
}

/* A session cannot be put over a handshake that somebody else began. */
static void test_begun(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    rig_ssl(&r);
    SSL_set_connect_state(r.client_ssl);
    (void)SSL_do_handshake(r.client_ssl);
    ERR_clear_error();
    assert_false(atls_client_session_new(r.client_ssl, &r.client_options, &r.client, &r.err));
    assert_int_equal(r.err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(r.err.field, "ssl");
    assert_null(r.client);
    rig_close(&r);
}

/* A session that goes before its SSL leaves nothing behind that the SSL would fall over. */
static void test_free_first(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    r.client_options.identity = ATLS_IDENTITY_PIN;
    memset(r.client_options.pin_spki_sha256, 1, 32);
    rig_start(&r, no_answer);
    assert_int_equal(atls_session_step(r.client, &r.err), ATLS_STEP_WANT_READ);
    atls_session_free(r.client);
    r.client = NULL;
    rig_peer_step(&r);
    assert_int_not_equal(SSL_do_handshake(r.client_ssl), 1); /* nobody is left who could accept the pin */
    ERR_clear_error();
    atls_session_free(NULL);
    rig_close(&r);
}

/* The caller's SSL_CTX stays as it was: an ordinary session over it is as before. */
static void test_context_untouched(void **state)
{
    (void)state;
    rig r;
    rig_open(&r);
    long options = (long)SSL_CTX_get_options(r.client_ctx);
    rig_start(&r, NULL);
    rig_run_to_end(&r);
    rig_expect_established(&r);
    assert_int_equal((long)SSL_CTX_get_options(r.client_ctx), options);
    assert_int_equal(SSL_CTX_get_min_proto_version(r.client_ctx), 0);
    assert_int_equal(SSL_CTX_get_verify_mode(r.client_ctx), SSL_VERIFY_NONE);
    assert_int_equal(SSL_CTX_get_num_tickets(r.server_ctx), 2);
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    no_roots = X509_STORE_new();
    for (size_t i = 0; i < sizeof server_rows / sizeof server_rows[0]; i++) {
        tap_add(&l, server_rows[i].name, test_server_option, &server_rows[i]);
    }
    for (size_t i = 0; i < sizeof option_rows / sizeof option_rows[0]; i++) {
        tap_add(&l, option_rows[i].name, test_option, &option_rows[i]);
    }
    tap_add(&l, "options of a server", test_server_options, NULL);
    tap_add(&l, "a handshake that has begun is refused", test_begun, NULL);
    tap_add(&l, "a session may go before its SSL", test_free_first, NULL);
    tap_add(&l, "the caller's SSL_CTX is not changed", test_context_untouched, NULL);
    int failed = tap_run("options", &l);
    X509_STORE_free(no_roots);
    return failed;
}
