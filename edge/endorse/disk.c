/* SPDX-License-Identifier: Apache-2.0 */
/* disk.c: entries as files: opening the folder, reading and writing one. */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "disk_names.h"
#include "file.h"

#define FOLDER_SIZE 1024u
#define MAX_TRIES   16u

static bool fail_system(atls_error *err, const char *field, const char *what, int reason)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    (void)atls_fail(err, ATLS_E_IO, field, "%s: %s", what, words);
    return false;
}

/* ---- the folder -------------------------------------------------------------------------------------------------------- */

static bool make_folders(const char *folder, atls_error *err)
{
    char path[FOLDER_SIZE];
    const size_t len = strlen(folder);
    if (len >= sizeof path) {
        return fail_system(err, "cache_folder", "the cache's folder cannot be made", ENAMETOOLONG);
    }
    memcpy(path, folder, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        path[i] = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return fail_system(err, "cache_folder", "the cache's folder cannot be made", errno);
        }
        path[i] = i == len ? '\0' : '/';
    }
    return true;
}

/* Whoever else may write in a folder may put there what they like, and take away what they do not. */
static bool check_folder(int fd, atls_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return fail_system(err, "cache_folder", "the cache's folder is none", ENOTDIR);
    }
    if (st.st_uid != geteuid()) {
        (void)atls_fail(err, ATLS_E_IO, "cache_folder", "the cache's folder belongs to another user");
        return false;
    }
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        (void)atls_fail(err, ATLS_E_IO, "cache_folder", "others may write in the cache's folder (chmod go-w)");
        return false;
    }
    return true;
}

bool atls_disk_open(const char *folder, const atls_crypto *crypto, size_t max_entries, size_t max_len, bool reads_only,
                    atls_disk *out, atls_error *err)
{
    out->fd = -1;
    out->crypto = crypto;
    out->max_entries = max_entries;
    out->max_len = max_len;
    out->reads_only = reads_only;
    atomic_init(&out->number, 0);
    if (!reads_only && !make_folders(folder, err)) {
        return false;
    }
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && reads_only && errno == ENOENT) {
        return true;
    }
    if (fd < 0) {
        return fail_system(err, "cache_folder", "the cache's folder cannot be opened", errno);
    }
    if (!check_folder(fd, err)) {
        (void)close(fd);
        return false;
    }
    out->fd = fd;
    atls_disk_tidy(out);
    return true;
}

void atls_disk_close(atls_disk *d)
{
    if (d->fd >= 0) {
        (void)close(d->fd);
    }
    d->fd = -1;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static bool check_file(int fd, atls_error *err)
{
    struct stat st;
    const char *why = NULL;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        why = "the entry is no regular file";
    } else if (st.st_uid != geteuid()) {
        why = "the entry belongs to another user";
    } else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        why = "others may write the entry";
    }
    return why == NULL || atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.file", "%s", why);
}

/* A link, a socket and the like are no entries; without a descriptor or memory nobody knows what is there. */
static bool fail_open(atls_error *err, int reason)
{
    const bool is_ours = reason == EMFILE || reason == ENFILE || reason == ENOMEM || reason == EINTR || reason == EIO
                         || reason == ESTALE;
    return is_ours ? fail_system(err, "entry.file", "the entry cannot be opened", reason)
                   : atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.file",
                               "the entry cannot be opened: a link, or no file");
}

bool atls_disk_read(atls_disk *d, const char *name, atls_arena *arena, bool *found, atls_entry *out, atls_error *err)
{
    atls_bytes file;
    const int fd = openat(d->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    *found = fd >= 0 || errno != ENOENT;
    if (fd < 0) {
        return errno == ENOENT || fail_open(err, errno);
    }
    const bool ok = check_file(fd, err) && atls_file_read(fd, "entry.file", ATLS_MAX_ENTRY_LEN, arena, &file, err)
                    && atls_entry_read(file, d->crypto, out, err);
    if (ok && !d->reads_only) {
        (void)futimens(fd, NULL); /* used just now: it is not the first to go */
    }
    (void)close(fd);
    return ok;
}

/* What our own side could not do (no descriptor left, a disk that does not answer) says nothing about the entry. */
void atls_disk_refuse(atls_disk *d, const char *name, const atls_error *why)
{
    if (!d->reads_only && why->code != ATLS_E_MEMORY && why->code != ATLS_E_INTERNAL && why->code != ATLS_E_IO) {
        (void)unlinkat(d->fd, name, 0);
    }
}

/* An entry is about what its name says, or somebody renamed it. */
static bool check_names(const char *source, const char *path, const atls_entry *entry, atls_error *err)
{
    return (strcmp(entry->source, source) == 0 && strcmp(entry->path, path) == 0)
           || atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "entry.path", "the entry is about something else");
}

bool atls_disk_load(atls_disk *d, const char *source, const char *path, atls_arena *arena, bool *found, atls_entry *out,
                    atls_error *err)
{
    char name[ATLS_ENTRY_NAME_SIZE];
    *found = false;
    if (d->fd < 0) {
        return true;
    }
    if (!atls_entry_name(source, path, d->crypto, name, err)) {
        return false;
    }
    if (!atls_disk_read(d, name, arena, found, out, err) || (*found && !check_names(source, path, out, err))) {
        *found = false;
        atls_disk_refuse(d, name, err);
        return false;
    }
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------- */

static bool open_temporary(atls_disk *d, const char *name, char temporary[static ATLS_ENTRY_NAME_SIZE], int *fd,
                           atls_error *err)
{
    for (unsigned i = 0; i < MAX_TRIES; i++) {
        atls_temporary_name(name, (unsigned long)getpid(), atomic_fetch_add(&d->number, 1), temporary);
        *fd = openat(d->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (*fd >= 0 || errno != EEXIST) {
            break;
        }
    }
    return *fd >= 0 || fail_system(err, "cache_folder", "an entry cannot be made", errno);
}

/* 0, or an errno value */
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
    return 0;
}

static int fill(int fd, atls_bytes data)
{
    int reason = write_all(fd, data);
    if (reason == 0 && fsync(fd) != 0) {
        reason = errno;
    }
    if (close(fd) != 0 && reason == 0) {
        reason = errno;
    }
    return reason;
}

/* The name changes hands only when every byte is on the disk: a reader sees a whole entry, whoever is killed when. */
static bool write_file(atls_disk *d, const char *name, atls_bytes data, atls_error *err)
{
    char temporary[ATLS_ENTRY_NAME_SIZE];
    int fd = -1;
    if (!open_temporary(d, name, temporary, &fd, err)) {
        return false;
    }
    int reason = fill(fd, data);
    if (reason == 0 && renameat(d->fd, temporary, d->fd, name) != 0) {
        reason = errno;
    }
    if (reason != 0) {
        (void)unlinkat(d->fd, temporary, 0);
        return fail_system(err, "cache_folder", "an entry cannot be written", reason);
    }
    (void)fsync(d->fd); /* it may be lost with the power; it cannot be half there */
    return true;
}

bool atls_disk_save(atls_disk *d, const atls_entry *entry, atls_arena *arena, atls_error *err)
{
    char name[ATLS_ENTRY_NAME_SIZE];
    atls_bytes data;
    if (d->fd < 0 || d->reads_only) {
        return true;
    }
    if (!atls_entry_name(entry->source, entry->path, d->crypto, name, err)
        || !atls_entry_write(entry, d->crypto, arena, &data, err)) {
        return false;
    }
    if (data.len > d->max_len) {
        return atls_fail(err, ATLS_E_LIMIT, "cache_folder", "the entry is longer than all entries may be together");
    }
    if (!write_file(d, name, data, err)) {
        return false;
    }
    atls_disk_tidy(d);
    return true;
}

void atls_disk_remove(atls_disk *d, const char *source, const char *path)
{
    char name[ATLS_ENTRY_NAME_SIZE];
    atls_error ignored = {0};
    if (d->fd >= 0 && !d->reads_only && atls_entry_name(source, path, d->crypto, name, &ignored)) {
        (void)unlinkat(d->fd, name, 0);
    }
}
