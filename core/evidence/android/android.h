/* SPDX-License-Identifier: Apache-2.0 */
/* android.h: Android Key Attestation: a chain of certificates whose leaf is of a phone's key, and says so in an extension.
 *
 *   leaf (the key; KeyDescription) <- attestation <- factory: intermediate, or remote: Droid CA3, Droid CA2 <- root
 *
 * decode.c        the chain, in four forms; nothing believed
 * description.c   KeyDescription and its two lists of authorizations; values.c what stands in their members
 * names.c         what the subjects of certificates say: provisioning, level; provisioning.c the CBOR beside it
 * status.c        Google's list of revoked certificates
 * chain.c         anchor, dates, signatures, revocation, shape, for one mode
 * authenticate.c  description, app, chains of all modes: alone makes claims
 * session.c       the form that a session has, where the attested key signs, too
 * appraise.c      challenge, time, levels, boot state, versions, for one mode after the other; checks.c each of them
 *
 * General X.509 rules would refuse genuine phones: key usage, basic constraints, path length, key ids, name constraints and
 * critical extensions are not looked at. Nor is here checked what the app does with its key, whether the phone's system has
 * holes, or anything in attestationId* members.
 *
 * Source of all of it: the Android specification of this project (android.md); sections are its. */
#ifndef ATLS_EVIDENCE_ANDROID_H
#define ATLS_EVIDENCE_ANDROID_H

#include "base/cbor.h"
#include "evidence/format.h"
#include "pki/chain.h"

#define ANDROID_MAX_CERTIFICATES 10u           /* section 1: five is what there is */
#define ANDROID_MAX_CHAIN_LEN    (64u * 1024)  /* bytes of DER */
#define ANDROID_MAX_EVIDENCE_LEN (192u * 1024) /* of any form; as much as a statement in a request may have */
#define ANDROID_MAX_SET          64u           /* values of one SET; real ones have up to 6 */
#define ANDROID_MAX_TAGS         256u /* members of one list, repeated ones included; real ones have up to 25 */
#define ANDROID_MAX_PACKAGES     256u /* with one user id; the most that were seen is 13 */
#define ANDROID_MAX_DIGESTS      64u
#define ANDROID_MAX_STATUS_LEN   (16u * 1024 * 1024) /* section 9 */

/* A chain as it was received; everything borrows from it, or lives in the arena. */
typedef struct android_evidence {
    atls_cert *certs; /* n of them, leaf first */
    size_t n;
    size_t n_described; /* certificates with a key description */
    size_t described;   /* index of the one closest to the root; n when there is none */
    atls_error why;     /* its description cannot be read, or there is none; OK: `description` holds it */
    atls_android_key_description description;
    atls_android_provisioning provisioning;
    atls_android_level certificate_level;
    bool is_droid_ca3; /* the subject of n-3 is */
    atls_android_provisioning_info info;
    bool is_session;              /* it came in the form of a session, with this signature */
    atls_bytes session_signature; /* DER */
} android_evidence;

/* android_chain_decode reads a chain: PEM, concatenated DER, a JSON array of base64 or base64url DER, or a statement {"typ":
 * "android-key", "x5c": [...]}. Errors: ANDROID_CHAIN_UNPARSABLE with a field such as "chain[2].tbs.serial"; MEMORY. What is
 * wrong with the key description is kept in out->why: whoever looks at the chain may still see it. */
ATLS_MUST_USE bool android_chain_decode(atls_bytes in, atls_arena *arena, android_evidence *out, atls_error *err);

/* android_certificates_decode does the same with n certificates that were found already, leaf first; 1 to ANDROID_MAX_CERTIFICATES. */
ATLS_MUST_USE bool android_certificates_decode(const atls_bytes *ders, size_t n, atls_arena *arena,
                                               android_evidence *out, atls_error *err);

/* android_session_decode reads what a phone shows in a session of atls/1: session.c. Errors: EVIDENCE_FORMAT with "session.<member>", those
 * of android_chain_decode. */
ATLS_MUST_USE bool android_session_decode(atls_bytes in, atls_arena *arena, android_evidence *out, atls_error *err);

/* android_session_check checks that the attested key signed the session, and says so in the claims; of evidence of the other form it
 * says nothing. Errors: EVIDENCE_SIGNATURE with "session.signature" or "chain[0].key"; INTERNAL, MEMORY. */
ATLS_MUST_USE bool android_session_check(const android_evidence *e, const atls_authority *auth, atls_claims *claims,
                                         atls_trace *trace, atls_error *err);

/* android_chain_split finds the certificates in any of these forms, at most ANDROID_MAX_CERTIFICATES. */
ATLS_MUST_USE bool android_chain_split(atls_bytes in, atls_arena *arena, atls_bytes *ders, size_t *n, atls_error *err);

/* android_looks_like gives the number of certificates of a chain in which a key description stands; 0: it is none. */
size_t android_looks_like(atls_bytes in, atls_arena *arena);

/* android_description_decode reads the content of the extension (section 3). Errors: ANDROID_APP_UNEXPECTED with
 * "keyDescription.<member>"; MEMORY. */
ATLS_MUST_USE bool android_description_decode(atls_bytes in, atls_arena *arena, atls_android_key_description *out,
                                              atls_error *err);

/* android_authorizations_decode reads a bare AuthorizationList, as `field` ("keyDescription.hardwareEnforced"). */
ATLS_MUST_USE bool android_authorizations_decode(atls_bytes in, const char *field, atls_arena *arena,
                                                 atls_android_authorizations *out, atls_error *err);

/* What a member's value may be. values.c: each reads the content of the EXPLICIT tag. False: of the wrong type, or MEMORY
 * with err set. */
ATLS_MUST_USE bool android_read_integer(atls_bytes in, atls_android_integer *out);
ATLS_MUST_USE bool android_read_null(atls_bytes in);
ATLS_MUST_USE bool android_read_octets(atls_bytes in, atls_android_octets *out);
ATLS_MUST_USE bool android_read_set(atls_bytes in, atls_arena *arena, atls_android_set *inout, atls_error *err);
ATLS_MUST_USE bool android_read_root_of_trust(atls_bytes in, atls_android_root_of_trust *out);
/* The OCTET STRING alone decides; what is inside makes it intact or not. */
ATLS_MUST_USE bool android_read_application_id(atls_bytes in, atls_arena *arena, atls_android_application_id *out,
                                               atls_error *err);

/* android_patch_level decodes YYYYMM or YYYYMMDD with a month of 1 to 12 into months since the year 0; false when it is
 * neither (quirks Q4 and Q5). */
ATLS_MUST_USE bool android_patch_level(uint64_t raw, int64_t *months);

/* names.c, section 8. */
void android_names_read(android_evidence *e);
/* android_names_equal: byte for byte, or the same attributes with values that differ in case and string type alone. */
ATLS_MUST_USE bool android_names_equal(atls_bytes a, atls_bytes b);
/* provisioning.c */
void android_provisioning_read(atls_bytes in, atls_android_provisioning_info *out);

/* status.c, section 9. The answer for one serial, the content of its INTEGER. */
typedef struct android_status {
    bool is_revoked;
    const char *status; /* as the list has it; "" without an entry */
    const char *reason; /* same */
} android_status;
ATLS_MUST_USE bool android_list_compile(const atls_crypto *crypto, atls_bytes json, atls_arena *arena,
                                        const atls_android_list **out, atls_error *err);
/* android_list_find looks a serial up, by its hexadecimal rendering and, when asked, its decimal one. */
ATLS_MUST_USE bool android_list_find(const atls_android_list *list, atls_bytes serial, bool match_decimal,
                                     android_status *out, atls_error *err);

/* Whom a chain must lead to, and what is waived. */
typedef struct android_path {
    const atls_key_anchor *anchors;
    size_t n_anchors;
    int64_t at_ms; /* t */
    bool ignore_leaf_validity;
    bool ignore_factory_expiry;
    bool match_decimal;
    const atls_android_list *list; /* NULL: there is none that can be used, for the reason in list_why */
    const atls_error *list_why;
} android_path;

/* android_path_check makes the checks of steps 3 to 8 (section 11), in that order; each is a line of the trace. Errors: the
 * codes of these steps, with a field such as "chain[2].not_after". */
ATLS_MUST_USE bool android_path_check(const android_evidence *e, const android_path *path, const atls_crypto *crypto,
                                      atls_arena *arena, atls_trace *trace, atls_error *err);

/* android_is_factory_chain: keys that were put in when the phone was made, and cannot be changed since. */
bool android_is_factory_chain(const android_evidence *e);

/* checks.c: steps 9 to 15 for one mode. Every mismatch goes to the trace, the first one to err. */
ATLS_MUST_USE bool android_mode_judge(const atls_android_claims *claims, const atls_android_policy *policy,
                                      atls_android_mode mode, atls_time now, atls_arena *arena, atls_trace *trace,
                                      atls_error *err);

/* How the modes ended: which error is told (section 11, after the table). attempts[i] is looked at where tried[i]. */
atls_android_mode android_mode_of_error(const atls_error why[ATLS_ANDROID_N_MODES],
                                        const bool tried[ATLS_ANDROID_N_MODES]);
/* android_trace_copy appends the lines of one list to another. */
ATLS_MUST_USE bool android_trace_copy(const atls_trace *from, atls_trace *to, atls_error *err);
/* "android.mode.hardware", for what became of a mode. Static. */
const char *android_mode_id(atls_android_mode mode);

/* Application overrides, resolved. */
ATLS_MUST_USE bool android_wants_remote(const atls_android_policy *p, size_t application);

/* claims_json.c: shared with inspect.c. Members of a record, personal data left out unless asked for. */
void android_put_description(struct atls_jw *w, const char *name, const atls_android_key_description *d);

/* The doors. */
const atls_format *android_format(void);
bool android_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                          atls_trace *trace, atls_error *err);
bool android_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                      atls_trace *trace, atls_error *err);
bool android_names_code(const atls_policy *policy);
bool android_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
void android_put_claims(struct atls_jw *w, const atls_claims *claims);

#endif
