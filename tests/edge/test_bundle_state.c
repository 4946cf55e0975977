/* SPDX-License-Identifier: Apache-2.0 */
/* test_bundle_state.c: the memory of which signed bundle was used last. Older ones are refused, by each signer's own numbers; what
 * is in the memory's place and is no memory admits nothing; processes share it; and it is never half written. */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "atls/bundle.h"
#include "tap.h"

#define HEAD "atls bundle state 1\n"
#define K0   "0000000000000000000000000000000000000000000000000000000000000000"
#define K1   "0100000000000000000000000000000000000000000000000000000000000000"

static char folder[64];
static char path[128];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/atls-state-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/bundles", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    static const char *const names[] = {"bundles", "bundles.lock", "bundles.new", "a/b/c", "a/b/c.lock", "a/b", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[160];
        (void)snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        (void)remove(name);
    }
    assert_int_equal(rmdir(folder), 0); /* nothing else was left behind */
    return 0;
}

static void write_state(const char *text, size_t len)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static size_t read_state(char *out, size_t size)
{
    FILE *f = fopen(path, "rb");
    if (f == NULL) {
        return 0;
    }
    const size_t n = fread(out, 1, size - 1, f);
    (void)fclose(f);
    out[n] = '\0';
    return n;
}

static bool admit(uint8_t signer, uint64_t sequence, atls_time made, atls_error *err)
{
    atls_bundle b = {.signer = {signer}, .sequence = sequence, .made = made};
    atls_error_clear(err);
    const bool ok = atls_bundle_admit(path, &b, err);
    assert_false(b.insecure_older);
    return ok;
}

static void test_sequence(void **state)
{
    (void)state;
    static const struct {
        uint8_t signer;
        uint64_t sequence;
        atls_time made;
        bool ok;
    } steps[] = {
        {0, 5, 100, true},  /* the first */
        {0, 5, 100, true},  /* again */
        {0, 4, 200, false}, /* a lower sequence, whatever the date */
        {0, 5, 99, false},  /* the same, made earlier */
        {0, 5, 101, true},  /* the same, made later */
        {0, 5, 100, false}, /* which then counts */
        {1, 1, 1, true},    /* another signer's own numbers */
        {0, 6, 50, true},   /* a higher sequence, whatever the date */
        {0, 5, 101, false},
        {1, 1, 1, true},                           /* still there */
        {0, 9007199254740991, 253402300799, true}, /* as high as they go */
        {0, 9007199254740990, 253402300799, false},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        atls_error err;
        const bool ok = admit(steps[i].signer, steps[i].sequence, steps[i].made, &err);
        if (ok != steps[i].ok) {
            fail_msg("step %zu: %s", i, err.message);
        }
        if (!ok) {
            assert_int_equal(err.code, ATLS_E_BUNDLE_OLDER);
            assert_int_equal(atls_error_exit_status(&err), 5);
            assert_string_equal(err.field, "bundle.sequence");
            assert_true(err.expected[0] != '\0' && err.actual[0] != '\0');
        }
    }
    char text[512];
    assert_true(read_state(text, sizeof text) > 0);
    assert_string_equal(text, HEAD K0 " 9007199254740991 253402300799\n" K1 " 1 1\n");
}

static void test_allowed(void **state)
{
    (void)state;
    atls_error err;
    char before[512];
    char after[512];
    assert_true(admit(0, 5, 100, &err));
    (void)read_state(before, sizeof before);
    atls_bundle b = {.sequence = 4, .made = 90};
    assert_true(atls_bundle_admit_insecure_older(path, &b, &err));
    assert_true(b.insecure_older);
    (void)read_state(after, sizeof after);
    assert_string_equal(after, before); /* it does not forget what was newer */
    b = (atls_bundle){.sequence = 5, .made = 100, .insecure_older = true};
    assert_true(atls_bundle_admit_insecure_older(path, &b, &err));
    assert_false(b.insecure_older); /* not older */
}

/* Whoever only looks is told the same, and changes nothing. */
static void test_looks(void **state)
{
    static const struct {
        unsigned long long sequence;
        atls_time made;
        bool ok;
    } rows[] = {{4, 90, false}, {5, 99, false}, {5, 100, true}, {6, 1, true}};
    (void)state;
    atls_error err;
    char before[512];
    char after[512];
    assert_true(admit(0, 5, 100, &err));
    (void)read_state(before, sizeof before);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const atls_bundle b = {.sequence = rows[i].sequence, .made = rows[i].made};
        err = (atls_error){.code = ATLS_OK};
        assert_int_equal(atls_bundle_would_admit(path, &b, &err), rows[i].ok);
        assert_int_equal(err.code, rows[i].ok ? ATLS_OK : ATLS_E_BUNDLE_OLDER);
    }
    (void)read_state(after, sizeof after);
    assert_string_equal(after, before);
    char other[sizeof path + 16];
    const atls_bundle b = {.sequence = 1, .made = 1};
    (void)snprintf(other, sizeof other, "%s.none/x", path);
    err = (atls_error){.code = ATLS_OK};
    assert_true(atls_bundle_would_admit(other, &b, &err)); /* the first use it would be */
    (void)snprintf(other, sizeof other, "%s.none", path);
    assert_int_equal(access(other, F_OK), -1);
}

static const struct {
    const char *name;
    const char *text;
    size_t len;
} corrupt[] = {
#define ROW(name, text)                                                                                                \
    {                                                                                                                  \
        name, text, sizeof(text) - 1                                                                                   \
    }
    ROW("empty", ""),
    ROW("another head", "atls bundle state 2\n"),
    ROW("a head that is cut", "atls bundle state 1"),
    ROW("words", HEAD "nothing\n"),
    ROW("a line that is cut", HEAD K0 " 5 100"),
    ROW("a number that is cut", HEAD K0 " 5 \n"),
    ROW("no date", HEAD K0 " 5\n"),
    ROW("a key that is short", HEAD "00 5 100\n"),
    ROW("upper case", HEAD "AA00000000000000000000000000000000000000000000000000000000000000 5 100\n"),
    ROW("a sign", HEAD K0 " +5 100\n"),
    ROW("a leading zero", HEAD K0 " 05 100\n"),
    ROW("zero", HEAD K0 " 0 100\n"),
    ROW("too high", HEAD K0 " 9007199254740992 100\n"),
    ROW("far too high", HEAD K0 " 99999999999999999999999 100\n"),
    ROW("a signer twice", HEAD K0 " 5 100\n" K0 " 6 100\n"),
    ROW("a line more", HEAD K0 " 5 100\n\n"),
    ROW("a NUL", HEAD K0 " 5 100\n\0"),
    ROW("CRLF", HEAD K0 " 5 100\r\n"),
#undef ROW
};

static void test_corrupt(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof corrupt / sizeof corrupt[0]; i++) {
        atls_error err;
        char after[512];
        write_state(corrupt[i].text, corrupt[i].len);
        if (admit(0, 1000, 1000, &err) || err.code != ATLS_E_CONFIGURATION || strcmp(err.field, "bundle_state") != 0) {
            fail_msg("%s", corrupt[i].name);
        }
        atls_bundle b = {.sequence = 1000, .made = 1000}; /* and allowing older ones is no way around */
        atls_error_clear(&err);
        assert_false(atls_bundle_admit_insecure_older(path, &b, &err));
        assert_int_equal(read_state(after, sizeof after), corrupt[i].len); /* it stays for somebody to look at */
    }
}

static void test_places(void **state)
{
    (void)state;
    atls_error err = {0};
    char deep[160];
    atls_bundle b = {.sequence = 1, .made = 1};
    struct stat st;
    (void)snprintf(deep, sizeof deep, "%s/a/b/c", folder);
    assert_true(atls_bundle_admit(deep, &b, &err)); /* folders are made */
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
    assert_int_equal(mkdir(path, 0700), 0); /* a folder in its place */
    assert_false(admit(0, 1, 1, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    atls_error_clear(&err);
    assert_false(atls_bundle_admit("/dev/null/state", &b, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
}

/* Each process admits sequences of its own signer, in any order of the others'; none is lost. */
static void test_processes(void **state)
{
    (void)state;
    enum { N = 4, TURNS = 25 };
    pid_t pids[N];
    for (uint8_t i = 0; i < N; i++) {
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            atls_error err;
            bool ok = true;
            for (uint64_t k = 1; ok && k <= TURNS; k++) {
                ok = admit(i, k, 1, &err);
            }
            _exit(ok ? 0 : 1);
        }
    }
    for (size_t i = 0; i < N; i++) {
        int status = -1;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
    for (uint8_t i = 0; i < N; i++) {
        atls_error err;
        assert_false(admit(i, TURNS - 1, 1, &err));
        assert_int_equal(err.code, ATLS_E_BUNDLE_OLDER);
        assert_true(admit(i, TURNS, 1, &err));
    }
}

/* Killed at any moment, the memory is what it was before or what it became, and the next one goes on. */
static void test_killed(void **state)
{
    (void)state;
    uint64_t least = 0;
    for (unsigned turn = 0; turn < 20; turn++) {
        atls_error err;
        int started[2];
        assert_int_equal(pipe(started), 0);
        const pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            for (uint64_t k = least + 1;; k++) {
                (void)!write(started[1], "x", 1);
                if (!admit(0, k, 1, &err)) {
                    _exit(1);
                }
            }
        }
        char x;
        assert_int_equal(read(started[0], &x, 1), 1);
        const struct timespec pause = {.tv_nsec = 300000L * (long)turn};
        (void)nanosleep(&pause, NULL);
        (void)kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        (void)close(started[0]);
        (void)close(started[1]);
        char text[512];
        unsigned long long sequence = 0;
        if (read_state(text, sizeof text) > 0) {
            assert_int_equal(sscanf(text, HEAD K0 " %llu 1\n", &sequence), 1);
        }
        assert_true(sequence >= least);
        least = sequence + 1;
        assert_true(admit(0, least, 1, &err)); /* neither lock nor new file stands in the way */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"sequences and dates, by signer", test_sequence, set_up, tear_down, NULL},
        {"older ones, when they are allowed", test_allowed, set_up, tear_down, NULL},
        {"whoever only looks", test_looks, set_up, tear_down, NULL},
        {"what is no memory", test_corrupt, set_up, tear_down, NULL},
        {"where it is", test_places, set_up, tear_down, NULL},
        {"processes", test_processes, set_up, tear_down, NULL},
        {"killed on the way", test_killed, set_up, tear_down, NULL},
    };
    return _cmocka_run_group_tests("edge/bundle_state", tests, sizeof tests / sizeof tests[0], NULL, NULL);
}
