/* SPDX-License-Identifier: Apache-2.0 */
/* nitro.h: what is known of a machine once its Nitro evidence is authenticated. Source: AWS Nitro Enclaves attestation documents. */
#ifndef ATLS_NITRO_H
#define ATLS_NITRO_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_nitro_claims {
    bool present; /* the members below are there */
} atls_nitro_claims;

#ifdef __cplusplus
}
#endif
#endif
