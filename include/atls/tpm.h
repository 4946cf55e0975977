/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.h: what is known of a machine once its TPM 2.0 evidence is authenticated. Source: TPM 2.0 quotes. */
#ifndef ATLS_TPM_H
#define ATLS_TPM_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_tpm_claims {
    bool present; /* the members below are there */
} atls_tpm_claims;

#ifdef __cplusplus
}
#endif
#endif
