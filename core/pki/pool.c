/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c: the certificates of one appraisal. Chains share members (the root stands in every one of them): what has the
 * same bytes becomes the same object, and remembers whose key verified it (chain.c). */
#include "chain.h"

bool atls_cert_pool_init(atls_cert_pool *p, size_t cap, atls_arena *a, atls_error *err)
{
    *p = (atls_cert_pool){.cap = cap, .arena = a};
    p->certs = atls_arena_array(a, cap, sizeof(atls_cert *), err);
    if (p->certs == NULL) {
        p->cap = 0;
        return false;
    }
    return true;
}

static atls_cert *find(const atls_cert_pool *p, atls_bytes der)
{
    for (size_t i = 0; i < p->n; i++) {
        if (atls_bytes_equal(p->certs[i]->der, der)) {
            return p->certs[i];
        }
    }
    return NULL;
}

bool atls_cert_pool_add(atls_cert_pool *p, atls_bytes der, atls_code code, const char *field, atls_cert **out,
                        atls_error *err)
{
    *out = find(p, der);
    if (*out != NULL) {
        return true;
    }
    if (p->n == p->cap) {
        return atls_fail(err, code, field, "more than %zu different certificates", p->cap);
    }
    atls_cert *cert = atls_arena_alloc(p->arena, sizeof *cert, err);
    if (cert == NULL) {
        return false;
    }
    if (!atls_cert_decode(der, "", cert, err)) {
        return atls_error_relabel(err, code, field);
    }
    p->certs[p->n++] = cert;
    *out = cert;
    return true;
}
