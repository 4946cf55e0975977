/* SPDX-License-Identifier: Apache-2.0 */
/* chain.c: from a pinned root that is left out to a leaf: section 3. Nothing is searched for but the root, by its name. Validity
 * before the link, from the top: an expired chain is a matter of time, whatever else is wrong further down. */
#include <stdio.h>

#include "apple.h"

bool apple_names_root(const atls_cert *cert, const atls_root *roots, size_t n_roots)
{
    for (size_t i = 0; i < n_roots; i++) {
        if (atls_bytes_equal(cert->issuer, roots[i].subject)) {
            return true;
        }
    }
    return false;
}

/* Certificates have seconds, and the instant milliseconds: half a second after the last one is after it. */
static bool check_validity(const atls_cert *cert, int64_t at_ms, const char *field, atls_error *err)
{
    const int64_t rest = (at_ms % 1000 + 1000) % 1000;
    const atls_time floor_s = (at_ms - rest) / 1000;
    const atls_time ceiling_s = rest > 0 ? floor_s + 1 : floor_s;
    return atls_validity_check(cert->not_before, cert->not_after, floor_s, field, err)
           && atls_validity_check(cert->not_before, cert->not_after, ceiling_s, field, err);
}

static bool check_link(const apple_path *path, size_t i, const atls_cert *issuer, const atls_crypto *crypto,
                       atls_error *err)
{
    const char *above = i + 1 < path->n ? path->fields[i + 1] : path->root_field;
    atls_key *key;
    if (!atls_key_open(crypto, &issuer->key, path->code, above, &key, err)) {
        return false;
    }
    const bool ok =
        atls_link_verify(crypto, path->certs[i], issuer, key, (uint32_t)i, path->code, path->fields[i], err);
    atls_key_close(key);
    return ok;
}

static bool walk_from(const apple_path *path, const atls_cert *root, const atls_crypto *crypto, int64_t at_ms,
                      atls_error *err)
{
    const atls_cert *issuer = root;
    if (!check_validity(root, at_ms, path->root_field, err)) {
        return false;
    }
    for (size_t i = path->n; i > 0; i--) {
        if (!check_validity(path->certs[i - 1], at_ms, path->fields[i - 1], err)
            || !check_link(path, i - 1, issuer, crypto, err)) {
            return false;
        }
        issuer = path->certs[i - 1];
    }
    return atls_bare_leaf_check(path->certs[0], ATLS_KU_DIGITAL_SIGNATURE, path->code, path->fields[0], err);
}

static bool fail_unknown(const apple_path *path, atls_error *err)
{
    char field[64];
    snprintf(field, sizeof field, "%s.issuer", path->fields[path->n - 1]);
    return atls_fail(err, path->code, field, "the issuer has the name of no root that is trusted for this");
}

bool apple_path_walk(const apple_path *path, const atls_crypto *crypto, const atls_root *roots, size_t n_roots,
                     int64_t at_ms, atls_arena *arena, const atls_root **root, atls_error *err)
{
    const atls_cert *last = path->certs[path->n - 1];
    atls_error first = {0};
    atls_cert *issuer = atls_arena_alloc(arena, sizeof *issuer, err);
    if (issuer == NULL) {
        return false;
    }
    for (size_t i = 0; i < n_roots; i++) {
        atls_error why = {0};
        if (!atls_bytes_equal(last->issuer, roots[i].subject)) {
            continue;
        }
        atls_root_as_issuer(&roots[i], issuer);
        if (walk_from(path, issuer, crypto, at_ms, &why)) {
            *root = &roots[i];
            return true;
        }
        first = first.code == ATLS_OK ? why : first;
    }
    if (first.code == ATLS_OK) {
        return fail_unknown(path, err);
    }
    *err = first;
    return false;
}
