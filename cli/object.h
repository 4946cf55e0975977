/* SPDX-License-Identifier: Apache-2.0 */
/* object.h: what the verbs that print an object of their own have in common: a failure in it, how it reaches stdout, and how a verb
 * ends that does not begin. */
#ifndef ATLS_CLI_OBJECT_H
#define ATLS_CLI_OBJECT_H

#include "base/json.h"
#include "options.h"

/* cli_put_error puts a failure under a name, null where there is none. */
void cli_put_error(atls_jw *w, const char *name, const atls_error *e);

/* cli_print_object writes what the buffer holds, and a newline, to stdout. Errors: those of the buffer. */
ATLS_MUST_USE bool cli_print_object(atls_buf *b);

/* cli_unparsed gives the exit status of a verb whose command line asks for help, or makes no sense. */
int cli_unparsed(cli_parsed parsed, const char *verb, const atls_error *err);

#endif
