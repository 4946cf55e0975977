/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_module.c: cases G: the TDX module, and the attributes of TDs and enclaves. DCAP sections 8, 10. */
#include "cases.h"

#include <string.h>

#define SGX SIM_SGX_V3
#define V4  SIM_TDX_V4
#define V5  SIM_TDX_V5

#define VERSION_10 "td.tee_tcb_svn=060a03"
#define TD_BIT(name, hex)                                                                                              \
    {                                                                                                                  \
        name, V4, {"td.tdattributes=" hex}, REFUSED(TD_ATTRIBUTES, "quote.body.tdattributes")                          \
    }

static bool module_01(const atls_result *r)
{
    return strcmp(r->claims.dcap.tdx_module_id, "TDX_01") == 0 && r->claims.dcap.tcb.module == ATLS_TCB_UP_TO_DATE;
}

static bool no_module(const atls_result *r)
{
    return r->claims.dcap.tdx_module_id[0] == '\0' && r->claims.dcap.tcb.module == ATLS_TCB_UNKNOWN;
}

static bool module_0a(const atls_result *r)
{
    return strcmp(r->claims.dcap.tdx_module_id, "TDX_0A") == 0;
}

/* clang-format off */
static const sim_case table[] = {
    {"module-v0", V4, {"modules=0", "td.tee_tcb_svn=050003"}, STATUS_ALSO("UpToDate", no_module)},
    {"module-v0-with-identities", V4, {"td.tee_tcb_svn=050003"}, STATUS_ALSO("UpToDate", no_module)},
    {"module-v1", V4, {NULL}, STATUS_ALSO("UpToDate", module_01)},
    {"module-v3", V4, {"td.tee_tcb_svn=030303"}, STATUS("UpToDate")},
    {"module-id-case-lower", V4, {VERSION_10, "module.0.id=tdx_0a"}, STATUS_ALSO("UpToDate", module_0a)},
    {"module-id-case-upper", V4, {VERSION_10, "module.0.id=TDX_0A"}, STATUS_ALSO("UpToDate", module_0a)},
    {"module-id-missing", V4, {"td.tee_tcb_svn=060203"}, REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"identities-missing", V4, {"modules=0"}, REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"identities-empty", V4, {"tcb_info.tdxModuleIdentities=[]"},
     REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"module-id-malformed", V4, {"module.1.id=TDX_3"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities[1].id")},
    {"module-id-twice", V4, {"module.1.id=tdx_01"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities[1].id")},
    {"mrsignerseam-base", V4, {"modules=0", "td.tee_tcb_svn=050003", "td.mrsignerseam=01"},
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.mrsignerseam")},
    {"mrsignerseam-identity", V4, {"td.mrsignerseam=01"}, REFUSED(TDX_MODULE_MISMATCH, "quote.body.mrsignerseam")},
    {"mrsignerseam-identity-replaces-base", V4, {"td.mrsignerseam=01", "module.0.mrsigner=01"}, STATUS("UpToDate")},
    {"mrsignerseam-base-does-not-apply", V4, {"module.0.mrsigner=01"},
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.mrsignerseam")},
    {"seam-attr-set", V4, {"td.seamattributes=01"}, REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"seam-attr-set-expected", V4,
     {"td.seamattributes=01", "tcb_info.tdxModuleIdentities.0.attributes=\"0100000000000000\""},
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"seam-attr-outside-mask", V4,
     {"td.seamattributes=01", "tcb_info.tdxModuleIdentities.0.attributesMask=\"FEFFFFFFFFFFFFFF\""},
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    {"seam-attr-expected-not-set", V4, {"tcb_info.tdxModuleIdentities.0.attributes=\"0100000000000000\""},
     REFUSED(TDX_MODULE_MISMATCH, "quote.body.seamattributes")},
    /* levels 6 UpToDate, 4 OutOfDate */
    {"module-isvsvn-equal", V4, {"td.tee_tcb_svn=060103"}, STATUS_ALSO("UpToDate", module_01)},
    {"module-isvsvn-higher", V4, {"td.tee_tcb_svn=ff0103"}, STATUS_ALSO("UpToDate", module_01)},
    {"module-isvsvn-between", V4, {"td.tee_tcb_svn=050103"}, STATUS_ADVISORIES("OutOfDate", "INTEL-SA-01036")},
    {"module-isvsvn-below", V4, {"td.tee_tcb_svn=030103"},
     REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tdxModuleIdentities.tcbLevels")},
    {"module-levels-unsorted", V4,
     {"module.0.level.0.isvsvn=4", "module.0.level.0.status=OutOfDate", "module.0.level.1.isvsvn=6",
      "module.0.level.1.status=UpToDate"},
     STATUS("UpToDate")},
    {"module-revoked", V4, {"module.0.level.0.status=Revoked"}, REFUSED(TCB_REVOKED, "tcb.module")},
    {"module-status-configneeded", V4, {"module.0.level.0.status=ConfigurationNeeded"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities[0].tcbLevels[0].tcbStatus")},
    {"module-status-configneeded-other", V4, {"module.1.level.0.status=ConfigurationNeeded"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities[1].tcbLevels[0].tcbStatus")},
    {"module-levels-empty", V4, {"module.0.levels=0"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities[0].tcbLevels")},
    /* TD attributes */
    {"td-debug", V4, {"td.tdattributes=0100001000000000"}, REFUSED(TD_ATTRIBUTES, "quote.body.tdattributes.debug")},
    TD_BIT("td-bit1", "0200001000000000"), TD_BIT("td-bit2", "0400001000000000"), TD_BIT("td-bit3", "0800001000000000"),
    TD_BIT("td-bit4", "1000001000000000"), TD_BIT("td-bit5", "2000001000000000"), TD_BIT("td-bit6", "4000001000000000"),
    TD_BIT("td-bit7", "8000001000000000"),
    {"td-debug-allowed", V4, {"td.tdattributes=0100001000000000", "policy.insecure_allow_debug=true"},
     STATUS("UpToDate")},
    {"td-bit1-never", V4, {"td.tdattributes=0200001000000000", "policy.insecure_allow_debug=true"},
     REFUSED(TD_ATTRIBUTES, "quote.body.tdattributes")},
    {"td-bit1-never-by-mask", V4,
     {"td.tdattributes=0200001000000000", "policy.insecure_allow_debug=true",
      "policy.insecure_td_attributes_mask=\"ff00001000000000\""},
     REFUSED(CONFIGURATION, "insecure_td_attributes_mask")},
    {"td-migratable-by-mask", V4,
     {"td.tdattributes=0000003000000000", "policy.insecure_td_attributes_mask=\"0000003000000000\""},
     STATUS("UpToDate")},
    {"td-no-sept", V4, {"td.tdattributes=0000000000000000"},
     REFUSED(TD_ATTRIBUTES, "quote.body.tdattributes.sept_ve_disable")},
    {"td-no-sept-waived", V4, {"td.tdattributes=0000000000000000", "policy.insecure_allow_no_sept_ve_disable=true"},
     STATUS("UpToDate")},
    {"td-pks", V4, {"td.tdattributes=0000005000000000"}, STATUS("UpToDate")},
    {"td-kl", V4, {"td.tdattributes=0000009000000000"}, STATUS("UpToDate")},
    {"td-perfmon", V4, {"td.tdattributes=0000001000000080"}, STATUS("UpToDate")},
    TD_BIT("td-bit8", "0001001000000000"), TD_BIT("td-bit27", "0000001800000000"), TD_BIT("td-bit29", "0000003000000000"),
    TD_BIT("td-bit32", "0000001001000000"), TD_BIT("td-bit39", "0000001080000000"), TD_BIT("td-bit62", "0000001000000040"),
    /* service TD: in TD report 1.5 only */
    {"mrservicetd", V5, {"td.mrservicetd=01"}, REFUSED(TD_ATTRIBUTES, "quote.body.mrservicetd")},
    {"mrservicetd-allowed", V5, {"td.mrservicetd=01", "policy.insecure_allow_service_td=true"}, STATUS("UpToDate")},
    {"mrservicetd-not-in-td10", V4, {"td.mrservicetd=01"}, STATUS("UpToDate")},
    /* enclaves */
    {"sgx-debug", SGX, {"sgx.attributes=07"}, REFUSED(TD_ATTRIBUTES, "quote.body.attributes.debug")},
    {"sgx-debug-allowed", SGX, {"sgx.attributes=07", "policy.insecure_allow_debug=true"}, STATUS("UpToDate")},
};
/* clang-format on */

int main(void)
{
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    return tap_run("cases G: module and attributes", &l);
}
