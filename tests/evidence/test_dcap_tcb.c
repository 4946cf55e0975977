/* SPDX-License-Identifier: Apache-2.0 */
/* tcb.c on hand-made levels: which level a platform has (section 7), the TDX module (8), and what else a level says:
 * advisories, dates, numbers. A case is the honest world plus one change. */
#include "dcap_world.h"

/* ---- one change each ---- */

typedef struct row {
    const char *name;
    void (*change)(world *w);
    atls_code code;
    const char *field;
    const char *status;
} row;

static void honest(world *w)
{
    (void)w;
}

static void sgx_quote(world *w)
{
    w->is_sgx = true;
    w->info.is_tdx = false;
}

static void all_higher(world *w)
{
    memset(w->pck.comp, 255, sizeof w->pck.comp);
    w->pck.pcesvn = 65535;
}

/* The platform is (1,3,2), the top level asks (1,2,3): as a number it is higher, but not in every component. */
static void component_132_vs_123(world *w)
{
    static const uint8_t have[3] = {1, 3, 2};
    static const uint8_t want[3] = {1, 2, 3};
    memcpy(w->pck.comp, have, sizeof have);
    memcpy(w->levels[0].sgx, want, sizeof want);
    memset(w->levels[1].sgx, 1, sizeof w->levels[1].sgx);
}

static void pcesvn_lower(world *w)
{
    w->pck.pcesvn = 9;
}

static void pcesvn_below_all(world *w)
{
    w->pck.pcesvn = 0;
}

static void component_below_all(world *w)
{
    w->pck.comp[15] = 0;
}

static void revoked_top_not_matched(world *w)
{
    w->levels[0].status = ATLS_TCB_REVOKED;
    w->pck.comp[3] = 4;
}

static void revoked_matched(world *w)
{
    w->levels[0].status = ATLS_TCB_REVOKED;
}

static void tdx_components_lower(world *w)
{
    w->td.tee_tcb_svn[2] = 4;
}

static void tdx_last_component_lower(world *w)
{
    w->td.tee_tcb_svn[15] = 4;
}

static void tdx_none(world *w)
{
    w->td.tee_tcb_svn[2] = 0;
}

/* Module version 1 has an identity: components 0 and 1 of the level are not looked at. */
static void svn01_skip(world *w)
{
    w->levels[0].tdx[0] = 200;
    w->levels[0].tdx[1] = 9;
}

static void svn01_compare(world *w)
{
    w->td.tee_tcb_svn[1] = 0;
    w->levels[0].tdx[0] = 200;
}

static void sgx_revoked_tdx_lower(world *w)
{
    w->levels[0].status = ATLS_TCB_REVOKED;
    w->td.tee_tcb_svn[2] = 4;
}

static void module_version_0(world *w)
{
    w->td.tee_tcb_svn[1] = 0;
    w->td.tee_tcb_svn[0] = 5;
    w->info.n_identities = 0;
    w->info.has_identities = false;
}

static void module_at_level(world *w)
{
    w->td.tee_tcb_svn[0] = 4;
}

static void module_between(world *w)
{
    w->td.tee_tcb_svn[0] = 3;
}

static void module_below(world *w)
{
    w->td.tee_tcb_svn[0] = 1;
}

static void module_revoked(world *w)
{
    w->module_levels[0].status = ATLS_TCB_REVOKED;
}

static void module_unknown(world *w)
{
    w->td.tee_tcb_svn[1] = 7;
}

static void qe_at_level(world *w)
{
    w->qe_isvsvn = 4;
}

static void qe_between(world *w)
{
    w->qe_isvsvn = 5;
}

static void qe_below(world *w)
{
    w->qe_isvsvn = 3;
}

static void qe_revoked(world *w)
{
    w->qe_levels[0].status = ATLS_TCB_REVOKED;
}

/* No level is an end without a status: it comes before anybody's revocation. */
static void qe_below_and_module_revoked(world *w)
{
    w->qe_isvsvn = 3;
    w->module_levels[0].status = ATLS_TCB_REVOKED;
}

#define REFUSED(error, at) ATLS_E_##error, at, NULL
#define STATUS(text)       ATLS_OK, NULL, text

static const row selection[] = {
    {"levels: all equal is the first level", honest, STATUS("UpToDate")},
    {"levels: SGX quote, all equal", sgx_quote, STATUS("UpToDate")},
    {"levels: all higher is the first level", all_higher, STATUS("UpToDate")},
    {"levels: (1,3,2) does not satisfy (1,2,3)", component_132_vs_123, STATUS("OutOfDate")},
    {"levels: PCESVN lower drops to the next level", pcesvn_lower, STATUS("OutOfDate")},
    {"levels: PCESVN below all", pcesvn_below_all, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"levels: one component below all", component_below_all, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"levels: a Revoked top level that is not matched", revoked_top_not_matched, STATUS("OutOfDate")},
    {"levels: a Revoked level that is matched", revoked_matched, REFUSED(TCB_REVOKED, "tcb.platform")},
    {"levels: TDX part matches only the second", tdx_components_lower, STATUS("OutOfDate")},
    {"levels: the last TDX component counts", tdx_last_component_lower, STATUS("OutOfDate")},
    {"levels: SGX matches, TDX never", tdx_none, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"levels: module version 1 skips components 0 and 1", svn01_skip, STATUS("UpToDate")},
    {"levels: module version 0 compares component 0", svn01_compare, STATUS("OutOfDate")},
    {"levels: SGX level Revoked, TDX level lower", sgx_revoked_tdx_lower, REFUSED(TCB_REVOKED, "tcb.sgx")},
    {"module: version 0 has no status of its own", module_version_0, STATUS("UpToDate")},
    {"module: isvsvn equal to a level", module_at_level, STATUS("UpToDate")},
    {"module: isvsvn between levels", module_between, STATUS("OutOfDate")},
    {"module: isvsvn below all", module_below, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tdxModuleIdentities.tcbLevels")},
    {"module: Revoked", module_revoked, REFUSED(TCB_REVOKED, "tcb.module")},
    {"module: version without identity", module_unknown, REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"qe: isvsvn equal to a level", qe_at_level, STATUS("OutOfDate")},
    {"qe: isvsvn between levels", qe_between, STATUS("OutOfDate")},
    {"qe: isvsvn below all", qe_below, REFUSED(TCB_NOT_SUPPORTED, "qe_identity.tcbLevels")},
    {"qe: Revoked", qe_revoked, REFUSED(TCB_REVOKED, "tcb.qe")},
    {"qe: below all comes before a revoked module", qe_below_and_module_revoked,
     REFUSED(TCB_NOT_SUPPORTED, "qe_identity.tcbLevels")},
};

static void test_row(void **state)
{
    const row *r = *state;
    world w;
    make_world(&w);
    r->change(&w);
    check_outcome(&w, r->code, r->field, r->status);
}

/* Each of the sixteen components, one lower: the next level. */
static void test_each_component_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < 16; i++) {
        world w;
        make_world(&w);
        w.pck.comp[i] = 4;
        check_outcome(&w, ATLS_OK, NULL, "OutOfDate");
    }
}

/* ---- module identity (step 11) ---- */

static void signer_of_identity(world *w)
{
    memset(w->modules[1].mrsigner, 0x11, 48);
    memset(w->td.mrsignerseam, 0x11, 48);
    memset(w->info.base.mrsigner, 0x22, 48); /* the base entry does not apply to version 1 */
}

static void signer_of_base_only(world *w)
{
    memset(w->modules[1].mrsigner, 0x11, 48);
}

static void signer_differs_from_base(world *w)
{
    w->td.tee_tcb_svn[1] = 0;
    w->td.mrsignerseam[47] = 1;
}

static void seam_attribute_set(world *w)
{
    w->td.seamattributes[0] = 1;
}

static void seam_attribute_set_and_expected(world *w)
{
    w->td.seamattributes[7] = 0x80;
    w->modules[1].attributes[7] = 0x80;
    memset(w->modules[1].attributes_mask, 0xff, 8);
}

static void seam_attribute_expected_only(world *w)
{
    w->modules[1].attributes[0] = 1;
}

static void identities_missing(world *w)
{
    w->info.has_identities = false;
    w->info.n_identities = 0;
}

static const row modules[] = {
    {"module check: identity TDX_01", honest, STATUS(NULL)},
    {"module check: version 0 uses the base entry", module_version_0, STATUS(NULL)},
    {"module check: the identity's signer counts", signer_of_identity, STATUS(NULL)},
    {"module check: the base signer does not do", signer_of_base_only,
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.mrsignerseam")},
    {"module check: version 0, another signer", signer_differs_from_base,
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.mrsignerseam")},
    {"module check: attribute set", seam_attribute_set, REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"module check: attribute set and endorsed", seam_attribute_set_and_expected,
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"module check: attribute endorsed, not set", seam_attribute_expected_only,
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"module check: no such version", module_unknown, REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"module check: no identities", identities_missing, REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
};

static void test_module(void **state)
{
    const row *r = *state;
    const dcap_module_identity *m = NULL;
    atls_error err = {.code = ATLS_OK};
    world w;
    make_world(&w);
    r->change(&w);
    bool ok = dcap_module_check(&w.info, &w.td, &m, &err);
    assert_int_equal(ok, r->code == ATLS_OK);
    if (ok) {
        assert_int_equal(m->version, w.td.tee_tcb_svn[1]);
        return;
    }
    check_error(&err, r->code, r->field);
}

/* ---- advisories, dates, numbers ---- */

static void check_list(const atls_text_list *list, const char *joined)
{
    char text[256] = "";
    for (size_t i = 0; i < list->n; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s", i == 0 ? "" : ",", list->items[i]);
    }
    assert_string_equal(text, joined);
}

static void test_advisories(void **state)
{
    static const char *const platform[] = {"SA-3", "SA-1", "SA-3"};
    static const char *const module[] = {"SA-2", "SA-1"};
    static const char *const qe[] = {"SA-4", "SA-2", "SA-3"};
    world w;
    atls_tcb tcb;
    atls_error err;
    (void)state;
    make_world(&w);
    w.levels[0].advisories = (atls_text_list){platform, 3};
    w.module_levels[0].advisories = (atls_text_list){module, 2};
    w.qe_levels[0].advisories = (atls_text_list){qe, 3};
    assert_true(evaluate(&w, &tcb, &err));
    check_list(&tcb.advisories, "SA-3,SA-1,SA-2,SA-4");
    check_list(&tcb.platform_advisories, "SA-3,SA-1,SA-3");
    check_list(&tcb.module_advisories, "SA-2,SA-1");
    check_list(&tcb.qe_advisories, "SA-4,SA-2,SA-3");
}

/* Platform, module and QE dates are 500, 450 and 440 up to date; 400, 350 and 340 when not. */
typedef struct dated {
    const char *name;
    void (*change)(world *w);
    void (*second)(world *w);
    atls_time date;
} dated;

static const dated dates[] = {
    {"date: nobody to blame, the platform's", honest, honest, 500},
    {"date: platform to blame", tdx_components_lower, honest, 400},
    {"date: module to blame", module_between, honest, 350},
    {"date: QE to blame", qe_between, honest, 340},
    {"date: module and QE, the earlier", module_between, qe_between, 340},
    {"date: platform and module, the earlier", tdx_components_lower, module_between, 350},
};

static void test_date(void **state)
{
    const dated *d = *state;
    world w;
    atls_tcb tcb;
    atls_error err;
    make_world(&w);
    d->change(&w);
    d->second(&w);
    assert_true(evaluate(&w, &tcb, &err));
    assert_int_equal(tcb.date, d->date);
}

static void test_what_a_level_says(void **state)
{
    world w;
    atls_tcb tcb;
    atls_error err;
    (void)state;
    make_world(&w);
    tdx_components_lower(&w);
    assert_true(evaluate(&w, &tcb, &err));
    assert_int_equal(tcb.platform, ATLS_TCB_OUT_OF_DATE);
    assert_int_equal(tcb.sgx, ATLS_TCB_UP_TO_DATE);
    assert_int_equal(tcb.module, ATLS_TCB_UP_TO_DATE);
    assert_int_equal(tcb.qe, ATLS_TCB_UP_TO_DATE);
    assert_int_equal(tcb.platform_date, 400);
    assert_int_equal(tcb.module_date, 450);
    assert_int_equal(tcb.qe_date, 440);
    assert_int_equal(tcb.evaluation_data_number, 17);
    assert_int_equal(tcb.tcb_info_evaluation_data_number, 18);
    assert_int_equal(tcb.qe_identity_evaluation_data_number, 17);
    sgx_quote(&w);
    assert_true(evaluate(&w, &tcb, &err));
    assert_int_equal(tcb.module, ATLS_TCB_UNKNOWN);
    assert_int_equal(tcb.module_date, ATLS_TIME_UNSET);
    assert_int_equal(tcb.platform, tcb.sgx);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < COUNT(selection); i++) {
        tap_add(&l, selection[i].name, test_row, &selection[i]);
    }
    tap_add(&l, "levels: each SGX component counts", test_each_component_counts, NULL);
    for (size_t i = 0; i < COUNT(modules); i++) {
        tap_add(&l, modules[i].name, test_module, &modules[i]);
    }
    tap_add(&l, "advisories: union in order, without repeats", test_advisories, NULL);
    for (size_t i = 0; i < COUNT(dates); i++) {
        tap_add(&l, dates[i].name, test_date, &dates[i]);
    }
    tap_add(&l, "levels: what they say is reported apart", test_what_a_level_says, NULL);
    return tap_run("dcap tcb", &l);
}
