/* SPDX-License-Identifier: Apache-2.0 */
/* native_binding.c: three hashes, each with a tag of its own. Whatever has a variable length has its length before it,
 * so that no two sets of inputs give the same bytes. The exporter is hashed where it lies and never copied. */
#include "native_binding.h"

#define CONTEXT_TAG "atls/1 hellos"
#define LEAF_TAG    "atls/1 session"
#define REPORT_TAG  "atls/1 report"
#define NONCE_LEN   32u
#define SPKI_LEN    32u /* SHA-256 */

static void put_be(uint64_t n, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(n >> (8 * (len - 1 - i)));
    }
}

bool atls_native_context(const atls_crypto *c, atls_bytes client_hello, atls_bytes server_hello, uint8_t context[32],
                         atls_error *err)
{
    /* frames begin with their length */
    atls_bytes parts[] = {atls_bytes_str(CONTEXT_TAG), client_hello, server_hello};
    return atls_digest(c, ATLS_SHA256, parts, 3, context, err);
}

/* A server has a key, always; a client may have none. */
static bool is_key_of(atls_bytes spki, bool is_server)
{
    return spki.len == SPKI_LEN || (!is_server && spki.len == 0);
}

static bool check_input(const atls_native_leaf_input *in, atls_error *err)
{
    if (in->role != ATLS_NATIVE_CLIENT && in->role != ATLS_NATIVE_SERVER) {
        return atls_fail(err, ATLS_E_USAGE, "leaf.role", "%d is no role", (int)in->role);
    }
    if (in->exporter == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "leaf.exporter", "there is no exporter");
    }
    if (in->nonce == NULL) {
        return atls_fail(err, ATLS_E_USAGE, "leaf.nonce", "there is no nonce");
    }
    bool proves_server = in->role == ATLS_NATIVE_SERVER;
    if (!is_key_of(in->prover_spki, proves_server)) {
        return atls_fail(err, ATLS_E_USAGE, "leaf.prover_spki", "a key's hash has %u bytes, not %zu", SPKI_LEN,
                         in->prover_spki.len);
    }
    if (!is_key_of(in->verifier_spki, !proves_server)) {
        return atls_fail(err, ATLS_E_USAGE, "leaf.verifier_spki", "a key's hash has %u bytes, not %zu", SPKI_LEN,
                         in->verifier_spki.len);
    }
    return true;
}

bool atls_native_leaf(const atls_crypto *c, const atls_native_leaf_input *in, uint8_t leaf[64], atls_error *err)
{
    if (!check_input(in, err)) {
        return false;
    }
    const uint8_t role = (uint8_t)in->role;
    const atls_bytes items[] = {atls_bytes_of(in->exporter, ATLS_NATIVE_EXPORTER_LEN),
                                atls_bytes_of(in->nonce, NONCE_LEN), in->prover_spki, in->verifier_spki};
    uint8_t lengths[4][4];
    atls_bytes parts[2 + 2 * 4] = {atls_bytes_str(LEAF_TAG), atls_bytes_of(&role, 1)};
    for (size_t i = 0; i < 4; i++) {
        put_be(items[i].len, lengths[i], sizeof lengths[i]);
        parts[2 + 2 * i] = atls_bytes_of(lengths[i], sizeof lengths[i]);
        parts[3 + 2 * i] = items[i];
    }
    return atls_digest(c, ATLS_SHA512, parts, sizeof parts / sizeof parts[0], leaf, err);
}

bool atls_native_report(const atls_crypto *c, uint64_t tree_size, const uint8_t root[64], uint8_t report[64],
                        atls_error *err)
{
    uint8_t size[8];
    put_be(tree_size, size, sizeof size);
    atls_bytes parts[] = {atls_bytes_str(REPORT_TAG), atls_bytes_of(size, sizeof size),
                          atls_bytes_of(root, ATLS_TREE_HASH_LEN)};
    return atls_digest(c, ATLS_SHA512, parts, 3, report, err);
}
