/* SPDX-License-Identifier: Apache-2.0 */
#include "remember.h"

#include "verify/verifier_crypto.h"

const uint8_t stage_value[64] = {0xa5, 1, 2, 3};

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

void stage_open(stage *s, sim_kind kind, const char *const *settings, atls_arena *keep)
{
    const sim_options options = {.kind = kind, .settings = settings};
    atls_error err = {0};
    *s = (stage){0};
    must(sim_new(&options, &s->room, &err), &err);
    must(sim_quote(s->room, stage_value, keep, &s->quote, &err), &err);
    must(sim_collateral(s->room, keep, &s->endorsements, &err), &err);
}

atls_policy *stage_policy(const stage *s, const char *type, atls_arena *keep)
{
    atls_error err = {0};
    atls_bytes text;
    atls_policy *policy;
    must(sim_policy(s->room, type, keep, &text, &err), &err);
    const atls_bytes root = sim_root(s->room); /* whose self-signature is checked here, once */
    must(atls_policy_parse_with_roots(text, &root, 1, &policy, &err), &err);
    return policy;
}

void stage_close(stage *s)
{
    sim_free(s->room);
    s->room = NULL;
}

atls_verifier *stage_verifier(const atls_policy *policy, const atls_verifier_options *options)
{
    atls_error err = {0};
    atls_verifier *v;
    must(atls_verifier_new_with_options(policy, options, &v, &err), &err);
    return v;
}

static bool hand_out(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                     atls_error *err)
{
    (void)request;
    (void)arena;
    (void)err;
    *out = *(const atls_endorsements *)ctx;
    return true;
}

void mix_appraise(const atls_verifier *v, const mix *m, atls_arena *a, outcome *out)
{
    atls_endorsements endorsements = *m->endorsements;
    atls_appraisal in = {.evidence = m->quote,
                         .event_log = atls_bytes_empty(),
                         .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = ""},
                         .now = m->now,
                         .endorse = hand_out,
                         .endorse_ctx = &endorsements};
    atls_error json_err = {0};
    memcpy(in.binding.value, stage_value, sizeof in.binding.value);
    in.binding.value[9] ^= m->wrong_value ? 1 : 0;
    memset(out, 0, sizeof *out);
    const uint64_t before = atls_crypto_verifications(atls_verifier_crypto(v));
    out->accepted = atls_verifier_appraise(v, &in, a, &out->result, &out->err);
    out->n_verifications = atls_crypto_verifications(atls_verifier_crypto(v)) - before;
    must(atls_result_json(&out->result, &out->err, a, &out->json, &json_err), &json_err);
}

static void assert_same_error(const atls_error *x, const atls_error *y)
{
    assert_int_equal(x->code, y->code);
    assert_int_equal(x->category, y->category);
    assert_int_equal(x->platform, y->platform);
    assert_int_equal(x->retry, y->retry);
    assert_int_equal(x->unsupported, y->unsupported);
    assert_string_equal(x->field, y->field);
    assert_string_equal(x->expected, y->expected);
    assert_string_equal(x->actual, y->actual);
    assert_string_equal(x->message, y->message);
}

static void assert_same_check(const atls_check *x, const atls_check *y)
{
    assert_string_equal(x->id, y->id);
    assert_int_equal(x->verdict, y->verdict);
    assert_int_equal(x->code, y->code);
    assert_string_equal(x->field, y->field);
    assert_string_equal(x->expected, y->expected);
    assert_string_equal(x->actual, y->actual);
    assert_string_equal(x->why, y->why);
}

void outcome_assert_same(const outcome *x, const outcome *y)
{
    assert_int_equal(x->accepted, y->accepted);
    assert_int_equal(x->result.verdict, y->result.verdict);
    assert_same_error(&x->err, &y->err);
    assert_int_equal(x->result.n_checks, y->result.n_checks);
    for (size_t i = 0; i < x->result.n_checks; i++) {
        assert_same_check(&x->result.checks[i], &y->result.checks[i]);
    }
    assert_int_equal(x->json.len, y->json.len);
    assert_memory_equal(x->json.ptr, y->json.ptr, x->json.len);
}
