/* SPDX-License-Identifier: Apache-2.0 */
/* test_android_policy.c: documents of kind android_key, what the appraisal is given besides the chain, and how the modes go
 * together. W5, W7, W8, W9, W11 and W12 are defects of the existing system that ours must not have. */
#include "android_scene.h"
#include "base/text.h"
#include "policy.h"

#define DIGEST "\"NLl2LE1skNSEMZQMV73nMUJYsmQg7-Fqx_cnTw0zCtU\"" /* base64url, as Warden writes it */
#define APPS   "\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":[" DIGEST "]}]"
#define KEY                                                                                                            \
    "-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE7l1ex+HA220Dpn7mthvsTWpdamgu\\nD/9/"             \
    "SQ59dx9EIm29sa/6FsvHrcV30lacqrewLVQBXT5DKyqO107sSHVBpA==\\n-----END PUBLIC KEY-----\\n" /* software, P-256 */

/* ---- documents ---- */

typedef struct document {
    const char *name;
    const char *text;
    const char *field; /* NULL: it must be read */
} document;

static const document documents[] = {
    {"the least", "{\"type\":\"android_key\"," APPS "}", NULL},
    {"W11: everything that a recorded configuration of Warden has",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":[" DIGEST
     "],\"appVersion\":1,\"androidVersionOverride\":null,\"patchLevelOverride\":{\"year\":2023,\"month\":6,"
     "\"maxFuturePatchLevelMonths\":1},\"trustAnchorOverrides\":null,\"requireRemoteKeyProvisioningOverride\":null,"
     "\"osPatchLevel\":202306}],\"androidVersion\":110000,\"patchLevel\":{\"year\":2021,\"month\":8,"
     "\"maxFuturePatchLevelMonths\":null},\"requireStrongBox\":false,\"allowBootloaderUnlock\":false,"
     "\"requireRollbackResistance\":false,\"ignoreLeafValidity\":false,\"hardwareAttestationTrustAnchors\":[\"" KEY
     "\"],\"softwareAttestationTrustAnchors\":[\"" KEY "\"],\"verificationSecondsOffset\":-300,"
     "\"attestationStatementValiditySeconds\":300,\"disableHardwareAttestation\":false,"
     "\"enableNougatAttestation\":false,\"enableSoftwareAttestation\":false,\"requireRemoteKeyProvisioning\":false,"
     "\"httpProxy\":null,\"osPatchLevel\":202108}",
     NULL},
    {"null wherever it may stand",
     "{\"type\":\"android_key\"," APPS ",\"androidVersion\":null,\"patchLevel\":null,\"requireStrongBox\":null,"
     "\"verificationSecondsOffset\":null,\"hardwareAttestationTrustAnchors\":null,\"factoryChainExpiry\":null,"
     "\"allowedOrigins\":null,\"matchDecimalSerials\":null,\"revocationMaxStaleSeconds\":null,"
     "\"attestationStatementValiditySeconds\":null}",
     NULL},
    {"the other spelling of the override",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":[" DIGEST
     "],\"requireRemoteProvisioningOverride\":true}]}",
     NULL},
    {"members of every kind", "{\"type\":\"android_key\"," APPS ",\"min_grade\":\"key\",\"attested_only\":true}", NULL},
    {"no applications", "{\"type\":\"android_key\"}", "applications"},
    {"an empty list of them", "{\"type\":\"android_key\",\"applications\":[]}", "applications"},
    {"an app without a name", "{\"type\":\"android_key\",\"applications\":[{\"signatureDigests\":[" DIGEST "]}]}",
     "applications[0].packageName"},
    {"an app without digests", "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\"}]}",
     "applications[0].signatureDigests"},
    {"an app with no digest in the list",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":[]}]}",
     "applications[0].signatureDigests"},
    {"a digest of 31 bytes",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":["
     "\"NLl2LE1skNSEMZQMV73nMUJYsmQg7-Fqx_cnTw0zCg\"]}]}",
     "applications[0].signatureDigests[0]"},
    {"a digest in the other base64",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigests\":["
     "\"NLl2LE1skNSEMZQMV73nMUJYsmQg7+Fqx/cnTw0zCtU\"]}]}",
     "applications[0].signatureDigests[0]"},
    {"a misspelt member of an app",
     "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"a.b\",\"signatureDigest\":[" DIGEST "]}]}",
     "applications[0].signatureDigest"},
    {"a misspelt member", "{\"type\":\"android_key\"," APPS ",\"requireStrongbox\":true}", "requireStrongbox"},
    {"roots by certificate", "{\"type\":\"android_key\"," APPS ",\"trusted_roots\":[\"00\"]}", "trusted_roots"},
    {"no hardware anchors", "{\"type\":\"android_key\"," APPS ",\"hardwareAttestationTrustAnchors\":[]}",
     "hardwareAttestationTrustAnchors"},
    {"no software anchors, where that is asked for",
     "{\"type\":\"android_key\"," APPS ",\"softwareAttestationTrustAnchors\":[],\"enableSoftwareAttestation\":true}",
     "softwareAttestationTrustAnchors"},
    {"no software anchors in hybrid mode",
     "{\"type\":\"android_key\"," APPS ",\"softwareAttestationTrustAnchors\":[],\"enableNougatAttestation\":true}",
     "softwareAttestationTrustAnchors"},
    {"no software anchors, where nobody asks",
     "{\"type\":\"android_key\"," APPS ",\"softwareAttestationTrustAnchors\":[]}", NULL},
    {"no mode at all", "{\"type\":\"android_key\"," APPS ",\"disableHardwareAttestation\":true}",
     "disableHardwareAttestation"},
    {"an anchor that is none", "{\"type\":\"android_key\"," APPS ",\"hardwareAttestationTrustAnchors\":[\"-----x\"]}",
     "hardwareAttestationTrustAnchors[0]"},
    {"month 13", "{\"type\":\"android_key\"," APPS ",\"patchLevel\":{\"year\":2023,\"month\":13}}", "patchLevel"},
    {"month 0", "{\"type\":\"android_key\"," APPS ",\"patchLevel\":{\"year\":2023,\"month\":0}}", "patchLevel"},
    {"an offset beyond 32 bits", "{\"type\":\"android_key\"," APPS ",\"verificationSecondsOffset\":2147483648}",
     "verificationSecondsOffset"},
    {"a validity below zero", "{\"type\":\"android_key\"," APPS ",\"attestationStatementValiditySeconds\":-1}",
     "attestationStatementValiditySeconds"},
    {"an expiry that is neither", "{\"type\":\"android_key\"," APPS ",\"factoryChainExpiry\":\"never\"}",
     "factoryChainExpiry"},
};

static void test_document(void **state)
{
    const document *d = *state;
    atls_policy *policy = NULL;
    atls_error err = {0};
    const bool ok = atls_policy_parse(atls_bytes_str(d->text), &policy, &err);
    if (d->field == NULL) {
        scene_must(ok, &err, d->name);
        assert_string_equal(atls_policy_kind(policy), "android_key");
    } else {
        assert_false(ok);
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_string_equal(err.field, d->field);
    }
    atls_policy_free(policy);
}

static bool lists(const atls_policy *p, const char *name)
{
    const atls_text_list weak = atls_policy_insecure(p);
    for (size_t i = 0; i < weak.n; i++) {
        if (strcmp(weak.items[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Foreign names that weaken are listed as such; what is merely written out is not. */
static void test_weaknesses(void **state)
{
    atls_policy *p = NULL;
    atls_error err = {0};
    static const char weak[] =
        "{\"type\":\"android_key\"," APPS ",\"allowBootloaderUnlock\":true,\"enableSoftwareAttestation\":true,"
        "\"ignoreLeafValidity\":true,\"attestationStatementValiditySeconds\":null,"
        "\"factoryChainExpiry\":\"ignore\",\"hardwareAttestationTrustAnchors\":[\"" KEY "\"]}";
    static const char written[] =
        "{\"type\":\"android_key\"," APPS ",\"allowBootloaderUnlock\":false,\"enableSoftwareAttestation\":false,"
        "\"softwareAttestationTrustAnchors\":[\"" KEY "\"]}";
    (void)state;
    assert_true(atls_policy_parse(atls_bytes_str(weak), &p, &err));
    assert_true(lists(p, "allowBootloaderUnlock") && lists(p, "enableSoftwareAttestation"));
    assert_true(lists(p, "ignoreLeafValidity") && lists(p, "attestationStatementValiditySeconds"));
    assert_true(lists(p, "factoryChainExpiry") && lists(p, "hardwareAttestationTrustAnchors"));
    assert_int_equal(p->android.n_applications, 1);
    atls_policy_free(p);
    assert_true(atls_policy_parse(atls_bytes_str(written), &p, &err));
    assert_int_equal(atls_policy_insecure(p).n, 0);
    atls_policy_free(p);
}

/* ---- time ---- */

static void run_at(scene *s, atls_time now, uint32_t ms, int64_t offset, atls_code code, const char *field)
{
    s->in.now = now;
    s->in.now_ms = ms;
    s->in.offset_s = offset;
    scene_run(s);
    scene_expect(s, code, field);
}

/* W5 and W8: one clock, and one sum of it and both offsets; ends of the window included, to the millisecond. */
static void test_time(void **state)
{
    static const char field[] = "keyDescription.creationDateTime";
    const char *const settings[] = {"policy.verificationSecondsOffset=10", NULL};
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, settings);
    const atls_time made = s.in.now;
    s.endorsements.android.fetched = ATLS_TIME_UNSET;
    run_at(&s, made - 10, 0, 0, ATLS_OK, NULL);
    assert_int_equal(s.result.claims.android.verified_ms, made * 1000);
    run_at(&s, made - 11, 999, 0, ATLS_E_ANDROID_STATEMENT_TIME, field);
    run_at(&s, made + 290, 0, 0, ATLS_OK, NULL);
    run_at(&s, made + 290, 1, 0, ATLS_E_ANDROID_STATEMENT_TIME, field);
    run_at(&s, made + 291, 0, -1, ATLS_OK, NULL);
    run_at(&s, made - 10 - 100, 0, 100, ATLS_OK, NULL);
    run_at(&s, made - 10 - 100, 0, 99, ATLS_E_ANDROID_STATEMENT_TIME, field);
    s.in.now_ms = 1000;
    s.in.offset_s = 0;
    scene_run(&s);
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    s.in.now_ms = 0;
    s.in.offset_s = INT32_MAX;
    scene_run(&s);
    assert_int_equal(s.err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(s.err.field, "verificationSecondsOffset");
    scene_close(&s);
}

/* ---- the status list ---- */

/* W9: without a list that can be used nothing is accepted, and an old one is only for as long as the policy says. */
static void test_list(void **state)
{
    const char *const settings[] = {"policy.revocationMaxStaleSeconds=100",
                                    "policy.attestationStatementValiditySeconds=9999", NULL};
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, settings);
    const atls_time now = s.in.now;
    run_at(&s, now + 3600, 0, 0, ATLS_OK, NULL);
    assert_int_equal(scene_check(&s, "android.list_age")->verdict, ATLS_CHECK_PASS);
    run_at(&s, now + 3601, 0, 0, ATLS_OK, NULL);
    assert_true(s.result.claims.android.status_is_stale);
    assert_int_equal(scene_check(&s, "android.list_age")->verdict, ATLS_CHECK_SKIPPED);
    run_at(&s, now + 3700, 0, 0, ATLS_OK, NULL);
    run_at(&s, now + 3701, 0, 0, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    assert_true(s.err.retry && s.err.category == ATLS_CATEGORY_TRUST);
    s.endorsements.android.expires = now + 5000;
    run_at(&s, now + 5000, 0, 0, ATLS_OK, NULL);
    run_at(&s, now + 5101, 0, 0, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    s.endorsements.android = (atls_android_status){.list = s.endorsements.android.list};
    run_at(&s, now + 6000, 0, 0, ATLS_OK, NULL);
    assert_int_equal(scene_check(&s, "android.list_age")->verdict, ATLS_CHECK_SKIPPED);
    s.endorsements.android.list = atls_bytes_empty();
    run_at(&s, now, 0, 0, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    s.no_endorsements = true;
    run_at(&s, now, 0, 0, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    s.in.endorse = NULL;
    run_at(&s, now, 0, 0, ATLS_E_ANDROID_LIST_UNAVAILABLE, "status");
    scene_close(&s);
}

/* A list that was read once does the same as its text. */
static void test_compiled_list(void **state)
{
    const char *const settings[] = {"cert.attestation.serial=0abc", NULL};
    static const char text[] = "{\"entries\":{\"abc\":{\"status\":\"REVOKED\",\"reason\":\"KEY_COMPROMISE\"}},\"x\":1}";
    const atls_android_list *list = NULL;
    uint8_t hash[32];
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, settings);
    scene_run(&s);
    scene_expect(&s, ATLS_OK, NULL);
    assert_true(atls_android_list_compile(atls_bytes_str(text), &s.arena, &list, &s.err));
    assert_int_equal(atls_android_list_len(list), 1);
    atls_android_list_sha256(list, hash);
    assert_false(atls_bytes_is_zero(atls_bytes_of(hash, sizeof hash)));
    s.endorsements.android.compiled = list;
    s.endorsements.android.list = atls_bytes_str(text); /* for the recording */
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_REVOKED, "chain[1].serial");
    assert_non_null(strstr(s.err.message, "KEY_COMPROMISE"));
    scene_close(&s);
}

/* Thousands of members, more than other documents may have; every one of them is found, and no neighbour. */
static void test_long_list(void **state)
{
    enum { N = 5000 };
    scene s;
    atls_buf b;
    atls_bytes text;
    const atls_android_list *list = NULL;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    atls_buf_init(&b, &s.arena, &s.err);
    atls_buf_str(&b, "{\"entries\":{");
    for (unsigned i = 0; i < N; i++) {
        atls_buf_format(&b, "%s\"%x\":{\"status\":\"%s\"}", i == 0 ? "" : ",", (i * 7919u) % 65521u + 1,
                        i % 2 == 0 ? "REVOKED" : "OK");
    }
    atls_buf_str(&b, "}}");
    assert_true(atls_buf_done(&b, &text));
    assert_true(atls_android_list_compile(text, &s.arena, &list, &s.err));
    assert_int_equal(atls_android_list_len(list), N);
    scene_close(&s);
}

/* ---- what it was made for ---- */

/* W7: every byte and the whole length; without a challenge the result says that nothing was compared. */
static void test_challenge(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    for (size_t i = 0; i < sizeof s.challenge; i++) {
        uint8_t other[32];
        memcpy(other, s.challenge, sizeof other);
        other[i] ^= 1;
        s.in.binding.challenge = atls_bytes_of(other, sizeof other);
        scene_run(&s);
        scene_expect(&s, ATLS_E_ANDROID_CHALLENGE, "keyDescription.attestationChallenge");
        assert_int_equal(s.err.category, ATLS_CATEGORY_CONTENT);
    }
    s.in.binding.challenge = atls_bytes_of(s.challenge, sizeof s.challenge - 1);
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CHALLENGE, "keyDescription.attestationChallenge");
    s.in.binding = (atls_binding){.grade = ATLS_GRADE_REPORT_DATA, .profile = "", .value_len = sizeof s.challenge};
    memcpy(s.in.binding.value, s.challenge, sizeof s.challenge);
    scene_run(&s);
    scene_expect(&s, ATLS_OK, NULL); /* a value of up to 64 bytes is a challenge, too */
    s.in.binding.value_len = 0;
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CHALLENGE, "keyDescription.attestationChallenge");
    s.in.binding = (atls_binding){.profile = ""};
    scene_run(&s);
    scene_expect(&s, ATLS_OK, NULL);
    assert_int_equal(s.result.grade, ATLS_GRADE_NONE);
    assert_int_equal(scene_check(&s, "android.challenge")->verdict, ATLS_CHECK_SKIPPED);
    assert_int_equal(scene_check(&s, "binding")->verdict, ATLS_CHECK_SKIPPED);
    scene_close(&s);
}

static void test_long_challenge(void **state)
{
    uint8_t nonce[129];
    scene s;
    (void)state;
    memset(nonce, 0x5a, sizeof nonce);
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    const sim_android_request request = {.challenge = atls_bytes_of(nonce, 128)};
    assert_true(sim_android_chain(s.phone, &request, &s.arena, &s.in.evidence, &s.err));
    s.in.binding.challenge = request.challenge;
    scene_run(&s);
    scene_expect(&s, ATLS_OK, NULL);
    assert_int_equal(scene_check(&s, "binding")->verdict, ATLS_CHECK_PASS);
    nonce[127] ^= 1; /* the evidence has a copy of its own */
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CHALLENGE, "keyDescription.attestationChallenge");
    s.in.binding.challenge = atls_bytes_of(nonce, 129);
    scene_run(&s);
    assert_int_equal(s.err.code, ATLS_E_ANDROID_CHALLENGE);
    scene_close(&s);
}

/* A challenge that nobody would compare is a mistake of the caller, never passed over. */
static void test_challenge_elsewhere(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    s.policy = atls_bytes_str("{\"type\":\"nitro\"}");
    scene_run(&s);
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    assert_string_equal(s.err.field, "binding.challenge");
    s.in.binding.grade = ATLS_GRADE_NONE;
    scene_run(&s);
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    scene_close(&s);
}

/* ---- modes ---- */

static const char *policy_with(scene *s, const char *more)
{
    const char *text =
        atls_text_format(&s->arena, &s->err, "%.*s,%s}", (int)s->policy.len - 1, (const char *)s->policy.ptr, more);
    assert_non_null(text);
    return text;
}

/* W12: the verdict is that of the last mode, unless one that weighs more came before; every mode's error is listed. */
static void test_modes(void **state)
{
    scene s;
    (void)state;
    const char *const other_challenge[] = {"challenge=00", NULL};
    scene_open(&s, SIM_ANDROID_FACTORY, other_challenge);
    s.policy = atls_bytes_str(policy_with(&s, "\"enableSoftwareAttestation\":true,\"enableNougatAttestation\":true"));
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_NO_MATCHING_ROOT, "chain[3].public_key");
    assert_int_equal(scene_check(&s, "android.challenge")->verdict, ATLS_CHECK_FAIL);
    assert_int_equal(scene_check(&s, "android.mode.hybrid")->code, ATLS_E_ANDROID_NO_MATCHING_ROOT);
    assert_int_equal(scene_check(&s, "android.mode.software")->code, ATLS_E_ANDROID_NO_MATCHING_ROOT);
    scene_close(&s);
    const char *const ended[] = {"cert.intermediate.not_after=now-1", NULL};
    scene_open(&s, SIM_ANDROID_FACTORY, ended);
    s.policy = atls_bytes_str(policy_with(&s, "\"enableSoftwareAttestation\":true"));
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CERTIFICATE_TIME, "chain[2].not_after");
    assert_int_equal(scene_check(&s, "android.mode.software")->code, ATLS_E_ANDROID_NO_MATCHING_ROOT);
    scene_close(&s);
}

/* A mode that accepts is enough; the others are listed as what they are, and nothing failed. */
static void test_mode_accepts(void **state)
{
    static const struct {
        const char *settings[4];
        const char *more;
        atls_android_mode mode;
        atls_code code;
    } rows[] = {
        {{NULL}, "\"x\":0", ATLS_ANDROID_MODE_SOFTWARE, ATLS_OK},
        {{"keymasterSecurityLevel=1", NULL}, "\"enableNougatAttestation\":true", ATLS_ANDROID_MODE_HYBRID, ATLS_OK},
        {{"keymasterSecurityLevel=1", "sw.701=n1", NULL},
         "\"enableNougatAttestation\":true",
         ATLS_ANDROID_MODE_HYBRID,
         ATLS_OK},
        {{"keymasterSecurityLevel=1", NULL},
         "\"enableNougatAttestation\":true,\"requireStrongBox\":true",
         ATLS_ANDROID_MODE_NONE,
         ATLS_E_ANDROID_SEC_LEVEL},
        {{"keymasterSecurityLevel=2", NULL},
         "\"enableNougatAttestation\":true,\"requireStrongBox\":true",
         ATLS_ANDROID_MODE_HYBRID,
         ATLS_OK},
        {{"attestationSecurityLevel=1", NULL}, "\"x\":0", ATLS_ANDROID_MODE_NONE, ATLS_E_ANDROID_SEC_LEVEL},
        {{NULL}, "\"requireStrongBox\":true", ATLS_ANDROID_MODE_SOFTWARE, ATLS_OK},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        scene s;
        scene_open(&s, SIM_ANDROID_SOFTWARE, rows[i].settings);
        if (strcmp(rows[i].more, "\"x\":0") != 0) {
            s.policy = atls_bytes_str(policy_with(&s, rows[i].more));
        }
        scene_run(&s);
        assert_int_equal(s.err.code, rows[i].code);
        if (s.accepted) {
            assert_int_equal(s.result.claims.android.mode, rows[i].mode);
            assert_true(s.result.insecure && s.result.simulated_or_test_root);
            assert_string_equal(scene_check(&s, "android.mode")->actual, atls_android_mode_name(rows[i].mode));
        }
        scene_close(&s);
    }
}

/* Every mismatch is listed, not only the first. */
static void test_all_mismatches(void **state)
{
    const char *const settings[] = {"challenge=00",
                                    "rot.locked=00",
                                    "rot.state=2",
                                    "policy.requireStrongBox=true",
                                    "policy.requireRollbackResistance=true",
                                    "policy.androidVersion=150000",
                                    NULL};
    static const char *const ids[] = {
        "android.challenge",  "android.attestation_level",   "android.keymaster_level", "android.device_locked",
        "android.boot_state", "android.rollback_resistance", "android.os_version"};
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, settings);
    scene_run(&s);
    scene_expect(&s, ATLS_E_ANDROID_CHALLENGE, "keyDescription.attestationChallenge");
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_non_null(scene_check(&s, ids[i]));
        assert_int_equal(scene_check(&s, ids[i])->verdict, ATLS_CHECK_FAIL);
    }
    scene_close(&s);
}

/* ---- claims ---- */

static void test_claims(void **state)
{
    const char *const settings[] = {"hw.714=040131", "uniqueId=aabb", NULL};
    atls_bytes json;
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_REMOTE, settings);
    scene_run(&s);
    scene_expect(&s, ATLS_OK, NULL);
    const atls_android_claims *c = &s.result.claims.android;
    assert_true(s.result.runtime_verified && s.result.simulated_or_test_root && !s.result.insecure);
    assert_int_equal(c->mode, ATLS_ANDROID_MODE_HARDWARE);
    assert_int_equal(c->provisioning, ATLS_ANDROID_REMOTELY_PROVISIONED);
    assert_int_equal(c->certificate_level, ATLS_ANDROID_TRUSTED_ENVIRONMENT);
    assert_true(c->info.intact && c->info.certificatesIssued.value == 32);
    assert_true(atls_bytes_equal_str(c->package_name, SIM_ANDROID_PACKAGE) && c->package_version == 7);
    assert_int_equal(c->n_certificates, 5);
    assert_true(c->public_key.len == 91 && c->application == 0);
    assert_true(s.result.claims.is_bound);
    assert_true(atls_result_json(&s.result, NULL, &s.arena, &json, &s.err));
    const char *text = atls_text_copy(json, &s.arena, &s.err);
    assert_non_null(text);
    assert_non_null(strstr(text, "\"android\""));
    assert_non_null(strstr(text, "\"attestationIdImei\":\"withheld\"")); /* nobody's identifiers leave */
    assert_null(strstr(text, "aabb\""));
    scene_close(&s);
}

/* The guess, for people who look at a file. */
static void test_guess(void **state)
{
    const char *kind = NULL;
    atls_bytes json;
    scene s;
    (void)state;
    scene_open(&s, SIM_ANDROID_FACTORY, NULL);
    assert_true(atls_evidence_kind(s.in.evidence, &s.arena, &kind, &s.err));
    assert_string_equal(kind, "android_key");
    assert_true(atls_inspect_json(s.in.evidence, &s.arena, &json, &s.err));
    assert_non_null(strstr((const char *)json.ptr, "android_key_attestation"));
    assert_true(atls_inspect_json(s.endorsements.android.list, &s.arena, &json, &s.err));
    assert_non_null(strstr((const char *)json.ptr, "android_status_list"));
    scene_close(&s);
}

/* Words of the codes: what an enrolment service says. */
static void test_words(void **state)
{
    (void)state;
    assert_string_equal(atls_android_reason(ATLS_E_ANDROID_ROOT_TIME), "InvalidRoot");
    assert_string_equal(atls_android_class(ATLS_E_ANDROID_ROOT_TIME), "Certificate.Time");
    assert_string_equal(atls_android_reason(ATLS_E_ANDROID_ROOT_INVALID), "InvalidRoot");
    assert_string_equal(atls_android_class(ATLS_E_ANDROID_ROOT_INVALID), "Certificate.Trust");
    assert_string_equal(atls_android_reason(ATLS_E_REVOKED), "");
    assert_string_equal(atls_android_class(ATLS_E_OK), "");
    assert_int_equal(atls_code_category(ATLS_E_ANDROID_STATEMENT_TIME), ATLS_CATEGORY_TIME);
    for (unsigned c = ATLS_E_ANDROID_CHAIN_UNPARSABLE; c <= ATLS_E_ANDROID_OS_VERSION; c++) {
        assert_string_not_equal(atls_android_reason((atls_code)c), "");
    }
}

int main(void)
{
    tap_list list = {0};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        tap_add(&list, documents[i].name, test_document, &documents[i]);
    }
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(test_weaknesses),     cmocka_unit_test(test_time),
        cmocka_unit_test(test_list),           cmocka_unit_test(test_compiled_list),
        cmocka_unit_test(test_long_list),      cmocka_unit_test(test_challenge),
        cmocka_unit_test(test_long_challenge), cmocka_unit_test(test_challenge_elsewhere),
        cmocka_unit_test(test_modes),          cmocka_unit_test(test_mode_accepts),
        cmocka_unit_test(test_all_mismatches), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_guess),          cmocka_unit_test(test_words),
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        tap_add(&list, others[i].name, others[i].test_func, NULL);
    }
    return tap_run("android_policy", &list);
}
