/* SPDX-License-Identifier: Apache-2.0 */
/* any_of: one of several policies must be satisfied whole; evidence of one kind never satisfies another's; the refusal is that
 * of the alternative that came furthest; what weakens one is shown of all. */
#include "world.h"

#define STRICT_TDX "{\"type\":\"tdx\",\"mrtd\":\"" A96 "\"" ROOTS "}"
#define A16        "aaaaaaaaaaaaaaaa"
#define A96        A16 A16 A16 A16 A16 A16
#define ROOTS      ",\"trusted_roots\":[\"%s\"]"

typedef struct row {
    const char *name;
    const char *policies; /* %s: the room's root */
    sim_kind kind;
    bool accepted;
    const char *code;   /* "" when accepted */
    const char *chosen; /* or a check that must have failed */
} row;

static const row rows[] = {
    {"the only one fits", "{\"type\":\"tdx\"" ROOTS "}", SIM_TDX_V4, true, "", "policies[0]"},
    {"the second fits", "{\"type\":\"sgx\"" ROOTS "},{\"type\":\"tdx\"" ROOTS "}", SIM_TDX_V4, true, "", "policies[1]"},
    {"the kind decides, not the order", "{\"type\":\"sgx\"" ROOTS "},{\"type\":\"tdx\"" ROOTS "}", SIM_SGX_V3, true, "",
     "policies[0]"},
    {"the first refuses the code, the second does not ask", STRICT_TDX ",{\"type\":\"tdx\"" ROOTS "}", SIM_TDX_V4, true,
     "", "policies[1]"},
    {"none: another code", STRICT_TDX, SIM_TDX_V4, false, "MEASUREMENT_MISMATCH", "any_of[0].dcap.measurement.mrtd"},
    {"none: another kind", "{\"type\":\"sgx\"" ROOTS "}", SIM_TDX_V4, false, "TEE_TYPE_MISMATCH", "any_of[0].tee_type"},
    {"none: the reason is the furthest one's",
     "{\"type\":\"tdx\",\"trusted_roots\":[\"" A16 A16 A16 A16 "\"]}," STRICT_TDX, SIM_TDX_V4, false,
     "MEASUREMENT_MISMATCH", "any_of[0].dcap.root"},
    {"a part of each is not enough", STRICT_TDX ",{\"type\":\"tdx\",\"rtmr0\":\"" A96 "\"" ROOTS "}", SIM_TDX_V4, false,
     "MEASUREMENT_MISMATCH", "any_of[1].dcap.measurement.rtmr0"},
};

/* The root as the policy of the room itself names it. */
static void root_of(const world *w, char out[65])
{
    const char *at = strstr(w->policy, "\"trusted_roots\":[\"");
    assert_non_null(at);
    memcpy(out, at + strlen("\"trusted_roots\":[\""), 64);
    out[64] = 0;
}

static void put_roots(const char *text, const char *root, char *out, size_t size)
{
    size_t n = 0;
    for (const char *p = text; *p != 0; p++) {
        const bool here = p[0] == '%' && p[1] == 's';
        const int len = here ? snprintf(out + n, size - n, "%s", root) : snprintf(out + n, size - n, "%c", *p);
        assert_true(len > 0 && (size_t)len < size - n);
        n += (size_t)len;
        p += here ? 1 : 0;
    }
}

static void open_with(world *w, sim_kind kind, const char *policies)
{
    char root[65];
    char inner[3000];
    world_open(w, kind, NULL, kind == SIM_SGX_V3 ? "sgx" : "tdx");
    root_of(w, root);
    put_roots(policies, root, inner, sizeof inner);
    (void)snprintf(w->policy, 4000, "{\"type\":\"any_of\",\"policies\":[%s]}", inner);
}

static void run_row(void **state)
{
    const row *r = *state;
    world w;
    open_with(&w, r->kind, r->policies);
    world_appraise(&w);
    assert_int_equal(w.accepted, r->accepted);
    const atls_check *check = world_check(&w, r->accepted ? "any_of" : r->chosen);
    assert_non_null(check);
    if (r->accepted) {
        assert_int_equal(w.result.verdict, ATLS_VERDICT_ACCEPTED);
        assert_string_equal(check->actual, r->chosen);
        assert_int_equal(world_failures(&w), 0);
    } else {
        assert_string_equal(atls_code_name(w.err.code), r->code);
        assert_int_equal(check->verdict, ATLS_CHECK_FAIL);
        assert_int_equal(w.result.claims.platform, ATLS_PLATFORM_NONE);
        assert_int_equal(w.result.verdict, ATLS_VERDICT_REJECTED);
    }
    world_close(&w);
}

/* Binding and time are asked of every alternative alike. */
static void test_binding(void **state)
{
    (void)state;
    world w;
    open_with(&w, SIM_TDX_V4, "{\"type\":\"tdx\"" ROOTS "},{\"type\":\"sgx\"" ROOTS "}");
    world_other_value(&w);
    world_appraise(&w);
    assert_false(w.accepted);
    assert_string_equal(atls_code_name(w.err.code), "REPORT_DATA_MISMATCH");
    world_close(&w);
}

/* What weakens a policy that was not needed would have let another machine in: every result shows it. */
static const struct {
    const char *policies;
    bool insecure;
    int listed; /* how often */
} weak[] = {
    {"{\"type\":\"tdx\"" ROOTS "},{\"type\":\"sgx\"" ROOTS "}", false, 0},
    {"{\"type\":\"tdx\"" ROOTS "},{\"type\":\"sgx\",\"insecure_allow_debug\":true" ROOTS "}", true, 1},
    {"{\"type\":\"tdx\",\"insecure_allow_debug\":true" ROOTS "},{\"type\":\"sgx\"" ROOTS "}", true, 1},
    {"{\"type\":\"tdx\",\"insecure_allow_debug\":true" ROOTS "},{\"type\":\"sgx\",\"insecure_allow_debug\":true" ROOTS
     "}",
     true, 1},
};

static void test_weak(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof weak / sizeof weak[0]; i++) {
        world w;
        open_with(&w, SIM_TDX_V4, weak[i].policies);
        world_appraise(&w);
        assert_true(w.accepted);
        assert_int_equal(w.result.insecure, weak[i].insecure);
        int n = 0;
        for (size_t k = 0; k < w.result.n_checks; k++) {
            n += strcmp(w.result.checks[k].id, "policy.insecure_allow_debug") == 0 ? 1 : 0;
        }
        assert_int_equal(n, weak[i].listed);
        world_close(&w);
    }
}

/* Nothing of a refusal is cut, also where all together checked more than one list has room for. */
#define MANY 12

static void test_many(void **state)
{
    (void)state;
    static char policies[MANY * 256];
    size_t n = 0;
    for (int i = 0; i < MANY; i++) {
        n += (size_t)snprintf(policies + n, sizeof policies - n, "%s%s", i == 0 ? "" : ",", STRICT_TDX);
        assert_true(n < sizeof policies);
    }
    world w;
    open_with(&w, SIM_TDX_V4, policies);
    world_appraise(&w);
    assert_false(w.accepted);
    assert_non_null(world_check(&w, "any_of[0].dcap.measurement.mrtd"));
    assert_non_null(world_check(&w, "any_of[11].dcap.measurement.mrtd"));
    assert_int_equal(w.result.n_checks % MANY, 0);
    assert_true(w.result.n_checks > 256);
    world_close(&w);
}

/* Who could not find out says neither yes nor no, and an alternative that refuses changes nothing about that. */
static bool find_nothing(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err)
{
    (void)ctx;
    (void)request;
    (void)arena;
    (void)out;
    return atls_fail(err, ATLS_E_IO, "endorsements", NULL);
}

static void test_undecided(void **state)
{
    (void)state;
    world w;
    open_with(&w, SIM_TDX_V4, "{\"type\":\"tdx\"" ROOTS "}");
    w.in.endorse = find_nothing;
    world_appraise(&w);
    assert_false(w.accepted);
    assert_int_equal(w.result.verdict, ATLS_VERDICT_UNDECIDED);
    assert_string_equal(atls_code_name(w.err.code), "IO");
    world_close(&w);
}

static const struct {
    const char *document;
    const char *field;
} bad[] = {
    {"{\"type\":\"any_of\"}", "policies"},
    {"{\"type\":\"any_of\",\"policies\":[]}", "policies"},
    {"{\"type\":\"any_of\",\"policies\":{}}", "policies"},
    {"{\"type\":\"any_of\",\"policies\":[{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\"}]}]}", "policies[0]"},
    /* before it is read: what is in there is not looked at */
    {"{\"type\":\"any_of\",\"policies\":[{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\",\"mrtdd\":7}]}]}",
     "policies[0]"},
    {"{\"type\":\"tpm\",\"hardware\":{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\",\"mrtdd\":7}]}}", "hardware"},
    {"{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\"},{\"type\":\"tdx\",\"mrtdd\":\"\"}]}", "policies[1].mrtdd"},
    {"{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\"},7]}", "policies[1].policy"},
    {"{\"type\":\"any_of\",\"mrtd\":\"\",\"policies\":[{\"type\":\"tdx\"}]}", "mrtd"},
    {"{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\"},{\"type\":\"tdx\",\"attested_only\":true}]}", "policies"},
    {"{\"type\":\"tdx\",\"policies\":[{\"type\":\"tdx\"}]}", "policies"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        atls_policy *p = NULL;
        atls_error err = {0};
        assert_false(atls_policy_parse(atls_bytes_str(bad[i].document), &p, &err));
        assert_null(p);
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_string_equal(err.field, bad[i].field);
    }
}

/* A session must be asked for before evidence is there: by the least careful alternative's grade, and the shortest life. */
static void test_together(void **state)
{
    (void)state;
    static const char document[] = "{\"type\":\"any_of\",\"policies\":[{\"type\":\"tdx\",\"min_grade\":\"session\"},"
                                   "{\"type\":\"sgx\",\"min_grade\":\"key_fresh\",\"max_session_age\":60,"
                                   "\"insecure_allow_debug\":true}]}";
    atls_policy *p = NULL;
    atls_error err = {0};
    bool by_default = true;
    assert_true(atls_policy_parse(atls_bytes_str(document), &p, &err));
    assert_string_equal(atls_policy_kind(p), "any_of");
    assert_int_equal(atls_policy_min_grade(p), ATLS_GRADE_KEY_FRESH);
    assert_int_equal(atls_policy_max_session_age(p, &by_default), 60);
    assert_false(by_default);
    assert_int_equal(atls_policy_insecure(p).n, 1);
    assert_string_equal(atls_policy_insecure(p).items[0], "insecure_allow_debug");
    atls_policy_free(p);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row, &rows[i]);
    }
    tap_add(&tests, "the binding is every alternative's", test_binding, NULL);
    tap_add(&tests, "what weakens one shows of all", test_weak, NULL);
    tap_add(&tests, "nothing of many refusals is cut", test_many, NULL);
    tap_add(&tests, "could not find out", test_undecided, NULL);
    tap_add(&tests, "documents that are refused", test_bad, NULL);
    tap_add(&tests, "what a session asks beforehand", test_together, NULL);
    return tap_run("verify/any_of", &tests);
}
