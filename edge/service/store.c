/* SPDX-License-Identifier: Apache-2.0 */
/* store.c: what the kinds of stores have in common: options, arguments, digests. */
#include "store.h"

#include <stdlib.h>
#include <string.h>

#include "pki/signature.h"
#include "store_kind.h"

#define FIELD                   "store"
#define DEFAULT_MAX_OUTSTANDING 65536u
#define DEFAULT_TIMEOUT_MS      2000u
#define DEFAULT_KEEP_MS         300000u
#define DEFAULT_PREFIX          "atls"
#define MAX_TIMEOUT_MS          60000u
#define MAX_KEEP_MS             (24u * 60 * 60 * 1000)
/* No instant is later: the year 9999. What is added to one cannot overflow, and is exact in a double (Redis). */
#define MAX_INSTANT_MS ((int64_t)253402300799999)

struct atls_challenges {
    const atls_challenge_kind *kind;
    void *self;
    atls_crypto *crypto;
};

bool atls_challenge_full(bool *is_full, atls_error *err)
{
    *is_full = true;
    if (err->code == ATLS_OK) {
        (void)atls_fail(err, ATLS_E_ENROL_STORE, "store.max_outstanding", "there are too many challenges outstanding");
        err->retry = true;
    }
    return false;
}

bool atls_challenge_twice(atls_error *err)
{
    (void)atls_fail(err, ATLS_E_ENROL_STORE, "store.nonce",
                    "a nonce was issued twice: the source of randomness is broken");
    return false;
}

/* ---- opening and closing --------------------------------------------------------------------------------------------- */

static bool is_prefix(const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~' || text[i] == '{' || text[i] == '}') {
            return false;
        }
    }
    return n > 0 && n <= ATLS_CHALLENGES_MAX_PREFIX_LEN;
}

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value == 0 ? otherwise : value;
}

static bool complete(const atls_challenges_options *in, atls_challenges_options *out, atls_error *err)
{
    *out = (atls_challenges_options){.prefix = NULL};
    if (in != NULL) {
        *out = *in;
    }
    out->max_outstanding = or_default(out->max_outstanding, DEFAULT_MAX_OUTSTANDING);
    out->timeout_ms = or_default(out->timeout_ms, DEFAULT_TIMEOUT_MS);
    out->keep_ms = or_default(out->keep_ms, DEFAULT_KEEP_MS);
    out->prefix = out->prefix == NULL ? DEFAULT_PREFIX : out->prefix;
    if (out->max_outstanding > ATLS_CHALLENGES_MAX_OUTSTANDING) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "store.max_outstanding", "at most 16777216 challenges");
    }
    if (out->timeout_ms > MAX_TIMEOUT_MS || out->keep_ms > MAX_KEEP_MS) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "store.timeout_ms", "a call may take a minute, and keep a day");
    }
    if (!is_prefix(out->prefix)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "store.prefix", "1 to 64 printable characters, without braces");
    }
    return true;
}

static bool open_kind(atls_challenges *s, const char *url, const atls_challenges_options *o, atls_error *err)
{
    atls_store_url place;
    bool ok = false;
    if (!atls_store_url_parse(atls_bytes_str(url), &place, err)) {
        return false;
    }
    if (place.scheme == ATLS_STORE_MEMORY) {
        s->kind = &atls_challenge_memory;
        ok = atls_challenge_memory_open(o, &s->self, err);
    } else if (place.scheme == ATLS_STORE_SQLITE) {
        s->kind = &atls_challenge_sqlite;
        ok = atls_challenge_sqlite_open(&place, o, &s->self, err);
    } else {
        s->kind = &atls_challenge_redis;
        ok = atls_challenge_redis_open(&place, o, &s->self, err);
    }
    atls_wipe(&place, sizeof place);
    return ok;
}

bool atls_challenges_open(const char *url, const atls_challenges_options *o, atls_challenges **out, atls_error *err)
{
    atls_challenges_options whole;
    *out = NULL;
    if (url == NULL || !complete(o, &whole, err)) {
        (void)atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the store has no address");
        return false;
    }
    atls_challenges *s = calloc(1, sizeof *s);
    if (s == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    if (!atls_crypto_new(&s->crypto, err) || !open_kind(s, url, &whole, err)) {
        atls_challenges_close(s);
        return false;
    }
    *out = s;
    return true;
}

void atls_challenges_close(atls_challenges *s)
{
    if (s == NULL) {
        return;
    }
    if (s->self != NULL) {
        s->kind->close(s->self);
    }
    atls_crypto_free(s->crypto);
    free(s);
}

/* ---- calls ------------------------------------------------------------------------------------------------------------ */

static bool is_instant(int64_t ms)
{
    return ms > 0 && ms <= MAX_INSTANT_MS;
}

static bool check_now(int64_t now_ms, atls_error *err)
{
    return is_instant(now_ms) || atls_fail(err, ATLS_E_USAGE, "store.now_ms", "no instant that could be now");
}

static bool digest_of(const atls_challenges *s, atls_bytes nonce, uint8_t out[static ATLS_CHALLENGE_DIGEST_LEN],
                      atls_error *err)
{
    return atls_digest(s->crypto, ATLS_SHA256, &nonce, 1, out, err);
}

bool atls_challenges_insert(atls_challenges *s, atls_bytes nonce, int64_t now_ms, int64_t expires_ms, bool *is_full,
                            atls_error *err)
{
    uint8_t digest[ATLS_CHALLENGE_DIGEST_LEN];
    *is_full = false;
    if (nonce.len < ATLS_CHALLENGES_MIN_NONCE_LEN || nonce.len > ATLS_CHALLENGES_MAX_NONCE_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "store.nonce", "a nonce has 16 to 128 bytes, not %zu", nonce.len);
    }
    if (!check_now(now_ms, err)) {
        return false;
    }
    if (!is_instant(expires_ms) || expires_ms <= now_ms || expires_ms - now_ms > ATLS_CHALLENGES_MAX_LIFE_MS) {
        return atls_fail(err, ATLS_E_USAGE, "store.expires_ms", "a challenge lives for a millisecond to a day");
    }
    return digest_of(s, nonce, digest, err) && s->kind->insert(s->self, digest, now_ms, expires_ms, is_full, err);
}

bool atls_challenges_consume(atls_challenges *s, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    uint8_t digest[ATLS_CHALLENGE_DIGEST_LEN];
    atls_consumed found = ATLS_CONSUMED_UNKNOWN;
    *out = ATLS_CONSUMED_UNKNOWN;
    if (!check_now(now_ms, err) || !digest_of(s, nonce, digest, err)
        || !s->kind->consume(s->self, digest, now_ms, &found, err)) {
        return false;
    }
    *out = found;
    return true;
}

bool atls_challenges_consume_fn(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    return atls_challenges_consume(ctx, nonce, now_ms, out, err);
}

bool atls_challenges_count(atls_challenges *s, int64_t now_ms, atls_challenges_numbers *out, atls_error *err)
{
    *out = (atls_challenges_numbers){.held = 0};
    return check_now(now_ms, err) && s->kind->count(s->self, now_ms, out, err);
}

bool atls_challenges_ping(atls_challenges *s, atls_error *err)
{
    return s->kind->ping(s->self, err);
}

const char *atls_challenges_kind(const atls_challenges *s)
{
    return s->kind->name;
}
