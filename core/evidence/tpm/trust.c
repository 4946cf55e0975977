/* SPDX-License-Identifier: Apache-2.0 */
/* trust.c: the attestation key: what it may sign, and who says that it is a TPM's (steps 1 to 3; section 4). */
#include <string.h>

#include "proof.h"

/* ---- 1: the key ---- */

/* A key that signs other things could sign a made-up quote; one that can leave its TPM, or decrypts, is no attestation key. */
static bool check_attributes(const tpm_public *ak, atls_error *err)
{
    static const struct {
        uint32_t bit;
        bool wanted;
        const char *field;
        const char *message;
    } rules[] = {
        {TPM_RESTRICTED, true, "ak_pub.attributes.restricted", "the key may sign messages that a TPM did not make"},
        {TPM_SIGN, true, "ak_pub.attributes.sign", "the key is not for signatures"},
        {TPM_FIXED_TPM, true, "ak_pub.attributes.fixed_tpm", "the key may leave its TPM"},
        {TPM_DECRYPT, false, "ak_pub.attributes.decrypt", "the key decrypts as well"},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (((ak->attributes & rules[i].bit) != 0) != rules[i].wanted) {
            return atls_fail_values(err, ATLS_E_KEY_ATTRIBUTES, rules[i].field, rules[i].wanted ? "set" : "not set",
                                    rules[i].wanted ? "not set" : "set", "%s", rules[i].message);
        }
    }
    return true;
}

static bool describe_key(tpm_proof *p)
{
    const tpm_evidence *e = p->e;
    p->out->ak = e->ak_pub;
    p->out->ak_kind = e->key.kind;
    p->out->ak_attributes = e->ak.attributes;
    return tpm_key_name(p->auth->crypto, &e->ak, p->arena, &p->out->ak_name, p->err)
           && atls_digest(p->auth->crypto, ATLS_SHA256, &e->ak_pub, 1, p->out->ak_sha256, p->err)
           && atls_digest(p->auth->crypto, ATLS_SHA256, &e->key.spki, 1, p->out->ak_spki_sha256, p->err);
}

bool tpm_check_key(tpm_proof *p)
{
    return tpm_step(p, check_attributes(&p->e->ak, p->err) && describe_key(p), "tpm.key_attributes",
                    "ak_pub.attributes");
}

/* ---- 2: its certificate ---- */

static bool names_instance(const atls_tpm_policy *t)
{
    return t->gce_project.n > 0 || t->gce_zone.n > 0 || t->gce_instance.n > 0 || t->gce_instance_id.n > 0;
}

static bool list_revocation(tpm_proof *p)
{
    static const char id[] = "tpm.certificate_revocation";
    if (p->policy->revocation == ATLS_REVOCATION_OFF) {
        return atls_trace_skip(p->trace, id, "ak_cert", "the policy switches revocation lists off", p->err);
    }
    if (p->chain.n_revocation < p->chain.n_links) {
        return atls_trace_skip(p->trace, id, "ak_cert",
                               "no revocation list in date is at hand for every certificate of the chain", p->err);
    }
    return atls_trace_pass(p->trace, id, "ak_cert", NULL, p->err);
}

bool tpm_check_certificate(tpm_proof *p)
{
    static const char id[] = "tpm.key_certificate";
    if (p->e->ak_cert.len == 0) {
        return atls_trace_na(p->trace, id, "ak_cert", "no certificate of the key came along", p->err);
    }
    if (!tpm_chain_verify(p->e, p->auth, p->arena, &p->chain, p->err)) {
        return atls_trace_fail(p->trace, id, p->err);
    }
    p->has_chain = true;
    if (!p->chain.is_complete) {
        return atls_trace_skip(p->trace, id, "ak_cert",
                               "the key's certificate leads to no root that is trusted; something else must vouch",
                               p->err);
    }
    p->out->certificate = p->e->ak_cert;
    p->out->certificate_not_after = p->chain.not_after;
    p->out->gce = p->chain.gce;
    return atls_trace_pass(p->trace, id, "ak_cert", p->chain.anchor->label, p->err) && list_revocation(p);
}

/* ---- 3: who vouches ---- */

static bool is_pinned(const tpm_proof *p)
{
    const atls_tpm_texts *pins = &p->policy->tpm.keys;
    const atls_bytes forms[] = {
        atls_bytes_of(p->out->ak_sha256, sizeof p->out->ak_sha256),
        atls_bytes_of(p->out->ak_spki_sha256, sizeof p->out->ak_spki_sha256),
        p->out->ak_name,
    };
    for (size_t i = 0; i < pins->n; i++) {
        for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++) {
            if (atls_bytes_equal(pins->items[i], forms[k])) {
                return true;
            }
        }
    }
    return false;
}

static bool vouched_by_caller(tpm_proof *p)
{
    const char *label = "";
    atls_error why = {.code = ATLS_OK};
    const atls_key_question question = {
        .platform = ATLS_PLATFORM_TPM,
        .variant = p->e->variant,
        .public_area = p->e->ak_pub,
        .spki = p->e->key.spki,
        .instance_info = p->e->instance_info,
    };
    if (!p->auth->trust_key(p->auth->trust_key_ctx, &question, p->arena, &label, &why) || why.code != ATLS_OK) {
        if (why.code != ATLS_OK) {
            *p->err = why;
        }
        return false;
    }
    p->out->trust = ATLS_TPM_TRUST_CALLER;
    p->out->trust_label = label == NULL ? "" : label;
    return true;
}

static void take_root(tpm_proof *p, const uint8_t sha256[static 32], bool production)
{
    memcpy(p->claims->root_sha256, sha256, sizeof p->claims->root_sha256);
    p->claims->root_is_production = production;
}

/* A vendor's root stays one when a policy repeats it. */
static bool is_vendors(const atls_anchor *a)
{
    size_t n;
    const atls_anchor *known = atls_anchors_tpm(&n);
    for (size_t i = 0; i < n; i++) {
        if (memcmp(known[i].sha256, a->sha256, sizeof a->sha256) == 0) {
            return true;
        }
    }
    return a->production;
}

/* Hardware that says whose quote it is without saying whose key it is vouches for nothing (GCP). */
static bool is_hardware_key(tpm_proof *p, bool *out)
{
    tpm_hardware_claim claim;
    *out = false;
    if (p->auth->vouched == NULL) {
        return true;
    }
    if (!tpm_hardware_claim_make(p->e, p->auth->crypto, p->arena, &claim, p->err)) {
        return false;
    }
    *out = claim.authenticates_key && claim.platform == p->auth->vouched->platform;
    return true;
}

static bool fail_unvouched(tpm_proof *p)
{
    if (p->has_chain) {
        const atls_error *why = &p->chain.why;
        return atls_fail_values(p->err, why->code, why->field, why->expected, why->actual, "%s", why->message);
    }
    return atls_fail(p->err, ATLS_E_KEY_NOT_AUTHENTICATED, "ak_pub",
                     "no certificate, pin or hardware report vouches for the attestation key");
}

/* Whatever the policy names must be there; beyond that one voucher is enough, and the first that applies is named. */
static bool find_voucher(tpm_proof *p)
{
    const atls_tpm_policy *t = &p->policy->tpm;
    bool by_hardware;
    if (t->keys.n > 0 && !is_pinned(p)) {
        return atls_fail_bytes(p->err, ATLS_E_KEY_NOT_AUTHENTICATED, "ak_pub", atls_bytes_empty(), p->out->ak_name,
                               "the attestation key is not one that the policy lists");
    }
    if (names_instance(t) && !p->chain.is_complete) {
        return fail_unvouched(p);
    }
    if (p->policy->hardware != NULL && p->auth->vouched == NULL) {
        return atls_fail(p->err, ATLS_E_KEY_NOT_AUTHENTICATED, "hardware",
                         "the policy wants a hardware report that vouches, and none was accepted");
    }
    if (!is_hardware_key(p, &by_hardware)) {
        return false;
    }
    if (t->keys.n > 0) {
        p->out->trust = ATLS_TPM_TRUST_PINNED;
        p->out->trust_label = "policy";
        return true;
    }
    if (p->chain.is_complete) {
        p->out->trust = ATLS_TPM_TRUST_CERTIFICATE;
        p->out->trust_label = p->chain.anchor->label;
        take_root(p, p->chain.anchor->sha256, is_vendors(p->chain.anchor));
        return true;
    }
    if (by_hardware) {
        p->out->trust = ATLS_TPM_TRUST_HARDWARE;
        p->out->trust_label = atls_platform_name(p->auth->vouched->platform);
        take_root(p, p->auth->vouched->root_sha256, p->auth->vouched->root_is_production);
        return true;
    }
    if (p->auth->trust_key != NULL && vouched_by_caller(p)) {
        return true;
    }
    return t->insecure_allow_unauthenticated_ak || fail_unvouched(p);
}

bool tpm_check_trust(tpm_proof *p)
{
    static const char id[] = "tpm.key_trust";
    if (!find_voucher(p)) {
        return tpm_step(p, false, id, "ak_pub");
    }
    if (p->out->trust == ATLS_TPM_TRUST_NONE) {
        atls_error_clear(p->err); /* a caller that could not say, and need not */
        return atls_trace_skip(p->trace, id, "ak_pub",
                               "nothing vouches for the attestation key, and the policy accepts that: anybody can have "
                               "made this quote",
                               p->err);
    }
    return atls_trace_pass(p->trace, id, "ak_pub", atls_tpm_trust_name(p->out->trust), p->err);
}
