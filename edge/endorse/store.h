/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: pieces in memory, and who is on the way for which.
 *
 * Every name of a piece has a slot, which holds the piece, or what went wrong the last time, or both, and whether somebody is
 * fetching it right now: the flight. Whoever claims a name gets the piece, or is told the failure, or becomes the one who
 * fetches; everybody else waits, and shares the outcome.
 *
 * Slots are bounded in number and bytes. Room is made by those without a piece first, so that names nobody has anything
 * for (they may come out of forged evidence) push out nothing but each other; then by those used longest ago. */
#ifndef ATLS_EDGE_ENDORSE_STORE_H
#define ATLS_EDGE_ENDORSE_STORE_H

#include <pthread.h>
#include <stdatomic.h>

#include "piece.h"

/* A piece in memory: never changed, shared by reference. */
typedef struct atls_piece {
    atomic_size_t references;
    const char *source;
    const char *path;
    atls_time fetched;
    atls_time fresh_until;
    atls_time valid_until;
    atls_piece_parts parts; /* everything is in the same block of memory */
    size_t len;             /* of the block */
} atls_piece;

/* atls_piece_new copies everything; NULL when there is no memory. One reference is the caller's. */
atls_piece *atls_piece_new(const char *source, const char *path, const atls_piece_parts *parts);
atls_piece *atls_piece_hold(atls_piece *p); /* NULL is fine */
void atls_piece_release(atls_piece *p);     /* same */

bool atls_piece_is_fresh(const atls_piece *p, atls_time now);
bool atls_piece_is_valid(const atls_piece *p, atls_time now);

typedef struct atls_slot atls_slot;

typedef struct atls_store_counts {
    uint64_t hits;
    uint64_t stale;
    uint64_t coalesced;
    uint64_t negative;
    uint64_t evictions;
    uint64_t entries;
    uint64_t len;
} atls_store_counts;

typedef struct atls_store {
    const atls_crypto *crypto;
    size_t max_entries;
    size_t max_len;
    bool serves_stale; /* at once, because somebody else fetches it again */
    /* the store's own */
    pthread_mutex_t lock;  /* guards everything below */
    pthread_cond_t landed; /* a flight is over. Monotonic */
    atls_slot **buckets;
    size_t n_buckets;
    atls_slot *newest;
    atls_slot *oldest;
    atls_store_counts counts;
} atls_store;

/* atls_store_init wants the first four members. Errors: MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_store_init(atls_store *s, atls_error *err);
void atls_store_destroy(atls_store *s);

typedef enum atls_claim_mode {
    ATLS_CLAIM_USE,     /* whatever may be used */
    ATLS_CLAIM_RENEW,   /* one that is fetched in any case, unless somebody is doing that: then NOTHING */
    ATLS_CLAIM_REPLACE, /* one that is fetched in any case, by us */
} atls_claim_mode;

typedef enum atls_claimed {
    ATLS_CLAIMED_FAILED = 0, /* err is set */
    ATLS_CLAIMED_PIECE,
    ATLS_CLAIMED_FLIGHT, /* the caller fetches, and calls atls_store_land whatever comes of it */
    ATLS_CLAIMED_NOTHING,
} atls_claimed;

typedef struct atls_claim {
    atls_slot *slot;
    atls_piece *piece; /* PIECE: held for the caller. FLIGHT: what was there, held; NULL: nothing */
} atls_claim;

/* atls_store_claim claims a name. It waits for somebody else's flight until deadline_ms (atls_clock_ms).
 * Errors: TIMEOUT, MEMORY, INTERNAL, and the failure of a flight, now or a moment ago. */
ATLS_MUST_USE atls_claimed atls_store_claim(atls_store *s, const char *path, atls_claim_mode mode, atls_time now,
                                            uint64_t deadline_ms, atls_claim *out, atls_error *err);

/* atls_store_land ends a flight. piece: what it brought, which the store holds for itself from now on; NULL: nothing, what was
 * there stays. failure: what went wrong, remembered while failed <= now < failed + failure_s; NULL: nothing did. */
void atls_store_land(atls_store *s, const atls_claim *claim, atls_piece *piece, const atls_error *failure,
                     atls_time failed, uint32_t failure_s);

/* atls_store_put takes a piece that came from elsewhere, unless there is one already that was fetched later; with `replaces` in
 * any case. */
void atls_store_put(atls_store *s, atls_piece *piece, bool replaces);

/* atls_store_peek gives the piece of that name, held; NULL: there is none. */
atls_piece *atls_store_peek(atls_store *s, const char *path);

/* atls_store_pieces gives all pieces, held, newest first; the caller releases each, and frees the array. False: no memory. */
ATLS_MUST_USE bool atls_store_pieces(atls_store *s, atls_piece ***out, size_t *n);

/* atls_store_has_failure tells whether a failure of this name is remembered. */
bool atls_store_has_failure(atls_store *s, const char *path, atls_time now);

atls_store_counts atls_store_count(atls_store *s);

#endif
