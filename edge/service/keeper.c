/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c: what happens beside requests: a new configuration, a newer list of revoked keys, a look at the store. Each waits for
 * things that take long, so each has a thread; whoever has made something new puts it in force under one lock. */
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "internal.h"

#define STORE_LOOK_MS 1000u

struct svc_keeper {
    atls_service *service;
    pthread_mutex_t lock; /* of the members below it */
    pthread_cond_t news;
    bool reload_wanted;
    bool is_ending;
    pthread_mutex_t change; /* held while one engine is made out of another */
    svc_lists *lists;       /* the list's thread */
    uint64_t n_generations; /* the reloader's */
    pthread_t threads[3];
    size_t n_threads;
};

/* Waits for ms. False: it is over. */
static bool rest(svc_keeper *k, uint64_t ms)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&k->lock);
    int waited = 0;
    while (!k->is_ending && waited == 0) {
        waited = pthread_cond_timedwait(&k->news, &k->lock, &until);
    }
    const bool goes_on = !k->is_ending;
    (void)pthread_mutex_unlock(&k->lock);
    return goes_on;
}

static void note(atls_service *s, char *where, size_t size, const atls_error *err)
{
    char line[256] = "";
    if (err != NULL) {
        (void)atls_error_line(err, line, sizeof line);
    }
    (void)pthread_mutex_lock(&s->lock);
    (void)snprintf(where, size, "%s", line);
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- configuration ---- */

static bool put_generation(svc_keeper *k, svc_generation *g, atls_error *err)
{
    svc_engine *next = NULL;
    (void)pthread_mutex_lock(&k->change);
    svc_engine *now = svc_engine_take(k->service);
    const char *fixed = svc_config_fixed(&now->generation->config, &g->config);
    const bool ok = fixed == NULL
                        ? svc_files_enough(&g->config, err) && svc_engine_new(g, now->list, &next, err)
                        : atls_fail(err, ATLS_E_CONFIGURATION, fixed, "a change of this member needs a restart");
    if (ok) {
        svc_engine_put(k->service, next);
    }
    svc_engine_drop(now);
    (void)pthread_mutex_unlock(&k->change);
    return ok;
}

static void say_warnings(const atls_service *s, const svc_config *c)
{
    for (size_t i = 0; i < c->n_warnings; i++) {
        svc_log(s, SVC_WARNING, "%s", c->warnings[i]);
    }
}

static void reload(svc_keeper *k)
{
    atls_service *s = k->service;
    atls_error err = {0};
    svc_generation *g = NULL;
    const int64_t now_ms = svc_now_ms(s);
    if (s->audit != NULL && !atls_audit_reopen(s->audit, now_ms, &err)) {
        svc_log_error(s, SVC_ERROR, "the audit log cannot be opened again", &err);
        atls_error_clear(&err);
    }
    if (!svc_generation_load(s->config_file, now_ms, k->n_generations + 1, &g, &err) || !put_generation(k, g, &err)) {
        svc_generation_drop(g);
        svc_count(&s->metrics, SVC_N_reload_failures);
        svc_log_error(s, SVC_ERROR, "the new configuration was refused, the old one stays in force", &err);
        note(s, s->reload_error, sizeof s->reload_error, &err);
        return;
    }
    k->n_generations++;
    say_warnings(s, &g->config);
    svc_generation_drop(g);
    svc_count(&s->metrics, SVC_N_reloads);
    svc_log(s, SVC_INFO, "configuration %llu is in force", (unsigned long long)k->n_generations);
    note(s, s->reload_error, sizeof s->reload_error, NULL);
}

static void *keep_configuration(void *arg)
{
    svc_keeper *k = arg;
    for (;;) {
        (void)pthread_mutex_lock(&k->lock);
        while (!k->is_ending && !k->reload_wanted) {
            (void)pthread_cond_wait(&k->news, &k->lock);
        }
        const bool is_ending = k->is_ending;
        k->reload_wanted = false;
        (void)pthread_mutex_unlock(&k->lock);
        if (is_ending) {
            return NULL;
        }
        svc_notify("RELOADING=1");
        reload(k);
        svc_notify("READY=1");
    }
}

/* ---- list ---- */

static bool put_list(svc_keeper *k, svc_revoked *list, atls_error *err)
{
    svc_engine *next = NULL;
    (void)pthread_mutex_lock(&k->change);
    svc_engine *now = svc_engine_take(k->service);
    const bool ok = svc_engine_new(now->generation, list, &next, err);
    if (ok) {
        svc_engine_put(k->service, next);
    }
    svc_engine_drop(now);
    (void)pthread_mutex_unlock(&k->change);
    return ok;
}

static void look_at_list(svc_keeper *k)
{
    atls_service *s = k->service;
    atls_error err = {0};
    svc_revoked *fresh = NULL;
    svc_engine *now = svc_engine_take(s);
    const atls_time time = (atls_time)(svc_now_ms(s) / 1000);
    bool ok = svc_lists_look(k->lists, &now->generation->config, now->list, time, &fresh, &err);
    if (ok && fresh != NULL) {
        ok = put_list(k, fresh, &err);
        if (ok) {
            svc_count(&s->metrics, SVC_N_list_loads);
            svc_log(s, SVC_INFO, "list of revoked keys: %zu entries", fresh->n_entries);
        }
        svc_revoked_drop(fresh);
    }
    if (!ok) {
        svc_count(&s->metrics, SVC_N_list_failures);
        svc_log_error(s, SVC_WARNING, "the list of revoked keys could not be had", &err);
    }
    note(s, s->list_error, sizeof s->list_error, ok ? NULL : &err);
    svc_engine_drop(now);
}

/* Replicas that were started together do not ask together. */
static uint64_t jitter(uint64_t ms)
{
    uint16_t r = 0;
    if (RAND_bytes((unsigned char *)&r, sizeof r) != 1) {
        return ms;
    }
    return ms - ms / 8 + ms / 4 * r / 65536;
}

static void *keep_list(void *arg)
{
    svc_keeper *k = arg;
    uint64_t poll_ms = 0;
    do {
        look_at_list(k);
        svc_engine *now = svc_engine_take(k->service);
        poll_ms = jitter(now->generation->config.status_poll_s * 1000);
        svc_engine_drop(now);
    } while (rest(k, poll_ms));
    return NULL;
}

/* ---- store ---- */

static void look_at_store(atls_service *s)
{
    atls_error err = {0};
    atls_challenges_numbers n = {0};
    const int64_t now_ms = svc_now_ms(s);
    const uint64_t since = atomic_load(&s->stored.since);
    const bool ok = atls_challenges_ping(s->store, &err) && atls_challenges_count(s->store, now_ms, &n, &err);
    (void)pthread_mutex_lock(&s->lock);
    const bool was = s->stored.is_reachable;
    s->stored.is_reachable = ok;
    s->stored.looked_ms = now_ms;
    if (ok) {
        s->stored.outstanding = n.outstanding;
        atomic_fetch_sub(&s->stored.since, since);
    }
    (void)pthread_mutex_unlock(&s->lock);
    if (was && !ok) {
        svc_log_error(s, SVC_ERROR, "the store cannot be reached", &err);
    } else if (!was && ok) {
        svc_log(s, SVC_INFO, "the store can be reached");
    }
}

static void *keep_store(void *arg)
{
    svc_keeper *k = arg;
    while (rest(k, STORE_LOOK_MS)) {
        look_at_store(k->service);
    }
    return NULL;
}

/* ---- */

static bool start(svc_keeper *k, void *(*run)(void *arg), atls_error *err)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    const int failed = pthread_create(&k->threads[k->n_threads], NULL, run, k);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "keeper", "a thread cannot be started");
    }
    k->n_threads++;
    return true;
}

static bool make_locks(svc_keeper *k)
{
    pthread_condattr_t monotonic;
    if (pthread_condattr_init(&monotonic) != 0) {
        return false;
    }
    const bool ok = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0
                    && pthread_cond_init(&k->news, &monotonic) == 0 && pthread_mutex_init(&k->lock, NULL) == 0
                    && pthread_mutex_init(&k->change, NULL) == 0;
    (void)pthread_condattr_destroy(&monotonic);
    return ok;
}

bool svc_keeper_new(atls_service *s, svc_keeper **out, atls_error *err)
{
    svc_keeper *k = calloc(1, sizeof *k);
    *out = NULL;
    if (k == NULL || !make_locks(k)) {
        free(k);
        return atls_fail(err, ATLS_E_MEMORY, "keeper", NULL);
    }
    const svc_config *c = &s->engine->generation->config; /* nobody else is there yet */
    k->service = s;
    k->n_generations = 1;
    bool ok = svc_lists_new(c, &k->lists, err);
    if (ok) {
        say_warnings(s, c);
        look_at_store(s);
        if (c->status_file != NULL) {
            look_at_list(k); /* a file is there at once; the network may take its time */
        }
    }
    ok = ok && start(k, keep_configuration, err) && start(k, keep_list, err) && start(k, keep_store, err);
    if (!ok) {
        svc_keeper_free(k);
        return false;
    }
    *out = k;
    return true;
}

void svc_keeper_reload(svc_keeper *k)
{
    (void)pthread_mutex_lock(&k->lock);
    k->reload_wanted = true;
    (void)pthread_cond_broadcast(&k->news);
    (void)pthread_mutex_unlock(&k->lock);
}

void svc_keeper_free(svc_keeper *k)
{
    if (k == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&k->lock);
    k->is_ending = true;
    (void)pthread_cond_broadcast(&k->news);
    (void)pthread_mutex_unlock(&k->lock);
    for (size_t i = 0; i < k->n_threads; i++) {
        (void)pthread_join(k->threads[i], NULL);
    }
    svc_lists_free(k->lists);
    (void)pthread_cond_destroy(&k->news);
    (void)pthread_mutex_destroy(&k->lock);
    (void)pthread_mutex_destroy(&k->change);
    free(k);
}
