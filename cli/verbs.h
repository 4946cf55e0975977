/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.h: a word that has words of its own below it: atls, atls endorse, atls enrol, atls enrol ca. */
#ifndef ATLS_CLI_VERBS_H
#define ATLS_CLI_VERBS_H

#include "cli.h"

typedef struct cli_table {
    const char *name;    /* "endorse", "enrol ca"; "" for the program itself */
    const char *summary; /* what stands between the line of usage and the verbs */
    const char *more;    /* what stands behind the verbs */
    const cli_verb *verbs;
    size_t n; /* at most CLI_MAX_VERBS */
} cli_table;

#define CLI_MAX_VERBS 16u

/* cli_dispatch runs the verb that argv[1] names, with argv from there on, and returns its exit status. --help and -h print the table on
 * stdout; no word at all prints it on stderr, and a word that is no verb is reported, with the nearest that is one: USAGE. */
int cli_dispatch(const cli_table *t, int argc, char *const argv[]);

#endif
