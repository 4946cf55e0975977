/* SPDX-License-Identifier: Apache-2.0 */
/* options.h: long options from a table, without the GNU extension.
 *
 * --name VALUE, --name=VALUE, -l VALUE, flags, and -- for the end of options; options and operands may be mixed. What
 * is unknown, given twice, or lacks its value is ATLS_E_USAGE with the option as field, and the nearest name as a hint.
 */
#ifndef ATLS_CLI_OPTIONS_H
#define ATLS_CLI_OPTIONS_H

#include "cli.h"

#define CLI_MAX_LIST 64

typedef struct cli_list {
    const char *items[CLI_MAX_LIST]; /* borrowed from argv */
    size_t n;
} cli_list;

/* One option. Exactly one of flag, text and list is set, and says what the option is. */
typedef struct cli_option {
    const char *name;  /* "policy" for --policy */
    char letter;       /* 'p' for -p; 0: none */
    const char *value; /* what the help calls the value: "FILE" */
    const char *help;  /* one line; NULL: an alias, which the help leaves out */
    bool *flag;
    const char **text; /* last word; a second one is an error */
    cli_list *list;    /* may be given again and again */
} cli_option;

typedef struct cli_usage {
    const char *verb;     /* "verify" */
    const char *operands; /* "FILE", "" */
    const char *summary;  /* for --help: what the verb does, in a few lines */
    const cli_option *options;
    size_t n_options;
    size_t min_operands;
    size_t max_operands;
} cli_usage;

typedef enum cli_parsed {
    CLI_PARSE_FAILED = 0, /* err is set */
    CLI_PARSE_RUN,
    CLI_PARSE_HELP, /* --help: the help has been printed on stdout */
} cli_parsed;

/* cli_parse reads argv[1..]. Targets must be empty before. */
ATLS_MUST_USE cli_parsed cli_parse(const cli_usage *usage, int argc, char *const argv[], cli_list *operands,
                                   atls_error *err);

/* cli_nearest gives the name of the list that is at most two edits away from word, NULL when there is none. */
const char *cli_nearest(const char *word, const char *const *names, size_t n);

#endif
