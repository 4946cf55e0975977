/* SPDX-License-Identifier: Apache-2.0 */
/* detect_look.c: what can be seen of each kind, and what is to be done where something is missing. The words are for
 * whoever administers the machine: they name a command, a module, a version, or the person to ask. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "detect.h"
#include "dstack_agent.h"
#include "system.h"
#include "tpm_document.h"
#include "tsm.h"

#define MAX_CPUINFO ((size_t)1024 * 1024)

typedef struct look {
    const atls_places *p;
    atls_arena *arena;
    atls_error *err;
    atls_attester_finding *f;
} look;

static bool says(const look *l, atls_attester_state state, const char *where, const char *found, const char *advice)
{
    l->f->state = state;
    l->f->where = where;
    l->f->found = found;
    l->f->advice = advice;
    return found != NULL; /* made in the arena, which may be full */
}

static bool is_there(const look *l, const char *path)
{
    const char *full = atls_text_format(l->arena, l->err, "%s%s", l->p->root, path);
    return full != NULL && access(full, F_OK) == 0;
}

/* Who else may use what stands there. */
static void warn_if_open(const look *l, const char *path, const char *warning)
{
    struct stat s;
    if (stat(path, &s) == 0 && (s.st_mode & S_IWOTH) != 0) {
        l->f->warning = warning;
    }
}

/* The kernel lists a guest's own features among the flags of its processors, words between spaces. */
static bool cpu_has(const look *l, const char *flag)
{
    const char *path = atls_text_format(l->arena, l->err, "%s/proc/cpuinfo", l->p->root);
    const size_t mark = l->arena->used, len = strlen(flag);
    atls_bytes text;
    bool found = false;
    if (path == NULL || atls_device_read(path, MAX_CPUINFO, l->arena, &text) != 0) {
        return false;
    }
    for (size_t i = 0; !found && i + len + 1 < text.len; i++) {
        found = text.ptr[i] == ' ' && memcmp(text.ptr + i + 1, flag, len) == 0
                && (i + 1 + len == text.len || text.ptr[i + 1 + len] == ' ' || text.ptr[i + 1 + len] == '\n');
    }
    l->arena->used = mark;
    return found;
}

/* ---- configfs-tsm ------------------------------------------------------------------------------------------------- */

static bool tsm_failed(const look *l, int reason, const char *module)
{
    char words[64];
    const char *where = l->p->tsm.report_folder;
    const char *found = atls_text_format(l->arena, l->err, "%s: %s", where, atls_system_words(reason, words));
    const char *advice = atls_text_format(l->arena, l->err, "run modprobe %s", module);
    if (advice == NULL) {
        return false;
    }
    if (reason == EACCES || reason == EPERM || reason == EROFS) {
        advice = "run as root; in a container, mount configfs into it writable";
    }
    if (reason == ENOENT && !is_there(l, "/sys/kernel/config")) {
        advice = "the kernel lacks configfs, or /sys is not mounted: load the module configfs";
    } else if (reason == ENOENT && !is_there(l, "/sys/kernel/config/tsm")) {
        advice =
            atls_text_format(l->arena, l->err,
                             "run mount -t configfs none /sys/kernel/config and modprobe %s; if the folder still does "
                             "not appear, the kernel is older than Linux 6.7: update it",
                             module);
    }
    return says(l, ATLS_ATTESTER_UNUSABLE, where, found, advice != NULL ? advice : "");
}

static bool look_tdx(const look *l)
{
    char provider[32] = "";
    const char *where = l->p->tsm.report_folder;
    const int reason = atls_tsm_look(where, provider);
    if (reason == 0 && strcmp(provider, "tdx_guest") == 0) {
        return says(l, ATLS_ATTESTER_AVAILABLE, where, "configfs-tsm with provider tdx_guest", "");
    }
    if (reason != 0 && (cpu_has(l, "tdx_guest") || is_there(l, "/dev/tdx_guest"))) {
        return tsm_failed(l, reason, "tdx-guest");
    }
    return says(l, ATLS_ATTESTER_ABSENT, where, "this is no TDX guest: the processor has no flag tdx_guest", "");
}

/* ---- SEV-SNP ------------------------------------------------------------------------------------------------------ */

static bool look_device(const look *l, const char *path, int flags, const char *available, const char *advice)
{
    char words[64];
    int fd = -1;
    const int reason = atls_system_open(path, flags, &fd);
    if (reason == 0) {
        (void)atls_system_close(fd);
        return says(l, ATLS_ATTESTER_AVAILABLE, path, available, "");
    }
    return says(l, ATLS_ATTESTER_UNUSABLE, path,
                atls_text_format(l->arena, l->err, "%s: %s", path, atls_system_words(reason, words)),
                reason == EACCES || reason == EPERM ? "run as root, or give this user read and write access" : advice);
}

static bool look_sev_snp(const look *l)
{
    const char *device = l->p->sev_guest.device;
    if (atls_has_snp_folder(l->p)) {
        return says(l, ATLS_ATTESTER_AVAILABLE, l->p->tsm.report_folder, "configfs-tsm with provider sev_guest", "");
    }
    if (access(device, F_OK) == 0) {
        warn_if_open(l, device, "every process here may have any 64 bytes reported: chmod o-rw the device");
        return look_device(l, device, O_RDWR, "the ioctl of /dev/sev-guest", "the kernel log says more");
    }
    /* the kernel makes this device in SNP guests only, whether its driver is loaded or not */
    if (is_there(l, "/sys/bus/platform/devices/sev-guest")) {
        return says(l, ATLS_ATTESTER_UNUSABLE, device, "this is an SEV-SNP guest, and its driver is not loaded",
                    "run modprobe sev-guest (CONFIG_SEV_GUEST, Linux 5.19 and later)");
    }
    return says(l, ATLS_ATTESTER_ABSENT, device,
                "this is no SEV-SNP guest: there is neither the device nor its platform", "");
}

/* ---- dstack ------------------------------------------------------------------------------------------------------- */

static bool look_dstack(const look *l)
{
    char words[64];
    const char *path = l->p->dstack_agent.socket_path;
    int fd = -1;
    if (path == NULL) {
        return says(l, ATLS_ATTESTER_ABSENT, "/var/run/dstack.sock", "no socket of dstack's guest agent is here", "");
    }
    const int reason = atls_dstack_dial(path, &fd);
    if (reason == ENOENT) {
        return says(l, ATLS_ATTESTER_ABSENT, path, "no socket of dstack's guest agent is here", "");
    }
    struct stat s;
    const bool open = stat(path, &s) == 0 && (s.st_mode & S_IWOTH) != 0;
    l->f->warning =
        open ? "an open quote agent: every process here can have any 64 bytes quoted, those of an outsider too; "
               "mount the socket into the one container that ends TLS, and chmod o-w it"
             : "a quote agent: whoever can connect can have any 64 bytes quoted; only the process that ends TLS "
               "should";
    if (reason == 0) {
        (void)close(fd);
        return says(l, ATLS_ATTESTER_AVAILABLE, path, "dstack's guest agent", "");
    }
    const char *advice = reason == ECONNREFUSED ? "nobody listens: start dstack's guest agent"
                         : reason == EACCES     ? "run as root, or give this user access to the socket"
                                                : "this is not a socket that can be used";
    return says(l, ATLS_ATTESTER_UNUSABLE, path,
                atls_text_format(l->arena, l->err, "%s: %s", path, atls_system_words(reason, words)), advice);
}

/* ---- Nitro -------------------------------------------------------------------------------------------------------- */

static bool look_nitro(const look *l)
{
    const char *path = l->p->nsm_device;
    if (access(path, F_OK) != 0) {
        return says(l, ATLS_ATTESTER_ABSENT, path, "this is no Nitro enclave: there is no such device", "");
    }
    warn_if_open(l, path, "every process here may have any user data attested: chmod o-rw the device");
    struct stat s;
    if (stat(path, &s) == 0 && S_ISSOCK(s.st_mode)) { /* whoever stands behind it is asked by the trial */
        return says(l, ATLS_ATTESTER_AVAILABLE, path, "the Nitro security module, behind a socket", "");
    }
    return look_device(l, path, O_RDWR, "the Nitro security module", "run modprobe nsm");
}

/* ---- TPM ---------------------------------------------------------------------------------------------------------- */

static bool tpm_failed(const look *l, const char *where, const atls_error *why)
{
    const char *advice = "try tpm2_getcap properties-fixed with the same TCTI";
    if (why->code == ATLS_E_UNSUPPORTED) {
        advice = "build atls where tpm2-tss and its headers are installed";
    } else if (access(where, F_OK) == 0 && access(where, R_OK | W_OK) != 0) {
        advice = "run as root, or add this user to the group of the device (often tss)";
    }
    return says(l, ATLS_ATTESTER_UNUSABLE, where, atls_text_format(l->arena, l->err, "%s", why->message), advice);
}

static bool look_tpm(const look *l)
{
    const char *tcti = l->p->tpm.tcti;
    const bool is_device = strncmp(tcti, "device:", 7) == 0;
    const char *where = is_device ? tcti + 7 : tcti;
    char text[96];
    atls_error why = {0};
    if (is_device && access(where, F_OK) != 0) {
        if (is_there(l, "/dev/tpm0")) {
            return says(
                l, ATLS_ATTESTER_UNUSABLE, where, "there is a TPM, and no resource manager for it",
                "a TPM 1.2, or a kernel older than 4.12: --tcti device:/dev/tpm0 works if nothing else uses it");
        }
        return says(l, ATLS_ATTESTER_ABSENT, where, "this machine has no TPM 2.0, or its driver is not loaded", "");
    }
    if (is_device) {
        warn_if_open(l, where,
                     "every process here may have its own bytes quoted with the same key: chmod o-rw the device");
    }
    if (!atls_tpm_look(tcti, text, &why)) {
        return tpm_failed(l, where, &why);
    }
    return says(l, ATLS_ATTESTER_AVAILABLE, where, atls_text_format(l->arena, l->err, "%s", text), "");
}

bool atls_look(const atls_places *p, atls_attester_kind kind, atls_arena *arena, atls_attester_finding *out,
               atls_error *err)
{
    const look l = {p, arena, err, out};
    *out = (atls_attester_finding){.kind = kind, .where = "", .found = "", .advice = "", .warning = ""};
    switch (kind) {
    case ATLS_ATTESTER_TDX:
        return look_tdx(&l);
    case ATLS_ATTESTER_SEV_SNP:
        return look_sev_snp(&l);
    case ATLS_ATTESTER_DSTACK:
        return look_dstack(&l);
    case ATLS_ATTESTER_NITRO:
        return look_nitro(&l);
    case ATLS_ATTESTER_TPM:
        return look_tpm(&l);
    case ATLS_ATTESTER_AUTO:
    case ATLS_N_ATTESTERS:
        break;
    }
    return atls_fail(err, ATLS_E_CONFIGURATION, "attester", "there is no such kind of attester");
}
