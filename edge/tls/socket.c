/* SPDX-License-Identifier: Apache-2.0 */
/* socket.c: a BIO over a socket of ours, and how such a socket is prepared and closed. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* How much of what the peer still sends is thrown away, so that our last words are not destroyed by a reset. */
#define MAX_DRAIN_LEN ((size_t)64 * 1024)

static bool is_transient(int system)
{
    return system == EAGAIN || system == EWOULDBLOCK || system == EINTR;
}

static int socket_write(BIO *b, const char *in, int len)
{
    atls_socket *sock = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (len <= 0) {
        return 0;
    }
    ssize_t n = send(sock->fd, in, (size_t)len, MSG_NOSIGNAL);
    if (n < 0 && is_transient(errno)) {
        BIO_set_retry_write(b);
    }
    return (int)n;
}

static int socket_read(BIO *b, char *out, int len)
{
    atls_socket *sock = BIO_get_data(b);
    BIO_clear_retry_flags(b);
    if (len <= 0) {
        return 0;
    }
    ssize_t n = recv(sock->fd, out, (size_t)len, 0);
    if (n < 0 && is_transient(errno)) {
        BIO_set_retry_read(b);
    }
    if (n == 0) {
        sock->eof = true;
    }
    return (int)n;
}

static long socket_control(BIO *b, int command, long number, void *pointer)
{
    atls_socket *sock = BIO_get_data(b);
    (void)number;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return sock->eof ? 1 : 0;
    case BIO_C_GET_FD:
        if (pointer != NULL) {
            *(int *)pointer = sock->fd;
        }
        return sock->fd;
    default:
        return 0;
    }
}

/* The method belongs to the session, not to the process: no state is shared, and no type number is used up. */
static BIO_METHOD *make_method(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket of a session");
    if (m == NULL) {
        return NULL;
    }
    if (BIO_meth_set_write(m, socket_write) != 1 || BIO_meth_set_read(m, socket_read) != 1
        || BIO_meth_set_ctrl(m, socket_control) != 1) {
        BIO_meth_free(m);
        return NULL;
    }
    return m;
}

bool atls_socket_attach(atls_session *s, atls_error *err)
{
    s->bio_method = make_method();
    BIO *b = s->bio_method == NULL ? NULL : BIO_new(s->bio_method);
    if (b == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "socket", "OpenSSL could not make a BIO");
    }
    BIO_set_data(b, &s->socket);
    BIO_set_init(b, 1);
    SSL_set_bio(s->ssl, b, b);
    return true;
}

bool atls_socket_prepare(int fd, atls_error *err)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 || fcntl(fd, F_SETFD, FD_CLOEXEC) == -1) {
        return atls_fail(err, ATLS_E_IO, "socket", "the descriptor is not a socket that can be used");
    }
    int on = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on,
                     sizeof on); /* fails on sockets that are not TCP: nothing lost */
    return true;
}

void atls_socket_close(atls_socket *sock)
{
    if (sock->fd < 0) {
        return;
    }
    char rest[4096];
    size_t drained = 0;
    ssize_t n = shutdown(sock->fd, SHUT_WR) == 0 ? 1 : 0;
    while (n > 0 && drained < MAX_DRAIN_LEN) {
        n = recv(sock->fd, rest, sizeof rest, MSG_DONTWAIT);
        drained += n > 0 ? (size_t)n : 0;
    }
    (void)close(sock->fd);
    sock->fd = -1;
}
