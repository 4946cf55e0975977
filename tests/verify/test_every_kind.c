/* SPDX-License-Identifier: Apache-2.0 */
/* test_every_kind.c: the same questions to every kind of evidence. Each kind is held against the policy of each other one, alone
 * and in an any_of, and each must refuse; and each is bound to a value in the same ways, and must find the same ones wrong. */
#include "kinds.h"
#include "verify/source.h"

static kinds all; /* made once; the tests only make evidence in it */

/* Reads a policy, appraises, and says in one line what came of it: "ok", "CODE field". The claims are copied. */
typedef struct outcome {
    char line[160];
    atls_claims claims;
    char chosen[32]; /* of an any_of */
    atls_check_verdict binding;
    bool has_binding;
    atls_grade grade;
} outcome;

static void note_checks(const atls_result *r, outcome *o)
{
    for (size_t i = 0; i < r->n_checks; i++) {
        if (strcmp(r->checks[i].id, "any_of") == 0 && r->checks[i].actual != NULL) {
            (void)snprintf(o->chosen, sizeof o->chosen, "%s", r->checks[i].actual);
        }
        if (strcmp(r->checks[i].id, "binding") == 0) {
            o->has_binding = true;
            o->binding = r->checks[i].verdict;
        }
    }
}

static void judge(const char *policy, const atls_appraisal *in, outcome *o)
{
    atls_policy *p = NULL;
    atls_verifier *v = NULL;
    atls_arena a;
    atls_result r;
    atls_error err = {0};
    *o = (outcome){.line = ""};
    assert_true(atls_arena_new(&a, (size_t)32 * 1024 * 1024, &err));
    if (!atls_policy_parse(atls_bytes_str(policy), &p, &err) || !atls_verifier_new(p, &v, &err)) {
        fail_msg("%s: %s in %s", err.field, err.message, policy);
    }
    const bool ok = atls_verifier_appraise(v, in, &a, &r, &err);
    assert_int_equal(ok, r.verdict == ATLS_VERDICT_ACCEPTED);
    assert_int_equal(ok, err.code == ATLS_OK);
    note_checks(&r, o);
    o->grade = r.grade;
    o->claims = r.claims;
    (void)snprintf(o->line, sizeof o->line, "%s%s%s", ok ? "ok" : atls_code_name(err.code), ok ? "" : " ",
                   ok ? "" : err.field);
    atls_verifier_free(v);
    atls_policy_free(p);
    atls_arena_free(&a);
}

static void fill_value(uint8_t out[80])
{
    for (size_t i = 0; i < 80; i++) {
        out[i] = (uint8_t)(0xa0 + i);
    }
}

/* Evidence over 32 bytes, and the binding that asks for them: what every kind can hold. */
static void make_bound(kind_id id, atls_appraisal *in)
{
    uint8_t value[80];
    fill_value(value);
    kind_make(&all, id, atls_bytes_of(value, 32), in);
    in->binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32};
    memcpy(in->binding.value, value, 32);
}

/* ---- evidence of one kind under the policy of another ---- */

#define OK         "ok"
#define TEE        "TEE_TYPE_MISMATCH quote.header.tee_type"
#define NO_LOG     "EVENT_LOG_PARSE event_log"
#define QUOTE      "QUOTE_FORMAT quote.header.version"
#define KEY_TYPE   "QUOTE_FORMAT quote.header.att_key_type" /* an SNP report begins with 3 or 5, as quotes do */
#define REPORT     "EVIDENCE_FORMAT report.version"
#define FORM       "EVIDENCE_FORMAT " /* none of the forms that hold quotes of a TPM */
#define DOCUMENT   "EVIDENCE_FORMAT document"
#define ENCLAVE    "TEE_TYPE_MISMATCH document.payload.pcrs"
#define INSTANCE   "TEE_TYPE_MISMATCH document.payload.nitrotpm_pcrs"
#define NO_REPORT  "KEY_NOT_AUTHENTICATED hardware" /* the policy wants a report around the key */
#define NO_VOUCHER "KEY_NOT_AUTHENTICATED ak_pub"   /* the policy does not look at reports */
#define NOT_TDX    "TEE_TYPE_MISMATCH hardware"
#define NOT_SNP    "TEE_TYPE_MISMATCH hardware"

/* clang-format off */
/* [evidence][policy], in the order of kind_id. A TD's quote is one whether dstack runs in it or not, and the two documents
 * of a TPM are one kind: which of them it is decides how the value is held. */
static const char *const expected[N_KINDS][N_KINDS] = {
    {OK,       TEE,      NO_LOG,   REPORT, FORM,       FORM,       DOCUMENT, DOCUMENT, FORM,      FORM},
    {TEE,      OK,       NO_LOG,   REPORT, FORM,       FORM,       DOCUMENT, DOCUMENT, FORM,      FORM},
    {OK,       TEE,      OK,       REPORT, FORM,       FORM,       DOCUMENT, DOCUMENT, FORM,      FORM},
    {KEY_TYPE, KEY_TYPE, KEY_TYPE, OK,     FORM,       FORM,       DOCUMENT, DOCUMENT, FORM,      FORM},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, OK,         OK,         DOCUMENT, DOCUMENT, NO_REPORT, NO_REPORT},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, OK,         OK,         DOCUMENT, DOCUMENT, NO_REPORT, NO_REPORT},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, FORM,       FORM,       OK,       ENCLAVE,  FORM,      FORM},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, FORM,       FORM,       INSTANCE, OK,       FORM,      FORM},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, NO_VOUCHER, NO_VOUCHER, DOCUMENT, DOCUMENT, OK,        NOT_TDX},
    {QUOTE,    QUOTE,    QUOTE,    REPORT, NO_VOUCHER, NO_VOUCHER, DOCUMENT, DOCUMENT, NOT_SNP,   OK},
};
/* clang-format on */

typedef struct cell {
    kind_id evidence;
    kind_id policy;
    char name[3][64];
} cell;

static cell cells[N_KINDS * N_KINDS];

static void test_cell(void **state)
{
    const cell *c = *state;
    atls_appraisal in;
    outcome o;
    make_bound(c->evidence, &in);
    judge(all.policies[c->policy], &in, &o);
    assert_string_equal(o.line, expected[c->evidence][c->policy]);
}

static bool fits(kind_id evidence, kind_id policy)
{
    return strcmp(expected[evidence][policy], OK) == 0;
}

/* ---- any_of ---- */

static char *any_of(const bool takes[N_KINDS])
{
    size_t len = 64;
    for (size_t i = 0; i < N_KINDS; i++) {
        len += strlen(all.policies[i]) + 1;
    }
    char *text = malloc(len);
    assert_non_null(text);
    int n = snprintf(text, len, "{\"type\":\"any_of\",\"policies\":[");
    for (size_t i = 0, k = 0; i < N_KINDS; i++) {
        if (takes[i]) {
            n += snprintf(text + n, len - (size_t)n, "%s%s", k++ == 0 ? "" : ",", all.policies[i]);
        }
    }
    (void)snprintf(text + n, len - (size_t)n, "]}");
    return text;
}

/* Of all kinds at once: the first that its policy accepts is named. */
static void test_any_of_all(void **state)
{
    const cell *c = *state;
    const bool takes[N_KINDS] = {true, true, true, true, true, true, true, true, true, true};
    char wanted[32];
    atls_appraisal in;
    outcome o;
    size_t first = 0;
    while (!fits(c->evidence, (kind_id)first)) {
        first++;
    }
    (void)snprintf(wanted, sizeof wanted, "policies[%zu]", first);
    char *policy = any_of(takes);
    make_bound(c->evidence, &in);
    judge(policy, &in, &o);
    assert_string_equal(o.line, OK);
    assert_string_equal(o.chosen, wanted);
    in.binding.value[31] ^= 1; /* no alternative forgives it */
    judge(policy, &in, &o);
    assert_memory_equal(o.line, "REPORT_DATA_MISMATCH ", strlen("REPORT_DATA_MISMATCH "));
    assert_non_null(strstr(o.line, kind_field(c->evidence)));
    free(policy);
}

/* Of all the others: nine refusals are one. */
static void test_any_of_others(void **state)
{
    const cell *c = *state;
    bool takes[N_KINDS];
    atls_appraisal in;
    outcome o;
    for (size_t i = 0; i < N_KINDS; i++) {
        takes[i] = !fits(c->evidence, (kind_id)i);
    }
    char *policy = any_of(takes);
    make_bound(c->evidence, &in);
    judge(policy, &in, &o);
    assert_string_not_equal(o.line, OK);
    assert_int_equal(o.claims.platform, ATLS_PLATFORM_NONE);
    free(policy);
}

/* Of two kinds: evidence of a third never passes, and one of theirs passes by its own policy. */
static void test_any_of_two(void **state)
{
    const cell *c = *state;
    bool takes[N_KINDS] = {false};
    takes[c->evidence] = takes[c->policy] = true;
    char *policy = any_of(takes);
    for (size_t i = 0; i < N_KINDS; i++) {
        const bool first = fits((kind_id)i, c->evidence), second = fits((kind_id)i, c->policy);
        atls_appraisal in;
        outcome o;
        make_bound((kind_id)i, &in);
        judge(policy, &in, &o);
        assert_int_equal(strcmp(o.line, OK) == 0, first || second);
        assert_string_equal(o.chosen, first ? "policies[0]" : second ? "policies[1]" : o.chosen);
    }
    free(policy);
}

/* ---- the same binding to every kind ---- */

typedef enum wish { NO_GRADE, DATA, EXPORTER, SESSION, NO_VALUE } wish;

typedef struct binding_row {
    const char *name;
    size_t made;   /* so many bytes of the value are quoted */
    size_t behind; /* and so many zeros behind them */
    bool zeros;    /* only zeros are quoted */
    size_t asked;  /* so many bytes are asked for; 64: without a length */
    int flip;      /* bit of them, -1: none */
    wish wish;
    const char *more; /* of the policy */
    const char *expected[N_HOLDS];
} binding_row;

/* What a row expects: BOUND, or the kind's own field, or a line of an outcome. NULL: the value does not fit into the kind. */
#define BOUND  "ok"
#define FIELD  "REPORT_DATA_MISMATCH"
#define LENGTH "USAGE binding.value" /* this kind holds 32 bytes and no others */
#define FORM   "EVIDENCE_FORMAT "    /* no form of evidence for sessions: a hash over what its sender chooses, too */
#define GRADE  "GRADE min_grade"
#define LEAST  ",\"min_grade\":\"session\""
#define SAME(x)                                                                                                        \
    {                                                                                                                  \
        x, x, x, x                                                                                                     \
    }

/* clang-format off */
static const binding_row rows[] = {
    {"32 bytes",                          32, 0,  false, 32, -1,  DATA, "", SAME(BOUND)},
    {"64 bytes",                          64, 0,  false, 64, -1,  DATA, "", {BOUND, BOUND, LENGTH, BOUND}},
    {"32: the first bit is another",      32, 0,  false, 32, 0,   DATA, "", SAME(FIELD)},
    {"32: the last bit is another",       32, 0,  false, 32, 255, DATA, "", SAME(FIELD)},
    {"64: the first bit is another",      64, 0,  false, 64, 0,   DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"64: the last bit is another",       64, 0,  false, 64, 511, DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"64: a bit of the middle",           64, 0,  false, 64, 256, DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"made a byte short",                 31, 0,  false, 32, -1,  DATA, "", SAME(FIELD)},
    {"made a byte long",                  33, 0,  false, 32, -1,  DATA, "", SAME(FIELD)},
    {"asked a byte short",                32, 0,  false, 31, -1,  DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"asked a byte long",                 32, 0,  false, 33, -1,  DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"made one byte",                     1,  0,  false, 32, -1,  DATA, "", SAME(FIELD)},
    {"asked one byte",                    32, 0,  false, 1,  -1,  DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"made half",                         32, 0,  false, 64, -1,  DATA, "", {FIELD, FIELD, LENGTH, FIELD}},
    {"asked half",                        64, 0,  false, 32, -1,  DATA, "", SAME(FIELD)},
    {"a zero behind it",                  32, 1,  false, 32, -1,  DATA, "", {BOUND, FIELD, FIELD, FIELD}},
    {"zeros behind it, up to 64",         32, 32, false, 32, -1,  DATA, "", {BOUND, FIELD, FIELD, FIELD}},
    {"65 bytes",                          65, 0,  false, 64, -1,  DATA, "", {NULL, "EVIDENCE_FORMAT quotes[0].quote.extra_data", LENGTH, FIELD}},
    {"nothing",                           0,  0,  false, 32, -1,  DATA, "", {FIELD, "REPORT_DATA_MISMATCH quotes[0].extra_data", FIELD, FIELD}},
    {"zeros",                             32, 0,  true,  32, -1,  DATA, "", SAME(FIELD)},
    {"zeros, and zeros are asked for",    32, 0,  true,  32, -1,  NO_VALUE, "", SAME("USAGE binding.value")},
    {"a value, and no grade",             32, 0,  false, 32, -1,  NO_GRADE, "", SAME("USAGE binding.grade")},

    {"a session's 64 bytes",              64, 0,  false, 64, -1,  SESSION, "", {BOUND, FIELD, FORM, BOUND}},
    {"a session's first half",            32, 0,  false, 64, -1,  SESSION, "", {FIELD, BOUND, FORM, FIELD}},
    {"a session's 64, the first bit",     64, 0,  false, 64, 0,   SESSION, "", {FIELD, FIELD, FORM, FIELD}},
    {"a session's first half, its last bit", 32, 0, false, 64, 255, SESSION, "", {FIELD, FIELD, FORM, FIELD}},
    {"a session under a policy of sessions", 64, 0, false, 64, -1, SESSION, LEAST, {BOUND, FIELD, FORM, BOUND}},
    {"no session under a policy of sessions", 32, 0, false, 32, -1, DATA, LEAST, SAME(GRADE)},
    {"an exporter's value under a policy of sessions", 32, 0, false, 32, -1, EXPORTER, LEAST, SAME(GRADE)},
};
/* clang-format on */

static void bind_as(const binding_row *r, atls_binding *b)
{
    static const atls_grade grades[] = {ATLS_GRADE_NONE, ATLS_GRADE_REPORT_DATA, ATLS_GRADE_EXPORTER,
                                        ATLS_GRADE_SESSION, ATLS_GRADE_REPORT_DATA};
    uint8_t value[80];
    fill_value(value);
    *b = (atls_binding){.grade = grades[r->wish], .profile = r->wish == SESSION ? "atls/1" : ""};
    b->value_len = (uint8_t)(r->asked == 64 ? 0 : r->asked);
    if (r->wish != NO_VALUE) {
        memcpy(b->value, value, r->asked);
    }
    if (r->flip >= 0) {
        b->value[r->flip / 8] ^= (uint8_t)(0x80u >> r->flip % 8);
    }
}

static char *policy_with(kind_id id, const char *more)
{
    const char *policy = all.policies[id];
    const size_t len = strlen(policy) + strlen(more) + 1;
    char *text = malloc(len);
    assert_non_null(text);
    (void)snprintf(text, len, "%.*s%s}", (int)strlen(policy) - 1, policy, more);
    return text;
}

static void check_row(const binding_row *r, kind_id id)
{
    const char *wanted = r->expected[kind_holds_of(id)];
    uint8_t value[80];
    char line[160];
    atls_appraisal in;
    outcome o;
    if (wanted == NULL) {
        return;
    }
    fill_value(value);
    memset(value + (r->zeros ? 0 : r->made), 0, sizeof value - (r->zeros ? 0 : r->made));
    kind_make(&all, id, atls_bytes_of(value, r->made + r->behind), &in);
    bind_as(r, &in.binding);
    char *policy = policy_with(id, r->more);
    judge(policy, &in, &o);
    free(policy);
    (void)snprintf(line, sizeof line, "%s%s%s", wanted, strcmp(wanted, FIELD) == 0 ? " " : "",
                   strcmp(wanted, FIELD) == 0 ? kind_field(id) : "");
    assert_string_equal(o.line, line);
    if (strcmp(wanted, BOUND) == 0) {
        assert_true(o.has_binding && o.binding == ATLS_CHECK_PASS);
        assert_int_equal(o.grade, in.binding.grade);
    }
}

static void test_row(void **state)
{
    const binding_row *r = *state;
    for (size_t i = 0; i < N_KINDS; i++) {
        check_row(r, (kind_id)i);
    }
}

/* Without a binding a yes says that nothing was compared; a policy that wants a grade refuses. */
static void test_no_binding(void **state)
{
    const cell *c = *state;
    atls_appraisal in;
    outcome o;
    make_bound(c->evidence, &in);
    in.binding = (atls_binding){.profile = ""};
    judge(all.policies[c->evidence], &in, &o);
    assert_string_equal(o.line, OK);
    assert_true(o.has_binding && o.binding == ATLS_CHECK_SKIPPED);
    assert_int_equal(o.grade, ATLS_GRADE_NONE);
    char *policy = policy_with(c->evidence, ",\"min_grade\":\"report_data\"");
    judge(policy, &in, &o);
    assert_string_equal(o.line, GRADE);
    free(policy);
}

/* ---- the value as another kind holds it ---- */

/* [evidence][whose way of holding]: whether what the other would hold is what this one must. */
static const bool same_way[N_HOLDS][N_HOLDS] = {
    [HOLDS_64] = {true, true, false, true}, /* 32 bytes are filled up with zeros */
    [HOLDS_ANY] = {false, true, false, true},
    [HOLDS_HASH] = {false, true, false, true}, /* the hash of a hash is another */
    [HOLDS_ANY_64] = {false, true, false, true},
};

static void test_others_way(void **state)
{
    const cell *c = *state;
    atls_appraisal in;
    outcome o;
    uint8_t value[80];
    const bool same = same_way[kind_holds_of(c->evidence)][kind_holds_of(c->policy)];
    make_bound(c->policy, &in);
    judge(all.policies[c->policy], &in, &o);
    assert_string_equal(o.line, OK);
    const atls_bytes held = atls_bytes_of(o.claims.report_data, o.claims.report_data_len);
    kind_make(&all, c->evidence, held, &in);
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = 32};
    fill_value(value);
    memcpy(in.binding.value, value, 32);
    judge(all.policies[c->evidence], &in, &o);
    assert_int_equal(strcmp(o.line, OK) == 0, same);
    if (!same) {
        assert_memory_equal(o.line, FIELD " ", strlen(FIELD " "));
        assert_string_equal(o.line + strlen(FIELD " "), kind_field(c->evidence));
    }
}

/* What the hardware around a TPM's key was made for is the same for ever, and binds nothing. */
static void test_value_of_hardware(void **state)
{
    (void)state;
    static const kind_id azure[] = {KIND_AZURE_SNP, KIND_AZURE_TDX};
    for (size_t i = 0; i < 2; i++) {
        atls_appraisal in;
        outcome o;
        make_bound(azure[i], &in);
        in.binding.value_len = 0;
        memcpy(in.binding.value, all.report_data, sizeof all.report_data);
        judge(all.policies[azure[i]], &in, &o);
        assert_string_equal(o.line, "REPORT_DATA_MISMATCH quote.extra_data");
        in.binding.value_len = 32; /* the rest is zeros */
        judge(all.policies[azure[i]], &in, &o);
        assert_string_equal(o.line, "REPORT_DATA_MISMATCH quote.extra_data");
    }
}

/* ---- all of it ---- */

static char names[N_KINDS][3][64];

static void add_cells(tap_list *tests)
{
    for (size_t i = 0; i < N_KINDS * N_KINDS; i++) {
        cells[i] = (cell){.evidence = (kind_id)(i / N_KINDS), .policy = (kind_id)(i % N_KINDS)};
        const char *a = kind_name(cells[i].evidence), *b = kind_name(cells[i].policy);
        (void)snprintf(cells[i].name[0], sizeof cells[i].name[0], "%s where %s is asked for", a, b);
        (void)snprintf(cells[i].name[1], sizeof cells[i].name[1], "%s, bound as %s is", a, b);
        (void)snprintf(cells[i].name[2], sizeof cells[i].name[2], "any of %s and %s", a, b);
        tap_add(tests, cells[i].name[0], test_cell, &cells[i]);
        tap_add(tests, cells[i].name[1], test_others_way, &cells[i]);
        if (cells[i].evidence < cells[i].policy) {
            tap_add(tests, cells[i].name[2], test_any_of_two, &cells[i]);
        }
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        const char *a = kind_name((kind_id)i);
        (void)snprintf(names[i][0], sizeof names[i][0], "%s where any kind is asked for", a);
        (void)snprintf(names[i][1], sizeof names[i][1], "%s where any other kind is asked for", a);
        (void)snprintf(names[i][2], sizeof names[i][2], "%s without a binding", a);
        tap_add(tests, names[i][0], test_any_of_all, &cells[i * N_KINDS]);
        tap_add(tests, names[i][1], test_any_of_others, &cells[i * N_KINDS]);
        tap_add(tests, names[i][2], test_no_binding, &cells[i * N_KINDS]);
    }
}

/* ---- a source that fails -------------------------------------------------------------------------------------------------- */

typedef struct failing {
    atls_code code;
    atls_platform only; /* for this kind of hardware; NONE: always */
} failing;

static bool endorse_badly(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                          atls_error *err)
{
    const failing *f = ctx;
    if (f->only != ATLS_PLATFORM_NONE && request->platform != f->only) {
        return kinds_endorse(&all, request, a, out, err);
    }
    return atls_fail(err, f->code, "own", NULL);
}

static void fails_with(kind_id id, atls_code code, atls_platform only, outcome *o)
{
    uint8_t value[32];
    failing f = {.code = code, .only = only};
    atls_appraisal in;
    memset(value, 0x42, sizeof value);
    kind_make(&all, id, atls_bytes_of(value, sizeof value), &in);
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = sizeof value};
    memcpy(in.binding.value, value, sizeof value);
    in.endorse = endorse_badly;
    in.endorse_ctx = &f;
    judge(all.policies[id], &in, o);
}

/* "There is none" and "nobody could be asked" leave the question open, for the policy to answer. Whatever else is wrong with one's own
 * source may have been about the list that revokes. */
static void a_source_that_fails(void **state)
{
    static const atls_code ends[] = {ATLS_E_LIMIT,    ATLS_E_MEMORY, ATLS_E_COLLATERAL_FORMAT, ATLS_E_EXPIRED,
                                     ATLS_E_INTERNAL, ATLS_E_USAGE,  ATLS_E_CONFIGURATION};
    static const atls_code open[] = {ATLS_E_ENDORSEMENTS_MISSING, ATLS_E_IO, ATLS_E_TIMEOUT};
    char line[64];
    outcome o;
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        (void)snprintf(line, sizeof line, "%s own", atls_code_name(ends[i]));
        for (int id = 0; id < N_KINDS; id++) {
            fails_with((kind_id)id, ends[i], ATLS_PLATFORM_NONE, &o);
            assert_string_equal(o.line, line);
        }
        (void)snprintf(line, sizeof line, "%s hardware.own", atls_code_name(ends[i]));
        fails_with(KIND_AZURE_SNP, ends[i], ATLS_PLATFORM_SEV_SNP, &o);
        assert_string_equal(o.line, line);
        fails_with(KIND_AZURE_TDX, ends[i], ATLS_PLATFORM_TDX, &o);
        assert_string_equal(o.line, line);
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        fails_with(KIND_NITRO, open[i], ATLS_PLATFORM_NONE, &o);
        assert_string_equal(o.line, "ok");
        fails_with(KIND_TDX, open[i], ATLS_PLATFORM_NONE, &o);
        (void)snprintf(line, sizeof line, "%s own", atls_code_name(open[i]));
        assert_string_equal(o.line, line);
    }
}

/* It has the list, and not the leaf. */
static bool endorse_lists(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                          atls_error *err)
{
    const atls_bytes *list = ctx;
    (void)a;
    out->pile.crls = list;
    out->pile.n_crls = 1;
    return !request->sev_snp.needs_leaf || atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.vcek", NULL);
}

static void the_rest_is_asked_for(void **state)
{
    static uint8_t block[4096];
    const atls_bytes list = atls_bytes_str("list");
    const atls_bytes leaf = atls_bytes_str("leaf");
    const atls_certificate_pile came_along = {.certificates = &leaf, .n_certificates = 1};
    const atls_certificate_pile nothing = {.certificates = NULL};
    union {
        const atls_bytes *in;
        void *out;
    } ctx = {.in = &list};
    const atls_appraisal in = {.endorse = endorse_lists, .endorse_ctx = ctx.out};
    const atls_endorsement_request request = {.platform = ATLS_PLATFORM_SEV_SNP,
                                              .sev_snp = {.needs_leaf = true, .needs_chain = true}};
    atls_nested_source s = {.in = &in, .pile = &came_along};
    atls_endorsements out;
    atls_error err = {.code = ATLS_OK};
    atls_arena a;
    (void)state;
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_nested_endorse(&s, &request, &a, &out, &err));
    assert_int_equal(out.pile.n_crls, 1);
    assert_int_equal(out.pile.n_certificates, 1);
    assert_int_equal(s.why.code, ATLS_E_ENDORSEMENTS_MISSING);
    s = (atls_nested_source){.in = &in, .pile = &nothing}; /* nothing came along: there is no use for a list */
    assert_true(atls_nested_endorse(&s, &request, &a, &out, &err));
    assert_int_equal(out.pile.n_crls, 0);
}

/* A bundle's lists of nobody in particular are for TPMs, and for those whom a CA has enrolled. */
static void lists_of_others(void **state)
{
    static const atls_platform asked_for[] = {ATLS_PLATFORM_TPM, ATLS_PLATFORM_ENROLLED};
    static const uint8_t seed[32] = {1, 2, 3};
    atls_endorsement_request request = {.platform = ATLS_PLATFORM_TPM, .pck_ca = ""};
    atls_bundle_pieces pieces;
    atls_bundle bundle;
    atls_bundle_key key;
    atls_endorsements own, out;
    atls_error err = {.code = ATLS_OK};
    atls_bytes secret, public_pem, file;
    atls_arena a;
    (void)state;
    assert_true(atls_arena_new(&a, (size_t)16 * 1024 * 1024, &err));
    atls_bundle_pieces_init(&pieces, &a);
    assert_true(sim_tpm_endorse(all.tpm, &request, &a, &own, &err) && own.pile.n_crls > 0);
    assert_true(atls_bundle_key_pair(seed, &a, &secret, &public_pem, &err)
                && atls_bundle_key_parse(public_pem, &key, &err) && atls_bundle_add(&pieces, &own, &err)
                && atls_bundle_pack(&pieces, 1, SIM_NOW, secret, &file, &err)
                && atls_bundle_open(file, &key, 1, &a, &bundle, &err));
    for (size_t i = 0; i < sizeof asked_for / sizeof asked_for[0]; i++) {
        request.platform = asked_for[i];
        assert_true(atls_bundle_endorse(&bundle, &request, &a, &out, &err));
        assert_int_equal(out.pile.n_crls, own.pile.n_crls);
    }
    atls_arena_free(&a);
}

int main(void)
{
    tap_list tests = {0};
    kinds_open(&all);
    add_cells(&tests);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "the value of the hardware around a key", test_value_of_hardware, NULL);
    tap_add(&tests, "a source that fails", a_source_that_fails, NULL);
    tap_add(&tests, "the list alone, for a report that came with its certificates", the_rest_is_asked_for, NULL);
    tap_add(&tests, "a bundle's lists of others", lists_of_others, NULL);
    const int failed = tap_run("verify/every_kind", &tests);
    kinds_close(&all);
    return failed;
}
