/* SPDX-License-Identifier: Apache-2.0 */
/* vTPM documents of constellation/manifest.json, made by swtpm: the good one, the negatives that the manifest lists, and policies
 * that do not fit. */
#include "tpm_vectors.h"

/* ---- constellation: qemu_vtpm ---- */

#define QEMU_VALUE "84c9ec2c12d3ce0d985bdd8d687c62749da0c13b29bd0c7255ba0270e5cceddb"
#define QEMU_PCR4  "1669a9e533811585d559c461dd8061fb2763ce08bd626a00cdc3963672fc914e"
#define QEMU_PCR11 "868b6d3af912acebb59ff6dbdfb9befeb758beab28b0b5431471539c47f8f519"
#define ZEROS      "0000000000000000000000000000000000000000000000000000000000000000"
#define FLAGS      ",\"insecure_allow_unauthenticated_ak\":true"
#define QEMU_POLICY                                                                                                    \
    "{\"type\":\"tpm\",\"pcrs\":{\"4\":{\"expected\":\"" QEMU_PCR4 "\",\"warnOnly\":false},\"11\":\"" QEMU_PCR11       \
    "\"}" FLAGS "}"

typedef struct qemu_row {
    const char *name;
    const char *file;
    const char *policy;
    const char *value;
    const char *code;
    const char *field;
} qemu_row;

static const qemu_row qemu_rows[] = {
    {"qemu_vtpm", "qemu_vtpm_doc.json", QEMU_POLICY, QEMU_VALUE, "OK", ""},
    {"qemu_vtpm: forged SHA-256 PCRs", "qemu_vtpm_doc_forged_sha256_pcrs.json", QEMU_POLICY, QEMU_VALUE, "PCR_DIGEST",
     "quotes[1].pcrs"},
    {"qemu_vtpm: wrong user data", "qemu_vtpm_doc_wrong_userdata.json", QEMU_POLICY, QEMU_VALUE, "OK", ""},
    {"qemu_vtpm: event data changed", "qemu_vtpm_doc_event_data_changed.json", QEMU_POLICY, QEMU_VALUE, "OK", ""},
    {"qemu_vtpm: another value", "qemu_vtpm_doc.json", QEMU_POLICY, QEMU_PCR4, "REPORT_DATA_MISMATCH",
     "quote.extra_data"},
    {"qemu_vtpm: nobody vouches", "qemu_vtpm_doc.json", "{\"type\":\"tpm\",\"pcrs\":{\"4\":\"" QEMU_PCR4 "\"}}",
     QEMU_VALUE, "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"qemu_vtpm: another key is pinned", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"ak\":\"" QEMU_PCR4 "\",\"pcrs\":{\"4\":\"" QEMU_PCR4 "\"}}", QEMU_VALUE,
     "KEY_NOT_AUTHENTICATED", "ak_pub"},
    {"qemu_vtpm: another PCR 11", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"pcrs\":{\"11\":\"" QEMU_PCR4 "\"}" FLAGS "}", QEMU_VALUE, "MEASUREMENT_MISMATCH", "pcrs.11"},
    {"qemu_vtpm: another PCR 11, as a warning", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"pcrs\":{\"11\":{\"expected\":\"" QEMU_PCR4 "\",\"warnOnly\":true}}" FLAGS "}", QEMU_VALUE,
     "OK", ""},
    {"qemu_vtpm: SHA-512 was not quoted", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"bank\":\"sha512\",\"insecure_accept_any_measurement\":true" FLAGS "}", QEMU_VALUE,
     "MEASUREMENT_MISMATCH", "bank"},
    {"qemu_vtpm: hardware is wanted", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"pcrs\":{\"4\":\"" QEMU_PCR4 "\"},\"hardware\":{\"type\":\"tdx\"}" FLAGS "}", QEMU_VALUE,
     "KEY_NOT_AUTHENTICATED", "hardware"},
    {"qemu_vtpm: nothing was measured", "qemu_vtpm_doc.json",
     "{\"type\":\"tpm\",\"pcrs\":{\"15\":\"" ZEROS "\"}" FLAGS "}", QEMU_VALUE, "OK", ""},
};

static void test_qemu(void **state)
{
    const qemu_row *row = *state;
    run r;
    char path[128];
    open_run(&r);
    (void)snprintf(path, sizeof path, "constellation/%s", row->file);
    r.evidence = file(&r, path);
    const bool ok = appraise(&r, row->policy, row->value, "2026-11-01T12:00:00Z");
    expect(&r, ok, row->code, row->field);
    atls_bytes json;
    assert_true(atls_result_json(&r.result, ok ? NULL : &r.err, &r.arena, &json, &(atls_error){0}));
    atls_arena_free(&r.arena);
}

/* The value is SHA-256(UserData || nonce); who asks makes it from the user data that the document claims. */
static void test_qemu_user_data(void **state)
{
    static const char nonce[] = "a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebf";
    static const char *const files[] = {"constellation/qemu_vtpm_doc.json",
                                        "constellation/qemu_vtpm_doc_wrong_userdata.json"};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        run r;
        tpm_evidence e;
        uint8_t value[32];
        uint8_t nonce_bytes[32];
        open_run(&r);
        r.evidence = file(&r, files[i]);
        assert_true(tpm_decode(r.evidence, &r.arena, &e, &r.err));
        assert_true(atls_hex_fixed(atls_bytes_str(nonce), nonce_bytes, 32));
        const atls_bytes parts[] = {e.user_data, atls_bytes_of(nonce_bytes, 32)};
        assert_true(atls_digest(crypto, ATLS_SHA256, parts, 2, value, &r.err));
        const char *hex = atls_hex_text(atls_bytes_of(value, 32), &r.arena, &r.err);
        expect(&r, appraise(&r, QEMU_POLICY, hex, "2026-11-01T12:00:00Z"), i == 0 ? "OK" : "REPORT_DATA_MISMATCH",
               i == 0 ? "" : "quote.extra_data");
        atls_arena_free(&r.arena);
    }
}

/* Replay is the same with changed data; the event is no longer verified, and it is the only one. */
static void test_qemu_event_data(void **state)
{
    run good;
    run bad;
    size_t n_different = 0;
    (void)state;
    open_run(&good);
    open_run(&bad);
    good.evidence = file(&good, "constellation/qemu_vtpm_doc.json");
    bad.evidence = file(&bad, "constellation/qemu_vtpm_doc_event_data_changed.json");
    expect(&good, appraise(&good, QEMU_POLICY, QEMU_VALUE, "2026-11-01T12:00:00Z"), "OK", "");
    expect(&bad, appraise(&bad, QEMU_POLICY, QEMU_VALUE, "2026-11-01T12:00:00Z"), "OK", "");
    const atls_tpm_claims *a = &good.result.claims.tpm;
    const atls_tpm_claims *b = &bad.result.claims.tpm;
    assert_true(a->log_replayed && b->log_replayed && a->n_events == b->n_events && a->n_events > 0);
    for (size_t i = 0; i < a->n_events; i++) {
        if (!atls_bytes_equal(a->events[i].data, b->events[i].data)) {
            assert_true(a->events[i].verified && !b->events[i].verified);
            n_different++;
        } else {
            assert_int_equal(a->events[i].verified, b->events[i].verified);
        }
    }
    assert_int_equal(n_different, 1);
    atls_arena_free(&good.arena);
    atls_arena_free(&bad.arena);
}

/* Every SHA-256 register of the manifest, as claimed. */
static void test_qemu_registers(void **state)
{
    run r;
    const atls_json *top;
    (void)state;
    open_run(&r);
    r.evidence = file(&r, "constellation/qemu_vtpm_doc.json");
    expect(&r, appraise(&r, QEMU_POLICY, QEMU_VALUE, "2026-11-01T12:00:00Z"), "OK", "");
    const atls_tpm_claims *c = &r.result.claims.tpm;
    assert_int_equal(c->pcr_mask, 0xffffff);
    assert_true(atls_json_parse(file(&r, "constellation/manifest.json"), "", &r.arena, &top, &r.err));
    for (const atls_json *v = atls_json_find(atls_json_find(top, "qemu_vtpm"), "pcrs_sha256")->child; v != NULL;
         v = v->next) {
        const size_t i = (size_t)strtoul((const char *)v->name.ptr, NULL, 10);
        assert_true(atls_bytes_equal_str(v->text, atls_hex_text(c->pcr[i], &r.arena, &r.err)));
    }
    assert_true(atls_bytes_equal(c->ak, file(&r, "constellation/qemu_vtpm.ak_pub.tpmt")));
    assert_true(r.result.runtime_verified && r.result.insecure && r.result.simulated_or_test_root);
    atls_arena_free(&r.arena);
}

/* The caller answers for the key. */
static bool say_yes(void *ctx, const atls_key_question *q, atls_arena *arena, const char **label, atls_error *err)
{
    (void)arena;
    (void)err;
    ++*(int *)ctx;
    assert_int_equal(q->platform, ATLS_PLATFORM_TPM);
    assert_int_equal(q->spki.len, 294);
    *label = "test";
    return true;
}

static bool say_no(void *ctx, const atls_key_question *q, atls_arena *arena, const char **label, atls_error *err)
{
    (void)ctx;
    (void)q;
    (void)arena;
    (void)label;
    return atls_fail(err, ATLS_E_IO, "api", "the service does not answer");
}

static void test_qemu_caller(void **state)
{
    (void)state;
    for (int yes = 0; yes < 2; yes++) {
        run r;
        int asked = 0;
        atls_policy *policy;
        atls_verifier *verifier;
        open_run(&r);
        atls_appraisal in = {.evidence = file(&r, "constellation/qemu_vtpm_doc.json"),
                             .event_log = atls_bytes_empty(),
                             .binding = {.profile = ""},
                             .now = at("2026-11-01T12:00:00Z"),
                             .trust_key = yes ? say_yes : say_no,
                             .trust_key_ctx = &asked};
        assert_true(atls_policy_parse(atls_bytes_str("{\"type\":\"tpm\",\"pcrs\":{\"4\":\"" QEMU_PCR4 "\"}}"), &policy,
                                      &r.err));
        assert_true(atls_verifier_new(policy, &verifier, &r.err));
        const bool ok = again_appraise(verifier, &in, &r.arena, &r.result, &r.err);
        expect(&r, ok, yes ? "OK" : "IO", yes ? "" : "api");
        assert_int_equal(asked, yes);
        assert_true(!yes || r.result.claims.tpm.trust == ATLS_TPM_TRUST_CALLER);
        atls_verifier_free(verifier);
        atls_policy_free(policy);
        atls_arena_free(&r.arena);
    }
}

static void add_tests(tap_list *l)
{
    for (size_t i = 0; i < sizeof qemu_rows / sizeof qemu_rows[0]; i++) {
        tap_add(l, qemu_rows[i].name, test_qemu, &qemu_rows[i]);
    }
    tap_add(l, "qemu_vtpm: user data and nonce", test_qemu_user_data, NULL);
    tap_add(l, "qemu_vtpm: changed event data is not verified", test_qemu_event_data, NULL);
    tap_add(l, "qemu_vtpm: registers", test_qemu_registers, NULL);
    tap_add(l, "qemu_vtpm: the caller vouches", test_qemu_caller, NULL);
}

int main(void)
{
    return run_vectors("tpm documents", "constellation/manifest.json", "no vectors of constellation here", add_tests);
}
