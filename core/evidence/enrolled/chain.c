/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: from a root of the policy to the enrolled certificate, by the rules of pki/chain.h and two more: everybody who may
 * sign for less than everything may sign for clients (extended key usage), and the enrolled certificate is for a client and
 * for nothing that signs certificates. */
#include <string.h>

#include "base/der.h"
#include "enrolled.h"

static const char *const fields[] = {
    "chain[0]", "chain[1]", "chain[2]", "chain[3]", "chain[4]", "chain[5]", "chain[6]", "chain[7]", "chain[8]",
};
#define N_FIELDS (sizeof fields / sizeof fields[0])
_Static_assert(N_FIELDS == ATLS_ENROLLED_MAX_CHAIN + 1, "a name for each, and for a root that was left out");

const char *enrolled_field(size_t i)
{
    return fields[i < N_FIELDS ? i : N_FIELDS - 1];
}

static bool fail_rule(atls_error *err, const char *field, const char *rule, const char *message)
{
    (void)atls_fail(err, ATLS_E_CERTIFICATE_CHAIN, rule, "%s", message);
    return atls_error_relabel(err, ATLS_E_CERTIFICATE_CHAIN, field);
}

/* ---- the root ---- */

static bool read_chain(const enrolled_evidence *e, atls_cert_pool *pool, enrolled_chain *out, atls_error *err)
{
    for (; out->n < e->n; out->n++) {
        if (!atls_cert_pool_add(pool, e->ders[out->n], ATLS_E_EVIDENCE_FORMAT, enrolled_field(out->n),
                                &out->certs[out->n], err)) {
            return false;
        }
    }
    out->n_shown = out->n;
    return true;
}

/* The last certificate is a root of the policy, byte for byte. */
static bool find_shown(const atls_authority *auth, enrolled_chain *out, atls_error *err)
{
    const atls_enrolled_policy *p = &auth->policy->enrolled;
    uint8_t sha256[32];
    if (!atls_digest(auth->crypto, ATLS_SHA256, &out->certs[out->n - 1]->der, 1, sha256, err)) {
        return false;
    }
    for (size_t i = 0; i < p->n_roots; i++) {
        if (memcmp(p->roots[i].anchor.sha256, sha256, sizeof sha256) == 0) {
            out->root = &p->roots[i];
        }
    }
    /* a root does not stand for a client */
    return out->root == NULL || out->n > 1
           || fail_rule(err, enrolled_field(0), "root", "the certificate is the authority's own");
}

/* A root that was left out: one that the policy holds, under the name and the key id that the last certificate wants. */
static bool add_held(const atls_authority *auth, atls_cert_pool *pool, enrolled_chain *out, atls_error *err)
{
    const atls_enrolled_policy *p = &auth->policy->enrolled;
    const atls_cert *last = out->certs[out->n - 1];
    for (size_t i = 0; i < p->n_roots; i++) {
        const atls_enrolled_root *root = &p->roots[i];
        atls_cert *cert;
        if (root->der.len == 0 || !atls_bytes_equal(root->subject, last->issuer)) {
            continue;
        }
        if (!atls_cert_pool_add(pool, root->der, ATLS_E_CERTIFICATE_CHAIN, enrolled_field(out->n), &cert, err)) {
            return false;
        }
        if (last->authority_key_id.len == 0 || cert->subject_key_id.len == 0
            || atls_bytes_equal(last->authority_key_id, cert->subject_key_id)) {
            out->root = root;
            out->certs[out->n++] = cert;
            return true;
        }
    }
    return true;
}

bool enrolled_chain_root(const enrolled_evidence *e, const atls_authority *auth, atls_arena *arena, enrolled_chain *out,
                         atls_error *err)
{
    atls_cert_pool pool;
    *out = (enrolled_chain){.n = 0};
    if (!atls_cert_pool_init(&pool, ATLS_ENROLLED_MAX_CHAIN + ATLS_ENROLLED_MAX_ROOTS, arena, err)
        || !read_chain(e, &pool, out, err) || !find_shown(auth, out, err)
        || (out->root == NULL && !add_held(auth, &pool, out, err))) {
        return false;
    }
    return out->root != NULL
           || fail_rule(err, enrolled_field(out->n - 1), "root",
                        "the chain does not end at a certificate authority of the policy");
}

/* ---- extended key usage ---- */

static bool is_oid(atls_bytes oid, const uint8_t *der, size_t len)
{
    return atls_bytes_equal(oid, atls_bytes_of(der, len));
}

/* What a certificate says it is for. *client: clients of TLS, or anything if is_ca. False: it cannot be read. */
static bool read_usages(atls_bytes value, bool is_ca, bool *client)
{
    static const uint8_t client_auth[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02}; /* 1.3.6.1.5.5.7.3.2 */
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};                                 /* 2.5.29.37.0 */
    atls_error why = {0};
    atls_cur c;
    atls_cur list;
    atls_cur_init(&c, value, "extended_key_usage", &why);
    *client = false;
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &list) || !atls_cur_end(&c) || list.rest.len == 0) {
        return false;
    }
    while (list.rest.len > 0) {
        atls_bytes oid;
        if (!atls_der_oid(&list, "", &oid)) {
            return false;
        }
        *client = *client || is_oid(oid, client_auth, sizeof client_auth) || (is_ca && is_oid(oid, any, sizeof any));
    }
    return true;
}

static bool check_usages(const atls_cert *cert, bool is_ca, const char *field, atls_error *err)
{
    static const uint8_t extended_key_usage[] = {0x55, 0x1d, 0x25}; /* 2.5.29.37 */
    const atls_extension *e = atls_cert_extension(cert, atls_bytes_of(extended_key_usage, sizeof extended_key_usage));
    bool client = is_ca; /* an authority that does not say is for everything */
    if (e != NULL && !read_usages(e->value, is_ca, &client)) {
        return fail_rule(err, field, "extended_key_usage", "the extension cannot be read");
    }
    return client
           || fail_rule(err, field, "extended_key_usage",
                        e == NULL ? "the certificate does not say that it is for clients"
                                  : "the certificate is for something else than clients");
}

/* ---- walking ---- */

static bool check_link(const enrolled_chain *chain, size_t i, const atls_authority *auth, atls_error *err)
{
    atls_signer issuer = {
        .cert = chain->certs[i + 1], .code = ATLS_E_CERTIFICATE_CHAIN, .field = enrolled_field(i + 1)};
    if (chain->certs[i] == issuer.cert) { /* the pool makes one object of the same bytes */
        return fail_rule(err, enrolled_field(i), "issuer", "the certificate behind it is the same one");
    }
    const bool ok = atls_links_verify(auth->links, auth->crypto, chain->certs[i], &issuer, (uint32_t)i,
                                      ATLS_E_CERTIFICATE_CHAIN, enrolled_field(i), err);
    atls_signer_close(&issuer);
    return ok;
}

bool enrolled_chain_walk(const enrolled_chain *chain, const atls_authority *auth, atls_error *err)
{
    for (size_t i = chain->n; i-- > 0;) {
        const atls_cert *cert = chain->certs[i];
        const bool is_root = i + 1 == chain->n;
        if (!atls_validity_check(cert->not_before, cert->not_after, auth->now, enrolled_field(i), err)
            || (!is_root && !check_link(chain, i, auth, err))
            || (i > 0 && !check_usages(cert, true, enrolled_field(i), err))) {
            return false;
        }
    }
    return true;
}

bool enrolled_chain_leaf(const enrolled_chain *chain, atls_error *err)
{
    const atls_cert *leaf = chain->certs[0];
    if (!atls_bare_leaf_check(leaf, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_CERTIFICATE_CHAIN, fields[0], err)) {
        return false;
    }
    if ((leaf->key_usage & (ATLS_KU_KEY_CERT_SIGN | ATLS_KU_CRL_SIGN)) != 0) {
        return fail_rule(err, fields[0], "key_usage", "a phone's key must not sign certificates or lists");
    }
    return check_usages(leaf, false, fields[0], err);
}
