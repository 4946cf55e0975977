/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_index.c: order, and looking up. */
#include "bundle_index.h"

#include <stdlib.h>
#include <string.h>

#define MIN_SORTED 64u /* entries of a list from which on its serials are put in order */

static int compare(atls_bytes x, atls_bytes y)
{
    if (x.len != y.len) {
        return x.len < y.len ? -1 : 1;
    }
    return x.len == 0 ? 0 : memcmp(x.ptr, y.ptr, x.len);
}

static int compare_bytes(const void *x, const void *y)
{
    const atls_bytes *a = x;
    const atls_bytes *b = y;
    return compare(*a, *b);
}

static int compare_subjects(const void *x, const void *y)
{
    atls_cert *const *a = x;
    atls_cert *const *b = y;
    const int order = compare((*a)->subject, (*b)->subject);
    return order != 0 ? order : compare((*a)->der, (*b)->der); /* the same bundle is looked at in the same way */
}

static int compare_issuers(const void *x, const void *y)
{
    atls_crl *const *a = x;
    atls_crl *const *b = y;
    const int order = compare((*a)->issuer, (*b)->issuer);
    return order != 0 ? order : compare((*a)->der, (*b)->der);
}

bool atls_bundle_index_init(bundle_index *x, size_t n_certs, size_t n_lists, atls_arena *a, atls_error *err)
{
    *x = (bundle_index){.cap = n_certs};
    x->ders = atls_arena_array(a, n_certs + 1, sizeof *x->ders, err);
    x->lists = atls_arena_array(a, n_lists + 1, sizeof(atls_crl *), err);
    return x->ders != NULL && x->lists != NULL;
}

bool atls_bundle_index_put(bundle_index *x, atls_bytes der, atls_error *err)
{
    if (x->n_ders == x->cap) {
        return atls_fail(err, ATLS_E_LIMIT, "certificate", "more than %zu", x->cap);
    }
    x->ders[x->n_ders++] = der;
    return true;
}

/* A certificate that cannot be read is found when its piece is looked at. */
bool atls_bundle_index_build(bundle_index *x, atls_arena *a, atls_error *err)
{
    atls_cert *room = NULL;
    x->by_der = atls_arena_array(a, x->n_ders + 1, sizeof(atls_cert *), err);
    x->by_subject = atls_arena_array(a, x->n_ders + 1, sizeof(atls_cert *), err);
    if (x->by_der == NULL || x->by_subject == NULL) {
        return false;
    }
    qsort(x->ders, x->n_ders, sizeof *x->ders, compare_bytes);
    for (size_t i = 0; i < x->n_ders; i++) {
        atls_error why = {.code = ATLS_OK};
        if (i > 0 && compare(x->ders[i - 1], x->ders[i]) == 0) {
            continue;
        }
        room = room == NULL ? atls_arena_alloc(a, sizeof *room, err) : room;
        if (room == NULL) {
            return false;
        }
        if (atls_cert_decode(x->ders[i], "", room, &why)) {
            x->by_der[x->n_certs] = room;
            x->by_subject[x->n_certs++] = room;
            room = NULL;
        }
    }
    qsort(x->by_subject, x->n_certs, sizeof(atls_cert *), compare_subjects);
    return true;
}

void atls_bundle_index_add_list(bundle_index *x, atls_crl *list)
{
    x->lists[x->n_lists++] = list;
}

bool atls_bundle_index_order_lists(bundle_index *x, atls_arena *a, atls_error *err)
{
    qsort(x->lists, x->n_lists, sizeof(atls_crl *), compare_issuers);
    for (size_t i = 0; i < x->n_lists; i++) {
        if (x->lists[i]->n_revoked >= MIN_SORTED && !atls_crl_sort(x->lists[i], a, err)) {
            return false;
        }
    }
    return true;
}

/* ---- looking up ---- */

static atls_bytes der_of(const bundle_index *x, size_t i)
{
    return x->by_der[i]->der;
}

static atls_bytes subject_of(const bundle_index *x, size_t i)
{
    return x->by_subject[i]->subject;
}

static atls_bytes issuer_of(const bundle_index *x, size_t i)
{
    return x->lists[i]->issuer;
}

/* The first of n that is not before the key. */
static size_t lower_bound(bundle_index *x, size_t n, atls_bytes (*at)(const bundle_index *x, size_t i), atls_bytes key)
{
    size_t low = 0;
    while (low < n) {
        const size_t middle = low + (n - low) / 2;
        x->n_compared++;
        if (compare(at(x, middle), key) < 0) {
            low = middle + 1;
        } else {
            n = middle;
        }
    }
    return low;
}

static size_t count_equal(bundle_index *x, size_t from, size_t n, atls_bytes (*at)(const bundle_index *x, size_t i),
                          atls_bytes key, size_t most)
{
    size_t found = 0;
    while (from + found < n && found <= most && compare(at(x, from + found), key) == 0) {
        x->n_compared++;
        found++;
    }
    return found;
}

atls_cert *atls_bundle_index_find(bundle_index *x, atls_bytes der)
{
    const size_t at = lower_bound(x, x->n_certs, der_of, der);
    return at < x->n_certs && compare(der_of(x, at), der) == 0 ? x->by_der[at] : NULL;
}

size_t atls_bundle_index_subject(bundle_index *x, atls_bytes name, atls_cert *const **first)
{
    const size_t at = lower_bound(x, x->n_certs, subject_of, name);
    *first = x->by_subject + at;
    return count_equal(x, at, x->n_certs, subject_of, name, BUNDLE_MAX_SAME_SUBJECT);
}

size_t atls_bundle_index_issuer(bundle_index *x, atls_bytes name, atls_crl *const **first)
{
    const size_t at = lower_bound(x, x->n_lists, issuer_of, name);
    *first = x->lists + at;
    return count_equal(x, at, x->n_lists, issuer_of, name, BUNDLE_MAX_SAME_ISSUER);
}
