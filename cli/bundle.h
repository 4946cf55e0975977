/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h: signed bundles of endorsements on the command line: who may have signed one, and which was used last. */
#ifndef ATLS_CLI_BUNDLE_H
#define ATLS_CLI_BUNDLE_H

#include "options.h"

typedef struct cli_bundle_words {
    cli_list keys;
    const char *state;
    bool allow_older;
    bool only_checks; /* no option: the memory is asked, and not told: nothing is used */
    bool only_looks;  /* no option: nothing will be accepted by it, so that the memory is neither asked nor told */
} cli_bundle_words;

/* The rows of a verb that takes bundles. */
#define CLI_BUNDLE_KEY_ROW(w)                                                                                          \
    {                                                                                                                  \
        "bundle-key", 0, "FILE", "public key (PEM) that may have signed a bundle; may be given again",                 \
            .list = &(w)->keys                                                                                         \
    }
#define CLI_BUNDLE_ROWS(w)                                                                                             \
    CLI_BUNDLE_KEY_ROW(w),                                                                                             \
        {"bundle-state", 0, "FILE", "where the last bundle is remembered (XDG_STATE_HOME/atls/bundles)",               \
         .text = &(w)->state},                                                                                         \
    {                                                                                                                  \
        "allow-older-bundle", 0, NULL, "use a bundle older than the last one; the result shows it",                    \
            .flag = &(w)->allow_older                                                                                  \
    }

/* cli_bundle_open reads a bundle out of a file's bytes and asks the memory about it, unless the words only look. field: the option or operand it came by.
 * Errors: USAGE (no key), and those of atls_bundle_open and atls_bundle_admit. */
ATLS_MUST_USE bool cli_bundle_open(atls_bytes file, const char *field, const cli_bundle_words *w, atls_arena *a,
                                   atls_bundle *out, atls_error *err);

/* cli_bundle_verify is the same without the memory: nothing is used yet. */
ATLS_MUST_USE bool cli_bundle_verify(atls_bytes file, const char *field, const cli_list *keys, atls_arena *a,
                                     atls_bundle *out, atls_error *err);

/* cli_bundle_at tells whether a path is a file that begins like a bundle. A path that cannot be read is none. */
bool cli_bundle_at(const char *path);

/* cli_pieces_add adds a file or folder of endorsements to a list of pieces. A signed bundle is opened with the keys; without
 * any, if look_only, it is taken apart without a look at its signature, and otherwise refused. *bundle (may be NULL) is that
 * bundle, its n_pieces 0 where the path was none. */
ATLS_MUST_USE bool cli_pieces_add(const char *path, const char *field, const cli_list *keys, bool look_only,
                                  atls_arena *a, atls_bundle_pieces *pieces, atls_bundle *bundle, atls_error *err);

#endif
