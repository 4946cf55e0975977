/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h: claims of kinds of evidence that the page has no lines of its own for, by their public names (docs/json.md). */
#ifndef ATLS_CLI_CLAIMS_H
#define ATLS_CLI_CLAIMS_H

#include "cli.h"

/* cli_claims_print prints what was authenticated, a line a member. */
void cli_claims_print(FILE *f, const atls_result *r);

#endif
