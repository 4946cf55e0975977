/* SPDX-License-Identifier: Apache-2.0 */
/* scope.c: which certificates a list is about, when it says so (RFC 5280 5.2.5, 6.3.3 (b)).
 *
 * Absence from a list means something only for the certificates that it covers. A list that covers one sort of
 * certificates, or those of one distribution point, is good for these; a list of some reasons, of other issuers or of
 * attribute certificates is good for nothing here. */
#include "read.h"

#define CE_DISTRIBUTION_POINTS 31
#define MAX_NAMES              16u /* of the point that a list names; genuine ones have one or two */

/* A DEFAULT FALSE that is there is TRUE (X.690 11.5). */
static bool read_flag(atls_cur *c, const char *field, unsigned tag, bool *out)
{
    atls_bytes value;
    *out = false;
    if (!atls_der_peek(c, ATLS_DER_CONTEXT(tag))) {
        return true;
    }
    if (!atls_der_expect(c, field, ATLS_DER_CONTEXT(tag), &value)) {
        return false;
    }
    *out = value.len == 1 && value.ptr[0] == 0xff;
    return *out || atls_cur_fail(c, ATLS_E_ENCODING, field, "TRUE", NULL, "a BOOLEAN that is not TRUE");
}

static bool count_names(atls_cur names, const char *field)
{
    size_t n = 0;
    while (names.rest.len > 0) {
        if (!atls_der_any(&names, field, NULL, NULL, NULL)) {
            return false;
        }
        if (++n > MAX_NAMES) {
            return atls_cur_fail(&names, ATLS_E_LIMIT, field, NULL, NULL, "more than 16 names");
        }
    }
    return n > 0 || atls_cur_fail(&names, ATLS_E_ENCODING, field, NULL, NULL, "no name");
}

/* DistributionPointName: full names, or a part of the issuer's, which nobody writes and we do not put together. */
static bool read_point(atls_cur *c, atls_crl_scope *out)
{
    static const char field[] = "distribution_point";
    atls_cur point;
    atls_cur names;
    if (!atls_der_peek(c, ATLS_DER_CONTEXT_CONS(0))) {
        return true;
    }
    if (!atls_der_nested(c, field, ATLS_DER_CONTEXT_CONS(0), &point)) {
        return false;
    }
    if (atls_der_peek(&point, ATLS_DER_CONTEXT_CONS(1))) {
        out->refused = field;
        return atls_der_any(&point, field, NULL, NULL, NULL) && atls_cur_end(&point);
    }
    if (!atls_der_nested(&point, field, ATLS_DER_CONTEXT_CONS(0), &names)) {
        return false;
    }
    out->names = names.rest;
    return count_names(names, field) && atls_cur_end(&point);
}

static bool read_reasons(atls_cur *c, atls_crl_scope *out)
{
    static const char field[] = "only_some_reasons";
    if (!atls_der_peek(c, ATLS_DER_CONTEXT(3))) {
        return true;
    }
    out->refused = field;
    return atls_der_any(c, field, NULL, NULL, NULL);
}

static bool read_members(atls_cur *c, atls_crl_scope *out)
{
    bool indirect = false;
    bool attributes = false;
    if (!read_point(c, out) || !read_flag(c, "only_contains_user_certs", 1, &out->users_only)
        || !read_flag(c, "only_contains_ca_certs", 2, &out->cas_only) || !read_reasons(c, out)
        || !read_flag(c, "indirect_crl", 4, &indirect)
        || !read_flag(c, "only_contains_attribute_certs", 5, &attributes)) {
        return false;
    }
    if (indirect) {
        out->refused = "indirect_crl";
    } else if (attributes) {
        out->refused = "only_contains_attribute_certs";
    } else if (out->users_only && out->cas_only) {
        out->refused = "only_contains_ca_certs"; /* at most one may be TRUE: about nobody */
    }
    return atls_cur_end(c);
}

bool atls_crl_scope_read(atls_bytes value, atls_crl_scope *out, atls_error *err)
{
    atls_cur c;
    atls_cur members;
    *out = (atls_crl_scope){.present = true, .names = atls_bytes_empty()};
    atls_cur_init(&c, value, "tbs.extensions.scope", err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &members) || !atls_cur_end(&c)) {
        return false;
    }
    if (members.rest.len == 0) {
        return atls_cur_fail(&c, ATLS_E_ENCODING, "", NULL, NULL, "an empty one, which must be absent");
    }
    return read_members(&members, out);
}

/* ---- a certificate ---- */

static bool is_among(atls_bytes name, atls_bytes names)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_cur_init(&c, names, "", &why);
    while (c.rest.len > 0) {
        atls_bytes whole;
        if (!atls_der_any(&c, "", NULL, NULL, &whole)) {
            return false;
        }
        if (atls_bytes_equal(whole, name)) {
            return true;
        }
    }
    return false;
}

/* DistributionPoint: one for some reasons, or of a list by somebody else, is none of ours. *match: it names one of `names`. */
static bool read_cert_point(atls_cur *list, atls_bytes names, bool *match)
{
    atls_cur point;
    atls_cur name;
    atls_cur full;
    if (!atls_der_nested(list, "", ATLS_DER_SEQUENCE, &point)) {
        return false;
    }
    if (!atls_der_peek(&point, ATLS_DER_CONTEXT_CONS(0))) {
        return true;
    }
    if (!atls_der_nested(&point, "", ATLS_DER_CONTEXT_CONS(0), &name)) {
        return false;
    }
    if (point.rest.len > 0 || !atls_der_peek(&name, ATLS_DER_CONTEXT_CONS(0))) {
        return true;
    }
    if (!atls_der_nested(&name, "", ATLS_DER_CONTEXT_CONS(0), &full) || !atls_cur_end(&name)) {
        return false;
    }
    while (full.rest.len > 0) {
        atls_bytes whole;
        if (!atls_der_any(&full, "", NULL, NULL, &whole)) {
            return false;
        }
        *match = *match || is_among(whole, names);
    }
    return true;
}

/* A certificate that names no point has its issuer's own for one (RFC 5280 6.3.3, last paragraph): the list's issuer is
 * the certificate's, which the caller has compared, and this has no other way to know a point by. */
static bool names_point(const atls_cert *cert, atls_bytes names)
{
    static const uint8_t oid[] = {0x55, 0x1d, CE_DISTRIBUTION_POINTS};
    const atls_extension *e = atls_cert_extension(cert, atls_bytes_of(oid, sizeof oid));
    atls_error why = {.code = ATLS_OK};
    bool match = false;
    atls_cur c;
    atls_cur list;
    if (e == NULL) {
        return true;
    }
    atls_cur_init(&c, e->value, "", &why);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &list)) {
        return false;
    }
    while (list.rest.len > 0) {
        if (!read_cert_point(&list, names, &match)) {
            return false;
        }
    }
    return match && atls_cur_end(&c);
}

const char *atls_crl_scope_excludes(const atls_crl_scope *scope, const atls_cert *cert)
{
    if (!scope->present) {
        return NULL;
    }
    if (scope->refused != NULL) {
        return scope->refused;
    }
    if (scope->users_only && cert->is_ca) {
        return "only_contains_user_certs";
    }
    if (scope->cas_only && !cert->is_ca) {
        return "only_contains_ca_certs";
    }
    return scope->names.len == 0 || names_point(cert, scope->names) ? NULL : "distribution_point";
}
