/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: reads the clocks. */
#include "clock.h"

#include <stdio.h>
#include <time.h>

#include "verify/verifier_crypto.h"

uint64_t atls_clock_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0 || t.tv_sec < 0) {
        return UINT64_MAX;
    }
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static bool check_floor(atls_time now, atls_time floor, const char *what, atls_error *err)
{
    char at[ATLS_TIME_TEXT_SIZE];
    char limit[ATLS_TIME_TEXT_SIZE];
    char expected[ATLS_TIME_TEXT_SIZE + 16];
    if (now >= floor) {
        return true;
    }
    atls_time_format(now, at);
    atls_time_format(floor, limit);
    (void)snprintf(expected, sizeof expected, "not before %s", limit);
    return atls_fail_values(err, ATLS_E_INTERNAL, "clock", expected, at,
                            "the system's clock is wrong: it says %s, %s %s", at, what, limit);
}

static bool read_clock(atls_time *out, uint32_t *ms, atls_error *err)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec <= 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "clock", "the system's clock cannot be read");
    }
    *out = (atls_time)t.tv_sec;
    *ms = (uint32_t)(t.tv_nsec / 1000000);
    return check_floor(*out, ATLS_CLOCK_BUILD_DATE, "and this library is of", err);
}

bool atls_clock_judging(const atls_verifier *v, atls_time *now, uint32_t *ms, atls_error *err)
{
    if (*now != ATLS_TIME_UNSET) {
        return true;
    }
    /* before the clock is read: meanwhile another thread may learn of something that was issued later */
    const atls_time floor = v == NULL ? ATLS_TIME_UNSET : atls_verifier_newest_issue(v);
    atls_time read = ATLS_TIME_UNSET;
    uint32_t part = 0;
    if (!read_clock(&read, &part, err) || !check_floor(read, floor, "and what vouched before was issued at", err)) {
        return false;
    }
    *now = read;
    if (ms != NULL) {
        *ms = part;
    }
    return true;
}

bool atls_clock_now(atls_time *out, atls_error *err)
{
    uint32_t ms;
    return read_clock(out, &ms, err);
}
