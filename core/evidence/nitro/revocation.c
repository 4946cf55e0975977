/* SPDX-License-Identifier: Apache-2.0 */
/* revocation.c: the chain against the lists that are at hand (lists.h). The root and the regional and zonal authorities publish
 * lists; instances do not, because what they sign lives for hours. */
#include "lists.h"
#include "nitro.h"

static const char id[] = "nitro.revocation";

/* What the root signed must be covered where lists are required, and whatever says where its list is published. */
static bool needs_list(const nitro_chain *chain, size_t i)
{
    static const uint8_t distribution_points[] = {0x55, 0x1d, 0x1f}; /* 2.5.29.31 */
    return i == 1
           || atls_cert_extension(chain->certs[i], atls_bytes_of(distribution_points, sizeof distribution_points))
                  != NULL;
}

bool nitro_revocation(const nitro_chain *chain, const atls_authority *auth, atls_time at, atls_arena *arena, uint8_t *n,
                      atls_trace *trace, atls_error *err)
{
    static const char field[] = "document.payload.cabundle";
    const atls_revocation mode = auth->policy->revocation;
    atls_lists l = {.crypto = auth->crypto, .links = auth->links, .at = at};
    *n = 0;
    if (mode == ATLS_REVOCATION_OFF) {
        return atls_trace_skip(trace, id, field, "the policy switches revocation off: a revoked authority is believed",
                               err);
    }
    bool ok = atls_lists_read(&auth->endorsements->pile, arena, &l, err);
    for (size_t i = 1; ok && i < chain->n; i++) {
        const atls_listed c = {.cert = chain->certs[i],
                               .field = nitro_chain_field(chain, i),
                               .issuer = chain->certs[i - 1],
                               .issuer_field = nitro_chain_field(chain, i - 1),
                               .by_key_id = true,
                               .needs_list = needs_list(chain, i)};
        ok = atls_lists_check(&l, &c, mode == ATLS_REVOCATION_REQUIRE, err);
    }
    *n = l.n_covered;
    return ok ? atls_lists_conclude(&l, id, field, "authorities' certificates", trace, err)
              : atls_trace_fail(trace, id, err);
}
