/* SPDX-License-Identifier: Apache-2.0 */
/* ca_der.c: a small writer of DER. Certificates have a few KiB, so that moving a content to make room for its header costs
 * nothing. */
#include "ca_der.h"

#include <string.h>

void ca_der_init(ca_der *d, void *block, size_t cap)
{
    *d = (ca_der){.ptr = block, .cap = cap};
}

void ca_der_raw(ca_der *d, atls_bytes der)
{
    if (d->failed || der.len > d->cap - d->len) {
        d->failed = true;
        return;
    }
    if (der.len > 0) {
        memcpy(d->ptr + d->len, der.ptr, der.len);
    }
    d->len += der.len;
}

void ca_der_open(ca_der *d, atls_der_tag tag)
{
    if (d->depth == CA_DER_MAX_DEPTH || tag > 0xff) {
        d->failed = true;
        return;
    }
    d->tag[d->depth] = (uint8_t)tag;
    d->open[d->depth++] = d->len;
}

/* At most 16 MiB: three bytes of length. */
static size_t header_of(uint8_t tag, size_t len, uint8_t out[5])
{
    size_t n = 2;
    out[0] = tag;
    if (len < 0x80) {
        out[1] = (uint8_t)len;
        return n;
    }
    const size_t n_len = len < 0x100 ? 1 : len < 0x10000 ? 2 : 3;
    out[1] = (uint8_t)(0x80 | n_len);
    for (size_t i = n_len; i > 0; i--) {
        out[n++] = (uint8_t)(len >> (8 * (i - 1)));
    }
    return n;
}

void ca_der_close(ca_der *d)
{
    if (d->failed || d->depth == 0) {
        d->failed = true;
        return;
    }
    const size_t start = d->open[--d->depth];
    const size_t len = d->len - start;
    uint8_t header[5];
    if (len > 0xffffff) {
        d->failed = true;
        return;
    }
    const size_t n = header_of(d->tag[d->depth], len, header);
    if (n > d->cap - d->len) {
        d->failed = true;
        return;
    }
    memmove(d->ptr + start + n, d->ptr + start, len);
    memcpy(d->ptr + start, header, n);
    d->len += n;
}

void ca_der_put(ca_der *d, atls_der_tag tag, atls_bytes content)
{
    ca_der_open(d, tag);
    ca_der_raw(d, content);
    ca_der_close(d);
}

void ca_der_unsigned(ca_der *d, const uint8_t *value, size_t len)
{
    static const uint8_t zero = 0;
    while (len > 1 && value[0] == 0) {
        value++;
        len--;
    }
    ca_der_open(d, ATLS_DER_INTEGER);
    if (len == 0 || value[0] >= 0x80) {
        ca_der_raw(d, atls_bytes_of(&zero, 1));
    }
    ca_der_raw(d, atls_bytes_of(value, len));
    ca_der_close(d);
}

void ca_der_small(ca_der *d, uint8_t value)
{
    ca_der_unsigned(d, &value, 1);
}

void ca_der_true(ca_der *d)
{
    static const uint8_t yes = 0xff;
    ca_der_put(d, ATLS_DER_BOOLEAN, atls_bytes_of(&yes, 1));
}

void ca_der_bits(ca_der *d, atls_bytes content)
{
    static const uint8_t unused = 0;
    ca_der_open(d, ATLS_DER_BIT_STRING);
    ca_der_raw(d, atls_bytes_of(&unused, 1));
    ca_der_raw(d, content);
    ca_der_close(d);
}

/* From YYYY-MM-DDTHH:MM:SSZ: digits at these places, two digits of the year less for UTCTime. */
void ca_der_time(ca_der *d, atls_time t)
{
    static const uint8_t places[] = {0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18, 19};
    char text[ATLS_TIME_TEXT_SIZE];
    uint8_t out[sizeof places];
    atls_time_format(t, text);
    if (text[0] < '0' || text[0] > '9') {
        d->failed = true; /* "unset", "out of range" */
        return;
    }
    for (size_t i = 0; i < sizeof places; i++) {
        out[i] = (uint8_t)text[places[i]];
    }
    const bool is_short = memcmp(text, "2050", 4) < 0;
    ca_der_put(d, is_short ? ATLS_DER_UTC_TIME : ATLS_DER_GENERALIZED_TIME,
               atls_bytes_of(out + (is_short ? 2 : 0), sizeof out - (is_short ? 2 : 0)));
}

bool ca_der_done(const ca_der *d, atls_bytes *out)
{
    *out = d->failed ? atls_bytes_empty() : atls_bytes_of(d->ptr, d->len);
    return !d->failed && d->depth == 0;
}
