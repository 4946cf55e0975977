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

/* atls_tree_root computes the root of n leaves (n * 64 bytes; 1 to ATLS_TREE_MAX_SIZE). Needs no memory. Errors: USAGE,
 * INTERNAL. */
ATLS_MUST_USE bool atls_tree_root(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, uint8_t root[64],
                                  atls_error *err);

/* atls_tree_paths computes the root and every leaf's path with 2n - 1 hashes; siblings live in the arena, at most
 * (depth + 2) * 64 bytes a leaf. paths has room for n, and is partly written on failure. Errors: USAGE, MEMORY,
 * INTERNAL. */
ATLS_MUST_USE bool atls_tree_paths(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, atls_arena *arena,
                                   uint8_t root[64], atls_tree_path *paths, atls_error *err);

/* atls_tree_path_check tells whether a path has the one form that its index and size allow: size 1 to
 * ATLS_TREE_MAX_SIZE, index below it, exactly the siblings that RFC 9162 section 2.1.3.2 asks for (none for size 1).
 * Errors: PROTOCOL with a field under `field` ("evidence.tree": size, index, siblings). */
ATLS_MUST_USE bool atls_tree_path_check(const atls_tree_path *path, const char *field, atls_error *err);

/* atls_tree_walk computes the root that a leaf and its path lead to (RFC 9162 section 2.1.3.2), after
 * atls_tree_path_check. The same root may come from another size: whoever compares it hashes the size too
 * (atls_native_report). root is written on success only. Errors: atls_tree_path_check's, INTERNAL. */
ATLS_MUST_USE bool atls_tree_walk(const atls_crypto *c, const uint8_t leaf[64], const atls_tree_path *path,
                                  const char *field, uint8_t root[64], atls_error *err);

#endif
