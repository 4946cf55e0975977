/* SPDX-License-Identifier: Apache-2.0 */
/* rig.h: temporary folders, nonces, and a Redis server of the test's own. */
#ifndef ATLS_TESTS_SERVICE_RIG_H
#define ATLS_TESTS_SERVICE_RIG_H

#include <sys/types.h>

#include "edge/service/store.h"

#define RIG_NOW       ((int64_t)1800000000000) /* 2027-01-15T08:00:00Z */
#define RIG_PATH_SIZE 96

/* A folder under TMPDIR or /tmp, gone with all that is in it after rig_remove_folder. */
void rig_make_folder(char out[static RIG_PATH_SIZE]);
void rig_remove_folder(const char *folder);

/* A nonce of 32 bytes that is always the same one for a number; in out. */
atls_bytes rig_nonce(uint32_t number, uint8_t out[static 32]);

void rig_pause_ms(unsigned ms);

/* Ends the test with err's line. */
void rig_die(const atls_error *err);

/* A server in a folder of its own: a socket, and a port of the loopback. */
typedef struct rig_redis {
    pid_t pid; /* 0: it is not there */
    char folder[RIG_PATH_SIZE];
    char url[RIG_PATH_SIZE + 32]; /* redis+unix:... */
    unsigned port;
} rig_redis;

/* False: redis-server is not installed. `arguments` end with NULL, and may be NULL. */
bool rig_redis_start(rig_redis *r, const char *const *arguments);
void rig_redis_kill(rig_redis *r); /* as kill -9 */
/* The folder and what it saved are still there. It lives no longer than the thread that calls this. */
void rig_redis_restart(rig_redis *r, const char *const *arguments);
void rig_redis_end(rig_redis *r);

#endif
