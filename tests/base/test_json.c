/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c: what RFC 8259 allows becomes the tree that was meant, everything else is refused where it stands. */
#include "check.h"

#include "base/json.h"

#define TEXT(literal) literal, sizeof(literal) - 1

/* ---- accepted: the tree, printed again ---- */

typedef struct good_row {
    const char *name;
    const char *text;
    size_t len;
    const char *printed;
} good_row;

static const good_row good_rows[] = {
    {"an object", TEXT("{\"a\":1,\"b\":\"x\"}"), "{\"a\":1,\"b\":\"x\"}"},
    {"white space everywhere", TEXT(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : { } } \n"), "{\"a\":[1,2],\"b\":{}}"},
    {"words at the top", TEXT("null"), "null"},
    {"true and false", TEXT("[true,false]"), "[true,false]"},
    {"empty containers", TEXT("[[],{},[{}]]"), "[[],{},[{}]]"},
    {"an empty name and an empty string", TEXT("{\"\":\"\"}"), "{\"\":\"\"}"},
    {"numbers keep their text", TEXT("[0,-0,1.50,-1e5,1E+2,2e-3,123456789012345678901234567890,1e400,0.1e1]"),
     "[0,-0,1.50,-1e5,1E+2,2e-3,123456789012345678901234567890,1e400,0.1e1]"},
    {"the eight short escapes", TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
     "\"\\\"\\\\/\\u0008\\u000c\\u000a\\u000d\\u0009\""},
    {"escapes of one, two and three bytes, both cases", TEXT("\"\\u0041\\u00e9\\u20AC\\u20ac\""),
     "\"A\xc3\xa9\xe2\x82\xac\xe2\x82\xac\""},
    {"RFC 8259 section 7: the G clef as a pair", TEXT("\"\\uD834\\uDD1E\""), "\"\xf0\x9d\x84\x9e\""},
    {"the last character of all as a pair", TEXT("\"\\udbff\\udfff\""), "\"\xf4\x8f\xbf\xbf\""},
    {"both sides of the surrogates", TEXT("\"\\ud7ff\\ue000\""), "\"\xed\x9f\xbf\xee\x80\x80\""},
    {"an escaped NUL", TEXT("\"a\\u0000b\""), "\"a\\u0000b\""},
    {"raw UTF-8", TEXT("\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\""), "\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\""},
    {"DEL is a character like others", TEXT("\"\x7f\""), "\"\\u007f\""},
    {"names are decoded", TEXT("{\"\\u0061\\n\":1}"), "{\"a\\u000a\":1}"},
    {"names that differ in case", TEXT("{\"a\":1,\"A\":2}"), "{\"a\":1,\"A\":2}"},
    {"a name that is a prefix of another", TEXT("{\"a\":1,\"aa\":2,\"\":3}"), "{\"a\":1,\"aa\":2,\"\":3}"},
    {"the same name in different objects", TEXT("[{\"a\":1},{\"a\":{\"a\":2}}]"), "[{\"a\":1},{\"a\":{\"a\":2}}]"},
    {"depth 16", TEXT("[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]"), "[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]"},
    {"depth 16 of objects, twice", TEXT("[[[[[[[[[[[[[[[{\"a\":0},{}]]]]]]]]]]]]]]]"),
     "[[[[[[[[[[[[[[[{\"a\":0},{}]]]]]]]]]]]]]]]"},
};

/* Member names are no literals here, so they are written as the strings that they are. */
static void print_tree(const atls_json *node, atls_jw *w)
{
    if (node->type == ATLS_JSON_ARRAY || node->type == ATLS_JSON_OBJECT) {
        bool object = node->type == ATLS_JSON_OBJECT;
        uint32_t n = 0;
        atls_jw_open(w, NULL, object ? '{' : '[');
        for (const atls_json *child = node->child; child != NULL; child = child->next) {
            if (object) {
                atls_jw_string(w, NULL, child->name);
                atls_buf_str(w->buf, ":");
                w->comma = false;
            }
            print_tree(child, w);
            n++;
        }
        assert_int_equal(n, node->n);
        atls_jw_close(w, object ? '}' : ']');
        return;
    }
    if (node->type == ATLS_JSON_STRING) {
        atls_jw_string(w, NULL, node->text);
        return;
    }
    atls_jw_raw(w, NULL, node->raw);
}

static void test_good(void **state)
{
    const good_row *row = *state;
    atls_arena *a = check_arena();
    atls_error err = {0};
    const atls_json *root;
    bool ok = atls_json_parse(atls_bytes_of(row->text, row->len), "f", a, &root, &err);
    check_error(&err, ATLS_OK, "");
    assert_true(ok);
    atls_buf b;
    atls_jw w;
    atls_bytes printed;
    atls_buf_init(&b, a, &err);
    atls_jw_init(&w, &b);
    print_tree(root, &w);
    assert_true(atls_buf_done(&b, &printed));
    if (!atls_bytes_equal_str(printed, row->printed)) {
        fail_msg("got %.*s, wanted %s", (int)printed.len, (const char *)printed.ptr, row->printed);
    }
}

/* Every proper prefix that lacks something other than the white space at the end is refused; no byte flip crashes. */
static void test_good_damaged(void **state)
{
    const good_row *row = *state;
    size_t end = row->len;
    while (end > 0 && (row->text[end - 1] == ' ' || row->text[end - 1] == '\n')) {
        end--;
    }
    uint8_t *copy = malloc(row->len);
    assert_non_null(copy);
    for (size_t len = 0; len < end; len++) {
        atls_error err = {0};
        const atls_json *root;
        memcpy(copy, row->text, len);
        assert_false(atls_json_parse(atls_bytes_of(copy, len), "f", check_arena(), &root, &err));
        check_error(&err, ATLS_E_ENCODING, "f");
        assert_null(root);
    }
    memcpy(copy, row->text, row->len);
    for (size_t bit = 0; bit < 8 * row->len; bit++) {
        atls_error err = {0};
        const atls_json *root;
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        bool ok = atls_json_parse(atls_bytes_of(copy, row->len), "f", check_arena(), &root, &err);
        assert_int_equal(ok, err.code == ATLS_OK);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
}

/* ---- refused ---- */

typedef struct bad_row {
    const char *name;
    const char *text;
    size_t len;
    atls_code code;
    const char *where; /* the end of the message */
} bad_row;

static const bad_row bad_rows[] = {
    {"nothing", TEXT(""), ATLS_E_ENCODING, "a value is expected at byte 0"},
    {"only white space", TEXT(" \n"), ATLS_E_ENCODING, "a value is expected at byte 2"},
    {"a byte order mark", TEXT("\xef\xbb\xbf{}"), ATLS_E_ENCODING, "a value is expected at byte 0"},
    {"UTF-16", TEXT("{\0}\0"), ATLS_E_ENCODING, "a name in quotes is expected at byte 1"},
    {"a form feed is no white space", TEXT("[\f1]"), ATLS_E_ENCODING, "a value is expected at byte 1"},
    {"a no-break space is no white space", TEXT("[1\xc2\xa0]"), ATLS_E_ENCODING, "is expected at byte 2"},
    {"a second value", TEXT("{} {}"), ATLS_E_ENCODING, "something after the end at byte 3"},
    {"a NUL after the end", TEXT("{}\0"), ATLS_E_ENCODING, "something after the end at byte 2"},
    {"a comma after the last member", TEXT("{\"a\":1,}"), ATLS_E_ENCODING, "a name in quotes is expected at byte 7"},
    {"a comma after the last element", TEXT("[1,]"), ATLS_E_ENCODING, "a value is expected at byte 3"},
    {"a comma before the first element", TEXT("[,1]"), ATLS_E_ENCODING, "a value is expected at byte 1"},
    {"no comma", TEXT("[1 2]"), ATLS_E_ENCODING, "a comma or a closing bracket is expected at byte 3"},
    {"the wrong bracket", TEXT("[1}"), ATLS_E_ENCODING, "a comma or a closing bracket is expected at byte 2"},
    {"the other wrong bracket", TEXT("{\"a\":1]"), ATLS_E_ENCODING, "closing bracket is expected at byte 6"},
    {"a bracket too many", TEXT("[]]"), ATLS_E_ENCODING, "something after the end at byte 2"},
    {"no colon", TEXT("{\"a\" 1}"), ATLS_E_ENCODING, "a colon is expected at byte 5"},
    {"no value", TEXT("{\"a\":}"), ATLS_E_ENCODING, "a value is expected at byte 5"},
    {"a name without quotes", TEXT("{a:1}"), ATLS_E_ENCODING, "a name in quotes is expected at byte 1"},
    {"a number for a name", TEXT("{1:1}"), ATLS_E_ENCODING, "a name in quotes is expected at byte 1"},
    {"single quotes", TEXT("['a']"), ATLS_E_ENCODING, "a value is expected at byte 1"},
    {"a comment", TEXT("[1/*x*/]"), ATLS_E_ENCODING, "is expected at byte 2"},
    {"a word that is cut", TEXT("tru"), ATLS_E_ENCODING, "a value is expected at byte 0"},
    {"a word that goes on", TEXT("[truee]"), ATLS_E_ENCODING, "is expected at byte 5"},
    {"a word with a capital", TEXT("True"), ATLS_E_ENCODING, "a value is expected at byte 0"},
    {"NaN", TEXT("NaN"), ATLS_E_ENCODING, "a value is expected at byte 0"},
    {"infinity", TEXT("-Infinity"), ATLS_E_ENCODING, "a digit is missing at byte 1"},
    /* numbers */
    {"a leading zero", TEXT("[01]"), ATLS_E_ENCODING, "a leading zero at byte 1"},
    {"a leading zero after a sign", TEXT("[-00]"), ATLS_E_ENCODING, "a leading zero at byte 2"},
    {"a plus", TEXT("[+1]"), ATLS_E_ENCODING, "a value is expected at byte 1"},
    {"a lone minus", TEXT("[-]"), ATLS_E_ENCODING, "a digit is missing at byte 2"},
    {"no digit before the point", TEXT("[.5]"), ATLS_E_ENCODING, "a value is expected at byte 1"},
    {"no digit before the point, with a sign", TEXT("[-.5]"), ATLS_E_ENCODING, "a digit is missing at byte 2"},
    {"no digit after the point", TEXT("[1.]"), ATLS_E_ENCODING, "a digit is missing at byte 3"},
    {"no digit in the exponent", TEXT("[1e]"), ATLS_E_ENCODING, "a digit is missing at byte 3"},
    {"no digit after the exponent's sign", TEXT("[1e+]"), ATLS_E_ENCODING, "a digit is missing at byte 4"},
    {"a point in the exponent", TEXT("[1e1.5]"), ATLS_E_ENCODING, "is expected at byte 4"},
    {"hex", TEXT("[0x10]"), ATLS_E_ENCODING, "is expected at byte 2"},
    /* strings */
    {"a string that does not end", TEXT("\"abc"), ATLS_E_ENCODING, "the text ends inside a string at byte 4"},
    {"a string that ends in a backslash", TEXT("\"abc\\"), ATLS_E_ENCODING, "ends inside a string at byte 5"},
    {"a raw line end in a string", TEXT("\"ab\nc\""), ATLS_E_ENCODING, "a control character in a string at byte 3"},
    {"a raw NUL in a string", TEXT("\"ab\0c\""), ATLS_E_ENCODING, "a control character in a string at byte 3"},
    {"a raw 1F in a long string", TEXT("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\x1f\""), ATLS_E_ENCODING,
     "a control character in a string at byte 30"},
    {"an unknown escape", TEXT("\"ab\\x41\""), ATLS_E_ENCODING, "an unknown escape at byte 3"},
    {"a capital U", TEXT("\"\\U0041\""), ATLS_E_ENCODING, "an unknown escape at byte 1"},
    {"three hex digits", TEXT("\"\\u041\""), ATLS_E_ENCODING, "\\u without four hex digits at byte 1"},
    {"hex digits that are none", TEXT("\"\\u00g1\""), ATLS_E_ENCODING, "\\u without four hex digits at byte 1"},
    {"hex digits beyond the end", TEXT("\"\\u00"), ATLS_E_ENCODING, "\\u without four hex digits at byte 1"},
    {"a lone high surrogate", TEXT("\"\\ud834\""), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a lone high surrogate before text", TEXT("\"\\ud834abcdef\""), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a lone low surrogate", TEXT("\"x\\udd1e\""), ATLS_E_ENCODING, "a lone surrogate at byte 2"},
    {"two high surrogates", TEXT("\"\\ud834\\ud834\""), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a pair the wrong way round", TEXT("\"\\udd1e\\ud834\""), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a high surrogate and a character", TEXT("\"\\ud834\\u0041\""), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a pair that is cut", TEXT("\"\\ud834\\udd1"), ATLS_E_ENCODING, "a lone surrogate at byte 1"},
    {"a continuation byte alone", TEXT("\"a\x80\""), ATLS_E_ENCODING, "invalid UTF-8 at byte 2"},
    {"an overlong form", TEXT("\"\xc0\xaf\""), ATLS_E_ENCODING, "invalid UTF-8 at byte 1"},
    {"a surrogate in UTF-8", TEXT("\"\xed\xa0\x80\""), ATLS_E_ENCODING, "invalid UTF-8 at byte 1"},
    {"beyond U+10FFFF", TEXT("\"\xf4\x90\x80\x80\""), ATLS_E_ENCODING, "invalid UTF-8 at byte 1"},
    {"UTF-8 cut by the quote", TEXT("\"\xe2\x82\""), ATLS_E_ENCODING, "invalid UTF-8 at byte 1"},
    {"UTF-8 cut by the end", TEXT("\"\xe2\x82"), ATLS_E_ENCODING, "invalid UTF-8 at byte 1"},
    {"invalid UTF-8 in a name", TEXT("{\"\xff\":1}"), ATLS_E_ENCODING, "invalid UTF-8 at byte 2"},
    {"invalid UTF-8 between values", TEXT("[1,\xff]"), ATLS_E_ENCODING, "a value is expected at byte 3"},
    /* duplicates */
    {"a name twice", TEXT("{\"a\":1,\"a\":1}"), ATLS_E_ENCODING, "has already, for the value at byte 11"},
    {"a name twice, the second in escapes", TEXT("{\"a\":1,\"\\u0061\":1}"), ATLS_E_ENCODING, "value at byte 16"},
    {"an empty name twice", TEXT("{\"\":1,\"\":1}"), ATLS_E_ENCODING, "value at byte 9"},
    {"a name twice, deep inside", TEXT("[{\"x\":{\"a\":1,\"b\":2,\"a\":3}}]"), ATLS_E_ENCODING, "value at byte 23"},
    {"a name twice among many",
     TEXT("{\"0\":0,\"1\":0,\"2\":0,\"3\":0,\"4\":0,\"5\":0,\"6\":0,\"7\":0,\"8\":0,\"9\":0,\"3\":0}"), ATLS_E_ENCODING,
     "value at byte 65"},
    /* depth */
    {"depth 17", TEXT("[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]]]]]]"), ATLS_E_LIMIT, "too many levels at byte 16"},
    {"depth 17 of empty containers", TEXT("[[[[[[[[[[[[[[[[{}]]]]]]]]]]]]]]]]"), ATLS_E_LIMIT, "levels at byte 16"},
};

static void test_bad(void **state)
{
    const bad_row *row = *state;
    uint8_t *exact = malloc(row->len == 0 ? 1 : row->len);
    assert_non_null(exact);
    memcpy(exact, row->text, row->len);
    atls_error err = {0};
    const atls_json *root;
    assert_false(atls_json_parse(atls_bytes_of(exact, row->len), "tcb_info", check_arena(), &root, &err));
    check_error(&err, row->code, "tcb_info");
    assert_null(root);
    size_t len = strlen(err.message);
    size_t tail = strlen(row->where);
    if (len < tail || strcmp(err.message + len - tail, row->where) != 0) {
        fail_msg("got \"%s\", wanted \"...%s\"", err.message, row->where);
    }
    free(exact);
}

/* ---- every escape of a number ---- */

/* The escape of one number, alone or as a pair, against UTF-8 put together by its definition. */
static void check_escape(const char *text, bool valid, uint32_t c)
{
    atls_error err = {0};
    const atls_json *value;
    bool ok = atls_json_parse(atls_bytes_str(text), "f", check_arena(), &value, &err);
    if (ok != valid) {
        fail_msg("%s", text);
    }
    if (!ok) {
        check_error(&err, ATLS_E_ENCODING, "f");
        return;
    }
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t first[] = {0, 0, 0xc0, 0xe0, 0xf0};
    assert_int_equal(value->text.len, n);
    for (size_t i = 0; i < n; i++) {
        uint32_t part = c >> (6 * (n - 1 - i));
        assert_int_equal(value->text.ptr[i], n == 1 ? c : i == 0 ? first[n] | part : 0x80 | (part & 0x3f));
    }
}

static void test_every_escape(void **state)
{
    (void)state;
    char text[32];
    for (uint32_t c = 0; c <= 0xffff; c++) {
        snprintf(text, sizeof text, c % 2 == 0 ? "\"\\u%04x\"" : "\"\\u%04X\"", (unsigned)c);
        check_escape(text, c < 0xd800 || c > 0xdfff, c);
    }
    static const uint32_t high[] = {0xd7ff, 0xd800, 0xd801, 0xdbff, 0xdc00, 0xdfff, 0xe000};
    static const uint32_t low[] = {0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdc01, 0xdfff, 0xe000, 0x0041};
    for (size_t i = 0; i < COUNT(high) * COUNT(low); i++) {
        uint32_t h = high[i / COUNT(low)];
        uint32_t l = low[i % COUNT(low)];
        bool pair = h >= 0xd800 && h <= 0xdbff && l >= 0xdc00 && l <= 0xdfff;
        bool alone = (h < 0xd800 || h > 0xdfff) && (l < 0xd800 || l > 0xdfff);
        snprintf(text, sizeof text, "\"\\u%04x\\u%04x\"", (unsigned)h, (unsigned)l);
        if (!alone) {
            check_escape(text, pair, 0x10000 + ((h & 0x3ff) << 10 | (l & 0x3ff)));
        }
    }
}

/* ---- exact bytes ---- */

static void test_raw_slices(void **state)
{
    (void)state;
    static const char text[] = "{ \"tcbInfo\" : { \"a\": [1, 2] } , \"s\" : \"x\\n\", \"p\": \"plain\" }\n";
    atls_error err = {0};
    const atls_json *root;
    const atls_json *s;
    assert_true(atls_json_parse(atls_bytes_str(text), "f", check_arena(), &root, &err));
    const atls_json *body = atls_json_find(root, "tcbInfo");
    assert_non_null(body);
    assert_true(atls_bytes_equal_str(body->raw, "{ \"a\": [1, 2] }"));
    assert_ptr_equal(body->raw.ptr, text + 14);
    assert_true(atls_json_member(root, "f", "s", ATLS_JSON_STRING, &s, &err));
    assert_true(atls_bytes_equal_str(s->raw, "\"x\\n\""));
    assert_true(atls_bytes_equal_str(s->text, "x\n"));
    assert_true(atls_json_member(root, "f", "p", ATLS_JSON_STRING, &s, &err));
    assert_ptr_equal(s->text.ptr, s->raw.ptr + 1); /* borrowed */
    assert_true(atls_bytes_equal_str(s->name, "p"));
    assert_ptr_equal(root->raw.ptr, text);
    assert_int_equal(root->raw.len, sizeof text - 2); /* neither the NUL nor the line end */
}

/* ---- members by name and type ---- */

typedef struct member_row {
    const char *name;
    const char *text;
    char read; /* t text, u unsigned to 300, h hex of two bytes, o object */
    const char *expected;
    const char *actual; /* NULL: accepted */
} member_row;

static const member_row member_rows[] = {
    {"member: a text", "{\"m\":\"x\"}", 't', NULL, NULL},
    {"member: an object", "{\"m\":{}}", 'o', NULL, NULL},
    {"member: zero", "{\"m\":0}", 'u', NULL, NULL},
    {"member: the greatest that is allowed", "{\"m\":300}", 'u', NULL, NULL},
    {"member: hex", "{\"m\":\"0aFf\"}", 'h', NULL, NULL},
    {"member: missing", "{\"M\":\"x\"}", 't', "string", "missing"},
    {"member: of what is no object", "[\"m\"]", 't', "string", "missing"},
    {"member: null for a text", "{\"m\":null}", 't', "string", "null"},
    {"member: a number for a text", "{\"m\":1}", 't', "string", "number"},
    {"member: an array for an object", "{\"m\":[]}", 'o', "object", "array"},
    {"member: true for an object", "{\"m\":true}", 'o', "object", "true"},
    {"member: false for a number", "{\"m\":false}", 'u', "number", "false"},
    {"member: an object for a number", "{\"m\":{}}", 'u', "number", "object"},
    {"member: a number is missing", "{}", 'u', "number", "missing"},
    {"member: a text for a number", "{\"m\":\"1\"}", 'u', "number", "string"},
    {"member: one more than allowed", "{\"m\":301}", 'u', "0 to 300", "301"},
    {"member: ten times too much", "{\"m\":3000}", 'u', "0 to 300", "3000"},
    {"member: a sign", "{\"m\":-1}", 'u', "0 to 300", "-1"},
    {"member: minus zero", "{\"m\":-0}", 'u', "0 to 300", "-0"},
    {"member: a fraction", "{\"m\":1.0}", 'u', "0 to 300", "1.0"},
    {"member: an exponent", "{\"m\":1e1}", 'u', "0 to 300", "1e1"},
    {"member: beyond 64 bits", "{\"m\":18446744073709551617}", 'u', "0 to 300", "18446744073709551617"},
    {"member: hex too short", "{\"m\":\"0a\"}", 'h', "4 hex digits", "2 characters"},
    {"member: hex too long", "{\"m\":\"0a0b0c\"}", 'h', "4 hex digits", "6 characters"},
    {"member: no hex", "{\"m\":\"0a0g\"}", 'h', "4 hex digits", "4 characters, not all hex"},
    {"member: a number for hex", "{\"m\":1234}", 'h', "string", "number"},
};

static bool read_member(const member_row *row, const atls_json *root, const char *prefix, atls_error *err)
{
    atls_bytes text;
    uint64_t number;
    uint8_t two[2];
    const atls_json *object;
    switch (row->read) {
    case 't':
        return atls_json_member_text(root, prefix, "m", &text, err);
    case 'u':
        return atls_json_member_uint(root, prefix, "m", 300, &number, err);
    case 'h':
        return atls_json_member_hex(root, prefix, "m", two, sizeof two, err);
    default:
        return atls_json_member(root, prefix, "m", ATLS_JSON_OBJECT, &object, err);
    }
}

static void test_member(void **state)
{
    const member_row *row = *state;
    atls_error err = {0};
    const atls_json *root;
    assert_true(atls_json_parse(atls_bytes_str(row->text), "f", check_arena(), &root, &err));
    assert_int_equal(read_member(row, root, "policy.tcb", &err), row->actual == NULL);
    if (row->actual == NULL) {
        return;
    }
    check_error(&err, ATLS_E_ENCODING, "policy.tcb.m");
    assert_string_equal(err.expected, row->expected);
    assert_string_equal(err.actual, row->actual);
    atls_error_clear(&err);
    assert_false(read_member(row, root, "", &err));
    check_error(&err, ATLS_E_ENCODING, "m");
}

typedef struct uint_row {
    const char *name;
    const char *text;
    uint64_t max;
    bool ok;
    uint64_t value;
} uint_row;

static const uint_row uint_rows[] = {
    {"uint: the greatest of all", "18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"uint: one more wraps", "18446744073709551616", UINT64_MAX, false, 0},
    {"uint: ten times more wraps", "184467440737095516150", UINT64_MAX, false, 0},
    {"uint: one digit above a small maximum", "9", 5, false, 0},
    {"uint: a small maximum", "5", 5, true, 5},
    {"uint: a fraction, where there is room for anything", "1.0", UINT64_MAX, false, 0},
    {"uint: an exponent, where there is room for anything", "1e1", UINT64_MAX, false, 0},
    {"uint: a sign, where there is room for anything", "-1", UINT64_MAX, false, 0},
    {"uint: nothing but zero", "0", 0, true, 0},
    {"uint: more than zero", "1", 0, false, 0},
};

static void test_uint(void **state)
{
    const uint_row *row = *state;
    atls_error err = {0};
    const atls_json *value;
    uint64_t out = 0;
    assert_true(atls_json_parse(atls_bytes_str(row->text), "f", check_arena(), &value, &err));
    assert_int_equal(atls_json_uint(value, "level.svn", row->max, &out, &err), row->ok);
    assert_int_equal(out, row->value);
    check_error(&err, row->ok ? ATLS_OK : ATLS_E_ENCODING, row->ok ? "" : "level.svn");
    atls_error_clear(&err);
    assert_false(atls_json_uint(NULL, "level.svn", row->max, &out, &err));
    check_error(&err, ATLS_E_ENCODING, "level.svn");
}

static void test_find(void **state)
{
    (void)state;
    atls_error err = {0};
    const atls_json *root;
    assert_true(
        atls_json_parse(atls_bytes_str("{\"a\":[1],\"\":2,\"ab\":3,\"a\\u0000\":4}"), "f", check_arena(), &root, &err));
    const atls_json *array = atls_json_find(root, "a");
    assert_non_null(array);
    assert_int_equal(array->type, ATLS_JSON_ARRAY);
    assert_null(atls_json_find(array, "")); /* elements have no names, not even the empty one */
    assert_null(atls_json_find(NULL, "a"));
    assert_null(atls_json_find(root, "b"));
    assert_null(atls_json_find(root, "abc"));
    const atls_json *empty = atls_json_find(root, "");
    assert_non_null(empty);
    assert_true(atls_bytes_equal_str(empty->raw, "2"));
    assert_string_equal(atls_json_type_name(NULL), "missing");
    assert_string_equal(atls_json_type_name(root), "object");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(good_rows); i++) {
        tap_add(&tests, good_rows[i].name, test_good, &good_rows[i]);
        tap_add(&tests, "  its prefixes are refused, its flipped bits do no harm", test_good_damaged, &good_rows[i]);
    }
    for (size_t i = 0; i < COUNT(bad_rows); i++) {
        tap_add(&tests, bad_rows[i].name, test_bad, &bad_rows[i]);
    }
    tap_add(&tests, "escapes: each of 65536, and the pairs at every edge", test_every_escape, NULL);
    tap_add(&tests, "raw slices are the bytes of the input", test_raw_slices, NULL);
    tap_add(&tests, "find: by the whole name, in objects only", test_find, NULL);
    for (size_t i = 0; i < COUNT(member_rows); i++) {
        tap_add(&tests, member_rows[i].name, test_member, &member_rows[i]);
    }
    for (size_t i = 0; i < COUNT(uint_rows); i++) {
        tap_add(&tests, uint_rows[i].name, test_uint, &uint_rows[i]);
    }
    return tap_run("json", &tests);
}
