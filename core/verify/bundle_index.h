/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_index.h: the certificates and lists of a bundle, in order, so that whoever looks one up does not look at all. Inside this
 * folder only.
 *
 * Who made the bundle chooses names and numbers. So what stands under one name is bounded, too: beyond that a piece is
 * refused (LIMIT), and nobody tries thousands of keys for each of thousands of certificates. */
#ifndef ATLS_VERIFY_BUNDLE_INDEX_H
#define ATLS_VERIFY_BUNDLE_INDEX_H

#include "pki/chain.h"

#define BUNDLE_MAX_SAME_SUBJECT 64u /* certificates of one name, of which an issuer is looked for */
#define BUNDLE_MAX_CANDIDATES                                                                                          \
    8u /* of them those with the right key id: genuine bundles have one, or two while keys change */
#define BUNDLE_MAX_SAME_ISSUER 16u /* lists of one issuer; an appraisal takes no more */

typedef struct bundle_index {
    atls_bytes *ders; /* as they were put in */
    size_t n_ders;
    size_t cap;
    atls_cert **by_der; /* n_certs, without doubles and without what cannot be read */
    atls_cert **by_subject;
    size_t n_certs;
    atls_crl **lists; /* n_lists, by issuer */
    size_t n_lists;
    uint64_t n_compared; /* steps of every search, for tests */
} bundle_index;

/* atls_bundle_index_init makes room for at most so many certificates and lists. Errors: MEMORY. */
ATLS_MUST_USE bool atls_bundle_index_init(bundle_index *x, size_t n_certs, size_t n_lists, atls_arena *a,
                                          atls_error *err);

/* atls_bundle_index_put takes a certificate, borrowed. Room for it is the caller's business: beyond it LIMIT. */
ATLS_MUST_USE bool atls_bundle_index_put(bundle_index *x, atls_bytes der, atls_error *err);

/* atls_bundle_index_build decodes and orders what was put in. Errors: MEMORY. */
ATLS_MUST_USE bool atls_bundle_index_build(bundle_index *x, atls_arena *a, atls_error *err);

/* atls_bundle_index_add_list takes a list whose signature verifies, for which there must be room; _order_lists puts them in order,
 * and their serials. Errors: MEMORY. */
void atls_bundle_index_add_list(bundle_index *x, atls_crl *list);
ATLS_MUST_USE bool atls_bundle_index_order_lists(bundle_index *x, atls_arena *a, atls_error *err);

/* atls_bundle_index_find finds a certificate by its bytes, NULL when it was not put in or cannot be read. */
atls_cert *atls_bundle_index_find(bundle_index *x, atls_bytes der);

/* atls_bundle_index_subject gives the certificates of a name, one after the other in *first, and their number, counted to
 * one beyond the bound. */
size_t atls_bundle_index_subject(bundle_index *x, atls_bytes name, atls_cert *const **first);

/* atls_bundle_index_issuer gives the lists of an issuer in the same way. */
size_t atls_bundle_index_issuer(bundle_index *x, atls_bytes name, atls_crl *const **first);

#endif
