/* SPDX-License-Identifier: Apache-2.0 */
/* cbor_write.c: heads over an atls_buf. Failures stick to the buffer. */
#include "cbor_write.h"

/* major types in the first three bits of a head, RFC 8949 3.1 */
enum { HEAD_UINT = 0x00, HEAD_BYTES = 0x40, HEAD_TEXT = 0x60, HEAD_ARRAY = 0x80, HEAD_MAP = 0xa0 };
enum { SIMPLE_FALSE = 0xf4, SIMPLE_TRUE = 0xf5, SIMPLE_NULL = 0xf6 };

void atls_cw_init(atls_cw *w, atls_buf *buf)
{
    *w = (atls_cw){.buf = buf};
}

/* RFC 8949 4.2.1: the shortest argument that holds n. */
static void put_head(atls_cw *w, unsigned major, uint64_t n)
{
    uint8_t head[9];
    unsigned len = n < 24 ? 0 : n <= 0xff ? 1 : n <= 0xffff ? 2 : n <= 0xffffffff ? 4 : 8;
    unsigned info = len == 0 ? (unsigned)n : len == 1 ? 24 : len == 2 ? 25 : len == 4 ? 26 : 27;
    head[0] = (uint8_t)(major | info);
    for (unsigned i = 0; i < len; i++) {
        head[1 + i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    }
    atls_buf_put(w->buf, atls_bytes_of(head, 1 + len));
}

void atls_cw_uint(atls_cw *w, uint64_t n)
{
    put_head(w, HEAD_UINT, n);
}

void atls_cw_bytes(atls_cw *w, atls_bytes in)
{
    put_head(w, HEAD_BYTES, in.len);
    atls_buf_put(w->buf, in);
}

void atls_cw_text(atls_cw *w, atls_bytes in)
{
    put_head(w, HEAD_TEXT, in.len);
    atls_buf_put(w->buf, in);
}

void atls_cw_array(atls_cw *w, uint64_t n)
{
    put_head(w, HEAD_ARRAY, n);
}

void atls_cw_map(atls_cw *w, uint64_t n)
{
    put_head(w, HEAD_MAP, n);
}

static void put_simple(atls_cw *w, uint8_t simple)
{
    atls_buf_put(w->buf, atls_bytes_of(&simple, 1));
}

void atls_cw_bool(atls_cw *w, bool value)
{
    put_simple(w, value ? SIMPLE_TRUE : SIMPLE_FALSE);
}

void atls_cw_null(atls_cw *w)
{
    put_simple(w, SIMPLE_NULL);
}
