/* SPDX-License-Identifier: Apache-2.0 */
/* test_der.c: one spelling for every value (ITU-T X.690), and the dates of RFC 5280. */
#include "check.h"

#include "base/der.h"

/* Readers as text, so that one table holds them all. */
typedef bool reader(atls_cur *c, char *out, size_t size);

static bool read_any(atls_cur *c, char *out, size_t size)
{
    atls_der_tag tag = 0;
    atls_bytes content = atls_bytes_empty();
    atls_bytes whole = atls_bytes_empty();
    bool ok = atls_der_any(c, "f", &tag, &content, &whole);
    snprintf(out, size, "%x %zu/%zu", (unsigned)tag, content.len, whole.len);
    return ok;
}

static bool read_any_without_outputs(atls_cur *c, char *out, size_t size)
{
    snprintf(out, size, "-");
    return atls_der_any(c, "f", NULL, NULL, NULL);
}

static bool read_sequence(atls_cur *c, char *out, size_t size)
{
    atls_bytes content = atls_bytes_empty();
    bool ok = atls_der_expect(c, "f", ATLS_DER_SEQUENCE, &content);
    snprintf(out, size, "%zu", content.len);
    return ok;
}

static bool read_context_3(atls_cur *c, char *out, size_t size)
{
    atls_bytes content = atls_bytes_empty();
    bool ok = atls_der_expect(c, "f", ATLS_DER_CONTEXT_CONS(3), &content);
    snprintf(out, size, "%zu", content.len);
    return ok;
}

static bool read_context_701(atls_cur *c, char *out, size_t size)
{
    atls_bytes content = atls_bytes_empty();
    bool ok = atls_der_expect(c, "f", ATLS_DER_CONTEXT_CONS_HIGH(701), &content);
    snprintf(out, size, "%zu", content.len);
    return ok;
}

/* a child that is read to its end */
static bool read_nested(atls_cur *c, char *out, size_t size)
{
    atls_cur child;
    bool flag = false;
    bool ok = atls_der_nested(c, "f", ATLS_DER_SEQUENCE, &child) && atls_der_bool(&child, "inner", &flag)
              && atls_cur_end(&child);
    snprintf(out, size, "%d", flag);
    return ok;
}

static bool read_bool(atls_cur *c, char *out, size_t size)
{
    bool flag = false;
    bool ok = atls_der_bool(c, "f", &flag);
    snprintf(out, size, "%s", flag ? "true" : "false");
    return ok;
}

static bool read_uint(atls_cur *c, char *out, size_t size)
{
    uint64_t value = 0;
    bool ok = atls_der_uint(c, "f", ATLS_DER_INTEGER, 0xffff, &value);
    snprintf(out, size, "%llu", (unsigned long long)value);
    return ok;
}

static bool read_uint64(atls_cur *c, char *out, size_t size)
{
    uint64_t value = 0;
    bool ok = atls_der_uint(c, "f", ATLS_DER_INTEGER, UINT64_MAX, &value);
    snprintf(out, size, "%llx", (unsigned long long)value);
    return ok;
}

static bool read_enumerated(atls_cur *c, char *out, size_t size)
{
    uint64_t value = 0;
    bool ok = atls_der_uint(c, "f", ATLS_DER_ENUMERATED, 2, &value);
    snprintf(out, size, "%llu", (unsigned long long)value);
    return ok;
}

static void show(atls_bytes in, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < in.len && 2 * i + 3 < size; i++) {
        snprintf(out + 2 * i, 3, "%02x", in.ptr[i]);
    }
}

static bool read_unsigned(atls_cur *c, char *out, size_t size)
{
    atls_bytes value = atls_bytes_empty();
    bool ok = atls_der_unsigned(c, "f", &value);
    show(value, out, size);
    return ok;
}

static bool read_oid(atls_cur *c, char *out, size_t size)
{
    atls_bytes value = atls_bytes_empty();
    bool ok = atls_der_oid(c, "f", &value);
    show(value, out, size);
    return ok;
}

static bool read_bits(atls_cur *c, char *out, size_t size)
{
    atls_bytes value = atls_bytes_empty();
    uint8_t unused = 0;
    bool ok = atls_der_bits(c, "f", &unused, &value);
    snprintf(out, size, "%u:", unused);
    show(value, out + 2, size - 2);
    return ok;
}

static bool read_time(atls_cur *c, char *out, size_t size)
{
    atls_time t = 42;
    bool ok = atls_der_time(c, "f", &t);
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    snprintf(out, size, "%s", text);
    return ok;
}

typedef struct row {
    const char *name;
    reader *read;
    const char *hex;
    const char *wanted; /* NULL: refused */
    atls_code code;
    const char *field;  /* NULL: "t.f" */
    const char *actual; /* NULL: not looked at */
} row;

#define OK(wanted)         wanted, ATLS_OK, NULL, NULL
#define ENCODING           NULL, ATLS_E_ENCODING, NULL, NULL
#define TRUNCATED          NULL, ATLS_E_TRUNCATED, NULL, NULL
#define WRONG_TYPE(actual) NULL, ATLS_E_ENCODING, NULL, actual

static const row rows[] = {
    /* identifiers, X.690 8.1.2 */
    {"tag: a low one", read_any, "0401aa", OK("4 1/3")},
    {"tag: nobody wants the outputs", read_any_without_outputs, "0401aa", OK("-")},
    {"tag: constructed, context", read_any, "a300", OK("a3 0/2")},
    {"tag: the least high one", read_any, "bf1f00", OK("a000001f 0/3")},
    {"tag: Android's 701", read_any, "bf853d0101", OK("a00002bd 1/5")},
    {"tag: Android's 724", read_any, "bf855400", OK("a00002d4 0/4")},
    {"tag: the greatest number", read_any, "bf87ffff7f00", OK("a0ffffff 0/6")},
    {"tag: an application's high one", read_any, "7f4e00", OK("6000004e 0/3")},
    {"tag: a number beyond 24 bits", read_any, "bf8880808000", ENCODING},
    {"tag: a number beyond 32 bits", read_any, "bf908080808000", ENCODING},
    {"tag: a low number in the high form", read_any, "bf1e00", ENCODING},
    {"tag: zero in the high form", read_any, "bf0000", ENCODING},
    {"tag: a leading 80", read_any, "bf80853d00", ENCODING},
    {"tag: universal in the high form, where [48] would look like a SEQUENCE", read_any, "1f3000", ENCODING},
    {"tag: universal, constructed, in the high form", read_any, "3f3000", ENCODING},
    {"tag: end of contents", read_any, "0000", ENCODING},
    {"tag: nothing", read_any, "", TRUNCATED},
    {"tag: a high one that is cut", read_any, "bf85", TRUNCATED},
    /* lengths, X.690 8.1.3 and 10.1 */
    {"length: missing", read_any, "04", TRUNCATED},
    {"length: longer than what follows", read_any, "0402aa", TRUNCATED},
    {"length: indefinite", read_any, "30800000", ENCODING},
    {"length: long form for a short one", read_any, "04810100", ENCODING},
    {"length: 127 in the long form", read_any, "04817f", ENCODING},
    {"length: a leading zero", read_any, "04820080", ENCODING},
    {"length: a leading zero in four", read_any, "048400010000", ENCODING},
    {"length: long form cut", read_any, "0482 01", TRUNCATED},
    {"length: five bytes", read_any, "04850000000001aa", ENCODING},
    {"length: five bytes that would wrap to 128", read_any, "04850100000080", ENCODING},
    {"length: the reserved FF", read_any, "04ffaa", ENCODING},
    {"length: four bytes, all ones", read_any, "0484ffffffff", TRUNCATED},
    /* types */
    {"expect: a SEQUENCE", read_sequence, "3003020101", OK("3")},
    {"expect: an empty one", read_sequence, "3000", OK("0")},
    {"expect: a SET instead", read_sequence, "3100", WRONG_TYPE("SET")},
    {"expect: primitive instead of constructed", read_sequence, "1000", WRONG_TYPE("tag 0x10")},
    {"expect: a context tag instead", read_sequence, "a300", WRONG_TYPE("[3] constructed")},
    {"expect: a high tag instead", read_sequence, "bf853d00", WRONG_TYPE("[701] constructed")},
    {"expect: a primitive context tag instead", read_context_3, "8300", WRONG_TYPE("[3]")},
    {"expect: the context tag", read_context_3, "a3020500", OK("2")},
    {"expect: the next context tag", read_context_3, "a400", WRONG_TYPE("[4] constructed")},
    {"expect: a high tag", read_context_701, "bf853d0101", OK("1")},
    {"expect: the next high tag", read_context_701, "bf853e00", WRONG_TYPE("[702] constructed")},
    {"nested: a child read to its end", read_nested, "30030101ff", OK("1")},
    {"nested: the child has more", read_nested, "30050101ff0500", NULL, ATLS_E_TRAILING, "t", NULL},
    {"nested: the child ends first", read_nested, "30020101ff", NULL, ATLS_E_TRUNCATED, "t.inner", NULL},
    /* BOOLEAN, X.690 8.2 and 11.1 */
    {"bool: false", read_bool, "010100", OK("false")},
    {"bool: true", read_bool, "0101ff", OK("true")},
    {"bool: true in BER", read_bool, "010101", ENCODING},
    {"bool: no content", read_bool, "0100", ENCODING},
    {"bool: two bytes", read_bool, "0102ffff", ENCODING},
    {"bool: an INTEGER", read_bool, "020100", WRONG_TYPE("INTEGER")},
    /* INTEGER, X.690 8.3 */
    {"uint: zero", read_uint, "020100", OK("0")},
    {"uint: 127", read_uint, "02017f", OK("127")},
    {"uint: 128 needs a sign byte", read_uint, "02020080", OK("128")},
    {"uint: the maximum", read_uint, "020300ffff", OK("65535")},
    {"uint: one more", read_uint, "0203010000", NULL, ATLS_E_ENCODING, NULL, "65536"},
    {"uint: nine bytes", read_uint, "0209010000000000000000", NULL, ATLS_E_ENCODING, NULL, "more than 8 bytes"},
    {"uint: negative", read_uint, "0201ff", ENCODING},
    {"uint: not minimal", read_uint, "0202007f", ENCODING},
    {"uint: zero twice", read_uint, "02020000", ENCODING},
    {"uint: negative and not minimal", read_uint, "0202ff80", ENCODING},
    {"uint: no content", read_uint, "0200", ENCODING},
    {"uint: an ENUMERATED", read_uint, "0a0100", WRONG_TYPE("ENUMERATED")},
    {"uint: all of 64 bits", read_uint64, "020900ffffffffffffffff", OK("ffffffffffffffff")},
    {"uint: beyond 64 bits", read_uint64, "0209010000000000000000", ENCODING},
    {"enumerated: the maximum", read_enumerated, "0a0102", OK("2")},
    {"enumerated: one more", read_enumerated, "0a0103", NULL, ATLS_E_ENCODING, NULL, "3"},
    {"unsigned: no sign byte to strip", read_unsigned, "02027f01", OK("7f01")},
    {"unsigned: the sign byte is stripped", read_unsigned, "02030080ff", OK("80ff")},
    {"unsigned: zero stays", read_unsigned, "020100", OK("00")},
    {"unsigned: longer than any number", read_unsigned, "020c00ffeeddccbbaa9988776655", OK("ffeeddccbbaa9988776655")},
    {"unsigned: negative", read_unsigned, "020180", ENCODING},
    {"unsigned: not minimal", read_unsigned, "020300007f", ENCODING},
    {"unsigned: no content", read_unsigned, "0200", ENCODING},
    /* OBJECT IDENTIFIER, X.690 8.19 */
    {"oid: X.690 8.19.5, {joint-iso-itu-t 999 3}", read_oid, "0603883703", OK("883703")},
    {"oid: Intel SGX, {1 2 840 113741 1 13 1}", read_oid, "06092a864886f84d010d01", OK("2a864886f84d010d01")},
    {"oid: no content", read_oid, "0600", ENCODING},
    {"oid: ends inside an arc", read_oid, "06022a86", ENCODING},
    {"oid: the first arc starts with 80", read_oid, "0602802a", ENCODING},
    {"oid: a later arc starts with 80", read_oid, "06032a8001", ENCODING},
    {"oid: 80 inside an arc", read_oid, "06042a868001", OK("2a868001")},
    {"oid: a relative one", read_oid, "0d012a", WRONG_TYPE("tag 0xd")},
    /* BIT STRING, X.690 8.6 and 11.2 */
    {"bits: none", read_bits, "030100", OK("0:")},
    {"bits: X.690 8.6.4.2, 0A3B5F291CD and four unused", read_bits, "0307040a3b5f291cd0", OK("4:0a3b5f291cd0")},
    {"bits: seven unused", read_bits, "03020780", OK("7:80")},
    {"bits: no content", read_bits, "0300", TRUNCATED},
    {"bits: eight unused", read_bits, "03020800", ENCODING},
    {"bits: unused ones of nothing", read_bits, "030104", ENCODING},
    {"bits: one unused bit of nothing", read_bits, "030101", ENCODING},
    {"bits: an unused bit is set", read_bits, "03020481", ENCODING},
    {"bits: all unused bits are set", read_bits, "0302077f", ENCODING},
    {"bits: constructed", read_bits, "2304030200aa", WRONG_TYPE("tag 0x23")},
    /* UTCTime and GeneralizedTime, RFC 5280 4.1.2.5 */
    {"time: 2024", read_time, "170d 3234303232393233353935395a", OK("2024-02-29T23:59:59Z")},
    {"time: the last UTCTime", read_time, "170d 3439313233313233353935395a", OK("2049-12-31T23:59:59Z")},
    {"time: the first UTCTime", read_time, "170d 3530303130313030303030305a", OK("1950-01-01T00:00:00Z")},
    {"time: the epoch, as in Android's leaves", read_time, "170d 3730303130313030303030305a", OK("unset")},
    {"time: the first GeneralizedTime", read_time, "180f 32303530303130313030303030305a", OK("2050-01-01T00:00:00Z")},
    {"time: no end", read_time, "180f 39393939313233313233353935395a", OK("9999-12-31T23:59:59Z")},
    {"time: a GeneralizedTime of 2049", read_time, "180f 32303439313233313233353935395a", ENCODING},
    {"time: no seconds", read_time, "170b 323430323239323335395a", ENCODING},
    {"time: no zone", read_time, "170c 323430323239323335393539", ENCODING},
    {"time: an offset", read_time, "1711 3234303232393233353935392b30303030", ENCODING},
    {"time: a fraction", read_time, "1811 32303530303130313030303030302e355a", ENCODING},
    {"time: a small z", read_time, "170d 3234303232393233353935397a", ENCODING},
    {"time: 29 February of a common year", read_time, "170d 3233303232393233353935395a", ENCODING},
    {"time: month 13", read_time, "170d 3234313330313030303030305a", ENCODING},
    {"time: a leap second", read_time, "170d 3136313233313233353936305a", ENCODING},
    {"time: a letter in the year", read_time, "170d 3241303232393233353935395a", ENCODING},
    {"time: a sign in the day", read_time, "170d 323430322b393233353935395a", ENCODING},
    {"time: a space in the century", read_time, "180f 32203530303130313030303030305a", ENCODING},
    {"time: a UTCTime in the tag of the other", read_time, "180d 3234303232393233353935395a", ENCODING},
    {"time: the other in the tag of a UTCTime", read_time, "170f 32303530303130313030303030305a", ENCODING},
    {"time: no content", read_time, "1700", ENCODING},
    {"time: a text", read_time, "130d 3234303232393233353935395a", WRONG_TYPE("PrintableString")},
};

static void test_row(void **state)
{
    const row *r = *state;
    size_t len;
    uint8_t *in = check_hex(r->hex, &len);
    atls_error err = {0};
    atls_cur c;
    char text[128];
    atls_cur_init(&c, atls_bytes_of(in, len), "t", &err);
    bool ok = r->read(&c, text, sizeof text);
    check_error(&err, r->code, r->code == ATLS_OK ? "" : r->field == NULL ? "t.f" : r->field);
    assert_int_equal(ok, r->wanted != NULL);
    if (ok) {
        assert_string_equal(text, r->wanted);
        assert_int_equal(c.rest.len, 0);
    } else if (r->read != read_nested) {
        assert_int_equal(c.rest.len, len); /* a failure moves nothing */
    }
    if (r->actual != NULL) {
        assert_string_equal(err.actual, r->actual);
    }
    free(in);
}

/* What is accepted: no proper prefix is, and no flipped bit crashes. */
static void test_damaged(void **state)
{
    const row *r = *state;
    size_t full;
    free(check_hex(r->hex, &full));
    char text[128];
    for (size_t len = 0; len < full; len++) {
        size_t ignored;
        uint8_t *in = check_hex(r->hex, &ignored);
        uint8_t *cut = realloc(in, len == 0 ? 1 : len);
        atls_error err = {0};
        atls_cur c;
        assert_non_null(cut);
        atls_cur_init(&c, atls_bytes_of(cut, len), "t", &err);
        assert_false(r->read(&c, text, sizeof text));
        check_error(&err, ATLS_E_TRUNCATED, "t.f");
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * full; bit++) {
        size_t len;
        uint8_t *in = check_hex(r->hex, &len);
        atls_error err = {0};
        atls_cur c;
        in[bit / 8] ^= (uint8_t)(1u << bit % 8);
        atls_cur_init(&c, atls_bytes_of(in, len), "t", &err);
        bool ok = r->read(&c, text, sizeof text);
        assert_int_equal(ok, err.code == ATLS_OK);
        free(in);
    }
}

static void test_peek(void **state)
{
    (void)state;
    static const uint8_t in[] = {0xa3, 0x00, 0xbf, 0x85, 0x3d, 0x00, 0xbf, 0x85};
    atls_error err = {0};
    atls_cur c;
    atls_cur_init(&c, atls_bytes_of(in, sizeof in), "t", &err);
    assert_true(atls_der_peek(&c, ATLS_DER_CONTEXT_CONS(3)));
    assert_false(atls_der_peek(&c, ATLS_DER_CONTEXT(3)));
    assert_false(atls_der_peek(&c, ATLS_DER_CONTEXT_CONS_HIGH(701)));
    assert_int_equal(atls_cur_offset(&c), 0);
    assert_true(atls_cur_skip(&c, "x", 2));
    assert_true(atls_der_peek(&c, ATLS_DER_CONTEXT_CONS_HIGH(701)));
    assert_false(atls_der_peek(&c, ATLS_DER_CONTEXT_CONS_HIGH(702)));
    assert_true(atls_cur_skip(&c, "x", 4));
    assert_false(atls_der_peek(&c, ATLS_DER_CONTEXT_CONS_HIGH(701))); /* cut, and no failure */
    assert_true(atls_cur_skip(&c, "x", 2));
    assert_false(atls_der_peek(&c, ATLS_DER_SEQUENCE)); /* the end */
    atls_cur_init(&c, atls_bytes_of("\x30", 1), "t", &err);
    assert_true(atls_der_peek(&c, ATLS_DER_SEQUENCE)); /* the tag is there, whatever comes of the rest */
    check_error(&err, ATLS_OK, "");
}

static void test_long_lengths(void **state)
{
    (void)state;
    static const size_t lengths[] = {127, 128, 255, 256, 65535, 65536, 100000};
    uint8_t *in = calloc(1, 100008);
    assert_non_null(in);
    in[0] = ATLS_DER_OCTET_STRING;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        size_t len = lengths[i];
        size_t n = len < 128 ? 0 : len < 256 ? 1 : len < 65536 ? 2 : 3;
        in[1] = (uint8_t)(n == 0 ? len : 0x80 + n);
        for (size_t k = 0; k < n; k++) {
            in[2 + k] = (uint8_t)(len >> (8 * (n - 1 - k)));
        }
        atls_error err = {0};
        atls_cur c;
        atls_bytes content;
        atls_cur_init(&c, atls_bytes_of(in, 2 + n + len), "t", &err);
        assert_true(atls_der_expect(&c, "f", ATLS_DER_OCTET_STRING, &content));
        assert_int_equal(content.len, len);
        atls_cur_init(&c, atls_bytes_of(in, 1 + n + len), "t", &err);
        assert_false(atls_der_expect(&c, "f", ATLS_DER_OCTET_STRING, &content));
        check_error(&err, ATLS_E_TRUNCATED, "t.f");
    }
    free(in);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
        if (rows[i].wanted != NULL && rows[i].read != read_nested) {
            tap_add(&tests, "  its prefixes are cut short, its flipped bits do no harm", test_damaged, &rows[i]);
        }
    }
    tap_add(&tests, "peek looks and neither moves nor fails", test_peek, NULL);
    tap_add(&tests, "length: every form, and one byte too few", test_long_lengths, NULL);
    return tap_run("der", &tests);
}
