/* SPDX-License-Identifier: Apache-2.0 */
/* A remembered yes is indistinguishable from a fresh one: thousands of appraisals in random order, of several machines,
 * genuine and spoilt, under endorsements that come and go, at instants around every date, by verifiers that remember much,
 * little and nothing. All must say the same, to the last byte. */
#include "remember.h"

#include "sample.h"
#include "tests/base/random.h"

#define KEEP_SIZE ((size_t)128 * 1024 * 1024)
#define WORK_SIZE ((size_t)64 * 1024 * 1024)
#define DAY       ((atls_time)86400)

#define SECOND   "pck.ppid=16x77", "cert.pck.key=second", "cert.pck.serial=0102030405"
#define THIRD    "pck.ppid=16x78", "cert.pck.key=third", "cert.pck.serial=0102030406"
#define STATUSES "policy.allowed_tcb_status=[\"UpToDate\",\"OutOfDate\",\"SWHardeningNeeded\"]"

typedef struct plan {
    sim_kind kind;
    const char *settings[STAGE_MAX_SETTINGS];
} plan;

/* The first of each kind is the honest one. Quotes and endorsements of all of them are mixed. */
static const plan plans[] = {
    {SIM_TDX_V4, {STATUSES}},
    {SIM_SGX_V3, {STATUSES}},
    {SIM_TDX_V4, {SECOND}},
    {SIM_TDX_V5, {THIRD}},
    {SIM_TDX_V4, {"pck.fmspc=112233445566", "cert.pck.key=far", "cert.pck.serial=0102030407"}},
    {SIM_TDX_V4, {"pck.ca=processor"}},
    {SIM_TDX_V4, {"quote.qe_auth=32x55"}},
    {SIM_TDX_V4, {"chain.quote=sibling,platform_ca,root", "qe.signed_by=sibling"}},
    {SIM_SGX_V3, {SECOND}},
    {SIM_SGX_V3, {"pck.ca=processor", "sgx.isvsvn=09"}},
    /* spoilt quotes */
    {SIM_TDX_V4, {"chain.quote=sibling,platform_ca,root"}},
    {SIM_TDX_V4, {"qe.sig=bit"}},
    {SIM_TDX_V4, {"quote.sig=bit"}},
    {SIM_TDX_V4, {"cert.pck.sig=bit"}},
    {SIM_TDX_V4, {"cert.platform_ca.sig=bit"}},
    {SIM_TDX_V4, {"qe.hash=other"}},
    {SIM_TDX_V4, {"td.tee_tcb_svn=0401"}},
    {SIM_TDX_V4, {"td.tdattributes=01"}},
    {SIM_TDX_V4, {"chain.quote=pck,platform_ca,root2"}},
    {SIM_TDX_V4, {"quote.cert_type=1", "chain.pck=pck,platform_ca,root"}},
    /* other endorsements */
    {SIM_TDX_V4, {"crl.pck.revoked=pck", "crl.pck.number=99"}},
    {SIM_TDX_V4, {"crl.pck.revoked=0102030405", "crl.pck.number=154"}},
    {SIM_TDX_V4, {"crl.root.revoked=platform_ca"}},
    {SIM_TDX_V4, {"crl.root.revoked=processor_ca"}},
    {SIM_TDX_V4, {"crl.pck.this_update=now-9999999", "crl.pck.number=01"}},
    {SIM_TDX_V4, {"tcb_info_date.issue=now-1000", "tcb_info_date.next=now+1000"}},
    {SIM_TDX_V4, {"qe_identity_date.issue=now-1000", "crl.pck.next_update=now+1000"}},
    {SIM_TDX_V4, {"cert.tcb.not_before=now-1000", "crl.root.next_update=now+1000"}},
    {SIM_TDX_V4, {"cert.pck.not_before=now-1000", "cert.pck.not_after=now+1000"}},
    {SIM_TDX_V4, {"cert.platform_ca.not_before=now-1000", "cert.platform_ca.not_after=now+1000"}},
    {SIM_TDX_V4, {"level.0.status=OutOfDate", "level.0.advisories=INTEL-SA-00001", "tcb_info_date.issue=now-10"}},
    {SIM_TDX_V4, {"qe_level.0.status=OutOfDate", "qe_level.0.advisories=INTEL-SA-00002"}},
    {SIM_TDX_V4, {"level.0.status=Revoked"}},
    {SIM_TDX_V4, {"module.0.level.0.status=OutOfDate", "module.0.level.0.advisories=INTEL-SA-00003"}},
    {SIM_TDX_V4, {"tcb_info.sig=highs", "qe_identity.sig=upper"}},
    {SIM_TDX_V4, {"chain.tcb.pem=crlf"}},
    {SIM_TDX_V4, {"chain.tcb=root,tcb"}},
    {SIM_TDX_V4, {"chain.pck=pck,platform_ca,root"}},
    {SIM_TDX_V4, {"chain.pck=sibling,platform_ca,root"}},
    {SIM_TDX_V4, {"raw.tcb_info@-3^=01"}},
    {SIM_TDX_V4, {"raw.pck_crl@-90^=01"}},
    {SIM_TDX_V4, {"raw.root_ca_crl@-90^=01"}},
    {SIM_TDX_V4, {"crl.pck.aki=none"}},
};
#define N_PLANS   (sizeof plans / sizeof plans[0])
#define N_GENUINE 10u /* of the plans, from the start: quotes worth remembering */
#define N_WARM    3u

typedef struct world {
    atls_arena keep;
    atls_arena work;
    stage stages[N_PLANS];
    atls_policy *policy;
    atls_verifier *plain;
    atls_verifier *warm[N_WARM];
    randoms random;
    size_t n_accepted;
} world;

static void world_open(world *w, size_t honest, const char *type)
{
    static const atls_verifier_options nothing = {.no_cache = true};
    static const atls_verifier_options options[N_WARM] = {
        {0},
        {.max_platforms = 1, .max_endorsements = 1},
        {.max_platforms = 3, .max_endorsements = 8, .max_endorsements_len = 150000},
    };
    atls_error err = {0};
    *w = (world){.random = {.state = 2026 + honest}};
    assert_true(atls_arena_new(&w->keep, KEEP_SIZE, &err));
    assert_true(atls_arena_new(&w->work, WORK_SIZE, &err));
    for (size_t i = 0; i < N_PLANS; i++) {
        stage_open(&w->stages[i], plans[i].kind, plans[i].settings, &w->keep);
    }
    w->policy = stage_policy(&w->stages[honest], type, &w->keep);
    w->plain = stage_verifier(w->policy, &nothing);
    for (size_t i = 0; i < N_WARM; i++) {
        w->warm[i] = stage_verifier(w->policy, &options[i]);
    }
}

static void world_close(world *w)
{
    for (size_t i = 0; i < N_PLANS; i++) {
        stage_close(&w->stages[i]);
    }
    for (size_t i = 0; i < N_WARM; i++) {
        atls_verifier_free(w->warm[i]);
    }
    atls_verifier_free(w->plain);
    atls_policy_free(w->policy);
    atls_arena_free(&w->keep);
    atls_arena_free(&w->work);
}

static bool chance(world *w, size_t percent)
{
    return random_below(&w->random, 100) < percent;
}

/* Near an edge more often than not. */
static atls_time pick_instant(world *w)
{
    static const atls_time offsets[] = {-1001, -1000, -999, 999, 1000, 1001};
    if (chance(w, 50)) {
        return SIM_NOW;
    }
    if (chance(w, 60)) {
        return SIM_NOW + offsets[random_below(&w->random, sizeof offsets / sizeof offsets[0])];
    }
    const atls_time days = (atls_time)random_below(&w->random, 80) - 40;
    return SIM_NOW + days * DAY + (atls_time)random_below(&w->random, 3) - 1;
}

/* One place of some bytes, in a copy. */
static atls_bytes damage(world *w, atls_bytes in)
{
    atls_error err = {0};
    uint8_t *copy = atls_arena_raw(&w->work, in.len + 16, &err);
    assert_non_null(copy);
    memcpy(copy, in.ptr, in.len);
    return atls_bytes_of(copy, random_damage(&w->random, copy, in.len, in.len + 16));
}

static atls_bytes *pick_piece(world *w, atls_dcap_collateral *c)
{
    atls_bytes *const pieces[] = {&c->root_ca_crl,           &c->pck_crl,
                                  &c->tcb_info_issuer_chain, &c->tcb_info,
                                  &c->tcb_info_signature,    &c->qe_identity_issuer_chain,
                                  &c->qe_identity,           &c->qe_identity_signature,
                                  &c->pck_crl_issuer_chain};
    return pieces[random_below(&w->random, sizeof pieces / sizeof pieces[0])];
}

/* Endorsements: mostly the quote's own room's or the honest ones'; sometimes with one piece of another room. */
static atls_endorsements pick_endorsements(world *w, size_t quote)
{
    const size_t any = random_below(&w->random, N_PLANS);
    const size_t from = chance(w, 40) ? quote : chance(w, 50) ? (quote < N_GENUINE ? quote : 0) : any;
    atls_endorsements e = w->stages[from].endorsements;
    if (chance(w, 10)) {
        atls_dcap_collateral other = w->stages[any].endorsements.dcap;
        randoms again = w->random;
        atls_bytes *to = pick_piece(w, &e.dcap);
        w->random = again;
        *to = *pick_piece(w, &other);
    }
    if (chance(w, 8)) {
        atls_bytes *piece = pick_piece(w, &e.dcap);
        *piece = damage(w, *piece);
    }
    e.stapled = chance(w, 15) ? ATLS_PIECE_TCB_INFO : 0;
    return e;
}

static void step(world *w)
{
    const size_t quote = chance(w, 70) ? random_below(&w->random, N_GENUINE) : random_below(&w->random, N_PLANS);
    const atls_endorsements e = pick_endorsements(w, quote);
    const bool is_damaged = chance(w, 8);
    const mix m = {
        .quote = is_damaged ? damage(w, w->stages[quote].quote) : w->stages[quote].quote,
        .endorsements = &e,
        .now = pick_instant(w),
        .wrong_value = chance(w, 5),
    };
    outcome plain;
    mix_appraise(w->plain, &m, &w->work, &plain);
    for (size_t i = 0; i < N_WARM; i++) {
        outcome warm;
        mix_appraise(w->warm[i], &m, &w->work, &warm);
        outcome_assert_same(&warm, &plain);
        assert_true(warm.n_verifications <= plain.n_verifications);
    }
    w->n_accepted += plain.accepted ? 1 : 0;
    atls_arena_reset(&w->work);
}

static void run(size_t honest, const char *type, size_t n)
{
    static world w;
    world_open(&w, honest, type);
    for (size_t i = 0; i < n; i++) {
        step(&w);
    }
    /* a test that never met a memory would prove nothing */
    const atls_verifier_counts much = atls_verifier_count(w.warm[0]);
    const atls_verifier_counts little = atls_verifier_count(w.warm[1]);
    printf("# %s: %zu of %zu accepted; endorsements %llu hits, %llu misses, %llu evictions of a cache of one; "
           "platforms %llu hits, %llu misses\n",
           type, w.n_accepted, n, (unsigned long long)much.endorsements.hits,
           (unsigned long long)much.endorsements.misses, (unsigned long long)little.endorsements.evictions,
           (unsigned long long)much.platforms.hits, (unsigned long long)much.platforms.misses);
    assert_true(w.n_accepted > n / 20);
    assert_true(much.endorsements.hits > n / 10);
    assert_true(much.stapled.hits > 0);
    assert_true(much.platforms.hits > n / 10);
    assert_true(little.endorsements.evictions > n / 100);
    assert_true(little.platforms.evictions > n / 100);
    world_close(&w);
}

static size_t n_steps = SAMPLE(2400, 480); /* the first argument of the program, for a longer walk */

static void test_tdx(void **state)
{
    (void)state;
    run(0, "tdx", n_steps);
}

static void test_sgx(void **state)
{
    (void)state;
    run(1, "sgx", n_steps / 4);
}

int main(int argc, char **argv)
{
    n_steps = argc > 1 ? strtoul(argv[1], NULL, 10) : n_steps;
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tdx),
        cmocka_unit_test(test_sgx),
    };
    return cmocka_run_group_tests_name("remember_random", tests, NULL, NULL);
}
