/* SPDX-License-Identifier: Apache-2.0 */
/* endorse.c: atls endorse: the table of its verbs. */
#include "endorse.h"

#include "endorse_pull.h"

#include <inttypes.h>

#include "verbs.h"

static const cli_verb verbs[] = {
    {"pull", "fetch from Intel, AMD, or services of one's own", cli_endorse_pull},
    {"show", "what is in endorsements, who issued it, and what passes first; unverified", cli_endorse_show},
    {"pack", "make one signed bundle out of files and folders", cli_endorse_pack},
    {"verify", "check a bundle: its signature, its age, and each piece in it", cli_endorse_verify},
    {"forecast", "say when evidence will start to be refused, and why", cli_endorse_forecast},
    {"keygen", "make a key that signs bundles", cli_endorse_keygen},
};

int cli_endorse_main(int argc, char *const argv[])
{
    static const cli_table table = {
        .name = "endorse",
        .summary = "Endorsements are what vouches for the hardware: certificates, revocation lists, TCB documents.",
        .more = "atls endorse VERB --help lists its options. manual: atls-endorse(1)",
        .verbs = verbs,
        .n = sizeof verbs / sizeof verbs[0],
    };
    return cli_dispatch(&table, argc, argv);
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
