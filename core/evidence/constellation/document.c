/* SPDX-License-Identifier: Apache-2.0 */
/* document.c: read, write, bind. */
#include "document.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"

size_t constellation_base64_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

void constellation_base64(atls_bytes in, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *p = in.ptr;
    size_t left = in.len;
    for (; left >= 3; left -= 3, p += 3, out += 4) {
        const uint32_t group = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        out[0] = digits[group >> 18];
        out[1] = digits[group >> 12 & 63];
        out[2] = digits[group >> 6 & 63];
        out[3] = digits[group & 63];
    }
    if (left > 0) {
        const uint32_t group = (uint32_t)p[0] << 16 | (left > 1 ? (uint32_t)p[1] << 8 : 0);
        out[0] = digits[group >> 18];
        out[1] = digits[group >> 12 & 63];
        out[2] = '=';
        out[3] = '=';
        if (left > 1) {
            out[2] = digits[group >> 6 & 63];
        }
        out += 4;
    }
    *out = '\0';
}

/* ---- read -------------------------------------------------------------------------------------------------------- */

static bool read_base64(const atls_json *top, const char *name, const char *field, atls_arena *a, atls_bytes *out,
                        atls_error *err)
{
    atls_bytes text;
    return atls_json_member_text(top, "document", name, &text, err)
           && atls_base64_decode(text, false, field, a, out, err);
}

static bool keep_user_data(atls_bytes user_data, uint8_t out[CONSTELLATION_USER_DATA_LEN], atls_error *err)
{
    if (user_data.len != CONSTELLATION_USER_DATA_LEN) {
        return atls_fail(err, ATLS_E_QUOTE, "document.UserData", "%zu bytes of user data instead of %u", user_data.len,
                         CONSTELLATION_USER_DATA_LEN);
    }
    memcpy(out, user_data.ptr, CONSTELLATION_USER_DATA_LEN);
    return true;
}

static bool read_members(const atls_json *top, atls_arena *a, constellation_document *out, atls_error *err)
{
    atls_bytes user_data;
    if (!read_base64(top, "RawQuote", "document.RawQuote", a, &out->quote, err)
        || !read_base64(top, "UserData", "document.UserData", a, &user_data, err)) {
        return false;
    }
    if (out->quote.len == 0) {
        return atls_fail(err, ATLS_E_QUOTE, "document.RawQuote", "the quote is empty");
    }
    return keep_user_data(user_data, out->user_data, err);
}

bool constellation_document_read(atls_bytes json, atls_arena *a, constellation_document *out, atls_error *err)
{
    const constellation_document none = {.quote = atls_bytes_empty()};
    const atls_json *top;
    *out = none;
    if (json.len > CONSTELLATION_MAX_DOCUMENT_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "document", "%zu bytes, at most %u are read", json.len,
                         CONSTELLATION_MAX_DOCUMENT_LEN);
    }
    if (!atls_json_parse(json, "document", a, &top, err) || !read_members(top, a, out, err)) {
        *out = none;
        return atls_error_relabel(err, ATLS_E_QUOTE, "");
    }
    return true;
}

bool constellation_user_data_read(atls_bytes json, atls_arena *a, uint8_t out[CONSTELLATION_USER_DATA_LEN],
                                  atls_error *err)
{
    const atls_json *top;
    atls_bytes user_data;
    memset(out, 0, CONSTELLATION_USER_DATA_LEN);
    if (json.len > CONSTELLATION_MAX_DOCUMENT_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "document", "%zu bytes, at most %u are read", json.len,
                         CONSTELLATION_MAX_DOCUMENT_LEN);
    }
    return (atls_json_parse(json, "document", a, &top, err)
            && read_base64(top, "UserData", "document.UserData", a, &user_data, err)
            && keep_user_data(user_data, out, err))
           || atls_error_relabel(err, ATLS_E_QUOTE, "");
}

/* ---- write ------------------------------------------------------------------------------------------------------- */

static bool put_base64(atls_buf *b, atls_bytes in)
{
    char *text = (char *)atls_arena_raw(b->arena, constellation_base64_len(in.len) + 1, b->err);
    if (text == NULL) {
        return false;
    }
    constellation_base64(in, text);
    atls_buf_str(b, text);
    return true;
}

/* What Go's encoding/json makes of { RawQuote, UserData []byte }: none of its escapes occurs in base64. */
bool constellation_document_write(const constellation_document *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    *out = atls_bytes_empty();
    if (in->quote.len == 0) {
        return atls_fail(err, ATLS_E_QUOTE, "document.RawQuote", "there is no quote to send");
    }
    if (in->quote.len > CONSTELLATION_MAX_DOCUMENT_SENT) { /* before the length is multiplied */
        return atls_fail(err, ATLS_E_LIMIT, "document.RawQuote", "a quote of %zu bytes does not fit", in->quote.len);
    }
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, "{\"RawQuote\":\"");
    bool ok = put_base64(&b, in->quote);
    atls_buf_str(&b, "\",\"UserData\":\"");
    ok = ok && put_base64(&b, atls_bytes_of(in->user_data, sizeof in->user_data));
    atls_buf_str(&b, "\"}");
    if (!atls_buf_done(&b, out) || !ok) {
        *out = atls_bytes_empty();
        return false;
    }
    if (out->len > CONSTELLATION_MAX_DOCUMENT_SENT) {
        size_t len = out->len;
        *out = atls_bytes_empty();
        return atls_fail(err, ATLS_E_LIMIT, "document", "%zu bytes, at most %u are sent", len,
                         CONSTELLATION_MAX_DOCUMENT_SENT);
    }
    return true;
}

/* ---- bind -------------------------------------------------------------------------------------------------------- */

bool constellation_report_data(const atls_crypto *c, atls_bytes user_data, atls_bytes nonce, uint8_t out[64],
                               atls_error *err)
{
    const atls_bytes parts[] = {user_data, nonce};
    memset(out, 0, 64);
    if (user_data.len != CONSTELLATION_USER_DATA_LEN || nonce.len != CONSTELLATION_NONCE_LEN) {
        return atls_fail(err, ATLS_E_INTERNAL, "report_data", "user data of %zu bytes and a nonce of %zu bytes",
                         user_data.len, nonce.len);
    }
    return atls_digest(c, ATLS_SHA256, parts, 2, out, err);
}
