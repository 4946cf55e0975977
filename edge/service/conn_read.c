/* SPDX-License-Identifier: Apache-2.0 */
/* conn_read.c: from bytes to a request, within the limits. Memory follows bytes that came, never bytes that were announced. */
#include <stdlib.h>
#include <string.h>

#include "conn.h"

/* ---- body ---- */

void svc_conn_drop_body(svc_conn *c)
{
    if (c->body != NULL) {
        atls_wipe(c->body, c->body_len);
        free(c->body);
    }
    c->server->bodies_len -= c->body_cap;
    c->body = NULL;
    c->body_len = c->body_cap = 0;
}

/* All bodies together have a limit: the one that has been coming for longest goes first. */
static bool make_room(svc_conn *c, size_t more)
{
    svc_server *v = c->server;
    while (v->bodies_len + more > svc_config_of(v)->max_bodies_len) {
        svc_conn *victim = v->oldest;
        while (victim != NULL && (victim->body_cap == 0 || victim == c)) {
            victim = victim->newer;
        }
        if (victim == NULL) {
            return false;
        }
        svc_count(&v->service->metrics, SVC_N_connections_evicted);
        svc_conn_close(victim);
    }
    return true;
}

static bool keep(svc_conn *c, atls_bytes in)
{
    const size_t wanted = c->body_len + in.len;
    size_t cap = c->body_cap == 0 ? 4096 : c->body_cap;
    while (cap < wanted) {
        cap *= 2;
    }
    if (cap > c->body_cap) {
        uint8_t *body = make_room(c, cap - c->body_cap) ? malloc(cap) : NULL;
        if (body == NULL) {
            return false;
        }
        if (c->body != NULL) {
            memcpy(body, c->body, c->body_len);
            atls_wipe(c->body, c->body_len);
            free(c->body);
        }
        c->server->bodies_len += cap - c->body_cap;
        c->body = body;
        c->body_cap = cap;
    }
    memcpy(c->body + c->body_len, in.ptr, in.len);
    c->body_len += in.len;
    return true;
}

/* The first stretch of the input that lies in one piece. */
static atls_bytes stretch(struct evbuffer *in)
{
    struct evbuffer_iovec v = {0};
    return evbuffer_peek(in, 1, NULL, &v, 1) > 0 ? atls_bytes_of(v.iov_base, v.iov_len) : atls_bytes_empty();
}

static svc_chunk_state next_piece(svc_conn *c, atls_bytes in, size_t *used, atls_bytes *data)
{
    if (c->is_chunked) {
        return svc_chunks_next(&c->chunks, in, used, data);
    }
    *used = in.len < c->left ? in.len : (size_t)c->left;
    *data = atls_bytes_of(in.ptr, *used);
    c->left -= *used;
    return *used > 0 ? SVC_CHUNK_DATA : c->left == 0 ? SVC_CHUNK_DONE : SVC_CHUNK_MORE;
}

static void read_body(svc_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    for (;;) {
        size_t used = 0;
        atls_bytes data;
        const svc_chunk_state state = next_piece(c, stretch(in), &used, &data);
        const bool kept = data.len == 0 || keep(c, data);
        (void)evbuffer_drain(in, used);
        if (!kept) {
            svc_conn_refuse(c, 503);
            return;
        }
        if (state == SVC_CHUNK_FAILED) {
            svc_conn_refuse(c, c->chunks.too_long ? 413 : 400);
            return;
        }
        if (state == SVC_CHUNK_DONE) {
            svc_conn_submit(c);
            return;
        }
        if (used == 0) {
            return; /* the rest has not come yet */
        }
    }
}

/* ---- head ---- */

/* Bytes of the head, its empty line included; 0: it is not complete, SIZE_MAX: it never will be. */
static size_t head_len(svc_conn *c, struct evbuffer *in)
{
    const size_t max = (size_t)svc_config_of(c->server)->max_head_len;
    const struct evbuffer_ptr end = evbuffer_search(in, "\r\n\r\n", 4, NULL);
    if (end.pos < 0) {
        return evbuffer_get_length(in) >= max ? SIZE_MAX : 0;
    }
    const size_t len = (size_t)end.pos + 4;
    return len > max ? SIZE_MAX : len;
}

static void read_head(svc_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    svc_head head;
    const size_t len = head_len(c, in);
    if (len == 0) {
        return;
    }
    if (len == SIZE_MAX) {
        svc_conn_refuse(c, 431);
        return;
    }
    uint8_t *block = c->server->head;
    if (evbuffer_remove(in, block, len) != (int)len) {
        svc_conn_close(c);
        return;
    }
    const bool is_good = svc_head_read(atls_bytes_of(block, len), &head);
    c->n_requests++;
    c->will_close = head.wants_close || c->n_requests >= svc_config_of(c->server)->max_requests_per_connection;
    if (!is_good) {
        svc_conn_refuse(c, head.answer);
        return;
    }
    svc_conn_serve(c, &head);
}

void svc_conn_read(svc_conn *c)
{
    struct evbuffer *in = bufferevent_get_input(c->bev);
    if (c->state == SVC_LINGER) {
        (void)evbuffer_drain(in, evbuffer_get_length(in));
        return;
    }
    if (c->state == SVC_IDLE && evbuffer_get_length(in) > 0) {
        svc_conn_enter(c, SVC_HEAD);
    }
    if (c->state == SVC_HEAD) {
        read_head(c);
    } else if (c->state == SVC_BODY) {
        read_body(c);
    }
}
