/* SPDX-License-Identifier: Apache-2.0 */
/* pcs.c: responses of the PCS as values. */
#include "pcs.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"

#define DER_SEQUENCE 0x30
#define LIST_BEGIN   "-----BEGIN X509 CRL-----"
#define LIST_END     "-----END X509 CRL-----"

bool atls_pcs_signed(atls_bytes json, const char *name, const char *member, atls_arena *arena, atls_bytes *text,
                     atls_bytes *signature, atls_error *err)
{
    const atls_json *whole;
    const atls_json *inner;
    if (!atls_json_parse(json, name, arena, &whole, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    if (!atls_json_member(whole, "", member, ATLS_JSON_OBJECT, &inner, err)
        || !atls_json_member_text(whole, "", "signature", signature, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, name);
    }
    *text = inner->raw;
    return true;
}

bool atls_pcs_percent_decode(atls_bytes in, const char *name, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    uint8_t *room = atls_arena_raw(arena, in.len, err);
    size_t n = 0;
    if (room == NULL) {
        return false;
    }
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (c == '%') {
            if (in.len - i < 3 || !atls_hex_fixed(atls_bytes_of(in.ptr + i + 1, 2), &c, 1) || c == 0) {
                return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, name,
                                 "a percent sign without two hex digits behind it");
            }
            i += 2;
        }
        room[n++] = c;
    }
    *out = atls_bytes_of(room, n);
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trimmed(atls_bytes in)
{
    while (in.len > 0 && is_space(in.ptr[0])) {
        in.ptr++;
        in.len--;
    }
    while (in.len > 0 && is_space(in.ptr[in.len - 1])) {
        in.len--;
    }
    return in;
}

/* Whether in is begin, something, end; gives the something. */
static bool between(atls_bytes in, const char *begin, const char *end, atls_bytes *out)
{
    size_t head = strlen(begin);
    size_t tail = strlen(end);
    if (in.len < head + tail || memcmp(in.ptr, begin, head) != 0 || memcmp(in.ptr + in.len - tail, end, tail) != 0) {
        return false;
    }
    *out = atls_bytes_of(in.ptr + head, in.len - head - tail);
    return true;
}

static bool decode_text_list(atls_bytes in, const char *name, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_bytes base64;
    atls_bytes text = trimmed(in);
    if (between(text, LIST_BEGIN, LIST_END, &base64)) {
        return atls_base64_decode(base64, true, name, arena, out, err);
    }
    return atls_hex_decode(text, name, arena, out, err);
}

bool atls_pcs_list(atls_bytes in, const char *name, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    *out = in;
    bool is_der = in.len > 0 && in.ptr[0] == DER_SEQUENCE; /* section 5: the first byte decides */
    if (!is_der && !decode_text_list(in, name, arena, out, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    if (out->len == 0 || out->ptr[0] != DER_SEQUENCE) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, name, "%s is no revocation list in DER, PEM or hex", name);
    }
    return out->len <= ATLS_MAX_CRL_LEN
           || atls_fail(err, ATLS_E_LIMIT, name, "a revocation list has at most %u bytes", ATLS_MAX_CRL_LEN);
}
