/* SPDX-License-Identifier: Apache-2.0 */
/* test_bundle_check.c: the pieces of a bundle by themselves: lists of one issuer about different certificates, and what a bundle of
 * the greatest number of pieces costs, counted in signatures and in steps of searches, whoever made it. */
#include "atls/atls.h"
#include "core/verify/bundle_index.h"
#include "core/verify/bundle_kinds.h"
#include "sim/sim_nitro.h"
#include "tap.h"

#define ARENA ((size_t)256 * 1024 * 1024)

typedef struct scene {
    atls_arena arena;
    atls_error err;
    atls_crypto *crypto;
    atls_bytes root;
    atls_bundle_piece *pieces;
    atls_piece_finding *found;
    atls_bundle bundle;
    bundle_cost cost;
} scene;

static void must(const scene *s, bool ok)
{
    char line[640];
    if (!ok) {
        (void)atls_error_line(&s->err, line, sizeof line);
        fail_msg("%s", line);
    }
}

static void set_up(scene *s)
{
    memset(s, 0, sizeof *s);
    must(s, atls_arena_new(&s->arena, ARENA, &s->err) && atls_crypto_new(&s->crypto, &s->err));
    s->pieces = atls_arena_array(&s->arena, ATLS_BUNDLE_MAX_PIECES, sizeof *s->pieces, &s->err);
    s->found = atls_arena_array(&s->arena, ATLS_BUNDLE_MAX_PIECES, sizeof *s->found, &s->err);
    must(s, s->pieces != NULL && s->found != NULL);
}

static void tear_down(scene *s)
{
    atls_crypto_free(s->crypto);
    atls_arena_free(&s->arena);
}

static atls_bundle_piece *add(scene *s, const char *kind, atls_bytes der)
{
    assert_true(s->bundle.n_pieces < ATLS_BUNDLE_MAX_PIECES);
    atls_bundle_piece *p = &s->pieces[s->bundle.n_pieces++];
    *p = (atls_bundle_piece){.kind = kind, .n_parts = 1};
    must(s, atls_arena_copy(&s->arena, der, &p->parts[0], &s->err));
    must(s, atls_bundle_subject_of(s->crypto, p, &s->arena, &p->subject, &s->err));
    return p;
}

static void check(scene *s)
{
    s->bundle.pieces = s->pieces;
    must(s, atls_bundle_check_counted(&s->bundle, &s->root, 1, SIM_NOW, &s->arena, s->found, &s->cost, &s->err));
}

static sim_nitro *open_room(scene *s, const char *const *settings)
{
    const sim_nitro_options options = {.settings = settings};
    sim_nitro *room = NULL;
    must(s, sim_nitro_new(&options, &room, &s->err));
    if (s->root.len == 0) {
        must(s, atls_arena_copy(&s->arena, sim_nitro_certificate(room, "root"), &s->root, &s->err));
    }
    return room;
}

/* ---- scopes ------------------------------------------------------------------------------------------------------------ */

typedef struct scoped {
    const char *name;
    const char *const lists[2][6]; /* settings of a room each; its list of the root goes into the bundle */
    atls_code regional;            /* an authority below the root */
    const char *words;             /* of its finding */
} scoped;

static const scoped scopes[] = {
    {"users and authorities", {{"crl.root.scope=users"}, {"crl.root.scope=cas"}}, ATLS_OK, NULL},
    {"the list of authorities revokes one",
     {{"crl.root.scope=users"}, {"crl.root.scope=cas", "crl.root.revoked=regional"}},
     ATLS_E_REVOKED,
     NULL},
    {"a point of others", {{"crl.root.scope=http://elsewhere.example/1.crl"}, {"crl.root.scope=cas"}}, ATLS_OK, NULL},
    {"nobody's list", {{"crl.root.scope=users"}, {NULL}}, ATLS_OK, NULL},
    {"what a list revokes is revoked, whatever it says that it is about",
     {{"crl.root.scope=users", "crl.root.revoked=regional"}, {"crl.root.scope=cas"}},
     ATLS_E_REVOKED,
     NULL},
};

static void test_scope(void **state)
{
    const scoped *r = *state;
    scene s;
    set_up(&s);
    for (size_t i = 0; i < 2 && r->lists[i][0] != NULL; i++) {
        atls_certificate_pile pile;
        sim_nitro *room = open_room(&s, r->lists[i]);
        must(&s, sim_nitro_pile(room, &s.arena, &pile, &s.err));
        (void)add(&s, BUNDLE_CRL, pile.crls[0]);
        if (i == 0) {
            (void)add(&s, BUNDLE_CERTIFICATE, sim_nitro_certificate(room, "root"));
            (void)add(&s, BUNDLE_CERTIFICATE, sim_nitro_certificate(room, "regional"));
        }
        sim_nitro_free(room);
    }
    check(&s);
    for (size_t i = 0; i < s.bundle.n_pieces; i++) {
        const atls_code wanted = i == 2 ? r->regional : ATLS_OK; /* the lists hold, each by itself */
        if (s.found[i].error.code != wanted) {
            fail_msg("piece %zu: %s %s", i, atls_code_name(s.found[i].error.code), s.found[i].error.message);
        }
        assert_true(s.found[i].trust == ATLS_PIECE_ANCHORED || wanted != ATLS_OK);
    }
    tear_down(&s);
}

/* ---- size -------------------------------------------------------------------------------------------------------------- */

/* Another certificate of the same names and keys: its signature is another. */
static void add_variant(scene *s, atls_bytes der, size_t number)
{
    uint8_t *copy = atls_arena_raw(&s->arena, der.len, &s->err);
    must(s, copy != NULL);
    memcpy(copy, der.ptr, der.len);
    copy[der.len - 1] ^= (uint8_t)number;
    copy[der.len - 2] ^= (uint8_t)(number >> 8);
    (void)add(s, BUNDLE_CERTIFICATE, atls_bytes_of(copy, der.len));
}

typedef struct size_row {
    const char *name;
    size_t n_pieces;
    size_t n_issuers;  /* certificates that could have issued the leaf */
    size_t n_lists;    /* genuine ones of that issuer */
    atls_code code;    /* of the leaf */
    const char *words; /* of its message */
    uint64_t most;     /* signatures for each piece */
} size_row;

static const size_row sizes[] = {
    {"as many leaves as there can be", ATLS_BUNDLE_MAX_PIECES, 1, 0, ATLS_OK, NULL, 1},
    {"and a list", 256, 1, 1, ATLS_OK, NULL, 1},
    {"eight who could have issued them", 256, 8, 0, ATLS_E_CERTIFICATE_CHAIN, NULL, 8},
    {"nine", 256, 9, 0, ATLS_E_LIMIT, "more than 8 certificates could be that of its issuer", 2},
    {"half of the bundle", 1024, 512, 0, ATLS_E_LIMIT, "more than 64 certificates have the name of its issuer", 2},
    {"sixteen lists", 256, 1, 16, ATLS_OK, NULL, 1},
    {"seventeen lists", 256, 1, 17, ATLS_E_LIMIT, "more than 16 lists of its issuer", 1},
};

static void add_lists(scene *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char number[48];
        atls_certificate_pile pile;
        (void)snprintf(number, sizeof number, "crl.zonal.number=%zu", i + 1);
        const char *const settings[] = {"crls=zonal", number, NULL};
        sim_nitro *room = open_room(s, settings);
        must(s, sim_nitro_pile(room, &s->arena, &pile, &s->err));
        (void)add(s, BUNDLE_CRL, pile.crls[0]);
        sim_nitro_free(room);
    }
}

/* The instance's certificate stands for the leaves: it is the one below the zonal authority. The first of the issuers, and the
 * first of the leaves, are genuine. */
static void test_size(void **state)
{
    const size_row *r = *state;
    scene s;
    set_up(&s);
    sim_nitro *room = open_room(&s, NULL);
    const size_t leaf = 2 + r->n_issuers;
    (void)add(&s, BUNDLE_CERTIFICATE, sim_nitro_certificate(room, "root"));
    (void)add(&s, BUNDLE_CERTIFICATE, sim_nitro_certificate(room, "regional"));
    for (size_t i = 0; i < r->n_issuers; i++) {
        add_variant(&s, sim_nitro_certificate(room, "zonal"), i);
    }
    add_variant(&s, sim_nitro_certificate(room, "instance"), 0);
    add_lists(&s, r->n_lists);
    for (size_t i = 1; s.bundle.n_pieces < r->n_pieces; i++) {
        add_variant(&s, sim_nitro_certificate(room, "instance"), i);
    }
    check(&s);
    if (s.found[leaf].error.code != r->code
        || (r->words != NULL && strstr(s.found[leaf].error.message, r->words) == NULL)) {
        fail_msg("%s %s", atls_code_name(s.found[leaf].error.code), s.found[leaf].error.message);
    }
    const uint64_t n = s.bundle.n_pieces;
    printf("# %u pieces, %u signatures, %u steps\n", (unsigned)n, (unsigned)s.cost.n_verified,
           (unsigned)s.cost.n_compared);
    assert_true(s.cost.n_verified <= r->most * n + 64);
    assert_true(s.cost.n_compared <= n * (6 * 16 + BUNDLE_MAX_SAME_SUBJECT + 2 * BUNDLE_MAX_SAME_ISSUER));
    sim_nitro_free(room);
    tear_down(&s);
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        tap_add(&l, scopes[i].name, test_scope, &scopes[i]);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        tap_add(&l, sizes[i].name, test_size, &sizes[i]);
    }
    return tap_run("bundle_check", &l);
}
