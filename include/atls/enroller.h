/* SPDX-License-Identifier: Apache-2.0 */
/* enroller.h: what a server does with a certification request: eight steps, in one order, none left out.
 *
 *   1 decode      the request                                    ENROL_CSR
 *   2 extract     the nonce out of its subject                   ENROL_CHALLENGE_MISSING
 *   3 consume     the nonce, for good, whatever comes            ENROL_CHALLENGE_UNKNOWN, _EXPIRED, _USED; ENROL_STORE
 *   4 extract     the statement out of its attribute             ENROL_STATEMENT, UNSUPPORTED
 *   5 appraise    the statement against the platform's policy    the room's codes; ENROL_PLATFORM
 *   6 compare     the attested key with the request's            ENROL_KEY_MISMATCH
 *   7 verify      the request's signature with that key          ENROL_CSR_SIGNATURE; UNSUPPORTED
 *   8 issue       a certificate for the attested key             ENROL_ISSUE
 *
 * The core has no store, no CA and no clock: two functions of the caller's have effects (consume, issue), three others look on
 * and can change nothing (observers). Source: the project's specification of attested enrolment, sections 6, 7, 9. */
#ifndef ATLS_ENROLLER_H
#define ATLS_ENROLLER_H

#include "arena.h"
#include "endorse.h"
#include "enrol.h"
#include "policy.h"
#include "record.h"
#include "result.h"
#include "verifier.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum atls_enrol_step {
    ATLS_ENROL_STEP_NONE = 0,
    ATLS_ENROL_STEP_DECODE,
    ATLS_ENROL_STEP_NONCE,
    ATLS_ENROL_STEP_CONSUME,
    ATLS_ENROL_STEP_STATEMENT,
    ATLS_ENROL_STEP_APPRAISE,
    ATLS_ENROL_STEP_KEY,
    ATLS_ENROL_STEP_SIGNATURE,
    ATLS_ENROL_STEP_ISSUE,
    ATLS_ENROL_STEP_DONE, /* success */
} atls_enrol_step;

/* atls_enrol_step_name gives Warden's words: "CsrDecoding", "ChallengeExtraction", "ChallengeVerification",
 * "AttestationStatementExtraction", "Attestation", "KeyMismatch", "CsrSignature", "Issuance", "Success". Static. */
const char *atls_enrol_step_name(atls_enrol_step step);

/* ---- the two functions with effects ---- */

typedef enum atls_consumed {
    ATLS_CONSUMED_UNKNOWN = 0, /* never issued, or long gone */
    ATLS_CONSUMED_FRESH,       /* it was there, and is used up by this very call */
    ATLS_CONSUMED_EXPIRED,
    ATLS_CONSUMED_USED, /* somebody was here before */
} atls_consumed;

/* atls_consume_fn uses up a nonce in one atomic step. now_ms is the instant of the request. True: *out says what
 * it found. False with err set (ENROL_STORE): nobody knows, and the request fails. */
typedef bool (*atls_consume_fn)(void *ctx, atls_bytes nonce, int64_t now_ms, atls_consumed *out, atls_error *err);

/* What may be certified: everything in here is authenticated, apart from `csr`. It lives for the call. */
typedef struct atls_enrol_grant {
    const atls_result *result; /* accepted; names the whole status list, of which it saw the entries of this chain */
    atls_platform platform;    /* ANDROID, APPLE */
    atls_bytes app;            /* package name; "TEAMID.bundle.identifier" */
    const char *
        security_level; /* Android: of the key or of what attests it, the lesser ("STRONG_BOX"); Apple: "SECURE_ENCLAVE" */
    atls_bytes spki;    /* the attested key, whole SubjectPublicKeyInfo: what goes into the certificate */
    const atls_enrol_csr *csr;    /* its subject and requested extensions are the phone's wishes, and no more */
    const uint8_t *nonce_sha256;  /* 32 bytes: names the request, also where it is tried again */
    const uint8_t *policy_sha256; /* 32 bytes: of the policy's text */
    atls_time now;
} atls_enrol_grant;

/* atls_issue_fn makes a certificate for grant->spki: DER, issued one first, root last, in the arena. False with err set
 * (ENROL_ISSUE). Called at most once for a nonce. The first one is read before anybody hears of success: where it is for other
 * bytes than grant->spki, that is ENROL_ISSUE, too. */
typedef bool (*atls_issue_fn)(void *ctx, const atls_enrol_grant *grant, atls_arena *arena,
                              atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES], size_t *n, atls_error *err);

/* ---- observers (section 7) ---- */

typedef struct atls_enrol_failure {
    atls_enrol_step step;
    const char
        *class_name;    /* "PreAttestation.CsrDecoding", "Certificate.Trust", "Content.Android", "Configuration", ... */
    const char *reason; /* "CHALLENGE", "OtherMatchingRoot"; "" where the class has none */
    atls_category kind;
    atls_platform platform; /* NONE: not known yet */
    const atls_error *error;
    atls_bytes nonce;          /* from step 3 on */
    const atls_enrol_csr *csr; /* from step 2 on */
    atls_bytes record;         /* steps 5 to 7: the debug statement, JSON; empty: none was made */
} atls_enrol_failure;

/* Observers look on. What they are given is read-only, a copy, and dies with the call. A failure's text, if they write one,
 * becomes the response's explanation: UTF-8 with a NUL behind it, at most ATLS_ENROL_MAX_EXPLANATION_LEN bytes, no piece of the debug
 * statement; else there is none. The text is zeroed before the call; left so, it is none of theirs. They run on the
 * request's thread, exactly once for a failed (or accepted) request, and must not block. False: they failed, which changes
 * nothing and is counted in the outcome. */
typedef bool (*atls_enrol_failed_fn)(void *ctx, const atls_enrol_failure *failure, char *text, size_t size);
typedef bool (*atls_enrol_done_fn)(void *ctx, const atls_enrol_grant *grant, const atls_bytes *chain, size_t n);

typedef struct atls_enrol_observers {
    void *ctx;
    atls_enrol_failed_fn pre_attestation_error; /* classes of PreAttestation: steps 1 to 4, 8; algorithms; memory */
    atls_enrol_failed_fn attestation_error;     /* any other: steps 5 to 7 */
    atls_enrol_done_fn attestation_success;     /* after step 8, when there is a response; before it is handed out */
} atls_enrol_observers;

/* ---- the enroller ---- */

typedef struct atls_enroller atls_enroller;

typedef struct atls_enroller_options {
    const atls_policy *android; /* type android_key, all roots in the document; NULL: the platform is not configured */
    const atls_policy *apple;   /* type apple_app_attest; NULL: same. One of them must be there */
    const char *proof_oid;      /* dotted decimal */
    int64_t offset_s;           /* the global verificationTimeOffset */
    atls_endorse_fn endorse;    /* Google's status list; NULL: none is at hand, and Android fails closed. Any thread */
    void *endorse_ctx;
    bool hide_codes; /* no explanation but the observers' */
} atls_enroller_options;

/* atls_enroller_new makes an enroller; policies must outlive it. Immutable, any number of threads may share it.
 * Errors: CONFIGURATION (no policy, one of another type or with roots beside its document, a proof_oid that is none, an offset that
 * does not fit), MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_enroller_new(const atls_enroller_options *options, atls_enroller **out, atls_error *err);
void atls_enroller_free(atls_enroller *e);

typedef struct atls_enrol_request {
    atls_bytes csr; /* as received */
    atls_time now;
    uint32_t now_ms; /* 0 to 999 */
    atls_consume_fn consume;
    void *consume_ctx;
    atls_issue_fn issue;
    void *issue_ctx;
    const atls_enrol_observers *observers; /* NULL: nobody looks on */
    atls_record_when record;               /* debug statements: never, of failures in steps 5 to 7, of successes too */
} atls_enrol_request;

/* What became of it. Slices are in the arena. */
typedef struct atls_enrol_outcome {
    bool is_success;
    atls_enrol_step step;   /* that failed; DONE */
    const char *class_name; /* "" on success */
    const char *reason;
    atls_category kind; /* NONE on success */
    atls_platform platform;
    atls_error error; /* OK on success */
    bool has_nonce;
    uint8_t nonce_sha256[32];
    bool has_key; /* an attested key is known: steps 5 passed */
    uint8_t key_sha256[32];
    atls_bytes app;
    const char *security_level;
    atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES];
    size_t n_chain;
    atls_bytes response; /* JSON, what goes back with status 200: never empty when the function returns true */
    atls_bytes record;   /* debug statement, JSON; empty: none. Step 8 is no part of it */
    atls_error record_error;
    unsigned observer_faults; /* calls that failed, or wrote a text that cannot be used */
    uint8_t list_sha256[32];  /* of the revocation list that was used; zero: none */
    uint8_t policy_sha256[32];
} atls_enrol_outcome;

/* atls_enroller_run takes a request through the steps. True: there is a response, of success or failure; false: there is none (the
 * arena is full, the call makes no sense), and nothing was issued or the certificate is lost, with err set; callers answer as for
 * INTERNAL. Any number of threads, each with an arena. Errors: USAGE, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_enroller_run(const atls_enroller *e, const atls_enrol_request *in, atls_arena *arena,
                                     atls_enrol_outcome *out, atls_error *err);

/* ---- debug statements (section 9) ---- */

/* A debug statement, run again. */
typedef struct atls_enrol_replay {
    bool has_recorded;  /* the statement says what came out (`atls.verdict`): Warden's do not */
    bool is_same;       /* has_recorded, and the replay says the same, byte for byte */
    bool is_accepted;   /* what the replay says: steps 5 to 7 as far as the statement goes */
    bool is_redacted;   /* then never accepted, nor looked at any further: UNSUPPORTED */
    const char *method; /* "SUPREME", ... */
    const char *class_name;
    const char *reason;
    atls_error error;
    atls_bytes recorded; /* verdict, JSON */
    atls_bytes replayed;
} atls_enrol_replay;

typedef struct atls_enrol_replay_options {
    bool ignore_proxy;
    atls_bytes status_list; /* for statements that hold none (Warden's): Google's list as JSON; empty: none */
} atls_enrol_replay_options;

/* atls_enrol_replay_run reads a debug statement, JSON or compact ("u" and base64url), ours or Warden's, and judges what it
 * recorded again, at its time. options NULL: none. Pure. Errors: ENCODING (malformed; or its members do not agree with the
 * recording in it, which is told by the member), UNSUPPORTED (a method, a version), CONFIGURATION (of the policies in it),
 * those of atls_record_open and atls_replay_run, LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_enrol_replay_run(atls_bytes statement, const atls_enrol_replay_options *options,
                                         atls_arena *arena, atls_enrol_replay *out, atls_error *err);

/* atls_enrol_record_redact takes personal data (tags 713, 714, 715, 723, uniqueId) out of a debug statement and marks it. In the
 * arena. Errors: ENCODING, MEMORY. */
ATLS_MUST_USE bool atls_enrol_record_redact(atls_bytes statement, atls_arena *arena, atls_bytes *out, atls_error *err);
/* atls_enrol_record_compact gives the form of one line. Errors: ENCODING, MEMORY. */
ATLS_MUST_USE bool atls_enrol_record_compact(atls_bytes statement, atls_arena *arena, atls_bytes *out, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
