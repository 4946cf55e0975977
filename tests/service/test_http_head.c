/* SPDX-License-Identifier: Apache-2.0 */
/* test_http_head.c: heads of requests and chunks of bodies: what is served, and with which status the rest is refused. */
#include "tap.h"

#include "edge/service/http_head.h"

#define OK "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct row {
    const char *name;
    const char *block;
    unsigned answer; /* 0: served */
} rows[] = {
    {"the least that is a request", OK, 0},
    {"a query is not part of the path", "GET /a?b=c HTTP/1.1\r\nHost: h\r\n\r\n", 0},
    {"spaces and tabs around values", "GET /a HTTP/1.1\r\nHost: \t h \t\r\nContent-Length:\t 0 \r\n\r\n", 0},
    {"case of names does not matter", "GET /a HTTP/1.1\r\nhOST: h\r\nCONTENT-LENGTH: 0\r\n\r\n", 0},
    {"bytes above ASCII in a value", "GET /a HTTP/1.1\r\nHost: h\r\nX-A: \xc3\xa4\r\n\r\n", 0},
    {"no Host", "GET /a HTTP/1.1\r\nX: h\r\n\r\n", 400},
    {"two Hosts", "GET /a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", 400},
    {"HTTP/1.0", "GET /a HTTP/1.0\r\nHost: h\r\n\r\n", 505},
    {"HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    {"HTTP/1.10", "GET /a HTTP/1.10\r\nHost: h\r\n\r\n", 400},
    {"lower-case protocol", "GET /a http/1.1\r\nHost: h\r\n\r\n", 400},
    {"no version", "GET /a\r\nHost: h\r\n\r\n", 400},
    {"two spaces", "GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"something behind the version", "GET /a HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
    {"an absolute target", "GET http://h/a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"an asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"a fragment", "GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"a byte above ASCII in the target", "GET /\xc3\xa4 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"a method that is no token", "G@T /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"a method of 17 letters", "AAAAAAAAAAAAAAAAA /a HTTP/1.1\r\nHost: h\r\n\r\n", 501},
    {"an empty line in front", "\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", 400},
    {"bare LF", "GET /a HTTP/1.1\nHost: h\r\n\r\n", 400},
    {"bare LF in fields", "GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", 400},
    {"bare CR", "GET /a HTTP/1.1\r\nHost: h\rX: y\r\n\r\n", 400},
    {"a folded line", "GET /a HTTP/1.1\r\nHost: h\r\n X: y\r\n\r\n", 400},
    {"a space before the colon", "GET /a HTTP/1.1\r\nHost : h\r\n\r\n", 400},
    {"no colon", "GET /a HTTP/1.1\r\nHost: h\r\nX\r\n\r\n", 400},
    {"an empty name", "GET /a HTTP/1.1\r\nHost: h\r\n: x\r\n\r\n", 400},
    {"a control character", "GET /a HTTP/1.1\r\nHost: h\r\nX: \x01\r\n\r\n", 400},
    {"two lengths, the same", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
    {"two lengths in one", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n", 400},
    {"a length with a sign", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n", 400},
    {"a length that is hex", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 0x1\r\n\r\n", 400},
    {"an empty length", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400},
    {"a length of 16 digits", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000000000\r\n\r\n", 400},
    {"length and chunks", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"chunks", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n", 0},
    {"chunks twice", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
     400},
    {"another coding", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501},
    {"a coding that looks like it", "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
    {"an encoded body", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Encoding: gzip\r\n\r\n", 415},
    {"another expectation", "POST /a HTTP/1.1\r\nHost: h\r\nExpect: tea\r\n\r\n", 417},
    {"two types", "POST /a HTTP/1.1\r\nHost: h\r\nContent-Type: a/b\r\nContent-Type: a/b\r\n\r\n", 400},
    {"something behind", OK "x", 400},
};

static void judges(void **state)
{
    const struct row *r = *state;
    svc_head h;
    const bool ok = svc_head_read(atls_bytes_str(r->block), &h);
    assert_int_equal(h.answer, r->answer);
    assert_int_equal(ok, r->answer == 0);
    assert_int_equal(h.why == NULL, ok);
}

static void reads(void **state)
{
    svc_head h;
    (void)state;
    assert_true(svc_head_read(atls_bytes_str("POST /x/y?z HTTP/1.1\r\nHost: h\r\nContent-Length: 262144\r\n"
                                             "Connection: keep-alive , Close\r\nExpect: 100-Continue\r\n"
                                             "Content-Type: Application/Octet-Stream ; a=b\r\n\r\n"),
                              &h));
    assert_true(atls_bytes_equal_str(h.method, "POST"));
    assert_true(atls_bytes_equal_str(h.path, "/x/y"));
    assert_true(h.has_length && h.length == 262144 && !h.is_chunked);
    assert_true(h.wants_close && h.expects_100);
    assert_true(svc_head_is(h.type, "application/octet-stream"));
}

static void counts_fields(void **state)
{
    char block[2048] = "GET /a HTTP/1.1\r\nHost: h\r\n";
    svc_head h;
    (void)state;
    for (unsigned i = 1; i < SVC_MAX_FIELDS; i++) {
        (void)strncat(block, "X: y\r\n", sizeof block - strlen(block) - 1);
    }
    char full[2100];
    (void)snprintf(full, sizeof full, "%s\r\n", block);
    assert_true(svc_head_read(atls_bytes_str(full), &h));
    (void)snprintf(full, sizeof full, "%sX: y\r\n\r\n", block);
    assert_false(svc_head_read(atls_bytes_str(full), &h));
    assert_int_equal(h.answer, 431);
}

static void bounds_target(void **state)
{
    char block[SVC_MAX_TARGET_LEN + 64];
    char target[SVC_MAX_TARGET_LEN + 2];
    svc_head h;
    (void)state;
    memset(target, '/', sizeof target);
    target[sizeof target - 1] = '\0';
    (void)snprintf(block, sizeof block, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", target);
    assert_false(svc_head_read(atls_bytes_str(block), &h));
    assert_int_equal(h.answer, 414);
}

static void refuses_prefixes(void **state)
{
    static const char whole[] = OK;
    svc_head h;
    (void)state;
    for (size_t n = 0; n < sizeof whole - 1; n++) {
        assert_false(svc_head_read(atls_bytes_of(whole, n), &h));
        assert_int_equal(h.answer, 400);
    }
}

/* ---- chunks ---- */

static const struct chunk_row {
    const char *name;
    const char *in;
    const char *body; /* NULL: refused */
    const char *left; /* behind the end */
    bool too_long;
} chunk_rows[] = {
    {"one chunk", "5\r\nhello\r\n0\r\n\r\n", "hello", "", false},
    {"three chunks, hex in either case", "1\r\na\r\nA\r\nbcdefghijk\r\n0a\r\nlmnopqrstu\r\n0\r\n\r\n",
     "abcdefghijklmnopqrstu", "", false},
    {"none", "0\r\n\r\n", "", "", false},
    {"the next request begins", "1\r\na\r\n0\r\n\r\nGET", "a", "GET", false},
    {"exactly the limit", "20\r\n01234567890123456789012345678901\r\n0\r\n\r\n", "01234567890123456789012345678901", "",
     false},
    {"one beyond the limit", "21\r\n", NULL, "", true},
    {"beyond the limit with the second", "20\r\n01234567890123456789012345678901\r\n1\r\n", NULL, "", true},
    {"a size of nine digits", "000000001\r\na", NULL, "", false},
    {"a size beyond 32 bits", "FFFFFFFF\r\n", NULL, "", true},
    {"no size", "\r\n", NULL, "", false},
    {"an extension", "1;a=b\r\na\r\n0\r\n\r\n", NULL, "", false},
    {"a trailer", "0\r\nX: y\r\n\r\n", NULL, "", false},
    {"no CR", "1\na\r\n0\r\n\r\n", NULL, "", false},
    {"longer than it says", "1\r\nab\r\n", NULL, "", false},
    {"a sign", "+1\r\na\r\n", NULL, "", false},
    {"a prefix", "0x1\r\na\r\n", NULL, "", false},
};

/* Feeds pieces of `step` bytes. */
static svc_chunk_state feed(svc_chunks *c, atls_bytes in, size_t step, char *body, size_t *at)
{
    svc_chunk_state state = SVC_CHUNK_MORE;
    *at = 0;
    while (*at < in.len && (state == SVC_CHUNK_MORE || state == SVC_CHUNK_DATA)) {
        size_t used = 0;
        atls_bytes data;
        const size_t n = in.len - *at < step ? in.len - *at : step;
        state = svc_chunks_next(c, atls_bytes_of(in.ptr + *at, n), &used, &data);
        (void)strncat(body, (const char *)data.ptr, data.len);
        *at += used;
    }
    return state;
}

static void unchunks(void **state)
{
    const struct chunk_row *r = *state;
    for (size_t step = 1; step <= 64; step++) {
        svc_chunks c;
        char body[128] = "";
        size_t at = 0;
        svc_chunks_init(&c, 32);
        const svc_chunk_state end = feed(&c, atls_bytes_str(r->in), step, body, &at);
        assert_int_equal(end, r->body == NULL ? SVC_CHUNK_FAILED : SVC_CHUNK_DONE);
        assert_int_equal(c.too_long, r->too_long);
        if (r->body != NULL) {
            assert_string_equal(body, r->body);
            assert_string_equal(r->in + at, r->left);
        }
    }
}

/* A client that sends a byte in each chunk sends six times what it says: no body needs that much framing. */
static void bounds_framing(void **state)
{
    svc_chunks c;
    svc_chunk_state end = SVC_CHUNK_MORE;
    size_t sent = 0;
    (void)state;
    svc_chunks_init(&c, 1000);
    while (end != SVC_CHUNK_FAILED && sent < 10000) {
        static const char chunk[] = "1\r\na\r\n";
        char body[1000] = "";
        size_t at = 0;
        end = feed(&c, atls_bytes_str(chunk), 100, body, &at);
        sent += at;
    }
    assert_int_equal(end, SVC_CHUNK_FAILED);
    assert_true(c.too_long && sent < 1400);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, judges, &rows[i]);
    }
    tap_add(&l, "what is read", reads, NULL);
    tap_add(&l, "64 fields, and no 65th", counts_fields, NULL);
    tap_add(&l, "a target of 1025 bytes", bounds_target, NULL);
    tap_add(&l, "no proper prefix is a head", refuses_prefixes, NULL);
    for (size_t i = 0; i < sizeof chunk_rows / sizeof chunk_rows[0]; i++) {
        tap_add(&l, chunk_rows[i].name, unchunks, &chunk_rows[i]);
    }
    tap_add(&l, "framing is bounded, too", bounds_framing, NULL);
    return tap_run("http_head", &l);
}
