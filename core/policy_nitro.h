/* SPDX-License-Identifier: Apache-2.0 */
/* policy_nitro.h: what a policy of type nitro says, once read. Part of struct atls_policy (policy.h). */
#ifndef ATLS_CORE_POLICY_NITRO_H
#define ATLS_CORE_POLICY_NITRO_H

#include "atls/bytes.h"

typedef struct atls_nitro_policy {
    bool unused;
} atls_nitro_policy;

#endif
