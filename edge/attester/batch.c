/* SPDX-License-Identifier: Apache-2.0 */
/* batch.c: leaves become a tree, the tree a report, the report evidence. */
#include "batch.h"

#include <stdlib.h>

#include "verify/native_binding.h"

/* Hashes of a leaf apart from its path: itself, and twice as many nodes as leaves while the tree is computed. */
#define HASHES_PER_LEAF 3u
/* Room for what rounding up costs on each level, however few leaves there are. */
#define TREE_SLACK ((size_t)4096)

/* Bytes for leaves, paths and siblings of a tree: 80 MB for the largest tree, but untouched pages cost nothing. */
static size_t tree_size(size_t n_leaves)
{
    size_t depth = 0;
    while (((size_t)1 << depth) < n_leaves) {
        depth++;
    }
    return n_leaves * ((depth + HASHES_PER_LEAF) * ATLS_TREE_HASH_LEN + sizeof(atls_tree_path)) + TREE_SLACK;
}

static bool make_room(atls_batch *b, size_t arena_size, atls_error *err)
{
    if (!atls_arena_new(&b->arena, arena_size, err)) {
        return false;
    }
    if (b->n_leaves == 0) {
        return true;
    }
    if (b->n_leaves > ATLS_TREE_MAX_SIZE) {
        return atls_fail(err, ATLS_E_INTERNAL, "attester.max_batch", "no tree has %zu leaves", b->n_leaves);
    }
    if (!atls_arena_new(&b->tree, tree_size(b->n_leaves), err)) {
        return false;
    }
    b->leaves = atls_arena_array(&b->tree, b->n_leaves, sizeof *b->leaves, err);
    b->paths = atls_arena_array(&b->tree, b->n_leaves, sizeof *b->paths, err);
    return b->leaves != NULL && b->paths != NULL;
}

atls_batch *atls_batch_new(size_t n_leaves, size_t arena_size, atls_error *err)
{
    atls_batch *b = calloc(1, sizeof *b);
    if (b == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "attester", "no memory for a batch");
        return NULL;
    }
    b->n_leaves = n_leaves;
    if (!make_room(b, arena_size, err)) {
        atls_batch_free(b);
        return NULL;
    }
    return b;
}

static bool make_report(atls_batch *b, const atls_crypto *c, atls_error *err)
{
    uint8_t root[ATLS_TREE_HASH_LEN];
    if (b->n_leaves == 0) {
        return true;
    }
    return atls_tree_paths(c, (const uint8_t(*)[64])b->leaves, b->n_leaves, &b->tree, root, b->paths, err)
           && atls_native_report(c, b->n_leaves, root, b->report_data, err);
}

/* An attester may leave out what it does not have. */
static atls_bytes no_null(atls_bytes in)
{
    return in.len == 0 ? atls_bytes_empty() : in;
}

static bool make_evidence(atls_batch *b, atls_attest_fn attest, void *attest_ctx, atls_error *err)
{
    atls_evidence e = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    atls_error why = {0}; /* apart: what an attester that succeeds leaves in it means nothing */
    if (!attest(attest_ctx, b->report_data, &b->arena, &e, &why)) {
        *err = why;
        return atls_fail(err, ATLS_E_INTERNAL, "attest", "the attester failed and did not say why");
    }
    if (e.quote.ptr == NULL || e.quote.len == 0) {
        return atls_fail(err, ATLS_E_INTERNAL, "evidence.quote", "the attester made an empty quote");
    }
    b->evidence = (atls_evidence){e.quote, no_null(e.event_log), no_null(e.vm_config)};
    return true;
}

static void give_room_back(atls_batch *b)
{
    atls_arena_free(&b->arena);
    atls_arena_free(&b->tree);
    b->leaves = NULL;
    b->paths = NULL;
}

bool atls_batch_make(atls_batch *b, const atls_crypto *c, atls_attest_fn attest, void *attest_ctx)
{
    if (make_report(b, c, &b->err) && make_evidence(b, attest, attest_ctx, &b->err)) {
        return true;
    }
    give_room_back(b); /* nobody is to find half of it */
    return false;
}

void atls_batch_free(atls_batch *b)
{
    if (b == NULL) {
        return;
    }
    give_room_back(b);
    atls_wipe(b, sizeof *b);
    free(b);
}
