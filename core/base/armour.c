/* SPDX-License-Identifier: Apache-2.0 */
/* armour.c: binary data as people paste it. */
#include <string.h>

#include "text.h"

typedef enum letter { OTHER, SPACE, HEX, BASE64 } letter;

static letter letter_of(uint8_t c)
{
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        return SPACE;
    }
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
        return HEX;
    }
    bool is_rest = (c >= 'g' && c <= 'z') || (c >= 'G' && c <= 'Z') || c == '+' || c == '/' || c == '=';
    return is_rest ? BASE64 : OTHER;
}

/* Takes the white space out, and says which alphabet holds all that is left; OTHER: it is no armour. */
static letter squeeze(atls_bytes in, uint8_t *out, size_t *n)
{
    letter widest = HEX;
    *n = 0;
    for (size_t i = 0; i < in.len; i++) {
        letter l = letter_of(in.ptr[i]);
        if (l == OTHER) {
            return OTHER;
        }
        if (l == SPACE) {
            continue;
        }
        bool is_x = *n == 1 && out[0] == '0' && (in.ptr[i] == 'x' || in.ptr[i] == 'X');
        if (is_x) {
            *n = 0; /* 0x says what follows; it is not part of it */
            continue;
        }
        out[(*n)++] = in.ptr[i];
        widest = l == BASE64 ? BASE64 : widest;
    }
    return *n > 0 ? widest : OTHER;
}

bool atls_armour_decode(atls_bytes in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    atls_error no = {0};
    atls_bytes decoded;
    size_t n;
    *out = in;
    if (in.len == 0 || letter_of(in.ptr[0]) == OTHER) {
        return true; /* without a copy: every binary quote and DER file ends here */
    }
    uint8_t *text = atls_arena_raw(a, in.len, err);
    if (text == NULL) {
        return false;
    }
    letter alphabet = squeeze(in, text, &n);
    bool ok = (alphabet == HEX && atls_hex_decode(atls_bytes_of(text, n), "text", a, &decoded, &no))
              || (alphabet != OTHER && atls_base64_decode(atls_bytes_of(text, n), false, "text", a, &decoded, &no));
    if (no.code == ATLS_E_MEMORY) {
        *err = no;
        return false;
    }
    if (ok) {
        *out = decoded;
    }
    return true;
}
