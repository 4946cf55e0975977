/* SPDX-License-Identifier: Apache-2.0 */
/* engine.c: an enroller over one configuration and one list. */
#include <stdlib.h>
#include <time.h>

#include "edge/tls/clock.h"
#include "internal.h"

/* An atls_endorse_fn: the list of this engine, which lives as long as the request that holds the engine. */
static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    const svc_engine *e = ctx;
    (void)arena;
    (void)err;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (request->platform == ATLS_PLATFORM_ANDROID && e->list != NULL) {
        out->android = e->list->status;
    }
    return true;
}

static svc_revoked *hold_list(svc_revoked *l)
{
    if (l != NULL) {
        atomic_fetch_add(&l->n_holders, 1);
    }
    return l;
}

bool svc_engine_new(svc_generation *g, svc_revoked *list, svc_engine **out, atls_error *err)
{
    svc_engine *e = calloc(1, sizeof *e);
    *out = NULL;
    if (e == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "engine", NULL);
    }
    atomic_init(&e->n_holders, 1);
    e->generation = svc_generation_hold(g);
    e->list = hold_list(list);
    const atls_enroller_options options = {
        .android = g->android,
        .apple = g->apple,
        .proof_oid = g->config.proof_oid,
        .offset_s = g->config.verification_offset_s,
        .endorse = endorse,
        .endorse_ctx = e,
        .hide_codes = !g->config.explanations,
    };
    if (!atls_enroller_new(&options, &e->enroller, err)) {
        svc_engine_drop(e);
        return false;
    }
    *out = e;
    return true;
}

void svc_engine_drop(svc_engine *e)
{
    if (e == NULL || atomic_fetch_sub(&e->n_holders, 1) != 1) {
        return;
    }
    atls_enroller_free(e->enroller);
    svc_revoked_drop(e->list);
    svc_generation_drop(e->generation);
    free(e);
}

svc_engine *svc_engine_take(atls_service *s)
{
    (void)pthread_mutex_lock(&s->lock);
    svc_engine *e = s->engine;
    atomic_fetch_add(&e->n_holders, 1);
    (void)pthread_mutex_unlock(&s->lock);
    return e;
}

void svc_engine_put(atls_service *s, svc_engine *e)
{
    (void)pthread_mutex_lock(&s->lock);
    svc_engine *old = s->engine;
    s->engine = e;
    (void)pthread_mutex_unlock(&s->lock);
    svc_engine_drop(old); /* requests that run with it hold it */
}

/* ---- clocks ---- */

int64_t svc_now_ms(const atls_service *s)
{
    struct timespec t;
    if (s->options.now_ms != NULL) {
        return s->options.now_ms(s->options.now_ctx);
    }
    if (clock_gettime(CLOCK_REALTIME, &t) != 0 || t.tv_sec <= 0) {
        return 0;
    }
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t svc_tick_us(void)
{
    struct timespec t;
    return clock_gettime(CLOCK_MONOTONIC, &t) == 0 ? (uint64_t)t.tv_sec * 1000000 + (uint64_t)(t.tv_nsec / 1000) : 0;
}
