/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrolled_policy.c: documents of type enrolled_key: what is read, what is refused, what weakens. */
#include "atls/atls.h"
#include "tap.h"

#define H    "\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\""
#define DOC  "{\"type\":\"enrolled_key\",\"trusted_roots\":[" H "]"
#define ZERO "\"0000000000000000000000000000000000000000000000000000000000000000\""

typedef struct row {
    const char *name;
    const char *text;
    const char *field;    /* NULL: accepted */
    const char *insecure; /* the only one; NULL: none */
} row;

static const row rows[] = {
    {"roots alone", DOC "}", NULL, NULL},
    {"everything",
     DOC ",\"description\":\"d\",\"platforms\":[\"android\",\"apple\"],\"applications\":[\"a\",\"b\"],"
         "\"min_security_level\":\"STRONG_BOX\",\"policy_sha256\":[" ZERO
         "],\"revocation\":\"require\",\"max_session_age\":60,\"min_grade\":\"key\"}",
     NULL, NULL},
    {"a lower grade", DOC ",\"min_grade\":\"report_data\"}", NULL, NULL},
    {"software weakens", DOC ",\"min_security_level\":\"SOFTWARE\"}", NULL, "min_security_level"},
    {"so does doing without the extension", DOC ",\"insecure_allow_no_extension\":true}", NULL,
     "insecure_allow_no_extension"},
    {"which is not said by false", DOC ",\"insecure_allow_no_extension\":false,\"applications\":[\"a\"]}", NULL, NULL},
    {"no roots", "{\"type\":\"enrolled_key\"}", "trusted_roots", NULL},
    {"an empty list of roots", "{\"type\":\"enrolled_key\",\"trusted_roots\":[]}", "trusted_roots", NULL},
    {"a root that is no hash", "{\"type\":\"enrolled_key\",\"trusted_roots\":[\"00\"]}", "trusted_roots[0]", NULL},
    {"a root that is no certificate",
     "{\"type\":\"enrolled_key\",\"trusted_roots\":[\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END "
     "CERTIFICATE-----\"]}",
     "trusted_roots[0]", NULL},
    {"17 roots",
     "{\"type\":\"enrolled_key\",\"trusted_roots\":[" H "," H "," H "," H "," H "," H "," H "," H "," H "," H "," H
     "," H "," H "," H "," H "," H "," H "]}",
     "trusted_roots[16]", NULL},
    {"more than a key", DOC ",\"min_grade\":\"key_fresh\"}", "min_grade", NULL},
    {"an empty list of apps", DOC ",\"applications\":[]}", "applications", NULL},
    {"an app that is a number", DOC ",\"applications\":[1]}", "applications[0]", NULL},
    {"an app without a name", DOC ",\"applications\":[\"\"]}", "applications[0]", NULL},
    {"an empty list of platforms", DOC ",\"platforms\":[]}", "platforms", NULL},
    {"a platform that is none", DOC ",\"platforms\":[\"android\",\"tdx\"]}", "platforms[1]", NULL},
    {"a level that is none", DOC ",\"min_security_level\":\"TEE\"}", "min_security_level", NULL},
    {"Apple's only level", DOC ",\"min_security_level\":\"SECURE_ENCLAVE\"}", "min_security_level", NULL},
    {"an empty list of policies", DOC ",\"policy_sha256\":[]}", "policy_sha256", NULL},
    {"a policy's hash that is too short", DOC ",\"policy_sha256\":[\"00\"]}", "policy_sha256[0]", NULL},
    {"no extension, and an app in it", DOC ",\"insecure_allow_no_extension\":true,\"applications\":[\"a\"]}",
     "insecure_allow_no_extension", NULL},
    {"no extension, and a level in it",
     DOC ",\"min_security_level\":\"TRUSTED_ENVIRONMENT\",\"insecure_allow_no_extension\":true}",
     "insecure_allow_no_extension", NULL},
    {"no extension, and a platform in it", DOC ",\"insecure_allow_no_extension\":true,\"platforms\":[\"apple\"]}",
     "insecure_allow_no_extension", NULL},
    {"no extension, and a policy in it", DOC ",\"insecure_allow_no_extension\":true,\"policy_sha256\":[" ZERO "]}",
     "insecure_allow_no_extension", NULL},
    {"attested_only is about servers", DOC ",\"attested_only\":true}", "attested_only", NULL},
    {"a member of another kind", DOC ",\"mrtd\":" H "}", "mrtd", NULL},
    {"a misspelt member", DOC ",\"aplications\":[\"a\"]}", "aplications", NULL},
    {"any_of does not hold it", "{\"type\":\"any_of\",\"policies\":[" DOC "}]}", "policies[0]", NULL},
};

static void test_row(void **state)
{
    const row *w = *state;
    atls_error err = {0};
    atls_policy *p = NULL;
    const bool ok = atls_policy_parse(atls_bytes_str(w->text), &p, &err);
    if (ok != (w->field == NULL)) {
        fail_msg("%s: %s", err.field, err.message);
    }
    if (ok) {
        const atls_text_list weak = atls_policy_insecure(p);
        assert_int_equal(weak.n, w->insecure == NULL ? 0 : 1);
        assert_true(weak.n == 0 || strcmp(weak.items[0], w->insecure) == 0);
        assert_string_equal(atls_policy_kind(p), "enrolled_key");
        assert_true(atls_policy_min_grade(p) <= ATLS_GRADE_KEY);
        assert_false(atls_policy_attested_only(p));
    } else {
        assert_int_equal(err.code, ATLS_E_CONFIGURATION);
        assert_string_equal(err.field, w->field);
    }
    atls_policy_free(p);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    return tap_run("enrolled_policy", &l);
}
