/* SPDX-License-Identifier: Apache-2.0 */
/* sim_android.h: a phone: roots, intermediates and attestation keys of the three shapes that there are, and chains of keys
 * that it makes for a challenge. Real formats and signatures; only the roots are nobody's.
 *
 * Like a sim (sim.h) it is made from a seed, and every field can be set: sim/README.md, "Android", is the list. */
#ifndef ATLS_SIM_ANDROID_H
#define ATLS_SIM_ANDROID_H

#include "atls/attester.h"
#include "sim/sim.h"

typedef struct sim_android sim_android;

typedef enum sim_android_kind {
    SIM_ANDROID_FACTORY = 0, /* leaf, attestation, intermediate, root; a TEE */
    SIM_ANDROID_REMOTE,      /* leaf, attestation, Droid CA3, Droid CA2, root; a TEE */
    SIM_ANDROID_SOFTWARE,    /* leaf, attestation, root; no hardware */
} sim_android_kind;

typedef struct sim_android_options {
    sim_android_kind kind;
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value"; NULL: none */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
} sim_android_options;

#define SIM_ANDROID_PACKAGE "org.example.app"

/* sim_android_new makes a phone. A setting that names no field is CONFIGURATION with the path as field. */
ATLS_MUST_USE bool sim_android_new(const sim_android_options *options, sim_android **out, atls_error *err);
void sim_android_free(sim_android *s);
atls_time sim_android_now(const sim_android *s);

/* A key that the phone is asked for. */
typedef struct sim_android_request {
    atls_bytes challenge;
    int64_t created_ms; /* since 1970; 0: now */
    const char *key;    /* any text of up to 31 bytes: another one, another key; NULL: "android leaf" */
} sim_android_request;

/* sim_android_chain makes the chain of such a key, leaf first, one DER after the other. Settings win over the request. In the
 * arena. */
ATLS_MUST_USE bool sim_android_chain(sim_android *s, const sim_android_request *request, atls_arena *a, atls_bytes *out,
                                     atls_error *err);

/* sim_android_certificates gives them one by one: *n of at most SIM_ANDROID_MAX_CHAIN. In the arena. */
#define SIM_ANDROID_MAX_CHAIN 16u
ATLS_MUST_USE bool sim_android_certificates(sim_android *s, const sim_android_request *request, atls_arena *a,
                                            atls_bytes *out, size_t *n, atls_error *err);

/* sim_android_private_key gives the key of a request: ECPrivateKey of P-256 (RFC 5915), DER. In the arena. */
ATLS_MUST_USE bool sim_android_private_key(sim_android *s, const sim_android_request *request, atls_arena *a,
                                           atls_bytes *out, atls_error *err);

/* sim_android_sign signs a message with the key of a request: ECDSA with SHA-256, DER. In the arena. */
ATLS_MUST_USE bool sim_android_sign(sim_android *s, const sim_android_request *request, atls_bytes message,
                                    atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_android_attest is an atls_attest_fn for sessions of atls/1: a key for this report, which signs it; ctx is the phone. */
bool sim_android_attest(void *ctx, const uint8_t report[64], atls_arena *a, atls_evidence *out, atls_error *err);

/* sim_android_status writes a status list; empty but for settings "status.*". In the arena. */
ATLS_MUST_USE bool sim_android_status(sim_android *s, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_android_policy writes a policy document that accepts this phone's app and names its root. In the arena. */
ATLS_MUST_USE bool sim_android_policy(sim_android *s, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_android_endorse is an atls_endorse_fn: the status list, fetched now; ctx is the phone. */
bool sim_android_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                         atls_error *err);

#endif
