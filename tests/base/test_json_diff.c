/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_diff.c: our JSON reader and jansson read the same documents and must agree, on yes and no and on every
 * value. Where they may differ is listed in explain(), and each entry there has a document that proves that it is
 * needed. */
#include "check.h"

#include <jansson.h>

#include "base/json.h"
#include "random.h"

#define JANSSON_FLAGS (JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL)
#define ROOM          8192
#define N_DOCUMENTS   40000

/* ---- the two readers on one document ---- */

typedef enum verdict { BOTH_YES, BOTH_NO, LIMITS, BIG_NUMBER, NUL_IN_NAME, LOST_NUL, UNEXPLAINED, N_VERDICTS } verdict;

static bool has_nul_after_digit(atls_bytes text)
{
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] == 0 && text.ptr[i - 1] >= '0' && text.ptr[i - 1] <= '9') {
            return true;
        }
    }
    return false;
}

/* Why one says yes and the other no, or UNEXPLAINED.
 * LIMITS: we stop at 16 levels, jansson at 2048; it has no limit on members and values at all.
 * BIG_NUMBER: jansson converts numbers and refuses what does not fit into 64 bits or a double; we keep their text.
 * NUL_IN_NAME: jansson's names are C strings; ours have a length.
 * LOST_NUL: jansson loses a NUL byte that it has to put back, which is one that follows a number. */
static verdict explain(bool ours, const atls_error *err, bool theirs, enum json_error_code their_code, atls_bytes text)
{
    if (ours == theirs) {
        return ours ? BOTH_YES : BOTH_NO;
    }
    if (theirs) {
        return err->code == ATLS_E_LIMIT ? LIMITS : has_nul_after_digit(text) ? LOST_NUL : UNEXPLAINED;
    }
    if (their_code == json_error_numeric_overflow) {
        return BIG_NUMBER;
    }
    return their_code == json_error_null_byte_in_key ? NUL_IN_NAME : UNEXPLAINED;
}

static bool same_number(const atls_json *ours, const json_t *theirs)
{
    char text[ROOM];
    assert_true(ours->text.len < sizeof text);
    memcpy(text, ours->text.ptr, ours->text.len);
    text[ours->text.len] = '\0';
    bool real = strpbrk(text, ".eE") != NULL;
    if (real != (json_typeof(theirs) == JSON_REAL)) {
        return false;
    }
    return real ? strtod(text, NULL) == json_real_value(theirs) : strtoll(text, NULL, 10) == json_integer_value(theirs);
}

static bool same_value(const atls_json *ours, const json_t *theirs);

static bool same_children(const atls_json *ours, const json_t *theirs)
{
    bool object = ours->type == ATLS_JSON_OBJECT;
    size_t i = 0;
    for (const atls_json *child = ours->child; child != NULL; child = child->next, i++) {
        char name[ROOM];
        memcpy(name, child->name.ptr, child->name.len);
        name[child->name.len] = '\0';
        const json_t *other = object ? json_object_get(theirs, name) : json_array_get(theirs, i);
        if (other == NULL || !same_value(child, other)) {
            return false;
        }
    }
    return i == ours->n && i == (object ? json_object_size(theirs) : json_array_size(theirs));
}

static bool same_value(const atls_json *ours, const json_t *theirs)
{
    switch (ours->type) {
    case ATLS_JSON_NULL:
        return json_is_null(theirs);
    case ATLS_JSON_FALSE:
        return json_is_false(theirs);
    case ATLS_JSON_TRUE:
        return json_is_true(theirs);
    case ATLS_JSON_NUMBER:
        return json_is_number(theirs) && same_number(ours, theirs);
    case ATLS_JSON_STRING:
        return json_is_string(theirs)
               && atls_bytes_equal(ours->text, atls_bytes_of(json_string_value(theirs), json_string_length(theirs)));
    case ATLS_JSON_ARRAY:
        return json_is_array(theirs) && same_children(ours, theirs);
    default:
        return json_is_object(theirs) && same_children(ours, theirs);
    }
}

static verdict compare(const char *text, size_t len)
{
    char *exact = malloc(len == 0 ? 1 : len);
    assert_non_null(exact);
    memcpy(exact, text, len);
    atls_error err = {0};
    const atls_json *ours;
    json_error_t error = {0};
    bool ok = atls_json_parse(atls_bytes_of(exact, len), "f", check_arena(), &ours, &err);
    json_t *theirs = json_loadb(exact, len, JANSSON_FLAGS, &error);
    verdict v = explain(ok, &err, theirs != NULL, theirs == NULL ? json_error_code(&error) : json_error_unknown,
                        atls_bytes_of(exact, len));
    bool same = v != BOTH_YES || same_value(ours, theirs);
    json_decref(theirs);
    free(exact);
    if (v == UNEXPLAINED || !same) {
        fail_msg("ours %s \"%s\", jansson's \"%s\", values %s: %.*s", ok ? "yes" : "no", err.message, error.text,
                 same ? "same" : "different", (int)len, text);
    }
    return v;
}

/* ---- documents ---- */

typedef struct document {
    char text[ROOM];
    size_t len;
    randoms random;
} document;

static void put(document *d, const char *text)
{
    size_t len = strlen(text);
    if (len <= sizeof d->text - d->len) {
        memcpy(d->text + d->len, text, len);
        d->len += len;
    }
}

static void put_one(document *d, const char *const *texts, size_t n)
{
    put(d, texts[random_below(&d->random, n)]);
}

static void put_space(document *d)
{
    static const char *const spaces[] = {"", "", "", "", " ", "\n", "\t", "\r\n"};
    put_one(d, spaces, COUNT(spaces));
}

static void put_string(document *d)
{
    static const char *const pieces[] = {
        "a",    "bc",        "0123456789abcdef", "\xc3\xa9",       "\xe2\x82\xac", "\xf0\x9d\x84\x9e",
        "\\n",  "\\\"",      "\\u00e9",          "\\ud834\\udd1e", "\\/",          "\x7f",
        "\\\\", "tcbStatus", "\\u0041",
    };
    put(d, "\"");
    for (size_t n = random_below(&d->random, 5); n > 0; n--) {
        put_one(d, pieces, COUNT(pieces));
    }
    put(d, "\"");
}

static void put_scalar(document *d)
{
    static const char *const scalars[] = {
        "null",  "true",  "false", "0", "-0", "-1", "12", "1.5", "-0.25e-3", "1E5", "9223372036854775807",
        "1e308", "1e-400"};
    if (random_below(&d->random, 3) == 0) {
        put_string(d);
        return;
    }
    put_one(d, scalars, COUNT(scalars));
}

static void put_value(document *d, unsigned depth)
{
    put_space(d);
    if (depth == 0 || random_below(&d->random, 3) == 0) {
        put_scalar(d);
        put_space(d);
        return;
    }
    bool object = random_below(&d->random, 2) == 0;
    put(d, object ? "{" : "[");
    size_t n = random_below(&d->random, random_below(&d->random, 8) == 0 ? 14 : 5);
    for (size_t i = 0; i < n; i++) {
        put(d, i == 0 ? "" : ",");
        if (object) {
            put_space(d);
            put_string(d);
            put_space(d);
            put(d, ":");
        }
        put_value(d, depth - 1);
    }
    put_space(d);
    put(d, object ? "}" : "]");
    put_space(d);
}

static void make_valid(document *d)
{
    put_value(d, 1 + (unsigned)random_below(&d->random, 4));
}

static void make_damaged(document *d)
{
    make_valid(d);
    union {
        char *text;
        uint8_t *bytes;
    } as = {.text = d->text};
    for (size_t n = 1 + random_below(&d->random, 3); n > 0; n--) {
        d->len = random_damage(&d->random, as.bytes, d->len, sizeof d->text);
    }
}

/* tokens in any order: the boundaries of the grammar, and what lies just behind them */
static void make_tokens(document *d)
{
    static const char *const tokens[] = {
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\"a\"",
        "\\",
        "\\u",
        "0",
        "1",
        "-",
        "+",
        ".",
        "e",
        "E",
        "true",
        "false",
        "null",
        "nul",
        " ",
        "\n",
        "\f",
        "\xff",
        "\xc3",
        "\xa9",
        "\x01",
        "\xef\xbb\xbf",
        "\\ud834",
        "\\udd1e",
        "\\u0000",
        "00",
        "1e400",
        "-0",
        "1.5e+7",
        "/",
        "'",
        "NaN",
        "99999999999999999999",
        "{\"a\":",
        "[[",
        "]]",
        "\"\"",
        "{\"a\":1,",
        "\"a\":2}",
        "\\u006",
        "1}",
        "\xed\xa0\x80",
        "\xf4\x90\x80\x80",
    };
    for (size_t n = 1 + random_below(&d->random, 8); n > 0; n--) {
        put_one(d, tokens, COUNT(tokens));
    }
}

typedef struct kind {
    const char *name;
    void (*make)(document *d);
    unsigned least_yes; /* per cent that both accept and that both refuse: or the test would test nothing */
    unsigned least_no;
} kind;

static const kind kinds[] = {
    {"valid documents, some with a name twice", make_valid, 50, 1},
    {"the same, damaged", make_damaged, 10, 30},
    {"tokens in any order", make_tokens, 1, 80},
};

static void test_kind(void **state)
{
    const kind *k = *state;
    size_t counts[N_VERDICTS] = {0};
    document d = {.random = {0x2545f4914f6cdd1du}};
    for (size_t i = 0; i < N_DOCUMENTS; i++) {
        d.len = 0;
        k->make(&d);
        counts[compare(d.text, d.len)]++;
    }
    print_message("# both yes %zu, both no %zu, limits %zu, big numbers %zu, NUL in a name %zu, lost %zu\n",
                  counts[BOTH_YES], counts[BOTH_NO], counts[LIMITS], counts[BIG_NUMBER], counts[NUL_IN_NAME],
                  counts[LOST_NUL]);
    assert_true(counts[BOTH_YES] * 100 >= N_DOCUMENTS * k->least_yes);
    assert_true(counts[BOTH_NO] * 100 >= N_DOCUMENTS * k->least_no);
}

/* ---- each explanation is needed ---- */

typedef struct known_row {
    const char *name;
    const char *text;
    verdict verdict;
    size_t len; /* 0: that of the text */
} known_row;

static const known_row known_rows[] = {
    {"limits: 17 levels", "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", LIMITS, 0},
    {"big number: beyond 64 bits", "9223372036854775808", BIG_NUMBER, 0},
    {"big number: below 64 bits", "-9223372036854775809", BIG_NUMBER, 0},
    {"big number: beyond a double", "1e400", BIG_NUMBER, 0},
    {"NUL in a name", "{\"\\u0000\":1}", NUL_IN_NAME, 0},
    {"NUL after a number", "[-0\0]", LOST_NUL, 5},
    {"no difference: NUL after a string", "[\"\"\0]", BOTH_NO, 5},
    {"no difference: NUL in a string", "\"\\u0000\"", BOTH_YES, 0},
    {"no difference: a number too small for a double", "1e-400", BOTH_YES, 0},
    {"no difference: the least of 64 bits", "-9223372036854775808", BOTH_YES, 0},
    {"no difference: 16 levels", "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", BOTH_YES, 0},
    {"no difference: a name twice, once in escapes", "{\"a\":1,\"\\u0061\":2}", BOTH_NO, 0},
    {"no difference: a lone surrogate", "\"\\ud834\"", BOTH_NO, 0},
    {"no difference: a byte order mark", "\xef\xbb\xbf{}", BOTH_NO, 0},
    {"no difference: something after the end", "{}{}", BOTH_NO, 0},
};

static void test_known(void **state)
{
    const known_row *row = *state;
    assert_int_equal(compare(row->text, row->len == 0 ? strlen(row->text) : row->len), row->verdict);
}

int main(void)
{
    tap_list tests = {0};
    json_object_seed(1); /* jansson's own hash: fixed here, so that runs repeat */
    for (size_t i = 0; i < COUNT(known_rows); i++) {
        tap_add(&tests, known_rows[i].name, test_known, &known_rows[i]);
    }
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tap_add(&tests, kinds[i].name, test_kind, &kinds[i]);
    }
    return tap_run("json_diff", &tests);
}
