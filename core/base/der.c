/* SPDX-License-Identifier: Apache-2.0 */
/* der.c: identifier, length, content; then the few types that certificates are made of. Every reader works on a copy of
 * the cursor, so that a failure moves nothing. */
#include "der.h"

#include <stdio.h>

#define TAG_MASK   0x1fu /* the number within an identifier octet; all ones announce the high form */
#define CLASS_MASK 0xe0u /* class and constructed bit */

/* RFC 5280 4.1.2.5: dates through 2049 MUST be UTCTime. Every certificate and list of the real evidence obeys. */
#define FIRST_GENERALIZED_YEAR 2050

static bool fail_encoding(const atls_cur *c, const char *field, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, NULL, NULL, message);
    return false; /* spelt out, so that compilers see which values are set where */
}

/* X.690 8.1.2.4: base 128, most significant first, no leading 0x80 */
static bool read_high_tag(atls_cur *c, const char *field, uint8_t first, atls_der_tag *out)
{
    uint32_t number = 0;
    uint8_t octet;
    do {
        if (!atls_cur_u8(c, field, &octet)) {
            return false;
        }
        if (number == 0 && octet == 0x80) {
            return fail_encoding(c, field, "DER: a tag number is not minimal");
        }
        if (number >= 1u << 17) {
            return fail_encoding(c, field, "DER: a tag number is too large");
        }
        number = number << 7 | (octet & 0x7fu);
    } while ((octet & 0x80) != 0);
    if (number < TAG_MASK) {
        return fail_encoding(c, field, "DER: a tag number is not minimal");
    }
    if ((first & 0xc0) == 0) {
        /* nothing of ours uses them, and [UNIVERSAL 48] primitive would look like a SEQUENCE, which is 0x30 */
        return fail_encoding(c, field, "DER: a universal tag in the high form");
    }
    *out = (first & CLASS_MASK) << 24 | number;
    return true;
}

static bool read_tag(atls_cur *c, const char *field, atls_der_tag *out)
{
    uint8_t first;
    if (!atls_cur_u8(c, field, &first)) {
        return false;
    }
    if ((first & TAG_MASK) == TAG_MASK) {
        return read_high_tag(c, field, first, out);
    }
    if (first == 0) {
        return fail_encoding(c, field, "DER: an end-of-contents octet");
    }
    *out = first;
    return true;
}

/* X.690 8.1.3 and 10.1: definite, shortest form */
static bool read_length(atls_cur *c, const char *field, size_t *out)
{
    uint8_t first;
    if (!atls_cur_u8(c, field, &first)) {
        return false;
    }
    if (first < 0x80) {
        *out = first;
        return true;
    }
    unsigned n = first & 0x7fu;
    if (n == 0 || n > 4) {
        return fail_encoding(c, field, n == 0 ? "DER: an indefinite length" : "DER: a length of more than 4 bytes");
    }
    uint32_t len = 0;
    for (unsigned i = 0; i < n; i++) {
        uint8_t octet;
        if (!atls_cur_u8(c, field, &octet)) {
            return false;
        }
        if (i == 0 && octet == 0) {
            return fail_encoding(c, field, "DER: a length is not minimal");
        }
        len = len << 8 | octet;
    }
    if (len < 0x80) {
        return fail_encoding(c, field, "DER: a length is not minimal");
    }
    *out = len;
    return true;
}

bool atls_der_any(atls_cur *c, const char *field, atls_der_tag *tag, atls_bytes *content, atls_bytes *whole)
{
    atls_cur walk = *c;
    atls_der_tag found;
    size_t len;
    atls_bytes body;
    if (!read_tag(&walk, field, &found) || !read_length(&walk, field, &len)
        || !atls_cur_bytes(&walk, field, len, &body)) {
        return false;
    }
    atls_bytes encoding;
    if (!atls_cur_bytes(c, field, atls_cur_offset(&walk) - atls_cur_offset(c), &encoding)) {
        return false;
    }
    if (tag != NULL) {
        *tag = found;
    }
    if (content != NULL) {
        *content = body;
    }
    if (whole != NULL) {
        *whole = encoding;
    }
    return true;
}

/* "SEQUENCE", "[3]", "tag 0x1f" */
static void name_tag(atls_der_tag tag, char *out, size_t size)
{
    static const char *const names[] = {
        [ATLS_DER_BOOLEAN] = "BOOLEAN",
        [ATLS_DER_INTEGER] = "INTEGER",
        [ATLS_DER_BIT_STRING] = "BIT STRING",
        [ATLS_DER_OCTET_STRING] = "OCTET STRING",
        [ATLS_DER_NULL] = "NULL",
        [ATLS_DER_OID] = "OBJECT IDENTIFIER",
        [ATLS_DER_ENUMERATED] = "ENUMERATED",
        [ATLS_DER_UTF8_STRING] = "UTF8String",
        [ATLS_DER_PRINTABLE_STRING] = "PrintableString",
        [ATLS_DER_T61_STRING] = "T61String",
        [ATLS_DER_IA5_STRING] = "IA5String",
        [ATLS_DER_UTC_TIME] = "UTCTime",
        [ATLS_DER_GENERALIZED_TIME] = "GeneralizedTime",
        [ATLS_DER_BMP_STRING] = "BMPString",
        [ATLS_DER_SEQUENCE] = "SEQUENCE",
        [ATLS_DER_SET] = "SET",
    };
    if (tag < sizeof names / sizeof names[0] && names[tag] != NULL) {
        snprintf(out, size, "%s", names[tag]);
        return;
    }
    bool high = tag > 0xff;
    uint32_t class = (high ? tag >> 24 : tag) & 0xc0;
    uint32_t number = high ? tag & 0xffffff : tag & TAG_MASK;
    const char *constructed = ((high ? tag >> 24 : tag) & 0x20) != 0 ? " constructed" : "";
    if (class == 0x80) {
        snprintf(out, size, "[%u]%s", (unsigned)number, constructed);
    } else {
        snprintf(out, size, "tag 0x%x", (unsigned)tag);
    }
}

static bool fail_tag(const atls_cur *c, const char *field, atls_der_tag wanted, atls_der_tag found)
{
    char expected[32];
    char actual[32];
    name_tag(wanted, expected, sizeof expected);
    name_tag(found, actual, sizeof actual);
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, actual, "DER: another type than expected");
    return false;
}

bool atls_der_expect(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *content)
{
    atls_cur walk = *c;
    atls_der_tag found;
    atls_bytes body;
    if (!atls_der_any(&walk, field, &found, &body, NULL)) {
        return false;
    }
    if (found != tag) {
        return fail_tag(c, field, tag, found);
    }
    *c = walk;
    *content = body;
    return true;
}

bool atls_der_nested(atls_cur *c, const char *field, atls_der_tag tag, atls_cur *out)
{
    atls_bytes content;
    if (!atls_der_expect(c, field, tag, &content)) {
        return false;
    }
    atls_cur_init(out, content, c->prefix, c->err);
    return true;
}

bool atls_der_peek(const atls_cur *c, atls_der_tag tag)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur walk = *c;
    walk.err = &ignored;
    atls_der_tag found;
    return walk.rest.len > 0 && read_tag(&walk, "", &found) && found == tag;
}

/* X.690 8.2 and 11.1 */
bool atls_der_bool(atls_cur *c, const char *field, bool *out)
{
    atls_cur walk = *c;
    atls_bytes content;
    if (!atls_der_expect(&walk, field, ATLS_DER_BOOLEAN, &content)) {
        return false;
    }
    if (content.len != 1 || (content.ptr[0] != 0x00 && content.ptr[0] != 0xff)) {
        return fail_encoding(c, field, "DER: a BOOLEAN is neither 00 nor FF");
    }
    *out = content.ptr[0] == 0xff;
    *c = walk;
    return true;
}

/* X.690 8.3: not empty, not negative, no byte more than needed. out is the magnitude. */
static bool read_magnitude(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *out)
{
    atls_bytes content;
    if (!atls_der_expect(c, field, tag, &content)) {
        return false;
    }
    if (content.len == 0) {
        return fail_encoding(c, field, "DER: an INTEGER without content");
    }
    if ((content.ptr[0] & 0x80) != 0) {
        return fail_encoding(c, field, "DER: an INTEGER is negative");
    }
    if (content.len == 1 || content.ptr[0] != 0) {
        *out = content;
        return true;
    }
    if ((content.ptr[1] & 0x80) == 0) {
        return fail_encoding(c, field, "DER: an INTEGER is not minimal");
    }
    atls_cur body;
    atls_cur_init(&body, content, c->prefix, c->err);
    if (!atls_cur_skip(&body, field, 1)) {
        return false;
    }
    *out = atls_cur_rest(&body);
    return true;
}

bool atls_der_unsigned(atls_cur *c, const char *field, atls_bytes *out)
{
    atls_cur walk = *c;
    if (!read_magnitude(&walk, field, ATLS_DER_INTEGER, out)) {
        return false;
    }
    *c = walk;
    return true;
}

bool atls_der_uint(atls_cur *c, const char *field, atls_der_tag tag, uint64_t max, uint64_t *out)
{
    atls_cur walk = *c;
    atls_bytes magnitude;
    if (!read_magnitude(&walk, field, tag, &magnitude)) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < magnitude.len && i < sizeof value; i++) {
        value = value << 8 | magnitude.ptr[i];
    }
    if (magnitude.len > sizeof value || value > max) {
        char expected[32];
        char actual[32];
        snprintf(expected, sizeof expected, "0 to %llu", (unsigned long long)max);
        snprintf(actual, sizeof actual, magnitude.len > sizeof value ? "more than 8 bytes" : "%llu",
                 (unsigned long long)value);
        return atls_cur_fail(c, ATLS_E_ENCODING, field, expected, actual, "DER: an INTEGER is out of range");
    }
    *out = value;
    *c = walk;
    return true;
}

/* X.690 8.19: every arc ends, and none starts with 0x80 */
bool atls_der_oid(atls_cur *c, const char *field, atls_bytes *out)
{
    atls_cur walk = *c;
    atls_bytes content;
    if (!atls_der_expect(&walk, field, ATLS_DER_OID, &content)) {
        return false;
    }
    bool at_start = true;
    for (size_t i = 0; i < content.len; i++) {
        if (at_start && content.ptr[i] == 0x80) {
            return fail_encoding(c, field, "DER: an arc of an OBJECT IDENTIFIER is not minimal");
        }
        at_start = (content.ptr[i] & 0x80) == 0;
    }
    if (content.len == 0 || !at_start) {
        return fail_encoding(c, field, "DER: an OBJECT IDENTIFIER is empty or ends inside an arc");
    }
    *out = content;
    *c = walk;
    return true;
}

/* X.690 8.6 and 11.2.1 */
bool atls_der_bits(atls_cur *c, const char *field, uint8_t *unused, atls_bytes *out)
{
    atls_cur walk = *c;
    atls_cur body;
    uint8_t n;
    if (!atls_der_nested(&walk, field, ATLS_DER_BIT_STRING, &body) || !atls_cur_u8(&body, field, &n)) {
        return false;
    }
    atls_bytes bits = atls_cur_rest(&body);
    if (n > 7 || (n > 0 && bits.len == 0)) {
        return fail_encoding(c, field, "DER: a BIT STRING has an impossible number of unused bits");
    }
    if (n > 0 && (bits.ptr[bits.len - 1] & ((1u << n) - 1)) != 0) {
        return fail_encoding(c, field, "DER: unused bits of a BIT STRING are not zero");
    }
    *unused = n;
    *out = bits;
    *c = walk;
    return true;
}

/* ---- times ---- */

/* two decimal digits; -1, which is part of no date, when they are none */
static int two_digits(atls_bytes text, size_t pos)
{
    uint8_t high = text.ptr[pos];
    uint8_t low = text.ptr[pos + 1];
    bool ok = high >= '0' && high <= '9' && low >= '0' && low <= '9';
    return ok ? 10 * (high - '0') + (low - '0') : -1;
}

/* MMDDHHMMSSZ from pos to the end */
static bool read_date(atls_bytes text, size_t pos, int year, atls_time *out)
{
    return text.ptr[pos + 10] == 'Z'
           && atls_time_from_civil(year, two_digits(text, pos), two_digits(text, pos + 2), two_digits(text, pos + 4),
                                   two_digits(text, pos + 6), two_digits(text, pos + 8), out);
}

static bool read_utc_time(atls_bytes text, atls_time *out)
{
    if (text.len != 13) {
        return false;
    }
    int year = two_digits(text, 0);
    return year >= 0 && read_date(text, 2, year < 50 ? 2000 + year : 1900 + year, out);
}

static bool read_generalized_time(atls_bytes text, int first_year, atls_time *out)
{
    if (text.len != 15) {
        return false;
    }
    int century = two_digits(text, 0);
    int year = two_digits(text, 2);
    if (century < 0 || year < 0 || 100 * century + year < first_year) {
        return false;
    }
    return read_date(text, 4, 100 * century + year, out);
}

static bool read_time(atls_cur *c, const char *field, int first_generalized_year, atls_time *out)
{
    atls_cur walk = *c;
    atls_der_tag tag;
    atls_bytes text;
    if (!atls_der_any(&walk, field, &tag, &text, NULL)) {
        return false;
    }
    bool utc = tag == ATLS_DER_UTC_TIME;
    if (!utc && tag != ATLS_DER_GENERALIZED_TIME) {
        return fail_tag(c, field, ATLS_DER_UTC_TIME, tag);
    }
    atls_time t;
    if (!(utc ? read_utc_time(text, &t) : read_generalized_time(text, first_generalized_year, &t))) {
        return fail_encoding(c, field, "DER: a time is not a real date in the form that RFC 5280 asks for");
    }
    *out = t;
    *c = walk;
    return true;
}

bool atls_der_time(atls_cur *c, const char *field, atls_time *out)
{
    return read_time(c, field, FIRST_GENERALIZED_YEAR, out);
}

bool atls_der_time_any(atls_cur *c, const char *field, atls_time *out)
{
    return read_time(c, field, 0, out);
}
