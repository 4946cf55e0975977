/* SPDX-License-Identifier: Apache-2.0 */
/* pair.c: two files, written beside their place and moved there. link(2) never replaces, rename(2) always does. */
#include "pair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

static bool fail_path(const char *field, const char *path, int reason, atls_error *err)
{
    return atls_fail(err, ATLS_E_USAGE, field, "%s: %s", path, strerror(reason));
}

/* Nothing is there, or with force what a file can take the place of. */
static bool is_free(const char *path, const char *field, bool force, atls_error *err)
{
    struct stat there;
    if (lstat(path, &there) != 0) {
        return errno == ENOENT || fail_path(field, path, errno, err);
    }
    if (!force) {
        return atls_fail(err, ATLS_E_USAGE, field, "%s is there already; --force takes its place", path);
    }
    return S_ISREG(there.st_mode) || S_ISLNK(there.st_mode)
           || atls_fail(err, ATLS_E_USAGE, field, "%s is there already, and is no file", path);
}

bool cli_pair_name(const char *prefix, const char *field, bool force, atls_arena *a, cli_pair *out, atls_error *err)
{
    *out = (cli_pair){.key_path = atls_text_format(a, err, "%s-key.pem", prefix),
                      .chain_path = atls_text_format(a, err, "%s-chain.pem", prefix),
                      .force = force};
    if (out->key_path == NULL || out->chain_path == NULL) {
        return false;
    }
    return is_free(out->key_path, field, force, err) && is_free(out->chain_path, field, force, err);
}

/* Gives 0 or an errno value. */
static int write_all(int fd, atls_bytes data)
{
    size_t done = 0;
    while (done < data.len) {
        const ssize_t n = write(fd, data.ptr + done, data.len - done);
        if (n < 0 && errno != EINTR) {
            return errno;
        }
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd) == 0 ? 0 : errno;
}

static bool write_beside(const char *path, mode_t mode, atls_bytes data, const char *field, atls_error *err)
{
    (void)unlink(path); /* of a process of that number that was killed */
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail_path(field, path, errno, err);
    }
    int reason = write_all(fd, data);
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    return reason == 0 || fail_path(field, path, reason, err);
}

static bool move(const char *from, const char *to, bool force, const char *field, atls_error *err)
{
    const int failed = force ? rename(from, to) : link(from, to);
    return failed == 0 || fail_path(field, to, errno, err);
}

/* A key whose place is taken keeps a second name until the chain is there, too: one that is lost is lost for good. */
static bool keep_old(const char *path, const char *kept, bool force, const char *field, atls_error *err)
{
    (void)unlink(kept); /* of a process of that number that was killed */
    return !force || link(path, kept) == 0 || errno == ENOENT || fail_path(field, path, errno, err);
}

/* As before: with the key that was there, or with none. */
static void put_back(const char *kept, const char *path)
{
    if (rename(kept, path) != 0) {
        (void)unlink(path);
    }
}

bool cli_pair_write(const cli_pair *p, const char *field, atls_bytes key, atls_bytes chain, atls_arena *a,
                    atls_error *err)
{
    const long pid = (long)getpid();
    const char *key_beside = atls_text_format(a, err, "%s.%ld", p->key_path, pid);
    const char *chain_beside = atls_text_format(a, err, "%s.%ld", p->chain_path, pid);
    const char *kept = atls_text_format(a, err, "%s.%ld.old", p->key_path, pid);
    if (key_beside == NULL || chain_beside == NULL || kept == NULL) {
        return false;
    }
    bool ok = write_beside(key_beside, 0600, key, field, err) && write_beside(chain_beside, 0644, chain, field, err)
              && keep_old(p->key_path, kept, p->force, field, err)
              && move(key_beside, p->key_path, p->force, field, err);
    if (ok && !move(chain_beside, p->chain_path, p->force, field, err)) {
        ok = false;
        put_back(kept, p->key_path);
    }
    (void)unlink(kept);
    (void)unlink(key_beside);
    (void)unlink(chain_beside);
    return ok;
}
