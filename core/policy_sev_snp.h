/* SPDX-License-Identifier: Apache-2.0 */
/* policy_sev_snp.h: what a policy of type sev_snp says, once read. Part of struct atls_policy (policy.h).
 *
 * Reference values (measurements, keys, machines) are in atls_policy.references, by the names below. */
#ifndef ATLS_CORE_POLICY_SEV_SNP_H
#define ATLS_CORE_POLICY_SEV_SNP_H

#include "atls/bytes.h"
#include "atls/result.h"

/* Byte strings that are compared as they are: policy member, member of atls_snp_report, bytes. */
#define ATLS_SNP_FIELDS(X)                                                                                             \
    X("measurement", measurement, 48)                                                                                  \
    X("host_data", host_data, 32)                                                                                      \
    X("family_id", family_id, 16)                                                                                      \
    X("image_id", image_id, 16)                                                                                        \
    X("report_id", report_id, 32)                                                                                      \
    X("report_id_ma", report_id_ma, 32)

/* Least TCB: parts in the order of sevsnp.h (fmc, bootloader, tee, snp, microcode). */
#define ATLS_SNP_N_PARTS 5u
typedef struct atls_snp_least_tcb {
    bool given;
    uint8_t least[ATLS_SNP_N_PARTS]; /* 0: any */
} atls_snp_least_tcb;

typedef struct atls_sev_snp_policy {
    unsigned vmpls;         /* bit n: privilege level n; 0: only level 0, the default */
    unsigned products;      /* bit of atls_snp_product; 0: any that has a trusted root */
    unsigned signing_keys;  /* bit 0 VCEK, bit 1 VLEK; 0: either */
    atls_text_list csp_ids; /* one of these clouds; empty: not asked for */
    uint64_t policy_set;    /* bits of POLICY that must be set, and that must not */
    uint64_t policy_clear;
    uint64_t platform_set; /* the same of PLATFORM_INFO */
    uint64_t platform_clear;
    uint64_t launch_mit_vector; /* bits that must be set; 0: not asked for */
    uint64_t current_mit_vector;
    bool has_min_guest_svn;
    uint32_t min_guest_svn;
    bool has_min_build;
    uint8_t min_build;
    bool has_min_version;
    uint8_t min_major;
    uint8_t min_minor;
    atls_snp_least_tcb min_tcb; /* on reported */
    atls_snp_least_tcb min_current_tcb;
    atls_snp_least_tcb min_committed_tcb;
    atls_snp_least_tcb min_launch_tcb;
    bool require_committed_equals_current;
    bool insecure_allow_migration_agent;
} atls_sev_snp_policy;

#endif
