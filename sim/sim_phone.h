/* SPDX-License-Identifier: Apache-2.0 */
/* sim_phone.h: a phone that enrols: an Android phone or an iPhone of the simulator with a key for one challenge, and the
 * certification request that it would post. Formats and signatures are real; only the roots are nobody's.
 *
 * Made from a seed: the same options give the same roots, whatever the time, and the same key. */
#ifndef ATLS_SIM_PHONE_H
#define ATLS_SIM_PHONE_H

#include "atls/enrol.h"
#include "sim/sim.h"

typedef enum sim_phone_kind {
    SIM_PHONE_ANDROID = 1, /* as of sim_android.h, SIM_ANDROID_FACTORY */
    SIM_PHONE_APPLE,       /* as of sim_apple.h */
} sim_phone_kind;

typedef struct sim_phone_options {
    sim_phone_kind kind;
    const char *seed;            /* any text; NULL: "atls" */
    const char *const *settings; /* NULL-terminated "path=value" of the phone; NULL: none. At most 64 */
    atls_time now;               /* dates are laid around it; 0: SIM_NOW */
    const char *key;             /* any text of up to 31 bytes: another one, another key; NULL: "phone" */
} sim_phone_options;

typedef struct sim_phone sim_phone;

/* sim_phone_new makes a phone. It belongs to one thread at a time. Errors: CONFIGURATION (a setting that names no field, with
 * the path as field), MEMORY. */
ATLS_MUST_USE bool sim_phone_new(const sim_phone_options *options, sim_phone **out, atls_error *err);
void sim_phone_free(sim_phone *p);
atls_time sim_phone_now(const sim_phone *p);

/* sim_phone_csr makes the request for a challenge, whose nonce and proof_oid are read: nonce in the subject, statement in the
 * attribute, signed by the phone's key. In the arena. */
ATLS_MUST_USE bool sim_phone_csr(sim_phone *p, const atls_enrol_challenge *challenge, atls_arena *a, atls_bytes *out,
                                 atls_error *err);

/* sim_phone_statement makes the statement alone, JSON; sim_phone_spki the key's SubjectPublicKeyInfo; sim_phone_private_key
 * its ECPrivateKey of P-256 (RFC 5915), DER. In the arena. */
ATLS_MUST_USE bool sim_phone_statement(sim_phone *p, atls_bytes nonce, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool sim_phone_spki(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool sim_phone_private_key(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_phone_policy writes the policy document that accepts this phone's app and names its roots: type android_key or
 * apple_app_attest, members as in Warden's androidAttestationConfiguration and iosAttestationConfiguration. sim_phone_status
 * writes Android's list of revoked certificates, of which there are none but by settings; empty for an iPhone, which needs
 * none. In the arena. */
ATLS_MUST_USE bool sim_phone_policy(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err);
ATLS_MUST_USE bool sim_phone_status(sim_phone *p, atls_arena *a, atls_bytes *out, atls_error *err);

/* sim_phone_endorse is an atls_endorse_fn: the status list, fetched at the phone's time; ctx is the phone. */
bool sim_phone_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                       atls_error *err);

#endif
