/* SPDX-License-Identifier: Apache-2.0 */
/* sev_snp.h: what is known of a machine once its SEV-SNP evidence is authenticated. Source: AMD SEV-SNP, firmware ABI specification (56860). */
#ifndef ATLS_SEV_SNP_H
#define ATLS_SEV_SNP_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_sev_snp_claims {
    bool present; /* the members below are there */
} atls_sev_snp_claims;

#ifdef __cplusplus
}
#endif
#endif
