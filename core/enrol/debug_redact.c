/* SPDX-License-Identifier: Apache-2.0 */
/* debug_redact.c: a debug statement without what names a person's device: serial number, IMEI, MEID, second IMEI (tags 713, 714,
 * 715, 723) and uniqueId, in every certificate. The bytes become zeros, so that everything else stays where it was, and the
 * signature over them fails. Request and recording hold the same certificates: they are left out, and so is every member that
 * nobody here knows. What cannot be read well enough to find these values is zeroed whole. */
#include <string.h>

#include "base/der.h"
#include "debug.h"
#include "message.h"
#include "pki/cert.h"

static const uint8_t key_description[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x11};

#define UNIQUE_ID 5u /* the field of KeyDescription, from 0; the two lists follow at 6 and 7 */

/* A copy that zeros are written into, at the places of slices of the original. */
typedef struct copy {
    atls_bytes original;
    uint8_t *bytes;
} copy;

static void blank(const copy *c, atls_bytes slice)
{
    const uintptr_t at = (uintptr_t)slice.ptr - (uintptr_t)c->original.ptr;
    if (at <= c->original.len && slice.len <= c->original.len - at) {
        memset(c->bytes + at, 0, slice.len);
    }
}

/* By number alone: what stands there in another class, or without "constructed", is no less somebody's. */
static bool is_personal(atls_der_tag tag)
{
    const atls_der_tag number = tag & 0x1fffffffu; /* low ones are a byte, and far below these */
    return number == 713 || number == 714 || number == 715 || number == 723;
}

static bool blank_list(const copy *c, atls_bytes list)
{
    atls_error unused = {0};
    atls_cur cur;
    atls_cur_init(&cur, list, "", &unused);
    while (cur.rest.len > 0) {
        atls_der_tag tag;
        atls_bytes content;
        if (!atls_der_any(&cur, "", &tag, &content, NULL)) {
            return false;
        }
        if (is_personal(tag)) {
            blank(c, content);
        }
    }
    return true;
}

static bool blank_description(const copy *c, atls_bytes value)
{
    atls_error unused = {0};
    atls_cur cur;
    atls_cur fields;
    atls_cur_init(&cur, value, "", &unused);
    if (!atls_der_nested(&cur, "", ATLS_DER_SEQUENCE, &fields) || cur.rest.len > 0) {
        return false;
    }
    for (size_t i = 0; i <= UNIQUE_ID + 2; i++) {
        atls_der_tag tag;
        atls_bytes content;
        if (!atls_der_any(&fields, "", &tag, &content, NULL)
            || tag
                   != (i < UNIQUE_ID    ? tag
                       : i == UNIQUE_ID ? ATLS_DER_OCTET_STRING
                                        : ATLS_DER_SEQUENCE)) {
            return false;
        }
        if (i == UNIQUE_ID) {
            blank(c, content);
        }
        if (i > UNIQUE_ID && !blank_list(c, content)) {
            return false;
        }
    }
    return fields.rest.len == 0;
}

static bool redact_certificate(atls_bytes der, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_error unused = {0};
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    const copy c = {.original = der, .bytes = atls_arena_raw(arena, der.len, err)};
    if (cert == NULL || c.bytes == NULL) {
        return false;
    }
    memcpy(c.bytes, der.ptr, der.len);
    *out = atls_bytes_of(c.bytes, der.len);
    if (!atls_cert_decode_of_phone(der, "", cert, &unused)) {
        memset(c.bytes, 0, der.len);
        return true;
    }
    const atls_bytes oid = atls_bytes_of(key_description, sizeof key_description);
    const atls_extension *found = atls_cert_extension(cert, oid);
    if (found != NULL && !blank_description(&c, found->value)) {
        blank(&c, found->value);
    }
    return true;
}

/* ---- the statement ---- */

/* What begins like a certificate is one of a phone's; Apple's elements are CBOR, and hold nothing of the kind. */
static bool put_element(atls_jw *w, atls_bytes element, atls_arena *arena, atls_error *err)
{
    if (element.len > 0 && element.ptr[0] == ATLS_DER_SEQUENCE && !redact_certificate(element, arena, &element, err)) {
        return false;
    }
    atls_enrol_jw_binary(w, NULL, element);
    return true;
}

static bool put_certificates(atls_jw *w, const char *name, const atls_bytes *ders, size_t n, atls_arena *arena,
                             atls_error *err)
{
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < n; i++) {
        atls_bytes redacted;
        if (!redact_certificate(ders[i], arena, &redacted, err)) {
            return false;
        }
        atls_enrol_jw_binary(w, NULL, redacted);
    }
    atls_jw_close(w, ']');
    return true;
}

/* Its two members, and nothing that stands beside them. */
static bool put_apple(atls_jw *w, const char *name, const atls_enrol_statement *statement, atls_arena *arena,
                      atls_error *err)
{
    atls_bytes json;
    if (!atls_enrol_statement_write(statement, arena, &json, err)) {
        return false;
    }
    atls_jw_raw(w, name, json);
    return true;
}

static bool put_key_attestation(atls_jw *w, const atls_enrol_debug_statement *s, atls_arena *arena, atls_error *err)
{
    static const char name[] = "keyAttestation";
    atls_error why = {0};
    atls_enrol_statement statement;
    if (s->key_attestation == NULL || !atls_enrol_statement_read(s->key_attestation->raw, arena, &statement, &why)) {
        atls_jw_null(w, name);
        return why.code != ATLS_E_MEMORY || atls_fail(err, why.code, why.field, NULL);
    }
    if (statement.kind != ATLS_ENROL_ANDROID_KEY) {
        return put_apple(w, name, &statement, arena, err);
    }
    atls_jw_open(w, name, '{');
    atls_jw_str(w, "typ", "android-key");
    if (!put_certificates(w, "x5c", statement.x5c, statement.n_x5c, arena, err)) {
        return false;
    }
    atls_jw_close(w, '}');
    return true;
}

/* One or two elements are Apple's, or a chain that is too short. */
static bool put_proof(atls_jw *w, const atls_enrol_debug_statement *s, atls_arena *arena, atls_error *err)
{
    static const char name[] = "genericAttestationProof";
    if (!s->has_proof) {
        atls_jw_null(w, name);
        return true;
    }
    if (s->n_proof > 2) {
        return put_certificates(w, name, s->proof, s->n_proof, arena, err);
    }
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < s->n_proof; i++) {
        if (!put_element(w, s->proof[i], arena, err)) {
            return false;
        }
    }
    atls_jw_close(w, ']');
    return true;
}

static void put_as_is(atls_jw *w, const atls_json *object, const char *name)
{
    const atls_json *v = atls_json_find(object, name);
    if (v == NULL) {
        atls_jw_null(w, name);
    } else {
        atls_jw_raw(w, name, v->raw);
    }
}

static void put_own(atls_jw *w, const atls_enrol_debug_statement *s)
{
    const atls_json *own = atls_json_find(s->tree, "atls");
    atls_jw_open(w, "atls", '{');
    atls_jw_uint(w, "version", ATLS_ENROL_DEBUG_VERSION);
    put_as_is(w, own, "library");
    atls_jw_bool(w, "redacted", true);
    put_as_is(w, own, "proof_oid");
    atls_jw_null(w, "csr");
    atls_jw_null(w, "record");
    put_as_is(w, own, "status_list");
    put_as_is(w, own, "verdict");
    atls_jw_close(w, '}');
}

bool atls_enrol_record_redact(atls_bytes statement, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_enrol_debug_statement s;
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    if (!atls_enrol_debug_read(statement, arena, &s, err)) {
        return false;
    }
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    put_as_is(&w, s.tree, "method");
    put_as_is(&w, s.tree, "androidAttestationConfiguration");
    put_as_is(&w, s.tree, "iosAttestationConfiguration");
    if (!put_proof(&w, &s, arena, err) || !put_key_attestation(&w, &s, arena, err)) {
        return false;
    }
    put_as_is(&w, s.tree, "challenge");
    put_as_is(&w, s.tree, "clientData");
    put_as_is(&w, s.tree, "verificationTime");
    put_as_is(&w, s.tree, "verificationTimeOffset");
    put_own(&w, &s);
    atls_jw_close(&w, '}');
    return atls_buf_done(&b, out);
}
