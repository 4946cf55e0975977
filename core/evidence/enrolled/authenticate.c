/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: a chain becomes claims. The first check that fails ends it, and is the last of the list. */
#include <string.h>

#include "atls/enrolled.h"
#include "enrolled.h"

typedef struct proof {
    const enrolled_evidence *evidence;
    const atls_authority *auth;
    atls_arena *arena;
    atls_error *err;
    enrolled_chain chain;
} proof;

static bool check_root(proof *p)
{
    return enrolled_chain_root(p->evidence, p->auth, p->arena, &p->chain, p->err);
}

static bool check_chain(proof *p)
{
    return enrolled_chain_walk(&p->chain, p->auth, p->err);
}

static bool check_leaf(proof *p)
{
    return enrolled_chain_leaf(&p->chain, p->err);
}

static bool run(proof *p, atls_trace *trace)
{
    static const struct {
        const char *id;
        const char *field;
        bool (*check)(proof *p);
    } steps[] = {
        {"enrolled.root", "chain", check_root},
        {"enrolled.chain", "chain", check_chain},
        {"enrolled.leaf", "chain[0]", check_leaf},
    };
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!atls_trace_step(trace, steps[i].check(p), steps[i].id, steps[i].field, p->err)) {
            return false;
        }
    }
    return true;
}

/* ---- claims ---- */

/* An extension that is there and cannot be read is not the same as none. */
static bool claim_extension(proof *p, atls_enrolled_claims *out)
{
    const atls_extension *e = atls_cert_extension(p->chain.certs[0], atls_enrolled_oid());
    atls_enrolled said = {.app = atls_bytes_empty(), .security_level = ""};
    if (e != NULL && !atls_enrolled_extension_read(e->value, &said, p->err)) {
        return atls_error_relabel(p->err, ATLS_E_EVIDENCE_FORMAT, "chain[0]");
    }
    out->has_extension = e != NULL;
    out->platform = said.platform;
    out->app = said.app;
    out->security_level = said.security_level;
    memcpy(out->policy_sha256, said.policy_sha256, sizeof out->policy_sha256);
    return true;
}

static bool claim_certificates(proof *p, atls_enrolled_claims *out)
{
    const atls_cert *leaf = p->chain.certs[0];
    out->serial = leaf->serial;
    out->not_before = leaf->not_before;
    out->not_after = leaf->not_after;
    out->earliest_expiration = leaf->not_after;
    out->n_certificates = (uint8_t)p->chain.n_shown;
    for (size_t i = 1; i < p->chain.n; i++) {
        if (p->chain.certs[i]->not_after < out->earliest_expiration) {
            out->earliest_expiration = p->chain.certs[i]->not_after;
        }
    }
    out->subject = atls_name_text(leaf->subject, p->arena, p->err);
    out->ca = atls_name_text(leaf->issuer, p->arena, p->err);
    return out->subject != NULL && out->ca != NULL
           && atls_digest(p->auth->crypto, ATLS_SHA256, &leaf->spki, 1, out->spki_sha256, p->err)
           && atls_digest(p->auth->crypto, ATLS_SHA256, &p->chain.certs[1]->spki, 1, out->ca_spki_sha256, p->err);
}

bool enrolled_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                           atls_trace *trace, atls_error *err)
{
    proof p = {.evidence = evidence, .auth = auth, .arena = arena, .err = err};
    atls_enrolled_claims *e = &claims->enrolled;
    if (!run(&p, trace) || !enrolled_revocation(&p.chain, auth, arena, &e->n_lists, trace, err)) {
        return false;
    }
    if (!claim_certificates(&p, e)) {
        return false;
    }
    if (!claim_extension(&p, e)) {
        return atls_trace_fail(trace, "enrolled.extension", err);
    }
    e->present = true;
    claims->platform = ATLS_PLATFORM_ENROLLED;
    claims->report_data_field = "chain[0].subject_public_key";
    claims->report_data_len = sizeof e->spki_sha256;
    memcpy(claims->report_data, e->spki_sha256, sizeof e->spki_sha256);
    memcpy(claims->root_sha256, p.chain.root->anchor.sha256, sizeof claims->root_sha256);
    claims->root_is_production = false; /* no vendor's: the policy's own authority */
    return true;
}
