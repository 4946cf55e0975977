/* SPDX-License-Identifier: Apache-2.0 */
/* hardware.c: how a report of the hardware names the attestation key (section 4; constellation section 8, "HCL report").
 *
 *   Azure   report data = SHA-256(runtime data), zeros; the runtime data lists the key as a JSON Web Key
 *   AWS     report data = SHA-512(SubjectPublicKeyInfo of the key)
 *   GCP     report data = extraData, zeros, where the quotes are over SHA-256(instance info || extraData) and the report is
 *           part of the instance info: says that the two belong together, not whose the key is */
#include <string.h>

#include "base/cursor.h"
#include "base/json.h"
#include "base/text.h"
#include "tpm.h"

/* ---- Azure's HCL blob ---- */

#define HCL_MAGIC       "HCLA"
#define HCL_HEADER_LEN  32u
#define HCL_REPORT_LEN  1184u /* the room for a report, whichever it is */
#define HCL_TDREPORT    1024u
#define HCL_PREFIX_LEN  20u /* of the runtime data, the length counted in data_size */
#define HCL_TYPE_SNP    2u
#define HCL_TYPE_TDX    4u
#define HCL_HASH_SHA256 1u

static bool fail_hcl(atls_error *err, const char *field, const char *message)
{
    return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, field, "%s", message);
}

static bool read_runtime_data(atls_cur *c, tpm_hcl *out)
{
    uint32_t data_size;
    uint32_t version;
    uint32_t type;
    uint32_t hash;
    uint32_t len;
    if (!atls_cur_u32le(c, "data_size", &data_size) || !atls_cur_u32le(c, "version", &version)
        || !atls_cur_u32le(c, "report_type", &type) || !atls_cur_u32le(c, "hash_type", &hash)
        || !atls_cur_u32le(c, "runtime_data_size", &len)) {
        return false;
    }
    if (type != HCL_TYPE_SNP && type != HCL_TYPE_TDX) {
        return atls_fail_unsupported(c->err, ATLS_E_EVIDENCE_FORMAT, "hcl.report_type", "2 (SNP) or 4 (TDX)",
                                     "something else", "reports of this type are not supported");
    }
    if (hash != HCL_HASH_SHA256) {
        return atls_fail_unsupported(c->err, ATLS_E_EVIDENCE_FORMAT, "hcl.hash_type", "1 (SHA-256)", "something else",
                                     "runtime data with this hash is not supported");
    }
    if (data_size < HCL_PREFIX_LEN || data_size - HCL_PREFIX_LEN != len) {
        return fail_hcl(c->err, "hcl.data_size", "the two lengths of the runtime data do not agree");
    }
    out->is_tdx = type == HCL_TYPE_TDX;
    return atls_cur_bytes(c, "runtime_data", len, &out->runtime_data);
}

/* What follows is the rest of the NV index. */
bool tpm_hcl_decode(atls_bytes in, tpm_hcl *out, atls_error *err)
{
    atls_cur c;
    atls_bytes header;
    *out = (tpm_hcl){.report = atls_bytes_empty(), .runtime_data = atls_bytes_empty()};
    atls_cur_init(&c, in, "hcl", err);
    if (!atls_cur_bytes(&c, "header", HCL_HEADER_LEN, &header)
        || !atls_cur_bytes(&c, "report", HCL_REPORT_LEN, &out->report) || !read_runtime_data(&c, out)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
    }
    if (memcmp(header.ptr, HCL_MAGIC, sizeof HCL_MAGIC - 1) != 0) {
        return fail_hcl(err, "hcl.header", "this does not begin with HCLA");
    }
    if (out->is_tdx) {
        out->report = atls_bytes_of(out->report.ptr, HCL_TDREPORT);
    }
    return true;
}

/* ---- the key in the runtime data ---- */

/* RFC 4648 section 5, without padding */
static bool decode_base64url(atls_bytes text, const char *field, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const size_t padding = (4 - text.len % 4) % 4;
    uint8_t *copy = padding == 3 ? NULL : atls_arena_raw(a, text.len + padding, err);
    if (copy == NULL) {
        return fail_hcl(err, field, "not base64url");
    }
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t ch = text.ptr[i];
        copy[i] = ch == '-' ? '+' : ch == '_' ? '/' : ch == '+' || ch == '/' ? '!' : ch;
    }
    memset(copy + text.len, '=', padding);
    return atls_base64_decode(atls_bytes_of(copy, text.len + padding), false, field, a, out, err);
}

static const atls_json *find_key(const atls_json *top)
{
    const atls_json *keys = atls_json_find(top, "keys");
    const atls_json *found = NULL;
    for (const atls_json *v = keys == NULL || keys->type != ATLS_JSON_ARRAY ? NULL : keys->child; v != NULL;
         v = v->next) {
        const atls_json *kid = atls_json_find(v, "kid");
        if (kid != NULL && kid->type == ATLS_JSON_STRING && atls_bytes_equal_str(kid->text, "HCLAkPub")) {
            if (found != NULL) {
                return NULL; /* which of the two would be a matter of taste */
            }
            found = v;
        }
    }
    return found;
}

static atls_bytes without_zeros(atls_bytes in)
{
    while (in.len > 0 && in.ptr[0] == 0) {
        in = atls_bytes_of(in.ptr + 1, in.len - 1);
    }
    return in;
}

static bool equal_exponent(atls_bytes e, uint32_t wanted)
{
    uint64_t value = 0;
    e = without_zeros(e);
    for (size_t i = 0; i < e.len && i < 5; i++) {
        value = value << 8 | e.ptr[i];
    }
    return e.len <= 4 && value == wanted;
}

#define KEY_FIELD "hardware.runtime_data.HCLAkPub"

static bool compare_key(const atls_json *key, const tpm_public *ak, atls_arena *a, atls_error *err)
{
    atls_bytes text[2];
    atls_bytes n = atls_bytes_empty();
    atls_bytes e = n;
    if (!atls_json_member_text(key, KEY_FIELD, "n", &text[0], err)
        || !atls_json_member_text(key, KEY_FIELD, "e", &text[1], err)
        || !decode_base64url(text[0], KEY_FIELD ".n", a, &n, err)
        || !decode_base64url(text[1], KEY_FIELD ".e", a, &e, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
    }
    if (ak->type != TPM_ALG_RSA) {
        return atls_fail_values(err, ATLS_E_KEY_NOT_AUTHENTICATED, KEY_FIELD, "ECC", "RSA",
                                "the hardware report vouches for a key of another type");
    }
    if (!atls_bytes_equal(without_zeros(n), without_zeros(ak->modulus))) {
        return atls_fail_bytes(err, ATLS_E_KEY_NOT_AUTHENTICATED, KEY_FIELD ".n", without_zeros(ak->modulus),
                               without_zeros(n), "the hardware report vouches for another key");
    }
    return equal_exponent(e, ak->exponent)
           || atls_fail(err, ATLS_E_KEY_NOT_AUTHENTICATED, KEY_FIELD ".e",
                        "the hardware report vouches for a key with another exponent");
}

bool tpm_runtime_key(atls_bytes runtime_data, const tpm_public *ak, atls_arena *a, atls_error *err)
{
    const atls_json *top;
    if (!atls_json_parse(runtime_data, "hardware.runtime_data", a, &top, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "");
    }
    const atls_json *key = find_key(top);
    if (key == NULL) {
        return atls_fail(err, ATLS_E_KEY_NOT_AUTHENTICATED, KEY_FIELD, "the runtime data does not name one such key");
    }
    return compare_key(key, ak, a, err);
}

/* ---- what the report must hold ---- */

#define SNP_REPORT_DATA_AT 0x50u
#define REPORT_DATA_FIELD  "hardware.report.report_data"

/* What the report must hold is only known from the report, which holds it as the quotes do: by their hash. It is a rumour
 * here; the appraisal of the report compares it with what is signed. */
static bool read_report_data(const tpm_evidence *e, const atls_crypto *c, uint8_t out[static 64], atls_error *err)
{
    const atls_bytes report = e->hardware.report;
    const atls_bytes extra = e->quotes[0].attest.extra_data;
    uint8_t digest[32];
    if (report.len < SNP_REPORT_DATA_AT + 64) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "hardware.report", "a report of %zu bytes", report.len);
    }
    const atls_bytes parts[] = {e->instance_info, atls_bytes_of(report.ptr + SNP_REPORT_DATA_AT, 32)};
    memcpy(out, report.ptr + SNP_REPORT_DATA_AT, 64);
    if (!atls_digest(c, ATLS_SHA256, parts, 2, digest, err)) {
        return false;
    }
    if (!atls_bytes_is_zero(atls_bytes_of(out + 32, 32))) {
        return atls_fail(err, ATLS_E_REPORT_DATA_MISMATCH, REPORT_DATA_FIELD, "the last 32 bytes are not zero");
    }
    return atls_bytes_equal(extra, atls_bytes_of(digest, sizeof digest))
           || atls_fail_bytes(err, ATLS_E_REPORT_DATA_MISMATCH, REPORT_DATA_FIELD, extra,
                              atls_bytes_of(digest, sizeof digest),
                              "the hardware report was not made for the value that the quotes were made for");
}

static bool make_report_data(const tpm_evidence *e, const atls_crypto *c, atls_arena *a, uint8_t out[static 64],
                             atls_error *err)
{
    const tpm_hardware *h = &e->hardware;
    memset(out, 0, 64);
    if (!h->names_key) {
        return read_report_data(e, c, out, err);
    }
    if (h->runtime_data.len == 0) {
        return atls_digest(c, ATLS_SHA512, &e->key.spki, 1, out, err);
    }
    return tpm_runtime_key(h->runtime_data, &e->ak, a, err)
           && atls_digest(c, ATLS_SHA256, &h->runtime_data, 1, out, err);
}

bool tpm_hardware_claim_make(const tpm_evidence *e, const atls_crypto *c, atls_arena *a, tpm_hardware_claim *out,
                             atls_error *err)
{
    *out = (tpm_hardware_claim){.report = atls_bytes_empty()};
    if (e->hardware.platform == ATLS_PLATFORM_NONE) {
        return true;
    }
    out->platform = e->hardware.platform;
    out->authenticates_key = e->hardware.names_key;
    out->report = e->hardware.report;
    out->certs = e->hardware.certs;
    out->n_certs = e->hardware.n_certs;
    return make_report_data(e, c, a, out->report_data, err);
}
