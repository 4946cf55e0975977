/* SPDX-License-Identifier: Apache-2.0 */
/* apple_internal.h: the parts of an iPhone's room. Settings, keys, DER and buffers are the simulator's own (internal.h), over a
 * bare room. */
#ifndef ATLS_SIM_APPLE_INTERNAL_H
#define ATLS_SIM_APPLE_INTERNAL_H

#include "sim/internal.h"
#include "sim/sim_apple.h"

#define SIM_APPLE_N_CERTS 8

struct sim_apple {
    sim base; /* arena, settings, seed, keys, time; nothing of DCAP in it */
    bool is_sandbox;
    sim_cert certs[SIM_APPLE_N_CERTS]; /* all but the credential certificate */
    size_t n_certs;
};

/* The room that an operation is on. */
sim_apple *sim_apple_of(sim_op *o);
const char *sim_apple_app_id(sim_op *o);

/* apple_cert.c */
void sim_apple_certs_make(sim_op *o);
const sim_cert *sim_apple_cert_find(const sim_apple *s, const char *id);
const sim_key *sim_apple_cert_key(sim_op *o, const char *id);
/* sim_apple_credential makes the credential certificate with a nonce. */
atls_bytes sim_apple_credential(sim_op *o, const uint8_t nonce[32]);
/* sim_apple_name_put puts the subject of a certificate by its id. */
void sim_apple_name_put(sim_op *o, const char *id, atls_buf *b);
void sim_apple_serial_put(sim_op *o, const char *id, atls_buf *b);
/* sim_apple_sign puts a DER signature with SHA-256 or SHA-384. */
void sim_apple_sign(sim_op *o, const sim_key *key, bool is_384, atls_bytes data, const char *path, atls_buf *b);

/* apple_object.c */
atls_bytes sim_apple_attestation_make(sim_op *o, atls_bytes client_data);
atls_bytes sim_apple_assertion_make(sim_op *o, atls_bytes client_data, uint32_t counter);
/* sim_apple_bound makes an attestation's authData and, over it and client data, the credential certificate. */
void sim_apple_bound(sim_op *o, atls_bytes client_data, atls_bytes *auth_data, atls_bytes *credential);

/* apple_receipt.c */
atls_bytes sim_apple_receipt_make(sim_op *o, atls_bytes client_data, bool is_renewed);

#endif
