/* SPDX-License-Identifier: Apache-2.0 */
/* policy_apple.h: what a policy of type apple_app_attest says, once read. Part of struct atls_policy (policy.h); everything lives
 * in the policy's arena. Names in documents are those of Warden's configuration (App Attest specification, section 8). */
#ifndef ATLS_CORE_POLICY_APPLE_H
#define ATLS_CORE_POLICY_APPLE_H

#include "atls/apple.h"
#include "pki/chain.h"

#define ATLS_APPLE_DEFAULT_VALIDITY_S 300
#define ATLS_APPLE_MAX_APPLICATIONS   64u
#define ATLS_APPLE_MAX_ROOTS          8u

/* The least version. Both texts are there and were found to be well-formed. */
typedef struct atls_apple_version {
    bool is_set;
    atls_bytes semver; /* "16.2" */
    atls_bytes build;  /* "20C65" */
} atls_apple_version;

typedef struct atls_apple_application {
    atls_bytes team_identifier;
    atls_bytes bundle_identifier;
    atls_bytes app_id;          /* "TEAMID.bundle.identifier" */
    uint8_t rp_id_hash[32];     /* its SHA-256, computed when the policy was read */
    bool sandbox;               /* the sandbox's aaguid in place of production's */
    atls_apple_version version; /* iosVersionOverride; not set: the policy's */
} atls_apple_application;

typedef struct atls_apple_policy {
    const atls_apple_application *applications; /* at least 1 */
    size_t n_applications;
    atls_apple_version version;         /* iosVersion */
    int64_t validity_s;                 /* attestationStatementValiditySeconds: how old a receipt may be */
    bool has_offset;                    /* the document names one */
    int64_t offset_s;                   /* verificationTimeOffset, added to the clock */
    const atls_root *attestation_roots; /* n of them; 0: Apple's */
    size_t n_attestation_roots;
    const atls_root *receipt_roots; /* same */
    size_t n_receipt_roots;
} atls_apple_policy;

#endif
