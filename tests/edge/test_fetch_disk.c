/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_disk.c: the cache's folder: what is taken from it, and what is not. */
#include "fetch_scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edge/endorse/disk.h"

#define DAY 86400

typedef struct bench {
    double_server d;
    scene s;
    char folder[64];
    atls_fetcher_options options;
} bench;

/* A fetcher that knows nothing but the folder. */
static void again(bench *b)
{
    double_server *const alone[] = {&b->d};
    scene_fetcher(&b->s, &b->options, alone, 1);
    double_forget(&b->d);
}

static void set_up(bench *b)
{
    memset(b, 0, sizeof *b);
    scene_folder(b->folder);
    b->options.cache_folder = b->folder;
    double_open(&b->d);
    scene_open(&b->s);
    again(b);
}

static void tear_down(bench *b)
{
    scene_close(&b->s);
    double_close(&b->d);
    scene_remove(b->folder);
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

/* ---- honest ------------------------------------------------------------------------------------------------------------ */

static void test_shared(void **state)
{
    bench b;
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    scene_ok(&b.s, scene_appraise_snp(&b.s));
    assert_int_equal(scene_files(b.folder, ".entry"), 7);
    assert_int_equal(scene_files(b.folder, ""), 7);
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    scene_ok(&b.s, scene_appraise_snp(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 0);
    atls_fetcher_counts c = atls_fetcher_count(b.s.fetcher);
    assert_int_equal(c.disk_hits, 7);
    assert_int_equal(c.requests + c.disk_refused + c.disk_failed, 0);
    /* somebody else's fetcher refreshed it: this one sees that instead of asking */
    atomic_store(&b.s.now, SIM_NOW + DAY);
    atls_fetcher *mine = b.s.fetcher;
    b.s.fetcher = NULL;
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 4);
    atls_fetcher *other = b.s.fetcher;
    b.s.fetcher = mine;
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 4);
    atls_fetcher_free(other);
    tear_down(&b);
}

static void test_modes(void **state)
{
    bench b;
    char path[128];
    (void)state;
    set_up(&b);
    (void)snprintf(path, sizeof path, "%s/a/b/c", b.folder);
    b.options.cache_folder = path;
    const mode_t before = umask(0);
    again(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    (void)umask(before);
    assert_int_equal(mode_of(path), 0700);
    const atls_fetched *items;
    size_t n;
    assert_true(atls_fetcher_list(b.s.fetcher, &b.s.arena, &items, &n, &b.s.err));
    atls_disk d;
    atls_crypto *crypto;
    char name[256];
    uint8_t key[32];
    assert_true(atls_crypto_new(&crypto, &b.s.err));
    assert_true(atls_entry_key(items[0].source, items[0].path, crypto, key, &b.s.err));
    int at = snprintf(name, sizeof name, "%s/", path);
    for (size_t i = 0; i < sizeof key; i++) {
        at += snprintf(name + at, sizeof name - (size_t)at, "%02x", key[i]);
    }
    (void)snprintf(name + at, sizeof name - (size_t)at, ".entry");
    assert_int_equal(mode_of(name), 0600);
    /* a folder that others may write in is no cache, and says so */
    assert_int_equal(chmod(path, 0770), 0);
    assert_false(atls_disk_open(path, crypto, 1, 1, false, &d, &b.s.err));
    scene_expect(&b.s, false, ATLS_E_IO, "cache_folder", "others may write");
    atls_error_clear(&b.s.err);
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0700), 0);
        assert_int_equal(chown(path, 1, 1), 0);
        assert_false(atls_disk_open(path, crypto, 1, 1, false, &d, &b.s.err));
        scene_expect(&b.s, false, ATLS_E_IO, "cache_folder", "another user");
    }
    atls_crypto_free(crypto);
    tear_down(&b);
}

/* An entry belongs to the source that gave it. */
static void test_other_source(void **state)
{
    double_server other = {.seed = NULL};
    bench b;
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    double_open(&other);
    double_server *const alone[] = {&other};
    scene_fetcher(&b.s, &b.options, alone, 1);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(double_seen(&other, NULL), 4);
    assert_int_equal(scene_files(b.folder, ".entry"), 8);
    tear_down(&b);
    double_close(&other);
}

static void test_stale_and_past(void **state)
{
    bench b;
    size_t n;
    const atls_fetched *items;
    atls_time first = INT64_MAX;
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_true(atls_fetcher_list(b.s.fetcher, &b.s.arena, &items, &n, &b.s.err));
    for (size_t i = 0; i < n; i++) {
        first = items[i].valid_until < first ? items[i].valid_until : first;
    }
    atomic_store(&b.d.mode, DOUBLE_BROKEN);
    atomic_store(&b.s.now, first - 1);
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s)); /* nothing but the folder has it */
    assert_int_equal(double_seen(&b.d, NULL), 4);
    atomic_store(&b.s.now, first);
    again(&b);
    assert_false(scene_appraise(&b.s));
    assert_true(scene_files(b.folder, ".entry") < 4); /* what is past its date is removed */
    assert_non_null(strstr(atls_fetcher_count(b.s.fetcher).disk_problem, "past its date"));
    tear_down(&b);
}

/* Without a descriptor nothing can be read, and nobody can be asked: that is no reason to throw away what is good. */
static void test_no_descriptor(void **state)
{
    bench b;
    struct rlimit before;
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(scene_files(b.folder, ".entry"), 4);
    atomic_store(&b.d.mode, DOUBLE_BROKEN);
    again(&b);
    const int next = open("/", O_RDONLY); /* the first number that is free */
    assert_true(next >= 0 && getrlimit(RLIMIT_NOFILE, &before) == 0);
    (void)close(next);
    const struct rlimit none = {.rlim_cur = (rlim_t)next, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    const bool ok = scene_endorse(&b.s);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(ok);
    assert_int_equal(scene_files(b.folder, ".entry"), 4);
    again(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    tear_down(&b);
}

/* refresh and list see the folder, too. */
static void test_walk(void **state)
{
    bench b;
    size_t n = 0;
    const atls_fetched *items;
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    again(&b);
    assert_true(atls_fetcher_list(b.s.fetcher, &b.s.arena, &items, &n, &b.s.err));
    assert_int_equal(n, 4);
    assert_false(items[0].in_memory || items[1].in_memory || items[2].in_memory || items[3].in_memory);
    assert_true(atls_fetcher_refresh(b.s.fetcher, 2 * DAY, &n, &b.s.err));
    assert_int_equal(n, 4);
    assert_int_equal(double_seen(&b.d, NULL), 4);
    assert_true(atls_fetcher_list(b.s.fetcher, &b.s.arena, &items, &n, &b.s.err));
    assert_int_equal(n, 4);
    assert_true(items[0].in_memory);
    tear_down(&b);
}

/* ---- entries that are not as they should be ----------------------------------------------------------------------------- */

typedef struct damage {
    const char *name;
    void (*change)(const char *path);
    const char *words; /* NULL: it is gone before anybody reads it */
} damage;

static void cut(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 1), 0);
}

static void cut_all(const char *path)
{
    assert_int_equal(truncate(path, 0), 0);
}

static void flip(const char *path)
{
    struct stat st;
    uint8_t byte;
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
    (void)close(fd);
}

static void grow(const char *path)
{
    const int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "x", 1), 1);
    (void)close(fd);
}

static void grow_beyond(const char *path)
{
    assert_int_equal(truncate(path, (off_t)64 * 1024 * 1024), 0);
}

static void share(const char *path)
{
    assert_int_equal(chmod(path, 0620), 0);
}

/* The content is right; that it is somebody's link is enough. */
static void make_link(const char *path)
{
    char target[512];
    (void)snprintf(target, sizeof target, "%s.target", path);
    assert_int_equal(rename(path, target), 0);
    assert_int_equal(symlink(target, path), 0);
}

static void make_fifo(const char *path)
{
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void give_away(const char *path)
{
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(path, 1, 1), 0);
}

static const damage damages[] = {
    {"an entry that lacks a byte", cut, "damaged"},
    {"an entry that is empty", cut_all, "empty"},
    {"an entry with one bit flipped", flip, "damaged"},
    {"an entry with a byte too many", grow, "damaged"},
    {"an entry without end", grow_beyond, NULL},
    {"an entry that others may write", share, "others may write"},
    {"an entry that is a link", make_link, "cannot be opened"},
    {"an entry that is a FIFO", make_fifo, "no regular file"},
    {"an entry of another user", give_away, "another user"},
};

static void tcb_entry(bench *b, const char *ending, char out[256])
{
    const atls_endorsement_request r = scene_request(&b->s);
    atls_piece_id id = {.kind = ATLS_FETCHED_TCB_INFO, .is_tdx = true};
    atls_crypto *crypto;
    uint8_t key[32];
    char path[ATLS_URL_SIZE];
    memcpy(id.fmspc, r.fmspc, sizeof id.fmspc);
    atls_piece_path(&id, path);
    assert_true(atls_crypto_new(&crypto, &b->s.err));
    assert_true(atls_entry_key(b->d.url, path, crypto, key, &b->s.err));
    atls_crypto_free(crypto);
    int at = snprintf(out, 256, "%s/", b->folder);
    for (size_t i = 0; i < sizeof key; i++) {
        at += snprintf(out + at, 256 - (size_t)at, "%02x", key[i]);
    }
    (void)snprintf(out + at, 256 - (size_t)at, "%s", ending);
}

static void test_damage(void **state)
{
    const damage *g = *state;
    bench b;
    char path[256];
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    tcb_entry(&b, ".entry", path);
    g->change(path);
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 1); /* that one was fetched again */
    const atls_fetcher_counts c = atls_fetcher_count(b.s.fetcher);
    assert_int_equal(c.disk_refused, g->words == NULL ? 0 : 1);
    assert_int_equal(c.disk_hits, 3);
    if (g->words != NULL && strstr(c.disk_problem, g->words) == NULL) {
        fail_msg("%s", c.disk_problem);
    }
    assert_int_equal(mode_of(path), 0600); /* and there is a good one in its place */
    again(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    assert_int_equal(double_seen(&b.d, NULL), 0);
    tear_down(&b);
}

/* ---- a clock that does not tell the time ------------------------------------------------------------------------------- */

typedef struct file {
    ino_t inode;
    struct timespec changed;
} file;

static size_t look(const char *folder, file out[16])
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        struct stat st;
        if (e->d_name[0] != '.') {
            assert_int_equal(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
            assert_true(n < 16);
            out[n++] = (file){.inode = st.st_ino, .changed = st.st_ctim};
        }
    }
    (void)closedir(d);
    return n;
}

typedef struct imagined {
    const char *name;
    atls_time now;
    bool is_damaged; /* one entry */
    bool is_served;  /* the server answers: what comes is used, and not kept */
    bool ok;
    unsigned asked;
} imagined;

static const imagined imagines[] = {
    {"a minute later", SIM_NOW + 60, false, false, true, 0},
    {"when everything is stale", SIM_NOW + 2 * DAY, false, true, true, 4},
    {"when everything is past its date", SIM_NOW + 3650 * (atls_time)DAY, false, true, false, 1},
    {"with an entry that is damaged", SIM_NOW + 60, true, true, true, 1},
    {"with an entry that is damaged, and nobody there", SIM_NOW + 60, true, false, false, 1},
};

/* Whatever a clock says that does not tell the time: the folder is as it was, to the last date of a file. */
static void test_imagined(void **state)
{
    const imagined *r = *state;
    bench b;
    file before[16];
    file after[16];
    char path[256];
    set_up(&b);
    scene_ok(&b.s, scene_endorse(&b.s));
    tcb_entry(&b, ".entry", path);
    if (r->is_damaged) {
        flip(path);
    }
    const size_t n = look(b.folder, before);
    b.options.cache_reads_only = true;
    atomic_store(&b.d.mode, r->is_served ? DOUBLE_HONEST : DOUBLE_BROKEN);
    atomic_store(&b.s.now, r->now);
    again(&b);
    assert_int_equal(scene_endorse(&b.s), r->ok);
    assert_int_equal(double_seen(&b.d, NULL), r->asked);
    size_t refreshed = 0;
    const bool ignored = atls_fetcher_refresh(b.s.fetcher, DAY, &refreshed, &b.s.err);
    (void)ignored;
    assert_int_equal(look(b.folder, after), n);
    assert_memory_equal(before, after, n * sizeof before[0]);
    tear_down(&b);
}

/* A folder that is not there has nothing, and is not made. */
static void test_imagined_folder(void **state)
{
    bench b;
    char path[128];
    (void)state;
    set_up(&b);
    (void)snprintf(path, sizeof path, "%s/none", b.folder);
    b.options.cache_folder = path;
    b.options.cache_reads_only = true;
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(atls_fetcher_count(b.s.fetcher).disk_failed, 0);
    tear_down(&b);
}

static void move_first(const char *folder, const char *to)
{
    char from[512] = "";
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL && from[0] == '\0'; e = readdir(d)) {
        if (e->d_name[0] != '.') {
            (void)snprintf(from, sizeof from, "%s/%s", folder, e->d_name);
        }
    }
    (void)closedir(d);
    assert_int_equal(rename(from, to), 0);
}

/* Whole, and under the name of another. */
static void test_renamed(void **state)
{
    bench b;
    char path[256];
    (void)state;
    set_up(&b);
    scene_ok(&b.s, scene_endorse_snp(&b.s, NULL));
    assert_int_equal(scene_files(b.folder, ".entry"), 3);
    tcb_entry(&b, ".entry", path);
    move_first(b.folder, path);
    again(&b);
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_non_null(strstr(atls_fetcher_count(b.s.fetcher).disk_problem, "about something else"));
    assert_int_equal(double_seen(&b.d, NULL), 4);
    tear_down(&b);
}

/* A whole entry that somebody made, digest and all, is read as any answer of the network is. */
static void test_forged(void **state)
{
    bench b;
    atls_crypto *crypto;
    atls_disk d;
    atls_entry e = {.fetched = SIM_NOW - 60};
    (void)state;
    set_up(&b);
    const atls_endorsement_request request = scene_request(&b.s);
    atls_piece_id id = {.kind = ATLS_FETCHED_TCB_INFO, .is_tdx = true};
    memcpy(id.fmspc, request.fmspc, sizeof id.fmspc);
    atls_piece_path(&id, e.path);
    (void)snprintf(e.source, sizeof e.source, "%s", b.d.url);
    e.answer.body = atls_bytes_str("{\"tcbInfo\":{\"id\":\"TDX\"},\"signature\":\"00\"}");
    e.answer.chain = atls_bytes_empty();
    assert_true(atls_crypto_new(&crypto, &b.s.err));
    assert_true(atls_disk_open(b.folder, crypto, 64, 1 << 20, false, &d, &b.s.err));
    assert_true(atls_disk_save(&d, &e, &b.s.arena, &b.s.err));
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(atls_fetcher_count(b.s.fetcher).disk_refused, 1);
    assert_int_equal(double_seen(&b.d, NULL), 4);
    atls_disk_close(&d);
    atls_crypto_free(crypto);
    tear_down(&b);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    tap_add(&l, "one folder, several fetchers", test_shared, NULL);
    tap_add(&l, "nobody else's business", test_modes, NULL);
    tap_add(&l, "an entry belongs to its source", test_other_source, NULL);
    tap_add(&l, "stale, and past its date", test_stale_and_past, NULL);
    tap_add(&l, "no descriptor left", test_no_descriptor, NULL);
    tap_add(&l, "refreshing and listing what the folder has", test_walk, NULL);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        tap_add(&l, damages[i].name, test_damage, &damages[i]);
    }
    for (size_t i = 0; i < sizeof imagines / sizeof imagines[0]; i++) {
        tap_add(&l, imagines[i].name, test_imagined, &imagines[i]);
    }
    tap_add(&l, "a folder that is only read, and is not there", test_imagined_folder, NULL);
    tap_add(&l, "an entry under the name of another", test_renamed, NULL);
    tap_add(&l, "a forged entry", test_forged, NULL);
    return tap_run("fetch_disk", &l);
}
