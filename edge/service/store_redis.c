/* SPDX-License-Identifier: Apache-2.0 */
/* store_redis.c: a store in a Redis server, for the processes of several machines: four scripts over a few connections.
 *
 * No command is sent twice. A connection that is seen to be closed before anything was sent on it is made anew, which is how a
 * restarted server is found again; whatever goes wrong later ends the connection, so that no late answer is taken for another's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edge/tls/clock.h"
#include "redis_link.h"
#include "redis_script.h"
#include "store_kind.h"
#include "turn.h"

#define FIELD       "store"
#define N_LINKS     8u
#define KEY_SIZE    (ATLS_CHALLENGES_MAX_PREFIX_LEN + 16)
#define NUMBER_SIZE 24

typedef struct redis {
    atls_turn turn;
    redisContext *links[N_LINKS]; /* each belongs to who has its slot */
    atls_store_url url;
    uint32_t timeout_ms;
    char keys[3][KEY_SIZE];
    char max[NUMBER_SIZE];
    char keep[NUMBER_SIZE];
} redis;

/* ---- asking --------------------------------------------------------------------------------------------------------------------- */

static bool ask_on(redis *r, redisContext **link, const atls_redis_command *command, uint64_t deadline_ms,
                   redisReply **out, atls_error *err)
{
    if (*link != NULL && !atls_redis_is_idle(*link)) {
        redisFree(*link);
        *link = NULL;
    }
    if (*link == NULL && !atls_redis_connect(&r->url, deadline_ms, link, err)) {
        return false;
    }
    if (atls_redis_ask(*link, command, deadline_ms, out, err)) {
        return true;
    }
    redisFree(*link);
    *link = NULL;
    return false;
}

static bool ask(redis *r, const atls_redis_command *command, redisReply **out, atls_error *err)
{
    const uint64_t deadline = atls_clock_ms() + r->timeout_ms;
    uint32_t slot = 0;
    if (!atls_turn_take(&r->turn, deadline, &slot, err)) {
        return false;
    }
    const bool ok = ask_on(r, &r->links[slot], command, deadline, out, err);
    atls_turn_give(&r->turn, slot);
    return ok;
}

/* The answer of a script: n numbers, of which none is negative. */
static bool ask_numbers(redis *r, const atls_redis_command *command, uint64_t *out, size_t n, atls_error *err)
{
    redisReply *reply = NULL;
    if (!ask(r, command, &reply, err)) {
        return false;
    }
    const bool is_one = n == 1 && reply->type == REDIS_REPLY_INTEGER;
    bool ok = is_one || (reply->type == REDIS_REPLY_ARRAY && reply->elements == n);
    for (size_t i = 0; ok && i < n; i++) {
        const redisReply *item = is_one ? reply : reply->element[i];
        ok = item->type == REDIS_REPLY_INTEGER && item->integer >= 0;
        out[i] = ok ? (uint64_t)item->integer : 0;
    }
    freeReplyObject(reply);
    return ok || atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "Redis answers otherwise than its script does");
}

static atls_redis_command script(const redis *r, const char *text)
{
    atls_redis_command c = {.n = 0};
    atls_redis_text(&c, "EVAL");
    atls_redis_text(&c, text);
    atls_redis_text(&c, "3");
    for (size_t i = 0; i < 3; i++) {
        atls_redis_text(&c, r->keys[i]);
    }
    return c;
}

static const char *number(char out[static NUMBER_SIZE], int64_t value)
{
    (void)snprintf(out, NUMBER_SIZE, "%lld", (long long)value);
    return out;
}

/* ---- the kind ------------------------------------------------------------------------------------------------------------------- */

static bool redis_insert(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                         int64_t expires_ms, bool *is_full, atls_error *err)
{
    redis *r = self;
    char now[NUMBER_SIZE];
    char expires[NUMBER_SIZE];
    char sweep[NUMBER_SIZE];
    uint64_t answer = 0;
    atls_redis_command c = script(r, ATLS_REDIS_INSERT);
    atls_redis_text(&c, number(now, now_ms));
    atls_redis_word(&c, digest, ATLS_CHALLENGE_DIGEST_LEN);
    atls_redis_text(&c, number(expires, expires_ms));
    atls_redis_text(&c, r->keep);
    atls_redis_text(&c, r->max);
    atls_redis_text(&c, number(sweep, ATLS_CHALLENGE_SWEEP));
    if (!ask_numbers(r, &c, &answer, 1, err)) {
        return false;
    }
    switch (answer) {
    case 0:
        return atls_challenge_full(is_full, err);
    case 1:
        return true;
    default:
        return atls_challenge_twice(err);
    }
}

static bool redis_consume(void *self, const uint8_t digest[static ATLS_CHALLENGE_DIGEST_LEN], int64_t now_ms,
                          atls_consumed *out, atls_error *err)
{
    static const atls_consumed found[] = {ATLS_CONSUMED_UNKNOWN, ATLS_CONSUMED_FRESH, ATLS_CONSUMED_EXPIRED,
                                          ATLS_CONSUMED_USED};
    redis *r = self;
    char now[NUMBER_SIZE];
    uint64_t answer = 0;
    atls_redis_command c = script(r, ATLS_REDIS_CONSUME);
    atls_redis_text(&c, number(now, now_ms));
    atls_redis_word(&c, digest, ATLS_CHALLENGE_DIGEST_LEN);
    if (!ask_numbers(r, &c, &answer, 1, err)) {
        return false;
    }
    if (answer >= sizeof found / sizeof found[0]) {
        return atls_fail(err, ATLS_E_ENROL_STORE, FIELD, "Redis answers otherwise than its script does");
    }
    *out = found[answer];
    return true;
}

static bool redis_count(void *self, int64_t now_ms, atls_challenges_numbers *out, atls_error *err)
{
    redis *r = self;
    char now[NUMBER_SIZE];
    uint64_t answer[2] = {0, 0};
    atls_redis_command c = script(r, ATLS_REDIS_COUNT);
    atls_redis_text(&c, number(now, now_ms));
    if (!ask_numbers(r, &c, answer, 2, err)) {
        return false;
    }
    *out = (atls_challenges_numbers){.outstanding = answer[0], .held = answer[1]};
    return true;
}

static bool redis_ping(void *self, atls_error *err)
{
    redis *r = self;
    uint64_t answer = 0;
    const atls_redis_command c = script(r, ATLS_REDIS_PING);
    return ask_numbers(r, &c, &answer, 1, err);
}

static void redis_close(void *self)
{
    redis *r = self;
    for (size_t i = 0; i < N_LINKS; i++) {
        if (r->links[i] != NULL) {
            redisFree(r->links[i]);
        }
    }
    atls_turn_destroy(&r->turn);
    atls_wipe(r, sizeof *r);
    free(r);
}

const atls_challenge_kind atls_challenge_redis = {
    "redis", redis_insert, redis_consume, redis_count, redis_ping, redis_close,
};

/* The braces keep the three keys together where there are several servers (Redis Cluster). */
static void name_keys(redis *r, const char *prefix)
{
    static const char *const names[3] = {"challenges", "held", "open"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(r->keys[i], sizeof r->keys[i], "{%s}:%s", prefix, names[i]);
    }
}

bool atls_challenge_redis_open(const atls_store_url *url, const atls_challenges_options *o, void **out, atls_error *err)
{
    redis *r = calloc(1, sizeof *r);
    if (r == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    r->url = *url;
    r->timeout_ms = o->timeout_ms;
    (void)number(r->max, o->max_outstanding);
    (void)number(r->keep, o->keep_ms);
    name_keys(r, o->prefix);
    if (!atls_turn_init(&r->turn, N_LINKS, err)) {
        atls_wipe(r, sizeof *r);
        free(r);
        return false;
    }
    if (!redis_ping(r, err)) {
        redis_close(r);
        return false;
    }
    *out = r;
    return true;
}
