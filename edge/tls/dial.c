/* SPDX-License-Identifier: Apache-2.0 */
/* dial.c: resolve, connect without blocking, wait. */
#include "dial.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "socket.h"

static int until(uint64_t until_ms)
{
    if (until_ms == UINT64_MAX) {
        return -1;
    }
    uint64_t now = atls_clock_ms();
    uint64_t left = now < until_ms ? until_ms - now : 0;
    return left > INT_MAX ? INT_MAX : (int)left;
}

static bool wait_for_any(struct pollfd *p, nfds_t n, uint64_t until_ms, atls_error *err)
{
    if (poll(p, n, until(until_ms)) < 0 && errno != EINTR && errno != EAGAIN) {
        return atls_fail(err, ATLS_E_IO, "socket", "the descriptor cannot be waited for");
    }
    if ((p[0].revents & POLLNVAL) != 0) {
        return atls_fail(err, ATLS_E_IO, "socket", "the descriptor is not open");
    }
    return true;
}

bool atls_wait(int fd, short events, uint64_t until_ms, atls_error *err)
{
    struct pollfd p = {.fd = fd, .events = events};
    return wait_for_any(&p, 1, until_ms, err);
}

bool atls_wait_either(int fd, int other, uint64_t until_ms, atls_error *err)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    return wait_for_any(p, 2, until_ms, err);
}

/* Gives 0, an errno value, or ETIMEDOUT. */
static int finish_connect(int fd, uint64_t until_ms)
{
    atls_error broken = {0};
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        if (!atls_wait(fd, POLLOUT, until_ms, &broken)) {
            return EBADF;
        }
        if (poll(&p, 1, 0) == 1) {
            int outcome = 0;
            socklen_t len = sizeof outcome;
            return getsockopt(fd, SOL_SOCKET, SO_ERROR, &outcome, &len) == 0 ? outcome : errno;
        }
        if (atls_clock_ms() >= until_ms) {
            return ETIMEDOUT;
        }
    }
}

/* The same. What went wrong with one address is said only if none is left. */
static int try_address(const struct addrinfo *a, uint64_t until_ms, int *out)
{
    atls_error broken = {0};
    int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
    if (fd < 0) {
        return errno;
    }
    int outcome = 0;
    if (!atls_socket_prepare(fd, &broken)) {
        outcome = EBADF;
    } else if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
        outcome = errno;
        if (outcome == EINPROGRESS || outcome == EINTR) {
            outcome = finish_connect(fd, until_ms);
        }
    }
    if (outcome != 0) {
        (void)close(fd);
        return outcome;
    }
    *out = fd;
    return 0;
}

static bool try_all(const struct addrinfo *list, uint64_t deadline_ms, int *fd, int *outcome)
{
    uint64_t n = 0;
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
        n++;
    }
    for (const struct addrinfo *a = list; a != NULL; a = a->ai_next, n--) {
        uint64_t now = atls_clock_ms();
        if (now >= deadline_ms) {
            *outcome = ETIMEDOUT;
            return false;
        }
        /* A share each, so that one address that swallows packets does not cost the others their turn. */
        *outcome = try_address(a, now + (deadline_ms - now) / n, fd);
        if (*outcome == 0) {
            return true;
        }
    }
    return false;
}

static bool cannot_connect(const char *host, const char *port, int outcome, atls_error *err)
{
    char words[96] = "";
    if (outcome == ETIMEDOUT) {
        return atls_fail(err, ATLS_E_TIMEOUT, "connect", "no connection to %s port %s in time", host, port);
    }
    if (strerror_r(outcome, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    return atls_fail(err, ATLS_E_IO, "connect", "no connection to %s port %s: %s", host, port, words);
}

bool atls_dial(const char *host, const char *port, uint64_t deadline_ms, int *fd, atls_error *err)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;
    int resolved = getaddrinfo(host, port, &hints, &list);
    if (resolved != 0) {
        return atls_fail(err, ATLS_E_IO, "connect", "%s port %s cannot be resolved: %s", host, port,
                         gai_strerror(resolved));
    }
    int outcome = EADDRNOTAVAIL;
    bool ok = try_all(list, deadline_ms, fd, &outcome);
    freeaddrinfo(list);
    return ok || cannot_connect(host, port, outcome, err);
}
