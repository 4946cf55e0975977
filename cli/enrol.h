/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.h: the verbs of atls enrol. A new one is a file, a line here, and a row in enrol.c. */
#ifndef ATLS_CLI_ENROL_H
#define ATLS_CLI_ENROL_H

#include "cli.h"

int cli_enrol_ca(int argc, char *const argv[]);
int cli_enrol_request(int argc, char *const argv[]);
int cli_enrol_serve(int argc, char *const argv[]);
int cli_enrol_audit(int argc, char *const argv[]);
int cli_enrol_record(int argc, char *const argv[]);
int cli_enrol_ca_crl(int argc, char *const argv[]); /* a verb of atls enrol ca */

#endif
