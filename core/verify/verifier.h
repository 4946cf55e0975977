/* SPDX-License-Identifier: Apache-2.0 */
/* verifier.h (core): what a verifier is made of, for verify.c and verifier.c only. */
#ifndef ATLS_VERIFY_VERIFIER_H
#define ATLS_VERIFY_VERIFIER_H

#include "atls/verifier.h"
#include "base/arena_shelf.h"
#include "caches.h"
#include "registry.h"
#include "verifier_crypto.h"

/* Immutable after atls_verifier_new. */
struct atls_verifier {
    const atls_policy *policy;
    const registry_row *kind;  /* NULL: any_of */
    const atls_format *format; /* same */
    atls_crypto *crypto;
    atls_verifier *hardware;      /* judges what vouches for a TPM's key; NULL: the policy does not ask for that */
    atls_verifier **alternatives; /* any_of: one for each alternative of the policy */
    size_t n_alternatives;
    bool
        looks_ahead; /* a forecast's own, which nobody else sees: without a binding min_grade is left out, and listed as skipped */
    atls_caches *caches;      /* NULL: nothing is remembered */
    atls_arena_shelf *arenas; /* for sessions. What is in these two changes; nothing else does */
};

/* How far an appraisal came: of several refusals the one that came furthest says most. */
typedef enum verify_stage {
    VERIFY_BEGIN,
    VERIFY_DECODE, /* the bytes are not evidence of this kind */
    VERIFY_ENDORSEMENTS,
    VERIFY_HARDWARE,
    VERIFY_AUTHENTICATE,
    VERIFY_JUDGE,
    VERIFY_ACCEPTED,
} verify_stage;

/* atls_binding_check tells whether what was given to compare can bind anything; binds_itself as in format.h. Errors: USAGE. */
ATLS_MUST_USE bool atls_binding_check(const atls_binding *b, bool binds_itself, atls_error *err);

/* atls_binding_is_session tells whether the value is of a session, whose peer made the evidence. */
bool atls_binding_is_session(const atls_binding *b);

/* atls_binding_is_native tells whether that session is of atls/1, with the grade that it has. */
bool atls_binding_is_native(const atls_binding *b);

/* atls_binding_judge_own is the check "binding" for rooms that bind themselves. No attestation of a phone binds a session by itself:
 * whoever enrols its key picks the challenge, and could pick the value of a session of his own. In atls/1 the attested key signs
 * the session as well; in others there is nothing of the kind. Errors: REPORT_DATA_MISMATCH, UNSUPPORTED. */
ATLS_MUST_USE bool atls_binding_judge_own(const atls_binding *b, const atls_claims *claims, atls_trace *trace,
                                          atls_error *err);

/* atls_verify_one is atls_verifier_appraise for a verifier of one kind; *stage says where it ended. */
ATLS_MUST_USE bool atls_verify_one(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena,
                                   atls_result *out, verify_stage *stage, atls_error *err);

#endif
