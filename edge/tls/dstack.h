/* SPDX-License-Identifier: Apache-2.0 */
/* dstack.h: the profile "dstack": one HTTP exchange behind the handshake, bound by SHA-512(nonce || exporter).
 *
 * Client: draws a nonce, asks POST /tdx_quote, reads the answer strictly, has it appraised against this session's
 * exporter and leaf certificate. Server: reads one request, makes evidence over its own exporter, answers. Not done:
 * nothing is said about the client to the server. Source: specification of dstack, sections 1 and 7.1. */
#ifndef ATLS_EDGE_TLS_DSTACK_H
#define ATLS_EDGE_TLS_DSTACK_H

#include "session.h"

/* Static. */
const atls_profile *atls_dstack_client(void);
const atls_profile *atls_dstack_server(void);

/* Shared by both ends. The label has 24 bytes without its NUL. */
#define ATLS_DSTACK_PATH  "/tdx_quote"
#define ATLS_DSTACK_LABEL "EXPORTER-Channel-Binding"

/* atls_dstack_binding computes the report data of this session for a nonce; the exporter is wiped before it returns.
 * Errors: TLS_HANDSHAKE, INTERNAL. */
ATLS_MUST_USE bool atls_dstack_binding(atls_session *s, const uint8_t nonce[32], uint8_t report_data[64],
                                       atls_error *err);

#endif
