/* SPDX-License-Identifier: Apache-2.0 */
/* The path rules: one honest chain, and a table of lies. Each row is the honest chain with one change, signed again,
 * and dies at the rule that the change offends. */
#include "base/text.h"
#include "tap.h"
#include "walk.h"

static make_keys *keys;
static atls_crypto *crypto;
static uint8_t block[64 * 1024];

typedef struct row {
    const char *name;
    void (*change)(walk_order *o);
    atls_code code;
    const char *field;
} row;

#define CHANGE(fn, statement)                                                                                          \
    static void fn(walk_order *o)                                                                                      \
    {                                                                                                                  \
        statement;                                                                                                     \
    }
#define ROOT     o->cert[WALK_ROOT]
#define CA       o->cert[WALK_CA]
#define LEAF     o->cert[WALK_LEAF]
#define ROOT_CRL o->crl[0]
#define CA_CRL   o->crl[1]
#define CRITICAL                                                                                                       \
    "300c"                                                                                                             \
    "0603551d25"                                                                                                       \
    "0101ff"                                                                                                           \
    "0402"                                                                                                             \
    "3000"
#define CRITICAL_KEY_ID                                                                                                \
    "3012"                                                                                                             \
    "0603551d0e"                                                                                                       \
    "0101ff"                                                                                                           \
    "0408"                                                                                                             \
    "0406aabbccddeeff"
#define REASON(n)                                                                                                      \
    "300a"                                                                                                             \
    "0603551d15"                                                                                                       \
    "0403"                                                                                                             \
    "0a01" n

CHANGE(honest, (void)o)
CHANGE(two, *o = walk_default(false))

CHANGE(root_not_pinned, o->other_root = true)
CHANGE(root_signature, ROOT.flip_signature = true)
CHANGE(root_not_self_issued, ROOT.issuer = "Somebody")
CHANGE(root_other_key_id, ROOT.aki = MAKE_OTHER)
CHANGE(root_no_ca, ROOT.bc = MAKE_BC_END; ROOT.path_len = -1)
CHANGE(root_no_cert_sign, ROOT.key_usage = ATLS_KU_CRL_SIGN)
CHANGE(root_path_0, ROOT.path_len = 0)
CHANGE(root_path_0_two, *o = walk_default(false); ROOT.path_len = 0)
CHANGE(root_path_unlimited, ROOT.path_len = -1)
CHANGE(root_critical, ROOT.extra = CRITICAL)
CHANGE(root_v1, ROOT.version = 1)

CHANGE(root_expired, ROOT.not_after = "20240531235959Z")
CHANGE(root_future, ROOT.not_before = "20240601000001Z")
CHANGE(ca_expired, CA.not_after = "20240531235959Z")
CHANGE(ca_future, CA.not_before = "20240601000001Z")
CHANGE(leaf_expired, LEAF.not_after = "20240531235959Z")
CHANGE(leaf_future, LEAF.not_before = "20240601000001Z")
CHANGE(edges_low, ROOT.not_before = CA.not_before = LEAF.not_before = "20240601000000Z")
CHANGE(edges_high, ROOT.not_after = CA.not_after = LEAF.not_after = "20240601000000Z")
CHANGE(no_time, o->now = ATLS_TIME_UNSET)

CHANGE(ca_issuer, CA.issuer = "Other Root")
CHANGE(leaf_issuer, LEAF.issuer = "Test CA ")
CHANGE(leaf_issuer_case, LEAF.issuer = "test ca")
CHANGE(leaf_issuer_type, LEAF.name_tag = 0x13)
CHANGE(leaf_by_root_name, LEAF.issuer = "Test Root")
CHANGE(ca_key_id, CA.aki = MAKE_OTHER)
CHANGE(leaf_key_id, LEAF.aki = MAKE_OTHER)
CHANGE(leaf_no_key_id, LEAF.aki = MAKE_NO_KEY)
CHANGE(ca_has_no_key_id, CA.ski = MAKE_NO_KEY; CA_CRL.aki = MAKE_CA)
CHANGE(by_serial, LEAF.aki_issuer = "Test Root"; LEAF.aki_serial = "0a02")
CHANGE(by_other_serial, LEAF.aki_issuer = "Test Root"; LEAF.aki_serial = "0a03")
CHANGE(by_other_issuer, LEAF.aki_issuer = "Other Root"; LEAF.aki_serial = "0a02")
CHANGE(by_serial_only, LEAF.aki = MAKE_NO_KEY; LEAF.aki_issuer = "Test Root"; LEAF.aki_serial = "0a03")

CHANGE(ca_no_constraints, CA.bc = MAKE_BC_ABSENT)
CHANGE(ca_is_end, CA.bc = MAKE_BC_END; CA.path_len = -1)
CHANGE(ca_no_usage, CA.key_usage = 0)
CHANGE(ca_no_cert_sign, CA.key_usage = ATLS_KU_CRL_SIGN | ATLS_KU_DIGITAL_SIGNATURE)
CHANGE(ca_no_crl_sign, CA.key_usage = ATLS_KU_KEY_CERT_SIGN)
CHANGE(ca_critical, CA.extra = CRITICAL)
CHANGE(ca_critical_key_id, CA.ski = MAKE_NO_KEY; CA.extra = CRITICAL_KEY_ID; LEAF.aki = MAKE_NO_KEY)
CHANGE(leaf_no_constraints, LEAF.bc = MAKE_BC_ABSENT)
CHANGE(leaf_is_ca, LEAF.bc = MAKE_BC_CA)
CHANGE(leaf_no_usage, LEAF.key_usage = 0)
CHANGE(leaf_other_usage, LEAF.key_usage = ATLS_KU_KEY_CERT_SIGN)
CHANGE(leaf_critical, LEAF.extra = CRITICAL)
/* GeneralNames: { [4] { Name { CN=TPM } } }, and with a dNSName "a" more */
#define TPM_NAME "a410300e310c300a06035504030c0354504d"
#define CRITICAL_NAMES                                                                                                 \
    "301e"                                                                                                             \
    "0603551d11"                                                                                                       \
    "0101ff"                                                                                                           \
    "0414"                                                                                                             \
    "3012" TPM_NAME
#define CRITICAL_NAMES_AND_DNS                                                                                         \
    "3021"                                                                                                             \
    "0603551d11"                                                                                                       \
    "0101ff"                                                                                                           \
    "0417"                                                                                                             \
    "3015" TPM_NAME "820161"
#define CRITICAL_NO_NAMES                                                                                              \
    "300c"                                                                                                             \
    "0603551d11"                                                                                                       \
    "0101ff"                                                                                                           \
    "0402"                                                                                                             \
    "3000"
CHANGE(leaf_names, LEAF.extra = CRITICAL_NAMES)
CHANGE(leaf_names_read, LEAF.extra = CRITICAL_NAMES; o->understood = ATLS_UNDERSTOOD_DIRECTORY_NAME)
CHANGE(leaf_names_dns, LEAF.extra = CRITICAL_NAMES_AND_DNS; o->understood = ATLS_UNDERSTOOD_DIRECTORY_NAME)
CHANGE(leaf_names_none, LEAF.extra = CRITICAL_NO_NAMES; o->understood = ATLS_UNDERSTOOD_DIRECTORY_NAME)
CHANGE(leaf_names_more, LEAF.extra = CRITICAL_NAMES CRITICAL; o->understood = ATLS_UNDERSTOOD_DIRECTORY_NAME)
CHANGE(ca_names, CA.extra = CRITICAL_NAMES)
CHANGE(ca_names_read, CA.extra = CRITICAL_NAMES; o->understood = ATLS_UNDERSTOOD_DIRECTORY_NAME)

CHANGE(ca_signature, CA.flip_signature = true)
CHANGE(leaf_signature, LEAF.flip_signature = true)
CHANGE(leaf_by_other, LEAF.signer = MAKE_OTHER)
CHANGE(leaf_by_root, LEAF.signer = MAKE_ROOT)
CHANGE(leaf_by_itself, LEAF.signer = MAKE_LEAF)
CHANGE(leaf_sha384, LEAF.alg = MAKE_ECDSA_SHA384)
CHANGE(leaf_sha512, LEAF.alg = MAKE_ECDSA_SHA512)
CHANGE(leaf_called_rsa, LEAF.alg = MAKE_RSA_SHA256)
CHANGE(ca_rsa, CA.key = LEAF.signer = CA_CRL.signer = MAKE_RSA; LEAF.alg = CA_CRL.alg = MAKE_RSA_SHA256)
CHANGE(ca_rsa_sha1, CA.key = LEAF.signer = CA_CRL.signer = MAKE_RSA; LEAF.alg = MAKE_RSA_SHA1;
       CA_CRL.alg = MAKE_RSA_SHA256)
CHANGE(ca_rsa_called_ecdsa, CA.key = LEAF.signer = CA_CRL.signer = MAKE_RSA; CA_CRL.alg = MAKE_RSA_SHA256)
CHANGE(ca_p384, CA.key = LEAF.signer = CA_CRL.signer = MAKE_P384; LEAF.alg = CA_CRL.alg = MAKE_ECDSA_SHA384)
CHANGE(ca_p521, CA.key = LEAF.signer = CA_CRL.signer = MAKE_P521)

CHANGE(crl_absent, o->has_crl[1] = false)
CHANGE(crl_v1, CA_CRL.version = 1; CA_CRL.no_extensions = true)
CHANGE(crl_issuer, CA_CRL.issuer = "Test Root")
CHANGE(crl_no_number, CA_CRL.number = NULL)
CHANGE(crl_no_key_id, CA_CRL.aki = MAKE_NO_KEY)
CHANGE(crl_key_id, CA_CRL.aki = MAKE_ROOT)
CHANGE(crl_empty_key_id, CA_CRL.aki = MAKE_NO_KEY; CA_CRL.extra = "3009"
                                                                  "0603551d23"
                                                                  "0402"
                                                                  "3000")
CHANGE(crl_both_no_key_id, crl_empty_key_id(o); CA.ski = MAKE_NO_KEY; LEAF.aki = MAKE_NO_KEY)
CHANGE(crl_critical, CA_CRL.extra = "300a"
                                    "0603551d63"
                                    "0101ff"
                                    "0400")
CHANGE(crl_entry_critical, CA_CRL.revoked = "77"; CA_CRL.entry_extensions = "300a"
                                                                            "0603551d63"
                                                                            "0101ff"
                                                                            "0400")
CHANGE(crl_delta, CA_CRL.extra = "300d"
                                 "0603551d1b"
                                 "0101ff"
                                 "0403020101")
CHANGE(crl_partial, CA_CRL.extra = "3010"
                                   "0603551d1c"
                                   "0101ff"
                                   "0406300483020640")
CHANGE(crl_remove, CA_CRL.revoked = "00f00ba4"; CA_CRL.entry_extensions = REASON("08"))
CHANGE(crl_no_next, CA_CRL.next_update = NULL)
CHANGE(crl_flip, CA_CRL.flip_signature = true)
CHANGE(crl_by_other, CA_CRL.signer = MAKE_OTHER)
CHANGE(crl_sha512, CA_CRL.alg = MAKE_ECDSA_SHA512)
CHANGE(crl_old, CA_CRL.next_update = "20240531235959Z")
CHANGE(crl_future, CA_CRL.this_update = "20240601000001Z")
CHANGE(crl_edges, CA_CRL.this_update = CA_CRL.next_update = "20240601000000Z")
CHANGE(crl_lists_leaf, CA_CRL.revoked = "01 00f00ba4 02"; CA_CRL.entry_extensions = REASON("01"))
CHANGE(crl_lists_neighbours, CA_CRL.revoked = "00f00ba5 700ba4 0b 00f0 00f00ba400")
CHANGE(root_crl_lists_ca, ROOT_CRL.revoked = "0a02")
CHANGE(root_crl_lists_root, ROOT_CRL.revoked = "01")
CHANGE(root_crl_lists_leaf, ROOT_CRL.revoked = "00f00ba4") /* somebody else's serial: the leaf is not the root's */
CHANGE(root_crl_old, ROOT_CRL.next_update = "20240531235959Z")
CHANGE(crls_swapped, make_crl keep = ROOT_CRL; ROOT_CRL = CA_CRL; CA_CRL = keep)

/* clang-format off */
static const row rows[] = {
    {"an honest chain of three", honest, ATLS_OK, ""},
    {"an honest chain of two", two, ATLS_OK, ""},

    {"root: the same again, not the pinned one", root_not_pinned, ATLS_E_PCK_CHAIN, "root.anchor"},
    {"root: its own signature is wrong", root_signature, ATLS_E_PCK_CHAIN, "root.signature"},
    {"root: not issued by itself", root_not_self_issued, ATLS_E_PCK_CHAIN, "root.issuer"},
    {"root: names another authority key", root_other_key_id, ATLS_E_PCK_CHAIN, "root.authority_key_id"},
    {"root: no CA", root_no_ca, ATLS_E_PCK_CHAIN, "root.issuer.basic_constraints"},
    {"root: may not sign certificates", root_no_cert_sign, ATLS_E_PCK_CHAIN, "root.issuer.key_usage"},
    {"root: path length 0 with an intermediate", root_path_0, ATLS_E_PCK_CHAIN, "root.issuer.path_len"},
    {"root: path length 0 without intermediate", root_path_0_two, ATLS_OK, ""},
    {"root: no path length", root_path_unlimited, ATLS_OK, ""},
    {"root: unknown critical extension", root_critical, ATLS_E_PCK_CHAIN, "root.issuer.critical_extension"},
    {"root: version 1", root_v1, ATLS_E_PCK_CHAIN, "root.tbs.version"},

    {"dates: root expired a second ago", root_expired, ATLS_E_EXPIRED, "root.not_after"},
    {"dates: root valid in a second", root_future, ATLS_E_NOT_YET_VALID, "root.not_before"},
    {"dates: intermediate expired", ca_expired, ATLS_E_EXPIRED, "intermediate.not_after"},
    {"dates: intermediate not yet valid", ca_future, ATLS_E_NOT_YET_VALID, "intermediate.not_before"},
    {"dates: leaf expired", leaf_expired, ATLS_E_EXPIRED, "leaf.not_after"},
    {"dates: leaf not yet valid", leaf_future, ATLS_E_NOT_YET_VALID, "leaf.not_before"},
    {"dates: notBefore is now", edges_low, ATLS_OK, ""},
    {"dates: notAfter is now", edges_high, ATLS_OK, ""},
    {"dates: now is not set", no_time, ATLS_E_USAGE, "time"},

    {"names: intermediate by another root", ca_issuer, ATLS_E_PCK_CHAIN, "intermediate.issuer"},
    {"names: issuer with a blank more", leaf_issuer, ATLS_E_PCK_CHAIN, "leaf.issuer"},
    {"names: issuer in other case", leaf_issuer_case, ATLS_E_PCK_CHAIN, "leaf.issuer"},
    {"names: issuer in another string type", leaf_issuer_type, ATLS_E_PCK_CHAIN, "leaf.issuer"},
    {"names: leaf says the root issued it", leaf_by_root_name, ATLS_E_PCK_CHAIN, "leaf.issuer"},
    {"key id: of another root", ca_key_id, ATLS_E_PCK_CHAIN, "intermediate.authority_key_id"},
    {"key id: of another CA", leaf_key_id, ATLS_E_PCK_CHAIN, "leaf.authority_key_id"},
    {"key id: absent", leaf_no_key_id, ATLS_OK, ""},
    {"key id: the issuer has none", ca_has_no_key_id, ATLS_E_CRL, "intermediate_crl.authority_key_id"},
    {"authority: by issuer and serial", by_serial, ATLS_OK, ""},
    {"authority: another serial", by_other_serial, ATLS_E_PCK_CHAIN, "leaf.authority_key_id"},
    {"authority: another issuer", by_other_issuer, ATLS_E_PCK_CHAIN, "leaf.authority_key_id"},
    {"authority: another serial and no key id", by_serial_only, ATLS_E_PCK_CHAIN, "leaf.authority_key_id"},

    {"intermediate: no basicConstraints", ca_no_constraints, ATLS_E_PCK_CHAIN, "intermediate.basic_constraints"},
    {"intermediate: no CA", ca_is_end, ATLS_E_PCK_CHAIN, "intermediate.basic_constraints"},
    {"intermediate: no keyUsage", ca_no_usage, ATLS_E_PCK_CHAIN, "intermediate.key_usage"},
    {"intermediate: no keyCertSign", ca_no_cert_sign, ATLS_E_PCK_CHAIN, "intermediate.key_usage"},
    {"intermediate: no cRLSign", ca_no_crl_sign, ATLS_E_CRL, "intermediate_crl.issuer.key_usage"},
    {"intermediate: unknown critical extension", ca_critical, ATLS_E_PCK_CHAIN, "intermediate.critical_extension"},
    {"intermediate: a critical key id is understood, and does not fit", ca_critical_key_id, ATLS_E_CRL,
     "intermediate_crl.authority_key_id"},
    {"leaf: no basicConstraints", leaf_no_constraints, ATLS_E_PCK_CHAIN, "leaf.basic_constraints"},
    {"leaf: a CA", leaf_is_ca, ATLS_E_PCK_CHAIN, "leaf.basic_constraints"},
    {"leaf: no keyUsage", leaf_no_usage, ATLS_E_PCK_CHAIN, "leaf.key_usage"},
    {"leaf: another keyUsage", leaf_other_usage, ATLS_E_PCK_CHAIN, "leaf.key_usage"},
    {"leaf: unknown critical extension", leaf_critical, ATLS_E_PCK_CHAIN, "leaf.critical_extension"},
    {"leaf: critical directory names", leaf_names, ATLS_E_PCK_CHAIN, "leaf.critical_extension"},
    {"leaf: critical directory names, which the caller reads", leaf_names_read, ATLS_OK, ""},
    {"leaf: critical names of another kind beside them", leaf_names_dns, ATLS_E_PCK_CHAIN, "leaf.critical_extension"},
    {"leaf: critical names, but none", leaf_names_none, ATLS_E_PCK_CHAIN, "leaf.critical_extension"},
    {"leaf: another critical extension beside them", leaf_names_more, ATLS_E_PCK_CHAIN, "leaf.critical_extension"},
    {"intermediate: critical directory names", ca_names, ATLS_E_PCK_CHAIN, "intermediate.critical_extension"},
    {"intermediate: critical directory names, which the caller reads", ca_names_read, ATLS_OK, ""},

    {"signature: of the intermediate, one bit", ca_signature, ATLS_E_PCK_CHAIN, "intermediate.signature"},
    {"signature: of the leaf, one bit", leaf_signature, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: by a stranger", leaf_by_other, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: by the root, over the CA's head", leaf_by_root, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: by itself", leaf_by_itself, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: P-256 with SHA-384", leaf_sha384, ATLS_OK, ""},
    {"signature: ECDSA with SHA-512 is not understood", leaf_sha512, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: called RSA under an EC key", leaf_called_rsa, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: RSA", ca_rsa, ATLS_OK, ""},
    {"signature: RSA with SHA-1 is not understood", ca_rsa_sha1, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: called ECDSA under an RSA key", ca_rsa_called_ecdsa, ATLS_E_PCK_CHAIN, "leaf.signature"},
    {"signature: P-384", ca_p384, ATLS_OK, ""},
    {"signature: P-521 is not understood", ca_p521, ATLS_E_PCK_CHAIN, "intermediate"},

    {"list: absent", crl_absent, ATLS_E_CRL, "intermediate_crl"},
    {"list: version 1", crl_v1, ATLS_E_CRL, "intermediate_crl.tbs.version"},
    {"list: of another issuer", crl_issuer, ATLS_E_CRL, "intermediate_crl.issuer"},
    {"list: no crlNumber", crl_no_number, ATLS_E_CRL, "intermediate_crl.crl_number"},
    {"list: no authorityKeyIdentifier", crl_no_key_id, ATLS_E_CRL, "intermediate_crl.authority_key_id"},
    {"list: key id of another", crl_key_id, ATLS_E_CRL, "intermediate_crl.authority_key_id"},
    {"list: authorityKeyIdentifier without key id", crl_empty_key_id, ATLS_E_CRL, "intermediate_crl.authority_key_id"},
    {"list: no key id, as its issuer", crl_both_no_key_id, ATLS_E_CRL, "intermediate_crl.authority_key_id"},
    {"list: unknown critical extension", crl_critical, ATLS_E_CRL, "intermediate_crl.critical_extension"},
    {"list: unknown critical extension of an entry", crl_entry_critical, ATLS_E_CRL,
     "intermediate_crl.critical_extension"},
    {"list: a delta", crl_delta, ATLS_E_CRL, "intermediate_crl.critical_extension"},
    {"list: partial", crl_partial, ATLS_E_CRL, "intermediate_crl.scope.only_some_reasons"},
    {"list: removeFromCRL", crl_remove, ATLS_E_CRL, "intermediate_crl.critical_extension"},
    {"list: no nextUpdate", crl_no_next, ATLS_E_CRL, "intermediate_crl.next_update"},
    {"list: signature, one bit", crl_flip, ATLS_E_CRL, "intermediate_crl.signature"},
    {"list: signed by a stranger", crl_by_other, ATLS_E_CRL, "intermediate_crl.signature"},
    {"list: ECDSA with SHA-512 is not understood", crl_sha512, ATLS_E_CRL, "intermediate_crl.signature"},
    {"list: expired a second ago", crl_old, ATLS_E_EXPIRED, "intermediate_crl.next_update"},
    {"list: valid in a second", crl_future, ATLS_E_NOT_YET_VALID, "intermediate_crl.this_update"},
    {"list: both dates are now", crl_edges, ATLS_OK, ""},
    {"list: the leaf is on it", crl_lists_leaf, ATLS_E_REVOKED, "leaf"},
    {"list: neighbours of the leaf are on it", crl_lists_neighbours, ATLS_OK, ""},
    {"list: the intermediate is on the root's", root_crl_lists_ca, ATLS_E_REVOKED, "intermediate"},
    {"list: the root is on its own", root_crl_lists_root, ATLS_E_REVOKED, "root"},
    {"list: the leaf's serial is on the root's", root_crl_lists_leaf, ATLS_OK, ""},
    {"list: the root's expired", root_crl_old, ATLS_E_EXPIRED, "root_crl.next_update"},
    {"list: the two swapped", crls_swapped, ATLS_E_CRL, "root_crl.issuer"},
};
/* clang-format on */

static void start(atls_cert_pool *pool, atls_arena *arena)
{
    atls_error err = {0};
    atls_arena_init(arena, block, sizeof block);
    assert_true(atls_cert_pool_init(pool, 8, arena, &err));
}

static void run(void **state)
{
    const row *r = *state;
    static walk_files files;
    atls_arena arena;
    atls_cert_pool pool;
    atls_error err = {0};
    walk_order order = walk_default(true);
    start(&pool, &arena);
    r->change(&order);
    walk_write(keys, &order, &files);
    bool ok = walk_verify(crypto, &files, &pool, &err);
    assert_int_equal(err.code, r->code);
    assert_string_equal(err.field, r->field);
    assert_int_equal(ok, r->code == ATLS_OK);
}

/* What an error shows besides its place. */
static void values_of_errors(void **state)
{
    (void)state;
    static walk_files files;
    atls_arena arena;
    atls_cert_pool pool;
    walk_order order = walk_default(true);
    static const struct {
        void (*change)(walk_order *o);
        const char *expected;
        const char *actual;
    } cases[] = {
        {leaf_expired, "not after 2024-05-31T23:59:59Z", "2024-06-01T00:00:00Z"},
        {crl_future, "not before 2024-06-01T00:00:01Z", "2024-06-01T00:00:00Z"},
        {leaf_by_root_name, "Test CA", "Test Root"},
        {crl_lists_leaf, "", "f00ba4"},
        {leaf_sha512, "ECDSA or RSA with SHA-2", "something else"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        atls_error err = {0};
        order = walk_default(true);
        cases[i].change(&order);
        start(&pool, &arena);
        walk_write(keys, &order, &files);
        assert_false(walk_verify(crypto, &files, &pool, &err));
        assert_string_equal(err.expected, cases[i].expected);
        assert_string_equal(err.actual, cases[i].actual);
        assert_int_equal(err.unsupported, cases[i].change == leaf_sha512);
    }
}

/* Two lists and three certificates are five signatures; the same pool again checks the lists only. */
static void verified_once(void **state)
{
    (void)state;
    static walk_files files;
    atls_arena arena;
    atls_cert_pool pool;
    atls_error err = {0};
    walk_order order = walk_default(true);
    start(&pool, &arena);
    walk_write(keys, &order, &files);
    uint64_t before = atls_crypto_verifications(crypto);
    assert_true(walk_verify(crypto, &files, &pool, &err));
    assert_int_equal(atls_crypto_verifications(crypto) - before, 5);
    assert_true(walk_verify(crypto, &files, &pool, &err));
    assert_int_equal(atls_crypto_verifications(crypto) - before, 7);
    assert_int_equal(pool.n, 3);
}

/* Another leaf under the same CA: the links above are known, and a failure is not remembered as a success. */
static void shared_links(void **state)
{
    (void)state;
    static walk_files files;
    static walk_files other; /* the pool borrows the first */
    atls_arena arena;
    atls_cert_pool pool;
    atls_error err = {0};
    walk_order order = walk_default(true);
    start(&pool, &arena);
    walk_write(keys, &order, &files);
    assert_true(walk_verify(crypto, &files, &pool, &err));
    uint64_t before = atls_crypto_verifications(crypto);
    order.cert[WALK_LEAF].flip_signature = true;
    other = files;
    make_cert_write(keys, &order.cert[WALK_LEAF], &other.cert[WALK_LEAF]);
    for (int i = 0; i < 2; i++) { /* two lists and the leaf, each time */
        atls_error again = {0};
        assert_false(walk_verify(crypto, &other, &pool, &again));
        assert_string_equal(again.field, "leaf.signature");
    }
    assert_int_equal(atls_crypto_verifications(crypto) - before, 6);
}

/* A known link is known for its issuer only: the same names over another key are looked at again. */
static void not_for_another_issuer(void **state)
{
    (void)state;
    made m[3];
    atls_arena arena;
    atls_cert_pool pool;
    atls_cert *ca;
    atls_cert *twin;
    atls_cert *leaf;
    atls_key *ca_key;
    atls_key *twin_key;
    atls_error err = {0};
    make_cert spec = make_cert_default(MAKE_CA);
    make_cert_write(keys, &spec, &m[0]);
    spec.key = MAKE_OTHER; /* subject and key id stay */
    make_cert_write(keys, &spec, &m[1]);
    spec = make_cert_default(MAKE_LEAF);
    make_cert_write(keys, &spec, &m[2]);
    start(&pool, &arena);
    assert_true(atls_cert_pool_add(&pool, made_bytes(&m[0]), ATLS_E_OTHER, "ca", &ca, &err));
    assert_true(atls_cert_pool_add(&pool, made_bytes(&m[1]), ATLS_E_OTHER, "twin", &twin, &err));
    assert_true(atls_cert_pool_add(&pool, made_bytes(&m[2]), ATLS_E_OTHER, "leaf", &leaf, &err));
    assert_true(atls_key_open(crypto, &ca->key, ATLS_E_OTHER, "ca", &ca_key, &err));
    assert_true(atls_key_open(crypto, &twin->key, ATLS_E_OTHER, "twin", &twin_key, &err));
    assert_true(atls_link_verify(crypto, leaf, ca, ca_key, 0, ATLS_E_PCK_CHAIN, "leaf", &err));
    assert_true(leaf->verified_by == ca);
    assert_false(atls_link_verify(crypto, leaf, twin, twin_key, 0, ATLS_E_PCK_CHAIN, "leaf", &err));
    assert_string_equal(err.field, "leaf.signature");
    assert_true(leaf->verified_by == ca);
    atls_key_close(ca_key);
    atls_key_close(twin_key);
}

static void pool_rules(void **state)
{
    (void)state;
    made m;
    made copy;
    atls_arena arena;
    atls_cert_pool pool;
    atls_cert *first;
    atls_cert *second;
    atls_error err = {0};
    make_cert spec = make_cert_default(MAKE_LEAF);
    make_cert_write(keys, &spec, &m);
    copy = m;
    atls_arena_init(&arena, block, sizeof block);
    assert_true(atls_cert_pool_init(&pool, 1, &arena, &err));
    assert_true(atls_cert_pool_add(&pool, made_bytes(&m), ATLS_E_PCK_CHAIN, "a", &first, &err));
    assert_true(atls_cert_pool_add(&pool, made_bytes(&copy), ATLS_E_PCK_CHAIN, "b", &second, &err));
    assert_true(first == second);
    make_cert_write(keys, &spec, &copy); /* signed again: other bytes */
    assert_false(atls_cert_pool_add(&pool, made_bytes(&copy), ATLS_E_PCK_CHAIN, "c", &second, &err));
    assert_int_equal(err.code, ATLS_E_PCK_CHAIN);
    assert_string_equal(err.field, "c");
    assert_null(second);
    atls_error_clear(&err);
    atls_arena_init(&arena, block, 16);
    assert_false(atls_cert_pool_init(&pool, 8, &arena, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
    assert_false(atls_crl_check(&(atls_crl){.issuer = first->subject, .revoked = atls_bytes_empty()}, first, "leaf",
                                &(atls_error){0})); /* a list says nothing of another issuer's certificates */
}

/* A leaf needs all the usages that are asked for, not one of them. */
static void usages_of_a_leaf(void **state)
{
    (void)state;
    atls_cert cert = {
        .has_basic_constraints = true, .has_key_usage = true, .key_usage = ATLS_KU_DIGITAL_SIGNATURE | 2u};
    atls_error err = {0};
    assert_true(atls_leaf_check(&cert, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_OTHER, "leaf", &err));
    assert_true(atls_leaf_check(&cert, ATLS_KU_DIGITAL_SIGNATURE | 2u, ATLS_E_OTHER, "leaf", &err));
    assert_true(atls_leaf_check(&cert, 0, ATLS_E_OTHER, "leaf", &err));
    assert_false(atls_leaf_check(&cert, ATLS_KU_DIGITAL_SIGNATURE | 4u, ATLS_E_OTHER, "leaf", &err));
    assert_string_equal(err.field, "leaf.key_usage");
}

typedef struct anchor_row {
    const char *name;
    void (*change)(make_cert *c);
    atls_code code;
} anchor_row;

static void root_good(make_cert *c)
{
    (void)c;
}
static void root_issued(make_cert *c)
{
    c->issuer = "Somebody";
}
static void root_signed_by_other(make_cert *c)
{
    c->signer = MAKE_OTHER;
}
static void root_p384(make_cert *c)
{
    c->key = c->signer = MAKE_P384;
    c->alg = MAKE_ECDSA_SHA384;
}
static void root_sha384(make_cert *c)
{
    c->alg = MAKE_ECDSA_SHA384;
}
static void root_rsa(make_cert *c)
{
    c->key = c->signer = MAKE_RSA;
    c->alg = MAKE_RSA_SHA256;
}
static void root_pss(make_cert *c)
{
    c->key = c->signer = MAKE_RSA;
    c->alg = MAKE_PSS_TRAILER;
}
static void root_p521(make_cert *c)
{
    c->key = c->signer = MAKE_P521;
}
static void root_rsa_sha1(make_cert *c)
{
    c->key = c->signer = MAKE_RSA;
    c->alg = MAKE_RSA_SHA1;
}
static void root_pss_32(make_cert *c)
{
    c->key = c->signer = MAKE_RSA;
    c->alg = MAKE_PSS_SALT_32;
}
static void root_version_1(make_cert *c)
{
    c->version = 1;
}

static const anchor_row anchor_rows[] = {
    {"anchor: a root of one's own", root_good, ATLS_OK},
    {"anchor: not self-issued", root_issued, ATLS_E_PCK_CHAIN},
    {"anchor: not self-signed", root_signed_by_other, ATLS_E_PCK_CHAIN},
    {"anchor: P-384", root_p384, ATLS_OK},
    {"anchor: P-256 with SHA-384", root_sha384, ATLS_OK},
    {"anchor: RSA", root_rsa, ATLS_OK},
    {"anchor: RSA with RSASSA-PSS", root_pss, ATLS_OK},
    {"anchor: P-521", root_p521, ATLS_E_PCK_CHAIN},
    {"anchor: RSA with SHA-1", root_rsa_sha1, ATLS_E_PCK_CHAIN},
    {"anchor: RSASSA-PSS with a short salt", root_pss_32, ATLS_E_PCK_CHAIN},
    {"anchor: version 1", root_version_1, ATLS_E_PCK_CHAIN},
};

static void run_anchor(void **state)
{
    const anchor_row *r = *state;
    made m;
    atls_anchor anchor;
    atls_error err = {0};
    make_cert spec = make_cert_default(MAKE_ROOT);
    r->change(&spec);
    make_cert_write(keys, &spec, &m);
    bool ok = atls_anchor_from_der(crypto, made_bytes(&m), &anchor, &err);
    assert_int_equal(ok, r->code == ATLS_OK);
    assert_int_equal(err.code, r->code);
    bool other_algorithm = r->change == root_p521 || r->change == root_rsa_sha1 || r->change == root_pss_32;
    assert_int_equal(err.unsupported, other_algorithm);
    if (!ok) {
        assert_int_equal(strncmp(err.field, "trusted_roots", 13), 0);
        assert_true(anchor.label == NULL && !anchor.self_checked);
        return;
    }
    assert_true(anchor.self_checked && !anchor.production && anchor.label != NULL);
}

static void anchor_of_intel(void **state)
{
    (void)state;
    const atls_anchor *a = atls_anchor_intel_sgx();
    char hex[65];
    atls_hex_encode(atls_bytes_of(a->sha256, sizeof a->sha256), hex);
    assert_string_equal(hex, "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
    assert_true(a->production && a->self_checked);
    assert_string_equal(a->label, "Intel SGX Root CA");
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    keys = make_keys_new();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run, &rows[i]);
    }
    for (size_t i = 0; i < sizeof anchor_rows / sizeof anchor_rows[0]; i++) {
        tap_add(&l, anchor_rows[i].name, run_anchor, &anchor_rows[i]);
    }
    tap_add(&l, "anchor: Intel's is the one that was pinned", anchor_of_intel, NULL);
    tap_add(&l, "errors show expected and actual", values_of_errors, NULL);
    tap_add(&l, "no object is verified twice", verified_once, NULL);
    tap_add(&l, "links are shared between chains, failures are not", shared_links, NULL);
    tap_add(&l, "a known link is known for its issuer only", not_for_another_issuer, NULL);
    tap_add(&l, "a leaf needs every usage that is asked for", usages_of_a_leaf, NULL);
    tap_add(&l, "the pool: same bytes, same object; a cap; an arena", pool_rules, NULL);
    int failed = tap_run("chain", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
