/* SPDX-License-Identifier: Apache-2.0 */
/* debug_replay.h: a replay on its way: debug_replay.c and debug_replay_legacy.c only. */
#ifndef ATLS_ENROL_DEBUG_REPLAY_H
#define ATLS_ENROL_DEBUG_REPLAY_H

#include "debug.h"

typedef struct atls_enrol_again {
    atls_enrol_debug_statement s;
    const atls_enrol_replay_options *options;
    atls_arena *arena;
    atls_crypto *crypto;
    atls_enrol_statement statement; /* what is appraised, where it is an enrolment's */
    atls_policy *policy;            /* out of the statement; NULL: none yet */
    atls_verifier *verifier;
    atls_replay recorded; /* of the recording in it */
    bool has_recorded;
    atls_enrol_list_source list;
    atls_enrol_judgement judgement;
    atls_error verdict; /* code OK: accepted */
    atls_error *err;    /* why there is no replay */
} atls_enrol_again;

/* atls_enrol_again_appraise is the atls_enrol_appraise_fn for statements without a recording: with a policy out of their own
 * configuration. What keeps it from being made goes to a->err, and the answer is INTERNAL. */
bool atls_enrol_again_appraise(void *ctx, atls_platform platform, const atls_appraisal *in, atls_arena *arena,
                               atls_result *out, atls_error *err);

/* atls_enrol_again_judge gives the arguments of steps 5 to 7. */
atls_enrol_judge atls_enrol_again_judge(atls_enrol_again *a, atls_enrol_appraise_fn appraise);

/* atls_enrol_again_legacy runs the methods that are not SUPREME; what they say is in a->judgement and a->verdict. False with
 * a->err: there is no replay. */
ATLS_MUST_USE bool atls_enrol_again_legacy(atls_enrol_again *a);

#endif
