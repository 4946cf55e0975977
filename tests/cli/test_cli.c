/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli.c: what the program says and how it ends, line by line of a table: usage, verify, inspect, sim, demo. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "run.h"

#define T    "--at 2026-06-15T12:00:00Z"
#define TD   "verify {d}/td/quote.bin --endorsements {d}/td/collateral.json " T
#define HALF "verify {d}/td/response.json -e {d}/td/collateral.json -p {d}/td/policy-dstack_tdx.json " T
#define BOUND                                                                                                          \
    "verify {d}/td/response.json -e {d}/td/collateral.json " T                                                         \
    " --nonce @{d}/td/nonce.hex --ekm @{d}/td/ekm.hex --leaf {d}/td/tls-chain.pem "
#define FULL BOUND "-p {d}/td/policy-dstack_tdx.json"
#define RD                                                                                                             \
    "ee4320ebaf3fdb4f2c832b137200c08e235e0fa7bbd0eb1740c7063ba8a0d151da77e003398e1714a955d475b05e3e950b639503b452ec18" \
    "5de4229bc4873949"

/* clang-format off */
static const run_row usage_rows[] = {
    {"without a verb: the help on stderr", "", NULL, 1, NULL, {"usage: atls"}},
    {"--help is data", "--help", NULL, 0, "usage: atls VERB", {NULL}},
    {"--version", "--version", NULL, 0, "atls " ATLS_VERSION "\n", {NULL}},
    {"connect --help", "connect --help", NULL, 0, "--servername NAME", {NULL}},
    {"verify --help", "verify --help", NULL, 0, "--endorsements PATH", {NULL}},
    {"inspect --help", "inspect --help", NULL, 0, "--json", {NULL}},
    {"sim --help", "sim --help", NULL, 0, "--serve PORT", {NULL}},
    {"demo --help", "demo --help", NULL, 0, "--verbose", {NULL}},
    {"--help wins over what is wrong beside it", "verify --wrong -h", NULL, 0, "usage: atls verify", {NULL}},
    {"a misspelt verb gets a hint", "conect", NULL, 1, NULL, {"conect", "did you mean connect?"}},
    {"an unknown verb", "frobnicate", NULL, 1, NULL, {"unknown verb", "try: atls --help"}},
    {"an unknown option of the program", "--frobnicate", NULL, 1, NULL, {"unknown option"}},
    {"a misspelt option gets a hint", "verify --polcy x f", NULL, 1, NULL, {"--polcy", "did you mean --policy?", "try: atls verify --help"}},
    {"an unknown option", "verify --frobnicate f", NULL, 1, NULL, {"USAGE --frobnicate: unknown option"}},
    {"an unknown letter", "verify -x f", NULL, 1, NULL, {"USAGE -x"}},
    {"an option without its value", "verify f --policy", NULL, 1, NULL, {"--policy: needs a value"}},
    {"a flag with a value", "verify f --json=1", NULL, 1, NULL, {"--json: takes no value"}},
    {"an option given twice", "verify f --at a --at=b", NULL, 1, NULL, {"--at: given twice"}},
    {"no operand", "verify --json", NULL, 1, "\"code\":\"USAGE\"", {NULL}},
    {"one operand too many", "verify a b", NULL, 1, NULL, {"b: one operand too many"}},
    {"after -- everything is an operand", "verify -- --json", NULL, 1, NULL, {"--json: No such file"}},
    {"a time that is none", "verify f --at yesterday", NULL, 1, NULL, {"--at", "YYYY-MM-DDTHH:MM:SSZ"}},
    {"a missing file is a mistake of the caller", "verify {d}/nothing", NULL, 1, NULL, {"FILE", "/nothing: No such file"}},
    {"a folder is not evidence", "verify {d}", NULL, 1, NULL, {"Is a directory"}},
    {"missing endorsements", "verify {d}/td/quote.bin -e {d}/nothing", NULL, 1, NULL, {"--endorsements", "No such file"}},
    {"a missing policy", "verify {d}/td/quote.bin -p {d}/nothing", NULL, 1, NULL, {"--policy", "No such file"}},
    {"a policy that is no JSON", "verify {d}/td/quote.bin -p {d}/td/quote.bin", NULL, 1, NULL, {"CONFIGURATION policy"}},
    {"a policy with a misspelt member", "verify {d}/td/quote.bin -p {d}/misspelt.json", NULL, 1, NULL, {"CONFIGURATION mrdt", "mrtd"}},
    {"a policy of no kind", "verify {d}/td/quote.bin -p {d}/empty.json", NULL, 1, NULL, {"CONFIGURATION type"}},
    {"a policy and a kind", "verify {d}/td/quote.bin -p {d}/td/policy-tdx.json --kind tdx", NULL, 1, NULL, {"--kind"}},
    {"a kind that there is not", "verify {d}/td/quote.bin --kind snp", NULL, 1, NULL, {"--kind: wants tdx, sgx, sev_snp, tpm or nitro"}},
    {"a nonce without an exporter", "verify {d}/td/quote.bin --nonce 00", NULL, 1, NULL, {"--nonce", "together"}},
    {"two bindings", "verify {d}/td/quote.bin --report-data 00 --nonce 00 --ekm 00", NULL, 1, NULL, {"--report-data"}},
    {"report data that is no hex", "verify {d}/td/quote.bin --report-data 0g", NULL, 1, NULL, {"--report-data", "hex digits"}},
    {"report data that only a phone could hold", "verify {d}/td/quote.bin -e {d}/td/collateral.json --report-data " RD "00", NULL, 1, NULL, {"only evidence of phones"}},
    {"an exporter that is short", "verify {d}/td/quote.bin --nonce @{d}/td/nonce.hex --ekm 00", NULL, 1, NULL, {"--ekm: wants exactly 64"}},
    {"a leaf that is no certificate", "verify {d}/td/quote.bin --leaf {d}/td/quote.bin", NULL, 1, NULL, {"--leaf"}},
    {"a root that is no certificate", "verify {d}/td/quote.bin --root {d}/empty.json", NULL, 1, NULL, {"--root"}},
    {"a second event log", "verify {d}/td/response.json --event-log {d}/td/event_log.json", NULL, 1, NULL, {"--event-log"}},
    {"connect without a policy", "connect localhost", NULL, 1, NULL, {"--policy: required"}},
    {"an IPv6 address without brackets", "connect ::1 -p {d}/td/policy-tdx.json", NULL, 1, NULL, {"HOST:PORT", "brackets"}},
    {"a bracket that does not close", "connect [::1 -p x", NULL, 1, NULL, {"HOST:PORT"}},
    {"no host", "connect :443 -p x", NULL, 1, NULL, {"HOST:PORT"}},
    {"port 0", "connect localhost:0 -p x", NULL, 1, NULL, {"HOST:PORT", "1 to 65535"}},
    {"port 65536", "connect localhost:65536 -p x", NULL, 1, NULL, {"HOST:PORT"}},
    {"a pin that is none", "connect localhost --pin abc -p x", NULL, 1, NULL, {"--pin", "sha256//"}},
    {"a pin of 31 bytes", "connect localhost --pin sha256//AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg== -p x", NULL, 1, NULL, {"--pin"}},
    {"two identities", "connect localhost --cacert a --attested-only -p x", NULL, 1, NULL, {"one of --cacert"}},
    {"attested-only against the policy", "connect localhost --attested-only -p {d}/td/policy-tdx.json", NULL, 1, NULL, {"--attested-only", "policy"}},
    {"an empty protocol", "connect localhost --alpn a,,b -p x", NULL, 1, NULL, {"--alpn"}},
    {"no time at all", "connect localhost --timeout 0 -p x", NULL, 1, NULL, {"--timeout", "1 to 86400"}},
    {"a policy is read before any traffic", "connect 127.0.0.1:1 -p {d}/misspelt.json", NULL, 1, NULL, {"CONFIGURATION mrdt"}},
    {"sim does not overwrite", "sim {d}/td", NULL, 1, NULL, {"is not empty", "--force"}},
    {"sim of an unknown kind", "sim {d}/new --kind snp", NULL, 1, NULL, {"--kind"}},
    {"sim with a setting of no field", "sim {d}/new --set no.such=1", NULL, 1, NULL, {"CONFIGURATION no.such"}},
    {"sim has no server for enclaves", "sim {d}/new --kind sgx-v3 --serve 0", NULL, 1, NULL, {"--serve"}},
    {"--count needs --serve", "sim {d}/new --count 1", NULL, 1, NULL, {"--count: only with --serve"}},
    {"sim into no folder", "sim {d}/nothing/deep", NULL, 1, NULL, {"DIR", "No such file"}},
    {"--json, whatever is wrong", "verify --json --bogus", NULL, 1, "\"verdict\":\"undecided\"", {"!bogus"}},
    {"... and wherever it stands", "verify --bogus --json", NULL, 1, "\"field\":\"--bogus\"", {"!bogus"}},
    {"... of a peer", "connect --json", NULL, 1, "\"code\":\"USAGE\"", {NULL}},
    {"... but it is no operand", "verify --bogus -- --json", NULL, 1, NULL, {"--bogus"}},
    {"a URL where a peer belongs", "connect https://host.example/path -p x", NULL, 1, NULL, {"wants no URL: write host.example:443"}},
    {"a URL with a port", "connect https://host.example:8443 -p x", NULL, 1, NULL, {"wants no URL: write host.example:8443"}},
    {"demo takes no operand", "demo now", NULL, 1, NULL, {"now: one operand too many"}},
};

static const run_row verify_rows[] = {
    /* 0: accepted */
    {"everything checked: Verified", FULL, NULL, 0, NULL, {"Verified", "grade         exporter", "WARNING: the root"}},
    {"everything checked: what the policy leaves open is listed", FULL, NULL, 0, NULL, {"dcap.machine: ", "compose-hash", "!Accepted by the policy, but"}},
    {"a policy that leaves nothing open", BOUND "-p {d}/strict.json", NULL, 0, NULL, {"Verified", "nothing that this policy could have asked for"}},
    {"without the certificate its event is skipped", HALF " --nonce @{d}/td/nonce.hex --ekm @{d}/td/ekm.hex", NULL, 0, NULL, {"Accepted by the policy, but", "dstack.certificate_event: ", "!Verified"}},
    {"without a binding never Verified", TD " -p {d}/td/policy-tdx.json", NULL, 0, NULL, {"Accepted by the policy, but", "!Verified", "NOT checked"}},
    {"the page says which claims were compared", FULL, NULL, 0, NULL, {"as expected   mrtd, rtmr0, rtmr1, rtmr2, compose_hash, os_image_hash; nothing else"}},
    {"and which were not", TD " -p {d}/td/policy-tdx.json", NULL, 0, NULL, {"as expected   mrtd; nothing else was compared"}},
    {"without a binding it says so", TD " -p {d}/td/policy-tdx.json", NULL, 0, NULL, {"binding: no binding was given"}},
    {"report data as a binding", TD " -p {d}/td/policy-tdx.json --report-data " RD, NULL, 0, NULL, {"grade         report_data"}},
    {"report data in upper case from a file", TD " -p {d}/td/policy-tdx.json --report-data @{d}/upper.hex", NULL, 0, NULL, {"report_data"}},
    {"the root given apart, PEM", TD " --root {d}/td/root.pem", NULL, 0, NULL, {"NOTHING: the policy has no reference values", "SIMULATED OR TEST"}},
    {"the root given apart, DER, twice", TD " --root {d}/td/root.der --root {d}/sgx/root.pem", NULL, 0, NULL, {"UpToDate"}},
    {"endorsements in a folder", "verify {d}/td/quote.bin --root {d}/td/root.pem -e {d}/td/pcs " T, NULL, 0, NULL, {"UpToDate"}},
    {"a quote in hex with line breaks", "verify {d}/quote.hex --root {d}/td/root.pem -e {d}/td/collateral.json " T, NULL, 0, NULL, {"UpToDate"}},
    {"a quote on stdin", "verify - --root {d}/td/root.pem -e {d}/td/collateral.json " T, "td/quote.bin", 0, NULL, {"UpToDate"}},
    {"a response under a policy of kind tdx", "verify {d}/td/response.json -p {d}/td/policy-tdx.json -e {d}/td/collateral.json " T, NULL, 0, NULL, {"app-id"}},
    {"a quote and its event log", TD " -p {d}/td/policy-tdx.json --event-log {d}/td/event_log.json", NULL, 0, NULL, {"system-ready"}},
    {"a quote and its CCEL", "verify {d}/boot/quote.bin -p {d}/boot/policy-tdx.json -e {d}/boot/pcs --event-log {d}/boot/ccel.bin " T, NULL, 0, NULL, {"events        (", "of boot)"}},
    {"a CCEL that stops before the guest does", TD " -p {d}/td/policy-tdx.json --event-log {d}/td/ccel.bin", NULL, 2, NULL, {"RTMR_MISMATCH", "rtmr3"}},
    {"a version 5 quote", "verify {d}/td5/quote.bin -p {d}/td5/policy-tdx.json -e {d}/td5/collateral.json " T, NULL, 0, NULL, {"quote version 5"}},
    {"an enclave", "verify {d}/sgx/quote.bin -p {d}/sgx/policy-sgx.json -e {d}/sgx/collateral.json " T, NULL, 0, NULL, {"mrenclave", "Intel SGX"}},
    {"an enclave by kind", "verify {d}/sgx/quote.bin --kind=sgx --root {d}/sgx/root.der -e {d}/sgx/collateral.json " T, NULL, 0, NULL, {"mrsigner"}},
    {"--quiet keeps the warnings", FULL " --quiet", NULL, 0, NULL, {"WARNING: the root", "!Hardware"}},
    {"--verbose lists the checks", FULL " -v", NULL, 0, NULL, {"Checks", "pass           binding"}},
    {"no colour in a file", FULL, NULL, 0, NULL, {"!\x1b["}},
    {"a policy that weakens is named", TD " -p {d}/weak.json --root {d}/td/root.pem", NULL, 0, NULL, {"WARNING: the policy weakens a check: insecure_allow_debug", "!Verified"}},
    /* 2: malformed or forged */
    {"an empty file", "verify {d}/empty", NULL, 2, NULL, {"TRUNCATED FILE", "empty"}},
    {"a quote cut short", "verify {d}/cut.bin --root {d}/td/root.pem -e {d}/td/collateral.json " T, NULL, 2, NULL, {"QUOTE_FORMAT", "expected", "actual"}},
    {"a bit flipped after signing", "verify {d}/flipped.bin --root {d}/td/root.pem -e {d}/td/collateral.json " T, NULL, 2, NULL, {"QUOTE_SIGNATURE", "quote.auth.signature"}},
    {"another root", TD, NULL, 2, NULL, {"PCK_CHAIN"}},
    {"a response that is no response", "verify {d}/empty.json " T, NULL, 2, NULL, {"QUOTE"}},
    {"a forged event log", TD " -p {d}/td/policy-tdx.json --event-log {d}/forged.json", NULL, 2, NULL, {"EVENT_LOG_PARSE", "event_log["}},
    {"an event log of another machine", TD " -p {d}/td/policy-tdx.json --event-log {d}/other/event_log.json", NULL, 2, NULL, {"RTMR_MISMATCH"}},
    {"endorsements that are no endorsements", "verify {d}/td/quote.bin --root {d}/td/root.pem -e {d}/empty.json " T, NULL, 2, NULL, {"COLLATERAL_FORMAT"}},
    /* 4: genuine, but not what was asked for */
    {"another measurement: three lines", "verify {d}/other/quote.bin -p {d}/td/policy-tdx.json -e {d}/td/collateral.json " T, NULL, 4, NULL, {"Rejected: MEASUREMENT_MISMATCH", "  field     quote.body.mrtd\n  expected  ", "\n  actual    0bad"}},
    {"an enclave, and nobody says what is expected", "verify {d}/sgx/quote.bin --root {d}/sgx/root.pem -e {d}/sgx/collateral.json " T, NULL, 0, NULL, {"mrsigner"}},
    {"an enclave where a TD is wanted", "verify {d}/sgx/quote.bin --kind tdx --root {d}/sgx/root.pem -e {d}/sgx/collateral.json " T, NULL, 4, NULL, {"TEE_TYPE_MISMATCH"}},
    /* 5: endorsements */
    {"no endorsements: undecided, and a hint", "verify {d}/td/quote.bin --root {d}/td/root.pem " T, NULL, 5, NULL, {"Undecided: ENDORSEMENTS_MISSING", "hint: --endorsements"}},
    {"stale endorsements", "verify {d}/td/quote.bin --root {d}/td/root.pem -e {d}/td/collateral.json --at 2026-12-24T00:00:00Z", NULL, 5, NULL, {"EXPIRED", "2026-12-24T00:00:00Z"}},
    {"endorsements of the future", "verify {d}/td/quote.bin --root {d}/td/root.pem -e {d}/td/collateral.json --at 2026-06-01T00:00:00Z", NULL, 5, NULL, {"NOT_YET_VALID"}},
    /* 6: binding */
    {"other report data", TD " -p {d}/td/policy-tdx.json --report-data 01", NULL, 6, NULL, {"REPORT_DATA_MISMATCH", "  actual    ee4320eb"}},
    {"another nonce", HALF " --nonce @{d}/td/ekm.hex --ekm @{d}/td/ekm.hex", NULL, 6, NULL, {"REPORT_DATA_MISMATCH"}},
    {"another certificate", HALF " --nonce @{d}/td/nonce.hex --ekm @{d}/td/ekm.hex --leaf {d}/td/tls-ca.pem", NULL, 6, NULL, {"CERTIFICATE_NOT_IN_EVENT_LOG"}},
    {"a policy that wants a grade", TD " -p {d}/grade.json --root {d}/td/root.pem", NULL, 6, NULL, {"GRADE", "min_grade", "hint:"}},
    /* 7: revoked */
    {"a revoked platform", "verify {d}/revoked/quote.bin -p {d}/revoked/policy-tdx.json -e {d}/revoked/collateral.json " T, NULL, 7, NULL, {"REVOKED"}},
    /* 8: unsupported */
    {"a quote of version 9", "verify {d}/version9.bin --root {d}/td/root.pem -e {d}/td/collateral.json " T, NULL, 8, NULL, {"quote.header.version", "actual    9"}},
    /* 3: the network; the port of discard is not served on loopback */
    {"nobody listens", "connect 127.0.0.1:9 -p {d}/td/policy-tdx.json --timeout 5", NULL, 3, NULL, {"IO"}},
};

static const run_row inspect_rows[] = {
    {"a quote", "inspect {d}/td/quote.bin", NULL, 0, "UNVERIFIED: nothing below has been checked", {NULL}},
    {"a quote has its registers", "inspect {d}/td/quote.bin", NULL, 0, "rtmr", {NULL}},
    {"a response", "inspect {d}/td/response.json", NULL, 0, "UNVERIFIED", {NULL}},
    {"a bundle", "inspect {d}/td/collateral.json", NULL, 0, "UNVERIFIED", {NULL}},
    {"TCB info", "inspect {d}/td/pcs/tcb.body.json", NULL, 0, "UpToDate", {NULL}},
    {"a QE identity", "inspect {d}/td/pcs/qe_identity.body.json", NULL, 0, "UNVERIFIED", {NULL}},
    {"a revocation list", "inspect {d}/td/pcs/pckcrl.body.der", NULL, 0, "UNVERIFIED", {NULL}},
    {"a certificate chain", "inspect {d}/td/tls-chain.pem", NULL, 0, "localhost", {NULL}},
    {"an event log", "inspect {d}/td/event_log.json", NULL, 0, "compose-hash", {NULL}},
    {"a CCEL", "inspect {d}/td/ccel.bin", NULL, 0, "UNVERIFIED", {NULL}},
    {"stdin", "inspect -", "td/quote.bin", 0, "UNVERIFIED", {NULL}},
    {"JSON begins with unverified", "inspect --json {d}/td/quote.bin", NULL, 0, "{\"unverified\":true", {NULL}},
    {"what a peer wrote cannot reach the terminal", "inspect {d}/escape.json", NULL, 0, "\\x1b[31m", {NULL}},
    {"a quote cut short", "inspect {d}/cut.bin", NULL, 2, NULL, {"QUOTE_FORMAT"}},
    {"nothing that we know", "inspect {d}/version9.bin", NULL, 8, NULL, {"UNSUPPORTED"}},
    {"nothing at all", "inspect {d}/empty", NULL, 8, NULL, {"UNSUPPORTED"}},
    {"a missing file", "inspect {d}/nothing", NULL, 1, NULL, {"No such file"}},
};

#define V "{v}/dcap/"
static const run_row vector_rows[] = {
    {"a production TD", "verify " V "tdx-v4-b0c06f/quote-uptodate.bin -e " V "tdx-v4-b0c06f/collateral.json --at 2025-07-01T00:00:00Z", NULL, 0, NULL, {"UpToDate", "(production)", "!WARNING"}},
    {"a production TD of version 5", "verify " V "tdx-v5-90c06f/quote.bin -e " V "tdx-v5-90c06f/collateral.json --at 2026-03-01T00:00:00Z", NULL, 0, NULL, {"quote version 5"}},
    {"an enclave whose machine needs configuration", "verify " V "sgx-v3-processor/quote.bin --kind sgx -e " V "sgx-v3-processor/collateral.json --at 2025-07-01T00:00:00Z", NULL, 4, NULL, {"TCB_STATUS_NOT_ALLOWED", "ConfigurationAndSWHardeningNeeded"}},
    {"a TD that no TCB level covers", "verify " V "tdx-v4-spr-e4/quote.bin -e " V "tdx-v4-spr-e4/collateral.json --at 2023-07-01T01:00:00Z", NULL, 4, NULL, {"TCB_NOT_SUPPORTED"}},
    {"the same with the responses of the service", "verify " V "tdx-v4-spr-e4/quote.bin -e " V "tdx-v4-spr-e4/pcs --at 2023-07-01T01:00:00Z", NULL, 4, NULL, {"TCB_NOT_SUPPORTED"}},
    {"the same a week later", "verify " V "tdx-v4-spr-e4/quote.bin -e " V "tdx-v4-spr-e4/collateral.json --at 2023-07-10T01:00:00Z", NULL, 5, NULL, {"EXPIRED"}},
    {"an enclave under a test root", "verify " V "intel-sample-sgx-v3-type1/quote.bin --kind sgx --root " V "intel-sample-sgx-v3-type1/test-root-ca.der -e " V "intel-sample-sgx-v3-type1/collateral.json --at 2023-01-01T00:00:00Z", NULL, 0, NULL, {"WARNING: the root"}},
    {"a whole response of a guest", "verify " V "dstack-full-log/getquote.json -e " V "tdx-v5-90c06f/collateral.json --at 2026-03-01T00:00:00Z", NULL, 0, NULL, {"compose-hash", "key-provider"}},
    {"an iPhone's key, of an app from the sandbox", "verify {v}/apple/attestations/ios-14.2.cbor -p {d}/apple.json --report-data 7775727a656c7066726f7066 --at 2020-11-21T22:14:00Z", NULL, 0, NULL, {"Apple App Attest", "(production)", "sandbox"}},
    {"the same for another challenge", "verify {v}/apple/attestations/ios-14.2.cbor -p {d}/apple.json --report-data 66706f --at 2020-11-21T22:14:00Z", NULL, 6, NULL, {"APPLE_CHALLENGE", "x5c[0].nonce"}},
    {"the same ten minutes later", "verify {v}/apple/attestations/ios-14.2.cbor -p {d}/apple.json --at 2020-11-21T22:24:00Z", NULL, 6, NULL, {"APPLE_STATEMENT_TIME", "receipt.creationTime"}},
    {"the same without a policy", "verify {v}/apple/attestations/ios-14.2.cbor", NULL, 1, NULL, {"--policy", "names apps"}},
    {"inspect an attestation of App Attest", "inspect {v}/apple/attestations/ios-14.2.cbor", NULL, 0, "kind: apple_attestation", {NULL}},
    {"inspect a production quote", "inspect " V "tdx-v4-b0c06f/quote-uptodate.bin", NULL, 0, "UNVERIFIED", {NULL}},
    {"inspect a production log", "inspect " V "ccel-gcp-cos113/ccel.bin", NULL, 0, "UNVERIFIED", {NULL}},
};
/* clang-format on */

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

typedef struct json_row {
    const char *name;
    const char *line;
    int status;
    const char *members[4][2]; /* path, text */
} json_row;

static const json_row json_rows[] = {
    {"JSON of a yes",
     FULL " --json",
     0,
     {{"verdict", "accepted"}, {"grade", "exporter"}, {"tcb.status", "UpToDate"}, {"profile", "dstack"}}},
    {"JSON of a no",
     TD " -p {d}/td/policy-tdx.json --report-data 01 --json",
     6,
     {{"verdict", "rejected"}, {"error.code", "REPORT_DATA_MISMATCH"}, {"error.exit_status", "6"}, {"claims", "null"}}},
    {"JSON of what could not be found out",
     "verify {d}/td/quote.bin --root {d}/td/root.pem --json " T,
     5,
     {{"verdict", "undecided"}, {"error.code", "ENDORSEMENTS_MISSING"}}},
    {"JSON of a policy that is not valid",
     "verify {d}/td/quote.bin -p {d}/misspelt.json --json",
     1,
     {{"verdict", "undecided"}, {"error.code", "CONFIGURATION"}, {"error.field", "mrdt"}}},
    {"JSON of a response that cannot be decoded",
     "verify {d}/empty.json --json " T,
     2,
     {{"verdict", "rejected"}, {"error.exit_status", "2"}}},
    {"JSON of a server that is not there",
     "connect 127.0.0.1:9 -p {d}/td/policy-tdx.json --timeout 5 --json",
     3,
     {{"verdict", "undecided"}, {"error.code", "IO"}, {"error.retry", "true"}}},
};

static void test_json(void **state)
{
    const json_row *r = *state;
    atls_error err = {0};
    atls_arena a = {0};
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    run_output o = run(r->line, NULL);
    assert_int_equal(o.status, r->status);
    assert_string_equal(o.err, "");
    const atls_json *tree = run_json(&o, &a);
    assert_string_equal(run_json_text(tree, "schema", &a), "1");
    for (size_t i = 0; i < 4 && r->members[i][0] != NULL; i++) {
        assert_string_equal(run_json_text(tree, r->members[i][0], &a), r->members[i][1]);
    }
    run_free(&o);
    atls_arena_free(&a);
}

/* ---- the rooms and what is made of them -------------------------------------------------------------------------- */

static void must_run(const char *line)
{
    run_output o = run(line, NULL);
    if (o.status != 0) {
        fail_msg("%s: exit status %d\n%s", line, o.status, o.err);
    }
    run_free(&o);
}

static void make_hex(const char *quote, size_t len)
{
    char *hex = malloc(3 * len + 1);
    size_t n = 0;
    assert_non_null(hex);
    for (size_t i = 0; i < len; i++) {
        n += (size_t)snprintf(hex + n, 4, "%02X%s", (unsigned)(unsigned char)quote[i], i % 32 == 31 ? "\n" : "");
    }
    run_write("quote.hex", hex, n);
    free(hex);
}

static void make_bad_quotes(void)
{
    size_t len = 0;
    char *quote = run_read("td/quote.bin", &len);
    make_hex(quote, len);
    run_write("cut.bin", quote, 700);
    quote[200] = (char)(quote[200] ^ 1);
    run_write("flipped.bin", quote, len);
    quote[0] = 9;
    run_write("version9.bin", quote, len);
    free(quote);
}

/* The payload of one runtime event is changed, its digest is not. */
static void make_forged_log(void)
{
    static const char needle[] = "\"event\":\"storage-fs\",\"event_payload\":\"";
    size_t len = 0;
    char *log = run_read("td/event_log.json", &len);
    char *at = strstr(log, needle);
    assert_non_null(at);
    at[sizeof needle - 1] = at[sizeof needle - 1] == '7' ? '6' : '7';
    run_write("forged.json", log, len);
    free(log);
}

static void make_texts(void)
{
    static const char *const files[][2] = {
        {"empty", ""},
        {"empty.json", "{}"},
        {"misspelt.json", "{\"type\":\"tdx\",\"mrdt\":\"00\"}"},
        {"grade.json", "{\"type\":\"tdx\",\"min_grade\":\"exporter\"}"},
        {"apple.json", "{\"type\":\"apple_app_attest\",\"applications\":[{\"teamIdentifier\":\"6MURL8TA57\","
                       "\"bundleIdentifier\":\"de.vincent-haupert.apple-appattest-poc\",\"sandbox\":true}]}"},
        {"weak.json", "{\"type\":\"tdx\",\"insecure_allow_debug\":true}"},
        {"escape.json", "[{\"imr\":3,\"event_type\":134217729,\"digest\":\"\",\"event\":\"\\u001b[31mred\","
                        "\"event_payload\":\"\"}]"},
    };
    char upper[sizeof RD + 1] = RD "\n";
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        run_write(files[i][0], files[i][1], strlen(files[i][1]));
    }
    for (size_t i = 0; upper[i] != 0; i++) {
        upper[i] = (char)(upper[i] >= 'a' && upper[i] <= 'f' ? upper[i] - 'a' + 'A' : upper[i]);
    }
    run_write("upper.hex", upper, strlen(upper));
}

/* The honest policy, and everything that it leaves open: the machine is read from a yes. */
static void make_strict_policy(void)
{
    atls_error err = {0};
    atls_arena a = {0};
    char text[8192];
    size_t len = 0;
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    run_output o = run(FULL " --json", NULL);
    const char *ppid = run_json_text(run_json(&o, &a), "claims.pck.ppid", &a);
    char *policy = run_read("td/policy-dstack_tdx.json", &len);
    assert_true(len > 2 && policy[len - 1] == '}');
    int n = snprintf(text, sizeof text, "%.*s,\"machines\":\"%s\",\"accepted_advisories\":[],%s", (int)len - 1, policy,
                     ppid, "\"min_tcb_evaluation_data_number\":17}");
    assert_true(n > 0 && (size_t)n < sizeof text);
    run_write("strict.json", text, (size_t)n);
    free(policy);
    run_free(&o);
    atls_arena_free(&a);
}

static void test_rooms(void **state)
{
    (void)state;
    must_run("sim {d}/td " T);
    must_run("sim {d}/td5 --kind tdx-v5 " T);
    must_run("sim {d}/sgx -k sgx-v3 --seed another " T);
    must_run("sim {d}/boot --set log.runtime=none " T);
    must_run("sim {d}/revoked --set crl.pck.revoked=pck " T);
    must_run("sim {d}/other --set td.mrtd=0bad --set log.storage-fs=00 " T);
    make_bad_quotes();
    make_forged_log();
    make_texts();
    make_strict_policy();
}

/* ---- sim and demo ------------------------------------------------------------------------------------------------ */

static void same_file(const char *a, const char *b)
{
    size_t la = 0, lb = 0;
    char *ta = run_read(a, &la), *tb = run_read(b, &lb);
    assert_int_equal(la, lb);
    assert_memory_equal(ta, tb, la);
    free(ta);
    free(tb);
}

static void test_sim_repeats(void **state)
{
    (void)state;
    must_run("sim {d}/again " T);
    same_file("td/quote.bin", "again/quote.bin");
    same_file("td/collateral.json", "again/collateral.json");
    same_file("td/tls-key.pem", "again/tls-key.pem");
}

static void test_sim_force(void **state)
{
    (void)state;
    must_run("sim {d}/forced " T " --report-data " RD);
    must_run("sim {d}/forced --force --seed another " T);
    must_run("verify {d}/forced/quote.bin -p {d}/forced/policy-tdx.json -e {d}/forced/collateral.json " T);
}

static void test_demo(void **state)
{
    const char *verbose = *state;
    run_output o = run(verbose, NULL);
    if (o.status != 0) {
        fail_msg("exit status %d:\n%s%s", o.status, o.out, o.err);
    }
    run_holds("stdout", o.out, "Verified");
    run_holds("stdout", o.out, "received: hello");
    run_holds("stdout", o.out, "1 accepted, 7 refused");
    run_holds("stdout", o.out, "enrolment: a certificate for org.example.app, key in TRUSTED_ENVIRONMENT");
    run_holds("stdout", o.out, "received:  hello from a phone");
    run_holds("stdout", o.out, "1 phone enrolled and was let in; 1 must not enrol; 1 client was not let in.");
    run_free(&o);
}

/* Two runs say the same, so that a page of documentation can show one. */
static size_t count_files(const char *folder)
{
    size_t n = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(d);
    return n;
}

/* Interrupted, it ends by the signal, and leaves nothing behind. */
static void test_demo_interrupted(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM};
    (void)state;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        char folder[300];
        (void)snprintf(folder, sizeof folder, "%s/tmp%zu", place.folder, i);
        assert_int_equal(mkdir(folder, 0700), 0);
        assert_int_equal(setenv("TMPDIR", folder, 1), 0);
        const pid_t pid = run_start("demo", "interrupted");
        for (unsigned turn = 0; turn < 2000 && count_files(folder) == 0; turn++) {
            const struct timespec pause = {.tv_nsec = 5000000};
            (void)nanosleep(&pause, NULL);
        }
        assert_int_equal(count_files(folder), 1);
        assert_int_equal(kill(pid, signals[i]), 0);
        assert_int_equal(run_wait(pid), -1);
        assert_int_equal(count_files(folder), 0);
        assert_int_equal(rmdir(folder), 0);
        assert_int_equal(unsetenv("TMPDIR"), 0);
    }
}

static void test_demo_repeats(void **state)
{
    (void)state;
    run_output first = run("demo", NULL), second = run("demo", NULL);
    assert_string_equal(first.out, second.out);
    run_free(&first);
    run_free(&second);
}

/* A closed standard descriptor is no place where the next file or socket may land, and no success either. */
typedef struct closed_row {
    const char *name;
    const char *line;
    int closed;
    int status;
    const char *err;
} closed_row;

/* clang-format off */
static const closed_row closed_rows[] = {
    {"closed stdout: nobody got the verdict", FULL " --json", RUN_STDOUT, 3, "IO stdout"},
    {"closed stdin: it cannot be read", "verify - " T, RUN_STDIN, 1, "standard input"},
    {"closed stderr: the verdict stands", FULL, RUN_STDERR, 0, ""},
    {"closed stderr: the refusal stands", "verify {d}/td/quote.bin " T, RUN_STDERR, 5, ""},
    {"all closed: files hold what was written to them", "sim {d}/closed -f --at 2026-06-15T12:00:00Z", RUN_STDIN | RUN_STDOUT | RUN_STDERR, 0, ""},
};
/* clang-format on */

static void test_closed(void **state)
{
    const closed_row *r = *state;
    run_output o = run_closed(r->line, r->closed);
    assert_int_equal(o.status, r->status);
    run_holds("stderr", o.err, r->err);
    run_free(&o);
    if (strncmp(r->line, "sim ", 4) == 0) {
        o = run("verify {d}/closed/quote.bin -e {d}/closed/collateral.json --root {d}/closed/root.pem " T, NULL);
        assert_int_equal(o.status, 0);
        run_free(&o);
    }
}

#define ADD_ROWS(list, rows, fn)                                                                                       \
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {                                                        \
        tap_add(list, rows[i].name, fn, &rows[i]);                                                                     \
    }

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_cli [PROGRAM]\n");
        return 1;
    }
    tap_add(&tests, "sim writes the rooms that the rest needs", test_rooms, NULL);
    ADD_ROWS(&tests, usage_rows, run_row_test)
    ADD_ROWS(&tests, verify_rows, run_row_test)
    ADD_ROWS(&tests, inspect_rows, run_row_test)
    ADD_ROWS(&tests, vector_rows, run_row_test)
    ADD_ROWS(&tests, json_rows, test_json)
    ADD_ROWS(&tests, closed_rows, test_closed)
    tap_add(&tests, "sim: the same options give the same bytes", test_sim_repeats, NULL);
    tap_add(&tests, "sim --force overwrites, and the room is whole", test_sim_force, NULL);
    tap_add(&tests, "demo: the honest server is accepted, the cheats are not", test_demo, "demo");
    tap_add(&tests, "demo --verbose: the same with whole pages", test_demo, "demo --verbose");
    tap_add(&tests, "demo: interrupted", test_demo_interrupted, NULL);
    tap_add(&tests, "demo: two runs print the same", test_demo_repeats, NULL);
    int failed = tap_run("cli", &tests);
    run_end();
    return failed;
}
