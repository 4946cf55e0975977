/* SPDX-License-Identifier: Apache-2.0 */
/* judge.h: what the appraise of every format writes its checks with: claims against a policy, one comparison after the other.
 *
 * Every comparison goes to the trace, the first that fails is the error, and ok stays false from then on. Text for people is
 * made in the arena: without memory the appraisal has failed, and goes on to its end with empty text. */
#ifndef ATLS_CORE_JUDGE_H
#define ATLS_CORE_JUDGE_H

#include "base/text.h"
#include "policy.h"

/* Values that an "expected" lists; the rest is counted. */
#define ATLS_MAX_SHOWN_REFERENCES ((size_t)4)

/* The arguments of appraise (evidence/format.h), and what has come of it so far. Begins with ok = true. */
typedef struct atls_judge {
    const atls_claims *claims;
    const atls_policy *policy;
    atls_time now;
    atls_arena *arena;
    atls_trace *trace;
    atls_error *err;     /* the first failure */
    bool ok;             /* nothing failed yet */
    size_t n_references; /* lists of the policy that atls_judge_reference has found */
} atls_judge;

/* ---- checks: atls_trace_compare, _skip and _na; whatever fails clears ok ---- */

void atls_judge_compare(atls_judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                        const char *actual, const char *why);
void atls_judge_skip(atls_judge *j, const char *id, const char *field, const char *why);
void atls_judge_na(atls_judge *j, const char *id, const char *field, const char *why);

/* atls_judge_reference compares a claim of width bytes with the policy's list of that name; without a list it does nothing.
 * value is NULL where this evidence has no such claim: a policy that lists it is not met. */
void atls_judge_reference(atls_judge *j, const char *name, const char *id, atls_code code, const char *field,
                          const uint8_t *value, size_t width);

/* ---- text for people, in the arena; never NULL ---- */

/* atls_judge_text is text that was made in the arena; NULL (no memory) fails the appraisal. */
const char *atls_judge_text(atls_judge *j, const char *text);
/* atls_judge_written is what a buffer holds. */
const char *atls_judge_written(atls_judge *j, atls_buf *b);
const char *atls_judge_hex(atls_judge *j, const uint8_t *bytes, size_t n);
/* A number, a date, with words before it. */
const char *atls_judge_decimal(atls_judge *j, const char *prefix, uint64_t value);
const char *atls_judge_date(atls_judge *j, const char *prefix, atls_time t);
/* atls_judge_values lists n values of width bytes, one after the other in memory; atls_judge_texts n texts. */
const char *atls_judge_values(atls_judge *j, const uint8_t *values, size_t n, size_t width);
const char *atls_judge_texts(atls_judge *j, const atls_bytes *items, size_t n);

#endif
