/* SPDX-License-Identifier: Apache-2.0 */
/* What success says, what the same request comes to when it is sent again, and that of two faults the earlier step's is told. */
#include "steps_scene.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};
static const scene_spec iphone = {.is_apple = true};

static void unknown(scene *s)
{
    s->nonce[31] ^= 1; /* the store has another one */
}

static void expired(scene *s)
{
    s->is_expired = true;
}

static void used(scene *s)
{
    s->is_used = true;
}

#define UNUSABLE "ChallengeVerification PreAttestation.ChallengeVerification CONTENT"

/* ---- what success says ---- */

static void test_success(void **state)
{
    const scene_spec *const specs[] = {&honest, &iphone};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene s;
        scene_open(&s, specs[i]);
        scene_run(&s);
        scene_words(&s, "Success");
        assert_true(s.out.has_nonce && s.out.has_key);
        assert_int_equal(s.out.platform, i == 0 ? ATLS_PLATFORM_ANDROID : ATLS_PLATFORM_APPLE);
        assert_true(atls_bytes_equal_str(s.out.app, i == 0 ? SIM_ANDROID_PACKAGE : SIM_APPLE_APP_ID));
        assert_string_equal(s.out.security_level, i == 0 ? "TRUSTED_ENVIRONMENT" : "SECURE_ENCLAVE");
        assert_true(atls_bytes_equal(s.issued_spki, s.attested_spki));
        assert_int_equal(s.grant.platform, s.out.platform);
        assert_int_equal(s.grant.now, s.in.now);
        assert_memory_equal(s.grant.nonce_sha256, s.out.nonce_sha256, 32);
        assert_memory_equal(s.grant.policy_sha256, s.out.policy_sha256, 32);
        assert_false(atls_bytes_is_zero(atls_bytes_of(s.out.policy_sha256, 32)));
        assert_int_equal(atls_bytes_is_zero(atls_bytes_of(s.out.list_sha256, 32)), i == 1);
        scene_close(&s);
    }
}

/* A certificate says no more of a key than what vouches for it: a record that software signed, with a key that is no secret, may
 * claim any hardware (Nougat's phones do), and hardware may speak of a better one beside it. */
static void test_level(void **state)
{
    static const struct {
        sim_android_kind kind;
        const char *settings[4];
        const char *level;
    } table[] = {
        {SIM_ANDROID_FACTORY, {NULL}, "TRUSTED_ENVIRONMENT"},
        {SIM_ANDROID_FACTORY, {"attestationSecurityLevel=2", "keymasterSecurityLevel=2", NULL}, "STRONG_BOX"},
        {SIM_ANDROID_FACTORY, {"keymasterSecurityLevel=2", NULL}, "TRUSTED_ENVIRONMENT"},
        {SIM_ANDROID_FACTORY, {"attestationSecurityLevel=2", NULL}, "TRUSTED_ENVIRONMENT"},
        {SIM_ANDROID_SOFTWARE, {NULL}, "SOFTWARE"},
        {SIM_ANDROID_SOFTWARE, {"keymasterSecurityLevel=1", "policy.enableNougatAttestation=true", NULL}, "SOFTWARE"},
        {SIM_ANDROID_SOFTWARE, {"keymasterSecurityLevel=2", "policy.enableNougatAttestation=true", NULL}, "SOFTWARE"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        scene s;
        scene_open(&s, &(scene_spec){.kind = table[i].kind, .settings = table[i].settings});
        scene_run(&s);
        scene_words(&s, "Success");
        assert_string_equal(s.out.security_level, table[i].level);
        assert_string_equal(s.grant.security_level, table[i].level);
        scene_close(&s);
    }
}

/* ---- little memory ---- */

/* Whatever the size of the arena: who would be refused is refused, and nothing is said of a step that was not taken. */
static void test_little_memory(void **state)
{
    static const char *const revoked[] = {"cert.attestation.serial=0abc",
                                          "status.entries={\"abc\":{\"status\":\"REVOKED\"}}", NULL};
    static const scene_spec specs[] = {
        {.kind = SIM_ANDROID_FACTORY},
        {.settings = revoked},
        {.is_apple = true},
        {.is_apple = true, .own_key = "mine"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        unsigned n_good = 0;
        scene s;
        scene_open(&s, &specs[i]);
        s.in.csr = s.csr;
        for (size_t size = 4096; size < (size_t)1024 * 1024; size += size / 32) {
            atls_arena small;
            atls_error err = {0};
            memset(s.log, 0, sizeof s.log);
            s.is_used = false;
            assert_true(atls_arena_new(&small, size, &err));
            const bool ok = atls_enroller_run(s.enroller, &s.in, &small, &s.out, &err);
            assert_int_equal(s.out.response.len > 0, ok);
            assert_true(!s.out.is_success || (ok && i % 2 == 0 && strchr(s.log, 'I') != NULL));
            assert_true(i % 2 == 0 || strchr(s.log, 'I') == NULL);
            n_good += s.out.is_success ? 1 : 0;
            atls_arena_free(&small);
        }
        assert_int_equal(n_good > 0, i % 2 == 0);
        scene_close(&s);
    }
}

/* The same request again is refused, and looks to the client like one whose nonce was never there. */
static void test_again(void **state)
{
    scene s;
    atls_bytes responses[3];
    void (*const changes[])(scene *) = {used, expired, unknown};
    (void)state;
    scene_open(&s, &honest);
    scene_run(&s);
    scene_words(&s, "Success");
    scene_run(&s);
    scene_words(&s, UNUSABLE);
    assert_int_equal(s.out.error.code, ATLS_E_ENROL_CHALLENGE_USED);
    assert_string_equal(s.log, "CP");
    for (size_t i = 0; i < 3; i++) {
        s.is_used = s.is_expired = false;
        changes[i](&s);
        scene_run(&s);
        assert_true(atls_arena_copy(&s.arena, s.out.response, &responses[i], &s.err));
        assert_true(atls_bytes_equal(responses[i], responses[0]));
    }
    scene_close(&s);
}

/* A nonce is gone whatever its request comes to. */
static void test_consumed_by_failure(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, &(scene_spec){.foreign_signer = true});
    scene_run(&s);
    scene_words(&s, "CsrSignature Certificate.Trust CSR_SIGNATURE TRUST");
    s.csr = scene_csr(&s, &honest);
    scene_run(&s);
    scene_words(&s, UNUSABLE);
    scene_close(&s);
}

/* The order: of two faults, the one of the earlier step is told. */
static void test_order(void **state)
{
    static const scene_spec specs[] = {
        {.no_nonce = true, .no_proof = true},              /* 2 before 4 */
        {.no_proof = true, .foreign_signer = true},        /* 4 before 7 */
        {.other_challenge = true, .own_key = "mine"},      /* 5 before 6 */
        {.other_challenge = true, .foreign_signer = true}, /* 5 before 7 */
        {.own_key = "mine", .sha1 = true},                 /* 6 before 7 */
    };
    static const atls_enrol_step steps[] = {ATLS_ENROL_STEP_NONCE, ATLS_ENROL_STEP_STATEMENT, ATLS_ENROL_STEP_APPRAISE,
                                            ATLS_ENROL_STEP_APPRAISE, ATLS_ENROL_STEP_KEY};
    (void)state;
    for (size_t i = 0; i < sizeof specs / sizeof specs[0]; i++) {
        scene s;
        scene_open(&s, &specs[i]);
        scene_run(&s);
        assert_int_equal(s.out.step, steps[i]);
        assert_null(strchr(s.log, 'I'));
        scene_close(&s);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "what success says", test_success, NULL);
    tap_add(&tests, "the level is that of what vouches", test_level, NULL);
    tap_add(&tests, "little memory", test_little_memory, NULL);
    tap_add(&tests, "the same nonce twice; unknown, expired and used look the same", test_again, NULL);
    tap_add(&tests, "a nonce is gone whatever comes", test_consumed_by_failure, NULL);
    tap_add(&tests, "the order of steps", test_order, NULL);
    return tap_run("enrol/steps_order", &tests);
}
