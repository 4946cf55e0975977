/* SPDX-License-Identifier: Apache-2.0 */
/* test_bridge.c: the bridge as two commands: atls sim --serve --client-policy, and atls connect --cert --key. And what atls
 * enrol request says where no service is asked. */
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "enrol/authority.h"
#include "run.h"

#define T "--at 2026-06-15T12:00:00Z"
#define BASE                                                                                                           \
    "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/collateral.json " T                                       \
    " --timeout 20 --cacert {d}/srv/tls-ca.pem -p {d}/srv/policy-dstack_tdx.json "
#define PHONE(name) "--cert {d}/" name ".pem --key {d}/phone.key"
#define REQUEST     "enrol request "

/* clang-format off */
static const run_row rows[] = {
    {"an enrolled phone: what goes in comes out", BASE PHONE("good"), "hello.txt", 0, "=", {"Verified", "grade         session", "profile       atls/1"}},
    {"no certificate: no byte crosses", BASE, "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"another app", BASE PHONE("other-app"), "hello.txt", 3, NULL, {"PEER_REFUSED", "!Verified"}},
    {"a key in software", BASE PHONE("software"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"no extension", BASE PHONE("plain"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"expired", BASE PHONE("expired"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"a server's certificate", BASE PHONE("server"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"another authority", BASE PHONE("other-ca"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"a key of another certificate", BASE "--cert {d}/good.pem --key {d}/other.key", "hello.txt", 1, NULL, {"CONFIGURATION private_key_file"}},
    {"a certificate without a key", BASE "--cert {d}/good.pem", "hello.txt", 1, NULL, {"--key"}},
    {"a key without a certificate", BASE "--key {d}/phone.key", "hello.txt", 1, NULL, {"--cert"}},
    {"a certificate that is not there", BASE "--cert {d}/nothing --key {d}/phone.key", "hello.txt", 1, NULL, {"--cert", "No such file"}},
    {"a policy for clients without a server", "sim {d}/x --client-policy {d}/clients.json", NULL, 1, NULL, {"--client-policy", "only with --serve"}},
    {"lists for clients without a policy", "sim {d}/x --serve 0 --client-endorsements {d}/good.pem", NULL, 1, NULL, {"--client-endorsements"}},
    {"a root for clients without a policy", "sim {d}/x --serve 0 --client-root {d}/good.pem", NULL, 1, NULL, {"--client-root"}},
    {"recordings of clients without a policy", "sim {d}/x --serve 0 --record {d}/x.atlsrec", NULL, 1, NULL, {"--record", "only with --client-policy"}},
    {"a policy for clients that is none", "sim {d}/x --serve 0 --client-policy {d}/hello.txt", NULL, 1, NULL, {"!listening"}},
    /* enrol request */
    {"an Android phone's policy", REQUEST "--phone android --print-policy", NULL, 0, "{\"type\":\"android_key\",\"applications\":[{\"packageName\":\"org.example.app\"", {NULL}},
    {"an iPhone's", REQUEST "--phone apple --print-policy", NULL, 0, "\"type\":\"apple_app_attest\"", {NULL}},
    {"an Android phone's list", REQUEST "--phone android --print-status", NULL, 0, "{\"entries\":{}}", {NULL}},
    {"an iPhone has none", REQUEST "--phone apple --print-status", NULL, 1, NULL, {"--print-status"}},
    {"a setting that names nothing", REQUEST "--phone android --print-policy --set nothing=1", NULL, 1, NULL, {"CONFIGURATION nothing"}},
    {"no phone", REQUEST "http://localhost:1/", NULL, 1, NULL, {"--phone"}},
    {"another phone", REQUEST "--phone palm http://localhost:1/", NULL, 1, NULL, {"--phone: wants android or apple"}},
    {"no address", REQUEST "--phone apple", NULL, 1, NULL, {"URL"}},
    {"an address where none is wanted", REQUEST "--phone apple --print-policy http://localhost:1/", NULL, 1, NULL, {"URL"}},
    {"http to another machine", REQUEST "--phone apple http://192.0.2.1/ -o {d}/new", NULL, 1, NULL, {"CONFIGURATION url"}},
    {"nobody is there", REQUEST "--phone apple http://localhost:1/ -o {d}/new", NULL, 3, NULL, {"IO"}},
    {"an authority that is not there", REQUEST "--phone apple --ca {d}/nothing https://localhost:1/ -o {d}/new", NULL, 1, NULL, {"--ca", "No such file"}},
    {"files that are in the way", REQUEST "--phone apple http://localhost:1/ -o {d}/there", NULL, 1, NULL, {"there-key.pem is there already", "--force"}},
    {"a folder that is in the way", REQUEST "--phone apple http://localhost:1/ -o {d}/taken --force", NULL, 1, NULL, {"taken-chain.pem is there already, and is no file"}},
    {"a verb that is none", "enrol requst", NULL, 1, NULL, {"did you mean request?"}},
};
/* Both ends of one session were recorded: what the enclave said of the phone's certificate, and the phone of the enclave's evidence.
 * Each comes out again, to the last byte, by a process that has seen neither. */
static const run_row recorded[] = {
    {"a session that is recorded", BASE PHONE("good") " --record {d}/phone.atlsrec", "hello.txt", 0, "=", {"Verified", "recorded: "}},
    {"replayed: the enclave's yes", "replay {d}/last.atlsrec", NULL, 0, NULL, {"reproduced, byte for byte: accepted", "grade         key"}},
    {"replayed: its JSON", "replay --json {d}/last.atlsrec", NULL, 0, "\"app\":\"" AUTHORITY_APP "\"", {NULL}},
    {"replayed: the phone's yes", "replay {d}/phone.atlsrec", NULL, 0, NULL, {"reproduced, byte for byte: accepted", "grade         session"}},
    {"replayed: when the certificate is over", "replay --at 2026-07-15T12:00:00Z {d}/last.atlsrec", NULL, 5, NULL, {"WHAT IF", "Rejected: EXPIRED", "!reproduced"}},
    {"a client that is refused is recorded, too", BASE PHONE("other-app"), "hello.txt", 3, NULL, {"PEER_REFUSED"}},
    {"replayed: the enclave's no", "replay {d}/last.atlsrec", NULL, 0, NULL, {"reproduced, byte for byte: rejected", "Rejected: ENROLLED_APPLICATION", "!accepted"}},
};
/* clang-format on */

static pid_t server;

static void make_folder(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", place.folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void write_bytes(const char *name, atls_bytes data)
{
    run_write(name, data.ptr, data.len);
}

static void write_chain(const char *name, const authority *a, const cert_plan *plan, atls_arena *arena)
{
    const atls_bytes ders[] = {authority_cert(plan, arena), authority_cert(&a->ca, arena)};
    write_bytes(name, authority_pem(ders, 2, arena));
}

static void write_phones(const authority *a, atls_arena *arena)
{
    cert_plan p = a->phone;
    write_chain("good.pem", a, &p, arena);
    p.attested.app = atls_bytes_str("org.example.other");
    write_chain("other-app.pem", a, &p, arena);
    p = a->phone;
    p.attested.security_level = "SOFTWARE";
    write_chain("software.pem", a, &p, arena);
    p = a->phone;
    p.has_attested = false;
    write_chain("plain.pem", a, &p, arena);
    p = a->phone;
    p.until_s = -1;
    write_chain("expired.pem", a, &p, arena);
    p = a->phone;
    p.extended = "serverAuth";
    write_chain("server.pem", a, &p, arena);
    p = a->phone;
    p.signer = a->other_key;
    write_chain("other-ca.pem", a, &p, arena);
}

static void write_policy(const authority *a, atls_arena *arena)
{
    char text[8192];
    const atls_bytes root = authority_cert(&a->root, arena);
    const atls_bytes pem = authority_pem(&root, 1, arena);
    size_t n = (size_t)snprintf(text, sizeof text, "{\"type\":\"enrolled_key\",\"trusted_roots\":[\"");
    for (size_t i = 0; i < pem.len; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, pem.ptr[i] == '\n' ? "\\n" : "%c", pem.ptr[i]);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "\"],\"applications\":[\"" AUTHORITY_APP "\"]}");
    run_write("clients.json", text, n);
}

static void test_start(void **state)
{
    authority a;
    atls_arena arena;
    atls_error err = {0};
    (void)state;
    assert_true(atls_arena_new(&arena, (size_t)4 * 1024 * 1024, &err));
    authority_open(&a);
    write_phones(&a, &arena);
    write_policy(&a, &arena);
    write_bytes("phone.key", authority_key_pem(a.phone_key, &arena));
    write_bytes("other.key", authority_key_pem(a.other_key, &arena));
    run_write("hello.txt", "hello\nworld\n", 12);
    run_write("there-key.pem", "mine", 4);
    make_folder("taken-chain.pem");
    authority_close(&a);
    atls_arena_free(&arena);
    server = run_start(
        "sim {d}/srv --serve 0 --seconds 500 --client-policy {d}/clients.json --record {d}/last.atlsrec " T, "srv");
    run_wait_port("srv.out");
}

/* The server says who came, and why others did not. */
static void test_server_says(void **state)
{
    (void)state;
    char *text = run_read("srv.err", NULL);
    run_holds("stderr of the server", text,
              "client: " AUTHORITY_APP
              " on android, key in TRUSTED_ENVIRONMENT, enrolled by CN=enrolment CA (grade key)");
    run_holds("stderr of the server", text, "MISSING_CERTIFICATE client.certificate");
    run_holds("stderr of the server", text, "ENROLLED_APPLICATION chain[0].attested_key.app");
    run_holds("stderr of the server", text, "ENROLLED_SECURITY_LEVEL");
    run_holds("stderr of the server", text, "ENROLLED_EXTENSION");
    run_holds("stderr of the server", text, "EXPIRED chain[0].not_after");
    run_holds("stderr of the server", text, "CERTIFICATE_CHAIN chain[0].extended_key_usage");
    run_holds("stderr of the server", text, "CERTIFICATE_CHAIN chain[0].signature");
    free(text);
}

static void test_stop(void **state)
{
    (void)state;
    assert_int_equal(kill(server, SIGTERM), 0);
    (void)run_wait(server);
}

int main(int argc, char *argv[])
{
    tap_list l = {0};
    if (!run_begin(argc, argv)) {
        return 1;
    }
    tap_add(&l, "a server that asks for enrolled keys", test_start, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, run_row_test, &rows[i]);
    }
    for (size_t i = 0; i < sizeof recorded / sizeof recorded[0]; i++) {
        tap_add(&l, recorded[i].name, run_row_test, &recorded[i]);
    }
    tap_add(&l, "the server says who came", test_server_says, NULL);
    tap_add(&l, "the end", test_stop, NULL);
    const int failed = tap_run("bridge", &l);
    run_end();
    return failed;
}
