/* SPDX-License-Identifier: Apache-2.0 */
/* defects.h: what can be unusual or wrong about a chain and its lists, for random combinations. */
#ifndef ATLS_TESTS_PKI_DEFECTS_H
#define ATLS_TESTS_PKI_DEFECTS_H

#include "walk.h"

/* xorshift64*: the same chains on every machine */
typedef struct dice {
    uint64_t state;
} dice;
unsigned dice_roll(dice *d, unsigned n); /* 0 .. n-1 */

typedef struct defect {
    const char *name;
    void (*apply)(walk_order *o, dice *d);
} defect;

extern const defect defects[];
extern const size_t n_defects;

#endif
