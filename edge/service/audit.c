/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c: the file of the audit log: opening, appending, rotation. */
#include "audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit_line.h"

#define FIELD     "audit"
#define TAIL_SIZE ((size_t)4 * ATLS_AUDIT_MAX_LINE_LEN) /* three whole lines at least */

struct atls_audit {
    pthread_mutex_t lock;
    char *path;
    atls_audit_options options;
    atls_crypto *crypto;
    atls_arena arena;
    int fd;
    off_t size; /* up to the end of the last good line */
    atls_audit_place head;
    bool is_broken;       /* nothing is appended before the end of the file was looked at again */
    pthread_mutex_t show; /* of what follows: whoever only looks does not wait for the disk */
    atls_audit_place shown;
    bool is_stopped;
};

static bool fail_system(atls_error *err, const char *what, int reason)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    (void)atls_fail(err, ATLS_E_IO, FIELD, "%s: %s", what, words);
    return false;
}

/* ---- the file ------------------------------------------------------------------------------------------------------------ */

static bool write_all(int fd, atls_bytes in, atls_error *err)
{
    size_t done = 0;
    while (done < in.len) {
        const ssize_t n = write(fd, in.ptr + done, in.len - done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_system(err, "the audit log cannot be written", n < 0 ? errno : EIO);
        }
        done += (size_t)n;
    }
    return true;
}

static bool read_at(int fd, off_t from, uint8_t *out, size_t len, atls_error *err)
{
    size_t done = 0;
    while (done < len) {
        const ssize_t n = pread(fd, out + done, len - done, from + (off_t)done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return fail_system(err, "the audit log cannot be read", n < 0 ? errno : EIO);
        }
        done += (size_t)n;
    }
    return true;
}

/* The name of a new file has to be on the disk as well. */
static bool sync_folder(const char *path, atls_error *err)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (folder == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
    }
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    const bool ok = fd >= 0 && fsync(fd) == 0;
    const int reason = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok || fail_system(err, "the audit log's folder cannot be flushed", reason);
}

static bool lock_file(int fd, atls_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the audit log is no regular file");
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno == EWOULDBLOCK) {
        return atls_fail(err, ATLS_E_CONFIGURATION, FIELD,
                         "another process writes to this audit log: each needs a file of its own");
    }
    return fail_system(err, "the audit log cannot be locked", errno);
}

static bool open_file(const char *path, int *out, atls_error *err)
{
    const int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_system(err, "the audit log cannot be opened", errno);
    }
    if (!lock_file(fd, err)) {
        (void)close(fd);
        return false;
    }
    *out = fd;
    return true;
}

/* ---- lines --------------------------------------------------------------------------------------------------------------- */

static bool flush(atls_audit *a, atls_error *err)
{
    if (fdatasync(a->fd) == 0) {
        return true;
    }
    a->is_broken = true; /* what the kernel dropped it does not report again */
    return fail_system(err, "the audit log cannot be flushed", errno);
}

/* Adds a line; half of one is taken away again. */
static bool put(atls_audit *a, atls_bytes line, const atls_audit_place *next, bool is_flushed, atls_error *err)
{
    if (!write_all(a->fd, line, err)) {
        a->is_broken = ftruncate(a->fd, a->size) != 0;
        return false;
    }
    a->size += (off_t)line.len;
    a->head = *next;
    return !is_flushed || flush(a, err);
}

static bool put_begin(atls_audit *a, int64_t now_ms, atls_error *err)
{
    atls_bytes line;
    atls_audit_place next;
    atls_arena_reset(&a->arena);
    return atls_audit_line_begin(a->crypto, now_ms, &a->head, &a->arena, &line, &next, err)
           && put(a, line, &next, true, err) && sync_folder(a->path, err);
}

/* The torn line gets its newline, and the line that seals it, in one write: a newline alone would make it look as if somebody
 * had changed a whole line. */
static bool put_seal(atls_audit *a, int64_t now_ms, atls_bytes torn, atls_error *err)
{
    uint8_t *both = NULL;
    atls_bytes line;
    atls_audit_place next;
    atls_arena_reset(&a->arena);
    if (!atls_audit_line_torn(a->crypto, now_ms, torn, &a->head, &a->arena, &line, &next, err)) {
        return false;
    }
    both = atls_arena_raw(&a->arena, line.len + 1, err);
    if (both == NULL) {
        return false;
    }
    both[0] = '\n';
    memcpy(both + 1, line.ptr, line.len);
    return put(a, atls_bytes_of(both, line.len + 1), &next, true, err);
}

/* ---- the end of what is there ---------------------------------------------------------------------------------------------- */

/* Whole lines of tail go to the chain; *rest is what follows the last newline. */
static bool add_lines(atls_audit_chain *c, atls_bytes tail, atls_bytes *rest, atls_error *err)
{
    const uint8_t *end = NULL;
    while (tail.len > 0 && (end = memchr(tail.ptr, '\n', tail.len)) != NULL) {
        const size_t n = (size_t)(end - tail.ptr);
        if (!atls_audit_chain_add(c, atls_bytes_of(tail.ptr, n), err)) {
            return false;
        }
        tail = atls_bytes_of(end + 1, tail.len - n - 1);
    }
    *rest = tail;
    return true;
}

/* From the first line that begins within the tail. */
static atls_bytes skip_partial(atls_bytes tail)
{
    const uint8_t *end = memchr(tail.ptr, '\n', tail.len);
    const size_t n = end == NULL ? tail.len : (size_t)(end - tail.ptr) + 1;
    return atls_bytes_of(tail.ptr + n, tail.len - n);
}

/* Only the first line of a log may be missing before a torn one: other files are not ours to write to. */
static bool could_begin(atls_bytes torn)
{
    static const char start[] = "{\"v\":1,\"type\":\"begin\"";
    const size_t n = torn.len < sizeof start - 1 ? torn.len : sizeof start - 1;
    return memcmp(torn.ptr, start, n) == 0;
}

/* Whoever wrote the last line knows it: a file that ends with another one was cut, or written anew. */
static bool is_where_we_were(const atls_audit_place *known, const atls_audit_place *found)
{
    return !known->is_known
           || (found->is_known && known->seq == found->seq
               && memcmp(known->digest, found->digest, sizeof known->digest) == 0);
}

/* How a file may end: with a whole line; with one that has all but its newline; with a torn one. */
static bool check_lines(atls_audit_chain *c, const atls_audit_place *known, atls_bytes tail, atls_bytes *rest,
                        bool *is_whole, atls_error *err)
{
    if (!add_lines(c, c->is_middle ? skip_partial(tail) : tail, rest, err)) {
        return false;
    }
    if (c->is_bad) { /* whole lines are not torn */
        return atls_audit_chain_end(c, atls_bytes_empty(), err);
    }
    if (!c->head.is_known && (c->is_middle || !could_begin(*rest))) {
        return atls_fail(err, ATLS_E_ENCODING, FIELD, "this is no audit log");
    }
    const atls_audit_place last = c->head;
    if (!is_where_we_were(known, &last)) {
        return atls_fail(err, ATLS_E_ENCODING, FIELD,
                         "it does not end with the line that was written last: put it aside");
    }
    *is_whole = rest->len > 0 && atls_audit_chain_add(c, *rest, err) && !c->is_bad;
    if (!*is_whole) {
        c->head = last;
    }
    return err->code == ATLS_OK;
}

static bool check_tail(atls_audit *a, atls_bytes tail, bool is_middle, atls_bytes *rest, bool *is_whole,
                       atls_error *err)
{
    atls_arena arena = {.base = NULL};
    atls_audit_chain c;
    if (!atls_arena_new(&arena, ATLS_AUDIT_READ_SIZE, err)) {
        return false;
    }
    atls_audit_chain_init(&c, a->crypto, &arena, is_middle);
    const bool ok = check_lines(&c, &a->head, tail, rest, is_whole, err);
    a->head = ok && c.head.is_known ? c.head : a->head;
    atls_arena_free(&arena);
    return ok;
}

static bool look_at_end(atls_audit *a, off_t size, int64_t now_ms, uint8_t *buffer, atls_audit_found *found,
                        atls_error *err)
{
    const size_t len = size < (off_t)TAIL_SIZE ? (size_t)size : TAIL_SIZE;
    atls_bytes rest = atls_bytes_empty();
    bool is_whole = false;
    if (!read_at(a->fd, size - (off_t)len, buffer, len, err)
        || !check_tail(a, atls_bytes_of(buffer, len), (off_t)len < size, &rest, &is_whole, err)) {
        return false;
    }
    a->size = size;
    a->is_broken = false;
    found->seq = a->head.seq;
    if (is_whole) {
        const atls_audit_place last = a->head;
        return put(a, atls_bytes_of("\n", 1), &last, true, err);
    }
    found->is_torn = rest.len > 0;
    found->torn_len = rest.len;
    return rest.len == 0 || put_seal(a, now_ms, rest, err);
}

/* Where the file stands, and a first line for it if it has none. a->head is what a new file names as its past. */
static bool take_up(atls_audit *a, int64_t now_ms, atls_audit_found *found, atls_error *err)
{
    struct stat st;
    if (fstat(a->fd, &st) != 0) {
        return fail_system(err, "the audit log cannot be looked at", errno);
    }
    if (st.st_size == 0) {
        a->size = 0;
        a->is_broken = false;
        found->is_new = true;
        const bool ok = put_begin(a, now_ms, err);
        found->seq = a->head.seq;
        return ok;
    }
    uint8_t *buffer = malloc(TAIL_SIZE);
    if (buffer == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
    }
    const bool ok = look_at_end(a, st.st_size, now_ms, buffer, found, err);
    free(buffer);
    return ok;
}

/* For whoever looks from outside, after each change. */
static void show(atls_audit *a)
{
    (void)pthread_mutex_lock(&a->show);
    a->shown = a->head;
    a->is_stopped = a->is_broken;
    (void)pthread_mutex_unlock(&a->show);
}

/* ---- opening and closing ------------------------------------------------------------------------------------------------- */

static bool make(const char *path, const atls_audit_options *o, atls_audit **out, atls_error *err)
{
    atls_audit *a = calloc(1, sizeof *a);
    if (a == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    a->fd = -1;
    if (o != NULL) {
        a->options = *o;
    }
    a->path = strdup(path);
    if (a->path == NULL || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a->path);
        free(a);
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    if (pthread_mutex_init(&a->show, NULL) != 0) {
        (void)pthread_mutex_destroy(&a->lock);
        free(a->path);
        free(a);
        (void)atls_fail(err, ATLS_E_MEMORY, FIELD, NULL);
        return false;
    }
    if (!atls_arena_new(&a->arena, ATLS_AUDIT_WRITE_SIZE, err) || !atls_crypto_new(&a->crypto, err)) {
        atls_audit_close(a);
        return false;
    }
    *out = a;
    return true;
}

bool atls_audit_open(const char *path, const atls_audit_options *o, int64_t now_ms, atls_audit **out,
                     atls_audit_found *found, atls_error *err)
{
    atls_audit_found ignored = {.is_new = false};
    atls_audit *a = NULL;
    *out = NULL;
    found = found == NULL ? &ignored : found;
    *found = (atls_audit_found){.is_new = false};
    if (!make(path, o, &a, err)) {
        return false;
    }
    if (!open_file(path, &a->fd, err) || !take_up(a, now_ms, found, err)) {
        atls_audit_close(a);
        return false;
    }
    show(a);
    *out = a;
    return true;
}

void atls_audit_close(atls_audit *a)
{
    if (a == NULL) {
        return;
    }
    if (a->fd >= 0) {
        (void)close(a->fd);
    }
    (void)pthread_mutex_destroy(&a->show);
    (void)pthread_mutex_destroy(&a->lock);
    atls_crypto_free(a->crypto);
    atls_arena_free(&a->arena);
    free(a->path);
    free(a);
}

/* ---- appending ------------------------------------------------------------------------------------------------------------ */

/* Nobody else writes here: a file that is longer or shorter than we left it is not ours to go on with. One that has no name any
 * more is nobody's to read. */
static bool check_file(atls_audit *a, atls_error *err)
{
    struct stat st;
    if (fstat(a->fd, &st) != 0) {
        return fail_system(err, "the audit log cannot be looked at", errno);
    }
    a->is_broken = st.st_size != a->size || st.st_nlink == 0;
    return !a->is_broken
           || atls_fail(err, ATLS_E_IO, FIELD, "somebody else %s the audit log: it has to be opened again",
                        st.st_nlink == 0 ? "removed" : "changed");
}

static bool append(atls_audit *a, const atls_audit_entry *e, atls_error *err)
{
    atls_bytes line;
    atls_audit_place next;
    if (a->is_broken) {
        return atls_fail(err, ATLS_E_IO, FIELD, "an earlier line could not be written: the log has to be opened again");
    }
    atls_arena_reset(&a->arena);
    return check_file(a, err) && atls_audit_line_request(a->crypto, e, &a->head, &a->arena, &line, &next, err)
           && put(a, line, &next, a->options.fsync, err);
}

bool atls_audit_append(atls_audit *a, const atls_audit_entry *e, atls_error *err)
{
    (void)pthread_mutex_lock(&a->lock);
    const bool ok = append(a, e, err);
    show(a);
    (void)pthread_mutex_unlock(&a->lock);
    return ok;
}

bool atls_audit_head(atls_audit *a, uint64_t *seq, uint8_t digest[ATLS_AUDIT_DIGEST_LEN])
{
    (void)pthread_mutex_lock(&a->show);
    *seq = a->shown.seq;
    memcpy(digest, a->shown.digest, ATLS_AUDIT_DIGEST_LEN);
    const bool goes_on = !a->is_stopped;
    (void)pthread_mutex_unlock(&a->show);
    return goes_on;
}

/* ---- rotation -------------------------------------------------------------------------------------------------------------- */

static bool is_same_file(const atls_audit *a)
{
    struct stat mine;
    struct stat there;
    return fstat(a->fd, &mine) == 0 && lstat(a->path, &there) == 0 && mine.st_dev == there.st_dev
           && mine.st_ino == there.st_ino;
}

static bool is_empty(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 && st.st_size == 0;
}

/* The new file takes the place of the old one when its first line is written, and not before. */
static bool move_on(atls_audit *a, int64_t now_ms, atls_error *err)
{
    int fd = -1;
    if (!open_file(a->path, &fd, err)) {
        return false;
    }
    if (!is_empty(fd)) {
        (void)close(fd);
        return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "what lies there now is another file, and not empty");
    }
    const int old_fd = a->fd;
    const off_t old_size = a->size;
    const atls_audit_place old_head = a->head;
    bool was_broken = a->is_broken;
    a->fd = fd;
    a->size = 0;
    if (!put_begin(a, now_ms, err)) {
        was_broken = ftruncate(fd, 0) != 0 || was_broken; /* what is not empty would be refused next time */
        (void)close(fd);
        a->fd = old_fd;
        a->size = old_size;
        a->head = old_head;
        a->is_broken = was_broken;
        return false;
    }
    a->is_broken = false;
    (void)fsync(old_fd);
    (void)close(old_fd);
    return true;
}

bool atls_audit_reopen(atls_audit *a, int64_t now_ms, atls_error *err)
{
    atls_audit_found found = {.is_new = false};
    atls_error unheard = {.code = ATLS_OK};
    bool ok = false;
    (void)pthread_mutex_lock(&a->lock);
    if (is_same_file(a)) {
        ok = take_up(a, now_ms, &found, err);
        a->is_broken = a->is_broken || !ok;
    } else {
        if (a->is_broken) { /* what the old file ends with is sealed before it is left, if that is possible */
            (void)take_up(a, now_ms, &found, &unheard);
        }
        ok = move_on(a, now_ms, err);
    }
    show(a);
    (void)pthread_mutex_unlock(&a->lock);
    return ok;
}
