/* SPDX-License-Identifier: Apache-2.0 */
/* What a verdict is made of: every mismatch is listed and the first is the error; the policy picks the verifier; the result says
 * what was not checked; no amount of memory gives a wrong yes. */
#include "base/text.h"
#include "pki/cert.h"
#include "world.h"

#include <pthread.h>

#define A16   "aaaaaaaaaaaaaaaa"
#define A32   A16 A16
#define A64   A32 A32
#define A96   A64 A32
#define A128  A64 A64
#define STALE "level.0.status=OutOfDate"

/* ---- grace ---------------------------------------------------------------------------------------------------------- */

/* The stale level is dated 200 days before the room's instant. */
#define GRACE_DAYS 200

static void appraise_with_grace(world *w, long long seconds, const char *status)
{
    char members[128];
    const char *settings[] = {status, NULL};
    world_open(w, SIM_TDX_V4, settings, "dstack_tdx");
    char *list = strstr(w->policy, "[\"UpToDate\"]");
    assert_non_null(list);
    (void)snprintf(list, 32, "%s", "[\"OutOfDate\"]}");
    (void)snprintf(members, sizeof members, ",\"grace_period\":%lld", seconds);
    world_more(w, members);
    world_appraise(w);
}

static void test_grace(void **state)
{
    (void)state;
    world w;
    appraise_with_grace(&w, GRACE_DAYS * 86400LL, STALE);
    assert_true(w.accepted);
    assert_int_equal(w.result.claims.dcap.tcb.status, ATLS_TCB_OUT_OF_DATE);
    world_close(&w);
    appraise_with_grace(&w, GRACE_DAYS * 86400LL - 1, STALE);
    assert_string_equal(atls_code_name(w.err.code), "GRACE_PERIOD_EXPIRED");
    assert_string_equal(w.err.field, "tcb.date");
    world_assert_consistent(&w);
    world_close(&w);
}

/* ---- every mismatch is listed, the first is the error ---------------------------------------------------------------- */

static void test_all_mismatches(void **state)
{
    (void)state;
    static const char *const settings[] = {STALE, "log.compose-hash=" A64, NULL};
    static const char *const failing[] = {"dcap.tcb_status",
                                          "dcap.machine",
                                          "binding",
                                          "binding.grade",
                                          "dstack.certificate_event",
                                          "dstack.bootchain.mrtd",
                                          "dstack.bootchain.rtmr2",
                                          "dstack.compose_hash",
                                          "dstack.os_image_hash"};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_spoil(&w, "mrtd");
    world_spoil(&w, "rtmr2");
    world_spoil(&w, "os_image_hash");
    world_more(&w, ",\"machines\":[\"" A32 "\"],\"min_grade\":\"session\"");
    world_other_value(&w);
    world_other_leaf(&w);
    world_appraise(&w);
    assert_string_equal(atls_code_name(w.err.code), "TCB_STATUS_NOT_ALLOWED");
    assert_int_equal(world_failures(&w), sizeof failing / sizeof failing[0]);
    size_t k = 0;
    for (size_t i = 0; i < w.result.n_checks; i++) {
        if (w.result.checks[i].verdict == ATLS_CHECK_FAIL) {
            assert_string_equal(w.result.checks[i].id, failing[k++]); /* in this order */
        }
    }
    world_assert_consistent(&w);
    world_close(&w);
}

/* A log that does not replay is not looked into, but what does not rest on it is listed. */
static void test_replay_stops_the_log(void **state)
{
    (void)state;
    static const char *const settings[] = {"td.rtmr3=" A96, NULL};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_other_value(&w);
    world_appraise(&w);
    assert_string_equal(atls_code_name(w.err.code), "REPORT_DATA_MISMATCH");
    assert_non_null(world_check(&w, "dstack.replay.rtmr3"));
    assert_null(world_check(&w, "dstack.certificate_event"));
    assert_null(world_check(&w, "dstack.compose_hash"));
    world_close(&w);
}

/* ---- evidence never picks its verifier ------------------------------------------------------------------------------- */

typedef struct crossing {
    const char *name;
    sim_kind kind;
    const char *its_type;
    const char *policy; /* what the relying party wants */
    const char *expected;
    const char *actual;
} crossing;

static const crossing crossings[] = {
    {"evidence never picks its verifier: enclave for tdx", SIM_SGX_V3, "sgx", "{\"type\":\"tdx\"", "tdx", "sgx"},
    {"evidence never picks its verifier: enclave for tdx with an mrtd", SIM_SGX_V3, "sgx",
     "{\"type\":\"tdx\",\"mrtd\":\"" A96 "\"", "tdx", "sgx"},
    {"evidence never picks its verifier: TD for sgx", SIM_TDX_V4, "tdx", "{\"type\":\"sgx\"", "sgx", "tdx"},
    {"evidence never picks its verifier: TD for sgx with an mrenclave", SIM_TDX_V5, "tdx",
     "{\"type\":\"sgx\",\"mrenclave\":\"" A64 "\"", "sgx", "tdx"},
};

static void test_crossing(void **state)
{
    const crossing *c = *state;
    world w;
    world_open(&w, c->kind, NULL, c->its_type);
    char *roots = strstr(w.policy, ",\"trusted_roots\":[");
    assert_non_null(roots);
    char kept[128] = "";
    (void)snprintf(kept, sizeof kept, "%.*s}", (int)(strchr(roots, ']') + 1 - roots), roots);
    (void)snprintf(w.policy, 1024, "%s%s", c->policy, kept);
    world_appraise(&w);
    assert_string_equal(atls_code_name(w.err.code), "TEE_TYPE_MISMATCH");
    assert_string_equal(atls_code_kind(w.err.code), "TeeTypeMismatch");
    assert_string_equal(w.err.field, "quote.header.tee_type");
    assert_string_equal(w.err.expected, c->expected);
    assert_string_equal(w.err.actual, c->actual);
    world_assert_consistent(&w);
    world_close(&w);
}

/* dstack's order: status before kind of TEE, kind of TEE before report data */
static void test_crossing_order(void **state)
{
    (void)state;
    static const char *const settings[] = {STALE, NULL};
    world w;
    world_open(&w, SIM_SGX_V3, settings, "sgx");
    char *type = strstr(w.policy, "\"sgx\"");
    memcpy(type, "\"tdx\"", 5);
    char *code = strstr(w.policy, ",\"mrenclave\"");
    char *status = strstr(w.policy, ",\"allowed_tcb_status\"");
    assert_true(code != NULL && status != NULL);
    memmove(code, status, strlen(status) + 1);
    world_other_value(&w);
    world_appraise(&w);
    assert_string_equal(atls_code_name(w.err.code), "TCB_STATUS_NOT_ALLOWED");
    assert_int_equal(world_failures(&w), 3);
    assert_non_null(world_check(&w, "tee_type"));
    assert_int_equal(world_check(&w, "tee_type")->verdict, ATLS_CHECK_FAIL);
    assert_int_equal(world_check(&w, "binding")->verdict, ATLS_CHECK_FAIL);
    world_close(&w);
}

/* ---- facts of the dstack kinds --------------------------------------------------------------------------------------- */

static void test_facts_report_data(void **state)
{
    (void)state;
    world w;
    char expected[129];
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_other_value(&w);
    world_appraise(&w);
    atls_hex_encode(atls_bytes_of(w.in.binding.value, 64), expected);
    assert_string_equal(w.err.expected, expected);
    w.in.binding.value[63] ^= 1;
    atls_hex_encode(atls_bytes_of(w.in.binding.value, 64), expected);
    assert_string_equal(w.err.actual, expected);
    assert_int_equal(w.err.category, ATLS_CATEGORY_TIME);
    assert_int_equal(atls_error_exit_status(&w.err), 6);
    world_close(&w);
}

static void test_facts_status(void **state)
{
    (void)state;
    static const char *const settings[] = {"level.0.status=SWHardeningNeeded", NULL};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_appraise(&w);
    assert_string_equal(atls_code_kind(w.err.code), "TcbStatusNotAllowed");
    assert_string_equal(w.err.expected, "UpToDate");
    assert_string_equal(w.err.actual, "SWHardeningNeeded");
    world_close(&w);
}

static void test_facts_image(void **state)
{
    (void)state;
    static const char *const settings[] = {"-log.os-image-hash", NULL};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_appraise(&w);
    assert_string_equal(atls_code_kind(w.err.code), "OsImageHashMismatch");
    assert_string_equal(w.err.actual, "<not found in event log>");
    assert_int_equal(strlen(w.err.expected), 64);
    world_close(&w);
}

static void test_facts_rtmr(void **state)
{
    (void)state;
    static const char *const settings[] = {"td.rtmr1=" A96, NULL};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_appraise(&w);
    assert_string_equal(atls_code_kind(w.err.code), "RtmrMismatch");
    assert_string_equal(w.err.field, "rtmr1");
    assert_string_equal(w.err.expected, A96); /* the quote's */
    assert_int_equal(strlen(w.err.actual), 96);
    world_close(&w);
}

/* ---- what the result says --------------------------------------------------------------------------------------------- */

static void test_runtime_disabled(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_spoil(&w, "mrtd"); /* not compared any more */
    world_more(&w, ",\"disable_runtime_verification\":true,\"insecure_allow_debug\":true");
    world_appraise(&w);
    assert_true(w.accepted);
    assert_false(w.result.runtime_verified);
    assert_true(w.result.insecure);
    const atls_check *check = world_check(&w, "policy.disable_runtime_verification");
    assert_non_null(check);
    assert_int_equal(check->verdict, ATLS_CHECK_SKIPPED);
    assert_non_null(world_check(&w, "policy.insecure_allow_debug"));
    assert_int_equal(world_check(&w, "dstack.certificate_event")->verdict, ATLS_CHECK_PASS); /* R14: that one stays */
    world_close(&w);
}

static void test_weaknesses_show_in_a_refusal(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    world_more(&w, ",\"insecure_allow_service_td\":true");
    w.in.evidence = atls_bytes_empty();
    world_appraise(&w);
    assert_false(w.accepted);
    assert_non_null(world_check(&w, "policy.insecure_allow_service_td"));
    world_close(&w);
}

typedef struct runtime_row {
    const char *name;
    sim_kind kind;
    const char *type;
    const char *cut; /* this member and what follows it, up to the statuses, is taken out */
    bool verified;
} runtime_row;

static const runtime_row runtime_rows[] = {
    {"runtime: dstack", SIM_TDX_V4, "dstack_tdx", NULL, true},
    {"runtime: tdx with mrtd", SIM_TDX_V4, "tdx", NULL, true},
    {"runtime: tdx with nothing", SIM_TDX_V4, "tdx", ",\"mrtd\"", false},
    {"runtime: sgx with mrenclave and mrsigner", SIM_SGX_V3, "sgx", NULL, true},
    {"runtime: sgx with mrenclave", SIM_SGX_V3, "sgx", ",\"mrsigner\"", true},
    {"runtime: sgx with nothing", SIM_SGX_V3, "sgx", ",\"mrenclave\"", false},
};

static void cut_code(world *w)
{
    char *from = strstr(w->policy, ",\"mrtd\"");
    char *to = strstr(w->policy, ",\"allowed_tcb_status\"");
    assert_true(from != NULL && to != NULL);
    memmove(from, to, strlen(to) + 1);
}

/* Firmware that nobody measured extends whatever it likes: registers without MRTD do not name the code. */
static void test_registers_alone(void **state)
{
    (void)state;
    world w;
    char member[128] = ",\"rtmr0\":\"";
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    world_appraise(&w);
    assert_true(w.accepted);
    atls_hex_encode(atls_bytes_of(w.result.claims.dcap.td.rtmr[0], 48), member + strlen(member));
    world_close(&w);
    member[strlen(member) + 1] = '\0';
    member[strlen(member)] = '"';
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    cut_code(&w);
    world_more(&w, member);
    world_appraise(&w);
    assert_true(w.accepted);
    assert_non_null(world_check(&w, "dcap.measurement.rtmr0"));
    assert_false(w.result.runtime_verified);
    assert_non_null(world_check(&w, "policy.reference_values"));
    world_close(&w);
}

static void test_runtime_verified(void **state)
{
    const runtime_row *r = *state;
    world w;
    world_open(&w, r->kind, NULL, r->type);
    if (r->cut != NULL) {
        char *from = strstr(w.policy, r->cut);
        char *to = strstr(w.policy, ",\"allowed_tcb_status\"");
        assert_true(from != NULL && to != NULL);
        memmove(from, to, strlen(to) + 1);
    }
    world_appraise(&w);
    assert_true(w.accepted);
    assert_int_equal(w.result.runtime_verified, r->verified);
    assert_int_equal(world_check(&w, "policy.reference_values") != NULL, !r->verified);
    assert_false(w.result.insecure);
    world_close(&w);
}

static void test_no_binding_is_skipped(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_no_binding(&w);
    world_appraise(&w);
    assert_true(w.accepted);
    assert_int_equal(w.result.grade, ATLS_GRADE_NONE);
    assert_string_equal(w.result.profile, "");
    assert_int_equal(world_check(&w, "binding")->verdict, ATLS_CHECK_SKIPPED);
    assert_int_equal(world_check(&w, "binding.grade")->verdict, ATLS_CHECK_SKIPPED);
    assert_int_equal(world_check(&w, "dstack.certificate_event")->verdict, ATLS_CHECK_SKIPPED);
    world_close(&w);
}

static void test_claims(void **state)
{
    (void)state;
    static const char *const settings[] = {"td.mrowner=" A96, NULL};
    world w;
    world_open(&w, SIM_TDX_V4, settings, "dstack_tdx");
    world_appraise(&w);
    assert_true(w.accepted);
    const atls_claims *c = &w.result.claims;
    assert_int_equal(c->platform, ATLS_PLATFORM_TDX);
    assert_memory_equal(c->report_data, w.in.binding.value, 64);
    assert_int_equal(c->dcap.td.mrowner[0], 0xaa);
    assert_int_equal(c->dcap.tcb.status, ATLS_TCB_UP_TO_DATE);
    assert_true(c->log.present);
    assert_true(c->log.n_events > 10);
    assert_int_equal(c->log.compose_hash.len, 32);
    world_close(&w);
}

/* ---- roots ------------------------------------------------------------------------------------------------------------ */

/* The room's root, named by its hash in the document, as PEM in it, as DER next to it, or not at all. */
static void test_roots(void **state)
{
    (void)state;
    world w;
    atls_bytes pem;
    char escaped[3072];
    size_t n = 0;
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    assert_true(atls_pem_encode(sim_root(w.room), "CERTIFICATE", &w.arena, &pem, &w.err));
    for (size_t i = 0; i < pem.len; i++) {
        n += (size_t)snprintf(escaped + n, sizeof escaped - n, pem.ptr[i] == '\n' ? "\\n" : "%c", pem.ptr[i]);
    }
    (void)snprintf(w.policy, 4096, "{\"type\":\"tdx\",\"trusted_roots\":[\"%s\"]}", escaped);
    world_appraise(&w);
    assert_true(w.accepted);
    atls_verifier_free(w.verifier);
    atls_policy_free(w.parsed);
    const atls_bytes root = sim_root(w.room);
    for (size_t n_roots = 0; n_roots <= 1; n_roots++) {
        assert_true(
            atls_policy_parse_with_roots(atls_bytes_str("{\"type\":\"tdx\"}"), &root, n_roots, &w.parsed, &w.err));
        assert_true(atls_verifier_new(w.parsed, &w.verifier, &w.err));
        atls_error err = {0};
        assert_int_equal(atls_verifier_appraise(w.verifier, &w.in, &w.arena, &w.result, &err), n_roots == 1);
        assert_string_equal(atls_code_name(err.code), n_roots == 1 ? "OK" : "PCK_CHAIN");
        if (n_roots == 0) {
            atls_verifier_free(w.verifier);
            atls_policy_free(w.parsed);
        }
    }
    world_close(&w);
}

/* ---- threads ---------------------------------------------------------------------------------------------------------- */

typedef struct job {
    const atls_verifier *verifier;
    atls_appraisal in;
    size_t n_accepted;
} job;

static void *run_job(void *arg)
{
    job *j = arg;
    for (int i = 0; i < 20; i++) {
        atls_arena arena;
        atls_result result;
        atls_error err = {0};
        if (atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err)) {
            j->n_accepted += atls_verifier_appraise(j->verifier, &j->in, &arena, &result, &err) ? 1 : 0;
            atls_arena_free(&arena);
        }
    }
    return NULL;
}

/* One verifier, four threads: two with honest evidence, two with a wrong nonce. */
static void test_threads(void **state)
{
    (void)state;
    world w;
    pthread_t threads[4];
    job jobs[4];
    atls_endorsements endorsements;
    atls_bytes bundle;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_appraise(&w);
    assert_true(sim_collateral(w.room, &w.arena, &endorsements, &w.err));
    assert_true(atls_endorsements_to_bundle(&endorsements, &w.arena, &bundle, &w.err));
    w.in.endorse = atls_endorsements_from_bundle_fn;
    w.in.endorse_ctx = &bundle;
    for (size_t i = 0; i < 4; i++) {
        jobs[i] = (job){.verifier = w.verifier, .in = w.in};
        jobs[i].in.binding.value[5] ^= (uint8_t)(i % 2);
        assert_int_equal(pthread_create(&threads[i], NULL, run_job, &jobs[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(jobs[i].n_accepted, i % 2 == 0 ? 20 : 0);
    }
    world_close(&w);
}

/* ---- memory and misuse ------------------------------------------------------------------------------------------------ */

/* With any smaller arena the answer is "could not find out", never a yes and never a crash. */
static void test_every_arena_size(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_appraise(&w);
    assert_true(w.accepted);
    atls_endorsements endorsements;
    assert_true(sim_collateral(w.room, &w.arena, &endorsements, &w.err));
    size_t enough = 0;
    for (size_t size = 0; enough == 0; size += size < 65536 ? 4096 : 65536) {
        atls_arena small;
        atls_result result;
        atls_error err = {0};
        assert_true(atls_arena_new(&small, size + 1, &err));
        const bool ok = atls_verifier_appraise(w.verifier, &w.in, &small, &result, &err);
        assert_int_equal(result.verdict, ok ? ATLS_VERDICT_ACCEPTED : ATLS_VERDICT_UNDECIDED);
        if (!ok) {
            assert_string_equal(atls_code_name(err.code), "MEMORY");
            assert_true(atls_bytes_is_zero(atls_bytes_of(&result.claims, sizeof result.claims)));
        }
        enough = ok ? size + 1 : 0;
        atls_arena_free(&small);
        assert_true(size < 16u * 1024 * 1024);
    }
    world_close(&w);
}

static void test_error_set_before(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_appraise(&w);
    assert_true(w.accepted);
    atls_error used = {0};
    (void)atls_fail(&used, ATLS_E_IO, "earlier", NULL);
    atls_result result;
    assert_false(atls_verifier_appraise(w.verifier, &w.in, &w.arena, &result, &used));
    assert_int_equal(result.verdict, ATLS_VERDICT_UNDECIDED);
    assert_string_equal(used.field, "earlier"); /* the first failure wins */
    world_close(&w);
}

/* Same arguments, same verdict, same list. */
static void test_repeatable(void **state)
{
    (void)state;
    world w;
    world_open(&w, SIM_TDX_V5, NULL, "dstack_tdx");
    world_spoil(&w, "rtmr1");
    world_appraise(&w);
    atls_result again;
    atls_error err = {0};
    assert_false(atls_verifier_appraise(w.verifier, &w.in, &w.arena, &again, &err));
    assert_int_equal(again.n_checks, w.result.n_checks);
    for (size_t i = 0; i < again.n_checks; i++) {
        assert_string_equal(again.checks[i].id, w.result.checks[i].id);
        assert_int_equal(again.checks[i].verdict, w.result.checks[i].verdict);
        assert_string_equal(again.checks[i].actual, w.result.checks[i].actual);
    }
    assert_memory_equal(&err, &w.err, sizeof err);
    world_close(&w);
}

static void test_checks_page(void **state)
{
    (void)state;
    world_assert_documented("policy.insecure_allow_debug");
    world_assert_documented("dcap.measurement.mrtd");
}

static void test_free_nothing(void **state)
{
    (void)state;
    atls_verifier_free(NULL);
    atls_policy_free(NULL);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof crossings / sizeof crossings[0]; i++) {
        tap_add(&tests, crossings[i].name, test_crossing, &crossings[i]);
    }
    for (size_t i = 0; i < sizeof runtime_rows / sizeof runtime_rows[0]; i++) {
        tap_add(&tests, runtime_rows[i].name, test_runtime_verified, &runtime_rows[i]);
    }
    tap_add(&tests, "runtime: tdx with a register, but no mrtd", test_registers_alone, NULL);
    tap_add(&tests, "grace: to the second", test_grace, NULL);
    tap_add(&tests, "every mismatch is listed, the first is the error", test_all_mismatches, NULL);
    tap_add(&tests, "a log that does not replay is not looked into", test_replay_stops_the_log, NULL);
    tap_add(&tests, "status before kind of TEE before binding", test_crossing_order, NULL);
    tap_add(&tests, "facts of ReportDataMismatch", test_facts_report_data, NULL);
    tap_add(&tests, "facts of TcbStatusNotAllowed", test_facts_status, NULL);
    tap_add(&tests, "facts of OsImageHashMismatch", test_facts_image, NULL);
    tap_add(&tests, "facts of RtmrMismatch", test_facts_rtmr, NULL);
    tap_add(&tests, "disabled runtime verification shows", test_runtime_disabled, NULL);
    tap_add(&tests, "what weakens shows in a refusal, too", test_weaknesses_show_in_a_refusal, NULL);
    tap_add(&tests, "without a binding the result says so", test_no_binding_is_skipped, NULL);
    tap_add(&tests, "a root named in any way", test_roots, NULL);
    tap_add(&tests, "threads share a verifier", test_threads, NULL);
    tap_add(&tests, "claims arrive", test_claims, NULL);
    tap_add(&tests, "an arena of any size gives no wrong yes", test_every_arena_size, NULL);
    tap_add(&tests, "an error object that is in use", test_error_set_before, NULL);
    tap_add(&tests, "same arguments, same list", test_repeatable, NULL);
    tap_add(&tests, "docs/checks.md names every check", test_checks_page, NULL);
    tap_add(&tests, "freeing nothing", test_free_nothing, NULL);
    return tap_run("verify/verdict", &tests);
}
