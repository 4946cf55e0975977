/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_variant.c: instance info and documents as Go's encoding/json writes them: names and order are Constellation's. */
#include "tpm_variant.h"

#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "evidence/constellation/document.h"

static const struct {
    const char *name;
    atls_tpm_source source;
} variants[] = {
    {"qemu-vtpm", ATLS_TPM_INFO_NULL},        {"aws-nitro-tpm", ATLS_TPM_INFO_GIVEN},
    {"aws-sev-snp", ATLS_TPM_INFO_SNP_KEY},   {"gcp-sev-es", ATLS_TPM_INFO_GIVEN},
    {"gcp-sev-snp", ATLS_TPM_INFO_SNP_VALUE}, {"azure-sev-snp", ATLS_TPM_INFO_HCL_SNP},
    {"azure-tdx", ATLS_TPM_INFO_HCL_TDX},     {"azure-trustedlaunch", ATLS_TPM_INFO_CERTIFICATE},
};

bool atls_tpm_source_of(const char *variant, atls_tpm_source *out, atls_error *err)
{
    *out = ATLS_TPM_INFO_NULL;
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (strcmp(variant, variants[i].name) == 0) {
            *out = variants[i].source;
            return true;
        }
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.variant",
                     "no variant whose documents are quotes of a TPM");
}

/* ---- writing ------------------------------------------------------------------------------------------------------ */

/* Go writes bytes as base64, and none as null. */
static void put_bytes(atls_jw *w, const char *name, atls_bytes in)
{
    if (in.len == 0) {
        atls_jw_null(w, name);
        return;
    }
    char *text = (char *)atls_arena_raw(w->buf->arena, constellation_base64_len(in.len) + 1, w->buf->err);
    if (text != NULL) {
        constellation_base64(in, text);
        atls_jw_str(w, name, text);
    }
}

static void put_pem(atls_buf *b, atls_bytes der)
{
    char *text = (char *)atls_arena_raw(b->arena, constellation_base64_len(der.len) + 1, b->err);
    if (text == NULL) {
        return;
    }
    constellation_base64(der, text);
    atls_buf_str(b, "-----BEGIN CERTIFICATE-----\n");
    for (const char *at = text; *at != '\0';) {
        const size_t n = strlen(at) < 64 ? strlen(at) : 64;
        atls_buf_format(b, "%.*s\n", (int)n, at);
        at += n;
    }
    atls_buf_str(b, "-----END CERTIFICATE-----\n");
}

/* ---- instance info ------------------------------------------------------------------------------------------------ */

/* Certificates from..to as PEM */
static void put_certificates(atls_jw *w, const char *name, const atls_tpm_document *in, size_t from, size_t to)
{
    atls_buf pem;
    atls_bytes text = atls_bytes_empty();
    atls_buf_init(&pem, w->buf->arena, w->buf->err);
    for (size_t i = from; i < to && i < in->n_hardware_certificates; i++) {
        put_pem(&pem, in->hardware_certificates[i]);
    }
    if (atls_buf_done(&pem, &text)) {
        put_bytes(w, name, text);
    }
}

static void put_snp(atls_jw *w, atls_tpm_source source, const atls_tpm_document *in, const char *given)
{
    const bool is_azure = source == ATLS_TPM_INFO_HCL_SNP;
    put_certificates(w, "ReportSigner", in, 0, 1);
    put_certificates(w, "CertChain", in, 1, ATLS_TPM_MAX_HARDWARE_CERTS);
    put_bytes(w, "AttestationReport", is_azure ? in->hardware_framed : in->hardware);
    if (is_azure) {
        atls_jw_open(w, "Azure", '{');
        put_bytes(w, "RuntimeData", in->runtime_data);
        atls_jw_str(w, "MAAToken", "");
        atls_jw_close(w, '}');
    } else {
        atls_jw_null(w, "Azure");
    }
    if (source == ATLS_TPM_INFO_SNP_VALUE) {
        atls_jw_raw(w, "GCP", atls_bytes_str(given == NULL ? "{}" : given));
    } else {
        atls_jw_null(w, "GCP");
    }
}

static void put_info(atls_jw *w, atls_tpm_source source, const atls_tpm_document *in, const char *given)
{
    atls_jw_open(w, NULL, '{');
    switch (source) {
    case ATLS_TPM_INFO_CERTIFICATE:
        put_bytes(w, "AkCert", in->certificate);
        atls_jw_null(w, "CA");
        break;
    case ATLS_TPM_INFO_HCL_TDX:
        put_bytes(w, "AttestationReport", in->hardware);
        put_bytes(w, "RuntimeData", in->runtime_data);
        break;
    default:
        put_snp(w, source, in, given);
        break;
    }
    atls_jw_close(w, '}');
}

static bool check_given(atls_tpm_source source, const char *given, atls_arena *arena, atls_error *err)
{
    const atls_json *top;
    atls_error why = {0};
    if (given == NULL) {
        return true;
    }
    if (source != ATLS_TPM_INFO_GIVEN && source != ATLS_TPM_INFO_SNP_VALUE) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.instance_info",
                         "the instance info of this variant is not given by options");
    }
    return (atls_json_parse(atls_bytes_str(given), "instance_info", arena, &top, &why) && top->type == ATLS_JSON_OBJECT)
           || atls_fail(err, ATLS_E_CONFIGURATION, "attester.tpm.instance_info", "not a JSON object");
}

bool atls_tpm_instance_write(atls_tpm_source source, const atls_tpm_document *in, const char *given, atls_arena *arena,
                             atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    if (!check_given(source, given, arena, err)) {
        return false;
    }
    if (source == ATLS_TPM_INFO_NULL || source == ATLS_TPM_INFO_GIVEN) {
        *out = given == NULL ? atls_bytes_empty() : atls_bytes_str(given);
        return true;
    }
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    put_info(&w, source, in, given);
    return atls_buf_done(&b, out);
}

bool atls_tpm_bound_value(atls_bytes instance_info, const uint8_t report_data[64], uint8_t out[32], atls_error *err)
{
    const atls_bytes parts[] = {instance_info, atls_bytes_of(report_data, 32)};
    atls_crypto *crypto = NULL;
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    const bool ok = atls_digest(crypto, ATLS_SHA256, parts, 2, out, err);
    atls_crypto_free(crypto);
    return ok;
}

/* ---- the document ------------------------------------------------------------------------------------------------- */

/* Go sorts the keys of a map as text. */
static void put_pcrs(atls_jw *w, const atls_tpm_quote *q)
{
    static const struct {
        const char *name;
        uint8_t i;
    } order[ATLS_TPM_N_PCRS] = {{"0", 0},   {"1", 1},   {"10", 10}, {"11", 11}, {"12", 12}, {"13", 13},
                                {"14", 14}, {"15", 15}, {"16", 16}, {"17", 17}, {"18", 18}, {"19", 19},
                                {"2", 2},   {"20", 20}, {"21", 21}, {"22", 22}, {"23", 23}, {"3", 3},
                                {"4", 4},   {"5", 5},   {"6", 6},   {"7", 7},   {"8", 8},   {"9", 9}};
    atls_jw_open(w, "pcrs", '{');
    atls_jw_uint(w, "hash", q->bank);
    atls_jw_open(w, "pcrs", '{');
    for (size_t k = 0; k < ATLS_TPM_N_PCRS; k++) {
        if ((q->pcrs >> order[k].i & 1u) != 0) {
            put_bytes(w, order[k].name, q->values[order[k].i]);
        }
    }
    atls_jw_close(w, '}');
    atls_jw_close(w, '}');
}

static void put_attestation(atls_jw *w, atls_tpm_source source, const atls_tpm_document *in)
{
    put_bytes(w, "ak_pub", in->public_area);
    atls_jw_open(w, "quotes", '[');
    for (size_t i = 0; i < in->n_quotes; i++) {
        atls_jw_open(w, NULL, '{');
        put_bytes(w, "quote", in->quotes[i].message);
        put_bytes(w, "raw_sig", in->quotes[i].signature);
        put_pcrs(w, &in->quotes[i]);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
    put_bytes(w, "event_log", in->event_log);
    if (in->certificate.len > 0 && source != ATLS_TPM_INFO_CERTIFICATE) {
        put_bytes(w, "ak_cert", in->certificate);
    }
    atls_jw_null(w, "TeeAttestation");
}

bool atls_tpm_variant_write(atls_tpm_source source, const atls_tpm_document *in, atls_bytes instance_info,
                            atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_open(&w, "Attestation", '{');
    put_attestation(&w, source, in);
    atls_jw_close(&w, '}');
    put_bytes(&w, "InstanceInfo", instance_info);
    atls_jw_close(&w, '}');
    return atls_buf_done(&b, out);
}
