/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h: the cache's folder, one file for each entry, shared by any number of processes without a lock.
 *
 *   <64 hex digits of atls_entry_key>.entry            whole: it came here by rename, after fsync
 *   <64 hex digits>.<process>.<number>.tmp             being written; left behind by whoever was killed
 *
 * A file is only read if it is a regular file of this user's that nobody else may write, and no link. What is refused is
 * removed. The folder itself is this user's, and nobody else may write there. Other files are left alone. */
#ifndef ATLS_EDGE_ENDORSE_DISK_H
#define ATLS_EDGE_ENDORSE_DISK_H

#include <stdatomic.h>

#include "entry.h"

typedef struct atls_disk {
    int fd; /* the folder; -1: there is none, and every call finds nothing */
    const atls_crypto *crypto;
    size_t max_entries;
    size_t max_len;     /* bytes of files */
    bool reads_only;    /* nothing is made, written, touched or removed */
    atomic_uint number; /* of the next temporary file */
} atls_disk;

/* atls_disk_open makes the folder and those above it where they are not there (0700), and tidies up. crypto outlives it. With
 * reads_only it does neither, and a folder that is not there has nothing. Errors: IO with field "cache_folder". */
ATLS_MUST_USE bool atls_disk_open(const char *folder, const atls_crypto *crypto, size_t max_entries, size_t max_len,
                                  bool reads_only, atls_disk *out, atls_error *err);
void atls_disk_close(atls_disk *d);

/* atls_disk_load reads the entry of a piece; *found is false when there is none. What is there and cannot be used is removed,
 * and is an error: COLLATERAL_FORMAT, LIMIT, with "entry..." as field; IO (no descriptor was left, say) removes nothing. The file counts as used just now. */
ATLS_MUST_USE bool atls_disk_load(atls_disk *d, const char *source, const char *path, atls_arena *arena, bool *found,
                                  atls_entry *out, atls_error *err);

/* atls_disk_save writes an entry, and removes those used longest ago where they are too many. Either the whole entry is there
 * afterwards, or what was there before. Errors: IO, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_disk_save(atls_disk *d, const atls_entry *entry, atls_arena *arena, atls_error *err);

/* atls_disk_remove removes the entry of a piece, if there is one. */
void atls_disk_remove(atls_disk *d, const char *source, const char *path);

/* atls_disk_each reads every entry, in no order, resetting the arena before each. What cannot be used is removed (see above), and
 * told to `refused` (NULL is fine). Errors: IO when the folder cannot be listed. */
typedef struct atls_disk_visitor {
    void (*entry)(void *ctx, const atls_entry *entry);
    void (*refused)(void *ctx, const atls_error *why);
    void *ctx;
} atls_disk_visitor;
ATLS_MUST_USE bool atls_disk_each(atls_disk *d, const atls_disk_visitor *visitor, atls_arena *arena, atls_error *err);

/* atls_disk_tidy removes temporary files that nobody can be writing any more, and entries beyond the bounds. */
void atls_disk_tidy(atls_disk *d);

#endif
