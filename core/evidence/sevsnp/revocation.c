/* SPDX-License-Identifier: Apache-2.0 */
/* revocation.c: AMD's revocation lists (specification section 4).
 *
 * The ARK signs them. They name intermediates; a leaf is not revoked, its TCB is superseded. There are two lists of one
 * ARK, one for each kind of key, and several of different ages may be at hand: a certificate that stands in any genuine one
 * is revoked, and one that is valid now must be among them. */
#include <string.h>

#include "proof.h"

typedef struct lists {
    sevsnp_proof *p;
    bool is_valid;    /* one of the ARK is genuine and valid now */
    atls_error ours;  /* why one that bears the ARK's name, of the endorsements, is no use */
    atls_error other; /* why one that cannot be read, or that the host sent along, is no use */
} lists;

static void keep(atls_error *first, const atls_error *why)
{
    if (first->code == ATLS_OK) {
        *first = *why;
    }
}

/* An old list that is genuine still revokes: its signature is first checked at a time at which it was valid. False: it could
 * not be looked at, and it may be the one that revokes. */
static bool check_genuine_at(sevsnp_proof *p, const atls_crl *crl, atls_time now, bool *is_genuine, atls_error *first)
{
    atls_error why = {.code = ATLS_OK};
    *is_genuine = false;
    if (crl->sig_alg != ATLS_SIG_RSA_PSS_SHA384) {
        (void)atls_fail_values(&why, ATLS_E_CRL, "crl.signature_algorithm",
                               "RSASSA-PSS with SHA-384 and a salt of 48 bytes", "another algorithm",
                               "AMD signs its lists in one way only");
    } else if (atls_links_verify_crl(p->auth->links, p->auth->crypto, crl, &p->ark_key, now, "crl", &why)) {
        *is_genuine = true;
        return true;
    }
    if (why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL) {
        *p->err = why;
        return false;
    }
    keep(first, &why);
    return true;
}

/* A list of the endorsements that is of no use is an error, because somebody relies on it. What the host sent along is a
 * hint: it may revoke, and it may serve, and otherwise it is not there. */
static bool look_at(lists *l, atls_bytes der, bool is_hosts)
{
    sevsnp_proof *p = l->p;
    atls_error why = {.code = ATLS_OK};
    atls_error *first = is_hosts ? &l->other : &l->ours;
    atls_crl crl;
    bool is_genuine;
    if (!atls_crl_decode(der, "crl", &crl, &why)) {
        (void)atls_error_relabel(&why, ATLS_E_CRL, "");
        keep(&l->other, &why);
        return true;
    }
    if (!atls_bytes_equal(crl.issuer, p->ark->subject)) {
        return true; /* somebody else's */
    }
    if (!check_genuine_at(p, &crl, crl.this_update, &is_genuine, first)) {
        return false;
    }
    if (!is_genuine) {
        return true;
    }
    if (!atls_crl_check(&crl, p->ark, "ark", p->err)
        || !atls_crl_check(&crl, p->issuer, p->leaf_is_vlek ? "asvk" : "ask", p->err)) {
        return false;
    }
    if (!check_genuine_at(p, &crl, p->auth->now, &is_genuine, first)) {
        return false;
    }
    if (is_genuine) {
        const bool sooner = !l->is_valid || crl.next_update < p->list_expiration;
        p->list_expiration = sooner ? crl.next_update : p->list_expiration;
        l->is_valid = true;
    }
    return true;
}

static bool look_at_all(lists *l)
{
    const atls_endorsements *e = l->p->auth->endorsements;
    const size_t n = e == NULL ? 0 : e->pile.n_crls;
    if (n > ATLS_MAX_PILE_CRLS) {
        return atls_fail(l->p->err, ATLS_E_LIMIT, "endorsements.crls", "more than %u", ATLS_MAX_PILE_CRLS);
    }
    for (size_t i = 0; i < n; i++) {
        if (!look_at(l, e->pile.crls[i], false)) {
            return false;
        }
    }
    const atls_bytes own = sevsnp_table_find(&l->p->evidence->table, SEVSNP_TABLE_CRL);
    return own.len == 0 || look_at(l, own, true);
}

static bool fail_with(sevsnp_proof *p, const atls_error *why)
{
    *p->err = *why;
    return false;
}

bool sevsnp_check_revocation(sevsnp_proof *p, const char **why)
{
    const atls_revocation mode = p->auth->policy->revocation;
    lists l = {.p = p};
    *why = NULL;
    if (mode == ATLS_REVOCATION_OFF) {
        *why = "the policy says insecure_off: a certificate that AMD revoked would be accepted";
        return true;
    }
    if (!look_at_all(&l)) {
        return false;
    }
    if (l.is_valid) {
        p->revocation_checked = true;
        return true;
    }
    if (l.ours.code != ATLS_OK) {
        return fail_with(p, &l.ours);
    }
    if (mode == ATLS_REVOCATION_REQUIRE && l.other.code != ATLS_OK) {
        return fail_with(p, &l.other);
    }
    if (mode == ATLS_REVOCATION_REQUIRE) {
        return atls_fail(p->err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.crl",
                         "the policy requires a revocation list of the ARK");
    }
    *why = "no revocation list of the ARK is at hand: whether AMD revoked the intermediate is not known";
    return true;
}
