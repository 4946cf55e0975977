/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_service_http.c: svc_head_read, svc_chunks_next, over what a client may send: a head up to its empty line, and the body behind
 * it. What is accepted is what a second, simpler look sees, and the body does not depend on the pieces in which it comes. */
#include <string.h>

#include "edge/service/http_head.h"
#include "fuzz.h"

#define MAX_BODY 4096u

typedef struct outcome {
    svc_chunk_state state;
    bool too_long;
    size_t used;
    size_t len;
    uint8_t body[MAX_BODY];
} outcome;

static void unchunk(atls_bytes in, size_t step, outcome *o)
{
    svc_chunks c;
    *o = (outcome){.state = SVC_CHUNK_MORE};
    svc_chunks_init(&c, MAX_BODY);
    while (o->used < in.len && (o->state == SVC_CHUNK_MORE || o->state == SVC_CHUNK_DATA)) {
        size_t used = 0;
        atls_bytes data;
        const size_t left = in.len - o->used;
        const size_t n = left < step ? left : step;
        o->state = svc_chunks_next(&c, atls_bytes_of(in.ptr + o->used, n), &used, &data);
        FUZZ_ASSERT(used <= n && (used > 0 || o->state == SVC_CHUNK_DONE));
        FUZZ_ASSERT(o->state == SVC_CHUNK_DATA ? data.len > 0 : data.len == 0);
        FUZZ_ASSERT(o->len + data.len <= MAX_BODY);
        memcpy(o->body + o->len, data.ptr, data.len);
        o->len += data.len;
        o->used += used;
    }
    o->too_long = c.too_long;
    FUZZ_ASSERT(!o->too_long || o->state == SVC_CHUNK_FAILED);
}

static void check_chunks(atls_bytes in)
{
    static outcome whole;
    static outcome pieces;
    unchunk(in, (size_t)-1, &whole);
    unchunk(in, 1, &pieces);
    const bool ends = whole.state == SVC_CHUNK_DONE || whole.state == SVC_CHUNK_FAILED;
    FUZZ_ASSERT(!ends || (pieces.state == whole.state && pieces.used == whole.used));
    FUZZ_ASSERT(whole.len == pieces.len && memcmp(whole.body, pieces.body, whole.len) == 0);
    FUZZ_ASSERT(whole.too_long == pieces.too_long);
}

/* Bytes of the head, its empty line included; 0: there is none. */
static size_t find_end(atls_bytes in)
{
    for (size_t i = 4; i <= in.len; i++) {
        if (memcmp(in.ptr + i - 4, "\r\n\r\n", 4) == 0) {
            return i;
        }
    }
    return 0;
}

static bool is_inside(atls_bytes part, atls_bytes whole)
{
    return part.len == 0 || (part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len);
}

static void check_head(atls_bytes block)
{
    svc_head h;
    const bool ok = svc_head_read(block, &h);
    FUZZ_ASSERT(ok == (h.answer == 0) && ok == (h.why == NULL));
    FUZZ_ASSERT(ok || (h.answer >= 400 && h.answer <= 505));
    FUZZ_ASSERT(is_inside(h.method, block) && is_inside(h.path, block) && is_inside(h.type, block));
    if (!ok) {
        return;
    }
    FUZZ_ASSERT(h.method.len > 0 && h.path.len > 0 && h.path.ptr[0] == '/' && h.n_host == 1);
    FUZZ_ASSERT(!(h.is_chunked && h.has_length) && h.n_length <= 1 && h.n_coding <= 1);
    FUZZ_ASSERT(memchr(h.path.ptr, '?', h.path.len) == NULL && memchr(h.path.ptr, ' ', h.path.len) == NULL);
    /* No lone CR or LF is left inside, and the end is where it was found. */
    for (size_t i = 0; i < block.len; i++) {
        FUZZ_ASSERT(block.ptr[i] != '\n' || (i > 0 && block.ptr[i - 1] == '\r'));
        FUZZ_ASSERT(block.ptr[i] != '\r' || (i + 1 < block.len && block.ptr[i + 1] == '\n'));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    const size_t end = find_end(in);
    check_head(atls_bytes_of(data, end == 0 ? size : end));
    check_chunks(atls_bytes_of(data + end, size - end));
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("GET /api/v1/challenge?a=b HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n"),
        FUZZ_TEXT("POST /api/v1/attest HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream; a=b\r\n"
                  "Content-Length: 2\r\nExpect: 100-continue\r\n\r\nab"),
        FUZZ_TEXT("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n1\r\na\r\n0A\r\n0123456789\r\n0\r\n\r\nGET"),
        FUZZ_TEXT("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1001\r\n"),
        FUZZ_TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        FUZZ_TEXT("GET /a HTTP/1.1\r\nHost: a\r\nContent-Encoding: identity\r\n folded: x\r\n\r\n"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
