/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine evidence through the whole verifier, under policies that somebody could have written. Skips where the vectors are
 * absent. */
#include "again.h"
#include "evidence/vectors.h"
#include "world.h"

#define MRTD         "b24d3b24e9e3c16012376b52362ca09856c4adecb709d5fac33addf1c47e193da075b125b6c364115771390a5461e217"
#define RTMR0        "2e3843265f8ecdd4e2282694747f6f2f111605c33f2a8882f5734ee6f3a6ce63d8f34aeef06093dcda76fa5f9d33d8d6"
#define RTMR1        "a1b79d76021970f57c45c4a7c395f780bab37011a4df27fe44e8559bd1abb4d6e52f12f866d1d08405448eb797a5970f"
#define RTMR2        "1e31b59d605df7ee8160cf7966be9bafa6d0e1905de7e09695a24cd9748e71a603a51fae1297619fa0c30517addbcd07"
#define COMPOSE_HASH "3763bc34552cf3a27ff71ad5f7a90471562a1a2df552dfc1998cba2d60da27e7"
#define ANY_HASH     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DSTACK                                                                                                         \
    "{\"type\":\"dstack_tdx\",\"expected_bootchain\":{\"mrtd\":\"" MRTD "\",\"rtmr0\":\"" RTMR0                        \
    "\",\"rtmr1\":\"" RTMR1 "\",\"rtmr2\":\"" RTMR2 "\"},\"app_compose_hash\":\"" COMPOSE_HASH                         \
    "\",\"os_image_hash\":\"" ANY_HASH "\""
#define MRENCLAVE "33d8736db756ed4997e04ba358d27833188f1932ff7b1d156904d3f560452fbb"

#define MARCH_2026 ((atls_time)1772323200) /* 2026-03-01T00:00:00Z */
#define JULY_2025  ((atls_time)1751328000) /* 2025-07-01T00:00:00Z */
#define Y2023      ((atls_time)1672531200) /* 2023-01-01T00:00:00Z */

typedef struct row {
    const char *name;
    const char *evidence; /* a quote, or a guest's answer when it ends in .json */
    const char *bundle;
    const char *root; /* NULL: the vendor's */
    atls_time now;
    const char *policy;
    bool leaf; /* some certificate is known */
    atls_code code;
    const char *field;
} row;

#define V5     "dcap/tdx-v5-90c06f/"
#define V4     "dcap/tdx-v4-b0c06f/"
#define SGX    "dcap/sgx-v3-processor/"
#define SAMPLE "dcap/intel-sample-sgx-v3-type1/"
#define GUEST  "dcap/dstack-full-log/getquote.json"

/* clang-format off */
static const row rows[] = {
    {"guest: a complete policy, and a certificate that was never measured", GUEST, V5 "collateral.json", NULL, MARCH_2026,
     DSTACK "}", true, ATLS_E_CERTIFICATE_NOT_IN_EVENT_LOG, "event_log.New TLS Certificate"},
    {"guest: certificate waived, no image in the log", GUEST, V5 "collateral.json", NULL, MARCH_2026,
     DSTACK ",\"insecure_skip_certificate_event\":true}", true, ATLS_E_OS_IMAGE_HASH_MISMATCH, "event_log.os-image-hash"},
    {"guest: offline, no image in the log", GUEST, V5 "collateral.json", NULL, MARCH_2026, DSTACK "}", false,
     ATLS_E_OS_IMAGE_HASH_MISMATCH, "event_log.os-image-hash"},
    {"guest: runtime verification off", GUEST, V5 "collateral.json", NULL, MARCH_2026,
     DSTACK ",\"disable_runtime_verification\":true}", false, ATLS_OK, ""},
    {"guest: as tdx, with its log", GUEST, V5 "collateral.json", NULL, MARCH_2026,
     "{\"type\":\"tdx\",\"mrtd\":\"" MRTD "\",\"rtmr1\":[\"" RTMR0 "\",\"" RTMR1 "\"],\"require_event_log\":true,"
     "\"fmspc\":\"90C06F000000\"}", false, ATLS_OK, ""},
    {"guest: endorsements too old by then", GUEST, V5 "collateral.json", NULL, MARCH_2026 + 86400 * (atls_time)365,
     "{\"type\":\"tdx\"}", false, ATLS_E_EXPIRED, NULL},
    {"TD report 1.5", V5 "quote.bin", V5 "collateral.json", NULL, MARCH_2026, "{\"type\":\"tdx\"}", false, ATLS_OK, ""},
    {"TD report 1.0", V4 "quote-uptodate.bin", V4 "collateral.json", NULL, JULY_2025, "{\"type\":\"tdx\"}", false, ATLS_OK, ""},
    {"TD below every level", V4 "quote-unsupported.bin", V4 "collateral.json", NULL, JULY_2025, "{\"type\":\"tdx\"}", false,
     ATLS_E_TCB_NOT_SUPPORTED, NULL},
    {"enclave: status not allowed", SGX "quote.bin", SGX "collateral.json", NULL, JULY_2025,
     "{\"type\":\"sgx\",\"mrenclave\":\"" MRENCLAVE "\"}", false, ATLS_E_TCB_STATUS_NOT_ALLOWED, "tcb.status"},
    {"enclave: status allowed", SGX "quote.bin", SGX "collateral.json", NULL, JULY_2025,
     "{\"type\":\"sgx\",\"mrenclave\":\"" MRENCLAVE "\",\"allowed_tcb_status\":[\"ConfigurationAndSWHardeningNeeded\"]}",
     false, ATLS_OK, ""},
    {"enclave: an advisory that is refused", SGX "quote.bin", SGX "collateral.json", NULL, JULY_2025,
     "{\"type\":\"sgx\",\"allowed_tcb_status\":[\"ConfigurationAndSWHardeningNeeded\"],"
     "\"rejected_advisories\":[\"INTEL-SA-00615\"]}", false, ATLS_E_ADVISORY_NOT_ALLOWED, "tcb.advisories"},
    {"enclave for a policy about TDs", SGX "quote.bin", SGX "collateral.json", NULL, JULY_2025,
     "{\"type\":\"tdx\",\"allowed_tcb_status\":[\"ConfigurationAndSWHardeningNeeded\"]}", false, ATLS_E_TEE_TYPE_MISMATCH,
     "quote.header.tee_type"},
    {"a sample's own root, named", SAMPLE "quote.bin", SAMPLE "collateral.json", SAMPLE "test-root-ca.der", Y2023,
     "{\"type\":\"sgx\",\"insecure_allow_debug\":true}", false, ATLS_OK, ""},
    {"a sample's own root, not named", SAMPLE "quote.bin", SAMPLE "collateral.json", NULL, Y2023,
     "{\"type\":\"sgx\",\"insecure_allow_debug\":true}", false, ATLS_E_PCK_CHAIN, NULL},
};
/* clang-format on */

static bool take_evidence(const row *r, atls_arena *a, atls_appraisal *in)
{
    atls_dstack_response response;
    atls_error err = {0};
    atls_bytes file;
    if (!vectors_read(r->evidence, a, &file)) {
        return false;
    }
    in->evidence = file;
    in->event_log = atls_bytes_empty();
    if (strstr(r->evidence, ".json") != NULL) {
        assert_true(atls_dstack_response_decode(file, a, &response, &err));
        in->evidence = response.quote;
        in->event_log = response.event_log;
    }
    return true;
}

static void appraise(const row *r, atls_arena *a, const atls_appraisal *in, const atls_bytes *root)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    atls_result result;
    atls_error err = {0};
    assert_true(atls_policy_parse_with_roots(atls_bytes_str(r->policy), root, r->root != NULL ? 1 : 0, &policy, &err));
    assert_true(atls_verifier_new(policy, &verifier, &err));
    const bool ok = again_appraise(verifier, in, a, &result, &err);
    if (err.code != r->code) {
        char line[640];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("expected %s, got %s", atls_code_name(r->code), line);
    }
    if (r->field != NULL) {
        assert_string_equal(err.field, r->field);
    }
    assert_int_equal(result.verdict, ok ? ATLS_VERDICT_ACCEPTED : ATLS_VERDICT_REJECTED);
    if (ok) {
        assert_int_equal(result.simulated_or_test_root, r->root != NULL);
    }
    for (size_t i = 0; i < result.n_checks; i++) {
        world_assert_documented(result.checks[i].id);
    }
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_arena arena;
    atls_error err = {0};
    atls_bytes bundle;
    atls_bytes root = atls_bytes_empty();
    atls_appraisal in = {.now = r->now, .endorse = atls_endorsements_from_bundle_fn, .endorse_ctx = &bundle};
    in.binding.has_leaf_sha256 = r->leaf;
    assert_true(atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err));
    if (!take_evidence(r, &arena, &in) || !vectors_read(r->bundle, &arena, &bundle)
        || (r->root != NULL && !vectors_read(r->root, &arena, &root))) {
        atls_arena_free(&arena);
        skip();
    }
    appraise(r, &arena, &in, &root);
    atls_arena_free(&arena);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("verify/real", &tests);
}
