/* SPDX-License-Identifier: Apache-2.0 */
/* appraise.c: what the certificate says of its key, against the policy. Every mismatch is listed. */
#include <string.h>

#include "enrolled.h"
#include "judge.h"

static const char field[] = "chain[0].attested_key";

static const struct {
    const char *name;
    atls_key_level level;
} levels[] = {
    {"SOFTWARE", ATLS_KEY_LEVEL_SOFTWARE},
    {"TRUSTED_ENVIRONMENT", ATLS_KEY_LEVEL_TEE},
    {"STRONG_BOX", ATLS_KEY_LEVEL_CHIP},
    {"SECURE_ENCLAVE", ATLS_KEY_LEVEL_CHIP},
};

bool enrolled_level(atls_bytes name, atls_key_level *out)
{
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
        if (atls_bytes_equal_str(name, levels[i].name)) {
            *out = levels[i].level;
            return true;
        }
    }
    return false;
}

static const char *level_name(atls_key_level level)
{
    return levels[(size_t)level].name;
}

static const char *text_of(atls_judge *j, atls_bytes text)
{
    atls_buf b;
    atls_buf_init(&b, j->arena, j->err);
    atls_buf_put(&b, text);
    return atls_judge_written(j, &b);
}

/* ---- one member each ---- */

static void judge_platform(atls_judge *j, const atls_enrolled_claims *c)
{
    const unsigned wanted = j->policy->enrolled.platforms;
    if (wanted == 0) {
        return;
    }
    const bool android = (wanted >> ATLS_PLATFORM_ANDROID & 1u) != 0;
    const bool apple = (wanted >> ATLS_PLATFORM_APPLE & 1u) != 0;
    const char *expected = android && apple ? "android or apple" : android ? "android" : "apple";
    atls_judge_compare(j, (wanted >> c->platform & 1u) != 0, "enrolled.platform", ATLS_E_ENROLLED_APPLICATION,
                       "chain[0].attested_key.platform", expected, atls_platform_name(c->platform), NULL);
}

static void judge_application(atls_judge *j, const atls_enrolled_claims *c)
{
    const atls_enrolled_policy *p = &j->policy->enrolled;
    bool ok = false;
    if (p->n_applications == 0) {
        return;
    }
    for (size_t i = 0; i < p->n_applications; i++) {
        ok = ok || atls_bytes_equal(p->applications[i], c->app);
    }
    atls_judge_compare(j, ok, "enrolled.application", ATLS_E_ENROLLED_APPLICATION, "chain[0].attested_key.app",
                       atls_judge_texts(j, p->applications, p->n_applications), text_of(j, c->app), NULL);
}

static void judge_level(atls_judge *j, const atls_enrolled_claims *c)
{
    const atls_key_level least = j->policy->enrolled.min_level;
    atls_key_level level = ATLS_KEY_LEVEL_SOFTWARE;
    const bool known = enrolled_level(atls_bytes_str(c->security_level), &level);
    atls_judge_compare(j, known && level >= least, "enrolled.security_level", ATLS_E_ENROLLED_SECURITY_LEVEL,
                       "chain[0].attested_key.security_level", level_name(least), c->security_level, NULL);
}

static void judge_policy(atls_judge *j, const atls_enrolled_claims *c)
{
    const atls_enrolled_policy *p = &j->policy->enrolled;
    bool ok = false;
    if (p->n_policies == 0) {
        return;
    }
    for (size_t i = 0; i < p->n_policies; i++) {
        ok = ok || memcmp(p->policy_sha256 + i * 32, c->policy_sha256, 32) == 0;
    }
    atls_judge_compare(j, ok, "enrolled.policy", ATLS_E_ENROLLED_POLICY, "chain[0].attested_key.policy_sha256",
                       atls_judge_values(j, p->policy_sha256, p->n_policies, 32),
                       atls_judge_hex(j, c->policy_sha256, 32), NULL);
}

/* A policy that does without the extension names nothing that would stand in it (policy_enrolled.c). */
static bool judge_extension(atls_judge *j, const atls_enrolled_claims *c)
{
    if (!c->has_extension && j->policy->enrolled.insecure_allow_no_extension) {
        atls_judge_skip(j, "enrolled.extension", field,
                        "the certificate does not say which app and hardware its key is of, and the policy lets it");
        return false;
    }
    atls_judge_compare(j, c->has_extension, "enrolled.extension", ATLS_E_ENROLLED_EXTENSION, field, "present",
                       c->has_extension ? "present" : "absent", NULL);
    return c->has_extension;
}

bool enrolled_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                       atls_trace *trace, atls_error *err)
{
    const atls_enrolled_claims *c = &claims->enrolled;
    atls_judge j = {
        .claims = claims,
        .policy = policy,
        .now = now,
        .arena = arena,
        .trace = trace,
        .err = err,
        .ok = true,
    };
    if (judge_extension(&j, c)) {
        judge_platform(&j, c);
        judge_application(&j, c);
        judge_level(&j, c);
        judge_policy(&j, c);
    }
    return j.ok;
}
