/* SPDX-License-Identifier: Apache-2.0 */
/* list.c: Google's list of revoked keys: out of a file that somebody keeps, or fetched; compiled once, shared by all. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "internal.h"
#include "policy.h"

#define MAX_LIST_LEN ((size_t)16 * 1024 * 1024)
#define MAX_AGE_S    86400u

struct svc_lists {
    atls_fetcher *fetcher; /* NULL: a file, or nothing */
    struct stat seen;      /* of the file that was read last */
    bool has_seen;
    char url[512]; /* that was asked last */
};

bool svc_revoked_new(atls_bytes json, atls_time fetched, atls_time expires, svc_revoked **out, atls_error *err)
{
    svc_revoked *l = calloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "status_list", NULL);
    }
    atomic_init(&l->n_holders, 1);
    /* The text stays with the list: debug statements name what was looked up. */
    if (!atls_arena_new(&l->arena, SVC_LIST_ARENA_SIZE, err) || !atls_arena_copy(&l->arena, json, &l->status.list, err)
        || !atls_android_list_compile(l->status.list, &l->arena, &l->status.compiled, err)) {
        svc_revoked_drop(l);
        return false;
    }
    l->status.fetched = fetched;
    l->status.expires = expires;
    l->n_entries = atls_android_list_len(l->status.compiled);
    atls_android_list_sha256(l->status.compiled, l->sha256);
    *out = l;
    return true;
}

void svc_revoked_drop(svc_revoked *l)
{
    if (l != NULL && atomic_fetch_sub(&l->n_holders, 1) == 1) {
        atls_arena_free(&l->arena);
        free(l);
    }
}

/* ---- where from ---- */

bool svc_lists_new(const svc_config *c, svc_lists **out, atls_error *err)
{
    svc_lists *l = calloc(1, sizeof *l);
    *out = l;
    if (l == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "status_list", NULL);
    }
    const atls_fetcher_options options = {
        .proxy = c->status_proxy, .cache_folder = c->status_cache, .max_age_s = MAX_AGE_S, .total_timeout_ms = 15000};
    if (c->status_url != NULL && !atls_fetcher_new(&options, &l->fetcher, err)) {
        free(l);
        *out = NULL;
        return false;
    }
    return true;
}

void svc_lists_free(svc_lists *l)
{
    if (l != NULL) {
        atls_fetcher_free(l->fetcher);
        free(l);
    }
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size
           && a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* A file is as old as its last change says: whoever keeps it touches it when the list was fetched and is the same. One that was
 * changed tomorrow would be fresh for longer than it may: it counts from now on. */
static bool look_at_file(svc_lists *l, const svc_config *c, const svc_revoked *have, atls_time now, atls_arena *a,
                         svc_revoked **out, atls_error *err)
{
    struct stat st;
    atls_bytes json;
    if (stat(c->status_file, &st) != 0) {
        const int reason = errno;
        return atls_fail(err, ATLS_E_IO, "status_list.file", "%s: %s", c->status_file, strerror(reason));
    }
    if (have != NULL && l->has_seen && is_same_file(&st, &l->seen)) {
        return true;
    }
    const atls_time written = st.st_mtim.tv_sec < now ? st.st_mtim.tv_sec : now;
    if (!svc_read_file(c->status_file, "status_list.file", MAX_LIST_LEN, a, &json, err)
        || !svc_revoked_new(json, written, written + (atls_time)c->status_life_s, out, err)) {
        return false;
    }
    l->seen = st;
    l->has_seen = true;
    return true;
}

/* Nine tenths of its life are not over yet. */
static bool is_fresh(const svc_revoked *have, atls_time now)
{
    const atls_time life = have->status.expires - have->status.fetched;
    return now >= have->status.fetched && now < have->status.expires - life / 10;
}

static bool look_at_url(svc_lists *l, const svc_config *c, const svc_revoked *have, atls_time now, atls_arena *a,
                        svc_revoked **out, atls_error *err)
{
    atls_fetched got;
    const char *url = strcmp(c->status_url, "google") == 0 ? ATLS_ANDROID_STATUS_URL : c->status_url;
    if (l->fetcher == NULL) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "status_list.url", "a URL in place of a file needs a restart");
    }
    if (have != NULL && strcmp(url, l->url) == 0 && is_fresh(have, now)) {
        return true;
    }
    if (!atls_fetcher_document(l->fetcher, url, a, &got, err)) {
        return false;
    }
    (void)snprintf(l->url, sizeof l->url, "%s", url);
    if (have != NULL && have->status.fetched == got.fetched) {
        return true;
    }
    /* A sender who does not say how long it may be kept is believed for an hour (android.md, section 9). */
    const atls_time expires = got.valid_until > got.fetched ? got.valid_until : got.fetched + ATLS_ANDROID_LIST_LIFE_S;
    return svc_revoked_new(got.content, got.fetched, expires, out, err);
}

bool svc_lists_look(svc_lists *l, const svc_config *c, const svc_revoked *have, atls_time now, svc_revoked **out,
                    atls_error *err)
{
    atls_arena a = {0};
    *out = NULL;
    if (c->status_file == NULL && c->status_url == NULL) {
        return true;
    }
    if (!atls_arena_new(&a, 2 * MAX_LIST_LEN, err)) {
        return false;
    }
    const bool ok = c->status_file != NULL ? look_at_file(l, c, have, now, &a, out, err)
                                           : look_at_url(l, c, have, now, &a, out, err);
    atls_arena_free(&a);
    return ok;
}
