/* SPDX-License-Identifier: Apache-2.0 */
/* dstack_agent.h: what the survey of the machine asks of dstack's guest agent. */
#ifndef ATLS_EDGE_ATTESTER_DSTACK_AGENT_H
#define ATLS_EDGE_ATTESTER_DSTACK_AGENT_H

#include "atls/attester.h"

#define ATLS_N_DSTACK_SOCKETS 4
extern const char *const atls_dstack_sockets[ATLS_N_DSTACK_SOCKETS];

/* atls_dstack_dial connects to the socket. Gives 0 or an errno value; *fd is the caller's, non-blocking. */
int atls_dstack_dial(const char *path, int *fd);

#endif
