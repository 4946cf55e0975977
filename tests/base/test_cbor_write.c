/* SPDX-License-Identifier: Apache-2.0 */
/* test_cbor_write.c: every head at every edge, as RFC 8949 spells it; what is written is what the reader takes. */
#include "check.h"

#include "base/cbor.h"
#include "base/cbor_write.h"

typedef struct row {
    const char *name;
    void (*put)(atls_cw *w, uint64_t n);
    uint64_t n;
    const char *hex;
} row;

static void put_bytes(atls_cw *w, uint64_t n)
{
    static const uint8_t zeros[65536];
    atls_cw_bytes(w, atls_bytes_of(zeros, (size_t)n));
}
static void put_text(atls_cw *w, uint64_t n)
{
    static const char letters[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    atls_cw_text(w, atls_bytes_of(letters, (size_t)n));
}
static void put_bool(atls_cw *w, uint64_t n)
{
    atls_cw_bool(w, n != 0);
}
static void put_null(atls_cw *w, uint64_t n)
{
    (void)n;
    atls_cw_null(w);
}
/* strings by their heads alone: content is zeros or letters */
static const row rows[] = {
    {"uint: 0", atls_cw_uint, 0, "00"},
    {"uint: 23", atls_cw_uint, 23, "17"},
    {"uint: 24", atls_cw_uint, 24, "1818"},
    {"uint: 255", atls_cw_uint, 255, "18ff"},
    {"uint: 256", atls_cw_uint, 256, "190100"},
    {"uint: 65535", atls_cw_uint, 65535, "19ffff"},
    {"uint: 65536", atls_cw_uint, 65536, "1a00010000"},
    {"uint: 2^32 - 1", atls_cw_uint, 0xffffffff, "1affffffff"},
    {"uint: 2^32", atls_cw_uint, 0x100000000, "1b0000000100000000"},
    {"uint: 2^64 - 1", atls_cw_uint, UINT64_MAX, "1bffffffffffffffff"},
    {"bytes: none", put_bytes, 0, "40"},
    {"bytes: 3", put_bytes, 3, "43000000"},
    {"text: none", put_text, 0, "60"},
    {"text: 24", put_text, 24, "7818 616161616161616161616161 616161616161616161616161"},
    {"array: 0", atls_cw_array, 0, "80"},
    {"array: 23", atls_cw_array, 23, "97"},
    {"array: 24", atls_cw_array, 24, "9818"},
    {"map: 0", atls_cw_map, 0, "a0"},
    {"map: 5", atls_cw_map, 5, "a5"},
    {"map: 256", atls_cw_map, 256, "b90100"},
    {"bool: false", put_bool, 0, "f4"},
    {"bool: true", put_bool, 1, "f5"},
    {"null", put_null, 0, "f6"},
};

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out;
    size_t len;
    uint8_t *wanted = check_hex(r->hex, &len);
    atls_buf_init(&b, check_arena(), &err);
    atls_cw_init(&w, &b);
    r->put(&w, r->n);
    assert_true(atls_buf_done(&b, &out));
    assert_int_equal(out.len, len);
    assert_memory_equal(out.ptr, wanted, len);
    free(wanted);
}

static void test_long_strings_read_back(void **state)
{
    static const size_t lengths[] = {0, 1, 23, 24, 255, 256, 65535, 65536};
    (void)state;
    for (size_t i = 0; i < COUNT(lengths); i++) {
        atls_error err = {0};
        atls_buf b;
        atls_cw w;
        atls_cur c;
        atls_bytes out;
        atls_bytes back;
        atls_buf_init(&b, check_arena(), &err);
        atls_cw_init(&w, &b);
        put_bytes(&w, lengths[i]);
        assert_true(atls_buf_done(&b, &out));
        atls_cur_init(&c, out, "", &err);
        assert_true(atls_cbor_bytes(&c, "f", &back) && atls_cur_end(&c));
        assert_int_equal(back.len, lengths[i]);
    }
}

/* Items follow each other without anything between them; keys stay in the order in which they came. */
static void test_nested(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out;
    atls_buf_init(&b, check_arena(), &err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 2);
    atls_cw_uint(&w, 7);
    atls_cw_array(&w, 2);
    atls_cw_text(&w, atls_bytes_str("z"));
    atls_cw_null(&w);
    atls_cw_uint(&w, 3);
    atls_cw_bytes(&w, atls_bytes_of("\x00\xff", 2));
    assert_true(atls_buf_done(&b, &out));
    assert_int_equal(out.len, 10);
    assert_memory_equal(out.ptr, "\xa2\x07\x82\x61z\xf6\x03\x42\x00\xff", 10);
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t block[16];
    atls_arena a;
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out;
    atls_arena_init(&a, block, sizeof block);
    atls_buf_init(&b, &a, &err);
    atls_cw_init(&w, &b);
    put_bytes(&w, 300);
    atls_cw_uint(&w, 1); /* sticky */
    assert_false(atls_buf_done(&b, &out));
    check_error(&err, ATLS_E_MEMORY, "arena");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "long strings are read back", test_long_strings_read_back, NULL);
    tap_add(&tests, "nested", test_nested, NULL);
    tap_add(&tests, "no memory", test_no_memory, NULL);
    return tap_run("cbor_write", &tests);
}
