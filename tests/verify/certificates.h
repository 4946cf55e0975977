/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h: certificates with any extensions, made with OpenSSL, and the values that attestation formats put into
 * them. Everything is in the lab's arena. */
#ifndef ATLS_TESTS_CERTIFICATES_H
#define ATLS_TESTS_CERTIFICATES_H

#include "atls/arena.h"
#include "base/text.h"
#include "sim/sim.h"

typedef struct lab {
    atls_arena arena;
    atls_error err;
    atls_bytes key; /* DER of the private key of the certificate made last */
} lab;

/* lab_open aborts when there is no memory, as everything here does. */
void lab_open(lab *l);
void lab_close(lab *l);

typedef struct lab_extension {
    const char *oid; /* dotted */
    bool critical;
    atls_bytes value;
} lab_extension;

/* lab_certificate makes a self-signed certificate of CN=Constellation with these extensions. */
atls_bytes lab_certificate(lab *l, const lab_extension *extensions, size_t n);

/* Values. A quote is the simulator's. */
atls_bytes lab_quote(lab *l, sim_kind kind);
atls_bytes lab_hex(lab *l, const char *hex);
atls_bytes lab_join(lab *l, atls_bytes a, atls_bytes b);
/* one element of DER, and one head of CBOR (major type 0 to 7) with n */
atls_bytes lab_der(lab *l, unsigned tag, atls_bytes content);
atls_bytes lab_cbor(lab *l, unsigned major, uint64_t n);
atls_bytes lab_cbor_bytes(lab *l, atls_bytes content);
/* {"RawQuote":"<base64>","UserData":"..."} */
atls_bytes lab_tdx_document(lab *l, atls_bytes quote);
/* tag([evidence, {"pubkey-hash": [alg, hash]}]) */
atls_bytes lab_tagged(lab *l, uint64_t tag, atls_bytes evidence, atls_bytes claims);
atls_bytes lab_claims(lab *l);
/* SEQUENCE { OID (hex of the element), [0] { SEQUENCE { OID, OCTET STRING } } } */
atls_bytes lab_rats(lab *l, const char *oid_hex, atls_bytes body);

#endif
