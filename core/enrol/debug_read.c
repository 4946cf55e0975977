/* SPDX-License-Identifier: Apache-2.0 */
/* debug_read.c: a debug statement, ours or Warden's, taken apart. null and absence are the same; members that nobody here knows are
 * ignored, as Warden ignores ours; known ones of another type are refused. */
#include "base/text.h"
#include "debug.h"

const char *atls_enrol_method_name(atls_enrol_method method)
{
    static const char *const names[] = {"SUPREME", "LEGACY", "KEY_ATTESTATION_LEGACY", "KEY_ATTESTATION_LEGACY_RAW"};
    return (unsigned)method < ATLS_ENROL_N_METHODS ? names[method] : "";
}

typedef struct reader {
    const atls_json *object;
    const char *prefix; /* "debug", "debug.atls" */
    atls_arena *arena;
    atls_error *err;
} reader;

static bool wrong(const reader *r, const char *name, const char *expected, const atls_json *v)
{
    const char *field = atls_text_format(r->arena, r->err, "%s.%s", r->prefix, name);
    return field != NULL
           && atls_fail_values(r->err, ATLS_E_ENCODING, field, expected, atls_json_type_name(v),
                               "a member is not what it must be");
}

/* NULL: absent or null. */
static const atls_json *find(const reader *r, const char *name)
{
    const atls_json *v = atls_json_find(r->object, name);
    return v == NULL || v->type == ATLS_JSON_NULL ? NULL : v;
}

static bool get_object(const reader *r, const char *name, const atls_json **out)
{
    *out = find(r, name);
    return *out == NULL || (*out)->type == ATLS_JSON_OBJECT || wrong(r, name, "an object or null", *out);
}

static bool decode(const reader *r, const char *name, const atls_json *v, atls_bytes *out)
{
    atls_error why = {0};
    if (v->type == ATLS_JSON_STRING && atls_base64url_decode(v->text, "debug", r->arena, out, &why)) {
        return true;
    }
    return why.code == ATLS_E_MEMORY ? atls_fail(r->err, why.code, why.field, NULL) : wrong(r, name, "base64url", v);
}

static bool get_binary(const reader *r, const char *name, bool *has, atls_bytes *out)
{
    const atls_json *v = find(r, name);
    *out = atls_bytes_empty();
    *has = v != NULL;
    return v == NULL || decode(r, name, v, out);
}

static bool get_text(const reader *r, const char *name, atls_bytes *out)
{
    const atls_json *v = find(r, name);
    *out = v == NULL ? atls_bytes_empty() : v->text;
    return v == NULL || v->type == ATLS_JSON_STRING || wrong(r, name, "a text or null", v);
}

static bool get_flag(const reader *r, const char *name, bool *out)
{
    const atls_json *v = find(r, name);
    *out = v != NULL && v->type == ATLS_JSON_TRUE;
    return v == NULL || v->type == ATLS_JSON_TRUE || v->type == ATLS_JSON_FALSE || wrong(r, name, "true or false", v);
}

/* ---- Warden's members ---- */

static bool get_method(const reader *r, atls_enrol_method *out)
{
    const atls_json *v = find(r, "method");
    if (v == NULL || v->type != ATLS_JSON_STRING) {
        return wrong(r, "method", "a text", v);
    }
    for (unsigned i = 0; i < ATLS_ENROL_N_METHODS; i++) {
        if (atls_bytes_equal_str(v->text, atls_enrol_method_name((atls_enrol_method)i))) {
            *out = (atls_enrol_method)i;
            return true;
        }
    }
    return atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, "debug.method", NULL, NULL,
                                 "a method that is not known: SUPREME, LEGACY, KEY_ATTESTATION_LEGACY and "
                                 "KEY_ATTESTATION_LEGACY_RAW are");
}

static bool get_proof(const reader *r, atls_enrol_debug_statement *out)
{
    static const char name[] = "genericAttestationProof";
    const atls_json *v = find(r, name);
    out->has_proof = v != NULL;
    if (v == NULL) {
        return true;
    }
    if (v->type != ATLS_JSON_ARRAY || v->n > ATLS_ENROL_MAX_CERTIFICATES) {
        return wrong(r, name, "an array of at most 16 values", v);
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        if (!decode(r, name, item, &out->proof[out->n_proof])) {
            return false;
        }
        out->n_proof++;
    }
    return true;
}

/* The instant that was used, in milliseconds, and what is added to it. */
static bool get_time(const reader *r, atls_enrol_debug_statement *out)
{
    atls_error unused = {0};
    uint64_t ms = 0;
    const atls_json *v = find(r, "verificationTime");
    const atls_json *offset = find(r, "verificationTimeOffset");
    if (v == NULL || !atls_json_uint(v, "", (uint64_t)INT64_MAX / 2, &ms, &unused) || ms < 1000) {
        return wrong(r, "verificationTime", "milliseconds since 1970", v);
    }
    out->now = (atls_time)(ms / 1000);
    out->now_ms = (uint32_t)(ms % 1000);
    return offset == NULL
           || (offset->type == ATLS_JSON_STRING && atls_enrol_debug_duration_read(offset->text, &out->offset_s))
           || wrong(r, "verificationTimeOffset", "a duration in whole seconds, PT12H45M", offset);
}

/* NULL: null, or what is written when the platform is not configured. */
static bool get_configuration(const reader *r, const char *name, const char *none, const atls_json **out)
{
    atls_bytes text;
    if (!get_object(r, name, out)) {
        return false;
    }
    if (*out != NULL && !atls_enrol_debug_minify((*out)->raw, r->arena, &text, r->err)) {
        return false;
    }
    if (*out != NULL && atls_bytes_equal_str(text, none)) {
        *out = NULL;
    }
    return true;
}

static bool read_members(const reader *r, atls_enrol_debug_statement *out)
{
    return get_method(r, &out->method)
           && get_configuration(r, "androidAttestationConfiguration", ATLS_ENROL_DEBUG_NO_ANDROID, &out->android)
           && get_configuration(r, "iosAttestationConfiguration", ATLS_ENROL_DEBUG_NO_APPLE, &out->apple)
           && get_proof(r, out) && get_object(r, "keyAttestation", &out->key_attestation)
           && get_binary(r, "challenge", &out->has_challenge, &out->challenge)
           && get_binary(r, "clientData", &out->has_client_data, &out->client_data) && get_time(r, out);
}

/* ---- ours ---- */

static bool get_version(const reader *r)
{
    atls_error unused = {0};
    uint64_t version = 0;
    const atls_json *v = find(r, "version");
    if (v != NULL && atls_json_uint(v, "", UINT32_MAX, &version, &unused) && version == ATLS_ENROL_DEBUG_VERSION) {
        return true;
    }
    return atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, "debug.atls.version", "1", NULL,
                                 "written by another version of atls");
}

static bool read_own(const reader *r, atls_enrol_debug_statement *out)
{
    const atls_json *verdict = NULL;
    if (!get_version(r) || !get_flag(r, "redacted", &out->is_redacted) || !get_text(r, "proof_oid", &out->proof_oid)
        || !get_binary(r, "csr", &out->has_csr, &out->csr) || !get_binary(r, "record", &out->has_record, &out->record)
        || !get_object(r, "status_list", &out->status_list) || !get_object(r, "verdict", &verdict)) {
        return false;
    }
    out->is_ours = true;
    out->has_verdict = verdict != NULL;
    return verdict == NULL || atls_enrol_debug_minify(verdict->raw, r->arena, &out->verdict, r->err);
}

bool atls_enrol_debug_read(atls_bytes in, atls_arena *arena, atls_enrol_debug_statement *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    const atls_json *own = NULL;
    atls_bytes json;
    reader r = {.prefix = "debug", .arena = arena, .err = err};
    *out = (atls_enrol_debug_statement){
        .challenge = none, .client_data = none, .csr = none, .proof_oid = none, .record = none, .verdict = none};
    if (!atls_enrol_debug_open(in, arena, &json, err) || !atls_json_parse(json, "debug", arena, &out->tree, err)) {
        return false;
    }
    r.object = out->tree;
    if (out->tree->type != ATLS_JSON_OBJECT) {
        return atls_fail(err, ATLS_E_ENCODING, "debug", "a debug statement is an object");
    }
    if (!read_members(&r, out) || !get_object(&r, "atls", &own)) {
        return false;
    }
    r.object = own;
    r.prefix = "debug.atls";
    return own == NULL || read_own(&r, out);
}
