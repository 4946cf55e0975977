/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings: the same appraisal gives the same file; every changed bit, missing end and added byte of one is noticed; what
 * the callbacks said, and how they failed, comes back word for word; caches leave no trace; and a recording that was sealed
 * anew with something else in it is refused, or its replay names what differs. That every other verdict of the test suite
 * replays is shown by again.h, in their own tests. */
#include "again.h"
#include "verify/record.h"
#include "world.h"

#define KEEP ((size_t)96 * 1024 * 1024)

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        again_fail("must not fail", err);
    }
}

/* ---- making recordings ---- */

/* record_in appraises once more and records, in `keep`. */
static atls_bytes record_in(const atls_verifier *v, const atls_appraisal *in, const atls_error *note, atls_arena *keep)
{
    atls_recorder *recorder;
    atls_arena work;
    atls_result result;
    atls_bytes record;
    atls_error err = {0};
    atls_error why = {0};
    must(atls_arena_new(&work, KEEP, &why) && atls_recorder_new(keep, &recorder, &why), &why);
    const bool ok = atls_recorder_appraise(recorder, v, in, &work, &result, &err);
    assert_int_equal(ok, err.code == ATLS_OK);
    atls_recorder_note(recorder, note);
    must(atls_recorder_finish(recorder, &record, &why), &why);
    atls_arena_free(&work);
    return record;
}

/* A world with a policy and verifier that are ready, and memory for recordings. */
typedef struct scene {
    world w;
    atls_arena keep;
    atls_bytes record;
} scene;

static void scene_open(scene *s, sim_kind kind, const char *type)
{
    atls_error err = {0};
    world_open(&s->w, kind, NULL, type);
    must(atls_arena_new(&s->keep, 4 * KEEP, &err), &err);
    world_appraise(&s->w);
    must(s->w.accepted, &s->w.err);
    s->record = record_in(s->w.verifier, &s->w.in, NULL, &s->keep);
}

static void scene_close(scene *s)
{
    atls_arena_free(&s->keep);
    world_close(&s->w);
}

/* The smallest: a policy of one member, and no quote. */
static void small_open(scene *s)
{
    atls_error err = {0};
    memset(s, 0, sizeof *s);
    must(atls_arena_new(&s->keep, 4 * KEEP, &err)
             && atls_policy_parse(atls_bytes_str("{\"type\":\"sgx\"}"), &s->w.parsed, &err)
             && atls_verifier_new(s->w.parsed, &s->w.verifier, &err),
         &err);
    s->w.in = (atls_appraisal){.evidence = atls_bytes_str("no quote"),
                               .event_log = atls_bytes_empty(),
                               .binding = {.profile = ""},
                               .now = SIM_NOW};
    s->record = record_in(s->w.verifier, &s->w.in, NULL, &s->keep);
}

/* ---- the same bytes ---- */

static void test_deterministic(void **state)
{
    scene s;
    (void)state;
    scene_open(&s, SIM_TDX_V4, "dstack_tdx");
    for (size_t i = 0; i < 3; i++) { /* by the same verifier, which has seen this platform before */
        const atls_bytes again = record_in(s.w.verifier, &s.w.in, NULL, &s.keep);
        assert_int_equal(again.len, s.record.len);
        assert_memory_equal(again.ptr, s.record.ptr, again.len);
    }
    static const atls_verifier_options fresh = {.no_cache = true};
    atls_verifier *v;
    atls_error err = {0};
    must(atls_verifier_new_with_options(s.w.parsed, &fresh, &v, &err), &err);
    const atls_bytes cold = record_in(v, &s.w.in, NULL, &s.keep);
    assert_int_equal(cold.len, s.record.len);
    assert_memory_equal(cold.ptr, s.record.ptr, cold.len);
    assert_true(atls_verifier_count(s.w.verifier).platforms.hits > 0);
    atls_verifier_free(v);
    scene_close(&s);
}

/* What weakens endorsements is recorded with them: without it the replay (again.h, behind world_appraise) would differ. */
static bool give_older(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                       atls_error *err)
{
    const atls_appraisal *honest = ctx;
    const bool found = honest->endorse(honest->endorse_ctx, request, arena, out, err);
    out->insecure_older = true;
    return found;
}

static void test_older(void **state)
{
    world w;
    (void)state;
    world_open(&w, SIM_TDX_V4, NULL, "tdx");
    atls_appraisal inner = w.in;
    w.in.endorse = give_older;
    w.in.endorse_ctx = &inner;
    world_appraise(&w);
    assert_true(w.accepted);
    assert_non_null(world_check(&w, "endorsements.bundle_age"));
    world_close(&w);
}

/* ---- damage ---- */

static void test_every_bit(void **state)
{
    scene s;
    atls_arena work;
    atls_error err = {0};
    (void)state;
    small_open(&s);
    must(atls_arena_new(&work, KEEP, &err), &err);
    uint8_t *copy = malloc(s.record.len);
    assert_non_null(copy);
    memcpy(copy, s.record.ptr, s.record.len);
    for (size_t bit = 0; bit < 8 * s.record.len; bit++) {
        atls_record opened;
        atls_error why = {0};
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (atls_record_open(atls_bytes_of(copy, s.record.len), &work, &opened, &why)) {
            fail_msg("bit %zu of %zu was changed, and nobody noticed", bit, 8 * s.record.len);
        }
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        atls_arena_reset(&work);
    }
    free(copy);
    atls_arena_free(&work);
    scene_close(&s);
}

static void assert_refused(atls_bytes file, atls_arena *work)
{
    atls_record opened;
    atls_error err = {0};
    assert_false(atls_record_open(file, work, &opened, &err));
    assert_int_not_equal(err.code, ATLS_OK);
    atls_arena_reset(work);
}

static void test_prefixes(void **state)
{
    scene s;
    atls_arena work;
    atls_error err = {0};
    (void)state;
    small_open(&s);
    must(atls_arena_new(&work, KEEP, &err), &err);
    for (size_t len = 0; len < s.record.len; len++) {
        assert_refused(atls_bytes_of(s.record.ptr, len), &work);
    }
    uint8_t *longer = calloc(1, s.record.len + 1);
    assert_non_null(longer);
    memcpy(longer, s.record.ptr, s.record.len);
    assert_refused(atls_bytes_of(longer, s.record.len + 1), &work);
    free(longer);
    atls_arena_free(&work);
    scene_close(&s);
}

static void test_damage_is_named(void **state)
{
    scene s;
    atls_record opened;
    atls_error err = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    uint8_t *copy = malloc(s.record.len);
    assert_non_null(copy);
    memcpy(copy, s.record.ptr, s.record.len);
    copy[s.record.len / 2] ^= 1;
    assert_false(atls_record_open(atls_bytes_of(copy, s.record.len), &s.keep, &opened, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    assert_string_equal(err.field, "record.digest");
    atls_error_clear(&err);
    assert_false(atls_record_open(atls_bytes_str("{\"quote\":\"00\"}"), &s.keep, &opened, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    assert_string_equal(err.field, "record");
    free(copy);
    scene_close(&s);
}

/* ---- callbacks ---- */

typedef struct answering {
    const char *name;
    bool returns;
    atls_code code; /* set by the callback; OK: none */
    bool is_null;   /* no callback at all */
} answering;

static const answering answers[] = {
    {"no callback", false, ATLS_OK, true},
    {"nothing found, nothing said", false, ATLS_OK, false},
    {"nothing found", false, ATLS_E_ENDORSEMENTS_MISSING, false},
    {"the network is down", false, ATLS_E_IO, false},
    {"too late", false, ATLS_E_TIMEOUT, false},
    {"a broken cache", false, ATLS_E_COLLATERAL_FORMAT, false},
    {"a yes with an error", true, ATLS_E_IO, false},
};

typedef struct asked {
    const answering *row;
    unsigned n;
} asked;

static bool answer(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                   atls_error *err)
{
    asked *a = ctx;
    (void)request;
    (void)arena;
    *out = (atls_endorsements){0};
    a->n++;
    if (a->row->code != ATLS_OK) {
        (void)atls_fail_values(err, a->row->code, "source.of.ours", "200 OK", "503 down", "call %u", a->n);
    }
    return a->row->returns;
}

static void test_callback(void **state)
{
    const answering *row = *state;
    scene s;
    atls_replay again;
    asked a = {.row = row};
    scene_open(&s, SIM_TDX_V4, "dstack_tdx");
    s.w.in.endorse = row->is_null ? NULL : answer;
    s.w.in.endorse_ctx = &a;
    s.record = record_in(s.w.verifier, &s.w.in, NULL, &s.keep);
    assert_int_equal(a.n, row->is_null ? 0 : 1);
    again_replay(s.record, &s.keep, &again);
    assert_true(again.is_same);
    assert_int_equal(again.n_unanswered, 0);
    assert_int_equal(again.error.code, row->code == ATLS_OK ? ATLS_E_ENDORSEMENTS_MISSING : row->code);
    if (row->code != ATLS_OK) {
        assert_string_equal(again.error.field, "source.of.ours");
        assert_string_equal(again.error.message, "call 1");
        assert_string_equal(again.error.actual, "503 down");
    }
    atls_replay_free(&again);
    scene_close(&s);
}

/* ---- policies ---- */

static char *any_of_world(world *w, unsigned n)
{
    const char *at = strstr(w->policy, "\"trusted_roots\":");
    const size_t size = 16384;
    char root[128] = {0};
    char *text = calloc(1, size);
    assert_true(at != NULL && text != NULL);
    memcpy(root, at, strlen("\"trusted_roots\":[\"\"]") + 64);
    size_t len = (size_t)snprintf(text, size, "{\"type\":\"any_of\",\"policies\":[");
    for (unsigned i = 0; i + 1 < n; i++) { /* alternatives that ask, and refuse */
        len += (size_t)snprintf(text + len, size - len, "{\"type\":\"tdx\",\"mrconfigid\":\"%096u\",%s},", i + 1, root);
    }
    (void)snprintf(text + len, size - len, "{\"type\":\"tdx\",%s}]}", root);
    return text;
}

/* Many alternatives ask for the same: it is written once. With caches and again with them warm. */
static void test_any_of(void **state)
{
    scene s;
    atls_replay again;
    atls_record opened;
    atls_verifier *v;
    atls_policy *policy;
    atls_error err = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    char *text = any_of_world(&s.w, 6);
    must(atls_policy_parse(atls_bytes_str(text), &policy, &err) && atls_verifier_new(policy, &v, &err), &err);
    const atls_bytes cold = record_in(v, &s.w.in, NULL, &s.keep);
    const atls_bytes warm = record_in(v, &s.w.in, NULL, &s.keep);
    assert_true(atls_verifier_count(v).platforms.hits > 0);
    assert_int_equal(cold.len, warm.len);
    assert_memory_equal(cold.ptr, warm.ptr, cold.len);
    assert_true(cold.len < 2 * s.record.len);
    must(atls_record_open(cold, &s.keep, &opened, &err), &err);
    const atls_record_member *m = atls_record_find(&opened, "endorse[5].same_as");
    assert_non_null(m);
    assert_int_equal(m->number, 0);
    again_replay(cold, &s.keep, &again);
    assert_true(again.is_same);
    assert_int_equal(again.result.verdict, ATLS_VERDICT_ACCEPTED);
    atls_replay_free(&again);
    atls_verifier_free(v);
    atls_policy_free(policy);
    free(text);
    scene_close(&s);
}

/* The policy's own words, white space and all, and the roots that came next to it. */
static void test_policy_text(void **state)
{
    static const char text[] = " {\n\t\"type\" : \"tdx\" , \"description\":\"\\u00e9t\xc3\xa9\" }\n";
    scene s;
    atls_replay again;
    atls_record opened;
    atls_policy *policy;
    atls_verifier *v;
    atls_error err = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    const atls_bytes root = sim_root(s.w.room);
    char *given = malloc(sizeof text); /* gone before it is recorded */
    assert_non_null(given);
    memcpy(given, text, sizeof text);
    must(atls_policy_parse_with_roots(atls_bytes_of(given, sizeof text - 1), &root, 1, &policy, &err)
             && atls_verifier_new(policy, &v, &err),
         &err);
    memset(given, 'x', sizeof text);
    free(given);
    const atls_bytes record = record_in(v, &s.w.in, NULL, &s.keep);
    must(atls_record_open(record, &s.keep, &opened, &err), &err);
    assert_true(atls_bytes_equal_str(atls_record_find(&opened, "policy")->bytes, text));
    const atls_record_member *roots = atls_record_find(&opened, "policy.roots");
    assert_non_null(roots);
    assert_int_equal(roots->n_items, 1);
    assert_true(atls_bytes_equal(roots->items[0], root));
    again_replay(record, &s.keep, &again);
    assert_true(again.is_same);
    assert_int_equal(again.error.code, ATLS_OK);
    atls_replay_free(&again);
    atls_verifier_free(v);
    atls_policy_free(policy);
    scene_close(&s);
}

/* ---- what a session adds ---- */

static void test_note(void **state)
{
    scene s;
    atls_replay again;
    atls_error note = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    (void)atls_fail_values(&note, ATLS_E_REPORT_DATA_MISMATCH, "document.UserData", "aa", "bb", "another key");
    s.record = record_in(s.w.verifier, &s.w.in, &note, &s.keep);
    again_replay(s.record, &s.keep, &again);
    assert_true(again.is_same);
    assert_int_equal(again.error.code, ATLS_OK); /* the appraisal said yes */
    assert_int_equal(again.session.code, ATLS_E_REPORT_DATA_MISMATCH);
    assert_string_equal(again.session.field, "document.UserData");
    assert_string_equal(again.session.message, "another key");
    atls_replay_free(&again);
    scene_close(&s);
}

/* A session sets attested_only after the appraisal: what was recorded is what it reports. */
static void test_attested_only(void **state)
{
    scene s;
    atls_recorder *recorder;
    atls_replay again;
    atls_error err = {0};
    atls_error why = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    must(atls_recorder_new(&s.keep, &recorder, &why), &why);
    assert_true(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.keep, &s.w.result, &err));
    s.w.result.attested_only = true;
    must(atls_recorder_finish(recorder, &s.record, &why), &why);
    again_replay(s.record, &s.keep, &again);
    assert_true(again.is_same && again.result.attested_only);
    atls_replay_free(&again);
    scene_close(&s);
}

/* ---- another time ---- */

static void test_what_if(void **state)
{
    scene s;
    atls_record opened;
    atls_replay later;
    atls_error err = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    const atls_replay_options options = {.at = s.w.in.now + (atls_time)40 * 365 * 86400};
    must(atls_record_open(s.record, &s.keep, &opened, &err)
             && atls_replay_run(&opened, &options, &s.keep, &later, &err),
         &err);
    assert_true(later.is_what_if);
    assert_false(later.is_same);
    assert_int_equal(later.error.code, ATLS_E_EXPIRED);
    assert_true(later.recorded_at == s.w.in.now && later.result.time == options.at);
    atls_replay_free(&later);
    const atls_replay_options same = {.at = s.w.in.now};
    must(atls_replay_run(&opened, &same, &s.keep, &later, &err), &err);
    assert_false(later.is_what_if);
    assert_true(later.is_same);
    atls_replay_free(&later);
    scene_close(&s);
}

/* ---- a recorder that is used wrongly, or has no room ---- */

static void test_misuse(void **state)
{
    scene s;
    atls_recorder *recorder;
    atls_result result;
    atls_bytes record;
    atls_error err = {0};
    atls_error why = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    must(atls_recorder_new(&s.keep, &recorder, &why), &why);
    assert_false(atls_recorder_finish(recorder, &record, &why));
    assert_int_equal(why.code, ATLS_E_USAGE);
    assert_int_equal(record.len, 0);
    atls_error_clear(&why);
    assert_true(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.keep, &result, &err));
    assert_true(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.keep, &result, &err)); /* still a yes */
    assert_false(atls_recorder_finish(recorder, &record, &why));
    assert_int_equal(why.code, ATLS_E_USAGE);
    scene_close(&s);
}

/* Evidence that is too long for a recording is still judged. */
static void test_too_long(void **state)
{
    scene s;
    atls_recorder *recorder;
    atls_result result;
    atls_bytes record;
    atls_error err = {0};
    atls_error why = {0};
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    const size_t len = ATLS_MAX_RECORD_LEN;
    uint8_t *big = calloc(1, len);
    assert_non_null(big);
    s.w.in.evidence = atls_bytes_of(big, len);
    must(atls_recorder_new(&s.keep, &recorder, &why), &why);
    assert_false(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.keep, &result, &err));
    assert_int_not_equal(err.code, ATLS_OK);
    assert_false(atls_recorder_finish(recorder, &record, &why));
    assert_int_equal(why.code, ATLS_E_LIMIT);
    free(big);
    scene_close(&s);
}

/* A profile of the caller's own that no reader would take: no recording, and not one that cannot be replayed. The longest that
 * one takes is recorded. */
static void test_long_profile(void **state)
{
    char profile[66] = {0};
    scene s;
    atls_recorder *recorder;
    atls_result result;
    atls_bytes record;
    atls_replay again;
    atls_error err = {0};
    atls_error why = {0};
    (void)state;
    small_open(&s);
    memset(profile, 'x', 64);
    s.w.in.binding.profile = profile;
    record = record_in(s.w.verifier, &s.w.in, NULL, &s.keep);
    again_replay(record, &s.keep, &again);
    assert_true(again.is_same);
    atls_replay_free(&again);
    profile[64] = 'x';
    must(atls_recorder_new(&s.keep, &recorder, &why), &why);
    assert_false(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.keep, &result, &err));
    assert_false(atls_recorder_finish(recorder, &record, &why));
    assert_int_equal(why.code, ATLS_E_LIMIT);
    assert_string_equal(why.field, "record.binding.profile");
    scene_close(&s);
}

/* Whatever memory a recorder has: the verdict stands, and a recording is whole or is not there. */
static void test_memory(void **state)
{
    scene s;
    unsigned n_recorded = 0;
    unsigned n_refused = 0;
    (void)state;
    scene_open(&s, SIM_TDX_V4, "tdx");
    for (size_t size = 0; size < 400000; size += 3001) {
        atls_arena own;
        atls_recorder *recorder;
        atls_result result;
        atls_bytes record;
        atls_error err = {0};
        atls_error why = {0};
        must(atls_arena_new(&own, size + 1, &err), &err);
        if (atls_recorder_new(&own, &recorder, &why)) {
            const size_t mark = s.w.arena.used;
            must(atls_recorder_appraise(recorder, s.w.verifier, &s.w.in, &s.w.arena, &result, &err), &err);
            const bool ok = atls_recorder_finish(recorder, &record, &why);
            assert_true(ok ? record.len == s.record.len : why.code == ATLS_E_MEMORY && record.len == 0);
            n_recorded += ok ? 1 : 0;
            n_refused += ok ? 0 : 1;
            s.w.arena.used = mark;
        }
        atls_arena_free(&own);
    }
    assert_true(n_recorded > 3 && n_refused > 3);
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "the same appraisal is the same file, cold and warm", test_deterministic, NULL);
    tap_add(&tests, "an older bundle that was allowed", test_older, NULL);
    tap_add(&tests, "every changed bit is noticed", test_every_bit, NULL);
    tap_add(&tests, "every cut is noticed, and a byte more", test_prefixes, NULL);
    tap_add(&tests, "damage has a name", test_damage_is_named, NULL);
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        tap_add(&tests, answers[i].name, test_callback, &answers[i]);
    }
    tap_add(&tests, "any_of: answers are written once", test_any_of, NULL);
    tap_add(&tests, "the policy's own text, and roots beside it", test_policy_text, NULL);
    tap_add(&tests, "why the session failed", test_note, NULL);
    tap_add(&tests, "attested_only", test_attested_only, NULL);
    tap_add(&tests, "another time is no replay", test_what_if, NULL);
    tap_add(&tests, "recorders used wrongly", test_misuse, NULL);
    tap_add(&tests, "evidence too long to be recorded", test_too_long, NULL);
    tap_add(&tests, "a profile too long to be recorded", test_long_profile, NULL);
    tap_add(&tests, "recorders without memory", test_memory, NULL);
    return tap_run("verify/record", &tests);
}
