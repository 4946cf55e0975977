/* SPDX-License-Identifier: Apache-2.0 */
/* Observers look on: they are called once, for what came of the request and for nothing else, on its thread; their text is bounded
 * and well-formed, or it is none; whatever they do, verdict, kind, certificate and record stay what they are. And what makes no
 * enroller, and no call. */
#include "policy.h"
#include "steps_scene.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};
static const scene_spec challenge = {.other_challenge = true};
static const scene_spec no_proof = {.no_proof = true};

/* ---- the text ---- */

static char long_text[ATLS_ENROL_MAX_EXPLANATION_LEN + 1];

typedef struct row {
    const char *name;
    const scene_spec *spec;
    const char *text; /* NULL: writes nothing */
    bool fails;
    bool overruns;
    bool scribbles;
    bool hide_codes;
    const char *explanation; /* NULL: none */
    unsigned faults;
} row;

static const row rows[] = {
    {"no text: the code", &challenge, NULL, false, false, false, false, "android.challenge", 0},
    {"no text, and no codes", &challenge, NULL, false, false, false, true, NULL, 0},
    {"a text", &challenge, "ask the \"desk\"", false, false, false, false, "ask the \"desk\"", 0},
    {"a text, and no codes", &challenge, "ask the desk", false, false, false, true, "ask the desk", 0},
    {"a text before the attestation", &no_proof, "no proof", false, false, false, false, "no proof", 0},
    {"a text of 1 KiB", &challenge, long_text, false, false, false, false, long_text, 0},
    {"a text without end", &challenge, NULL, false, true, false, false, NULL, 1},
    {"a text that is not UTF-8", &challenge, "\xc3(", false, false, false, false, NULL, 1},
    {"a failure", &challenge, NULL, true, false, false, false, NULL, 1},
    {"a failure with a text", &challenge, "text", true, false, false, false, NULL, 1},
    {"a failure before the attestation", &no_proof, "text", true, false, false, false, NULL, 1},
    {"writing into what is shown", &challenge, NULL, false, false, true, false, "android.challenge", 0},
};

static void open_row(scene *s, const row *r)
{
    scene_open(s, r->spec);
    s->observer_text = r->text;
    s->observer_fails = r->fails;
    s->observer_overruns = r->overruns;
    s->observer_scribbles = r->scribbles;
    s->options.hide_codes = r->hide_codes;
    scene_enroller(s);
}

static void test_text(void **state)
{
    const row *r = *state;
    scene s;
    scene quiet;
    open_row(&s, r);
    scene_open(&quiet, r->spec);
    quiet.in.observers = NULL;
    quiet.csr = s.csr; /* signatures differ each time */
    scene_run(&s);
    scene_run(&quiet);
    assert_int_equal(s.out.observer_faults, r->faults);
    const atls_enrol_response response = scene_response(&s);
    assert_int_equal(response.has_explanation, r->explanation != NULL);
    assert_true(r->explanation == NULL || atls_bytes_equal_str(response.explanation, r->explanation));
    /* everything else as if nobody had looked */
    assert_false(s.out.is_success);
    assert_int_equal(response.kind, scene_response(&quiet).kind);
    assert_int_equal(s.out.step, quiet.out.step);
    assert_string_equal(s.out.class_name, quiet.out.class_name);
    assert_memory_equal(&s.out.error, &quiet.out.error, sizeof s.out.error);
    assert_true(atls_bytes_equal(s.out.record, quiet.out.record));
    scene_close(&s);
    scene_close(&quiet);
}

/* ---- who is told what ---- */

static void test_shown(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &challenge);
    scene_run(&s);
    assert_string_equal(s.log, "CEA");
    assert_int_equal(s.failure.step, ATLS_ENROL_STEP_APPRAISE);
    assert_string_equal(s.failure.class_name, "Content.Android");
    assert_string_equal(s.failure.reason, "CHALLENGE");
    assert_int_equal(s.failure.kind, ATLS_CATEGORY_CONTENT);
    assert_int_equal(s.failure.platform, ATLS_PLATFORM_ANDROID);
    assert_true(atls_bytes_equal(s.failure.nonce, atls_bytes_of(s.nonce, sizeof s.nonce)));
    assert_non_null(s.failure.csr);
    assert_true(atls_bytes_equal(s.failure.record, s.out.record));
    scene_close(&s);
    scene_open(&s, &(scene_spec){.no_nonce = true});
    scene_run(&s);
    assert_string_equal(s.log, "P");
    assert_int_equal(s.failure.nonce.len, 0);
    assert_int_equal(s.failure.record.len, 0);
    assert_non_null(s.failure.csr);
    scene_close(&s);
}

static void test_success(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &honest);
    s.observer_fails = s.observer_scribbles = true;
    scene_run(&s);
    scene_words(&s, "Success");
    assert_string_equal(s.log, "CEIS");
    assert_int_equal(s.out.observer_faults, 1);
    const atls_enrol_response response = scene_response(&s);
    assert_true(response.is_success && response.n_chain == 2);
    assert_true(s.issued.len > 0 && atls_bytes_equal(s.out.chain[0], s.issued));
    scene_close(&s);
}

/* Each of them may be missing. */
static void test_missing(void **state)
{
    const scene_spec *const specs[] = {&honest, &challenge, &no_proof};
    const char *const logs[] = {"CEI", "CE", "C"};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        scene s;
        scene_open(&s, specs[i]);
        s.observers = (atls_enrol_observers){.ctx = &s};
        scene_run(&s);
        assert_string_equal(s.log, logs[i]);
        assert_int_equal(s.out.observer_faults, 0);
        scene_close(&s);
    }
}

/* A piece of the debug statement is no explanation, wherever it begins. */
static void test_leak(void **state)
{
    (void)state;
    for (size_t at = 0; at < 200; at += 67) {
        char text[120] = "look: ";
        scene s;
        scene_open(&s, &challenge);
        scene_run(&s);
        memcpy(text + 6, s.out.record.ptr + at, 110);
        s.is_used = false;
        s.observer_text = text;
        scene_run(&s);
        assert_int_equal(s.out.observer_faults, 1);
        assert_false(scene_response(&s).has_explanation);
        scene_close(&s);
    }
}

/* 48 bytes are a piece, 47 are none, wherever they stand in the text. */
static void test_least_leak(void **state)
{
    (void)state;
    for (size_t before = 0; before < 60; before += 7) {
        for (size_t len = 47; len < 49; len++) {
            char text[120] = "";
            scene s;
            scene_open(&s, &challenge);
            scene_run(&s);
            memset(text, '~', before + len + 3);
            memcpy(text + before, s.out.record.ptr + 100, len);
            s.is_used = false;
            s.observer_text = text;
            scene_run(&s);
            assert_int_equal(s.out.observer_faults, len - 47);
            assert_int_equal(scene_response(&s).has_explanation, len == 47);
            scene_close(&s);
        }
    }
}

/* ---- records, when they are wanted ---- */

static void test_when(void **state)
{
    (void)state;
    for (unsigned when = ATLS_RECORD_NEVER; when <= ATLS_RECORD_ALWAYS; when++) {
        scene s;
        scene_open(&s, &honest);
        s.in.record = (atls_record_when)when;
        scene_run(&s);
        scene_words(&s, "Success");
        assert_int_equal(s.out.record.len > 0, when == ATLS_RECORD_ALWAYS);
        scene_close(&s);
        scene_open(&s, &challenge);
        s.in.record = (atls_record_when)when;
        scene_run(&s);
        scene_words(&s, "Attestation Content.Android CHALLENGE CONTENT");
        assert_int_equal(s.out.record.len > 0, when != ATLS_RECORD_NEVER);
        scene_close(&s);
    }
}

/* ---- no enroller, no call ---- */

static void expect_no_enroller(const atls_enroller_options *o, const char *field)
{
    atls_enroller *e;
    atls_error err = {0};
    assert_false(atls_enroller_new(o, &e, &err));
    assert_null(e);
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, field);
}

/* A root that is not in the document would be in no digest of it, and in no debug statement. */
static void expect_no_roots(scene *s)
{
    static const scene_spec spec = {.kind = SIM_ANDROID_FACTORY};
    atls_enrol_statement statement;
    atls_policy *policy = NULL;
    atls_enroller_options o = s->options;
    scene_must(atls_enrol_statement_read(scene_statement(s, &spec), &s->arena, &statement, &s->err), &s->err, "chain");
    scene_must(
        atls_policy_parse_with_roots(s->android->source, &statement.x5c[statement.n_x5c - 1], 1, &policy, &s->err),
        &s->err, "policy");
    o.android = policy;
    expect_no_enroller(&o, "android");
    atls_policy_free(policy);
}

static void test_options(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &honest);
    atls_enroller_options o = s.options;
    o.android = o.apple = NULL;
    expect_no_enroller(&o, "policies");
    o = s.options;
    o.android = s.apple;
    expect_no_enroller(&o, "android");
    o = s.options;
    o.apple = s.android;
    expect_no_enroller(&o, "apple");
    expect_no_roots(&s);
    static const char *const oids[] = {NULL, "", "2.25.x", "2", "9.1"};
    for (size_t i = 0; i < sizeof oids / sizeof oids[0]; i++) {
        o = s.options;
        o.proof_oid = oids[i];
        expect_no_enroller(&o, "proof_oid");
    }
    static const int64_t offsets[] = {INT64_C(1) << 31, -(INT64_C(1) << 31), INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        o = s.options;
        o.offset_s = offsets[i];
        expect_no_enroller(&o, "offset_s");
    }
    scene_close(&s);
}

static void expect_no_call(scene *s, const atls_enrol_request *in, atls_code code)
{
    atls_error err = {0};
    assert_false(atls_enroller_run(s->enroller, in, &s->work, &s->out, &err));
    assert_int_equal(err.code, code);
    assert_false(s->out.is_success);
    assert_int_equal(s->out.response.len, 0);
    assert_string_equal(s->log, "");
}

static void test_calls(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &honest);
    s.in.csr = s.csr;
    atls_enrol_request in = s.in;
    in.consume = NULL;
    expect_no_call(&s, &in, ATLS_E_USAGE);
    in = s.in;
    in.issue = NULL;
    expect_no_call(&s, &in, ATLS_E_USAGE);
    in = s.in;
    in.now = ATLS_TIME_UNSET;
    expect_no_call(&s, &in, ATLS_E_USAGE);
    in = s.in;
    in.now_ms = 1000;
    expect_no_call(&s, &in, ATLS_E_USAGE);
    scene_close(&s);
}

/* However little memory there is: a response or none, never a certificate without its key's checks. */
static void test_memory(void **state)
{
    scene s;
    bool is_done = false;
    (void)state;
    scene_open(&s, &honest);
    s.in.csr = s.csr;
    for (size_t size = 64; !is_done; size += size / 4 + 2048) {
        atls_arena small;
        atls_error err = {0};
        assert_true(size < (size_t)8 * 1024 * 1024);
        assert_true(atls_arena_new(&small, size, &err));
        s.is_used = false;
        memset(s.log, 0, sizeof s.log);
        const bool ok = atls_enroller_run(s.enroller, &s.in, &small, &s.out, &err);
        is_done = ok && s.out.is_success && s.out.record.len > 0;
        assert_true(ok || err.code == ATLS_E_MEMORY);
        assert_int_equal(s.out.is_success, strchr(s.log, 'S') != NULL);
        assert_true(!ok || s.out.is_success || s.out.error.code != ATLS_OK);
        atls_arena_free(&small);
    }
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    memset(long_text, 'x', sizeof long_text - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_text, &rows[i]);
    }
    tap_add(&tests, "what observers are shown", test_shown, NULL);
    tap_add(&tests, "an observer of success that fails", test_success, NULL);
    tap_add(&tests, "observers that are not there", test_missing, NULL);
    tap_add(&tests, "a piece of the debug statement as the text", test_leak, NULL);
    tap_add(&tests, "the least piece of it", test_least_leak, NULL);
    tap_add(&tests, "when there is a debug statement", test_when, NULL);
    tap_add(&tests, "options that make no enroller", test_options, NULL);
    tap_add(&tests, "calls that make no sense", test_calls, NULL);
    tap_add(&tests, "little memory", test_memory, NULL);
    return tap_run("enrol/steps_observers", &tests);
}
