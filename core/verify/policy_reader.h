/* SPDX-License-Identifier: Apache-2.0 */
/* policy_reader.h: how a policy document is read, below policy.c only.
 *
 * The language is one table: a member's name, the kinds of policy that know it, and the function that reads its value.
 * What is not in the table is refused, so that a misspelt member can never weaken a policy. Readers report
 * CONFIGURATION with the member's path ("allowed_tcb_status[2]") as the field, what was expected and what was found. */
#ifndef ATLS_VERIFY_POLICY_READER_H
#define ATLS_VERIFY_POLICY_READER_H

#include "base/json.h"
#include "policy.h"

#define POLICY_MAX_ROOTS    64u         /* nobody has more than a few */
#define POLICY_MAX_ROOT_LEN (8u * 1024) /* Intel's has 659 bytes */
#define POLICY_MAX_INSECURE 64u         /* names of members that weaken, of inner policies too */

/* Sets of kinds. */
#define KIND_DSTACK  (1u << ATLS_POLICY_DSTACK_TDX)
#define KIND_TDX     (1u << ATLS_POLICY_TDX)
#define KIND_SGX     (1u << ATLS_POLICY_SGX)
#define KIND_TD      (KIND_DSTACK | KIND_TDX) /* a TD is measured */
#define KIND_DCAP    (KIND_TD | KIND_SGX)
#define KIND_NEW     (1u << ATLS_POLICY_SEV_SNP | 1u << ATLS_POLICY_TPM | 1u << ATLS_POLICY_NITRO)
#define KIND_ANDROID (1u << ATLS_POLICY_ANDROID_KEY)
#define KIND_APPLE   (1u << ATLS_POLICY_APPLE_APP_ATTEST)
#define KIND_PHONE   (KIND_ANDROID | KIND_APPLE)
#define KIND_KEY     (1u << ATLS_POLICY_ENROLLED_KEY)
#define KIND_TPM     (1u << ATLS_POLICY_TPM)
#define KIND_ANY_OF  (1u << ATLS_POLICY_ANY_OF)
#define KIND_MACHINE (KIND_DCAP | KIND_NEW)
#define KIND_ROOM    (KIND_MACHINE | KIND_PHONE) /* judges evidence itself */
#define KIND_OWN                                                                                                       \
    (KIND_TDX | KIND_SGX | KIND_NEW | KIND_PHONE | KIND_KEY | KIND_ANY_OF) /* not a format of somebody else's */
#define KIND_ALL (KIND_ROOM | KIND_KEY | KIND_ANY_OF)

typedef struct policy_reader {
    atls_policy *policy; /* being made; its arena holds what it keeps */
    atls_arena *scratch; /* the JSON tree and paths; gone when the policy is made */
    atls_crypto *crypto; /* atls_policy_crypto's; few documents need any */
    atls_error *err;
    const struct policy_member *members; /* the table */
    size_t n_members;
    atls_reference *references; /* room for every row of the table */
    const char **insecure;      /* same */
    atls_anchor *anchors;       /* room for POLICY_MAX_ROOTS, NULL before the first */
    const atls_bytes *roots;    /* n_roots, given next to the document; inner policies trust them too */
    size_t n_roots;
    const char *compose_member; /* which of app_compose, app_compose_raw, app_compose_hash came */
} policy_reader;

typedef struct policy_member {
    const char *name;
    unsigned kinds;
    bool (*read)(policy_reader *r, const struct policy_member *m, const atls_json *v);
    size_t width;  /* byte strings: bytes of one value */
    size_t offset; /* flags: of the bool in atls_policy */
} policy_member;

/* atls_policy_read_document reads an inner policy, an object of its own. Borrows r's scratch and crypto. */
ATLS_MUST_USE bool atls_policy_read_document(policy_reader *r, const atls_json *document, atls_policy **out,
                                             atls_error *err);
/* atls_policy_named_type gives the type that a document names, static; NULL when it is no object, or names none of ours. */
const char *atls_policy_named_type(const atls_json *document);
/* atls_policy_crypto gives the reader's crypto, made at its first use; NULL with err set when there is none. */
const atls_crypto *atls_policy_crypto(policy_reader *r);
/* atls_policy_wrong fails with CONFIGURATION: expected in words, actual is the value as it stands in the document. */
bool atls_policy_wrong(policy_reader *r, const char *path, const char *expected, const atls_json *v);
/* atls_policy_path makes "<name>[i]" in the scratch arena; NULL with err set when that is full. */
const char *atls_policy_path(policy_reader *r, const char *name, size_t i);
/* atls_policy_hex reads a string of exactly 2 * n hex digits: lower case in the documents of dstack clients, any case
 * elsewhere. */
ATLS_MUST_USE bool atls_policy_hex(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t n);
ATLS_MUST_USE bool atls_policy_uint(policy_reader *r, const char *path, const atls_json *v, uint64_t max,
                                    uint64_t *out);
ATLS_MUST_USE bool atls_policy_flag(policy_reader *r, const char *path, const atls_json *v, bool *out);
/* atls_policy_text copies a string of 1 to max bytes without control characters into the policy. */
ATLS_MUST_USE bool atls_policy_text(policy_reader *r, const char *path, const atls_json *v, size_t max,
                                    atls_bytes *out);
/* atls_policy_list wants an array of at least min and at most ATLS_MAX_POLICY_LIST entries. */
ATLS_MUST_USE bool atls_policy_list(policy_reader *r, const char *path, const atls_json *v, size_t min);
/* atls_policy_object wants an object whose members are all among the n names (all of them, when `all`), and gives their
 * values in that order, NULL for one that is not there. */
ATLS_MUST_USE bool atls_policy_object(policy_reader *r, const char *path, const atls_json *v, const char *const *names,
                                      size_t n, bool all, const atls_json **out);
/* atls_policy_nearest gives the name within two edits of `word`, NULL when there is none. */
const char *atls_policy_nearest(atls_bytes word, const char *const *names, size_t n);

/* Readers of values that every kind shares: policy_values.c. */
bool atls_policy_read_nothing(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_description(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_flag(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_insecure_flag(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_reference(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_statuses(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_grace_period(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_evaluation_number(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_advisories(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_isvprodid(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_min_isvsvn(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_min_tee_tcb_svn(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_revocation(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_session_age(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_min_grade(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_attributes_mask(policy_reader *r, const policy_member *m, const atls_json *v);

/* Roots: policy_roots.c. */
bool atls_policy_read_roots(policy_reader *r, const policy_member *m, const atls_json *v);
/* atls_policy_add_roots adds roots that came as DER next to the document. Errors: PCK_CHAIN. */
ATLS_MUST_USE bool atls_policy_add_roots(policy_reader *r, const atls_bytes *roots, size_t n);

/* Policies inside policies: policy_nested.c. */
bool atls_policy_read_alternatives(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_hardware(policy_reader *r, const policy_member *m, const atls_json *v);
ATLS_MUST_USE bool atls_policy_check_any_of(policy_reader *r);

/* Documents of somebody else: policy_measurements.c. from_measurements writes one of ours, into the scratch arena. */
bool atls_policy_is_measurements(const atls_json *document);
ATLS_MUST_USE bool atls_policy_from_measurements(policy_reader *r, const atls_json *document, atls_bytes *out);

/* Kinds of evidence other than DCAP: their tables, and the rules between their members. */
extern const policy_member atls_policy_sev_snp_members[];
extern const size_t atls_policy_n_sev_snp_members;
ATLS_MUST_USE bool atls_policy_check_sev_snp(policy_reader *r);
extern const policy_member atls_policy_tpm_members[];
extern const size_t atls_policy_n_tpm_members;
ATLS_MUST_USE bool atls_policy_check_tpm(policy_reader *r);
extern const policy_member atls_policy_nitro_members[];
extern const size_t atls_policy_n_nitro_members;
ATLS_MUST_USE bool atls_policy_check_nitro(policy_reader *r);
extern const policy_member atls_policy_apple_members[];
extern const size_t atls_policy_n_apple_members;
ATLS_MUST_USE bool atls_policy_check_apple(policy_reader *r);
/* atls_policy_add_apple_roots adds roots that came next to the document to those that vouch for attestations. Errors:
 * PCK_CHAIN, CONFIGURATION. */
ATLS_MUST_USE bool atls_policy_add_apple_roots(policy_reader *r, const atls_bytes *roots, size_t n);

extern const policy_member atls_policy_android_members[];
extern const size_t atls_policy_n_android_members;
ATLS_MUST_USE bool atls_policy_check_android(policy_reader *r);
/* atls_policy_add_android_roots adds the keys of certificates that came next to the document to those that vouch for
 * hardware. Errors: PCK_CHAIN. */
ATLS_MUST_USE bool atls_policy_add_android_roots(policy_reader *r, const atls_bytes *roots, size_t n);

extern const policy_member atls_policy_enrolled_members[];
extern const size_t atls_policy_n_enrolled_members;
ATLS_MUST_USE bool atls_policy_check_enrolled(policy_reader *r);
/* atls_policy_add_enrolled_roots adds roots that came next to the document. Errors: PCK_CHAIN, CONFIGURATION. */
ATLS_MUST_USE bool atls_policy_add_enrolled_roots(policy_reader *r, const atls_bytes *roots, size_t n);

/* The members of dstack clients: policy_dstack.c. */
bool atls_policy_read_bootchain(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_compose(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_compose_raw(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_compose_hash(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_os_image_hash(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_app_id(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_instance_id(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_key_provider(policy_reader *r, const policy_member *m, const atls_json *v);
bool atls_policy_read_pccs_url(policy_reader *r, const policy_member *m, const atls_json *v);
/* atls_policy_check_dstack holds the rules between members. */
ATLS_MUST_USE bool atls_policy_check_dstack(policy_reader *r);

#endif
