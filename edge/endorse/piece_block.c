/* SPDX-License-Identifier: Apache-2.0 */
/* piece_block.c: a piece as one block of memory. */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* A clock that is set back a little makes nothing old. */
#define CLOCK_SLACK_S 300

static size_t len_of(const char *source, const char *path, const atls_piece_parts *p)
{
    size_t len = strlen(source) + 1 + strlen(path) + 1 + p->content.len + p->signature.len + p->chain.len;
    for (size_t i = 0; i < p->n_certificates; i++) {
        len += p->certificates[i].len;
    }
    return len;
}

static const char *put_text(char **at, const char *text)
{
    char *begin = *at;
    const size_t n = strlen(text) + 1;
    memcpy(begin, text, n);
    *at += n;
    return begin;
}

static atls_bytes put_bytes(char **at, atls_bytes bytes)
{
    char *begin = *at;
    if (bytes.len > 0) {
        memcpy(begin, bytes.ptr, bytes.len);
    }
    *at += bytes.len;
    return atls_bytes_of(begin, bytes.len);
}

atls_piece *atls_piece_new(const char *source, const char *path, const atls_piece_parts *parts)
{
    const size_t len = sizeof(atls_piece) + len_of(source, path, parts);
    atls_piece *p = malloc(len);
    if (p == NULL) {
        return NULL;
    }
    char *at = (char *)(p + 1);
    memset(p, 0, sizeof *p);
    atomic_init(&p->references, 1);
    p->len = len;
    p->source = put_text(&at, source);
    p->path = put_text(&at, path);
    p->parts = *parts;
    p->parts.content = put_bytes(&at, parts->content);
    p->parts.signature = put_bytes(&at, parts->signature);
    p->parts.chain = put_bytes(&at, parts->chain);
    for (size_t i = 0; i < parts->n_certificates; i++) {
        p->parts.certificates[i] = put_bytes(&at, parts->certificates[i]);
    }
    return p;
}

atls_piece *atls_piece_hold(atls_piece *p)
{
    if (p != NULL) {
        (void)atomic_fetch_add(&p->references, 1);
    }
    return p;
}

void atls_piece_release(atls_piece *p)
{
    if (p != NULL && atomic_fetch_sub(&p->references, 1) == 1) {
        free(p);
    }
}

bool atls_piece_is_valid(const atls_piece *p, atls_time now)
{
    return p != NULL && p->fetched < p->valid_until && now < p->valid_until; /* else: not to be kept at all */
}

bool atls_piece_is_fresh(const atls_piece *p, atls_time now)
{
    return atls_piece_is_valid(p, now) && p->fetched <= now + CLOCK_SLACK_S && now < p->fresh_until;
}
