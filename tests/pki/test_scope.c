/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that say which certificates they are about (issuingDistributionPoint): how it is read, which lists are good for
 * nothing, and which certificates the others cover. Each row changes one thing of one that is accepted. */
#include "make.h"
#include "pki/cert.h"
#include "pki/chain.h"
#include "tap.h"

static make_keys *keys;

#define IDP_OID "0603551d1c"
#define CDP_OID "0603551d1f"
#define URI_A   "860161" /* uniformResourceIdentifier "a" */
#define URI_B   "860162"
#define DNS_A   "820161" /* another kind of name with the same text */
#define NAMES_A "a005a003" URI_A
#define NAMES_B "a005a003" URI_B
#define FOUR    URI_B URI_B URI_B URI_B
#define SIXTEEN FOUR FOUR FOUR FOUR

typedef struct row {
    const char *name;
    const char *idp;    /* content of its SEQUENCE; NULL: absent */
    const char *points; /* content of the SEQUENCE of cRLDistributionPoints; NULL: absent */
    bool is_ca;         /* the certificate that is judged: CA by the root, otherwise leaf by the CA */
    const char *revoked;
    atls_code code;
    const char *field;
} row;

#define GOOD ATLS_OK, ""
#define BAD  ATLS_E_ENCODING, "crl.tbs.extensions.scope"

/* clang-format off */
static const row rows[] = {
    {"no scope", NULL, NULL, false, NULL, GOOD},
    {"no scope, and a certificate with a point", NULL, "3007" NAMES_A, false, NULL, GOOD},

    {"read: empty", "", NULL, false, NULL, BAD},
    {"read: user certificates FALSE and spelt out", "810100", NULL, false, NULL, BAD ".only_contains_user_certs"},
    {"read: user certificates 1", "810101", NULL, false, NULL, BAD ".only_contains_user_certs"},
    {"read: user certificates of two bytes", "8102ffff", NULL, false, NULL, BAD ".only_contains_user_certs"},
    {"read: CA certificates FALSE and spelt out", "820100", NULL, true, NULL, BAD ".only_contains_ca_certs"},
    {"read: indirect FALSE and spelt out", "840100", NULL, false, NULL, BAD ".indirect_crl"},
    {"read: attribute certificates FALSE and spelt out", "850100", NULL, false, NULL, BAD ".only_contains_attribute_certs"},
    {"read: members out of order", "8201ff8101ff", NULL, true, NULL, ATLS_E_TRAILING,
     "crl.tbs.extensions.scope"},
    {"read: an unknown member", "8101ff8601ff", NULL, false, NULL, ATLS_E_TRAILING,
     "crl.tbs.extensions.scope"},
    {"read: a point without a name", "a002a000", NULL, false, NULL, BAD ".distribution_point"},
    {"read: a point without anything", "a000", NULL, false, NULL, ATLS_E_TRUNCATED,
     "crl.tbs.extensions.scope.distribution_point"},
    {"read: a point with two choices", "a007a003" URI_A "a100", NULL, false, NULL, ATLS_E_TRAILING,
     "crl.tbs.extensions.scope"},
    {"read: sixteen names", "a032a030" SIXTEEN, NULL, false, NULL, GOOD},
    {"read: seventeen names", "a035a033" SIXTEEN URI_B, NULL, false, NULL, ATLS_E_LIMIT,
     "crl.tbs.extensions.scope.distribution_point"},

    {"refused: some reasons", "83020640", NULL, false, NULL, ATLS_E_CRL, "crl.scope.only_some_reasons"},
    {"refused: indirect", "8401ff", NULL, false, NULL, ATLS_E_CRL, "crl.scope.indirect_crl"},
    {"refused: attribute certificates", "8501ff", NULL, false, NULL, ATLS_E_CRL, "crl.scope.only_contains_attribute_certs"},
    {"refused: both sorts at once", "8101ff8201ff", NULL, true, NULL, ATLS_E_CRL, "crl.scope.only_contains_ca_certs"},
    {"refused: a relative name", "a002a100", NULL, false, NULL, ATLS_E_CRL, "crl.scope.distribution_point"},

    {"users: a leaf", "8101ff", NULL, false, NULL, GOOD},
    {"users: a CA", "8101ff", NULL, true, NULL, ATLS_E_CRL, "cert.scope.only_contains_user_certs"},
    {"CAs: a CA", "8201ff", NULL, true, NULL, GOOD},
    {"CAs: a leaf", "8201ff", NULL, false, NULL, ATLS_E_CRL, "cert.scope.only_contains_ca_certs"},

    {"point: the certificate names it", NAMES_A, "3007" NAMES_A, false, NULL, GOOD},
    {"point: the certificate names none", NAMES_A, NULL, false, NULL, GOOD},
    {"point: the certificate names another", NAMES_A, "3007" NAMES_B, false, NULL, ATLS_E_CRL, "cert.scope.distribution_point"},
    {"point: a name of another kind", NAMES_A, "3007a005a003" DNS_A, false, NULL, ATLS_E_CRL, "cert.scope.distribution_point"},
    {"point: the second of the list's names", "a008a006" URI_B URI_A, "3007" NAMES_A, false, NULL, GOOD},
    {"point: the second of the certificate's names", NAMES_A, "300aa008a006" URI_B URI_A, false, NULL, GOOD},
    {"point: the certificate's second point", NAMES_A, "3007" NAMES_B "3007" NAMES_A, false, NULL, GOOD},
    {"point: the certificate's is for some reasons", NAMES_A, "300b" NAMES_A "81020640", false, NULL, ATLS_E_CRL,
     "cert.scope.distribution_point"},
    {"point: the certificate's is of another issuer", NAMES_A, "300e" NAMES_A "a205a4033001" "00", false, NULL, ATLS_E_CRL,
     "cert.scope.distribution_point"},
    {"point: the certificate's has no name", NAMES_A, "3000", false, NULL, ATLS_E_CRL, "cert.scope.distribution_point"},
    {"point: the certificate's has a relative name", NAMES_A, "3004a002a100", false, NULL, ATLS_E_CRL,
     "cert.scope.distribution_point"},
    {"point: the certificate's cannot be read to its end", NAMES_A, "3007" NAMES_A "0500", false, NULL, ATLS_E_CRL,
     "cert.scope.distribution_point"},
    {"point: of users, and a CA that names it", NAMES_A "8101ff", "3007" NAMES_A, true, NULL, ATLS_E_CRL,
     "cert.scope.only_contains_user_certs"},

    {"listed: covered", "8101ff", NULL, false, "2a", ATLS_E_REVOKED, "cert"},
    {"listed: not covered, and revoked all the same", "8201ff", NULL, false, "2a", ATLS_E_REVOKED, "cert"},
};
/* clang-format on */

/* An Extension around a SEQUENCE, all lengths below 128. */
static const char *extension(const char *oid, const char *content, char out[static 400])
{
    const unsigned n = (unsigned)(strlen(content) / 2);
    assert_true(n < 100);
    snprintf(out, 400, "30%02x%s04%02x30%02x%s", n + 9, oid, n + 2, n, content);
    return out;
}

static bool judge(const made *list, const atls_cert *issuer, const atls_cert *cert, atls_error *err)
{
    atls_crl crl;
    return atls_crl_decode(made_bytes(list), "crl", &crl, err)
           && atls_crl_verify_known(&crl, issuer, crl.this_update, "crl", err)
           && atls_crl_check(&crl, cert, "cert", err);
}

static void run(void **state)
{
    const row *r = *state;
    char idp[400];
    char points[400];
    atls_error err = {.code = ATLS_OK};
    made m[3];
    atls_cert cert;
    atls_cert issuer;
    make_cert leaf_spec = make_cert_default(r->is_ca ? MAKE_CA : MAKE_LEAF);
    make_cert issuer_spec = make_cert_default(r->is_ca ? MAKE_ROOT : MAKE_CA);
    make_crl list = make_crl_default(r->is_ca ? MAKE_ROOT : MAKE_CA);
    leaf_spec.serial = "2a";
    leaf_spec.extra = r->points == NULL ? NULL : extension(CDP_OID, r->points, points);
    list.extra = r->idp == NULL ? NULL : extension(IDP_OID, r->idp, idp);
    list.revoked = r->revoked;
    make_cert_write(keys, &leaf_spec, &m[0]);
    make_cert_write(keys, &issuer_spec, &m[1]);
    make_crl_write(keys, &list, &m[2]);
    assert_true(atls_cert_decode(made_bytes(&m[0]), "cert", &cert, &err));
    assert_true(atls_cert_decode(made_bytes(&m[1]), "issuer", &issuer, &err));
    assert_int_equal(judge(&m[2], &issuer, &cert, &err), r->code == ATLS_OK);
    assert_int_equal(err.code, r->code);
    assert_string_equal(err.field, r->field);
}

/* By its serial alone nobody knows whether a list covers a certificate: only lists about everything may say so. */
static void by_serial(void **state)
{
    static const char *const scopes[] = {NULL, NAMES_A};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char idp[400];
        made m;
        atls_crl crl;
        atls_error err = {.code = ATLS_OK};
        make_crl list = make_crl_default(MAKE_CA);
        list.extra = scopes[i] == NULL ? NULL : extension(IDP_OID, scopes[i], idp);
        make_crl_write(keys, &list, &m);
        assert_true(atls_crl_decode(made_bytes(&m), "crl", &crl, &err));
        assert_int_equal(atls_crl_check_serial(&crl, crl.issuer, atls_bytes_of("*", 1), "cert", &err), i == 0);
        assert_string_equal(err.field, i == 0 ? "" : "cert.scope.certificate");
    }
}

int main(void)
{
    tap_list l = {0};
    keys = make_keys_new();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run, &rows[i]);
    }
    tap_add(&l, "by its serial alone", by_serial, NULL);
    const int failed = tap_run("scope", &l);
    make_keys_free(keys);
    return failed;
}
