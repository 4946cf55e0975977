/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_template.c: the certificate of section 3, field by field, and the key that it is for. */
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "constellation.h"

#define VALIDITY_S 7200 /* before and after now */

static bool hash_key(EVP_PKEY *key, uint8_t user_data[32])
{
    unsigned char *spki = NULL;
    unsigned n = 0;
    int len = i2d_PUBKEY(key, &spki);
    bool ok = len > 0 && EVP_Digest(spki, (size_t)len, user_data, &n, EVP_sha256(), NULL) == 1 && n == 32;
    OPENSSL_free(spki);
    return ok;
}

bool atls_template_key(EVP_PKEY **out, uint8_t user_data[32], atls_error *err)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    *out = NULL;
    if (key == NULL || !hash_key(key, user_data)) {
        ERR_clear_error();
        EVP_PKEY_free(key);
        return atls_fail(err, ATLS_E_INTERNAL, "certificate.key", "OpenSSL could not make a key");
    }
    *out = key;
    return true;
}

static bool set_serial(X509 *x)
{
    uint8_t serial[16];
    BIGNUM *n = NULL;
    bool ok = RAND_bytes(serial, sizeof serial) == 1 && (n = BN_bin2bn(serial, sizeof serial, NULL)) != NULL
              && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

static bool set_names(X509 *x)
{
    static const unsigned char text[] = "Constellation";
    X509_NAME *name = X509_NAME_new();
    bool ok =
        name != NULL
        && X509_NAME_add_entry_by_NID(name, NID_commonName, V_ASN1_PRINTABLESTRING, text, sizeof text - 1, -1, 0) == 1
        && X509_set_issuer_name(x, name) == 1 && X509_set_subject_name(x, name) == 1;
    X509_NAME_free(name);
    return ok;
}

static bool set_validity(X509 *x, atls_time now)
{
    time_t at = (time_t)now;
    return X509_time_adj_ex(X509_getm_notBefore(x), 0, -VALIDITY_S, &at) != NULL
           && X509_time_adj_ex(X509_getm_notAfter(x), 0, VALIDITY_S, &at) != NULL;
}

/* The document's bytes stand in extnValue as they are, without an ASN.1 value of their own. */
static bool add_document(X509 *x, const char *oid, atls_bytes document)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;
    bool ok = object != NULL && value != NULL && document.len <= CONSTELLATION_MAX_DOCUMENT_LEN
              && ASN1_OCTET_STRING_set(value, document.ptr, (int)document.len) == 1
              && (e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value)) != NULL && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return ok;
}

bool atls_template_certificate(EVP_PKEY *key, const char *oid, atls_bytes document, atls_time now, X509 **out,
                               atls_error *err)
{
    X509 *x = X509_new();
    bool ok = x != NULL && X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) && set_names(x)
              && set_validity(x, now) && X509_set_pubkey(x, key) == 1 && (oid == NULL || add_document(x, oid, document))
              && X509_sign(x, key, EVP_sha256()) > 0;
    *out = NULL;
    ERR_clear_error();
    if (!ok) {
        X509_free(x);
        return atls_fail(err, ATLS_E_INTERNAL, "certificate", "OpenSSL could not make a certificate");
    }
    *out = x;
    return true;
}
