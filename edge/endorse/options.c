/* SPDX-License-Identifier: Apache-2.0 */
/* options.c: options of a fetcher, with their defaults. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "atls/atls.h"
#include "base/limits.h"
#include "fetcher.h"

#define KIB ((size_t)1024)
#define MIB (KIB * KIB)

static const atls_source default_sources[] = {
    {.kind = ATLS_SOURCE_PCS, .url = ATLS_INTEL_PCS_URL, .root_crl_url = NULL},
    {.kind = ATLS_SOURCE_KDS, .url = ATLS_AMD_KDS_URL, .root_crl_url = NULL},
};

static bool refuse(const char *field, const char *why, atls_error *err)
{
    (void)atls_fail(err, ATLS_E_CONFIGURATION, field, "%s", why);
    return false;
}

/* ---- sources ----------------------------------------------------------------------------------------------------------- */

static bool copy_source(const atls_source *in, bool any_http, atls_fetch_source *out, atls_error *err)
{
    const char *root = in->root_crl_url == NULL ? ATLS_INTEL_ROOT_CRL_URL : in->root_crl_url;
    if (in->kind != ATLS_SOURCE_PCS && in->kind != ATLS_SOURCE_PCCS && in->kind != ATLS_SOURCE_KDS) {
        return refuse("sources.kind", "a source is a PCS, a PCCS or a KDS", err);
    }
    if (in->kind != ATLS_SOURCE_PCS && in->root_crl_url != NULL) {
        return refuse("sources.root_crl_url", "only a PCS keeps the root's list elsewhere", err);
    }
    out->kind = in->kind;
    out->root_crl_url[0] = '\0';
    if (in->url == NULL) {
        return refuse("sources.url", "a source has an address", err);
    }
    if (!atls_url_base(in->url, any_http, "sources.url", out->url, err)) {
        return false;
    }
    if (in->kind != ATLS_SOURCE_PCS) {
        return true;
    }
    if (!atls_url_check(root, any_http, "sources.root_crl_url", err)) {
        return false;
    }
    (void)snprintf(out->root_crl_url, sizeof out->root_crl_url, "%s", root);
    return true;
}

static bool copy_sources(const atls_fetcher_options *in, atls_fetcher *out, atls_error *err)
{
    const bool is_default = in->n_sources == 0;
    const atls_source *sources = is_default ? default_sources : in->sources;
    const size_t n = is_default ? sizeof default_sources / sizeof default_sources[0] : in->n_sources;
    if (n > ATLS_MAX_SOURCES || sources == NULL) {
        return refuse("sources", "there are at most 8 sources", err);
    }
    for (size_t i = 0; i < n; i++) {
        if (!copy_source(&sources[i], in->insecure_http, &out->sources[i], err)) {
            return false;
        }
    }
    out->n_sources = n;
    return true;
}

/* ---- numbers and texts ------------------------------------------------------------------------------------------------- */

static bool set_length(size_t *value, size_t most, const char *field, atls_error *err)
{
    *value = *value == 0 ? most : *value;
    return *value <= most || refuse(field, "more than a piece may have", err);
}

static void set_default(uint32_t *value, uint32_t normal)
{
    *value = *value == 0 ? normal : *value;
}

static void set_size(size_t *value, size_t normal)
{
    *value = *value == 0 ? normal : *value;
}

static bool set_numbers(atls_fetcher_options *o, atls_error *err)
{
    set_default(&o->connect_timeout_ms, 5000);
    set_default(&o->request_timeout_ms, 10000);
    set_default(&o->total_timeout_ms, 25000);
    set_size(&o->max_entries, 4096);
    set_size(&o->max_len, 32 * MIB);
    set_size(&o->disk_max_entries, 4096);
    set_size(&o->disk_max_len, 64 * MIB);
    set_default(&o->max_age_s, 86400);
    set_default(&o->refresh_margin_s, 21600);
    set_default(&o->negative_ttl_s, 60);
    set_default(&o->background_interval_s, 60);
    if (o->update > ATLS_UPDATE_EARLY) {
        return refuse("update", "none, standard or early", err);
    }
    return set_length(&o->max_json_len, ATLS_MAX_SIGNED_JSON_LEN, "max_json_len", err)
           && set_length(&o->max_crl_len, 2 * (size_t)ATLS_MAX_CRL_LEN + 4 * KIB, "max_crl_len", err)
           && set_length(&o->max_certificate_len, 256 * KIB, "max_certificate_len", err)
           && set_length(&o->max_document_len, 24 * MIB, "max_document_len", err);
}

static bool keep(const char *text, char **out, const char **shown, atls_error *err)
{
    *shown = NULL;
    if (text == NULL) {
        return true;
    }
    const size_t n = strlen(text) + 1;
    *out = malloc(n);
    if (*out == NULL) {
        (void)atls_fail(err, ATLS_E_MEMORY, "fetcher", NULL);
        return false;
    }
    memcpy(*out, text, n);
    *shown = *out;
    return true;
}

static bool keep_status_url(const atls_fetcher_options *in, atls_fetcher *out, atls_error *err)
{
    const char *url = in->android_status_url;
    if (url == NULL) {
        url = in->n_sources == 0 ? ATLS_ANDROID_STATUS_URL : "";
    }
    return (url[0] == '\0' || atls_url_check(url, in->insecure_http, "android_status_url", err))
           && keep(url, &out->texts[4], &out->options.android_status_url, err);
}

bool atls_fetch_options(const atls_fetcher_options *in, atls_fetcher *out, atls_error *err)
{
    static const atls_fetcher_options none = {.sources = NULL};
    in = in == NULL ? &none : in;
    const bool has_folder = in->cache_folder != NULL && in->cache_folder[0] != '\0';
    atls_fetcher_options *o = &out->options;
    *o = *in;
    return set_numbers(o, err) && copy_sources(in, out, err) && keep(in->proxy, &out->texts[0], &o->proxy, err)
           && keep(in->ca_file, &out->texts[1], &o->ca_file, err)
           && keep(in->user_agent == NULL ? "atls/" ATLS_VERSION : in->user_agent, &out->texts[2], &o->user_agent, err)
           && keep(has_folder ? in->cache_folder : NULL, &out->texts[3], &o->cache_folder, err)
           && keep_status_url(in, out, err);
}
