/* SPDX-License-Identifier: Apache-2.0 */
/* The object that a policy document becomes: every member arrives where the formats look for it, and the bounds hold. */
#include "tap.h"

#include "base/limits.h"
#include "documents.h"
#include "policy.h"

/* ---- what the members become ---- */

static atls_policy *parse(const char *document)
{
    atls_policy *p = NULL;
    atls_error err = {0};
    if (!atls_policy_parse(atls_bytes_str(document), &p, &err)) {
        fail_msg("%s: %s", err.field, err.message);
    }
    return p;
}

static void test_defaults(void **state)
{
    (void)state;
    atls_policy *p = parse(DSTACK(""));
    assert_string_equal(atls_policy_kind(p), "dstack_tdx");
    for (size_t i = 0; i < ATLS_N_TCB_STATUSES; i++) {
        assert_int_equal(p->allowed_status[i], i == ATLS_TCB_UP_TO_DATE);
    }
    assert_int_equal(p->n_anchors, 1);
    assert_ptr_equal(p->anchors, atls_anchor_intel_sgx());
    assert_false(p->has_grace_period);
    assert_false(p->has_min_grade);
    assert_int_equal(atls_policy_min_grade(p), ATLS_GRADE_EXPORTER);
    assert_false(atls_policy_attested_only(p));
    assert_int_equal(atls_policy_insecure(p).n, 0);
    assert_true(atls_bytes_equal_str(p->dstack.pccs_url, "https://pccs.phala.network/tdx/certification/v4"));
    assert_false(p->dstack.cache_collateral);
    assert_false(p->dstack.disable_runtime_verification);
    assert_true(p->dstack.has_bootchain && p->dstack.has_compose_hash && p->dstack.has_os_image_hash);
    assert_int_equal(p->dstack.bootchain[3][47], 0xaa);
    atls_policy_free(p);
}

/* null and empty fall back to Intel's own service, which is the empty value */
static void test_pccs_fallback(void **state)
{
    (void)state;
    atls_policy *p = parse(DEV(",\"pccs_url\":null"));
    assert_int_equal(p->dstack.pccs_url.len, 0);
    atls_policy_free(p);
    p = parse(DEV(",\"pccs_url\":\"\""));
    assert_int_equal(p->dstack.pccs_url.len, 0);
    atls_policy_free(p);
    p = parse(DEV(",\"pccs_url\":\"https://pccs.example.org\""));
    assert_true(atls_bytes_equal_str(p->dstack.pccs_url, "https://pccs.example.org"));
    atls_policy_free(p);
}

/* a list replaces the default, it does not add to it */
static void test_statuses_replace_the_default(void **state)
{
    (void)state;
    atls_policy *p = parse(TDX(",\"allowed_tcb_status\":[\"SWHardeningNeeded\"]"));
    assert_false(p->allowed_status[ATLS_TCB_UP_TO_DATE]);
    assert_true(p->allowed_status[ATLS_TCB_SW_HARDENING_NEEDED]);
    atls_policy_free(p);
}

static void test_references(void **state)
{
    (void)state;
    uint8_t value[48];
    atls_policy *p = parse(TDX(",\"mrtd\":[\"" A96 "\",\"" B96 "\"],\"pceid\":\"0102\""));
    const atls_reference *mrtd = atls_policy_reference(p, "mrtd");
    assert_non_null(mrtd);
    assert_int_equal(mrtd->n, 2);
    memset(value, 0xaa, sizeof value);
    assert_true(atls_reference_matches(mrtd, value));
    memset(value, 0xbb, sizeof value);
    assert_true(atls_reference_matches(mrtd, value));
    value[47] ^= 1;
    assert_false(atls_reference_matches(mrtd, value));
    assert_true(atls_reference_matches(atls_policy_reference(p, "pceid"), (const uint8_t *)"\x01\x02"));
    assert_null(atls_policy_reference(p, "rtmr0"));
    atls_policy_free(p);
}

static void test_insecure_in_document_order(void **state)
{
    (void)state;
    atls_policy *p = parse(DEV(",\"insecure_td_attributes_mask\":\"0000000020000080\",\"insecure_allow_debug\":false,"
                               "\"insecure_skip_certificate_event\":true"));
    const atls_text_list weak = atls_policy_insecure(p);
    assert_int_equal(weak.n, 3);
    assert_string_equal(weak.items[0], "disable_runtime_verification");
    assert_string_equal(weak.items[1], "insecure_td_attributes_mask");
    assert_string_equal(weak.items[2], "insecure_skip_certificate_event");
    assert_false(p->insecure_allow_debug);
    /* little-endian, as in the report: byte 4 is bits 32 to 39 */
    assert_true(p->insecure_td_attributes_mask == (UINT64_C(1) << 37 | UINT64_C(1) << 63));
    atls_policy_free(p);
}

static void test_numbers_and_lists(void **state)
{
    (void)state;
    atls_policy *p = parse(TDX(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":253402300799,"
                               "\"min_tcb_evaluation_data_number\":4294967295,\"accepted_advisories\":[],"
                               "\"rejected_advisories\":[\"INTEL-SA-1\",\"INTEL-SA-2\"],\"min_grade\":\"none\","
                               "\"min_tee_tcb_svn\":\"000102030405060708090a0b0c0d0e0f\",\"attested_only\":true"));
    assert_true(p->has_grace_period && p->grace_period_s == INT64_C(253402300799));
    assert_true(p->has_min_tcb_evaluation_data_number && p->min_tcb_evaluation_data_number == UINT32_MAX);
    assert_true(p->has_accepted_advisories);
    assert_int_equal(p->accepted_advisories.n, 0);
    assert_int_equal(p->rejected_advisories.n, 2);
    assert_string_equal(p->rejected_advisories.items[1], "INTEL-SA-2");
    assert_true(p->has_min_grade);
    assert_int_equal(atls_policy_min_grade(p), ATLS_GRADE_NONE);
    assert_true(p->has_min_tee_tcb_svn);
    assert_int_equal(p->min_tee_tcb_svn[15], 15);
    assert_true(atls_policy_attested_only(p));
    atls_policy_free(p);
}

static void test_pins(void **state)
{
    (void)state;
    atls_policy *p = parse(DEV(",\"app_id\":\"" A40 "\",\"key_provider\":{\"id\":\"k1\"}"));
    assert_int_equal(p->dstack.app_id.len, 20);
    assert_int_equal(p->dstack.instance_id.len, 0);
    assert_int_equal(p->dstack.key_provider_name.len, 0);
    assert_true(atls_bytes_equal_str(p->dstack.key_provider_id, "k1"));
    atls_policy_free(p);
}

/* three ways to name one application give one hash; the text is hashed as it is, the object as the guest's tools print
 * it */
static void test_compose_forms_agree(void **state)
{
    (void)state;
    uint8_t hash[32];
    atls_policy *p = parse(DEV(",\"app_compose\":{ \"b\" : 1, \"a\" : [ true, null ] }"));
    memcpy(hash, p->dstack.compose_hash, sizeof hash);
    atls_policy_free(p);
    /* printf '{"b":1,"a":[true,null]}' | sha256sum */
    assert_memory_equal(hash, "\x37\xf0\x89\xb7\xfd\xf4\xe6\x66\x67\x17\x65\xbe\x1e\xcd\xdc\x11", 16);
    p = parse(DEV(",\"app_compose_raw\":\"{\\\"b\\\":1,\\\"a\\\":[true,null]}\""));
    assert_memory_equal(p->dstack.compose_hash, hash, sizeof hash);
    atls_policy_free(p);
    p = parse(DEV(",\"app_compose_raw\":\"{ \\\"b\\\":1,\\\"a\\\":[true,null]}\""));
    assert_memory_not_equal(p->dstack.compose_hash, hash, sizeof hash);
    atls_policy_free(p);
}

static void test_roots(void **state)
{
    (void)state;
    atls_policy *p = parse(TDX(",\"trusted_roots\":[\"" A64 "\",\"" INTEL_ROOT "\",\"" A64 "\"]"));
    assert_int_equal(p->n_anchors, 2); /* named twice, kept once */
    assert_int_equal(p->anchors[0].sha256[31], 0xaa);
    assert_false(p->anchors[0].production);
    assert_false(p->anchors[0].self_checked);
    assert_true(p->anchors[1].production); /* the vendor's stays the vendor's */
    atls_policy_free(p);
}

static void test_too_many_roots(void **state)
{
    (void)state;
    char document[8192];
    size_t n = (size_t)snprintf(document, sizeof document, "{\"type\":\"tdx\",\"trusted_roots\":[");
    for (unsigned i = 0; i < 65; i++) {
        n +=
            (size_t)snprintf(document + n, sizeof document - n, "%s\"%02x%s\"", i == 0 ? "" : ",", i, A40 A16 "aaaaaa");
    }
    (void)snprintf(document + n, sizeof document - n, "]}");
    atls_policy *p = NULL;
    atls_error err = {0};
    assert_false(atls_policy_parse(atls_bytes_str(document), &p, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "trusted_roots[64]");
}

static void test_roots_next_to_the_document(void **state)
{
    (void)state;
    atls_policy *p = NULL;
    atls_error err = {0};
    const atls_bytes garbage = atls_bytes_str("no certificate");
    assert_false(atls_policy_parse_with_roots(atls_bytes_str(TDX("")), &garbage, 1, &p, &err));
    assert_null(p);
    assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    static uint8_t big[8 * 1024 + 1];
    const atls_bytes too_big = atls_bytes_of(big, sizeof big);
    err = (atls_error){0};
    assert_false(atls_policy_parse_with_roots(atls_bytes_str(TDX("")), &too_big, 1, &p, &err));
    assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    assert_string_equal(err.field, "trusted_roots");
}

/* ---- bounds ---- */

/* The longest document that is read, full of reference values, fits the policy's own memory. */
static void test_longest_document(void **state)
{
    (void)state;
    const size_t size = ATLS_MAX_POLICY_LEN;
    char *document = malloc(size + 2);
    assert_non_null(document);
    size_t n = (size_t)snprintf(document, size, "{\"type\":\"tdx\"");
    static const char *const names[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3", "mrseam", "mrowner"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        n += (size_t)snprintf(document + n, size - n, ",\"%s\":[", names[k]);
        for (size_t i = 0; i < ATLS_MAX_POLICY_LIST; i++) {
            n += (size_t)snprintf(document + n, size - n, "%s\"%s\"", i == 0 ? "" : ",", A96);
        }
        n += (size_t)snprintf(document + n, size - n, "]");
    }
    n += (size_t)snprintf(document + n, size - n, ",\"description\":\"");
    memset(document + n, 'd', size - n);
    memcpy(document + size - 2, "\"}", 2);
    atls_policy *p = NULL;
    atls_error err = {0};
    assert_true(atls_policy_parse(atls_bytes_of(document, size), &p, &err));
    atls_policy_free(p);
    document[size] = ' ';
    assert_false(atls_policy_parse(atls_bytes_of(document, size + 1), &p, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_string_equal(err.field, "policy");
    free(document);
}

static void test_list_of_1025(void **state)
{
    (void)state;
    char *document = malloc(65536);
    assert_non_null(document);
    size_t n = (size_t)snprintf(document, 65536, "{\"type\":\"tdx\",\"pceid\":[");
    for (size_t i = 0; i <= ATLS_MAX_POLICY_LIST; i++) {
        n += (size_t)snprintf(document + n, 65536 - n, "%s\"0000\"", i == 0 ? "" : ",");
    }
    (void)snprintf(document + n, 65536 - n, "]}");
    atls_policy *p = NULL;
    atls_error err = {0};
    assert_false(atls_policy_parse(atls_bytes_str(document), &p, &err));
    assert_string_equal(err.field, "pceid");
    free(document);
}

/* No proper prefix of a document is a document. */
static void test_prefixes(void **state)
{
    (void)state;
    static const char document[] = DSTACK(",\"allowed_tcb_status\":[\"UpToDate\"]");
    for (size_t n = 0; n < sizeof document - 1; n++) {
        char *exact = malloc(n + 1); /* so that a sanitizer sees an over-read */
        assert_non_null(exact);
        memcpy(exact, document, n);
        atls_policy *p = NULL;
        atls_error err = {0};
        assert_false(atls_policy_parse(atls_bytes_of(exact, n), &p, &err));
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        free(exact);
    }
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "defaults of a dstack document", test_defaults, NULL);
    tap_add(&tests, "pccs_url null or empty is Intel's", test_pccs_fallback, NULL);
    tap_add(&tests, "a list of statuses replaces the default", test_statuses_replace_the_default, NULL);
    tap_add(&tests, "reference values match any of their list", test_references, NULL);
    tap_add(&tests, "what weakens is listed in document order", test_insecure_in_document_order, NULL);
    tap_add(&tests, "numbers and lists arrive", test_numbers_and_lists, NULL);
    tap_add(&tests, "pins arrive", test_pins, NULL);
    tap_add(&tests, "the forms of app_compose agree", test_compose_forms_agree, NULL);
    tap_add(&tests, "roots replace the vendor's", test_roots, NULL);
    tap_add(&tests, "the 65th root", test_too_many_roots, NULL);
    tap_add(&tests, "roots given next to the document", test_roots_next_to_the_document, NULL);
    tap_add(&tests, "the longest document fits", test_longest_document, NULL);
    tap_add(&tests, "a list of 1025 values", test_list_of_1025, NULL);
    tap_add(&tests, "no prefix of a document is one", test_prefixes, NULL);
    return tap_run("verify/policy_object", &tests);
}
