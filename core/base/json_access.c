/* SPDX-License-Identifier: Apache-2.0 */
/* json_access.c: members by name and type, with errors that say what was wanted and what was found. */
#include <stdio.h>
#include <string.h>

#include "json.h"

/* what an error shows of a value that is no good */
#define SHOWN_TEXT 64

const atls_json *atls_json_find(const atls_json *obj, const char *name)
{
    if (obj == NULL || obj->type != ATLS_JSON_OBJECT) {
        return NULL;
    }
    size_t len = strlen(name);
    for (const atls_json *m = obj->child; m != NULL; m = m->next) {
        if (m->name.len == len && memcmp(m->name.ptr, name, len) == 0) {
            return m;
        }
    }
    return NULL;
}

static const char *type_name(atls_json_type type)
{
    static const char *const names[] = {
        [ATLS_JSON_NULL] = "null",     [ATLS_JSON_FALSE] = "false",   [ATLS_JSON_TRUE] = "true",
        [ATLS_JSON_NUMBER] = "number", [ATLS_JSON_STRING] = "string", [ATLS_JSON_ARRAY] = "array",
        [ATLS_JSON_OBJECT] = "object",
    };
    return names[type];
}

const char *atls_json_type_name(const atls_json *value)
{
    return value == NULL ? "missing" : type_name(value->type);
}

/* "<prefix>.<name>", cut at the size of an error's field */
typedef struct path {
    char text[sizeof((atls_error *)0)->field];
} path;

static path path_of(const char *prefix, const char *name)
{
    path out;
    snprintf(out.text, sizeof out.text, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
    return out;
}

bool atls_json_member(const atls_json *obj, const char *prefix, const char *name, atls_json_type type,
                      const atls_json **out, atls_error *err)
{
    const atls_json *found = atls_json_find(obj, name);
    if (found == NULL || found->type != type) {
        (void)atls_fail_values(err, ATLS_E_ENCODING, path_of(prefix, name).text, type_name(type),
                               atls_json_type_name(found), "JSON: a member is missing or of another type");
        return false; /* spelt out, so that compilers see which values are set where */
    }
    *out = found;
    return true;
}

bool atls_json_member_text(const atls_json *obj, const char *prefix, const char *name, atls_bytes *out, atls_error *err)
{
    const atls_json *found;
    if (!atls_json_member(obj, prefix, name, ATLS_JSON_STRING, &found, err)) {
        return false;
    }
    *out = found->text;
    return true;
}

static bool fail_uint(const char *field, uint64_t max, atls_bytes text, atls_error *err)
{
    char expected[32];
    char actual[SHOWN_TEXT + 1];
    size_t shown = text.len < SHOWN_TEXT ? text.len : SHOWN_TEXT;
    snprintf(expected, sizeof expected, "0 to %llu", (unsigned long long)max);
    snprintf(actual, sizeof actual, "%.*s", (int)shown, (const char *)text.ptr);
    return atls_fail_values(err, ATLS_E_ENCODING, field, expected, actual, "JSON: a number is out of range");
}

bool atls_json_uint(const atls_json *value, const char *field, uint64_t max, uint64_t *out, atls_error *err)
{
    if (value == NULL || value->type != ATLS_JSON_NUMBER) {
        return atls_fail_values(err, ATLS_E_ENCODING, field, "number", atls_json_type_name(value),
                                "JSON: a member is missing or of another type");
    }
    uint64_t number = 0;
    for (size_t i = 0; i < value->text.len; i++) {
        /* a sign, a point or an exponent is refused here: 1.0 and 1e0 are no integers to us */
        if (value->text.ptr[i] < '0' || value->text.ptr[i] > '9') {
            return fail_uint(field, max, value->text, err);
        }
        unsigned digit = (unsigned)(value->text.ptr[i] - '0');
        if (digit > max || number > (max - digit) / 10) {
            return fail_uint(field, max, value->text, err);
        }
        number = number * 10 + digit;
    }
    *out = number;
    return true;
}

bool atls_json_member_uint(const atls_json *obj, const char *prefix, const char *name, uint64_t max, uint64_t *out,
                           atls_error *err)
{
    return atls_json_uint(atls_json_find(obj, name), path_of(prefix, name).text, max, out, err);
}

bool atls_json_member_hex(const atls_json *obj, const char *prefix, const char *name, uint8_t *out, size_t n,
                          atls_error *err)
{
    atls_bytes text;
    if (!atls_json_member_text(obj, prefix, name, &text, err)) {
        return false;
    }
    if (atls_hex_fixed(text, out, n)) {
        return true;
    }
    char expected[48];
    char actual[48];
    snprintf(expected, sizeof expected, "%zu hex digits", 2 * n);
    snprintf(actual, sizeof actual, "%zu characters%s", text.len, text.len == 2 * n ? ", not all hex" : "");
    return atls_fail_values(err, ATLS_E_ENCODING, path_of(prefix, name).text, expected, actual,
                            "JSON: a string is not hex of the right length");
}
