/* SPDX-License-Identifier: Apache-2.0 */
/* walk.h: one chain with its revocation lists, to order, and the walk over it that every format makes: from the pinned
 * root down, with the rules of chain.h in their order. */
#ifndef ATLS_TESTS_PKI_WALK_H
#define ATLS_TESTS_PKI_WALK_H

#include "make.h"
#include "pki/chain.h"

/* Places in a chain. Without an intermediate WALK_CA is left out, and the root issues the leaf. */
enum { WALK_ROOT, WALK_CA, WALK_LEAF, WALK_N };

typedef struct walk_order {
    bool has_ca;
    make_cert cert[WALK_N];
    make_crl crl[2];     /* of the root, of the intermediate */
    bool has_crl[2];     /* absent lists are refused by the walk */
    unsigned understood; /* what the walk sets in every certificate */
    bool other_root;     /* pinned is not this root, but another of the same name */
    atls_time now;
} walk_order;

typedef struct walk_files {
    bool has_ca;
    made cert[WALK_N];
    made crl[2];
    bool has_crl[2];
    unsigned understood;
    made trusted;       /* the pinned root: cert[WALK_ROOT], unless other_root was ordered */
    uint8_t pinned[32]; /* its SHA-256 */
    atls_time now;
} walk_files;

/* An honest chain of three (or two), at 2024-06-01. */
walk_order walk_default(bool has_ca);
void walk_write(const make_keys *k, const walk_order *order, walk_files *out);

/* The verdict: fields are "root.", "intermediate.", "leaf.", "root_crl.", "intermediate_crl."; certificates in the pool
 * stay there for a second walk. Code PCK_CHAIN for whatever has no code of its own. */
bool walk_verify(const atls_crypto *c, const walk_files *files, atls_cert_pool *pool, atls_error *err);

#endif
