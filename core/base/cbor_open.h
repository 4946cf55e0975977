/* SPDX-License-Identifier: Apache-2.0 */
/* cbor_open.h: maps and arrays whose length may be left open (RFC 8949 section 3.2.2), for formats that write them.
 *
 * Everything else stays as strict as cbor.h: shortest heads, definite strings, valid UTF-8. An open map and a definite one
 * of the same pairs read alike. Nothing is believed about a count: it is compared with `max` before it is used, and an
 * open one as it grows. Failures: ENCODING, TRUNCATED, LIMIT with the field. */
#ifndef ATLS_BASE_CBOR_OPEN_H
#define ATLS_BASE_CBOR_OPEN_H

#include "cbor.h"

/* A map or an array on its way. */
typedef struct atls_cbor_group {
    bool is_open;  /* ends with a break */
    uint64_t left; /* pairs or elements that may follow; of a definite one: that must */
    uint64_t max;  /* most that the caller takes */
} atls_cbor_group;

/* atls_cbor_map_begin, atls_cbor_array_begin read a head of either form. Errors: another type (ENCODING), more than max
 * (LIMIT). */
ATLS_MUST_USE bool atls_cbor_map_begin(atls_cur *c, const char *field, uint64_t max, atls_cbor_group *out);
ATLS_MUST_USE bool atls_cbor_array_begin(atls_cur *c, const char *field, uint64_t max, atls_cbor_group *out);

/* atls_cbor_more says whether another pair or element follows; a break that ends the group is read. Errors: TRUNCATED, an
 * open group that holds more than max (LIMIT). */
ATLS_MUST_USE bool atls_cbor_more(atls_cur *c, const char *field, atls_cbor_group *g, bool *more);

#define ATLS_CBOR_OPEN_PAIRS 64u /* pairs of one map that atls_cbor_skip_open passes: it remembers their keys */

/* atls_cbor_skip_open checks and passes one whole item, maps and arrays of either form in it, and gives its encoding (whole
 * may be NULL). No map holds a key twice, whatever the order; keys are compared as they are encoded. Groups and tags are at
 * most `depth` deep, which is at most ATLS_MAX_CBOR_DEPTH. A failure moves nothing. */
ATLS_MUST_USE bool atls_cbor_skip_open(atls_cur *c, const char *field, unsigned depth, atls_bytes *whole);

#endif
