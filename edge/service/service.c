/* SPDX-License-Identifier: Apache-2.0 */
/* service.c: puts the pieces together, and takes them apart in reverse order. */
#include "service.h"

#include <stdlib.h>

#include "internal.h"

#define OPTIONS_ARENA_SIZE ((size_t)64 * 1024)
#define MIB                ((size_t)1024 * 1024)

static bool open_store(atls_service *s, const svc_config *c, atls_error *err)
{
    /* Used and expired challenges are remembered too: twice what may be outstanding has room for them. */
    const uint64_t held = c->max_challenges * 2;
    const atls_challenges_options o = {
        .max_outstanding = (uint32_t)(held < ATLS_CHALLENGES_MAX_OUTSTANDING ? held : ATLS_CHALLENGES_MAX_OUTSTANDING),
    };
    return atls_challenges_open(c->store, &o, &s->store, err);
}

static bool open_audit(atls_service *s, const svc_config *c, atls_error *err)
{
    atls_audit_found found = {0};
    const atls_audit_options o = {.fsync = c->audit_fsync};
    if (c->audit_file == NULL) {
        return true;
    }
    if (!atls_audit_open(c->audit_file, &o, svc_now_ms(s), &s->audit, &found, err)) {
        return false;
    }
    if (found.is_torn) {
        svc_log(s, SVC_WARNING, "the last line of the audit log was torn, and has been sealed");
    }
    return true;
}

static bool make(atls_service *s, atls_error *err)
{
    svc_generation *g = NULL;
    const int64_t now_ms = svc_now_ms(s);
    if (now_ms <= 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "clock", "nobody knows the time");
    }
    if (!svc_generation_load(s->config_file, now_ms, 1, &g, err)) {
        return false;
    }
    const svc_config *c = &g->config; /* the engine holds it from now on */
    bool ok = svc_engine_new(g, NULL, &s->engine, err);
    svc_generation_drop(g);
    ok = ok && open_store(s, c, err) && open_audit(s, c, err) && svc_server_new(s, &s->server, err)
         && svc_pool_new((size_t)c->workers, (size_t)c->queue, (size_t)c->arena_mib * MIB, svc_run_job, s,
                         svc_server_wake_fd(s->server), &s->pool, err)
         && svc_keeper_new(s, &s->keeper, err);
    return ok;
}

bool atls_service_new(const atls_service_options *options, atls_service **out, atls_error *err)
{
    atls_service *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL || pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s);
        return atls_fail(err, ATLS_E_MEMORY, "service", NULL);
    }
    s->options = *options;
    s->begun_ms = svc_tick_us() / 1000;
    if (!atls_arena_new(&s->arena, OPTIONS_ARENA_SIZE, err)) {
        atls_service_free(s);
        return false;
    }
    s->config_file = atls_text_copy(atls_bytes_str(options->config_file), &s->arena, err);
    if (s->config_file == NULL || !make(s, err)) {
        atls_service_free(s);
        return false;
    }
    *out = s;
    return true;
}

bool atls_service_run(atls_service *s, atls_error *err)
{
    svc_log(s, SVC_INFO, "serving at port %u", (unsigned)svc_server_port(s->server, false));
    if (svc_server_port(s->server, true) != 0) {
        svc_log(s, SVC_INFO, "health and metrics at port %u", (unsigned)svc_server_port(s->server, true));
    }
    svc_notify("READY=1");
    if (!svc_server_run(s->server, err)) {
        svc_log_error(s, SVC_ERROR, "ended", err);
        return false;
    }
    svc_log(s, SVC_INFO, "ended");
    return true;
}

void atls_service_stop(atls_service *s)
{
    svc_server_stop(s->server);
}

void atls_service_reload(atls_service *s)
{
    svc_keeper_reload(s->keeper);
}

uint16_t atls_service_port(const atls_service *s, bool is_admin)
{
    return svc_server_port(s->server, is_admin);
}

void atls_service_free(atls_service *s)
{
    if (s == NULL) {
        return;
    }
    svc_keeper_free(s->keeper);
    svc_pool_free(s->pool);
    svc_server_free(s->server);
    atls_audit_close(s->audit);
    atls_challenges_close(s->store);
    svc_engine_drop(s->engine);
    (void)pthread_mutex_destroy(&s->lock);
    atls_arena_free(&s->arena);
    free(s);
}
