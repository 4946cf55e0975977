/* SPDX-License-Identifier: Apache-2.0 */
/* test_ca_profile.c: each member of a profile does what it says, and nothing that is not a member passes. */
#include <openssl/x509v3.h>

#include "ca_scene.h"
#include "tap.h"

/* ---- refusals ---- */

typedef struct refusal {
    const char *profile;
    const char *field;
} refusal;

#define REPEAT_4(x) x x x x
static const refusal refusals[] = {
    {"", NULL}, /* the defaults */
    {"{}", NULL},
    {"{", "ca.profile"},
    {"[]", "profile"},
    {"{\"life\":1000}", "profile.life"},
    {"{\"life_s\":1000,\"life_s\":1000}", "ca.profile"},
    {"{\"description\":\"\"}", NULL},
    {"{\"description\":1}", "profile.description"},
    {"{\"life_s\":60}", NULL},
    {"{\"life_s\":59}", "profile.life_s"},
    {"{\"life_s\":34387200}", NULL},
    {"{\"life_s\":34387201}", "profile.life_s"},
    {"{\"life_s\":\"1000\"}", "profile.life_s"},
    {"{\"life_s\":-1}", "profile.life_s"},
    {"{\"backdate_s\":0}", NULL},
    {"{\"backdate_s\":86400}", NULL},
    {"{\"backdate_s\":86401}", "profile.backdate_s"},
    {"{\"attested_key\":1}", "profile.attested_key"},
    {"{\"subject\":[]}", "profile.subject"},
    {"{\"subject\":[],\"san\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", NULL},
    {"{\"subject\":{}}", "profile.subject"},
    {"{\"subject\":[1]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"a\",\"more\":1}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"a\"},{\"type\":\"XX\",\"value\":\"a\"}]}", "profile.subject[1]"},
    {"{\"subject\":[{\"type\":\"serialNumber\",\"value\":\"a\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"{nonce}\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"{app\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"app}\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"CN\",\"value\":\"a\\u0000b\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"C\",\"value\":\"AUT\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"C\",\"value\":\"A_\"}]}", "profile.subject[0]"},
    {"{\"subject\":[{\"type\":\"C\",\"value\":\"AT\"}]}", NULL},
    {"{\"subject_from_csr\":[\"CN\",\"serialNumber\"]}", "profile.subject_from_csr[1]"},
    {"{\"subject_from_csr\":[\"CN\",\"CN\"]}", "profile.subject_from_csr[1]"},
    {"{\"subject_from_csr\":[1]}", "profile.subject_from_csr[0]"},
    {"{\"subject_from_csr\":\"CN\"}", "profile.subject_from_csr"},
    {"{\"san\":[{\"type\":\"ip\",\"value\":\"a\"}]}", "profile.san[0]"},
    {"{\"san\":[{\"type\":\"uri\",\"value\":\"urn:\\u00e4\"}]}", "profile.san[0]"},
    {"{\"san\":[{\"type\":\"uri\",\"value\":\"urn:{app}\"}]}", NULL},
    {"{\"san_from_csr\":[{\"type\":\"dns\",\"value\":\"{app}\"}]}", "profile.san_from_csr[0]"},
    {"{\"san_from_csr\":[{\"type\":\"dir\",\"value\":\"a\"}]}", "profile.san_from_csr[0]"},
    {"{\"eku\":[]}", NULL},
    {"{\"eku\":[\"clientAuth\",\"1.2.3.4\"]}", NULL},
    {"{\"eku\":[\"clientAuth\",\"1.3.6.1.5.5.7.3.2\"]}", "profile.eku[1]"},
    {"{\"eku\":[\"any\"]}", "profile.eku[0]"},
    {"{\"eku\":[\"2.5.29.37.0\"]}", "profile.eku[0]"},
    {"{\"eku\":[\"1.3.6.1.5.5.7.3.9\"]}", "profile.eku[0]"},
    {"{\"eku\":[1]}", "profile.eku[0]"},
    {"{\"extensions_from_csr\":[\"1.2.3.4\"]}", NULL},
    {"{\"extensions_from_csr\":[\"1.2.3.4\",\"1.2.3.4\"]}", "profile.extensions_from_csr[1]"},
    {"{\"extensions_from_csr\":[\"2.5.29.19\"]}", "profile.extensions_from_csr[0]"},         /* basicConstraints */
    {"{\"extensions_from_csr\":[\"2.5.29.15\"]}", "profile.extensions_from_csr[0]"},         /* keyUsage */
    {"{\"extensions_from_csr\":[\"2.5.29.17\"]}", "profile.extensions_from_csr[0]"},         /* subjectAltName */
    {"{\"extensions_from_csr\":[\"1.3.6.1.5.5.7.1.1\"]}", "profile.extensions_from_csr[0]"}, /* AIA */
    {"{\"extensions_from_csr\":[\"2.16.840.1.113730.1.1\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"1.3.6.1.4.1.11129.2.1.17\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"1.2.840.113635.100.8.2\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"2.23.133.5.4.1\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"" ATLS_ENROLLED_OID "\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"basicConstraints\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"1\"]}", "profile.extensions_from_csr[0]"},
    {"{\"extensions_from_csr\":[\"1.2.\"]}", "profile.extensions_from_csr[0]"},
    {"{\"crl\":\"http://crl.example/a.crl\"}", NULL},
    {"{\"crl\":\"ldap://crl.example/\"}", "profile.crl"},
    {"{\"crl\":\"http://\"}", "profile.crl"},
    {"{\"crl\":\"http://crl.example/{app}\"}", "profile.crl"},
    {"{\"eku\":[" REPEAT_4("\"1.2.3\",\"1.2.4\",\"1.2.5\",\"1.2.6\",") "\"1.2\"]}", "profile.eku"}, /* 17 */
};

static void refuses(void **state)
{
    const refusal *r = *state;
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_ca_profile_check(atls_bytes_str(r->profile), &err);
    assert_string_equal(err.field, r->field == NULL ? "" : r->field);
    assert_int_equal(err.code, r->field == NULL ? ATLS_OK : ATLS_E_CONFIGURATION);
    assert_int_equal(ok, r->field == NULL);
}

/* ---- effects ---- */

typedef struct effect {
    const char *profile;
    const char *subject; /* as OpenSSL's oneline */
    const char *san;     /* "dns:a uri:b", NULL: no extension */
    bool san_is_critical;
    uint32_t eku; /* XKU_ bits; UINT32_MAX: no extension */
    int64_t life;
    int64_t back;
    bool attested;
    const char *crl;
} effect;

#define APP    "/CN=org.example.wallet"
#define CLIENT XKU_SSL_CLIENT
#define SERVER XKU_SSL_SERVER
static const effect effects[] = {
    {"{}", APP, NULL, false, CLIENT, 864000, 300, false, NULL},
    {"{\"attested_key\":true}", APP, NULL, false, CLIENT, 864000, 300, true, NULL},
    {"{\"attested_key\":false}", APP, NULL, false, CLIENT, 864000, 300, false, NULL},
    {"{\"life_s\":3600}", APP, NULL, false, CLIENT, 3600, 300, false, NULL},
    {"{\"backdate_s\":0}", APP, NULL, false, CLIENT, 864000, 0, false, NULL},
    {"{\"eku\":[]}", APP, NULL, false, UINT32_MAX, 864000, 300, false, NULL},
    {"{\"eku\":[\"serverAuth\",\"clientAuth\"]}", APP, NULL, false, SERVER | CLIENT, 864000, 300, false, NULL},
    {"{\"subject\":[{\"type\":\"C\",\"value\":\"AT\"},{\"type\":\"O\",\"value\":\"Example\"},"
     "{\"type\":\"OU\",\"value\":\"{platform}/{security_level}\"},{\"type\":\"CN\",\"value\":\"a {app} b\"}]}",
     "/C=AT/O=Example/OU=android\\/STRONG_BOX/CN=a org.example.wallet b", NULL, false, CLIENT, 864000, 300, false,
     NULL},
    {"{\"san\":[{\"type\":\"uri\",\"value\":\"urn:app:{app}\"},{\"type\":\"dns\",\"value\":\"{app}.phones.example\"},"
     "{\"type\":\"email\",\"value\":\"a@example.org\"}]}",
     APP, "uri:urn:app:org.example.wallet dns:org.example.wallet.phones.example email:a@example.org ", false, CLIENT,
     864000, 300, false, NULL},
    {"{\"subject\":[],\"san\":[{\"type\":\"dns\",\"value\":\"a.example\"}]}", "", "dns:a.example ", true, CLIENT,
     864000, 300, false, NULL},
    {"{\"crl\":\"http://crl.example/a.crl\"}", APP, NULL, false, CLIENT, 864000, 300, false,
     "http://crl.example/a.crl"},
};

static void read_san(const X509 *c, char *out, size_t size, int *critical)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(c, NID_subject_alt_name, critical, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        const char *word = type == GEN_DNS ? "dns" : type == GEN_URI ? "uri" : type == GEN_EMAIL ? "email" : "?";
        used += (size_t)snprintf(out + used, size - used, "%s:%.*s ", word, ASN1_STRING_length(value),
                                 (const char *)ASN1_STRING_get0_data(value));
    }
    GENERAL_NAMES_free(names);
}

static void check_crl(const X509 *c, const char *wanted)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(c, NID_crl_distribution_points, NULL, NULL);
    if (wanted == NULL) {
        assert_null(points);
        return;
    }
    assert_int_equal(sk_DIST_POINT_num(points), 1);
    const GENERAL_NAMES *names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), &type);
    assert_int_equal(type, GEN_URI);
    assert_int_equal(ASN1_STRING_length(value), strlen(wanted));
    assert_memory_equal(ASN1_STRING_get0_data(value), wanted, strlen(wanted));
    CRL_DIST_POINTS_free(points);
}

static void has_effect(void **state)
{
    const effect *e = *state;
    ca_scene s;
    char text[512];
    int critical = -1;
    ca_scene_begin(&s);
    ca_scene_make(&s, e->profile);
    X509 *c = ca_scene_issued(&s);
    assert_string_equal(X509_NAME_oneline(X509_get_subject_name(c), text, sizeof text), e->subject);
    read_san(c, text, sizeof text, &critical);
    assert_string_equal(text, e->san == NULL ? "" : e->san);
    assert_int_equal(critical, e->san == NULL ? -1 : e->san_is_critical);
    assert_int_equal(X509_get_extended_key_usage(c), e->eku);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notBefore(c), (time_t)(SCENE_NOW - e->back)), 0);
    assert_int_equal(ASN1_TIME_cmp_time_t(X509_get0_notAfter(c), (time_t)(SCENE_NOW + e->life)), 0);
    assert_int_equal(ca_scene_contains(s.chain[0], atls_enrolled_oid()), e->attested);
    check_crl(c, e->crl);
    assert_int_equal(ca_scene_verify(&s, SCENE_NOW),
                     (e->eku & XKU_SSL_CLIENT) != 0 ? X509_V_OK : X509_V_ERR_INVALID_PURPOSE);
    X509_free(c);
    ca_scene_end(&s);
}

/* ---- templates that do not fit what they are filled with ---- */

typedef struct misfit {
    const char *name;
    const char *profile;
    const char *app;
    atls_platform platform;
    const char *level;
    const char *field;
} misfit;

#define LONG_64 "org.example.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
static const misfit misfits[] = {
    {"an app of 64 bytes is a common name", "{}", LONG_64, ATLS_PLATFORM_ANDROID, "STRONG_BOX", NULL},
    {"an app of 65 bytes is none", "{}", LONG_64 "a", ATLS_PLATFORM_ANDROID, "STRONG_BOX", "subject.CN"},
    {"nor is one with a control character", "{}", "a\x01", ATLS_PLATFORM_ANDROID, "STRONG_BOX", "subject.CN"},
    {"nor one that is not UTF-8", "{}", "a\xff", ATLS_PLATFORM_ANDROID, "STRONG_BOX", "subject.CN"},
    {"an app that is no host is no DNS name", "{\"san\":[{\"type\":\"dns\",\"value\":\"{app}.example\"}]}", "a_b",
     ATLS_PLATFORM_ANDROID, "STRONG_BOX", "san"},
    {"one that is passes", "{\"san\":[{\"type\":\"dns\",\"value\":\"{app}.example\"}]}", "a-b", ATLS_PLATFORM_ANDROID,
     "STRONG_BOX", NULL},
    {"the level of the other platform", "{\"attested_key\":true}", "a", ATLS_PLATFORM_ANDROID, "SECURE_ENCLAVE",
     "attested_key"},
    {"no platform", "{\"attested_key\":true}", "a", ATLS_PLATFORM_NONE, "SOFTWARE", "attested_key"},
    {"a phone of Apple's", "{\"attested_key\":true}", "a", ATLS_PLATFORM_APPLE, "SECURE_ENCLAVE", NULL},
};

static void fits_or_fails(void **state)
{
    const misfit *m = *state;
    ca_scene s;
    ca_scene_begin(&s);
    ca_scene_make(&s, m->profile);
    s.grant.app = atls_bytes_str(m->app);
    s.grant.platform = m->platform;
    s.grant.security_level = m->level;
    assert_int_equal(ca_scene_issue(&s), m->field == NULL);
    assert_string_equal(s.err.field, m->field == NULL ? "" : m->field);
    assert_int_equal(s.err.code, m->field == NULL ? ATLS_OK : ATLS_E_ENROL_ISSUE);
    ca_scene_end(&s);
}

/* The profile of the folder counts where none is given, and the facts name it. */
static void is_read_from_the_folder(void **state)
{
    ca_scene s;
    atls_ca_facts first;
    atls_ca_facts second;
    (void)state;
    ca_scene_begin(&s);
    ca_scene_make(&s, NULL);
    atls_ca_describe(s.ca, SCENE_NOW, &first);
    ca_scene_put(&s, "profile.json", "{\"subject\":[{\"type\":\"CN\",\"value\":\"b\"}]}", 0644);
    assert_true(ca_scene_reopen(&s, NULL));
    atls_ca_describe(s.ca, SCENE_NOW, &second);
    assert_memory_not_equal(first.profile_sha256, second.profile_sha256, 32);
    X509 *c = ca_scene_issued(&s);
    char text[64];
    assert_string_equal(X509_NAME_oneline(X509_get_subject_name(c), text, sizeof text), "/CN=b");
    X509_free(c);
    ca_scene_put(&s, "profile.json", "{\"lief_s\":1}", 0644);
    assert_false(ca_scene_reopen(&s, NULL));
    assert_string_equal(s.err.field, "profile.lief_s");
    ca_scene_end(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        tap_add(&l, refusals[i].profile, refuses, &refusals[i]);
    }
    for (size_t i = 0; i < sizeof effects / sizeof effects[0]; i++) {
        tap_add(&l, effects[i].profile, has_effect, &effects[i]);
    }
    for (size_t i = 0; i < sizeof misfits / sizeof misfits[0]; i++) {
        tap_add(&l, misfits[i].name, fits_or_fails, &misfits[i]);
    }
    tap_add(&l, "a profile in the folder", is_read_from_the_folder, NULL);
    return tap_run("ca_profile", &l);
}
