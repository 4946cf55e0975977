/* SPDX-License-Identifier: Apache-2.0 */
/* der.h: a strict DER reader over the cursor (ITU-T X.690 chapters 8, 10, 11).
 *
 * Definite minimal lengths up to 4 bytes, low tag numbers and minimal high ones, no indefinite form. Values are
 * borrowed slices. Failures are ATLS_E_ENCODING or ATLS_E_TRUNCATED with the field that was being read. */
#ifndef ATLS_BASE_DER_H
#define ATLS_BASE_DER_H

#include "atls/time.h"
#include "cursor.h"

/* Tags: identifier octet for low tags; (class and constructed bits) << 24 | number for high ones, numbers below 2^24.
 * High tags of the universal class are refused: nothing here uses them, and they could be mistaken for low ones. */
typedef uint32_t atls_der_tag;
#define ATLS_DER_BOOLEAN              0x01u
#define ATLS_DER_INTEGER              0x02u
#define ATLS_DER_BIT_STRING           0x03u
#define ATLS_DER_OCTET_STRING         0x04u
#define ATLS_DER_NULL                 0x05u
#define ATLS_DER_OID                  0x06u
#define ATLS_DER_ENUMERATED           0x0au
#define ATLS_DER_UTF8_STRING          0x0cu
#define ATLS_DER_PRINTABLE_STRING     0x13u
#define ATLS_DER_T61_STRING           0x14u
#define ATLS_DER_IA5_STRING           0x16u
#define ATLS_DER_UTC_TIME             0x17u
#define ATLS_DER_GENERALIZED_TIME     0x18u
#define ATLS_DER_BMP_STRING           0x1eu
#define ATLS_DER_SEQUENCE             0x30u
#define ATLS_DER_SET                  0x31u
#define ATLS_DER_CONTEXT(n)           (0x80u | (n))       /* primitive, n <= 30 */
#define ATLS_DER_CONTEXT_CONS(n)      (0xa0u | (n))       /* constructed, n <= 30 */
#define ATLS_DER_CONTEXT_CONS_HIGH(n) (0xa0000000u | (n)) /* constructed, n >= 31 */

/* atls_der_any reads one element: its tag, its content and its whole encoding. Any out may be NULL. */
ATLS_MUST_USE bool atls_der_any(atls_cur *c, const char *field, atls_der_tag *tag, atls_bytes *content,
                                atls_bytes *whole);
/* atls_der_expect reads one element with this tag. */
ATLS_MUST_USE bool atls_der_expect(atls_cur *c, const char *field, atls_der_tag tag, atls_bytes *content);
/* atls_der_nested reads one element with this tag and opens a cursor over its content, with the prefix of c. */
ATLS_MUST_USE bool atls_der_nested(atls_cur *c, const char *field, atls_der_tag tag, atls_cur *out);
/* atls_der_peek tells whether the next element has this tag; false at the end. Moves nothing, fails never. */
bool atls_der_peek(const atls_cur *c, atls_der_tag tag);
/* BOOLEAN, content 00 or FF. */
ATLS_MUST_USE bool atls_der_bool(atls_cur *c, const char *field, bool *out);
/* INTEGER or ENUMERATED, minimal, non-negative, at most max. */
ATLS_MUST_USE bool atls_der_uint(atls_cur *c, const char *field, atls_der_tag tag, uint64_t max, uint64_t *out);
/* INTEGER, minimal, non-negative: big-endian magnitude without the sign byte (a lone 00 stays one byte). */
ATLS_MUST_USE bool atls_der_unsigned(atls_cur *c, const char *field, atls_bytes *out);
/* OID content, minimal arcs. Compared as bytes. */
ATLS_MUST_USE bool atls_der_oid(atls_cur *c, const char *field, atls_bytes *out);
/* BIT STRING: number of unused bits (0 to 7, those bits zero) and bytes. */
ATLS_MUST_USE bool atls_der_bits(atls_cur *c, const char *field, uint8_t *unused, atls_bytes *out);
/* UTCTime (YYMMDDHHMMSSZ, 1950 to 2049) or GeneralizedTime (YYYYMMDDHHMMSSZ, 2050 to 9999: earlier dates MUST be
 * UTCTime), as RFC 5280 4.1.2.5 wants them. Real dates only, no fractions, no offsets, no leap second. */
ATLS_MUST_USE bool atls_der_time(atls_cur *c, const char *field, atls_time *out);

/* atls_der_time_any takes either type for any year: UTCTime (YY below 50 is 20YY), GeneralizedTime from 1950 on. Phones
 * choose wrongly; only what reads their certificates calls this. */
ATLS_MUST_USE bool atls_der_time_any(atls_cur *c, const char *field, atls_time *out);

#endif
