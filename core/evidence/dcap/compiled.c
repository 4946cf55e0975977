/* SPDX-License-Identifier: Apache-2.0 */
/* compiled.c: makes what is remembered: one block for each, with copies of everything that it needs.
 *
 * Texts and lists are copied as they are, levels and advisories out of what was decoded. How much that is, is added up
 * first, by functions that go through the same members as those that copy. */
#include <stdlib.h>
#include <string.h>

#include "proof.h"

/* What the arena may add to each allocation. */
#define SLACK 16u

void dcap_pieces(const atls_dcap_collateral *given, atls_bytes out[DCAP_N_PIECES])
{
    const atls_bytes all[DCAP_N_PIECES] = {
        given->root_ca_crl,           given->pck_crl,
        given->tcb_info_issuer_chain, given->tcb_info,
        given->tcb_info_signature,    given->qe_identity_issuer_chain,
        given->qe_identity,           given->qe_identity_signature,
    };
    memcpy(out, all, sizeof all);
}

enum {
    ROOT_CA_CRL = 0,
    PCK_CRL = 1,
};

static void free_block(atls_cached *self)
{
    free(self);
}

/* ---- levels ---- */

static size_t levels_len(const dcap_tcb_level *levels, size_t n)
{
    size_t len = SLACK + n * sizeof *levels;
    for (size_t i = 0; i < n; i++) {
        const atls_text_list *list = &levels[i].advisories;
        len += SLACK + list->n * sizeof *list->items;
        for (size_t k = 0; k < list->n; k++) {
            len += strlen(list->items[k]) + 1;
        }
    }
    return len;
}

bool dcap_texts_copy(const atls_text_list *in, atls_arena *a, atls_text_list *out, atls_error *err)
{
    const char **items = atls_arena_array(a, in->n, sizeof *items, err);
    for (size_t i = 0; items != NULL && i < in->n; i++) {
        atls_bytes copy;
        if (!atls_arena_copy(a, atls_bytes_of(in->items[i], strlen(in->items[i]) + 1), &copy, err)) {
            return false;
        }
        items[i] = (const char *)copy.ptr;
    }
    *out = (atls_text_list){.items = items, .n = in->n};
    return items != NULL;
}

static bool copy_levels(const dcap_tcb_level **levels, size_t n, atls_arena *a, atls_error *err)
{
    dcap_tcb_level *copy = atls_arena_array(a, n, sizeof *copy, err);
    for (size_t i = 0; copy != NULL && i < n; i++) {
        copy[i] = (*levels)[i];
        if (!dcap_texts_copy(&(*levels)[i].advisories, a, &copy[i].advisories, err)) {
            return false;
        }
    }
    *levels = copy;
    return copy != NULL;
}

static size_t documents_len(const dcap_proof *p)
{
    size_t len = levels_len(p->info.levels, p->info.n_levels) + levels_len(p->identity.levels, p->identity.n_levels);
    len += SLACK + p->info.n_identities * sizeof *p->info.identities;
    for (size_t i = 0; i < p->info.n_identities; i++) {
        len += levels_len(p->info.identities[i].levels, p->info.identities[i].n_levels);
    }
    return len;
}

static bool copy_documents(const dcap_proof *p, dcap_compiled *out, atls_arena *a, atls_error *err)
{
    out->info = p->info;
    out->identity = p->identity;
    dcap_module_identity *modules = atls_arena_array(a, p->info.n_identities, sizeof *modules, err);
    for (size_t i = 0; modules != NULL && i < p->info.n_identities; i++) {
        modules[i] = p->info.identities[i];
        if (!copy_levels(&modules[i].levels, modules[i].n_levels, a, err)) {
            return false;
        }
    }
    out->info.identities = modules;
    return modules != NULL && copy_levels(&out->info.levels, out->info.n_levels, a, err)
           && copy_levels(&out->identity.levels, out->identity.n_levels, a, err);
}

/* ---- endorsements ---- */

static size_t lists_len(const dcap_proof *p)
{
    return 2 * SLACK + (p->root_crl.n_revoked + p->pck_crl.n_revoked) * sizeof(atls_bytes);
}

static bool copy_list(atls_bytes der, atls_arena *a, atls_crl *out, atls_error *err)
{
    return atls_crl_decode(der, "", out, err) && atls_crl_sort(out, a, err);
}

static bool fill(const dcap_proof *p, const atls_bytes pieces[DCAP_N_PIECES], dcap_compiled *out, atls_arena *a,
                 atls_error *err)
{
    for (size_t i = 0; i < DCAP_N_PIECES; i++) {
        if (!atls_arena_copy(a, pieces[i], &out->pieces[i], err)) {
            return false;
        }
    }
    return atls_arena_copy(a, p->pck_ca->der, &out->ca, err) && atls_arena_copy(a, p->root->der, &out->root, err)
           && copy_documents(p, out, a, err) && copy_list(out->pieces[ROOT_CA_CRL], a, &out->root_crl, err)
           && copy_list(out->pieces[PCK_CRL], a, &out->pck_crl, err);
}

dcap_compiled *dcap_compiled_new(const dcap_proof *p, const atls_crypto *c, const uint8_t key[32])
{
    atls_bytes pieces[DCAP_N_PIECES];
    dcap_pieces(p->given, pieces);
    size_t len = documents_len(p) + lists_len(p) + p->pck_ca->der.len + p->root->der.len;
    for (size_t i = 0; i < DCAP_N_PIECES; i++) {
        len += pieces[i].len;
    }
    dcap_compiled *out = calloc(1, sizeof *out + len);
    if (out == NULL) {
        return NULL;
    }
    atls_error err = {.code = ATLS_OK};
    atls_arena block;
    atls_arena_init(&block, out + 1, len);
    out->dates = dcap_dates_of(p);
    out->head = (atls_cached){
        .from = out->dates.from, .until = out->dates.until, .len = sizeof *out + len, .destroy = free_block};
    memcpy(out->head.key, key, sizeof out->head.key);
    out->anchor = p->anchor;
    if (!dcap_root_key_id(c, p->root, out->root_key_id, &err) || !fill(p, pieces, out, &block, &err)) {
        free(out);
        return NULL;
    }
    return out;
}

/* ---- platforms ---- */

dcap_platform *dcap_platform_new(const dcap_chain_id *id, atls_time from, atls_time until,
                                 const dcap_platform_facts *facts)
{
    dcap_platform *out = calloc(1, sizeof *out);
    if (out == NULL) {
        return NULL;
    }
    out->head = (atls_cached){.from = from, .until = until, .len = sizeof *out, .destroy = free_block};
    memcpy(out->head.key, id->key, sizeof out->head.key);
    out->facts = *facts;
    return out;
}
