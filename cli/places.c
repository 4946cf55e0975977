/* SPDX-License-Identifier: Apache-2.0 */
/* places.c: where devices are, from words of the command line. */
#include "places.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "values.h"

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool place_device(const char *path, atls_arena *a, atls_machine *out, atls_error *err)
{
    switch (out->kind) {
    case ATLS_ATTESTER_TDX:
        out->tsm.report_folder = path;
        return true;
    case ATLS_ATTESTER_SEV_SNP:
        *(is_folder(path) ? &out->tsm.report_folder : &out->sev_guest.device) = path;
        return true;
    case ATLS_ATTESTER_NITRO:
        out->nsm_device = path;
        return true;
    case ATLS_ATTESTER_DSTACK:
        out->dstack_agent.socket_path = path;
        return true;
    case ATLS_ATTESTER_TPM:
        out->tpm.tcti = atls_text_format(a, err, "device:%s", path);
        return out->tpm.tcti != NULL;
    case ATLS_ATTESTER_AUTO:
    case ATLS_N_ATTESTERS:
        break;
    }
    return atls_fail(err, ATLS_E_USAGE, "--device", "say what it is with --attester");
}

/* An option of another attester than the one that was chosen would be passed over in silence. */
static bool fits(const cli_places *p, atls_attester_kind kind, atls_error *err)
{
    if (p->tcti != NULL && kind != ATLS_ATTESTER_TPM && kind != ATLS_ATTESTER_AUTO) {
        return atls_fail(err, ATLS_E_USAGE, "--tcti", "only for a TPM");
    }
    if (p->socket != NULL && kind != ATLS_ATTESTER_DSTACK && kind != ATLS_ATTESTER_AUTO) {
        return atls_fail(err, ATLS_E_USAGE, "--socket", "only for dstack");
    }
    if (p->device != NULL && (p->tcti != NULL || p->socket != NULL)) {
        return atls_fail(err, ATLS_E_USAGE, "--device", "there is a place already: --tcti or --socket");
    }
    return true;
}

bool cli_machine(const cli_places *p, atls_arena *a, atls_machine *out, atls_error *err)
{
    uint32_t seconds = 30;
    *out = (atls_machine){.kind = ATLS_ATTESTER_AUTO, .root = p->sysroot};
    if (p->attester != NULL && !atls_attester_parse(p->attester, &out->kind)) {
        return atls_fail(err, ATLS_E_USAGE, "--attester", "wants auto, tdx, sev-snp, dstack, nitro or tpm");
    }
    if (!fits(p, out->kind, err) || !cli_number(p->timeout, "--timeout", 1, 600, &seconds, err)) {
        return false;
    }
    out->tsm.timeout_ms = out->sev_guest.timeout_ms = out->dstack_agent.timeout_ms = seconds * 1000;
    out->tpm.tcti = p->tcti;
    out->dstack_agent.socket_path = p->socket;
    return p->device == NULL || place_device(p->device, a, out, err);
}

void cli_quiet_tss(void)
{
    (void)setenv("TSS2_LOG", "all+none", 0);
}
