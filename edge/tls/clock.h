/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the two clocks of a session: one for deadlines, one for validity. Nothing else in edge/tls reads a clock. */
#ifndef ATLS_EDGE_TLS_CLOCK_H
#define ATLS_EDGE_TLS_CLOCK_H

#include "atls/error.h"
#include "atls/time.h"
#include "atls/verifier.h"

/* atls_clock_ms gives milliseconds of the monotonic clock. UINT64_MAX, which is after every deadline, when there is
 * none. */
uint64_t atls_clock_ms(void);

/* The source's own date, 2026-11-01T00:00:00Z: moved with a release, and never taken from the machine that builds, so that
 * two builds of one source are equal. */
#define ATLS_CLOCK_BUILD_DATE ((atls_time)1793491200)

/* atls_clock_now reads the system's clock. One that is earlier than this library is an error, and not a time. Errors:
 * INTERNAL with field "clock". */
ATLS_MUST_USE bool atls_clock_now(atls_time *out, atls_error *err);

/* atls_clock_judging gives the time of an appraisal by v (NULL: of nobody's): *now as it stands, if somebody has set it, else
 * the system's clock, which must not be earlier than the newest issue date among what vouched in accepted appraisals
 * by v either. Who gives a time himself answers for it. ms NULL, or where the milliseconds of a time that was read go, 0 to 999: phones state
 * theirs in them. Errors: those of atls_clock_now. Source: specification of
 * atls/1, "What a verifier checks". */
ATLS_MUST_USE bool atls_clock_judging(const atls_verifier *v, atls_time *now, uint32_t *ms, atls_error *err);

#endif
