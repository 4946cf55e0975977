/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: what makes a session a client: its options, SNI, ALPN, and the peer that the handshake must leave. */
#include "client.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "configure.h"
#include "dstack.h"
#include "hooked.h"
#include "identity.h"
#include "name.h"
#include "native.h"
#include "verify/verifier_crypto.h"

/* R18: without ordinary identity the certificate event is the only tie to the certificate. Of this profile: atls/1 binds
 * the keys themselves. */
static bool check_waivers(const atls_client_options *o, const atls_policy *policy, atls_error *err)
{
    atls_text_list waived = atls_policy_insecure(policy);
    if (o->identity == ATLS_IDENTITY_ATTESTED_ONLY && strcmp(atls_policy_kind(policy), "dstack_tdx") != 0) {
        return atls_fail_values(err, ATLS_E_CONFIGURATION, "identity", "dstack_tdx", atls_policy_kind(policy),
                                "only a policy that looks for the certificate event may waive the server's identity");
    }
    for (size_t i = 0; i < waived.n && o->identity == ATLS_IDENTITY_ATTESTED_ONLY; i++) {
        if (strcmp(waived.items[i], "insecure_skip_certificate_event") == 0) {
            return atls_fail(err, ATLS_E_CONFIGURATION, waived.items[i],
                             "a policy cannot waive both the server's identity and the certificate event");
        }
    }
    return true;
}

static bool check_grade(const atls_policy *policy, const atls_profile *profile, atls_error *err)
{
    return atls_policy_min_grade(policy) <= profile->grade
           || atls_fail_values(err, ATLS_E_CONFIGURATION, "min_grade", atls_grade_name(atls_policy_min_grade(policy)),
                               atls_grade_name(profile->grade), "the profile %s cannot give what the policy asks for",
                               profile->name);
}

static bool check_dstack(const atls_client_options *o, atls_error *err)
{
    const atls_policy *policy = atls_verifier_policy(o->verifier);
    const bool judges_tdx = (atls_verifier_platforms(o->verifier) >> ATLS_PLATFORM_TDX & 1u) != 0;
    if (!judges_tdx && strcmp(atls_policy_kind(policy), "sgx") != 0) {
        return atls_fail_values(err, ATLS_E_CONFIGURATION, "type", "dstack_tdx or tdx", atls_policy_kind(policy),
                                "the profile dstack carries quotes of TDX");
    }
    return check_grade(policy, atls_dstack_client(), err) && check_waivers(o, policy, err);
}

/* A client that asks for nothing must prove something itself. */
static bool check_prover(const atls_client_options *o, atls_error *err)
{
    bool proves = o->attest != NULL || o->attester != NULL;
    if (o->attest != NULL && o->attester != NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester", "one of attest and attester");
    }
    if ((o->certificate_file == NULL) != (o->private_key_file == NULL)) {
        return atls_fail(err, ATLS_E_CONFIGURATION,
                         o->certificate_file == NULL ? "certificate_file" : "private_key_file",
                         "a certificate and its key come together");
    }
    if (o->verifier == NULL
        && (!proves || o->profiles != ATLS_PROFILE_NATIVE || o->identity == ATLS_IDENTITY_ATTESTED_ONLY)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "verifier", "a verifier is required");
    }
    return true;
}

/* Which ways of proving this policy leaves. One that was asked for by name and cannot do is an error; one that was not is
 * left out. */
static bool choose_profiles(const atls_client_options *o, unsigned *out, atls_error *err)
{
    atls_error why = {0};
    if (o->profiles == ATLS_PROFILE_CONSTELLATION) {
        *out = o->profiles;
        return o->identity == ATLS_IDENTITY_ATTESTED_ONLY
               || atls_fail(err, ATLS_E_CONFIGURATION, "identity",
                            "constellation proves no name: identity has to be attested only, in the policy as well");
    }
    unsigned asked = o->profiles != 0 ? o->profiles : ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK;
    if ((asked & ~(ATLS_PROFILE_NATIVE | ATLS_PROFILE_DSTACK)) != 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles", "no such profile");
    }
    if ((asked & ATLS_PROFILE_DSTACK) != 0 && !check_dstack(o, &why)) {
        if (o->profiles != 0) {
            *err = why;
            return false;
        }
        asked &= ~ATLS_PROFILE_DSTACK;
    }
    *out = asked;
    return true;
}

static bool check_names(const atls_client_options *o, atls_error *err)
{
    return atls_name_check(o->server_name, err) && (o->http_host == NULL || atls_name_check_host(o->http_host, err));
}

bool atls_client_prepare(const atls_client_options *options, atls_session **out, atls_error *err)
{
    unsigned profiles = 0;
    *out = NULL;
    if (options == NULL) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, "verifier", "a verifier is required");
        return false;
    }
    if (options->verifier != NULL && atls_verifier_platforms(options->verifier) == 1u << ATLS_PLATFORM_ENROLLED) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, "type",
                        "a policy of type enrolled_key is for clients: servers have evidence");
        return false;
    }
    if (!check_prover(options, err) || !choose_profiles(options, &profiles, err) || !check_names(options, err)) {
        return false;
    }
    atls_session *s;
    const atls_profile *profile = (profiles & ATLS_PROFILE_CONSTELLATION) != 0 ? atls_hooked_profile()
                                  : (profiles & ATLS_PROFILE_NATIVE) != 0      ? atls_native_client()
                                                                               : atls_dstack_client();
    const size_t size = options->arena_size != 0 ? options->arena_size : ATLS_ARENA_DEFAULT_SIZE;
    const atls_session_memory memory = atls_session_memory_of(options->verifier, size);
    if (!atls_session_make(profile, false, &memory, options->timeout_ms, &s, err)) {
        return false;
    }
    s->client = *options;
    s->profiles = profiles;
    *out = s;
    return true;
}

static bool set_names(atls_session *s, SSL *ssl, atls_error *err)
{
    /* OpenSSL's macro casts the name to void *, so it gets one that is not const; an address goes without SNI. */
    char name[ATLS_MAX_DNS_NAME_LEN + 1] = "";
    bool is_ip = atls_name_is_ip(s->client.server_name);
    if (!is_ip) {
        snprintf(name, sizeof name, "%s", s->client.server_name);
    }
    bool with_native = (s->profiles & ATLS_PROFILE_NATIVE) != 0;
    bool plain =
        (s->profiles & ATLS_PROFILE_DSTACK) != 0; /* else a server that leaves atls/1 out has nothing to pick */
    /* dstack is HTTP/1.1: a strict server that knows nothing of atls/1 shall find something to select */
    static const char *const http[] = {"http/1.1", NULL};
    bool unnamed = s->client.alpn == NULL || s->client.alpn[0] == NULL;
    const char *const *names = unnamed && plain && with_native ? http : s->client.alpn;
    if (!atls_session_alpn_list(s, names, with_native, false, err)) {
        return false;
    }
    if (!plain) {
        s->alpn = atls_bytes_of(s->alpn.ptr, 1u + s->alpn.ptr[0]); /* the first: atls/1 */
    }
    /* This one function of OpenSSL says 0 for success. */
    bool ok = SSL_set_tlsext_host_name(ssl, is_ip ? NULL : name) == 1
              && SSL_set_alpn_protos(ssl, s->alpn.len == 0 ? NULL : s->alpn.ptr, (unsigned)s->alpn.len) == 0;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "ssl", "OpenSSL refuses the names of a session");
}

bool atls_client_configure(atls_session *s, SSL *ssl, atls_error *err)
{
    if (atls_hooked_is(s)) {
        return atls_session_alpn_list(s, s->client.alpn, false, false, err) && atls_hooked_configure(s, ssl, err);
    }
    if (!atls_configure_tls(ssl, err) || !set_names(s, ssl, err) || !atls_identity_configure(s, ssl, err)) {
        return false;
    }
    SSL_set_connect_state(ssl);
    s->ssl = ssl;
    return true;
}

bool atls_client_session_new(SSL *ssl, const atls_client_options *options, atls_session **out, atls_error *err)
{
    atls_session *s;
    *out = NULL;
    if (!atls_client_prepare(options, &s, err)) {
        return false;
    }
    if (atls_hooked_is(s)) {
        atls_session_free(s);
        return atls_fail(err, ATLS_E_CONFIGURATION, "profiles",
                         "over an SSL of one's own, constellation is atls_hook_client");
    }
    if (!atls_client_configure(s, ssl, err)) {
        atls_session_free(s);
        return false;
    }
    *out = s;
    return true;
}

/* A server may choose from what was offered, or not at all. */
bool atls_client_check_alpn(const atls_session *s, atls_error *err)
{
    atls_bytes chosen = atls_session_tls_alpn(s);
    if (chosen.len == 0) {
        return true;
    }
    for (size_t at = 0; at < s->alpn.len; at += 1u + s->alpn.ptr[at]) {
        if (atls_bytes_equal(chosen, atls_bytes_of(s->alpn.ptr + at + 1, s->alpn.ptr[at]))) {
            return true;
        }
    }
    return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.alpn", "the server chose a protocol that was not offered");
}

bool atls_client_check_handshake(atls_session *s, atls_error *err)
{
    return atls_identity_check(s, err) && atls_client_check_alpn(s, err) && atls_session_choose(s, err);
}
