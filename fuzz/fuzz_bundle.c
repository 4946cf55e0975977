/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bundle.c: atls_endorsements_from_bundle and _to_bundle. What was read, written and read again is the same. */
#include "dcap_seed.h"

static void same(atls_bytes a, atls_bytes b)
{
    FUZZ_ASSERT(a.ptr != NULL && b.ptr != NULL && atls_bytes_equal(a, b));
}

static void check(const atls_endorsements *e, atls_arena *a)
{
    atls_endorsements again;
    atls_error err = {0};
    atls_bytes text;
    if (!atls_endorsements_to_bundle(e, a, &text, &err) || !atls_endorsements_from_bundle(text, a, &again, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_MEMORY);
        return;
    }
    FUZZ_ASSERT(e->platform == again.platform && e->platform != ATLS_PLATFORM_NONE);
    same(e->dcap.pck_crl_issuer_chain, again.dcap.pck_crl_issuer_chain);
    same(e->dcap.root_ca_crl, again.dcap.root_ca_crl);
    same(e->dcap.pck_crl, again.dcap.pck_crl);
    same(e->dcap.tcb_info_issuer_chain, again.dcap.tcb_info_issuer_chain);
    same(e->dcap.tcb_info, again.dcap.tcb_info);
    same(e->dcap.tcb_info_signature, again.dcap.tcb_info_signature);
    same(e->dcap.qe_identity_issuer_chain, again.dcap.qe_identity_issuer_chain);
    same(e->dcap.qe_identity, again.dcap.qe_identity);
    same(e->dcap.qe_identity_signature, again.dcap.qe_identity_signature);
    same(e->dcap.pck_certificate_chain, again.dcap.pck_certificate_chain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[64 * 1024 * 1024];
    atls_arena a;
    atls_endorsements e;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (atls_endorsements_from_bundle(atls_bytes_of(data, size), &a, &e, &err)) {
        check(&e, &a);
        return 0;
    }
    FUZZ_ASSERT(err.code == ATLS_E_COLLATERAL_FORMAT || err.code == ATLS_E_MEMORY);
    FUZZ_ASSERT(err.field[0] != '\0' && e.platform == ATLS_PLATFORM_NONE);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, fuzz_pick_bundle, out, cap);
}
