/* SPDX-License-Identifier: Apache-2.0 */
/* enrolled.h: certificates that an enrolment CA gave to keys of phones.
 *
 *   chain = certificate ... certificate     DER, the enrolled one first, one behind the other; the root may be left out
 *
 * decode.c        the list: every length checked, nothing believed
 * authenticate.c  chain to a root of the policy, what the certificate is for, what it says of its key: alone makes claims
 * chain.c         certificates: the walk, and the rules for the enrolled one
 * revocation.c    lists, as far as there are any
 * appraise.c      app, security level, policy of the enrolment
 *
 * Not checked here: that somebody holds the key (a TLS session shows that; the binding is the key), that the phone is still
 * what it was when it enrolled (short lives and lists are for that), names in the certificate (the CA put them there).
 *
 * Source: the project's specification of attested enrolment, section 11; docs/bridge.md; RFC 5280. */
#ifndef ATLS_EVIDENCE_ENROLLED_H
#define ATLS_EVIDENCE_ENROLLED_H

#include "atls/enrolled_key.h"
#include "evidence/format.h"

/* The certificates as they were received, leaf first. */
typedef struct enrolled_evidence {
    atls_bytes ders[ATLS_ENROLLED_MAX_CHAIN];
    size_t n; /* at least 1 */
} enrolled_evidence;

/* enrolled_decode splits a chain; out borrows in. Errors: EVIDENCE_FORMAT with field "chain". */
ATLS_MUST_USE bool enrolled_decode(atls_bytes in, enrolled_evidence *out, atls_error *err);

/* The certificates up to the root, which comes out of the policy where the evidence leaves it out. */
typedef struct enrolled_chain {
    atls_cert *certs[ATLS_ENROLLED_MAX_CHAIN + 1]; /* leaf first */
    size_t n;                                      /* at least 2 */
    size_t n_shown;                                /* of them in the evidence */
    const atls_enrolled_root *root;                /* of the policy */
} enrolled_chain;

/* enrolled_chain_root decodes the certificates; the last one must be a root of the policy, or be signed by one. Errors: EVIDENCE_FORMAT,
 * CERTIFICATE_CHAIN with a field such as "chain[1]". */
ATLS_MUST_USE bool enrolled_chain_root(const enrolled_evidence *e, const atls_authority *auth, atls_arena *arena,
                                       enrolled_chain *out, atls_error *err);
/* enrolled_chain_walk checks every certificate at an instant, and every link. Errors: CERTIFICATE_CHAIN, EXPIRED,
 * NOT_YET_VALID. */
ATLS_MUST_USE bool enrolled_chain_walk(const enrolled_chain *chain, const atls_authority *auth, atls_error *err);
/* enrolled_chain_leaf checks what the enrolled certificate may be used for. Errors: CERTIFICATE_CHAIN. */
ATLS_MUST_USE bool enrolled_chain_leaf(const enrolled_chain *chain, atls_error *err);
/* enrolled_field gives the name of certificate i in errors. Static. */
const char *enrolled_field(size_t i);

/* enrolled_revocation looks the chain up in the lists that are at hand, as the policy's mode asks, and records one check. *n
 * counts the certificates that a current list covers. Errors: REVOKED, CRL, EXPIRED, NOT_YET_VALID, ENDORSEMENTS_MISSING. */
ATLS_MUST_USE bool enrolled_revocation(const enrolled_chain *chain, const atls_authority *auth, atls_arena *arena,
                                       uint8_t *n, atls_trace *trace, atls_error *err);

/* enrolled_level ranks a security level by its name; false for a name that is none. */
ATLS_MUST_USE bool enrolled_level(atls_bytes name, atls_key_level *out);

/* The doors. */
const atls_format *enrolled_format(void);
bool enrolled_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                           atls_trace *trace, atls_error *err);
bool enrolled_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                       atls_trace *trace, atls_error *err);
void enrolled_put_claims(struct atls_jw *w, const atls_claims *claims);

#endif
