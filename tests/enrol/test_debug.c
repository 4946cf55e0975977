/* SPDX-License-Identifier: Apache-2.0 */
/* Debug statements of ours: what is in one, that every member counts, what is left when it is redacted, or stripped to what Warden
 * knows, and what a long status list comes to. That each outcome replays to the last byte is shown by the scene. */
#include "base/json.h"
#include "base/text.h"
#include "enrol/debug.h"
#include "enrol/message.h"
#include "steps_scene.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};
static const scene_spec challenge = {.other_challenge = true};

static const atls_json *parse(atls_bytes json, atls_arena *a)
{
    const atls_json *tree = NULL;
    atls_error err = {0};
    scene_must(atls_json_parse(json, "debug", a, &tree, &err), &err, "json");
    return tree;
}

/* The statement with another value of a member ("challenge", "atls.csr"); NULL takes it out. */
static atls_bytes change(scene *s, atls_bytes in, const char *member, const char *value)
{
    const atls_json *tree = parse(in, &s->again);
    const bool is_own = strncmp(member, "atls.", 5) == 0;
    const atls_json *object = is_own ? atls_json_find(tree, "atls") : tree;
    const char *name = is_own ? member + 5 : member;
    atls_buf b;
    atls_bytes out;
    bool is_first = true;
    atls_buf_init(&b, &s->again, &s->err);
    atls_buf_put(&b, atls_bytes_of(in.ptr, (size_t)(object->raw.ptr - in.ptr) + 1));
    for (const atls_json *m = object->child; m != NULL; m = m->next) {
        const bool is_it = atls_bytes_equal_str(m->name, name);
        if (is_it && value == NULL) {
            continue;
        }
        atls_buf_format(&b, "%s\"%.*s\":", is_first ? "" : ",", (int)m->name.len, (const char *)m->name.ptr);
        atls_buf_put(&b, is_it ? atls_bytes_str(value) : m->raw);
        is_first = false;
    }
    const uint8_t *end = object->raw.ptr + object->raw.len - 1;
    atls_buf_put(&b, atls_bytes_of(end, (size_t)(in.ptr + in.len - end)));
    assert_true(atls_buf_done(&b, &out));
    return out;
}

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
    const atls_bytes changed = change(&s, s.out.record, r->member, r->value);
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
    scene_must(atls_enrol_replay_run(change(&s, s.out.record, "atls.csr", value), NULL, &s.again, &replay, &err), &err,
               "replay");
    assert_false(replay.is_accepted || replay.is_same);
    assert_string_equal(replay.reason, "CSR_SIGNATURE");
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
        const atls_bytes stripped = change(&s, s.out.record, "atls", NULL);
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
        const atls_json *tree = parse(stripped, &s.again);
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

/* ---- redacted ---- */

#define SECRET "53454352455431"

static size_t n_found(atls_bytes in, const char *hex)
{
    uint8_t wanted[7];
    size_t n = 0;
    assert_true(atls_hex_fixed(atls_bytes_str(hex), wanted, sizeof wanted));
    for (size_t i = 0; i + sizeof wanted <= in.len; i++) {
        n += memcmp(in.ptr + i, wanted, sizeof wanted) == 0;
    }
    return n;
}

static void test_redacted(void **state)
{
    static const char *const settings[] = {
        "hw.713=0407" SECRET, "hw.714=0407" SECRET, "sw.715=0407" SECRET,        "sw.723=0407" SECRET,
        "hw+713=0407" SECRET, "uniqueId=" SECRET,   "hw.716=040747454e45524943", NULL};
    static const char *const broken[] = {"cert.leaf.description=300730050407" SECRET, NULL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        scene s;
        atls_bytes redacted;
        atls_enrol_debug_statement d;
        atls_enrol_statement before;
        atls_enrol_statement after;
        atls_error err = {0};
        scene_open(&s, &(scene_spec){.settings = i == 0 ? settings : broken});
        scene_run(&s);
        scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
        scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &before, &err), &err, "before");
        assert_int_equal(n_found(before.chain, SECRET), i == 0 ? 6 : 1);
        scene_must(atls_enrol_record_redact(s.out.record, &s.again, &redacted, &err), &err, "redact");
        scene_must(atls_enrol_debug_read(redacted, &s.again, &d, &err), &err, "read");
        assert_true(d.is_redacted && !d.has_csr && !d.has_record && d.has_verdict);
        scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &after, &err), &err, "after");
        assert_int_equal(n_found(after.chain, SECRET), 0);
        assert_int_equal(n_found(after.chain, "47454e45524943"), i == 0 ? 1 : 0); /* the maker may stay */
        assert_int_equal(after.chain.len, before.chain.len);
        for (size_t k = 1; k < after.n_x5c; k++) {
            assert_true(atls_bytes_equal(after.x5c[k], before.x5c[k]));
        }
        scene_close(&s);
    }
}

/* Nor is it accepted when the mark is taken away, or when there was nothing to take out. */
static void test_redacted_stays(void **state)
{
    static const char *const settings[] = {"hw.713=0407" SECRET, NULL};
    const atls_enrol_replay_options options = {.status_list = atls_bytes_str("{\"entries\":{}}")};
    scene s;
    atls_bytes redacted;
    atls_enrol_replay replay;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &(scene_spec){.settings = settings});
    scene_run(&s);
    scene_words(&s, "Success");
    scene_must(atls_enrol_record_redact(s.out.record, &s.again, &redacted, &err), &err, "redact");
    const atls_bytes unmarked = change(&s, redacted, "atls", NULL);
    scene_must(atls_enrol_replay_run(unmarked, &options, &s.again, &replay, &err), &err, "replay");
    assert_false(replay.is_accepted);
    assert_string_equal(replay.reason, "CertificateInvalid");
    scene_close(&s);
    scene_open(&s, &honest);
    scene_run(&s);
    scene_must(atls_enrol_record_redact(s.out.record, &s.again, &redacted, &err), &err, "redact");
    scene_must(atls_enrol_replay_run(redacted, &options, &s.again, &replay, &err), &err, "replay");
    assert_true(replay.is_redacted && !replay.is_accepted);
    scene_close(&s);
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
            const atls_json *own = atls_json_find(parse(s.out.record, &s.again), "atls");
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
    tap_add(&tests, "stripped to what Warden knows", test_stripped, NULL);
    tap_add(&tests, "redacted", test_redacted, NULL);
    tap_add(&tests, "redacted for good", test_redacted_stays, NULL);
    tap_add(&tests, "a long status list", test_long_list, NULL);
    tap_add(&tests, "durations", test_durations, NULL);
    tap_add(&tests, "white space", test_spaces, NULL);
    return tap_run("enrol/debug", &tests);
}
