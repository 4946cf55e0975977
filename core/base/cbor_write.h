/* SPDX-License-Identifier: Apache-2.0 */
/* cbor_write.h: a writer for deterministic CBOR (RFC 8949 section 4.2.1): shortest heads, definite lengths. The caller
 * gives map keys in their order; nothing is sorted. Failures are the buffer's, and sticky. */
#ifndef ATLS_BASE_CBOR_WRITE_H
#define ATLS_BASE_CBOR_WRITE_H

#include "text.h"

typedef struct atls_cw {
    atls_buf *buf;
} atls_cw;

void atls_cw_init(atls_cw *w, atls_buf *buf);
void atls_cw_uint(atls_cw *w, uint64_t n);
void atls_cw_bytes(atls_cw *w, atls_bytes in);
void atls_cw_text(atls_cw *w, atls_bytes in); /* valid UTF-8, the caller's duty */
void atls_cw_array(atls_cw *w, uint64_t n);
void atls_cw_map(atls_cw *w, uint64_t n);
void atls_cw_bool(atls_cw *w, bool value);
void atls_cw_null(atls_cw *w);

#endif
