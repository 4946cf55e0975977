/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: what was authenticated of a quote, as members of a result; docs/json.md is the schema. What an inspection shows
 * in the same way is written here too.
 *
 * Members of "td" and "sgx" are named as the members of a policy, so that a value can be carried from one to the other. */
#include "base/json.h"
#include "proof.h"

static void put_bytes(atls_jw *w, const char *name, const uint8_t *bytes, size_t n)
{
    atls_jw_hex(w, name, atls_bytes_of(bytes, n));
}

#define PUT_FIELD(name, member, width) put_bytes(w, name, r->member, width);

void dcap_put_td(atls_jw *w, const atls_td_report *r)
{
    atls_jw_open(w, "td", '{');
    ATLS_TD_FIELDS(PUT_FIELD)
    if (r->is_15) {
        ATLS_TD15_FIELDS(PUT_FIELD)
    }
    atls_jw_close(w, '}');
}

void dcap_put_sgx(atls_jw *w, const char *name, const atls_sgx_report *r)
{
    atls_jw_open(w, name, '{');
    ATLS_SGX_FIELDS(PUT_FIELD)
    atls_jw_uint(w, "isvprodid", r->isvprodid);
    atls_jw_uint(w, "isvsvn", r->isvsvn);
    atls_jw_close(w, '}');
}

void dcap_put_extension(atls_jw *w, const dcap_pck *p)
{
    put_bytes(w, "ppid", p->ppid, sizeof p->ppid);
    put_bytes(w, "fmspc", p->fmspc, sizeof p->fmspc);
    put_bytes(w, "pceid", p->pceid, sizeof p->pceid);
    put_bytes(w, "cpusvn", p->cpusvn, sizeof p->cpusvn);
    put_bytes(w, "tcb_components", p->comp, sizeof p->comp);
    atls_jw_uint(w, "pcesvn", p->pcesvn);
    atls_jw_uint(w, "sgx_type", p->sgx_type);
    if (p->has_platform_info) {
        put_bytes(w, "platform_instance_id", p->platform_instance_id, sizeof p->platform_instance_id);
        atls_jw_bool(w, "dynamic_platform", p->dynamic_platform);
        atls_jw_bool(w, "cached_keys", p->cached_keys);
        atls_jw_bool(w, "smt_enabled", p->smt_enabled);
    }
}

static void put_quote(atls_jw *w, const atls_dcap_claims *c)
{
    atls_jw_open(w, "quote", '{');
    atls_jw_uint(w, "version", c->quote_version);
    put_bytes(w, "qe_vendor_id", c->qe_vendor_id, sizeof c->qe_vendor_id);
    put_bytes(w, "user_data", c->user_data, sizeof c->user_data);
    atls_jw_uint(w, "certification_data_type", c->certification_data_type);
    atls_jw_uint(w, "qe_auth_data_len", c->qe_auth_data_len);
    atls_jw_uint(w, "trailing_len", c->trailing_len);
    atls_jw_close(w, '}');
}

static void put_pck(atls_jw *w, const atls_dcap_claims *c)
{
    atls_jw_open(w, "pck", '{');
    atls_jw_str(w, "ca", c->pck_ca == NULL ? "" : c->pck_ca);
    atls_jw_hex(w, "serial", c->pck_serial);
    put_bytes(w, "ppid", c->ppid, sizeof c->ppid);
    put_bytes(w, "fmspc", c->fmspc, sizeof c->fmspc);
    put_bytes(w, "pceid", c->pceid, sizeof c->pceid);
    put_bytes(w, "cpusvn", c->cpusvn, sizeof c->cpusvn);
    put_bytes(w, "tcb_components", c->tcb_comp, sizeof c->tcb_comp);
    atls_jw_uint(w, "pcesvn", c->pcesvn);
    atls_jw_uint(w, "sgx_type", c->sgx_type);
    if (c->has_platform_info) {
        put_bytes(w, "platform_instance_id", c->platform_instance_id, sizeof c->platform_instance_id);
        atls_jw_bool(w, "dynamic_platform", c->dynamic_platform);
        atls_jw_bool(w, "cached_keys", c->cached_keys);
        atls_jw_bool(w, "smt_enabled", c->smt_enabled);
    }
    atls_jw_close(w, '}');
}

static void put_endorsements(atls_jw *w, const atls_dcap_claims *c)
{
    atls_jw_open(w, "endorsements", '{');
    atls_jw_time(w, "earliest_issue", c->earliest_issue);
    atls_jw_time(w, "latest_issue", c->latest_issue);
    atls_jw_time(w, "earliest_expiration", c->earliest_expiration);
    put_bytes(w, "root_sha256", c->root_sha256, sizeof c->root_sha256);
    put_bytes(w, "root_key_id", c->root_key_id, sizeof c->root_key_id);
    atls_jw_close(w, '}');
}

void dcap_put_claims(atls_jw *w, const atls_claims *claims)
{
    const atls_dcap_claims *c = &claims->dcap;
    put_quote(w, c);
    if (c->is_tdx) {
        dcap_put_td(w, &c->td);
        atls_jw_str(w, "tdx_module", c->tdx_module_id);
    } else {
        dcap_put_sgx(w, "sgx", &c->sgx);
    }
    dcap_put_sgx(w, "qe", &c->qe);
    put_pck(w, c);
    put_endorsements(w, c);
}
