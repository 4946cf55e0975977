/* SPDX-License-Identifier: Apache-2.0 */
/* debug_text.c: the spellings of a debug statement: durations, JSON without white space, one line, and policies as Warden's
 * configurations. */
#include <stdio.h>
#include <string.h>

#include "atls/android.h"
#include "base/text.h"
#include "debug.h"
#include "message.h"

/* ---- durations ---- */

void atls_enrol_debug_duration(int64_t seconds, char out[ATLS_ENROL_DURATION_SIZE])
{
    char minutes_text[16] = "";
    char seconds_text[16] = "";
    char hours_text[32] = "";
    const uint64_t size = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
    const uint64_t h = size / 3600;
    const unsigned m = (unsigned)(size / 60 % 60);
    const unsigned s = (unsigned)(size % 60);
    if (h > 0) {
        (void)snprintf(hours_text, sizeof hours_text, "%lluH", (unsigned long long)h);
    }
    if (m > 0 || (h > 0 && s > 0)) {
        (void)snprintf(minutes_text, sizeof minutes_text, "%uM", m);
    }
    if (s > 0 || size == 0) {
        (void)snprintf(seconds_text, sizeof seconds_text, "%uS", s);
    }
    (void)snprintf(out, ATLS_ENROL_DURATION_SIZE, "%sPT%s%s%s", seconds < 0 ? "-" : "", hours_text, minutes_text,
                   seconds_text);
}

static bool take_letter(atls_bytes *text, char letter)
{
    if (text->len == 0 || text->ptr[0] != (uint8_t)letter) {
        return false;
    }
    *text = atls_bytes_of(text->ptr + 1, text->len - 1);
    return true;
}

/* Digits and the letter of their unit, when that is what follows. */
static bool take_part(atls_bytes *text, char unit, int64_t seconds, int64_t *sum)
{
    int64_t n = 0;
    size_t i = 0;
    while (i < text->len && i < 11 && text->ptr[i] >= '0' && text->ptr[i] <= '9') {
        n = 10 * n + (text->ptr[i] - '0');
        i++;
    }
    if (i == 0 || i == text->len || text->ptr[i] != (uint8_t)unit || n > (int64_t)UINT32_MAX) {
        return false;
    }
    *sum += n * seconds;
    *text = atls_bytes_of(text->ptr + i + 1, text->len - i - 1);
    return true;
}

bool atls_enrol_debug_duration_read(atls_bytes text, int64_t *seconds)
{
    int64_t sum = 0;
    const bool is_negative = take_letter(&text, '-');
    if (!take_letter(&text, 'P') || text.len == 0) {
        return false;
    }
    (void)take_part(&text, 'D', 86400, &sum);
    if (take_letter(&text, 'T')) {
        const bool hours = take_part(&text, 'H', 3600, &sum);
        const bool minutes = take_part(&text, 'M', 60, &sum);
        if (!take_part(&text, 'S', 1, &sum) && !hours && !minutes) {
            return false;
        }
    }
    *seconds = is_negative ? -sum : sum;
    return text.len == 0 && sum <= INT32_MAX;
}

/* ---- white space ---- */

bool atls_enrol_debug_minify(atls_bytes json, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    uint8_t *text = atls_arena_raw(arena, json.len, err);
    size_t n = 0;
    bool in_string = false;
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < json.len; i++) {
        const uint8_t c = json.ptr[i];
        if (!in_string && (c == ' ' || c == '\t' || c == '\r' || c == '\n')) {
            continue;
        }
        text[n++] = c;
        if (in_string && c == '\\' && i + 1 < json.len) {
            text[n++] = json.ptr[++i];
        } else if (c == '"') {
            in_string = !in_string;
        }
    }
    *out = atls_bytes_of(text, n);
    return true;
}

/* ---- one line ---- */

bool atls_enrol_debug_open(atls_bytes in, atls_arena *arena, atls_bytes *json, atls_error *err)
{
    while (in.len > 0 && (in.ptr[in.len - 1] == '\n' || in.ptr[in.len - 1] == '\r')) {
        in.len--;
    }
    if (in.len > ATLS_ENROL_MAX_DEBUG_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "debug", "%zu bytes; at most %u", in.len, ATLS_ENROL_MAX_DEBUG_LEN);
    }
    if (in.len > 0 && in.ptr[0] == 'u') {
        return atls_base64url_decode(atls_bytes_of(in.ptr + 1, in.len - 1), "debug", arena, json, err);
    }
    *json = in;
    return true;
}

bool atls_enrol_record_compact(atls_bytes statement, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_bytes json;
    atls_bytes text;
    atls_buf b;
    const atls_json *tree = NULL;
    *out = atls_bytes_empty();
    if (!atls_enrol_debug_open(statement, arena, &json, err) || !atls_json_parse(json, "debug", arena, &tree, err)
        || !atls_enrol_debug_minify(tree->raw, arena, &json, err) || !atls_enrol_base64url(json, arena, &text, err)) {
        return false;
    }
    atls_buf_init(&b, arena, err);
    atls_buf_str(&b, "u");
    atls_buf_put(&b, text);
    return atls_buf_done(&b, out);
}

/* ---- configurations ---- */

static void put_raw(atls_buf *b, bool *comma, const atls_json *m, atls_bytes value)
{
    /* names of policies' members are plain: none needs an escape */
    atls_buf_format(b, "%s\"%.*s\":", *comma ? "," : "", (int)m->name.len, (const char *)m->name.ptr);
    atls_buf_put(b, value);
    *comma = true;
}

/* Ours may be in hex, Warden's are base64url. */
static bool put_digests(atls_buf *b, const atls_json *array)
{
    atls_jw w;
    atls_jw_init(&w, b);
    atls_jw_open(&w, NULL, '[');
    for (const atls_json *d = array->child; d != NULL; d = d->next) {
        uint8_t digest[32];
        if (d->type == ATLS_JSON_STRING && atls_hex_fixed(d->text, digest, sizeof digest)) {
            atls_enrol_jw_binary(&w, NULL, atls_bytes_of(digest, sizeof digest));
        } else {
            atls_jw_raw(&w, NULL, d->raw);
        }
    }
    atls_jw_close(&w, ']');
    return !b->failed;
}

static bool put_application(atls_buf *b, const atls_json *app)
{
    bool comma = false;
    atls_buf_str(b, "{");
    for (const atls_json *m = app->child; m != NULL; m = m->next) {
        if (atls_bytes_equal_str(m->name, "signatureDigests") && m->type == ATLS_JSON_ARRAY) {
            put_raw(b, &comma, m, atls_bytes_empty());
            if (!put_digests(b, m)) {
                return false;
            }
        } else {
            put_raw(b, &comma, m, m->raw);
        }
    }
    atls_buf_str(b, "}");
    return !b->failed;
}

static bool put_applications(atls_buf *b, const atls_json *array)
{
    atls_buf_str(b, "[");
    for (const atls_json *app = array->child; app != NULL; app = app->next) {
        if (app != array->child) {
            atls_buf_str(b, ",");
        }
        if (!put_application(b, app)) {
            return false;
        }
    }
    atls_buf_str(b, "]");
    return !b->failed;
}

bool atls_enrol_debug_configuration(atls_bytes document, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    const atls_json *tree = NULL;
    atls_buf b;
    bool comma = false;
    if (!atls_json_parse(document, "policy", arena, &tree, err)) {
        return false;
    }
    atls_buf_init(&b, arena, err);
    atls_buf_str(&b, "{");
    for (const atls_json *m = tree->child; m != NULL; m = m->next) {
        if (atls_bytes_equal_str(m->name, "type")) {
            continue;
        }
        const bool is_apps = atls_bytes_equal_str(m->name, "applications") && m->type == ATLS_JSON_ARRAY;
        put_raw(&b, &comma, m, is_apps ? atls_bytes_empty() : m->raw);
        if (is_apps && !put_applications(&b, m)) {
            return false;
        }
    }
    atls_buf_str(&b, "}");
    return atls_buf_done(&b, out) && atls_enrol_debug_minify(*out, arena, out, err);
}
