/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_template.h: the certificate of section 3, and the key that it is for.
 *
 * Every handshake has a key of its own. Making the objects around it is what costs: OpenSSL 3.0 takes longer to put a key
 * into a certificate than to verify two signatures. So the objects are made once, and a handshake puts into them a new
 * key, serial number, time, document and signature. Between handshakes they wait on a shelf, with the key
 * of the next one. */
#ifndef ATLS_EDGE_TLS_CONSTELLATION_TEMPLATE_H
#define ATLS_EDGE_TLS_CONSTELLATION_TEMPLATE_H

#include <sys/types.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "atls/bytes.h"
#include "atls/error.h"
#include "atls/time.h"
#include "pki/signature.h"

#define ATLS_TEMPLATE_SERIAL_LEN 16u

typedef struct atls_template_shelf atls_template_shelf;

typedef struct atls_template {
    EVP_PKEY *key;
    X509 *certificate;       /* holds the same object as its public key */
    EVP_PKEY_CTX *generator; /* of keys */
    pid_t process;           /* that made the key: what waits on a shelf is in every child of fork, too */
    atls_time time;          /* that the certificate's validity is around; UNSET: none yet */
} atls_template;

/* atls_template_shelf_new makes an empty shelf, the caller's. Any number of threads may share it. Errors: MEMORY. */
ATLS_MUST_USE bool atls_template_shelf_new(atls_template_shelf **out, atls_error *err);
/* atls_template_shelf_free frees it with what lies there; NULL is fine. */
void atls_template_shelf_free(atls_template_shelf *shelf);

/* atls_template_take gives a template with a P-256 key that was never used, and SHA-256 of its SubjectPublicKeyInfo. The caller's, alone,
 * until it gives it back or frees it. out is zeroed on failure. Errors: INTERNAL, MEMORY. */
ATLS_MUST_USE bool atls_template_take(atls_template_shelf *shelf, const atls_crypto *crypto, atls_template *out,
                                      uint8_t user_data[32], atls_error *err);
/* What a certificate says beside its key. */
typedef struct atls_template_content {
    const uint8_t *serial; /* ATLS_TEMPLATE_SERIAL_LEN random bytes */
    const char *oid;       /* of the extension, in figures; NULL: none */
    atls_bytes document;   /* its content */
    atls_time now;
} atls_template_content;

/* atls_template_fill writes all that and signs. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_template_fill(atls_template *t, const atls_template_content *content, atls_error *err);
/* atls_template_give destroys the key, makes the next one, and puts all of it back. Nobody else may hold a reference any
 * more. */
void atls_template_give(atls_template_shelf *shelf, atls_template *t);
/* atls_template_free gives up our references: for a template that somebody else may hold still. Zeroed: nothing. */
void atls_template_free(atls_template *t);

#endif
