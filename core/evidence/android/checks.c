/* SPDX-License-Identifier: Apache-2.0 */
/* checks.c: what a record says against the policy, for one mode: steps 9 to 15 of the specification's section 11. Every
 * comparison is made and listed; the first that fails is the error. */
#include <stdio.h>

#include "android.h"
#include "base/text.h"

#define MONTHS_PER_YEAR 12

typedef struct judge {
    const atls_android_claims *claims;
    const atls_android_key_description *d;
    const atls_android_policy *policy;
    const atls_android_application *app;
    atls_android_mode mode;
    atls_time now;
    atls_arena *arena;
    atls_trace *trace;
    atls_error *err;
    bool ok;
} judge;

/* ---- writing checks ---- */

static void compare(judge *j, bool ok, const char *id, atls_code code, const char *field, const char *expected,
                    const char *actual, const char *why)
{
    if (!atls_trace_compare(j->trace, ok, id, code, field, expected, actual, why, j->err)) {
        j->ok = false;
    }
}

static void skip(judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_skip(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

static void not_applicable(judge *j, const char *id, const char *field, const char *why)
{
    if (!atls_trace_na(j->trace, id, field, why, j->err)) {
        j->ok = false;
    }
}

/* Text in the arena; without memory the appraisal has failed, and goes on to the end without. */
static const char *kept(judge *j, const char *text)
{
    if (text == NULL) {
        j->ok = false;
        return "";
    }
    return text;
}

static const char *number(judge *j, const atls_android_integer *v)
{
    return v->present ? kept(j, atls_text_format(j->arena, j->err, "%llu", (unsigned long long)v->value)) : "absent";
}

/* The list that speaks for a mode. */
static const atls_android_authorizations *own_list(const judge *j)
{
    return j->mode == ATLS_ANDROID_MODE_SOFTWARE ? &j->d->softwareEnforced : &j->d->hardwareEnforced;
}

static const char *own_field(const judge *j, const char *in_hardware, const char *in_software)
{
    return j->mode == ATLS_ANDROID_MODE_SOFTWARE ? in_software : in_hardware;
}

/* ---- 9: remote provisioning ---- */

bool android_wants_remote(const atls_android_policy *p, size_t application)
{
    const atls_android_application *app = &p->applications[application];
    return app->has_remote ? app->require_remote : p->require_remote;
}

static void judge_remote(judge *j)
{
    if (android_wants_remote(j->policy, j->claims->application)) {
        compare(j, j->claims->provisioning == ATLS_ANDROID_REMOTELY_PROVISIONED, "android.remote_provisioning",
                ATLS_E_ANDROID_SEC_LEVEL, "chain", "REMOTELY_PROVISIONED",
                atls_android_provisioning_name(j->claims->provisioning),
                "the policy asks for a key that was provisioned remotely");
    }
}

/* ---- 10: challenge ---- */

static void judge_challenge(judge *j)
{
    static const char id[] = "android.challenge";
    static const char field[] = "keyDescription.attestationChallenge";
    const atls_bytes attested = j->d->attestationChallenge;
    if (!j->claims->has_challenge) {
        skip(j, id, field, "no challenge was given: this statement may be old, or made for somebody else");
        return;
    }
    const atls_bytes shown = attested.len <= 64 ? attested : atls_bytes_of(attested.ptr, 64);
    compare(j, atls_bytes_equal(attested, j->claims->challenge), id, ATLS_E_ANDROID_CHALLENGE, field,
            kept(j, atls_hex_text(j->claims->challenge, j->arena, j->err)),
            kept(j, atls_hex_text(shown, j->arena, j->err)), NULL);
}

/* ---- 11: when the key was made ---- */

static const char *seconds(judge *j, int64_t ms)
{
    const bool negative = ms < 0;
    const uint64_t size = negative ? (uint64_t)0 - (uint64_t)ms : (uint64_t)ms;
    return kept(j, atls_text_format(j->arena, j->err, "%s%llu.%03llu s", negative ? "-" : "",
                                    (unsigned long long)(size / 1000), (unsigned long long)(size % 1000)));
}

/* Both ends of the window included, to the millisecond. */
static void judge_statement_time(judge *j)
{
    static const char id[] = "android.statement_time";
    static const char field[] = "keyDescription.creationDateTime";
    const atls_android_integer *in_hardware = &j->d->hardwareEnforced.creationDateTime;
    const atls_android_integer *created = in_hardware->present ? in_hardware : &j->d->softwareEnforced.creationDateTime;
    const int64_t max_s =
        j->policy->has_statement_age ? j->policy->statement_age_s : ATLS_ANDROID_DEFAULT_STATEMENT_AGE_S;
    if (j->mode == ATLS_ANDROID_MODE_HYBRID) {
        not_applicable(j, id, field, "clocks of phones of that age say nothing");
        return;
    }
    if (j->policy->any_statement_age) {
        skip(j, id, field, "attestationStatementValiditySeconds is null: the key may have been made at any time");
        return;
    }
    const char *expected = kept(j, atls_text_format(j->arena, j->err, "0 to %lld s ago", (long long)max_s));
    if (!created->present || created->value > INT64_MAX) {
        compare(j, false, id, ATLS_E_ANDROID_STATEMENT_TIME, field, expected, "absent", NULL);
        return;
    }
    const int64_t age_ms = j->claims->verified_ms - (int64_t)created->value;
    /* whole seconds first: max_s may be too large to multiply */
    const bool young = age_ms >= 0 && (age_ms / 1000 < max_s || (age_ms / 1000 == max_s && age_ms % 1000 == 0));
    compare(j, young, id, ATLS_E_ANDROID_STATEMENT_TIME, field, expected, seconds(j, age_ms), NULL);
}

/* ---- 12: where the key lives ---- */

static const char *wanted_level(const judge *j, bool keymaster)
{
    const bool box = j->policy->require_strong_box;
    switch (j->mode) {
    case ATLS_ANDROID_MODE_HARDWARE:
        return box ? "STRONG_BOX" : "TRUSTED_ENVIRONMENT or STRONG_BOX";
    case ATLS_ANDROID_MODE_HYBRID:
        return !keymaster ? "SOFTWARE" : box ? "STRONG_BOX" : "TRUSTED_ENVIRONMENT or STRONG_BOX";
    default:
        return "SOFTWARE";
    }
}

static bool level_fits(const judge *j, bool keymaster, atls_android_level level)
{
    const bool in_hardware =
        j->mode == ATLS_ANDROID_MODE_HARDWARE || (j->mode == ATLS_ANDROID_MODE_HYBRID && keymaster);
    if (!in_hardware) {
        return level == ATLS_ANDROID_SOFTWARE;
    }
    return j->policy->require_strong_box ? level == ATLS_ANDROID_STRONG_BOX : level != ATLS_ANDROID_SOFTWARE;
}

static void judge_level(judge *j, const char *id, const char *field, bool keymaster, atls_android_level level)
{
    compare(j, level_fits(j, keymaster, level), id, ATLS_E_ANDROID_SEC_LEVEL, field, wanted_level(j, keymaster),
            atls_android_level_name(level), NULL);
}

/* What the certificates do not say is no contradiction, unless StrongBox is claimed, which they would say. */
static void judge_certificate_level(judge *j)
{
    const atls_android_level stated = j->claims->certificate_level;
    const atls_android_level level = j->d->keymasterSecurityLevel;
    const bool fits = stated == ATLS_ANDROID_LEVEL_UNKNOWN ? level != ATLS_ANDROID_STRONG_BOX : stated == level;
    if (j->policy->match_certificate_level) {
        compare(j, fits, "android.certificate_level", ATLS_E_ANDROID_SEC_LEVEL, "keyDescription.keymasterSecurityLevel",
                atls_android_level_name(stated), atls_android_level_name(level),
                "the certificates are of another level than the record");
    }
}

static void judge_origin(judge *j)
{
    const atls_android_integer *origin = &own_list(j)->origin;
    bool listed = false;
    for (size_t i = 0; i < j->policy->n_origins; i++) {
        listed = listed || (origin->present && j->policy->origins[i] == origin->value);
    }
    if (j->policy->has_origins) {
        compare(j, listed, "android.origin", ATLS_E_ANDROID_SEC_LEVEL,
                own_field(j, "keyDescription.hardwareEnforced.origin", "keyDescription.softwareEnforced.origin"),
                "one of allowedOrigins", number(j, origin), "the key was not made in the phone");
    }
}

static void judge_levels(judge *j)
{
    judge_level(j, "android.attestation_level", "keyDescription.attestationSecurityLevel", false,
                j->d->attestationSecurityLevel);
    judge_level(j, "android.keymaster_level", "keyDescription.keymasterSecurityLevel", true,
                j->d->keymasterSecurityLevel);
    judge_certificate_level(j);
    judge_origin(j);
}

/* ---- 13: what the phone booted ---- */

static const char *state_name(uint8_t state)
{
    static const char *const names[] = {"VERIFIED", "SELF_SIGNED", "UNVERIFIED", "FAILED"};
    return state < sizeof names / sizeof names[0] ? names[state] : "?";
}

static void judge_boot(judge *j)
{
    static const char field[] = "keyDescription.hardwareEnforced.rootOfTrust";
    const atls_android_root_of_trust *r = &j->d->hardwareEnforced.rootOfTrust;
    if (j->mode != ATLS_ANDROID_MODE_HARDWARE) {
        not_applicable(j, "android.boot_state", field, "software cannot vouch for what the phone booted");
        return;
    }
    if (j->policy->allow_bootloader_unlock) {
        skip(j, "android.boot_state", field, "allowBootloaderUnlock: whatever the phone booted is accepted");
        return;
    }
    if (!r->present) {
        compare(j, false, "android.boot_state", ATLS_E_ANDROID_SYSTEM_INTEGRITY, field, "a root of trust", "absent",
                NULL);
        return;
    }
    compare(j, r->deviceLocked, "android.device_locked", ATLS_E_ANDROID_SYSTEM_INTEGRITY,
            "keyDescription.hardwareEnforced.rootOfTrust.deviceLocked", "true", r->deviceLocked ? "true" : "false",
            "the bootloader is unlocked");
    compare(j, r->verifiedBootState == 0, "android.boot_state", ATLS_E_ANDROID_SYSTEM_INTEGRITY,
            "keyDescription.hardwareEnforced.rootOfTrust.verifiedBootState", "VERIFIED",
            state_name(r->verifiedBootState), NULL);
}

/* ---- 14: rollback ---- */

static void judge_rollback(judge *j)
{
    const bool resists = own_list(j)->rollbackResistance;
    if (j->policy->require_rollback_resistance) {
        compare(j, resists, "android.rollback_resistance", ATLS_E_ANDROID_ROLLBACK_RESISTANCE,
                own_field(j, "keyDescription.hardwareEnforced.rollbackResistance",
                          "keyDescription.softwareEnforced.rollbackResistance"),
                "present", resists ? "present" : "absent", NULL);
    }
}

/* ---- 15: versions ---- */

static void judge_version(judge *j)
{
    const atls_android_version_policy *wanted =
        j->app->android_version.is_set ? &j->app->android_version : &j->policy->android_version;
    const atls_android_integer *version = &own_list(j)->osVersion;
    if (wanted->is_set) {
        compare(j, version->present && version->value >= wanted->version, "android.os_version",
                ATLS_E_ANDROID_OS_VERSION,
                own_field(j, "keyDescription.hardwareEnforced.osVersion", "keyDescription.softwareEnforced.osVersion"),
                kept(j, atls_text_format(j->arena, j->err, "at least %llu", (unsigned long long)wanted->version)),
                number(j, version), NULL);
    }
}

static const char *month_text(judge *j, const char *relation, int64_t months)
{
    return kept(j, atls_text_format(j->arena, j->err, "%s %04lld%02lld", relation,
                                    (long long)(months / MONTHS_PER_YEAR), (long long)(months % MONTHS_PER_YEAR + 1)));
}

/* The calendar month of now, in UTC, without any offset. */
static int64_t months_of(atls_time now)
{
    char text[ATLS_TIME_TEXT_SIZE];
    uint8_t c[6];
    atls_time_format(now, text); /* "YYYY-MM-" */
    for (size_t i = 0; i < 6; i++) {
        c[i] = (uint8_t)(text[i < 4 ? i : i + 1] - '0');
    }
    const int64_t year = (int64_t)c[0] * 1000 + c[1] * 100 + c[2] * 10 + c[3];
    return year * MONTHS_PER_YEAR + c[4] * 10 + c[5] - 1;
}

static void judge_future(judge *j, const atls_android_patch_policy *wanted, const char *field, int64_t months,
                         const char *actual)
{
    const int64_t ahead = months - months_of(j->now);
    if (!wanted->any_future) {
        const char *expected = kept(j, atls_text_format(j->arena, j->err, "at most %lld months ahead of the calendar",
                                                        (long long)wanted->max_future));
        compare(j, ahead <= wanted->max_future, "android.patch_level_future", ATLS_E_ANDROID_OS_VERSION, field,
                expected, actual, "the patch level is from the future");
    }
}

static void judge_patch_level(judge *j)
{
    static const char id[] = "android.patch_level";
    const atls_android_patch_policy *wanted =
        j->app->patch_level.is_set ? &j->app->patch_level : &j->policy->patch_level;
    const atls_android_integer *raw = &own_list(j)->osPatchLevel;
    const char *field =
        own_field(j, "keyDescription.hardwareEnforced.osPatchLevel", "keyDescription.softwareEnforced.osPatchLevel");
    int64_t months = 0;
    if (!wanted->is_set) {
        return;
    }
    /* of the system, YYYYMM alone is a level (Q5) */
    const bool is_known = raw->present && raw->value <= 999999 && android_patch_level(raw->value, &months);
    compare(j, is_known && months >= wanted->months, id, ATLS_E_ANDROID_OS_VERSION, field,
            month_text(j, "at least", wanted->months), number(j, raw), NULL);
    if (is_known) {
        judge_future(j, wanted, field, months, number(j, raw));
    }
}

static void judge_versions(judge *j)
{
    if (j->mode == ATLS_ANDROID_MODE_HYBRID) {
        not_applicable(j, "android.os_version", "keyDescription",
                       "keys of this kind do not know their system's version");
        return;
    }
    judge_version(j);
    judge_patch_level(j);
}

bool android_mode_judge(const atls_android_claims *claims, const atls_android_policy *policy, atls_android_mode mode,
                        atls_time now, atls_arena *arena, atls_trace *trace, atls_error *err)
{
    judge j = {
        .claims = claims,
        .d = claims->description,
        .policy = policy,
        .app = &policy->applications[claims->application],
        .mode = mode,
        .now = now,
        .arena = arena,
        .trace = trace,
        .err = err,
        .ok = true,
    };
    judge_remote(&j);
    judge_challenge(&j);
    judge_statement_time(&j);
    judge_levels(&j);
    judge_boot(&j);
    judge_rollback(&j);
    judge_versions(&j);
    return j.ok;
}
