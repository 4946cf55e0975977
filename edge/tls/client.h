/* SPDX-License-Identifier: Apache-2.0 */
/* client.h: a client's session whose SSL is still to come (blocking.c). */
#ifndef ATLS_EDGE_TLS_CLIENT_H
#define ATLS_EDGE_TLS_CLIENT_H

#include "session.h"

/* atls_client_prepare checks options, policy first and names then, and makes a session without an SSL.
 * atls_client_configure (session.h) then gives it one. Errors: CONFIGURATION, INVALID_SERVER_NAME, MEMORY. */
ATLS_MUST_USE bool atls_client_prepare(const atls_client_options *options, atls_session **out, atls_error *err);

#endif
