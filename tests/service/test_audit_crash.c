/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit_crash.c: the audit log of processes that are killed, and on disks that are full or fail. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "edge/service/audit.h"
#include "rig.h"
#include "tap.h"

static char folder[RIG_PATH_SIZE];

/* ---- flushing: the log's calls come here ------------------------------------------------------------------------------------------ */

static atomic_uint n_flushes;
static atomic_bool is_disk_broken;

long syscall(long number, ...);
int fdatasync(int fd);

int fdatasync(int fd)
{
    atomic_fetch_add(&n_flushes, 1);
    if (atomic_load(&is_disk_broken)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, fd);
}

/* ---- logs -------------------------------------------------------------------------------------------------------------------------- */

static const atls_audit_entry entry = {
    .time_ms = RIG_NOW, .request = "r", .class_name = "Content.iOS", .reason = "SIG_CTR", .code = ATLS_E_APPLE_SIG_CTR};

static void name_log(char out[static 2 * RIG_PATH_SIZE])
{
    static unsigned number;
    (void)snprintf(out, 2 * RIG_PATH_SIZE, "%s/%u.log", folder, ++number);
}

static atls_audit *open_log(const char *path, bool is_flushed, atls_audit_found *found)
{
    const atls_audit_options o = {.fsync = is_flushed};
    atls_audit *a = NULL;
    atls_error err = {.code = ATLS_OK};
    if (!atls_audit_open(path, &o, RIG_NOW, &a, found, &err)) {
        rig_die(&err);
    }
    return a;
}

static bool try_append(atls_audit *a)
{
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_audit_append(a, &entry, &err);
    assert_true(ok || err.code == ATLS_E_IO);
    return ok;
}

static uint64_t head_of(atls_audit *a)
{
    uint64_t seq = 0;
    uint8_t digest[32];
    atls_audit_head(a, &seq, digest);
    return seq;
}

static void check(const char *path, uint64_t n_lines)
{
    atls_audit_report report;
    atls_error err = {.code = ATLS_OK};
    if (!atls_audit_verify(path, &report, &err)) {
        rig_die(&err);
    }
    assert_int_equal(report.n_lines, n_lines);
}

/* ---- kill -9 ------------------------------------------------------------------------------------------------------------------------ */

static void run_writer(const char *path, int out)
{
    atls_audit *a = open_log(path, false, NULL);
    for (;;) {
        const uint64_t seq = try_append(a) ? head_of(a) : 0;
        if (write(out, &seq, sizeof seq) != sizeof seq) {
            _exit(1);
        }
    }
}

static void test_killed(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    uint64_t said = 0;
    (void)state;
    name_log(path);
    for (unsigned round = 0; round < 30; round++) {
        int result[2];
        atls_audit_found found;
        uint64_t seq = 0;
        assert_int_equal(pipe(result), 0);
        const pid_t pid = fork();
        if (pid == 0) {
            run_writer(path, result[1]);
        }
        (void)close(result[1]);
        rig_pause_ms(2 + round % 7 * 3);
        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        while (read(result[0], &seq, sizeof seq) == sizeof seq) {
            assert_true(seq > said);
            said = seq;
        }
        (void)close(result[0]);
        atls_audit *a = open_log(path, false, &found);
        assert_true(head_of(a) >= said); /* what was said to be there is there */
        atls_audit_close(a);
    }
    assert_true(said > 100);
    atls_audit *a = open_log(path, false, NULL);
    const uint64_t seq = head_of(a);
    atls_audit_close(a);
    check(path, seq);
}

/* ---- a disk that is full ------------------------------------------------------------------------------------------------------------ */

static void limit_files(rlim_t bytes)
{
    struct rlimit l;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
    l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Half a line fits: it is taken away again, and the log goes on when there is room. */
static void test_full(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    struct stat st;
    struct stat after;
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    name_log(path);
    atls_audit *a = open_log(path, false, NULL);
    assert_true(try_append(a));
    for (unsigned room = 0; room < 400; room += 57) {
        assert_int_equal(stat(path, &st), 0);
        limit_files((rlim_t)st.st_size + room);
        assert_false(try_append(a));
        limit_files(RLIM_INFINITY);
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_size, st.st_size);
        assert_true(try_append(a));
    }
    const uint64_t seq = head_of(a);
    atls_audit_close(a);
    check(path, seq);
}

/* A new file that cannot be begun does not take the old one's place. */
static void test_full_rotation(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char old[2 * RIG_PATH_SIZE];
    atls_error err = {.code = ATLS_OK};
    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    name_log(path);
    name_log(old);
    atls_audit *a = open_log(path, false, NULL);
    assert_true(try_append(a));
    assert_int_equal(rename(path, old), 0);
    limit_files(100);
    assert_false(atls_audit_reopen(a, RIG_NOW, &err));
    limit_files(RLIM_INFINITY);
    assert_true(try_append(a));
    check(old, 3);
    atls_error_clear(&err);
    assert_true(atls_audit_reopen(a, RIG_NOW, &err)); /* what is there by now is empty */
    assert_true(try_append(a));
    atls_audit_close(a);
    check(path, 2);
    check(old, 3);
}

/* ---- a disk that fails ----------------------------------------------------------------------------------------------------------------- */

static void test_flushed(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, true, NULL);
    for (unsigned i = 0; i < 5; i++) {
        const unsigned before = atomic_load(&n_flushes);
        assert_true(try_append(a));
        assert_int_equal(atomic_load(&n_flushes), before + 1);
    }
    atls_audit_close(a);
    a = open_log(path, false, NULL);
    const unsigned before = atomic_load(&n_flushes);
    assert_true(try_append(a));
    assert_int_equal(atomic_load(&n_flushes), before);
    atls_audit_close(a);
    check(path, 7);
}

/* A line that is perhaps not on the disk stops the log until somebody looked. */
static void test_disk_fails(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, true, NULL);
    assert_true(try_append(a));
    atomic_store(&is_disk_broken, true);
    assert_false(try_append(a));
    atomic_store(&is_disk_broken, false);
    assert_false(try_append(a));
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    assert_true(try_append(a));
    const uint64_t seq = head_of(a);
    atls_audit_close(a);
    check(path, seq);
    assert_int_equal(seq, 4);
}

static void test_rotation_fails(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char old[2 * RIG_PATH_SIZE];
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    name_log(old);
    atls_audit *a = open_log(path, false, NULL);
    assert_true(try_append(a));
    assert_int_equal(rename(path, old), 0);
    atomic_store(&is_disk_broken, true);
    assert_false(atls_audit_reopen(a, RIG_NOW, &err));
    atomic_store(&is_disk_broken, false);
    assert_true(try_append(a)); /* where it was */
    check(old, 3);
    atls_error_clear(&err);
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    assert_true(try_append(a));
    atls_audit_close(a);
    check(old, 3);
    check(path, 2);
}

/* Some rotate by copying the file and making it empty: that is noticed, and the chain goes on from what was copied. */
static void test_emptied(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    uint8_t head[32];
    uint64_t seq = 0;
    atls_audit_report report;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, false, NULL);
    assert_true(try_append(a));
    atls_audit_head(a, &seq, head);
    assert_int_equal(truncate(path, 0), 0);
    assert_false(try_append(a));
    assert_false(try_append(a));
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    assert_true(try_append(a));
    atls_audit_close(a);
    assert_true(atls_audit_verify(path, &report, &err));
    assert_int_equal(report.first_seq, seq + 1);
    assert_memory_equal(report.first_previous, head, 32);
}

/* Somebody who does not ask for the lock. */
static void test_written_by_others(void **state)
{
    static const char *const texts[] = {"half a line", "a whole line\n"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char path[2 * RIG_PATH_SIZE];
        atls_error err = {.code = ATLS_OK};
        name_log(path);
        atls_audit *a = open_log(path, false, NULL);
        assert_true(try_append(a));
        const int fd = open(path, O_WRONLY | O_APPEND);
        assert_int_equal(write(fd, texts[i], strlen(texts[i])), strlen(texts[i]));
        (void)close(fd);
        assert_false(try_append(a));
        assert_int_equal(atls_audit_reopen(a, RIG_NOW, &err),
                         i == 0); /* half a line may be ours, as far as anybody knows */
        assert_int_equal(try_append(a), i == 0);
        atls_audit_close(a);
        if (i == 0) {
            check(path, 4);
        }
    }
}

int main(void)
{
    tap_list l = {0};
    rig_make_folder(folder);
    tap_add(&l, "writers that are killed: what was said to be written is there, and the chain is whole", test_killed,
            NULL);
    tap_add(&l, "a full disk: half a line is taken away again", test_full, NULL);
    tap_add(&l, "a full disk when the log is rotated: it stays where it is", test_full_rotation, NULL);
    tap_add(&l, "with fsync every line is flushed before it counts", test_flushed, NULL);
    tap_add(&l, "a line that could not be flushed stops the log until it is opened again", test_disk_fails, NULL);
    tap_add(&l, "a disk that fails when the log is rotated: it stays where it is", test_rotation_fails, NULL);
    tap_add(&l, "a log that somebody made empty is noticed, and goes on from where it was", test_emptied, NULL);
    tap_add(&l, "a log that somebody else writes to is noticed", test_written_by_others, NULL);
    const int failed = tap_run("audit_crash", &l);
    rig_remove_folder(folder);
    return failed;
}
