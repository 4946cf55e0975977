/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h: a small attested server on loopback, for `atls sim --serve` and `atls demo`. One client at a time. */
#ifndef ATLS_CLI_SERVE_H
#define ATLS_CLI_SERVE_H

#include "cli.h"

typedef struct cli_listener {
    int fd;
    uint16_t port;
} cli_listener;

/* cli_listen listens on 127.0.0.1; port 0 lets the system choose. Errors: IO. */
ATLS_MUST_USE bool cli_listen(uint16_t port, cli_listener *out, atls_error *err);
void cli_listener_close(cli_listener *l);

/* cli_monotonic_ms reads a clock that only goes forward. */
int64_t cli_monotonic_ms(void);

/* cli_serve_one waits for a client until `deadline_ms` of that clock (0: for ever), answers its quote request, and
 * sends back every byte it gets until it closes. Who a client with an enrolled key is, goes to stderr. *came says whether there was a client. Errors: IO, and those of
 * atls_accept. */
ATLS_MUST_USE bool cli_serve_one(const cli_listener *l, const atls_server_options *options, int64_t deadline_ms,
                                 bool *came, atls_error *err);

#endif
