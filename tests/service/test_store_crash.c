/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_crash.c: a store in a file, whose processes are killed, whose disk fails, and whose file is another one. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rig.h"
#include "tap.h"

#define T      RIG_NOW
#define MINUTE ((int64_t)60000)

/* ---- flushing: SQLite's calls come here ----------------------------------------------------------------------------------------- */

static atomic_uint n_flushes;
static atomic_bool is_disk_broken;

long syscall(long number, ...);
int fdatasync(int fd);
int fsync(int fd);

int fdatasync(int fd)
{
    atomic_fetch_add(&n_flushes, 1);
    if (atomic_load(&is_disk_broken)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

int fsync(int fd)
{
    return fdatasync(fd);
}

/* ---- stores -------------------------------------------------------------------------------------------------------------------- */

static char folder[RIG_PATH_SIZE];

static void name_file(char out[static 2 * RIG_PATH_SIZE])
{
    static unsigned number;
    (void)snprintf(out, 2 * RIG_PATH_SIZE, "%s/%u.db", folder, ++number);
}

static bool try_open(const char *path, atls_challenges **out, atls_error *err)
{
    char url[2 * RIG_PATH_SIZE + 16];
    const atls_challenges_options o = {.timeout_ms = 5000};
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    return atls_challenges_open(url, &o, out, err);
}

static atls_challenges *open_file(const char *path)
{
    atls_challenges *s = NULL;
    atls_error err = {.code = ATLS_OK};
    if (!try_open(path, &s, &err)) {
        rig_die(&err);
    }
    return s;
}

static void insert(atls_challenges *s, uint32_t from, uint32_t n)
{
    uint8_t room[32];
    for (uint32_t i = from; i < from + n; i++) {
        bool is_full = false;
        atls_error err = {.code = ATLS_OK};
        if (!atls_challenges_insert(s, rig_nonce(i, room), T, T + MINUTE, &is_full, &err)) {
            rig_die(&err);
        }
    }
}

static atls_consumed consume(atls_challenges *s, uint32_t i)
{
    uint8_t room[32];
    atls_consumed found = ATLS_CONSUMED_UNKNOWN;
    atls_error err = {.code = ATLS_OK};
    if (!atls_challenges_consume(s, rig_nonce(i, room), T, &found, &err)) {
        rig_die(&err);
    }
    return found;
}

/* ---- tests ----------------------------------------------------------------------------------------------------------------------- */

static void test_reopened(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    name_file(path);
    atls_challenges *s = open_file(path);
    insert(s, 0, 2);
    assert_int_equal(consume(s, 0), ATLS_CONSUMED_FRESH);
    atls_challenges_close(s);
    s = open_file(path);
    assert_int_equal(consume(s, 0), ATLS_CONSUMED_USED);
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
    atls_challenges_close(s);
}

/* The claim of the header: what is called fresh was flushed before. Without synchronous=FULL there is no flush here. */
static void test_flushed(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    name_file(path);
    atls_challenges *s = open_file(path);
    insert(s, 0, 10);
    for (uint32_t i = 0; i < 10; i++) {
        const unsigned before = atomic_load(&n_flushes);
        assert_int_equal(consume(s, i), ATLS_CONSUMED_FRESH);
        assert_true(atomic_load(&n_flushes) > before);
    }
    const unsigned before = atomic_load(&n_flushes);
    assert_int_equal(consume(s, 3), ATLS_CONSUMED_USED);
    assert_int_equal(consume(s, 99), ATLS_CONSUMED_UNKNOWN);
    assert_int_equal(atomic_load(&n_flushes), before); /* inventions and replays cost nobody a flush */
    atls_challenges_close(s);
}

static void test_disk_fails(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    uint8_t room[32];
    unsigned n_fresh = 0;
    (void)state;
    name_file(path);
    atls_challenges *s = open_file(path);
    insert(s, 0, 1);
    atomic_store(&is_disk_broken, true);
    for (int i = 0; i < 3; i++) {
        atls_consumed found = ATLS_CONSUMED_FRESH;
        atls_error err = {.code = ATLS_OK};
        if (!atls_challenges_consume(s, rig_nonce(0, room), T, &found, &err)) {
            assert_int_equal(err.code, ATLS_E_ENROL_STORE);
            assert_int_equal(err.category, ATLS_CATEGORY_INTERNAL);
            assert_int_equal(found, ATLS_CONSUMED_UNKNOWN);
        } else {
            assert_int_not_equal(found, ATLS_CONSUMED_FRESH);
        }
    }
    atomic_store(&is_disk_broken, false);
    for (int i = 0; i < 3; i++) {
        n_fresh += consume(s, 0) == ATLS_CONSUMED_FRESH ? 1 : 0;
    }
    assert_true(n_fresh <= 1);
    insert(s, 1, 1); /* it goes on */
    assert_int_equal(consume(s, 1), ATLS_CONSUMED_FRESH);
    atls_challenges_close(s);
}

/* Somebody who sits on the file's lock for longer than a call may take. */
static void test_busy(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char url[2 * RIG_PATH_SIZE + 16];
    uint8_t room[32];
    const atls_challenges_options o = {.timeout_ms = 200};
    atls_challenges *s = NULL;
    atls_consumed found = ATLS_CONSUMED_FRESH;
    atls_error err = {.code = ATLS_OK};
    sqlite3 *other = NULL;
    (void)state;
    name_file(path);
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    assert_true(atls_challenges_open(url, &o, &s, &err));
    insert(s, 0, 1);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_false(atls_challenges_consume(s, rig_nonce(0, room), T, &found, &err));
    assert_int_equal(err.code, ATLS_E_ENROL_STORE);
    assert_int_equal(found, ATLS_CONSUMED_UNKNOWN);
    assert_int_equal(consume(s, 5), ATLS_CONSUMED_UNKNOWN); /* reading needs no lock */
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    assert_int_equal(consume(s, 0), ATLS_CONSUMED_FRESH);
    atls_challenges_close(s);
}

/* ---- kill -9 ----------------------------------------------------------------------------------------------------------------------- */

#define N_ROUNDS 25
#define N_NONCES 400

/* Consumes from a place on, and says what it was told: a byte each, written at once. */
static void run_consumer(const char *path, uint32_t from, int out)
{
    atls_challenges *s = open_file(path);
    for (uint32_t n = 0; n < N_NONCES; n++) {
        const uint32_t i = (from + n) % N_NONCES;
        const uint32_t said[2] = {i, (uint32_t)consume(s, i)};
        if (write(out, said, sizeof said) != sizeof said) {
            break;
        }
    }
    _exit(0);
}

static void collect(int in, unsigned n_fresh[static N_NONCES], unsigned *n_said)
{
    uint32_t said[2];
    while (read(in, said, sizeof said) == sizeof said) {
        n_fresh[said[0]] += said[1] == ATLS_CONSUMED_FRESH ? 1 : 0;
        (*n_said)++;
    }
}

/* Two at a time on one file, killed somewhere; what they were told before counts. */
static void test_killed(void **state)
{
    static unsigned n_fresh[N_NONCES];
    char path[2 * RIG_PATH_SIZE];
    unsigned n_said = 0;
    unsigned total = 0;
    (void)state;
    name_file(path);
    atls_challenges *s = open_file(path);
    insert(s, 0, N_NONCES);
    atls_challenges_close(s);
    for (uint32_t round = 0; round < N_ROUNDS; round++) {
        int result[2];
        pid_t pids[2];
        assert_int_equal(pipe(result), 0);
        for (uint32_t i = 0; i < 2; i++) {
            pids[i] = fork();
            if (pids[i] == 0) {
                run_consumer(path, round * (N_NONCES / N_ROUNDS), result[1]);
            }
        }
        (void)close(result[1]);
        rig_pause_ms(3 + round * 7 % 20);
        for (size_t i = 0; i < 2; i++) {
            (void)kill(pids[i], SIGKILL);
            (void)waitpid(pids[i], NULL, 0);
        }
        collect(result[0], n_fresh, &n_said);
        (void)close(result[0]);
    }
    s = open_file(path);
    for (uint32_t i = 0; i < N_NONCES; i++) {
        n_fresh[i] += consume(s, i) == ATLS_CONSUMED_FRESH ? 1 : 0;
        assert_int_equal(consume(s, i), ATLS_CONSUMED_USED);
        assert_true(n_fresh[i] <= 1); /* 0: it died before it could say so */
        total += n_fresh[i];
    }
    assert_true(n_said > N_ROUNDS && total > N_NONCES - 2 * N_ROUNDS - 1);
    atls_challenges_close(s);
}

/* ---- files that are others ---------------------------------------------------------------------------------------------------------- */

static void write_file(const char *path, const char *text, mode_t mode)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    (void)close(fd);
}

static void refuse(const char *path, atls_code code)
{
    atls_challenges *s = NULL;
    atls_error err = {.code = ATLS_OK};
    assert_false(try_open(path, &s, &err));
    assert_int_equal(err.code, code);
}

static void test_files(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    struct stat st;
    sqlite3 *other = NULL;
    (void)state;
    name_file(path);
    atls_challenges_close(open_file(path));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(chmod(path, 0620), 0);
    refuse(path, ATLS_E_CONFIGURATION);
    assert_int_equal(chmod(path, 0602), 0);
    refuse(path, ATLS_E_CONFIGURATION);
    name_file(path);
    write_file(
        path,
        "this is no database, and is long enough to be looked at as one by whoever opens it as one...............",
        0600);
    refuse(path, ATLS_E_ENROL_STORE);
    refuse(folder, ATLS_E_CONFIGURATION);
    name_file(path);
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "CREATE TABLE mine (x)", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(chmod(path, 0600), 0);
    refuse(path, ATLS_E_ENROL_STORE);
    assert_int_equal(sqlite3_exec(other, "SELECT x FROM mine", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

/* A file of a later version of ours is not touched either. */
static void test_later_version(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    sqlite3 *other = NULL;
    (void)state;
    name_file(path);
    atls_challenges_close(open_file(path));
    assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 2", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    refuse(path, ATLS_E_ENROL_STORE);
}

int main(void)
{
    tap_list l = {0};
    rig_make_folder(folder);
    tap_add(&l, "what was used is used when the file is opened again", test_reopened, NULL);
    tap_add(&l, "nothing is called fresh before it is flushed; what is not fresh needs no flush", test_flushed, NULL);
    tap_add(&l, "a disk that fails makes failures, and nothing fresh twice", test_disk_fails, NULL);
    tap_add(&l, "a file that somebody else keeps locked is a failure in time", test_busy, NULL);
    tap_add(&l, "processes killed at any time: nothing is fresh twice", test_killed, NULL);
    tap_add(&l, "files of others, and files that others may write, are refused", test_files, NULL);
    tap_add(&l, "a file of a later version is refused", test_later_version, NULL);
    const int failed = tap_run("store_crash", &l);
    rig_remove_folder(folder);
    return failed;
}
