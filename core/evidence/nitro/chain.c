/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: from the pinned root to the key that signed the document: section 3 of the specification.
 *
 * The document brings its certificates in the order of the path, the root first, so nothing is searched for: the first one
 * must be a pinned root, byte for byte, and each signs the next. Only P-384 with SHA-384 occurs. */
#include "nitro.h"

static const char *const cabundle_fields[] = {
    "document.payload.cabundle[0]", "document.payload.cabundle[1]", "document.payload.cabundle[2]",
    "document.payload.cabundle[3]", "document.payload.cabundle[4]", "document.payload.cabundle[5]",
    "document.payload.cabundle[6]", "document.payload.cabundle[7]",
};
_Static_assert(sizeof cabundle_fields / sizeof cabundle_fields[0] == NITRO_MAX_CABUNDLE, "a name for each");

static const char leaf_field[] = "document.payload.certificate";

const char *nitro_chain_field(const nitro_chain *chain, size_t i)
{
    return i + 1 < chain->n ? cabundle_fields[i] : leaf_field;
}

static bool fail_rule(atls_error *err, const char *field, const char *rule, const char *message)
{
    (void)atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, rule, "%s", message);
    return atls_error_relabel(err, ATLS_E_CERTIFICATE_CHAIN, field);
}

/* ---- reading ---- */

static bool read_chain(const nitro_document *d, atls_arena *arena, nitro_chain *out, atls_error *err)
{
    atls_cert_pool pool;
    out->n = d->n_cabundle + 1;
    if (!atls_cert_pool_init(&pool, NITRO_MAX_CABUNDLE + 1, arena, err)) {
        return false;
    }
    for (size_t i = 0; i < out->n; i++) {
        const atls_bytes der = i < d->n_cabundle ? d->cabundle[i] : d->certificate;
        if (!atls_cert_pool_add(&pool, der, ATLS_E_CERTIFICATE_CHAIN, nitro_chain_field(out, i), &out->certs[i], err)) {
            return false;
        }
    }
    return true;
}

bool nitro_chain_root(const nitro_document *d, const atls_authority *auth, atls_arena *arena, nitro_chain *out,
                      atls_error *err)
{
    const atls_policy *p = auth->policy;
    *out = (nitro_chain){.n = 0};
    if (!read_chain(d, arena, out, err)
        || !atls_anchor_find(auth->crypto, p->anchors, p->n_anchors, out->certs[0], &out->anchor, err)) {
        return false;
    }
    return out->anchor != NULL
           || atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, cabundle_fields[0],
                        "the first certificate is not a pinned root: the document is not of this vendor");
}

/* ---- walking ---- */

static bool check_algorithms(const atls_cert *cert, const char *field, atls_error *err)
{
    const bool key = cert->key.kind == ATLS_KEY_P384;
    if (key && cert->sig_alg == ATLS_SIG_ECDSA_SHA384) {
        return true;
    }
    (void)atls_fail_unsupported(err, ATLS_E_CERTIFICATE_CHAIN, key ? "signature" : "key",
                                key ? "ecdsa-with-SHA384" : "P-384", "another algorithm",
                                "the certificate uses an algorithm that these chains do not have");
    return atls_error_relabel(err, ATLS_E_CERTIFICATE_CHAIN, field);
}

/* RFC 5280 4.2.1.9: who overlooks the extension must not take the certificate for an authority's. */
static bool check_critical_constraints(const atls_cert *ca, const char *field, atls_error *err)
{
    static const uint8_t basic_constraints[] = {0x55, 0x1d, 0x13}; /* 2.5.29.19 */
    const atls_extension *e = atls_cert_extension(ca, atls_bytes_of(basic_constraints, sizeof basic_constraints));
    return (e != NULL && e->critical)
           || fail_rule(err, field, "basic_constraints", "an authority's basicConstraints must be there, and critical");
}

static bool check_link(const nitro_chain *chain, size_t i, const atls_authority *auth, atls_error *err)
{
    const char *field = nitro_chain_field(chain, i);
    const uint32_t n_below = (uint32_t)(chain->n - 1 - i); /* intermediates between the issuer and the leaf */
    atls_signer issuer = {
        .cert = chain->certs[i - 1], .code = ATLS_E_CERTIFICATE_CHAIN, .field = nitro_chain_field(chain, i - 1)};
    if (chain->certs[i] == issuer.cert) { /* the pool makes one object of the same bytes */
        return fail_rule(err, field, "issuer", "the certificate before it is the same one");
    }
    if (!check_critical_constraints(issuer.cert, issuer.field, err)) {
        return false;
    }
    const bool ok = atls_links_verify(auth->links, auth->crypto, chain->certs[i], &issuer, n_below,
                                      ATLS_E_CERTIFICATE_CHAIN, field, err);
    atls_signer_close(&issuer);
    return ok;
}

bool nitro_chain_walk(const nitro_chain *chain, const atls_authority *auth, atls_time at, atls_error *err)
{
    for (size_t i = 0; i < chain->n; i++) {
        const atls_cert *cert = chain->certs[i];
        const char *field = nitro_chain_field(chain, i);
        if (!check_algorithms(cert, field, err)
            || !atls_validity_check(cert->not_before, cert->not_after, at, field, err)
            || (i > 0 && !check_link(chain, i, auth, err))) {
            return false;
        }
    }
    return true;
}

bool nitro_chain_leaf(const nitro_chain *chain, atls_error *err)
{
    const atls_cert *leaf = chain->certs[chain->n - 1];
    if (!atls_leaf_check(leaf, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, leaf_field, err)) {
        return false;
    }
    return (leaf->key_usage & (ATLS_KU_KEY_CERT_SIGN | ATLS_KU_CRL_SIGN)) == 0
           || fail_rule(err, leaf_field, "key_usage", "the key of a document must not sign certificates or lists");
}

/* ---- region ---- */

/* "d3c9df74fdeb2ba5.us-east-1.aws.nitro-enclaves", "db5d852a812a3d1e.zonal.us-east-1.aws.nitro-enclaves" */
static bool region_of(const atls_cert *cert, atls_bytes *out)
{
    static const char suffix[] = ".aws.nitro-enclaves";
    const size_t suffix_len = sizeof suffix - 1;
    atls_bytes cn;
    if (!atls_name_common_name(cert->subject, &cn) || cn.len <= suffix_len) {
        return false;
    }
    const size_t end = cn.len - suffix_len;
    size_t start = end;
    while (start > 0 && cn.ptr[start - 1] != '.') {
        start--;
    }
    *out = atls_bytes_of(cn.ptr + start, end - start);
    return start > 0 && end > start && atls_bytes_equal_str(atls_bytes_of(cn.ptr + end, suffix_len), suffix);
}

atls_bytes nitro_chain_region(const nitro_chain *chain)
{
    atls_bytes region = atls_bytes_empty();
    for (size_t i = 1; i + 1 < chain->n; i++) {
        atls_bytes own;
        if (!region_of(chain->certs[i], &own) || (i > 1 && !atls_bytes_equal(own, region))) {
            return atls_bytes_empty();
        }
        region = own;
    }
    return region;
}
