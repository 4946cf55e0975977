/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_binding.c: the worked example of atls/1, every value of it, from the hellos' fields and an exporter secret
 * to the report of a tree; and that nothing which goes in can be left out or swapped. */
#include "verify/native_binding.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>

#include "base/check.h"
#include "base/text.h"
#include "edge/tls/native_frame.h"

#define QUOTE_TYPE "application/vnd.atls.dcap-quote"
#define SNP_TYPE   "application/vnd.atls.sev-snp-report"

/* the specification's "Worked example" */
#define CLIENT_NONCE "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define SERVER_NONCE "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
#define CLIENT_HELLO                                                                                                   \
    "0000005b a6 00 01 01 02 02 5820" CLIENT_NONCE "03 81 781f"                                                        \
    "6170706c69636174696f6e2f766e642e61746c732e646361702d71756f7465 04 82 62 6832 68 687474702f312e31 05 f5"
#define SERVER_HELLO                                                                                                   \
    "0000005a a5 00 02 01 02 02 5820" SERVER_NONCE "03 81 7823"                                                        \
    "6170706c69636174696f6e2f766e642e61746c732e7365762d736e702d7265706f7274 04 81 68 687474702f312e31"
#define CONTEXT "4f1cbb85e4a234ab36653d9d29960a38a0adccdd1dc8685d2c076ca334e4ed8f"
#define CLIENT_EXPORTER                                                                                                \
    "088b62622cbe7d6fd813a4c470360aa711eecdea33fe04a88ed68c7cadae6c07"                                                 \
    "fc5ba854e31447c2c9d7b1f23bf6c122fe12ea5717498a67f778c46c717f9532"
#define SERVER_EXPORTER                                                                                                \
    "396b1fb1ba082e84e9b789162c84cb8ec9b8a6b5ed32f9b6b23e2453345f1cfe"                                                 \
    "0af71d92d220a88cb377455e204b968d17ad686162f62c2cf04d98adc0dc11f5"
#define SERVER_SPKI "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9"
#define CLIENT_SPKI "deb2ded39dc26fce0e6085b6fc34bf6b5941913bbfe2ea614113cff9e004c170"
#define SERVER_LEAF                                                                                                    \
    "51d4d78461650f93e0699df681777743ec77b956785fd9cb6569d4127a8c23f2"                                                 \
    "8b7109b9140dafab781e13c752125daa753aa9ffcc460db1717d71d3d1891703"
#define CLIENT_LEAF                                                                                                    \
    "c41351cb23d44a9c1b4c1b5c7c926b97d3f88f7e1c98d079c5bc40488384248f"                                                 \
    "c628e35a8a22ba9c74193822a8fc18979e2af885728bdb7815703e5169931ade"
#define BARE_LEAF                                                                                                      \
    "5ed35e54d4e642b29a763f2367cbed99320dc3b0eef43aefe66c530ba2a05f76"                                                 \
    "39dc6df404f115e89ad534e07430bffa9e2a5071ce809eef098454f55cd47079"
#define SERVER_REPORT                                                                                                  \
    "527bebb0897a2a34574bd85788294bd93b28b9f941caa969963a7b07670bea85"                                                 \
    "ce0ba4e87aae4dc5c634c79df03cd2cb13d2a42888d832c1b064ad995ebd7dda"
#define CLIENT_REPORT                                                                                                  \
    "9f34d841724b2ddc38d1f349625370094ede78923beb8a645d636ad85bd625ce"                                                 \
    "7f3ef1983c7299a5272d7d1d815bc810a189f04298aac5221d0b9ae30b2d3997"
#define PATH_1_LOWER                                                                                                   \
    "24f43c88e51da3c52a469b2f6fd6ca12d5a8ec8aa8fe37f33606a3111604b34b"                                                 \
    "db8aa475deeb1a21f2ba15215ef659ba0a23c5001d42983ff3fbadab0505e7f4"
#define PATH_1_UPPER                                                                                                   \
    "36d15ea7a9d0dcf0ed2b30e6b9ea89fd187b25491f071f0197425c2a29ca14df"                                                 \
    "f0ea5deeffa3421fc3c439cc0b5187cd989acd8d1aee405632e0ccfdcb62a7be"
#define PATH_2                                                                                                         \
    "e4be6c5c26b2d03d02257f3df49913b19fc786351cf6c8fb0f9cedba1727b887"                                                 \
    "986c1d8b73d10eb6807d8d63ad4824ed3426c14afa0ad791cae6879f5ffa1ccc"
#define ROOT                                                                                                           \
    "7744404e8f302c6f0e4fb416d0d103b505e068393a01d86b609ac4a9a802d2dc"                                                 \
    "878974bfe82bacad8d3cb75740e552059a58bbc86ac822b12b2a35ccba972d60"
#define TREE_REPORT                                                                                                    \
    "35ed7665c398aa80421aa6cefc9d27953dfd63822a48e2825d6bce13fbdd6d8c"                                                 \
    "5833386be8f271c1a43c5fe5f3387118c69e90496a0780b02f92d939b61d7bf8"
#define DONE "00000028 a3 00 04 01 00 02 5820" CONTEXT

static atls_crypto *crypto;

static void check_bytes(atls_bytes actual, const char *hex)
{
    size_t len;
    uint8_t *wanted = check_hex(hex, &len);
    assert_int_equal(actual.len, len);
    assert_memory_equal(actual.ptr, wanted, len);
    free(wanted);
}

/* hex of a known length, to a place that stays */
static void fill(uint8_t *out, size_t n, const char *hex)
{
    assert_true(atls_hex_fixed(atls_bytes_str(hex), out, n));
}

/* ---- frames ---- */

static atls_bytes hello(bool is_server)
{
    atls_native_hello h = {.types = {{atls_bytes_str(is_server ? SNP_TYPE : QUOTE_TYPE)}, 1}, .staple = !is_server};
    const char *const protocols[] = {"h2", "http/1.1"};
    for (size_t i = is_server ? 1 : 0; i < 2; i++) {
        h.protocols.items[h.protocols.n++] = atls_bytes_str(protocols[i]);
    }
    fill(h.nonce, sizeof h.nonce, is_server ? SERVER_NONCE : CLIENT_NONCE);
    atls_error err = {0};
    atls_bytes out;
    atls_arena *arena = check_arena();
    assert_true(atls_native_write_hello(is_server, &h, arena, &out, &err));
    return out;
}

static void test_hellos(void **state)
{
    (void)state;
    check_bytes(hello(false), CLIENT_HELLO);
    check_bytes(hello(true), SERVER_HELLO);
}

static void test_context(void **state)
{
    (void)state;
    atls_error err = {0};
    uint8_t context[32];
    size_t client_len;
    size_t server_len;
    uint8_t *client = check_hex(CLIENT_HELLO, &client_len);
    uint8_t *server = check_hex(SERVER_HELLO, &server_len);
    assert_true(atls_native_context(crypto, atls_bytes_of(client, client_len), atls_bytes_of(server, server_len),
                                    context, &err));
    check_bytes(atls_bytes_of(context, 32), CONTEXT);
    /* any bit of either hello */
    for (size_t i = 0; i < client_len + server_len; i++) {
        uint8_t other[32];
        uint8_t *at = i < client_len ? client + i : server + (i - client_len);
        *at ^= 1;
        assert_true(atls_native_context(crypto, atls_bytes_of(client, client_len), atls_bytes_of(server, server_len),
                                        other, &err));
        assert_memory_not_equal(other, context, 32);
        *at ^= 1;
    }
    free(client);
    free(server);
}

static void test_done(void **state)
{
    (void)state;
    atls_native_done d = {.refusal = ATLS_CATEGORY_NONE};
    atls_error err = {0};
    atls_bytes out;
    fill(d.context, 32, CONTEXT);
    assert_true(atls_native_write_done(&d, check_arena(), &out, &err));
    check_bytes(out, DONE);
}

/* ---- exporters: RFC 8446, 7.1 and 7.5, over OpenSSL's HKDF ---- */

static void expand_label(const uint8_t secret[32], const char *label, const uint8_t context[32], uint8_t *out,
                         size_t len)
{
    uint8_t info[128] = {(uint8_t)(len >> 8), (uint8_t)len};
    size_t label_len = strlen(label);
    uint8_t key[32];
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char digest[] = "SHA256";
    memcpy(key, secret, 32);
    info[2] = (uint8_t)(6 + label_len);
    memcpy(info + 3, "tls13 ", 6);
    memcpy(info + 9, label, label_len);
    info[9 + label_len] = 32;
    memcpy(info + 10 + label_len, context, 32);
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                           OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, 32),
                           OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 42 + label_len),
                           OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static void exporter(const char *label, uint8_t out[64])
{
    uint8_t secret[32];
    uint8_t empty_hash[32];
    uint8_t context[32];
    uint8_t context_hash[32];
    uint8_t derived[32];
    for (unsigned i = 0; i < 32; i++) {
        secret[i] = (uint8_t)(0xa0 + i);
    }
    fill(context, 32, CONTEXT);
    assert_int_equal(EVP_Digest("", 0, empty_hash, NULL, EVP_sha256(), NULL), 1);
    assert_int_equal(EVP_Digest(context, 32, context_hash, NULL, EVP_sha256(), NULL), 1);
    expand_label(secret, label, empty_hash, derived, 32);
    expand_label(derived, "exporter", context_hash, out, 64);
}

static void test_exporters(void **state)
{
    (void)state;
    uint8_t out[64];
    exporter(ATLS_NATIVE_LABEL_CLIENT, out);
    check_bytes(atls_bytes_of(out, 64), CLIENT_EXPORTER);
    exporter(ATLS_NATIVE_LABEL_SERVER, out);
    check_bytes(atls_bytes_of(out, 64), SERVER_EXPORTER);
}

/* ---- leaves ---- */

static void spki_hash(const char *public_key, uint8_t out[32])
{
    size_t len;
    char hex[128];
    snprintf(hex, sizeof hex, "302a300506032b6570032100%s", public_key);
    uint8_t *der = check_hex(hex, &len);
    assert_int_equal(EVP_Digest(der, len, out, NULL, EVP_sha256(), NULL), 1);
    free(der);
}

/* the public keys of RFC 8032, 7.1, TEST 1 and TEST 2 */
static void test_keys(void **state)
{
    (void)state;
    uint8_t out[32];
    spki_hash("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", out);
    check_bytes(atls_bytes_of(out, 32), SERVER_SPKI);
    spki_hash("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", out);
    check_bytes(atls_bytes_of(out, 32), CLIENT_SPKI);
}

/* What a leaf is made of, in places of its own. */
typedef struct material {
    uint8_t exporter[64];
    uint8_t nonce[32];
    uint8_t prover[32];
    uint8_t verifier[32];
    atls_native_leaf_input in;
} material;

static void prepare(material *m, atls_native_role role)
{
    bool server = role == ATLS_NATIVE_SERVER;
    fill(m->exporter, 64, server ? SERVER_EXPORTER : CLIENT_EXPORTER);
    fill(m->nonce, 32, server ? CLIENT_NONCE : SERVER_NONCE);
    fill(m->prover, 32, server ? SERVER_SPKI : CLIENT_SPKI);
    fill(m->verifier, 32, server ? CLIENT_SPKI : SERVER_SPKI);
    m->in = (atls_native_leaf_input){.role = role,
                                     .exporter = m->exporter,
                                     .nonce = m->nonce,
                                     .prover_spki = atls_bytes_of(m->prover, 32),
                                     .verifier_spki = atls_bytes_of(m->verifier, 32)};
}

static void leaf_of(const material *m, uint8_t out[64])
{
    atls_error err = {0};
    assert_true(atls_native_leaf(crypto, &m->in, out, &err));
}

static void test_leaves(void **state)
{
    (void)state;
    material m;
    uint8_t leaf[64];
    prepare(&m, ATLS_NATIVE_SERVER);
    leaf_of(&m, leaf);
    check_bytes(atls_bytes_of(leaf, 64), SERVER_LEAF);
    m.in.verifier_spki = atls_bytes_empty();
    leaf_of(&m, leaf);
    check_bytes(atls_bytes_of(leaf, 64), BARE_LEAF);
    prepare(&m, ATLS_NATIVE_CLIENT);
    leaf_of(&m, leaf);
    check_bytes(atls_bytes_of(leaf, 64), CLIENT_LEAF);
}

/* Every byte that goes in matters, and so does its place. */
static void test_leaf_changes(void **state)
{
    (void)state;
    material m;
    uint8_t leaf[64];
    uint8_t other[64];
    prepare(&m, ATLS_NATIVE_SERVER);
    leaf_of(&m, leaf);
    uint8_t *const places[] = {m.exporter, m.nonce, m.prover, m.verifier};
    static const size_t lengths[] = {64, 32, 32, 32};
    for (size_t p = 0; p < 4; p++) {
        for (size_t i = 0; i < lengths[p]; i++) {
            places[p][i] ^= 0x80;
            leaf_of(&m, other);
            assert_memory_not_equal(other, leaf, 64);
            places[p][i] ^= 0x80;
        }
    }
    m.in.role = ATLS_NATIVE_CLIENT; /* reflection: all else equal */
    leaf_of(&m, other);
    assert_memory_not_equal(other, leaf, 64);
    prepare(&m, ATLS_NATIVE_SERVER);
    atls_bytes prover = m.in.prover_spki;
    m.in.prover_spki = m.in.verifier_spki;
    m.in.verifier_spki = prover;
    leaf_of(&m, other);
    assert_memory_not_equal(other, leaf, 64);
}

/* One key, of prover or of verifier: the lengths before the items tell which. */
static void test_whose_key(void **state)
{
    (void)state;
    material m;
    uint8_t proving[64];
    uint8_t without[64];
    prepare(&m, ATLS_NATIVE_CLIENT);
    leaf_of(&m, proving);
    m.in.prover_spki = atls_bytes_empty();
    leaf_of(&m, without);
    assert_memory_not_equal(proving, without, 64);
}

typedef struct misuse_row {
    const char *name;
    void (*change)(atls_native_leaf_input *in);
    const char *field;
} misuse_row;

static void no_role(atls_native_leaf_input *in)
{
    in->role = (atls_native_role)0;
}
static void third_role(atls_native_leaf_input *in)
{
    in->role = (atls_native_role)3;
}
static void no_exporter(atls_native_leaf_input *in)
{
    in->exporter = NULL;
}
static void no_nonce(atls_native_leaf_input *in)
{
    in->nonce = NULL;
}
static void server_without_key(atls_native_leaf_input *in)
{
    in->prover_spki = atls_bytes_empty();
}
static void verifying_server_without_key(atls_native_leaf_input *in)
{
    in->role = ATLS_NATIVE_CLIENT;
    in->verifier_spki = atls_bytes_empty();
}
static void short_prover(atls_native_leaf_input *in)
{
    in->prover_spki.len = 31;
}
static void short_client(atls_native_leaf_input *in)
{
    in->role = ATLS_NATIVE_CLIENT;
    in->prover_spki.len = 20;
}
static void short_verifier(atls_native_leaf_input *in)
{
    in->verifier_spki.len = 31;
}
static void long_verifier(atls_native_leaf_input *in)
{
    static const uint8_t spki[33];
    in->verifier_spki = atls_bytes_of(spki, 33);
}

static const misuse_row misuse_rows[] = {
    {"no role", no_role, "leaf.role"},
    {"a third role", third_role, "leaf.role"},
    {"no exporter", no_exporter, "leaf.exporter"},
    {"no nonce", no_nonce, "leaf.nonce"},
    {"a proving server without a key", server_without_key, "leaf.prover_spki"},
    {"a verifying server without a key", verifying_server_without_key, "leaf.verifier_spki"},
    {"a prover's key a byte short", short_prover, "leaf.prover_spki"},
    {"a client's key of SHA-1", short_client, "leaf.prover_spki"},
    {"a verifier's key a byte short", short_verifier, "leaf.verifier_spki"},
    {"a verifier's key a byte longer", long_verifier, "leaf.verifier_spki"},
};

static void test_misuse(void **state)
{
    const misuse_row *r = *state;
    material m;
    atls_error err = {0};
    uint8_t leaf[64] = {0};
    prepare(&m, ATLS_NATIVE_SERVER);
    r->change(&m.in);
    assert_false(atls_native_leaf(crypto, &m.in, leaf, &err));
    check_error(&err, ATLS_E_USAGE, r->field);
    assert_true(atls_bytes_is_zero(atls_bytes_of(leaf, 64)));
}

/* ---- reports ---- */

static void check_report(const uint8_t (*leaves)[64], size_t n, const char *hex)
{
    atls_error err = {0};
    uint8_t root[64];
    uint8_t report[64];
    assert_true(atls_tree_root(crypto, leaves, n, root, &err));
    assert_true(atls_native_report(crypto, n, root, report, &err));
    check_bytes(atls_bytes_of(report, 64), hex);
}

static void test_reports(void **state)
{
    (void)state;
    uint8_t leaf[1][64];
    fill(leaf[0], 64, SERVER_LEAF);
    check_report((const uint8_t(*)[64])leaf, 1, SERVER_REPORT);
    fill(leaf[0], 64, CLIENT_LEAF);
    check_report((const uint8_t(*)[64])leaf, 1, CLIENT_REPORT);
}

static void three_leaves(uint8_t leaves[3][64])
{
    assert_int_equal(EVP_Digest("sibling 0", 9, leaves[0], NULL, EVP_sha512(), NULL), 1);
    fill(leaves[1], 64, SERVER_LEAF);
    assert_int_equal(EVP_Digest("sibling 2", 9, leaves[2], NULL, EVP_sha512(), NULL), 1);
}

static void test_three_leaves(void **state)
{
    (void)state;
    uint8_t leaves[3][64];
    uint8_t root[64];
    uint8_t walked[64];
    atls_tree_path paths[3];
    atls_error err = {0};
    three_leaves(leaves);
    check_report((const uint8_t(*)[64])leaves, 3, TREE_REPORT);
    assert_true(atls_tree_paths(crypto, (const uint8_t(*)[64])leaves, 3, check_arena(), root, paths, &err));
    check_bytes(atls_bytes_of(root, 64), ROOT);
    check_bytes(paths[1].siblings, PATH_1_LOWER PATH_1_UPPER);
    check_bytes(paths[2].siblings, PATH_2);
    for (size_t i = 0; i < 3; i++) {
        assert_true(atls_tree_walk(crypto, leaves[i], &paths[i], "evidence.tree", walked, &err));
        assert_memory_equal(walked, root, 64);
    }
}

/* Key 3 of the evidence that carries the path of index 1. */
static void test_evidence(void **state)
{
    (void)state;
    size_t siblings_len;
    uint8_t *siblings = check_hex(PATH_1_LOWER PATH_1_UPPER, &siblings_len);
    atls_native_evidence e = {.evidence = {atls_bytes_str("t"), atls_bytes_str("v")},
                              .path = {1, 3, atls_bytes_of(siblings, siblings_len)}};
    atls_error err = {0};
    atls_bytes out;
    assert_true(atls_native_write_evidence(&e, check_arena(), &out, &err));
    check_bytes(out, "00000093 a3 00 03 01 83 6174 4176 04 03 83 01 03 82 5840" PATH_1_LOWER "5840" PATH_1_UPPER);
    free(siblings);
}

/* A tree of another size may have the same root by the same path: the size is in the report. */
static void test_size_counts(void **state)
{
    (void)state;
    uint8_t root[64];
    uint8_t three[64];
    uint8_t four[64];
    atls_error err = {0};
    fill(root, 64, ROOT);
    assert_true(atls_native_report(crypto, 3, root, three, &err));
    check_bytes(atls_bytes_of(three, 64), TREE_REPORT);
    assert_true(atls_native_report(crypto, 4, root, four, &err));
    assert_memory_not_equal(three, four, 64);
    assert_true(atls_native_report(crypto, (uint64_t)3 << 32, root, four, &err)); /* all eight bytes */
    assert_memory_not_equal(three, four, 64);
    root[63] ^= 1;
    assert_true(atls_native_report(crypto, 3, root, four, &err));
    assert_memory_not_equal(three, four, 64);
}

int main(void)
{
    atls_error err = {0};
    tap_list tests = {0};
    if (!atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    tap_add(&tests, "example: hellos", test_hellos, NULL);
    tap_add(&tests, "example: context", test_context, NULL);
    tap_add(&tests, "example: done", test_done, NULL);
    tap_add(&tests, "example: exporters", test_exporters, NULL);
    tap_add(&tests, "example: keys", test_keys, NULL);
    tap_add(&tests, "example: leaves", test_leaves, NULL);
    tap_add(&tests, "example: reports", test_reports, NULL);
    tap_add(&tests, "example: three leaves", test_three_leaves, NULL);
    tap_add(&tests, "example: evidence", test_evidence, NULL);
    tap_add(&tests, "every byte of a leaf counts", test_leaf_changes, NULL);
    tap_add(&tests, "whose key it is", test_whose_key, NULL);
    tap_add(&tests, "the size counts", test_size_counts, NULL);
    for (size_t i = 0; i < COUNT(misuse_rows); i++) {
        tap_add(&tests, misuse_rows[i].name, test_misuse, &misuse_rows[i]);
    }
    int failed = tap_run("native_binding", &tests);
    atls_crypto_free(crypto);
    return failed;
}
