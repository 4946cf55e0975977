/* SPDX-License-Identifier: Apache-2.0 */
/* debug_replay_legacy.c: the proofs of older clients: a list of one or two elements is Apple's (attestation, and an assertion by
 * the attested key over client data or over the app's second key), a longer one is Android's chain. Source: App Attest
 * specification, section 7; attested enrolment, section 9. */
#include <string.h>

#include "debug_replay.h"

static const uint8_t p256_head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

static bool is_of_key(const atls_enrol_again *a)
{
    return a->s.method != ATLS_ENROL_LEGACY;
}

/* The key that a statement is about, SubjectPublicKeyInfo or a point, as a point of P-256. */
static bool read_point(atls_bytes key, uint8_t point[65], atls_error *err)
{
    if (key.len == sizeof p256_head + ATLS_APPLE_POINT_SIZE && memcmp(key.ptr, p256_head, sizeof p256_head) == 0) {
        key = atls_bytes_of(key.ptr + sizeof p256_head, ATLS_APPLE_POINT_SIZE);
    }
    return atls_p256_point(key, point, ATLS_E_ENROL_KEY_MISMATCH, "debug.clientData", err);
}

/* ---- Android ---- */

static bool join(atls_enrol_again *a)
{
    atls_enrol_statement *s = &a->statement;
    size_t len = 0;
    s->kind = ATLS_ENROL_ANDROID_KEY;
    s->n_x5c = a->s.n_proof;
    for (size_t i = 0; i < s->n_x5c; i++) {
        s->x5c[i] = a->s.proof[i];
        len += a->s.proof[i].len;
    }
    uint8_t *chain = atls_arena_raw(a->arena, len, a->err);
    if (chain == NULL) {
        return false;
    }
    s->chain = atls_bytes_of(chain, len);
    for (size_t i = 0; i < s->n_x5c; i++) {
        memcpy(chain, s->x5c[i].ptr, s->x5c[i].len);
        chain += s->x5c[i].len;
    }
    return true;
}

/* The key as it is certified, or a point of it. */
static bool compare_key(atls_enrol_again *a)
{
    uint8_t point[65];
    atls_bytes spki = a->s.client_data;
    atls_error unused = {0};
    a->judgement.step = ATLS_ENROL_STEP_KEY;
    if (!atls_bytes_equal(spki, a->judgement.spki) && read_point(spki, point, &unused)
        && !atls_enrol_p256_spki(point, a->arena, &spki, a->err)) {
        return false;
    }
    if (atls_bytes_equal(spki, a->judgement.spki)) {
        a->judgement.step = ATLS_ENROL_STEP_DONE;
    } else {
        (void)atls_fail(&a->verdict, ATLS_E_ENROL_KEY_MISMATCH, "debug.clientData",
                        "the statement is about another key");
    }
    return true;
}

static bool run_android(atls_enrol_again *a)
{
    const atls_enrol_judge j = atls_enrol_again_judge(a, atls_enrol_again_appraise);
    if (!join(a)) {
        return false;
    }
    if (!atls_enrol_judge_statement(&j, &a->statement, a->arena, &a->judgement, &a->verdict)) {
        return a->err->code == ATLS_OK;
    }
    a->judgement.step = ATLS_ENROL_STEP_DONE;
    return !is_of_key(a) || compare_key(a);
}

/* ---- Apple ---- */

static bool appraise_attestation(atls_enrol_again *a)
{
    const atls_appraisal in = {
        .evidence = a->s.proof[0],
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .challenge = a->s.challenge},
        .now = a->s.now,
        .now_ms = a->s.now_ms,
        .offset_s = a->s.offset_s,
        .key_id = atls_bytes_empty(),
    };
    a->judgement.platform = ATLS_PLATFORM_APPLE;
    if (a->s.apple == NULL) {
        return atls_fail(&a->verdict, ATLS_E_ENROL_PLATFORM, "debug.iosAttestationConfiguration", NULL);
    }
    a->judgement.is_appraised = true;
    if (!atls_enrol_again_appraise(a, ATLS_PLATFORM_APPLE, &in, a->arena, &a->judgement.result, &a->verdict)) {
        return false;
    }
    const atls_apple_claims *c = &a->judgement.result.claims.apple;
    a->judgement.app = c->app_id;
    a->judgement.security_level = "SECURE_ENCLAVE";
    return c->is_matched || atls_fail(&a->verdict, ATLS_E_INTERNAL, "result", "accepted claims that are not whole");
}

static bool check_assertion(atls_enrol_again *a)
{
    const atls_apple_claims *c = &a->judgement.result.claims.apple;
    uint32_t counter = 0;
    atls_apple_key_form form;
    uint8_t point[65];
    atls_apple_assertion in = {
        .assertion = a->s.n_proof == 2 ? a->s.proof[1] : atls_bytes_empty(),
        .app_id = c->app_id,
        .client_data = a->s.client_data,
    };
    memcpy(in.public_key, c->public_key, sizeof in.public_key);
    if (a->s.n_proof != 2) {
        return atls_fail(&a->verdict, ATLS_E_APPLE_ASSERTION, "debug.genericAttestationProof",
                         "the proof has no assertion");
    }
    if (!is_of_key(a)) {
        return atls_apple_assertion_verify(&in, &counter, &a->verdict)
               && (counter == 1
                   || atls_fail(&a->verdict, ATLS_E_APPLE_SIG_CTR, "assertion.authenticatorData.signCount", NULL));
    }
    return read_point(a->s.client_data, point, &a->verdict)
           && atls_apple_key_proof_verify(&in, point, &form, &a->verdict)
           && atls_enrol_p256_spki(point, a->arena, &a->judgement.spki, &a->verdict);
}

static bool run_apple(atls_enrol_again *a)
{
    const bool ok = appraise_attestation(a) && (!a->s.has_client_data || check_assertion(a));
    if (ok) {
        a->judgement.step = ATLS_ENROL_STEP_DONE;
        a->judgement.has_key = a->judgement.spki.len > 0;
    } else if (a->verdict.platform == ATLS_PLATFORM_NONE) {
        a->verdict.platform = ATLS_PLATFORM_APPLE;
    }
    return a->err->code == ATLS_OK;
}

bool atls_enrol_again_legacy(atls_enrol_again *a)
{
    if (!a->s.has_proof) {
        return atls_fail(a->err, ATLS_E_ENCODING, "debug.genericAttestationProof", "missing from the statement");
    }
    if (is_of_key(a) && !a->s.has_client_data) {
        return atls_fail(a->err, ATLS_E_ENCODING, "debug.clientData", "missing from the statement");
    }
    if (a->s.n_proof == 0) {
        (void)atls_fail(&a->verdict, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "debug.genericAttestationProof",
                        "the proof is empty");
        return true;
    }
    return a->s.n_proof > 2 ? run_android(a) : run_apple(a);
}
