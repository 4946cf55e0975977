/* SPDX-License-Identifier: Apache-2.0 */
/* test_phone_session.c: what a phone shows in a session of atls/1, without the session: which form is evidence where, what becomes of
 * pieces and of turned bits, and that a lack of memory is never a yes. tests/edge/test_native_phones.c has the sessions. */
#include "atls/atls.h"
#include "sim/sim_android.h"
#include "sim/sim_apple.h"
#include "tap.h"
#include "verify/again.h"

static const uint8_t report[64] = {0x9f, 0x34, 0xd8, 0x41, 0x72, 0x4b, 1, 2, 3};

typedef struct scene {
    atls_arena arena; /* of policy and evidence */
    atls_arena work;  /* of an appraisal */
    sim_android *android;
    sim_apple *apple;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_bytes proof; /* for the report, in the form of a session */
    atls_bytes bare;  /* the attestation alone, for the same */
    bool is_apple;
} scene;

static void check(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[700];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void make_android(scene *s, atls_bytes *policy, atls_evidence *e, atls_error *err)
{
    const sim_android_request request = {.challenge = atls_bytes_of(report, sizeof report)};
    check(sim_android_new(&(sim_android_options){0}, &s->android, err), err);
    check(sim_android_policy(s->android, &s->arena, policy, err), err);
    check(sim_android_attest(s->android, report, &s->arena, e, err), err);
    check(sim_android_chain(s->android, &request, &s->arena, &s->bare, err), err);
}

static void make_apple(scene *s, atls_bytes *policy, atls_evidence *e, atls_error *err)
{
    check(sim_apple_new(&(sim_apple_options){0}, &s->apple, err), err);
    check(sim_apple_policy(s->apple, &s->arena, policy, err), err);
    check(sim_apple_attest(s->apple, report, &s->arena, e, err), err);
    check(sim_apple_attestation(s->apple, atls_bytes_of(report, sizeof report), &s->arena, &s->bare, err), err);
}

static void scene_open(scene *s, bool is_apple)
{
    atls_error err = {0};
    atls_bytes policy;
    atls_evidence e;
    *s = (scene){.is_apple = is_apple};
    check(atls_arena_new(&s->arena, ATLS_ARENA_DEFAULT_SIZE, &err), &err);
    check(atls_arena_new(&s->work, AGAIN_ARENA, &err), &err);
    (is_apple ? make_apple : make_android)(s, &policy, &e, &err);
    check(atls_policy_parse(policy, &s->policy, &err), &err);
    check(atls_verifier_new(s->policy, &s->verifier, &err), &err);
    s->proof = e.quote;
}

static void scene_close(scene *s)
{
    atls_verifier_free(s->verifier);
    atls_policy_free(s->policy);
    sim_android_free(s->android);
    sim_apple_free(s->apple);
    atls_arena_free(&s->work);
    atls_arena_free(&s->arena);
}

static atls_appraisal call_of(const scene *s, atls_bytes evidence)
{
    atls_appraisal in = {
        .evidence = evidence,
        .event_log = atls_bytes_empty(),
        .binding = {.grade = ATLS_GRADE_SESSION, .profile = "atls/1"},
        .now = SIM_NOW,
        .endorse = s->is_apple ? NULL : sim_android_endorse,
        .endorse_ctx = s->android,
    };
    memcpy(in.binding.value, report, sizeof report);
    return in;
}

/* ---- which form where ------------------------------------------------------------------------------------------------------ */

typedef struct place {
    const char *name;
    bool is_apple;
    bool is_bare;
    const char *profile;
    atls_grade grade;
    bool as_challenge; /* the report is given as a challenge, and not as a value */
    uint8_t value_len;
    atls_code code;
    const char *field;
} place;

#define CHALLENGE_FIELD "keyDescription.attestationChallenge"
#define NONCE_FIELD     "attestation.x5c[0].nonce"

static const place places[] = {
    {"Android: a proof in a session", false, false, "atls/1", ATLS_GRADE_SESSION, false, 0, ATLS_OK, ""},
    {"Android: the same with its length", false, false, "atls/1", ATLS_GRADE_SESSION, false, 64, ATLS_OK, ""},
    {"Android: a chain outside", false, true, "", ATLS_GRADE_REPORT_DATA, true, 0, ATLS_OK, ""},
    {"Android: a chain in a session", false, true, "atls/1", ATLS_GRADE_SESSION, false, 0, ATLS_E_EVIDENCE_FORMAT,
     "session.members"},
    {"Android: a proof outside", false, false, "", ATLS_GRADE_REPORT_DATA, true, 0, ATLS_E_ANDROID_CHAIN_UNPARSABLE,
     "chain"},
    {"Android: a chain as dstack", false, true, "dstack", ATLS_GRADE_EXPORTER, false, 0, ATLS_E_UNSUPPORTED,
     CHALLENGE_FIELD},
    {"Android: a proof as dstack", false, false, "dstack", ATLS_GRADE_EXPORTER, false, 0,
     ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain"},
    {"Android: a chain as constellation", false, true, "constellation", ATLS_GRADE_KEY_FRESH, false, 0,
     ATLS_E_UNSUPPORTED, CHALLENGE_FIELD},
    {"Android: a chain in a session of another profile", false, true, "atls/2", ATLS_GRADE_SESSION, false, 0,
     ATLS_E_UNSUPPORTED, CHALLENGE_FIELD},
    {"Android: a chain in a session of a lesser grade", false, true, "atls/1", ATLS_GRADE_EXPORTER, false, 0,
     ATLS_E_UNSUPPORTED, CHALLENGE_FIELD},
    {"Android: a session with a challenge", false, false, "atls/1", ATLS_GRADE_SESSION, true, 0, ATLS_E_USAGE,
     "binding.value"},

    {"Apple: a proof in a session", true, false, "atls/1", ATLS_GRADE_SESSION, false, 0, ATLS_OK, ""},
    {"Apple: an attestation outside", true, true, "", ATLS_GRADE_REPORT_DATA, true, 0, ATLS_OK, ""},
    {"Apple: an attestation in a session", true, true, "atls/1", ATLS_GRADE_SESSION, false, 0, ATLS_E_EVIDENCE_FORMAT,
     "session.members"},
    {"Apple: a proof outside", true, false, "", ATLS_GRADE_REPORT_DATA, true, 0, ATLS_E_EVIDENCE_FORMAT,
     "attestation.fmt"},
    {"Apple: an attestation as dstack", true, true, "dstack", ATLS_GRADE_EXPORTER, false, 0, ATLS_E_UNSUPPORTED,
     NONCE_FIELD},
    {"Apple: a proof as dstack", true, false, "dstack", ATLS_GRADE_EXPORTER, false, 0, ATLS_E_EVIDENCE_FORMAT,
     "attestation.fmt"},
    {"Apple: an attestation as constellation", true, true, "constellation", ATLS_GRADE_KEY_FRESH, false, 0,
     ATLS_E_UNSUPPORTED, NONCE_FIELD},
    {"Apple: an attestation in a session of another profile", true, true, "atls/2", ATLS_GRADE_SESSION, false, 0,
     ATLS_E_UNSUPPORTED, NONCE_FIELD},
    {"Apple: a session with client data", true, false, "atls/1", ATLS_GRADE_SESSION, true, 0, ATLS_E_USAGE,
     "binding.value"},
};

static void run_place(void **state)
{
    const place *t = *state;
    scene s;
    atls_result r;
    atls_error err = {0};
    scene_open(&s, t->is_apple);
    atls_appraisal in = call_of(&s, t->is_bare ? s.bare : s.proof);
    in.binding.profile = t->profile;
    in.binding.grade = t->grade;
    in.binding.value_len = t->value_len;
    if (t->as_challenge) {
        memset(in.binding.value, 0, sizeof in.binding.value);
        in.binding.challenge = atls_bytes_of(report, sizeof report);
    }
    const bool accepted = again_appraise(s.verifier, &in, &s.work, &r, &err);
    if (accepted != (t->code == ATLS_OK) || err.code != t->code || strcmp(err.field, t->field) != 0) {
        check(false, &err);
    }
    assert_int_equal(r.claims.is_session_signed, accepted && !t->is_bare);
    scene_close(&s);
}

/* Half of a session's value is none, whatever the evidence says. */
static void a_short_value(void **state)
{
    scene s;
    atls_result r;
    atls_error err = {0};
    (void)state;
    scene_open(&s, false);
    atls_appraisal in = call_of(&s, s.proof);
    memset(in.binding.value + 32, 0, 32);
    in.binding.value_len = 32;
    assert_false(atls_verifier_appraise(s.verifier, &in, &s.work, &r, &err));
    assert_int_equal(err.code, ATLS_E_USAGE);
    assert_string_equal(err.field, "binding.value");
    scene_close(&s);
}

/* ---- pieces, and turned bits ------------------------------------------------------------------------------------------------ */

static bool appraise(scene *s, atls_bytes evidence, atls_result *r, atls_error *err)
{
    const atls_appraisal in = call_of(s, evidence);
    *err = (atls_error){0};
    atls_arena_reset(&s->work);
    return atls_verifier_appraise(s->verifier, &in, &s->work, r, err);
}

/* Some of Apple's receipt is outside of every signature; what is said of the phone is the same all the same. */
static void expect_same_or_no(scene *s, atls_bytes evidence, const atls_result *honest)
{
    atls_result r;
    atls_error err;
    if (!appraise(s, evidence, &r, &err)) {
        assert_int_not_equal(err.code, ATLS_OK);
        assert_false(r.claims.is_session_signed);
        return;
    }
    assert_true(r.claims.is_session_signed);
    assert_memory_equal(r.claims.apple.key_id, honest->claims.apple.key_id, 32);
    assert_memory_equal(r.claims.android.public_key_sha256, honest->claims.android.public_key_sha256, 32);
    assert_memory_equal(r.claims.report_data, honest->claims.report_data, sizeof r.claims.report_data);
}

static void pieces(void **state)
{
    scene s;
    atls_result honest, r;
    atls_error err;
    atls_bytes copy;
    scene_open(&s, *(const bool *)*state);
    check(appraise(&s, s.proof, &honest, &err), &err);
    for (size_t n = 0; n < s.proof.len; n++) {
        assert_false(appraise(&s, atls_bytes_of(s.proof.ptr, n), &r, &err));
    }
    check(atls_arena_copy(&s.arena, s.proof, &copy, &err), &err);
    uint8_t *bytes = s.proof.len > 0 ? atls_arena_raw(&s.arena, copy.len, &err) : NULL;
    assert_non_null(bytes);
    memcpy(bytes, copy.ptr, copy.len);
    for (size_t i = 0; i < copy.len; i += i < 32 || i + 100 > copy.len ? 1 : 23) {
        bytes[i] ^= (uint8_t)(1u << i % 8);
        expect_same_or_no(&s, atls_bytes_of(bytes, copy.len), &honest);
        bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    scene_close(&s);
}

/* ---- memory ---------------------------------------------------------------------------------------------------------------------- */

/* With room for everything it is what it is; with less, nobody knows, and nobody says yes. */
static void little_memory(void **state)
{
    static uint8_t room[256 * 1024];
    scene s;
    size_t n_yes = 0;
    scene_open(&s, *(const bool *)*state);
    uint8_t *forged = atls_arena_raw(&s.arena, s.proof.len, &(atls_error){0});
    assert_non_null(forged);
    memcpy(forged, s.proof.ptr, s.proof.len);
    /* the last byte is of what the attested key signed (Android), or of the counter (Apple) */
    forged[s.proof.len - 1] ^= 1;
    for (size_t len = 64; len <= sizeof room; len += 2039) {
        for (unsigned is_forged = 0; is_forged < 2; is_forged++) {
            const atls_appraisal in = call_of(&s, is_forged ? atls_bytes_of(forged, s.proof.len) : s.proof);
            atls_arena a;
            atls_result r;
            atls_error err = {0};
            atls_arena_init(&a, room, len);
            const bool yes = atls_verifier_appraise(s.verifier, &in, &a, &r, &err);
            assert_false(yes && is_forged);
            n_yes += yes;
            assert_true(yes || is_forged || err.code == ATLS_E_MEMORY);
            assert_true(yes || is_forged || r.verdict == ATLS_VERDICT_UNDECIDED);
            assert_int_equal(r.claims.is_session_signed, yes);
        }
    }
    assert_true(n_yes > 0);
    scene_close(&s);
}

/* ---- the writer ------------------------------------------------------------------------------------------------------------------- */

static void writer(void **state)
{
    const atls_bytes one = atls_bytes_str("one");
    const atls_bytes none = atls_bytes_empty();
    const atls_bytes certificates[11] = {one, none, one, one, one, one, one, one, one, one, one};
    uint8_t message[ATLS_PHONE_MESSAGE_LEN];
    atls_arena a;
    atls_bytes out;
    atls_error err = {0};
    (void)state;
    check(atls_arena_new(&a, 65536, &err), &err);
    atls_phone_message(report, message);
    assert_memory_equal(message, "atls/1 key", 10);
    assert_memory_equal(message + 10, report, 64);
    check(atls_phone_android(certificates, 1, one, &a, &out, &err), &err);
    assert_int_equal(out.len, 12);
    assert_memory_equal(out.ptr, "\xa2\x00\x81\x43one\x01\x43one", 12);
    check(atls_phone_apple(one, one, &a, &out, &err), &err);
    assert_int_equal(out.len, 11);
    assert_memory_equal(out.ptr, "\xa2\x00\x43one\x01\x43one", 11);
    assert_false(atls_phone_android(certificates, 0, one, &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_USAGE);
    assert_false(atls_phone_android(certificates, 11, one, &a, &out, &(atls_error){0}));
    assert_false(atls_phone_android(certificates, 2, one, &a, &out, &(atls_error){0}));
    assert_false(atls_phone_android(certificates, 1, none, &a, &out, &(atls_error){0}));
    assert_false(atls_phone_apple(none, one, &a, &out, &(atls_error){0}));
    assert_false(atls_phone_apple(one, none, &a, &out, &(atls_error){0}));
    atls_arena_free(&a);
}

int main(void)
{
    static const bool android = false, apple = true;
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        tap_add(&tests, places[i].name, run_place, &places[i]);
    }
    tap_add(&tests, "a short value", a_short_value, NULL);
    tap_add(&tests, "Android: pieces and turned bits", pieces, &android);
    tap_add(&tests, "Apple: pieces and turned bits", pieces, &apple);
    tap_add(&tests, "Android: little memory", little_memory, &android);
    tap_add(&tests, "Apple: little memory", little_memory, &apple);
    tap_add(&tests, "the writer", writer, NULL);
    return tap_run("evidence/phone_session", &tests);
}
