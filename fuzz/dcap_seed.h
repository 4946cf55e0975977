/* SPDX-License-Identifier: Apache-2.0 */
/* dcap_seed.h: seeds of the DCAP targets, out of the simulator's rooms: one index a kind of room. */
#ifndef ATLS_FUZZ_DCAP_SEED_H
#define ATLS_FUZZ_DCAP_SEED_H

#include <string.h>

#include "fuzz.h"
#include "sim/sim.h"

static inline bool fuzz_is_within(atls_bytes inner, atls_bytes outer)
{
    uintptr_t in = (uintptr_t)inner.ptr;
    uintptr_t out = (uintptr_t)outer.ptr;
    return inner.len == 0 || (in >= out && in - out <= outer.len && inner.len <= outer.len - (in - out));
}

/* Takes the seed out of what a room gives. */
typedef atls_bytes (*fuzz_pick)(atls_bytes quote, const atls_endorsements *e, atls_arena *a);

/* The endorsements, as a bundle. */
static inline atls_bytes fuzz_pick_bundle(atls_bytes quote, const atls_endorsements *e, atls_arena *a)
{
    atls_bytes text;
    atls_error err = {0};
    (void)quote;
    FUZZ_ASSERT(atls_endorsements_to_bundle(e, a, &text, &err));
    return text;
}

static inline size_t fuzz_room_seed(size_t index, fuzz_pick pick, uint8_t *out, size_t cap)
{
    static const sim_kind kinds[] = {SIM_SGX_V3, SIM_TDX_V4, SIM_TDX_V5};
    static const uint8_t report_data[64] = {1};
    sim_options options = {.kind = kinds[index % 3]};
    sim *room = NULL;
    atls_arena a;
    atls_bytes quote;
    atls_endorsements e;
    atls_error err = {0};
    if (index >= 3) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err) && sim_new(&options, &room, &err));
    FUZZ_ASSERT(sim_quote(room, report_data, &a, &quote, &err) && sim_collateral(room, &a, &e, &err));
    atls_bytes seed = pick(quote, &e, &a);
    FUZZ_ASSERT(seed.len > 0 && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    size_t n = seed.len;
    sim_free(room);
    atls_arena_free(&a);
    return n;
}

#endif
