/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine Nitro documents: every case of nitro/manifest.json, what it says about them, and its negatives. The pinned root is
 * checked here, too. */
#include "base/json.h"
#include "evidence/nitro/nitro.h"
#include "nitro_scene.h"
#include "vectors.h"

#define DIR "nitro/"

static const atls_json *manifest; /* in an arena of main */

static atls_bytes file(scene *s, atls_bytes name)
{
    char path[128];
    atls_bytes out;
    snprintf(path, sizeof path, DIR "%.*s", (int)name.len, (const char *)name.ptr);
    assert_true(vectors_read(path, &s->arena, &out));
    return out;
}

static const atls_json *case_named(const char *name)
{
    for (const atls_json *c = atls_json_find(manifest, "cases")->child; c != NULL; c = c->next) {
        if (atls_bytes_equal_str(atls_json_find(c, "name")->text, name)) {
            return c;
        }
    }
    fail_msg("the manifest has no case %s", name);
    return NULL;
}

static void load(scene *s, const atls_json *c)
{
    scene_open(s);
    s->evidence = file(s, atls_json_find(c, "files")->child->text);
    assert_true(atls_time_parse(atls_json_find(c, "time")->text, &s->now));
}

static bool is_debug_case(const atls_json *c)
{
    return atls_json_find(c, "verdict_debug_allowed") != NULL;
}

/* The policy that names what the manifest says of the registers. */
static const char *policy_of(scene *s, const atls_json *c, const char *more)
{
    const atls_json *pcrs = atls_json_find(c, "pcrs");
    const char *text = atls_text_format(&s->arena, &s->err, "{\"type\":\"nitro\",\"pcrs\":%.*s%s}", (int)pcrs->raw.len,
                                        (const char *)pcrs->raw.ptr, more);
    assert_non_null(text);
    return text;
}

/* ---- what the manifest says ---- */

static void check_optional(const atls_json *c, const char *name, const atls_nitro_optional *o)
{
    const atls_json *v = atls_json_find(c, name);
    uint8_t bytes[1024];
    if (v == NULL) {
        return;
    }
    assert_int_equal(o->present, v->type == ATLS_JSON_STRING);
    if (o->present) {
        assert_true(v->text.len / 2 == o->value.len && atls_hex_fixed(v->text, bytes, o->value.len));
        assert_memory_equal(bytes, o->value.ptr, o->value.len);
    }
}

static void check_claims(scene *s, const atls_json *c)
{
    const atls_nitro_claims *n = &s->result.claims.nitro;
    uint64_t number;
    atls_error err = {0};
    assert_true(n->present && !n->is_nitrotpm && !n->historic);
    assert_true(atls_bytes_equal(n->module_id, atls_json_find(c, "module_id")->text));
    assert_true(atls_json_uint(atls_json_find(c, "timestamp_ms"), "t", UINT64_MAX, &number, &err));
    assert_int_equal(n->timestamp_ms, number);
    assert_int_equal(n->pcrs, 0xffff);
    check_optional(c, "user_data", &n->user_data);
    check_optional(c, "nonce", &n->nonce);
    check_optional(c, "public_key", &n->public_key);
    assert_int_equal(n->n_certificates, 5);
    assert_int_equal(n->is_debug, is_debug_case(c));
    assert_false(s->result.simulated_or_test_root);
    const atls_json *validity = atls_json_find(c, "leaf_validity");
    atls_time t;
    if (validity != NULL) {
        assert_true(atls_time_parse(validity->child->text, &t) && n->leaf_not_before == t);
        assert_true(atls_time_parse(validity->child->next->text, &t) && n->leaf_not_after == t);
    }
}

static void test_case(void **state)
{
    const atls_json *c = *state;
    scene s;
    load(&s, c);
    const bool debug = is_debug_case(c);
    if (debug) {
        scene_run(&s, "{\"type\":\"nitro\"}");
        scene_expect(&s, ATLS_E_GUEST_POLICY, "document.payload.pcrs[0]");
    }
    scene_run(&s, policy_of(&s, c, debug ? ",\"insecure_allow_debug\":true" : ""));
    scene_expect(&s, ATLS_OK, NULL);
    assert_int_equal(s.result.runtime_verified, !debug);
    assert_int_equal(s.result.insecure, debug);
    check_claims(&s, c);
    scene_close(&s);
}

/* PCR4 is the parent's instance id, which the module id names, too: so the helper is right about real machines. */
static void test_instance(void **state)
{
    const atls_json *c = *state;
    scene s;
    char more[128];
    load(&s, c);
    const atls_bytes module = atls_json_find(c, "module_id")->text;
    snprintf(more, sizeof more, ",\"instance_id\":\"%.19s\",\"region\":\"us-east-1\"", (const char *)module.ptr);
    if (is_debug_case(c)) {
        snprintf(more + strlen(more), sizeof more - strlen(more), ",\"insecure_allow_debug\":true");
    }
    scene_run(&s, policy_of(&s, c, more));
    scene_expect(&s, ATLS_OK, NULL);
    assert_true(atls_bytes_equal_str(s.result.claims.nitro.region, "us-east-1"));
    scene_run(&s, "{\"type\":\"nitro\",\"instance_id\":\"i-00000000000000000\",\"insecure_allow_debug\":true}");
    scene_expect(&s, ATLS_E_MACHINE_NOT_ALLOWED, "document.payload.pcrs[4]");
    scene_close(&s);
}

/* ---- negatives ---- */

static uint8_t *copy_of(scene *s, size_t more)
{
    uint8_t *out = atls_arena_raw(&s->arena, s->evidence.len + more, &s->err);
    assert_non_null(out);
    memcpy(out, s->evidence.ptr, s->evidence.len);
    return out;
}

static void leaf_expired(scene *s)
{
    assert_true(atls_time_parse(atls_bytes_str("2025-12-25T17:00:00Z"), &s->now));
}

static void before_the_leaf(scene *s)
{
    assert_true(atls_time_parse(atls_bytes_str("2025-12-25T13:15:33Z"), &s->now));
}

static void six_minutes_later(scene *s)
{
    s->now += 360;
}

static void flip_user_data(scene *s)
{
    nitro_document d;
    uint8_t *out = copy_of(s, 0);
    assert_true(nitro_document_decode(s->evidence, &d, &s->err));
    out[d.user_data.value.ptr - s->evidence.ptr] ^= 1;
    s->evidence = atls_bytes_of(out, s->evidence.len);
}

/* The entry becomes null-length arrays' neighbour: entry 2 and its head are cut out and every length around is mended. */
static void drop_entry(scene *s)
{
    nitro_document d;
    assert_true(nitro_document_decode(s->evidence, &d, &s->err));
    const size_t head = 3; /* 59 and two bytes of length */
    const size_t start = (size_t)(d.cabundle[2].ptr - s->evidence.ptr) - head;
    const size_t end = start + head + d.cabundle[2].len;
    const size_t array = (size_t)(d.cabundle[0].ptr - s->evidence.ptr) - head - 1;
    const size_t payload = (size_t)(d.payload.ptr - s->evidence.ptr);
    const size_t len = d.payload.len - (end - start);
    uint8_t *out = copy_of(s, 0);
    assert_int_equal(out[array], 0x84);
    out[array] = 0x83;
    out[payload - 2] = (uint8_t)(len >> 8);
    out[payload - 1] = (uint8_t)len;
    memmove(out + start, out + end, s->evidence.len - end);
    s->evidence = atls_bytes_of(out, s->evidence.len - (end - start));
}

static void append_byte(scene *s)
{
    uint8_t *out = copy_of(s, 1);
    out[s->evidence.len] = 0;
    s->evidence = atls_bytes_of(out, s->evidence.len + 1);
}

static void framed(scene *s)
{
    s->evidence = file(s, atls_bytes_str("production.nsm_response_framed.bin"));
}

static const struct negative {
    const char *name;
    void (*change)(scene *s);
    atls_code code;
    const char *field;
} negatives[] = {
    {"the leaf has expired", leaf_expired, ATLS_E_EXPIRED, "document.payload.certificate.not_after"},
    {"the leaf is not yet valid", before_the_leaf, ATLS_E_NOT_YET_VALID, "document.payload.certificate.not_before"},
    {"six minutes old", six_minutes_later, ATLS_E_EVIDENCE_AGE, "document.payload.timestamp"},
    {"one bit of user_data", flip_user_data, ATLS_E_EVIDENCE_SIGNATURE, "document.signature"},
    {"entry 2 of cabundle dropped", drop_entry, ATLS_E_CERTIFICATE_CHAIN, "document.payload.cabundle[2].issuer"},
    {"one byte more", append_byte, ATLS_E_EVIDENCE_FORMAT, "document"},
    {"with the framing of a store", framed, ATLS_E_EVIDENCE_FORMAT, "document"},
};

static void test_negative(void **state)
{
    const struct negative *n = *state;
    scene s;
    load(&s, case_named("production"));
    n->change(&s);
    scene_run(&s, "{\"type\":\"nitro\"}");
    scene_expect(&s, n->code, n->field);
    scene_close(&s);
}

/* The default is never the time of the document; who asks for it sees it in the result. */
static void test_historic(void **state)
{
    scene s;
    (void)state;
    load(&s, case_named("production"));
    assert_true(atls_time_parse(atls_bytes_str("2030-01-01T00:00:00Z"), &s.now));
    scene_run(&s, "{\"type\":\"nitro\"}");
    scene_expect(&s, ATLS_E_EXPIRED, "document.payload.cabundle[1].not_after");
    scene_run(&s, "{\"type\":\"nitro\",\"insecure_historic\":true}");
    scene_expect(&s, ATLS_OK, NULL);
    assert_true(s.result.claims.nitro.historic && s.result.insecure);
    assert_int_equal(s.result.claims.nitro.verified, 1766668537);
    assert_int_equal(scene_check(&s, "nitro.age")->verdict, ATLS_CHECK_SKIPPED);
    assert_int_equal(scene_check(&s, "policy.insecure_historic")->verdict, ATLS_CHECK_SKIPPED);
    scene_close(&s);
}

/* ---- the root ---- */

static void test_root(void **state)
{
    scene s;
    atls_bytes pem;
    atls_bytes der;
    size_t n;
    atls_crypto *crypto;
    atls_cert root;
    atls_key *key;
    const atls_anchor *anchor;
    (void)state;
    scene_open(&s);
    pem = file(&s, atls_bytes_str("aws_nitro_root_g1.pem"));
    assert_true(atls_crypto_new(&crypto, &s.err));
    assert_true(atls_pem_certificates(pem, false, ATLS_E_CERTIFICATE_CHAIN, "root", &s.arena, &der, 1, &n, &s.err));
    assert_true(atls_cert_decode(der, "root", &root, &s.err));
    const atls_anchor *pinned = atls_anchors_nitro(&n);
    assert_true(atls_anchor_find(crypto, pinned, n, &root, &anchor, &s.err));
    assert_true(anchor == &pinned[0] && anchor->production);
    assert_true(atls_key_open(crypto, &root.key, ATLS_E_CERTIFICATE_CHAIN, "root", &key, &s.err));
    assert_true(
        atls_verify_der(crypto, key, ATLS_SHA384, root.tbs, root.signature, ATLS_E_CERTIFICATE_CHAIN, "root", &s.err));
    atls_key_close(key);
    atls_crypto_free(crypto);
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    atls_arena arena;
    atls_error err = {0};
    atls_bytes text;
    if (!atls_arena_new(&arena, (size_t)4 * 1024 * 1024, &err)) {
        return 1;
    }
    if (!vectors_read(DIR "manifest.json", &arena, &text)) {
        tap_add(&tests, "vectors are absent", vectors_absent, NULL);
        return tap_run("nitro_vectors", &tests);
    }
    if (!atls_json_parse(text, "manifest", &arena, &manifest, &err)) {
        return 1;
    }
    for (const atls_json *c = atls_json_find(manifest, "cases")->child; c != NULL; c = c->next) {
        const char *name = atls_text_copy(atls_json_find(c, "name")->text, &arena, &err);
        tap_add(&tests, name, test_case, c);
        tap_add(&tests, "  its parent instance and region", test_instance, c);
    }
    for (size_t i = 0; i < sizeof negatives / sizeof negatives[0]; i++) {
        tap_add(&tests, negatives[i].name, test_negative, &negatives[i]);
    }
    tap_add(&tests, "stored documents are judged at their own time only where a policy says so", test_historic, NULL);
    tap_add(&tests, "the pinned root is the one of the vectors, and signs itself", test_root, NULL);
    const int failed = tap_run("nitro_vectors", &tests);
    atls_arena_free(&arena);
    return failed;
}
