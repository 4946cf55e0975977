/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_internal.h: the parts of the simulated TPM.
 *
 *   tpm.c       the machine                 tpm_key.c   the attestation key and its signatures
 *   tpm_log.c   event log, registers        tpm_pki.c   certificates and lists        tpm_forms.c   quotes and documents
 */
#ifndef ATLS_SIM_TPM_INTERNAL_H
#define ATLS_SIM_TPM_INTERNAL_H

#include "sim/internal.h"
#include "sim/sim_tpm.h"

#define SIM_TPM_N_BANKS 4u
#define SIM_TPM_N_PCRS  24u

typedef struct sim_tpm_bank {
    const char *name;
    unsigned alg;
    size_t len;
    uint8_t pcr[SIM_TPM_N_PCRS][64];
} sim_tpm_bank;

struct sim_tpm {
    sim room; /* settings, seed, keys; none of its DCAP parts */
    sim_tpm_bank banks[SIM_TPM_N_BANKS];
    bool has_rsa;
    const sim_key *ec; /* of an ECC key */
    unsigned hash;     /* of signatures */
    atls_bytes ak_pub;
    atls_bytes spki;
    atls_bytes log;
    atls_bytes leaf;
    atls_bytes intermediate;
    atls_bytes root;
    atls_bytes pile_certs[2];
    atls_bytes pile_crls[2];
    atls_endorsements endorsements;
    bool certs_along; /* intermediates come with the document */
    bool has_cert;
    bool rehearsing; /* nobody will look at signatures, and RSA takes its time */
};

void sim_put_be(atls_buf *b, uint64_t v, size_t n);
void sim_hash(unsigned alg, atls_bytes in, uint8_t out[64]);

void sim_tpm_log_make(sim_op *o, sim_tpm *t);
void sim_tpm_key_make(sim_op *o, sim_tpm *t);
/* sim_tpm_sign makes a TPMT_SIGNATURE; settings quote.<bank>.sig, .sig_scheme, .sig_hash */
atls_bytes sim_tpm_sign(sim_op *o, const sim_tpm *t, const char *bank, atls_bytes message);
void sim_tpm_pki_make(sim_op *o, sim_tpm *t);
atls_bytes sim_tpm_document_make(sim_op *o, sim_tpm *t, sim_tpm_form form, atls_bytes value);

#endif
