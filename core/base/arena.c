/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c: one block, one mark, one function that moves it. */
#include "atls/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void atls_arena_init(atls_arena *a, void *block, size_t size)
{
    *a = (atls_arena){.base = block, .size = block == NULL ? 0 : size};
}

bool atls_arena_new(atls_arena *a, size_t size, atls_error *err)
{
    *a = (atls_arena){0};
    /* malloc and not calloc: nothing may touch the pages before somebody needs them. */
    void *block = malloc(size == 0 ? 1 : size);
    if (block == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "arena", "no memory for an arena of %zu bytes", size);
    }
    atls_arena_init(a, block, size);
    a->owned = true;
    return true;
}

void atls_arena_reset(atls_arena *a)
{
    atls_wipe(a->base, a->used);
    a->used = 0;
}

void atls_arena_free(atls_arena *a)
{
    atls_arena_reset(a);
    if (a->owned) {
        free(a->base);
    }
    *a = (atls_arena){0};
}

static void *exhausted(const atls_arena *a, size_t size, atls_error *err)
{
    char wanted[32];
    char left[32];
    snprintf(wanted, sizeof wanted, "%zu bytes", size);
    snprintf(left, sizeof left, "%zu bytes left", a->size - a->used);
    (void)atls_fail_values(err, ATLS_E_MEMORY, "arena", wanted, left, NULL);
    return NULL;
}

/* The one place that moves the mark. align is a power of two; the block itself may start anywhere, so it is the
 * address that is aligned and not the offset. */
static void *advance(atls_arena *a, size_t size, size_t align, atls_error *err)
{
    if (a->base == NULL) {
        return exhausted(a, size, err);
    }
    uintptr_t address = (uintptr_t)(a->base + a->used);
    size_t pad = (size_t)(-address & (align - 1));
    size_t left = a->size - a->used;
    if (pad > left || size > left - pad) {
        return exhausted(a, size, err);
    }
    void *out = a->base + a->used + pad;
    a->used += pad + size;
    if (a->used > a->peak) {
        a->peak = a->used;
    }
    return out;
}

void *atls_arena_alloc(atls_arena *a, size_t size, atls_error *err)
{
    void *out = advance(a, size, alignof(max_align_t), err);
    if (out != NULL && size > 0) {
        memset(out, 0, size);
    }
    return out;
}

void *atls_arena_array(atls_arena *a, size_t n, size_t size, atls_error *err)
{
    if (size != 0 && n > SIZE_MAX / size) {
        return exhausted(a, SIZE_MAX, err);
    }
    return atls_arena_alloc(a, n * size, err);
}

uint8_t *atls_arena_raw(atls_arena *a, size_t size, atls_error *err)
{
    return advance(a, size, 1, err);
}

bool atls_arena_copy(atls_arena *a, atls_bytes in, atls_bytes *out, atls_error *err)
{
    uint8_t *copy = atls_arena_raw(a, in.len, err);
    if (copy == NULL) {
        return false;
    }
    if (in.len > 0) {
        memcpy(copy, in.ptr, in.len);
    }
    *out = atls_bytes_of(copy, in.len);
    return true;
}
