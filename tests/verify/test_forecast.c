/* SPDX-License-Identifier: Apache-2.0 */
/* A forecast names the first second of refusal, with the code and the reason that the verifier itself gives then: each date has a row
 * in which it is the first to pass. And it says which version is short, by today's and by an early set of endorsements. */
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "world.h"

typedef struct row {
    const char *name;
    const char *settings[6];
    const char *at; /* first second of refusal */
    atls_code code;
    const char *field;
    const char *because; /* part of it; "": no date is known */
} row;

#define NEXT(path) path "=2026-06-20T00:00:00Z"
#define FAILS      "2026-06-20T00:00:01Z"
#define GRACE      "policy.allowed_tcb_status=[\"UpToDate\",\"OutOfDate\"]", "policy.grace_period=864000" /* ten days */

/* clang-format off */
static const row rows[] = {
    {"nextUpdate of the TCB info", {NEXT("tcb_info_date.next")}, FAILS, ATLS_E_EXPIRED, "tcb_info.nextUpdate", "nextUpdate of the TCB info for TDX"},
    {"nextUpdate of the QE identity", {NEXT("qe_identity_date.next")}, FAILS, ATLS_E_EXPIRED, "qe_identity.nextUpdate", "nextUpdate of the identity"},
    {"nextUpdate of the PCK list", {NEXT("crl.pck.next_update")}, FAILS, ATLS_E_EXPIRED, "pck_crl.next_update", "revocation list of Intel SGX PCK"},
    {"nextUpdate of the root list", {NEXT("crl.root.next_update")}, FAILS, ATLS_E_EXPIRED, "root_ca_crl.next_update", "revocation list of Intel SGX Root CA"},
    {"notAfter of the PCK certificate, in the quote", {NEXT("cert.pck.not_after")}, FAILS, ATLS_E_EXPIRED, "pck.leaf.not_after", "in the evidence"},
    {"notAfter of the TCB signer", {NEXT("cert.tcb.not_after")}, FAILS, ATLS_E_EXPIRED, "tcb_info_issuer_chain.leaf.not_after", "notAfter of Intel SGX TCB Signing"},
    {"the first of several", {"tcb_info_date.next=2026-06-21T00:00:00Z", NEXT("crl.pck.next_update"), "cert.pck.not_after=2026-06-22T00:00:00Z"}, FAILS, ATLS_E_EXPIRED, "pck_crl.next_update", "revocation list"},
    {"end of the grace period", {"level.0.status=OutOfDate", "level.0.date=2026-06-10T00:00:00Z", GRACE}, FAILS, ATLS_E_GRACE_PERIOD_EXPIRED, "tcb.date", "grace period"},
    {"a date before the end of the grace period", {"level.0.status=OutOfDate", "level.0.date=2026-06-14T00:00:00Z", NEXT("tcb_info_date.next"), GRACE}, FAILS, ATLS_E_EXPIRED, "tcb_info.nextUpdate", "nextUpdate of the TCB info"},
    {"refused today already", {"level.0.status=OutOfDate"}, "2026-06-15T12:00:00Z", ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status", ""},
    {"expired today already", {"tcb_info_date.next=2026-06-15T11:59:59Z"}, "2026-06-15T12:00:00Z", ATLS_E_EXPIRED, "tcb_info.nextUpdate", ""},
    {"valid for this one second", {"tcb_info_date.next=2026-06-15T12:00:00Z"}, "2026-06-15T12:00:01Z", ATLS_E_EXPIRED, "tcb_info.nextUpdate", "TCB info"},
};
/* clang-format on */

static void must(bool ok, const atls_error *err)
{
    char line[640];
    if (!ok) {
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void forecast(world *w, atls_forecast_question *q, atls_forecast *out)
{
    must(atls_policy_parse(atls_bytes_str(w->policy), &w->parsed, &w->err), &w->err);
    q->policy = w->parsed;
    q->appraisal = w->in;
    must(atls_forecast_make(q, &w->arena, out, &w->err), &w->err);
}

static void open_world(world *w, const char *const *settings)
{
    world_open(w, SIM_TDX_V4, settings, "tdx");
    world_no_binding(w);
    w->in.event_log = atls_bytes_empty();
}

/* What the verifier says at the second before, and then. */
static void compare_with_verifier(world *w, const atls_forecast *f)
{
    atls_verifier *v = NULL;
    must(atls_verifier_new(w->parsed, &v, &w->err), &w->err);
    w->in.now = f->first_failure;
    assert_false(atls_verifier_appraise(v, &w->in, &w->arena, &w->result, &w->err));
    assert_int_equal(w->err.code, f->failure.code);
    assert_string_equal(w->err.field, f->failure.field);
    assert_string_equal(w->err.expected, f->failure.expected);
    assert_string_equal(w->err.actual, f->failure.actual);
    atls_error_clear(&w->err);
    if (f->now.accepted) {
        w->in.now--;
        must(atls_verifier_appraise(v, &w->in, &w->arena, &w->result, &w->err), &w->err);
    }
    atls_verifier_free(v);
}

static void test_row(void **state)
{
    const row *r = *state;
    world w;
    atls_forecast f;
    atls_forecast_question q = {.early = NULL};
    char at[ATLS_TIME_TEXT_SIZE];
    open_world(&w, r->settings);
    forecast(&w, &q, &f);
    assert_true(f.fails);
    atls_time_format(f.first_failure, at);
    if (f.failure.code != r->code || strcmp(at, r->at) != 0) {
        printf("# %s\n", at);
        must(false, &f.failure);
    }
    assert_string_equal(f.failure.field, r->field);
    if (strstr(f.because, r->because) == NULL || (r->because[0] == '\0' && f.because[0] != '\0')) {
        fail_msg("because: %s", f.because);
    }
    assert_true(f.now.accepted == (f.first_failure != w.in.now));
    for (size_t i = 1; i < f.n_dates; i++) {
        assert_true(f.dates[i - 1].time <= f.dates[i].time);
    }
    compare_with_verifier(&w, &f);
    world_close(&w);
}

/* ---- endorsements are asked for once, whatever the number of appraisals ---- */

typedef struct counted {
    sim *room;
    size_t n;
} counted;

static bool count(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                  atls_error *err)
{
    counted *c = ctx;
    c->n++;
    return sim_endorse(c->room, request, arena, out, err);
}

static void test_once(void **state)
{
    (void)state;
    world w;
    atls_forecast f;
    atls_forecast_question q = {.early = NULL};
    open_world(&w, NULL);
    counted c = {.room = w.room};
    w.in.endorse = count;
    w.in.endorse_ctx = &c;
    forecast(&w, &q, &f);
    assert_int_equal(c.n, 1);
    assert_true(f.n_appraisals > 3);
    world_close(&w);
}

static void test_none(void **state)
{
    (void)state;
    world w;
    atls_forecast f;
    atls_forecast_question q = {.early = NULL};
    open_world(&w, NULL);
    w.in.endorse = NULL;
    forecast(&w, &q, &f); /* an answer, not an error */
    assert_true(f.fails);
    assert_int_equal(f.failure.code, ATLS_E_ENDORSEMENTS_MISSING);
    assert_false(f.now.has_tcb);
    world_close(&w);
}

/* ---- what is short ---- */

typedef struct gap_row {
    const char *name;
    const char *settings[5];
    const char *component; /* NULL: nothing is short */
    uint32_t have, need;
    atls_tcb_status status;
    atls_code now; /* of the verdict */
} gap_row;

/* clang-format off */
static const gap_row gap_rows[] = {
    {"nothing is short", {NULL}, NULL, 0, 0, ATLS_TCB_UP_TO_DATE, ATLS_OK},
    {"a quoting enclave", {"qe.isvsvn=6"}, "qe.isvsvn", 6, 8, ATLS_TCB_OUT_OF_DATE, ATLS_E_TCB_STATUS_NOT_ALLOWED},
    {"pcesvn, so that no level is left", {"level.0.pcesvn=60000", "levels=1"}, "pcesvn", 0, 60000, ATLS_TCB_UNKNOWN, ATLS_E_TCB_NOT_SUPPORTED},
};
/* clang-format on */

static void test_gap(void **state)
{
    const gap_row *r = *state;
    world w;
    atls_forecast f;
    atls_forecast_question q = {.early = NULL};
    open_world(&w, r->settings);
    forecast(&w, &q, &f);
    if (f.now.error.code != r->now) {
        must(false, &f.now.error);
    }
    assert_true(f.now.has_tcb);
    assert_int_equal(f.now.status, r->status);
    assert_int_equal(f.now.n_gaps, r->component == NULL ? 0 : 1);
    if (r->component != NULL) {
        assert_string_equal(f.now.gaps[0].component, r->component);
        assert_int_equal(f.now.gaps[0].need, r->need);
        assert_true(r->have == 0 || f.now.gaps[0].have == r->have);
        assert_true(f.now.gaps[0].have < f.now.gaps[0].need);
    }
    world_close(&w);
}

/* The early set is a second room of the same seed, with a level more; today's verdict stays what it is. */
static void test_early(void **state)
{
    (void)state;
    static const char *const settings[] = {"level.0.sgx=ffffffffffffffffffffffffffffffff", "levels=1",
                                           "tcb_info.tcbEvaluationDataNumber=99", NULL};
    const sim_options options = {.kind = SIM_TDX_V4, .settings = settings};
    world w;
    sim *early = NULL;
    atls_forecast f;
    open_world(&w, NULL);
    must(sim_new(&options, &early, &w.err), &w.err);
    atls_forecast_question q = {.early = sim_endorse, .early_ctx = early};
    forecast(&w, &q, &f);
    assert_true(f.now.accepted);
    assert_int_equal(f.now.n_gaps, 0);
    assert_true(f.has_early);
    assert_false(f.early.accepted);
    assert_int_equal(f.early.error.code, ATLS_E_TCB_NOT_SUPPORTED);
    assert_int_equal(f.early.n_gaps, 16);
    assert_string_equal(f.early.gaps[15].component, "sgx_tcb_component[15]");
    assert_int_equal(f.early.gaps[15].need, 255);
    assert_true(f.first_failure > w.in.now); /* by the set that is used */
    sim_free(early);
    world_close(&w);
}

/* ---- other kinds of evidence ---- */

static void other(world *w, atls_bytes policy, atls_bytes evidence, atls_endorse_fn endorse, void *ctx,
                  atls_forecast *out)
{
    atls_forecast_question q = {.appraisal = {.evidence = evidence,
                                              .event_log = atls_bytes_empty(),
                                              .binding = {.profile = ""},
                                              .now = SIM_NOW,
                                              .endorse = endorse,
                                              .endorse_ctx = ctx}};
    must(atls_policy_parse(policy, &w->parsed, &w->err), &w->err);
    q.policy = w->parsed;
    must(atls_forecast_make(&q, &w->arena, out, &w->err), &w->err);
    w->in = q.appraisal;
    assert_false(out->now.has_tcb);
}

static void test_snp(void **state)
{
    (void)state;
    static const char *const settings[] = {"crl.next_update=2026-06-20T00:00:00Z", "policy.revocation=\"require\"",
                                           NULL};
    const sim_snp_options options = {.settings = settings};
    const uint8_t report_data[64] = {1};
    world w = {.room = NULL};
    sim_snp *room = NULL;
    atls_bytes policy, evidence;
    atls_forecast f;
    char at[ATLS_TIME_TEXT_SIZE];
    must(atls_arena_new(&w.arena, (size_t)64 * 1024 * 1024, &w.err), &w.err);
    must(sim_snp_new(&options, &room, &w.err), &w.err);
    must(sim_snp_policy(room, &w.arena, &policy, &w.err), &w.err);
    must(sim_snp_report(room, report_data, &w.arena, &evidence, &w.err), &w.err);
    other(&w, policy, evidence, sim_snp_endorse, room, &f);
    atls_time_format(f.first_failure, at);
    assert_string_equal(at, "2026-06-20T00:00:01Z");
    assert_int_equal(f.failure.code, ATLS_E_EXPIRED);
    assert_non_null(strstr(f.because, "revocation list of ARK-Genoa"));
    compare_with_verifier(&w, &f);
    sim_snp_free(room);
    atls_policy_free(w.parsed);
    atls_arena_free(&w.arena);
}

/* The end of max_age is on no list of dates: it is found between two that are. */
static void test_nitro_age(void **state)
{
    (void)state;
    const sim_nitro_options options = {.is_nitrotpm = false};
    const sim_nitro_request request = {.nonce = NULL};
    world w = {.room = NULL};
    sim_nitro *room = NULL;
    atls_bytes policy, evidence;
    atls_forecast f;
    must(atls_arena_new(&w.arena, (size_t)64 * 1024 * 1024, &w.err), &w.err);
    must(sim_nitro_new(&options, &room, &w.err), &w.err);
    must(sim_nitro_policy(room, &w.arena, &policy, &w.err), &w.err);
    must(sim_nitro_document(room, &request, &w.arena, &evidence, &w.err), &w.err);
    other(&w, policy, evidence, sim_nitro_endorse, room, &f);
    assert_int_equal(f.failure.code, ATLS_E_EVIDENCE_AGE);
    assert_true(f.first_failure > SIM_NOW && f.first_failure <= SIM_NOW + 3600);
    assert_string_equal(f.because, "");
    compare_with_verifier(&w, &f);
    sim_nitro_free(room);
    atls_policy_free(w.parsed);
    atls_arena_free(&w.arena);
}

/* Without a session nobody asks for its grade, and that is said; with one it is asked. */
static void test_grade(void **state)
{
    static const char *const settings[] = {"policy.min_grade=\"exporter\"", NEXT("tcb_info_date.next"), NULL};
    (void)state;
    for (int is_bound = 0; is_bound < 2; is_bound++) {
        world w;
        atls_forecast f;
        atls_forecast_question q = {.early = NULL};
        char at[ATLS_TIME_TEXT_SIZE];
        world_open(&w, SIM_TDX_V4, settings, "tdx");
        w.in.event_log = atls_bytes_empty();
        w.in.binding.grade = ATLS_GRADE_REPORT_DATA;
        if (is_bound == 0) {
            world_no_binding(&w);
        }
        forecast(&w, &q, &f);
        atls_time_format(f.first_failure, at);
        assert_int_equal(f.leaves_out_grade, is_bound == 0);
        assert_int_equal(f.now.accepted, is_bound == 0);
        assert_string_equal(at, is_bound == 0 ? FAILS : "2026-06-15T12:00:00Z");
        assert_int_equal(f.failure.code, is_bound == 0 ? ATLS_E_EXPIRED : ATLS_E_GRADE);
        if (is_bound == 0) {
            assert_int_equal(f.min_grade, ATLS_GRADE_EXPORTER);
            w.in.now = f.first_failure - 1; /* the verifier itself leaves nothing out */
            atls_verifier *v = NULL;
            must(atls_verifier_new(w.parsed, &v, &w.err), &w.err);
            assert_false(atls_verifier_appraise(v, &w.in, &w.arena, &w.result, &w.err));
            assert_int_equal(w.err.code, ATLS_E_GRADE);
            atls_verifier_free(v);
        }
        world_close(&w);
    }
}

static void test_usage(void **state)
{
    (void)state;
    world w;
    atls_forecast f;
    atls_forecast_question q = {.early = NULL};
    open_world(&w, NULL);
    must(atls_policy_parse(atls_bytes_str(w.policy), &w.parsed, &w.err), &w.err);
    q.policy = w.parsed;
    q.appraisal = w.in;
    q.appraisal.now = ATLS_TIME_UNSET;
    assert_false(atls_forecast_make(&q, &w.arena, &f, &w.err));
    assert_int_equal(w.err.code, ATLS_E_USAGE);
    atls_error_clear(&w.err);
    atls_arena small; /* memory that does not suffice is an error, and never "it fails" */
    static uint8_t block[64 * 1024];
    atls_arena_init(&small, block, sizeof block);
    q.appraisal.now = w.in.now;
    assert_false(atls_forecast_make(&q, &small, &f, &w.err));
    assert_int_equal(w.err.code, ATLS_E_MEMORY);
    world_close(&w);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "one question about endorsements", test_once, NULL);
    tap_add(&l, "no endorsements", test_none, NULL);
    for (size_t i = 0; i < sizeof gap_rows / sizeof gap_rows[0]; i++) {
        tap_add(&l, gap_rows[i].name, test_gap, &gap_rows[i]);
    }
    tap_add(&l, "an early set", test_early, NULL);
    tap_add(&l, "SEV-SNP", test_snp, NULL);
    tap_add(&l, "Nitro: an age, not a date", test_nitro_age, NULL);
    tap_add(&l, "a grade that only a session has", test_grade, NULL);
    tap_add(&l, "calls that make no sense", test_usage, NULL);
    return tap_run("verify/forecast", &l);
}
