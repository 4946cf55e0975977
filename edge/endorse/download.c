/* SPDX-License-Identifier: Apache-2.0 */
/* download.c: libcurl, with everything that is not needed switched off. */
#include "download.h"

#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/text.h"
#include "download_header.h"
#include "edge/tls/clock.h"

/* Slower than this for so long is a server that drips to keep us. */
#define LOW_SPEED_BYTES 64L
#define LOW_SPEED_S     5L

/* libcurl's own state is the process's: it is made once, and stays. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT); /* where it fails, so does curl_easy_init */
}

/* One download under way. */
typedef struct transfer {
    atls_downloader *downloader;
    uint8_t *body; /* malloc */
    size_t len;
    size_t cap;
    size_t max_len;
    atls_answer_headers headers;
    bool is_alone;           /* no redirect is followed */
    const atls_upload *post; /* NULL: a GET */
    struct curl_slist *own_headers;
    atls_error *err;
} transfer;

/* ---- handles ----------------------------------------------------------------------------------------------------------- */

bool atls_downloader_init(atls_downloader *d, atls_error *err)
{
    (void)pthread_once(&curl_once, start_curl);
    for (size_t i = 0; i < ATLS_IDLE_CONNECTIONS; i++) {
        d->idle[i] = NULL;
    }
    atomic_init(&d->stop, false);
    if (pthread_mutex_init(&d->lock, NULL) != 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "no lock could be made");
        return false;
    }
    return true;
}

void atls_downloader_destroy(atls_downloader *d)
{
    for (size_t i = 0; i < ATLS_IDLE_CONNECTIONS; i++) {
        if (d->idle[i] != NULL) {
            curl_easy_cleanup(d->idle[i]);
        }
    }
    (void)pthread_mutex_destroy(&d->lock);
}

static CURL *take_handle(atls_downloader *d)
{
    CURL *found = NULL;
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < ATLS_IDLE_CONNECTIONS && found == NULL; i++) {
        found = d->idle[i];
        d->idle[i] = NULL;
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (found == NULL) {
        return curl_easy_init();
    }
    curl_easy_reset(found); /* connections stay, options go */
    return found;
}

static void give_handle(atls_downloader *d, CURL *handle)
{
    (void)pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < ATLS_IDLE_CONNECTIONS && handle != NULL; i++) {
        if (d->idle[i] == NULL) {
            d->idle[i] = handle;
            handle = NULL;
        }
    }
    (void)pthread_mutex_unlock(&d->lock);
    if (handle != NULL) {
        curl_easy_cleanup(handle);
    }
}

/* ---- what libcurl calls ------------------------------------------------------------------------------------------------ */

static bool make_room(transfer *t, size_t n)
{
    size_t cap = t->cap == 0 ? 16384 : t->cap;
    while (cap < t->len + n) {
        cap *= 2;
    }
    if (cap == t->cap) {
        return true;
    }
    uint8_t *grown = realloc(t->body, cap);
    if (grown == NULL) {
        (void)atls_fail(t->err, ATLS_E_MEMORY, "body", NULL);
        return false;
    }
    t->body = grown;
    t->cap = cap;
    return true;
}

/* Anything but n ends the transfer. */
static size_t on_body(char *data, size_t size, size_t n, void *ctx)
{
    transfer *t = ctx;
    (void)size; /* always 1 */
    if (n > t->max_len - t->len) {
        (void)atls_fail(t->err, ATLS_E_LIMIT, "body", "the answer is longer than %zu bytes", t->max_len);
        return 0;
    }
    if (!make_room(t, n)) {
        return 0;
    }
    memcpy(t->body + t->len, data, n);
    t->len += n;
    return n;
}

static size_t on_header(char *data, size_t size, size_t n, void *ctx)
{
    transfer *t = ctx;
    (void)size; /* always 1 */
    return atls_answer_header(&t->headers, atls_bytes_of(data, n), t->err) ? n : 0;
}

static int on_progress(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const transfer *t = ctx;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&t->downloader->stop) ? 1 : 0;
}

/* ---- one request ------------------------------------------------------------------------------------------------------- */

static bool set_world(CURL *c, const atls_downloader *d, const char *url)
{
    const char *scheme = strncmp(url, "http://", 7) == 0 ? "http" : "https";
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, scheme) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_USERAGENT, d->user_agent) == CURLE_OK
           && (d->proxy == NULL || curl_easy_setopt(c, CURLOPT_PROXY, d->proxy) == CURLE_OK)
           && curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK
           && (d->ca_file == NULL
               || (curl_easy_setopt(c, CURLOPT_CAINFO, d->ca_file) == CURLE_OK
                   && curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK));
}

/* A name is looked up in a thread of libcurl's. When time is up it would wait for that thread, which nobody can stop: for as
 * long as the system's resolver takes. Left to itself, the thread ends, and frees what is its own. */
static bool leave_resolver(CURL *c)
{
#if LIBCURL_VERSION_NUM >= 0x075700 /* 7.87.0 */
    return curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#else
    (void)c;
    return true;
#endif
}

static bool set_bounds(CURL *c, const atls_downloader *d, uint32_t timeout_ms)
{
    const long connect = d->connect_timeout_ms < timeout_ms ? (long)d->connect_timeout_ms : (long)timeout_ms;
    return leave_resolver(c) && curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, connect) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, LOW_SPEED_S) == CURLE_OK;
}

static bool set_calls(CURL *c, transfer *t)
{
    return curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_XFERINFODATA, t) == CURLE_OK;
}

/* "Expect: 100-continue" would cost a second with servers that do not know it. */
static bool set_upload(CURL *c, transfer *t, atls_arena *arena)
{
    const atls_upload *post = t->post;
    if (post == NULL) {
        return true;
    }
    const char *type = atls_text_format(arena, t->err, "Content-Type: %s", post->content_type);
    struct curl_slist *list = type == NULL ? NULL : curl_slist_append(NULL, type);
    struct curl_slist *more = list == NULL ? NULL : curl_slist_append(list, "Expect:");
    t->own_headers = more == NULL ? list : more;
    return more != NULL && curl_easy_setopt(c, CURLOPT_HTTPHEADER, more) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->body.len) == CURLE_OK
           && curl_easy_setopt(c, CURLOPT_POSTFIELDS, (const char *)post->body.ptr) == CURLE_OK;
}

/* What libcurl says, unless one of the calls above knew better. */
static bool fail_curl(CURLcode code, const char *words, atls_error *err)
{
    const char *text = words[0] == '\0' ? curl_easy_strerror(code) : words;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return atls_fail(err, ATLS_E_TIMEOUT, "http", "%s", text);
    case CURLE_OUT_OF_MEMORY:
        return atls_fail(err, ATLS_E_MEMORY, "http", NULL);
    case CURLE_SSL_CACERT_BADFILE:
        return atls_fail(err, ATLS_E_CONFIGURATION, "ca_file", "%s", text);
    default:
        return atls_fail(err, ATLS_E_IO, "http", "%s", text);
    }
}

static bool perform(CURL *c, transfer *t, const char *url, uint32_t timeout_ms, long *status)
{
    char words[CURL_ERROR_SIZE] = "";
    if (!set_world(c, t->downloader, url) || !set_bounds(c, t->downloader, timeout_ms) || !set_calls(c, t)
        || !set_upload(c, t, t->headers.arena) || curl_easy_setopt(c, CURLOPT_ERRORBUFFER, words) != CURLE_OK) {
        return atls_fail(t->err, ATLS_E_INTERNAL, "http", "libcurl refused an option");
    }
    t->len = 0;
    t->headers = (atls_answer_headers){
        .max_len = t->downloader->max_header_len, .arena = t->headers.arena, .chain = atls_bytes_empty()};
    const CURLcode code = curl_easy_perform(c);
    (void)curl_easy_setopt(c, CURLOPT_ERRORBUFFER, NULL);
    if (code != CURLE_OK) {
        return fail_curl(code, words, t->err);
    }
    return curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status) == CURLE_OK
           || atls_fail(t->err, ATLS_E_INTERNAL, "http", "libcurl knows no status");
}

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* One redirect, to where we are already (specification of DCAP, section 5). */
static bool follow(CURL *c, transfer *t, const char *url, uint32_t timeout_ms, long *status)
{
    char next[ATLS_URL_SIZE];
    char *where = NULL;
    atls_error ignored = {0};
    const bool known = curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &where) == CURLE_OK && where != NULL;
    if (!known || !atls_url_check(where, true, "", &ignored) || !atls_url_origin_equal(url, where)) {
        return atls_fail(t->err, ATLS_E_IO, "http", "redirected elsewhere, which is not followed");
    }
    memcpy(next, where, strlen(where) + 1);
    if (!perform(c, t, next, timeout_ms, status)) {
        return false;
    }
    return !is_redirect(*status) || atls_fail(t->err, ATLS_E_IO, "http", "redirected twice, which is not followed");
}

static uint32_t left_of(uint64_t begin_ms, uint32_t timeout_ms)
{
    const uint64_t spent = atls_clock_ms() - begin_ms;
    return spent + 1 < timeout_ms ? timeout_ms - (uint32_t)spent : 1;
}

static bool get(CURL *c, transfer *t, const char *url, uint32_t timeout_ms, atls_arena *arena, atls_downloaded *out)
{
    curl_off_t retry_after = 0;
    const uint64_t begin_ms = atls_clock_ms();
    if (!perform(c, t, url, timeout_ms, &out->status)
        || (is_redirect(out->status) && !t->is_alone
            && !follow(c, t, url, left_of(begin_ms, timeout_ms), &out->status))) {
        return false;
    }
    if (curl_easy_getinfo(c, CURLINFO_RETRY_AFTER, &retry_after) == CURLE_OK && retry_after > 0) {
        out->retry_after_s = retry_after > 86400 ? 86400 : (uint32_t)retry_after;
    }
    out->chain = t->headers.chain;
    out->may_keep = t->headers.has_max_age && !t->headers.no_store;
    out->max_age_s = t->headers.max_age_s;
    return out->status != 200 || atls_arena_copy(arena, atls_bytes_of(t->body, t->len), &out->body, t->err);
}

static bool run(atls_downloader *d, transfer *t, const char *url, uint32_t timeout_ms, atls_arena *arena,
                atls_downloaded *out, atls_error *err)
{
    *out = (atls_downloaded){.body = atls_bytes_empty(), .chain = atls_bytes_empty()};
    CURL *c = take_handle(d);
    if (c == NULL) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "http", "libcurl could not be started");
        return false;
    }
    const bool ok = get(c, t, url, timeout_ms, arena, out);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, NULL);
    give_handle(d, c);
    curl_slist_free_all(t->own_headers);
    free(t->body);
    return ok;
}

bool atls_download(atls_downloader *d, const char *url, size_t max_len, uint32_t timeout_ms, atls_arena *arena,
                   atls_downloaded *out, atls_error *err)
{
    transfer t = {.downloader = d, .max_len = max_len, .headers = {.arena = arena}, .err = err};
    return run(d, &t, url, timeout_ms, arena, out, err);
}

bool atls_exchange(atls_downloader *d, const char *url, const atls_upload *post, size_t max_len, uint32_t timeout_ms,
                   atls_arena *arena, atls_downloaded *out, atls_error *err)
{
    transfer t = {
        .downloader = d, .max_len = max_len, .headers = {.arena = arena}, .is_alone = true, .post = post, .err = err};
    return run(d, &t, url, timeout_ms, arena, out, err);
}
