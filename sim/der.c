/* SPDX-License-Identifier: Apache-2.0 */
/* der.c: a DER writer (ITU-T X.690). Elements are opened and closed, so that code has the shape of what it writes. */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t sim_der_open(atls_buf *b, unsigned tag)
{
    sim_put_u8(b, tag);
    return b->len;
}

/* The length is known only now: it goes in between the tag and the content, which moves. */
void sim_der_close(atls_buf *b, size_t mark)
{
    size_t n = b->len - mark;
    uint8_t head[4] = {(uint8_t)n};
    size_t head_len = 1;
    if (n > 0x7f) {
        head_len = n > 0xffff ? 4 : n > 0xff ? 3 : 2;
        head[0] = (uint8_t)(0x80 | (head_len - 1));
        for (size_t i = 1; i < head_len; i++) {
            head[i] = (uint8_t)(n >> (8 * (head_len - 1 - i)));
        }
    }
    atls_buf_put(b, atls_bytes_of(head, head_len));
    if (b->failed) {
        return;
    }
    memmove(b->ptr + mark + head_len, b->ptr + mark, n);
    memcpy(b->ptr + mark, head, head_len);
}

void sim_der_put(atls_buf *b, unsigned tag, atls_bytes content)
{
    size_t mark = sim_der_open(b, tag);
    atls_buf_put(b, content);
    sim_der_close(b, mark);
}

void sim_der_bool(atls_buf *b, bool v)
{
    uint8_t content = v ? 0xff : 0x00;
    sim_der_put(b, SIM_DER_BOOLEAN, atls_bytes_of(&content, 1));
}

void sim_der_uint(atls_buf *b, unsigned tag, uint64_t v)
{
    uint8_t bytes[9] = {0};
    for (size_t i = 0; i < 8; i++) {
        bytes[8 - i] = (uint8_t)(v >> (8 * i));
    }
    size_t skip = 0; /* minimal: a leading zero stays only before a set top bit */
    while (skip < 8 && bytes[skip] == 0 && (bytes[skip + 1] & 0x80) == 0) {
        skip++;
    }
    sim_der_put(b, tag, atls_bytes_of(bytes + skip, sizeof bytes - skip));
}

void sim_der_unsigned(atls_buf *b, atls_bytes magnitude)
{
    while (magnitude.len > 1 && magnitude.ptr[0] == 0) {
        magnitude = atls_bytes_of(magnitude.ptr + 1, magnitude.len - 1);
    }
    size_t mark = sim_der_open(b, SIM_DER_INTEGER);
    if (magnitude.len == 0 || (magnitude.ptr[0] & 0x80) != 0) {
        sim_put_u8(b, 0);
    }
    atls_buf_put(b, magnitude);
    sim_der_close(b, mark);
}

void sim_der_bits(atls_buf *b, unsigned unused, atls_bytes bits)
{
    size_t mark = sim_der_open(b, SIM_DER_BIT_STRING);
    sim_put_u8(b, unused);
    atls_buf_put(b, bits);
    sim_der_close(b, mark);
}

static void put_arc(atls_buf *b, unsigned long arc)
{
    uint8_t bytes[10];
    size_t n = sizeof bytes;
    bytes[--n] = (uint8_t)(arc & 0x7f);
    for (arc >>= 7; arc != 0; arc >>= 7) {
        bytes[--n] = (uint8_t)(0x80 | (arc & 0x7f));
    }
    atls_buf_put(b, atls_bytes_of(bytes + n, sizeof bytes - n));
}

void sim_der_oid(atls_buf *b, const char *dotted)
{
    size_t mark = sim_der_open(b, 0x06);
    char *at = NULL;
    unsigned long first = strtoul(dotted, &at, 10);
    unsigned long second = strtoul(at + 1, &at, 10);
    put_arc(b, 40 * first + second);
    while (*at == '.') {
        put_arc(b, strtoul(at + 1, &at, 10));
    }
    sim_der_close(b, mark);
}

/* UTCTime up to 2049, GeneralizedTime from 2050 on (RFC 5280 4.1.2.5). */
void sim_der_time(atls_buf *b, atls_time t)
{
    char iso[ATLS_TIME_TEXT_SIZE];
    char text[24];
    atls_time_format(t, iso);
    bool utc = strcmp(iso, "2050") < 0;
    (void)snprintf(text, sizeof text, "%.4s%.2s%.2s%.2s%.2s%.2sZ", iso, iso + 5, iso + 8, iso + 11, iso + 14, iso + 17);
    sim_der_put(b, utc ? 0x17u : 0x18u, atls_bytes_str(utc ? text + 2 : text));
}
