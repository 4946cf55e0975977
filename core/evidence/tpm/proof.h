/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h: what the steps of authenticate hand to each other. Inside this room only.
 *
 * Filled from top to bottom; a member is trusted only once the step that checks it has passed. */
#ifndef ATLS_EVIDENCE_TPM_PROOF_H
#define ATLS_EVIDENCE_TPM_PROOF_H

#include "pki/chain.h"
#include "tpm.h"

typedef struct tpm_proof {
    const tpm_evidence *e;
    const atls_authority *auth;
    const atls_policy *policy;
    atls_arena *arena;
    atls_claims *claims;
    atls_tpm_claims *out; /* of claims */
    atls_trace *trace;
    atls_error *err;
    bool has_chain; /* chain was looked at */
    tpm_chain chain;
    bool has_log;
    tpm_log log;
} tpm_proof;

/* tpm_step records one step of the list. */
ATLS_MUST_USE bool tpm_step(tpm_proof *p, bool ok, const char *id, const char *field);
/* tpm_find_bank gives the values of one bank that came with a quote, NULL when there are none. */
const tpm_bank *tpm_find_bank(const tpm_quote *q, uint16_t alg);
/* The bank that the policy looks at. */
uint16_t tpm_policy_bank(const atls_policy *policy);

/* Steps, in their order. Each sets p->err when it fails, and has written its line. */
ATLS_MUST_USE bool tpm_check_key(tpm_proof *p);
ATLS_MUST_USE bool tpm_check_certificate(tpm_proof *p);
ATLS_MUST_USE bool tpm_check_trust(tpm_proof *p);
ATLS_MUST_USE bool tpm_check_quotes(tpm_proof *p);
ATLS_MUST_USE bool tpm_check_log(tpm_proof *p);

#endif
