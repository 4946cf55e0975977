/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_relaunch.c: cases I: the platform was patched, but this TD started on an older module. DCAP section 9.
 *
 * Level L1 UpToDate with every TDX component at 0x80; L2 OutOfDate with none. Module TDX_01: 81 UpToDate, 2 OutOfDate.
 */
#include "cases.h"

#define V5 SIM_TDX_V5

#define LEVELS                                                                                                         \
    "level.0.tdx=16x80", "level.1.tdx=16x00", "modules=1", "module.0.level.0.isvsvn=81", "module.0.level.1.isvsvn=2"
#define OLD     "td.tee_tcb_svn=500100"
#define MODULE1 OLD, "td.tee_tcb_svn2=5201fd"
#define CONFIG  "TDRelaunchAdvisedConfigurationNeeded"

/* clang-format off */
static const sim_case table[] = {
    {"relaunch-module1", V5, {LEVELS, MODULE1},
     STATUS_ADVISORIES("TDRelaunchAdvised", "INTEL-SA-00837,INTEL-SA-01036")},
    {"relaunch-module0", V5, {LEVELS, "td.tee_tcb_svn=500141", "td.tee_tcb_svn2=f000f0"}, STATUS("TDRelaunchAdvised")},
    {"relaunch-config", V5, {LEVELS, MODULE1, "level.1.status=OutOfDateConfigurationNeeded"}, STATUS(CONFIG)},
    {"relaunch-config-module0", V5,
     {LEVELS, "td.tee_tcb_svn=500141", "td.tee_tcb_svn2=f000f0", "level.1.status=OutOfDateConfigurationNeeded"},
     STATUS(CONFIG)},
    {"relaunch-sgx-config", V5, {LEVELS, MODULE1, "level.0.status=ConfigurationNeeded"}, STATUS(CONFIG)},
    {"relaunch-sgx-config-and-sw", V5, {LEVELS, MODULE1, "level.0.status=ConfigurationAndSWHardeningNeeded"},
     STATUS(CONFIG)},
    {"relaunch-sgx-sw", V5, {LEVELS, MODULE1, "level.0.status=SWHardeningNeeded"}, STATUS("TDRelaunchAdvised")},
    {"relaunch-not-newer", V5, {LEVELS, OLD, "td.tee_tcb_svn2=5001fd"}, STATUS("OutOfDate")},
    {"relaunch-exactly-newer", V5, {LEVELS, OLD, "td.tee_tcb_svn2=510180"}, STATUS("TDRelaunchAdvised")},
    {"relaunch-module0-not-newer", V5, {LEVELS, "td.tee_tcb_svn=500141", "td.tee_tcb_svn2=7f00f0"},
     STATUS("OutOfDate")},
    {"relaunch-module0-seam-old", V5, {LEVELS, "td.tee_tcb_svn=500141", "td.tee_tcb_svn2=f0007f"}, STATUS("OutOfDate")},
    {"relaunch-seam-old", V5, {LEVELS, OLD, "td.tee_tcb_svn2=520100"}, STATUS("OutOfDate")},
    {"relaunch-qe-old", V5, {LEVELS, MODULE1, "qe.isvsvn=6"}, STATUS("OutOfDate")},
    {"relaunch-sgx-old", V5, {LEVELS, MODULE1, "pck.comp=0404"}, STATUS("OutOfDate")},
    {"relaunch-module-uptodate", V5, {LEVELS, "td.tee_tcb_svn=5201fd", "td.tee_tcb_svn2=5201fd"}, STATUS("OutOfDate")},
    {"relaunch-svn2-unknown", V5, {LEVELS, OLD, "td.tee_tcb_svn2=5207fd"},
     REFUSED(TDX_MODULE_MISMATCH, "tcb_info.tdxModuleIdentities")},
    {"relaunch-td10", V5, {LEVELS, OLD, "quote.body_type=2"}, STATUS("OutOfDate")},
    {"relaunch-td10-v4", SIM_TDX_V4, {LEVELS, OLD}, STATUS("OutOfDate")},
    {"relaunch-not-allowed", V5, {LEVELS, MODULE1, "policy.allowed_tcb_status=[\"UpToDate\",\"OutOfDate\"]"},
     REFUSED(TCB_STATUS_NOT_ALLOWED, "tcb.status")},
};
/* clang-format on */

int main(void)
{
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    return tap_run("cases I: relaunch", &l);
}
