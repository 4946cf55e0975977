/* SPDX-License-Identifier: Apache-2.0 */
/* cmw.c: one record in, one record out. The reader takes exactly what the writer gives, so a record has one spelling. */
#include "cmw.h"

#include <stdio.h>

#define RECORD_ITEMS 3u /* type, value, indicator: RFC 9999 lets the last one go, atls/1 does not */
#define FIELD_SIZE   64u

/* "cmw" and "type" give "cmw.type". */
static const char *sub_field(char out[static FIELD_SIZE], const char *field, const char *name)
{
    snprintf(out, FIELD_SIZE, "%s%s%s", field, field[0] == '\0' ? "" : ".", name);
    return out;
}

static bool fail_number(const atls_cur *c, const char *field, uint64_t expected, uint64_t actual, const char *message)
{
    char expected_text[32];
    char actual_text[32];
    snprintf(expected_text, sizeof expected_text, "%llu", (unsigned long long)expected);
    snprintf(actual_text, sizeof actual_text, "%llu", (unsigned long long)actual);
    return atls_cur_fail(c, ATLS_E_ENCODING, field, expected_text, actual_text, message);
}

static bool read_open(atls_cur *c, const char *field)
{
    uint64_t n;
    if (!atls_cbor_array(c, field, RECORD_ITEMS, &n)) {
        return false;
    }
    return n == RECORD_ITEMS || fail_number(c, field, RECORD_ITEMS, n, "CMW: a record of another length");
}

static bool read_type(atls_cur *c, const char *field, atls_bytes *out)
{
    char full[FIELD_SIZE];
    (void)sub_field(full, field, "type");
    if (!atls_cbor_text(c, full, out)) {
        return false;
    }
    return out->len > 0 || atls_cur_fail(c, ATLS_E_ENCODING, full, NULL, NULL, "CMW: an empty type");
}

static bool read_value(atls_cur *c, const char *field, atls_bytes *out)
{
    char full[FIELD_SIZE];
    (void)sub_field(full, field, "value");
    if (!atls_cbor_bytes(c, full, out)) {
        return false;
    }
    return out->len > 0 || atls_cur_fail(c, ATLS_E_ENCODING, full, NULL, NULL, "CMW: an empty value");
}

/* Exactly the one: evidence that calls itself an endorsement as well is neither. */
static bool read_indicator(atls_cur *c, const char *field, uint64_t wanted)
{
    char full[FIELD_SIZE];
    uint64_t n;
    (void)sub_field(full, field, "indicator");
    if (!atls_cbor_uint(c, full, UINT64_MAX, &n)) {
        return false;
    }
    return n == wanted || fail_number(c, full, wanted, n, "CMW: another kind of message than expected");
}

bool atls_cmw_read(atls_cur *c, const char *field, uint64_t indicator, atls_cmw_record *out)
{
    atls_cur walk = *c;
    atls_cmw_record record;
    if (!read_open(&walk, field) || !read_type(&walk, field, &record.type) || !read_value(&walk, field, &record.value)
        || !read_indicator(&walk, field, indicator)) {
        return false;
    }
    *c = walk;
    *out = record;
    return true;
}

void atls_cmw_write(atls_cw *w, uint64_t indicator, const atls_cmw_record *in)
{
    atls_cw_array(w, RECORD_ITEMS);
    atls_cw_text(w, in->type);
    atls_cw_bytes(w, in->value);
    atls_cw_uint(w, indicator);
}
