/* SPDX-License-Identifier: Apache-2.0 */
/* pcs.h: what Intel's Provisioning Certification Service answers with, as values: signed JSON, header values, lists.
 * Pure. Nothing here is checked beyond its shape: chains, signatures and dates are the verifier's.
 * Source: specification of DCAP, sections 4 and 5. */
#ifndef ATLS_EDGE_ENDORSE_PCS_H
#define ATLS_EDGE_ENDORSE_PCS_H

#include "atls/arena.h"

/* atls_pcs_signed takes {"<member>":{...},"signature":"hex"} apart: the exact text of the inner object, and the digits.
 * Slices point into json and the arena. Errors: COLLATERAL_FORMAT with field "<name>.<member>", MEMORY. */
ATLS_MUST_USE bool atls_pcs_signed(atls_bytes json, const char *name, const char *member, atls_arena *arena,
                                   atls_bytes *text, atls_bytes *signature, atls_error *err);

/* atls_pcs_percent_decode decodes %XX and nothing else: a plus sign stays a plus sign, because the values are PEM.
 * Errors: COLLATERAL_FORMAT with field `name`, MEMORY. */
ATLS_MUST_USE bool atls_pcs_percent_decode(atls_bytes in, const char *name, atls_arena *arena, atls_bytes *out,
                                           atls_error *err);

/* atls_pcs_list reads a revocation list that is DER, PEM ("X509 CRL") or hex, and gives DER.
 * Errors: COLLATERAL_FORMAT with field `name`, LIMIT, MEMORY. */
ATLS_MUST_USE bool atls_pcs_list(atls_bytes in, const char *name, atls_arena *arena, atls_bytes *out, atls_error *err);

#endif
