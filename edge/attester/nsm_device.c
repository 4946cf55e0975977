/* SPDX-License-Identifier: Apache-2.0 */
/* nsm_device.c: the ioctl of the Nitro security module, or a socket behind which another process holds the device. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "nsm.h"

#define DEFAULT_TIMEOUT_MS 30000u

/* As in linux/nsm.h, which kernels before 6.8 do not have; the driver that AWS ships for those takes the same. */
struct nsm_span {
    uint64_t addr;
    uint64_t len;
};
struct nsm_message {
    struct nsm_span request;
    struct nsm_span response;
};
#define NSM_MAGIC 0x0A
#define NSM_RAW   _IOWR(NSM_MAGIC, 0x0, struct nsm_message)

/* NOLINTNEXTLINE(readability-non-const-parameter): the kernel writes to response */
static int ask_device(int fd, atls_bytes request, uint8_t *response, size_t *response_len)
{
    struct nsm_message m = {
        .request = {(uint64_t)(uintptr_t)request.ptr, request.len},
        .response = {(uint64_t)(uintptr_t)response, *response_len},
    };
    int outcome;
    do {
        outcome = ioctl(fd, NSM_RAW, &m);
    } while (outcome != 0 && errno == EINTR);
    if (outcome != 0) {
        return errno;
    }
    if (m.response.len > *response_len) {
        return EMSGSIZE;
    }
    *response_len = (size_t)m.response.len;
    return 0;
}

/* One packet there, one packet back. MSG_TRUNC makes a longer one show. */
static int ask_socket(int fd, uint32_t timeout_ms, atls_bytes request, uint8_t *response, size_t *response_len)
{
    const uint32_t ms = timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : timeout_ms;
    const struct timeval limit = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0
        || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0) {
        return errno;
    }
    const ssize_t sent = send(fd, request.ptr, request.len, MSG_NOSIGNAL);
    if (sent < 0) {
        return errno;
    }
    const ssize_t got = (size_t)sent == request.len ? recv(fd, response, *response_len, MSG_TRUNC) : 0;
    if (got < 0) {
        return errno;
    }
    if (got == 0) {
        return ECONNRESET;
    }
    if ((size_t)got > *response_len) {
        return EMSGSIZE;
    }
    *response_len = (size_t)got;
    return 0;
}

static int connect_socket(const char *path, int *fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        return ENAMETOOLONG;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    *fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    if (*fd < 0) {
        return errno;
    }
    if (fcntl(*fd, F_SETFD, FD_CLOEXEC) != 0
        || connect(*fd, (const struct sockaddr *)(const void *)&address, sizeof address) != 0) {
        const int reason = errno;
        (void)close(*fd);
        return reason;
    }
    return 0;
}

static int open_device(const char *path, int *fd)
{
    *fd = open(path, O_RDWR | O_CLOEXEC);
    return *fd < 0 ? errno : 0;
}

int atls_nsm_device(void *ctx, atls_bytes request, uint8_t *response, size_t *response_len)
{
    const atls_nsm_options *o = ctx;
    const char *path = o == NULL || o->device == NULL ? ATLS_NSM_DEVICE : o->device;
    struct stat what;
    int fd = -1;
    if (stat(path, &what) != 0) {
        return errno;
    }
    const bool is_socket = S_ISSOCK(what.st_mode);
    int reason = is_socket ? connect_socket(path, &fd) : open_device(path, &fd);
    if (reason != 0) {
        return reason;
    }
    reason = is_socket ? ask_socket(fd, o == NULL ? 0 : o->timeout_ms, request, response, response_len)
                       : ask_device(fd, request, response, response_len);
    (void)close(fd);
    return reason;
}
