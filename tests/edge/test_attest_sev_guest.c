/* SPDX-License-Identifier: Apache-2.0 */
/* test_attest_sev_guest.c: the ioctl of /dev/sev-guest over a driver, a firmware and a host that refuse in all their
 * ways; and what they hand over, taken apart. */
#include "tap.h"

#include <errno.h>

#include "edge/attester/evidence.h"
#include "fake_kernel.h"

#define ARENA_SIZE ((size_t)1024 * 1024)

#define BUSY                                                                                                           \
    {                                                                                                                  \
        EIO, 0, 2, 0                                                                                                   \
    }
#define WANTS(n)                                                                                                       \
    {                                                                                                                  \
        EIO, 0, 1, n                                                                                                   \
    }

static uint8_t wanted[64];

typedef struct row {
    const char *name;
    fake_kernel kernel;
    atls_sev_guest_options options;
    atls_code code;
    const char *field;   /* NULL: it works */
    const char *message; /* part of it */
    unsigned n_ioctl;
    unsigned n_ext;     /* of them, those that gave certificates room and were answered */
    uint32_t certs_len; /* of the last of these */
} row;

#define K .provider = "sev_guest"
#define HERE                                                                                                           \
    {                                                                                                                  \
        .device = KERNEL_DEVICE                                                                                        \
    }
#define SOON                                                                                                           \
    {                                                                                                                  \
        .device = KERNEL_DEVICE, .timeout_ms = 1                                                                       \
    }

/* clang-format off */
static const row rows[] = {
    {"a report", {K}, HERE, ATLS_OK, NULL, NULL, 1, 1, 0x4000},
    {"a report alone", {K}, {.device = KERNEL_DEVICE, .without_certificates = true}, ATLS_OK, NULL, NULL, 1, 0, 0},
    {"at another level", {K}, {.device = KERNEL_DEVICE, .vmpl = 2}, ATLS_OK, NULL, NULL, 1, 1, 0x4000},
    {"a level that there cannot be", {K}, {.device = KERNEL_DEVICE, .vmpl = 4}, ATLS_E_CONFIGURATION, "attester.sev_guest.vmpl", NULL, 0, 0, 0},
    {"a host that wants more room gets it", {K, .answers = {WANTS(0x9000), {0}}, .n_answers = 2}, HERE, ATLS_OK, NULL, NULL, 2, 1, 0x9000},
    {"whole pages", {K, .answers = {WANTS(0x8001), {0}}, .n_answers = 2}, HERE, ATLS_OK, NULL, NULL, 2, 1, 0x9000},
    {"a host that wants more than there can be", {K, .answers = {WANTS(0x10001)}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.vmm_error", "more certificates", 1, 0, 0},
    {"a host that wants as much as it had", {K, .answers = {WANTS(0x4000)}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.vmm_error", "more certificates", 1, 0, 0},
    {"a host that wants more and more", {K, .answers = {WANTS(0x5000), WANTS(0x6000)}, .n_answers = 2}, HERE, ATLS_E_IO, "attester.sev_guest.vmm_error", "more certificates", 2, 0, 0},
    {"a busy host: once more", {K, .answers = {BUSY, {0}}, .n_answers = 2}, HERE, ATLS_OK, NULL, NULL, 2, 1, 0x4000},
    {"a busy driver: once more", {K, .answers = {{EBUSY, 0, 0, 0}, {0}}, .n_answers = 2}, HERE, ATLS_OK, NULL, NULL, 2, 1, 0x4000},
    {"a signal: once more", {K, .answers = {{EINTR, 0, 0, 0}, {0}}, .n_answers = 2}, HERE, ATLS_OK, NULL, NULL, 2, 1, 0x4000},
    {"a host that is busy beyond the time", {K, .answers = {BUSY}, .n_answers = 1}, SOON, ATLS_E_IO, "attester.sev_guest.vmm_error", "busy or throttles", 1, 0, 0},
    {"throttled until the driver gives up", {K, .answers = {{ETIMEDOUT, 0, 2, 0}}, .n_answers = 1}, SOON, ATLS_E_TIMEOUT, "attester.sev_guest.vmm_error", "busy or throttles", 1, 0, 0},
    {"a host error without a name", {K, .answers = {{EIO, 0, 77, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.vmm_error", "host error 0x4d", 1, 0, 0},
    {"firmware: invalid parameter", {K, .answers = {{EIO, 0x16, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.fw_error", "VMPL below", 1, 0, 0},
    {"firmware: forbidden", {K, .answers = {{EIO, 7, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.fw_error", "policy forbids", 1, 0, 0},
    {"firmware: not reached", {K, .answers = {{EIO, UINT32_MAX, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.fw_error", "not reached", 1, 0, 0},
    {"firmware: without a name", {K, .answers = {{EIO, 0x55, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest.fw_error", "0x55", 1, 0, 0},
    {"a message key that is disabled", {K, .answers = {{ENOTTY, 0, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest", "reboot", 1, 0, 0},
    {"an error of the driver alone", {K, .answers = {{EFAULT, 0, 0, 0}}, .n_answers = 1}, HERE, ATLS_E_IO, "attester.sev_guest", "Bad address", 1, 0, 0},
    {"a status of the firmware's message", {K, .status = 0x16}, HERE, ATLS_E_IO, "attester.sev_guest.status", "invalid parameters", 1, 1, 0x4000},
    {"a key that is not there", {K, .status = 0x27}, HERE, ATLS_E_IO, "attester.sev_guest.status", "signing key", 1, 1, 0x4000},
    {"a report of another size", {K, .report_size = 1185}, HERE, ATLS_E_QUOTE, "attester.sev_guest.report_size", NULL, 1, 1, 0x4000},
    {"a report over other data", {K, .other_data = true}, HERE, ATLS_E_QUOTE, "attester.sev_guest.report", "not over the report data", 1, 1, 0x4000},
    {"no device", {K, .failures = {{"open", "device", 1, 1000, ENOENT}}}, HERE, ATLS_E_IO, "attester.sev_guest", "atls doctor", 0, 0, 0},
    {"no permission", {K, .failures = {{"open", "device", 1, 1000, EACCES}}}, HERE, ATLS_E_IO, "attester.sev_guest", "run as root", 0, 0, 0},
};
/* clang-format on */

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    atls_sev_guest_options o = r->options;
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&r->kernel);
    const bool ok = atls_attest_sev_guest(&o, wanted, &a, &e, &err);
    if (ok != (r->field == NULL) || err.code != r->code) {
        fail_msg("%s at %s: %s", atls_code_name(err.code), err.field, err.message);
    }
    const fake_kernel *k = kernel_state();
    assert_false(k->broken);
    assert_int_equal(k->n_open, 0);
    assert_int_equal(k->n_ioctl, r->n_ioctl);
    assert_int_equal(k->n_ext, r->n_ext);
    assert_int_equal(k->certs_len, r->certs_len);
    if (ok) {
        uint8_t report[1184];
        kernel_report(wanted, r->options.vmpl, report);
        assert_int_equal(e.quote.len, sizeof report);
        assert_memory_equal(e.quote.ptr, report, sizeof report);
    } else {
        assert_string_equal(err.field, r->field);
        assert_true(r->message == NULL || strstr(err.message, r->message) != NULL);
        assert_int_equal(e.quote.len, 0);
    }
    atls_arena_free(&a);
}

/* ---- tables ------------------------------------------------------------------------------------------------------- */

typedef struct table_entry {
    uint8_t guid;
    uint32_t offset, length;
} table_entry;

typedef struct table_row {
    const char *name;
    size_t table_len;
    table_entry entries[3]; /* guid 0 and all zero: the end */
    unsigned copies;        /* of the first entry; 0: as they stand */
    bool ok;
    size_t len;
} table_row;

static const table_row tables[] = {
    {"nothing at all", 0, {{0, 0, 0}}, 0, true, 0},
    {"a table without entries", 4096, {{0, 0, 0}}, 0, true, 0},
    {"one certificate", 4096, {{1, 48, 100}}, 0, true, 148},
    {"two, the second before the first", 4096, {{1, 200, 100}, {2, 72, 10}}, 0, true, 300},
    {"an empty certificate", 4096, {{1, 48, 0}}, 0, true, 48},
    {"up to the last byte", 4096, {{1, 48, 4048}}, 0, true, 4096},
    {"one byte past the end", 4096, {{1, 48, 4049}}, 0, false, 0},
    {"beginning behind the end", 4096, {{1, 4097, 0}}, 0, false, 0},
    {"an offset and a length that wrap", 4096, {{1, 0xffffff00u, 0x200}}, 0, false, 0},
    {"32 entries", 4096, {{1, 1000, 8}}, 32, true, 1008},
    {"33 entries", 4096, {{1, 1000, 8}}, 33, false, 0},
    {"no end", 48, {{1, 0, 8}, {2, 0, 8}}, 0, false, 0},
    {"less than one entry", 23, {{0, 0, 0}}, 0, false, 0},
};

static void put_entry(uint8_t *at, const table_entry *e)
{
    memset(at, e->guid, 16);
    for (unsigned i = 0; i < 4; i++) {
        at[16 + i] = (uint8_t)(e->offset >> 8 * i);
        at[20 + i] = (uint8_t)(e->length >> 8 * i);
    }
}

static void test_table(void **state)
{
    const table_row *r = *state;
    uint8_t table[4096] = {0}, exact[4096];
    size_t len = 99;
    for (unsigned i = 0; i < (r->copies > 0 ? r->copies : 3); i++) {
        if (24 * (i + 1) <= sizeof table) {
            put_entry(table + 24 * (size_t)i, &r->entries[r->copies > 0 ? 0 : i]);
        }
    }
    memcpy(exact, table, r->table_len);
    assert_int_equal(atls_certificate_table_len(atls_bytes_of(exact, r->table_len), &len), r->ok);
    assert_int_equal(len, r->len);
}

static void test_short_response(void **state)
{
    (void)state;
    uint8_t response[1216] = {[4] = 0xa0, [5] = 0x04};
    atls_bytes report;
    for (size_t n = 0; n <= sizeof response; n++) {
        atls_error err = {0};
        assert_int_equal(atls_snp_response_report(atls_bytes_of(response, n), &report, &err), n == sizeof response);
        assert_int_equal(err.code, n == sizeof response ? ATLS_OK : ATLS_E_QUOTE);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof wanted; i++) {
        wanted[i] = (uint8_t)(0x80 + i);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        tap_add(&l, tables[i].name, test_table, &tables[i]);
    }
    tap_add(&l, "an answer that is cut", test_short_response, NULL);
    return tap_run("attest_sev_guest", &l);
}
