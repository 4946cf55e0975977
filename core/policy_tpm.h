/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tpm.h: what a policy of type tpm says, once read. Part of struct atls_policy (policy.h). */
#ifndef ATLS_CORE_POLICY_TPM_H
#define ATLS_CORE_POLICY_TPM_H

#include "atls/bytes.h"

#define ATLS_TPM_POLICY_PCRS 24u

/* What one PCR must hold. */
typedef struct atls_tpm_pcr_policy {
    const atls_bytes *values; /* any of n, each as long as the bank's digests; n 0: the PCR is not listed */
    size_t n;
    bool warn_only; /* a mismatch is a skipped check */
} atls_tpm_pcr_policy;

/* Texts of which one must be equal; n 0: not asked for. */
typedef struct atls_tpm_texts {
    const atls_bytes *items;
    size_t n;
} atls_tpm_texts;

typedef struct atls_tpm_policy {
    bool has_pcrs;
    atls_tpm_pcr_policy pcrs[ATLS_TPM_POLICY_PCRS];
    uint16_t bank; /* TPM_ALG_ID; 0: not named, SHA-256 */
    atls_tpm_texts
        keys; /* pins of the attestation key: SHA-256 of TPMT_PUBLIC or of SubjectPublicKeyInfo, or a TPM Name */
    atls_tpm_texts gce_project;
    atls_tpm_texts gce_zone;
    atls_tpm_texts gce_instance;    /* names */
    atls_tpm_texts gce_instance_id; /* decimal */
    atls_tpm_texts gce_technology;  /* "sev", ... of a verified event */
    bool has_min_gce_firmware;
    uint32_t min_gce_firmware;
    bool require_event_log;
    bool ignore_event_log; /* it is not looked at; nothing of it is believed */
    bool require_secure_boot;
    bool allow_rsapss;
    bool insecure_allow_unauthenticated_ak;
    bool insecure_accept_any_measurement;
} atls_tpm_policy;

#endif
