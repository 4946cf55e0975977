/* SPDX-License-Identifier: Apache-2.0 */
/* snp_seed.h: seeds of the SEV-SNP targets, out of the simulator: one index a kind of room. */
#ifndef ATLS_FUZZ_SNP_SEED_H
#define ATLS_FUZZ_SNP_SEED_H

#include <string.h>

#include "fuzz.h"
#include "sim/sim_sevsnp.h"

#define FUZZ_SNP_ROOMS 6u

static inline bool fuzz_is_within(atls_bytes inner, atls_bytes outer)
{
    uintptr_t in = (uintptr_t)inner.ptr;
    uintptr_t out = (uintptr_t)outer.ptr;
    return inner.len == 0 || (in >= out && in - out <= outer.len && inner.len <= outer.len - (in - out));
}

/* The room with this index: every product, with either key. */
static inline sim_snp *fuzz_snp_room(size_t index)
{
    const sim_snp_options options = {
        .product = (atls_snp_product)(ATLS_SNP_MILAN + index % 3), .is_vlek = index >= 3, .version = 2 + index % 4};
    sim_snp *room = NULL;
    atls_error err = {0};
    FUZZ_ASSERT(sim_snp_new(&options, &room, &err));
    return room;
}

static inline size_t fuzz_snp_copy(atls_bytes seed, uint8_t *out, size_t cap)
{
    FUZZ_ASSERT(seed.len > 0 && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    return seed.len;
}

/* An extended report over `report_data`. */
static inline size_t fuzz_snp_extended(size_t index, const uint8_t report_data[64], uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_bytes seed;
    atls_error err = {0};
    sim_snp *room = fuzz_snp_room(index);
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err)
                && sim_snp_extended(room, report_data, &a, &seed, &err));
    const size_t n = fuzz_snp_copy(seed, out, cap);
    sim_snp_free(room);
    atls_arena_free(&a);
    return n;
}

#endif
