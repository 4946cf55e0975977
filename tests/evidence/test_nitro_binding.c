/* SPDX-License-Identifier: Apache-2.0 */
/* test_nitro_binding.c: what a document is tied to, every byte of it. A value has the length that user_data has; in a session
 * it is user_data alone. And the two properties of everything that is read from strangers: a proper prefix is refused, and a
 * flipped bit is refused, or lies in the unprotected header, which nobody signs, and changes no claim. --exhaustive flips every
 * bit there is. */
#include "evidence/nitro/nitro.h"
#include "nitro_room.h"

#define SAMPLE_FLIPS 193u /* one bit in so many, besides those of the headers and of the signature */
#define SIGNATURE    104u /* with the lengths before it */

/* ---- lengths and sessions ---- */

typedef struct row {
    const char *name;
    const char *settings[ROOM_MAX_SETTINGS];
    uint8_t value_len; /* of the binding; 0: 64 */
    bool is_session;
    atls_code code;
    const char *field;
} row;

#define OFFLINE       false
#define SESSION       true
#define BOUND         ATLS_OK, NULL
#define UNBOUND(name) ATLS_E_REPORT_DATA_MISMATCH, "document.payload." name
#define FIRST32       "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
#define SECOND32      "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"

static const row rows[] = {
    {"the value", {NULL}, 0, OFFLINE, BOUND},
    {"the value, in a session", {NULL}, 0, SESSION, BOUND},
    {"absent nonce and key, in a session", {"payload.nonce=none", "payload.public_key=none"}, 0, SESSION, BOUND},
    {"another first byte",
     {"user_data=a1"
      "a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf" SECOND32},
     0,
     OFFLINE,
     UNBOUND("user_data")},
    {"another last byte",
     {"user_data=" FIRST32 "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcddde"
      "d0"},
     0,
     OFFLINE,
     UNBOUND("user_data")},
    {"null", {"user_data=null"}, 0, OFFLINE, UNBOUND("user_data")},
    {"absent", {"payload.user_data=none"}, 0, OFFLINE, UNBOUND("user_data")},
    {"empty", {"user_data="}, 0, OFFLINE, UNBOUND("user_data")},
    {"zeros", {"user_data=64x00"}, 0, OFFLINE, UNBOUND("user_data")},
    {"one byte short",
     {"user_data=" FIRST32 "c0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcddde"},
     0,
     OFFLINE,
     UNBOUND("user_data")},
    {"one byte more", {"user_data=" FIRST32 SECOND32 "00"}, 0, OFFLINE, UNBOUND("user_data")},
    {"the value and much more", {"user_data=" FIRST32 SECOND32 FIRST32 SECOND32}, 0, OFFLINE, UNBOUND("user_data")},
    {"the first half of it, in a session", {"user_data=" FIRST32}, 0, SESSION, UNBOUND("user_data")},
    {"a value of 32 bytes", {"user_data=" FIRST32}, 32, OFFLINE, BOUND},
    {"a value of 32 bytes, and zeros behind it",
     {"user_data=" FIRST32 "0000000000000000000000000000000000000000000000000"
      "000000000000000"},
     32,
     OFFLINE,
     UNBOUND("user_data")},
    {"a value of 32 bytes, and others behind it", {NULL}, 32, OFFLINE, UNBOUND("user_data")},
    {"a value of 1 byte", {"user_data=a0"}, 1, OFFLINE, BOUND},
    {"a nonce, in a session", {"nonce=01"}, 0, SESSION, UNBOUND("nonce")},
    {"an empty nonce, in a session", {"nonce="}, 0, SESSION, UNBOUND("nonce")},
    {"the value in the nonce, in a session",
     {"nonce=" FIRST32 SECOND32, "user_data=null"},
     0,
     SESSION,
     UNBOUND("nonce")},
    {"a public key, in a session", {"public_key=01"}, 0, SESSION, UNBOUND("public_key")},
    {"an empty public key, in a session", {"public_key="}, 0, SESSION, UNBOUND("public_key")},
    {"a nonce outside a session", {"nonce=01"}, 0, OFFLINE, BOUND},
};

static void test_row(void **state)
{
    const row *r = *state;
    room_scene s;
    room_open(&s, false, r->settings);
    if (r->is_session) {
        s.s.binding.profile = "atls/1";
        s.s.binding.grade = ATLS_GRADE_SESSION;
    }
    if (r->value_len > 0) {
        s.s.binding.value_len = r->value_len;
        memset(s.s.binding.value + r->value_len, 0, sizeof s.s.binding.value - r->value_len);
    }
    scene_run(&s.s, s.policy);
    scene_expect(&s.s, r->code, r->field);
    assert_int_equal(scene_check(&s.s, "binding")->verdict, r->code == ATLS_OK ? ATLS_CHECK_PASS : ATLS_CHECK_FAIL);
    room_close(&s);
}

/* Without a binding a yes says so. */
static void test_no_binding(void **state)
{
    room_scene s;
    (void)state;
    room_open(&s, false, NULL);
    s.s.binding = (atls_binding){.profile = ""};
    scene_run(&s.s, s.policy);
    scene_expect(&s.s, ATLS_OK, NULL);
    assert_int_equal(scene_check(&s.s, "binding")->verdict, ATLS_CHECK_SKIPPED);
    assert_string_equal(scene_check(&s.s, "binding")->field, "document.payload.user_data");
    room_close(&s);
}

/* ---- prefixes and flips ---- */

typedef struct judge {
    room_scene s;
    atls_policy *policy;
    atls_verifier *verifier;
    atls_arena work;
    atls_nitro_claims honest;
} judge;

static bool appraise(judge *j, atls_bytes evidence, atls_result *out, atls_error *err)
{
    const atls_appraisal in = {.evidence = evidence,
                               .event_log = atls_bytes_empty(),
                               .binding = j->s.s.binding,
                               .now = j->s.s.now,
                               .endorse = scene_endorse,
                               .endorse_ctx = &j->s.s};
    *err = (atls_error){0};
    atls_arena_reset(&j->work);
    return atls_verifier_appraise(j->verifier, &in, &j->work, out, err);
}

static void judge_open(judge *j, const char *const *settings)
{
    atls_result r;
    atls_error err = {0};
    room_open(&j->s, false, settings);
    assert_true(atls_arena_new(&j->work, (size_t)1024 * 1024, &err));
    assert_true(atls_policy_parse(atls_bytes_str(j->s.policy), &j->policy, &err)
                && atls_verifier_new(j->policy, &j->verifier, &err));
    assert_true(appraise(j, j->s.s.evidence, &r, &err));
    j->honest = r.claims.nitro;
}

static void judge_close(judge *j)
{
    atls_verifier_free(j->verifier);
    atls_policy_free(j->policy);
    atls_arena_free(&j->work);
    room_close(&j->s);
}

static const char *const tagged[] = {"tag=18", "unprotected=a1014102", NULL};
static const char *const plain[] = {"payload.form=definite", NULL};

static void test_prefixes(void **state)
{
    const char *const *settings = *state;
    judge j;
    judge_open(&j, settings);
    const atls_bytes whole = j.s.s.evidence;
    for (size_t n = 0; n < whole.len; n++) {
        atls_result r;
        atls_error err;
        uint8_t *exact = malloc(n == 0 ? 1 : n); /* so that sanitizers see a read too far */
        assert_non_null(exact);
        memcpy(exact, whole.ptr, n);
        assert_false(appraise(&j, atls_bytes_of(exact, n), &r, &err));
        assert_int_equal(err.code, ATLS_E_EVIDENCE_FORMAT);
        free(exact);
    }
    judge_close(&j);
}

static bool same_claims(const atls_nitro_claims *a, const atls_nitro_claims *b)
{
    return a->timestamp_ms == b->timestamp_ms && a->pcrs == b->pcrs && memcmp(a->pcr, b->pcr, sizeof a->pcr) == 0
           && a->is_nitrotpm == b->is_nitrotpm && atls_bytes_equal(a->module_id, b->module_id)
           && a->user_data.present == b->user_data.present && atls_bytes_equal(a->user_data.value, b->user_data.value)
           && a->nonce.present == b->nonce.present && a->public_key.present == b->public_key.present
           && a->leaf_not_after == b->leaf_not_after;
}

static void check_flip(judge *j, uint8_t *copy, size_t len, size_t bit, size_t free_from, size_t free_to)
{
    atls_result r;
    atls_error err;
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (appraise(j, atls_bytes_of(copy, len), &r, &err)) {
        if (bit / 8 < free_from || bit / 8 >= free_to) {
            fail_msg("bit %zu of byte %zu is not covered", bit % 8, bit / 8);
        }
        assert_true(same_claims(&r.claims.nitro, &j->honest));
    }
    copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
}

static bool exhaustive;

/* Of a signature, which is checked as a whole, one bit of each byte; of what is hashed, a sample. */
static bool is_tried(size_t bit, size_t header_len, size_t len)
{
    const size_t at = bit / 8;
    if (exhaustive || at < header_len) {
        return true;
    }
    return at + SIGNATURE > len ? bit % 8 == at % 8 : bit % SAMPLE_FLIPS == 0;
}

static void test_flips(void **state)
{
    const char *const *settings = *state;
    judge j;
    nitro_document d;
    atls_error err = {0};
    judge_open(&j, settings);
    const atls_bytes whole = j.s.s.evidence;
    uint8_t *copy = malloc(whole.len);
    assert_non_null(copy);
    memcpy(copy, whole.ptr, whole.len);
    assert_true(nitro_document_decode(whole, &d, &err));
    const size_t from = (size_t)(d.protected_header.ptr - whole.ptr) + d.protected_header.len;
    for (size_t bit = 0; bit < 8 * whole.len; bit++) {
        if (is_tried(bit, from + d.unprotected_len + 8, whole.len)) {
            check_flip(&j, copy, whole.len, bit, from, from + d.unprotected_len);
        }
    }
    free(copy);
    judge_close(&j);
}

int main(int argc, char **argv)
{
    tap_list tests = {0};
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "no binding", test_no_binding, NULL);
    tap_add(&tests, "prefixes, tagged", test_prefixes, tagged);
    tap_add(&tests, "prefixes, plain", test_prefixes, plain);
    tap_add(&tests, "flips, tagged", test_flips, tagged);
    tap_add(&tests, "flips, plain", test_flips, plain);
    return tap_run("nitro_binding", &tests);
}
