/* SPDX-License-Identifier: Apache-2.0 */
/* ca_memory.c: the last certificates and the nonces that they were issued for. A slot is claimed before anything is signed, so that
 * of two calls for one nonce at the same time only one signs. */
#include <stdlib.h>
#include <string.h>

#include "ca_internal.h"

bool ca_memory_init(ca_memory *m, atls_error *err)
{
    m->entries = calloc(ATLS_CA_REMEMBERED, sizeof *m->entries);
    if (m->entries == NULL) {
        return atls_fail(err, ATLS_E_MEMORY, "ca", NULL);
    }
    if (pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m->entries);
        m->entries = NULL;
        return atls_fail(err, ATLS_E_INTERNAL, "ca", "there is no lock to be had");
    }
    return true;
}

void ca_memory_free(ca_memory *m)
{
    if (m->entries == NULL) {
        return;
    }
    for (size_t i = 0; i < ATLS_CA_REMEMBERED; i++) {
        free(m->entries[i].der);
    }
    free(m->entries);
    (void)pthread_mutex_destroy(&m->lock);
    m->entries = NULL;
}

static ca_claim again(const ca_issued *e, const uint8_t spki_sha256[32], atls_arena *a, atls_bytes *der,
                      atls_error *err)
{
    if (memcmp(e->spki_sha256, spki_sha256, sizeof e->spki_sha256) != 0) {
        (void)atls_fail(err, ATLS_E_ENROL_ISSUE, "grant.nonce",
                        "a certificate for another key was issued, or is being issued, for this nonce");
        return CA_CLAIM_FAILED;
    }
    if (e->is_pending) {
        (void)atls_fail(err, ATLS_E_ENROL_ISSUE, "grant.nonce", "a certificate is being issued for this nonce");
        return CA_CLAIM_FAILED;
    }
    return atls_arena_copy(a, atls_bytes_of(e->der, e->len), der, err) ? CA_CLAIM_AGAIN : CA_CLAIM_FAILED;
}

/* One that is not used, or the oldest that is not at work; ATLS_CA_REMEMBERED when all are at work. */
static size_t free_slot(const ca_memory *m)
{
    size_t found = ATLS_CA_REMEMBERED;
    for (size_t i = 0; i < ATLS_CA_REMEMBERED; i++) {
        const ca_issued *e = &m->entries[i];
        if (!e->is_used) {
            return i;
        }
        if (!e->is_pending && (found == ATLS_CA_REMEMBERED || e->at < m->entries[found].at)) {
            found = i;
        }
    }
    return found;
}

static ca_claim claim(ca_memory *m, const uint8_t nonce[32], const uint8_t spki_sha256[32], atls_arena *a,
                      atls_bytes *der, size_t *slot, atls_error *err)
{
    for (size_t i = 0; i < ATLS_CA_REMEMBERED; i++) {
        if (m->entries[i].is_used && memcmp(m->entries[i].nonce, nonce, 32) == 0) {
            return again(&m->entries[i], spki_sha256, a, der, err);
        }
    }
    *slot = free_slot(m);
    if (*slot == ATLS_CA_REMEMBERED) {
        (void)atls_fail(err, ATLS_E_ENROL_ISSUE, "ca", "too many certificates are being issued at the same time");
        err->retry = true;
        return CA_CLAIM_FAILED;
    }
    ca_issued *e = &m->entries[*slot];
    free(e->der);
    *e = (ca_issued){.is_used = true, .is_pending = true, .at = ++m->clock};
    memcpy(e->nonce, nonce, sizeof e->nonce);
    memcpy(e->spki_sha256, spki_sha256, sizeof e->spki_sha256);
    return CA_CLAIM_NEW;
}

ca_claim ca_memory_claim(ca_memory *m, const uint8_t nonce[32], const uint8_t spki_sha256[32], atls_arena *a,
                         atls_bytes *der, size_t *slot, atls_error *err)
{
    (void)pthread_mutex_lock(&m->lock);
    const ca_claim result = claim(m, nonce, spki_sha256, a, der, slot, err);
    (void)pthread_mutex_unlock(&m->lock);
    return result;
}

/* Without memory for a copy the nonce is forgotten; then the serial still is what it was. */
void ca_memory_settle(ca_memory *m, size_t slot, atls_bytes der)
{
    (void)pthread_mutex_lock(&m->lock);
    ca_issued *e = &m->entries[slot];
    e->is_pending = false;
    e->der = der.len == 0 ? NULL : malloc(der.len);
    e->is_used = e->der != NULL;
    if (e->is_used) {
        memcpy(e->der, der.ptr, der.len);
        e->len = der.len;
    }
    (void)pthread_mutex_unlock(&m->lock);
}
