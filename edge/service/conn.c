/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c: the life of a connection: accepted if there is room, given a deadline for each state, closed. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"

/* ---- lists ---- */

static void unlist(svc_conn *c)
{
    svc_server *v = c->server;
    if (!c->is_listed) {
        return;
    }
    *(c->older == NULL ? &v->oldest : &c->older->newer) = c->newer;
    *(c->newer == NULL ? &v->newest : &c->newer->older) = c->older;
    c->older = c->newer = NULL;
    c->is_listed = false;
}

static void list(svc_conn *c)
{
    svc_server *v = c->server;
    c->older = v->newest;
    c->newer = NULL;
    *(v->newest == NULL ? &v->oldest : &v->newest->newer) = c;
    v->newest = c;
    c->is_listed = true;
}

/* A plain hash: chains are as long as the limit of one address lets them be, whoever chooses addresses. */
static size_t chain_of(const svc_server *v, const atls_address *who)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < sizeof who->bytes; i++) {
        h = (h ^ who->bytes[i]) * UINT64_C(0x100000001b3);
    }
    return (size_t)(h % v->n_chains);
}

static size_t count_of(const svc_server *v, const atls_address *who)
{
    size_t n = 0;
    for (const svc_conn *c = v->chains[chain_of(v, who)]; c != NULL; c = c->next_of_chain) {
        n += memcmp(&c->who, who, sizeof *who) == 0 ? 1 : 0;
    }
    return n;
}

static void chain(svc_conn *c)
{
    c->chain = chain_of(c->server, &c->who);
    c->next_of_chain = c->server->chains[c->chain];
    c->server->chains[c->chain] = c;
}

static void unchain(svc_conn *c)
{
    svc_conn **at = &c->server->chains[c->chain];
    while (*at != NULL && *at != c) {
        at = &(*at)->next_of_chain;
    }
    if (*at == c) {
        *at = c->next_of_chain;
    }
}

bool svc_conn_make_room(svc_server *v, const svc_conn *but)
{
    svc_conn *c = v->oldest;
    while (c != NULL && (c == but || c->is_admin)) {
        c = c->newer;
    }
    if (c == NULL) {
        return false;
    }
    svc_count(&v->service->metrics, SVC_N_connections_evicted);
    svc_conn_close(c);
    return true;
}

/* ---- states ---- */

static uint64_t patience_ms(const svc_conn *c, svc_state state)
{
    const svc_config *o = svc_config_of(c->server);
    switch (state) {
    case SVC_HANDSHAKE:
    case SVC_HEAD:
        return o->head_timeout_ms;
    case SVC_IDLE:
        return o->idle_timeout_ms;
    case SVC_BODY:
        return o->body_timeout_ms;
    case SVC_WRITE:
        return o->write_timeout_ms;
    case SVC_WORK:
    case SVC_LINGER:
        break;
    }
    return SVC_LINGER_MS;
}

void svc_conn_enter(svc_conn *c, svc_state state)
{
    const uint64_t ms = patience_ms(c, state);
    const struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    if (c->state == SVC_WORK && state != SVC_WORK) {
        c->server->n_working--;
    }
    c->state = state;
    unlist(c);
    if (state == SVC_WORK) {
        c->server->n_working++;
        (void)evtimer_del(c->timer);
        return;
    }
    list(c);
    (void)evtimer_add(c->timer, &tv);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    svc_conn *c = arg;
    (void)fd;
    (void)what;
    svc_refresh(c->server);
    if (c->state == SVC_IDLE || c->state == SVC_LINGER) {
        svc_conn_close(c);
        return;
    }
    svc_count(&c->server->service->metrics, SVC_N_timeouts);
    if (c->state == SVC_HEAD || c->state == SVC_BODY) {
        svc_conn_refuse(c, 408);
        return;
    }
    svc_conn_close(c);
}

/* ---- events ---- */

static void on_read(struct bufferevent *bev, void *arg)
{
    svc_conn *c = arg;
    (void)bev;
    svc_refresh(c->server);
    svc_conn_read(c);
}

static void shut(svc_conn *c)
{
    SSL *ssl = bufferevent_openssl_get_ssl(c->bev);
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl); /* best effort: what matters has arrived, or will not */
    }
    (void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
    svc_conn_enter(c, SVC_LINGER);
    (void)bufferevent_enable(c->bev, EV_READ);
    svc_conn_read(c);
}

/* The output is empty. */
static void on_written(struct bufferevent *bev, void *arg)
{
    svc_conn *c = arg;
    svc_refresh(c->server);
    if (c->state != SVC_WRITE || evbuffer_get_length(bufferevent_get_output(bev)) > 0) {
        return;
    }
    if (c->will_close || c->server->is_draining) {
        shut(c);
        return;
    }
    svc_conn_enter(c, SVC_IDLE);
    (void)bufferevent_enable(bev, EV_READ);
    svc_conn_read(c); /* of what was sent ahead */
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
    svc_conn *c = arg;
    (void)bev;
    svc_refresh(c->server);
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        if (c->state == SVC_HANDSHAKE) {
            svc_conn_enter(c, SVC_IDLE);
        }
        return;
    }
    if (c->state == SVC_HANDSHAKE) {
        svc_count(&c->server->service->metrics, SVC_N_tls_failures);
    }
    if (c->state == SVC_WORK) {
        c->is_gone = true; /* closed when the worker is done */
        (void)bufferevent_disable(c->bev, EV_READ | EV_WRITE);
        return;
    }
    svc_conn_close(c);
}

/* ---- birth and death ---- */

static bool has_room(svc_server *v, const atls_address *who, bool is_admin)
{
    const svc_config *o = svc_config_of(v);
    if (is_admin) {
        return v->n_admin < 32;
    }
    if (count_of(v, who) >= o->max_connections_per_address) {
        return false;
    }
    return atomic_load(&v->n_connections) < o->max_connections || svc_conn_make_room(v, NULL);
}

static struct bufferevent *open_bev(svc_server *v, evutil_socket_t fd, bool is_admin)
{
    SSL_CTX *ctx = v->engine->generation->tls;
    if (is_admin || ctx == NULL) {
        return bufferevent_socket_new(v->base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    SSL *ssl = SSL_new(ctx);
    if (ssl == NULL) {
        return NULL;
    }
    struct bufferevent *bev =
        bufferevent_openssl_socket_new(v->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    if (bev == NULL) {
        SSL_free(ssl);
    } else {
        bufferevent_openssl_set_allow_dirty_shutdown(bev, 1); /* lengths say where messages end */
    }
    return bev;
}

static svc_conn *born(svc_server *v, evutil_socket_t fd, const atls_address *who, bool is_admin)
{
    svc_conn *c = calloc(1, sizeof *c);
    if (c == NULL) {
        return NULL;
    }
    c->server = v;
    c->who = *who;
    c->is_admin = is_admin;
    c->timer = evtimer_new(v->base, on_timer, c);
    c->bev = c->timer == NULL ? NULL : open_bev(v, fd, is_admin);
    if (c->bev == NULL) {
        if (c->timer != NULL) {
            event_free(c->timer);
        }
        free(c);
        return NULL;
    }
    chain(c);
    if (is_admin) {
        v->n_admin++;
    } else {
        atomic_fetch_add(&v->n_connections, 1);
    }
    return c;
}

/* A client that was refused need not wait for anything; and the kernel keeps nothing of it. */
static void refuse_at_once(svc_server *v, evutil_socket_t fd)
{
    const struct linger hard = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)evutil_closesocket(fd);
    svc_count(&v->service->metrics, SVC_N_connections_refused);
}

void svc_conn_accept(svc_server *v, evutil_socket_t fd, const struct sockaddr *sa, bool is_admin)
{
    const atls_address who = atls_address_of(sa);
    const int on = 1;
    svc_count(&v->service->metrics, SVC_N_connections);
    svc_conn *c = has_room(v, &who, is_admin) ? born(v, fd, &who, is_admin) : NULL;
    if (c == NULL) {
        refuse_at_once(v, fd);
        return;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const size_t head = (size_t)svc_config_of(v)->max_head_len;
    bufferevent_setwatermark(c->bev, EV_READ, 0, head > SVC_INPUT_AHEAD ? head : SVC_INPUT_AHEAD);
    bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
    svc_conn_enter(c, bufferevent_openssl_get_ssl(c->bev) != NULL ? SVC_HANDSHAKE : SVC_IDLE);
    (void)bufferevent_enable(c->bev, EV_READ | EV_WRITE);
}

void svc_conn_close(svc_conn *c)
{
    svc_server *v = c->server;
    svc_conn_drop_body(c);
    unlist(c);
    unchain(c);
    if (c->state == SVC_WORK) {
        v->n_working--;
    }
    event_free(c->timer);
    bufferevent_free(c->bev);
    if (c->is_admin) {
        v->n_admin--;
    } else {
        atomic_fetch_sub(&v->n_connections, 1);
    }
    free(c);
}
