/* SPDX-License-Identifier: Apache-2.0 */
/* revocation.c: the chain against the lists that are at hand (lists.h). Every certificate below the root needs one. */
#include "enrolled.h"
#include "lists.h"

static const char id[] = "enrolled.revocation";

bool enrolled_revocation(const enrolled_chain *chain, const atls_authority *auth, atls_arena *arena, uint8_t *n,
                         atls_trace *trace, atls_error *err)
{
    static const char field[] = "chain";
    const atls_revocation mode = auth->policy->revocation;
    atls_lists l = {.crypto = auth->crypto, .links = auth->links, .at = auth->now};
    *n = 0;
    if (mode == ATLS_REVOCATION_OFF) {
        return atls_trace_skip(trace, id, field,
                               "the policy switches revocation off: a revoked certificate is believed", err);
    }
    bool ok = atls_lists_read(&auth->endorsements->pile, arena, &l, err);
    for (size_t i = 0; ok && i + 1 < chain->n; i++) {
        const atls_listed c = {.cert = chain->certs[i],
                               .field = enrolled_field(i),
                               .issuer = chain->certs[i + 1],
                               .issuer_field = enrolled_field(i + 1),
                               .needs_list = true};
        ok = atls_lists_check(&l, &c, mode == ATLS_REVOCATION_REQUIRE, err);
    }
    *n = l.n_covered;
    return ok ? atls_lists_conclude(&l, id, field, "certificates", trace, err) : atls_trace_fail(trace, id, err);
}
