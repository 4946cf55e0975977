/* SPDX-License-Identifier: Apache-2.0 */
/* A remembered signature is indistinguishable from one that was checked: appraisals of SEV-SNP reports, quotes of TPMs and
 * Nitro documents in random order, genuine and spoilt, with certificates and lists of any of them, at instants around every
 * date, by verifiers that remember much, little and nothing. All must say the same, to the last byte. And rows that say what
 * is remembered, by the number of signatures that are still checked. */
#include "remember.h"

#include "sample.h"
#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"
#include "tests/base/random.h"

#define KEEP_SIZE    ((size_t)64 * 1024 * 1024)
#define WORK_SIZE    ((size_t)64 * 1024 * 1024)
#define DAY          ((atls_time)86400)
#define MAX_SETTINGS 6
#define N_WARM       3u

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- machines ---- */

typedef enum room { SNP, TPM, NITRO, N_ROOMS } room;

typedef struct plan {
    const char *settings[MAX_SETTINGS];
} plan;

#define MAX_PLANS 24u

/* The first is the honest one; its policy judges all. */
static const plan plans[N_ROOMS][MAX_PLANS] = {
    [SNP] =
        {
            {{"report.guest_svn=7"}},
            {{"leaf.hwid=64x77", "report.chip_id=64x77"}},
            {{"cert.vcek.not_before=now-1000", "cert.vcek.not_after=now+1000"}},
            {{"cert.ask.not_before=now-1000", "cert.ask.not_after=now+1000"}},
            {{"crl.this_update=now-1000", "crl.next_update=now+1000"}},
            {{"crl.revoked=99"}},
            {{"crl.revoked=ask"}},
            {{"crl.revoked=ask", "crl.next_update=now-1"}},
            {{"crl.sig=bit", "crl.revoked=ask"}},
            {{"crl.signed_by=ask"}},
            {{"cert.vcek.sig=bit"}},
            {{"cert.ask.sig=bit"}},
            {{"cert.vcek.signed_by=ark"}},
            {{"report.sig=bit"}},
            {{"report.key=other"}},
            {{"report.vmpl=1"}},
            {{"cert.ask.key_usage=80"}},
        },
    [TPM] =
        {
            {{"quotes=sha256"}},
            {{"certs=along"}},
            {{"ak.type=p256"}},
            {{"cert.leaf.not_before=now-1000", "cert.leaf.not_after=now+1000"}},
            {{"cert.intermediate.not_before=now-1000", "cert.intermediate.not_after=now+1000"}},
            {{"crl.intermediate.next_update=now+1000", "crl.root.this_update=now-1000"}},
            {{"crl.intermediate.revoked=3"}},
            {{"crl.intermediate.revoked=3", "crl.intermediate.next_update=now-1"}},
            {{"crl.root.revoked=2"}},
            {{"crl.root.sig=bit", "crl.root.revoked=2"}},
            {{"crl.intermediate.signed_by=stranger", "crl.intermediate.revoked=3"}},
            {{"cert.leaf.sig=bit"}},
            {{"cert.intermediate.sig=bit"}},
            {{"cert.leaf.signed_by=root"}},
            {{"cert.leaf.key=other"}},
            {{"quote.sha256.sig=bit"}},
            {{"cert.intermediate.ca=false"}},
        },
    [NITRO] =
        {
            {{"payload.nonce=none"}},
            {{"cert.leaf.key=second", "signed_by=leaf", "module_id=i-other-enc1"}},
            {{"cert.leaf.not_before=now-1000", "cert.leaf.not_after=now+1000"}},
            {{"cert.instance.not_before=now-1000", "cert.instance.not_after=now+1000"}},
            {{"crl.regional.next_update=now+1000", "crl.root.this_update=now-1000"}},
            {{"crl.zonal.revoked=instance"}},
            {{"crl.root.revoked=regional", "crl.root.next_update=now-1"}},
            {{"crl.root.sig=bit", "crl.root.revoked=regional"}},
            {{"cert.leaf.sig=bit"}},
            {{"cert.zonal.sig=bit"}},
            {{"cert.leaf.signed_by=zonal"}},
            {{"sig=bit"}},
            {{"cabundle=root,regional,zonal"}},
        },
};

typedef struct machine {
    void *object;
    atls_bytes evidence;
    atls_endorsements endorsements;
    bool is_there;
} machine;

static bool make_snp(machine *m, const char *const *settings, atls_arena *keep, atls_bytes *policy, atls_error *err)
{
    sim_snp *s = NULL;
    m->endorsements.platform = ATLS_PLATFORM_SEV_SNP;
    const bool ok = sim_snp_new(&(sim_snp_options){.version = 3, .settings = settings}, &s, err)
                    && sim_snp_extended(s, stage_value, keep, &m->evidence, err)
                    && sim_snp_pile(s, keep, &m->endorsements.pile, err) && sim_snp_policy(s, keep, policy, err);
    m->object = s; /* what is handed out is its own, in part */
    return ok;
}

static bool make_tpm(machine *m, const char *const *settings, atls_arena *keep, atls_bytes *policy, atls_error *err)
{
    sim_tpm *s = NULL;
    if (!sim_tpm_new(&(sim_tpm_options){.settings = settings}, &s, err)) {
        return false;
    }
    m->object = s;
    m->endorsements = *sim_tpm_endorsements(s);
    return sim_tpm_document(s, SIM_TPM_CBOR, atls_bytes_of(stage_value, 64), keep, &m->evidence, err)
           && sim_tpm_policy(s, "", keep, policy, err);
}

static bool make_nitro(machine *m, const char *const *settings, atls_arena *keep, atls_bytes *policy, atls_error *err)
{
    sim_nitro *s = NULL;
    const atls_bytes value = atls_bytes_of(stage_value, 64);
    const sim_nitro_request request = {.user_data = &value};
    m->endorsements.platform = ATLS_PLATFORM_NITRO;
    const bool ok = sim_nitro_new(&(sim_nitro_options){.settings = settings}, &s, err)
                    && sim_nitro_document(s, &request, keep, &m->evidence, err)
                    && sim_nitro_pile(s, keep, &m->endorsements.pile, err) && sim_nitro_policy(s, keep, policy, err);
    m->object = s; /* what is handed out is its own, in part */
    return ok;
}

static void close_machine(machine *m, room r)
{
    if (r == SNP) {
        sim_snp_free(m->object);
    } else if (r == TPM) {
        sim_tpm_free(m->object);
    } else {
        sim_nitro_free(m->object);
    }
}

static atls_bytes open_machine(machine *m, room r, const plan *p, atls_arena *keep)
{
    atls_error err = {0};
    atls_bytes policy = atls_bytes_empty();
    *m = (machine){.is_there = true};
    must(r == SNP   ? make_snp(m, p->settings, keep, &policy, &err)
         : r == TPM ? make_tpm(m, p->settings, keep, &policy, &err)
                    : make_nitro(m, p->settings, keep, &policy, &err),
         &err);
    return policy;
}

/* ---- the walk ---- */

typedef struct world {
    room room;
    atls_arena keep;
    atls_arena work;
    machine machines[MAX_PLANS];
    size_t n;
    atls_policy *policy;
    atls_verifier *plain;
    atls_verifier *warm[N_WARM];
    randoms random;
    size_t n_accepted;
    size_t n_saved; /* signatures that somebody did not check */
} world;

static void world_open(world *w, room r)
{
    static const atls_verifier_options nothing = {.no_cache = true};
    static const atls_verifier_options options[N_WARM] = {{0}, {.max_platforms = 1}, {.max_platforms = 5}};
    atls_error err = {0};
    *w = (world){.room = r, .random = {.state = 2027 + r}};
    must(atls_arena_new(&w->keep, KEEP_SIZE, &err) && atls_arena_new(&w->work, WORK_SIZE, &err), &err);
    for (; w->n < MAX_PLANS && plans[r][w->n].settings[0] != NULL; w->n++) {
        const atls_bytes policy = open_machine(&w->machines[w->n], r, &plans[r][w->n], &w->keep);
        if (w->n == 0) {
            must(atls_policy_parse(policy, &w->policy, &err), &err);
        }
    }
    w->plain = stage_verifier(w->policy, &nothing);
    for (size_t i = 0; i < N_WARM; i++) {
        w->warm[i] = stage_verifier(w->policy, &options[i]);
    }
}

static void world_close(world *w)
{
    for (size_t i = 0; i < w->n; i++) {
        close_machine(&w->machines[i], w->room);
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

static atls_time pick_instant(world *w)
{
    static const atls_time offsets[] = {-1001, -1000, -999, -1, 1, 999, 1000, 1001};
    if (chance(w, 60)) {
        return SIM_NOW;
    }
    if (chance(w, 70)) {
        return SIM_NOW + offsets[random_below(&w->random, sizeof offsets / sizeof offsets[0])];
    }
    const atls_time days = (atls_time)random_below(&w->random, 80) - 40;
    return SIM_NOW + days * DAY + (atls_time)random_below(&w->random, 3) - 1;
}

static atls_bytes damage(world *w, atls_bytes in)
{
    atls_error err = {0};
    uint8_t *copy = atls_arena_raw(&w->work, in.len + 16, &err);
    assert_non_null(copy);
    memcpy(copy, in.ptr, in.len);
    return atls_bytes_of(copy, random_damage(&w->random, copy, in.len, in.len + 16));
}

/* A list of one room, in which one piece may be another room's, or damaged, or missing, or moved. */
static void mix_list(world *w, const atls_bytes **items, size_t *n, const atls_bytes *others, size_t n_others)
{
    atls_error err = {0};
    atls_bytes *copy = atls_arena_array(&w->work, *n + 1, sizeof *copy, &err);
    assert_non_null(copy);
    for (size_t i = 0; i < *n; i++) {
        copy[i] = (*items)[i];
    }
    const size_t at = *n == 0 ? 0 : random_below(&w->random, *n);
    if (*n > 0 && n_others > 0 && chance(w, 15)) {
        copy[at] = others[random_below(&w->random, n_others)];
    } else if (n_others > 0 && chance(w, 10)) {
        copy[(*n)++] = others[random_below(&w->random, n_others)];
    } else if (*n > 0 && chance(w, 8)) {
        copy[at] = damage(w, copy[at]);
    } else if (*n > 0 && chance(w, 5)) {
        (*n)--;
    } else if (*n > 1 && chance(w, 10)) {
        const atls_bytes first = copy[0];
        copy[0] = copy[at];
        copy[at] = first;
    }
    *items = copy;
}

static atls_endorsements pick_endorsements(world *w, size_t evidence)
{
    const size_t any = random_below(&w->random, w->n);
    const atls_certificate_pile *others = &w->machines[any].endorsements.pile;
    const size_t from = chance(w, 60) ? evidence : chance(w, 50) ? 0 : any;
    atls_endorsements e = w->machines[from].endorsements;
    mix_list(w, &e.pile.certificates, &e.pile.n_certificates, others->certificates, others->n_certificates);
    mix_list(w, &e.pile.crls, &e.pile.n_crls, others->crls, others->n_crls);
    return e;
}

static void step(world *w)
{
    const size_t which = chance(w, 50) ? random_below(&w->random, 4) : random_below(&w->random, w->n);
    const atls_endorsements e = pick_endorsements(w, which);
    const mix m = {
        .quote = chance(w, 8) ? damage(w, w->machines[which].evidence) : w->machines[which].evidence,
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
        w->n_saved += (size_t)(plain.n_verifications - warm.n_verifications);
    }
    w->n_accepted += plain.accepted ? 1 : 0;
    atls_arena_reset(&w->work);
}

static size_t n_steps = SAMPLE(1200, 240); /* the first argument of the program, for a longer walk */

static void test_walk(void **state)
{
    static const char *const names[] = {"sev-snp", "tpm", "nitro"};
    const room r = *(const room *)*state;
    static world w;
    world_open(&w, r);
    for (size_t i = 0; i < n_steps; i++) {
        step(&w);
    }
    const atls_verifier_counts much = atls_verifier_count(w.warm[0]);
    const atls_verifier_counts little = atls_verifier_count(w.warm[1]);
    printf(
        "# %s: %zu of %zu accepted; %zu signatures saved; %llu hits, %llu misses, %llu evictions of a cache of one\n",
        names[r], w.n_accepted, n_steps, w.n_saved, (unsigned long long)much.platforms.hits,
        (unsigned long long)much.platforms.misses, (unsigned long long)little.platforms.evictions);
    assert_true(w.n_accepted > n_steps / 20); /* a walk that never met a memory would prove nothing */
    assert_true(much.platforms.hits > n_steps / 2);
    assert_true(w.n_saved > n_steps);
    assert_true(little.platforms.evictions > n_steps / 100);
    world_close(&w);
}

/* ---- what is remembered ---- */

typedef struct count_row {
    const char *name;
    room room;
    size_t second;     /* the plan of the second appraisal */
    atls_time offset;  /* of the second */
    bool spoils_first; /* the first is of another session, and refused */
    bool accepted;     /* the second is */
    uint64_t checked;  /* signatures that the second checks */
} count_row;

/* clang-format off */
static const count_row counts[] = {
    {"SNP: met before, the report alone", SNP, 0, 0, false, true, 1},
    {"SNP: a refusal is not remembered", SNP, 0, 0, true, true, 5},
    {"SNP: another chip under the same ASK", SNP, 1, 0, false, true, 2},
    {"SNP: another list", SNP, 5, 0, false, true, 2},
    {"SNP: another list that names the ASK", SNP, 6, 0, false, false, 1},
    {"SNP: a forged VCEK", SNP, 10, 0, false, false, 1},
    {"SNP: an ASK that may not sign", SNP, 16, 0, false, false, 0},
    {"SNP: after all dates", SNP, 0, 3650 * DAY * 10, false, false, 3},
    {"TPM: met before, the quote alone", TPM, 0, 0, false, true, 1},
    {"TPM: a refusal is not remembered", TPM, 0, 0, true, true, 5},
    {"TPM: another key under the same intermediate", TPM, 2, 0, false, true, 3},
    {"TPM: a list that names the key", TPM, 6, 0, false, false, 1},
    {"Nitro: met before, the document alone", NITRO, 0, 0, false, true, 1},
    {"Nitro: a refusal is not remembered", NITRO, 0, 0, true, true, 8},
    {"Nitro: another enclave of the instance", NITRO, 1, 0, false, true, 2},
    {"Nitro: a list that names the instance", NITRO, 5, 0, false, false, 1},
};
/* clang-format on */

static void test_count(void **state)
{
    const count_row *r = *state;
    atls_arena a;
    atls_error err = {0};
    machine first, second;
    outcome o;
    atls_policy *policy = NULL;
    must(atls_arena_new(&a, KEEP_SIZE, &err), &err);
    const atls_bytes text = open_machine(&first, r->room, &plans[r->room][0], &a);
    (void)open_machine(&second, r->room, &plans[r->room][r->second], &a);
    must(atls_policy_parse(text, &policy, &err), &err);
    atls_verifier *v = stage_verifier(policy, NULL);
    const mix before = {first.evidence, &first.endorsements, SIM_NOW, r->spoils_first};
    mix_appraise(v, &before, &a, &o);
    assert_int_equal(o.accepted, !r->spoils_first);
    const mix then = {second.evidence, &second.endorsements, SIM_NOW + r->offset, false};
    mix_appraise(v, &then, &a, &o);
    assert_int_equal(o.accepted, r->accepted);
    assert_int_equal(o.n_verifications, r->checked);
    close_machine(&first, r->room);
    close_machine(&second, r->room);
    atls_verifier_free(v);
    atls_policy_free(policy);
    atls_arena_free(&a);
}

int main(int argc, char **argv)
{
    static const room rooms[] = {SNP, TPM, NITRO};
    tap_list l = {0};
    n_steps = argc > 1 ? strtoul(argv[1], NULL, 10) : n_steps;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        tap_add(&l, counts[i].name, test_count, &counts[i]);
    }
    tap_add(&l, "a walk: SEV-SNP", test_walk, &rooms[SNP]);
    tap_add(&l, "a walk: TPM", test_walk, &rooms[TPM]);
    tap_add(&l, "a walk: Nitro", test_walk, &rooms[NITRO]);
    return tap_run("verify/remember_links", &l);
}
