/* SPDX-License-Identifier: Apache-2.0 */
/* arena_shelf.h: arenas that are ready.
 *
 * An arena of a session is some pages of a large block: whoever makes and frees one for each session pays for the system
 * calls and for pages that are mapped anew each time. A shelf keeps a few blocks between one session and the next. Blocks on
 * it are wiped to the last byte that was ever used, and one that grew large is given back instead.
 *
 * Threads. Any number may share a shelf: a block belongs to whoever took it. */
#ifndef ATLS_BASE_ARENA_SHELF_H
#define ATLS_BASE_ARENA_SHELF_H

#include <stdatomic.h>

#include "atls/arena.h"

#define ATLS_ARENA_SHELF_BLOCKS   8u
#define ATLS_ARENA_SHELF_MOST_LEN ((size_t)1024 * 1024) /* a block of which more was used is not kept */

typedef struct atls_arena_shelf {
    size_t size; /* of every block */
    _Atomic(uint8_t *) blocks[ATLS_ARENA_SHELF_BLOCKS];
} atls_arena_shelf;

/* atls_arena_shelf_init makes an empty shelf for arenas of one size. */
void atls_arena_shelf_init(atls_arena_shelf *shelf, size_t size);

/* atls_arena_shelf_take makes an arena of size bytes: of a block that is ready where size is the shelf's, of a new one
 * otherwise. It may be given back to the shelf, or freed with atls_arena_free. shelf NULL: atls_arena_new. Errors: MEMORY. */
ATLS_MUST_USE bool atls_arena_shelf_take(atls_arena_shelf *shelf, size_t size, atls_arena *out, atls_error *err);

/* atls_arena_shelf_give takes an arena back: wiped, and kept where there is room. What was taken from it is gone. Safe with
 * a zeroed arena, with one of another size, and with shelf NULL, which frees it. */
void atls_arena_shelf_give(atls_arena_shelf *shelf, atls_arena *a);

/* atls_arena_shelf_clear frees what lies there. Nobody may use the shelf any more. */
void atls_arena_shelf_clear(atls_arena_shelf *shelf);

#endif
