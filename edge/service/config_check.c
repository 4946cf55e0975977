/* SPDX-License-Identifier: Apache-2.0 */
/* config_check.c: the rules between members, and what a configuration weakens. */
#include <string.h>

#include "base/text.h"
#include "config.h"
#include "edge/endorse/url.h"
#include "place.h"

void svc_config_warn(svc_config *c, const char *sentence)
{
    if (c->n_warnings < SVC_MAX_WARNINGS && sentence != NULL) {
        c->warnings[c->n_warnings++] = sentence;
    }
}

static bool invalid(atls_error *err, const char *field, const char *why)
{
    return atls_fail(err, ATLS_E_CONFIGURATION, field, "%s", why);
}

/* ---- where ---- */

static bool all_loopback(const svc_list *l, const char *field, bool *out, atls_error *err)
{
    svc_place place;
    *out = true;
    for (size_t i = 0; i < l->n; i++) {
        if (!svc_place_parse(l->items[i], field, &place, err)) {
            return false;
        }
        *out = *out && place.is_loopback;
    }
    return true;
}

static bool check_listen(svc_config *c, atls_error *err)
{
    bool is_local = false;
    bool is_admin_local = false;
    if (c->listen.n == 0) {
        return invalid(err, "listen", "there is no address to listen at");
    }
    if (!all_loopback(&c->listen, "listen", &is_local, err)
        || !all_loopback(&c->admin_listen, "admin_listen", &is_admin_local, err)) {
        return false;
    }
    if ((c->tls_certificate == NULL) != (c->tls_key == NULL)) {
        return invalid(err, "tls", "a certificate and its key belong together");
    }
    if (c->tls_certificate == NULL && !is_local && !c->insecure_plain_http) {
        return invalid(err, "tls",
                       "without TLS only loopback addresses can be listened at; or say insecure_plain_http");
    }
    if (c->insecure_plain_http) {
        svc_config_warn(c, "insecure_plain_http: whoever is on the way reads and changes challenges and certificates");
    }
    if (!is_admin_local) {
        svc_config_warn(c, "admin_listen is not a loopback address: health and metrics are plain HTTP, for anybody");
    }
    return true;
}

static bool check_paths(const svc_config *c, atls_error *err)
{
    const struct {
        const char *field;
        const char *path;
    } paths[] = {{"paths.challenge", c->challenge_path},
                 {"paths.attest", c->attest_path},
                 {"paths.health", c->health_path},
                 {"paths.metrics", c->metrics_path}};
    for (size_t i = 0; i < 4; i++) {
        if (paths[i].path[0] != '/' || strpbrk(paths[i].path, "?# ") != NULL) {
            return invalid(err, paths[i].field, "a path begins with a slash, and has no query");
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(paths[i].path, paths[k].path) == 0) {
                return invalid(err, paths[i].field, "two paths are the same");
            }
        }
    }
    return true;
}

static bool check_endpoint(svc_config *c, atls_error *err)
{
    if (!atls_url_check(c->endpoint, c->insecure_plain_http, "endpoint", err)) {
        return false;
    }
    const char *host = strstr(c->endpoint, "://");
    const char *path = host == NULL ? NULL : strchr(host + 3, '/');
    if (path == NULL || strcmp(path, c->attest_path) != 0) {
        svc_config_warn(
            c, "endpoint does not end with paths.attest: something in front of this service has to rewrite it");
    }
    return true;
}

/* ---- what ---- */

static bool check_challenge(svc_config *c, atls_error *err)
{
    if ((uint64_t)c->challenge_offset_s >= c->validity_s) {
        return invalid(err, "challenge.offset_s",
                       "a challenge would be over before it is sent: it is less than validity_s");
    }
    if (c->verification_offset_s != 0) {
        svc_config_warn(c,
                        "verification_time_offset_s: certificates and statements are judged at another time than now");
    }
    if (c->android.len == 0 && c->apple.len == 0) {
        return invalid(err, "android", "neither android nor apple is configured: no phone could enrol");
    }
    return true;
}

static bool check_ca(svc_config *c, atls_error *err)
{
    const bool has_ca = c->ca_folder != NULL || c->ca_chain != NULL || c->ca_key != NULL || c->ca_passphrase != NULL
                        || c->ca_pin != NULL || c->ca_serial_key != NULL;
    if (!c->insecure_test_mode) {
        if (c->test_ca != NULL) {
            return invalid(err, "insecure_test_ca", "this is for insecure_test_mode only");
        }
        return has_ca || invalid(err, "ca", "nothing is there to sign certificates with");
    }
    svc_config_warn(c, "insecure_test_mode: roots that are not Google's or Apple's may vouch for phones");
    if (has_ca) {
        return invalid(err, "ca", "a test service must not sign with the production CA: name insecure_test_ca instead");
    }
    return c->test_ca != NULL || invalid(err, "insecure_test_ca", "nothing is there to sign certificates with");
}

/* ---- with what ---- */

static bool check_status(svc_config *c, atls_error *err)
{
    if (c->status_url != NULL && strcmp(c->status_url, "google") != 0
        && !atls_url_check(c->status_url, false, "status_list.url", err)) {
        return false;
    }
    if (c->status_file != NULL && c->status_url != NULL) {
        return invalid(err, "status_list", "a file or a URL, not both");
    }
    if (c->android.len > 0 && c->status_file == NULL && c->status_url == NULL) {
        return invalid(err, "status_list", "without a list of revoked keys no Android phone could enrol");
    }
    return true;
}

static void warn_rest(svc_config *c)
{
    if (c->audit_file == NULL) {
        svc_config_warn(c, "there is no audit_file: what was issued to whom will not be known");
    }
    if (c->records_folder != NULL && !c->records_redact) {
        svc_config_warn(c, "records.redact is false: debug statements hold serial numbers of phones");
    }
    if (c->challenge_per_minute == 0 || c->attest_per_minute == 0) {
        svc_config_warn(c, "a rate is not limited: one address may ask for everything");
    }
}

/* Names of files in members that are more than a name. */
static bool place_files(svc_config *c, atls_arena *a, atls_error *err)
{
    if (strncmp(c->store, "sqlite:", 7) == 0) {
        const char *file = NULL;
        if (!svc_config_path(c, atls_bytes_str(c->store + 7), a, &file, err)) {
            return false;
        }
        c->store = atls_text_format(a, err, "sqlite:%s", file);
        if (c->store == NULL) {
            return false;
        }
    }
    if (c->ca_key != NULL && strncmp(c->ca_key, "pkcs11:", 7) != 0
        && !svc_config_path(c, atls_bytes_str(c->ca_key), a, &c->ca_key, err)) {
        return false;
    }
    return true;
}

bool svc_config_check(svc_config *c, atls_arena *a, atls_error *err)
{
    if (!place_files(c, a, err) || !check_listen(c, err) || !check_paths(c, err) || !check_endpoint(c, err)
        || !check_challenge(c, err) || !check_ca(c, err) || !check_status(c, err)) {
        return false;
    }
    warn_rest(c);
    return true;
}

/* ---- reload ---- */

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_list(const svc_list *a, const svc_list *b)
{
    for (size_t i = 0; i < a->n && i < b->n; i++) {
        if (strcmp(a->items[i], b->items[i]) != 0) {
            return false;
        }
    }
    return a->n == b->n;
}

const char *svc_config_fixed(const svc_config *a, const svc_config *b)
{
    const struct {
        const char *field;
        bool same;
    } rows[] = {
        {"listen", same_list(&a->listen, &b->listen)},
        {"admin_listen", same_list(&a->admin_listen, &b->admin_listen)},
        {"tls", (a->tls_certificate == NULL) == (b->tls_certificate == NULL)},
        {"store", same_text(a->store, b->store)},
        {"audit_file", same_text(a->audit_file, b->audit_file)},
        {"audit_fsync", a->audit_fsync == b->audit_fsync},
        {"workers", a->workers == b->workers},
        {"limits.arena_mib", a->arena_mib == b->arena_mib},
        {"limits.queue", a->queue == b->queue},
        {"limits.addresses", a->addresses == b->addresses},
        {"limits.challenges", a->max_challenges >= b->max_challenges}, /* the store was made for so many */
        {"status_list.cache_folder", same_text(a->status_cache, b->status_cache)},
        {"status_list.proxy", same_text(a->status_proxy, b->status_proxy)},
        {"insecure_test_mode", a->insecure_test_mode == b->insecure_test_mode},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (!rows[i].same) {
            return rows[i].field;
        }
    }
    return NULL;
}

atls_record_when svc_config_when(const svc_config *c)
{
    if (c->records_folder == NULL || strcmp(c->records_when, "never") == 0) {
        return ATLS_RECORD_NEVER;
    }
    return strcmp(c->records_when, "always") == 0 ? ATLS_RECORD_ALWAYS : ATLS_RECORD_ON_FAILURE;
}
