/* SPDX-License-Identifier: Apache-2.0 */
/* test_cbor.c: RFC 8949 as far as 4.2.1 allows it, and not a byte further. */
#include "check.h"

#include "base/cbor.h"
#include "base/limits.h"

typedef bool reader(atls_cur *c, char *out, size_t size);

/* an item by its type and number, strings by their content */
static bool read_head(atls_cur *c, char *out, size_t size)
{
    static const char *const names[] = {"uint", "negative", "bytes", "text", "array",     "map",
                                        "tag",  "false",    "true",  "null", "undefined", "float"};
    atls_cbor_item item = {0};
    if (!atls_cbor_head(c, "f", &item)) {
        return false;
    }
    if (item.type == ATLS_CBOR_BYTES || item.type == ATLS_CBOR_TEXT) {
        snprintf(out, size, "%s %.*s", names[item.type], (int)item.bytes.len, (const char *)item.bytes.ptr);
        return true;
    }
    bool hex = item.type == ATLS_CBOR_FLOAT;
    snprintf(out, size, hex ? "%s %016llx" : "%s %llu", names[item.type], (unsigned long long)item.n);
    return true;
}

static bool skip_any(atls_cur *c, char *out, size_t size)
{
    atls_bytes whole = atls_bytes_empty();
    bool ok = atls_cbor_skip(c, "f", false, &whole);
    snprintf(out, size, "%zu", whole.len);
    return ok;
}

static bool skip_ordered(atls_cur *c, char *out, size_t size)
{
    atls_bytes whole = atls_bytes_empty();
    bool ok = atls_cbor_skip(c, "f", true, &whole);
    snprintf(out, size, "%zu", whole.len);
    return ok;
}

static bool read_uint(atls_cur *c, char *out, size_t size)
{
    uint64_t n = 0;
    bool ok = atls_cbor_uint(c, "f", 1000, &n);
    snprintf(out, size, "%llu", (unsigned long long)n);
    return ok;
}

static bool read_int(atls_cur *c, char *out, size_t size)
{
    int64_t n = 0;
    bool ok = atls_cbor_int(c, "f", &n);
    snprintf(out, size, "%lld", (long long)n);
    return ok;
}

static bool read_bytes(atls_cur *c, char *out, size_t size)
{
    atls_bytes in = atls_bytes_empty();
    bool ok = atls_cbor_bytes(c, "f", &in);
    snprintf(out, size, "%.*s", (int)in.len, (const char *)in.ptr);
    return ok;
}

static bool read_text(atls_cur *c, char *out, size_t size)
{
    atls_bytes in = atls_bytes_empty();
    bool ok = atls_cbor_text(c, "f", &in);
    snprintf(out, size, "%.*s", (int)in.len, (const char *)in.ptr);
    return ok;
}

static bool read_bool(atls_cur *c, char *out, size_t size)
{
    bool flag = false;
    bool ok = atls_cbor_bool(c, "f", &flag);
    snprintf(out, size, "%d", flag);
    return ok;
}

/* the head of an array or map of at most three, and what follows it */
static bool read_array(atls_cur *c, char *out, size_t size)
{
    uint64_t n = 0;
    bool ok = atls_cbor_array(c, "f", 3, &n);
    snprintf(out, size, "%llu", (unsigned long long)n);
    return ok;
}

static bool read_map(atls_cur *c, char *out, size_t size)
{
    uint64_t n = 0;
    bool ok = atls_cbor_map(c, "f", 3, &n);
    snprintf(out, size, "%llu", (unsigned long long)n);
    return ok;
}

typedef struct row {
    const char *name;
    reader *read;
    const char *hex;
    const char *wanted; /* NULL: refused */
    atls_code code;
    const char *expected; /* NULL: not looked at */
    const char *actual;
} row;

#define OK(wanted)              wanted, ATLS_OK, NULL, NULL
#define ENCODING                NULL, ATLS_E_ENCODING, NULL, NULL
#define TRUNCATED               NULL, ATLS_E_TRUNCATED, NULL, NULL
#define LIMIT(expected, actual) NULL, ATLS_E_LIMIT, expected, actual
#define TYPE(expected, actual)  NULL, ATLS_E_ENCODING, expected, actual

static const row rows[] = {
    /* RFC 8949 appendix A */
    {"A: 0", read_head, "00", OK("uint 0")},
    {"A: 23", read_head, "17", OK("uint 23")},
    {"A: 24", read_head, "1818", OK("uint 24")},
    {"A: 100", read_head, "1864", OK("uint 100")},
    {"A: 1000", read_head, "1903e8", OK("uint 1000")},
    {"A: 1000000", read_head, "1a000f4240", OK("uint 1000000")},
    {"A: 1000000000000", read_head, "1b000000e8d4a51000", OK("uint 1000000000000")},
    {"A: 18446744073709551615", read_head, "1bffffffffffffffff", OK("uint 18446744073709551615")},
    {"A: -18446744073709551616", read_head, "3bffffffffffffffff", OK("negative 18446744073709551615")},
    {"A: -1", read_head, "20", OK("negative 0")},
    {"A: -1000", read_head, "3903e7", OK("negative 999")},
    {"A: bignum", skip_any, "c249010000000000000000", OK("11")},
    {"A: 0.0", read_head, "f90000", OK("float 0000000000000000")},
    {"A: -0.0", read_head, "f98000", OK("float 8000000000000000")},
    {"A: 1.0", read_head, "f93c00", OK("float 3ff0000000000000")},
    {"A: 1.1", read_head, "fb3ff199999999999a", OK("float 3ff199999999999a")},
    {"A: 1.5", read_head, "f93e00", OK("float 3ff8000000000000")},
    {"A: 65504.0", read_head, "f97bff", OK("float 40effc0000000000")},
    {"A: 100000.0", read_head, "fa47c35000", OK("float 40f86a0000000000")},
    {"A: 3.4028234663852886e+38", read_head, "fa7f7fffff", OK("float 47efffffe0000000")},
    {"A: 1.0e+300", read_head, "fb7e37e43c8800759c", OK("float 7e37e43c8800759c")},
    {"A: 5.960464477539063e-8", read_head, "f90001", OK("float 3e70000000000000")},
    {"A: 0.00006103515625", read_head, "f90400", OK("float 3f10000000000000")},
    {"A: -4.1", read_head, "fbc010666666666666", OK("float c010666666666666")},
    {"A: Infinity", read_head, "f97c00", OK("float 7ff0000000000000")},
    {"A: NaN", read_head, "f97e00", OK("float 7ff8000000000000")},
    {"A: -Infinity", read_head, "f9fc00", OK("float fff0000000000000")},
    {"A: Infinity in 32 bits is too long", read_head, "fa7f800000", ENCODING},
    {"A: NaN in 32 bits is too long", read_head, "fa7fc00000", ENCODING},
    {"A: -Infinity in 64 bits is too long", read_head, "fbfff0000000000000", ENCODING},
    {"A: NaN in 64 bits is too long", read_head, "fb7ff8000000000000", ENCODING},
    {"A: false", read_head, "f4", OK("false 0")},
    {"A: true", read_head, "f5", OK("true 0")},
    {"A: null", read_head, "f6", OK("null 0")},
    {"A: undefined", read_head, "f7", OK("undefined 0")},
    {"A: simple(16) means nothing", read_head, "f0", ENCODING},
    {"A: simple(255) means nothing", read_head, "f8ff", ENCODING},
    {"A: 0(\"2013-03-21T20:04:00Z\")", skip_any, "c074323031332d30332d32315432303a30343a30305a", OK("22")},
    {"A: a tag's head", read_head, "d818", OK("tag 24")},
    {"A: h''", read_head, "40", OK("bytes ")},
    {"A: h'01020304'", skip_any, "4401020304", OK("5")},
    {"A: \"IETF\"", read_head, "6449455446", OK("text IETF")},
    {"A: \"\\u00fc\"", read_head, "62c3bc", OK("text \xc3\xbc")},
    {"A: four bytes of UTF-8", read_head, "64f0908591", OK("text \xf0\x90\x85\x91")},
    {"A: []", skip_ordered, "80", OK("1")},
    {"A: [1, [2, 3], [4, 5]]", skip_ordered, "8301820203820405", OK("8")},
    {"A: 25 elements", skip_ordered, "98190102030405060708090a0b0c0d0e0f101112131415161718181819", OK("29")},
    {"A: {}", skip_ordered, "a0", OK("1")},
    {"A: {1: 2, 3: 4}", skip_ordered, "a201020304", OK("5")},
    {"A: {\"a\": 1, \"b\": [2, 3]}", skip_ordered, "a26161016162820203", OK("9")},
    {"A: indefinite bytes", read_head, "5f42010243030405ff", ENCODING},
    {"A: indefinite text", read_head, "7f657374726561646d696e67ff", ENCODING},
    {"A: indefinite array", read_head, "9fff", ENCODING},
    {"A: indefinite map", read_head, "bf61610161629f0203ffff", ENCODING},
    /* heads */
    {"head: nothing", read_head, "", TRUNCATED},
    {"head: one byte for 23", read_head, "1817", ENCODING},
    {"head: two bytes for 255", read_head, "1900ff", ENCODING},
    {"head: four bytes for 65535", read_head, "1a0000ffff", ENCODING},
    {"head: eight bytes for 32 bits", read_head, "1b00000000ffffffff", ENCODING},
    {"head: too long for a length", read_head, "580161", ENCODING},
    {"head: too long for a count", read_head, "9800", ENCODING},
    {"head: too long for a tag", read_head, "d80101", ENCODING},
    {"head: reserved 28", read_head, "1c", ENCODING},
    {"head: reserved 29", read_head, "3d", ENCODING},
    {"head: reserved 30", read_head, "5e", ENCODING},
    {"head: indefinite integer", read_head, "1f", ENCODING},
    {"head: indefinite tag", read_head, "df", ENCODING},
    {"head: cut in the argument", read_head, "1a000f42", TRUNCATED},
    {"head: a break", read_head, "ff", ENCODING},
    {"head: simple 0", read_head, "e0", ENCODING},
    {"head: false in two bytes", read_head, "f814", ENCODING},
    {"head: simple 24 to 31", read_head, "f818", ENCODING},
    {"head: simple 32", read_head, "f820", ENCODING},
    {"head: reserved simple 28", read_head, "fc", ENCODING},
    /* strings */
    {"string: cut", read_head, "44010203", TRUNCATED},
    {"string: longer than the address space", read_head, "5bffffffffffffffff00", TRUNCATED},
    {"string: text that is no UTF-8", read_head, "61ff", ENCODING},
    {"string: an overlong form", read_head, "62c080", ENCODING},
    {"string: a surrogate", read_head, "63eda080", ENCODING},
    {"string: bytes need be no UTF-8", skip_any, "41ff", OK("2")},
    /* floats, RFC 8949 4.2.1: as short as the value allows */
    {"float: 1.5 in 32 bits", read_head, "fa3fc00000", ENCODING},
    {"float: 1.5 in 64 bits", read_head, "fb3ff8000000000000", ENCODING},
    {"float: 100000.0 in 64 bits", read_head, "fb40f86a0000000000", ENCODING},
    {"float: 0.0 in 32 bits", read_head, "fa00000000", ENCODING},
    {"float: -0.0 in 64 bits", read_head, "fb8000000000000000", ENCODING},
    {"float: the least half in 32 bits", read_head, "fa33800000", ENCODING},
    {"float: half of the least half needs 32 bits", read_head, "fa33000000", OK("float 3e60000000000000")},
    {"float: the least half and a half needs 32 bits", read_head, "fa33c00000", OK("float 3e78000000000000")},
    {"float: the greatest subnormal half in 32 bits", read_head, "fa387fc000", ENCODING},
    {"float: a bit below what a subnormal half holds", read_head, "fa387fe000", OK("float 3f0ffc0000000000")},
    {"float: the greatest half in 32 bits", read_head, "fa477fe000", ENCODING},
    {"float: above the greatest half", read_head, "fa47800000", OK("float 40f0000000000000")},
    {"float: eleven bits of fraction", read_head, "fa3f801000", OK("float 3ff0020000000000")},
    {"float: ten bits of fraction", read_head, "fa3f802000", ENCODING},
    {"float: the least single in 64 bits", read_head, "fb36a0000000000000", ENCODING},
    {"float: half of the least single needs 64 bits", read_head, "fb3690000000000000", OK("float 3690000000000000")},
    {"float: the least single", read_head, "fa00000001", OK("float 36a0000000000000")},
    {"float: the greatest subnormal single", read_head, "fa007fffff", OK("float 380fffffc0000000")},
    {"float: the greatest single in 64 bits", read_head, "fb47efffffe0000000", ENCODING},
    {"float: above the greatest single", read_head, "fb47f0000000000000", OK("float 47f0000000000000")},
    {"float: 24 bits of fraction", read_head, "fb3ff0000010000000", OK("float 3ff0000010000000")},
    {"float: the least double", read_head, "fb0000000000000001", OK("float 0000000000000001")},
    {"float: a NaN with a low payload needs 64 bits", read_head, "fb7ff8000000000001", OK("float 7ff8000000000001")},
    {"float: a NaN with a middle payload needs 32", read_head, "fa7fc00001", OK("float 7ff8000020000000")},
    {"float: a NaN with a middle payload in 64", read_head, "fb7ff8000020000000", ENCODING},
    {"float: a signalling NaN keeps its bits", read_head, "f97c01", OK("float 7ff0040000000000")},
    {"float: cut", read_head, "f97c", TRUNCATED},
    /* typed */
    {"uint: the maximum", read_uint, "1903e8", OK("1000")},
    {"uint: one more", read_uint, "1903e9", TYPE("at most 1000", "1001")},
    {"uint: negative", read_uint, "20", TYPE("unsigned integer", "negative integer")},
    {"uint: a text", read_uint, "6161", TYPE("unsigned integer", "text string")},
    {"int: the least", read_int, "3b7fffffffffffffff", OK("-9223372036854775808")},
    {"int: the greatest", read_int, "1b7fffffffffffffff", OK("9223372036854775807")},
    {"int: -7, an algorithm of COSE", read_int, "26", OK("-7")},
    {"int: one less than the least", read_int, "3b8000000000000000", ENCODING},
    {"int: one more than the greatest", read_int, "1b8000000000000000", ENCODING},
    {"int: a float", read_int, "f93c00", TYPE("integer", "float")},
    {"bytes: some", read_bytes, "426869", OK("hi")},
    {"bytes: a text", read_bytes, "626869", TYPE("byte string", "text string")},
    {"text: some", read_text, "626869", OK("hi")},
    {"text: bytes", read_text, "426869", TYPE("text string", "byte string")},
    {"text: a tag before it", read_text, "c0626869", TYPE("text string", "tag")},
    {"bool: true", read_bool, "f5", OK("1")},
    {"bool: false", read_bool, "f4", OK("0")},
    {"bool: null", read_bool, "f6", TYPE("boolean", "null")},
    {"bool: undefined", read_bool, "f7", TYPE("boolean", "undefined")},
    {"bool: one", read_bool, "01", TYPE("boolean", "unsigned integer")},
    {"array: three", read_array, "83", OK("3")},
    {"array: four", read_array, "84", LIMIT("at most 3", "4")},
    {"array: as many as can be said", read_array, "9bffffffffffffffff", LIMIT("at most 3", "18446744073709551615")},
    {"array: a map", read_array, "a0", TYPE("array", "map")},
    {"map: three", read_map, "a3", OK("3")},
    {"map: four", read_map, "a4", LIMIT("at most 3", "4")},
    {"map: an array", read_map, "80", TYPE("map", "array")},
    /* whole items */
    {"skip: fewer elements than said", skip_any, "830102", TRUNCATED},
    {"skip: a count that lies", skip_any, "9bffffffffffffffff00", TRUNCATED},
    {"skip: a map's count that lies", skip_any, "bbffffffffffffffff0000", TRUNCATED},
    {"skip: a key without its value", skip_any, "a101", TRUNCATED},
    {"skip: a tag of nothing", skip_any, "c0", TRUNCATED},
    {"skip: something bad inside", skip_any, "8201821817", ENCODING},
    {"order: 10, 100, -1, \"z\", \"aa\", [100], [-1], false, RFC 8949 4.2.1", skip_ordered,
     "a80a001864002000617a0062616100811864008120 00f400", OK("24")},
    {"order: backwards", skip_ordered, "a203000100", ENCODING},
    {"order: backwards, where nobody asks", skip_any, "a203000100", OK("5")},
    {"order: a key twice", skip_ordered, "a201000100", ENCODING},
    {"order: longer before shorter", skip_ordered, "a2626161006162 00", ENCODING},
    {"order: backwards deep inside", skip_ordered, "81c0a10081a203000100", ENCODING},
    {"order: backwards inside a key", skip_ordered, "a1a20300010000", ENCODING},
    {"depth: 16 arrays", skip_any, "8181818181818181818181818181818100", OK("17")},
    {"depth: 17 arrays", skip_any, "818181818181818181818181818181818100", LIMIT("at most 16", "17")},
    {"depth: 17 arrays, the last empty", skip_any, "8181818181818181818181818181818180", LIMIT("at most 16", "17")},
    {"depth: 17 tags", skip_any, "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c000", LIMIT("at most 16", "17")},
    {"depth: 16 maps", skip_any, "a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a10000", OK("33")},
    {"depth: 16 maps in keys", skip_any, "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a100000000000000000000000000000000 00",
     OK("33")},
    {"depth: 16 tags", skip_any, "c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c000", OK("17")},
    {"depth: 17 maps", skip_any, "a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a100a10000",
     LIMIT("at most 16", "17")},
    {"depth: 17 maps in keys", skip_any, "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a100", LIMIT("at most 16", "17")},
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
    check_error(&err, r->code, r->code == ATLS_OK ? "" : "t.f");
    assert_int_equal(ok, r->wanted != NULL);
    if (ok) {
        assert_string_equal(text, r->wanted);
        assert_int_equal(c.rest.len, 0);
    } else {
        assert_int_equal(c.rest.len, len); /* a failure moves nothing */
    }
    if (r->expected != NULL) {
        assert_string_equal(err.expected, r->expected);
        assert_string_equal(err.actual, r->actual);
    }
    free(in);
}

/* What is accepted: every proper prefix is cut short, and no flipped bit crashes. */
static void test_damaged(void **state)
{
    const row *r = *state;
    size_t full;
    free(check_hex(r->hex, &full));
    char text[128];
    for (size_t len = 0; len < full; len++) {
        size_t ignored;
        uint8_t *cut = realloc(check_hex(r->hex, &ignored), len == 0 ? 1 : len);
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

static void test_key_order(void **state)
{
    (void)state;
    static const char *const ordered[] = {"", "a", "aa", "ab", "b", "\xff"};
    for (size_t i = 0; i < COUNT(ordered); i++) {
        for (size_t k = 0; k < COUNT(ordered); k++) {
            int order = atls_cbor_key_order(atls_bytes_str(ordered[i]), atls_bytes_str(ordered[k]));
            assert_int_equal(order < 0, i < k);
            assert_int_equal(order == 0, i == k);
        }
    }
}

/* A MiB of arrays in arrays ends at the limit, and a MiB of tiny elements is walked. */
static void test_large(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 };
    uint8_t *in = malloc(SIZE);
    assert_non_null(in);
    memset(in, 0x81, SIZE);
    atls_error err = {0};
    atls_cur c;
    atls_cur_init(&c, atls_bytes_of(in, SIZE), "t", &err);
    assert_false(atls_cbor_skip(&c, "f", true, NULL));
    check_error(&err, ATLS_E_LIMIT, "t.f");
    memset(in, 0x80, SIZE);
    memcpy(in, "\x9a\x00\x0f\xff\xfb", 5);
    atls_error_clear(&err);
    assert_true(atls_cbor_skip(&c, "f", true, NULL));
    assert_true(atls_cur_end(&c));
    free(in);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
        if (rows[i].wanted != NULL) {
            tap_add(&tests, "  its prefixes are cut short, its flipped bits do no harm", test_damaged, &rows[i]);
        }
    }
    tap_add(&tests, "keys: bytewise, the shorter first", test_key_order, NULL);
    tap_add(&tests, "cost: a MiB of heads", test_large, NULL);
    return tap_run("cbor", &tests);
}
