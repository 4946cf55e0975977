/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads share one verifier: every verdict is the one that a verifier without memory gives, whoever remembers,
 * forgets and replaces meanwhile. Built with ThreadSanitizer it says more:
 *
 *   cmake -B build/tsan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DATLS_SANITIZE=thread -DATLS_BUILD_BENCH=OFF
 *   ninja -C build/tsan test_remember_threads test_cache && build/tsan/tests/verify/test_remember_threads */
#include "remember.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/base/random.h"

#define KEEP_SIZE ((size_t)64 * 1024 * 1024)
#define WORK_SIZE ((size_t)4 * 1024 * 1024)
#define N_THREADS 6u
#define N_ROUNDS  400u
#define N_ROOMS   6u

static const char *const settings[N_ROOMS][6] = {
    {NULL},
    {"pck.ppid=16x77", "cert.pck.key=second", "cert.pck.serial=0102030405", NULL},
    {"pck.fmspc=112233445566", "level.0.advisories=INTEL-SA-00001", NULL},
    {"quote.qe_auth=32x55", "tcb_info_date.issue=now-10", NULL},
    {"crl.pck.revoked=pck", NULL},
    {"quote.sig=bit", NULL},
};

typedef struct shared {
    stage stages[N_ROOMS];
    bool accepted[N_ROOMS][N_ROOMS]; /* quote, endorsements: what a verifier without memory says */
    atls_code code[N_ROOMS][N_ROOMS];
    atls_bytes json[N_ROOMS][N_ROOMS];
    atls_verifier *verifier;
    atomic_size_t n_wrong;
} shared;

typedef struct worker {
    pthread_t id;
    shared *s;
    randoms random;
    atls_arena arena;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    for (size_t i = 0; i < N_ROUNDS; i++) {
        const size_t q = random_below(&w->random, N_ROOMS);
        const size_t e = random_below(&w->random, 3) == 0 ? random_below(&w->random, N_ROOMS) : q;
        const mix m = {.quote = w->s->stages[q].quote, .endorsements = &w->s->stages[e].endorsements, .now = SIM_NOW};
        outcome o;
        mix_appraise(w->s->verifier, &m, &w->arena, &o);
        const bool same = o.accepted == w->s->accepted[q][e] && o.err.code == w->s->code[q][e]
                          && atls_bytes_equal(o.json, w->s->json[q][e]);
        (void)atomic_fetch_add(&w->s->n_wrong, same ? 0 : 1);
        atls_arena_reset(&w->arena);
    }
    return NULL;
}

static void expect(shared *s, const atls_policy *policy, atls_arena *keep)
{
    static const atls_verifier_options nothing = {.no_cache = true};
    atls_verifier *plain = stage_verifier(policy, &nothing);
    for (size_t q = 0; q < N_ROOMS; q++) {
        for (size_t e = 0; e < N_ROOMS; e++) {
            const mix m = {.quote = s->stages[q].quote, .endorsements = &s->stages[e].endorsements, .now = SIM_NOW};
            outcome o;
            mix_appraise(plain, &m, keep, &o);
            s->accepted[q][e] = o.accepted;
            s->code[q][e] = o.err.code;
            s->json[q][e] = o.json;
        }
    }
    atls_verifier_free(plain);
}

static void hammer(const atls_verifier_options *options)
{
    static shared s;
    static worker workers[N_THREADS];
    atls_arena keep;
    atls_error err = {0};
    memset(&s, 0, sizeof s);
    assert_true(atls_arena_new(&keep, KEEP_SIZE, &err));
    for (size_t i = 0; i < N_ROOMS; i++) {
        stage_open(&s.stages[i], SIM_TDX_V4, settings[i], &keep);
    }
    atls_policy *policy = stage_policy(&s.stages[0], "tdx", &keep);
    expect(&s, policy, &keep);
    s.verifier = stage_verifier(policy, options);
    for (size_t i = 0; i < N_THREADS; i++) {
        workers[i] = (worker){.s = &s, .random = {.state = i + 1}};
        assert_true(atls_arena_new(&workers[i].arena, WORK_SIZE, &err));
        assert_int_equal(pthread_create(&workers[i].id, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].id, NULL), 0);
        atls_arena_free(&workers[i].arena);
    }
    assert_int_equal(atomic_load(&s.n_wrong), 0);
    const atls_verifier_counts n = atls_verifier_count(s.verifier);
    assert_true(n.endorsements.hits > 0 && n.platforms.hits > 0);
    assert_true(options == NULL || n.endorsements.evictions > 0);
    atls_verifier_free(s.verifier);
    atls_policy_free(policy);
    for (size_t i = 0; i < N_ROOMS; i++) {
        stage_close(&s.stages[i]);
    }
    atls_arena_free(&keep);
}

static void test_room_for_all(void **state)
{
    (void)state;
    hammer(NULL);
}

/* Everybody pushes out what the others are using. */
static void test_room_for_one(void **state)
{
    (void)state;
    static const atls_verifier_options one = {.max_platforms = 1, .max_endorsements = 1};
    hammer(&one);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room_for_all),
        cmocka_unit_test(test_room_for_one),
    };
    return cmocka_run_group_tests_name("remember_threads", tests, NULL, NULL);
}
