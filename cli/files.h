/* SPDX-License-Identifier: Apache-2.0 */
/* files.h: files of the user, with a cap on what is read and no surprise about what is written.
 *
 * A file that is named on the command line and cannot be read is a mistake of the caller (USAGE, exit status 1), unlike
 * a peer that cannot be reached. The message names the path, the field names the option or operand. */
#ifndef ATLS_CLI_FILES_H
#define ATLS_CLI_FILES_H

#include <sys/stat.h>

#include "cli.h"

/* cli_read reads a whole file into the arena, at most max bytes; "-" is standard input. Errors: USAGE (cannot be opened
 * or read), LIMIT (longer than max), MEMORY. */
ATLS_MUST_USE bool cli_read(const char *path, const char *field, size_t max, atls_arena *a, atls_bytes *out,
                            atls_error *err);

/* cli_name_file puts the path before the message of an error that is about what a file holds. Returns false, so that it stands in a
 * return. */
bool cli_name_file(const char *path, atls_error *err);

/* cli_is_pipe tells whether a path is a FIFO or a pipe (/dev/fd/N): to be read once. */
bool cli_is_pipe(const char *path);

/* cli_exists says USAGE, in words that name the option, for a file that somebody else is going to read. */
ATLS_MUST_USE bool cli_exists(const char *path, const char *field, atls_error *err);

/* A folder that is being filled. */
typedef struct cli_folder {
    const char *path;
    int fd;
} cli_folder;

/* cli_folder_open makes the folder if it is not there (mode 0755), and refuses one that holds anything unless `force`.
 * cli_folder_sub makes one inside. Errors: USAGE. */
ATLS_MUST_USE bool cli_folder_open(const char *path, bool force, cli_folder *out, atls_error *err);
ATLS_MUST_USE bool cli_folder_sub(const cli_folder *parent, const char *name, cli_folder *out, atls_error *err);
void cli_folder_close(cli_folder *f);

/* cli_write makes a file of exactly `mode` (before umask) and never writes through what was there: an old file or link
 * is removed first. Errors: USAGE with the name as field. */
ATLS_MUST_USE bool cli_write(const cli_folder *f, const char *name, mode_t mode, atls_bytes data, atls_error *err);

/* cli_write_path writes a file that the user named, mode 0644 before umask; one that is there is overwritten, as a shell's
 * redirection would. "-" is standard output. Errors: USAGE with the option as field. */
ATLS_MUST_USE bool cli_write_path(const char *path, const char *field, atls_bytes data, atls_error *err);

#endif
