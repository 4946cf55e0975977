/* SPDX-License-Identifier: Apache-2.0 */
/* endorse.c: atls endorse: the table of its verbs. */
#include "endorse.h"

#include "endorse_pull.h"

#include <inttypes.h>
#include <string.h>

static const cli_verb verbs[] = {
    {"pull", "fetch from Intel, AMD, or services of one's own", cli_endorse_pull},
    {"show", "what is in endorsements, who issued it, and what passes first; unverified", cli_endorse_show},
    {"pack", "make one signed bundle out of files and folders", cli_endorse_pack},
    {"verify", "check a bundle: its signature, its age, and each piece in it", cli_endorse_verify},
    {"forecast", "say when evidence will start to be refused, and why", cli_endorse_forecast},
    {"keygen", "make a key that signs bundles", cli_endorse_keygen},
};

#define N_VERBS (sizeof verbs / sizeof verbs[0])

static void print_help(FILE *f)
{
    (void)fprintf(f,
                  "usage: atls endorse VERB [options] [operands]\n\n"
                  "Endorsements are what vouches for the hardware: certificates, revocation lists, TCB documents.\n\n"
                  "verbs:\n");
    for (size_t i = 0; i < N_VERBS; i++) {
        (void)fprintf(f, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fprintf(f, "\natls endorse VERB --help lists its options. manual: atls-endorse(1)\n");
}

int cli_endorse_main(int argc, char *const argv[])
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
    return cli_report("endorse", &err);
}

void cli_put_time(FILE *f, atls_time t)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    (void)fputs(t == ATLS_TIME_UNSET ? "-" : text, f);
}

void cli_put_distance(FILE *f, atls_time t, atls_time now)
{
    const atls_time away = t >= now ? t - now : now - t;
    if (away < 60) {
        (void)fputs("now", f);
        return;
    }
    const bool in_days = away >= 2 * 86400;
    const bool in_hours = !in_days && away >= 2 * 3600;
    (void)fprintf(f, t >= now ? "in %" PRId64 " %s" : "%" PRId64 " %s ago",
                  away
                      / (in_days    ? 86400
                         : in_hours ? 3600
                                    : 60),
                  in_days    ? "days"
                  : in_hours ? "hours"
                             : "minutes");
}
