/* SPDX-License-Identifier: Apache-2.0 */
/* chains.c: certificates and revocation lists: steps 2, 3, 4, 7, 8 of the specification's section 6, and the chain
 * of 6.
 *
 * Lengths of chains are fixed (two for signers of documents, three for PCK), every chain ends in the one trusted root,
 * byte for byte, and every certificate is known by its common name: a key extracted from one platform must not sign TCB
 * info. Only P-256 with SHA-256 occurs. Members are told apart by names, because some producers store the root first.
 */
#include <stdio.h>

#include "proof.h"

#define ROOT_NAME         "Intel SGX Root CA"
#define TCB_SIGNER_NAME   "Intel SGX TCB Signing"
#define PCK_NAME          "Intel SGX PCK Certificate"
#define PROCESSOR_CA_NAME "Intel SGX PCK Processor CA"
#define PLATFORM_CA_NAME  "Intel SGX PCK Platform CA"

/* ---- reading ---- */

static bool read_ders(atls_cert_pool *pool, const atls_bytes *ders, size_t n, atls_code code, const char *field,
                      dcap_chain *out, atls_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!atls_cert_pool_add(pool, ders[i], code, field, &out->certs[i], err)) {
            return false;
        }
    }
    out->n = n;
    return true;
}

static bool read_pem(atls_cert_pool *pool, const dcap_given_chain *g, dcap_chain *out, atls_error *err)
{
    atls_bytes ders[ATLS_MAX_PEM_CERTS];
    size_t n;
    return atls_pem_certificates(g->pem, false, g->code, g->field, pool->arena, ders, ATLS_MAX_PEM_CERTS, &n, err)
           && read_ders(pool, ders, n, g->code, g->field, out, err);
}

bool dcap_quote_ders(const dcap_evidence *e, const atls_bytes **ders, size_t *n, atls_error *err)
{
    dcap_memo *memo = e->memo;
    if (!memo->has_ders) {
        if (!atls_pem_certificates(e->quote.cert_data, true, ATLS_E_PCK_CHAIN, "pck", memo->pool.arena, memo->ders,
                                   ATLS_MAX_PEM_CERTS, &memo->n_ders, err)) {
            return false;
        }
        memo->has_ders = true;
    }
    *ders = memo->ders;
    *n = memo->n_ders;
    return true;
}

bool dcap_quote_chain(const dcap_evidence *e, const dcap_chain **out, atls_error *err)
{
    dcap_memo *memo = e->memo;
    const atls_bytes *ders;
    size_t n;
    if (!memo->has_chain) {
        if (!dcap_quote_ders(e, &ders, &n, err)
            || !read_ders(&memo->pool, ders, n, ATLS_E_PCK_CHAIN, "pck", &memo->chain, err)) {
            return false;
        }
        memo->has_chain = true;
    }
    *out = &memo->chain;
    return true;
}

bool dcap_pck_extension(const dcap_evidence *e, const atls_cert *leaf, const dcap_pck **out, atls_error *err)
{
    dcap_memo *memo = e->memo;
    if (memo->leaf != leaf) {
        memo->leaf = NULL;
        if (!dcap_pck_decode(leaf, &memo->pck, err)) {
            return false;
        }
        memo->leaf = leaf;
    }
    *out = &memo->pck;
    return true;
}

void dcap_chain_read(dcap_proof *p, dcap_given_chain *g)
{
    const dcap_chain *own;
    if (g->is_read) {
        return;
    }
    g->is_read = true;
    if (!g->is_quotes) {
        (void)!read_pem(&p->evidence->memo->pool, g, &g->chain, &g->error);
        return;
    }
    if (dcap_quote_chain(p->evidence, &own, &g->error)) {
        g->chain = *own;
    }
}

/* The chain, when it can be read; its own error at the step that needs it, otherwise. */
static bool need_chain(dcap_proof *p, dcap_given_chain *g, size_t n)
{
    dcap_chain_read(p, g);
    if (g->error.code != ATLS_OK) {
        if (p->err->code == ATLS_OK) {
            *p->err = g->error;
        }
        return false;
    }
    if (g->chain.n != n) {
        char expected[24];
        char actual[24];
        snprintf(expected, sizeof expected, "%zu certificates", n);
        snprintf(actual, sizeof actual, "%zu", g->chain.n);
        return atls_fail_values(p->err, g->code, g->field, expected, actual, NULL);
    }
    return true;
}

/* One text for both issuers is the normal case, and then it is one chain. */
static bool is_same_text(const dcap_proof *p)
{
    return atls_bytes_equal(p->given->tcb_info_issuer_chain, p->given->qe_identity_issuer_chain);
}

void dcap_chain_init(dcap_proof *p)
{
    p->tcb_chain = (dcap_given_chain){
        .pem = p->given->tcb_info_issuer_chain,
        .field = "tcb_info_issuer_chain",
        .leaf_field = "tcb_info_issuer_chain.leaf",
        .code = ATLS_E_TCB_INFO_SIGNATURE,
    };
    p->qe_chain = (dcap_given_chain){
        .pem = p->given->qe_identity_issuer_chain,
        .field = "qe_identity_issuer_chain",
        .leaf_field = "qe_identity_issuer_chain.leaf",
        .code = ATLS_E_QE_IDENTITY_SIGNATURE,
    };
    bool is_external = p->given->pck_certificate_chain.len > 0;
    p->pck_chain = (dcap_given_chain){
        .pem = p->given->pck_certificate_chain,
        .field = "pck",
        .leaf_field = "pck.leaf",
        .code = ATLS_E_PCK_CHAIN,
        .is_quotes = !is_external,
    };
    if (!is_external && p->quote->cert_type != 5) {
        p->pck_chain.is_read = true;
        (void)atls_fail(&p->pck_chain.error, ATLS_E_PCK_CHAIN, "pck",
                        "certification data type %u has no PCK chain, and none was given", p->quote->cert_type);
    }
}

/* ---- rules that hold for every certificate ---- */

static bool fail_at(dcap_proof *p, atls_code code, const char *field, const char *rule, const char *expected,
                    const char *actual, const char *message)
{
    char full[sizeof p->err->field];
    snprintf(full, sizeof full, "%s.%s", field, rule);
    return atls_fail_values(p->err, code, full, expected, actual, "%s", message);
}

/* The common name, or words that say there is none. */
typedef struct shown_name {
    char text[64];
} shown_name;

static shown_name show_name(const atls_cert *c)
{
    shown_name out = {"no common name"};
    atls_bytes cn;
    if (atls_name_common_name(c->subject, &cn)) {
        snprintf(out.text, sizeof out.text, "%.*s", (int)(cn.len < 63 ? cn.len : 63), (const char *)cn.ptr);
    }
    return out;
}

static bool check_name(dcap_proof *p, const atls_cert *c, const char *name, atls_code code, const char *field)
{
    atls_bytes cn;
    return (atls_name_common_name(c->subject, &cn) && atls_bytes_equal_str(cn, name))
           || fail_at(p, code, field, "subject", name, show_name(c).text, "a certificate of another role");
}

static bool check_algorithms(dcap_proof *p, const atls_cert *c, atls_code code, const char *field)
{
    if (c->key.kind != ATLS_KEY_P256) {
        return fail_at(p, code, field, "key", "P-256", "another kind of key", "only P-256 keys occur in DCAP");
    }
    if (c->sig_alg != ATLS_SIG_ECDSA_SHA256) {
        return fail_at(p, code, field, "signature_algorithm", "ecdsa-with-SHA256", "another algorithm",
                       "only ECDSA with SHA-256 occurs in DCAP");
    }
    return true;
}

static bool open_key(dcap_proof *p, const atls_cert *c, atls_code code, const char *field, atls_key **out)
{
    return atls_key_open(p->auth->crypto, &c->key, code, field, out, p->err);
}

/* ---- root ---- */

static bool is_self_issued(const atls_cert *c)
{
    return atls_bytes_equal(c->issuer, c->subject);
}

static bool find_anchor_in(dcap_proof *p, dcap_given_chain *g)
{
    const atls_policy *policy = p->auth->policy;
    dcap_chain_read(p, g);
    for (size_t i = 0; i < g->chain.n && p->anchor == NULL; i++) {
        if (!is_self_issued(g->chain.certs[i])) {
            continue;
        }
        if (!atls_anchor_find(p->auth->crypto, policy->anchors, policy->n_anchors, g->chain.certs[i], &p->anchor,
                              p->err)) {
            return false;
        }
        if (p->anchor != NULL) {
            p->root = g->chain.certs[i];
        }
    }
    return true;
}

/* Any of the chains may name the root; it is trusted because its hash is pinned. All others must then end in it. */
static bool find_root(dcap_proof *p)
{
    dcap_given_chain *const chains[] = {&p->tcb_chain, &p->qe_chain, &p->pck_chain};
    for (size_t i = 0; i < sizeof chains / sizeof chains[0] && p->anchor == NULL; i++) {
        if (!find_anchor_in(p, chains[i])) {
            return false;
        }
    }
    if (p->anchor == NULL) {
        const atls_policy *policy = p->auth->policy;
        return atls_fail_values(p->err, ATLS_E_PCK_CHAIN, "root", policy->n_anchors > 0 ? policy->anchors[0].label : "",
                                "none", "no chain ends in a trusted root");
    }
    return true;
}

static bool check_self_signature(dcap_proof *p)
{
    if (p->anchor->self_checked) {
        return true;
    }
    return atls_link_verify(p->auth->crypto, p->root, p->root, p->root_key, 1, ATLS_E_PCK_CHAIN, "root", p->err);
}

bool dcap_check_root(dcap_proof *p)
{
    return find_root(p) && check_name(p, p->root, ROOT_NAME, ATLS_E_PCK_CHAIN, "root")
           && check_algorithms(p, p->root, ATLS_E_PCK_CHAIN, "root")
           && open_key(p, p->root, ATLS_E_PCK_CHAIN, "root.key", &p->root_key) && check_self_signature(p)
           && atls_validity_check(p->root->not_before, p->root->not_after, p->auth->now, "root", p->err);
}

/* ---- revocation lists ---- */

static bool read_crl(dcap_proof *p, atls_bytes der, const char *field, atls_crl *out)
{
    if (!atls_crl_decode(der, field, out, p->err)) {
        return atls_error_relabel(p->err, ATLS_E_CRL, "");
    }
    if (out->sig_alg != ATLS_SIG_ECDSA_SHA256) {
        return fail_at(p, ATLS_E_CRL, field, "signature_algorithm", "ecdsa-with-SHA256", "another algorithm",
                       "only ECDSA with SHA-256 occurs in DCAP");
    }
    return true;
}

/* That the root is not on its own list belongs to step 2, but can only be asked of a list that is genuine. */
bool dcap_check_root_crl(dcap_proof *p)
{
    return read_crl(p, p->given->root_ca_crl, "root_ca_crl", &p->root_crl)
           && atls_crl_verify(p->auth->crypto, &p->root_crl, p->root, p->root_key, p->auth->now, "root_ca_crl", p->err)
           && atls_crl_check(&p->root_crl, p->root, "root", p->err);
}

static bool check_pck_list(dcap_proof *p)
{
    return read_crl(p, p->given->pck_crl, "pck_crl", &p->pck_crl)
           && atls_crl_verify(p->auth->crypto, &p->pck_crl, p->pck_ca, p->pck_ca_key, p->auth->now, "pck_crl", p->err);
}

/* The list may be known to be genuine; whether this leaf is on it is asked each time. */
bool dcap_check_pck_crl(dcap_proof *p)
{
    return (p->compiled != NULL || check_pck_list(p))
           && atls_crl_check_serial(&p->pck_crl, p->leaf.issuer, p->leaf.serial, "pck.leaf", p->err);
}

/* ---- signers of documents ---- */

/* The member of a chain of two that is not the root; the other one must be it. */
static bool beside_root(dcap_proof *p, const dcap_given_chain *g, atls_cert **out)
{
    for (size_t i = 0; i < 2; i++) {
        if (g->chain.certs[i] == p->root) {
            *out = g->chain.certs[1 - i];
            return true;
        }
    }
    return fail_at(p, g->code, g->field, "root", p->anchor->label, "another certificate",
                   "the chain does not end in the trusted root");
}

static bool check_signer(dcap_proof *p, dcap_given_chain *g, atls_cert **out)
{
    const atls_crypto *crypto = p->auth->crypto;
    if (!need_chain(p, g, 2) || !beside_root(p, g, out)) {
        return false;
    }
    atls_cert *leaf = *out;
    return check_name(p, leaf, TCB_SIGNER_NAME, g->code, g->leaf_field)
           && check_algorithms(p, leaf, g->code, g->leaf_field)
           && atls_leaf_check(leaf, ATLS_KU_DIGITAL_SIGNATURE, g->code, g->leaf_field, p->err)
           && atls_link_verify(crypto, leaf, p->root, p->root_key, 0, g->code, g->leaf_field, p->err)
           && atls_validity_check(leaf->not_before, leaf->not_after, p->auth->now, g->leaf_field, p->err)
           && atls_crl_check(&p->root_crl, leaf, g->leaf_field, p->err);
}

bool dcap_check_tcb_info_chain(dcap_proof *p)
{
    dcap_given_chain *g = &p->tcb_chain;
    return check_signer(p, g, &p->tcb_signer)
           && open_key(p, p->tcb_signer, g->code, "tcb_info_issuer_chain.leaf.key", &p->tcb_key);
}

bool dcap_check_qe_identity_chain(dcap_proof *p)
{
    dcap_given_chain *g = &p->qe_chain;
    if (is_same_text(p)) {
        p->qe_signer = p->tcb_signer;
        return true;
    }
    if (!check_signer(p, g, &p->qe_signer)) {
        return false;
    }
    return p->qe_signer == p->tcb_signer
           || open_key(p, p->qe_signer, g->code, "qe_identity_issuer_chain.leaf.key", &p->qe_key);
}

/* ---- PCK ---- */

const char *dcap_pck_ca_name(const atls_cert *ca, bool *is_platform)
{
    atls_bytes cn;
    if (!atls_name_common_name(ca->subject, &cn)) {
        return NULL;
    }
    *is_platform = atls_bytes_equal_str(cn, PLATFORM_CA_NAME);
    if (*is_platform) {
        return PLATFORM_CA_NAME;
    }
    return atls_bytes_equal_str(cn, PROCESSOR_CA_NAME) ? PROCESSOR_CA_NAME : NULL;
}

static bool no_path(atls_error *err)
{
    (void)atls_fail(err, ATLS_E_PCK_CHAIN, "pck", "the certificates are not a leaf, an intermediate and a root");
    return false; /* spelt out, so that analysers see which members are set where */
}

bool dcap_pck_path_find(const dcap_chain *chain, dcap_pck_path *out, atls_error *err)
{
    atls_cert *others[3];
    size_t n = 0;
    *out = (dcap_pck_path){0};
    for (size_t i = 0; i < chain->n && i < 3; i++) {
        if (out->root == NULL && is_self_issued(chain->certs[i])) {
            out->root = chain->certs[i];
        } else {
            others[n++] = chain->certs[i];
        }
    }
    if (chain->n != 3 || out->root == NULL) {
        return no_path(err);
    }
    bool first = atls_bytes_equal(others[0]->issuer, out->root->subject);
    bool second = atls_bytes_equal(others[1]->issuer, out->root->subject);
    if (first == second) {
        return no_path(err);
    }
    out->ca = first ? others[0] : others[1];
    out->leaf = first ? others[1] : others[0];
    return true;
}

static bool check_pck_names(dcap_proof *p)
{
    bool is_platform;
    p->pck_ca_name = dcap_pck_ca_name(p->pck_ca, &is_platform);
    if (p->pck_ca_name == NULL) {
        return fail_at(p, ATLS_E_PCK_CHAIN, "pck.intermediate", "subject", PROCESSOR_CA_NAME " or " PLATFORM_CA_NAME,
                       show_name(p->pck_ca).text, "a certificate of another role");
    }
    return check_name(p, p->pck, PCK_NAME, ATLS_E_PCK_CHAIN, "pck.leaf");
}

static bool check_pck_links(dcap_proof *p)
{
    const atls_crypto *crypto = p->auth->crypto;
    return check_algorithms(p, p->pck_ca, ATLS_E_PCK_CHAIN, "pck.intermediate")
           && check_algorithms(p, p->pck, ATLS_E_PCK_CHAIN, "pck.leaf")
           && atls_link_verify(crypto, p->pck_ca, p->root, p->root_key, 1, ATLS_E_PCK_CHAIN, "pck.intermediate", p->err)
           && open_key(p, p->pck_ca, ATLS_E_PCK_CHAIN, "pck.intermediate.key", &p->pck_ca_key)
           && atls_leaf_check(p->pck, ATLS_KU_DIGITAL_SIGNATURE, ATLS_E_PCK_CHAIN, "pck.leaf", p->err)
           && atls_link_verify(crypto, p->pck, p->pck_ca, p->pck_ca_key, 0, ATLS_E_PCK_CHAIN, "pck.leaf", p->err)
           && open_key(p, p->pck, ATLS_E_PCK_CHAIN, "pck.leaf.key", &p->pck_key);
}

static bool check_pck_dates(dcap_proof *p)
{
    atls_time now = p->auth->now;
    return atls_validity_check(p->pck_ca->not_before, p->pck_ca->not_after, now, "pck.intermediate", p->err)
           && atls_validity_check(p->pck->not_before, p->pck->not_after, now, "pck.leaf", p->err);
}

bool dcap_check_pck_chain(dcap_proof *p)
{
    dcap_pck_path path;
    if (!need_chain(p, &p->pck_chain, 3) || !dcap_pck_path_find(&p->pck_chain.chain, &path, p->err)) {
        return false;
    }
    if (path.root != p->root) {
        return fail_at(p, ATLS_E_PCK_CHAIN, "pck", "root", p->anchor->label, "another certificate",
                       "the chain does not end in the trusted root");
    }
    p->pck = path.leaf;
    p->pck_ca = path.ca;
    p->leaf = (dcap_leaf){p->pck->issuer, p->pck->serial, p->pck->not_after};
    return check_pck_names(p) && check_pck_links(p) && check_pck_dates(p)
           && atls_crl_check(&p->root_crl, p->pck_ca, "pck.intermediate", p->err);
}
