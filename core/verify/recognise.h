/* SPDX-License-Identifier: Apache-2.0 */
/* recognise.h: which attestation formats a certificate carries, by name. Recognised, not verified: no signature, digest,
 * date or binding is looked at here, and nothing here can make a verdict.
 *
 * recognise.c         one table of object identifiers, and the walk over a certificate's extensions
 * recognise_shapes.c  what is inside a value, as far as its first bytes and outermost structure tell
 * recognise_der.c     the same for values in DER; recognise_json.c for the documents of Constellation
 *
 * A format is known by its OID; the OID decides the name, the shape of the value only confirms it ("problem" otherwise).
 * Two uses of one OID are told apart by shape. Values of unknown extensions are recognised by shape alone from
 * ATLS_SNIFF_MIN_LEN bytes on. docs/recognition.md has the table in words.
 * Source: specification of other RA-TLS formats; constellation section 8; dstack section 7.5. */
#ifndef ATLS_VERIFY_RECOGNISE_H
#define ATLS_VERIFY_RECOGNISE_H

#include "atls/result.h"
#include "pki/outline.h"

#define ATLS_SNIFF_MIN_LEN 64u /* shorter values are too easily something else */

/* The words that go with everything recognised. */
#define ATLS_RECOGNISED_STATUS "recognised, not verified"
/* What is said of a certificate with more than one piece of evidence. */
#define ATLS_RECOGNISED_TWO                                                                                            \
    "more than one attestation format in one certificate: none of them would be verified unless the caller picks one"

/* Something recognised. Texts are static or in the arena, never NULL unless it says so. */
typedef struct atls_recognised {
    const char *oid;             /* of the extension, dotted; "" for a value without one */
    const char *format;          /* "Constellation qemu-tdx" */
    bool is_evidence;            /* false: something that goes with evidence (collateral, a log, an id) */
    bool by_shape;               /* the OID says nothing (unknown, or there is none) */
    bool critical;               /* the extension is marked so */
    atls_grade best_grade;       /* of evidence: the most that this format could give if all of it were verified */
    const char *session_profile; /* the profile whose sessions verify it; NULL: atls verifies it in none */
    const char *inside;          /* "JSON document, Intel TDX quote, version 4"; "" when it cannot be told */
    const char *note;            /* what the grade rests on, "" */
    const char *problem;         /* why the value is not what the name promises; "" when the shape is right */
    atls_bytes quote;            /* an Intel quote in it, to be shown; empty: none. Borrowed, or in the arena */
} atls_recognised;

typedef struct atls_recognised_extension {
    const char *oid;               /* dotted */
    const char *name;              /* NULL: unknown */
    atls_extension raw;            /* borrowed */
    const atls_recognised *format; /* NULL: nothing of attestation is recognised */
} atls_recognised_extension;

typedef struct atls_recognition {
    const atls_cert_outline *outline;
    const atls_recognised_extension *extensions; /* in their order */
    size_t n_extensions;
    const atls_recognised *formats; /* those of the extensions that have one, in their order */
    size_t n_formats;
    size_t n_evidence;   /* formats that are evidence; from two on nothing would be verified */
    const char *problem; /* what is odd about the certificate itself, "" */
} atls_recognition;

/* atls_recognise_certificate looks at one certificate, DER. out borrows der and lives in the arena. Pure.
 * Errors: what atls_cert_outline_read refuses; MEMORY. Anything else odd is told in `problem`. */
ATLS_MUST_USE bool atls_recognise_certificate(atls_bytes der, atls_arena *a, atls_recognition *out, atls_error *err);

/* atls_recognise_blob looks at a value without a name, by shape alone. *found tells whether it is recognised; shorter
 * values than ATLS_SNIFF_MIN_LEN never are. Errors: MEMORY. */
ATLS_MUST_USE bool atls_recognise_blob(atls_bytes value, atls_arena *a, atls_recognised *out, bool *found,
                                       atls_error *err);

/* atls_recognise_line writes one line for people, without a newline, that begins with ATLS_RECOGNISED_STATUS. It may hold
 * text of the peer's: printable ASCII only. NULL with MEMORY. */
ATLS_MUST_USE const char *atls_recognise_line(const atls_recognised *r, atls_arena *a, atls_error *err);

#endif
