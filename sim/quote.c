/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c: quotes of versions 3, 4 and 5 (DCAP section 2), every length and type of which can be made to lie. */
#include "sim/internal.h"

#include <stdlib.h>
#include <string.h>

/* The shape of one quote. Numbers that go on the wire are looked up where they are written. */
typedef struct shape {
    uint64_t version;
    uint64_t wire;    /* 3, 4 or 5: where the body stands */
    uint64_t layout;  /* of the authentication data: 3 flat, 4 wrapped in type 6 */
    const char *body; /* "sgx", "td10", "td15" */
    unsigned body_type;
    size_t body_len;
} shape;

static void set_body(sim_op *o, shape *sh, const char *body)
{
    sh->body = body;
    sh->body_type = strcmp(body, "td15") == 0 ? 3 : strcmp(body, "td10") == 0 ? 2 : 1;
    sh->body_len = sh->body_type == 3 ? SIM_TD15_LEN : sh->body_type == 2 ? SIM_TD10_LEN : SIM_SGX_LEN;
    if (sh->body_type == 1 && strcmp(body, "sgx") != 0) {
        sim_bad(o, "quote.body", "a body is sgx, td10 or td15");
    }
}

static shape make_shape(sim_op *o)
{
    static const char *const bodies[] = {"sgx", "td10", "td15"};
    shape sh = {.version = sim_get_uint(o, (uint64_t)o->s->kind, "quote.version")};
    bool known = sh.version >= 3 && sh.version <= 5;
    sh.wire = sim_get_uint(o, known ? sh.version : (uint64_t)o->s->kind, "quote.wire");
    sh.layout = sim_get_uint(o, sh.wire == 3 ? 3 : 4, "quote.layout");
    size_t body = o->s->kind == SIM_SGX_V3 ? 0 : o->s->kind == SIM_TDX_V4 ? 1 : 2;
    uint64_t type = sim_get_uint(o, 0, "quote.body_type");
    if (type >= 1 && type <= 3) {
        body = (size_t)type - 1;
    }
    set_body(o, &sh, sim_get_text(o, bodies[body], "quote.body"));
    return sh;
}

static void put_header(sim_op *o, const shape *sh, atls_buf *b)
{
    uint8_t reserved[4] = {0};
    uint8_t vendor[16] = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                          0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};
    uint8_t user_data[20] = {0};
    if (sh->wire == 3) { /* QE SVN, PCE SVN */
        reserved[0] = 8;
        reserved[2] = SIM_BASE_PCESVN;
    }
    sim_derive(o, "qe id", user_data, 16);
    sim_get_fixed(o, reserved, sizeof reserved, "quote.reserved");
    sim_get_fixed(o, vendor, sizeof vendor, "quote.qe_vendor_id");
    sim_get_fixed(o, user_data, sizeof user_data, "quote.user_data");
    sim_put_le(b, sh->version, 2);
    sim_put_le(b, sim_get_uint(o, 2, "quote.att_key_type"), 2);
    sim_put_le(b, sim_get_uint(o, o->s->tdx ? 0x81 : 0, "quote.tee_type"), 4);
    atls_buf_put(b, atls_bytes_of(reserved, sizeof reserved));
    atls_buf_put(b, atls_bytes_of(vendor, sizeof vendor));
    atls_buf_put(b, atls_bytes_of(user_data, sizeof user_data));
}

static void put_body(sim_op *o, const shape *sh, const uint8_t report_data[64], atls_buf *b)
{
    uint8_t body[SIM_TD15_LEN];
    if (sh->body_type == 1) {
        sim_sgx_report(o, report_data, body);
    } else {
        sim_td_report(o, report_data, body);
    }
    if (sh->wire == 5) {
        sim_put_le(b, sim_get_uint(o, sh->body_type, "quote.body_type"), 2);
        sim_put_le(b, sim_get_uint(o, sh->body_len, "quote.body_size"), 4);
    }
    atls_buf_put(b, atls_bytes_of(body, sh->body_len));
}

/* ---- authentication data ---- */

/* put_size writes a length that a setting may change: an absolute number, +N or -N. */
static void put_size(sim_op *o, const char *path, size_t n, size_t width, atls_buf *b)
{
    sim_put_le(b, sim_get_uint(o, n, "%s", path), width);
}

static void attestation_key(sim_op *o, uint8_t out[64])
{
    const sim_key *key = sim_key_of(o, "attestation", SIM_P256);
    const char *how = sim_get_text(o, "", "quote.att_key");
    memcpy(out, key->point + 1, 64);
    if (strcmp(how, "zero") == 0) {
        memset(out, 0, 64);
    } else if (strcmp(how, "off_curve") == 0) {
        out[63] ^= 0x01;
    } else if (how[0] != '\0') {
        sim_get_fixed(o, out, 64, "quote.att_key");
    }
}

static atls_bytes qe_auth(sim_op *o)
{
    atls_buf b = sim_buf(o);
    for (unsigned i = 0; i < 32; i++) {
        sim_put_u8(&b, i);
    }
    atls_bytes auth = sim_done(&b);
    (void)sim_get_bytes(o, &auth, "quote.qe_auth");
    return auth;
}

/* The QE's report data: SHA-256(attestation key, QE authentication data), then zeros; qe.hash spoils it. */
static void qe_report_data(sim_op *o, const uint8_t key[64], atls_bytes auth, uint8_t out[64])
{
    const char *how = sim_get_text(o, "", "qe.hash");
    const sim_key *other = sim_key_of(o, "other attestation", SIM_P256);
    atls_buf b = sim_buf(o);
    atls_buf_put(&b, atls_bytes_of(strcmp(how, "other") == 0 ? other->point + 1 : key, 64));
    atls_buf_put(&b, auth);
    memset(out, 0, 64);
    if (strcmp(how, "zero") != 0) {
        sim_sha256(sim_done(&b), out);
    }
    if (strcmp(how, "upper") == 0) {
        out[63] = 1;
    }
}

static atls_bytes derived(sim_op *o, size_t n)
{
    uint8_t *out = atls_arena_raw(o->a, n, &o->err);
    if (out == NULL) {
        return atls_bytes_empty();
    }
    sim_derive(o, "encrypted ppid", out, n);
    return atls_bytes_of(out, n);
}

/* Types 1 to 3: the PPID, plain or encrypted, and what it takes to ask for the certificate. */
static atls_bytes platform_data(sim_op *o, uint64_t type)
{
    const sim_platform *p = &o->s->platform;
    uint8_t ppid[16];
    memcpy(ppid, p->ppid, sizeof ppid);
    if (type == 1) {
        sim_get_fixed(o, ppid, sizeof ppid, "quote.ppid");
    }
    atls_buf b = sim_buf(o);
    atls_buf_put(&b, type == 1 ? atls_bytes_of(ppid, sizeof ppid) : derived(o, type == 2 ? 256 : 384));
    atls_buf_put(&b, atls_bytes_of(p->cpusvn, sizeof p->cpusvn));
    sim_put_le(&b, p->pcesvn, 2);
    atls_buf_put(&b, atls_bytes_of(p->pceid, sizeof p->pceid));
    return sim_done(&b);
}

static atls_bytes cert_data(sim_op *o, uint64_t type)
{
    const char *ca = o->s->platform.ca;
    bool platform = strcmp(ca, "platform_ca") == 0;
    atls_bytes data = atls_bytes_empty();
    if (sim_get_bytes(o, &data, "quote.cert_data")) {
        return data;
    }
    if (type >= 1 && type <= 3) {
        return platform_data(o, type);
    }
    return sim_chain(o, "quote", type == 4 ? "pck" : platform ? "pck,platform_ca,root" : "pck,processor_ca,root");
}

/* put_qe_part writes QE report, its signature, QE authentication data and certification data. */
static void put_qe_part(sim_op *o, const uint8_t key[64], atls_buf *b)
{
    uint8_t report_data[64];
    uint8_t report[SIM_SGX_LEN];
    uint8_t signature[96];
    uint64_t type = sim_get_uint(o, 5, "quote.cert_type");
    atls_bytes auth = qe_auth(o);
    atls_bytes certs = cert_data(o, type);
    qe_report_data(o, key, auth, report_data);
    sim_qe_report(o, report_data, report);
    sim_sign(o, sim_cert_key(o, sim_get_text(o, "pck", "qe.signed_by")), atls_bytes_of(report, sizeof report), "qe.sig",
             signature);
    atls_buf_put(b, atls_bytes_of(report, sizeof report));
    atls_buf_put(b, atls_bytes_of(signature, 64));
    put_size(o, "quote.qe_auth_size", auth.len, 2, b);
    atls_buf_put(b, auth);
    sim_put_le(b, type, 2);
    put_size(o, "quote.cert_size", certs.len, 4, b);
    atls_buf_put(b, certs);
}

static void put_slack(sim_op *o, const char *path, atls_buf *b)
{
    atls_bytes slack = atls_bytes_empty();
    (void)sim_get_bytes(o, &slack, "%s", path);
    atls_buf_put(b, slack);
}

static atls_bytes auth_data(sim_op *o, const shape *sh, atls_bytes signed_span)
{
    uint8_t signature[96];
    uint8_t key[64];
    atls_buf b = sim_buf(o);
    sim_sign(o, sim_key_of(o, "attestation", SIM_P256), signed_span, "quote.sig", signature);
    attestation_key(o, key);
    atls_buf_put(&b, atls_bytes_of(signature, 64));
    atls_buf_put(&b, atls_bytes_of(key, sizeof key));
    atls_buf inner = sim_buf(o);
    put_qe_part(o, key, &inner);
    if (sh->layout != 3) {
        put_slack(o, "quote.inner_slack", &inner);
    }
    atls_bytes qe_part = sim_done(&inner);
    if (sh->layout != 3) {
        sim_put_le(&b, sim_get_uint(o, 6, "quote.outer_type"), 2);
        put_size(o, "quote.outer_size", qe_part.len, 4, &b);
    }
    atls_buf_put(&b, qe_part);
    put_slack(o, "quote.auth_slack", &b);
    return sim_done(&b);
}

atls_bytes sim_quote_make(sim_op *o, const uint8_t report_data[64])
{
    shape sh = make_shape(o);
    atls_buf body = sim_buf(o);
    put_header(o, &sh, &body);
    put_body(o, &sh, report_data, &body);
    atls_bytes signed_span = sim_done(&body);
    atls_bytes auth = auth_data(o, &sh, signed_span);
    atls_buf b = sim_buf(o);
    atls_buf_put(&b, signed_span);
    put_size(o, "quote.auth_len", auth.len, 4, &b);
    atls_buf_put(&b, auth);
    put_slack(o, "quote.trailing", &b);
    return sim_raw(o, "quote", sim_done(&b));
}
