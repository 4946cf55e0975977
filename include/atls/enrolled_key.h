/* SPDX-License-Identifier: Apache-2.0 */
/* enrolled_key.h: what an appraisal authenticates of a key that a phone enrolled.
 *
 * The evidence is a chain of certificates, DER, the enrolled one first, one behind the other, as its holder shows it in a
 * TLS handshake; the root may be left out where the policy holds it. It is old: what it says was true when the enrolment
 * service judged the phone. Whoever presents it proves the key alone, so that its grade is `key`, and no more.
 * Policies of type "enrolled_key" judge it: docs/policy.md, docs/bridge.md. */
#ifndef ATLS_ENROLLED_KEY_H
#define ATLS_ENROLLED_KEY_H

#include "bytes.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_ENROLLED_MAX_CHAIN 8u /* certificates, the root among them */

typedef struct atls_enrolled_claims {
    bool present;
    bool has_extension;         /* the certificate says what was attested: the four below are there */
    atls_platform platform;     /* of the phone: ANDROID or APPLE */
    atls_bytes app;             /* package name; "TEAMID.bundle.identifier". Borrowed from the certificate */
    const char *security_level; /* "SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX"; "SECURE_ENCLAVE". Static */
    uint8_t policy_sha256[32];  /* of the policy that the phone satisfied */
    const char *subject;        /* of the certificate, for people, "CN=..." */
    const char *ca;             /* of who issued it, same */
    uint8_t ca_spki_sha256[32];
    atls_bytes serial;       /* unsigned big-endian */
    uint8_t spki_sha256[32]; /* of the enrolled key's SubjectPublicKeyInfo: what a session binds */
    atls_time not_before;
    atls_time not_after;
    atls_time earliest_expiration; /* over the chain */
    uint8_t n_certificates;        /* without a root that was left out */
    uint8_t n_lists;               /* certificates that a current revocation list covers */
} atls_enrolled_claims;

#ifdef __cplusplus
}
#endif
#endif
