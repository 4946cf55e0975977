/* SPDX-License-Identifier: Apache-2.0 */
/* record.c: debug statements in a folder of their own: one file a request, the oldest removed. A statement never changes an answer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"

#define SUFFIX     ".json"
#define NAME_LEN   (13 + 1 + SVC_REQUEST_ID_SIZE - 1 + 5) /* milliseconds, dash, id, suffix */
#define MAX_LISTED 4096u                                  /* names that one sweep looks at */
#define SWEEP_MS   3600000u                               /* how long old ones may lie there for want of new ones */

static bool is_ours(const char *name)
{
    const size_t n = strlen(name);
    return n == NAME_LEN && strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0 && strspn(name, "0123456789") >= 13;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

typedef char record_name[NAME_LEN + 1];

static size_t list(DIR *dir, record_name *names, size_t max)
{
    size_t n = 0;
    for (const struct dirent *d = readdir(dir); d != NULL && n < max; d = readdir(dir)) {
        if (is_ours(d->d_name)) {
            memcpy(names[n++], d->d_name, NAME_LEN + 1);
        }
    }
    return n;
}

/* Looking at all names costs as much as there are, so not every statement does it: a sweep makes room for a sixteenth. */
static bool wants_sweep(atls_service *s, uint64_t max_files)
{
    const uint64_t now_ms = svc_tick_us() / 1000;
    const uint64_t swept_ms = atomic_load(&s->records_swept_ms);
    const uint64_t n = atomic_fetch_add(&s->n_records, 1);
    if (n % (max_files / 16 + 1) != 0 && now_ms < swept_ms + SWEEP_MS) {
        return false;
    }
    atomic_store(&s->records_swept_ms, now_ms);
    return true;
}

/* Names begin with their time: the oldest sort first. */
static void sweep(const char *folder, uint64_t max_files, int64_t oldest_ms)
{
    const size_t max = max_files + 256 > MAX_LISTED ? (size_t)max_files + 256 : MAX_LISTED;
    record_name *names = calloc(max, sizeof *names);
    DIR *dir = opendir(folder);
    if (names != NULL && dir != NULL) {
        const size_t n = list(dir, names, max);
        char oldest[16];
        (void)snprintf(oldest, sizeof oldest, "%013lld", (long long)oldest_ms);
        qsort(names, n, sizeof *names, by_name);
        for (size_t i = 0; i < n && (n - i > max_files || strncmp(names[i], oldest, 13) < 0); i++) {
            (void)unlinkat(dirfd(dir), names[i], 0);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    free(names);
}

static bool write_all(int fd, atls_bytes data)
{
    while (data.len > 0) {
        const ssize_t n = write(fd, data.ptr, data.len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data = atls_bytes_of(data.ptr + n, data.len - (size_t)n);
    }
    return true;
}

static bool store(const svc_config *c, int64_t now_ms, const char *id, atls_bytes data, atls_arena *a, atls_error *err)
{
    const char *path = atls_text_format(a, err, "%s/%013lld-%s" SUFFIX, c->records_folder, (long long)now_ms, id);
    if (path == NULL) {
        return false;
    }
    if (mkdir(c->records_folder, 0700) != 0 && errno != EEXIST) {
        const int reason = errno;
        return atls_fail(err, ATLS_E_IO, "records.folder", "%s: %s", c->records_folder, strerror(reason));
    }
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    const int reason = errno;
    if (fd < 0) {
        return atls_fail(err, ATLS_E_IO, "records.folder", "%s: %s", path, strerror(reason));
    }
    const bool ok = write_all(fd, data);
    (void)close(fd);
    if (!ok) {
        (void)unlink(path);
        return atls_fail(err, ATLS_E_IO, "records.folder", "%s cannot be written", path);
    }
    return true;
}

void svc_record_write(atls_service *s, const svc_config *c, const char *id, const atls_enrol_outcome *o,
                      atls_arena *arena)
{
    atls_error err = o->record_error;
    atls_bytes data = o->record;
    const int64_t now_ms = svc_now_ms(s);
    if (svc_config_when(c) == ATLS_RECORD_NEVER || (data.len == 0 && err.code == ATLS_OK)) {
        return;
    }
    const bool ok = err.code == ATLS_OK
                    && (!c->records_redact || atls_enrol_record_redact(o->record, arena, &data, &err))
                    && store(c, now_ms, id, data, arena, &err);
    if (!ok) {
        svc_count(&s->metrics, SVC_N_record_failures);
        svc_log_error(s, SVC_WARNING, "a debug statement was not kept", &err);
        return;
    }
    if (wants_sweep(s, c->records_max)) {
        sweep(c->records_folder, c->records_max - c->records_max / 16, now_ms - (int64_t)c->records_days * 86400000);
    }
}
