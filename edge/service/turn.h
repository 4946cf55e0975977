/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h: a few slots for many threads, who wait for one until a deadline and no longer. */
#ifndef ATLS_EDGE_SERVICE_TURN_H
#define ATLS_EDGE_SERVICE_TURN_H

#include <pthread.h>

#include "atls/error.h"

#define ATLS_TURN_MAX_SLOTS 16u

typedef struct atls_turn {
    pthread_mutex_t lock;
    pthread_cond_t freed;
    uint32_t n_slots;
    bool is_taken[ATLS_TURN_MAX_SLOTS];
} atls_turn;

/* atls_turn_init makes n_slots slots, 1 to ATLS_TURN_MAX_SLOTS. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_turn_init(atls_turn *t, uint32_t n_slots, atls_error *err);
void atls_turn_destroy(atls_turn *t);

/* atls_turn_take gives the number of a slot that nobody else has: the lowest, so that few are in use where few are needed.
 * deadline_ms: of atls_clock_ms. Errors: ENROL_STORE (it passed). */
ATLS_MUST_USE bool atls_turn_take(atls_turn *t, uint64_t deadline_ms, uint32_t *slot, atls_error *err);
void atls_turn_give(atls_turn *t, uint32_t slot);

#endif
