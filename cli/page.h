/* SPDX-License-Identifier: Apache-2.0 */
/* page.h: a result for people, on stderr.
 *
 * An accepted page says who, what hardware, what code, how fresh, and what was NOT checked; a rejection says field,
 * expected and actual of every mismatch. The word "Verified" stands at the head of a page only when no class of checks
 * was left out: hardware, code, binding and identity. */
#ifndef ATLS_CLI_PAGE_H
#define ATLS_CLI_PAGE_H

#include "cli.h"

typedef struct cli_page {
    const atls_result *result;
    const atls_error *error;   /* of a result that is not accepted */
    const atls_policy *policy; /* NULL: there is none yet */
    const atls_peer *peer;     /* NULL: not a session */
    const char *server_name;   /* of a session; NULL: not a session */
    const char *hint;          /* one line after a rejection; NULL: the usual one for the code */
    bool verbose;              /* every check, every event */
    bool stable;               /* leave out what differs in every run (the demo) */
} cli_page;

/* cli_page_print prints the page that fits the verdict. */
void cli_page_print(FILE *f, const cli_page *p);

/* cli_page_warnings prints only the lines that must be seen whatever the options say. */
void cli_page_warnings(FILE *f, const cli_page *p);

/* cli_page_refusal prints what was refused: code, and field, expected, actual on aligned lines. */
void cli_page_refusal(FILE *f, const cli_page *p);

/* cli_json prints the one object of --json on stdout. peer adds a member "peer"; NULL leaves it out. A result without a
 * verdict becomes rejected or undecided, by the category of err. False when the object cannot be made. */
ATLS_MUST_USE bool cli_json(const cli_page *p, atls_arena *a, atls_error *err);

/* cli_page_end says how a run ended, as JSON on stdout or as a page or a line on stderr, and gives its exit status. */
int cli_page_end(const char *verb, const cli_page *p, bool json, bool quiet, atls_arena *a);

/* cli_page_usage ends a verb whose command line makes no sense: with --json anywhere in it the object is printed all the same. Returns
 * the exit status. */
int cli_page_usage(const char *verb, int argc, char *const argv[], const atls_error *err);

#endif
