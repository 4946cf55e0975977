/* SPDX-License-Identifier: Apache-2.0 */
/* piece_root.c: whose root an answer hangs from, and who signed the certificate of a chip.
 *
 * No appraisal depends on it: it authenticates everything by itself. But what is remembered is what the next appraisal gets, and
 * a certificate of a chip is remembered for years: an answer that nobody could ever accept must not take the place of one. */
#include <string.h>

#include "piece.h"
#include "pki/chain.h"

static bool refuse(const atls_piece_id *id, const char *why, atls_error *err)
{
    return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, atls_piece_field(id->kind), "%s", why);
}

/* What the pki says is about a certificate; here it is about a piece. */
static bool tell(const atls_piece_id *id, const atls_error *why, atls_error *err)
{
    const bool keeps = why->code == ATLS_E_MEMORY || why->code == ATLS_E_INTERNAL;
    return atls_fail(err, keeps ? why->code : ATLS_E_COLLATERAL_FORMAT, atls_piece_field(id->kind), "%s",
                     why->message[0] == '\0' ? atls_code_text(why->code) : why->message);
}

static bool is_trusted(const atls_crypto *crypto, const atls_piece_roots *roots, atls_bytes der, bool *out,
                       atls_error *err)
{
    uint8_t digest[32];
    if (!atls_digest(crypto, ATLS_SHA256, &der, 1, digest, err)) {
        return false;
    }
    *out = atls_anchor_of_vendor(digest) != NULL;
    for (size_t i = 0; i < roots->n; i++) {
        *out = *out || memcmp(digest, roots->sha256[i], sizeof digest) == 0;
    }
    return true;
}

static bool is_signed_by(const atls_crypto *crypto, atls_cert *cert, const atls_cert *issuer, uint32_t n_below,
                         atls_error *err)
{
    static const char field[] = "chain";
    atls_key *key = NULL;
    const bool ok = atls_key_open(crypto, &issuer->key, ATLS_E_COLLATERAL_FORMAT, field, &key, err)
                    && atls_link_verify(crypto, cert, issuer, key, n_below, ATLS_E_COLLATERAL_FORMAT, field, err);
    atls_key_close(key);
    return ok;
}

/* Leaf first, root last, each under the next. */
static bool check_chain(const atls_piece_id *id, const atls_crypto *crypto, const atls_piece_roots *roots,
                        const atls_bytes *ders, size_t n, atls_error *err)
{
    atls_cert certs[ATLS_PIECE_CERTS];
    atls_error why = {.code = ATLS_OK};
    bool trusted = false;
    if (n == 0 || n > ATLS_PIECE_CERTS) {
        return refuse(id, "a chain of no such length", err);
    }
    for (size_t i = 0; i < n; i++) {
        if (!atls_cert_decode(ders[i], "chain", &certs[i], &why)) {
            return tell(id, &why, err);
        }
    }
    if (!is_trusted(crypto, roots, ders[n - 1], &trusted, &why)) {
        return tell(id, &why, err);
    }
    if (!trusted) {
        return refuse(id, "its root is not one of the vendor's, nor one that was given", err);
    }
    for (size_t i = 0; i + 1 < n; i++) {
        if (!is_signed_by(crypto, &certs[i], &certs[i + 1], (uint32_t)i, &why)) {
            return tell(id, &why, err);
        }
    }
    return true;
}

bool atls_piece_check_root(const atls_piece_id *id, const atls_crypto *crypto, const atls_piece_roots *roots,
                           const atls_piece_parts *parts, atls_arena *arena, atls_error *err)
{
    atls_bytes ders[ATLS_PIECE_CERTS];
    size_t n = 0;
    if (parts->n_certificates > 0) {
        return check_chain(id, crypto, roots, parts->certificates, parts->n_certificates, err);
    }
    if (parts->chain.len == 0) {
        return true;
    }
    return atls_pem_certificates(parts->chain, true, ATLS_E_COLLATERAL_FORMAT, atls_piece_field(id->kind), arena, ders,
                                 ATLS_PIECE_CERTS, &n, err)
           && check_chain(id, crypto, roots, ders, n, err);
}

bool atls_piece_check_leaf(const atls_crypto *crypto, const atls_piece_parts *leaf, const atls_piece_parts *chain,
                           atls_error *err)
{
    static const atls_piece_id id = {.kind = ATLS_FETCHED_SNP_LEAF};
    atls_cert cert;
    atls_cert issuer;
    atls_error why = {.code = ATLS_OK};
    if (chain->n_certificates == 0) {
        return refuse(&id, "there is no chain to hold it against", err);
    }
    if (!atls_cert_decode(leaf->content, "leaf", &cert, &why)
        || !atls_cert_decode(chain->certificates[0], "chain", &issuer, &why)
        || !is_signed_by(crypto, &cert, &issuer, 0, &why)) {
        (void)tell(&id, &why, err);
        return false;
    }
    return true;
}
