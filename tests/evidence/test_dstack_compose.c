/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_compose.c: the compose hash of a JSON value (section 3), against serde_json's own output. */
#include "base/json.h"
#include "dstack_fixture.h"

typedef struct row {
    const char *name;
    const char *in;
    const char *out; /* NULL: refused */
} row;

#define C ATLS_E_CONFIGURATION

/* clang-format off */
static const row rows[] = {
    {"members keep their order", "{\"b\":1,\"a\":2}", "{\"b\":1,\"a\":2}"},
    {"white space goes", " { \"a\" :\t[ 1 ,\r\n2 ] } \n", "{\"a\":[1,2]}"},
    {"escapes are decoded first", "\"\\u0041\\/\\u00e9\"", "\"A/\xc3\xa9\""},
    {"control characters, short and long forms", "\"\\u0000\\u0008\\u000b\\u000c\\u001F\"", "\"\\u0000\\b\\u000b\\f\\u001f\""},
    {"DEL and U+2028 are raw", "\"\\u007f\\u2028\"", "\"\x7f\xe2\x80\xa8\""},
    {"quote and backslash", "\"\\u0022\\u005c\"", "\"\\\"\\\\\""},
    {"a surrogate pair is one character", "\"\\ud83e\\udd80\"", "\"\xf0\x9f\xa6\x80\""},
    {"names are strings too", "{\"\\u0061\\n\":0}", "{\"a\\n\":0}"},
    {"the largest integer", "18446744073709551615", "18446744073709551615"},
    {"one more is refused", "18446744073709551616", NULL},
    {"the smallest integer", "-9223372036854775808", "-9223372036854775808"},
    {"one less is refused", "-9223372036854775809", NULL},
    {"twenty-one digits are refused", "100000000000000000000", NULL},
    {"zero", "0", "0"},
    {"minus zero is refused", "[-0]", NULL},
    {"a fraction is refused", "{\"a\":{\"b\":[1.5]}}", NULL},
    {"an exponent is refused", "1E2", NULL},
    {"a negative exponent is refused", "10e-1", NULL},
    {"a duplicate under an escape is refused", "{\"a\":1,\"\\u0061\":1}", NULL},
    {"a lone low surrogate is refused", "\"\\udd80\"", NULL},
    {"invalid UTF-8 is refused", "\"\xc0\x80\"", NULL},
    {"nothing is refused", "", NULL},
    {"a second value is refused", "{} {}", NULL},
    {"depth 16", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"},
    {"depth 17 is refused", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", NULL},
};
/* clang-format on */

static void run_row(void **state)
{
    const row *r = *state;
    fix_bench b;
    atls_bytes out;
    fix_bench_open(&b);
    bool ok = dstack_compose_canonical(atls_bytes_str(r->in), &b.arena, &out, &b.err);
    assert_int_equal(ok, r->out != NULL);
    if (ok) {
        assert_int_equal(out.len, strlen(r->out));
        assert_memory_equal(out.ptr, r->out, out.len);
    } else {
        fix_expect(&b.err, C, "app_compose", NULL, NULL);
        assert_int_equal(out.len, 0);
    }
    fix_bench_close(&b);
}

static void check_accepted(fix_bench *b, const atls_json *c, atls_bytes in)
{
    const atls_json *serde = atls_json_find(c, "serde_json");
    atls_bytes out;
    uint8_t hash[32];
    uint8_t expected[32];
    assert_true(dstack_compose_canonical(in, &b->arena, &out, &b->err));
    assert_true(atls_bytes_equal(out, atls_json_find(serde, "canonical")->text));
    assert_true(dstack_compose_hash(b->crypto, in, &b->arena, hash, &b->err));
    assert_true(atls_json_member_hex(serde, "", "sha256", expected, 32, &b->err));
    assert_memory_equal(hash, expected, 32);
}

static void check_refused(fix_bench *b, atls_bytes in)
{
    atls_error err = {.code = ATLS_OK};
    atls_bytes out;
    uint8_t hash[32];
    assert_false(dstack_compose_canonical(in, &b->arena, &out, &err));
    fix_expect(&err, C, "app_compose", NULL, NULL);
    assert_false(dstack_compose_hash(b->crypto, in, &b->arena, hash, &err));
}

static void vector_cases(void **state)
{
    (void)state;
    fix_bench b;
    const atls_json *top;
    const atls_json *cases;
    size_t n = 0;
    fix_bench_open(&b);
    atls_bytes file = fix_file(&b, "dcap/compose-hash/cases.json");
    assert_true(atls_json_parse(file, "cases", &b.arena, &top, &b.err));
    assert_true(atls_json_member(top, "", "cases", ATLS_JSON_ARRAY, &cases, &b.err));
    for (const atls_json *c = cases->child; c != NULL; c = c->next, n++) {
        atls_bytes in = atls_json_find(c, "input")->text;
        if (atls_bytes_equal_str(atls_json_find(c, "required")->text, "accept")) {
            check_accepted(&b, c, in);
        } else {
            check_refused(&b, in);
        }
    }
    assert_true(n >= 24);
    fix_bench_close(&b);
}

/* What is canonical stays as it is. */
static void idempotent(void **state)
{
    (void)state;
    fix_bench b;
    atls_bytes once;
    atls_bytes twice;
    fix_bench_open(&b);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].out != NULL) {
            assert_true(dstack_compose_canonical(atls_bytes_str(rows[i].in), &b.arena, &once, &b.err));
            assert_true(dstack_compose_canonical(once, &b.arena, &twice, &b.err));
            assert_true(atls_bytes_equal(once, twice));
        }
    }
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    tap_add(&l, "the canonical form of a canonical form is itself", idempotent, NULL);
    tap_add(&l, "real: every case of compose-hash", vector_cases, NULL);
    return tap_run("dstack_compose", &l);
}
