/* SPDX-License-Identifier: Apache-2.0 */
/* dcap_scene.h: claims and a policy by hand, and the runner of the tables that change them. */
#ifndef ATLS_TESTS_DCAP_SCENE_H
#define ATLS_TESTS_DCAP_SCENE_H

#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

#define DAY (INT64_C(86400))
#define NOW (INT64_C(1781524800))

/* ---- the honest case: a TD 1.5, UpToDate, a policy that asks for little ---- */

typedef struct scene {
    atls_claims claims;
    atls_policy policy;
    atls_reference references[4];
    uint8_t values[4][6 * 64];
} scene;

static inline void make_scene(scene *s, bool is_sgx)
{
    memset(s, 0, sizeof *s);
    atls_dcap_claims *c = &s->claims.dcap;
    c->is_tdx = !is_sgx;
    c->td.is_15 = true;
    c->td.tdattributes[3] = 0x10; /* SEPT_VE_DISABLE */
    memset(c->td.mrtd, 0x4d, sizeof c->td.mrtd);
    memset(c->td.tee_tcb_svn, 5, sizeof c->td.tee_tcb_svn);
    memset(c->sgx.mrenclave, 0xee, sizeof c->sgx.mrenclave);
    c->sgx.attributes[0] = 0x05;
    c->sgx.isvprodid = 7;
    c->sgx.isvsvn = 3;
    memset(c->ppid, 0x99, sizeof c->ppid);
    c->tcb.status = ATLS_TCB_UP_TO_DATE;
    c->tcb.date = NOW - 10 * DAY;
    c->tcb.evaluation_data_number = 17;
    s->policy.type = is_sgx ? ATLS_POLICY_SGX : ATLS_POLICY_TDX;
    s->policy.allowed_status[ATLS_TCB_UP_TO_DATE] = true;
    s->policy.references = s->references;
}

/* A list of n values, each of one repeated byte. */
static inline void refer(scene *s, const char *name, size_t width, const uint8_t *fills, size_t n)
{
    size_t at = s->policy.n_references++;
    for (size_t i = 0; i < n; i++) {
        memset(s->values[at] + i * width, fills[i], width);
    }
    s->references[at] = (atls_reference){.name = name, .width = width, .values = s->values[at], .n = n};
}

#define REFER(s, name, width, ...)                                                                                     \
    refer(s, name, width, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

typedef struct row {
    const char *name;
    bool is_sgx;
    void (*change)(scene *s);
    atls_code code;
    const char *field;
    const char *id; /* a check that must be in the list with this verdict; of a refusal the failed one */
    atls_check_verdict verdict;
} row;

#define PASSES(id)            ATLS_OK, NULL, id, ATLS_CHECK_PASS
#define SKIPS(id)             ATLS_OK, NULL, id, ATLS_CHECK_SKIPPED
#define NOT_APPLICABLE(id)    ATLS_OK, NULL, id, ATLS_CHECK_NOT_APPLICABLE
#define FAILS(error, at, id)  ATLS_E_##error, at, id, ATLS_CHECK_FAIL
#define BAD_ATTRIBUTES        FAILS(TD_ATTRIBUTES, "quote.body.tdattributes", "dcap.td_attributes")
#define BAD_MEASUREMENT(name) FAILS(MEASUREMENT_MISMATCH, "quote.body." name, "dcap.measurement." name)

static inline const atls_check *find(const atls_trace *t, const char *id, atls_check_verdict verdict)
{
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(t->items[i].id, id) == 0 && t->items[i].verdict == verdict) {
            return &t->items[i];
        }
    }
    return NULL;
}

static inline size_t count(const atls_trace *t, atls_check_verdict verdict)
{
    size_t n = 0;
    for (size_t i = 0; i < t->n; i++) {
        n += t->items[i].verdict == verdict;
    }
    return n;
}

static inline bool appraise(const scene *s, atls_trace *t, atls_error *err)
{
    atls_arena *a = check_arena();
    *err = (atls_error){.code = ATLS_OK};
    assert_true(atls_trace_init(t, a, err));
    return dcap_format()->appraise(&s->claims, &s->policy, NOW, a, t, err);
}

static inline void test_row(void **state)
{
    static scene s;
    const row *r = *state;
    atls_trace t;
    atls_error err;
    make_scene(&s, r->is_sgx);
    r->change(&s);
    bool ok = appraise(&s, &t, &err);
    assert_int_equal(ok, r->code == ATLS_OK);
    check_error(&err, r->code, r->code == ATLS_OK ? "" : r->field);
    assert_int_equal(count(&t, ATLS_CHECK_FAIL) == 0, ok);
    const atls_check *c = find(&t, r->id, r->verdict);
    assert_non_null(c);
    assert_int_equal(c->code, r->code);
    if (r->verdict == ATLS_CHECK_FAIL) {
        assert_string_equal(c->field, r->field);
        assert_true(c->actual[0] != '\0' && c->expected[0] != '\0');
    }
    assert_true(r->verdict == ATLS_CHECK_PASS || c->why[0] != '\0');
}

#endif
