/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: offline bundles both ways. */
#include "atls/endorse.h"
#include "tests/base/check.h"

#define REST                                                                                                           \
    "\"root_ca_crl\":\"3001\",\"pck_crl\":\"30FF\",\"tcb_info_issuer_chain\":\"a\\nb\\n\",\"tcb_info\":\"{\\\"x\\\":"  \
    "1}\","                                                                                                            \
    "\"tcb_info_signature\":\"s\",\"qe_identity_issuer_chain\":\"c\",\"qe_identity\":\"{\\\"id\\\":\\\"TD_QE\\\"}\","  \
    "\"qe_identity_signature\":\"t\""
#define HONEST "{\"pck_crl_issuer_chain\":\"p\"," REST "}"

static atls_endorsements must_read(const char *text)
{
    atls_endorsements e;
    atls_error err = {.code = ATLS_OK};
    if (!atls_endorsements_from_bundle(atls_bytes_str(text), check_arena(), &e, &err)) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("%s", line);
    }
    return e;
}

static void check_text(atls_bytes value, const char *text)
{
    assert_non_null(value.ptr);
    assert_true(atls_bytes_equal_str(value, text));
}

static void test_read(void **state)
{
    atls_endorsements e = must_read(HONEST);
    (void)state;
    assert_int_equal(e.platform, ATLS_PLATFORM_TDX);
    check_text(e.dcap.pck_crl_issuer_chain, "p");
    check_text(e.dcap.root_ca_crl, "0\x01");
    check_text(e.dcap.pck_crl, "0\xff");
    check_text(e.dcap.tcb_info_issuer_chain, "a\nb\n");
    check_text(e.dcap.tcb_info, "{\"x\":1}");
    check_text(e.dcap.tcb_info_signature, "s");
    check_text(e.dcap.qe_identity_issuer_chain, "c");
    check_text(e.dcap.qe_identity, "{\"id\":\"TD_QE\"}");
    check_text(e.dcap.qe_identity_signature, "t");
    check_text(e.dcap.pck_certificate_chain, "");
}

static void test_optional(void **state)
{
    (void)state;
    check_text(must_read("{" REST "}").dcap.pck_crl_issuer_chain, "");
    check_text(must_read("{\"pck_certificate_chain\":null," REST "}").dcap.pck_certificate_chain, "");
    check_text(must_read("{\"pck_certificate_chain\":\"pem\",\"news\":[{}]," REST "}").dcap.pck_certificate_chain,
               "pem");
}

static void test_platform(void **state)
{
    atls_bytes text = atls_bytes_str(HONEST);
    atls_endorsement_request request = {.platform = ATLS_PLATFORM_SGX};
    atls_endorsements e;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_endorsements_from_bundle_fn(&text, &request, check_arena(), &e, &err));
    assert_int_equal(e.platform, ATLS_PLATFORM_SGX); /* what was asked for; the documents decide in the end */
}

static void test_write(void **state)
{
    atls_endorsements e = must_read(HONEST);
    static uint8_t block[64 * 1024];
    atls_arena a;
    atls_bytes out;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    atls_arena_init(&a, block, sizeof block);
    assert_true(atls_endorsements_to_bundle(&e, &a, &out, &err));
    check_text(out, "{\"pck_crl_issuer_chain\":\"p\",\"root_ca_crl\":\"3001\",\"pck_crl\":\"30ff\","
                    "\"tcb_info_issuer_chain\":\"a\\u000ab\\u000a\",\"tcb_info\":\"{\\\"x\\\":1}\","
                    "\"tcb_info_signature\":\"s\",\"qe_identity_issuer_chain\":\"c\","
                    "\"qe_identity\":\"{\\\"id\\\":\\\"TD_QE\\\"}\",\"qe_identity_signature\":\"t\"}");
}

static void test_write_without_memory(void **state)
{
    atls_endorsements e = must_read(HONEST);
    static uint8_t block[64];
    atls_arena a;
    atls_bytes out;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    atls_arena_init(&a, block, sizeof block);
    assert_false(atls_endorsements_to_bundle(&e, &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

typedef struct row {
    const char *name;
    const char *text;
    const char *field;
} row;

static const row rows[] = {
    {"no JSON", "pck_crl", "bundle"},
    {"empty", "", "bundle"},
    {"an array", "[]", "bundle"},
    {"nothing in it", "{}", "root_ca_crl"},
    {"a member missing", "{\"root_ca_crl\":\"\",\"pck_crl\":\"\",\"tcb_info_issuer_chain\":\"\"}", "tcb_info"},
    {"a document as object", "{\"tcb_info\":{},\"root_ca_crl\":\"\",\"pck_crl\":\"\",\"tcb_info_issuer_chain\":\"\"}",
     "tcb_info"},
    {"a list that is null", "{\"root_ca_crl\":null}", "root_ca_crl"},
    {"a list that is not hex", "{\"root_ca_crl\":\"30 82\"}", "root_ca_crl"},
    {"a list of odd length", "{\"root_ca_crl\":\"308\"}", "root_ca_crl"},
    {"a chain that is a number", "{\"pck_crl_issuer_chain\":1," REST "}", "pck_crl_issuer_chain"},
    {"a PCK chain that is a number", "{\"pck_certificate_chain\":1," REST "}", "pck_certificate_chain"},
    {"a member twice", "{\"pck_crl\":\"\"," REST "}", "bundle"},
    {"trailing text", HONEST "x", "bundle"},
};

static void test_refusal(void **state)
{
    const row *r = *state;
    atls_endorsements e = {.platform = ATLS_PLATFORM_TDX};
    atls_error err = {.code = ATLS_OK};
    assert_false(atls_endorsements_from_bundle(atls_bytes_str(r->text), check_arena(), &e, &err));
    check_error(&err, ATLS_E_COLLATERAL_FORMAT, r->field);
    assert_int_equal(e.platform, ATLS_PLATFORM_NONE);
}

static void test_too_long(void **state)
{
    uint8_t *text = malloc(24u * 1024 * 1024 + 1);
    atls_endorsements e;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_non_null(text);
    memset(text, ' ', 24u * 1024 * 1024 + 1);
    assert_false(atls_endorsements_from_bundle(atls_bytes_of(text, 24u * 1024 * 1024 + 1), check_arena(), &e, &err));
    check_error(&err, ATLS_E_COLLATERAL_FORMAT, "bundle");
    free(text);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "read", test_read, NULL);
    tap_add(&l, "optional members may be missing or null", test_optional, NULL);
    tap_add(&l, "a fetched bundle is for what was asked", test_platform, NULL);
    tap_add(&l, "written in the order of the format", test_write, NULL);
    tap_add(&l, "written without memory", test_write_without_memory, NULL);
    for (size_t i = 0; i < COUNT(rows); i++) {
        tap_add(&l, rows[i].name, test_refusal, &rows[i]);
    }
    tap_add(&l, "longer than the limit", test_too_long, NULL);
    return tap_run("bundle", &l);
}
