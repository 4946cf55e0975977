/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_audit.c: atls enrol audit over logs as the service writes them: whole, changed, cut, rotated, in the wrong order. */
#include "base/text.h"
#include "edge/service/audit.h"
#include "run.h"

#define NOW INT64_C(1781524800123) /* 2026-06-15T12:00:00.123Z */

/* Digests of the last line of the first and of the second file, for rows. */
static char first_head[65];
static char second_head[65];

static void path_of(const char *name, char out[static 512])
{
    (void)snprintf(out, 512, "%s/%s", place.folder, name);
}

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        fail_msg("%s %s: %s", atls_code_name(err->code), err->field, err->message);
    }
}

static void append(atls_audit *a, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        atls_error err = {.code = ATLS_OK};
        const atls_audit_entry e = {.time_ms = NOW + 1000 * (int64_t)(i + 1), .request = "r-1", .is_accepted = true};
        must(atls_audit_append(a, &e, &err), &err);
    }
}

static void head_of(atls_audit *a, char out[static 65])
{
    uint64_t seq = 0;
    uint8_t digest[ATLS_AUDIT_DIGEST_LEN];
    atls_audit_head(a, &seq, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), out);
    out[64] = '\0';
}

/* Where a line ends, counted from 1. */
static size_t end_of(const char *text, unsigned line)
{
    const char *at = text;
    for (unsigned i = 0; i < line; i++) {
        at = strchr(at, '\n');
        assert_non_null(at);
        at++;
    }
    return (size_t)(at - text);
}

static void write_changed(void)
{
    size_t len = 0;
    char *text = run_read("audit.log.1", &len);
    run_write("cut.log", text, end_of(text, 3));
    run_write("torn.log", text, len - 5);
    char *at = strstr(text + end_of(text, 2), "accepted");
    assert_non_null(at);
    *at = 'b';
    run_write("changed.log", text, len);
    free(text);
}

/* audit.log.1 has a beginning and 4 requests, audit.log goes on from it with 2. */
static void test_files(void **state)
{
    char path[512];
    char old[512];
    atls_error err = {.code = ATLS_OK};
    atls_audit *a = NULL;
    (void)state;
    path_of("audit.log", path);
    path_of("audit.log.1", old);
    must(atls_audit_open(path, NULL, NOW, &a, NULL, &err), &err);
    append(a, 4);
    head_of(a, first_head);
    assert_int_equal(rename(path, old), 0);
    must(atls_audit_reopen(a, NOW + 60000, &err), &err);
    append(a, 2);
    head_of(a, second_head);
    atls_audit_close(a);
    path_of("other.log", path);
    must(atls_audit_open(path, NULL, NOW, &a, NULL, &err), &err);
    append(a, 1);
    atls_audit_close(a);
    write_changed();
    run_write("head1", first_head, 64);
    run_write("head2", second_head, 64);
    run_write("nohead", "0000000000000000000000000000000000000000000000000000000000000000", 64);
    run_write("empty", "", 0);
}

/* What is printed names the digest that the writer of the log has. */
static void test_head(void **state)
{
    char wanted[128];
    (void)state;
    run_output o = run("enrol audit {d}/audit.log.1 {d}/audit.log", NULL);
    assert_int_equal(o.status, 0);
    (void)snprintf(wanted, sizeof wanted, "head    %s, seq 8\n", second_head);
    run_holds("stdout", o.out, wanted);
    run_free(&o);
    o = run("enrol audit --json {d}/audit.log.1", NULL);
    assert_int_equal(o.status, 0);
    (void)snprintf(wanted, sizeof wanted, "\"head\":\"%s\"", first_head);
    run_holds("stdout", o.out, wanted);
    run_free(&o);
}

/* clang-format off */
static const run_row rows[] = {
    {"help", "enrol audit --help", NULL, 0, "--head", {NULL}},
    {"no file", "enrol audit", NULL, 1, NULL, {"FILE...: missing"}},
    {"a file that is not there", "enrol audit {d}/none", NULL, 1, NULL, {"USAGE FILE"}},
    {"a whole log", "enrol audit {d}/audit.log.1", NULL, 0, "audit.log.1: whole, 5 lines, seq 1 to 5\nlines   5\nfirst   2026-06-15T12:00:00.123Z\nlast    2026-06-15T12:00:04.123Z\nhead    ", {NULL}},
    {"and the one after it", "enrol audit {d}/audit.log.1 {d}/audit.log", NULL, 0, "audit.log: whole, 3 lines, seq 6 to 8\nlines   8\n", {NULL}},
    {"the second alone names what is missing", "enrol audit {d}/audit.log", NULL, 0, ", of a file that is not among these\n", {NULL}},
    {"the first alone does not", "enrol audit {d}/audit.log.1", NULL, 0, "!not among these", {NULL}},
    {"the wrong order", "enrol audit {d}/audit.log {d}/audit.log.1", NULL, 2, "audit.log.1: NOT whole", {"ENCODING audit.previous", "begins a chain of its own"}},
    {"one file twice", "enrol audit {d}/audit.log.1 {d}/audit.log {d}/audit.log", NULL, 2, "line 1: ENCODING audit.previous", {"does not follow the one before it"}},
    {"a file that is missing between", "enrol audit {d}/other.log {d}/audit.log", NULL, 2, "audit.log: NOT whole", {"does not follow"}},
    {"a changed line", "enrol audit {d}/changed.log", NULL, 2, "changed.log: NOT whole, 2 lines, seq 1 to 2\n  line 3: ENCODING audit.digest: the line was changed", {"ENCODING audit.digest"}},
    {"what comes after it is looked at", "enrol audit {d}/changed.log {d}/audit.log", NULL, 2, "audit.log: whole, 3 lines", {"audit.digest"}},
    {"a torn end", "enrol audit {d}/torn.log", NULL, 2, "a service that was stopped in the middle of it, or one that writes it right now", {"the last line has no end"}},
    {"an empty file", "enrol audit {d}/empty", NULL, 2, "NOT whole, 0 lines", {"the file is empty"}},
    {"no log at all", "enrol audit {d}/head1", NULL, 2, "NOT whole", {"ENCODING audit"}},
    {"a tail that was cut off is not seen", "enrol audit {d}/cut.log", NULL, 0, "cut.log: whole, 3 lines", {NULL}},
    {"but with the head it is", "enrol audit --head @{d}/head1 {d}/cut.log", NULL, 2, "cut.log: whole", {"ENCODING --head: no line has this digest: lines were cut off at the end"}},
    {"the head of the whole", "enrol audit --head @{d}/head2 {d}/audit.log.1 {d}/audit.log", NULL, 0, "--head  is seq 8, 0 before the last", {NULL}},
    {"an older head", "enrol audit --head @{d}/head1 {d}/audit.log.1 {d}/audit.log", NULL, 0, "--head  is seq 5, 3 before the last", {NULL}},
    {"a head of something else", "enrol audit --head @{d}/nohead {d}/audit.log.1", NULL, 2, "whole", {"--head"}},
    {"a head that is none", "enrol audit --head 00 {d}/audit.log.1", NULL, 1, NULL, {"USAGE --head"}},
    {"a head does not mend a broken log", "enrol audit --head @{d}/head2 {d}/changed.log {d}/audit.log", NULL, 2, "--head  is seq 8", {"audit.digest"}},
    {"as JSON", "enrol audit --json {d}/audit.log.1 {d}/audit.log", NULL, 0, "{\"schema\":1,\"whole\":true,\"lines\":8,\"first_time\":\"2026-06-15T12:00:00.123Z\",\"last_time\":\"2026-06-15T12:00:02.123Z\",\"seq\":8", {NULL}},
    {"JSON of a bad line", "enrol audit --json {d}/changed.log", NULL, 2, "\"error\":{\"line\":3,\"code\":\"ENCODING\",\"field\":\"audit.digest\"", {NULL}},
    {"JSON of a head", "enrol audit --json --head @{d}/head1 {d}/audit.log.1", NULL, 0, "\"found_seq\":5,\"error\":null", {NULL}},
    {"JSON of a cut", "enrol audit --json --head @{d}/head1 {d}/cut.log", NULL, 2, "\"found_seq\":null,\"error\":{\"code\":\"ENCODING\",\"field\":\"--head\"", {NULL}},
};
/* clang-format on */

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    tap_add(&tests, "logs", test_files, NULL);
    tap_add(&tests, "the head", test_head, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    const int failed = tap_run("enrol_audit", &tests);
    run_end();
    return failed;
}
