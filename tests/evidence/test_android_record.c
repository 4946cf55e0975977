/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings of phones: every member that only they have is what a replay needs, because without it the result is another;
 * members of another type are refused; and a status list that was read once is only written down with its own text. That all
 * verdicts of the other tables replay is shown by android_scene.h. */
#include "android_scene.h"
#include "verify/record.h"

#define KEEP ((size_t)64 * 1024 * 1024)

/* ---- recording, and sealing anew ---- */

static bool record_as(scene *s, atls_arena *keep, atls_bytes *out, atls_error *why)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_recorder *recorder = NULL;
    atls_error_clear(&s->err);
    scene_must(atls_policy_parse(s->policy, &policy, &s->err) && atls_verifier_new(policy, &verifier, &s->err)
                   && atls_recorder_new(keep, &recorder, &s->err),
               &s->err, "recorder");
    s->accepted = atls_recorder_appraise(recorder, verifier, &s->in, &s->arena, &s->result, &s->err);
    const bool ok = atls_recorder_finish(recorder, out, why);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
    return ok;
}

static void put(atls_box *b, const atls_record_member *m)
{
    switch (m->type) {
    case ATLS_RECORD_NUMBER:
        atls_box_number(b, m->name, m->number);
        break;
    case ATLS_RECORD_FLAG:
        atls_box_flag(b, m->name, m->flag);
        break;
    case ATLS_RECORD_BYTES:
        atls_box_bytes(b, m->name, m->bytes);
        break;
    case ATLS_RECORD_TEXT:
        atls_box_text(b, m->name, m->bytes);
        break;
    case ATLS_RECORD_LIST:
        atls_box_list(b, m->name, m->items, m->n_items);
        break;
    }
}

/* seal writes a recording again without a member, or with a flag in its place, which is no type of these. */
static atls_bytes seal(atls_bytes record, const char *member, bool is_flag, atls_arena *keep)
{
    atls_record opened;
    atls_box b;
    atls_crypto *c = NULL;
    atls_bytes out;
    atls_error err = {0};
    scene_must(atls_record_open(record, keep, &opened, &err) && atls_crypto_new(&c, &err), &err, "open");
    assert_non_null(atls_record_find(&opened, member));
    atls_box_init(&b, keep, &err);
    for (size_t i = 0; i < opened.n_members; i++) {
        if (strcmp(opened.members[i].name, member) != 0) {
            put(&b, &opened.members[i]);
        }
    }
    if (is_flag) {
        atls_box_flag(&b, member, true);
    }
    scene_must(atls_box_done(&b, c, ATLS_RECORD_APPRAISAL, &out), &err, "seal");
    atls_crypto_free(c);
    return out;
}

/* ---- every member counts ---- */

/* All of them at once: 290 seconds after the statement was made, and a millisecond would be too late without the offset. */
static void open_full(scene *s, bool is_late)
{
    const char *const settings[] = {"policy.attestationStatementValiditySeconds=300", NULL};
    scene_open(s, SIM_ANDROID_FACTORY, settings);
    s->endorsements.android.fetched = s->in.now - 60;
    s->endorsements.android.expires = s->in.now + 3000;
    s->in.now += is_late ? 400 : 401;
    s->in.now_ms = is_late ? 1 : 0;
    s->in.offset_s = is_late ? -100 : -101;
}

typedef struct row {
    const char *member;
    bool is_late; /* refused by a millisecond; otherwise accepted */
} row;

static const row rows[] = {
    {"binding.challenge", false},
    {"at_ms", true},
    {"offset_s", false},
    {"endorse[0].android.list", false},
    {"endorse[0].android.fetched", false},
    {"endorse[0].android.expires", false},
};

static void test_member(void **state)
{
    const row *r = *state;
    scene s;
    atls_arena keep;
    atls_bytes record;
    atls_record opened;
    atls_replay replay;
    atls_error err = {0};
    open_full(&s, r->is_late);
    assert_true(atls_arena_new(&keep, KEEP, &err));
    scene_must(record_as(&s, &keep, &record, &err), &err, "record");
    scene_expect(&s, r->is_late ? ATLS_E_ANDROID_STATEMENT_TIME : ATLS_OK, "keyDescription.creationDateTime");
    again_assert_same(record, &s.result, &s.err, &keep);
    again_replay(seal(record, r->member, false, &keep), &keep, &replay);
    assert_false(replay.is_same);
    assert_int_not_equal(replay.n_differences, 0);
    atls_replay_free(&replay);
    scene_must(atls_record_open(seal(record, r->member, true, &keep), &keep, &opened, &err), &err, "open");
    assert_false(atls_replay_run(&opened, NULL, &keep, &replay, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    assert_non_null(strstr(err.field, r->member));
    atls_replay_free(&replay);
    atls_arena_free(&keep);
    scene_close(&s);
}

/* ---- lists that were read once ---- */

typedef struct compiled_row {
    const char *text; /* beside the compiled list */
    bool is_recorded;
} compiled_row;

#define LIST "{\"entries\":{\"abc\":{\"status\":\"REVOKED\"}}}"

static const compiled_row compiled_rows[] = {
    {LIST, true},
    {"", false},
    {"{\"entries\":{}}", false},
    {LIST " ", false},
};

/* The verdict is the same each time; only with its own text the list can be written down, and then it is. */
static void test_compiled(void **state)
{
    const char *const settings[] = {"cert.attestation.serial=0abc", NULL};
    (void)state;
    for (size_t i = 0; i < sizeof compiled_rows / sizeof compiled_rows[0]; i++) {
        scene s;
        atls_arena keep;
        atls_bytes record;
        atls_error err = {0};
        scene_open(&s, SIM_ANDROID_FACTORY, settings);
        assert_true(atls_arena_new(&keep, KEEP, &err));
        atls_android_status *status = &s.endorsements.android;
        scene_must(atls_android_list_compile(atls_bytes_str(LIST), &s.arena, &status->compiled, &err), &err, "compile");
        status->list = atls_bytes_str(compiled_rows[i].text);
        assert_int_equal(record_as(&s, &keep, &record, &err), compiled_rows[i].is_recorded);
        scene_expect(&s, ATLS_E_ANDROID_REVOKED, "chain[1].serial");
        if (compiled_rows[i].is_recorded) {
            again_assert_same(record, &s.result, &s.err, &keep);
        } else {
            assert_int_equal(err.code, ATLS_E_USAGE);
            assert_string_equal(err.field, "record.endorse.android.list");
            assert_int_equal(record.len, 0);
        }
        atls_arena_free(&keep);
        scene_close(&s);
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].member, test_member, &rows[i]);
    }
    tap_add(&tests, "lists that were read once", test_compiled, NULL);
    return tap_run("evidence/android_record", &tests);
}
