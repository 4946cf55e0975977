/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: bytes to sevsnp_evidence. It reads like the table of the specification's section 1. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "sevsnp.h"

#define MIN_VERSION      2u
#define MAX_VERSION      5u
#define FIRST_WITH_CPUID 3u /* versions */
#define FIRST_WITH_MIT   5u

#define KEY_INFO_AUTHOR_KEY_EN (1u << 0)
#define KEY_INFO_MASK_CHIP_KEY (1u << 1)

#define AZURE_HEADER_LEN 20u
#define AZURE_TYPE_SNP   2u

/* Reserved bytes are kept, not judged: whoever changed them on the way must be told about the signature first. */
static bool read_reserved(atls_cur *c, const char *field, size_t n, sevsnp_report *out)
{
    struct sevsnp_reserved *r = &out->reserved[out->n_reserved++];
    r->field = field;
    return atls_cur_bytes(c, field, n, &r->bytes);
}

static bool read_version(atls_cur *c, atls_snp_report *b)
{
    char actual[16];
    if (!atls_cur_u32le(c, "version", &b->version)) {
        return false;
    }
    b->has_cpuid = b->version >= FIRST_WITH_CPUID;
    b->has_mit_vectors = b->version >= FIRST_WITH_MIT;
    if (b->version >= MIN_VERSION && b->version <= MAX_VERSION) {
        return true;
    }
    (void)snprintf(actual, sizeof actual, "%u", (unsigned)b->version);
    return atls_fail_unsupported(c->err, ATLS_E_EVIDENCE_FORMAT, "version", "2, 3, 4 or 5", actual,
                                 "a report of a version that is not supported");
}

/* 000 to 04F */
static bool read_head(atls_cur *c, sevsnp_report *out)
{
    atls_snp_report *b = &out->body;
    return read_version(c, b) && atls_cur_u32le(c, "guest_svn", &b->guest_svn)
           && atls_cur_u64le(c, "policy", &b->policy)
           && atls_cur_copy(c, "family_id", b->family_id, sizeof b->family_id)
           && atls_cur_copy(c, "image_id", b->image_id, sizeof b->image_id) && atls_cur_u32le(c, "vmpl", &b->vmpl)
           && atls_cur_u32le(c, "signature_algo", &b->signature_algo)
           && atls_cur_copy(c, "current_tcb", b->current_tcb.raw, sizeof b->current_tcb.raw)
           && atls_cur_u64le(c, "platform_info", &b->platform_info) && atls_cur_u32le(c, "key_info", &out->key_info)
           && read_reserved(c, "reserved_04c", 4, out);
}

/* 050 to 17F */
static bool read_identity(atls_cur *c, atls_snp_report *b)
{
    return atls_cur_copy(c, "report_data", b->report_data, sizeof b->report_data)
           && atls_cur_copy(c, "measurement", b->measurement, sizeof b->measurement)
           && atls_cur_copy(c, "host_data", b->host_data, sizeof b->host_data)
           && atls_cur_copy(c, "id_key_digest", b->id_key_digest, sizeof b->id_key_digest)
           && atls_cur_copy(c, "author_key_digest", b->author_key_digest, sizeof b->author_key_digest)
           && atls_cur_copy(c, "report_id", b->report_id, sizeof b->report_id)
           && atls_cur_copy(c, "report_id_ma", b->report_id_ma, sizeof b->report_id_ma);
}

/* 180 to 1DF */
static bool read_chip(atls_cur *c, sevsnp_report *out)
{
    atls_snp_report *b = &out->body;
    if (!atls_cur_copy(c, "reported_tcb", b->reported_tcb.raw, sizeof b->reported_tcb.raw)) {
        return false;
    }
    const bool ok = b->has_cpuid ? atls_cur_u8(c, "cpuid_family", &b->cpuid_family)
                                       && atls_cur_u8(c, "cpuid_model", &b->cpuid_model)
                                       && atls_cur_u8(c, "cpuid_stepping", &b->cpuid_stepping)
                                       && read_reserved(c, "reserved_18b", 21, out)
                                 : read_reserved(c, "reserved_188", 24, out);
    return ok && atls_cur_copy(c, "chip_id", b->chip_id, sizeof b->chip_id);
}

static bool read_firmware(atls_cur *c, const char *field, atls_snp_version *v)
{
    return atls_cur_u8(c, field, &v->build) && atls_cur_u8(c, field, &v->minor) && atls_cur_u8(c, field, &v->major);
}

/* 1E0 to 29F */
static bool read_firmwares(atls_cur *c, sevsnp_report *out)
{
    atls_snp_report *b = &out->body;
    const bool ok = atls_cur_copy(c, "committed_tcb", b->committed_tcb.raw, sizeof b->committed_tcb.raw)
                    && read_firmware(c, "current_version", &b->current) && read_reserved(c, "reserved_1eb", 1, out)
                    && read_firmware(c, "committed_version", &b->committed) && read_reserved(c, "reserved_1ef", 1, out)
                    && atls_cur_copy(c, "launch_tcb", b->launch_tcb.raw, sizeof b->launch_tcb.raw);
    if (!ok || !b->has_mit_vectors) {
        return ok && read_reserved(c, "reserved_1f8", 168, out);
    }
    return atls_cur_u64le(c, "launch_mit_vector", &b->launch_mit_vector)
           && atls_cur_u64le(c, "current_mit_vector", &b->current_mit_vector)
           && read_reserved(c, "reserved_208", 152, out);
}

static void read_key_info(sevsnp_report *out)
{
    out->body.author_key_en = (out->key_info & KEY_INFO_AUTHOR_KEY_EN) != 0;
    out->body.mask_chip_key = (out->key_info & KEY_INFO_MASK_CHIP_KEY) != 0;
    out->body.signing_key = (uint8_t)(out->key_info >> 2 & 7u);
}

static bool read_report(atls_bytes in, sevsnp_report *out, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, in, "", err);
    if (!read_head(&c, out) || !read_identity(&c, &out->body) || !read_chip(&c, out) || !read_firmwares(&c, out)
        || !atls_cur_bytes(&c, "signature.r", 72, &out->r) || !atls_cur_bytes(&c, "signature.s", 72, &out->s)
        || !read_reserved(&c, "reserved_330", 368, out) || !atls_cur_end(&c)) {
        return false;
    }
    read_key_info(out);
    out->raw = in;
    atls_cur_init(&c, in, "", err);
    return atls_cur_bytes(&c, "signed", SEVSNP_SIGNED_LEN, &out->signed_span);
}

bool sevsnp_report_decode(atls_bytes in, sevsnp_report *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    return read_report(in, out, err) || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "report");
}

/* What follows a report is a certificate table, or the evidence is refused: 20 bytes of Azure's framing are too short for
 * one, and its numbers and JSON are no entry that lies inside. */
static bool read_evidence(atls_bytes in, sevsnp_evidence *out, atls_error *err)
{
    atls_cur c;
    atls_bytes report;
    atls_cur_init(&c, in, "", err);
    return atls_cur_bytes(&c, "report", SEVSNP_REPORT_LEN, &report) && sevsnp_report_decode(report, &out->report, err)
           && sevsnp_table_decode(atls_cur_rest(&c), &out->table, err);
}

bool sevsnp_evidence_decode(atls_bytes in, sevsnp_evidence *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    if (in.len > SEVSNP_MAX_EVIDENCE_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "report", "evidence of %zu bytes; at most %u", in.len,
                         SEVSNP_MAX_EVIDENCE_LEN);
    }
    return read_evidence(in, out, err) || atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
}

/* ---- Azure ---- */

/* struct { u32 data_size; u32 version; u32 report_type; u32 hash_type; u32 variable_data_size; } */
static bool read_azure_header(atls_cur *c, uint32_t *variable_len)
{
    uint32_t size;
    uint32_t version;
    uint32_t report_type;
    uint32_t hash_type;
    if (!atls_cur_u32le(c, "data_size", &size) || !atls_cur_u32le(c, "version", &version)
        || !atls_cur_u32le(c, "report_type", &report_type) || !atls_cur_u32le(c, "hash_type", &hash_type)
        || !atls_cur_u32le(c, "variable_data_size", variable_len)) {
        return false;
    }
    const bool fits =
        report_type == AZURE_TYPE_SNP && size >= AZURE_HEADER_LEN && *variable_len == size - AZURE_HEADER_LEN;
    return fits
           || atls_cur_fail(c, ATLS_E_ENCODING, "header", NULL, NULL,
                            "not the header of runtime data beside an SEV-SNP report");
}

bool sevsnp_azure_report(atls_bytes in, atls_bytes *report, atls_bytes *runtime_data, atls_error *err)
{
    atls_cur c;
    uint32_t variable_len;
    atls_cur_init(&c, in, "", err);
    *report = *runtime_data = atls_bytes_empty();
    bool ok = atls_cur_bytes(&c, "report", SEVSNP_REPORT_LEN, report) && read_azure_header(&c, &variable_len);
    if (ok && c.rest.len > 0) {
        ok = atls_cur_bytes(&c, "runtime_data", variable_len, runtime_data) && atls_cur_end(&c);
    }
    if (!ok) {
        *report = *runtime_data = atls_bytes_empty();
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "azure");
    }
    return true;
}
