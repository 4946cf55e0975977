/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_open.c: the connection to a TPM through any TCTI, and its codes in words. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_tctildr.h>

#include "system.h"
#include "tpm.h"

/* ---- words -------------------------------------------------------------------------------------------------------- */

#define FORMAT_ONE     0x80u
#define FORMAT_ONE_ERR 0xbfu /* without the number of the parameter, handle or session */

typedef struct word {
    uint32_t code;
    const char *text;
} word;

/* Part 2 section 6.6, those that an administrator meets. */
static const word words[] = {
    {TPM2_RC_INITIALIZE, "it has not been started (tpm2_startup -c)"},
    {TPM2_RC_FAILURE, "it is in failure mode: restart the machine"},
    {TPM2_RC_DISABLED, "the command is disabled"},
    {TPM2_RC_AUTH_MISSING, "a password is wanted"},
    {TPM2_RC_AUTH_UNAVAILABLE, "authorisation is not available for this"},
    {TPM2_RC_OBJECT_MEMORY, "no room for another object: use /dev/tpmrm0, or tpm2_flushcontext -t"},
    {TPM2_RC_SESSION_MEMORY, "no room for another session"},
    {TPM2_RC_MEMORY, "out of memory"},
    {TPM2_RC_LOCKOUT, "it is locked out after failed authorisations (tpm2_dictionarylockout -c)"},
    {TPM2_RC_NV_RATE, "NV is accessed too often: try later"},
    {TPM2_RC_RETRY, "it is busy"},
    {TPM2_RC_ATTRIBUTES, "the attributes of the object do not allow it"},
    {TPM2_RC_HIERARCHY, "the hierarchy is disabled"},
    {TPM2_RC_VALUE, "a value is out of range"},
    {TPM2_RC_HANDLE, "there is no such object"},
    {TPM2_RC_AUTH_FAIL, "a password is wanted: use a key at a handle of its own"},
    {TPM2_RC_BAD_AUTH, "a password is wanted: use a key at a handle of its own"},
    {TPM2_RC_SCHEME, "the key's scheme cannot sign a quote"},
    {TPM2_RC_KEY, "the key cannot sign a quote"},
    {TPM2_RC_CURVE, "it does not have this curve"},
    {TPM2_RC_POLICY_FAIL, "the key wants a policy session, which is not supported"},
    {TPM2_RC_AUTH_TYPE, "the key wants a policy session, which is not supported"},
};

static const char *words_of(TSS2_RC rc)
{
    const uint32_t layer = rc & TSS2_RC_LAYER_MASK;
    const uint32_t code = rc & 0xffffu & ((rc & FORMAT_ONE) != 0 ? FORMAT_ONE_ERR : 0xffffu);
    if (layer == TSS2_TCTI_RC_LAYER) {
        return "it does not answer";
    }
    if (layer != TSS2_TPM_RC_LAYER && layer != TSS2_RESMGR_TPM_RC_LAYER) {
        return "tpm2-tss refuses";
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].code == code) {
            return words[i].text;
        }
    }
    return "the TPM refuses";
}

bool atls_tpm_fail(const atls_tpm *t, const char *what, TSS2_RC rc)
{
    return atls_fail(t->err, ATLS_E_IO, "attester.tpm", "%s: %s (code 0x%x)", what, words_of(rc), (unsigned)rc);
}

/* ---- the connection ----------------------------------------------------------------------------------------------- */

/* The device is opened once by ourselves: tpm2-tss would not say why it cannot be. */
static bool try_device(const char *tcti, atls_error *err)
{
    int fd = -1;
    if (strncmp(tcti, "device:", 7) != 0) {
        return true;
    }
    const int reason = atls_system_open(tcti + 7, O_RDWR, &fd);
    if (reason != 0) {
        return atls_system_fail(err, "attester.tpm", tcti + 7, reason);
    }
    (void)atls_system_close(fd);
    return true;
}

bool atls_tpm_open(atls_tpm *t, atls_error *err)
{
    const char *tcti = t->o->tcti != NULL ? t->o->tcti : "device:" ATLS_TPM_DEVICE;
    char what[100];
    t->err = err;
    if (!try_device(tcti, err)) {
        return false;
    }
    (void)snprintf(what, sizeof what, "TCTI %.80s", tcti);
    TSS2_RC rc = Tss2_TctiLdr_Initialize(tcti, &t->tcti);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, what, rc);
    }
    rc = Esys_Initialize(&t->esys, t->tcti, NULL);
    return rc == TSS2_RC_SUCCESS || atls_tpm_fail(t, what, rc);
}

void atls_tpm_close(atls_tpm *t)
{
    Esys_Finalize(&t->esys);
    Tss2_TctiLdr_Finalize(&t->tcti);
}

bool atls_tpm_has(const atls_tpm *t, TPM2_HANDLE handle, bool *there)
{
    TPMS_CAPABILITY_DATA *data = NULL;
    TPMI_YES_NO more = 0;
    *there = false;
    const TSS2_RC rc = Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES, handle,
                                          1, &more, &data);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "list of handles", rc);
    }
    *there = data->data.handles.count > 0 && data->data.handles.handle[0] == handle;
    Esys_Free(data);
    return true;
}

/* ---- the survey's look -------------------------------------------------------------------------------------------- */

static bool name_banks(const atls_tpm *t, char text[96])
{
    static const struct {
        uint16_t algorithm;
        const char *name;
    } names[] = {{TPM2_ALG_SHA1, "SHA-1"},
                 {TPM2_ALG_SHA256, "SHA-256"},
                 {TPM2_ALG_SHA384, "SHA-384"},
                 {TPM2_ALG_SHA512, "SHA-512"}};
    TPMS_CAPABILITY_DATA *data = NULL;
    TPMI_YES_NO more = 0;
    const TSS2_RC rc =
        Esys_GetCapability(t->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_PCRS, 0, 1, &more, &data);
    if (rc != TSS2_RC_SUCCESS) {
        return atls_tpm_fail(t, "list of PCR banks", rc);
    }
    int n = snprintf(text, 96, "TPM 2.0, banks");
    const TPML_PCR_SELECTION *banks = &data->data.assignedPCR;
    for (size_t i = 0; i < banks->count && i < TPM2_NUM_PCR_BANKS; i++) {
        const TPMS_PCR_SELECTION *b = &banks->pcrSelections[i];
        for (size_t k = 0; k < sizeof names / sizeof names[0] && n > 0 && n < 80; k++) {
            if (names[k].algorithm == b->hash && (b->pcrSelect[0] | b->pcrSelect[1] | b->pcrSelect[2]) != 0) {
                n += snprintf(text + n, 96 - (size_t)n, " %s", names[k].name);
            }
        }
    }
    Esys_Free(data);
    return true;
}

bool atls_tpm_look(const char *tcti, char text[96], atls_error *err)
{
    const atls_tpm_options o = {.tcti = tcti};
    atls_tpm t = {.o = &o};
    text[0] = '\0';
    const bool ok = atls_tpm_open(&t, err) && name_banks(&t, text);
    atls_tpm_close(&t);
    return ok;
}
