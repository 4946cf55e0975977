/* SPDX-License-Identifier: Apache-2.0 */
/* test_phones.c: atls verify for a phone's evidence, as its owner has it: certificates, an attestation with its client data, a statement
 * of enrolment. All of it is printed by atls enrol request, as the rows go. */
#include "run.h"

#define NONCE   "00112233445566778899aabbccddeeff"
#define PRINT   "enrol request --at 2026-06-15T12:00:00Z --phone "
#define T       " --at 2026-06-15T12:00:00Z "
#define ANDROID T "-p {d}/android.json -e {d}/status.json "
#define APPLE   T "-p {d}/apple.json "

/* What is written to files first. */
static const struct {
    const char *line;
    const char *name;
} files[] = {
    {PRINT "android --print-policy", "android.json"},
    {PRINT "android --print-status", "status.json"},
    {PRINT "android --print-evidence --nonce " NONCE, "chain.pem"},
    {PRINT "android --print-statement --nonce " NONCE, "android_statement.json"},
    {PRINT "apple --print-policy", "apple.json"},
    {PRINT "apple --print-evidence --nonce " NONCE, "attestation.hex"},
    {PRINT "apple --print-client-data --nonce " NONCE, "client_data.json"},
    {PRINT "apple --print-statement --nonce " NONCE, "apple_statement.json"},
};

/* clang-format off */
static const run_row rows[] = {
    {"certificates", "verify {d}/chain.pem" ANDROID "--nonce " NONCE, NULL, 0, NULL, {"package_name  org.example.app", "report data   " NONCE, "!challenge: "}},
    {"their nonce as report data", "verify {d}/chain.pem" ANDROID "--report-data " NONCE, NULL, 0, NULL, {"report data   " NONCE}},
    {"another nonce", "verify {d}/chain.pem" ANDROID "--nonce " NONCE "00", NULL, 6, NULL, {"ANDROID_CHALLENGE", "attestationChallenge"}},
    {"the beginning of the nonce", "verify {d}/chain.pem" ANDROID "--nonce 0011", NULL, 6, NULL, {"ANDROID_CHALLENGE"}},
    {"no nonce: accepted, and it is said what was not checked", "verify {d}/chain.pem" ANDROID, NULL, 0, NULL, {"NOT checked", "android.challenge"}},
    {"no list", "verify {d}/chain.pem" T "-p {d}/android.json --nonce " NONCE, NULL, 5, NULL, {"ANDROID_LIST_UNAVAILABLE", "hint: --endorsements FILE names Google's status list"}},
    {"no policy", "verify {d}/chain.pem" T "--nonce " NONCE, NULL, 1, NULL, {"--policy: a phone's key"}},
    {"a statement of Android", "verify {d}/android_statement.json" ANDROID "--nonce " NONCE, NULL, 0, NULL, {"package_name  org.example.app", "report data   " NONCE}},
    {"its nonce", "verify {d}/android_statement.json" ANDROID "--nonce 00", NULL, 6, NULL, {"ANDROID_CHALLENGE"}},
    {"client data of Android", "verify {d}/chain.pem" ANDROID "--client-data {d}/client_data.json", NULL, 1, NULL, {"--client-data: only App Attest"}},
    {"an attestation", "verify {d}/attestation.hex" APPLE "--client-data {d}/client_data.json --nonce " NONCE, NULL, 0, NULL, {"app_id        0123456789.test.sim.app", "grade         report_data"}},
    {"client data alone", "verify {d}/attestation.hex" APPLE "--client-data {d}/client_data.json", NULL, 0, NULL, {"grade         report_data"}},
    {"other client data", "verify {d}/attestation.hex" APPLE "--client-data {d}/status.json", NULL, 6, NULL, {"APPLE_CHALLENGE", "x5c[0].nonce"}},
    {"client data for another nonce", "verify {d}/attestation.hex" APPLE "--client-data {d}/client_data.json --nonce 00", NULL, 6, NULL, {"APPLE_CHALLENGE clientDataJSON.challenge"}},
    {"a nonce that is not the client data", "verify {d}/attestation.hex" APPLE "--nonce " NONCE, NULL, 6, NULL, {"APPLE_CHALLENGE", "x5c[0].nonce"}},
    {"neither", "verify {d}/attestation.hex" APPLE, NULL, 0, NULL, {"NOT checked", "apple.nonce"}},
    {"no client data in the file", "verify {d}/attestation.hex" APPLE "--client-data {d}/empty", NULL, 1, NULL, {"--client-data: the file is empty"}},
    {"no such file", "verify {d}/attestation.hex" APPLE "--client-data {d}/none", NULL, 1, NULL, {"--client-data"}},
    {"report data and client data", "verify {d}/attestation.hex" APPLE "--client-data {d}/client_data.json --report-data 00", NULL, 1, NULL, {"--client-data: goes with --nonce"}},
    {"a statement of an iPhone", "verify {d}/apple_statement.json" APPLE "--nonce " NONCE, NULL, 0, NULL, {"app_id        0123456789.test.sim.app", "grade         report_data"}},
    {"its nonce, too", "verify {d}/apple_statement.json" APPLE "--nonce 00", NULL, 6, NULL, {"APPLE_CHALLENGE clientDataJSON.challenge"}},
    {"without a nonce it binds nothing", "verify {d}/apple_statement.json" APPLE, NULL, 0, NULL, {"NOT checked", "apple.nonce", "!grade         report_data"}},
    {"client data twice", "verify {d}/apple_statement.json" APPLE "--client-data {d}/client_data.json", NULL, 1, NULL, {"has client data already"}},
    {"a statement by the other policy", "verify {d}/apple_statement.json" ANDROID "--nonce " NONCE, NULL, 2, NULL, {"!Verified"}},
    {"and the other way round", "verify {d}/android_statement.json" APPLE "--nonce " NONCE, NULL, 2, NULL, {"!Verified"}},
    {"a statement of nobody known", "verify {d}/palm.json" ANDROID "--nonce " NONCE, NULL, 8, NULL, {"UNSUPPORTED statement.typ"}},
    {"a statement without certificates", "verify {d}/bare.json" ANDROID "--nonce " NONCE, NULL, 2, NULL, {"statement.x5c"}},
    {"a nonce alone is a phone's", "verify {d}/chain.pem" T "--kind tdx --nonce " NONCE, NULL, 1, NULL, {"--nonce", "together"}},
    {"client data are a phone's", "verify {d}/chain.pem" T "--kind tdx --client-data {d}/client_data.json", NULL, 1, NULL, {"--client-data: only App Attest"}},
    {"printed: two things", PRINT "android --print-policy --print-statement --nonce 00", NULL, 1, NULL, {"one thing at a time"}},
    {"printed: for no nonce", PRINT "android --print-statement", NULL, 1, NULL, {"--nonce: goes with"}},
    {"printed: a nonce for nothing", PRINT "android --print-policy --nonce 00", NULL, 1, NULL, {"--nonce: goes with"}},
    {"printed: a nonce for a server", PRINT "android --nonce 00 http://localhost:1/", NULL, 1, NULL, {"--nonce: goes with"}},
    {"printed: for a server", PRINT "android --print-evidence --nonce 00 http://localhost:1/", NULL, 1, NULL, {"no URL"}},
    {"printed: Android's client data", PRINT "android --print-client-data --nonce 00", NULL, 1, NULL, {"only App Attest"}},
    {"a real phone", "verify {v}/android/chains/akita-sdk34-tee-ec.pem -p {d}/google.json -e {d}/status.json --nonce 00", NULL, 4, NULL, {"ANDROID_PACKAGE_NAME", "!SIMULATED"}},
    {"a real iPhone", "verify {v}/apple/attestations/ios-14.4-beta-2.cbor -p {d}/real.json --at 2021-01-20T00:00:00Z --client-data {v}/apple/client-data/ios-14.4-beta-2.bin", NULL, 4, NULL, {"APPLE_IDENTIFIER", "!SIMULATED"}},
};
/* clang-format on */

static void test_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        run_output o = run(files[i].line, NULL);
        assert_int_equal(o.status, 0);
        assert_string_equal(o.err, "");
        run_write(files[i].name, o.out, o.out_len);
        run_free(&o);
    }
    run_write("empty", "", 0);
    const char palm[] = "{\"typ\":\"palm\"}";
    run_write("palm.json", palm, sizeof palm - 1);
    const char bare[] = "{\"typ\":\"android-key\",\"x5c\":[]}";
    run_write("bare.json", bare, sizeof bare - 1);
    const char google[] =
        "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"org.example.app\",\"signatureDigests\":"
        "[\"5e9a064cb718a4fd5853a629c60578452e92d02a804e92cccdfb97fa1082a4be\"]}]}";
    run_write("google.json", google, sizeof google - 1);
    const char real[] = "{\"type\":\"apple_app_attest\",\"applications\":[{\"teamIdentifier\":\"0123456789\","
                        "\"bundleIdentifier\":\"test.sim.app\"}]}";
    run_write("real.json", real, sizeof real - 1);
}

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    tap_add(&tests, "what the phones print", test_files, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    const int failed = tap_run("phones", &tests);
    run_end();
    return failed;
}
