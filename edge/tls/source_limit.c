/* SPDX-License-Identifier: Apache-2.0 */
/* source_limit.c: token buckets that many threads share. The lock is held for the few steps of one set. */
#include "source_limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define DEFAULT_PER_MINUTE  60u
#define DEFAULT_MAX_SOURCES 4096u
#define MAX_SOURCES         1048576u
#define SOURCE_TEXT_SIZE    64u /* an IPv6 address and what is written behind it */

struct atls_source_limit {
    uint32_t per_minute;
    uint32_t burst;
    pthread_mutex_t lock; /* guards everything below */
    atls_buckets *buckets;
    atls_source_limit_counts counts;
};

static uint32_t or_default(uint32_t given, uint32_t otherwise)
{
    return given == 0 ? otherwise : given;
}

bool atls_source_limit_new(const atls_source_limit_options *options, atls_source_limit **out, atls_error *err)
{
    static const atls_source_limit_options defaults;
    const atls_source_limit_options *o = options == NULL ? &defaults : options;
    *out = NULL;
    if (o->max_sources > MAX_SOURCES) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "max_sources", "at most %u sources are remembered", MAX_SOURCES);
    }
    atls_source_limit *l = calloc(1, sizeof *l);
    if (l == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "source_limit", NULL);
    }
    l->per_minute = or_default(o->per_minute, DEFAULT_PER_MINUTE);
    l->burst = or_default(o->burst, l->per_minute);
    if (!atls_buckets_new(or_default(o->max_sources, DEFAULT_MAX_SOURCES), &l->buckets, err)) {
        free(l);
        return false;
    }
    if (pthread_mutex_init(&l->lock, NULL) != 0) {
        atls_buckets_free(l->buckets);
        free(l);
        return atls_fail(err, ATLS_E_MEMORY, "source_limit", "the system has no lock left");
    }
    *out = l;
    return true;
}

void atls_source_limit_free(atls_source_limit *l)
{
    if (l != NULL) {
        (void)pthread_mutex_destroy(&l->lock);
        atls_buckets_free(l->buckets);
        free(l);
    }
}

atls_address atls_address_of_any(const struct sockaddr *source)
{
    return source == NULL ? (atls_address){{0}} : atls_address_of(source);
}

static void write_source(const atls_address *source, char out[SOURCE_TEXT_SIZE])
{
    struct in6_addr in6 = {{{0}}};
    const bool is_4 = source->bytes[0] == 4;
    memcpy(&in6, source->bytes + 1, 8);
    if (source->bytes[0] == 0
        || inet_ntop(is_4 ? AF_INET : AF_INET6, is_4 ? (const void *)(source->bytes + 1) : &in6, out, SOURCE_TEXT_SIZE)
               == NULL) {
        memcpy(out, "unknown", sizeof "unknown");
        return;
    }
    if (!is_4) {
        memcpy(out + strlen(out), "/64", sizeof "/64");
    }
}

static bool take(atls_source_limit *l, const atls_address *source, uint64_t now_ms, uint32_t *retry_s)
{
    (void)pthread_mutex_lock(&l->lock);
    const bool ok = atls_buckets_take(l->buckets, source, l->per_minute, l->burst, now_ms, retry_s);
    uint64_t *n = ok ? &l->counts.allowed : &l->counts.refused;
    (*n)++;
    (void)pthread_mutex_unlock(&l->lock);
    return ok;
}

bool atls_source_limit_take_at(atls_source_limit *l, const atls_address *source, uint64_t now_ms, atls_error *err)
{
    char actual[SOURCE_TEXT_SIZE];
    char expected[64];
    uint32_t retry_s = 0;
    if (now_ms == UINT64_MAX) {
        return atls_fail(err, ATLS_E_INTERNAL, "clock", "the system's monotonic clock cannot be read");
    }
    if (take(l, source, now_ms, &retry_s)) {
        return true;
    }
    write_source(source, actual);
    (void)snprintf(expected, sizeof expected, "%u at once, %u a minute", (unsigned)l->burst, (unsigned)l->per_minute);
    return atls_fail_values(err, ATLS_E_LIMIT, "source_limit", expected, actual,
                            "this address has asked for evidence too often: again in %u s", (unsigned)retry_s);
}

bool atls_source_limit_take(atls_source_limit *l, const struct sockaddr *source, atls_error *err)
{
    const atls_address address = atls_address_of_any(source);
    return atls_source_limit_take_at(l, &address, atls_clock_ms(), err);
}

atls_source_limit_counts atls_source_limit_count(atls_source_limit *l)
{
    (void)pthread_mutex_lock(&l->lock);
    const atls_source_limit_counts out = l->counts;
    (void)pthread_mutex_unlock(&l->lock);
    return out;
}
