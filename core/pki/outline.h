/* SPDX-License-Identifier: Apache-2.0 */
/* outline.h: what can still be seen of a certificate that cert.h would refuse. For showing, never for believing.
 *
 * The elements must be DER; beyond that nothing is insisted upon: any version, any serial, any date, any number of the
 * same extension, a default value spelt out, unique ids, bytes after the end. What is odd is noted, and reading goes on.
 * No decision about trust may rest on an outline: two readers as lenient as this one see different certificates. */
#ifndef ATLS_PKI_OUTLINE_H
#define ATLS_PKI_OUTLINE_H

#include "cert.h"

#define ATLS_MAX_OUTLINE_EXTENSIONS 64u /* shown; more are noted */

typedef struct atls_cert_outline {
    atls_bytes der;           /* what was given */
    atls_bytes serial;        /* content of the INTEGER as it stands; this and what follows: empty when not found */
    atls_bytes issuer;        /* Name, whole encoding */
    atls_bytes subject;       /* same */
    atls_bytes key_algorithm; /* content of the OID */
    atls_key_kind key;        /* UNKNOWN: another algorithm or curve than those of cert.h */
    bool has_not_before;      /* found, and a date of RFC 5280; 1970-01-01T00:00:00Z is one (phones write it) */
    bool has_not_after;
    atls_time not_before;
    atls_time not_after;
    bool is_ca;                                             /* basicConstraints says so */
    atls_extension extensions[ATLS_MAX_OUTLINE_EXTENSIONS]; /* in their order, repeated ones too */
    size_t n_extensions;
} atls_cert_outline;

/* atls_cert_outline_read reads what it can, at most ATLS_MAX_SHOWN_CERT_LEN bytes. out borrows der. False only when der
 * is not a SEQUENCE that begins with a SEQUENCE, or too long; then out is empty. `odd` gets the first oddity, and stays
 * without one (code OK) when there is none; ENCODING, TRUNCATED, TRAILING or LIMIT, field "certificate...". */
ATLS_MUST_USE bool atls_cert_outline_read(atls_bytes der, atls_cert_outline *out, atls_error *odd);

/* atls_oid_text writes the content of an OID in dotted form, "1.3.9900.5.99", into the arena; "oid-" and hex digits when
 * it is not one, or has an arc beyond 64 bits. NULL with MEMORY. */
ATLS_MUST_USE const char *atls_oid_text(atls_bytes oid, atls_arena *a, atls_error *err);

#endif
