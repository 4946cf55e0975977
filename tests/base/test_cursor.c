/* SPDX-License-Identifier: Apache-2.0 */
/* test_cursor.c: reads that fit, reads that do not, and children that must end. */
#include "check.h"

#include "base/cursor.h"

static const uint8_t counting[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static bool as_u8(atls_cur *c, const char *field, uint64_t *out)
{
    uint8_t v = 0;
    bool ok = atls_cur_u8(c, field, &v);
    *out = v;
    return ok;
}
static bool as_u16le(atls_cur *c, const char *field, uint64_t *out)
{
    uint16_t v = 0;
    bool ok = atls_cur_u16le(c, field, &v);
    *out = v;
    return ok;
}
static bool as_u32le(atls_cur *c, const char *field, uint64_t *out)
{
    uint32_t v = 0;
    bool ok = atls_cur_u32le(c, field, &v);
    *out = v;
    return ok;
}
static bool as_u16be(atls_cur *c, const char *field, uint64_t *out)
{
    uint16_t v = 0;
    bool ok = atls_cur_u16be(c, field, &v);
    *out = v;
    return ok;
}
static bool as_u32be(atls_cur *c, const char *field, uint64_t *out)
{
    uint32_t v = 0;
    bool ok = atls_cur_u32be(c, field, &v);
    *out = v;
    return ok;
}

typedef struct int_row {
    const char *name;
    bool (*read)(atls_cur *c, const char *field, uint64_t *out);
    size_t n;
    uint64_t value;
} int_row;

static const int_row int_rows[] = {
    {"u8", as_u8, 1, 0x01},
    {"u16le", as_u16le, 2, 0x0201},
    {"u32le", as_u32le, 4, 0x04030201},
    {"u64le", atls_cur_u64le, 8, 0x0807060504030201},
    {"u16be", as_u16be, 2, 0x0102},
    {"u32be", as_u32be, 4, 0x01020304},
    {"u64be", atls_cur_u64be, 8, 0x0102030405060708},
};

/* The value with every byte there, and TRUNCATED with nothing moved for every shorter input. */
static void test_int(void **state)
{
    const int_row *row = *state;
    for (size_t len = 0; len <= row->n; len++) {
        atls_error err = {0};
        atls_cur c;
        uint64_t value = 0;
        atls_cur_init(&c, atls_bytes_of(counting, len), "quote.header", &err);
        bool ok = row->read(&c, "version", &value);
        assert_int_equal(ok, len == row->n);
        if (ok) {
            assert_int_equal(value, row->value);
            assert_int_equal(atls_cur_offset(&c), row->n);
            assert_true(atls_cur_end(&c));
            continue;
        }
        check_error(&err, ATLS_E_TRUNCATED, "quote.header.version");
        char expected[32];
        char actual[32];
        snprintf(expected, sizeof expected, "%zu bytes", row->n);
        snprintf(actual, sizeof actual, "%zu bytes", len);
        assert_string_equal(err.expected, expected);
        assert_string_equal(err.actual, actual);
        assert_int_equal(atls_cur_offset(&c), 0);
        assert_int_equal(c.rest.len, len);
    }
}

static void test_bytes_copy_skip(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_cur c;
    atls_bytes got;
    uint8_t copy[3] = {0};
    uint8_t one = 0;
    atls_cur_init(&c, atls_bytes_of(counting, 8), "", &err);
    assert_true(atls_cur_bytes(&c, "a", 2, &got));
    assert_ptr_equal(got.ptr, counting);
    assert_true(atls_cur_copy(&c, "b", copy, 3));
    assert_memory_equal(copy, counting + 2, 3);
    assert_true(atls_cur_copy(&c, "c", &one, 1));
    assert_int_equal(one, 6);
    assert_true(atls_cur_bytes(&c, "d", 0, &got));
    assert_int_equal(got.len, 0);
    assert_int_equal(atls_cur_offset(&c), 6);
    assert_false(atls_cur_bytes(&c, "e", 3, &got));
    check_error(&err, ATLS_E_TRUNCATED, "e");
    assert_int_equal(atls_cur_offset(&c), 6);
    got = atls_cur_rest(&c);
    assert_int_equal(got.len, 2);
    assert_int_equal(got.ptr[0], 7);
    assert_int_equal(atls_cur_rest(&c).len, 0);
    assert_true(atls_cur_end(&c));
}

typedef struct huge_row {
    const char *name;
    size_t n;
} huge_row;

static const huge_row huge_rows[] = {
    {"length: one byte too many", 9},
    {"length: would wrap the pointer", SIZE_MAX},
    {"length: would wrap to just before", SIZE_MAX - 7},
    {"length: half of everything", SIZE_MAX / 2 + 1},
};

static void test_huge(void **state)
{
    const huge_row *row = *state;
    uint8_t copy[8];
    atls_bytes got;
    atls_cur child;
    for (int i = 0; i < 4; i++) {
        atls_error err = {0};
        atls_cur c;
        atls_cur_init(&c, atls_bytes_of(counting, 8), "p", &err);
        bool ok = i == 0   ? atls_cur_bytes(&c, "f", row->n, &got)
                  : i == 1 ? atls_cur_copy(&c, "f", copy, row->n)
                  : i == 2 ? atls_cur_skip(&c, "f", row->n)
                           : atls_cur_child(&c, "f", row->n, "p.f", &child);
        assert_false(ok);
        check_error(&err, ATLS_E_TRUNCATED, "p.f");
        assert_int_equal(c.rest.len, 8);
    }
}

static void test_child(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_cur c;
    atls_cur child;
    uint8_t v;
    atls_cur_init(&c, atls_bytes_of(counting, 8), "quote", &err);
    assert_true(atls_cur_skip(&c, "a", 1));
    assert_true(atls_cur_child(&c, "body", 3, "quote.body", &child));
    assert_int_equal(atls_cur_offset(&c), 4);
    assert_int_equal(atls_cur_offset(&child), 0);
    assert_true(atls_cur_u8(&child, "x", &v));
    assert_int_equal(v, 2);
    assert_false(atls_cur_end(&child));
    check_error(&err, ATLS_E_TRAILING, "quote.body");
    assert_string_equal(err.actual, "2 bytes");
    atls_error_clear(&err);
    uint32_t four;
    assert_false(atls_cur_u32le(&child, "y", &four)); /* the parent has the bytes, the child has not */
    check_error(&err, ATLS_E_TRUNCATED, "quote.body.y");
}

static void test_fail(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_cur c;
    atls_cur_init(&c, atls_bytes_empty(), "quote", &err);
    assert_false(atls_cur_fail(&c, ATLS_E_QUOTE_FORMAT, "version", "4", "6", "100%s sure"));
    check_error(&err, ATLS_E_QUOTE_FORMAT, "quote.version");
    assert_string_equal(err.expected, "4");
    assert_string_equal(err.actual, "6");
    assert_string_equal(err.message, "100%s sure"); /* text, no format */
    atls_error_clear(&err);
    assert_false(atls_cur_fail(&c, ATLS_E_QUOTE_FORMAT, "", NULL, NULL, NULL));
    check_error(&err, ATLS_E_QUOTE_FORMAT, "quote");
    assert_string_equal(err.message, atls_code_text(ATLS_E_QUOTE_FORMAT));
}

static void test_null_input(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_cur c;
    atls_bytes none = {NULL, 0};
    atls_cur_init(&c, none, "", &err);
    assert_non_null(atls_cur_rest(&c).ptr);
    assert_true(atls_cur_end(&c));
    assert_false(atls_cur_skip(&c, "f", 1));
    check_error(&err, ATLS_E_TRUNCATED, "f");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(int_rows); i++) {
        tap_add(&tests, int_rows[i].name, test_int, &int_rows[i]);
    }
    tap_add(&tests, "bytes, copy, skip and rest walk forward", test_bytes_copy_skip, NULL);
    for (size_t i = 0; i < COUNT(huge_rows); i++) {
        tap_add(&tests, huge_rows[i].name, test_huge, &huge_rows[i]);
    }
    tap_add(&tests, "a child ends where its length says, and must end empty", test_child, NULL);
    tap_add(&tests, "a failure at a field of the reader", test_fail, NULL);
    tap_add(&tests, "no input is an empty input", test_null_input, NULL);
    return tap_run("cursor", &tests);
}
