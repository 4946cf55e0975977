/* SPDX-License-Identifier: Apache-2.0 */
/* issued.h: the least that can be read as a certificate for a key, as an issuer in a test gives it. Nobody signed it: the steps
 * look at the key in it and leave the rest to the CA. Also for fuzz targets, which have no test library. */
#ifndef ATLS_TESTS_ENROL_ISSUED_H
#define ATLS_TESTS_ENROL_ISSUED_H

#include <string.h>

#include "atls/arena.h"

static inline size_t issued_put(uint8_t *out, size_t at, const void *data, size_t len)
{
    memcpy(out + at, data, len);
    return at + len;
}

static inline size_t issued_sequence(uint8_t *out, size_t at, size_t len)
{
    out[at++] = 0x30;
    if (len >= 0x100) {
        out[at++] = 0x82;
        out[at++] = (uint8_t)(len >> 8);
    } else if (len >= 0x80) {
        out[at++] = 0x81;
    }
    out[at++] = (uint8_t)len;
    return at;
}

/* In the arena; empty when that is full. */
static inline atls_bytes issued_certificate(atls_bytes spki, atls_arena *arena)
{
    static const char before[] = "\xa0\x03\x02\x01\x02\x02\x01\x07"                 /* version 3, serial 7 */
                                 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02" /* ecdsa-with-SHA256 */
                                 "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"
                                 "CA"
                                 "\x30\x1e\x17\x0d"
                                 "260101000000Z"
                                 "\x17\x0d"
                                 "270101000000Z"
                                 "\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02"
                                 "me";
    static const char behind[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
                                 "\x03\x09\x00\x30\x06\x02\x01\x01\x02\x01\x01";
    atls_error err = {0};
    const size_t n_before = sizeof before - 1;
    const size_t n_behind = sizeof behind - 1;
    const size_t n_inside = n_before + spki.len;
    uint8_t head[4];
    const size_t n_head = issued_sequence(head, 0, n_inside);
    uint8_t *out = atls_arena_raw(arena, 4 + n_head + n_inside + n_behind, &err);
    if (out == NULL) {
        return atls_bytes_empty();
    }
    size_t n = issued_sequence(out, 0, n_head + n_inside + n_behind);
    n = issued_put(out, n, head, n_head);
    n = issued_put(out, n, before, n_before);
    n = issued_put(out, n, spki.ptr, spki.len);
    return atls_bytes_of(out, issued_put(out, n, behind, n_behind));
}

#endif
