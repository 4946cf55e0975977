/* SPDX-License-Identifier: Apache-2.0 */
/* http.h: one HTTP/1.1 message, read strictly and without I/O.
 *
 * Bytes come in as they arrive, in pieces of any size, and the outcome does not depend on the pieces. A header block is
 * collected whole, checked line by line, and then read with http-parser; the body is counted or unchunked here, because
 * the packaged http-parser is built without its strict checks.
 *
 * Refused (dstack R9): any version but 1.1; a header over ATLS_MAX_HTTP_HEADER_LEN, interim responses included; a body
 * over its cap; bare CR or LF, folded lines, control characters; both or repeated Content-Length and Transfer-Encoding,
 * any coding but "chunked", chunk extensions, trailers; Content-Encoding; Upgrade; "Connection: close", because the
 * session has to carry the application afterwards; a Content-Type that is not application/json. Not done: decoding the
 * body; looking at the value of Host. */
#ifndef ATLS_EDGE_TLS_HTTP_H
#define ATLS_EDGE_TLS_HTTP_H

#include "atls/arena.h"
#include "base/limits.h"

typedef enum atls_http_state {
    ATLS_HTTP_FAILED = 0, /* err is set; nothing more is read */
    ATLS_HTTP_MORE,       /* the message is not complete */
    ATLS_HTTP_DONE,       /* the message is complete: body is there */
} atls_http_state;

/* What one header block said. Counts, so that repeats show. */
typedef struct atls_http_facts {
    bool is_http11;
    unsigned status;   /* of a response */
    bool is_post;      /* of a request */
    bool path_matches; /* of a request: the target is the expected one, byte for byte */
    unsigned n_host;
    unsigned n_length; /* Content-Length */
    unsigned n_coding; /* Transfer-Encoding */
    unsigned n_type;   /* Content-Type */
    bool coding_is_chunked;
    bool type_is_json;
    bool encoded;    /* Content-Encoding other than identity */
    bool upgrade;    /* Upgrade, or Connection: upgrade */
    bool close;      /* Connection: close */
    uint64_t length; /* value of Content-Length */
} atls_http_facts;

typedef struct atls_http {
    const char *path;    /* the only target that is served; NULL for a response */
    const char *prefix;  /* "request" or "response": of the error's field */
    size_t body_max;     /* bytes */
    atls_arena *arena;   /* nobody else may take from it until the message is complete: the body grows in place */
    uint8_t *header;     /* ATLS_MAX_HTTP_HEADER_LEN bytes, in the arena */
    size_t header_len;   /* of the block that is being collected */
    size_t header_total; /* of all blocks */
    atls_http_facts facts;
    int phase;       /* where in the message we are; http.c knows */
    uint64_t left;   /* bytes left of the body or of the chunk */
    unsigned digits; /* of the chunk size that is being read */
    size_t overhead; /* bytes of chunk framing so far */
    uint8_t *body;   /* in the arena; NULL while empty */
    size_t body_len;
    unsigned answer; /* of a failed request: the status that says so to the peer: 400, 404 or 405 */
} atls_http;

/* atls_http_response, atls_http_request start a message. A request must be a POST of `path`. Errors: MEMORY. */
ATLS_MUST_USE bool atls_http_response(atls_http *h, atls_arena *arena, atls_error *err);
ATLS_MUST_USE bool atls_http_request(atls_http *h, const char *path, atls_arena *arena, atls_error *err);

/* atls_http_feed reads from in; *used says how much belonged to the message, which is everything unless DONE. What is
 * left over is the caller's problem: by R9 it is an error. Errors: IO with field "response.status" and the like;
 * MEMORY. */
ATLS_MUST_USE atls_http_state atls_http_feed(atls_http *h, atls_bytes in, size_t *used, atls_error *err);

/* atls_http_surplus, atls_http_ended record that bytes came after the end, and that the stream ended too early. Both
 * set IO and return false. */
bool atls_http_surplus(const atls_http *h, size_t n, atls_error *err);
bool atls_http_ended(const atls_http *h, atls_error *err);

/* atls_http_body gives the body of a complete message, in the arena. */
atls_bytes atls_http_body(const atls_http *h);

#endif
