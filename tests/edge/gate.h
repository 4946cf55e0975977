/* SPDX-License-Identifier: Apache-2.0 */
/* gate.h: a quote generator that is held until the test lets it go. */
#ifndef ATLS_TESTS_EDGE_GATE_H
#define ATLS_TESTS_EDGE_GATE_H

#include <pthread.h>

#include "sim/sim.h"

typedef struct gate {
    sim *sim;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool open;
} gate;

#define GATE_OF(room)                                                                                                  \
    {                                                                                                                  \
        .sim = (room), .lock = PTHREAD_MUTEX_INITIALIZER, .opened = PTHREAD_COND_INITIALIZER                           \
    }

/* An atls_attest_fn; ctx is the gate. */
static inline bool attest_behind_gate(void *ctx, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                                      atls_error *err)
{
    gate *g = ctx;
    (void)pthread_mutex_lock(&g->lock);
    while (!g->open) {
        (void)pthread_cond_wait(&g->opened, &g->lock);
    }
    (void)pthread_mutex_unlock(&g->lock);
    return sim_attest(g->sim, report_data, arena, out, err);
}

static inline void open_gate(gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
    g->open = true;
    (void)pthread_cond_broadcast(&g->opened);
    (void)pthread_mutex_unlock(&g->lock);
}

#endif
