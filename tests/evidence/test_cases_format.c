/* SPDX-License-Identifier: Apache-2.0 */
/* test_cases_format.c: cases A: malformed quotes are refused as QUOTE_FORMAT, with the field that is wrong; harmless
 * variants are accepted. DCAP section 2. */
#include "cases.h"

#include <string.h>

#define SGX       SIM_SGX_V3
#define V4        SIM_TDX_V4
#define V5        SIM_TDX_V5
#define EXTERNAL  "chain.pck=pck,platform_ca,root"
#define ALLOW_SGX "policy.allow_sgx_quote_v4_v5=true"

static bool no_trailing(const atls_result *r)
{
    return r->claims.dcap.trailing_len == 0 && r->claims.dcap.qe_auth_data_len == 32;
}

static bool trailing_5(const atls_result *r)
{
    return r->claims.dcap.trailing_len == 5;
}

static bool trailing_64k(const atls_result *r)
{
    return r->claims.dcap.trailing_len == 65536;
}

static bool version_4(const atls_result *r)
{
    return r->claims.dcap.quote_version == 4 && !r->claims.dcap.is_tdx;
}

static bool version_5(const atls_result *r)
{
    return r->claims.dcap.quote_version == 5 && !r->claims.dcap.is_tdx;
}

static bool td15(const atls_result *r)
{
    return r->claims.dcap.quote_version == 5 && r->claims.dcap.td.is_15;
}

static bool td10(const atls_result *r)
{
    return r->claims.dcap.quote_version == 5 && !r->claims.dcap.td.is_15;
}

static bool auth_0(const atls_result *r)
{
    return r->claims.dcap.qe_auth_data_len == 0;
}

static bool auth_4096(const atls_result *r)
{
    return r->claims.dcap.qe_auth_data_len == 4096;
}

static bool type_3(const atls_result *r)
{
    return r->claims.dcap.certification_data_type == 3;
}

/* clang-format off */
static const sim_case table[] = {
    /* the honest rooms */
    {"base-sgx-v3", SGX, {NULL}, STATUS_ALSO("UpToDate", no_trailing)},
    {"base-tdx-v4", V4, {NULL}, STATUS_ALSO("UpToDate", no_trailing)},
    {"base-tdx-v5-td10", V5, {"quote.body_type=2"}, STATUS_ALSO("UpToDate", td10)},
    {"base-tdx-v5-td15", V5, {NULL}, STATUS_ALSO("UpToDate", td15)},
    {"sgx-v4", SGX, {"quote.version=4"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"sgx-v4-allowed", SGX, {"quote.version=4", ALLOW_SGX}, STATUS_ALSO("UpToDate", version_4)},
    {"sgx-v5-body1", SGX, {"quote.version=5"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"sgx-v5-body1-allowed", SGX, {"quote.version=5", ALLOW_SGX}, STATUS_ALSO("UpToDate", version_5)},
    /* header */
    {"version-0", V4, {"quote.version=0"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"version-1", V4, {"quote.version=1"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"version-2", V4, {"quote.version=2"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"version-6", V4, {"quote.version=6"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"version-255", V4, {"quote.version=255"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"version-65535", V4, {"quote.version=65535"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"key-type-0", V4, {"quote.att_key_type=0"}, REFUSED(QUOTE_FORMAT, "quote.header.att_key_type")},
    {"key-type-1", V4, {"quote.att_key_type=1"}, REFUSED(QUOTE_FORMAT, "quote.header.att_key_type")},
    {"key-type-3", V4, {"quote.att_key_type=3"}, REFUSED(QUOTE_FORMAT, "quote.header.att_key_type")},
    {"key-type-255", V4, {"quote.att_key_type=255"}, REFUSED(QUOTE_FORMAT, "quote.header.att_key_type")},
    {"tee-type-1", V4, {"quote.tee_type=1"}, REFUSED(QUOTE_FORMAT, "quote.header.tee_type")},
    {"tee-type-0x80", V4, {"quote.tee_type=0x80"}, REFUSED(QUOTE_FORMAT, "quote.header.tee_type")},
    {"tee-type-0xffffffff", V4, {"quote.tee_type=0xffffffff"}, REFUSED(QUOTE_FORMAT, "quote.header.tee_type")},
    {"vendor-id", V4, {"quote.qe_vendor_id=00"}, REFUSED(QUOTE_FORMAT, "quote.header.qe_vendor_id")},
    /* TEE and body disagree */
    {"v3-tdx", SGX, {"quote.tee_type=0x81"}, REFUSED(QUOTE_FORMAT, "quote.header.tee_type")},
    {"v5-sgx-body2", V5, {"quote.tee_type=0", "quote.body_type=2"}, REFUSED(QUOTE_FORMAT, "quote.body.type")},
    {"v5-tdx-body1", V5, {"quote.body_type=1"}, REFUSED(QUOTE_FORMAT, "quote.body.type")},
    {"v5-type-0", V5, {"quote.body_type=0"}, REFUSED(QUOTE_FORMAT, "quote.body.type")},
    {"v5-type-4", V5, {"quote.body_type=4"}, REFUSED(QUOTE_FORMAT, "quote.body.type")},
    {"v5-size-383", V5, {"quote.body_size=383"}, REFUSED(QUOTE_FORMAT, "quote.body.size")},
    {"v5-size-585", V5, {"quote.body_size=585"}, REFUSED(QUOTE_FORMAT, "quote.body.size")},
    {"v5-size-647", V5, {"quote.body_size=647"}, REFUSED(QUOTE_FORMAT, "quote.body.size")},
    {"v5-size-0", V5, {"quote.body_size=0"}, REFUSED(QUOTE_FORMAT, "quote.body.size")},
    /* authentication data of another version */
    {"v5-with-v3-auth", V5, {"quote.layout=3"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer.type")},
    {"v4-with-v3-auth", V4, {"quote.layout=3"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer.type")},
    {"v3-with-v4-auth", SGX, {"quote.layout=4"}, REFUSED(QUOTE_FORMAT, "quote.auth.qe_auth_data.size")},
    /* no quote at all */
    {"random-100-bytes", V4, {"raw.quote@0-=*", "raw.quote@0+=100x9d"}, REFUSED(QUOTE_FORMAT, "quote.header.version")},
    {"empty", V4, {"raw.quote@0-=*"}, REFUSED(QUOTE_FORMAT, "quote.header")},
    {"4-bytes", V4, {"raw.quote@4-=*"}, REFUSED(QUOTE_FORMAT, "quote.header")},
    /* lengths that lie */
    {"auth-size-plus-1", V4, {"quote.auth_len=+1"}, REFUSED(QUOTE_FORMAT, "quote.auth.len")},
    {"auth-size-minus-1", V4, {"quote.auth_len=-1"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer")},
    {"auth-size-zero", V4, {"quote.auth_len=0"}, REFUSED(QUOTE_FORMAT, "quote.auth.signature")},
    {"auth-size-0xffffffff", V4, {"quote.auth_len=0xffffffff"}, REFUSED(QUOTE_FORMAT, "quote.auth.len")},
    {"auth-slack-1", V4, {"quote.auth_slack=00"}, REFUSED(QUOTE_FORMAT, "quote.auth")},
    {"auth-slack-1-inner", V4, {"quote.inner_slack=00"}, REFUSED(QUOTE_FORMAT, "quote.auth")},
    {"auth-slack-1-v3", SGX, {"quote.auth_slack=00"}, REFUSED(QUOTE_FORMAT, "quote.auth")},
    {"qe-auth-size-plus-1", V4, {"quote.qe_auth_size=+1"}, REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.type")},
    {"qe-auth-size-minus-1", V4, {"quote.qe_auth_size=-1"},
     REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.type")},
    {"qe-auth-size-0xffff", V4, {"quote.qe_auth_size=0xffff"}, REFUSED(QUOTE_FORMAT, "quote.auth.qe_auth_data.size")},
    {"cert-size-plus-1", V4, {"quote.cert_size=+1"}, REFUSED(QUOTE_FORMAT, "quote.auth.certification_data")},
    {"cert-size-minus-1", V4, {"quote.cert_size=-1"}, REFUSED(QUOTE_FORMAT, "quote.auth")},
    {"cert-size-0xffffffff", V4, {"quote.cert_size=0xffffffff"},
     REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.size")},
    {"cert-size-outer-plus-1", V4, {"quote.outer_size=+1"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer")},
    {"cert-size-outer-minus-1", V4, {"quote.outer_size=-1"}, REFUSED(QUOTE_FORMAT, "quote.auth")},
    {"cert-size-outer-0xffffffff", V4, {"quote.outer_size=0xffffffff"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer")},
    {"outer-type-0", V4, {"quote.outer_type=0"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer.type")},
    {"outer-type-5", V4, {"quote.outer_type=5"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer.type")},
    {"outer-type-7", V4, {"quote.outer_type=7"}, REFUSED(QUOTE_FORMAT, "quote.auth.outer.type")},
    {"inner-type-0", V4, {"quote.cert_type=0"}, REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.type")},
    {"inner-type-6", V4, {"quote.cert_type=6"}, REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.type")},
    {"inner-type-7", V4, {"quote.cert_type=7"}, REFUSED(QUOTE_FORMAT, "quote.auth.certification_data.type")},
    /* other QE authentication data, the hash over it recomputed */
    {"qe-auth-empty", V4, {"quote.qe_auth="}, STATUS_ALSO("UpToDate", auth_0)},
    {"qe-auth-3", V4, {"quote.qe_auth=010203"}, STATUS("UpToDate")},
    {"qe-auth-4096", V4, {"quote.qe_auth=4096x77"}, STATUS_ALSO("UpToDate", auth_4096)},
    {"qe-auth-4097", V4, {"quote.qe_auth=4097x77"}, REFUSED(QUOTE_FORMAT, "quote.auth.qe_auth_data.size")},
    /* unsigned bytes after the quote */
    {"trailing-0", V4, {"quote.trailing="}, STATUS_ALSO("UpToDate", no_trailing)},
    {"trailing-garbage", V4, {"quote.trailing=deadbeef99"}, STATUS_ALSO("UpToDate", trailing_5)},
    {"trailing-64k", V4, {"quote.trailing=65536x5a"}, STATUS_ALSO("UpToDate", trailing_64k)},
    {"trailing-over-the-cap", V4, {"quote.trailing=131072x00"}, REFUSED(QUOTE_FORMAT, "quote")},
    /* the QE report vouches for a key that is none */
    {"attest-key-off-curve", V4, {"quote.att_key=off_curve"}, REFUSED(QUOTE_FORMAT, "quote.auth.attestation_key")},
    {"attest-key-zero", V4, {"quote.att_key=zero"}, REFUSED(QUOTE_FORMAT, "quote.auth.attestation_key")},
    /* certification data without a chain of its own */
    {"cert-type-1", V4, {"quote.cert_type=1", EXTERNAL}, STATUS("UpToDate")},
    {"cert-type-2", V4, {"quote.cert_type=2", EXTERNAL}, STATUS("UpToDate")},
    {"cert-type-3", V4, {"quote.cert_type=3", EXTERNAL}, STATUS_ALSO("UpToDate", type_3)},
    {"cert-type-4", V4, {"quote.cert_type=4", EXTERNAL}, STATUS("UpToDate")},
    {"cert-type-1-sgx", SGX, {"quote.cert_type=1", EXTERNAL}, STATUS("UpToDate")},
    {"cert-type-3-no-chain", V4, {"quote.cert_type=3"}, REFUSED(PCK_CHAIN, "pck")},
    {"cert-type-5-other-platform", V4, {"chain.pck=sibling,platform_ca,root"},
     REFUSED(QE_REPORT_SIGNATURE, "quote.auth.qe_report_signature")},
    {"cert-type-5-external-chain", V4, {EXTERNAL}, STATUS("UpToDate")},
    /* PEM */
    {"pem-crlf", V4, {"chain.quote.pem=crlf"}, STATUS("UpToDate")},
    {"pem-crlf-issuer-chain", V4, {"chain.tcb.pem=crlf"}, STATUS("UpToDate")},
    {"pem-nul-tail", V4, {"chain.quote.pem=nul_tail"}, STATUS("UpToDate")},
    {"pem-no-final-newline", V4, {"chain.quote.pem=no_final_newline"}, STATUS("UpToDate")},
    {"pem-root-first", V4, {"chain.tcb=root,tcb", "chain.qe=root,tcb", "chain.crl=root,platform_ca"},
     STATUS("UpToDate")},
    {"pem-swapped", V4, {"quote.cert_type=3", "chain.pck=platform_ca,pck,root"}, STATUS("UpToDate")},
    {"pem-text-between", V4, {"chain.quote.pem=text_between"}, REFUSED(PCK_CHAIN, "pck")},
    {"pem-begin-end-swapped", V4, {"chain.quote.pem=begin_end_swapped"}, REFUSED(PCK_CHAIN, "pck")},
    {"pem-missing-dash", V4, {"chain.quote.pem=missing_dash"}, REFUSED(PCK_CHAIN, "pck")},
    {"pem-4-certs", V4, {"chain.quote=pck,platform_ca,root,root"}, REFUSED(PCK_CHAIN, "pck")},
    {"pem-2-certs", V4, {"chain.quote=pck,platform_ca"}, REFUSED(PCK_CHAIN, "pck")},
    {"pem-empty", V4, {"chain.quote="}, REFUSED(PCK_CHAIN, "pck")},
};
/* clang-format on */

/* every-prefix: a quote that ends early is QUOTE_FORMAT wherever it ends. */
static void every_prefix(void **state)
{
    const sim_kind *kind = *state;
    appraised a;
    appraised_open(&a, *kind, NULL, NULL);
    const atls_bytes whole = a.quote;
    const size_t used = a.arena.used;
    for (size_t n = 0; n < whole.len; n++) {
        a.quote = atls_bytes_of(whole.ptr, n);
        appraised_run(&a);
        assert_false(a.accepted);
        assert_int_equal(a.err.code, ATLS_E_QUOTE_FORMAT);
        a.arena.used = used; /* what the appraisal took */
    }
    a.quote = whole;
    appraised_run(&a);
    assert_true(a.accepted);
    appraised_close(&a);
}

int main(void)
{
    static const sim_kind kinds[] = {SGX, V4, V5};
    tap_list l = {0};
    cases_add(&l, table, sizeof table / sizeof table[0]);
    tap_add(&l, "every-prefix-sgx-v3", every_prefix, &kinds[0]);
    tap_add(&l, "every-prefix-tdx-v4", every_prefix, &kinds[1]);
    tap_add(&l, "every-prefix-tdx-v5", every_prefix, &kinds[2]);
    return tap_run("cases A: format", &l);
}
