/* SPDX-License-Identifier: Apache-2.0 */
/* outline.c: RFC 5280 4.1, read by somebody who only wants to look. Every reader here leaves its complaint in the
 * cursor's error, where the first one stays, and the next one goes on with what is left. */
#include "outline.h"

#include <string.h>

#include "base/text.h"
#include "read.h"

/* One element with this tag, whole; what stands in its place stays for the next reader. */
static bool take(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *whole)
{
    atls_cur before = *c;
    atls_bytes content;
    if (!atls_der_expect(c, field, tag, &content)) {
        return false;
    }
    return atls_der_any(&before, field, NULL, NULL, whole);
}

static bool skip(atls_cur *c, const char *field, atls_der_tag tag)
{
    atls_bytes ignored;
    return atls_der_expect(c, field, tag, &ignored);
}

/* ---- the fields before the extensions ---- */

static void read_validity(atls_cur *tbs, atls_cert_outline *out)
{
    atls_cur c;
    if (!atls_der_nested(tbs, "tbs.validity", ATLS_DER_SEQUENCE, &c)) {
        return;
    }
    out->has_not_before = atls_der_time(&c, "tbs.validity.not_before", &out->not_before);
    if (!out->has_not_before && !atls_der_any(&c, "tbs.validity", NULL, NULL, NULL)) {
        return;
    }
    out->has_not_after = atls_der_time(&c, "tbs.validity.not_after", &out->not_after);
}

static void read_key(atls_cur *tbs, atls_cert_outline *out)
{
    atls_cur spki;
    atls_algorithm_id algorithm;
    if (!atls_der_nested(tbs, "tbs.public_key", ATLS_DER_SEQUENCE, &spki)
        || !atls_read_algorithm_id(&spki, "tbs.public_key.algorithm", &algorithm)) {
        return;
    }
    out->key_algorithm = algorithm.oid;
    out->key = atls_read_key_kind(algorithm.whole);
}

/* Each reader that fails has said why. */
static void read_fields(atls_cur *tbs, atls_cert_outline *out)
{
    bool ok = !atls_der_peek(tbs, ATLS_DER_CONTEXT_CONS(0)) || skip(tbs, "tbs.version", ATLS_DER_CONTEXT_CONS(0));
    ok = atls_der_expect(tbs, "tbs.serial", ATLS_DER_INTEGER, &out->serial) && ok;
    ok = skip(tbs, "tbs.signature", ATLS_DER_SEQUENCE) && ok;
    ok = take(tbs, "tbs.issuer", ATLS_DER_SEQUENCE, &out->issuer) && ok;
    read_validity(tbs, out);
    ok = take(tbs, "tbs.subject", ATLS_DER_SEQUENCE, &out->subject) && ok;
    (void)ok;
    read_key(tbs, out);
}

/* ---- extensions ---- */

/* False when the list cannot be read any further. One that is not an extension inside is noted and left out. */
static bool read_extension(atls_cur *list, atls_cert_outline *out)
{
    static const char field[] = "tbs.extensions";
    atls_cur c;
    atls_bytes critical = atls_bytes_empty();
    atls_extension e = {.oid = atls_bytes_empty(), .value = atls_bytes_empty()};
    if (!atls_der_nested(list, field, ATLS_DER_SEQUENCE, &c)) {
        return false;
    }
    if (!atls_der_expect(&c, field, ATLS_DER_OID, &e.oid)
        || (atls_der_peek(&c, ATLS_DER_BOOLEAN) && !atls_der_expect(&c, field, ATLS_DER_BOOLEAN, &critical))
        || !atls_der_expect(&c, field, ATLS_DER_OCTET_STRING, &e.value)) {
        return true;
    }
    e.critical = !atls_bytes_is_zero(critical);
    if (out->n_extensions == ATLS_MAX_OUTLINE_EXTENSIONS) {
        return atls_cur_fail(list, ATLS_E_LIMIT, field, NULL, NULL, "too many extensions to show");
    }
    out->extensions[out->n_extensions++] = e;
    bool ended = atls_cur_end(&c);
    (void)ended; /* noted */
    return true;
}

static void read_extensions(atls_cur *tbs, atls_cert_outline *out)
{
    atls_cur tagged;
    atls_cur list;
    while (tbs->rest.len > 0 && !atls_der_peek(tbs, ATLS_DER_CONTEXT_CONS(3))) {
        if (!atls_der_any(tbs, "tbs", NULL, NULL, NULL)) {
            return;
        }
    }
    if (tbs->rest.len == 0 || !atls_der_nested(tbs, "tbs.extensions", ATLS_DER_CONTEXT_CONS(3), &tagged)
        || !atls_der_nested(&tagged, "tbs.extensions", ATLS_DER_SEQUENCE, &list)) {
        return;
    }
    while (list.rest.len > 0 && read_extension(&list, out)) {
    }
}

static void read_ca(atls_cert_outline *out)
{
    atls_error ignored = {.code = ATLS_OK};
    for (size_t i = 0; i < out->n_extensions; i++) {
        atls_cur c;
        atls_cur bc;
        atls_bytes ca;
        atls_cur_init(&c, out->extensions[i].value, "", &ignored);
        if (atls_oid_is_id_ce(out->extensions[i].oid, 19) && atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &bc)
            && atls_der_expect(&bc, "", ATLS_DER_BOOLEAN, &ca)) {
            out->is_ca = out->is_ca || !atls_bytes_is_zero(ca);
        }
    }
}

/* ---- the whole ---- */

static void clear(atls_bytes der, atls_cert_outline *out)
{
    const atls_bytes empty = atls_bytes_empty();
    memset(out, 0, sizeof *out);
    out->der = der;
    out->serial = empty;
    out->issuer = empty;
    out->subject = empty;
    out->key_algorithm = empty;
}

bool atls_cert_outline_read(atls_bytes der, atls_cert_outline *out, atls_error *odd)
{
    atls_cur c;
    atls_cur body;
    atls_cur tbs;
    clear(atls_bytes_empty(), out);
    if (der.len > ATLS_MAX_SHOWN_CERT_LEN) {
        return atls_fail(odd, ATLS_E_LIMIT, "certificate", "a certificate of more than %u bytes",
                         ATLS_MAX_SHOWN_CERT_LEN);
    }
    atls_cur_init(&c, der, "certificate", odd);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &body) || !atls_der_nested(&body, "tbs", ATLS_DER_SEQUENCE, &tbs)) {
        return false;
    }
    clear(der, out);
    read_fields(&tbs, out);
    read_extensions(&tbs, out);
    read_ca(out);
    bool whole = atls_cur_end(&tbs) && skip(&body, "signature_algorithm", ATLS_DER_SEQUENCE)
                 && skip(&body, "signature", ATLS_DER_BIT_STRING) && atls_cur_end(&body) && atls_cur_end(&c);
    (void)whole; /* noted */
    return true;
}

/* ---- object identifiers ---- */

/* X.690 8.19: base 128, most significant first. False at the end and when an arc does not fit. */
static bool next_arc(atls_cur *c, uint64_t *arc)
{
    uint8_t octet;
    *arc = 0;
    do {
        if (*arc > UINT64_MAX >> 7 || !atls_cur_u8(c, "", &octet)) {
            return false;
        }
        *arc = *arc << 7 | (octet & 0x7fu);
    } while ((octet & 0x80) != 0);
    return true;
}

static bool put_arcs(atls_buf *b, atls_bytes oid)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    uint64_t arc;
    atls_cur_init(&c, oid, "", &ignored);
    if (!next_arc(&c, &arc)) {
        return false;
    }
    const uint64_t first = arc < 40 ? 0 : arc < 80 ? 1 : 2;
    atls_buf_format(b, "%u.%llu", (unsigned)first, (unsigned long long)(arc - 40 * first));
    while (c.rest.len > 0) {
        if (!next_arc(&c, &arc)) {
            return false;
        }
        atls_buf_format(b, ".%llu", (unsigned long long)arc);
    }
    return true;
}

const char *atls_oid_text(atls_bytes oid, atls_arena *a, atls_error *err)
{
    atls_buf b;
    atls_bytes text;
    atls_buf_init(&b, a, err);
    if (!put_arcs(&b, oid)) {
        const char *hex = atls_hex_text(oid, a, err);
        return hex == NULL ? NULL : atls_text_format(a, err, "oid-%s", hex);
    }
    return atls_buf_done(&b, &text) ? atls_text_copy(text, a, err) : NULL;
}
