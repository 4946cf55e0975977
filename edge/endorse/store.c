/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: slots, claims and flights. The lock is held for a few steps of a list, never while anything is fetched. */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edge/tls/clock.h"

struct atls_slot {
    uint8_t key[32]; /* of the path: names may be chosen by whoever wants our buckets to be long */
    atls_slot *next; /* in its bucket */
    atls_slot *newer;
    atls_slot *older;
    atls_piece *piece;   /* NULL: none */
    atls_error *failure; /* of the last flight; NULL: it did not fail */
    atls_time failed;
    atls_time failed_until;
    bool is_flying;
    bool has_brought;   /* the last flight brought a piece */
    uint64_t n_landed;  /* flights so far */
    uint32_t n_waiting; /* who wait for this one, and will look at the slot */
    size_t len;
};

/* ---- lists: everything here holds the lock --------------------------------------------------------------------------- */

static size_t bucket_of(const atls_store *s, const uint8_t key[static 32])
{
    size_t n = 0;
    memcpy(&n, key, sizeof n);
    return n % s->n_buckets;
}

static void unlink_age(atls_store *s, atls_slot *x)
{
    *(x->newer == NULL ? &s->newest : &x->newer->older) = x->older;
    *(x->older == NULL ? &s->oldest : &x->older->newer) = x->newer;
    x->newer = NULL;
    x->older = NULL;
}

static void link_newest(atls_store *s, atls_slot *x)
{
    x->older = s->newest;
    *(s->newest == NULL ? &s->oldest : &s->newest->newer) = x;
    s->newest = x;
}

static void touch(atls_store *s, atls_slot *x)
{
    if (s->newest != x) {
        unlink_age(s, x);
        link_newest(s, x);
    }
}

static atls_slot *find(const atls_store *s, const uint8_t key[static 32])
{
    atls_slot *x = s->buckets[bucket_of(s, key)];
    while (x != NULL && memcmp(x->key, key, sizeof x->key) != 0) {
        x = x->next;
    }
    return x;
}

/* Out of every list; destroy() follows. */
static void detach(atls_store *s, atls_slot *x)
{
    atls_slot **at = &s->buckets[bucket_of(s, x->key)];
    while (*at != x) {
        at = &(*at)->next;
    }
    *at = x->next;
    unlink_age(s, x);
    x->is_flying = true; /* nobody picks it a second time */
    s->counts.entries--;
    s->counts.len -= x->len;
}

static void destroy(atls_slot *x)
{
    atls_piece_release(x->piece);
    free(x->failure);
    free(x);
}

static void weigh(atls_store *s, atls_slot *x)
{
    s->counts.len -= x->len;
    x->len = sizeof *x + (x->piece == NULL ? 0 : x->piece->len) + (x->failure == NULL ? 0 : sizeof *x->failure);
    s->counts.len += x->len;
}

/* Whoever is not waited for; of those the oldest without a piece, else the oldest. */
static atls_slot *pick_victim(const atls_store *s, const atls_slot *keep)
{
    atls_slot *best = NULL;
    for (atls_slot *x = s->oldest; x != NULL; x = x->newer) {
        if (x == keep || x->is_flying || x->n_waiting > 0) {
            continue;
        }
        if (x->piece == NULL) {
            return x;
        }
        best = best == NULL ? x : best;
    }
    return best;
}

static void make_room(atls_store *s, const atls_slot *keep)
{
    atls_slot *gone = NULL;
    while (s->counts.entries > s->max_entries || s->counts.len > s->max_len) {
        atls_slot *x = pick_victim(s, keep);
        if (x == NULL) {
            break; /* everything is under way: bounded by the number of threads */
        }
        detach(s, x);
        x->next = gone;
        gone = x;
        s->counts.evictions++;
    }
    while (gone != NULL) {
        atls_slot *next = gone->next;
        destroy(gone);
        gone = next;
    }
}

static atls_slot *find_or_make(atls_store *s, const uint8_t key[static 32])
{
    atls_slot *x = find(s, key);
    if (x != NULL) {
        touch(s, x);
        return x;
    }
    x = calloc(1, sizeof *x);
    if (x == NULL) {
        return NULL;
    }
    memcpy(x->key, key, sizeof x->key);
    x->next = s->buckets[bucket_of(s, key)];
    s->buckets[bucket_of(s, key)] = x;
    link_newest(s, x);
    s->counts.entries++;
    weigh(s, x);
    make_room(s, x);
    return x;
}

/* ---- birth and end ----------------------------------------------------------------------------------------------------- */

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

bool atls_store_init(atls_store *s, atls_error *err)
{
    s->newest = NULL;
    s->oldest = NULL;
    s->counts = (atls_store_counts){.hits = 0};
    s->n_buckets = s->max_entries < 4096 ? 1024 : s->max_entries;
    s->buckets = calloc(s->n_buckets, sizeof(atls_slot *));
    if (s->buckets == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "fetcher", NULL);
        return false;
    }
    if (pthread_mutex_init(&s->lock, NULL) != 0) {
        free(s->buckets);
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no lock could be made");
        return false;
    }
    if (!init_condition(&s->landed)) {
        (void)pthread_mutex_destroy(&s->lock);
        free(s->buckets);
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no condition could be made");
        return false;
    }
    return true;
}

void atls_store_destroy(atls_store *s)
{
    for (atls_slot *x = s->newest; x != NULL;) {
        atls_slot *older = x->older;
        destroy(x);
        x = older;
    }
    (void)pthread_cond_destroy(&s->landed);
    (void)pthread_mutex_destroy(&s->lock);
    free(s->buckets);
}

/* ---- claims ------------------------------------------------------------------------------------------------------------ */

static bool remembers_failure(const atls_slot *x, atls_time now)
{
    return x->failure != NULL && x->failed <= now && now < x->failed_until;
}

static atls_claimed give(atls_slot *x, atls_claim *out)
{
    out->slot = NULL;
    out->piece = atls_piece_hold(x->piece);
    return ATLS_CLAIMED_PIECE;
}

static atls_claimed lead(atls_slot *x, atls_claim *out)
{
    x->is_flying = true;
    out->slot = x;
    out->piece = atls_piece_hold(x->piece);
    return ATLS_CLAIMED_FLIGHT;
}

static atls_claimed refuse(const atls_slot *x, atls_error *err)
{
    *err = *x->failure;
    return ATLS_CLAIMED_FAILED;
}

/* False: the deadline passed first. */
static bool wait_landing(atls_store *s, atls_slot *x, uint64_t deadline_ms)
{
    const struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                                   .tv_nsec = (long)(deadline_ms % 1000) * 1000000L};
    const uint64_t landed = x->n_landed;
    int reason = 0;
    x->n_waiting++;
    while (x->is_flying && x->n_landed == landed && reason != ETIMEDOUT) {
        reason = pthread_cond_timedwait(&s->landed, &s->lock, &until);
    }
    x->n_waiting--;
    return x->n_landed != landed;
}

/* What can be said without waiting; NOTHING: a flight is needed. */
static atls_claimed answer_use(atls_store *s, atls_slot *x, atls_time now, atls_claim *out, atls_error *err)
{
    if (atls_piece_is_fresh(x->piece, now)) {
        s->counts.hits++;
        return give(x, out);
    }
    if (atls_piece_is_valid(x->piece, now)) {
        if (x->is_flying || s->serves_stale || remembers_failure(x, now)) {
            s->counts.stale++;
            return give(x, out);
        }
        return ATLS_CLAIMED_NOTHING;
    }
    if (!x->is_flying && remembers_failure(x, now)) {
        s->counts.negative++;
        return refuse(x, err);
    }
    return ATLS_CLAIMED_NOTHING;
}

/* The outcome of the flight that was waited for, whatever it was. */
static atls_claimed share(atls_slot *x, atls_claim *out, atls_error *err)
{
    if (x->has_brought) {
        return give(x, out);
    }
    return x->failure == NULL ? ATLS_CLAIMED_NOTHING : refuse(x, err);
}

static atls_claimed claim_slot(atls_store *s, atls_slot *x, atls_claim_mode mode, atls_time now, uint64_t deadline_ms,
                               atls_claim *out, atls_error *err)
{
    if (mode == ATLS_CLAIM_RENEW) {
        return x->is_flying ? ATLS_CLAIMED_NOTHING : lead(x, out);
    }
    if (mode == ATLS_CLAIM_USE) {
        const atls_claimed now_known = answer_use(s, x, now, out, err);
        if (now_known != ATLS_CLAIMED_NOTHING) {
            return now_known;
        }
    }
    bool has_waited = false;
    while (x->is_flying) {
        s->counts.coalesced += has_waited ? 0 : 1;
        has_waited = true;
        if (!wait_landing(s, x, deadline_ms)) {
            (void)atls_fail(err, ATLS_E_TIMEOUT, "endorsements", "somebody else's request was waited for too long");
            return ATLS_CLAIMED_FAILED;
        }
        const atls_claimed shared = mode == ATLS_CLAIM_USE ? share(x, out, err) : ATLS_CLAIMED_NOTHING;
        if (shared != ATLS_CLAIMED_NOTHING) {
            return shared;
        }
    }
    return lead(x, out);
}

static bool key_of(const atls_store *s, const char *path, uint8_t key[static 32], atls_error *err)
{
    const atls_bytes name = atls_bytes_str(path);
    return atls_digest(s->crypto, ATLS_SHA256, &name, 1, key, err);
}

atls_claimed atls_store_claim(atls_store *s, const char *path, atls_claim_mode mode, atls_time now,
                              uint64_t deadline_ms, atls_claim *out, atls_error *err)
{
    uint8_t key[32];
    *out = (atls_claim){.slot = NULL};
    if (!key_of(s, path, key, err)) {
        return ATLS_CLAIMED_FAILED;
    }
    (void)pthread_mutex_lock(&s->lock);
    atls_slot *x = find_or_make(s, key);
    atls_claimed claimed = ATLS_CLAIMED_FAILED;
    if (x == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "fetcher", NULL);
    } else {
        claimed = claim_slot(s, x, mode, now, deadline_ms, out, err);
    }
    (void)pthread_mutex_unlock(&s->lock);
    return claimed;
}

/* ---- landing ----------------------------------------------------------------------------------------------------------- */

static void set_failure(atls_slot *x, const atls_error *failure, atls_time failed, uint32_t failure_s)
{
    if (failure == NULL) {
        free(x->failure);
        x->failure = NULL;
        return;
    }
    if (x->failure == NULL) {
        x->failure = malloc(sizeof *x->failure);
    }
    if (x->failure != NULL) { /* without memory whoever waits tries on their own */
        *x->failure = *failure;
        x->failed = failed;
        x->failed_until = failed + (atls_time)failure_s;
    }
}

static void set_piece(atls_slot *x, atls_piece *piece)
{
    atls_piece *before = x->piece;
    x->piece = atls_piece_hold(piece);
    atls_piece_release(before);
}

void atls_store_land(atls_store *s, const atls_claim *claim, atls_piece *piece, const atls_error *failure,
                     atls_time failed, uint32_t failure_s)
{
    atls_slot *x = claim->slot;
    (void)pthread_mutex_lock(&s->lock);
    if (piece != NULL) {
        set_piece(x, piece);
    }
    set_failure(x, failure, failed, failure_s);
    weigh(s, x);
    x->has_brought = piece != NULL;
    x->is_flying = false;
    x->n_landed++;
    make_room(s, NULL);
    (void)pthread_cond_broadcast(&s->landed);
    (void)pthread_mutex_unlock(&s->lock);
}

void atls_store_put(atls_store *s, atls_piece *piece, bool replaces)
{
    uint8_t key[32];
    atls_error ignored = {0};
    if (!key_of(s, piece->path, key, &ignored)) {
        return;
    }
    (void)pthread_mutex_lock(&s->lock);
    atls_slot *x = find_or_make(s, key);
    if (x != NULL && (replaces || x->piece == NULL || x->piece->fetched < piece->fetched)) {
        set_piece(x, piece);
        weigh(s, x);
        make_room(s, NULL);
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* ---- looking at it ----------------------------------------------------------------------------------------------------- */

atls_piece *atls_store_peek(atls_store *s, const char *path)
{
    uint8_t key[32];
    atls_error ignored = {0};
    if (!key_of(s, path, key, &ignored)) {
        return NULL;
    }
    (void)pthread_mutex_lock(&s->lock);
    const atls_slot *x = find(s, key);
    atls_piece *p = x == NULL ? NULL : atls_piece_hold(x->piece);
    (void)pthread_mutex_unlock(&s->lock);
    return p;
}

bool atls_store_pieces(atls_store *s, atls_piece ***out, size_t *n)
{
    *n = 0;
    (void)pthread_mutex_lock(&s->lock);
    atls_piece **all = calloc((size_t)s->counts.entries + 1, sizeof(atls_piece *));
    for (atls_slot *x = s->newest; all != NULL && x != NULL; x = x->older) {
        if (x->piece != NULL) {
            all[(*n)++] = atls_piece_hold(x->piece);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    *out = all;
    return all != NULL;
}

bool atls_store_has_failure(atls_store *s, const char *path, atls_time now)
{
    uint8_t key[32];
    atls_error ignored = {0};
    if (!key_of(s, path, key, &ignored)) {
        return false;
    }
    (void)pthread_mutex_lock(&s->lock);
    const atls_slot *x = find(s, key);
    const bool has = x != NULL && remembers_failure(x, now);
    (void)pthread_mutex_unlock(&s->lock);
    return has;
}

atls_store_counts atls_store_count(atls_store *s)
{
    (void)pthread_mutex_lock(&s->lock);
    const atls_store_counts counts = s->counts;
    (void)pthread_mutex_unlock(&s->lock);
    return counts;
}
