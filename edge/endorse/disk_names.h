/* SPDX-License-Identifier: Apache-2.0 */
/* disk_names.h: names of files, for disk.c and disk_list.c only. */
#ifndef ATLS_EDGE_ENDORSE_DISK_NAMES_H
#define ATLS_EDGE_ENDORSE_DISK_NAMES_H

#include "disk.h"

#define ATLS_ENTRY_NAME_SIZE 112u /* of either kind, with its NUL */

ATLS_MUST_USE bool atls_entry_name(const char *source, const char *path, const atls_crypto *crypto,
                                   char out[static ATLS_ENTRY_NAME_SIZE], atls_error *err);
void atls_temporary_name(const char *entry, unsigned long process, unsigned number,
                         char out[static ATLS_ENTRY_NAME_SIZE]);

/* What a file of the folder is, by its name. */
bool atls_is_entry_name(const char *name);
bool atls_is_temporary_name(const char *name);

/* atls_disk_read reads one file by its name; *found is false when it is not there. The caller hands what is refused to
 * atls_disk_refuse. */
ATLS_MUST_USE bool atls_disk_read(atls_disk *d, const char *name, atls_arena *arena, bool *found, atls_entry *out,
                                  atls_error *err);

/* atls_disk_refuse removes a file that cannot be used, unless the reason is one of our own side. */
void atls_disk_refuse(atls_disk *d, const char *name, const atls_error *why);

#endif
