/* SPDX-License-Identifier: Apache-2.0 */
/* audit_rig.c: files of the audit log, made and changed. */
#include "audit_rig.h"

#include <fcntl.h>
#include <unistd.h>

#include "tap.h"

/* Nobody pulls a plug here: without this, most of the time would be waiting for the disk. (test_audit_crash.c looks at flushing.) */
int fdatasync(int fd);
int fsync(int fd);
int fdatasync(int fd)
{
    (void)fd;
    return 0;
}
int fsync(int fd)
{
    (void)fd;
    return 0;
}

static char folder[RIG_PATH_SIZE];

void audit_setup(void)
{
    rig_make_folder(folder);
}

void audit_teardown(void)
{
    rig_remove_folder(folder);
}

const char *audit_folder(void)
{
    return folder;
}

const uint8_t audit_digest_a[32] = {0xaa, 1};
const uint8_t audit_digest_b[32] = {0xbb, 2};

const atls_audit_entry audit_refused = {
    .time_ms = RIG_NOW + 7,
    .request = "r-1",
    .nonce_sha256 = audit_digest_a,
    .platform = ATLS_PLATFORM_ANDROID,
    .class_name = "Content.Android",
    .reason = "CHALLENGE",
    .code = ATLS_E_ANDROID_CHALLENGE,
    .kind = ATLS_CATEGORY_CONTENT,
    .latency_us = 1234,
};

void name_log(char out[static 2 * RIG_PATH_SIZE])
{
    static unsigned number;
    (void)snprintf(out, 2 * RIG_PATH_SIZE, "%s/%u.log", folder, ++number);
}

atls_audit *open_log(const char *path, atls_audit_found *found)
{
    atls_audit *a = NULL;
    atls_error err = {.code = ATLS_OK};
    if (!atls_audit_open(path, NULL, RIG_NOW, &a, found, &err)) {
        rig_die(&err);
    }
    return a;
}

void append(atls_audit *a, const atls_audit_entry *e, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        atls_error err = {.code = ATLS_OK};
        if (!atls_audit_append(a, e, &err)) {
            rig_die(&err);
        }
    }
}

size_t read_file(const char *path, uint8_t out[static MAX_FILE])
{
    const int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    const ssize_t n = read(fd, out, MAX_FILE);
    (void)close(fd);
    assert_true(n >= 0 && (size_t)n < MAX_FILE);
    return (size_t)n;
}

void write_file(const char *path, const void *ptr, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0600); /* O_TRUNC makes some file systems flush */
    assert_true(fd >= 0 && write(fd, ptr, len) == (ssize_t)len && ftruncate(fd, (off_t)len) == 0);
    (void)close(fd);
}

bool verify(const char *path, atls_audit_report *out)
{
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_audit_verify(path, out, &err);
    assert_int_equal(ok, err.code == ATLS_OK);
    assert_int_equal(ok, out->bad_line == 0);
    return ok;
}

/* A log of a beginning and n lines; its bytes in out. */
size_t make_log(char path[static 2 * RIG_PATH_SIZE], unsigned n, uint8_t out[static MAX_FILE])
{
    name_log(path);
    atls_audit *a = open_log(path, NULL);
    append(a, &audit_refused, n);
    atls_audit_close(a);
    return read_file(path, out);
}

size_t find_line(const uint8_t *bytes, unsigned line)
{
    size_t at = 0;
    while (line > 1) {
        line -= bytes[at++] == '\n' ? 1 : 0;
    }
    return at;
}
