/* SPDX-License-Identifier: Apache-2.0 */
/* download_header.h: the few headers of an answer that matter. Pure.
 *
 * Lines come from libcurl one by one, each answer beginning with its status line; an interim answer (1xx) or a proxy's is
 * forgotten when the next one begins. */
#ifndef ATLS_EDGE_ENDORSE_DOWNLOAD_HEADER_H
#define ATLS_EDGE_ENDORSE_DOWNLOAD_HEADER_H

#include "atls/arena.h"

typedef struct atls_answer_headers {
    size_t max_len; /* of all lines together */
    atls_arena *arena;
    size_t len; /* so far */
    atls_bytes
        chain; /* TCB-Info-Issuer-Chain (and SGX-...), SGX-Enclave-Identity-Issuer-Chain, SGX-PCK-CRL-Issuer-Chain */
    bool has_chain;
    bool has_max_age;
    uint32_t max_age_s;
    bool no_store; /* or no-cache */
} atls_answer_headers;

/* atls_answer_header takes one line. Errors: LIMIT, MEMORY; COLLATERAL_FORMAT for a second issuer chain. */
ATLS_MUST_USE bool atls_answer_header(atls_answer_headers *h, atls_bytes line, atls_error *err);

#endif
