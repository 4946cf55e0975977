/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_variant.h: a TPM's evidence as the document of a variant of Constellation. Knows no tpm2-tss.
 *
 * What differs between variants is the instance info, which the quotes cover: where it comes from, and what in it vouches
 * for the key. Source: specification of constellation, section 8. */
#ifndef ATLS_EDGE_ATTESTER_TPM_VARIANT_H
#define ATLS_EDGE_ATTESTER_TPM_VARIANT_H

#include "tpm_document.h"

/* Where the instance info comes from. */
typedef enum atls_tpm_source {
    ATLS_TPM_INFO_NULL,        /* there is none */
    ATLS_TPM_INFO_GIVEN,       /* what the options say */
    ATLS_TPM_INFO_CERTIFICATE, /* the key's certificate */
    ATLS_TPM_INFO_SNP_KEY,     /* a report of SEV-SNP over the key */
    ATLS_TPM_INFO_SNP_VALUE, /* a report of SEV-SNP over the value that the quotes are bound to; and what the options say */
    ATLS_TPM_INFO_HCL_SNP, /* Azure's report in NV, of SEV-SNP */
    ATLS_TPM_INFO_HCL_TDX, /* of TDX, made into a quote */
} atls_tpm_source;

/* atls_tpm_source_of gives where a variant's instance info comes from. Errors: CONFIGURATION for another name. */
ATLS_MUST_USE bool atls_tpm_source_of(const char *variant, atls_tpm_source *out, atls_error *err);

/* atls_tpm_instance_write writes the instance info out of what the document holds; empty where there is none. given: JSON
 * object of the options, NULL: none. Errors: CONFIGURATION (given, where there is no place for it, or no object), MEMORY. */
ATLS_MUST_USE bool atls_tpm_instance_write(atls_tpm_source source, const atls_tpm_document *in, const char *given,
                                           atls_arena *arena, atls_bytes *out, atls_error *err);

/* atls_tpm_bound_value gives what the quotes are made for: SHA-256(instance info || report_data[0..31]). Errors: INTERNAL. */
ATLS_MUST_USE bool atls_tpm_bound_value(atls_bytes instance_info, const uint8_t report_data[64], uint8_t out[32],
                                        atls_error *err);

/* atls_tpm_variant_write writes {"Attestation":{..},"InstanceInfo":..}. The key's certificate is in there unless the
 * instance info has it. Errors: MEMORY. */
ATLS_MUST_USE bool atls_tpm_variant_write(atls_tpm_source source, const atls_tpm_document *in, atls_bytes instance_info,
                                          atls_arena *arena, atls_bytes *out, atls_error *err);

#endif
