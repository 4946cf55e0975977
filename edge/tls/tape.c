/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c: recordings of sessions. Memory is taken only where one is asked for, and touched only where one is made. */
#include "tape.h"

/* A recording of any length, and what the recorder needs besides. */
#define TAPE_ARENA_SIZE ((size_t)ATLS_MAX_RECORD_LEN + (size_t)8 * 1024 * 1024)

static bool start(atls_tape *t)
{
    return atls_arena_new(&t->arena, TAPE_ARENA_SIZE, &t->why) && atls_recorder_new(&t->arena, &t->recorder, &t->why);
}

bool atls_tape_appraise(atls_tape *t, const atls_record_options *options, const atls_verifier *v,
                        const atls_appraisal *in, atls_arena *arena, atls_result *out, atls_error *err)
{
    if (t == NULL || options->when == ATLS_RECORD_NEVER || options->write == NULL) {
        return atls_verifier_appraise(v, in, arena, out, err);
    }
    t->options = options;
    t->evidence_accepted = start(t) ? atls_recorder_appraise(t->recorder, v, in, arena, out, err)
                                    : atls_verifier_appraise(v, in, arena, out, err);
    return t->evidence_accepted;
}

static void hand_over(atls_tape *t, bool is_accepted, const atls_error *why)
{
    atls_bytes record = atls_bytes_empty();
    if (t->recorder != NULL && t->evidence_accepted && !is_accepted) {
        atls_recorder_note(t->recorder, why);
    }
    const bool ok =
        t->recorder != NULL && t->why.code == ATLS_OK && atls_recorder_finish(t->recorder, &record, &t->why);
    t->options->write(t->options->ctx, ok ? record : atls_bytes_empty(), is_accepted, ok ? NULL : &t->why);
}

void atls_tape_end(atls_tape *t, bool is_accepted, const atls_error *why)
{
    if (t->options != NULL && (!is_accepted || t->options->when != ATLS_RECORD_ON_FAILURE)) {
        hand_over(t, is_accepted, why);
    }
    atls_arena_free(&t->arena);
    *t = (atls_tape){0};
}
