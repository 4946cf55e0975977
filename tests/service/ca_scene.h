/* SPDX-License-Identifier: Apache-2.0 */
/* ca_scene.h: a CA in a folder of its own, and a phone that wants a certificate. A test changes one thing. */
#ifndef ATLS_TESTS_SERVICE_CA_SCENE_H
#define ATLS_TESTS_SERVICE_CA_SCENE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "atls/enrolled.h"
#include "edge/service/ca.h"
#include "edge/service/ca_der.h"

#define SCENE_NOW ((atls_time)1800000000) /* 2027-01-15T08:00:00Z */

typedef struct ca_scene {
    char dir[64];
    atls_ca_init_options init;
    atls_ca_options open;
    atls_ca *ca;
    atls_arena arena; /* of the grant */
    atls_error err;
    EVP_PKEY *phone;
    uint8_t spki[2048];
    uint8_t nonce[32];
    uint8_t nonce_sha256[32];
    uint8_t policy_sha256[32];
    atls_enrol_csr csr;
    uint8_t csr_block[64 * 1024];
    size_t csr_used;
    atls_enrol_grant grant;
    atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES];
    size_t n;
} ca_scene;

/* ca_scene_begin makes the folder, the phone and its grant; no CA. ca_scene_end takes everything away. */
void ca_scene_begin(ca_scene *s);
void ca_scene_end(ca_scene *s);
/* ca_scene_make makes the CA and opens it with a profile (NULL: the one that was made with it). Fails the test if it cannot. */
void ca_scene_make(ca_scene *s, const char *profile);
/* ca_scene_reopen opens it again; false with s->err set. */
bool ca_scene_reopen(ca_scene *s, const char *profile);
/* ca_scene_issue issues for s->grant; false with s->err set. The arena is used anew each time. */
bool ca_scene_issue(ca_scene *s);
/* ca_scene_issued issues, fails the test if it cannot, and gives the certificate: the caller's. */
X509 *ca_scene_issued(ca_scene *s);
/* ca_scene_path gives DIR/name; overwritten by the fourth call after. */
const char *ca_scene_path(const ca_scene *s, const char *name);
/* ca_scene_put writes a file. */
void ca_scene_put(const ca_scene *s, const char *name, const char *text, unsigned mode);
/* ca_scene_nonce makes the nonce of this number, in the request as well. */
void ca_scene_nonce(ca_scene *s, unsigned number);
/* ca_scene_key gives the phone a key: "P-256", "P-384", "RSA", "P-521". */
void ca_scene_key(ca_scene *s, const char *kind);

/* The request's wishes. Attributes and extensions come in pairs of OID (dotted) and DER. */
typedef struct ca_wish {
    const char *oid; /* NULL: the end */
    uint8_t tag;     /* of names */
    const char *value;
    size_t len; /* 0: strlen */
} ca_wish;
/* ca_scene_names sets the subject: one RDN for each, then the nonce's. */
void ca_scene_names(ca_scene *s, const ca_wish *names);
/* ca_scene_extensions asks for extensions; values are content of extnValue. */
void ca_scene_extensions(ca_scene *s, const ca_wish *extensions);

/* ca_scene_verify asks OpenSSL: purpose client, root trusted, the others offered. X509_V_OK or its error. */
int ca_scene_verify(const ca_scene *s, atls_time at);

/* ca_scene_memmem tells whether part occurs. */
bool ca_scene_contains(atls_bytes in, atls_bytes part);

#endif
