/* SPDX-License-Identifier: Apache-2.0 */
/* cbor.h: a strict reader for deterministic CBOR (RFC 8949 sections 3 and 4.2.1), pull style, over the cursor.
 *
 * Definite lengths, shortest heads; text is valid UTF-8. `deterministic` further asks that map keys come in bytewise
 * order, which makes duplicates visible at once; readers of other people's CBOR (COSE, Nitro, WebAuthn) turn the order
 * off and duplicates are still refused by the callers' own maps. Floats must be as short as their value allows (4.1 and
 * 4.2.1; a NaN as short as its payload allows). Simple values other than false, true, null and undefined are refused.
 * Failures: ENCODING, TRUNCATED, LIMIT with the field; a failure moves nothing. */
#ifndef ATLS_BASE_CBOR_H
#define ATLS_BASE_CBOR_H

#include "cursor.h"

typedef enum atls_cbor_type {
    ATLS_CBOR_UINT,
    ATLS_CBOR_NEGATIVE, /* value is -1 - n */
    ATLS_CBOR_BYTES,
    ATLS_CBOR_TEXT,
    ATLS_CBOR_ARRAY,
    ATLS_CBOR_MAP,
    ATLS_CBOR_TAG,
    ATLS_CBOR_FALSE,
    ATLS_CBOR_TRUE,
    ATLS_CBOR_NULL,
    ATLS_CBOR_UNDEFINED,
    ATLS_CBOR_FLOAT,
} atls_cbor_type;

typedef struct atls_cbor_item {
    atls_cbor_type type;
    uint64_t n; /* UINT, NEGATIVE: n; ARRAY, MAP: elements, pairs; TAG: number; FLOAT: the value's binary64 bits */
    atls_bytes bytes; /* BYTES, TEXT: content */
} atls_cbor_item;

/* atls_cbor_head reads one item's head, and for strings its content. Elements of arrays, maps and tags follow. */
ATLS_MUST_USE bool atls_cbor_head(atls_cur *c, const char *field, atls_cbor_item *out);
/* Typed reads: ENCODING with expected and actual when the item is of another type. */
ATLS_MUST_USE bool atls_cbor_uint(atls_cur *c, const char *field, uint64_t max, uint64_t *out);
ATLS_MUST_USE bool atls_cbor_int(atls_cur *c, const char *field, int64_t *out);
ATLS_MUST_USE bool atls_cbor_bytes(atls_cur *c, const char *field, atls_bytes *out);
ATLS_MUST_USE bool atls_cbor_text(atls_cur *c, const char *field, atls_bytes *out);
ATLS_MUST_USE bool atls_cbor_bool(atls_cur *c, const char *field, bool *out);
ATLS_MUST_USE bool atls_cbor_array(atls_cur *c, const char *field, uint64_t max, uint64_t *n);
ATLS_MUST_USE bool atls_cbor_map(atls_cur *c, const char *field, uint64_t max, uint64_t *n);
/* atls_cbor_skip checks and passes one whole item, nested ones too, and gives its encoding. deterministic: map keys
 * must be in bytewise order without repeats, at every level. Depth at most ATLS_MAX_CBOR_DEPTH. */
ATLS_MUST_USE bool atls_cbor_skip(atls_cur *c, const char *field, bool deterministic, atls_bytes *whole);
/* atls_cbor_key_order compares two encoded keys: < 0, 0, > 0 as a comes before, is, comes after b. */
int atls_cbor_key_order(atls_bytes a, atls_bytes b);

#endif
