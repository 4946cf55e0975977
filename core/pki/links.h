/* SPDX-License-Identifier: Apache-2.0 */
/* links.h: signatures of certificates and lists that an earlier, accepted appraisal found good, so that nobody checks them again.
 *
 * What is remembered says nothing but "this signature over these bytes verifies under this key with this algorithm", which is as
 * true tomorrow. Names, dates, constraints, key ids, critical extensions, what is revoked and which root is trusted are
 * asked each time, by the same code as ever; so a remembered yes differs from a fresh one in its cost alone. All the same
 * nothing is remembered beyond the dates of what was signed and of who signed. */
#ifndef ATLS_PKI_LINKS_H
#define ATLS_PKI_LINKS_H

#include "base/cache.h"
#include "chain.h"

/* Signatures of one appraisal that are worth remembering; beyond these it is only checked again. */
#define ATLS_MAX_LINKS 24u

typedef struct atls_link {
    uint8_t key[32]; /* SHA-256 over algorithm, signed bytes, signature and the signer's key, each with its length */
    atls_time from;
    atls_time until;
} atls_link;

/* One appraisal's. */
typedef struct atls_links {
    const atls_crypto *crypto;
    atls_cache *cache; /* NULL: nothing is remembered from earlier appraisals, or for later ones */
    atls_time now;
    atls_link fresh[ATLS_MAX_LINKS]; /* verified in this one */
    size_t n_fresh;
    atls_time newest_issue; /* of a list that its issuer signed, up to `now`; ATLS_TIME_UNSET: none */
} atls_links;

void atls_links_init(atls_links *l, const atls_crypto *c, atls_cache *cache, atls_time now);

/* atls_links_settle ends an appraisal: what it verified is remembered, if it accepted the evidence. */
void atls_links_settle(atls_links *l, bool accepted);

/* A signer's key, opened when somebody needs it. Fill in the first three; close it. */
typedef struct atls_signer {
    const atls_cert *cert;
    atls_code code;    /* of a key that cannot be opened */
    const char *field; /* same */
    atls_key *opened;
} atls_signer;
void atls_signer_close(atls_signer *s);

/* atls_links_verify is atls_link_verify without the signature check where that was done before. l NULL: always with it. */
ATLS_MUST_USE bool atls_links_verify(atls_links *l, const atls_crypto *c, atls_cert *cert, atls_signer *issuer,
                                     uint32_t n_below, atls_code code, const char *field, atls_error *err);

/* atls_links_verify_crl is atls_crl_verify in the same way, for an issuer whose own certificate was verified, or is a root: that
 * its key cannot be taken is MEMORY or INTERNAL, and says nothing about the list. */
ATLS_MUST_USE bool atls_links_verify_crl(atls_links *l, const atls_crypto *c, const atls_crl *crl, atls_signer *issuer,
                                         atls_time now, const char *field, atls_error *err);

#endif
