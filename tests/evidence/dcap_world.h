/* SPDX-License-Identifier: Apache-2.0 */
/* dcap_world.h: TCB info, QE identity, PCK and TD by hand, all UpToDate: what the tests of tcb.c change. */
#ifndef ATLS_TESTS_DCAP_WORLD_H
#define ATLS_TESTS_DCAP_WORLD_H

#include "evidence/dcap/dcap.h"
#include "tests/base/check.h"

typedef struct world {
    dcap_tcb_info info;
    dcap_tcb_level levels[3];
    dcap_module_identity modules[2];
    dcap_tcb_level module_levels[2];
    dcap_tcb_level other_levels[1];
    dcap_qe_identity qe;
    dcap_tcb_level qe_levels[2];
    dcap_pck pck;
    atls_td_report td;
    bool is_sgx;
    uint16_t qe_isvsvn;
} world;

static inline void set_level(dcap_tcb_level *l, uint8_t sgx, uint16_t pcesvn, uint8_t tdx, atls_tcb_status status,
                             atls_time date)
{
    memset(l->sgx, sgx, sizeof l->sgx);
    memset(l->tdx, tdx, sizeof l->tdx);
    l->pcesvn = pcesvn;
    l->status = status;
    l->date = date;
}

static inline void set_svn_level(dcap_tcb_level *l, uint16_t isvsvn, atls_tcb_status status, atls_time date)
{
    *l = (dcap_tcb_level){.pcesvn = isvsvn, .status = status, .date = date};
}

/* Platform: components 5, PCESVN 10, TEE_TCB_SVN 6 1 7 then 5. Levels at 5, 3 and 1; module TDX_01 at 4 and 2, TDX_03
 * at 3; QE (ISVSVN 6) at 6 and 4. */
static inline void make_world(world *w)
{
    *w = (world){.qe_isvsvn = 6};
    set_level(&w->levels[0], 5, 10, 5, ATLS_TCB_UP_TO_DATE, 500);
    set_level(&w->levels[1], 3, 8, 3, ATLS_TCB_OUT_OF_DATE, 400);
    set_level(&w->levels[2], 1, 1, 1, ATLS_TCB_OUT_OF_DATE, 300);
    w->levels[0].tdx[1] = w->levels[1].tdx[1] = w->levels[2].tdx[1] = 0;
    set_svn_level(&w->module_levels[0], 4, ATLS_TCB_UP_TO_DATE, 450);
    set_svn_level(&w->module_levels[1], 2, ATLS_TCB_OUT_OF_DATE, 350);
    set_svn_level(&w->other_levels[0], 3, ATLS_TCB_UP_TO_DATE, 460);
    set_svn_level(&w->qe_levels[0], 6, ATLS_TCB_UP_TO_DATE, 440);
    set_svn_level(&w->qe_levels[1], 4, ATLS_TCB_OUT_OF_DATE, 340);
    w->modules[0] = (dcap_module_identity){.version = 3, .levels = w->other_levels, .n_levels = 1};
    w->modules[1] = (dcap_module_identity){.version = 1, .levels = w->module_levels, .n_levels = 2};
    w->info = (dcap_tcb_info){.is_tdx = true,
                              .version = 3,
                              .evaluation_data_number = 18,
                              .levels = w->levels,
                              .n_levels = 3,
                              .has_identities = true,
                              .identities = w->modules,
                              .n_identities = 2};
    w->qe = (dcap_qe_identity){.is_td_qe = true, .evaluation_data_number = 17, .levels = w->qe_levels, .n_levels = 2};
    memset(w->pck.comp, 5, sizeof w->pck.comp);
    w->pck.pcesvn = 10;
    memset(w->td.tee_tcb_svn, 5, sizeof w->td.tee_tcb_svn);
    w->td.tee_tcb_svn[0] = 6;
    w->td.tee_tcb_svn[1] = 1;
    w->td.tee_tcb_svn[2] = 7;
}

static inline bool evaluate(world *w, atls_tcb *out, atls_error *err)
{
    *err = (atls_error){.code = ATLS_OK};
    return dcap_tcb_evaluate(&w->info, &w->qe, &w->pck, w->is_sgx ? NULL : &w->td, w->qe_isvsvn, check_arena(), out,
                             err);
}

static inline void check_outcome(world *w, atls_code code, const char *field, const char *status)
{
    atls_tcb tcb;
    atls_error err;
    bool ok = evaluate(w, &tcb, &err);
    if (code != ATLS_OK) {
        assert_false(ok);
        check_error(&err, code, field);
        return;
    }
    if (!ok) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("%s", line);
    }
    assert_string_equal(atls_tcb_status_name(tcb.status), status);
}

#endif
