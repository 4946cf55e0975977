/* SPDX-License-Identifier: Apache-2.0 */
/* record_box.h: the container of recordings, whatever they record: a kind, members by name, a digest.
 *
 * Whoever records another kind of content writes members of his own by these functions and reads them by atls_record_find.
 * docs/record.md is the format. */
#ifndef ATLS_VERIFY_RECORD_BOX_H
#define ATLS_VERIFY_RECORD_BOX_H

#include "atls/record.h"
#include "pki/signature.h"

/* Collects members. The first failure sticks, and shows in atls_box_done. Names and values are borrowed until then. */
typedef struct atls_box {
    atls_arena *arena;
    atls_error *err;
    atls_record_member *members;
    size_t n;
    bool failed;
} atls_box;

void atls_box_init(atls_box *b, atls_arena *arena, atls_error *err);
/* name: 1 to 64 printable characters, once only. */
void atls_box_number(atls_box *b, const char *name, uint64_t value);
void atls_box_flag(atls_box *b, const char *name, bool value);
void atls_box_bytes(atls_box *b, const char *name, atls_bytes value);
void atls_box_text(atls_box *b, const char *name, atls_bytes value); /* valid UTF-8, or USAGE */
void atls_box_list(atls_box *b, const char *name, const atls_bytes *items, size_t n);
/* atls_box_name makes "<group>[i].<rest>" in the arena; "" when there is no memory, which shows in atls_box_done. */
const char *atls_box_name(atls_box *b, const char *group, size_t i, const char *rest);
/* atls_box_done writes the recording. Errors: LIMIT, MEMORY, INTERNAL, USAGE (a name twice, a text that is none). */
ATLS_MUST_USE bool atls_box_done(atls_box *b, const atls_crypto *c, const char *kind, atls_bytes *out);

#endif
