/* SPDX-License-Identifier: Apache-2.0 */
/* fake_agent.h: dstack's guest agent on a unix socket of the test's, from a thread: one connection after another, each read up to
 * the end of its request and answered as the script says. */
#ifndef ATLS_TESTS_EDGE_FAKE_AGENT_H
#define ATLS_TESTS_EDGE_FAKE_AGENT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fake_agent fake_agent;

/* Makes the whole answer over the report data of a request, header included, into out; gives its length. */
typedef size_t (*fake_agent_answer)(void *ctx, const uint8_t report_data[64], char *out, size_t size);

struct fake_agent {
    char path[96];
    fake_agent_answer answer; /* NULL: reads the request and says nothing until it is stopped */
    void *ctx;
    size_t piece; /* bytes a send; 0: all at once */
    int fd;
    int stop[2];
    pthread_t thread;
    char request[2048]; /* the last one */
    size_t request_len;
};

/* fake_agent_start listens at path, which it removes first. fake_agent_stop ends the thread and removes the socket. */
bool fake_agent_start(fake_agent *a, const char *path);
void fake_agent_stop(fake_agent *a);

#endif
