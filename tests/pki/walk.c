/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c: as short as a format's own walk; the rules are in core/pki/chain.c. */
#include "walk.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

walk_order walk_default(bool has_ca)
{
    walk_order o = {.has_ca = has_ca, .has_crl = {true, has_ca}, .now = 1717200000};
    o.cert[WALK_ROOT] = make_cert_default(MAKE_ROOT);
    o.cert[WALK_CA] = make_cert_default(MAKE_CA);
    o.cert[WALK_LEAF] = make_cert_default(MAKE_LEAF);
    o.crl[0] = make_crl_default(MAKE_ROOT);
    o.crl[1] = make_crl_default(MAKE_CA);
    if (!has_ca) {
        o.cert[WALK_LEAF].issuer = o.cert[WALK_ROOT].subject;
        o.cert[WALK_LEAF].signer = MAKE_ROOT;
        o.cert[WALK_LEAF].aki = MAKE_ROOT;
    }
    return o;
}

void walk_write(const make_keys *k, const walk_order *order, walk_files *out)
{
    size_t len = 0;
    out->has_ca = order->has_ca;
    out->now = order->now;
    out->understood = order->understood;
    for (int i = 0; i < WALK_N; i++) {
        if (i != WALK_CA || order->has_ca) {
            make_cert_write(k, &order->cert[i], &out->cert[i]);
        }
    }
    for (int i = 0; i < 2; i++) {
        out->has_crl[i] = order->has_crl[i];
        if (order->has_crl[i]) {
            make_crl_write(k, &order->crl[i], &out->crl[i]);
        }
    }
    out->trusted = out->cert[WALK_ROOT];
    if (order->other_root) { /* ECDSA: the same certificate signed again is another one */
        make_cert_write(k, &order->cert[WALK_ROOT], &out->trusted);
    }
    const made *root = &out->trusted;
    if (EVP_Q_digest(NULL, "SHA256", NULL, root->der, root->len, out->pinned, &len) != 1 || len != 32) {
        abort();
    }
}

/* One issuer's part: its key, its own signature if it is the root, its list, the certificate below and whether that is
 * listed. */
typedef struct step {
    const atls_crypto *crypto;
    atls_time now;
    atls_cert *issuer;
    const char *issuer_field;
    atls_cert *below;
    const char *below_field;
    uint32_t n_below; /* intermediates under issuer */
    bool is_root;
    const made *crl; /* NULL: none */
    const char *crl_field;
} step;

static bool check_list(const step *s, const atls_crl *crl, atls_key *key, atls_error *err)
{
    return atls_crl_verify(s->crypto, crl, s->issuer, key, s->now, s->crl_field, err)
           && (!s->is_root || atls_crl_check(crl, s->issuer, s->issuer_field, err))
           && atls_link_verify(s->crypto, s->below, s->issuer, key, s->n_below, ATLS_E_PCK_CHAIN, s->below_field, err)
           && atls_crl_check(crl, s->below, s->below_field, err);
}

static bool take_step(const step *s, atls_error *err)
{
    atls_key *key;
    atls_crl crl;
    if (s->crl == NULL) {
        return atls_fail(err, ATLS_E_CRL, s->crl_field, "there is no list");
    }
    if (!atls_crl_decode(made_bytes(s->crl), "", &crl, err)) {
        return atls_error_relabel(err, ATLS_E_CRL, s->crl_field);
    }
    if (!atls_key_open(s->crypto, &s->issuer->key, ATLS_E_PCK_CHAIN, s->issuer_field, &key, err)) {
        return false;
    }
    bool ok =
        (!s->is_root
         || atls_link_verify(s->crypto, s->issuer, s->issuer, key, s->n_below, ATLS_E_PCK_CHAIN, s->issuer_field, err))
        && check_list(s, &crl, key, err);
    atls_key_close(key);
    return ok;
}

static const char *const fields[WALK_N] = {"root", "intermediate", "leaf"};

static bool read_all(const walk_files *files, atls_cert_pool *pool, atls_cert **certs, atls_error *err)
{
    for (int i = 0; i < WALK_N; i++) {
        bool there = i != WALK_CA || files->has_ca;
        if (there
            && !atls_cert_pool_add(pool, made_bytes(&files->cert[i]), ATLS_E_PCK_CHAIN, fields[i], &certs[i], err)) {
            return false;
        }
        if (there) {
            certs[i]->understood = files->understood;
        }
    }
    return true;
}

static bool check_pinned(const atls_crypto *c, const walk_files *files, const atls_cert *root, atls_error *err)
{
    atls_anchor anchor = {.label = "pinned"};
    const atls_anchor *found;
    memcpy(anchor.sha256, files->pinned, sizeof anchor.sha256);
    if (!atls_anchor_find(c, &anchor, 1, root, &found, err)) {
        return false;
    }
    return found != NULL || atls_fail(err, ATLS_E_PCK_CHAIN, "root.anchor", "not the pinned root");
}

bool walk_verify(const atls_crypto *c, const walk_files *files, atls_cert_pool *pool, atls_error *err)
{
    atls_cert *certs[WALK_N] = {NULL};
    if (!read_all(files, pool, certs, err) || !check_pinned(c, files, certs[WALK_ROOT], err)) {
        return false;
    }
    for (int i = 0; i < WALK_N; i++) {
        if (certs[i] != NULL
            && !atls_validity_check(certs[i]->not_before, certs[i]->not_after, files->now, fields[i], err)) {
            return false;
        }
    }
    int below = files->has_ca ? WALK_CA : WALK_LEAF;
    step root = {c,
                 files->now,
                 certs[WALK_ROOT],
                 "root",
                 certs[below],
                 fields[below],
                 files->has_ca ? 1 : 0,
                 true,
                 files->has_crl[0] ? &files->crl[0] : NULL,
                 "root_crl"};
    step ca = {c,
               files->now,
               certs[WALK_CA],
               "intermediate",
               certs[WALK_LEAF],
               "leaf",
               0,
               false,
               files->has_crl[1] ? &files->crl[1] : NULL,
               "intermediate_crl"};
    return take_step(&root, err) && (!files->has_ca || take_step(&ca, err))
           && atls_leaf_check(certs[WALK_LEAF], ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_PCK_CHAIN, "leaf", err);
}
