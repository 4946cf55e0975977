/* SPDX-License-Identifier: Apache-2.0 */
/* apple_seed.h: seeds of the App Attest targets, out of simulated rooms: an index is a shape. */
#ifndef ATLS_FUZZ_APPLE_SEED_H
#define ATLS_FUZZ_APPLE_SEED_H

#include <string.h>

#include "evidence/apple/apple.h"
#include "fuzz.h"
#include "sim/sim_apple.h"

#define FUZZ_APPLE_SHAPES 4u

static const char fuzz_apple_client_data[] = "client data of the fuzz targets";

static inline bool fuzz_apple_within(atls_bytes inner, atls_bytes outer)
{
    const uintptr_t in = (uintptr_t)inner.ptr;
    const uintptr_t out = (uintptr_t)outer.ptr;
    return inner.len == 0 || (in >= out && in - out <= outer.len && inner.len <= outer.len - (in - out));
}

static inline sim_apple *fuzz_apple_room(size_t index)
{
    static const char *const plain[] = {NULL};
    static const char *const definite[] = {"cms.form=der", "ext.versions=none", NULL};
    static const char *const full[] = {"auth.flags=0xc5", "auth.extensions=a16161a10102", "object+6161=a1018102",
                                       "cms.chunk=64",    "receipt.fraction.12=",         NULL};
    static const char *const *const settings[FUZZ_APPLE_SHAPES] = {plain, definite, full, plain};
    const sim_apple_options options = {.is_sandbox = index == 3, .settings = settings[index % FUZZ_APPLE_SHAPES]};
    sim_apple *room = NULL;
    atls_error err = {0};
    FUZZ_ASSERT(sim_apple_new(&options, &room, &err));
    return room;
}

static inline size_t fuzz_apple_copy(atls_bytes seed, uint8_t *out, size_t cap)
{
    FUZZ_ASSERT(seed.len > 0 && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    return seed.len;
}

/* What an attestation is made of. */
typedef enum fuzz_apple_part { FUZZ_APPLE_OBJECT, FUZZ_APPLE_AUTH_DATA, FUZZ_APPLE_RECEIPT } fuzz_apple_part;

static inline size_t fuzz_apple_seed(size_t index, fuzz_apple_part part, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_bytes whole;
    apple_attestation d;
    atls_error err = {0};
    if (index >= FUZZ_APPLE_SHAPES) {
        return 0;
    }
    sim_apple *room = fuzz_apple_room(index);
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)1024 * 1024, &err));
    FUZZ_ASSERT(sim_apple_attestation(room, atls_bytes_str(fuzz_apple_client_data), &a, &whole, &err)
                && apple_attestation_decode(whole, &a, &d, &err));
    const size_t n = fuzz_apple_copy(part == FUZZ_APPLE_OBJECT      ? whole
                                     : part == FUZZ_APPLE_AUTH_DATA ? d.auth_data_raw
                                                                    : d.receipt_der,
                                     out, cap);
    atls_arena_free(&a);
    sim_apple_free(room);
    return n;
}

#endif
