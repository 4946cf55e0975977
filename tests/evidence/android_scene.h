/* SPDX-License-Identifier: Apache-2.0 */
/* android_scene.h: one appraisal of a simulated phone's chain through the public API: its policy, a challenge, its status
 * list, a time, and what came of it. Every scene has memory of its own, freed by scene_close. */
#ifndef ATLS_TESTS_ANDROID_SCENE_H
#define ATLS_TESTS_ANDROID_SCENE_H

#include "atls/atls.h"
#include "sim/sim_android.h"
#include "tap.h"
#include "verify/again.h"

#define SCENE_MAX_SETTINGS 8

typedef struct scene {
    atls_arena arena;
    atls_error err;
    sim_android *phone;
    atls_appraisal in;
    atls_bytes policy;
    atls_endorsements endorsements;
    bool no_endorsements;
    uint8_t challenge[32];
    bool accepted;
    atls_result result;
} scene;

static inline void scene_must(bool ok, const atls_error *err, const char *what)
{
    if (!ok) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s: %s", what, line);
    }
}

static inline bool scene_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                 atls_endorsements *out, atls_error *err)
{
    const scene *s = ctx;
    (void)arena;
    assert_int_equal(request->platform, ATLS_PLATFORM_ANDROID);
    *out = s->endorsements;
    return !s->no_endorsements || atls_fail(err, ATLS_E_IO, "network", "there is none");
}

static inline void scene_open(scene *s, sim_android_kind kind, const char *const *settings)
{
    const sim_android_options options = {.kind = kind, .settings = settings};
    memset(s, 0, sizeof *s);
    assert_true(atls_arena_new(&s->arena, ATLS_ARENA_DEFAULT_SIZE, &s->err));
    for (size_t i = 0; i < sizeof s->challenge; i++) {
        s->challenge[i] = (uint8_t)(0xc0 + i);
    }
    const sim_android_request request = {.challenge = atls_bytes_of(s->challenge, sizeof s->challenge)};
    scene_must(sim_android_new(&options, &s->phone, &s->err), &s->err, "phone");
    scene_must(sim_android_policy(s->phone, &s->arena, &s->policy, &s->err), &s->err, "policy");
    scene_must(sim_android_chain(s->phone, &request, &s->arena, &s->in.evidence, &s->err), &s->err, "chain");
    scene_must(sim_android_endorse(s->phone, NULL, &s->arena, &s->endorsements, &s->err), &s->err, "status");
    s->in.event_log = atls_bytes_empty();
    s->in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .challenge = request.challenge};
    s->in.now = sim_android_now(s->phone);
    s->in.endorse = scene_endorse;
    s->in.endorse_ctx = s;
}

static inline void scene_close(scene *s)
{
    sim_android_free(s->phone);
    atls_arena_free(&s->arena);
}

/* scene_run appraises with a policy that must be well-formed, records that, and replays it. */
static inline void scene_run(scene *s)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_error_clear(&s->err);
    scene_must(atls_policy_parse(s->policy, &policy, &s->err), &s->err, "policy");
    scene_must(atls_verifier_new(policy, &verifier, &s->err), &s->err, "verifier");
    s->accepted = again_appraise(verifier, &s->in, &s->arena, &s->result, &s->err);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

static inline const atls_check *scene_check(const scene *s, const char *id)
{
    for (size_t i = 0; i < s->result.n_checks; i++) {
        if (strcmp(s->result.checks[i].id, id) == 0) {
            return &s->result.checks[i];
        }
    }
    return NULL;
}

/* The outcome: accepted for ATLS_OK, otherwise this code at this field, listed as a failed check. */
static inline void scene_expect(const scene *s, atls_code code, const char *field)
{
    char line[512];
    bool listed = false;
    (void)atls_error_line(&s->err, line, sizeof line);
    if (code == ATLS_OK) {
        scene_must(s->accepted, &s->err, "must be accepted");
        assert_int_equal(s->result.verdict, ATLS_VERDICT_ACCEPTED);
        assert_true(s->result.claims.android.present);
        return;
    }
    if (s->accepted || s->err.code != code || strcmp(s->err.field, field) != 0) {
        fail_msg("must be %s at %s, but is %s", atls_code_name(code), field, s->accepted ? "accepted" : line);
    }
    for (size_t i = 0; i < s->result.n_checks; i++) {
        listed = listed
                 || (s->result.checks[i].verdict == ATLS_CHECK_FAIL && s->result.checks[i].code == code
                     && strcmp(s->result.checks[i].field, field) == 0);
    }
    assert_true(listed);
    assert_int_not_equal(s->result.verdict, ATLS_VERDICT_ACCEPTED);
    assert_false(s->result.claims.android.present);
}

#endif
