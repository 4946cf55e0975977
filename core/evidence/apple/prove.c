/* SPDX-License-Identifier: Apache-2.0 */
/* prove.c: who signed a receipt: section 5, checks 5 and 6. Certificates come along in no order that counts: the signer is the one
 * that the signer info names, and from there the names lead up to one that a pinned root issued. */
#include "apple.h"

static const char *const certificate_fields[] = {
    "receipt.certificates.signer", "receipt.certificates[1]", "receipt.certificates[2]",
    "receipt.certificates[3]",     "receipt.certificates[4]", "receipt.certificates[5]",
    "receipt.certificates[6]",     "receipt.certificates[7]", "receipt.certificates[8]",
};
_Static_assert(sizeof certificate_fields / sizeof certificate_fields[0] == APPLE_MAX_PATH, "a name for each");

/* An expired signer is nothing that a younger statement would mend: section 10. */
static bool as_receipt(atls_error *err)
{
    if (err->code == ATLS_E_EXPIRED || err->code == ATLS_E_NOT_YET_VALID) {
        err->code = ATLS_E_APPLE_RECEIPT;
        err->category = atls_code_category(err->code);
    }
    return false;
}

/* What cannot be read is not there. */
static atls_cert *read_certificate(const apple_receipt *r, size_t i, atls_arena *arena, atls_error *err)
{
    atls_error ignored = {0};
    atls_cert *cert = atls_arena_alloc(arena, sizeof *cert, err);
    return cert != NULL && atls_cert_decode(r->cms.certificates[i], "", cert, &ignored) ? cert : NULL;
}

bool apple_receipt_signature(const apple_receipt *r, const atls_crypto *crypto, atls_arena *arena,
                             const atls_cert **signer, atls_error *err)
{
    static const char field[] = "receipt.signerInfo.signature";
    atls_key *key;
    *signer = NULL;
    for (size_t i = 0; *signer == NULL && i < r->cms.n_certificates; i++) {
        const atls_cert *cert = read_certificate(r, i, arena, err);
        if (cert != NULL && atls_bytes_equal(cert->issuer, r->cms.issuer)
            && atls_bytes_equal(cert->serial, r->cms.serial)) {
            *signer = cert;
        }
    }
    if (err->code != ATLS_OK) {
        return false;
    }
    if (*signer == NULL) {
        return atls_fail(err, ATLS_E_APPLE_RECEIPT, "receipt.signerInfo.sid",
                         "the signer's certificate did not come along");
    }
    if ((*signer)->key.kind == ATLS_KEY_RSA) {
        return atls_fail_unsupported(err, ATLS_E_APPLE_RECEIPT, certificate_fields[0], "a key for ECDSA", "an RSA key",
                                     "the signature algorithm does not fit the signer's key");
    }
    if (!atls_key_open(crypto, &(*signer)->key, ATLS_E_APPLE_RECEIPT, certificate_fields[0], &key, err)) {
        return false;
    }
    const bool ok =
        atls_verify_der(crypto, key, ATLS_SHA256, r->cms.content, r->cms.signature, ATLS_E_APPLE_RECEIPT, field, err);
    atls_key_close(key);
    return ok;
}

static bool is_in(const apple_path *path, const atls_cert *cert)
{
    for (size_t i = 0; i < path->n; i++) {
        if (atls_bytes_equal(path->certs[i]->der, cert->der)) {
            return true;
        }
    }
    return false;
}

/* The next one up, by name; false without an error when there is none. */
static bool climb(const apple_receipt *r, apple_path *path, atls_arena *arena, atls_error *err)
{
    const atls_cert *last = path->certs[path->n - 1];
    for (size_t i = 0; path->n < APPLE_MAX_PATH && i < r->cms.n_certificates; i++) {
        atls_cert *cert = read_certificate(r, i, arena, err);
        if (cert != NULL && atls_bytes_equal(cert->subject, last->issuer) && !is_in(path, cert)) {
            path->fields[path->n] = certificate_fields[path->n];
            path->certs[path->n++] = cert;
            return true;
        }
    }
    return false;
}

static atls_cert *copy_of(const atls_cert *cert, atls_arena *arena, atls_error *err)
{
    atls_cert *copy = atls_arena_alloc(arena, sizeof *copy, err);
    if (copy != NULL) {
        *copy = *cert;
    }
    return copy;
}

bool apple_receipt_chain(const apple_receipt *r, const atls_cert *signer, const atls_crypto *crypto,
                         const atls_root *roots, size_t n_roots, int64_t at_ms, atls_arena *arena, atls_error *err)
{
    const atls_root *root;
    apple_path path = {.code = ATLS_E_APPLE_RECEIPT, .root_field = "receipt.root", .n = 1};
    path.certs[0] = copy_of(signer, arena, err);
    path.fields[0] = certificate_fields[0];
    if (path.certs[0] == NULL) {
        return false;
    }
    while (!apple_names_root(path.certs[path.n - 1], roots, n_roots) && climb(r, &path, arena, err)) {
    }
    return err->code == ATLS_OK
           && (apple_path_walk(&path, crypto, roots, n_roots, at_ms, arena, &root, err) || as_receipt(err));
}
