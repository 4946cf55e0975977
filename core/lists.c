/* SPDX-License-Identifier: Apache-2.0 */
/* lists.c: see lists.h. */
#include "lists.h"

#include "base/text.h"

bool atls_lists_read(const atls_certificate_pile *pile, atls_arena *arena, atls_lists *l, atls_error *err)
{
    l->items = atls_arena_array(arena, pile->n_crls, sizeof *l->items, err);
    if (l->items == NULL) {
        return false;
    }
    for (size_t i = 0; i < pile->n_crls; i++) {
        atls_error ignored = {0};
        if (atls_crl_decode(pile->crls[i], "crl", &l->items[l->n], &ignored)) {
            l->n++;
        }
    }
    return true;
}

/* One list against one certificate. Its signature and form are judged at its own first instant, its dates afterwards. */
static bool check_one(atls_lists *l, const atls_crl *crl, atls_signer *issuer, const atls_listed *c, bool *covered,
                      atls_error *err)
{
    static const char field[] = "endorsements.crl";
    atls_error why = {0};
    if (!atls_links_verify_crl(l->links, l->crypto, crl, issuer, crl->this_update, field, &why)) {
        l->why = why;
        if (why.code == ATLS_E_MEMORY || why.code == ATLS_E_INTERNAL) { /* it may be the one that revokes */
            *err = why;
            return false;
        }
        return true;
    }
    if (!atls_crl_check(crl, c->cert, c->field, &why)) {
        atls_error *to = why.code == ATLS_E_REVOKED ? err : &l->why; /* otherwise it is about other certificates */
        *to = why;
        return why.code != ATLS_E_REVOKED;
    }
    if (!atls_validity_check(crl->this_update, crl->next_update, l->at, field, &why)) {
        l->why = why;
        return true;
    }
    *covered = true;
    return true;
}

static bool check_all(atls_lists *l, const atls_listed *c, bool *covered, atls_error *err)
{
    atls_signer issuer = {.cert = c->issuer, .code = ATLS_E_CERTIFICATE_CHAIN, .field = c->issuer_field};
    bool ok = true;
    *covered = false;
    for (size_t k = 0; ok && k < l->n; k++) {
        const atls_crl *crl = &l->items[k];
        if (atls_bytes_equal(crl->issuer, c->issuer->subject)
            && (!c->by_key_id || atls_bytes_equal(crl->authority_key_id, c->issuer->subject_key_id))) {
            ok = check_one(l, crl, &issuer, c, covered, err);
        }
    }
    atls_signer_close(&issuer);
    return ok;
}

bool atls_lists_check(atls_lists *l, const atls_listed *c, bool is_required, atls_error *err)
{
    bool covered;
    if (!check_all(l, c, &covered, err)) {
        return false;
    }
    l->n_covered = (uint8_t)(l->n_covered + (covered ? 1 : 0));
    if (covered || !c->needs_list) {
        return true;
    }
    l->n_missing++;
    if (is_required && l->why.code != ATLS_OK) {
        *err = l->why;
        return false;
    }
    return !is_required
           || atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.crl",
                        "the policy requires revocation lists, and there is none for %s", c->field);
}

bool atls_lists_conclude(const atls_lists *l, const char *id, const char *field, const char *whose, atls_trace *trace,
                         atls_error *err)
{
    if (l->n_missing == 0) {
        return atls_trace_pass(trace, id, field, NULL, err);
    }
    const char *why =
        l->why.code == ATLS_OK
            ? atls_text_format(trace->arena, err, "no revocation list at hand for %zu of the %s", l->n_missing, whose)
            : atls_text_format(trace->arena, err, "no usable revocation list for %zu of the %s: %s %s", l->n_missing,
                               whose, l->why.field, l->why.message);
    return why != NULL && atls_trace_skip(trace, id, field, why, err);
}
