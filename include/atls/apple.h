/* SPDX-License-Identifier: Apache-2.0 */
/* apple.h: what Apple App Attest says of an app's key, and the checks that stand beside an appraisal.
 *
 *   attestation   once per key: Apple vouches that this app holds the key. Appraised with a policy of type apple_app_attest
 *                 (verifier.h); the claims are below. Its binding is the client data: whatever the app hashed before it asked
 *                 for the attestation, up to 64 bytes as atls_binding.value, any length as atls_binding.challenge.
 *   assertion     afterwards: the key signs client data. atls_apple_assertion_verify; the caller keeps key and counter.
 *   receipt       Apple's signed word on an attestation, inside it and, renewed, by itself: atls_apple_receipt_verify.
 *   emulated key  a second key of the app: named by the client data (atls_apple_client_data_read), or, as older apps do it,
 *   attestation   signed by an assertion (atls_apple_key_proof_verify).
 *
 * Not checked by any of it: that the second key lives in the Secure Enclave (it is the app's word), which version of the app
 * runs (Apple does not say), Apple's risk metric. All functions are pure. Source: the project's App Attest specification. */
#ifndef ATLS_APPLE_H
#define ATLS_APPLE_H

#include "arena.h"
#include "bytes.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_APPLE_POINT_SIZE 65u /* 04 || x || y, P-256, X9.63 */

/* What a receipt says. Times are milliseconds since 1970. Slices point into the receipt or the arena. */
typedef struct atls_apple_receipt {
    bool is_renewed;         /* type RECEIPT; false: ATTEST */
    atls_bytes app_id;       /* "TEAMID.bundle.identifier" */
    atls_bytes certificate;  /* DER of the credential certificate that it is about */
    uint8_t spki_sha256[32]; /* of that certificate's SubjectPublicKeyInfo */
    atls_bytes client_hash;  /* ATTEST: clientDataHash, 32 bytes; RECEIPT: spoilt by Apple, means nothing */
    atls_bytes token;        /* text */
    atls_bytes environment;  /* "sandbox", "production"; empty: not stated */
    int64_t creation_ms;     /* creationTime */
    int64_t expiration_ms;   /* expirationTime: until when it may be renewed */
    bool has_not_before;     /* RECEIPT */
    int64_t not_before_ms;   /* notBefore: from when it may be renewed */
    atls_bytes risk_metric;  /* decimal text; empty: not stated */
} atls_apple_receipt;

typedef struct atls_apple_claims {
    bool present;               /* the members below are there */
    bool is_sandbox;            /* the aaguid of the sandbox; false: of production */
    bool is_matched;            /* an application of the policy fits in every respect; the next four are there */
    uint32_t application;       /* its place in the policy, from 0 */
    atls_bytes team_identifier; /* in the arena */
    atls_bytes bundle_identifier;
    atls_bytes app_id;                         /* "TEAMID.bundle.identifier" */
    uint8_t public_key[ATLS_APPLE_POINT_SIZE]; /* the attested key, as certified */
    uint8_t spki_sha256[32];                   /* of its SubjectPublicKeyInfo */
    uint8_t key_id[32];                        /* SHA-256 of public_key */
    uint8_t rp_id_hash[32];                    /* SHA-256 of the App ID */
    uint8_t flags;                             /* of authData */
    uint32_t sign_count;
    uint8_t aaguid[16];
    atls_bytes credential_id;
    uint8_t credential_key[ATLS_APPLE_POINT_SIZE]; /* the COSE key of authData, as a point */
    uint8_t nonce[32];                             /* SHA-256(authData || SHA-256(client data)), as certified */
    atls_bytes certified_app_id;                   /* of the certificate's key properties; empty: not stated */
    atls_bytes os_version;                         /* text, "17.5.1"; empty: not stated */
    atls_bytes os_build;                           /* text, "21F90"; empty: not stated */
    atls_bytes leaf_serial;                        /* unsigned big-endian, of the credential certificate */
    atls_time leaf_not_before;
    atls_time leaf_not_after;
    atls_apple_receipt receipt;
    int64_t verified_ms; /* the instant that everything was judged at, offsets included */
} atls_apple_claims;

/* ---- assertions ---- */

typedef struct atls_apple_assertion {
    atls_bytes assertion;                      /* CBOR, as received */
    uint8_t public_key[ATLS_APPLE_POINT_SIZE]; /* of the attestation's claims */
    atls_bytes app_id;                         /* "TEAMID.bundle.identifier" */
    atls_bytes client_data; /* what the app hashed; that it holds the challenge is the caller's check */
    uint32_t last_counter;  /* of the last assertion that was accepted; 0: none yet */
} atls_apple_assertion;

/* atls_apple_assertion_verify checks, in this order: form, signature, app, counter greater than last_counter. *counter is then
 * the one to keep, 0 on failure; storing it must be one atomic step with the comparison, which is the caller's. Any number of
 * threads. Errors: APPLE_ASSERTION with field "assertion.signature", "assertion.authenticatorData.rpIdHash" or
 * "assertion.authenticatorData.signCount" and the like; MEMORY, INTERNAL. Source: App Attest section 6. */
ATLS_MUST_USE bool atls_apple_assertion_verify(const atls_apple_assertion *in, uint32_t *counter, atls_error *err);

/* How an app encoded the key that it had asserted. */
typedef enum atls_apple_key_form {
    ATLS_APPLE_KEY_NONE = 0,
    ATLS_APPLE_KEY_SPKI,         /* DER SubjectPublicKeyInfo */
    ATLS_APPLE_KEY_UNCOMPRESSED, /* X9.63, 65 bytes */
    ATLS_APPLE_KEY_COMPRESSED,   /* X9.63, 33 bytes */
} atls_apple_key_form;

/* atls_apple_key_proof_verify checks the legacy proof for a second key: an assertion whose client data is that key, which is
 * the only thing that the attested key ever signed. in is as for atls_apple_assertion_verify; its client_data is not looked
 * at, and last_counter is the one of the attestation (0). key is the second key's point. Errors: as there; APPLE_SIG_CTR when
 * the counter is not 1. Source: section 7, steps 10 and 11 of section 9. */
ATLS_MUST_USE bool atls_apple_key_proof_verify(const atls_apple_assertion *in, const uint8_t key[ATLS_APPLE_POINT_SIZE],
                                               atls_apple_key_form *form, atls_error *err);

/* ---- client data of the current format ---- */

typedef struct atls_apple_client_data {
    atls_bytes challenge;                      /* decoded, in the arena */
    uint8_t public_key[ATLS_APPLE_POINT_SIZE]; /* the emulated key; a compressed point is expanded */
} atls_apple_client_data;

/* atls_apple_client_data_read reads clientDataJSON, 1 to 16 KiB as received, and checks its purpose and that its challenge is
 * the expected one (constant time): step 0. Its hash is checked by the appraisal, whose binding is the same octets. Members
 * that are not known are ignored; repeated ones refused. Errors: APPLE_CHALLENGE with field "clientDataJSON", "....purpose" or
 * "....challenge"; EVIDENCE_FORMAT with "clientDataJSON.publicKey"; MEMORY, INTERNAL. Source: section 9 step 0; enrolment
 * section 4. */
ATLS_MUST_USE bool atls_apple_client_data_read(atls_bytes json, atls_bytes challenge, atls_arena *arena,
                                               atls_apple_client_data *out, atls_error *err);

/* ---- receipts by themselves ---- */

struct atls_policy;

typedef struct atls_apple_receipt_check {
    atls_bytes receipt;                        /* PKCS #7, as received, BER or DER, at most 64 KiB */
    atls_bytes app_id;                         /* "TEAMID.bundle.identifier" */
    uint8_t public_key[ATLS_APPLE_POINT_SIZE]; /* of the attested key */
    atls_time now;                             /* UTC seconds; ATLS_TIME_UNSET is refused */
    uint32_t now_ms;                           /* and milliseconds, 0 to 999 */
    uint32_t max_age_s;                        /* since creationTime */
    const struct atls_policy *policy;          /* whose roots vouch for receipts; NULL: Apple's */
} atls_apple_receipt_check;

/* atls_apple_receipt_verify checks a receipt, in this order: form, app, age, key, signature, chain. It does not look at
 * notBefore and expirationTime, which govern renewal. out points into the receipt and the arena, and is zeroed on failure.
 * Any number of threads. Errors: APPLE_STATEMENT_TIME for the age, APPLE_RECEIPT for everything else, with a field such as
 * "receipt.appId"; USAGE, MEMORY, INTERNAL. Source: section 5. */
ATLS_MUST_USE bool atls_apple_receipt_verify(const atls_apple_receipt_check *in, atls_arena *arena,
                                             atls_apple_receipt *out, atls_error *err);

/* ---- the words of the specification ---- */

/* atls_apple_error_class gives "Certificate.Trust", "Certificate.Time", "Content.iOS" or "Configuration" for an error of this
 * room or of its policy; "" for what is none of them (memory, no error). Static. Source: section 9. */
const char *atls_apple_error_class(const atls_error *err);
/* atls_apple_error_reason gives "OS_VERSION", "STATEMENT_TIME", "CHALLENGE", "IDENTIFIER", "SIG_CTR" or "APP_UNEXPECTED" for
 * Content.iOS, "TRUST" and "TIME" for the certificates' classes, "" otherwise. Static. */
const char *atls_apple_error_reason(const atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
