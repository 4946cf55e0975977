/* SPDX-License-Identifier: Apache-2.0 */
/* policy_sev_snp.h: what a policy of type sev_snp says, once read. Part of struct atls_policy (policy.h). */
#ifndef ATLS_CORE_POLICY_SEV_SNP_H
#define ATLS_CORE_POLICY_SEV_SNP_H

#include "atls/bytes.h"

typedef struct atls_sev_snp_policy {
    bool unused;
} atls_sev_snp_policy;

#endif
