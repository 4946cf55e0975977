/* SPDX-License-Identifier: Apache-2.0 */
/* redis_link.h: one connection to a Redis server: a command and its answer, until a deadline. hiredis connects, and knows the
 * protocol; sending and receiving are ours: every wait ends at the deadline, and a peer that is gone is an error and no signal. */
#ifndef ATLS_EDGE_SERVICE_REDIS_LINK_H
#define ATLS_EDGE_SERVICE_REDIS_LINK_H

#include <hiredis/hiredis.h>

#include "store_url.h"

#define ATLS_REDIS_MAX_WORDS     16
#define ATLS_REDIS_MAX_REPLY_LEN ((size_t)64 * 1024)

typedef struct atls_redis_command {
    int n;
    const char *words[ATLS_REDIS_MAX_WORDS]; /* borrowed */
    size_t lens[ATLS_REDIS_MAX_WORDS];
} atls_redis_command;

void atls_redis_word(atls_redis_command *c, const void *ptr, size_t len);
void atls_redis_text(atls_redis_command *c, const char *text);

/* atls_redis_connect makes a connection, logs in, and selects the database. deadline_ms: of atls_clock_ms. The caller's
 * (redisFree). Errors: ENROL_STORE. */
ATLS_MUST_USE bool atls_redis_connect(const atls_store_url *url, uint64_t deadline_ms, redisContext **out,
                                      atls_error *err);

/* atls_redis_is_idle tells whether nothing has come that was not asked for, the end of the connection above all. */
bool atls_redis_is_idle(const redisContext *c);

/* atls_redis_ask sends a command and waits for its answer, which is no error; the caller's (freeReplyObject). After a failure the
 * connection is of no further use, and whether the command was run is not known. Errors: ENROL_STORE. */
ATLS_MUST_USE bool atls_redis_ask(redisContext *c, const atls_redis_command *command, uint64_t deadline_ms,
                                  redisReply **out, atls_error *err);

#endif
