/* SPDX-License-Identifier: Apache-2.0 */
/* nitro.h: attestation documents of AWS Nitro: enclaves and NitroTPM.
 *
 *   COSE_Sign1 = [ protected, unprotected, payload, signature ]     RFC 9052, tag 18 or none
 *   payload    = { module_id, digest, timestamp, pcrs | nitrotpm_pcrs, certificate, cabundle, public_key, user_data, nonce }
 *
 * decode.c        envelope and payload: every length checked, nothing believed
 * authenticate.c  chain from the pinned root, signature, digest, timestamp: alone makes claims
 * chain.c         certificates: the walk along cabundle, and the region in their names
 * revocation.c    lists, as far as there are any
 * appraise.c      kind, age, debug, registers, who and where
 *
 * Not checked here: what the image does, whether its console is read in debug mode when a policy allows that, the content
 * of public_key, anything in the unprotected header (nobody signs it), whether module_id fits the certificates' names.
 *
 * Source of all of it: the Nitro specification of this project (nitro.md); sections are its. */
#ifndef ATLS_EVIDENCE_NITRO_H
#define ATLS_EVIDENCE_NITRO_H

#include "evidence/format.h"
#include "pki/chain.h"

#define NITRO_MAX_DOCUMENT_LEN (32u * 1024) /* the device's own limit is 12 KiB */
#define NITRO_MAX_CABUNDLE     8u           /* real ones have 4 */
#define NITRO_MAX_CERT_LEN     1024u        /* AWS' CDDL */
#define NITRO_MAX_DATA_LEN     1024u        /* user_data, nonce, public_key: AWS documents 512 or 1024 */
#define NITRO_MAX_TEXT_LEN     256u         /* module_id; real ones have 39 characters */
#define NITRO_MAX_MEMBERS      64u          /* of the payload; AWS has 9 */
#define NITRO_MAX_DEPTH        8u
#define NITRO_SIGNATURE_LEN    96u /* r || s of P-384 */

/* A document as it was received; everything borrows from it. */
typedef struct nitro_document {
    bool is_tagged;              /* tag 18 in front */
    atls_bytes protected_header; /* content of the byte string, as received: signed */
    atls_bytes payload;          /* same */
    atls_bytes signature;        /* r || s */
    size_t unprotected_len;      /* bytes of the unprotected header: 1 is the empty map */
    bool is_nitrotpm;
    atls_bytes module_id;
    atls_bytes digest; /* text */
    uint64_t timestamp_ms;
    uint32_t pcrs; /* bit i: pcr[i] is there */
    atls_bytes pcr[ATLS_NITRO_PCRS];
    atls_bytes certificate; /* DER, the leaf */
    atls_bytes cabundle[NITRO_MAX_CABUNDLE];
    size_t n_cabundle;
    atls_nitro_optional public_key;
    atls_nitro_optional user_data;
    atls_nitro_optional nonce;
} nitro_document;

/* nitro_document_decode reads exactly one document, 1 to NITRO_MAX_DOCUMENT_LEN bytes; out borrows in. Errors:
 * EVIDENCE_FORMAT with a field such as "document.payload.pcrs", marked unsupported for another algorithm. */
ATLS_MUST_USE bool nitro_document_decode(atls_bytes in, nitro_document *out, atls_error *err);

/* nitro_payload_decode reads the payload alone. Errors: ENCODING, TRUNCATED, TRAILING, LIMIT with "payload.<member>". */
ATLS_MUST_USE bool nitro_payload_decode(atls_bytes payload, nitro_document *out, atls_error *err);

/* nitro_signed_bytes builds the Sig_structure of RFC 9052 section 4.4 over header and payload as they were received. */
ATLS_MUST_USE bool nitro_signed_bytes(const nitro_document *d, atls_arena *arena, atls_bytes *out, atls_error *err);

/* The certificates of a document, from the root down. */
typedef struct nitro_chain {
    atls_cert *certs[NITRO_MAX_CABUNDLE + 1]; /* the last one is the leaf */
    size_t n;                                 /* at least 2 */
    const atls_anchor *anchor;
} nitro_chain;

/* nitro_chain_root decodes the certificates; the first must be one of the policy's roots (section 3). Errors:
 * CERTIFICATE_CHAIN with a field such as "document.payload.cabundle[0]". */
ATLS_MUST_USE bool nitro_chain_root(const nitro_document *d, const atls_authority *auth, atls_arena *arena,
                                    nitro_chain *out, atls_error *err);

/* nitro_chain_walk checks every certificate at an instant, and every link from the root to the leaf. Errors:
 * CERTIFICATE_CHAIN, EXPIRED, NOT_YET_VALID with a field such as "document.payload.cabundle[2].signature". */
ATLS_MUST_USE bool nitro_chain_walk(const nitro_chain *chain, const atls_authority *auth, atls_time at,
                                    atls_error *err);

/* nitro_chain_leaf checks what the certificate of the document's key may do. Errors: CERTIFICATE_CHAIN. */
ATLS_MUST_USE bool nitro_chain_leaf(const nitro_chain *chain, atls_error *err);

/* nitro_chain_field gives the name of certificate i in errors. Static. */
const char *nitro_chain_field(const nitro_chain *chain, size_t i);

/* nitro_chain_region gives the region that every authority below the root names, empty when they name none or several.
 * Borrowed from the certificates. */
atls_bytes nitro_chain_region(const nitro_chain *chain);

/* nitro_revocation looks the chain up in the lists that are at hand, as the policy's mode asks, and records one check. *n
 * counts the certificates that a valid list covers. Errors: REVOKED, CRL, EXPIRED, NOT_YET_VALID, ENDORSEMENTS_MISSING. */
ATLS_MUST_USE bool nitro_revocation(const nitro_chain *chain, const atls_authority *auth, atls_time at,
                                    atls_arena *arena, uint8_t *n, atls_trace *trace, atls_error *err);

/* nitro_pcr_name gives "0" to "31", the names of registers in JSON. Static. */
const char *nitro_pcr_name(size_t i);

/* The doors. */
const atls_format *nitro_format(void);
bool nitro_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                        atls_trace *trace, atls_error *err);
bool nitro_bind(const void *evidence, const atls_crypto *crypto, const atls_binding_value *in, uint8_t expected[64],
                size_t *len, atls_error *err);
bool nitro_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                    atls_trace *trace, atls_error *err);
bool nitro_names_code(const atls_policy *policy);
bool nitro_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
void nitro_put_claims(struct atls_jw *w, const atls_claims *claims);

#endif
