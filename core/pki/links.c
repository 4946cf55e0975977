/* SPDX-License-Identifier: Apache-2.0 */
#include "links.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is remembered ---- */

static void destroy(atls_cached *self)
{
    free(self);
}

static atls_cached *new_entry(const atls_link *link)
{
    atls_cached *e = calloc(1, sizeof *e);
    if (e != NULL) {
        memcpy(e->key, link->key, sizeof e->key);
        e->from = link->from;
        e->until = link->until;
        e->len = sizeof *e;
        e->destroy = destroy;
    }
    return e;
}

void atls_links_init(atls_links *l, const atls_crypto *c, atls_cache *cache, atls_time now)
{
    l->crypto = c;
    l->cache = cache;
    l->now = now;
    l->n_fresh = 0;
    l->newest_issue = ATLS_TIME_UNSET;
}

void atls_links_settle(atls_links *l, bool accepted)
{
    for (size_t i = 0; accepted && l->cache != NULL && i < l->n_fresh; i++) {
        atls_cached *e = new_entry(&l->fresh[i]);
        if (e != NULL) {
            atls_cache_put(l->cache, e);
        }
    }
    l->n_fresh = 0;
}

/* ---- looking ---- */

/* Everything that the answer of a signature check depends on. */
static bool identify(const atls_links *l, atls_sig_alg alg, atls_bytes tbs, atls_bytes signature,
                     const atls_cert *issuer, atls_link *out)
{
    static const char domain[] = "atls signature";
    atls_error ignored = {.code = ATLS_OK};
    const uint64_t numbers[] = {(uint64_t)alg, (uint64_t)issuer->key.kind, tbs.len, signature.len,
                                issuer->key.point.len};
    const atls_bytes parts[] = {atls_bytes_str(domain), atls_bytes_of(numbers, sizeof numbers), tbs, signature,
                                issuer->key.point};
    return l != NULL && l->cache != NULL
           && atls_digest(l->crypto, ATLS_SHA256, parts, sizeof parts / sizeof parts[0], out->key, &ignored);
}

static bool is_known(const atls_links *l, const atls_link *link)
{
    for (size_t i = 0; i < l->n_fresh; i++) {
        if (memcmp(l->fresh[i].key, link->key, sizeof link->key) == 0) {
            return true;
        }
    }
    atls_cached *found = atls_cache_find(l->cache, link->key, l->now);
    atls_cached_release(found);
    return found != NULL;
}

static void note(atls_links *l, const atls_link *link)
{
    if (l->n_fresh < ATLS_MAX_LINKS && link->from <= link->until) {
        l->fresh[l->n_fresh++] = *link;
    }
}

static atls_time later(atls_time a, atls_time b)
{
    return a > b ? a : b;
}

static atls_time earlier(atls_time a, atls_time b)
{
    return a < b ? a : b;
}

static bool open_signer(const atls_crypto *c, atls_signer *s, atls_error *err)
{
    return s->opened != NULL || atls_key_open(c, &s->cert->key, s->code, s->field, &s->opened, err);
}

void atls_signer_close(atls_signer *s)
{
    atls_key_close(s->opened);
    s->opened = NULL;
}

/* ---- checking ---- */

bool atls_links_verify(atls_links *l, const atls_crypto *c, atls_cert *cert, atls_signer *issuer, uint32_t n_below,
                       atls_code code, const char *field, atls_error *err)
{
    atls_link link = {.from = later(cert->not_before, issuer->cert->not_before),
                      .until = earlier(cert->not_after, issuer->cert->not_after)};
    const bool has_key = cert->verified_by != issuer->cert
                         && identify(l, cert->sig_alg, cert->tbs, cert->signature, issuer->cert, &link);
    if (has_key && is_known(l, &link)) {
        cert->verified_by = issuer->cert;
    }
    if (cert->verified_by == issuer->cert) {
        return atls_link_verify(c, cert, issuer->cert, issuer->opened, n_below, code, field, err);
    }
    if (!open_signer(c, issuer, err)
        || !atls_link_verify(c, cert, issuer->cert, issuer->opened, n_below, code, field, err)) {
        return false;
    }
    if (has_key) {
        note(l, &link);
    }
    return true;
}

/* A list from the future is no sign of what time it is: it is refused for its dates, by whoever asked. */
static bool note_issue(atls_links *l, const atls_crl *crl)
{
    if (l != NULL && crl->this_update <= l->now) {
        l->newest_issue = later(l->newest_issue, crl->this_update);
    }
    return true;
}

bool atls_links_verify_crl(atls_links *l, const atls_crypto *c, const atls_crl *crl, atls_signer *issuer, atls_time now,
                           const char *field, atls_error *err)
{
    atls_link link = {.from = later(crl->this_update, issuer->cert->not_before),
                      .until = earlier(crl->next_update, issuer->cert->not_after)};
    const bool has_key = identify(l, crl->sig_alg, crl->tbs, crl->signature, issuer->cert, &link);
    if (has_key && is_known(l, &link)) {
        return atls_crl_verify_known(crl, issuer->cert, now, field, err) && note_issue(l, crl);
    }
    atls_error why = {.code = ATLS_OK};
    if (!open_signer(c, issuer, &why)) { /* it is good: other signatures were checked with it, now or before */
        return atls_fail(err, why.code == ATLS_E_MEMORY ? ATLS_E_MEMORY : ATLS_E_INTERNAL, field, "%s", why.message);
    }
    if (!atls_crl_verify(c, crl, issuer->cert, issuer->opened, now, field, err)) {
        return false;
    }
    if (has_key) {
        note(l, &link);
    }
    return note_issue(l, crl);
}
