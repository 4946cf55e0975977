/* SPDX-License-Identifier: Apache-2.0 */
/* policy.h: what the relying party expects, as JSON text turned into an immutable object.
 *
 * Kinds: "dstack_tdx" (documents of the Atlas client work verbatim), "tdx", "sgx". docs/policy.md lists every member.
 * Unknown members, repeated members, wrong types and wrong lengths are errors with the member's path as the field;
 * whatever weakens a check has insecure_ in its name, is listed by atls_policy_insecure, and shows in every result. */
#ifndef ATLS_POLICY_H
#define ATLS_POLICY_H

#include "bytes.h"
#include "error.h"
#include "result.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct atls_policy atls_policy;

/* atls_policy_parse reads a policy document (UTF-8 JSON, at most 1 MiB). The object is the caller's
 * (atls_policy_free), copies what it needs, and never changes: any number of threads may share it.
 * Errors: CONFIGURATION with the member as field; MEMORY. Source: docs/policy.md; specification of dstack section 4. */
ATLS_MUST_USE bool atls_policy_parse(atls_bytes json, atls_policy **out, atls_error *err);

/* atls_policy_parse_with_roots is the same, and trusts n_roots more roots, each one DER certificate (at most 8 KiB),
 * instead of the vendor's, as if the document had named them in "trusted_roots". Errors: also PCK_CHAIN when a root is
 * not a certificate that signed itself with a supported algorithm. */
ATLS_MUST_USE bool atls_policy_parse_with_roots(atls_bytes json, const atls_bytes *roots, size_t n_roots,
                                                atls_policy **out, atls_error *err);

/* atls_policy_free frees a policy; NULL is fine. No verifier made from it may be in use. */
void atls_policy_free(atls_policy *p);

/* atls_policy_kind gives "dstack_tdx", "tdx" or "sgx". Static. */
const char *atls_policy_kind(const atls_policy *p);

/* atls_policy_insecure gives the names of the members that weaken this policy, in document order. Borrowed from p. */
atls_text_list atls_policy_insecure(const atls_policy *p);

/* atls_policy_min_grade gives the least grade of binding that the policy accepts. */
atls_grade atls_policy_min_grade(const atls_policy *p);

/* atls_policy_max_session_age gives the seconds after which a session's proof is too old to go on, and whether that is the
 * default, which holds for atls/1 only (86,400), or stands in the document, and then holds for every profile. */
uint32_t atls_policy_max_session_age(const atls_policy *p, bool *by_default);

/* atls_policy_attested_only tells whether the policy waives ordinary server identity. */
bool atls_policy_attested_only(const atls_policy *p);

#ifdef __cplusplus
}
#endif
#endif
