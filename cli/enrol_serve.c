/* SPDX-License-Identifier: Apache-2.0 */
/* enrol_serve.c: atls enrol serve: runs the enrolment service, or says whether it would. */
#include <unistd.h>

#include "edge/service/config.h"
#include "edge/service/service.h"
#include "enrol.h"
#include "options.h"

typedef struct serve_words {
    const char *config;
    bool check;
    bool print_config;
    bool print_reference;
    cli_list operands;
} serve_words;

static cli_parsed parse(int argc, char *const argv[], serve_words *w, atls_error *err)
{
    const cli_option options[] = {
        {"config", 'c', "FILE", "the configuration, JSON", .text = &w->config},
        {"check", 0, NULL, "open everything that the configuration names, listen, and end", .flag = &w->check},
        {"print-config", 0, NULL, "print a configuration to begin with", .flag = &w->print_config},
        {"print-reference", 0, NULL, "print every member of a configuration", .flag = &w->print_reference},
    };
    const cli_usage usage = {
        .verb = "enrol serve",
        .operands = "",
        .summary = "Serves challenges and certificates to phones. SIGHUP reads the configuration again, SIGTERM lets\n"
                   "requests that have begun finish. Health and metrics are on an address of their own.",
        .options = options,
        .n_options = sizeof options / sizeof options[0],
    };
    return cli_parse(&usage, argc, argv, &w->operands, err);
}

static int serve(const serve_words *w)
{
    atls_error err = {.code = ATLS_OK};
    atls_service *s = NULL;
    const atls_service_options options = {.config_file = w->config, .with_signals = true};
    if (w->config == NULL) {
        (void)atls_fail(&err, ATLS_E_USAGE, "--config", "required: the configuration");
        return cli_report("enrol serve", &err);
    }
    if (!atls_service_new(&options, &s, &err)) {
        return cli_report("enrol serve", &err);
    }
    if (w->check) {
        atls_service_free(s);
        return 0;
    }
    if (!atls_service_run(s, &err)) {
        /* A worker is still at it. Its memory must stay as it is, so nothing is freed, and nothing waits for it. */
        int status = cli_report("enrol serve", &err);
        _exit(status);
    }
    atls_service_free(s);
    return 0;
}

int cli_enrol_serve(int argc, char *const argv[])
{
    atls_error err = {.code = ATLS_OK};
    serve_words w = {.config = NULL};
    const cli_parsed parsed = parse(argc, argv, &w, &err);
    if (parsed != CLI_PARSE_RUN) {
        return parsed == CLI_PARSE_HELP ? 0 : cli_report("enrol serve", &err);
    }
    if (w.print_config) {
        svc_config_example(stdout);
        return 0;
    }
    if (w.print_reference) {
        svc_config_reference(stdout);
        return 0;
    }
    return serve(&w);
}
