/* SPDX-License-Identifier: Apache-2.0 */
/* test_dstack_response.c: the answer of /tdx_quote and of GetQuote, and the value that binds a quote to a session. */
#include "base/json.h"
#include "base/limits.h"
#include "dstack_fixture.h"

typedef struct row {
    const char *name;
    const char *json;
    atls_code code;
    const char *field; /* of the error; OK: the event log that is handed out */
    const char *actual;
} row;

/* clang-format off */
static const row rows[] = {
    {"log-as-string", "{\"quote\":{\"quote\":\"04aF\",\"event_log\":\"[{}]\"}}", ATLS_OK, "[{}]", NULL},
    {"log-as-array", "{\"quote\":{\"quote\":\"04af\",\"event_log\":[ {} ]}}", ATLS_OK, "[ {} ]", NULL},
    {"an escaped log is decoded", "{\"quote\":{\"quote\":\"04af\",\"event_log\":\" [{\\\"imr\\\":0}]\"}}", ATLS_OK, " [{\"imr\":0}]", NULL},
    {"GetQuote's own form", "{\"quote\":\"04af\",\"event_log\":\"[]\",\"report_data\":\"00\",\"vm_config\":\"{}\"}", ATLS_OK, "[]", NULL},
    {"section 8: extra members are ignored", "{\"success\":false,\"x\":1,\"quote\":{\"quote\":\"04af\",\"collateral\":{},\"event_log\":\"[]\",\"attestation\":\"\"}}", ATLS_OK, "[]", NULL},
    {"no log", "{\"quote\":{\"quote\":\"04af\"}}", ATLS_OK, "", NULL},
    {"a log that is null is no log", "{\"quote\":{\"quote\":\"04af\",\"event_log\":null,\"vm_config\":null}}", ATLS_OK, "", NULL},
    {"a log that is an empty string is no log", "{\"quote\":\"04af\",\"event_log\":\"\"}", ATLS_OK, "", NULL},
    {"the outer log does not count when the quote is nested", "{\"quote\":{\"quote\":\"04af\"},\"event_log\":\"[]\"}", ATLS_OK, "", NULL},

    {"not JSON", "<html>", ATLS_E_QUOTE, "response", NULL},
    {"nothing", "", ATLS_E_QUOTE, "response", NULL},
    {"cut", "{\"quote\":{\"quote\":\"04af\"}", ATLS_E_QUOTE, "response", NULL},
    {"http-extra-bytes reach the reader", "{\"quote\":{\"quote\":\"04af\"}}x", ATLS_E_QUOTE, "response", NULL},
    {"an array", "[]", ATLS_E_QUOTE, "response", "array"},
    {"R10: a duplicate quote", "{\"quote\":\"04af\",\"quote\":\"05af\"}", ATLS_E_QUOTE, "response", NULL},
    {"R10: depth 17", "{\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]],\"quote\":\"04af\"}", ATLS_E_QUOTE, "response", NULL},
    {"no quote", "{\"error\":\"busy\"}", ATLS_E_QUOTE, "quote", "missing"},
    {"a quote that is null", "{\"quote\":null}", ATLS_E_QUOTE, "quote", "null"},
    {"a quote that is a number", "{\"quote\":4}", ATLS_E_QUOTE, "quote", "number"},
    {"an empty quote", "{\"quote\":\"\"}", ATLS_E_QUOTE, "quote", NULL},
    {"a nested quote that is missing", "{\"quote\":{}}", ATLS_E_QUOTE, "quote.quote", "missing"},
    {"a quote nested twice", "{\"quote\":{\"quote\":{\"quote\":\"04af\"}}}", ATLS_E_QUOTE, "quote.quote", "object"},
    {"a quote that is no hex", "{\"quote\":{\"quote\":\"0x04af\"}}", ATLS_E_OTHER, "quote.quote", NULL},
    {"a quote of base64", "{\"quote\":\"BAAC+w==\"}", ATLS_E_OTHER, "quote", NULL},
    {"R10: a quote with half a byte", "{\"quote\":\"04afa\"}", ATLS_E_OTHER, "quote", NULL},
    {"a log that is an object", "{\"quote\":\"04af\",\"event_log\":{}}", ATLS_E_EVENT_LOG_PARSE, "event_log", "object"},
    {"a log that is a number", "{\"quote\":{\"quote\":\"04af\",\"event_log\":1}}", ATLS_E_EVENT_LOG_PARSE, "quote.event_log", "number"},
    {"a log string that holds no array", "{\"quote\":\"04af\",\"event_log\":\"{}\"}", ATLS_E_EVENT_LOG_PARSE, "event_log", NULL},
    {"a log string never reaches the binary reader", "{\"quote\":\"04af\",\"event_log\":\"\\u0001\\u0000\\u0000\\u0000\\u0003\"}", ATLS_E_EVENT_LOG_PARSE, "event_log", NULL},
    {"a vm_config that is no text", "{\"quote\":\"04af\",\"vm_config\":{}}", ATLS_E_QUOTE, "vm_config", "object"},
};
/* clang-format on */

static void run_row(void **state)
{
    const row *r = *state;
    fix_bench b;
    atls_dstack_response out;
    fix_bench_open(&b);
    bool ok = atls_dstack_response_decode(atls_bytes_str(r->json), &b.arena, &out, &b.err);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (ok) {
        assert_int_equal(out.quote.len, 2);
        assert_memory_equal(out.quote.ptr, "\x04\xaf", 2);
        assert_true(atls_bytes_equal_str(out.event_log, r->field));
    } else {
        fix_expect(&b.err, r->code, r->field, NULL, r->actual);
        assert_int_equal(out.quote.len + out.event_log.len + out.vm_config.len, 0);
    }
    fix_bench_close(&b);
}

/* ---- limits ---- */

static void quote_limit(void **state)
{
    (void)state;
    fix_bench b;
    atls_dstack_response out;
    size_t digits = 2 * (size_t)ATLS_MAX_QUOTE_LEN;
    size_t head = strlen("{\"quote\":\"");
    char *text = malloc(digits + 32);
    assert_non_null(text);
    memcpy(text, "{\"quote\":\"", head);
    memset(text + head, '0', digits + 2);
    fix_bench_open(&b);
    memcpy(text + head + digits, "\"}", 2);
    assert_true(atls_dstack_response_decode(atls_bytes_of(text, head + digits + 2), &b.arena, &out, &b.err));
    assert_int_equal(out.quote.len, ATLS_MAX_QUOTE_LEN);
    memcpy(text + head + digits, "00\"}", 4);
    assert_false(atls_dstack_response_decode(atls_bytes_of(text, head + digits + 4), &b.arena, &out, &b.err));
    fix_expect(&b.err, ATLS_E_LIMIT, "quote", NULL, NULL);
    free(text);
    fix_bench_close(&b);
}

static void body_limit(void **state)
{
    (void)state;
    static const char json[] = "{\"quote\":\"04af\"}";
    fix_bench b;
    atls_dstack_response out;
    size_t len = ATLS_MAX_HTTP_BODY_LEN + 1;
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, ' ', len);
    memcpy(text, json, strlen(json));
    fix_bench_open(&b);
    assert_true(atls_dstack_response_decode(atls_bytes_of(text, len - 1), &b.arena, &out, &b.err));
    assert_false(atls_dstack_response_decode(atls_bytes_of(text, len), &b.arena, &out, &b.err));
    fix_expect(&b.err, ATLS_E_LIMIT, "response", NULL, NULL);
    free(text);
    fix_bench_close(&b);
}

static void every_prefix(void **state)
{
    (void)state;
    fix_bench b;
    fix_bench_open(&b);
    for (size_t i = 0; rows[i].code == ATLS_OK; i++) {
        for (size_t n = 0; n < strlen(rows[i].json); n++) {
            atls_dstack_response out;
            fix_bench_clear(&b);
            assert_false(atls_dstack_response_decode(atls_bytes_of(rows[i].json, n), &b.arena, &out, &b.err));
            fix_expect(&b.err, ATLS_E_QUOTE, "response", NULL, NULL);
        }
    }
    fix_bench_close(&b);
}

/* ---- binding ---- */

/* The worked example of section 1. */
static void report_data(void **state)
{
    (void)state;
    static const char expected[] = "ee4320ebaf3fdb4f2c832b137200c08e235e0fa7bbd0eb1740c7063ba8a0d151"
                                   "da77e003398e1714a955d475b05e3e950b639503b452ec185de4229bc4873949";
    uint8_t nonce[32];
    uint8_t ekm[32];
    uint8_t out[64];
    char hex[129];
    atls_error err = {.code = ATLS_OK};
    for (size_t i = 0; i < 32; i++) {
        nonce[i] = (uint8_t)i;
        ekm[i] = (uint8_t)(0x20 + i);
    }
    assert_true(atls_dstack_report_data(nonce, ekm, out, &err));
    fix_hex(out, sizeof out, hex);
    assert_string_equal(hex, expected);
}

/* ---- inspect, real evidence ---- */

static const atls_json *inspect(fix_bench *b, const atls_dstack_response *r)
{
    atls_buf buf;
    atls_jw w;
    atls_bytes out;
    const atls_json *json;
    atls_buf_init(&buf, &b->arena, &b->err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    assert_true(dstack_response_inspect(b->crypto, r, &w, &b->arena, &b->err));
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&buf, &out));
    assert_true(atls_json_parse(out, "inspect", &b->arena, &json, &b->err));
    return json;
}

static void inspected(void **state)
{
    (void)state;
    fix_bench b;
    fix_log l;
    atls_dstack_response r = {atls_bytes_str("quote"), atls_bytes_empty(), atls_bytes_str("{\"cpu_count\":1}")};
    fix_bench_open(&b);
    fix_honest(&l);
    const atls_json *json = inspect(&b, &r);
    assert_int_equal(atls_json_find(json, "event_log")->type, ATLS_JSON_NULL);
    assert_true(atls_bytes_equal(atls_json_find(json, "vm_config")->text, r.vm_config));
    char *text = fix_print(&l);
    r.event_log = atls_bytes_str(text);
    json = inspect(&b, &r);
    assert_int_equal(atls_json_find(atls_json_find(json, "event_log"), "events")->n, FIX_N);
    free(text);
    fix_bench_close(&b);
}

static void inspected_garbage(void **state)
{
    (void)state;
    fix_bench b;
    atls_buf buf;
    atls_jw w;
    atls_dstack_response r = {atls_bytes_str("quote"), atls_bytes_str("[1]"), atls_bytes_empty()};
    fix_bench_open(&b);
    atls_buf_init(&buf, &b.arena, &b.err);
    atls_jw_init(&w, &buf);
    assert_false(dstack_response_inspect(b.crypto, &r, &w, &b.arena, &b.err));
    fix_expect(&b.err, ATLS_E_EVENT_LOG_PARSE, "event_log[0]", "object", "number");
    fix_bench_close(&b);
}

static void real_response(void **state)
{
    (void)state;
    fix_bench b;
    atls_dstack_response r;
    fix_bench_open(&b);
    atls_bytes file = fix_file(&b, "dcap/dstack-full-log/getquote.json");
    assert_true(atls_dstack_response_decode(file, &b.arena, &r, &b.err));
    assert_true(r.quote.len > 4000);
    assert_int_equal(r.quote.ptr[0], 4);
    assert_true(r.vm_config.len > 0);
    const atls_json *json = inspect(&b, &r);
    assert_int_equal(atls_json_find(atls_json_find(json, "event_log"), "events")->n, 28);
    fix_bench_close(&b);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row, &rows[i]);
    }
    tap_add(&l, "a quote of 128 KiB is read, a longer one is not", quote_limit, NULL);
    tap_add(&l, "a body of 4 MiB is read, a longer one is not", body_limit, NULL);
    tap_add(&l, "every proper prefix is refused", every_prefix, NULL);
    tap_add(&l, "report data: the worked example", report_data, NULL);
    tap_add(&l, "inspect shows what surrounds the quote", inspected, NULL);
    tap_add(&l, "inspect refuses a log that cannot be read", inspected_garbage, NULL);
    tap_add(&l, "real: dstack-full-log is a GetQuote response", real_response, NULL);
    return tap_run("dstack_response", &l);
}
