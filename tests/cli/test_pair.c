/* SPDX-License-Identifier: Apache-2.0 */
/* test_pair.c: a key and its chain as two files: what is there afterwards, whatever was there before or came meanwhile. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pair.h"
#include "tap.h"

typedef struct scene {
    atls_arena arena;
    atls_error err;
    char folder[64];
    char prefix[96];
    cli_pair pair;
} scene;

static const char *path_of(const scene *s, const char *name)
{
    static char path[160];
    (void)snprintf(path, sizeof path, "%s/%s", s->folder, name);
    return path;
}

static void put(const scene *s, const char *name, const char *text)
{
    const int fd = open(path_of(s, name), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

static bool holds(const scene *s, const char *name, const char *text)
{
    char have[64] = "";
    const int fd = open(path_of(s, name), O_RDONLY);
    if (fd < 0) {
        return false;
    }
    assert_true(read(fd, have, sizeof have - 1) >= 0);
    (void)close(fd);
    return strcmp(have, text) == 0;
}

static mode_t mode_of(const scene *s, const char *name)
{
    struct stat there;
    assert_int_equal(lstat(path_of(s, name), &there), 0);
    return there.st_mode & (mode_t)~S_IFMT;
}

static size_t n_files(const scene *s)
{
    size_t n = 0;
    DIR *dir = opendir(s->folder);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        n += e->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(dir);
    return n;
}

static void scene_open(scene *s)
{
    *s = (scene){.folder = "/tmp/atls-pair-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    (void)snprintf(s->prefix, sizeof s->prefix, "%s/phone", s->folder);
    assert_true(atls_arena_new(&s->arena, (size_t)64 * 1024, &s->err));
}

static void scene_close(scene *s)
{
    static const char *const names[] = {"phone-key.pem", "phone-chain.pem", "victim"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)unlink(path_of(s, names[i]));
        (void)rmdir(path_of(s, names[i]));
    }
    assert_int_equal(rmdir(s->folder), 0); /* nothing else was left */
    atls_arena_free(&s->arena);
}

static bool name(scene *s, bool force)
{
    s->err = (atls_error){0};
    return cli_pair_name(s->prefix, "--out", force, &s->arena, &s->pair, &s->err);
}

static bool write_pair(scene *s)
{
    return cli_pair_write(&s->pair, "--out", atls_bytes_str("a key"), atls_bytes_str("a chain"), &s->arena, &s->err);
}

static void test_new(void **state)
{
    scene s;
    (void)state;
    scene_open(&s);
    const mode_t before = umask(0);
    assert_true(name(&s, false) && write_pair(&s));
    (void)umask(before);
    assert_true(holds(&s, "phone-key.pem", "a key") && holds(&s, "phone-chain.pem", "a chain"));
    assert_int_equal(mode_of(&s, "phone-key.pem"), 0600);
    assert_int_equal(mode_of(&s, "phone-chain.pem"), 0644);
    assert_int_equal(n_files(&s), 2);
    assert_false(name(&s, false));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    scene_close(&s);
}

/* A file with other rights, and a name that leads elsewhere: their place is taken, and nothing is written through them. */
static void test_force(void **state)
{
    scene s;
    (void)state;
    scene_open(&s);
    put(&s, "victim", "somebody's");
    put(&s, "phone-chain.pem", "an old chain");
    char victim[160];
    (void)snprintf(victim, sizeof victim, "%s", path_of(&s, "victim"));
    assert_int_equal(symlink(victim, path_of(&s, "phone-key.pem")), 0);
    assert_true(name(&s, true) && write_pair(&s));
    assert_true(holds(&s, "victim", "somebody's"));
    assert_true(holds(&s, "phone-key.pem", "a key") && holds(&s, "phone-chain.pem", "a chain"));
    assert_int_equal(mode_of(&s, "phone-key.pem"), 0600);
    assert_int_equal(n_files(&s), 3);
    scene_close(&s);
}

/* The second file cannot be put where it belongs: everything is as it was. */
static void test_half(void **state)
{
    static const char *const before[] = {NULL, "an old key"};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const bool force = i % 2 == 1;
        const char *old = force ? before[i / 2] : NULL;
        scene s;
        scene_open(&s);
        if (old != NULL) {
            put(&s, "phone-key.pem", old);
        }
        assert_true(name(&s, force));
        assert_int_equal(mkdir(path_of(&s, "phone-chain.pem"), 0700), 0); /* meanwhile */
        assert_false(write_pair(&s));
        assert_int_equal(s.err.code, ATLS_E_USAGE);
        assert_int_equal(holds(&s, "phone-key.pem", "an old key"), old != NULL);
        assert_int_equal(access(path_of(&s, "phone-key.pem"), F_OK) == 0, old != NULL);
        assert_int_equal(n_files(&s), old != NULL ? 2 : 1);
        scene_close(&s);
    }
}

static void test_in_the_way(void **state)
{
    static const char *const names[] = {"phone-key.pem", "phone-chain.pem"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene s;
        scene_open(&s);
        assert_int_equal(mkdir(path_of(&s, names[i]), 0700), 0);
        assert_false(name(&s, true));
        assert_int_equal(s.err.code, ATLS_E_USAGE);
        scene_close(&s);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "two new files", test_new, NULL);
    tap_add(&tests, "in the place of others", test_force, NULL);
    tap_add(&tests, "both or none", test_half, NULL);
    tap_add(&tests, "what is no file stays", test_in_the_way, NULL);
    return tap_run("cli/pair", &tests);
}
