/* SPDX-License-Identifier: Apache-2.0 */
/* dcap.h: Intel SGX and TDX quotes (DCAP), versions 3, 4 and 5.
 *
 * decode.c        quote bytes -> dcap_quote                       specification section 2
 * pck.c           the SGX extension of a PCK certificate        section 3
 * tcb_info.c, qe_identity.c, levels.c  signed JSON -> structs    section 4
 * authenticate.c  steps 1 to 16 of section 6, in its order, over the certificates of chains.c
 * tcb.c           levels, module, convergence: pure             sections 7, 8, 9
 * appraise.c      steps 17 and 18: attributes, status, grace, evaluation number, advisories, machines, measurements
 * inspect.c       a decoded quote as JSON; bundle.c: endorsements from and to JSON (section 4.3); newer.c: of two
 *                 pieces of endorsements for one subject the newer one
 *
 * Not checked: that the platform still exists or is where you think (a PPID list may say which machines are yours); the
 * content of QE auth data and of header.user_data (signed, opaque); anything after the quote (unsigned, counted only).
 */
#ifndef ATLS_EVIDENCE_DCAP_H
#define ATLS_EVIDENCE_DCAP_H

#include "atls/forecast.h"
#include "evidence/format.h"
#include "pki/cert.h"

#define DCAP_TEE_SGX 0x00000000u
#define DCAP_TEE_TDX 0x00000081u

typedef struct dcap_quote {
    atls_bytes raw;        /* everything that was given */
    uint16_t version;      /* 3, 4, 5 */
    uint16_t att_key_type; /* 2: ECDSA P-256 */
    uint32_t tee_type;
    uint8_t qe_vendor_id[16];
    uint8_t user_data[20];
    uint16_t body_type;     /* 1 SGX, 2 TD 1.0, 3 TD 1.5, also for versions 3 and 4 */
    atls_bytes signed_span; /* what the quote signature covers */
    atls_sgx_report sgx;    /* body_type 1 */
    atls_td_report td;      /* body_type 2, 3 */
    atls_bytes signature;   /* 64, r || s */
    atls_bytes att_key;     /* 64, X || Y */
    atls_bytes qe_report;   /* 384, as signed */
    atls_sgx_report qe;
    atls_bytes qe_signature; /* 64 */
    atls_bytes qe_auth;
    uint16_t cert_type; /* inner certification data type, 1 to 5 */
    atls_bytes cert_data;
    size_t trailing_len;
} dcap_quote;

/* dcap_quote_decode reads a quote. Borrows in. Errors: QUOTE_FORMAT with the field ("quote.header.version"), marked
 * unsupported for versions, key types and TEE types beyond this library. SGX in versions 4 and 5 decodes; authenticate
 * refuses it unless the policy allows it. */
ATLS_MUST_USE bool dcap_quote_decode(atls_bytes in, dcap_quote *out, atls_error *err);

/* The SGX extension of a PCK certificate (section 3). */
typedef struct dcap_pck {
    uint8_t ppid[16];
    uint8_t comp[16];
    uint16_t pcesvn;
    uint8_t cpusvn[16];
    uint8_t pceid[2];
    uint8_t fmspc[6];
    uint8_t sgx_type;
    bool has_platform_info;
    uint8_t platform_instance_id[16];
    bool dynamic_platform;
    bool cached_keys;
    bool smt_enabled;
} dcap_pck;
ATLS_MUST_USE bool dcap_pck_decode(const atls_cert *cert, dcap_pck *out, atls_error *err);
/* dcap_put_extension writes the extension as members of the object that is open in w: claims_json.c */
void dcap_put_extension(struct atls_jw *w, const dcap_pck *p);

typedef struct dcap_tcb_level {
    uint8_t sgx[16];
    uint8_t tdx[16];
    uint16_t pcesvn; /* or isvsvn, for modules and enclaves */
    atls_time date;
    atls_tcb_status status;
    atls_text_list advisories;
} dcap_tcb_level;

typedef struct dcap_module_identity {
    uint8_t version; /* NN of "TDX_NN" */
    uint8_t mrsigner[48];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
    const dcap_tcb_level *levels; /* by isvsvn, descending */
    size_t n_levels;
} dcap_module_identity;

typedef struct dcap_tcb_info {
    bool is_tdx;
    uint32_t version; /* 2 or 3 */
    atls_time issue_date;
    atls_time next_update;
    uint8_t fmspc[6];
    uint8_t pceid[2];
    uint32_t evaluation_data_number;
    const dcap_tcb_level *levels; /* sorted as section 7 says */
    size_t n_levels;
    bool has_identities;
    dcap_module_identity base; /* "tdxModule": version 0, no levels */
    const dcap_module_identity *identities;
    size_t n_identities;
} dcap_tcb_info;

typedef struct dcap_qe_identity {
    uint32_t version;
    bool is_td_qe;
    atls_time issue_date;
    atls_time next_update;
    uint32_t evaluation_data_number;
    uint8_t miscselect[4];
    uint8_t miscselect_mask[4];
    uint8_t attributes[16];
    uint8_t attributes_mask[16];
    uint8_t mrsigner[32];
    uint16_t isvprodid;
    const dcap_tcb_level *levels; /* by isvsvn, descending */
    size_t n_levels;
} dcap_qe_identity;

/* Both read the exact signed text (the inner object). Errors: COLLATERAL_FORMAT with the member's path; an identity of
 * another kind or version is QE_IDENTITY_MISMATCH (CASES E: qeid-qve, qeid-version-1). */
ATLS_MUST_USE bool dcap_tcb_info_decode(atls_bytes text, atls_arena *a, dcap_tcb_info *out, atls_error *err);
ATLS_MUST_USE bool dcap_qe_identity_decode(atls_bytes text, atls_arena *a, dcap_qe_identity *out, atls_error *err);

/* dcap_qe_level gives the quoting enclave's first level with isvsvn at or below the given one; none is TCB_NOT_SUPPORTED. */
ATLS_MUST_USE bool dcap_qe_level(const dcap_qe_identity *identity, uint16_t isvsvn, const dcap_tcb_level **out,
                                 atls_error *err);

/* dcap_tcb_evaluate is sections 7 to 9 as a pure function: levels, module, relaunch, convergence, advisories, dates.
 * Errors: TDX_MODULE_MISMATCH, TCB_NOT_SUPPORTED, TCB_REVOKED. td is NULL for SGX. Module signer and attributes (step
 * 11) are dcap_module_check's. */
ATLS_MUST_USE bool dcap_module_check(const dcap_tcb_info *info, const atls_td_report *td,
                                     const dcap_module_identity **out, atls_error *err);
ATLS_MUST_USE bool dcap_tcb_evaluate(const dcap_tcb_info *info, const dcap_qe_identity *identity, const dcap_pck *pck,
                                     const atls_td_report *td, uint16_t qe_isvsvn, atls_arena *a, atls_tcb *out,
                                     atls_error *err);

/* What orders two documents about one subject. Nothing in it is authentic by itself. */
typedef struct dcap_age {
    bool is_read; /* else it says nothing */
    bool is_tdx;
    uint8_t fmspc[6]; /* zeros in an identity, which is of no platform */
    uint8_t pceid[2];
    atls_time issued;
    uint32_t number; /* tcbEvaluationDataNumber */
} dcap_age;

/* A text that cannot be read is one that says nothing. Errors: MEMORY. */
ATLS_MUST_USE bool dcap_age_of_tcb_info(atls_bytes text, atls_arena *a, dcap_age *out, atls_error *err);
ATLS_MUST_USE bool dcap_age_of_qe_identity(atls_bytes text, atls_arena *a, dcap_age *out, atls_error *err);
/* dcap_age_is_older tells whether x is about the same subject, and its date or its number is lower. */
bool dcap_age_is_older(const dcap_age *x, const dcap_age *than);

/* dcap_collateral_newer is atls_endorsements_merge (endorse.h) of collateral; *stapled_pieces are its ATLS_PIECE_ bits. out
 * may be neither of the others. Errors: MEMORY. */
ATLS_MUST_USE bool dcap_collateral_newer(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                                         const atls_endorsement_request *request, atls_arena *a,
                                         atls_dcap_collateral *out, unsigned *stapled_pieces, atls_error *err);

/* dcap_outlook says which status a decoded quote (of this room's decode) has by these documents, and which of its versions are
 * short of the newest level that is up to date. It verifies nothing: the caller knows that all of it is authentic. Writes has_tcb,
 * status, evaluation_data_number and gaps. Errors: those of the decoders, PCK_CHAIN, MEMORY. */
ATLS_MUST_USE bool dcap_outlook(const void *evidence, const atls_dcap_collateral *c, atls_arena *a,
                                atls_forecast_verdict *out, atls_error *err);

/* dcap_status_fold is the table of section 9. What the table does not list folds to UNKNOWN, which nobody accepts. */
atls_tcb_status dcap_status_fold(atls_tcb_status base, atls_tcb_status other);

/* The room's row in the registry. Static. What its decode hands out as evidence begins with a dcap_quote; it belongs to
 * one appraisal, as its arena does. */
const atls_format *dcap_format(void);

#endif
