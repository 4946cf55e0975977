/* SPDX-License-Identifier: Apache-2.0 */
/* sev_guest.c: the report of SEV-SNP by ioctl, with the host's certificates if there are any.
 *
 * The buffer for certificates is as large as the kernel takes at first, so that one request is enough on almost every
 * host; a host that has more says how much. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sev-guest.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "edge/tls/clock.h"
#include "evidence.h"
#include "sev_guest.h"
#include "system.h"

#define PAGE            4096u
#define FIRST_TABLE_LEN (4u * PAGE)  /* the kernel's own limit until now */
#define MAX_TABLE_LEN   (16u * PAGE) /* what we are ready to carry */
#define MAX_TRIES       8u
#define FIRST_PAUSE     100u /* hosts throttle to a few requests a second */
#define TIMEOUT_MS      30000u

typedef struct request {
    const atls_sev_guest_options *o;
    const uint8_t *report_data;
    atls_arena *arena;
    int fd;
    struct snp_guest_request_ioctl *call;
    struct snp_ext_report_req *ask; /* its first member is the request of a plain report */
    struct snp_report_resp *answer;
    uint8_t *table;
    uint32_t table_len; /* 0: none is asked for */
    atls_error *err;
} request;

static uint64_t address_of(const void *p)
{
    return (uint64_t)(uintptr_t)p;
}

/* ---- words -------------------------------------------------------------------------------------------------------- */

static const char *host_words(uint32_t code)
{
    switch (code) {
    case SNP_GUEST_VMM_ERR_INVALID_LEN:
        return "the host has more certificates than there is room for";
    case SNP_GUEST_VMM_ERR_BUSY:
        return "the host is busy or throttles requests";
    default:
        return "the host refuses";
    }
}

/* psp-sev.h has the list; these are the ones that a guest's request can meet. */
static const char *firmware_words(uint32_t code)
{
    static const struct {
        uint32_t code;
        const char *words;
    } list[] = {
        {0x01, "invalid platform state"},
        {0x02, "invalid guest state"},
        {0x03, "invalid configuration"},
        {0x04, "invalid length"},
        {0x07, "the guest's policy forbids it"},
        {0x08, "the guest is not active"},
        {0x09, "invalid address"},
        {0x0a, "bad signature"},
        {0x10, "no such guest"},
        {0x11, "invalid command"},
        {0x13, "the platform's hardware failed"},
        {0x14, "the platform's hardware is unsafe"},
        {0x15, "not supported by this firmware"},
        {0x16, "invalid parameter (is the VMPL below the guest's own?)"},
        {0x17, "out of resources"},
        {0x18, "secure data invalid"},
        {0xff, "the firmware was not reached"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (list[i].code == code) {
            return list[i].words;
        }
    }
    return code == UINT32_MAX ? "the firmware was not reached" : "a code that we have no words for";
}

static bool fail_call(const request *r, int reason)
{
    const uint32_t host = (uint32_t)(r->call->exitinfo2 >> 32), firmware = (uint32_t)r->call->exitinfo2;
    const atls_code code = reason == ETIMEDOUT ? ATLS_E_TIMEOUT : ATLS_E_IO;
    char words[64];
    if (reason == ENOTTY) {
        return atls_fail(r->err, code, "attester.sev_guest",
                         "the guest's message key is disabled after an earlier failure: reboot the guest");
    }
    if (host != 0) {
        return atls_fail(r->err, code, "attester.sev_guest.vmm_error", "%s (host error 0x%x, %s)", host_words(host),
                         (unsigned)host, atls_system_words(reason, words));
    }
    if (firmware != 0) {
        return atls_fail(r->err, code, "attester.sev_guest.fw_error", "%s (firmware error 0x%x, %s)",
                         firmware_words(firmware), (unsigned)firmware, atls_system_words(reason, words));
    }
    return atls_system_fail(r->err, "attester.sev_guest", "ioctl", reason);
}

/* ---- the call ----------------------------------------------------------------------------------------------------- */

static int call(request *r)
{
    *r->ask = (struct snp_ext_report_req){.certs_address = address_of(r->table), .certs_len = r->table_len};
    memcpy(r->ask->data.user_data, r->report_data, 64);
    r->ask->data.vmpl = r->o->vmpl;
    memset(r->answer, 0, sizeof *r->answer);
    memset(r->table, 0, r->table_len);
    *r->call = (struct snp_guest_request_ioctl){
        .msg_version = 1,
        .req_data = r->table_len > 0 ? address_of(r->ask) : address_of(&r->ask->data),
        .resp_data = address_of(r->answer),
    };
    return atls_system_ioctl(r->fd, r->table_len > 0 ? SNP_GET_EXT_REPORT : SNP_GET_REPORT, r->call);
}

static bool is_busy(const request *r, int reason)
{
    return reason == EINTR || reason == EAGAIN || reason == EBUSY
           || (uint32_t)(r->call->exitinfo2 >> 32) == SNP_GUEST_VMM_ERR_BUSY;
}

/* The host says how much room it wants; a second answer of that kind is a host that plays. */
static bool give_more_room(request *r)
{
    const uint32_t wanted = r->ask->certs_len;
    if ((uint32_t)(r->call->exitinfo2 >> 32) != SNP_GUEST_VMM_ERR_INVALID_LEN || r->table_len != FIRST_TABLE_LEN
        || wanted <= FIRST_TABLE_LEN || wanted > MAX_TABLE_LEN) {
        return false;
    }
    r->table_len = (wanted + PAGE - 1) / PAGE * PAGE;
    return true;
}

static bool ask(request *r)
{
    const uint64_t until = atls_clock_ms() + (r->o->timeout_ms == 0 ? TIMEOUT_MS : r->o->timeout_ms);
    unsigned pause = FIRST_PAUSE;
    for (unsigned n = 1;; n++) {
        const int reason = call(r);
        if (reason == 0) {
            return true;
        }
        if (give_more_room(r)) {
            continue;
        }
        if (!is_busy(r, reason) || n >= MAX_TRIES || atls_clock_ms() + pause >= until) {
            return fail_call(r, reason);
        }
        atls_pause_ms(pause);
        pause *= 2;
    }
}

static bool prepare(request *r)
{
    r->call = atls_arena_alloc(r->arena, sizeof *r->call, r->err);
    r->ask = atls_arena_alloc(r->arena, sizeof *r->ask, r->err);
    r->answer = atls_arena_alloc(r->arena, sizeof *r->answer, r->err);
    uint8_t *room = atls_arena_alloc(r->arena, MAX_TABLE_LEN + PAGE, r->err);
    if (r->call == NULL || r->ask == NULL || r->answer == NULL || room == NULL) {
        return false;
    }
    r->table = room + (PAGE - (uintptr_t)room % PAGE) % PAGE; /* whole pages: what the host fills */
    r->table_len = r->o->without_certificates ? 0 : FIRST_TABLE_LEN;
    return true;
}

static bool get(request *r, const char *device, atls_evidence *out)
{
    atls_bytes report;
    const int reason = atls_system_open(device, O_RDWR, &r->fd);
    if (reason != 0) {
        return atls_system_fail(r->err, "attester.sev_guest", device, reason);
    }
    const bool answered = prepare(r) && ask(r);
    (void)atls_system_close(r->fd);
    return answered && atls_snp_response_report(atls_bytes_of(r->answer->data, sizeof r->answer->data), &report, r->err)
           && atls_made_report(report, atls_bytes_of(r->table, r->table_len), r->report_data,
                               "attester.sev_guest.report", r->arena, &out->quote, r->err);
}

bool atls_attest_sev_guest(void *options, const uint8_t report_data[64], atls_arena *arena, atls_evidence *out,
                           atls_error *err)
{
    static const atls_sev_guest_options defaults = {0};
    request r = {
        .o = options != NULL ? options : &defaults,
        .report_data = report_data,
        .arena = arena,
        .fd = -1,
        .err = err,
    };
    *out = (atls_evidence){atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    if (r.o->vmpl > 3) {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attester.sev_guest.vmpl", "wants 0 to 3");
    }
    return get(&r, r.o->device != NULL ? r.o->device : ATLS_SEV_GUEST_DEVICE, out);
}
