/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_endorsements.c: shows DCAP collateral and X.509 objects, unverified. Names are those of the PCS documents. */
#include "atls/endorse.h"
#include "base/der.h"
#include "base/limits.h"
#include "base/text.h"
#include "evidence/dcap/dcap.h"
#include "inspect.h"
#include "pki/cert.h"

#define MAX_SHOWN_SERIALS 1024u /* of a CRL; the count is exact */

static void put_bytes(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

/* ---- TCB info and QE identity ---- */

static void put_level_end(atls_jw *w, const dcap_tcb_level *l)
{
    atls_jw_time(w, "tcbDate", l->date);
    atls_jw_str(w, "tcbStatus", atls_tcb_status_name(l->status));
    atls_jw_open(w, "advisoryIDs", '[');
    for (size_t i = 0; i < l->advisories.n; i++) {
        atls_jw_str(w, NULL, l->advisories.items[i]);
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
}

static void put_svn_levels(atls_jw *w, const dcap_tcb_level *levels, size_t n)
{
    atls_jw_open(w, "tcbLevels", '[');
    for (size_t i = 0; i < n; i++) {
        atls_jw_open(w, NULL, '{');
        atls_jw_uint(w, "isvsvn", levels[i].pcesvn);
        put_level_end(w, &levels[i]);
    }
    atls_jw_close(w, ']');
}

static void put_platform_levels(atls_jw *w, const dcap_tcb_info *info)
{
    atls_jw_open(w, "tcbLevels", '[');
    for (size_t i = 0; i < info->n_levels; i++) {
        const dcap_tcb_level *l = &info->levels[i];
        atls_jw_open(w, NULL, '{');
        put_bytes(w, "sgxtcbcomponents", l->sgx, sizeof l->sgx);
        atls_jw_uint(w, "pcesvn", l->pcesvn);
        if (info->is_tdx) {
            put_bytes(w, "tdxtcbcomponents", l->tdx, sizeof l->tdx);
        }
        put_level_end(w, l);
    }
    atls_jw_close(w, ']');
}

static void put_module(atls_jw *w, const char *name, const dcap_module_identity *m)
{
    atls_jw_open(w, name, '{');
    atls_jw_uint(w, "version", m->version);
    put_bytes(w, "mrsigner", m->mrsigner, sizeof m->mrsigner);
    put_bytes(w, "attributes", m->attributes, sizeof m->attributes);
    put_bytes(w, "attributesMask", m->attributes_mask, sizeof m->attributes_mask);
    put_svn_levels(w, m->levels, m->n_levels);
    atls_jw_close(w, '}');
}

static void put_modules(atls_jw *w, const dcap_tcb_info *info)
{
    put_module(w, "tdxModule", &info->base);
    atls_jw_open(w, "tdxModuleIdentities", '[');
    for (size_t i = 0; i < info->n_identities; i++) {
        put_module(w, NULL, &info->identities[i]);
    }
    atls_jw_close(w, ']');
}

static bool show_tcb_info(inspection *i, atls_bytes text)
{
    dcap_tcb_info info;
    atls_jw *w = &i->w;
    if (!dcap_tcb_info_decode(text, i->arena, &info, i->err)) {
        return false;
    }
    atls_jw_str(w, "id", info.is_tdx ? "TDX" : "SGX");
    atls_jw_uint(w, "version", info.version);
    atls_jw_time(w, "issueDate", info.issue_date);
    atls_jw_time(w, "nextUpdate", info.next_update);
    put_bytes(w, "fmspc", info.fmspc, sizeof info.fmspc);
    put_bytes(w, "pceId", info.pceid, sizeof info.pceid);
    atls_jw_uint(w, "tcbEvaluationDataNumber", info.evaluation_data_number);
    if (info.is_tdx) {
        put_modules(w, &info);
    }
    put_platform_levels(w, &info);
    return true;
}

static bool show_qe_identity(inspection *i, atls_bytes text)
{
    dcap_qe_identity q;
    atls_jw *w = &i->w;
    if (!dcap_qe_identity_decode(text, i->arena, &q, i->err)) {
        return false;
    }
    atls_jw_str(w, "id", q.is_td_qe ? "TD_QE" : "QE");
    atls_jw_uint(w, "version", q.version);
    atls_jw_time(w, "issueDate", q.issue_date);
    atls_jw_time(w, "nextUpdate", q.next_update);
    atls_jw_uint(w, "tcbEvaluationDataNumber", q.evaluation_data_number);
    put_bytes(w, "miscselect", q.miscselect, sizeof q.miscselect);
    put_bytes(w, "miscselectMask", q.miscselect_mask, sizeof q.miscselect_mask);
    put_bytes(w, "attributes", q.attributes, sizeof q.attributes);
    put_bytes(w, "attributesMask", q.attributes_mask, sizeof q.attributes_mask);
    put_bytes(w, "mrsigner", q.mrsigner, sizeof q.mrsigner);
    atls_jw_uint(w, "isvprodid", q.isvprodid);
    put_svn_levels(w, q.levels, q.n_levels);
    return true;
}

/* The PCS wraps a document as {"<name>":{...},"signature":"..."}; offline bundles have the inner object alone. */
static atls_bytes inner(inspection *i, const char *name)
{
    const atls_json *wrapped = atls_json_find(i->json, name);
    const atls_json *signature = atls_json_find(i->json, "signature");
    if (wrapped != NULL && signature != NULL && signature->type == ATLS_JSON_STRING) {
        atls_jw_string(&i->w, "signature", signature->text);
    }
    return wrapped == NULL ? i->file : wrapped->raw;
}

bool atls_inspect_tcb_info(inspection *i)
{
    return show_tcb_info(i, inner(i, "tcbInfo"));
}

bool atls_inspect_qe_identity(inspection *i)
{
    return show_qe_identity(i, inner(i, "enclaveIdentity"));
}

/* ---- CRLs ---- */

static bool put_serials(inspection *i, const atls_crl *crl)
{
    atls_cur entries;
    atls_cur_init(&entries, crl->revoked, "crl", i->err);
    atls_jw_open(&i->w, "serials", '[');
    for (size_t k = 0; k < crl->n_revoked && k < MAX_SHOWN_SERIALS; k++) {
        atls_cur entry;
        atls_bytes serial;
        if (!atls_der_nested(&entries, "entry", ATLS_DER_SEQUENCE, &entry)
            || !atls_der_unsigned(&entry, "serial", &serial)) {
            return false;
        }
        atls_jw_hex(&i->w, NULL, serial);
    }
    atls_jw_close(&i->w, ']');
    return true;
}

static bool put_crl(inspection *i, atls_bytes der)
{
    atls_crl crl;
    if (!atls_crl_decode(der, "crl", &crl, i->err)) {
        return false;
    }
    const char *issuer = atls_name_text(crl.issuer, i->arena, i->err);
    if (issuer == NULL) {
        return false;
    }
    atls_jw_str(&i->w, "issuer", issuer);
    atls_jw_time(&i->w, "this_update", crl.this_update);
    atls_jw_time(&i->w, "next_update", crl.next_update);
    atls_jw_uint(&i->w, "revoked", crl.n_revoked);
    return put_serials(i, &crl);
}

bool atls_inspect_der_crl(inspection *i)
{
    return put_crl(i, i->file);
}

/* One block; what is between the two lines is base64. */
bool atls_inspect_pem_crl(inspection *i)
{
    static const char begin[] = "-----BEGIN X509 CRL-----";
    static const char end[] = "-----END X509 CRL-----";
    const size_t n_begin = sizeof begin - 1;
    const size_t n_end = sizeof end - 1;
    atls_bytes der;
    if (i->file.len < n_begin + n_end
        || !atls_bytes_equal_str(atls_bytes_of(i->file.ptr + i->file.len - n_end, n_end), end)) {
        return atls_fail(i->err, ATLS_E_ENCODING, "crl", "the PEM block does not end with its end line");
    }
    const atls_bytes body = atls_bytes_of(i->file.ptr + n_begin, i->file.len - n_begin - n_end);
    return atls_base64_decode(body, true, "crl", i->arena, &der, i->err) && put_crl(i, der);
}

/* ---- bundles ---- */

static bool put_object(inspection *i, const char *name, atls_bytes in, bool (*show)(inspection *i, atls_bytes in))
{
    if (in.len == 0) {
        atls_jw_null(&i->w, name);
        return true;
    }
    atls_jw_open(&i->w, name, '{');
    const bool ok = show(i, in);
    atls_jw_close(&i->w, '}');
    return ok;
}

static bool put_optional_chain(inspection *i, const char *name, atls_bytes pem)
{
    if (pem.len == 0) {
        atls_jw_null(&i->w, name);
        return true;
    }
    return atls_inspect_chain(i, name, pem);
}

bool atls_inspect_bundle(inspection *i)
{
    atls_endorsements e;
    if (!atls_endorsements_from_bundle(i->file, i->arena, &e, i->err)) {
        return false;
    }
    const atls_dcap_collateral *c = &e.dcap;
    return put_object(i, "tcb_info", c->tcb_info, show_tcb_info)
           && put_optional_chain(i, "tcb_info_issuer_chain", c->tcb_info_issuer_chain)
           && put_object(i, "qe_identity", c->qe_identity, show_qe_identity)
           && put_optional_chain(i, "qe_identity_issuer_chain", c->qe_identity_issuer_chain)
           && put_object(i, "root_ca_crl", c->root_ca_crl, put_crl) && put_object(i, "pck_crl", c->pck_crl, put_crl)
           && put_optional_chain(i, "pck_crl_issuer_chain", c->pck_crl_issuer_chain)
           && put_optional_chain(i, "pck_certificate_chain", c->pck_certificate_chain);
}
