/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine phones: everything that android/manifest.json says: what stands in their certificates and records, whether their
 * chains hold at given times, and what policies make of them, reason by reason. */
#include "atls/verifier.h"
#include "base/json.h"
#include "base/text.h"
#include "evidence/android/android.h"
#include "vectors.h"
#include "verify/again.h"

#define DIR         "android/"
#define ARENA_SIZE  ((size_t)16 * 1024 * 1024)
#define MAX_ANCHORS 8

static const atls_json *manifest; /* in an arena of main */

typedef struct scene {
    atls_arena arena;
    atls_error err;
    atls_crypto *crypto;
} scene;

static void scene_open(scene *s)
{
    memset(s, 0, sizeof *s);
    assert_true(atls_arena_new(&s->arena, ARENA_SIZE, &s->err));
    assert_true(atls_crypto_new(&s->crypto, &s->err));
}

static void scene_close(scene *s)
{
    atls_crypto_free(s->crypto);
    atls_arena_free(&s->arena);
}

static atls_bytes file(scene *s, atls_bytes name)
{
    char path[160];
    atls_bytes out;
    snprintf(path, sizeof path, DIR "%.*s", (int)name.len, (const char *)name.ptr);
    assert_true(vectors_read(path, &s->arena, &out));
    return out;
}

static atls_bytes text_of(const atls_json *object, const char *name)
{
    const atls_json *v = atls_json_find(object, name);
    return v != NULL && v->type == ATLS_JSON_STRING ? v->text : atls_bytes_empty();
}

static bool flag_of(const atls_json *object, const char *name)
{
    const atls_json *v = atls_json_find(object, name);
    return v != NULL && v->type == ATLS_JSON_TRUE;
}

static atls_bytes hex_of(scene *s, atls_bytes text)
{
    atls_bytes out;
    assert_true(atls_hex_decode(text, "hex", &s->arena, &out, &s->err));
    return out;
}

/* "2023-04-14T14:30:21.681Z" or without a fraction. */
static void parse_time(atls_bytes text, atls_time *seconds, uint32_t *ms)
{
    int c[6];
    *ms = 0;
    assert_true(text.len == 20 || text.len == 24);
    assert_int_equal(
        sscanf((const char *)text.ptr, "%4d-%2d-%2dT%2d:%2d:%2d", &c[0], &c[1], &c[2], &c[3], &c[4], &c[5]), 6);
    assert_true(atls_time_from_civil(c[0], c[1], c[2], c[3], c[4], c[5], seconds));
    if (text.len == 24) {
        *ms = (uint32_t)((text.ptr[20] - '0') * 100 + (text.ptr[21] - '0') * 10 + (text.ptr[22] - '0'));
    }
}

static android_evidence *decode(scene *s, atls_bytes in)
{
    android_evidence *e = atls_arena_alloc(&s->arena, sizeof *e, &s->err);
    assert_non_null(e);
    if (!android_chain_decode(in, &s->arena, e, &s->err)) {
        fail_msg("%s: %s", s->err.field, s->err.message);
    }
    return e;
}

/* ---- records against expected/ ---- */

static bool same_integer(const atls_json *v, const atls_android_integer *i)
{
    uint64_t number;
    atls_error why = {0};
    return v == NULL ? !i->present
                     : i->present && atls_json_uint(v, "", UINT64_MAX, &number, &why) && number == i->value;
}

static bool same_set(const atls_json *v, const atls_android_set *set)
{
    bool same = v == NULL ? !set->present : set->present && v->n == set->n;
    size_t i = 0;
    for (const atls_json *item = v == NULL ? NULL : v->child; same && item != NULL; item = item->next) {
        uint64_t number;
        atls_error why = {0};
        same = atls_json_uint(item, "", UINT64_MAX, &number, &why) && number == set->values[i++];
    }
    return same;
}

static bool same_hex(atls_bytes hex, atls_bytes value)
{
    uint8_t bytes[512];
    return hex.len / 2 == value.len && value.len <= sizeof bytes && atls_hex_fixed(hex, bytes, value.len)
           && memcmp(bytes, value.ptr, value.len) == 0;
}

/* Hex, or the text itself: the manifest writes identifiers as text. */
static bool same_octets(const atls_json *v, const atls_android_octets *o)
{
    if (v == NULL) {
        return !o->present;
    }
    return o->present && (atls_bytes_equal(v->text, o->value) || same_hex(v->text, o->value));
}

static bool same_flag(const atls_json *v, const atls_android_flag *f)
{
    return *f == (v != NULL && v->type == ATLS_JSON_TRUE);
}

static bool same_root_of_trust(const atls_json *v, const atls_android_root_of_trust *r)
{
    static const char *const states[] = {"VERIFIED", "SELF_SIGNED", "UNVERIFIED", "FAILED"};
    if (v == NULL) {
        return !r->present;
    }
    const atls_json *hash = atls_json_find(v, "verifiedBootHash");
    return r->present && same_hex(text_of(v, "verifiedBootKey"), r->verifiedBootKey)
           && flag_of(v, "deviceLocked") == r->deviceLocked
           && atls_bytes_equal_str(text_of(v, "verifiedBootState"), states[r->verifiedBootState])
           && (hash == NULL || hash->type == ATLS_JSON_NULL ? !r->verifiedBootHash.present
                                                            : same_hex(hash->text, r->verifiedBootHash.value));
}

static bool same_application_id(const atls_json *v, const atls_android_application_id *id)
{
    if (v == NULL) {
        return !id->present;
    }
    const atls_json *packages = atls_json_find(v, "packages");
    const atls_json *digests = atls_json_find(v, "signatureDigests");
    bool same = id->present && id->intact && packages->n == id->n_packages && digests->n == id->n_signatureDigests;
    size_t i = 0;
    for (const atls_json *p = packages->child; same && p != NULL; p = p->next, i++) {
        const atls_android_integer version = {.present = true, .value = id->packages[i].version};
        same = atls_bytes_equal(text_of(p, "name"), id->packages[i].name)
               && same_integer(atls_json_find(p, "version"), &version);
    }
    i = 0;
    for (const atls_json *d = digests->child; same && d != NULL; d = d->next, i++) {
        same = same_hex(d->text, id->signatureDigests[i]);
    }
    return same;
}

#define SAME_INTEGER        same_integer
#define SAME_SET            same_set
#define SAME_FLAG           same_flag
#define SAME_OCTETS         same_octets
#define SAME_ROOT_OF_TRUST  same_root_of_trust
#define SAME_APPLICATION_ID same_application_id

static void check_authorizations(const atls_json *expected, const atls_android_authorizations *a)
{
    size_t known = 0;
#define X(tag, name, type)                                                                                             \
    known += atls_json_find(expected, #name) != NULL;                                                                  \
    if (!SAME_##type(atls_json_find(expected, #name), &a->name)) {                                                     \
        fail_msg("%s differs", #name);                                                                                 \
    }
    ATLS_ANDROID_TAGS(X)
#undef X
    assert_int_equal(known, expected->n); /* nothing that the manifest has and the list of tags has not */
}

static void check_description(scene *s, const atls_json *vector, const atls_android_key_description *d)
{
    const atls_json *e = NULL;
    const atls_bytes json = file(s, text_of(vector, "expected"));
    assert_true(atls_json_parse(json, "expected", &s->arena, &e, &s->err));
    const atls_android_integer version = {true, d->attestationVersion};
    const atls_android_integer keymaster = {true, d->keymasterVersion};
    assert_true(same_integer(atls_json_find(e, "attestationVersion"), &version));
    assert_true(same_integer(atls_json_find(e, "keymasterVersion"), &keymaster));
    assert_true(atls_bytes_equal_str(text_of(e, "attestationSecurityLevel"),
                                     atls_android_level_name(d->attestationSecurityLevel)));
    assert_true(
        atls_bytes_equal_str(text_of(e, "keymasterSecurityLevel"), atls_android_level_name(d->keymasterSecurityLevel)));
    assert_true(same_hex(text_of(e, "attestationChallenge"), d->attestationChallenge));
    assert_true(same_hex(text_of(e, "uniqueId"), d->uniqueId));
    check_authorizations(atls_json_find(e, "softwareEnforced"), &d->softwareEnforced);
    check_authorizations(atls_json_find(e, "hardwareEnforced"), &d->hardwareEnforced);
}

static void check_serial(scene *s, atls_bytes hex, atls_bytes serial)
{
    const char *text = atls_hex_text(serial, &s->arena, &s->err);
    assert_non_null(text);
    while (text[0] == '0' && text[1] != '\0') {
        text++;
    }
    assert_true(atls_bytes_equal_str(hex, text));
}

static void check_certificates(scene *s, const atls_json *vector, const android_evidence *e)
{
    size_t i = 0;
    const atls_json *list = atls_json_find(vector, "certificates");
    assert_int_equal(list->n, e->n);
    for (const atls_json *c = list->child; c != NULL; c = c->next, i++) {
        uint8_t hash[32];
        uint8_t expected[32];
        check_serial(s, text_of(c, "serialHex"), e->certs[i].serial);
        assert_true(atls_digest(s->crypto, ATLS_SHA256, &e->certs[i].spki, 1, hash, &s->err));
        assert_true(atls_hex_fixed(text_of(c, "spkiSha256"), expected, 32));
        assert_memory_equal(hash, expected, 32);
        const atls_json *issued = atls_json_find(c, "certificatesIssued");
        if (issued != NULL) {
            assert_int_equal(i, 1);
            assert_true(e->info.intact && same_integer(issued, &e->info.certificatesIssued));
        }
        if (i == 1) {
            assert_int_equal(e->info.present, flag_of(c, "hasProvisioningInfo"));
        }
    }
}

static void test_parse(void **state)
{
    const atls_json *vector = *state;
    scene s;
    scene_open(&s);
    const android_evidence *e = decode(&s, file(&s, text_of(vector, "chain")));
    check_certificates(&s, vector, e);
    if (atls_json_find(vector, "provisioningMethod") != NULL) {
        const atls_json *level = atls_json_find(vector, "certificateSecurityLevel");
        assert_true(atls_bytes_equal_str(text_of(vector, "provisioningMethod"),
                                         atls_android_provisioning_name(e->provisioning)));
        assert_true(level->type == ATLS_JSON_STRING
                        ? atls_bytes_equal_str(level->text, atls_android_level_name(e->certificate_level))
                        : e->certificate_level == ATLS_ANDROID_LEVEL_UNKNOWN);
    }
    if (atls_bytes_equal_str(text_of(vector, "keyDescriptionParse"), "fail")) {
        assert_int_equal(e->why.code, ATLS_E_ANDROID_APP_UNEXPECTED);
    } else {
        assert_int_equal(e->why.code, ATLS_OK);
        assert_true(same_hex(text_of(vector, "challengeHex"), e->description.attestationChallenge));
        check_description(&s, vector, &e->description);
    }
    scene_close(&s);
}

/* The transport form, and the two others that people have, hold the same chain. */
static void test_forms(void **state)
{
    const atls_json *vector = *state;
    scene s;
    scene_open(&s);
    const android_evidence *pem = decode(&s, file(&s, text_of(vector, "chain")));
    const android_evidence *json = decode(&s, file(&s, text_of(vector, "attestationJson")));
    atls_buf der;
    atls_bytes joined;
    atls_buf_init(&der, &s.arena, &s.err);
    assert_int_equal(pem->n, json->n);
    for (size_t i = 0; i < pem->n; i++) {
        assert_true(atls_bytes_equal(pem->certs[i].der, json->certs[i].der));
        atls_buf_put(&der, pem->certs[i].der);
    }
    assert_true(atls_buf_done(&der, &joined));
    assert_int_equal(decode(&s, joined)->n, pem->n);
    scene_close(&s);
}

/* ---- paths ---- */

/* The reference validator: it looks at no date of the root or the leaf, and in chains of the factory at no end. */
static void check_path(scene *s, const android_evidence *e, const atls_json *path)
{
    atls_key_anchor anchors[MAX_ANCHORS];
    size_t n = 0;
    for (const atls_json *root = atls_json_find(manifest, "trustRoots")->child; root != NULL; root = root->next) {
        assert_true(n < MAX_ANCHORS && atls_hex_fixed(text_of(root, "spkiSha256"), anchors[n].spki_sha256, 32));
        assert_non_null(atls_anchor_android_find(anchors[n++].spki_sha256)); /* the pinned facts */
    }
    if (atls_bytes_equal_str(text_of(path, "anchors"), "own root")) {
        n = 1;
        assert_true(atls_digest(s->crypto, ATLS_SHA256, &e->certs[e->n - 1].spki, 1, anchors[0].spki_sha256, &s->err));
    }
    atls_time seconds;
    uint32_t ms;
    atls_error why = {0};
    atls_trace trace;
    const atls_android_list *list = NULL;
    parse_time(text_of(path, "time"), &seconds, &ms);
    assert_true(android_list_compile(s->crypto, atls_bytes_str("{\"entries\":{}}"), &s->arena, &list, &s->err));
    assert_true(atls_trace_init(&trace, &s->arena, &s->err));
    const android_path p = {
        .anchors = anchors,
        .n_anchors = n,
        .at_ms = seconds * 1000 + ms,
        .ignore_leaf_validity = true,
        .ignore_factory_expiry = true,
        .list = list,
    };
    const bool ok = android_path_check(e, &p, s->crypto, &s->arena, &trace, &why);
    static const struct {
        const char *reason;
        atls_code code;
    } reasons[] = {{"EXPIRED", ATLS_E_ANDROID_CERTIFICATE_TIME},
                   {"INVALID_SIGNATURE", ATLS_E_ANDROID_CERTIFICATE_INVALID},
                   {"NO_TRUST_ANCHOR", ATLS_E_ANDROID_NO_MATCHING_ROOT}};
    if (atls_bytes_equal_str(text_of(path, "verdict"), "accept")) {
        if (!ok) {
            fail_msg("%s %s: %s", atls_code_name(why.code), why.field, why.message);
        }
        return;
    }
    assert_false(ok);
    for (size_t i = 0; i < 3; i++) {
        if (atls_bytes_equal_str(text_of(path, "reason"), reasons[i].reason)) {
            assert_int_equal(why.code, reasons[i].code);
            return;
        }
    }
    fail_msg("a reason of the manifest that this test does not know");
}

static void test_paths(void **state)
{
    const atls_json *vector = *state;
    scene s;
    scene_open(&s);
    const android_evidence *e = decode(&s, file(&s, text_of(vector, "chain")));
    for (const atls_json *p = atls_json_find(vector, "path")->child; p != NULL; p = p->next) {
        check_path(&s, e, p);
    }
    scene_close(&s);
}

/* ---- policies ---- */

typedef struct policy_case {
    const atls_json *vector;
    const atls_json *c;
} policy_case;

static const char *policy_text(scene *s, const atls_json *config)
{
    const char *text = atls_text_format(&s->arena, &s->err, "{\"type\":\"android_key\",%.*s", (int)config->raw.len - 1,
                                        (const char *)config->raw.ptr + 1);
    assert_non_null(text);
    return text;
}

static atls_bytes evidence_of(scene *s, const policy_case *pc)
{
    const atls_bytes pem = file(s, text_of(pc->vector, "chain"));
    const atls_json *prefix = atls_json_find(pc->c, "chainPrefix");
    uint64_t n;
    if (prefix == NULL) {
        return pem;
    }
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    size_t have = 0;
    atls_buf b;
    atls_bytes out;
    assert_true(atls_json_uint(prefix, "", 10, &n, &s->err)
                && android_chain_split(pem, &s->arena, ders, &have, &s->err));
    atls_buf_init(&b, &s->arena, &s->err);
    for (size_t i = 0; i < n && i < have; i++) {
        atls_buf_put(&b, ders[i]);
    }
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static bool give_list(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                      atls_error *err)
{
    assert_int_equal(request->platform, ATLS_PLATFORM_ANDROID);
    *out = (atls_endorsements){0};
    return atls_endorsements_add(*(const atls_bytes *)ctx, arena, out, err);
}

static void check_mode(const atls_json *expect, const atls_android_claims *c)
{
    static const char *const names[] = {"HW", "NOUGAT", "SW"};
    assert_true(c->present && atls_bytes_equal_str(text_of(expect, "mode"), names[c->mode]));
}

static void check_verdict(const atls_json *expect, bool ok, const atls_result *r, const atls_error *err)
{
    if (atls_bytes_equal_str(text_of(expect, "verdict"), "accept")) {
        if (!ok) {
            fail_msg("%s %s: %s", atls_code_name(err->code), err->field, err->message);
        }
        check_mode(expect, &r->claims.android);
        return;
    }
    assert_false(ok);
    if (!atls_bytes_equal_str(text_of(expect, "class"), atls_android_class(err->code))
        || !atls_bytes_equal_str(text_of(expect, "reason"), atls_android_reason(err->code))) {
        fail_msg("%s %s at %s: %s", atls_android_class(err->code), atls_android_reason(err->code), err->field,
                 err->message);
    }
    char category[16];
    snprintf(category, sizeof category, "%.*s", (int)text_of(expect, "category").len,
             (const char *)text_of(expect, "category").ptr);
    for (char *c = category; *c != '\0'; c++) {
        *c = (char)(*c + ('a' - 'A'));
    }
    assert_string_equal(atls_category_name(err->category), category);
    assert_int_equal(err->platform, ATLS_PLATFORM_ANDROID);
}

static void test_policy(void **state)
{
    const policy_case *pc = *state;
    scene s;
    scene_open(&s);
    atls_policy *policy = NULL;
    atls_verifier *v = NULL;
    atls_result r;
    atls_appraisal in = {.evidence = evidence_of(&s, pc), .binding = {.grade = ATLS_GRADE_REPORT_DATA, .profile = ""}};
    atls_bytes list = file(&s, text_of(pc->c, "revocation"));
    in.binding.challenge = hex_of(&s, text_of(pc->c, "challengeHex"));
    in.endorse = give_list;
    in.endorse_ctx = &list;
    parse_time(text_of(pc->c, "time"), &in.now, &in.now_ms);
    if (in.now <= ATLS_TIME_UNSET) { /* no clock shows that; an offset can lead there */
        in.offset_s = -2000000000;
        in.now -= in.offset_s;
    }
    if (!atls_policy_parse(atls_bytes_str(policy_text(&s, atls_json_find(pc->c, "config"))), &policy, &s.err)) {
        fail_msg("%s: %s", s.err.field, s.err.message);
    }
    assert_true(atls_verifier_new(policy, &v, &s.err));
    const bool ok = again_appraise(v, &in, &s.arena, &r, &s.err);
    check_verdict(atls_json_find(pc->c, "expect"), ok, &r, &s.err);
    atls_bytes json;
    atls_error why = {0};
    assert_true(atls_result_json(&r, ok ? NULL : &s.err, &s.arena, &json, &why));
    atls_verifier_free(v);
    atls_policy_free(policy);
    scene_close(&s);
}

/* ---- bare lists and status lists ---- */

static void test_authorizations(void **state)
{
    const atls_json *row = *state;
    scene s;
    scene_open(&s);
    atls_android_authorizations a;
    assert_true(android_authorizations_decode(file(&s, text_of(row, "file")), "list", &s.arena, &a, &s.err));
    check_authorizations(atls_json_find(row, "expected"), &a);
    scene_close(&s);
}

static atls_bytes serial_of(scene *s, atls_bytes hex)
{
    const char *even = atls_text_format(&s->arena, &s->err, "00%s%.*s", hex.len % 2 == 0 ? "" : "0", (int)hex.len,
                                        (const char *)hex.ptr);
    assert_non_null(even);
    return hex_of(s, atls_bytes_str(even));
}

static void test_status(void **state)
{
    const atls_json *row = *state;
    scene s;
    scene_open(&s);
    const atls_android_list *list = NULL;
    assert_true(atls_android_list_compile(file(&s, text_of(row, "file")), &s.arena, &list, &s.err));
    for (const atls_json *l = atls_json_find(row, "lookups")->child; l != NULL; l = l->next) {
        android_status found;
        const atls_bytes serial = serial_of(&s, text_of(l, "serialHex"));
        assert_true(android_list_find(list, serial, false, &found, &s.err));
        assert_int_equal(found.is_revoked, flag_of(l, "revoked"));
        if (atls_json_find(l, "status") != NULL) {
            assert_true(atls_bytes_equal_str(text_of(l, "status"), found.status));
        }
        assert_true(android_list_find(list, serial, true, &found, &s.err));
        assert_int_equal(found.is_revoked, flag_of(l, "revoked") || flag_of(l, "decimalKeyMatch"));
    }
    scene_close(&s);
}

/* ---- all of it ---- */

static void add_vector(tap_list *list, const atls_json *vector, atls_arena *arena)
{
    static atls_error err;
    const char *id = atls_text_copy(text_of(vector, "id"), arena, &err);
    tap_add(list, atls_text_format(arena, &err, "parse %s", id), test_parse, vector);
    if (atls_json_find(vector, "path") != NULL) {
        tap_add(list, atls_text_format(arena, &err, "path %s", id), test_paths, vector);
    }
    if (atls_json_find(vector, "attestationJson") != NULL) {
        tap_add(list, atls_text_format(arena, &err, "forms %s", id), test_forms, vector);
    }
    for (const atls_json *c = atls_json_find(vector, "cases")->child; c != NULL; c = c->next) {
        policy_case *pc = atls_arena_alloc(arena, sizeof *pc, &err);
        const atls_bytes name = text_of(c, "name");
        *pc = (policy_case){vector, c};
        tap_add(list, atls_text_format(arena, &err, "%s: %.*s", id, (int)name.len, (const char *)name.ptr), test_policy,
                pc);
    }
}

static void add_rows(tap_list *list, const char *member, CMUnitTestFunction fn, atls_arena *arena)
{
    atls_error err = {0};
    for (const atls_json *row = atls_json_find(manifest, member)->child; row != NULL; row = row->next) {
        tap_add(list, atls_text_copy(text_of(row, "file"), arena, &err), fn, row);
    }
}

int main(void)
{
    atls_arena arena;
    atls_error err = {0};
    atls_bytes text;
    tap_list list = {0};
    if (!atls_arena_new(&arena, ARENA_SIZE, &err)) {
        return 1;
    }
    if (!vectors_read(DIR "manifest.json", &arena, &text)) {
        tap_add(&list, "no vectors here", vectors_absent, NULL);
    } else if (atls_json_parse(text, "manifest", &arena, &manifest, &err)) {
        for (const atls_json *v = atls_json_find(manifest, "vectors")->child; v != NULL; v = v->next) {
            add_vector(&list, v, &arena);
        }
        add_rows(&list, "authorizationLists", test_authorizations, &arena);
        add_rows(&list, "revocationStatus", test_status, &arena);
    }
    const int failed = tap_run("android_vectors", &list);
    atls_arena_free(&arena);
    return failed + (err.code != ATLS_OK);
}
