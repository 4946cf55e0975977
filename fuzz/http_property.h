/* SPDX-License-Identifier: Apache-2.0 */
/* http_property.h: what holds for every stream that the HTTP reader of edge/tls is fed: the outcome does not depend on
 * the pieces in which it comes, caps are kept, a failure says IO and where, and what is accepted ends inside the
 * stream. */
#ifndef ATLS_FUZZ_HTTP_PROPERTY_H
#define ATLS_FUZZ_HTTP_PROPERTY_H

#include <string.h>

#include "edge/tls/http.h"
#include "fuzz.h"

typedef bool (*http_start)(atls_http *h, atls_arena *arena, atls_error *err);

typedef struct http_outcome {
    atls_http http;
    atls_http_state state;
    size_t used;
    atls_error err;
} http_outcome;

/* Pieces of `step` bytes; 0: of lengths that the stream itself says. */
static inline void http_run(http_start start, atls_bytes in, size_t step, atls_arena *arena, http_outcome *o)
{
    *o = (http_outcome){.state = ATLS_HTTP_MORE};
    FUZZ_ASSERT(start(&o->http, arena, &o->err));
    while (o->state == ATLS_HTTP_MORE && o->used < in.len) {
        size_t n = step != 0 ? step : (size_t)in.ptr[o->used] + 1;
        size_t taken = 0;
        n = n < in.len - o->used ? n : in.len - o->used;
        o->state = atls_http_feed(&o->http, atls_bytes_of(in.ptr + o->used, n), &taken, &o->err);
        FUZZ_ASSERT(taken <= n && (taken == n || o->state != ATLS_HTTP_MORE));
        o->used += taken;
    }
}

static inline void http_check(http_start start, const uint8_t *data, size_t size)
{
    static uint8_t blocks[3][320 * 1024];
    static const size_t steps[3] = {(size_t)-1, 1, 0};
    http_outcome o[3];
    atls_bytes in = atls_bytes_of(data, size);
    for (size_t i = 0; i < 3; i++) {
        atls_arena arena;
        atls_arena_init(&arena, blocks[i], sizeof blocks[i]);
        http_run(start, in, steps[i], &arena, &o[i]);
        atls_bytes body = atls_http_body(&o[i].http);
        FUZZ_ASSERT(o[i].state == o[0].state && o[i].used <= size && body.len <= o[i].http.body_max);
        FUZZ_ASSERT(o[i].state == ATLS_HTTP_FAILED || o[i].used == o[0].used);
        FUZZ_ASSERT(atls_bytes_equal(body, atls_http_body(&o[0].http)) || o[i].state == ATLS_HTTP_FAILED);
        FUZZ_ASSERT(strcmp(o[i].err.field, o[0].err.field) == 0);
        FUZZ_ASSERT((o[i].err.code == ATLS_E_IO) == (o[i].state == ATLS_HTTP_FAILED));
        FUZZ_ASSERT(o[i].http.header_total <= ATLS_MAX_HTTP_HEADER_LEN);
    }
}

#endif
