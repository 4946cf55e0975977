/* SPDX-License-Identifier: Apache-2.0 */
/* arena_shelf.c: see arena_shelf.h. */
#include "arena_shelf.h"

#include <stdlib.h>

/* With the address sanitizer a block on the shelf is out of bounds, as if it had been freed. */
#ifdef __has_feature /* clang's way to say it */
#if __has_feature(address_sanitizer)
#define HAS_ADDRESS_SANITIZER
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(HAS_ADDRESS_SANITIZER)
void __asan_poison_memory_region(void const volatile *ptr, size_t len); /* the sanitizer's own */
void __asan_unpoison_memory_region(void const volatile *ptr, size_t len);
#define CLOSE_BLOCK(ptr, len) __asan_poison_memory_region((ptr), (len))
#define OPEN_BLOCK(ptr, len)  __asan_unpoison_memory_region((ptr), (len))
#else
#define CLOSE_BLOCK(ptr, len) ((void)(ptr), (void)(len))
#define OPEN_BLOCK(ptr, len)  ((void)(ptr), (void)(len))
#endif

void atls_arena_shelf_init(atls_arena_shelf *shelf, size_t size)
{
    shelf->size = size;
    for (size_t i = 0; i < ATLS_ARENA_SHELF_BLOCKS; i++) {
        atomic_init(&shelf->blocks[i], NULL);
    }
}

bool atls_arena_shelf_take(atls_arena_shelf *shelf, size_t size, atls_arena *out, atls_error *err)
{
    for (size_t i = 0; shelf != NULL && size == shelf->size && i < ATLS_ARENA_SHELF_BLOCKS; i++) {
        uint8_t *block = atomic_exchange_explicit(&shelf->blocks[i], NULL, memory_order_acq_rel);
        if (block != NULL) {
            OPEN_BLOCK(block, size);
            atls_arena_init(out, block, size);
            out->owned = true;
            return true;
        }
    }
    return atls_arena_new(out, size, err);
}

static bool put(atls_arena_shelf *shelf, const atls_arena *a)
{
    CLOSE_BLOCK(a->base, a->size);
    for (size_t i = 0; i < ATLS_ARENA_SHELF_BLOCKS; i++) {
        uint8_t *none = NULL;
        if (atomic_compare_exchange_strong_explicit(&shelf->blocks[i], &none, a->base, memory_order_acq_rel,
                                                    memory_order_relaxed)) {
            return true;
        }
    }
    OPEN_BLOCK(a->base, a->size);
    return false;
}

void atls_arena_shelf_give(atls_arena_shelf *shelf, atls_arena *a)
{
    a->used = a->peak; /* what a reset in between has left behind is wiped as well */
    const bool fits = shelf != NULL && a->owned && a->size == shelf->size && a->peak <= ATLS_ARENA_SHELF_MOST_LEN;
    atls_arena_reset(a);
    if (fits && put(shelf, a)) {
        *a = (atls_arena){0};
        return;
    }
    atls_arena_free(a);
}

void atls_arena_shelf_clear(atls_arena_shelf *shelf)
{
    for (size_t i = 0; i < ATLS_ARENA_SHELF_BLOCKS; i++) {
        uint8_t *block = atomic_exchange_explicit(&shelf->blocks[i], NULL, memory_order_acq_rel);
        if (block != NULL) {
            OPEN_BLOCK(block, shelf->size);
            free(block);
        }
    }
}
