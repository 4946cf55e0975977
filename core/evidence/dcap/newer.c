/* SPDX-License-Identifier: Apache-2.0 */
/* newer.c: one's own endorsements and those that a peer stapled to its evidence: of two pieces for one subject the newer.
 *
 * Nothing here is authentic. A peer wins nothing by a lie: a piece that claims to be newer than it is loses its signature,
 * and authenticate refuses it. What it must not win by the truth either is an old piece, well signed and in date, over a
 * newer one: hence "newer, and older in no respect". Source: specification of atls/1, "Stapled endorsements". */
#include <string.h>

#include "dcap.h"

/* ---- documents ---- */

/* A text that cannot be read says nothing, and that is no failure; having no memory to read it is one. */
static bool unreadable(const atls_error *why, atls_error *err)
{
    if (why->code != ATLS_E_MEMORY) {
        return true;
    }
    return atls_fail_values(err, ATLS_E_MEMORY, why->field, why->expected, why->actual, NULL);
}

bool dcap_age_of_tcb_info(atls_bytes text, atls_arena *a, dcap_age *out, atls_error *err)
{
    dcap_tcb_info info;
    atls_error why = {.code = ATLS_OK};
    *out = (dcap_age){.is_read = false};
    if (!dcap_tcb_info_decode(text, a, &info, &why)) {
        return unreadable(&why, err);
    }
    out->is_read = true;
    out->is_tdx = info.is_tdx;
    memcpy(out->fmspc, info.fmspc, sizeof out->fmspc);
    memcpy(out->pceid, info.pceid, sizeof out->pceid);
    out->issued = info.issue_date;
    out->number = info.evaluation_data_number;
    return true;
}

bool dcap_age_of_qe_identity(atls_bytes text, atls_arena *a, dcap_age *out, atls_error *err)
{
    dcap_qe_identity identity;
    atls_error why = {.code = ATLS_OK};
    *out = (dcap_age){.is_read = false};
    if (!dcap_qe_identity_decode(text, a, &identity, &why)) {
        return unreadable(&why, err);
    }
    out->is_read = true;
    out->is_tdx = identity.is_td_qe;
    out->issued = identity.issue_date;
    out->number = identity.evaluation_data_number;
    return true;
}

static bool is_same_subject(const dcap_age *x, const dcap_age *y)
{
    return x->is_read && y->is_read && x->is_tdx == y->is_tdx && memcmp(x->fmspc, y->fmspc, sizeof x->fmspc) == 0
           && memcmp(x->pceid, y->pceid, sizeof x->pceid) == 0;
}

bool dcap_age_is_older(const dcap_age *x, const dcap_age *than)
{
    return is_same_subject(x, than) && (x->issued < than->issued || x->number < than->number);
}

/* A document as a piece: text and signature, or nothing. */
typedef struct document {
    bool is_there;
    dcap_age age;
} document;

static bool read_document(bool (*read)(atls_bytes text, atls_arena *a, dcap_age *out, atls_error *err), atls_bytes text,
                          atls_bytes signature, atls_arena *a, document *out, atls_error *err)
{
    *out = (document){.is_there = text.len > 0 && signature.len > 0};
    return !out->is_there || read(text, a, &out->age, err);
}

static bool document_wins(const document *own, const document *stapled)
{
    return !own->is_there
           || (is_same_subject(&own->age, &stapled->age) && stapled->age.issued > own->age.issued
               && !dcap_age_is_older(&stapled->age, &own->age));
}

/* The platform is known from the evidence's own chain, if it has one. */
static bool is_requested(const dcap_age *info, const atls_endorsement_request *request)
{
    return info->is_tdx == request->is_tdx
           && (request->needs_pck_chain || memcmp(info->fmspc, request->fmspc, sizeof info->fmspc) == 0);
}

static bool choose_tcb_info(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                            const atls_endorsement_request *request, atls_arena *a, atls_dcap_collateral *out,
                            unsigned *pieces, atls_error *err)
{
    document ours;
    document theirs;
    if (!read_document(dcap_age_of_tcb_info, stapled->tcb_info, stapled->tcb_info_signature, a, &theirs, err)) {
        return false;
    }
    if (!theirs.age.is_read || !is_requested(&theirs.age, request) || stapled->tcb_info_issuer_chain.len == 0) {
        return true;
    }
    if (!read_document(dcap_age_of_tcb_info, own->tcb_info, own->tcb_info_signature, a, &ours, err)) {
        return false;
    }
    if (document_wins(&ours, &theirs)) {
        out->tcb_info = stapled->tcb_info;
        out->tcb_info_signature = stapled->tcb_info_signature;
        out->tcb_info_issuer_chain = stapled->tcb_info_issuer_chain;
        *pieces |= ATLS_PIECE_TCB_INFO;
    }
    return true;
}

static bool choose_qe_identity(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                               const atls_endorsement_request *request, atls_arena *a, atls_dcap_collateral *out,
                               unsigned *pieces, atls_error *err)
{
    document ours;
    document theirs;
    if (!read_document(dcap_age_of_qe_identity, stapled->qe_identity, stapled->qe_identity_signature, a, &theirs,
                       err)) {
        return false;
    }
    if (!theirs.age.is_read || theirs.age.is_tdx != request->is_tdx || stapled->qe_identity_issuer_chain.len == 0) {
        return true;
    }
    if (!read_document(dcap_age_of_qe_identity, own->qe_identity, own->qe_identity_signature, a, &ours, err)) {
        return false;
    }
    if (document_wins(&ours, &theirs)) {
        out->qe_identity = stapled->qe_identity;
        out->qe_identity_signature = stapled->qe_identity_signature;
        out->qe_identity_issuer_chain = stapled->qe_identity_issuer_chain;
        *pieces |= ATLS_PIECE_QE_IDENTITY;
    }
    return true;
}

/* ---- revocation lists ---- */

/* A list without number could not be ordered, and would be refused anyway. */
static bool read_list(atls_bytes der, atls_crl *out)
{
    atls_error ignored = {.code = ATLS_OK};
    return atls_crl_decode(der, "crl", out, &ignored) && out->has_crl_number;
}

static bool list_wins(atls_bytes own, atls_bytes stapled)
{
    atls_crl ours;
    atls_crl theirs;
    if (stapled.len == 0 || !read_list(stapled, &theirs)) {
        return false;
    }
    if (own.len == 0) {
        return true;
    }
    return read_list(own, &ours) && atls_crl_is_older(&ours, &theirs) && !atls_crl_is_older(&theirs, &ours);
}

static void choose_lists(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                         atls_dcap_collateral *out, unsigned *pieces)
{
    if (list_wins(own->root_ca_crl, stapled->root_ca_crl)) {
        out->root_ca_crl = stapled->root_ca_crl;
        *pieces |= ATLS_PIECE_ROOT_CA_CRL;
    }
    if (list_wins(own->pck_crl, stapled->pck_crl)) {
        out->pck_crl = stapled->pck_crl;
        out->pck_crl_issuer_chain = stapled->pck_crl_issuer_chain;
        *pieces |= ATLS_PIECE_PCK_CRL;
    }
}

/* ---- all pieces ---- */

/* A chain has no date. One from outside displaces the evidence's own, so it is only taken where there is none. */
static void choose_chain(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                         const atls_endorsement_request *request, atls_dcap_collateral *out, unsigned *pieces)
{
    if (request->needs_pck_chain && own->pck_certificate_chain.len == 0 && stapled->pck_certificate_chain.len > 0) {
        out->pck_certificate_chain = stapled->pck_certificate_chain;
        *pieces |= ATLS_PIECE_PCK_CHAIN;
    }
}

bool dcap_collateral_newer(const atls_dcap_collateral *own, const atls_dcap_collateral *stapled,
                           const atls_endorsement_request *request, atls_arena *a, atls_dcap_collateral *out,
                           unsigned *stapled_pieces, atls_error *err)
{
    *out = *own;
    *stapled_pieces = 0;
    choose_lists(own, stapled, out, stapled_pieces);
    choose_chain(own, stapled, request, out, stapled_pieces);
    return choose_tcb_info(own, stapled, request, a, out, stapled_pieces, err)
           && choose_qe_identity(own, stapled, request, a, out, stapled_pieces, err);
}

static atls_endorsements nothing(void)
{
    const atls_bytes e = atls_bytes_empty();
    return (atls_endorsements){.platform = ATLS_PLATFORM_NONE, .dcap = {e, e, e, e, e, e, e, e, e, e}};
}

static bool is_of_dcap(atls_platform p)
{
    return p == ATLS_PLATFORM_TDX || p == ATLS_PLATFORM_SGX;
}

bool atls_endorsements_merge(const atls_endorsements *own, const atls_endorsements *stapled,
                             const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                             atls_error *err)
{
    *out = own == NULL ? nothing() : *own; /* lists for other kinds of evidence stay, whatever was stapled */
    if (out->platform == ATLS_PLATFORM_NONE) {
        out->dcap = nothing().dcap;
    }
    out->stapled = 0;
    if (stapled == NULL || !is_of_dcap(stapled->platform) || !is_of_dcap(request->platform)) {
        return true;
    }
    const atls_dcap_collateral ours = out->dcap;
    if (!dcap_collateral_newer(&ours, &stapled->dcap, request, arena, &out->dcap, &out->stapled, err)) {
        *out = nothing();
        return false;
    }
    if (out->platform == ATLS_PLATFORM_NONE && out->stapled != 0) {
        out->platform = request->platform;
    }
    return true;
}
