/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of a debug statement when it is redacted: nothing that names a person's device, wherever and however it stands there,
 * and nothing that is accepted. */
#include "base/text.h"
#include "enrol/debug.h"
#include "enrol/message.h"
#include "steps_scene.h"

static const scene_spec honest = {.kind = SIM_ANDROID_FACTORY};

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

/* Where such a tag may stand that a phone of today does not write: of another class, or without "constructed". */
static void test_redacted_tags(void **state)
{
    static const char *const tags[] = {"9f8549", "bf8549", "5f854a", "df854b", "1f8553", "ff8553"};
    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        char setting[160];
        const char *const settings[] = {setting, NULL};
        scene s;
        atls_bytes redacted;
        atls_enrol_debug_statement d;
        atls_enrol_statement after;
        atls_error err = {0};
        (void)snprintf(setting, sizeof setting,
                       "cert.leaf.description=3021"
                       "0201030a01010201040a010104000400"
                       "300d%s090407" SECRET "3000",
                       tags[i]);
        scene_open(&s, &(scene_spec){.settings = settings});
        scene_run(&s);
        scene_must(atls_enrol_record_redact(s.out.record, &s.again, &redacted, &err), &err, "redact");
        scene_must(atls_enrol_debug_read(redacted, &s.again, &d, &err), &err, "read");
        scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &after, &err), &err, "after");
        assert_int_equal(n_found(after.chain, SECRET), 0);
        scene_close(&s);
    }
}

/* Proofs of older clients: a chain that is too short to be one is a phone's all the same. */
static void test_redacted_legacy(void **state)
{
    static const char *const settings[] = {"hw.713=0407" SECRET, NULL};
    (void)state;
    for (size_t n = 1; n <= 4; n++) {
        scene s;
        atls_buf b;
        atls_bytes text;
        atls_bytes redacted;
        atls_enrol_debug_statement d;
        atls_enrol_statement before;
        atls_error err = {0};
        size_t found = 0;
        scene_open(&s, &(scene_spec){.settings = settings});
        scene_run(&s);
        scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
        scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &before, &err), &err, "before");
        atls_buf_init(&b, &s.again, &err);
        atls_buf_str(&b, "{\"method\":\"LEGACY\",\"genericAttestationProof\":[");
        for (size_t i = 0; i < n; i++) {
            scene_must(atls_enrol_base64url(before.x5c[i], &s.again, &text, &err), &err, "text");
            atls_buf_format(&b, "%s\"%.*s\"", i == 0 ? "" : ",", (int)text.len, (const char *)text.ptr);
        }
        atls_buf_str(&b, "],\"challenge\":\"AAAA\",\"verificationTime\":1781524800000}");
        assert_true(atls_buf_done(&b, &text));
        scene_must(atls_enrol_record_redact(text, &s.again, &redacted, &err), &err, "redact");
        scene_must(atls_enrol_debug_read(redacted, &s.again, &d, &err), &err, "read");
        assert_int_equal(d.n_proof, n);
        for (size_t i = 0; i < n; i++) {
            found += n_found(d.proof[i], SECRET);
        }
        assert_int_equal(found, 0);
        scene_close(&s);
    }
}

/* An iPhone's statement keeps its two members, and nothing that somebody put beside them. */
static void test_redacted_apple(void **state)
{
    scene s;
    atls_bytes redacted;
    atls_enrol_debug_statement d;
    atls_enrol_statement before;
    atls_enrol_statement after;
    atls_error err = {0};
    (void)state;
    scene_open(&s, &(scene_spec){.is_apple = true});
    scene_run(&s);
    scene_must(atls_enrol_debug_read(s.out.record, &s.again, &d, &err), &err, "read");
    scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &before, &err), &err, "before");
    const char *more =
        atls_text_format(&s.again, &err, "{\"serial\":\"" SECRET "\",%.*s", (int)d.key_attestation->raw.len - 1,
                         (const char *)d.key_attestation->raw.ptr + 1);
    scene_must(
        atls_enrol_record_redact(scene_change(&s, s.out.record, "keyAttestation", more), &s.again, &redacted, &err),
        &err, "redact");
    for (size_t i = 0; i + sizeof SECRET - 1 <= redacted.len; i++) {
        assert_memory_not_equal(redacted.ptr + i, SECRET, sizeof SECRET - 1);
    }
    scene_must(atls_enrol_debug_read(redacted, &s.again, &d, &err), &err, "read");
    scene_must(atls_enrol_statement_read(d.key_attestation->raw, &s.again, &after, &err), &err, "after");
    assert_true(atls_bytes_equal(before.attestation, after.attestation)
                && atls_bytes_equal(before.client_data, after.client_data));
    scene_close(&s);
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
    const atls_bytes unmarked = scene_change(&s, redacted, "atls", NULL);
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

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "redacted", test_redacted, NULL);
    tap_add(&tests, "redacted, tags of another class", test_redacted_tags, NULL);
    tap_add(&tests, "redacted, proofs of older clients", test_redacted_legacy, NULL);
    tap_add(&tests, "redacted, an iPhone's", test_redacted_apple, NULL);
    tap_add(&tests, "redacted for good", test_redacted_stays, NULL);
    return tap_run("enrol/debug_redact", &tests);
}
