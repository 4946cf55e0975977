/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h: which room judges which kind of policy.
 *
 * The policy picks the verifier. Evidence never does: nothing that a peer sends is looked at to choose a row. What can
 * say yes is known when we link. */
#ifndef ATLS_VERIFY_REGISTRY_H
#define ATLS_VERIFY_REGISTRY_H

#include "evidence/format.h"

/* What a kind of policy does with an event log. */
typedef enum registry_log {
    REGISTRY_LOG_NONE,     /* this kind of evidence has none */
    REGISTRY_LOG_OPTIONAL, /* it must replay if it is there, or if the policy asks */
    REGISTRY_LOG_REQUIRED,
    REGISTRY_LOG_OF_ROOM, /* the room reads it itself */
} registry_log;

typedef struct registry_row {
    atls_policy_type type;
    atls_platform platform; /* the only TEE that satisfies this kind of policy */
    const atls_format *(*format)(void);
    registry_log log;
    bool dstack; /* the log is dstack's: its events are appraised, too */
} registry_row;

/* atls_registry_find gives the row of a kind of policy, NULL when there is none. Static. */
const registry_row *atls_registry_find(atls_policy_type type);

/* atls_registry_format gives the room for evidence of a platform, NULL when there is none. Static. */
const atls_format *atls_registry_format(atls_platform platform);

#endif
