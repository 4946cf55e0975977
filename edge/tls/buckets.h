/* SPDX-License-Identifier: Apache-2.0 */
/* buckets.h: token buckets for client addresses, in a table that never grows.
 *
 * A bucket belongs to an IPv4 address or an IPv6 /64 (whoever has one address of it has all). The table is a hash of sets: an
 * address finds its bucket, or takes the fullest one of its set, because a full bucket remembers nothing. The hash is keyed
 * with a random value, so that nobody can aim at a set. Not thread-safe. */
#ifndef ATLS_EDGE_TLS_BUCKETS_H
#define ATLS_EDGE_TLS_BUCKETS_H

#include "atls/bytes.h"
#include "atls/error.h"

struct sockaddr; /* <sys/socket.h> */

/* Whom a bucket belongs to: zero-padded, family first. */
typedef struct atls_address {
    uint8_t bytes[17];
} atls_address;

/* atls_address_of cuts a socket's address to what counts; an IPv4 address inside an IPv6 one is that IPv4 address. Other families
 * are all one. */
atls_address atls_address_of(const struct sockaddr *sa);

typedef struct atls_buckets atls_buckets;

/* atls_buckets_new makes a table for about n addresses; Errors: MEMORY, INTERNAL (no randomness). */
ATLS_MUST_USE bool atls_buckets_new(size_t n, atls_buckets **out, atls_error *err);
void atls_buckets_free(atls_buckets *b);

/* atls_buckets_take takes a token, if there is one. per_minute tokens come back a minute, up to burst; per_minute 0: there is no
 * limit. now_ms is of a monotonic clock. False: *retry_s is when there will be one, at least 1. */
ATLS_MUST_USE bool atls_buckets_take(atls_buckets *b, const atls_address *who, uint32_t per_minute, uint32_t burst,
                                     uint64_t now_ms, uint32_t *retry_s);

#endif
