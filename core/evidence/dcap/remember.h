/* SPDX-License-Identifier: Apache-2.0 */
/* remember.h: what this room remembers of an accepted appraisal, so that the next one need not check it again. Inside
 * this room only.
 *
 * Two kinds of objects, each immutable, each the answer to a question that is spelt out by its key:
 *
 *   dcap_compiled  "do these endorsements hold?"  steps 2 to 8 over eight pieces, byte for byte, under one PCK CA: its
 *                  link to the root included, and that the CA is not on the root's list
 *   dcap_platform  "is this a PCK chain, and did its key sign this QE report?"  leaf under CA under root, DER for DER
 *
 * What depends on both, or on the quote, is asked each time: that the leaf is not on the list, that TCB info and identity
 * are about this platform and kind of TEE, module, QE report data, identity, TCB level, and the quote's signature. The
 * window of each is the intersection of every validity it rests on. Neither says which roots are trusted: that is the
 * policy's, and the caches are one policy's verifier's. remember.c uses them, compiled.c makes them. */
#ifndef ATLS_EVIDENCE_DCAP_REMEMBER_H
#define ATLS_EVIDENCE_DCAP_REMEMBER_H

#include "base/cache.h"
#include "dcap.h"
#include "pki/chain.h"

#define DCAP_N_PIECES 8u
/* A platform has few quoting enclaves at a time; whoever makes ever new ones only forgets their own. */
#define DCAP_N_QE_REPORTS 4u

struct dcap_proof;

/* When everything that an answer rests on is valid, and what the claims say about that. */
typedef struct dcap_dates {
    atls_time from;
    atls_time until; /* the claims' earliest_expiration, but for the PCK leaf */
    atls_time earliest_issue;
    atls_time latest_issue;
} dcap_dates;

typedef struct dcap_compiled {
    atls_cached head;
    atls_bytes pieces[DCAP_N_PIECES]; /* what was verified: copies, compared byte for byte */
    atls_bytes ca;                    /* DER of the PCK CA: it signed the list, and the root signed it. A copy */
    atls_bytes root;                  /* DER of the root that every chain ends in. A copy */
    const atls_anchor *anchor;        /* the policy's, which outlives its verifier */
    uint8_t root_key_id[48];
    dcap_dates dates;
    atls_crl root_crl; /* decoded over the copies, sorted */
    atls_crl pck_crl;
    dcap_tcb_info info; /* levels and texts are copies, too */
    dcap_qe_identity identity;
} dcap_compiled;

typedef struct dcap_platform_facts {
    size_t root_index; /* places in the chain, whose order the key covers */
    size_t ca_index;
    bool is_platform_ca;
    const char *ca_name; /* static */
    uint8_t serial[20];
    size_t serial_len;
    atls_time not_after; /* of the leaf */
    uint8_t key[64];     /* of the leaf, X || Y */
    dcap_pck pck;
    uint8_t qe_reports[DCAP_N_QE_REPORTS][32]; /* newest first: SHA-256 over QE report and signature */
    size_t n_qe_reports;
} dcap_platform_facts;

typedef struct dcap_platform {
    atls_cached head;
    dcap_platform_facts facts;
} dcap_platform;

/* A chain of three certificates, whichever is which. */
typedef struct dcap_chain_id {
    atls_bytes ders[3]; /* borrowed */
    uint8_t key[32];    /* SHA-256 over the three, in their order, with their lengths */
} dcap_chain_id;

/* dcap_pieces lists what endorsements are made of, in one order. Not among them: pck_crl_issuer_chain, which nobody looks
 * at, and pck_certificate_chain, which is the platform's. */
void dcap_pieces(const atls_dcap_collateral *given, atls_bytes out[DCAP_N_PIECES]);

/* dcap_texts_copy copies a list and its texts into an arena. */
ATLS_MUST_USE bool dcap_texts_copy(const atls_text_list *in, atls_arena *a, atls_text_list *out, atls_error *err);

/* dcap_compiled_new makes the object of a proof that was accepted, with copies of everything; NULL when memory is short. */
dcap_compiled *dcap_compiled_new(const struct dcap_proof *p, const atls_crypto *c, const uint8_t key[32]);

/* dcap_platform_new makes one that is found by id->key, holds while all three certificates do, and has these facts. NULL
 * when memory is short. */
dcap_platform *dcap_platform_new(const dcap_chain_id *id, atls_time from, atls_time until,
                                 const dcap_platform_facts *facts);

#endif
