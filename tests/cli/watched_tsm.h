/* SPDX-License-Identifier: Apache-2.0 */
/* watched_tsm.h: configfs-tsm played on a plain folder by a thread, for the real program with its real system calls: an entry
 * that appears gets its attributes, a request in inblob gets its report and is counted. What a plain folder cannot play,
 * refusals and interference, is in tests/edge/fake_kernel.h. */
#ifndef ATLS_TESTS_CLI_WATCHED_TSM_H
#define ATLS_TESTS_CLI_WATCHED_TSM_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Makes outblob over what was asked; gives its length. */
typedef size_t (*watched_tsm_make)(void *ctx, const uint8_t inblob[64], uint8_t *out, size_t size);

typedef struct watched_tsm {
    char folder[300];
    const char *provider;
    watched_tsm_make make;
    void *ctx;
    unsigned n_reports;
    pthread_t thread;
    pthread_mutex_t lock;
    bool stop;
} watched_tsm;

/* watched_tsm_start watches a folder that is there. watched_tsm_stop ends the thread and empties the folder. */
bool watched_tsm_start(watched_tsm *w, const char *folder);
void watched_tsm_stop(watched_tsm *w);

#endif
