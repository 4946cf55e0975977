/* SPDX-License-Identifier: Apache-2.0 */
/* pck.c: the SGX extension of a PCK certificate (specification section 3).
 *
 * A SEQUENCE of pairs {OID, value}, all under one prefix. Every entry is known, comes once, has its one type and
 * length; there are five of them, or seven under the Platform CA. Nothing is optional within an entry. */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "dcap.h"

/* 1.2.840.113741.1.13.1, content octets */
static const uint8_t sgx_oid[] = {0x2a, 0x86, 0x48, 0x86, 0xf8, 0x4d, 0x01, 0x0d, 0x01};

/* arcs below it */
enum {
    PPID = 1,
    TCB = 2,
    PCEID = 3,
    FMSPC = 4,
    SGX_TYPE = 5,
    PLATFORM_INSTANCE_ID = 6,
    CONFIGURATION = 7,
};
#define TCB_PCESVN   17u
#define TCB_CPUSVN   18u
#define MAX_SGX_TYPE 2u

/* A list of pairs being read: which arcs have been seen. */
typedef struct pairs {
    atls_cur list;
    const uint8_t *prefix; /* arcs that every OID starts with, the last one being that of the list */
    size_t prefix_len;
    unsigned max_arc;
    unsigned long seen; /* bit of each arc */
} pairs;

/* Opens the next {OID, value} pair; *pair is left before the value. */
static bool next_pair(pairs *p, unsigned *arc, atls_cur *pair)
{
    atls_bytes oid;
    if (!atls_der_nested(&p->list, "", ATLS_DER_SEQUENCE, pair) || !atls_der_oid(pair, "oid", &oid)) {
        return false;
    }
    bool ours = oid.len == p->prefix_len + 1 && memcmp(oid.ptr, p->prefix, p->prefix_len) == 0;
    *arc = ours ? oid.ptr[p->prefix_len] : 0;
    if (*arc < 1 || *arc > p->max_arc) {
        return atls_fail(p->list.err, ATLS_E_ENCODING, "sgx_extension", "an entry that the extension does not have");
    }
    if ((p->seen >> *arc & 1) != 0) {
        return atls_fail(p->list.err, ATLS_E_ENCODING, "sgx_extension", "entry %u comes twice", *arc);
    }
    p->seen |= 1ul << *arc;
    return true;
}

static bool octets(atls_cur *pair, const char *field, uint8_t *out, size_t n)
{
    atls_bytes content;
    if (!atls_der_expect(pair, field, ATLS_DER_OCTET_STRING, &content)) {
        return false;
    }
    if (content.len != n) {
        char full[40];
        char expected[24];
        char actual[24];
        snprintf(full, sizeof full, "sgx_extension.%s", field);
        snprintf(expected, sizeof expected, "%zu bytes", n);
        snprintf(actual, sizeof actual, "%zu bytes", content.len);
        return atls_fail_values(pair->err, ATLS_E_ENCODING, full, expected, actual, NULL);
    }
    memcpy(out, content.ptr, n);
    return true;
}

static bool read_tcb_entry(atls_cur *pair, unsigned arc, dcap_pck *out)
{
    uint64_t value;
    if (arc == TCB_CPUSVN) {
        return octets(pair, "cpusvn", out->cpusvn, sizeof out->cpusvn);
    }
    if (arc == TCB_PCESVN) {
        if (!atls_der_uint(pair, "pcesvn", ATLS_DER_INTEGER, UINT16_MAX, &value)) {
            return false;
        }
        out->pcesvn = (uint16_t)value;
        return true;
    }
    if (!atls_der_uint(pair, "comp", ATLS_DER_INTEGER, UINT8_MAX, &value)) {
        return false;
    }
    out->comp[arc - 1] = (uint8_t)value;
    return true;
}

/* Tells whether arcs 1 to n are all there; names the first that is not. */
static bool has_all(const pairs *p, unsigned n, const char *field)
{
    for (unsigned arc = 1; arc <= n; arc++) {
        if ((p->seen >> arc & 1) == 0) {
            return atls_fail(p->list.err, ATLS_E_ENCODING, field, "entry %u is missing", arc);
        }
    }
    return true;
}

static bool read_tcb(atls_cur *outer, dcap_pck *out)
{
    uint8_t prefix[sizeof sgx_oid + 1];
    memcpy(prefix, sgx_oid, sizeof sgx_oid);
    prefix[sizeof sgx_oid] = TCB;
    pairs p = {.prefix = prefix, .prefix_len = sizeof prefix, .max_arc = TCB_CPUSVN};
    if (!atls_der_nested(outer, "tcb", ATLS_DER_SEQUENCE, &p.list)) {
        return false;
    }
    p.list.prefix = "sgx_extension.tcb";
    while (p.list.rest.len > 0) {
        unsigned arc;
        atls_cur pair;
        if (!next_pair(&p, &arc, &pair) || !read_tcb_entry(&pair, arc, out) || !atls_cur_end(&pair)) {
            return false;
        }
    }
    return has_all(&p, TCB_CPUSVN, "sgx_extension.tcb");
}

static bool read_configuration(atls_cur *outer, dcap_pck *out)
{
    uint8_t prefix[sizeof sgx_oid + 1];
    memcpy(prefix, sgx_oid, sizeof sgx_oid);
    prefix[sizeof sgx_oid] = CONFIGURATION;
    pairs p = {.prefix = prefix, .prefix_len = sizeof prefix, .max_arc = 3};
    bool *const flags[] = {NULL, &out->dynamic_platform, &out->cached_keys, &out->smt_enabled};
    if (!atls_der_nested(outer, "configuration", ATLS_DER_SEQUENCE, &p.list)) {
        return false;
    }
    while (p.list.rest.len > 0) {
        unsigned arc;
        atls_cur pair;
        if (!next_pair(&p, &arc, &pair) || !atls_der_bool(&pair, "configuration", flags[arc]) || !atls_cur_end(&pair)) {
            return false;
        }
    }
    return has_all(&p, 3, "sgx_extension.configuration");
}

static bool read_sgx_type(atls_cur *pair, dcap_pck *out)
{
    uint64_t value;
    if (!atls_der_uint(pair, "sgx_type", ATLS_DER_ENUMERATED, MAX_SGX_TYPE, &value)) {
        return false;
    }
    out->sgx_type = (uint8_t)value;
    return true;
}

static bool read_entry(atls_cur *pair, unsigned arc, dcap_pck *out)
{
    switch (arc) {
    case PPID:
        return octets(pair, "ppid", out->ppid, sizeof out->ppid);
    case TCB:
        return read_tcb(pair, out);
    case PCEID:
        return octets(pair, "pceid", out->pceid, sizeof out->pceid);
    case FMSPC:
        return octets(pair, "fmspc", out->fmspc, sizeof out->fmspc);
    case SGX_TYPE:
        return read_sgx_type(pair, out);
    case PLATFORM_INSTANCE_ID:
        return octets(pair, "platform_instance_id", out->platform_instance_id, sizeof out->platform_instance_id);
    default:
        return read_configuration(pair, out);
    }
}

static bool read_extension(atls_bytes value, dcap_pck *out, atls_error *err)
{
    atls_cur whole;
    pairs p = {.prefix = sgx_oid, .prefix_len = sizeof sgx_oid, .max_arc = CONFIGURATION};
    atls_cur_init(&whole, value, "sgx_extension", err);
    if (!atls_der_nested(&whole, "", ATLS_DER_SEQUENCE, &p.list) || !atls_cur_end(&whole)) {
        return false;
    }
    while (p.list.rest.len > 0) {
        unsigned arc;
        atls_cur pair;
        if (!next_pair(&p, &arc, &pair) || !read_entry(&pair, arc, out) || !atls_cur_end(&pair)) {
            return false;
        }
    }
    /* the last two come together: five entries or seven */
    out->has_platform_info = p.seen >> PLATFORM_INSTANCE_ID != 0;
    return has_all(&p, out->has_platform_info ? CONFIGURATION : SGX_TYPE, "sgx_extension");
}

bool dcap_pck_decode(const atls_cert *cert, dcap_pck *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    const atls_extension *e = atls_cert_extension(cert, atls_bytes_of(sgx_oid, sizeof sgx_oid));
    if (e == NULL) {
        return atls_fail(err, ATLS_E_PCK_CHAIN, "pck.sgx_extension", "the certificate has no SGX extension");
    }
    return read_extension(e->value, out, err) || atls_error_relabel(err, ATLS_E_PCK_CHAIN, "pck");
}
