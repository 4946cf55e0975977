/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.c: what readers of bytes have in common that is not asked for a million times a second (that is in the header). */
#include "cursor.h"

#include <stdio.h>
#include <string.h>

bool atls_cur_fail(const atls_cur *c, atls_code code, const char *field, const char *expected, const char *actual,
                   const char *message)
{
    char full[sizeof c->err->field];
    bool both = c->prefix[0] != '\0' && field[0] != '\0';
    snprintf(full, sizeof full, "%s%s%s", c->prefix, both ? "." : "", field);
    if (message == NULL) {
        return atls_fail_values(c->err, code, full, expected, actual, NULL);
    }
    return atls_fail_values(c->err, code, full, expected, actual, "%s", message);
}

void atls_cur_fail_len(const atls_cur *c, const char *field, size_t n)
{
    char expected[32];
    char actual[32];
    snprintf(expected, sizeof expected, "%zu bytes", n);
    snprintf(actual, sizeof actual, "%zu bytes", c->rest.len);
    (void)atls_cur_fail(c, ATLS_E_TRUNCATED, field, expected, actual, NULL);
}

void atls_cur_init(atls_cur *c, atls_bytes in, const char *prefix, atls_error *err)
{
    atls_bytes whole = atls_bytes_of(in.ptr, in.len);
    *c = (atls_cur){.rest = whole, .start = whole.ptr, .prefix = prefix, .err = err};
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
    uint64_t value = 0;
    for (size_t i = n; i > 0; i--) {
        value = value << 8 | p[i - 1];
    }
    return value;
}

bool atls_cur_u16le(atls_cur *c, const char *field, uint16_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 2, &p)) {
        return false;
    }
    *out = (uint16_t)little_endian(p, 2);
    return true;
}

bool atls_cur_u32le(atls_cur *c, const char *field, uint32_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 4, &p)) {
        return false;
    }
    *out = (uint32_t)little_endian(p, 4);
    return true;
}

bool atls_cur_u64le(atls_cur *c, const char *field, uint64_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 8, &p)) {
        return false;
    }
    *out = little_endian(p, 8);
    return true;
}

bool atls_cur_u16be(atls_cur *c, const char *field, uint16_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 2, &p)) {
        return false;
    }
    *out = (uint16_t)big_endian(p, 2);
    return true;
}

bool atls_cur_u32be(atls_cur *c, const char *field, uint32_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 4, &p)) {
        return false;
    }
    *out = (uint32_t)big_endian(p, 4);
    return true;
}

bool atls_cur_u64be(atls_cur *c, const char *field, uint64_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 8, &p)) {
        return false;
    }
    *out = big_endian(p, 8);
    return true;
}

bool atls_cur_copy(atls_cur *c, const char *field, uint8_t *dst, size_t n)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, n, &p)) {
        return false;
    }
    if (n > 0) {
        memcpy(dst, p, n);
    }
    return true;
}

bool atls_cur_skip(atls_cur *c, const char *field, size_t n)
{
    const uint8_t *p;
    return atls_cur_take(c, field, n, &p);
}

bool atls_cur_child(atls_cur *c, const char *field, size_t n, const char *prefix, atls_cur *out)
{
    atls_bytes content;
    if (!atls_cur_bytes(c, field, n, &content)) {
        return false;
    }
    atls_cur_init(out, content, prefix, c->err);
    return true;
}

atls_bytes atls_cur_rest(atls_cur *c)
{
    atls_bytes rest = c->rest;
    return atls_cur_skip(c, "", rest.len) ? rest : atls_bytes_empty();
}

bool atls_cur_end(atls_cur *c)
{
    if (c->rest.len == 0) {
        return true;
    }
    char actual[32];
    snprintf(actual, sizeof actual, "%zu bytes", c->rest.len);
    return atls_cur_fail(c, ATLS_E_TRAILING, "", "0 bytes", actual, NULL);
}
