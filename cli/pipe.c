/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.c: one poll loop, one buffer for each direction. A direction reads only when its buffer is empty, so that a slow
 * reader slows the writer down instead of filling memory. */
#include "pipe.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define BUFFER_SIZE ((size_t)16 * 1024)

typedef struct buffer {
    uint8_t bytes[BUFFER_SIZE];
    size_t at;  /* first byte that has not been passed on */
    size_t end; /* first free byte */
} buffer;

typedef struct pump {
    atls_session *s;
    buffer up;   /* stdin to session */
    buffer down; /* session to stdout */
    bool stdin_ended;
    bool closed; /* our close_notify is out */
    bool peer_closed;
    short wants;  /* what the session waits for: POLLIN, POLLOUT */
    bool moved;   /* something went forward in this round */
    size_t chunk; /* what stdout takes without blocking when poll() calls it writable */
} pump;

static bool empty(const buffer *b)
{
    return b->at == b->end;
}

static void wait_for(pump *p, atls_step step)
{
    if (step == ATLS_STEP_WANT_READ) {
        p->wants |= POLLIN;
    }
    if (step == ATLS_STEP_WANT_WRITE) {
        p->wants |= POLLOUT;
    }
}

static bool pull_session(pump *p, atls_error *err)
{
    size_t n = 0;
    if (p->peer_closed || !empty(&p->down)) {
        return true;
    }
    atls_step step = atls_session_read(p->s, p->down.bytes, sizeof p->down.bytes, &n, err);
    if (step == ATLS_STEP_FAILED) {
        return false;
    }
    if (step == ATLS_STEP_DONE) {
        p->down.at = 0;
        p->down.end = n;
        p->moved = true;
    }
    if (step == ATLS_STEP_CLOSED) {
        p->peer_closed = true;
        p->moved = true;
    }
    wait_for(p, step);
    return true;
}

static bool push_session(pump *p, atls_error *err)
{
    size_t n = 0;
    if (empty(&p->up)) {
        return true;
    }
    atls_step step = atls_session_write(p->s, p->up.bytes + p->up.at, p->up.end - p->up.at, &n, err);
    if (step == ATLS_STEP_FAILED) {
        return false;
    }
    if (step == ATLS_STEP_DONE) {
        p->up.at += n;
        p->moved = true;
    }
    wait_for(p, step);
    return true;
}

static bool close_session(pump *p, atls_error *err)
{
    if (!p->stdin_ended || !empty(&p->up) || p->closed) {
        return true;
    }
    atls_step step = atls_session_close(p->s, err);
    if (step == ATLS_STEP_FAILED) {
        return false;
    }
    p->closed = step == ATLS_STEP_DONE;
    wait_for(p, step);
    return true;
}

static bool read_stdin(pump *p, atls_error *err)
{
    ssize_t n = read(STDIN_FILENO, p->up.bytes, sizeof p->up.bytes);
    int reason = errno;
    if (n < 0 && reason != EINTR && reason != EAGAIN) {
        return atls_fail(err, ATLS_E_IO, "stdin", "%s", strerror(reason));
    }
    if (n == 0) {
        p->stdin_ended = true;
    }
    p->up.at = 0;
    p->up.end = n > 0 ? (size_t)n : 0;
    return true;
}

static bool write_stdout(pump *p, atls_error *err)
{
    size_t left = p->down.end - p->down.at;
    ssize_t n = write(STDOUT_FILENO, p->down.bytes + p->down.at, left < p->chunk ? left : p->chunk);
    int reason = errno;
    if (n < 0 && reason != EINTR && reason != EAGAIN) {
        return atls_fail(err, ATLS_E_IO, "stdout", "%s", strerror(reason));
    }
    p->down.at += n > 0 ? (size_t)n : 0;
    return true;
}

/* wait_and_move sleeps until one of the three descriptors can go on; a descriptor that has nothing to do is left out.
 */
static bool wait_and_move(pump *p, atls_error *err)
{
    bool take_input = !p->stdin_ended && empty(&p->up) && !p->peer_closed;
    bool give_output = !empty(&p->down);
    struct pollfd fds[3] = {
        {.fd = take_input ? STDIN_FILENO : -1, .events = POLLIN},
        {.fd = give_output ? STDOUT_FILENO : -1, .events = POLLOUT},
        {.fd = p->wants != 0 ? atls_session_fd(p->s) : -1, .events = p->wants},
    };
    if (poll(fds, 3, p->moved ? 0 : -1) < 0 && errno != EINTR) {
        return atls_fail(err, ATLS_E_IO, "session", "poll: %s", strerror(errno));
    }
    if (fds[0].revents != 0 && !read_stdin(p, err)) {
        return false;
    }
    return fds[1].revents == 0 || write_stdout(p, err);
}

static bool finish(pump *p, atls_error *err)
{
    if (!empty(&p->up)) {
        return atls_fail(err, ATLS_E_IO, "session", "the peer closed before it had taken all of stdin");
    }
    p->stdin_ended = true;
    return close_session(p, err);
}

/* A pipe that is writable takes PIPE_BUF bytes at once; more might block us while the peer waits to be read. */
static size_t stdout_chunk(void)
{
    long n = fpathconf(STDOUT_FILENO, _PC_PIPE_BUF);
    return n < _POSIX_PIPE_BUF ? _POSIX_PIPE_BUF : (size_t)n;
}

bool cli_pipe(atls_session *s, atls_error *err)
{
    pump p = {.s = s, .chunk = stdout_chunk()};
    for (;;) {
        p.wants = 0;
        p.moved = false;
        if (!pull_session(&p, err) || !push_session(&p, err) || !close_session(&p, err)) {
            return false;
        }
        if (p.peer_closed && empty(&p.down)) {
            return finish(&p, err);
        }
        if (!wait_and_move(&p, err)) {
            return false;
        }
    }
}
