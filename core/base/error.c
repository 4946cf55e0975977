/* SPDX-License-Identifier: Apache-2.0 */
/* error.c: the first failure, recorded once; every table comes from the lists in error.h. */
#include "atls/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* expected and actual show this many bytes; "..", if there were more */
#define MAX_SHOWN_BYTES 64

typedef struct code_entry {
    const char *name;
    const char *kind;
    const char *text;
    atls_category category;
    int exit_status;
} code_entry;

static const code_entry codes[ATLS_N_CODES] = {
#define X(name, category, exit_status, kind, text)                                                                     \
    [ATLS_E_##name] = {#name, kind, text, ATLS_CATEGORY_##category, exit_status},
    ATLS_CODE_LIST(X)
#undef X
};

/* A number that is no code is somebody's bug, and a bug is never good news: INTERNAL. */
static const code_entry *entry(atls_code code)
{
    unsigned index = (unsigned)code;
    return &codes[index < ATLS_N_CODES ? index : ATLS_E_INTERNAL];
}

/* Text may come from the peer: what is not printable ASCII could fool a terminal or a log. */
static char sanitised(char c)
{
    if (c < 0x20 || c > 0x7e) {
        return '?';
    }
    return c;
}

/* Adds as much of text as fits to what stands in out. */
static void add_text(char *out, size_t size, const char *text)
{
    size_t len = strlen(out);
    for (; text != NULL && *text != '\0' && len + 1 < size; text++) {
        out[len++] = sanitised(*text);
    }
    out[len] = '\0';
}

static void put_text(char *out, size_t size, const char *text)
{
    out[0] = '\0';
    add_text(out, size, text);
}

static bool record(atls_error *err, atls_code code, const char *field, const char *expected, const char *actual,
                   const char *format, va_list args)
{
    if (err->code != ATLS_E_OK) {
        return false;
    }
    bool is_failure = (unsigned)code < ATLS_N_CODES && code != ATLS_E_OK;
    err->code = is_failure ? code : ATLS_E_INTERNAL;
    err->category = atls_code_category(err->code);
    err->retry = code == ATLS_E_IO || code == ATLS_E_TIMEOUT || code == ATLS_E_TLS_HANDSHAKE
                 || code == ATLS_E_ANDROID_LIST_UNAVAILABLE || code == ATLS_E_ENROL_STORE;
    err->unsupported = code == ATLS_E_UNSUPPORTED;
    put_text(err->field, sizeof err->field, field);
    put_text(err->expected, sizeof err->expected, expected);
    put_text(err->actual, sizeof err->actual, actual);
    if (format == NULL || vsnprintf(err->message, sizeof err->message, format, args) < 0) {
        put_text(err->message, sizeof err->message, atls_code_text(err->code));
    }
    for (char *c = err->message; *c != '\0'; c++) {
        *c = sanitised(*c);
    }
    return false;
}

void atls_error_clear(atls_error *err)
{
    *err = (atls_error){.code = ATLS_OK};
}

bool atls_fail(atls_error *err, atls_code code, const char *field, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    (void)record(err, code, field, NULL, NULL, message, args);
    va_end(args);
    return false;
}

bool atls_fail_values(atls_error *err, atls_code code, const char *field, const char *expected, const char *actual,
                      const char *message, ...)
{
    va_list args;
    va_start(args, message);
    (void)record(err, code, field, expected, actual, message, args);
    va_end(args);
    return false;
}

static void show_bytes(char out[static 2 * MAX_SHOWN_BYTES + 3], atls_bytes in)
{
    bool cut = in.len > MAX_SHOWN_BYTES;
    atls_bytes shown = {in.ptr, cut ? MAX_SHOWN_BYTES : in.len};
    atls_hex_encode(shown, out);
    if (cut) {
        memcpy(out + 2 * shown.len, "..", 3);
    }
}

bool atls_fail_bytes(atls_error *err, atls_code code, const char *field, atls_bytes expected, atls_bytes actual,
                     const char *message, ...)
{
    char expected_hex[2 * MAX_SHOWN_BYTES + 3];
    char actual_hex[2 * MAX_SHOWN_BYTES + 3];
    show_bytes(expected_hex, expected);
    show_bytes(actual_hex, actual);
    va_list args;
    va_start(args, message);
    (void)record(err, code, field, expected_hex, actual_hex, message, args);
    va_end(args);
    return false;
}

bool atls_fail_unsupported(atls_error *err, atls_code code, const char *field, const char *expected, const char *actual,
                           const char *message, ...)
{
    bool first = err->code == ATLS_E_OK;
    va_list args;
    va_start(args, message);
    (void)record(err, code, field, expected, actual, message, args);
    va_end(args);
    if (first) {
        err->unsupported = true;
    }
    return false;
}

bool atls_error_relabel(atls_error *err, atls_code code, const char *prefix)
{
    if (err->code == ATLS_E_OK) {
        /* somebody said no and did not say why; it must not look like a yes */
        return atls_fail(err, ATLS_E_INTERNAL, prefix, "a check failed without a reason");
    }
    if (err->code == ATLS_E_TRUNCATED || err->code == ATLS_E_TRAILING || err->code == ATLS_E_ENCODING
        || err->code == ATLS_E_LIMIT) {
        err->code = code;
        err->category = atls_code_category(code);
    }
    if (prefix == NULL || prefix[0] == '\0') {
        return false;
    }
    char field[sizeof err->field];
    memcpy(field, err->field, sizeof field);
    put_text(err->field, sizeof err->field, prefix);
    add_text(err->field, sizeof err->field, field[0] == '\0' ? "" : ".");
    add_text(err->field, sizeof err->field, field);
    return false;
}

const char *atls_code_name(atls_code code)
{
    return entry(code)->name;
}

const char *atls_code_kind(atls_code code)
{
    return entry(code)->kind;
}

const char *atls_code_text(atls_code code)
{
    return entry(code)->text;
}

atls_category atls_code_category(atls_code code)
{
    return entry(code)->category;
}

int atls_code_exit_status(atls_code code)
{
    return entry(code)->exit_status;
}

int atls_error_exit_status(const atls_error *err)
{
    return err->unsupported ? 8 : atls_code_exit_status(err->code);
}

const char *atls_category_name(atls_category category)
{
    static const char *const names[] = {
#define X(name, text) text,
        ATLS_CATEGORY_LIST(X)
#undef X
    };
    unsigned index = (unsigned)category;
    return index < sizeof names / sizeof names[0] ? names[index] : names[ATLS_CATEGORY_INTERNAL];
}

const char *atls_platform_name(atls_platform platform)
{
    static const char *const names[] = {
#define X(name, text) text,
        ATLS_PLATFORM_LIST(X)
#undef X
    };
    unsigned index = (unsigned)platform;
    return index < sizeof names / sizeof names[0] ? names[index] : names[ATLS_PLATFORM_NONE];
}

/* " (expected 4, actual 6)", or one of the two, or nothing */
static void show_values(const atls_error *err, char *out, size_t size)
{
    bool expected = err->expected[0] != '\0';
    bool actual = err->actual[0] != '\0';
    if (!expected && !actual) {
        out[0] = '\0';
        return;
    }
    snprintf(out, size, " (%s%s%s%s%s)", expected ? "expected " : "", err->expected, expected && actual ? ", " : "",
             actual ? "actual " : "", err->actual);
}

size_t atls_error_line(const atls_error *err, char *out, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char values[sizeof err->expected + sizeof err->actual + 32];
    show_values(err, values, sizeof values);
    const char *message = err->message[0] == '\0' ? atls_code_text(err->code) : err->message;
    int len = snprintf(out, size, "%s%s%s: %s%s", atls_code_name(err->code), err->field[0] == '\0' ? "" : " ",
                       err->field, message, values);
    if (len < 0) {
        out[0] = '\0';
        return 0;
    }
    return (size_t)len < size ? (size_t)len : size - 1;
}
