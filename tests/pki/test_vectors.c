/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine certificates and lists of every vendor that atls will ever read: all of them decode, and Intel's links verify
 * up to the pinned root. */
#include <dirent.h>

#include "base/json.h"
#include "evidence/vectors.h"
#include "pki/chain.h"

static atls_arena arena;
static atls_crypto *crypto;

typedef struct counts {
    size_t certs;
    size_t crls;
    size_t unusable_keys; /* a key or a signature of a kind that is not in the list */
} counts;

static void fail_on(const char *path, const atls_error *err)
{
    char line[600];
    atls_error_line(err, line, sizeof line);
    fail_msg("%s: %s", path, line);
}

static void read_cert(const char *path, atls_bytes der, atls_cert *out, counts *n)
{
    atls_error err = {0};
    if (!atls_cert_decode(der, "certificate", out, &err)) {
        fail_on(path, &err);
    }
    assert_non_null(atls_name_text(out->issuer, &arena, &err));
    assert_non_null(atls_name_text(out->subject, &arena, &err));
    n->certs++;
    n->unusable_keys += out->key.kind == ATLS_KEY_UNKNOWN || out->sig_alg == ATLS_SIG_UNKNOWN ? 1 : 0;
}

static bool find(atls_bytes in, const char *text, size_t from, size_t *at)
{
    size_t len = strlen(text);
    for (size_t i = from; i + len <= in.len; i++) {
        if (memcmp(in.ptr + i, text, len) == 0) {
            *at = i;
            return true;
        }
    }
    return false;
}

/* Every PEM block of a file through our PEM reader, whatever stands around it. */
static void read_blocks(const char *path, atls_bytes file, counts *n)
{
    static const char end_mark[] = "-----END CERTIFICATE-----";
    size_t start;
    size_t end = 0;
    for (size_t at = 0; find(file, "-----BEGIN CERTIFICATE-----", at, &start); at = end) {
        atls_bytes der;
        size_t count;
        atls_cert cert;
        atls_error err = {0};
        assert_true(find(file, end_mark, start, &end));
        end += sizeof end_mark - 1;
        atls_bytes text = atls_bytes_of(file.ptr + start, end - start);
        if (!atls_pem_certificates(text, false, ATLS_E_OTHER, "pem", &arena, &der, 1, &count, &err)) {
            fail_on(path, &err);
        }
        read_cert(path, der, &cert, n);
    }
}

typedef struct folder_row {
    const char *folder;
    size_t n_certs;
} folder_row;

static const folder_row folders[] = {
    {"android/chains", 103}, {"android/certs", 1}, {"android/roots", 6}, {"apple/roots", 3},
    {"sev-snp", 19},         {"tpm", 9},           {"nitro", 1},         {"constellation", 11},
};

static bool is_file_of(const char *name, const char *end)
{
    size_t n = strlen(name);
    size_t m = strlen(end);
    return n > m && strcmp(name + n - m, end) == 0;
}

static void run_folder(void **state)
{
    const folder_row *row = *state;
    const char *root = getenv("ATLS_VECTORS");
    char path[512];
    counts n = {0};
    snprintf(path, sizeof path, "%s/%s", root == NULL ? "../shared/vectors" : root, row->folder);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        atls_bytes file;
        atls_cert cert;
        bool is_pem = is_file_of(e->d_name, ".pem");
        bool is_der = is_file_of(e->d_name, ".der") || is_file_of(e->d_name, ".crt") || is_file_of(e->d_name, ".cer");
        bool is_name = strncmp(e->d_name, "nonce_dn", 8) == 0; /* Names, not certificates */
        if ((!is_pem && !is_der) || is_name) {
            continue;
        }
        atls_arena_reset(&arena);
        char name[160];
        snprintf(name, sizeof name, "%.40s/%.100s", row->folder, e->d_name);
        assert_true(vectors_read(name, &arena, &file));
        if (is_pem) {
            read_blocks(name, file, &n);
        } else {
            read_cert(name, file, &cert, &n);
        }
    }
    closedir(dir);
    printf("# %s: %zu certificates, %zu with keys or signatures that are not understood\n", row->folder, n.certs,
           n.unusable_keys);
    assert_int_equal(n.certs, row->n_certs);
}

/* ---- Intel: from the pinned root down ---- */

typedef struct dcap_row {
    const char *folder;
    const char *quote; /* holds the PCK chain; NULL: it is among the endorsements */
    bool production;
} dcap_row;

static const dcap_row dcap_rows[] = {
    {"dcap/sgx-v3-processor", "quote.bin", true},    {"dcap/tdx-v4-b0c06f", "quote-uptodate.bin", true},
    {"dcap/tdx-v4-spr-e4", "quote.bin", true},       {"dcap/tdx-v5-90c06f", "quote.bin", true},
    {"dcap/intel-sample-sgx-v3-type1", NULL, false},
};

static void read_file(const dcap_row *row, const char *name, atls_bytes *out)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", row->folder, name);
    assert_true(vectors_read(path, &arena, out));
}

/* A member that holds a PEM chain: its certificates in the pool. */
static size_t read_chain(atls_bytes text, atls_cert_pool *pool, atls_cert **out)
{
    atls_bytes der[4];
    size_t n;
    atls_error err = {0};
    assert_true(atls_pem_certificates(text, true, ATLS_E_PCK_CHAIN, "chain", &arena, der, 4, &n, &err));
    for (size_t i = 0; i < n; i++) {
        assert_true(atls_cert_pool_add(pool, der[i], ATLS_E_PCK_CHAIN, "chain", &out[i], &err));
    }
    return n;
}

static void verify_link(atls_cert *cert, atls_cert *issuer, uint32_t n_below)
{
    atls_key *key;
    atls_error err = {0};
    assert_true(atls_key_open(crypto, &issuer->key, ATLS_E_PCK_CHAIN, "key", &key, &err));
    if (!atls_link_verify(crypto, cert, issuer, key, n_below, ATLS_E_PCK_CHAIN, "link", &err)) {
        fail_on("link", &err);
    }
    atls_key_close(key);
}

static void verify_list(const atls_json *bundle, const char *name, const atls_cert *issuer, const atls_cert *below)
{
    atls_bytes hex;
    atls_bytes der;
    atls_crl crl;
    atls_key *key;
    atls_error err = {0};
    assert_true(atls_json_member_text(bundle, "bundle", name, &hex, &err));
    assert_true(atls_hex_decode(hex, name, &arena, &der, &err));
    assert_true(atls_crl_decode(der, name, &crl, &err));
    assert_true(atls_key_open(crypto, &issuer->key, ATLS_E_CRL, "key", &key, &err));
    if (!atls_crl_verify(crypto, &crl, issuer, key, crl.this_update, name, &err)
        || !atls_crl_check(&crl, below, "below", &err)) {
        fail_on(name, &err);
    }
    atls_key_close(key);
    printf("# %s: %zu entries in %zu bytes\n", name, crl.n_revoked, der.len);
}

static void check_root(const dcap_row *row, atls_cert *root)
{
    const atls_anchor *found;
    atls_anchor made;
    atls_error err = {0};
    assert_true(atls_anchor_find(crypto, atls_anchor_intel_sgx(), 1, root, &found, &err));
    assert_true((found == atls_anchor_intel_sgx()) == row->production);
    assert_true(atls_anchor_from_der(crypto, root->der, &made, &err));
    assert_int_equal(made.production, row->production);
    verify_link(root, root, 1);
}

static void run_dcap(void **state)
{
    const dcap_row *row = *state;
    atls_bytes file;
    atls_bytes text;
    const atls_json *bundle;
    atls_cert_pool pool;
    atls_cert *pck[4];
    atls_cert *tcb[4];
    atls_cert *ca[4];
    atls_error err = {0};
    size_t at = 0;
    atls_arena_reset(&arena);
    assert_true(atls_cert_pool_init(&pool, 8, &arena, &err));
    read_file(row, "collateral.json", &file);
    assert_true(atls_json_parse(file, "bundle", &arena, &bundle, &err));
    assert_true(atls_json_member_text(bundle, "bundle", "pck_crl_issuer_chain", &text, &err));
    assert_int_equal(read_chain(text, &pool, ca), 2);
    assert_true(atls_json_member_text(bundle, "bundle", "tcb_info_issuer_chain", &text, &err));
    assert_int_equal(read_chain(text, &pool, tcb), 2);
    assert_true(atls_json_member_text(bundle, "bundle", "qe_identity_issuer_chain", &text, &err));
    assert_int_equal(read_chain(text, &pool, tcb), 2);
    if (row->quote != NULL) {
        read_file(row, row->quote, &file);
        assert_true(find(file, "-----BEGIN CERTIFICATE-----", 0, &at));
        size_t end = file.len;
        for (size_t next = at; find(file, "-----END CERTIFICATE-----", next, &next); next++) {
            end = next + strlen("-----END CERTIFICATE-----");
        }
        text = atls_bytes_of(file.ptr + at, end - at);
    } else {
        assert_true(atls_json_member_text(bundle, "bundle", "pck_certificate_chain", &text, &err));
    }
    assert_int_equal(read_chain(text, &pool, pck), 3);
    assert_true(pool.n >= 4 && pool.n <= 5); /* the root once */
    assert_true(pck[2] == ca[1] && pck[2] == tcb[1]);
    check_root(row, pck[2]);
    verify_link(tcb[0], tcb[1], 0);
    verify_link(pck[1], pck[2], 1);
    verify_link(pck[0], pck[1], 0);
    assert_true(atls_leaf_check(pck[0], ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_PCK_CHAIN, "pck", &err));
    assert_true(atls_leaf_check(tcb[0], ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_PCK_CHAIN, "tcb", &err));
    verify_list(bundle, "root_ca_crl", pck[2], pck[1]);
    verify_list(bundle, "pck_crl", ca[0], pck[0]);
}

/* ---- AMD: ASK or ASVK, then the ARK, which is pinned ---- */

typedef struct amd_row {
    const char *chain;
    const char *leaf; /* DER, or PEM by its name; NULL: none at hand */
} amd_row;

static const amd_row amd_rows[] = {
    {"sev-snp/ask_ark_milan.pem", "sev-snp/milan_v2.vcek.der"},
    {"sev-snp/ask_ark_milan_vlek.pem", "sev-snp/milan_v3_vlek_aws.vlek.pem"},
    {"sev-snp/ask_ark_genoa.pem", "sev-snp/genoa_v5.vcek.der"},
    {"sev-snp/ask_ark_genoa_vlek.pem", NULL},
    {"sev-snp/ask_ark_turin_vcek.pem", "sev-snp/turin.vcek.der"},
    {"sev-snp/ask_ark_turin_vlek.pem", NULL},
};

static void verify_amd_leaf(const char *path, atls_cert_pool *pool, atls_cert *issuer)
{
    atls_bytes file;
    atls_cert *leaf;
    atls_error err = {0};
    assert_true(vectors_read(path, &arena, &file));
    if (is_file_of(path, ".pem")) {
        assert_int_equal(read_chain(file, pool, &leaf), 1);
    } else {
        assert_true(atls_cert_pool_add(pool, file, ATLS_E_CERTIFICATE_CHAIN, "leaf", &leaf, &err));
    }
    verify_link(leaf, issuer, 0);
    assert_true(atls_bare_leaf_check(leaf, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, "leaf", &err));
    assert_false(atls_leaf_check(leaf, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, "leaf", &err));
}

static void run_amd(void **state)
{
    const amd_row *row = *state;
    atls_bytes file;
    atls_cert_pool pool;
    atls_cert *chain[4];
    const atls_anchor *found;
    atls_anchor made;
    size_t n_arks;
    atls_error err = {0};
    const atls_anchor *arks = atls_anchors_amd(&n_arks);
    atls_arena_reset(&arena);
    assert_int_equal(n_arks, 3);
    assert_true(atls_cert_pool_init(&pool, 4, &arena, &err) && vectors_read(row->chain, &arena, &file));
    assert_int_equal(read_chain(file, &pool, chain), 2);
    assert_true(atls_anchor_find(crypto, arks, n_arks, chain[1], &found, &err) && found != NULL);
    assert_true(found->production && found->self_checked && atls_anchor_of_vendor(found->sha256) == found);
    assert_true(atls_anchor_from_der(crypto, chain[1]->der, &made, &err));
    assert_true(made.production && strcmp(made.label, found->label) == 0);
    verify_link(chain[1], chain[1], 1);
    verify_link(chain[0], chain[1], 1);
    assert_true(chain[0]->sig_alg == ATLS_SIG_RSA_PSS_SHA384 && chain[0]->key.kind == ATLS_KEY_RSA);
    if (row->leaf != NULL) {
        verify_amd_leaf(row->leaf, &pool, chain[0]);
    }
}

int main(void)
{
    tap_list l = {0};
    atls_error err = {0};
    atls_bytes probe;
    if (!atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err) || !atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    bool there = vectors_read("dcap/manifest.json", &arena, &probe);
    for (size_t i = 0; there && i < sizeof dcap_rows / sizeof dcap_rows[0]; i++) {
        tap_add(&l, dcap_rows[i].folder, run_dcap, &dcap_rows[i]);
    }
    for (size_t i = 0; there && i < sizeof folders / sizeof folders[0]; i++) {
        tap_add(&l, folders[i].folder, run_folder, &folders[i]);
    }
    for (size_t i = 0; there && i < sizeof amd_rows / sizeof amd_rows[0]; i++) {
        tap_add(&l, amd_rows[i].chain, run_amd, &amd_rows[i]);
    }
    if (!there) {
        tap_add(&l, "genuine certificates", vectors_absent, NULL);
    }
    int failed = tap_run("pki_vectors", &l);
    atls_crypto_free(crypto);
    atls_arena_free(&arena);
    return failed;
}
