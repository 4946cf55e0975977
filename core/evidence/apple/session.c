/* SPDX-License-Identifier: Apache-2.0 */
/* session.c: an iPhone in a session of atls/1: { 0: attestation object, 1: assertion }, deterministic CBOR around the bytes as App
 * Attest gives them.
 *
 * The attestation alone binds nothing there, because whoever enrols a key picks its client data. What nobody else can have is an
 * assertion of the attested key over this session. Source: specification of atls/1, "Where report goes"; docs/protocol.md. */
#include "apple.h"
#include "atls/phone_proof.h"
#include "phone_form.h"

/* ---- decode ---- */

static bool read_map(atls_bytes in, atls_bytes *attestation, atls_bytes *assertion, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, "", err);
    return atls_phone_open(&c) && atls_cbor_bytes(&c, "attestation", attestation) && atls_phone_key(&c, 1)
           && atls_cbor_bytes(&c, "assertion", assertion) && atls_cur_end(&c);
}

bool apple_session_decode(atls_bytes in, atls_arena *arena, apple_attestation *out, atls_error *err)
{
    atls_bytes attestation;
    atls_bytes assertion;
    if (!read_map(in, &attestation, &assertion, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "session");
    }
    if (!apple_attestation_decode(attestation, arena, out, err)
        || !apple_assertion_decode(assertion, &out->session_assertion, err)) {
        return false;
    }
    out->is_session = true;
    return true;
}

/* ---- verify ---- */

static bool check_signature(const apple_attestation *a, const atls_authority *auth, const atls_apple_claims *c,
                            atls_error *err)
{
    const atls_public_key attested = {ATLS_KEY_P256, {c->public_key, sizeof c->public_key}};
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_key *key;
    if (auth->challenge.len != 64) {
        return atls_fail(err, ATLS_E_INTERNAL, "session", "a session has 64 bytes");
    }
    atls_phone_message(auth->challenge.ptr, message);
    if (!atls_key_open(auth->crypto, &attested, ATLS_E_APPLE_ASSERTION, "attestation.x5c[0].key", &key, err)) {
        return false;
    }
    const bool ok = apple_assertion_signature(&a->session_assertion, atls_bytes_of(message, sizeof message),
                                              auth->crypto, key, err);
    atls_key_close(key);
    return ok;
}

/* Of the app that was attested; which apps are accepted is compared with the attestation. */
static bool check_app(const apple_attestation *a, atls_error *err)
{
    return atls_bytes_equal(a->auth_data.rp_id_hash, a->session_assertion.rp_id_hash)
           || atls_fail_bytes(err, ATLS_E_APPLE_ASSERTION, "assertion.authenticatorData.rpIdHash",
                              a->auth_data.rp_id_hash, a->session_assertion.rp_id_hash,
                              "the assertion is of another app");
}

static bool check_counter(const apple_attestation *a, atls_error *err)
{
    return a->session_assertion.sign_count > a->auth_data.sign_count
           || atls_fail(err, ATLS_E_APPLE_ASSERTION, "assertion.authenticatorData.signCount",
                        "the counter is %lu, and was %lu when the key was attested",
                        (unsigned long)a->session_assertion.sign_count, (unsigned long)a->auth_data.sign_count);
}

bool apple_session_check(const apple_attestation *a, const atls_authority *auth, atls_claims *claims, atls_trace *trace,
                         atls_error *err)
{
    if (!a->is_session) {
        return true;
    }
    claims->is_session_signed =
        check_signature(a, auth, &claims->apple, err) && check_app(a, err) && check_counter(a, err);
    return atls_trace_step(trace, claims->is_session_signed, "apple.session_assertion", "assertion", err);
}
