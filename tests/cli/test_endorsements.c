/* SPDX-License-Identifier: Apache-2.0 */
/* test_endorsements.c: atls endorse as a black box, in the order in which an operator does things: a key, a bundle, a look at it,
 * evidence verified by it, a newer one, the older one refused; and when cron has to hear of it. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run.h"

#define T     "--at 2026-06-15T12:00:00Z"
#define MADE  "--made 2026-06-15T12:00:00Z"
#define KEY   "--bundle-key {d}/pub.pem"
#define STATE "--bundle-state {d}/state"
#define PACK  "endorse pack -e {d}/td/collateral.json -e {d}/other/collateral.json -e {d}/sgx/collateral.json "
#define WITH  "-e {d}/one.bundle " KEY " " STATE " "
#define TD    "verify {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " "
#define FORE  "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json -e {d}/td/collateral.json " T " "

/* clang-format off */
static const run_row rows[] = {
    /* usage */
    {"no verb", "endorse", NULL, 1, NULL, {"usage: atls endorse VERB"}},
    {"--help", "endorse --help", NULL, 0, "forecast", {NULL}},
    {"a misspelt verb", "endorse shwo", NULL, 1, NULL, {"did you mean show?"}},
    {"show --help", "endorse show --help", NULL, 0, "--bundle-key FILE", {NULL}},
    {"pack --help", "endorse pack --help", NULL, 0, "--not-older FILE", {NULL}},
    {"verify --help", "endorse verify --help", NULL, 0, "--allow-older-bundle", {NULL}},
    {"forecast --help", "endorse forecast --help", NULL, 0, "--within TIME", {NULL}},
    {"keygen --help", "endorse keygen --help", NULL, 0, "--public FILE", {NULL}},
    {"pack without a key", "endorse pack -o {d}/x -e {d}/td/collateral.json", NULL, 1, NULL, {"--key: required"}},
    {"pack without a place", "endorse pack -k {d}/key.pem -e {d}/td/collateral.json", NULL, 1, NULL, {"--output: required"}},
    {"pack of nothing", "endorse pack -k {d}/key.pem -o {d}/x", NULL, 1, NULL, {"--endorsements: required"}},
    {"keygen without a place", "endorse keygen --key {d}/x", NULL, 1, NULL, {"--public: required"}},
    {"within that is none", FORE "--within soon", NULL, 1, NULL, {"--within", "30d"}},
    {"within without a unit", FORE "--within 30", NULL, 1, NULL, {"--within"}},
    {"within with two units", FORE "--within 30dd", NULL, 1, NULL, {"--within"}},
    /* a key */
    {"keygen", "endorse keygen --key {d}/key.pem --public {d}/pub.pem", NULL, 0, NULL, {NULL}},
    {"another", "endorse keygen --key {d}/key2.pem --public {d}/pub2.pem", NULL, 0, NULL, {NULL}},
    {"keygen overwrites nothing", "endorse keygen --key {d}/key.pem --public {d}/pub3.pem", NULL, 1, NULL, {"--key", "File exists"}},
    {"... nor the public half", "endorse keygen --key {d}/half.pem --public {d}/pub.pem", NULL, 1, NULL, {"--public", "File exists"}},
    {"... and leaves no half behind", "endorse keygen --key {d}/half.pem --public {d}/half.pem", NULL, 1, NULL, {"--public", "File exists"}},
    {"... of neither", "endorse keygen --key {d}/half.pem --public {d}/pub3.pem", NULL, 0, NULL, {NULL}},
    {"a public key does not sign", PACK "-k {d}/pub.pem -o {d}/x", NULL, 1, NULL, {"USAGE --key", "private key"}},
    {"a private key is not trusted by itself", TD "-e {d}/td/collateral.json --bundle-key {d}/key.pem", NULL, 0, NULL, {NULL}}, /* no bundle: nobody looks */
    /* a bundle */
    {"pack", PACK "-k {d}/key.pem -o {d}/one.bundle " MADE, NULL, 0, NULL, {"7 pieces, sequence 1781524800"}},
    {"a sequence that is none", PACK "-k {d}/key.pem -o {d}/x --sequence x", NULL, 1, NULL, {"--sequence"}},
    {"sequence 0", PACK "-k {d}/key.pem -o {d}/x --sequence 0", NULL, 1, NULL, {"bundle.sequence"}},
    {"not newer than the one before", PACK "-k {d}/key.pem -o {d}/x " MADE " --not-older {d}/one.bundle", NULL, 5, NULL, {"BUNDLE_OLDER"}},
    {"the one before is of another key", PACK "-k {d}/key2.pem -o {d}/x --not-older {d}/one.bundle", NULL, 2, NULL, {"BUNDLE_SIGNATURE"}},
    {"a newer one", PACK "-k {d}/key.pem -o {d}/two.bundle --made 2026-06-15T13:00:00Z --not-older {d}/one.bundle", NULL, 0, NULL, {"sequence 1781528400"}},
    {"show says what it is not", "endorse show {d}/one.bundle " T, NULL, 0, "UNVERIFIED", {NULL}},
    {"show names signer and signature", "endorse show {d}/one.bundle " T, NULL, 0, "signature not checked", {NULL}},
    {"show with the key", "endorse show {d}/one.bundle " KEY " " T, NULL, 0, "signature holds", {NULL}},
    {"show with another key", "endorse show {d}/one.bundle --bundle-key {d}/pub2.pem", NULL, 2, NULL, {"BUNDLE_SIGNATURE bundle.signer"}},
    {"show says what passes first", "endorse show {d}/one.bundle " T, NULL, 0, "passes first: 2026-07-", {NULL}},
    {"show of files", "endorse show {d}/td/collateral.json {d}/td/root.pem " T, NULL, 0, "certificate of Intel SGX Root CA", {NULL}},
    {"show of a folder", "endorse show {d}/td/pcs " T, NULL, 0, "TCB info for TDX, FMSPC 50806f5a1bc2", {NULL}},
    {"show of evidence", "endorse show {d}/td/quote.bin", NULL, 2, NULL, {"COLLATERAL_FORMAT"}},
    {"show as JSON", "endorse show {d}/one.bundle --json " T, NULL, 0, "{\"unverified\":true,\"schema\":1,\"bundle\":{\"sequence\":1781524800", {NULL}},
    /* evidence */
    {"a bundle without a key", TD "-e {d}/one.bundle", NULL, 1, NULL, {"USAGE --endorsements", "--bundle-key"}},
    {"verify TDX", TD WITH, NULL, 0, NULL, {"Accepted"}},
    {"verify TDX a week later", "verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --at 2026-06-22T12:00:00Z " WITH, NULL, 0, NULL, {"Accepted"}},
    {"verify TDX when the bundle is past", "verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --at 2026-09-22T12:00:00Z " WITH, NULL, 5, NULL, {"EXPIRED"}},
    {"verify another FMSPC", "verify {d}/other/quote.bin -p {d}/other/policy-tdx.json " T " " WITH, NULL, 0, NULL, {"Accepted"}},
    {"verify SGX", "verify {d}/sgx/quote.bin -p {d}/sgx/policy-sgx.json " T " " WITH, NULL, 0, NULL, {"Accepted"}},
    {"verify a machine that is not in it", "verify {d}/third/quote.bin -p {d}/third/policy-tdx.json " T " " WITH, NULL, 5, NULL, {"ENDORSEMENTS_MISSING", "endorsements.tcb_info", "tdx/99"}},
    {"... with its own collateral beside it", "verify {d}/third/quote.bin -p {d}/third/policy-tdx.json " T " -e {d}/third/collateral.json " WITH, NULL, 0, NULL, {"Accepted"}},
    {"another key", TD "-e {d}/one.bundle " STATE " --bundle-key {d}/pub2.pem", NULL, 2, NULL, {"BUNDLE_SIGNATURE"}},
    {"one of two keys", TD WITH "--bundle-key {d}/pub2.pem", NULL, 0, NULL, {"Accepted"}},
    {"a key that is none", TD "-e {d}/one.bundle " STATE " --bundle-key {d}/td/root.pem", NULL, 1, NULL, {"--bundle-key"}},
    {"two bundles", TD WITH "-e {d}/two.bundle", NULL, 1, NULL, {"more than one signed bundle"}},
    {"a bundle with a byte changed", TD "-e {d}/bad.bundle " KEY " " STATE, NULL, 2, NULL, {"BUNDLE_SIGNATURE bundle.signature"}},
    {"a bundle that is cut", TD "-e {d}/cut.bundle " KEY " " STATE, NULL, 2, NULL, {"BUNDLE_SIGNATURE"}},
    /* which file it is that is no such thing */
    {"a policy that is none", "verify {d}/td/quote.bin -p {d}/td/collateral.json -e {d}/td/collateral.json", NULL, 1, NULL, {"td/collateral.json: "}},
    {"endorsements that are none", TD "-e {d}/td/policy-tdx.json", NULL, 2, NULL, {"td/policy-tdx.json: "}},
    {"one of several that is none", TD "-e {d}/td/collateral.json -e {d}/td/quote.bin", NULL, 2, NULL, {"td/quote.bin: "}},
    {"a bundle that is cut, by name", TD "-e {d}/cut.bundle " KEY " " STATE, NULL, 2, NULL, {"cut.bundle: "}},
    /* by itself */
    {"endorse verify", "endorse verify {d}/one.bundle --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 0, NULL, {"holds    dcap.tcb_info", "!FAILS"}},
    {"endorse verify: nobody's root", "endorse verify {d}/one.bundle " T " " KEY " " STATE, NULL, 2, NULL, {"FAILS", "CERTIFICATE_CHAIN"}},
    {"endorse verify: later", "endorse verify {d}/one.bundle --root {d}/td/root.pem --at 2026-09-22T12:00:00Z " KEY " " STATE, NULL, 5, NULL, {"FAILS", "tcb_info.nextUpdate"}},
    {"endorse verify -q", "endorse verify -q {d}/one.bundle --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 0, NULL, {"!holds"}},
    {"endorse verify without a key", "endorse verify {d}/one.bundle " T, NULL, 1, NULL, {"--bundle-key"}},
    {"endorse verify of something else", "endorse verify {d}/td/collateral.json " T " " KEY " " STATE, NULL, 2, NULL, {"no signed bundle"}},
    {"endorse verify --json", "endorse verify {d}/one.bundle --json --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 0, "\"holds\":true", {NULL}},
    {"endorse verify --json: what fails", "endorse verify {d}/one.bundle --json " T " " KEY " " STATE, NULL, 2, "\"finding\":\"fails\"", {NULL}},
    /* rollback */
    {"looking at the newer one is no use of it", "endorse verify {d}/two.bundle --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 0, NULL, {"!FAILS"}},
    {"... so that the older one still serves", TD WITH, NULL, 0, NULL, {"Accepted"}},
    {"the newer one is used", TD "-e {d}/two.bundle " KEY " " STATE, NULL, 0, NULL, {"Accepted"}},
    {"then the older one is refused", TD WITH, NULL, 5, NULL, {"BUNDLE_OLDER bundle.sequence", "sequence 1781528400"}},
    {"... also as JSON", TD WITH "--json", NULL, 5, "BUNDLE_OLDER", {NULL}},
    {"... by endorse verify", "endorse verify {d}/one.bundle --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 5, NULL, {"BUNDLE_OLDER"}},
    {"... unless it is allowed", "endorse verify {d}/one.bundle --allow-older-bundle --root {d}/td/root.pem " T " " KEY " " STATE, NULL, 0, NULL, {"WARNING", "older"}},
    {"... by endorse forecast", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " " WITH, NULL, 5, NULL, {"BUNDLE_OLDER"}},
    {"... unless it is allowed, which shows", TD WITH "--allow-older-bundle", NULL, 0, NULL, {"WARNING", "older", "endorsements.bundle_age"}},
    {"... in JSON, too", TD WITH "--allow-older-bundle --json", NULL, 0, "endorsements.bundle_age", {NULL}},
    {"... and is not forgotten", TD WITH, NULL, 5, NULL, {"BUNDLE_OLDER"}},
    {"another memory knows nothing of it", TD "-e {d}/one.bundle " KEY " --bundle-state {d}/state2", NULL, 0, NULL, {"!endorsements.bundle_age"}},
    {"a memory that is none", TD "-e {d}/one.bundle " KEY " --bundle-state {d}/key.pem", NULL, 1, NULL, {"CONFIGURATION bundle_state"}},
    {"... whatever is allowed", TD "-e {d}/one.bundle " KEY " --allow-older-bundle --bundle-state {d}/key.pem", NULL, 1, NULL, {"CONFIGURATION bundle_state"}},
    {"packing what is packed: the signature counts", "endorse pack -e {d}/two.bundle -k {d}/key2.pem -o {d}/x", NULL, 1, NULL, {"--bundle-key"}},
    {"packing what is packed", "endorse pack -e {d}/two.bundle -k {d}/key2.pem -o {d}/x " KEY, NULL, 0, NULL, {"7 pieces"}},
    /* forecasts */
    {"far away", FORE, NULL, 0, NULL, {"today         accepted", "UpToDate", "refused from"}},
    {"soon enough to tell", FORE "--within 60d", NULL, 5, NULL, {"EXPIRED", "because of", "nextUpdate"}},
    {"quiet while nothing is near", FORE "-q", NULL, 0, NULL, {"!accepted"}},
    {"quiet no more", FORE "-q --within 60d", NULL, 5, NULL, {"refused from"}},
    {"as JSON", FORE "--json --within 60d", NULL, 5, "\"soon\":true", {NULL}},
    {"by a bundle", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " -e {d}/two.bundle " KEY " " STATE, NULL, 0, NULL, {"accepted"}},
    {"what is short today", "endorse forecast {d}/short/quote.bin -p {d}/short/policy-tdx.json -e {d}/short/collateral.json " T, NULL, 4, NULL, {"TCB_STATUS_NOT_ALLOWED", "OutOfDate", "short: qe.isvsvn is 6, the newest level wants 8"}},
    {"what the early set says", FORE "--early {d}/early/collateral.json", NULL, 0, NULL, {"early         refused: TCB_NOT_SUPPORTED", "short: sgx_tcb_component[0]"}},
    {"... as JSON", FORE "--json --early {d}/early/collateral.json", NULL, 0, "\"early\":{\"accepted\":false", {NULL}},
    {"an early set is a bundle that comes later", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " -e {d}/one.bundle --early {d}/two.bundle " KEY " --bundle-state {d}/state3", NULL, 0, NULL, {"early         accepted"}},
    {"... and does not count as used", TD "-e {d}/one.bundle " KEY " --bundle-state {d}/state3", NULL, 0, NULL, {"Accepted"}},
    {"an early set is an older bundle", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " -e {d}/two.bundle --early {d}/one.bundle " KEY " " STATE, NULL, 0, NULL, {"early         accepted"}},
    {"an early set of another key", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T " -e {d}/td/collateral.json --early {d}/one.bundle --bundle-key {d}/pub2.pem " STATE, NULL, 2, NULL, {"BUNDLE_SIGNATURE"}},
    {"a grace period that ends in five days", "endorse forecast {d}/old/quote.bin -p {d}/old/policy-tdx.json -e {d}/old/collateral.json " T, NULL, 4, NULL, {"GRACE_PERIOD_EXPIRED", "2026-06-20T00:00:01Z", "grace period"}},
    {"without endorsements", "endorse forecast {d}/td/quote.bin -p {d}/td/policy-tdx.json " T, NULL, 5, NULL, {"ENDORSEMENTS_MISSING"}},
    {"of no evidence", "endorse forecast {d}/key.pem -p {d}/td/policy-tdx.json -e {d}/td/collateral.json " T, NULL, 8, NULL, {"refused: QUOTE_FORMAT"}},
    {"of no file", "endorse forecast {d}/nothing -p {d}/td/policy-tdx.json", NULL, 1, NULL, {"No such file"}},
    /* genuine */
    {"pack what is genuine", "endorse pack -k {d}/key2.pem -o {d}/genuine.bundle -e {v}/dcap/sgx-v3-processor/collateral.json -e {v}/dcap/tdx-v4-b0c06f/collateral.json -e {v}/sev-snp/milan_v2.vcek.der -e {v}/sev-snp/ask_ark_milan.pem", NULL, 0, NULL, {NULL}},
    {"it holds", "endorse verify {d}/genuine.bundle --at 2025-07-01T00:00:00Z --bundle-key {d}/pub2.pem " STATE, NULL, 0, NULL, {"holds", "!unknown"}},
    {"genuine TDX", "verify {v}/dcap/tdx-v4-b0c06f/quote-uptodate.bin --at 2025-07-01T00:00:00Z -e {d}/genuine.bundle --bundle-key {d}/pub2.pem " STATE, NULL, 0, NULL, {"Accepted"}},
    {"genuine SEV-SNP", "verify {v}/sev-snp/milan_v2.report.bin --kind sev_snp --at 2024-01-01T00:00:00Z -e {d}/genuine.bundle --bundle-key {d}/pub2.pem " STATE, NULL, 0, NULL, {"Accepted"}},
};
/* clang-format on */

/* As a shell's <(command) hands it over: read once. */
static void test_pipe(void **state)
{
    static const char *const names[] = {"td/collateral.json", "one.bundle"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[300];
        size_t len = 0;
        (void)snprintf(path, sizeof path, "%s/pipe%zu", place.folder, i);
        assert_int_equal(mkfifo(path, 0600), 0);
        char *content = run_read(names[i], &len);
        const pid_t writer = fork();
        assert_true(writer >= 0);
        if (writer == 0) {
            FILE *f = fopen(path, "wb");
            const bool ok = f != NULL && fwrite(content, 1, len, f) == len && fclose(f) == 0;
            _exit(ok ? 0 : 1);
        }
        free(content);
        run_output o = run(i == 0 ? TD "-e {d}/pipe0" : TD "-e {d}/pipe1 " KEY " --bundle-state {d}/state.pipe", NULL);
        run_holds("stderr", o.err, "Accepted");
        assert_int_equal(o.status, 0);
        run_free(&o);
        assert_int_equal(run_wait(writer), 0);
        assert_int_equal(unlink(path), 0);
    }
}

static void must_run(const char *line)
{
    run_output o = run(line, NULL);
    if (o.status != 0) {
        fail_msg("%s: %s", line, o.err);
    }
    run_free(&o);
}

static void test_rooms(void **state)
{
    (void)state;
    must_run("sim {d}/td " T);
    must_run("sim {d}/other --kind tdx-v5 --set pck.fmspc=112233445566 " T);
    must_run("sim {d}/third --set pck.fmspc=990000000000 " T);
    must_run("sim {d}/sgx -k sgx-v3 " T);
    must_run("sim {d}/short --set qe.isvsvn=6 " T);
    must_run("sim {d}/early --set levels=1 --set level.0.sgx=ffffffffffffffffffffffffffffffff " T);
    must_run("sim {d}/old --set level.0.status=OutOfDate --set level.0.date=2026-06-10T00:00:00Z "
             "--set policy.allowed_tcb_status=[\"UpToDate\",\"OutOfDate\"] --set policy.grace_period=864000 " T);
}

/* Copies of a bundle, each with one thing wrong, made before the rows that need them. */
static void test_copies(void **state)
{
    (void)state;
    size_t len = 0;
    char *file = run_read("one.bundle", &len);
    run_write("cut.bundle", file, len - 1);
    file[len / 2] = (char)(file[len / 2] ^ 1);
    run_write("bad.bundle", file, len);
    free(file);
}

/* Every JSON object of these verbs is one, and nothing else is on stdout. */
static void test_json(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "endorse show {d}/one.bundle --json " T,
        "endorse verify {d}/two.bundle --json " T " " KEY " " STATE,
        "endorse verify {d}/one.bundle --json " T " " KEY " " STATE, /* refused before any piece */
        FORE "--json --early {d}/early/collateral.json",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        static uint8_t block[1 << 20];
        atls_arena a;
        run_output o = run(lines[i], NULL);
        atls_arena_init(&a, block, sizeof block);
        assert_non_null(run_json(&o, &a));
        run_free(&o);
    }
}

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_endorsements [PROGRAM]\n");
        return 1;
    }
    tap_add(&tests, "sim writes the rooms that the rest needs", test_rooms, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
        if (strcmp(rows[i].name, "pack") == 0) {
            tap_add(&tests, "copies with one thing wrong", test_copies, NULL);
        }
    }
    tap_add(&tests, "JSON is JSON", test_json, NULL);
    tap_add(&tests, "endorsements out of a pipe", test_pipe, NULL);
    int failed = tap_run("cli/endorsements", &tests);
    run_end();
    return failed;
}
