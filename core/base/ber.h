/* SPDX-License-Identifier: Apache-2.0 */
/* ber.h: DER (der.h), and the two liberties of BER that senders of CMS take (ITU-T X.690 chapter 8):
 *
 *   indefinite lengths   of constructed elements with low tag numbers; at most ATLS_MAX_DER_DEPTH inside each other
 *   OCTET STRINGs        constructed of primitive ones, whose contents are joined
 *
 * Everything else stays strict, definite lengths above all. Failures are ENCODING, TRUNCATED and LIMIT with the field that was
 * being read; a failure moves nothing. */
#ifndef ATLS_BASE_BER_H
#define ATLS_BASE_BER_H

#include "atls/arena.h"
#include "der.h"

/* atls_ber_any reads one element: its tag, its content without the end-of-contents octets, and its whole encoding. Any out may
 * be NULL. */
ATLS_MUST_USE bool atls_ber_any(atls_cur *c, const char *field, atls_der_tag *tag, atls_bytes *content,
                                atls_bytes *whole);
/* atls_ber_nested reads one element with this tag and opens a cursor over its content, with the prefix of c. */
ATLS_MUST_USE bool atls_ber_nested(atls_cur *c, const char *field, atls_der_tag tag, atls_cur *out);
/* atls_ber_octets reads an OCTET STRING: borrowed when it is one piece, joined in the arena otherwise. Errors: also MEMORY. */
ATLS_MUST_USE bool atls_ber_octets(atls_cur *c, const char *field, atls_arena *a, atls_bytes *out, atls_error *err);

#endif
