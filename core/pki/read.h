/* SPDX-License-Identifier: Apache-2.0 */
/* read.h: what the readers of certificates and of CRLs share. Inside core/pki only. */
#ifndef ATLS_PKI_READ_H
#define ATLS_PKI_READ_H

#include "base/der.h"
#include "cert.h"

/* atls_read_sequence reads one SEQUENCE and gives its whole encoding. */
ATLS_MUST_USE bool atls_read_sequence(atls_cur *c, const char *field, atls_bytes *whole);

/* atls_read_algorithm_id reads SEQUENCE { OID, parameters ANY OPTIONAL } and nothing more (RFC 5280 4.1.1.2). */
typedef struct atls_algorithm_id {
    atls_bytes whole;
    atls_bytes oid;        /* content */
    atls_bytes parameters; /* whole encoding, empty when absent */
} atls_algorithm_id;
ATLS_MUST_USE bool atls_read_algorithm_id(atls_cur *c, const char *field, atls_algorithm_id *out);

/* atls_read_algorithm reads a signature's AlgorithmIdentifier: its whole encoding, and which it is (UNKNOWN when not in
 * the list). A known one with parameters it must not have is ENCODING. */
ATLS_MUST_USE bool atls_read_algorithm(atls_cur *c, const char *field, atls_sig_alg *alg, atls_bytes *whole);

/* atls_read_signed reads the outer SEQUENCE { tbs, algorithm, BIT STRING } that certificates and CRLs have in common,
 * and nothing after it. tbs is a whole encoding. */
typedef struct atls_signed {
    atls_bytes tbs;
    atls_sig_alg alg;
    atls_bytes alg_der;
    atls_bytes signature;
} atls_signed;
ATLS_MUST_USE bool atls_read_signed(atls_bytes der, atls_signed *out, atls_error *err);
/* atls_signed_agrees wants the algorithm that stands inside, where it is signed, to be the one outside. Errors: ENCODING. */
ATLS_MUST_USE bool atls_signed_agrees(const atls_signed *s, atls_bytes inner_algorithm, atls_error *err);

/* atls_read_serial reads a serial number: unsigned, at most 20 bytes (RFC 5280 4.1.2.2). */
ATLS_MUST_USE bool atls_read_serial(atls_cur *c, const char *field, atls_bytes *out);

/* atls_read_serial_of_phone gives the content of the INTEGER as it stands, 1 to 64 bytes, two's complement. */
ATLS_MUST_USE bool atls_read_serial_of_phone(atls_cur *c, const char *field, atls_bytes *out);

/* atls_read_name reads a Name, whole, and checks its structure: SEQUENCE of non-empty SETs of { OID, any }. */
ATLS_MUST_USE bool atls_read_name(atls_cur *c, const char *field, atls_bytes *whole);

/* atls_read_extensions reads the content of a non-empty SEQUENCE OF Extension into out: at most max, none twice. */
ATLS_MUST_USE bool atls_read_extensions(atls_cur *c, const char *field, atls_extension *out, size_t max, size_t *n);

/* atls_read_extensions_of_phone is the same, and takes a `critical` that is FALSE and spelt out. */
ATLS_MUST_USE bool atls_read_extensions_of_phone(atls_cur *c, const char *field, atls_extension *out, size_t max,
                                                 size_t *n);

/* atls_read_key_kind tells which kind of key a whole AlgorithmIdentifier names, UNKNOWN when none of ours. cert.c */
atls_key_kind atls_read_key_kind(atls_bytes algorithm);

/* atls_oid_is_id_ce tells whether oid is 2.5.29.arc. */
bool atls_oid_is_id_ce(atls_bytes oid, uint8_t arc);

/* AuthorityKeyIdentifier (RFC 5280 4.2.1.1): every member is optional; issuer and serial come together. */
typedef struct atls_authority_key {
    atls_bytes key_id;
    atls_bytes issuer; /* content of authorityCertIssuer, empty: absent */
    atls_bytes serial; /* magnitude, empty: absent */
} atls_authority_key;
ATLS_MUST_USE bool atls_read_authority_key(atls_bytes value, const char *field, atls_authority_key *out,
                                           atls_error *err);

/* atls_crl_scope_read reads the content of issuingDistributionPoint: ENCODING, LIMIT, TRAILING, TRUNCATED. scope.c */
ATLS_MUST_USE bool atls_crl_scope_read(atls_bytes value, atls_crl_scope *out, atls_error *err);

/* atls_crl_scope_excludes names the member because of which the list says nothing about a certificate of the list's
 * issuer; NULL: it covers it. scope.c */
const char *atls_crl_scope_excludes(const atls_crl_scope *scope, const atls_cert *cert);

#endif
