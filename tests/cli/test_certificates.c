/* SPDX-License-Identifier: Apache-2.0 */
/* test_certificates.c: attestation formats in certificates, as people see them: atls inspect of a file, and atls connect
 * --showcerts against a server whose certificate carries evidence, and which is refused. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/cert.h"
#include "run.h"
#include "verify/certificates.h"

#define T "--at 2026-06-15T12:00:00Z"

static lab bench;
static atls_bytes attested; /* with evidence; bench.key is its key */
static atls_bytes plain;
static pid_t server;

/* ---- inspect ----------------------------------------------------------------------------------------------------- */

/* clang-format off */
static const run_row inspect_rows[] = {
    {"a certificate begins with the word", "inspect {d}/attested.der", NULL, 0, "UNVERIFIED: nothing below has been checked", {NULL}},
    {"evidence is named, and called what it is", "inspect {d}/attested.der", NULL, 0, "status: recognised, not verified\n        format: Constellation qemu-tdx (not verified)\n", {NULL}},
    {"its grade at best", "inspect {d}/attested.der", NULL, 0, "grade_at_best: key_fresh (not verified)", {NULL}},
    {"the profile that verifies it", "inspect {d}/attested.der", NULL, 0, "session_profile: constellation (not verified)", {NULL}},
    {"the quote within", "inspect {d}/attested.der", NULL, 0, "trailing_len: 0 (not verified)", {NULL}},
    {"the certificate's own fields", "inspect {d}/attested.der", NULL, 0, "subject: CN=Constellation\n", {NULL}},
    {"every extension", "inspect {d}/attested.der", NULL, 0, "name: basicConstraints\n        critical: true\n        length: 2\n        first_bytes: 3000\n", {NULL}},
    {"as PEM", "inspect {d}/attested.pem", NULL, 0, "format: Constellation qemu-tdx (not verified)", {NULL}},
    {"as PEM on stdin", "inspect -", "attested.pem", 0, "format: Constellation qemu-tdx (not verified)", {NULL}},
    {"as JSON", "inspect --json {d}/attested.pem", NULL, 0, "\"recognised\":[{\"status\":\"recognised, not verified\",\"format\":\"Constellation qemu-tdx\"", {NULL}},
    {"two formats", "inspect {d}/two.der", NULL, 0, "ambiguous: more than one attestation format in one certificate: none of them would be verified", {NULL}},
    {"two formats: no session", "inspect {d}/two.der", NULL, 0, "!session_profile: constellation", {NULL}},
    {"a certificate without evidence", "inspect {d}/plain.der", NULL, 0, "recognised: []", {NULL}},
    {"a certificate cut short", "inspect {d}/cut.der", NULL, 8, NULL, {"UNSUPPORTED"}},
    {"a PCK chain is as it was", "inspect {v}/dcap/intel-sample-sgx-v3-type1/pck.pem", NULL, 0, "sgx_extension:", {NULL}},
    {"a phone", "inspect {v}/android/chains/akita-sdk34-tee-ec.pem", NULL, 0, "format: Android key attestation (not verified)", {NULL}},
};

/* the server's certificate is nobody's: each session is refused */
#define BASE "connect 127.0.0.1:{p} --servername localhost -p {d}/td/policy-dstack_tdx.json -e {d}/td/pcs " T " --timeout 20 "
static const run_row connect_rows[] = {
    {"what the peer sent is shown although it is refused", BASE "--showcerts", NULL, 3, NULL, {"certificate 1 of 2, as the peer sent it; UNVERIFIED\n-----BEGIN CERTIFICATE-----\n", "certificate 2 of 2", "IDENTITY certificate"}},
    {"and what is recognised in it", BASE "--showcerts", NULL, 3, NULL, {"-----END CERTIFICATE-----\nrecognised, not verified: Constellation qemu-tdx, 1.3.9900.5.99; inside: JSON document, Intel TDX quote, version 4; grade at best: key_fresh", "never enough by default", "no attestation format is recognised in it\natls connect: IDENTITY"}},
    {"a line each, before the refusal", BASE "--showcerts -q", NULL, 3, NULL, {"recognised, not verified: Constellation qemu-tdx", "IDENTITY"}},
    {"without it there is only the refusal", BASE, NULL, 3, NULL, {"IDENTITY", "!BEGIN CERTIFICATE", "!recognised"}},
    {"with --json it is on stderr", BASE "--showcerts --json", NULL, 3, "{\"schema\"", {"recognised, not verified"}},
    {"a pin that is wrong", BASE "--showcerts --pin 0000000000000000000000000000000000000000000000000000000000000001", NULL, 3, NULL, {"recognised, not verified", "spki_sha256"}},
    {"nobody answers: nothing to show", "connect 127.0.0.1:9 -p {d}/td/policy-dstack_tdx.json --timeout 5 --showcerts", NULL, 3, NULL, {"IO", "!certificate"}},
};
/* clang-format on */

static void write_pem(const char *name, atls_bytes der)
{
    atls_bytes pem;
    assert_true(atls_pem_encode(der, "CERTIFICATE", &bench.arena, &pem, &bench.err));
    run_write(name, pem.ptr, pem.len);
}

static void test_files(void **state)
{
    (void)state;
    run_output o = run("sim {d}/td " T, NULL);
    assert_int_equal(o.status, 0);
    run_free(&o);
    const atls_bytes document = lab_tdx_document(&bench, lab_quote(&bench, SIM_TDX_V4));
    const lab_extension e[] = {{"2.5.29.19", true, lab_hex(&bench, "3000")},
                               {"1.3.9900.5.99", false, document},
                               {"1.2.840.113741.1337.6", false, lab_quote(&bench, SIM_SGX_V3)}};
    const atls_bytes two = lab_certificate(&bench, e, 3);
    plain = lab_certificate(&bench, e, 1);
    attested = lab_certificate(&bench, e, 2);
    run_write("two.der", two.ptr, two.len);
    run_write("plain.der", plain.ptr, plain.len);
    run_write("attested.der", attested.ptr, attested.len);
    run_write("cut.der", attested.ptr, attested.len - 1);
    write_pem("attested.pem", attested);
}

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

/* No line about evidence can be copied without the words. */
static void test_every_line(void **state)
{
    (void)state;
    size_t below = 0, n = 0;
    bool inside = false;
    run_output o = run("inspect {d}/two.der", NULL);
    for (char *next, *line = o.out; line != NULL && *line != '\0'; line = next) {
        next = strchr(line, '\n');
        if (next != NULL) {
            *next++ = '\0';
        }
        const size_t indent = indent_of(line);
        const size_t len = strlen(line);
        inside = inside && indent > below;
        if (strcmp(line + indent, "recognised:") == 0) {
            inside = true;
            below = indent;
        } else if (inside && line[len - 1] != ':' && line[len - 1] != '-') {
            run_holds("line", line, "not verified");
            n++;
        }
    }
    assert_true(n > 80); /* two quotes are in it */
    run_free(&o);
}

/* ---- connect ----------------------------------------------------------------------------------------------------- */

static X509 *parse(atls_bytes der)
{
    const unsigned char *p = der.ptr;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(cert);
    return cert;
}

static SSL_CTX *make_context(void)
{
    const unsigned char *p = bench.key.ptr;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)bench.key.len);
    X509 *leaf = parse(attested);
    assert_int_equal(SSL_CTX_use_certificate(ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    assert_int_equal((int)SSL_CTX_add_extra_chain_cert(ctx, parse(plain)), 1);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return ctx;
}

/* The child's life: handshakes that the clients break off. Ends by signal. */
static void serve(int listener)
{
    SSL_CTX *ctx = make_context();
    (void)signal(SIGPIPE, SIG_IGN);
    (void)alarm(120);
    for (;;) {
        const int fd = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(ctx);
        if (fd < 0 || ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
            _exit(1);
        }
        if (SSL_accept(ssl) == 1) {
            (void)SSL_shutdown(ssl);
        }
        SSL_free(ssl);
        (void)close(fd);
    }
}

static void test_start(void **state)
{
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    (void)snprintf(place.port, sizeof place.port, "%u", (unsigned)ntohs(at.sin_port));
    (void)fflush(stdout);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        serve(listener);
    }
    (void)close(listener);
}

static void test_stop(void **state)
{
    int status;
    (void)state;
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, &status, 0), server);
}

#define ADD_ROWS(list, rows)                                                                                           \
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {                                                        \
        tap_add(list, rows[i].name, run_row_test, &rows[i]);                                                           \
    }

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_certificates [PROGRAM]\n");
        return 1;
    }
    lab_open(&bench);
    tap_add(&tests, "the files that the rest needs", test_files, NULL);
    ADD_ROWS(&tests, inspect_rows)
    tap_add(&tests, "every line about evidence carries the words", test_every_line, NULL);
    tap_add(&tests, "a server with evidence in its certificate", test_start, NULL);
    ADD_ROWS(&tests, connect_rows)
    tap_add(&tests, "the server can be stopped", test_stop, NULL);
    int failed = tap_run("certificates", &tests);
    lab_close(&bench);
    run_end();
    return failed;
}
