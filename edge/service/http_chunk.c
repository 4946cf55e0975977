/* SPDX-License-Identifier: Apache-2.0 */
/* http_chunk.c: the chunks of a body. */
#include "http_head.h"

#define MAX_DIGITS 8u

enum {
    SIZE = 0, /* hex digits, up to CR */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LAST_CR, /* after the chunk of size 0: anything but CR would be a trailer */
    LAST_LF,
    END,
};

void svc_chunks_init(svc_chunks *c, uint64_t max)
{
    *c = (svc_chunks){.max = max};
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    const uint8_t low = (uint8_t)(c | 0x20);
    return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

static bool take_size(svc_chunks *c, uint8_t in)
{
    const int digit = hex_digit(in);
    if (in == '\r' && c->digits > 0) {
        c->phase = SIZE_LF;
        return true;
    }
    if (digit < 0 || c->digits == MAX_DIGITS) {
        return false;
    }
    c->left = c->left * 16 + (unsigned)digit;
    c->digits++;
    return true;
}

static bool end_size(svc_chunks *c)
{
    if (c->left > c->max - c->total) {
        c->too_long = true;
        return false;
    }
    c->total += c->left;
    c->phase = c->left == 0 ? LAST_CR : DATA;
    return true;
}

/* One byte of framing. */
static bool take_framing(svc_chunks *c, uint8_t in)
{
    static const struct {
        uint8_t wanted;
        int next;
    } marks[] = {
        [SIZE_LF] = {'\n', DATA},    [DATA_CR] = {'\r', DATA_LF}, [DATA_LF] = {'\n', SIZE},
        [LAST_CR] = {'\r', LAST_LF}, [LAST_LF] = {'\n', END},
    };
    /* A body of the greatest length, a byte in each chunk, has five bytes of framing for each. Nobody needs that. */
    if (++c->overhead > c->max + 64) {
        c->too_long = true;
        return false;
    }
    if (c->phase == SIZE) {
        return take_size(c, in);
    }
    if (in != marks[c->phase].wanted) {
        return false;
    }
    if (c->phase == SIZE_LF) {
        return end_size(c);
    }
    c->phase = marks[c->phase].next;
    if (c->phase == SIZE) {
        c->left = 0;
        c->digits = 0;
    }
    return true;
}

static svc_chunk_state take_data(svc_chunks *c, atls_bytes in, size_t *used, atls_bytes *data)
{
    const size_t n = in.len - *used < c->left ? in.len - *used : (size_t)c->left;
    *data = atls_bytes_of(in.ptr + *used, n);
    *used += n;
    c->left -= n;
    if (c->left == 0) {
        c->phase = DATA_CR;
    }
    return SVC_CHUNK_DATA;
}

svc_chunk_state svc_chunks_next(svc_chunks *c, atls_bytes in, size_t *used, atls_bytes *data)
{
    *used = 0;
    *data = atls_bytes_empty();
    while (c->phase != END && *used < in.len) {
        if (c->phase == DATA) {
            return take_data(c, in, used, data);
        }
        if (!take_framing(c, in.ptr[(*used)++])) {
            return SVC_CHUNK_FAILED;
        }
    }
    return c->phase == END ? SVC_CHUNK_DONE : SVC_CHUNK_MORE;
}
