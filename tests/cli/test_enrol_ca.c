/* SPDX-License-Identifier: Apache-2.0 */
/* test_enrol_ca.c: atls enrol ca as a black box. The rows go on from each other: the first makes the CA. */
#include <sys/stat.h>

#include "run.h"

static const run_row rows[] = {
    {"no verb", "enrol", NULL, 1, NULL, {"usage: atls enrol VERB"}},
    {"help", "enrol --help", NULL, 0, "ca ", {NULL}},
    {"an unknown verb", "enrol cb", NULL, 1, NULL, {"did you mean ca?"}},
    {"no verb of ca", "enrol ca", NULL, 1, NULL, {"usage: atls enrol ca VERB"}},
    {"help of ca", "enrol ca --help", NULL, 0, "init", {NULL}},
    {"an unknown verb of ca", "enrol ca inti", NULL, 1, NULL, {"did you mean init?"}},
    {"help of init", "enrol ca init --help", NULL, 0, "--no-intermediate", {NULL}},
    {"init without a folder", "enrol ca init", NULL, 1, NULL, {"USAGE --dir"}},
    {"a curve that is none", "enrol ca init --dir {d}/x --curve P-521", NULL, 1, NULL, {"USAGE --curve"}},
    {"days that are none", "enrol ca init --dir {d}/x --days 0", NULL, 1, NULL, {"USAGE --days"}},
    {"a subject that is none", "enrol ca init --dir {d}/ca --subject Example", NULL, 1, NULL, {"USAGE subject"}},
    {"nothing was made", "enrol ca show --dir {d}/ca", NULL, 1, NULL, {"CONFIGURATION ca.chain"}},
    {"init",
     "enrol ca init --dir {d}/ca --subject CN=Example,O=Phones --days 20 --issuer-days 9 --curve P-384",
     NULL,
     0,
     NULL,
     {"made a CA in", "root.key.pem"}},
    {"init again", "enrol ca init --dir {d}/ca", NULL, 1, NULL, {"is there, and is not overwritten"}},
    {"show", "enrol ca show --dir {d}/ca", NULL, 0, "CN=Example, O=Phones, OU=issuer", {NULL}},
    {"the root too", "enrol ca show --dir {d}/ca", NULL, 0, "CN=Example, O=Phones\n", {NULL}},
    {"days", "enrol ca show --dir {d}/ca", NULL, 0, "days left    ", {NULL}},
    {"show in 2000",
     "enrol ca show --dir {d}/ca --at 2000-01-01T00:00:00Z",
     NULL,
     5,
     NULL,
     {"NOT_YET_VALID ca.chain[1]"}},
    {"show without a folder", "enrol ca show", NULL, 1, NULL, {"USAGE --dir"}},
    {"another key", "enrol ca show --dir {d}/ca --key {d}/ca/root.key.pem", NULL, 1, NULL, {"CONFIGURATION ca.key"}},
    {"a token that is none", "enrol ca show --dir {d}/ca --key pkcs11:object=a", NULL, 1, NULL, {"module-path"}},
    {"a list", "enrol ca crl --dir {d}/ca --revoked - --output -", "serials", 0, "BEGIN X509 CRL", {NULL}},
    {"a list in a file", "enrol ca crl --dir {d}/ca --revoked {d}/serials --output {d}/list", NULL, 0, NULL, {NULL}},
    {"which can be shown", "inspect {d}/list", NULL, 0, "Example", {NULL}},
    {"of numbers that are none", "enrol ca crl --dir {d}/ca --revoked {d}/bad --output -", NULL, 1, NULL, {"line 3"}},
    {"no list of numbers", "enrol ca crl --dir {d}/ca --output -", NULL, 1, NULL, {"USAGE --revoked"}},
    {"no output", "enrol ca crl --dir {d}/ca --revoked {d}/bad", NULL, 1, NULL, {"USAGE --output"}},
    {"a root alone",
     "enrol ca init --dir {d}/alone --no-intermediate",
     NULL,
     0,
     NULL,
     {"made a CA in", "!root.key.pem"}},
    {"is shown", "enrol ca show --dir {d}/alone", NULL, 0, "CN=atls enrolment CA\n", {NULL}},
    {"without an issuer", "enrol ca show --dir {d}/alone", NULL, 0, "!OU=issuer", {NULL}},
    {"keys under a passphrase",
     "enrol ca init --dir {d}/locked --passphrase-file {d}/word",
     NULL,
     0,
     NULL,
     {"made a CA in"}},
    {"which is needed", "enrol ca show --dir {d}/locked", NULL, 1, NULL, {"CONFIGURATION ca.passphrase"}},
    {"and opens them", "enrol ca show --dir {d}/locked --passphrase-file {d}/word", NULL, 0, "file", {NULL}},
};

static void put(const char *name, const char *text, mode_t mode)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", place.folder, name);
    FILE *f = fopen(path, "w");
    assert_true(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0);
}

int main(int argc, char *argv[])
{
    tap_list l = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    put("serials", "# lost\n00ff01\n\n  0123456789abcdef0123456789abcdef01234567 # twenty bytes\r\n", 0644);
    put("bad", "01\n02\nxyz\n", 0644);
    put("word", "correct horse\n", 0600);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row_test, &rows[i]);
    }
    const int failed = tap_run("enrol_ca", &l);
    run_end();
    return failed;
}
