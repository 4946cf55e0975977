/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.h: what is known of a machine once its TPM 2.0 evidence is authenticated.
 *
 * Plain data. Slices point into the evidence or the arena of the appraisal; both must outlive the result. Every value here
 * is covered by a signature of the attestation key, unless its comment says otherwise. How that key came to be trusted is
 * `trust`: a quote is worth what that is worth.
 *
 * Source: TPM 2.0 Library, part 2 (TPMS_ATTEST, TPMS_QUOTE_INFO, TPMT_PUBLIC); TCG PC Client Platform Firmware Profile
 * (event log); specification of TPM quotes of this project. */
#ifndef ATLS_TPM_H
#define ATLS_TPM_H

#include "bytes.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_TPM_N_PCRS     24u
#define ATLS_TPM_MAX_QUOTES 8u

/* Why the attestation key is believed to be a TPM's. */
#define ATLS_TPM_TRUST_LIST(X)                                                                                         \
    X(NONE, "none")               /* nobody says so: only under insecure_allow_unauthenticated_ak */                   \
    X(PINNED, "pinned")           /* the policy's member ak lists it */                                                \
    X(CERTIFICATE, "certificate") /* a chain of certificates to a trusted root */                                      \
    X(HARDWARE, "hardware")       /* the report data of a hardware report that passed its own policy */                \
    X(CALLER, "caller")           /* the verifier's user, by atls_key_fn */

typedef enum atls_tpm_trust {
#define X(name, text) ATLS_TPM_TRUST_##name,
    ATLS_TPM_TRUST_LIST(X)
#undef X
} atls_tpm_trust;

/* What Google's certificates say of the instance that the key belongs to. */
typedef struct atls_tpm_gce {
    bool present;       /* the certificate that vouched has the extension */
    atls_bytes zone;    /* UTF-8 */
    atls_bytes project; /* project id, UTF-8; "google.com:..." is a legal one */
    atls_bytes name;    /* of the instance, UTF-8 */
    uint64_t project_number;
    uint64_t instance_id;
    bool is_production; /* always true in a result: nothing else is accepted */
} atls_tpm_gce;

/* One record of an event log that replays to the quoted PCRs. Only the digest is covered by that. */
typedef struct atls_tpm_event {
    uint32_t pcr;      /* 0 to 23; 0xffffffff for records that belong to none */
    uint32_t type;     /* TCG event type: the log's own word */
    atls_bytes digest; /* in the bank of the replay */
    atls_bytes data;   /* the log's own word, unless verified */
    bool verified;     /* digest is the hash of data, and was extended: data is what was measured */
} atls_tpm_event;

typedef enum atls_tpm_state { ATLS_TPM_UNKNOWN = 0, ATLS_TPM_OFF, ATLS_TPM_ON } atls_tpm_state;

typedef struct atls_tpm_claims {
    bool present;     /* the members below are there */
    const char *form; /* "constellation", "go-tpm-tools json", "go-tpm-tools", "tpm2-quote"; static */

    /* the key */
    atls_bytes ak;              /* TPMT_PUBLIC as received */
    atls_bytes ak_name;         /* its TPM Name: hash algorithm and digest */
    uint8_t ak_sha256[32];      /* of `ak` */
    uint8_t ak_spki_sha256[32]; /* of the key as DER SubjectPublicKeyInfo */
    const char *ak_kind;        /* "rsa", "p256", "p384"; static */
    uint32_t
        ak_attributes; /* TPMA_OBJECT: the machine's own word, unless the key is pinned by its TPMT_PUBLIC or Name */
    atls_tpm_trust trust;
    const char *trust_label;         /* who says so: a root's label, the caller's words; "" for none */
    atls_bytes certificate;          /* DER of the certificate that vouched; empty: none */
    atls_time certificate_not_after; /* of the chain, the earliest; ATLS_TIME_UNSET: none */
    atls_tpm_gce gce;

    /* hardware evidence that came along ("" when none did). It counts only where trust is HARDWARE, or where the policy asks
     * for it, and then it passed a policy of its own. */
    const char *hardware;    /* "sev-snp", "tdx", ""; static */
    bool hardware_binds_key; /* its report data names the key; else it names the quote's extraData */
    const char *variant;     /* the cloud's kind of machine as its instance info looks like: not signed; "" */

    /* the quotes, all of which verified */
    const char *banks[ATLS_TPM_MAX_QUOTES]; /* "sha1", "sha256", ...: of each bank that was quoted; static */
    size_t n_banks;
    const char *bank;                /* the policy's, whose values follow; static */
    bool has_bank;                   /* it was quoted */
    uint32_t pcr_mask;               /* bit i: pcr[i] was quoted */
    size_t pcr_len;                  /* bytes of a value */
    atls_bytes pcr[ATLS_TPM_N_PCRS]; /* empty where not quoted */
    atls_bytes qualified_signer;     /* as signed; reported, not checked */
    uint64_t clock_ms;               /* as signed, of the quote of that bank (of the first one without it) */
    uint32_t reset_count;            /* obfuscated by TPMs for keys outside the endorsement hierarchy */
    uint32_t restart_count;          /* same */
    uint64_t firmware_version;       /* same */
    bool clock_is_safe;              /* false: the clock may have gone backwards */

    /* the event log */
    bool has_event_log;
    bool log_replayed;            /* each PCR with records has the quoted value */
    const atls_tpm_event *events; /* in log order; only when replayed */
    size_t n_events;
    bool has_gce_firmware; /* a verified event of PCR 0 says which firmware of Google's this is */
    uint32_t gce_firmware_version;
    const char *gce_technology; /* same: "none", "sev", "sev-es", "tdx", "sev-snp"; "" unknown; static */
    atls_tpm_state secure_boot; /* a verified event of PCR 7, before its separator */

    atls_bytes user_data; /* of Constellation's document: bound by extraData; empty: another form */
} atls_tpm_claims;

/* atls_tpm_trust_name gives "certificate" for ATLS_TPM_TRUST_CERTIFICATE. Static. */
const char *atls_tpm_trust_name(atls_tpm_trust trust);

#ifdef __cplusplus
}
#endif
#endif
