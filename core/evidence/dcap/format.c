/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include "proof.h"

/* Certificates of one appraisal, counted with repeats: the quote's chain and three given ones. */
#define MAX_CERTS (4u * ATLS_MAX_PEM_CERTS)

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    dcap_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    dcap_memo *memo = atls_arena_alloc(arena, sizeof *memo, err);
    if (e == NULL || memo == NULL || !atls_cert_pool_init(&memo->pool, MAX_CERTS, arena, err)
        || !dcap_quote_decode(in, &e->quote, err)) {
        return false;
    }
    e->memo = memo;
    *evidence = e;
    return true;
}

/* Which endorsements are asked for is taken from the quote's own, unverified chain: a lie only fetches the wrong ones.
 */
static bool request_of_chain(const dcap_evidence *e, atls_endorsement_request *out, atls_error *err)
{
    const dcap_chain *chain;
    dcap_pck_path path;
    const dcap_pck *pck;
    bool is_platform;
    if (!dcap_quote_chain(e, &chain, err) || !dcap_pck_path_find(chain, &path, err)
        || !dcap_pck_extension(e, path.leaf, &pck, err)) {
        return false;
    }
    if (dcap_pck_ca_name(path.ca, &is_platform) == NULL) {
        return atls_fail(err, ATLS_E_PCK_CHAIN, "pck.intermediate.subject",
                         "neither the Processor nor the Platform CA issued the PCK certificate");
    }
    for (size_t i = 0; i < sizeof out->fmspc; i++) {
        out->fmspc[i] = pck->fmspc[i];
    }
    out->pck_ca = is_platform ? "platform" : "processor";
    return true;
}

static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    const dcap_evidence *e = evidence;
    (void)arena;
    *out = (atls_endorsement_request){.pck_ca = ""};
    out->is_tdx = e->quote.tee_type == DCAP_TEE_TDX;
    out->platform = out->is_tdx ? ATLS_PLATFORM_TDX : ATLS_PLATFORM_SGX;
    out->needs_pck_chain = e->quote.cert_type != 5;
    return out->needs_pck_chain || request_of_chain(e, out, err);
}

/* A piece that is not there is no forgery: whoever fetches again may get it. Chains are not asked for here: what an
 * empty one means is authenticate's business. */
static bool complete(const void *evidence, const atls_endorsements *endorsements, atls_error *err)
{
    const atls_dcap_collateral *c = &endorsements->dcap;
    const struct {
        const char *field;
        size_t len;
    } pieces[] = {
        {"endorsements.root_ca_crl", c->root_ca_crl.len},
        {"endorsements.pck_crl", c->pck_crl.len},
        {"endorsements.tcb_info", c->tcb_info.len},
        {"endorsements.tcb_info_signature", c->tcb_info_signature.len},
        {"endorsements.qe_identity", c->qe_identity.len},
        {"endorsements.qe_identity_signature", c->qe_identity_signature.len},
    };
    (void)evidence;
    if (endorsements->platform == ATLS_PLATFORM_NONE) {
        return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements", NULL);
    }
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        if (pieces[i].len == 0) {
            return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, pieces[i].field, NULL);
        }
    }
    return true;
}

static bool is_any_referenced(const atls_policy *p, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (atls_policy_reference(p, names[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool names_code(const atls_policy *p)
{
    /* RTMRs say nothing without MRTD: firmware that nobody measured extends whatever it likes. */
    static const char *const td[] = {"mrtd"};
    static const char *const enclave[] = {"mrenclave", "mrsigner"};
    if (p->type == ATLS_POLICY_DSTACK_TDX) {
        return !p->dstack.disable_runtime_verification && p->dstack.has_bootchain && p->dstack.has_compose_hash
               && p->dstack.has_os_image_hash;
    }
    return p->type == ATLS_POLICY_TDX ? is_any_referenced(p, td, sizeof td / sizeof td[0])
                                      : is_any_referenced(p, enclave, sizeof enclave / sizeof enclave[0]);
}

const atls_format *dcap_format(void)
{
    static const atls_format row = {
        .name = "dcap",
        .decode = decode,
        .request = request,
        .complete = complete,
        .authenticate = dcap_authenticate,
        .appraise = dcap_appraise,
        .names_code = names_code,
        .inspect = dcap_inspect,
        .put_claims = dcap_put_claims,
    };
    return &row;
}
