/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c: reads the clocks. */
#include "clock.h"

#include <time.h>

uint64_t atls_clock_ms(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0 || t.tv_sec < 0) {
        return UINT64_MAX;
    }
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

bool atls_clock_now_ms(atls_time *out, uint32_t *ms, atls_error *err)
{
    struct timespec t;
    if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec <= 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "clock", "the system's clock cannot be read");
    }
    *out = (atls_time)t.tv_sec;
    *ms = (uint32_t)(t.tv_nsec / 1000000);
    return true;
}

bool atls_clock_now(atls_time *out, atls_error *err)
{
    uint32_t ms;
    return atls_clock_now_ms(out, &ms, err);
}
