/* SPDX-License-Identifier: Apache-2.0 */
/* test_limit.c: atls sim --serve --max-per-source: an address that asks too often is refused, and another one is served. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "run.h"

#define T "--at 2026-06-15T12:00:00Z"
#define CONNECT                                                                                                        \
    "connect 127.0.0.1:{p} --servername localhost -e {d}/srv/collateral.json " T                                       \
    " --timeout 20 --cacert {d}/srv/tls-ca.pem -p {d}/srv/policy-dstack_tdx.json"

static struct sockaddr_in loopback(unsigned last, uint16_t port)
{
    struct sockaddr_in out = {.sin_family = AF_INET, .sin_port = htons(port)};
    out.sin_addr.s_addr = htonl(0x7f000000u | last);
    return out;
}

static const struct sockaddr *any(const struct sockaddr_in *in)
{
    return (const struct sockaddr *)in;
}

/* ---- somebody at 127.0.0.2 ------------------------------------------------------------------------------------------- */

/* One piece from a to b; false: that way is over. */
static bool pass(int a, int b)
{
    char buf[16384];
    const ssize_t n = recv(a, buf, sizeof buf, 0);
    for (ssize_t sent = 0; sent < n;) {
        const ssize_t k = send(b, buf + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (k <= 0) {
            return false;
        }
        sent += k;
    }
    if (n <= 0) {
        (void)shutdown(b, SHUT_WR);
    }
    return n > 0;
}

static void carry(int a, int b)
{
    struct pollfd p[2] = {{.fd = a, .events = POLLIN}, {.fd = b, .events = POLLIN}};
    while ((p[0].fd >= 0 || p[1].fd >= 0) && poll(p, 2, 30000) > 0) {
        if (p[0].revents != 0 && !pass(a, b)) {
            p[0].fd = -1;
        }
        if (p[1].revents != 0 && !pass(b, a)) {
            p[1].fd = -1;
        }
    }
}

/* Carries connections on from 127.0.0.2, until it is killed. */
static void relay(int listener, uint16_t to)
{
    const struct sockaddr_in from = loopback(2, 0);
    const struct sockaddr_in server = loopback(1, to);
    for (;;) {
        const int a = accept(listener, NULL, NULL);
        const int b = socket(AF_INET, SOCK_STREAM, 0);
        if (a < 0 || b < 0 || bind(b, any(&from), sizeof from) != 0 || connect(b, any(&server), sizeof server) != 0) {
            _exit(1);
        }
        carry(a, b);
        (void)close(a);
        (void)close(b);
    }
}

static pid_t start_relay(uint16_t to, uint16_t *port)
{
    struct sockaddr_in at = loopback(1, 0);
    socklen_t len = sizeof at;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, any(&at), sizeof at), 0);
    assert_int_equal(listen(listener, 4), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &len), 0);
    *port = ntohs(at.sin_port);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        relay(listener, to);
    }
    assert_int_equal(close(listener), 0);
    return pid;
}

/* ---- the test -------------------------------------------------------------------------------------------------------- */

static void expect(bool served)
{
    run_output o = run(CONNECT, "hello.txt");
    if ((o.status == 0) != served) {
        fail_msg("exit status %d\n%s", o.status, o.err);
    }
    if (served) {
        assert_string_equal(o.out, "hello\n");
    } else {
        assert_int_equal(o.out_len, 0);
        run_holds("stderr", o.err, "PEER_REFUSED");
        run_holds("stderr", o.err, "internal");
    }
    run_free(&o);
}

static void end(pid_t pid)
{
    assert_int_equal(kill(pid, SIGTERM), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_two_addresses(void **state)
{
    uint16_t port = 0;
    char own[8];
    (void)state;
    run_write("hello.txt", "hello\n", 6);
    const pid_t server = run_start("sim {d}/srv --serve 0 --seconds 250 --max-per-source 2 " T, "srv");
    run_wait_port("srv.out");
    memcpy(own, place.port, sizeof own);
    const pid_t other = start_relay((uint16_t)strtoul(own, NULL, 10), &port);
    expect(true);
    expect(true);
    expect(false); /* the third within half a minute */
    (void)snprintf(place.port, sizeof place.port, "%u", (unsigned)port);
    expect(true);
    memcpy(place.port, own, sizeof own);
    expect(false);
    end(other);
    end(server);
    char *said = run_read("srv.err", NULL);
    run_holds("the server's stderr", said, "LIMIT");
    run_holds("the server's stderr", said, "source_limit");
    run_holds("the server's stderr", said, "127.0.0.1");
    run_holds("the server's stderr", said, "!127.0.0.2");
    free(said);
}

/* clang-format off */
static const run_row rows[] = {
    {"--max-per-source without --serve", "sim {d}/x --max-per-source 2", NULL, 1, NULL, {"--max-per-source: only with --serve"}},
    {"--max-per-source 0", "sim {d}/x --serve 0 --max-per-source 0", NULL, 1, NULL, {"--max-per-source"}},
    {"--max-per-source of no number", "sim {d}/x --serve 0 --max-per-source many", NULL, 1, NULL, {"--max-per-source"}},
};
/* clang-format on */

int main(int argc, char *argv[])
{
    tap_list tests = {0};
    if (!run_begin(argc, argv)) {
        (void)fprintf(stderr, "usage: test_limit [PROGRAM]\n");
        return 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, run_row_test, &rows[i]);
    }
    tap_add(&tests, "one address too often, another one not", test_two_addresses, NULL);
    const int failed = tap_run("limit", &tests);
    run_end();
    return failed;
}
