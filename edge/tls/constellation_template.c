/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_template.c: section 3, field by field. */
#include "constellation_template.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "evidence/constellation/document.h"

#define VALIDITY_S 7200 /* before and after now */
#define SHELF_SIZE 16   /* more wait only where more handshakes end at the same moment than begin */
#define POINT_LEN  65u  /* uncompressed */

/* SubjectPublicKeyInfo of a P-256 key, up to the point (RFC 5480). */
static const uint8_t spki_prefix[] = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
                                      0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00};

struct atls_template_shelf {
    pthread_mutex_t lock;
    atls_template items[SHELF_SIZE];
    size_t n;
};

/* ---- the shelf --------------------------------------------------------------------------------------------------- */

bool atls_template_shelf_new(atls_template_shelf **out, atls_error *err)
{
    atls_template_shelf *shelf = calloc(1, sizeof *shelf);
    *out = NULL;
    if (shelf == NULL || pthread_mutex_init(&shelf->lock, NULL) != 0) {
        free(shelf);
        return atls_fail(err, ATLS_E_MEMORY, "certificate", NULL);
    }
    *out = shelf;
    return true;
}

void atls_template_shelf_free(atls_template_shelf *shelf)
{
    if (shelf == NULL) {
        return;
    }
    while (shelf->n > 0) {
        atls_template_free(&shelf->items[--shelf->n]);
    }
    (void)pthread_mutex_destroy(&shelf->lock);
    free(shelf);
}

static bool take_any(atls_template_shelf *shelf, atls_template *out)
{
    (void)pthread_mutex_lock(&shelf->lock);
    const bool found = shelf->n > 0;
    if (found) {
        *out = shelf->items[--shelf->n];
    }
    (void)pthread_mutex_unlock(&shelf->lock);
    return found;
}

/* A key that came along into a child of fork is its parent's, and each of its brothers'. */
static bool take(atls_template_shelf *shelf, atls_template *out)
{
    while (take_any(shelf, out)) {
        if (out->process == getpid()) {
            return true;
        }
        atls_template_free(out);
    }
    return false;
}

static bool put(atls_template_shelf *shelf, const atls_template *t)
{
    (void)pthread_mutex_lock(&shelf->lock);
    const bool fits = shelf->n < SHELF_SIZE;
    if (fits) {
        shelf->items[shelf->n++] = *t;
    }
    (void)pthread_mutex_unlock(&shelf->lock);
    return fits;
}

void atls_template_free(atls_template *t)
{
    X509_free(t->certificate);
    EVP_PKEY_free(t->key);
    EVP_PKEY_CTX_free(t->generator);
    *t = (atls_template){0};
}

/* The next key takes the place of the one whose handshake is over. */
static bool renew(atls_template *t)
{
    t->process = getpid();
    EVP_PKEY *key = t->key; /* is filled anew, and stays where it is */
    return key != NULL && EVP_PKEY_generate(t->generator, &key) == 1;
}

void atls_template_give(atls_template_shelf *shelf, atls_template *t)
{
    if (!renew(t) || !put(shelf, t)) {
        atls_template_free(t);
    }
    ERR_clear_error();
    *t = (atls_template){0};
}

/* ---- once -------------------------------------------------------------------------------------------------------- */

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

static bool make_generator(EVP_PKEY_CTX **out)
{
    *out = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    return *out != NULL && EVP_PKEY_keygen_init(*out) == 1 && EVP_PKEY_CTX_set_group_name(*out, "P-256") == 1;
}

/* The expensive part. */
static bool make(atls_template *t)
{
    t->process = getpid();
    t->certificate = X509_new();
    return t->certificate != NULL && make_generator(&t->generator) && EVP_PKEY_generate(t->generator, &t->key) == 1
           && X509_set_version(t->certificate, X509_VERSION_3) == 1 && set_names(t->certificate)
           && X509_set_pubkey(t->certificate, t->key) == 1;
}

/* ---- each time --------------------------------------------------------------------------------------------------- */

/* The certificate's copy of the public key, as bytes. */
static bool set_point(const atls_template *t, const uint8_t *point, size_t len)
{
    unsigned char *copy = len == POINT_LEN ? OPENSSL_memdup(point, len) : NULL;
    X509_PUBKEY *in = X509_get_X509_PUBKEY(t->certificate);
    bool ok = copy != NULL
              && X509_PUBKEY_set0_param(in, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                        OBJ_nid2obj(NID_X9_62_prime256v1), copy, (int)len)
                     == 1;
    if (!ok) {
        OPENSSL_free(copy);
    }
    /* and its object is still this key's: an OpenSSL that takes these bytes apart itself is served the slow way */
    return ok && (X509_get0_pubkey(t->certificate) == t->key || X509_set_pubkey(t->certificate, t->key) == 1);
}

static bool hash_point(const atls_crypto *c, const uint8_t point[POINT_LEN], uint8_t user_data[32], atls_error *err)
{
    const atls_bytes spki[] = {atls_bytes_of(spki_prefix, sizeof spki_prefix), atls_bytes_of(point, POINT_LEN)};
    return atls_digest(c, ATLS_SHA256, spki, 2, user_data, err);
}

static bool set_key(const atls_template *t, const atls_crypto *c, uint8_t user_data[32], atls_error *err)
{
    uint8_t point[POINT_LEN];
    size_t len = 0;
    return EVP_PKEY_get_octet_string_param(t->key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point, sizeof point, &len) == 1
           && len == sizeof point && set_point(t, point, len) && hash_point(c, point, user_data, err);
}

bool atls_template_take(atls_template_shelf *shelf, const atls_crypto *crypto, atls_template *out,
                        uint8_t user_data[32], atls_error *err)
{
    *out = (atls_template){0};
    bool ok = (take(shelf, out) || make(out)) && set_key(out, crypto, user_data, err);
    ERR_clear_error();
    if (!ok) {
        atls_template_free(out);
        return atls_fail(err, ATLS_E_INTERNAL, "certificate.key", "OpenSSL could not make a key");
    }
    return true;
}

static bool set_serial(X509 *x, const uint8_t *serial)
{
    BIGNUM *n = BN_bin2bn(serial, ATLS_TEMPLATE_SERIAL_LEN, NULL);
    bool ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
    BN_free(n);
    return ok;
}

/* A busy program fills a template several times a second. */
static bool set_validity(atls_template *t, atls_time now)
{
    time_t at = (time_t)now;
    const bool ok = (t->time == now && now != ATLS_TIME_UNSET)
                    || (X509_time_adj_ex(X509_getm_notBefore(t->certificate), 0, -VALIDITY_S, &at) != NULL
                        && X509_time_adj_ex(X509_getm_notAfter(t->certificate), 0, VALIDITY_S, &at) != NULL);
    t->time = ok ? now : ATLS_TIME_UNSET;
    return ok;
}

static bool add_extension(X509 *x, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    X509_EXTENSION *e = NULL;
    bool ok = object != NULL && value != NULL && (e = X509_EXTENSION_create_by_OBJ(NULL, object, 0, value)) != NULL
              && X509_add_ext(x, e, -1) == 1;
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(value);
    ASN1_OBJECT_free(object);
    return ok;
}

/* The document's bytes stand in extnValue as they are, without an ASN.1 value of their own. A shelf is one hook's, whose
 * certificates all have the one extension, or none. */
static bool set_document(X509 *x, const char *oid, atls_bytes document)
{
    if (oid == NULL) {
        return X509_get_ext_count(x) == 0;
    }
    if (X509_get_ext_count(x) == 0 && !add_extension(x, oid)) {
        return false;
    }
    X509_EXTENSION *e = X509_get_ext(x, 0);
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    bool ok = e != NULL && object != NULL && OBJ_cmp(X509_EXTENSION_get_object(e), object) == 0
              && document.len <= CONSTELLATION_MAX_DOCUMENT_LEN
              && ASN1_OCTET_STRING_set(X509_EXTENSION_get_data(e), document.ptr, (int)document.len) == 1;
    ASN1_OBJECT_free(object);
    return ok;
}

bool atls_template_fill(atls_template *t, const atls_template_content *content, atls_error *err)
{
    X509 *x = t->certificate;
    bool ok = set_serial(x, content->serial) && set_validity(t, content->now)
              && set_document(x, content->oid, content->document) && X509_sign(x, t->key, EVP_sha256()) > 0;
    ERR_clear_error();
    return ok || atls_fail(err, ATLS_E_INTERNAL, "certificate", "OpenSSL could not make a certificate");
}
