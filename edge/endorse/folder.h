/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h: a folder of PCS responses. docs/endorsements.md lists the names. */
#ifndef ATLS_EDGE_ENDORSE_FOLDER_H
#define ATLS_EDGE_ENDORSE_FOLDER_H

#include "atls/endorse.h"

/* atls_folder_load reads the folder that fd is open on. Errors: IO with the file's name as field, also when one is
 * missing; COLLATERAL_FORMAT, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_folder_load(int fd, atls_arena *arena, atls_endorsements *out, atls_error *err);

/* atls_folder_is_pcs tells whether a folder holds any file of that kind. */
bool atls_folder_is_pcs(int fd);

#endif
