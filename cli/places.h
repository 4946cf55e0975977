/* SPDX-License-Identifier: Apache-2.0 */
/* places.h: the options that say where a machine's devices are, shared by evidence and doctor. */
#ifndef ATLS_CLI_PLACES_H
#define ATLS_CLI_PLACES_H

#include "options.h"

typedef struct cli_places {
    const char *attester, *device, *tcti, *socket, *sysroot, *timeout;
} cli_places;

/* cli_machine makes an atls_machine of them. Texts are borrowed or in the arena. Errors: USAGE. */
ATLS_MUST_USE bool cli_machine(const cli_places *p, atls_arena *a, atls_machine *out, atls_error *err);

/* cli_quiet_tss keeps tpm2-tss from writing to stderr, unless the user has asked it to by its own variable. Before the
 * first use of a TPM. */
void cli_quiet_tss(void);

#endif
