/* SPDX-License-Identifier: Apache-2.0 */
/* authenticate.c: the order of checks (section 2). Each step is one line of the result's list; the first that fails ends it.
 *
 *   1 the key may sign nothing but a TPM's own statements       2 its certificate, where there is one
 *   3 somebody vouches for it                                   4 every quote: signature, PCR values, one extraData
 *   5 the event log leads to the quoted registers               and then there are claims */
#include "proof.h"

bool tpm_step(tpm_proof *p, bool ok, const char *id, const char *field)
{
    return atls_trace_step(p->trace, ok, id, field, p->err);
}

uint16_t tpm_policy_bank(const atls_policy *policy)
{
    return policy->tpm.bank == 0 ? TPM_ALG_SHA256 : policy->tpm.bank;
}

static void clear(tpm_proof *p)
{
    const atls_bytes empty = atls_bytes_empty();
    *p->out = (atls_tpm_claims){.form = "",
                                .ak = empty,
                                .ak_name = empty,
                                .ak_kind = "",
                                .trust_label = "",
                                .certificate = empty,
                                .hardware = "",
                                .variant = p->e->variant,
                                .bank = "",
                                .qualified_signer = empty,
                                .gce_technology = "",
                                .user_data = p->e->user_data};
    p->out->gce = (atls_tpm_gce){.zone = empty, .project = empty, .name = empty};
    for (size_t i = 0; i < TPM_N_PCRS; i++) {
        p->out->pcr[i] = empty;
    }
}

static const char *form_name(tpm_form form)
{
    static const char *const names[] = {"", "constellation", "go-tpm-tools json", "go-tpm-tools", "tpm2-quote"};
    return names[form];
}

static void conclude(tpm_proof *p)
{
    const tpm_hardware *h = &p->e->hardware;
    p->out->form = form_name(p->e->form);
    p->out->hardware = h->platform == ATLS_PLATFORM_NONE ? "" : h->platform == ATLS_PLATFORM_TDX ? "tdx" : "sev-snp";
    p->out->hardware_binds_key = h->platform != ATLS_PLATFORM_NONE && h->names_key;
    p->out->present = true;
    p->claims->platform = ATLS_PLATFORM_TPM;
    p->claims->report_data_field = "quote.extra_data";
}

bool tpm_authenticate(const void *evidence, const atls_authority *auth, atls_arena *arena, atls_claims *claims,
                      atls_trace *trace, atls_error *err)
{
    tpm_proof p = {
        .e = evidence,
        .auth = auth,
        .policy = auth->policy,
        .arena = arena,
        .claims = claims,
        .out = &claims->tpm,
        .trace = trace,
        .err = err,
    };
    clear(&p);
    if (!tpm_check_key(&p) || !tpm_check_certificate(&p) || !tpm_check_trust(&p) || !tpm_check_quotes(&p)
        || !tpm_check_log(&p)) {
        return false;
    }
    conclude(&p);
    return true;
}
