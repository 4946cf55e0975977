/* SPDX-License-Identifier: Apache-2.0 */
/* file.c: opens and reads regular files. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

static bool fail_system(atls_error *err, const char *name, const char *what, int system)
{
    char words[96] = "";
    if (strerror_r(system, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    return atls_fail(err, ATLS_E_IO, name, "%s cannot be %s: %s", name, what, words);
}

bool atls_file_open(const char *path, const char *name, int *fd, bool *is_folder, atls_error *err)
{
    struct stat st;
    int opened = open(path, OPEN_FLAGS);
    if (opened < 0) {
        return fail_system(err, name, "opened", errno);
    }
    bool known = fstat(opened, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
    if (!known) {
        (void)close(opened);
        return atls_fail(err, ATLS_E_IO, name, "%s is neither a regular file nor a folder", name);
    }
    *is_folder = S_ISDIR(st.st_mode);
    *fd = opened;
    return true;
}

static bool read_fully(int fd, const char *name, uint8_t *out, size_t len, atls_error *err)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = read(fd, out + done, len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_system(err, name, "read", errno);
        }
        if (n == 0) {
            return atls_fail(err, ATLS_E_IO, name, "%s became shorter while it was read", name);
        }
        done += (size_t)n;
    }
    return true;
}

static bool too_long(const char *name, size_t max, atls_error *err)
{
    char expected[48];
    snprintf(expected, sizeof expected, "at most %zu bytes", max);
    return atls_fail_values(err, ATLS_E_LIMIT, name, expected, NULL, "%s is too long", name);
}

bool atls_file_read(int fd, const char *name, size_t max, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return atls_fail(err, ATLS_E_IO, name, "%s is not a regular file", name);
    }
    if (st.st_size <= 0) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, name, "%s is empty", name);
    }
    if ((uintmax_t)st.st_size > max) {
        return too_long(name, max, err);
    }
    size_t len = (size_t)st.st_size;
    uint8_t *room = atls_arena_raw(arena, len, err);
    if (room == NULL || !read_fully(fd, name, room, len, err)) {
        return false;
    }
    *out = atls_bytes_of(room, len);
    return true;
}

bool atls_file_read_at(int folder, const char *name, size_t max, atls_arena *arena, bool *found, atls_bytes *out,
                       atls_error *err)
{
    int fd = openat(folder, name, OPEN_FLAGS);
    *found = fd >= 0;
    if (fd < 0) {
        return errno == ENOENT || fail_system(err, name, "opened", errno);
    }
    bool ok = atls_file_read(fd, name, max, arena, out, err);
    (void)close(fd);
    return ok;
}
