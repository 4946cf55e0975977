/* SPDX-License-Identifier: Apache-2.0 */
/* message.h: what the JSON messages of enrolment have in common. Inside core/enrol only. */
#ifndef ATLS_ENROL_MESSAGE_H
#define ATLS_ENROL_MESSAGE_H

#include "atls/enrol.h"
#include "base/json.h"

/* How a message is read: where its failures go, and by which names. */
typedef struct atls_enrol_reader {
    const atls_json *object; /* of the message */
    const char *name;        /* "challenge": what stands in front of its members in errors */
    atls_code code;          /* of whatever is malformed */
    atls_arena *arena;
    atls_error *err;
} atls_enrol_reader;

/* atls_enrol_reader_open parses a whole message, which is an object of at most max_len bytes; the reader has its name, code,
 * arena and err already. Errors: r->code, MEMORY. */
ATLS_MUST_USE bool atls_enrol_reader_open(atls_enrol_reader *r, atls_bytes json, size_t max_len);

/* atls_enrol_wrong refuses a member for a reason that is plain text. Always false. */
bool atls_enrol_wrong(const atls_enrol_reader *r, const char *member, const char *reason);

/* Members that must be there. Binary ones are base64url, with or without padding, of 1 to max bytes. */
ATLS_MUST_USE bool atls_enrol_member_text(const atls_enrol_reader *r, const char *member, atls_bytes *out);
ATLS_MUST_USE bool atls_enrol_member_binary(const atls_enrol_reader *r, const char *member, size_t max,
                                            atls_bytes *out);

/* atls_enrol_member_certificates reads an array of at most ATLS_ENROL_MAX_CERTIFICATES binary values, none of them empty;
 * the array may be. */
ATLS_MUST_USE bool atls_enrol_member_certificates(const atls_enrol_reader *r, const char *member, atls_bytes *out,
                                                  size_t *n);

/* atls_enrol_base64url writes base64url without padding into the arena. Errors: MEMORY. */
ATLS_MUST_USE bool atls_enrol_base64url(atls_bytes in, atls_arena *arena, atls_bytes *out, atls_error *err);

/* The same as a member, or as an element where name is NULL. Failures stick to the buffer of w. */
void atls_enrol_jw_binary(atls_jw *w, const char *name, atls_bytes value);
void atls_enrol_jw_certificates(atls_jw *w, const char *name, const atls_bytes *ders, size_t n);

/* atls_enrol_written hands a message out, unless it is longer than its readers take. Errors: USAGE with `name`, MEMORY. */
ATLS_MUST_USE bool atls_enrol_written(atls_buf *b, const char *name, size_t max_len, atls_bytes *out, atls_error *err);

#endif
