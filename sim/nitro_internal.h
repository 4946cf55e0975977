/* SPDX-License-Identifier: Apache-2.0 */
/* nitro_internal.h: the parts of a Nitro room. Settings, keys, DER and buffers are the simulator's own (internal.h), over a
 * bare room. */
#ifndef ATLS_SIM_NITRO_INTERNAL_H
#define ATLS_SIM_NITRO_INTERNAL_H

#include "sim/internal.h"
#include "sim/sim_nitro.h"

#define SIM_NITRO_INSTANCE "i-0123456789abcdef0"
#define SIM_NITRO_ENCLAVE  SIM_NITRO_INSTANCE "-enc0123456789abcdef"
#define SIM_NITRO_TPM      SIM_NITRO_INSTANCE "-tpm0000000000000000"
#define SIM_NITRO_ROLE     "arn:aws:iam::123456789012:role/simulated"
#define SIM_NITRO_N_CERTS  8
#define SIM_NITRO_N_CRLS   3

struct sim_nitro {
    sim base; /* arena, settings, seed, keys, time; nothing of DCAP in it */
    bool is_nitrotpm;
    sim_cert certs[SIM_NITRO_N_CERTS];
    size_t n_certs;
};

/* The room that an operation is on. */
sim_nitro *sim_nitro_of(sim_op *o);
const char *sim_nitro_module(sim_op *o);

/* nitro_cert.c */
void sim_nitro_certs_make(sim_op *o);
const sim_cert *sim_nitro_cert_find(const sim_nitro *s, const char *id);
const sim_key *sim_nitro_cert_key(sim_op *o, const char *id);
void sim_nitro_key_id(sim_op *o, const char *id, uint8_t out[20]);
void sim_nitro_subject_put(sim_op *o, const char *id, atls_buf *b);

/* nitro_crl.c */
void sim_nitro_pile_make(sim_op *o, atls_certificate_pile *out);

/* nitro_document.c */
void sim_nitro_pcr(sim_op *o, unsigned i, uint8_t out[48]);
atls_bytes sim_nitro_document_make(sim_op *o, const sim_nitro_request *request);

#endif
