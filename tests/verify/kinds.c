/* SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <openssl/sha.h>

#include "base/text.h"

#define ARENA_SIZE ((size_t)256 * 1024 * 1024)

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        char line[640];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- machines ---- */

static const char *text_of(kinds *k, atls_bytes in)
{
    atls_error err = {0};
    const char *text = atls_text_copy(in, &k->arena, &err);
    must(text != NULL, &err);
    return text;
}

static const char *root_of(atls_bytes der, char out[65])
{
    uint8_t digest[32];
    (void)SHA256(der.ptr, der.len, digest);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), out);
    return out;
}

/* The key of a simulated TPM is always the same, so the hardware can be asked about it before the machine is there. */
static void open_azure(kinds *k, bool is_tdx, atls_bytes runtime_data, sim_tpm **out)
{
    atls_error err = {0};
    atls_bytes report;
    memset(k->report_data, 0, sizeof k->report_data);
    (void)SHA256(runtime_data.ptr, runtime_data.len, k->report_data);
    must(is_tdx ? sim_quote(k->td, k->report_data, &k->arena, &report, &err)
                : sim_snp_report(k->snp, k->report_data, &k->arena, &report, &err),
         &err);
    const char *const settings[] = {
        is_tdx ? "hardware.kind=tdx" : "hardware.kind=sev-snp",
        atls_text_format(&k->arena, &err, "hardware.report=%s", atls_hex_text(report, &k->arena, &err)),
        atls_text_format(&k->arena, &err, "hardware.runtime_data=%s", text_of(k, runtime_data)),
        "cert=none",
        NULL,
    };
    must(sim_tpm_new(&(sim_tpm_options){.settings = settings}, out, &err), &err);
}

static void open_machines(kinds *k)
{
    atls_error err = {0};
    atls_bytes runtime_data;
    must(sim_new(&(sim_options){.kind = SIM_TDX_V4}, &k->td, &err), &err);
    must(sim_new(&(sim_options){.kind = SIM_SGX_V3}, &k->enclave, &err), &err);
    must(sim_snp_new(&(sim_snp_options){.version = 3}, &k->snp, &err), &err);
    must(sim_nitro_new(&(sim_nitro_options){0}, &k->nitro, &err), &err);
    must(sim_nitro_new(&(sim_nitro_options){.is_nitrotpm = true}, &k->nitrotpm, &err), &err);
    must(sim_tpm_new(&(sim_tpm_options){0}, &k->tpm, &err), &err);
    must(sim_hcl_runtime_data(sim_tpm_ak_pub(k->tpm), &k->arena, &runtime_data, &err), &err);
    open_azure(k, false, runtime_data, &k->azure_snp);
    open_azure(k, true, runtime_data, &k->azure_tdx);
}

static void write_policies(kinds *k)
{
    atls_error err = {0};
    atls_bytes p[N_KINDS];
    char root[65];
    must(sim_policy(k->td, "tdx", &k->arena, &p[KIND_TDX], &err)
             && sim_policy(k->enclave, "sgx", &k->arena, &p[KIND_SGX], &err)
             && sim_policy(k->td, "dstack_tdx", &k->arena, &p[KIND_DSTACK], &err)
             && sim_snp_policy(k->snp, &k->arena, &p[KIND_SEV_SNP], &err)
             && sim_tpm_policy(k->tpm, "", &k->arena, &p[KIND_TPM], &err)
             && sim_nitro_policy(k->nitro, &k->arena, &p[KIND_NITRO], &err)
             && sim_nitro_policy(k->nitrotpm, &k->arena, &p[KIND_NITROTPM], &err),
         &err);
    const char *snp =
        atls_text_format(&k->arena, &err, ",\"hardware\":{\"type\":\"sev_snp\",\"trusted_roots\":[\"%s\"]}",
                         root_of(sim_snp_certificate(k->snp, "ark"), root));
    const char *tdx = atls_text_format(&k->arena, &err, ",\"hardware\":{\"type\":\"tdx\",\"trusted_roots\":[\"%s\"]}",
                                       root_of(sim_root(k->td), root));
    must(sim_tpm_policy(k->azure_snp, snp, &k->arena, &p[KIND_AZURE_SNP], &err)
             && sim_tpm_policy(k->azure_tdx, tdx, &k->arena, &p[KIND_AZURE_TDX], &err),
         &err);
    p[KIND_CONSTELLATION] = p[KIND_TPM];
    for (size_t i = 0; i < N_KINDS; i++) {
        k->policies[i] = text_of(k, p[i]);
    }
}

void kinds_open(kinds *k)
{
    atls_error err = {0};
    *k = (kinds){0};
    must(atls_arena_new(&k->arena, ARENA_SIZE, &err), &err);
    open_machines(k);
    write_policies(k);
}

void kinds_close(kinds *k)
{
    sim_free(k->td);
    sim_free(k->enclave);
    sim_snp_free(k->snp);
    sim_nitro_free(k->nitro);
    sim_nitro_free(k->nitrotpm);
    sim_tpm_free(k->tpm);
    sim_tpm_free(k->azure_snp);
    sim_tpm_free(k->azure_tdx);
    atls_arena_free(&k->arena);
    *k = (kinds){0};
}

/* ---- what each is ---- */

static const struct {
    const char *name;
    const char *field;
    kind_holds holds;
} facts[N_KINDS] = {
    [KIND_TDX] = {"tdx", "quote.body.reportdata", HOLDS_64},
    [KIND_SGX] = {"sgx", "quote.body.reportdata", HOLDS_64},
    [KIND_DSTACK] = {"dstack", "quote.body.reportdata", HOLDS_64},
    [KIND_SEV_SNP] = {"sev-snp", "report.report_data", HOLDS_64},
    [KIND_TPM] = {"tpm", "quote.extra_data", HOLDS_ANY},
    [KIND_CONSTELLATION] = {"constellation", "quote.extra_data", HOLDS_HASH},
    [KIND_NITRO] = {"nitro", "document.payload.user_data", HOLDS_ANY_64},
    [KIND_NITROTPM] = {"nitrotpm", "document.payload.user_data", HOLDS_ANY_64},
    [KIND_AZURE_SNP] = {"azure-sev-snp", "quote.extra_data", HOLDS_ANY},
    [KIND_AZURE_TDX] = {"azure-tdx", "quote.extra_data", HOLDS_ANY},
};

const char *kind_name(kind_id id)
{
    return facts[id].name;
}

kind_holds kind_holds_of(kind_id id)
{
    return facts[id].holds;
}

const char *kind_field(kind_id id)
{
    return facts[id].field;
}

/* ---- evidence ---- */

static bool make_64(kinds *k, kind_id id, atls_bytes value, atls_bytes *out, atls_error *err)
{
    uint8_t report_data[64] = {0};
    assert_true(value.len <= sizeof report_data);
    memcpy(report_data, value.ptr, value.len);
    return id == KIND_SEV_SNP ? sim_snp_report(k->snp, report_data, &k->arena, out, err)
                              : sim_quote(id == KIND_SGX ? k->enclave : k->td, report_data, &k->arena, out, err);
}

static bool make_document(kinds *k, kind_id id, atls_bytes value, atls_bytes *out, atls_error *err)
{
    sim_nitro_request request = {.user_data = &value};
    switch (id) {
    case KIND_NITRO:
        return sim_nitro_document(k->nitro, &request, &k->arena, out, err);
    case KIND_NITROTPM:
        return sim_nitro_document(k->nitrotpm, &request, &k->arena, out, err);
    case KIND_CONSTELLATION:
        return sim_tpm_document(k->tpm, SIM_TPM_CONSTELLATION, value, &k->arena, out, err);
    default:
        return sim_tpm_document(id == KIND_TPM         ? k->tpm
                                : id == KIND_AZURE_SNP ? k->azure_snp
                                                       : k->azure_tdx,
                                SIM_TPM_CBOR, value, &k->arena, out, err);
    }
}

void kind_make(kinds *k, kind_id id, atls_bytes value, atls_appraisal *out)
{
    atls_error err = {0};
    *out =
        (atls_appraisal){.event_log = atls_bytes_empty(), .now = SIM_NOW, .endorse = kinds_endorse, .endorse_ctx = k};
    must(kind_holds_of(id) == HOLDS_64 ? make_64(k, id, value, &out->evidence, &err)
                                       : make_document(k, id, value, &out->evidence, &err),
         &err);
    if (id == KIND_DSTACK) {
        must(sim_event_log(k->td, &k->arena, &out->event_log, &err), &err);
    }
}

bool kinds_endorse(void *ctx, const atls_endorsement_request *request, atls_arena *a, atls_endorsements *out,
                   atls_error *err)
{
    const kinds *k = ctx;
    switch (request->platform) {
    case ATLS_PLATFORM_SEV_SNP:
        return sim_snp_endorse(k->snp, request, a, out, err);
    case ATLS_PLATFORM_TPM:
        return sim_tpm_endorse(k->tpm, request, a, out, err);
    case ATLS_PLATFORM_NITRO:
        return sim_nitro_endorse(k->nitro, request, a, out, err);
    case ATLS_PLATFORM_SGX:
        return sim_endorse(k->enclave, request, a, out, err);
    default:
        return sim_endorse(k->td, request, a, out, err);
    }
}
