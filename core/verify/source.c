/* SPDX-License-Identifier: Apache-2.0 */
/* source.c: see source.h. */
#include "source.h"

bool atls_source_is_open(atls_code code)
{
    return code == ATLS_OK || code == ATLS_E_ENDORSEMENTS_MISSING || code == ATLS_E_IO || code == ATLS_E_TIMEOUT;
}

bool atls_source_ask(atls_endorse_fn endorse, void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                     atls_endorsements *out, bool *found, atls_error *why)
{
    *out = (atls_endorsements){0};
    *found = endorse != NULL && endorse(ctx, request, arena, out, why) && why->code == ATLS_OK;
    if (!*found) {
        *out = (atls_endorsements){0};
    }
    return *found || atls_source_is_open(why->code);
}

static bool join_certificates(const atls_certificate_pile *more, atls_arena *arena, atls_certificate_pile *pile,
                              atls_error *err)
{
    const size_t n_own = pile->n_certificates;
    if (n_own > ATLS_MAX_PILE_CERTIFICATES || more->n_certificates > ATLS_MAX_PILE_CERTIFICATES - n_own) {
        return atls_fail(err, ATLS_E_LIMIT, "endorsements.certificates", "more than %u", ATLS_MAX_PILE_CERTIFICATES);
    }
    const size_t n = n_own + more->n_certificates;
    atls_bytes *all = atls_arena_array(arena, n + 1, sizeof *all, err);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        all[i] = i < n_own ? pile->certificates[i] : more->certificates[i - n_own];
    }
    pile->certificates = all;
    pile->n_certificates = n;
    return true;
}

/* A report whose certificates came along needs none; the request is made from the report alone, and does not know. Where there is no
 * answer to all of it, there may be one to the rest: the list. */
static bool ask_for_the_rest(atls_nested_source *s, const atls_endorsement_request *request, atls_arena *arena,
                             atls_endorsements *out, bool *found)
{
    atls_endorsement_request rest = *request;
    atls_error why = {.code = ATLS_OK};
    if (s->in->endorse == NULL || s->pile->n_certificates == 0 || !request->sev_snp.needs_leaf) {
        return true;
    }
    rest.sev_snp.needs_leaf = false;
    rest.sev_snp.needs_chain = false;
    if (!atls_source_ask(s->in->endorse, s->in->endorse_ctx, &rest, arena, out, found, &why)) {
        s->why = why;
        return false;
    }
    return true;
}

bool atls_nested_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err)
{
    atls_nested_source *s = ctx;
    bool found = false;
    if (!atls_source_ask(s->in->endorse, s->in->endorse_ctx, request, arena, out, &found, &s->why)
        || (!found && !ask_for_the_rest(s, request, arena, out, &found))) {
        *err = s->why;
        return false;
    }
    return join_certificates(s->pile, arena, &out->pile, err);
}
