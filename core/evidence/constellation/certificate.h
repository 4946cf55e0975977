/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h: the certificate that carries a document: what must hold of it, and which extension decides.
 *
 * Source: specification of constellation, sections 3 and 7. */
#ifndef ATLS_CONSTELLATION_CERTIFICATE_H
#define ATLS_CONSTELLATION_CERTIFICATE_H

#include "document.h"
#include "pki/cert.h"

/* A document of 1 MiB and the certificate around it. */
#define CONSTELLATION_MAX_CERT_LEN (CONSTELLATION_MAX_DOCUMENT_LEN + 4096u)

/* Room for an OID in figures and its NUL; longer ones have no text. */
#define CONSTELLATION_OID_TEXT_SIZE 64

/* constellation_oid_text writes the content of an OID as figures with dots, "" when there is no room. */
void constellation_oid_text(atls_bytes oid, char out[CONSTELLATION_OID_TEXT_SIZE]);

/* constellation_oid_name gives the name of an attestation format by its OID in figures, NULL when it is not known.
 * *is_document says whether it is one of this profile's documents. Static. Source: sections 8; ra-tls. */
const char *constellation_oid_name(const char *oid, bool *is_document);

typedef struct constellation_certificate {
    atls_cert cert;                                 /* borrows the DER */
    uint8_t user_data[CONSTELLATION_USER_DATA_LEN]; /* SHA-256 of its SubjectPublicKeyInfo */
} constellation_certificate;

/* constellation_certificate_check reads one DER certificate, at most CONSTELLATION_MAX_CERT_LEN bytes, and makes sure of: a
 * P-256 key and ecdsa-with-SHA256; `now` within its validity; no critical extension that is not understood; no extended
 * key usage that leaves servers out; signed by its own key. Possession of the key is TLS's business.
 * Errors: the reader's (ENCODING, TRUNCATED, TRAILING, LIMIT), NOT_YET_VALID, EXPIRED, UNSUPPORTED, IDENTITY, each with a
 * field below "certificate"; MEMORY, INTERNAL. */
ATLS_MUST_USE bool constellation_certificate_check(const atls_crypto *c, atls_bytes der, atls_time now,
                                                   constellation_certificate *out, atls_error *err);

/* constellation_certificate_find gives the extension that decides: the first whose OID (in figures) is one of n `oids`, and
 * which of them it is. Errors: PROTOCOL when there are two documents that we know by name or are asked for; UNSUPPORTED
 * with the OIDs that were found when there is none. */
ATLS_MUST_USE bool constellation_certificate_find(const atls_cert *cert, const char *const *oids, size_t n,
                                                  size_t *which, atls_bytes *document, atls_error *err);

#endif
