/* SPDX-License-Identifier: Apache-2.0 */
/* store_kind.h: what each kind of store implements. Arguments are checked already, and nonces are digests. */
#ifndef ATLS_EDGE_SERVICE_STORE_KIND_H
#define ATLS_EDGE_SERVICE_STORE_KIND_H

#include "store.h"
#include "store_url.h"

#define ATLS_CHALLENGE_DIGEST_LEN 32u
/* Entries that one insert forgets at most. */
#define ATLS_CHALLENGE_SWEEP 64u

typedef struct atls_challenge_kind {
    const char *name;
    bool (*insert)(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                   int64_t expires_ms, bool *is_full, atls_error *err);
    bool (*consume)(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                    atls_consumed *out, atls_error *err);
    bool (*count)(void *self, int64_t now_ms, atls_challenges_numbers *out, atls_error *err);
    bool (*ping)(void *self, atls_error *err);
    void (*close)(void *self);
} atls_challenge_kind;

extern const atls_challenge_kind atls_challenge_memory;
extern const atls_challenge_kind atls_challenge_sqlite;
extern const atls_challenge_kind atls_challenge_redis;

/* Options are complete here, defaults filled in. */
ATLS_MUST_USE bool atls_challenge_memory_open(const atls_challenges_options *o, void **out, atls_error *err);
ATLS_MUST_USE bool atls_challenge_sqlite_open(const atls_store_url *url, const atls_challenges_options *o, void **out,
                                              atls_error *err);
ATLS_MUST_USE bool atls_challenge_redis_open(const atls_store_url *url, const atls_challenges_options *o, void **out,
                                             atls_error *err);

/* The failures that every kind has: ENROL_STORE; both return false. */
bool atls_challenge_full(bool *is_full, atls_error *err);
bool atls_challenge_twice(atls_error *err);

#endif
