/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c: a decoded quote as JSON members, nothing of it verified. Names are those of a result where it has them. */
#include "base/json.h"
#include "proof.h"

static void put(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

static void put_header(atls_jw *w, const dcap_quote *q)
{
    atls_jw_open(w, "header", '{');
    atls_jw_uint(w, "version", q->version);
    atls_jw_uint(w, "att_key_type", q->att_key_type);
    atls_jw_str(w, "tee_type", q->tee_type == DCAP_TEE_TDX ? "tdx" : "sgx");
    put(w, "qe_vendor_id", q->qe_vendor_id, sizeof q->qe_vendor_id);
    put(w, "user_data", q->user_data, sizeof q->user_data);
    atls_jw_close(w, '}');
}

static void put_pck(atls_jw *w, const dcap_pck_path *path, const dcap_pck *p)
{
    bool is_platform;
    const char *ca = dcap_pck_ca_name(path->ca, &is_platform);
    atls_jw_open(w, "pck", '{');
    atls_jw_str(w, "ca", ca == NULL ? "" : ca);
    atls_jw_hex(w, "serial", path->leaf->serial);
    atls_jw_time(w, "not_before", path->leaf->not_before);
    atls_jw_time(w, "not_after", path->leaf->not_after);
    dcap_put_extension(w, p);
    atls_jw_close(w, '}');
}

/* A quote whose chain cannot be read is still worth showing; the reason stands where the certificate would. */
static void put_certification_data(atls_jw *w, const dcap_evidence *e)
{
    const dcap_chain *chain;
    dcap_pck_path path;
    const dcap_pck *pck;
    atls_error why = {.code = ATLS_OK};
    atls_jw_open(w, "certification_data", '{');
    atls_jw_uint(w, "type", e->quote.cert_type);
    if (e->quote.cert_type != 5) {
        atls_jw_hex(w, "data", e->quote.cert_data);
    } else if (dcap_quote_chain(e, &chain, &why) && dcap_pck_path_find(chain, &path, &why)
               && dcap_pck_extension(e, path.leaf, &pck, &why)) {
        put_pck(w, &path, pck);
    } else {
        atls_jw_null(w, "pck");
        atls_jw_str(w, "why", why.message);
    }
    atls_jw_close(w, '}');
}

static void put_auth(atls_jw *w, const dcap_evidence *e)
{
    const dcap_quote *q = &e->quote;
    atls_jw_open(w, "auth", '{');
    atls_jw_hex(w, "signature", q->signature);
    atls_jw_hex(w, "attestation_key", q->att_key);
    dcap_put_sgx(w, "qe", &q->qe);
    atls_jw_hex(w, "qe_report_signature", q->qe_signature);
    atls_jw_hex(w, "qe_auth_data", q->qe_auth);
    put_certification_data(w, e);
    atls_jw_close(w, '}');
}

bool dcap_inspect(const void *evidence, struct atls_jw *w, atls_arena *arena, atls_error *err)
{
    const dcap_evidence *e = evidence;
    (void)arena;
    put_header(w, &e->quote);
    atls_jw_uint(w, "body_type", e->quote.body_type);
    if (e->quote.tee_type == DCAP_TEE_TDX) {
        dcap_put_td(w, &e->quote.td);
    } else {
        dcap_put_sgx(w, "sgx", &e->quote.sgx);
    }
    put_auth(w, e);
    atls_jw_uint(w, "trailing_len", e->quote.trailing_len);
    if (w->buf->failed) {
        return atls_fail(err, ATLS_E_MEMORY, "inspect", NULL);
    }
    return true;
}
