/* SPDX-License-Identifier: Apache-2.0 */
/* What base/cache.h promises: windows, bounds, who goes first, references, threads. */
#include "base/cache.h"

#include <pthread.h>

#include "tests/base/check.h"
#include "tests/base/random.h"

#define NO_LIMIT SIZE_MAX

typedef struct thing {
    atls_cached head;
    unsigned name;
} thing;

static atomic_size_t n_alive;

static void destroy(atls_cached *self)
{
    (void)atomic_fetch_sub(&n_alive, 1);
    free(self);
}

static void name_key(unsigned name, uint8_t key[32])
{
    memset(key, 0, 32);
    memcpy(key, &name, sizeof name); /* the bytes that choose a bucket: neighbours collide */
}

static atls_cached *new_thing(unsigned name, size_t len, atls_time from, atls_time until)
{
    thing *t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->name = name;
    name_key(name, t->head.key);
    t->head.from = from;
    t->head.until = until;
    t->head.len = len;
    t->head.destroy = destroy;
    (void)atomic_fetch_add(&n_alive, 1);
    return &t->head;
}

static atls_cache *open_cache(size_t max_entries, size_t max_len)
{
    atls_cache *c;
    atls_error err = {0};
    assert_true(atls_cache_new(max_entries, max_len, &c, &err));
    return c;
}

static void put(atls_cache *c, unsigned name)
{
    atls_cache_put(c, new_thing(name, 1, 10, 20));
}

/* Looks, and gives back at once. */
static bool has_at(atls_cache *c, unsigned name, atls_time now)
{
    uint8_t key[32];
    name_key(name, key);
    atls_cached *found = atls_cache_find(c, key, now);
    if (found != NULL) {
        assert_int_equal(((thing *)(void *)found)->name, name);
        atls_cached_release(found);
    }
    return found != NULL;
}

static bool has(atls_cache *c, unsigned name)
{
    return has_at(c, name, 15);
}

static void close_cache(atls_cache *c)
{
    atls_cache_free(c);
    assert_int_equal(atomic_load(&n_alive), 0);
}

static void test_window(void **state)
{
    (void)state;
    atls_cache *c = open_cache(4, NO_LIMIT);
    put(c, 1);
    assert_false(has_at(c, 1, 9));
    assert_true(has_at(c, 1, 10));
    assert_true(has_at(c, 1, 20));
    assert_false(has_at(c, 1, 21));
    assert_true(has_at(c, 1, 15)); /* a clock that goes back finds it again */
    close_cache(c);
}

static void test_every_byte_of_the_key(void **state)
{
    (void)state;
    atls_cache *c = open_cache(4, NO_LIMIT);
    uint8_t key[32];
    put(c, 1);
    for (size_t i = 0; i < sizeof key; i++) {
        name_key(1, key);
        key[i] ^= 0x80;
        assert_null(atls_cache_find(c, key, 15));
    }
    close_cache(c);
}

static void test_same_key_replaces(void **state)
{
    (void)state;
    atls_cache *c = open_cache(4, NO_LIMIT);
    put(c, 1);
    atls_cache_put(c, new_thing(1, 1, 30, 40));
    assert_false(has_at(c, 1, 15));
    assert_true(has_at(c, 1, 35));
    assert_int_equal(atls_cache_count(c).entries, 1);
    assert_int_equal(atls_cache_count(c).evictions, 0);
    assert_int_equal(atomic_load(&n_alive), 1);
    close_cache(c);
}

static void test_oldest_goes_first(void **state)
{
    (void)state;
    atls_cache *c = open_cache(3, NO_LIMIT);
    for (unsigned i = 1; i <= 4; i++) {
        put(c, i);
    }
    assert_false(has(c, 1));
    assert_true(has(c, 2) && has(c, 3) && has(c, 4));
    assert_int_equal(atls_cache_count(c).evictions, 1);
    assert_int_equal(atls_cache_count(c).entries, 3);
    close_cache(c);
}

/* Ten thousand that come once push out nobody who came twice, up to three quarters. */
static void test_scan_leaves_who_is_known(void **state)
{
    (void)state;
    atls_cache *c = open_cache(100, NO_LIMIT);
    for (unsigned i = 0; i < 75; i++) {
        put(c, i);
        assert_true(has(c, i));
    }
    for (unsigned i = 1000; i < 11000; i++) {
        put(c, i);
    }
    for (unsigned i = 0; i < 75; i++) {
        assert_true(has(c, i));
    }
    assert_int_equal(atls_cache_count(c).entries, 100);
    close_cache(c);
}

/* The known ones are no closed society: of more than three quarters the one longest unseen waits with the others. */
static void test_known_may_be_forgotten(void **state)
{
    (void)state;
    atls_cache *c = open_cache(4, NO_LIMIT);
    for (unsigned i = 0; i < 4; i++) {
        put(c, i);
        assert_true(has(c, i));
    }
    put(c, 9);
    assert_false(has(c, 0));
    assert_true(has(c, 1) && has(c, 2) && has(c, 3) && has(c, 9));
    close_cache(c);
}

static void test_one_entry(void **state)
{
    (void)state;
    atls_cache *c = open_cache(1, NO_LIMIT);
    put(c, 1);
    assert_true(has(c, 1) && has(c, 1));
    put(c, 2);
    assert_true(!has(c, 1) && has(c, 2));
    close_cache(c);
}

static void test_bytes(void **state)
{
    (void)state;
    atls_cache *c = open_cache(100, 40);
    for (unsigned i = 1; i <= 4; i++) {
        atls_cache_put(c, new_thing(i, 10, 10, 20));
    }
    assert_int_equal(atls_cache_count(c).len, 40);
    atls_cache_put(c, new_thing(5, 1, 10, 20));
    assert_false(has(c, 1));
    assert_int_equal(atls_cache_count(c).len, 31);
    atls_cache_put(c, new_thing(6, 11, 10, 20)); /* more than a quarter */
    assert_false(has(c, 6));
    assert_int_equal(atls_cache_count(c).len, 31);
    assert_int_equal(atomic_load(&n_alive), 4);
    close_cache(c);
}

static void test_held_outlives(void **state)
{
    (void)state;
    atls_cache *c = open_cache(1, NO_LIMIT);
    uint8_t key[32];
    put(c, 1);
    name_key(1, key);
    atls_cached *held = atls_cache_find(c, key, 15);
    assert_non_null(held);
    put(c, 2);
    assert_int_equal(atomic_load(&n_alive), 2);
    assert_int_equal(((thing *)(void *)held)->name, 1);
    atls_cache_free(c);
    assert_int_equal(atomic_load(&n_alive), 1);
    atls_cached_release(held);
    assert_int_equal(atomic_load(&n_alive), 0);
}

static void test_without_a_cache(void **state)
{
    (void)state;
    static const uint8_t key[32];
    assert_null(atls_cache_find(NULL, key, 15));
    atls_cache_put(NULL, new_thing(1, 1, 10, 20));
    atls_cached_release(NULL);
    atls_cache_free(NULL);
    assert_int_equal(atls_cache_count(NULL).entries, 0);
    assert_int_equal(atomic_load(&n_alive), 0);
}

static void test_numbers(void **state)
{
    (void)state;
    atls_cache *c = open_cache(2, NO_LIMIT);
    put(c, 1);
    (void)has(c, 1);
    (void)has(c, 2);
    (void)has_at(c, 1, 99);
    const atls_cache_numbers n = atls_cache_count(c);
    assert_int_equal(n.hits, 1);
    assert_int_equal(n.misses, 2);
    assert_int_equal(n.passed_over, 0);
    close_cache(c);
}

/* ---- against the same rules in their plainest form ---- */

#define MODEL_MAX 16

typedef struct model {
    unsigned names[2][MODEL_MAX + 1]; /* once, again; newest first */
    size_t n[2];
    size_t max;
} model;

static size_t model_index(const model *m, unsigned list, unsigned name)
{
    size_t i = 0;
    while (i < m->n[list] && m->names[list][i] != name) {
        i++;
    }
    return i;
}

static bool model_remove(model *m, unsigned list, unsigned name)
{
    const size_t i = model_index(m, list, name);
    if (i == m->n[list]) {
        return false;
    }
    memmove(&m->names[list][i], &m->names[list][i + 1], (m->n[list] - i - 1) * sizeof m->names[0][0]);
    m->n[list]--;
    return true;
}

static void model_add(model *m, unsigned list, unsigned name)
{
    memmove(&m->names[list][1], &m->names[list][0], m->n[list] * sizeof m->names[0][0]);
    m->names[list][0] = name;
    m->n[list]++;
}

static bool model_find(model *m, unsigned name)
{
    if (!model_remove(m, 0, name) && !model_remove(m, 1, name)) {
        return false;
    }
    model_add(m, 1, name);
    if (m->n[1] > 3 * m->max / 4) {
        const unsigned last = m->names[1][m->n[1] - 1];
        (void)model_remove(m, 1, last);
        model_add(m, 0, last);
    }
    return true;
}

static void model_put(model *m, unsigned name)
{
    const bool was_again = model_remove(m, 1, name);
    (void)model_remove(m, 0, name);
    if (m->n[0] + m->n[1] == m->max) {
        const unsigned from = m->n[0] > 0 ? 0 : 1;
        m->n[from]--;
    }
    model_add(m, was_again ? 1 : 0, name);
}

static void test_model(void **state)
{
    (void)state;
    randoms r = {.state = 5};
    for (size_t max = 1; max <= MODEL_MAX; max++) {
        atls_cache *c = open_cache(max, NO_LIMIT);
        model m = {.max = max};
        for (size_t i = 0; i < 20000; i++) {
            const unsigned name = (unsigned)random_below(&r, max + 6);
            if (random_below(&r, 2) == 0) {
                put(c, name);
                model_put(&m, name);
            } else {
                assert_int_equal(has(c, name), model_find(&m, name));
            }
            assert_int_equal(atls_cache_count(c).entries, m.n[0] + m.n[1]);
        }
        close_cache(c);
    }
}

/* ---- threads ---- */

typedef struct worker {
    pthread_t id;
    atls_cache *cache;
    randoms random;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    for (size_t i = 0; i < 20000; i++) {
        const unsigned name = (unsigned)random_below(&w->random, 64);
        if (random_below(&w->random, 3) == 0) {
            put(w->cache, name);
        } else {
            (void)has(w->cache, name);
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    worker workers[4];
    atls_cache *c = open_cache(32, NO_LIMIT);
    for (size_t i = 0; i < 4; i++) {
        workers[i] = (worker){.cache = c, .random = {.state = i + 1}};
        assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(workers[i].id, NULL), 0);
    }
    assert_in_range(atls_cache_count(c).entries, 1, 32);
    assert_int_equal(atomic_load(&n_alive), atls_cache_count(c).entries);
    close_cache(c);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_every_byte_of_the_key),
        cmocka_unit_test(test_same_key_replaces),
        cmocka_unit_test(test_oldest_goes_first),
        cmocka_unit_test(test_scan_leaves_who_is_known),
        cmocka_unit_test(test_known_may_be_forgotten),
        cmocka_unit_test(test_one_entry),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_held_outlives),
        cmocka_unit_test(test_without_a_cache),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
