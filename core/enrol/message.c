/* SPDX-License-Identifier: Apache-2.0 */
/* message.c: members by name and type, binary ones in base64url, with errors that name them. */
#include "message.h"

#include <stdio.h>

/* "statement.x5c[15]", cut at the size of an error's field */
typedef struct path {
    char text[sizeof((atls_error *)0)->field];
} path;

static path path_of(const atls_enrol_reader *r, const char *member)
{
    path out;
    snprintf(out.text, sizeof out.text, "%s%s%s", r->name, member[0] == '\0' ? "" : ".", member);
    return out;
}

bool atls_enrol_wrong(const atls_enrol_reader *r, const char *member, const char *reason)
{
    return atls_fail(r->err, r->code, path_of(r, member).text, "%s", reason);
}

bool atls_enrol_reader_open(atls_enrol_reader *r, atls_bytes json, size_t max_len)
{
    if (json.len > max_len) {
        return atls_fail(r->err, r->code, r->name, "%zu bytes; at most %zu", json.len, max_len);
    }
    if (!atls_json_parse(json, r->name, r->arena, &r->object, r->err)) {
        return atls_error_relabel(r->err, r->code, NULL);
    }
    return r->object->type == ATLS_JSON_OBJECT
           || atls_fail_values(r->err, r->code, r->name, "object", atls_json_type_name(r->object),
                               "the message is no JSON object");
}

bool atls_enrol_member_text(const atls_enrol_reader *r, const char *member, atls_bytes *out)
{
    return atls_json_member_text(r->object, r->name, member, out, r->err) || atls_error_relabel(r->err, r->code, NULL);
}

/* One binary value. Its length is looked at before it is decoded. */
static bool decode(const atls_enrol_reader *r, const char *member, atls_bytes text, size_t max, atls_bytes *out)
{
    if (text.len / 4 * 3 > max + 3) {
        return atls_fail(r->err, r->code, path_of(r, member).text, "more than %zu bytes", max);
    }
    if (!atls_base64url_decode(text, path_of(r, member).text, r->arena, out, r->err)) {
        return atls_error_relabel(r->err, r->code, NULL);
    }
    return (out->len > 0 && out->len <= max)
           || atls_fail(r->err, r->code, path_of(r, member).text, "%zu bytes; 1 to %zu", out->len, max);
}

bool atls_enrol_member_binary(const atls_enrol_reader *r, const char *member, size_t max, atls_bytes *out)
{
    atls_bytes text;
    return atls_enrol_member_text(r, member, &text) && decode(r, member, text, max, out);
}

static bool decode_element(const atls_enrol_reader *r, const char *member, size_t index, const atls_json *element,
                           atls_bytes *out)
{
    char name[32];
    snprintf(name, sizeof name, "%s[%zu]", member, index);
    if (element->type != ATLS_JSON_STRING) {
        return atls_fail_values(r->err, r->code, path_of(r, name).text, "string", atls_json_type_name(element),
                                "a certificate is a string of base64url");
    }
    /* no longer than the message itself, whose length was checked */
    return decode(r, name, element->text, element->text.len, out);
}

bool atls_enrol_member_certificates(const atls_enrol_reader *r, const char *member, atls_bytes *out, size_t *n)
{
    const atls_json *array;
    if (!atls_json_member(r->object, r->name, member, ATLS_JSON_ARRAY, &array, r->err)) {
        return atls_error_relabel(r->err, r->code, NULL);
    }
    if (array->n > ATLS_ENROL_MAX_CERTIFICATES) {
        return atls_fail(r->err, r->code, path_of(r, member).text, "%u certificates; at most %u", (unsigned)array->n,
                         ATLS_ENROL_MAX_CERTIFICATES);
    }
    *n = 0;
    for (const atls_json *e = array->child; e != NULL; e = e->next) {
        if (!decode_element(r, member, *n, e, &out[*n])) {
            return false;
        }
        (*n)++;
    }
    return true;
}

/* RFC 4648 section 5, the padding left out */
bool atls_enrol_base64url(atls_bytes in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t cap = in.len / 3 > SIZE_MAX / 4 - 1 ? SIZE_MAX : in.len / 3 * 4 + 4; /* SIZE_MAX: more than there is */
    uint8_t *text = atls_arena_raw(arena, cap, err);
    if (text == NULL) {
        return false;
    }
    size_t len = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        const size_t left = in.len - i;
        uint32_t group = (uint32_t)in.ptr[i] << 16;
        group |= left > 1 ? (uint32_t)in.ptr[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)in.ptr[i + 2] : 0;
        const size_t n = left > 2 ? 4 : left + 1;
        for (size_t digit = 0; digit < n; digit++) {
            text[len++] = (uint8_t)digits[group >> (18 - 6 * digit) & 63];
        }
    }
    *out = atls_bytes_of(text, len);
    return true;
}

void atls_enrol_jw_binary(atls_jw *w, const char *name, atls_bytes value)
{
    atls_bytes text = atls_bytes_empty();
    if (!w->buf->failed && !atls_enrol_base64url(value, w->buf->arena, &text, w->buf->err)) {
        w->buf->failed = true;
    }
    atls_jw_string(w, name, text);
}

void atls_enrol_jw_certificates(atls_jw *w, const char *name, const atls_bytes *ders, size_t n)
{
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < n; i++) {
        atls_enrol_jw_binary(w, NULL, ders[i]);
    }
    atls_jw_close(w, ']');
}

bool atls_enrol_written(atls_buf *b, const char *name, size_t max_len, atls_bytes *out, atls_error *err)
{
    if (!atls_buf_done(b, out)) {
        return false;
    }
    if (out->len <= max_len) {
        return true;
    }
    const size_t len = out->len;
    *out = atls_bytes_empty();
    return atls_fail(err, ATLS_E_USAGE, name, "%zu bytes; at most %zu", len, max_len);
}
