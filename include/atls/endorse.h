/* SPDX-License-Identifier: Apache-2.0 */
/* endorse.h: what vouches for the hardware, as values.
 *
 * The verifier asks for endorsements through one callback, so that an offline bundle, a folder, an HTTP fetcher and a
 * test double look the same. What the callback returns is untrusted: each piece is only believed through its own
 * signature, chain and dates. */
#ifndef ATLS_ENDORSE_H
#define ATLS_ENDORSE_H

#include "arena.h"
#include "bytes.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an SEV-SNP report needs of AMD's key distribution service (57230 chapter 4), in the parts of its URLs:
 *
 *   /vcek/v1/<product>/<chip_id>?<tcb>       the VCEK, DER; a VLEK cannot be fetched: the guest must send it
 *   /vcek/v1/<product>/cert_chain, /vlek/... ASK or ASVK, then ARK, PEM
 *   /vcek/v1/<product>/crl, /vlek/...        revocation list
 *
 * Taken from a report that is not verified yet: a lie fetches the wrong certificates. Texts are static or in the arena. */
typedef struct atls_sev_snp_request {
    const char *product; /* "Milan", "Genoa", "Turin"; "" when the report does not say (version 2): try them */
    bool is_vlek;        /* which key signed */
    bool needs_leaf;     /* the VCEK or VLEK did not come along with the report */
    bool needs_chain;    /* nor did the intermediate that issued it. The ARK is always worth having */
    const char *chip_id; /* lower-case hex, 128 digits, Turin 16; "" when masked: then a VCEK cannot be fetched */
    const char *tcb;     /* "blSPL=3&teeSPL=0&snpSPL=8&ucodeSPL=115", Turin with fmcSPL first: the reported TCB */
    uint8_t reported_tcb[8];
} atls_sev_snp_request;

/* What the evidence needs. */
typedef struct atls_endorsement_request {
    atls_platform platform;
    bool is_tdx;                  /* DCAP: which TCB info and QE identity */
    uint8_t fmspc[6];             /* DCAP */
    const char *pck_ca;           /* "processor" or "platform"; "" when the evidence has no PCK chain of its own */
    bool needs_pck_chain;         /* certification data types 1 to 4: the PCK chain must come along */
    atls_sev_snp_request sev_snp; /* platform SEV_SNP */
} atls_endorsement_request;

/* DCAP collateral, as QuoteCollateralV3 and the PCS have it. Chains are PEM text, CRLs DER, documents the exact signed
 * text (the inner object), signatures 128 hex digits. Empty: absent. */
typedef struct atls_dcap_collateral {
    atls_bytes pck_crl_issuer_chain;
    atls_bytes root_ca_crl;
    atls_bytes pck_crl;
    atls_bytes tcb_info_issuer_chain;
    atls_bytes tcb_info;
    atls_bytes tcb_info_signature;
    atls_bytes qe_identity_issuer_chain;
    atls_bytes qe_identity;
    atls_bytes qe_identity_signature;
    atls_bytes pck_certificate_chain; /* optional */
} atls_dcap_collateral;

/* Pieces of endorsements, as bits: what is about one subject, and belongs together. */
#define ATLS_PIECE_ROOT_CA_CRL 1u
#define ATLS_PIECE_PCK_CRL     2u  /* with its issuer chain */
#define ATLS_PIECE_TCB_INFO    4u  /* with signature and issuer chain */
#define ATLS_PIECE_QE_IDENTITY 8u  /* same */
#define ATLS_PIECE_PCK_CHAIN   16u /* pck_certificate_chain */

/* Certificates and revocation lists in no particular order, one DER each. What vouches for SEV-SNP (VCEK or VLEK, ASK or
 * ASVK; lists), a TPM (AK certificate, intermediates) or Nitro (lists) comes like that. A room picks by content what it
 * needs, and ignores the rest. */
#define ATLS_MAX_PILE_CERTIFICATES 32u
#define ATLS_MAX_PILE_CRLS         16u
typedef struct atls_certificate_pile {
    const atls_bytes *certificates; /* n_certificates, at most ATLS_MAX_PILE_CERTIFICATES */
    size_t n_certificates;
    const atls_bytes *crls; /* n_crls, at most ATLS_MAX_PILE_CRLS */
    size_t n_crls;
} atls_certificate_pile;

/* Google's list of revoked attestation certificates, for Android. */
typedef struct atls_android_status {
    atls_bytes list; /* JSON as published, at most 16 MiB; empty: none */
    const struct atls_android_list
        *compiled;     /* the same, read once (android.h); wins over list. NULL: none. Outlives the
                                               * appraisal */
    atls_time fetched; /* when whoever fetched it got it; ATLS_TIME_UNSET: not known */
    atls_time
        expires; /* by its sender's headers (max-age, Expires); UNSET: an hour after `fetched`, if that is known */
} atls_android_status;

typedef struct atls_endorsements {
    atls_platform platform; /* what dcap is for; NONE: there is no collateral */
    atls_dcap_collateral dcap;
    atls_certificate_pile pile;
    atls_android_status android;
    unsigned
        stapled; /* ATLS_PIECE_ bits of what a peer sent along with its evidence; the result's list shows them. It changes
                       * no check. 0: nothing */
    bool insecure_older; /* out of a signed bundle older than the last one, which the caller allowed; the result's list
                          * shows it (bundle.h) */
} atls_endorsements;

/* atls_endorse_fn finds endorsements for a request. It writes *out, whose slices live in the arena or outlive the
 * appraisal, and returns true; or sets err and returns false. ENDORSEMENTS_MISSING, IO and TIMEOUT leave the question open, for the
 * policy to answer; any other code ends the appraisal with it, because it may be about the list that revokes.
 * It is called on the thread of the appraisal: once for each piece of evidence and each alternative of any_of, and once more for an
 * SEV-SNP report inside other evidence that came with its certificates, if what was asked for first could not be had. */
typedef bool (*atls_endorse_fn)(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                atls_endorsements *out, atls_error *err);

/* atls_endorsements_from_bundle reads an offline bundle: the QuoteCollateralV3 JSON of dcap-qvl (strings; CRLs as hex
 * DER; inner documents as strings). At most ATLS_MAX_BUNDLE_LEN bytes. Unknown members are ignored, repeated ones
 * refused. Slices of out point into json and the arena. Pure. Errors: COLLATERAL_FORMAT with the member as field, MEMORY. */
ATLS_MUST_USE bool atls_endorsements_from_bundle(atls_bytes json, atls_arena *arena, atls_endorsements *out,
                                                 atls_error *err);

/* atls_endorsements_from_bundle_fn is an atls_endorse_fn whose ctx is an atls_bytes with such a bundle. Pure. */
bool atls_endorsements_from_bundle_fn(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                      atls_endorsements *out, atls_error *err);

/* atls_endorsements_to_bundle writes the same format, compact, members in the order of atls_dcap_collateral. Pure.
 * Errors: MEMORY. */
ATLS_MUST_USE bool atls_endorsements_to_bundle(const atls_endorsements *in, atls_arena *arena, atls_bytes *out,
                                               atls_error *err);

/* atls_endorsements_merge puts together, for one request, endorsements of one's own and those that the peer sent along with
 * its evidence ("stapled"): of two pieces for one subject the newer one. It verifies nothing. Dates and numbers are hints of
 * whoever wrote them, and the appraisal authenticates whatever was chosen, so that a forged piece that looks newer ends in a
 * refusal, never in a yes.
 *
 * A stapled piece is taken in place of one's own if it is about the same subject, newer in one of two respects, and older in
 * neither. Otherwise one's own stays, also one that cannot be read.
 *
 *   TCB info             id, FMSPC and PCEID equal     issueDate; tcbEvaluationDataNumber not lower
 *   QE identity          id equal                      issueDate; tcbEvaluationDataNumber not lower
 *   PCK CRL, root CRL    issuer equal, byte for byte   crlNumber, thisUpdate
 *
 * A piece that one's own side lacks is taken from the stapled ones; that is the only way for a PCK chain, and only if the
 * request says that the evidence has none. Stapled documents of another kind or FMSPC than the request's, and stapled
 * pieces that cannot be read or are incomplete (document, signature, chain), count as absent.
 *
 * own      NULL: there are none; platform NONE: there is no collateral. Its pile and its status list are kept in any case
 * stapled  NULL, or platform NONE: there are none. Nothing but its collateral is looked at
 * out      borrows from both; may be neither. platform: own's, else the request's, NONE if there is no collateral at all.
 *          stapled: which pieces come from there
 *
 * Documents are decoded in the arena. Pure; any number of threads. Errors: MEMORY.
 * Source: specification of atls/1, "Stapled endorsements". */
ATLS_MUST_USE bool atls_endorsements_merge(const atls_endorsements *own, const atls_endorsements *stapled,
                                           const atls_endorsement_request *request, atls_arena *arena,
                                           atls_endorsements *out, atls_error *err);

/* atls_endorsements_add adds what a file holds to endorsements that are there already (or zeroed): certificates and
 * revocation lists, DER or PEM in any mixture, to the pile; a bundle of collateral (above) in place of none; a status list of
 * Android in place of none, fetched nobody knows when. Slices point into file and the arena. Pure. Nothing is verified.
 * Errors: COLLATERAL_FORMAT, also for a second bundle or status list; LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_endorsements_add(atls_bytes file, atls_arena *arena, atls_endorsements *inout, atls_error *err);

/* atls_endorsements_load (libatls, does I/O) reads path: a file as of atls_endorsements_add, a folder of such files (names
 * that end in .pem, .crt, .cer, .der or .crl; others are left alone), or a folder of PCS responses
 * (tcb.body.json, qe_identity.body.json, pckcrl.body.der, rootcacrl.body.der, headers.json; docs/endorsements.md lists the
 * spellings that are understood). Everything is copied into the arena. Errors: IO, COLLATERAL_FORMAT, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_endorsements_load(const char *path, atls_arena *arena, atls_endorsements *out, atls_error *err);

/* atls_endorsements_load_more is the same, and adds to what is there. On failure *inout may hold a part. */
ATLS_MUST_USE bool atls_endorsements_load_more(const char *path, atls_arena *arena, atls_endorsements *inout,
                                               atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
