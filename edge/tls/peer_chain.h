/* SPDX-License-Identifier: Apache-2.0 */
/* peer_chain.h: tells the caller which certificates the server sent, before anything is decided about them. */
#ifndef ATLS_EDGE_TLS_PEER_CHAIN_H
#define ATLS_EDGE_TLS_PEER_CHAIN_H

#include "session.h"

/* atls_peer_chain_tell calls on_certificates of a client's session with this chain (leaf first; NULL or empty: not yet
 * known), unless it has been called. Never fails: it is a courtesy. */
void atls_peer_chain_tell(atls_session *s, const STACK_OF(X509) * chain);

#endif
