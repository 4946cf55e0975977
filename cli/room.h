/* SPDX-License-Identifier: Apache-2.0 */
/* room.h: a simulated machine room written to a folder, for `atls sim` and `atls demo`. */
#ifndef ATLS_CLI_ROOM_H
#define ATLS_CLI_ROOM_H

#include "files.h"
#include "sim/sim.h"

/* A room with a TLS identity whose certificate has been measured (TDX). */
typedef struct cli_room {
    sim *sim;
    sim_tls tls; /* in the arena */
} cli_room;

ATLS_MUST_USE bool cli_room_new(const sim_options *options, const char *server_name, atls_arena *a, cli_room *out,
                                atls_error *err);
void cli_room_free(cli_room *r);

/* cli_room_nonce, cli_room_ekm: the worked example of the dstack specification, section 1: 00 01 .. 1f and 20 21 .. 3f.
 */
void cli_room_example(uint8_t nonce[32], uint8_t ekm[32]);

/* cli_room_write_tls writes tls-chain.pem, tls-key.pem (mode 0600), tls-ca.pem. */
ATLS_MUST_USE bool cli_room_write_tls(const cli_room *r, const cli_folder *f, atls_error *err);

/* cli_room_write writes everything: roots, quote, response, logs, endorsements in both forms, policies, TLS identity.
 * The quote is over report_data. */
ATLS_MUST_USE bool cli_room_write(const cli_room *r, sim_kind kind, const uint8_t report_data[64], const cli_folder *f,
                                  atls_arena *a, atls_error *err);

#endif
