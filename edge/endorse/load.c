/* SPDX-License-Identifier: Apache-2.0 */
/* load.c: endorsements from a path: a bundle file, or a folder of PCS responses. */
#include <string.h>
#include <unistd.h>

#include "atls/endorse.h"
#include "base/limits.h"
#include "file.h"
#include "folder.h"

/* Errors name the file, not the whole path. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL || slash[1] == '\0' ? path : slash + 1;
}

static bool load_bundle(int fd, const char *name, atls_arena *arena, atls_endorsements *out, atls_error *err)
{
    atls_bytes json;
    return atls_file_read(fd, name, ATLS_MAX_BUNDLE_LEN, arena, &json, err)
           && atls_endorsements_from_bundle(json, arena, out, err);
}

bool atls_endorsements_load(const char *path, atls_arena *arena, atls_endorsements *out, atls_error *err)
{
    int fd;
    bool is_folder;
    const char *name = base_name(path);
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (!atls_file_open(path, name, &fd, &is_folder, err)) {
        return false;
    }
    bool ok = is_folder ? atls_folder_load(fd, arena, out, err) : load_bundle(fd, name, arena, out, err);
    (void)close(fd);
    return ok;
}
