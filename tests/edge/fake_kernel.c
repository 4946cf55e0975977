/* SPDX-License-Identifier: Apache-2.0 */
/* fake_kernel.c: see fake_kernel.h. One kernel for one thread. */
#include "fake_kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "edge/attester/system.h"

#define FIRST_FD    1000
#define MAX_FILES   8
#define MAX_ENTRIES 8

typedef struct entry {
    char name[64];
    uint8_t inblob[64];
    size_t inblob_len;
    uint32_t privlevel;
    unsigned long write_generation, read_generation;
    uint8_t *outblob;
    size_t outblob_len;
} entry;

typedef struct file {
    bool open;
    bool device;
    bool writing;
    entry *e;
    char attribute[32];
    uint8_t data[KERNEL_MAX_BLOB]; /* read: what there is; write: what was handed over */
    size_t len, at;
    bool loaded;
} file;

static struct {
    fake_kernel k;
    entry entries[MAX_ENTRIES];
    file files[MAX_FILES];
    unsigned counts[8];
} machine;

void kernel_boot(const fake_kernel *script)
{
    for (size_t i = 0; i < MAX_ENTRIES; i++) {
        free(machine.entries[i].outblob);
    }
    memset(&machine, 0, sizeof machine);
    machine.k = *script;
    if (machine.k.provider == NULL) {
        machine.k.provider = "tdx_guest";
    }
    for (unsigned i = 0; i < script->names_taken; i++) {
        (void)snprintf(machine.entries[i].name, sizeof machine.entries[i].name, "atls-%ld-%u", (long)getpid(), i);
    }
}

const fake_kernel *kernel_state(void)
{
    machine.k.n_entries = 0;
    machine.k.n_open = 0;
    for (size_t i = 0; i < MAX_ENTRIES; i++) {
        machine.k.n_entries += machine.entries[i].name[0] != 0 ? 1 : 0;
    }
    for (size_t i = 0; i < MAX_FILES; i++) {
        machine.k.n_open += machine.files[i].open ? 1 : 0;
    }
    return &machine.k;
}

/* The reason that the script has for this call, 0 for none. */
static int failure(const char *call, const char *name)
{
    for (size_t i = 0; i < 3; i++) {
        const kernel_failure *f = &machine.k.failures[i];
        if (f->call == NULL || strcmp(f->call, call) != 0 || strcmp(f->name, name) != 0) {
            continue;
        }
        const unsigned n = ++machine.counts[i];
        if (n >= f->first && n <= (f->last == 0 ? f->first : f->last)) {
            return f->reason;
        }
    }
    return 0;
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

static const char *below(const char *path)
{
    const size_t n = strlen(KERNEL_FOLDER);
    return strncmp(path, KERNEL_FOLDER "/", n + 1) == 0 ? path + n + 1 : NULL;
}

static entry *find(const char *name, size_t len)
{
    for (size_t i = 0; i < MAX_ENTRIES; i++) {
        if (strlen(machine.entries[i].name) == len && memcmp(machine.entries[i].name, name, len) == 0 && len > 0) {
            return &machine.entries[i];
        }
    }
    return NULL;
}

int atls_system_mkdir(const char *path)
{
    const char *name = below(path);
    const int reason = failure("mkdir", "");
    if (name == NULL || reason != 0) {
        return reason != 0 ? reason : ENOENT;
    }
    if (find(name, strlen(name)) != NULL) {
        return EEXIST;
    }
    for (size_t i = 0; i < MAX_ENTRIES; i++) {
        if (machine.entries[i].name[0] == 0) {
            memset(&machine.entries[i], 0, sizeof machine.entries[i]);
            (void)snprintf(machine.entries[i].name, sizeof machine.entries[i].name, "%s", name);
            machine.entries[i].write_generation = machine.entries[i].read_generation = machine.k.generation;
            machine.k.n_mkdir++;
            return 0;
        }
    }
    return ENOMEM;
}

int atls_system_rmdir(const char *path)
{
    const char *name = below(path);
    entry *e = name == NULL ? NULL : find(name, strlen(name));
    if (e == NULL) {
        return ENOENT;
    }
    free(e->outblob);
    memset(e, 0, sizeof *e);
    machine.k.n_rmdir++;
    return 0;
}

/* ---- reports ------------------------------------------------------------------------------------------------------ */

void kernel_report(const uint8_t data[64], uint32_t vmpl, uint8_t out[1184])
{
    memset(out, 0, 1184);
    out[0] = 2;
    out[0x30] = (uint8_t)vmpl;
    memcpy(out + 0x50, data, 64);
    memset(out + 0x90, 0x5a, 48);
}

static size_t make_report(const uint8_t data[64], uint32_t vmpl, uint8_t *out)
{
    uint8_t mine[64];
    size_t len = 1184;
    memcpy(mine, data, 64);
    mine[0] ^= machine.k.other_data ? 1 : 0;
    machine.k.n_reports++;
    machine.k.privlevel = vmpl;
    if (machine.k.empty_outblob) {
        return 0;
    }
    if (strcmp(machine.k.provider, "sev_guest") == 0) {
        kernel_report(mine, vmpl, out);
    } else {
        memcpy(out, "a quote that nobody can decode, over ", 37);
        memcpy(out + 37, mine, 64);
        len = 101;
    }
    if (machine.k.outblob_len > len) {
        memset(out + len, 0, machine.k.outblob_len - len);
    }
    return machine.k.outblob_len != 0 ? machine.k.outblob_len : len;
}

static int advance(entry *e)
{
    if (machine.k.full > 0) {
        machine.k.full--;
        return EBUSY;
    }
    e->write_generation++;
    return 0;
}

/* As if somebody wrote their own request into our entry. */
static void write_by_another(entry *e)
{
    memset(e->inblob, 0xee, sizeof e->inblob);
    e->inblob_len = sizeof e->inblob;
    e->write_generation++;
}

static int generate(entry *e)
{
    if (e->inblob_len == 0) {
        return EINVAL;
    }
    if (e->outblob != NULL && e->read_generation == e->write_generation) {
        return 0;
    }
    if (e->inblob_len != 64) {
        return EINVAL;
    }
    free(e->outblob);
    e->outblob = malloc(KERNEL_MAX_BLOB);
    if (e->outblob == NULL) {
        abort();
    }
    e->outblob_len = make_report(e->inblob, e->privlevel, e->outblob);
    e->read_generation = e->write_generation;
    return 0;
}

/* ---- attributes --------------------------------------------------------------------------------------------------- */

static bool is_visible(const char *name)
{
    static const char *const always[] = {"provider", "generation", "inblob", "outblob"};
    const bool levels = machine.k.privlevel_floor >= 0;
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        if (strcmp(name, always[i]) == 0) {
            return true;
        }
    }
    return (levels && (strcmp(name, "privlevel") == 0 || strcmp(name, "privlevel_floor") == 0))
           || (!machine.k.no_auxblob && strcmp(machine.k.provider, "sev_guest") == 0 && strcmp(name, "auxblob") == 0);
}

/* The mode of each attribute: 0200 or 0400; and who opens read-write is told so. */
static bool may_open(const char *name, int flags)
{
    const bool write_only = strcmp(name, "inblob") == 0 || strcmp(name, "privlevel") == 0;
    return (flags & O_ACCMODE) == (write_only ? O_WRONLY : O_RDONLY);
}

int atls_system_open(const char *path, int flags, int *fd)
{
    const char *name = below(path), *slash = name == NULL ? NULL : strchr(name, '/');
    const bool device = strcmp(path, KERNEL_DEVICE) == 0;
    entry *e = slash == NULL ? NULL : find(name, (size_t)(slash - name));
    if (name == NULL && !device) {
        *fd = open(path, flags | O_CLOEXEC);
        return *fd >= 0 ? 0 : errno;
    }
    const int reason = failure("open", device ? "device" : slash == NULL ? "" : slash + 1);
    if (reason != 0) {
        return reason;
    }
    if (!device && (e == NULL || !is_visible(slash + 1))) {
        return ENOENT;
    }
    if (device ? (flags & O_ACCMODE) != O_RDWR : !may_open(slash + 1, flags)) {
        return EACCES;
    }
    for (int i = 0; i < MAX_FILES; i++) {
        file *f = &machine.files[i];
        if (!f->open) {
            *f = (file){.open = true, .device = device, .writing = (flags & O_ACCMODE) == O_WRONLY, .e = e};
            (void)snprintf(f->attribute, sizeof f->attribute, "%s", device ? "device" : slash + 1);
            *fd = FIRST_FD + i;
            return 0;
        }
    }
    return EMFILE;
}

static file *file_of(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + MAX_FILES && machine.files[fd - FIRST_FD].open
               ? &machine.files[fd - FIRST_FD]
               : NULL;
}

/* The driver gets a binary attribute now, and what it says is lost (fs/configfs/file.c). */
static void flush_inblob(file *f)
{
    if (f->len == 0 || f->len > 64 || advance(f->e) != 0) {
        return;
    }
    memcpy(f->e->inblob, f->data, f->len);
    f->e->inblob_len = f->len;
    if (machine.k.interfere > 0) {
        machine.k.interfere--;
        write_by_another(f->e);
    }
}

int atls_system_close(int fd)
{
    file *f = file_of(fd);
    if (f == NULL) {
        return close(fd) == 0 ? 0 : errno;
    }
    if (f->writing && strcmp(f->attribute, "inblob") == 0) {
        flush_inblob(f);
    }
    if (!f->writing && strcmp(f->attribute, "outblob") == 0 && machine.k.interfere_after > 0) {
        machine.k.interfere_after--;
        write_by_another(f->e);
    }
    f->open = false;
    return 0;
}

static int load_blob(file *f)
{
    const int reason = generate(f->e);
    const bool certs = strcmp(f->attribute, "auxblob") == 0;
    if (reason != 0) {
        return reason;
    }
    f->len = certs ? machine.k.table_len : f->e->outblob_len;
    memcpy(f->data, certs ? machine.k.table : f->e->outblob, f->len);
    return 0;
}

static int load(file *f)
{
    if (strcmp(f->attribute, "outblob") == 0 || strcmp(f->attribute, "auxblob") == 0) {
        return load_blob(f);
    }
    char text[64] = "";
    if (strcmp(f->attribute, "provider") == 0) {
        (void)snprintf(text, sizeof text, "%s\n", machine.k.provider);
    } else if (strcmp(f->attribute, "generation") == 0) {
        (void)snprintf(text, sizeof text, "%lu\n", f->e->write_generation);
    } else {
        (void)snprintf(text, sizeof text, "%d\n", machine.k.privlevel_floor);
    }
    f->len = strlen(text);
    memcpy(f->data, text, f->len);
    return 0;
}

int atls_system_read(int fd, void *out, size_t size, size_t *n)
{
    file *f = file_of(fd);
    if (f == NULL) {
        const ssize_t got = read(fd, out, size);
        *n = got > 0 ? (size_t)got : 0;
        return got >= 0 ? 0 : errno;
    }
    *n = 0;
    int reason = failure("read", f->attribute);
    if (reason == 0 && !f->loaded) {
        reason = load(f);
        f->loaded = reason == 0;
    }
    if (reason != 0) {
        return reason;
    }
    const size_t left = f->len - f->at,
                 most = machine.k.steps_short > 0 && machine.k.steps_short < size ? machine.k.steps_short : size;
    *n = left < most ? left : most;
    memcpy(out, f->data + f->at, *n);
    f->at += *n;
    return 0;
}

static int store_privlevel(file *f, const char *text)
{
    const long level = strtol(text, NULL, 10);
    if (level < machine.k.privlevel_floor || level > 3) {
        return EINVAL;
    }
    const int reason = advance(f->e);
    f->e->privlevel = reason == 0 ? (uint32_t)level : f->e->privlevel;
    return reason;
}

int atls_system_write(int fd, const void *in, size_t len, size_t *n)
{
    file *f = file_of(fd);
    char text[32];
    *n = 0;
    if (f == NULL) {
        return EBADF;
    }
    const int reason = failure("write", f->attribute);
    if (reason != 0) {
        return reason;
    }
    *n = len;
    if (strcmp(f->attribute, "inblob") == 0) {
        if (f->len + len > 64) {
            *n = 0;
            return EFBIG;
        }
        memcpy(f->data + f->len, in, len);
        f->len += len;
        return 0;
    }
    (void)snprintf(text, sizeof text, "%.*s", (int)len, (const char *)in);
    return store_privlevel(f, text);
}

/* ---- /dev/sev-guest ----------------------------------------------------------------------------------------------- */

static void *at(uint64_t address)
{
    return (void *)(uintptr_t)address;
}

static void answer_report(const struct snp_report_req *request, struct snp_guest_request_ioctl *call)
{
    struct snp_report_resp *response = at(call->resp_data);
    const uint32_t size = machine.k.report_size == 0 ? 1184 : machine.k.report_size;
    const uint32_t header[2] = {machine.k.status, size};
    memset(response, 0, sizeof *response);
    memcpy(response->data, header, sizeof header); /* little-endian, as the machine that has this device */
    (void)make_report(request->user_data, request->vmpl, response->data + 32);
}

/* What the driver demands of a request before the firmware hears of it. */
static bool is_well_formed(const struct snp_guest_request_ioctl *call, const struct snp_report_req *request)
{
    for (size_t i = 0; i < sizeof request->rsvd; i++) {
        if (request->rsvd[i] != 0) {
            return false;
        }
    }
    return call->msg_version == 1 && call->resp_data != 0 && request->vmpl <= 3;
}

static int answer_ext(struct snp_ext_report_req *request)
{
    if (request->certs_len == 0 || request->certs_len % 4096 != 0 || request->certs_address % 4096 != 0) {
        machine.k.broken = true;
        return EINVAL;
    }
    machine.k.n_ext++;
    machine.k.certs_len = request->certs_len;
    if (machine.k.table_len > request->certs_len) {
        machine.k.broken = true;
        return EFAULT;
    }
    memcpy(at(request->certs_address), machine.k.table, machine.k.table_len);
    return 0;
}

int atls_system_ioctl(int fd, unsigned long request, void *argument)
{
    struct snp_guest_request_ioctl *call = argument;
    const file *f = file_of(fd);
    if (f == NULL || !f->device || (request != SNP_GET_REPORT && request != SNP_GET_EXT_REPORT)) {
        return ENOTTY;
    }
    const unsigned n = machine.k.n_ioctl++;
    struct snp_ext_report_req *ext = at(call->req_data); /* its first member is the plain request */
    if (!is_well_formed(call, &ext->data)) {
        machine.k.broken = true;
        return EINVAL;
    }
    const kernel_answer ok = {0};
    const kernel_answer *a =
        machine.k.n_answers == 0 ? &ok : &machine.k.answers[n < machine.k.n_answers ? n : machine.k.n_answers - 1];
    call->exitinfo2 = (uint64_t)a->vmm_error << 32 | a->fw_error;
    if (request == SNP_GET_EXT_REPORT && a->vmm_error == SNP_GUEST_VMM_ERR_INVALID_LEN) {
        ext->certs_len = a->certs_len;
    }
    if (a->reason != 0) {
        return a->reason;
    }
    const int reason = request == SNP_GET_EXT_REPORT ? answer_ext(ext) : 0;
    if (reason == 0) {
        answer_report(&ext->data, call);
    }
    return reason;
}
