/* SPDX-License-Identifier: Apache-2.0 */
/* levels.h: what TCB info and QE identity have in common. Inside this room only. */
#ifndef ATLS_EVIDENCE_DCAP_LEVELS_H
#define ATLS_EVIDENCE_DCAP_LEVELS_H

#include "base/json.h"
#include "dcap.h"

/* Shape of "tcb" in a level. */
typedef enum dcap_level_kind {
    DCAP_LEVEL_FLAT, /* version 2: sgxtcbcomp01svn .. 16, pcesvn */
    DCAP_LEVEL_SGX,  /* sgxtcbcomponents, pcesvn */
    DCAP_LEVEL_TDX,  /* the same and tdxtcbcomponents */
    DCAP_LEVEL_ISV,  /* isvsvn: modules and enclaves, which have three statuses only */
} dcap_level_kind;

/* dcap_levels_read reads the member "tcbLevels" of parent, 1 to ATLS_MAX_TCB_LEVELS levels, and gives them in
 * descending order whatever their order in the document. Two levels with the same key are refused: one of them would
 * never be used. Fields of errors are relative to parent. */
ATLS_MUST_USE bool dcap_levels_read(const atls_json *parent, dcap_level_kind kind, atls_arena *a,
                                    const dcap_tcb_level **out, size_t *n, atls_error *err);

/* dcap_json_time reads a member that is exactly YYYY-MM-DDTHH:MM:SSZ. */
ATLS_MUST_USE bool dcap_json_time(const atls_json *obj, const char *name, atls_time *out, atls_error *err);

/* dcap_json_at puts "name[i]" before the field of a failure; returns false, for `return`. */
bool dcap_json_at(atls_error *err, const char *name, size_t i);

/* dcap_show cuts text of a document to what an error shows of it. */
typedef struct dcap_shown {
    char text[48];
} dcap_shown;
dcap_shown dcap_show(atls_bytes text);

/* dcap_json_document parses a signed document, which must be an object. */
ATLS_MUST_USE bool dcap_json_document(atls_bytes text, atls_arena *a, const atls_json **out, atls_error *err);

#endif
