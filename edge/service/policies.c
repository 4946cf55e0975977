/* SPDX-License-Identifier: Apache-2.0 */
/* policies.c: the policies of a configuration, what they weaken, and whom they trust: in production Google and Apple, and nobody
 * else. */
#include <string.h>

#include <openssl/evp.h>

#include "base/text.h"
#include "internal.h"
#include "policy.h"

static bool are_googles(const atls_android_anchors *anchors)
{
    for (size_t i = 0; i < anchors->n; i++) {
        if (atls_anchor_android_find(anchors->keys[i].spki_sha256) == NULL) {
            return false;
        }
    }
    return true;
}

static bool is_production_android(const atls_android_policy *p)
{
    bool ok = true;
    for (size_t i = 0; i < 2; i++) {
        ok = ok && (!p->has_anchors[i] || are_googles(&p->anchors[i]));
    }
    for (size_t i = 0; i < p->n_applications; i++) {
        ok = ok && (!p->applications[i].has_anchors || are_googles(&p->applications[i].anchors));
    }
    return ok;
}

static bool are_apples(const atls_root *roots, size_t n)
{
    size_t n_known = 0;
    const atls_anchor *known = atls_anchors_apple(&n_known);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        bool found = false;
        for (size_t k = 0; k < n_known; k++) {
            found = found || memcmp(roots[i].anchor->sha256, known[k].sha256, sizeof known[k].sha256) == 0;
        }
        ok = ok && found;
    }
    return ok;
}

static bool is_production_apple(const atls_apple_policy *p)
{
    return are_apples(p->attestation_roots, p->n_attestation_roots) && are_apples(p->receipt_roots, p->n_receipt_roots);
}

/* ---- */

static bool warn_all(svc_generation *g, const char *member, const atls_policy *p, atls_error *err)
{
    const atls_text_list weak = atls_policy_insecure(p);
    for (size_t i = 0; i < weak.n; i++) {
        const char *sentence = atls_text_format(&g->arena, err, "%s: %s weakens the policy", member, weak.items[i]);
        if (sentence == NULL) {
            return false;
        }
        svc_config_warn(&g->config, sentence);
    }
    return true;
}

static bool load(svc_generation *g, const char *member, atls_bytes document, const char *type, atls_policy **out,
                 atls_error *err)
{
    if (document.len == 0) {
        return true;
    }
    if (!atls_policy_parse(document, out, err)) {
        return atls_error_relabel(err, ATLS_E_CONFIGURATION, member);
    }
    if (strcmp(atls_policy_kind(*out), type) != 0) {
        return atls_fail_values(err, ATLS_E_CONFIGURATION, member, type, atls_policy_kind(*out),
                                "the policy is one of another type");
    }
    return warn_all(g, member, *out, err);
}

static bool check_roots(const svc_generation *g, atls_error *err)
{
    const bool android = g->android == NULL || is_production_android(&g->android->android);
    const bool apple = g->apple == NULL || is_production_apple(&g->apple->apple);
    if (!g->config.insecure_test_mode && !(android && apple)) {
        return atls_fail(err, ATLS_E_CONFIGURATION, android ? "apple" : "android",
                         "the policy trusts roots that are not %s: this needs insecure_test_mode, and its own CA",
                         android ? "Apple's" : "Google's");
    }
    return true;
}

static bool add(EVP_MD_CTX *md, atls_bytes part)
{
    uint8_t len[8];
    for (size_t i = 0; i < sizeof len; i++) {
        len[i] = (uint8_t)((uint64_t)part.len >> (56 - 8 * i));
    }
    return EVP_DigestUpdate(md, len, sizeof len) == 1 && EVP_DigestUpdate(md, part.ptr, part.len) == 1;
}

/* Everything that says who is accepted, each part behind its length. */
static bool digest(svc_generation *g, atls_error *err)
{
    const svc_config *c = &g->config;
    const char *offset = atls_text_format(&g->arena, err, "%lld", (long long)c->verification_offset_s);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool ok = offset != NULL && md != NULL && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1
              && add(md, atls_bytes_str("atls enrolment policy 1")) && add(md, c->android) && add(md, c->apple)
              && add(md, atls_bytes_str(c->proof_oid)) && add(md, atls_bytes_str(offset))
              && EVP_DigestFinal_ex(md, g->policy_sha256, NULL) == 1;
    EVP_MD_CTX_free(md);
    return ok || atls_fail(err, ATLS_E_INTERNAL, "policy", "the digest could not be made");
}

bool svc_policies_load(svc_generation *g, atls_error *err)
{
    return load(g, "android", g->config.android, "android_key", &g->android, err)
           && load(g, "apple", g->config.apple, "apple_app_attest", &g->apple, err) && check_roots(g, err)
           && digest(g, err);
}
