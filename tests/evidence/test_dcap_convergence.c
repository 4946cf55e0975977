/* SPDX-License-Identifier: Apache-2.0 */
/* tcb.c: convergence of platform, module and QE status, every combination, and relaunch (section 9). */
#include "dcap_world.h"

/* ---- H: convergence, every combination ---- */

static const atls_tcb_status platform_statuses[] = {
    ATLS_TCB_UP_TO_DATE,
    ATLS_TCB_SW_HARDENING_NEEDED,
    ATLS_TCB_CONFIGURATION_NEEDED,
    ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED,
    ATLS_TCB_OUT_OF_DATE,
    ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
    ATLS_TCB_REVOKED,
};

/* what each becomes where anything else is OutOfDate */
static const char *const with_out_of_date[] = {
    "OutOfDate",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
    "OutOfDateConfigurationNeeded",
    "OutOfDate",
    "OutOfDateConfigurationNeeded",
};

/* UNKNOWN: a module without identity; for the QE: below all levels */
static const atls_tcb_status others[] = {ATLS_TCB_UNKNOWN, ATLS_TCB_UP_TO_DATE, ATLS_TCB_OUT_OF_DATE, ATLS_TCB_REVOKED};

typedef struct combination {
    char name[112];
    bool is_sgx;
    size_t platform;
    size_t module;
    size_t qe;
} combination;

static void check_combination(const combination *c, world *w)
{
    atls_tcb_status platform = platform_statuses[c->platform];
    atls_tcb_status module = others[c->module];
    atls_tcb_status qe = others[c->qe];
    if (qe == ATLS_TCB_UNKNOWN) {
        check_outcome(w, ATLS_E_TCB_NOT_SUPPORTED, "qe_identity.tcbLevels", NULL);
        return;
    }
    if (platform == ATLS_TCB_REVOKED || module == ATLS_TCB_REVOKED || qe == ATLS_TCB_REVOKED) {
        const char *field = platform == ATLS_TCB_REVOKED ? "tcb.platform"
                            : module == ATLS_TCB_REVOKED ? "tcb.module"
                                                         : "tcb.qe";
        check_outcome(w, ATLS_E_TCB_REVOKED, field, NULL);
        return;
    }
    bool out_of_date = module == ATLS_TCB_OUT_OF_DATE || qe == ATLS_TCB_OUT_OF_DATE;
    check_outcome(w, ATLS_OK, NULL, out_of_date ? with_out_of_date[c->platform] : atls_tcb_status_name(platform));
}

static void test_combination(void **state)
{
    const combination *c = *state;
    world w;
    make_world(&w);
    w.is_sgx = c->is_sgx;
    w.levels[0].status = platform_statuses[c->platform];
    if (others[c->module] == ATLS_TCB_UNKNOWN) {
        w.td.tee_tcb_svn[1] = 0;
    } else {
        w.module_levels[0].status = others[c->module];
    }
    if (others[c->qe] == ATLS_TCB_UNKNOWN) {
        w.qe_isvsvn = 0;
    } else {
        w.qe_levels[0].status = others[c->qe];
    }
    check_combination(c, &w);
}

static const char *other_name(atls_tcb_status s, const char *unknown)
{
    return s == ATLS_TCB_UNKNOWN ? unknown : atls_tcb_status_name(s);
}

static void add_combination(tap_list *l, combination *c)
{
    snprintf(c->name, sizeof c->name, "converge: %s + module %s + QE %s",
             atls_tcb_status_name(platform_statuses[c->platform]),
             c->is_sgx ? "(SGX)" : other_name(others[c->module], "none"), other_name(others[c->qe], "below all"));
    tap_add(l, c->name, test_combination, c);
}

/* 7 x 4 x 4 with a TDX module, 7 x 4 without one. */
static void add_combinations(tap_list *l)
{
    static combination all[7 * 4 * 4 + 7 * 4];
    size_t n = 0;
    for (size_t p = 0; p < 7; p++) {
        for (size_t q = 0; q < 4; q++) {
            for (size_t m = 0; m < 4; m++) {
                all[n] = (combination){.platform = p, .module = m, .qe = q};
                add_combination(l, &all[n++]);
            }
            all[n] = (combination){.is_sgx = true, .platform = p, .qe = q};
            add_combination(l, &all[n++]);
        }
    }
}

/* What the table does not list is never acceptable. */
static void test_fold_of_strangers(void **state)
{
    (void)state;
    assert_int_equal(dcap_status_fold(ATLS_TCB_UP_TO_DATE, ATLS_TCB_UNKNOWN), ATLS_TCB_UNKNOWN);
    assert_int_equal(dcap_status_fold(ATLS_TCB_UP_TO_DATE, ATLS_TCB_SW_HARDENING_NEEDED), ATLS_TCB_UNKNOWN);
    assert_int_equal(dcap_status_fold(ATLS_TCB_UNKNOWN, ATLS_TCB_OUT_OF_DATE), ATLS_TCB_UNKNOWN);
    assert_int_equal(dcap_status_fold(ATLS_TCB_TD_RELAUNCH_ADVISED, ATLS_TCB_OUT_OF_DATE), ATLS_TCB_UNKNOWN);
}

/* ---- I: relaunch ---- */

typedef struct relaunch {
    const char *name;
    uint8_t svn[3];
    uint8_t svn2[3];
    bool is_10;
    atls_tcb_status top;    /* L1, which the SGX components match; 0: UpToDate */
    atls_tcb_status second; /* L2; 0: OutOfDate */
    atls_tcb_status qe;     /* 0: UpToDate */
    bool sgx_old;           /* SGX components match L2 only */
    atls_code code;
    const char *field;
    const char *status;
} relaunch;

static const relaunch relaunches[] = {
    {"relaunch: module 1", {0x50, 1, 0}, {0x52, 1, 0xfd}, .status = "TDRelaunchAdvised"},
    {"relaunch: module 0", {0x50, 1, 0x41}, {0xf0, 0, 0xf0}, .status = "TDRelaunchAdvised"},
    {"relaunch: loaded module just new enough", {0x50, 1, 0}, {0x51, 1, 0xf0}, .status = "TDRelaunchAdvised"},
    {"relaunch: module 0 just new enough", {0x50, 1, 0}, {0x52, 0, 0xf0}, .status = "TDRelaunchAdvised"},
    {"relaunch: L2 OutOfDateConfigurationNeeded",
     {0x50, 1, 0},
     {0x52, 1, 0xfd},
     .second = ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED,
     .status = "TDRelaunchAdvisedConfigurationNeeded"},
    {"relaunch: SGX level ConfigurationNeeded",
     {0x50, 1, 0},
     {0x52, 1, 0xfd},
     .top = ATLS_TCB_CONFIGURATION_NEEDED,
     .status = "TDRelaunchAdvisedConfigurationNeeded"},
    {"relaunch: SGX level SWHardeningNeeded is not configuration",
     {0x50, 1, 0},
     {0x52, 1, 0xfd},
     .top = ATLS_TCB_SW_HARDENING_NEEDED,
     .status = "TDRelaunchAdvised"},
    {"relaunch: loaded module not newer", {0x50, 1, 0}, {0x50, 1, 0xfd}, .status = "OutOfDate"},
    {"relaunch: SEAM loader still old", {0x50, 1, 0}, {0x52, 1, 0}, .status = "OutOfDate"},
    {"relaunch: module 0 still old", {0x50, 1, 0}, {0x40, 0, 0xf0}, .status = "OutOfDate"},
    {"relaunch: module 0, SEAM loader still old", {0x50, 1, 0}, {0xf0, 0, 0x10}, .status = "OutOfDate"},
    {"relaunch: QE OutOfDate", {0x50, 1, 0}, {0x52, 1, 0xfd}, .qe = ATLS_TCB_OUT_OF_DATE, .status = "OutOfDate"},
    {"relaunch: SGX match OutOfDate", {0x50, 1, 0}, {0x52, 1, 0xfd}, .sgx_old = true, .status = "OutOfDate"},
    {"relaunch: module up to date, no relaunch", {0x52, 1, 0xfd}, {0x52, 1, 0xfd}, .status = "UpToDate"},
    {"relaunch: loaded module has no identity",
     {0x50, 1, 0},
     {0x52, 7, 0xfd},
     .code = ATLS_E_TDX_MODULE_MISMATCH,
     .field = "tcb_info.tdxModuleIdentities"},
    {"relaunch: TD report 1.0 never", {0x50, 1, 0}, {0x52, 1, 0xfd}, .is_10 = true, .status = "OutOfDate"},
};

static atls_tcb_status or_default(atls_tcb_status s, atls_tcb_status otherwise)
{
    return s == ATLS_TCB_UNKNOWN ? otherwise : s;
}

static void test_relaunch(void **state)
{
    const relaunch *r = *state;
    world w;
    make_world(&w);
    set_level(&w.levels[0], 5, 10, 0, or_default(r->top, ATLS_TCB_UP_TO_DATE), 500);
    w.levels[0].tdx[0] = 0x52;
    w.levels[0].tdx[2] = 0xf0;
    set_level(&w.levels[1], 3, 8, 0, or_default(r->second, ATLS_TCB_OUT_OF_DATE), 400);
    w.info.n_levels = 2;
    set_svn_level(&w.module_levels[0], 81, ATLS_TCB_UP_TO_DATE, 450);
    set_svn_level(&w.module_levels[1], 2, ATLS_TCB_OUT_OF_DATE, 350);
    memset(w.td.tee_tcb_svn, 0, 16);
    memcpy(w.td.tee_tcb_svn, r->svn, 3);
    memcpy(w.td.tee_tcb_svn2, r->svn2, 3);
    w.td.is_15 = !r->is_10;
    w.qe_levels[0].status = or_default(r->qe, ATLS_TCB_UP_TO_DATE);
    if (r->sgx_old) {
        memset(w.pck.comp, 3, sizeof w.pck.comp);
    }
    check_outcome(&w, r->code, r->field, r->status);
}

int main(void)
{
    tap_list l = {0};
    add_combinations(&l);
    tap_add(&l, "converge: strangers fold to Unknown", test_fold_of_strangers, NULL);
    for (size_t i = 0; i < COUNT(relaunches); i++) {
        tap_add(&l, relaunches[i].name, test_relaunch, &relaunches[i]);
    }
    return tap_run("dcap convergence", &l);
}
