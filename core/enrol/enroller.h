/* SPDX-License-Identifier: Apache-2.0 */
/* enroller.h (core): what the eight steps share with the replay of a debug statement: steps 5 to 7, and the words of failures. */
#ifndef ATLS_ENROL_ENROLLER_H
#define ATLS_ENROL_ENROLLER_H

#include "atls/enroller.h"
#include "pki/signature.h"

/* ---- the words of the taxonomy (section 7) ---- */

typedef struct atls_enrol_words {
    const char *class_name; /* "PreAttestation.CsrDecoding" */
    const char *reason;
    atls_category kind; /* TRUST, TIME, CONTENT or INTERNAL */
} atls_enrol_words;

/* atls_enrol_words_of gives the words for the failure of a step. Static texts. */
atls_enrol_words atls_enrol_words_of(atls_enrol_step step, const atls_error *err);
/* atls_enrol_is_pre_attestation: the class is one of PreAttestation. */
bool atls_enrol_is_pre_attestation(const atls_enrol_words *w);
/* atls_enrol_kind_name gives "TRUST", "TIME", "CONTENT" or "INTERNAL"; "" for NONE. Static. */
const char *atls_enrol_kind_name(atls_category kind);
/* atls_enrol_explanation gives the stable short code of an error, "android.challenge", in `out`; "" when the client is told
 * nothing. Challenges that are unknown, expired or used are one code. */
#define ATLS_ENROL_CODE_SIZE 64u
void atls_enrol_explanation(const atls_error *err, char out[ATLS_ENROL_CODE_SIZE]);

/* ---- the status list, reduced to what one chain asks of it ---- */

typedef struct atls_enrol_serial {
    const char *serial; /* lower-case hexadecimal */
    bool is_listed;
    const char *status; /* as the list has it; "" without an entry */
    const char *reason;
} atls_enrol_serial;

typedef struct atls_enrol_list {
    bool is_there;
    uint8_t sha256[32]; /* of the whole list */
    atls_time fetched;
    atls_time expires;
    atls_enrol_serial serials[ATLS_ENROL_MAX_CERTIFICATES]; /* n of them: certificate n-2 down to the leaf */
    size_t n;
} atls_enrol_list;

/* A source of endorsements that hands on no more of a list than the entries of one statement's certificates: what the verdict can
 * depend on, and what a debug statement can hold. */
typedef struct atls_enrol_list_source {
    atls_endorse_fn endorse; /* the caller's */
    void *ctx;
    const atls_enrol_statement *statement;
    bool match_decimal;
    atls_enrol_list seen;
} atls_enrol_list_source;

/* atls_enrol_list_endorse is the atls_endorse_fn; ctx is the source. A list that cannot be read is the failure that says so. */
bool atls_enrol_list_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                             atls_endorsements *out, atls_error *err);

/* ---- steps 5 to 7 ---- */

/* Who appraises: a verifier, or a recording of what one said. `in` lacks endorsements. As atls_verifier_appraise. */
typedef bool (*atls_enrol_appraise_fn)(void *ctx, atls_platform platform, const atls_appraisal *in, atls_arena *arena,
                                       atls_result *out, atls_error *err);

typedef struct atls_enrol_judge {
    bool has_android; /* the platform is configured */
    bool has_apple;
    atls_enrol_appraise_fn appraise;
    void *ctx;
    atls_bytes nonce;
    atls_time now;
    uint32_t now_ms;
    int64_t offset_s;
} atls_enrol_judge;

typedef struct atls_enrol_judgement {
    atls_enrol_step step; /* that failed; DONE: none */
    atls_platform platform;
    bool is_appraised; /* `result` is there, of a yes or a no */
    atls_result result;
    bool has_key;    /* step 5 passed: the next four are there */
    atls_bytes spki; /* the attested key */
    atls_bytes app;
    const char *security_level;
} atls_enrol_judgement;

/* atls_enrol_judgement_init: nothing is known; step 5 is the one that has not passed. */
void atls_enrol_judgement_init(atls_enrol_judgement *out);
/* atls_enrol_judge_statement is step 5, atls_enrol_judge_request 6 and 7. False with err, and out->step. */
ATLS_MUST_USE bool atls_enrol_judge_statement(const atls_enrol_judge *j, const atls_enrol_statement *statement,
                                              atls_arena *arena, atls_enrol_judgement *out, atls_error *err);
ATLS_MUST_USE bool atls_enrol_judge_request(const atls_enrol_csr *csr, atls_enrol_judgement *out, atls_error *err);

/* atls_enrol_p256_spki makes the SubjectPublicKeyInfo of a point (65 bytes, X9.63), in the arena. */
ATLS_MUST_USE bool atls_enrol_p256_spki(const uint8_t point[65], atls_arena *arena, atls_bytes *out, atls_error *err);

#endif
