/* SPDX-License-Identifier: Apache-2.0 */
/* pem.c: PEM blocks of certificates and lists (RFC 7468), the strict form: blocks and white space, nothing else.
 *
 * Text between the blocks is refused, because two readers who skip it differently see different chains. */
#include <string.h>

#include "base/cursor.h"
#include "base/text.h"
#include "cert.h"

#define LINE_LEN 64u
#define PAD      64u /* index of the padding among the digits */

/* What stands around a block. */
typedef struct marks {
    const char *begin;
    const char *end;
} marks;

static const marks certificate = {"-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"};
static const marks public_key = {"-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"};
static const marks list = {"-----BEGIN X509 CRL-----", "-----END X509 CRL-----"};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool skip_space(atls_cur *c)
{
    while (c->rest.len > 0 && is_space(c->rest.ptr[0])) {
        if (!atls_cur_skip(c, "", 1)) {
            return false;
        }
    }
    return true;
}

/* Reads exactly this mark. */
static bool read_mark(atls_cur *c, const char *mark)
{
    atls_bytes text;
    return atls_cur_bytes(c, "", strlen(mark), &text) && atls_bytes_equal_str(text, mark);
}

/* Everything up to the next dash: base64 and white space, which atls_base64_decode judges. */
static bool read_body(atls_cur *c, atls_bytes *body)
{
    const uint8_t *dash = c->rest.len == 0 ? NULL : memchr(c->rest.ptr, '-', c->rest.len);
    return atls_cur_bytes(c, "", dash == NULL ? c->rest.len : (size_t)(dash - c->rest.ptr), body);
}

/* One block, its white space after it included. False with *err set only when memory ran out; *why holds the rest. */
static bool read_block(atls_cur *c, const marks *m, atls_arena *a, atls_bytes *der, atls_error *err)
{
    atls_bytes body;
    if (!read_mark(c, m->begin) || !read_body(c, &body) || body.len == 0 || !is_space(body.ptr[0])
        || !read_mark(c, m->end)) {
        return false;
    }
    atls_error why = {0};
    if (!atls_base64_decode(body, true, "", a, der, &why)) {
        if (why.code == ATLS_E_MEMORY) {
            *err = why;
        }
        return false;
    }
    return der->len > 0 && skip_space(c);
}

static atls_bytes without_nul_tail(atls_bytes text)
{
    while (text.len > 0 && text.ptr[text.len - 1] == 0) {
        text.len--;
    }
    return text;
}

bool atls_pem_certificates(atls_bytes text, bool allow_nul_tail, atls_code code, const char *field, atls_arena *a,
                           atls_bytes *out, size_t max, size_t *n, atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    *n = 0;
    size_t count = 0;
    atls_cur_init(&c, allow_nul_tail ? without_nul_tail(text) : text, "", &why);
    if (!skip_space(&c) || c.rest.len == 0) {
        return atls_fail(err, code, field, "there is no PEM certificate");
    }
    while (c.rest.len > 0) {
        if (count == max || count == ATLS_MAX_PEM_CERTS) {
            return atls_fail(err, code, field, "more than %zu PEM certificates", count);
        }
        if (!read_block(&c, &certificate, a, &out[count], err)) {
            return atls_fail(err, code, field, "PEM certificate %zu is malformed, or has text around it", count);
        }
        count++;
    }
    *n = count;
    return true;
}

bool atls_pem_next(atls_bytes *text, atls_code code, const char *field, atls_arena *a, bool *is_crl, atls_bytes *der,
                   atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, *text, "", &why);
    const size_t n = strlen(list.begin);
    if (!skip_space(&c)) {
        return atls_fail(err, ATLS_E_INTERNAL, field, "white space cannot be read");
    }
    *is_crl = c.rest.len >= n && memcmp(c.rest.ptr, list.begin, n) == 0;
    if (!read_block(&c, *is_crl ? &list : &certificate, a, der, err)) {
        return atls_fail(err, code, field, "a PEM block is malformed, or has text around it");
    }
    *text = c.rest;
    return true;
}

bool atls_pem_public_key(atls_bytes text, atls_code code, const char *field, atls_arena *a, atls_bytes *spki,
                         atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, text, "", &why);
    if (!skip_space(&c) || !read_block(&c, &public_key, a, spki, err) || c.rest.len > 0) {
        return atls_fail(err, code, field, "not one PEM block of a public key");
    }
    return true;
}

/* 3 bytes of DER make 4 digits; a line has 64 of them. */
static void put_base64(atls_buf *b, atls_bytes in)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";
    size_t column = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        uint32_t group = (uint32_t)in.ptr[i] << 16;
        group |= left > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)in.ptr[i + 2] : 0;
        char text[4] = {digits[group >> 18], digits[group >> 12 & 63], '=', '='};
        text[2] = digits[left > 1 ? group >> 6 & 63 : PAD];
        text[3] = digits[left > 2 ? group & 63 : PAD];
        atls_buf_put(b, atls_bytes_of(text, sizeof text));
        column += sizeof text;
        if (column == LINE_LEN || left <= 3) {
            atls_buf_str(b, "\n");
            column = 0;
        }
    }
}

bool atls_pem_encode(atls_bytes der, const char *label, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_buf_init(&b, a, err);
    atls_buf_format(&b, "-----BEGIN %s-----\n", label);
    put_base64(&b, der);
    atls_buf_format(&b, "-----END %s-----\n", label);
    return atls_buf_done(&b, out);
}
