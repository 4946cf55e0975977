/* SPDX-License-Identifier: Apache-2.0 */
/* test_epoll.c: the example of an event loop, as a process of its own, and clients of every kind. Whoever goes, and however,
 * leaves no descriptor behind in the server. argv[1]: the example with the simulator's quotes; argv[2]: as it is installed. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/err.h>

#include "net.h"

#define VISITORS 5u
#define PLACES   64u /* of the example */
#define LONG_LEN 20000u

static const char *simulated;
static const char *installed;

/* ---- the example as a process ---------------------------------------------------------------------------------------- */

typedef struct stage {
    rig rig; /* of the clients */
    char chain_file[64];
    char key_file[64];
    pid_t pid;
    int out; /* its stdout */
    char port[8];
    size_t fds; /* before anybody came */
} stage;

/* 0 when there is no such process. */
static size_t fds_of(pid_t pid)
{
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof path, "/proc/%ld/fd", (long)pid);
    DIR *d = opendir(path);
    for (const struct dirent *e = d == NULL ? NULL : readdir(d); e != NULL; e = readdir(d)) {
        n += e->d_name[0] != '.' ? 1 : 0;
    }
    if (d != NULL) {
        (void)closedir(d);
    }
    return n;
}

static void expect_fds(const stage *s, size_t more)
{
    size_t n = fds_of(s->pid);
    for (unsigned ms = 0; n != s->fds + more && ms < 8000 * rig_patience(); ms += 5) {
        rig_nap(5);
        n = fds_of(s->pid);
    }
    assert_int_equal(n, s->fds + more);
}

static void run_program(const char *program, char *const argv[], int out)
{
    (void)dup2(out, STDOUT_FILENO);
    for (int fd = 3; fd < 256; fd++) {
        (void)close(fd);
    }
    (void)execv(program, argv);
    _exit(121);
}

static void read_line(int fd, char *line, size_t size)
{
    size_t used = 0;
    while (used + 1 < size && read(fd, line + used, 1) == 1 && line[used] != '\n') {
        used++;
    }
    line[used] = '\0';
}

static void open_stage(stage *s, const char *program, const char *connections, const char *seconds, unsigned deadline)
{
    static const char told[] = "listening on 127.0.0.1 port ";
    int ends[2];
    char line[128];
    char ms[16];
    *s = (stage){0};
    rig_open(&s->rig);
    rig_file(s->chain_file, s->rig.tls.chain_pem);
    rig_file(s->key_file, s->rig.tls.key_pem);
    snprintf(ms, sizeof ms, "%u", deadline);
    const char *words[] = {"epoll_attested", "0", s->chain_file, s->key_file, connections, seconds, ms, NULL};
    char copies[7][64];
    char *argv[8] = {NULL};
    for (size_t i = 0; words[i] != NULL; i++) {
        snprintf(copies[i], sizeof copies[i], "%s", words[i]);
        argv[i] = copies[i];
    }
    assert_int_equal(pipe(ends), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        run_program(program, argv, ends[1]);
    }
    assert_int_equal(close(ends[1]), 0);
    s->out = ends[0];
    read_line(s->out, line, sizeof line);
    assert_int_equal(strncmp(line, told, strlen(told)), 0);
    snprintf(s->port, sizeof s->port, "%.7s", line + strlen(told));
    s->fds = fds_of(s->pid);
    s->rig.client_options.profiles = ATLS_PROFILE_NATIVE;
    s->rig.client_options.timeout_ms = 10000 * rig_patience();
}

/* It ends by itself, and says what it has done. */
static void close_stage(stage *s, const char *last_words)
{
    char line[128];
    int status = 0;
    read_line(s->out, line, sizeof line);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    if (strncmp(line, last_words, strlen(last_words)) != 0) {
        fail_msg("%s", line);
    }
    assert_int_equal(close(s->out), 0);
    (void)unlink(s->chain_file);
    (void)unlink(s->key_file);
    rig_close(&s->rig);
}

/* ---- clients ----------------------------------------------------------------------------------------------------------- */

typedef struct guest {
    const stage *stage;
    sim *endorser; /* a room belongs to one thread */
    pthread_t thread;
    bool content;
    atls_error err;
} guest;

static int dial(const stage *s)
{
    union {
        struct sockaddr any;
        struct sockaddr_in in;
    } address = {.in = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}};
    struct timeval patience = {.tv_sec = 20};
    address.in.sin_port = htons((uint16_t)strtoul(s->port, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, &address.any, sizeof address.in) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return fd;
}

/* More than the example's buffer, a record and, likely, a socket hold at once. */
static bool echoes(atls_session *s, size_t len, atls_error *err)
{
    static const char text[] = "good evening, ";
    char *said = calloc(len, 1);
    char *heard = calloc(len, 1);
    size_t got = 0;
    assert_true(said != NULL && heard != NULL);
    for (size_t i = 0; i < len; i++) {
        said[i] = text[i % (sizeof text - 1)];
    }
    bool ok = atls_session_write_all(s, said, len, 10000, err);
    while (ok && got < len) {
        size_t n = 0;
        ok = atls_session_read_blocking(s, heard + got, len - got, &n, 10000, err) == ATLS_STEP_DONE;
        got += n;
    }
    ok = ok && memcmp(said, heard, len) == 0;
    free(said);
    free(heard);
    return ok;
}

static bool talk(atls_session *s, atls_error *err)
{
    return atls_session_result(s)->grade == ATLS_GRADE_SESSION && echoes(s, 5, err) && echoes(s, LONG_LEN, err)
           && atls_session_close(s, err) == ATLS_STEP_DONE;
}

static void *visit(void *arg)
{
    guest *g = arg;
    atls_client_options options = g->stage->rig.client_options;
    atls_session *s;
    options.endorse_ctx = g->endorser;
    if (atls_connect("127.0.0.1", g->stage->port, &options, NULL, &s, NULL, &g->err)) {
        g->content = talk(s, &g->err);
        atls_session_free(s);
    }
    return NULL;
}

/* Says nothing, and is let go. */
static void *wait_in_vain(void *arg)
{
    guest *g = arg;
    char byte;
    int fd = dial(g->stage);
    g->content = read(fd, &byte, 1) == 0;
    (void)close(fd);
    return NULL;
}

static void *reset(void *arg)
{
    static const char begin[] = "\x16\x03\x01\x02"; /* of a record that never comes */
    guest *g = arg;
    struct linger hard = {.l_onoff = 1, .l_linger = 0};
    int fd = dial(g->stage);
    g->content = send(fd, begin, 4, MSG_NOSIGNAL) == 4;
    rig_nap(30);
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    (void)close(fd);
    return NULL;
}

/* The client's hello goes with the step that ends the handshake; what it asks for takes 400 ms. */
static void *leave(void *arg)
{
    guest *g = arg;
    atls_client_options options = g->stage->rig.client_options;
    atls_session *s = NULL;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    int fd = dial(g->stage);
    options.endorse_ctx = g->endorser;
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    if (SSL_set_fd(ssl, fd) == 1 && atls_client_session_new(ssl, &options, &s, &g->err)) {
        while (atls_session_step(s, &g->err) != ATLS_STEP_FAILED && SSL_is_init_finished(ssl) != 1) {
            rig_nap(1);
        }
        rig_nap(100);
        g->content = atls_session_step(s, &g->err) == ATLS_STEP_WANT_READ; /* nobody has refused, or answered */
    }
    atls_session_free(s);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    (void)close(fd);
    return NULL;
}

static void send_in(guest *g, const stage *s, void *(*what)(void *))
{
    static const sim_options room = {0};
    *g = (guest){.stage = s};
    assert_true(sim_new(&room, &g->endorser, &g->err));
    assert_int_equal(pthread_create(&g->thread, NULL, what, g), 0);
}

static void see_off(guest *g)
{
    assert_int_equal(pthread_join(g->thread, NULL), 0);
    sim_free(g->endorser);
    if (!g->content) {
        char line[512];
        (void)atls_error_line(&g->err, line, sizeof line);
        fail_msg("%s", line);
    }
}

/* ---- tests ------------------------------------------------------------------------------------------------------------- */

/* All at once. Behind them the server is as it was, and takes the next. */
static void test_crowd(void **state)
{
    static void *(*const strangers[])(void *) = {wait_in_vain, reset, leave};
    (void)state;
    guest all[VISITORS + 3];
    guest last;
    stage s;
    open_stage(&s, simulated, "9", "300", 3000 * rig_patience());
    for (size_t i = 0; i < VISITORS + 3; i++) {
        send_in(&all[i], &s, i < VISITORS ? visit : strangers[i - VISITORS]);
    }
    for (size_t i = 0; i < VISITORS + 3; i++) {
        see_off(&all[i]);
    }
    expect_fds(&s, 0);
    send_in(&last, &s, visit);
    see_off(&last);
    close_stage(&s, "9 connections, ");
}

/* Silent ones take every place, and those who come later wait until their time is over. */
static void test_full_house(void **state)
{
    int silent[PLACES + 6];
    guest late;
    stage s;
    (void)state;
    open_stage(&s, simulated, "71", "300", 1500 * rig_patience());
    for (size_t i = 0; i < PLACES + 6; i++) {
        silent[i] = dial(&s);
        assert_true(silent[i] >= 0);
    }
    expect_fds(&s, PLACES);
    send_in(&late, &s, visit);
    see_off(&late);
    for (size_t i = 0; i < PLACES + 6; i++) {
        char byte;
        assert_int_equal(read(silent[i], &byte, 1), 0);
        assert_int_equal(close(silent[i]), 0);
    }
    close_stage(&s, "71 connections, 1 quotes");
}

/* Its seconds are over while somebody is there. */
static void test_seconds(void **state)
{
    stage s;
    atls_error err = {0};
    atls_session *client;
    char byte;
    size_t n;
    (void)state;
    open_stage(&s, simulated, "100", "3", 2000 * rig_patience());
    assert_true(atls_connect("127.0.0.1", s.port, &s.rig.client_options, NULL, &client, NULL, &err));
    assert_int_not_equal(atls_session_read_blocking(client, &byte, 1, &n, 20000, &err), ATLS_STEP_DONE);
    atls_session_free(client);
    close_stage(&s, "1 connections, 1 quotes");
}

/* Without a generator of quotes nobody is served. */
static void test_as_installed(void **state)
{
    stage s;
    atls_error err = {0};
    atls_session *client;
    (void)state;
    open_stage(&s, installed, "1", "300", 3000 * rig_patience());
    assert_false(atls_connect("127.0.0.1", s.port, &s.rig.client_options, NULL, &client, NULL, &err));
    assert_string_equal(atls_code_name(err.code), "PEER_REFUSED");
    close_stage(&s, "1 connections, 0 quotes");
}

int main(int argc, char **argv)
{
    tap_list l = {0};
    if (argc != 3) {
        fprintf(stderr, "usage: %s EXAMPLE EXAMPLE_AS_INSTALLED\n", argv[0]);
        return 1;
    }
    simulated = argv[1];
    installed = argv[2];
    tap_add(&l, "visitors, and three who do not get that far", test_crowd, NULL);
    tap_add(&l, "a full house", test_full_house, NULL);
    tap_add(&l, "the seconds are over", test_seconds, NULL);
    tap_add(&l, "as installed: no quote, no session", test_as_installed, NULL);
    return tap_run("epoll", &l);
}
