/* SPDX-License-Identifier: Apache-2.0 */
/* test_hash_tree.c: our tree, level by level, is RFC 9162's, split by split: the definitions of its section 2.1 are
 * written down here once more, recursively, over OpenSSL itself. And a path has one form. */
#include "pki/hash_tree.h"

#include <openssl/evp.h>

#include "tap.h"

#define HASH_LEN 64u

static atls_crypto *crypto;
static EVP_MD *md;
static EVP_MD_CTX *ctx;

/* ---- RFC 9162, 2.1.1 and 2.1.3.1, word for word ---- */

typedef uint8_t hash[HASH_LEN];

static void sha512(uint8_t prefix, const uint8_t *a, const uint8_t *b, uint8_t *out)
{
    assert_int_equal(EVP_DigestInit_ex2(ctx, md, NULL), 1);
    assert_int_equal(EVP_DigestUpdate(ctx, &prefix, 1), 1);
    assert_int_equal(EVP_DigestUpdate(ctx, a, HASH_LEN), 1);
    assert_int_equal(b == NULL ? 1 : EVP_DigestUpdate(ctx, b, HASH_LEN), 1);
    assert_int_equal(EVP_DigestFinal_ex(ctx, out, NULL), 1);
}

/* the largest power of two smaller than n */
static size_t split(size_t n)
{
    size_t k = 1;
    while (2 * k < n) {
        k *= 2;
    }
    return k;
}

static void naive_root(const uint8_t (*leaves)[HASH_LEN], size_t n, uint8_t *out)
{
    hash left;
    hash right;
    if (n == 1) {
        sha512(0, leaves[0], NULL, out);
        return;
    }
    size_t k = split(n);
    naive_root(leaves, k, left);
    naive_root(leaves + k, n - k, right);
    sha512(1, left, right, out);
}

/* PATH(m, D_n); gives the number of siblings */
static size_t naive_path(size_t m, const uint8_t (*leaves)[HASH_LEN], size_t n, hash *out)
{
    if (n == 1) {
        return 0;
    }
    size_t k = split(n);
    size_t len = m < k ? naive_path(m, leaves, k, out) : naive_path(m - k, leaves + k, n - k, out);
    if (m < k) {
        naive_root(leaves + k, n - k, out[len]);
    } else {
        naive_root(leaves, k, out[len]);
    }
    return len + 1;
}

/* ---- trees ---- */

typedef struct tree {
    hash *leaves;
    size_t n;
    atls_arena arena;
    atls_tree_path *paths;
    hash root;
} tree;

/* leaves are texts of their own number; rows alike in nothing */
static void make(tree *t, size_t n)
{
    atls_error err = {0};
    *t = (tree){.leaves = calloc(n, HASH_LEN), .n = n, .paths = calloc(n, sizeof *t->paths)};
    assert_non_null(t->leaves);
    assert_non_null(t->paths);
    for (size_t i = 0; i < n; i++) {
        snprintf((char *)t->leaves[i], HASH_LEN, "leaf %zu of a tree", i);
    }
    /* what the header promises: at most depth + 2 hashes a leaf */
    assert_true(atls_arena_new(&t->arena, (n * 18 + 32) * HASH_LEN, &err));
    assert_true(atls_tree_paths(crypto, (const uint8_t(*)[64])t->leaves, n, &t->arena, t->root, t->paths, &err));
}

static void drop(tree *t)
{
    atls_arena_free(&t->arena);
    free(t->paths);
    free(t->leaves);
}

static void check_roots(const tree *t)
{
    atls_error err = {0};
    hash naive;
    hash ours;
    naive_root((const uint8_t(*)[64])t->leaves, t->n, naive);
    assert_memory_equal(t->root, naive, HASH_LEN);
    assert_true(atls_tree_root(crypto, (const uint8_t(*)[64])t->leaves, t->n, ours, &err));
    assert_memory_equal(ours, naive, HASH_LEN);
}

static void check_walk(const tree *t, size_t i)
{
    atls_error err = {0};
    hash root;
    assert_int_equal(t->paths[i].index, i);
    assert_int_equal(t->paths[i].size, t->n);
    assert_true(atls_tree_path_check(&t->paths[i], "tree", &err));
    assert_true(atls_tree_walk(crypto, t->leaves[i], &t->paths[i], "tree", root, &err));
    assert_memory_equal(root, t->root, HASH_LEN);
}

static void check_path(const tree *t, size_t i)
{
    hash naive[ATLS_TREE_MAX_DEPTH];
    size_t n = naive_path(i, (const uint8_t(*)[64])t->leaves, t->n, naive);
    assert_int_equal(t->paths[i].siblings.len, n * HASH_LEN);
    assert_true(n == 0 || memcmp(t->paths[i].siblings.ptr, naive, n * HASH_LEN) == 0);
}

static void test_small_trees(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 70; n++) {
        tree t;
        make(&t, n);
        check_roots(&t);
        for (size_t i = 0; i < n; i++) {
            check_walk(&t, i);
            check_path(&t, i);
        }
        drop(&t);
    }
}

static void test_large_trees(void **state)
{
    (void)state;
    static const size_t sizes[] = {127, 128, 129, 1000, 4095, 4096, 4097, 65536};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        tree t;
        make(&t, sizes[s]);
        check_roots(&t);
        for (size_t i = 0; i < t.n; i += 1 + t.n / 97) {
            check_walk(&t, i);
        }
        check_walk(&t, t.n - 1);
        check_path(&t, t.n / 2 - 1);
        check_path(&t, t.n - 1);
        drop(&t);
    }
}

/* Any one change of leaf, index or siblings that keeps the form leads elsewhere. */
static void test_other_roots(void **state)
{
    (void)state;
    for (size_t n = 2; n <= 33; n++) {
        tree t;
        make(&t, n);
        for (size_t i = 0; i < n; i++) {
            atls_error err = {0};
            hash root;
            hash siblings[ATLS_TREE_MAX_DEPTH];
            atls_tree_path path = t.paths[i];
            assert_true(atls_tree_walk(crypto, t.leaves[(i + 1) % n], &path, "tree", root, &err));
            assert_memory_not_equal(root, t.root, HASH_LEN);
            memcpy(siblings, path.siblings.ptr, path.siblings.len);
            path.siblings.ptr = siblings[0];
            for (size_t s = 0; s < path.siblings.len / HASH_LEN; s++) {
                siblings[s][s] ^= 1;
                assert_true(atls_tree_walk(crypto, t.leaves[i], &path, "tree", root, &err));
                assert_memory_not_equal(root, t.root, HASH_LEN);
                siblings[s][s] ^= 1;
            }
            for (path.index = 0; path.index < n; path.index++) {
                if (path.index != i && atls_tree_walk(crypto, t.leaves[i], &path, "tree", root, &err)) {
                    assert_memory_not_equal(root, t.root, HASH_LEN);
                }
            }
        }
        drop(&t);
    }
}

/* A leaf must not pass for a node: the hash of a node's two children, taken as a leaf, is another. */
static void test_second_preimage(void **state)
{
    (void)state;
    tree four;
    make(&four, 4);
    hash above[2];
    atls_error err = {0};
    hash root;
    naive_root((const uint8_t(*)[64])four.leaves, 2, above[0]);
    naive_root((const uint8_t(*)[64])four.leaves + 2, 2, above[1]);
    assert_true(atls_tree_root(crypto, (const uint8_t(*)[64])above, 2, root, &err));
    assert_memory_not_equal(root, four.root, HASH_LEN);
    drop(&four);
}

/* ---- the form of a path ---- */

typedef struct form_row {
    const char *name;
    uint64_t index;
    uint64_t size;
    size_t len;        /* of the siblings */
    const char *field; /* NULL: fine */
    const char *expected;
    const char *actual;
} form_row;

static const form_row form_rows[] = {
    {"one leaf", 0, 1, 0, NULL, NULL, NULL},
    {"one leaf: a sibling", 0, 1, 64, "f.siblings", "0", "64"},
    {"one leaf: another index", 1, 1, 0, "f.index", "at most 0", "1"},
    {"no leaf", 0, 0, 0, "f.size", "1 to 65536", "0"},
    {"three leaves: index 0", 0, 3, 128, NULL, NULL, NULL},
    {"three leaves: index 1", 1, 3, 128, NULL, NULL, NULL},
    {"three leaves: index 2 has one sibling", 2, 3, 64, NULL, NULL, NULL},
    {"three leaves: index 2 with two", 2, 3, 128, "f.siblings", "64", "128"},
    {"three leaves: index 1 with one", 1, 3, 64, "f.siblings", "128", "64"},
    {"three leaves: index 1 with none", 1, 3, 0, "f.siblings", "128", "0"},
    {"three leaves: index 3", 3, 3, 64, "f.index", "at most 2", "3"},
    {"three leaves: a byte short", 1, 3, 127, "f.siblings", "128", "127"},
    {"three leaves: a byte more", 1, 3, 129, "f.siblings", "128", "129"},
    {"two leaves with the path of three", 1, 2, 128, "f.siblings", "64", "128"},
    {"five leaves with the path of three", 1, 5, 128, "f.siblings", "192", "128"},
    {"five leaves: the last has one sibling", 4, 5, 64, NULL, NULL, NULL},
    {"seven leaves: the last has two", 6, 7, 128, NULL, NULL, NULL},
    {"the largest tree", 65535, 65536, 1024, NULL, NULL, NULL},
    {"the largest tree: 17 siblings", 65535, 65536, 1088, "f.siblings", "1024", "1088"},
    {"the largest tree: 15 siblings", 0, 65536, 960, "f.siblings", "1024", "960"},
    {"one leaf too many", 0, 65537, 1088, "f.size", "1 to 65536", "65537"},
    {"as large as can be said", 0, UINT64_MAX, 1024, "f.size", "1 to 65536", "18446744073709551615"},
    {"as far as can be said", UINT64_MAX, 65536, 1024, "f.index", "at most 65535", "18446744073709551615"},
};

static void test_form(void **state)
{
    const form_row *r = *state;
    static const uint8_t zeros[1088];
    static const hash leaf;
    hash root;
    hash untouched;
    atls_tree_path path = {r->index, r->size, atls_bytes_of(zeros, r->len)};
    memset(root, 0xa5, sizeof root);
    memset(untouched, 0xa5, sizeof untouched);
    for (unsigned walk = 0; walk < 2; walk++) {
        atls_error err = {0};
        bool ok =
            walk == 1 ? atls_tree_walk(crypto, leaf, &path, "f", root, &err) : atls_tree_path_check(&path, "f", &err);
        assert_int_equal(ok, r->field == NULL);
        assert_int_equal(err.code, ok ? ATLS_OK : ATLS_E_PROTOCOL);
        assert_string_equal(err.field, ok ? "" : r->field);
        assert_string_equal(err.expected, ok ? "" : r->expected);
        assert_string_equal(err.actual, ok ? "" : r->actual);
    }
    assert_int_equal(memcmp(root, untouched, HASH_LEN) == 0, r->field != NULL);
}

/* ---- misuse ---- */

static void test_sizes_of_ours(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, ATLS_TREE_MAX_SIZE + 1, SIZE_MAX};
    hash leaf = {0};
    hash root;
    atls_arena a = {0};
    atls_tree_path path;
    for (size_t i = 0; i < 3; i++) {
        atls_error err = {0};
        assert_false(atls_tree_root(crypto, (const uint8_t(*)[64]) & leaf, sizes[i], root, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_string_equal(err.field, "tree.size");
        atls_error_clear(&err);
        assert_false(atls_tree_paths(crypto, (const uint8_t(*)[64]) & leaf, sizes[i], &a, root, &path, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_string_equal(err.field, "tree.size");
    }
}

/* Too little memory anywhere on the way is said, and nothing else happens. */
static void test_no_memory(void **state)
{
    (void)state;
    static const uint8_t leaves[5][64];
    atls_tree_path paths[5];
    hash root;
    size_t failed = 0;
    for (size_t size = 0; size < 32 * HASH_LEN; size += 32) {
        atls_error err = {0};
        atls_arena a;
        assert_true(atls_arena_new(&a, size + 1, &err));
        if (!atls_tree_paths(crypto, leaves, 5, &a, root, paths, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
            failed++;
        }
        atls_arena_free(&a);
    }
    /* 11 nodes and 13 siblings: 48 sizes are too small */
    assert_in_range(failed, 48, 50);
}

int main(void)
{
    atls_error err = {0};
    tap_list tests = {0};
    md = EVP_MD_fetch(NULL, "SHA512", NULL);
    ctx = EVP_MD_CTX_new();
    if (md == NULL || ctx == NULL || !atls_crypto_new(&crypto, &err)) {
        return 1;
    }
    tap_add(&tests, "trees of 1 to 70 leaves", test_small_trees, NULL);
    tap_add(&tests, "large trees", test_large_trees, NULL);
    tap_add(&tests, "one change leads to another root", test_other_roots, NULL);
    tap_add(&tests, "a node is no leaf", test_second_preimage, NULL);
    for (size_t i = 0; i < sizeof form_rows / sizeof form_rows[0]; i++) {
        tap_add(&tests, form_rows[i].name, test_form, &form_rows[i]);
    }
    tap_add(&tests, "sizes of ours", test_sizes_of_ours, NULL);
    tap_add(&tests, "no memory", test_no_memory, NULL);
    int failed = tap_run("hash_tree", &tests);
    atls_crypto_free(crypto);
    EVP_MD_CTX_free(ctx);
    EVP_MD_free(md);
    return failed;
}
