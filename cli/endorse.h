/* SPDX-License-Identifier: Apache-2.0 */
/* endorse.h: the verbs of atls endorse. A new one is a file, a line here, and a row in endorse.c. */
#ifndef ATLS_CLI_ENDORSE_H
#define ATLS_CLI_ENDORSE_H

#include "bundle.h"

int cli_endorse_show(int argc, char *const argv[]);
int cli_endorse_pack(int argc, char *const argv[]);
int cli_endorse_verify(int argc, char *const argv[]);
int cli_endorse_forecast(int argc, char *const argv[]);
int cli_endorse_keygen(int argc, char *const argv[]);

/* cli_put_time writes a date, "-" for ATLS_TIME_UNSET. */
void cli_put_time(FILE *f, atls_time t);

/* cli_put_days writes how far a date is from now: "in 12 days", "5 hours ago". */
void cli_put_distance(FILE *f, atls_time t, atls_time now);

#endif
