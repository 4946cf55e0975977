/* SPDX-License-Identifier: Apache-2.0 */
/* test_connect.c: atls connect against atls sim --serve, as two programs on one machine. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/cert.h"
#include "pki/signature.h"
#include "run.h"

#define T        "--at 2026-06-15T12:00:00Z"
#define BASE     "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/collateral.json " T " --timeout 20 "
#define CA       "--cacert {d}/srv/tls-ca.pem "
#define ONES     "111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111"
#define FORECAST "endorse forecast 127.0.0.1:{p} --servername localhost " T " --timeout 20 "
#define POL      "-p {d}/srv/policy-dstack_tdx.json "

/* clang-format off */
static const run_row rows[] = {
    {"what goes in comes out", BASE CA POL, "hello.txt", 0, "=", {"Verified", "CN=localhost", "grade         session"}},
    {"--profile dstack", BASE CA POL "--profile dstack", "hello.txt", 0, "=", {"Verified", "grade         exporter", "profile       dstack"}},
    {"--profile atls/1", BASE CA POL "--profile atls/1", "hello.txt", 0, "=", {"Verified", "grade         session", "profile       atls/1"}},
    {"--profile of another name", BASE CA POL "--profile tls", "hello.txt", 1, NULL, {"--profile: wants atls/1, dstack or constellation"}},
    {"--profile dstack, and a policy that wants a session", BASE CA "-p {d}/session.json --profile dstack", "hello.txt", 1, NULL, {"CONFIGURATION min_grade"}},
    {"a policy that wants a session gets one", BASE CA "-p {d}/session.json", "hello.txt", 0, "=", {"Verified", "grade         session"}},
    {"a megabyte comes back whole", BASE CA POL, "big.bin", 0, "=", {NULL}},
    {"nothing on stdin", BASE CA POL, "empty", 0, "=", {"Verified"}},
    {"--quiet: warnings only", BASE CA POL "-q", "hello.txt", 0, "=", {"WARNING: the root", "!Verified"}},
    {"--verbose: every check", BASE CA POL "-v", "hello.txt", 0, "=", {"Checks"}},
    {"--max-time is --timeout", "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/pcs " T " -m 20 " CA POL, "hello.txt", 0, "=", {"Verified"}},
    {"by address, with the name beside it", "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/pcs " T " " CA POL, "hello.txt", 0, "=", {"Verified"}},
    {"a protocol that the server does not know is no reason", BASE CA POL "--alpn http/1.1", "hello.txt", 0, "=", {"Verified"}},
    {"the name is not the certificate's", "connect 127.0.0.1:{p} -e {d}/srv/collateral.json " T " " CA POL "--servername example.org", "hello.txt", 3, NULL, {"IDENTITY"}},
    {"an authority that the system does not know", BASE POL, "hello.txt", 3, NULL, {"IDENTITY", "--cacert"}},
    {"authorities that are not there", BASE POL "--cacert {d}/nothing", "hello.txt", 1, NULL, {"--cacert", "No such file"}},
    {"authorities that are none", BASE POL "--cacert {d}/empty", "hello.txt", 1, NULL, {"!Verified"}},
    {"attested only: nobody vouches for the name", BASE "-p {d}/attested.json --attested-only", "hello.txt", 0, "=", {"attested only", "!Verified"}},
    {"attested_only in the policy alone changes nothing", BASE "-p {d}/attested.json", "hello.txt", 3, NULL, {"IDENTITY"}},
    {"another application: no byte crosses", BASE CA "-p {d}/other/policy-dstack_tdx.json", "hello.txt", 4, NULL, {"Rejected: ", "  field     ", "  expected  "}},
    {"no endorsements", "connect 127.0.0.1:{p} --servername localhost " T " " CA POL, "hello.txt", 5, NULL, {"Undecided: ENDORSEMENTS_MISSING"}},
    {"a signed bundle", "connect 127.0.0.1:{p} --servername localhost -e {d}/signed.bundle --bundle-key {d}/pub.pem --bundle-state {d}/state " T " --timeout 20 " CA POL, "hello.txt", 0, "=", {"Verified"}},
    {"a signed bundle, and nobody says whose", "connect 127.0.0.1:{p} --servername localhost -e {d}/signed.bundle " T " " CA POL, "hello.txt", 1, NULL, {"--bundle-key"}},
    {"stale endorsements", "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/collateral.json --at 2026-07-20T00:00:00Z " CA POL, "hello.txt", 5, NULL, {"EXPIRED"}},
    {"a revoked platform", "connect 127.0.0.1:{p} --servername localhost -e {d}/revoked/collateral.json " T " " CA POL, "hello.txt", 7, NULL, {"REVOKED"}},
    {"nobody listens on that family", "connect [::1]:{p} " T " " CA POL "--servername localhost", "hello.txt", 3, NULL, {"IO"}},
    {"a forecast of what it shows", FORECAST "-e {d}/srv/collateral.json " CA POL "--within 1d", "empty", 0, NULL, {"today         accepted", "refused from", "EXPIRED"}},
    {"and soon", FORECAST "-e {d}/srv/collateral.json " CA POL "--within 3650d", "empty", 5, NULL, {"today         accepted", "EXPIRED"}},
    {"as JSON", FORECAST "-e {d}/srv/collateral.json " CA POL "--json --within 1d", "empty", 0, "\"today\":{\"accepted\":true", {NULL}},
    {"a forecast for another application", FORECAST "-e {d}/srv/collateral.json " CA "-p {d}/other/policy-dstack_tdx.json", "empty", 4, NULL, {"today         refused"}},
    {"a forecast without endorsements", FORECAST CA POL, "empty", 5, NULL, {"ENDORSEMENTS_MISSING"}},
    {"a forecast of somebody unknown", FORECAST "-e {d}/srv/collateral.json " POL, "empty", 3, NULL, {"IDENTITY", "!today"}},
    {"a forecast of nobody", "endorse forecast 127.0.0.1:1 " T " " CA POL, "empty", 3, NULL, {"IO", "!today"}},
    {"a forecast of a peer wants a policy", FORECAST CA, "empty", 1, NULL, {"--policy", "required"}},
    {"a name that does not exist", "connect no-such-host.invalid:443 " T " " CA POL, "hello.txt", 3, NULL, {"IO", "no-such-host.invalid"}},
};
/* clang-format on */

static pid_t server;

static void must_run(const char *line)
{
    run_output o = run(line, NULL);
    if (o.status != 0) {
        fail_msg("%s: exit status %d\n%s", line, o.status, o.err);
    }
    run_free(&o);
}

/* The first line of the server's stdout is its address. */
static void test_start(void **state)
{
    char big[1024 * 1024];
    uint32_t x = 1;
    (void)state;
    for (size_t i = 0; i < sizeof big; i++) {
        x = x * 1664525u + 1013904223u;
        big[i] = (char)(x >> 24);
    }
    run_write("big.bin", big, sizeof big);
    run_write("hello.txt", "hello\nworld\n", 12);
    run_write("empty", "", 0);
    must_run("sim {d}/other " T " --set os_image_hash=0bad");
    must_run("sim {d}/revoked " T " --set crl.pck.revoked=pck");
    server = run_start("sim {d}/srv --serve 0 --seconds 500 " T, "srv");
    run_wait_port("srv.out");
    must_run("endorse keygen --key {d}/key.pem --public {d}/pub.pem");
    must_run("endorse pack -k {d}/key.pem -o {d}/signed.bundle -e {d}/srv/collateral.json");
}

/* The honest policy and one more member. */
static void write_policy_of(const char *from, const char *name, const char *member)
{
    size_t len = 0;
    char text[8192];
    char *policy = run_read(from, &len);
    assert_true(len > 2 && policy[len - 1] == '}');
    policy[len - 1] = 0;
    int n = snprintf(text, sizeof text, "%s,%s}", policy, member);
    assert_true(n > 0 && (size_t)n < sizeof text);
    run_write(name, text, (size_t)n);
    free(policy);
}

static void write_policy(const char *name, const char *member)
{
    write_policy_of("srv/policy-dstack_tdx.json", name, member);
}

static void test_attested_policy(void **state)
{
    (void)state;
    write_policy("attested.json", "\"attested_only\":true");
    write_policy("session.json", "\"min_grade\":\"session\"");
}

/* ---- pins -------------------------------------------------------------------------------------------------------- */

static void spki_digest(uint8_t out[32], atls_arena *a)
{
    atls_error err = {0};
    atls_crypto *crypto = NULL;
    atls_bytes der;
    atls_cert cert;
    size_t len = 0, n = 0;
    char *pem = run_read("srv/tls-chain.pem", &len);
    char *end = strstr(pem, "-----END CERTIFICATE-----\n");
    assert_non_null(end);
    len = (size_t)(end - pem) + 26;
    assert_true(atls_pem_certificates(atls_bytes_of(pem, len), false, ATLS_E_ENCODING, "pem", a, &der, 1, &n, &err));
    assert_true(atls_cert_decode(der, "leaf", &cert, &err));
    assert_true(atls_crypto_new(&crypto, &err));
    assert_true(atls_digest(crypto, ATLS_SHA256, &cert.spki, 1, out, &err));
    atls_crypto_free(crypto);
    free(pem);
}

static void connect_with_pin(const char *pin, int status, const char *err)
{
    char line[1024];
    (void)snprintf(line, sizeof line, BASE POL "--pin %s", pin);
    const run_row r = {"", line, "hello.txt", status, status == 0 ? "=" : NULL, {err}};
    union {
        const run_row *in;
        void *out;
    } state = {.in = &r};
    run_row_test(&state.out);
}

static void test_pins(void **state)
{
    uint8_t digest[32];
    char hex[65], base64[64] = "sha256//";
    atls_error err = {0};
    atls_arena a = {0};
    (void)state;
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    spki_digest(digest, &a);
    atls_hex_encode(atls_bytes_of(digest, sizeof digest), hex);
    (void)EVP_EncodeBlock((unsigned char *)base64 + 8, digest, sizeof digest);
    connect_with_pin(hex, 0, "the pinned public key");
    connect_with_pin(base64, 0, "the pinned public key");
    hex[0] = hex[0] == '0' ? '1' : '0';
    connect_with_pin(hex, 3, "IDENTITY");
    atls_arena_free(&a);
}

/* ---- what stdout and stdin are for ------------------------------------------------------------------------------- */

static void test_json(void **state)
{
    atls_error err = {0};
    atls_arena a = {0};
    (void)state;
    assert_true(atls_arena_new(&a, ATLS_ARENA_DEFAULT_SIZE, &err));
    run_output o = run(BASE CA POL "--json", "hello.txt");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    const atls_json *tree = run_json(&o, &a);
    assert_string_equal(run_json_text(tree, "verdict", &a), "accepted");
    assert_string_equal(run_json_text(tree, "grade", &a), "session");
    assert_string_equal(run_json_text(tree, "peer.server_name", &a), "localhost");
    assert_string_equal(run_json_text(tree, "peer.identity", &a), "ca");
    assert_string_equal(run_json_text(tree, "peer.tls_version", &a), "TLSv1.3");
    run_free(&o);
    atls_arena_free(&a);
}

static int open_fifo(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", place.folder, name);
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDWR | O_NONBLOCK);
    assert_true(fd >= 0);
    return fd;
}

/* What stands on stdin belongs to whoever runs after us, unless the server was accepted. */
static void test_stdin_untouched(void **state)
{
    char back[8] = {0};
    int fd = open_fifo("untouched");
    (void)state;
    assert_int_equal(write(fd, "secret\n", 7), 7);
    run_output o = run(BASE CA "-p {d}/other/policy-dstack_tdx.json", "untouched");
    assert_int_equal(o.status, 4);
    assert_int_equal(read(fd, back, sizeof back), 7);
    assert_string_equal(back, "secret\n");
    run_free(&o);
    (void)close(fd);
}

/* A server that goes away without a goodbye may have been cut off by somebody. */
static void test_truncation(void **state)
{
    char kept[sizeof place.port];
    int fd = open_fifo("open");
    (void)state;
    memcpy(kept, place.port, sizeof kept);
    pid_t brief = run_start("sim {d}/brief --serve 0 --seconds 4 " T, "brief");
    run_wait_port("brief.out");
    assert_int_equal(write(fd, "hello\n", 6), 6);
    run_output o = run("connect 127.0.0.1:{p} --servername localhost -e {d}/brief/collateral.json " T
                       " --cacert {d}/brief/tls-ca.pem -p {d}/brief/policy-dstack_tdx.json",
                       "open");
    assert_int_equal(o.status, 3);
    assert_string_equal(o.out, "hello\n");
    run_holds("stderr", o.err, "IO");
    run_free(&o);
    (void)close(fd);
    assert_int_equal(run_wait(brief), 0);
    memcpy(place.port, kept, sizeof kept);
}

static void test_count(void **state)
{
    char kept[sizeof place.port];
    (void)state;
    memcpy(kept, place.port, sizeof kept);
    pid_t one = run_start("sim {d}/one --serve 0 --count 1 --seconds 100 " T, "one");
    run_wait_port("one.out");
    run_output o = run("connect 127.0.0.1:{p} --servername localhost -e {d}/one/collateral.json " T
                       " --cacert {d}/one/tls-ca.pem -p {d}/one/policy-dstack_tdx.json",
                       "hello.txt");
    assert_int_equal(o.status, 0);
    run_free(&o);
    assert_int_equal(run_wait(one), 0);
    memcpy(place.port, kept, sizeof kept);
}

/* With descriptor 2 closed the socket must not become 2, or the page for people would go to the peer, in clear. */
static void test_closed(void **state)
{
    (void)state;
    for (int closed = RUN_STDIN; closed <= (RUN_STDIN | RUN_STDOUT | RUN_STDERR); closed++) {
        run_output o = run_closed(BASE CA POL, closed);
        assert_int_equal(o.status, (closed & RUN_STDIN) != 0 ? 3 : 0); /* what cannot be read is not "nothing to say" */
        if ((closed & RUN_STDERR) == 0) {
            run_holds("stderr", o.err, "Verified");
        }
        run_free(&o);
    }
}

/* --seconds ends the server, with nobody there and with somebody who says nothing. */
static void test_seconds(void **state)
{
    char kept[sizeof place.port];
    (void)state;
    memcpy(kept, place.port, sizeof kept);
    pid_t lonely = run_start("sim {d}/lonely --serve 0 --seconds 1 " T, "lonely");
    assert_int_equal(run_wait(lonely), 0);
    pid_t pestered = run_start("sim {d}/pestered --serve 0 --seconds 3 " T, "pestered");
    run_wait_port("pestered.out");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)strtoul(place.port, NULL, 10));
    int silent = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(silent, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(run_wait(pestered), 0);
    assert_int_equal(close(silent), 0);
    memcpy(place.port, kept, sizeof kept);
}

/* A server of constellation: by name, found by auto, and only where the policy accepts what it can prove. */
static void test_constellation(void **state)
{
    static const struct {
        const char *options;
        int status;
        const char *says;
    } lines[] = {
        {"-p {d}/key_fresh.json --attested-only --profile constellation", 0, "key_fresh: made for this public key"},
        {"-p {d}/key_fresh.json --attested-only", 0, "profile       constellation"},
        {"-p {d}/key_fresh.json --attested-only --profile atls/1", 3, "TLS_HANDSHAKE"},
        {"-p {d}/nameless.json --attested-only", 3, "TLS_HANDSHAKE"}, /* the floor stays at `exporter` */
        {"-p {d}/nameless.json --attested-only --profile constellation", 1, "CONFIGURATION min_grade"},
        {"-p {d}/key_fresh.json --profile constellation", 1, "identity"},
        {"-p {d}/other_key_fresh.json --attested-only", 4, "Rejected: "},
    };
    char kept[sizeof place.port];
    char line[1024];
    (void)state;
    memcpy(kept, place.port, sizeof kept);
    pid_t pid = run_start("sim {d}/con --serve 0 --seconds 100 --profile constellation " T, "con");
    run_wait_port("con.out");
    write_policy_of("con/policy-tdx.json", "key_fresh.json", "\"attested_only\":true,\"min_grade\":\"key_fresh\"");
    write_policy_of("con/policy-tdx.json", "nameless.json", "\"attested_only\":true");
    write_policy_of("con/policy-tdx.json", "other_key_fresh.json",
                    "\"attested_only\":true,\"min_grade\":\"key_fresh\",\"mrowner\":\"" ONES "\"");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        (void)snprintf(line, sizeof line, "connect 127.0.0.1:{p} -e {d}/con/collateral.json --timeout 20 " T " %s",
                       lines[i].options);
        run_output o = run(line, "hello.txt");
        if (o.status != lines[i].status) {
            fail_msg("%s: exit status %d instead of %d:\n%s", lines[i].options, o.status, lines[i].status, o.err);
        }
        run_holds("stderr", o.err, lines[i].says);
        run_holds("stderr", o.err, "!Verified");
        assert_int_equal(o.out_len > 0, o.status == 0);
        run_free(&o);
    }
    assert_int_equal(kill(pid, SIGTERM), 0);
    (void)run_wait(pid);
    memcpy(place.port, kept, sizeof kept);
}

#define DSCA "--cacert {d}/ds/tls-ca.pem "

/* Somebody strips atls/1 from the handshake, or the server has no more than dstack: auto goes as far down as the policy allows,
 * says how far that was, and not a step further. */
static void test_auto(void **state)
{
    static const struct {
        const char *options;
        int status;
        const char *says;
    } lines[] = {
        {DSCA "-p {d}/ds/policy-dstack_tdx.json --profile auto", 0, "grade         exporter"},
        {DSCA "-p {d}/ds/policy-dstack_tdx.json", 0, "profile       dstack"},
        {DSCA "-p {d}/ds_exporter.json --profile auto", 0, "grade         exporter"},
        {"-p {d}/ds_low.json --attested-only", 0, "grade         exporter"}, /* not lower than it has to be */
        {DSCA "-p {d}/ds_session.json --profile auto", 3, "TLS_HANDSHAKE tls.alpn"},
        {DSCA "-p {d}/ds_session.json", 3, "TLS_HANDSHAKE tls.alpn"},
        {DSCA "-p {d}/ds/policy-dstack_tdx.json --profile atls/1", 3, "TLS_HANDSHAKE tls.alpn"},
    };
    char kept[sizeof place.port];
    char line[1024];
    (void)state;
    memcpy(kept, place.port, sizeof kept);
    pid_t pid = run_start("sim {d}/ds --serve 0 --seconds 100 --profile dstack " T, "ds");
    run_wait_port("ds.out");
    write_policy_of("ds/policy-dstack_tdx.json", "ds_exporter.json", "\"min_grade\":\"exporter\"");
    write_policy_of("ds/policy-dstack_tdx.json", "ds_session.json", "\"min_grade\":\"session\"");
    write_policy_of("ds/policy-dstack_tdx.json", "ds_low.json", "\"attested_only\":true,\"min_grade\":\"key_fresh\"");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        (void)snprintf(line, sizeof line,
                       "connect 127.0.0.1:{p} --servername localhost -e {d}/ds/collateral.json --timeout 20 " T " %s",
                       lines[i].options);
        run_output o = run(line, "hello.txt");
        if (o.status != lines[i].status) {
            fail_msg("%s: exit status %d instead of %d:\n%s", lines[i].options, o.status, lines[i].status, o.err);
        }
        run_holds("stderr", o.err, lines[i].says);
        assert_int_equal(o.out_len > 0, o.status == 0);
        run_free(&o);
    }
    assert_int_equal(kill(pid, SIGTERM), 0);
    (void)run_wait(pid);
    memcpy(place.port, kept, sizeof kept);
}

static void test_key_mode(void **state)
{
    char path[512];
    struct stat s;
    (void)state;
    (void)snprintf(path, sizeof path, "%s/srv/tls-key.pem", place.folder);
    assert_int_equal(stat(path, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
}

static void test_stop(void **state)
{
    (void)state;
    assert_int_equal(kill(server, SIGTERM), 0);
    (void)run_wait(server);
}

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_connect [PROGRAM]\n");
        return 1;
    }
    tap_add(&tests, "sim --serve says where it is", test_start, NULL);
    tap_add(&tests, "policies for the rows below", test_attested_policy, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    tap_add(&tests, "a pinned key, in hex and as curl writes it; another is refused", test_pins, NULL);
    tap_add(&tests, "--json: one object, with the peer, and no traffic", test_json, NULL);
    tap_add(&tests, "stdin is not read before the verdict", test_stdin_untouched, NULL);
    tap_add(&tests, "a session that is cut ends with 3", test_truncation, NULL);
    tap_add(&tests, "sim --serve --count 1 ends after one client", test_count, NULL);
    tap_add(&tests, "a closed standard descriptor is nobody's socket", test_closed, NULL);
    tap_add(&tests, "sim --serve --seconds ends, whoever is there", test_seconds, NULL);
    tap_add(&tests, "constellation, by name and by auto, no further than the policy goes", test_constellation, NULL);
    tap_add(&tests, "auto: no further down than the policy goes, and it says how far", test_auto, NULL);
    tap_add(&tests, "the private key is for its owner only", test_key_mode, NULL);
    tap_add(&tests, "the server can be stopped", test_stop, NULL);
    int failed = tap_run("connect", &tests);
    run_end();
    return failed;
}
