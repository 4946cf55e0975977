/* SPDX-License-Identifier: Apache-2.0 */
/* A warm appraisal takes nothing from the heap, apart from what OpenSSL does for itself. The linker sends every call of ours
 * (the library is linked statically here) through the functions below; OpenSSL's own, in its shared library, keep theirs. */
#include "remember.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

static size_t n_allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
    n_allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    n_allocations++;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    n_allocations++;
    return __real_realloc(old, size);
}

static size_t allocations_of(const atls_verifier *v, const mix *m, atls_arena *a, uint64_t n_verifications)
{
    outcome o;
    const size_t before = n_allocations;
    mix_appraise(v, m, a, &o);
    const size_t n = n_allocations - before;
    assert_true(o.accepted);
    assert_int_equal(o.n_verifications, n_verifications);
    return n;
}

static void test_nothing_from_the_heap(void **state)
{
    (void)state;
    atls_arena keep;
    atls_error err = {0};
    stage s;
    assert_true(atls_arena_new(&keep, ARENA_SIZE, &err));
    stage_open(&s, SIM_TDX_V4, NULL, &keep);
    atls_policy *policy = stage_policy(&s, "tdx", &keep);
    atls_verifier *v = stage_verifier(policy, NULL);
    const mix m = {.quote = s.quote, .endorsements = &s.endorsements, .now = SIM_NOW};
    assert_true(allocations_of(v, &m, &keep, 9) > 0); /* keys, and what is remembered: the count counts */
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(allocations_of(v, &m, &keep, 1), 0);
    }
    atls_verifier_free(v);
    atls_policy_free(policy);
    stage_close(&s);
    atls_arena_free(&keep);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_from_the_heap)};
    return cmocka_run_group_tests_name("remember_memory", tests, NULL, NULL);
}
