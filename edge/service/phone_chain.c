/* SPDX-License-Identifier: Apache-2.0 */
/* phone_chain.c: whether the certificates of a response fit together, by OpenSSL: what signs which, and for what. Whether the
 * root deserves trust is not asked here: a phone was sent to this server, and TLS says which one it is. */
#include "phone.h"

#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "pki/cert.h"
#include "pki/chain.h"

#define FIELD_SIZE 48u

static bool fail_at(size_t i, const char *why, atls_error *err)
{
    char field[FIELD_SIZE];
    (void)snprintf(field, sizeof field, "response.certificateChain[%zu]", i);
    ERR_clear_error();
    return atls_fail(err, ATLS_E_ENROL_RESPONSE, field, "%s", why);
}

/* Each certificate is for now, and the first one for our key. */
static bool check_dates(const atls_enrol_response *response, atls_bytes spki, atls_time now, atls_error *err)
{
    for (size_t i = 0; i < response->n_chain; i++) {
        atls_cert cert;
        atls_error why = {0};
        char field[FIELD_SIZE];
        (void)snprintf(field, sizeof field, "response.certificateChain[%zu]", i);
        if (!atls_cert_decode(response->chain[i], "certificate", &cert, &why)) {
            return fail_at(i, "the certificate cannot be read", err);
        }
        if (i == 0 && !atls_bytes_equal(cert.spki, spki)) {
            return fail_at(0, "the certificate is for another key than ours", err);
        }
        if (!atls_validity_check(cert.not_before, cert.not_after, now, field, err)) {
            return false;
        }
    }
    return true;
}

static X509 *read_one(atls_bytes der)
{
    const unsigned char *p = der.ptr;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    if (x != NULL && p != der.ptr + der.len) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool is_signed_by(X509 *cert, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    return key != NULL && X509_check_issued(issuer, cert) == X509_V_OK && X509_verify(cert, key) == 1;
}

static bool check_links(X509 *const *certs, size_t n, atls_error *err)
{
    for (size_t i = 0; i < n; i++) {
        const bool is_last = i + 1 == n;
        if (!is_signed_by(certs[i], certs[is_last ? i : i + 1])) {
            return fail_at(i,
                           is_last ? "the last certificate is no root: it does not sign itself"
                                   : "the certificate is not signed by the next one",
                           err);
        }
        if (i > 0 && X509_check_ca(certs[i]) != 1) { /* other values: by its age or by a guess */
            return fail_at(i, "the certificate is not an authority's", err);
        }
    }
    return true;
}

bool atls_phone_check_chain(const atls_enrol_response *response, atls_bytes spki, atls_time now, atls_error *err)
{
    X509 *certs[ATLS_ENROL_MAX_CERTIFICATES] = {NULL};
    const size_t n = response->n_chain;
    bool ok = n > 1 && n <= ATLS_ENROL_MAX_CERTIFICATES;
    if (!ok) {
        return fail_at(0, "a certificate and its authority's are expected", err);
    }
    for (size_t i = 0; ok && i < n; i++) {
        certs[i] = read_one(response->chain[i]);
        ok = certs[i] != NULL || fail_at(i, "the certificate cannot be read", err);
    }
    ok = ok && check_dates(response, spki, now, err) && check_links(certs, n, err);
    for (size_t i = 0; i < n; i++) {
        X509_free(certs[i]);
    }
    ERR_clear_error();
    return ok;
}
