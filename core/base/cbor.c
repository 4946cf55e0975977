/* SPDX-License-Identifier: Apache-2.0 */
/* cbor.c: heads, and what follows them. Every reader works on a copy of the cursor, so that a failure moves nothing. */
#include "cbor.h"

#include <stdio.h>
#include <string.h>

#include "limits.h"
#include "text.h"

/* major types, RFC 8949 3.1 */
enum { MAJOR_UINT, MAJOR_NEGATIVE, MAJOR_BYTES, MAJOR_TEXT, MAJOR_ARRAY, MAJOR_MAP, MAJOR_TAG, MAJOR_OTHER };

static bool fail_encoding(const atls_cur *c, const char *field, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, message);
    return false; /* spelt out, so that compilers see which values are set where */
}

/* The argument of a head: 1 << (info - 24) bytes, info from 24 to 27. */
static bool read_argument(atls_cur *c, const char *field, unsigned info, uint64_t *out)
{
    uint8_t bytes[8];
    size_t n = (size_t)1 << (info - 24);
    if (!atls_cur_copy(c, field, bytes, n)) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | bytes[i];
    }
    *out = value;
    return true;
}

/* RFC 8949 4.2.1: the shortest argument that holds the value. `least` is the least that needs this many bytes. */
static bool read_shortest(atls_cur *c, const char *field, unsigned info, uint64_t *out)
{
    static const uint64_t least[] = {24, 0x100, 0x10000, 0x100000000};
    if (info < 24) {
        *out = info;
        return true;
    }
    if (info > 27) {
        return fail_encoding(c, field, info == 31 ? "CBOR: an indefinite length" : "CBOR: a reserved head");
    }
    uint64_t value;
    if (!read_argument(c, field, info, &value)) {
        return false;
    }
    if (value < least[info - 24]) {
        return fail_encoding(c, field, "CBOR: a head is longer than it must be");
    }
    *out = value;
    return true;
}

/* ---- floats: binary16, 32 and 64 in integers, because NaN payloads do not survive the FPU ---- */

typedef struct float_format {
    unsigned exponent_bits;
    unsigned fraction_bits;
} float_format;

static const float_format half = {5, 10};
static const float_format single = {8, 23};
static const float_format wide = {11, 52};

static int bias_of(float_format f)
{
    return (1 << (f.exponent_bits - 1)) - 1;
}

/* The same value as the bits of a binary64: every shorter float is exactly one of them. */
static uint64_t widen(uint64_t bits, float_format f)
{
    uint64_t sign = bits >> (f.exponent_bits + f.fraction_bits) & 1;
    uint64_t exponent_mask = ((uint64_t)1 << f.exponent_bits) - 1;
    uint64_t exponent = bits >> f.fraction_bits & exponent_mask;
    uint64_t fraction = (bits & (((uint64_t)1 << f.fraction_bits) - 1)) << (52 - f.fraction_bits);
    int64_t out = (int64_t)exponent - bias_of(f) + bias_of(wide);
    if (exponent == exponent_mask) {
        out = 0x7ff;
    } else if (exponent == 0 && fraction == 0) {
        out = 0;
    } else if (exponent == 0) {
        /* subnormal: shift until the leading one stands where binary64 implies it */
        for (out++; (fraction >> 52) == 0; out--) {
            fraction <<= 1;
        }
        fraction &= ((uint64_t)1 << 52) - 1;
    }
    return sign << 63 | (uint64_t)out << 52 | fraction;
}

/* Whether a binary64 is exactly a value, or a NaN with a payload, of a shorter format. */
static bool fits(uint64_t bits, float_format f)
{
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff) {
        return (fraction & (((uint64_t)1 << (52 - f.fraction_bits)) - 1)) == 0;
    }
    if (exponent == 0) {
        return fraction == 0; /* a binary64 subnormal is far below either */
    }
    exponent -= bias_of(wide);
    if (exponent > bias_of(f)) {
        return false;
    }
    /* the lowest bit that is set must not lie below the lowest bit that f has at this exponent */
    int lowest = exponent - 52;
    for (uint64_t rest = fraction | (uint64_t)1 << 52; (rest & 1) == 0; rest >>= 1) {
        lowest++;
    }
    int floor = exponent < 1 - bias_of(f) ? 1 - bias_of(f) : exponent;
    return lowest >= floor - (int)f.fraction_bits;
}

static bool read_float(atls_cur *c, const char *field, unsigned info, atls_cbor_item *out)
{
    uint64_t bits;
    if (!read_argument(c, field, info, &bits)) {
        return false;
    }
    out->type = ATLS_CBOR_FLOAT;
    out->n = info == 25 ? widen(bits, half) : info == 26 ? widen(bits, single) : bits;
    if ((info == 26 && fits(out->n, half)) || (info == 27 && fits(out->n, single))) {
        return fail_encoding(c, field, "CBOR: a float is longer than it must be");
    }
    return true;
}

/* ---- heads ---- */

/* Major type 7: the four simple values that mean something, and floats. */
static bool read_other(atls_cur *c, const char *field, unsigned info, atls_cbor_item *out)
{
    static const atls_cbor_type simple[] = {ATLS_CBOR_FALSE, ATLS_CBOR_TRUE, ATLS_CBOR_NULL, ATLS_CBOR_UNDEFINED};
    if (info >= 20 && info <= 23) {
        out->type = simple[info - 20];
        return true;
    }
    if (info >= 25 && info <= 27) {
        return read_float(c, field, info, out);
    }
    return fail_encoding(c, field, info == 31 ? "CBOR: a break" : "CBOR: a reserved simple value");
}

static bool read_string(atls_cur *c, const char *field, atls_cbor_item *out)
{
    /* a length beyond the address space is beyond the input too */
    size_t len = out->n > SIZE_MAX ? SIZE_MAX : (size_t)out->n;
    if (!atls_cur_bytes(c, field, len, &out->bytes)) {
        return false;
    }
    if (out->type == ATLS_CBOR_TEXT && !atls_utf8_valid(out->bytes)) {
        return fail_encoding(c, field, "CBOR: a text is not UTF-8");
    }
    out->n = 0;
    return true;
}

bool atls_cbor_head(atls_cur *c, const char *field, atls_cbor_item *out)
{
    static const atls_cbor_type types[] = {ATLS_CBOR_UINT,  ATLS_CBOR_NEGATIVE, ATLS_CBOR_BYTES, ATLS_CBOR_TEXT,
                                           ATLS_CBOR_ARRAY, ATLS_CBOR_MAP,      ATLS_CBOR_TAG};
    atls_cur walk = *c;
    atls_cbor_item item = {.bytes = atls_bytes_empty()};
    uint8_t first;
    if (!atls_cur_u8(&walk, field, &first)) {
        return false;
    }
    unsigned major = first >> 5;
    unsigned info = first & 0x1f;
    if (major == MAJOR_OTHER) {
        if (!read_other(&walk, field, info, &item)) {
            return false;
        }
    } else {
        item.type = types[major];
        if (!read_shortest(&walk, field, info, &item.n)) {
            return false;
        }
    }
    if ((major == MAJOR_BYTES || major == MAJOR_TEXT) && !read_string(&walk, field, &item)) {
        return false;
    }
    *c = walk;
    *out = item;
    return true;
}

/* ---- typed reads ---- */

static const char *type_name(atls_cbor_type type)
{
    static const char *const names[] = {
        [ATLS_CBOR_UINT] = "unsigned integer",
        [ATLS_CBOR_NEGATIVE] = "negative integer",
        [ATLS_CBOR_BYTES] = "byte string",
        [ATLS_CBOR_TEXT] = "text string",
        [ATLS_CBOR_ARRAY] = "array",
        [ATLS_CBOR_MAP] = "map",
        [ATLS_CBOR_TAG] = "tag",
        [ATLS_CBOR_FALSE] = "false",
        [ATLS_CBOR_TRUE] = "true",
        [ATLS_CBOR_NULL] = "null",
        [ATLS_CBOR_UNDEFINED] = "undefined",
        [ATLS_CBOR_FLOAT] = "float",
    };
    return names[type];
}

static bool fail_type(const atls_cur *c, const char *field, const char *expected, atls_cbor_type actual)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, type_name(actual), "CBOR: another type than expected");
    return false;
}

static bool fail_range(const atls_cur *c, const char *field, atls_code code, uint64_t max, uint64_t actual)
{
    char expected_text[32];
    char actual_text[32];
    snprintf(expected_text, sizeof expected_text, "at most %llu", (unsigned long long)max);
    snprintf(actual_text, sizeof actual_text, "%llu", (unsigned long long)actual);
    (void)atls_cur_fail(c, code, field, expected_text, actual_text, "CBOR: a number is too large");
    return false;
}

/* An item of one type, without moving c: the caller commits `walk` when it is satisfied. */
static bool expect(const atls_cur *c, const char *field, atls_cbor_type type, atls_cur *walk, atls_cbor_item *item)
{
    *walk = *c;
    if (!atls_cbor_head(walk, field, item)) {
        return false;
    }
    return item->type == type || fail_type(c, field, type_name(type), item->type);
}

/* An item of one type whose number is at most max. */
static bool expect_number(atls_cur *c, const char *field, atls_cbor_type type, atls_code code, uint64_t max,
                          uint64_t *out)
{
    atls_cur walk;
    atls_cbor_item item;
    if (!expect(c, field, type, &walk, &item)) {
        return false;
    }
    if (item.n > max) {
        return fail_range(c, field, code, max, item.n);
    }
    *out = item.n;
    *c = walk;
    return true;
}

static bool expect_string(atls_cur *c, const char *field, atls_cbor_type type, atls_bytes *out)
{
    atls_cur walk;
    atls_cbor_item item;
    if (!expect(c, field, type, &walk, &item)) {
        return false;
    }
    *out = item.bytes;
    *c = walk;
    return true;
}

bool atls_cbor_uint(atls_cur *c, const char *field, uint64_t max, uint64_t *out)
{
    return expect_number(c, field, ATLS_CBOR_UINT, ATLS_E_ENCODING, max, out);
}

bool atls_cbor_int(atls_cur *c, const char *field, int64_t *out)
{
    atls_cur walk = *c;
    atls_cbor_item item;
    if (!atls_cbor_head(&walk, field, &item)) {
        return false;
    }
    if (item.type != ATLS_CBOR_UINT && item.type != ATLS_CBOR_NEGATIVE) {
        return fail_type(c, field, "integer", item.type);
    }
    if (item.n > INT64_MAX) {
        return fail_range(c, field, ATLS_E_ENCODING, INT64_MAX, item.n);
    }
    *out = item.type == ATLS_CBOR_UINT ? (int64_t)item.n : -1 - (int64_t)item.n;
    *c = walk;
    return true;
}

bool atls_cbor_bytes(atls_cur *c, const char *field, atls_bytes *out)
{
    return expect_string(c, field, ATLS_CBOR_BYTES, out);
}

bool atls_cbor_text(atls_cur *c, const char *field, atls_bytes *out)
{
    return expect_string(c, field, ATLS_CBOR_TEXT, out);
}

bool atls_cbor_bool(atls_cur *c, const char *field, bool *out)
{
    atls_cur walk = *c;
    atls_cbor_item item;
    if (!atls_cbor_head(&walk, field, &item)) {
        return false;
    }
    if (item.type != ATLS_CBOR_TRUE && item.type != ATLS_CBOR_FALSE) {
        return fail_type(c, field, "boolean", item.type);
    }
    *out = item.type == ATLS_CBOR_TRUE;
    *c = walk;
    return true;
}

bool atls_cbor_array(atls_cur *c, const char *field, uint64_t max, uint64_t *n)
{
    return expect_number(c, field, ATLS_CBOR_ARRAY, ATLS_E_LIMIT, max, n);
}

bool atls_cbor_map(atls_cur *c, const char *field, uint64_t max, uint64_t *n)
{
    return expect_number(c, field, ATLS_CBOR_MAP, ATLS_E_LIMIT, max, n);
}

/* ---- whole items ---- */

int atls_cbor_key_order(atls_bytes a, atls_bytes b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.ptr, b.ptr, common);
    if (order != 0) {
        return order;
    }
    return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

static bool skip_item(atls_cur *c, const char *field, bool deterministic, unsigned depth);

/* An item, and the bytes that it is made of. */
static bool skip_whole(atls_cur *c, const char *field, bool deterministic, unsigned depth, atls_bytes *whole)
{
    atls_cur start = *c;
    return skip_item(c, field, deterministic, depth)
           && atls_cur_bytes(&start, field, atls_cur_offset(c) - atls_cur_offset(&start), whole);
}

static bool skip_pairs(atls_cur *c, const char *field, bool deterministic, unsigned depth, uint64_t n)
{
    atls_bytes last = atls_bytes_empty(); /* no key is empty, so the first one comes after it */
    for (uint64_t i = 0; i < n; i++) {
        atls_bytes key;
        if (!skip_whole(c, field, deterministic, depth, &key)) {
            return false;
        }
        if (deterministic && atls_cbor_key_order(last, key) >= 0) {
            return fail_encoding(c, field, "CBOR: the keys of a map are out of order or repeated");
        }
        last = key;
        if (!skip_item(c, field, deterministic, depth)) {
            return false;
        }
    }
    return true;
}

/* depth counts the arrays, maps and tags around this item */
static bool skip_item(atls_cur *c, const char *field, bool deterministic, unsigned depth)
{
    atls_cbor_item item;
    if (!atls_cbor_head(c, field, &item)) {
        return false;
    }
    if (item.type != ATLS_CBOR_ARRAY && item.type != ATLS_CBOR_MAP && item.type != ATLS_CBOR_TAG) {
        return true;
    }
    if (depth == ATLS_MAX_CBOR_DEPTH) {
        return fail_range(c, field, ATLS_E_LIMIT, ATLS_MAX_CBOR_DEPTH, (uint64_t)depth + 1);
    }
    if (item.type == ATLS_CBOR_MAP) {
        return skip_pairs(c, field, deterministic, depth + 1, item.n);
    }
    /* a count that lies ends at the end of the input: every element takes a byte at least */
    uint64_t n = item.type == ATLS_CBOR_TAG ? 1 : item.n;
    for (uint64_t i = 0; i < n; i++) {
        if (!skip_item(c, field, deterministic, depth + 1)) {
            return false;
        }
    }
    return true;
}

bool atls_cbor_skip(atls_cur *c, const char *field, bool deterministic, atls_bytes *whole)
{
    atls_cur walk = *c;
    atls_bytes encoding;
    if (!skip_whole(&walk, field, deterministic, 0, &encoding)) {
        return false;
    }
    *c = walk;
    if (whole != NULL) {
        *whole = encoding;
    }
    return true;
}
