/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c: commas and quotes over an atls_buf. Failures stick to the buffer. */
#include <string.h>

#include "json.h"

#include "atls/time.h"

void atls_jw_init(atls_jw *w, atls_buf *b)
{
    *w = (atls_jw){.buf = b};
}

static void put_quoted(atls_buf *b, const char *literal)
{
    atls_buf_str(b, "\"");
    atls_buf_str(b, literal);
    atls_buf_str(b, "\"");
}

/* What stands before every value: the comma after its elder sibling, and its name. */
static void begin(atls_jw *w, const char *name)
{
    if (w->comma) {
        atls_buf_str(w->buf, ",");
    }
    w->comma = true;
    if (name != NULL) {
        put_quoted(w->buf, name);
        atls_buf_str(w->buf, ":");
    }
}

static void put_char(atls_buf *b, char c)
{
    atls_buf_put(b, atls_bytes_of(&c, 1));
}

void atls_jw_open(atls_jw *w, const char *name, char bracket)
{
    begin(w, name);
    put_char(w->buf, bracket);
    w->comma = false;
}

void atls_jw_close(atls_jw *w, char bracket)
{
    put_char(w->buf, bracket);
    w->comma = true;
}

/* What moves a terminal's cursor or turns its text around: U+0080 to 9F, U+2028 to 202E, U+2066 to 2069. Names in
 * evidence are the peer's, and results are read on terminals. */
static bool is_control(const uint8_t *c, size_t n)
{
    if (n == 2) {
        return c[0] == 0xc2 && c[1] < 0xa0;
    }
    return n == 3 && c[0] == 0xe2
           && ((c[1] == 0x80 && c[2] >= 0xa8 && c[2] <= 0xae) || (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9));
}

/* One byte or character that cannot stand as it is; gives how many bytes of the input it took. */
static size_t put_special(atls_buf *b, atls_bytes value, size_t pos)
{
    uint8_t c = value.ptr[pos];
    if (c == '"' || c == '\\') {
        put_char(b, '\\');
        put_char(b, (char)c);
        return 1;
    }
    if (c < 0x20 || c == 0x7f) {
        atls_buf_format(b, "\\u%04x", (unsigned)c);
        return 1;
    }
    size_t n = atls_utf8_char(value, pos);
    if (n == 0) {
        atls_buf_str(b, "\xef\xbf\xbd"); /* U+FFFD */
        return 1;
    }
    if (is_control(value.ptr + pos, n)) {
        uint32_t high = n == 2 ? value.ptr[pos] & 0x1fu : value.ptr[pos + 1] & 0x3fu;
        atls_buf_format(b, "\\u%04x",
                        (unsigned)((n == 3 ? 0x2000u : 0) | high << 6 | (value.ptr[pos + n - 1] & 0x3fu)));
        return n;
    }
    atls_buf_put(b, atls_bytes_of(value.ptr + pos, n));
    return n;
}

static bool is_plain(uint8_t c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void atls_jw_string(atls_jw *w, const char *name, atls_bytes value)
{
    begin(w, name);
    put_char(w->buf, '"');
    size_t pos = 0;
    while (pos < value.len) {
        size_t start = pos;
        while (pos < value.len && is_plain(value.ptr[pos])) {
            pos++;
        }
        atls_buf_put(w->buf, atls_bytes_of(value.ptr + start, pos - start));
        if (pos < value.len) {
            pos += put_special(w->buf, value, pos);
        }
    }
    put_char(w->buf, '"');
}

void atls_jw_str(atls_jw *w, const char *name, const char *value)
{
    atls_jw_string(w, name, atls_bytes_str(value));
}

void atls_jw_hex(atls_jw *w, const char *name, atls_bytes value)
{
    begin(w, name);
    put_char(w->buf, '"');
    char hex[2 * 64 + 1];
    for (size_t pos = 0; pos < value.len; pos += 64) {
        size_t left = value.len - pos;
        atls_hex_encode(atls_bytes_of(value.ptr + pos, left < 64 ? left : 64), hex);
        atls_buf_str(w->buf, hex);
    }
    put_char(w->buf, '"');
}

void atls_jw_uint(atls_jw *w, const char *name, uint64_t value)
{
    begin(w, name);
    atls_buf_format(w->buf, "%llu", (unsigned long long)value);
}

void atls_jw_bool(atls_jw *w, const char *name, bool value)
{
    begin(w, name);
    atls_buf_str(w->buf, value ? "true" : "false");
}

void atls_jw_null(atls_jw *w, const char *name)
{
    begin(w, name);
    atls_buf_str(w->buf, "null");
}

void atls_jw_raw(atls_jw *w, const char *name, atls_bytes json)
{
    begin(w, name);
    atls_buf_put(w->buf, json);
}

void atls_jw_time(atls_jw *w, const char *name, int64_t t)
{
    if (t == ATLS_TIME_UNSET) {
        atls_jw_null(w, name);
        return;
    }
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    atls_jw_str(w, name, text);
}
