/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h: the options of whoever fetches endorsements, as the verbs share them.
 *
 * Nobody is asked unless an option says so. --fetch names the vendors' own services; --pccs and --kds name others, which are
 * asked before them, or instead of them without --fetch; --android-status-url names the one place of Android's list. */
#ifndef ATLS_CLI_FETCH_H
#define ATLS_CLI_FETCH_H

#include "options.h"

typedef struct cli_fetch_words {
    bool fetch;
    cli_list pccs;
    cli_list kds;
    const char *status_url;
    cli_list roots;
    const char *update;
    const char *ca;
    const char *cache;
    bool no_cache;
    bool insecure_http;
} cli_fetch_words;

/* The rows of a verb's table. */
#define CLI_FETCH_OPTIONS(w)                                                                                           \
    {"fetch", 0, NULL, "fetch endorsements from Intel, AMD and Google", .flag = &(w)->fetch},                          \
        {"pccs", 0, "URL", "fetch Intel's from this PCCS; may be given again", .list = &(w)->pccs},                    \
        {"kds", 0, "URL", "fetch AMD's from this service; may be given again", .list = &(w)->kds},                     \
        {"android-status-url", 0, "URL", "fetch Android's status list from here", .text = &(w)->status_url},           \
        {"fetch-root", 0, "FILE", "take answers under this root (DER or PEM), too", .list = &(w)->roots},              \
        {"update", 0, "NAME", "early or standard TCB info (the service's default)", .text = &(w)->update},             \
        {"fetch-ca", 0, "FILE", "trust these authorities (PEM) when fetching, not the system's", .text = &(w)->ca},    \
        {"cache", 0, "DIR", "keep what was fetched here (XDG_CACHE_HOME/atls)", .text = &(w)->cache},                  \
        {"no-cache-dir", 0, NULL, "keep nothing on disk", .flag = &(w)->no_cache},                                     \
    {                                                                                                                  \
        "insecure-http", 0, NULL, "let these be http to any host", .flag = &(w)->insecure_http                         \
    }

/* cli_fetch_open makes the fetcher that the words ask for; *out is NULL when they ask for none. `at`: the fetcher's clock
 * stands there, --cache is only read, and without it there is no folder; ATLS_TIME_UNSET: the system's clock. A default folder that cannot
 * be used is said on stderr, and done without. Errors: USAGE, CONFIGURATION, IO, MEMORY. */
ATLS_MUST_USE bool cli_fetch_open(const cli_fetch_words *w, atls_time *at, atls_fetcher **out, atls_error *err);

/* cli_fetch_close frees it, NULL is fine, and says on stderr if a service gave something older than what was at hand. */
void cli_fetch_close(atls_fetcher *f, bool quiet);

#endif
