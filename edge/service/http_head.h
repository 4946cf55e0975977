/* SPDX-License-Identifier: Apache-2.0 */
/* http_head.h: the head of a request and the chunks of a body, read strictly and without I/O.
 *
 *   head    request line and fields, up to and with the empty line: handed over whole, judged in one go
 *   chunks  a body of Transfer-Encoding: chunked, byte by byte as it comes
 *
 * Refused, each with the status that says so: any version but 1.1 (505), a target that is not a path (400), lines that do not end
 * with CR LF, folded lines, control characters, names that are no tokens or white space before the colon (400), no Host or two
 * (400), more than one Content-Length or Transfer-Encoding, both at once, a length that is no plain number (400), any coding but
 * "chunked" (501), Content-Encoding (415), an expectation other than 100-continue (417). Chunk extensions and trailers are
 * refused (400): nobody who enrols sends them, and two readers of one stream must not differ. Source: RFC 9110, RFC 9112. */
#ifndef ATLS_EDGE_SERVICE_HTTP_HEAD_H
#define ATLS_EDGE_SERVICE_HTTP_HEAD_H

#include "atls/bytes.h"

#define SVC_MAX_FIELDS     64u
#define SVC_MAX_METHOD_LEN 16u
#define SVC_MAX_TARGET_LEN 1024u

typedef struct svc_head {
    unsigned answer; /* 0: it can be served; else the status that refuses it */
    const char *why; /* of a refusal, static */
    atls_bytes method;
    atls_bytes path;   /* of the target, without its query */
    bool has_length;   /* Content-Length */
    uint64_t length;   /* its value */
    bool is_chunked;   /* Transfer-Encoding: chunked */
    bool wants_close;  /* Connection: close */
    bool expects_100;  /* Expect: 100-continue */
    bool has_type;     /* Content-Type */
    atls_bytes type;   /* its media type, without parameters */
    unsigned n_fields; /* counts, so that repeats show */
    unsigned n_host;
    unsigned n_length;
    unsigned n_coding;
} svc_head;

/* svc_head_read reads a block that ends with CR LF CR LF. Slices point into it. False: out->answer and out->why say what is
 * wrong. Pure. */
ATLS_MUST_USE bool svc_head_read(atls_bytes block, svc_head *out);

/* svc_head_is tells whether two texts are the same but for the case of ASCII letters. */
ATLS_MUST_USE bool svc_head_is(atls_bytes text, const char *word);

typedef enum svc_chunk_state {
    SVC_CHUNK_FAILED = 0, /* malformed, or more than the limit: `too_long` tells them apart */
    SVC_CHUNK_MORE,       /* all input was taken */
    SVC_CHUNK_DATA,       /* *data is a piece of the body, inside the input */
    SVC_CHUNK_DONE,       /* the body is complete; what follows belongs to the next request */
} svc_chunk_state;

typedef struct svc_chunks {
    uint64_t max;      /* bytes of the body */
    uint64_t total;    /* announced so far */
    uint64_t left;     /* of the chunk */
    uint64_t overhead; /* bytes of framing so far, at most `max` and some */
    unsigned digits;
    int phase;
    bool too_long;
} svc_chunks;

/* svc_chunks_init starts a body of at most max bytes. */
void svc_chunks_init(svc_chunks *c, uint64_t max);
/* svc_chunks_next takes *used bytes of in, and gives at most one piece. Call it again with the rest. A size that would go over
 * the limit is refused before its first byte. Pure. */
ATLS_MUST_USE svc_chunk_state svc_chunks_next(svc_chunks *c, atls_bytes in, size_t *used, atls_bytes *data);

#endif
