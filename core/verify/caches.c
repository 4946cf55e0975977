/* SPDX-License-Identifier: Apache-2.0 */
/* caches.c: how much a verifier remembers. */
#include "caches.h"

#include <stdlib.h>

#include "verifier.h"

#define DEFAULT_PLATFORMS        16384u
#define DEFAULT_ENDORSEMENTS     64u
#define DEFAULT_ENDORSEMENTS_LEN ((size_t)16 * 1024 * 1024)
#define MAX_PLATFORM_LEN         4096u /* more than any room keeps of one; entries bound that cache, not bytes */

/* A share for what peers sent: at least one. */
static size_t quarter(size_t n)
{
    return n < 4 ? 1 : n / 4;
}

static bool make(const atls_verifier_options *o, atls_caches *c, atls_error *err)
{
    const size_t n_platforms = o->max_platforms == 0 ? DEFAULT_PLATFORMS : o->max_platforms;
    const size_t n_sets = o->max_endorsements == 0 ? DEFAULT_ENDORSEMENTS : o->max_endorsements;
    const size_t len = o->max_endorsements_len == 0 ? DEFAULT_ENDORSEMENTS_LEN : o->max_endorsements_len;
    const size_t platforms_len = n_platforms > SIZE_MAX / MAX_PLATFORM_LEN ? SIZE_MAX : n_platforms * MAX_PLATFORM_LEN;
    return atls_cache_new(n_sets, len, &c->endorsements, err)
           && atls_cache_new(quarter(n_sets), quarter(len), &c->stapled, err)
           && atls_cache_new(n_platforms, platforms_len, &c->platforms, err);
}

bool atls_caches_new(const atls_verifier_options *options, atls_caches **out, atls_error *err)
{
    static const atls_verifier_options defaults;
    *out = NULL;
    if (options != NULL && options->no_cache) {
        return true;
    }
    atls_caches *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "verifier.caches", NULL);
    }
    if (!make(options == NULL ? &defaults : options, c, err)) {
        atls_caches_free(c);
        return false;
    }
    *out = c;
    return true;
}

void atls_caches_free(atls_caches *c)
{
    if (c != NULL) {
        atls_cache_free(c->endorsements);
        atls_cache_free(c->stapled);
        atls_cache_free(c->platforms);
        free(c);
    }
}

static atls_cache_counts count(const atls_cache *c)
{
    const atls_cache_numbers n = atls_cache_count(c);
    return (atls_cache_counts){
        .hits = n.hits, .misses = n.misses, .evictions = n.evictions, .entries = n.entries, .len = n.len};
}

atls_verifier_counts atls_caches_count(const atls_caches *c)
{
    if (c == NULL) {
        return (atls_verifier_counts){0};
    }
    return (atls_verifier_counts){
        .endorsements = count(c->endorsements), .stapled = count(c->stapled), .platforms = count(c->platforms)};
}

/* ---- the newest date ---- */

static atls_time later(atls_time a, atls_time b)
{
    return a > b ? a : b;
}

/* Nothing that an accepted appraisal used was issued after its `now`, and nothing here ever is. */
void atls_caches_note(atls_caches *c, const atls_claims *claims, const atls_links *links)
{
    const atls_time documents = claims->dcap.latest_issue <= links->now ? claims->dcap.latest_issue : ATLS_TIME_UNSET;
    const atls_time issued = later(documents, links->newest_issue);
    if (c == NULL) {
        return;
    }
    atls_time known = atomic_load(&c->newest_issue);
    while (issued > known && !atomic_compare_exchange_weak(&c->newest_issue, &known, issued)) {
    }
}

static atls_time newest_of(const atls_verifier *v)
{
    const atls_caches *c = v == NULL ? NULL : atls_verifier_caches(v);
    return c == NULL ? ATLS_TIME_UNSET : atomic_load(&c->newest_issue);
}

atls_time atls_verifier_newest_issue(const atls_verifier *v)
{
    atls_time newest = later(newest_of(v), newest_of(v->hardware));
    for (size_t i = 0; i < v->n_alternatives; i++) {
        newest = later(newest, atls_verifier_newest_issue(v->alternatives[i]));
    }
    return newest;
}
