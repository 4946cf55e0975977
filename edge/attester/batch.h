/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h: what one quote answers: leaves, their tree, the evidence over it.
 *
 *   new ── leaves filled in ──▶ make ── ok ──▶ shared by the tickets, read only ──▶ free
 *
 * A batch knows nothing of threads: it is made and filled under the queue's lock, made by the attester's thread alone,
 * and read by any number of tickets afterwards. Source: specification of atls/1, "The binding value" and "Batching". */
#ifndef ATLS_EDGE_ATTESTER_BATCH_H
#define ATLS_EDGE_ATTESTER_BATCH_H

#include "atls/attester.h"
#include "pki/hash_tree.h"

typedef struct atls_batch {
    size_t n_leaves;         /* 0: report_data was given, there is no tree */
    uint8_t (*leaves)[64];   /* in order of arrival */
    atls_tree_path *paths;   /* one for each leaf */
    uint8_t report_data[64]; /* what is quoted */
    atls_evidence evidence;  /* in `arena` */
    atls_error err;          /* why there is none */
    uint64_t refs;           /* who holds it; counted by the queue, under its lock */
    atls_arena arena;        /* what attest takes memory from */
    atls_arena tree;         /* leaves, paths, siblings; apart, so that their number takes nothing from the evidence */
} atls_batch;

/* atls_batch_new makes room for n_leaves leaves (at most ATLS_TREE_MAX_SIZE) and for arena_size bytes of evidence. The
 * caller fills leaves[0..n_leaves), or report_data when n_leaves is 0. NULL with MEMORY in err when there is no room. */
ATLS_MUST_USE atls_batch *atls_batch_new(size_t n_leaves, size_t arena_size, atls_error *err);

/* atls_batch_make computes paths and report data and asks attest for evidence over it. False with b->err set, and
 * nothing left in the batch: the attester's own error, INTERNAL when it gave no reason or an empty quote, MEMORY. */
ATLS_MUST_USE bool atls_batch_make(atls_batch *b, const atls_crypto *c, atls_attest_fn attest, void *attest_ctx);

/* atls_batch_free wipes and frees everything; NULL is fine. */
void atls_batch_free(atls_batch *b);

#endif
