/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c and names.c: the list of checks and the words of a result. */
#include "claims.h"
#include "tests/base/check.h"

static atls_trace new_trace(void)
{
    atls_trace t;
    atls_error err = {.code = ATLS_OK};
    assert_true(atls_trace_init(&t, check_arena(), &err));
    return t;
}

static void check_entry(const atls_check *c, const char *id, atls_check_verdict verdict, atls_code code,
                        const char *field)
{
    assert_string_equal(c->id, id);
    assert_int_equal(c->verdict, verdict);
    assert_int_equal(c->code, code);
    assert_string_equal(c->field, field);
    assert_non_null(c->expected);
    assert_non_null(c->actual);
    assert_non_null(c->why);
}

static void test_kinds(void **state)
{
    atls_trace t = new_trace();
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_trace_pass(&t, "a.pass", "f1", NULL, &err));
    assert_true(atls_trace_skip(&t, "a.skip", "f2", "because", &err));
    assert_true(atls_trace_na(&t, "a.na", NULL, "never", &err));
    assert_true(atls_trace_step(&t, true, "a.step", "f4", &err));
    check_entry(&t.items[0], "a.pass", ATLS_CHECK_PASS, ATLS_OK, "f1");
    check_entry(&t.items[1], "a.skip", ATLS_CHECK_SKIPPED, ATLS_OK, "f2");
    assert_string_equal(t.items[1].why, "because");
    check_entry(&t.items[2], "a.na", ATLS_CHECK_NOT_APPLICABLE, ATLS_OK, "");
    check_entry(&t.items[3], "a.step", ATLS_CHECK_PASS, ATLS_OK, "f4");
    assert_int_equal(t.n, 4);
}

/* What a failed step leaves is a copy: the error may go. */
static void test_failed_step(void **state)
{
    atls_trace t = new_trace();
    atls_error err = {.code = ATLS_OK};
    (void)state;
    (void)atls_fail_values(&err, ATLS_E_CRL, "root_ca_crl.x", "one", "other", "a %s", "sentence");
    assert_false(atls_trace_step(&t, false, "a.step", "ignored", &err));
    memset(&err, 'x', sizeof err);
    check_entry(&t.items[0], "a.step", ATLS_CHECK_FAIL, ATLS_E_CRL, "root_ca_crl.x");
    assert_string_equal(t.items[0].expected, "one");
    assert_string_equal(t.items[0].actual, "other");
    assert_string_equal(t.items[0].why, "a sentence");
}

/* A step that failed and gave no reason must not look like a yes. */
static void test_failed_step_without_reason(void **state)
{
    atls_trace t = new_trace();
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_false(atls_trace_step(&t, false, "a.step", "f", &err));
    check_error(&err, ATLS_E_INTERNAL, "f");
    check_entry(&t.items[0], "a.step", ATLS_CHECK_FAIL, ATLS_E_INTERNAL, "f");
}

static void test_compare(void **state)
{
    atls_trace t = new_trace();
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_trace_compare(&t, true, "a", ATLS_E_GRADE, "f", "1", "1", "why", &err));
    assert_int_equal(err.code, ATLS_OK);
    assert_false(atls_trace_compare(&t, false, "b", ATLS_E_GRADE, "g", "1", "2", NULL, &err));
    assert_false(atls_trace_compare(&t, false, "c", ATLS_E_IO, "h", "1", "3", "100% wrong %s", &err));
    assert_true(atls_trace_compare(&t, true, "d", ATLS_E_GRADE, "i", "1", "1", NULL, &err));
    check_error(&err, ATLS_E_GRADE, "g"); /* the first */
    assert_string_equal(err.actual, "2");
    check_entry(&t.items[0], "a", ATLS_CHECK_PASS, ATLS_OK, "f");
    check_entry(&t.items[1], "b", ATLS_CHECK_FAIL, ATLS_E_GRADE, "g");
    assert_string_equal(t.items[1].why, atls_code_text(ATLS_E_GRADE));
    check_entry(&t.items[2], "c", ATLS_CHECK_FAIL, ATLS_E_IO, "h");
    assert_string_equal(t.items[2].why, "100% wrong %s"); /* text, not a format */
    check_entry(&t.items[3], "d", ATLS_CHECK_PASS, ATLS_OK, "i");
}

/* A yes must list all it rests on: what no longer fits is an error, except of a no. */
static void test_full(void **state)
{
    atls_trace t = new_trace();
    atls_error err = {.code = ATLS_OK};
    (void)state;
    for (size_t i = 0; i < ATLS_MAX_CHECKS; i++) {
        assert_true(atls_trace_pass(&t, "a", "f", NULL, &err));
    }
    assert_false(atls_trace_pass(&t, "a", "f", NULL, &err));
    check_error(&err, ATLS_E_LIMIT, "checks");
    assert_false(atls_trace_skip(&t, "a", "f", "w", &err));
    assert_false(atls_trace_na(&t, "a", "f", "w", &err));
    assert_false(atls_trace_compare(&t, true, "a", ATLS_E_IO, "f", "", "", NULL, &err));
    atls_error_clear(&err);
    assert_false(atls_trace_compare(&t, false, "a", ATLS_E_IO, "f", "", "", NULL, &err));
    check_error(&err, ATLS_E_IO, "f");
    assert_false(atls_trace_fail(&t, "a", &err));
    assert_int_equal(t.n, ATLS_MAX_CHECKS);
}

static void test_without_memory(void **state)
{
    static uint8_t block[ATLS_MAX_CHECKS * sizeof(atls_check) + 64];
    atls_arena a;
    atls_trace t;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    atls_arena_init(&a, block, 64);
    assert_false(atls_trace_init(&t, &a, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    assert_false(atls_trace_compare(&t, false, "a", ATLS_E_IO, "f", "", "", NULL, &err)); /* nowhere to put it */
    assert_false(atls_trace_pass(&t, "a", "f", NULL, &err));
    assert_int_equal(t.n, 0);
    atls_error_clear(&err);
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_trace_init(&t, &a, &err));
    assert_null(atls_arena_alloc(&a, 4096, &err));
    assert_false(atls_trace_step(&t, false, "a", "f", &err));
    check_entry(&t.items[0], "a", ATLS_CHECK_FAIL, ATLS_E_MEMORY, t.items[0].field);
}

/* ---- names ---- */

static void test_statuses(void **state)
{
    (void)state;
    for (atls_tcb_status s = ATLS_TCB_UNKNOWN; s < ATLS_N_TCB_STATUSES; s++) {
        assert_int_equal(atls_tcb_status_parse(atls_bytes_str(atls_tcb_status_name(s))), s);
    }
    assert_string_equal(atls_tcb_status_name(ATLS_TCB_OUT_OF_DATE), "OutOfDate");
    assert_string_equal(atls_tcb_status_name((atls_tcb_status)77), "Unknown");
    assert_int_equal(atls_tcb_status_parse(atls_bytes_str("uptodate")), ATLS_TCB_UNKNOWN);
    assert_int_equal(atls_tcb_status_parse(atls_bytes_str("UpToDate ")), ATLS_TCB_UNKNOWN);
    assert_int_equal(atls_tcb_status_parse(atls_bytes_empty()), ATLS_TCB_UNKNOWN);
}

static void test_grades(void **state)
{
    atls_grade g = ATLS_GRADE_KEY;
    (void)state;
    assert_true(atls_grade_parse(atls_bytes_str("session"), &g));
    assert_int_equal(g, ATLS_GRADE_SESSION);
    assert_false(atls_grade_parse(atls_bytes_str("Session"), &g));
    assert_int_equal(g, ATLS_GRADE_SESSION);
    assert_string_equal(atls_grade_name(ATLS_GRADE_KEY_FRESH), "key_fresh");
    assert_string_equal(atls_grade_name((atls_grade)77), "none");
}

static void test_verdicts(void **state)
{
    (void)state;
    assert_string_equal(atls_verdict_name(ATLS_VERDICT_ACCEPTED), "accepted");
    assert_string_equal(atls_verdict_name(ATLS_VERDICT_UNDECIDED), "undecided");
    assert_string_equal(atls_verdict_name((atls_verdict)77), "none");
    assert_string_equal(atls_check_verdict_name(ATLS_CHECK_NOT_APPLICABLE), "not_applicable");
    assert_string_equal(atls_check_verdict_name((atls_check_verdict)0), "fail");
    assert_string_equal(atls_check_verdict_name((atls_check_verdict)77), "fail");
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "trace: pass, skip, not applicable", test_kinds, NULL);
    tap_add(&l, "trace: a failed step is copied", test_failed_step, NULL);
    tap_add(&l, "trace: a failed step without a reason", test_failed_step_without_reason, NULL);
    tap_add(&l, "trace: comparisons go on after the first failure", test_compare, NULL);
    tap_add(&l, "trace: full", test_full, NULL);
    tap_add(&l, "trace: without memory", test_without_memory, NULL);
    tap_add(&l, "names: TCB statuses, both ways", test_statuses, NULL);
    tap_add(&l, "names: grades, both ways", test_grades, NULL);
    tap_add(&l, "names: verdicts", test_verdicts, NULL);
    return tap_run("claims", &l);
}
