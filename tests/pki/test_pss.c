/* SPDX-License-Identifier: Apache-2.0 */
/* RSASSA-PSS, of which one set of parameters is in the list, and leaves that say nothing about their use: both are AMD's
 * ways. Chains are walked as everywhere; each row differs from an honest one in what its name says. */
#include "tap.h"
#include "walk.h"

static make_keys *keys;
static atls_crypto *crypto;
static uint8_t block[64 * 1024];

typedef struct row {
    const char *name;
    make_alg leaf; /* of the leaf's signature, by an RSA intermediate */
    make_alg list; /* of the intermediate's list */
    const char *field;
    bool unsupported;
} row;

/* clang-format off */
static const row rows[] = {
    {"pss: as AMD's leaves have it",               MAKE_PSS,         MAKE_PSS,         "", false},
    {"pss: the default trailer spelt out",         MAKE_PSS_TRAILER, MAKE_PSS_TRAILER, "", false},
    {"pss: hash functions without parameters",     MAKE_PSS_BARE,    MAKE_PSS_BARE,    "", false},
    {"pss: after PKCS #1 v1.5 with the same key",  MAKE_PSS,         MAKE_RSA_SHA256,  "", false},
    {"pss: before PKCS #1 v1.5 with the same key", MAKE_RSA_SHA512,  MAKE_PSS,         "", false},
    {"pss: another salt than is said",             MAKE_PSS_LIES,    MAKE_PSS,         "leaf.signature", false},
    {"pss: a list with another salt than is said", MAKE_PSS,         MAKE_PSS_LIES,    "intermediate_crl.signature", false},
    {"pss: a salt of 32",                          MAKE_PSS_SALT_32, MAKE_PSS,         "leaf.signature", true},
    {"pss: SHA-256",                               MAKE_PSS_SHA256,  MAKE_PSS,         "leaf.signature", true},
    {"pss: MGF1 with SHA-256",                     MAKE_PSS_MGF1_SHA256, MAKE_PSS,     "leaf.signature", true},
    {"pss: another trailer",                       MAKE_PSS_TRAILER_2, MAKE_PSS,       "leaf.signature", true},
    {"pss: the defaults, which are SHA-1",         MAKE_PSS_DEFAULTS, MAKE_PSS,        "leaf.signature", true},
    {"pss: something after the parameters",        MAKE_PSS_MORE,    MAKE_PSS,         "leaf.signature", true},
    {"pss: a list with a salt of 32",              MAKE_PSS,         MAKE_PSS_SALT_32, "intermediate_crl.signature", true},
};
/* clang-format on */

static bool walk(const walk_order *o, atls_error *err)
{
    static walk_files files;
    atls_arena arena;
    atls_cert_pool pool;
    walk_write(keys, o, &files);
    atls_arena_init(&arena, block, sizeof block);
    return atls_cert_pool_init(&pool, 4, &arena, err) && walk_verify(crypto, &files, &pool, err);
}

static walk_order rsa_ca(make_alg leaf, make_alg list)
{
    walk_order o = walk_default(true);
    o.cert[WALK_CA].key = o.cert[WALK_LEAF].signer = o.crl[1].signer = MAKE_RSA;
    o.cert[WALK_LEAF].alg = leaf;
    o.crl[1].alg = list;
    return o;
}

static void expect(bool ok, const atls_error *err, const char *field)
{
    if (ok != (field[0] == '\0') || strcmp(err->field, field) != 0) {
        char line[600];
        atls_error_line(err, line, sizeof line);
        fail_msg("got \"%s\", wanted %s", line, field);
    }
}

static void run(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    walk_order o = rsa_ca(r->leaf, r->list);
    const bool ok = walk(&o, &err);
    expect(ok, &err, r->field);
    assert_int_equal(err.unsupported, r->unsupported);
}

static void changed_bit(void **state)
{
    (void)state;
    atls_error err = {0};
    walk_order o = rsa_ca(MAKE_PSS, MAKE_PSS);
    o.cert[WALK_LEAF].flip_signature = true;
    expect(walk(&o, &err), &err, "leaf.signature");
}

/* The same parameters in another spelling are another algorithm outside than inside. */
static void outside_differs(void **state)
{
    (void)state;
    atls_error err = {0};
    walk_order o = rsa_ca(MAKE_PSS, MAKE_PSS);
    o.cert[WALK_LEAF].outer_alg = MAKE_PSS_TRAILER;
    expect(walk(&o, &err), &err, "leaf.signature_algorithm");
}

static void called_pss_under_ec(void **state)
{
    (void)state;
    atls_error err = {0};
    walk_order o = walk_default(true);
    o.cert[WALK_LEAF].signer = MAKE_RSA;
    o.cert[WALK_LEAF].alg = MAKE_PSS;
    expect(walk(&o, &err), &err, "leaf.signature");
}

/* The door itself: an EC key, a hash that is none, a signature of another length. */
static void the_door(void **state)
{
    (void)state;
    static const uint8_t data[] = "x";
    uint8_t sig[256] = {0};
    atls_key *key;
    atls_error err = {0};
    atls_public_key ec = make_public_key(keys, MAKE_CA);
    assert_true(atls_key_open(crypto, &ec, ATLS_E_OTHER, "key", &key, &err));
    assert_false(atls_verify_pss(crypto, key, ATLS_SHA384, atls_bytes_of(data, 1), atls_bytes_of(sig, 256),
                                 ATLS_E_CERTIFICATE_CHAIN, "sig", &err));
    assert_int_equal(err.code, ATLS_E_CERTIFICATE_CHAIN);
    atls_key_close(key);
    atls_public_key rsa = make_public_key(keys, MAKE_RSA);
    atls_error_clear(&err);
    assert_true(atls_key_open(crypto, &rsa, ATLS_E_OTHER, "key", &key, &err));
    assert_false(atls_verify_pss(crypto, key, (atls_hash)9, atls_bytes_of(data, 1), atls_bytes_of(sig, 256),
                                 ATLS_E_CERTIFICATE_CHAIN, "sig", &err));
    assert_int_equal(err.code, ATLS_E_INTERNAL);
    for (size_t len = 0; len <= sizeof sig; len += 64) {
        atls_error_clear(&err);
        assert_false(atls_verify_pss(crypto, key, ATLS_SHA384, atls_bytes_of(data, 1), atls_bytes_of(sig, len),
                                     ATLS_E_CERTIFICATE_CHAIN, "sig", &err));
        assert_int_equal(err.code, ATLS_E_CERTIFICATE_CHAIN);
    }
    atls_key_close(key);
}

/* ---- leaves that say nothing about their use ---- */

typedef struct leaf_row {
    const char *name;
    atls_cert cert;
    const char *rule; /* that the lenient check offends; "": none */
    bool strict_ok;   /* whether the ordinary check accepts it */
} leaf_row;

static const leaf_row leaf_rows[] = {
    {"bare leaf: nothing said", {.is_ca = false}, "", false},
    {"bare leaf: no CA, and the usage",
     {.has_basic_constraints = true, .has_key_usage = true, .key_usage = ATLS_KU_DIGITAL_SIGNATURE},
     "",
     true},
    {"bare leaf: no CA, no usage said", {.has_basic_constraints = true}, "", false},
    {"bare leaf: a CA", {.has_basic_constraints = true, .is_ca = true}, "basic_constraints", false},
    {"bare leaf: another usage", {.has_key_usage = true, .key_usage = ATLS_KU_CRL_SIGN}, "key_usage", false},
    {"bare leaf: an unknown critical extension", {.has_unknown_critical = true}, "critical_extension", false},
};

static void run_leaf(void **state)
{
    const leaf_row *r = *state;
    char field[64] = "";
    atls_error err = {0};
    bool ok = atls_bare_leaf_check(&r->cert, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, "leaf", &err);
    if (r->rule[0] != '\0') {
        snprintf(field, sizeof field, "leaf.%s", r->rule);
        assert_int_equal(err.code, ATLS_E_CERTIFICATE_CHAIN);
    }
    expect(ok, &err, field);
    atls_error_clear(&err);
    ok = atls_leaf_check(&r->cert, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, "leaf", &err);
    assert_int_equal(ok, r->strict_ok);
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
    for (size_t i = 0; i < sizeof leaf_rows / sizeof leaf_rows[0]; i++) {
        tap_add(&l, leaf_rows[i].name, run_leaf, &leaf_rows[i]);
    }
    tap_add(&l, "pss: one bit", changed_bit, NULL);
    tap_add(&l, "pss: spelt otherwise outside", outside_differs, NULL);
    tap_add(&l, "pss: under an EC key", called_pss_under_ec, NULL);
    tap_add(&l, "pss: the door to OpenSSL", the_door, NULL);
    int failed = tap_run("pss", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
