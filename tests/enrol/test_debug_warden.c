/* SPDX-License-Identifier: Apache-2.0 */
/* Debug statements as Warden writes them: all four methods, of simulated phones, and of the two recorded ones where the vectors are
 * there. Every row says what comes out, in its words. */
#include "base/text.h"
#include "enrol/debug.h"
#include "enrol/enroller.h"
#include "enrol/message.h"
#include "evidence/vectors.h"
#include "steps_scene.h"

/* ---- writing one ---- */

typedef struct warden {
    const char *method;
    atls_bytes android; /* configuration; empty: null */
    atls_bytes apple;
    atls_bytes proof[8];
    size_t n_proof; /* 0: null, unless has_proof */
    bool has_proof;
    atls_bytes key_attestation; /* JSON; empty: null */
    atls_bytes challenge;
    atls_bytes client_data; /* empty: null */
    int64_t time_ms;
    const char *offset;
} warden;

static void put_binary(atls_jw *w, const char *name, atls_bytes value)
{
    if (value.len == 0) {
        atls_jw_null(w, name);
    } else {
        atls_enrol_jw_binary(w, name, value);
    }
}

static void put_json(atls_jw *w, const char *name, atls_bytes json)
{
    if (json.len == 0) {
        atls_jw_null(w, name);
    } else {
        atls_jw_raw(w, name, json);
    }
}

static atls_bytes written(const warden *x, atls_arena *a)
{
    atls_error err = {0};
    atls_buf b;
    atls_jw w;
    atls_bytes out;
    atls_buf_init(&b, a, &err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "method", x->method);
    atls_jw_str(&w, "version", "0.9.1"); /* nobody here knows it */
    put_json(&w, "androidAttestationConfiguration", x->android);
    put_json(&w, "iosAttestationConfiguration", x->apple);
    if (x->n_proof > 0 || x->has_proof) {
        atls_enrol_jw_certificates(&w, "genericAttestationProof", x->proof, x->n_proof);
    } else {
        atls_jw_null(&w, "genericAttestationProof");
    }
    put_json(&w, "keyAttestation", x->key_attestation);
    put_binary(&w, "challenge", x->challenge);
    put_binary(&w, "clientData", x->client_data);
    atls_jw_uint(&w, "verificationTime", (uint64_t)x->time_ms);
    atls_jw_str(&w, "verificationTimeOffset", x->offset);
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static warden empty(const char *method)
{
    const atls_bytes none = atls_bytes_empty();
    return (warden){.method = method,
                    .android = none,
                    .apple = none,
                    .key_attestation = none,
                    .challenge = none,
                    .client_data = none,
                    .offset = "PT0S"};
}

static void expect(const warden *x, const char *list, atls_arena *a, const char *words)
{
    const atls_enrol_replay_options options = {.ignore_proxy = true, .status_list = atls_bytes_str(list)};
    atls_enrol_replay r;
    atls_error err = {0};
    char actual[128];
    scene_must(atls_enrol_replay_run(written(x, a), &options, a, &r, &err), &err, "replay");
    (void)snprintf(actual, sizeof actual, "%s%s%s", r.is_accepted ? "accepted" : r.class_name,
                   r.reason[0] == '\0' ? "" : " ", r.reason);
    if (strcmp(actual, words) != 0) {
        char line[640];
        (void)atls_error_line(&r.error, line, sizeof line);
        fail_msg("%s must be %s, but is %s: %s", x->method, words, actual, line);
    }
    assert_string_equal(r.method, x->method);
    assert_false(r.has_recorded || r.is_same || r.is_redacted);
    assert_int_equal(r.is_accepted, r.error.code == ATLS_OK);
}

static void expect_none(const warden *x, atls_arena *a, atls_code code, const char *field)
{
    atls_enrol_replay r;
    atls_error err = {0};
    assert_false(atls_enrol_replay_run(written(x, a), NULL, a, &r, &err));
    assert_int_equal(err.code, code);
    assert_string_equal(err.field, field);
    assert_false(r.is_accepted);
}

#define LIST "{\"entries\":{}}"

/* ---- Android ---- */

typedef struct phones {
    scene s;
    warden x;
} phones;

static void configure(phones *p, const char *method, bool is_apple)
{
    atls_bytes android;
    atls_bytes apple;
    scene_open(&p->s, &(scene_spec){.is_apple = is_apple});
    p->x = empty(method);
    scene_must(sim_android_policy(p->s.phone, &p->s.arena, &android, &p->s.err)
                   && sim_apple_policy(p->s.iphone, &p->s.arena, &apple, &p->s.err)
                   && atls_enrol_debug_configuration(android, &p->s.arena, &p->x.android, &p->s.err)
                   && atls_enrol_debug_configuration(apple, &p->s.arena, &p->x.apple, &p->s.err),
               &p->s.err, "configurations");
    p->x.challenge = atls_bytes_of(p->s.nonce, sizeof p->s.nonce);
    p->x.time_ms = p->s.in.now * 1000;
}

static void add_chain(phones *p)
{
    atls_enrol_statement statement;
    const atls_bytes json = scene_statement(&p->s, &(scene_spec){.is_apple = false});
    scene_must(atls_enrol_statement_read(json, &p->s.arena, &statement, &p->s.err), &p->s.err, "statement");
    p->x.n_proof = statement.n_x5c;
    for (size_t i = 0; i < statement.n_x5c; i++) {
        p->x.proof[i] = statement.x5c[i];
    }
}

static void test_android(void **state)
{
    static const uint8_t other[32] = {1};
    phones p;
    (void)state;
    configure(&p, "LEGACY", false);
    add_chain(&p);
    expect(&p.x, LIST, &p.s.again, "accepted");
    expect(&p.x, "", &p.s.again, "Certificate.Trust LIST_UNAVAILABLE");
    p.x.challenge = atls_bytes_of(other, sizeof other);
    expect(&p.x, LIST, &p.s.again, "Content.Android CHALLENGE");
    p.x.challenge = atls_bytes_of(p.s.nonce, sizeof p.s.nonce);
    p.x.offset = "PT5M";
    expect(&p.x, LIST, &p.s.again, "accepted");
    p.x.offset = "PT5M1S";
    expect(&p.x, LIST, &p.s.again, "Content.Android STATEMENT_TIME");
    p.x.offset = "PT0S";
    p.x.android = atls_bytes_empty();
    expect(&p.x, LIST, &p.s.again, "Configuration");
    p.x.android = atls_bytes_str("{\"applications\":[],\"httpProxy\":\"http://localhost:1\"}");
    expect_none(&p.x, &p.s.again, ATLS_E_CONFIGURATION, "debug.androidAttestationConfiguration.applications");
    scene_close(&p.s);
}

static void test_android_keys(void **state)
{
    phones p;
    (void)state;
    configure(&p, "KEY_ATTESTATION_LEGACY", false);
    add_chain(&p);
    expect_none(&p.x, &p.s.again, ATLS_E_ENCODING, "debug.clientData");
    p.x.client_data = p.s.attested_spki;
    expect(&p.x, LIST, &p.s.again, "accepted");
    p.x.method = "KEY_ATTESTATION_LEGACY_RAW";
    expect(&p.x, LIST, &p.s.again, "accepted");
    p.x.client_data = atls_bytes_of(p.s.attested_spki.ptr + 26, 65); /* its point */
    expect(&p.x, LIST, &p.s.again, "accepted");
    uint8_t other[65];
    sim_apple_key key;
    scene_must(sim_apple_second_key(p.s.iphone, &key, &p.s.err), &p.s.err, "key");
    memcpy(other, key.point, sizeof other);
    p.x.client_data = atls_bytes_of(other, sizeof other);
    expect(&p.x, LIST, &p.s.again, "Certificate.Trust KEY_MISMATCH");
    p.x.client_data = atls_bytes_str("no key");
    expect(&p.x, LIST, &p.s.again, "Certificate.Trust KEY_MISMATCH");
    scene_close(&p.s);
}

/* ---- Apple ---- */

/* An attestation over the challenge, and an assertion over what the app says. */
static void add_apple(phones *p, atls_bytes asserted, uint32_t counter)
{
    scene_must(sim_apple_attestation(p->s.iphone, p->x.challenge, &p->s.arena, &p->x.proof[0], &p->s.err), &p->s.err,
               "attestation");
    p->x.n_proof = 1;
    if (asserted.len > 0) {
        scene_must(sim_apple_assertion(p->s.iphone, asserted, counter, &p->s.arena, &p->x.proof[1], &p->s.err),
                   &p->s.err, "assertion");
        p->x.n_proof = 2;
    }
}

static void test_apple(void **state)
{
    static const uint8_t other[32] = {1};
    phones p;
    (void)state;
    configure(&p, "LEGACY", true);
    add_apple(&p, atls_bytes_empty(), 0);
    expect(&p.x, "", &p.s.again, "accepted");
    p.x.client_data = atls_bytes_str("client data");
    expect(&p.x, "", &p.s.again, "Content.iOS APP_UNEXPECTED"); /* there is no assertion */
    add_apple(&p, p.x.client_data, 1);
    expect(&p.x, "", &p.s.again, "accepted");
    p.x.client_data = atls_bytes_str("other data");
    expect(&p.x, "", &p.s.again, "Content.iOS APP_UNEXPECTED");
    add_apple(&p, p.x.client_data, 2);
    expect(&p.x, "", &p.s.again, "Content.iOS SIG_CTR");
    add_apple(&p, p.x.client_data, 1);
    p.x.challenge = atls_bytes_of(other, sizeof other);
    expect(&p.x, "", &p.s.again, "Content.iOS CHALLENGE");
    p.x.apple = atls_bytes_empty();
    expect(&p.x, "", &p.s.again, "Configuration");
    scene_close(&p.s);
}

static void test_apple_keys(void **state)
{
    phones p;
    sim_apple_key key;
    (void)state;
    configure(&p, "KEY_ATTESTATION_LEGACY", true);
    scene_must(sim_apple_second_key(p.s.iphone, &key, &p.s.err), &p.s.err, "key");
    const atls_bytes point = atls_bytes_of(key.point, sizeof key.point);
    const atls_bytes forms[] = {p.s.attested_spki, point}; /* what the app asserted, and what the statement says */
    for (size_t i = 0; i < 4; i++) {
        add_apple(&p, forms[i % 2], 1);
        p.x.method = i == 3 ? "KEY_ATTESTATION_LEGACY_RAW" : "KEY_ATTESTATION_LEGACY";
        p.x.client_data = forms[i / 2];
        expect(&p.x, "", &p.s.again, "accepted");
    }
    add_apple(&p, point, 2);
    expect(&p.x, "", &p.s.again, "Content.iOS SIG_CTR");
    scene_must(sim_apple_attested_key(p.s.iphone, &key, &p.s.err), &p.s.err, "key");
    add_apple(&p, p.s.attested_spki, 1);
    p.x.client_data = atls_bytes_of(key.point, sizeof key.point);
    expect(&p.x, "", &p.s.again, "Content.iOS APP_UNEXPECTED");
    p.x.n_proof = 1;
    expect(&p.x, "", &p.s.again, "Content.iOS APP_UNEXPECTED");
    scene_close(&p.s);
}

/* ---- what is none ---- */

static void test_malformed(void **state)
{
    static const char *const texts[] = {"", "u", "u!", "[]", "7", "{}", "{\"method\":7}", "x{}"};
    phones p;
    (void)state;
    configure(&p, "SUPREME", false);
    expect_none(&p.x, &p.s.again, ATLS_E_ENCODING, "debug.keyAttestation");
    p.x.key_attestation = atls_bytes_str("{\"typ\":\"self\"}");
    expect(&p.x, LIST, &p.s.again, "Content.Unknown");
    p.x.key_attestation = atls_bytes_str("{}");
    expect_none(&p.x, &p.s.again, ATLS_E_ENCODING, "debug.keyAttestation.statement.typ");
    p.x.method = "LEGACY";
    expect_none(&p.x, &p.s.again, ATLS_E_ENCODING, "debug.genericAttestationProof");
    p.x.has_proof = true;
    expect(&p.x, LIST, &p.s.again, "Content.Unknown");
    p.x.challenge = atls_bytes_empty();
    expect_none(&p.x, &p.s.again, ATLS_E_ENCODING, "debug.challenge");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        atls_enrol_replay r;
        atls_bytes out;
        atls_error err = {0};
        assert_false(atls_enrol_replay_run(atls_bytes_str(texts[i]), NULL, &p.s.again, &r, &err));
        assert_int_equal(err.code, ATLS_E_ENCODING);
        err = (atls_error){0};
        assert_false(atls_enrol_record_redact(atls_bytes_str(texts[i]), &p.s.again, &out, &err));
        assert_int_equal(err.code, ATLS_E_ENCODING);
    }
    scene_close(&p.s);
}

/* ---- recorded phones ---- */

#define RECORDED_MS   (INT64_C(1727740800) * 1000) /* 2024-10-01T00:00:00Z */
#define ANDROID_NONCE "cac4307080875c418beb668e825649dc"
#define APPLE_NONCE   "d4bd9efc2a1ab1e2351143a4e67bb91f"
#define ANDROID_APP                                                                                                    \
    "{\"applications\":[{\"packageName\":\"at.asitplus.cryptotest.androidApp\",\"signatureDigests\":"                  \
    "[\"lBpFE6MCdWPTpupI7uhbpF659pzuoZ7w67F_EAv8iHg\"],\"osPatchLevel\":null}],\"httpProxy\":null}"
#define APPLE_APP                                                                                                      \
    "{\"applications\":[{\"teamIdentifier\":\"9CYHJNG644\",\"bundleIdentifier\":"                                      \
    "\"at.asitplus.signumtest.iosApp\",\"sandbox\":true}]}"

static void test_recorded(void **state)
{
    const bool is_apple = *state != NULL;
    static const uint8_t other[16] = {1};
    uint8_t nonce[16];
    atls_arena a;
    atls_error err = {0};
    warden x = empty("SUPREME");
    assert_true(atls_hex_fixed(atls_bytes_str(is_apple ? APPLE_NONCE : ANDROID_NONCE), nonce, sizeof nonce));
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    if (!vectors_read(is_apple ? "apple/attestation/ios-appattest.json" : "android/attestation/android-key.json", &a,
                      &x.key_attestation)) {
        atls_arena_free(&a);
        skip();
    }
    x.android = atls_bytes_str(ANDROID_APP);
    x.apple = atls_bytes_str(APPLE_APP);
    x.challenge = atls_bytes_of(nonce, sizeof nonce);
    x.time_ms = RECORDED_MS;
    x.offset = "PT12H45M";
    expect(&x, LIST, &a, "accepted");
    x.challenge = atls_bytes_of(other, sizeof other);
    expect(&x, LIST, &a, is_apple ? "Content.iOS CHALLENGE" : "Content.Android CHALLENGE");
    x.challenge = atls_bytes_of(nonce, sizeof nonce);
    x.offset = "PT14H45M";
    expect(&x, LIST, &a, is_apple ? "Content.iOS STATEMENT_TIME" : "Content.Android STATEMENT_TIME");
    atls_arena_free(&a);
}

int main(void)
{
    static const bool apple = true;
    tap_list tests = {0};
    tap_add(&tests, "Android: LEGACY", test_android, NULL);
    tap_add(&tests, "Android: keys", test_android_keys, NULL);
    tap_add(&tests, "Apple: LEGACY", test_apple, NULL);
    tap_add(&tests, "Apple: keys", test_apple_keys, NULL);
    tap_add(&tests, "malformed", test_malformed, NULL);
    tap_add(&tests, "a recorded Android phone", test_recorded, NULL);
    tap_add(&tests, "a recorded iPhone", test_recorded, &apple);
    return tap_run("enrol/debug_warden", &tests);
}
