/* SPDX-License-Identifier: Apache-2.0 */
/* enroller_list.c: Google's status list may have 16 MiB; what a verdict can depend on is a handful of entries. The appraisal gets
 * a list of just these, so that a recording of it is whole, small, and replays to the last byte. The short list is asked the
 * same questions as the long one before it is handed on: where an answer differs there is no verdict. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "enroller.h"
#include "evidence/android/android.h"

/* Lower-case hexadecimal, no leading zeros, '-' before the magnitude of a negative one (android.md, section 9). */
static const char *hexadecimal(atls_bytes serial, atls_arena *arena, atls_error *err)
{
    uint8_t *bytes = atls_arena_raw(arena, serial.len + 1, err);
    if (bytes == NULL || serial.len == 0) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "serial", "a certificate without a serial");
        return NULL;
    }
    memcpy(bytes, serial.ptr, serial.len);
    const bool is_negative = (bytes[0] & 0x80) != 0;
    unsigned carry = 1;
    for (size_t i = serial.len; is_negative && i > 0; i--) {
        const unsigned sum = (unsigned)(uint8_t)~bytes[i - 1] + carry;
        bytes[i - 1] = (uint8_t)sum;
        carry = sum >> 8;
    }
    const char *hex = atls_hex_text(atls_bytes_of(bytes, serial.len), arena, err);
    if (hex == NULL) {
        return NULL;
    }
    while (hex[0] == '0' && hex[1] != '\0') {
        hex++;
    }
    return is_negative ? atls_text_format(arena, err, "-%s", hex) : hex;
}

typedef struct asked {
    atls_bytes serial; /* content of the INTEGER */
    android_status answer;
} asked;

/* ---- asking the long list ---- */

static bool ask(const atls_android_list *list, const atls_enrol_list_source *s, atls_arena *arena, asked *all,
                atls_enrol_list *seen, atls_error *err)
{
    const size_t n = s->statement->n_x5c;
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    for (size_t i = n; cert != NULL && i > 1; i--) {
        asked *a = &all[seen->n];
        atls_enrol_serial *out = &seen->serials[seen->n];
        if (!atls_cert_decode_of_phone(s->statement->x5c[i - 2], "", cert, err)
            || !android_list_find(list, cert->serial, s->match_decimal, &a->answer, err)) {
            return false;
        }
        a->serial = cert->serial;
        out->serial = hexadecimal(cert->serial, arena, err);
        out->is_listed = a->answer.is_revoked || a->answer.status[0] != '\0';
        out->status = a->answer.status;
        out->reason = a->answer.reason;
        if (out->serial == NULL) {
            return false;
        }
        seen->n++;
    }
    return cert != NULL;
}

/* ---- the short one ---- */

static bool is_repeated(const atls_enrol_list *seen, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (strcmp(seen->serials[k].serial, seen->serials[i].serial) == 0) {
            return true;
        }
    }
    return false;
}

/* A word that could not be shown comes out as none, and revokes like any other that is not "OK". */
static bool write_list(const atls_enrol_list *seen, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_open(&w, "entries", '{');
    for (size_t i = 0; i < seen->n; i++) {
        const atls_enrol_serial *s = &seen->serials[i];
        if (!s->is_listed || is_repeated(seen, i)) {
            continue;
        }
        atls_buf_format(&b, "%s\"%s\":", w.comma ? "," : "", s->serial); /* the one table whose names are data */
        w.comma = false;
        atls_jw_open(&w, NULL, '{');
        if (s->status[0] != '\0') {
            atls_jw_str(&w, "status", s->status);
        }
        if (s->reason[0] != '\0') {
            atls_jw_str(&w, "reason", s->reason);
        }
        atls_jw_close(&w, '}');
    }
    atls_jw_close(&w, '}');
    atls_jw_close(&w, '}');
    return atls_buf_done(&b, out);
}

static bool says_the_same(atls_bytes text, const atls_enrol_list_source *s, const asked *all, atls_arena *arena,
                          atls_error *err)
{
    const atls_android_list *list = NULL;
    if (!atls_android_list_compile(text, arena, &list, err)) {
        return false;
    }
    for (size_t i = 0; i < s->seen.n; i++) {
        const android_status *was = &all[i].answer;
        android_status is;
        if (!android_list_find(list, all[i].serial, s->match_decimal, &is, err)) {
            return false;
        }
        if (is.is_revoked != was->is_revoked || strcmp(is.status, was->status) != 0
            || strcmp(is.reason, was->reason) != 0) {
            return atls_fail(err, ATLS_E_INTERNAL, "status", "the short list says something else than the long one");
        }
    }
    return true;
}

static bool reduce(atls_enrol_list_source *s, atls_android_status *status, atls_arena *arena, atls_error *err)
{
    asked all[ATLS_ENROL_MAX_CERTIFICATES];
    atls_bytes text;
    const atls_android_list *list = status->compiled;
    if (list == NULL && !atls_android_list_compile(status->list, arena, &list, err)) {
        return false;
    }
    if (s->statement->n_x5c > ATLS_ENROL_MAX_CERTIFICATES) {
        return atls_fail(err, ATLS_E_INTERNAL, "statement.x5c", "more certificates than a statement may have");
    }
    if (!ask(list, s, arena, all, &s->seen, err) || !write_list(&s->seen, arena, &text, err)
        || !says_the_same(text, s, all, arena, err)) {
        return false;
    }
    atls_android_list_sha256(list, s->seen.sha256);
    s->seen.fetched = status->fetched;
    s->seen.expires = status->expires;
    s->seen.is_there = true;
    status->compiled = NULL;
    status->list = text;
    return true;
}

bool atls_enrol_list_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                             atls_endorsements *out, atls_error *err)
{
    atls_enrol_list_source *s = ctx;
    s->seen = (atls_enrol_list){0};
    *out = (atls_endorsements){0};
    if (s->endorse == NULL) {
        return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "status", "no source of a status list is configured");
    }
    if (!s->endorse(s->ctx, request, arena, out, err)) {
        return err->code != ATLS_OK ? false : atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "status", NULL);
    }
    atls_android_status status = out->android;
    *out = (atls_endorsements){0}; /* nothing else is looked at */
    if (status.compiled == NULL && status.list.len == 0) {
        return true;
    }
    if (!reduce(s, &status, arena, err)) {
        s->seen = (atls_enrol_list){0};
        return false;
    }
    out->android = status;
    return true;
}
