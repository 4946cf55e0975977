/* SPDX-License-Identifier: Apache-2.0 */
/* detect.c: the kinds of attesters in their order, the choice among them, and evidence of any of them. */
#include "detect.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "dstack_agent.h"
#include "sev_guest.h"
#include "tpm_document.h"
#include "tsm.h"

static const char *const names[ATLS_N_ATTESTERS] = {
    [ATLS_ATTESTER_AUTO] = "auto",     [ATLS_ATTESTER_TDX] = "tdx",     [ATLS_ATTESTER_SEV_SNP] = "sev-snp",
    [ATLS_ATTESTER_DSTACK] = "dstack", [ATLS_ATTESTER_NITRO] = "nitro", [ATLS_ATTESTER_TPM] = "tpm",
};

const char *atls_attester_name(atls_attester_kind kind)
{
    return (unsigned)kind < ATLS_N_ATTESTERS ? names[kind] : "unknown";
}

bool atls_attester_parse(const char *name, atls_attester_kind *out)
{
    for (unsigned i = 0; i < ATLS_N_ATTESTERS; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (atls_attester_kind)i;
            return true;
        }
    }
    return false;
}

atls_platform atls_attester_kind_platform(atls_attester_kind kind)
{
    static const atls_platform platforms[ATLS_N_ATTESTERS] = {
        [ATLS_ATTESTER_AUTO] = ATLS_PLATFORM_NONE,       [ATLS_ATTESTER_TDX] = ATLS_PLATFORM_TDX,
        [ATLS_ATTESTER_SEV_SNP] = ATLS_PLATFORM_SEV_SNP, [ATLS_ATTESTER_DSTACK] = ATLS_PLATFORM_TDX,
        [ATLS_ATTESTER_NITRO] = ATLS_PLATFORM_NITRO,     [ATLS_ATTESTER_TPM] = ATLS_PLATFORM_TPM,
    };
    return (unsigned)kind < ATLS_N_ATTESTERS ? platforms[kind] : ATLS_PLATFORM_NONE;
}

const char *atls_attester_state_name(atls_attester_state state)
{
    static const char *const states[] = {"absent", "unusable", "available"};
    return (unsigned)state < sizeof states / sizeof states[0] ? states[state] : "unknown";
}

/* ---- places ------------------------------------------------------------------------------------------------------- */

typedef struct placer {
    const char *root;
    atls_arena *arena;
    atls_error *err;
} placer;

/* given stays; what is not given is the usual place below the root. False: no memory. */
static bool place(const placer *p, const char *prefix, const char *usual, const char **given)
{
    if (*given == NULL) {
        *given = atls_text_format(p->arena, p->err, "%s%s%s", prefix, p->root, usual);
    }
    return *given != NULL;
}

/* A log at its usual place may be absent. With a root the place has to be said, so what is not there is said as "". */
static bool place_log(const placer *p, const char *usual, const char **given)
{
    if (*given != NULL || p->root[0] == '\0') {
        return true;
    }
    if (!place(p, "", usual, given)) {
        return false;
    }
    if (access(*given, R_OK) != 0) {
        *given = "";
    }
    return true;
}

/* The first socket that can be connected to, else the first that is there. */
static bool place_socket(const placer *p, const char **given)
{
    const char *there = NULL;
    for (size_t i = 0; *given == NULL && i < ATLS_N_DSTACK_SOCKETS; i++) {
        const char *path = NULL;
        int fd = -1;
        if (!place(p, "", atls_dstack_sockets[i], &path)) {
            return false;
        }
        if (atls_dstack_dial(path, &fd) == 0) {
            (void)close(fd);
            *given = path;
        }
        there = there == NULL && access(path, F_OK) == 0 ? path : there;
    }
    *given = *given == NULL ? there : *given;
    return true;
}

bool atls_places_of(const atls_machine *machine, atls_arena *arena, atls_places *out, atls_error *err)
{
    const placer p = {machine->root != NULL ? machine->root : "", arena, err};
    *out = (atls_places){.tsm = machine->tsm,
                         .sev_guest = machine->sev_guest,
                         .tpm = machine->tpm,
                         .dstack_agent = machine->dstack_agent,
                         .nsm_device = machine->nsm_device,
                         .root = p.root,
                         .only_device = machine->sev_guest.device != NULL && machine->tsm.report_folder == NULL};
    return place(&p, "", ATLS_TSM_FOLDER, &out->tsm.report_folder)
           && place_log(&p, ATLS_CCEL_PATH, &out->tsm.event_log_path)
           && place(&p, "", ATLS_SEV_GUEST_DEVICE, &out->sev_guest.device)
           && place(&p, "device:", ATLS_TPM_DEVICE, &out->tpm.tcti)
           && place_log(&p, ATLS_TPM_LOG_PATH, &out->tpm.event_log_path) && place(&p, "", "/dev/nsm", &out->nsm_device)
           && place_socket(&p, &out->dstack_agent.socket_path);
}

/* ---- evidence ----------------------------------------------------------------------------------------------------- */

bool atls_has_snp_folder(const atls_places *p)
{
    char provider[32] = "";
    return !p->only_device && atls_tsm_look(p->tsm.report_folder, provider) == 0 && strcmp(provider, "sev_guest") == 0;
}

/* The folder where it gives SEV-SNP reports, else the device: older kernels have only that. */
static bool attest_sev_snp(atls_places *p, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    if (atls_has_snp_folder(p)) {
        p->tsm.provider = "sev_guest";
        return atls_attest_tsm(&p->tsm, report_data, arena, out, err);
    }
    return atls_attest_sev_guest(&p->sev_guest, report_data, arena, out, err);
}

bool atls_attest_kind(atls_places *p, atls_attester_kind kind, const uint8_t report_data[64], atls_arena *arena,
                      atls_evidence *out, atls_error *err)
{
    switch (kind) {
    case ATLS_ATTESTER_TDX:
        p->tsm.provider = "tdx_guest";
        return atls_attest_tsm(&p->tsm, report_data, arena, out, err);
    case ATLS_ATTESTER_SEV_SNP:
        return attest_sev_snp(p, report_data, arena, out, err);
    case ATLS_ATTESTER_DSTACK:
        return atls_attest_dstack_agent(&p->dstack_agent, report_data, arena, out, err);
    case ATLS_ATTESTER_TPM:
        return atls_attest_tpm(&p->tpm, report_data, arena, out, err);
    case ATLS_ATTESTER_NITRO:
        return atls_attest_nitro(p->nsm_device, report_data, arena, out, err);
    case ATLS_ATTESTER_AUTO:
    case ATLS_N_ATTESTERS:
        break;
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, "attester", "there is no such kind of attester");
}

/* ---- the choice --------------------------------------------------------------------------------------------------- */

static bool choose(const atls_places *p, atls_arena *arena, atls_attester_kind *out, size_t *others, atls_error *err)
{
    size_t n = 0;
    for (unsigned i = ATLS_ATTESTER_TDX; i < ATLS_N_ATTESTERS; i++) {
        atls_attester_finding f;
        if (!atls_look(p, (atls_attester_kind)i, arena, &f, err)) {
            return false;
        }
        if (f.state == ATLS_ATTESTER_AVAILABLE) {
            *out = n == 0 ? (atls_attester_kind)i : *out;
            n++;
        }
    }
    *others = n == 0 ? 0 : n - 1;
    return n > 0
           || atls_fail(err, ATLS_E_IO, "attester", "no attester was found on this machine (atls doctor says why)");
}

bool atls_attester_choose(const atls_machine *machine, atls_arena *arena, atls_attester_kind *out, size_t *others,
                          atls_error *err)
{
    atls_places p;
    *out = machine->kind;
    *others = 0;
    return machine->kind != ATLS_ATTESTER_AUTO
           || (atls_places_of(machine, arena, &p, err) && choose(&p, arena, out, others, err));
}

bool atls_attest_machine(void *machine, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                         atls_error *err)
{
    static const atls_machine here = {.kind = ATLS_ATTESTER_AUTO};
    const atls_machine *m = machine != NULL ? machine : &here;
    atls_attester_kind kind = m->kind;
    atls_places p;
    size_t others = 0;
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return atls_places_of(m, arena, &p, err) && (kind != ATLS_ATTESTER_AUTO || choose(&p, arena, &kind, &others, err))
           && atls_attest_kind(&p, kind, report_data, arena, out, err);
}

/* ---- the survey --------------------------------------------------------------------------------------------------- */

static const char *advice_after(atls_attester_kind kind, const atls_error *why)
{
    switch (kind) {
    case ATLS_ATTESTER_TDX:
        return "ask the operator of the host whether its quoting service (QGS) runs and is registered with Intel's "
               "provisioning service; the kernel log says more";
    case ATLS_ATTESTER_SEV_SNP:
        return "the kernel log says what the firmware answered; after a failed request only a reboot gives the guest "
               "its "
               "message key back";
    case ATLS_ATTESTER_DSTACK:
        return "look at the log of dstack's guest agent";
    case ATLS_ATTESTER_TPM:
        return why->code == ATLS_E_UNSUPPORTED ? "build atls where tpm2-tss and its headers are installed"
                                               : "try tpm2_getcap properties-fixed with the same TCTI";
    case ATLS_ATTESTER_NITRO:
        return "use a build of atls with the Nitro attester";
    case ATLS_ATTESTER_AUTO:
    case ATLS_N_ATTESTERS:
        break;
    }
    return "";
}

/* What looks usable makes evidence once: only that shows a host without a quoting service. */
static bool try_one(atls_places *p, const uint8_t trial[64], atls_arena *arena, atls_attester_finding *f,
                    atls_error *err)
{
    atls_error why = {0};
    atls_evidence ignored;
    const size_t mark = arena->used;
    const bool ok = atls_attest_kind(p, f->kind, trial, arena, &ignored, &why);
    arena->used = mark;
    if (ok) {
        return true;
    }
    f->state = ATLS_ATTESTER_UNUSABLE;
    f->found = atls_text_format(arena, err, "%s; making evidence failed: %s", f->found, why.message);
    f->advice = advice_after(f->kind, &why);
    return f->found != NULL;
}

bool atls_attester_survey(const atls_machine *machine, const uint8_t *trial, atls_arena *arena,
                          atls_attester_finding out[ATLS_N_ATTESTERS - 1], atls_error *err)
{
    static const atls_machine here = {.kind = ATLS_ATTESTER_AUTO};
    atls_places p;
    if (!atls_places_of(machine != NULL ? machine : &here, arena, &p, err)) {
        return false;
    }
    for (unsigned i = ATLS_ATTESTER_TDX; i < ATLS_N_ATTESTERS; i++) {
        atls_attester_finding *f = &out[i - ATLS_ATTESTER_TDX];
        if (!atls_look(&p, (atls_attester_kind)i, arena, f, err)) {
            return false;
        }
        if (trial != NULL && f->state == ATLS_ATTESTER_AVAILABLE && !try_one(&p, trial, arena, f, err)) {
            return false;
        }
    }
    return true;
}
