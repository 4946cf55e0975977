/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c: slots, a lock and a condition on the monotonic clock. */
#include "turn.h"

#include <errno.h>
#include <time.h>

static bool init_condition(pthread_cond_t *c)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    const bool ok =
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 && pthread_cond_init(c, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return ok;
}

bool atls_turn_init(atls_turn *t, uint32_t n_slots, atls_error *err)
{
    *t = (atls_turn){.n_slots = n_slots};
    if (n_slots == 0 || n_slots > ATLS_TURN_MAX_SLOTS || pthread_mutex_init(&t->lock, NULL) != 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "store", "no lock could be made");
        return false;
    }
    if (!init_condition(&t->freed)) {
        (void)pthread_mutex_destroy(&t->lock);
        (void)atls_fail(err, ATLS_E_INTERNAL, "store", "no condition could be made");
        return false;
    }
    return true;
}

void atls_turn_destroy(atls_turn *t)
{
    (void)pthread_cond_destroy(&t->freed);
    (void)pthread_mutex_destroy(&t->lock);
}

static bool find_free(atls_turn *t, uint32_t *slot)
{
    for (uint32_t i = 0; i < t->n_slots; i++) {
        if (!t->is_taken[i]) {
            t->is_taken[i] = true;
            *slot = i;
            return true;
        }
    }
    return false;
}

bool atls_turn_take(atls_turn *t, uint64_t deadline_ms, uint32_t *slot, atls_error *err)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                                   .tv_nsec = (long)(deadline_ms % 1000) * 1000000L};
    int reason = 0;
    (void)pthread_mutex_lock(&t->lock);
    bool ok = find_free(t, slot);
    while (!ok && reason != ETIMEDOUT) {
        reason = pthread_cond_timedwait(&t->freed, &t->lock, &until);
        ok = find_free(t, slot);
    }
    (void)pthread_mutex_unlock(&t->lock);
    if (!ok) {
        (void)atls_fail(err, ATLS_E_ENROL_STORE, "store.timeout_ms", "the store was busy for too long");
        err->retry = true;
    }
    return ok;
}

void atls_turn_give(atls_turn *t, uint32_t slot)
{
    (void)pthread_mutex_lock(&t->lock);
    t->is_taken[slot] = false;
    (void)pthread_cond_signal(&t->freed);
    (void)pthread_mutex_unlock(&t->lock);
}
