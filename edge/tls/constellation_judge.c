/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_judge.c: is the peer's certificate evidence for us, made now? Section 7, in its order. */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>

#include "constellation.h"

/* ---- the certificate --------------------------------------------------------------------------------------------- */

/* Steps 5 and 6: which document decides, and what it vouches for. */
static bool check_document(const atls_hook *hook, const atls_cert *cert, const uint8_t nonce[32], atls_time now,
                           atls_arena *arena, atls_tape *tape, uint8_t user_data[32], atls_result *result,
                           bool *has_result, atls_error *err)
{
    const char *oids[ATLS_CONSTELLATION_MAX_VARIANTS];
    atls_variant_input in = {.nonce = nonce, .now = now, .tape = tape};
    size_t which;
    for (size_t i = 0; i < hook->n_accepts; i++) {
        oids[i] = hook->accepts[i]->oid;
    }
    if (!constellation_certificate_find(cert, oids, hook->n_accepts, &which, &in.document, err)) {
        return false;
    }
    bool ok = hook->accepts[which]->check(hook, &in, arena, user_data, result, err);
    *has_result = result->verdict != ATLS_VERDICT_NONE;
    result->attested_only = true;
    if (ok && result->verdict != ATLS_VERDICT_ACCEPTED) {
        return atls_fail(err, ATLS_E_INTERNAL, "result", "evidence passed without a verdict");
    }
    return ok;
}

static bool judge_certificate(const atls_hook *hook, atls_bytes der, const uint8_t nonce[32], atls_time now,
                              atls_arena *arena, atls_tape *tape, atls_result *result, bool *has_result,
                              atls_error *err)
{
    constellation_certificate *peer = atls_arena_alloc(arena, sizeof *peer, err);
    uint8_t claimed[CONSTELLATION_USER_DATA_LEN] = {0};
    if (peer == NULL || !constellation_certificate_check(hook->crypto, der, now, peer, err)) {
        return false;
    }
    if (hook->n_accepts == 0) { /* step 4 */
        return true;
    }
    if (!check_document(hook, &peer->cert, nonce, now, arena, tape, claimed, result, has_result, err)) {
        return false;
    }
    atls_bytes expected = atls_bytes_of(peer->user_data, sizeof peer->user_data);
    return atls_bytes_equal(expected, atls_bytes_of(claimed, sizeof claimed)) /* step 7 */
           || atls_fail_bytes(err, ATLS_E_REPORT_DATA_MISMATCH, "document.UserData", expected,
                              atls_bytes_of(claimed, sizeof claimed),
                              "the certificate's key is not the one that the evidence vouches for");
}

bool atls_hook_judge(const atls_hook *hook, atls_bytes der, const uint8_t nonce[32], atls_time now, atls_arena *arena,
                     atls_result *result, bool *has_result, atls_error *err)
{
    atls_tape tape = {0};
    *result = (atls_result){.profile = ATLS_CONSTELLATION_PROFILE};
    *has_result = false;
    const bool ok = judge_certificate(hook, der, nonce, now, arena, &tape, result, has_result, err);
    atls_tape_end(&tape, ok, err);
    if (!ok && result->verdict == ATLS_VERDICT_ACCEPTED) { /* evidence of somebody else */
        *result = (atls_result){.profile = ATLS_CONSTELLATION_PROFILE};
        *has_result = false;
    }
    return ok;
}

/* ---- the callback ------------------------------------------------------------------------------------------------ */

static bool copy_certificate(const X509 *leaf, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    unsigned char *der = NULL;
    int len = leaf == NULL ? 0 : i2d_X509(leaf, &der);
    ERR_clear_error();
    if (len <= 0) {
        return atls_fail(err, ATLS_E_MISSING_CERTIFICATE, "certificate", NULL);
    }
    bool ok = atls_arena_copy(arena, atls_bytes_of(der, (size_t)len), out, err);
    OPENSSL_free(der);
    return ok;
}

/* Nothing may have happened since the handshake began that would make a verdict worthless. */
static bool check_handshake(const SSL *ssl, const atls_hooked *s, atls_error *err)
{
    if (s->judged) {
        return atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.certificate", "a second certificate in one handshake");
    }
    if ((SSL_get_verify_mode(ssl) & SSL_VERIFY_PEER) == 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "ssl.verify_mode", "verification of the peer was switched off");
    }
    return (SSL_version(ssl) == TLS1_3_VERSION && SSL_session_reused(ssl) == 0)
           || atls_fail(err, ATLS_E_TLS_HANDSHAKE, "tls.version", "this is no full handshake of TLS 1.3");
}

static bool judge(const SSL *ssl, atls_hooked *s, const X509 *leaf)
{
    atls_bytes der = atls_bytes_empty();
    atls_time now;
    atls_error *err = &s->failure;
    bool ok = err->code == ATLS_OK && check_handshake(ssl, s, err);
    s->judged = true;
    atls_handshake_note(ssl, s->random);
    s->accepted = false;
    return ok && copy_certificate(leaf, &s->arena, &der, err) && atls_hook_time(s->hook, &now, err)
           && atls_hook_judge(s->hook, der, s->nonce, now, &s->arena, &s->result, &s->has_result, err);
}

int atls_hooked_verify(X509_STORE_CTX *store, void *arg)
{
    const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    atls_hooked *s = ssl == NULL ? NULL : atls_hooked_of(ssl);
    (void)arg;
    bool ok = s != NULL && judge(ssl, s, X509_STORE_CTX_get0_cert(store));
    if (ok) {
        s->accepted = s->hook->n_accepts > 0;
    } else {
        atls_hooked_tell(s);
    }
    /* The error decides which alert the peer sees: this one is 42, bad_certificate, whatever was wrong. */
    X509_STORE_CTX_set_error(store, ok ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
    return ok ? 1 : 0;
}
