/* SPDX-License-Identifier: Apache-2.0 */
/* anchors.c: pinned roots. A root is a fact, the SHA-256 of its DER; nothing inside a certificate makes it one. */
#include <string.h>

#include "chain.h"

static const atls_anchor intel_sgx = {
    .sha256 = {0x44, 0xa0, 0x19, 0x6b, 0x2b, 0x99, 0xf8, 0x89, 0xb8, 0xe1, 0x49, 0xe9, 0x5b, 0x80, 0x7a, 0x35,
               0x0e, 0x74, 0x24, 0x96, 0x43, 0x99, 0xe8, 0x85, 0xa7, 0xcb, 0xb8, 0xcc, 0xfa, 0xb6, 0x74, 0xd3},
    .label = "Intel SGX Root CA",
    .production = true,
    .self_checked = true, /* tests/pki/test_vectors.c checks it again */
};

const atls_anchor *atls_anchor_intel_sgx(void)
{
    return &intel_sgx;
}

bool atls_anchor_find(const atls_crypto *c, const atls_anchor *anchors, size_t n, const atls_cert *cert,
                      const atls_anchor **out, atls_error *err)
{
    uint8_t hash[32];
    *out = NULL;
    if (!atls_digest(c, ATLS_SHA256, &cert->der, 1, hash, err)) {
        return false;
    }
    for (size_t i = 0; i < n && *out == NULL; i++) {
        if (atls_bytes_equal(atls_bytes_of(hash, sizeof hash), atls_bytes_of(anchors[i].sha256, sizeof hash))) {
            *out = &anchors[i];
        }
    }
    return true;
}

const atls_anchor *atls_anchor_of_vendor(const uint8_t sha256[static 32])
{
    size_t n_amd;
    size_t n_tpm;
    size_t n_nitro;
    size_t n_apple;
    const atls_anchor *amd = atls_anchors_amd(&n_amd);
    const atls_anchor *tpm = atls_anchors_tpm(&n_tpm);
    const atls_anchor *nitro = atls_anchors_nitro(&n_nitro);
    const atls_anchor *apple = atls_anchors_apple(&n_apple);
    const struct {
        const atls_anchor *anchors;
        size_t n;
    } vendors[] = {{&intel_sgx, 1}, {amd, n_amd}, {tpm, n_tpm}, {nitro, n_nitro}, {apple, n_apple}};
    for (size_t v = 0; v < sizeof vendors / sizeof vendors[0]; v++) {
        for (size_t i = 0; i < vendors[v].n; i++) {
            if (memcmp(vendors[v].anchors[i].sha256, sha256, 32) == 0) {
                return &vendors[v].anchors[i];
            }
        }
    }
    return NULL;
}

bool atls_anchor_from_der(const atls_crypto *c, atls_bytes der, atls_anchor *out, atls_error *err)
{
    static const char field[] = "trusted_roots";
    atls_cert root;
    atls_anchor anchor = {.label = "root named by the policy", .self_checked = true};
    memset(out, 0, sizeof *out);
    if (!atls_cert_decode(der, "", &root, err)) {
        return atls_error_relabel(err, ATLS_E_PCK_CHAIN, field);
    }
    if (!atls_bytes_equal(root.issuer, root.subject)) {
        return atls_fail(err, ATLS_E_PCK_CHAIN, field, "the root was not issued by itself");
    }
    if (!atls_self_signature_verify(c, &root, ATLS_E_PCK_CHAIN, field, err)
        || !atls_digest(c, ATLS_SHA256, &der, 1, anchor.sha256, err)) {
        return false;
    }
    const atls_anchor *known = atls_anchor_of_vendor(anchor.sha256);
    *out = known != NULL ? *known : anchor; /* a vendor's root stays one when a policy repeats it */
    return true;
}
