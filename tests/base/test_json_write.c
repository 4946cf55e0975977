/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_write.c: commas, quotes and escapes; and what is written can be read again. */
#include "check.h"

#include "atls/time.h"
#include "base/json.h"

#define TEXT(literal) literal, sizeof(literal) - 1

static void begin(atls_jw *w, atls_buf *b, atls_error *err)
{
    atls_buf_init(b, check_arena(), err);
    atls_jw_init(w, b);
}

static void check_text(atls_buf *b, const char *wanted)
{
    atls_bytes out;
    assert_true(atls_buf_done(b, &out));
    if (!atls_bytes_equal_str(out, wanted)) {
        fail_msg("got %.*s, wanted %s", (int)out.len, (const char *)out.ptr, wanted);
    }
}

static void test_everything(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_buf b;
    atls_jw w;
    begin(&w, &b, &err);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "s", "x");
    atls_jw_hex(&w, "h", atls_bytes_of("\x00\xff", 2));
    atls_jw_uint(&w, "u", UINT64_MAX);
    atls_jw_bool(&w, "t", true);
    atls_jw_bool(&w, "f", false);
    atls_jw_null(&w, "n");
    atls_jw_raw(&w, "r", atls_bytes_str("[1]"));
    atls_jw_time(&w, "at", 1709251199);
    atls_jw_time(&w, "never", ATLS_TIME_UNSET);
    atls_jw_open(&w, "list", '[');
    atls_jw_open(&w, NULL, '[');
    atls_jw_close(&w, ']');
    atls_jw_uint(&w, NULL, 0);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "k", NULL);
    atls_jw_close(&w, '}');
    atls_jw_close(&w, ']');
    atls_jw_str(&w, "last", "");
    atls_jw_close(&w, '}');
    check_text(&b, "{\"s\":\"x\",\"h\":\"00ff\",\"u\":18446744073709551615,\"t\":true,\"f\":false,\"n\":null,\"r\":[1],"
                   "\"at\":\"2024-02-29T23:59:59Z\",\"never\":null,\"list\":[[],0,{\"k\":\"\"}],\"last\":\"\"}");
}

typedef struct string_row {
    const char *name;
    const char *text;
    size_t len;
    const char *written;
} string_row;

static const string_row string_rows[] = {
    {"string: plain", TEXT("UpToDate"), "\"UpToDate\""},
    {"string: quote and backslash", TEXT("a\"b\\c/"), "\"a\\\"b\\\\c/\""},
    {"string: control characters", TEXT("\0\b\n\x1f\x7f"), "\"\\u0000\\u0008\\u000a\\u001f\\u007f\""},
    {"string: what moves a terminal's cursor", TEXT("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0"),
     "\"\\u0080\\u009b\\u009f\xc2\xa0\""},
    {"string: what turns text around",
     TEXT("\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xae\xe2\x80\xaf\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa"),
     "\"\xe2\x80\xa7\\u2028\\u202e\xe2\x80\xaf\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa\""},
    {"string: UTF-8", TEXT("\xc3\xa9\xf0\x9d\x84\x9e"), "\"\xc3\xa9\xf0\x9d\x84\x9e\""},
    {"string: invalid bytes, one by one", TEXT("a\xff\xe2\x82z"), "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\""},
    {"string: cut UTF-8 at the end", TEXT("\xc3"), "\"\xef\xbf\xbd\""},
};

static void test_string(void **state)
{
    const string_row *row = *state;
    atls_error err = {0};
    atls_buf b;
    atls_jw w;
    begin(&w, &b, &err);
    atls_jw_string(&w, NULL, atls_bytes_of(row->text, row->len));
    check_text(&b, row->written);
}

static void test_long_hex(void **state)
{
    (void)state;
    uint8_t in[200];
    char wanted[2 + 2 * sizeof in + 1];
    for (size_t len = 0; len <= sizeof in; len++) {
        atls_error err = {0};
        atls_buf b;
        atls_jw w;
        memset(in, (int)len, sizeof in);
        begin(&w, &b, &err);
        atls_jw_hex(&w, NULL, atls_bytes_of(in, len));
        wanted[0] = '"';
        atls_hex_encode(atls_bytes_of(in, len), wanted + 1);
        wanted[1 + 2 * len] = '"';
        wanted[2 + 2 * len] = '\0';
        check_text(&b, wanted);
    }
}

/* Every pair of bytes survives being written and read, unless it is not UTF-8. */
static void test_there_and_back(void **state)
{
    (void)state;
    atls_arena *a = check_arena();
    for (unsigned pair = 0; pair < 65536; pair++) {
        uint8_t bytes[2] = {(uint8_t)(pair >> 8), (uint8_t)pair};
        atls_bytes in = atls_bytes_of(bytes, 2);
        atls_error err = {0};
        atls_buf b;
        atls_jw w;
        atls_bytes text;
        const atls_json *value;
        a->used = 0;
        atls_buf_init(&b, a, &err);
        atls_jw_init(&w, &b);
        atls_jw_string(&w, NULL, in);
        assert_true(atls_buf_done(&b, &text));
        assert_true(atls_json_parse(text, "f", a, &value, &err));
        assert_int_equal(atls_bytes_equal(value->text, in), atls_utf8_valid(in));
    }
}

static void test_without_memory(void **state)
{
    (void)state;
    uint8_t block[16];
    atls_arena a;
    atls_error err = {0};
    atls_buf b;
    atls_jw w;
    atls_bytes out;
    atls_arena_init(&a, block, sizeof block);
    atls_buf_init(&b, &a, &err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "a", "b");
    atls_jw_close(&w, '}');
    assert_false(atls_buf_done(&b, &out));
    check_error(&err, ATLS_E_MEMORY, "arena");
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "every kind of value, with commas where they belong", test_everything, NULL);
    for (size_t i = 0; i < COUNT(string_rows); i++) {
        tap_add(&tests, string_rows[i].name, test_string, &string_rows[i]);
    }
    tap_add(&tests, "hex of every length", test_long_hex, NULL);
    tap_add(&tests, "every pair of bytes, there and back", test_there_and_back, NULL);
    tap_add(&tests, "no memory is a failure at the end", test_without_memory, NULL);
    return tap_run("json_write", &tests);
}
