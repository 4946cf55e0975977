/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_disk.c: the cache's folder: what is taken from it, what is not, and that nobody who is killed leaves half of
 * anything there. */
#include "fetch_scene.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edge/endorse/disk.h"

#define DAY 86400

typedef struct bench {
    double_server d;
    scene s;
    char folder[64];
    atls_fetcher_options options;
} bench;

static void nap_us(unsigned us)
{
    const struct timespec t = {.tv_sec = 0, .tv_nsec = (long)us * 1000L};
    (void)nanosleep(&t, NULL);
}

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
    assert_false(atls_disk_open(path, crypto, 1, 1, &d, &b.s.err));
    scene_expect(&b.s, false, ATLS_E_IO, "cache_folder", "others may write");
    atls_error_clear(&b.s.err);
    if (geteuid() == 0) {
        assert_int_equal(chmod(path, 0700), 0);
        assert_int_equal(chown(path, 1, 1), 0);
        assert_false(atls_disk_open(path, crypto, 1, 1, &d, &b.s.err));
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
    assert_true(atls_disk_open(b.folder, crypto, 64, 1 << 20, &d, &b.s.err));
    assert_true(atls_disk_save(&d, &e, &b.s.arena, &b.s.err));
    scene_ok(&b.s, scene_appraise(&b.s));
    assert_int_equal(atls_fetcher_count(b.s.fetcher).disk_refused, 1);
    assert_int_equal(double_seen(&b.d, NULL), 4);
    atls_disk_close(&d);
    atls_crypto_free(crypto);
    tear_down(&b);
}

/* ---- entries as bytes -------------------------------------------------------------------------------------------------- */

static void test_bytes(void **state)
{
    atls_error err = {0};
    atls_arena a;
    atls_crypto *crypto;
    atls_bytes file;
    atls_entry out;
    atls_entry in = {.fetched = 1234567890, .max_age_s = 77, .source = "https://a", .path = "/b?c=d"};
    (void)state;
    in.answer = (atls_answer){.body = atls_bytes_str("body"), .chain = atls_bytes_str("chain")};
    assert_true(atls_arena_new(&a, 65536, &err) && atls_crypto_new(&crypto, &err));
    assert_true(atls_entry_write(&in, crypto, &a, &file, &err));
    assert_true(atls_entry_read(file, crypto, &out, &err));
    assert_int_equal(out.fetched, in.fetched);
    assert_int_equal(out.max_age_s, 77);
    assert_string_equal(out.source, in.source);
    assert_string_equal(out.path, in.path);
    assert_true(atls_bytes_equal(out.answer.body, in.answer.body));
    assert_true(atls_bytes_equal(out.answer.chain, in.answer.chain));
    for (size_t i = 0; i < file.len; i++) {
        atls_error_clear(&err);
        assert_false(atls_entry_read(atls_bytes_of(file.ptr, i), crypto, &out, &err));
        assert_int_equal(err.code, ATLS_E_COLLATERAL_FORMAT);
    }
    uint8_t copy[256];
    assert_true(file.len <= sizeof copy);
    for (size_t bit = 0; bit < 8 * file.len; bit++) {
        memcpy(copy, file.ptr, file.len);
        copy[bit / 8] = (uint8_t)(copy[bit / 8] ^ (1u << (bit % 8)));
        atls_error_clear(&err);
        assert_false(atls_entry_read(atls_bytes_of(copy, file.len), crypto, &out, &err));
    }
    atls_crypto_free(crypto);
    atls_arena_free(&a);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------------ */

typedef struct shelf {
    atls_crypto *crypto;
    atls_arena arena;
    atls_disk disk;
    char folder[64];
} shelf;

static void open_shelf(shelf *h, size_t max_entries, size_t max_len)
{
    atls_error err = {0};
    scene_folder(h->folder);
    assert_true(atls_arena_new(&h->arena, (size_t)1024 * 1024, &err) && atls_crypto_new(&h->crypto, &err));
    assert_true(atls_disk_open(h->folder, h->crypto, max_entries, max_len, &h->disk, &err));
}

static void close_shelf(shelf *h)
{
    atls_disk_close(&h->disk);
    atls_crypto_free(h->crypto);
    atls_arena_free(&h->arena);
    scene_remove(h->folder);
}

/* A document whose body is its number, again and again. */
static bool put(shelf *h, unsigned number, size_t len)
{
    atls_error err = {0};
    atls_entry e = {.fetched = SIM_NOW};
    atls_arena_reset(&h->arena);
    uint8_t *body = atls_arena_raw(&h->arena, len, &err);
    assert_non_null(body);
    memset(body, (int)('a' + number % 26), len);
    (void)snprintf(e.path, sizeof e.path, "https://example.com/%u", number);
    e.answer = (atls_answer){.body = atls_bytes_of(body, len), .chain = atls_bytes_empty()};
    return atls_disk_save(&h->disk, &e, &h->arena, &err);
}

static bool is_there(shelf *h, unsigned number)
{
    atls_error err = {0};
    atls_entry e;
    bool found = false;
    char path[64];
    (void)snprintf(path, sizeof path, "https://example.com/%u", number);
    atls_arena_reset(&h->arena);
    assert_true(atls_disk_load(&h->disk, "", path, &h->arena, &found, &e, &err));
    return found;
}

static void test_eviction(void **state)
{
    shelf h;
    (void)state;
    open_shelf(&h, 3, (size_t)1 << 20);
    for (unsigned i = 0; i < 10; i++) {
        assert_true(put(&h, i, 100));
        nap_us(15000); /* files' times may be coarse */
        if (i >= 1) {
            assert_true(is_there(&h, 1)); /* used all the time */
            nap_us(15000);
        }
    }
    assert_int_equal(scene_files(h.folder, ""), 3);
    assert_true(is_there(&h, 1) && is_there(&h, 9) && is_there(&h, 8));
    close_shelf(&h);
    open_shelf(&h, 100, 5000);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(put(&h, i, 1500));
        nap_us(15000);
    }
    assert_int_equal(scene_files(h.folder, ""), 3);
    assert_true(is_there(&h, 19));
    assert_false(put(&h, 50, 6000)); /* longer than all may be together */
    assert_true(is_there(&h, 19));
    close_shelf(&h);
}

/* What a writer left behind who was killed goes when it is old; what is not ours stays. */
static void test_leftovers(void **state)
{
    static const char old[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.123.0.tmp";
    static const char young[] = "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.123.1.tmp";
    static const char *const others[] = {"notes.tmp", "README", "0123.entry"};
    const struct timespec ago[2] = {{.tv_sec = time(NULL) - 3600}, {.tv_sec = time(NULL) - 3600}};
    shelf h;
    (void)state;
    open_shelf(&h, 8, (size_t)1 << 20);
    (void)close(openat(h.disk.fd, young, O_CREAT | O_WRONLY, 0600));
    (void)close(openat(h.disk.fd, old, O_CREAT | O_WRONLY, 0600));
    assert_int_equal(utimensat(h.disk.fd, old, ago, 0), 0);
    for (size_t i = 0; i < 3; i++) {
        (void)close(openat(h.disk.fd, others[i], O_CREAT | O_WRONLY, 0600));
        assert_int_equal(utimensat(h.disk.fd, others[i], ago, 0), 0);
    }
    atls_disk_tidy(&h.disk);
    assert_int_equal(faccessat(h.disk.fd, old, F_OK, 0), -1);
    assert_int_equal(faccessat(h.disk.fd, young, F_OK, 0), 0);
    assert_int_equal(scene_files(h.folder, ""), 4);
    close_shelf(&h);
}

/* ---- SIGKILL ----------------------------------------------------------------------------------------------------------- */

static void write_for_ever(shelf *h)
{
    for (unsigned i = 0;; i++) {
        if (!put(h, i % 8, 1000 + (size_t)(i * 7919) % 200000)) {
            _exit(1);
        }
    }
}

typedef struct census {
    unsigned whole;
    unsigned refused;
} census;

static void count_whole(void *ctx, const atls_entry *e)
{
    census *c = ctx;
    unsigned number = 0;
    assert_int_equal(sscanf(e->path, "https://example.com/%u", &number), 1);
    assert_true(e->answer.body.len >= 1000);
    for (size_t i = 0; i < e->answer.body.len; i++) {
        assert_int_equal(e->answer.body.ptr[i], 'a' + number % 26);
    }
    c->whole++;
}

static void count_refused(void *ctx, const atls_error *why)
{
    census *c = ctx;
    (void)why;
    c->refused++;
}

/* Two writers in the same folder, killed at any moment, for three seconds: every entry is whole, or is not there. */
static void test_killed(void **state)
{
    shelf h;
    census c = {0};
    uint64_t random = 88172645463325252u;
    unsigned n_killed = 0;
    const atls_disk_visitor visitor = {.entry = count_whole, .refused = count_refused, .ctx = &c};
    (void)state;
    open_shelf(&h, 64, (size_t)64 << 20);
    for (const unsigned begin = scene_ms(); scene_ms() - begin < 3000;) {
        pid_t children[2];
        atls_error err = {0};
        for (size_t i = 0; i < 2; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] == 0) {
                write_for_ever(&h);
            }
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        nap_us((unsigned)(500 + random % 20000));
        for (size_t i = 0; i < 2; i++) {
            int status = 0;
            assert_int_equal(kill(children[i], SIGKILL), 0);
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_true(WIFSIGNALED(status)); /* no write failed */
            n_killed++;
        }
        assert_true(atls_disk_each(&h.disk, &visitor, &h.arena, &err));
        assert_int_equal(c.refused, 0);
    }
    print_message("# %u killed, %u entries looked at\n", n_killed, c.whole);
    assert_true(n_killed > 20 && c.whole > n_killed);
    close_shelf(&h);
}

int main(void)
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    tap_add(&l, "SIGKILL at any moment", test_killed, NULL); /* while there are no threads */
    tap_add(&l, "entries as bytes", test_bytes, NULL);
    tap_add(&l, "bounded in number and bytes", test_eviction, NULL);
    tap_add(&l, "leftovers", test_leftovers, NULL);
    tap_add(&l, "one folder, several fetchers", test_shared, NULL);
    tap_add(&l, "nobody else's business", test_modes, NULL);
    tap_add(&l, "an entry belongs to its source", test_other_source, NULL);
    tap_add(&l, "stale, and past its date", test_stale_and_past, NULL);
    tap_add(&l, "refreshing and listing what the folder has", test_walk, NULL);
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        tap_add(&l, damages[i].name, test_damage, &damages[i]);
    }
    tap_add(&l, "an entry under the name of another", test_renamed, NULL);
    tap_add(&l, "a forged entry", test_forged, NULL);
    return tap_run("fetch_disk", &l);
}
