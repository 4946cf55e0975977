/* SPDX-License-Identifier: Apache-2.0 */
/* sim_tpm.h: a software TPM's machine: an attestation key, PCR banks, an event log that leads to them, quotes over any value, a
 * small PKI that certifies the key, and documents in all four forms.
 *
 * It is not a TPM: it makes what a TPM and its firmware would have made, from a seed, and every field can be set
 * ("path=value", listed in sim/README.md) before whatever covers it is signed. swtpm is for the real thing. */
#ifndef ATLS_SIM_TPM_H
#define ATLS_SIM_TPM_H

#include "sim/sim.h"

typedef struct sim_tpm sim_tpm;

typedef enum sim_tpm_form {
    SIM_TPM_CONSTELLATION = 1,
    SIM_TPM_JSON,
    SIM_TPM_PROTOBUF,
    SIM_TPM_CBOR,
} sim_tpm_form;

typedef struct sim_tpm_options {
    const char *seed;            /* NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* 0: SIM_NOW */
    sim_memo *memo;              /* borrowed; NULL: none */
} sim_tpm_options;

/* sim_tpm_new makes a machine. A setting that names no field is CONFIGURATION with the path as field. */
ATLS_MUST_USE bool sim_tpm_new(const sim_tpm_options *options, sim_tpm **out, atls_error *err);
void sim_tpm_free(sim_tpm *t);

/* sim_tpm_document quotes all banks over a value and writes the form. In Constellation's form the quotes are made for
 * SHA-256(instance info || value). In the arena. */
ATLS_MUST_USE bool sim_tpm_document(sim_tpm *t, sim_tpm_form form, atls_bytes value, atls_arena *a, atls_bytes *out,
                                    atls_error *err);

/* What vouches: certificates below and with the root, one list of each issuer. Borrowed. */
const atls_endorsements *sim_tpm_endorsements(const sim_tpm *t);
/* sim_tpm_endorse is an atls_endorse_fn; ctx is the sim_tpm. */
bool sim_tpm_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                     atls_error *err);

/* sim_tpm_policy writes a policy of type tpm that accepts the machine: PCRs 0, 4 and 7, and its root. `more` is put before the
 * last brace (",\"bank\":..."). */
ATLS_MUST_USE bool sim_tpm_policy(sim_tpm *t, const char *more, atls_arena *a, atls_bytes *out, atls_error *err);

/* Parts, borrowed: the event log, TPMT_PUBLIC, the root's DER, and one register as it was quoted. */
atls_bytes sim_tpm_event_log(const sim_tpm *t);
atls_bytes sim_tpm_ak_pub(const sim_tpm *t);
atls_bytes sim_tpm_root(const sim_tpm *t);
atls_bytes sim_tpm_pcr(const sim_tpm *t, const char *bank, size_t index);

/* ---- Azure: what the paravisor leaves in NV index 0x01400001 ---- */

#define SIM_HCL_LEN 2600u

typedef struct sim_hcl {
    atls_bytes report;       /* over SHA-256(runtime_data): SEV-SNP, 1184 bytes, or a TDREPORT of 1024 */
    atls_bytes runtime_data; /* JSON */
    uint32_t report_type;    /* 0: that of the report (2 SNP, 4 TDX) */
    uint32_t hash_type;      /* 0: 1, SHA-256 */
    const char *magic;       /* four letters; NULL: "HCLA" */
} sim_hcl;

/* sim_hcl_runtime_data writes JSON that names an RSA key, given as TPMT_PUBLIC, as the machine's attestation key. In the
 * arena. Errors: CONFIGURATION for another kind of key. */
ATLS_MUST_USE bool sim_hcl_runtime_data(atls_bytes ak_pub, atls_arena *a, atls_bytes *out, atls_error *err);
/* sim_hcl_blob writes what the index holds, SIM_HCL_LEN bytes with zeros at the end. In the arena. */
ATLS_MUST_USE bool sim_hcl_blob(const sim_hcl *in, atls_arena *a, atls_bytes *out, atls_error *err);

#endif
