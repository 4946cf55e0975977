/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h: what every fuzz target defines. One source serves three programs: the libFuzzer target, the bounded test of
 * the ordinary build (driver.c) and the writer of the first corpus (seeds.c). */
#ifndef ATLS_FUZZ_FUZZ_H
#define ATLS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* No seed is longer. */
#define FUZZ_MAX_SEED ((size_t)256 * 1024)

/* One input. Deterministic, whatever ran before; returns 0; says that a property is broken with FUZZ_ASSERT. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes the seed with this index, counted from 0, to out and returns its length; 0 after the last one. cap is
 * FUZZ_MAX_SEED. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap);

/* assert() that no build type switches off */
#define FUZZ_ASSERT(condition)                                                                                         \
    ((condition) ? (void)0 : (void)(fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition), abort()))

/* For targets whose seeds are literals: copies the seed at index, 0 when there is none or no room. */
typedef struct fuzz_literal {
    const void *ptr;
    size_t len;
} fuzz_literal;
#define FUZZ_TEXT(text)                                                                                                \
    {                                                                                                                  \
        text, sizeof(text) - 1                                                                                         \
    }

static inline size_t fuzz_seed_of(const fuzz_literal *seeds, size_t n, size_t index, uint8_t *out, size_t cap)
{
    if (index >= n || seeds[index].len > cap) {
        return 0;
    }
    const uint8_t *from = seeds[index].ptr;
    for (size_t i = 0; i < seeds[index].len; i++) {
        out[i] = from[i];
    }
    return seeds[index].len;
}

#endif
