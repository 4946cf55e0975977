/* SPDX-License-Identifier: Apache-2.0 */
/* enroller_judge.c: steps 5 to 7. The request is only looked at after the statement was accepted, and then for nothing but this:
 * that it names the attested key, and that this key signed it. */
#include <string.h>

#include "enroller.h"

/* ---- step 5 ---- */

bool atls_enrol_p256_spki(const uint8_t point[65], atls_arena *arena, atls_bytes *out, atls_error *err)
{
    /* SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING of 65 bytes } (RFC 5480) */
    static const uint8_t head[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                   0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};
    uint8_t *spki = atls_arena_raw(arena, sizeof head + ATLS_APPLE_POINT_SIZE, err);
    if (spki == NULL) {
        return false;
    }
    memcpy(spki, head, sizeof head);
    memcpy(spki + sizeof head, point, ATLS_APPLE_POINT_SIZE);
    *out = atls_bytes_of(spki, sizeof head + ATLS_APPLE_POINT_SIZE);
    return true;
}

static bool appraise(const atls_enrol_judge *j, atls_bytes evidence, atls_bytes challenge, atls_arena *arena,
                     atls_enrol_judgement *out, atls_error *err)
{
    const atls_appraisal in = {
        .evidence = evidence,
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .challenge = challenge},
        .now = j->now,
        .now_ms = j->now_ms,
        .offset_s = j->offset_s,
        .key_id = atls_bytes_empty(),
    };
    out->is_appraised = true;
    if (!j->appraise(j->ctx, out->platform, &in, arena, &out->result, err)) {
        return false;
    }
    /* whoever appraised: a yes is whole, or it is none */
    return (out->result.verdict == ATLS_VERDICT_ACCEPTED && out->result.grade == ATLS_GRADE_REPORT_DATA
            && out->result.claims.platform == out->platform)
           || atls_fail(err, ATLS_E_INTERNAL, "result", "an appraisal that is not whole");
}

/* The lesser of two: where the key is kept, and who says so. What software vouches for is software's word, whatever hardware it
 * speaks of. */
static const char *level_of(const atls_android_key_description *d)
{
    const atls_android_level kept = d->keymasterSecurityLevel;
    const atls_android_level said = d->attestationSecurityLevel;
    return atls_android_level_name(said < kept ? said : kept);
}

static bool judge_android(const atls_enrol_judge *j, const atls_enrol_statement *s, atls_arena *arena,
                          atls_enrol_judgement *out, atls_error *err)
{
    const atls_android_claims *c = &out->result.claims.android;
    if (s->n_x5c == 0) {
        return atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "statement.x5c", "there is no certificate");
    }
    if (!appraise(j, s->chain, j->nonce, arena, out, err)) {
        return false;
    }
    if (!c->present || c->public_key.len == 0 || !c->has_challenge || !atls_bytes_equal(c->challenge, j->nonce)) {
        return atls_fail(err, ATLS_E_INTERNAL, "result", "accepted claims that are not whole");
    }
    out->spki = c->public_key;
    out->app = c->package_name;
    out->security_level = level_of(c->description);
    return true;
}

/* The key that counts is the app's second one, which the client data name; App Attest vouches for the client data. */
static bool judge_apple(const atls_enrol_judge *j, const atls_enrol_statement *s, atls_arena *arena,
                        atls_enrol_judgement *out, atls_error *err)
{
    atls_apple_client_data data;
    const atls_apple_claims *c = &out->result.claims.apple;
    if (!atls_apple_client_data_read(s->client_data, j->nonce, arena, &data, err)
        || !appraise(j, s->attestation, s->client_data, arena, out, err)) {
        return false;
    }
    if (!c->present || !c->is_matched) {
        return atls_fail(err, ATLS_E_INTERNAL, "result", "accepted claims that are not whole");
    }
    out->app = c->app_id;
    out->security_level = "SECURE_ENCLAVE";
    return atls_enrol_p256_spki(data.public_key, arena, &out->spki, err);
}

void atls_enrol_judgement_init(atls_enrol_judgement *out)
{
    *out = (atls_enrol_judgement){
        .step = ATLS_ENROL_STEP_APPRAISE,
        .result = {.profile = ""},
        .spki = atls_bytes_empty(),
        .app = atls_bytes_empty(),
        .security_level = "",
    };
}

bool atls_enrol_judge_statement(const atls_enrol_judge *j, const atls_enrol_statement *statement, atls_arena *arena,
                                atls_enrol_judgement *out, atls_error *err)
{
    const bool is_android = statement->kind == ATLS_ENROL_ANDROID_KEY;
    atls_enrol_judgement_init(out);
    out->platform = is_android ? ATLS_PLATFORM_ANDROID : ATLS_PLATFORM_APPLE;
    bool ok;
    if (!(is_android ? j->has_android : j->has_apple)) {
        ok = atls_fail_values(err, ATLS_E_ENROL_PLATFORM, "statement.typ", NULL, atls_platform_name(out->platform),
                              "phones of this kind are not configured here");
    } else {
        ok = is_android ? judge_android(j, statement, arena, out, err) : judge_apple(j, statement, arena, out, err);
    }
    out->has_key = ok;
    if (!ok && err->platform == ATLS_PLATFORM_NONE) {
        err->platform = out->platform;
    }
    return ok;
}

/* ---- steps 6 and 7 ---- */

bool atls_enrol_judge_request(const atls_enrol_csr *csr, atls_enrol_judgement *out, atls_error *err)
{
    out->step = ATLS_ENROL_STEP_KEY;
    if (!out->has_key || !atls_bytes_equal(out->spki, csr->spki)) {
        (void)atls_fail(err, ATLS_E_ENROL_KEY_MISMATCH, "csr.subjectPKInfo",
                        "the request is for another key than the attested one");
    } else {
        out->step = ATLS_ENROL_STEP_SIGNATURE;
        if (atls_enrol_csr_verify(csr, err)) {
            out->step = ATLS_ENROL_STEP_DONE;
            return true;
        }
    }
    err->platform = out->platform;
    return false;
}
