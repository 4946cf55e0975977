/* SPDX-License-Identifier: Apache-2.0 */
/* test_error.c: the tables that come from the list of codes, and the object that is filled once. */
#include "check.h"

typedef struct code_row {
    const char *name;
    atls_code code;
    atls_category category;
    int exit_status;
    const char *kind;
    const char *text;
} code_row;

static const code_row code_rows[] = {
#define X(name, category, exit_status, kind, text)                                                                     \
    {#name, ATLS_E_##name, ATLS_CATEGORY_##category, exit_status, kind, text},
    ATLS_CODE_LIST(X)
#undef X
};

static void test_code(void **state)
{
    const code_row *row = *state;
    assert_string_equal(atls_code_name(row->code), row->name);
    assert_string_equal(atls_code_kind(row->code), row->kind);
    assert_string_equal(atls_code_text(row->code), row->text);
    assert_int_equal(atls_code_category(row->code), row->category);
    assert_int_equal(atls_code_exit_status(row->code), row->exit_status);
    bool known = (row->exit_status >= 0 && row->exit_status <= 8) || row->exit_status == 70;
    assert_true(known);
    /* only success may look like success */
    assert_int_equal(row->exit_status == 0, row->code == ATLS_OK);
    assert_int_equal(row->category == ATLS_CATEGORY_NONE, row->code == ATLS_OK);
    if (row->code == ATLS_OK) {
        return;
    }
    atls_error err = {0};
    assert_false(atls_fail(&err, row->code, "field", NULL));
    check_error(&err, row->code, "field");
    assert_string_equal(err.message, row->text);
    bool retry = row->code == ATLS_E_IO || row->code == ATLS_E_TIMEOUT || row->code == ATLS_E_TLS_HANDSHAKE
                 || row->code == ATLS_E_ANDROID_LIST_UNAVAILABLE || row->code == ATLS_E_ENROL_STORE;
    assert_int_equal(err.retry, retry);
    assert_int_equal(err.unsupported, row->code == ATLS_E_UNSUPPORTED);
}

static void test_kinds(void **state)
{
    (void)state;
    size_t n = 0;
    for (size_t i = 1; i < COUNT(code_rows); i++) {
        size_t first = 1;
        while (strcmp(code_rows[first].kind, code_rows[i].kind) != 0) {
            first++;
        }
        n += first == i;
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(code_rows[i].name, code_rows[j].name);
        }
    }
    assert_int_equal(n, 18);
}

static void test_no_code(void **state)
{
    (void)state;
    assert_string_equal(atls_code_name((atls_code)ATLS_N_CODES), "INTERNAL");
    assert_string_equal(atls_code_name((atls_code)99999), "INTERNAL");
    assert_int_equal(atls_code_exit_status((atls_code)99999), 70);
    assert_int_equal(atls_code_category((atls_code)99999), ATLS_CATEGORY_INTERNAL);
    atls_error err = {0};
    assert_false(atls_fail(&err, (atls_code)99999, "f", "m"));
    check_error(&err, ATLS_E_INTERNAL, "f");
    atls_error_clear(&err);
    assert_false(atls_fail(&err, ATLS_OK, "f", "failing with OK is a bug, not a success"));
    check_error(&err, ATLS_E_INTERNAL, "f");
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(atls_category_name(ATLS_CATEGORY_NONE), "none");
    assert_string_equal(atls_category_name(ATLS_CATEGORY_TRUST), "trust");
    assert_string_equal(atls_category_name(ATLS_CATEGORY_INTERNAL), "internal");
    assert_string_equal(atls_category_name((atls_category)(ATLS_CATEGORY_INTERNAL + 1)), "internal");
    assert_string_equal(atls_category_name((atls_category)77), "internal");
    assert_string_equal(atls_platform_name(ATLS_PLATFORM_TDX), "tdx");
    assert_string_equal(atls_platform_name(ATLS_PLATFORM_SGX), "sgx");
    assert_string_equal(atls_platform_name(ATLS_N_PLATFORMS), "none");
    assert_string_equal(atls_platform_name((atls_platform)77), "none");
}

static void test_first_failure_wins(void **state)
{
    (void)state;
    atls_error err = {0};
    assert_false(atls_fail_values(&err, ATLS_E_QUOTE_FORMAT, "first", "4", "6", "number %d", 1));
    const atls_error first = err;
    assert_false(atls_fail(&err, ATLS_E_IO, "second", "no"));
    assert_false(atls_fail_values(&err, ATLS_E_IO, "second", "a", "b", "no"));
    assert_false(atls_fail_bytes(&err, ATLS_E_IO, "second", atls_bytes_str("a"), atls_bytes_str("b"), "no"));
    assert_false(atls_fail_unsupported(&err, ATLS_E_IO, "second", "a", "b", "no"));
    assert_memory_equal(&err, &first, sizeof err);
    assert_string_equal(err.message, "number 1");
    atls_error_clear(&err);
    check_error(&err, ATLS_OK, "");
}

static void test_bytes_are_cut_at_64(void **state)
{
    (void)state;
    uint8_t block[65];
    memset(block, 0xab, sizeof block);
    atls_error err = {0};
    assert_false(atls_fail_bytes(&err, ATLS_E_MEASUREMENT_MISMATCH, "f", atls_bytes_of(block, 64),
                                 atls_bytes_of(block, 65), NULL));
    assert_int_equal(strlen(err.expected), 128);
    assert_int_equal(strlen(err.actual), 130);
    assert_string_equal(err.actual + 126, "ab..");
    atls_error_clear(&err);
    assert_false(atls_fail_bytes(&err, ATLS_E_MEASUREMENT_MISMATCH, "f", atls_bytes_of("\x01\xf0", 2),
                                 atls_bytes_empty(), NULL));
    assert_string_equal(err.expected, "01f0");
    assert_string_equal(err.actual, "");
}

static void test_sanitised(void **state)
{
    (void)state;
    atls_error err = {0};
    assert_false(
        atls_fail_values(&err, ATLS_E_OTHER, "f\n", "a\x1b[31mb", "\x7f\xc3\xa9", "say \"%s\"\r\n", "\x01\xff~ "));
    assert_string_equal(err.field, "f?");
    assert_string_equal(err.expected, "a?[31mb");
    assert_string_equal(err.actual, "???");
    assert_string_equal(err.message, "say \"??~ \"??");
}

static void test_cut_at_their_sizes(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    atls_error err = {0};
    assert_false(atls_fail_values(&err, ATLS_E_OTHER, text, text, text, "%s", text));
    assert_int_equal(strlen(err.field), sizeof err.field - 1);
    assert_int_equal(strlen(err.expected), sizeof err.expected - 1);
    assert_int_equal(strlen(err.actual), sizeof err.actual - 1);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    char line[64];
    assert_int_equal(atls_error_line(&err, line, sizeof line), sizeof line - 1);
    assert_int_equal(strlen(line), sizeof line - 1);
    assert_false(atls_error_relabel(&err, ATLS_E_OTHER, text));
    assert_int_equal(strlen(err.field), sizeof err.field - 1);
}

static void test_unsupported(void **state)
{
    (void)state;
    atls_error err = {0};
    assert_false(atls_fail_unsupported(&err, ATLS_E_QUOTE_FORMAT, "version", "4", "9", "no such version"));
    check_error(&err, ATLS_E_QUOTE_FORMAT, "version");
    assert_true(err.unsupported);
    assert_int_equal(atls_error_exit_status(&err), 8);
    assert_int_equal(atls_code_exit_status(err.code), 2);
    atls_error_clear(&err);
    assert_int_equal(atls_error_exit_status(&err), 0);
}

typedef struct relabel_row {
    const char *name;
    atls_code before;
    const char *field;
    const char *prefix;
    atls_code after;
    const char *full;
} relabel_row;

static const relabel_row relabel_rows[] = {
    {"relabel: TRUNCATED becomes the object's", ATLS_E_TRUNCATED, "a", "crl", ATLS_E_CRL, "crl.a"},
    {"relabel: TRAILING becomes the object's", ATLS_E_TRAILING, "a", "crl", ATLS_E_CRL, "crl.a"},
    {"relabel: ENCODING becomes the object's", ATLS_E_ENCODING, "a", "crl", ATLS_E_CRL, "crl.a"},
    {"relabel: LIMIT becomes the object's", ATLS_E_LIMIT, "a", "crl", ATLS_E_CRL, "crl.a"},
    {"relabel: another code stays", ATLS_E_MEMORY, "arena", "crl", ATLS_E_MEMORY, "crl.arena"},
    {"relabel: no prefix", ATLS_E_LIMIT, "a", "", ATLS_E_CRL, "a"},
    {"relabel: no field", ATLS_E_LIMIT, "", "crl", ATLS_E_CRL, "crl"},
    {"relabel: neither", ATLS_E_LIMIT, "", NULL, ATLS_E_CRL, ""},
};

static void test_relabel(void **state)
{
    const relabel_row *row = *state;
    atls_error err = {0};
    assert_false(atls_fail_values(&err, row->before, row->field, "4", "6", "why"));
    assert_false(atls_error_relabel(&err, ATLS_E_CRL, row->prefix));
    check_error(&err, row->after, row->full);
    assert_string_equal(err.expected, "4");
    assert_string_equal(err.actual, "6");
    assert_string_equal(err.message, "why");
}

static void test_relabel_of_nothing(void **state)
{
    (void)state;
    atls_error err = {0};
    assert_false(atls_error_relabel(&err, ATLS_E_CRL, "crl"));
    check_error(&err, ATLS_E_INTERNAL, "crl");
}

typedef struct line_row {
    const char *name;
    const char *field;
    const char *expected;
    const char *actual;
    const char *line;
} line_row;

static const line_row line_rows[] = {
    {"line: everything", "quote.header.version", "4", "6",
     "QUOTE_FORMAT quote.header.version: message (expected 4, actual 6)"},
    {"line: no values", "f", NULL, NULL, "QUOTE_FORMAT f: message"},
    {"line: no field", NULL, "4", "6", "QUOTE_FORMAT: message (expected 4, actual 6)"},
    {"line: only expected", "f", "4", NULL, "QUOTE_FORMAT f: message (expected 4)"},
    {"line: only actual", "f", NULL, "6", "QUOTE_FORMAT f: message (actual 6)"},
};

static void test_line(void **state)
{
    const line_row *row = *state;
    atls_error err = {0};
    char line[256];
    assert_false(atls_fail_values(&err, ATLS_E_QUOTE_FORMAT, row->field, row->expected, row->actual, "message"));
    assert_int_equal(atls_error_line(&err, line, sizeof line), strlen(row->line));
    assert_string_equal(line, row->line);
    line[0] = 'z';
    assert_int_equal(atls_error_line(&err, line, 0), 0);
    assert_int_equal(line[0], 'z');
    assert_int_equal(atls_error_line(&err, line, 1), 0);
    assert_int_equal(line[0], '\0');
}

static void test_line_sizes(void **state)
{
    (void)state;
    atls_error err = {0};
    char line[64];
    assert_int_equal(atls_error_line(&err, line, sizeof line), 12);
    assert_string_equal(line, "OK: no error");
    assert_false(atls_fail(&err, ATLS_E_IO, "", "x"));
    assert_int_equal(atls_error_line(&err, line, sizeof line), 5);
    assert_string_equal(line, "IO: x");
    for (size_t size = 1; size < 8; size++) {
        size_t wanted = size < 6 ? size - 1 : 5;
        memset(line, 'z', sizeof line);
        assert_int_equal(atls_error_line(&err, line, size), wanted);
        assert_int_equal(strlen(line), wanted);
        assert_int_equal(line[size], 'z');
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(code_rows); i++) {
        tap_add(&tests, code_rows[i].name, test_code, &code_rows[i]);
    }
    tap_add(&tests, "codes: names are unique, kinds are the eighteen", test_kinds, NULL);
    tap_add(&tests, "codes: a number that is no code is INTERNAL", test_no_code, NULL);
    tap_add(&tests, "words of categories and platforms", test_words, NULL);
    tap_add(&tests, "the first failure wins", test_first_failure_wins, NULL);
    tap_add(&tests, "bytes are shown as hex and cut at 64", test_bytes_are_cut_at_64, NULL);
    tap_add(&tests, "control characters and non-ASCII become question marks", test_sanitised, NULL);
    tap_add(&tests, "texts are cut at their sizes", test_cut_at_their_sizes, NULL);
    tap_add(&tests, "unsupported makes the exit status 8", test_unsupported, NULL);
    for (size_t i = 0; i < COUNT(relabel_rows); i++) {
        tap_add(&tests, relabel_rows[i].name, test_relabel, &relabel_rows[i]);
    }
    tap_add(&tests, "relabel: a failure without a reason is INTERNAL", test_relabel_of_nothing, NULL);
    for (size_t i = 0; i < COUNT(line_rows); i++) {
        tap_add(&tests, line_rows[i].name, test_line, &line_rows[i]);
    }
    tap_add(&tests, "line: cut at every size", test_line_sizes, NULL);
    return tap_run("error", &tests);
}
