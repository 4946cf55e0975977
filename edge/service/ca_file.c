/* SPDX-License-Identifier: Apache-2.0 */
/* ca_file.c: reads the files of a CA. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca_internal.h"
#include "edge/endorse/file.h"

/* The message says why; the code is that of a configuration that cannot work. */
static bool as_configuration(atls_error *err)
{
    if (err->code != ATLS_E_MEMORY) {
        err->code = ATLS_E_CONFIGURATION;
        err->category = atls_code_category(err->code);
        err->retry = false;
    }
    return false;
}

static bool is_private(int fd, const char *path, const char *field, atls_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        return atls_fail(err, ATLS_E_CONFIGURATION, field, "%s cannot be looked at", path);
    }
    return (st.st_mode & S_IRWXO) == 0
           || atls_fail(err, ATLS_E_CONFIGURATION, field,
                        "%s holds a secret, and everybody may read or write it: chmod 600", path);
}

bool ca_file_read(const char *path, const char *field, bool is_secret, atls_arena *a, atls_bytes *out, atls_error *err)
{
    int fd;
    bool is_folder;
    if (!atls_file_open(path, field, &fd, &is_folder, err)) {
        return as_configuration(err);
    }
    bool ok = !is_secret || is_private(fd, path, field, err);
    ok = ok && (atls_file_read(fd, field, CA_MAX_FILE_LEN, a, out, err) || as_configuration(err));
    (void)close(fd);
    return ok;
}

bool ca_file_line(const char *path, const char *field, char *out, size_t cap, atls_error *err)
{
    atls_arena a = {0};
    atls_bytes text;
    out[0] = '\0';
    if (!atls_arena_new(&a, 2 * CA_MAX_FILE_LEN, err)) {
        return false;
    }
    bool ok = ca_file_read(path, field, true, &a, &text, err);
    size_t n = 0;
    while (ok && n < text.len && text.ptr[n] != '\n' && text.ptr[n] != '\r') {
        n++;
    }
    if (ok && (n == 0 || n >= cap || memchr(text.ptr, 0, n) != NULL)) {
        ok = atls_fail(err, ATLS_E_CONFIGURATION, field, "the first line of %s has to have 1 to %zu bytes", path,
                       cap - 1);
    }
    if (ok) {
        memcpy(out, text.ptr, n);
        out[n] = '\0';
    }
    atls_arena_free(&a); /* wipes */
    return ok;
}
