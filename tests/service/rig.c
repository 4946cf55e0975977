/* SPDX-License-Identifier: Apache-2.0 */
/* rig.c: temporary folders, nonces, and a Redis server of the test's own. */
#include "rig.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tap.h"

void rig_make_folder(char out[static RIG_PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");
    (void)snprintf(out, RIG_PATH_SIZE, "%s/atls-service-XXXXXX",
                   parent == NULL || strlen(parent) > 60 ? "/tmp" : parent);
    assert_non_null(mkdtemp(out));
}

void rig_remove_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (d == NULL) {
        return;
    }
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d)) {
        char path[1024];
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) {
            continue;
        }
        (void)snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        if (unlink(path) != 0) {
            rig_remove_folder(path);
        }
    }
    (void)closedir(d);
    (void)rmdir(folder);
}

atls_bytes rig_nonce(uint32_t number, uint8_t out[static 32])
{
    for (size_t i = 0; i < 32; i++) {
        out[i] = (uint8_t)(i < 4 ? number >> (8 * i) : 0xa0 + i);
    }
    return atls_bytes_of(out, 32);
}

void rig_pause_ms(unsigned ms)
{
    const struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000L};
    (void)nanosleep(&t, NULL);
}

void rig_die(const atls_error *err)
{
    char line[600];
    (void)atls_error_line(err, line, sizeof line);
    fail_msg("%s", line);
}

/* ---- Redis ------------------------------------------------------------------------------------------------------------------- */

static bool is_installed(void)
{
    const char *path = getenv("PATH");
    char copy[4096];
    (void)snprintf(copy, sizeof copy, "%s:/usr/bin:/usr/local/bin", path == NULL ? "" : path);
    for (char *at = copy; at != NULL;) {
        char file[4200];
        char *colon = strchr(at, ':');
        if (colon != NULL) {
            *colon = '\0';
        }
        (void)snprintf(file, sizeof file, "%s/redis-server", at);
        if (access(file, X_OK) == 0) {
            return true;
        }
        at = colon == NULL ? NULL : colon + 1;
    }
    return false;
}

/* A free one, and not of the range that the system gives to whoever connects: so nobody takes it before Redis does. */
static unsigned find_port(void)
{
    enum { FIRST = 10000, N = 22000 };
    const unsigned begin = (unsigned)getpid() * 7919u % N;
    for (unsigned i = 0; i < N; i++) {
        const unsigned port = FIRST + (begin + i) % N;
        const struct sockaddr_in a = {
            .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        const bool is_free = bind(fd, (const struct sockaddr *)&a, sizeof a) == 0;
        (void)close(fd);
        if (is_free) {
            return port;
        }
    }
    fail_msg("no port is free");
    return 0;
}

static void run_server(const rig_redis *r, const char *const *more)
{
    char socket_path[RIG_PATH_SIZE + 8];
    char port[16];
    const char *words[48] = {"redis-server", "--bind",     "127.0.0.1",   "--port",    port,
                             "--unixsocket", socket_path,  "--daemonize", "no",        "--dir",
                             r->folder,      "--loglevel", "warning",     "--logfile", "redis-server.log"};
    size_t n = 15;
    (void)snprintf(socket_path, sizeof socket_path, "%s/s", r->folder);
    (void)snprintf(port, sizeof port, "%u", r->port);
    for (size_t i = 0; more != NULL && more[i] != NULL && n + 1 < 48; i++) {
        words[n++] = more[i];
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    union {
        const char **in;
        char *const *out;
    } argv = {.in = words};
    (void)execvp(words[0], argv.out);
    _exit(127);
}

static bool answers(const rig_redis *r)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    (void)snprintf(a.sun_path, sizeof a.sun_path, "%s/s", r->folder);
    char answer[16] = "";
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval wait = {.tv_sec = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    const bool ok = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) == 0 && write(fd, "PING\r\n", 6) == 6
                    && read(fd, answer, sizeof answer - 1) > 0;
    (void)close(fd);
    return ok && strncmp(answer, "-LOADING", 8) != 0;
}

void rig_redis_restart(rig_redis *r, const char *const *arguments)
{
    r->pid = fork();
    assert_true(r->pid >= 0);
    if (r->pid == 0) {
        run_server(r, arguments);
    }
    for (unsigned i = 0; i < 1000 && !answers(r); i++) {
        int status = 0;
        assert_int_equal(waitpid(r->pid, &status, WNOHANG), 0);
        rig_pause_ms(10);
    }
    assert_true(answers(r));
}

bool rig_redis_start(rig_redis *r, const char *const *arguments)
{
    *r = (rig_redis){.pid = 0};
    if (!is_installed()) {
        return false;
    }
    rig_make_folder(r->folder);
    r->port = find_port();
    (void)snprintf(r->url, sizeof r->url, "redis+unix:%s/s", r->folder);
    rig_redis_restart(r, arguments);
    return true;
}

void rig_redis_kill(rig_redis *r)
{
    if (r->pid > 0) {
        (void)kill(r->pid, SIGKILL);
        (void)waitpid(r->pid, NULL, 0);
    }
    r->pid = 0;
}

void rig_redis_end(rig_redis *r)
{
    rig_redis_kill(r);
    if (r->folder[0] != '\0') {
        rig_remove_folder(r->folder);
    }
}
