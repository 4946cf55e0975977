/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_pck.c: cases D: the SGX extension of the PCK certificate. DCAP section 3. */
#include "cases.h"

#define SGX SIM_SGX_V3
#define V4  SIM_TDX_V4

static bool comp_7_is_255(const atls_result *r)
{
    return r->claims.dcap.tcb_comp[6] == 255;
}

static bool pcesvn_is_65535(const atls_result *r)
{
    return r->claims.dcap.pcesvn == 65535;
}

static bool five_entries(const atls_result *r)
{
    return !r->claims.dcap.has_platform_info && r->claims.dcap.sgx_type == 0;
}

static bool seven_entries(const atls_result *r)
{
    const atls_dcap_claims *c = &r->claims.dcap;
    return c->has_platform_info && c->dynamic_platform && !c->cached_keys && c->smt_enabled && c->sgx_type == 1;
}

/* clang-format off */
static const sim_case table[] = {
    /* shape */
    {"ext-7-entries", V4, {NULL}, STATUS_ALSO("UpToDate", seven_entries)},
    {"ext-5-entries", V4, {"pck.ca=processor"}, STATUS_ALSO("UpToDate", five_entries)},
    {"ext-missing", V4, {"pck.ext=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"ext-twice", V4, {"pck.ext=twice"}, REFUSED(PCK_CHAIN, "pck.tbs.extensions")},
    {"ext-6-entries", V4, {"pck.ext.configuration=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"ext-6-entries-no-instance", V4, {"pck.ext.instance_id=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"ext-truncated", V4, {"pck.ext=truncated"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    /* missing entries */
    {"no-ppid", V4, {"pck.ext.ppid=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"no-tcb", V4, {"pck.ext.tcb=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"no-pceid", V4, {"pck.ext.pceid=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"no-fmspc", V4, {"pck.ext.fmspc=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"no-type", V4, {"pck.ext.type=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"comp-07-missing", V4, {"pck.ext.comp07=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb")},
    {"no-pcesvn", V4, {"pck.ext.pcesvn=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb")},
    {"no-cpusvn", V4, {"pck.ext.cpusvn=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb")},
    {"no-cached-keys", V4, {"pck.ext.cached_keys=none"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.configuration")},
    /* lengths */
    {"fmspc-5", V4, {"pck.ext.fmspc=0405506f5a1bc2"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.fmspc")},
    {"fmspc-7", V4, {"pck.ext.fmspc=040750806f5a1bc200"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.fmspc")},
    {"pceid-1", V4, {"pck.ext.pceid=040100"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.pceid")},
    {"pceid-3", V4, {"pck.ext.pceid=0403000000"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.pceid")},
    {"ppid-15", V4, {"pck.ext.ppid=040f000000000000000000000000000000"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.ppid")},
    {"cpusvn-15", V4, {"pck.ext.cpusvn=040f050502020301000300000000000000"},
     REFUSED(PCK_CHAIN, "pck.sgx_extension.cpusvn")},
    {"instance-id-15", V4, {"pck.ext.instance_id=040f050502020301000300000000000000"},
     REFUSED(PCK_CHAIN, "pck.sgx_extension.platform_instance_id")},
    /* numbers */
    {"comp-255", V4, {"pck.comp=050502020301ff03"}, STATUS_ALSO("UpToDate", comp_7_is_255)},
    {"pcesvn-65535", V4, {"pck.pcesvn=65535"}, STATUS_ALSO("UpToDate", pcesvn_is_65535)},
    {"comp-256", V4, {"pck.ext.comp07=02020100"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb.comp")},
    {"comp-negative", V4, {"pck.ext.comp07=0201ff"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb.comp")},
    {"comp-padded", V4, {"pck.ext.comp07=02020000"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb.comp")},
    {"pcesvn-65536", V4, {"pck.ext.pcesvn=0203010000"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb.pcesvn")},
    {"comp-as-octets", V4, {"pck.ext.comp07=040100"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.tcb.comp")},
    {"type-3", V4, {"pck.type=3"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.sgx_type")},
    {"type-as-integer", V4, {"pck.ext.type=020101"}, REFUSED(PCK_CHAIN, "pck.sgx_extension.sgx_type")},
    {"oid-duplicate", V4, {"pck.ext.fmspc=twice"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    {"oid-duplicate-comp", V4, {"pck.ext.comp07=twice"}, REFUSED(PCK_CHAIN, "pck.sgx_extension")},
    /* CPUSVN and components */
    {"cpusvn-differs", V4, {"pck.cpusvn=0404"}, STATUS("UpToDate")},
    {"cpusvn-differs-strict", V4, {"pck.cpusvn=0404", "policy.strict_cpusvn=true"},
     REFUSED(PCK_CHAIN, "pck.sgx_extension.cpusvn")},
    /* against TCB info */
    {"fmspc-mismatch", V4, {"tcb_info.fmspc=\"50806f5a1bc3\""}, REFUSED(TCB_INFO_MISMATCH, "tcb_info.fmspc")},
    {"pceid-mismatch", V4, {"tcb_info.pceId=\"0001\""}, REFUSED(TCB_INFO_MISMATCH, "tcb_info.pceId")},
    {"fmspc-lower", V4, {"tcb_info.fmspc=\"50806f5a1bc2\""}, STATUS("UpToDate")},
    {"fmspc-upper", V4, {"tcb_info.fmspc=\"50806F5A1BC2\""}, STATUS("UpToDate")},
    {"ppid-other", V4,
     {"quote.cert_type=1", "quote.ppid=ffffffffffffffffffffffffffffffff", "chain.pck=pck,platform_ca,root"},
     STATUS("UpToDate")},
};
/* clang-format on */

int main(void)
{
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    return tap_run("cases D: SGX extension", &l);
}
