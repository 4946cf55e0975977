/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of cvm-reverse-proxy become policies of ours: what each type of entry asks for, what is refused, and the real files. */
#include "policy.h"
#include "tap.h"

#include "atls/policy.h"

#define D32  "0123456789abcdef0123456789abcdef"
#define D64  D32 D32
#define D96  D64 D32
#define PCR4 "{\"4\":{\"expected\":\"" D64 "\"}}"

static bool parse(const char *document, atls_policy **out, atls_error *err)
{
    atls_error_clear(err);
    return atls_policy_parse(atls_bytes_str(document), out, err);
}

static const struct {
    const char *type;
    atls_policy_type kind;
    int hardware; /* 0: none */
} variants[] = {
    {"azure-tdx", ATLS_POLICY_TPM, ATLS_POLICY_TDX},
    {"azure-sev-snp", ATLS_POLICY_TPM, ATLS_POLICY_SEV_SNP},
    {"aws-sev-snp", ATLS_POLICY_TPM, ATLS_POLICY_SEV_SNP},
    {"gcp-sev-snp", ATLS_POLICY_TPM, ATLS_POLICY_SEV_SNP},
    {"gcp-sev-es", ATLS_POLICY_TPM, 0},
    {"aws-nitro-tpm", ATLS_POLICY_TPM, 0},
    {"azure-trustedlaunch", ATLS_POLICY_TPM, 0},
    {"qemu-vtpm", ATLS_POLICY_TPM, 0},
};

static void test_variants(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        char document[512];
        atls_policy *p = NULL;
        atls_error err;
        (void)snprintf(document, sizeof document,
                       "[{\"measurement_id\":\"x\",\"attestation_type\":\"%s\",\"measurements\":%s}]", variants[i].type,
                       PCR4);
        assert_true(parse(document, &p, &err));
        assert_int_equal(p->type, ATLS_POLICY_ANY_OF);
        assert_int_equal(p->n_alternatives, 1);
        const atls_policy *inner = p->alternatives[0];
        assert_int_equal(inner->type, variants[i].kind);
        assert_int_equal(inner->hardware == NULL ? 0 : (int)inner->hardware->type, variants[i].hardware);
        assert_int_equal(inner->tpm.pcrs[4].n, 1);
        assert_int_equal(inner->tpm.pcrs[9].n, 0);
        assert_int_equal(p->insecure.n, 0); /* nobody vouches: that is a refusal, never a silent yes */
        atls_policy_free(p);
    }
}

static void test_tdx(void **state)
{
    (void)state;
    static const char *const types[] = {"qemu-tdx", "dcap-tdx"};
    for (size_t i = 0; i < 2; i++) {
        char document[1024];
        atls_policy *p = NULL;
        atls_error err;
        (void)snprintf(document, sizeof document,
                       "[{\"attestation_type\":\"%s\",\"measurements\":{\"0\":{\"expected\":\"" D96 "\"},\"4\":\"" D96
                       "\"}}]",
                       types[i]);
        assert_true(parse(document, &p, &err));
        assert_int_equal(p->alternatives[0]->type, ATLS_POLICY_TDX);
        assert_non_null(atls_policy_reference(p->alternatives[0], "mrtd"));
        assert_non_null(atls_policy_reference(p->alternatives[0], "rtmr3"));
        assert_null(atls_policy_reference(p->alternatives[0], "rtmr0"));
        atls_policy_free(p);
    }
}

static void test_version1(void **state)
{
    (void)state;
    atls_policy *p = NULL;
    atls_error err;
    assert_true(parse("{\"one\":" PCR4 ",\"two\":{\"0\":{\"expected\":\"" D96 "\"}}}", &p, &err));
    assert_int_equal(p->n_alternatives, 2);
    assert_int_equal(p->alternatives[0]->type, ATLS_POLICY_TPM);
    assert_int_equal(p->alternatives[0]->hardware->type, ATLS_POLICY_TDX);
    assert_int_equal(p->alternatives[1]->hardware->type, ATLS_POLICY_TDX); /* whatever the name says */
    atls_policy_free(p);
}

static const char *const refused[] = {
    "[]",
    "[7]",
    "[{\"attestation_type\":\"azure-tdx\"}]",
    "[{\"measurements\":" PCR4 "}]",
    "[{\"attestation_type\":\"none\",\"measurements\":" PCR4 "}]",
    "[{\"attestation_type\":\"dummy\",\"measurements\":" PCR4 "}]",
    "[{\"attestation_type\":\"azure-tdx\",\"measurements\":{}}]",
    "[{\"attestation_type\":\"azure-tdx\",\"measurements\":[]}]",
    "[{\"attestation_type\":\"azure-tdx\",\"measurements\":" PCR4 ",\"more\":1}]",
    "[{\"attestation_type\":\"azure-tdx\",\"measurements\":{\"4\":{\"expected\":\"00\"}}}]",
    "[{\"attestation_type\":\"azure-tdx\",\"measurements\":{\"24\":{\"expected\":\"" D64 "\"}}}]",
    "[{\"attestation_type\":\"dcap-tdx\",\"measurements\":{}}]",
    "[{\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"5\":{\"expected\":\"" D96 "\"}}}]",
    "[{\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"0\":{\"expected\":\"" D64 "\"}}}]",
    "[{\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"0\":{\"expected\":\"" D96 "\",\"warnOnly\":true}}}]",
    "[{\"attestation_type\":\"dcap-tdx\",\"measurements\":{\"0\":{}}}]",
    "{\"one\":{}}",
    "{\"one\":" PCR4 ",\"two\":{}}",
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        atls_policy *p = NULL;
        atls_error err;
        if (parse(refused[i], &p, &err)) {
            fail_msg("%s", refused[i]);
        }
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_null(p);
    }
}

static void test_real(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        size_t n;
    } files[] = {{"proxy_measurements_v2.json", 3}, {"proxy_measurements_v1.json", 2}};
    static char text[65536];
    const char *vectors = getenv("ATLS_VECTORS");
    for (size_t i = 0; i < 2; i++) {
        char path[512];
        atls_policy *p = NULL;
        atls_error err;
        (void)snprintf(path, sizeof path, "%s/constellation/%s", vectors == NULL ? "../shared/vectors" : vectors,
                       files[i].file);
        FILE *f = fopen(path, "rb");
        if (f == NULL) {
            skip();
            return;
        }
        text[fread(text, 1, sizeof text - 1, f)] = 0;
        (void)fclose(f);
        assert_true(parse(text, &p, &err));
        assert_int_equal(p->n_alternatives, files[i].n);
        atls_policy_free(p);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "types with a vTPM", test_variants, NULL);
    tap_add(&tests, "types that are a quote", test_tdx, NULL);
    tap_add(&tests, "version 1", test_version1, NULL);
    tap_add(&tests, "what is refused", test_refused, NULL);
    tap_add(&tests, "real files", test_real, NULL);
    return tap_run("verify/measurements", &tests);
}
