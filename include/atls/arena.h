/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h: the one place an appraisal takes memory from.
 *
 * An arena is one block with a hard end. Allocation moves a mark forward, freeing is resetting the mark, and
 * asking for more than is left is an error (ATLS_E_MEMORY), never a crash and never a second block. Nothing in
 * libatls_core allocates anywhere else, apart from OpenSSL objects that are born and freed within one function
 * and the objects whose constructors say so (atls_policy, atls_verifier with what it remembers). An arena belongs to one thread at a time. */
#ifndef ATLS_ARENA_H
#define ATLS_ARENA_H

#include "bytes.h"
#include "error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Enough for one appraisal of the largest evidence and endorsements within the limits of the documentation. */
#define ATLS_ARENA_DEFAULT_SIZE ((size_t)24 * 1024 * 1024)

typedef struct atls_arena {
    uint8_t *base; /* the block; the caller's */
    size_t size;   /* bytes in the block */
    size_t used;   /* bytes handed out, alignment included */
    size_t peak;   /* the most that was ever used; gates memory growth in tests and bench */
    bool owned;    /* made by atls_arena_new */
} atls_arena;

/* atls_arena_init makes an arena over a block of the caller, who keeps it alive and frees it. */
void atls_arena_init(atls_arena *a, void *block, size_t size);

/* atls_arena_new takes a block of size bytes from the C library (untouched pages cost nothing on most systems).
 * False with ATLS_E_MEMORY when there is none. Free with atls_arena_free. */
ATLS_MUST_USE bool atls_arena_new(atls_arena *a, size_t size, atls_error *err);

/* atls_arena_free wipes what was used and gives the block back if atls_arena_new made it. Safe on a zeroed arena. */
void atls_arena_free(atls_arena *a);

/* atls_arena_reset wipes what was used and makes the arena empty. Everything taken from it is gone. */
void atls_arena_reset(atls_arena *a);

/* atls_arena_alloc gives size zeroed bytes, aligned for any object, valid until reset or free; size 0 gives a
 * valid pointer. Returns NULL and sets ATLS_E_MEMORY with field "arena" when the rest is too small. */
ATLS_MUST_USE void *atls_arena_alloc(atls_arena *a, size_t size, atls_error *err);

/* atls_arena_array is atls_arena_alloc of n times size, with the multiplication checked. */
ATLS_MUST_USE void *atls_arena_array(atls_arena *a, size_t n, size_t size, atls_error *err);

/* atls_arena_raw is atls_arena_alloc without zeroing, aligned to 1: for buffers that are about to be filled. */
ATLS_MUST_USE uint8_t *atls_arena_raw(atls_arena *a, size_t size, atls_error *err);

/* atls_arena_copy copies bytes into the arena. */
ATLS_MUST_USE bool atls_arena_copy(atls_arena *a, atls_bytes in, atls_bytes *out, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
