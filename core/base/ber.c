/* SPDX-License-Identifier: Apache-2.0 */
/* ber.c: the only bytes that are looked at here are those that der.c refuses: the length octet 80, and the two zero octets that
 * end such an element. */
#include "ber.h"

#include <string.h>

#include "limits.h"

#define CONSTRUCTED              0x20u
#define HIGH_TAG                 0x1fu
#define INDEFINITE               0x80u
#define CONSTRUCTED_OCTET_STRING (ATLS_DER_OCTET_STRING | CONSTRUCTED)

static bool is_indefinite(atls_bytes in)
{
    return in.len >= 2 && (in.ptr[0] & CONSTRUCTED) != 0 && (in.ptr[0] & HIGH_TAG) != HIGH_TAG
           && in.ptr[1] == INDEFINITE;
}

static bool is_end(atls_bytes in)
{
    return in.len >= 2 && in.ptr[0] == 0 && in.ptr[1] == 0;
}

/* Passes one element; depth counts the indefinite ones around it. */
static bool skip(atls_cur *c, const char *field, unsigned depth)
{
    if (!is_indefinite(c->rest)) {
        return atls_der_any(c, field, NULL, NULL, NULL);
    }
    if (depth == ATLS_MAX_DER_DEPTH) {
        (void)atls_cur_fail(c, ATLS_E_LIMIT, field, NULL, NULL, "BER: nested too deep");
        return false;
    }
    if (!atls_cur_skip(c, field, 2)) {
        return false;
    }
    while (!is_end(c->rest)) {
        if (!skip(c, field, depth + 1)) {
            return false;
        }
    }
    return atls_cur_skip(c, field, 2);
}

/* From start up to where end stands, without `ahead` octets at the front and `behind` at the back. */
static bool between(atls_cur start, const atls_cur *end, const char *field, size_t ahead, size_t behind,
                    atls_bytes *out)
{
    const size_t n = atls_cur_offset(end) - atls_cur_offset(&start);
    return atls_cur_skip(&start, field, ahead) && atls_cur_bytes(&start, field, n - ahead - behind, out);
}

bool atls_ber_any(atls_cur *c, const char *field, atls_der_tag *tag, atls_bytes *content, atls_bytes *whole)
{
    atls_cur walk = *c;
    atls_bytes inner;
    atls_bytes all;
    if (!is_indefinite(c->rest)) {
        return atls_der_any(c, field, tag, content, whole);
    }
    const atls_der_tag found = c->rest.ptr[0];
    if (!skip(&walk, field, 0) || !between(*c, &walk, field, 2, 2, &inner) || !between(*c, &walk, field, 0, 0, &all)) {
        return false;
    }
    *c = walk;
    if (tag != NULL) {
        *tag = found;
    }
    if (content != NULL) {
        *content = inner;
    }
    if (whole != NULL) {
        *whole = all;
    }
    return true;
}

static bool expect(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *content)
{
    atls_cur walk = *c;
    atls_der_tag found;
    if (!is_indefinite(c->rest)) {
        return atls_der_expect(c, field, tag, content);
    }
    if (!atls_ber_any(&walk, field, &found, content, NULL)) {
        return false;
    }
    if (found != tag) {
        (void)atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, "BER: another type than expected");
        return false;
    }
    *c = walk;
    return true;
}

bool atls_ber_nested(atls_cur *c, const char *field, atls_der_tag tag, atls_cur *out)
{
    atls_bytes content;
    if (!expect(c, field, tag, &content)) {
        return false;
    }
    atls_cur_init(out, content, c->prefix, c->err);
    return true;
}

/* X.690 8.7.3: the content of each piece, in their order. What is joined is shorter than what it comes from. */
static bool join(atls_cur pieces, const char *field, atls_arena *a, atls_bytes *out, atls_error *err)
{
    uint8_t *joined = atls_arena_raw(a, pieces.rest.len, err);
    size_t n = 0;
    if (joined == NULL) {
        return false;
    }
    while (pieces.rest.len > 0) {
        atls_bytes piece;
        if (!atls_der_expect(&pieces, field, ATLS_DER_OCTET_STRING, &piece)) {
            return false;
        }
        memcpy(joined + n, piece.ptr, piece.len);
        n += piece.len;
    }
    *out = atls_bytes_of(joined, n);
    return true;
}

bool atls_ber_octets(atls_cur *c, const char *field, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_cur walk = *c;
    atls_cur pieces;
    if (!atls_der_peek(c, CONSTRUCTED_OCTET_STRING)) {
        return expect(c, field, ATLS_DER_OCTET_STRING, out);
    }
    if (!atls_ber_nested(&walk, field, CONSTRUCTED_OCTET_STRING, &pieces) || !join(pieces, field, a, out, err)) {
        return false;
    }
    *c = walk;
    return true;
}
