/* SPDX-License-Identifier: Apache-2.0 */
/* android_seed.h: seeds of the Android targets, out of simulated phones: an index is a shape of chain. */
#ifndef ATLS_FUZZ_ANDROID_SEED_H
#define ATLS_FUZZ_ANDROID_SEED_H

#include <string.h>

#include "evidence/android/android.h"
#include "fuzz.h"
#include "sim/sim_android.h"

#define FUZZ_ANDROID_SHAPES 4u

static const uint8_t fuzz_android_challenge[16] = {1};

static inline bool fuzz_android_within(atls_bytes inner, atls_bytes outer)
{
    const uintptr_t in = (uintptr_t)inner.ptr;
    const uintptr_t out = (uintptr_t)outer.ptr;
    return inner.len == 0 || (in >= out && in - out <= outer.len && inner.len <= outer.len - (in - out));
}

/* A phone and the chain that it makes; both are gone with the arena and sim_android_free. */
static inline sim_android *fuzz_android_phone(size_t index, atls_arena *a, atls_bytes *chain)
{
    static const char *const plain[] = {NULL};
    static const char *const odd[] = {"hw+777=0500",       "hw+1=3103020107",       "hw.706=n0",     "rot.hash=none",
                                      "app.other=com.a.b", "cert.leaf.serial=ff01", "rot.locked=01", NULL};
    static const char *const *const settings[FUZZ_ANDROID_SHAPES] = {plain, plain, plain, odd};
    static const sim_android_kind kinds[FUZZ_ANDROID_SHAPES] = {SIM_ANDROID_FACTORY, SIM_ANDROID_REMOTE,
                                                                SIM_ANDROID_SOFTWARE, SIM_ANDROID_FACTORY};
    const sim_android_options options = {.kind = kinds[index], .settings = settings[index]};
    const sim_android_request request = {.challenge = atls_bytes_of(fuzz_android_challenge, 16)};
    sim_android *phone = NULL;
    atls_error err = {0};
    FUZZ_ASSERT(sim_android_new(&options, &phone, &err) && sim_android_chain(phone, &request, a, chain, &err));
    return phone;
}

/* The chain, or the record in it. */
static inline size_t fuzz_android_seed(size_t index, bool record_only, uint8_t *out, size_t cap)
{
    static const uint8_t oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x11};
    atls_arena a;
    atls_bytes seed;
    android_evidence e;
    atls_error err = {0};
    if (index >= FUZZ_ANDROID_SHAPES) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)4 * 1024 * 1024, &err));
    sim_android *phone = fuzz_android_phone(index, &a, &seed);
    if (record_only) {
        FUZZ_ASSERT(android_chain_decode(seed, &a, &e, &err));
        seed = atls_cert_extension(&e.certs[0], atls_bytes_of(oid, sizeof oid))->value;
    }
    FUZZ_ASSERT(seed.len > 0 && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    const size_t n = seed.len;
    sim_android_free(phone);
    atls_arena_free(&a);
    return n;
}

#endif
