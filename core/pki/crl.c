/* SPDX-License-Identifier: Apache-2.0 */
/* crl.c: one list of revoked certificates, from DER to borrowed slices. It reads like RFC 5280 5.1.
 *
 * Every entry is read once here, so that looking a serial up later cannot fail; entries are not copied, the list may be
 * megabytes long. */
#include <stdlib.h>
#include <string.h>

#include "cert.h"
#include "read.h"

#define VERSION_2              1u
#define MAX_ENTRY_EXTENSIONS   8u /* RFC 5280 5.3 knows three */
#define REASON_REMOVE_FROM_CRL 8u
#define MAX_REASON             10u

/* id-ce arcs (RFC 5280 5.2, 5.3) */
#define CE_CRL_NUMBER         20
#define CE_REASON             21
#define CE_INVALIDITY_DATE    24
#define CE_DELTA_INDICATOR    27
#define CE_DISTRIBUTION_POINT 28
#define CE_CERTIFICATE_ISSUER 29
#define CE_AUTHORITY_KEY_ID   35

static bool read_reason(const atls_extension *e, atls_crl *out, atls_error *err)
{
    atls_cur c;
    uint64_t reason;
    atls_cur_init(&c, e->value, "tbs.revoked.reason", err);
    if (!atls_der_uint(&c, "", ATLS_DER_ENUMERATED, MAX_REASON, &reason) || !atls_cur_end(&c)) {
        return false;
    }
    out->has_unknown_critical = out->has_unknown_critical || reason == REASON_REMOVE_FROM_CRL;
    return true;
}

/* reasonCode and invalidityDate do not change what an entry says; whatever else is critical does. */
static bool read_entry_extensions(atls_cur *entry, atls_crl *out)
{
    atls_extension list[MAX_ENTRY_EXTENSIONS];
    size_t n;
    atls_cur c;
    if (!atls_der_nested(entry, "extensions", ATLS_DER_SEQUENCE, &c)
        || !atls_read_extensions(&c, "extensions", list, MAX_ENTRY_EXTENSIONS, &n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (atls_oid_is_id_ce(list[i].oid, CE_REASON)) {
            if (!read_reason(&list[i], out, entry->err)) {
                return false;
            }
            continue;
        }
        bool harmless = !list[i].critical || atls_oid_is_id_ce(list[i].oid, CE_INVALIDITY_DATE);
        if (!harmless || atls_oid_is_id_ce(list[i].oid, CE_CERTIFICATE_ISSUER)) {
            out->has_unknown_critical = true;
        }
    }
    return atls_cur_end(entry);
}

/* Nearly all entries of a list end in the same bytes, their reason; what was read once need not be read again. */
static bool read_entry(atls_cur *list, atls_crl *out, atls_bytes *last_extensions)
{
    atls_cur entry;
    atls_bytes serial;
    atls_time date;
    if (!atls_der_nested(list, "", ATLS_DER_SEQUENCE, &entry)) {
        return false;
    }
    if (!atls_read_serial(&entry, "serial", &serial) || !atls_der_time(&entry, "date", &date)) {
        return false;
    }
    atls_bytes extensions = entry.rest;
    if (extensions.len == 0 || atls_bytes_equal(extensions, *last_extensions)) {
        return true;
    }
    *last_extensions = extensions;
    return read_entry_extensions(&entry, out);
}

static bool read_revoked(atls_cur *tbs, atls_crl *out)
{
    atls_cur list;
    if (!atls_der_peek(tbs, ATLS_DER_SEQUENCE)) {
        return true;
    }
    if (!atls_der_nested(tbs, "revoked", ATLS_DER_SEQUENCE, &list)) {
        return false;
    }
    list.prefix = "tbs.revoked";
    out->revoked = list.rest;
    atls_bytes last_extensions = atls_bytes_empty();
    while (list.rest.len > 0) {
        if (!read_entry(&list, out, &last_extensions)) {
            return false;
        }
        out->n_revoked++;
    }
    return out->n_revoked > 0 /* RFC 5280 5.1.2.6 */
           || atls_cur_fail(tbs, ATLS_E_ENCODING, "revoked", NULL, NULL, "an empty list, which must be absent");
}

static bool read_crl_number(const atls_extension *e, atls_bytes *number, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, e->value, "tbs.extensions.crl_number", err);
    return atls_read_serial(&c, "", number) && atls_cur_end(&c); /* up to 20 bytes as well: RFC 5280 5.2.3 */
}

static bool read_extension(const atls_extension *e, atls_crl *out, atls_error *err)
{
    if (atls_oid_is_id_ce(e->oid, CE_CRL_NUMBER)) {
        out->has_crl_number = true;
        return read_crl_number(e, &out->crl_number, err);
    }
    if (atls_oid_is_id_ce(e->oid, CE_AUTHORITY_KEY_ID)) {
        atls_authority_key authority;
        out->has_authority_key_id = true;
        if (!atls_read_authority_key(e->value, "tbs.extensions.authority_key_id", &authority, err)) {
            return false;
        }
        out->authority_key_id = authority.key_id;
        return true;
    }
    if (atls_oid_is_id_ce(e->oid, CE_DISTRIBUTION_POINT)) {
        return atls_crl_scope_read(e->value, &out->scope, err);
    }
    if (e->critical || atls_oid_is_id_ce(e->oid, CE_DELTA_INDICATOR)) {
        out->has_unknown_critical = true;
    }
    return true;
}

static bool read_extensions(atls_cur *tbs, atls_crl *out)
{
    atls_extension extensions[ATLS_MAX_CERT_EXTENSIONS];
    size_t n;
    atls_cur tagged;
    atls_cur list;
    if (tbs->rest.len == 0) {
        return true;
    }
    if (!atls_der_nested(tbs, "extensions", ATLS_DER_CONTEXT_CONS(0), &tagged)
        || !atls_der_nested(&tagged, "extensions", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&tagged)
        || !atls_read_extensions(&list, "extensions", extensions, ATLS_MAX_CERT_EXTENSIONS, &n)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_extension(&extensions[i], out, tbs->err)) {
            return false;
        }
    }
    return true;
}

static bool read_next_update(atls_cur *tbs, atls_crl *out)
{
    bool present = atls_der_peek(tbs, ATLS_DER_UTC_TIME) || atls_der_peek(tbs, ATLS_DER_GENERALIZED_TIME);
    return !present || atls_der_time(tbs, "next_update", &out->next_update);
}

static bool read_version(atls_cur *tbs)
{
    uint64_t version = 0;
    if (!atls_der_peek(tbs, ATLS_DER_INTEGER)) {
        return atls_cur_fail(tbs, ATLS_E_ENCODING, "version", "2", "1", "only version 2 lists are understood");
    }
    return atls_der_uint(tbs, "version", ATLS_DER_INTEGER, UINT8_MAX, &version)
           && (version == VERSION_2
               || atls_cur_fail(tbs, ATLS_E_ENCODING, "version", "2", NULL, "only version 2 lists are understood"));
}

static bool read_tbs(atls_bytes whole, atls_crl *out, atls_bytes *inner_algorithm, atls_error *err)
{
    atls_cur c;
    atls_cur tbs;
    atls_sig_alg alg;
    atls_cur_init(&c, whole, "", err);
    if (!atls_der_nested(&c, "tbs", ATLS_DER_SEQUENCE, &tbs)) {
        return false;
    }
    tbs.prefix = "tbs";
    return read_version(&tbs) && atls_read_algorithm(&tbs, "signature", &alg, inner_algorithm)
           && atls_read_name(&tbs, "issuer", &out->issuer) && atls_der_time(&tbs, "this_update", &out->this_update)
           && read_next_update(&tbs, out) && read_revoked(&tbs, out) && read_extensions(&tbs, out)
           && atls_cur_end(&tbs);
}

static bool read_crl(atls_bytes der, atls_crl *out, atls_error *err)
{
    atls_signed outer;
    atls_bytes inner_algorithm;
    if (der.len > ATLS_MAX_CRL_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "", "a list of more than %u bytes", ATLS_MAX_CRL_LEN);
    }
    if (!atls_read_signed(der, &outer, err) || !read_tbs(outer.tbs, out, &inner_algorithm, err)
        || !atls_signed_agrees(&outer, inner_algorithm, err)) {
        return false;
    }
    out->der = der;
    out->tbs = outer.tbs;
    out->sig_alg = outer.alg;
    out->signature = outer.signature;
    return true;
}

static void clear(atls_crl *out)
{
    memset(out, 0, sizeof *out);
    out->revoked = atls_bytes_empty();
    out->crl_number = atls_bytes_empty();
    out->authority_key_id = atls_bytes_empty();
    out->scope.names = atls_bytes_empty();
}

bool atls_crl_decode(atls_bytes der, const char *prefix, atls_crl *out, atls_error *err)
{
    clear(out);
    if (!read_crl(der, out, err)) {
        clear(out);
        return atls_error_relabel(err, err->code, prefix);
    }
    return true;
}

/* Serials and numbers have no leading zeros: the longer one is the greater. */
static int compare_serials(const void *x, const void *y)
{
    const atls_bytes *a = x;
    const atls_bytes *b = y;
    if (a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }
    return memcmp(a->ptr, b->ptr, a->len);
}

static bool next_serial(atls_cur *list, atls_bytes *serial)
{
    atls_cur entry;
    return atls_der_nested(list, "", ATLS_DER_SEQUENCE, &entry) && atls_der_unsigned(&entry, "", serial);
}

bool atls_crl_sort(atls_crl *crl, atls_arena *a, atls_error *err)
{
    atls_cur list;
    atls_bytes *serials = atls_arena_array(a, crl->n_revoked, sizeof *serials, err);
    if (serials == NULL) {
        return false;
    }
    atls_cur_init(&list, crl->revoked, "", err);
    for (size_t i = 0; i < crl->n_revoked; i++) {
        if (!next_serial(&list, &serials[i])) {
            return false; /* cannot happen to what was decoded */
        }
    }
    if (crl->n_revoked > 0) {
        qsort(serials, crl->n_revoked, sizeof *serials, compare_serials);
    }
    crl->sorted = serials;
    return true;
}

bool atls_crl_is_older(const atls_crl *x, const atls_crl *than)
{
    if (!atls_bytes_equal(x->issuer, than->issuer)) {
        return false;
    }
    const bool numbered = x->has_crl_number && than->has_crl_number;
    return x->this_update < than->this_update || (numbered && compare_serials(&x->crl_number, &than->crl_number) < 0);
}

bool atls_crl_lists(const atls_crl *crl, atls_bytes serial)
{
    atls_error why = {0};
    atls_cur list;
    if (crl->sorted != NULL) {
        return crl->n_revoked > 0
               && bsearch(&serial, crl->sorted, crl->n_revoked, sizeof serial, compare_serials) != NULL;
    }
    atls_cur_init(&list, crl->revoked, "", &why);
    while (list.rest.len > 0) {
        atls_bytes listed;
        if (!next_serial(&list, &listed)) {
            return true; /* cannot happen to what was decoded; if it does, nobody may proceed */
        }
        if (atls_bytes_equal(listed, serial)) {
            return true;
        }
    }
    return false;
}
