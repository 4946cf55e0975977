/* SPDX-License-Identifier: Apache-2.0 */
/* random.h: a fixed stream of numbers for tests that try many inputs, the same ones on every machine (xorshift64). */
#ifndef ATLS_TESTS_BASE_RANDOM_H
#define ATLS_TESTS_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct randoms {
    uint64_t state; /* never zero */
} randoms;

static inline uint64_t random_next(randoms *r)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return r->state;
}

/* 0 to n - 1 */
static inline size_t random_below(randoms *r, size_t n)
{
    return (size_t)(random_next(r) >> 11) % n;
}

/* Damages len of at most cap bytes in one place: a bit, a byte, one byte more or less, a piece twice. Gives the new
 * length. */
static inline size_t random_damage(randoms *r, uint8_t *bytes, size_t len, size_t cap)
{
    if (len == 0) {
        return 0;
    }
    size_t at = random_below(r, len);
    size_t n = 1 + random_below(r, len - at < 16 ? len - at : 16);
    switch (random_below(r, 5)) {
    case 0:
        bytes[at] ^= (uint8_t)(1u << random_below(r, 8));
        return len;
    case 1:
        bytes[at] = (uint8_t)random_next(r);
        return len;
    case 2:
        bytes[at] = bytes[random_below(r, len)];
        return len;
    case 3:
        memmove(bytes + at, bytes + at + n, len - at - n);
        return len - n;
    default:
        if (n > cap - len) {
            return len;
        }
        memmove(bytes + at + n, bytes + at, len - at);
        return len + n;
    }
}

#endif
