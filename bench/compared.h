/* SPDX-License-Identifier: Apache-2.0 */
/* compared.h: what our sides of bench/compare/run have in common: files, endorsements in memory, samples on stdout. Whatever fails ends
 * the program. */
#ifndef ATLS_BENCH_COMPARED_H
#define ATLS_BENCH_COMPARED_H

#include "atls/atls.h"

void compared_must(bool ok, const atls_error *err);

/* compared_read reads a file of at most 16 MiB into the arena. */
atls_bytes compared_read(const char *path, atls_arena *keep);

/* compared_hand_out is an atls_endorse_fn; ctx is the atls_endorsements. */
bool compared_hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                       atls_error *err);

/* compared_measure appraises n times, 1 to 100,000 (others: once), after twenty that do not count, and prints microseconds of CPU time, one
 * a line, then "peak KiB". */
void compared_measure(const atls_verifier *v, const atls_appraisal *in, atls_arena *work, long n);

#endif
