/* SPDX-License-Identifier: Apache-2.0 */
/* fake_agent.c: see fake_agent.h. */
#include "fake_agent.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"

#define MARK "{\"report_data\":\""

/* False when the test wants us to end. */
static bool readable(fake_agent *a, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = a->stop[0], .events = POLLIN}};
    return poll(p, 2, -1) > 0 && p[1].revents == 0;
}

/* A request ends with its object; there is only one in it. */
static bool read_request(fake_agent *a, int fd)
{
    a->request_len = 0;
    while (readable(a, fd) && a->request_len < sizeof a->request - 1) {
        const ssize_t n = read(fd, a->request + a->request_len, sizeof a->request - 1 - a->request_len);
        if (n <= 0) {
            return false;
        }
        a->request_len += (size_t)n;
        a->request[a->request_len] = '\0';
        if (a->request[a->request_len - 1] == '}') {
            return true;
        }
    }
    return false;
}

static void answer(fake_agent *a, int fd)
{
    static char out[1024 * 1024];
    uint8_t report_data[64];
    const char *hex = strstr(a->request, MARK);
    if (hex == NULL || !atls_hex_fixed(atls_bytes_of(hex + sizeof MARK - 1, 128), report_data, 64)) {
        return;
    }
    const size_t len = a->answer(a->ctx, report_data, out, sizeof out);
    for (size_t at = 0; at < len;) {
        const size_t n = a->piece > 0 && a->piece < len - at ? a->piece : len - at;
        const ssize_t sent = send(fd, out + at, n, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        at += (size_t)sent;
    }
}

static void *serve(void *ctx)
{
    fake_agent *a = ctx;
    while (readable(a, a->fd)) {
        const int fd = accept(a->fd, NULL, NULL);
        if (fd < 0) {
            break;
        }
        const bool asked = read_request(a, fd);
        if (asked && a->answer == NULL) {
            (void)readable(a, a->stop[0]); /* silence */
        } else if (asked) {
            answer(a, fd);
        }
        (void)close(fd);
    }
    return NULL;
}

bool fake_agent_start(fake_agent *a, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(a->path, sizeof a->path, "%s", path);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)unlink(path);
    a->fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return a->fd >= 0 && pipe(a->stop) == 0 && bind(a->fd, (const struct sockaddr *)&address, sizeof address) == 0
           && listen(a->fd, 8) == 0 && pthread_create(&a->thread, NULL, serve, a) == 0;
}

void fake_agent_stop(fake_agent *a)
{
    (void)close(a->stop[1]);
    (void)pthread_join(a->thread, NULL);
    (void)close(a->stop[0]);
    (void)close(a->fd);
    (void)unlink(a->path);
}
