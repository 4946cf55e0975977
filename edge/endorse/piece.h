/* SPDX-License-Identifier: Apache-2.0 */
/* piece.h: one answer of a source: what it is asked for by, what it must look like, until when it may be used. Pure.
 *
 * piece_path.c  which piece <-> the path and query that ask for it, which is also its name in every cache
 * piece_older.c which of two answers is a step back
 * piece_read.c  an answer, of the network or of the folder, becomes its parts, or is refused
 *
 * Reading decides nothing about trust: it tells answers that are worth keeping from those for which the next source should be
 * asked. Source: specification of DCAP, section 5; of SEV-SNP, section 4. */
#ifndef ATLS_EDGE_ENDORSE_PIECE_H
#define ATLS_EDGE_ENDORSE_PIECE_H

#include "atls/fetch.h"
#include "pki/signature.h"
#include "url.h"

#define ATLS_PIECE_CERTS    4u
#define ATLS_PIECE_FOR_EVER ((atls_time)253402300799) /* the end of 9999: nothing in it has a date */

/* Whose roots may vouch for an answer: the vendors', and these. */
typedef struct atls_piece_roots {
    uint8_t sha256[ATLS_MAX_FETCH_ROOTS][32];
    size_t n;
} atls_piece_roots;

typedef struct atls_piece_id {
    atls_fetched_kind kind;
    bool is_tdx;             /* TCB_INFO, QE_IDENTITY */
    atls_update update;      /* same */
    uint8_t fmspc[6];        /* TCB_INFO */
    bool is_platform_ca;     /* PCK_CRL */
    bool is_vlek;            /* SNP_CHAIN, SNP_CRL */
    char product[8];         /* SNP */
    char chip_id[129];       /* SNP_LEAF */
    char tcb[80];            /* same */
    char url[ATLS_URL_SIZE]; /* DOCUMENT */
} atls_piece_id;

/* atls_piece_path writes the name of a piece: path and query, or a document's address. Two pieces have the same name only if
 * they are the same. */
void atls_piece_path(const atls_piece_id *id, char out[static ATLS_URL_SIZE]);

/* atls_piece_parse reads such a name, in exactly the spelling of atls_piece_path. False for anything else. */
ATLS_MUST_USE bool atls_piece_parse(const char *path, atls_piece_id *out);

/* atls_piece_set_snp fills in product, chip id and TCB, NULL for those that do not matter, if they are spelt as KDS wants
 * them: they come out of unverified evidence, and become part of an address. */
ATLS_MUST_USE bool atls_piece_set_snp(atls_piece_id *id, const char *product, const char *chip_id, const char *tcb);

/* atls_piece_name gives the word for errors, "tcb_info", and atls_piece_field "endorsements.tcb_info". Static. */
const char *atls_piece_name(atls_fetched_kind kind);
const char *atls_piece_field(atls_fetched_kind kind);

/* atls_piece_is_dcap tells whose sources are asked. Documents are neither's. */
bool atls_piece_is_dcap(atls_fetched_kind kind);
bool atls_piece_is_snp(atls_fetched_kind kind);

/* What a source answered with, as it came. */
typedef struct atls_answer {
    atls_bytes body;
    atls_bytes chain; /* value of the header that has the issuer chain; empty: there was none */
} atls_answer;

typedef struct atls_piece_parts {
    atls_bytes content;
    atls_bytes signature;
    atls_bytes chain; /* PEM */
    atls_bytes certificates[ATLS_PIECE_CERTS];
    size_t n_certificates;
    atls_time
        valid_until; /* the first of all dates in it: usable before, not at it. ATLS_PIECE_FOR_EVER: it has none */
} atls_piece_parts;

/* atls_piece_check_root wants the chain that came with a piece to end in a root that may vouch for it, and each certificate to be
 * signed by the one above it. Pieces that come without one hold. Errors: as atls_piece_read. */
ATLS_MUST_USE bool atls_piece_check_root(const atls_piece_id *id, const atls_crypto *crypto,
                                         const atls_piece_roots *roots, const atls_piece_parts *parts,
                                         atls_arena *arena, atls_error *err);

/* atls_piece_check_leaf wants the certificate of a chip to be signed by the intermediate of a chain. Errors: the same. */
ATLS_MUST_USE bool atls_piece_check_leaf(const atls_crypto *crypto, const atls_piece_parts *leaf,
                                         const atls_piece_parts *chain, atls_error *err);

#define ATLS_PIECE_WHY 96u

/* atls_piece_is_older tells whether a piece is a step back from another one by the same name: a lower tcbEvaluationDataNumber,
 * issueDate, crlNumber or thisUpdate, whatever the others are. Pieces that count nothing are never. why: both, for people.
 * Errors: MEMORY. */
ATLS_MUST_USE bool atls_piece_is_older(atls_fetched_kind kind, const atls_piece_parts *p, const atls_piece_parts *than,
                                       atls_arena *a, bool *older, char why[static ATLS_PIECE_WHY], atls_error *err);

/* atls_piece_is_chainless tells whether it is a list that came without a chain: nothing says yet who signed it. */
bool atls_piece_is_chainless(atls_fetched_kind kind, const atls_piece_parts *p);

/* atls_piece_list_is_of tells whether a list is signed by the root that the chain of another piece ends in. */
bool atls_piece_list_is_of(const atls_crypto *crypto, const atls_piece_parts *list, const atls_piece_parts *other,
                           atls_arena *arena);

/* atls_piece_read takes an answer apart, and wants it to be what was asked for: subject, shape, and the signature by the
 * certificate that came beside it. Slices of out point into the answer and the arena, which needs some 32 MiB for the longest.
 * Dates are read, and not compared with anything. Errors: COLLATERAL_FORMAT, LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_piece_read(const atls_piece_id *id, const atls_crypto *crypto, const atls_answer *in,
                                   atls_arena *arena, atls_piece_parts *out, atls_error *err);

#endif
