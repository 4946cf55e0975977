/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.c: atls enrol: the table of its verbs. */
#include "enrol.h"

#include <string.h>

#include "options.h"

static const cli_verb verbs[] = {
    {"ca", "make the CA of an enrolment service, and look at it", cli_enrol_ca},
    {"serve", "serve challenges and certificates to phones", cli_enrol_serve},
    {"request", "play a phone: prove a simulated key to a service, and keep the certificate", cli_enrol_request},
    {"audit", "check audit logs, line after line and file after file", cli_enrol_audit},
    {"record", "rewrite debug statements: without personal data, in one line", cli_enrol_record},
};

#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_help(FILE *f)
{
    (void)fprintf(f, "usage: atls enrol VERB [options] [operands]\n\n"
                     "A phone proves a key and an app to a service, and receives a certificate.\n\n"
                     "verbs:\n");
    for (size_t i = 0; i < N_VERBS; i++) {
        (void)fprintf(f, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(f, "\natls enrol VERB --help lists its options. manual: atls-enrol(1)\n");
}

int cli_enrol_main(int argc, char *const argv[])
{
    const char *names[N_VERBS];
    atls_error err = {.code = ATLS_OK};
    if (argc < 2) {
        print_help(stderr);
        return atls_code_exit_status(ATLS_E_USAGE);
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return 0;
    }
    for (size_t i = 0; i < N_VERBS; i++) {
        names[i] = verbs[i].name;
        if (strcmp(argv[1], verbs[i].name) == 0) {
            return verbs[i].run(argc - 1, argv + 1);
        }
    }
    const char *near = cli_nearest(argv[1], names, N_VERBS);
    (void)(near != NULL ? atls_fail(&err, ATLS_E_USAGE, argv[1], "unknown verb; did you mean %s?", near)
                        : atls_fail(&err, ATLS_E_USAGE, argv[1], "unknown verb"));
    return cli_report("enrol", &err);
}
