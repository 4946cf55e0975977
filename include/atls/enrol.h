/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.h: the messages of attested enrolment, as both sides read and write them.
 *
 *   server  GET: challenge, JSON
 *   phone   POST: certification request (PKCS #10) with the challenge's nonce in its subject, and a statement of its hardware
 *           in an attribute
 *   server  response, JSON: a certificate chain, or a kind of failure
 *
 * What a server does with them is enroller.h. Everything that is read is bounded and borrowed: slices point into the input
 * or the arena. Base64url is read with or without padding and written without; binary members of other alphabets are refused.
 * All functions are pure, and any number of threads may call them. Source: the project's specification of attested enrolment,
 * wire format of Warden Supreme. */
#ifndef ATLS_ENROL_H
#define ATLS_ENROL_H

#include "arena.h"
#include "bytes.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_ENROL_MIN_NONCE_LEN       16u /* that a server issues; a phone reads shorter ones too */
#define ATLS_ENROL_NONCE_LEN           32u /* by default, and the longest that fits the usual bound of a serialNumber */
#define ATLS_ENROL_MAX_NONCE_LEN       128u
#define ATLS_ENROL_MAX_MESSAGE_LEN     (64u * 1024) /* of a challenge or a response */
#define ATLS_ENROL_MAX_CSR_LEN         (256u * 1024)
#define ATLS_ENROL_MAX_SUBJECT_LEN     4096u
#define ATLS_ENROL_MAX_STATEMENT_LEN   (192u * 1024)
#define ATLS_ENROL_MAX_ATTRIBUTES      16u
#define ATLS_ENROL_MAX_RDN_VALUES      32u /* attributes of the whole subject */
#define ATLS_ENROL_MAX_CERTIFICATES    16u /* of a statement, or of a response */
#define ATLS_ENROL_MAX_EXPLANATION_LEN 1024u

/* ---- challenge (section 2) ---- */

typedef struct atls_enrol_challenge {
    int64_t issued_ms; /* issuedAt, since 1970 */
    bool has_validity;
    int64_t validity_s;   /* from issued_ms on */
    atls_bytes time_zone; /* for people: letters, digits and + - _ / :, at most 64; empty: not stated */
    atls_bytes nonce;     /* 1 to 128 bytes, decoded */
    atls_bytes endpoint;  /* attestationEndpoint: absolute http or https URL of at most 2 KiB, no user, no fragment */
    atls_bytes proof_oid; /* dotted decimal */
} atls_enrol_challenge;

/* atls_enrol_challenge_read reads a challenge. Unknown members are ignored, repeated ones refused. Numbers are integers
 * without sign, fraction or exponent, up to 2^63 - 1. Takes at most 4 MiB of the arena, whatever is read. Errors:
 * ENROL_CHALLENGE with the member as field ("challenge.nonce"), MEMORY. */
ATLS_MUST_USE bool atls_enrol_challenge_read(atls_bytes json, atls_arena *arena, atls_enrol_challenge *out,
                                             atls_error *err);
/* atls_enrol_challenge_write writes one, in the order of section 2; what is not stated is left out. Errors: USAGE (a member out of
 * its bounds; a nonce of fewer than ATLS_ENROL_MIN_NONCE_LEN bytes), MEMORY. */
ATLS_MUST_USE bool atls_enrol_challenge_write(const atls_enrol_challenge *in, atls_arena *arena, atls_bytes *out,
                                              atls_error *err);
/* atls_enrol_challenge_check is the phone's look at its own clock (section 8): issued_ms <= now_ms, and now_ms <= the end of
 * its validity, if it states one. Errors: NOT_YET_VALID, EXPIRED. */
ATLS_MUST_USE bool atls_enrol_challenge_check(const atls_enrol_challenge *in, int64_t now_ms, atls_error *err);

/* ---- object identifiers of any size ---- */

/* atls_enrol_oid_der turns dotted decimal ("2.25.2666...") into the content of an OBJECT IDENTIFIER, arcs of up to 128 bits and
 * 256 octets altogether; atls_enrol_oid_text turns it back. Arcs have no leading zero, in text or in DER. Errors: ENCODING
 * with `field`, MEMORY. */
ATLS_MUST_USE bool atls_enrol_oid_der(atls_bytes text, const char *field, atls_arena *arena, atls_bytes *out,
                                      atls_error *err);
ATLS_MUST_USE bool atls_enrol_oid_text(atls_bytes content, const char *field, atls_arena *arena, atls_bytes *out,
                                       atls_error *err);

/* ---- certification request (section 3) ---- */

typedef struct atls_enrol_attribute {
    atls_bytes oid;    /* content */
    atls_bytes values; /* content of the SET */
} atls_enrol_attribute;

typedef struct atls_enrol_csr {
    atls_bytes der;     /* whole */
    atls_bytes tbs;     /* CertificationRequestInfo as received, header included: what is signed */
    atls_bytes subject; /* Name, whole encoding */
    atls_bytes spki;    /* SubjectPublicKeyInfo, whole encoding, of any algorithm */
    atls_enrol_attribute attributes[ATLS_ENROL_MAX_ATTRIBUTES];
    size_t n_attributes;
    atls_bytes signature_algorithm; /* AlgorithmIdentifier, whole encoding */
    atls_bytes signature;           /* content of the BIT STRING */
} atls_enrol_csr;

/* atls_enrol_csr_read takes a request apart (step 1): strict DER, within the limits above, nothing behind it. It verifies
 * nothing, and looks at neither the strings of the subject nor the order within a SET; an attribute without values is let
 * through. Errors: ENROL_CSR with a field such as "csr.attributes". */
ATLS_MUST_USE bool atls_enrol_csr_read(atls_bytes der, atls_enrol_csr *out, atls_error *err);

/* atls_enrol_csr_nonce finds the nonce in the subject (step 2): the only serialNumber attribute of the whole name, which stands in
 * an RDN of its own; base16 of either case, in a PrintableString or UTF8String. In the arena. Errors: ENROL_CHALLENGE_MISSING
 * with field "csr.subject", MEMORY. */
ATLS_MUST_USE bool atls_enrol_csr_nonce(const atls_enrol_csr *csr, atls_arena *arena, atls_bytes *nonce,
                                        atls_error *err);

/* atls_enrol_csr_statement finds the text of the statement (step 4): the only attribute with this OID (content), whose SET
 * holds exactly one UTF8String. Borrowed from the request. Errors: ENROL_STATEMENT with field "csr.attributes". */
ATLS_MUST_USE bool atls_enrol_csr_statement(const atls_enrol_csr *csr, atls_bytes proof_oid, atls_bytes *text,
                                            atls_error *err);

/* atls_enrol_csr_verify checks the signature over the received octets with the key of the request itself (step 7): ECDSA on P-256
 * and P-384 or RSA (2048 to 8192 bits, PKCS #1 v1.5, PSS is not supported) with SHA-256, SHA-384 or SHA-512. Errors:
 * ENROL_CSR_SIGNATURE with field "csr.signature", or "csr.signatureAlgorithm" or "csr.subjectPKInfo" where these are malformed or
 * do not go together; UNSUPPORTED with one of the latter two; INTERNAL, MEMORY. */
ATLS_MUST_USE bool atls_enrol_csr_verify(const atls_enrol_csr *csr, atls_error *err);

/* One attribute of the subject that the app puts in front of the nonce. */
typedef struct atls_enrol_name {
    const char *type; /* "CN", "O", "OU", "C", "L", "ST" */
    atls_bytes value; /* UTF-8, not empty; of "C" two capitals */
} atls_enrol_name;

/* atls_enrol_sign_fn signs tbs with the attested key. It writes the AlgorithmIdentifier (whole encoding) and the
 * signature (content of the BIT STRING) into the arena; or sets err and returns false. */
typedef bool (*atls_enrol_sign_fn)(void *ctx, atls_bytes tbs, atls_arena *arena, atls_bytes *algorithm,
                                   atls_bytes *signature, atls_error *err);

typedef struct atls_enrol_csr_template {
    const atls_enrol_name *names; /* n_names, each an RDN of its own; never serialNumber */
    size_t n_names;
    atls_bytes nonce;     /* as the server sent it: 1 to 128 bytes */
    atls_bytes proof_oid; /* content */
    atls_bytes statement; /* JSON */
    atls_bytes spki;
    atls_enrol_sign_fn sign;
    void *ctx;
} atls_enrol_csr_template;

/* atls_enrol_csr_write builds a request as a phone does, and makes sure that it can be read again as what it was meant to be. In
 * the arena. Errors: USAGE with the part as field, MEMORY, those of the signer. */
ATLS_MUST_USE bool atls_enrol_csr_write(const atls_enrol_csr_template *in, atls_arena *arena, atls_bytes *out,
                                        atls_error *err);

/* ---- statement (section 4) ---- */

typedef enum atls_enrol_statement_kind {
    ATLS_ENROL_ANDROID_KEY = 1, /* typ "android-key" */
    ATLS_ENROL_IOS_APPATTEST,   /* typ "ios-appattest" */
} atls_enrol_statement_kind;

typedef struct atls_enrol_statement {
    atls_enrol_statement_kind kind;
    atls_bytes x5c[ATLS_ENROL_MAX_CERTIFICATES]; /* Android: DER, leaf first; each one SEQUENCE, not looked into */
    size_t n_x5c;
    atls_bytes chain;       /* Android: the same, one behind the other: what an appraisal takes as evidence */
    atls_bytes attestation; /* Apple: App Attest object, not empty */
    atls_bytes client_data; /* Apple: clientDataJSON, the octets that were hashed, not empty */
} atls_enrol_statement;

/* atls_enrol_statement_read reads one. Repeated members are refused, unknown ones ignored; a typ that is not known is
 * UNSUPPORTED with category CONTENT. An empty x5c is ANDROID_CHAIN_UNPARSABLE's to say, and comes out empty. Takes at most
 * 10 MiB of the arena, whatever is read. Errors: ENROL_STATEMENT with the member as field ("statement.x5c[1]"), UNSUPPORTED with
 * field "statement.typ", MEMORY. */
ATLS_MUST_USE bool atls_enrol_statement_read(atls_bytes json, atls_arena *arena, atls_enrol_statement *out,
                                             atls_error *err);
/* atls_enrol_statement_write writes one, also with an empty x5c; `chain` is not looked at. Errors: USAGE, MEMORY. */
ATLS_MUST_USE bool atls_enrol_statement_write(const atls_enrol_statement *in, atls_arena *arena, atls_bytes *out,
                                              atls_error *err);

/* ---- response (section 5) ---- */

typedef struct atls_enrol_response {
    bool is_success;
    atls_bytes chain[ATLS_ENROL_MAX_CERTIFICATES]; /* success: DER, the issued certificate first, the CA's root last */
    size_t n_chain;
    atls_category kind; /* failure: TRUST, TIME, CONTENT or INTERNAL */
    bool has_explanation;
    atls_bytes
        explanation; /* failure: UTF-8, at most ATLS_ENROL_MAX_EXPLANATION_LEN bytes; has_explanation false: null */
} atls_enrol_response;

/* atls_enrol_response_read reads one, as a phone does. It does not look into the certificates. Unknown members are ignored,
 * repeated ones refused; a failure always has its explanation, if only as null. Takes at most 4 MiB of the arena, whatever is
 * read. Errors: ENROL_RESPONSE with the member as field, MEMORY. */
ATLS_MUST_USE bool atls_enrol_response_read(atls_bytes json, atls_arena *arena, atls_enrol_response *out,
                                            atls_error *err);
/* atls_enrol_response_write writes one. Errors: USAGE, MEMORY. */
ATLS_MUST_USE bool atls_enrol_response_write(const atls_enrol_response *in, atls_arena *arena, atls_bytes *out,
                                             atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
