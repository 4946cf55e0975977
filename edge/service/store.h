/* SPDX-License-Identifier: Apache-2.0 */
/* store.h: the challenges that were issued, each good for one use.
 *
 *   memory:                                        one process; gone when it ends
 *   sqlite:PATH                                    one machine: any number of processes on one file
 *   redis://[[user]:password@]host[:port][/db]     several machines: a server that speaks Redis' protocol
 *   redis+unix:PATH                                the same, over a socket
 *
 * A store knows a challenge by the SHA-256 of its nonce and never holds the nonce. Using one up is one atomic step: of any
 * number of threads, processes and machines that try, exactly one is told FRESH. What is unsure is a failure, and the nonce
 * is gone: nothing is tried a second time.
 *
 * Time. The instant is the caller's, in milliseconds since 1970, and so is the decision: a challenge is good up to and
 * including expires_ms. Where several machines share a store, their clocks differ by less than a challenge lives; a machine whose clock
 * is ahead refuses some too early, one whose clock is behind takes some too long, by the difference. A clock that is set back
 * makes nothing that was used fresh.
 *
 * What is remembered. Used ones, so that a replay is told apart from an invention, and expired ones for keep_ms, so that
 * "too late" is told apart too; every insert forgets some that are older. max_outstanding bounds all that is remembered;
 * where it is reached, what has expired goes first, and then inserts are refused.
 *
 * What a store does not survive, it says. memory: ends with the process. SQLite: WAL, and every commit is flushed to the disk
 * before a nonce is called fresh; whoever puts an old copy of the file back makes used nonces fresh. Redis: an entry is good only in
 * the life of the server process, and of the replication history, that took it in: after a restart or a failover, which may
 * bring back what was there some seconds before, everything issued earlier is UNKNOWN. */
#ifndef ATLS_EDGE_SERVICE_STORE_H
#define ATLS_EDGE_SERVICE_STORE_H

#include "atls/enroller.h"

/* (atls_store is the name of the endorsements' cache, edge/endorse/store.h.) */
typedef struct atls_challenges atls_challenges;

#define ATLS_CHALLENGES_MAX_URL_LEN     1024u
#define ATLS_CHALLENGES_MAX_PREFIX_LEN  64u
#define ATLS_CHALLENGES_MIN_NONCE_LEN   16u
#define ATLS_CHALLENGES_MAX_NONCE_LEN   128u
#define ATLS_CHALLENGES_MAX_LIFE_MS     ((int64_t)24 * 60 * 60 * 1000)
#define ATLS_CHALLENGES_MAX_OUTSTANDING (16u * 1024 * 1024)

/* Zero means: the default. */
typedef struct atls_challenges_options {
    uint32_t max_outstanding; /* challenges that are remembered at once; 65536 */
    uint32_t timeout_ms;      /* of one call, waiting for others included; 2000 */
    uint32_t keep_ms;         /* for which an expired one is remembered; 300000 */
    const char *prefix;       /* Redis: of all keys, printable; "atls" */
} atls_challenges_options;

/* atls_challenges_open opens a store; o may be NULL. SQLite makes its file (mode 0600) and tables where they are missing.
 * Redis is asked once, so that a wrong address or password is known at once. The caller's (atls_challenges_close).
 * Errors: CONFIGURATION (an address that is none, options out of range; no part of the address is repeated, it may hold a
 * password), UNSUPPORTED (rediss:), ENROL_STORE, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_challenges_open(const char *url, const atls_challenges_options *o, atls_challenges **out,
                                        atls_error *err);

/* atls_challenges_close ends it; NULL is fine. No other call may be under way. */
void atls_challenges_close(atls_challenges *s);

/* All of the following: any number of threads at once. They return within about timeout_ms (a name server that is slow aside:
 * Redis' host is better an address). When they return false, nothing is known, err is set, and the request fails.
 * Errors: ENROL_STORE, USAGE, INTERNAL. */

/* atls_challenges_insert remembers a nonce, 16 to 128 bytes that nobody else has, until expires_ms, which is after now_ms by a
 * day at most. *is_full: it failed (ENROL_STORE, with retry set) because max_outstanding is reached; answered with 503, or
 * 429 and Retry-After. A nonce that is remembered already is a failure: its maker is broken. */
ATLS_MUST_USE bool atls_challenges_insert(atls_challenges *s, atls_bytes nonce, int64_t now_ms, int64_t expires_ms,
                                          bool *is_full, atls_error *err);

/* atls_challenges_consume uses a nonce up, in one atomic step; *out is UNKNOWN on failure. Never tried again by itself: after a
 * failure the nonce may be used up or not, and is not asked for again.
 *
 *   FRESH    it was there, is not expired, and nobody used it before: true for one call only
 *   USED     it was used before, and is remembered (also past its expiry)
 *   EXPIRED  it is remembered, was not used, and now_ms > its expires_ms
 *   UNKNOWN  anything else */
ATLS_MUST_USE bool atls_challenges_consume(atls_challenges *s, atls_bytes nonce, int64_t now_ms, atls_consumed *out,
                                           atls_error *err);

/* atls_challenges_consume_fn is atls_challenges_consume as an atls_consume_fn: ctx is the store. */
bool atls_challenges_consume_fn(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err);

typedef struct atls_challenges_numbers {
    uint64_t outstanding; /* neither used nor expired */
    uint64_t held;        /* all that is remembered: max_outstanding bounds it */
} atls_challenges_numbers;

/* atls_challenges_count counts, of all processes that share the store. For metrics: it may look at every entry. */
ATLS_MUST_USE bool atls_challenges_count(atls_challenges *s, int64_t now_ms, atls_challenges_numbers *out,
                                         atls_error *err);

/* atls_challenges_ping asks the store whether it would answer. For health. */
ATLS_MUST_USE bool atls_challenges_ping(atls_challenges *s, atls_error *err);

/* atls_challenges_kind gives "memory", "sqlite" or "redis". Static. */
const char *atls_challenges_kind(const atls_challenges *s);

#endif
