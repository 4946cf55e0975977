/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: a document becomes claims: steps 3 to 6 of the specification's section 6, in their order. The first that
 * fails ends it, and is the last of the list. */
#include <string.h>

#include "base/text.h"
#include "nitro.h"

typedef struct proof {
    const nitro_document *document;
    const atls_authority *auth;
    atls_arena *arena;
    atls_error *err;
    atls_time at; /* the instant that everything is judged at */
    nitro_chain chain;
} proof;

static bool check_root(proof *p)
{
    return nitro_chain_root(p->document, p->auth, p->arena, &p->chain, p->err);
}

static bool check_chain(proof *p)
{
    return nitro_chain_walk(&p->chain, p->auth, p->at, p->err);
}

static bool check_leaf(proof *p)
{
    return nitro_chain_leaf(&p->chain, p->err);
}

static bool check_signature(proof *p)
{
    const atls_cert *leaf = p->chain.certs[p->chain.n - 1];
    atls_bytes data;
    atls_key *key;
    if (!nitro_signed_bytes(p->document, p->arena, &data, p->err)
        || !atls_key_open(p->auth->crypto, &leaf->key, ATLS_E_CERTIFICATE_CHAIN, "document.payload.certificate.key",
                          &key, p->err)) {
        return false;
    }
    const bool ok = atls_verify_raw(p->auth->crypto, key, ATLS_SHA384, data, p->document->signature,
                                    ATLS_E_EVIDENCE_SIGNATURE, "document.signature", p->err);
    atls_key_close(key);
    return ok;
}

static bool check_digest(proof *p)
{
    static const char field[] = "document.payload.digest";
    if (atls_bytes_equal_str(p->document->digest, "SHA384")) {
        return true;
    }
    const char *actual =
        atls_text_format(p->arena, p->err, "%.*s", (int)p->document->digest.len, (const char *)p->document->digest.ptr);
    return actual != NULL
           && atls_fail_unsupported(p->err, ATLS_E_EVIDENCE_FORMAT, field, "SHA384", actual,
                                    "the registers are made with another hash");
}

static atls_time seconds_of(const nitro_document *d)
{
    return (atls_time)(d->timestamp_ms / 1000);
}

/* A document states its own time. Its key existed then, or the time is a lie. */
static bool check_timestamp(proof *p)
{
    const atls_cert *leaf = p->chain.certs[p->chain.n - 1];
    atls_error why = {0};
    if (atls_validity_check(leaf->not_before, leaf->not_after, seconds_of(p->document), "certificate", &why)) {
        return true;
    }
    return atls_fail_values(p->err, ATLS_E_EVIDENCE_AGE, "document.payload.timestamp", why.expected, why.actual,
                            "the document was made outside the lifetime of its certificate");
}

/* ---- the steps ---- */

typedef struct step {
    const char *id;
    const char *field;
    bool (*check)(proof *p);
} step;

static const step before_lists[] = {
    {"nitro.root", "document.payload.cabundle[0]", check_root},
    {"nitro.chain", "document.payload.cabundle", check_chain},
    {"nitro.leaf", "document.payload.certificate", check_leaf},
};

static const step after_lists[] = {
    {"nitro.signature", "document.signature", check_signature},
    {"nitro.digest", "document.payload.digest", check_digest},
    {"nitro.timestamp", "document.payload.timestamp", check_timestamp},
};

static bool run(proof *p, const step *steps, size_t n, atls_trace *trace)
{
    for (size_t i = 0; i < n; i++) {
        if (!atls_trace_step(trace, steps[i].check(p), steps[i].id, steps[i].field, p->err)) {
            return false;
        }
    }
    return true;
}

/* ---- claims ---- */

static void claim_registers(const nitro_document *d, atls_nitro_claims *out)
{
    bool debug = false;
    out->pcrs = d->pcrs;
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        if ((d->pcrs >> i & 1u) != 0) {
            memcpy(out->pcr[i], d->pcr[i].ptr, ATLS_NITRO_PCR_SIZE);
        }
        debug = debug || (i < 3 && atls_bytes_is_zero(atls_bytes_of(out->pcr[i], ATLS_NITRO_PCR_SIZE)));
    }
    out->is_debug = debug && !d->is_nitrotpm;
}

static void claim_certificates(const nitro_chain *chain, atls_nitro_claims *out)
{
    const atls_cert *leaf = chain->certs[chain->n - 1];
    out->region = nitro_chain_region(chain);
    out->leaf_serial = leaf->serial;
    out->leaf_not_before = leaf->not_before;
    out->leaf_not_after = leaf->not_after;
    out->n_certificates = (uint8_t)chain->n;
    out->earliest_expiration = leaf->not_after;
    for (size_t i = 0; i < chain->n; i++) {
        if (chain->certs[i]->not_after < out->earliest_expiration) {
            out->earliest_expiration = chain->certs[i]->not_after;
        }
    }
}

/* A policy may name the vendor's own root by its hash. */
static bool is_production(const atls_anchor *anchor)
{
    size_t n;
    const atls_anchor *vendor = atls_anchors_nitro(&n);
    bool found = anchor->production;
    for (size_t i = 0; i < n; i++) {
        found = found || memcmp(vendor[i].sha256, anchor->sha256, sizeof anchor->sha256) == 0;
    }
    return found;
}

static bool make_claims(const proof *p, atls_claims *out)
{
    const nitro_document *d = p->document;
    atls_nitro_claims *n = &out->nitro;
    n->present = true;
    n->is_nitrotpm = d->is_nitrotpm;
    n->module_id = d->module_id;
    n->timestamp_ms = d->timestamp_ms;
    n->user_data = d->user_data;
    n->nonce = d->nonce;
    n->public_key = d->public_key;
    n->historic = p->auth->policy->nitro.insecure_historic;
    n->verified = p->at;
    claim_registers(d, n);
    claim_certificates(&p->chain, n);
    out->platform = ATLS_PLATFORM_NITRO;
    out->report_data_field = "document.payload.user_data";
    out->report_data_len = d->user_data.value.len <= sizeof out->report_data ? d->user_data.value.len : 0;
    memcpy(out->report_data, d->user_data.value.ptr, out->report_data_len);
    memcpy(out->root_sha256, p->chain.anchor->sha256, sizeof out->root_sha256);
    out->root_is_production = is_production(p->chain.anchor);
    return !d->public_key.present
           || atls_digest(p->auth->crypto, ATLS_SHA256, &d->public_key.value, 1, n->public_key_sha256, p->err);
}

bool nitro_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                        atls_trace *trace, atls_error *err)
{
    const nitro_document *d = evidence;
    const bool historic = auth->policy->nitro.insecure_historic;
    proof p = {.document = d, .auth = auth, .arena = arena, .err = err};
    uint8_t n_lists = 0;
    p.at = historic ? seconds_of(d) : auth->now;
    if (!run(&p, before_lists, sizeof before_lists / sizeof before_lists[0], trace)
        || !nitro_revocation(&p.chain, auth, p.at, arena, &n_lists, trace, err)
        || !run(&p, after_lists, sizeof after_lists / sizeof after_lists[0], trace)) {
        return false;
    }
    if (!make_claims(&p, claims)) {
        return false;
    }
    claims->nitro.n_lists = n_lists;
    return true;
}
