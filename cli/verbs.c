/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.c: a table of verbs: its help, and what a word on the command line does. */
#include "verbs.h"

#include <string.h>

#include "options.h"

static void print_help(const cli_table *t, FILE *f)
{
    (void)fprintf(f, "usage: atls %s%sVERB [options] [operands]\n\n%s\n\nverbs:\n", t->name,
                  t->name[0] == '\0' ? "" : " ", t->summary);
    for (size_t i = 0; i < t->n; i++) {
        (void)fprintf(f, "  %-10s %s\n", t->verbs[i].name, t->verbs[i].summary);
    }
    (void)fprintf(f, "\n%s\n", t->more);
}

static int unknown_verb(const cli_table *t, const char *word)
{
    const char *names[CLI_MAX_VERBS];
    atls_error err = {.code = ATLS_OK};
    const size_t n = t->n < CLI_MAX_VERBS ? t->n : CLI_MAX_VERBS;
    for (size_t i = 0; i < n; i++) {
        names[i] = t->verbs[i].name;
    }
    const char *near = cli_nearest(word, names, n);
    if (near != NULL) {
        (void)atls_fail(&err, ATLS_E_USAGE, word, "unknown verb; did you mean %s?", near);
    } else {
        (void)atls_fail(&err, ATLS_E_USAGE, word, word[0] == '-' ? "unknown option" : "unknown verb");
    }
    return cli_report(t->name, &err);
}

int cli_dispatch(const cli_table *t, int argc, char *const argv[])
{
    if (argc < 2) {
        print_help(t, stderr);
        return atls_code_exit_status(ATLS_E_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(t, stdout);
        return 0;
    }
    for (size_t i = 0; i < t->n; i++) {
        if (strcmp(argv[1], t->verbs[i].name) == 0) {
            return t->verbs[i].run(argc - 1, argv + 1);
        }
    }
    return unknown_verb(t, argv[1]);
}
