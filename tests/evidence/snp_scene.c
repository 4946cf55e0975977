/* SPDX-License-Identifier: Apache-2.0 */
#include "snp_scene.h"

#include "memo.h"
#include "verify/again.h"
#include "verify/world.h"

const uint8_t scene_report_data[64] = {0x5e, 0x55, 0x10, 0x4e};

static bool has(const char *words, const char *word)
{
    return strstr(words, word) != NULL;
}

static void fail_on(const scene_row *row, const atls_error *err)
{
    char line[640];
    (void)atls_error_line(err, line, sizeof line);
    fail_msg("%s: %s", row->name, line);
}

static sim_snp_options options_of(const scene_row *row)
{
    sim_snp_options o = {.is_vlek = has(row->kind, "vlek"), .settings = row->settings, .memo = shared_memo()};
    o.product = has(row->kind, "milan") ? ATLS_SNP_MILAN : has(row->kind, "turin") ? ATLS_SNP_TURIN : ATLS_SNP_GENOA;
    o.version = has(row->kind, "v2") ? 2 : has(row->kind, "v4") ? 4 : has(row->kind, "v5") ? 5 : 3;
    return o;
}

void scene_open(const scene_row *row, scene *s)
{
    const sim_snp_options options = options_of(row);
    atls_bytes text;
    atls_error err = {0};
    *s = (scene){.in_table = has(row->kind, "table")};
    assert_true(atls_arena_new(&s->arena, (size_t)8 * 1024 * 1024, &err));
    if (!sim_snp_new(&options, &s->room, &err) || !sim_snp_policy(s->room, &s->arena, &text, &err)
        || !atls_policy_parse(text, &s->policy, &err) || !atls_verifier_new(s->policy, &s->verifier, &err)
        || !(s->in_table ? sim_snp_extended(s->room, scene_report_data, &s->arena, &s->evidence, &err)
                         : sim_snp_report(s->room, scene_report_data, &s->arena, &s->evidence, &err))
        || !sim_snp_endorse(s->room, NULL, &s->arena, &s->endorsements, &err)) {
        fail_on(row, &err);
    }
}

void scene_close(scene *s)
{
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    sim_snp_free(s->room);
    atls_arena_free(&s->arena);
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    const scene *s = ctx;
    (void)a;
    (void)err;
    assert_int_equal(request->platform, ATLS_PLATFORM_SEV_SNP);
    *out = s->endorsements;
    return true;
}

bool scene_appraise(scene *s, atls_bytes evidence, atls_result *r, atls_error *err)
{
    atls_appraisal in = {.evidence = evidence, .event_log = atls_bytes_empty(), .now = SIM_NOW};
    in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    in.endorse = s->in_table ? NULL : endorse;
    in.endorse_ctx = s;
    memcpy(in.binding.value, scene_report_data, sizeof scene_report_data);
    return again_appraise(s->verifier, &in, &s->arena, r, err);
}

static bool is_left_out(const atls_result *r, const char *id)
{
    for (size_t i = 0; i < r->n_checks; i++) {
        if (strcmp(r->checks[i].id, id) == 0) {
            return r->checks[i].verdict == ATLS_CHECK_SKIPPED || r->checks[i].verdict == ATLS_CHECK_NOT_APPLICABLE;
        }
    }
    return false;
}

/* Of a failed appraisal exactly the checks after the first failure may be missing; of a refusal by the policy, only one thing
 * was wrong. */
static size_t count_failed(const atls_result *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_checks; i++) {
        n += r->checks[i].verdict == ATLS_CHECK_FAIL ? 1 : 0;
    }
    return n;
}

void scene_run(void **state)
{
    const scene_row *row = *state;
    scene s;
    atls_result r;
    atls_bytes json;
    atls_error err = {0};
    atls_error unused = {0};
    scene_open(row, &s);
    const bool ok = scene_appraise(&s, s.evidence, &r, &err);
    if (ok != (row->code == ATLS_OK) || err.code != row->code || strcmp(err.field, row->field) != 0) {
        fail_on(row, &err);
    }
    assert_int_equal(count_failed(&r), ok ? 0 : 1);
    if (row->check != NULL && !is_left_out(&r, row->check)) {
        fail_msg("%s: %s was not left out", row->name, row->check);
    }
    for (size_t i = 0; i < r.n_checks; i++) {
        world_assert_documented(r.checks[i].id);
    }
    assert_true(r.claims.sev_snp.present == ok);
    assert_true(atls_result_json(&r, &err, &s.arena, &json, &unused));
    scene_close(&s);
}
