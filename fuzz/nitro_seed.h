/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_seed.h: seeds of the Nitro targets, out of simulated rooms: an index is a shape of document. */
#ifndef ATLS_FUZZ_NITRO_SEED_H
#define ATLS_FUZZ_NITRO_SEED_H

#include <string.h>

#include "evidence/nitro/nitro.h"
#include "fuzz.h"
#include "sim/sim_nitro.h"

#define FUZZ_NITRO_SHAPES 4u

static const uint8_t fuzz_nitro_bound[64] = {1};

static inline bool fuzz_nitro_within(atls_bytes inner, atls_bytes outer)
{
    const uintptr_t in = (uintptr_t)inner.ptr;
    const uintptr_t out = (uintptr_t)outer.ptr;
    return inner.len == 0 || (in >= out && in - out <= outer.len && inner.len <= outer.len - (in - out));
}

/* A room and the document that it makes; both are gone with the arena and sim_nitro_free. */
static inline sim_nitro *fuzz_nitro_room(size_t index, atls_arena *a, atls_bytes *document)
{
    static const char *const plain[] = {NULL};
    static const char *const definite[] = {"payload.form=definite", "tag=18", "unprotected=a1014102", NULL};
    static const char *const full[] = {"cabundle.form=open", "pcrs.form=open",      "nonce=0102",
                                       "public_key=03",      "payload+6161=a10102", NULL};
    static const char *const *const settings[FUZZ_NITRO_SHAPES] = {plain, definite, full, plain};
    const sim_nitro_options options = {.is_nitrotpm = index == 3, .settings = settings[index]};
    const atls_bytes data = atls_bytes_of(fuzz_nitro_bound, sizeof fuzz_nitro_bound);
    const sim_nitro_request request = {.user_data = &data};
    sim_nitro *room = NULL;
    atls_error err = {0};
    FUZZ_ASSERT(sim_nitro_new(&options, &room, &err) && sim_nitro_document(room, &request, a, document, &err));
    return room;
}

/* The document, or the part of it that `pick` takes. */
static inline size_t fuzz_nitro_seed(size_t index, bool payload_only, uint8_t *out, size_t cap)
{
    atls_arena a;
    atls_bytes document;
    nitro_document d;
    atls_error err = {0};
    if (index >= FUZZ_NITRO_SHAPES) {
        return 0;
    }
    FUZZ_ASSERT(atls_arena_new(&a, (size_t)1024 * 1024, &err));
    sim_nitro *room = fuzz_nitro_room(index, &a, &document);
    FUZZ_ASSERT(nitro_document_decode(document, &d, &err));
    const atls_bytes seed = payload_only ? d.payload : document;
    FUZZ_ASSERT(seed.len > 0 && seed.len <= cap);
    memcpy(out, seed.ptr, seed.len);
    const size_t n = seed.len;
    sim_nitro_free(room);
    atls_arena_free(&a);
    return n;
}

#endif
