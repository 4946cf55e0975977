/* SPDX-License-Identifier: Apache-2.0 */
/* tpm.h: TPM 2.0 quotes, of any TPM and in the four forms that carry them.
 *
 * decode.c         which form it is; the structures inside         json.c, protobuf.c, cbor.c  the forms
 * structures.c     TPMS_ATTEST, TPMT_SIGNATURE, TPMT_PUBLIC        key.c      a key as DER, its names
 * hardware.c       hardware reports that come along, HCL blobs     instance.c what Constellation's instance info says
 * event_log.c      TCG2 and SHA-1 event logs                       replay.c   registers, and what events may be believed
 * certificate.c    the key's certificate and its chain             gce.c      Google's instance extension
 * authenticate.c   the order of checks: trust.c, quotes.c, log.c   appraise.c against the policy
 * write.c          our own form, for attesters                     inspect.c, claims_json.c, format.c
 *
 * Not checked: qualifiedSigner (it needs the parent's name); clock, reset and restart counts (claims only); names and data of
 * events that are not hashed into their digest; whatever go-tpm-tools puts under TeeAttestation, instance_info and
 * canonical_event_log; that the machine whose certificate this is still exists.
 *
 * Source: specification of TPM quotes, whose sections are cited; TPM 2.0 Library, part 2. All integers big-endian, but in
 * event logs. */
#ifndef ATLS_EVIDENCE_TPM_H
#define ATLS_EVIDENCE_TPM_H

#include "evidence/format.h"
#include "pki/cert.h"

#define TPM_MAX_EVIDENCE_LEN ((size_t)2 * 1024 * 1024) /* a log of 1 MiB as base64, and the rest */
#define TPM_MAX_LOG_LEN      ((size_t)1024 * 1024)
#define TPM_MAX_EVENTS       10000u
#define TPM_MAX_CERTS        8u /* besides the key's own */
#define TPM_MAX_EXTRA_LEN    64u
#define TPM_N_PCRS           ATLS_TPM_N_PCRS
#define TPM_MAX_QUOTES       ATLS_TPM_MAX_QUOTES

/* TPM_ALG_ID */
#define TPM_ALG_RSA       0x0001u
#define TPM_ALG_SHA1      0x0004u
#define TPM_ALG_SHA256    0x000bu
#define TPM_ALG_SHA384    0x000cu
#define TPM_ALG_SHA512    0x000du
#define TPM_ALG_NULL      0x0010u
#define TPM_ALG_RSASSA    0x0014u
#define TPM_ALG_RSAPSS    0x0016u
#define TPM_ALG_ECDSA     0x0018u
#define TPM_ALG_ECC       0x0023u
#define TPM_ECC_NIST_P256 0x0003u
#define TPM_ECC_NIST_P384 0x0004u

/* TPMA_OBJECT */
#define TPM_FIXED_TPM  0x00000002u
#define TPM_RESTRICTED 0x00010000u
#define TPM_DECRYPT    0x00020000u
#define TPM_SIGN       0x00040000u

/* A hash as banks and signatures name it. len is 0 for what no TPM has. hash: what atls_digest can do of it, 0: nothing. */
typedef struct tpm_hash {
    const char *name; /* "sha256" */
    size_t len;
    atls_hash hash;
    uint16_t alg;
} tpm_hash;
/* tpm_hash_of never fails: name is "unknown" and len 0 for other numbers. */
tpm_hash tpm_hash_of(uint64_t alg);

/* ---- structures (section 1) ---- */

typedef struct tpm_public {
    atls_bytes raw;
    uint16_t type; /* TPM_ALG_RSA, TPM_ALG_ECC */
    uint16_t name_alg;
    uint32_t attributes;
    uint16_t scheme; /* TPM_ALG_NULL: any */
    uint16_t scheme_hash;
    uint32_t exponent;  /* RSA: 65537 where the wire says 0 */
    atls_bytes modulus; /* RSA */
    uint16_t curve;     /* ECC */
    atls_bytes x;       /* ECC, maybe shorter than the field */
    atls_bytes y;
} tpm_public;

typedef struct tpm_signature {
    uint16_t scheme; /* TPM_ALG_RSASSA, TPM_ALG_RSAPSS, TPM_ALG_ECDSA */
    uint16_t hash;
    atls_bytes rsa;
    atls_bytes r; /* ECDSA, maybe shorter than the field */
    atls_bytes s;
} tpm_signature;

/* PCRs of one bank, as selected or as given. */
typedef struct tpm_bank {
    uint16_t alg;
    uint32_t mask;                 /* bit i: PCR i */
    atls_bytes values[TPM_N_PCRS]; /* given ones; unused in a selection */
} tpm_bank;

typedef struct tpm_selection {
    uint16_t alg;
    uint32_t mask;
} tpm_selection;

typedef struct tpm_attest {
    atls_bytes qualified_signer;
    atls_bytes extra_data;
    uint64_t clock_ms;
    uint32_t reset_count;
    uint32_t restart_count;
    bool safe;
    uint64_t firmware_version;
    tpm_selection selections[TPM_MAX_QUOTES];
    size_t n_selections;
    atls_bytes pcr_digest;
} tpm_attest;

/* Each reads one structure and nothing after it; slices borrow from in. prefix is the field of whatever is wrong, and lives as
 * long as the call. Errors: EVIDENCE_FORMAT, marked unsupported for types, schemes and curves beyond this library. */
ATLS_MUST_USE bool tpm_public_decode(atls_bytes in, const char *prefix, tpm_public *out, atls_error *err);
ATLS_MUST_USE bool tpm_signature_decode(atls_bytes in, const char *prefix, tpm_signature *out, atls_error *err);
ATLS_MUST_USE bool tpm_attest_decode(atls_bytes in, const char *prefix, tpm_attest *out, atls_error *err);

/* tpm_signature_bare takes the bytes of an RSA signature without scheme and hash, as tools of Azure hand them out, for one
 * that says RSASSA with SHA-256. No form of evidence leads here: only a caller who knows that it has such bytes. */
tpm_signature tpm_signature_bare(atls_bytes rsa);

/* ---- keys ---- */

typedef struct tpm_key {
    atls_public_key key;
    atls_bytes spki;  /* DER SubjectPublicKeyInfo */
    const char *kind; /* "rsa", "p256", "p384" */
} tpm_key;

/* tpm_key_make writes the key in the ways that certificates and OpenSSL want. Points are not looked at: opening the key does
 * that. Errors: EVIDENCE_FORMAT (coordinates or modulus of a wrong size), MEMORY. */
ATLS_MUST_USE bool tpm_key_make(const tpm_public *in, atls_arena *a, tpm_key *out, atls_error *err);

/* tpm_key_name computes nameAlg || H(TPMT_PUBLIC), 34, 50 or 66 bytes, into the arena. Errors: EVIDENCE_FORMAT for a nameAlg
 * other than SHA-256, 384, 512 (unsupported), MEMORY, INTERNAL. */
ATLS_MUST_USE bool tpm_key_name(const atls_crypto *c, const tpm_public *in, atls_arena *a, atls_bytes *out,
                                atls_error *err);

/* tpm_quote_verify checks a signature over a message (TPMS_ATTEST). Errors: EVIDENCE_SIGNATURE at `field`, unsupported for
 * SHA-1 and other hashes. Whether RSAPSS is welcome is not asked here. */
ATLS_MUST_USE bool tpm_quote_verify(const atls_crypto *c, const tpm_key *key, const tpm_signature *signature,
                                    atls_bytes message, const char *field, atls_error *err);

/* ---- evidence ---- */

typedef enum tpm_form { TPM_FORM_CONSTELLATION = 1, TPM_FORM_JSON, TPM_FORM_PROTOBUF, TPM_FORM_CBOR } tpm_form;

typedef struct tpm_quote {
    atls_bytes message;
    atls_bytes signature;
    tpm_bank *banks; /* the values that came with it */
    size_t n_banks;
    tpm_attest attest;
    tpm_signature sig;
} tpm_quote;

/* Hardware evidence as it came along: a rumour. */
typedef struct tpm_hardware {
    atls_platform platform; /* SEV_SNP, TDX; NONE: there is none */
    bool names_key;         /* its report data is made of the key; false: of extraData (GCP) */
    atls_bytes report;
    atls_bytes runtime_data; /* Azure's JSON; empty: the report data is made of the key itself */
    atls_bytes certs[TPM_MAX_CERTS];
    size_t n_certs;
} tpm_hardware;

/* What all forms decode into. Absent slices are empty. */
typedef struct tpm_evidence {
    tpm_form form;
    atls_bytes ak_pub;
    tpm_public ak;
    tpm_key key;
    tpm_quote quotes[TPM_MAX_QUOTES];
    size_t n_quotes;
    atls_bytes event_log;
    atls_bytes ak_cert;
    atls_bytes certs[TPM_MAX_CERTS]; /* intermediates */
    size_t n_certs;
    atls_bytes instance_info; /* Constellation: as carried */
    atls_bytes user_data;     /* Constellation: 32 bytes */
    const char *variant;
    tpm_hardware hardware;
} tpm_evidence;

/* tpm_decode tells the form by the first bytes ('{', a protobuf tag, a CBOR map) and reads it: at most TPM_MAX_EVIDENCE_LEN
 * bytes. Slices point into in and the arena. Errors: EVIDENCE_FORMAT with the field ("quotes[1].pcrs"), MEMORY. */
ATLS_MUST_USE bool tpm_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err);

/* The forms, for tpm_decode: they fill in slices, and leave structures alone. */
ATLS_MUST_USE bool tpm_json_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err);
ATLS_MUST_USE bool tpm_protobuf_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err);
ATLS_MUST_USE bool tpm_cbor_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err);
/* tpm_quote_add makes room for one more quote. field: "quotes". */
ATLS_MUST_USE bool tpm_quote_add(tpm_evidence *e, atls_arena *a, tpm_quote **out, atls_error *err);
/* tpm_bank_add makes room for one more bank of a quote; tpm_pcr_add puts a value there: index below 24, none twice. */
ATLS_MUST_USE bool tpm_bank_add(tpm_quote *q, atls_arena *a, uint64_t alg, tpm_bank **out, atls_error *err);
ATLS_MUST_USE bool tpm_pcr_add(tpm_bank *b, uint64_t index, atls_bytes value, atls_error *err);
ATLS_MUST_USE bool tpm_cert_add(atls_bytes *certs, size_t *n, atls_bytes der, const char *field, atls_error *err);

/* tpm_instance_read looks for hardware evidence and certificates in Constellation's instance info (constellation section 8).
 * What is no JSON object of a known shape is opaque: it is bound all the same. */
ATLS_MUST_USE bool tpm_instance_read(tpm_evidence *e, atls_arena *a, atls_error *err);

/* tpm_write writes the form "tpm2-quote+cbor" (docs/protocol.md): ak_pub, of each quote message, signature and banks,
 * event_log, ak_cert, certs, hardware; everything else in `in` is ignored. In the arena. Errors: EVIDENCE_FORMAT when a member
 * that must be there is not, MEMORY. */
ATLS_MUST_USE bool tpm_write(const tpm_evidence *in, atls_arena *a, atls_bytes *out, atls_error *err);

/* ---- hardware (section 4; constellation section 8) ---- */

/* Azure's HCL blob, NV index 01400001: a report and the JSON that its report data is the hash of. */
typedef struct tpm_hcl {
    bool is_tdx;
    atls_bytes report;       /* SNP report, 1184 bytes; TDREPORT, 1024: no quote yet */
    atls_bytes runtime_data; /* JSON */
} tpm_hcl;
ATLS_MUST_USE bool tpm_hcl_decode(atls_bytes in, tpm_hcl *out, atls_error *err);

/* tpm_runtime_key checks that the key named HCLAkPub in Azure's runtime data is this one. Errors: KEY_NOT_AUTHENTICATED with the
 * member as field; EVIDENCE_FORMAT when it cannot be read. */
ATLS_MUST_USE bool tpm_runtime_key(atls_bytes runtime_data, const tpm_public *ak, atls_arena *a, atls_error *err);

typedef struct tpm_hardware_claim {
    atls_platform platform; /* NONE: no hardware evidence came along */
    bool authenticates_key; /* report_data is made of the key; false: only of the quote's extraData */
    atls_bytes report;
    uint8_t report_data[64]; /* what the report must hold */
    const atls_bytes *certs; /* DER, as untrusted as the rest */
    size_t n_certs;
} tpm_hardware_claim;

/* tpm_hardware_claim_make says what the hardware evidence inside must hold: SHA-256(runtime data) and zeros, after the key there
 * was found to be the quote's; SHA-512(SPKI of the key); or a value and zeros of which the quotes hold the hash together with the
 * instance info. Errors: those of tpm_runtime_key, REPORT_DATA_MISMATCH, INTERNAL. */
ATLS_MUST_USE bool tpm_hardware_claim_make(const tpm_evidence *e, const atls_crypto *c, atls_arena *a,
                                           tpm_hardware_claim *out, atls_error *err);

/* ---- event log (section 6) ---- */

#define TPM_EV_NO_ACTION 0x00000003u
#define TPM_NO_PCR       0xffffffffu
#define TPM_MAX_LOG_ALGS 8u

typedef struct tpm_record {
    uint32_t pcr; /* below 24, or TPM_NO_PCR with type EV_NO_ACTION */
    uint32_t type;
    atls_bytes digests[TPM_MAX_LOG_ALGS]; /* in the order of the log's algorithms */
    atls_bytes data;
} tpm_record;

typedef struct tpm_log {
    bool is_agile; /* TCG2; false: SHA-1 form */
    uint16_t algs[TPM_MAX_LOG_ALGS];
    size_t sizes[TPM_MAX_LOG_ALGS];
    size_t n_algs;
    const tpm_record *records; /* without the header */
    size_t n_records;
    uint8_t locality; /* PCR 0 begins with it */
} tpm_log;

/* tpm_log_decode reads at most TPM_MAX_LOG_LEN bytes and TPM_MAX_EVENTS records. Borrows in. Errors: EVENT_LOG_PARSE with field
 * "event_log[12].digests", MEMORY. */
ATLS_MUST_USE bool tpm_log_decode(atls_bytes in, atls_arena *a, tpm_log *out, atls_error *err);

typedef struct tpm_registers {
    uint32_t mask; /* PCRs that have records */
    size_t len;
    uint8_t values[TPM_N_PCRS][64];
} tpm_registers;

/* tpm_log_has tells whether a log has digests of this bank. */
bool tpm_log_has(const tpm_log *log, uint16_t alg);
/* tpm_log_replay computes the registers of one bank, SHA-1 among them. Errors: UNSUPPORTED for a bank that the log or this library
 * does not have, INTERNAL. */
ATLS_MUST_USE bool tpm_log_replay(const atls_crypto *c, const tpm_log *log, uint16_t alg, tpm_registers *out,
                                  atls_error *err);
/* tpm_log_events marks the records whose data is what was measured, and reads what firmware says in those. */
ATLS_MUST_USE bool tpm_log_events(const atls_crypto *c, const tpm_log *log, uint16_t alg, atls_arena *a,
                                  atls_tpm_claims *out, atls_error *err);

/* ---- certificate (section 4) ---- */

/* tpm_gce_read reads Google's instance extension, where a certificate has it. Errors: CERTIFICATE_CHAIN. */
ATLS_MUST_USE bool tpm_gce_read(const atls_cert *cert, atls_tpm_gce *out, atls_error *err);

typedef struct tpm_chain {
    bool is_complete; /* a path to a trusted root was found and verified */
    const atls_anchor *anchor;
    atls_cert *leaf;
    atls_time not_after; /* the earliest of the path */
    size_t n_links;      /* certificates below the root */
    size_t n_revocation; /* of them, those that a list in date does not name */
    atls_tpm_gce gce;
    atls_error why; /* of an incomplete one: CERTIFICATE_CHAIN, ENDORSEMENTS_MISSING */
} tpm_chain;

/* tpm_chain_verify judges the key's certificate: that it is the key's; a path to one of the policy's roots over certificates that
 * came along or are at hand; dates, constraints, purposes, lists. False with err when the certificate is bad (CERTIFICATE_MISMATCH,
 * CERTIFICATE_CHAIN, EXPIRED, NOT_YET_VALID, REVOKED, CRL); true with is_complete false when there is no way to a trusted root,
 * which may not matter. */
ATLS_MUST_USE bool tpm_chain_verify(const tpm_evidence *e, const atls_authority *auth, atls_arena *a, tpm_chain *out,
                                    atls_error *err);

/* ---- doors ---- */

bool tpm_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                      atls_trace *trace, atls_error *err);
bool tpm_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                  atls_trace *trace, atls_error *err);
bool tpm_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
void tpm_put_claims(struct atls_jw *w, const atls_claims *claims);
/* tpm_bind: Constellation's document holds SHA-256(InstanceInfo || value[0..32]); the other forms the value itself, of a
 * session the first 32 bytes. Errors: USAGE for a value that this form cannot hold. */
bool tpm_bind(const void *evidence, const atls_crypto *c, const atls_binding_value *in, uint8_t expected[64],
              size_t *len, atls_error *err);
bool tpm_names_code(const atls_policy *policy);

/* The room's row in the registry. Static. */
const atls_format *tpm_format(void);

#endif
