/* SPDX-License-Identifier: Apache-2.0 */
/* policy_nitro.h: what a policy of type nitro says, once read. Part of struct atls_policy (policy.h); everything lives in the
 * policy's arena. A list with n zero is not asked for; of any other list one value must match. */
#ifndef ATLS_CORE_POLICY_NITRO_H
#define ATLS_CORE_POLICY_NITRO_H

#include "atls/nitro.h"

#define ATLS_NITRO_DEFAULT_MAX_AGE_S 300u /* documents are good for minutes */
#define ATLS_NITRO_SKEW_S            60u  /* how far a document's clock may be ahead of ours */

/* n values of one width (48 for registers, 32 for public keys), one after the other. */
typedef struct atls_nitro_values {
    const uint8_t *values;
    size_t n;
} atls_nitro_values;

typedef struct atls_nitro_texts {
    const atls_bytes *items;
    size_t n;
} atls_nitro_texts;

typedef struct atls_nitro_policy {
    bool wants_nitrotpm; /* "document": "nitrotpm"; false: "enclave" */
    atls_nitro_values pcr[ATLS_NITRO_PCRS];
    atls_nitro_values role_arn;            /* values of PCR3, computed from the names when the policy was read */
    atls_nitro_values instance_id;         /* of PCR4, same */
    atls_nitro_values signing_certificate; /* of PCR8, computed from the certificates or their SHA-384 */
    atls_nitro_texts module_id;
    atls_nitro_texts region;
    bool has_nonce; /* the document's own nonce must be this one */
    atls_bytes nonce;
    atls_nitro_values public_key_sha256;
    uint32_t max_age_s;     /* 0: ATLS_NITRO_DEFAULT_MAX_AGE_S */
    bool insecure_historic; /* judge at the time that the document states, however long ago that is */
} atls_nitro_policy;

#endif
