/* SPDX-License-Identifier: Apache-2.0 */
/* file.h: whole regular files into an arena. */
#ifndef ATLS_EDGE_ENDORSE_FILE_H
#define ATLS_EDGE_ENDORSE_FILE_H

#include "atls/arena.h"

/* atls_file_open opens path without waiting for anything (a FIFO has no say) and tells what it is. *fd is the caller's.
 * Errors: IO with field `name`, also for what is neither a regular file nor a folder. */
ATLS_MUST_USE bool atls_file_open(const char *path, const char *name, int *fd, bool *is_folder, atls_error *err);

/* atls_file_read reads all of fd, 1 to max bytes. Errors: IO, LIMIT, MEMORY, COLLATERAL_FORMAT when it is empty; field
 * is `name`. */
ATLS_MUST_USE bool atls_file_read(int fd, const char *name, size_t max, atls_arena *arena, atls_bytes *out,
                                  atls_error *err);

/* atls_file_read_at reads a regular file of a folder; *found is false when there is none of that name. */
ATLS_MUST_USE bool atls_file_read_at(int folder, const char *name, size_t max, atls_arena *arena, bool *found,
                                     atls_bytes *out, atls_error *err);

#endif
