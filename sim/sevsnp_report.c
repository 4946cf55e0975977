/* SPDX-License-Identifier: Apache-2.0 */
/* sevsnp_report.c: reports (56860, "Attestation Report") and the certificate table behind extended ones. Every field can be
 * set before the report is signed: report.<field>; raw.report changes it afterwards. */
#include <stdio.h>
#include <string.h>

#include "sim/sevsnp_internal.h"

/* ---- what report and certificates have in common ---- */

void sim_snp_tcb_base(const sim_snp *s, uint8_t tcb[8])
{
    static const uint8_t early[8] = {10, 0, 0, 0, 0, 0, 23, 84};
    static const uint8_t late[8] = {1, 10, 0, 23, 0, 0, 0, 84};
    memcpy(tcb, s->product == ATLS_SNP_TURIN ? late : early, 8);
}

void sim_snp_hwid(sim_op *o, uint8_t out[64])
{
    memset(out, 0, 64);
    sim_derive(o, "snp hwid", out, sim_snp_of(o)->product == ATLS_SNP_TURIN ? 8 : 64);
}

void sim_snp_measurement(sim_op *o, uint8_t out[48])
{
    sim_derive(o, "snp measurement", out, 48);
    sim_get_fixed(o, out, 48, "report.measurement");
}

/* ---- the report ---- */

static void put_fixed(sim_op *o, uint8_t *r, size_t at, size_t n, const char *field)
{
    sim_get_fixed(o, r + at, n, "report.%s", field);
}

static void put_le(uint8_t *out, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        out[i] = (uint8_t)(v >> (8 * i));
    }
}

static void put_uint(sim_op *o, uint8_t *r, size_t at, size_t n, uint64_t def, const char *field)
{
    put_le(r + at, sim_get_uint(o, def, "report.%s", field), n);
}

static void put_tcbs(sim_op *o, uint8_t *r)
{
    static const struct {
        size_t at;
        const char *field;
    } tcbs[] = {{0x038, "current_tcb"}, {0x180, "reported_tcb"}, {0x1e0, "committed_tcb"}, {0x1f0, "launch_tcb"}};
    for (size_t i = 0; i < sizeof tcbs / sizeof tcbs[0]; i++) {
        sim_snp_tcb_base(sim_snp_of(o), r + tcbs[i].at);
        put_fixed(o, r, tcbs[i].at, 8, tcbs[i].field);
    }
}

static void put_cpuid(sim_op *o, uint8_t *r)
{
    static const uint8_t cpuid[ATLS_SNP_N_PRODUCTS][3] = {[ATLS_SNP_MILAN] = {0x19, 0x01, 0x01},
                                                          [ATLS_SNP_GENOA] = {0x19, 0x11, 0x01},
                                                          [ATLS_SNP_TURIN] = {0x1a, 0x02, 0x01}};
    if (sim_snp_of(o)->version >= 3) {
        memcpy(r + 0x188, cpuid[sim_snp_of(o)->product], 3);
    }
    put_fixed(o, r, 0x188, 3, "cpuid");
}

static void put_identity(sim_op *o, uint8_t *r, const uint8_t report_data[64])
{
    memcpy(r + 0x050, report_data, 64);
    put_fixed(o, r, 0x050, 64, "report_data");
    sim_snp_measurement(o, r + 0x090);
    put_fixed(o, r, 0x0c0, 32, "host_data");
    put_fixed(o, r, 0x0e0, 48, "id_key_digest");
    put_fixed(o, r, 0x110, 48, "author_key_digest");
    sim_derive(o, "snp report id", r + 0x140, 32);
    put_fixed(o, r, 0x140, 32, "report_id");
    memset(r + 0x160, 0xff, 32);
    put_fixed(o, r, 0x160, 32, "report_id_ma");
}

static void put_head(sim_op *o, uint8_t *r)
{
    put_uint(o, r, 0x000, 4, sim_snp_of(o)->version, "version");
    put_uint(o, r, 0x004, 4, 3, "guest_svn");
    put_uint(o, r, 0x008, 8, 0x30000, "policy");
    put_fixed(o, r, 0x010, 16, "family_id");
    put_fixed(o, r, 0x020, 16, "image_id");
    put_uint(o, r, 0x030, 4, 0, "vmpl");
    put_uint(o, r, 0x034, 4, 1, "signature_algo");
    put_uint(o, r, 0x040, 8, 0x25, "platform_info");
    put_uint(o, r, 0x048, 4, sim_snp_of(o)->is_vlek ? 4 : 0, "key_info");
}

/* build, minor, major */
static void put_versions(sim_op *o, uint8_t *r)
{
    static const uint8_t version[3] = {21, 55, 1};
    memcpy(r + 0x1e8, version, sizeof version);
    memcpy(r + 0x1ec, version, sizeof version);
    put_fixed(o, r, 0x1e8, 3, "current_version");
    put_fixed(o, r, 0x1ec, 3, "committed_version");
    if (sim_snp_of(o)->version >= 5) {
        put_uint(o, r, 0x1f8, 8, 0xb, "launch_mit_vector");
        put_uint(o, r, 0x200, 8, 0xb, "current_mit_vector");
    }
}

/* Bytes of any offset, "report.at.<hex offset>", for what has no name. */
static void put_at(sim_op *o, uint8_t *r)
{
    static const unsigned offsets[] = {0x04c, 0x188, 0x18b, 0x1eb, 0x1ef, 0x1f8, 0x208, 0x29f};
    for (size_t i = 0; i < sizeof offsets / sizeof offsets[0]; i++) {
        sim_get_fixed(o, r + offsets[i], 1, "report.at.%03x", offsets[i]);
    }
}

/* r || s, big-endian, to two times 72 bytes, little-endian. */
static void put_signature(sim_op *o, uint8_t *r)
{
    uint8_t rs[96];
    sim_sign384(o, sim_snp_leaf_key(o), atls_bytes_of(r, 0x2a0), "report.sig", rs);
    for (size_t i = 0; i < 48; i++) {
        r[0x2a0 + i] = rs[47 - i];
        r[0x2e8 + i] = rs[95 - i];
    }
}

atls_bytes sim_snp_report_make(sim_op *o, const uint8_t report_data[64])
{
    uint8_t *r = atls_arena_alloc(o->a, SIM_SNP_REPORT_LEN, &o->err);
    if (r == NULL) {
        return atls_bytes_empty();
    }
    put_head(o, r);
    put_identity(o, r, report_data);
    put_tcbs(o, r);
    put_cpuid(o, r);
    if (!sim_snp_of(o)->is_vlek) {
        sim_snp_hwid(o, r + 0x1a0);
    }
    put_fixed(o, r, 0x1a0, 64, "chip_id");
    put_versions(o, r);
    put_at(o, r);
    put_signature(o, r);
    return sim_raw(o, "report", atls_bytes_of(r, SIM_SNP_REPORT_LEN));
}

/* ---- the certificate table ---- */

typedef struct slot {
    const char *name;
    const char *guid;
} slot;

static const slot slots[] = {
    {"vcek", "63da758de6644564adc5f4b93be8accd"},  {"vlek", "a8074bc2a25a483eaae639c045a0b8a1"},
    {"ask", "4ab7b379bbac4fe4a02f05aef327c782"},   {"asvk", "4ab7b379bbac4fe4a02f05aef327c782"},
    {"ark", "c0b406a4a803495297433fb6014cd0ae"},   {"crl", "92f81bc358114d3d97ffd19f88dc67ea"},
    {"info", "ecae0c0f950243b1afa20ae2e0d565b6"},  {"other", "00000000000000000000000000000001"},
    {"empty", "00000000000000000000000000000002"},
};

static const slot *slot_of(sim_op *o, const char *name)
{
    for (size_t i = 0; i < sizeof slots / sizeof slots[0]; i++) {
        if (strcmp(slots[i].name, name) == 0) {
            return &slots[i];
        }
    }
    sim_bad(o, "table", "an entry is vcek, vlek, ask, asvk, ark, crl, info, other or empty");
    return &slots[0];
}

static atls_bytes content_of(sim_op *o, const char *name)
{
    const sim_cert *cert = sim_snp_cert_find(sim_snp_of(o), name);
    if (cert != NULL && sim_get(o, "table.pem") != NULL) {
        atls_buf pem = sim_buf(o);
        sim_pem_put(&pem, "CERTIFICATE", cert->der);
        return sim_done(&pem);
    }
    if (cert != NULL) {
        return cert->der;
    }
    if (strcmp(name, "crl") == 0) {
        return sim_snp_crl_make(o);
    }
    if (strcmp(name, "info") == 0) {
        return atls_bytes_of("\x08\x00\x00\x00\x11\x0f\xa1\x00", 8);
    }
    return strcmp(name, "other") == 0 ? atls_bytes_str("anything") : atls_bytes_empty();
}

/* table lists the entries in their order; table.pad puts zeros after each one's content. */
atls_bytes sim_snp_table_make(sim_op *o)
{
    enum { MAX_SLOTS = 40 };
    const bool vlek = sim_snp_of(o)->is_vlek;
    const char *list = sim_get_text(o, vlek ? "vlek,asvk,ark" : "vcek,ask,ark", "table");
    const uint64_t pad = sim_get_uint(o, 0, "table.pad");
    char word[16];
    atls_bytes content[MAX_SLOTS];
    const slot *entries[MAX_SLOTS];
    size_t n = 0;
    while (n < MAX_SLOTS && sim_split(&list, word, sizeof word)) {
        entries[n] = slot_of(o, word);
        content[n++] = content_of(o, word);
    }
    atls_buf b = sim_buf(o);
    uint64_t offset = 24 * (n + 1);
    for (size_t i = 0; i < n; i++) {
        atls_buf_put(&b, sim_value_bytes(o, "table", entries[i]->guid));
        sim_put_le(&b, content[i].len == 0 ? 0 : offset, 4);
        sim_put_le(&b, content[i].len, 4);
        offset += content[i].len + pad;
    }
    for (size_t i = 0; i < 24; i++) {
        sim_put_u8(&b, 0);
    }
    for (size_t i = 0; i < n; i++) {
        atls_buf_put(&b, content[i]);
        for (uint64_t k = 0; k < pad; k++) {
            sim_put_u8(&b, 0);
        }
    }
    return sim_raw(o, "table", sim_done(&b));
}
