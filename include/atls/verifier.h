/* SPDX-License-Identifier: Apache-2.0 */
/* verifier.h: appraise evidence without TLS: offline, thread-safe, pure.
 *
 * bytes --decode--> evidence --authenticate--> claims --bind--> fresh claims --appraise--> result
 *
 * Signatures are OpenSSL's: calls may empty the calling thread's queue of its errors, whatever stood there before.
 *
 * docs/verify.md follows the steps in the order of core/verify/verify.c. */
#ifndef ATLS_VERIFIER_H
#define ATLS_VERIFIER_H

#include "arena.h"
#include "endorse.h"
#include "policy.h"
#include "result.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_verifier atls_verifier;

#define ATLS_MAX_CHALLENGE_LEN                                                                                         \
    (64u * 1024) /* client data of Apple's are some 200 bytes; a challenge of Android's at most 128 */

/* What the evidence must have been made for. */
typedef struct atls_binding {
    atls_grade grade; /* the grade that a match proves; NONE: no binding is given, and freshness is not checked */
    /* Of the TLS session that the value is of, "dstack"; or "". With "atls/1" and the grade SESSION phones show the form of
     * phone_proof.h, and value has 64 bytes; with any other profile they are UNSUPPORTED. */
    const char *profile;
    uint8_t value[64]; /* compared with the evidence's field, every byte; all-zero is refused */
    uint8_t value_len; /* how many of them count, for evidence whose field has no fixed length (TPM, Nitro); 0: 64.
                           * The others must be zero, and are compared too where the field has 64 bytes */
    atls_bytes
        challenge; /* in place of value, for phones: 1 to ATLS_MAX_CHALLENGE_LEN bytes, borrowed, compared in full: what
                           * Android calls the challenge, and Apple the client data. len 0: none */
    bool has_leaf_sha256; /* the peer's leaf certificate is known: dstack's certificate event must name it */
    uint8_t leaf_sha256[32];
} atls_binding;

/* An attestation key that no certificate and no hardware report vouches for, as its machine describes it. Everything is
 * untrusted but the key itself, whose signatures are checked by the verifier. */
typedef struct atls_key_question {
    atls_platform platform;   /* TPM */
    const char *variant;      /* "gcp-sev-snp", "aws-nitro-tpm", ...; "" when the evidence does not say */
    atls_bytes public_area;   /* TPMT_PUBLIC */
    atls_bytes spki;          /* the same key as DER SubjectPublicKeyInfo; empty when it is of no supported kind */
    atls_bytes instance_info; /* as carried, empty: none */
} atls_key_question;

/* atls_key_fn answers for a key by means of the caller's own, a cloud's API for instance. True: it is the key of the machine
 * that it claims to be, and *label (static, or in the arena) says who says so; false otherwise, with err set (IO, TIMEOUT,
 * KEY_NOT_AUTHENTICATED). Called at most once an appraisal, on its thread. */
typedef bool (*atls_key_fn)(void *ctx, const atls_key_question *question, atls_arena *arena, const char **label,
                            atls_error *err);

typedef struct atls_appraisal {
    atls_bytes evidence;  /* borrowed: a quote as received, 1 to ATLS_MAX_QUOTE_LEN bytes */
    atls_bytes event_log; /* borrowed: JSON array (dstack) or raw CCEL; empty: none */
    atls_binding binding; /* copied */
    atls_time now;        /* UTC seconds; ATLS_TIME_UNSET is refused */
    uint32_t now_ms;      /* and milliseconds, 0 to 999: phones' statements have them. Others do not look at it */
    int64_t offset_s;     /* added to now where phones are judged, as their policies' own offset is; with that one
                              * within 32 bits. Others do not look at it */
    atls_bytes key_id;    /* Apple App Attest: what the app says its key is called, 32 bytes; len 0: it says nothing */
    atls_endorse_fn endorse; /* called when the evidence has been decoded; NULL: ENDORSEMENTS_MISSING */
    void *endorse_ctx;
    atls_key_fn trust_key; /* asked about attestation keys that nothing else vouches for; NULL: nobody is */
    void *trust_key_ctx;
} atls_appraisal;

/* atls_verifier_new makes a verifier for one policy, which must outlive it. The object is the caller's
 * (atls_verifier_free); apart from what it remembers it is immutable, and any number of threads may share it. It keeps, for the
 * sessions to come, the arenas of at most 8 that have ended: wiped, of ATLS_ARENA_DEFAULT_SIZE, none of which more than 1 MiB was
 * used. Errors: MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_verifier_new(const atls_policy *policy, atls_verifier **out, atls_error *err);

/* What a verifier remembers, so that nothing is checked twice: endorsements that an accepted appraisal used, and the
 * platforms of accepted evidence (certificates, quoting enclave, attestation key; of kinds other than DCAP, some entries
 * for the signatures of one machine's certificates and lists), never beyond a date of anything they rest on. A remembered
 * yes differs from a fresh one in nothing but its cost. Zeroed: the defaults. */
typedef struct atls_verifier_options {
    bool no_cache;             /* remember nothing; the numbers below say nothing then */
    uint32_t max_platforms;    /* 0: 16384, some 10 MiB when all are there */
    uint32_t max_endorsements; /* sets; 0: 64. A quarter as many more where a peer stapled pieces */
    size_t
        max_endorsements_len; /* bytes of those, with what is made of them; 0: 16 MiB, and the same quarter more. A set
                                  * of more than a quarter of it is not remembered */
} atls_verifier_options;

/* atls_verifier_new_with_options is atls_verifier_new with other limits; options NULL is the same. Errors: MEMORY,
 * INTERNAL. */
ATLS_MUST_USE bool atls_verifier_new_with_options(const atls_policy *policy, const atls_verifier_options *options,
                                                  atls_verifier **out, atls_error *err);

/* How a cache did so far. */
typedef struct atls_cache_counts {
    uint64_t hits;
    uint64_t misses;
    uint64_t evictions; /* made room for others */
    uint64_t entries;   /* now */
    uint64_t len;       /* their bytes, now */
} atls_cache_counts;

typedef struct atls_verifier_counts {
    atls_cache_counts endorsements;
    atls_cache_counts stapled; /* sets with pieces that a peer sent */
    atls_cache_counts platforms;
} atls_verifier_counts;

/* atls_verifier_count gives these numbers, zeros without caches. For monitoring and tests; any number of threads. */
atls_verifier_counts atls_verifier_count(const atls_verifier *v);

/* atls_verifier_free frees a verifier; NULL is fine. No appraisal may be running, and no session that was made with it may be
 * left, not even one that has ended: their memory comes from it and goes back there. */
void atls_verifier_free(atls_verifier *v);

/* atls_verifier_policy gives the policy back, borrowed. */
const atls_policy *atls_verifier_policy(const atls_verifier *v);

/* atls_verifier_appraise decides whether evidence satisfies the policy at one instant.
 *
 * arena  the appraisal's memory; out points into it and into `in`'s slices.
 * out    zeroed first. On success complete; otherwise only verdict, time, profile, checks and n_checks are set.
 * err    the first failure, with the field that caused it. Every mismatch with the policy is in out->checks.
 *
 * Returns true only if every check that the policy asks for ran and passed, now or in an earlier appraisal by v whose
 * answer still holds (atls_verifier_options). Pure apart from the callback.
 * Any number of threads may share v, each with an arena of its own.
 * Errors: every code of the DCAP, binding and dstack blocks of error.h, and MEMORY, USAGE, INTERNAL. */
ATLS_MUST_USE bool atls_verifier_appraise(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena,
                                          atls_result *out, atls_error *err);

/* A dstack /tdx_quote (or GetQuote) response, taken apart. */
typedef struct atls_dstack_response {
    atls_bytes quote;     /* decoded, in the arena */
    atls_bytes event_log; /* JSON array text; empty: the response has none */
    atls_bytes vm_config; /* JSON text, untrusted; empty: none */
} atls_dstack_response;

/* atls_dstack_response_decode reads {"quote":{"quote":hex,"event_log":string or array,...}} or the GetQuote form
 * {"quote":hex,"event_log":...}, at most 4 MiB. Strict JSON; unknown members are ignored. Slices of out point into
 * json and the arena. Errors: QUOTE (wrong JSON or members), OTHER (quote is not hex), EVENT_LOG_PARSE, LIMIT, MEMORY.
 * Source: dstack section 1. */
ATLS_MUST_USE bool atls_dstack_response_decode(atls_bytes json, atls_arena *arena, atls_dstack_response *out,
                                               atls_error *err);

/* atls_dstack_report_data computes SHA-512(nonce || ekm), the binding of the dstack profile. Pure.
 * Errors: INTERNAL. Source: dstack section 1. */
ATLS_MUST_USE bool atls_dstack_report_data(const uint8_t nonce[32], const uint8_t ekm[32], uint8_t out[64],
                                           atls_error *err);

/* atls_evidence_kind guesses from the first bytes which type of policy evidence is for: "tdx", "sgx", "sev_snp", "tpm",
 * "nitro", "android_key" or "apple_app_attest". Static. A convenience for people who look at a file: a verifier is never chosen like that where anything depends on
 * it, and what the bytes are is decided by the policy's own room. Pure. Errors: UNSUPPORTED when nothing fits or two do;
 * MEMORY. */
ATLS_MUST_USE bool atls_evidence_kind(atls_bytes evidence, atls_arena *arena, const char **kind, atls_error *err);

/* atls_inspect_json shows what a file holds without believing any of it: a quote, DCAP collateral (bundle, TCB info, QE
 * identity, CRL), a dstack response, an event log (JSON or CCEL), evidence of the other kinds, certificates (PEM or DER) with
 * their extensions and the attestation formats recognised in them (docs/recognition.md), guessed from the bytes. The object
 * has "unverified": true first. Pure; *out is in the arena. Errors: the decoder's own; UNSUPPORTED when nothing fits. */
ATLS_MUST_USE bool atls_inspect_json(atls_bytes file, atls_arena *arena, atls_bytes *out, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
