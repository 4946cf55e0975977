/* SPDX-License-Identifier: Apache-2.0 */
/* hash_tree.c: the tree level by level.
 *
 * RFC 9162 splits n leaves at the largest power of two below n. From the bottom up that is: pair neighbours, and let a
 * last node without a neighbour rise as it is. So node i of a level whose last node is `last` has a sibling unless it is
 * that last node and even. */
#include "hash_tree.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define HASH_LEN ATLS_TREE_HASH_LEN

/* RFC 9162 2.1.1: what stands before a leaf and before two nodes, so that neither can be taken for the other */
static const uint8_t leaf_prefix = 0x00;
static const uint8_t node_prefix = 0x01;

static bool hash_leaf(const atls_crypto *c, const uint8_t leaf[HASH_LEN], uint8_t out[HASH_LEN], atls_error *err)
{
    atls_bytes parts[] = {atls_bytes_of(&leaf_prefix, 1), atls_bytes_of(leaf, HASH_LEN)};
    return atls_digest(c, ATLS_SHA512, parts, 2, out, err);
}

/* out may be left or right: the digest is written when all input has been read. */
static bool hash_node(const atls_crypto *c, const uint8_t left[HASH_LEN], const uint8_t right[HASH_LEN],
                      uint8_t out[HASH_LEN], atls_error *err)
{
    atls_bytes parts[] = {atls_bytes_of(&node_prefix, 1), atls_bytes_of(left, HASH_LEN),
                          atls_bytes_of(right, HASH_LEN)};
    return atls_digest(c, ATLS_SHA512, parts, 3, out, err);
}

static bool has_sibling(uint64_t i, uint64_t last)
{
    return i % 2 == 1 || i < last;
}

/* How many siblings lie on the way from a leaf to the root. */
static size_t count_siblings(uint64_t index, uint64_t size)
{
    size_t n = 0;
    uint64_t i = index;
    for (uint64_t last = size - 1; last > 0; last /= 2) {
        n += has_sibling(i, last) ? 1 : 0;
        i /= 2;
    }
    return n;
}

static bool check_leaves(size_t n, atls_error *err)
{
    if (n >= 1 && n <= ATLS_TREE_MAX_SIZE) {
        return true;
    }
    return atls_fail(err, ATLS_E_USAGE, "tree.size", "a tree has 1 to %u leaves, not %zu", ATLS_TREE_MAX_SIZE, n);
}

/* ---- root ---------------------------------------------------------------------------------------------------------- */

/* Whole subtrees, the largest first: their sizes are the bits of the number of leaves taken so far. */
typedef struct subtrees {
    uint8_t hashes[ATLS_TREE_MAX_DEPTH + 1][HASH_LEN];
    size_t n;
} subtrees;

static bool merge_last(const atls_crypto *c, subtrees *s, atls_error *err)
{
    s->n--;
    return hash_node(c, s->hashes[s->n - 1], s->hashes[s->n], s->hashes[s->n - 1], err);
}

/* Takes the leaf with this index; as a binary counter carries, equal subtrees become one. */
static bool add_leaf(const atls_crypto *c, subtrees *s, const uint8_t leaf[HASH_LEN], size_t index, atls_error *err)
{
    if (!hash_leaf(c, leaf, s->hashes[s->n], err)) {
        return false;
    }
    s->n++;
    for (size_t carry = index; carry % 2 == 1; carry /= 2) {
        if (!merge_last(c, s, err)) {
            return false;
        }
    }
    return true;
}

bool atls_tree_root(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, uint8_t root[64], atls_error *err)
{
    subtrees s = {.n = 0};
    if (!check_leaves(n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_leaf(c, &s, leaves[i], i, err)) {
            return false;
        }
    }
    while (s.n > 1) {
        if (!merge_last(c, &s, err)) {
            return false;
        }
    }
    memcpy(root, s.hashes[0], HASH_LEN);
    return true;
}

/* ---- paths --------------------------------------------------------------------------------------------------------- */

typedef struct node {
    uint8_t hash[HASH_LEN];
} node;

/* All levels stand one behind the other in one array, leaves first, the root last. */
static size_t count_nodes(size_t n)
{
    size_t all = 1;
    for (size_t last = n - 1; last > 0; last /= 2) {
        all += last + 1;
    }
    return all;
}

/* Fills the level behind `below` from it, which has last + 1 nodes. */
static bool hash_level(const atls_crypto *c, node *below, size_t last, atls_error *err)
{
    node *level = below + last + 1;
    for (size_t i = 0; i < last; i += 2) {
        if (!hash_node(c, below[i].hash, below[i + 1].hash, level[i / 2].hash, err)) {
            return false;
        }
    }
    if (!has_sibling(last, last)) {
        level[last / 2] = below[last];
    }
    return true;
}

static bool hash_levels(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, node *nodes, atls_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!hash_leaf(c, leaves[i], nodes[i].hash, err)) {
            return false;
        }
    }
    for (size_t last = n - 1; last > 0; last /= 2) {
        if (!hash_level(c, nodes, last, err)) {
            return false;
        }
        nodes += last + 1;
    }
    return true;
}

static bool collect_path(const node *nodes, size_t index, size_t size, atls_arena *arena, atls_tree_path *out,
                         atls_error *err)
{
    size_t len = count_siblings(index, size) * HASH_LEN;
    uint8_t *siblings = atls_arena_raw(arena, len, err);
    if (siblings == NULL) {
        return false;
    }
    *out = (atls_tree_path){.index = index, .size = size, .siblings = atls_bytes_of(siblings, len)};
    size_t i = index;
    for (size_t last = size - 1; last > 0; last /= 2) {
        if (has_sibling(i, last)) {
            memcpy(siblings, nodes[i ^ 1].hash, HASH_LEN);
            siblings += HASH_LEN;
        }
        nodes += last + 1;
        i /= 2;
    }
    return true;
}

bool atls_tree_paths(const atls_crypto *c, const uint8_t (*leaves)[64], size_t n, atls_arena *arena, uint8_t root[64],
                     atls_tree_path *paths, atls_error *err)
{
    if (!check_leaves(n, err)) {
        return false;
    }
    node *nodes = atls_arena_array(arena, count_nodes(n), sizeof *nodes, err);
    if (nodes == NULL || !hash_levels(c, leaves, n, nodes, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!collect_path(nodes, i, n, arena, &paths[i], err)) {
            return false;
        }
    }
    memcpy(root, nodes[count_nodes(n) - 1].hash, HASH_LEN);
    return true;
}

/* ---- walk ---------------------------------------------------------------------------------------------------------- */

static bool fail_path(const char *field, const char *name, const char *expected, uint64_t actual, const char *message,
                      atls_error *err)
{
    char full[64];
    char actual_text[32];
    snprintf(full, sizeof full, "%s%s%s", field, field[0] == '\0' ? "" : ".", name);
    snprintf(actual_text, sizeof actual_text, "%llu", (unsigned long long)actual);
    return atls_fail_values(err, ATLS_E_PROTOCOL, full, expected, actual_text, "%s", message);
}

bool atls_tree_path_check(const atls_tree_path *path, const char *field, atls_error *err)
{
    char expected[32];
    if (path->size < 1 || path->size > ATLS_TREE_MAX_SIZE) {
        snprintf(expected, sizeof expected, "1 to %u", ATLS_TREE_MAX_SIZE);
        return fail_path(field, "size", expected, path->size, "no tree has this size", err);
    }
    if (path->index >= path->size) {
        snprintf(expected, sizeof expected, "at most %llu", (unsigned long long)(path->size - 1));
        return fail_path(field, "index", expected, path->index, "the tree has no leaf with this index", err);
    }
    size_t len = count_siblings(path->index, path->size) * HASH_LEN;
    if (path->siblings.len != len) {
        snprintf(expected, sizeof expected, "%zu", len);
        return fail_path(field, "siblings", expected, path->siblings.len,
                         "the siblings have another length than index and size require", err);
    }
    return true;
}

bool atls_tree_walk(const atls_crypto *c, const uint8_t leaf[64], const atls_tree_path *path, const char *field,
                    uint8_t root[64], atls_error *err)
{
    uint8_t hash[HASH_LEN];
    if (!atls_tree_path_check(path, field, err) || !hash_leaf(c, leaf, hash, err)) {
        return false;
    }
    const uint8_t *sibling = path->siblings.ptr;
    uint64_t i = path->index;
    for (uint64_t last = path->size - 1; last > 0; last /= 2) {
        if (has_sibling(i, last)) {
            bool ok = i % 2 == 1 ? hash_node(c, sibling, hash, hash, err) : hash_node(c, hash, sibling, hash, err);
            if (!ok) {
                return false;
            }
            sibling += HASH_LEN;
        }
        i /= 2;
    }
    memcpy(root, hash, HASH_LEN);
    return true;
}
