/* SPDX-License-Identifier: Apache-2.0 */
/* spki.c: finds the SubjectPublicKeyInfo by walking the certificate, because writing it anew could give other bytes. */
#include "spki.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "base/der.h"

#define EXPLICIT_VERSION 0xa0u /* [0] */

/* RFC 5280 4.1: version, serial number, signature, issuer, validity, subject, and then the key. */
static bool find_spki(atls_bytes der, const char *field, atls_bytes *out, atls_error *err)
{
    atls_cur c;
    atls_cur cert;
    atls_cur tbs;
    atls_cur_init(&c, der, field, err);
    if (!atls_der_nested(&c, "certificate", ATLS_DER_SEQUENCE, &cert)
        || !atls_der_nested(&cert, "tbs_certificate", ATLS_DER_SEQUENCE, &tbs)) {
        return false;
    }
    if (atls_der_peek(&tbs, EXPLICIT_VERSION) && !atls_der_any(&tbs, "version", NULL, NULL, NULL)) {
        return false;
    }
    static const char *const before[] = {"serial_number", "signature", "issuer", "validity", "subject"};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++) {
        if (!atls_der_any(&tbs, before[i], NULL, NULL, NULL)) {
            return false;
        }
    }
    atls_der_tag tag;
    return atls_der_any(&tbs, "subject_public_key_info", &tag, NULL, out)
           && (tag == ATLS_DER_SEQUENCE
               || atls_cur_fail(&tbs, ATLS_E_ENCODING, "subject_public_key_info", NULL, NULL, "not a SEQUENCE"));
}

bool atls_spki_sha256(const X509 *cert, const char *field, uint8_t out[32], atls_error *err)
{
    unsigned char *der = NULL;
    int len = cert == NULL ? 0 : i2d_X509(cert, &der);
    unsigned n = 0;
    atls_bytes spki;
    bool ok = len > 0 && find_spki(atls_bytes_of(der, (size_t)len), field, &spki, err)
              && EVP_Digest(spki.ptr, spki.len, out, &n, EVP_sha256(), NULL) == 1 && n == 32;
    OPENSSL_free(der);
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, field, "the public key cannot be hashed");
}
