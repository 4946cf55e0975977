/* SPDX-License-Identifier: Apache-2.0 */
/* cache.c: a hash table and two lists, newest first. */
#include "cache.h"

#include <stdlib.h>
#include <string.h>

#define LOCK_TRIES 20000u /* some 10 us: a thousand times what the lock is held for */

typedef struct entry_list {
    atls_cached *newest;
    atls_cached *oldest;
    size_t n;
} entry_list;

struct atls_cache {
    atomic_bool is_locked;
    size_t max_entries;
    size_t max_again; /* three quarters of them */
    size_t max_len;
    /* under the lock */
    entry_list once;
    entry_list again;
    size_t n_buckets; /* a power of two */
    atls_cached **buckets;
    /* written under the lock, read by anybody */
    atomic_size_t n;
    atomic_size_t len;
    atomic_uint_fast64_t hits;
    atomic_uint_fast64_t misses;
    atomic_uint_fast64_t evictions;
    atomic_uint_fast64_t passed_over;
};

static void add(atomic_uint_fast64_t *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* ---- the lock ---- */

static bool lock(atls_cache *c)
{
    for (unsigned i = 0; i < LOCK_TRIES; i++) {
        if (!atomic_load_explicit(&c->is_locked, memory_order_relaxed)
            && !atomic_exchange_explicit(&c->is_locked, true, memory_order_acquire)) {
            return true;
        }
    }
    add(&c->passed_over);
    return false;
}

static void unlock(atls_cache *c)
{
    atomic_store_explicit(&c->is_locked, false, memory_order_release);
}

/* ---- references ---- */

void atls_cached_release(atls_cached *held)
{
    if (held != NULL && atomic_fetch_sub_explicit(&held->references, 1, memory_order_acq_rel) == 1) {
        held->destroy(held);
    }
}

/* Entries that were taken out, chained by `next`. */
static void release_all(atls_cached *out)
{
    while (out != NULL) {
        atls_cached *next = out->next;
        atls_cached_release(out);
        out = next;
    }
}

/* ---- lists and buckets, under the lock ---- */

static void list_remove(entry_list *l, atls_cached *e)
{
    *(e->newer == NULL ? &l->newest : &e->newer->older) = e->older;
    *(e->older == NULL ? &l->oldest : &e->older->newer) = e->newer;
    l->n--;
}

static void list_add(entry_list *l, atls_cached *e)
{
    e->newer = NULL;
    e->older = l->newest;
    *(l->newest == NULL ? &l->oldest : &l->newest->newer) = e;
    l->newest = e;
    l->n++;
}

static entry_list *list_of(atls_cache *c, const atls_cached *e)
{
    return e->is_known ? &c->again : &c->once;
}

/* Keys are hashes: any of their bytes will do. */
static atls_cached **bucket_of(atls_cache *c, const uint8_t key[32])
{
    size_t index = 0;
    for (size_t i = 0; i < sizeof index; i++) {
        index = index << 8 | key[i];
    }
    return &c->buckets[index & (c->n_buckets - 1)];
}

static atls_cached *find(atls_cache *c, const uint8_t key[32])
{
    atls_cached *e = *bucket_of(c, key);
    while (e != NULL && memcmp(e->key, key, sizeof e->key) != 0) {
        e = e->next;
    }
    return e;
}

/* Takes an entry out; it is chained to `out`. */
static void take_out(atls_cache *c, atls_cached *e, atls_cached **out)
{
    atls_cached **at = bucket_of(c, e->key);
    while (*at != e) {
        at = &(*at)->next;
    }
    *at = e->next;
    list_remove(list_of(c, e), e);
    (void)atomic_fetch_sub_explicit(&c->n, 1, memory_order_relaxed);
    (void)atomic_fetch_sub_explicit(&c->len, e->len, memory_order_relaxed);
    e->next = *out;
    *out = e;
}

/* Who is met again moves to the front of the others; the one that was longest unseen there waits among the once seen. */
static void meet_again(atls_cache *c, atls_cached *e)
{
    list_remove(list_of(c, e), e);
    e->is_known = true;
    list_add(&c->again, e);
    if (c->again.n > c->max_again) {
        atls_cached *last = c->again.oldest;
        list_remove(&c->again, last);
        last->is_known = false;
        list_add(&c->once, last);
    }
}

/* ---- the doors ---- */

bool atls_cache_new(size_t max_entries, size_t max_len, atls_cache **out, atls_error *err)
{
    *out = NULL;
    atls_cache *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "cache", NULL);
    }
    c->n_buckets = 1;
    while (c->n_buckets < max_entries && c->n_buckets <= SIZE_MAX / 4) {
        c->n_buckets *= 2;
    }
    c->max_entries = max_entries;
    c->max_again = max_entries - max_entries / 4 - (max_entries % 4 == 0 ? 0 : 1);
    c->max_len = max_len;
    c->buckets = calloc(c->n_buckets, sizeof(atls_cached *));
    if (c->buckets == NULL) {
        free(c);
        return atls_fail(err, ATLS_E_MEMORY, "cache", NULL);
    }
    *out = c;
    return true;
}

void atls_cache_free(atls_cache *c)
{
    if (c == NULL) {
        return;
    }
    for (size_t i = 0; i < c->n_buckets; i++) {
        release_all(c->buckets[i]);
    }
    free(c->buckets);
    free(c);
}

atls_cached *atls_cache_find(atls_cache *c, const uint8_t key[32], atls_time now)
{
    if (c == NULL) {
        return NULL;
    }
    atls_cached *found = NULL;
    if (lock(c)) {
        atls_cached *e = find(c, key);
        if (e != NULL && now >= e->from && now <= e->until) {
            (void)atomic_fetch_add_explicit(&e->references, 1, memory_order_relaxed);
            meet_again(c, e);
            found = e;
        }
        unlock(c);
    }
    add(found == NULL ? &c->misses : &c->hits);
    return found;
}

static void make_room(atls_cache *c, size_t len, atls_cached **out)
{
    while (atomic_load_explicit(&c->n, memory_order_relaxed) >= c->max_entries
           || atomic_load_explicit(&c->len, memory_order_relaxed) > c->max_len - len) {
        const entry_list *from = c->once.n > 0 ? &c->once : &c->again;
        take_out(c, from->oldest, out);
        add(&c->evictions);
    }
}

static void put_in(atls_cache *c, atls_cached *fresh, atls_cached **out)
{
    atls_cached *old = find(c, fresh->key);
    fresh->is_known = old != NULL && old->is_known;
    if (old != NULL) {
        take_out(c, old, out);
    }
    make_room(c, fresh->len, out);
    atls_cached **at = bucket_of(c, fresh->key);
    fresh->next = *at;
    *at = fresh;
    list_add(list_of(c, fresh), fresh);
    (void)atomic_fetch_add_explicit(&c->n, 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&c->len, fresh->len, memory_order_relaxed);
}

void atls_cache_put(atls_cache *c, atls_cached *fresh)
{
    atls_cached *out = NULL;
    atomic_init(&fresh->references, 1);
    fresh->next = NULL;
    if (c != NULL && fresh->len <= c->max_len / 4 && lock(c)) {
        put_in(c, fresh, &out);
        unlock(c);
    } else {
        out = fresh;
    }
    release_all(out);
}

atls_cache_numbers atls_cache_count(const atls_cache *c)
{
    if (c == NULL) {
        return (atls_cache_numbers){0};
    }
    return (atls_cache_numbers){
        .hits = atomic_load_explicit(&c->hits, memory_order_relaxed),
        .misses = atomic_load_explicit(&c->misses, memory_order_relaxed),
        .evictions = atomic_load_explicit(&c->evictions, memory_order_relaxed),
        .passed_over = atomic_load_explicit(&c->passed_over, memory_order_relaxed),
        .entries = atomic_load_explicit(&c->n, memory_order_relaxed),
        .len = atomic_load_explicit(&c->len, memory_order_relaxed),
    };
}
