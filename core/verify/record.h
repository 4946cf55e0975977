/* SPDX-License-Identifier: Apache-2.0 */
/* record.h (core): what the recorder writes and the replay reads. docs/record.md has the members. */
#ifndef ATLS_VERIFY_RECORD_H
#define ATLS_VERIFY_RECORD_H

#include "record_box.h"

/* What a reader takes of texts that callers choose. A recorder writes nothing longer. */
#define ATLS_RECORD_MAX_PROFILE_LEN 64u
#define ATLS_RECORD_MAX_LABEL_LEN   256u

/* The pieces of DCAP collateral, by name. */
typedef struct atls_record_piece {
    const char *name; /* "dcap.tcb_info" */
    size_t offset;    /* of the slice in atls_dcap_collateral */
} atls_record_piece;
#define ATLS_N_RECORD_PIECES 10u
extern const atls_record_piece atls_record_pieces[ATLS_N_RECORD_PIECES];

/* An error as a list of byte strings: code, category, platform, retry, unsupported ("1" or ""), field, expected, actual,
 * message. */
#define ATLS_N_ERROR_ITEMS 9u
void atls_record_put_error(atls_box *b, const char *name, const atls_error *e);
/* atls_record_get_error: ENCODING with the member's name when the list is none of those. */
ATLS_MUST_USE bool atls_record_get_error(const atls_record_member *m, atls_error *out, atls_error *err);

/* Questions as JSON: what an answer is found by. In the arena. */
ATLS_MUST_USE bool atls_record_question(const atls_endorsement_request *request, atls_arena *arena, atls_bytes *out,
                                        atls_error *err);
ATLS_MUST_USE bool atls_record_key_question(const atls_key_question *question, atls_arena *arena, atls_bytes *out,
                                            atls_error *err);

/* An appraisal out of a recording. */
typedef struct atls_recorded {
    atls_bytes policy;
    const atls_bytes *roots;
    size_t n_roots;
    atls_appraisal in; /* its callbacks answer from the recording */
    bool attested_only;
    const char *crypto;
    atls_bytes result;
    atls_error session; /* code OK: none */
    struct record_answers *answers;
} atls_recorded;

/* atls_recorded_read takes a recording apart. Errors: UNSUPPORTED, ENCODING, MEMORY, each with the member as field. */
ATLS_MUST_USE bool atls_recorded_read(const atls_record *record, atls_arena *arena, atls_recorded *out,
                                      atls_error *err);
/* How many questions had no answer. */
size_t atls_recorded_unanswered(const atls_recorded *r);

/* atls_record_compare names what differs between two results, at most `max`. Each is JSON as atls_result_json writes it.
 * Errors: ENCODING (the recorded one is no JSON), MEMORY. */
ATLS_MUST_USE bool atls_record_compare(atls_bytes recorded, atls_bytes replayed, atls_arena *arena, size_t max,
                                       atls_replay_difference *out, size_t *n, atls_error *err);

#endif
