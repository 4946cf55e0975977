/* SPDX-License-Identifier: Apache-2.0 */
/* instance.c: what Constellation carries beside a quote (constellation section 8, "InstanceInfo").
 *
 * The bytes are bound by the quote as they are, whatever they mean. Where they are JSON of a known shape, hardware evidence and
 * certificates are taken out of it; the shape says which cloud wrote it. A shape is a hint: what it leads to is judged by
 * itself. */
#include "base/json.h"
#include "base/text.h"
#include "tpm.h"

#define PREFIX         "InstanceInfo"
#define SNP_REPORT_LEN 1184u
#define HCL_HEADER_LEN 20u /* of the runtime data: Azure hands it out after the report */

static bool read_bytes(const atls_json *object, const char *name, const char *field, atls_arena *a, atls_bytes *out,
                       atls_error *err)
{
    const atls_json *v = atls_json_find(object, name);
    *out = atls_bytes_empty();
    if (v == NULL || v->type == ATLS_JSON_NULL) {
        return true;
    }
    if (v->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, field, "base64", atls_json_type_name(v), NULL);
    }
    return atls_base64_decode(v->text, false, field, a, out, err);
}

static bool is_object(const atls_json *v)
{
    return v != NULL && v->type == ATLS_JSON_OBJECT;
}

/* ---- hardware reports ---- */

static bool add_pem(const atls_json *top, const char *name, const char *field, tpm_hardware *h, atls_arena *a,
                    atls_error *err)
{
    atls_bytes pem;
    atls_bytes der[ATLS_MAX_PEM_CERTS];
    size_t n = 0;
    if (!read_bytes(top, name, field, a, &pem, err)) {
        return false;
    }
    if (pem.len == 0) {
        return true;
    }
    if (!atls_pem_certificates(pem, false, ATLS_E_EVIDENCE_FORMAT, field, a, der, ATLS_MAX_PEM_CERTS, &n, err)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!tpm_cert_add(h->certs, &h->n_certs, der[i], field, err)) {
            return false;
        }
    }
    return true;
}

/* Azure's report is followed by the header of the runtime data, and nothing else may be. */
static void cut_azure_report(tpm_hardware *h)
{
    if (h->report.len == SNP_REPORT_LEN + HCL_HEADER_LEN) {
        h->report = atls_bytes_of(h->report.ptr, SNP_REPORT_LEN);
    }
}

/* Before it had members for each cloud, Azure's runtime data stood beside the VCEK. */
static bool is_old_snp(const atls_json *top)
{
    return atls_json_find(top, "VCEK") != NULL || atls_json_find(top, "ReportSigner") != NULL
           || atls_json_find(top, "CertChain") != NULL;
}

static bool read_snp(const atls_json *top, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    tpm_hardware *h = &e->hardware;
    const atls_json *azure = atls_json_find(top, "RuntimeData") != NULL ? top : atls_json_find(top, "Azure");
    h->platform = ATLS_PLATFORM_SEV_SNP;
    h->names_key = !is_object(atls_json_find(top, "GCP"));
    e->variant = h->names_key ? "aws-sev-snp" : "gcp-sev-snp";
    if (is_object(azure)) {
        e->variant = "azure-sev-snp";
        h->names_key = true;
        cut_azure_report(h);
        if (!read_bytes(azure, "RuntimeData", PREFIX ".Azure.RuntimeData", a, &h->runtime_data, err)) {
            return false;
        }
        if (h->runtime_data.len == 0) {
            return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, PREFIX ".Azure.RuntimeData", "there is no runtime data");
        }
    }
    return add_pem(top, "VCEK", PREFIX ".VCEK", h, a, err)
           && add_pem(top, "ReportSigner", PREFIX ".ReportSigner", h, a, err)
           && add_pem(top, "CertChain", PREFIX ".CertChain", h, a, err);
}

static bool read_hardware(const atls_json *top, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    tpm_hardware *h = &e->hardware;
    if (!read_bytes(top, "AttestationReport", PREFIX ".AttestationReport", a, &h->report, err)) {
        return false;
    }
    if (h->report.len == 0) {
        return true;
    }
    if (atls_json_find(top, "RuntimeData") == NULL || is_old_snp(top)) {
        return read_snp(top, e, a, err);
    }
    h->platform = ATLS_PLATFORM_TDX;
    h->names_key = true;
    e->variant = "azure-tdx";
    if (!read_bytes(top, "RuntimeData", PREFIX ".RuntimeData", a, &h->runtime_data, err)) {
        return false;
    }
    return h->runtime_data.len > 0
           || atls_fail(err, ATLS_E_EVIDENCE_FORMAT, PREFIX ".RuntimeData", "there is no runtime data");
}

/* ---- certificates of the key ---- */

static bool read_certs(const atls_json *top, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    atls_bytes leaf;
    atls_bytes ca;
    if (!read_bytes(top, "AkCert", PREFIX ".AkCert", a, &leaf, err)
        || !read_bytes(top, "CA", PREFIX ".CA", a, &ca, err)) {
        return false;
    }
    if (leaf.len == 0) {
        return true;
    }
    if (e->variant[0] == '\0') {
        e->variant = "azure-trustedlaunch";
    }
    if (e->ak_cert.len == 0) {
        e->ak_cert = leaf;
    }
    return ca.len == 0 || tpm_cert_add(e->certs, &e->n_certs, ca, PREFIX ".CA", err);
}

static void guess_variant(const atls_json *top, tpm_evidence *e)
{
    if (e->variant[0] != '\0') {
        return;
    }
    if (atls_json_find(top, "zone") != NULL && atls_json_find(top, "project_id") != NULL) {
        e->variant = "gcp-sev-es";
    } else if (atls_json_find(top, "imageId") != NULL && atls_json_find(top, "region") != NULL) {
        e->variant = "aws-nitro-tpm";
    }
}

bool tpm_instance_read(tpm_evidence *e, atls_arena *a, atls_error *err)
{
    const atls_json *top;
    atls_error opaque = {.code = ATLS_OK};
    if (e->instance_info.len == 0) {
        return true;
    }
    if (!atls_json_parse(e->instance_info, PREFIX, a, &top, &opaque)) {
        return opaque.code != ATLS_E_MEMORY || atls_fail(err, ATLS_E_MEMORY, PREFIX, NULL);
    }
    if (!is_object(top)) {
        return true;
    }
    if (!read_hardware(top, e, a, err) || !read_certs(top, e, a, err)) {
        return false;
    }
    guess_variant(top, e);
    return true;
}
