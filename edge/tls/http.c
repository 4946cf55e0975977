/* SPDX-License-Identifier: Apache-2.0 */
/* http.c: the message as a whole: collect the header block, judge it, take the body. http_header.c reads the block. */
#include "http.h"

#include <stdio.h>
#include <string.h>

#include "http_header.h"

enum {
    PHASE_HEADER,
    PHASE_BODY, /* `left` bytes of a counted body */
    PHASE_SIZE, /* hex digits of a chunk size, up to CR */
    PHASE_SIZE_LF,
    PHASE_CHUNK, /* `left` bytes of a chunk */
    PHASE_CHUNK_CR,
    PHASE_CHUNK_LF,
    PHASE_LAST_CR, /* after the chunk of size 0; anything but CR would be a trailer */
    PHASE_LAST_LF,
    PHASE_DONE,
};

#define MAX_CHUNK_DIGITS 8u

static bool start(atls_http *h, atls_arena *arena, atls_error *err)
{
    h->arena = arena;
    h->header = atls_arena_raw(arena, ATLS_MAX_HTTP_HEADER_LEN, err);
    return h->header != NULL;
}

bool atls_http_response(atls_http *h, atls_arena *arena, atls_error *err)
{
    *h = (atls_http){.prefix = "response", .body_max = ATLS_MAX_HTTP_BODY_LEN};
    return start(h, arena, err);
}

bool atls_http_request(atls_http *h, const char *path, atls_arena *arena, atls_error *err)
{
    *h = (atls_http){.prefix = "request", .path = path, .body_max = ATLS_MAX_HTTP_REQUEST_BODY_LEN, .answer = 400};
    return start(h, arena, err);
}

bool atls_http_surplus(const atls_http *h, size_t n, atls_error *err)
{
    char actual[32];
    snprintf(actual, sizeof actual, "%zu bytes", n);
    return atls_http_fail(h, err, "end", "0 bytes", actual, "there are bytes after the end of the message");
}

bool atls_http_ended(const atls_http *h, atls_error *err)
{
    const char *part = h->phase == PHASE_HEADER ? "header" : "body";
    return atls_http_fail(h, err, part, NULL, NULL, "the stream ended before the message did");
}

atls_bytes atls_http_body(const atls_http *h)
{
    return h->body == NULL ? atls_bytes_empty() : atls_bytes_of(h->body, h->body_len);
}

/* ---- header ------------------------------------------------------------------------------------------------------ */

/* Lines end with CR LF, none is folded, and nothing else below space but tab stands in them. */
static bool byte_follows(const atls_http *h, uint8_t c)
{
    uint8_t before = h->header_len == 0 ? 0 : h->header[h->header_len - 1];
    if ((c == '\n') != (before == '\r')) {
        return false;
    }
    if (before == '\n' && (c == ' ' || c == '\t')) {
        return false;
    }
    return c == '\r' || c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool block_is_complete(const atls_http *h)
{
    return h->header_len >= 4 && memcmp(h->header + h->header_len - 4, "\r\n\r\n", 4) == 0;
}

static void begin_body(atls_http *h)
{
    if (h->facts.n_coding > 0) {
        h->phase = PHASE_SIZE;
        h->digits = 0;
        h->left = 0;
        return;
    }
    h->left = h->facts.length;
    h->phase = h->left == 0 ? PHASE_DONE : PHASE_BODY;
}

static bool take_header_byte(atls_http *h, uint8_t c, atls_error *err)
{
    if (h->header_total == ATLS_MAX_HTTP_HEADER_LEN) {
        return atls_http_fail(h, err, "header", "at most 16384 bytes", NULL, "the header is too long");
    }
    if (!byte_follows(h, c)) {
        return atls_http_fail(h, err, "header", NULL, NULL, "byte 0x%02x does not belong at offset %zu", c,
                              h->header_total);
    }
    h->header[h->header_len++] = c;
    h->header_total++;
    if (!block_is_complete(h)) {
        return true;
    }
    if (!atls_http_header_read(h, err)) {
        return false;
    }
    if (h->path == NULL && h->facts.status == 100) {
        h->header_len = 0; /* an interim response: the real one follows, under the same cap */
        return true;
    }
    begin_body(h);
    return true;
}

/* ---- body -------------------------------------------------------------------------------------------------------- */

/* Appends to the body, which grows at the end of the arena: memory follows bytes received, never bytes announced. */
static bool keep(atls_http *h, const uint8_t *in, size_t n, atls_error *err)
{
    uint8_t *room = atls_arena_raw(h->arena, n, err);
    if (room == NULL) {
        return false;
    }
    if (h->body == NULL) {
        h->body = room;
    }
    if (room != h->body + h->body_len) {
        return atls_fail(err, ATLS_E_INTERNAL, "http.body", "the arena was used while a body was being read");
    }
    memcpy(room, in, n);
    h->body_len += n;
    return true;
}

/* Takes what there is of `left` bytes, and goes on to `next` behind the last one. */
static bool take_run(atls_http *h, atls_bytes in, int next, size_t *used, atls_error *err)
{
    size_t n = in.len < h->left ? in.len : (size_t)h->left;
    if (!keep(h, in.ptr, n, err)) {
        return false;
    }
    h->left -= n;
    *used += n;
    if (h->left == 0) {
        h->phase = next;
    }
    return true;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = (uint8_t)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool end_chunk_size(atls_http *h, atls_error *err)
{
    if (h->left > h->body_max - h->body_len) {
        return atls_http_too_long(h, err);
    }
    h->phase = h->left == 0 ? PHASE_LAST_CR : PHASE_CHUNK;
    return true;
}

static bool take_size_byte(atls_http *h, uint8_t c, atls_error *err)
{
    int digit = hex_digit(c);
    if (c == '\r' && h->digits > 0) {
        h->phase = PHASE_SIZE_LF;
        return true;
    }
    if (digit < 0 || h->digits == MAX_CHUNK_DIGITS) {
        return atls_http_fail(h, err, "chunk", "1 to 8 hex digits", NULL, "the size of a chunk is malformed");
    }
    h->left = h->left * 16 + (unsigned)digit;
    h->digits++;
    return true;
}

/* One byte of the framing of chunks. */
static bool take_framing_byte(atls_http *h, uint8_t c, atls_error *err)
{
    if (++h->overhead > h->body_max) {
        return atls_http_fail(h, err, "chunk", NULL, NULL, "more framing than a body of the greatest length needs");
    }
    if (h->phase == PHASE_SIZE) {
        return take_size_byte(h, c, err);
    }
    bool wants_cr = h->phase == PHASE_CHUNK_CR || h->phase == PHASE_LAST_CR;
    if (c != (wants_cr ? '\r' : '\n')) {
        return atls_http_fail(h, err, "chunk", NULL, NULL,
                              h->phase == PHASE_LAST_CR ? "there are trailers" : "a chunk does not end with CR LF");
    }
    switch (h->phase) {
    case PHASE_SIZE_LF:
        return end_chunk_size(h, err);
    case PHASE_CHUNK_CR:
        h->phase = PHASE_CHUNK_LF;
        return true;
    case PHASE_CHUNK_LF:
        h->phase = PHASE_SIZE;
        h->digits = 0;
        return true;
    case PHASE_LAST_CR:
        h->phase = PHASE_LAST_LF;
        return true;
    default:
        h->phase = PHASE_DONE;
        return true;
    }
}

static bool take(atls_http *h, atls_bytes in, size_t *used, atls_error *err)
{
    atls_bytes rest = atls_bytes_of(in.ptr + *used, in.len - *used);
    switch (h->phase) {
    case PHASE_BODY:
        return take_run(h, rest, PHASE_DONE, used, err);
    case PHASE_CHUNK:
        return take_run(h, rest, PHASE_CHUNK_CR, used, err);
    case PHASE_HEADER:
        return take_header_byte(h, in.ptr[(*used)++], err);
    default:
        return take_framing_byte(h, in.ptr[(*used)++], err);
    }
}

atls_http_state atls_http_feed(atls_http *h, atls_bytes in, size_t *used, atls_error *err)
{
    *used = 0;
    while (h->phase != PHASE_DONE && *used < in.len) {
        if (!take(h, in, used, err)) {
            return ATLS_HTTP_FAILED;
        }
    }
    return h->phase == PHASE_DONE ? ATLS_HTTP_DONE : ATLS_HTTP_MORE;
}
