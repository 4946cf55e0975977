/* SPDX-License-Identifier: Apache-2.0 */
/* test_evidence.c: atls evidence and atls doctor as black boxes: over a folder that plays configfs-tsm, an agent on a
 * socket, the real swtpm, and trees of files that stand for machines where something is missing. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/text.h"
#include "run.h"
#include "sim/sim.h"
#include "tests/edge/fake_agent.h"
#include "tests/edge/swtpm.h"
#include "watched_tsm.h"

#define T "--at 2026-06-15T12:00:00Z"
#define DATA                                                                                                           \
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637" \
    "3839"                                                                                                             \
    "3a3b3c3d3e3f"
#define HALF  "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define JUDGE " -p {d}/room/policy-tdx.json -e {d}/room/collateral.json " T
#define TPM   "-a tpm --tcti swtpm:host=127.0.0.1,port={p} --event-log={d}/empty"

static swtpm tpm;

/* clang-format off */
static const run_row usage_rows[] = {
    {"evidence --help", "evidence --help", NULL, 0, "--report-data HEX|@FILE", {NULL}},
    {"doctor --help", "doctor --help", NULL, 0, "--sysroot DIR", {NULL}},
    {"nothing to do", "evidence", NULL, 1, NULL, {"get: missing"}},
    {"something else to do", "evidence put", NULL, 1, NULL, {"USAGE put", "knows get"}},
    {"an attester that there is not", "evidence get -a tdxx", NULL, 1, NULL, {"--attester", "wants auto"}},
    {"report data too long", "evidence get --report-data " DATA "00", NULL, 1, NULL, {"--report-data", "2 to 128 hex digits"}},
    {"no report data", "evidence get --report-data=", NULL, 1, NULL, {"--report-data"}},
    {"report data that is not hex", "evidence get --report-data xy", NULL, 1, NULL, {"--report-data"}},
    {"report data and a nonce", "evidence get --report-data 00 --nonce", NULL, 1, NULL, {"--nonce"}},
    {"a format that there is not", "evidence get --format yaml", NULL, 1, NULL, {"--format", "wants binary"}},
    {"a device of nobody", "evidence get --device /dev/x", NULL, 1, NULL, {"--device", "--attester"}},
    {"a TCTI for something else", "evidence get -a tdx --tcti device:/dev/x", NULL, 1, NULL, {"--tcti", "only for a TPM"}},
    {"a socket for something else", "evidence get -a tpm --socket /x", NULL, 1, NULL, {"--socket", "only for dstack"}},
    {"two places", "evidence get -a tpm --tcti device:/dev/x --device /dev/y", NULL, 1, NULL, {"--device", "already"}},
    {"a key for something else", "evidence get -a tdx --key ecc", NULL, 1, NULL, {"--key", "not for the attester tdx"}},
    {"PCRs for something else", "evidence get -a dstack --pcrs sha256:0", NULL, 1, NULL, {"--pcrs"}},
    {"a level for something else", "evidence get -a tpm --privlevel 0", NULL, 1, NULL, {"--privlevel"}},
    {"certificates of something else", "evidence get -a tdx --no-certificates", NULL, 1, NULL, {"--no-certificates"}},
    {"an event log of something else", "evidence get -a sev-snp --event-log /x", NULL, 1, NULL, {"--event-log"}},
    {"a level that there cannot be", "evidence get -a sev-snp --privlevel 4", NULL, 1, NULL, {"--privlevel", "0 to 3"}},
    {"a key that is none", "evidence get -a tpm --key 81000003", NULL, 1, NULL, {"--key", "0xHANDLE"}},
    {"a key index that is none", "evidence get -a tpm --key nv:x", NULL, 1, NULL, {"--key"}},
    {"a certificate index that is none", "evidence get -a tpm --key-certificate 1", NULL, 1, NULL, {"--key-certificate"}},
    {"a bank that is none", "evidence get -a tpm --pcrs md5:0", NULL, 1, NULL, {"--pcrs"}},
    {"PCR 24", "evidence get -a tpm --pcrs sha256:24", NULL, 1, NULL, {"--pcrs"}},
    {"PCRs backwards", "evidence get -a tpm --pcrs sha256:7-0", NULL, 1, NULL, {"--pcrs"}},
    {"no PCR", "evidence get -a tpm --pcrs sha256:", NULL, 1, NULL, {"--pcrs"}},
    {"a comma too many", "evidence get -a tpm --pcrs sha256:0,", NULL, 1, NULL, {"--pcrs"}},
    {"a bank too many", "evidence get -a tpm --pcrs sha1:0+sha256:0+sha384:0+sha512:0+sha1:1", NULL, 1, NULL, {"--pcrs"}},
    {"no time at all", "evidence get --timeout 0", NULL, 1, NULL, {"--timeout"}},
    {"doctor takes no operand", "doctor x", NULL, 1, NULL, {"operand"}},
};

/* No machine at all: every attester says what it looked for. */
static const run_row absent_rows[] = {
    {"no attester: auto", "evidence get --sysroot {d}/bare", NULL, 3, NULL, {"IO attester", "atls doctor"}},
    {"no attester: tdx", "evidence get -a tdx --sysroot {d}/bare", NULL, 3, NULL, {"attester.tsm", "configfs"}},
    {"no attester: sev-snp", "evidence get -a sev-snp --sysroot {d}/bare", NULL, 3, NULL, {"/bare/dev/sev-guest"}},
    {"no attester: dstack", "evidence get -a dstack --socket {d}/bare/x.sock", NULL, 3, NULL, {"x.sock"}},
    {"no attester: tpm", "evidence get -a tpm --sysroot {d}/bare", NULL, 3, NULL, {"/bare/dev/tpmrm0"}},
    {"doctor: nothing here is 8", "doctor --sysroot {d}/bare", NULL, 8, "this is no TDX guest", {NULL}},
    {"doctor: says what an image owes", "doctor --sysroot {d}/bare", NULL, 8, "TLS ends inside the measured image", {NULL}},
    {"doctor: as JSON", "doctor --json --sysroot {d}/bare", NULL, 8, "\"usable\":false", {NULL}},
    {"doctor: one only", "doctor -a tpm --sysroot {d}/bare", NULL, 8, "tpm      absent", {NULL}},
};

/* Something is here, and something is missing. */
static const run_row missing_rows[] = {
    {"TDX: nothing mounted", "doctor --sysroot {d}/td-bare", NULL, 8, "load the module configfs", {NULL}},
    {"TDX: no module", "doctor --sysroot {d}/td-module", NULL, 8, "modprobe tdx-guest", {NULL}},
    {"TDX: an old kernel", "doctor --sysroot {d}/td-module", NULL, 8, "older than Linux 6.7", {NULL}},
    {"TDX: not a flag that only begins so", "doctor --sysroot {d}/td-almost", NULL, 8, "tdx      absent", {NULL}},
    {"SEV-SNP: no driver", "doctor --sysroot {d}/snp-module", NULL, 8, "modprobe sev-guest", {NULL}},
    {"SEV-SNP: a device that is none", "doctor --sysroot {d}/snp-file", NULL, 8, "sev-snp  unusable", {NULL}},
    {"SEV-SNP: a device for everybody", "doctor --sysroot {d}/snp-file", NULL, 8, "every process here may have any 64 bytes reported", {NULL}},
    {"TPM: no resource manager", "doctor --sysroot {d}/tpm-old", NULL, 8, "older than 4.12", {NULL}},
    {"TPM: nobody answers", "doctor -a tpm --tcti swtpm:host=127.0.0.1,port=9", NULL, 8, "tpm      unusable", {NULL}},
    {"dstack: nobody listens", "doctor --sysroot {d}/agent-dead", NULL, 8, "start dstack's guest agent", {NULL}},
    {"Nitro: behind a socket", "doctor -a nitro -d {d}/agent-dead/var/run/dstack.sock --quick", NULL, 0, "behind a socket", {NULL}},
    {"Nitro: for everybody", "doctor --sysroot {d}/nsm-file --quick", NULL, 0, "any user data attested", {NULL}},
};

static const run_row tsm_rows[] = {
    {"a TDX quote", "evidence get -a tdx -d {d}/tsm -o {d}/q.bin --event-log= --report-data " DATA, NULL, 0, NULL, {"!attester", "!report data"}},
    {"verify takes it", "verify {d}/q.bin --report-data " DATA JUDGE, NULL, 0, NULL, {"made over the report data"}},
    {"over other data it is refused", "verify {d}/q.bin --report-data 01" JUDGE, NULL, 6, NULL, {"REPORT_DATA_MISMATCH"}},
    {"short data are padded", "evidence get -a tdx -d {d}/tsm -o {d}/short.bin --event-log= --report-data 0102", NULL, 0, NULL, {NULL}},
    {"and verified as they were given", "verify {d}/short.bin --report-data 0102" JUDGE, NULL, 0, NULL, {NULL}},
    {"auto finds it", "evidence get --sysroot {d}/td -o {d}/auto.bin --report-data " DATA, NULL, 0, NULL, {"attester: tdx\n", "!report data"}},
    {"verify takes that too", "verify {d}/auto.bin --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"random data are printed", "evidence get -a tdx -d {d}/tsm -o {d}/r.bin", NULL, 0, NULL, {"report data: "}},
    {"quietly", "evidence get -a tdx -d {d}/tsm -o {d}/r.bin -q --nonce", NULL, 0, NULL, {"!report data"}},
    {"in hex", "evidence get -a tdx -d {d}/tsm -f hex -o {d}/q.hex --report-data " DATA, NULL, 0, NULL, {NULL}},
    {"which verify reads", "verify {d}/q.hex --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"in base64", "evidence get -a tdx -d {d}/tsm -f base64 -o {d}/q.b64 --report-data " DATA, NULL, 0, NULL, {NULL}},
    {"which verify reads too", "verify {d}/q.b64 --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"as JSON", "evidence get -a tdx -d {d}/tsm -f json -o {d}/q.json --report-data " DATA, NULL, 0, NULL, {NULL}},
    {"which verify reads as well", "verify {d}/q.json --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"on stdout", "evidence get -a tdx -d {d}/tsm -f json --report-data 00", NULL, 0, "\"type\":\"application/vnd.atls.dcap-quote\"", {NULL}},
    {"an event log of its own file", "evidence get -a tdx -d {d}/tsm --event-log {d}/room/ccel.bin --write-log {d}/log.bin -o {d}/q2.bin --report-data " DATA, NULL, 0, NULL, {"!left out"}},
    {"which verify replays: what came after boot is not in a CCEL", "verify {d}/q2.bin --event-log {d}/log.bin --report-data " DATA JUDGE, NULL, 2, NULL, {"RTMR_MISMATCH", "rtmr3"}},
    {"an event log that is left out is mentioned", "evidence get -a tdx -d {d}/tsm --event-log {d}/room/ccel.bin -o {d}/q2.bin", NULL, 0, NULL, {"left out of this format"}},
    {"an event log that is not there", "evidence get -a tdx -d {d}/tsm --event-log {d}/nothing -o {d}/q2.bin", NULL, 3, NULL, {"attester.tsm.event_log"}},
    {"a file that cannot be written", "evidence get -a tdx -d {d}/tsm -o {d}/no/file", NULL, 1, NULL, {"--output", "No such file"}},
    {"SEV-SNP is not here", "evidence get -a sev-snp --sysroot {d}/td -o {d}/x", NULL, 3, NULL, {"sev-guest"}},
    {"doctor finds it", "doctor --sysroot {d}/td", NULL, 0, "tdx      available  configfs-tsm with provider tdx_guest", {NULL}},
    {"doctor says what auto takes", "doctor --sysroot {d}/td", NULL, 0, "auto takes tdx, the strongest\n", {NULL}},
    {"doctor as JSON", "doctor --sysroot {d}/td --json", NULL, 0, "\"usable\":true,\"tried\":true", {NULL}},
    {"doctor without trying", "doctor --sysroot {d}/td --quick", NULL, 0, "nothing was tried out", {NULL}},
};

static const run_row snp_rows[] = {
    {"an SEV-SNP report", "evidence get -a sev-snp -d {d}/tsm -o {d}/snp.bin --report-data " DATA, NULL, 0, NULL, {NULL}},
    {"auto finds it", "evidence get --sysroot {d}/td -o {d}/snp2.bin", NULL, 0, NULL, {"attester: sev-snp\n"}},
    {"what auto chose must understand every option", "evidence get --sysroot {d}/td --key ecc -o {d}/x", NULL, 1, NULL, {"--key", "not for the attester sev-snp"}},
    {"TDX is not here", "evidence get -a tdx -d {d}/tsm -o {d}/x", NULL, 3, NULL, {"attester.tsm.provider"}},
};

static const run_row agent_rows[] = {
    {"dstack's answer", "evidence get -a dstack --socket {d}/dstack.sock -o {d}/ds.json --report-data " DATA, NULL, 0, NULL, {NULL}},
    {"verify takes it", "verify {d}/ds.json --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"its quote alone", "evidence get -a dstack -d {d}/dstack.sock -f binary -o {d}/ds.bin --report-data " DATA, NULL, 0, NULL, {"event log: ", "left out"}},
    {"verify takes that too", "verify {d}/ds.bin --report-data " DATA JUDGE, NULL, 0, NULL, {NULL}},
    {"auto finds it", "evidence get --sysroot {d}/agent --report-data 00", NULL, 0, "\"attester\":\"dstack\"", {"attester: dstack\n"}},
    {"doctor warns of an open agent", "doctor --sysroot {d}/agent", NULL, 0, "an open quote agent", {NULL}},
    {"doctor says so as JSON", "doctor --sysroot {d}/agent --json", NULL, 0, "\"warning\":\"an open quote agent", {NULL}},
};

/* From the real swtpm to the verdict, by the program alone. */
#define TPM_JUDGE "verify {d}/tpm.cbor -p {d}/tpm.json --report-data "
static const run_row tpm_verdicts[] = {
    {"verify takes the TPM's quote", TPM_JUDGE HALF, NULL, 0, NULL, {"made over the report data", "tpm.key_trust"}},
    {"over other data it is refused", TPM_JUDGE "01", NULL, 6, NULL, {"REPORT_DATA_MISMATCH"}},
    {"more data than a quote holds are other data", TPM_JUDGE DATA, NULL, 6, NULL, {"REPORT_DATA_MISMATCH"}},
    {"with another PCR it is refused", "verify {d}/tpm.cbor -p {d}/tpm-other.json --report-data " HALF, NULL, 4, NULL, {"MEASUREMENT_MISMATCH"}},
    {"without a word for its key it is refused", "verify {d}/tpm.cbor -p {d}/tpm-strict.json --report-data " HALF, NULL, 4, NULL, {"KEY_NOT_AUTHENTICATED"}},
};

static const run_row tpm_rows[] = {
    {"a TPM's quote", "evidence get " TPM " -o {d}/tpm.cbor --report-data " DATA, NULL, 0, NULL, {"report data: " HALF "\n"}},
    {"with an RSA key", "evidence get " TPM " --key rsa --pcrs sha256:0-7,11+sha1:0 -f json", NULL, 0, "\"type\":\"application/vnd.atls.tpm2-quote+cbor\"", {NULL}},
    {"a key that is not there", "evidence get " TPM " --key 0x81010001", NULL, 1, NULL, {"CONFIGURATION attester.tpm.key", "0x81010001"}},
    {"doctor finds it", "doctor -a tpm --tcti swtpm:host=127.0.0.1,port={p}", NULL, 0, "TPM 2.0, banks SHA-1 SHA-256", {NULL}},
    {"a TPM alone is what auto takes", "evidence get --tcti swtpm:host=127.0.0.1,port={p} --sysroot {d}/bare -o {d}/x", NULL, 0, NULL, {"attester: tpm\n"}},
    {"beside something stronger it is not", "evidence get --tcti swtpm:host=127.0.0.1,port={p} --sysroot {d}/td --report-data 00 -f hex", NULL, 0, "0", {"attester: tdx, the strongest of several"}},
};
/* clang-format on */

/* ---- what stands behind the devices ------------------------------------------------------------------------------- */

static size_t make_quote(void *ctx, const uint8_t inblob[64], uint8_t *out, size_t size)
{
    atls_error err = {0};
    atls_arena a;
    atls_bytes quote;
    size_t len = 0;
    if (atls_arena_new(&a, (size_t)16 * 1024 * 1024, &err) && sim_quote(ctx, inblob, &a, &quote, &err)
        && quote.len <= size) {
        memcpy(out, quote.ptr, quote.len);
        len = quote.len;
    }
    atls_arena_free(&a);
    return len;
}

static size_t make_report(void *ctx, const uint8_t inblob[64], uint8_t *out, size_t size)
{
    (void)ctx;
    (void)size;
    memset(out, 0, 1184);
    out[0] = 2;
    memcpy(out + 0x50, inblob, 64);
    return 1184;
}

static size_t answer(void *ctx, const uint8_t report_data[64], char *out, size_t size)
{
    atls_error err = {0};
    atls_arena a;
    atls_bytes quote, log;
    size_t len = 0;
    if (atls_arena_new(&a, (size_t)32 * 1024 * 1024, &err) && sim_quote(ctx, report_data, &a, &quote, &err)
        && sim_event_log(ctx, &a, &log, &err)) {
        const char *hex = atls_hex_text(quote, &a, &err);
        const char *body = atls_text_format(&a, &err, "{\"quote\":\"%s\",\"event_log\":%.*s,\"vm_config\":\"{}\"}", hex,
                                            (int)log.len, (const char *)log.ptr);
        const int n =
            snprintf(out, size, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                     strlen(body), body);
        len = n > 0 && (size_t)n < size ? (size_t)n : 0;
    }
    atls_arena_free(&a);
    return len;
}

/* ---- trees of files ----------------------------------------------------------------------------------------------- */

static void path_in(const char *name, char out[400])
{
    (void)snprintf(out, 400, "%s/%s", place.folder, name);
}

/* Makes all folders of "a/b/c/" or "a/b/file". */
static void make_folders(const char *name)
{
    char path[400];
    path_in(name, path);
    for (char *at = path + strlen(place.folder) + 1; *at != '\0'; at++) {
        if (*at == '/') {
            *at = '\0';
            (void)mkdir(path, 0755);
            *at = '/';
        }
    }
}

static void make_file(const char *name, const char *text, mode_t mode)
{
    char path[400];
    make_folders(name);
    run_write(name, text, strlen(text));
    path_in(name, path);
    assert_int_equal(chmod(path, mode), 0);
}

static void make_dead_socket(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char path[400];
    make_folders(name);
    path_in(name, path);
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%.100s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    (void)close(fd);
}

static void link_to(const char *target, const char *name)
{
    char from[400], to[400];
    make_folders(name);
    path_in(target, from);
    path_in(name, to);
    assert_int_equal(symlink(from, to), 0);
}

/* PCR 4 of a TPM that nobody measured anything into is zero. */
#define POLICY(trust, first)                                                                                           \
    "{\"type\":\"tpm\"," trust "\"pcrs\":{\"4\":\"" first                                                              \
    "00000000000000000000000000000000000000000000000000000000000000\"}}"

static void make_trees(void)
{
    static const char td[] = "processor : 0\nflags\t\t: fpu vme tdx_guest nopl\n";
    make_folders("bare/");
    make_folders("tsm/");
    make_file("empty", "", 0644);
    make_file("bare/proc/cpuinfo", "flags\t\t: fpu vme\n", 0644);
    make_file("td-bare/proc/cpuinfo", td, 0644);
    make_file("td-module/proc/cpuinfo", td, 0644);
    make_folders("td-module/sys/kernel/config/");
    make_file("td-almost/proc/cpuinfo", "flags\t\t: fpu tdx_guest_like\n", 0644);
    make_folders("snp-module/sys/bus/platform/devices/sev-guest/");
    make_file("snp-file/dev/sev-guest", "", 0666);
    make_file("tpm-old/dev/tpm0", "", 0600);
    make_file("nsm-file/dev/nsm", "", 0666);
    make_dead_socket("agent-dead/var/run/dstack.sock");
    make_file("tpm.json", POLICY("\"insecure_allow_unauthenticated_ak\":true,", "00"), 0644);
    make_file("tpm-other.json", POLICY("\"insecure_allow_unauthenticated_ak\":true,", "01"), 0644);
    make_file("tpm-strict.json", POLICY("", "00"), 0644);
    link_to("tsm", "td/sys/kernel/config/tsm/report");
    link_to("dstack.sock", "agent/var/run/dstack.sock");
}

/* ---- groups of rows ----------------------------------------------------------------------------------------------- */

static watched_tsm watched;
static fake_agent agent;
static sim *room;

static int start_td(void **state)
{
    char path[400];
    (void)state;
    path_in("tsm", path);
    watched = (watched_tsm){.provider = "tdx_guest", .make = make_quote, .ctx = room};
    return watched_tsm_start(&watched, path) ? 0 : 1;
}

static int start_snp(void **state)
{
    char path[400];
    (void)state;
    path_in("tsm", path);
    watched = (watched_tsm){.provider = "sev_guest", .make = make_report};
    return watched_tsm_start(&watched, path) ? 0 : 1;
}

static int stop_tsm(void **state)
{
    (void)state;
    watched_tsm_stop(&watched);
    return 0;
}

static int start_agent(void **state)
{
    char path[400];
    (void)state;
    path_in("dstack.sock", path);
    agent = (fake_agent){.answer = answer, .ctx = room};
    return fake_agent_start(&agent, path) && chmod(path, 0666) == 0 ? 0 : 1;
}

static int stop_agent(void **state)
{
    (void)state;
    fake_agent_stop(&agent);
    return 0;
}

static void test_row(void **state)
{
    const run_row *r = *state;
    if (strstr(r->line, "{p}") != NULL && tpm.pid == 0) {
        skip();
    }
    run_row_test(state);
}

/* Before the room of TPMs is in the library there is nobody to judge. */
static void test_verdict(void **state)
{
    run_output o = run("verify {d}/empty -p {d}/tpm.json", NULL);
    const bool nobody = strstr(o.err, "CONFIGURATION type") != NULL;
    run_free(&o);
    if (nobody || tpm.pid == 0) {
        skip();
    }
    run_row_test(state);
}

static void add(tap_list *l, const run_row *rows, size_t n, CMFixtureFunction start, CMFixtureFunction stop)
{
    for (size_t i = 0; i < n; i++) {
        tap_add(l, rows[i].name, test_row, &rows[i]);
        l->items[l->n - 1].setup_func = start;
        l->items[l->n - 1].teardown_func = stop;
    }
}

#define ADD(rows, start, stop) add(&l, rows, sizeof rows / sizeof rows[0], start, stop)

/* What the program printed as random data is what the quote is over. */
static void test_nonce(void **state)
{
    (void)state;
    char line[400];
    run_output o = run("evidence get -a tdx -d {d}/tsm -o {d}/n.bin", NULL);
    assert_int_equal(o.status, 0);
    const char *hex = strstr(o.err, "report data: ");
    assert_true(hex != NULL && strlen(hex) == 13 + 128 + 1);
    (void)snprintf(line, sizeof line, "verify {d}/n.bin --report-data %.128s" JUDGE, hex + 13);
    run_free(&o);
    o = run(line, NULL);
    assert_int_equal(o.status, 0);
    run_free(&o);
}

/* Two runs at a time get entries of their own. */
static void test_two(void **state)
{
    (void)state;
    const pid_t first = run_start("evidence get -a tdx -d {d}/tsm -o {d}/two1.bin --report-data " DATA, "two1");
    const pid_t second = run_start("evidence get -a tdx -d {d}/tsm -o {d}/two2.bin --report-data 55", "two2");
    assert_int_equal(run_wait(first), 0);
    assert_int_equal(run_wait(second), 0);
    run_output o = run("verify {d}/two1.bin --report-data " DATA JUDGE, NULL);
    assert_int_equal(o.status, 0);
    run_free(&o);
    o = run("verify {d}/two2.bin --report-data 55" JUDGE, NULL);
    assert_int_equal(o.status, 0);
    run_free(&o);
}

static void test_report(void **state)
{
    (void)state;
    size_t len = 0;
    char *report = run_read("snp.bin", &len);
    assert_int_equal(len, 1184);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(report[0x50 + i], i);
    }
    free(report);
}

/* Evidence that cannot be written is no success. */
static void test_closed(void **state)
{
    (void)state;
    run_output o = run_closed("evidence get -a tdx -d {d}/tsm", RUN_STDOUT);
    assert_int_equal(o.status, 1);
    run_free(&o);
}

static bool make_room(void)
{
    atls_error err = {0};
    run_output o = run("sim {d}/room " T, NULL);
    const bool ok = o.status == 0;
    run_free(&o);
    return ok && sim_new(&(sim_options){.now = SIM_NOW}, &room, &err);
}

static int run_all(void)
{
    tap_list l = {0};
    ADD(usage_rows, NULL, NULL);
    ADD(absent_rows, NULL, NULL);
    ADD(missing_rows, NULL, NULL);
    ADD(tsm_rows, start_td, stop_tsm);
    static const run_row none = {.name = ""};
    tap_add(&l, "random data that were printed", test_nonce, &none);
    l.items[l.n - 1].setup_func = start_td;
    l.items[l.n - 1].teardown_func = stop_tsm;
    tap_add(&l, "two at a time", test_two, &none);
    l.items[l.n - 1].setup_func = start_td;
    l.items[l.n - 1].teardown_func = stop_tsm;
    tap_add(&l, "stdout is closed", test_closed, &none);
    l.items[l.n - 1].setup_func = start_td;
    l.items[l.n - 1].teardown_func = stop_tsm;
    ADD(snp_rows, start_snp, stop_tsm);
    tap_add(&l, "the report as the kernel gave it", test_report, NULL);
    ADD(agent_rows, start_agent, stop_agent);
    add(&l, tpm_rows, sizeof tpm_rows / sizeof tpm_rows[0] - 1, NULL, NULL);
    for (size_t i = 0; i < sizeof tpm_verdicts / sizeof tpm_verdicts[0]; i++) {
        tap_add(&l, tpm_verdicts[i].name, test_verdict, &tpm_verdicts[i]);
    }
    add(&l, &tpm_rows[sizeof tpm_rows / sizeof tpm_rows[0] - 1], 1, start_td, stop_tsm);
    return tap_run("evidence", &l);
}

int main(int argc, char *argv[])
{
    if (!run_begin(argc, argv)) {
        return 1;
    }
    if (!swtpm_start(&tpm)) {
        printf("# swtpm is not here: rows with a TPM are skipped\n");
    }
    (void)snprintf(place.port, sizeof place.port, "%u", tpm.port);
    make_trees();
    const int failed = make_room() ? run_all() : 1;
    sim_free(room);
    swtpm_stop(&tpm);
    run_end();
    return failed;
}
