/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine App Attest objects, assertions and receipts: every case of apple/manifest.json, with class, reason and category, and
 * what it says about them. The pinned roots are checked here, too. */
#include "apple_scene.h"
#include "base/json.h"
#include "evidence/apple/apple.h"
#include "vectors.h"

#define DIR "apple/"

static const atls_json *manifest; /* in an arena of main */

static const atls_json *get(const atls_json *object, const char *name)
{
    const atls_json *v = atls_json_find(object, name);
    if (v == NULL) {
        fail_msg("the manifest has no %s here", name);
    }
    return v;
}

static atls_bytes text(const atls_json *object, const char *name)
{
    return get(object, name)->text;
}

static atls_bytes hex(scene *s, const atls_json *object, const char *name)
{
    atls_bytes out;
    assert_true(atls_hex_decode(text(object, name), name, &s->arena, &out, &s->err));
    return out;
}

static uint64_t number(const atls_json *object, const char *name)
{
    uint64_t out;
    atls_error err = {0};
    assert_true(atls_json_uint(get(object, name), name, UINT64_MAX, &out, &err));
    return out;
}

static atls_bytes file(scene *s, atls_bytes name)
{
    char path[128];
    atls_bytes out;
    snprintf(path, sizeof path, DIR "%.*s", (int)name.len, (const char *)name.ptr);
    assert_true(vectors_read(path, &s->arena, &out));
    return out;
}

static bool is(const atls_json *object, const char *name, const char *value)
{
    return atls_bytes_equal_str(text(object, name), value);
}

static int digits(atls_bytes t, size_t at, size_t n)
{
    int out = 0;
    for (size_t i = 0; i < n; i++) {
        out = 10 * out + (t.ptr[at + i] - '0');
    }
    return out;
}

/* "2020-11-21T22:13:02.796Z", of any length of fraction */
static int64_t ms_of(atls_bytes t)
{
    atls_time seconds;
    int64_t ms = 0;
    int64_t weight = 100;
    assert_true(t.len >= 20);
    assert_true(atls_time_from_civil(digits(t, 0, 4), digits(t, 5, 2), digits(t, 8, 2), digits(t, 11, 2),
                                     digits(t, 14, 2), digits(t, 17, 2), &seconds));
    for (size_t i = 20; i + 1 < t.len; i++, weight /= 10) {
        ms += weight * (t.ptr[i] - '0');
    }
    return seconds * 1000 + ms;
}

/* Before 1970 there is no clock to give: such an instant is one with an offset. */
static void set_time(scene *s, int64_t t_ms)
{
    const int64_t ms = (t_ms % 1000 + 1000) % 1000;
    s->now = (t_ms - ms) / 1000;
    s->now_ms = (uint32_t)ms;
    s->offset_s = 0;
    if (s->now <= 0) {
        s->offset_s = s->now - 1;
        s->now = 1;
    }
}

static void expect_bytes(atls_bytes expected, atls_bytes actual)
{
    assert_int_equal(expected.len, actual.len);
    assert_memory_equal(expected.ptr, actual.ptr, expected.len);
}

static const atls_json *attestation_named(atls_bytes id)
{
    for (const atls_json *a = get(manifest, "attestations")->child; a != NULL; a = a->next) {
        if (atls_bytes_equal(text(a, "id"), id)) {
            return a;
        }
    }
    fail_msg("no such attestation");
    return NULL;
}

/* ---- attestations: policy cases ---- */

/* The configuration as it stands, with the type in front. */
static const char *policy_of(scene *s, const atls_json *config)
{
    const char *out = atls_text_format(&s->arena, &s->err, "{\"type\":\"apple_app_attest\",%.*s",
                                       (int)config->raw.len - 1, (const char *)config->raw.ptr + 1);
    assert_non_null(out);
    return out;
}

typedef struct one_case {
    const atls_json *attestation;
    const atls_json *c;
} one_case;

/* Step 0 of the current format. */
static bool read_client_data(scene *s, const one_case *o)
{
    const atls_json *expected = atls_json_find(o->c, "expectedChallengeHex");
    atls_apple_client_data data;
    if (atls_json_find(o->attestation, "expectedChallengeHex") == NULL) {
        return true;
    }
    const atls_bytes challenge = hex(s, expected == NULL ? o->attestation : o->c, "expectedChallengeHex");
    atls_error_clear(&s->err);
    if (!atls_apple_client_data_read(s->client_data, challenge, &s->arena, &data, &s->err)) {
        return false;
    }
    expect_bytes(hex(s, o->attestation, "emulatedKeyX963Hex"), atls_bytes_of(data.public_key, sizeof data.public_key));
    return true;
}

static void expect_detail(const scene *s, const atls_json *expect)
{
    static const struct {
        const char *detail;
        const char *id;
    } details[] = {
        {"rpIdHash", "apple.rp_id_hash"},
        {"aaguid", "apple.aaguid"},
        {"old", "apple.receipt_age"},
        {"future", "apple.receipt_future"},
    };
    const atls_json *detail = atls_json_find(expect, "detail");
    bool known = detail == NULL;
    for (size_t i = 0; detail != NULL && i < sizeof details / sizeof details[0]; i++) {
        if (atls_bytes_equal_str(detail->text, details[i].detail)) {
            const atls_check *check = scene_check(s, details[i].id);
            assert_true(check != NULL && check->verdict == ATLS_CHECK_FAIL);
            assert_string_equal(check->field, s->err.field);
            known = true;
        }
    }
    assert_true(known);
}

static void expect_outcome(const scene *s, bool accepted, const atls_json *expect)
{
    static const char *const categories[] = {[ATLS_CATEGORY_TRUST] = "TRUST",
                                             [ATLS_CATEGORY_TIME] = "TIME",
                                             [ATLS_CATEGORY_CONTENT] = "CONTENT",
                                             [ATLS_CATEGORY_INTERNAL] = "INTERNAL"};
    char line[512];
    (void)atls_error_line(&s->err, line, sizeof line);
    if (is(expect, "verdict", "accept")) {
        scene_must(accepted, &s->err, "must be accepted");
        return;
    }
    if (accepted) {
        fail_msg("must be refused");
    }
    if (!is(expect, "class", atls_apple_error_class(&s->err)) || !is(expect, "reason", atls_apple_error_reason(&s->err))
        || !is(expect, "category", categories[s->err.category])) {
        fail_msg("refused as %s, %s: %s", atls_apple_error_class(&s->err), atls_apple_error_reason(&s->err), line);
    }
}

static void test_policy_case(void **state)
{
    const one_case *o = *state;
    const atls_json *expect = get(o->c, "expect");
    scene s;
    scene_open(&s);
    s.evidence = file(&s, text(o->attestation, "attestation"));
    s.client_data = hex(&s, o->c, "clientDataHex");
    set_time(&s, ms_of(text(o->c, "time")));
    if (!read_client_data(&s, o)) {
        expect_outcome(&s, false, expect);
    } else {
        scene_run(&s, policy_of(&s, get(o->c, "config")));
        expect_outcome(&s, s.accepted, expect);
        expect_detail(&s, expect);
        assert_int_equal(s.result.simulated_or_test_root, false);
    }
    scene_close(&s);
}

/* ---- attestations: values ---- */

static void expect_auth_data(scene *s, const atls_json *e, const apple_auth_data *d)
{
    const atls_json *key = get(e, "coseKey");
    expect_bytes(hex(s, e, "rpIdHash"), d->rp_id_hash);
    assert_int_equal(number(e, "flags"), d->flags);
    assert_int_equal(number(e, "signCount"), d->sign_count);
    expect_bytes(hex(s, e, "aaguidHex"), d->aaguid);
    expect_bytes(hex(s, e, "credentialIdHex"), d->credential_id);
    expect_bytes(hex(s, key, "x"), atls_bytes_of(d->point + 1, 32));
    expect_bytes(hex(s, key, "y"), atls_bytes_of(d->point + 33, 32));
}

static void expect_receipt(scene *s, const atls_json *e, const apple_receipt *r)
{
    const atls_apple_receipt *p = &r->payload;
    const atls_json *not_before = atls_json_find(e, "notBefore");
    const atls_json *risk = atls_json_find(e, "riskMetric");
    expect_bytes(text(e, "appId"), p->app_id);
    expect_bytes(hex(s, e, "clientHashHex"), p->client_hash);
    expect_bytes(text(e, "token"), p->token);
    assert_true(is(e, "type", p->is_renewed ? "RECEIPT" : "ATTEST"));
    expect_bytes(text(e, "environment"), p->environment);
    assert_int_equal(ms_of(text(e, "creationTime")), p->creation_ms);
    assert_int_equal(ms_of(text(e, "expirationTime")), p->expiration_ms);
    assert_int_equal(not_before != NULL, p->has_not_before);
    assert_true(not_before == NULL || ms_of(not_before->text) == p->not_before_ms);
    expect_bytes(risk == NULL ? atls_bytes_empty() : risk->text, p->risk_metric);
    assert_int_equal(number(e, "payloadLength"), r->cms.content.len);
}

static void expect_leaf(scene *s, const atls_json *e, atls_bytes der)
{
    const atls_json *versions = get(e, "osVersionExtension");
    const atls_json *build = atls_json_find(versions, "1403");
    atls_cert cert;
    apple_extensions said;
    atls_error err = {0};
    assert_true(atls_cert_decode(der, "leaf", &cert, &err));
    apple_extensions_read(&cert, &said);
    assert_true(said.has_nonce);
    expect_bytes(hex(s, e, "nonceHex"), said.nonce);
    expect_bytes(text(versions, "1400"), said.os_version);
    expect_bytes(build == NULL ? atls_bytes_empty() : build->text, said.os_build);
    expect_bytes(text(e, "keyUsageExtensionAppId"), said.app_id);
    assert_int_equal(ms_of(text(e, "notBefore")), cert.not_before * 1000);
    assert_int_equal(ms_of(text(e, "notAfter")), cert.not_after * 1000);
}

static void test_values(void **state)
{
    const atls_json *a = *state;
    const atls_json *e = get(a, "expected");
    scene s;
    apple_attestation out;
    scene_open(&s);
    const atls_bytes in = file(&s, text(a, "attestation"));
    scene_must(apple_attestation_decode(in, &s.arena, &out, &s.err), &s.err, "decode");
    scene_must(out.has_auth_data, &out.auth_data_error, "authData");
    scene_must(out.has_receipt, &out.receipt_error, "receipt");
    assert_int_equal(number(e, "authDataLength"), out.auth_data_raw.len);
    expect_auth_data(&s, e, &out.auth_data);
    expect_leaf(&s, get(e, "leaf"), out.x5c[0]);
    expect_receipt(&s, get(e, "receipt"), &out.receipt);
    scene_close(&s);
}

/* What an accepted appraisal hands out is the same. */
static void test_claims(void **state)
{
    const atls_json *a = *state;
    const atls_json *e = get(a, "expected");
    const atls_json *c = get(a, "cases")->child;
    const atls_json *id = atls_json_find(a, "keyIdBase64");
    scene s;
    scene_open(&s);
    s.evidence = file(&s, text(a, "attestation"));
    s.client_data = file(&s, text(a, "clientData"));
    set_time(&s, ms_of(text(c, "time")));
    if (id != NULL) {
        assert_true(atls_base64_decode(id->text, false, "id", &s.arena, &s.key_id, &s.err));
    }
    scene_run(&s, policy_of(&s, get(c, "config")));
    scene_expect(&s, ATLS_OK, NULL);
    const atls_apple_claims *got = &s.result.claims.apple;
    assert_true(got->present && got->is_matched && s.result.claims.is_bound);
    assert_int_equal(s.result.grade, ATLS_GRADE_KEY_FRESH);
    assert_int_equal(got->is_sandbox, s.result.insecure);
    expect_bytes(hex(&s, e, "credentialIdHex"), atls_bytes_of(got->key_id, 32));
    expect_bytes(hex(&s, get(e, "leaf"), "spkiSha256"), atls_bytes_of(got->spki_sha256, 32));
    expect_bytes(hex(&s, get(e, "leaf"), "nonceHex"), atls_bytes_of(got->nonce, 32));
    expect_bytes(text(get(e, "receipt"), "appId"), got->app_id);
    expect_bytes(hex(&s, get(e, "receipt"), "attestedCertificateSpkiSha256"),
                 atls_bytes_of(got->receipt.spki_sha256, 32));
    if (id != NULL) { /* step 5 has something to look at */
        assert_int_equal(scene_check(&s, "apple.key_id")->verdict, ATLS_CHECK_PASS);
        s.key_id = atls_bytes_of(s.key_id.ptr, 31);
        scene_run(&s, policy_of(&s, get(c, "config")));
        scene_expect(&s, ATLS_E_APPLE_APP_UNEXPECTED, "keyId");
    }
    scene_close(&s);
}

/* ---- assertions ---- */

static void credential_key(scene *s, const atls_json *attestation, uint8_t out[ATLS_APPLE_POINT_SIZE])
{
    apple_attestation a;
    assert_true(apple_attestation_decode(file(s, text(attestation, "attestation")), &s->arena, &a, &s->err));
    memcpy(out, a.auth_data.point, ATLS_APPLE_POINT_SIZE);
}

static const char *assertion_failure(const char *field)
{
    return strcmp(field, "assertion.signature") == 0                     ? "reject: signature"
           : strcmp(field, "assertion.authenticatorData.rpIdHash") == 0  ? "reject: rpIdHash"
           : strcmp(field, "assertion.authenticatorData.signCount") == 0 ? "reject: counter"
                                                                         : field;
}

static void test_assertion(void **state)
{
    const one_case *o = *state; /* attestation: the assertion's entry */
    const atls_json *a = attestation_named(text(o->attestation, "attestationId"));
    const atls_json *other_data = atls_json_find(o->c, "clientDataHex");
    const atls_json *other_app = atls_json_find(o->c, "applicationId");
    atls_apple_assertion in = {0};
    uint32_t counter;
    scene s;
    scene_open(&s);
    in.assertion = file(&s, text(o->attestation, "assertion"));
    in.client_data = hex(&s, other_data == NULL ? o->attestation : o->c, "clientDataHex");
    in.app_id = other_app == NULL ? text(get(get(a, "expected"), "receipt"), "appId") : other_app->text;
    in.last_counter = (uint32_t)number(o->c, "lastCounter");
    credential_key(&s, a, in.public_key);
    if (is(o->c, "expect", "accept")) {
        scene_must(atls_apple_assertion_verify(&in, &counter, &s.err), &s.err, "assertion");
        assert_int_equal(counter, number(o->attestation, "signCount"));
    } else {
        assert_false(atls_apple_assertion_verify(&in, &counter, &s.err));
        assert_int_equal(s.err.code, ATLS_E_APPLE_ASSERTION);
        assert_true(is(o->c, "expect", assertion_failure(s.err.field)));
        assert_int_equal(counter, 0);
    }
    scene_close(&s);
}

/* The two of Warden vouch for a second key, as DER. */
static void test_key_proof(void **state)
{
    const atls_json *entry = *state;
    const atls_json *a = attestation_named(text(entry, "attestationId"));
    atls_apple_assertion in = {0};
    atls_apple_key_form form;
    scene s;
    scene_open(&s);
    const atls_bytes spki = hex(&s, entry, "clientDataHex");
    const bool is_key = spki.len == 91;
    uint8_t point[ATLS_APPLE_POINT_SIZE];
    in.assertion = file(&s, text(entry, "assertion"));
    in.client_data = atls_bytes_empty();
    in.app_id = text(get(get(a, "expected"), "receipt"), "appId");
    credential_key(&s, a, in.public_key);
    memcpy(point, is_key ? spki.ptr + 26 : in.public_key, sizeof point);
    const bool ok = atls_apple_key_proof_verify(&in, point, &form, &s.err);
    assert_int_equal(ok, is_key);
    assert_int_equal(form, is_key ? ATLS_APPLE_KEY_SPKI : ATLS_APPLE_KEY_NONE);
    assert_true(ok || strcmp(s.err.field, "assertion.signature") == 0);
    scene_close(&s);
}

/* ---- receipts ---- */

static atls_policy *receipt_policy(scene *s, const atls_json *c)
{
    const atls_json *anchor = atls_json_find(c, "anchor");
    atls_policy *policy = NULL;
    atls_buf b;
    atls_jw w;
    atls_bytes json;
    char name[128];
    if (anchor == NULL) {
        return NULL;
    }
    snprintf(name, sizeof name, "roots/%.*s.pem", (int)anchor->text.len, (const char *)anchor->text.ptr);
    atls_buf_init(&b, &s->arena, &s->err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "type", "apple_app_attest");
    atls_jw_raw(&w, "applications", atls_bytes_str("[{\"teamIdentifier\":\"0123456789\",\"bundleIdentifier\":\"a\"}]"));
    atls_jw_open(&w, "receiptTrustAnchors", '[');
    atls_jw_string(&w, NULL, file(s, atls_bytes_str(name)));
    atls_jw_close(&w, ']');
    atls_jw_close(&w, '}');
    assert_true(atls_buf_done(&b, &json));
    scene_must(atls_policy_parse(json, &policy, &s->err), &s->err, "policy");
    return policy;
}

/* "xor 0x01 on the last octet of attribute 4" */
static atls_bytes mutate(scene *s, const atls_json *c, atls_bytes in, atls_bytes client_hash)
{
    if (atls_json_find(c, "mutation") == NULL) {
        return in;
    }
    uint8_t *out = atls_arena_raw(&s->arena, in.len, &s->err);
    size_t at = 0;
    assert_non_null(out);
    memcpy(out, in.ptr, in.len);
    while (memcmp(out + at, client_hash.ptr, client_hash.len) != 0) {
        at++;
        assert_true(at + client_hash.len <= in.len);
    }
    out[at + client_hash.len - 1] ^= 0x01;
    return atls_bytes_of(out, in.len);
}

static const char *receipt_failure(const atls_error *err)
{
    if (err->code == ATLS_E_APPLE_STATEMENT_TIME) {
        return "reject: too old";
    }
    return strcmp(err->field, "receipt.appId") == 0                  ? "reject: app id"
           : strcmp(err->field, "receipt.signerInfo.signature") == 0 ? "reject: signature"
           : strncmp(err->field, "receipt.certificates", 20) == 0    ? "reject: chain"
                                                                     : err->field;
}

static void test_receipt_case(void **state)
{
    const one_case *o = *state;
    const atls_json *e = get(o->attestation, "expected");
    const atls_json *other_app = atls_json_find(o->c, "applicationId");
    atls_apple_receipt out;
    atls_apple_receipt_check in = {0};
    apple_receipt decoded;
    scene s;
    scene_open(&s);
    const int64_t t_ms = ms_of(text(o->c, "time"));
    const atls_bytes whole = file(&s, text(o->attestation, "receipt"));
    scene_must(apple_receipt_decode(whole, &s.arena, &decoded, &s.err), &s.err, "receipt");
    in.receipt = mutate(&s, o->c, whole, decoded.payload.client_hash);
    in.app_id = other_app == NULL ? text(o->attestation, "applicationId") : other_app->text;
    credential_key(&s, attestation_named(text(o->attestation, "attestationId")), in.public_key);
    in.now = t_ms / 1000;
    in.now_ms = (uint32_t)(t_ms % 1000);
    in.max_age_s = (uint32_t)number(o->c, "maxAgeSeconds");
    atls_policy *policy = receipt_policy(&s, o->c);
    in.policy = policy;
    const bool ok = atls_apple_receipt_verify(&in, &s.arena, &out, &s.err);
    if (is(o->c, "expect", "accept")) {
        scene_must(ok, &s.err, "receipt");
        expect_bytes(hex(&s, e, "attestedCertificateSpkiSha256"), atls_bytes_of(out.spki_sha256, 32));
    } else {
        char line[512];
        (void)atls_error_line(&s.err, line, sizeof line);
        if (ok || !is(o->c, "expect", receipt_failure(&s.err))) {
            fail_msg("%s", ok ? "accepted" : line);
        }
        assert_int_equal(out.app_id.len, 0);
    }
    atls_policy_free(policy);
    scene_close(&s);
}

static void test_receipt_values(void **state)
{
    const atls_json *r = *state;
    apple_receipt out;
    scene s;
    scene_open(&s);
    scene_must(apple_receipt_decode(file(&s, text(r, "receipt")), &s.arena, &out, &s.err), &s.err, "receipt");
    expect_receipt(&s, get(r, "expected"), &out);
    scene_close(&s);
}

/* ---- the rest ---- */

static void test_builds(void **state)
{
    const atls_json *list = get(get(manifest, "buildNumbers"), "ascending");
    apple_build all[64];
    size_t n = 0;
    (void)state;
    for (const atls_json *v = list->child; v != NULL; v = v->next) {
        assert_true(n < 64 && apple_build_parse(v->text, &all[n]));
        n++;
    }
    for (size_t i = 0; i < n * n; i++) {
        const int order = apple_build_order(&all[i / n], &all[i % n]);
        assert_int_equal(i / n < i % n ? -1 : i / n > i % n ? 1 : 0, order);
    }
}

static void check_root(scene *s, const char *name, const atls_root *pinned)
{
    atls_bytes der;
    size_t n;
    atls_crypto *crypto;
    atls_anchor anchor;
    atls_root root;
    const atls_bytes pem = file(s, atls_bytes_str(name));
    assert_true(atls_crypto_new(&crypto, &s->err));
    assert_true(atls_pem_certificates(pem, false, ATLS_E_PCK_CHAIN, "root", &s->arena, &der, 1, &n, &s->err));
    scene_must(atls_root_from_der(crypto, der, &anchor, &root, &s->err), &s->err, "root");
    assert_memory_equal(anchor.sha256, pinned->anchor->sha256, 32);
    assert_true(anchor.production && pinned->anchor->production);
    expect_bytes(root.subject, pinned->subject);
    expect_bytes(root.subject_key_id, pinned->subject_key_id);
    expect_bytes(root.key.point, pinned->key.point);
    assert_int_equal(root.key.kind, pinned->key.kind);
    assert_int_equal(root.not_before, pinned->not_before);
    assert_int_equal(root.not_after, pinned->not_after);
    atls_crypto_free(crypto);
}

static void test_roots(void **state)
{
    const atls_root attestation = atls_root_apple_attestation();
    const atls_root receipt = atls_root_apple_receipt();
    scene s;
    (void)state;
    scene_open(&s);
    check_root(&s, "roots/apple-app-attestation-root-ca.pem", &attestation);
    check_root(&s, "roots/apple-root-ca-g3.pem", &receipt);
    scene_close(&s);
}

/* ---- the list ---- */

static const char *name_of(atls_arena *arena, atls_bytes id, atls_bytes name)
{
    atls_error err = {0};
    return atls_text_format(arena, &err, "%.*s: %.*s", (int)id.len, (const char *)id.ptr, (int)name.len,
                            (const char *)name.ptr);
}

static void add_cases(tap_list *tests, atls_arena *arena, const atls_json *entry, CMUnitTestFunction fn)
{
    atls_error err = {0};
    for (const atls_json *c = get(entry, "cases")->child; c != NULL; c = c->next) {
        one_case *o = atls_arena_alloc(arena, sizeof *o, &err);
        *o = (one_case){entry, c};
        tap_add(tests, name_of(arena, text(entry, "id"), text(c, "name")), fn, o);
    }
}

static void add_all(tap_list *tests, atls_arena *arena)
{
    for (const atls_json *a = get(manifest, "attestations")->child; a != NULL; a = a->next) {
        tap_add(tests, name_of(arena, text(a, "id"), atls_bytes_str("values")), test_values, a);
        tap_add(tests, name_of(arena, text(a, "id"), atls_bytes_str("claims")), test_claims, a);
        add_cases(tests, arena, a, test_policy_case);
    }
    for (const atls_json *a = get(manifest, "assertions")->child; a != NULL; a = a->next) {
        add_cases(tests, arena, a, test_assertion);
        tap_add(tests, name_of(arena, text(a, "id"), atls_bytes_str("a second key")), test_key_proof, a);
    }
    for (const atls_json *r = get(manifest, "receipts")->child; r != NULL; r = r->next) {
        tap_add(tests, name_of(arena, text(r, "id"), atls_bytes_str("values")), test_receipt_values, r);
        add_cases(tests, arena, r, test_receipt_case);
    }
    tap_add(tests, "build numbers are in their order", test_builds, NULL);
    tap_add(tests, "the pinned roots are those of the vectors, and sign themselves", test_roots, NULL);
}

int main(void)
{
    tap_list tests = {0};
    atls_arena arena;
    atls_error err = {0};
    atls_bytes json;
    if (!atls_arena_new(&arena, (size_t)16 * 1024 * 1024, &err)) {
        return 1;
    }
    if (!vectors_read(DIR "manifest.json", &arena, &json)) {
        tap_add(&tests, "vectors are absent", vectors_absent, NULL);
        return tap_run("apple_vectors", &tests);
    }
    if (!atls_json_parse(json, "manifest", &arena, &manifest, &err)) {
        return 1;
    }
    add_all(&tests, &arena);
    const int failed = tap_run("apple_vectors", &tests);
    atls_arena_free(&arena);
    return failed;
}
