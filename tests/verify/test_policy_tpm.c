/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of type tpm: what is read, and what is refused with which member as the field. */
#include "atls/atls.h"
#include "policy.h"
#include "tap.h"

#define H32  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define H48  H32 "00112233445566778899aabbccddeeff"
#define H64  H32 H32
#define PCRS "\"pcrs\":{\"4\":\"" H32 "\"}"

typedef struct row {
    const char *name;
    const char *members;
    const char *field; /* NULL: it is read */
} row;

static const row rows[] = {
    {"one register", PCRS, NULL},
    {"a list", "\"pcrs\":{\"4\":[\"" H32 "\",\"" H32 "\"]}", NULL},
    {"an object", "\"pcrs\":{\"4\":{\"expected\":\"" H32 "\",\"warnOnly\":false}}", NULL},
    {"an object with a list", "\"pcrs\":{\"4\":{\"expected\":[\"" H32 "\"]}}", NULL},
    {"upper case", "\"pcrs\":{\"4\":\"AA112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\"}", NULL},
    {"SHA-384", "\"bank\":\"sha384\",\"pcrs\":{\"4\":\"" H48 "\"}", NULL},
    {"SHA-512, the bank after its values", "\"pcrs\":{\"4\":\"" H64 "\"},\"bank\":\"sha512\"", NULL},
    {"no registers, and that is meant", "\"insecure_accept_any_measurement\":true", NULL},
    {"no registers in an object, and that is meant", "\"pcrs\":{},\"insecure_accept_any_measurement\":true", NULL},
    {"keys", PCRS ",\"ak\":[\"" H32 "\",\"000b" H32 "\",\"000c" H48 "\",\"000D" H64 "\"]", NULL},
    {"one key", PCRS ",\"ak\":\"" H32 "\"", NULL},
    {"an instance",
     PCRS ",\"gce_project\":\"p\",\"gce_zone\":[\"z\",\"y\"],\"gce_instance\":\"i\",\"gce_instance_id\":\"17\"", NULL},
    {"what firmware says",
     PCRS ",\"gce_technology\":[\"sev\",\"sev-snp\"],\"min_gce_firmware\":1,\"require_secure_boot\":true", NULL},
    {"flags", PCRS ",\"require_event_log\":true,\"insecure_allow_unauthenticated_ak\":true,\"revocation\":\"require\"",
     NULL},
    {"a log that is ignored", PCRS ",\"ignore_event_log\":true", NULL},
    {"hardware", PCRS ",\"hardware\":{\"type\":\"tdx\"}", NULL},

    {"no registers", "\"bank\":\"sha256\"", "pcrs"},
    {"an empty object", "\"pcrs\":{}", "pcrs"},
    {"registers as a list", "\"pcrs\":[]", "pcrs"},
    {"PCR 16", "\"pcrs\":{\"16\":\"" H32 "\"}", "pcrs"},
    {"PCR 23", "\"pcrs\":{\"23\":\"" H32 "\"}", "pcrs"},
    {"PCR 24", "\"pcrs\":{\"24\":\"" H32 "\"}", "pcrs"},
    {"PCR 04", "\"pcrs\":{\"04\":\"" H32 "\"}", "pcrs"},
    {"PCR x", "\"pcrs\":{\"x\":\"" H32 "\"}", "pcrs"},
    {"PCR without a name", "\"pcrs\":{\"\":\"" H32 "\"}", "pcrs"},
    {"a value too short", "\"pcrs\":{\"4\":\"00\"}", "pcrs.4"},
    {"a value that is no hex", "\"pcrs\":{\"4\":\"x0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"}",
     "pcrs.4"},
    {"a value of another bank", "\"pcrs\":{\"4\":\"" H48 "\"}", "pcrs.4"},
    {"values of two banks", "\"bank\":\"sha384\",\"pcrs\":{\"4\":[\"" H48 "\",\"" H32 "\"]}", "pcrs.4"},
    {"an empty list", "\"pcrs\":{\"4\":[]}", "pcrs.4"},
    {"null", "\"pcrs\":{\"4\":null}", "pcrs.4"},
    {"an object without a value", "\"pcrs\":{\"4\":{\"warnOnly\":true}}", "pcrs.4"},
    {"an object with another member", "\"pcrs\":{\"4\":{\"expected\":\"" H32 "\",\"warnonly\":true}}",
     "pcrs.4.warnonly"},
    {"warnOnly that is no bool", "\"pcrs\":{\"4\":{\"expected\":\"" H32 "\",\"warnOnly\":1}}", "pcrs.4"},
    {"SHA-1", PCRS ",\"bank\":\"sha1\"", "bank"},
    {"a key of 33 bytes", PCRS ",\"ak\":\"" H32 "00\"", "ak"},
    {"a Name of another algorithm", PCRS ",\"ak\":\"000c" H32 "\"", "ak"},
    {"no keys", PCRS ",\"ak\":[]", "ak"},
    {"the second key", PCRS ",\"ak\":[\"" H32 "\",7]", "ak[1]"},
    {"an instance id as a number", PCRS ",\"gce_instance_id\":17", "gce_instance_id"},
    {"an instance id in hex", PCRS ",\"gce_instance_id\":\"0x11\"", "gce_instance_id"},
    {"a project without a name", PCRS ",\"gce_project\":\"\"", "gce_project"},
    {"a technology of no kind", PCRS ",\"gce_technology\":\"sgx\"", "gce_technology"},
    {"a log ignored and wanted", PCRS ",\"ignore_event_log\":true,\"require_event_log\":true", "ignore_event_log"},
    {"a log ignored and needed", PCRS ",\"ignore_event_log\":true,\"require_secure_boot\":true", "ignore_event_log"},
    {"hardware that is a TPM", PCRS ",\"hardware\":{\"type\":\"tpm\"," PCRS "}", "hardware"},
    {"a measurement of TDX", PCRS ",\"mrtd\":\"" H48 "\"", "mrtd"},
    {"a misspelt member", PCRS ",\"require_eventlog\":true", "require_eventlog"},
};

static void test_row(void **state)
{
    const row *r = *state;
    char text[2048];
    atls_policy *p = NULL;
    atls_error err = {.code = ATLS_OK};
    (void)snprintf(text, sizeof text, "{\"type\":\"tpm\",%s}", r->members);
    const bool ok = atls_policy_parse(atls_bytes_str(text), &p, &err);
    if (ok != (r->field == NULL) || (!ok && (err.code != ATLS_E_CONFIGURATION || strcmp(err.field, r->field) != 0))) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("%s: %s", r->members, line);
    }
    if (ok) {
        assert_string_equal(atls_policy_kind(p), "tpm");
        assert_true(p->n_anchors == 2 && p->anchors[0].production);
    }
    atls_policy_free(p);
}

static void test_insecure(void **state)
{
    atls_policy *p = NULL;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_policy_parse(atls_bytes_str("{\"type\":\"tpm\",\"insecure_accept_any_measurement\":true,"
                                                 "\"insecure_allow_unauthenticated_ak\":true}"),
                                  &p, &err));
    assert_int_equal(atls_policy_insecure(p).n, 2);
    assert_string_equal(atls_policy_insecure(p).items[0], "insecure_accept_any_measurement");
    assert_string_equal(atls_policy_insecure(p).items[1], "insecure_allow_unauthenticated_ak");
    atls_policy_free(p);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "what weakens is listed", test_insecure, NULL);
    return tap_run("policy tpm", &l);
}
