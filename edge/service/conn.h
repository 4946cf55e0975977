/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h: connections and their server, for conn*.c, route.c, reply.c and server.c. Everything here belongs to the loop's thread.
 *
 *   HANDSHAKE ─▶ IDLE ─▶ HEAD ─▶ BODY ─▶ WORK ─▶ WRITE ─▶ IDLE
 *                                                  └────▶ LINGER
 *
 * Each state has a deadline that nothing the client sends moves. Only WORK has none: there a worker has the request, and the
 * connection is not closed to make room for others. LINGER has said its last word, and reads on for a moment, because a close
 * with unread input would take the response away from the client. */
#ifndef ATLS_EDGE_SERVICE_CONN_H
#define ATLS_EDGE_SERVICE_CONN_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>

#include "edge/tls/buckets.h"
#include "http_head.h"
#include "internal.h"

#define SVC_INPUT_AHEAD 16384u /* bytes that are read before somebody wants them */
#define SVC_LINGER_MS   1000u
#define SVC_MAX_HEAD    65536u /* the greatest limits.head_len */

typedef enum svc_state {
    SVC_HANDSHAKE,
    SVC_IDLE,
    SVC_HEAD,
    SVC_BODY,
    SVC_WORK,
    SVC_WRITE,
    SVC_LINGER,
} svc_state;

typedef enum svc_route {
    SVC_ROUTE_NONE,
    SVC_ROUTE_CHALLENGE,
    SVC_ROUTE_ATTEST,
    SVC_ROUTE_HEALTH,
    SVC_ROUTE_METRICS,
} svc_route;

typedef struct svc_conn {
    svc_server *server;
    struct svc_conn *older; /* of those that may be closed to make room, by when they came into their state */
    struct svc_conn *newer;
    struct svc_conn *next_of_chain; /* of those whose addresses have the same hash */
    size_t chain;
    struct bufferevent *bev;
    struct event *timer;
    atls_address who;
    bool is_admin;
    bool is_listed; /* among older and newer */
    bool is_gone;   /* the client has left while a worker had its request */
    bool will_close;
    svc_state state;
    svc_route route;
    uint64_t n_requests;
    /* the body that is coming */
    bool is_chunked;
    uint64_t left; /* without chunks */
    svc_chunks chunks;
    uint8_t *body;
    size_t body_len;
    size_t body_cap;
} svc_conn;

struct svc_server {
    atls_service *service;
    struct event_base *base;
    struct evconnlistener *listeners[SVC_MAX_LISTEN];
    size_t n_listeners;
    struct evconnlistener *admin_listeners[SVC_MAX_LISTEN];
    size_t n_admin_listeners;
    struct event *signals[3];
    struct event *wake;  /* something was said through the pipe */
    struct event *drain; /* the end of patience */
    int pipe[2];
    atomic_bool stop_wanted;
    bool is_draining;
    bool timed_out;
    atomic_size_t n_connections;
    size_t n_admin;
    size_t n_working;
    size_t bodies_len; /* room of all bodies that are coming */
    svc_conn *oldest;
    svc_conn *newest;
    svc_conn **chains;
    size_t n_chains;
    uint8_t head[SVC_MAX_HEAD]; /* of the request that is looked at */
    atls_buckets *challenge_buckets;
    atls_buckets *attest_buckets;
    /* limits and texts of the moment: of an engine that is held while one event is handled */
    svc_engine *engine;
};

/* The configuration that is in force while an event is handled. */
const svc_config *svc_config_of(svc_server *v);
/* svc_refresh takes what is in force now. At the begin of every event. */
void svc_refresh(svc_server *v);

/* conn.c */
void svc_conn_accept(svc_server *v, evutil_socket_t fd, const struct sockaddr *sa, bool is_admin);
void svc_conn_close(svc_conn *c);
/* svc_conn_enter begins a state and its deadline. */
void svc_conn_enter(svc_conn *c, svc_state state);
/* svc_conn_make_room closes the one that has been in its state for longest, but not `but`; false: there is none. */
bool svc_conn_make_room(svc_server *v, const svc_conn *but);

/* conn_read.c: takes from the input what the state wants. */
void svc_conn_read(svc_conn *c);
void svc_conn_drop_body(svc_conn *c);

/* route.c: what a head asks for. */
void svc_conn_serve(svc_conn *c, const svc_head *head);
void svc_conn_submit(svc_conn *c); /* the body is complete */
void svc_conn_answered(svc_conn *c, svc_job *job);

/* reply.c */
typedef struct svc_reply {
    unsigned status;
    const char *type;  /* NULL: there is no body */
    atls_bytes body;   /* copied */
    const char *allow; /* 405 */
    unsigned retry_s;  /* 0: not said */
    const char *id;    /* NULL: none */
    bool close;        /* whatever was asked for */
} svc_reply;
void svc_conn_reply(svc_conn *c, const svc_reply *r);
/* svc_conn_refuse says a status without a body and closes. */
void svc_conn_refuse(svc_conn *c, unsigned status);

#endif
