/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_levels.c: cases F: which TCB level a platform is on. DCAP section 7. */
#include "cases.h"

#define SGX SIM_SGX_V3
#define V4  SIM_TDX_V4

/* Level 0 asks for 2 everywhere, level 1 for 1. */
#define TWO "level.0.sgx=16x02", "level.1.sgx=16x01"
/* Three levels in an order that is none. */
#define THREE                                                                                                          \
    "levels=3", "level.0.sgx=16x01", "level.0.status=OutOfDate", "level.1.sgx=16x03", "level.1.status=UpToDate",       \
        "level.2.sgx=16x02", "level.2.status=SWHardeningNeeded", "level.0.pcesvn=1", "level.1.pcesvn=1",               \
        "level.2.pcesvn=1"
#define THREE_TDX THREE, "level.0.tdx=16x00", "level.1.tdx=16x00", "level.2.tdx=16x00"
#define ONE       "levels=1"

#define LOWER(n, comp)                                                                                                 \
    {                                                                                                                  \
        "one-component-lower-" #n, SGX, {TWO, "pck.comp=" comp}, STATUS("OutOfDate")                                   \
    }

/* clang-format off */
static const sim_case table[] = {
    {"all-equal", SGX, {NULL}, STATUS("UpToDate")},
    {"all-higher", SGX, {"pck.comp=16xfe", "pck.pcesvn=500"}, STATUS("UpToDate")},
    {"all-equal-tdx", V4, {NULL}, STATUS_ADVISORIES("UpToDate", "")},
    {"all-higher-tdx", V4, {"pck.comp=16xfe", "pck.pcesvn=500", "td.tee_tcb_svn=ff01ff"}, STATUS("UpToDate")},
    LOWER(01, "01020202020202020202020202020202"), LOWER(02, "02010202020202020202020202020202"),
    LOWER(03, "02020102020202020202020202020202"), LOWER(04, "02020201020202020202020202020202"),
    LOWER(05, "02020202010202020202020202020202"), LOWER(06, "02020202020102020202020202020202"),
    LOWER(07, "02020202020201020202020202020202"), LOWER(08, "02020202020202010202020202020202"),
    LOWER(09, "02020202020202020102020202020202"), LOWER(10, "02020202020202020201020202020202"),
    LOWER(11, "02020202020202020202010202020202"), LOWER(12, "02020202020202020202020102020202"),
    LOWER(13, "02020202020202020202020201020202"), LOWER(14, "02020202020202020202020202010202"),
    LOWER(15, "02020202020202020202020202020102"), LOWER(16, "02020202020202020202020202020201"),
    {"component-132-vs-123", SGX, {ONE, "pck.comp=010302", "level.0.sgx=010203"},
     REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"component-132-vs-123-next", SGX, {"pck.comp=010302", "level.0.sgx=010203", "level.1.sgx=010201"},
     STATUS("OutOfDate")},
    {"pcesvn-lower", SGX, {"pck.pcesvn=12"}, STATUS_ADVISORIES("OutOfDate", "INTEL-SA-00837")},
    {"pcesvn-lower-none-left", SGX, {"pck.pcesvn=11"}, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"components-none-left", SGX, {"pck.comp=0303"}, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    /* the order of the document says nothing */
    {"levels-unsorted", SGX, {THREE, "pck.comp=16x02"}, STATUS("SWHardeningNeeded")},
    {"levels-unsorted-top", SGX, {THREE, "pck.comp=16x03"}, STATUS("UpToDate")},
    {"levels-unsorted-tdx", V4, {THREE_TDX, "pck.comp=16x02"}, STATUS("SWHardeningNeeded")},
    {"levels-reversed", SGX,
     {"level.0.sgx=0404", "level.0.pcesvn=12", "level.0.status=OutOfDate", "level.1.sgx=0505", "level.1.pcesvn=13", "level.1.status=UpToDate"}, STATUS("UpToDate")},
    {"levels-by-pcesvn", SGX,
     {"level.0.sgx=0505", "level.0.pcesvn=5", "level.0.status=OutOfDate", "level.1.sgx=0505", "level.1.pcesvn=13", "level.1.status=UpToDate"}, STATUS("UpToDate")},
    {"levels-by-tdx", V4,
     {"level.0.sgx=0505", "level.0.pcesvn=13", "level.0.tdx=000001", "level.0.status=OutOfDate",
      "level.1.sgx=0505", "level.1.pcesvn=13", "level.1.tdx=000003", "level.1.status=UpToDate"}, STATUS("UpToDate")},
    /* Revoked */
    {"revoked-top-not-matched", SGX, {"level.0.status=Revoked", "pck.comp=0404"}, STATUS("OutOfDate")},
    {"revoked-matched", SGX, {"level.0.status=Revoked"}, REFUSED(TCB_REVOKED, "tcb.platform")},
    {"revoked-matched-tdx", V4, {"level.0.status=Revoked"}, REFUSED(TCB_REVOKED, "tcb.platform")},
    /* TDX components */
    {"tdx-components-lower", V4, {"td.tee_tcb_svn=060102"}, STATUS("OutOfDate")},
    {"tdx-none", V4, {"td.tee_tcb_svn=060101"}, REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"tdx-svn01-skip", V4, {"td.tee_tcb_svn=060103", "level.0.tdx=ffff03"}, STATUS("UpToDate")},
    {"tdx-svn01-compare", V4, {"modules=0", "td.tee_tcb_svn=040003", "level.0.tdx=050003", "level.1.tdx=040002"},
     STATUS("OutOfDate")},
    {"tdx-svn01-compare-none", V4, {ONE, "modules=0", "td.tee_tcb_svn=040003", "level.0.tdx=050003"},
     REFUSED(TCB_NOT_SUPPORTED, "tcb_info.tcbLevels")},
    {"tdx-last-component-lower", V4,
     {"td.tee_tcb_svn=06010300000000000000000000000000", "level.0.tdx=05000300000000000000000000000001"}, STATUS("OutOfDate")},
    {"sgx-revoked-tdx-lower", V4, {"level.0.status=Revoked", "td.tee_tcb_svn=060102"}, REFUSED(TCB_REVOKED, "tcb.sgx")},
    /* each status */
    {"status-up-to-date", SGX, {ONE, "level.0.status=UpToDate"}, STATUS("UpToDate")},
    {"status-sw-hardening", SGX, {ONE, "level.0.status=SWHardeningNeeded"}, STATUS("SWHardeningNeeded")},
    {"status-configuration", SGX, {ONE, "level.0.status=ConfigurationNeeded"}, STATUS("ConfigurationNeeded")},
    {"status-configuration-and-sw", SGX, {ONE, "level.0.status=ConfigurationAndSWHardeningNeeded"},
     STATUS("ConfigurationAndSWHardeningNeeded")},
    {"status-out-of-date", SGX, {ONE, "level.0.status=OutOfDate"}, STATUS("OutOfDate")},
    {"status-out-of-date-configuration", SGX, {ONE, "level.0.status=OutOfDateConfigurationNeeded"},
     STATUS("OutOfDateConfigurationNeeded")},
    {"status-revoked", SGX, {ONE, "level.0.status=Revoked"}, REFUSED(TCB_REVOKED, "tcb.platform")},
    {"status-up-to-date-tdx", V4, {ONE, "level.0.status=UpToDate"}, STATUS("UpToDate")},
    {"status-sw-hardening-tdx", V4, {ONE, "level.0.status=SWHardeningNeeded"}, STATUS("SWHardeningNeeded")},
    {"status-configuration-tdx", V4, {ONE, "level.0.status=ConfigurationNeeded"}, STATUS("ConfigurationNeeded")},
    {"status-configuration-and-sw-tdx", V4, {ONE, "level.0.status=ConfigurationAndSWHardeningNeeded"},
     STATUS("ConfigurationAndSWHardeningNeeded")},
    {"status-out-of-date-tdx", V4, {ONE, "level.0.status=OutOfDate"}, STATUS("OutOfDate")},
    {"status-out-of-date-configuration-tdx", V4, {ONE, "level.0.status=OutOfDateConfigurationNeeded"},
     STATUS("OutOfDateConfigurationNeeded")},
    {"status-revoked-tdx", V4, {ONE, "level.0.status=Revoked"}, REFUSED(TCB_REVOKED, "tcb.platform")},
    /* and the policy, which by default allows only the first */
    {"status-not-allowed", SGX, {"level.0.status=SWHardeningNeeded", "policy.allowed_tcb_status=[\"UpToDate\"]"},
     REFUSED(TCB_STATUS_NOT_ALLOWED, "tcb.status")},
    {"evaluation-number-enough", SGX, {"policy.min_tcb_evaluation_data_number=17"}, STATUS("UpToDate")},
    {"evaluation-number-low", SGX, {"policy.min_tcb_evaluation_data_number=18"},
     REFUSED(TCB_EVALUATION_NUMBER, "tcb.tcb_evaluation_data_number")},
    {"evaluation-number-lower-of-both", SGX,
     {"tcb_info.tcbEvaluationDataNumber=20", "policy.min_tcb_evaluation_data_number=18"},
     REFUSED(TCB_EVALUATION_NUMBER, "tcb.tcb_evaluation_data_number")},
};
/* clang-format on */

int main(void)
{
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    return tap_run("cases F: levels", &l);
}
