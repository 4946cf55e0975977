/* SPDX-License-Identifier: Apache-2.0 */
/* test_nitro_policy.c: documents of type nitro: what is refused before any evidence is there, what a policy says of itself in
 * a result, and the registers that names stand for. */
#include <openssl/sha.h>

#include "base/json.h"
#include "nitro_room.h"
#include "pki/cert.h"

#define ZEROS "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
#define ONES  "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"

/* ---- documents ---- */

static const struct document {
    const char *members;
    const char *field; /* of the error; NULL: accepted */
} documents[] = {
    {"", NULL},
    {",\"description\":\"x\",\"min_grade\":\"session\",\"attested_only\":true,\"max_session_age\":10", NULL},
    {",\"document\":\"enclave\"", NULL},
    {",\"document\":\"nitrotpm\",\"pcrs\":{\"4\":\"" ONES "\",\"7\":[\"" ONES "\",\"" ZEROS "\"]}", NULL},
    {",\"document\":\"tpm\"", "document"},
    {",\"document\":null", "document"},
    {",\"pcrs\":{\"0\":\"" ONES "\"}", NULL},
    {",\"pcrs\":{\"31\":[\"" ONES "\",\"" ZEROS "\"]}", NULL},
    {",\"pcrs\":{}", "pcrs"},
    {",\"pcrs\":[]", "pcrs"},
    {",\"pcrs\":{\"32\":\"" ONES "\"}", "pcrs.32"},
    {",\"pcrs\":{\"00\":\"" ONES "\"}", "pcrs.00"},
    {",\"pcrs\":{\"PCR0\":\"" ONES "\"}", "pcrs.PCR0"},
    {",\"pcrs\":{\"0\":[]}", "pcrs.0"},
    {",\"pcrs\":{\"0\":\"11\"}", "pcrs.0"},
    {",\"pcrs\":{\"5\":[\"" ONES "\",7]}", "pcrs.5[1]"},
    {",\"pcrs\":{\"0\":\"" ZEROS "\"}", "pcrs.0"},
    {",\"pcrs\":{\"1\":[\"" ONES "\",\"" ZEROS "\"]}", "pcrs.1"},
    {",\"pcrs\":{\"2\":\"" ZEROS "\"}", "pcrs.2"},
    {",\"pcrs\":{\"2\":\"" ZEROS "\"},\"insecure_allow_debug\":true", NULL},
    {",\"document\":\"nitrotpm\",\"pcrs\":{\"0\":\"" ZEROS "\"}", NULL},
    {",\"pcr0\":\"" ONES "\"", "pcr0"},
    {",\"role_arn\":\"arn:aws:iam::123456789012:role/a\"", NULL},
    {",\"role_arn\":\"arn:aws-us-gov:iam::123456789012:role/path/a\"", NULL},
    {",\"role_arn\":\"arn:aws:iam::123456789012:user/a\"", "role_arn"},
    {",\"role_arn\":[\"arn:aws:iam::1:role/a\",\"a\"]", "role_arn[1]"},
    {",\"role_arn\":[]", "role_arn"},
    {",\"instance_id\":\"i-01234567\"", NULL},
    {",\"instance_id\":\"i-0123456789abcdef0\"", NULL},
    {",\"instance_id\":\"i-0123456789ABCDEF0\"", "instance_id"},
    {",\"instance_id\":\"i-012345678\"", "instance_id"},
    {",\"instance_id\":\"0123456789abcdef0\"", "instance_id"},
    {",\"signing_certificate\":\"" ONES "\"", NULL},
    {",\"signing_certificate\":\"1111\"", "signing_certificate"},
    {",\"signing_certificate\":\"-----BEGIN\"", "signing_certificate"},
    {",\"module_id\":\"\"", "module_id"},
    {",\"module_id\":[\"a\",\"b\"]", NULL},
    {",\"region\":\"us-east-1\"", NULL},
    {",\"region\":1", "region"},
    {",\"nonce\":\"01\"", NULL},
    {",\"nonce\":\"\"", "nonce"},
    {",\"nonce\":\"012\"", "nonce"},
    {",\"nonce\":\"0g\"", "nonce"},
    {",\"nonce\":null", "nonce"},
    {",\"public_key_sha256\":\"1111111111111111111111111111111111111111111111111111111111111111\"", NULL},
    {",\"public_key_sha256\":\"11\"", "public_key_sha256"},
    {",\"max_age\":1", NULL},
    {",\"max_age\":0", "max_age"},
    {",\"max_age\":4294967296", "max_age"},
    {",\"max_age\":\"300\"", "max_age"},
    {",\"revocation\":\"require\"", NULL},
    {",\"revocation\":\"off\"", "revocation"},
    {",\"insecure_historic\":true", NULL},
    {",\"insecure_historic\":1", "insecure_historic"},
    {",\"insecure_historic\":true,\"max_age\":300", "max_age"},
    {",\"document\":\"nitrotpm\",\"role_arn\":\"arn:aws:iam::1:role/a\"", "role_arn"},
    {",\"document\":\"nitrotpm\",\"instance_id\":\"i-01234567\"", "instance_id"},
    {",\"document\":\"nitrotpm\",\"signing_certificate\":\"" ONES "\"", "signing_certificate"},
    {",\"document\":\"nitrotpm\",\"insecure_allow_debug\":true", "insecure_allow_debug"},
    {",\"allowed_tcb_status\":[\"UpToDate\"]", "allowed_tcb_status"},
    {",\"mrtd\":\"" ONES "\"", "mrtd"},
    {",\"historic\":true", "historic"},
};

static void test_document(void **state)
{
    const struct document *d = *state;
    char text[1024];
    atls_policy *policy = NULL;
    atls_error err = {0};
    snprintf(text, sizeof text, "{\"type\":\"nitro\"%s}", d->members);
    const bool ok = atls_policy_parse(atls_bytes_str(text), &policy, &err);
    if (ok != (d->field == NULL) || (!ok && (err.code != ATLS_E_CONFIGURATION || strcmp(err.field, d->field) != 0))) {
        char line[512];
        (void)atls_error_line(&err, line, sizeof line);
        fail_msg("%s: %s", text, ok ? "accepted" : line);
    }
    assert_true(!ok || strcmp(atls_policy_kind(policy), "nitro") == 0);
    atls_policy_free(policy);
}

/* The largest lists fit into a policy's memory. */
static void test_large(void **state)
{
    static char text[64 * 1024];
    atls_policy *policy = NULL;
    atls_error err = {0};
    size_t n = 0;
    (void)state;
    n += (size_t)snprintf(text + n, sizeof text - n, "{\"type\":\"nitro\",\"instance_id\":[");
    for (unsigned i = 0; i < 256; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"i-%08x\"", i == 0 ? "" : ",", i);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "],\"role_arn\":[");
    for (unsigned i = 0; i < 256; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"arn::role/%u\"", i == 0 ? "" : ",", i);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "],\"module_id\":[");
    for (unsigned i = 0; i < 256; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"x\"", i == 0 ? "" : ",");
    }
    (void)snprintf(text + n, sizeof text - n, "]}");
    scene_must(atls_policy_parse(atls_bytes_str(text), &policy, &err), &err, "large lists");
    atls_policy_free(policy);
}

/* ---- which code ---- */

static const struct naming {
    const char *name;
    bool is_nitrotpm;
    const char *pcrs; /* which registers the policy names, in the room's own values */
    bool names_code;
    bool names_signer_only;
} namings[] = {
    {"PCR0", false, "0", true, false},
    {"PCR1 and PCR2", false, "12", true, false},
    {"PCR1 alone", false, "1", false, false},
    {"PCR2 alone", false, "2", false, false},
    {"PCR3 and PCR4", false, "34", false, false},
    {"PCR8", false, "8", true, true},
    {"PCR0 and PCR8", false, "08", true, false},
    {"nothing", false, "", false, false},
    {"a NitroTPM's PCR4", true, "4", true, false},
    {"a NitroTPM's PCR7", true, "7", true, true},
    {"a NitroTPM's PCR4 and PCR7", true, "47", true, false},
    {"a NitroTPM's PCR0", true, "0", false, false},
};

static void put_pcr(char *out, size_t size, char digit, bool first)
{
    char hex[97];
    uint8_t value[48];
    memset(value, 0x40 + (digit - '0'), sizeof value);
    for (size_t i = 0; i < sizeof value; i++) {
        snprintf(hex + 2 * i, 3, "%02x", value[i]);
    }
    const size_t n = strlen(out);
    snprintf(out + n, size - n, "%s\"%c\":\"%s\"", first ? "" : ",", digit, hex);
}

/* Registers 0 to 8 of the room are of one repeated byte each, and the policy names some of them. */
static void test_naming(void **state)
{
    static const char *const settings[] = {"pcr.0=48x40", "pcr.1=48x41", "pcr.2=48x42", "pcr.3=48x43",
                                           "pcr.4=48x44", "pcr.7=48x47", "pcr.8=48x48", NULL};
    const struct naming *n = *state;
    char policy[2048];
    room_scene s;
    room_open(&s, n->is_nitrotpm, settings);
    const char *roots = strstr(s.policy, "\"trusted_roots\"");
    assert_non_null(roots);
    snprintf(policy, sizeof policy, "{\"type\":\"nitro\",\"document\":\"%s\",%.*s",
             n->is_nitrotpm ? "nitrotpm" : "enclave", (int)(strchr(roots, ']') + 1 - roots), roots);
    for (size_t i = 0; n->pcrs[i] != '\0'; i++) {
        if (i == 0) {
            strncat(policy, ",\"pcrs\":{", sizeof policy - strlen(policy) - 1);
        }
        put_pcr(policy, sizeof policy, n->pcrs[i], i == 0);
    }
    strncat(policy, n->pcrs[0] == '\0' ? "}" : "}}", sizeof policy - strlen(policy) - 1);
    scene_run(&s.s, policy);
    scene_expect(&s.s, ATLS_OK, NULL);
    assert_int_equal(s.s.result.runtime_verified, n->names_code);
    assert_int_equal(scene_check(&s.s, "policy.reference_values") == NULL, n->names_code);
    assert_int_equal(scene_check(&s.s, "nitro.image") != NULL, n->names_signer_only);
    room_close(&s);
}

/* A register of zeros names nothing: an unsigned image, an unused register. */
static void test_zero_names_nothing(void **state)
{
    static const char *const settings[] = {"-policy.pcrs", "policy.pcrs={\"8\":\"" ZEROS "\"}", NULL};
    room_scene s;
    (void)state;
    room_open(&s, false, settings);
    scene_run(&s.s, s.policy);
    scene_expect(&s.s, ATLS_OK, NULL);
    assert_false(s.s.result.runtime_verified);
    room_close(&s);
}

/* ---- signing certificates ---- */

static void pcr8_of(const uint8_t digest[48], char hex[97])
{
    uint8_t in[96] = {0};
    uint8_t pcr[48];
    memcpy(in + 48, digest, 48);
    SHA384(in, sizeof in, pcr);
    for (size_t i = 0; i < sizeof pcr; i++) {
        snprintf(hex + 2 * i, 3, "%02x", pcr[i]);
    }
}

/* The certificate stands in the policy as PEM or as its SHA-384; both are what PCR8 holds. */
static void test_signer(void **state)
{
    const bool as_pem = *state != NULL;
    room_scene s;
    room_open(&s, false, NULL);
    const atls_bytes der = sim_nitro_certificate(s.room, "leaf");
    uint8_t digest[48];
    char hex[97];
    char setting[128];
    char fingerprint[97];
    atls_bytes pem;
    SHA384(der.ptr, der.len, digest);
    pcr8_of(digest, hex);
    snprintf(setting, sizeof setting, "pcr.8=%s", hex);
    for (size_t i = 0; i < sizeof digest; i++) {
        snprintf(fingerprint + 2 * i, 3, "%02x", digest[i]);
    }
    assert_true(atls_pem_encode(der, "CERTIFICATE", &s.s.arena, &pem, &s.s.err));
    atls_buf b;
    atls_jw w;
    atls_bytes quoted;
    atls_buf_init(&b, &s.s.arena, &s.s.err);
    atls_jw_init(&w, &b);
    atls_jw_string(&w, NULL, as_pem ? pem : atls_bytes_str(fingerprint));
    assert_true(atls_buf_done(&b, &quoted));
    const char *signer = atls_text_format(&s.s.arena, &s.s.err, "policy.signing_certificate=%.*s", (int)quoted.len,
                                          (const char *)quoted.ptr);
    const char *const signed_image[] = {setting, signer, "-policy.pcrs", NULL};
    const char *const other_image[] = {signer, "-policy.pcrs", NULL};
    room_scene good;
    room_scene bad;
    room_open(&good, false, signed_image);
    scene_run(&good.s, good.policy);
    scene_expect(&good.s, ATLS_OK, NULL);
    assert_true(good.s.result.runtime_verified);
    assert_int_equal(scene_check(&good.s, "nitro.image")->verdict, ATLS_CHECK_SKIPPED);
    room_open(&bad, false, other_image);
    scene_run(&bad.s, bad.policy);
    scene_expect(&bad.s, ATLS_E_MEASUREMENT_MISMATCH, "document.payload.pcrs[8]");
    room_close(&bad);
    room_close(&good);
    room_close(&s);
}

/* ---- what is said of it ---- */

static const atls_json *parse(scene *s, atls_bytes text)
{
    const atls_json *json = NULL;
    assert_true(atls_json_parse(text, "json", &s->arena, &json, &s->err));
    return json;
}

/* The result's JSON names the kind, the registers, and that the document was judged at its own time. */
static void test_json(void **state)
{
    static const char *const settings[] = {"nonce=0102", "policy.insecure_historic=true", NULL};
    const bool is_nitrotpm = *state != NULL;
    room_scene s;
    atls_bytes text;
    room_open(&s, is_nitrotpm, settings);
    scene_run(&s.s, s.policy);
    scene_expect(&s.s, ATLS_OK, NULL);
    assert_true(atls_result_json(&s.s.result, NULL, &s.s.arena, &text, &s.s.err));
    const atls_json *claims = atls_json_find(atls_json_find(parse(&s.s, text), "claims"), "nitro");
    assert_non_null(claims);
    assert_true(atls_bytes_equal_str(atls_json_find(claims, "document")->text, is_nitrotpm ? "nitrotpm" : "enclave"));
    assert_int_equal(atls_json_find(claims, "is_nitrotpm")->type, is_nitrotpm ? ATLS_JSON_TRUE : ATLS_JSON_FALSE);
    assert_int_equal(atls_json_find(claims, "historic")->type, ATLS_JSON_TRUE);
    assert_int_equal(atls_json_find(claims, "pcrs")->n, is_nitrotpm ? 24 : 16);
    assert_true(atls_bytes_equal_str(atls_json_find(claims, "nonce")->text, "0102"));
    assert_int_equal(atls_json_find(claims, "public_key")->type, ATLS_JSON_NULL);
    assert_true(atls_bytes_equal_str(atls_json_find(claims, "region")->text, "sim-east-1"));
    room_close(&s);
}

#define ADD(table, function)                                                                                           \
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {                                                      \
        tap_add(&tests, table[i].name, function, &table[i]);                                                           \
    }

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        tap_add(&tests, documents[i].members, test_document, &documents[i]);
    }
    tap_add(&tests, "large lists", test_large, NULL);
    ADD(namings, test_naming)
    tap_add(&tests, "a register of zeros names no code", test_zero_names_nothing, NULL);
    tap_add(&tests, "a signing certificate by its hash", test_signer, NULL);
    tap_add(&tests, "a signing certificate as PEM", test_signer, "pem");
    tap_add(&tests, "an enclave's result as JSON", test_json, NULL);
    tap_add(&tests, "a NitroTPM's result as JSON", test_json, "tpm");
    return tap_run("nitro_policy", &tests);
}
