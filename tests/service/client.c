/* SPDX-License-Identifier: Apache-2.0 */
/* client.c: see client.h. */
#include "client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define HOST "Host: localhost\r\n"

int client_open(uint16_t port, uint8_t from)
{
    return client_open_narrow(port, from, 0);
}

int client_open_narrow(uint16_t port, uint8_t from, int receive_len)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    const struct timeval patience = {.tv_sec = 30};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000000u | from)};
    if (fd < 0) {
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    bool ok = receive_len == 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_len, sizeof receive_len) == 0;
    ok = ok && (from == 1 || bind(fd, (const struct sockaddr *)&at, sizeof at) == 0);
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    ok = ok && connect(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (!ok) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

bool client_send(int fd, const void *data, size_t len)
{
    const uint8_t *at = data;
    while (len > 0) {
        const ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
        if (n <= 0) {
            return false;
        }
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool client_say(int fd, const char *text)
{
    return client_send(fd, text, strlen(text));
}

static bool read_head(int fd, client_response *out)
{
    size_t n = 0;
    while (n < sizeof out->head - 1) {
        const ssize_t got = recv(fd, out->head + n, 1, 0);
        if (got <= 0) {
            out->was_cut = got == 0 || errno == ECONNRESET;
            return false;
        }
        out->head[++n] = '\0';
        if (n >= 4 && strcmp(out->head + n - 4, "\r\n\r\n") == 0) {
            return true;
        }
    }
    return false;
}

void client_read(int fd, atls_arena *a, client_response *out)
{
    atls_error err = {0};
    *out = (client_response){.body = atls_bytes_empty()};
    do {
        out->head[0] = '\0';
        if (!read_head(fd, out) || strncmp(out->head, "HTTP/1.1 ", 9) != 0) {
            return;
        }
    } while (strncmp(out->head + 9, "100", 3) == 0);
    const unsigned status = (unsigned)strtoul(out->head + 9, NULL, 10);
    const char *length = strstr(out->head, "\r\nContent-Length: ");
    const size_t len = length == NULL ? 0 : (size_t)strtoul(length + 18, NULL, 10);
    uint8_t *room = atls_arena_raw(a, len, &err);
    size_t n = 0;
    while (room != NULL && n < len) {
        const ssize_t got = recv(fd, room + n, len - n, 0);
        if (got <= 0) {
            out->was_cut = true;
            return;
        }
        n += (size_t)got;
    }
    out->status = status;
    out->body = atls_bytes_of(room, len);
}

bool client_is_closed(int fd, int ms)
{
    char byte[256];
    struct pollfd p = {.fd = fd, .events = POLLIN};
    while (poll(&p, 1, ms) == 1) {
        const ssize_t n = recv(fd, byte, sizeof byte, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            return true;
        }
    }
    return false;
}

bool client_has(const client_response *r, const char *line)
{
    char whole[256];
    (void)snprintf(whole, sizeof whole, "\r\n%s\r\n", line);
    return strstr(r->head, whole) != NULL;
}

bool client_send_get(int fd, const char *path)
{
    char text[512];
    (void)snprintf(text, sizeof text, "GET %s HTTP/1.1\r\n" HOST "\r\n", path);
    return client_say(fd, text);
}

bool client_send_post(int fd, const char *path, atls_bytes body)
{
    char text[512];
    (void)snprintf(text, sizeof text,
                   "POST %s HTTP/1.1\r\n" HOST "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                   path, body.len);
    return client_say(fd, text) && client_send(fd, body.ptr, body.len);
}

void client_get(uint16_t port, const char *path, atls_arena *a, client_response *out)
{
    const int fd = client_open(port, 1);
    *out = (client_response){.body = atls_bytes_empty()};
    if (fd >= 0) {
        (void)client_send_get(fd, path);
        client_read(fd, a, out);
        (void)close(fd);
    }
}

void client_post(uint16_t port, const char *path, atls_bytes body, atls_arena *a, client_response *out)
{
    const int fd = client_open(port, 1);
    *out = (client_response){.body = atls_bytes_empty()};
    if (fd >= 0) {
        (void)client_send_post(fd, path, body);
        client_read(fd, a, out);
        (void)close(fd);
    }
}
