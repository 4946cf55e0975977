/* SPDX-License-Identifier: Apache-2.0 */
/* ca_der.h: writes DER from front to back into a block of fixed size. Inside edge/service only.
 *
 * What is opened is closed in reverse order; the header is put in front of the content then. Failure is sticky and is told by
 * ca_der_done, so that a certificate reads like its ASN.1. */
#ifndef ATLS_EDGE_SERVICE_CA_DER_H
#define ATLS_EDGE_SERVICE_CA_DER_H

#include "atls/bytes.h"
#include "atls/time.h"
#include "base/der.h"

#define CA_DER_MAX_DEPTH 12

typedef struct ca_der {
    uint8_t *ptr;
    size_t len;
    size_t cap;
    size_t open[CA_DER_MAX_DEPTH]; /* where contents begin */
    uint8_t tag[CA_DER_MAX_DEPTH];
    size_t depth;
    bool failed;
} ca_der;

void ca_der_init(ca_der *d, void *block, size_t cap);
void ca_der_open(ca_der *d, atls_der_tag tag);
void ca_der_close(ca_der *d);
void ca_der_raw(ca_der *d, atls_bytes der);
void ca_der_put(ca_der *d, atls_der_tag tag, atls_bytes content);
void ca_der_unsigned(ca_der *d, const uint8_t *value,
                     size_t len);            /* INTEGER of a big-endian number; zeros in front are fine */
void ca_der_small(ca_der *d, uint8_t value); /* INTEGER, 0 to 127 */
void ca_der_true(ca_der *d);
void ca_der_bits(ca_der *d, atls_bytes content); /* BIT STRING without unused bits */
void ca_der_time(ca_der *d, atls_time t);        /* UTCTime until 2049, GeneralizedTime after */
/* ca_der_done gives what was written; false when it did not fit, or something is still open. */
ATLS_MUST_USE bool ca_der_done(const ca_der *d, atls_bytes *out);

#endif
