/* SPDX-License-Identifier: Apache-2.0 */
/* time.h: the clock is an argument.
 *
 * Seconds since 1970-01-01T00:00:00Z, UTC, leap seconds ignored as in POSIX. There is no default and no "now" in
 * the core: ATLS_TIME_UNSET is zero, so that a forgotten member is refused instead of being read as 1970. */
#ifndef ATLS_TIME_H
#define ATLS_TIME_H

#include "bytes.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t atls_time;

#define ATLS_TIME_UNSET ((atls_time)0)

/* Room for "YYYY-MM-DDTHH:MM:SSZ" and its NUL. */
#define ATLS_TIME_TEXT_SIZE 24

/* atls_time_parse reads exactly YYYY-MM-DDTHH:MM:SSZ (years 1970 to 9999, real dates only, no leap second).
 * False leaves *out alone. */
ATLS_MUST_USE bool atls_time_parse(atls_bytes text, atls_time *out);

/* atls_time_from_civil builds a time from calendar fields, false when there is no such date (years 1950 to 9999). */
ATLS_MUST_USE bool atls_time_from_civil(int year, int month, int day, int hour, int minute, int second, atls_time *out);

/* atls_time_format writes YYYY-MM-DDTHH:MM:SSZ and a NUL; "unset" for ATLS_TIME_UNSET, "out of range" beyond 9999. */
void atls_time_format(atls_time t, char out[ATLS_TIME_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
