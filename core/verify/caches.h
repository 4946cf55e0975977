/* SPDX-License-Identifier: Apache-2.0 */
/* caches.h: what one verifier remembers: made with it, freed with it.
 *
 * Keys do not name the policy, and so two verifiers never share caches: what a policy trusts is part of every answer. */
#ifndef ATLS_VERIFY_CACHES_H
#define ATLS_VERIFY_CACHES_H

#include "atls/verifier.h"
#include "base/cache.h"
#include "pki/links.h"

/* atls_caches_new makes what the options ask for; NULL with no_cache. options NULL: the defaults. Errors: MEMORY. */
ATLS_MUST_USE bool atls_caches_new(const atls_verifier_options *options, atls_caches **out, atls_error *err);

/* atls_caches_free frees them; NULL is fine. */
void atls_caches_free(atls_caches *c);

/* atls_caches_count gives their numbers, zeros for NULL. */
atls_verifier_counts atls_caches_count(const atls_caches *c);

/* atls_caches_note remembers when what vouched in an accepted appraisal was issued: lists, and DCAP's documents. c NULL:
 * nothing is remembered. */
void atls_caches_note(atls_caches *c, const atls_claims *claims, const atls_links *links);

/* atls_verifier_caches lends a verifier's caches, for tests and benchmarks. */
const atls_caches *atls_verifier_caches(const atls_verifier *v);

#endif
