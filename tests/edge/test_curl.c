/* SPDX-License-Identifier: Apache-2.0 */
/* test_curl.c: the example of libcurl against an HTTPS server that is hooked, or ordinary, in this process. argv[1]: the
 * example's program. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "tap.h"

#include "atls/atls.h"
#include "base/text.h"
#include "sim/sim.h"

#define PAGE  "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"
#define ZEROS "000000000000000000000000000000000000000000000000"

static const char *example;

typedef struct curl_row {
    const char *name;
    bool ordinary;       /* the server is not hooked, and has a certificate of a private CA */
    const char *members; /* of the policy */
    int status;
    const char *out;
    const char *err; /* among other things */
    bool served;     /* the server has seen a request */
} curl_row;

#define KEY_FRESH "\"min_grade\":\"key_fresh\",\"attested_only\":true,"
static const curl_row rows[] = {
    {"an attested page", false, KEY_FRESH, 0, "hello\n", "accepted, attested: grade key_fresh, TCB UpToDate", true},
    {"another image is wanted", false, KEY_FRESH "\"rtmr1\":\"" ZEROS ZEROS "\",", 2, "", "MEASUREMENT_MISMATCH",
     false},
    {"an ordinary server", true, KEY_FRESH, 2, "", "IDENTITY certificate.signature: not signed by its own key", false},
    {"a policy that asks for more", false, "\"attested_only\":true,", 2, "", "CONFIGURATION min_grade", false},
};

typedef struct scene {
    atls_error err;
    atls_arena arena;
    sim *room;
    SSL_CTX *ctx;
    int listener;
    char url[64];
    char policy[64];
    char bundle[64];
    bool served;
    pthread_t thread;
} scene;

static void write_file(char path[64], atls_bytes content)
{
    snprintf(path, 64, "/tmp/atls-test-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content.ptr, content.len), (ssize_t)content.len);
    assert_int_equal(close(fd), 0);
}

static void make_files(scene *s, const char *members)
{
    atls_bytes policy;
    atls_bytes bundle;
    atls_endorsements endorsements;
    assert_true(sim_policy(s->room, "tdx", &s->arena, &policy, &s->err));
    const char *edited =
        atls_text_format(&s->arena, &s->err, "{%s%.*s", members, (int)policy.len - 1, (const char *)policy.ptr + 1);
    write_file(s->policy, atls_bytes_str(edited));
    assert_true(sim_collateral(s->room, &s->arena, &endorsements, &s->err));
    assert_true(atls_endorsements_to_bundle(&endorsements, &s->arena, &bundle, &s->err));
    write_file(s->bundle, bundle);
}

static void make_server(scene *s, bool ordinary)
{
    const atls_hook_server_options options = {.attest = sim_attest, .attest_ctx = s->room};
    s->ctx = SSL_CTX_new(TLS_server_method());
    if (!ordinary) {
        assert_true(atls_hook_server(s->ctx, &options, &s->err));
        return;
    }
    sim_tls tls;
    assert_true(sim_tls_identity(s->room, "localhost", &s->arena, &tls, &s->err));
    BIO *chain = BIO_new_mem_buf(tls.chain_pem.ptr, (int)tls.chain_pem.len);
    BIO *key = BIO_new_mem_buf(tls.key_pem.ptr, (int)tls.key_pem.len);
    X509 *leaf = PEM_read_bio_X509(chain, NULL, NULL, NULL);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    assert_int_equal(SSL_CTX_use_certificate(s->ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(s->ctx, pkey), 1);
    X509_free(leaf);
    EVP_PKEY_free(pkey);
    BIO_free(chain);
    BIO_free(key);
}

static void make_listener(scene *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    socklen_t len = sizeof address.in;
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(s->listener >= 0);
    assert_int_equal(bind(s->listener, &address.any, len), 0);
    assert_int_equal(listen(s->listener, 4), 0);
    assert_int_equal(getsockname(s->listener, &address.any, &len), 0);
    snprintf(s->url, sizeof s->url, "https://127.0.0.1:%u/", (unsigned)ntohs(address.in.sin_port));
}

/* One connection, one page. */
static void *serve(void *arg)
{
    scene *s = arg;
    char request[4096];
    struct timeval limit = {.tv_sec = 20};
    int fd = accept(s->listener, NULL, NULL);
    if (fd < 0) {
        return NULL;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    SSL *ssl = SSL_new(s->ctx);
    (void)SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, request, sizeof request) > 0) {
        s->served = true;
        (void)SSL_write(ssl, PAGE, sizeof PAGE - 1);
        (void)SSL_shutdown(ssl);
    }
    ERR_clear_error();
    SSL_free(ssl);
    (void)close(fd);
    return NULL;
}

static void drain(int fd, char *out, size_t size)
{
    size_t used = 0;
    for (ssize_t n; used + 1 < size && (n = read(fd, out + used, size - 1 - used)) > 0;) {
        used += (size_t)n;
    }
    out[used] = '\0';
    (void)close(fd);
}

static int run_example(scene *s, char *out, char *err, size_t size)
{
    int pipes[2][2];
    int status = 0;
    char program[512];
    snprintf(program, sizeof program, "%s", example);
    char *argv[] = {program, s->url, s->policy, s->bundle, NULL};
    assert_int_equal(pipe(pipes[0]), 0);
    assert_int_equal(pipe(pipes[1]), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(pipes[0][1], STDOUT_FILENO);
        (void)dup2(pipes[1][1], STDERR_FILENO);
        for (int fd = 3; fd < 256; fd++) {
            (void)close(fd);
        }
        (void)execv(argv[0], argv);
        _exit(121);
    }
    (void)close(pipes[0][1]);
    (void)close(pipes[1][1]);
    drain(pipes[0][0], out, size);
    drain(pipes[1][0], err, size);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void fetches(void **state)
{
    const curl_row *row = *state;
    const sim_options options = {.now = (atls_time)time(NULL)};
    char out[2048];
    char err[4096];
    scene s = {.listener = -1};
    assert_true(atls_arena_new(&s.arena, (size_t)32 * 1024 * 1024, &s.err));
    assert_true(sim_new(&options, &s.room, &s.err));
    make_files(&s, row->members);
    make_server(&s, row->ordinary);
    make_listener(&s);
    assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
    int status = run_example(&s, out, err, sizeof out);
    (void)shutdown(s.listener, SHUT_RDWR); /* wakes an accept that nobody came to */
    assert_int_equal(pthread_join(s.thread, NULL), 0);
    (void)close(s.listener);
    (void)unlink(s.policy);
    (void)unlink(s.bundle);
    if (status != row->status || strcmp(out, row->out) != 0 || strstr(err, row->err) == NULL) {
        fail_msg("status %d, stdout \"%s\", stderr \"%s\"", status, out, err);
    }
    assert_int_equal(s.served, row->served);
    SSL_CTX_free(s.ctx);
    sim_free(s.room);
    atls_arena_free(&s.arena);
}

int main(int argc, char **argv)
{
    tap_list l = {0};
    if (argc != 2) {
        fprintf(stderr, "usage: %s EXAMPLE\n", argv[0]);
        return 1;
    }
    example = argv[1];
    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, fetches, &rows[i]);
    }
    return tap_run("curl", &l);
}
