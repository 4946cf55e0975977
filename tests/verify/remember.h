/* SPDX-License-Identifier: Apache-2.0 */
/* remember.h: rooms whose parts can be mixed, and outcomes of appraisals that can be compared to the last byte: what the
 * tests of the verifier's memory share. */
#ifndef ATLS_TESTS_VERIFY_REMEMBER_H
#define ATLS_TESTS_VERIFY_REMEMBER_H

#include "tap.h"

#include "atls/atls.h"
#include "sim/sim.h"

#define STAGE_MAX_SETTINGS 20

typedef struct stage {
    sim *room;
    atls_bytes quote;
    atls_endorsements endorsements;
} stage;

extern const uint8_t stage_value[64]; /* the report data of every quote */

/* stage_open makes a room and what comes out of it, in `keep`. settings is NULL-terminated, or NULL. */
void stage_open(stage *s, sim_kind kind, const char *const *settings, atls_arena *keep);
/* stage_policy reads the policy that accepts the room; "tdx", "sgx". */
atls_policy *stage_policy(const stage *s, const char *type, atls_arena *keep);
void stage_close(stage *s);

atls_verifier *stage_verifier(const atls_policy *policy, const atls_verifier_options *options);

/* One appraisal of parts that may be from anywhere. */
typedef struct mix {
    atls_bytes quote;
    const atls_endorsements *endorsements;
    atls_time now;
    bool wrong_value; /* the binding is of another session */
} mix;

typedef struct outcome {
    bool accepted;
    atls_error err;
    atls_result result;
    atls_bytes json;
    uint64_t n_verifications;
} outcome;

/* mix_appraise appraises in arena a, which outlives *out. */
void mix_appraise(const atls_verifier *v, const mix *m, atls_arena *a, outcome *out);
/* outcome_assert_same asserts that two verifiers said the same: verdict, every member of the error, every byte of the JSON,
 * and the texts and numbers of every check. */
void outcome_assert_same(const outcome *x, const outcome *y);

#endif
