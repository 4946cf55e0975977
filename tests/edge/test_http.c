/* SPDX-License-Identifier: Apache-2.0 */
/* test_http.c: the HTTP readers: a table of honest and dishonest messages, each fed whole and byte by byte. */
#include "tap.h"

#include "atls/arena.h"
#include "edge/tls/http.h"

#define ARENA_SIZE ((size_t)6 * 1024 * 1024)

#define OK_LINE                 "HTTP/1.1 200 OK\r\n"
#define JSON_TYPE               "Content-Type: application/json\r\n"
#define RESPONSE(headers, body) OK_LINE JSON_TYPE headers "\r\n" body
#define REQUEST(headers, body)  "POST /tdx_quote HTTP/1.1\r\nHost: a\r\n" headers "\r\n" body
#define CHUNKED                 "Transfer-Encoding: chunked\r\n"

typedef struct row {
    const char *name;  /* what the row proves */
    const char *in;    /* the stream */
    const char *field; /* of the error; NULL: the message is accepted */
    const char *body;  /* of an accepted message */
    size_t left_over;  /* bytes behind an accepted message */
    unsigned answer;   /* of a refused request */
} row;

/* clang-format off */
static const row responses[] = {
    {"a counted body", RESPONSE("Content-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"names of headers in any case", OK_LINE "CONTENT-type: Application/JSON\r\ncontent-LENGTH: 2\r\n\r\n{}", NULL, "{}", 0, 0},
    {"parameters of the type", OK_LINE "Content-Type: application/json ; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}", NULL, "{}", 0, 0},
    {"other headers, one empty", RESPONSE("Server: x\r\nX-Empty:\r\nContent-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"spaces around a length", RESPONSE("Content-Length:   2 \r\n", "{}"), NULL, "{}", 0, 0},
    {"no reason phrase", "HTTP/1.1 200\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", NULL, "{}", 0, 0},
    {"a body of nothing", RESPONSE("Content-Length: 0\r\n", ""), NULL, "", 0, 0},
    {"keep-alive said aloud", RESPONSE("Connection: keep-alive\r\nContent-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"identity coding", RESPONSE("Content-Encoding: identity\r\nContent-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"http-chunked: one chunk", RESPONSE(CHUNKED, "2\r\n{}\r\n0\r\n\r\n"), NULL, "{}", 0, 0},
    {"http-chunked: many chunks", RESPONSE(CHUNKED, "1\r\n{\r\n009\r\n\"a\":\"bcde\r\n2\r\n\"}\r\n000\r\n\r\n"), NULL, "{\"a\":\"bcde\"}", 0, 0},
    {"http-chunked: chunked in capitals", RESPONSE("Transfer-Encoding: CHUNKED\r\n", "2\r\n{}\r\n0\r\n\r\n"), NULL, "{}", 0, 0},
    {"100-continue first", "HTTP/1.1 100 Continue\r\n\r\n" RESPONSE("Content-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"two of 100-continue", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 C\r\nA: b\r\n\r\n" RESPONSE("Content-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"http-extra-bytes: seen by the caller", RESPONSE("Content-Length: 2\r\n", "{}x"), NULL, "{}", 1, 0},
    {"http-extra-bytes: behind chunks", RESPONSE(CHUNKED, "2\r\n{}\r\n0\r\n\r\nHTTP"), NULL, "{}", 4, 0},

    {"http-500", "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "response.status", NULL, 0, 0},
    {"http-redirect", "HTTP/1.1 302 Found\r\nLocation: https://b/\r\nContent-Length: 0\r\n\r\n", "response.status", NULL, 0, 0},
    {"201 is not 200", "HTTP/1.1 201 Created\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"204 is not 200", "HTTP/1.1 204 No Content\r\n\r\n", "response.status", NULL, 0, 0},
    {"429", "HTTP/1.1 429 Busy\r\nContent-Length: 0\r\n\r\n", "response.status", NULL, 0, 0},
    {"101", "HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n", "response.upgrade", NULL, 0, 0},
    {"102", "HTTP/1.1 102 Processing\r\n\r\n", "response.status", NULL, 0, 0},
    {"103", "HTTP/1.1 103 Early Hints\r\n\r\n", "response.status", NULL, 0, 0},
    {"100-continue with a length", "HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n", "response.status", NULL, 0, 0},
    {"100-continue and close", "HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n", "response.status", NULL, 0, 0},
    {"http-no-length", RESPONSE("", "{}"), "response.content_length", NULL, 0, 0},
    {"http-both-lengths", RESPONSE("Content-Length: 2\r\n" CHUNKED, "{}"), "response.content_length", NULL, 0, 0},
    {"http-both-lengths, the other way", RESPONSE(CHUNKED "Content-Length: 2\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a length twice", RESPONSE("Content-Length: 2\r\nContent-Length: 2\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a length as a list", RESPONSE("Content-Length: 2, 2\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a length with a sign", RESPONSE("Content-Length: +2\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a length in hex", RESPONSE("Content-Length: 0x2\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a negative length", RESPONSE("Content-Length: -1\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"an empty length", RESPONSE("Content-Length:\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"a length that overflows", RESPONSE("Content-Length: 18446744073709551618\r\n", "{}"), "response.content_length", NULL, 0, 0},
    {"http-huge: 4 MiB and 1", RESPONSE("Content-Length: 4194305\r\n", ""), "response.body", NULL, 0, 0},
    {"http-huge: a chunk of 4 MiB and 1", RESPONSE(CHUNKED, "400001\r\n"), "response.body", NULL, 0, 0},
    {"http-huge: chunk sizes do not wrap", RESPONSE(CHUNKED, "1\r\na\r\nffffffff\r\n"), "response.body", NULL, 0, 0},
    {"chunked twice", RESPONSE(CHUNKED CHUNKED, "0\r\n\r\n"), "response.transfer_encoding", NULL, 0, 0},
    {"another coding", RESPONSE("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), "response.transfer_encoding", NULL, 0, 0},
    {"coding identity", RESPONSE("Transfer-Encoding: identity\r\n", "{}"), "response.transfer_encoding", NULL, 0, 0},
    {"an encoded body", RESPONSE("Content-Encoding: gzip\r\nContent-Length: 2\r\n", "{}"), "response.content_encoding", NULL, 0, 0},
    {"a chunk size without digits", RESPONSE(CHUNKED, "\r\n"), "response.chunk", NULL, 0, 0},
    {"a chunk size of nine digits", RESPONSE(CHUNKED, "000000002\r\n{}"), "response.chunk", NULL, 0, 0},
    {"a chunk size with a sign", RESPONSE(CHUNKED, "+2\r\n{}"), "response.chunk", NULL, 0, 0},
    {"a chunk extension", RESPONSE(CHUNKED, "2;a=b\r\n{}"), "response.chunk", NULL, 0, 0},
    {"a space behind a chunk size", RESPONSE(CHUNKED, "2 \r\n{}"), "response.chunk", NULL, 0, 0},
    {"a chunk size ended by LF", RESPONSE(CHUNKED, "2\n{}"), "response.chunk", NULL, 0, 0},
    {"a chunk size ended by CR and something", RESPONSE(CHUNKED, "2\rx{}"), "response.chunk", NULL, 0, 0},
    {"a chunk longer than it says", RESPONSE(CHUNKED, "2\r\n{}x\r\n"), "response.chunk", NULL, 0, 0},
    {"a chunk ended by CR and something", RESPONSE(CHUNKED, "2\r\n{}\rx"), "response.chunk", NULL, 0, 0},
    {"trailers", RESPONSE(CHUNKED, "0\r\nA: b\r\n\r\n"), "response.chunk", NULL, 0, 0},
    {"the end without its LF", RESPONSE(CHUNKED, "0\r\n\rx"), "response.chunk", NULL, 0, 0},
    {"no type", OK_LINE "Content-Length: 2\r\n\r\n{}", "response.content_type", NULL, 0, 0},
    {"a type twice", RESPONSE(JSON_TYPE "Content-Length: 2\r\n", "{}"), "response.content_type", NULL, 0, 0},
    {"another type", OK_LINE "Content-Type: text/html\r\nContent-Length: 2\r\n\r\n{}", "response.content_type", NULL, 0, 0},
    {"a longer type", OK_LINE "Content-Type: application/json5\r\nContent-Length: 2\r\n\r\n{}", "response.content_type", NULL, 0, 0},
    {"a list of types", OK_LINE "Content-Type: application/json, text/html\r\nContent-Length: 2\r\n\r\n{}", "response.content_type", NULL, 0, 0},
    {"connection close", RESPONSE("Connection: close\r\nContent-Length: 2\r\n", "{}"), "response.connection", NULL, 0, 0},
    {"close among others", RESPONSE("Connection: foo , Close\r\nContent-Length: 2\r\n", "{}"), "response.connection", NULL, 0, 0},
    {"close in a second line", RESPONSE("Connection: keep-alive\r\nConnection: close\r\nContent-Length: 2\r\n", "{}"), "response.connection", NULL, 0, 0},
    {"an offer to upgrade", RESPONSE("Upgrade: h2\r\nContent-Length: 2\r\n", "{}"), "response.upgrade", NULL, 0, 0},
    {"connection upgrade", RESPONSE("Connection: upgrade\r\nContent-Length: 2\r\n", "{}"), "response.upgrade", NULL, 0, 0},
    {"HTTP/1.0", "HTTP/1.0 200 OK\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"HTTP/2", "HTTP/2.0 200 OK\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"a status of four digits", "HTTP/1.1 0200 OK\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"a status of two digits", "HTTP/1.1 20 OK\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"no status", "HTTP/1.1 OK\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "response.status", NULL, 0, 0},
    {"a blank line in front", "\r\n" RESPONSE("Content-Length: 2\r\n", "{}"), "response.status", NULL, 0, 0},
    {"an empty block", "\r\n\r\n", "response.status", NULL, 0, 0},
    {"lines ended by LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "response.header", NULL, 0, 0},
    {"a bare CR", RESPONSE("A: b\rc\r\n", ""), "response.header", NULL, 0, 0},
    {"a folded line", RESPONSE("A: b\r\n c\r\n", ""), "response.header", NULL, 0, 0},
    {"a line folded with a tab", RESPONSE("A: b\r\n\tc\r\n", ""), "response.header", NULL, 0, 0},
    {"a control character", RESPONSE("A: \001\r\n", ""), "response.header", NULL, 0, 0},
    {"a DEL", RESPONSE("A: \177\r\n", ""), "response.header", NULL, 0, 0},
    {"a space before the colon", RESPONSE("Content-Length : 2\r\n", "{}"), "response.header", NULL, 0, 0},
    {"a space in a name", RESPONSE("Content Length: 2\r\n", "{}"), "response.header", NULL, 0, 0},
    {"a name of nothing", RESPONSE(": 2\r\n", "{}"), "response.header", NULL, 0, 0},
    {"a line without a colon", RESPONSE("Content-Length\r\n", "{}"), "response.header", NULL, 0, 0},
    {"not HTTP", "220 mail.example.com ESMTP ready\r\n\r\n", "response.status", NULL, 0, 0},
    {"an HTTP request", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "response.status", NULL, 0, 0},
};

static const row requests[] = {
    {"the request of the specification", REQUEST(JSON_TYPE "Content-Length: 2\r\nConnection: keep-alive\r\n", "{}"), NULL, "{}", 0, 0},
    {"a chunked request", REQUEST(JSON_TYPE CHUNKED, "2\r\n{}\r\n0\r\n\r\n"), NULL, "{}", 0, 0},
    {"Expect is waited out", REQUEST(JSON_TYPE "Expect: 100-continue\r\nContent-Length: 2\r\n", "{}"), NULL, "{}", 0, 0},
    {"4096 bytes are the most: 4097", REQUEST(JSON_TYPE "Content-Length: 4097\r\n", ""), "request.body", NULL, 0, 400},
    {"a chunk over the most", REQUEST(JSON_TYPE CHUNKED, "1001\r\n"), "request.body", NULL, 0, 400},
    {"another path", "POST /other HTTP/1.1\r\nHost: a\r\n\r\n", "request.path", NULL, 0, 404},
    {"a longer path", "POST /tdx_quote/ HTTP/1.1\r\nHost: a\r\n\r\n", "request.path", NULL, 0, 404},
    {"a query", "POST /tdx_quote?x=1 HTTP/1.1\r\nHost: a\r\n\r\n", "request.path", NULL, 0, 404},
    {"an absolute target", "POST http://a/tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "request.path", NULL, 0, 404},
    {"an ordinary request first", "GET /index.html HTTP/1.1\r\nHost: a\r\n\r\n", "request.path", NULL, 0, 404},
    {"another method", "GET /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "request.method", NULL, 0, 405},
    {"PUT", "PUT /tdx_quote HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "request.method", NULL, 0, 405},
    {"an unknown method", "QUOTE /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "request.method", NULL, 0, 400},
    {"a method in small letters", "post /tdx_quote HTTP/1.1\r\nHost: a\r\n\r\n", "request.method", NULL, 0, 400},
    {"no host", "POST /tdx_quote HTTP/1.1\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}", "request.host", NULL, 0, 400},
    {"two hosts", REQUEST("Host: b\r\n" JSON_TYPE "Content-Length: 2\r\n", "{}"), "request.host", NULL, 0, 400},
    {"no type in a request", REQUEST("Content-Length: 2\r\n", "{}"), "request.content_type", NULL, 0, 400},
    {"a form", REQUEST("Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 2\r\n", "{}"), "request.content_type", NULL, 0, 400},
    {"no length in a request", REQUEST(JSON_TYPE, "{}"), "request.content_length", NULL, 0, 400},
    {"both lengths in a request", REQUEST(JSON_TYPE CHUNKED "Content-Length: 2\r\n", "{}"), "request.content_length", NULL, 0, 400},
    {"close in a request", REQUEST(JSON_TYPE "Connection: close\r\nContent-Length: 2\r\n", "{}"), "request.connection", NULL, 0, 400},
    {"an upgrade in a request", REQUEST(JSON_TYPE "Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n", "{}"), "request.upgrade", NULL, 0, 400},
    {"HTTP/1.0 in a request", "POST /tdx_quote HTTP/1.0\r\nHost: a\r\n\r\n", "request.version", NULL, 0, 400},
    {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "request.method", NULL, 0, 400},
    {"a TLS record in the clear", "\026\003\001\002\001", "request.header", NULL, 0, 400},
};
/* clang-format on */

/* Feeds `in` in pieces of `step` bytes and gives the last state. */
static atls_http_state feed(atls_http *h, atls_bytes in, size_t step, size_t *used, atls_error *err)
{
    *used = 0;
    atls_http_state state = ATLS_HTTP_MORE;
    while (state == ATLS_HTTP_MORE && *used < in.len) {
        size_t n = in.len - *used < step ? in.len - *used : step;
        size_t taken = 0;
        state = atls_http_feed(h, atls_bytes_of(in.ptr + *used, n), &taken, err);
        *used += taken;
        assert_true(taken == n || state != ATLS_HTTP_MORE);
    }
    return state;
}

static void check_row(const row *r, bool is_request, size_t step)
{
    atls_arena arena = {0};
    atls_error err = {0};
    atls_http h;
    assert_true(atls_arena_new(&arena, ARENA_SIZE, &err));
    assert_true(is_request ? atls_http_request(&h, "/tdx_quote", &arena, &err) : atls_http_response(&h, &arena, &err));
    size_t used = 0;
    atls_bytes in = atls_bytes_str(r->in);
    atls_http_state state = feed(&h, in, step, &used, &err);
    if (r->field == NULL) {
        assert_int_equal(err.code, ATLS_OK);
        assert_int_equal(state, ATLS_HTTP_DONE);
        assert_true(atls_bytes_equal_str(atls_http_body(&h), r->body));
        assert_int_equal(in.len - used, r->left_over);
    } else {
        assert_int_equal(state, ATLS_HTTP_FAILED);
        assert_string_equal(err.field, r->field);
        assert_int_equal(err.code, ATLS_E_IO);
        assert_true(err.retry);
        assert_true(!is_request || h.answer == r->answer);
    }
    atls_arena_free(&arena);
}

static void test_response(void **state)
{
    check_row(*state, false, SIZE_MAX);
    check_row(*state, false, 1);
    check_row(*state, false, 7);
}

static void test_request(void **state)
{
    check_row(*state, true, SIZE_MAX);
    check_row(*state, true, 1);
    check_row(*state, true, 7);
}

/* Every proper prefix of an accepted message is incomplete, and an end of the stream there is IO. */
static void test_prefixes(void **state)
{
    const row *r = *state;
    atls_bytes in = atls_bytes_str(r->in);
    for (size_t n = 0; n + r->left_over < in.len; n++) {
        uint8_t block[20 * 1024];
        atls_arena arena;
        atls_error err = {0};
        atls_http h;
        size_t used = 0;
        atls_arena_init(&arena, block, sizeof block);
        assert_true(atls_http_response(&h, &arena, &err));
        assert_int_equal(atls_http_feed(&h, atls_bytes_of(in.ptr, n), &used, &err), ATLS_HTTP_MORE);
        assert_int_equal(used, n);
        assert_false(atls_http_ended(&h, &err));
        assert_int_equal(err.code, ATLS_E_IO);
        assert_true(strcmp(err.field, "response.header") == 0 || strcmp(err.field, "response.body") == 0);
    }
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

typedef struct fixture {
    atls_arena arena;
    atls_error err;
    atls_http http;
} fixture;

static void set_up(fixture *f)
{
    *f = (fixture){0};
    assert_true(atls_arena_new(&f->arena, ARENA_SIZE, &f->err));
    assert_true(atls_http_response(&f->http, &f->arena, &f->err));
}

static atls_http_state put(fixture *f, const void *ptr, size_t len)
{
    size_t used = 0;
    return atls_http_feed(&f->http, atls_bytes_of(ptr, len), &used, &f->err);
}

static atls_http_state put_text(fixture *f, const char *text)
{
    return put(f, text, strlen(text));
}

static void test_header_cap(void **state)
{
    (void)state;
    static const char head[] = OK_LINE JSON_TYPE "Content-Length: 0\r\nA: ";
    for (size_t extra = 0; extra < 2; extra++) {
        fixture f;
        set_up(&f);
        char filler[ATLS_MAX_HTTP_HEADER_LEN];
        memset(filler, 'x', sizeof filler);
        size_t n = ATLS_MAX_HTTP_HEADER_LEN - strlen(head) - 4 + extra;
        assert_int_equal(put_text(&f, head), ATLS_HTTP_MORE);
        assert_int_equal(put(&f, filler, n), ATLS_HTTP_MORE);
        atls_http_state last = put_text(&f, "\r\n\r\n");
        assert_int_equal(last, extra == 0 ? ATLS_HTTP_DONE : ATLS_HTTP_FAILED);
        assert_string_equal(f.err.field, extra == 0 ? "" : "response.header");
        atls_arena_free(&f.arena);
    }
}

/* Interim responses cannot go on for ever: they share the cap. */
static void test_interim_cap(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    atls_http_state last = ATLS_HTTP_MORE;
    size_t n = 0;
    for (; last == ATLS_HTTP_MORE && n < 10000; n++) {
        last = put_text(&f, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    assert_int_equal(last, ATLS_HTTP_FAILED);
    assert_string_equal(f.err.field, "response.header");
    assert_true(n <= ATLS_MAX_HTTP_HEADER_LEN / 25 + 1);
    atls_arena_free(&f.arena);
}

/* 4 MiB are accepted, counted and in chunks, and memory follows what was received. */
static void test_body_cap(void **state)
{
    (void)state;
    static uint8_t piece[64 * 1024];
    memset(piece, ' ', sizeof piece);
    fixture f;
    set_up(&f);
    assert_int_equal(put_text(&f, RESPONSE("Content-Length: 4194304\r\n", "")), ATLS_HTTP_MORE);
    assert_true(f.arena.used <= ATLS_MAX_HTTP_HEADER_LEN);
    for (size_t i = 1; i <= 64; i++) {
        assert_int_equal(put(&f, piece, sizeof piece), i < 64 ? ATLS_HTTP_MORE : ATLS_HTTP_DONE);
    }
    assert_int_equal(atls_http_body(&f.http).len, 4u * 1024 * 1024);
    assert_true(f.arena.used <= ATLS_MAX_HTTP_HEADER_LEN + 4u * 1024 * 1024);
    atls_arena_free(&f.arena);

    set_up(&f);
    assert_int_equal(put_text(&f, RESPONSE(CHUNKED, "")), ATLS_HTTP_MORE);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(put_text(&f, "10000\r\n"), ATLS_HTTP_MORE);
        assert_int_equal(put(&f, piece, sizeof piece), ATLS_HTTP_MORE);
        assert_int_equal(put_text(&f, "\r\n"), ATLS_HTTP_MORE);
    }
    assert_int_equal(put_text(&f, "1\r\n"), ATLS_HTTP_FAILED);
    assert_string_equal(f.err.field, "response.body");
    atls_arena_free(&f.arena);
}

/* Chunks of one byte cost framing, which has a cap of its own. */
static void test_framing_cap(void **state)
{
    (void)state;
    atls_arena arena = {0};
    atls_error err = {0};
    atls_http h;
    size_t used = 0;
    assert_true(atls_arena_new(&arena, ARENA_SIZE, &err));
    assert_true(atls_http_request(&h, "/tdx_quote", &arena, &err));
    atls_http_state last = atls_http_feed(&h, atls_bytes_str(REQUEST(JSON_TYPE CHUNKED, "")), &used, &err);
    for (size_t i = 0; i < 4096 && last == ATLS_HTTP_MORE; i++) {
        last = atls_http_feed(&h, atls_bytes_str("1\r\nx\r\n"), &used, &err);
    }
    assert_int_equal(last, ATLS_HTTP_FAILED);
    assert_string_equal(err.field, "request.chunk");
    atls_arena_free(&arena);
}

static void test_arena_too_small(void **state)
{
    (void)state;
    static uint8_t block[ATLS_MAX_HTTP_HEADER_LEN + 1];
    fixture f = {0};
    atls_arena_init(&f.arena, block, sizeof block);
    assert_true(atls_http_response(&f.http, &f.arena, &f.err));
    assert_int_equal(put_text(&f, RESPONSE("Content-Length: 2\r\n", "{}")), ATLS_HTTP_FAILED);
    assert_int_equal(f.err.code, ATLS_E_MEMORY);
    atls_arena_init(&f.arena, block, 100);
    atls_error_clear(&f.err);
    assert_false(atls_http_response(&f.http, &f.arena, &f.err));
    assert_int_equal(f.err.code, ATLS_E_MEMORY);
}

static void test_surplus(void **state)
{
    (void)state;
    fixture f;
    set_up(&f);
    assert_false(atls_http_surplus(&f.http, 3, &f.err));
    assert_int_equal(f.err.code, ATLS_E_IO);
    assert_string_equal(f.err.field, "response.end");
    assert_string_equal(f.err.actual, "3 bytes");
    atls_arena_free(&f.arena);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        tap_add(&l, responses[i].name, test_response, &responses[i]);
        if (responses[i].field == NULL) {
            tap_add(&l, "its prefixes are incomplete", test_prefixes, &responses[i]);
        }
    }
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        tap_add(&l, requests[i].name, test_request, &requests[i]);
    }
    tap_add(&l, "16 KiB of header are the most", test_header_cap, NULL);
    tap_add(&l, "interim responses share the cap of the header", test_interim_cap, NULL);
    tap_add(&l, "4 MiB of body are the most, and memory follows bytes received", test_body_cap, NULL);
    tap_add(&l, "framing of chunks has a cap", test_framing_cap, NULL);
    tap_add(&l, "an arena that is too small is MEMORY", test_arena_too_small, NULL);
    tap_add(&l, "bytes behind the end are IO", test_surplus, NULL);
    return tap_run("http", &l);
}
