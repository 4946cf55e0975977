/* SPDX-License-Identifier: Apache-2.0 */
/* request.c: which endorsements a report needs, and whether they are there (specification section 4).
 *
 * Nothing here is verified: a lie only fetches the wrong certificates. */
#include <string.h>

#include "base/text.h"
#include "proof.h"

#define TURIN_CHIP_ID_LEN 8u

/* A report of version 2 names no product. The issuer of a certificate that came along does, or the chip id: only Turin's
 * has 8 bytes. Empty otherwise: whoever fetches has to try. */
static atls_snp_product guess_product(const sevsnp_report *r, const sevsnp_given *given)
{
    const atls_snp_report *b = &r->body;
    const atls_bytes tail = atls_bytes_of(b->chip_id + TURIN_CHIP_ID_LEN, sizeof b->chip_id - TURIN_CHIP_ID_LEN);
    bool is_vlek;
    if (b->has_cpuid) {
        return sevsnp_product_of_cpuid(b->cpuid_family, b->cpuid_model);
    }
    const atls_cert *leaf = sevsnp_pick_leaf(given, r);
    if (leaf != NULL && sevsnp_is_leaf_name(leaf->subject, &is_vlek)) {
        return sevsnp_issuer_product(leaf->issuer, is_vlek);
    }
    const bool is_shown = !atls_bytes_is_zero(atls_bytes_of(b->chip_id, sizeof b->chip_id));
    return is_shown && atls_bytes_is_zero(tail) ? ATLS_SNP_TURIN : ATLS_SNP_UNKNOWN;
}

/* The query of the key distribution service: decimal, in its order. */
static const char *tcb_query(atls_snp_product product, const atls_snp_tcb *reported, atls_arena *arena, atls_error *err)
{
    atls_snp_tcb t = *reported;
    sevsnp_tcb_read(product, &t);
    const char *fmc = "";
    if (t.has_fmc) {
        fmc = atls_text_format(arena, err, "fmcSPL=%u&", (unsigned)t.fmc);
    }
    return fmc == NULL
               ? NULL
               : atls_text_format(arena, err, "%sblSPL=%u&teeSPL=%u&snpSPL=%u&ucodeSPL=%u", fmc, (unsigned)t.bootloader,
                                  (unsigned)t.tee, (unsigned)t.snp, (unsigned)t.microcode);
}

static const char *chip_id_text(atls_snp_product product, const atls_snp_report *b, atls_arena *arena, atls_error *err)
{
    const bool is_shown = !atls_bytes_is_zero(atls_bytes_of(b->chip_id, sizeof b->chip_id));
    const size_t len = product == ATLS_SNP_TURIN ? TURIN_CHIP_ID_LEN : sizeof b->chip_id;
    return is_shown ? atls_hex_text(atls_bytes_of(b->chip_id, len), arena, err) : "";
}

static bool has_subject_of(const sevsnp_given *given, const atls_cert *cert)
{
    for (size_t i = 0; cert != NULL && i < given->pool.n; i++) {
        if (atls_bytes_equal(given->pool.certs[i]->subject, cert->issuer)) {
            return true;
        }
    }
    return false;
}

bool sevsnp_request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    const sevsnp_evidence *e = evidence;
    const atls_snp_report *b = &e->report.body;
    sevsnp_given given;
    bool is_vlek = false;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_SEV_SNP, .pck_ca = ""};
    if (!sevsnp_gather(e, NULL, arena, &given, err)) {
        return false;
    }
    const atls_cert *leaf = sevsnp_pick_leaf(&given, &e->report);
    const atls_snp_product product = guess_product(&e->report, &given);
    atls_sev_snp_request *r = &out->sev_snp;
    r->product = atls_snp_product_name(product);
    r->is_vlek = b->signing_key == SEVSNP_KEY_VLEK;
    r->chip_id = chip_id_text(product, b, arena, err);
    r->tcb = tcb_query(product, &b->reported_tcb, arena, err);
    memcpy(r->reported_tcb, b->reported_tcb.raw, sizeof r->reported_tcb);
    r->needs_leaf = leaf == NULL || !sevsnp_is_leaf_name(leaf->subject, &is_vlek) || is_vlek != r->is_vlek;
    r->needs_chain = !has_subject_of(&given, leaf);
    return r->chip_id != NULL && r->tcb != NULL;
}

/* ---- what is there ---- */

typedef struct pieces {
    bool leaf;
    bool issuer;
    bool ark;
    bool unread; /* something is there that cannot be read: authenticate says what is wrong with it */
} pieces;

static void note_entry(pieces *p, const sevsnp_table *t)
{
    p->leaf = sevsnp_table_find(t, SEVSNP_TABLE_VCEK).len > 0 || sevsnp_table_find(t, SEVSNP_TABLE_VLEK).len > 0;
    p->issuer = sevsnp_table_find(t, SEVSNP_TABLE_ASK).len > 0;
    p->ark = sevsnp_table_find(t, SEVSNP_TABLE_ARK).len > 0;
}

static bool begins_with(atls_bytes text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return text.len >= n && memcmp(text.ptr, prefix, n) == 0;
}

static void note_certificate(pieces *p, atls_bytes der)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cert cert;
    atls_bytes cn;
    bool is_vlek;
    if (!atls_cert_decode(der, "", &cert, &ignored)) {
        p->unread = true;
    } else if (sevsnp_is_leaf_name(cert.subject, &is_vlek)) {
        p->leaf = true;
    } else if (atls_name_common_name(cert.subject, &cn)) {
        p->issuer = p->issuer || begins_with(cn, "SEV-");
        p->ark = p->ark || begins_with(cn, "ARK-");
    }
}

bool sevsnp_complete(const void *evidence, const atls_endorsements *endorsements, atls_error *err)
{
    const sevsnp_evidence *e = evidence;
    const atls_certificate_pile *pile = &endorsements->pile;
    const bool is_vlek = e->report.body.signing_key == SEVSNP_KEY_VLEK;
    pieces p = {.leaf = false};
    note_entry(&p, &e->table);
    for (size_t i = 0; i < pile->n_certificates && i < ATLS_MAX_PILE_CERTIFICATES; i++) {
        note_certificate(&p, pile->certificates[i]);
    }
    if (p.unread || (p.leaf && p.issuer && p.ark)) {
        return true;
    }
    const char *missing = !p.leaf     ? (is_vlek ? "endorsements.vlek" : "endorsements.vcek")
                          : !p.issuer ? (is_vlek ? "endorsements.asvk" : "endorsements.ask")
                                      : "endorsements.ark";
    return atls_fail(err, ATLS_E_ENDORSEMENTS_MISSING, missing,
                     "the certificate is neither in the report's table nor among the endorsements");
}
