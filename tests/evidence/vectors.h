/* SPDX-License-Identifier: Apache-2.0 */
/* vectors.h: genuine evidence, which is not part of the repository: found through ATLS_VECTORS, ../shared/vectors
 * otherwise. Tests skip where it is absent. */
#ifndef ATLS_TESTS_VECTORS_H
#define ATLS_TESTS_VECTORS_H

#include "atls/arena.h"
#include "tap.h"

/* vectors_read reads a file below the folder of vectors into the arena; false when there is no such file. */
static inline bool vectors_read(const char *path, atls_arena *a, atls_bytes *out)
{
    char full[512];
    const char *root = getenv("ATLS_VECTORS");
    atls_error err = {.code = ATLS_OK};
    snprintf(full, sizeof full, "%s/%s", root == NULL ? "../shared/vectors" : root, path);
    FILE *f = fopen(full, "rb");
    if (f == NULL) {
        return false;
    }
    bool ok = fseek(f, 0, SEEK_END) == 0;
    long size = ok ? ftell(f) : -1;
    rewind(f);
    uint8_t *bytes = size < 0 ? NULL : atls_arena_raw(a, (size_t)size, &err);
    ok = bytes != NULL && fread(bytes, 1, (size_t)size, f) == (size_t)size;
    fclose(f);
    if (ok) {
        *out = atls_bytes_of(bytes, (size_t)size);
    }
    return ok;
}

/* vectors_absent is the one test that runs where there are none. */
static inline void vectors_absent(void **state)
{
    (void)state;
    skip();
}

#endif
