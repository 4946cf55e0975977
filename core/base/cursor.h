/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h: the one door through which lengths meet pointers.
 *
 * A cursor walks forward over borrowed bytes. Every read names the field that it reads; a read that does not fit sets
 * ATLS_E_TRUNCATED with that field and moves nothing. Nested lengths yield a child cursor, which must end empty
 * (atls_cur_end). `prefix` ("quote.header") is put before field names. Only atls_cur_take, below, does pointer arithmetic.
 */
#ifndef ATLS_BASE_CURSOR_H
#define ATLS_BASE_CURSOR_H

#include "atls/bytes.h"
#include "atls/error.h"

typedef struct atls_cur {
    atls_bytes rest;      /* what has not been read */
    const uint8_t *start; /* of the whole, so that an offset can be reported */
    const char *prefix;   /* static text, put before field names */
    atls_error *err;      /* where failures go; never NULL */
} atls_cur;

/* atls_cur_init starts at the first byte of in. prefix is static text, "" for none. */
void atls_cur_init(atls_cur *c, atls_bytes in, const char *prefix, atls_error *err);

/* atls_cur_offset gives the number of bytes read so far. */
static inline size_t atls_cur_offset(const atls_cur *c)
{
    return (size_t)(c->rest.ptr - c->start);
}

/* atls_cur_fail_len records that n bytes are more than what is left. */
void atls_cur_fail_len(const atls_cur *c, const char *field, size_t n);

/* atls_cur_take is where a length meets a pointer, and the only place. It and the two readers that DER is made of stand here, so
 * that each caller has them in one piece: a certificate is some thousand calls. */
ATLS_MUST_USE static inline bool atls_cur_take(atls_cur *c, const char *field, size_t n, const uint8_t **out)
{
    if (n > c->rest.len) {
        atls_cur_fail_len(c, field, n);
        return false;
    }
    *out = c->rest.ptr;
    c->rest.ptr += n;
    c->rest.len -= n;
    return true;
}

/* Fixed-width integers; the byte order is in the name. */
ATLS_MUST_USE static inline bool atls_cur_u8(atls_cur *c, const char *field, uint8_t *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, 1, &p)) {
        return false;
    }
    *out = p[0];
    return true;
}
ATLS_MUST_USE bool atls_cur_u16le(atls_cur *c, const char *field, uint16_t *out);
ATLS_MUST_USE bool atls_cur_u32le(atls_cur *c, const char *field, uint32_t *out);
ATLS_MUST_USE bool atls_cur_u64le(atls_cur *c, const char *field, uint64_t *out);
ATLS_MUST_USE bool atls_cur_u16be(atls_cur *c, const char *field, uint16_t *out);
ATLS_MUST_USE bool atls_cur_u32be(atls_cur *c, const char *field, uint32_t *out);
ATLS_MUST_USE bool atls_cur_u64be(atls_cur *c, const char *field, uint64_t *out);

/* n bytes, borrowed. */
ATLS_MUST_USE static inline bool atls_cur_bytes(atls_cur *c, const char *field, size_t n, atls_bytes *out)
{
    const uint8_t *p;
    if (!atls_cur_take(c, field, n, &p)) {
        return false;
    }
    *out = (atls_bytes){p, n};
    return true;
}
/* n bytes, copied to dst. */
ATLS_MUST_USE bool atls_cur_copy(atls_cur *c, const char *field, uint8_t *dst, size_t n);
/* n bytes, ignored. */
ATLS_MUST_USE bool atls_cur_skip(atls_cur *c, const char *field, size_t n);
/* n bytes as a cursor of their own with its own prefix. */
ATLS_MUST_USE bool atls_cur_child(atls_cur *c, const char *field, size_t n, const char *prefix, atls_cur *out);
/* everything that is left, borrowed; never fails. */
atls_bytes atls_cur_rest(atls_cur *c);
/* nothing may be left: ATLS_E_TRAILING otherwise, with the prefix as its field. */
ATLS_MUST_USE bool atls_cur_end(atls_cur *c);

/* atls_cur_fail records a failure at "<prefix>.<field>" and returns false. expected, actual and message (plain text)
 * may be NULL. */
bool atls_cur_fail(const atls_cur *c, atls_code code, const char *field, const char *expected, const char *actual,
                   const char *message);

#endif
