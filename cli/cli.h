/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h: what the verbs share: their table, how a run ends, and ink.
 *
 * stdout is data, stderr is prose. A verb returns the exit status of the program; whatever went wrong went through one
 * atls_error, whose exit status that is. Nothing here decides anything about trust: the verdict is the library's. */
#ifndef ATLS_CLI_H
#define ATLS_CLI_H

#include <stdio.h>

#include "atls/atls.h"

/* Files of the user and one appraisal; pages that are not touched cost nothing. */
#define CLI_ARENA_SIZE ((size_t)128 * 1024 * 1024)

typedef struct cli_verb {
    const char *name;
    const char *summary;                      /* one line for --help */
    int (*run)(int argc, char *const argv[]); /* argv[0] is the verb; returns the exit status */
} cli_verb;

int cli_connect(int argc, char *const argv[]);
int cli_verify(int argc, char *const argv[]);
int cli_replay(int argc, char *const argv[]);
int cli_inspect(int argc, char *const argv[]);
int cli_evidence_get(int argc, char *const argv[]);
int cli_endorse_main(int argc, char *const argv[]); /* atls endorse: endorse.c */
int cli_enrol_main(int argc, char *const argv[]);   /* atls enrol: enrol.c */
int cli_doctor(int argc, char *const argv[]);
int cli_sim(int argc, char *const argv[]);
int cli_demo(int argc, char *const argv[]);

/* cli_report prints "atls verify: CODE field: message" on stderr, one line, and a hint for errors of usage. Returns the
 * exit status of err. verb may be "". */
int cli_report(const char *verb, const atls_error *err);

/* cli_put writes text for people: bytes other than printable ASCII come out as \xNN, because names and payloads are the
 * peer's and a terminal obeys what it reads. */
void cli_put(FILE *f, const char *text);
void cli_put_bytes(FILE *f, atls_bytes text);
void cli_put_hex(FILE *f, atls_bytes value);

/* Ink: empty strings unless f is a terminal, TERM is not "dumb" and NO_COLOR is not set. */
typedef enum cli_ink { CLI_BOLD, CLI_GOOD, CLI_BAD, CLI_WARN, CLI_PLAIN } cli_ink;
const char *cli_ink_on(FILE *f, cli_ink ink);

/* cli_now reads the system's clock. */
atls_time cli_now(void);

#endif
