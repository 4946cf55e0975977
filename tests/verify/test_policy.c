/* SPDX-License-Identifier: Apache-2.0 */
/* The policy language: what is a policy, and for what is not, which member is to blame.
 *
 * Each row is one document. What the members become is in test_policy_object.c. */
#include "tap.h"

#include "atls/policy.h"
#include "documents.h"

typedef struct row {
    const char *name;
    const char *document;
    atls_code code;
    const char *field;
} row;

#define OK(name, document)                                                                                             \
    {                                                                                                                  \
        name, document, ATLS_OK, ""                                                                                    \
    }
#define NO(name, document, field)                                                                                      \
    {                                                                                                                  \
        name, document, ATLS_E_CONFIGURATION, field                                                                    \
    }

static const row rows[] = {
    /* documents of existing clients, verbatim in shape */
    OK("dstack: production document", DSTACK(",\"allowed_tcb_status\":[\"UpToDate\",\"SWHardeningNeeded\"]")),
    OK("dstack: development preset", DEV(",\"allowed_tcb_status\":[\"UpToDate\",\"SWHardeningNeeded\",\"OutOfDate\"]")),
    OK("dstack: every member of the client",
       DSTACK(",\"allowed_tcb_status\":[\"UpToDate\",\"OutOfDate\"],\"grace_period\":2592000,\"pccs_url\":"
              "\"https://pccs.example.org/tdx/certification/v4\",\"cache_collateral\":true,"
              "\"disable_runtime_verification\":false")),
    OK("dstack: optional members written as null",
       DEV(",\"expected_bootchain\":null,\"app_compose\":null,\"os_image_hash\":null,\"grace_period\":null,"
           "\"pccs_url\":null")),
    OK("dstack: empty pccs_url is Intel's", DSTACK(",\"pccs_url\":\"\"")),
    OK("dstack: app_compose may be any JSON",
       "{\"type\":\"dstack_tdx\"," BOOT "," IMAGE ",\"app_compose\":[1,\"two\"]}"),
    OK("dstack: compose as text", "{\"type\":\"dstack_tdx\"," BOOT "," IMAGE ",\"app_compose_raw\":\"{ }\"}"),
    OK("dstack: compose as hash", "{\"type\":\"dstack_tdx\"," BOOT "," IMAGE ",\"app_compose_hash\":\"" A64 "\"}"),
    OK("dstack: all our additions",
       DSTACK(",\"app_id\":\"" A40 "\",\"instance_id\":\"" A40 "\",\"key_provider\":{\"name\":\"kms\",\"id\":\"k1\"},"
              "\"mrseam\":[\"" A96 "\"],\"machines\":\"" A32 "\",\"min_grade\":\"exporter\",\"attested_only\":true,"
              "\"min_tcb_evaluation_data_number\":17,\"trusted_roots\":[\"" A64 "\"],\"strict_cpusvn\":true,"
              "\"accepted_advisories\":[],\"rejected_advisories\":[\"INTEL-SA-00001\"],\"min_tee_tcb_svn\":\"" A32
              "\",\"insecure_skip_certificate_event\":true")),
    /* our own kinds */
    OK("tdx: only a type", TDX("")),
    OK("sgx: only a type", SGX("")),
    OK("tdx: description", TDX(",\"description\":\"a machine of ours\"")),
    OK("tdx: one value stands for a list of one", TDX(",\"mrtd\":\"" A96 "\"")),
    OK("tdx: a list of values", TDX(",\"mrtd\":[\"" A96 "\",\"" B96 "\"]")),
    OK("tdx: hex of either case", TDX(",\"mrtd\":\"" UPPER96 "\"")),
    OK("tdx: every TD member",
       TDX(",\"mrtd\":\"" A96 "\",\"rtmr0\":\"" A96 "\",\"rtmr1\":\"" A96 "\",\"rtmr2\":\"" A96 "\",\"rtmr3\":\"" A96
           "\",\"mrseam\":\"" A96 "\",\"mrsignerseam\":\"" A96 "\",\"seamattributes\":\"" A16
           "\",\"tdattributes\":\"" A16 "\",\"xfam\":\"" A16 "\",\"mrconfigid\":\"" A96 "\",\"mrowner\":\"" A96
           "\",\"mrownerconfig\":\"" A96 "\",\"tee_tcb_svn\":\"" A32 "\",\"reportdata\":\"" A128
           "\",\"tee_tcb_svn2\":\"" A32 "\",\"mrservicetd\":\"" A96 "\",\"require_event_log\":true")),
    OK("sgx: every enclave member",
       SGX(",\"mrenclave\":\"" A64 "\",\"mrsigner\":\"" A64 "\",\"cpusvn\":\"" A32 "\",\"miscselect\":\"" A8
           "\",\"attributes\":\"" A32 "\",\"reportdata\":\"" A128 "\",\"isvprodid\":65535,\"min_isvsvn\":0,"
           "\"allow_sgx_quote_v4_v5\":true,\"insecure_allow_debug\":true")),
    OK("tdx: every machine member",
       TDX(",\"machines\":[\"" A32 "\"],\"fmspc\":\"00a067110000\",\"pceid\":\"0000\",\"qe_vendor_id\":\"" A32
           "\",\"platform_instance_id\":\"" A32 "\"")),
    OK("tdx: all nine statuses but Revoked",
       TDX(",\"allowed_tcb_status\":[\"UpToDate\",\"SWHardeningNeeded\",\"ConfigurationNeeded\","
           "\"ConfigurationAndSWHardeningNeeded\",\"OutOfDate\",\"OutOfDateConfigurationNeeded\","
           "\"TDRelaunchAdvised\",\"TDRelaunchAdvisedConfigurationNeeded\"]")),
    OK("tdx: grace with OutOfDateConfigurationNeeded",
       TDX(",\"allowed_tcb_status\":[\"OutOfDateConfigurationNeeded\"],\"grace_period\":0")),
    OK("tdx: everything insecure",
       TDX(",\"insecure_allow_debug\":true,\"insecure_allow_no_sept_ve_disable\":true,"
           "\"insecure_allow_service_td\":true,\"insecure_td_attributes_mask\":\"0000000000000080\"")),
    OK("tdx: trusted root by its hash, in upper case",
       TDX(",\"trusted_roots\":[\"" UPPER16 UPPER16 UPPER16 UPPER16 "\"]")),

    /* the document as such */
    NO("no JSON", "", "policy.json"),
    NO("not an object", "[]", "policy"),
    NO("bytes after the end", TDX("") "x", "policy.json"),
    NO("a member twice", "{\"type\":\"tdx\",\"type\":\"tdx\"}", "policy.json"),
    NO("a nested member twice", TDX(",\"mrtd\":[],\"description\":\"\",\"mrtd\":[]"), "policy.json"),
    NO("invalid UTF-8", TDX(",\"description\":\"\xff\""), "policy.json"),
    NO("no type", "{}", "type"),
    NO("type of another family", "{\"type\":\"sevsnp\"}", "type"),
    NO("type in another case", "{\"type\":\"TDX\"}", "type"),
    NO("type that is no string", "{\"type\":1}", "type"),

    /* unknown members: a misspelt one must not weaken anything */
    NO("dstack: misspelt bootchain", DEV(",\"expected_bootchian\":{}"), "expected_bootchian"),
    NO("dstack: unknown member", DEV(",\"x\":1"), "x"),
    NO("tdx: a member without a name", TDX(",\"\":1"), "\"\""),
    NO("dstack: description is not a member of theirs", DEV(",\"description\":\"\""), "description"),
    NO("dstack: unknown member of the bootchain",
       "{\"type\":\"dstack_tdx\",\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr4\":\"" A96 "\"}}",
       "expected_bootchain.rtmr4"),
    NO("dstack: unknown member of the key provider", DEV(",\"key_provider\":{\"nam\":\"kms\"}"), "key_provider.nam"),
    NO("tdx: an enclave's member", TDX(",\"mrenclave\":\"" A64 "\""), "mrenclave"),
    NO("tdx: an enclave's number", TDX(",\"min_isvsvn\":1"), "min_isvsvn"),
    NO("tdx: dstack's member", TDX(",\"app_compose\":{}"), "app_compose"),
    NO("sgx: a TD's member", SGX(",\"mrtd\":\"" A96 "\""), "mrtd"),
    NO("sgx: a TD's waiver", SGX(",\"insecure_allow_service_td\":true"), "insecure_allow_service_td"),
    NO("dstack: an enclave's option", DEV(",\"allow_sgx_quote_v4_v5\":true"), "allow_sgx_quote_v4_v5"),
    NO("dstack: the log is required anyway", DEV(",\"require_event_log\":true"), "require_event_log"),

    /* the trio, one by one, each way of leaving it out */
    NO("dstack: no bootchain", "{\"type\":\"dstack_tdx\"," COMPOSE "," IMAGE "}", "expected_bootchain"),
    NO("dstack: no compose", "{\"type\":\"dstack_tdx\"," BOOT "," IMAGE "}", "app_compose"),
    NO("dstack: no image", "{\"type\":\"dstack_tdx\"," BOOT "," COMPOSE "}", "os_image_hash"),
    NO("dstack: null bootchain", "{\"type\":\"dstack_tdx\",\"expected_bootchain\":null," COMPOSE "," IMAGE "}",
       "expected_bootchain"),
    NO("dstack: null compose", "{\"type\":\"dstack_tdx\"," BOOT "," IMAGE ",\"app_compose\":null}", "app_compose"),
    NO("dstack: null image", "{\"type\":\"dstack_tdx\"," BOOT "," COMPOSE ",\"os_image_hash\":null}", "os_image_hash"),
    NO("dstack: only a type", "{\"type\":\"dstack_tdx\"}", "expected_bootchain"),
    NO("dstack: runtime verification explicitly on", "{\"type\":\"dstack_tdx\",\"disable_runtime_verification\":false}",
       "expected_bootchain"),

    /* the bootchain */
    NO("dstack: bootchain as string", DEV(",\"expected_bootchain\":\"" A96 "\""), "expected_bootchain"),
    NO("dstack: bootchain without rtmr1",
       DEV(",\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr0\":\"" A96 "\",\"rtmr2\":\"" A96 "\"}"),
       "expected_bootchain.rtmr1"),
    NO("dstack: short hex",
       DEV(",\"expected_bootchain\":{\"mrtd\":\"abc\",\"rtmr0\":\"" A96 "\",\"rtmr1\":\"" A96 "\",\"rtmr2\":\"" A96
           "\"}"),
       "expected_bootchain.mrtd"),
    NO("dstack: upper-case hex",
       DEV(",\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr0\":\"" UPPER96 "\",\"rtmr1\":\"" A96
           "\",\"rtmr2\":\"" A96 "\"}"),
       "expected_bootchain.rtmr0"),
    NO("dstack: null in the bootchain",
       DEV(",\"expected_bootchain\":{\"mrtd\":\"" A96 "\",\"rtmr0\":\"" A96 "\",\"rtmr1\":\"" A96 "\",\"rtmr2\":null}"),
       "expected_bootchain.rtmr2"),

    /* the application and the image */
    NO("dstack: compose twice", "{\"type\":\"dstack_tdx\"," RUNTIME ",\"app_compose_hash\":\"" A64 "\"}",
       "app_compose_hash"),
    NO("dstack: compose twice, the other way", "{\"type\":\"dstack_tdx\",\"app_compose_raw\":\"{}\"," RUNTIME "}",
       "app_compose"),
    NO("dstack: compose with a fraction", DEV(",\"app_compose\":{\"n\":1.5}"), "app_compose"),
    NO("dstack: compose hash too short", DEV(",\"app_compose_hash\":\"" A40 "\""), "app_compose_hash"),
    NO("dstack: compose text that is an object", DEV(",\"app_compose_raw\":{}"), "app_compose_raw"),
    NO("dstack: compose hash null", DEV(",\"app_compose_hash\":null"), "app_compose_hash"),
    NO("dstack: image hash of another length", DEV(",\"os_image_hash\":\"abcd1234\""), "os_image_hash"),
    NO("dstack: image hash in upper case", DEV(",\"os_image_hash\":\"" UPPER16 UPPER16 UPPER16 UPPER16 "\""),
       "os_image_hash"),

    /* statuses and grace */
    NO("status: unknown word", TDX(",\"allowed_tcb_status\":[\"UpToDate\",\"Fine\"]"), "allowed_tcb_status[1]"),
    NO("status: Unknown is a word, and none", TDX(",\"allowed_tcb_status\":[\"Unknown\"]"), "allowed_tcb_status[0]"),
    NO("status: other case", TDX(",\"allowed_tcb_status\":[\"uptodate\"]"), "allowed_tcb_status[0]"),
    NO("status: Revoked", TDX(",\"allowed_tcb_status\":[\"UpToDate\",\"Revoked\"]"), "allowed_tcb_status[1]"),
    NO("status: Revoked in dstack's", DEV(",\"allowed_tcb_status\":[\"Revoked\"]"), "allowed_tcb_status[0]"),
    NO("status: a string", TDX(",\"allowed_tcb_status\":\"UpToDate\""), "allowed_tcb_status"),
    NO("status: nothing", TDX(",\"allowed_tcb_status\":[]"), "allowed_tcb_status"),
    NO("status: null", DEV(",\"allowed_tcb_status\":null"), "allowed_tcb_status"),
    NO("grace: without OutOfDate", DEV(",\"grace_period\":0"), "grace_period"),
    NO("grace: dstack wants OutOfDate by name",
       DEV(",\"grace_period\":0,\"allowed_tcb_status\":[\"OutOfDateConfigurationNeeded\"]"), "grace_period"),
    NO("grace: tdx without either", TDX(",\"grace_period\":1,\"allowed_tcb_status\":[\"UpToDate\"]"), "grace_period"),
    NO("grace: 2^63", DEV(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":9223372036854775808"),
       "grace_period"),
    NO("grace: longer than dates are", DEV(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":253402300800"),
       "grace_period"),
    NO("grace: negative", DEV(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":-1"), "grace_period"),
    NO("grace: a fraction", DEV(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":1.0"), "grace_period"),
    NO("grace: a string", DEV(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":\"1\""), "grace_period"),
    NO("grace: null is ours to refuse", TDX(",\"allowed_tcb_status\":[\"OutOfDate\"],\"grace_period\":null"),
       "grace_period"),

    /* reference values */
    NO("reference: an empty list accepts nothing", TDX(",\"mrtd\":[]"), "mrtd"),
    NO("reference: one byte short", TDX(",\"mrtd\":\"" A64 A16 A8 "aaaaaa\""), "mrtd"),
    NO("reference: one byte long", TDX(",\"mrtd\":\"" A96 "aa\""), "mrtd"),
    NO("reference: second value wrong", TDX(",\"rtmr3\":[\"" A96 "\",\"" A64 "\"]"), "rtmr3[1]"),
    NO("reference: a number", TDX(",\"xfam\":7"), "xfam"),
    NO("reference: null", TDX(",\"mrtd\":null"), "mrtd"),
    NO("reference: no hex", SGX(",\"miscselect\":\"0000000g\""), "miscselect"),
    NO("reference: 0x", SGX(",\"miscselect\":\"0x000000\""), "miscselect"),
    NO("reference: dstack's stay lower case", DEV(",\"mrseam\":\"" UPPER96 "\""), "mrseam"),
    NO("machines: a PPID too short", TDX(",\"machines\":[\"" A32 "\",\"" A16 "\"]"), "machines[1]"),
    NO("fmspc: length", SGX(",\"fmspc\":\"00a0671100\""), "fmspc"),

    /* numbers */
    NO("isvprodid: over u16", SGX(",\"isvprodid\":65536"), "isvprodid"),
    NO("min_isvsvn: a string", SGX(",\"min_isvsvn\":\"1\""), "min_isvsvn"),
    NO("min_tee_tcb_svn: length", TDX(",\"min_tee_tcb_svn\":\"" A16 "\""), "min_tee_tcb_svn"),
    NO("min_tcb_evaluation_data_number: over u32", TDX(",\"min_tcb_evaluation_data_number\":4294967296"),
       "min_tcb_evaluation_data_number"),

    /* flags */
    NO("flag: a number", TDX(",\"strict_cpusvn\":1"), "strict_cpusvn"),
    NO("flag: a string", TDX(",\"insecure_allow_debug\":\"true\""), "insecure_allow_debug"),
    NO("flag: null", DEV(",\"cache_collateral\":null"), "cache_collateral"),
    NO("disable_runtime_verification: a string", "{\"type\":\"dstack_tdx\",\"disable_runtime_verification\":\"true\"}",
       "disable_runtime_verification"),
    NO("mask: DEBUG", TDX(",\"insecure_td_attributes_mask\":\"0100000000000000\""), "insecure_td_attributes_mask"),
    NO("mask: bit 7", TDX(",\"insecure_td_attributes_mask\":\"8000000000000000\""), "insecure_td_attributes_mask"),
    NO("mask: length", TDX(",\"insecure_td_attributes_mask\":\"00\""), "insecure_td_attributes_mask"),

    /* words */
    NO("max_session_age: zero", TDX(",\"max_session_age\":0"), "max_session_age"),
    NO("max_session_age: text", TDX(",\"max_session_age\":\"1h\""), "max_session_age"),
    NO("max_session_age: too long", TDX(",\"max_session_age\":4294967296"), "max_session_age"),
    NO("min_grade: unknown", TDX(",\"min_grade\":\"best\""), "min_grade"),
    NO("min_grade: a number", TDX(",\"min_grade\":4"), "min_grade"),
    NO("advisories: a string", TDX(",\"accepted_advisories\":\"INTEL-SA-00001\""), "accepted_advisories"),
    NO("advisories: an empty name", TDX(",\"rejected_advisories\":[\"\"]"), "rejected_advisories[0]"),
    NO("advisories: lower case, which would match nothing", TDX(",\"rejected_advisories\":[\"intel-sa-00615\"]"),
       "rejected_advisories[0]"),
    NO("advisories: no number", TDX(",\"rejected_advisories\":[\"INTEL-SA-\"]"), "rejected_advisories[0]"),
    NO("advisories: something after the number", TDX(",\"rejected_advisories\":[\"INTEL-SA-1 \"]"),
       "rejected_advisories[0]"),
    NO("advisories: a series of no letters", TDX(",\"rejected_advisories\":[\"INTEL--1\"]"), "rejected_advisories[0]"),
    NO("advisories: none rejected", TDX(",\"rejected_advisories\":[]"), "rejected_advisories"),
    NO("advisories: a number", TDX(",\"accepted_advisories\":[\"INTEL-SA-1\",7]"), "accepted_advisories[1]"),
    NO("description: a number", SGX(",\"description\":1"), "description"),

    /* pins */
    NO("app_id: length", DEV(",\"app_id\":\"" A32 "\""), "app_id"),
    NO("instance_id: empty", DEV(",\"instance_id\":\"\""), "instance_id"),
    NO("key_provider: a string", DEV(",\"key_provider\":\"kms\""), "key_provider"),
    NO("key_provider: nothing in it", DEV(",\"key_provider\":{}"), "key_provider"),
    NO("key_provider: name is a number", DEV(",\"key_provider\":{\"name\":1}"), "key_provider.name"),
    NO("key_provider: control character", DEV(",\"key_provider\":{\"id\":\"a\\u0000\"}"), "key_provider.id"),

    /* where endorsements come from */
    NO("pccs_url: plain http", DEV(",\"pccs_url\":\"http://localhost:8081\""), "pccs_url"),
    NO("pccs_url: a scheme alone", DEV(",\"pccs_url\":\"https://\""), "pccs_url"),
    NO("pccs_url: a header hidden in it", DEV(",\"pccs_url\":\"https://a\\r\\nX: y\""), "pccs_url"),
    NO("pccs_url: a number", DEV(",\"pccs_url\":1"), "pccs_url"),

    /* roots */
    NO("roots: none", TDX(",\"trusted_roots\":[]"), "trusted_roots"),
    NO("roots: a string", TDX(",\"trusted_roots\":\"" A64 "\""), "trusted_roots"),
    NO("roots: short hash", TDX(",\"trusted_roots\":[\"" A64 "\",\"" A40 "\"]"), "trusted_roots[1]"),
    NO("roots: PEM that is none", TDX(",\"trusted_roots\":[\"-----BEGIN CERTIFICATE-----\\nAAAA\\n\"]"),
       "trusted_roots[0]"),
    NO("roots: PEM of something else",
       TDX(",\"trusted_roots\":[\"-----BEGIN CERTIFICATE-----\\nMAA=\\n-----END CERTIFICATE-----\\n\"]"),
       "trusted_roots[0]"),
};

static void test_row(void **state)
{
    const row *r = *state;
    atls_policy *p = NULL;
    atls_error err = {0};
    const bool ok = atls_policy_parse(atls_bytes_str(r->document), &p, &err);
    if (err.code != r->code) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("expected %s, got %s", atls_code_name(r->code), line);
    }
    assert_string_equal(err.field, r->field);
    assert_int_equal(ok, r->code == ATLS_OK);
    assert_int_equal(p != NULL, ok);
    if (!ok) {
        assert_int_not_equal(err.message[0], '\0');
        assert_string_equal(atls_code_kind(err.code), "Configuration");
        assert_int_equal(atls_error_exit_status(&err), 1);
    }
    atls_policy_free(p);
}

/* ---- errors help ---- */

typedef struct hint {
    const char *name;
    const char *document;
    const char *words; /* in the message */
} hint;

static const hint hints[] = {
    {"hint: transposed letters", DEV(",\"expected_bootchian\":{}"), "did you mean expected_bootchain?"},
    {"hint: a letter short", TDX(",\"mrt\":1"), "did you mean mrtd?"},
    {"hint: other case is two edits or none", TDX(",\"RTmr0\":1"), "did you mean rtmr0?"},
    {"hint: inside an object", DEV(",\"key_provider\":{\"nam\":\"x\"}"), "did you mean name?"},
    {"hint: another kind's member", SGX(",\"mrtd\":1"), "not a member of policies of type sgx"},
    {"hint: nothing close", TDX(",\"something_else\":1"), "unknown member"},
    {"hint: a very long name", TDX(",\"" A128 A128 "\":1"), "unknown member"},
};

static void test_hint(void **state)
{
    const hint *h = *state;
    atls_policy *p = NULL;
    atls_error err = {0};
    assert_false(atls_policy_parse(atls_bytes_str(h->document), &p, &err));
    assert_int_equal(err.code, ATLS_E_CONFIGURATION);
    assert_non_null(strstr(err.message, h->words));
}

static void test_expected_and_actual(void **state)
{
    (void)state;
    atls_policy *p = NULL;
    atls_error err = {0};
    assert_false(atls_policy_parse(atls_bytes_str(TDX(",\"mrtd\":\"abc\"")), &p, &err));
    assert_string_equal(err.expected, "a string of 96 hex digits");
    assert_string_equal(err.actual, "\"abc\"");
    err = (atls_error){0};
    assert_false(atls_policy_parse(atls_bytes_str(TDX(",\"strict_cpusvn\":[]")), &p, &err));
    assert_string_equal(err.expected, "true or false");
    assert_string_equal(err.actual, "array");
    assert_int_equal(err.category, ATLS_CATEGORY_INTERNAL);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++) {
        tap_add(&tests, hints[i].name, test_hint, &hints[i]);
    }
    tap_add(&tests, "an error says what was expected and found", test_expected_and_actual, NULL);
    return tap_run("verify/policy", &tests);
}
