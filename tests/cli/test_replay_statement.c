/* SPDX-License-Identifier: Apache-2.0 */
/* test_replay_statement.c: debug statements of enrolment for atls replay and atls enrol record, as a service writes them (of the
 * scene), with members changed and taken out, as one line, and as Warden's. */
#include "enrol/steps_scene.h"
#include "run.h"

/* A copy in which the first `from` is `to`. */
static void write_changed(const char *name, atls_bytes in, const char *from, const char *to)
{
    const size_t n = strlen(from);
    size_t at = 0;
    char *out = malloc(in.len + strlen(to) + 1);
    assert_non_null(out);
    while (at + n <= in.len && memcmp(in.ptr + at, from, n) != 0) {
        at++;
    }
    assert_true(at + n <= in.len);
    memcpy(out, in.ptr, at);
    memcpy(out + at, to, strlen(to));
    memcpy(out + at + strlen(to), in.ptr + at + n, in.len - at - n);
    run_write(name, out, in.len - n + strlen(to));
    free(out);
}

/* Without `atls`, which stands last, a statement is one of Warden's. */
static void write_warden(const char *name, atls_bytes in)
{
    static const char member[] = ",\"atls\":{";
    size_t at = in.len - sizeof member;
    while (at > 0 && memcmp(in.ptr + at, member, sizeof member - 1) != 0) {
        at--;
    }
    assert_true(at > 0);
    char *out = malloc(at + 1);
    assert_non_null(out);
    memcpy(out, in.ptr, at);
    out[at] = '}';
    run_write(name, out, at + 1);
    free(out);
}

static void write_statement(const char *name, const scene_spec *spec, atls_code code)
{
    scene s;
    scene_open(&s, spec);
    s.in.record = ATLS_RECORD_ALWAYS;
    scene_run(&s);
    assert_int_equal(s.out.error.code, code);
    assert_true(s.out.record.len > 0);
    run_write(name, s.out.record.ptr, s.out.record.len);
    if (code == ATLS_E_ANDROID_CHALLENGE) {
        write_changed("flipped.json", s.out.record, "\"verdict\":{\"accepted\":false",
                      "\"verdict\":{\"accepted\":true");
        write_changed("older.json", s.out.record, "\"library\":\"" ATLS_VERSION, "\"library\":\"0.0.1");
        write_changed("challenge.json", s.out.record, "\"challenge\":\"", "\"challenge\":\"AAAA");
        write_changed("method.json", s.out.record, "SUPREME", "NEWEST");
        run_write("cut.json", s.out.record.ptr, s.out.record.len - 1);
    }
    if (code == ATLS_OK && !spec->is_apple) {
        write_warden("warden.json", s.out.record);
    }
    scene_close(&s);
}

static void save(const char *line, const char *name)
{
    run_output o = run(line, NULL);
    assert_int_equal(o.status, 0);
    run_write(name, o.out, o.out_len);
    run_free(&o);
}

static void test_files(void **state)
{
    size_t len = 0;
    (void)state;
    write_statement("yes.json", &(scene_spec){.kind = SIM_ANDROID_FACTORY}, ATLS_OK);
    write_statement("no.json", &(scene_spec){.other_challenge = true}, ATLS_E_ANDROID_CHALLENGE);
    write_statement("apple.json", &(scene_spec){.is_apple = true}, ATLS_OK);
    write_statement("key.json", &(scene_spec){.own_key = "another"}, ATLS_E_ENROL_KEY_MISMATCH);
    /* older.json says another verdict besides */
    char *older = run_read("older.json", &len);
    write_changed("older.json", atls_bytes_of((const uint8_t *)older, len), "\"verdict\":{\"accepted\":false",
                  "\"verdict\":{\"accepted\":true");
    free(older);
    char *warden = run_read("warden.json", &len);
    write_changed("proxy.json", atls_bytes_of((const uint8_t *)warden, len), "\"androidAttestationConfiguration\":{",
                  "\"androidAttestationConfiguration\":{\"httpProxy\":7,");
    free(warden);
    run_write("list.json", "{\"entries\":{}}", 14);
    save("enrol record compact {d}/no.json", "line");
    save("enrol record redact {d}/no.json", "redacted.json");
    save("enrol record redact {d}/line", "redacted_line");
    char *a = run_read("redacted.json", NULL);
    char *b = run_read("redacted_line", NULL);
    assert_string_equal(a, b);
    assert_null(strstr(a, "\"csr\":\""));
    free(a);
    free(b);
    a = run_read("line", &len);
    assert_true(a[0] == 'u' && strchr(a, '\n') == a + len - 1);
    free(a);
}

/* clang-format off */
static const run_row rows[] = {
    {"a yes", "replay {d}/yes.json", NULL, 0, NULL, {"yes.json: reproduced, byte for byte: accepted", "method SUPREME", "by atls " ATLS_VERSION}},
    {"a no", "replay {d}/no.json", NULL, 0, NULL, {"no.json: reproduced, byte for byte: rejected", "class: Content.Android, CHALLENGE", "Rejected: ANDROID_CHALLENGE"}},
    {"in one line", "replay -q {d}/no.json", NULL, 0, NULL, {"reproduced", "!class:"}},
    {"its own status", "replay --verdict {d}/no.json", NULL, 6, NULL, {"reproduced"}},
    {"of a yes", "replay --verdict {d}/yes.json", NULL, 0, NULL, {"reproduced"}},
    {"an iPhone's", "replay {d}/apple.json", NULL, 0, NULL, {"reproduced, byte for byte: accepted"}},
    {"another key than the attested one", "replay --verdict {d}/key.json", NULL, 6, NULL, {"reproduced", "Certificate.Trust, KEY_MISMATCH"}},
    {"the form of one line", "replay {d}/line", NULL, 0, NULL, {"line: reproduced, byte for byte: rejected", "CHALLENGE"}},
    {"from stdin", "replay -", "line", 0, NULL, {"reproduced"}},
    {"several", "replay {d}/yes.json {d}/no.json {d}/line", NULL, 0, NULL, {"yes.json: reproduced", "line: reproduced", "!class:"}},
    {"one of them is none", "replay {d}/yes.json {d}/cut.json {d}/no.json", NULL, 2, NULL, {"cut.json: no replay", "no.json: reproduced"}},
    {"as JSON", "replay --json {d}/no.json", NULL, 0, "\"type\":\"statement\",\"reproduced\":true,\"method\":\"SUPREME\",\"verdict\":\"rejected\",\"class\":\"Content.Android\",\"reason\":\"CHALLENGE\"", {NULL}},
    {"with why", "replay --json {d}/no.json", NULL, 0, "\"refusal\":{\"code\":\"ANDROID_CHALLENGE\"", {NULL}},
    {"a verdict that was changed", "replay {d}/flipped.json", NULL, 2, NULL, {"NOT reproduced: now rejected; the statement is not as it was written", "recorded  {\"accepted\":true", "now       {\"accepted\":false"}},
    {"is no yes with --verdict", "replay --verdict {d}/flipped.json", NULL, 2, NULL, {"NOT reproduced"}},
    {"nor in JSON", "replay --json {d}/flipped.json", NULL, 2, "\"exit_status\":2,\"error\":null,\"type\":\"statement\",\"reproduced\":false", {NULL}},
    {"of another version", "replay {d}/older.json", NULL, 8, NULL, {"NOT reproduced", "another version of atls wrote it"}},
    {"another challenge", "replay {d}/challenge.json", NULL, 2, NULL, {"no replay", "ENCODING debug.challenge"}},
    {"a method that is not known", "replay {d}/method.json", NULL, 8, NULL, {"no replay", "UNSUPPORTED debug.method"}},
    {"a redacted one", "replay {d}/redacted.json", NULL, 8, NULL, {"redacted: what is left cannot be judged again", "recorded  {\"accepted\":false"}},
    {"is never reproduced", "replay --verdict --json {d}/redacted.json", NULL, 8, "\"reproduced\":false,\"method\":\"SUPREME\",\"verdict\":\"redacted\"", {NULL}},
    {"Warden's, without a list", "replay {d}/warden.json", NULL, 5, NULL, {"judged: rejected; the statement does not say what came out", "LIST_UNAVAILABLE", "--status-list"}},
    {"Warden's", "replay {d}/warden.json --status-list {d}/list.json", NULL, 0, NULL, {"judged: accepted", "!reproduced"}},
    {"is not called reproduced", "replay --json {d}/warden.json --status-list {d}/list.json", NULL, 0, "\"reproduced\":false,\"method\":\"SUPREME\",\"verdict\":\"accepted\"", {NULL}},
    {"with a proxy that is none", "replay {d}/proxy.json --status-list {d}/list.json", NULL, 1, NULL, {"no replay", "CONFIGURATION debug.androidAttestationConfiguration"}},
    {"that is to be ignored", "replay {d}/proxy.json --status-list {d}/list.json --ignore-proxy", NULL, 0, NULL, {"judged: accepted"}},
    {"a list that is none", "replay {d}/warden.json --status-list {d}/line", NULL, 5, NULL, {"judged: rejected"}},
    {"a list that is not there", "replay {d}/warden.json --status-list {d}/nothing", NULL, 1, NULL, {"--status-list"}},
    {"another time is for recordings", "replay {d}/yes.json --at 2026-06-15T12:00:00Z", NULL, 1, NULL, {"USAGE --at"}},
    {"so is a list of members", "replay {d}/yes.json --show", NULL, 1, NULL, {"USAGE --show"}},
    {"no verb of record", "enrol record", NULL, 1, NULL, {"usage: atls enrol record VERB"}},
    {"help of record", "enrol record --help", NULL, 0, "redact", {NULL}},
    {"an unknown verb of record", "enrol record compat {d}/yes.json", NULL, 1, NULL, {"did you mean compact?"}},
    {"no file", "enrol record redact", NULL, 1, NULL, {"FILE: missing"}},
    {"a file that is no statement", "enrol record redact {d}/cut.json", NULL, 2, NULL, {"enrol record redact: ENCODING"}},
    {"nor for compact", "enrol record compact {d}/cut.json", NULL, 2, NULL, {"enrol record compact: ENCODING"}},
};
/* clang-format on */

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    tap_add(&tests, "statements", test_files, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    const int failed = tap_run("replay_statement", &tests);
    run_end();
    return failed;
}
