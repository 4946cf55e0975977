/* SPDX-License-Identifier: Apache-2.0 */
/* sim_nitro.h: a room of AWS Nitro's kind: root, regional, zonal and instance authorities, the certificate of an enclave or of
 * a NitroTPM, documents signed by its key, and revocation lists. Real formats and signatures; only the root is nobody's.
 *
 * Like a sim (sim.h) it is made from a seed, and every field can be set: sim/README.md, "Nitro", is the list. */
#ifndef ATLS_SIM_NITRO_H
#define ATLS_SIM_NITRO_H

#include "sim/sim.h"

typedef struct sim_nitro sim_nitro;

typedef struct sim_nitro_options {
    bool is_nitrotpm;            /* documents of a NitroTPM; false: of an enclave */
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
    sim_memo *memo;              /* borrowed; NULL: none */
} sim_nitro_options;

/* sim_nitro_new makes a room. A setting that names no field is CONFIGURATION with the path as field. */
ATLS_MUST_USE bool sim_nitro_new(const sim_nitro_options *options, sim_nitro **out, atls_error *err);
void sim_nitro_free(sim_nitro *s);

/* sim_nitro_certificate gives the DER of a certificate by its id ("root", "leaf"), empty when there is none. */
atls_bytes sim_nitro_certificate(const sim_nitro *s, const char *id);
atls_time sim_nitro_now(const sim_nitro *s);

/* What a document is asked to say; NULL: null. */
typedef struct sim_nitro_request {
    const atls_bytes *user_data;
    const atls_bytes *nonce;
    const atls_bytes *public_key;
} sim_nitro_request;

/* sim_nitro_document makes a document; settings win over the request. In the arena. */
ATLS_MUST_USE bool sim_nitro_document(sim_nitro *s, const sim_nitro_request *request, atls_arena *a, atls_bytes *out,
                                      atls_error *err);

/* sim_nitro_pile gives the revocation lists, valid ones of all three authorities that publish them. In the arena. */
ATLS_MUST_USE bool sim_nitro_pile(sim_nitro *s, atls_arena *a, atls_certificate_pile *out, atls_error *err);

/* sim_nitro_policy writes a policy document that accepts this room's code and names its root. In the arena. */
ATLS_MUST_USE bool sim_nitro_policy(sim_nitro *s, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_nitro_attest is an atls_attest_fn, sim_nitro_endorse an atls_endorse_fn; ctx is the room. */
bool sim_nitro_attest(void *ctx, const uint8_t report_data[64], atls_arena *a, atls_evidence *out, atls_error *err);
bool sim_nitro_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                       atls_error *err);

#endif
