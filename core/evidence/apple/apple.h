/* SPDX-License-Identifier: Apache-2.0 */
/* apple.h: Apple App Attest: attestations, receipts, assertions.
 *
 *   attestation = { fmt, attStmt: { x5c: [credential certificate, intermediate], receipt }, authData }      CBOR
 *   authData    = rpIdHash | flags | signCount | aaguid | credentialId | credentialPublicKey                WebAuthn
 *   receipt     = CMS SignedData over a SET of { type, version, value }                                     BER
 *   assertion   = { signature, authenticatorData }                                                          CBOR
 *
 * decode.c        the attestation object; what is inside it is decoded, too, and what is wrong there is kept for its step
 * cbor.c          the members of a map: no duplicates, floats, tags or open lengths
 * auth_data.c     authenticator data
 * extensions.c    what Apple says in the credential certificate
 * cms.c           SignedData with one signer                        receipt.c  its payload
 * chain.c         paths to a pinned root that is left out
 * authenticate.c  steps 3 to 5, claims                              prove.c    the receipt's signature and chain
 * compare.c       claims against one application: steps 6 to 9      appraise.c which application, and what is listed
 * session.c       the form that a session has, where an assertion goes along
 * version.c       versions and build numbers
 * assertion.c     assertions, and second keys that they vouch for   client_data.c  clientDataJSON
 *
 * The order of the specification's section 9 decides which failure is the error; proofs and comparisons alternate in it. So
 * authenticate stops at the first proof that fails, but first makes the comparisons that come before it.
 *
 * Not checked here: that the signer of a receipt is the one that Apple keeps for that (any that its root vouches for, and that
 * may sign, will do); notBefore and expirationTime of receipts; the risk metric; names in certificates; everything of a CMS
 * that is not signed; the version of the app.
 *
 * Source of all of it: the App Attest specification of this project (apple.md); sections are its. */
#ifndef ATLS_EVIDENCE_APPLE_H
#define ATLS_EVIDENCE_APPLE_H

#include "base/cbor.h"
#include "evidence/format.h"
#include "pki/chain.h"

#define APPLE_MAX_OBJECT_LEN   (64u * 1024) /* 5.4 KiB in the field */
#define APPLE_MAX_RECEIPT_LEN  (64u * 1024) /* by itself; 3.8 KiB in the field */
#define APPLE_MAX_CLIENT_DATA  (16u * 1024) /* clientDataJSON; 197 bytes in the field */
#define APPLE_MAX_DEPTH        8u           /* section 1 */
#define APPLE_MAX_MEMBERS      64u          /* of one CBOR map */
#define APPLE_MAX_ATTRIBUTES   64u          /* of a receipt; real ones have 8 to 10 */
#define APPLE_MAX_CERTIFICATES 8u           /* of a receipt; real ones have 3 */
#define APPLE_MAX_TEXT_LEN     1024u        /* of one value in a receipt */
#define APPLE_AUTH_DATA_LEN    37u          /* without credential data */

#define APPLE_FLAG_CREDENTIAL 0x40u
#define APPLE_FLAG_EXTENSIONS 0x80u

/* ---- CBOR ---- */

/* A map on its way. */
typedef struct apple_map {
    uint64_t left;
    atls_bytes keys[APPLE_MAX_MEMBERS]; /* encoded, of those before */
    size_t n;
} apple_map;

/* apple_map_begin reads a map's head; apple_map_next the next key, which is none of those before: *name is its text, empty when
 * it is no text, and *whole its encoding. False with *more false and no error at the end. */
ATLS_MUST_USE bool apple_map_begin(atls_cur *c, const char *field, apple_map *out);
ATLS_MUST_USE bool apple_map_next(atls_cur *c, const char *field, apple_map *m, bool *more, atls_bytes *name,
                                  atls_bytes *whole);
/* apple_cbor_skip passes one item in which there are no floats, tags or repeated keys; depth: what may still be nested. */
ATLS_MUST_USE bool apple_cbor_skip(atls_cur *c, const char *field, unsigned depth, atls_bytes *whole);

/* ---- authenticator data ---- */

typedef struct apple_auth_data {
    atls_bytes rp_id_hash; /* 32 bytes */
    uint8_t flags;
    uint32_t sign_count;
    bool has_credential; /* flag 0x40; the next three are there */
    atls_bytes aaguid;   /* 16 bytes */
    atls_bytes credential_id;
    uint8_t point[ATLS_APPLE_POINT_SIZE]; /* of the COSE key */
} apple_auth_data;

/* apple_auth_data_decode reads all of in. Errors: ENCODING, TRUNCATED, TRAILING, LIMIT with "authData.<member>". */
ATLS_MUST_USE bool apple_auth_data_decode(atls_bytes in, apple_auth_data *out, atls_error *err);

/* ---- the credential certificate ---- */

typedef struct apple_extensions {
    bool has_nonce;
    atls_bytes nonce;      /* 32 bytes */
    atls_bytes app_id;     /* empty: not stated */
    atls_bytes os_version; /* same */
    atls_bytes os_build;   /* same */
} apple_extensions;

/* apple_extensions_read looks Apple's extensions up. What is undocumented and cannot be read is not there; a nonce of another form
 * is no nonce. */
void apple_extensions_read(const atls_cert *cert, apple_extensions *out);

/* ---- receipts ---- */

typedef struct apple_cms {
    atls_bytes content; /* the signed octets; joined in the arena when they came in pieces */
    atls_bytes certificates[APPLE_MAX_CERTIFICATES];
    size_t n_certificates;
    atls_bytes issuer; /* of the signer's certificate: Name, whole */
    atls_bytes serial; /* same: unsigned */
    atls_bytes signature;
} apple_cms;

/* apple_cms_decode reads exactly one SignedData with one signer and no signed attributes, ECDSA with SHA-256. Errors: ENCODING,
 * TRUNCATED, TRAILING, LIMIT with "receipt.<member>"; UNSUPPORTED for other algorithms; MEMORY. */
ATLS_MUST_USE bool apple_cms_decode(atls_bytes in, atls_arena *arena, apple_cms *out, atls_error *err);

/* apple_payload_decode reads the content of a receipt. Errors: the same, with "receipt.<field of the specification>". */
ATLS_MUST_USE bool apple_payload_decode(atls_bytes content, atls_arena *arena, atls_apple_receipt *out,
                                        atls_error *err);

typedef struct apple_receipt {
    apple_cms cms;
    atls_apple_receipt payload;
    atls_public_key key; /* of payload.certificate */
    atls_bytes spki;     /* same */
} apple_receipt;

/* apple_receipt_decode reads both. Errors: APPLE_RECEIPT, MEMORY. */
ATLS_MUST_USE bool apple_receipt_decode(atls_bytes in, atls_arena *arena, apple_receipt *out, atls_error *err);

/* apple_receipt_signature checks the signature by the signer's key; apple_receipt_chain the signer's chain to one of the roots at
 * an instant. signer is the certificate that the signer info names. Errors: APPLE_RECEIPT. */
ATLS_MUST_USE bool apple_receipt_signature(const apple_receipt *r, const atls_crypto *crypto, atls_arena *arena,
                                           const atls_cert **signer, atls_error *err);
ATLS_MUST_USE bool apple_receipt_chain(const apple_receipt *r, const atls_cert *signer, const atls_crypto *crypto,
                                       const atls_root *roots, size_t n_roots, int64_t at_ms, atls_arena *arena,
                                       atls_error *err);

/* ---- paths ---- */

#define APPLE_MAX_PATH (APPLE_MAX_CERTIFICATES + 1)

/* A path without its root, the leaf first. */
typedef struct apple_path {
    atls_cert *certs[APPLE_MAX_PATH];
    const char *fields[APPLE_MAX_PATH]; /* names in errors */
    size_t n;
    const char *root_field;
    atls_code code; /* of what is not a matter of time */
} apple_path;

/* apple_path_walk finds a root that the last certificate names as its issuer, and checks every validity and link from there
 * down, and that the leaf is none that issues. Errors: code, EXPIRED, NOT_YET_VALID. */
ATLS_MUST_USE bool apple_path_walk(const apple_path *path, const atls_crypto *crypto, const atls_root *roots,
                                   size_t n_roots, int64_t at_ms, atls_arena *arena, const atls_root **root,
                                   atls_error *err);
/* apple_names_root tells whether a certificate names one of the roots as its issuer. */
bool apple_names_root(const atls_cert *cert, const atls_root *roots, size_t n_roots);

/* ---- assertions ---- */

typedef struct apple_assertion {
    atls_bytes signature; /* DER */
    atls_bytes auth_data; /* as received: signed */
    atls_bytes rp_id_hash;
    uint32_t sign_count;
} apple_assertion;

/* apple_assertion_decode reads exactly one assertion. Errors: APPLE_ASSERTION with "assertion.<member>". */
ATLS_MUST_USE bool apple_assertion_decode(atls_bytes in, apple_assertion *out, atls_error *err);

/* apple_assertion_signature checks that a key signed an assertion over client data. Errors: APPLE_ASSERTION with "assertion.signature",
 * INTERNAL. */
ATLS_MUST_USE bool apple_assertion_signature(const apple_assertion *a, atls_bytes client_data,
                                             const atls_crypto *crypto, atls_key *key, atls_error *err);

/* ---- the attestation object ---- */

typedef struct apple_attestation {
    atls_bytes x5c[2];
    atls_bytes receipt_der; /* BER, as received */
    atls_bytes auth_data_raw;
    apple_auth_data auth_data;
    bool has_auth_data; /* false: the error says why not */
    atls_error auth_data_error;
    apple_receipt receipt;
    bool has_receipt; /* same */
    atls_error receipt_error;
    bool is_session; /* it came in the form of a session, with this assertion */
    apple_assertion session_assertion;
} apple_attestation;

/* apple_attestation_decode reads exactly one object of 1 to APPLE_MAX_OBJECT_LEN bytes; out borrows in. What is wrong inside
 * authData and receipt is kept in out. Errors: EVIDENCE_FORMAT with "attestation.<member>"; MEMORY. */
ATLS_MUST_USE bool apple_attestation_decode(atls_bytes in, atls_arena *arena, apple_attestation *out, atls_error *err);

/* apple_session_decode reads what an iPhone shows in a session of atls/1: session.c. Errors: EVIDENCE_FORMAT with "session.<member>", those
 * of both parts. */
ATLS_MUST_USE bool apple_session_decode(atls_bytes in, atls_arena *arena, apple_attestation *out, atls_error *err);

/* apple_session_check checks that the attested key of the claims signed the session, for the same app and not for the first time, and
 * says so in the claims; of evidence of the other form it says nothing. Errors: APPLE_ASSERTION, INTERNAL, MEMORY. */
ATLS_MUST_USE bool apple_session_check(const apple_attestation *a, const atls_authority *auth, atls_claims *claims,
                                       atls_trace *trace, atls_error *err);

/* ---- versions ---- */

typedef struct apple_semver {
    uint32_t part[3];
    atls_bytes pre_release; /* without its dash; empty: a release */
} apple_semver;

/* apple_semver_parse reads SemVer 2.0 in which minor and patch may be missing. apple_semver_order compares: < 0, 0, > 0. */
ATLS_MUST_USE bool apple_semver_parse(atls_bytes text, apple_semver *out);
int apple_semver_order(const apple_semver *a, const apple_semver *b);

typedef struct apple_build {
    uint32_t train;
    uint32_t letters; /* base 36 */
    uint32_t number;
    uint32_t mastering; /* base 36; 0: none */
} apple_build;
ATLS_MUST_USE bool apple_build_parse(atls_bytes text, apple_build *out);
int apple_build_order(const apple_build *a, const apple_build *b);

/* ---- comparisons ---- */

typedef enum apple_row_verdict { APPLE_ROW_PASS, APPLE_ROW_FAIL, APPLE_ROW_NA } apple_row_verdict;

typedef struct apple_row {
    const char *id;
    apple_row_verdict verdict;
    atls_code code;
    const char *field;
    const char *expected; /* NULL: nothing to show */
    const char *actual;
    const char *why; /* NULL: the code's own sentence */
} apple_row;

#define APPLE_MAX_ROWS 16u
typedef struct apple_rows {
    apple_row items[APPLE_MAX_ROWS];
    size_t n;
} apple_rows;

/* How far: up to, and without, the proof of this name. */
typedef enum apple_stage {
    APPLE_BEFORE_RECEIPT,   /* step 6 */
    APPLE_BEFORE_SIGNATURE, /* and app, age and key of the receipt */
    APPLE_ALL,
} apple_stage;

/* apple_compare makes the comparisons of one application in their order. Texts live in the arena. Errors: MEMORY. */
ATLS_MUST_USE bool apple_compare(const atls_apple_claims *c, const atls_apple_policy *p, size_t application,
                                 apple_stage stage, atls_arena *arena, apple_rows *out, atls_error *err);
/* apple_rows_failed gives the first row that failed, NULL when none did. */
const apple_row *apple_rows_failed(const apple_rows *rows);

/* apple_find_application looks for the first application that fits in every respect: *index, or n_applications. */
ATLS_MUST_USE bool apple_find_application(const atls_apple_claims *c, const atls_apple_policy *p, atls_arena *arena,
                                          size_t *index, atls_error *err);
/* apple_list_applications lists what the comparisons say when none fits: all of the first application, the failure of each other.
 * Returns whether the first application passed. */
bool apple_list_applications(const atls_apple_claims *c, const atls_apple_policy *p, apple_stage stage,
                             atls_arena *arena, atls_trace *trace, atls_error *err);

/* ---- roots of a policy ---- */

/* The policy's, or Apple's own. */
typedef struct apple_roots {
    atls_root own;
    const atls_root *items;
    size_t n;
} apple_roots;
void apple_attestation_roots(const atls_apple_policy *p, apple_roots *out);
void apple_receipt_roots(const atls_apple_policy *p, apple_roots *out); /* p may be NULL */

/* The doors. */
const atls_format *apple_format(void);
bool apple_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                        atls_trace *trace, atls_error *err);
bool apple_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                    atls_trace *trace, atls_error *err);
bool apple_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
void apple_put_claims(struct atls_jw *w, const atls_claims *claims);

#endif
