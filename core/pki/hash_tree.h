/* SPDX-License-Identifier: Apache-2.0 */
/* hash_tree.h: a tree of hashes as in RFC 9162 section 2.1, with SHA-512 and leaves of 64 bytes.
 *
 * H(0x00 || leaf) at the bottom, H(0x01 || left || right) above. Paths come from the network: their length must be
 * exactly what index and size require. */
#ifndef ATLS_PKI_HASH_TREE_H
#define ATLS_PKI_HASH_TREE_H

#include "signature.h"

#define ATLS_TREE_HASH_LEN  64u
#define ATLS_TREE_MAX_SIZE  65536u
#define ATLS_TREE_MAX_DEPTH 16u

/* Where a leaf stands. */
typedef struct atls_tree_path {
    uint64_t index;
    uint64_t size;       /* leaves of the tree, at least 1 */
    atls_bytes siblings; /* n * 64 bytes, lowest first; borrowed */
} atls_tree_path;

/* atls_tree_root computes the root of n leaves (n * 64 bytes; 1 to ATLS_TREE_MAX_SIZE). Errors: USAGE, INTERNAL. */
ATLS_MUST_USE bool atls_tree_root(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, uint8_t root[64],
                                  atls_error *err);

/* atls_tree_paths computes the root and every leaf's path; siblings live in the arena. paths has room for n.
 * Errors: USAGE, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_tree_paths(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, atls_arena *arena,
                                   uint8_t root[64], atls_tree_path *paths, atls_error *err);

/* atls_tree_walk computes the root that a leaf and its path lead to (RFC 9162 section 2.1.3.2). Errors: PROTOCOL with a
 * field under `field` ("evidence.tree": size, index, siblings) when the path is not of the exact form, INTERNAL. */
ATLS_MUST_USE bool atls_tree_walk(const atls_crypto *c, const uint8_t leaf[64], const atls_tree_path *path,
                                  const char *field, uint8_t root[64], atls_error *err);

#endif
