/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.c: one line after the other; what is not plainly right is refused. */
#include "http_head.h"

#include <string.h>

#define MAX_LENGTH_DIGITS 15u

static bool refuse(svc_head *h, unsigned answer, const char *why)
{
    h->answer = answer;
    h->why = why;
    return false;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

bool svc_head_is(atls_bytes text, const char *word)
{
    if (text.len != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.ptr[i]) != lower((uint8_t)word[i])) {
            return false;
        }
    }
    return true;
}

static bool is_token_char(uint8_t c)
{
    const bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return alnum || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(atls_bytes t)
{
    for (size_t i = 0; i < t.len; i++) {
        if (!is_token_char(t.ptr[i])) {
            return false;
        }
    }
    return t.len > 0;
}

static atls_bytes trim(atls_bytes t)
{
    while (t.len > 0 && (t.ptr[0] == ' ' || t.ptr[0] == '\t')) {
        t = atls_bytes_of(t.ptr + 1, t.len - 1);
    }
    while (t.len > 0 && (t.ptr[t.len - 1] == ' ' || t.ptr[t.len - 1] == '\t')) {
        t.len--;
    }
    return t;
}

/* What stands before the first `c`; *rest is what follows it. False when there is none. */
static bool split(atls_bytes in, uint8_t c, atls_bytes *before, atls_bytes *rest)
{
    const uint8_t *at = in.len == 0 ? NULL : memchr(in.ptr, c, in.len);
    if (at == NULL) {
        return false;
    }
    const size_t n = (size_t)(at - in.ptr);
    *before = atls_bytes_of(in.ptr, n);
    *rest = atls_bytes_of(at + 1, in.len - n - 1);
    return true;
}

/* ---- request line ---- */

static bool read_target(svc_head *h, atls_bytes target)
{
    atls_bytes query;
    if (target.len > SVC_MAX_TARGET_LEN) {
        return refuse(h, 414, "the target is too long");
    }
    if (target.len == 0 || target.ptr[0] != '/') {
        return refuse(h, 400, "the target is not a path");
    }
    for (size_t i = 0; i < target.len; i++) {
        if (target.ptr[i] <= ' ' || target.ptr[i] >= 0x7f || target.ptr[i] == '#') {
            return refuse(h, 400, "a byte of the target does not belong there");
        }
    }
    if (!split(target, '?', &h->path, &query)) {
        h->path = target;
    }
    return true;
}

static bool read_request_line(svc_head *h, atls_bytes line)
{
    atls_bytes rest;
    atls_bytes target;
    atls_bytes version;
    if (!split(line, ' ', &h->method, &rest) || !split(rest, ' ', &target, &version) || !is_token(h->method)) {
        return refuse(h, 400, "this is no request line");
    }
    if (h->method.len > SVC_MAX_METHOD_LEN) {
        return refuse(h, 501, "the method is unknown");
    }
    if (version.len != 8 || memcmp(version.ptr, "HTTP/", 5) != 0) {
        return refuse(h, 400, "this is no request line");
    }
    if (memcmp(version.ptr, "HTTP/1.1", 8) != 0) {
        return refuse(h, 505, "only HTTP/1.1 is spoken here");
    }
    return read_target(h, target);
}

/* ---- fields ---- */

static bool read_length(svc_head *h, atls_bytes value)
{
    h->n_length++;
    h->has_length = true;
    if (h->n_length > 1 || value.len == 0 || value.len > MAX_LENGTH_DIGITS) {
        return refuse(h, 400, "Content-Length is not one plain number");
    }
    h->length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return refuse(h, 400, "Content-Length is not one plain number");
        }
        h->length = h->length * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    return true;
}

static bool read_coding(svc_head *h, atls_bytes value)
{
    h->n_coding++;
    h->is_chunked = true;
    if (h->n_coding > 1) {
        return refuse(h, 400, "there are two Transfer-Encodings");
    }
    return svc_head_is(value, "chunked") || refuse(h, 501, "Transfer-Encoding is not chunked");
}

static bool read_connection(svc_head *h, atls_bytes value)
{
    atls_bytes rest = value;
    atls_bytes option;
    while (split(rest, ',', &option, &rest)) {
        h->wants_close = h->wants_close || svc_head_is(trim(option), "close");
    }
    h->wants_close = h->wants_close || svc_head_is(trim(rest), "close");
    return true;
}

static bool read_type(svc_head *h, atls_bytes value)
{
    atls_bytes parameters;
    if (h->has_type) {
        return refuse(h, 400, "there are two Content-Types");
    }
    h->has_type = true;
    if (!split(value, ';', &h->type, &parameters)) {
        h->type = value;
    }
    h->type = trim(h->type);
    return true;
}

static bool read_expect(svc_head *h, atls_bytes value)
{
    h->expects_100 = true;
    return svc_head_is(value, "100-continue") || refuse(h, 417, "Expect is not 100-continue");
}

static bool read_encoding(svc_head *h, atls_bytes value)
{
    return svc_head_is(value, "identity") || refuse(h, 415, "the body has a Content-Encoding");
}

static bool read_host(svc_head *h, atls_bytes value)
{
    (void)value; /* the URL in the challenge comes from the configuration, never from here */
    return ++h->n_host == 1 || refuse(h, 400, "there are two Hosts");
}

static bool read_field(svc_head *h, atls_bytes line)
{
    static const struct {
        const char *name;
        bool (*read)(svc_head *h, atls_bytes value);
    } fields[] = {
        {"Host", read_host},
        {"Content-Length", read_length},
        {"Transfer-Encoding", read_coding},
        {"Connection", read_connection},
        {"Content-Type", read_type},
        {"Content-Encoding", read_encoding},
        {"Expect", read_expect},
    };
    atls_bytes name;
    atls_bytes value;
    if (++h->n_fields > SVC_MAX_FIELDS) {
        return refuse(h, 431, "there are too many fields");
    }
    if (!split(line, ':', &name, &value) || !is_token(name)) {
        return refuse(h, 400, "a line is no field");
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (svc_head_is(name, fields[i].name)) {
            return fields[i].read(h, trim(value));
        }
    }
    return true;
}

/* Fields may hold anything printable, tabs, and bytes above ASCII, which nothing here looks at. */
static bool is_clean(atls_bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if ((line.ptr[i] < ' ' && line.ptr[i] != '\t') || line.ptr[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

/* The next line, without its CR LF. */
static bool next_line(atls_bytes *rest, atls_bytes *line)
{
    if (!split(*rest, '\n', line, rest) || line->len == 0 || line->ptr[line->len - 1] != '\r') {
        return false;
    }
    line->len--;
    return is_clean(*line);
}

static bool judge(svc_head *h)
{
    if (h->n_host == 0) {
        return refuse(h, 400, "there is no Host");
    }
    if (h->is_chunked && h->has_length) {
        return refuse(h, 400, "there are both Content-Length and Transfer-Encoding");
    }
    return true;
}

bool svc_head_read(atls_bytes block, svc_head *out)
{
    atls_bytes rest = block;
    atls_bytes line;
    *out = (svc_head){.method = atls_bytes_empty(), .path = atls_bytes_empty(), .type = atls_bytes_empty()};
    if (!next_line(&rest, &line)) {
        return refuse(out, 400, "a line does not end with CR LF, or holds control characters");
    }
    if (!read_request_line(out, line)) {
        return false;
    }
    for (;;) {
        if (!next_line(&rest, &line)) {
            return refuse(out, 400, "a line does not end with CR LF, or holds control characters");
        }
        if (line.len == 0) {
            break;
        }
        if (!read_field(out, line)) {
            return false;
        }
    }
    return (rest.len == 0 || refuse(out, 400, "there is something behind the head")) && judge(out);
}
