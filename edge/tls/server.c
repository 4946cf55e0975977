/* SPDX-License-Identifier: Apache-2.0 */
/* server.c: what makes a session a server: its options, its certificate, the choice of protocol. */
#include "server.h"

#include <string.h>
#include <sys/socket.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/cursor.h"
#include "clock.h"
#include "configure.h"
#include "dstack.h"
#include "hooked.h"
#include "identity.h"
#include "io.h"
#include "native.h"
#include "source_limit.h"
#include "verify/verifier_crypto.h"

/* Only atls/1 has types for evidence of other kinds. */
static bool makes_quotes(const atls_server_options *o)
{
    const atls_platform made = o->attester != NULL ? atls_attester_platform(o->attester) : o->attest_platform;
    return made == ATLS_PLATFORM_NONE || made == ATLS_PLATFORM_TDX || made == ATLS_PLATFORM_SGX;
}

bool atls_server_judges_keys(const atls_server_options *o)
{
    return o->verifier != NULL && atls_verifier_platforms(o->verifier) == 1u << ATLS_PLATFORM_ENROLLED;
}

/* Certificates of enrolled keys go along with the server's evidence in atls/1, and with nothing else. */
static bool check_keys(const atls_server_options *o, bool proves, atls_error *err)
{
    if (!atls_server_judges_keys(o)) {
        return true;
    }
    if (o->profiles != 0 && o->profiles != ATLS_PROFILE_NATIVE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles", "clients with enrolled keys are judged in atls/1 only");
    }
    return proves
           || atls_fail(err, ATLS_E_CONFIGURATION, "attest",
                        "clients with enrolled keys have no evidence: the server must prove itself");
}

/* A client that must prove itself could choose not to, if a profile without that were still open to it. */
static bool choose_profiles(const atls_server_options *o, unsigned *out, atls_error *err)
{
    const unsigned all = ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK;
    bool proves = o->attest != NULL || o->attester != NULL;
    if (!check_keys(o, proves, err)) {
        return false;
    }
    if (o->profiles == ATLS_PROFILE_CONSTELLATION) {
        *out = o->profiles;
        return o->client_ca_file == NULL /* the hook looks at the rest */
               || atls_fail(err, ATLS_E_CONFIGURATION, "client_ca_file",
                            "clients of constellation have no certificate of an authority");
    }
    *out = o->profiles != 0 ? o->profiles : o->verifier != NULL || !makes_quotes(o) ? ATLS_PROFILE_NATIVE : all;
    if ((*out & ~all) != 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles", "no such profile");
    }
    if ((*out & ATLS_PROFILE_DSTACK) != 0 && !makes_quotes(o)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles", "the profile dstack carries quotes of TDX");
    }
    if (o->verifier != NULL && *out != ATLS_PROFILE_NATIVE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles", "clients can prove themselves with atls/1 only");
    }
    if (o->verifier != NULL && !atls_server_judges_keys(o) && o->client_ca_file == NULL && o->certificate_file != NULL
        && !atls_policy_attested_only(atls_verifier_policy(o->verifier))) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "client_ca_file",
                         "clients need a certificate, unless the policy says \"attested_only\": true");
    }
    return proves || (o->verifier != NULL && *out == ATLS_PROFILE_NATIVE)
           || atls_fail(err, ATLS_E_CONFIGURATION, "attest", "a function that makes evidence is required");
}

static bool check_options(const atls_server_options *o, unsigned *profiles, atls_error *err)
{
    if (o->attest != NULL && o->attester != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester", "one of attest and attester");
    }
    return choose_profiles(o, profiles, err);
}

bool atls_server_prepare(const atls_server_options *options, atls_session **out, atls_error *err)
{
    unsigned profiles = 0;
    *out = NULL;
    if (options == NULL) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, "attest", "a function that makes evidence is required");
        return false;
    }
    if (!check_options(options, &profiles, err)) {
        return false;
    }
    atls_session *s;
    bool with_native = (profiles & ATLS_PROFILE_NATIVE) != 0;
    const atls_session_memory memory = atls_session_memory_of(options->verifier, options->arena_size);
    const atls_profile *profile = profiles == ATLS_PROFILE_CONSTELLATION ? atls_hooked_profile()
                                  : with_native                          ? atls_native_server()
                                                                         : atls_dstack_server();
    if (!atls_session_make(profile, true, &memory, options->timeout_ms, &s, err)) {
        return false;
    }
    s->server = *options;
    s->source = atls_address_of_any(options->source);
    s->profiles = profiles;
    if (!atls_session_alpn_list(s, options->alpn, with_native, true, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

void atls_server_note_source(atls_session *s, int fd)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof peer;
    if (s->server.source == NULL && getpeername(fd, (struct sockaddr *)&peer, &len) == 0) {
        s->source = atls_address_of_any((const struct sockaddr *)&peer);
    }
}

bool atls_server_take_request(atls_session *s, atls_error *err)
{
    return s->server.source_limit == NULL
           || atls_source_limit_take_at(s->server.source_limit, &s->source, atls_clock_ms(), err);
}

/* Sessions that the SSL_CTX remembers, or tickets that it gave out on other connections, belong to another context:
 * OpenSSL passes them over and makes a full handshake. */
static bool forget_sessions(SSL *ssl, atls_error *err)
{
    unsigned char context[32];
    bool ok = RAND_bytes(context, sizeof context) == 1 && SSL_set_session_id_context(ssl, context, sizeof context) == 1;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses a session context");
}

/* The core judges it (native_key.c). OpenSSL checks that the client holds its key, which no callback can waive. */
static int leave_it(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

/* Whoever verifies clients already (client_ca_file, the caller's SSL) goes on doing so: then they must pass both. */
static void ask_for_certificate(const atls_session *s, SSL *ssl)
{
    if (atls_server_judges_keys(&s->server) && (SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, leave_it);
    }
}

bool atls_server_configure(atls_session *s, SSL *ssl, atls_error *err)
{
    if (atls_hooked_is(s)) {
        return atls_hooked_configure(s, ssl, err);
    }
    if (!atls_configure_tls(ssl, err) || !forget_sessions(ssl, err)) {
        return false;
    }
    ask_for_certificate(s, ssl);
    SSL_set_accept_state(ssl);
    s->ssl = ssl;
    return true;
}

bool atls_server_session_new(SSL *ssl, const atls_server_options *options, atls_session **out, atls_error *err)
{
    *out = NULL;
    if (options != NULL && options->alpn != NULL && options->profiles != ATLS_PROFILE_NATIVE) {
        /* OpenSSL knows this choice on an SSL_CTX only, and the caller's is not ours to change. */
        return atls_fail(err, ATLS_E_CONFIGURATION, "alpn",
                         "over an SSL of one's own, ALPN is chosen by its SSL_CTX (SSL_CTX_set_alpn_select_cb)");
    }
    if (options != NULL && options->client_ca_file != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "client_ca_file",
                         "over an SSL of one's own its own settings count");
    }
    if (options != NULL && options->profiles == ATLS_PROFILE_CONSTELLATION) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles",
                         "over an SSL of one's own, constellation is atls_hook_server");
    }
    atls_session *s;
    if (!atls_server_prepare(options, &s, err)) {
        return false;
    }
    if (!atls_server_configure(s, ssl, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

/* ---- the SSL_CTX of atls_accept ---------------------------------------------------------------------------------- */

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                           unsigned in_len, void *arg)
{
    const atls_session *s = arg;
    unsigned char *chosen = NULL;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, s->alpn.ptr, (unsigned)s->alpn.len, in, in_len)
        != OPENSSL_NPN_NEGOTIATED) {
        /* RFC 7301 3.2: no_application_protocol, unless the application did not mean to choose */
        bool may_do_without = s->server.alpn == NULL && (s->profiles & ATLS_PROFILE_DSTACK) != 0;
        return may_do_without ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static bool is_offered(const char *name, const unsigned char *in, unsigned in_len, const unsigned char **out)
{
    atls_error ignored = {0};
    atls_cur c;
    atls_bytes offered;
    uint8_t len;
    atls_cur_init(&c, atls_bytes_of(in, in_len), "", &ignored);
    while (atls_cur_u8(&c, "", &len) && atls_cur_bytes(&c, "", len, &offered)) {
        if (len > 0 && atls_bytes_equal_str(offered, name)) {
            *out = offered.ptr;
            return true;
        }
    }
    return false;
}

int atls_server_select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in,
                            unsigned in_len, void *arg)
{
    const char *const *names = arg;
    (void)ssl;
    if (is_offered(ATLS_NATIVE_ALPN, in, in_len, out)) {
        *out_len = (unsigned char)strlen(ATLS_NATIVE_ALPN);
        return SSL_TLSEXT_ERR_OK;
    }
    for (size_t i = 0; names != NULL && names[i] != NULL; i++) {
        if (is_offered(names[i], in, in_len, out)) {
            *out_len = (unsigned char)strlen(names[i]);
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return names == NULL ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static bool is_our_name(const SSL *ssl)
{
    const char *wanted = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    X509 *own = SSL_get_certificate(ssl);
    const unsigned flags = X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT;
    bool ok = wanted == NULL || (own != NULL && X509_check_host(own, wanted, 0, flags, NULL) == 1);
    ERR_clear_error();
    return ok;
}

/* A server that speaks nothing but atls/1 can say in the handshake that it is not whom the client means. */
static int choose_name(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    if (is_our_name(ssl)) {
        return SSL_TLSEXT_ERR_OK;
    }
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* OpenSSL would ask the terminal for the passphrase of an encrypted key. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)writing;
    (void)arg;
    if (size > 0) {
        buf[0] = '\0';
    }
    return -1;
}

bool atls_load_identity(SSL_CTX *ctx, const char *certificate_file, const char *private_key_file, atls_error *err)
{
    SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
    if (certificate_file == NULL || SSL_CTX_use_certificate_chain_file(ctx, certificate_file) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "certificate_file", "no certificate chain can be read: %s",
                         certificate_file == NULL ? "no file is given" : atls_io_reason());
    }
    if (private_key_file == NULL || SSL_CTX_use_PrivateKey_file(ctx, private_key_file, SSL_FILETYPE_PEM) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "private_key_file", "no unencrypted private key can be read: %s",
                         private_key_file == NULL ? "no file is given" : atls_io_reason());
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "private_key_file", "the key is not the certificate's: %s",
                         atls_io_reason());
    }
    return true;
}

static bool load_client_authorities(const atls_session *s, atls_error *err)
{
    const char *file = s->server.client_ca_file;
    atls_time now = s->server.now;
    if (file == NULL) {
        return true;
    }
    if (!atls_clock_judging(s->server.verifier, &now, NULL, err)) {
        return false;
    }
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(file);
    if (names == NULL || SSL_CTX_load_verify_file(s->ctx, file) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return atls_fail(err, ATLS_E_CONFIGURATION, "client_ca_file", "no certificates can be read from it: %s",
                         atls_io_reason());
    }
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(s->ctx), (time_t)now);
    SSL_CTX_set_client_CA_list(s->ctx, names);
    SSL_CTX_set_verify(s->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return true;
}

bool atls_server_context(atls_session *s, atls_error *err)
{
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (s->ctx == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ssl", "OpenSSL could not make an SSL_CTX: %s", atls_io_reason());
    }
    SSL_CTX_set_session_cache_mode(s->ctx, SSL_SESS_CACHE_OFF);
    if (s->alpn.len > 0) {
        SSL_CTX_set_alpn_select_cb(s->ctx, choose_protocol, s);
    }
    if (s->profiles == ATLS_PROFILE_NATIVE) {
        (void)SSL_CTX_set_tlsext_servername_callback(s->ctx, choose_name);
    }
    if (atls_hooked_is(s)) {
        return atls_hooked_context(s, err); /* its certificates are made for each connection */
    }
    return atls_load_identity(s->ctx, s->server.certificate_file, s->server.private_key_file, err)
           && load_client_authorities(s, err);
}

/* ---- behind the handshake ---------------------------------------------------------------------------------------- */

/* Whom the client meant to reach must be somebody that we are. Of atls/1: dstack's clients may pin a key and send what
 * they like. */
static bool check_server_name(const atls_session *s, atls_error *err)
{
    return is_our_name(s->ssl)
           || atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.server_name", "the client asks for a name that is not ours");
}

/* Evidence says what a client is, and not who: that takes a certificate, or a policy that does without. */
static bool check_client_name(const atls_session *s, atls_error *err)
{
    return s->server.verifier == NULL || atls_server_judges_keys(&s->server) || atls_server_knows_client(s)
           || atls_policy_attested_only(atls_verifier_policy(s->server.verifier))
           || atls_fail(
               err, ATLS_E_IDENTITY, "client.certificate",
               "the client has no certificate that was verified, and the policy does not say \"attested_only\"");
}

bool atls_server_knows_client(const atls_session *s)
{
    return SSL_get0_peer_certificate(s->ssl) != NULL && SSL_get_verify_result(s->ssl) == X509_V_OK
           && (SSL_get_verify_mode(s->ssl) & SSL_VERIFY_PEER) != 0 && SSL_get0_verified_chain(s->ssl) != NULL;
}

/* For the result: who the client is by its certificate, if it has one. */
static bool note_client(atls_session *s, atls_error *err)
{
    const X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    return leaf == NULL || atls_identity_note_peer(s, leaf, err);
}

bool atls_server_check_handshake(atls_session *s, atls_error *err)
{
    if (atls_bytes_equal_str(atls_session_alpn(s), "h2")) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.alpn", "h2 was selected, which has no place for the exchange");
    }
    return atls_session_choose(s, err) && note_client(s, err)
           && (s->profile != atls_native_server() || (check_server_name(s, err) && check_client_name(s, err)));
}
