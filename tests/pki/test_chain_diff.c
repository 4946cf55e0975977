/* SPDX-License-Identifier: Apache-2.0 */
/* Our verdict and OpenSSL's over thousands of chains with random defects. They may differ only in the ways that are
 * listed here, each with its condition; docs/pki.md gives the reasons. An accepted chain that OpenSSL refuses is the
 * grave kind, and has a list of its own. */
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "defects.h"
#include "tap.h"

#define N_CASES   3200
#define MAX_SHOWN 40 /* disagreements without a reason */

static make_keys *keys;
static atls_crypto *crypto;

/* ---- OpenSSL's verdict ---- */

typedef struct parsed {
    X509 *trusted;
    X509 *cert[WALK_N];
    X509_CRL *crl[2];
} parsed;

static X509 *parse_cert(const made *m)
{
    const uint8_t *p = m->der;
    return d2i_X509(NULL, &p, (long)m->len);
}

static bool parse_all(const walk_files *f, parsed *out)
{
    *out = (parsed){.trusted = NULL};
    bool ok = true;
    for (int i = 0; i < WALK_N; i++) {
        if (i != WALK_CA || f->has_ca) {
            out->cert[i] = parse_cert(&f->cert[i]);
            ok = ok && out->cert[i] != NULL;
        }
    }
    if (ok && f->trusted.len == f->cert[WALK_ROOT].len
        && memcmp(f->trusted.der, f->cert[WALK_ROOT].der, f->trusted.len) == 0) {
        out->trusted = out->cert[WALK_ROOT];
        X509_up_ref(out->trusted);
    } else {
        out->trusted = parse_cert(&f->trusted);
        ok = ok && out->trusted != NULL;
    }
    for (int i = 0; i < 2; i++) {
        if (f->has_crl[i] && (i == 0 || f->has_ca)) {
            const uint8_t *p = f->crl[i].der;
            out->crl[i] = d2i_X509_CRL(NULL, &p, (long)f->crl[i].len);
            ok = ok && out->crl[i] != NULL;
        }
    }
    return ok;
}

static void free_all(parsed *p)
{
    X509_free(p->trusted);
    for (int i = 0; i < WALK_N; i++) {
        X509_free(p->cert[i]);
    }
    X509_CRL_free(p->crl[0]);
    X509_CRL_free(p->crl[1]);
}

/* X509_V_OK, or OpenSSL's error. Always with an explicit time. */
static int verify_openssl(const parsed *p, atls_time now, unsigned long extra_flags)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    STACK_OF(X509) *between = sk_X509_new_null();
    assert_true(store != NULL && ctx != NULL && between != NULL);
    assert_int_equal(X509_STORE_add_cert(store, p->trusted), 1);
    for (int i = 0; i < 2; i++) {
        if (p->crl[i] != NULL) {
            assert_int_equal(X509_STORE_add_crl(store, p->crl[i]), 1);
        }
    }
    if (p->cert[WALK_CA] != NULL) {
        assert_true(sk_X509_push(between, p->cert[WALK_CA]) > 0);
    }
    assert_true(sk_X509_push(between, p->cert[WALK_ROOT]) > 0);
    assert_int_equal(X509_STORE_CTX_init(ctx, store, p->cert[WALK_LEAF], between), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)now);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
                                           | X509_V_FLAG_CHECK_SS_SIGNATURE | extra_flags);
    int result = X509_verify_cert(ctx) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(ctx);
    if (result == X509_V_OK && X509_STORE_CTX_get_error(ctx) != X509_V_OK) {
        result = X509_STORE_CTX_get_error(ctx);
    }
    sk_X509_free(between);
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    ERR_clear_error();
    return result;
}

/* ---- the differences that have a reason ---- */

typedef struct difference {
    const char *rule; /* we refuse: the end of our field; we accept: NULL */
    int error;        /* we accept: OpenSSL's error */
    bool strict;      /* only with X509_V_FLAG_X509_STRICT */
    bool (*holds)(const walk_order *o);
    const char *name; /* as in docs/pki.md */
} difference;

static bool some_cert(const walk_order *o, bool (*is)(const make_cert *c))
{
    return is(&o->cert[WALK_ROOT]) || is(&o->cert[WALK_LEAF]) || (o->has_ca && is(&o->cert[WALK_CA]));
}

static bool some_crl(const walk_order *o, bool (*is)(const make_crl *c))
{
    return is(&o->crl[0]) || (o->has_ca && is(&o->crl[1]));
}

#define SOME_CERT(fn, condition)                                                                                       \
    static bool is_##fn(const make_cert *c)                                                                            \
    {                                                                                                                  \
        return condition;                                                                                              \
    }                                                                                                                  \
    static bool fn(const walk_order *o)                                                                                \
    {                                                                                                                  \
        return some_cert(o, is_##fn);                                                                                  \
    }
#define SOME_CRL(fn, condition)                                                                                        \
    static bool is_##fn(const make_crl *c)                                                                             \
    {                                                                                                                  \
        return condition;                                                                                              \
    }                                                                                                                  \
    static bool fn(const walk_order *o)                                                                                \
    {                                                                                                                  \
        return some_crl(o, is_##fn);                                                                                   \
    }

#define NOW_TEXT "20240601000000Z"
SOME_CERT(has_no_usage, c->key_usage == 0 || c->no_extensions)
SOME_CERT(ends_now, strcmp(c->not_after, NOW_TEXT) == 0)
SOME_CERT(has_no_aki, c->aki == MAKE_NO_KEY || c->no_extensions)
SOME_CERT(has_no_ski, c->ski == MAKE_NO_KEY || c->no_extensions)
SOME_CERT(has_plain_constraints, c->bc_not_critical)
SOME_CERT(spells_names_otherwise, c->name_tag != 0x0c || c->issuer == NULL || strcmp(c->issuer, "TEST ca") == 0
                                      || strcmp(c->issuer, "test root") == 0 || strcmp(c->issuer, "Test  CA") == 0
                                      || strcmp(c->issuer, " Test Root") == 0)
SOME_CERT(has_critical, c->extra != NULL)
SOME_CERT(has_other_version, c->version != 3)
SOME_CERT(has_negative_serial, c->serial[0] == '8')
SOME_CERT(has_unique_id, c->unique_id != NULL)
SOME_CERT(has_unknown_algorithm, c->alg == MAKE_ECDSA_SHA512 || c->alg == MAKE_RSA_SHA1 || c->alg >= MAKE_PSS_SALT_32)
SOME_CERT(has_p521, c->key == MAKE_P521)
SOME_CERT(has_no_constraints, c->bc == MAKE_BC_ABSENT || c->no_extensions)
SOME_CERT(has_cert_sign_but_no_ca, c->bc != MAKE_BC_CA && (c->key_usage & ATLS_KU_KEY_CERT_SIGN) != 0)
SOME_CERT(has_empty_subject, c->subject == NULL)
SOME_CRL(crl_ends_now, c->next_update != NULL && strcmp(c->next_update, NOW_TEXT) == 0)
SOME_CRL(crl_is_v1, c->version == 1)
SOME_CRL(crl_has_no_number, c->number == NULL)
SOME_CRL(crl_has_no_aki, c->aki == MAKE_NO_KEY)
SOME_CRL(crl_has_no_next, c->next_update == NULL)
SOME_CRL(crl_is_special, c->extra != NULL || c->entry_extensions != NULL)
SOME_CRL(crl_spells_name_otherwise,
         c->issuer != NULL && (strcmp(c->issuer, "TEST ca") == 0 || strcmp(c->issuer, "test root") == 0))
SOME_CRL(crl_unknown_algorithm, c->alg == MAKE_ECDSA_SHA512 || c->alg == MAKE_RSA_SHA1 || c->alg >= MAKE_PSS_SALT_32)

static bool root_is_other(const walk_order *o)
{
    return o->other_root;
}
static bool leaf_is_loose(const walk_order *o)
{
    const make_cert *leaf = &o->cert[WALK_LEAF];
    return leaf->bc != MAKE_BC_END || leaf->no_extensions;
}
static bool leaf_may_not_sign(const walk_order *o)
{
    const make_cert *leaf = &o->cert[WALK_LEAF];
    return (leaf->key_usage & ATLS_KU_DIGITAL_SIGNATURE) == 0 || leaf->no_extensions;
}
static bool lists_swapped(const walk_order *o)
{
    return strcmp(o->crl[1].issuer, "Test Root") == 0;
}
static bool names_differ(const walk_order *o)
{
    return spells_names_otherwise(o) || crl_spells_name_otherwise(o);
}
static bool crl_is_loose_about_keys(const walk_order *o)
{
    return crl_has_no_aki(o) || has_no_ski(o);
}
static bool either_ends_now(const walk_order *o)
{
    return ends_now(o) || crl_ends_now(o);
}
static bool unknown_somewhere(const walk_order *o)
{
    return has_unknown_algorithm(o) || crl_unknown_algorithm(o);
}

/* clang-format off */
static const difference differences[] = {
    /* we refuse, OpenSSL accepts */
    {"root.anchor", 0, false, root_is_other, "A1 the root is pinned as a whole"},
    {"tbs.version", 0, false, has_other_version, "A2 version 3 only"},
    {"crl.tbs.version", 0, false, crl_is_v1, "A2 lists of version 2 only"},
    {"tbs.serial", 0, false, has_negative_serial, "A3 serials are not negative"},
    {"tbs.unique_id", 0, false, has_unique_id, "A4 no unique ids"},
    {".issuer", 0, false, names_differ, "A5 names are compared as bytes"},
    {"authority_key_id", 0, false, has_no_ski, "A6 an authority key id needs something to equal"},
    {"issuer.basic_constraints", 0, false, has_no_constraints, "A7 issuers have basicConstraints"},
    {"issuer.key_usage", 0, false, has_no_usage, "A7 issuers have keyUsage"},
    {"intermediate.key_usage", 0, false, has_no_usage, "A7 issuers have keyUsage"},
    {"leaf.basic_constraints", 0, false, leaf_is_loose, "A8 leaves say that they are no CA"},
    {"leaf.key_usage", 0, false, leaf_may_not_sign, "A8 leaves have the usage that is asked for"},
    {"critical_extension", 0, false, has_critical, "A9 critical extensions: four are understood"},
    {"signature", 0, false, unknown_somewhere, "A10 algorithms are an allow-list"},
    {"root", 0, false, has_p521, "A10 curves are an allow-list"},
    {"intermediate", 0, false, has_p521, "A10 curves are an allow-list"},
    {"crl.crl_number", 0, false, crl_has_no_number, "A11 lists have a number"},
    {"crl.authority_key_id", 0, false, crl_is_loose_about_keys, "A11 lists name their issuer's key"},
    {"crl.next_update", 0, false, crl_has_no_next, "A11 lists say how long they hold"},
    {"crl.critical_extension", 0, false, crl_is_special, "A12 lists are complete and direct"},
    {"crl.issuer", 0, false, lists_swapped, "A13 each list has its place"},
    /* we accept, OpenSSL refuses: each of these needs a reason better than good */
    {NULL, X509_V_ERR_CERT_HAS_EXPIRED, false, either_ends_now, "B1 the last second is still valid"},
    {NULL, X509_V_ERR_CRL_HAS_EXPIRED, false, either_ends_now, "B1 the last second is still valid"},
    /* the same, but only when OpenSSL is told to be strict */
    {NULL, X509_V_ERR_MISSING_AUTHORITY_KEY_IDENTIFIER, true, has_no_aki, "C1 certificates need no authority key id"},
    {NULL, X509_V_ERR_CA_BCONS_NOT_CRITICAL, true, has_plain_constraints, "C2 basicConstraints need not be critical"},
    {NULL, X509_V_ERR_KU_KEY_CERT_SIGN_INVALID_FOR_NON_CA, true, has_cert_sign_but_no_ca, "C3 usages beyond the asked"},
    {NULL, X509_V_ERR_SUBJECT_NAME_EMPTY, true, has_empty_subject, "C4 a leaf may have an empty name"},
};
/* clang-format on */
#define N_DIFFERENCES (sizeof differences / sizeof differences[0])

static size_t seen[N_DIFFERENCES];
static size_t n_both_accept;
static size_t n_both_refuse;
static size_t n_we_refuse;
static size_t n_we_accept;
static size_t n_strict;
static size_t n_unexplained;
static size_t used[128];

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* Marks the difference that explains this one; false when none does. */
static bool explain(const walk_order *o, const atls_error *err, int openssl, bool strict)
{
    for (size_t i = 0; i < N_DIFFERENCES; i++) {
        const difference *d = &differences[i];
        bool fits = err->code != ATLS_OK ? d->rule != NULL && ends_with(err->field, d->rule)
                                         : d->rule == NULL && d->error == openssl && d->strict == strict;
        if (fits && d->holds(o)) {
            seen[i]++;
            return true;
        }
    }
    return false;
}

static void unexplained(const char *what, const char *const *names, const atls_error *err, int openssl)
{
    char line[600];
    if (n_unexplained++ >= MAX_SHOWN) {
        return;
    }
    atls_error_line(err, line, sizeof line);
    printf("# %s: defects %s %s %s; ours: %s; OpenSSL: %s\n", what, names[0], names[1], names[2], line,
           X509_verify_cert_error_string(openssl));
}

static void compare(const walk_order *o, const walk_files *files, const char *const *names)
{
    static uint8_t block[64 * 1024];
    atls_arena arena;
    atls_cert_pool pool;
    atls_error err = {0};
    parsed p;
    atls_arena_init(&arena, block, sizeof block);
    assert_true(atls_cert_pool_init(&pool, 4, &arena, &err));
    bool ours = walk_verify(crypto, files, &pool, &err);
    bool readable = parse_all(files, &p);
    int lenient = readable ? verify_openssl(&p, files->now, 0) : X509_V_ERR_UNSPECIFIED;
    if (ours && lenient == X509_V_OK) {
        int strict = verify_openssl(&p, files->now, X509_V_FLAG_X509_STRICT);
        n_both_accept++;
        if (strict != X509_V_OK) {
            n_strict++;
            if (!explain(o, &err, strict, true)) {
                unexplained("accepted, refused by strict OpenSSL", names, &err, strict);
            }
        }
    } else if (ours) {
        n_we_accept++;
        if (!explain(o, &err, lenient, false)) {
            unexplained("accepted, refused by OpenSSL", names, &err, lenient);
        }
    } else if (lenient == X509_V_OK) {
        n_we_refuse++;
        if (!explain(o, &err, lenient, false)) {
            unexplained("refused, accepted by OpenSSL", names, &err, lenient);
        }
    } else {
        n_both_refuse++;
    }
    free_all(&p);
}

static void random_chains(void **state)
{
    (void)state;
    static walk_files files;
    dice d = {.state = 0x61746c73};
    for (size_t i = 0; i < N_CASES; i++) {
        const char *names[3] = {"-", "", ""};
        walk_order order = walk_default(dice_roll(&d, 4) != 0);
        unsigned n = dice_roll(&d, 8); /* 0: none, 1 to 5: one, 6: two, 7: three */
        n = n < 6 ? (n == 0 ? 0 : 1) : n - 4;
        for (unsigned j = 0; j < n; j++) {
            unsigned which = dice_roll(&d, (unsigned)n_defects);
            used[which]++;
            names[j] = defects[which].name;
            defects[which].apply(&order, &d);
        }
        walk_write(keys, &order, &files);
        compare(&order, &files, names);
    }
    assert_int_equal(n_unexplained, 0);
}

/* Every defect was tried, both verdicts are common, and each difference that is listed exists. */
static void coverage(void **state)
{
    (void)state;
    printf("# %d chains: both accept %zu, both refuse %zu, only we refuse %zu, only we accept %zu; strict OpenSSL "
           "refuses %zu of the first\n",
           N_CASES, n_both_accept, n_both_refuse, n_we_refuse, n_we_accept, n_strict);
    for (size_t i = 0; i < N_DIFFERENCES; i++) {
        printf("# %4zu  %s\n", seen[i], differences[i].name);
    }
    for (size_t i = 0; i < N_DIFFERENCES; i++) {
        assert_true(seen[i] > 0);
    }
    for (size_t i = 0; i < n_defects; i++) {
        assert_true(used[i] >= 20);
    }
    assert_true(n_both_accept > 500 && n_both_refuse > 500);
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    keys = make_keys_new();
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    tap_add(&l, "thousands of chains: every disagreement with OpenSSL has a reason", random_chains, NULL);
    tap_add(&l, "every defect and every reason occurred", coverage, NULL);
    int failed = tap_run("chain_diff", &l);
    atls_crypto_free(crypto);
    make_keys_free(keys);
    return failed;
}
