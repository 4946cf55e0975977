/* SPDX-License-Identifier: Apache-2.0 */
/* swtpm.h: a real software TPM for a test: started on loopback, stopped whatever happens, the end of the test included. */
#ifndef ATLS_TESTS_EDGE_SWTPM_H
#define ATLS_TESTS_EDGE_SWTPM_H

#include <stdbool.h>
#include <sys/types.h>

typedef struct swtpm {
    pid_t pid; /* 0: none */
    unsigned port;
    char folder[64];
    char tcti[64]; /* "swtpm:host=127.0.0.1,port=..." */
} swtpm;

/* swtpm_start makes a TPM of its own, manufactured and started. False when there is no swtpm here, or it does not start;
 * a line on stderr says which. */
bool swtpm_start(swtpm *t);
void swtpm_stop(swtpm *t);

#endif
