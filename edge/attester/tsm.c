/* SPDX-License-Identifier: Apache-2.0 */
/* tsm.c: configfs-tsm. An entry of a folder is a request: what is written to it goes in, what is read from it comes out,
 * and `generation` counts what was written.
 *
 * inblob is a binary attribute: configfs hands it to the kernel when the file is closed, and keeps the kernel's answer to
 * itself. So the counter alone says that the request was taken, as it says that nobody else wrote. */
#include "tsm.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "edge/tls/clock.h"
#include "evidence.h"
#include "system.h"

#define MAX_TRIES    5u
#define MAX_NAMES    64u /* entries that other threads, or an earlier process of the same number, may hold */
#define MAX_TEXT     64u
#define MAX_BLOB     (32u * 1024) /* quotes are 4 to 8 KiB, certificate tables at most 16 */
#define MAX_PATH_LEN 512u
#define MAX_ENTRY    (MAX_PATH_LEN - 32u) /* an attribute's name still fits behind it */
#define FIRST_PAUSE  20u
#define SETTLE_STEPS 20u /* times 5 ms, until a request that was handed in has to show in the counter */
#define SETTLE_MS    5u
#define TIMEOUT_MS   30000u

/* How a try ended. */
typedef enum outcome {
    FAILED = 0, /* err is set */
    AGAIN,      /* somebody interfered, or the device is busy; why is set */
    DONE,
} outcome;

typedef struct request {
    const atls_tsm_options *o;
    const uint8_t *report_data;
    atls_arena *arena;
    char path[MAX_PATH_LEN];      /* the entry's */
    char attribute[MAX_PATH_LEN]; /* of the file that is being used */
    char provider[32];
    uint64_t before;   /* generation */
    unsigned n_writes; /* of ours since */
    atls_bytes outblob;
    atls_bytes auxblob;
    atls_error why; /* of the last try that is worth another one */
    atls_error *err;
} request;

static const char *folder_of(const atls_tsm_options *o)
{
    return o->report_folder != NULL ? o->report_folder : ATLS_TSM_FOLDER;
}

/* ---- entries ------------------------------------------------------------------------------------------------------ */

/* A name of our own: the kernel refuses one that is there. */
static int make_entry(const char *folder, char path[MAX_PATH_LEN])
{
    int reason = EEXIST;
    for (unsigned i = 0; i < MAX_NAMES && reason == EEXIST; i++) {
        const int n = snprintf(path, MAX_ENTRY, "%s/atls-%ld-%u", folder, (long)getpid(), i);
        if (n < 0 || (size_t)n >= MAX_ENTRY) {
            return ENAMETOOLONG;
        }
        reason = atls_system_mkdir(path);
    }
    return reason;
}

static const char *attribute(request *r, const char *name)
{
    (void)snprintf(r->attribute, sizeof r->attribute, "%.480s/%s", r->path, name);
    return r->attribute;
}

/* ---- attributes --------------------------------------------------------------------------------------------------- */

/* Reads a line of text, without its end. */
static int read_text(request *r, const char *name, char *out, size_t size)
{
    uint8_t block[8192];
    atls_arena a;
    atls_bytes text;
    atls_arena_init(&a, block, sizeof block);
    const int reason = atls_device_read(attribute(r, name), MAX_TEXT, &a, &text);
    if (reason != 0) {
        return reason;
    }
    while (text.len > 0 && (text.ptr[text.len - 1] == '\n' || text.ptr[text.len - 1] == 0)) {
        text.len--;
    }
    if (text.len >= size || memchr(text.ptr, 0, text.len) != NULL) {
        return EPROTO;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return text.len > 0 ? 0 : EPROTO;
}

static int read_number(request *r, const char *name, uint64_t *out)
{
    char text[21];
    const int reason = read_text(r, name, text, sizeof text);
    *out = 0;
    for (const char *at = text; reason == 0 && *at != '\0'; at++) {
        const uint64_t digit = (uint64_t)(unsigned char)*at - '0';
        if (digit > 9 || *out > (UINT64_MAX - digit) / 10) {
            return EPROTO;
        }
        *out = *out * 10 + digit;
    }
    return reason;
}

/* ---- a try -------------------------------------------------------------------------------------------------------- */

static bool is_worth_another(int reason)
{
    return reason == EBUSY || reason == EAGAIN || reason == EWOULDBLOCK || reason == EINTR || reason == ETIMEDOUT;
}

static const char *hint(const request *r, int reason)
{
    const bool tdx = strcmp(r->provider, "tdx_guest") == 0;
    if (tdx && (reason == ETIMEDOUT || reason == EIO)) {
        return " (no quoting service answers the host: its operator starts QGS)";
    }
    return reason == ENOTTY ? " (the guest's message key is disabled: reboot)" : "";
}

/* What failed becomes the error, or the reason of another try. */
static outcome failed(request *r, int reason)
{
    char words[64], message[160];
    if (reason == ENOMEM || reason == EFBIG) {
        (void)atls_system_fail(r->err, "attester.tsm", r->attribute, reason);
        return FAILED;
    }
    const bool again = is_worth_another(reason);
    const atls_code code = reason == ETIMEDOUT ? ATLS_E_TIMEOUT : ATLS_E_IO;
    (void)snprintf(message, sizeof message, "%.60s: %s%s", strrchr(r->attribute, '/') + 1,
                   atls_system_words(reason, words), hint(r, reason));
    if (again) {
        r->why = (atls_error){0};
    }
    (void)atls_fail(again ? &r->why : r->err, code, "attester.tsm", "%s", message);
    return again ? AGAIN : FAILED;
}

static outcome interfered(request *r, uint64_t now)
{
    char expected[24], actual[24];
    (void)snprintf(expected, sizeof expected, "%" PRIu64, r->before + r->n_writes);
    (void)snprintf(actual, sizeof actual, "%" PRIu64, now);
    r->why = (atls_error){0};
    (void)atls_fail_values(&r->why, ATLS_E_IO, "attester.tsm.generation", expected, actual,
                           "somebody else writes to our entry, or the kernel did not take what we wrote");
    return AGAIN;
}

/* The kernel makes an entry and its attributes at once; whatever stands in for it may need a moment. */
static int wait_for_provider(request *r)
{
    int reason = read_text(r, "provider", r->provider, sizeof r->provider);
    for (unsigned i = 0; i < SETTLE_STEPS && reason == ENOENT; i++) {
        atls_pause_ms(SETTLE_MS);
        reason = read_text(r, "provider", r->provider, sizeof r->provider);
    }
    return reason;
}

static outcome read_provider(request *r)
{
    const int reason = wait_for_provider(r);
    if (reason != 0) {
        return failed(r, reason);
    }
    if (strcmp(r->provider, "tdx_guest") != 0 && strcmp(r->provider, "sev_guest") != 0) {
        (void)atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, "attester.tsm.provider", "tdx_guest or sev_guest",
                                    r->provider, "the kernel's reports are of a kind that is not known here");
        return FAILED;
    }
    if (r->o->provider != NULL && strcmp(r->provider, r->o->provider) != 0) {
        (void)atls_fail_values(r->err, ATLS_E_IO, "attester.tsm.provider", r->o->provider, r->provider,
                               "the kernel's reports are of another kind");
        return FAILED;
    }
    return DONE;
}

/* privlevel is there only where there is a choice: SEV-SNP. Under a supervisor the floor is not 0. */
static int write_privlevel(request *r)
{
    char text[24];
    uint64_t level = r->o->privlevel;
    if (!r->o->has_privlevel) {
        const int reason = read_number(r, "privlevel_floor", &level);
        if (reason == ENOENT || (reason == 0 && level == 0)) {
            return 0;
        }
        if (reason != 0) {
            return reason;
        }
    }
    (void)snprintf(text, sizeof text, "%" PRIu64 "\n", level);
    const int reason = atls_device_write(attribute(r, "privlevel"), atls_bytes_str(text));
    r->n_writes += reason == 0 ? 1 : 0;
    return reason;
}

/* Writes the request and waits until the counter says that it was taken. */
static outcome hand_in(request *r)
{
    uint64_t now = 0;
    int reason = read_number(r, "generation", &r->before);
    r->n_writes = 0;
    reason = reason != 0 ? reason : write_privlevel(r);
    reason = reason != 0 ? reason : atls_device_write(attribute(r, "inblob"), atls_bytes_of(r->report_data, 64));
    if (reason != 0) {
        return failed(r, reason);
    }
    r->n_writes++;
    for (unsigned i = 0; i < SETTLE_STEPS; i++) {
        reason = read_number(r, "generation", &now);
        if (reason != 0) {
            return failed(r, reason);
        }
        if (now == r->before + r->n_writes) {
            return DONE;
        }
        if (now > r->before + r->n_writes || now < r->before) {
            break;
        }
        atls_pause_ms(SETTLE_MS);
    }
    return interfered(r, now);
}

static outcome take_out(request *r)
{
    uint64_t now = 0;
    int reason = atls_device_read(attribute(r, "outblob"), MAX_BLOB, r->arena, &r->outblob);
    if (reason == 0 && strcmp(r->provider, "sev_guest") == 0) {
        reason = atls_device_read(attribute(r, "auxblob"), MAX_BLOB, r->arena, &r->auxblob);
        reason = reason == ENOENT ? 0 : reason; /* a kernel or a host without certificates */
    }
    reason = reason != 0 ? reason : read_number(r, "generation", &now);
    if (reason != 0) {
        return failed(r, reason);
    }
    if (now != r->before + r->n_writes) {
        return interfered(r, now);
    }
    if (r->outblob.len == 0) {
        (void)atls_fail(r->err, ATLS_E_IO, "attester.tsm.outblob", "the kernel gave no bytes%s", hint(r, EIO));
        return FAILED;
    }
    return DONE;
}

static outcome use_entry(request *r)
{
    outcome end = read_provider(r);
    end = end == DONE ? hand_in(r) : end;
    return end == DONE ? take_out(r) : end;
}

static bool cannot_begin(const request *r, int reason)
{
    const char *why = reason == ENOENT  ? ": configfs is not mounted, or the kernel lacks tsm (6.7 and later have it)"
                      : reason == ENXIO ? ": load the module tdx_guest or sev_guest"
                                        : "";
    char words[64];
    return atls_fail(r->err, ATLS_E_IO, "attester.tsm", "%.60s: %s%s", folder_of(r->o),
                     atls_system_words(reason, words), reason == EACCES || reason == EPERM ? " (run as root)" : why);
}

static outcome try_once(request *r)
{
    const size_t mark = r->arena->used;
    const int reason = make_entry(folder_of(r->o), r->path);
    if (reason != 0) {
        (void)cannot_begin(r, reason);
        return FAILED;
    }
    const outcome end = use_entry(r);
    (void)atls_system_rmdir(r->path); /* what stays behind costs the kernel a little memory, and us nothing */
    if (end != DONE) {
        r->arena->used = mark;
    }
    return end;
}

static bool make(request *r)
{
    const uint64_t until = atls_clock_ms() + (r->o->timeout_ms == 0 ? TIMEOUT_MS : r->o->timeout_ms);
    unsigned pause = FIRST_PAUSE;
    for (unsigned n = 1;; n++) {
        const outcome end = try_once(r);
        if (end != AGAIN) {
            return end == DONE;
        }
        if (n == MAX_TRIES || atls_clock_ms() + pause >= until) {
            *r->err = r->err->code == ATLS_OK ? r->why : *r->err;
            return false;
        }
        atls_pause_ms(pause);
        pause *= 2;
    }
}

static bool finish(request *r, atls_evidence *out, atls_error *err)
{
    if (strcmp(r->provider, "sev_guest") == 0) {
        return atls_made_report(r->outblob, r->auxblob, r->report_data, "attester.tsm.outblob", r->arena, &out->quote,
                                err);
    }
    out->quote = r->outblob;
    return atls_made_quote(r->outblob, r->report_data, "attester.tsm.outblob", err)
           && atls_event_log_file(r->o->event_log_path, ATLS_CCEL_PATH, "attester.tsm.event_log",
                                  ATLS_MAX_EVENT_LOG_LEN, r->arena, &out->event_log, err);
}

static bool check_options(const atls_tsm_options *o, atls_error *err)
{
    if (o->provider != NULL && strcmp(o->provider, "tdx_guest") != 0 && strcmp(o->provider, "sev_guest") != 0) {
        return atls_fail_values(err, ATLS_E_CONFIGURATION, "attester.tsm.provider", "tdx_guest or sev_guest",
                                o->provider, "there is no such provider");
    }
    if (o->has_privlevel && o->privlevel > 3) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.tsm.privlevel", "wants 0 to 3");
    }
    return true;
}

bool atls_attest_tsm(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                     atls_error *err)
{
    static const atls_tsm_options defaults = {0};
    request r = {
        .o = options != NULL ? options : &defaults,
        .report_data = report_data,
        .arena = arena,
        .outblob = atls_bytes_empty(),
        .auxblob = atls_bytes_empty(),
        .err = err,
    };
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (check_options(r.o, err) && make(&r) && finish(&r, out, err)) {
        return true;
    }
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    return false;
}

int atls_tsm_look(const char *folder, char provider[32])
{
    request r = {.provider = ""};
    int reason = make_entry(folder, r.path);
    if (reason != 0) {
        return reason;
    }
    reason = wait_for_provider(&r);
    memcpy(provider, r.provider, sizeof r.provider);
    (void)atls_system_rmdir(r.path);
    return reason;
}
