/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_kinds.h: the pieces that a bundle may hold, as one table, and how their subjects are spelt. Inside this folder only. */
#ifndef ATLS_VERIFY_BUNDLE_KINDS_H
#define ATLS_VERIFY_BUNDLE_KINDS_H

#include "atls/bundle.h"
#include "pki/signature.h"

#define BUNDLE_TCB_INFO    "dcap.tcb_info"    /* <tdx|sgx>/<fmspc>: text, signature, issuer chain */
#define BUNDLE_QE_IDENTITY "dcap.qe_identity" /* <tdx|sgx>: text, signature, issuer chain */
#define BUNDLE_PCK_CRL     "dcap.pck_crl"     /* <processor|platform>: list, issuer chain (may be empty) */
#define BUNDLE_ROOT_CA_CRL "dcap.root_ca_crl" /* root: list */
#define BUNDLE_PCK_CHAIN   "dcap.pck_chain"   /* <fmspc>/<processor|platform>/<sha256 of the PEM>: PEM */
#define BUNDLE_CERTIFICATE "certificate"      /* <whose>/.../<sha256>: DER */
#define BUNDLE_CRL         "crl"              /* <whose>/.../<sha256>: DER */
#define BUNDLE_STATUS      "android.status"   /* google: JSON, and perhaps its dates */

#define BUNDLE_DATES_LEN 16u /* fetched and expires, seconds since 1970, 8 bytes each, big-endian; 0: nobody said */

#define BUNDLE_MAX_SUBJECT_LEN 240u
#define BUNDLE_MAX_SEQUENCE    ((uint64_t)9007199254740991u) /* 2^53 - 1: what JSON can say, too */
#define BUNDLE_MAX_MADE        ((uint64_t)253402300799)      /* the end of the year 9999 */

typedef struct bundle_part {
    const char *name;
    size_t max_len;
    bool may_be_empty;
} bundle_part;

typedef struct bundle_kind {
    const char *name;
    size_t n_parts;
    size_t n_optional; /* of them, at the end */
    bundle_part parts[ATLS_BUNDLE_MAX_PARTS];
} bundle_kind;

/* atls_bundle_kind finds a row of the table, NULL when there is none. Static. */
const bundle_kind *atls_bundle_kind(atls_bytes name);

/* atls_bundle_check_piece checks a piece against its row: parts and their lengths, letters of the subject. at is its index, for
 * fields. Errors: UNSUPPORTED, COLLATERAL_FORMAT, LIMIT. */
ATLS_MUST_USE bool atls_bundle_check_piece(const atls_bundle_piece *p, size_t at, atls_error *err);

/* What a status list says of itself: when it was fetched, and until when its sender lets it be used. */
typedef struct bundle_dates {
    atls_time fetched; /* ATLS_TIME_UNSET: nobody said */
    atls_time expires;
} bundle_dates;

/* atls_bundle_dates reads the dates of a status list; both are unset where it has none. False: no dates that can be. */
ATLS_MUST_USE bool atls_bundle_dates(const atls_bundle_piece *p, bundle_dates *out);

/* atls_bundle_put_dates writes the part that atls_bundle_dates reads. False: no dates that can be. */
ATLS_MUST_USE bool atls_bundle_put_dates(const bundle_dates *dates, uint8_t out[static BUNDLE_DATES_LEN]);

/* atls_bundle_order compares two pieces by kind, then subject. */
int atls_bundle_order(const atls_bundle_piece *a, const atls_bundle_piece *b);

/* atls_bundle_subject_of reads the subject out of the parts of a piece whose kind is set. In the arena. Errors:
 * COLLATERAL_FORMAT, MEMORY. */
ATLS_MUST_USE bool atls_bundle_subject_of(const atls_crypto *c, const atls_bundle_piece *p, atls_arena *arena,
                                          const char **out, atls_error *err);

/* What a check of a bundle cost: steps of searches, signatures. For tests. */
typedef struct bundle_cost {
    uint64_t n_compared;
    uint64_t n_verified;
} bundle_cost;

/* atls_bundle_check_counted is atls_bundle_check, and counts. */
ATLS_MUST_USE bool atls_bundle_check_counted(const atls_bundle *b, const atls_bytes *roots, size_t n_roots,
                                             atls_time now, atls_arena *arena, atls_piece_finding *out,
                                             bundle_cost *cost, atls_error *err);

#endif
