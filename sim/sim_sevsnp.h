/* SPDX-License-Identifier: Apache-2.0 */
/* sim_sevsnp.h: a machine of AMD SEV-SNP's kind: ARK, ASK or ASVK, VCEK or VLEK, reports signed by it, certificate tables and
 * a revocation list. Real formats and signatures; only the root is nobody's.
 *
 * Like a sim (sim.h) it is made from a seed (but its RSA keys are fixed, because making such keys takes seconds), and every
 * field can be set: sim/README.md, "SEV-SNP", is the list. */
#ifndef ATLS_SIM_SEVSNP_H
#define ATLS_SIM_SEVSNP_H

#include "sim/sim.h"

typedef struct sim_snp sim_snp;

typedef struct sim_snp_options {
    atls_snp_product product;    /* 0: Genoa */
    bool is_vlek;                /* the cloud's key signs; false: the chip's */
    unsigned version;            /* of reports, 2 to 5; 0: 3 */
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
    sim_memo *memo;              /* borrowed; NULL: none */
} sim_snp_options;

/* sim_snp_new makes a room. A setting that names no field is CONFIGURATION with the path as field. */
ATLS_MUST_USE bool sim_snp_new(const sim_snp_options *options, sim_snp **out, atls_error *err);
void sim_snp_free(sim_snp *s);

/* sim_snp_certificate gives the DER of a certificate by its id ("ark", "ask", "asvk", "vcek", "vlek"), empty when the room
 * has none. */
atls_bytes sim_snp_certificate(const sim_snp *s, const char *id);

/* sim_snp_report makes a report over report_data, 1184 bytes. In the arena. */
ATLS_MUST_USE bool sim_snp_report(sim_snp *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out,
                                  atls_error *err);
/* sim_snp_extended makes the same with a certificate table behind it. */
ATLS_MUST_USE bool sim_snp_extended(sim_snp *s, const uint8_t report_data[64], atls_arena *a, atls_bytes *out,
                                    atls_error *err);

/* sim_snp_pile gives leaf, intermediate and root, and the revocation list. In the arena. */
ATLS_MUST_USE bool sim_snp_pile(sim_snp *s, atls_arena *a, atls_certificate_pile *out, atls_error *err);

/* sim_snp_policy writes a policy document that accepts this room's code and names its root. In the arena. */
ATLS_MUST_USE bool sim_snp_policy(sim_snp *s, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_snp_attest is an atls_attest_fn that gives extended reports, sim_snp_endorse an atls_endorse_fn; ctx is the room. */
bool sim_snp_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err);
bool sim_snp_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                     atls_error *err);

#endif
