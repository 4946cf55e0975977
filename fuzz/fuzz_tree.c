/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tree.c: atls_tree_walk and atls_tree_path_check over any path: index and size (4 bytes each, big-endian), a leaf,
 * siblings. It agrees with the algorithm of RFC 9162 2.1.3.2, in its own words, on what is a path and where it leads. */
#include "pki/hash_tree.h"

#include <string.h>

#include "fuzz.h"

#define HEAD_LEN 72u

static const atls_crypto *crypto(void)
{
    static atls_crypto *made;
    atls_error err = {0};
    FUZZ_ASSERT(made != NULL || atls_crypto_new(&made, &err));
    return made;
}

static void hash(uint8_t prefix, const uint8_t *left, const uint8_t *right, uint8_t out[64])
{
    atls_error err = {0};
    atls_bytes parts[] = {atls_bytes_of(&prefix, 1), atls_bytes_of(left, 64), atls_bytes_of(right, 64)};
    FUZZ_ASSERT(atls_digest(crypto(), ATLS_SHA512, parts, right == NULL ? 2 : 3, out, &err));
}

/* Steps 1 to 5; false where they say "fail". */
static bool rfc9162(uint64_t fn, uint64_t tree_size, const uint8_t *leaf, atls_bytes siblings, uint8_t r[64])
{
    if (fn >= tree_size || siblings.len % 64 != 0) {
        return false;
    }
    uint64_t sn = tree_size - 1;
    hash(0, leaf, NULL, r);
    for (size_t at = 0; at < siblings.len; at += 64) {
        const uint8_t *p = siblings.ptr + at;
        if (sn == 0) {
            return false;
        }
        if (fn % 2 == 1 || fn == sn) {
            hash(1, p, r, r);
            while (fn % 2 == 0 && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        } else {
            hash(1, r, p, r);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0;
}

static uint64_t be32(const uint8_t *p)
{
    return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t root[64];
    uint8_t theirs[64];
    atls_error err = {0};
    atls_error check_err = {0};
    if (size < HEAD_LEN || size > HEAD_LEN + (size_t)20 * 64) {
        return 0;
    }
    const atls_tree_path path = {be32(data), be32(data + 4), atls_bytes_of(data + HEAD_LEN, size - HEAD_LEN)};
    bool ok = atls_tree_walk(crypto(), data + 8, &path, "tree", root, &err);
    FUZZ_ASSERT(ok == atls_tree_path_check(&path, "tree", &check_err));
    FUZZ_ASSERT(ok ? err.code == ATLS_OK : err.code == ATLS_E_PROTOCOL && strncmp(err.field, "tree.", 5) == 0);
    bool allowed = path.size <= ATLS_TREE_MAX_SIZE && rfc9162(path.index, path.size, data + 8, path.siblings, theirs);
    FUZZ_ASSERT(ok == allowed && (!ok || memcmp(root, theirs, 64) == 0));
    return 0;
}

/* Paths of honest trees. */
size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const struct {
        uint16_t index;
        uint16_t size;
    } places[] = {{0, 1}, {0, 2}, {1, 3}, {2, 3}, {4, 5}, {6, 7}, {11, 33}, {999, 1000}};
    static uint8_t block[2 * 1024 * 1024];
    static uint8_t leaves[1000][64];
    static atls_tree_path paths[1000];
    atls_arena a;
    atls_error err = {0};
    atls_arena_init(&a, block, sizeof block);
    if (index >= sizeof places / sizeof places[0]) {
        return 0;
    }
    const uint16_t i = places[index].index;
    const uint16_t n = places[index].size;
    leaves[i][0] = (uint8_t)index;
    FUZZ_ASSERT(atls_tree_paths(crypto(), (const uint8_t(*)[64])leaves, n, &a, out + 8, paths, &err));
    const uint8_t head[8] = {0, 0, (uint8_t)(i >> 8), (uint8_t)i, 0, 0, (uint8_t)(n >> 8), (uint8_t)n};
    FUZZ_ASSERT(HEAD_LEN + paths[i].siblings.len <= cap);
    memcpy(out, head, sizeof head);
    memcpy(out + 8, leaves[i], 64);
    memcpy(out + HEAD_LEN, paths[i].siblings.ptr, paths[i].siblings.len);
    return HEAD_LEN + paths[i].siblings.len;
}
