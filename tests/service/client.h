/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: a client that sends what it is told to, and reads one response. Plain sockets on loopback; nothing of the test library. */
#ifndef ATLS_TESTS_SERVICE_CLIENT_H
#define ATLS_TESTS_SERVICE_CLIENT_H

#include "atls/arena.h"

typedef struct client_response {
    unsigned status; /* 0: there was none: the connection was closed or reset, or nothing came in time */
    bool was_cut;    /* closed or reset before a whole response */
    char head[2048];
    atls_bytes body; /* in the arena */
} client_response;

/* client_open connects to 127.0.0.1:port from 127.0.0.<from>; -1: it could not. Reads wait for at most 30 s. */
int client_open(uint16_t port, uint8_t from);
/* client_open_narrow is the same with so large a receive buffer, from the first packet on: made smaller under a connection that has
 * begun, it would drop the other side's acknowledgements with its data. */
int client_open_narrow(uint16_t port, uint8_t from, int receive_len);
/* client_send writes everything; false when the other side has gone. */
bool client_send(int fd, const void *data, size_t len);
bool client_say(int fd, const char *text);
/* client_read reads one response, and nothing behind it. */
void client_read(int fd, atls_arena *a, client_response *out);
/* client_is_closed waits until the other side closes, at most ms. */
bool client_is_closed(int fd, int ms);
/* client_has tells whether the head has this line. */
bool client_has(const client_response *r, const char *line);

/* One request on a connection of its own. */
void client_get(uint16_t port, const char *path, atls_arena *a, client_response *out);
void client_post(uint16_t port, const char *path, atls_bytes body, atls_arena *a, client_response *out);
/* The same on one that is there. */
bool client_send_get(int fd, const char *path);
bool client_send_post(int fd, const char *path, atls_bytes body);

#endif
