/* SPDX-License-Identifier: Apache-2.0 */
/* files.c: reading with a cap, writing without following anything. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_BLOCK ((size_t)64 * 1024)

static bool fail_file(atls_error *err, const char *field, const char *path, int reason)
{
    return atls_fail(err, ATLS_E_USAGE, field, "%s: %s", path, strerror(reason));
}

/* A block of the C library that grows; wiped before it is given back, because files may hold secrets. */
typedef struct block {
    uint8_t *ptr;
    size_t len;
    size_t cap;
} block;

static void release(block *b)
{
    if (b->ptr != NULL) {
        atls_wipe(b->ptr, b->cap);
        free(b->ptr);
    }
    *b = (block){0};
}

static bool grow(block *b, atls_error *err)
{
    size_t cap = b->cap == 0 ? FIRST_BLOCK : 2 * b->cap;
    uint8_t *bigger = malloc(cap);
    if (bigger == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "file", NULL);
    }
    if (b->len > 0) {
        memcpy(bigger, b->ptr, b->len);
    }
    size_t len = b->len;
    release(b);
    *b = (block){.ptr = bigger, .len = len, .cap = cap};
    return true;
}

static bool read_all(int fd, const char *path, const char *field, size_t max, block *b, atls_error *err)
{
    for (;;) {
        if (b->len == b->cap && !grow(b, err)) {
            return false;
        }
        ssize_t n = read(fd, b->ptr + b->len, b->cap - b->len);
        int reason = errno;
        if (n < 0 && reason == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail_file(err, field, path, reason);
        }
        if (n == 0) {
            return true;
        }
        b->len += (size_t)n;
        if (b->len > max) {
            return atls_fail(err, ATLS_E_LIMIT, field, "%s: longer than %zu bytes", path, max);
        }
    }
}

bool cli_read(const char *path, const char *field, size_t max, atls_arena *a, atls_bytes *out, atls_error *err)
{
    bool standard_input = strcmp(path, "-") == 0;
    int fd = standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_file(err, field, path, errno);
    }
    block b = {0};
    bool ok = read_all(fd, standard_input ? "standard input" : path, field, max, &b, err)
              && atls_arena_copy(a, atls_bytes_of(b.ptr, b.len), out, err);
    release(&b);
    if (!standard_input) {
        (void)close(fd);
    }
    return ok;
}

/* What our own side could not do is not about the file. */
bool cli_name_file(const char *path, atls_error *err)
{
    char words[sizeof err->message];
    const char *message = err->message[0] == '\0' ? atls_code_text(err->code) : err->message;
    const size_t len = strlen(path);
    const char *shown = len > 60 ? path + len - 60 : path;
    if (err->code != ATLS_E_MEMORY && err->code != ATLS_E_INTERNAL && strstr(message, shown) == NULL) {
        (void)snprintf(words, sizeof words, "%s: %.96s", shown, message);
        memcpy(err->message, words, sizeof words);
    }
    return false;
}

bool cli_is_pipe(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISFIFO(st.st_mode);
}

bool cli_exists(const char *path, const char *field, atls_error *err)
{
    return access(path, R_OK) == 0 || fail_file(err, field, path, errno);
}

static bool is_empty(int fd, const char *path, bool *empty, atls_error *err)
{
    int copy = dup(fd);
    DIR *dir = copy < 0 ? NULL : fdopendir(copy);
    if (dir == NULL) {
        int reason = errno;
        if (copy >= 0) {
            (void)close(copy);
        }
        return fail_file(err, "DIR", path, reason);
    }
    *empty = true;
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            *empty = false;
        }
    }
    (void)closedir(dir);
    return true;
}

bool cli_folder_open(const char *path, bool force, cli_folder *out, atls_error *err)
{
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return fail_file(err, "DIR", path, errno);
    }
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return fail_file(err, "DIR", path, errno);
    }
    bool empty = false;
    if (!is_empty(fd, path, &empty, err)) {
        (void)close(fd);
        return false;
    }
    if (!empty && !force) {
        (void)close(fd);
        return atls_fail(err, ATLS_E_USAGE, "DIR", "%s is not empty; --force overwrites", path);
    }
    *out = (cli_folder){.path = path, .fd = fd};
    return true;
}

bool cli_folder_sub(const cli_folder *parent, const char *name, cli_folder *out, atls_error *err)
{
    if (mkdirat(parent->fd, name, 0755) != 0 && errno != EEXIST) {
        return fail_file(err, "DIR", name, errno);
    }
    int fd = openat(parent->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return fail_file(err, "DIR", name, errno);
    }
    *out = (cli_folder){.path = name, .fd = fd};
    return true;
}

void cli_folder_close(cli_folder *f)
{
    if (f->fd >= 0) {
        (void)close(f->fd);
    }
    f->fd = -1;
}

/* Gives 0 or an errno value. */
static int write_all(int fd, atls_bytes data)
{
    size_t done = 0;
    int reason = 0;
    while (done < data.len && reason == 0) {
        ssize_t n = write(fd, data.ptr + done, data.len - done);
        if (n < 0 && errno != EINTR) {
            reason = errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return reason;
}

bool cli_write(const cli_folder *f, const char *name, mode_t mode, atls_bytes data, atls_error *err)
{
    if (unlinkat(f->fd, name, 0) != 0 && errno != ENOENT) {
        return fail_file(err, name, f->path, errno);
    }
    int fd = openat(f->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail_file(err, name, f->path, errno);
    }
    int reason = write_all(fd, data);
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    return reason == 0 ? true : fail_file(err, name, f->path, reason);
}

bool cli_write_path(const char *path, const char *field, atls_bytes data, atls_error *err)
{
    bool standard_output = strcmp(path, "-") == 0;
    int fd = standard_output ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fail_file(err, field, path, errno);
    }
    int reason = write_all(fd, data);
    if (!standard_output && close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    return reason == 0 ? true : fail_file(err, field, standard_output ? "standard output" : path, reason);
}
