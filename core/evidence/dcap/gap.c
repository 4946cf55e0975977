/* SPDX-License-Identifier: Apache-2.0 */
/* gap.c: how far a platform is from the newest TCB level that is up to date. For people who plan; no verdict rests on it.
 *
 * Which level a platform has is tcb.c's; here every version that is short of that level is named, because the status alone does
 * not say what to update. Whether documents and quote are authentic is for the caller to know. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proof.h"

#define MAX_GAPS (16u + 16u + 3u)

typedef struct gaps {
    atls_forecast_gap *items;
    size_t n;
    atls_arena *arena;
    atls_error *err;
} gaps;

static bool note(gaps *g, const char *name, int index, uint32_t have, uint32_t need)
{
    if (have >= need) {
        return true;
    }
    const char *component = index < 0 ? name : atls_text_format(g->arena, g->err, "%s[%d]", name, index);
    if (component == NULL || g->n == MAX_GAPS) {
        return false;
    }
    g->items[g->n++] = (atls_forecast_gap){.component = component, .have = have, .need = need};
    return true;
}

/* The newest level that is up to date; where the vendor calls none so, the newest there is. NULL: there are none. */
static const dcap_tcb_level *goal(const dcap_tcb_level *levels, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (levels[i].status == ATLS_TCB_UP_TO_DATE) {
            return &levels[i];
        }
    }
    return n == 0 ? NULL : &levels[0];
}

static bool note_platform(gaps *g, const dcap_tcb_info *info, const dcap_pck *pck, const atls_td_report *td)
{
    const dcap_tcb_level *level = goal(info->levels, info->n_levels);
    bool ok = level != NULL;
    for (int i = 0; ok && i < 16; i++) {
        ok = note(g, "sgx_tcb_component", i, pck->comp[i], level->sgx[i]);
    }
    ok = ok && note(g, "pcesvn", -1, pck->pcesvn, level->pcesvn);
    /* tcb.c: a module with an identity of its own is judged there */
    for (int i = td != NULL && td->tee_tcb_svn[1] > 0 ? 2 : 0; ok && td != NULL && i < 16; i++) {
        ok = note(g, "tee_tcb_svn", i, td->tee_tcb_svn[i], level->tdx[i]);
    }
    return ok;
}

static bool note_module(gaps *g, const dcap_tcb_info *info, const atls_td_report *td)
{
    for (size_t i = 0; td != NULL && td->tee_tcb_svn[1] > 0 && i < info->n_identities; i++) {
        const dcap_module_identity *m = &info->identities[i];
        const dcap_tcb_level *level = goal(m->levels, m->n_levels);
        if (m->version == td->tee_tcb_svn[1] && level != NULL) {
            return note(g, "tdx_module.isvsvn", -1, td->tee_tcb_svn[0], level->pcesvn);
        }
    }
    return true;
}

static bool note_enclave(gaps *g, const dcap_qe_identity *identity, uint16_t isvsvn)
{
    const dcap_tcb_level *level = goal(identity->levels, identity->n_levels);
    return level == NULL || note(g, "qe.isvsvn", -1, isvsvn, level->pcesvn);
}

/* The extension of the leaf: of the chain that was given, or of the quote's own. */
static bool find_pck(const dcap_evidence *e, const atls_dcap_collateral *c, atls_arena *a, dcap_pck *out,
                     atls_error *err)
{
    atls_bytes given[ATLS_MAX_PEM_CERTS];
    const atls_bytes *ders = given;
    size_t n = 0;
    const bool ok = c->pck_certificate_chain.len > 0
                        ? atls_pem_certificates(c->pck_certificate_chain, true, ATLS_E_PCK_CHAIN,
                                                "pck_certificate_chain", a, given, ATLS_MAX_PEM_CERTS, &n, err)
                        : dcap_quote_ders(e, &ders, &n, err);
    for (size_t i = 0; ok && i < n; i++) {
        atls_cert cert;
        atls_error why = {.code = ATLS_OK};
        if (atls_cert_decode(ders[i], "pck", &cert, &why) && dcap_pck_decode(&cert, out, &why)) {
            return true;
        }
    }
    (void)atls_fail(err, ATLS_E_PCK_CHAIN, "pck.leaf",
                    "no certificate has the extension"); /* if nothing was wrong before */
    return false;
}

bool dcap_outlook(const void *evidence, const atls_dcap_collateral *c, atls_arena *a, atls_forecast_verdict *out,
                  atls_error *err)
{
    const dcap_evidence *e = evidence;
    const dcap_quote *q = &e->quote;
    const atls_td_report *td = q->tee_type == DCAP_TEE_TDX ? &q->td : NULL;
    dcap_tcb_info info;
    dcap_qe_identity identity;
    dcap_pck pck;
    atls_tcb tcb;
    atls_error why = {.code = ATLS_OK};
    gaps g = {.arena = a, .err = err};
    g.items = atls_arena_array(a, MAX_GAPS, sizeof *g.items, err);
    if (g.items == NULL || !dcap_tcb_info_decode(c->tcb_info, a, &info, err)
        || !dcap_qe_identity_decode(c->qe_identity, a, &identity, err) || !find_pck(e, c, a, &pck, err)
        || !note_platform(&g, &info, &pck, td) || !note_module(&g, &info, td)
        || !note_enclave(&g, &identity, q->qe.isvsvn)) {
        return false;
    }
    out->has_tcb = true;
    out->evaluation_data_number = info.evaluation_data_number < identity.evaluation_data_number
                                      ? info.evaluation_data_number
                                      : identity.evaluation_data_number;
    const bool has_level = dcap_tcb_evaluate(&info, &identity, &pck, td, q->qe.isvsvn, a, &tcb, &why);
    out->status = has_level ? tcb.status : why.code == ATLS_E_TCB_REVOKED ? ATLS_TCB_REVOKED : ATLS_TCB_UNKNOWN;
    out->gaps = g.items;
    out->n_gaps = g.n;
    return true;
}
