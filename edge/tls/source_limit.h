/* SPDX-License-Identifier: Apache-2.0 */
/* source_limit.h (edge): a source limit as sessions use it, and with a clock of the test's own. */
#ifndef ATLS_EDGE_TLS_SOURCE_LIMIT_H
#define ATLS_EDGE_TLS_SOURCE_LIMIT_H

#include "atls/source_limit.h"
#include "buckets.h"

/* atls_source_limit_take_at is atls_source_limit_take of an address that was cut already, at a time of the monotonic clock;
 * UINT64_MAX: there is none. */
ATLS_MUST_USE bool atls_source_limit_take_at(atls_source_limit *l, const atls_address *source, uint64_t now_ms,
                                             atls_error *err);

/* atls_address_of_any is atls_address_of, also of nobody's (NULL). */
atls_address atls_address_of_any(const struct sockaddr *source);

#endif
