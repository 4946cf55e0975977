/* SPDX-License-Identifier: Apache-2.0 */
/* refresh.c: what will soon be stale is fetched again: when somebody says so, and by a thread. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/tls/clock.h"
#include "fetcher.h"

/* ---- what is due ------------------------------------------------------------------------------------------------------- */

typedef struct round {
    atls_fetcher *f;
    atls_time now;
    atls_time due; /* what is not fresh then */
    bool heeds_failures;
    size_t n; /* fetched */
    atls_error *err;
} round;

static bool is_stopping(atls_fetcher *f)
{
    return atomic_load(&f->downloader.stop);
}

static bool is_ours(const atls_fetcher *f, const atls_piece *p, const atls_piece_id *id)
{
    return id->kind == ATLS_FETCHED_DOCUMENT || atls_fetch_has_source(f, p->source, id->kind);
}

static void renew(round *r, const atls_piece *p, const atls_piece_id *id)
{
    atls_claim claim;
    atls_error why = {0};
    atls_flight_outcome o;
    atls_flight flight = {
        .id = id,
        .path = p->path,
        .now = r->now,
        .due = r->due,
        .deadline_ms = atls_clock_ms() + r->f->options.total_timeout_ms,
    };
    const atls_claimed claimed =
        atls_store_claim(&r->f->store, p->path, ATLS_CLAIM_RENEW, r->now, flight.deadline_ms, &claim, &why);
    if (claimed == ATLS_CLAIMED_FLIGHT) {
        flight.before = claim.piece;
        atls_flight_go(r->f, &flight, &o);
        atls_store_land(&r->f->store, &claim, o.piece, o.has_failed ? &o.failure : NULL, r->now, o.failure_s);
        r->n += o.was_downloaded ? 1 : 0;
        why = o.has_failed ? o.failure : why;
        atls_piece_release(o.piece);
        atls_piece_release(claim.piece);
    }
    if (why.code != ATLS_OK && r->err->code == ATLS_OK) {
        *r->err = why;
    }
}

static bool go_round(round *r)
{
    atls_piece **all = NULL;
    size_t n = 0;
    if (!atls_store_pieces(&r->f->store, &all, &n)) {
        (void)atls_fail(r->err, ATLS_E_MEMORY, "fetcher", NULL);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_piece_id id;
        const bool is_kept = all[i]->fetched < all[i]->valid_until; /* else it was for the one who asked */
        const bool is_due = !atls_piece_is_fresh(all[i], r->now) || all[i]->fresh_until <= r->due;
        if (is_kept && is_due && !is_stopping(r->f) && atls_piece_parse(all[i]->path, &id) && is_ours(r->f, all[i], &id)
            && !(r->heeds_failures && atls_store_has_failure(&r->f->store, all[i]->path, r->now))) {
            renew(r, all[i], &id);
        }
        atls_piece_release(all[i]);
    }
    free(all);
    return r->err->code == ATLS_OK;
}

/* ---- the folder, into memory ------------------------------------------------------------------------------------------- */

typedef struct loading {
    atls_fetcher *f;
    atls_time now;
    atls_arena scratch;
} loading;

/* Of the folder's and the one in memory neither takes a step back from the other, or the newer one is it. */
static void put(loading *l, const atls_piece_id *id, atls_piece *p)
{
    char ignored[ATLS_PIECE_WHY];
    atls_error why = {0};
    bool older = false;
    bool newer = false;
    atls_piece *before = atls_store_peek(&l->f->store, p->path);
    const bool is_there = atls_piece_is_valid(before, l->now);
    if (!is_there
        || (atls_piece_is_older(id->kind, &p->parts, &before->parts, &l->scratch, &older, ignored, &why) && !older
            && atls_piece_is_older(id->kind, &before->parts, &p->parts, &l->scratch, &newer, ignored, &why))) {
        atls_store_put(&l->f->store, p, newer);
    }
    atls_piece_release(before);
}

static void load_entry(void *ctx, const atls_entry *entry)
{
    loading *l = ctx;
    atls_error why = {0};
    atls_piece_id id;
    if (!atls_piece_parse(entry->path, &id)
        || (id.kind != ATLS_FETCHED_DOCUMENT && !atls_fetch_has_source(l->f, entry->source, id.kind))) {
        return;
    }
    atls_piece *p = atls_fetch_from_entry(l->f, entry, l->now, &l->scratch, &why);
    atls_arena_reset(&l->scratch);
    if (p != NULL) {
        put(l, &id, p);
        atls_arena_reset(&l->scratch);
        atls_piece_release(p);
    }
}

static void load_refused(void *ctx, const atls_error *why)
{
    const loading *l = ctx;
    (void)atomic_fetch_add(&l->f->counts.disk_refused, 1);
    atls_fetch_disk_problem(l->f, why);
}

static bool load_folder(atls_fetcher *f, atls_time now, atls_error *err)
{
    atls_arena entries;
    loading l = {.f = f, .now = now};
    const atls_disk_visitor visitor = {.entry = load_entry, .refused = load_refused, .ctx = &l};
    if (f->disk.fd < 0) {
        return true;
    }
    if (!atls_arena_new(&l.scratch, ATLS_FETCH_SCRATCH, err)) {
        return false;
    }
    if (!atls_arena_new(&entries, ATLS_MAX_ENTRY_LEN + 4096, err)) {
        atls_arena_free(&l.scratch);
        return false;
    }
    const bool ok = atls_disk_each(&f->disk, &visitor, &entries, err);
    atls_arena_free(&entries);
    atls_arena_free(&l.scratch);
    return ok;
}

bool atls_fetcher_refresh(atls_fetcher *f, uint32_t within_s, size_t *n, atls_error *err)
{
    round r = {.f = f, .err = err};
    if (n != NULL) {
        *n = 0;
    }
    if (!atls_fetch_now(f, &r.now, err) || !load_folder(f, r.now, err)) {
        return false;
    }
    r.due = r.now + (atls_time)within_s;
    const bool ok = go_round(&r);
    if (n != NULL) {
        *n = r.n;
    }
    return ok;
}

/* ---- the thread -------------------------------------------------------------------------------------------------------- */

/* True: there is something to do; false: it is over. */
static bool wait_turn(atls_fetcher *f)
{
    const uint64_t until_ms = atls_clock_ms() + (uint64_t)f->options.background_interval_s * 1000;
    const struct timespec until = {.tv_sec = (time_t)(until_ms / 1000), .tv_nsec = (long)(until_ms % 1000) * 1000000L};
    int reason = 0;
    (void)pthread_mutex_lock(&f->lock);
    while (!f->stopping && !f->is_woken && reason == 0) {
        reason = pthread_cond_timedwait(&f->wake, &f->lock, &until);
    }
    f->is_woken = false;
    const bool goes_on = !f->stopping;
    (void)pthread_mutex_unlock(&f->lock);
    return goes_on;
}

static void *run(void *arg)
{
    atls_fetcher *f = arg;
    while (wait_turn(f)) {
        atls_error ignored = {0}; /* remembered with the piece, and counted */
        round r = {.f = f, .heeds_failures = true, .err = &ignored};
        if (atls_fetch_now(f, &r.now, &ignored)) {
            r.due = r.now;
            (void)go_round(&r);
        }
    }
    return NULL;
}

bool atls_fetch_start(atls_fetcher *f, atls_error *err)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the program's */
    f->has_thread = pthread_create(&f->thread, NULL, run, f) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!f->has_thread) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no thread could be started");
    }
    return f->has_thread;
}

void atls_fetch_wake(atls_fetcher *f)
{
    if (f->has_thread) {
        (void)pthread_mutex_lock(&f->lock);
        f->is_woken = true;
        (void)pthread_cond_signal(&f->wake);
        (void)pthread_mutex_unlock(&f->lock);
    }
}

void atls_fetch_stop(atls_fetcher *f)
{
    if (!f->has_thread) {
        return;
    }
    atomic_store(&f->downloader.stop, true);
    (void)pthread_mutex_lock(&f->lock);
    f->stopping = true;
    (void)pthread_cond_signal(&f->wake);
    (void)pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->thread, NULL);
    f->has_thread = false;
}
