/* SPDX-License-Identifier: Apache-2.0 */
/* Debug statements of ours: what is in one, that every member counts, what is left when it is stripped to what Warden knows, and what a long status list comes to. That each outcome replays to the last byte is shown by the scene. */
#include "base/json.h"
#include "base/text.h"
#include "enrol/debug.h"
#include "enrol/message.h"
#include "steps_scene.h"
#include "verify/record_box.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};
static const scene_spec challenge = {.other_challenge = true};

/* ---- every member counts ---- */

typedef struct row {
    const char *name;
    const char *member;
    const char *value; /* NULL: taken out */
    atls_code code;    /* there is no replay; OK: there is one */
    const char *field;
    bool is_same;
} row;

static const row rows[] = {
    {"another method", "method", "\"NEW\"", ATLS_E_UNSUPPORTED, "debug.method", false},
    {"a method without a request", "method", "\"LEGACY\"", ATLS_E_ENCODING, "debug.method", false},
    {"no method", "method", NULL, ATLS_E_ENCODING, "debug.method", false},
    {"another policy", "androidAttestationConfiguration", "{\"applications\":[]}", ATLS_E_ENCODING,
     "debug.androidAttestationConfiguration", false},
    {"a policy that is none", "androidAttestationConfiguration", "7", ATLS_E_ENCODING,
     "debug.androidAttestationConfiguration", false},
    {"no policy, as if Android were not configured", "androidAttestationConfiguration", "null", ATLS_E_ENCODING,
     "debug.atls.record", false},
    {"another statement", "keyAttestation", "{\"typ\":\"android-key\",\"x5c\":[]}", ATLS_E_ENCODING,
     "debug.keyAttestation", false},
    {"no statement", "keyAttestation", "null", ATLS_E_ENCODING, "debug.keyAttestation", false},
    {"another challenge", "challenge", "\"AAAA\"", ATLS_E_ENCODING, "debug.challenge", false},
    {"a challenge that is no base64url", "challenge", "\"+/\"", ATLS_E_ENCODING, "debug.challenge", false},
    {"no challenge", "challenge", NULL, ATLS_E_ENCODING, "debug.challenge", false},
    {"another time", "verificationTime", "1781524801000", ATLS_E_ENCODING, "debug.verificationTime", false},
    {"another millisecond", "verificationTime", "1781524800001", ATLS_E_ENCODING, "debug.verificationTime", false},
    {"a time before 1970", "verificationTime", "-1", ATLS_E_ENCODING, "debug.verificationTime", false},
    {"no time", "verificationTime", NULL, ATLS_E_ENCODING, "debug.verificationTime", false},
    {"another offset", "verificationTimeOffset", "\"PT1S\"", ATLS_E_ENCODING, "debug.verificationTimeOffset", false},
    {"an offset that is none", "verificationTimeOffset", "\"1 hour\"", ATLS_E_ENCODING, "debug.verificationTimeOffset",
     false},
    {"a proof that is none", "genericAttestationProof", "\"AAAA\"", ATLS_E_ENCODING, "debug.genericAttestationProof",
     false},
    {"a proof beside the request", "genericAttestationProof", "[\"AAAA\"]", ATLS_E_ENCODING,
     "debug.genericAttestationProof", false},
    {"client data beside the request", "clientData", "\"AAAA\"", ATLS_E_ENCODING, "debug.clientData", false},
    {"another status list", "atls.status_list", "{}", ATLS_E_ENCODING, "debug.atls.status_list", false},
    {"another version", "atls.version", "2", ATLS_E_UNSUPPORTED, "debug.atls.version", false},
    {"another OID", "atls.proof_oid", "\"2.25.1\"", ATLS_E_ENCODING, "debug.atls.csr.attributes", false},
    {"another request", "atls.csr", "\"MAA\"", ATLS_E_ENCODING, NULL, false},
    {"another recording", "atls.record", "\"AAAA\"", ATLS_E_ENCODING, NULL, false},
    {"another verdict", "atls.verdict", "{\"accepted\":true}", ATLS_OK, "", false},
    /* what may be missing */
    {"no verdict", "atls.verdict", NULL, ATLS_OK, "", false},
    {"no name of the library", "atls.library", NULL, ATLS_OK, "", true},
    {"no status list", "atls.status_list", "null", ATLS_OK, "", true},
    {"no offset", "verificationTimeOffset", NULL, ATLS_OK, "", true},
    {"no client data", "clientData", NULL, ATLS_OK, "", true},
};

static void test_member(void **state)
{
    const row *r = *state;
    scene s;
    atls_enrol_replay replay;
    atls_error err = {0};
    scene_open(&s, &challenge);
    scene_run(&s);
    const atls_bytes changed = scene_change(&s, s.out.record, r->member, r->value);
    const bool ok = atls_enrol_replay_run(changed, NULL, &s.again, &replay, &err);
    if (ok != (r->code == ATLS_OK) || err.code != r->code) {
        scene_must(false, &err, "must be something else");
    }
    if (!ok && r->field != NULL) {
        assert_string_equal(err.field, r->field);
    }
    assert_int_equal(replay.is_same, r->is_same);
    assert_false(replay.is_accepted);
    if (ok) {
        assert_int_equal(replay.error.code, ATLS_E_ANDROID_CHALLENGE);
    }
    scene_close(&s);
}

/* A request with one bit changed is another request, in the record, too: steps 6 and 7 are made again. */
static void test_changed_request(void **state)
{
    scene s;
    atls_enrol_debug_statement d;
    atls_enrol_replay replay;
    atls_bytes text;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &honest);
    scene_run(&s);
    scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
    assert_true(atls_bytes_equal(d.csr, s.csr));
    uint8_t *bytes = atls_arena_raw(&s.again, s.csr.len, &err);
    assert_non_null(bytes);
    memcpy(bytes, s.csr.ptr, s.csr.len);
    bytes[s.csr.len - 1] ^= 1;
    scene_must(atls_enrol_base64url(atls_bytes_of(bytes, s.csr.len), &s.again, &text, &err), &err, "text");
    const char *value = atls_text_format(&s.again, &err, "\"%.*s\"", (int)text.len, (const char *)text.ptr);
    scene_must(atls_enrol_replay_run(scene_change(&s, s.out.record, "atls.csr", value), NULL, &s.again, &replay, &err),
               &err, "replay");
    assert_false(replay.is_accepted || replay.is_same);
    assert_string_equal(replay.reason, "CSR_SIGNATURE");
    scene_close(&s);
}

/* Where nothing was appraised the challenge is the request's all the same. */
static void test_unknown_typ(void **state)
{
    scene s;
    atls_enrol_replay replay;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &(scene_spec){.text = "{\"typ\":\"self\"}"});
    scene_run(&s);
    scene_words(&s, "Attestation Content.Unknown CONTENT");
    assert_false(
        atls_enrol_replay_run(scene_change(&s, s.out.record, "challenge", "\"AAAA\""), NULL, &s.again, &replay, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    assert_string_equal(err.field, "debug.challenge");
    static const char *const added[][2] = {{"keyAttestation", "{\"typ\":\"android-key\",\"x5c\":[]}"},
                                           {"atls.record", "\"AAAA\""}};
    for (size_t i = 0; i < 2; i++) {
        char field[64];
        err = (atls_error){0};
        const atls_bytes more = scene_change(&s, s.out.record, added[i][0], added[i][1]);
        assert_false(atls_enrol_replay_run(more, NULL, &s.again, &replay, &err));
        assert_int_equal(err.code, ATLS_E_ENCODING);
        (void)snprintf(field, sizeof field, "debug.%s", added[i][0]);
        assert_string_equal(err.field, field);
    }
    scene_close(&s);
}

/* ---- the status list ---- */

/* The statement with the first `from` behind "status_list" turned into `to`. */
static atls_bytes change_list(scene *s, const char *from, const char *to)
{
    const atls_bytes in = s->out.record;
    const uint8_t *at = atls_json_find(atls_json_find(scene_json(in, &s->again), "atls"), "status_list")->raw.ptr;
    const uint8_t *end = in.ptr + in.len;
    atls_buf b;
    atls_bytes out;
    while (at + strlen(from) <= end && memcmp(at, from, strlen(from)) != 0) {
        at++;
    }
    assert_true(at + strlen(from) <= end);
    atls_buf_init(&b, &s->again, &s->err);
    atls_buf_put(&b, atls_bytes_of(in.ptr, (size_t)(at - in.ptr)));
    atls_buf_str(&b, to);
    at += strlen(from);
    atls_buf_put(&b, atls_bytes_of(at, (size_t)(end - at)));
    assert_true(atls_buf_done(&b, &out));
    return out;
}

/* What a statement says of the list is what the recording in it has: nobody reads "not listed" where the verdict is of a list
 * that says otherwise. */
static void test_changed_list(void **state)
{
    static const char *const settings[] = {"cert.attestation.serial=0abc", NULL};
    static const char *const changes[][2] = {
        {"\"fetched\":\"2", "\"fetched\":\"3"},
        {"\"expires\":", "\"expires\":\"2026-06-16T12:00:00Z\",\"was\":"},
        {"\"abc\"", "\"abd\""},
        {"\"listed\":true", "\"listed\":false"},
        {"\"OK\"", "\"\""},
        {"\"none\"", "\"NONE\""},
        {"\"serials\":[{", "\"serials\":[{\"serial\":\"1\",\"listed\":false,\"status\":\"\",\"reason\":\"\"},{"},
        {"\"sha256\":\"", "\"sha256\":\"0"},
    };
    scene s;
    atls_enrol_replay replay;
    (void)state;
    scene_open(&s, &(scene_spec){.settings = settings});
    s.endorsements.android.list = atls_bytes_str("{\"entries\":{\"abc\":{\"status\":\"OK\",\"reason\":\"none\"}}}");
    s.endorsements.android.fetched = s.in.now - 5;
    scene_run(&s);
    scene_words(&s, "Success");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        atls_error err = {0};
        const atls_bytes changed = change_list(&s, changes[i][0], changes[i][1]);
        if (atls_enrol_replay_run(changed, NULL, &s.again, &replay, &err) || err.code != ATLS_E_ENCODING) {
            fail_msg("%s instead of %s: %s", changes[i][1], changes[i][0], err.message);
        }
        assert_string_equal(err.field, "debug.atls.status_list");
    }
    scene_close(&s);
}

/* Members under `atls` may be missing: what is there is judged. */
static void test_partial(void **state)
{
    static const char *const members[] = {"atls.record", "atls.csr"};
    const atls_enrol_replay_options options = {.status_list = atls_bytes_str("{\"entries\":{}}")};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        scene s;
        atls_enrol_replay replay;
        atls_error err = {0};
        scene_open(&s, i < 2 ? &honest : &challenge);
        scene_run(&s);
        const atls_bytes partial = scene_change(&s, s.out.record, members[i % 2], i < 2 ? NULL : "null");
        scene_must(atls_enrol_replay_run(partial, &options, &s.again, &replay, &err), &err, "replay");
        assert_int_equal(replay.is_accepted, i < 2);
        assert_int_equal(replay.error.code, s.out.error.code);
        scene_must(atls_enrol_replay_run(partial, NULL, &s.again, &replay, &err), &err, "replay");
        assert_string_equal(replay.reason, "LIST_UNAVAILABLE");
        scene_close(&s);
    }
}

/* A recording with another result, or with a root beside its policy, sealed anew. */
static atls_bytes with_other(atls_bytes record, const atls_bytes *root, atls_arena *a)
{
    atls_record opened;
    atls_box b;
    atls_crypto *c = NULL;
    atls_bytes out;
    atls_error err = {0};
    scene_must(atls_record_open(record, a, &opened, &err) && atls_crypto_new(&c, &err), &err, "open");
    atls_box_init(&b, a, &err);
    for (size_t i = 0; i < opened.n_members; i++) {
        const atls_record_member *m = &opened.members[i];
        switch (m->type) {
        case ATLS_RECORD_NUMBER:
            atls_box_number(&b, m->name, m->number);
            break;
        case ATLS_RECORD_FLAG:
            atls_box_flag(&b, m->name, m->flag);
            break;
        case ATLS_RECORD_BYTES:
            atls_box_bytes(&b, m->name, m->bytes);
            break;
        case ATLS_RECORD_TEXT:
            atls_box_text(&b, m->name,
                          root == NULL && strcmp(m->name, "result") == 0 ? atls_bytes_str("{}") : m->bytes);
            if (root != NULL && strcmp(m->name, "policy") == 0) {
                atls_box_list(&b, "policy.roots", root, 1);
            }
            break;
        case ATLS_RECORD_LIST:
            atls_box_list(&b, m->name, m->items, m->n_items);
            break;
        }
    }
    scene_must(atls_box_done(&b, c, ATLS_RECORD_APPRAISAL, &out), &err, "seal");
    atls_crypto_free(c);
    return out;
}

/* The verdict is the same, and still it is not what was said. */
static void test_other_result(void **state)
{
    scene s;
    atls_enrol_debug_statement d;
    atls_enrol_replay replay;
    atls_bytes text;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &challenge);
    scene_run(&s);
    scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
    scene_must(atls_enrol_base64url(with_other(d.record, NULL, &s.again), &s.again, &text, &err), &err, "text");
    const char *value = atls_text_format(&s.again, &err, "\"%.*s\"", (int)text.len, (const char *)text.ptr);
    scene_must(
        atls_enrol_replay_run(scene_change(&s, s.out.record, "atls.record", value), NULL, &s.again, &replay, &err),
        &err, "replay");
    assert_true(replay.has_recorded && atls_bytes_equal(replay.recorded, replay.replayed));
    assert_false(replay.is_same);
    scene_close(&s);
}

/* What the recording trusts is what the configuration in the statement says: a root beside it would be nobody's. */
static void test_other_root(void **state)
{
    scene s;
    atls_enrol_debug_statement d;
    atls_enrol_statement statement;
    atls_enrol_replay replay;
    atls_bytes text;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &honest);
    scene_run(&s);
    scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
    scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &statement, &err), &err, "statement");
    const atls_bytes other = with_other(d.record, &statement.x5c[statement.n_x5c - 1], &s.again);
    scene_must(atls_enrol_base64url(other, &s.again, &text, &err), &err, "text");
    const char *value = atls_text_format(&s.again, &err, "\"%.*s\"", (int)text.len, (const char *)text.ptr);
    assert_false(
        atls_enrol_replay_run(scene_change(&s, s.out.record, "atls.record", value), NULL, &s.again, &replay, &err));
    assert_int_equal(err.code, ATLS_E_ENCODING);
    assert_string_equal(err.field, "debug.androidAttestationConfiguration");
    scene_close(&s);
}

/* ---- stripped ---- */

/* What Warden would read, read by us: the same verdict, given the list; without one nobody is accepted. */
static void test_stripped(void **state)
{
    static const scene_spec iphone = {.is_apple = true};
    const scene_spec *const specs[] = {&honest, &challenge, &iphone};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        scene s;
        atls_enrol_replay replay;
        atls_error err = {0};
        scene_open(&s, specs[i]);
        scene_run(&s);
        const atls_bytes stripped = scene_change(&s, s.out.record, "atls", NULL);
        const atls_enrol_replay_options options = {.ignore_proxy = true,
                                                   .status_list = atls_bytes_str("{\"entries\":{}}")};
        static const char *const members[] = {"method",
                                              "androidAttestationConfiguration",
                                              "iosAttestationConfiguration",
                                              "genericAttestationProof",
                                              "keyAttestation",
                                              "challenge",
                                              "clientData",
                                              "verificationTime",
                                              "verificationTimeOffset"};
        const atls_json *tree = scene_json(stripped, &s.again);
        assert_int_equal(tree->n, 9);
        for (size_t k = 0; k < 9; k++) {
            assert_non_null(atls_json_find(tree, members[k]));
        }
        assert_null(atls_json_find(atls_json_find(tree, "androidAttestationConfiguration"), "type"));
        scene_must(atls_enrol_replay_run(stripped, &options, &s.again, &replay, &err), &err, "replay");
        assert_false(replay.has_recorded || replay.is_same);
        assert_int_equal(replay.is_accepted, s.out.is_success);
        assert_int_equal(replay.error.code, s.out.error.code);
        scene_must(atls_enrol_replay_run(stripped, NULL, &s.again, &replay, &err), &err, "replay");
        assert_int_equal(replay.is_accepted, i == 2);
        if (i != 2) {
            assert_string_equal(replay.reason, "LIST_UNAVAILABLE");
        }
        scene_close(&s);
    }
}

/* Warden loads no statement without both configurations, nor an empty one: a platform that is not configured has one that nobody
 * fits, which is read as none. A phone of that platform fails because of just that, before and after. */
static void test_one_platform(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        const bool is_apple = i % 2 == 1; /* the phone */
        const bool no_apple = i / 2 == 1; /* what is not configured */
        const char *member = no_apple ? "iosAttestationConfiguration" : "androidAttestationConfiguration";
        scene s;
        atls_enrol_debug_statement d;
        atls_enrol_replay replay;
        atls_error err = {0};
        scene_open(&s, &(scene_spec){.is_apple = is_apple});
        if (no_apple) {
            s.options.apple = NULL;
        } else {
            s.options.android = NULL;
        }
        scene_enroller(&s);
        scene_run(&s);
        assert_int_equal(s.out.is_success, is_apple != no_apple);
        const atls_json *object = atls_json_find(scene_json(s.out.record, &s.again), member);
        assert_int_equal(object->type, ATLS_JSON_OBJECT);
        assert_int_equal(atls_json_find(object, "applications")->n, 1);
        scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
        assert_int_equal(d.apple == NULL, no_apple);
        assert_int_equal(d.android == NULL, !no_apple);
        const atls_bytes null = scene_change(&s, s.out.record, member, "null"); /* as older ones have it */
        scene_must(atls_enrol_replay_run(null, NULL, &s.again, &replay, &err), &err, "replay");
        assert_true(replay.is_same);
        assert_int_equal(replay.is_accepted, s.out.is_success);
        scene_close(&s);
    }
}

/* ---- long lists ---- */

/* Ten thousand entries, and the one that counts: the record holds what was asked, and names the whole list. */
static void test_long_list(void **state)
{
    static const char *const settings[] = {"cert.attestation.serial=00ff0abc", NULL};
    static const char *const keys[] = {"ff0abc", "16714428", "FF0ABC", "ff0abd", "0ff0abc"};
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        scene s;
        atls_buf b;
        atls_bytes list;
        const atls_android_list *compiled = NULL;
        uint8_t sha256[32];
        scene_open(&s, &(scene_spec){.settings = settings});
        atls_buf_init(&b, &s.arena, &s.err);
        atls_buf_str(&b, "{\"entries\":{");
        for (unsigned k = 0; k < 10000; k++) {
            atls_buf_format(&b, "\"f%08x\":{\"status\":\"REVOKED\"},", k);
        }
        atls_buf_format(&b, "\"%s\":{\"status\":\"SUSPENDED\",\"reason\":\"KEY_COMPROMISE\"}}}", keys[i]);
        assert_true(atls_buf_done(&b, &list));
        s.endorsements.android = (atls_android_status){.list = list, .fetched = s.in.now - 5};
        scene_must(atls_android_list_compile(list, &s.arena, &compiled, &s.err), &s.err, "list");
        atls_android_list_sha256(compiled, sha256);
        for (int is_compiled = 0; is_compiled < 2; is_compiled++) {
            s.endorsements.android.compiled = is_compiled == 1 ? compiled : NULL;
            s.endorsements.android.list = is_compiled == 1 ? atls_bytes_empty() : list;
            s.is_used = false;
            scene_run(&s);
            scene_words(&s, i < 3 ? "Attestation Certificate.Trust REVOKED TRUST" : "Success");
            assert_memory_equal(s.out.list_sha256, sha256, 32);
            if (i >= 3) {
                assert_memory_equal(s.issued_list_sha256, sha256, 32);
            }
            assert_true(s.out.record.len < (size_t)64 * 1024);
            const atls_json *own = atls_json_find(scene_json(s.out.record, &s.again), "atls");
            const atls_json *status = atls_json_find(own, "status_list");
            char hex[65];
            atls_hex_encode(atls_bytes_of(sha256, 32), hex);
            assert_true(atls_bytes_equal_str(atls_json_find(status, "sha256")->text, hex));
            assert_int_equal(atls_json_find(status, "fetched")->type, ATLS_JSON_STRING);
            assert_int_equal(atls_json_find(status, "serials")->n, 3);
        }
        scene_close(&s);
    }
}

/* Serials that are odd: two the same, a negative one, one with an entry that does not revoke. */
static void test_odd_serials(void **state)
{
    static const char *const twice[] = {"cert.attestation.serial=0abc", "cert.intermediate.serial=0abc", NULL};
    static const char *const negative[] = {"cert.attestation.serial=ff01", NULL};
    static const struct {
        const char *const *settings;
        const char *list;
        const char *words;
    } table[] = {
        {twice, "{\"entries\":{\"abc\":{\"status\":\"OK\"}}}", "Success"},
        {twice, "{\"entries\":{\"abc\":{}}}", "Attestation Certificate.Trust REVOKED TRUST"},
        {negative, "{\"entries\":{\"-ff\":{\"status\":\"REVOKED\"}}}", "Attestation Certificate.Trust REVOKED TRUST"},
        {negative, "{\"entries\":{\"-255\":{\"status\":\"NEW\"}}}", "Attestation Certificate.Trust REVOKED TRUST"},
        {negative, "{\"entries\":{\"ff01\":{\"status\":\"REVOKED\"}}}", "Success"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        scene s;
        scene_open(&s, &(scene_spec){.settings = table[i].settings});
        s.endorsements.android.list = atls_bytes_str(table[i].list);
        scene_run(&s);
        scene_words(&s, table[i].words);
        scene_close(&s);
    }
}

/* ---- spellings ---- */

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        bool is_written; /* like that */
    } table[] = {
        {"PT0S", 0, true},
        {"PT1S", 1, true},
        {"PT1M", 60, true},
        {"PT12H45M", 45900, true},
        {"-PT30S", -30, true},
        {"PT1H0M5S", 3605, true},
        {"PT596523H14M7S", INT32_MAX, true},
        {"P1D", 86400, false},
        {"P1DT1H", 90000, false},
        {"PT1H5S", 3605, false},
        {"PT90M", 5400, false},
    };
    static const char *const wrong[] = {"",     "P",      "PT",     "1S",   "PT1", "PT1.5S",        "PT1S ",
                                        "P1DT", "--PT1S", "PT1S1M", "PT1X", "P1H", "PT596523H14M8S"};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char text[ATLS_ENROL_DURATION_SIZE];
        int64_t seconds = 1;
        assert_true(atls_enrol_debug_duration_read(atls_bytes_str(table[i].text), &seconds));
        assert_int_equal(seconds, table[i].seconds);
        atls_enrol_debug_duration(seconds, text);
        assert_int_equal(strcmp(text, table[i].text) == 0, table[i].is_written);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        int64_t seconds;
        assert_false(atls_enrol_debug_duration_read(atls_bytes_str(wrong[i]), &seconds));
    }
}

static void test_spaces(void **state)
{
    scene s;
    atls_bytes text;
    atls_enrol_replay replay;
    atls_error err = {0};
    atls_buf b;
    (void)state;
    scene_open(&s, &challenge);
    scene_run(&s);
    atls_buf_init(&b, &s.again, &err);
    for (size_t i = 0; i < s.out.record.len; i++) { /* what a printer of JSON would do to it */
        const char c = (char)s.out.record.ptr[i];
        atls_buf_put(&b, atls_bytes_of(&s.out.record.ptr[i], 1));
        if (c == '{' || c == '}') {
            atls_buf_str(&b, "\n  ");
        }
    }
    assert_true(atls_buf_done(&b, &text));
    scene_must(atls_enrol_replay_run(text, NULL, &s.again, &replay, &err), &err, "replay");
    assert_true(replay.is_same);
    scene_close(&s);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_member, &rows[i]);
    }
    tap_add(&tests, "a request with a bit changed", test_changed_request, NULL);
    tap_add(&tests, "a typ that is not known", test_unknown_typ, NULL);
    tap_add(&tests, "a status list that is not the recording's", test_changed_list, NULL);
    tap_add(&tests, "members that may be missing", test_partial, NULL);
    tap_add(&tests, "a recording with another result", test_other_result, NULL);
    tap_add(&tests, "a recording with a root beside its policy", test_other_root, NULL);
    tap_add(&tests, "stripped to what Warden knows", test_stripped, NULL);
    tap_add(&tests, "one platform is not configured", test_one_platform, NULL);
    tap_add(&tests, "a long status list", test_long_list, NULL);
    tap_add(&tests, "odd serials", test_odd_serials, NULL);
    tap_add(&tests, "durations", test_durations, NULL);
    tap_add(&tests, "white space", test_spaces, NULL);
    return tap_run("enrol/debug", &tests);
}
