/* SPDX-License-Identifier: Apache-2.0 */
/* steps_scene.c: see steps_scene.h. Requests are written here by hand and signed with OpenSSL, so that they can be wrong. */
#include "steps_scene.h"

#include "base/text.h"
#include "issued.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define ARENA ((size_t)8 * 1024 * 1024)

void scene_must(bool ok, const atls_error *err, const char *what)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s: %s", what, line);
    }
}

/* ---- DER ---- */

atls_bytes scene_der(atls_arena *a, uint8_t tag, const atls_bytes *parts, size_t n)
{
    atls_error err = {0};
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        len += parts[i].len;
    }
    const size_t n_len = len < 0x80 ? 1 : len < 0x100 ? 2 : len < 0x10000 ? 3 : 4;
    uint8_t *p = atls_arena_raw(a, 1 + n_len + len, &err);
    assert_non_null(p);
    p[0] = tag;
    p[1] = (uint8_t)(n_len == 1 ? len : 0x80 + n_len - 1);
    for (size_t i = 1; i < n_len; i++) {
        p[1 + i] = (uint8_t)(len >> 8 * (n_len - 1 - i));
    }
    size_t at = 1 + n_len;
    for (size_t i = 0; i < n; i++) {
        memcpy(p + at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    return atls_bytes_of(p, at);
}

static atls_bytes one(atls_arena *a, uint8_t tag, atls_bytes content)
{
    return scene_der(a, tag, &content, 1);
}

static atls_bytes two(atls_arena *a, uint8_t tag, atls_bytes x, atls_bytes y)
{
    return scene_der(a, tag, (const atls_bytes[]){x, y}, 2);
}

static atls_bytes name_attribute(atls_arena *a, uint8_t arc, uint8_t type, atls_bytes value)
{
    const uint8_t oid[] = {0x55, 0x04, arc};
    return two(a, 0x30, one(a, 0x06, atls_bytes_of(oid, sizeof oid)), one(a, type, value));
}

static atls_bytes subject(scene *s, const scene_spec *spec)
{
    static const char upper[] = "0123456789ABCDEF";
    static const char lower[] = "0123456789abcdef";
    const char *digits = spec->lower_case ? lower : upper;
    char text[2 * sizeof s->nonce];
    atls_bytes attributes[4];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = digits[i % 2 == 0 ? s->nonce[i / 2] >> 4 : s->nonce[i / 2] & 15];
    }
    const size_t n = spec->n_nonces == 0 ? 1 : spec->n_nonces;
    for (size_t i = 0; i < n; i++) {
        attributes[i] = name_attribute(&s->arena, 5, spec->utf8_nonce ? 0x0c : 0x13,
                                       atls_bytes_of(text, sizeof text - (spec->odd_nonce ? 1 : 0) - 2 * i));
    }
    const atls_bytes cn = one(&s->arena, 0x31, name_attribute(&s->arena, 3, 0x0c, atls_bytes_str("a phone")));
    if (spec->no_nonce) {
        return one(&s->arena, 0x30, cn);
    }
    /* DER orders the members of a SET: shorter ones come first here */
    for (size_t i = 0; i < n / 2; i++) {
        const atls_bytes other = attributes[i];
        attributes[i] = attributes[n - 1 - i];
        attributes[n - 1 - i] = other;
    }
    return two(&s->arena, 0x30, cn, scene_der(&s->arena, 0x31, attributes, n));
}

static const uint8_t proof_oid[] = {0x06, 0x14, 0x69, 0x83, 0x91, 0x93, 0xdb, 0xc0, 0xc5, 0x8f, 0xb2,
                                    0xb1, 0xa1, 0x85, 0xbc, 0xb4, 0xba, 0xfa, 0x8a, 0xe0, 0x8e, 0x29};

static atls_bytes attributes(scene *s, const scene_spec *spec, atls_bytes text)
{
    static const uint8_t other_oid[] = {0x06, 0x03, 0x55, 0x1d, 0x0e};
    const atls_bytes oid = atls_bytes_of(proof_oid, sizeof proof_oid);
    const atls_bytes set = one(&s->arena, 0x31, spec->empty_proof ? atls_bytes_empty() : one(&s->arena, 0x0c, text));
    atls_bytes all[4];
    size_t n = 0;
    if (spec->other_first) {
        all[n++] = two(&s->arena, 0x30, atls_bytes_of(other_oid, sizeof other_oid),
                       one(&s->arena, 0x31, one(&s->arena, 0x0c, atls_bytes_str("{}"))));
    }
    for (unsigned i = 0; !spec->no_proof && i < (spec->n_proofs == 0 ? 1 : spec->n_proofs); i++) {
        all[n++] = two(&s->arena, 0x30, oid, set);
    }
    return scene_der(&s->arena, 0xa0, all, n);
}

/* ---- keys ---- */

static EVP_PKEY *load_key(atls_bytes der)
{
    const uint8_t *p = der.ptr;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
    assert_non_null(key);
    return key;
}

static EVP_PKEY *android_key(scene *s, const char *label)
{
    atls_bytes der;
    const sim_android_request request = {.challenge = atls_bytes_of(s->nonce, sizeof s->nonce), .key = label};
    scene_must(sim_android_private_key(s->phone, &request, &s->arena, &der, &s->err), &s->err, "key");
    return load_key(der);
}

static EVP_PKEY *apple_key(scene *s, bool is_other)
{
    static const uint8_t version[] = {0x02, 0x01, 0x01};
    static const uint8_t curve[] = {0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};
    static const uint8_t point[] = {0xa1, 0x44, 0x03, 0x42, 0x00};
    sim_apple_key key;
    scene_must(is_other ? sim_apple_attested_key(s->iphone, &key, &s->err)
                        : sim_apple_second_key(s->iphone, &key, &s->err),
               &s->err, "second key");
    const atls_bytes parts[] = {atls_bytes_of(version, sizeof version),
                                one(&s->arena, 0x04, atls_bytes_of(key.d, sizeof key.d)),
                                atls_bytes_of(curve, sizeof curve), atls_bytes_of(point, sizeof point),
                                atls_bytes_of(key.point, sizeof key.point)};
    return load_key(scene_der(&s->arena, 0x30, parts, 5));
}

static EVP_PKEY *key_of(scene *s, const scene_spec *spec, bool is_other)
{
    if (spec->is_apple) {
        return apple_key(s, is_other);
    }
    return android_key(s, is_other ? (spec->own_key == NULL ? "another" : spec->own_key) : NULL);
}

static atls_bytes spki_of(scene *s, EVP_PKEY *key)
{
    uint8_t *der = NULL;
    atls_bytes out;
    const int len = i2d_PUBKEY(key, &der);
    assert_true(len > 0);
    assert_true(atls_arena_copy(&s->arena, atls_bytes_of(der, (size_t)len), &out, &s->err));
    OPENSSL_free(der);
    return out;
}

static atls_bytes sign(scene *s, EVP_PKEY *key, atls_bytes data)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[160];
    size_t len = sizeof signature;
    atls_bytes out;
    assert_true(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1
                && EVP_DigestSign(ctx, signature, &len, data.ptr, data.len) == 1);
    EVP_MD_CTX_free(ctx);
    assert_true(atls_arena_copy(&s->arena, atls_bytes_of(signature, len), &out, &s->err));
    return out;
}

/* ---- the request ---- */

atls_bytes scene_statement(scene *s, const scene_spec *spec)
{
    uint8_t challenge[sizeof s->nonce];
    atls_bytes json;
    atls_enrol_statement statement = {.kind = ATLS_ENROL_ANDROID_KEY};
    memcpy(challenge, s->nonce, sizeof challenge);
    challenge[spec->challenge_at] ^= spec->other_challenge;
    const atls_bytes nonce = atls_bytes_of(challenge, sizeof challenge);
    if (spec->is_apple) {
        statement.kind = ATLS_ENROL_IOS_APPATTEST;
        scene_must(
            sim_apple_client_data(s->iphone, nonce, &s->arena, &statement.client_data, &s->err)
                && sim_apple_attestation(s->iphone, statement.client_data, &s->arena, &statement.attestation, &s->err),
            &s->err, "attestation");
    } else {
        const sim_android_request request = {.challenge = nonce};
        atls_bytes chain;
        scene_must(sim_android_chain(s->phone, &request, &s->arena, &chain, &s->err), &s->err, "chain");
        while (chain.len > 4) {
            const size_t len =
                4 + ((size_t)chain.ptr[2] << 8 | chain.ptr[3]); /* certificates have 256 bytes and more */
            statement.x5c[statement.n_x5c++] = atls_bytes_of(chain.ptr, len);
            chain = atls_bytes_of(chain.ptr + len, chain.len - len);
        }
    }
    scene_must(atls_enrol_statement_write(&statement, &s->arena, &json, &s->err), &s->err, "statement");
    return json;
}

static atls_bytes padded(scene *s, atls_bytes text, size_t len)
{
    uint8_t *p = atls_arena_raw(&s->arena, len, &s->err);
    assert_non_null(p);
    memset(p, ' ', len);
    memcpy(p, text.ptr, text.len);
    return atls_bytes_of(p, len);
}

atls_bytes scene_csr(scene *s, const scene_spec *spec)
{
    static const uint8_t version[] = {0x02, 0x01, 0x00};
    static const uint8_t ecdsa[] = {0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02};
    static const uint8_t ecdsa_sha1[] = {0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01};
    static const uint8_t no_unused_bits[] = {0};
    EVP_PKEY *key = key_of(s, spec, spec->own_key != NULL);
    EVP_PKEY *signer = key_of(s, spec, spec->own_key != NULL || spec->foreign_signer);
    atls_bytes text = spec->text != NULL ? atls_bytes_str(spec->text) : scene_statement(s, spec);
    if (spec->padded_len > text.len) {
        text = padded(s, text, spec->padded_len);
    }
    const atls_bytes spki = spec->spki != NULL ? atls_bytes_of(spec->spki, spec->spki_len) : spki_of(s, key);
    const atls_bytes tbs = scene_der(
        &s->arena, 0x30,
        (const atls_bytes[]){atls_bytes_of(version, sizeof version), subject(s, spec), spki, attributes(s, spec, text)},
        4);
    const atls_bytes algorithm =
        spec->sha1 ? atls_bytes_of(ecdsa_sha1, sizeof ecdsa_sha1) : atls_bytes_of(ecdsa, sizeof ecdsa);
    const atls_bytes signature = two(&s->arena, 0x03, atls_bytes_of(no_unused_bits, 1), sign(s, signer, tbs));
    EVP_PKEY_free(key);
    EVP_PKEY_free(signer);
    return scene_der(&s->arena, 0x30, (const atls_bytes[]){tbs, algorithm, signature}, 3);
}

/* ---- callbacks ---- */

static void note(scene *s, char what)
{
    const size_t n = strlen(s->log);
    assert_true(n + 1 < sizeof s->log);
    s->log[n] = what;
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    scene *s = ctx;
    (void)arena;
    assert_int_equal(request->platform, ATLS_PLATFORM_ANDROID);
    note(s, 'E');
    *out = s->endorsements;
    return !s->no_endorsements || atls_fail(err, ATLS_E_IO, "network", "there is none");
}

static bool consume(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err)
{
    scene *s = ctx;
    note(s, 'C');
    s->consumed = nonce;
    s->consumed_ms = now_ms;
    if (s->store_fails) {
        return atls_fail(err, s->store_lies ? ATLS_E_ANDROID_CHALLENGE : ATLS_E_ENROL_STORE, "store", "it is gone");
    }
    const bool is_known = atls_bytes_equal(nonce, atls_bytes_of(s->nonce, sizeof s->nonce));
    *out = !is_known       ? ATLS_CONSUMED_UNKNOWN
           : s->is_used    ? ATLS_CONSUMED_USED
           : s->is_expired ? ATLS_CONSUMED_EXPIRED
                           : ATLS_CONSUMED_FRESH;
    s->is_used = true;
    return true;
}

static bool issue(void *ctx, const atls_enrol_grant *grant, atls_arena *arena,
                  atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES], size_t *n, atls_error *err)
{
    scene *s = ctx;
    (void)arena;
    note(s, 'I');
    s->grant = *grant;
    s->issued_spki = grant->spki;
    s->issued_at = grant->result->time;
    memcpy(s->issued_list_sha256, grant->result->claims.android.status_sha256, sizeof s->issued_list_sha256);
    const atls_bytes key = s->issue_key != NULL ? atls_bytes_of(s->issue_key, s->issue_key_len) : grant->spki;
    s->issued = s->issue_text ? atls_bytes_str("a certificate") : issued_certificate(key, &s->arena);
    chain[0] = s->issued;
    chain[1] = atls_bytes_str("a root");
    *n = s->issue_nothing ? 0 : 2;
    return !s->issue_fails || atls_fail(err, ATLS_E_IO, "ca", "the CA is on holiday");
}

/* What a const pointer points at, written to all the same. */
static void scribble(const void *at, size_t len)
{
    union {
        const void *in;
        uint8_t *out;
    } p = {.in = at};
    memset(p.out, 0xff, len);
}

static bool failed(scene *s, char what, const atls_enrol_failure *failure, char *text, size_t size)
{
    note(s, what);
    s->failure = *failure;
    if (s->observer_text != NULL) {
        assert_true(strlen(s->observer_text) < size);
        memcpy(text, s->observer_text, strlen(s->observer_text));
    }
    if (s->observer_overruns) {
        memset(text, 'x', size);
    }
    if (s->observer_scribbles) {
        scribble(failure->error, sizeof *failure->error);
        if (failure->csr != NULL) {
            scribble(failure->csr, sizeof *failure->csr);
        }
    }
    return !s->observer_fails;
}

static bool pre_attestation_error(void *ctx, const atls_enrol_failure *failure, char *text, size_t size)
{
    return failed(ctx, 'P', failure, text, size);
}

static bool attestation_error(void *ctx, const atls_enrol_failure *failure, char *text, size_t size)
{
    return failed(ctx, 'A', failure, text, size);
}

static bool attestation_success(void *ctx, const atls_enrol_grant *grant, const atls_bytes *chain, size_t n)
{
    scene *s = ctx;
    note(s, 'S');
    assert_int_equal(n, 2);
    assert_true(atls_bytes_equal(grant->spki, s->issued_spki));
    if (s->observer_scribbles) {
        scribble(grant, sizeof *grant);
        scribble(chain, n * sizeof *chain);
    }
    return !s->observer_fails;
}

/* ---- the scene ---- */

static void open_phones(scene *s, const scene_spec *spec)
{
    const sim_android_options options = {.kind = spec->kind, .settings = spec->is_apple ? NULL : spec->settings};
    const sim_apple_options iphone = {.settings = spec->is_apple ? spec->settings : NULL};
    const sim_android_options other = {.kind = spec->kind, .settings = spec->policy};
    sim_android *author = NULL;
    atls_bytes android;
    atls_bytes apple;
    scene_must(sim_android_new(&options, &s->phone, &s->err) && sim_apple_new(&iphone, &s->iphone, &s->err), &s->err,
               "phones");
    if (spec->policy != NULL) {
        scene_must(sim_android_new(&other, &author, &s->err), &s->err, "author");
    }
    scene_must(sim_android_policy(author == NULL ? s->phone : author, &s->arena, &android, &s->err)
                   && sim_apple_policy(s->iphone, &s->arena, &apple, &s->err)
                   && atls_policy_parse(android, &s->android, &s->err) && atls_policy_parse(apple, &s->apple, &s->err)
                   && sim_android_endorse(s->phone, NULL, &s->arena, &s->endorsements, &s->err),
               &s->err, "policies");
    sim_android_free(author);
}

void scene_enroller(scene *s)
{
    atls_enroller_free(s->enroller);
    scene_must(atls_enroller_new(&s->options, &s->enroller, &s->err), &s->err, "enroller");
}

void scene_open(scene *s, const scene_spec *spec)
{
    memset(s, 0, sizeof *s);
    scene_must(atls_arena_new(&s->arena, ARENA, &s->err) && atls_arena_new(&s->work, ARENA, &s->err)
                   && atls_arena_new(&s->again, ARENA, &s->err),
               &s->err, "arena");
    for (size_t i = 0; i < sizeof s->nonce; i++) {
        s->nonce[i] = (uint8_t)(0xc0 + i);
    }
    open_phones(s, spec);
    s->options = (atls_enroller_options){
        .android = s->android, .apple = s->apple, .proof_oid = SCENE_PROOF_OID, .endorse = endorse, .endorse_ctx = s};
    scene_enroller(s);
    EVP_PKEY *key = key_of(s, spec, false);
    s->attested_spki = spki_of(s, key);
    EVP_PKEY_free(key);
    s->csr = scene_csr(s, spec);
    s->observers = (atls_enrol_observers){.ctx = s,
                                          .pre_attestation_error = pre_attestation_error,
                                          .attestation_error = attestation_error,
                                          .attestation_success = attestation_success};
    s->in = (atls_enrol_request){.now = spec->is_apple ? sim_apple_now(s->iphone) : sim_android_now(s->phone),
                                 .consume = consume,
                                 .consume_ctx = s,
                                 .issue = issue,
                                 .issue_ctx = s,
                                 .observers = &s->observers,
                                 .record = ATLS_RECORD_ALWAYS};
}

void scene_close(scene *s)
{
    atls_enroller_free(s->enroller);
    atls_policy_free(s->android);
    atls_policy_free(s->apple);
    sim_android_free(s->phone);
    sim_apple_free(s->iphone);
    atls_arena_free(&s->arena);
    atls_arena_free(&s->work);
    atls_arena_free(&s->again);
}

/* ---- again ---- */

static void replay(scene *s, atls_bytes record, bool is_redacted)
{
    atls_enrol_replay r;
    atls_error err = {0};
    scene_must(atls_enrol_replay_run(record, NULL, &s->again, &r, &err), &err, "replay");
    assert_string_equal(r.method, "SUPREME");
    assert_true(r.has_recorded);
    assert_int_equal(r.is_redacted, is_redacted);
    if (is_redacted) {
        assert_false(r.is_accepted || r.is_same);
        return;
    }
    if (!r.is_same) {
        fail_msg("recorded %.*s replayed %.*s", (int)r.recorded.len, (const char *)r.recorded.ptr, (int)r.replayed.len,
                 (const char *)r.replayed.ptr);
    }
    const bool is_accepted = s->out.is_success || s->out.step == ATLS_ENROL_STEP_ISSUE;
    assert_int_equal(r.is_accepted, is_accepted);
    assert_int_equal(r.error.code, is_accepted ? ATLS_OK : s->out.error.code);
    assert_string_equal(r.error.field, is_accepted ? "" : s->out.error.field);
    assert_string_equal(r.class_name, is_accepted ? "" : s->out.class_name);
    assert_string_equal(r.reason, is_accepted ? "" : s->out.reason);
}

static void replay_all(scene *s)
{
    atls_bytes compact = atls_bytes_empty();
    atls_bytes redacted = atls_bytes_empty();
    atls_error err = {0};
    assert_int_equal(s->out.record_error.code, ATLS_OK);
    replay(s, s->out.record, false);
    scene_must(atls_enrol_record_compact(s->out.record, &s->again, &compact, &err)
                   && atls_enrol_record_redact(s->out.record, &s->again, &redacted, &err),
               &err, "forms");
    assert_int_equal(compact.ptr[0], 'u');
    assert_null(memchr(compact.ptr, '\n', compact.len));
    replay(s, compact, false);
    replay(s, redacted, true);
    atls_arena_reset(&s->again);
}

void scene_run(scene *s)
{
    atls_error err = {0};
    atls_arena_reset(&s->work);
    memset(s->log, 0, sizeof s->log);
    s->in.csr = s->csr;
    scene_must(atls_enroller_run(s->enroller, &s->in, &s->work, &s->out, &err), &err, "run");
    assert_true(s->out.response.len > 0);
    if (s->in.record == ATLS_RECORD_ALWAYS && s->out.step >= ATLS_ENROL_STEP_APPRAISE) {
        assert_int_not_equal(s->out.record.len, 0);
        replay_all(s);
    } else if (s->out.step < ATLS_ENROL_STEP_APPRAISE) {
        assert_int_equal(s->out.record.len, 0);
    }
}

atls_enrol_response scene_response(scene *s)
{
    atls_enrol_response r;
    atls_error err = {0};
    scene_must(atls_enrol_response_read(s->out.response, &s->work, &r, &err), &err, "response");
    return r;
}

void scene_words(const scene *s, const char *words)
{
    static const char *const kinds[] = {"", " TRUST", " TIME", " CONTENT", " INTERNAL"};
    const atls_enrol_outcome *o = &s->out;
    char line[640];
    char actual[256];
    (void)atls_error_line(&o->error, line, sizeof line);
    (void)snprintf(actual, sizeof actual, "%s%s%s%s%s%s", atls_enrol_step_name(o->step),
                   o->class_name[0] == '\0' ? "" : " ", o->class_name, o->reason[0] == '\0' ? "" : " ", o->reason,
                   kinds[o->kind]);
    if (strcmp(words, actual) != 0) {
        fail_msg("must be %s, but is %s: %s", words, actual, line);
    }
    assert_int_equal(o->is_success, strcmp(words, "Success") == 0);
    assert_int_equal(o->error.code == ATLS_OK, o->is_success);
}

/* ---- debug statements ---- */

const atls_json *scene_json(atls_bytes json, atls_arena *a)
{
    const atls_json *tree = NULL;
    atls_error err = {0};
    scene_must(atls_json_parse(json, "debug", a, &tree, &err), &err, "json");
    return tree;
}

atls_bytes scene_change(scene *s, atls_bytes in, const char *member, const char *value)
{
    const atls_json *tree = scene_json(in, &s->again);
    const bool is_own = strncmp(member, "atls.", 5) == 0;
    const atls_json *object = is_own ? atls_json_find(tree, "atls") : tree;
    const char *name = is_own ? member + 5 : member;
    atls_buf b;
    atls_bytes out;
    bool is_first = true;
    atls_buf_init(&b, &s->again, &s->err);
    atls_buf_put(&b, atls_bytes_of(in.ptr, (size_t)(object->raw.ptr - in.ptr) + 1));
    for (const atls_json *m = object->child; m != NULL; m = m->next) {
        const bool is_it = atls_bytes_equal_str(m->name, name);
        if (is_it && value == NULL) {
            continue;
        }
        atls_buf_format(&b, "%s\"%.*s\":", is_first ? "" : ",", (int)m->name.len, (const char *)m->name.ptr);
        atls_buf_put(&b, is_it ? atls_bytes_str(value) : m->raw);
        is_first = false;
    }
    const uint8_t *end = object->raw.ptr + object->raw.len - 1;
    atls_buf_put(&b, atls_bytes_of(end, (size_t)(in.ptr + in.len - end)));
    assert_true(atls_buf_done(&b, &out));
    return out;
}
