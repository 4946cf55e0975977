/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_response.c: what the server answers, as written and as a phone reads it (section 5). */
#include "base/check.h"

#include "atls/enrol.h"

typedef struct read_row {
    const char *name;
    const char *json;
    const char *field; /* NULL: it is read */
} read_row;

#define SUCCESS(chain)  "{\"type\":\"Success\",\"certificateChain\":" chain "}"
#define FAILURE(kind)   "{\"type\":\"Failure\",\"kind\":" kind ",\"explanation\":null}"
#define EXPLAINED(text) "{\"type\":\"Failure\",\"kind\":\"TRUST\",\"explanation\":" text "}"
#define FOUR            "\"MAA\",\"MAA\",\"MAA\",\"MAA\""

static const read_row read_rows[] = {
    {"success", SUCCESS("[\"MAA\",\"MAEA\"]"), NULL},
    {"success: padding", SUCCESS("[\"MAA=\"]"), NULL},
    {"success: sixteen", SUCCESS("[" FOUR "," FOUR "," FOUR "," FOUR "]"), NULL},
    {"success: another order, and more", "{\"certificateChain\":[\"MAA\"],\"kind\":7,\"type\":\"Success\"}", NULL},
    {"failure: TRUST", FAILURE("\"TRUST\""), NULL},
    {"failure: TIME", FAILURE("\"TIME\""), NULL},
    {"failure: CONTENT", FAILURE("\"CONTENT\""), NULL},
    {"failure: INTERNAL", FAILURE("\"INTERNAL\""), NULL},
    {"failure: explained", EXPLAINED("\"android.challenge\""), NULL},
    {"failure: explained with nothing", EXPLAINED("\"\""), NULL},

    {"nothing", "", "response"},
    {"no object", "\"Success\"", "response"},
    {"trailing", SUCCESS("[\"MAA\"]") "{}", "response"},
    {"a member twice", "{\"type\":\"Success\",\"type\":\"Success\",\"certificateChain\":[\"MAA\"]}", "response"},
    {"no type", "{\"certificateChain\":[\"MAA\"]}", "response.type"},
    {"another type", "{\"type\":\"success\",\"certificateChain\":[\"MAA\"]}", "response.type"},
    {"success: no chain", "{\"type\":\"Success\"}", "response.certificateChain"},
    {"success: a chain of none", SUCCESS("[]"), "response.certificateChain"},
    {"success: no array", SUCCESS("\"MAA\""), "response.certificateChain"},
    {"success: seventeen", SUCCESS("[" FOUR "," FOUR "," FOUR "," FOUR ",\"MAA\"]"), "response.certificateChain"},
    {"success: an empty one", SUCCESS("[\"MAA\",\"\"]"), "response.certificateChain[1]"},
    {"success: a number", SUCCESS("[1]"), "response.certificateChain[0]"},
    {"success: a number that could be base64url", SUCCESS("[1000]"), "response.certificateChain[0]"},
    {"success: base64", SUCCESS("[\"MAH/\"]"), "response.certificateChain[0]"},
    {"failure: no kind", "{\"type\":\"Failure\",\"explanation\":null}", "response.kind"},
    {"failure: another kind", FAILURE("\"NONE\""), "response.kind"},
    {"failure: lower case", FAILURE("\"trust\""), "response.kind"},
    {"failure: kind null", FAILURE("null"), "response.kind"},
    {"failure: no explanation", "{\"type\":\"Failure\",\"kind\":\"TRUST\"}", "response.explanation"},
    {"failure: explained by a number", EXPLAINED("1"), "response.explanation"},
};

static void check_empty(const atls_enrol_response *r)
{
    assert_true(!r->is_success && r->n_chain == 0 && r->chain[0].len == 0 && r->kind == ATLS_CATEGORY_NONE);
    assert_true(!r->has_explanation && r->explanation.len == 0);
}

static void test_read(void **state)
{
    const read_row *row = *state;
    atls_error err = {0};
    atls_enrol_response out;
    bool ok = atls_enrol_response_read(atls_bytes_str(row->json), check_arena(), &out, &err);
    check_error(&err, row->field == NULL ? ATLS_OK : ATLS_E_ENROL_RESPONSE, row->field == NULL ? "" : row->field);
    assert_int_equal(ok, row->field == NULL);
    if (!ok) {
        check_empty(&out);
    }
}

static void test_length(void **state)
{
    (void)state;
    static char text[ATLS_ENROL_MAX_MESSAGE_LEN + 1];
    atls_error err = {0};
    atls_enrol_response out;
    memset(text, ' ', sizeof text);
    memcpy(text, FAILURE("\"TIME\""), strlen(FAILURE("\"TIME\"")));
    assert_true(atls_enrol_response_read(atls_bytes_of(text, sizeof text - 1), check_arena(), &out, &err));
    assert_false(atls_enrol_response_read(atls_bytes_of(text, sizeof text), check_arena(), &out, &err));
    check_error(&err, ATLS_E_ENROL_RESPONSE, "response");
    check_empty(&out);
}

/* ---- there and back ---- */

static void test_success(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_arena *a = check_arena();
    atls_bytes json;
    atls_enrol_response back;
    const atls_enrol_response in = {
        .is_success = true, .chain = {atls_bytes_of("\x30\x00", 2), atls_bytes_of("\xfb\xff\xfe", 3)}, .n_chain = 2};
    assert_true(atls_enrol_response_write(&in, a, &json, &err));
    assert_true(atls_bytes_equal_str(json, "{\"type\":\"Success\",\"certificateChain\":[\"MAA\",\"-__-\"]}"));
    assert_true(atls_enrol_response_read(json, a, &back, &err));
    assert_true(back.is_success && back.n_chain == 2 && back.kind == ATLS_CATEGORY_NONE && !back.has_explanation);
    assert_true(atls_bytes_equal(back.chain[0], in.chain[0]) && atls_bytes_equal(back.chain[1], in.chain[1]));
}

typedef struct failure_row {
    const char *name;
    atls_category kind;
    const char *explanation; /* NULL: null */
    const char *json;
} failure_row;

static const failure_row failure_rows[] = {
    {"written: TRUST", ATLS_CATEGORY_TRUST, NULL, "{\"type\":\"Failure\",\"kind\":\"TRUST\",\"explanation\":null}"},
    {"written: TIME", ATLS_CATEGORY_TIME, "", "{\"type\":\"Failure\",\"kind\":\"TIME\",\"explanation\":\"\"}"},
    {"written: CONTENT", ATLS_CATEGORY_CONTENT, "a \"b\"\n",
     "{\"type\":\"Failure\",\"kind\":\"CONTENT\",\"explanation\":\"a \\\"b\\\"\\u000a\"}"},
    {"written: INTERNAL", ATLS_CATEGORY_INTERNAL, "\xc3\xa4",
     "{\"type\":\"Failure\",\"kind\":\"INTERNAL\",\"explanation\":\"\xc3\xa4\"}"},
};

static void test_failure(void **state)
{
    const failure_row *row = *state;
    atls_error err = {0};
    atls_arena *a = check_arena();
    atls_bytes json;
    atls_enrol_response back;
    const atls_enrol_response in = {.kind = row->kind,
                                    .has_explanation = row->explanation != NULL,
                                    .explanation = atls_bytes_str(row->explanation)};
    assert_true(atls_enrol_response_write(&in, a, &json, &err));
    assert_true(atls_bytes_equal_str(json, row->json));
    assert_true(atls_enrol_response_read(json, a, &back, &err));
    assert_true(!back.is_success && back.kind == row->kind && back.has_explanation == in.has_explanation);
    assert_true(atls_bytes_equal(back.explanation, in.explanation) && back.n_chain == 0);
}

/* 1 KiB of explanation in both directions, and one byte more in none. */
static void test_explanation(void **state)
{
    (void)state;
    static char text[ATLS_ENROL_MAX_EXPLANATION_LEN + 1];
    static char json[2048];
    memset(text, 'x', sizeof text);
    for (size_t more = 0; more < 2; more++) {
        atls_error err = {0};
        atls_bytes out;
        atls_enrol_response back;
        const size_t len = ATLS_ENROL_MAX_EXPLANATION_LEN + more;
        const atls_enrol_response in = {
            .kind = ATLS_CATEGORY_TIME, .has_explanation = true, .explanation = atls_bytes_of(text, len)};
        assert_int_equal(atls_enrol_response_write(&in, check_arena(), &out, &err), more == 0);
        check_error(&err, more == 0 ? ATLS_OK : ATLS_E_USAGE, more == 0 ? "" : "response.explanation");
        err = (atls_error){0};
        snprintf(json, sizeof json, EXPLAINED("\"%.*s\""), (int)len, text);
        assert_int_equal(atls_enrol_response_read(atls_bytes_str(json), check_arena(), &back, &err), more == 0);
        check_error(&err, more == 0 ? ATLS_OK : ATLS_E_ENROL_RESPONSE, more == 0 ? "" : "response.explanation");
    }
}

static void test_not_written(void **state)
{
    (void)state;
    static uint8_t large[ATLS_ENROL_MAX_MESSAGE_LEN];
    const atls_bytes one = atls_bytes_of("\x30\x00", 2);
    const atls_enrol_response rows[] = {
        {.is_success = true, .chain = {one}, .n_chain = 0},
        {.is_success = true, .chain = {one}, .n_chain = ATLS_ENROL_MAX_CERTIFICATES + 1},
        {.is_success = true, .chain = {one, atls_bytes_empty()}, .n_chain = 2},
        {.is_success = true, .chain = {atls_bytes_of(large, sizeof large / 4 * 3)}, .n_chain = 1},
        {.kind = ATLS_CATEGORY_NONE},
        {.kind = (atls_category)17},
        {.kind = ATLS_CATEGORY_TIME, .has_explanation = true, .explanation = atls_bytes_of("\xff", 1)},
    };
    const char *const fields[] = {"response.certificateChain",
                                  "response.certificateChain",
                                  "response.certificateChain",
                                  "response",
                                  "response.kind",
                                  "response.kind",
                                  "response.explanation"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        atls_error err = {0};
        atls_bytes json;
        assert_false(atls_enrol_response_write(&rows[i], check_arena(), &json, &err));
        check_error(&err, ATLS_E_USAGE, fields[i]);
        assert_int_equal(json.len, 0);
    }
}

static void test_memory(void **state)
{
    (void)state;
    static uint8_t block[4096];
    const atls_enrol_response in = {.is_success = true, .chain = {atls_bytes_of(block, 200)}, .n_chain = 1};
    size_t n_failed = 0;
    for (size_t size = 0; size < sizeof block; size += 32) {
        atls_arena a;
        atls_error err = {0};
        atls_bytes json;
        atls_enrol_response out;
        atls_arena_init(&a, block, size);
        if (!atls_enrol_response_write(&in, &a, &json, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            n_failed++;
        }
        err = (atls_error){0};
        atls_arena_reset(&a);
        if (!atls_enrol_response_read(atls_bytes_str(SUCCESS("[\"MAA\"]")), &a, &out, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            check_empty(&out);
            n_failed++;
        }
    }
    assert_true(n_failed > 4 && n_failed < 200);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(read_rows); i++) {
        tap_add(&tests, read_rows[i].name, test_read, &read_rows[i]);
    }
    for (size_t i = 0; i < COUNT(failure_rows); i++) {
        tap_add(&tests, failure_rows[i].name, test_failure, &failure_rows[i]);
    }
    tap_add(&tests, "written: success", test_success, NULL);
    tap_add(&tests, "64 KiB, and one more", test_length, NULL);
    tap_add(&tests, "1 KiB of explanation, and one more", test_explanation, NULL);
    tap_add(&tests, "what is not written", test_not_written, NULL);
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    return tap_run("enrol_response", &tests);
}
