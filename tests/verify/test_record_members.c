/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings that somebody took apart and sealed anew, with a digest that is right: what is missing, of another type, unknown or
 * impossible is refused by name; what is only different leads to a replay that says what differs. Each row fails by its one
 * change only, because without it the recording replays. */
#include "again.h"
#include "base/cbor_write.h"
#include "verify/record.h"
#include "world.h"

#define KEEP ((size_t)128 * 1024 * 1024)

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        again_fail("must not fail", err);
    }
}

/* ---- taking apart, and sealing ---- */

typedef struct edit {
    const char *name;    /* of the test */
    const char *member;  /* which is changed, or added */
    char how;            /* '-': left out; 'n', 'f', 'b', 't', 'l': becomes a number, flag, bytes, text, list */
    uint64_t number;     /* n, f */
    const char *content; /* b, t; l: one entry */
    atls_code code;      /* of the refusal; OK: it replays, but not to the same */
    const char *field;   /* of the refusal, or where the first difference is */
} edit;

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

static void put_edited(atls_box *b, const edit *e, const atls_bytes *content)
{
    switch (e->how) {
    case 'n':
        atls_box_number(b, e->member, e->number);
        break;
    case 'f':
        atls_box_flag(b, e->member, e->number != 0);
        break;
    case 'b':
        atls_box_bytes(b, e->member, *content);
        break;
    case 't':
        atls_box_text(b, e->member, *content);
        break;
    case 'l':
        atls_box_list(b, e->member, content, 1);
        break;
    default:
        break;
    }
}

static atls_bytes rebuild(atls_bytes record, const edit *e, const char *kind, atls_arena *keep)
{
    atls_record opened;
    atls_box b;
    atls_crypto *c;
    atls_bytes out;
    atls_error err = {0};
    atls_bytes *content = atls_arena_alloc(keep, sizeof *content, &err);
    must(content != NULL && atls_record_open(record, keep, &opened, &err) && atls_crypto_new(&c, &err), &err);
    atls_box_init(&b, keep, &err);
    for (size_t i = 0; i < opened.n_members; i++) {
        if (e == NULL || strcmp(opened.members[i].name, e->member) != 0) {
            put(&b, &opened.members[i]);
        }
    }
    if (e != NULL) {
        *content = atls_bytes_str(e->content);
        put_edited(&b, e, content);
    }
    must(atls_box_done(&b, c, kind, &out), &err);
    atls_crypto_free(c);
    return out;
}

/* ---- one recording for all rows ---- */

static struct {
    world w;
    atls_arena keep;
    atls_bytes record;
} all;

static int open_all(void **state)
{
    atls_recorder *recorder;
    atls_error err = {0};
    atls_error why = {0};
    (void)state;
    world_open(&all.w, SIM_TDX_V4, NULL, "dstack_tdx");
    world_appraise(&all.w);
    must(atls_arena_new(&all.keep, KEEP, &why) && atls_recorder_new(&all.keep, &recorder, &why), &why);
    must(atls_recorder_appraise(recorder, all.w.verifier, &all.w.in, &all.keep, &all.w.result, &err), &err);
    must(atls_recorder_finish(recorder, &all.record, &why), &why);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    world_close(&all.w);
    atls_arena_free(&all.keep);
    return 0;
}

static void test_unchanged(void **state)
{
    (void)state;
    const atls_bytes again = rebuild(all.record, NULL, ATLS_RECORD_APPRAISAL, &all.keep);
    assert_int_equal(again.len, all.record.len);
    assert_memory_equal(again.ptr, all.record.ptr, again.len);
}

#define Z64 "0000000000000000000000000000000000000000000000000000000000000000" /* 64 bytes of text */

static const edit edits[] = {
    /* nothing may be missing */
    {"no time", "at", '-', 0, "", ATLS_E_ENCODING, "record.at"},
    {"no policy", "policy", '-', 0, "", ATLS_E_ENCODING, "record.policy"},
    {"no evidence", "evidence", '-', 0, "", ATLS_E_ENCODING, "record.evidence"},
    {"no result", "result", '-', 0, "", ATLS_E_ENCODING, "record.result"},
    {"no grade", "binding.grade", '-', 0, "", ATLS_E_ENCODING, "record.binding.grade"},
    {"no profile", "binding.profile", '-', 0, "", ATLS_E_ENCODING, "record.binding.profile"},
    {"no value", "binding.value", '-', 0, "", ATLS_E_ENCODING, "record.binding.value"},
    {"no length of the value", "binding.value_len", '-', 0, "", ATLS_E_ENCODING, "record.binding.value_len"},
    {"not said whether there was a callback", "endorse", '-', 0, "", ATLS_E_ENCODING, "record.endorse"},
    {"nor one for keys", "trust_key", '-', 0, "", ATLS_E_ENCODING, "record.trust_key"},
    {"not said who proved a name", "attested_only", '-', 0, "", ATLS_E_ENCODING, "record.attested_only"},
    {"no version of the cryptography", "crypto", '-', 0, "", ATLS_E_ENCODING, "record.crypto"},
    {"an answer without its outcome", "endorse[0].found", '-', 0, "", ATLS_E_ENCODING, "record.endorse[0].found"},
    {"pieces without their question", "endorse[0].question", '-', 0, "", ATLS_E_UNSUPPORTED, "record.endorse[0].found"},
    /* nor be of another type */
    {"a time that is text", "at", 't', 0, "2026", ATLS_E_ENCODING, "record.at"},
    {"a policy that is bytes", "policy", 'b', 0, "{}", ATLS_E_ENCODING, "record.policy"},
    {"an event log that is text", "event_log", 't', 0, "[]", ATLS_E_ENCODING, "record.event_log"},
    {"a flag that is a number", "endorse", 'n', 1, "", ATLS_E_ENCODING, "record.endorse"},
    {"collateral that is text", "endorse[0].dcap.tcb_info", 't', 0, "{}", ATLS_E_ENCODING,
     "record.endorse[0].dcap.tcb_info"},
    {"certificates that are no list", "endorse[0].certificates", 'b', 0, "x", ATLS_E_ENCODING,
     "record.endorse[0].certificates"},
    {"roots that are no list", "policy.roots", 'b', 0, "x", ATLS_E_ENCODING, "record.policy.roots"},
    /* nor be impossible */
    {"a time beyond time", "at", 'n', UINT64_MAX, "", ATLS_E_ENCODING, "record.at"},
    {"a grade that nobody knows", "binding.grade", 't', 0, "perfect", ATLS_E_ENCODING, "record.binding.grade"},
    {"a value of another length", "binding.value", 'b', 0, "short", ATLS_E_ENCODING, "record.binding"},
    {"a leaf of another length", "binding.leaf_sha256", 'b', 0, "short", ATLS_E_ENCODING, "record.binding"},
    {"a value longer than a byte says", "binding.value_len", 'n', 256, "", ATLS_E_ENCODING, "record.binding.value_len"},
    {"a profile too long", "binding.profile", 'b', 0, Z64 "0", ATLS_E_ENCODING, "record.binding.profile"},
    {"an answer like a later one", "endorse[0].same_as", 'n', 0, "", ATLS_E_ENCODING, "record.endorse[0].same_as"},
    {"a platform that nobody knows", "endorse[0].platform", 't', 0, "abacus", ATLS_E_ENCODING,
     "record.endorse[0].platform"},
    {"more pieces than bits", "endorse[0].stapled", 'n', (uint64_t)1 << 32, "", ATLS_E_ENCODING,
     "record.endorse[0].stapled"},
    {"an error of one word", "endorse[0].error", 'l', 0, "IO", ATLS_E_ENCODING, "record.endorse[0].error"},
    {"a policy that is none", "policy", 't', 0, "{\"type\":\"tdx\",\"mrdt\":1}", ATLS_E_CONFIGURATION,
     "record.policy.mrdt"},
    {"a root that is none", "policy.roots", 'l', 0, "no DER", ATLS_E_PCK_CHAIN, NULL},
    {"a result that is no JSON", "result", 't', 0, "accepted", ATLS_E_ENCODING, "record.result"},
    /* nor be something that we do not know */
    {"a member of tomorrow", "endorse[0].dcap.tcb_info_v9", 'b', 0, "x", ATLS_E_UNSUPPORTED,
     "record.endorse[0].dcap.tcb_info_v9"},
    {"an answer behind a gap", "endorse[2].question", 't', 0, "{}", ATLS_E_UNSUPPORTED, "record.endorse[2].question"},
    {"a member of ours, misspelt", "Evidence", 'b', 0, "x", ATLS_E_UNSUPPORTED, "record.Evidence"},
    /* another content makes another verdict, which is named */
    {"another evidence", "evidence", 'b', 0, "no quote", ATLS_OK, "verdict"},
    {"another value", "binding.value", 'b', 0, Z64, ATLS_OK, "verdict"},
    {"another time", "at", 'n', SIM_NOW + 1, "", ATLS_OK, "time"},
    {"another grade", "binding.grade", 't', 0, "report_data", ATLS_OK, "verdict"},
    {"another profile", "binding.profile", 'b', 0, "", ATLS_OK, "profile"},
    {"no log", "event_log", '-', 0, "", ATLS_OK, "verdict"},
    {"no callback", "endorse", 'f', 0, "", ATLS_OK, "verdict"},
    {"nothing found", "endorse[0].found", 'f', 0, "", ATLS_E_UNSUPPORTED, "record.endorse[0].platform"},
    {"less found", "endorse[0].dcap.pck_crl", '-', 0, "", ATLS_OK, "verdict"},
    {"found for others", "endorse[0].question", 't', 0, "{\"platform\":\"tdx\"}", ATLS_OK, "verdict"},
    {"another policy", "policy", 't', 0, "{\"type\":\"tdx\"}", ATLS_OK, "verdict"},
    {"no ordinary identity", "attested_only", 'f', 1, "", ATLS_OK, "attested_only"},
    {"another result", "result", 't', 0, "{\"schema\":1}", ATLS_OK, NULL},
    {"a result in other bytes", "result", 't', 0, NULL, ATLS_OK, "(spelling)"},
};

/* The recorded result with a space in front: the same members and values. */
static char *spaced(void)
{
    atls_record opened;
    atls_error err = {0};
    must(atls_record_open(all.record, &all.keep, &opened, &err), &err);
    const atls_bytes result = atls_record_find(&opened, "result")->bytes;
    char *text = calloc(1, result.len + 2);
    assert_non_null(text);
    text[0] = ' ';
    memcpy(text + 1, result.ptr, result.len);
    return text;
}

static void expect_difference(const edit *e, const atls_replay *r)
{
    assert_false(r->is_same);
    assert_true(r->n_differences > 0);
    bool found = e->field == NULL;
    for (size_t i = 0; i < r->n_differences; i++) {
        found = found || strcmp(r->differences[i].path, e->field) == 0;
    }
    if (!found) {
        fail_msg("%s: no difference at %s, but at %s", e->name, e->field, r->differences[0].path);
    }
}

static void test_edit(void **state)
{
    edit e = *(const edit *)*state;
    atls_record opened;
    atls_replay r;
    atls_error err = {0};
    char *text = e.content == NULL ? spaced() : NULL;
    const size_t mark = all.keep.used;
    e.content = text == NULL ? e.content : text;
    must(atls_record_open(rebuild(all.record, &e, ATLS_RECORD_APPRAISAL, &all.keep), &all.keep, &opened, &err), &err);
    const bool ran = atls_replay_run(&opened, NULL, &all.keep, &r, &err);
    if (ran) {
        assert_int_equal(e.code, ATLS_OK);
        expect_difference(&e, &r);
    } else {
        if (err.code != e.code || (e.field != NULL && strcmp(err.field, e.field) != 0)) {
            again_fail(e.name, &err);
        }
        assert_int_not_equal(r.result.verdict, ATLS_VERDICT_ACCEPTED);
        assert_false(r.is_same);
    }
    atls_replay_free(&r);
    free(text);
    all.keep.used = mark;
}

/* ---- questions ---- */

static void test_unanswered(void **state)
{
    static const edit e = {.member = "endorse[0].question", .how = 't', .content = "{\"platform\":\"tdx\"}"};
    atls_record opened;
    atls_replay r;
    atls_error err = {0};
    (void)state;
    must(atls_record_open(rebuild(all.record, &e, ATLS_RECORD_APPRAISAL, &all.keep), &all.keep, &opened, &err)
             && atls_replay_run(&opened, NULL, &all.keep, &r, &err),
         &err);
    assert_int_equal(r.n_unanswered, 1);
    assert_int_equal(r.error.code, ATLS_E_ENDORSEMENTS_MISSING);
    assert_string_equal(r.error.field, "record.endorse");
    atls_replay_free(&r);
}

/* ---- the container, by hand ---- */

/* A recording around `body`, CBOR text, with a right digest. */
static atls_bytes seal(const char *body, size_t len, atls_arena *keep)
{
    uint8_t digest[32];
    atls_crypto *c;
    atls_buf b;
    atls_cw w;
    atls_bytes out;
    atls_error err = {0};
    const atls_bytes in = atls_bytes_of(body, len);
    must(atls_crypto_new(&c, &err) && atls_digest(c, ATLS_SHA256, &in, 1, digest, &err), &err);
    atls_crypto_free(c);
    atls_buf_init(&b, keep, &err);
    atls_cw_init(&w, &b);
    atls_buf_put(&b, in);
    atls_cw_bytes(&w, atls_bytes_of(digest, sizeof digest));
    must(atls_buf_done(&b, &out), &err);
    return out;
}

#define HEAD                                                                                                           \
    "\x86\x6b"                                                                                                         \
    "atls record"
#define FRONT HEAD "\x01\x61k\x61v"

typedef struct shape {
    const char *name;
    const char *body;
    size_t len;
    atls_code code;
    const char *field;
} shape;
#define SHAPE(name, body, code, field)                                                                                 \
    {                                                                                                                  \
        name, body, sizeof(body) - 1, code, field                                                                      \
    }

static const shape shapes[] = {
    SHAPE("no member", FRONT "\xa0", ATLS_OK, ""),
    SHAPE("one of each",
          FRONT "\xa5\x61"
                "a\x01\x61"
                "b\xf5\x61"
                "c\x41x\x61"
                "d\x61x\x61"
                "e\x81\x41x",
          ATLS_OK, ""),
    SHAPE("version 2", HEAD "\x02\x61k\x61v\xa0", ATLS_E_UNSUPPORTED, "record.version"),
    SHAPE("a version that is text",
          HEAD "\x61"
               "1\x61k\x61v\xa0",
          ATLS_E_ENCODING, "record.version"),
    SHAPE("no kind", HEAD "\x01\x60\x61v\xa0", ATLS_E_LIMIT, "record.kind"),
    SHAPE("a kind with a NUL", HEAD "\x01\x61\x00\x61v\xa0", ATLS_E_ENCODING, NULL),
    SHAPE("no version of the library", HEAD "\x01\x61k\x60\xa0", ATLS_E_LIMIT, "record.library"),
    SHAPE("a member twice",
          FRONT "\xa2\x61"
                "a\x01\x61"
                "a\x01",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("members out of order",
          FRONT "\xa2\x61"
                "b\x01\x61"
                "a\x01",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("the longer name first",
          FRONT "\xa2\x62"
                "aa\x01\x61"
                "b\x01",
          ATLS_E_ENCODING, "record.b"),
    SHAPE("a name that is bytes",
          FRONT "\xa1\x41"
                "a\x01",
          ATLS_E_ENCODING, "record.member"),
    SHAPE("no name", FRONT "\xa1\x60\x01", ATLS_E_LIMIT, "record.member"),
    SHAPE("a negative number",
          FRONT "\xa1\x61"
                "a\x20",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("null",
          FRONT "\xa1\x61"
                "a\xf6",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("a map inside",
          FRONT "\xa1\x61"
                "a\xa0",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("a number that is not short",
          FRONT "\xa1\x61"
                "a\x18\x01",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("a list of texts",
          FRONT "\xa1\x61"
                "a\x81\x61x",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("text that is none",
          FRONT "\xa1\x61"
                "a\x61\xff",
          ATLS_E_ENCODING, "record.a"),
    SHAPE("more members than are there",
          FRONT "\xa2\x61"
                "a\x01",
          ATLS_E_ENCODING, "record.member"),
    SHAPE("fewer members than are there",
          FRONT "\xa0\x61"
                "a\x01",
          ATLS_E_ENCODING, "record.digest"),
    SHAPE("too many members", FRONT "\xb9\x08\x01", ATLS_E_LIMIT, "record.members"),
    SHAPE("a list too long",
          FRONT "\xa1\x61"
                "a\x99\x10\x01",
          ATLS_E_LIMIT, "record.a"),
    SHAPE("a digest too short", FRONT "\xa0\x41x", ATLS_E_TRAILING, NULL),
    SHAPE("a map that is none", FRONT "\x80", ATLS_E_ENCODING, "record.members"),
};

static void test_shape(void **state)
{
    const shape *s = *state;
    atls_record opened;
    atls_error err = {0};
    const size_t mark = all.keep.used;
    const bool ok = atls_record_open(seal(s->body, s->len, &all.keep), &all.keep, &opened, &err);
    assert_int_equal(ok, s->code == ATLS_OK);
    if (err.code != s->code || (s->field != NULL && strcmp(err.field, s->field) != 0)) {
        again_fail(s->name, &err);
    }
    all.keep.used = mark;
}

static void test_other_kind(void **state)
{
    atls_record opened;
    atls_replay r;
    atls_error err = {0};
    (void)state;
    must(atls_record_open(rebuild(all.record, NULL, "phone", &all.keep), &all.keep, &opened, &err), &err);
    assert_string_equal(opened.kind, "phone");
    assert_false(atls_replay_run(&opened, NULL, &all.keep, &r, &err));
    assert_int_equal(err.code, ATLS_E_UNSUPPORTED);
    assert_string_equal(err.field, "record.kind");
    atls_replay_free(&r);
}

/* Recorded by another version, whose result had a member more: said as such. */
static void test_other_library(void **state)
{
    atls_record opened;
    atls_replay r;
    atls_error err = {0};
    (void)state;
    must(atls_record_open(all.record, &all.keep, &opened, &err), &err);
    opened.library = "0.0.9";
    must(atls_replay_run(&opened, NULL, &all.keep, &r, &err), &err);
    assert_true(r.is_same);
    assert_false(r.same_library);
    assert_string_equal(r.library, "0.0.9");
    atls_replay_free(&r);
}

/* The file of docs/record.md, as it stands there (where the tests run in the source folder). */
static void test_page(void **state)
{
    char line[512];
    uint8_t file[512];
    size_t n = 0;
    atls_record opened;
    atls_error err = {0};
    FILE *f = fopen("docs/record.md", "rb");
    (void)state;
    if (f == NULL) {
        skip();
    }
    for (bool inside = false; fgets(line, sizeof line, f) != NULL;) {
        const size_t hex = strspn(line + (strncmp(line, "    ", 4) == 0 ? 4 : 0), "0123456789abcdef");
        inside = inside || strncmp(line, "    866b", 8) == 0 || strncmp(line, "    86 ", 7) == 0;
        if (!inside || strncmp(line, "    ", 4) != 0) {
            inside = false;
            continue;
        }
        assert_true(hex % 2 == 0 && n + hex / 2 < sizeof file);
        assert_true(atls_hex_fixed(atls_bytes_of(line + 4, hex), file + n, hex / 2));
        n += hex / 2;
    }
    (void)fclose(f);
    must(atls_record_open(atls_bytes_of(file, n), &all.keep, &opened, &err), &err);
    assert_string_equal(opened.kind, "example");
    assert_string_equal(opened.library, "0.1.0");
    assert_int_equal(opened.n_members, 5);
    assert_int_equal(atls_record_find(&opened, "at")->number, SIM_NOW);
    assert_int_equal(atls_record_find(&opened, "items")->n_items, 2);
}

/* ---- the writer's own rules ---- */

static void test_writer(void **state)
{
    static const char long_name[] = Z64 "0";
    static const char *const names[] = {"", long_name};
    atls_crypto *c;
    atls_bytes out;
    atls_error err = {0};
    (void)state;
    must(atls_crypto_new(&c, &err), &err);
    for (size_t i = 0; i < 4; i++) {
        atls_error why = {0};
        atls_box b;
        atls_box_init(&b, &all.keep, &why);
        if (i < 2) {
            atls_box_flag(&b, names[i], true);
        } else if (i == 2) {
            atls_box_flag(&b, "twice", true);
            atls_box_number(&b, "twice", 1);
        } else {
            atls_box_text(&b, "text", atls_bytes_str("\xff"));
        }
        assert_false(atls_box_done(&b, c, "test", &out));
        assert_int_equal(why.code, i < 2 ? ATLS_E_INTERNAL : ATLS_E_USAGE);
        assert_int_equal(out.len, 0);
    }
    atls_box b;
    atls_box_init(&b, &all.keep, &err);
    for (size_t i = 0; i <= ATLS_MAX_RECORD_MEMBERS; i++) {
        atls_box_number(&b, atls_box_name(&b, "n", i, "n"), i);
    }
    assert_false(atls_box_done(&b, c, "test", &out));
    assert_int_equal(err.code, ATLS_E_LIMIT);
    atls_crypto_free(c);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "taken apart and put together", test_unchanged, NULL);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        tap_add(&tests, edits[i].name, test_edit, &edits[i]);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        tap_add(&tests, shapes[i].name, test_shape, &shapes[i]);
    }
    tap_add(&tests, "a question without an answer", test_unanswered, NULL);
    tap_add(&tests, "another kind of recording", test_other_kind, NULL);
    tap_add(&tests, "another version of atls", test_other_library, NULL);
    tap_add(&tests, "the file of docs/record.md", test_page, NULL);
    tap_add(&tests, "what the writer refuses", test_writer, NULL);
    const int failed = _cmocka_run_group_tests("verify/record_members", tests.items, tests.n, open_all, close_all);
    free(tests.items);
    return failed;
}
