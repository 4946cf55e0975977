/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h: a peer's certificates for people, on stderr, whatever the session comes to. */
#ifndef ATLS_CLI_CERTIFICATES_H
#define ATLS_CLI_CERTIFICATES_H

#include "cli.h"

/* cli_certificates is an atls_certificates_fn: each certificate as PEM, then a line for each attestation format that is
 * recognised in it. ctx is an atls_arena of the caller's. */
void cli_certificates(void *ctx, const atls_bytes *ders, size_t n);

#endif
