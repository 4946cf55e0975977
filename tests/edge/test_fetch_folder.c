/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_folder.c: files of the cache by themselves: their bytes, their bounds, and that nobody who is killed leaves half
 * of anything there. */
#include "fetch_scene.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "edge/endorse/disk.h"

static void nap_us(unsigned us)
{
    const struct timespec t = {.tv_sec = 0, .tv_nsec = (long)us * 1000L};
    (void)nanosleep(&t, NULL);
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
    assert_true(atls_disk_open(h->folder, h->crypto, max_entries, max_len, false, &h->disk, &err));
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
    tap_add(&l, "SIGKILL at any moment", test_killed, NULL);
    tap_add(&l, "entries as bytes", test_bytes, NULL);
    tap_add(&l, "bounded in number and bytes", test_eviction, NULL);
    tap_add(&l, "leftovers", test_leftovers, NULL);
    return tap_run("fetch_folder", &l);
}
