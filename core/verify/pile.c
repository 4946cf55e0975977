/* SPDX-License-Identifier: Apache-2.0 */
/* pile.c: files of certificates and lists become endorsements. What a file holds is told by its bytes, never its name. */
#include <string.h>

#include "atls/endorse.h"
#include "base/der.h"
#include "base/limits.h"
#include "pki/cert.h"

static bool append(const atls_bytes **items, size_t *n, size_t max, atls_bytes der, const char *field,
                   atls_arena *arena, atls_error *err)
{
    if (*n >= max) {
        return atls_fail(err, ATLS_E_LIMIT, field, "more than %zu", max);
    }
    atls_bytes *grown = atls_arena_array(arena, *n + 1, sizeof *grown, err);
    if (grown == NULL) {
        return false;
    }
    for (size_t i = 0; i < *n; i++) {
        grown[i] = (*items)[i];
    }
    grown[*n] = der;
    *items = grown;
    (*n)++;
    return true;
}

static bool add_certificate(atls_certificate_pile *p, atls_bytes der, atls_arena *arena, atls_error *err)
{
    return append(&p->certificates, &p->n_certificates, ATLS_MAX_PILE_CERTIFICATES, der, "endorsements.certificates",
                  arena, err);
}

static bool add_crl(atls_certificate_pile *p, atls_bytes der, atls_arena *arena, atls_error *err)
{
    return append(&p->crls, &p->n_crls, ATLS_MAX_PILE_CRLS, der, "endorsements.crls", arena, err);
}

static bool add_pem(atls_bytes text, atls_arena *arena, atls_certificate_pile *p, atls_error *err)
{
    while (text.len > 0) {
        bool is_crl;
        atls_bytes der;
        if (!atls_pem_next(&text, ATLS_E_COLLATERAL_FORMAT, "endorsements", arena, &is_crl, &der, err)
            || !(is_crl ? add_crl(p, der, arena, err) : add_certificate(p, der, arena, err))) {
            return false;
        }
    }
    return true;
}

/* Certificates are read by whoever uses them, so that one that this library cannot read harms nobody who does not need
 * it; here only the outermost shape tells one from the other. */
static bool add_der(atls_bytes der, atls_arena *arena, atls_certificate_pile *p, atls_error *err)
{
    atls_error why = {0};
    atls_crl crl;
    atls_cur c;
    atls_cur whole;
    atls_cur_init(&c, der, "", &why);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &whole) || c.rest.len > 0) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "endorsements", "neither a certificate nor a list");
    }
    atls_error_clear(&why);
    return atls_crl_decode(der, "", &crl, &why) ? add_crl(p, der, arena, err) : add_certificate(p, der, arena, err);
}

static bool holds(atls_bytes text, const char *word)
{
    const size_t n = strlen(word);
    const uint8_t *at = text.ptr;
    size_t left = text.len;
    while (left >= n) {
        const uint8_t *found = memchr(at, word[0], left - n + 1);
        if (found == NULL) {
            return false;
        }
        if (memcmp(found, word, n) == 0) {
            return true;
        }
        left -= (size_t)(found - at) + 1;
        at = found + 1;
    }
    return false;
}

/* Whether it is one is for its reader to say; this only tells it from a bundle. */
static bool is_status_list(atls_bytes json)
{
    return holds(json, "\"entries\"") && !holds(json, "\"tcb_info\"") && !holds(json, "\"qe_identity\"");
}

static bool add_status_list(atls_bytes json, atls_endorsements *inout, atls_error *err)
{
    if (inout->android.list.len > 0) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "endorsements", "there is a status list already");
    }
    inout->android.list = json;
    return true;
}

static bool add_bundle(atls_bytes json, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    atls_endorsements bundle;
    if (inout->platform != ATLS_PLATFORM_NONE) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "endorsements", "there is a bundle of collateral already");
    }
    if (!atls_endorsements_from_bundle(json, arena, &bundle, err)) {
        return false;
    }
    inout->platform = bundle.platform;
    inout->dcap = bundle.dcap;
    return true;
}

bool atls_endorsements_add(atls_bytes file, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    static const char begin[] = "-----BEGIN ";
    size_t at = 0;
    if (file.len > ATLS_MAX_BUNDLE_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "endorsements", "more than %u bytes", ATLS_MAX_BUNDLE_LEN);
    }
    if (file.len > 0 && file.ptr[0] == 0x30) {
        return add_der(file, arena, &inout->pile, err);
    }
    while (at < file.len
           && (file.ptr[at] == ' ' || file.ptr[at] == '\t' || file.ptr[at] == '\r' || file.ptr[at] == '\n')) {
        at++;
    }
    if (file.len - at >= sizeof begin - 1 && memcmp(file.ptr + at, begin, sizeof begin - 1) == 0) {
        return add_pem(file, arena, &inout->pile, err);
    }
    const bool is_object = at < file.len && file.ptr[at] == '{';
    return is_object && is_status_list(file) ? add_status_list(file, inout, err) : add_bundle(file, arena, inout, err);
}
