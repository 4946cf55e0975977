/* SPDX-License-Identifier: Apache-2.0 */
/* apple_scene.h: one appraisal of an App Attest object through the public API: a policy text, an object, client data, a time, and
 * what came of it. Every scene has memory of its own, freed by scene_close. */
#ifndef ATLS_TESTS_APPLE_SCENE_H
#define ATLS_TESTS_APPLE_SCENE_H

#include "atls/atls.h"
#include "tap.h"
#include "verify/again.h"

typedef struct scene {
    atls_arena arena;
    atls_error err;
    atls_result result;
    bool accepted;
    atls_bytes evidence;
    atls_bytes client_data; /* empty: not bound */
    atls_bytes key_id;
    atls_time now;
    uint32_t now_ms;
    int64_t offset_s;
} scene;

static inline void scene_open(scene *s)
{
    const atls_bytes none = atls_bytes_empty();
    *s = (scene){.evidence = none, .client_data = none, .key_id = none};
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

static inline atls_appraisal scene_call(const scene *s)
{
    const bool is_bound = s->client_data.len > 0;
    return (atls_appraisal){
        .evidence = s->evidence,
        .event_log = atls_bytes_empty(),
        .binding = {.grade = is_bound ? ATLS_GRADE_KEY_FRESH : ATLS_GRADE_NONE,
                    .profile = "",
                    .challenge = s->client_data},
        .now = s->now,
        .now_ms = s->now_ms,
        .offset_s = s->offset_s,
        .key_id = s->key_id,
    };
}

static inline void scene_appraise(scene *s, const atls_verifier *verifier)
{
    const atls_appraisal in = scene_call(s);
    atls_error_clear(&s->err);
    s->accepted = atls_verifier_appraise(verifier, &in, &s->arena, &s->result, &s->err);
}

/* scene_run appraises with a policy that must be well-formed, records that, and replays it. */
static inline void scene_run(scene *s, const char *policy_text)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_error_clear(&s->err);
    scene_must(atls_policy_parse(atls_bytes_str(policy_text), &policy, &s->err), &s->err, "policy");
    scene_must(atls_verifier_new(policy, &verifier, &s->err), &s->err, "verifier");
    const atls_appraisal in = scene_call(s);
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
    assert_int_equal(s->err.platform, ATLS_PLATFORM_APPLE);
    assert_int_not_equal(s->result.verdict, ATLS_VERDICT_ACCEPTED);
    assert_false(s->result.claims.apple.present);
}

#endif
