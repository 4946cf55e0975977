/* SPDX-License-Identifier: Apache-2.0 */
/* swtpm.c: fork, exec, and two free ports in a row, which is what the TCTI wants. */
#include "swtpm.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES 20

static int bind_port(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static unsigned port_of(int fd)
{
    struct sockaddr_in a = {0};
    socklen_t len = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &len) == 0 ? ntohs(a.sin_port) : 0;
}

/* Somebody may take them before swtpm does: then it does not come up, and others are tried. */
static unsigned two_ports(void)
{
    const int first = bind_port(0);
    const unsigned port = first < 0 ? 0 : port_of(first);
    const int second = port == 0 || port > 65534 ? -1 : bind_port(port + 1);
    if (first >= 0) {
        (void)close(first);
    }
    if (second < 0) {
        return 0;
    }
    (void)close(second);
    return port;
}

static void run(const swtpm *t, pid_t parent)
{
    char state[96], server[64], control[64];
    (void)snprintf(state, sizeof state, "dir=%s", t->folder);
    (void)snprintf(server, sizeof server, "type=tcp,bindaddr=127.0.0.1,port=%u", t->port);
    (void)snprintf(control, sizeof control, "type=tcp,bindaddr=127.0.0.1,port=%u", t->port + 1);
    char *argv[] = {(char[]){"swtpm"},
                    (char[]){"socket"},
                    (char[]){"--tpm2"},
                    (char[]){"--tpmstate"},
                    state,
                    (char[]){"--server"},
                    server,
                    (char[]){"--ctrl"},
                    control,
                    (char[]){"--flags"},
                    (char[]){"not-need-init,startup-clear"},
                    NULL};
    const int null = open("/dev/null", O_RDWR);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that dies takes its TPM along */
    if (getppid() != parent || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0) {
        _exit(126);
    }
    (void)execvp(argv[0], argv);
    _exit(127);
}

static bool answers(unsigned port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const bool ok = fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
}

/* The control port is the second that is opened: once it answers both do. */
static bool came_up(swtpm *t, int *status)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; i < 500; i++) {
        if (waitpid(t->pid, status, WNOHANG) == t->pid) {
            t->pid = 0;
            return false;
        }
        if (answers(t->port + 1)) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}

bool swtpm_start(swtpm *t)
{
    int status = 0;
    *t = (swtpm){.folder = "/tmp/atls-swtpm-XXXXXX"};
    if (mkdtemp(t->folder) == NULL) {
        return false;
    }
    for (int i = 0; i < TRIES; i++) {
        t->port = two_ports();
        if (t->port == 0) {
            continue;
        }
        const pid_t parent = getpid();
        t->pid = fork();
        if (t->pid == 0) {
            run(t, parent);
        }
        if (t->pid > 0 && came_up(t, &status)) {
            (void)snprintf(t->tcti, sizeof t->tcti, "swtpm:host=127.0.0.1,port=%u", t->port);
            return true;
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
            (void)fprintf(stderr, "# swtpm is not installed\n");
            break;
        }
    }
    swtpm_stop(t);
    return false;
}

/* A TPM's state is a few files, and no folders. */
static void remove_folder(const char *path)
{
    DIR *dir = opendir(path);
    for (const struct dirent *e = dir == NULL ? NULL : readdir(dir); e != NULL; e = readdir(dir)) {
        (void)unlinkat(dirfd(dir), e->d_name, 0);
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    (void)rmdir(path);
}

void swtpm_stop(swtpm *t)
{
    if (t->pid > 0) {
        (void)kill(t->pid, SIGKILL);
        (void)waitpid(t->pid, NULL, 0);
    }
    if (t->folder[0] != 0) {
        remove_folder(t->folder);
    }
    *t = (swtpm){0};
}
