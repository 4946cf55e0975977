/* SPDX-License-Identifier: Apache-2.0 */
/* source.h: the caller's source of endorsements, asked. Only "there are none" and "nobody could be asked" may leave a question open:
 * whoever takes another failure for an empty answer goes on without the list that revokes. */
#ifndef ATLS_CORE_VERIFY_SOURCE_H
#define ATLS_CORE_VERIFY_SOURCE_H

#include "atls/verifier.h"

/* atls_source_is_open tells whether a failure of this code leaves the question open: ENDORSEMENTS_MISSING, IO, TIMEOUT, or none. */
bool atls_source_is_open(atls_code code);

/* atls_source_ask asks; endorse may be NULL. `found`: out is the answer; else out is zeroed, and why says what was missing, or nothing.
 * False: something is wrong on one's own side, why says what, and the appraisal cannot go on. */
ATLS_MUST_USE bool atls_source_ask(atls_endorse_fn endorse, void *ctx, const atls_endorsement_request *request,
                                   atls_arena *arena, atls_endorsements *out, bool *found, atls_error *why);

/* Endorsements for evidence inside other evidence: what came along, after what the caller finds. */
typedef struct atls_nested_source {
    const atls_appraisal *in;
    const atls_certificate_pile *pile;
    atls_error why; /* the caller's, where it found nothing: what came along may be enough, and may not */
} atls_nested_source;

/* atls_nested_endorse is an atls_endorse_fn; ctx is an atls_nested_source. */
ATLS_MUST_USE bool atls_nested_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                       atls_endorsements *out, atls_error *err);

#endif
