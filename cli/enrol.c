/* SPDX-License-Identifier: Apache-2.0 */
/* enrol.c: atls enrol: the table of its verbs. */
#include "enrol.h"

#include "verbs.h"

static const cli_verb verbs[] = {
    {"ca", "make the CA of an enrolment service, and look at it", cli_enrol_ca},
    {"serve", "serve challenges and certificates to phones", cli_enrol_serve},
    {"request", "play a phone: prove a simulated key to a service, and keep the certificate", cli_enrol_request},
    {"audit", "check audit logs, line after line and file after file", cli_enrol_audit},
    {"record", "rewrite debug statements: without personal data, in one line", cli_enrol_record},
};

int cli_enrol_main(int argc, char *const argv[])
{
    static const cli_table table = {
        .name = "enrol",
        .summary = "A phone proves a key and an app to a service, and receives a certificate.",
        .more = "atls enrol VERB --help lists its options. manual: atls-enrol(1)",
        .verbs = verbs,
        .n = sizeof verbs / sizeof verbs[0],
    };
    return cli_dispatch(&table, argc, argv);
}
