/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_statement.c: statements of both kinds, as recorded and as written here (section 4). */
#include "base/check.h"
#include "evidence/vectors.h"

#include "atls/enrol.h"

/* the shortest SEQUENCEs there are: 30 00, 30 01 00 */
#define ONE   "\"MAA\""
#define TWO   "\"MAEA\""
#define APPLE "\"attestation\":\"oWE\",\"clientDataJSON\":\"e30\""

typedef struct read_row {
    const char *name;
    const char *json;
    atls_code code;
    const char *field;
} read_row;

#define ANDROID(x5c) "{\"typ\":\"android-key\",\"x5c\":" x5c "}"
#define FOUR         ONE "," TWO "," ONE "," TWO

static const read_row read_rows[] = {
    {"android", ANDROID("[" ONE "," TWO "]"), ATLS_OK, ""},
    {"android: another order", "{\"x5c\":[" ONE "],\"typ\":\"android-key\"}", ATLS_OK, ""},
    {"android: padding", ANDROID("[\"MAA=\"]"), ATLS_OK, ""},
    {"android: no certificate is for the room to say", ANDROID("[]"), ATLS_OK, ""},
    {"android: sixteen", ANDROID("[" FOUR "," FOUR "," FOUR "," FOUR "]"), ATLS_OK, ""},
    {"android: what is not known", "{\"typ\":\"android-key\",\"x5c\":[" ONE "],\"attestation\":1,\"z\":{}}", ATLS_OK,
     ""},
    {"apple", "{\"typ\":\"ios-appattest\"," APPLE "}", ATLS_OK, ""},
    {"apple: what is not known", "{\"typ\":\"ios-appattest\"," APPLE ",\"x5c\":7}", ATLS_OK, ""},

    {"nothing", "", ATLS_E_ENROL_STATEMENT, "statement"},
    {"no object", "[]", ATLS_E_ENROL_STATEMENT, "statement"},
    {"cut", "{\"typ\":\"android-key\",\"x5c\":[", ATLS_E_ENROL_STATEMENT, "statement"},
    {"trailing", ANDROID("[" ONE "]") ",", ATLS_E_ENROL_STATEMENT, "statement"},
    {"a member twice", "{\"typ\":\"android-key\",\"x5c\":[],\"x5c\":[]}", ATLS_E_ENROL_STATEMENT, "statement"},
    {"an unknown member twice", "{\"typ\":\"android-key\",\"x5c\":[],\"a\":[],\"a\":[]}", ATLS_E_ENROL_STATEMENT,
     "statement"},
    {"no typ", "{\"x5c\":[]}", ATLS_E_ENROL_STATEMENT, "statement.typ"},
    {"typ null", "{\"typ\":null,\"x5c\":[]}", ATLS_E_ENROL_STATEMENT, "statement.typ"},
    {"another typ", "{\"typ\":\"self\",\"x5c\":[]}", ATLS_E_UNSUPPORTED, "statement.typ"},
    {"a typ in upper case", "{\"typ\":\"ANDROID-KEY\",\"x5c\":[]}", ATLS_E_UNSUPPORTED, "statement.typ"},
    {"an empty typ", "{\"typ\":\"\"}", ATLS_E_UNSUPPORTED, "statement.typ"},
    {"a typ and more", "{\"typ\":\"android-key\\u0000\",\"x5c\":[]}", ATLS_E_UNSUPPORTED, "statement.typ"},
    {"android: no x5c", "{\"typ\":\"android-key\"}", ATLS_E_ENROL_STATEMENT, "statement.x5c"},
    {"android: x5c null", ANDROID("null"), ATLS_E_ENROL_STATEMENT, "statement.x5c"},
    {"android: x5c a string", ANDROID(ONE), ATLS_E_ENROL_STATEMENT, "statement.x5c"},
    {"android: seventeen", ANDROID("[" FOUR "," FOUR "," FOUR "," FOUR "," ONE "]"), ATLS_E_ENROL_STATEMENT,
     "statement.x5c"},
    {"android: a number", ANDROID("[" ONE ",1]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[1]"},
    {"android: an empty one", ANDROID("[" ONE "," TWO ",\"\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[2]"},
    {"android: base64", ANDROID("[\"MAH/\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[0]"},
    {"android: half its padding", ANDROID("[\"MAA==\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[0]"},
    {"android: half a certificate", ANDROID("[\"MAE\",\"AA\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[0]"},
    {"android: two in one", ANDROID("[\"MAAwAA\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[0]"},
    {"android: another type", ANDROID("[" ONE ",\"BAA\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[1]"},
    {"android: an indefinite length", ANDROID("[\"MIAAAA\"]"), ATLS_E_ENROL_STATEMENT, "statement.x5c[0]"},
    {"apple: no attestation", "{\"typ\":\"ios-appattest\",\"clientDataJSON\":\"e30\"}", ATLS_E_ENROL_STATEMENT,
     "statement.attestation"},
    {"apple: an empty attestation", "{\"typ\":\"ios-appattest\",\"attestation\":\"\",\"clientDataJSON\":\"e30\"}",
     ATLS_E_ENROL_STATEMENT, "statement.attestation"},
    {"apple: no client data", "{\"typ\":\"ios-appattest\",\"attestation\":\"oWE\"}", ATLS_E_ENROL_STATEMENT,
     "statement.clientDataJSON"},
    {"apple: client data that are an object",
     "{\"typ\":\"ios-appattest\",\"attestation\":\"oWE\",\"clientDataJSON\":{}}", ATLS_E_ENROL_STATEMENT,
     "statement.clientDataJSON"},
    {"apple: base64", "{\"typ\":\"ios-appattest\",\"attestation\":\"++++\",\"clientDataJSON\":\"e30\"}",
     ATLS_E_ENROL_STATEMENT, "statement.attestation"},
};

static void check_empty(const atls_enrol_statement *s)
{
    assert_true(s->kind == 0 && s->n_x5c == 0 && s->chain.len == 0);
    assert_true(s->attestation.len == 0 && s->client_data.len == 0 && s->x5c[0].len == 0);
}

static void test_read(void **state)
{
    const read_row *row = *state;
    atls_error err = {0};
    atls_enrol_statement out;
    bool ok = atls_enrol_statement_read(atls_bytes_str(row->json), check_arena(), &out, &err);
    check_error(&err, row->code, row->field);
    assert_int_equal(ok, row->code == ATLS_OK);
    if (!ok) {
        assert_int_equal(err.category, ATLS_CATEGORY_CONTENT);
        check_empty(&out);
    }
}

static void test_values(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_enrol_statement s;
    assert_true(atls_enrol_statement_read(atls_bytes_str(ANDROID("[" ONE "," TWO "]")), check_arena(), &s, &err));
    assert_true(s.kind == ATLS_ENROL_ANDROID_KEY && s.n_x5c == 2);
    assert_true(atls_bytes_equal(s.x5c[0], atls_bytes_of("\x30\x00", 2)));
    assert_true(atls_bytes_equal(s.x5c[1], atls_bytes_of("\x30\x01\x00", 3)));
    assert_true(atls_bytes_equal(s.chain, atls_bytes_of("\x30\x00\x30\x01\x00", 5)));
    assert_true(s.attestation.len == 0 && s.client_data.len == 0);
    const char *apple = "{\"typ\":\"ios-appattest\"," APPLE "}";
    assert_true(atls_enrol_statement_read(atls_bytes_str(apple), check_arena(), &s, &err));
    assert_true(s.kind == ATLS_ENROL_IOS_APPATTEST && s.n_x5c == 0 && s.chain.len == 0);
    assert_true(atls_bytes_equal_str(s.attestation, "\xa1\x61") && atls_bytes_equal_str(s.client_data, "{}"));
    assert_true(atls_enrol_statement_read(atls_bytes_str(ANDROID("[]")), check_arena(), &s, &err));
    assert_true(s.kind == ATLS_ENROL_ANDROID_KEY && s.n_x5c == 0 && s.chain.len == 0);
}

/* 192 KiB are read, one byte more is not, whatever stands in it. */
static void test_length(void **state)
{
    (void)state;
    static char text[ATLS_ENROL_MAX_STATEMENT_LEN + 1];
    atls_error err = {0};
    atls_enrol_statement out;
    memset(text, ' ', sizeof text);
    memcpy(text, ANDROID("[" ONE "]"), strlen(ANDROID("[" ONE "]")));
    assert_true(atls_enrol_statement_read(atls_bytes_of(text, sizeof text - 1), check_arena(), &out, &err));
    assert_false(atls_enrol_statement_read(atls_bytes_of(text, sizeof text), check_arena(), &out, &err));
    check_error(&err, ATLS_E_ENROL_STATEMENT, "statement");
    check_empty(&out);
}

/* Texts that were written to cost much: as many values as there is room for. The arena of a server has room for what the header
 * says; a phone could otherwise make its fault look like ours. */
static void test_room(void **state)
{
    static char text[ATLS_ENROL_MAX_STATEMENT_LEN];
    static uint8_t block[10 * 1024 * 1024];
    const char *item = *state;
    const size_t item_len = strlen(item);
    atls_error err = {0};
    atls_arena a;
    atls_enrol_statement out;
    size_t len = (size_t)snprintf(text, sizeof text, "{\"typ\":\"android-key\",\"x5c\":[],\"z\":[0");
    while (len + 1 + item_len + 2 <= sizeof text) {
        len += (size_t)snprintf(text + len, sizeof text - len, ",%s", item);
    }
    text[len++] = ']';
    text[len++] = '}';
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_enrol_statement_read(atls_bytes_of(text, len), &a, &out, &err));
}

/* ---- writing ---- */

static void test_write(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_arena *a = check_arena();
    atls_bytes json;
    atls_enrol_statement s;
    const char *const texts[] = {ANDROID("[" ONE "," TWO "]"), ANDROID("[]"), "{\"typ\":\"ios-appattest\"," APPLE "}"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        assert_true(atls_enrol_statement_read(atls_bytes_str(texts[i]), a, &s, &err));
        assert_true(atls_enrol_statement_write(&s, a, &json, &err));
        assert_true(atls_bytes_equal_str(json, texts[i]));
    }
}

static atls_enrol_statement android(void)
{
    return (atls_enrol_statement){
        .kind = ATLS_ENROL_ANDROID_KEY, .x5c = {{(const uint8_t *)"\x30\x00", 2}}, .n_x5c = 1};
}

static void test_not_written(void **state)
{
    (void)state;
    static uint8_t large[ATLS_ENROL_MAX_STATEMENT_LEN];
    const atls_bytes one = atls_bytes_of("\x30", 1);
    atls_enrol_statement rows[6] = {android(), android(), android()};
    const char *const fields[] = {"statement.typ", "statement.x5c", "statement.x5c[0]",
                                  "statement",     "statement",     "statement"};
    rows[0].kind = 0;
    rows[1].n_x5c = ATLS_ENROL_MAX_CERTIFICATES + 1;
    rows[2].x5c[0] = one;
    rows[3] =
        (atls_enrol_statement){.kind = ATLS_ENROL_IOS_APPATTEST, .attestation = one, .client_data = atls_bytes_empty()};
    rows[4] =
        (atls_enrol_statement){.kind = ATLS_ENROL_IOS_APPATTEST, .attestation = atls_bytes_empty(), .client_data = one};
    rows[5] = (atls_enrol_statement){.kind = ATLS_ENROL_IOS_APPATTEST,
                                     .attestation = atls_bytes_of(large, sizeof large / 4 * 3),
                                     .client_data = one};
    for (size_t i = 0; i < COUNT(rows); i++) {
        atls_error err = {0};
        atls_bytes json;
        assert_false(atls_enrol_statement_write(&rows[i], check_arena(), &json, &err));
        check_error(&err, ATLS_E_USAGE, fields[i]);
        assert_int_equal(json.len, 0);
    }
}

static void test_memory(void **state)
{
    (void)state;
    static uint8_t block[4096];
    const atls_enrol_statement in = android();
    size_t n_failed = 0;
    for (size_t size = 0; size < sizeof block; size += 32) {
        atls_arena a;
        atls_error err = {0};
        atls_bytes json;
        atls_enrol_statement out;
        atls_arena_init(&a, block, size);
        if (!atls_enrol_statement_write(&in, &a, &json, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            n_failed++;
        }
        err = (atls_error){0};
        atls_arena_reset(&a);
        if (!atls_enrol_statement_read(atls_bytes_str(ANDROID("[" ONE "]")), &a, &out, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            check_empty(&out);
            n_failed++;
        }
    }
    assert_true(n_failed > 4 && n_failed < 200);
}

/* ---- recorded ones ---- */

static void recorded_is_read(const char *path, atls_enrol_statement_kind kind)
{
    static atls_enrol_statement s;
    static atls_enrol_statement again;
    atls_error err = {0};
    atls_arena *a = check_arena();
    atls_bytes json;
    if (!vectors_read(path, a, &json)) {
        skip();
    }
    assert_true(atls_enrol_statement_read(json, a, &s, &err));
    assert_int_equal(s.kind, kind);
    assert_true(atls_enrol_statement_write(&s, a, &json, &err));
    assert_true(atls_enrol_statement_read(json, a, &again, &err));
    assert_true(again.kind == kind && again.n_x5c == s.n_x5c && atls_bytes_equal(again.chain, s.chain));
    assert_true(atls_bytes_equal(again.attestation, s.attestation));
    assert_true(atls_bytes_equal(again.client_data, s.client_data));
    if (kind == ATLS_ENROL_ANDROID_KEY) {
        assert_true(s.n_x5c >= 3 && s.x5c[0].ptr[0] == 0x30 && s.chain.len > s.x5c[0].len);
        return;
    }
    assert_true(s.attestation.len > 1000 && s.client_data.ptr[0] == '{');
}

static void test_recorded_android(void **state)
{
    (void)state;
    recorded_is_read("android/attestation/android-key.json", ATLS_ENROL_ANDROID_KEY);
}

static void test_recorded_apple(void **state)
{
    (void)state;
    recorded_is_read("apple/attestation/ios-appattest.json", ATLS_ENROL_IOS_APPATTEST);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(read_rows); i++) {
        tap_add(&tests, read_rows[i].name, test_read, &read_rows[i]);
    }
    tap_add(&tests, "what was read", test_values, NULL);
    tap_add(&tests, "192 KiB, and one more", test_length, NULL);
    static const char *const items[] = {
        "0",    "[]",      "{\"\":0}",
        "[[]]", "\"\\n\"", "{\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,\"f\":0,\"g\":0,\"h\":0,\"i\":0}"};
    for (size_t i = 0; i < COUNT(items); i++) {
        tap_add(&tests, "the room that is enough", test_room, items[i]);
    }
    tap_add(&tests, "there and back", test_write, NULL);
    tap_add(&tests, "what is not written", test_not_written, NULL);
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    tap_add(&tests, "recorded: android-key.json", test_recorded_android, NULL);
    tap_add(&tests, "recorded: ios-appattest.json", test_recorded_apple, NULL);
    return tap_run("enrol_statement", &tests);
}
