/* SPDX-License-Identifier: Apache-2.0 */
/* net.h: a server on the loopback, in a thread of its own, that takes one connection. */
#ifndef ATLS_TESTS_EDGE_NET_H
#define ATLS_TESTS_EDGE_NET_H

#include <pthread.h>

#include "rig.h"

typedef struct net net;

/* What the server does with its connection; the descriptor is the function's. */
typedef void (*net_serve)(net *n, int fd);

struct net {
    rig rig;       /* of the server's room, with files of its identity */
    sim *endorser; /* the same room again, for the client: a room belongs to one thread */
    char chain_file[64];
    char key_file[64];
    atls_arena arena; /* of the client */
    atls_client_options client;
    atls_server_options server;
    int listener;
    char port[8];
    net_serve serve;
    pthread_t thread;
    bool running;
    /* what atls_accept came to */
    bool accepted;
    atls_error server_err;
    atls_session *server_session;
    /* what atls_connect came to */
    bool connected;
    atls_error client_err;
    atls_session *client_session;
    atls_result result;
    size_t fds;
};

/* net_open makes everything, and starts the server unless serve is NULL. net_close waits for it and frees everything;
 * it wants as many descriptors to be open as there were before. */
void net_open(net *n, net_serve serve);
void net_start(net *n); /* for tests that change options between: net_open with NULL, set n->serve, net_start */
void net_close(net *n);

/* net_policy gives the client the room's policy of a kind, with members put in behind the first brace. The rig frees it. */
void net_policy(net *n, const char *kind, const char *members);

/* net_connect connects the client; net_join waits for the server to be done. */
void net_connect(net *n);
void net_join(net *n);

/* Servers. */
void net_accept(net *n, int fd);     /* atls_accept; the session stays in n */
void net_silent(net *n, int fd);     /* says nothing until the client goes */
void net_reset(net *n, int fd);      /* resets at once */
void net_hello(net *n, int fd);      /* a TLS handshake, then nothing */
void net_slow(net *n, int fd);       /* a TLS handshake, the request, then one byte every 20 ms */
void net_reset_late(net *n, int fd); /* a TLS handshake, the request, half an answer, then a reset */
void net_closer(net *n, int fd);     /* a TLS handshake, the request, an honest answer, then goodbye */

void net_flood(net *n, int fd);   /* a TLS handshake, the request, then tickets without end */
void net_dropper(net *n, int fd); /* the same, but gone without goodbye */

/* net_ms gives a monotonic time in milliseconds. net_fds counts open descriptors. */
int64_t net_ms(void);
size_t net_fds(void);

#endif
