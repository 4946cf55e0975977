/* SPDX-License-Identifier: Apache-2.0 */
#include "enrol/authority.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

/* Without a test library: fuzz targets have none. */
static void must(bool ok)
{
    if (!ok) {
        (void)fputs("authority: OpenSSL refuses\n", stderr);
        abort();
    }
}

/* The key of a number, so that each run has the same ones. */
static EVP_PKEY *new_key(uint8_t number)
{
    char group_name[] = "prime256v1";
    uint8_t point[65];
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *public = EC_POINT_new(group);
    BIGNUM *d = BN_new();
    OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    EVP_PKEY *key = NULL;
    must(group != NULL && public != NULL && d != NULL && b != NULL && ctx != NULL);
    must(BN_set_word(d, 1000003ul * number) == 1 && EC_POINT_mul(group, public, d, NULL, NULL, NULL) == 1);
    must(EC_POINT_point2oct(group, public, POINT_CONVERSION_UNCOMPRESSED, point, sizeof point, NULL) == sizeof point);
    must(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, group_name, 0) == 1
         && OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1
         && OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point) == 1);
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(b);
    must(params != NULL && EVP_PKEY_fromdata_init(ctx) == 1
         && EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) == 1);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(b);
    EVP_PKEY_CTX_free(ctx);
    EC_POINT_free(public);
    EC_GROUP_free(group);
    BN_free(d);
    return key;
}

void authority_open(authority *a)
{
    *a = (authority){.root_key = new_key(1), .ca_key = new_key(2), .phone_key = new_key(3), .other_key = new_key(4)};
    a->root = (cert_plan){.cn = "enrolment root",
                          .issuer_cn = "enrolment root",
                          .constraints = "critical,CA:TRUE",
                          .usage = "critical,keyCertSign,cRLSign",
                          .from_s = -100L * DAY,
                          .until_s = 1000L * DAY,
                          .key = a->root_key,
                          .signer = a->root_key};
    a->ca = (cert_plan){.cn = "enrolment CA",
                        .issuer_cn = "enrolment root",
                        .constraints = "critical,CA:TRUE,pathlen:0",
                        .usage = "critical,keyCertSign,cRLSign",
                        .from_s = -50L * DAY,
                        .until_s = 500L * DAY,
                        .key = a->ca_key,
                        .signer = a->root_key};
    a->phone = (cert_plan){.cn = "a phone",
                           .issuer_cn = "enrolment CA",
                           .constraints = "critical,CA:FALSE",
                           .usage = "critical,digitalSignature",
                           .extended = "clientAuth",
                           .from_s = -DAY,
                           .until_s = 9L * DAY,
                           .has_attested = true,
                           .attested = {.version = ATLS_ENROLLED_VERSION,
                                        .platform = ATLS_PLATFORM_ANDROID,
                                        .app = atls_bytes_str(AUTHORITY_APP),
                                        .security_level = "TRUSTED_ENVIRONMENT"},
                           .key = a->phone_key,
                           .signer = a->ca_key};
    memset(a->phone.attested.policy_sha256, 0x5a, 32);
}

void authority_close(authority *a)
{
    EVP_PKEY_free(a->root_key);
    EVP_PKEY_free(a->ca_key);
    EVP_PKEY_free(a->phone_key);
    EVP_PKEY_free(a->other_key);
}

static X509_NAME *name_of(const char *cn)
{
    X509_NAME *name = X509_NAME_new();
    must(name != NULL);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0) == 1);
    return name;
}

static void add_text(X509 *x, int nid, const char *value)
{
    if (value == NULL) {
        return;
    }
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    must(e != NULL);
    must(X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void add_key_id(X509 *x)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, NULL, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_subject_key_identifier, "hash");
    must(e != NULL);
    must(X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
}

static void add_raw(X509 *x, const char *oid, bool critical, atls_bytes value)
{
    ASN1_OBJECT *type = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    must(type != NULL && octets != NULL);
    must(ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len) == 1);
    X509_EXTENSION *e = X509_EXTENSION_create_by_OBJ(NULL, type, critical, octets);
    must(e != NULL);
    must(X509_add_ext(x, e, -1) == 1);
    X509_EXTENSION_free(e);
    ASN1_OCTET_STRING_free(octets);
    ASN1_OBJECT_free(type);
}

static void add_attested(X509 *x, const cert_plan *plan, atls_arena *arena)
{
    atls_error err = {0};
    atls_bytes value;
    must(atls_enrolled_extension_write(&plan->attested, arena, &value, &err));
    if (plan->attested_broken) {
        uint8_t *longer = atls_arena_alloc(arena, value.len + 1, &err);
        must(longer != NULL);
        memcpy(longer, value.ptr, value.len);
        longer[value.len] = 0;
        value = atls_bytes_of(longer, value.len + 1);
    }
    add_raw(x, ATLS_ENROLLED_OID, plan->attested_critical, value);
}

static atls_bytes give(unsigned char *der, int len, bool spoilt, atls_arena *arena)
{
    atls_error err = {0};
    atls_bytes out;
    must(len > 0);
    if (spoilt) {
        der[len - 1] ^= 1;
    }
    must(atls_arena_copy(arena, atls_bytes_of(der, (size_t)len), &out, &err));
    OPENSSL_free(der);
    return out;
}

static long serial_of(const char *cn)
{
    return strcmp(cn, "a phone") == 0 ? 7 : 5;
}

atls_bytes authority_cert(const cert_plan *plan, atls_arena *arena)
{
    X509 *x = X509_new();
    X509_NAME *subject = name_of(plan->cn);
    X509_NAME *issuer = name_of(plan->issuer_cn);
    time_t at = (time_t)AUTHORITY_NOW;
    unsigned char *der = NULL;
    must(x != NULL);
    must(X509_set_version(x, X509_VERSION_3) == 1);
    must(ASN1_INTEGER_set(X509_get_serialNumber(x), serial_of(plan->cn)) == 1);
    must(X509_time_adj_ex(X509_getm_notBefore(x), 0, plan->from_s, &at) != NULL);
    must(X509_time_adj_ex(X509_getm_notAfter(x), 0, plan->until_s, &at) != NULL);
    must(X509_set_subject_name(x, subject) == 1 && X509_set_issuer_name(x, issuer) == 1);
    must(X509_set_pubkey(x, plan->key) == 1);
    add_key_id(x);
    add_text(x, NID_basic_constraints, plan->constraints);
    add_text(x, NID_key_usage, plan->usage);
    add_text(x, NID_ext_key_usage, plan->extended);
    if (plan->has_attested) {
        add_attested(x, plan, arena);
    }
    if (plan->unknown_critical) {
        add_raw(x, "1.2.3.4.5", true, atls_bytes_str("\x05"));
    }
    must(X509_sign(x, plan->signer, EVP_sha256()) > 0);
    const int len = i2d_X509(x, &der);
    X509_NAME_free(subject);
    X509_NAME_free(issuer);
    X509_free(x);
    return give(der, len, plan->spoilt, arena);
}

/* The reader wants a number, and the issuer's key id. */
atls_bytes authority_crl(const char *issuer_cn, EVP_PKEY *key, atls_bytes issuer_der, long serial, long from_s,
                         long until_s, atls_arena *arena)
{
    X509_CRL *crl = X509_CRL_new();
    X509_NAME *issuer = name_of(issuer_cn);
    const time_t now = (time_t)AUTHORITY_NOW;
    time_t from = now + from_s;
    time_t until = now + until_s;
    unsigned char *der = NULL;
    const unsigned char *p = issuer_der.ptr;
    X509 *ca = d2i_X509(NULL, &p, (long)issuer_der.len);
    must(crl != NULL && ca != NULL);
    must(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
    must(X509_CRL_set_issuer_name(crl, issuer) == 1);
    ASN1_TIME *t = ASN1_TIME_set(NULL, from);
    must(X509_CRL_set1_lastUpdate(crl, t) == 1);
    ASN1_TIME_set(t, until);
    must(X509_CRL_set1_nextUpdate(crl, t) == 1);
    if (serial != 0) {
        X509_REVOKED *r = X509_REVOKED_new();
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_TIME_set(t, from);
        must(ASN1_INTEGER_set(number, serial) == 1 && X509_REVOKED_set_serialNumber(r, number) == 1
             && X509_REVOKED_set_revocationDate(r, t) == 1 && X509_CRL_add0_revoked(crl, r) == 1);
        ASN1_INTEGER_free(number);
    }
    ASN1_TIME_free(t);
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, ca, NULL, NULL, crl, 0);
    X509_EXTENSION *aki = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    must(aki != NULL);
    must(X509_CRL_add_ext(crl, aki, -1) == 1);
    X509_EXTENSION_free(aki);
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    must(ASN1_INTEGER_set(n, 1) == 1);
    must(X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, 0) == 1);
    ASN1_INTEGER_free(n);
    must(X509_CRL_sign(crl, key, EVP_sha256()) > 0);
    const int len = i2d_X509_CRL(crl, &der);
    X509_NAME_free(issuer);
    X509_free(ca);
    X509_CRL_free(crl);
    return give(der, len, false, arena);
}

static atls_bytes drain(BIO *b, atls_arena *arena)
{
    atls_error err = {0};
    atls_bytes out;
    char *data = NULL;
    const long len = BIO_get_mem_data(b, &data);
    must(len > 0);
    must(atls_arena_copy(arena, atls_bytes_of((const uint8_t *)data, (size_t)len), &out, &err));
    BIO_free(b);
    return out;
}

atls_bytes authority_key_pem(EVP_PKEY *key, atls_arena *arena)
{
    BIO *b = BIO_new(BIO_s_mem());
    must(PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL) == 1);
    return drain(b, arena);
}

atls_bytes authority_pem(const atls_bytes *ders, size_t n, atls_arena *arena)
{
    BIO *b = BIO_new(BIO_s_mem());
    for (size_t i = 0; i < n; i++) {
        must(PEM_write_bio(b, "CERTIFICATE", "", ders[i].ptr, (long)ders[i].len) > 0);
    }
    return drain(b, arena);
}

void authority_spki_sha256(EVP_PKEY *key, uint8_t out[32])
{
    unsigned char *der = NULL;
    unsigned n = 0;
    const int len = i2d_PUBKEY(key, &der);
    must(len > 0);
    must(EVP_Digest(der, (size_t)len, out, &n, EVP_sha256(), NULL) == 1);
    OPENSSL_free(der);
}
