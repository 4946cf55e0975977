/* SPDX-License-Identifier: Apache-2.0 */
/* test_attest_detect.c: what the survey says of a kernel that refuses, and who is chosen. Whole machines are in
 * tests/cli/test_evidence.c. */
#include "tap.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "atls/attester.h"
#include "fake_kernel.h"

#define ARENA_SIZE ((size_t)16 * 1024 * 1024)

static char root[] = "/tmp/atls-root-XXXXXX";
static const uint8_t trial[64] = {1};

typedef struct row {
    const char *name;
    fake_kernel kernel;
    atls_attester_kind kind;
    bool quick;
    atls_attester_state state;
    const char *found; /* parts */
    const char *advice;
} row;

#define TD  .privlevel_floor = -1
#define SNP .provider = "sev_guest", .privlevel_floor = 0

/* clang-format off */
static const row rows[] = {
    {"TDX", {TD}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_AVAILABLE, "provider tdx_guest", ""},
    {"TDX: no permission", {TD, .failures = {{"mkdir", "", 1, 1000, EACCES}}}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_UNUSABLE, "Permission denied", "run as root"},
    {"TDX: a folder that cannot be written", {TD, .failures = {{"mkdir", "", 1, 1000, EROFS}}}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_UNUSABLE, "Read-only", "mount configfs into it writable"},
    {"TDX: no driver", {TD, .failures = {{"mkdir", "", 1, 1000, ENXIO}}}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_UNUSABLE, "No such device", "modprobe tdx-guest"},
    {"TDX: no quoting service", {TD, .failures = {{"read", "outblob", 1, 1000, EIO}}}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_UNUSABLE, "making evidence failed", "QGS"},
    {"TDX: no quoting service, not tried", {TD, .failures = {{"read", "outblob", 1, 1000, EIO}}}, ATLS_ATTESTER_TDX, true, ATLS_ATTESTER_AVAILABLE, "provider tdx_guest", ""},
    {"a TDX guest is no SEV-SNP guest", {TD}, ATLS_ATTESTER_SEV_SNP, false, ATLS_ATTESTER_ABSENT, "no SEV-SNP guest", ""},
    {"SEV-SNP", {SNP}, ATLS_ATTESTER_SEV_SNP, false, ATLS_ATTESTER_AVAILABLE, "provider sev_guest", ""},
    {"SEV-SNP: the firmware fails", {SNP, .failures = {{"read", "outblob", 1, 1000, EIO}}}, ATLS_ATTESTER_SEV_SNP, false, ATLS_ATTESTER_UNUSABLE, "making evidence failed", "kernel log"},
    {"SEV-SNP: a disabled key", {SNP, .failures = {{"read", "outblob", 1, 1000, ENOTTY}}}, ATLS_ATTESTER_SEV_SNP, false, ATLS_ATTESTER_UNUSABLE, "reboot", "reboot"},
    {"an SEV-SNP guest is no TDX guest", {SNP}, ATLS_ATTESTER_TDX, false, ATLS_ATTESTER_ABSENT, "no TDX guest", ""},
};
/* clang-format on */

static atls_machine machine_of(void)
{
    atls_machine m = {.kind = ATLS_ATTESTER_AUTO, .root = root};
    m.tsm.report_folder = KERNEL_FOLDER;
    m.dstack_agent.socket_path = "/nowhere/dstack.sock";
    m.tpm.tcti = "device:/nowhere/tpmrm0";
    m.nsm_device = "/nowhere/nsm";
    return m;
}

static void put_cpuinfo(const char *flags)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/proc", root);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "flags\t\t: fpu %s vme\n", flags);
    (void)fclose(f);
}

static void test_row(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_arena a;
    atls_attester_finding found[ATLS_N_ATTESTERS - 1];
    const atls_machine m = machine_of();
    put_cpuinfo(r->kernel.provider == NULL ? "tdx_guest" : "svm");
    kernel_boot(&r->kernel);
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    assert_true(atls_attester_survey(&m, r->quick ? NULL : trial, &a, found, &err));
    const atls_attester_finding *f = &found[r->kind - ATLS_ATTESTER_TDX];
    assert_int_equal(f->kind, r->kind);
    if (f->state != r->state || strstr(f->found, r->found) == NULL || strstr(f->advice, r->advice) == NULL) {
        fail_msg("%s: %s; %s", atls_attester_state_name(f->state), f->found, f->advice);
    }
    /* advice exactly where there is something to do */
    assert_int_equal(f->advice[0] != 0, f->state == ATLS_ATTESTER_UNUSABLE);
    assert_int_equal(kernel_state()->n_entries, 0);
    assert_int_equal(kernel_state()->n_open, 0);
    assert_true(r->quick ? kernel_state()->n_reports == 0 : true);
    atls_arena_free(&a);
}

/* A device that is named without a folder is used instead of configfs-tsm; with both named, the folder comes first. */
static void test_device(void **state)
{
    (void)state;
    const uint8_t data[64] = {7};
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    atls_machine m = machine_of();
    m.kind = ATLS_ATTESTER_SEV_SNP;
    m.sev_guest.device = KERNEL_DEVICE;
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&(fake_kernel){SNP});
    assert_true(atls_attest_machine(&m, data, &a, &e, &err));
    assert_int_equal(kernel_state()->n_ioctl, 0);
    m.tsm.report_folder = NULL;
    assert_true(atls_attest_machine(&m, data, &a, &e, &err));
    assert_int_equal(kernel_state()->n_ioctl, 1);
    atls_arena_free(&a);
}

static void test_choose(void **state)
{
    (void)state;
    atls_error err = {0};
    atls_arena a;
    atls_attester_kind kind = ATLS_N_ATTESTERS;
    atls_machine m = machine_of();
    size_t others = 99;
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    kernel_boot(&(fake_kernel){SNP});
    assert_true(atls_attester_choose(&m, &a, &kind, &others, &err));
    assert_int_equal(kind, ATLS_ATTESTER_SEV_SNP);
    assert_int_equal(others, 0);
    m.nsm_device = "/dev/null";
    assert_true(atls_attester_choose(&m, &a, &kind, &others, &err));
    assert_int_equal(kind, ATLS_ATTESTER_SEV_SNP);
    assert_int_equal(others, 1);
    m.tsm.report_folder = "/nowhere";
    assert_true(atls_attester_choose(&m, &a, &kind, &others, &err));
    assert_int_equal(kind, ATLS_ATTESTER_NITRO);
    m.kind = ATLS_ATTESTER_TPM; /* what was asked for is not questioned */
    assert_true(atls_attester_choose(&m, &a, &kind, &others, &err));
    assert_int_equal(kind, ATLS_ATTESTER_TPM);
    m = machine_of();
    m.tsm.report_folder = "/nowhere";
    assert_false(atls_attester_choose(&m, &a, &kind, &others, &err));
    assert_int_equal(err.code, ATLS_E_IO);
    assert_string_equal(err.field, "attester");
    atls_arena_free(&a);
}

static void test_names(void **state)
{
    (void)state;
    atls_attester_kind kind = ATLS_N_ATTESTERS;
    for (unsigned i = 0; i < ATLS_N_ATTESTERS; i++) {
        assert_true(atls_attester_parse(atls_attester_name((atls_attester_kind)i), &kind));
        assert_int_equal(kind, i);
    }
    assert_false(atls_attester_parse("snp", &kind));
    assert_false(atls_attester_parse("", &kind));
    assert_string_equal(atls_attester_name((atls_attester_kind)99), "unknown");
    assert_int_equal(atls_attester_kind_platform(ATLS_ATTESTER_AUTO), ATLS_PLATFORM_NONE);
    assert_int_equal(atls_attester_kind_platform(ATLS_ATTESTER_DSTACK), ATLS_PLATFORM_TDX);
    assert_int_equal(atls_attester_kind_platform(ATLS_ATTESTER_TPM), ATLS_PLATFORM_TPM);
    assert_int_equal(atls_attester_kind_platform((atls_attester_kind)99), ATLS_PLATFORM_NONE);
    assert_string_equal(atls_attester_state_name(ATLS_ATTESTER_UNUSABLE), "unusable");
}

int main(void)
{
    tap_list l = {0};
    if (mkdtemp(root) == NULL) {
        return 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "a device in place of the folder", test_device, NULL);
    tap_add(&l, "the strongest", test_choose, NULL);
    tap_add(&l, "names", test_names, NULL);
    const int failed = tap_run("attest_detect", &l);
    char path[96];
    (void)snprintf(path, sizeof path, "%s/proc/cpuinfo", root);
    (void)unlink(path);
    (void)snprintf(path, sizeof path, "%s/proc", root);
    (void)rmdir(path);
    (void)rmdir(root);
    return failed;
}
