/* SPDX-License-Identifier: Apache-2.0 */
/* Results as JSON: whatever an appraisal says, the object is well-formed for two readers (ours and jansson), has every member
 * of docs/json.md, and says a yes in one place only. */
#include <jansson.h>

#include "base/json.h"
#include "world.h"

static json_t *print(world *w, const atls_result *r, const atls_error *e)
{
    atls_bytes text;
    atls_error err = {0};
    json_error_t why;
    const atls_json *ours = NULL;
    assert_true(atls_result_json(r, e, &w->arena, &text, &err));
    assert_true(atls_json_parse(text, "result", &w->arena, &ours, &err));
    json_t *object = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &why);
    if (object == NULL) {
        fail_msg("jansson: %s at %d", why.text, why.position);
    }
    assert_true(json_is_object(object));
    return object;
}

static const char *text_at(const json_t *object, const char *name)
{
    const json_t *v = json_object_get(object, name);
    assert_true(json_is_string(v));
    return json_string_value(v);
}

/* Every member of docs/json.md is there, whatever the verdict. */
static void assert_top(const json_t *o)
{
    static const char *const names[] = {"schema", "verdict",          "platform",      "profile",   "grade",
                                        "time",   "runtime_verified", "attested_only", "test_root", "insecure",
                                        "tcb",    "claims",           "checks",        "error"};
    size_t i = 0;
    const char *name;
    const json_t *value;
    assert_int_equal(json_object_size(o), sizeof names / sizeof names[0]);
    json_t *copy = json_copy((json_t *)(uintptr_t)o);
    json_object_foreach(copy, name, value)
    {
        (void)value;
        assert_string_equal(name, names[i++]); /* and in this order */
    }
    json_decref(copy);
    assert_int_equal(json_integer_value(json_object_get(o, "schema")), 1);
}

static void assert_checks(const world *w, const json_t *o)
{
    const json_t *checks = json_object_get(o, "checks");
    assert_int_equal(json_array_size(checks), w->result.n_checks);
    for (size_t i = 0; i < w->result.n_checks; i++) {
        const json_t *c = json_array_get(checks, i);
        assert_int_equal(json_object_size(c), 7);
        assert_string_equal(text_at(c, "id"), w->result.checks[i].id);
        assert_string_equal(text_at(c, "verdict"), atls_check_verdict_name(w->result.checks[i].verdict));
        assert_string_equal(text_at(c, "code"), atls_code_name(w->result.checks[i].code));
    }
}

/* ---- accepted -------------------------------------------------------------------------------------------------------- */

typedef struct honest {
    const char *name;
    sim_kind kind;
    const char *type;
} honest;

static const honest honest_rows[] = {
    {"accepted: dstack", SIM_TDX_V4, "dstack_tdx"},
    {"accepted: tdx, report 1.5", SIM_TDX_V5, "tdx"},
    {"accepted: sgx", SIM_SGX_V3, "sgx"},
};

static void test_accepted(void **state)
{
    const honest *h = *state;
    world w;
    char hex[129];
    world_open(&w, h->kind, NULL, h->type);
    world_appraise(&w);
    assert_true(w.accepted);
    json_t *o = print(&w, &w.result, &w.err);
    assert_top(o);
    assert_checks(&w, o);
    assert_string_equal(text_at(o, "verdict"), "accepted");
    assert_string_equal(text_at(o, "grade"), "exporter");
    assert_string_equal(text_at(o, "time"), "2026-06-15T12:00:00Z");
    assert_true(json_is_null(json_object_get(o, "error")));
    assert_true(json_is_true(json_object_get(o, "runtime_verified")));
    assert_true(json_is_true(json_object_get(o, "test_root")));
    const json_t *tcb = json_object_get(o, "tcb");
    assert_string_equal(text_at(tcb, "status"), "UpToDate");
    assert_true(json_is_array(json_object_get(tcb, "advisories")));
    const json_t *claims = json_object_get(o, "claims");
    atls_hex_encode(atls_bytes_of(w.in.binding.value, 64), hex);
    assert_string_equal(text_at(claims, "report_data"), hex);
    const bool is_tdx = h->kind != SIM_SGX_V3;
    const json_t *body = json_object_get(claims, is_tdx ? "td" : "sgx");
    assert_string_equal(text_at(body, "reportdata"), hex);
    assert_int_equal(json_object_get(claims, "td") != NULL, is_tdx);
    assert_int_equal(json_object_get(body, "mrservicetd") != NULL, h->kind == SIM_TDX_V5);
    assert_int_equal(json_is_null(json_object_get(claims, "event_log")), !is_tdx);
    json_decref(o);
    world_close(&w);
}

/* ---- anything else --------------------------------------------------------------------------------------------------- */

static void test_rejected(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_spoil(&w, "mrtd");
    world_more(&w, ",\"insecure_allow_service_td\":true");
    world_appraise(&w);
    json_t *o = print(&w, &w.result, &w.err);
    assert_top(o);
    assert_checks(&w, o);
    assert_string_equal(text_at(o, "verdict"), "rejected");
    assert_string_equal(text_at(o, "grade"), "none");
    assert_string_equal(text_at(o, "platform"), "tdx");
    assert_true(json_is_null(json_object_get(o, "tcb")));
    assert_true(json_is_null(json_object_get(o, "claims")));
    assert_string_equal(json_string_value(json_array_get(json_object_get(o, "insecure"), 0)),
                        "insecure_allow_service_td");
    const json_t *e = json_object_get(o, "error");
    assert_string_equal(text_at(e, "code"), "BOOTCHAIN_MISMATCH");
    assert_string_equal(text_at(e, "kind"), "BootchainMismatch");
    assert_string_equal(text_at(e, "category"), "trust");
    assert_string_equal(text_at(e, "field"), "mrtd");
    assert_int_equal(strlen(text_at(e, "expected")), 96);
    assert_int_equal(strlen(text_at(e, "actual")), 96);
    assert_true(json_is_false(json_object_get(e, "retry")));
    assert_int_equal(json_integer_value(json_object_get(e, "exit_status")), 4);
    json_decref(o);
    world_close(&w);
}

static void test_undecided(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_SGX_V3, NULL, "sgx");
    w.in.endorse = NULL;
    world_appraise(&w);
    json_t *o = print(&w, &w.result, &w.err);
    assert_top(o);
    assert_string_equal(text_at(o, "verdict"), "undecided");
    assert_string_equal(text_at(json_object_get(o, "error"), "code"), "ENDORSEMENTS_MISSING");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(o, "error"), "exit_status")), 5);
    json_decref(o);
    world_close(&w);
}

/* A result that nothing has filled in is no yes, and still an object. */
static void test_zero(void **state)
{
    (void)state;
    world w;
    const atls_result zero = {0};
    memset(&w, 0, sizeof w);
    assert_true(atls_arena_new(&w.arena, 1 << 20, &w.err));
    json_t *o = print(&w, &zero, NULL);
    assert_top(o);
    assert_string_equal(text_at(o, "verdict"), "none");
    assert_string_equal(text_at(o, "platform"), "none");
    assert_true(json_is_null(json_object_get(o, "time")));
    json_decref(o);
    atls_arena_free(&w.arena);
}

/* Claims of a result that is not accepted are not shown, even if somebody left some. */
static void test_claims_need_a_yes(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    world_appraise(&w);
    assert_true(w.accepted);
    w.result.verdict = ATLS_VERDICT_REJECTED;
    json_t *o = print(&w, &w.result, NULL);
    assert_true(json_is_null(json_object_get(o, "claims")));
    assert_true(json_is_null(json_object_get(o, "tcb")));
    json_decref(o);
    world_close(&w);
}

/* What a peer wrote may be anything; the object stays JSON. */
static void test_hostile_text(void **state)
{
    (void)state;
    world w;
    memset(&w, 0, sizeof w);
    assert_true(atls_arena_new(&w.arena, 1 << 20, &w.err));
    const atls_check check = {.id = "x",
                              .verdict = ATLS_CHECK_FAIL,
                              .code = ATLS_E_OTHER,
                              .field = "\"},{\"verdict\":\"accepted",
                              .expected = "\xff\xfe\xed\xa0\x80",
                              .actual = "\x01\x1f\x7f\\\n",
                              .why = "\xc3"};
    const atls_result r = {
        .verdict = ATLS_VERDICT_REJECTED, .checks = &check, .n_checks = 1, .profile = "\"", .time = 1};
    json_t *o = print(&w, &r, NULL);
    assert_top(o);
    assert_string_equal(text_at(o, "verdict"), "rejected");
    assert_string_equal(text_at(json_array_get(json_object_get(o, "checks"), 0), "field"), check.field);
    assert_string_equal(text_at(json_array_get(json_object_get(o, "checks"), 0), "actual"), check.actual);
    json_decref(o);
    atls_arena_free(&w.arena);
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t block[128];
    atls_arena small;
    atls_bytes out;
    atls_error err = {0};
    const atls_result zero = {0};
    atls_arena_init(&small, block, sizeof block);
    assert_false(atls_result_json(&zero, NULL, &small, &out, &err));
    assert_string_equal(atls_code_name(err.code), "MEMORY");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof honest_rows / sizeof honest_rows[0]; i++) {
        tap_add(&tests, honest_rows[i].name, test_accepted, &honest_rows[i]);
    }
    tap_add(&tests, "rejected", test_rejected, NULL);
    tap_add(&tests, "undecided", test_undecided, NULL);
    tap_add(&tests, "a result that nothing filled in", test_zero, NULL);
    tap_add(&tests, "claims need a yes", test_claims_need_a_yes, NULL);
    tap_add(&tests, "hostile text", test_hostile_text, NULL);
    tap_add(&tests, "no memory", test_no_memory, NULL);
    return tap_run("verify/result", &tests);
}
