/* SPDX-License-Identifier: Apache-2.0 */
/* proof.h: what the steps of authenticate hand to each other. Inside this room only.
 *
 * A proof is filled from top to bottom: certificates by chains.c (steps 2, 3, 4, 7, 8 and the chain of 6), documents
 * and the quote by authenticate.c. Each member is trusted only once the step that checks it has passed; keys are opened
 * once and closed together. */
#ifndef ATLS_EVIDENCE_DCAP_PROOF_H
#define ATLS_EVIDENCE_DCAP_PROOF_H

#include "dcap.h"
#include "pki/chain.h"
#include "remember.h"

typedef struct dcap_chain {
    atls_cert *certs[ATLS_MAX_PEM_CERTS];
    size_t n;
} dcap_chain;

/* What request and authenticate both need of the quote's own chain, so that it is decoded once. Belongs to one
 * appraisal. */
typedef struct dcap_memo {
    atls_cert_pool pool;
    bool has_ders;
    atls_bytes ders[ATLS_MAX_PEM_CERTS]; /* of certification data type 5, as they stand there */
    size_t n_ders;
    bool has_chain;
    dcap_chain chain;      /* of certification data type 5 */
    const atls_cert *leaf; /* whose extension `pck` is; NULL: none yet */
    dcap_pck pck;
    /* remember.c */
    bool has_id;
    dcap_chain_id id;              /* of the quote's own chain */
    const dcap_platform *platform; /* what is remembered of it; NULL: nothing */
    struct dcap_proof *proof;      /* of this appraisal; NULL: authenticate has not begun */
    atls_cached *held[3];          /* until settle */
    size_t n_held;
} dcap_memo;

/* What decode hands out. The quote comes first, so that a pointer to the evidence is a pointer to its quote. */
typedef struct dcap_evidence {
    dcap_quote quote;
    dcap_memo *memo;
} dcap_evidence;

/* A chain that was given. Reading it may come earlier than the step whose error a malformed one is. */
typedef struct dcap_given_chain {
    atls_bytes pem;
    const char *field;      /* "tcb_info_issuer_chain" */
    const char *leaf_field; /* "tcb_info_issuer_chain.leaf" */
    atls_code code;
    bool is_quotes; /* the quote's own: PEM in certification data may end with NUL */
    bool is_read;
    atls_error error; /* of reading; ATLS_OK: chain is there */
    dcap_chain chain;
} dcap_given_chain;

/* What remains to be asked of a PCK leaf once its chain has been checked. */
typedef struct dcap_leaf {
    atls_bytes issuer;
    atls_bytes serial;
    atls_time not_after;
} dcap_leaf;

typedef struct dcap_proof {
    const dcap_evidence *evidence;
    const dcap_quote *quote;
    const atls_authority *auth;
    const atls_dcap_collateral *given;
    atls_arena *arena;
    atls_error *err;
    dcap_given_chain tcb_chain;
    dcap_given_chain qe_chain;
    dcap_given_chain pck_chain;
    /* what is remembered of all this: remember.c */
    bool has_id;
    dcap_chain_id id; /* of the PCK chain */
    bool has_key;
    uint8_t key[32];               /* of the endorsements */
    const dcap_compiled *compiled; /* NULL: they are checked */
    const dcap_platform *known;    /* NULL: the platform is checked */
    const dcap_platform *seen;     /* what was known of it, usable or not */
    bool has_qe_id;
    uint8_t qe_id[32];
    bool knows_qe_report;
    /* certificates */
    const atls_anchor *anchor;
    atls_cert *root;
    atls_crl root_crl;
    atls_cert *tcb_signer;
    atls_cert *qe_signer;
    atls_cert *pck_ca;
    const char *pck_ca_name;
    atls_cert *pck; /* NULL where the platform is known */
    dcap_leaf leaf;
    atls_crl pck_crl;
    atls_key *root_key;
    atls_key *tcb_key;
    atls_key *qe_key; /* NULL: the same as tcb_key */
    atls_key *pck_ca_key;
    atls_key *pck_key;
    atls_key *att_key;
    /* documents and quote */
    dcap_tcb_info info;
    dcap_qe_identity identity;
    const dcap_pck *platform;
    const dcap_module_identity *module;
    atls_tcb tcb;
} dcap_proof;

/* Steps, in their order. Each sets p->err when it fails. */
ATLS_MUST_USE bool dcap_check_root(dcap_proof *p);
ATLS_MUST_USE bool dcap_check_root_crl(dcap_proof *p);
ATLS_MUST_USE bool dcap_check_tcb_info_chain(dcap_proof *p);
ATLS_MUST_USE bool dcap_check_qe_identity_chain(dcap_proof *p);
ATLS_MUST_USE bool dcap_check_pck_chain(dcap_proof *p);
ATLS_MUST_USE bool dcap_check_pck_crl(dcap_proof *p);

/* dcap_chain_init says which texts the three chains are read from: an external PCK chain is preferred to the quote's.
 */
void dcap_chain_init(dcap_proof *p);

/* dcap_chain_read decodes a chain that was given, once; g->error says what is wrong with it. */
void dcap_chain_read(dcap_proof *p, dcap_given_chain *g);

/* dcap_quote_ders takes the certificates out of a quote (type 5), once. */
ATLS_MUST_USE bool dcap_quote_ders(const dcap_evidence *e, const atls_bytes **ders, size_t *n, atls_error *err);

/* dcap_quote_chain decodes the chain inside a quote (type 5), once. */
ATLS_MUST_USE bool dcap_quote_chain(const dcap_evidence *e, const dcap_chain **out, atls_error *err);

/* dcap_pck_path tells leaf, intermediate and root of a PCK chain of three apart, by names, not by position. Nothing is
 * verified. Errors: PCK_CHAIN. */
typedef struct dcap_pck_path {
    atls_cert *leaf;
    atls_cert *ca;
    atls_cert *root;
} dcap_pck_path;
ATLS_MUST_USE bool dcap_pck_path_find(const dcap_chain *chain, dcap_pck_path *out, atls_error *err);

/* dcap_pck_extension decodes the SGX extension of a leaf, once. */
ATLS_MUST_USE bool dcap_pck_extension(const dcap_evidence *e, const atls_cert *leaf, const dcap_pck **out,
                                      atls_error *err);

/* dcap_pck_ca_name gives the static name of a PCK CA, "Intel SGX PCK Platform CA", and whether it is that one; NULL for
 * any other certificate. */
const char *dcap_pck_ca_name(const atls_cert *ca, bool *is_platform);

/* dcap_dates_of gathers the dates of what was checked, but for the PCK leaf's. */
dcap_dates dcap_dates_of(const dcap_proof *p);

/* dcap_root_key_id hashes a root's key as people know it: without the byte that says "uncompressed". Errors: INTERNAL. */
ATLS_MUST_USE bool dcap_root_key_id(const atls_crypto *c, const atls_cert *root, uint8_t out[48], atls_error *err);

/* dcap_recall_proof finds what is remembered, before the first step: which steps need not be taken, and what they would
 * have found. It cannot fail. */
void dcap_recall_proof(dcap_proof *p);

/* The doors, for the room's row. */
void dcap_recall(const void *evidence, const atls_authority *auth);
void dcap_settle(const void *evidence, const atls_authority *auth, bool accepted);
bool dcap_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                       atls_trace *trace, atls_error *err);
bool dcap_appraise(const atls_claims *claims, const atls_policy *policy, atls_time now, atls_arena *arena,
                   atls_trace *trace, atls_error *err);
void dcap_put_claims(struct atls_jw *w, const atls_claims *claims);
bool dcap_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err);

/* The bodies of a quote as JSON objects, for results and for inspections: claims_json.c */
void dcap_put_td(struct atls_jw *w, const atls_td_report *r);
void dcap_put_sgx(struct atls_jw *w, const char *name, const atls_sgx_report *r);

#endif
