/* SPDX-License-Identifier: Apache-2.0 */
/* audit_line.h: the lines of the audit log (audit.h has their form): how they are written, and how a chain of them is checked. */
#ifndef ATLS_EDGE_SERVICE_AUDIT_LINE_H
#define ATLS_EDGE_SERVICE_AUDIT_LINE_H

#include "atls/arena.h"
#include "audit.h"
#include "pki/signature.h"

/* Room for the writing of a line, and for the reading of one: a node of JSON for every second byte. */
#define ATLS_AUDIT_WRITE_SIZE ((size_t)32 * 1024)
#define ATLS_AUDIT_READ_SIZE  ((size_t)512 * 1024)

/* Where a chain stands: the last good line. */
typedef struct atls_audit_place {
    bool is_known;
    uint64_t seq;
    uint8_t digest[ATLS_AUDIT_DIGEST_LEN];
} atls_audit_place;

/* ---- writing ---------------------------------------------------------------------------------------------------------- */

/* Each makes the line after `last` (seq 1 after nothing) in the arena, newline included, and moves *next to it.
 * Errors: USAGE, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_audit_line_begin(const atls_crypto *c, int64_t time_ms, const atls_audit_place *last,
                                         atls_arena *a, atls_bytes *line, atls_audit_place *next, atls_error *err);
ATLS_MUST_USE bool atls_audit_line_request(const atls_crypto *c, const atls_audit_entry *e,
                                           const atls_audit_place *last, atls_arena *a, atls_bytes *line,
                                           atls_audit_place *next, atls_error *err);
/* torn: the bytes that the line seals */
ATLS_MUST_USE bool atls_audit_line_torn(const atls_crypto *c, int64_t time_ms, atls_bytes torn,
                                        const atls_audit_place *last, atls_arena *a, atls_bytes *line,
                                        atls_audit_place *next, atls_error *err);

/* ---- checking --------------------------------------------------------------------------------------------------------- */

/* A line is settled by the one after it: a bad one is fine if that seals it. */
typedef struct atls_audit_chain {
    const atls_crypto *crypto;
    atls_arena *arena;     /* ATLS_AUDIT_READ_SIZE; reset for every line */
    bool is_middle;        /* it does not begin with the first line of a file */
    const uint8_t *wanted; /* a digest that is looked for; NULL: none */
    uint64_t line;         /* number of the last one */
    atls_audit_place head; /* after the last line; unchanged by a bad one */
    bool is_bad;           /* the last line */
    size_t last_len;
    uint8_t last_sha256[ATLS_AUDIT_DIGEST_LEN];
    atls_error why; /* is_bad */
    atls_audit_report report;
} atls_audit_chain;

void atls_audit_chain_init(atls_audit_chain *c, const atls_crypto *crypto, atls_arena *arena, bool is_middle);
/* atls_audit_chain_add takes the next line, without its newline. False: the line before it is bad for good. */
ATLS_MUST_USE bool atls_audit_chain_add(atls_audit_chain *c, atls_bytes line, atls_error *err);
/* atls_audit_chain_end takes what stands after the last newline (mostly nothing), and makes the report. */
ATLS_MUST_USE bool atls_audit_chain_end(atls_audit_chain *c, atls_bytes rest, atls_error *err);

#endif
