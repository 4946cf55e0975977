/* SPDX-License-Identifier: Apache-2.0 */
/* tape.h: the recording of one session's appraisal, where the options ask for one.
 *
 * A tape is zeroed, appraised with once, and ended in any case. Nothing that goes wrong with it changes a verdict. */
#ifndef ATLS_EDGE_TLS_TAPE_H
#define ATLS_EDGE_TLS_TAPE_H

#include "atls/record.h"

typedef struct atls_tape {
    const atls_record_options *options; /* NULL: nothing was appraised, or nothing is recorded */
    atls_arena arena;
    atls_recorder *recorder; /* NULL: there was no memory */
    bool evidence_accepted;
    atls_error why; /* why there is no recording */
} atls_tape;

/* atls_tape_appraise is atls_verifier_appraise. t NULL, or options that do not ask: nothing else. */
ATLS_MUST_USE bool atls_tape_appraise(atls_tape *t, const atls_record_options *options, const atls_verifier *v,
                                      const atls_appraisal *in, atls_arena *arena, atls_result *out, atls_error *err);

/* atls_tape_end hands the recording over, if there is one for this outcome, and frees the tape's memory. It comes while the
 * result is as the session will report it, before one that no longer counts is wiped. why: the session's failure, if any. */
void atls_tape_end(atls_tape *t, bool is_accepted, const atls_error *why);

#endif
