/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h: what the steps of authenticate hand to each other. Inside this room only.
 *
 * Certificates and lists come from the table of the report and from the endorsements. They are as untrusted as each other:
 * certificates.c picks by content which ones belong to this report, and whichever it picks is then verified. */
#ifndef ATLS_EVIDENCE_SEVSNP_PROOF_H
#define ATLS_EVIDENCE_SEVSNP_PROOF_H

#include "judge.h"
#include "pki/chain.h"
#include "sevsnp.h"

/* All that was given: the endorsements' certificates, and PEM chains in four entries of the table. */
#define SEVSNP_MAX_CERTS (ATLS_MAX_PILE_CERTIFICATES + 4u * ATLS_MAX_PEM_CERTS)

typedef struct sevsnp_given {
    atls_cert_pool pool;
    atls_error unread; /* why the first certificate that could not be read was not; ATLS_OK: all could */
} sevsnp_given;

/* sevsnp_gather decodes every certificate of the table and of the endorsements (NULL: none). Those that cannot be read are
 * left out, the first reason is kept. Errors: MEMORY. */
ATLS_MUST_USE bool sevsnp_gather(const sevsnp_evidence *e, const atls_endorsements *endorsements, atls_arena *arena,
                                 sevsnp_given *out, atls_error *err);

/* sevsnp_pick_leaf gives the leaf that suits the report best, NULL when there is none: of the kind that signed, with its
 * TCB, with its chip. */
atls_cert *sevsnp_pick_leaf(const sevsnp_given *given, const sevsnp_report *report);

/* sevsnp_issuer_product reads the product out of an issuer's name, SEV-<product> or SEV-VLEK-<product>. UNKNOWN: it is
 * neither, or not of the kind that issues such leaves. */
atls_snp_product sevsnp_issuer_product(atls_bytes issuer_name, bool is_vlek);

/* sevsnp_is_leaf_name tells whether a subject is that of a leaf, and of which kind. */
bool sevsnp_is_leaf_name(atls_bytes subject, bool *is_vlek);

typedef struct sevsnp_proof {
    const sevsnp_evidence *evidence;
    const sevsnp_report *report;
    const atls_authority *auth;
    atls_arena *arena;
    atls_error *err;
    sevsnp_given given;
    atls_cert *leaf_cert;
    atls_cert *issuer; /* ASK or ASVK */
    atls_cert *ark;
    const atls_anchor *anchor;
    atls_signer ark_key;    /* of ark */
    atls_signer issuer_key; /* of issuer */
    atls_key *leaf_key;
    bool leaf_is_vlek;
    atls_snp_product product; /* of the report where it says, else of the issuer that verified */
    atls_snp_product issuer_product;
    sevsnp_leaf leaf;
    bool revocation_checked;
    atls_time list_expiration; /* ATLS_TIME_UNSET: no list */
} sevsnp_proof;

/* Steps 3: certificates.c */
bool sevsnp_check_chain(sevsnp_proof *p);
/* revocation.c. *why is set, and true returned, when the check was left out. */
bool sevsnp_check_revocation(sevsnp_proof *p, const char **why);

bool sevsnp_request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err);
bool sevsnp_complete(const void *evidence, const atls_endorsements *endorsements, atls_error *err);
bool sevsnp_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                         atls_trace *trace, atls_error *err);
bool sevsnp_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                     atls_trace *trace, atls_error *err);
bool sevsnp_names_code(const atls_policy *policy);
bool sevsnp_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);
void sevsnp_put_claims(struct atls_jw *w, const atls_claims *claims);

/* Step 10 of appraise: appraise_tcb.c */
void sevsnp_judge_tcb(atls_judge *j);

#endif
