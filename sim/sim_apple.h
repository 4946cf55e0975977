/* SPDX-License-Identifier: Apache-2.0 */
/* sim_apple.h: an iPhone with one app, and the Apple around it: two PKIs (of attestations and of receipts), a key that App Attest
 * vouches for, and a second key that the app does. Attestations, assertions, receipts and client data in the real formats, with
 * real signatures; only the roots are nobody's.
 *
 * Like a sim (sim.h) it is made from a seed, and every field can be set: sim/README.md, "An iPhone", is the list. */
#ifndef ATLS_SIM_APPLE_H
#define ATLS_SIM_APPLE_H

#include "atls/attester.h"
#include "sim/sim.h"

#define SIM_APPLE_TEAM   "0123456789"
#define SIM_APPLE_BUNDLE "test.sim.app"
#define SIM_APPLE_APP_ID SIM_APPLE_TEAM "." SIM_APPLE_BUNDLE

typedef struct sim_apple sim_apple;

typedef struct sim_apple_options {
    bool is_sandbox;             /* of the sandbox; false: of production */
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
} sim_apple_options;

/* sim_apple_new makes a room. A setting that names no field is CONFIGURATION with the path as field. */
ATLS_MUST_USE bool sim_apple_new(const sim_apple_options *options, sim_apple **out, atls_error *err);
void sim_apple_free(sim_apple *s);

/* sim_apple_certificate gives the DER of a certificate by its id ("root", "receipt_root"), empty when there is none; the
 * credential certificate is made with each attestation. */
atls_bytes sim_apple_certificate(const sim_apple *s, const char *id);
atls_time sim_apple_now(const sim_apple *s);

/* A key as a point, X9.63, and the number that is its private half. */
typedef struct sim_apple_key {
    uint8_t point[ATLS_APPLE_POINT_SIZE];
    uint8_t d[32];
} sim_apple_key;

/* sim_apple_attested_key gives the key that App Attest vouches for, sim_apple_second_key the app's other one, which may sign what
 * it likes. */
ATLS_MUST_USE bool sim_apple_attested_key(sim_apple *s, sim_apple_key *out, atls_error *err);
ATLS_MUST_USE bool sim_apple_second_key(sim_apple *s, sim_apple_key *out, atls_error *err);

/* sim_apple_client_data writes clientDataJSON for a challenge, naming the second key. In the arena. */
ATLS_MUST_USE bool sim_apple_client_data(sim_apple *s, atls_bytes challenge, atls_arena *a, atls_bytes *out,
                                         atls_error *err);

/* sim_apple_attestation makes an attestation of the attested key for client data. In the arena. */
ATLS_MUST_USE bool sim_apple_attestation(sim_apple *s, atls_bytes client_data, atls_arena *a, atls_bytes *out,
                                         atls_error *err);

/* sim_apple_receipt makes a receipt by itself: as in an attestation for client data, or renewed. In the arena. */
ATLS_MUST_USE bool sim_apple_receipt(sim_apple *s, atls_bytes client_data, bool is_renewed, atls_arena *a,
                                     atls_bytes *out, atls_error *err);

/* sim_apple_assertion makes an assertion over client data with this counter. In the arena. */
ATLS_MUST_USE bool sim_apple_assertion(sim_apple *s, atls_bytes client_data, uint32_t counter, atls_arena *a,
                                       atls_bytes *out, atls_error *err);

/* sim_apple_attest is an atls_attest_fn for sessions of atls/1: an attestation for this report, and the key's first assertion; ctx is the
 * room. */
bool sim_apple_attest(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err);

/* sim_apple_policy writes a policy document that accepts this app and names both roots. In the arena. */
ATLS_MUST_USE bool sim_apple_policy(sim_apple *s, atls_arena *a, atls_bytes *out, atls_error *err);

#endif
