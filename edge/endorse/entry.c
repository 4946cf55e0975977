/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c: reads and writes files of the cache. */
#include "entry.h"

#include <string.h>

#include "base/cursor.h"

#define MAGIC     "atlsend1"
#define MAGIC_LEN 8u
#define HEAD_LEN  (MAGIC_LEN + 32u)
#define NAMES_LEN (8u + 4u + 2u * (2u + ATLS_URL_SIZE) + 2u * 4u) /* what is neither chain nor body, at most */

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static bool read_text(atls_cur *c, const char *field, char out[static ATLS_URL_SIZE])
{
    uint16_t len = 0;
    atls_bytes text;
    if (!atls_cur_u16be(c, field, &len) || !atls_cur_bytes(c, field, len, &text)) {
        return false;
    }
    if (len >= ATLS_URL_SIZE) {
        return atls_cur_fail(c, ATLS_E_COLLATERAL_FORMAT, field, NULL, NULL, "the name is too long");
    }
    for (size_t i = 0; i < len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return atls_cur_fail(c, ATLS_E_COLLATERAL_FORMAT, field, NULL, NULL, "the name is not plain text");
        }
        out[i] = (char)text.ptr[i];
    }
    out[len] = '\0';
    return true;
}

static bool read_blob(atls_cur *c, const char *field, atls_bytes *out)
{
    uint32_t len = 0;
    return atls_cur_u32be(c, field, &len) && atls_cur_bytes(c, field, len, out);
}

static bool read_time(atls_cur *c, atls_time *out)
{
    uint64_t seconds = 0;
    if (!atls_cur_u64be(c, "fetched", &seconds)) {
        return false;
    }
    if (seconds == 0 || seconds > (uint64_t)ATLS_PIECE_FOR_EVER) {
        return atls_cur_fail(c, ATLS_E_COLLATERAL_FORMAT, "fetched", NULL, NULL, "no time of day");
    }
    *out = (atls_time)seconds;
    return true;
}

static bool read_members(atls_cur *c, atls_entry *out)
{
    return read_time(c, &out->fetched) && atls_cur_u32be(c, "max_age", &out->max_age_s)
           && read_text(c, "source", out->source) && read_text(c, "path", out->path)
           && read_blob(c, "chain", &out->answer.chain) && read_blob(c, "body", &out->answer.body) && atls_cur_end(c);
}

bool atls_entry_read(atls_bytes in, const atls_crypto *crypto, atls_entry *out, atls_error *err)
{
    uint8_t digest[32];
    atls_cur c;
    *out = (atls_entry){.answer = {atls_bytes_empty(), atls_bytes_empty()}};
    if (in.len < HEAD_LEN || memcmp(in.ptr, MAGIC, MAGIC_LEN) != 0) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.magic", "not an entry of this version");
    }
    const atls_bytes rest = atls_bytes_of(in.ptr + HEAD_LEN, in.len - HEAD_LEN);
    if (!atls_digest(crypto, ATLS_SHA256, &rest, 1, digest, err)) {
        return false;
    }
    if (!atls_bytes_equal(atls_bytes_of(digest, sizeof digest), atls_bytes_of(in.ptr + MAGIC_LEN, sizeof digest))) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.digest", "the entry is damaged");
    }
    atls_cur_init(&c, rest, "entry", err);
    return read_members(&c, out) || atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *at, const void *bytes, size_t n)
{
    if (n > 0) {
        memcpy(at, bytes, n);
    }
    return at + n;
}

static uint8_t *put_be(uint8_t *at, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
    }
    return at + n;
}

static uint8_t *put_text(uint8_t *at, const char *text)
{
    return put(put_be(at, strlen(text), 2), text, strlen(text));
}

static uint8_t *put_blob(uint8_t *at, atls_bytes blob)
{
    return put(put_be(at, blob.len, 4), blob.ptr, blob.len);
}

static size_t len_of(const atls_entry *in)
{
    return HEAD_LEN + 8 + 4 + 2 + strlen(in->source) + 2 + strlen(in->path) + 4 + in->answer.chain.len + 4
           + in->answer.body.len;
}

/* One piece of memory of exactly the size: bodies may be long. */
bool atls_entry_write(const atls_entry *in, const atls_crypto *crypto, atls_arena *arena, atls_bytes *out,
                      atls_error *err)
{
    uint8_t digest[32];
    const size_t room = ATLS_MAX_ENTRY_LEN - HEAD_LEN - NAMES_LEN;
    if (in->answer.body.len > room || in->answer.chain.len > room - in->answer.body.len) {
        return atls_fail(err, ATLS_E_LIMIT, "entry", "too long to be kept");
    }
    const size_t len = len_of(in);
    uint8_t *whole = atls_arena_raw(arena, len, err);
    if (whole == NULL) {
        return false;
    }
    uint8_t *at = put_be(whole + HEAD_LEN, (uint64_t)in->fetched, 8);
    at = put_be(at, in->max_age_s, 4);
    at = put_text(at, in->source);
    at = put_text(at, in->path);
    at = put_blob(at, in->answer.chain);
    at = put_blob(at, in->answer.body);
    const atls_bytes rest = atls_bytes_of(whole + HEAD_LEN, (size_t)(at - whole) - HEAD_LEN);
    if (!atls_digest(crypto, ATLS_SHA256, &rest, 1, digest, err)) {
        return false;
    }
    (void)put(put(whole, MAGIC, MAGIC_LEN), digest, sizeof digest);
    *out = atls_bytes_of(whole, len);
    return true;
}

bool atls_entry_key(const char *source, const char *path, const atls_crypto *crypto, uint8_t out[32], atls_error *err)
{
    const atls_bytes parts[] = {atls_bytes_str(source), atls_bytes_str("\n"), atls_bytes_str(path)};
    return atls_digest(crypto, ATLS_SHA256, parts, 3, out, err);
}
