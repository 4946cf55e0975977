/* SPDX-License-Identifier: Apache-2.0 */
/* debug.h: a debug statement (section 9): Warden's members, and in `atls` what they lack: the request, a recording of the
 * appraisal (core/verify/record.h), what the status list said, and the verdict. docs/enrolment.md has every member. */
#ifndef ATLS_ENROL_DEBUG_H
#define ATLS_ENROL_DEBUG_H

#include "base/json.h"
#include "enroller.h"

#define ATLS_ENROL_DEBUG_VERSION 1u
#define ATLS_ENROL_MAX_DEBUG_LEN                                                                                       \
    (8u * 1024 * 1024) /* request, statement, recording and two policies, as base64url or JSON */

/* What is written for a platform that is not configured, where Warden wants an object with an app in it: one that nobody has. It is
 * read as none, as null is. */
#define ATLS_ENROL_DEBUG_NO_ANDROID                                                                                    \
    "{\"applications\":[{\"packageName\":\"not.configured\","                                                          \
    "\"signatureDigests\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"]}]}"
#define ATLS_ENROL_DEBUG_NO_APPLE                                                                                      \
    "{\"applications\":[{\"teamIdentifier\":\"0000000000\",\"bundleIdentifier\":\"not.configured\"}]}"

/* ---- writing ---- */

typedef struct atls_enrol_debug {
    const atls_policy *android; /* NULL: not configured */
    const atls_policy *apple;
    const atls_enrol_statement *statement; /* NULL: of a kind that is not known */
    atls_bytes csr;
    atls_bytes proof_oid; /* text */
    atls_bytes nonce;
    atls_time now;
    uint32_t now_ms;
    int64_t offset_s;
    const atls_enrol_list *list; /* NULL: none was looked at */
    atls_recorder *recorder;     /* NULL: nothing was appraised */
    const atls_enrol_judgement *judgement;
    const atls_error *error; /* code OK: accepted */
    const atls_crypto *crypto;
} atls_enrol_debug;

/* atls_enrol_debug_write writes the statement, in the arena. Errors: those of atls_recorder_finish, LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_enrol_debug_write(const atls_enrol_debug *d, atls_arena *arena, atls_bytes *out,
                                          atls_error *err);

/* atls_enrol_debug_verdict writes what steps 5 to 7 said: the same judgement, the same bytes. */
ATLS_MUST_USE bool atls_enrol_debug_verdict(const atls_crypto *crypto, const atls_enrol_judgement *judgement,
                                            const atls_error *error, atls_arena *arena, atls_bytes *out,
                                            atls_error *err);

/* atls_enrol_debug_list writes what a list said of a chain, as a statement has it. In the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_enrol_debug_list(const atls_enrol_list *list, atls_arena *arena, atls_bytes *out,
                                         atls_error *err);

/* atls_enrol_debug_configuration writes a policy document as Warden's configuration: without its type, digests in base64url. */
ATLS_MUST_USE bool atls_enrol_debug_configuration(atls_bytes document, atls_arena *arena, atls_bytes *out,
                                                  atls_error *err);

/* atls_enrol_debug_minify takes the white space out of JSON that is well-formed. In the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_enrol_debug_minify(atls_bytes json, atls_arena *arena, atls_bytes *out, atls_error *err);

/* ISO 8601, whole seconds: "PT12H45M", "-PT30S". */
#define ATLS_ENROL_DURATION_SIZE 72u
void atls_enrol_debug_duration(int64_t seconds, char out[ATLS_ENROL_DURATION_SIZE]);
ATLS_MUST_USE bool atls_enrol_debug_duration_read(atls_bytes text, int64_t *seconds);

/* ---- reading ---- */

typedef enum atls_enrol_method {
    ATLS_ENROL_SUPREME = 0,
    ATLS_ENROL_LEGACY,
    ATLS_ENROL_KEY_LEGACY,
    ATLS_ENROL_KEY_LEGACY_RAW,
    ATLS_ENROL_N_METHODS,
} atls_enrol_method;
/* "SUPREME", "LEGACY", "KEY_ATTESTATION_LEGACY", "KEY_ATTESTATION_LEGACY_RAW". Static. */
const char *atls_enrol_method_name(atls_enrol_method method);

/* A debug statement, taken apart. Absent and null are the same. */
typedef struct atls_enrol_debug_statement {
    const atls_json *tree;
    const atls_json *android; /* configuration, NULL: none */
    const atls_json *apple;
    const atls_json *key_attestation; /* NULL: none */
    const atls_json *status_list;     /* NULL: none, or not told */
    atls_bytes proof[ATLS_ENROL_MAX_CERTIFICATES];
    size_t n_proof;
    atls_bytes challenge;
    atls_bytes client_data;
    atls_time now;
    int64_t offset_s;
    atls_bytes csr;
    atls_bytes proof_oid; /* text; empty: none */
    atls_bytes record;
    atls_bytes verdict; /* minified */
    uint32_t now_ms;
    atls_enrol_method method;
    bool has_proof;
    bool has_challenge;
    bool has_client_data;
    bool is_ours;     /* it has a member atls */
    bool is_redacted; /* which says so */
    bool has_csr;
    bool has_record;
    bool has_verdict;
} atls_enrol_debug_statement;

/* atls_enrol_debug_read reads JSON or the compact form. Errors: ENCODING with the member as field ("debug.challenge"),
 * UNSUPPORTED, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_enrol_debug_read(atls_bytes in, atls_arena *arena, atls_enrol_debug_statement *out,
                                         atls_error *err);
/* atls_enrol_debug_open gives the JSON of either form. Errors: ENCODING, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_enrol_debug_open(atls_bytes in, atls_arena *arena, atls_bytes *json, atls_error *err);

#endif
