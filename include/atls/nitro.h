/* SPDX-License-Identifier: Apache-2.0 */
/* nitro.h: what an attestation document of AWS Nitro says, once it is authenticated.
 *
 * Two kinds of documents come from the same signers: those of enclaves (`pcrs`), and those of whole instances with a NitroTPM
 * (`nitrotpm_pcrs`). Their registers of the same number mean different things, so a claim is never read without looking at
 * is_nitrotpm. Source: AWS Nitro Enclaves, "Verifying the root of trust"; Amazon EC2, "Validate a NitroTPM Attestation
 * Document". */
#ifndef ATLS_NITRO_H
#define ATLS_NITRO_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_NITRO_PCRS     32u
#define ATLS_NITRO_PCR_SIZE 48u /* SHA-384 */

/* A member that a document may have or not. Null counts as absent; empty does not. */
typedef struct atls_nitro_optional {
    bool present;
    atls_bytes value; /* empty when absent */
} atls_nitro_optional;

typedef struct atls_nitro_claims {
    bool present;          /* the members below are there */
    bool is_nitrotpm;      /* a NitroTPM's document: registers as of a TPM; false: an enclave's */
    atls_bytes module_id;  /* text: "i-<instance>-enc<enclave>" or "i-<instance>-tpm<number>" */
    uint64_t timestamp_ms; /* since 1970, when the document was made */
    uint32_t pcrs;         /* bit i: register i is there */
    uint8_t pcr[ATLS_NITRO_PCRS][ATLS_NITRO_PCR_SIZE]; /* zero where absent */
    atls_nitro_optional user_data;                     /* 0 to 1024 bytes; what bindings are compared with */
    atls_nitro_optional nonce;                         /* same length */
    atls_nitro_optional public_key; /* DER, for those who encrypt to the enclave; proves no session */
    uint8_t public_key_sha256[32];  /* of public_key's bytes; zero when absent */
    bool is_debug;          /* an enclave whose PCR0, PCR1 or PCR2 is zero or absent: its parent may read its console */
    bool historic;          /* verified at timestamp_ms and not at the time of the appraisal (insecure_historic) */
    atls_time verified;     /* the instant that certificates and lists were judged at */
    atls_bytes region;      /* text, from the names of the authorities: "us-east-1"; empty: they do not agree on one */
    atls_bytes leaf_serial; /* unsigned big-endian, of the certificate that signs the document */
    atls_time leaf_not_before;
    atls_time leaf_not_after;
    atls_time earliest_expiration; /* of all certificates of the chain */
    uint8_t n_certificates;        /* of the chain, root and leaf included */
    uint8_t n_lists;               /* certificates of the chain that a valid revocation list was looked up for */
} atls_nitro_claims;

#ifdef __cplusplus
}
#endif
#endif
