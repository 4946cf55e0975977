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
    tap_add(&tests, "the same nonce twice; unknown, expired and used look the same", test_again, NULL);
    tap_add(&tests, "a nonce is gone whatever comes", test_consumed_by_failure, NULL);
    tap_add(&tests, "the order of steps", test_order, NULL);
    return tap_run("enrol/steps_order", &tests);
}
