/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c: the fetcher, and one piece for whoever wants it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/tls/clock.h"
#include "fetcher.h"

bool atls_fetch_now(const atls_fetcher *f, atls_time *out, atls_error *err)
{
    if (f->options.now == NULL) {
        return atls_clock_now(out, err);
    }
    *out = f->options.now(f->options.now_ctx);
    if (*out <= ATLS_TIME_UNSET) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "clock", "the clock that was given says nothing");
        return false;
    }
    return true;
}

/* ---- one piece --------------------------------------------------------------------------------------------------------- */

static atls_piece *fly(atls_fetcher *f, const atls_flight *flight, const atls_claim *claim, atls_error *err)
{
    atls_flight_outcome o;
    atls_flight_go(f, flight, &o);
    atls_store_land(&f->store, claim, o.piece, o.has_failed ? &o.failure : NULL, flight->now, o.failure_s);
    atls_piece_release(claim->piece);
    if (o.has_failed && (o.piece == NULL || (flight->skips_disk && !o.kept_newer))) {
        *err = o.failure;
        atls_piece_release(o.piece);
        return NULL;
    }
    if (o.has_failed) {
        (void)atomic_fetch_add(&f->counts.stale, 1);
    }
    return o.piece;
}

atls_piece *atls_fetch_piece(atls_fetcher *f, const atls_piece_id *id, bool replaces, uint64_t deadline_ms,
                             atls_error *err)
{
    char path[ATLS_URL_SIZE];
    atls_claim claim;
    atls_flight flight = {.id = id, .path = path, .deadline_ms = deadline_ms, .skips_disk = replaces};
    atls_piece_path(id, path);
    if (!atls_fetch_now(f, &flight.now, err)) {
        return NULL;
    }
    flight.due = flight.now;
    switch (atls_store_claim(&f->store, path, replaces ? ATLS_CLAIM_REPLACE : ATLS_CLAIM_USE, flight.now, deadline_ms,
                             &claim, err)) {
    case ATLS_CLAIMED_PIECE:
        if (!atls_piece_is_fresh(claim.piece, flight.now)) {
            atls_fetch_wake(f);
        }
        return claim.piece;
    case ATLS_CLAIMED_FLIGHT:
        flight.before = claim.piece;
        return fly(f, &flight, &claim, err);
    default:
        return NULL;
    }
}

/* ---- birth and end ----------------------------------------------------------------------------------------------------- */

static bool init_locks(atls_fetcher *f, atls_error *err)
{
    pthread_condattr_t attributes;
    bool ok = pthread_mutex_init(&f->lock, NULL) == 0;
    if (ok && pthread_condattr_init(&attributes) != 0) {
        (void)pthread_mutex_destroy(&f->lock);
        ok = false;
    } else if (ok) {
        ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0
             && pthread_cond_init(&f->wake, &attributes) == 0;
        (void)pthread_condattr_destroy(&attributes);
        if (!ok) {
            (void)pthread_mutex_destroy(&f->lock);
        }
    }
    if (!ok) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no lock could be made");
    }
    return ok;
}

static bool open_disk(atls_fetcher *f, atls_error *err)
{
    const atls_fetcher_options *o = &f->options;
    f->disk.fd = -1;
    return o->cache_folder == NULL
           || atls_disk_open(o->cache_folder, f->crypto, o->disk_max_entries, o->disk_max_len, o->cache_reads_only,
                             &f->disk, err);
}

/* Made one after the other, and undone in the opposite order where one cannot be made. */
static bool open_parts(atls_fetcher *f, atls_error *err)
{
    const atls_fetcher_options *o = &f->options;
    f->store.crypto = f->crypto;
    f->store.max_entries = o->max_entries;
    f->store.max_len = o->max_len;
    f->store.serves_stale = o->background;
    f->downloader.proxy = o->proxy;
    f->downloader.ca_file = o->ca_file;
    f->downloader.user_agent = o->user_agent;
    f->downloader.connect_timeout_ms = o->connect_timeout_ms;
    f->downloader.max_header_len = o->max_certificate_len;
    if (!init_locks(f, err)) {
        return false;
    }
    if (atls_hosts_init(&f->hosts, err)) {
        if (atls_store_init(&f->store, err)) {
            if (atls_downloader_init(&f->downloader, err)) {
                if (open_disk(f, err) && (!o->background || atls_fetch_start(f, err))) {
                    return true;
                }
                atls_disk_close(&f->disk);
                atls_downloader_destroy(&f->downloader);
            }
            atls_store_destroy(&f->store);
        }
        atls_hosts_destroy(&f->hosts);
    }
    (void)pthread_cond_destroy(&f->wake);
    (void)pthread_mutex_destroy(&f->lock);
    return false;
}

/* Roots are kept by their hashes; the caller's bytes are not needed any more. */
static bool hash_roots(atls_fetcher *f, atls_error *err)
{
    if (f->options.n_roots > ATLS_MAX_FETCH_ROOTS) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, "roots", "more than %u", ATLS_MAX_FETCH_ROOTS);
        return false;
    }
    for (size_t i = 0; i < f->options.n_roots; i++) {
        if (!atls_digest(f->crypto, ATLS_SHA256, &f->options.roots[i], 1, f->roots.sha256[i], err)) {
            return false;
        }
    }
    f->roots.n = f->options.n_roots;
    f->options.roots = NULL;
    return true;
}

static void free_rest(atls_fetcher *f)
{
    for (size_t i = 0; i < sizeof f->texts / sizeof f->texts[0]; i++) {
        free(f->texts[i]);
    }
    atls_crypto_free(f->crypto);
    free(f);
}

bool atls_fetcher_new(const atls_fetcher_options *options, atls_fetcher **out, atls_error *err)
{
    *out = NULL;
    atls_fetcher *f = calloc(1, sizeof *f);
    if (f == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "fetcher", NULL);
        return false;
    }
    if (!atls_fetch_options(options, f, err) || !atls_crypto_new(&f->crypto, err) || !hash_roots(f, err)
        || !open_parts(f, err)) {
        free_rest(f);
        return false;
    }
    *out = f;
    return true;
}

void atls_fetcher_free(atls_fetcher *f)
{
    if (f == NULL) {
        return;
    }
    atls_fetch_stop(f);
    atls_disk_close(&f->disk);
    atls_downloader_destroy(&f->downloader);
    atls_store_destroy(&f->store);
    atls_hosts_destroy(&f->hosts);
    (void)pthread_cond_destroy(&f->wake);
    (void)pthread_mutex_destroy(&f->lock);
    free_rest(f);
}

atls_fetcher_counts atls_fetcher_count(atls_fetcher *f)
{
    const atls_store_counts s = atls_store_count(&f->store);
    atls_fetcher_counts c = {
        .requests = atomic_load(&f->counts.requests),
        .hits = s.hits,
        .disk_hits = atomic_load(&f->counts.disk_hits),
        .stale = s.stale + atomic_load(&f->counts.stale),
        .coalesced = s.coalesced,
        .negative = s.negative,
        .failures = atomic_load(&f->counts.failures),
        .throttled = atomic_load(&f->counts.throttled),
        .evictions = s.evictions,
        .disk_refused = atomic_load(&f->counts.disk_refused),
        .disk_failed = atomic_load(&f->counts.disk_failed),
        .older = atomic_load(&f->counts.older),
        .entries = s.entries,
        .len = s.len,
    };
    (void)pthread_mutex_lock(&f->lock);
    (void)snprintf(c.disk_problem, sizeof c.disk_problem, "%s", f->disk_problem);
    (void)snprintf(c.older_answer, sizeof c.older_answer, "%s", f->older_answer);
    (void)pthread_mutex_unlock(&f->lock);
    return c;
}

/* ---- documents --------------------------------------------------------------------------------------------------------- */

bool atls_fetcher_document(atls_fetcher *f, const char *url, atls_arena *arena, atls_fetched *out, atls_error *err)
{
    atls_piece_id id = {.kind = ATLS_FETCHED_DOCUMENT};
    *out = (atls_fetched){.kind = ATLS_FETCHED_DOCUMENT};
    if (!atls_url_check(url, f->options.insecure_http, "url", err)) {
        return false;
    }
    (void)snprintf(id.url, sizeof id.url, "%s", url);
    atls_piece *p = atls_fetch_piece(f, &id, false, atls_clock_ms() + f->options.total_timeout_ms, err);
    if (p == NULL) {
        return false;
    }
    const bool ok = atls_fetch_describe(p, true, arena, out, err);
    atls_piece_release(p);
    return ok;
}
