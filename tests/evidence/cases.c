/* SPDX-License-Identifier: Apache-2.0 */
/* cases.c: one runner for all tables. */
#include "cases.h"

#include "memo.h"
#include "verify/again.h"

#include <stdlib.h>
#include <string.h>

static const char all_statuses[] =
    "policy.allowed_tcb_status=[\"UpToDate\",\"SWHardeningNeeded\",\"ConfigurationNeeded\","
    "\"ConfigurationAndSWHardeningNeeded\",\"OutOfDate\",\"OutOfDateConfigurationNeeded\",\"TDRelaunchAdvised\","
    "\"TDRelaunchAdvisedConfigurationNeeded\"]";

static void must(bool ok, const char *what, const atls_error *err)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s: %s", what, line);
    }
}

void appraised_open(appraised *a, sim_kind kind, const char *const *settings, const char *policy_kind)
{
    const char *all[CASE_MAX_SETTINGS + 2] = {all_statuses};
    for (size_t i = 0; i < CASE_MAX_SETTINGS && settings != NULL && settings[i] != NULL; i++) {
        all[i + 1] = settings[i];
    }
    const sim_options options = {.kind = kind, .settings = all, .memo = shared_memo()};
    atls_bytes text;
    *a = (appraised){.event_log = atls_bytes_empty(), .grade = ATLS_GRADE_REPORT_DATA};
    for (size_t i = 0; i < sizeof a->report_data; i++) {
        a->report_data[i] = (uint8_t)(0xa0 + i);
    }
    must(atls_arena_new(&a->arena, ATLS_ARENA_DEFAULT_SIZE, &a->err), "arena", &a->err);
    must(sim_new(&options, &a->room, &a->err), "room", &a->err);
    if (policy_kind == NULL) {
        policy_kind = kind == SIM_SGX_V3 ? "sgx" : "tdx";
    }
    must(sim_policy(a->room, policy_kind, &a->arena, &text, &a->err), "policy document", &a->err);
    if (!atls_policy_parse(text, &a->policy, &a->err)) {
        return; /* the caller looks at err */
    }
    must(atls_verifier_new(a->policy, &a->verifier, &a->err), "verifier", &a->err);
    must(sim_quote(a->room, a->report_data, &a->arena, &a->quote, &a->err), "quote", &a->err);
    must(sim_collateral(a->room, &a->arena, &a->endorsements, &a->err), "endorsements", &a->err);
}

static bool hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                     atls_error *err)
{
    const appraised *a = ctx;
    (void)request;
    (void)arena;
    (void)err;
    *out = a->endorsements;
    return true;
}

void appraised_run(appraised *a)
{
    atls_appraisal in = {.evidence = a->quote,
                         .event_log = a->event_log,
                         .binding = {.grade = a->grade, .profile = ""},
                         .now = sim_now(a->room),
                         .endorse = hand_out,
                         .endorse_ctx = a};
    memcpy(in.binding.value, a->report_data, sizeof in.binding.value);
    atls_error_clear(&a->err);
    a->accepted = again_appraise(a->verifier, &in, &a->arena, &a->result, &a->err);
}

void appraised_close(appraised *a)
{
    atls_verifier_free(a->verifier);
    atls_policy_free(a->policy);
    sim_free(a->room);
    atls_arena_free(&a->arena);
}

/* ---- what must come of it ---- */

static void join(atls_text_list list, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < list.n && len < size; i++) {
        len += (size_t)snprintf(out + len, size - len, "%s%s", i == 0 ? "" : ",", list.items[i]);
    }
}

static void check_accepted(const sim_case *c, const appraised *a)
{
    char advisories[512];
    must(a->accepted, "must be accepted", &a->err);
    assert_int_equal(a->err.code, ATLS_OK);
    assert_int_equal(a->result.verdict, ATLS_VERDICT_ACCEPTED);
    assert_int_equal(a->result.grade, a->grade);
    assert_true(a->result.simulated_or_test_root);
    if (c->status != NULL) {
        assert_string_equal(atls_tcb_status_name(a->result.claims.dcap.tcb.status), c->status);
    }
    if (c->advisories != NULL) {
        join(a->result.claims.dcap.tcb.advisories, advisories, sizeof advisories);
        assert_string_equal(advisories, c->advisories);
    }
    if (c->also != NULL) {
        assert_true(c->also(&a->result));
    }
}

static void check_error(const sim_case *c, const appraised *a)
{
    char line[512];
    if (a->accepted) {
        fail_msg("must be %s, but was accepted with status %s", atls_code_name(c->code),
                 atls_tcb_status_name(a->result.claims.dcap.tcb.status));
    }
    if (a->err.code != c->code || strcmp(a->err.field, c->field) != 0) {
        (void)atls_error_line(&a->err, line, sizeof line);
        fail_msg("must be %s at %s, but is %s", atls_code_name(c->code), c->field, line);
    }
}

/* A refusal has its reason in the list of checks, and no claims. */
static void check_listed(const sim_case *c, const appraised *a)
{
    static const atls_claims none;
    bool listed = false;
    for (size_t i = 0; i < a->result.n_checks; i++) {
        listed = listed || (a->result.checks[i].verdict == ATLS_CHECK_FAIL && a->result.checks[i].code == c->code);
    }
    assert_true(listed);
    assert_int_not_equal(a->result.verdict, ATLS_VERDICT_ACCEPTED);
    assert_memory_equal(&a->result.claims, &none, sizeof none);
}

void case_check(const sim_case *c, const appraised *a)
{
    if (c->code == ATLS_OK) {
        check_accepted(c, a);
        return;
    }
    check_error(c, a);
    if (c->code != ATLS_E_CONFIGURATION) {
        check_listed(c, a);
    }
}

void case_run(const sim_case *c)
{
    appraised a;
    appraised_open(&a, c->kind, c->settings, NULL);
    if (a.policy != NULL) {
        appraised_run(&a);
    }
    case_check(c, &a);
    appraised_close(&a);
}

void case_test(void **state)
{
    case_run(*state);
}

void cases_add(tap_list *l, const sim_case *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tap_add(l, table[i].name, case_test, &table[i]);
    }
}
