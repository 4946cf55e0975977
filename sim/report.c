/* SPDX-License-Identifier: Apache-2.0 */
/* report.c: report bodies of enclaves and TDs (DCAP sections 2.3, 2.4). Fields are set by name from one table each. */
#include "sim/internal.h"

#include <stdio.h>
#include <string.h>

typedef struct field {
    const char *name;
    uint16_t off;
    uint16_t size;
    bool is_number; /* little-endian, set in decimal */
} field;

static const field sgx_fields[] = {
    {"cpusvn", 0, 16, false},      {"miscselect", 16, 4, false},  {"reserved1", 20, 28, false},
    {"attributes", 48, 16, false}, {"mrenclave", 64, 32, false},  {"reserved2", 96, 32, false},
    {"mrsigner", 128, 32, false},  {"reserved3", 160, 96, false}, {"isvprodid", 256, 2, true},
    {"isvsvn", 258, 2, true},      {"reserved4", 260, 60, false}, {"reportdata", 320, 64, false},
};

static const field td_fields[] = {
    {"tee_tcb_svn", 0, 16, false},     {"mrseam", 16, 48, false},       {"mrsignerseam", 64, 48, false},
    {"seamattributes", 112, 8, false}, {"tdattributes", 120, 8, false}, {"xfam", 128, 8, false},
    {"mrtd", 136, 48, false},          {"mrconfigid", 184, 48, false},  {"mrowner", 232, 48, false},
    {"mrownerconfig", 280, 48, false}, {"rtmr0", 328, 48, false},       {"rtmr1", 376, 48, false},
    {"rtmr2", 424, 48, false},         {"rtmr3", 472, 48, false},       {"reportdata", 520, 64, false},
    {"tee_tcb_svn2", 584, 16, false},  {"mrservicetd", 600, 48, false},
};

const uint8_t sim_base_tee_tcb_svn[16] = {6, 1, 3};

/* Flags and XFRM: INIT and MODE64BIT; the quoting enclave also has PROVISION_KEY. */
static const uint8_t application[16] = {0x05, 0, 0, 0, 0, 0, 0, 0, 0xe7};
static const uint8_t quoting[16] = {0x15, 0, 0, 0, 0, 0, 0, 0, 0xe7};
static const uint8_t xfam[8] = {0xe7, 0x02, 0x06};

static uint8_t *at(const field *fields, size_t n, const char *name, uint8_t *body)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(fields[i].name, name) == 0) {
            return body + fields[i].off;
        }
    }
    return body;
}

static void apply(sim_op *o, const char *prefix, const field *fields, size_t n, uint8_t *body)
{
    for (size_t i = 0; i < n; i++) {
        const field *f = &fields[i];
        uint8_t *dst = body + f->off;
        if (!f->is_number) {
            sim_get_fixed(o, dst, f->size, "%s.%s", prefix, f->name);
            continue;
        }
        uint64_t v = sim_get_uint(o, dst[0] | (uint64_t)dst[1] << 8, "%s.%s", prefix, f->name);
        dst[0] = (uint8_t)v;
        dst[1] = (uint8_t)(v >> 8);
    }
}

#define N(fields) (sizeof(fields) / sizeof(fields)[0])
#define SGX(name) at(sgx_fields, N(sgx_fields), name, out)
#define TD(name)  at(td_fields, N(td_fields), name, out)

static void enclave(sim_op *o, const char *what, const uint8_t report_data[64], uint8_t out[SIM_SGX_LEN])
{
    memset(out, 0, SIM_SGX_LEN);
    memcpy(SGX("cpusvn"), o->s->platform.cpusvn, 16);
    memcpy(SGX("reportdata"), report_data, 64);
    char label[48];
    (void)snprintf(label, sizeof label, "mrenclave %s", what);
    sim_derive(o, label, SGX("mrenclave"), 32);
    (void)snprintf(label, sizeof label, "mrsigner %s", what);
    sim_derive(o, label, SGX("mrsigner"), 32);
}

void sim_sgx_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_SGX_LEN])
{
    enclave(o, "application", report_data, out);
    memcpy(SGX("attributes"), application, sizeof application);
    SGX("isvprodid")[0] = 1;
    SGX("isvsvn")[0] = 2;
    apply(o, "sgx", sgx_fields, N(sgx_fields), out);
}

void sim_qe_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_SGX_LEN])
{
    enclave(o, o->s->tdx ? "td_qe" : "qe", report_data, out);
    memcpy(SGX("attributes"), quoting, sizeof quoting);
    SGX("isvprodid")[0] = o->s->tdx ? 2 : 1;
    SGX("isvsvn")[0] = 8;
    apply(o, "qe", sgx_fields, N(sgx_fields), out);
}

void sim_td_report(sim_op *o, const uint8_t report_data[64], uint8_t out[SIM_TD15_LEN])
{
    uint8_t rtmr[4][48];
    memset(out, 0, SIM_TD15_LEN);
    sim_log_registers(o->s, rtmr);
    memcpy(TD("tee_tcb_svn"), sim_base_tee_tcb_svn, 16);
    sim_derive(o, "mrseam", TD("mrseam"), 48);
    TD("tdattributes")[3] = 0x10; /* SEPT_VE_DISABLE */
    memcpy(TD("xfam"), xfam, sizeof xfam);
    sim_derive(o, "mrtd", TD("mrtd"), 48);
    memcpy(TD("rtmr0"), rtmr, sizeof rtmr);
    memcpy(TD("reportdata"), report_data, 64);
    apply(o, "td", td_fields, N(td_fields), out);
    uint8_t svn2[16]; /* nothing was updated since the launch, unless a setting says so */
    memcpy(svn2, out, sizeof svn2);
    sim_get_fixed(o, svn2, sizeof svn2, "td.tee_tcb_svn2");
    memcpy(TD("tee_tcb_svn2"), svn2, sizeof svn2);
}
