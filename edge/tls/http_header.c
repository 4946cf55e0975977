/* SPDX-License-Identifier: Apache-2.0 */
/* http_header.c: one complete header block: http-parser takes it apart, the rules of R9 judge it. */
#include "http_header.h"

#include <http_parser.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What the callbacks of http-parser know. Slices point into h->header. */
typedef struct reader {
    atls_http *h;
    atls_bytes target;
    atls_bytes name;
    atls_bytes value;
    bool has_name;
    bool is_complete;
} reader;

bool atls_http_fail(const atls_http *h, atls_error *err, const char *field, const char *expected, const char *actual,
                    const char *message, ...)
{
    char path[64];
    char text[160];
    snprintf(path, sizeof path, "%s.%s", h->prefix, field);
    va_list args;
    va_start(args, message);
    vsnprintf(text, sizeof text, message, args);
    va_end(args);
    return atls_fail_values(err, ATLS_E_IO, path, expected, actual, "%s", text);
}

bool atls_http_too_long(const atls_http *h, atls_error *err)
{
    char expected[48];
    snprintf(expected, sizeof expected, "at most %zu bytes", h->body_max);
    return atls_http_fail(h, err, "body", expected, NULL, "the body is too long");
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

/* word is in lower case */
static bool is_word(atls_bytes text, const char *word)
{
    if (text.len != strlen(word)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.ptr[i]) != (uint8_t)word[i]) {
            return false;
        }
    }
    return true;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t';
}

static atls_bytes trimmed(atls_bytes text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

/* Splits what stands before the separator off rest; both sides are trimmed. */
static atls_bytes split(atls_bytes *rest, char separator)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != (uint8_t)separator) {
        n++;
    }
    atls_bytes first = {rest->ptr, n};
    size_t skip = n < rest->len ? n + 1 : n;
    *rest = (atls_bytes){rest->ptr + skip, rest->len - skip};
    return trimmed(first);
}

/* A token of RFC 9110 5.6.2; the parser itself lets spaces through. */
static bool is_token(atls_bytes name)
{
    static const char others[] = "!#$%&'*+-.^_`|~";
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = lower(name.ptr[i]);
        bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (c == 0 || strchr(others, c) == NULL)) {
            return false;
        }
    }
    return name.len > 0;
}

/* ---- one header line --------------------------------------------------------------------------------------------- */

static bool note_length(atls_http *h, atls_bytes value, atls_error *err)
{
    uint64_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9' || value.len > 18) {
            return atls_http_fail(h, err, "content_length", "decimal digits", NULL, "Content-Length is malformed");
        }
        n = n * 10 + (unsigned)(value.ptr[i] - '0');
    }
    h->facts.n_length++;
    h->facts.length = n;
    return value.len > 0 || atls_http_fail(h, err, "content_length", NULL, NULL, "Content-Length is empty");
}

static void note_connection(atls_http *h, atls_bytes value)
{
    while (value.len > 0) {
        atls_bytes option = split(&value, ',');
        h->facts.close = h->facts.close || is_word(option, "close");
        h->facts.upgrade = h->facts.upgrade || is_word(option, "upgrade");
    }
}

static bool note_header(atls_http *h, atls_bytes name, atls_bytes value, atls_error *err)
{
    atls_http_facts *f = &h->facts;
    if (!is_token(name)) {
        return atls_http_fail(h, err, "header", NULL, NULL, "a header name is no token");
    }
    if (is_word(name, "content-length")) {
        return note_length(h, value, err);
    }
    if (is_word(name, "transfer-encoding")) {
        f->n_coding++;
        f->coding_is_chunked = is_word(value, "chunked");
    } else if (is_word(name, "content-type")) {
        f->n_type++;
        f->type_is_json = is_word(split(&value, ';'), "application/json");
    } else if (is_word(name, "content-encoding")) {
        f->encoded = f->encoded || !is_word(value, "identity");
    } else if (is_word(name, "connection")) {
        note_connection(h, value);
    } else if (is_word(name, "upgrade")) {
        f->upgrade = true;
    } else if (is_word(name, "host")) {
        f->n_host++;
    }
    return true;
}

/* ---- callbacks of http-parser ------------------------------------------------------------------------------------ */

/* The parser's callbacks have no place for an error: the lines are noted once it has returned. It gives each part of a
 * block that lies in one piece of memory in one call, and an empty value in none or one of no bytes. */
typedef struct line_sink {
    reader *r;
    atls_error *err;
    bool ok;
} line_sink;

static void flush_line(line_sink *sink)
{
    reader *r = sink->r;
    if (r->has_name && sink->ok) {
        sink->ok = note_header(r->h, r->name, trimmed(r->value), sink->err);
    }
    r->has_name = false;
    r->value = atls_bytes_empty();
}

static int on_target(http_parser *p, const char *at, size_t len)
{
    line_sink *sink = p->data;
    sink->r->target = atls_bytes_of(at, len);
    return 0;
}

static int on_name(http_parser *p, const char *at, size_t len)
{
    line_sink *sink = p->data;
    flush_line(sink);
    sink->r->name = atls_bytes_of(at, len);
    sink->r->has_name = true;
    return sink->ok ? 0 : 1;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    line_sink *sink = p->data;
    sink->r->value = atls_bytes_of(at, len);
    return 0;
}

static int on_block_end(http_parser *p)
{
    line_sink *sink = p->data;
    flush_line(sink);
    sink->r->is_complete = true;
    return 1; /* the parser is to expect no body: it is read here */
}

/* ---- judgement --------------------------------------------------------------------------------------------------- */

static const char *field_of(enum http_errno code)
{
    switch (code) {
    case HPE_UNEXPECTED_CONTENT_LENGTH:
    case HPE_INVALID_CONTENT_LENGTH:
        return "content_length";
    case HPE_INVALID_TRANSFER_ENCODING:
        return "transfer_encoding";
    case HPE_INVALID_VERSION:
        return "version";
    case HPE_INVALID_STATUS:
        return "status";
    case HPE_INVALID_METHOD:
        return "method";
    case HPE_INVALID_URL:
        return "path";
    default:
        return "header";
    }
}

static bool judge_framing(const atls_http *h, atls_error *err)
{
    const atls_http_facts *f = &h->facts;
    if (f->n_length > 1) {
        return atls_http_fail(h, err, "content_length", "one", "two", "Content-Length is repeated");
    }
    if (f->n_length > 0 && f->n_coding > 0) {
        return atls_http_fail(h, err, "transfer_encoding", NULL, NULL, "both Content-Length and Transfer-Encoding");
    }
    if (f->n_coding > 1 || (f->n_coding == 1 && !f->coding_is_chunked)) {
        return atls_http_fail(h, err, "transfer_encoding", "chunked", NULL, "a transfer coding that is not supported");
    }
    if (f->n_length == 0 && f->n_coding == 0) {
        return atls_http_fail(h, err, "content_length", NULL, "missing",
                              "neither Content-Length nor Transfer-Encoding: chunked");
    }
    if (f->length > h->body_max) {
        return atls_http_too_long(h, err);
    }
    return true;
}

/* What holds for both directions: the connection stays, and the body is JSON of a known length. */
static bool judge_common(const atls_http *h, atls_error *err)
{
    const atls_http_facts *f = &h->facts;
    if (f->upgrade) {
        return atls_http_fail(h, err, "upgrade", NULL, NULL, "an upgrade to another protocol is not accepted");
    }
    if (f->close) {
        return atls_http_fail(h, err, "connection", "keep-alive", "close",
                              "the connection would close, and could not carry the application");
    }
    if (f->encoded) {
        return atls_http_fail(h, err, "content_encoding", "identity", NULL, "the body is encoded");
    }
    if (!judge_framing(h, err)) {
        return false;
    }
    if (f->n_type != 1 || !f->type_is_json) {
        return atls_http_fail(h, err, "content_type", "application/json", f->n_type == 0 ? "missing" : NULL,
                              "the body is not declared as JSON");
    }
    return true;
}

static bool judge_response(const atls_http *h, atls_error *err)
{
    const atls_http_facts *f = &h->facts;
    if (f->status == 100) {
        bool bare = f->n_length == 0 && f->n_coding == 0 && !f->upgrade && !f->close;
        return bare
               || atls_http_fail(h, err, "status", NULL, "100",
                                 "an interim response has a body or ends the connection");
    }
    if (f->status != 200) {
        char actual[16];
        snprintf(actual, sizeof actual, "%u", f->status);
        return atls_http_fail(h, err, "status", "200", actual, "the server did not answer with a quote");
    }
    return judge_common(h, err);
}

static bool judge_request(atls_http *h, atls_error *err)
{
    const atls_http_facts *f = &h->facts;
    if (!f->path_matches) {
        h->answer = 404;
        return atls_http_fail(h, err, "path", h->path, NULL, "the first request asks for something else");
    }
    if (!f->is_post) {
        h->answer = 405;
        return atls_http_fail(h, err, "method", "POST", NULL, "the first request has another method");
    }
    if (f->n_host != 1) {
        return atls_http_fail(h, err, "host", "one", f->n_host == 0 ? "none" : "several", "Host must be there once");
    }
    return judge_common(h, err);
}

/* "HTTP/1.1 200 OK" or "POST /x HTTP/1.1": the parser forgives longer numbers and blank lines in front. */
static bool first_line_is_strict(const atls_http *h)
{
    const uint8_t *b = h->header;
    if (h->path != NULL) {
        return b[0] >= 'A' && b[0] <= 'Z';
    }
    if (h->header_len < 16 || memcmp(b, "HTTP/1.1 ", 9) != 0) {
        return false;
    }
    for (size_t i = 9; i < 12; i++) {
        if (b[i] < '0' || b[i] > '9') {
            return false;
        }
    }
    return b[12] == ' ' || b[12] == '\r';
}

/* Takes the block apart into h->facts. */
static bool parse(atls_http *h, atls_error *err)
{
    reader r = {.h = h, .target = atls_bytes_empty(), .value = atls_bytes_empty()};
    line_sink sink = {.r = &r, .err = err, .ok = true};
    http_parser_settings settings;
    http_parser_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_headers_complete = on_block_end;
    http_parser p;
    http_parser_init(&p, h->path != NULL ? HTTP_REQUEST : HTTP_RESPONSE);
    p.data = &sink;
    union {
        const uint8_t *in;
        const char *out;
    } text = {.in = h->header};
    size_t n = http_parser_execute(&p, &settings, text.out, h->header_len);
    h->facts.status = p.status_code;
    h->facts.is_post = p.method == HTTP_POST;
    h->facts.is_http11 = p.http_major == 1 && p.http_minor == 1;
    h->facts.path_matches = h->path != NULL && atls_bytes_equal_str(r.target, h->path);
    if (!sink.ok) {
        return false;
    }
    enum http_errno code = HTTP_PARSER_ERRNO(&p);
    if (code != HPE_OK) {
        return atls_http_fail(h, err, field_of(code), NULL, NULL, "%s", http_errno_description(code));
    }
    if (p.upgrade) {
        return atls_http_fail(h, err, "upgrade", NULL, NULL, "an upgrade to another protocol is not accepted");
    }
    return (r.is_complete && n == h->header_len)
           || atls_http_fail(h, err, "header", NULL, NULL, "the header does not end where its lines do");
}

bool atls_http_header_read(atls_http *h, atls_error *err)
{
    h->facts = (atls_http_facts){0};
    if (!first_line_is_strict(h)) {
        return atls_http_fail(h, err, h->path != NULL ? "method" : "status", NULL, NULL, "the first line is malformed");
    }
    if (!parse(h, err)) {
        return false;
    }
    if (!h->facts.is_http11) {
        return atls_http_fail(h, err, "version", "HTTP/1.1", NULL, "another version of HTTP");
    }
    return h->path != NULL ? judge_request(h, err) : judge_response(h, err);
}
