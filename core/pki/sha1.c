/* SPDX-License-Identifier: Apache-2.0 */
#include "sha1.h"

#include <openssl/err.h>
#include <openssl/evp.h>

bool atls_sha1(const atls_bytes *parts, size_t n, uint8_t out[ATLS_SHA1_LEN], atls_error *err)
{
    unsigned len = 0;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1;
    for (size_t i = 0; ok && i < n; i++) {
        ok = EVP_DigestUpdate(ctx, parts[i].ptr, parts[i].len) == 1;
    }
    ok = ok && EVP_DigestFinal_ex(ctx, out, &len) == 1 && len == ATLS_SHA1_LEN;
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        ERR_clear_error();
        return atls_fail(err, ATLS_E_INTERNAL, "digest", "OpenSSL could not hash");
    }
    return true;
}
