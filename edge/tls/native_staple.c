/* SPDX-License-Identifier: Apache-2.0 */
/* native_staple.c: endorsements that travel with the evidence: written where the peer asked, read as hints. */
#include "native.h"
#include "verify/source.h"

/* The names in a bundle, and what a frame takes besides the values of its records. */
#define FRAME_SLACK 1024u

/* ---- ours -------------------------------------------------------------------------------------------------------- */

/* Bytes of a text in JSON, at most: what JSON has to escape, and a little that it need not. */
static size_t text_len(atls_bytes text)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        len += c < 0x20 || c > 0x7e ? 6 : c == '"' || c == '\\' ? 2 : 1;
    }
    return len;
}

/* Bytes of the texts in a bundle, at most: what does not fit need not be made, let alone take the session's memory. */
static size_t bundle_len(const atls_dcap_collateral *c)
{
    return text_len(c->pck_crl_issuer_chain) + 2 * c->root_ca_crl.len + 2 * c->pck_crl.len
           + text_len(c->tcb_info_issuer_chain) + text_len(c->tcb_info) + text_len(c->tcb_info_signature)
           + text_len(c->qe_identity_issuer_chain) + text_len(c->qe_identity) + text_len(c->qe_identity_signature)
           + text_len(c->pck_certificate_chain);
}

static size_t room_left(const atls_native_evidence *e)
{
    size_t taken =
        FRAME_SLACK + e->evidence.value.len + (e->has_companion ? e->companion.value.len : 0) + e->path.siblings.len;
    return taken < ATLS_NATIVE_MAX_EVIDENCE_LEN ? ATLS_NATIVE_MAX_EVIDENCE_LEN - taken : 0;
}

/* A hint that has no room in the frame stays at home: the evidence is what was asked for. */
bool native_staple(const native *n, atls_arena *a, atls_native_evidence *out, atls_error *err)
{
    const atls_endorsements *ours = n->side.staple;
    atls_bytes bundle;
    if (!n->peers.staple || ours == NULL || ours->platform == ATLS_PLATFORM_NONE
        || bundle_len(&ours->dcap) > room_left(out)) {
        return true;
    }
    if (!atls_endorsements_to_bundle(ours, a, &bundle, err)) {
        return false;
    }
    out->staples[out->n_staples++] = (atls_cmw_record){atls_bytes_str(ATLS_NATIVE_TYPE_STAPLE), bundle};
    return true;
}

/* ---- the peer's -------------------------------------------------------------------------------------------------- */

static bool find_bundle(const atls_native_evidence *e, atls_bytes *out, atls_error *err)
{
    *out = atls_bytes_empty();
    for (size_t i = 0; i < e->n_staples; i++) {
        if (!atls_bytes_equal_str(e->staples[i].type, ATLS_NATIVE_TYPE_STAPLE)) {
            continue; /* of a kind of evidence that others have */
        }
        if (out->len > 0) {
            return atls_fail(err, ATLS_E_PROTOCOL, "evidence.endorsements", "two records of type %s",
                             ATLS_NATIVE_TYPE_STAPLE);
        }
        *out = e->staples[i].value;
    }
    return true;
}

bool native_stapled(const native *n, const atls_native_evidence *e, atls_arena *a, atls_endorsements *out,
                    atls_error *err)
{
    atls_bytes bundle;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (e->n_staples > 0 && !n->mine.staple) {
        return atls_fail(err, ATLS_E_PROTOCOL, "evidence.endorsements", "endorsements that were not asked for");
    }
    if (!find_bundle(e, &bundle, err)) {
        return false;
    }
    return bundle.len == 0 || atls_endorsements_from_bundle(bundle, a, out, err)
           || atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "evidence.endorsements");
}

bool native_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *arena, atls_endorsements *out,
                    atls_error *err)
{
    const native_sources *from = ctx;
    const native_side *side = from->side;
    atls_endorsements own = {.platform = ATLS_PLATFORM_NONE};
    atls_error why = {.code = ATLS_OK};
    bool found = side->endorse != NULL && side->endorse(side->endorse_ctx, request, arena, &own, &why);
    if (found ? why.code != ATLS_OK : !atls_source_is_open(why.code)) {
        *err = why;
        return false;
    }
    if (request->needs_pck_chain && side->endorse != NULL && (!found || own.platform == ATLS_PLATFORM_NONE)) {
        /* one's own lists could not be asked for, and it is the peer who left the chain out: nobody signs that it is not there */
        *err = why;
        return atls_fail(
            err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements.pck_certificate_chain",
            "the quote has none, so one's own endorsements cannot be compared with what the peer sent along");
    }
    if (!atls_endorsements_merge(found ? &own : NULL, &from->stapled, request, arena, out, err)) {
        return false;
    }
    if (found || out->platform != ATLS_PLATFORM_NONE) {
        return true; /* platform NONE is no "nothing": lists may be all that this kind of evidence needs */
    }
    *err = why;
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, "endorsements",
                     "there are none here, and nothing that the peer sent along is for its evidence");
}
