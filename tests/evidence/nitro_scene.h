/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_scene.h: one appraisal of a Nitro document through the public API: a policy text, a document, a pile, a time, and
 * what came of it. Every scene has memory of its own, freed by scene_close. */
#ifndef ATLS_TESTS_NITRO_SCENE_H
#define ATLS_TESTS_NITRO_SCENE_H

#include "atls/atls.h"
#include "tap.h"
#include "verify/again.h"

typedef struct scene {
    atls_arena arena;
    atls_error err;
    atls_result result;
    bool accepted;
    atls_bytes evidence;
    atls_time now;
    atls_binding binding;
    atls_certificate_pile pile;
} scene;

static inline void scene_open(scene *s)
{
    *s = (scene){.evidence = atls_bytes_empty(), .binding = {.profile = ""}};
    assert_true(atls_arena_new(&s->arena, ATLS_ARENA_DEFAULT_SIZE, &s->err));
}

static inline void scene_close(scene *s)
{
    atls_arena_free(&s->arena);
}

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
    (void)err;
    assert_int_equal(request->platform, ATLS_PLATFORM_NITRO);
    *out = (atls_endorsements){.pile = s->pile};
    return true;
}

/* scene_run appraises with a policy that must be well-formed. */
static inline void scene_run(scene *s, const char *policy_text)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_error_clear(&s->err);
    scene_must(atls_policy_parse(atls_bytes_str(policy_text), &policy, &s->err), &s->err, "policy");
    scene_must(atls_verifier_new(policy, &verifier, &s->err), &s->err, "verifier");
    const atls_appraisal in = {.evidence = s->evidence,
                               .event_log = atls_bytes_empty(),
                               .binding = s->binding,
                               .now = s->now,
                               .endorse = scene_endorse,
                               .endorse_ctx = s};
    s->accepted = again_appraise(verifier, &in, &s->arena, &s->result, &s->err);
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
    assert_false(s->result.claims.nitro.present);
}

#endif
