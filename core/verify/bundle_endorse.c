/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_endorse.c: which pieces of a bundle a request asks for.
 *
 * Subjects are hints of whoever made the bundle: a piece under a wrong one ends in a refusal by the appraisal. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "bundle_kinds.h"

typedef struct picker {
    const atls_bundle *b;
    const atls_endorsement_request *request;
    atls_arena *arena;
    atls_endorsements *out;
    atls_error *err;
} picker;

/* Whether text begins with the prefix, and what follows it there is its end or a slash. */
static bool is_below(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 && (text[n] == '\0' || text[n] == '/');
}

/* ---- DCAP ---- */

static const atls_bundle_piece *need(const picker *p, const char *kind, const char *subject)
{
    const atls_bundle_piece *piece = subject == NULL ? NULL : atls_bundle_find(p->b, kind, subject);
    if (piece == NULL && subject != NULL) {
        char field[64];
        const char *dot = strchr(kind, '.');
        (void)snprintf(field, sizeof field, "endorsements.%s", dot == NULL ? kind : dot + 1);
        (void)atls_fail_values(p->err, ATLS_E_ENDORSEMENTS_MISSING, field, subject, "not in the bundle",
                               "the bundle has no %s for this evidence", kind);
    }
    return piece;
}

/* Evidence without a chain of its own does not say whose it is: the bundle may hold one chain then, and no second. */
static const atls_bundle_piece *only_chain(const picker *p)
{
    const atls_bundle_piece *found = NULL;
    for (size_t i = 0; i < p->b->n_pieces; i++) {
        if (strcmp(p->b->pieces[i].kind, BUNDLE_PCK_CHAIN) != 0) {
            continue;
        }
        if (found != NULL) {
            (void)atls_fail(p->err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.pck_certificate_chain",
                            "the evidence has no PCK chain, and the bundle has several: none can be chosen");
            return NULL;
        }
        found = &p->b->pieces[i];
    }
    if (found == NULL) {
        (void)atls_fail(p->err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.pck_certificate_chain",
                        "the evidence has no PCK chain, and neither has the bundle");
    }
    return found;
}

/* What the request, or the only chain, says about the platform. */
typedef struct platform {
    const char *fmspc;
    const char *ca;
    atls_bytes chain;
} platform;

static bool know_platform(const picker *p, platform *out)
{
    *out = (platform){.ca = p->request->pck_ca, .chain = atls_bytes_empty()};
    if (!p->request->needs_pck_chain) {
        out->fmspc = atls_hex_text(atls_bytes_of(p->request->fmspc, sizeof p->request->fmspc), p->arena, p->err);
        return out->fmspc != NULL;
    }
    const atls_bundle_piece *chain = only_chain(p);
    if (chain == NULL) {
        return false;
    }
    const char *slash = strchr(chain->subject, '/');
    const size_t len = slash == NULL ? 0 : (size_t)(slash - chain->subject);
    out->chain = chain->parts[0];
    out->fmspc = atls_text_copy(atls_bytes_of(chain->subject, len), p->arena, p->err);
    out->ca = slash != NULL && is_below(slash + 1, "processor") ? "processor" : "platform";
    return out->fmspc != NULL;
}

static bool pick_dcap(const picker *p)
{
    platform of;
    const char *tee = p->request->is_tdx ? "tdx" : "sgx";
    if (!know_platform(p, &of)) {
        return false;
    }
    const char *subject = atls_text_format(p->arena, p->err, "%s/%s", tee, of.fmspc);
    const atls_bundle_piece *info = need(p, BUNDLE_TCB_INFO, subject);
    const atls_bundle_piece *identity = info == NULL ? NULL : need(p, BUNDLE_QE_IDENTITY, tee);
    const atls_bundle_piece *list = identity == NULL ? NULL : need(p, BUNDLE_PCK_CRL, of.ca);
    const atls_bundle_piece *root = list == NULL ? NULL : need(p, BUNDLE_ROOT_CA_CRL, "root");
    if (root == NULL) {
        return false;
    }
    p->out->platform = p->request->platform;
    p->out->dcap = (atls_dcap_collateral){
        .pck_crl_issuer_chain = list->parts[1],
        .root_ca_crl = root->parts[0],
        .pck_crl = list->parts[0],
        .tcb_info_issuer_chain = info->parts[2],
        .tcb_info = info->parts[0],
        .tcb_info_signature = info->parts[1],
        .qe_identity_issuer_chain = identity->parts[2],
        .qe_identity = identity->parts[0],
        .qe_identity_signature = identity->parts[1],
        .pck_certificate_chain = of.chain,
    };
    return true;
}

/* ---- piles ---- */

typedef struct pile {
    const picker *p;
    atls_bytes *certificates;
    atls_bytes *crls;
} pile;

static bool pile_open(const picker *p, pile *out)
{
    *out = (pile){.p = p};
    out->certificates = atls_arena_array(p->arena, ATLS_MAX_PILE_CERTIFICATES, sizeof *out->certificates, p->err);
    out->crls = atls_arena_array(p->arena, ATLS_MAX_PILE_CRLS, sizeof *out->crls, p->err);
    p->out->pile.certificates = out->certificates;
    p->out->pile.crls = out->crls;
    return out->certificates != NULL && out->crls != NULL;
}

static bool take(pile *to, atls_bytes *items, size_t *n, size_t max, atls_bytes der, const char *field)
{
    if (*n == max) {
        return atls_fail(to->p->err, ATLS_E_LIMIT, field, "the bundle has more than %zu that could be meant", max);
    }
    items[(*n)++] = der;
    return true;
}

/* Every piece of a kind whose subject stands below the prefix. */
static bool take_below(pile *to, const char *kind, const char *prefix)
{
    atls_certificate_pile *out = &to->p->out->pile;
    const bool is_list = strcmp(kind, BUNDLE_CRL) == 0;
    for (size_t i = 0; i < to->p->b->n_pieces; i++) {
        const atls_bundle_piece *piece = &to->p->b->pieces[i];
        if (strcmp(piece->kind, kind) != 0 || !is_below(piece->subject, prefix)) {
            continue;
        }
        const bool ok = is_list
                            ? take(to, to->crls, &out->n_crls, ATLS_MAX_PILE_CRLS, piece->parts[0], "endorsements.crls")
                            : take(to, to->certificates, &out->n_certificates, ATLS_MAX_PILE_CERTIFICATES,
                                   piece->parts[0], "endorsements.certificates");
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* The prefix of the leaf's subject: chip and TCB, or the TCB alone where the chip does not show. */
static bool take_snp_leaf(pile *to, const char *product)
{
    const picker *p = to->p;
    const atls_sev_snp_request *r = &p->request->sev_snp;
    const char *tcb = atls_hex_text(atls_bytes_of(r->reported_tcb, sizeof r->reported_tcb), p->arena, p->err);
    if (tcb == NULL || !r->needs_leaf || (!r->is_vlek && r->chip_id[0] == '\0')) {
        return tcb != NULL;
    }
    const char *prefix = atls_text_format(p->arena, p->err, "sev_snp/%s/%s/%s/%s", product,
                                          r->is_vlek ? "vlek" : "vcek", r->is_vlek ? "any" : r->chip_id, tcb);
    return prefix != NULL && take_below(to, BUNDLE_CERTIFICATE, prefix);
}

static bool take_snp(pile *to, const char *product)
{
    static const char *const roles[] = {"ark", "ask", "asvk"};
    const picker *p = to->p;
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        const char *prefix = atls_text_format(p->arena, p->err, "sev_snp/%s/%s", product, roles[i]);
        if (prefix == NULL || !take_below(to, BUNDLE_CERTIFICATE, prefix)) {
            return false;
        }
    }
    const char *lists = atls_text_format(p->arena, p->err, "sev_snp/%s", product);
    return lists != NULL && take_snp_leaf(to, product) && take_below(to, BUNDLE_CRL, lists);
}

/* A report of version 2 does not name its product: every one is tried. */
static bool pick_snp(const picker *p)
{
    static const char *const products[] = {"Milan", "Genoa", "Turin"};
    const char *named = p->request->sev_snp.product;
    pile to;
    if (!pile_open(p, &to)) {
        return false;
    }
    if (named[0] != '\0') {
        return take_snp(&to, named);
    }
    for (size_t i = 0; i < sizeof products / sizeof products[0]; i++) {
        if (!take_snp(&to, products[i])) {
            return false;
        }
    }
    return true;
}

static bool pick_others(const picker *p, const char *own)
{
    pile to;
    return pile_open(p, &to)
           && (own == NULL || (take_below(&to, BUNDLE_CERTIFICATE, own) && take_below(&to, BUNDLE_CRL, own)))
           && take_below(&to, BUNDLE_CERTIFICATE, "other") && take_below(&to, BUNDLE_CRL, "other");
}

/* ---- Android ---- */

static bool pick_android(const picker *p)
{
    bundle_dates dates;
    const atls_bundle_piece *piece = need(p, BUNDLE_STATUS, "google");
    if (piece == NULL) {
        return false;
    }
    if (!atls_bundle_dates(piece, &dates)) {
        return atls_fail(p->err, ATLS_E_COLLATERAL_FORMAT, "endorsements.status", "its dates cannot be read");
    }
    p->out->android =
        (atls_android_status){.list = piece->parts[0], .fetched = dates.fetched, .expires = dates.expires};
    return true;
}

/* ---- the door ---- */

static bool pick(const picker *p)
{
    switch (p->request->platform) {
    case ATLS_PLATFORM_TDX:
    case ATLS_PLATFORM_SGX:
        return pick_dcap(p);
    case ATLS_PLATFORM_SEV_SNP:
        return pick_snp(p);
    case ATLS_PLATFORM_NITRO:
        return pick_others(p, "nitro");
    case ATLS_PLATFORM_ENROLLED: /* lists of the CA that enrols */
    case ATLS_PLATFORM_TPM:
        /* a virtual TPM of Nitro is certified by Nitro's authorities, which its own room asks for */
        return pick_others(p, NULL);
    case ATLS_PLATFORM_ANDROID:
        return pick_android(p);
    default:
        return atls_fail(p->err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements",
                         "bundles have none for this kind of evidence");
    }
}

bool atls_bundle_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                         atls_error *err)
{
    const atls_bundle *b = ctx;
    const atls_bytes e = atls_bytes_empty();
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE, .dcap = {e, e, e, e, e, e, e, e, e, e}};
    if (b->insecure_unsigned) {
        return atls_fail(err, ATLS_E_USAGE, "bundle", "its signature was not looked at: it is there to be shown only");
    }
    out->insecure_older = b->insecure_older;
    const picker p = {.b = b, .request = request, .arena = arena, .out = out, .err = err};
    return pick(&p);
}
