/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_certificates.c: shows certificates, unverified, and what attestation formats they carry.
 *
 * A file of certificates is shown as far as it can be read (outline.h), because odd certificates are those one wants to
 * look at; the chains of a collateral bundle must be what they claim, as everything else in it. */
#include "base/limits.h"
#include "base/text.h"
#include "evidence/dcap/dcap.h"
#include "inspect.h"
#include "pki/cert.h"
#include "recognise.h"

#define FIRST_BYTES 16u /* of an extension's value */

static void put_bytes(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

/* ---- the SGX extension of a PCK certificate ---- */

static bool put_sgx_extension(inspection *i, const atls_cert *cert)
{
    static const uint8_t oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01}; /* 1.2.840.113741.1.13.1 */
    dcap_pck pck;
    if (atls_cert_extension(cert, atls_bytes_of(oid, sizeof oid)) == NULL) {
        return true;
    }
    if (!dcap_pck_decode(cert, &pck, i->err)) {
        return false;
    }
    atls_jw_open(&i->w, "sgx_extension", '{');
    dcap_put_extension(&i->w, &pck);
    atls_jw_close(&i->w, '}');
    return true;
}

/* ---- what identifies a certificate ---- */

static const char *key_name(atls_key_kind kind)
{
    switch (kind) {
    case ATLS_KEY_P256:
        return "P-256";
    case ATLS_KEY_P384:
        return "P-384";
    case ATLS_KEY_RSA:
        return "RSA";
    case ATLS_KEY_UNKNOWN:
        break;
    }
    return "unknown";
}

/* A name that cannot be read is null; the certificate's problem says why. */
static bool put_name(inspection *i, const char *name, atls_bytes der)
{
    atls_error why = {.code = ATLS_OK};
    const char *text = atls_name_text(der, i->arena, &why);
    if (text == NULL && why.code == ATLS_E_MEMORY) {
        *i->err = why;
        return false;
    }
    if (text == NULL) {
        atls_jw_null(&i->w, name);
    } else {
        atls_jw_str(&i->w, name, text);
    }
    return true;
}

/* X.690 8.3: a sign byte is no part of the number */
static atls_bytes serial_number(atls_bytes content)
{
    const bool signed_zero = content.len > 1 && content.ptr[0] == 0;
    return signed_zero ? atls_bytes_of(content.ptr + 1, content.len - 1) : content;
}

/* The writer takes the first second of 1970 for "no time"; here it is a date like any other. */
static void put_date(atls_jw *w, const char *name, bool there, atls_time t)
{
    if (there && t == ATLS_TIME_UNSET) {
        atls_jw_str(w, name, "1970-01-01T00:00:00Z");
    } else {
        atls_jw_time(w, name, there ? t : ATLS_TIME_UNSET);
    }
}

static bool put_identity(inspection *i, const atls_cert_outline *c)
{
    atls_jw *w = &i->w;
    uint8_t sha256[32];
    if (!put_name(i, "subject", c->subject) || !put_name(i, "issuer", c->issuer)
        || !atls_digest(i->crypto, ATLS_SHA256, &c->der, 1, sha256, i->err)) {
        return false;
    }
    atls_jw_hex(w, "serial", serial_number(c->serial));
    put_date(w, "not_before", c->has_not_before, c->not_before);
    put_date(w, "not_after", c->has_not_after, c->not_after);
    atls_jw_str(w, "key", key_name(c->key));
    if (c->key == ATLS_KEY_UNKNOWN && c->key_algorithm.len > 0) {
        const char *oid = atls_oid_text(c->key_algorithm, i->arena, i->err);
        if (oid == NULL) {
            return false;
        }
        atls_jw_str(w, "key_algorithm", oid);
    }
    atls_jw_bool(w, "ca", c->is_ca);
    put_bytes(w, "sha256", sha256, sizeof sha256);
    return true;
}

/* ---- extensions, and what is recognised in them ---- */

static void put_text_or_null(atls_jw *w, const char *name, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        atls_jw_null(w, name);
    } else {
        atls_jw_str(w, name, text);
    }
}

static void put_extensions(atls_jw *w, const atls_recognition *r)
{
    atls_jw_open(w, "extensions", '[');
    for (size_t k = 0; k < r->n_extensions; k++) {
        const atls_recognised_extension *e = &r->extensions[k];
        const size_t len = e->raw.value.len;
        atls_jw_open(w, NULL, '{');
        atls_jw_str(w, "oid", e->oid);
        put_text_or_null(w, "name", e->name);
        atls_jw_bool(w, "critical", e->raw.critical);
        atls_jw_uint(w, "length", len);
        put_bytes(w, "first_bytes", e->raw.value.ptr, len < FIRST_BYTES ? len : FIRST_BYTES);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
}

static bool put_format(inspection *i, const atls_recognised *f)
{
    atls_jw *w = &i->w;
    atls_jw_open(w, NULL, '{');
    atls_jw_str(w, "status", ATLS_RECOGNISED_STATUS);
    atls_jw_str(w, "format", f->format);
    put_text_or_null(w, "oid", f->oid);
    atls_jw_str(w, "recognised_by", f->by_shape ? "shape" : "oid");
    atls_jw_bool(w, "evidence", f->is_evidence);
    put_text_or_null(w, "inside", f->inside);
    if (f->is_evidence) {
        atls_jw_str(w, "grade_at_best", atls_grade_name(f->best_grade));
        atls_jw_bool(w, "enough_by_default",
                     false); /* a session asks for `exporter` unless the policy says otherwise */
        put_text_or_null(w, "session_profile", f->session_profile);
    }
    put_text_or_null(w, "note", f->note);
    put_text_or_null(w, "problem", f->problem);
    const bool ok = f->quote.len == 0 || atls_inspect_nested_quote(i, "quote", f->quote);
    atls_jw_close(w, '}');
    return ok;
}

static bool put_formats(inspection *i, const atls_recognition *r)
{
    atls_jw_open(&i->w, "recognised", '[');
    for (size_t k = 0; k < r->n_formats; k++) {
        if (!put_format(i, &r->formats[k])) {
            return false;
        }
    }
    atls_jw_close(&i->w, ']');
    if (r->n_evidence > 1) {
        atls_jw_str(&i->w, "ambiguous", ATLS_RECOGNISED_TWO);
    }
    return true;
}

/* ---- a certificate of a file ---- */

/* The extension is one more field of somebody's certificate here: what is wrong with it is a line, not an end. */
static bool put_pck_of(inspection *i, atls_bytes der)
{
    atls_error why = {.code = ATLS_OK};
    atls_cert *cert = atls_arena_alloc(i->arena, sizeof *cert, i->err);
    if (cert == NULL) {
        return false;
    }
    if (!atls_cert_decode(der, "certificate", cert, &why)) {
        return true;
    }
    atls_error *kept = i->err;
    i->err = &why;
    const bool ok = put_sgx_extension(i, cert);
    i->err = kept;
    if (!ok) {
        atls_jw_null(&i->w, "sgx_extension");
        atls_jw_str(&i->w, "sgx_extension_problem", why.message);
    }
    return true;
}

static bool put_certificate(inspection *i, atls_bytes der)
{
    atls_recognition r;
    if (!atls_recognise_certificate(der, i->arena, &r, i->err)) {
        return false;
    }
    atls_jw_open(&i->w, NULL, '{');
    if (!put_identity(i, r.outline)) {
        return false;
    }
    if (r.problem[0] != '\0') {
        atls_jw_str(&i->w, "problem", r.problem);
    }
    if (!put_pck_of(i, der)) {
        return false;
    }
    put_extensions(&i->w, &r);
    const bool ok = put_formats(i, &r);
    atls_jw_close(&i->w, '}');
    return ok;
}

/* ---- a certificate of collateral ---- */

static bool put_collateral_certificate(inspection *i, atls_bytes der)
{
    atls_cert_outline *outline = atls_arena_alloc(i->arena, sizeof *outline, i->err);
    atls_cert *cert = atls_arena_alloc(i->arena, sizeof *cert, i->err);
    if (outline == NULL || cert == NULL || !atls_cert_decode(der, "certificate", cert, i->err)
        || !atls_cert_outline_read(der, outline, i->err)) {
        return false;
    }
    atls_jw_open(&i->w, NULL, '{');
    const bool ok = put_identity(i, outline) && put_sgx_extension(i, cert);
    atls_jw_close(&i->w, '}');
    return ok;
}

static bool put_chain(inspection *i, const char *name, atls_bytes pem, bool (*put)(inspection *i, atls_bytes der))
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!atls_pem_certificates(pem, true, ATLS_E_COLLATERAL_FORMAT, name, i->arena, ders, ATLS_MAX_PEM_CERTS, &n,
                               i->err)) {
        return false;
    }
    atls_jw_open(&i->w, name, '[');
    for (size_t k = 0; k < n; k++) {
        if (!put(i, ders[k])) {
            return false;
        }
    }
    atls_jw_close(&i->w, ']');
    return true;
}

bool atls_inspect_chain(inspection *i, const char *name, atls_bytes pem)
{
    return put_chain(i, name, pem, put_collateral_certificate);
}

/* ---- files ---- */

bool atls_inspect_pem_certificates(inspection *i)
{
    return put_chain(i, "certificates", i->file, put_certificate);
}

bool atls_inspect_der_certificate(inspection *i)
{
    atls_jw_open(&i->w, "certificates", '[');
    const bool ok = put_certificate(i, i->file);
    atls_jw_close(&i->w, ']');
    return ok;
}

bool atls_inspect_blob(inspection *i)
{
    atls_recognised r;
    bool found;
    if (!atls_recognise_blob(i->file, i->arena, &r, &found, i->err)) {
        return false;
    }
    atls_jw_uint(&i->w, "length", i->file.len);
    atls_jw_open(&i->w, "recognised", '[');
    const bool ok = !found || put_format(i, &r);
    atls_jw_close(&i->w, ']');
    return ok;
}
