/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h: one file with everything that vouches for hardware, dated, and signed by its operator.
 *
 * For verifiers without a network, and for those who want every one of them to judge by the same endorsements. A bundle makes
 * nothing trusted: each piece in it is believed only through its vendor's signature, chain and dates, at every appraisal.
 * What the operator's signature adds is that whoever carries the file can neither mix the pieces of two bundles, nor leave one
 * out, nor (with a memory of what was used last, below) bring back an older one.
 *
 * docs/bundle.md has the format, byte by byte. The functions are pure unless they say otherwise. */
#ifndef ATLS_BUNDLE_H
#define ATLS_BUNDLE_H

#include "arena.h"
#include "bytes.h"
#include "endorse.h"
#include "error.h"
#include "time.h"

#ifdef __cplusplus
extern "C" {
#endif

#define ATLS_BUNDLE_MAX_LEN    (32u * 1024 * 1024) /* bytes of a file */
#define ATLS_BUNDLE_MAX_PIECES 4096u
#define ATLS_BUNDLE_MAX_PARTS  3u
#define ATLS_BUNDLE_MAX_KEYS   16u /* that a caller trusts at a time */

/* ---- keys ---- */

/* An Ed25519 public key. */
typedef struct atls_bundle_key {
    uint8_t raw[32];
} atls_bundle_key;

/* atls_bundle_key_parse reads a public key: 32 bytes, or a SubjectPublicKeyInfo in DER or PEM, as `openssl pkey -pubout`
 * writes it. Errors: USAGE with field "key". */
ATLS_MUST_USE bool atls_bundle_key_parse(atls_bytes file, atls_bundle_key *out, atls_error *err);

/* atls_bundle_key_pair makes a key of 32 bytes that nobody can guess: PKCS #8 and SubjectPublicKeyInfo, PEM. Both are in the
 * arena, which is wiped when it is freed. Errors: INTERNAL, MEMORY. */
ATLS_MUST_USE bool atls_bundle_key_pair(const uint8_t seed[32], atls_arena *arena, atls_bytes *private_pem,
                                        atls_bytes *public_pem, atls_error *err);

/* ---- a bundle ---- */

/* One piece: what is about one subject, and is signed by its vendor. kind and subject say where to look for it, and are
 * believed by nobody. */
typedef struct atls_bundle_piece {
    const char *kind;    /* "dcap.tcb_info": docs/bundle.md lists them */
    const char *subject; /* "tdx/50806f000000": printable, without spaces */
    atls_bytes parts[ATLS_BUNDLE_MAX_PARTS];
    size_t n_parts;
} atls_bundle_piece;

typedef struct atls_bundle {
    bool insecure_unsigned; /* opened without a look at its signature: to be looked at, and for nothing else */
    bool insecure_older;    /* older than the one used before it, which the caller allowed; set by the memory (below) */
    uint8_t signer[32];     /* public key */
    uint64_t sequence;      /* grows from one bundle of a signer to the next; at most 2^53 - 1 */
    atls_time made;         /* when, as the signer says */
    const atls_bundle_piece *pieces; /* by kind, then subject */
    size_t n_pieces;
} atls_bundle;

/* atls_bundle_is tells whether a file begins like a bundle of any version. */
bool atls_bundle_is(atls_bytes file);

/* atls_bundle_open checks the signature, and then reads the file.
 *
 * file   borrowed: the pieces point into it
 * keys   n_keys, 1 to ATLS_BUNDLE_MAX_KEYS: who may have signed it. None is USAGE
 * arena  for the list of pieces and their names
 * out    written only on success
 *
 * Errors: UNSUPPORTED (another version, a member or kind of piece that this reader does not know); TRUNCATED (too short to be
 * one); BUNDLE_SIGNATURE with the signer's key as actual; COLLATERAL_FORMAT, field "bundle.pieces[3].subject" and the like;
 * LIMIT, MEMORY, USAGE. Knows no time: dates are each piece's. */
ATLS_MUST_USE bool atls_bundle_open(atls_bytes file, const atls_bundle_key *keys, size_t n_keys, atls_arena *arena,
                                    atls_bundle *out, atls_error *err);

/* atls_bundle_open_insecure_unsigned reads a file without a look at its signature, so that somebody may see what is in it.
 * atls_bundle_endorse and the memory refuse such a bundle. Errors: as above, but for BUNDLE_SIGNATURE. */
ATLS_MUST_USE bool atls_bundle_open_insecure_unsigned(atls_bytes file, atls_arena *arena, atls_bundle *out,
                                                      atls_error *err);

/* atls_bundle_find gives the piece of a kind and subject, NULL when there is none. */
const atls_bundle_piece *atls_bundle_find(const atls_bundle *b, const char *kind, const char *subject);

/* atls_bundle_endorse is an atls_endorse_fn whose ctx is a const atls_bundle *. It picks what the request asks for; what it
 * picks is verified by the appraisal like anything else. Any number of threads may share a bundle. Errors:
 * ENDORSEMENTS_MISSING with the piece as field and subject as expected; USAGE for a bundle that was opened unsigned; LIMIT,
 * MEMORY. */
bool atls_bundle_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err);

/* ---- making one ---- */

/* Pieces on their way into a bundle. */
typedef struct atls_bundle_pieces {
    atls_bundle_piece *items; /* by kind, then subject */
    size_t n;
    size_t cap;
    atls_arena *arena;
} atls_bundle_pieces;

/* atls_bundle_pieces_init makes an empty list. Names of pieces, not their parts, live in the arena. */
void atls_bundle_pieces_init(atls_bundle_pieces *p, atls_arena *arena);

/* atls_bundle_add takes endorsements apart into pieces, whose subject is read from what they hold. Nothing is verified. Of two
 * pieces for one subject the one that was issued later stays; that is how several folders of the PCS become one bundle.
 * Slices of e stay the caller's. Errors: COLLATERAL_FORMAT, LIMIT, MEMORY; two pieces for one subject, issued at the same
 * instant, that differ: COLLATERAL_FORMAT with the subject as field. */
ATLS_MUST_USE bool atls_bundle_add(atls_bundle_pieces *p, const atls_endorsements *e, atls_error *err);

/* atls_bundle_add_file is the same for a file: what atls_endorsements_add reads, or Google's list of revoked Android
 * attestation keys (JSON with the member "entries"). A signed bundle is added with atls_bundle_add_all. */
ATLS_MUST_USE bool atls_bundle_add_file(atls_bundle_pieces *p, atls_bytes file, atls_error *err);

/* atls_bundle_add_all adds the pieces of another bundle. Errors: as atls_bundle_add. */
ATLS_MUST_USE bool atls_bundle_add_all(atls_bundle_pieces *p, const atls_bundle *b, atls_error *err);

/* atls_bundle_pack writes the file and signs it. The same pieces, numbers and key give the same bytes.
 *
 * sequence     1 to 2^53 - 1; higher than that of every earlier bundle of this key
 * made         not ATLS_TIME_UNSET
 * private_pem  PKCS #8 of an Ed25519 key; the decoded key is wiped before the function returns
 * out          in the arena of p
 *
 * Errors: USAGE (key, numbers, no piece at all), LIMIT, MEMORY, INTERNAL. */
ATLS_MUST_USE bool atls_bundle_pack(const atls_bundle_pieces *p, uint64_t sequence, atls_time made,
                                    atls_bytes private_pem, atls_bytes *out, atls_error *err);

/* ---- what is in one ---- */

/* What a piece says of itself, unverified. Texts are static or in the arena. */
typedef struct atls_piece_facts {
    const char *what;       /* "TCB info for TDX, FMSPC 50806f000000" */
    const char *issuer;     /* who signed it: a name, "" when it does not say */
    const char *number;     /* "evaluation data number 17", "crlNumber 01"; "" */
    atls_time from;         /* first second; ATLS_TIME_UNSET: it has no dates (a status list) */
    atls_time until;        /* last second of the piece itself */
    const char *until_name; /* "nextUpdate", "notAfter" */
    atls_time
        chain_until; /* the earliest notAfter among the certificates that came with it; ATLS_TIME_UNSET: none did */
    const char *chain_until_who; /* whose; "" */
} atls_piece_facts;

/* atls_bundle_piece_describe reads a piece. Errors: COLLATERAL_FORMAT, MEMORY. */
ATLS_MUST_USE bool atls_bundle_piece_describe(const atls_bundle_piece *piece, atls_arena *arena, atls_piece_facts *out,
                                              atls_error *err);

/* How far a piece can be followed without any evidence. */
typedef enum atls_piece_trust {
    ATLS_PIECE_UNKNOWN = 0, /* its issuer is neither in the bundle nor pinned: nothing can be said */
    ATLS_PIECE_ANCHORED,    /* its signature, and every one up to a root that is trusted, verify */
    ATLS_PIECE_UNSIGNED,    /* it carries no signature of its own, only its server's: a status list */
} atls_piece_trust;

/* What was found about one piece. */
typedef struct atls_piece_finding {
    atls_piece_trust trust;
    atls_error error; /* ATLS_OK: all that could be checked holds */
} atls_piece_finding;

/* atls_bundle_check verifies each piece by itself, at one instant: its subject is what it holds, its signature and every one
 * above it verify up to a root that is trusted, no certificate on the way is on a list of the bundle, and every date holds.
 * Certificates are looked for in the whole bundle; a list that is about other certificates of its issuer
 * (issuingDistributionPoint) is passed over. It does not ask who signed the bundle. The cost grows with the number of pieces,
 * and with its logarithm.
 *
 * roots  n_roots certificates, DER, trusted beside the vendors' roots
 * now    ATLS_TIME_UNSET is refused
 * out    as many as the bundle has pieces, in their order. Their errors: COLLATERAL_FORMAT, CERTIFICATE_CHAIN, CRL,
 *        TCB_INFO_SIGNATURE, QE_IDENTITY_SIGNATURE, REVOKED, EXPIRED, NOT_YET_VALID; LIMIT where more than 8 certificates
 *        could be that of its issuer, or more than 16 lists are of it. A piece whose issuer is not in the bundle has none, and
 *        ATLS_PIECE_UNKNOWN
 *
 * Returns true when every piece was looked at, whatever was found. Errors: USAGE, MEMORY, INTERNAL, LIMIT. */
ATLS_MUST_USE bool atls_bundle_check(const atls_bundle *b, const atls_bytes *roots, size_t n_roots, atls_time now,
                                     atls_arena *arena, atls_piece_finding *out, atls_error *err);

/* ---- the memory of what was used last (libatls, does I/O) ---- */

/* atls_bundle_admit refuses a bundle that is older than one of the same signer that was admitted before: a lower sequence, or
 * the same one and an earlier date. What is newer becomes the memory, in the file `state`.
 *
 * state  one line for each signer, written to a new file that takes the old one's place, under a lock, so that any number of
 *        processes may share it. When it does not exist it is made (with the folder that it is in): the first use. When it
 *        exists and cannot be read, or holds anything else, nothing is admitted: CONFIGURATION
 *
 * Errors: BUNDLE_OLDER with both numbers; CONFIGURATION with field "bundle_state"; USAGE for a bundle that was opened unsigned. */
ATLS_MUST_USE bool atls_bundle_admit(const char *state, atls_bundle *b, atls_error *err);

/* atls_bundle_would_admit says what atls_bundle_admit would say of the bundle by what `state` holds now, and changes nothing: no
 * file is written, made or locked. For those who look at a bundle without using it. Errors: the same. */
ATLS_MUST_USE bool atls_bundle_would_admit(const char *state, const atls_bundle *b, atls_error *err);

/* atls_bundle_admit_insecure_older also lets an older one pass: then insecure_older is set in b, every appraisal that uses it
 * lists the check "endorsements.bundle_age" as skipped, and the memory stays as it is. */
ATLS_MUST_USE bool atls_bundle_admit_insecure_older(const char *state, atls_bundle *b, atls_error *err);

#ifdef __cplusplus
}
#endif
#endif
