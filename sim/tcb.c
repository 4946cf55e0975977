/* SPDX-License-Identifier: Apache-2.0 */
/* tcb.c: TCB info and QE identity (DCAP section 4).
 *
 * level.<i>, module.<i> and qe_level.<i> say in few words what the documents then spell out; any member can afterwards
 * be edited by its path (doc.c). */
#include "sim/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY ((atls_time)86400)

static void put_time(atls_buf *b, const char *name, atls_time t)
{
    char text[ATLS_TIME_TEXT_SIZE];
    atls_time_format(t, text);
    atls_buf_format(b, "\"%s\":\"%s\"", name, text);
}

static void put_member_hex(atls_buf *b, const char *name, const uint8_t *bytes, size_t n)
{
    atls_buf_format(b, "\"%s\":", name);
    sim_doc_hex(b, atls_bytes_of(bytes, n));
}

/* put_rating writes what every level ends with: tcbDate, tcbStatus, advisoryIDs. The first level of a list is UpToDate,
 * the others are OutOfDate with an advisory. "none" leaves advisoryIDs out. */
static void put_rating(sim_op *o, const char *prefix, size_t i, const char *advisory, atls_buf *b)
{
    atls_time date = o->s->now - (atls_time)(200 + 300 * i) * DAY;
    const char *list = sim_get_text(o, i == 0 ? "none" : advisory, "%s.advisories", prefix);
    char word[64];
    put_time(b, "tcbDate", sim_get_time(o, date, "%s.date", prefix));
    atls_buf_format(b, ",\"tcbStatus\":\"%s\"",
                    sim_get_text(o, i == 0 ? "UpToDate" : "OutOfDate", "%s.status", prefix));
    if (strcmp(list, "none") != 0) {
        atls_buf_str(b, ",\"advisoryIDs\":[");
        for (size_t n = 0; sim_split(&list, word, sizeof word); n++) {
            atls_buf_format(b, "%s\"%s\"", n == 0 ? "" : ",", word);
        }
        atls_buf_str(b, "]");
    }
}

/* ---- TCB info ---- */

/* tcb_info.form: "sgx", "tdx" (version 3) or "v2" (SGX, flat); by default the room's own. */
static bool form_is(sim_op *o, const char *form)
{
    return strcmp(sim_get_text(o, o->s->tdx ? "tdx" : "sgx", "tcb_info.form"), form) == 0;
}

static void put_components(atls_buf *b, const char *name, const uint8_t svn[16])
{
    atls_buf_format(b, "\"%s\":[", name);
    for (size_t i = 0; i < 16; i++) {
        atls_buf_format(b, "%s{\"svn\":%u}", i == 0 ? "" : ",", svn[i]);
    }
    atls_buf_str(b, "]");
}

/* Level 0 is what the platform has; each further one is a step below in SGX components 1 and 2, PCESVN and the TDX
 * component that modules with an identity still answer for. */
static void put_level(sim_op *o, size_t i, atls_buf *b)
{
    char prefix[32];
    uint8_t sgx[16];
    uint8_t tdx[16] = {5, 0, 3};
    uint8_t step = (uint8_t)(i < 3 ? i : 3);
    (void)snprintf(prefix, sizeof prefix, "level.%zu", i);
    memcpy(sgx, sim_base_comp, sizeof sgx);
    sgx[0] = (uint8_t)(sgx[0] - step);
    sgx[1] = (uint8_t)(sgx[1] - step);
    tdx[2] = (uint8_t)(tdx[2] - step);
    sim_get_fixed(o, sgx, sizeof sgx, "%s.sgx", prefix);
    uint64_t pcesvn =
        sim_get_uint(o, SIM_BASE_PCESVN - (i < SIM_BASE_PCESVN ? i : SIM_BASE_PCESVN), "%s.pcesvn", prefix);
    atls_buf_str(b, "{\"tcb\":{");
    if (form_is(o, "v2")) {
        for (unsigned k = 0; k < 16; k++) {
            atls_buf_format(b, "\"sgxtcbcomp%02usvn\":%u,", k + 1, sgx[k]);
        }
        atls_buf_format(b, "\"pcesvn\":%llu},", (unsigned long long)pcesvn);
    } else {
        put_components(b, "sgxtcbcomponents", sgx);
        atls_buf_format(b, ",\"pcesvn\":%llu", (unsigned long long)pcesvn);
        if (form_is(o, "tdx")) {
            sim_get_fixed(o, tdx, sizeof tdx, "%s.tdx", prefix);
            atls_buf_str(b, ",");
            put_components(b, "tdxtcbcomponents", tdx);
        }
        atls_buf_str(b, "},");
    }
    put_rating(o, prefix, i, "INTEL-SA-00837", b);
    atls_buf_str(b, "}");
}

/* put_ranks writes levels that are told apart by isvsvn alone: of modules and of quoting enclaves. */
static void put_ranks(sim_op *o, const char *prefix, uint64_t n, uint64_t top, const char *advisory, atls_buf *b)
{
    atls_buf_str(b, "\"tcbLevels\":[");
    for (size_t i = 0; i < n; i++) {
        char path[64];
        (void)snprintf(path, sizeof path, "%s.%zu", prefix, i);
        uint64_t isvsvn = sim_get_uint(o, top > 2 * i ? top - 2 * i : 0, "%s.isvsvn", path);
        atls_buf_format(b, "%s{\"tcb\":{\"isvsvn\":%llu},", i == 0 ? "" : ",", (unsigned long long)isvsvn);
        put_rating(o, path, i, advisory, b);
        atls_buf_str(b, "}");
    }
    atls_buf_str(b, "]");
}

/* Module 0 is TDX_01, the module of the honest TD; module 1 is TDX_03. */
static void put_module(sim_op *o, size_t i, atls_buf *b)
{
    char prefix[32];
    char id[16];
    uint8_t mrsigner[48] = {0};
    (void)snprintf(prefix, sizeof prefix, "module.%zu", i);
    (void)snprintf(id, sizeof id, "TDX_%02zX", 2 * i + 1);
    sim_get_fixed(o, mrsigner, sizeof mrsigner, "%s.mrsigner", prefix);
    atls_buf_format(b, "{\"id\":\"%s\",", sim_get_text(o, id, "%s.id", prefix));
    put_member_hex(b, "mrsigner", mrsigner, sizeof mrsigner);
    atls_buf_str(b, ",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\",");
    uint64_t n = sim_get_uint(o, i == 0 ? 2 : 1, "%s.levels", prefix);
    strncat(prefix, ".level", sizeof prefix - strlen(prefix) - 1);
    put_ranks(o, prefix, n, i == 0 ? 6 : 3, "INTEL-SA-01036", b);
    atls_buf_str(b, "}");
}

static void put_modules(sim_op *o, atls_buf *b)
{
    atls_buf_str(b, ",\"tdxModule\":{");
    put_member_hex(b, "mrsigner", (const uint8_t[48]){0}, 48);
    atls_buf_str(b, ",\"attributes\":\"0000000000000000\",\"attributesMask\":\"FFFFFFFFFFFFFFFF\"}");
    uint64_t n = sim_get_uint(o, 2, "modules");
    if (n == 0) {
        return;
    }
    atls_buf_str(b, ",\"tdxModuleIdentities\":[");
    for (size_t i = 0; i < n; i++) {
        atls_buf_str(b, i == 0 ? "" : ",");
        put_module(o, i, b);
    }
    atls_buf_str(b, "]");
}

static atls_bytes tcb_info_text(sim_op *o)
{
    const sim_platform *p = &o->s->platform;
    atls_buf b = sim_buf(o);
    if (form_is(o, "v2")) {
        atls_buf_str(&b, "{\"version\":2,");
    } else {
        atls_buf_format(&b, "{\"id\":\"%s\",\"version\":3,", form_is(o, "tdx") ? "TDX" : "SGX");
    }
    put_time(&b, "issueDate", sim_get_time(o, o->s->now - 5 * DAY, "tcb_info_date.issue"));
    atls_buf_str(&b, ",");
    put_time(&b, "nextUpdate", sim_get_time(o, o->s->now + 25 * DAY, "tcb_info_date.next"));
    atls_buf_str(&b, ",");
    put_member_hex(&b, "fmspc", p->fmspc, sizeof p->fmspc);
    atls_buf_str(&b, ",");
    put_member_hex(&b, "pceId", p->pceid, sizeof p->pceid);
    atls_buf_str(&b, ",\"tcbType\":0,\"tcbEvaluationDataNumber\":17");
    if (form_is(o, "tdx")) {
        put_modules(o, &b);
    }
    atls_buf_str(&b, ",\"tcbLevels\":[");
    uint64_t n = sim_get_uint(o, 2, "levels");
    for (size_t i = 0; i < n; i++) {
        atls_buf_str(&b, i == 0 ? "" : ",");
        put_level(o, i, &b);
    }
    atls_buf_str(&b, "]}");
    return sim_done(&b);
}

/* ---- QE identity ---- */

static atls_bytes qe_identity_text(sim_op *o)
{
    uint8_t mrsigner[32];
    sim_derive(o, o->s->tdx ? "mrsigner td_qe" : "mrsigner qe", mrsigner, sizeof mrsigner);
    atls_buf b = sim_buf(o);
    atls_buf_format(&b, "{\"id\":\"%s\",\"version\":2,", o->s->tdx ? "TD_QE" : "QE");
    put_time(&b, "issueDate", sim_get_time(o, o->s->now - 6 * DAY, "qe_identity_date.issue"));
    atls_buf_str(&b, ",");
    put_time(&b, "nextUpdate", sim_get_time(o, o->s->now + 24 * DAY, "qe_identity_date.next"));
    atls_buf_str(&b, ",\"tcbEvaluationDataNumber\":17,\"miscselect\":\"00000000\",\"miscselectMask\":\"FFFFFFFF\","
                     "\"attributes\":\"11000000000000000000000000000000\","
                     "\"attributesMask\":\"FBFFFFFFFFFFFFFF0000000000000000\",");
    put_member_hex(&b, "mrsigner", mrsigner, sizeof mrsigner);
    atls_buf_format(&b, ",\"isvprodid\":%d,", o->s->tdx ? 2 : 1);
    put_ranks(o, "qe_level", sim_get_uint(o, 2, "qe_levels"), 8, "INTEL-SA-00615", &b);
    atls_buf_str(&b, "}");
    return sim_done(&b);
}

/* ---- signing ---- */

/* sign gives 128 hex digits; <name>.sig may be any spoiling of ec.c, or "der", or "upper". */
static atls_bytes sign(sim_op *o, const char *name, atls_bytes text)
{
    char path[64];
    uint8_t rs[96];
    const sim_key *key = sim_cert_key(o, sim_get_text(o, "tcb", "%s.signed_by", name));
    const char *how = sim_get_text(o, "", "%s.sig", name);
    bool form = strcmp(how, "der") == 0 || strcmp(how, "upper") == 0;
    (void)snprintf(path, sizeof path, "%s%s", name, form ? "" : ".sig");
    sim_sign(o, key, text, path, rs);
    atls_buf raw = sim_buf(o);
    if (strcmp(how, "der") == 0) {
        sim_sig_der(&raw, rs, key->half);
    } else {
        atls_buf_put(&raw, atls_bytes_of(rs, 2 * key->half));
    }
    atls_bytes bytes = sim_done(&raw);
    atls_buf b = sim_buf(o);
    for (size_t i = 0; i < bytes.len; i++) {
        atls_buf_format(&b, strcmp(how, "upper") == 0 ? "%02X" : "%02x", bytes.ptr[i]);
    }
    return sim_done(&b);
}

/* document edits, signs and then spoils one document; collateral.<name>=none leaves it out. */
static void document(sim_op *o, const char *name, atls_bytes text, atls_bytes *out, atls_bytes *signature)
{
    char path[64];
    atls_bytes final = sim_doc(o, name, text);
    (void)snprintf(path, sizeof path, "%s_signature", name);
    *signature = sim_raw(o, path, sign(o, name, final));
    *out = sim_raw(o, name, final);
    if (strcmp(sim_get_text(o, "", "collateral.%s", name), "none") == 0) {
        *out = atls_bytes_empty();
        *signature = atls_bytes_empty();
    }
}

void sim_collateral_make(sim_op *o)
{
    atls_dcap_collateral *c = &o->s->collateral;
    char issuer_chain[48];
    (void)snprintf(issuer_chain, sizeof issuer_chain, "%s,root", o->s->platform.ca);
    document(o, "tcb_info", tcb_info_text(o), &c->tcb_info, &c->tcb_info_signature);
    document(o, "qe_identity", qe_identity_text(o), &c->qe_identity, &c->qe_identity_signature);
    c->tcb_info_issuer_chain = sim_raw(o, "tcb_info_issuer_chain", sim_chain(o, "tcb", "tcb,root"));
    c->qe_identity_issuer_chain = sim_raw(o, "qe_identity_issuer_chain", sim_chain(o, "qe", "tcb,root"));
    c->pck_crl_issuer_chain = sim_raw(o, "pck_crl_issuer_chain", sim_chain(o, "crl", issuer_chain));
    c->pck_certificate_chain = sim_raw(o, "pck_certificate_chain", sim_chain(o, "pck", ""));
    sim_crls_make(o);
}
