/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.c: token buckets. A token is 60,000 parts, so that a rate a minute and a clock of milliseconds stay whole numbers. */
#include "buckets.h"

#include <netinet/in.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define WAYS  8u
#define TOKEN 60000u

typedef struct bucket {
    atls_address who;
    bool is_used;
    uint64_t parts; /* in it at `at_ms` */
    uint64_t at_ms;
} bucket;

struct atls_buckets {
    uint8_t key[32];
    size_t n_sets;
    bucket *buckets; /* n_sets * WAYS */
};

atls_address atls_address_of(const struct sockaddr *sa)
{
    atls_address out = {{0}};
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in4;
        memcpy(&in4, sa, sizeof in4);
        out.bytes[0] = 4;
        memcpy(out.bytes + 1, &in4.sin_addr, 4);
    } else if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof in6);
        const bool is_mapped = memcmp(&in6.sin6_addr, mapped, sizeof mapped) == 0;
        out.bytes[0] = is_mapped ? 4 : 6;
        if (is_mapped) {
            memcpy(out.bytes + 1, in6.sin6_addr.s6_addr + 12, 4);
        } else {
            memcpy(out.bytes + 1, &in6.sin6_addr, 8);
        }
    }
    return out;
}

bool atls_buckets_new(size_t n, atls_buckets **out, atls_error *err)
{
    atls_buckets *b = calloc(1, sizeof *b);
    *out = NULL;
    if (b == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "limits", NULL);
    }
    b->n_sets = n / WAYS + 1;
    b->buckets = calloc(b->n_sets * WAYS, sizeof *b->buckets);
    if (b->buckets == NULL || RAND_bytes(b->key, sizeof b->key) != 1) {
        const bool no_memory = b->buckets == NULL;
        atls_buckets_free(b);
        return atls_fail(err, no_memory ? ATLS_E_MEMORY : ATLS_E_INTERNAL, "limits", NULL);
    }
    *out = b;
    return true;
}

void atls_buckets_free(atls_buckets *b)
{
    if (b != NULL) {
        free(b->buckets);
        free(b);
    }
}

static bucket *set_of(atls_buckets *b, const atls_address *who)
{
    uint8_t in[sizeof b->key + sizeof who->bytes];
    uint8_t digest[SHA256_DIGEST_LENGTH];
    uint64_t index = 0;
    memcpy(in, b->key, sizeof b->key);
    memcpy(in + sizeof b->key, who->bytes, sizeof who->bytes);
    SHA256(in, sizeof in, digest);
    memcpy(&index, digest, sizeof index);
    return b->buckets + (size_t)(index % b->n_sets) * WAYS;
}

/* What is in it now. The limit may have been lowered meanwhile. */
static uint64_t level(const bucket *k, uint32_t per_minute, uint64_t full, uint64_t now_ms)
{
    const uint64_t held = k->parts > full ? full : k->parts;
    const uint64_t passed = now_ms > k->at_ms ? now_ms - k->at_ms : 0;
    const uint64_t wanted = full / per_minute + 1; /* milliseconds that fill it: what comes later adds nothing */
    const uint64_t gained = (passed < wanted ? passed : wanted) * per_minute;
    return full - held < gained ? full : held + gained;
}

/* The bucket of `who`; an unused one, or else the fullest of the set, becomes it. */
static bucket *find(bucket *set, const atls_address *who, uint32_t per_minute, uint64_t full, uint64_t now_ms)
{
    bucket *best = &set[0];
    uint64_t most = 0;
    for (size_t i = 0; i < WAYS; i++) {
        bucket *k = &set[i];
        const uint64_t has = k->is_used ? level(k, per_minute, full, now_ms) : UINT64_MAX;
        if (k->is_used && memcmp(&k->who, who, sizeof *who) == 0) {
            k->parts = has;
            k->at_ms = now_ms > k->at_ms ? now_ms : k->at_ms; /* whoever read the clock first may come second */
            return k;
        }
        if (has > most) {
            best = k;
            most = has;
        }
    }
    *best = (bucket){.who = *who, .is_used = true, .parts = full, .at_ms = now_ms};
    return best;
}

bool atls_buckets_take(atls_buckets *b, const atls_address *who, uint32_t per_minute, uint32_t burst, uint64_t now_ms,
                       uint32_t *retry_s)
{
    const uint64_t full = (uint64_t)(burst == 0 ? 1 : burst) * TOKEN;
    *retry_s = 0;
    if (per_minute == 0) {
        return true;
    }
    bucket *k = find(set_of(b, who), who, per_minute, full, now_ms);
    if (k->parts >= TOKEN) {
        k->parts -= TOKEN;
        return true;
    }
    *retry_s = (uint32_t)((TOKEN - k->parts) / per_minute / 1000) + 1;
    return false;
}
