/* SPDX-License-Identifier: Apache-2.0 */
/* test_apple_policy.c: documents of type apple_app_attest: what is refused before any evidence is there, versions and build
 * numbers, how an attestation is bound, and what is shown of one. */
#include "apple_room.h"
#include "base/json.h"
#include "evidence/apple/apple.h"

#define APPS ",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"test.sim.app\"}]"
#define APP(more)                                                                                                      \
    ",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"test.sim.app\"" more "}]"
#define VERSION(semver, build) "{\"semVer\":\"" semver "\",\"buildNumber\":\"" build "\"}"

/* ---- documents ---- */

static const struct document {
    const char *members;
    const char *field; /* of the error; NULL: accepted */
} documents[] = {
    {APPS, NULL},
    {APPS ",\"description\":\"x\",\"min_grade\":\"key_fresh\",\"attested_only\":true,\"max_session_age\":10", NULL},
    {"", "applications"},
    {",\"applications\":[]", "applications"},
    {",\"applications\":null", "applications"},
    {",\"applications\":{}", "applications"},
    {",\"applications\":[1]", "applications[0]"},
    {",\"applications\":[{\"bundleIdentifier\":\"a\"}]", "applications[0].teamIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789\"}]", "applications[0].bundleIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"012345678\",\"bundleIdentifier\":\"a\"}]",
     "applications[0].teamIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789A\",\"bundleIdentifier\":\"a\"}]",
     "applications[0].teamIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"01234 6789\",\"bundleIdentifier\":\"a\"}]",
     "applications[0].teamIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456.89\",\"bundleIdentifier\":\"a\"}]",
     "applications[0].teamIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"\"}]",
     "applications[0].bundleIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"a b\"}]",
     "applications[0].bundleIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"a*\"}]",
     "applications[0].bundleIdentifier"},
    {",\"applications\":[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":7}]",
     "applications[0].bundleIdentifier"},
    {APP(",\"sandbox\":true"), NULL},
    {APP(",\"sandbox\":1"), "applications[0].sandbox"},
    {APP(",\"sandbox\":null"), "applications[0].sandbox"},
    {APP(",\"sandBox\":true"), "applications[0].sandBox"},
    {APP(",\"iosVersionOverride\":null"), NULL},
    {APP(",\"iosVersionOverride\":" VERSION("17", "21A1")), NULL},
    {APP(",\"iosVersionOverride\":\"17\""), "applications[0].iosVersionOverride"},
    {APP(",\"iosVersionOverride\":{\"semVer\":\"17\"}"), "applications[0].iosVersionOverride.buildNumber"},
    {APPS ",\"iosVersion\":null", NULL},
    {APPS ",\"iosVersion\":" VERSION("17.5.1-beta.2+x", "0A0"), NULL},
    {APPS ",\"iosVersion\":\"17\"", "iosVersion"},
    {APPS ",\"iosVersion\":{\"buildNumber\":\"21A1\"}", "iosVersion.semVer"},
    {APPS ",\"iosVersion\":{\"semVer\":\"17\",\"buildNumber\":null}", "iosVersion.buildNumber"},
    {APPS ",\"iosVersion\":" VERSION("17.", "21A1"), "iosVersion.semVer"},
    {APPS ",\"iosVersion\":" VERSION("17", "21"), "iosVersion.buildNumber"},
    {APPS ",\"attestationStatementValiditySeconds\":0", NULL},
    {APPS ",\"attestationStatementValiditySeconds\":9223372036854775807", NULL},
    {APPS ",\"attestationStatementValiditySeconds\":9223372036854775808", "attestationStatementValiditySeconds"},
    {APPS ",\"attestationStatementValiditySeconds\":-1", "attestationStatementValiditySeconds"},
    {APPS ",\"attestationStatementValiditySeconds\":null", "attestationStatementValiditySeconds"},
    {APPS ",\"attestationStatementValiditySeconds\":1.5", "attestationStatementValiditySeconds"},
    {APPS ",\"verificationTimeOffset\":\"PT0S\"", NULL},
    {APPS ",\"verificationTimeOffset\":\"PT12H45M\"", NULL},
    {APPS ",\"verificationTimeOffset\":\"-P1DT1H1M1S\"", NULL},
    {APPS ",\"verificationTimeOffset\":\"P1D\"", NULL},
    {APPS ",\"verificationTimeOffset\":\"\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"P\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"PT\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"P1DT\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"PT1.5S\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"PT1M1H\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"PT1Sx\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":\"PT99999999999S\"", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffset\":60", "verificationTimeOffset"},
    {APPS ",\"verificationTimeOffsetSeconds\":-86400", NULL},
    {APPS ",\"verificationTimeOffsetSeconds\":1000000001", "verificationTimeOffsetSeconds"},
    {APPS ",\"verificationTimeOffsetSeconds\":99999999999", "verificationTimeOffsetSeconds"},
    {APPS ",\"verificationTimeOffsetSeconds\":1.5", "verificationTimeOffsetSeconds"},
    {APPS ",\"verificationTimeOffsetSeconds\":\"1\"", "verificationTimeOffsetSeconds"},
    {APPS ",\"verificationTimeOffset\":\"PT1S\",\"verificationTimeOffsetSeconds\":1", "verificationTimeOffsetSeconds"},
    {APPS ",\"attestationTrustAnchors\":null", NULL},
    {APPS ",\"attestationTrustAnchors\":[]", "attestationTrustAnchors"},
    {APPS ",\"attestationTrustAnchors\":[\"00\"]", "attestationTrustAnchors[0]"},
    {APPS ",\"receiptTrustAnchors\":[1]", "receiptTrustAnchors[0]"},
    {APPS ",\"trusted_roots\":[\"0000000000000000000000000000000000000000000000000000000000000000\"]", "trusted_roots"},
    {APPS ",\"revocation\":\"require\"", "revocation"},
    {APPS ",\"insecure_allow_debug\":true", "insecure_allow_debug"},
};

static void test_document(void **state)
{
    const struct document *d = *state;
    char text[1024];
    atls_policy *policy = NULL;
    atls_error err = {0};
    snprintf(text, sizeof text, "{\"type\":\"apple_app_attest\"%s}", d->members);
    const bool ok = atls_policy_parse(atls_bytes_str(text), &policy, &err);
    if (d->field == NULL) {
        scene_must(ok, &err, text);
        assert_string_equal(atls_policy_kind(policy), "apple_app_attest");
    } else {
        assert_false(ok);
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_string_equal(err.field, d->field);
        assert_string_equal(atls_apple_error_class(&err), "Configuration");
    }
    atls_policy_free(policy);
}

/* A root that is no authority vouches for nothing; nine are more than there is room for. */
static void test_roots(void **state)
{
    static const char *const weak[] = {"cert.root.ca=false", NULL};
    static const char *const limited[] = {"cert.root.path_len=1", NULL};
    const char *const *const settings[] = {weak, limited};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        room_scene r;
        atls_policy *policy = NULL;
        room_open(&r, false, settings[i]);
        assert_false(atls_policy_parse(atls_bytes_str(r.policy), &policy, &r.s.err));
        assert_string_equal(r.s.err.field, "attestationTrustAnchors[0]");
        room_close(&r);
    }
}

/* Next to the document: for attestations, and not for receipts. */
static void test_roots_beside(void **state)
{
    static const char *const settings[] = {"-policy.attestationTrustAnchors", NULL};
    room_scene r;
    atls_policy *policy;
    atls_verifier *verifier;
    (void)state;
    room_open(&r, false, settings);
    for (size_t i = 0; i < 2; i++) {
        const atls_bytes root = sim_apple_certificate(r.room, i == 0 ? "root" : "receipt_root");
        atls_error_clear(&r.s.err);
        assert_true(atls_policy_parse_with_roots(atls_bytes_str(r.policy), &root, 1, &policy, &r.s.err));
        assert_true(atls_verifier_new(policy, &verifier, &r.s.err));
        scene_appraise(&r.s, verifier);
        scene_expect(&r.s, i == 0 ? ATLS_OK : ATLS_E_CERTIFICATE_CHAIN, "attestation.x5c[1].issuer");
        assert_int_equal(r.s.result.simulated_or_test_root, i == 0);
        atls_verifier_free(verifier);
        atls_policy_free(policy);
    }
    room_close(&r);
}

/* ---- versions ---- */

/* Ascending, apart from those that are equal: they are told by a leading '='. */
static const char *const semvers[] = {
    "0",
    "=0.0.0",
    "0.0.1-1",
    "0.0.1",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "=1",
    "=1.0+build.7",
    "1.0.1",
    "1.2",
    "1.10",
    "14",
    "=14.0.0",
    "14.2",
    "16.2",
    "17.3.1-b",
    "17.3.1",
    "17.5.1",
    "26.0.1",
    "999999999",
};

static void test_semver_order(void **state)
{
    enum { N = sizeof semvers / sizeof semvers[0] };
    apple_semver parsed[N];
    int rank[N];
    (void)state;
    for (size_t i = 0; i < N; i++) {
        const bool equal = semvers[i][0] == '=';
        assert_true(apple_semver_parse(atls_bytes_str(semvers[i] + (equal ? 1 : 0)), &parsed[i]));
        rank[i] = i == 0 ? 0 : rank[i - 1] + (equal ? 0 : 1);
    }
    for (size_t i = 0; i < (size_t)N * N; i++) {
        const int order = apple_semver_order(&parsed[i / N], &parsed[i % N]);
        const int expected = rank[i / N] < rank[i % N] ? -1 : rank[i / N] > rank[i % N] ? 1 : 0;
        if ((order > 0) - (order < 0) != expected) {
            fail_msg("%s and %s", semvers[i / N], semvers[i % N]);
        }
    }
}

static void test_no_versions(void **state)
{
    static const char *const bad_semvers[] = {"",   ".",    "1.",         "1..2",      "1.2.3.4", "01",    "1.02", "a",
                                              "1a", "1.2-", "1-a..b",     "1-01",      "1+",      "1+a+b", "-1",   " 1",
                                              "1 ", "1-é",  "1000000000", "1.0.0-a_b", "1-.a",    "1-a."};
    static const char *const bad_builds[] = {"",      "21",       "A1",           "21A",       "21A1.",
                                             "21é1",  "21ABCDE1", "1234567890A1", "21A1abcde", "21A1a1",
                                             "21 A1", "210",      "21-1"};
    apple_semver semver;
    apple_build build;
    (void)state;
    for (size_t i = 0; i < sizeof bad_semvers / sizeof bad_semvers[0]; i++) {
        if (apple_semver_parse(atls_bytes_str(bad_semvers[i]), &semver)) {
            fail_msg("\"%s\" is no version", bad_semvers[i]);
        }
    }
    for (size_t i = 0; i < sizeof bad_builds / sizeof bad_builds[0]; i++) {
        if (apple_build_parse(atls_bytes_str(bad_builds[i]), &build)) {
            fail_msg("\"%s\" is no build number", bad_builds[i]);
        }
    }
}

static void test_build_order(void **state)
{
    static const char *const builds[] = {"0A0",    "18A373", "18A8395", "18B92", "20Z9",    "20AA1",
                                         "20B110", "21F90a", "21F90b",  "21F90", "22A3354", "100A1"};
    static const size_t order[] = {0, 1, 2, 3, 6, 4, 5, 7, 8, 9, 10, 11}; /* AA is 370 in base 36, Z is 35, B is 11 */
    enum { N = sizeof order / sizeof order[0] };
    (void)state;
    for (size_t i = 0; i < (size_t)N * N; i++) {
        apple_build a;
        apple_build b;
        assert_true(apple_build_parse(atls_bytes_str(builds[order[i / N]]), &a));
        assert_true(apple_build_parse(atls_bytes_str(builds[order[i % N]]), &b));
        assert_int_equal(apple_build_order(&a, &b), i / N < i % N ? -1 : i / N > i % N ? 1 : 0);
    }
}

/* ---- how it is bound ---- */

static void appraise_binding(room_scene *r, const atls_binding *binding)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    const atls_appraisal in = {
        .evidence = r->s.evidence, .event_log = atls_bytes_empty(), .binding = *binding, .now = r->s.now};
    atls_error_clear(&r->s.err);
    assert_true(atls_policy_parse(atls_bytes_str(r->policy), &policy, &r->s.err));
    assert_true(atls_verifier_new(policy, &verifier, &r->s.err));
    r->s.accepted = again_appraise(verifier, &in, &r->s.arena, &r->s.result, &r->s.err);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

/* A challenge that the app hashed as it is fits the binding's own value; so does a session's. */
static void test_value(void **state)
{
    room_scene r;
    atls_binding binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = ""};
    (void)state;
    room_open(&r, false, NULL);
    for (uint8_t n = 16; n <= 64; n = (uint8_t)(n + 16)) {
        memset(binding.value, 0, sizeof binding.value);
        memset(binding.value, n, n);
        binding.value_len = n == 64 ? 0 : n;
        assert_true(
            sim_apple_attestation(r.room, atls_bytes_of(binding.value, n), &r.s.arena, &r.s.evidence, &r.s.err));
        appraise_binding(&r, &binding);
        scene_expect(&r.s, ATLS_OK, NULL);
        assert_int_equal(r.s.result.grade, ATLS_GRADE_REPORT_DATA);
        assert_int_equal(scene_check(&r.s, "binding")->verdict, ATLS_CHECK_PASS);
        binding.value[0] ^= 1;
        appraise_binding(&r, &binding);
        scene_expect(&r.s, ATLS_E_APPLE_CHALLENGE, "attestation.x5c[0].nonce");
        assert_true(scene_check(&r.s, "binding") == NULL);
        binding.value[0] ^= 1;
    }
    room_close(&r);
}

static void test_binding_calls(void **state)
{
    static uint8_t long_one[ATLS_MAX_CHALLENGE_LEN + 1] = {1};
    const atls_bytes data = atls_bytes_str("data");
    const struct {
        atls_binding binding;
        const char *field;
    } rows[] = {
        {{.grade = ATLS_GRADE_NONE, .profile = "", .challenge = data}, "binding.grade"},
        {{.grade = ATLS_GRADE_KEY, .profile = "", .challenge = data, .value = {1}}, "binding.challenge"},
        {{.grade = ATLS_GRADE_KEY, .profile = "", .challenge = {long_one, sizeof long_one}}, "binding.challenge"},
        {{.grade = ATLS_GRADE_KEY, .profile = ""}, "binding.value"},
    };
    room_scene r;
    (void)state;
    room_open(&r, false, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        appraise_binding(&r, &rows[i].binding);
        assert_false(r.s.accepted);
        assert_int_equal(r.s.err.code, ATLS_E_USAGE);
        assert_string_equal(r.s.err.field, rows[i].field);
    }
    room_close(&r);
}

/* Kinds that compare their own field take no challenge. */
static void test_challenge_elsewhere(void **state)
{
    static const char policy_text[] = "{\"type\":\"nitro\"}";
    atls_policy *policy;
    atls_verifier *verifier;
    atls_result result;
    scene s;
    (void)state;
    scene_open(&s);
    assert_true(atls_policy_parse(atls_bytes_str(policy_text), &policy, &s.err));
    assert_true(atls_verifier_new(policy, &verifier, &s.err));
    const atls_appraisal in = {.evidence = atls_bytes_str("x"),
                               .event_log = atls_bytes_empty(),
                               .binding = {.grade = ATLS_GRADE_KEY, .profile = "", .challenge = atls_bytes_str("x")},
                               .now = 1};
    assert_false(atls_verifier_appraise(verifier, &in, &s.arena, &result, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    assert_string_equal(s.err.field, "binding.challenge");
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    scene_close(&s);
}

/* ---- what is shown ---- */

static bool holds(atls_bytes json, const char *text)
{
    const size_t n = strlen(text);
    for (size_t i = 0; i + n <= json.len; i++) {
        if (memcmp(json.ptr + i, text, n) == 0) {
            return true;
        }
    }
    return false;
}

static void test_shown(void **state)
{
    room_scene r;
    atls_bytes json;
    const char *kind;
    const atls_json *tree;
    (void)state;
    room_open(&r, false, NULL);
    assert_true(atls_evidence_kind(r.s.evidence, &r.s.arena, &kind, &r.s.err));
    assert_string_equal(kind, "apple_app_attest");
    scene_must(atls_inspect_json(r.s.evidence, &r.s.arena, &json, &r.s.err), &r.s.err, "inspect");
    assert_true(atls_json_parse(json, "json", &r.s.arena, &tree, &r.s.err));
    assert_true(holds(json, "\"apple_attestation\"") && holds(json, "\"os_version\":\"17.5.1\"")
                && holds(json, "\"appId\":\"" SIM_APPLE_APP_ID "\"") && holds(json, ".460Z"));
    scene_run(&r.s, r.policy);
    scene_expect(&r.s, ATLS_OK, NULL);
    assert_true(r.s.result.runtime_verified && r.s.result.simulated_or_test_root && !r.s.result.insecure);
    assert_true(atls_result_json(&r.s.result, NULL, &r.s.arena, &json, &r.s.err));
    assert_true(atls_json_parse(json, "json", &r.s.arena, &tree, &r.s.err));
    const atls_json *apple = atls_json_find(atls_json_find(tree, "claims"), "apple");
    assert_true(apple != NULL && atls_bytes_equal_str(atls_json_find(apple, "app_id")->text, SIM_APPLE_APP_ID)
                && atls_bytes_equal_str(atls_json_find(apple, "environment")->text, "production")
                && atls_bytes_equal_str(atls_json_find(apple, "os_build")->text, "21F90"));
    room_close(&r);
}

/* What cannot be read inside is shown as the reason why. */
static void test_shown_why(void **state)
{
    static const char *const settings[] = {"statement.receipt=40", "auth.cose=", "x5c=leaf,3000", NULL};
    room_scene r;
    atls_bytes json;
    const atls_json *tree;
    (void)state;
    room_open(&r, false, settings);
    scene_must(atls_inspect_json(r.s.evidence, &r.s.arena, &json, &r.s.err), &r.s.err, "inspect");
    assert_true(atls_json_parse(json, "json", &r.s.arena, &tree, &r.s.err));
    assert_true(holds(json, "authData.credentialPublicKey") && holds(json, "certificate.tbs")
                && holds(json, "\"field\":\"receipt\""));
    room_close(&r);
}

/* The result outlives the policy. */
static void test_outlives(void **state)
{
    room_scene r;
    (void)state;
    room_open(&r, false, NULL);
    scene_run(&r.s, r.policy); /* which frees policy and verifier */
    assert_true(atls_bytes_equal_str(r.s.result.claims.apple.team_identifier, SIM_APPLE_TEAM));
    assert_true(atls_bytes_equal_str(r.s.result.claims.apple.bundle_identifier, SIM_APPLE_BUNDLE));
    assert_true(atls_bytes_equal_str(r.s.result.claims.apple.app_id, SIM_APPLE_APP_ID));
    room_close(&r);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        tap_add(&tests, documents[i].members[0] == '\0' ? "(nothing)" : documents[i].members, test_document,
                &documents[i]);
    }
    tap_add(&tests, "roots that are no roots", test_roots, NULL);
    tap_add(&tests, "roots next to the document vouch for attestations", test_roots_beside, NULL);
    tap_add(&tests, "versions are in their order", test_semver_order, NULL);
    tap_add(&tests, "build numbers are in their order", test_build_order, NULL);
    tap_add(&tests, "what is no version, and no build number", test_no_versions, NULL);
    tap_add(&tests, "the binding's value as client data", test_value, NULL);
    tap_add(&tests, "bindings that make no sense", test_binding_calls, NULL);
    tap_add(&tests, "a challenge for evidence that has none", test_challenge_elsewhere, NULL);
    tap_add(&tests, "what inspect, a guess and a result show", test_shown, NULL);
    tap_add(&tests, "what inspect shows of what cannot be read", test_shown_why, NULL);
    tap_add(&tests, "claims outlive the policy", test_outlives, NULL);
    return tap_run("apple_policy", &tests);
}
