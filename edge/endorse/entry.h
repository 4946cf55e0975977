/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h: a file of the cache, as bytes. Pure.
 *
 *   8   "atlsend1"
 *   32  SHA-256 of everything that follows
 *   8   when it was fetched, seconds since 1970, big-endian
 *   4   max-age of a document in seconds; 0 for pieces
 *   2+n address of the source, "" for documents
 *   2+n name of the piece (piece.h)
 *   4+n chain header, as it came
 *   4+n body, as it came
 *
 * The digest finds damage; it is no proof of anything, since whoever can write the file can compute it. */
#ifndef ATLS_EDGE_ENDORSE_ENTRY_H
#define ATLS_EDGE_ENDORSE_ENTRY_H

#include "atls/arena.h"
#include "piece.h"

#define ATLS_MAX_ENTRY_LEN ((size_t)25 * 1024 * 1024)

typedef struct atls_entry {
    atls_time fetched;
    uint32_t max_age_s;
    char source[ATLS_URL_SIZE];
    char path[ATLS_URL_SIZE];
    atls_answer answer; /* borrowed */
} atls_entry;

/* atls_entry_read reads exactly one entry. Slices of out point into in. Errors: COLLATERAL_FORMAT with field "entry.<member>"
 * (also when the digest is not that of the rest), INTERNAL. */
ATLS_MUST_USE bool atls_entry_read(atls_bytes in, const atls_crypto *crypto, atls_entry *out, atls_error *err);

/* atls_entry_write is its counterpart, into the arena. Errors: LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_entry_write(const atls_entry *in, const atls_crypto *crypto, atls_arena *arena, atls_bytes *out,
                                    atls_error *err);

/* atls_entry_key is what the entry of a piece of a source is found by: SHA-256 of both names. Errors: INTERNAL. */
ATLS_MUST_USE bool atls_entry_key(const char *source, const char *path, const atls_crypto *crypto, uint8_t out[32],
                                  atls_error *err);

#endif
