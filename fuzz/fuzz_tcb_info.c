/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tcb_info.c: dcap_tcb_info_decode and, with what it gives, dcap_tcb_evaluate. Levels come strictly descending,
 * statuses are Intel's, module identities differ; an evaluation ends with a known status or a reason. */
#include "dcap_seed.h"
#include "evidence/dcap/dcap.h"

static int compare(const dcap_tcb_level *a, const dcap_tcb_level *b)
{
    int sgx = memcmp(a->sgx, b->sgx, 16);
    return sgx != 0 ? sgx : a->pcesvn != b->pcesvn ? (a->pcesvn < b->pcesvn ? -1 : 1) : memcmp(a->tdx, b->tdx, 16);
}

static void check_levels(const dcap_tcb_level *levels, size_t n)
{
    FUZZ_ASSERT(n >= 1 && n <= ATLS_MAX_TCB_LEVELS);
    for (size_t i = 0; i < n; i++) {
        FUZZ_ASSERT(levels[i].status > ATLS_TCB_UNKNOWN && levels[i].status < ATLS_N_TCB_STATUSES);
        FUZZ_ASSERT(i == 0 || compare(&levels[i - 1], &levels[i]) > 0);
    }
}

static void evaluate(const dcap_tcb_info *info, atls_arena *a)
{
    static const dcap_tcb_level qe_level = {.status = ATLS_TCB_UP_TO_DATE};
    dcap_qe_identity qe = {.levels = &qe_level, .n_levels = 1};
    dcap_pck pck = {.pcesvn = info->levels[0].pcesvn};
    atls_td_report td = {.is_15 = true};
    atls_error err = {0};
    atls_tcb tcb;
    memcpy(pck.comp, info->levels[0].sgx, 16);
    memcpy(td.tee_tcb_svn, info->levels[info->n_levels - 1].tdx, 16);
    memcpy(td.tee_tcb_svn2, info->levels[0].tdx, 16);
    bool ok = dcap_tcb_evaluate(info, &qe, &pck, info->is_tdx ? &td : NULL, 0, a, &tcb, &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    FUZZ_ASSERT(!ok || (tcb.status != ATLS_TCB_UNKNOWN && tcb.status != ATLS_TCB_REVOKED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t block[32 * 1024 * 1024];
    atls_arena a;
    dcap_tcb_info info;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (!dcap_tcb_info_decode(atls_bytes_of(data, size), &a, &info, &err)) {
        FUZZ_ASSERT(err.code == ATLS_E_COLLATERAL_FORMAT || err.code == ATLS_E_MEMORY);
        FUZZ_ASSERT(strncmp(err.field, "tcb_info", 8) == 0);
        return 0;
    }
    check_levels(info.levels, info.n_levels);
    for (size_t i = 0; i < info.n_identities; i++) {
        check_levels(info.identities[i].levels, info.identities[i].n_levels);
    }
    evaluate(&info, &a);
    return 0;
}

static atls_bytes pick(atls_bytes quote, const atls_endorsements *e, atls_arena *a)
{
    (void)quote;
    (void)a;
    return e->dcap.tcb_info;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    return fuzz_room_seed(index, pick, out, cap);
}
