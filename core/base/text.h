/* SPDX-License-Identifier: Apache-2.0 */
/* text.h: hex, base64, decimal and bounded text, locale-free.
 *
 * Decoders are strict: no white space, no odd length, canonical base64 padding. Output goes to buffers of the caller or
 * the arena. */
#ifndef ATLS_BASE_TEXT_H
#define ATLS_BASE_TEXT_H

#include "atls/arena.h"
#include "atls/bytes.h"
#include "atls/error.h"

/* atls_hex_fixed decodes exactly 2 * n digits of either case into out. False, out untouched or partly written,
 * otherwise. */
ATLS_MUST_USE bool atls_hex_fixed(atls_bytes hex, uint8_t *out, size_t n);
/* atls_hex_decode decodes an even number of digits into the arena. Errors: ENCODING with field, MEMORY. */
ATLS_MUST_USE bool atls_hex_decode(atls_bytes hex, const char *field, atls_arena *a, atls_bytes *out, atls_error *err);
/* atls_hex_encode writes 2 * in.len lower-case digits and a NUL to out, which has room for 2 * in.len + 1. */
void atls_hex_encode(atls_bytes in, char *out);
/* atls_hex_text is atls_hex_encode into the arena; a C string. */
ATLS_MUST_USE const char *atls_hex_text(atls_bytes in, atls_arena *a, atls_error *err);
/* atls_is_lower_hex tells whether every byte is one of 0-9 a-f. */
ATLS_MUST_USE bool atls_is_lower_hex(atls_bytes in);

/* atls_base64_decode decodes RFC 4648 base64 with padding; skip_ws lets CR, LF, space and tab stand anywhere (PEM). */
ATLS_MUST_USE bool atls_base64_decode(atls_bytes text, bool skip_ws, const char *field, atls_arena *a, atls_bytes *out,
                                      atls_error *err);

/* atls_base64url_decode decodes RFC 4648 base64url; the padding may be there or not, white space may not. */
ATLS_MUST_USE bool atls_base64url_decode(atls_bytes text, const char *field, atls_arena *a, atls_bytes *out,
                                         atls_error *err);

/* atls_armour_decode turns what people paste into the bytes it stands for: hex digits (0x in front or not) or base64,
 * white space anywhere. Anything else, binary data above all, is handed back as it is. Errors: MEMORY. */
ATLS_MUST_USE bool atls_armour_decode(atls_bytes in, atls_arena *a, atls_bytes *out, atls_error *err);

/* atls_utf8_valid tells whether in is well-formed UTF-8 (no surrogates, no overlong forms, up to U+10FFFF). */
ATLS_MUST_USE bool atls_utf8_valid(atls_bytes in);
/* atls_utf8_char gives the length, 1 to 4, of the well-formed character at pos, which is less than in.len; 0 when what
 * stands there is none. */
ATLS_MUST_USE size_t atls_utf8_char(atls_bytes in, size_t pos);

/* atls_text_copy makes a C string in the arena; an embedded NUL is ENCODING. */
ATLS_MUST_USE const char *atls_text_copy(atls_bytes in, atls_arena *a, atls_error *err);
/* atls_text_format is snprintf into the arena. */
ATLS_MUST_USE const char *atls_text_format(atls_arena *a, atls_error *err, const char *format, ...) ATLS_PRINTF(3, 4);

/* atls_buf: a growing piece of text in the arena, with a sticky failure flag so that writers stay readable. The buffer
 * grows by doubling; what it leaves behind stays in the arena until reset. */
typedef struct atls_buf {
    atls_arena *arena;
    atls_error *err;
    uint8_t *ptr;
    size_t len;
    size_t cap;
    bool failed;
} atls_buf;
void atls_buf_init(atls_buf *b, atls_arena *a, atls_error *err);
void atls_buf_put(atls_buf *b, atls_bytes in);
void atls_buf_str(atls_buf *b, const char *text);
void atls_buf_format(atls_buf *b, const char *format, ...) ATLS_PRINTF(2, 3);
/* atls_buf_done hands the text out; false when anything failed on the way. */
ATLS_MUST_USE bool atls_buf_done(atls_buf *b, atls_bytes *out);

#endif
