/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_state.c: the memory of which signed bundle was used last (docs/bundle.md, "Rollback").
 *
 *   atls bundle state 1
 *   <public key, 64 hex digits> <sequence> <made, seconds since 1970>
 *
 * Read whole, checked whole, written to a new file that takes the old one's place; all of it under a lock of its own, because
 * the file itself is replaced. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atls/bundle.h"
#include "base/text.h"

#define FIELD        "bundle_state"
#define HEAD         "atls bundle state 1\n"
#define MAX_SIGNERS  1024u
#define MAX_LINE_LEN (64u + 1 + 16 + 1 + 12 + 1)
#define MAX_LEN      (sizeof HEAD + (size_t)MAX_SIGNERS * MAX_LINE_LEN)
#define ARENA_SIZE   ((size_t)8 * MAX_LEN)
#define PATH_SIZE    4096u
#define MAX_NUMBER   ((uint64_t)9007199254740991u)

typedef struct entry {
    uint8_t signer[32];
    uint64_t sequence;
    uint64_t made;
} entry;

typedef struct memory {
    const char *path;
    entry entries[MAX_SIGNERS + 1];
    size_t n;
} memory;

static bool fail_system(const char *what, int reason, atls_error *err)
{
    char words[96] = "";
    if (strerror_r(reason, words, sizeof words) != 0) {
        words[0] = '\0';
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the memory of bundles cannot be %s: %s", what, words);
}

static bool corrupt(const memory *m, size_t line, atls_error *err)
{
    return atls_fail(err, ATLS_E_CONFIGURATION, FIELD,
                     "line %zu of %.80s is not what this program writes: no bundle is admitted until that is settled",
                     line, m->path);
}

/* ---- text ---- */

/* A decimal number without leading zeros, ended by `end`. */
static bool take_number(atls_bytes *in, uint8_t end, uint64_t *out)
{
    size_t n = 0;
    *out = 0;
    while (n < in->len && in->ptr[n] >= '0' && in->ptr[n] <= '9' && *out <= MAX_NUMBER / 10) {
        *out = *out * 10 + (uint64_t)(in->ptr[n] - '0');
        n++;
    }
    if (n == 0 || n == in->len || in->ptr[n] != end || in->ptr[0] == '0' || *out > MAX_NUMBER) {
        return false;
    }
    *in = atls_bytes_of(in->ptr + n + 1, in->len - n - 1);
    return true;
}

static bool take_entry(atls_bytes *in, entry *e)
{
    const atls_bytes hex = atls_bytes_of(in->ptr, in->len < 64 ? in->len : 64);
    if (in->len < 65 || !atls_is_lower_hex(hex) || !atls_hex_fixed(hex, e->signer, sizeof e->signer)
        || in->ptr[64] != ' ') {
        return false;
    }
    *in = atls_bytes_of(in->ptr + 65, in->len - 65);
    return take_number(in, ' ', &e->sequence) && take_number(in, '\n', &e->made);
}

static entry *find(memory *m, const uint8_t signer[32])
{
    for (size_t i = 0; i < m->n; i++) {
        if (memcmp(m->entries[i].signer, signer, sizeof m->entries[i].signer) == 0) {
            return &m->entries[i];
        }
    }
    return NULL;
}

static bool parse(atls_bytes text, memory *m, atls_error *err)
{
    const size_t head = sizeof HEAD - 1;
    if (text.len < head || memcmp(text.ptr, HEAD, head) != 0) {
        return corrupt(m, 1, err);
    }
    text = atls_bytes_of(text.ptr + head, text.len - head);
    while (text.len > 0) {
        entry e;
        if (m->n == MAX_SIGNERS || !take_entry(&text, &e) || find(m, e.signer) != NULL) {
            return corrupt(m, m->n + 2, err);
        }
        m->entries[m->n++] = e;
    }
    return true;
}

/* ---- files ---- */

static bool read_text(int fd, uint8_t *room, size_t size, size_t *len, atls_error *err)
{
    *len = 0;
    while (*len < size) {
        const ssize_t n = read(fd, room + *len, size - *len);
        if (n == 0) {
            return true;
        }
        if (n < 0 && errno != EINTR) {
            return fail_system("read", errno, err);
        }
        *len += n > 0 ? (size_t)n : 0;
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the memory of bundles is longer than this program writes it");
}

static bool load(memory *m, atls_arena *a, atls_error *err)
{
    struct stat st;
    size_t len = 0;
    const int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) {
        return errno == ENOENT || fail_system("opened", errno, err); /* not there: the first use */
    }
    uint8_t *room = atls_arena_raw(a, MAX_LEN + 1, err);
    bool ok = room != NULL;
    if (ok && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        ok = atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the memory of bundles is not a regular file");
    }
    ok = ok && read_text(fd, room, MAX_LEN + 1, &len, err);
    (void)close(fd);
    return ok && parse(atls_bytes_of(room, len), m, err);
}

/* Every folder on the way, as mkdir -p does it. */
static bool make_folders(const char *path, atls_error *err)
{
    char part[PATH_SIZE];
    const size_t len = strlen(path);
    if (len >= sizeof part - sizeof ".lock") {
        return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "the path is too long");
    }
    for (size_t i = 1; i < len; i++) {
        if (path[i] != '/') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return fail_system("given a folder", errno, err);
        }
    }
    return true;
}

static bool lock(const char *path, int *fd, atls_error *err)
{
    char name[PATH_SIZE];
    if (!make_folders(path, err)) {
        return false;
    }
    (void)snprintf(name, sizeof name, "%s.lock", path);
    *fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (*fd < 0) {
        return fail_system("locked", errno, err);
    }
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno != EINTR) {
            const int reason = errno;
            (void)close(*fd);
            return fail_system("locked", reason, err);
        }
    }
    return true;
}

static bool write_all(int fd, atls_bytes text)
{
    while (text.len > 0) {
        const ssize_t n = write(fd, text.ptr, text.len);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        const size_t done = n > 0 ? (size_t)n : 0;
        text = atls_bytes_of(text.ptr + done, text.len - done);
    }
    return fsync(fd) == 0;
}

/* The name must be on the disk, too, or a crash brings the old memory back. */
static void sync_folder(const char *path)
{
    char folder[PATH_SIZE];
    const char *slash = strrchr(path, '/');
    const size_t len = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    memcpy(folder, path, len);
    memcpy(folder + len, ".", 2);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        (void)close(fd);
    }
}

static bool replace(const char *path, atls_bytes text, atls_error *err)
{
    char name[PATH_SIZE];
    (void)snprintf(name, sizeof name, "%s.new", path);
    (void)unlink(name); /* of somebody who was killed: the lock is ours */
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0) {
        return fail_system("written", errno, err);
    }
    bool ok = write_all(fd, text);
    int reason = errno;
    ok = close(fd) == 0 && ok;
    if (ok && rename(name, path) != 0) {
        reason = errno;
        ok = false;
    }
    if (!ok) {
        (void)unlink(name);
        return fail_system("written", reason, err);
    }
    sync_folder(path);
    return true;
}

static bool store(const memory *m, atls_arena *a, atls_error *err)
{
    atls_buf b;
    atls_bytes text;
    atls_buf_init(&b, a, err);
    atls_buf_str(&b, HEAD);
    for (size_t i = 0; i < m->n; i++) {
        char hex[65];
        const entry *e = &m->entries[i];
        atls_hex_encode(atls_bytes_of(e->signer, sizeof e->signer), hex);
        atls_buf_format(&b, "%s %llu %llu\n", hex, (unsigned long long)e->sequence, (unsigned long long)e->made);
    }
    return atls_buf_done(&b, &text) && replace(m->path, text, err);
}

/* ---- the decision ---- */

static bool refuse_older(const entry *known, const atls_bundle *b, atls_error *err)
{
    char expected[80];
    char actual[80];
    char known_made[ATLS_TIME_TEXT_SIZE];
    char made[ATLS_TIME_TEXT_SIZE];
    atls_time_format((atls_time)known->made, known_made);
    atls_time_format(b->made, made);
    (void)snprintf(expected, sizeof expected, "sequence %llu of %s, or later", (unsigned long long)known->sequence,
                   known_made);
    (void)snprintf(actual, sizeof actual, "sequence %llu of %s", (unsigned long long)b->sequence, made);
    return atls_fail_values(err, ATLS_E_BUNDLE_OLDER, "bundle.sequence", expected, actual, NULL);
}

static bool is_step_back(const entry *known, const atls_bundle *b)
{
    const uint64_t made = (uint64_t)b->made;
    return known != NULL && (b->sequence < known->sequence || (b->sequence == known->sequence && made < known->made));
}

static bool decide(memory *m, atls_bundle *b, bool allow_older, atls_arena *a, atls_error *err)
{
    const uint64_t made = (uint64_t)b->made;
    entry *known = find(m, b->signer);
    b->insecure_older = false;
    if (known != NULL && b->sequence == known->sequence && made == known->made) {
        return true;
    }
    if (is_step_back(known, b)) {
        b->insecure_older = allow_older;
        return allow_older || refuse_older(known, b, err);
    }
    if (known == NULL && m->n == MAX_SIGNERS) {
        return atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "more than %u signers", MAX_SIGNERS);
    }
    if (known == NULL) {
        known = &m->entries[m->n++];
        memcpy(known->signer, b->signer, sizeof known->signer);
    }
    known->sequence = b->sequence;
    known->made = made;
    return store(m, a, err);
}

static memory *begin(const char *state, const atls_bundle *b, atls_arena *a, atls_error *err)
{
    if (b->insecure_unsigned) {
        (void)atls_fail(err, ATLS_E_USAGE, "bundle", "its signature was not looked at: it is there to be shown only");
        return NULL;
    }
    memory *m = NULL;
    if (atls_arena_new(a, ARENA_SIZE + sizeof(memory) + 4096, err)) {
        m = atls_arena_alloc(a, sizeof *m, err);
    }
    if (m != NULL) {
        m->path = state;
    }
    return m;
}

static bool admit(const char *state, atls_bundle *b, bool allow_older, atls_error *err)
{
    atls_arena a = {0};
    int fd = -1;
    memory *m = begin(state, b, &a, err);
    bool ok = m != NULL && lock(state, &fd, err);
    if (ok) {
        ok = load(m, &a, err) && decide(m, b, allow_older, &a, err);
        (void)close(fd); /* and with it the lock */
    }
    atls_arena_free(&a);
    return ok;
}

/* The file is replaced whole: whoever only reads it needs no lock. */
bool atls_bundle_would_admit(const char *state, const atls_bundle *b, atls_error *err)
{
    atls_arena a = {0};
    memory *m = begin(state, b, &a, err);
    bool ok = m != NULL && load(m, &a, err);
    if (ok) {
        const entry *known = find(m, b->signer);
        ok = is_step_back(known, b) ? refuse_older(known, b, err)
             : known == NULL && m->n == MAX_SIGNERS
                 ? atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "more than %u signers", MAX_SIGNERS)
                 : true;
    }
    atls_arena_free(&a);
    return ok;
}

bool atls_bundle_admit(const char *state, atls_bundle *b, atls_error *err)
{
    return admit(state, b, false, err);
}

bool atls_bundle_admit_insecure_older(const char *state, atls_bundle *b, atls_error *err)
{
    return admit(state, b, true, err);
}
