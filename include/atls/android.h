/* SPDX-License-Identifier: Apache-2.0 */
/* android.h: what a key attestation of Android says, once it is authenticated, and the words of its refusals.
 *
 * A phone's secure environment makes a key and states, in an extension of the key's certificate, for which challenge it was
 * made, where it lives, which app asked for it and what the phone booted. Fields have the names of the Android schema
 * (source.android.com, "Key and ID attestation"), numbers are kept as they stand in the record. */
#ifndef ATLS_ANDROID_H
#define ATLS_ANDROID_H

#include "arena.h"
#include "bytes.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_ANDROID_MAX_CHALLENGE_LEN 128u /* the platform's own limit */

/* The members of an AuthorizationList: tag number, name, type. */
#define ATLS_ANDROID_TAGS(X)                                                                                           \
    X(1, purpose, SET)                                                                                                 \
    X(2, algorithm, INTEGER)                                                                                           \
    X(3, keySize, INTEGER)                                                                                             \
    X(4, blockMode, SET)                                                                                               \
    X(5, digest, SET)                                                                                                  \
    X(6, padding, SET)                                                                                                 \
    X(7, callerNonce, FLAG)                                                                                            \
    X(8, minMacLength, INTEGER)                                                                                        \
    X(10, ecCurve, INTEGER)                                                                                            \
    X(11, mlDsaVariant, INTEGER)                                                                                       \
    X(200, rsaPublicExponent, INTEGER)                                                                                 \
    X(203, mgfDigest, SET)                                                                                             \
    X(303, rollbackResistance, FLAG)                                                                                   \
    X(305, earlyBootOnly, FLAG)                                                                                        \
    X(400, activeDateTime, INTEGER)                                                                                    \
    X(401, originationExpireDateTime, INTEGER)                                                                         \
    X(402, usageExpireDateTime, INTEGER)                                                                               \
    X(405, usageCountLimit, INTEGER)                                                                                   \
    X(502, userSecureId, INTEGER)                                                                                      \
    X(503, noAuthRequired, FLAG)                                                                                       \
    X(504, userAuthType, INTEGER)                                                                                      \
    X(505, authTimeout, INTEGER)                                                                                       \
    X(506, allowWhileOnBody, FLAG)                                                                                     \
    X(507, trustedUserPresenceRequired, FLAG)                                                                          \
    X(508, trustedConfirmationRequired, FLAG)                                                                          \
    X(509, unlockedDeviceRequired, FLAG)                                                                               \
    X(600, allApplications, FLAG)                                                                                      \
    X(601, applicationId, OCTETS)                                                                                      \
    X(701, creationDateTime, INTEGER)                                                                                  \
    X(702, origin, INTEGER)                                                                                            \
    X(703, rollbackResistant, FLAG)                                                                                    \
    X(704, rootOfTrust, ROOT_OF_TRUST)                                                                                 \
    X(705, osVersion, INTEGER)                                                                                         \
    X(706, osPatchLevel, INTEGER)                                                                                      \
    X(709, attestationApplicationId, APPLICATION_ID)                                                                   \
    X(710, attestationIdBrand, OCTETS)                                                                                 \
    X(711, attestationIdDevice, OCTETS)                                                                                \
    X(712, attestationIdProduct, OCTETS)                                                                               \
    X(713, attestationIdSerial, OCTETS)                                                                                \
    X(714, attestationIdImei, OCTETS)                                                                                  \
    X(715, attestationIdMeid, OCTETS)                                                                                  \
    X(716, attestationIdManufacturer, OCTETS)                                                                          \
    X(717, attestationIdModel, OCTETS)                                                                                 \
    X(718, vendorPatchLevel, INTEGER)                                                                                  \
    X(719, bootPatchLevel, INTEGER)                                                                                    \
    X(720, deviceUniqueAttestation, FLAG)                                                                              \
    X(721, identityCredentialKey, FLAG)                                                                                \
    X(723, attestationIdSecondImei, OCTETS)                                                                            \
    X(724, moduleHash, OCTETS)

/* The types. */
typedef struct atls_android_integer {
    bool present;
    uint64_t value; /* dates are milliseconds since 1970 */
} atls_android_integer;

typedef struct atls_android_set {
    bool present;
    const uint64_t *values; /* n of them, in the record's order */
    size_t n;
} atls_android_set;

typedef struct atls_android_octets {
    bool present;
    atls_bytes value;
} atls_android_octets;

typedef struct atls_android_root_of_trust {
    bool present;
    atls_bytes verifiedBootKey;
    bool deviceLocked;
    uint8_t verifiedBootState; /* 0 VERIFIED, 1 SELF_SIGNED, 2 UNVERIFIED, 3 FAILED */
    atls_android_octets verifiedBootHash;
} atls_android_root_of_trust;

typedef struct atls_android_package {
    atls_bytes name;  /* UTF-8 */
    uint64_t version; /* versionCode */
} atls_android_package;

typedef struct atls_android_application_id {
    bool present; /* the tag is there; the lists are only filled when `intact` */
    bool intact;  /* what is inside could be read */
    const atls_android_package *packages;
    size_t n_packages;
    const atls_bytes *signatureDigests; /* SHA-256 of signing certificates */
    size_t n_signatureDigests;
} atls_android_application_id;

typedef bool atls_android_flag;

#define ATLS_ANDROID_TYPE_INTEGER        atls_android_integer
#define ATLS_ANDROID_TYPE_SET            atls_android_set
#define ATLS_ANDROID_TYPE_FLAG           atls_android_flag
#define ATLS_ANDROID_TYPE_OCTETS         atls_android_octets
#define ATLS_ANDROID_TYPE_ROOT_OF_TRUST  atls_android_root_of_trust
#define ATLS_ANDROID_TYPE_APPLICATION_ID atls_android_application_id

#define ATLS_ANDROID_MAX_LISTED_TAGS 16u

/* NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): members in the order of their tags */
typedef struct atls_android_authorizations {
#define X(tag, name, type) ATLS_ANDROID_TYPE_##type name;
    ATLS_ANDROID_TAGS(X)
#undef X
    uint32_t unknown[ATLS_ANDROID_MAX_LISTED_TAGS]; /* tags that are not in the list above */
    size_t n_unknown;                               /* all of them, also beyond those listed */
    uint32_t ignored[ATLS_ANDROID_MAX_LISTED_TAGS]; /* tags whose value is of the wrong type, and counts as absent */
    size_t n_ignored;
    bool is_unordered; /* tags do not ascend */
} atls_android_authorizations;

/* Security levels; fields 1 and 3 of the record never hold the last one. */
typedef enum atls_android_level {
    ATLS_ANDROID_SOFTWARE = 0,
    ATLS_ANDROID_TRUSTED_ENVIRONMENT = 1,
    ATLS_ANDROID_STRONG_BOX = 2,
    ATLS_ANDROID_LEVEL_UNKNOWN = 3, /* of certificates that do not say */
} atls_android_level;

typedef struct atls_android_key_description {
    uint32_t attestationVersion;
    atls_android_level attestationSecurityLevel;
    uint32_t keymasterVersion;
    atls_android_level keymasterSecurityLevel;
    atls_bytes attestationChallenge;
    atls_bytes uniqueId; /* personal data, usually empty */
    atls_android_authorizations softwareEnforced;
    atls_android_authorizations hardwareEnforced; /* teeEnforced in older texts */
} atls_android_key_description;

/* How the key that signs the leaf came into the phone. */
typedef enum atls_android_provisioning {
    ATLS_ANDROID_PROVISIONING_UNKNOWN = 0, /* software chains */
    ATLS_ANDROID_FACTORY_PROVISIONED,
    ATLS_ANDROID_REMOTELY_PROVISIONED,
} atls_android_provisioning;

/* What the authority for remote provisioning wrote into the certificate above the leaf; all of it optional. */
typedef struct atls_android_provisioning_info {
    bool present;
    bool intact;                             /* it could be read; nothing depends on it */
    atls_android_integer certificatesIssued; /* to this phone recently */
    atls_android_octets manufacturer;        /* text */
} atls_android_provisioning_info;

/* What a statement is accepted as. */
typedef enum atls_android_mode {
    ATLS_ANDROID_MODE_HARDWARE = 0,
    ATLS_ANDROID_MODE_HYBRID, /* a key in hardware, attested by software: Android 7 */
    ATLS_ANDROID_MODE_SOFTWARE,
    ATLS_ANDROID_N_MODES,
    ATLS_ANDROID_MODE_NONE = ATLS_ANDROID_N_MODES, /* none has these security levels */
} atls_android_mode;

/* How one mode did that the policy asks for. Public data only. */
typedef struct atls_android_attempt {
    bool is_enabled;
    bool has_chain; /* the certificates passed; what comes after is the policy's to judge */
    atls_error why; /* not has_chain: the first failure */
} atls_android_attempt;

typedef struct atls_android_claims {
    bool present; /* the members below are there */
    const atls_android_key_description *description;
    atls_android_mode mode; /* the only one whose levels this record has; what was accepted was accepted as this */
    atls_android_attempt attempts[ATLS_ANDROID_N_MODES];
    size_t application;      /* index into the policy's applications: the first that matches */
    atls_bytes package_name; /* of that application */
    uint64_t package_version;
    atls_bytes signer_digest; /* the one that the policy lists */
    atls_android_provisioning provisioning;
    atls_android_level certificate_level; /* what the certificates say; UNKNOWN: nothing */
    atls_android_provisioning_info info;
    atls_bytes public_key; /* the attested key: SubjectPublicKeyInfo of the leaf, DER, of any algorithm */
    uint8_t public_key_sha256[32];
    uint8_t root_spki_sha256[32];
    int64_t verified_ms;           /* the instant of the appraisal, offsets included: milliseconds since 1970 */
    bool has_challenge;            /* the appraisal said for which challenge it must be */
    atls_bytes challenge;          /* that one */
    uint8_t n_certificates;        /* of the chain, root and leaf included */
    atls_time earliest_expiration; /* of all certificates above the leaf */
    uint8_t status_sha256[32];     /* of the status list's text, zero when it came compiled without it */
    atls_time status_fetched;      /* as whoever fetched the list says; ATLS_TIME_UNSET: nobody does */
    atls_time status_expires;
    bool status_is_stale; /* past its expiry, within the policy's tolerance */
} atls_android_claims;

/* atls_android_level_name gives "SOFTWARE", "TRUSTED_ENVIRONMENT", "STRONG_BOX" or "UNKNOWN". Static. */
const char *atls_android_level_name(atls_android_level level);
/* atls_android_mode_name gives "hardware", "hybrid", "software" or "none". Static. */
const char *atls_android_mode_name(atls_android_mode mode);
/* atls_android_provisioning_name gives "FACTORY_PROVISIONED", "REMOTELY_PROVISIONED" or "UNKNOWN". Static. */
const char *atls_android_provisioning_name(atls_android_provisioning p);

/* atls_android_reason gives the word for a code of the Android block ("InvalidRoot", "CHALLENGE"), "" for others. Static. */
const char *atls_android_reason(atls_code code);
/* atls_android_class gives its class: "Certificate.Trust", "Certificate.Time" or "Content.Android"; "" for others, and for a
 * chain that cannot be read. Static. */
const char *atls_android_class(atls_code code);

/* Google's status list (https://android.googleapis.com/attestation/status), read once and looked up often. Immutable: any
 * number of threads may share it. */
typedef struct atls_android_list atls_android_list;

/* atls_android_list_compile reads a list: UTF-8 JSON, at most 16 MiB. The object lives in the arena and copies what it needs.
 * Unknown members are ignored, repeated ones refused. Errors: ANDROID_LIST_UNAVAILABLE with what is wrong with it; MEMORY.
 * Pure. */
ATLS_MUST_USE bool atls_android_list_compile(atls_bytes json, atls_arena *arena, const atls_android_list **out,
                                             atls_error *err);

/* atls_android_list_len gives the number of entries. */
size_t atls_android_list_len(const atls_android_list *list);
/* atls_android_list_sha256 copies the SHA-256 of the text that the list was made of. */
void atls_android_list_sha256(const atls_android_list *list, uint8_t out[32]);

#ifdef __cplusplus
}
#endif
#endif
