/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_newer.c: atls_endorsements_merge, with a stapled bundle out of the input over one's own, and alone. Every piece is the
 * one side's or the other's, whole; only what is said to be stapled is; and merging once more changes nothing. */
#include "dcap_seed.h"

/* One's own: the room that the seed of index 1 is of. */
static void make_own(atls_endorsements *out)
{
    static uint8_t block[512 * 1024];
    static atls_endorsements kept;
    if (kept.platform == ATLS_PLATFORM_NONE) {
        const sim_options options = {.kind = SIM_TDX_V4};
        atls_error err = {0};
        sim *room;
        atls_arena own;
        atls_arena_init(&own, block, sizeof block);
        FUZZ_ASSERT(sim_new(&options, &room, &err) && sim_collateral(room, &own, &kept, &err));
        sim_free(room);
    }
    *out = kept;
}

static void same(atls_bytes got, atls_bytes own, atls_bytes stapled, bool is_stapled)
{
    const atls_bytes wanted = is_stapled ? stapled : own;
    FUZZ_ASSERT(got.ptr != NULL && got.len == wanted.len && (got.len == 0 || got.ptr == wanted.ptr));
}

static void check(const atls_dcap_collateral *o, const atls_dcap_collateral *s, const atls_endorsements *merged)
{
    const atls_dcap_collateral *g = &merged->dcap;
    const unsigned p = merged->stapled;
    same(g->root_ca_crl, o->root_ca_crl, s->root_ca_crl, p & ATLS_PIECE_ROOT_CA_CRL);
    same(g->pck_crl, o->pck_crl, s->pck_crl, p & ATLS_PIECE_PCK_CRL);
    same(g->pck_crl_issuer_chain, o->pck_crl_issuer_chain, s->pck_crl_issuer_chain, p & ATLS_PIECE_PCK_CRL);
    same(g->tcb_info, o->tcb_info, s->tcb_info, p & ATLS_PIECE_TCB_INFO);
    same(g->tcb_info_signature, o->tcb_info_signature, s->tcb_info_signature, p & ATLS_PIECE_TCB_INFO);
    same(g->tcb_info_issuer_chain, o->tcb_info_issuer_chain, s->tcb_info_issuer_chain, p & ATLS_PIECE_TCB_INFO);
    same(g->qe_identity, o->qe_identity, s->qe_identity, p & ATLS_PIECE_QE_IDENTITY);
    same(g->qe_identity_signature, o->qe_identity_signature, s->qe_identity_signature, p & ATLS_PIECE_QE_IDENTITY);
    same(g->qe_identity_issuer_chain, o->qe_identity_issuer_chain, s->qe_identity_issuer_chain,
         p & ATLS_PIECE_QE_IDENTITY);
    same(g->pck_certificate_chain, o->pck_certificate_chain, s->pck_certificate_chain, p & ATLS_PIECE_PCK_CHAIN);
}

static void merge(const atls_endorsements *own, const atls_endorsements *stapled, bool needs_pck_chain, atls_arena *a)
{
    const atls_bytes e = atls_bytes_empty();
    const atls_dcap_collateral none = {e, e, e, e, e, e, e, e, e, e};
    const atls_endorsement_request request = {
        .platform = ATLS_PLATFORM_TDX, .is_tdx = true, .pck_ca = "platform", .needs_pck_chain = needs_pck_chain};
    atls_endorsements once;
    atls_endorsements twice;
    atls_error err = {0};
    if (!atls_endorsements_merge(own, stapled, &request, a, &once, &err)
        || !atls_endorsements_merge(&once, stapled, &request, a, &twice, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_MEMORY);
        return;
    }
    FUZZ_ASSERT(err.code == ATLS_OK);
    FUZZ_ASSERT(once.platform != ATLS_PLATFORM_NONE || (own == NULL && once.stapled == 0));
    check(own == NULL ? &none : &own->dcap, &stapled->dcap, &once);
    FUZZ_ASSERT(twice.stapled == 0 && twice.platform == once.platform);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[64 * 1024 * 1024];
    atls_arena a;
    atls_endorsements own;
    atls_endorsements stapled;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    make_own(&own);
    if (atls_endorsements_from_bundle(atls_bytes_of(data, size), &a, &stapled, &err)) {
        merge(&own, &stapled, false, &a);
        merge(&own, &stapled, true, &a);
        merge(NULL, &stapled, false, &a);
        merge(NULL, &stapled, true, &a);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, fuzz_pick_bundle, out, cap);
}
