/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_build.c: endorsements taken apart into the pieces of a bundle. */
#include <string.h>

#include "bundle_kinds.h"
#include "evidence/dcap/dcap.h"
#include "pki/cert.h"

void atls_bundle_pieces_init(atls_bundle_pieces *p, atls_arena *arena)
{
    *p = (atls_bundle_pieces){.arena = arena};
}

/* ---- the list, in order ---- */

static bool grow(atls_bundle_pieces *p, atls_error *err)
{
    if (p->n == ATLS_BUNDLE_MAX_PIECES) {
        return atls_fail(err, ATLS_E_LIMIT, "bundle.pieces", "more than %u pieces", ATLS_BUNDLE_MAX_PIECES);
    }
    if (p->n < p->cap) {
        return true;
    }
    const size_t cap = p->cap == 0 ? 16 : 2 * p->cap;
    atls_bundle_piece *items = atls_arena_array(p->arena, cap, sizeof *items, err);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < p->n; i++) {
        items[i] = p->items[i];
    }
    p->items = items;
    p->cap = cap;
    return true;
}

static size_t place_of(const atls_bundle_pieces *p, const atls_bundle_piece *piece, bool *is_there)
{
    size_t at = 0;
    while (at < p->n && atls_bundle_order(&p->items[at], piece) < 0) {
        at++;
    }
    *is_there = at < p->n && atls_bundle_order(&p->items[at], piece) == 0;
    return at;
}

static bool is_same(const atls_bundle_piece *a, const atls_bundle_piece *b)
{
    bool same = a->n_parts == b->n_parts;
    for (size_t i = 0; same && i < a->n_parts; i++) {
        same = atls_bytes_equal(a->parts[i], b->parts[i]);
    }
    return same;
}

/* Dates and issuers are what describe reads, too; a piece without a date is never newer. */
static bool resolve(atls_bundle_piece *own, const atls_bundle_piece *other, atls_arena *arena, atls_error *err)
{
    atls_piece_facts have;
    atls_piece_facts more;
    if (is_same(own, other)) {
        return true;
    }
    if (!atls_bundle_piece_describe(own, arena, &have, err) || !atls_bundle_piece_describe(other, arena, &more, err)) {
        return false;
    }
    if (have.from == more.from) {
        return atls_fail(err, ATLS_E_COLLATERAL_FORMAT, own->subject,
                         "two pieces of kind %s were issued at the same instant, and differ", own->kind);
    }
    if (more.from > have.from) {
        *own = *other;
    }
    return true;
}

static bool insert(atls_bundle_pieces *p, const atls_bundle_piece *piece, atls_error *err)
{
    bool is_there;
    const size_t at = place_of(p, piece, &is_there);
    if (is_there) {
        return resolve(&p->items[at], piece, p->arena, err);
    }
    if (!atls_bundle_check_piece(piece, p->n, err) || !grow(p, err)) {
        return false;
    }
    for (size_t i = p->n; i > at; i--) {
        p->items[i] = p->items[i - 1];
    }
    p->items[at] = *piece;
    p->n++;
    return true;
}

/* ---- endorsements ---- */

typedef struct builder {
    atls_bundle_pieces *p;
    atls_crypto *crypto;
    atls_error *err;
} builder;

static bool add(builder *b, const char *kind, const atls_bytes *parts, size_t n)
{
    atls_bundle_piece piece = {.kind = kind, .n_parts = n};
    if (parts[0].len == 0) {
        return true; /* what is absent is no piece */
    }
    for (size_t i = 0; i < n; i++) {
        piece.parts[i] = parts[i].len == 0 ? atls_bytes_empty() : parts[i];
    }
    return atls_bundle_subject_of(b->crypto, &piece, b->p->arena, &piece.subject, b->err)
           && insert(b->p, &piece, b->err);
}

static bool add_collateral(builder *b, const atls_dcap_collateral *c)
{
    const atls_bytes info[] = {c->tcb_info, c->tcb_info_signature, c->tcb_info_issuer_chain};
    const atls_bytes identity[] = {c->qe_identity, c->qe_identity_signature, c->qe_identity_issuer_chain};
    const atls_bytes pck_crl[] = {c->pck_crl, c->pck_crl_issuer_chain};
    return add(b, BUNDLE_TCB_INFO, info, 3) && add(b, BUNDLE_QE_IDENTITY, identity, 3)
           && add(b, BUNDLE_PCK_CRL, pck_crl, 2) && add(b, BUNDLE_ROOT_CA_CRL, &c->root_ca_crl, 1)
           && add(b, BUNDLE_PCK_CHAIN, &c->pck_certificate_chain, 1);
}

static bool add_pile(builder *b, const atls_certificate_pile *pile)
{
    for (size_t i = 0; i < pile->n_certificates; i++) {
        if (!add(b, BUNDLE_CERTIFICATE, &pile->certificates[i], 1)) {
            return false;
        }
    }
    for (size_t i = 0; i < pile->n_crls; i++) {
        if (!add(b, BUNDLE_CRL, &pile->crls[i], 1)) {
            return false;
        }
    }
    return true;
}

/* A list that was only given compiled has no text, and is no piece. */
static bool add_status(builder *b, const atls_android_status *s)
{
    const bundle_dates dates = {.fetched = s->fetched, .expires = s->expires};
    const bool has_dates = s->fetched != ATLS_TIME_UNSET || s->expires != ATLS_TIME_UNSET;
    atls_bytes parts[2] = {s->list, atls_bytes_empty()};
    if (has_dates && s->list.len > 0) {
        uint8_t *written = atls_arena_raw(b->p->arena, BUNDLE_DATES_LEN, b->err);
        if (written == NULL) {
            return false;
        }
        if (!atls_bundle_put_dates(&dates, written)) {
            return atls_fail(b->err, ATLS_E_COLLATERAL_FORMAT, "status", "a date that cannot be");
        }
        parts[1] = atls_bytes_of(written, BUNDLE_DATES_LEN);
    }
    return add(b, BUNDLE_STATUS, parts, has_dates ? 2 : 1);
}

bool atls_bundle_add(atls_bundle_pieces *p, const atls_endorsements *e, atls_error *err)
{
    builder b = {.p = p, .err = err};
    if (!atls_crypto_new(&b.crypto, err)) {
        return false;
    }
    const bool ok = (e->platform == ATLS_PLATFORM_NONE || add_collateral(&b, &e->dcap)) && add_pile(&b, &e->pile)
                    && add_status(&b, &e->android);
    atls_crypto_free(b.crypto);
    return ok;
}

bool atls_bundle_add_all(atls_bundle_pieces *p, const atls_bundle *from, atls_error *err)
{
    for (size_t i = 0; i < from->n_pieces; i++) {
        if (!insert(p, &from->pieces[i], err)) {
            return false;
        }
    }
    return true;
}

/* ---- files ---- */

bool atls_bundle_add_file(atls_bundle_pieces *p, atls_bytes file, atls_error *err)
{
    atls_endorsements e = {.platform = ATLS_PLATFORM_NONE};
    return atls_endorsements_add(file, p->arena, &e, err) && atls_bundle_add(p, &e, err);
}
