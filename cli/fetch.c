/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.c: a fetcher out of the command line. */
#include "fetch.h"

#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "inputs.h"

#define FOLDER_SIZE 1024u
#define ROOTS_SIZE  ((size_t)1024 * 1024)

static bool asks(const cli_fetch_words *w)
{
    return w->fetch || w->pccs.n > 0 || w->kds.n > 0 || w->status_url != NULL;
}

/* An option that is of no use alone is a mistake. */
static bool check_alone(const cli_fetch_words *w, atls_error *err)
{
    const char *option = w->update != NULL  ? "--update"
                         : w->ca != NULL    ? "--fetch-ca"
                         : w->cache != NULL ? "--cache"
                         : w->no_cache      ? "--no-cache-dir"
                         : w->roots.n > 0   ? "--fetch-root"
                         : w->insecure_http ? "--insecure-http"
                                            : NULL;
    return option == NULL
           || atls_fail(err, ATLS_E_USAGE, option,
                        "is for --fetch, --pccs, --kds or --android-status-url, and none of them is given");
}

static bool add(const cli_list *urls, atls_source_kind kind, const char *option, atls_source *out, size_t *n,
                atls_error *err)
{
    for (size_t i = 0; i < urls->n; i++) {
        if (*n >= ATLS_MAX_SOURCES) {
            return atls_fail(err, ATLS_E_USAGE, option, "more than %u services", ATLS_MAX_SOURCES);
        }
        out[(*n)++] = (atls_source){.kind = kind, .url = urls->items[i]};
    }
    return true;
}

static bool choose_sources(const cli_fetch_words *w, atls_source out[ATLS_MAX_SOURCES], size_t *n, atls_error *err)
{
    const cli_list intel = {.items = {ATLS_INTEL_PCS_URL}, .n = w->fetch ? 1 : 0};
    const cli_list amd = {.items = {ATLS_AMD_KDS_URL}, .n = w->fetch ? 1 : 0};
    *n = 0;
    return add(&w->pccs, ATLS_SOURCE_PCCS, "--pccs", out, n, err) && add(&intel, ATLS_SOURCE_PCS, "--pccs", out, n, err)
           && add(&w->kds, ATLS_SOURCE_KDS, "--kds", out, n, err) && add(&amd, ATLS_SOURCE_KDS, "--kds", out, n, err);
}

static bool choose_update(const cli_fetch_words *w, atls_update *out, atls_error *err)
{
    const bool is_early = w->update != NULL && strcmp(w->update, "early") == 0;
    if (w->update != NULL && !is_early && strcmp(w->update, "standard") != 0) {
        return atls_fail(err, ATLS_E_USAGE, "--update", "wants early or standard");
    }
    *out = w->update == NULL ? ATLS_UPDATE_NONE : is_early ? ATLS_UPDATE_EARLY : ATLS_UPDATE_STANDARD;
    return true;
}

/* XDG Base Directory: an absolute path, else ~/.cache. Empty: there is no place. */
static void default_folder(char out[FOLDER_SIZE])
{
    const char *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    const bool is_xdg = xdg != NULL && xdg[0] == '/';
    const char *base = is_xdg ? xdg : home;
    out[0] = '\0';
    if (base == NULL || base[0] != '/') {
        return;
    }
    const int n = snprintf(out, FOLDER_SIZE, "%s%s/atls", base, is_xdg ? "" : "/.cache");
    if (n < 0 || (size_t)n >= FOLDER_SIZE) {
        out[0] = '\0';
    }
}

static atls_time stands_still(void *ctx)
{
    return *(const atls_time *)ctx;
}

/* What the user did not name is nice to have. */
static bool open_fetcher(const cli_fetch_words *w, atls_fetcher_options *o, atls_fetcher **out, atls_error *err)
{
    atls_error why = {0};
    if (atls_fetcher_new(o, out, &why)) {
        return true;
    }
    if (w->cache != NULL || strcmp(why.field, "cache_folder") != 0) {
        *err = why;
        return false;
    }
    (void)fprintf(stderr, "atls: nothing is kept on disk: %s: ", o->cache_folder);
    cli_put(stderr, why.message);
    (void)fputc('\n', stderr);
    o->cache_folder = NULL;
    return atls_fetcher_new(o, out, err);
}

static bool open_with(const cli_fetch_words *w, atls_time *at, atls_arena *a, atls_fetcher **out, atls_error *err)
{
    atls_bytes roots[CLI_MAX_ROOTS];
    atls_source sources[ATLS_MAX_SOURCES];
    char folder[FOLDER_SIZE] = "";
    atls_fetcher_options o = {
        .sources = sources,
        .android_status_url = w->status_url != NULL ? w->status_url
                              : w->fetch            ? ATLS_ANDROID_STATUS_URL
                                                    : "",
        .ca_file = w->ca,
        .insecure_http = w->insecure_http,
    };
    if (w->cache != NULL && w->no_cache) {
        return atls_fail(err, ATLS_E_USAGE, "--cache", "contradicts --no-cache-dir");
    }
    if (!choose_sources(w, sources, &o.n_sources, err) || !choose_update(w, &o.update, err)
        || (w->ca != NULL && !cli_exists(w->ca, "--fetch-ca", err))
        || !cli_roots_load(&w->roots, a, roots, &o.n_roots, err)) {
        return false;
    }
    o.roots = roots;
    if (*at != ATLS_TIME_UNSET) {
        o.now = stands_still;
        o.now_ctx = at;
        o.cache_reads_only = true; /* what is removed and what is kept the time decides, not somebody's "what if" */
    } else if (w->cache == NULL && !w->no_cache) {
        default_folder(folder);
    }
    o.cache_folder = w->cache != NULL ? w->cache : folder;
    return open_fetcher(w, &o, out, err);
}

/* The fetcher keeps hashes of roots, not their bytes. */
bool cli_fetch_open(const cli_fetch_words *w, atls_time *at, atls_fetcher **out, atls_error *err)
{
    atls_arena a = {0};
    *out = NULL;
    if (!asks(w)) {
        return check_alone(w, err);
    }
    const bool ok = atls_arena_new(&a, ROOTS_SIZE, err) && open_with(w, at, &a, out, err);
    atls_arena_free(&a);
    return ok;
}

/* Nothing old comes back, and that a service is behind is for whoever runs it. */
void cli_fetch_close(atls_fetcher *f, bool quiet)
{
    if (f != NULL && !quiet) {
        const atls_fetcher_counts c = atls_fetcher_count(f);
        if (c.older > 0) {
            (void)fprintf(stderr, "atls: %u older than what is at hand, which is kept: ", (unsigned)c.older);
            cli_put(stderr, c.older_answer);
            (void)fputc('\n', stderr);
        }
    }
    atls_fetcher_free(f);
}
