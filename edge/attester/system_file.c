/* SPDX-License-Identifier: Apache-2.0 */
/* system_file.c: whole files over the calls of system.h, and an errno value in words. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "system.h"

#define PIECE ((size_t)4096)

/* Takes piece after piece from the arena, which nobody else uses meanwhile, so that they lie in a row. */
static int read_all(int fd, size_t max, atls_arena *a, atls_bytes *out)
{
    atls_error full = {0};
    for (;;) {
        const size_t mark = a->used;
        uint8_t *piece = atls_arena_raw(a, PIECE, &full);
        size_t n = 0;
        if (piece == NULL) {
            return ENOMEM;
        }
        const int reason = atls_system_read(fd, piece, PIECE, &n);
        a->used = mark + n; /* what was not filled goes back */
        if (reason == EINTR) {
            continue;
        }
        if (reason != 0 || n == 0) {
            return reason;
        }
        if (out->len == 0) {
            out->ptr = piece;
        }
        out->len += n;
        if (out->len > max) {
            return EFBIG;
        }
    }
}

int atls_device_read(const char *path, size_t max, atls_arena *a, atls_bytes *out)
{
    int fd = -1;
    *out = atls_bytes_empty();
    int reason = atls_system_open(path, O_RDONLY, &fd);
    if (reason != 0) {
        return reason;
    }
    reason = read_all(fd, max, a, out);
    (void)atls_system_close(fd);
    if (reason != 0) {
        *out = atls_bytes_empty();
    }
    return reason;
}

int atls_device_write(const char *path, atls_bytes in)
{
    int fd = -1;
    size_t n = 0;
    int reason = atls_system_open(path, O_WRONLY, &fd);
    if (reason != 0) {
        return reason;
    }
    reason = atls_system_write(fd, in.ptr, in.len, &n);
    const int closed = atls_system_close(fd);
    if (reason == 0 && n != in.len) {
        return EIO;
    }
    return reason != 0 ? reason : closed;
}

const char *atls_system_words(int reason, char out[64])
{
    if (strerror_r(reason, out, 64) != 0) {
        memcpy(out, "unknown error", sizeof "unknown error");
    }
    return out;
}

static const char *advice(int reason)
{
    switch (reason) {
    case EACCES:
    case EPERM:
        return " (run as root, or give this user access)";
    case ENOENT:
    case ENODEV:
    case ENXIO:
        return " (atls doctor says what is missing)";
    default:
        return "";
    }
}

static atls_code code_of(int reason)
{
    switch (reason) {
    case ETIMEDOUT:
        return ATLS_E_TIMEOUT;
    case ENOMEM:
        return ATLS_E_MEMORY;
    case EFBIG:
        return ATLS_E_LIMIT;
    default:
        return ATLS_E_IO;
    }
}

bool atls_system_fail(atls_error *err, const char *field, const char *path, int reason)
{
    char words[64];
    return atls_fail(err, code_of(reason), field, "%s: %s%s", path, atls_system_words(reason, words), advice(reason));
}

void atls_pause_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&t, NULL);
}
