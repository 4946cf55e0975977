/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h: the two clocks of a session: one for deadlines, one for validity. Nothing else reads a clock. */
#ifndef ATLS_EDGE_TLS_CLOCK_H
#define ATLS_EDGE_TLS_CLOCK_H

#include "atls/error.h"
#include "atls/time.h"

/* atls_clock_ms gives milliseconds of the monotonic clock. UINT64_MAX, which is after every deadline, when there is
 * none. */
uint64_t atls_clock_ms(void);

/* atls_clock_now reads the system's clock. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_clock_now(atls_time *out, atls_error *err);

/* atls_clock_now_ms does the same, and gives the milliseconds, 0 to 999, in which phones state their times. */
ATLS_MUST_USE bool atls_clock_now_ms(atls_time *out, uint32_t *ms, atls_error *err);

#endif
