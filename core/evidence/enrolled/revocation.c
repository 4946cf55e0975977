/* SPDX-License-Identifier: Apache-2.0 */
/* revocation.c: the chain against the lists that are at hand.
 *
 * A pile of lists comes from anybody: what cannot be read, is about others or is not signed by the authority it names, is
 * not there. A list that its authority signed may be old: it does not show that a certificate is good then, but what it
 * lists stays revoked. */
#include "base/text.h"
#include "enrolled.h"

static const char id[] = "enrolled.revocation";

typedef struct lists {
    const enrolled_chain *chain;
    const atls_authority *auth;
    atls_crl *items;
    size_t n;
    atls_error why; /* why the last list that looked right was of no use */
} lists;

static bool read_lists(const atls_certificate_pile *pile, atls_arena *arena, lists *out, atls_error *err)
{
    out->items = atls_arena_array(arena, pile->n_crls + 1, sizeof *out->items, err);
    if (out->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < pile->n_crls; i++) {
        atls_error ignored = {0};
        if (atls_crl_decode(pile->crls[i], "crl", &out->items[out->n], &ignored)) {
            out->n++;
        }
    }
    return true;
}

/* One list against one certificate. Its signature and form are judged at its own first instant, its dates afterwards. */
static bool check_one(lists *l, const atls_crl *crl, atls_signer *issuer, size_t i, bool *covered, atls_error *err)
{
    static const char field[] = "endorsements.crl";
    atls_error why = {0};
    if (!atls_links_verify_crl(l->auth->links, l->auth->crypto, crl, issuer, crl->this_update, field, &why)) {
        l->why = why;
        if (why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL) { /* it may be the one that revokes */
            *err = why;
            return false;
        }
        return true;
    }
    if (!atls_crl_check(crl, l->chain->certs[i], enrolled_field(i), &why)) {
        atls_error *to = why.code == ATLS_E_REVOKED ? err : &l->why; /* otherwise it is about other certificates */
        *to = why;
        return why.code != ATLS_E_REVOKED;
    }
    if (!atls_validity_check(crl->this_update, crl->next_update, l->auth->now, field, &why)) {
        l->why = why;
        return true;
    }
    *covered = true;
    return true;
}

/* Every list of the certificate's issuer is looked at: an attacker's choice of which one comes first decides nothing. */
static bool check_certificate(lists *l, size_t i, bool *covered, atls_error *err)
{
    atls_signer issuer = {
        .cert = l->chain->certs[i + 1], .code = ATLS_E_CERTIFICATE_CHAIN, .field = enrolled_field(i + 1)};
    bool ok = true;
    *covered = false;
    for (size_t k = 0; ok && k < l->n; k++) {
        if (atls_bytes_equal(l->items[k].issuer, issuer.cert->subject)) {
            ok = check_one(l, &l->items[k], &issuer, i, covered, err);
        }
    }
    atls_signer_close(&issuer);
    return ok;
}

static bool fail_missing(const lists *l, size_t i, atls_error *err)
{
    if (l->why.code != ATLS_OK) {
        *err = l->why;
        return false;
    }
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.crl",
                     "the policy requires revocation lists, and there is none for %s", enrolled_field(i));
}

/* Returns false with err set when something is revoked, or required and missing. missing counts what had no list. */
static bool check_all(lists *l, bool required, uint8_t *n, size_t *missing, atls_error *err)
{
    for (size_t i = 0; i + 1 < l->chain->n; i++) {
        bool covered;
        if (!check_certificate(l, i, &covered, err)) {
            return false;
        }
        if (covered) {
            *n = (uint8_t)(*n + 1);
            continue;
        }
        *missing += 1;
        if (required) {
            return fail_missing(l, i, err);
        }
    }
    return true;
}

static const char *describe(const lists *l, size_t missing, atls_arena *arena, atls_error *err)
{
    if (l->why.code == ATLS_OK) {
        return atls_text_format(arena, err, "no revocation list at hand for %zu of the certificates", missing);
    }
    return atls_text_format(arena, err, "no usable revocation list for %zu of the certificates: %s %s", missing,
                            l->why.field, l->why.message);
}

bool enrolled_revocation(const enrolled_chain *chain, const atls_authority *auth, atls_arena *arena, uint8_t *n,
                         atls_trace *trace, atls_error *err)
{
    static const char field[] = "chain";
    const atls_revocation mode = auth->policy->revocation;
    lists l = {.chain = chain, .auth = auth};
    size_t missing = 0;
    *n = 0;
    if (mode == ATLS_REVOCATION_OFF) {
        return atls_trace_skip(trace, id, field,
                               "the policy switches revocation off: a revoked certificate is believed", err);
    }
    if (!read_lists(&auth->endorsements->pile, arena, &l, err)
        || !check_all(&l, mode == ATLS_REVOCATION_REQUIRE, n, &missing, err)) {
        return atls_trace_fail(trace, id, err);
    }
    if (missing == 0) {
        return atls_trace_pass(trace, id, field, NULL, err);
    }
    const char *why = describe(&l, missing, arena, err);
    return why != NULL && atls_trace_skip(trace, id, field, why, err);
}
