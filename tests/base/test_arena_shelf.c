/* SPDX-License-Identifier: Apache-2.0 */
/* What base/arena_shelf.h promises: one owner at a time, wiped to the last byte, nothing large, no more than there is room
 * for. That nothing leaks is the sanitizer's and valgrind's part. */
#include "base/arena_shelf.h"

#include <pthread.h>

#include "tests/base/check.h"

#define SIZE ((size_t)4 * 1024 * 1024)

#ifdef __SANITIZE_ADDRESS__
int __asan_address_is_poisoned(void const volatile *ptr);
#define IS_CLOSED(ptr) (__asan_address_is_poisoned(ptr) != 0)
#else
#define IS_CLOSED(ptr) true
#endif

static atls_arena take(atls_arena_shelf *shelf, size_t size)
{
    atls_arena a;
    atls_error err = {0};
    assert_true(atls_arena_shelf_take(shelf, size, &a, &err));
    assert_int_equal(a.size, size);
    assert_int_equal(a.used, 0);
    assert_int_equal(a.peak, 0);
    return a;
}

static uint8_t *use(atls_arena *a, size_t len)
{
    atls_error err = {0};
    uint8_t *out = atls_arena_raw(a, len, &err);
    assert_non_null(out);
    memset(out, 0x5a, len);
    return out;
}

static size_t n_kept(atls_arena_shelf *shelf)
{
    size_t n = 0;
    for (size_t i = 0; i < ATLS_ARENA_SHELF_BLOCKS; i++) {
        n += atomic_load(&shelf->blocks[i]) != NULL ? 1 : 0;
    }
    return n;
}

static void a_block_comes_back_wiped(void **state)
{
    atls_arena_shelf shelf;
    (void)state;
    atls_arena_shelf_init(&shelf, SIZE);
    atls_arena a = take(&shelf, SIZE);
    const uint8_t *base = a.base;
    (void)use(&a, 5000);
    a.used = 100; /* as a scratch that was rewound: what it held is there still */
    atls_arena_shelf_give(&shelf, &a);
    assert_null(a.base);
    assert_int_equal(a.size, 0);
    assert_true(IS_CLOSED(base));
    atls_arena b = take(&shelf, SIZE);
    assert_ptr_equal(b.base, base);
    assert_true(atls_bytes_is_zero(atls_bytes_of(b.base, 5000)));
    atls_arena c = take(&shelf, SIZE);
    assert_ptr_not_equal(c.base, base);
    atls_arena_shelf_give(&shelf, &b);
    atls_arena_shelf_give(&shelf, &c);
    atls_arena_shelf_clear(&shelf);
    assert_int_equal(n_kept(&shelf), 0);
}

/* What is not kept is freed. */
static void keeps_what_it_is_for(void **state)
{
    static const struct {
        const char *name;
        size_t size;
        size_t used;
        bool is_kept;
    } rows[] = {
        {"nothing used", SIZE, 0, true},
        {"all that is kept", SIZE, ATLS_ARENA_SHELF_MOST_LEN, true},
        {"a byte more", SIZE, ATLS_ARENA_SHELF_MOST_LEN + 1, false},
        {"a smaller arena", SIZE - 1, 10, false},
        {"a larger one", SIZE + 1, 10, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_arena_shelf shelf;
        atls_arena_shelf_init(&shelf, SIZE);
        atls_arena a = take(&shelf, rows[i].size);
        if (rows[i].used > 0) {
            (void)use(&a, rows[i].used);
        }
        atls_arena_shelf_give(&shelf, &a);
        if ((n_kept(&shelf) == 1) != rows[i].is_kept) {
            fail_msg("%s", rows[i].name);
        }
        atls_arena_shelf_clear(&shelf);
    }
}

static void leaves_other_peoples_blocks_alone(void **state)
{
    static uint8_t block[1024];
    atls_arena_shelf shelf;
    atls_arena a;
    (void)state;
    atls_arena_shelf_init(&shelf, sizeof block);
    atls_arena_init(&a, block, sizeof block);
    (void)use(&a, 100);
    atls_arena_shelf_give(&shelf, &a);
    assert_int_equal(n_kept(&shelf), 0);
    assert_true(atls_bytes_is_zero(atls_bytes_of(block, sizeof block)));
    a = (atls_arena){0};
    atls_arena_shelf_give(&shelf, &a); /* one that was freed */
    assert_int_equal(n_kept(&shelf), 0);
    a = take(NULL, 100);
    (void)use(&a, 100);
    atls_arena_shelf_give(NULL, &a);
    assert_null(a.base);
}

static void has_room_for_few(void **state)
{
    atls_arena arenas[ATLS_ARENA_SHELF_BLOCKS + 2];
    atls_arena_shelf shelf;
    (void)state;
    atls_arena_shelf_init(&shelf, 100);
    for (size_t i = 0; i < sizeof arenas / sizeof arenas[0]; i++) {
        arenas[i] = take(&shelf, 100);
    }
    for (size_t i = 0; i < sizeof arenas / sizeof arenas[0]; i++) {
        atls_arena_shelf_give(&shelf, &arenas[i]);
    }
    assert_int_equal(n_kept(&shelf), ATLS_ARENA_SHELF_BLOCKS);
    atls_arena_shelf_clear(&shelf);
}

/* ---- threads ---- */

#define N_THREADS 4
#define N_ROUNDS  4000

typedef struct worker {
    atls_arena_shelf *shelf;
    uint8_t mark;
    bool ok;
} worker;

static void *work(void *ctx)
{
    worker *w = ctx;
    atls_error err = {0};
    for (size_t i = 0; w->ok && i < N_ROUNDS; i++) {
        atls_arena a;
        uint8_t *mine = atls_arena_shelf_take(w->shelf, 4096, &a, &err) ? atls_arena_raw(&a, 4096, &err) : NULL;
        w->ok = mine != NULL;
        if (mine != NULL) {
            memset(mine, w->mark, 4096);
            for (size_t k = 0; k < 4096; k++) {
                w->ok = w->ok && mine[k] == w->mark;
            }
        }
        atls_arena_shelf_give(w->shelf, &a);
    }
    return NULL;
}

static void a_block_has_one_owner(void **state)
{
    static worker workers[N_THREADS];
    pthread_t threads[N_THREADS];
    atls_arena_shelf shelf;
    (void)state;
    atls_arena_shelf_init(&shelf, 4096);
    for (size_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.shelf = &shelf, .mark = (uint8_t)(i + 1), .ok = true};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].ok);
    }
    assert_in_range(n_kept(&shelf), 1, ATLS_ARENA_SHELF_BLOCKS);
    atls_arena_shelf_clear(&shelf);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "a block comes back wiped", a_block_comes_back_wiped, NULL);
    tap_add(&l, "keeps what it is for", keeps_what_it_is_for, NULL);
    tap_add(&l, "leaves other people's blocks alone", leaves_other_peoples_blocks_alone, NULL);
    tap_add(&l, "has room for few", has_room_for_few, NULL);
    tap_add(&l, "a block has one owner", a_block_has_one_owner, NULL);
    return tap_run("base/arena_shelf", &l);
}
