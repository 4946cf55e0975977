/* SPDX-License-Identifier: Apache-2.0 */
/* test_replay.c: --record, --record-failures and atls replay: what verify and connect record comes out again, by another process,
 * without endorsements or network; files are whole, private and bounded; damage and other verdicts are not successes. */
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define T  "--at 2026-06-15T12:00:00Z "
#define TD "verify {d}/td/quote.bin -e {d}/td/collateral.json -p {d}/td/policy-tdx.json " T
#define DS                                                                                                             \
    "verify {d}/td/response.json -e {d}/td/collateral.json -p {d}/td/policy-dstack_tdx.json " T                        \
    "--nonce @{d}/td/nonce.hex --ekm @{d}/td/ekm.hex --leaf {d}/td/tls-chain.pem "
#define V    "{v}/"
#define JULY "--at 2025-07-01T00:00:00Z "

static void must(const char *line, int status)
{
    run_output o = run(line, NULL);
    if (o.status != status) {
        fail_msg("%s: exit status %d instead of %d\n%s", line, o.status, status, o.err);
    }
    run_free(&o);
}

/* ---- verify, then replay ----------------------------------------------------------------------------------------- */

typedef struct again_row {
    const char *name;
    const char *line; /* without --record */
    int status;
    const char *verdict;
} again_row;

/* clang-format off */
static const again_row again_rows[] = {
    {"a TD", TD, 0, "accepted"},
    {"a TD, outside its policy", "verify {d}/td/quote.bin -e {d}/td/collateral.json -p {d}/other/policy-tdx.json " T, 4, "rejected"},
    {"an enclave", "verify {d}/sgx/quote.bin -e {d}/sgx/collateral.json -p {d}/sgx/policy-sgx.json " T, 0, "accepted"},
    {"a response of dstack with its log, in a session", DS, 0, "accepted"},
    {"the same for another session", DS "--event-log {d}/nothing ", 1, NULL},
    {"another nonce", "verify {d}/td/response.json -e {d}/td/collateral.json -p {d}/td/policy-dstack_tdx.json " T "--nonce @{d}/td/ekm.hex --ekm @{d}/td/ekm.hex ", 6, "rejected"},
    {"roots beside no policy", "verify {d}/td/quote.bin -e {d}/td/collateral.json --root {d}/td/root.pem " T, 0, "accepted"},
    {"no endorsements", "verify {d}/td/quote.bin --root {d}/td/root.pem " T, 5, "undecided"},
    {"endorsements in a folder", "verify {d}/td/quote.bin -e {d}/td/pcs --root {d}/td/root.pem " T, 0, "accepted"},
    {"stale endorsements", "verify {d}/td/quote.bin -e {d}/td/collateral.json --root {d}/td/root.pem --at 2026-12-24T00:00:00Z ", 5, "rejected"},
    {"no evidence at all", "verify {d}/td/policy-tdx.json --kind tdx " T, 2, NULL},
    {"bytes that are no quote", "verify {d}/td/root.der --kind tdx " T, 8, "rejected"},
    {"a real TD", "verify " V "dcap/tdx-v4-b0c06f/quote-uptodate.bin -e " V "dcap/tdx-v4-b0c06f/collateral.json " JULY, 0, "accepted"},
    {"a real TD of version 5", "verify " V "dcap/tdx-v5-90c06f/quote.bin -e " V "dcap/tdx-v5-90c06f/collateral.json --at 2026-03-01T00:00:00Z ", 0, "accepted"},
    {"a real enclave", "verify " V "dcap/sgx-v3-processor/quote.bin --kind sgx -e " V "dcap/sgx-v3-processor/collateral.json " JULY, 4, "rejected"},
    {"a real response with its log", "verify " V "dcap/dstack-full-log/getquote.json -e " V "dcap/tdx-v5-90c06f/collateral.json --at 2026-03-01T00:00:00Z ", 0, "accepted"},
    {"a real SEV-SNP report", "verify " V "sev-snp/genoa_v5.report.bin --kind sev_snp -e " V "sev-snp/genoa_v5.vcek.der -e " V "sev-snp/ask_ark_genoa.pem --at 2026-03-01T00:00:00Z ", 0, "accepted"},
    {"a real SEV-SNP report without its certificates", "verify " V "sev-snp/genoa_v5.report.bin --kind sev_snp " JULY, 5, "undecided"},
    {"a real Nitro document", "verify " V "nitro/production.cose --kind nitro " JULY, 5, "rejected"},
    {"a real quote of a vTPM", "verify " V "constellation/qemu_vtpm_doc.json --kind tpm " JULY, 4, "rejected"},
};
/* clang-format on */

static bool needs_vectors(const char *line)
{
    return strstr(line, "{v}") != NULL && place.vectors[0] == '\0';
}

/* The result in the JSON of a replay is, byte for byte, what verify --json printed. */
static void expect_result(const run_output *verified, const run_output *replayed)
{
    char *json = malloc(verified->out_len + 16);
    assert_non_null(json);
    (void)snprintf(json, verified->out_len + 16, "\"result\":%.*s,", (int)verified->out_len - 1, verified->out);
    assert_non_null(strstr(replayed->out, json));
    free(json);
}

static void test_again(void **state)
{
    const again_row *r = *state;
    char line[2048];
    if (needs_vectors(r->line)) {
        skip();
    }
    (void)snprintf(line, sizeof line, "%s--json --record {d}/again.atlsrec", r->line);
    run_output verified = run(line, NULL);
    if (verified.status != r->status) {
        fail_msg("exit status %d instead of %d: %s%s", verified.status, r->status, verified.err, verified.out);
    }
    run_holds("stderr", verified.err, "");
    if (r->verdict != NULL) {
        run_output replayed = run("replay --json {d}/again.atlsrec", NULL);
        assert_int_equal(replayed.status, 0);
        run_holds("stdout", replayed.out, "\"reproduced\":true");
        run_holds("stdout", verified.out, r->verdict);
        expect_result(&verified, &replayed);
        run_free(&replayed);
        must("replay -q --verdict {d}/again.atlsrec", r->status);
    }
    run_free(&verified);
}

/* ---- the command line -------------------------------------------------------------------------------------------- */

/* clang-format off */
static const run_row rows[] = {
    {"replay --help", "replay --help", NULL, 0, "--verdict", {NULL}},
    {"replay of nothing", "replay", NULL, 1, NULL, {"FILE...: missing"}},
    {"replay of a missing file", "replay {d}/nothing", NULL, 1, NULL, {"no replay", "No such file"}},
    {"replay of something else", "replay {d}/td/quote.bin", NULL, 2, NULL, {"not a recording"}},
    {"replay of a time that is none", "replay {d}/yes.atlsrec --at now", NULL, 1, NULL, {"--at"}},
    {"a yes", "replay {d}/yes.atlsrec", NULL, 0, NULL, {"reproduced, byte for byte: accepted", "Hardware", "recorded for 2026-06-15T12:00:00Z by atls " ATLS_VERSION}},
    {"a yes, every check", "replay {d}/yes.atlsrec -v", NULL, 0, NULL, {"Checks", "pass           binding"}},
    {"a yes, in one line", "replay {d}/yes.atlsrec -q", NULL, 0, NULL, {"reproduced", "!Hardware"}},
    {"a no is reproduced, too", "replay {d}/no.atlsrec", NULL, 0, NULL, {"reproduced, byte for byte: rejected", "Rejected: MEASUREMENT_MISMATCH"}},
    {"its own status for those who want it", "replay --verdict {d}/no.atlsrec", NULL, 4, NULL, {"reproduced"}},
    {"from stdin", "replay -", "yes.atlsrec", 0, NULL, {"reproduced"}},
    {"several at once", "replay {d}/yes.atlsrec {d}/no.atlsrec", NULL, 0, NULL, {"yes.atlsrec: reproduced", "no.atlsrec: reproduced", "!Hardware"}},
    {"one of several is damaged", "replay {d}/yes.atlsrec {d}/damaged.atlsrec {d}/no.atlsrec", NULL, 2, NULL, {"record.digest", "no.atlsrec: reproduced"}},
    {"a changed byte", "replay {d}/damaged.atlsrec", NULL, 2, NULL, {"record.digest", "a byte of the recording was changed", "!reproduced, "}},
    {"a cut", "replay {d}/cut.atlsrec", NULL, 2, NULL, {"no replay"}},
    {"what it holds", "replay -q --show {d}/yes.atlsrec", NULL, 0, "  evidence  bytes  4850 bytes", {"reproduced"}},
    {"what it holds, as JSON", "replay --show --json {d}/yes.atlsrec", NULL, 0, "{\"name\":\"evidence\",\"type\":\"bytes\",\"length\":4850}", {NULL}},
    {"another time is no replay", "replay -q --at 2026-12-24T00:00:00Z {d}/yes.atlsrec", NULL, 5, NULL, {"WHAT IF it had been 2026-12-24T00:00:00Z, which is not the recorded time: rejected", "!reproduced"}},
    {"nor in JSON", "replay --json --at 2026-12-24T00:00:00Z {d}/yes.atlsrec", NULL, 5, "\"reproduced\":false,\"what_if\":true", {NULL}},
    {"the recorded time is one", "replay -q " T "{d}/yes.atlsrec", NULL, 0, NULL, {"reproduced", "!WHAT IF"}},
    {"JSON of damage", "replay --json {d}/damaged.atlsrec", NULL, 2, "\"error\":{\"code\":\"ENCODING\",\"field\":\"record.digest\"", {NULL}},
    {"when a recording will fail", "endorse forecast --within 1d " T "{d}/yes.atlsrec", NULL, 0, NULL, {"today         accepted", "refused from", "nextUpdate"}},
    {"soon", "endorse forecast --within 3650d " T "{d}/yes.atlsrec", NULL, 5, NULL, {"EXPIRED"}},
    {"it fails already", "endorse forecast " T "{d}/no.atlsrec", NULL, 4, NULL, {"today         refused"}},
    {"not with another policy", "endorse forecast --within 1d -p {d}/td/policy-tdx.json " T "{d}/no.atlsrec", NULL, 0, NULL, {"today         accepted"}},
    {"nor with other endorsements", "endorse forecast --within 1d -e {d}/td/collateral.json " T "{d}/yes.atlsrec", NULL, 0, NULL, {"today         accepted"}},
    {"endorsements of somebody else", "endorse forecast -e {d}/sgx/collateral.json " T "{d}/yes.atlsrec", NULL, 2, NULL, {"today         refused"}},
    {"a damaged one has no forecast", "endorse forecast " T "{d}/damaged.atlsrec", NULL, 2, NULL, {"record.digest", "!today"}},
    {"its kind is known", "endorse forecast --kind tdx " T "{d}/yes.atlsrec", NULL, 1, NULL, {"--kind"}},
    {"where it went", TD "--record {d}/where.atlsrec", NULL, 0, NULL, {"recorded: ", "/where.atlsrec"}},
    {"two places", TD "--record {d}/a --record-failures {d}/b", NULL, 1, NULL, {"--record: give one of"}},
    {"a place that is not there is no beginning", TD "--record {d}/not/there.atlsrec", NULL, 1, NULL, {"--record", "No such file", "!Hardware"}},
    {"a folder that cannot be", TD "--record-failures {d}/not/there", NULL, 1, NULL, {"--record", "No such file"}},
    {"a file where a folder must be", TD "--record-failures {d}/td/quote.bin", NULL, 1, NULL, {"--record", "Not a directory"}},
};
/* clang-format on */

static void test_rooms(void **state)
{
    size_t len = 0;
    (void)state;
    must("sim {d}/td " T, 0);
    must("sim {d}/sgx -k sgx-v3 " T, 0);
    must("sim {d}/other --set td.mrtd=0bad " T, 0);
    must(DS "--record {d}/yes.atlsrec", 0);
    must("verify {d}/td/quote.bin -e {d}/td/collateral.json -p {d}/other/policy-tdx.json --record {d}/no.atlsrec " T,
         4);
    char *text = run_read("yes.atlsrec", &len);
    run_write("cut.atlsrec", text, len - 1);
    text[len / 3] = (char)(text[len / 3] ^ 4);
    run_write("damaged.atlsrec", text, len);
    free(text);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void path_of(const char *name, char *out, size_t size)
{
    const int n = snprintf(out, size, "%s/%s", place.folder, name);
    assert_true(n > 0 && (size_t)n < size);
}

/* Names in a folder; the one with `word` in it goes to found. */
static size_t count_files(const char *folder, const char *word, char found[300])
{
    char path[600];
    size_t n = 0;
    path_of(folder, path, sizeof path);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        if (e->d_name[0] == '.') {
            assert_true(strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0); /* nothing half-written stays */
            continue;
        }
        n++;
        if (strstr(e->d_name, word) != NULL) {
            (void)snprintf(found, 300, "%.299s", e->d_name);
        }
    }
    (void)closedir(dir);
    return n;
}

static void expect_mode(const char *name, mode_t mode)
{
    char path[600];
    struct stat s;
    path_of(name, path, sizeof path);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, mode);
}

static void test_folder(void **state)
{
    char found[300] = "";
    char line[512];
    (void)state;
    must(TD "--record-failures {d}/fails", 0);
    assert_int_equal(count_files("fails", "", found), 0); /* it did not fail */
    expect_mode("fails", 0700);
    must("verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --record-failures {d}/fails " T, 5);
    must("verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --record-failures {d}/fails " T, 5); /* the same file */
    assert_int_equal(count_files("fails", "20260615T120000Z-undecided-", found), 1);
    (void)snprintf(line, sizeof line, "fails/%s", found);
    expect_mode(line, 0600);
    (void)snprintf(line, sizeof line, "replay -q {d}/fails/%s", found);
    must(line, 0);
    must(TD "--record {d}/fails", 0); /* a folder that is there */
    assert_int_equal(count_files("fails", "20260615T120000Z-accepted-", found), 2);
    expect_mode("yes.atlsrec", 0600);
}

/* What stood there is replaced, a link is not followed, and nothing is written through it. */
static void test_link(void **state)
{
    char link_path[600];
    char target[600];
    struct stat s;
    size_t len = 0;
    (void)state;
    run_write("precious", "precious", 8);
    path_of("link.atlsrec", link_path, sizeof link_path);
    path_of("precious", target, sizeof target);
    assert_int_equal(symlink(target, link_path), 0);
    must(TD "--record {d}/link.atlsrec", 0);
    assert_int_equal(lstat(link_path, &s), 0);
    assert_true(S_ISREG(s.st_mode));
    char *text = run_read("precious", &len);
    assert_string_equal(text, "precious");
    free(text);
}

/* A folder takes so many, and then a yes that was to be recorded is not a success. */
static void test_full(void **state)
{
    char name[64];
    char path[600];
    char found[300];
    (void)state;
    path_of("full", path, sizeof path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof name, "full/%04u.atlsrec", i);
        run_write(name, "", 0);
    }
    run_output o = run(TD "--record {d}/full", NULL);
    assert_int_equal(o.status, 2);
    run_holds("stderr", o.err, "LIMIT --record: the folder holds 1000 recordings already");
    run_free(&o);
    must("verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --record-failures {d}/full " T, 5); /* the verdict's own */
    assert_int_equal(count_files("full", "", found), 1000);
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

typedef struct live_row {
    const char *name;
    const char *server; /* more options of sim --serve */
    const char *client; /* more options of connect */
    const char *member; /* of the policy, besides */
} live_row;

#define CA "--cacert {d}/srv/tls-ca.pem "

static const live_row live_rows[] = {
    {"live: atls/1", "--profile atls/1", CA "--profile atls/1 ", ""},
    {"live: dstack", "--profile dstack", CA "--profile dstack ", ""},
    {"live: constellation", "--profile constellation", "--profile constellation --attested-only ",
     ",\"attested_only\":true,\"min_grade\":\"key_fresh\""},
};

static void write_policy(const char *from, const char *member, const char *name)
{
    size_t len = 0;
    char text[8192];
    char *policy = run_read(from, &len);
    assert_true(len > 2);
    const int n = snprintf(text, sizeof text, "%.*s%s}", (int)len - 1, policy, member);
    run_write(name, text, (size_t)n);
    free(policy);
}

static void run_live(const char *options, int status, const char *file)
{
    char line[2048];
    (void)snprintf(line, sizeof line, "connect 127.0.0.1:{p} --servername localhost --timeout 20 --json " T "%s",
                   options);
    must(line, status);
    (void)snprintf(line, sizeof line, "replay -q --verdict %s", file);
    must(line, status);
}

static void test_live(void **state)
{
    const live_row *r = *state;
    char line[1024];
    char found[300] = "";
    (void)snprintf(line, sizeof line, "sim {d}/srv -f --serve 0 --seconds 100 %s " T, r->server);
    pid_t pid = run_start(line, "srv");
    run_wait_port("srv.out");
    write_policy("srv/policy-tdx.json", r->member, "live.json");
    write_policy("other/policy-tdx.json", r->member, "live_other.json");
    (void)snprintf(line, sizeof line, "%s-p {d}/live.json -e {d}/srv/collateral.json --record {d}/live.atlsrec",
                   r->client);
    run_live(line, 0, "{d}/live.atlsrec");
    (void)snprintf(line, sizeof line, "%s-p {d}/live_other.json -e {d}/srv/collateral.json --record {d}/live.atlsrec",
                   r->client);
    run_live(line, 4, "{d}/live.atlsrec");
    const size_t before = strstr(r->name, "atls/1") != NULL ? 0 : count_files("lost", "", found);
    (void)snprintf(line, sizeof line,
                   "connect 127.0.0.1:{p} --servername localhost --timeout 20 --json " T
                   "%s-p {d}/live.json --record-failures {d}/lost",
                   r->client);
    must(line, 5);
    assert_int_equal(count_files("lost", "undecided", found), before + 1);
    assert_int_equal(kill(pid, SIGTERM), 0);
    (void)run_wait(pid);
}

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_replay [PROGRAM]\n");
        return 1;
    }
    tap_add(&tests, "rooms and recordings for the rows below", test_rooms, NULL);
    for (size_t i = 0; i < sizeof again_rows / sizeof again_rows[0]; i++) {
        tap_add(&tests, again_rows[i].name, test_again, &again_rows[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    tap_add(&tests, "folders: names, modes, and one file for one recording", test_folder, NULL);
    tap_add(&tests, "a link is replaced, and not followed", test_link, NULL);
    tap_add(&tests, "a folder that is full", test_full, NULL);
    for (size_t i = 0; i < sizeof live_rows / sizeof live_rows[0]; i++) {
        tap_add(&tests, live_rows[i].name, test_live, &live_rows[i]);
    }
    int failed = tap_run("replay", &tests);
    run_end();
    return failed;
}
