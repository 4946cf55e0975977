/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit.c: the audit log says what it was told, goes on where it was left, and begins anew when it is moved. */
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "audit_rig.h"
#include "tap.h"

/* ---- what is written ----------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    atls_audit_entry entry;
    const char *expected; /* between "request":… and ,"previous" */
} row;

#define A64 "aa01000000000000000000000000000000000000000000000000000000000000"
#define B64 "bb02000000000000000000000000000000000000000000000000000000000000"

static const row rows[] = {
    {"a refusal",
     {.time_ms = RIG_NOW + 7,
      .request = "r-1",
      .nonce_sha256 = audit_digest_a,
      .platform = ATLS_PLATFORM_ANDROID,
      .class_name = "Content.Android",
      .reason = "CHALLENGE",
      .code = ATLS_E_ANDROID_CHALLENGE,
      .kind = ATLS_CATEGORY_CONTENT,
      .latency_us = 1234},
     "\"time\":\"2027-01-15T08:00:00.007Z\",\"request\":\"r-1\",\"nonce\":\"" A64
     "\",\"platform\":\"android\",\"app\":null,\"key\":null,"
     "\"verdict\":\"rejected\",\"class\":\"Content.Android\",\"reason\":\"CHALLENGE\",\"code\":\"ANDROID_CHALLENGE\","
     "\"kind\":\"content\","
     "\"serial\":null,\"policy\":null,\"list\":null,\"latency_us\":1234,"},
    {"an acceptance",
     {.time_ms = RIG_NOW + 999,
      .request = "r-2",
      .nonce_sha256 = audit_digest_a,
      .platform = ATLS_PLATFORM_APPLE,
      .app = {(const uint8_t *)"TEAM.app", 8},
      .key_sha256 = audit_digest_b,
      .is_accepted = true,
      .serial = {audit_digest_b, 9},
      .policy_sha256 = audit_digest_a,
      .list_sha256 = audit_digest_b},
     "\"time\":\"2027-01-15T08:00:00.999Z\",\"request\":\"r-2\",\"nonce\":\"" A64
     "\",\"platform\":\"apple\",\"app\":\"TEAM.app\",\"key\":\"" B64 "\","
     "\"verdict\":\"accepted\",\"class\":\"\",\"reason\":\"\",\"code\":\"OK\",\"kind\":\"none\","
     "\"serial\":\"bb0200000000000000\",\"policy\":\"" A64 "\",\"list\":\"" B64 "\",\"latency_us\":0,"},
    {"an app's name that would like to be more",
     {.time_ms = RIG_NOW, .app = {(const uint8_t *)"a\"\n\xff\\}", 6}},
     "\"time\":\"2027-01-15T08:00:00.000Z\",\"request\":\"\",\"nonce\":null,\"platform\":\"none\",\"app\":"
     "\"a\\\"\\u000a\xef\xbf\xbd\\\\}\",\"key\":null,"
     "\"verdict\":\"rejected\",\"class\":\"\",\"reason\":\"\",\"code\":\"OK\",\"kind\":\"none\","
     "\"serial\":null,\"policy\":null,\"list\":null,\"latency_us\":0,"},
};

static void test_row(void **state)
{
    const row *r = *state;
    static uint8_t bytes[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    char expected[2048];
    atls_audit_report report;
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    append(a, &r->entry, 1);
    atls_audit_close(a);
    bytes[read_file(path, bytes)] = '\0';
    (void)snprintf(expected, sizeof expected, "\n{\"v\":1,\"type\":\"request\",\"seq\":2,%s\"previous\":\"",
                   r->expected);
    assert_non_null(strstr((const char *)bytes, expected));
    assert_true(verify(path, &report));
    assert_int_equal(report.n_lines, 2);
}

static void test_long_app(void **state)
{
    static uint8_t bytes[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    uint8_t app[1000];
    atls_audit_report report;
    (void)state;
    atls_audit_entry e = audit_refused;
    memset(app, 1, sizeof app); /* six characters each */
    e.app = atls_bytes_of(app, sizeof app);
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    append(a, &e, 3);
    atls_audit_close(a);
    assert_true(read_file(path, bytes) < 3 * 3000);
    assert_true(verify(path, &report));
}

static void test_absurd(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char word[80];
    static const char *const words[] = {"a b", "a\"b", "a\\b", "a\nb", "\xc3\xa4"};
    (void)state;
    memset(word, 'a', sizeof word);
    word[65] = '\0';
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    for (size_t i = 0; i < 3 * 6 + 3; i++) {
        atls_audit_entry e = audit_refused;
        atls_error err = {.code = ATLS_OK};
        const char *wrong = i % 6 == 5 ? word : words[i % 6];
        if (i < 18) {
            *(i / 6 == 0 ? &e.request : i / 6 == 1 ? &e.class_name : &e.reason) = wrong;
        } else if (i == 18) {
            e.serial = atls_bytes_of(audit_digest_a, 21);
        } else {
            e.time_ms = i == 19 ? 0 : INT64_MAX;
        }
        assert_false(atls_audit_append(a, &e, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
    }
    append(a, &audit_refused, 1); /* nothing of it was written, and it goes on */
    atls_audit_close(a);
    atls_audit_report report;
    assert_true(verify(path, &report));
    assert_int_equal(report.last_seq, 2);
}

/* ---- opening again --------------------------------------------------------------------------------------------------------------- */

static void test_continued(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    atls_audit_found found;
    atls_audit_report report;
    uint64_t seq = 0;
    uint8_t digest[32];
    struct stat st;
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, &found);
    assert_true(found.is_new && !found.is_torn);
    append(a, &audit_refused, 100); /* more than is looked at when it is opened */
    atls_audit_close(a);
    a = open_log(path, &found);
    assert_true(!found.is_new && !found.is_torn && found.seq == 101);
    append(a, &audit_refused, 1);
    atls_audit_head(a, &seq, digest);
    assert_int_equal(seq, 102);
    atls_audit_close(a);
    assert_true(verify(path, &report));
    assert_int_equal(report.n_lines, 102);
    assert_int_equal(report.first_seq, 1);
    assert_int_equal(report.last_seq, 102);
    assert_memory_equal(report.last_digest, digest, 32);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* Cut after every byte: what is torn is sealed, nothing of it is lost, and the chain goes on. */
static void test_torn(void **state)
{
    static uint8_t bytes[MAX_FILE];
    static uint8_t after[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    const size_t len = make_log(path, 2, bytes);
    for (size_t cut = 1; cut <= len; cut++) {
        atls_audit_found found;
        atls_audit_report report;
        const bool is_whole = bytes[cut - 1] == '\n';
        const bool is_newline_gone = !is_whole && bytes[cut] == '\n';
        write_file(path, bytes, cut);
        assert_int_equal(verify(path, &report), is_whole);
        assert_int_equal(report.is_torn, !is_whole);
        atls_audit *a = open_log(path, &found);
        assert_int_equal(found.is_torn, !is_whole && !is_newline_gone);
        append(a, &audit_refused, 2);
        atls_audit_close(a);
        assert_true(verify(path, &report));
        assert_int_equal(report.n_torn, found.is_torn ? 1 : 0);
        assert_true(read_file(path, after) > cut);
        assert_memory_equal(after, bytes, cut);
        if (found.is_torn) { /* and changed afterwards it is noticed too */
            const size_t n = read_file(path, after);
            size_t from = cut;
            while (from > 0 && bytes[from - 1] != '\n') {
                from--;
            }
            assert_int_equal(found.torn_len, cut - from);
            after[cut - 1] ^= 0x01;
            write_file(path, after, n);
            assert_false(verify(path, &report));
        }
    }
}

/* A whole line that was changed is not taken for torn: the log is not opened. */
static void test_tampered_end(void **state)
{
    static uint8_t bytes[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    (void)state;
    const size_t len = make_log(path, 3, bytes);
    for (unsigned line = 3; line <= 4; line++) {
        atls_audit *a = NULL;
        atls_error err = {.code = ATLS_OK};
        bytes[find_line(bytes, line) + 100] ^= 0x01;
        write_file(path, bytes, len);
        bytes[find_line(bytes, line) + 100] ^= 0x01;
        assert_false(atls_audit_open(path, NULL, RIG_NOW, &a, NULL, &err));
        assert_int_equal(err.code, ATLS_E_ENCODING);
        assert_null(a);
    }
}

static void test_locked(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    int status = -1;
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    for (int i = 0; i < 2; i++) { /* this process, and another one */
        const pid_t pid = i == 0 ? 0 : fork();
        if (pid > 0) {
            assert_int_equal(waitpid(pid, &status, 0), pid);
            assert_int_equal(status, 0);
            continue;
        }
        atls_audit *b = NULL;
        atls_error err = {.code = ATLS_OK};
        const bool ok = atls_audit_open(path, NULL, RIG_NOW, &b, NULL, &err);
        const bool is_said = err.code == ATLS_E_CONFIGURATION && strstr(err.message, "another process") != NULL;
        if (i == 1) {
            _exit(!ok && is_said ? 0 : 1);
        }
        assert_true(!ok && is_said);
    }
    append(a, &audit_refused, 1);
    atls_audit_close(a);
    atls_audit_close(open_log(path, NULL));
    atls_audit_close(NULL);
}

static void test_files(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char link_path[2 * RIG_PATH_SIZE];
    atls_audit *a = NULL;
    atls_error err = {.code = ATLS_OK};
    atls_audit_report report;
    (void)state;
    assert_false(atls_audit_open(audit_folder(), NULL, RIG_NOW, &a, NULL, &err));
    atls_error_clear(&err);
    name_log(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_false(atls_audit_open(path, NULL, RIG_NOW, &a, NULL, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    atls_error_clear(&err);
    assert_false(atls_audit_verify(path, &report, &err));
    assert_int_equal(err.code, ATLS_E_IO);
    name_log(path);
    name_log(link_path);
    assert_int_equal(symlink(path, link_path), 0);
    atls_error_clear(&err);
    assert_false(atls_audit_open(link_path, NULL, RIG_NOW, &a, NULL, &err)); /* it is not led elsewhere */
    assert_int_equal(err.code, ATLS_E_IO);
    assert_int_equal(access(path, F_OK), -1);
}

/* ---- rotation -------------------------------------------------------------------------------------------------------------------- */

static void test_rotation(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char old[2 * RIG_PATH_SIZE];
    atls_audit_report first;
    atls_audit_report second;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    name_log(old);
    atls_audit *a = open_log(path, NULL);
    append(a, &audit_refused, 3);
    assert_true(atls_audit_reopen(a, RIG_NOW, &err)); /* nobody moved it: nothing happens */
    append(a, &audit_refused, 1);
    assert_int_equal(rename(path, old), 0);
    append(a, &audit_refused, 1); /* still to the old one */
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    append(a, &audit_refused, 2);
    assert_true(verify(old, &first));
    assert_true(verify(path, &second));
    assert_int_equal(first.n_lines, 6);
    assert_int_equal(second.n_lines, 3);
    assert_int_equal(second.first_seq, first.last_seq + 1);
    assert_memory_equal(second.first_previous, first.last_digest, 32);
    atls_audit_close(a);
    atls_audit_close(open_log(old, NULL)); /* nobody holds it any more */
}

/* What lies there must be new: the log goes on in the old file. */
static void test_rotation_refused(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    char old[2 * RIG_PATH_SIZE];
    char there[2 * RIG_PATH_SIZE];
    uint8_t bytes[MAX_FILE];
    atls_audit_report report;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    (void)make_log(there, 1, bytes);
    name_log(path);
    name_log(old);
    atls_audit *a = open_log(path, NULL);
    append(a, &audit_refused, 1);
    assert_int_equal(rename(path, old), 0);
    assert_int_equal(rename(there, path), 0);
    assert_false(atls_audit_reopen(a, RIG_NOW, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    append(a, &audit_refused, 1);
    atls_audit_close(a);
    assert_true(verify(old, &report));
    assert_int_equal(report.n_lines, 3);
    assert_true(verify(path, &report));
    assert_int_equal(report.n_lines, 2);
}

/* ---- what somebody else does ------------------------------------------------------------------------------------------------------ */

/* The process knows what it wrote last: opening the file again does not make it forget lines that were cut off. */
static void test_cut_while_open(void **state)
{
    static uint8_t bytes[MAX_FILE];
    char path[2 * RIG_PATH_SIZE];
    char aside[2 * RIG_PATH_SIZE];
    uint64_t seq = 0;
    uint8_t digest[32];
    atls_audit_report report;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    name_log(aside);
    atls_audit *a = open_log(path, NULL);
    append(a, &audit_refused, 3);
    assert_true(atls_audit_head(a, &seq, digest));
    (void)read_file(path, bytes);
    assert_int_equal(truncate(path, (off_t)find_line(bytes, 4)), 0);
    assert_false(atls_audit_append(a, &audit_refused, &err));
    assert_false(atls_audit_head(a, &seq, digest));
    atls_error_clear(&err);
    assert_false(atls_audit_reopen(a, RIG_NOW, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    atls_error_clear(&err);
    assert_false(atls_audit_append(a, &audit_refused, &err));
    assert_int_equal(rename(path, aside), 0); /* for whoever looks into it */
    atls_error_clear(&err);
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    append(a, &audit_refused, 1);
    assert_true(atls_audit_head(a, &seq, digest));
    atls_audit_close(a);
    assert_true(verify(path, &report));
    assert_int_equal(report.first_seq, 5); /* and the gap is there to see */
    assert_true(verify(aside, &report));
    assert_int_equal(report.last_seq, 3);
}

/* Lines in a file that has no name are nobody's to read. */
static void test_removed_while_open(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    atls_audit_report report;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    append(a, &audit_refused, 2);
    assert_int_equal(unlink(path), 0);
    assert_false(atls_audit_append(a, &audit_refused, &err));
    assert_int_equal(err.code, ATLS_E_IO);
    atls_error_clear(&err);
    assert_true(atls_audit_reopen(a, RIG_NOW, &err));
    append(a, &audit_refused, 1);
    atls_audit_close(a);
    assert_true(verify(path, &report));
    assert_int_equal(report.first_seq, 4);
}

/* ---- threads ---------------------------------------------------------------------------------------------------------------------- */

static void *append_some(void *arg)
{
    append(arg, &audit_refused, 50);
    return NULL;
}

static void test_threads(void **state)
{
    char path[2 * RIG_PATH_SIZE];
    pthread_t threads[8];
    atls_audit_report report;
    (void)state;
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, append_some, a), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    atls_audit_close(a);
    assert_true(verify(path, &report));
    assert_int_equal(report.n_lines, 401);
}

int main(void)
{
    tap_list l = {0};
    audit_setup();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "the name of an app is cut", test_long_app, NULL);
    tap_add(&l, "words that are none, serials too long, instants that are none", test_absurd, NULL);
    tap_add(&l, "a log is continued", test_continued, NULL);
    tap_add(&l, "a torn line is sealed, wherever it was torn", test_torn, NULL);
    tap_add(&l, "a whole line that was changed is not taken for torn", test_tampered_end, NULL);
    tap_add(&l, "two must not write to one file", test_locked, NULL);
    tap_add(&l, "folders, pipes and links are refused", test_files, NULL);
    tap_add(&l, "rotation: the new file begins with the last digest of the old one", test_rotation, NULL);
    tap_add(&l, "rotation onto a file that is not empty is refused", test_rotation_refused, NULL);
    tap_add(&l, "lines that are cut off while the log is open are missed", test_cut_while_open, NULL);
    tap_add(&l, "nothing is written to a file that was removed", test_removed_while_open, NULL);
    tap_add(&l, "threads", test_threads, NULL);
    const int failed = tap_run("audit", &l);
    audit_teardown();
    return failed;
}
