/* SPDX-License-Identifier: Apache-2.0 */
/* compose.c: the compose hash of a client that holds only a JSON value (section 3).
 *
 * The guest hashes the bytes of its file, so the same bytes must come out again: members in their order, no white
 * space, serde_json's escapes. Numbers that serde_json would turn into doubles are refused, because their spelling
 * belongs to its formatter; a refused policy is better than one that can never match. */
#include <string.h>

#include "base/json.h"
#include "log.h"

#define COMPOSE_FIELD "app_compose"

/* The two-character escapes, and nothing for the other control characters. */
static const char *short_escape(uint8_t c)
{
    switch (c) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\b':
        return "\\b";
    case '\f':
        return "\\f";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    default:
        return NULL;
    }
}

void dstack_log_put_string(atls_buf *b, atls_bytes text)
{
    size_t start = 0;
    atls_buf_str(b, "\"");
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        atls_buf_put(b, atls_bytes_of(text.ptr + start, i - start));
        start = i + 1;
        const char *escape = short_escape(c);
        if (escape != NULL) {
            atls_buf_str(b, escape);
        } else {
            atls_buf_format(b, "\\u%04x", (unsigned)c);
        }
    }
    atls_buf_put(b, atls_bytes_of(text.ptr + start, text.len - start));
    atls_buf_str(b, "\"");
}

static bool fail_number(atls_error *err, const char *message)
{
    return atls_fail_values(err, ATLS_E_CONFIGURATION, COMPOSE_FIELD, "an integer from -2^63 to 2^64-1", NULL, "%s",
                            message);
}

/* A JSON number, so its grammar is known to be right: digits after at most one '-', without leading zeros. */
static bool check_number(atls_bytes text, atls_error *err)
{
    static const char i64_min[] = "9223372036854775808";
    static const char u64_max[] = "18446744073709551615";
    bool negative = text.ptr[0] == '-';
    const uint8_t *digits = text.ptr + (negative ? 1 : 0);
    size_t n = text.len - (negative ? 1 : 0);
    for (size_t i = 0; i < n; i++) {
        if (digits[i] < '0' || digits[i] > '9') {
            return fail_number(err, "a number with a fraction or an exponent has no one spelling");
        }
    }
    if (negative && digits[0] == '0') {
        return fail_number(err, "minus zero is no integer");
    }
    const char *max = negative ? i64_min : u64_max;
    size_t max_n = strlen(max);
    if (n > max_n || (n == max_n && memcmp(digits, max, n) > 0)) {
        return fail_number(err, "an integer that does not fit into 64 bits");
    }
    return true;
}

static bool put_value(atls_buf *b, const atls_json *value);

/* Depth is bounded by the reader (ATLS_MAX_JSON_DEPTH). */
static bool put_children(atls_buf *b, const atls_json *value)
{
    bool is_object = value->type == ATLS_JSON_OBJECT;
    atls_buf_str(b, is_object ? "{" : "[");
    for (const atls_json *child = value->child; child != NULL; child = child->next) {
        if (is_object) {
            dstack_log_put_string(b, child->name);
            atls_buf_str(b, ":");
        }
        if (!put_value(b, child)) {
            return false;
        }
        if (child->next != NULL) {
            atls_buf_str(b, ",");
        }
    }
    atls_buf_str(b, is_object ? "}" : "]");
    return true;
}

static bool put_value(atls_buf *b, const atls_json *value)
{
    switch (value->type) {
    case ATLS_JSON_OBJECT:
    case ATLS_JSON_ARRAY:
        return put_children(b, value);
    case ATLS_JSON_STRING:
        dstack_log_put_string(b, value->text);
        return true;
    case ATLS_JSON_NUMBER:
        if (!check_number(value->raw, b->err)) {
            return false;
        }
        break;
    case ATLS_JSON_NULL:
    case ATLS_JSON_FALSE:
    case ATLS_JSON_TRUE:
        break;
    }
    atls_buf_put(b, value->raw);
    return true;
}

bool dstack_compose_canonical(atls_bytes json, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const atls_json *value;
    *out = atls_bytes_empty();
    if (!atls_json_parse(json, COMPOSE_FIELD, a, &value, err)) {
        return atls_error_relabel(err, ATLS_E_CONFIGURATION, "");
    }
    atls_buf b;
    atls_buf_init(&b, a, err);
    return put_value(&b, value) && atls_buf_done(&b, out);
}

bool dstack_compose_hash(const atls_crypto *c, atls_bytes json, atls_arena *a, uint8_t out[32], atls_error *err)
{
    atls_bytes canonical;
    return dstack_compose_canonical(json, a, &canonical, err) && atls_digest(c, ATLS_SHA256, &canonical, 1, out, err);
}
