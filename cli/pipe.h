/* SPDX-License-Identifier: Apache-2.0 */
/* pipe.h: stdin and stdout connected to a session. */
#ifndef ATLS_CLI_PIPE_H
#define ATLS_CLI_PIPE_H

#include "cli.h"

/* cli_pipe copies stdin to the session and the session to stdout until the peer has closed its side. The end of stdin
 * closes our side (close_notify) and reading goes on. s must be established. Errors: IO with the end that failed as
 * field
 * ("stdin", "stdout", "session"); a connection that ends without close_notify is a truncation. */
ATLS_MUST_USE bool cli_pipe(atls_session *s, atls_error *err);

#endif
