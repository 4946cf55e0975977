/* SPDX-License-Identifier: Apache-2.0 */
/* What is revoked stays revoked when memory runs out: each allocation in turn is refused, ours and OpenSSL's, while evidence
 * is appraised whose certificate is on a list, by policies that do without lists where there are none. A list that could not be
 * looked at is not one that is not there. */
#include "remember.h"

#include <openssl/crypto.h>

#include "sim/sim_nitro.h"
#include "sim/sim_sevsnp.h"
#include "sim/sim_tpm.h"

#define ARENA_SIZE ((size_t)32 * 1024 * 1024)

/* ---- memory that runs out ---- */

static size_t n_left; /* allocations until one is refused; 0: none ever */
static bool was_refused;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool is_refused(void)
{
    const bool now = n_left == 1;
    n_left -= n_left > 0 ? 1 : 0;
    was_refused = was_refused || now;
    return now;
}

void *__wrap_malloc(size_t size)
{
    return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return is_refused() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return is_refused() ? NULL : __real_realloc(old, size);
}

static void *their_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_malloc(size);
}

static void *their_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return __wrap_realloc(old, size);
}

static void their_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- machines ---- */

typedef struct row {
    const char *name;
    atls_platform kind;
    const char *revoked[3]; /* of an otherwise equal machine: who is on a list, NULL */
    bool is_hosts;          /* SEV-SNP: the list comes along with the evidence */
} row;

static const row rows[] = {
    {"TPM: a key", ATLS_PLATFORM_TPM, {"crl.intermediate.revoked=3", NULL}, false},
    {"TPM: an intermediate", ATLS_PLATFORM_TPM, {"crl.root.revoked=2", NULL}, false},
    {"Nitro: an instance", ATLS_PLATFORM_NITRO, {"crl.zonal.revoked=instance", NULL}, false},
    {"Nitro: a region", ATLS_PLATFORM_NITRO, {"crl.root.revoked=regional", NULL}, false},
    {"SEV-SNP: an ASK, by the first of two lists", ATLS_PLATFORM_SEV_SNP, {"crl.revoked=ask", NULL}, false},
    {"SEV-SNP: an ASK, by the list that the host sends",
     ATLS_PLATFORM_SEV_SNP,
     {"crl.revoked=ask", "table=vcek,ask,ark,crl", NULL},
     true},
};

typedef struct machine {
    sim_tpm *tpm;
    sim_nitro *nitro;
    sim_snp *snp;
    atls_bytes evidence;
    atls_bytes policy;
    atls_endorsements endorsements;
} machine;

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void open_snp(machine *m, const char *const *settings, bool is_extended, atls_arena *a)
{
    atls_error err = {0};
    must(sim_snp_new(&(sim_snp_options){.settings = settings}, &m->snp, &err)
             && (is_extended ? sim_snp_extended : sim_snp_report)(m->snp, stage_value, a, &m->evidence, &err)
             && sim_snp_pile(m->snp, a, &m->endorsements.pile, &err) && sim_snp_policy(m->snp, a, &m->policy, &err),
         &err);
}

/* A clean list of the same ARK beside the one that revokes, or instead of it. */
static void add_list(machine *m, const machine *good, bool is_alone, atls_arena *a)
{
    atls_error err = {0};
    atls_certificate_pile *pile = &m->endorsements.pile;
    atls_bytes *lists = atls_arena_array(a, 2, sizeof *lists, &err);
    must(lists != NULL && pile->n_crls == 1 && good->endorsements.pile.n_crls == 1, &err);
    lists[0] = is_alone ? good->endorsements.pile.crls[0] : pile->crls[0];
    lists[1] = good->endorsements.pile.crls[0];
    pile->crls = lists;
    pile->n_crls = 2;
}

static void open_machine(machine *m, const row *r, const char *const *settings, atls_arena *a)
{
    atls_error err = {0};
    const atls_bytes value = atls_bytes_of(stage_value, 64);
    const sim_nitro_request request = {.user_data = &value};
    *m = (machine){.endorsements = {.platform = r->kind}};
    if (r->kind == ATLS_PLATFORM_SEV_SNP) {
        open_snp(m, settings, r->is_hosts, a);
        return;
    }
    if (r->kind == ATLS_PLATFORM_TPM) {
        must(sim_tpm_new(&(sim_tpm_options){.settings = settings}, &m->tpm, &err)
                 && sim_tpm_document(m->tpm, SIM_TPM_CBOR, value, a, &m->evidence, &err)
                 && sim_tpm_policy(m->tpm, "", a, &m->policy, &err),
             &err);
        m->endorsements = *sim_tpm_endorsements(m->tpm);
        return;
    }
    must(sim_nitro_new(&(sim_nitro_options){.settings = settings}, &m->nitro, &err)
             && sim_nitro_document(m->nitro, &request, a, &m->evidence, &err)
             && sim_nitro_pile(m->nitro, a, &m->endorsements.pile, &err)
             && sim_nitro_policy(m->nitro, a, &m->policy, &err),
         &err);
}

static void close_machine(machine *m)
{
    sim_tpm_free(m->tpm);
    sim_nitro_free(m->nitro);
    sim_snp_free(m->snp);
}

/* ---- rows ---- */

/* Refuses the n-th allocation for every n, until there are not so many. */
static void refuse_each(const atls_verifier *v, const machine *m, atls_arena *a)
{
    const mix revoked = {.quote = m->evidence, .endorsements = &m->endorsements, .now = SIM_NOW};
    const size_t used = a->used;
    outcome o;
    for (size_t n = 1;; n++) {
        a->used = used;
        was_refused = false;
        n_left = n;
        mix_appraise(v, &revoked, a, &o);
        n_left = 0;
        if (o.accepted) {
            fail_msg("accepted when allocation %zu was refused", n);
        }
        if (!was_refused) {
            assert_true(n > 3);
            assert_int_equal(o.err.code, ATLS_E_REVOKED);
            return;
        }
    }
}

static void test_row(void **state)
{
    static const char *const honest[] = {NULL};
    static const atls_verifier_options nothing = {.no_cache = true};
    const row *r = *state;
    atls_arena a;
    atls_error err = {0};
    atls_policy *policy = NULL;
    machine good;
    machine bad;
    outcome o;
    must(atls_arena_new(&a, ARENA_SIZE, &err), &err);
    open_machine(&good, r, honest, &a);
    open_machine(&bad, r, r->revoked, &a);
    if (r->kind == ATLS_PLATFORM_SEV_SNP) {
        add_list(&bad, &good, r->is_hosts, &a);
    }
    must(atls_policy_parse(good.policy, &policy, &err), &err);
    atls_verifier *cold = stage_verifier(policy, &nothing);
    atls_verifier *warm = stage_verifier(policy, NULL);
    const mix before = {.quote = good.evidence, .endorsements = &good.endorsements, .now = SIM_NOW};
    mix_appraise(warm, &before, &a, &o);
    must(o.accepted, &o.err);
    refuse_each(cold, &bad, &a);
    refuse_each(warm, &bad, &a); /* its signatures are known, and no key is open yet */
    atls_verifier_free(cold);
    atls_verifier_free(warm);
    atls_policy_free(policy);
    close_machine(&good);
    close_machine(&bad);
    atls_arena_free(&a);
}

int main(void)
{
    tap_list l = {0};
    if (CRYPTO_set_mem_functions(their_malloc, their_realloc, their_free) != 1) {
        return 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("verify/revoked_memory", &l);
}
