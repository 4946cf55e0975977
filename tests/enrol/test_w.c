/* SPDX-License-Identifier: Apache-2.0 */
/* W1 to W12 of section 10: what the first implementation of this protocol gets wrong, each as a test that it would fail. */
#include "base/json.h"
#include "steps_scene.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};

#define SIGNATURE "CsrSignature Certificate.Trust CSR_SIGNATURE TRUST"
#define MISMATCH  "KeyMismatch Certificate.Trust KEY_MISMATCH TRUST"

/* A copy of the request that may be changed. */
static uint8_t *own_csr(scene *s)
{
    uint8_t *bytes = atls_arena_raw(&s->arena, s->csr.len, &s->err);
    assert_non_null(bytes);
    memcpy(bytes, s->csr.ptr, s->csr.len);
    s->csr = atls_bytes_of(bytes, s->csr.len);
    return bytes;
}

static uint8_t *find(uint8_t *bytes, size_t len, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= len; i++) {
        if (memcmp(bytes + i, text, strlen(text)) == 0) {
            return bytes + i;
        }
    }
    fail_msg("%s is not there", text);
    return NULL;
}

static void run_again(scene *s)
{
    s->is_used = false;
    scene_run(s);
}

/* The signature is checked, the right way round, over what was received. */
static void test_w1_signature_over_the_received_octets(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &honest);
    scene_run(&s);
    scene_words(&s, "Success");
    uint8_t *bytes = own_csr(&s);
    *find(bytes, s.csr.len, "a phone") = 'b'; /* a name that means nothing, but is signed */
    run_again(&s);
    scene_words(&s, SIGNATURE);
    assert_null(strchr(s.log, 'I'));
    scene_close(&s);
    scene_open(&s, &honest);
    bytes = own_csr(&s);
    bytes[s.csr.len - 1] ^= 1;
    scene_run(&s);
    scene_words(&s, SIGNATURE);
    scene_close(&s);
    scene_open(&s, &(scene_spec){.foreign_signer = true});
    scene_run(&s);
    scene_words(&s, SIGNATURE);
    assert_null(strchr(s.log, 'I'));
    scene_close(&s);
}

/* A stolen statement in a request for one's own key, signed by it, is worth nothing; and what is issued is for the attested key,
 * taken from the statement. */
static void test_w2_attested_key(void **state)
{
    scene s;
    (void)state;
    for (int is_apple = 0; is_apple < 2; is_apple++) {
        scene_open(&s, &(scene_spec){.is_apple = is_apple == 1, .own_key = "mine"});
        scene_run(&s);
        scene_words(&s, MISMATCH);
        assert_null(strchr(s.log, 'I'));
        scene_close(&s);
        scene_open(&s, &(scene_spec){.is_apple = is_apple == 1});
        scene_run(&s);
        scene_words(&s, "Success");
        assert_true(atls_bytes_equal(s.issued_spki, s.attested_spki));
        const uintptr_t at = (uintptr_t)s.issued_spki.ptr;
        const uintptr_t csr = (uintptr_t)s.csr.ptr;
        assert_false(at >= csr && at < csr + s.csr.len); /* not the request's bytes */
        scene_close(&s);
    }
}

/* What is no request gets an answer like others, and calls nobody. */
static void test_w3_malformed_request(void **state)
{
    static const char *const wrong[] = {"", "0", "\x30\x80", "-----BEGIN CERTIFICATE REQUEST-----", "{}"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        scene s;
        scene_open(&s, &honest);
        s.csr = atls_bytes_str(wrong[i]);
        scene_run(&s);
        scene_words(&s, "CsrDecoding PreAttestation.CsrDecoding CONTENT");
        assert_int_equal(scene_response(&s).kind, ATLS_CATEGORY_CONTENT);
        assert_string_equal(s.log, "P");
        scene_close(&s);
    }
}

/* One nonce and one statement, not the first of several. */
static void test_w4_uniqueness(void **state)
{
    static const scene_spec specs[] = {{.n_nonces = 2}, {.n_nonces = 3}, {.n_proofs = 2}, {.n_proofs = 3}};
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        scene s;
        scene_open(&s, &specs[i]);
        scene_run(&s);
        scene_words(&s, i < 2 ? "ChallengeExtraction PreAttestation.ChallengeExtraction CONTENT"
                              : "AttestationStatementExtraction PreAttestation.AttestationStatementExtraction CONTENT");
        scene_close(&s);
    }
}

/* The store, the appraisal, the certificate and the record have one time, to the millisecond. */
static void test_w5_one_clock(void **state)
{
    scene s;
    char expected[64];
    (void)state;
    scene_open(&s, &honest);
    s.in.now += 300;
    scene_run(&s);
    scene_words(&s, "Success");
    assert_int_equal(s.consumed_ms, s.in.now * 1000);
    assert_int_equal(s.grant.now, s.in.now);
    assert_int_equal(s.issued_at, s.in.now);
    s.in.now_ms = 1;
    run_again(&s);
    scene_words(&s, "Attestation Content.Android STATEMENT_TIME TIME");
    assert_int_equal(s.consumed_ms, s.in.now * 1000 + 1);
    const int n = snprintf(expected, sizeof expected, "\"verificationTime\":%lld,", (long long)s.consumed_ms);
    assert_true(n > 0);
    bool found = false;
    for (size_t i = 0; i + (size_t)n <= s.out.record.len; i++) {
        found = found || memcmp(s.out.record.ptr + i, expected, (size_t)n) == 0;
    }
    assert_true(found);
    scene_close(&s);
}

/* What is issued has 16 bytes or more; a shorter one in a request was issued by nobody, and is asked of the store like any. */
static void test_w6_nonce_bounds(void **state)
{
    static const size_t lens[] = {0, 1, 15, 16, 32, 128, 129};
    static const uint8_t bytes[129] = {1};
    atls_arena a;
    atls_error err = {0};
    (void)state;
    assert_true(atls_arena_new(&a, (size_t)64 * 1024, &err));
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        const atls_enrol_challenge c = {.issued_ms = 1,
                                        .time_zone = atls_bytes_empty(),
                                        .nonce = atls_bytes_of(bytes, lens[i]),
                                        .endpoint = atls_bytes_str("https://example.org/attest"),
                                        .proof_oid = atls_bytes_str(SCENE_PROOF_OID)};
        atls_bytes json;
        err = (atls_error){0};
        assert_int_equal(atls_enrol_challenge_write(&c, &a, &json, &err), lens[i] >= 16 && lens[i] <= 128);
        assert_int_equal(err.code, lens[i] >= 16 && lens[i] <= 128 ? ATLS_OK : ATLS_E_USAGE);
    }
    assert_int_equal(ATLS_ENROL_NONCE_LEN, 32);
    atls_arena_free(&a);
}

/* Every byte of the nonce counts, in the statement as in the store, which may know it by its digest. */
static void test_w7_every_byte_of_the_challenge(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 32; i += 31) {
        for (int is_apple = 0; is_apple < 2; is_apple++) {
            scene s;
            scene_open(&s, &(scene_spec){.is_apple = is_apple == 1, .other_challenge = true, .challenge_at = i});
            scene_run(&s);
            scene_words(&s, is_apple == 1 ? "Attestation Content.iOS CHALLENGE CONTENT"
                                          : "Attestation Content.Android CHALLENGE CONTENT");
            assert_true(atls_bytes_equal(s.consumed, atls_bytes_of(s.nonce, sizeof s.nonce)));
            scene_close(&s);
        }
    }
}

/* t = now + global offset + the policy's, once each; and the record repeats just that. */
static void test_w8_offsets_added_once(void **state)
{
    static const char *const settings[] = {"policy.verificationSecondsOffset=40", NULL};
    static const struct {
        int64_t shift;
        const char *words;
    } rows[] = {
        {-100, "Success"},
        {-101, "Attestation Content.Android STATEMENT_TIME TIME"}, /* made in the future */
        {200, "Success"},
        {201, "Attestation Content.Android STATEMENT_TIME TIME"},
    };
    scene s;
    (void)state;
    scene_open(&s, &(scene_spec){.settings = settings});
    s.options.offset_s = 60;
    scene_enroller(&s);
    const atls_time now = s.in.now;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s.in.now = now + rows[i].shift;
        run_again(&s);
        scene_words(&s, rows[i].words);
    }
    scene_close(&s);
}

/* The list comes from one call, is used while it is stale within bounds, and without one nobody is certified. */
static void test_w9_status_list(void **state)
{
    static const struct {
        int64_t expired_s; /* ago */
        const char *words;
    } rows[] = {
        {0, "Success"},
        {86400, "Success"},
        {86401, "Attestation Certificate.Trust LIST_UNAVAILABLE TRUST"},
    };
    scene s;
    (void)state;
    scene_open(&s, &honest);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        s.endorsements.android.fetched = s.in.now - 100000;
        s.endorsements.android.expires = s.in.now - rows[i].expired_s;
        run_again(&s);
        scene_words(&s, rows[i].words);
        assert_ptr_equal(strchr(s.log, 'E'), strrchr(s.log, 'E'));
    }
    s.endorsements.android.list = atls_bytes_str("no list");
    run_again(&s);
    scene_words(&s, "Attestation Certificate.Trust LIST_UNAVAILABLE TRUST");
    s.options.endorse = NULL;
    scene_enroller(&s);
    run_again(&s);
    scene_words(&s, "Attestation Certificate.Trust LIST_UNAVAILABLE TRUST");
    scene_close(&s);
}

#define APP(stage, version)                                                                                            \
    "{\"teamIdentifier\":\"" SIM_APPLE_TEAM "\",\"bundleIdentifier\":\"" SIM_APPLE_BUNDLE "\",\"sandbox\":" stage      \
    ",\"iosVersionOverride\":{\"semVer\":\"" version "\",\"buildNumber\":\"0A0\"}}"

/* The same app in both stages: the version that counts is that of the stage that the phone is of. */
static void test_w10_override_of_the_matched_stage(void **state)
{
    static const char *const lenient[] = {"policy.applications=[" APP("true", "99.0") "," APP("false", "1.0") "]",
                                          NULL};
    static const char *const strict[] = {"policy.applications=[" APP("true", "1.0") "," APP("false", "99.0") "]", NULL};
    scene s;
    (void)state;
    scene_open(&s, &(scene_spec){.is_apple = true, .settings = lenient});
    scene_run(&s);
    scene_words(&s, "Success");
    scene_close(&s);
    scene_open(&s, &(scene_spec){.is_apple = true, .settings = strict});
    scene_run(&s);
    assert_false(s.out.is_success);
    assert_string_equal(s.out.class_name, "Content.iOS");
    scene_close(&s);
}

/* ---- documentation and code name the same things ---- */

static atls_bytes read_document(const char *path, atls_arena *a)
{
    atls_error err = {0};
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    uint8_t *text = atls_arena_raw(a, (size_t)256 * 1024, &err);
    assert_non_null(text);
    const size_t n = fread(text, 1, (size_t)256 * 1024, f);
    fclose(f);
    return atls_bytes_of(text, n);
}

static void assert_documented(atls_bytes document, atls_bytes name)
{
    char quoted[80];
    (void)snprintf(quoted, sizeof quoted, "`%.*s`", (int)name.len, (const char *)name.ptr);
    for (size_t i = 0; i + strlen(quoted) <= document.len; i++) {
        if (memcmp(document.ptr + i, quoted, strlen(quoted)) == 0) {
            return;
        }
    }
    fail_msg("docs/enrolment.md does not name %s", quoted);
}

static void assert_members(atls_bytes document, const atls_json *object)
{
    for (const atls_json *m = object->child; m != NULL; m = m->next) {
        assert_documented(document, m->name);
        /* configurations are documented in policy.md */
        const bool is_warden = m->name.len > 24 || atls_bytes_equal_str(m->name, "keyAttestation");
        if (m->type == ATLS_JSON_OBJECT && !is_warden) {
            assert_members(document, m);
        }
        if (m->type == ATLS_JSON_ARRAY && m->child != NULL && m->child->type == ATLS_JSON_OBJECT) {
            assert_members(document, m->child);
        }
    }
}

static void test_w11_documented_members(void **state)
{
    scene s;
    const atls_json *tree = NULL;
    (void)state;
    scene_open(&s, &(scene_spec){.other_challenge = true});
    scene_run(&s);
    const atls_bytes document = read_document("docs/enrolment.md", &s.again);
    scene_must(atls_json_parse(s.out.record, "record", &s.again, &tree, &s.err), &s.err, "record");
    assert_members(document, tree);
    for (unsigned i = ATLS_ENROL_STEP_DECODE; i <= ATLS_ENROL_STEP_DONE; i++) {
        assert_documented(document, atls_bytes_str(atls_enrol_step_name((atls_enrol_step)i)));
    }
    scene_close(&s);
}

/* ---- several modes ---- */

static const atls_json *failed_check(const atls_json *record, const char *code)
{
    const atls_json *own = atls_json_find(record, "atls");
    const atls_json *failed = atls_json_find(atls_json_find(own, "verdict"), "failed");
    for (const atls_json *c = failed->child; c != NULL; c = c->next) {
        if (atls_bytes_equal_str(atls_json_find(c, "code")->text, code)) {
            return c;
        }
    }
    return NULL;
}

/* The last mode's error is told, as the first implementation has it; the record has the other one, too. */
static void test_w12_errors_of_all_modes(void **state)
{
    static const char *const settings[] = {"policy.enableSoftwareAttestation=true", NULL};
    scene s;
    const atls_json *tree = NULL;
    (void)state;
    scene_open(&s, &(scene_spec){.settings = settings, .other_challenge = true});
    scene_run(&s);
    scene_words(&s, "Attestation Certificate.Trust NoMatchingRoot TRUST");
    scene_must(atls_json_parse(s.out.record, "record", &s.again, &tree, &s.err), &s.err, "record");
    assert_non_null(failed_check(tree, "ANDROID_CHALLENGE"));
    assert_non_null(failed_check(tree, "ANDROID_NO_MATCHING_ROOT"));
    assert_true(
        atls_bytes_equal_str(atls_json_find(failed_check(tree, "ANDROID_CHALLENGE"), "reason")->text, "CHALLENGE"));
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
#define T(name) tap_add(&tests, #name, name, NULL)
    T(test_w1_signature_over_the_received_octets);
    T(test_w2_attested_key);
    T(test_w3_malformed_request);
    T(test_w4_uniqueness);
    T(test_w5_one_clock);
    T(test_w6_nonce_bounds);
    T(test_w7_every_byte_of_the_challenge);
    T(test_w8_offsets_added_once);
    T(test_w9_status_list);
    T(test_w10_override_of_the_matched_stage);
    T(test_w11_documented_members);
    T(test_w12_errors_of_all_modes);
#undef T
    return tap_run("enrol/w", &tests);
}
