/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: endorsements from a path: a file, a folder of files, or a folder of PCS responses. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "atls/endorse.h"
#include "base/limits.h"
#include "file.h"
#include "folder.h"

#define MAX_FILES 48u  /* of a folder: what a pile holds */
#define NAME_SIZE 256u /* of a file, with its NUL */

/* Errors name the file, not the whole path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

static bool add_file(int fd, const char *name, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    atls_bytes file;
    return atls_file_read(fd, name, ATLS_MAX_BUNDLE_LEN, arena, &file, err)
           && atls_endorsements_add(file, arena, inout, err);
}

/* ---- a folder of certificates and lists ---------------------------------------------------------------------------- */

/* Names of files that are read, in their order, so that the same folder always gives the same list. */
typedef struct listing {
    char names[MAX_FILES][NAME_SIZE];
    size_t n;
} listing;

static bool is_wanted(const char *name)
{
    static const char *const endings[] = {".pem", ".crt", ".cer", ".der", ".crl"};
    const size_t len = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (len > 4 && len < NAME_SIZE && strcmp(name + len - 4, endings[i]) == 0) {
            return true;
        }
    }
    return false;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The stream owns the descriptor that it is given. */
static bool list_folder(int fd, const char *name, listing *l, atls_error *err)
{
    const int own = openat(fd, ".", O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (stream == NULL) {
        if (own >= 0) {
            (void)close(own);
        }
        return atls_fail(err, ATLS_E_IO, name, "%s cannot be listed", name);
    }
    bool ok = true;
    for (const struct dirent *d; ok && (d = readdir(stream)) != NULL;) {
        if (!is_wanted(d->d_name)) {
            continue;
        }
        if (l->n == MAX_FILES) {
            ok = atls_fail(err, ATLS_E_LIMIT, name, "more than %u files", MAX_FILES);
            break;
        }
        (void)snprintf(l->names[l->n++], NAME_SIZE, "%s", d->d_name);
    }
    (void)closedir(stream);
    qsort(l->names, l->n, NAME_SIZE, by_name);
    return ok;
}

static bool load_folder(int fd, const char *name, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    listing *l = atls_arena_alloc(arena, sizeof *l, err);
    if (l == NULL || !list_folder(fd, name, l, err)) {
        return false;
    }
    for (size_t i = 0; i < l->n; i++) {
        bool found = false;
        atls_bytes file;
        if (!atls_file_read_at(fd, l->names[i], ATLS_MAX_BUNDLE_LEN, arena, &found, &file, err)) {
            return false;
        }
        if (found && !atls_endorsements_add(file, arena, inout, err)) {
            return atls_error_relabel(err, err->code, l->names[i]);
        }
    }
    return l->n > 0
           || atls_fail(err, ATLS_E_IO, name, "%s holds neither PCS responses nor certificates (.pem, .der, .crl)",
                        name);
}

static bool load_pcs(int fd, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    atls_endorsements found;
    if (inout->platform != ATLS_PLATFORM_NONE) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "endorsements", "there is a bundle of collateral already");
    }
    if (!atls_folder_load(fd, arena, &found, err)) {
        return false;
    }
    inout->platform = found.platform;
    inout->dcap = found.dcap;
    return true;
}

/* ---- the doors ------------------------------------------------------------------------------------------------------- */

bool atls_endorsements_load_more(const char *path, atls_arena *arena, atls_endorsements *inout, atls_error *err)
{
    int fd;
    bool is_folder;
    const char *name = base_name(path);
    if (!atls_file_open(path, name, &fd, &is_folder, err)) {
        return false;
    }
    const bool is_pcs = is_folder && atls_folder_is_pcs(fd);
    const bool ok = is_pcs      ? load_pcs(fd, arena, inout, err)
                    : is_folder ? load_folder(fd, name, arena, inout, err)
                                : add_file(fd, name, arena, inout, err);
    (void)close(fd);
    return ok;
}

bool atls_endorsements_load(const char *path, atls_arena *arena, atls_endorsements *out, atls_error *err)
{
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (!atls_endorsements_load_more(path, arena, out, err)) {
        *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
        return false;
    }
    return true;
}
