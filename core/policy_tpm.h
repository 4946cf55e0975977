/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tpm.h: what a policy of type tpm says, once read. Part of struct atls_policy (policy.h). */
#ifndef ATLS_CORE_POLICY_TPM_H
#define ATLS_CORE_POLICY_TPM_H

#include "atls/bytes.h"

typedef struct atls_tpm_policy {
    bool unused;
} atls_tpm_policy;

#endif
