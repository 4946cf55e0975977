/* SPDX-License-Identifier: Apache-2.0 */
/* watched_tsm.c: see watched_tsm.h. Files appear whole, by renaming, and the one that is looked for first appears last. */
#include "watched_tsm.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void put(int dir, const char *name, const void *data, size_t len)
{
    const int fd = openat(dir, ".new", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && write(fd, data, len) == (ssize_t)len) {
        (void)renameat(dir, ".new", dir, name);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static bool has(int dir, const char *name)
{
    return faccessat(dir, name, F_OK, 0) == 0;
}

static void answer(watched_tsm *w, int dir)
{
    static uint8_t out[64 * 1024];
    uint8_t inblob[65];
    const int fd = openat(dir, "inblob", O_RDONLY);
    const ssize_t n = fd < 0 ? -1 : read(fd, inblob, sizeof inblob);
    if (fd >= 0) {
        (void)close(fd);
    }
    if (n != 64) {
        return;
    }
    const size_t len = w->make(w->ctx, inblob, out, sizeof out);
    put(dir, "outblob", out, len);
    put(dir, "generation", "1\n", 2);
    put(dir, ".done", "", 0);
    w->n_reports++;
}

static void serve_entry(watched_tsm *w, int dir)
{
    if (!has(dir, "provider")) {
        char line[40];
        put(dir, "inblob", "", 0);
        put(dir, "outblob", "", 0);
        put(dir, "generation", "0\n", 2);
        const int n = snprintf(line, sizeof line, "%s\n", w->provider);
        put(dir, "provider", line, (size_t)n);
    } else if (!has(dir, ".done")) {
        answer(w, dir);
    }
}

static void serve_once(watched_tsm *w)
{
    DIR *top = opendir(w->folder);
    for (const struct dirent *e = top == NULL ? NULL : readdir(top); e != NULL; e = readdir(top)) {
        const int dir = e->d_name[0] == '.' ? -1 : openat(dirfd(top), e->d_name, O_RDONLY | O_DIRECTORY);
        if (dir >= 0) {
            serve_entry(w, dir);
            (void)close(dir);
        }
    }
    if (top != NULL) {
        (void)closedir(top);
    }
}

static bool goes_on(watched_tsm *w)
{
    (void)pthread_mutex_lock(&w->lock);
    const bool on = !w->stop;
    (void)pthread_mutex_unlock(&w->lock);
    return on;
}

static void *serve(void *ctx)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    watched_tsm *w = ctx;
    while (goes_on(w)) {
        serve_once(w);
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

bool watched_tsm_start(watched_tsm *w, const char *folder)
{
    (void)snprintf(w->folder, sizeof w->folder, "%s", folder);
    w->stop = false;
    w->n_reports = 0;
    return pthread_mutex_init(&w->lock, NULL) == 0 && pthread_create(&w->thread, NULL, serve, w) == 0;
}

/* The kernel takes an entry's attributes along with it; here they are left. */
static void empty_entry(int top, const char *name)
{
    const int fd = openat(top, name, O_RDONLY | O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    for (const struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)unlinkat(top, name, AT_REMOVEDIR);
}

void watched_tsm_stop(watched_tsm *w)
{
    (void)pthread_mutex_lock(&w->lock);
    w->stop = true;
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_mutex_destroy(&w->lock);
    DIR *top = opendir(w->folder);
    for (const struct dirent *e = top == NULL ? NULL : readdir(top); e != NULL; e = readdir(top)) {
        if (e->d_name[0] != '.') {
            empty_entry(dirfd(top), e->d_name);
        }
    }
    if (top != NULL) {
        (void)closedir(top);
    }
}
