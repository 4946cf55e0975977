/* SPDX-License-Identifier: Apache-2.0 */
/* json.h: a strict JSON reader (RFC 8259) that keeps hold of the exact bytes, and a small writer.
 *
 * The whole text is checked in one pass and becomes a tree of nodes in the arena. Every node has its raw slice of the
 * input, from its first byte to its last, because signatures cover those bytes and they are never printed again.
 *
 * Refused: duplicate member names (compared after decoding escapes), depth over ATLS_MAX_JSON_DEPTH, more than
 * ATLS_MAX_JSON_MEMBERS members in an object or ATLS_MAX_JSON_NODES nodes, trailing data, invalid UTF-8, lone
 * surrogates, control characters in strings, leading zeros, a byte order mark. Numbers are kept as text: nothing is
 * rounded. Differential-tested against jansson. */
#ifndef ATLS_BASE_JSON_H
#define ATLS_BASE_JSON_H

#include "atls/arena.h"
#include "atls/bytes.h"
#include "atls/error.h"
#include "text.h"

typedef enum atls_json_type {
    ATLS_JSON_NULL,
    ATLS_JSON_FALSE,
    ATLS_JSON_TRUE,
    ATLS_JSON_NUMBER,
    ATLS_JSON_STRING,
    ATLS_JSON_ARRAY,
    ATLS_JSON_OBJECT,
} atls_json_type;

typedef struct atls_json {
    atls_json_type type;
    uint32_t n; /* members or elements */
    uint32_t name_hash;
    atls_bytes raw;                /* exact bytes of the value in the input */
    atls_bytes text;               /* STRING: decoded (borrowed from raw when there is no escape); NUMBER: raw */
    atls_bytes name;               /* of an object's member: decoded name; empty otherwise */
    const struct atls_json *child; /* first member or element, NULL when none */
    const struct atls_json *next;  /* next sibling, NULL at the end */
} atls_json;

/* atls_json_parse reads the whole of text. The tree borrows text and lives in the arena.
 * Errors: ENCODING (with the byte offset in the message), LIMIT, MEMORY; field is `field`. */
ATLS_MUST_USE bool atls_json_parse(atls_bytes text, const char *field, atls_arena *a, const atls_json **out,
                                   atls_error *err);

/* atls_json_parse_wide is the same for documents that are tables: an object may have as many members as the text may have
 * nodes. */
ATLS_MUST_USE bool atls_json_parse_wide(atls_bytes text, const char *field, atls_arena *a, const atls_json **out,
                                        atls_error *err);

/* atls_json_find gives a member of an object by name, NULL when there is none or obj is no object. */
const atls_json *atls_json_find(const atls_json *obj, const char *name);

/* Typed access to a required member of obj. On a missing member or a wrong type: ENCODING with field
 * "<prefix>.<name>" and expected/actual saying what was wanted and what was found. */
ATLS_MUST_USE bool atls_json_member(const atls_json *obj, const char *prefix, const char *name, atls_json_type type,
                                    const atls_json **out, atls_error *err);
ATLS_MUST_USE bool atls_json_member_text(const atls_json *obj, const char *prefix, const char *name, atls_bytes *out,
                                         atls_error *err);
/* an unsigned integer without sign, fraction or exponent, at most max */
ATLS_MUST_USE bool atls_json_member_uint(const atls_json *obj, const char *prefix, const char *name, uint64_t max,
                                         uint64_t *out, atls_error *err);
/* a string of exactly 2 * n hex digits of either case */
ATLS_MUST_USE bool atls_json_member_hex(const atls_json *obj, const char *prefix, const char *name, uint8_t *out,
                                        size_t n, atls_error *err);
/* a value that is already at hand */
ATLS_MUST_USE bool atls_json_uint(const atls_json *value, const char *field, uint64_t max, uint64_t *out,
                                  atls_error *err);
/* "object", "string", "missing" for NULL */
const char *atls_json_type_name(const atls_json *value);

/* Writer: commas and quoting over an atls_buf. Strings are escaped as RFC 8259 asks, lower-case \u00xx, other valid
 * UTF-8 raw, invalid bytes as U+FFFD. Names must be literals. */
typedef struct atls_jw {
    atls_buf *buf;
    bool comma;
} atls_jw;
void atls_jw_init(atls_jw *w, atls_buf *b);
void atls_jw_open(atls_jw *w, const char *name, char bracket); /* '{' or '['; name NULL in arrays and at the top */
void atls_jw_close(atls_jw *w, char bracket);                  /* '}' or ']' */
void atls_jw_string(atls_jw *w, const char *name, atls_bytes value);
void atls_jw_str(atls_jw *w, const char *name, const char *value);
void atls_jw_hex(atls_jw *w, const char *name, atls_bytes value);
void atls_jw_uint(atls_jw *w, const char *name, uint64_t value);
void atls_jw_bool(atls_jw *w, const char *name, bool value);
void atls_jw_null(atls_jw *w, const char *name);
void atls_jw_raw(atls_jw *w, const char *name, atls_bytes json); /* already JSON */
void atls_jw_time(atls_jw *w, const char *name, int64_t t);      /* null for ATLS_TIME_UNSET */

#endif
