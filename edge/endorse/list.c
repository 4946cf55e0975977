/* SPDX-License-Identifier: Apache-2.0 */
/* list.c: what is remembered, for people and for packing. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fetcher.h"

static bool copy_text(const char *in, atls_arena *arena, const char **out, atls_error *err)
{
    *out = atls_text_copy(atls_bytes_str(in), arena, err);
    return *out != NULL;
}

static bool copy_certificates(const atls_piece_parts *in, atls_arena *arena, atls_fetched *out, atls_error *err)
{
    atls_bytes *all = atls_arena_array(arena, in->n_certificates + 1, sizeof *all, err);
    if (all == NULL) {
        return false;
    }
    for (size_t i = 0; i < in->n_certificates; i++) {
        if (!atls_arena_copy(arena, in->certificates[i], &all[i], err)) {
            return false;
        }
    }
    out->certificates = all;
    out->n_certificates = in->n_certificates;
    return true;
}

bool atls_fetch_describe(const atls_piece *p, bool in_memory, atls_arena *arena, atls_fetched *out, atls_error *err)
{
    atls_piece_id id;
    if (!atls_piece_parse(p->path, &id)) {
        (void)atls_fail(err, ATLS_E_INTERNAL, "fetcher", "a piece has no name");
        return false;
    }
    *out = (atls_fetched){
        .kind = id.kind,
        .is_tdx = id.is_tdx,
        .update = id.update,
        .pck_ca = id.kind != ATLS_FETCHED_PCK_CRL ? ""
                  : id.is_platform_ca             ? "platform"
                                                  : "processor",
        .is_vlek = id.is_vlek,
        .fetched = p->fetched,
        .fresh_until = p->fresh_until,
        .valid_until = p->valid_until,
        .in_memory = in_memory,
    };
    memcpy(out->fmspc, id.fmspc, sizeof out->fmspc);
    return copy_text(p->source, arena, &out->source, err) && copy_text(p->path, arena, &out->path, err)
           && copy_text(id.product, arena, &out->product, err)
           && atls_arena_copy(arena, p->parts.content, &out->content, err)
           && atls_arena_copy(arena, p->parts.signature, &out->signature, err)
           && atls_arena_copy(arena, p->parts.chain, &out->chain, err) && copy_certificates(&p->parts, arena, out, err);
}

/* ---- all of them ------------------------------------------------------------------------------------------------------- */

typedef struct listing {
    atls_fetcher *f;
    atls_time now;
    atls_arena *arena;
    atls_arena scratch;
    atls_fetched *items;
    size_t n;
    size_t cap;
    atls_error *err;
} listing;

static bool is_listed(const listing *l, const char *source, const char *path)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->items[i].path, path) == 0 && strcmp(l->items[i].source, source) == 0) {
            return true;
        }
    }
    return false;
}

static bool append(listing *l, const atls_piece *p, bool in_memory)
{
    if (l->n == l->cap) {
        const size_t cap = l->cap == 0 ? 32 : 2 * l->cap;
        atls_fetched *grown = atls_arena_array(l->arena, cap, sizeof *grown, l->err);
        if (grown == NULL) {
            return false;
        }
        if (l->n > 0) {
            memcpy(grown, l->items, l->n * sizeof *grown);
        }
        l->items = grown;
        l->cap = cap;
    }
    if (!atls_fetch_describe(p, in_memory, l->arena, &l->items[l->n], l->err)) {
        return false;
    }
    l->n++;
    return true;
}

static bool list_memory(listing *l)
{
    atls_piece **all = NULL;
    size_t n = 0;
    if (!atls_store_pieces(&l->f->store, &all, &n)) {
        (void)atls_fail(l->err, ATLS_E_MEMORY, "fetcher", NULL);
        return false;
    }
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        ok = ok && (!atls_piece_is_valid(all[i], l->now) || append(l, all[i], true));
        atls_piece_release(all[i]);
    }
    free(all);
    return ok;
}

static void list_entry(void *ctx, const atls_entry *entry)
{
    listing *l = ctx;
    atls_error why = {0};
    if (l->err->code != ATLS_OK || is_listed(l, entry->source, entry->path)) {
        return;
    }
    atls_piece *p = atls_fetch_from_entry(l->f, entry, l->now, &l->scratch, &why);
    atls_arena_reset(&l->scratch);
    if (p != NULL) {
        (void)append(l, p, false);
        atls_piece_release(p);
    }
}

static bool list_folder(listing *l)
{
    atls_arena entries;
    const atls_disk_visitor visitor = {.entry = list_entry, .refused = NULL, .ctx = l};
    if (!atls_arena_new(&l->scratch, ATLS_FETCH_SCRATCH, l->err)) {
        return false;
    }
    if (!atls_arena_new(&entries, ATLS_MAX_ENTRY_LEN + 4096, l->err)) {
        atls_arena_free(&l->scratch);
        return false;
    }
    const bool ok = atls_disk_each(&l->f->disk, &visitor, &entries, l->err);
    atls_arena_free(&entries);
    atls_arena_free(&l->scratch);
    return ok && l->err->code == ATLS_OK;
}

bool atls_fetcher_list(atls_fetcher *f, atls_arena *arena, const atls_fetched **out, size_t *n, atls_error *err)
{
    listing l = {.f = f, .arena = arena, .err = err};
    *out = NULL;
    *n = 0;
    if (!atls_fetch_now(f, &l.now, err) || !list_memory(&l) || (f->disk.fd >= 0 && !list_folder(&l))) {
        return false;
    }
    *out = l.items;
    *n = l.n;
    return true;
}
