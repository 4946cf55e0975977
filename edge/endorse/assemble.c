/* SPDX-License-Identifier: Apache-2.0 */
/* assemble.c: a request as pieces, pieces as endorsements. */
#include <stdio.h>
#include <string.h>

#include "edge/tls/clock.h"
#include "fetcher.h"
#include "verify/source.h"

typedef struct work {
    atls_fetcher *f;
    const atls_endorsement_request *request;
    bool replaces;
    uint64_t deadline_ms;
    atls_arena *arena;
    atls_endorsements *out;
    atls_error *err;
} work;

static atls_piece *get(const work *w, const atls_piece_id *id, atls_error *err)
{
    return atls_fetch_piece(w->f, id, w->replaces, w->deadline_ms, err);
}

static bool missing(const work *w, const char *field, const char *why)
{
    (void)atls_fail(w->err, ATLS_E_ENDORSEMENTS_MISSING, field, "%s", why);
    return false;
}

static bool copy(const work *w, atls_bytes in, atls_bytes *out)
{
    return atls_arena_copy(w->arena, in, out, w->err);
}

/* ---- Intel ------------------------------------------------------------------------------------------------------------- */

/* A piece in up to three members; NULL: it has no such part. */
static bool get_intel(const work *w, const atls_piece_id *id, atls_bytes *content, atls_bytes *signature,
                      atls_bytes *chain)
{
    atls_piece *p = get(w, id, w->err);
    if (p == NULL) {
        return false;
    }
    const bool ok = copy(w, p->parts.content, content) && (signature == NULL || copy(w, p->parts.signature, signature))
                    && (chain == NULL || copy(w, p->parts.chain, chain));
    atls_piece_release(p);
    return ok;
}

static bool endorse_intel(const work *w)
{
    const atls_endorsement_request *r = w->request;
    const bool is_tdx = r->platform == ATLS_PLATFORM_TDX;
    const atls_update update = w->f->options.update;
    const bool is_platform = r->pck_ca != NULL && strcmp(r->pck_ca, "platform") == 0;
    atls_dcap_collateral *c = &w->out->dcap;
    if (r->needs_pck_chain) {
        return missing(w, "endorsements.pck_certificate_chain",
                       "the quote has no PCK chain of its own, and what to ask for is known to its machine only");
    }
    if (!is_platform && (r->pck_ca == NULL || strcmp(r->pck_ca, "processor") != 0)) {
        return missing(w, "endorsements.pck_crl", "which CA issued the PCK certificate is not known");
    }
    atls_piece_id tcb = {.kind = ATLS_FETCHED_TCB_INFO, .is_tdx = is_tdx, .update = update};
    memcpy(tcb.fmspc, r->fmspc, sizeof tcb.fmspc);
    const atls_piece_id identity = {.kind = ATLS_FETCHED_QE_IDENTITY, .is_tdx = is_tdx, .update = update};
    const atls_piece_id list = {.kind = ATLS_FETCHED_PCK_CRL, .is_platform_ca = is_platform};
    const atls_piece_id root = {.kind = ATLS_FETCHED_ROOT_CA_CRL};
    c->pck_certificate_chain = atls_bytes_empty();
    w->out->platform = r->platform;
    return get_intel(w, &tcb, &c->tcb_info, &c->tcb_info_signature, &c->tcb_info_issuer_chain)
           && get_intel(w, &identity, &c->qe_identity, &c->qe_identity_signature, &c->qe_identity_issuer_chain)
           && get_intel(w, &list, &c->pck_crl, NULL, &c->pck_crl_issuer_chain)
           && get_intel(w, &root, &c->root_ca_crl, NULL, NULL);
}

/* ---- AMD --------------------------------------------------------------------------------------------------------------- */

/* What there can be: a leaf, and a chain and a list for each product. */
typedef struct heap {
    atls_bytes certificates[1 + 3 * ATLS_PIECE_CERTS];
    size_t n_certificates;
    atls_bytes crls[3];
    size_t n_crls;
} heap;

static bool add_certificates(const work *w, heap *h, const atls_piece *p)
{
    const atls_piece_parts *parts = &p->parts;
    if (parts->n_certificates == 0) {
        return copy(w, parts->content, &h->certificates[h->n_certificates++]);
    }
    for (size_t i = 0; i < parts->n_certificates; i++) {
        if (!copy(w, parts->certificates[i], &h->certificates[h->n_certificates++])) {
            return false;
        }
    }
    return true;
}

/* Where the product is not known, "no" is an answer: it is another one. */
static bool get_leaf(const work *w, const char *const *products, size_t n, heap *h, const char **product)
{
    const atls_sev_snp_request *r = &w->request->sev_snp;
    atls_error last = {0};
    if (r->is_vlek || r->chip_id == NULL || r->chip_id[0] == '\0') {
        return missing(w, r->is_vlek ? "endorsements.vlek" : "endorsements.vcek",
                       r->is_vlek ? "a VLEK cannot be fetched: its guest has to send it"
                                  : "the report hides the chip: its guest has to send the certificate");
    }
    for (size_t i = 0; i < n; i++) {
        atls_piece_id id = {.kind = ATLS_FETCHED_SNP_LEAF};
        atls_error why = {0};
        if (!atls_piece_set_snp(&id, products[i], r->chip_id, r->tcb)) {
            return missing(w, "endorsements.vcek", "the request has no chip id and TCB as AMD spells them");
        }
        atls_piece *p = get(w, &id, &why);
        if (p != NULL) {
            const bool ok = add_certificates(w, h, p);
            atls_piece_release(p);
            *product = products[i];
            return ok;
        }
        if (last.code == ATLS_OK || why.retry) {
            last = why;
        }
    }
    *w->err = last;
    return false;
}

static bool get_chain(const work *w, const char *product, heap *h)
{
    atls_piece_id id = {.kind = ATLS_FETCHED_SNP_CHAIN, .is_vlek = w->request->sev_snp.is_vlek};
    if (!atls_piece_set_snp(&id, product, NULL, NULL)) {
        return missing(w, "endorsements.cert_chain", "the request names no product that is known");
    }
    atls_error why = {.code = ATLS_OK};
    atls_piece *p = get(w, &id, &why);
    if (p == NULL) {
        if (!w->request->sev_snp.needs_chain && !w->replaces && atls_source_is_open(why.code)) {
            return true; /* it came along, and the list did not */
        }
        *w->err = why;
        return false;
    }
    const bool ok = add_certificates(w, h, p);
    atls_piece_release(p);
    return ok;
}

/* Whether a list is needed is the policy's to say, and it says so where one is missing. */
static bool get_list(const work *w, const char *product, heap *h)
{
    atls_piece_id id = {.kind = ATLS_FETCHED_SNP_CRL, .is_vlek = w->request->sev_snp.is_vlek};
    atls_error why = {0};
    if (!atls_piece_set_snp(&id, product, NULL, NULL)) {
        return true;
    }
    atls_piece *p = get(w, &id, &why);
    if (p == NULL) {
        if (w->replaces || why.code == ATLS_E_MEMORY) {
            *w->err = why;
            return false;
        }
        return true;
    }
    const bool ok = copy(w, p->parts.content, &h->crls[h->n_crls++]);
    atls_piece_release(p);
    return ok;
}

static bool put_heap(const work *w, const heap *h)
{
    atls_certificate_pile *pile = &w->out->pile;
    atls_bytes *certificates = atls_arena_array(w->arena, h->n_certificates + 1, sizeof *certificates, w->err);
    atls_bytes *crls = certificates == NULL ? NULL : atls_arena_array(w->arena, h->n_crls + 1, sizeof *crls, w->err);
    if (crls == NULL) {
        return false;
    }
    memcpy(certificates, h->certificates, h->n_certificates * sizeof *certificates);
    memcpy(crls, h->crls, h->n_crls * sizeof *crls);
    *pile = (atls_certificate_pile){certificates, h->n_certificates, crls, h->n_crls};
    return true;
}

static bool endorse_amd(const work *w)
{
    static const char *const all[] = {"Milan", "Genoa", "Turin"};
    const atls_sev_snp_request *r = &w->request->sev_snp;
    const bool is_known = r->product != NULL && r->product[0] != '\0';
    const char *named[1] = {r->product};
    const char *found = NULL;
    const char *const *products = is_known ? named : all;
    size_t n = is_known ? 1 : sizeof all / sizeof all[0];
    heap h = {.n_certificates = 0};
    if (r->needs_leaf) {
        if (!get_leaf(w, products, n, &h, &found)) {
            return false;
        }
        named[0] = found;
        products = named;
        n = 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!get_chain(w, products[i], &h) || !get_list(w, products[i], &h)) {
            return false;
        }
    }
    return put_heap(w, &h);
}

/* ---- Google ------------------------------------------------------------------------------------------------------------ */

/* A list whose sender says nothing of its life ends when it was fetched: then nobody said (endorse.h). */
static bool endorse_android(const work *w)
{
    const char *url = w->f->options.android_status_url;
    atls_piece_id id = {.kind = ATLS_FETCHED_DOCUMENT};
    atls_android_status *out = &w->out->android;
    if (url[0] == '\0') {
        return missing(w, "endorsements.status", "no address of Google's status list has been named");
    }
    (void)snprintf(id.url, sizeof id.url, "%s", url);
    atls_piece *p = get(w, &id, w->err);
    if (p == NULL) {
        return false;
    }
    out->fetched = p->fetched;
    out->expires = p->valid_until > p->fetched ? p->valid_until : ATLS_TIME_UNSET;
    const bool ok = copy(w, p->parts.content, &out->list);
    atls_piece_release(p);
    return ok;
}

/* ---- the doors --------------------------------------------------------------------------------------------------------- */

static bool endorse(atls_fetcher *f, const atls_endorsement_request *request, bool replaces, atls_arena *arena,
                    atls_endorsements *out, atls_error *err)
{
    const work w = {
        .f = f,
        .request = request,
        .replaces = replaces,
        .deadline_ms = atls_clock_ms() + f->options.total_timeout_ms,
        .arena = arena,
        .out = out,
        .err = err,
    };
    bool ok = true;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (request->platform == ATLS_PLATFORM_TDX || request->platform == ATLS_PLATFORM_SGX) {
        ok = endorse_intel(&w);
    } else if (request->platform == ATLS_PLATFORM_SEV_SNP) {
        ok = endorse_amd(&w);
    } else if (request->platform == ATLS_PLATFORM_ANDROID) {
        ok = endorse_android(&w);
    }
    if (!ok) {
        *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    }
    return ok;
}

bool atls_fetcher_endorse(void *fetcher, const atls_endorsement_request *request, atls_arena *arena,
                          atls_endorsements *out, atls_error *err)
{
    return endorse(fetcher, request, false, arena, out, err);
}

bool atls_fetcher_pull(atls_fetcher *f, const atls_endorsement_request *request, atls_arena *arena,
                       atls_endorsements *out, atls_error *err)
{
    return endorse(f, request, true, arena, out, err);
}
