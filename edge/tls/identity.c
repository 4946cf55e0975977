/* SPDX-License-Identifier: Apache-2.0 */
/* identity.c: who the server is by its certificate. */
#include "identity.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "clock.h"
#include "io.h"
#include "name.h"
#include "peer_chain.h"
#include "roots.h"
#include "server.h"

#define TEXT_SIZE  132
#define HOST_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

/* Index 0 of a store's extra data is the application's in OpenSSL, and the store is ours: no process-wide index needed.
 */
#define SESSION_OF_STORE 0

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* RFC 2253, escaped to ASCII, cut at size. */
static void name_text(const X509_NAME *name, char *out, size_t size)
{
    out[0] = '\0';
    BIO *b = BIO_new(BIO_s_mem());
    if (b == NULL) {
        return;
    }
    if (X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
        int n = BIO_read(b, out, (int)size - 1);
        out[n > 0 ? n : 0] = '\0';
    }
    BIO_free(b);
}

static void add_name(char *out, size_t size, const char *text)
{
    size_t used = strlen(out);
    snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ", text);
}

/* One entry of subjectAltName, for people: the error object replaces what is not printable. */
static void add_alt_name(const GENERAL_NAME *entry, char *out, size_t size)
{
    char text[TEXT_SIZE] = "";
    if (entry->type == GEN_DNS) {
        const ASN1_IA5STRING *dns = entry->d.dNSName;
        snprintf(text, sizeof text, "%.*s", ASN1_STRING_length(dns), (const char *)ASN1_STRING_get0_data(dns));
        add_name(out, size, text);
        return;
    }
    if (entry->type == GEN_IPADD) {
        const ASN1_OCTET_STRING *ip = entry->d.iPAddress;
        int family = ASN1_STRING_length(ip) == 16 ? AF_INET6 : AF_INET;
        bool known = ASN1_STRING_length(ip) == 4 || family == AF_INET6;
        if (known && inet_ntop(family, ASN1_STRING_get0_data(ip), text, sizeof text) != NULL) {
            add_name(out, size, text);
        }
    }
}

static void alt_names_text(const X509 *cert, char *out, size_t size)
{
    out[0] = '\0';
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        add_alt_name(sk_GENERAL_NAME_value(names, i), out, size);
    }
    GENERAL_NAMES_free(names);
    if (out[0] == '\0') {
        snprintf(out, size, "no names");
    }
}

/* ---- the verdict of OpenSSL in our words ------------------------------------------------------------------------- */

static bool wrong_name(const atls_session *s, const X509 *leaf, const char *why, atls_error *err)
{
    char actual[TEXT_SIZE];
    alt_names_text(leaf, actual, sizeof actual);
    return atls_fail_values(err, ATLS_E_IDENTITY, "certificate.subject_alt_name", s->client.server_name, actual,
                            "the certificate is not for this name: %s", why);
}

static bool wrong_chain(const X509 *cert, int depth, const char *field, const char *why, atls_error *err)
{
    char issuer[TEXT_SIZE];
    name_text(X509_get_issuer_name(cert), issuer, sizeof issuer);
    return atls_fail_values(err, ATLS_E_IDENTITY, field, NULL, NULL, "certificate at depth %d, issued by %s: %s", depth,
                            issuer, why);
}

static void note_failure(atls_session *s, X509_STORE_CTX *ctx)
{
    int code = X509_STORE_CTX_get_error(ctx);
    const char *why = X509_verify_cert_error_string(code);
    const X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
    const X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    int depth = X509_STORE_CTX_get_error_depth(ctx);
    if (leaf == NULL) {
        atls_fail(&s->identity_error, ATLS_E_MISSING_CERTIFICATE, "certificate", "the server sent no certificate");
    } else if (code == X509_V_ERR_HOSTNAME_MISMATCH || code == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        (void)wrong_name(s, leaf, why, &s->identity_error);
    } else if (code == X509_V_ERR_CERT_HAS_EXPIRED) {
        (void)wrong_chain(cert != NULL ? cert : leaf, depth, "certificate.not_after", why, &s->identity_error);
    } else if (code == X509_V_ERR_CERT_NOT_YET_VALID) {
        (void)wrong_chain(cert != NULL ? cert : leaf, depth, "certificate.not_before", why, &s->identity_error);
    } else {
        (void)wrong_chain(cert != NULL ? cert : leaf, depth, "certificate.chain", why, &s->identity_error);
    }
}

/* ---- pin --------------------------------------------------------------------------------------------------------- */

static bool check_pin(const atls_session *s, const X509 *leaf, atls_error *err)
{
    uint8_t actual[32];
    unsigned char *spki = NULL;
    unsigned n = 0;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(leaf), &spki);
    bool hashed = len > 0 && EVP_Digest(spki, (size_t)len, actual, &n, EVP_sha256(), NULL) == 1 && n == sizeof actual;
    OPENSSL_free(spki);
    if (!hashed) {
        return atls_fail(err, ATLS_E_INTERNAL, "certificate.spki_sha256", "the public key could not be hashed");
    }
    atls_bytes wanted = atls_bytes_of(s->client.pin_spki_sha256, sizeof s->client.pin_spki_sha256);
    atls_bytes found = atls_bytes_of(actual, sizeof actual);
    return atls_bytes_equal(wanted, found)
           || atls_fail_bytes(err, ATLS_E_IDENTITY, "certificate.spki_sha256", wanted, found,
                              "the server's key is not the pinned one");
}

/* ---- inside the handshake ---------------------------------------------------------------------------------------- */

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    atls_session *s = X509_STORE_get_ex_data(X509_STORE_CTX_get0_store(ctx), SESSION_OF_STORE);
    const X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
    if (s == NULL || leaf == NULL) {
        return 0; /* the session is gone: nobody is left who could accept */
    }
    atls_peer_chain_tell(s, X509_STORE_CTX_get0_untrusted(ctx)); /* what the peer sent, its own order */
    bool accepted = ok == 1;
    switch (s->client.identity) {
    case ATLS_IDENTITY_PIN:
        accepted = check_pin(s, leaf, &s->identity_error);
        break;
    case ATLS_IDENTITY_ATTESTED_ONLY:
        accepted = true; /* the policy waived it, and atls_identity_configure made sure of that */
        break;
    default:
        if (accepted || atls_roots_ask_again(s)) {
            return 1; /* asked again, the error stays in ctx: nothing passes with it (atls_identity_check) */
        }
        note_failure(s, ctx);
        return 0;
    }
    X509_STORE_CTX_set_error(ctx, accepted ? X509_V_OK : X509_V_ERR_APPLICATION_VERIFICATION);
    return accepted ? 1 : 0;
}

/* ---- configuration ----------------------------------------------------------------------------------------------- */

static bool copy_roots(atls_session *s, atls_error *err)
{
    STACK_OF(X509) *roots = X509_STORE_get1_all_certs(s->client.ca_store);
    bool ok = roots != NULL && sk_X509_num(roots) > 0;
    for (int i = 0; ok && i < sk_X509_num(roots); i++) {
        ok = X509_STORE_add_cert(s->store, sk_X509_value(roots, i)) == 1;
    }
    sk_X509_pop_free(roots, X509_free);
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_CONFIGURATION, "ca_store", "there are no certificates in it");
}

static bool load_roots(atls_session *s, atls_error *err)
{
    if (s->client.identity == ATLS_IDENTITY_WEBPKI) {
        return atls_roots_system(s, err);
    }
    if (s->client.identity == ATLS_IDENTITY_CA && s->client.ca_store != NULL) {
        return copy_roots(s, err);
    }
    if (s->client.identity == ATLS_IDENTITY_CA && X509_STORE_load_file(s->store, s->client.ca_file) != 1) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca_file", "no certificates can be read from it: %s",
                         atls_io_reason());
    }
    return true;
}

/* The only place that makes verification parameters. Whatever the caller's SSL brought along (names, an ignored clock,
 * intermediates as anchors) is replaced. */
static bool set_params(const atls_session *s, SSL *ssl, atls_time now, atls_error *err)
{
    X509_VERIFY_PARAM *p = SSL_get0_param(ssl);
    bool by_name = s->client.identity == ATLS_IDENTITY_WEBPKI || s->client.identity == ATLS_IDENTITY_CA;
    bool is_ip = atls_name_is_ip(s->client.server_name);
    const char *dns = by_name && !is_ip ? s->client.server_name : NULL;
    (void)X509_VERIFY_PARAM_clear_flags(p, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_PARTIAL_CHAIN
                                               | X509_V_FLAG_IGNORE_CRITICAL | X509_V_FLAG_ALLOW_PROXY_CERTS);
    X509_VERIFY_PARAM_set_time(p, (time_t)now);
    X509_VERIFY_PARAM_set_hostflags(p, HOST_FLAGS);
    bool ok = X509_VERIFY_PARAM_set_purpose(p, X509_PURPOSE_SSL_SERVER) == 1
              && X509_VERIFY_PARAM_set_trust(p, X509_TRUST_SSL_SERVER) == 1
              && X509_VERIFY_PARAM_set1_host(p, dns, 0) == 1 && X509_VERIFY_PARAM_set1_ip(p, NULL, 0) == 1;
    if (ok && by_name && is_ip) {
        ok = X509_VERIFY_PARAM_set1_ip_asc(p, s->client.server_name) == 1;
    }
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "identity", "OpenSSL refuses the parameters of verification");
}

static bool check_time_of(const atls_session *s, atls_time *out, atls_error *err)
{
    *out = s->client.now;
    return atls_clock_judging(s->client.verifier, out, NULL, err);
}

/* The default would pass over what somebody has given in order to be stricter. */
static bool check_unused(const atls_client_options *o, atls_error *err)
{
    const char *field = o->ca_file != NULL    ? "ca_file"
                        : o->ca_store != NULL ? "ca_store"
                        : !atls_bytes_is_zero(atls_bytes_of(o->pin_spki_sha256, sizeof o->pin_spki_sha256))
                            ? "pin_spki_sha256"
                            : NULL;
    return field == NULL
           || atls_fail(err, ATLS_E_CONFIGURATION, field, "it is given, and identity does not say that it counts");
}

static bool check_mode(const atls_session *s, atls_error *err)
{
    const atls_client_options *o = &s->client;
    switch (o->identity) {
    case ATLS_IDENTITY_WEBPKI:
        return check_unused(o, err);
    case ATLS_IDENTITY_CA:
        return (o->ca_file != NULL) != (o->ca_store != NULL)
               || atls_fail(err, ATLS_E_CONFIGURATION, "ca_file",
                            "identity by CA needs either a file or a store of roots");
    case ATLS_IDENTITY_PIN:
        return !atls_bytes_is_zero(atls_bytes_of(o->pin_spki_sha256, sizeof o->pin_spki_sha256))
               || atls_fail(err, ATLS_E_CONFIGURATION, "pin_spki_sha256",
                            "identity by pin needs a pin that is not zero");
    case ATLS_IDENTITY_ATTESTED_ONLY:
        return atls_policy_attested_only(atls_verifier_policy(o->verifier))
               || atls_fail(err, ATLS_E_CONFIGURATION, "identity",
                            "only a policy that says \"attested_only\": true may waive the server's identity");
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, "identity", "there is no such way of checking identity");
}

bool atls_identity_configure(atls_session *s, SSL *ssl, atls_error *err)
{
    atls_time now;
    if (!check_mode(s, err) || !check_time_of(s, &now, err) || !set_params(s, ssl, now, err)) {
        return false;
    }
    s->store = X509_STORE_new();
    if (s->store == NULL || X509_STORE_set_ex_data(s->store, SESSION_OF_STORE, s) != 1) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_MEMORY, "identity", "OpenSSL could not make a store of roots");
    }
    if (!load_roots(s, err)) {
        return false;
    }
    ERR_clear_error();
    SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verify);
    return SSL_set1_verify_cert_store(ssl, s->store) == 1
           || atls_fail(err, ATLS_E_INTERNAL, "identity", "OpenSSL refuses the store of roots");
}

bool atls_identity_set_time(atls_session *s, atls_error *err)
{
    atls_time now;
    if (s->is_server) {
        return true;
    }
    return check_time_of(s, &now, err) && set_params(s, s->ssl, now, err);
}

void atls_identity_detach(atls_session *s)
{
    if (s->store != NULL) {
        (void)X509_STORE_set_ex_data(s->store, SESSION_OF_STORE, NULL);
        X509_STORE_free(s->store);
        s->store = NULL;
        s->roots_file = NULL;
    }
}

/* ---- behind the handshake ---------------------------------------------------------------------------------------- */

static atls_identity_mode identity_of_client(const atls_session *s)
{
    return atls_server_knows_client(s) ? ATLS_IDENTITY_CA : ATLS_IDENTITY_ATTESTED_ONLY;
}

bool atls_identity_note_peer(atls_session *s, const X509 *leaf, atls_error *err)
{
    unsigned n = 0;
    if (X509_digest(leaf, EVP_sha256(), s->peer.leaf_sha256, &n) != 1 || n != sizeof s->peer.leaf_sha256) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "certificate", "the certificate could not be hashed");
    }
    name_text(X509_get_subject_name(leaf), s->subject, sizeof s->subject);
    name_text(X509_get_issuer_name(leaf), s->issuer, sizeof s->issuer);
    s->peer.identity = s->is_server ? identity_of_client(s) : s->client.identity;
    ERR_clear_error();
    return true;
}

/* OpenSSL copies the name for each verification, and where there is no memory for that it verifies without one. */
static bool check_name(const atls_session *s, X509 *leaf, atls_error *err)
{
    const char *name = s->client.server_name;
    const int found =
        atls_name_is_ip(name) ? X509_check_ip_asc(leaf, name, 0) : X509_check_host(leaf, name, 0, HOST_FLAGS, NULL);
    ERR_clear_error();
    return found == 1 || wrong_name(s, leaf, "it was not found", err);
}

bool atls_identity_check(atls_session *s, atls_error *err)
{
    X509 *leaf = SSL_get0_peer_certificate(s->ssl);
    atls_peer_chain_tell(s, SSL_get_peer_cert_chain(s->ssl)); /* the caller's own verification may have hidden ours */
    if (!atls_identity_note_peer(s, leaf, err)) {
        return false;
    }
    if (s->client.identity == ATLS_IDENTITY_PIN) {
        return check_pin(s, leaf, err);
    }
    if (s->client.identity == ATLS_IDENTITY_ATTESTED_ONLY) {
        return true;
    }
    if (s->identity_error.code != ATLS_OK) { /* refused here, whatever a callback of the caller made of it */
        *err = s->identity_error;
        return false;
    }
    /* A verification callback on the caller's SSL_CTX may stand in for OpenSSL's own: then there is no chain. */
    long verdict = SSL_get_verify_result(s->ssl);
    if (verdict != X509_V_OK || s->verify_again || SSL_get0_verified_chain(s->ssl) == NULL) {
        return atls_fail(err, ATLS_E_IDENTITY, "certificate.chain", "the certificate was not verified: %s",
                         X509_verify_cert_error_string(verdict));
    }
    return check_name(s, leaf, err);
}
