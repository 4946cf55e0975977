/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h: an enrolment CA of the test's own, made with OpenSSL: a root, an issuer below it, a phone's certificate below
 * that, and revocation lists. Each certificate is a plan that a case may change before it is signed. */
#ifndef ATLS_TESTS_ENROL_AUTHORITY_H
#define ATLS_TESTS_ENROL_AUTHORITY_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "atls/atls.h"
#include "atls/enrolled.h"

#define AUTHORITY_NOW ((atls_time)1781524800) /* 2026-06-15T12:00:00Z */
#define AUTHORITY_APP "org.example.app"
#define DAY           86400

/* One certificate. NULL: the extension is left out. */
typedef struct cert_plan {
    const char *cn;
    const char *issuer_cn;
    const char *constraints; /* "critical,CA:TRUE" */
    const char *usage;       /* "critical,digitalSignature" */
    const char *extended;    /* "clientAuth" */
    long from_s;             /* from AUTHORITY_NOW on */
    long until_s;
    bool has_attested; /* the extension of enrolled.h, with what stands here */
    atls_enrolled attested;
    bool attested_broken;   /* one byte behind it */
    bool attested_critical; /* and marked so */
    bool unknown_critical;
    bool spoilt; /* a bit of the signature is changed */
    EVP_PKEY *key;
    EVP_PKEY *signer;
} cert_plan;

typedef struct authority {
    EVP_PKEY *root_key;
    EVP_PKEY *ca_key;
    EVP_PKEY *phone_key;
    EVP_PKEY *other_key;
    cert_plan root;
    cert_plan ca;
    cert_plan phone;
} authority;

/* authority_open makes honest plans, and keys: the same ones in each run. What fails in here aborts. */
void authority_open(authority *a);
void authority_close(authority *a);

/* authority_cert makes the certificate of a plan, DER in the arena. */
atls_bytes authority_cert(const cert_plan *plan, atls_arena *arena);
/* authority_crl makes a list: serial 0: nothing is revoked. Dates in seconds from AUTHORITY_NOW. */
atls_bytes authority_crl(const char *issuer_cn, EVP_PKEY *key, atls_bytes issuer_der, long serial, long from_s,
                         long until_s, atls_arena *arena);
/* authority_key_pem, authority_pem are what files hold. */
atls_bytes authority_key_pem(EVP_PKEY *key, atls_arena *arena);
atls_bytes authority_pem(const atls_bytes *ders, size_t n, atls_arena *arena);
/* authority_spki_sha256 hashes a key as a certificate holds it. */
void authority_spki_sha256(EVP_PKEY *key, uint8_t out[32]);

#endif
