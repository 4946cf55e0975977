/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: bytes to a document: sections 1 and 2 of the specification.
 *
 * The envelope is strict: definite lengths, shortest heads, everything consumed. The payload's maps and arrays may be of
 * either length form, because the devices in the field write an open map. */
#include <stdio.h>

#include "base/cbor_open.h"
#include "base/cbor_write.h"
#include "nitro.h"

#define COSE_SIGN1_TAG       18u
#define COSE_ALG             1
#define COSE_CRIT            2
#define COSE_ES384           (-35)
#define MAX_PROTECTED_LABELS 16u

static bool wrong(const atls_cur *c, const char *field, const char *expected, const char *actual, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, actual, message);
    return false;
}

/* ---- the protected header ---- */

static bool read_algorithm(atls_cur *c, atls_error *err)
{
    char actual[32];
    int64_t algorithm = 0;
    atls_error why = {0};
    atls_cur look = *c;
    look.err = &why;
    if (atls_cbor_int(&look, "protected.alg", &algorithm) && algorithm == COSE_ES384) {
        *c = look;
        c->err = err;
        return true;
    }
    snprintf(actual, sizeof actual, "%lld", (long long)algorithm);
    return atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "protected.alg", "-35 (ES384)",
                                 why.code == ATLS_OK ? actual : "not an integer",
                                 "the document is signed with another algorithm");
}

/* Whoever lists a label as critical wants it understood; the algorithm is all that is understood here. */
static bool read_critical(atls_cur *c)
{
    uint64_t n;
    int64_t label = 0;
    if (!atls_cbor_array(c, "protected.crit", MAX_PROTECTED_LABELS, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!atls_cbor_int(c, "protected.crit", &label)) {
            return false;
        }
        if (label != COSE_ALG) {
            return wrong(c, "protected.crit", "1", "another label", "a critical header that is not understood");
        }
    }
    return n > 0 || wrong(c, "protected.crit", "at least one label", "none", "an empty list of critical headers");
}

typedef struct labels {
    atls_bytes seen[MAX_PROTECTED_LABELS];
    size_t n;
} labels;

/* A label, an integer or a text, that has not come before. */
static bool read_label(atls_cur *c, labels *l, int64_t *number)
{
    atls_cur look = *c;
    atls_cbor_item item;
    if (!atls_cbor_head(&look, "protected", &item) || !atls_cbor_skip(c, "protected", false, &l->seen[l->n])) {
        return false;
    }
    const bool is_small = item.type == ATLS_CBOR_UINT && item.n <= INT32_MAX;
    *number = is_small ? (int64_t)item.n : -1; /* no other label means anything here */
    if (item.type != ATLS_CBOR_UINT && item.type != ATLS_CBOR_NEGATIVE && item.type != ATLS_CBOR_TEXT) {
        return wrong(c, "protected", "integer or text string", "something else", "a header's label is neither");
    }
    for (size_t i = 0; i < l->n; i++) {
        if (atls_bytes_equal(l->seen[i], l->seen[l->n])) {
            return wrong(c, "protected", NULL, NULL, "a header stands twice");
        }
    }
    l->n++;
    return true;
}

static bool read_header(atls_cur *c, labels *l, bool *has_algorithm, atls_error *err)
{
    int64_t label;
    if (!read_label(c, l, &label)) {
        return false;
    }
    if (label == COSE_ALG) {
        *has_algorithm = true;
        return read_algorithm(c, err);
    }
    return label == COSE_CRIT ? read_critical(c) : atls_cbor_skip_open(c, "protected", NITRO_MAX_DEPTH, NULL);
}

static bool read_protected(atls_bytes header, atls_error *err)
{
    atls_cur c;
    labels l = {.n = 0};
    uint64_t n;
    bool has_algorithm = false;
    atls_cur_init(&c, header, "", err);
    if (!atls_cbor_map(&c, "protected", MAX_PROTECTED_LABELS, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!read_header(&c, &l, &has_algorithm, err)) {
            return false;
        }
    }
    if (c.rest.len > 0) {
        return atls_cur_fail(&c, ATLS_E_TRAILING, "protected", NULL, NULL, "bytes after the protected header");
    }
    return has_algorithm || wrong(&c, "protected.alg", "-35 (ES384)", "absent", "the document names no algorithm");
}

/* ---- the envelope ---- */

static bool read_tag(atls_cur *c, nitro_document *out)
{
    atls_cur look = *c;
    atls_error none = {0};
    atls_cbor_item item;
    look.err = &none;
    if (!atls_cbor_head(&look, "tag", &item) || item.type != ATLS_CBOR_TAG) {
        return true; /* what else it is shows where an array is wanted */
    }
    if (item.n != COSE_SIGN1_TAG) {
        return wrong(c, "tag", "18 (COSE_Sign1)", "another tag", "this is another kind of CBOR object");
    }
    out->is_tagged = true;
    return atls_cbor_head(c, "tag", &item);
}

static bool read_unprotected(atls_cur *c, nitro_document *out)
{
    atls_bytes whole;
    atls_cur look = *c;
    atls_cbor_group g;
    if (!atls_cbor_map_begin(&look, "unprotected", ATLS_CBOR_OPEN_PAIRS, &g)
        || !atls_cbor_skip_open(c, "unprotected", NITRO_MAX_DEPTH, &whole)) {
        return false;
    }
    out->unprotected_len = whole.len;
    return true;
}

static bool read_envelope(atls_cur *c, nitro_document *out)
{
    uint64_t n;
    if (!read_tag(c, out) || !atls_cbor_array(c, "", 4, &n)) {
        return false;
    }
    if (n != 4) {
        return wrong(c, "", "an array of 4", "fewer", "this is no COSE_Sign1");
    }
    if (!atls_cbor_bytes(c, "protected", &out->protected_header) || !read_protected(out->protected_header, c->err)
        || !read_unprotected(c, out) || !atls_cbor_bytes(c, "payload", &out->payload)
        || !atls_cbor_bytes(c, "signature", &out->signature)) {
        return false;
    }
    if (out->signature.len != NITRO_SIGNATURE_LEN) {
        char actual[32];
        snprintf(actual, sizeof actual, "%zu bytes", out->signature.len);
        return wrong(c, "signature", "96 bytes", actual, "not a signature of P-384");
    }
    return atls_cur_end(c);
}

bool nitro_document_decode(atls_bytes in, nitro_document *out, atls_error *err)
{
    atls_cur c;
    *out = (nitro_document){0};
    if (in.len > NITRO_MAX_DOCUMENT_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "document", "%zu bytes; at most %u", in.len,
                         NITRO_MAX_DOCUMENT_LEN);
    }
    atls_cur_init(&c, in, "", err);
    if (!read_envelope(&c, out) || !nitro_payload_decode(out->payload, out, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "document");
    }
    return true;
}

bool nitro_signed_bytes(const nitro_document *d, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_cw w;
    atls_buf_init(&b, arena, err);
    atls_cw_init(&w, &b);
    atls_cw_array(&w, 4);
    atls_cw_text(&w, atls_bytes_str("Signature1"));
    atls_cw_bytes(&w, d->protected_header);
    atls_cw_bytes(&w, atls_bytes_empty()); /* external_aad */
    atls_cw_bytes(&w, d->payload);
    return atls_buf_done(&b, out);
}
