/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: a phone in a session of atls/1: { 0: [ certificate, ... ], 1: signature }, deterministic CBOR.
 *
 * The challenge alone binds nothing there, because whoever enrols a key picks it. What nobody else can have is a signature of the
 * attested key over this session. Source: specification of atls/1, "Where report goes"; docs/protocol.md. */
#include "android.h"
#include "atls/phone_proof.h"
#include "phone_form.h"

static const char signature_field[] = "session.signature";

/* ---- decode ---- */

static bool read_certificates(atls_cur *c, atls_bytes *ders, size_t *n)
{
    uint64_t count;
    if (!atls_cbor_array(c, "certificates", ANDROID_MAX_CERTIFICATES, &count)) {
        return false;
    }
    for (*n = 0; *n < (size_t)count; (*n)++) {
        if (!atls_cbor_bytes(c, "certificates", &ders[*n])) {
            return false;
        }
    }
    if (*n == 0) {
        (void)atls_cur_fail(c, ATLS_E_ENCODING, "certificates", "1 or more", "0", "there is no certificate");
        return false;
    }
    return true;
}

static bool read_map(atls_bytes in, atls_bytes *ders, size_t *n, atls_bytes *signature, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, "", err);
    return atls_phone_open(&c) && read_certificates(&c, ders, n) && atls_phone_key(&c, 1)
           && atls_cbor_bytes(&c, "signature", signature) && atls_cur_end(&c);
}

bool android_session_decode(atls_bytes in, atls_arena *arena, android_evidence *out, atls_error *err)
{
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    atls_bytes signature;
    size_t n = 0;
    *out = (android_evidence){.n = 0};
    if (!read_map(in, ders, &n, &signature, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "session");
    }
    if (!android_certificates_decode(ders, n, arena, out, err)) {
        return false;
    }
    out->is_session = true;
    out->session_signature = signature;
    return true;
}

/* ---- verify ---- */

/* ECDSA with SHA-256 by the key of the leaf, which the chain's own checks have made the attested one. */
static bool check_signature(const android_evidence *e, const atls_authority *auth, atls_error *err)
{
    const atls_public_key *attested = &e->certs[0].key;
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_key *key;
    if (auth->challenge.len != 64) {
        return atls_fail(err, ATLS_E_INTERNAL, signature_field, "a session has 64 bytes");
    }
    if (attested->kind != ATLS_KEY_P256) {
        return atls_fail_unsupported(err, ATLS_E_EVIDENCE_SIGNATURE, "chain[0].key", "a key of P-256", "another key",
                                     "sessions take attested keys of P-256 only");
    }
    atls_phone_message(auth->challenge.ptr, message);
    if (!atls_key_open(auth->crypto, attested, ATLS_E_EVIDENCE_SIGNATURE, "chain[0].key", &key, err)) {
        return false;
    }
    const bool ok = atls_verify_der(auth->crypto, key, ATLS_SHA256, atls_bytes_of(message, sizeof message),
                                    e->session_signature, ATLS_E_EVIDENCE_SIGNATURE, signature_field, err);
    atls_key_close(key);
    return ok;
}

bool android_session_check(const android_evidence *e, const atls_authority *auth, atls_claims *claims,
                           atls_trace *trace, atls_error *err)
{
    if (!e->is_session) {
        return true;
    }
    claims->is_session_signed = check_signature(e, auth, err);
    return atls_trace_step(trace, claims->is_session_signed, "android.session_signature", signature_field, err);
}
