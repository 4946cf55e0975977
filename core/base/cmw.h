/* SPDX-License-Identifier: Apache-2.0 */
/* cmw.h: conceptual message wrappers (RFC 9999), as far as atls/1 uses them: CBOR records [type, value, indicator] with a
 * media type as text and exactly one indicator. No tags, no content formats by number, no nesting. */
#ifndef ATLS_BASE_CMW_H
#define ATLS_BASE_CMW_H

#include "cbor.h"
#include "cbor_write.h"

#define ATLS_CMW_ENDORSEMENT 2u /* bit 1 of the indicator */
#define ATLS_CMW_EVIDENCE    4u /* bit 2 */

typedef struct atls_cmw_record {
    atls_bytes type;  /* "application/vnd.atls.dcap-quote" */
    atls_bytes value; /* not empty */
} atls_cmw_record;

/* atls_cmw_read reads one record whose indicator is exactly `indicator`; slices borrow from the cursor's bytes. A failure
 * moves nothing. Errors: ENCODING, TRUNCATED, LIMIT, at field, field.type, field.value or field.indicator. */
ATLS_MUST_USE bool atls_cmw_read(atls_cur *c, const char *field, uint64_t indicator, atls_cmw_record *out);
/* atls_cmw_write writes what atls_cmw_read reads back, if the type is valid UTF-8 and neither part is empty: the caller's
 * duty. */
void atls_cmw_write(atls_cw *w, uint64_t indicator, const atls_cmw_record *in);

#endif
