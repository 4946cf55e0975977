/* SPDX-License-Identifier: Apache-2.0 */
/* again.h: atls_verifier_appraise that also records, replays, and asserts that the replay says the same to the last byte: so
 * that whatever a test of the verifier brings up is a test of recordings, too. */
#ifndef ATLS_TESTS_VERIFY_AGAIN_H
#define ATLS_TESTS_VERIFY_AGAIN_H

#include "tap.h"

#include "atls/record.h"

#define AGAIN_ARENA ((size_t)96 * 1024 * 1024)

static inline void again_fail(const char *what, const atls_error *err)
{
    char line[640];
    (void)atls_error_line(err, line, sizeof line);
    fail_msg("%s: %s", what, line);
}

/* again_replay replays a recording; the caller frees it with atls_replay_free. */
static inline void again_replay(atls_bytes record, atls_arena *arena, atls_replay *out)
{
    atls_record opened;
    atls_error err = {0};
    if (!atls_record_open(record, arena, &opened, &err) || !atls_replay_run(&opened, NULL, arena, out, &err)) {
        again_fail("replay", &err);
    }
}

static inline void again_assert_same(atls_bytes record, const atls_result *result, const atls_error *err,
                                     atls_arena *arena)
{
    atls_replay again;
    atls_bytes json;
    atls_error unused = {0};
    again_replay(record, arena, &again);
    if (!again.is_same) {
        fail_msg("%zu differences, the first at %s: %s is now %s", again.n_differences, again.differences[0].path,
                 again.differences[0].recorded, again.differences[0].replayed);
    }
    assert_int_equal(again.n_differences, 0);
    assert_int_equal(again.n_unanswered, 0);
    assert_int_equal(again.result.verdict, result->verdict);
    assert_int_equal(again.error.code, err->code);
    assert_string_equal(again.error.field, err->field);
    assert_true(atls_result_json(result, err, arena, &json, &unused));
    assert_int_equal(json.len, again.replayed_json.len);
    assert_memory_equal(json.ptr, again.replayed_json.ptr, json.len);
    atls_replay_free(&again);
}

static inline bool again_appraise(const atls_verifier *v, const atls_appraisal *in, atls_arena *arena, atls_result *out,
                                  atls_error *err)
{
    /* One block for all, in one thread: sanitizers mark every byte of what malloc gives. */
    static uint8_t block[AGAIN_ARENA];
    atls_recorder *recorder;
    atls_arena own;
    atls_bytes record;
    atls_error why = {0};
    atls_arena_init(&own, block, sizeof block);
    assert_true(atls_recorder_new(&own, &recorder, &why));
    const bool ok = atls_recorder_appraise(recorder, v, in, arena, out, err);
    const bool recorded = atls_recorder_finish(recorder, &record, &why);
    /* a call that made no sense at all may be beyond words, and how much memory there was is no part of a recording */
    if (!recorded && (err->code != ATLS_E_USAGE || why.code != ATLS_E_USAGE)) {
        again_fail("record", &why);
    }
    if (recorded && err->code != ATLS_E_MEMORY) {
        again_assert_same(record, out, err, &own);
    }
    atls_arena_reset(&own);
    return ok;
}

#endif
