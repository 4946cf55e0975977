/* SPDX-License-Identifier: Apache-2.0 */
/* demo_phone.h: the second half of the demo: a phone enrols, and goes to the enclave with its certificate. */
#ifndef ATLS_CLI_DEMO_PHONE_H
#define ATLS_CLI_DEMO_PHONE_H

#include "cli.h"
#include "room.h"

/* The enclave, as the first half of the demo made it. */
typedef struct cli_demo_enclave {
    const char *folder; /* files may be made in it; they are removed again */
    const char *chain_file, *key_file, *ca_file;
    const atls_verifier *verifier; /* of the phone, for the enclave */
    sim *room;
} cli_demo_enclave;

/* cli_demo_phone plays its scenes and prints them. first: the number of the first one. Errors: INTERNAL (a scene ended
 * otherwise than it must), IO, and what goes wrong besides. */
ATLS_MUST_USE bool cli_demo_phone(const cli_demo_enclave *enclave, size_t first, atls_error *err);

#endif
