/* SPDX-License-Identifier: Apache-2.0 */
/* tcb.c: which TCB level a platform has, and what that says (specification sections 7, 8, 9). Pure. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "dcap.h"

/* Places in TEE_TCB_SVN. */
enum {
    SVN_MODULE = 0,  /* ISVSVN of the TDX module */
    SVN_VERSION = 1, /* its major version */
    SVN_SEAM = 2,    /* of the SEAM loader */
};

/* ---- levels ---- */

/* Component by component, never as one number: (1,3,2) does not satisfy (1,2,3). */
static bool at_least(const uint8_t *have, const uint8_t *want, size_t from, size_t n)
{
    for (size_t i = from; i < n; i++) {
        if (have[i] < want[i]) {
            return false;
        }
    }
    return true;
}

static bool meets_sgx(const dcap_pck *pck, const dcap_tcb_level *level)
{
    return at_least(pck->comp, level->sgx, 0, sizeof pck->comp) && pck->pcesvn >= level->pcesvn;
}

/* A module with an identity of its own is judged there, not by components 0 and 1 of the platform's level. */
static bool meets_tdx(const atls_td_report *td, const dcap_tcb_level *level)
{
    size_t from = td->tee_tcb_svn[SVN_VERSION] > 0 ? 2 : 0;
    return at_least(td->tee_tcb_svn, level->tdx, from, sizeof td->tee_tcb_svn);
}

typedef struct platform_levels {
    const dcap_tcb_level *sgx;      /* the first that meets the SGX condition */
    const dcap_tcb_level *platform; /* TDX: the first that meets both; SGX: the same */
} platform_levels;

static void no_platform_level(const dcap_pck *pck, const atls_td_report *td, atls_error *err)
{
    char svns[2 * 16 + 1];
    char tdx[2 * 16 + 1] = "";
    char actual[sizeof svns + sizeof tdx + 32];
    atls_hex_encode(atls_bytes_of(pck->comp, sizeof pck->comp), svns);
    if (td != NULL) {
        atls_hex_encode(atls_bytes_of(td->tee_tcb_svn, sizeof td->tee_tcb_svn), tdx);
    }
    snprintf(actual, sizeof actual, "%s, pcesvn %u%s%s", svns, (unsigned)pck->pcesvn, td != NULL ? ", tdx " : "", tdx);
    (void)atls_fail_values(err, ATLS_E_TCB_NOT_SUPPORTED, "tcb_info.tcbLevels", "a level at or below the platform",
                           actual, NULL);
}

static bool find_platform_levels(const dcap_tcb_info *info, const dcap_pck *pck, const atls_td_report *td,
                                 platform_levels *out, atls_error *err)
{
    *out = (platform_levels){0};
    for (size_t i = 0; i < info->n_levels && out->platform == NULL; i++) {
        const dcap_tcb_level *level = &info->levels[i];
        if (!meets_sgx(pck, level)) {
            continue;
        }
        if (out->sgx == NULL) {
            out->sgx = level;
        }
        if (td == NULL || meets_tdx(td, level)) {
            out->platform = level;
        }
    }
    if (out->platform == NULL) {
        no_platform_level(pck, td, err);
        return false;
    }
    return true;
}

/* The first level (of module or enclave) with isvsvn at or below the given one, NULL when there is none. */
static const dcap_tcb_level *isv_level(const dcap_tcb_level *levels, size_t n, uint16_t isvsvn)
{
    for (size_t i = 0; i < n; i++) {
        if (levels[i].pcesvn <= isvsvn) {
            return &levels[i];
        }
    }
    return NULL;
}

static bool no_isv_level(const char *field, uint16_t isvsvn, atls_error *err)
{
    char actual[24];
    snprintf(actual, sizeof actual, "isvsvn %u", (unsigned)isvsvn);
    return atls_fail_values(err, ATLS_E_TCB_NOT_SUPPORTED, field, "a level at or below it", actual, NULL);
}

bool dcap_qe_level(const dcap_qe_identity *identity, uint16_t isvsvn, const dcap_tcb_level **out, atls_error *err)
{
    *out = isv_level(identity->levels, identity->n_levels, isvsvn);
    return *out != NULL || no_isv_level("qe_identity.tcbLevels", isvsvn, err);
}

/* ---- TDX module ---- */

/* Version 0 is the base entry; every later one must be listed, or nobody has said who may have signed it. */
static bool find_module(const dcap_tcb_info *info, uint8_t version, const dcap_module_identity **out, atls_error *err)
{
    *out = &info->base;
    if (version == 0) {
        return true;
    }
    for (size_t i = 0; i < info->n_identities; i++) {
        *out = &info->identities[i];
        if ((*out)->version == version) {
            return true;
        }
    }
    char expected[8];
    snprintf(expected, sizeof expected, "TDX_%02X", (unsigned)version);
    return atls_fail_values(err, ATLS_E_TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities", expected,
                            info->has_identities ? "no such entry" : "missing", NULL);
}

bool dcap_module_check(const dcap_tcb_info *info, const atls_td_report *td, const dcap_module_identity **out,
                       atls_error *err)
{
    if (!find_module(info, td->tee_tcb_svn[SVN_VERSION], out, err)) {
        return false;
    }
    const dcap_module_identity *m = *out;
    atls_bytes signer = atls_bytes_of(td->mrsignerseam, sizeof td->mrsignerseam);
    atls_bytes expected_signer = atls_bytes_of(m->mrsigner, sizeof m->mrsigner);
    if (!atls_bytes_equal(signer, expected_signer)) {
        return atls_fail_bytes(err, ATLS_E_TDX_MODULE_MISMATCH, "quote.body.mrsignerseam", expected_signer, signer,
                               NULL);
    }
    /* Zero and equal to what is endorsed; then nothing can be set outside the mask either. */
    atls_bytes attributes = atls_bytes_of(td->seamattributes, sizeof td->seamattributes);
    atls_bytes expected = atls_bytes_of(m->attributes, sizeof m->attributes);
    if (!atls_bytes_is_zero(attributes) || !atls_bytes_equal(attributes, expected)) {
        return atls_fail_bytes(err, ATLS_E_TDX_MODULE_MISMATCH, "quote.body.seamattributes", expected, attributes,
                               "SEAMATTRIBUTES must be zero, and what is endorsed");
    }
    return true;
}

/* *out is NULL for version 0, which has no status of its own. */
static bool module_level(const dcap_tcb_info *info, const atls_td_report *td, const dcap_tcb_level **out,
                         atls_error *err)
{
    *out = NULL;
    if (td == NULL || td->tee_tcb_svn[SVN_VERSION] == 0) {
        return true;
    }
    const dcap_module_identity *m;
    if (!find_module(info, td->tee_tcb_svn[SVN_VERSION], &m, err)) {
        return false;
    }
    *out = isv_level(m->levels, m->n_levels, td->tee_tcb_svn[SVN_MODULE]);
    return *out != NULL || no_isv_level("tcb_info.tdxModuleIdentities.tcbLevels", td->tee_tcb_svn[SVN_MODULE], err);
}

/* ---- convergence ---- */

static atls_tcb_status fold_out_of_date(atls_tcb_status base)
{
    switch (base) {
    case ATLS_TCB_UP_TO_DATE:
    case ATLS_TCB_SW_HARDENING_NEEDED:
        return ATLS_TCB_OUT_OF_DATE;
    case ATLS_TCB_CONFIGURATION_NEEDED:
    case ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
        return ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
    case ATLS_TCB_OUT_OF_DATE:
    case ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED:
    case ATLS_TCB_REVOKED:
        return base;
    default:
        return ATLS_TCB_UNKNOWN;
    }
}

atls_tcb_status dcap_status_fold(atls_tcb_status base, atls_tcb_status other)
{
    switch (other) {
    case ATLS_TCB_UP_TO_DATE:
        return base;
    case ATLS_TCB_OUT_OF_DATE:
        return fold_out_of_date(base);
    case ATLS_TCB_REVOKED:
        return ATLS_TCB_REVOKED;
    default:
        return ATLS_TCB_UNKNOWN;
    }
}

static bool has_configuration(atls_tcb_status s)
{
    return s == ATLS_TCB_CONFIGURATION_NEEDED || s == ATLS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED
           || s == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

static bool is_out_of_date(atls_tcb_status s)
{
    return s == ATLS_TCB_OUT_OF_DATE || s == ATLS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* What a TDX evaluation found on its way to a status. */
typedef struct found {
    platform_levels levels;
    const dcap_tcb_level *module; /* NULL: none */
    const dcap_tcb_level *qe;
} found;

/* Relaunch is only a question where nothing but the module that this TD was started on is old. */
static bool may_relaunch(const found *f, const atls_td_report *td, atls_tcb_status folded)
{
    return td != NULL && td->is_15 && f->module != NULL && f->module->status == ATLS_TCB_OUT_OF_DATE
           && f->qe->status == ATLS_TCB_UP_TO_DATE && !is_out_of_date(f->levels.sgx->status) && is_out_of_date(folded);
}

/* Tells whether the module that is loaded now is as new as the newest level asks. */
static bool is_patched_now(const dcap_tcb_info *info, const uint8_t svn2[16], bool *out, atls_error *err)
{
    const dcap_tcb_level *top = &info->levels[0];
    uint16_t wanted = top->tdx[SVN_MODULE];
    if (svn2[SVN_VERSION] > 0) {
        const dcap_module_identity *m;
        if (!find_module(info, svn2[SVN_VERSION], &m, err)) {
            return false;
        }
        wanted = m->levels[0].pcesvn;
    }
    *out = svn2[SVN_MODULE] >= wanted && svn2[SVN_SEAM] >= top->tdx[SVN_SEAM];
    return true;
}

static bool apply_relaunch(const dcap_tcb_info *info, const found *f, const atls_td_report *td, atls_tcb_status *status,
                           atls_error *err)
{
    bool patched;
    if (!may_relaunch(f, td, *status)) {
        return true;
    }
    if (!is_patched_now(info, td->tee_tcb_svn2, &patched, err)) {
        return false;
    }
    if (patched) {
        bool configuration = has_configuration(f->levels.sgx->status) || has_configuration(*status);
        *status = configuration ? ATLS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED : ATLS_TCB_TD_RELAUNCH_ADVISED;
    }
    return true;
}

/* Any of them: also the level that only meets the SGX components, however good the level below it may be. */
static bool refuse_revoked(const found *f, atls_error *err)
{
    const struct {
        const char *field;
        const dcap_tcb_level *level;
    } rows[] = {
        {"tcb.platform", f->levels.platform},
        {"tcb.sgx", f->levels.sgx},
        {"tcb.module", f->module},
        {"tcb.qe", f->qe},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].level != NULL && rows[i].level->status == ATLS_TCB_REVOKED) {
            return atls_fail_values(err, ATLS_E_TCB_REVOKED, rows[i].field, NULL, "Revoked", NULL);
        }
    }
    return true;
}

/* ---- what else the levels say ---- */

static bool is_listed(const char *const *list, size_t n, const char *text)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool unite_advisories(const atls_text_list *lists, size_t n_lists, atls_arena *a, atls_text_list *out,
                             atls_error *err)
{
    size_t most = 0;
    for (size_t i = 0; i < n_lists; i++) {
        most += lists[i].n;
    }
    const char **items = atls_arena_array(a, most, sizeof *items, err);
    if (items == NULL) {
        return false;
    }
    size_t n = 0;
    for (size_t i = 0; i < n_lists; i++) {
        for (size_t k = 0; k < lists[i].n; k++) {
            if (!is_listed(items, n, lists[i].items[k])) {
                items[n++] = lists[i].items[k];
            }
        }
    }
    *out = (atls_text_list){.items = items, .n = n};
    return true;
}

/* The effective date is the oldest among those who are to blame; nobody is: the platform's. */
static void consider_date(const dcap_tcb_level *level, bool *blamed, atls_time *date)
{
    if (level == NULL || level->status == ATLS_TCB_UP_TO_DATE) {
        return;
    }
    if (!*blamed || level->date < *date) {
        *date = level->date;
    }
    *blamed = true;
}

static bool describe(const found *f, atls_arena *a, atls_tcb *out, atls_error *err)
{
    bool blamed = false;
    out->platform = f->levels.platform->status;
    out->sgx = f->levels.sgx->status;
    out->module = f->module == NULL ? ATLS_TCB_UNKNOWN : f->module->status;
    out->qe = f->qe->status;
    out->platform_date = f->levels.platform->date;
    out->module_date = f->module == NULL ? ATLS_TIME_UNSET : f->module->date;
    out->qe_date = f->qe->date;
    out->date = out->platform_date;
    consider_date(f->levels.platform, &blamed, &out->date);
    consider_date(f->module, &blamed, &out->date);
    consider_date(f->qe, &blamed, &out->date);
    out->platform_advisories = f->levels.platform->advisories;
    if (f->module != NULL) {
        out->module_advisories = f->module->advisories;
    }
    out->qe_advisories = f->qe->advisories;
    const atls_text_list lists[] = {out->platform_advisories, out->module_advisories, out->qe_advisories};
    return unite_advisories(lists, 3, a, &out->advisories, err);
}

/* No level is an end without a status, so levels come first; then whoever is revoked; then the folds in their order. */
bool dcap_tcb_evaluate(const dcap_tcb_info *info, const dcap_qe_identity *identity, const dcap_pck *pck,
                       const atls_td_report *td, uint16_t qe_isvsvn, atls_arena *a, atls_tcb *out, atls_error *err)
{
    found f;
    memset(out, 0, sizeof *out);
    if (!dcap_qe_level(identity, qe_isvsvn, &f.qe, err) || !find_platform_levels(info, pck, td, &f.levels, err)
        || !module_level(info, td, &f.module, err) || !refuse_revoked(&f, err)) {
        return false;
    }
    atls_tcb_status status = f.levels.platform->status;
    if (f.module != NULL) {
        status = dcap_status_fold(status, f.module->status);
    }
    if (!apply_relaunch(info, &f, td, &status, err)) {
        return false;
    }
    status = dcap_status_fold(status, f.qe->status);
    if (!describe(&f, a, out, err)) {
        return false;
    }
    out->tcb_info_evaluation_data_number = info->evaluation_data_number;
    out->qe_identity_evaluation_data_number = identity->evaluation_data_number;
    out->evaluation_data_number = info->evaluation_data_number < identity->evaluation_data_number
                                      ? info->evaluation_data_number
                                      : identity->evaluation_data_number;
    out->status = status;
    return true;
}
