/* SPDX-License-Identifier: Apache-2.0 */
/* test_attest_tsm.c: configfs-tsm over a kernel that counts, is busy, is interfered with, and fails, row by row. After
 * every row nothing may be left in the folder, and no file open. */
#include "tap.h"

#include <errno.h>
#include <unistd.h>

#include "edge/attester/tsm.h"
#include "fake_kernel.h"

#define ARENA_SIZE ((size_t)1024 * 1024)

static uint8_t wanted[64];

typedef struct row {
    const char *name;
    fake_kernel kernel;
    atls_tsm_options options;
    atls_code code;
    const char *field;   /* NULL: it works */
    const char *message; /* part of it; NULL: any */
    unsigned n_mkdir;    /* tries */
} row;

#define TDX .privlevel_floor = -1
#define SNP .provider = "sev_guest", .privlevel_floor = 0
#define HAVE                                                                                                           \
    {                                                                                                                  \
        .report_folder = KERNEL_FOLDER, .event_log_path = ""                                                           \
    }
#define LATE                                                                                                           \
    {                                                                                                                  \
        .report_folder = KERNEL_FOLDER, .event_log_path = "", .timeout_ms = 1                                          \
    }

/* clang-format off */
static const row rows[] = {
    {"a TDX quote", {TDX}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"an SEV-SNP report", {SNP}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"an SEV-SNP report of a kernel without certificates", {SNP, .no_auxblob = true}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"reads that give a byte at a time", {TDX, .steps_short = 1}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"a quote with zeros behind it", {TDX, .outblob_len = 8192}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"a count that does not begin at zero", {TDX, .generation = 4711}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"names that others hold", {TDX, .names_taken = 3}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"a read that a signal ends", {TDX, .failures = {{"read", "outblob", 1, 0, EINTR}}}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"the provider that is wanted", {SNP}, {.report_folder = KERNEL_FOLDER, .event_log_path = "", .provider = "sev_guest"}, ATLS_OK, NULL, NULL, 1},

    {"somebody writes before we read: once more", {TDX, .interfere = 1}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"somebody writes while we read: once more", {TDX, .interfere_after = 1}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"somebody writes while we read certificates: once more", {SNP, .interfere_after = 1}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"somebody writes for ever", {TDX, .interfere = 100}, HAVE, ATLS_E_IO, "attester.tsm.generation", "somebody else", 5},
    {"somebody writes for ever while we read", {TDX, .interfere_after = 100}, HAVE, ATLS_E_IO, "attester.tsm.generation", "somebody else", 5},
    {"a request that is not taken, and nobody says so", {TDX, .full = 1}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"a busy driver: once more", {TDX, .failures = {{"read", "outblob", 1, 0, EBUSY}}}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"a driver that would block: once more", {TDX, .failures = {{"read", "outblob", 1, 0, EWOULDBLOCK}}}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"a host that takes too long: once more", {TDX, .failures = {{"read", "outblob", 1, 0, ETIMEDOUT}}}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"busy for ever", {TDX, .failures = {{"read", "outblob", 1, 1000, EBUSY}}}, HAVE, ATLS_E_IO, "attester.tsm", "outblob: Device or resource busy", 5},
    {"busy when the level is written: once more", {.provider = "sev_guest", .privlevel_floor = 2, .failures = {{"write", "privlevel", 1, 0, EBUSY}}}, HAVE, ATLS_OK, NULL, NULL, 2},
    {"no further try after the time", {TDX, .failures = {{"read", "outblob", 1, 1000, EBUSY}}}, LATE, ATLS_E_IO, "attester.tsm", "busy", 1},
    {"a host without quoting service: too late", {TDX, .failures = {{"read", "outblob", 1, 1000, ETIMEDOUT}}}, LATE, ATLS_E_TIMEOUT, "attester.tsm", "QGS", 1},
    {"a host without quoting service: an error", {TDX, .failures = {{"read", "outblob", 1, 1000, EIO}}}, HAVE, ATLS_E_IO, "attester.tsm", "QGS", 1},
    {"an SEV-SNP error is no matter of QGS", {SNP, .failures = {{"read", "outblob", 1, 1000, EIO}}}, HAVE, ATLS_E_IO, "attester.tsm", "outblob: Input/output error", 1},
    {"a message key that is disabled", {SNP, .failures = {{"read", "outblob", 1, 1000, ENOTTY}}}, HAVE, ATLS_E_IO, "attester.tsm", "reboot", 1},
    {"no bytes", {TDX, .empty_outblob = true}, HAVE, ATLS_E_IO, "attester.tsm.outblob", "no bytes", 1},
    {"32 KiB", {TDX, .outblob_len = 32768}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"more than 32 KiB", {TDX, .outblob_len = 32769}, HAVE, ATLS_E_LIMIT, "attester.tsm", NULL, 1},
    {"certificates that cannot be read", {SNP, .failures = {{"read", "auxblob", 1, 1000, EIO}}}, HAVE, ATLS_E_IO, "attester.tsm", "auxblob", 1},
    {"a report over other data", {SNP, .other_data = true}, HAVE, ATLS_E_QUOTE, "attester.tsm.outblob", "not over the report data", 1},
    {"a report of another length", {SNP, .outblob_len = 1185}, HAVE, ATLS_E_QUOTE, "attester.tsm.outblob", "another length", 1},
    {"a report that is cut", {SNP, .outblob_len = 1183}, HAVE, ATLS_E_QUOTE, "attester.tsm.outblob", "another length", 1},

    {"the floor is taken", {.provider = "sev_guest", .privlevel_floor = 2}, HAVE, ATLS_OK, NULL, NULL, 1},
    {"the level that is asked for", {SNP}, {.report_folder = KERNEL_FOLDER, .event_log_path = "", .has_privlevel = true, .privlevel = 3}, ATLS_OK, NULL, NULL, 1},
    {"a level below the floor", {.provider = "sev_guest", .privlevel_floor = 2}, {.report_folder = KERNEL_FOLDER, .event_log_path = "", .has_privlevel = true, .privlevel = 1}, ATLS_E_IO, "attester.tsm", "privlevel: Invalid argument", 1},
    {"a level where there are none", {TDX}, {.report_folder = KERNEL_FOLDER, .event_log_path = "", .has_privlevel = true, .privlevel = 1}, ATLS_E_IO, "attester.tsm", "privlevel: No such file", 1},
    {"a level that there cannot be", {SNP}, {.report_folder = KERNEL_FOLDER, .has_privlevel = true, .privlevel = 4}, ATLS_E_CONFIGURATION, "attester.tsm.privlevel", NULL, 0},

    {"another provider than the one that is wanted", {SNP}, {.report_folder = KERNEL_FOLDER, .provider = "tdx_guest"}, ATLS_E_IO, "attester.tsm.provider", "another kind", 1},
    {"a provider that nobody knows", {.provider = "cca_guest", .privlevel_floor = -1}, HAVE, ATLS_E_UNSUPPORTED, "attester.tsm.provider", "not known", 1},
    {"wanting a provider that there is not", {TDX}, {.report_folder = KERNEL_FOLDER, .provider = "tdx"}, ATLS_E_CONFIGURATION, "attester.tsm.provider", NULL, 0},
    {"no folder", {TDX}, {.report_folder = "/nowhere/report"}, ATLS_E_IO, "attester.tsm", "configfs is not mounted", 0},
    {"no driver", {TDX, .failures = {{"mkdir", "", 1, 1000, ENXIO}}}, HAVE, ATLS_E_IO, "attester.tsm", "load the module", 0},
    {"no permission", {TDX, .failures = {{"mkdir", "", 1, 1000, EACCES}}}, HAVE, ATLS_E_IO, "attester.tsm", "run as root", 0},
    {"all names are taken", {TDX, .failures = {{"mkdir", "", 1, 1000, EEXIST}}}, HAVE, ATLS_E_IO, "attester.tsm", "File exists", 0},
    {"generation cannot be read", {TDX, .failures = {{"read", "generation", 1, 1000, EIO}}}, HAVE, ATLS_E_IO, "attester.tsm", "generation", 1},
    {"inblob cannot be opened", {TDX, .failures = {{"open", "inblob", 1, 1000, EACCES}}}, HAVE, ATLS_E_IO, "attester.tsm", "inblob: Permission denied", 1},
    {"outblob cannot be opened", {TDX, .failures = {{"open", "outblob", 1, 1000, EACCES}}}, HAVE, ATLS_E_IO, "attester.tsm", "outblob: Permission denied", 1},
    {"an event log that is named and absent", {TDX}, {.report_folder = KERNEL_FOLDER, .event_log_path = "/nowhere/CCEL"}, ATLS_E_IO, "attester.tsm.event_log", "/nowhere/CCEL", 1},
};
/* clang-format on */

static void check_made(const row *r, const fake_kernel *k, const atls_evidence *e)
{
    const bool snp = strcmp(k->provider, "sev_guest") == 0;
    assert_memory_equal(e->quote.ptr + (snp ? 0x50 : 37), wanted, 64);
    if (snp) {
        uint8_t report[1184];
        const uint32_t level = r->options.has_privlevel ? r->options.privlevel : (uint32_t)k->privlevel_floor;
        kernel_report(wanted, level, report);
        assert_int_equal(e->quote.len, sizeof report);
        assert_memory_equal(e->quote.ptr, report, sizeof report);
    }
}

static void check_clean(const row *r)
{
    const fake_kernel *k = kernel_state();
    assert_int_equal(k->n_entries, r->kernel.names_taken);
    assert_int_equal(k->n_open, 0);
    assert_int_equal(k->n_mkdir, r->n_mkdir);
    assert_int_equal(k->n_rmdir, r->n_mkdir);
    assert_false(k->broken);
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    atls_tsm_options o = r->options;
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&r->kernel);
    const bool ok = atls_attest_tsm(&o, wanted, &a, &e, &err);
    if (ok != (r->field == NULL) || err.code != r->code) {
        fail_msg("%s at %s: %s", atls_code_name(err.code), err.field, err.message);
    }
    check_clean(r);
    if (ok) {
        check_made(r, kernel_state(), &e);
    } else {
        assert_string_equal(err.field, r->field);
        assert_true(r->message == NULL || strstr(err.message, r->message) != NULL);
        assert_int_equal(e.quote.len, 0);
        assert_int_equal(e.event_log.len, 0);
    }
    atls_arena_free(&a);
}

/* ---- certificates ------------------------------------------------------------------------------------------------- */

static void put_entry(uint8_t *at, uint8_t guid, uint32_t offset, uint32_t length)
{
    memset(at, guid, 16);
    for (unsigned i = 0; i < 4; i++) {
        at[16 + i] = (uint8_t)(offset >> 8 * i);
        at[20 + i] = (uint8_t)(length >> 8 * i);
    }
}

/* The table goes behind the report, up to the end of the last certificate: what the kernel pads is left out. */
static void test_table(void **state)
{
    (void)state;
    static fake_kernel k = {SNP, .table_len = 4096};
    atls_tsm_options o = HAVE;
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    put_entry(k.table, 1, 72, 100);
    put_entry(k.table + 24, 2, 172, 28);
    memset(k.table + 72, 0xcc, 128);
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&k);
    assert_true(atls_attest_tsm(&o, wanted, &a, &e, &err));
    assert_int_equal(e.quote.len, 1184 + 200);
    assert_memory_equal(e.quote.ptr + 1184, k.table, 200);

    put_entry(k.table + 24, 2, 172, 4096); /* past the end */
    kernel_boot(&k);
    assert_false(atls_attest_tsm(&o, wanted, &a, &e, &err));
    assert_int_equal(err.code, ATLS_E_IO);
    assert_string_equal(err.field, "attester.tsm.outblob");
    assert_true(strstr(err.message, "certificate table") != NULL);
    assert_int_equal(kernel_state()->n_entries, 0);
    atls_arena_free(&a);
}

/* ---- event log ---------------------------------------------------------------------------------------------------- */

static void test_event_log(void **state)
{
    (void)state;
    const fake_kernel k = {TDX};
    char path[] = "/tmp/atls-ccel-XXXXXX";
    atls_tsm_options o = {.report_folder = KERNEL_FOLDER, .event_log_path = path};
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "a log", 5), 5);
    (void)close(fd);
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&k);
    assert_true(atls_attest_tsm(&o, wanted, &a, &e, &err));
    (void)unlink(path);
    assert_true(atls_bytes_equal_str(e.event_log, "a log"));
    atls_arena_free(&a);
}

/* ---- a look ------------------------------------------------------------------------------------------------------- */

static void test_look(void **state)
{
    (void)state;
    char provider[32] = "";
    kernel_boot(&(fake_kernel){SNP});
    assert_int_equal(atls_tsm_look(KERNEL_FOLDER, provider), 0);
    assert_string_equal(provider, "sev_guest");
    assert_int_equal(kernel_state()->n_entries, 0);
    assert_int_equal(kernel_state()->n_reports, 0);
    assert_int_equal(atls_tsm_look("/nowhere", provider), ENOENT);
    kernel_boot(&(fake_kernel){TDX, .failures = {{"open", "provider", 1, 1000, EACCES}}});
    assert_int_equal(atls_tsm_look(KERNEL_FOLDER, provider), EACCES);
    assert_int_equal(kernel_state()->n_entries, 0);
}

/* An arena that is too small is an error like any other: nothing is left behind. */
static void test_small_arena(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12000; size += 997) {
        uint8_t block[12000];
        atls_tsm_options o = HAVE;
        atls_error err = {0};
        atls_arena a;
        atls_evidence e;
        atls_arena_init(&a, block, size);
        kernel_boot(&(fake_kernel){SNP});
        if (!atls_attest_tsm(&o, wanted, &a, &e, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
        }
        assert_int_equal(kernel_state()->n_entries, 0);
        assert_int_equal(kernel_state()->n_open, 0);
    }
}

int main(void)
{
    tap_list l = {0};
    for (size_t i = 0; i < sizeof wanted; i++) {
        wanted[i] = (uint8_t)(0x40 + i);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "a certificate table", test_table, NULL);
    tap_add(&l, "an event log", test_event_log, NULL);
    tap_add(&l, "who provides", test_look, NULL);
    tap_add(&l, "arenas of all sizes", test_small_arena, NULL);
    return tap_run("attest_tsm", &l);
}
