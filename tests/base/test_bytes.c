/* SPDX-License-Identifier: Apache-2.0 */
/* test_bytes.c: slices, and the arena that everything is taken from. */
#include "check.h"

#include <stdalign.h>

/* The hook of AddressSanitizer for defaults: malloc may say no, which one test wants to see. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

typedef struct equal_row {
    const char *name;
    const char *a;
    const char *b;
    bool equal;
} equal_row;

static const equal_row equal_rows[] = {
    {"equal: same content", "abc", "abc", true},
    {"equal: both empty", "", "", true},
    {"equal: first byte differs", "xbc", "abc", false},
    {"equal: last byte differs", "abx", "abc", false},
    {"equal: one is a prefix of the other", "ab", "abc", false},
    {"equal: empty against something", "", "a", false},
};

static void test_equal(void **state)
{
    const equal_row *row = *state;
    assert_int_equal(atls_bytes_equal(atls_bytes_str(row->a), atls_bytes_str(row->b)), row->equal);
    assert_int_equal(atls_bytes_equal_str(atls_bytes_str(row->a), row->b), row->equal);
}

static void test_empty_points_somewhere(void **state)
{
    (void)state;
    assert_non_null(atls_bytes_empty().ptr);
    assert_non_null(atls_bytes_of(NULL, 0).ptr);
    assert_non_null(atls_bytes_str(NULL).ptr);
    assert_int_equal(atls_bytes_of(NULL, 0).len, 0);
    assert_int_equal(atls_bytes_str(NULL).len, 0);
}

static void test_is_zero(void **state)
{
    (void)state;
    uint8_t block[33] = {0};
    assert_true(atls_bytes_is_zero(atls_bytes_of(block, sizeof block)));
    assert_true(atls_bytes_is_zero(atls_bytes_empty()));
    for (size_t i = 0; i < sizeof block; i++) {
        block[i] = 0x80;
        assert_false(atls_bytes_is_zero(atls_bytes_of(block, sizeof block)));
        block[i] = 0;
    }
}

static void test_wipe(void **state)
{
    (void)state;
    uint8_t block[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    atls_wipe(block + 2, 4);
    static const uint8_t wanted[8] = {1, 2, 0, 0, 0, 0, 7, 8};
    assert_memory_equal(block, wanted, sizeof block);
    atls_wipe(NULL, 0);
    atls_wipe(block, 1);
    assert_int_equal(block[0], 0);
    assert_int_equal(block[1], 2);
}

static void test_alignment(void **state)
{
    (void)state;
    uint8_t block[512];
    for (size_t shift = 0; shift < alignof(max_align_t); shift++) {
        atls_arena a;
        atls_error err = {0};
        atls_arena_init(&a, block + shift, sizeof block - shift);
        for (size_t size = 1; size < 10; size++) {
            uint8_t *raw = atls_arena_raw(&a, size, &err);
            void *aligned = atls_arena_alloc(&a, size, &err);
            assert_non_null(raw);
            assert_non_null(aligned);
            assert_int_equal((uintptr_t)aligned % alignof(max_align_t), 0);
        }
    }
}

static void test_zeroed(void **state)
{
    (void)state;
    uint8_t block[256];
    memset(block, 0xaa, sizeof block);
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    const uint8_t *got = atls_arena_array(&a, 10, 10, &err);
    assert_non_null(got);
    assert_true(atls_bytes_is_zero(atls_bytes_of(got, 100)));
    got = atls_arena_alloc(&a, 1, &err);
    assert_non_null(got);
    assert_int_equal(got[0], 0);
    assert_int_equal(got[1], 0xaa);
    assert_non_null(atls_arena_array(&a, 10, 0, &err));
    assert_non_null(atls_arena_array(&a, 0, 10, &err));
}

static void test_exhaustion(void **state)
{
    (void)state;
    uint8_t block[100];
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    assert_non_null(atls_arena_raw(&a, 99, &err));
    assert_null(atls_arena_raw(&a, 2, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
    assert_string_equal(err.expected, "2 bytes");
    assert_string_equal(err.actual, "1 bytes left");
    assert_int_equal(a.used, 99);
    atls_error_clear(&err);
    assert_non_null(atls_arena_raw(&a, 1, &err));
    assert_non_null(atls_arena_raw(&a, 0, &err));
    assert_null(atls_arena_raw(&a, 1, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
}

typedef struct overflow_row {
    const char *name;
    size_t n;
    size_t size;
} overflow_row;

static const overflow_row overflow_rows[] = {
    {"arena: the product wraps to a small number", SIZE_MAX / 4 + 1, 4},
    {"arena: the product wraps to zero", (SIZE_MAX >> 1) + 1, 2},
    {"arena: the size plus the mark wraps", 1, SIZE_MAX},
    {"arena: the size plus the padding wraps", 1, SIZE_MAX - 7},
    {"arena: more than there is", 101, 1},
};

static void test_overflow(void **state)
{
    const overflow_row *row = *state;
    uint8_t block[100];
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    assert_non_null(atls_arena_raw(&a, 1, &err));
    assert_null(atls_arena_array(&a, row->n, row->size, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
    assert_int_equal(a.used, 1);
}

static void test_reset_wipes_what_was_used(void **state)
{
    (void)state;
    uint8_t block[64];
    memset(block, 0x55, sizeof block);
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    uint8_t *p = atls_arena_raw(&a, 40, &err);
    assert_non_null(p);
    memset(p, 0xee, 40);
    atls_arena_reset(&a);
    assert_true(atls_bytes_is_zero(atls_bytes_of(block, 40)));
    assert_int_equal(block[40], 0x55);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.peak, 40);
    p = atls_arena_raw(&a, 8, &err);
    assert_ptr_equal(p, block);
    memset(p, 0xee, 8);
    atls_arena_free(&a);
    assert_true(atls_bytes_is_zero(atls_bytes_of(block, 8)));
    assert_null(a.base);
}

static void test_new_and_free(void **state)
{
    (void)state;
    atls_arena a = {0};
    atls_error err = {0};
    atls_arena_free(&a); /* safe on a zeroed one */
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    assert_true(a.owned);
    assert_int_equal(a.used, 0);
    atls_bytes copy;
    assert_true(atls_arena_copy(&a, atls_bytes_str("evidence"), &copy, &err));
    assert_true(atls_bytes_equal_str(copy, "evidence"));
    assert_true(atls_arena_copy(&a, atls_bytes_str("x"), &copy, &err));
    assert_true(atls_bytes_equal_str(copy, "x"));
    assert_true(atls_arena_copy(&a, atls_bytes_empty(), &copy, &err));
    assert_int_equal(copy.len, 0);
    assert_non_null(copy.ptr);
    atls_arena_free(&a);
    assert_false(a.owned);
    atls_arena_free(&a);
    assert_false(atls_arena_new(&a, SIZE_MAX / 2, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
}

static void test_zeroed_arena_has_nothing(void **state)
{
    (void)state;
    atls_arena a = {0};
    atls_error err = {0};
    atls_bytes copy;
    assert_null(atls_arena_raw(&a, 0, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
    atls_error_clear(&err);
    assert_false(atls_arena_copy(&a, atls_bytes_str("x"), &copy, &err));
    check_error(&err, ATLS_E_MEMORY, "arena");
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(equal_rows); i++) {
        tap_add(&tests, equal_rows[i].name, test_equal, &equal_rows[i]);
    }
    tap_add(&tests, "bytes: the empty value points somewhere", test_empty_points_somewhere, NULL);
    tap_add(&tests, "bytes: one bit anywhere is not zero", test_is_zero, NULL);
    tap_add(&tests, "bytes: wipe touches what it was given and no more", test_wipe, NULL);
    tap_add(&tests, "arena: aligned in blocks that start anywhere", test_alignment, NULL);
    tap_add(&tests, "arena: memory is zeroed even over dirty blocks", test_zeroed, NULL);
    tap_add(&tests, "arena: the end is an error and not a crash", test_exhaustion, NULL);
    for (size_t i = 0; i < COUNT(overflow_rows); i++) {
        tap_add(&tests, overflow_rows[i].name, test_overflow, &overflow_rows[i]);
    }
    tap_add(&tests, "arena: reset and free wipe what was used, and only that", test_reset_wipes_what_was_used, NULL);
    tap_add(&tests, "arena: new, copy, free, free again", test_new_and_free, NULL);
    tap_add(&tests, "arena: a zeroed one has nothing to give", test_zeroed_arena_has_nothing, NULL);
    return tap_run("bytes", &tests);
}
