/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_cli.c: --fetch, --pccs, --kds and atls endorse pull as black boxes, against the tests' own PCCS and KDS. */
#include <signal.h>
#include <unistd.h>

#include "run.h"
#include "tests/edge/double.h"

#define T     " --at 2026-06-15T12:00:00Z"
#define TD    "verify {d}/td/quote.bin --policy {d}/td/policy-tdx.json" T
#define SNP   "verify {d}/report.bin --policy {d}/policy-snp.json" T
#define PCCS  " --pccs http://127.0.0.1:{p}"
#define KDS   " --kds http://127.0.0.1:{p}"
#define PULL  "endorse pull"
#define FMSPC " --tdx --fmspc 50806F5A1BC2"

static double_server server;

/* clang-format off */
static const run_row usage_rows[] = {
    {"endorse pull --help", PULL " --help", NULL, 0, "--evidence FILE", {NULL}},
    {"nothing to pull", PULL, NULL, 1, NULL, {"--evidence", "give one of"}},
    {"two things to pull", PULL " --tdx --snp", NULL, 1, NULL, {"--evidence", "give one of"}},
    {"no FMSPC", PULL " --tdx" PCCS, NULL, 1, NULL, {"--fmspc", "12 hex digits"}},
    {"an FMSPC that is none", PULL " --tdx --fmspc 50806F5A1B" PCCS, NULL, 1, NULL, {"--fmspc"}},
    {"a CA that is none", PULL FMSPC " --ca root" PCCS, NULL, 1, NULL, {"--ca", "platform or processor"}},
    {"an FMSPC of AMD's", PULL " --snp --fmspc 50806F5A1BC2", NULL, 1, NULL, {"--fmspc", "--tdx and --sgx"}},
    {"a product of Intel's", PULL FMSPC " --product Milan", NULL, 1, NULL, {"--product", "--snp"}},
    {"a chip without its TCB", PULL " --snp --chip-id 00", NULL, 1, NULL, {"--chip-id", "together"}},
    {"http to others", PULL FMSPC " --pccs http://pccs.example", NULL, 1, NULL, {"sources.url", "insecure_http"}},
    {"an update that is none", PULL FMSPC " --update late", NULL, 1, NULL, {"--update", "early or standard"}},
    {"a cache, and none", PULL FMSPC " --cache {d}/c --no-cache-dir", NULL, 1, NULL, {"--cache", "contradicts"}},
    {"a cache that cannot be", PULL FMSPC " --cache /dev/null/c", NULL, 3, NULL, {"cache_folder"}},
    {"a CA file that is not there", PULL FMSPC " --fetch-ca {d}/nothing", NULL, 1, NULL, {"--fetch-ca", "No such file"}},
    {"a cache for nobody", TD " --cache {d}/c", NULL, 1, NULL, {"--cache", "none of them is given"}},
    {"an update for nobody", TD " --update early", NULL, 1, NULL, {"--update", "none of them is given"}},
};

static const run_row rows[] = {
    {"without endorsements: a hint", TD, NULL, 5, NULL, {"ENDORSEMENTS_MISSING", "(--fetch)", "!accepted"}},
    {"verify --pccs", TD PCCS, NULL, 0, NULL, {"genuine", NULL}},
    {"verify --kds", SNP KDS, NULL, 0, NULL, {"genuine", NULL}},
    {"a PCCS has nothing of AMD's", SNP PCCS, NULL, 5, NULL, {"endorsements.vcek", "no source"}},
    {"a PCCS with several names", TD " --pccs http://127.0.0.1:1" PCCS, NULL, 0, NULL, {NULL}},
    {"nobody there", TD " --pccs http://127.0.0.1:1", NULL, 3, NULL, {"IO: 127.0.0.1:1: ", "endorsements.tcb_info"}},
    {"files go first", TD " -e {d}/td/collateral.json --pccs http://127.0.0.1:1", NULL, 0, NULL, {NULL}},
    {"pull what evidence needs", PULL " --evidence {d}/td/quote.bin -o {d}/pulled.json" T PCCS, NULL, 0, NULL, {"/tdx/certification/v4/tcb?fmspc=50806F5A1BC2, good until"}},
    {"which verify reads", TD " -e {d}/pulled.json", NULL, 0, NULL, {NULL}},
    {"pull by name", PULL FMSPC " --ca platform -o {d}/named.json -q" T PCCS, NULL, 0, NULL, {"!good until"}},
    {"which verify reads, too", TD " -e {d}/named.json", NULL, 0, NULL, {NULL}},
    {"pull for a report", PULL " --evidence {d}/report.bin -o {d}/amd" T KDS, NULL, 0, NULL, {"/vcek/v1/Genoa/cert_chain, good until"}},
    {"the folder reads back", SNP " -e {d}/amd", NULL, 0, NULL, {NULL}},
    {"and is not overwritten", PULL " --evidence {d}/report.bin -o {d}/amd" T KDS, NULL, 1, NULL, {"not empty"}},
    {"but if it is said", PULL " --evidence {d}/report.bin -f -o {d}/amd" T KDS, NULL, 0, NULL, {NULL}},
    {"chain and list of a product", PULL " --snp --product Genoa -o {d}/genoa" T KDS, NULL, 0, NULL, {"Genoa/crl"}},
    {"another product", PULL " --snp --product Milan" T KDS, NULL, 5, NULL, {"endorsements.cert_chain", "404"}},
    {"evidence that is none", PULL " --evidence {d}/td/policy-tdx.json" T PCCS, NULL, 2, NULL, {NULL}},
    {"into a cache", PULL FMSPC " --cache {d}/cache -q" T PCCS, NULL, 0, NULL, {NULL}},
    {"past the date of what there is", PULL FMSPC " --at 2036-01-01T00:00:00Z" PCCS, NULL, 5, NULL, {"EXPIRED", "past its date"}},
};

static const run_row cached_rows[] = {
    {"the cache answers where nobody does", TD " --cache {d}/cache" PCCS, NULL, 0, NULL, {NULL}},
};
/* clang-format on */

/* The server is silent about everything: what is accepted came out of the cache. */
static void test_cached(void **state)
{
    double_forget(&server);
    atomic_store(&server.mode, DOUBLE_BROKEN);
    run_row_test(state);
    assert_int_equal(double_seen(&server, NULL), 0);
    atomic_store(&server.mode, DOUBLE_HONEST);
}

static void set_up(void)
{
    static const uint8_t report_data[64] = {1};
    atls_error err = {0};
    atls_bytes report;
    atls_bytes policy;
    run_output o = run("sim {d}/td" T, NULL);
    assert_int_equal(o.status, 0);
    run_free(&o);
    assert_true(sim_snp_report(server.snp, report_data, &server.arena, &report, &err));
    assert_true(sim_snp_policy(server.snp, &server.arena, &policy, &err));
    run_write("report.bin", report.ptr, report.len);
    run_write("policy-snp.json", policy.ptr, policy.len);
    (void)snprintf(place.port, sizeof place.port, "%s", strrchr(server.url, ':') + 1);
}

int main(int argc, char *argv[])
{
    tap_list l = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    if (!run_begin(argc, argv)) {
        return 1;
    }
    (void)setenv("no_proxy", "*", 1);
    double_open(&server);
    set_up();
    for (size_t i = 0; i < sizeof usage_rows / sizeof usage_rows[0]; i++) {
        tap_add(&l, usage_rows[i].name, run_row_test, &usage_rows[i]);
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row_test, &rows[i]);
    }
    tap_add(&l, cached_rows[0].name, test_cached, &cached_rows[0]);
    const int failed = tap_run("fetch_cli", &l);
    double_close(&server);
    run_end();
    return failed;
}
