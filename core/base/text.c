/* SPDX-License-Identifier: Apache-2.0 */
/* text.c: hex, base64 and UTF-8 by table, and a buffer that grows in the arena. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* ---- hex ---- */

/* 0x10 marks a digit, the low four bits are its value, zero is no digit */
static const uint8_t hex_value[256] = {
    ['0'] = 0x10, ['1'] = 0x11, ['2'] = 0x12, ['3'] = 0x13, ['4'] = 0x14, ['5'] = 0x15, ['6'] = 0x16, ['7'] = 0x17,
    ['8'] = 0x18, ['9'] = 0x19, ['a'] = 0x1a, ['b'] = 0x1b, ['c'] = 0x1c, ['d'] = 0x1d, ['e'] = 0x1e, ['f'] = 0x1f,
    ['A'] = 0x1a, ['B'] = 0x1b, ['C'] = 0x1c, ['D'] = 0x1d, ['E'] = 0x1e, ['F'] = 0x1f,
};

bool atls_hex_fixed(atls_bytes hex, uint8_t *out, size_t n)
{
    if (hex.len % 2 != 0 || hex.len / 2 != n) {
        return false;
    }
    uint8_t all = 0x10;
    for (size_t i = 0; i < n; i++) {
        uint8_t high = hex_value[hex.ptr[2 * i]];
        uint8_t low = hex_value[hex.ptr[2 * i + 1]];
        all &= high & low;
        out[i] = (uint8_t)(high << 4 | (low & 0x0f));
    }
    return all != 0;
}

bool atls_hex_decode(atls_bytes hex, const char *field, atls_arena *a, atls_bytes *out, atls_error *err)
{
    if (hex.len % 2 != 0) {
        return atls_fail(err, ATLS_E_ENCODING, field, "an odd number of hex digits: %zu", hex.len);
    }
    uint8_t *bytes = atls_arena_raw(a, hex.len / 2, err);
    if (bytes == NULL) {
        return false;
    }
    if (!atls_hex_fixed(hex, bytes, hex.len / 2)) {
        return atls_fail(err, ATLS_E_ENCODING, field, "a character that is no hex digit");
    }
    *out = atls_bytes_of(bytes, hex.len / 2);
    return true;
}

void atls_hex_encode(atls_bytes in, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < in.len; i++) {
        out[2 * i] = digits[in.ptr[i] >> 4];
        out[2 * i + 1] = digits[in.ptr[i] & 0x0f];
    }
    out[2 * in.len] = '\0';
}

const char *atls_hex_text(atls_bytes in, atls_arena *a, atls_error *err)
{
    /* two digits for each byte and a NUL; a length beyond this could not be multiplied */
    size_t size = in.len > SIZE_MAX / 4 ? SIZE_MAX : 2 * in.len + 1;
    uint8_t *text = atls_arena_raw(a, size, err);
    if (text == NULL) {
        return NULL;
    }
    atls_hex_encode(in, (char *)text);
    return (const char *)text;
}

bool atls_is_lower_hex(atls_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        /* upper-case letters have the same values, but not the bit that makes a letter small */
        if (hex_value[in.ptr[i]] == 0 || (in.ptr[i] & 0x60) == 0x40) {
            return false;
        }
    }
    return true;
}

/* ---- base64 ---- */

#define B64_DIGIT 0x40
#define B64_SPACE 0x80

/* B64_DIGIT marks a digit, the low six bits are its value; zero is neither digit nor white space */
/* clang-format off */
static const uint8_t base64_value[256] = {
    ['\t'] = B64_SPACE, ['\n'] = B64_SPACE, ['\r'] = B64_SPACE, [' '] = B64_SPACE,
    ['A'] = 64, ['B'] = 65, ['C'] = 66, ['D'] = 67, ['E'] = 68, ['F'] = 69, ['G'] = 70, ['H'] = 71, ['I'] = 72,
    ['J'] = 73, ['K'] = 74, ['L'] = 75, ['M'] = 76, ['N'] = 77, ['O'] = 78, ['P'] = 79, ['Q'] = 80, ['R'] = 81,
    ['S'] = 82, ['T'] = 83, ['U'] = 84, ['V'] = 85, ['W'] = 86, ['X'] = 87, ['Y'] = 88, ['Z'] = 89,
    ['a'] = 90, ['b'] = 91, ['c'] = 92, ['d'] = 93, ['e'] = 94, ['f'] = 95, ['g'] = 96, ['h'] = 97, ['i'] = 98,
    ['j'] = 99, ['k'] = 100, ['l'] = 101, ['m'] = 102, ['n'] = 103, ['o'] = 104, ['p'] = 105, ['q'] = 106,
    ['r'] = 107, ['s'] = 108, ['t'] = 109, ['u'] = 110, ['v'] = 111, ['w'] = 112, ['x'] = 113, ['y'] = 114,
    ['z'] = 115, ['0'] = 116, ['1'] = 117, ['2'] = 118, ['3'] = 119, ['4'] = 120, ['5'] = 121, ['6'] = 122,
    ['7'] = 123, ['8'] = 124, ['9'] = 125, ['+'] = 126, ['/'] = 127,
};
/* clang-format on */

typedef struct base64_state {
    atls_bytes text;
    size_t pos;
    uint8_t *out;
    size_t len;
    uint32_t bits; /* digits that make no whole group yet */
    unsigned n;    /* how many, 0 to 3 */
    bool skip_ws;
} base64_state;

/* Groups of four digits without white space among them: the bulk of any text. Where it stands is kept outside the loop, which
 * writes bytes: a compiler must take it that these may be anything. */
static void base64_groups(base64_state *s)
{
    const uint8_t *in = s->text.ptr + s->pos;
    uint8_t *out = s->out + s->len;
    size_t n = s->n == 0 ? (s->text.len - s->pos) / 4 : 0;
    for (; n > 0; n--, in += 4, out += 3) {
        const uint32_t a = base64_value[in[0]];
        const uint32_t b = base64_value[in[1]];
        const uint32_t c = base64_value[in[2]];
        const uint32_t d = base64_value[in[3]];
        if ((a & b & c & d & B64_DIGIT) == 0) {
            break;
        }
        const uint32_t group = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        out[0] = (uint8_t)(group >> 16);
        out[1] = (uint8_t)(group >> 8);
        out[2] = (uint8_t)group;
    }
    s->pos = (size_t)(in - s->text.ptr);
    s->len = (size_t)(out - s->out);
}

/* One character; false when it is neither a digit nor white space that may stand here. */
static bool base64_one(base64_state *s)
{
    uint8_t value = base64_value[s->text.ptr[s->pos]];
    if (value == B64_SPACE && s->skip_ws) {
        s->pos++;
        return true;
    }
    if ((value & B64_DIGIT) == 0) {
        return false;
    }
    s->pos++;
    s->bits = s->bits << 6 | (value & 63);
    if (++s->n == 4) {
        s->out[s->len] = (uint8_t)(s->bits >> 16);
        s->out[s->len + 1] = (uint8_t)(s->bits >> 8);
        s->out[s->len + 2] = (uint8_t)s->bits;
        s->len += 3;
        s->n = 0;
        s->bits = 0;
    }
    return true;
}

/* What follows the last digit: exactly the padding that is missing, and unused bits that are zero (canonical). */
static bool base64_tail(base64_state *s)
{
    unsigned padding = 0;
    for (; s->pos < s->text.len; s->pos++) {
        uint8_t c = s->text.ptr[s->pos];
        if (c == '=') {
            padding++;
        } else if (!s->skip_ws || base64_value[c] != B64_SPACE) {
            return false;
        }
    }
    if (s->n == 0) {
        return padding == 0;
    }
    if (s->n == 2 && padding == 2 && (s->bits & 0x0f) == 0) {
        s->out[s->len++] = (uint8_t)(s->bits >> 4);
        return true;
    }
    if (s->n == 3 && padding == 1 && (s->bits & 0x03) == 0) {
        s->out[s->len++] = (uint8_t)(s->bits >> 10);
        s->out[s->len++] = (uint8_t)(s->bits >> 2);
        return true;
    }
    return false;
}

bool atls_base64_decode(atls_bytes text, bool skip_ws, const char *field, atls_arena *a, atls_bytes *out,
                        atls_error *err)
{
    base64_state s = {.text = text, .skip_ws = skip_ws};
    s.out = atls_arena_raw(a, text.len / 4 * 3 + 3, err);
    if (s.out == NULL) {
        return false;
    }
    bool more = true;
    while (more && s.pos < text.len) {
        base64_groups(&s);
        more = s.pos < text.len && base64_one(&s);
    }
    size_t stop = s.pos;
    if (!base64_tail(&s)) {
        return atls_fail(err, ATLS_E_ENCODING, field, "the base64 is not canonical from byte %zu on", stop);
    }
    *out = atls_bytes_of(s.out, s.len);
    return true;
}

/* The same digits but two, and a padding that few write. */
bool atls_base64url_decode(atls_bytes text, const char *field, atls_arena *a, atls_bytes *out, atls_error *err)
{
    size_t n = text.len;
    const size_t cap = text.len + 2;
    uint8_t *plain = cap < text.len ? NULL : atls_arena_raw(a, cap, err);
    if (plain == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, field, NULL);
    }
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (c == '+' || c == '/') {
            return atls_fail(err, ATLS_E_ENCODING, field, "byte %zu is no digit of base64url", i);
        }
        plain[i] = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    while (n % 4 != 0 && n < cap && (text.len == 0 || text.ptr[text.len - 1] != '=')) {
        plain[n++] = '=';
    }
    return atls_base64_decode(atls_bytes_of(plain, n), false, field, a, out, err);
}

/* ---- UTF-8 ---- */

static bool is_continuation(uint8_t c)
{
    return (c & 0xc0) == 0x80;
}

size_t atls_utf8_char(atls_bytes in, size_t pos)
{
    size_t left = in.len - pos;
    const uint8_t *p = in.ptr + pos;
    if (p[0] < 0x80) {
        return 1;
    }
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        return left >= 2 && is_continuation(p[1]) ? 2 : 0;
    }
    if ((p[0] & 0xf0) == 0xe0) {
        /* E0 starts at A0 (no overlong form), ED ends at 9F (no surrogate) */
        bool ok = left >= 3 && is_continuation(p[1]) && is_continuation(p[2]) && (p[0] != 0xe0 || p[1] >= 0xa0)
                  && (p[0] != 0xed || p[1] <= 0x9f);
        return ok ? 3 : 0;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        /* F0 starts at 90 (no overlong form), F4 ends at 8F (U+10FFFF) */
        bool ok = left >= 4 && is_continuation(p[1]) && is_continuation(p[2]) && is_continuation(p[3])
                  && (p[0] != 0xf0 || p[1] >= 0x90) && (p[0] != 0xf4 || p[1] <= 0x8f);
        return ok ? 4 : 0;
    }
    return 0;
}

bool atls_utf8_valid(atls_bytes in)
{
    size_t pos = 0;
    while (pos < in.len) {
        uint64_t eight;
        if (in.len - pos >= sizeof eight) {
            memcpy(&eight, in.ptr + pos, sizeof eight);
            if ((eight & 0x8080808080808080u) == 0) {
                pos += sizeof eight;
                continue;
            }
        }
        size_t n = atls_utf8_char(in, pos);
        if (n == 0) {
            return false;
        }
        pos += n;
    }
    return true;
}

/* ---- text in the arena ---- */

const char *atls_text_copy(atls_bytes in, atls_arena *a, atls_error *err)
{
    if (in.len > 0 && memchr(in.ptr, 0, in.len) != NULL) {
        (void)atls_fail(err, ATLS_E_ENCODING, "text", "a NUL byte inside a text");
        return NULL;
    }
    uint8_t *copy = atls_arena_raw(a, in.len < SIZE_MAX ? in.len + 1 : in.len, err);
    if (copy == NULL) {
        return NULL;
    }
    if (in.len > 0) {
        memcpy(copy, in.ptr, in.len);
    }
    copy[in.len] = '\0';
    return (const char *)copy;
}

const char *atls_text_format(atls_arena *a, atls_error *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "text", "a text cannot be formatted");
        return NULL;
    }
    uint8_t *text = atls_arena_raw(a, (size_t)len + 1, err);
    if (text == NULL) {
        return NULL;
    }
    va_start(args, format);
    (void)vsnprintf((char *)text, (size_t)len + 1, format, args);
    va_end(args);
    return (const char *)text;
}

/* ---- atls_buf ---- */

#define BUF_FIRST_CAP 256

void atls_buf_init(atls_buf *b, atls_arena *a, atls_error *err)
{
    *b = (atls_buf){.arena = a, .err = err};
}

/* Makes room for n more bytes. */
static bool reserve(atls_buf *b, size_t n)
{
    if (b->failed) {
        return false;
    }
    if (n <= b->cap - b->len) {
        return true;
    }
    size_t cap = b->cap == 0 ? BUF_FIRST_CAP : b->cap;
    while (cap - b->len < n) {
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : 2 * cap;
        if (cap == SIZE_MAX) {
            break;
        }
    }
    uint8_t *ptr = atls_arena_raw(b->arena, cap, b->err);
    if (ptr == NULL) {
        b->failed = true;
        return false;
    }
    if (b->len > 0) {
        memcpy(ptr, b->ptr, b->len);
    }
    b->ptr = ptr;
    b->cap = cap;
    return true;
}

void atls_buf_put(atls_buf *b, atls_bytes in)
{
    if (in.len > 0 && reserve(b, in.len)) {
        memcpy(b->ptr + b->len, in.ptr, in.len);
        b->len += in.len;
    }
}

void atls_buf_str(atls_buf *b, const char *text)
{
    atls_buf_put(b, atls_bytes_str(text));
}

void atls_buf_format(atls_buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        b->failed = true;
        (void)atls_fail(b->err, ATLS_E_INTERNAL, "text", "a text cannot be formatted");
        return;
    }
    if (reserve(b, (size_t)len + 1)) {
        va_start(args, format);
        (void)vsnprintf((char *)b->ptr + b->len, (size_t)len + 1, format, args);
        va_end(args);
        b->len += (size_t)len;
    }
}

bool atls_buf_done(atls_buf *b, atls_bytes *out)
{
    if (b->failed) {
        return false;
    }
    *out = b->len == 0 ? atls_bytes_empty() : atls_bytes_of(b->ptr, b->len);
    return true;
}
