/* SPDX-License-Identifier: Apache-2.0 */
/* source_limit.h: how often one source may ask for evidence.
 *
 * Whoever can finish a handshake can ask a server for a quote, and a quote takes its time. A source limit counts requests
 * for each address: each has so many at once (burst), and gets new ones at a rate. One object for a whole server: give it
 * to every session (atls_server_options.source_limit). A session beyond it ends with LIMIT, before anything is asked of
 * the attester.
 *
 * A source is an IPv4 address, or the /64 of an IPv6 address, whose holder has all of it; an IPv4 address inside an IPv6
 * one is that IPv4 address. Everything else (sockets of the machine itself, an address that nobody knows) is one source
 * together.
 *
 * The memory is fixed. Where the table is full, the place of a source that has asked least lately goes to the new one: so
 * an address that is met for the first time is always served, and somebody with many addresses pushes out those that have
 * nothing to remember before those that have used themselves up. Somebody with very many has as many bursts: what bounds
 * those together is one quote for all who wait, and max_waiting (attester.h).
 * Source: specification of atls/1, "Load". */
#ifndef ATLS_SOURCE_LIMIT_H
#define ATLS_SOURCE_LIMIT_H

#include "bytes.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr; /* the system's, <sys/socket.h> */

typedef struct atls_source_limit atls_source_limit;

typedef struct atls_source_limit_options {
    uint32_t per_minute;  /* requests that a source gets back in a minute; 0: 60 */
    uint32_t burst;       /* and has at once, after a pause; 0: as many as per_minute */
    uint32_t max_sources; /* that are remembered, at least about so many; 0: 4096, some 200 KiB; at most 1048576 */
} atls_source_limit_options;

/* What a source limit has done so far. */
typedef struct atls_source_limit_counts {
    uint64_t allowed;
    uint64_t refused;
} atls_source_limit_counts;

/* atls_source_limit_new makes one; options NULL is options of zeros. *out is the caller's (atls_source_limit_free); any
 * number of sessions and threads share it. It has no thread, reads the system's monotonic clock, and keeps nothing
 * outside itself. Errors: CONFIGURATION (max_sources), MEMORY, INTERNAL (no randomness). */
ATLS_MUST_USE bool atls_source_limit_new(const atls_source_limit_options *options, atls_source_limit **out,
                                         atls_error *err);

/* atls_source_limit_free frees it. Sessions that use it must have been freed. NULL is fine. */
void atls_source_limit_free(atls_source_limit *l);

/* atls_source_limit_take uses up one request of a source: what a session does by itself, for programs that answer requests
 * in another way (hooks.h). source: a socket's address, only looked at during the call; NULL: one that nobody knows. A
 * refusal costs the source nothing. Any thread may call it. Errors: LIMIT with field "source_limit", the source as
 * `actual`, and when to come again in the message; INTERNAL (no monotonic clock). */
ATLS_MUST_USE bool atls_source_limit_take(atls_source_limit *l, const struct sockaddr *source, atls_error *err);

/* atls_source_limit_count reads the counters, both at one moment. Any thread. */
atls_source_limit_counts atls_source_limit_count(atls_source_limit *l);

#ifdef __cplusplus
}
#endif
#endif
