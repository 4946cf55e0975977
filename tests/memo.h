/* SPDX-License-Identifier: Apache-2.0 */
/* memo.h: what the simulated rooms of one test program need to compute only once. */
#ifndef ATLS_TESTS_MEMO_H
#define ATLS_TESTS_MEMO_H

#include <stdlib.h>

#include "sim/sim.h"

static sim_memo *program_memo;

static inline void drop_memo(void)
{
    sim_memo_free(program_memo);
}

/* shared_memo is for rooms of the program's main thread; NULL, and nothing is remembered, when there is no memory for it. */
static inline sim_memo *shared_memo(void)
{
    atls_error ignored = {0};
    if (program_memo == NULL && sim_memo_new(&program_memo, &ignored)) {
        (void)atexit(drop_memo);
    }
    return program_memo;
}

#endif
