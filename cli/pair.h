/* SPDX-License-Identifier: Apache-2.0 */
/* pair.h: a private key and its certificate chain, as two files that are both there or not at all. */
#ifndef ATLS_CLI_PAIR_H
#define ATLS_CLI_PAIR_H

#include "cli.h"

typedef struct cli_pair {
    const char *key_path;   /* PREFIX-key.pem, mode 0600 */
    const char *chain_path; /* PREFIX-chain.pem, mode 0644 before umask */
    bool force;             /* take the place of files that are there */
} cli_pair;

/* cli_pair_name makes the paths, in the arena, and looks whether something is in the way already (with force: what is no
 * file), so that nobody asks for a certificate that cannot be kept. Errors: USAGE with the option as field, MEMORY. */
ATLS_MUST_USE bool cli_pair_name(const char *prefix, const char *field, bool force, atls_arena *a, cli_pair *out,
                                 atls_error *err);

/* cli_pair_write writes both, whole, beside their place, and then moves them there; without force never over what is there.
 * Where only the first can be moved, the key that was there comes back. Errors: USAGE. */
ATLS_MUST_USE bool cli_pair_write(const cli_pair *p, const char *field, atls_bytes key, atls_bytes chain, atls_arena *a,
                                  atls_error *err);

#endif
