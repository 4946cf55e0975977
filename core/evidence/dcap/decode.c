/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: quote bytes to dcap_quote, table by table of the specification's section 2.
 *
 * Everything is read through cursors that name the field; whatever fails is QUOTE_FORMAT. Lengths inside the
 * authentication data must fit exactly, at both levels: slack there would be bytes that no signature covers and no
 * reader looks at. After the authentication data anything may follow: kernels and clouds pad. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "dcap.h"

#define HEADER_LEN               48u
#define ATT_KEY_ECDSA_P256       2u
#define OUTER_CERTIFICATION_TYPE 6u
#define SGX_REPORT_LEN           384u
#define TD_REPORT_10_LEN         584u
#define TD_REPORT_15_LEN         648u

enum {
    BODY_SGX = 1,
    BODY_TD_10 = 2,
    BODY_TD_15 = 3,
};

static const uint8_t intel_qe_vendor_id[16] = {
    0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9, 0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
};

/* Tables of the specification: one field a line. */
/* clang-format off */
static bool read_header(atls_cur *quote, dcap_quote *q)
{
    atls_cur c;
    return atls_cur_child(quote, "header", HEADER_LEN, "header", &c)
           && atls_cur_u16le(&c, "version", &q->version)
           && atls_cur_u16le(&c, "att_key_type", &q->att_key_type)
           && atls_cur_u32le(&c, "tee_type", &q->tee_type)
           && atls_cur_skip(&c, "reserved", 4) /* version 3: QE and PCE SVN, never used for the TCB */
           && atls_cur_copy(&c, "qe_vendor_id", q->qe_vendor_id, sizeof q->qe_vendor_id)
           && atls_cur_copy(&c, "user_data", q->user_data, sizeof q->user_data)
           && atls_cur_end(&c);
}

/* clang-format on */
static bool unsupported(atls_error *err, const char *field, const char *expected, uint32_t actual)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, actual);
    return atls_fail_unsupported(err, ATLS_E_QUOTE_FORMAT, field, expected, text, NULL);
}

static bool wrong_number(atls_error *err, const char *field, const char *expected, uint32_t actual)
{
    char text[16];
    snprintf(text, sizeof text, "%" PRIu32, actual);
    return atls_fail_values(err, ATLS_E_QUOTE_FORMAT, field, expected, text, NULL);
}

static bool check_header(const dcap_quote *q, atls_error *err)
{
    if (q->version < 3 || q->version > 5) {
        return unsupported(err, "header.version", "3, 4 or 5", q->version);
    }
    if (q->att_key_type != ATT_KEY_ECDSA_P256) {
        return unsupported(err, "header.att_key_type", "2", q->att_key_type);
    }
    if (q->tee_type != DCAP_TEE_SGX && q->tee_type != DCAP_TEE_TDX) {
        return unsupported(err, "header.tee_type", "0 or 129", q->tee_type);
    }
    if (q->version == 3 && q->tee_type != DCAP_TEE_SGX) {
        return wrong_number(err, "header.tee_type", "0 in version 3", q->tee_type);
    }
    atls_bytes expected = atls_bytes_of(intel_qe_vendor_id, sizeof intel_qe_vendor_id);
    atls_bytes actual = atls_bytes_of(q->qe_vendor_id, sizeof q->qe_vendor_id);
    if (!atls_bytes_equal(expected, actual)) {
        return atls_fail_bytes(err, ATLS_E_QUOTE_FORMAT, "header.qe_vendor_id", expected, actual, NULL);
    }
    return true;
}

/* clang-format off */
static bool read_sgx_report(atls_bytes in, const char *prefix, atls_sgx_report *r, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, prefix, err);
    return atls_cur_copy(&c, "cpusvn", r->cpusvn, sizeof r->cpusvn)
           && atls_cur_copy(&c, "miscselect", r->miscselect, sizeof r->miscselect)
           && atls_cur_skip(&c, "reserved1", 28)
           && atls_cur_copy(&c, "attributes", r->attributes, sizeof r->attributes)
           && atls_cur_copy(&c, "mrenclave", r->mrenclave, sizeof r->mrenclave)
           && atls_cur_skip(&c, "reserved2", 32)
           && atls_cur_copy(&c, "mrsigner", r->mrsigner, sizeof r->mrsigner)
           && atls_cur_skip(&c, "reserved3", 96)
           && atls_cur_u16le(&c, "isvprodid", &r->isvprodid)
           && atls_cur_u16le(&c, "isvsvn", &r->isvsvn)
           && atls_cur_skip(&c, "reserved4", 60)
           && atls_cur_copy(&c, "reportdata", r->reportdata, sizeof r->reportdata)
           && atls_cur_end(&c);
}

static bool read_td_report_15(atls_cur *c, atls_td_report *r)
{
    return !r->is_15
           || (atls_cur_copy(c, "tee_tcb_svn2", r->tee_tcb_svn2, sizeof r->tee_tcb_svn2)
               && atls_cur_copy(c, "mrservicetd", r->mrservicetd, sizeof r->mrservicetd));
}

static bool read_td_report(atls_bytes in, atls_td_report *r, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, "body", err);
    return atls_cur_copy(&c, "tee_tcb_svn", r->tee_tcb_svn, sizeof r->tee_tcb_svn)
           && atls_cur_copy(&c, "mrseam", r->mrseam, sizeof r->mrseam)
           && atls_cur_copy(&c, "mrsignerseam", r->mrsignerseam, sizeof r->mrsignerseam)
           && atls_cur_copy(&c, "seamattributes", r->seamattributes, sizeof r->seamattributes)
           && atls_cur_copy(&c, "tdattributes", r->tdattributes, sizeof r->tdattributes)
           && atls_cur_copy(&c, "xfam", r->xfam, sizeof r->xfam)
           && atls_cur_copy(&c, "mrtd", r->mrtd, sizeof r->mrtd)
           && atls_cur_copy(&c, "mrconfigid", r->mrconfigid, sizeof r->mrconfigid)
           && atls_cur_copy(&c, "mrowner", r->mrowner, sizeof r->mrowner)
           && atls_cur_copy(&c, "mrownerconfig", r->mrownerconfig, sizeof r->mrownerconfig)
           && atls_cur_copy(&c, "rtmr0", r->rtmr[0], sizeof r->rtmr[0])
           && atls_cur_copy(&c, "rtmr1", r->rtmr[1], sizeof r->rtmr[1])
           && atls_cur_copy(&c, "rtmr2", r->rtmr[2], sizeof r->rtmr[2])
           && atls_cur_copy(&c, "rtmr3", r->rtmr[3], sizeof r->rtmr[3])
           && atls_cur_copy(&c, "reportdata", r->reportdata, sizeof r->reportdata)
           && read_td_report_15(&c, r)
           && atls_cur_end(&c);
}

/* clang-format on */
static uint32_t body_len(uint16_t type)
{
    switch (type) {
    case BODY_SGX:
        return SGX_REPORT_LEN;
    case BODY_TD_10:
        return TD_REPORT_10_LEN;
    case BODY_TD_15:
        return TD_REPORT_15_LEN;
    default:
        return 0;
    }
}

/* Version 5 says in six bytes what follows; they are signed with the rest, and must agree with the header (2.2). */
static bool read_body_descriptor(atls_cur *c, dcap_quote *q)
{
    uint32_t size;
    if (!atls_cur_u16le(c, "body.type", &q->body_type) || !atls_cur_u32le(c, "body.size", &size)) {
        return false;
    }
    if (body_len(q->body_type) == 0) {
        return unsupported(c->err, "body.type", "1, 2 or 3", q->body_type);
    }
    bool is_sgx = q->tee_type == DCAP_TEE_SGX;
    if (is_sgx != (q->body_type == BODY_SGX)) {
        return wrong_number(c->err, "body.type", is_sgx ? "1 for SGX" : "2 or 3 for TDX", q->body_type);
    }
    if (size != body_len(q->body_type)) {
        char expected[16];
        snprintf(expected, sizeof expected, "%" PRIu32, body_len(q->body_type));
        return wrong_number(c->err, "body.size", expected, size);
    }
    return true;
}

static bool read_body(atls_cur *c, dcap_quote *q)
{
    q->body_type = q->tee_type == DCAP_TEE_SGX ? BODY_SGX : BODY_TD_10;
    if (q->version == 5 && !read_body_descriptor(c, q)) {
        return false;
    }
    atls_bytes body;
    if (!atls_cur_bytes(c, "body", body_len(q->body_type), &body)) {
        return false;
    }
    if (q->body_type == BODY_SGX) {
        return read_sgx_report(body, "body", &q->sgx, c->err);
    }
    q->td.is_15 = q->body_type == BODY_TD_15;
    return read_td_report(body, &q->td, c->err);
}

/* The signature covers the bytes as received, from the first to here (2.2). */
static bool mark_signed_span(atls_bytes in, const atls_cur *here, dcap_quote *q)
{
    atls_cur c;
    atls_cur_init(&c, in, "", here->err);
    return atls_cur_bytes(&c, "signed", atls_cur_offset(here), &q->signed_span);
}

static bool read_qe_auth(atls_cur *c, dcap_quote *q)
{
    uint16_t len;
    if (!atls_cur_u16le(c, "qe_auth_data.size", &len)) {
        return false;
    }
    if (len > ATLS_MAX_QE_AUTH_LEN) {
        return wrong_number(c->err, "auth.qe_auth_data.size", "at most 4096", len);
    }
    return atls_cur_bytes(c, "qe_auth_data", len, &q->qe_auth);
}

/* Types 1 to 5 lead to a PCK certificate; the content of types 1 to 4 is not looked at, because a wrong substitute
 * from outside fails at the QE report signature (2.6). */
static bool read_certification_data(atls_cur *c, dcap_quote *q)
{
    uint32_t size;
    if (!atls_cur_u16le(c, "certification_data.type", &q->cert_type)
        || !atls_cur_u32le(c, "certification_data.size", &size)) {
        return false;
    }
    if (q->cert_type < 1 || q->cert_type > 5) {
        return wrong_number(c->err, "auth.certification_data.type", "1 to 5", q->cert_type);
    }
    if (size > ATLS_MAX_CERTIFICATION_DATA_LEN) {
        return wrong_number(c->err, "auth.certification_data.size", "at most 32768", size);
    }
    return atls_cur_bytes(c, "certification_data", size, &q->cert_data);
}

/* What version 3 has inline and later versions have inside outer certification data of type 6. */
static bool read_qe_part(atls_cur *c, dcap_quote *q)
{
    return atls_cur_bytes(c, "qe_report", SGX_REPORT_LEN, &q->qe_report)
           && read_sgx_report(q->qe_report, "auth.qe_report", &q->qe, c->err)
           && atls_cur_bytes(c, "qe_report_signature", 64, &q->qe_signature) && read_qe_auth(c, q)
           && read_certification_data(c, q) && atls_cur_end(c);
}

static bool read_outer_certification_data(atls_cur *auth, dcap_quote *q)
{
    uint16_t type;
    uint32_t size;
    atls_cur c;
    if (!atls_cur_u16le(auth, "outer.type", &type) || !atls_cur_u32le(auth, "outer.size", &size)) {
        return false;
    }
    if (type != OUTER_CERTIFICATION_TYPE) {
        return wrong_number(auth->err, "auth.outer.type", "6", type);
    }
    return atls_cur_child(auth, "outer", size, "auth", &c) && atls_cur_end(auth) && read_qe_part(&c, q);
}

static bool read_auth(atls_cur *quote, dcap_quote *q)
{
    uint32_t len;
    atls_cur c;
    if (!atls_cur_u32le(quote, "auth.len", &len) || !atls_cur_child(quote, "auth.len", len, "auth", &c)
        || !atls_cur_bytes(&c, "signature", 64, &q->signature)
        || !atls_cur_bytes(&c, "attestation_key", 64, &q->att_key)) {
        return false;
    }
    return q->version == 3 ? read_qe_part(&c, q) : read_outer_certification_data(&c, q);
}

static bool read_quote(atls_bytes in, dcap_quote *q, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, "", err);
    if (in.len > ATLS_MAX_QUOTE_LEN) {
        return atls_fail(err, ATLS_E_QUOTE_FORMAT, "", "a quote has at most %u bytes", ATLS_MAX_QUOTE_LEN);
    }
    if (!read_header(&c, q) || !check_header(q, err) || !read_body(&c, q) || !mark_signed_span(in, &c, q)
        || !read_auth(&c, q)) {
        return false;
    }
    q->trailing_len = atls_cur_rest(&c).len;
    return true;
}

bool dcap_quote_decode(atls_bytes in, dcap_quote *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    out->raw = in;
    return read_quote(in, out, err) || atls_error_relabel(err, ATLS_E_QUOTE_FORMAT, "quote");
}
