/* SPDX-License-Identifier: Apache-2.0 */
/* lists.h: certificates against the revocation lists that are at hand, for the rooms that take a pile of them from anybody.
 *
 * What cannot be read, is about others or is not signed by the authority it names, is not there. A list that its authority signed
 * may be old: it does not show that a certificate is good then, but what it lists stays revoked. */
#ifndef ATLS_LISTS_H
#define ATLS_LISTS_H

#include "atls/endorse.h"
#include "claims.h"
#include "pki/links.h"

typedef struct atls_lists {
    const atls_crypto *crypto;
    atls_links *links;
    atls_time at;
    atls_crl *items;
    size_t n;
    size_t n_missing;  /* certificates that need a list and have none */
    uint8_t n_covered; /* certificates that a current list covers */
    atls_error why;    /* why the last list that looked right was of no use */
} atls_lists;

/* One certificate, and who must have signed its list. */
typedef struct atls_listed {
    const atls_cert *cert;
    const char *field; /* its name in errors; static */
    const atls_cert *issuer;
    const char *issuer_field;
    bool by_key_id;  /* the list must also name the issuer's key id */
    bool needs_list; /* false: one that is there counts, and nothing is said where there is none */
} atls_listed;

/* atls_lists_read decodes what can be decoded, in the arena; crypto, links and at are set before. Errors: MEMORY. */
ATLS_MUST_USE bool atls_lists_read(const atls_certificate_pile *pile, atls_arena *arena, atls_lists *l,
                                   atls_error *err);

/* atls_lists_check looks one certificate up in every list of its issuer: which of them comes first decides nothing. Errors: REVOKED; MEMORY
 * and INTERNAL (the list that could not be checked may be the one that revokes); where a list is needed and is_required,
 * why the last one was of no use, or ENDORSEMENTS_MISSING. */
ATLS_MUST_USE bool atls_lists_check(atls_lists *l, const atls_listed *c, bool is_required, atls_error *err);

/* atls_lists_conclude records the check `id`: passed, or skipped for want of lists. whose: "certificates". */
ATLS_MUST_USE bool atls_lists_conclude(const atls_lists *l, const char *id, const char *field, const char *whose,
                                       atls_trace *trace, atls_error *err);

#endif
