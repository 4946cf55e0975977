/* SPDX-License-Identifier: Apache-2.0 */
/* cache.h: a bounded memory of answers that were yes.
 *
 * What is remembered never changes again, and is shared by reference. It is found by 32 bytes, which its owner makes of
 * everything that the answer depends on, and only at instants within its window. Nothing here knows what it means: a
 * reader who wants to know why a remembered yes equals a fresh one reads the owner's key and window.
 *
 * Bounds. At most max_entries, of max_len bytes together; an entry of more than a quarter of max_len is not taken. Who
 * is met for the first time waits in a list of its own, and only who is met again moves to the other one, which may
 * hold three quarters: so however many come once, those who come often stay.
 *
 * Threads. Any number may share a cache. Its lock is held for the few steps of a list, never while anything is computed,
 * allocated or freed. Whoever does not get it soon goes on as if nothing were remembered: a thread that was put to sleep
 * inside costs the others time, and never stops them. That is also why it is no mutex: the core needs no threads library,
 * and a cache may always forget. */
#ifndef ATLS_BASE_CACHE_H
#define ATLS_BASE_CACHE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "atls/error.h"
#include "atls/time.h"

typedef struct atls_cache atls_cache;

/* The head of whatever is remembered: its first member. The owner fills the first five and forgets the others. */
typedef struct atls_cached {
    uint8_t key[32];
    atls_time from;  /* the answer holds from this instant */
    atls_time until; /* to this one, both included */
    size_t len;      /* bytes that the whole object occupies */
    void (*destroy)(struct atls_cached *self);
    /* the cache's own */
    atomic_size_t references;
    struct atls_cached *next; /* in its bucket */
    struct atls_cached *newer;
    struct atls_cached *older;
    bool is_known; /* met again */
} atls_cached;

/* What a verifier remembers. Each room makes keys of its own; any of the three may be NULL, which remembers nothing. */
typedef struct atls_caches {
    atls_cache *endorsements; /* of one's own sources */
    atls_cache *stapled;      /* with pieces that a peer sent: apart, so that a peer pushes out nothing but those */
    atls_cache *platforms;
    _Atomic(atls_time) newest_issue; /* of what vouched in accepted appraisals; only grows */
} atls_caches;

/* atls_cache_new makes an empty cache; max_entries is at least 1. The caller's (atls_cache_free). Errors: MEMORY. */
ATLS_MUST_USE bool atls_cache_new(size_t max_entries, size_t max_len, atls_cache **out, atls_error *err);

/* atls_cache_free frees it; NULL is fine. What somebody still holds lives on until it is released. */
void atls_cache_free(atls_cache *c);

/* atls_cache_find gives the entry with this key if `now` is within its window; NULL otherwise, and for c NULL. The
 * caller releases it, and changes nothing in it. */
atls_cached *atls_cache_find(atls_cache *c, const uint8_t key[32], atls_time now);

/* atls_cache_put takes `fresh` over, which nobody else has yet: it takes the place of the entry with the same key, and
 * others make room for it. It is released at once where it cannot be kept. */
void atls_cache_put(atls_cache *c, atls_cached *fresh);

/* atls_cached_release gives a reference back; NULL is fine. The last one destroys the object. */
void atls_cached_release(atls_cached *held);

/* For tests and benchmarks. Each number is right by itself; together they are of no one instant. */
typedef struct atls_cache_numbers {
    uint64_t hits;
    uint64_t misses;      /* unknown, outside the window, or the lock was taken */
    uint64_t evictions;   /* made room for others; not: replaced by the same key */
    uint64_t passed_over; /* times that the lock was not to be had */
    size_t entries;
    size_t len; /* bytes */
} atls_cache_numbers;
atls_cache_numbers atls_cache_count(const atls_cache *c);

#endif
