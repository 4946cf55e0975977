/* SPDX-License-Identifier: Apache-2.0 */
/* test_android_robust.c: chains that were changed on their way: no prefix and no addition is accepted, and a flipped bit is
 * refused or changes nothing that is claimed. Flips are sampled; the stride meets every bit of a byte and every field. */
#include "android_scene.h"

#define STRIDE 13u

typedef struct world {
    scene s;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_arena work;
} world;

static void open_world(world *w, sim_android_kind kind)
{
    scene_open(&w->s, kind, NULL);
    scene_must(atls_policy_parse(w->s.policy, &w->policy, &w->s.err), &w->s.err, "policy");
    scene_must(atls_verifier_new(w->policy, &w->verifier, &w->s.err), &w->s.err, "verifier");
    scene_must(atls_arena_new(&w->work, (size_t)4 * 1024 * 1024, &w->s.err), &w->s.err, "arena");
}

static void close_world(world *w)
{
    atls_arena_free(&w->work);
    atls_verifier_free(w->verifier);
    atls_policy_free(w->policy);
    scene_close(&w->s);
}

static bool appraise(world *w, atls_bytes evidence, atls_result *r)
{
    atls_error err = {0};
    atls_appraisal in = w->s.in;
    in.evidence = evidence;
    atls_arena_reset(&w->work);
    const bool ok = atls_verifier_appraise(w->verifier, &in, &w->work, r, &err);
    assert_true(ok == (err.code == ATLS_OK) && ok == (r->verdict == ATLS_VERDICT_ACCEPTED));
    return ok;
}

static void test_prefixes(void **state)
{
    world w;
    atls_result r;
    (void)state;
    open_world(&w, SIM_ANDROID_FACTORY);
    const atls_bytes whole = w.s.in.evidence;
    assert_true(appraise(&w, whole, &r));
    for (size_t n = 0; n < whole.len; n++) {
        assert_false(appraise(&w, atls_bytes_of(whole.ptr, n), &r));
    }
    close_world(&w);
}

/* Every byte is signed, or says how long what is signed is: the root signs itself. */
static void flip_all(sim_android_kind kind)
{
    world w;
    atls_result r;
    open_world(&w, kind);
    const atls_bytes whole = w.s.in.evidence;
    uint8_t *changed = atls_arena_raw(&w.s.arena, whole.len, &w.s.err);
    assert_non_null(changed);
    assert_true(appraise(&w, whole, &r));
    const atls_android_claims honest = r.claims.android;
    for (size_t bit = 0; bit < 8 * whole.len; bit += STRIDE) {
        memcpy(changed, whole.ptr, whole.len);
        changed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (appraise(&w, atls_bytes_of(changed, whole.len), &r)) {
            const atls_android_claims *c = &r.claims.android;
            assert_memory_equal(c->public_key_sha256, honest.public_key_sha256, 32);
            assert_memory_equal(c->root_spki_sha256, honest.root_spki_sha256, 32);
            assert_true(c->mode == honest.mode && c->n_certificates == honest.n_certificates);
            fail_msg("a flipped bit, %zu, was accepted", bit);
        }
    }
    close_world(&w);
}

static void test_flips_factory(void **state)
{
    (void)state;
    flip_all(SIM_ANDROID_FACTORY);
}

static void test_flips_software(void **state)
{
    (void)state;
    flip_all(SIM_ANDROID_SOFTWARE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_flips_factory),
        cmocka_unit_test(test_flips_software),
    };
    return cmocka_run_group_tests_name("android_robust", tests, NULL, NULL);
}
