/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_cli.c: --fetch, --pccs, --kds and atls endorse pull as black boxes, against the tests' own PCCS and KDS. */
#include <signal.h>
#include <unistd.h>

#include <openssl/sha.h>

#include "base/text.h"
#include "run.h"
#include "sim/sim_android.h"
#include "sim/sim_tpm.h"
#include "tests/edge/double.h"

#define T      " --at 2026-06-15T12:00:00Z"
#define TD     "verify {d}/td/quote.bin --policy {d}/td/policy-tdx.json" T
#define SNP    "verify {d}/report.bin --policy {d}/policy-snp.json" T
#define PCCS   " --pccs http://127.0.0.1:{p} --fetch-root {d}/td/root.pem"
#define KDS    " --kds http://127.0.0.1:{p} --fetch-root {d}/ark.der"
#define PULL   "endorse pull"
#define STATUS " --android-status-url http://127.0.0.1:{p}/status.json"
#define PHONE  "verify {d}/phone.bin --policy {d}/policy-phone.json"
#define KEY    " --bundle-key {d}/pub.pem --bundle-state {d}/state"
#define T9     " --made 2026-06-15T12:00:00Z"
#define FMSPC  " --tdx --fmspc 50806F5A1BC2"

static double_server server;
static const char *const next[] = {"tcb_info.tcbEvaluationDataNumber=18", NULL};
static double_server ahead = {.settings = next};

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
    {"a root that nobody knows", TD " --pccs http://127.0.0.1:{p}", NULL, 2, NULL, {"endorsements.tcb_info", "its root is not one of"}},
    {"nor AMD", SNP " --kds http://127.0.0.1:{p}", NULL, 2, NULL, {"endorsements.vcek", "its root is not one of"}},
    {"files go first", TD " -e {d}/td/collateral.json --pccs http://127.0.0.1:1", NULL, 0, NULL, {NULL}},
    {"pull what evidence needs", PULL " --evidence {d}/td/quote.bin -o {d}/pulled.json" T PCCS, NULL, 0, NULL, {"/tdx/certification/v4/tcb?fmspc=50806F5A1BC2, good until"}},
    {"which verify reads", TD " -e {d}/pulled.json", NULL, 0, NULL, {NULL}},
    {"pull by name", PULL FMSPC " --ca platform -o {d}/named.json -q" T PCCS, NULL, 0, NULL, {"!good until"}},
    {"which verify reads, too", TD " -e {d}/named.json", NULL, 0, NULL, {NULL}},
    {"pull for a report", PULL " --evidence {d}/report.bin -o {d}/amd" T KDS, NULL, 0, NULL, {"/vcek/v1/Genoa/cert_chain, good until"}},
    {"the folder reads back", SNP " -e {d}/amd", NULL, 0, NULL, {NULL}},
    {"and is not overwritten", PULL " --evidence {d}/report.bin -o {d}/amd" T KDS, NULL, 1, NULL, {"not empty"}},
    {"but if it is said", PULL " --evidence {d}/report.bin -f -o {d}/amd" T KDS, NULL, 0, NULL, {NULL}},
    {"pull for the SNP report inside a TPM's evidence", PULL " --evidence {d}/vtpm-snp.cbor -o {d}/vtpm-amd" T KDS, NULL, 0, NULL, {"/vcek/v1/Genoa/cert_chain, good until"}},
    {"the same files", "verify {d}/report.bin --policy {d}/policy-snp.json -e {d}/vtpm-amd" T, NULL, 0, NULL, {NULL}},
    {"pull for the TDX quote inside", PULL " --evidence {d}/vtpm-tdx.cbor -o {d}/vtpm.json" T PCCS, NULL, 0, NULL, {"/tdx/certification/v4/tcb?fmspc=50806F5A1BC2, good until"}},
    {"which verify reads", TD " -e {d}/vtpm.json", NULL, 0, NULL, {NULL}},
    {"and what it needs cannot be had", PULL " --evidence {d}/vtpm-snp.cbor" T PCCS, NULL, 5, NULL, {"endorsements.vcek", "no source"}},
    {"a TPM without hardware around it", PULL " --evidence {d}/vtpm.cbor -o {d}/x" T KDS, NULL, 1, NULL, {"nothing has to be fetched"}},
    {"chain and list of a product", PULL " --snp --product Genoa -o {d}/genoa" T KDS, NULL, 0, NULL, {"Genoa/crl"}},
    {"some files, and nobody there for the rest", "verify {d}/report.bin --policy {d}/policy-snp.json" T " -e {d}/amd/intermediate.der --kds http://127.0.0.1:1", NULL, 5, NULL, {"ENDORSEMENTS_MISSING", "not fetched: 127.0.0.1:1: "}},
    {"... of a forecast, too", "endorse forecast {d}/report.bin --policy {d}/policy-snp.json" T " -e {d}/amd/intermediate.der --kds http://127.0.0.1:1", NULL, 5, NULL, {"ENDORSEMENTS_MISSING", "not fetched: 127.0.0.1:1: "}},
    {"all the files, and nobody there", "verify {d}/report.bin --policy {d}/policy-snp.json" T " -e {d}/amd --kds http://127.0.0.1:1", NULL, 0, NULL, {"!not fetched"}},
    {"one's own list, and nobody there", "verify {d}/revoked.bin --policy {d}/policy-revoked.json" T " -e {d}/revoked.crl --kds http://127.0.0.1:1", NULL, 7, NULL, {"Rejected: REVOKED", "  field     ask"}},
    {"another product", PULL " --snp --product Milan" T KDS, NULL, 5, NULL, {"endorsements.cert_chain", "404"}},
    {"evidence that is none", PULL " --evidence {d}/td/policy-tdx.json" T PCCS, NULL, 2, NULL, {NULL}},
    {"Google's list", PULL " --android-status -o {d}/status.json" T STATUS, NULL, 0, NULL, {"fetched 2026-06-15T12:00:00Z, until when it is good is not said"}},
    {"a phone without its list", PHONE T, NULL, 5, NULL, {"ANDROID_LIST_UNAVAILABLE", "!accepted"}},
    {"a phone, its list fetched", PHONE T STATUS, NULL, 0, NULL, {"Accepted by the policy"}},
    {"which verify reads", PHONE T " -e {d}/status.json", NULL, 0, NULL, {"Accepted by the policy"}},
    {"files go first", PHONE T " -e {d}/status.json --android-status-url http://127.0.0.1:1/x", NULL, 0, NULL, {NULL}},
    {"nobody there", PHONE T " --android-status-url http://127.0.0.1:1/x", NULL, 5, NULL, {"ANDROID_LIST_UNAVAILABLE"}},
    {"a PCCS has no list", PULL " --android-status" T PCCS, NULL, 5, NULL, {"endorsements.status", "no address"}},
    {"a key for bundles", "endorse keygen -k {d}/key.pem --public {d}/pub.pem", NULL, 0, NULL, {NULL}},
    {"packed with its dates", "endorse pack -e {d}/status.json --status-fetched 2026-06-15T12:00:00Z -k {d}/key.pem -o {d}/phones.bundle" T9, NULL, 0, NULL, {"1 pieces"}},
    {"what is in it", "endorse show {d}/phones.bundle" T, NULL, 0, "from      2026-06-15T12:00:00Z", {NULL}},
    {"it holds, as far as it can be followed", "endorse verify {d}/phones.bundle" T KEY, NULL, 0, NULL, {"unsigned"}},
    {"not for ever", "endorse verify {d}/phones.bundle --at 2026-06-17T00:00:00Z" KEY, NULL, 5, NULL, {"status.expires"}},
    {"it endorses a phone", PHONE T " -e {d}/phones.bundle" KEY, NULL, 0, NULL, {"Accepted by the policy"}},
    {"and when that ends", "endorse forecast {d}/phone.bin -p {d}/policy-phone.json -e {d}/phones.bundle" T KEY, NULL, 5, NULL, {"refused from  2026-06-16T13:00:01Z", "stale status list"}},
    {"dates for no list", "endorse pack -e {d}/td/collateral.json --status-fetched 2026-06-15T12:00:00Z -k {d}/key.pem -o {d}/x" T9, NULL, 1, NULL, {"--status-fetched", "no status list"}},
    {"what if, with a cache", PULL FMSPC " --cache {d}/none -q" T PCCS, NULL, 0, NULL, {NULL}},
    {"of which nothing is made", "endorse show {d}/none", NULL, 1, NULL, {"No such file"}},
    {"a service that is behind what is at hand", PULL FMSPC " --cache {d}/ahead -o {d}/kept.json" T PCCS, NULL, 0, NULL, {"atls: 1 older than what is at hand, which is kept: 127.0.0.1:", "tcb_info: 17 of", "behind 18 of"}},
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

/* A phone whose statement may be old: what is of interest here is its list. */
static void write_phone(void)
{
    static const char *const settings[] = {"policy.attestationStatementValiditySeconds=9999999", NULL};
    static const uint8_t challenge[32] = {1};
    const sim_android_options options = {.kind = SIM_ANDROID_FACTORY, .settings = settings};
    const sim_android_request request = {.challenge = atls_bytes_of(challenge, sizeof challenge)};
    sim_android *phone = NULL;
    atls_bytes chain;
    atls_bytes policy;
    atls_error err = {0};
    assert_true(sim_android_new(&options, &phone, &err));
    assert_true(sim_android_chain(phone, &request, &server.arena, &chain, &err));
    assert_true(sim_android_policy(phone, &server.arena, &policy, &err));
    run_write("phone.bin", chain.ptr, chain.len);
    run_write("policy-phone.json", policy.ptr, policy.len);
    sim_android_free(phone);
}

/* What an asker of that day has kept. */
static atls_time that_day(void *ctx)
{
    (void)ctx;
    return SIM_NOW;
}

static void write_cache(double_server *from, const char *name)
{
    static const uint8_t fmspc[6] = {0x50, 0x80, 0x6f, 0x5a, 0x1b, 0xc2};
    const atls_source source = {.kind = ATLS_SOURCE_PCCS, .url = server.url};
    const atls_bytes root = sim_root(server.room);
    char folder[512];
    (void)snprintf(folder, sizeof folder, "%s/%s", place.folder, name);
    const atls_fetcher_options o = {
        .sources = &source, .n_sources = 1, .roots = &root, .n_roots = 1, .cache_folder = folder, .now = that_day};
    atls_endorsement_request r = {.platform = ATLS_PLATFORM_TDX, .is_tdx = true, .pck_ca = "platform"};
    atls_error err = {0};
    atls_endorsements out;
    atls_fetcher *f = NULL;
    memcpy(r.fmspc, fmspc, sizeof fmspc);
    const atls_endorsements own = server.collateral;
    server.collateral = from->collateral;
    assert_true(atls_fetcher_new(&o, &f, &err));
    assert_true(atls_fetcher_endorse(f, &r, &server.arena, &out, &err));
    server.collateral = own;
    atls_fetcher_free(f);
}

static void must(bool ok, const atls_error *err)
{
    if (!ok) {
        fail_msg("%s: %s", err->field, err->message);
    }
}

/* As a paravisor hands it over: the hardware's report is about the TPM's key. */
static void write_tpm(const char *name, const char *hardware)
{
    atls_error err = {0};
    atls_arena *a = &server.arena;
    sim_tpm *tpm = NULL;
    atls_bytes runtime_data;
    atls_bytes report = atls_bytes_empty();
    atls_bytes document;
    uint8_t report_data[64] = {0};
    const uint8_t value[32] = {1};
    must(sim_tpm_new(&(sim_tpm_options){.seed = NULL}, &tpm, &err), &err);
    must(sim_hcl_runtime_data(sim_tpm_ak_pub(tpm), a, &runtime_data, &err), &err);
    if (hardware != NULL) {
        (void)SHA256(runtime_data.ptr, runtime_data.len, report_data);
        must(strcmp(hardware, "tdx") == 0 ? sim_quote(server.room, report_data, a, &report, &err)
                                          : sim_snp_report(server.snp, report_data, a, &report, &err),
             &err);
        const char *const settings[] = {
            atls_text_format(a, &err, "hardware.kind=%s", hardware),
            atls_text_format(a, &err, "hardware.report=%s", atls_hex_text(report, a, &err)),
            atls_text_format(a, &err, "hardware.runtime_data=%s", atls_text_copy(runtime_data, a, &err)), "cert=none",
            NULL};
        sim_tpm_free(tpm);
        must(sim_tpm_new(&(sim_tpm_options){.settings = settings}, &tpm, &err), &err);
    }
    must(sim_tpm_document(tpm, SIM_TPM_CBOR, atls_bytes_of(value, sizeof value), a, &document, &err), &err);
    run_write(name, document.ptr, document.len);
    sim_tpm_free(tpm);
}

/* A machine that sends all its certificates along; one's own list names one of them. */
static void write_revoked(void)
{
    static const uint8_t report_data[64] = {1};
    const sim_snp_options options = {.settings = (const char *const[]){"table=vcek,ask,ark", "crl.revoked=ask", NULL}};
    atls_certificate_pile pile;
    atls_bytes report;
    atls_bytes policy;
    atls_error err = {0};
    sim_snp *room = NULL;
    assert_true(sim_snp_new(&options, &room, &err) && sim_snp_pile(room, &server.arena, &pile, &err)
                && sim_snp_extended(room, report_data, &server.arena, &report, &err)
                && sim_snp_policy(room, &server.arena, &policy, &err));
    assert_int_equal(pile.n_crls, 1);
    run_write("revoked.bin", report.ptr, report.len);
    run_write("policy-revoked.json", policy.ptr, policy.len);
    run_write("revoked.crl", pile.crls[0].ptr, pile.crls[0].len);
    sim_snp_free(room);
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
    const atls_bytes ark = sim_snp_certificate(server.snp, "ark");
    run_write("ark.der", ark.ptr, ark.len);
    run_write("report.bin", report.ptr, report.len);
    run_write("policy-snp.json", policy.ptr, policy.len);
    write_revoked();
    write_phone();
    write_tpm("vtpm.cbor", NULL);
    write_tpm("vtpm-snp.cbor", "sev-snp");
    write_tpm("vtpm-tdx.cbor", "tdx");
    write_cache(&server, "cache");
    double_open(&ahead);
    write_cache(&ahead, "ahead");
    double_close(&ahead);
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
