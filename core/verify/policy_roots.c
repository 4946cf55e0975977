/* SPDX-License-Identifier: Apache-2.0 */
/* policy_roots.c: the roots that a policy names replace the vendor's.
 *
 * A root is named by the SHA-256 of its DER, or stands in the document as PEM; then its self-signature is checked here,
 * once. A root that happens to be the vendor's own stays what it is: a production root. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "pki/cert.h"
#include "policy_reader.h"

#define SHA256_LEN 32u

/* A root may be named twice; it is kept once. */
static bool add_anchor(policy_reader *r, const char *path, atls_anchor anchor)
{
    atls_policy *p = r->policy;
    const atls_anchor *vendor = atls_anchor_of_vendor(anchor.sha256);
    if (vendor != NULL) {
        anchor = *vendor;
    }
    for (size_t i = 0; i < p->n_anchors; i++) {
        if (memcmp(r->anchors[i].sha256, anchor.sha256, SHA256_LEN) == 0) {
            /* named twice, by its hash alone and by its DER: what was checked of it once need not be checked again */
            r->anchors[i].self_checked = r->anchors[i].self_checked || anchor.self_checked;
            return true;
        }
    }
    if (p->n_anchors == POLICY_MAX_ROOTS) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "more than %u roots", POLICY_MAX_ROOTS);
    }
    r->anchors[p->n_anchors++] = anchor;
    return true;
}

static bool room_for_anchors(policy_reader *r)
{
    if (r->anchors == NULL) {
        r->anchors = atls_arena_array(&r->policy->arena, POLICY_MAX_ROOTS, sizeof *r->anchors, r->err);
    }
    return r->anchors != NULL;
}

static bool read_pem_root(policy_reader *r, const char *path, const atls_json *v)
{
    atls_bytes der;
    size_t n = 0;
    atls_anchor anchor = {0};
    if (!atls_pem_certificates(v->text, false, ATLS_E_CONFIGURATION, path, r->scratch, &der, 1, &n, r->err)) {
        return false;
    }
    const atls_crypto *crypto = atls_policy_crypto(r);
    atls_error why = {0};
    if (crypto == NULL) {
        return false;
    }
    if (!atls_anchor_from_der(crypto, der, &anchor, &why)) {
        return atls_fail_values(r->err, ATLS_E_CONFIGURATION, path, why.expected, why.actual,
                                "not usable as a root: %s", why.message);
    }
    return add_anchor(r, path, anchor);
}

static bool read_hashed_root(policy_reader *r, const char *path, const atls_json *v)
{
    atls_anchor anchor = {.label = "a root of the policy"};
    return atls_policy_hex(r, path, v, anchor.sha256, SHA256_LEN) && add_anchor(r, path, anchor);
}

bool atls_policy_read_roots(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!atls_policy_list(r, m->name, v, 1) || !room_for_anchors(r)) {
        return false;
    }
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *path = atls_policy_path(r, m->name, i++);
        const bool pem = item->type == ATLS_JSON_STRING && item->text.len > 0 && item->text.ptr[0] == '-';
        if (path == NULL || !(pem ? read_pem_root(r, path, item) : read_hashed_root(r, path, item))) {
            return false;
        }
    }
    return true;
}

bool atls_policy_add_roots(policy_reader *r, const atls_bytes *roots, size_t n)
{
    const atls_crypto *crypto = n > 0 ? atls_policy_crypto(r) : NULL;
    if (n > 0 && (crypto == NULL || !room_for_anchors(r))) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        atls_anchor anchor = {0};
        if (roots[i].len > POLICY_MAX_ROOT_LEN) {
            return atls_fail(r->err, ATLS_E_PCK_CHAIN, "trusted_roots", "a root of %zu bytes; at most %u", roots[i].len,
                             POLICY_MAX_ROOT_LEN);
        }
        if (!atls_anchor_from_der(crypto, roots[i], &anchor, r->err) || !add_anchor(r, "trusted_roots", anchor)) {
            return false;
        }
    }
    return true;
}
