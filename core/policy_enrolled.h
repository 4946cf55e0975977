/* SPDX-License-Identifier: Apache-2.0 */
/* policy_enrolled.h: what a policy of type enrolled_key says, once read. Part of struct atls_policy (policy.h); everything lives
 * in the policy's arena. A list with n zero is not asked for; of any other list one value must match. */
#ifndef ATLS_CORE_POLICY_ENROLLED_H
#define ATLS_CORE_POLICY_ENROLLED_H

#include "atls/enrolled_key.h"
#include "pki/chain.h"

#define ATLS_ENROLLED_MAX_ROOTS 16u

/* How a key is kept, the weakest first, so that >= compares. Apple's Secure Enclave, a processor of its own, counts as
 * much as StrongBox. */
typedef enum atls_key_level {
    ATLS_KEY_LEVEL_SOFTWARE = 0,
    ATLS_KEY_LEVEL_TEE,
    ATLS_KEY_LEVEL_CHIP,
} atls_key_level;

typedef struct atls_enrolled_root {
    atls_anchor anchor;
    atls_bytes der;     /* it stands in the policy, and chains may leave it out; empty: only its hash does */
    atls_bytes subject; /* of der, Name, whole encoding */
} atls_enrolled_root;

typedef struct atls_enrolled_policy {
    const atls_enrolled_root *roots; /* at least 1 */
    size_t n_roots;
    unsigned platforms; /* bits by atls_platform; 0: any */
    const atls_bytes *applications;
    size_t n_applications;
    atls_key_level min_level; /* TEE by default */
    bool has_min_level;
    const uint8_t *policy_sha256; /* n_policies values of 32 bytes, one after the other */
    size_t n_policies;
    bool insecure_allow_no_extension;
} atls_enrolled_policy;

#endif
