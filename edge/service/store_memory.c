/* SPDX-License-Identifier: Apache-2.0 */
/* store_memory.c: a store within the process: a table of digests, and a heap of them by expiry.
 *
 * Entries lie in one array; a bucket and a place in the heap are numbers of entries. One lock, held for a few steps. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "store_kind.h"

#define NOWHERE UINT32_MAX

typedef struct entry {
    uint8_t digest[ATLS_CHALLENGE_DIGEST_LEN];
    int64_t expires_ms;
    uint32_t next; /* in its bucket, or in the list of free ones */
    bool is_used;
} entry;

typedef struct memory {
    pthread_mutex_t lock;
    entry *entries;
    uint32_t *buckets; /* n_buckets, a power of two */
    uint32_t *heap;    /* the one that expires first on top */
    uint32_t n_buckets;
    uint32_t n;     /* entries that are held, and in the heap */
    uint32_t n_new; /* entries from here on were never used */
    uint32_t free;
    uint32_t max;
    int64_t keep_ms;
} memory;

/* ---- the heap -------------------------------------------------------------------------------------------------------------- */

static bool is_before(const memory *m, uint32_t a, uint32_t b)
{
    return m->entries[m->heap[a]].expires_ms < m->entries[m->heap[b]].expires_ms;
}

static void swap(memory *m, uint32_t a, uint32_t b)
{
    const uint32_t kept = m->heap[a];
    m->heap[a] = m->heap[b];
    m->heap[b] = kept;
}

static void heap_push(memory *m, uint32_t index)
{
    uint32_t at = m->n++;
    m->heap[at] = index;
    while (at > 0 && is_before(m, at, (at - 1) / 2)) {
        swap(m, at, (at - 1) / 2);
        at = (at - 1) / 2;
    }
}

static uint32_t heap_pop(memory *m)
{
    const uint32_t top = m->heap[0];
    m->heap[0] = m->heap[--m->n];
    uint32_t at = 0;
    for (;;) {
        uint32_t least = at;
        for (uint32_t child = 2 * at + 1; child <= 2 * at + 2 && child < m->n; child++) {
            least = is_before(m, child, least) ? child : least;
        }
        if (least == at) {
            return top;
        }
        swap(m, at, least);
        at = least;
    }
}

/* ---- the table ------------------------------------------------------------------------------------------------------------- */

/* Nonces that are held are our own, so nobody chooses who shares a bucket. */
static uint32_t *bucket_of(memory *m, const uint8_t *digest)
{
    uint32_t n = 0;
    memcpy(&n, digest, sizeof n);
    return &m->buckets[n & (m->n_buckets - 1)];
}

static entry *find(memory *m, const uint8_t *digest)
{
    for (uint32_t i = *bucket_of(m, digest); i != NOWHERE; i = m->entries[i].next) {
        if (memcmp(m->entries[i].digest, digest, ATLS_CHALLENGE_DIGEST_LEN) == 0) {
            return &m->entries[i];
        }
    }
    return NULL;
}

static void forget_first(memory *m)
{
    const uint32_t gone = heap_pop(m);
    uint32_t *at = bucket_of(m, m->entries[gone].digest);
    while (*at != gone) {
        at = &m->entries[*at].next;
    }
    *at = m->entries[gone].next;
    m->entries[gone].next = m->free;
    m->free = gone;
}

/* Forgets some of what expired before this instant. */
static void sweep(memory *m, int64_t before_ms)
{
    for (unsigned i = 0; i < ATLS_CHALLENGE_SWEEP && m->n > 0; i++) {
        if (m->entries[m->heap[0]].expires_ms >= before_ms) {
            return;
        }
        forget_first(m);
    }
}

static void add(memory *m, const uint8_t *digest, int64_t expires_ms)
{
    uint32_t i = m->free;
    if (i == NOWHERE) {
        i = m->n_new++;
    } else {
        m->free = m->entries[i].next;
    }
    entry *e = &m->entries[i];
    memcpy(e->digest, digest, sizeof e->digest);
    e->expires_ms = expires_ms;
    e->is_used = false;
    uint32_t *bucket = bucket_of(m, digest);
    e->next = *bucket;
    *bucket = i;
    heap_push(m, i);
}

/* ---- the kind -------------------------------------------------------------------------------------------------------------- */

static bool memory_insert(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                          int64_t expires_ms, bool *is_full, atls_error *err)
{
    memory *m = self;
    (void)pthread_mutex_lock(&m->lock);
    sweep(m, now_ms - m->keep_ms);
    if (m->n == m->max) {
        sweep(m, now_ms);
    }
    const bool is_twice = find(m, digest) != NULL;
    const bool has_room = m->n < m->max;
    if (!is_twice && has_room) {
        add(m, digest, expires_ms);
    }
    (void)pthread_mutex_unlock(&m->lock);
    if (is_twice) {
        return atls_challenge_twice(err);
    }
    return has_room || atls_challenge_full(is_full, err);
}

static bool memory_consume(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                           atls_consumed *out, atls_error *err)
{
    memory *m = self;
    (void)err;
    (void)pthread_mutex_lock(&m->lock);
    entry *e = find(m, digest);
    if (e == NULL) {
        *out = ATLS_CONSUMED_UNKNOWN;
    } else if (e->is_used) {
        *out = ATLS_CONSUMED_USED;
    } else if (now_ms > e->expires_ms) {
        *out = ATLS_CONSUMED_EXPIRED;
    } else {
        e->is_used = true;
        *out = ATLS_CONSUMED_FRESH;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return true;
}

static bool memory_count(void *self, int64_t now_ms, atls_challenges_numbers *out, atls_error *err)
{
    memory *m = self;
    (void)err;
    (void)pthread_mutex_lock(&m->lock);
    out->held = m->n;
    for (uint32_t i = 0; i < m->n; i++) {
        const entry *e = &m->entries[m->heap[i]];
        out->outstanding += !e->is_used && now_ms <= e->expires_ms ? 1 : 0;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return true;
}

static bool memory_ping(void *self, atls_error *err)
{
    (void)self;
    (void)err;
    return true;
}

static void release(memory *m)
{
    free(m->entries);
    free(m->buckets);
    free(m->heap);
    free(m);
}

static void memory_close(void *self)
{
    memory *m = self;
    (void)pthread_mutex_destroy(&m->lock);
    release(m);
}

const atls_challenge_kind atls_challenge_memory = {
    "memory", memory_insert, memory_consume, memory_count, memory_ping, memory_close,
};

/* All of it at once: pages that nobody touched cost nothing, and later nothing can fail. */
static bool allocate(memory *m, uint32_t max)
{
    m->max = max;
    m->n_buckets = 1;
    while (m->n_buckets < max) {
        m->n_buckets *= 2;
    }
    m->entries = calloc(max, sizeof *m->entries);
    m->heap = calloc(max, sizeof *m->heap);
    m->buckets = malloc(m->n_buckets * sizeof *m->buckets);
    m->free = NOWHERE;
    return m->entries != NULL && m->heap != NULL && m->buckets != NULL;
}

bool atls_challenge_memory_open(const atls_challenges_options *o, void **out, atls_error *err)
{
    memory *m = calloc(1, sizeof *m);
    if (m == NULL || !allocate(m, o->max_outstanding)) {
        if (m != NULL) {
            release(m);
        }
        (void)atls_fail(err, ATLS_E_MEMORY, "store", NULL);
        return false;
    }
    memset(m->buckets, 0xff, m->n_buckets * sizeof *m->buckets); /* NOWHERE */
    m->keep_ms = o->keep_ms;
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        release(m);
        (void)atls_fail(err, ATLS_E_INTERNAL, "store", "no lock could be made");
        return false;
    }
    *out = m;
    return true;
}
