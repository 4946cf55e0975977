/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_collateral.c: cases E: what TCB info and QE identity say. All of them are properly signed. DCAP
 * sections 4.1, 4.2 and 6, steps 5, 6, 10, 14. */
#include "cases.h"

#define SGX SIM_SGX_V3
#define V4  SIM_TDX_V4

#define LEVEL "tcb_info.tcbLevels.0."
#define COPY_OF_LEVEL_0(status)                                                                                        \
    "levels=2", "level.0.sgx=05050202030100030000000000000000", "level.0.pcesvn=13",                                   \
        "level.0.tdx=05000300000000000000000000000000", "level.1.sgx=05050202030100030000000000000000",                \
        "level.1.pcesvn=13", "level.1.tdx=05000300000000000000000000000000", "level.1.status=" status

static bool no_advisories(const atls_result *r)
{
    return r->claims.dcap.tcb.advisories.n == 0;
}

/* clang-format off */
static const sim_case table[] = {
    /* which TEE */
    {"sgx-quote-tdx-info", SGX, {"tcb_info.form=tdx"}, REFUSED(TCB_INFO_MISMATCH, "tcb_info.id")},
    {"tdx-quote-sgx-info", V4, {"tcb_info.form=sgx"}, REFUSED(TCB_INFO_MISMATCH, "tcb_info.id")},
    {"tdx-quote-v2-info", V4, {"tcb_info.form=v2"}, REFUSED(TCB_INFO_MISMATCH, "tcb_info.id")},
    /* header members */
    {"info-version-1", V4, {"tcb_info.version=1"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.version")},
    {"info-version-4", V4, {"tcb_info.version=4"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.version")},
    {"info-no-id", V4, {"-tcb_info.id"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.id")},
    {"id-other", V4, {"tcb_info.id=\"TDY\""}, REFUSED(COLLATERAL_FORMAT, "tcb_info.id")},
    {"tcbtype-1", V4, {"tcb_info.tcbType=1"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbType")},
    {"tcbtype-missing", V4, {"-tcb_info.tcbType"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbType")},
    {"id-number", V4, {"tcb_info.id=1"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.id")},
    {"fmspc-missing", V4, {"-tcb_info.fmspc"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.fmspc")},
    {"fmspc-10-hex", V4, {"tcb_info.fmspc=\"50806f5a1b\""}, REFUSED(COLLATERAL_FORMAT, "tcb_info.fmspc")},
    {"evaluation-number-missing", V4, {"-tcb_info.tcbEvaluationDataNumber"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbEvaluationDataNumber")},
    {"unknown-member-ignored", V4, {"tcb_info.note={\"a\":[1,2]}"}, STATUS("UpToDate")},
    /* TDX members */
    {"sgx-info-with-tdxmodule", SGX, {"tcb_info.tdxModule={\"mrsigner\":\"00\"}"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModule")},
    {"sgx-info-with-identities", SGX, {"tcb_info.tdxModuleIdentities=[]"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModuleIdentities")},
    {"tdx-info-no-tdxmodule", V4, {"-tcb_info.tdxModule"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModule")},
    {"module-mrsigner-94-hex", V4,
     {"tcb_info.tdxModule.mrsigner=\"0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000\""},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModule.mrsigner")},
    {"module-attributes-nonhex", V4, {"tcb_info.tdxModule.attributes=\"000000000000000g\""},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tdxModule.attributes")},
    /* levels */
    {"levels-missing", V4, {"-tcb_info.tcbLevels"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels")},
    {"levels-empty", V4, {"tcb_info.tcbLevels=[]"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels")},
    {"levels-not-array", V4, {"tcb_info.tcbLevels={}"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels")},
    {"level-not-object", V4, {"tcb_info.tcbLevels.1=7"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcb")},
    {"components-15", V4, {"-" LEVEL "tcb.sgxtcbcomponents.15"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents")},
    {"components-17", V4, {LEVEL "tcb.sgxtcbcomponents.+={\"svn\":0}"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents")},
    {"components-0", V4, {LEVEL "tcb.sgxtcbcomponents=[]"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents")},
    {"tdx-components-missing", V4, {"-" LEVEL "tcb.tdxtcbcomponents"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents")},
    {"tdx-components-15", V4, {"-" LEVEL "tcb.tdxtcbcomponents.15"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents")},
    {"tdx-components-17", V4, {LEVEL "tcb.tdxtcbcomponents.+={\"svn\":0}"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.tdxtcbcomponents")},
    {"svn-256", V4, {LEVEL "tcb.sgxtcbcomponents.3.svn=256"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-65473", V4, {LEVEL "tcb.sgxtcbcomponents.3.svn=65473"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-negative", V4, {LEVEL "tcb.sgxtcbcomponents.3.svn=-1"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-string", V4, {LEVEL "tcb.sgxtcbcomponents.3.svn=\"1\""},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-fraction", V4, {LEVEL "tcb.sgxtcbcomponents.3.svn=2.0"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-missing", V4, {"-" LEVEL "tcb.sgxtcbcomponents.3.svn"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomponents[3].svn")},
    {"svn-with-category", V4, {LEVEL "tcb.sgxtcbcomponents.3.category=\"BIOS\""}, STATUS("UpToDate")},
    {"pcesvn-missing", V4, {"-" LEVEL "tcb.pcesvn"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.pcesvn")},
    {"pcesvn-65536", V4, {LEVEL "tcb.pcesvn=65536"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.pcesvn")},
    {"level-duplicate", V4, {COPY_OF_LEVEL_0("UpToDate")}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcb")},
    {"level-duplicate-other-status", V4, {COPY_OF_LEVEL_0("Revoked")},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcb")},
    {"status-unknown", V4, {"level.1.status=Splendid"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcbStatus")},
    {"status-unknown-by-name", V4, {"level.1.status=Unknown"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcbStatus")},
    {"status-derived", V4, {"level.0.status=TDRelaunchAdvised"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcbStatus")},
    {"status-lowercase", V4, {"level.1.status=outofdate"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[1].tcbStatus")},
    {"status-missing", V4, {"-" LEVEL "tcbStatus"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcbStatus")},
    {"level-date-missing", V4, {"-" LEVEL "tcbDate"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcbDate")},
    {"advisories-missing", V4, {"level.0.advisories=none"}, STATUS_ALSO("UpToDate", no_advisories)},
    {"advisories-empty", V4, {"level.0.advisories="}, STATUS_ALSO("UpToDate", no_advisories)},
    {"advisories-given", V4, {"level.0.advisories=INTEL-SA-1,INTEL-SA-2,INTEL-SA-1"},
     STATUS_ADVISORIES("UpToDate", "INTEL-SA-1,INTEL-SA-2")},
    {"advisories-string", V4, {LEVEL "advisoryIDs=\"INTEL-SA-1\""},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].advisoryIDs")},
    {"advisory-number", V4, {LEVEL "advisoryIDs=[1]"}, REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].advisoryIDs")},
    /* JSON */
    {"json-garbage", V4, {"tcb_info.tcbType=garbage"}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-trailing", V4, {"tcb_info.tcbType=0}"}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-duplicate-member", V4, {"tcb_info.+fmspc=\"50806f5a1bc2\""}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-duplicate-escaped", V4, {"tcb_info.+fm\\u0073pc=\"50806f5a1bc2\""}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-deep", V4, {"tcb_info.note=[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]"}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-utf8-bad", V4, {"tcb_info.note=\"\xc3(\""}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"json-root-array", V4, {"tcb_info.=[]"}, REFUSED(COLLATERAL_FORMAT, "tcb_info")},
    {"info-v2-sgx", SGX, {"tcb_info.form=v2"}, STATUS("UpToDate")},
    {"info-v2-sgx-lower", SGX, {"tcb_info.form=v2", "pck.comp=0404"}, STATUS("OutOfDate")},
    {"info-v2-with-id", SGX, {"tcb_info.form=v2", "tcb_info.id=\"SGX\""}, STATUS("UpToDate")},
    {"info-v2-component-missing", SGX, {"tcb_info.form=v2", "-" LEVEL "tcb.sgxtcbcomp07svn"},
     REFUSED(COLLATERAL_FORMAT, "tcb_info.tcbLevels[0].tcb.sgxtcbcomp07svn")},
    /* QE identity: which */
    {"qeid-sgx-for-tdx", V4, {"qe_identity.id=\"QE\""}, REFUSED(QE_IDENTITY_MISMATCH, "qe_identity.id")},
    {"qeid-tdx-for-sgx", SGX, {"qe_identity.id=\"TD_QE\""}, REFUSED(QE_IDENTITY_MISMATCH, "qe_identity.id")},
    {"qeid-qve", SGX, {"qe_identity.id=\"QVE\""}, REFUSED(QE_IDENTITY_MISMATCH, "qe_identity.id")},
    {"qeid-version-1", V4, {"qe_identity.version=1"}, REFUSED(QE_IDENTITY_MISMATCH, "qe_identity.version")},
    {"qeid-version-3", V4, {"qe_identity.version=3"}, REFUSED(QE_IDENTITY_MISMATCH, "qe_identity.version")},
    /* QE identity: the fields of the QE report */
    {"qe-mrsigner", V4, {"qe.mrsigner=00"}, REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.mrsigner")},
    {"qe-prodid", V4, {"qe.isvprodid=3"}, REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.isvprodid")},
    {"qe-miscselect", V4, {"qe.miscselect=00000001"}, REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.miscselect")},
    {"qe-attributes", V4, {"qe.attributes=31"}, REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes")},
    {"qe-miscselect-masked", V4, {"qe.miscselect=00000001", "qe_identity.miscselectMask=\"FFFFFF00\""},
     STATUS("UpToDate")},
    {"qe-attributes-masked", V4, {"qe.attributes=1500000000000000ff"}, STATUS("UpToDate")},
    {"qe-expected-outside-mask", V4, {"qe_identity.attributes=\"15000000000000000000000000000000\""},
     REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes")},
    {"qe-expected-outside-mask-miscselect", V4,
     {"qe.miscselect=00000001", "qe_identity.miscselect=\"00000001\"", "qe_identity.miscselectMask=\"FFFFFF00\""},
     REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.miscselect")},
    {"qe-miscselect-byte-order", V4, {"qe.miscselect=01000000", "qe_identity.miscselect=\"01000000\""},
     STATUS("UpToDate")},
    {"qe-debug", V4, {"qe.attributes=17"}, REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes")},
    {"qe-debug-mask-open", V4, {"qe.attributes=17", "qe_identity.attributesMask=\"F9FFFFFFFFFFFFFF0000000000000000\""},
     REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes.debug")},
    {"qe-debug-expected", V4, {"qe.attributes=17", "qe_identity.attributes=\"13000000000000000000000000000000\""},
     REFUSED(QE_IDENTITY_MISMATCH, "quote.auth.qe_report.attributes.debug")},
    /* QE identity: levels 8 UpToDate, 6 OutOfDate */
    {"qe-isvsvn-equal", V4, {"qe.isvsvn=8"}, STATUS("UpToDate")},
    {"qe-isvsvn-higher", V4, {"qe.isvsvn=900"}, STATUS("UpToDate")},
    {"qe-isvsvn-between", V4, {"qe.isvsvn=7"}, STATUS_ADVISORIES("OutOfDate", "INTEL-SA-00615")},
    {"qe-isvsvn-lowest", V4, {"qe.isvsvn=6"}, STATUS("OutOfDate")},
    {"qe-isvsvn-below", V4, {"qe.isvsvn=5"}, REFUSED(TCB_NOT_SUPPORTED, "qe_identity.tcbLevels")},
    {"qe-levels-unsorted", V4,
     {"qe.isvsvn=8", "qe_level.0.isvsvn=6", "qe_level.0.status=OutOfDate", "qe_level.1.isvsvn=8",
      "qe_level.1.status=UpToDate"},
     STATUS("UpToDate")},
    {"qe-levels-empty", V4, {"qe_levels=0"}, REFUSED(COLLATERAL_FORMAT, "qe_identity.tcbLevels")},
    {"qe-levels-duplicate", V4, {"qe_level.1.isvsvn=8"}, REFUSED(COLLATERAL_FORMAT, "qe_identity.tcbLevels[1].tcb")},
    {"qe-status-swhardening", V4, {"qe_level.0.status=SWHardeningNeeded"},
     REFUSED(COLLATERAL_FORMAT, "qe_identity.tcbLevels[0].tcbStatus")},
    {"qeid-json-trailing", V4, {"qe_identity.isvprodid=2}"}, REFUSED(COLLATERAL_FORMAT, "qe_identity")},
    {"qeid-json-duplicate-member", V4, {"qe_identity.+isvprodid=2"}, REFUSED(COLLATERAL_FORMAT, "qe_identity")},
    {"qeid-mrsigner-62-hex", V4,
     {"qe_identity.mrsigner=\"00000000000000000000000000000000000000000000000000000000000000\""},
     REFUSED(COLLATERAL_FORMAT, "qe_identity.mrsigner")},
};
/* clang-format on */

int main(void)
{
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    return tap_run("cases E: TCB info and QE identity", &l);
}
