/* SPDX-License-Identifier: Apache-2.0 */
/* test_service_config.c: the configuration: what is refused and where, what weakens, what a reload may change; and the manual holds the
 * table that the program reads by. */
#include "tap.h"

#include "base/text.h"
#include "edge/service/config.h"

#define MUST  "\"endpoint\":\"https://e.org/api/v1/attest\",\"proof_oid\":\"2.25.1\""
#define LIST  "\"status_list\":{\"url\":\"google\"}"
#define PLAIN MUST ",\"apple\":{},\"ca\":{\"folder\":\"ca\"},\"audit_file\":\"a\""

static uint8_t block[4 * 1024 * 1024];

static bool parse(const char *json, svc_config *c, atls_error *err)
{
    static atls_arena arena;
    atls_arena_init(&arena, block, sizeof block);
    *err = (atls_error){.code = ATLS_OK};
    return svc_config_parse(atls_bytes_str(json), "/etc/atls/enrol.json", &arena, c, err);
}

static const struct row {
    const char *name;
    const char *json;
    const char *field; /* NULL: accepted */
} rows[] = {
    {"the least", "{" PLAIN "}", NULL},
    {"an unknown member", "{" PLAIN ",\"nonsense\":1}", "nonsense"},
    {"an unknown member of a group", "{" PLAIN ",\"limits\":{\"nonsense\":1}}", "limits.nonsense"},
    {"a group inside a group", "{" PLAIN ",\"limits\":{\"limits\":{\"queue\":1}}}", "limits.limits"},
    {"a member outside its group", "{" PLAIN ",\"queue\":1}", "queue"},
    {"a member without a name", "{" PLAIN ",\"\":1}", "configuration"},
    {"a dotted name", "{" PLAIN ",\"limits.queue\":5}", "limits.queue"},
    {"a group that is none", "{" PLAIN ",\"limits\":1}", "limits"},
    {"a member twice", "{" PLAIN ",\"workers\":1,\"workers\":1}", "/etc/atls/enrol.json"},
    {"no endpoint", "{\"proof_oid\":\"2.25.1\",\"apple\":{},\"ca\":{\"folder\":\"ca\"}}", "endpoint"},
    {"no proof_oid", "{\"endpoint\":\"https://e.org/a\",\"apple\":{},\"ca\":{\"folder\":\"ca\"}}", "proof_oid"},
    {"no CA", "{" MUST ",\"apple\":{}}", "ca"},
    {"no platform", "{" MUST ",\"ca\":{\"folder\":\"ca\"}}", "android"},
    {"Android without a list", "{" PLAIN ",\"android\":{}}", "status_list"},
    {"Android with a list", "{" PLAIN ",\"android\":{}," LIST "}", NULL},
    {"two sources of a list", "{" PLAIN ",\"status_list\":{\"url\":\"google\",\"file\":\"f\"}}", "status_list"},
    {"a list over http", "{" PLAIN ",\"status_list\":{\"url\":\"http://e.org/\"}}", "status_list.url"},
    {"an endpoint over http",
     "{\"endpoint\":\"http://e.org/a\",\"proof_oid\":\"2.25.1\",\"apple\":{},\"ca\":{\"folder\":\"c\"}}", "endpoint"},
    {"an endpoint that is relative",
     "{\"endpoint\":\"/a\",\"proof_oid\":\"2.25.1\",\"apple\":{},\"ca\":{\"folder\":\"c\"}}", "endpoint"},
    {"a public address without TLS", "{" PLAIN ",\"listen\":\"0.0.0.0:80\"}", "tls"},
    {"a public address with TLS", "{" PLAIN ",\"listen\":\"0.0.0.0:80\",\"tls\":{\"certificate\":\"a\",\"key\":\"b\"}}",
     NULL},
    {"a public address, insecure", "{" PLAIN ",\"listen\":\"0.0.0.0:80\",\"insecure_plain_http\":true}", NULL},
    {"a certificate without its key", "{" PLAIN ",\"tls\":{\"certificate\":\"a\"}}", "tls"},
    {"a name to listen at", "{" PLAIN ",\"listen\":\"localhost:80\"}", "listen"},
    {"an address without a port", "{" PLAIN ",\"listen\":\"127.0.0.1\"}", "listen"},
    {"a port of 65536", "{" PLAIN ",\"listen\":\"127.0.0.1:65536\"}", "listen"},
    {"IPv6", "{" PLAIN ",\"listen\":[\"[::1]:80\",\"127.0.0.1:80\"]}", NULL},
    {"IPv6 without brackets", "{" PLAIN ",\"listen\":\"::1:80\"}", "listen"},
    {"nine addresses",
     "{" PLAIN ",\"listen\":[\"127.0.0.1:1\",\"127.0.0.1:2\",\"127.0.0.1:3\",\"127.0.0.1:4\",\"127.0.0.1:5\","
     "\"127.0.0.1:6\",\"127.0.0.1:7\",\"127.0.0.1:8\",\"127.0.0.1:9\"]}",
     "listen"},
    {"nowhere to listen", "{" PLAIN ",\"listen\":[]}", "listen"},
    {"no health", "{" PLAIN ",\"admin_listen\":[]}", NULL},
    {"a number that is too small", "{" PLAIN ",\"challenge\":{\"nonce_len\":15}}", "challenge.nonce_len"},
    {"a number that is too large", "{" PLAIN ",\"challenge\":{\"nonce_len\":129}}", "challenge.nonce_len"},
    {"a number with a fraction", "{" PLAIN ",\"workers\":1.5}", "workers"},
    {"a negative offset of time", "{" PLAIN ",\"verification_time_offset_s\":-60}", NULL},
    {"a negative number elsewhere", "{" PLAIN ",\"workers\":-1}", "workers"},
    {"an offset as long as a life", "{" PLAIN ",\"challenge\":{\"offset_s\":300}}", "challenge.offset_s"},
    {"a flag that is a number", "{" PLAIN ",\"explanations\":1}", "explanations"},
    {"null", "{" PLAIN ",\"explanations\":null}", "explanations"},
    {"a word that is none", "{" PLAIN ",\"records\":{\"when\":\"sometimes\"}}", "records.when"},
    {"a prefix of a word", "{" PLAIN ",\"records\":{\"when\":\"fail\"}}", "records.when"},
    {"a path without a slash", "{" PLAIN ",\"paths\":{\"challenge\":\"a\"}}", "paths.challenge"},
    {"a path with a query", "{" PLAIN ",\"paths\":{\"challenge\":\"/a?b\"}}", "paths.challenge"},
    {"two paths that are one", "{" PLAIN ",\"paths\":{\"challenge\":\"/a\",\"attest\":\"/a\"}}", "paths.attest"},
    {"an empty text", "{" PLAIN ",\"store\":\"\"}", "store"},
    {"a text with a control character", "{" PLAIN ",\"store\":\"a\\nb\"}", "store"},
    {"a policy that is a list", "{" MUST ",\"apple\":[],\"ca\":{\"folder\":\"ca\"}}", "apple"},
    {"a policy in a file that is not there", "{" MUST ",\"apple\":\"nowhere.json\",\"ca\":{\"folder\":\"ca\"}}",
     "apple"},
    {"test mode with the production CA", "{" PLAIN ",\"insecure_test_mode\":true,\"insecure_test_ca\":\"t\"}", "ca"},
    {"test mode without a CA of its own", "{" MUST ",\"apple\":{},\"insecure_test_mode\":true}", "insecure_test_ca"},
    {"a test CA in production", "{" PLAIN ",\"insecure_test_ca\":\"t\"}", "insecure_test_ca"},
    {"test mode", "{" MUST ",\"apple\":{},\"insecure_test_mode\":true,\"insecure_test_ca\":\"t\"}", NULL},
    {"a list", "[]", "configuration"},
    {"nothing", "", "/etc/atls/enrol.json"},
};

static void judges(void **state)
{
    const struct row *r = *state;
    svc_config c;
    atls_error err;
    const bool ok = parse(r->json, &c, &err);
    if (r->field == NULL) {
        assert_string_equal(err.message, "");
        assert_true(ok);
        return;
    }
    assert_false(ok);
    assert_string_equal(err.field, r->field);
    assert_int_equal(err.code, strstr(r->name, "not there") != NULL ? ATLS_E_IO : ATLS_E_CONFIGURATION);
}

static void fills_in(void **state)
{
    svc_config c;
    atls_error err;
    (void)state;
    assert_true(parse("{" PLAIN ",\"store\":\"sqlite:enrol.db\",\"limits\":{\"queue\":7}}", &c, &err));
    assert_string_equal(c.ca_folder, "/etc/atls/ca");
    assert_string_equal(c.audit_file, "/etc/atls/a");
    assert_string_equal(c.store, "sqlite:/etc/atls/enrol.db");
    assert_true(c.queue == 7 && c.workers == 4 && c.validity_s == 300 && c.nonce_len == 32 && c.max_body_len == 262144);
    assert_true(c.explanations && c.records_redact && !c.insecure_test_mode);
    assert_string_equal(c.challenge_path, "/api/v1/challenge");
    assert_true(atls_bytes_equal_str(c.apple, "{\"type\":\"apple_app_attest\"}"));
    assert_int_equal(svc_config_when(&c), ATLS_RECORD_NEVER); /* no folder */
    assert_true(parse("{" PLAIN ",\"store\":\"sqlite:/a/b\",\"ca\":{\"key\":\"pkcs11:token=t\"},\"ca\":1}", &c, &err)
                == false);
    assert_true(parse("{" MUST ",\"apple\":{\"a\":1},\"ca\":{\"key\":\"pkcs11:token=t\"},\"store\":\"sqlite:/a/b\"}",
                      &c, &err));
    assert_string_equal(c.ca_key, "pkcs11:token=t");
    assert_string_equal(c.store, "sqlite:/a/b");
    assert_true(atls_bytes_equal_str(c.apple, "{\"type\":\"apple_app_attest\",\"a\":1}"));
    assert_true(parse("{" MUST ",\"apple\":{},\"ca\":{\"key\":\"k.pem\"}}", &c, &err));
    assert_string_equal(c.ca_key, "/etc/atls/k.pem");
}

static const struct warn_row {
    const char *name;
    const char *json;
    const char *words; /* NULL: none */
} warn_rows[] = {
    {"nothing to warn of", "{" PLAIN "}", NULL},
    {"test mode warns",
     "{" MUST ",\"apple\":{},\"insecure_test_mode\":true,\"insecure_test_ca\":\"t\",\"audit_file\":\"a\"}",
     "insecure_test_mode"},
    {"plain HTTP warns", "{" PLAIN ",\"insecure_plain_http\":true}", "insecure_plain_http"},
    {"public health warns", "{" PLAIN ",\"admin_listen\":\"0.0.0.0:1\"}", "admin_listen"},
    {"another path of the endpoint warns", "{" PLAIN ",\"paths\":{\"attest\":\"/b\"}}", "endpoint"},
    {"another time warns", "{" PLAIN ",\"verification_time_offset_s\":1}", "verification_time_offset_s"},
    {"no audit log warns", "{" MUST ",\"apple\":{},\"ca\":{\"folder\":\"ca\"}}", "audit_file"},
    {"records as they are warn", "{" PLAIN ",\"records\":{\"folder\":\"r\",\"redact\":false}}", "records.redact"},
    {"no rate warns", "{" PLAIN ",\"limits\":{\"attest_per_minute\":0}}", "rate"},
};

static void warns(void **state)
{
    const struct warn_row *r = *state;
    svc_config c;
    atls_error err;
    assert_true(parse(r->json, &c, &err));
    assert_int_equal(c.n_warnings, r->words == NULL ? 0 : 1);
    assert_true(r->words == NULL || strstr(c.warnings[0], r->words) != NULL);
}

static char *text_of(void (*print)(FILE *f))
{
    char *text = NULL;
    size_t len = 0;
    FILE *f = open_memstream(&text, &len);
    assert_non_null(f);
    print(f);
    assert_int_equal(fclose(f), 0);
    return text;
}

static void the_example_is_accepted(void **state)
{
    svc_config c;
    atls_error err;
    char *text = text_of(svc_config_example);
    (void)state;
    assert_true(parse(text, &c, &err));
    assert_int_equal(c.n_warnings, 0);
    free(text);
}

/* The manual cannot speak of members that are not there, nor leave one out: its table is the program's. */
static void the_manual_is_the_table(void **state)
{
    static char manual[256 * 1024];
    char *table = text_of(svc_config_reference);
    (void)state;
    FILE *f = fopen("docs/enrolment-service.md", "r");
    assert_non_null(f);
    manual[fread(manual, 1, sizeof manual - 1, f)] = '\0';
    (void)fclose(f);
    if (strstr(manual, table) == NULL) {
        fail_msg("docs/enrolment-service.md does not hold what `atls enrol serve --print-reference` prints");
    }
    free(table);
}

static void groups_are_not_members(void **state)
{
    (void)state;
    for (size_t i = 0; i < svc_n_members; i++) {
        for (size_t k = 0; k < svc_n_members; k++) {
            const size_t n = strlen(svc_members[i].path);
            assert_false(i != k && strcmp(svc_members[i].path, svc_members[k].path) == 0);
            assert_false(strncmp(svc_members[k].path, svc_members[i].path, n) == 0 && svc_members[k].path[n] == '.');
        }
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, judges, &rows[i]);
    }
    tap_add(&l, "defaults, and names of files", fills_in, NULL);
    for (size_t i = 0; i < sizeof warn_rows / sizeof warn_rows[0]; i++) {
        tap_add(&l, warn_rows[i].name, warns, &warn_rows[i]);
    }
    tap_add(&l, "the example", the_example_is_accepted, NULL);
    tap_add(&l, "groups and members", groups_are_not_members, NULL);
    tap_add(&l, "the manual", the_manual_is_the_table, NULL);
    return tap_run("service_config", &l);
}
