/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrolled_cases.c: an honest phone's certificate is accepted, and with one change it dies at the check that is for that
 * change, by code and field. */
#include "base/text.h"
#include "enrol/authority.h"
#include "verify/again.h"

#define HONEST "\"applications\":[\"" AUTHORITY_APP "\"],\"min_security_level\":\"TRUSTED_ENVIRONMENT\""

typedef struct scene {
    authority a;
    atls_arena arena;
    atls_error err;
    const char *members;  /* of the policy, besides type and roots */
    bool policy_has_pem;  /* the root stands in the policy; else its hash */
    bool policy_of_other; /* and it is another root */
    bool no_root;         /* the chain leaves it out */
    bool no_ca;
    bool ca_twice;
    bool root_alone;
    bool cut;      /* a byte of the last certificate is missing */
    bool trailing; /* a byte behind it */
    bool many;
    atls_time now;
    atls_binding binding;
    atls_bytes crls[2];
    size_t n_crls;
    atls_code no_lists; /* the source of lists fails with this; OK: it does not */
    struct {
        bool present;
        long serial;
        long from_s;
        long until_s;
        bool of_other; /* signed by somebody else */
    } list, root_list;
    atls_result result;
    bool accepted;
} scene;

typedef struct row {
    const char *name;
    void (*change)(scene *s);
    atls_code code;
    const char *field;
} row;

/* ---- changes ---- */

#define CHANGE(name, statement)                                                                                        \
    static void name(scene *s)                                                                                         \
    {                                                                                                                  \
        statement;                                                                                                     \
    }

CHANGE(root_in_policy, s->policy_has_pem = true)
CHANGE(root_left_out, s->policy_has_pem = true; s->no_root = true)
CHANGE(root_left_out_hash, s->no_root = true)
CHANGE(other_root, s->policy_of_other = true)
CHANGE(other_root_held, s->policy_of_other = true; s->policy_has_pem = true; s->no_root = true)
CHANGE(no_issuer, s->no_ca = true)
CHANGE(issuer_twice, s->ca_twice = true; s->a.ca.constraints = "critical,CA:TRUE")
CHANGE(only_root, s->root_alone = true)
CHANGE(cut_short, s->cut = true)
CHANGE(trailing_byte, s->trailing = true)
CHANGE(too_many, s->many = true)
CHANGE(phone_spoilt, s->a.phone.spoilt = true)
CHANGE(ca_spoilt, s->a.ca.spoilt = true)
CHANGE(phone_by_other, s->a.phone.signer = s->a.other_key)
CHANGE(phone_of_other_name, s->a.phone.issuer_cn = "another CA")
CHANGE(phone_expired, s->a.phone.until_s = -1)
CHANGE(phone_expires_now, s->a.phone.until_s = 0)
CHANGE(phone_early, s->a.phone.from_s = 1)
CHANGE(ca_expired, s->a.ca.until_s = -1)
CHANGE(root_expired, s->a.root.until_s = -1)
CHANGE(held_root_expired, s->a.root.until_s = -1; s->policy_has_pem = true; s->no_root = true)
CHANGE(phone_is_ca, s->a.phone.constraints = "critical,CA:TRUE")
CHANGE(ca_is_none, s->a.ca.constraints = "critical,CA:FALSE")
CHANGE(ca_signs_nothing, s->a.ca.usage = "critical,digitalSignature")
CHANGE(phone_signs_certificates, s->a.phone.usage = "critical,digitalSignature,keyCertSign")
CHANGE(phone_signs_nothing, s->a.phone.usage = "critical,keyAgreement")
CHANGE(server_certificate, s->a.phone.extended = "serverAuth")
CHANGE(server_and_client, s->a.phone.extended = "serverAuth,clientAuth")
CHANGE(no_purpose, s->a.phone.extended = NULL)
CHANGE(any_purpose, s->a.phone.extended = "anyExtendedKeyUsage")
CHANGE(ca_for_servers, s->a.ca.extended = "serverAuth")
CHANGE(ca_for_clients, s->a.ca.extended = "clientAuth")
CHANGE(unknown_critical, s->a.phone.unknown_critical = true)
CHANGE(attested_critical, s->a.phone.attested_critical = true)
CHANGE(attested_broken, s->a.phone.attested_broken = true)
CHANGE(attested_missing, s->a.phone.has_attested = false)
CHANGE(other_app, s->a.phone.attested.app = atls_bytes_str("org.example.other"))
CHANGE(longer_app, s->a.phone.attested.app = atls_bytes_str(AUTHORITY_APP "."))
CHANGE(software, s->a.phone.attested.security_level = "SOFTWARE")
CHANGE(strong_box, s->a.phone.attested.security_level = "STRONG_BOX")
static void an_iphone(scene *s)
{
    s->a.phone.attested.platform = ATLS_PLATFORM_APPLE;
    s->a.phone.attested.security_level = "SECURE_ENCLAVE";
}
static void only_android(scene *s)
{
    an_iphone(s);
    s->members = "\"platforms\":[\"android\"]";
}
static void only_apple(scene *s)
{
    an_iphone(s);
    s->members = "\"platforms\":[\"apple\"],\"min_security_level\":\"STRONG_BOX\"";
}
CHANGE(wants_strong_box, s->members = "\"min_security_level\":\"STRONG_BOX\"")
CHANGE(software_by_default, software(s); s->members = "\"applications\":[\"" AUTHORITY_APP "\"]")
CHANGE(software_allowed, software(s); s->members = "\"min_security_level\":\"SOFTWARE\"")
CHANGE(any_app, s->members = "\"description\":\"any app\"")
CHANGE(same_policy, s->members = "\"policy_sha256\":["
                                 "\"0000000000000000000000000000000000000000000000000000000000000000\","
                                 "\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a\"]")
CHANGE(other_policy, s->members = "\"policy_sha256\":["
                                  "\"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5b\"]")
CHANGE(plain_allowed, attested_missing(s); s->members = "\"insecure_allow_no_extension\":true")
CHANGE(plain_broken, attested_broken(s); s->members = "\"insecure_allow_no_extension\":true")
CHANGE(other_key, authority_spki_sha256(s->a.other_key, s->binding.value))
CHANGE(one_bit, s->binding.value[31] ^= 1)
CHANGE(shorter, s->binding.value[31] = 0; s->binding.value_len = 31)
CHANGE(no_binding, s->binding = (atls_binding){.profile = "atls/1"})
CHANGE(list_empty, s->list.present = true)
CHANGE(listed, s->list.present = true; s->list.serial = 7)
CHANGE(listed_other, s->list.present = true; s->list.serial = 8)
CHANGE(list_forged, s->list.present = true; s->list.serial = 7; s->list.of_other = true)
CHANGE(listed_long_ago, s->list.present = true; s->list.serial = 7; s->list.from_s = -20L * DAY;
       s->list.until_s = -10L * DAY)
CHANGE(ca_listed, s->root_list.present = true; s->root_list.serial = 5)
#define REQUIRE HONEST ",\"revocation\":\"require\""
CHANGE(required, s->members = REQUIRE)
CHANGE(required_there, s->members = REQUIRE; s->list.present = true; s->root_list.present = true)
CHANGE(required_half, s->members = REQUIRE; s->list.present = true)
CHANGE(required_held, required_there(s); s->policy_has_pem = true; s->no_root = true)
CHANGE(required_old, required_there(s); s->list.until_s = -1)
CHANGE(required_forged, required_there(s); s->list.of_other = true)
CHANGE(lists_missing, s->no_lists = ATLS_E_ENDORSEMENTS_MISSING)
CHANGE(lists_too_large, listed(s); s->no_lists = ATLS_E_MEMORY)
CHANGE(listed_and_off, listed(s); s->members = HONEST ",\"revocation\":\"insecure_off\"")

static const row rows[] = {
    {"an honest phone", NULL, ATLS_OK, NULL},
    {"the root stands in the policy", root_in_policy, ATLS_OK, NULL},
    {"and the chain leaves it out", root_left_out, ATLS_OK, NULL},
    {"the last second", phone_expires_now, ATLS_OK, NULL},
    {"server and client in one", server_and_client, ATLS_OK, NULL},
    {"an authority for clients", ca_for_clients, ATLS_OK, NULL},
    {"StrongBox is more than what is asked for", strong_box, ATLS_OK, NULL},
    {"an iPhone", an_iphone, ATLS_OK, NULL},
    {"an iPhone where only those will do, as well kept as StrongBox", only_apple, ATLS_OK, NULL},
    {"the policy of the enrolment is one of two", same_policy, ATLS_OK, NULL},
    {"any app", any_app, ATLS_OK, NULL},
    {"software, which the policy allows", software_allowed, ATLS_OK, NULL},
    {"no extension, which the policy allows", plain_allowed, ATLS_OK, NULL},
    {"a current list without it", list_empty, ATLS_OK, NULL},
    {"a list with others", listed_other, ATLS_OK, NULL},
    {"a list that somebody else signed is none", list_forged, ATLS_OK, NULL},
    {"a source that has no list", lists_missing, ATLS_OK, NULL},
    {"lists are required, and there", required_there, ATLS_OK, NULL},
    {"also of a root that the policy holds", required_held, ATLS_OK, NULL},
    {"lists are switched off", listed_and_off, ATLS_OK, NULL},
    /* decode */
    {"cut short", cut_short, ATLS_E_EVIDENCE_FORMAT, "chain"},
    {"a byte behind it", trailing_byte, ATLS_E_EVIDENCE_FORMAT, "chain"},
    {"too many certificates", too_many, ATLS_E_EVIDENCE_FORMAT, "chain"},
    /* authenticate */
    {"a root that is left out, and known by its hash alone", root_left_out_hash, ATLS_E_CERTIFICATE_CHAIN,
     "chain[1].root"},
    {"another authority", other_root, ATLS_E_CERTIFICATE_CHAIN, "chain[2].root"},
    {"another authority of the same name", other_root_held, ATLS_E_CERTIFICATE_CHAIN, "chain[1].signature"},
    {"the issuer is missing", no_issuer, ATLS_E_CERTIFICATE_CHAIN, "chain[0].issuer"},
    {"the issuer stands there twice", issuer_twice, ATLS_E_CERTIFICATE_CHAIN, "chain[1].issuer"},
    {"the authority itself", only_root, ATLS_E_CERTIFICATE_CHAIN, "chain[0].root"},
    {"a bit of the signature", phone_spoilt, ATLS_E_CERTIFICATE_CHAIN, "chain[0].signature"},
    {"a bit of the issuer's signature", ca_spoilt, ATLS_E_CERTIFICATE_CHAIN, "chain[1].signature"},
    {"signed by somebody else", phone_by_other, ATLS_E_CERTIFICATE_CHAIN, "chain[0].signature"},
    {"issued by another name", phone_of_other_name, ATLS_E_CERTIFICATE_CHAIN, "chain[0].issuer"},
    {"expired", phone_expired, ATLS_E_EXPIRED, "chain[0].not_after"},
    {"not valid yet", phone_early, ATLS_E_NOT_YET_VALID, "chain[0].not_before"},
    {"the issuer expired", ca_expired, ATLS_E_EXPIRED, "chain[1].not_after"},
    {"the root expired", root_expired, ATLS_E_EXPIRED, "chain[2].not_after"},
    {"the root that the policy holds expired", held_root_expired, ATLS_E_EXPIRED, "chain[2].not_after"},
    {"a phone that is an authority", phone_is_ca, ATLS_E_CERTIFICATE_CHAIN, "chain[0].basic_constraints"},
    {"an issuer that is no authority", ca_is_none, ATLS_E_CERTIFICATE_CHAIN, "chain[1].basic_constraints"},
    {"an issuer that signs no certificates", ca_signs_nothing, ATLS_E_CERTIFICATE_CHAIN, "chain[1].key_usage"},
    {"a phone that signs certificates", phone_signs_certificates, ATLS_E_CERTIFICATE_CHAIN, "chain[0].key_usage"},
    {"a phone that signs nothing", phone_signs_nothing, ATLS_E_CERTIFICATE_CHAIN, "chain[0].key_usage"},
    {"a server's certificate", server_certificate, ATLS_E_CERTIFICATE_CHAIN, "chain[0].extended_key_usage"},
    {"a certificate for nothing in particular", no_purpose, ATLS_E_CERTIFICATE_CHAIN, "chain[0].extended_key_usage"},
    {"a certificate for anything", any_purpose, ATLS_E_CERTIFICATE_CHAIN, "chain[0].extended_key_usage"},
    {"an issuer for servers", ca_for_servers, ATLS_E_CERTIFICATE_CHAIN, "chain[1].extended_key_usage"},
    {"a critical extension that nobody knows", unknown_critical, ATLS_E_CERTIFICATE_CHAIN,
     "chain[0].critical_extension"},
    {"the extension is critical", attested_critical, ATLS_E_CERTIFICATE_CHAIN, "chain[0].critical_extension"},
    {"revoked", listed, ATLS_E_REVOKED, "chain[0]"},
    {"revoked by a list that is old", listed_long_ago, ATLS_E_REVOKED, "chain[0]"},
    {"the issuer is revoked", ca_listed, ATLS_E_REVOKED, "chain[1]"},
    {"no memory for the list that revokes", lists_too_large, ATLS_E_MEMORY, "lists"},
    {"lists are required, and missing", required, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.crl"},
    {"the issuer's list alone is there", required_half, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.crl"},
    {"lists are required, and old", required_old, ATLS_E_EXPIRED, "endorsements.crl.not_after"},
    {"lists are required, and forged", required_forged, ATLS_E_CRL, "endorsements.crl.signature"},
    {"an extension with a byte behind it", attested_broken, ATLS_E_EVIDENCE_FORMAT, "chain[0].attested_key"},
    {"the same where none is needed", plain_broken, ATLS_E_EVIDENCE_FORMAT, "chain[0].attested_key"},
    /* bind */
    {"another key", other_key, ATLS_E_REPORT_DATA_MISMATCH, "chain[0].subject_public_key"},
    {"one bit of the key's hash", one_bit, ATLS_E_REPORT_DATA_MISMATCH, "chain[0].subject_public_key"},
    {"31 bytes of it", shorter, ATLS_E_REPORT_DATA_MISMATCH, "chain[0].subject_public_key"},
    {"a session without a binding", no_binding, ATLS_E_GRADE, "min_grade"},
    /* appraise */
    {"no extension", attested_missing, ATLS_E_ENROLLED_EXTENSION, "chain[0].attested_key"},
    {"another app", other_app, ATLS_E_ENROLLED_APPLICATION, "chain[0].attested_key.app"},
    {"an app of a longer name", longer_app, ATLS_E_ENROLLED_APPLICATION, "chain[0].attested_key.app"},
    {"software", software, ATLS_E_ENROLLED_SECURITY_LEVEL, "chain[0].attested_key.security_level"},
    {"software, and the policy says nothing", software_by_default, ATLS_E_ENROLLED_SECURITY_LEVEL,
     "chain[0].attested_key.security_level"},
    {"a TEE where StrongBox is asked for", wants_strong_box, ATLS_E_ENROLLED_SECURITY_LEVEL,
     "chain[0].attested_key.security_level"},
    {"an iPhone where Android is asked for", only_android, ATLS_E_ENROLLED_APPLICATION,
     "chain[0].attested_key.platform"},
    {"another policy of the enrolment", other_policy, ATLS_E_ENROLLED_POLICY, "chain[0].attested_key.policy_sha256"},
};

/* ---- a scene ---- */

static void scene_open(scene *s)
{
    *s = (scene){.members = HONEST,
                 .now = AUTHORITY_NOW,
                 .binding = {.grade = ATLS_GRADE_KEY, .profile = "atls/1", .value_len = 32},
                 .list = {.from_s = -DAY, .until_s = DAY},
                 .root_list = {.from_s = -DAY, .until_s = DAY}};
    assert_true(atls_arena_new(&s->arena, ATLS_ARENA_DEFAULT_SIZE, &s->err));
    authority_open(&s->a);
    authority_spki_sha256(s->a.phone_key, s->binding.value);
}

static void scene_close(scene *s)
{
    authority_close(&s->a);
    atls_arena_free(&s->arena);
}

static void put(uint8_t *all, size_t *len, atls_bytes der)
{
    memcpy(all + *len, der.ptr, der.len);
    *len += der.len;
}

static atls_bytes chain_of(scene *s, atls_bytes root, atls_bytes ca)
{
    uint8_t *all = atls_arena_alloc(&s->arena, (size_t)64 * 1024, &s->err);
    size_t len = 0;
    assert_non_null(all);
    if (!s->root_alone) {
        put(all, &len, authority_cert(&s->a.phone, &s->arena));
        for (int i = s->many ? -7 : 0; !s->no_ca && i < (s->ca_twice ? 2 : 1); i++) {
            put(all, &len, ca);
        }
    }
    if (!s->no_root) {
        put(all, &len, root);
    }
    if (s->trailing) {
        all[len++] = 0;
    }
    return atls_bytes_of(all, s->cut ? len - 1 : len);
}

static const char *policy_of(scene *s, atls_bytes root)
{
    static char text[16384];
    static char trusted[8192];
    if (s->policy_has_pem) {
        const atls_bytes pem = authority_pem(&root, 1, &s->arena);
        size_t n = 0;
        trusted[n++] = '"';
        for (size_t i = 0; i < pem.len; i++) {
            if (pem.ptr[i] == '\n') {
                trusted[n++] = '\\';
            }
            trusted[n++] = pem.ptr[i] == '\n' ? 'n' : (char)pem.ptr[i];
        }
        trusted[n++] = '"';
        trusted[n] = '\0';
    } else {
        uint8_t hash[32];
        unsigned len = 0;
        assert_int_equal(EVP_Digest(root.ptr, root.len, hash, &len, EVP_sha256(), NULL), 1);
        char hex[65];
        atls_hex_encode(atls_bytes_of(hash, 32), hex);
        (void)snprintf(trusted, sizeof trusted, "\"%s\"", hex);
    }
    (void)snprintf(text, sizeof text, "{\"type\":\"enrolled_key\",\"trusted_roots\":[%s],%s}", trusted, s->members);
    return text;
}

static bool endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    const scene *s = ctx;
    (void)arena;
    assert_int_equal(request->platform, ATLS_PLATFORM_ENROLLED);
    if (s->no_lists != ATLS_OK) {
        return atls_fail(err, s->no_lists, "lists", "they cannot be had");
    }
    *out = (atls_endorsements){.pile = {.crls = s->crls, .n_crls = s->n_crls}};
    return true;
}

static void make_lists(scene *s, atls_bytes root, atls_bytes ca)
{
    EVP_PKEY *signer = s->list.of_other ? s->a.other_key : s->a.ca_key;
    if (s->list.present) {
        s->crls[s->n_crls++] =
            authority_crl("enrolment CA", signer, ca, s->list.serial, s->list.from_s, s->list.until_s, &s->arena);
    }
    if (s->root_list.present) {
        s->crls[s->n_crls++] = authority_crl("enrolment root", s->a.root_key, root, s->root_list.serial,
                                             s->root_list.from_s, s->root_list.until_s, &s->arena);
    }
}

static void scene_run(scene *s)
{
    atls_policy *policy = NULL;
    atls_verifier *verifier = NULL;
    const atls_bytes root = authority_cert(&s->a.root, &s->arena);
    const atls_bytes ca = authority_cert(&s->a.ca, &s->arena);
    cert_plan other = s->a.root;
    other.key = s->a.other_key;
    other.signer = s->a.other_key;
    const atls_bytes trusted = s->policy_of_other ? authority_cert(&other, &s->arena) : root;
    make_lists(s, root, ca);
    if (!atls_policy_parse(atls_bytes_str(policy_of(s, trusted)), &policy, &s->err)) {
        fail_msg("policy: %s: %s", s->err.field, s->err.message);
    }
    assert_true(atls_verifier_new(policy, &verifier, &s->err));
    const atls_appraisal in = {.evidence = chain_of(s, root, ca),
                               .event_log = atls_bytes_empty(),
                               .binding = s->binding,
                               .now = s->now,
                               .endorse = endorse,
                               .endorse_ctx = s};
    s->accepted = again_appraise(verifier, &in, &s->arena, &s->result, &s->err);
    atls_verifier_free(verifier);
    atls_policy_free(policy);
}

static bool is_listed(const scene *s, atls_code code, const char *field)
{
    for (size_t i = 0; i < s->result.n_checks; i++) {
        const atls_check *c = &s->result.checks[i];
        if (c->verdict == ATLS_CHECK_FAIL && c->code == code && strcmp(c->field, field) == 0) {
            return true;
        }
    }
    return false;
}

static void test_row(void **state)
{
    const row *w = *state;
    scene s;
    scene_open(&s);
    if (w->change != NULL) {
        w->change(&s);
    }
    scene_run(&s);
    if (s.accepted != (w->code == ATLS_OK) || s.err.code != w->code
        || (w->code != ATLS_OK && strcmp(s.err.field, w->field) != 0)) {
        fail_msg("is %s %s: %s", atls_code_name(s.err.code), s.err.field, s.err.message);
    }
    assert_true(w->code == ATLS_OK || is_listed(&s, w->code, w->field));
    assert_int_equal(s.result.verdict, w->code == ATLS_OK ? ATLS_VERDICT_ACCEPTED
                                       : w->code == ATLS_E_ENDORSEMENTS_MISSING || w->code == ATLS_E_MEMORY
                                           ? ATLS_VERDICT_UNDECIDED
                                           : ATLS_VERDICT_REJECTED);
    scene_close(&s);
}

/* ---- what the result says ---- */

static void must_hold(atls_bytes json, const char *text)
{
    for (size_t i = 0; i + strlen(text) <= json.len; i++) {
        if (memcmp(json.ptr + i, text, strlen(text)) == 0) {
            return;
        }
    }
    fail_msg("%s is not in %.*s", text, (int)json.len, (const char *)json.ptr);
}

static void test_result(void **state)
{
    (void)state;
    scene s;
    atls_bytes json;
    scene_open(&s);
    list_empty(&s);
    scene_run(&s);
    assert_true(s.accepted);
    const atls_enrolled_claims *c = &s.result.claims.enrolled;
    assert_true(c->present && c->has_extension);
    assert_int_equal(c->platform, ATLS_PLATFORM_ANDROID);
    assert_true(atls_bytes_equal_str(c->app, AUTHORITY_APP));
    assert_string_equal(c->security_level, "TRUSTED_ENVIRONMENT");
    assert_string_equal(c->ca, "CN=enrolment CA");
    assert_memory_equal(c->spki_sha256, s.binding.value, 32);
    assert_int_equal(c->n_certificates, 3);
    assert_int_equal(c->n_lists, 1);
    assert_int_equal(c->not_after, AUTHORITY_NOW + 9 * DAY);
    assert_int_equal(s.result.grade, ATLS_GRADE_KEY);
    assert_true(s.result.runtime_verified);
    assert_true(atls_result_json(&s.result, NULL, &s.arena, &json, &s.err));
    must_hold(json, "\"platform\":\"enrolled_key\"");
    must_hold(json, "\"grade\":\"key\"");
    must_hold(json, "\"enrolled\":{\"platform\":\"android\",\"app\":\"" AUTHORITY_APP
                    "\",\"security_level\":\"TRUSTED_ENVIRONMENT\",\"policy_sha256\":\"5a5a");
    must_hold(json, "\"subject\":\"CN=a phone\",\"ca\":\"CN=enrolment CA\"");
    scene_close(&s);
}

/* Everything that differs is listed, and the first is the error. */
static void test_every_mismatch(void **state)
{
    (void)state;
    scene s;
    scene_open(&s);
    other_app(&s);
    s.a.phone.attested.security_level = "SOFTWARE";
    scene_run(&s);
    assert_false(s.accepted);
    assert_true(is_listed(&s, ATLS_E_ENROLLED_APPLICATION, "chain[0].attested_key.app"));
    assert_true(is_listed(&s, ATLS_E_ENROLLED_SECURITY_LEVEL, "chain[0].attested_key.security_level"));
    scene_close(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "the result says app, platform, level and authority", test_result, NULL);
    tap_add(&l, "every mismatch is listed", test_every_mismatch, NULL);
    return tap_run("enrolled_cases", &l);
}
