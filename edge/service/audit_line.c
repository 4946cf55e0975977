/* SPDX-License-Identifier: Apache-2.0 */
/* audit_line.c: writes the lines of the audit log. */
#include "audit_line.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define MAX_TIME_MS ((int64_t)253402300799999) /* the year 9999 */
#define TIME_SIZE   (ATLS_TIME_TEXT_SIZE + 8)

typedef struct line {
    atls_buf buf;
    atls_jw json;
    const atls_audit_place *last;
    uint64_t seq;
} line;

static bool format_time(int64_t ms, char out[static TIME_SIZE], atls_error *err)
{
    char seconds[ATLS_TIME_TEXT_SIZE];
    if (ms < 1000 || ms > MAX_TIME_MS) {
        (void)atls_fail(err, ATLS_E_USAGE, "audit.time_ms", "no instant that could be now");
        return false;
    }
    atls_time_format(ms / 1000, seconds);
    (void)snprintf(out, TIME_SIZE, "%.19s.%03dZ", seconds, (int)(ms % 1000));
    return true;
}

static bool begin(line *l, const char *type, int64_t time_ms, const atls_audit_place *last, atls_arena *a,
                  atls_error *err)
{
    char time[TIME_SIZE];
    if (!format_time(time_ms, time, err)) {
        return false;
    }
    atls_buf_init(&l->buf, a, err);
    atls_jw_init(&l->json, &l->buf);
    l->last = last;
    l->seq = last->is_known ? last->seq + 1 : 1;
    atls_jw_open(&l->json, NULL, '{');
    atls_jw_uint(&l->json, "v", 1);
    atls_jw_str(&l->json, "type", type);
    atls_jw_uint(&l->json, "seq", l->seq);
    atls_jw_str(&l->json, "time", time);
    return true;
}

/* The end of every line: what came before, and the line's own digest. */
static bool end(line *l, const atls_crypto *c, atls_bytes *out, atls_audit_place *next, atls_error *err)
{
    atls_bytes body;
    atls_audit_place place = {.is_known = true, .seq = l->seq};
    char hex[2 * ATLS_AUDIT_DIGEST_LEN + 1];
    atls_jw_hex(&l->json, "previous", atls_bytes_of(l->last->digest, sizeof l->last->digest));
    if (!atls_buf_done(&l->buf, &body) || !atls_digest(c, ATLS_SHA256, &body, 1, place.digest, err)) {
        return false;
    }
    atls_hex_encode(atls_bytes_of(place.digest, sizeof place.digest), hex);
    atls_buf_format(&l->buf, ",\"digest\":\"%s\"}\n", hex);
    if (!atls_buf_done(&l->buf, out)) {
        return false;
    }
    if (out->len > ATLS_AUDIT_MAX_LINE_LEN) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "audit", "a line is too long");
        return false;
    }
    *next = place;
    return true;
}

bool atls_audit_line_begin(const atls_crypto *c, int64_t time_ms, const atls_audit_place *last, atls_arena *a,
                           atls_bytes *out, atls_audit_place *next, atls_error *err)
{
    line l;
    return begin(&l, "begin", time_ms, last, a, err) && end(&l, c, out, next, err);
}

bool atls_audit_line_torn(const atls_crypto *c, int64_t time_ms, atls_bytes torn, const atls_audit_place *last,
                          atls_arena *a, atls_bytes *out, atls_audit_place *next, atls_error *err)
{
    line l;
    uint8_t digest[ATLS_AUDIT_DIGEST_LEN];
    if (!atls_digest(c, ATLS_SHA256, &torn, 1, digest, err) || !begin(&l, "torn", time_ms, last, a, err)) {
        return false;
    }
    atls_jw_uint(&l.json, "torn_len", torn.len);
    atls_jw_hex(&l.json, "torn_sha256", atls_bytes_of(digest, sizeof digest));
    return end(&l, c, out, next, err);
}

/* ---- requests --------------------------------------------------------------------------------------------------------- */

static bool check_word(const char *word, const char *field, atls_error *err)
{
    const size_t n = word == NULL ? 0 : strlen(word);
    bool ok = n <= ATLS_AUDIT_MAX_WORD_LEN;
    for (size_t i = 0; ok && i < n; i++) {
        ok = word[i] > ' ' && word[i] <= '~' && word[i] != '"' && word[i] != '\\';
    }
    if (!ok) {
        (void)atls_fail(err, ATLS_E_USAGE, field, "a word has at most 64 printable characters");
    }
    return ok;
}

static bool check_entry(const atls_audit_entry *e, atls_error *err)
{
    if (e->serial.len > ATLS_AUDIT_MAX_SERIAL) {
        (void)atls_fail(err, ATLS_E_USAGE, "audit.serial", "a serial number has at most 20 bytes");
        return false;
    }
    return check_word(e->request, "audit.request", err) && check_word(e->class_name, "audit.class", err)
           && check_word(e->reason, "audit.reason", err);
}

static void put_bytes(atls_jw *w, const char *name, const uint8_t *ptr, size_t len)
{
    if (ptr == NULL || len == 0) {
        atls_jw_null(w, name);
    } else {
        atls_jw_hex(w, name, atls_bytes_of(ptr, len));
    }
}

/* Its name may be anything: cut, and escaped by the writer. */
static void put_app(atls_jw *w, atls_bytes app)
{
    if (app.len == 0) {
        atls_jw_null(w, "app");
        return;
    }
    atls_jw_string(w, "app",
                   atls_bytes_of(app.ptr, app.len < ATLS_AUDIT_MAX_APP_LEN ? app.len : ATLS_AUDIT_MAX_APP_LEN));
}

bool atls_audit_line_request(const atls_crypto *c, const atls_audit_entry *e, const atls_audit_place *last,
                             atls_arena *a, atls_bytes *out, atls_audit_place *next, atls_error *err)
{
    line l;
    if (!check_entry(e, err) || !begin(&l, "request", e->time_ms, last, a, err)) {
        return false;
    }
    atls_jw *w = &l.json;
    atls_jw_str(w, "request", e->request);
    put_bytes(w, "nonce", e->nonce_sha256, ATLS_AUDIT_DIGEST_LEN);
    atls_jw_str(w, "platform", atls_platform_name(e->platform));
    put_app(w, e->app);
    put_bytes(w, "key", e->key_sha256, ATLS_AUDIT_DIGEST_LEN);
    atls_jw_str(w, "verdict", e->is_accepted ? "accepted" : "rejected");
    atls_jw_str(w, "class", e->class_name);
    atls_jw_str(w, "reason", e->reason);
    atls_jw_str(w, "code", atls_code_name(e->code));
    atls_jw_str(w, "kind", atls_category_name(e->kind));
    put_bytes(w, "serial", e->serial.ptr, e->serial.len);
    put_bytes(w, "policy", e->policy_sha256, ATLS_AUDIT_DIGEST_LEN);
    put_bytes(w, "list", e->list_sha256, ATLS_AUDIT_DIGEST_LEN);
    atls_jw_uint(w, "latency_us", e->latency_us);
    return end(&l, c, out, next, err);
}
