/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_qe_identity.c: dcap_qe_identity_decode and dcap_qe_level. The level that is found is the highest at or below. */
#include "dcap_seed.h"
#include "evidence/dcap/dcap.h"

static void check(const dcap_qe_identity *q)
{
    FUZZ_ASSERT(q->version == 2 && q->n_levels >= 1 && q->n_levels <= ATLS_MAX_TCB_LEVELS);
    for (size_t i = 0; i < q->n_levels; i++) {
        const dcap_tcb_level *l = &q->levels[i];
        const dcap_tcb_level *found = NULL;
        atls_error err = {0};
        FUZZ_ASSERT(i == 0 || q->levels[i - 1].pcesvn > l->pcesvn);
        FUZZ_ASSERT(l->status == ATLS_TCB_UP_TO_DATE || l->status == ATLS_TCB_OUT_OF_DATE
                    || l->status == ATLS_TCB_REVOKED);
        FUZZ_ASSERT(dcap_qe_level(q, l->pcesvn, &found, &err) && found == l);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    dcap_qe_identity q;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (dcap_qe_identity_decode(atls_bytes_of(data, size), &a, &q, &err)) {
        check(&q);
        return 0;
    }
    FUZZ_ASSERT(err.code == ATLS_E_COLLATERAL_FORMAT || err.code == ATLS_E_QE_IDENTITY_MISMATCH
                || err.code == ATLS_E_MEMORY);
    FUZZ_ASSERT(strncmp(err.field, "qe_identity", 11) == 0);
    return 0;
}

static atls_bytes pick(atls_bytes quote, const atls_endorsements *e, atls_arena *a)
{
    (void)quote;
    (void)a;
    return e->dcap.qe_identity;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, pick, out, cap);
}
