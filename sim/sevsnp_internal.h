/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp_internal.h: the parts of an SEV-SNP room. Settings, keys, DER and buffers are the simulator's own (internal.h), over
 * a bare room. */
#ifndef ATLS_SIM_SEVSNP_INTERNAL_H
#define ATLS_SIM_SEVSNP_INTERNAL_H

#include "sim/internal.h"
#include "sim/sim_sevsnp.h"

#define SIM_SNP_N_RSA      2
#define SIM_SNP_N_CERTS    3
#define SIM_SNP_RSA_LEN    512u
#define SIM_SNP_REPORT_LEN 1184u

/* Primes of a key, 256 bytes each, in hex; sevsnp_keys.c. */
typedef struct sim_snp_rsa {
    const char *p;
    const char *q;
} sim_snp_rsa;
extern const sim_snp_rsa sim_snp_rsa_keys[SIM_SNP_N_RSA];

struct sim_snp {
    sim base; /* arena, settings, seed, keys, time; nothing of DCAP in it */
    atls_snp_product product;
    bool is_vlek;
    unsigned version;
    sim_cert certs[SIM_SNP_N_CERTS];
    size_t n_certs;
};

/* The room that an operation is on. */
sim_snp *sim_snp_of(sim_op *o);

/* ---- sevsnp_rsa.c ---- */

/* sim_snp_modulus gives the modulus of the RSA key with this index. */
void sim_snp_modulus(sim_op *o, size_t key, uint8_t out[SIM_SNP_RSA_LEN]);
/* sim_snp_rsa_sign signs data with SHA-384: PSS with a salt of salt_len bytes, derived; or, for salt_len 0, PKCS #1 v1.5. */
void sim_snp_rsa_sign(sim_op *o, size_t key, atls_bytes data, size_t salt_len, uint8_t out[SIM_SNP_RSA_LEN]);

/* ---- sevsnp_cert.c ---- */

void sim_snp_certs_make(sim_op *o);
const sim_cert *sim_snp_cert_find(const sim_snp *s, const char *id);
/* Ids of the room's leaf and intermediate. */
const char *sim_snp_leaf_id(sim_op *o);
const char *sim_snp_issuer_id(sim_op *o);
/* sim_snp_leaf_key gives the P-384 key that signs reports. */
const sim_key *sim_snp_leaf_key(sim_op *o);
atls_bytes sim_snp_crl_make(sim_op *o);

/* ---- sevsnp_report.c ---- */

void sim_snp_tcb_base(const sim_snp *s, uint8_t tcb[8]);
void sim_snp_hwid(sim_op *o, uint8_t out[64]);
void sim_snp_measurement(sim_op *o, uint8_t out[48]);
atls_bytes sim_snp_report_make(sim_op *o, const uint8_t report_data[64]);
atls_bytes sim_snp_table_make(sim_op *o);

#endif
