/* SPDX-License-Identifier: Apache-2.0 */
/* http_header.h: what http.c and http_header.c share: reading one complete header block, and failing. */
#ifndef ATLS_EDGE_TLS_HTTP_HEADER_H
#define ATLS_EDGE_TLS_HTTP_HEADER_H

#include "http.h"

/* atls_http_header_read reads the block in h->header, whose lines are known to be well-formed, into h->facts and judges
 * it. Errors: IO; h->answer says what a request deserves. */
ATLS_MUST_USE bool atls_http_header_read(atls_http *h, atls_error *err);

/* atls_http_fail sets IO with field "<prefix>.<field>" and returns false. expected and actual may be NULL. */
bool atls_http_fail(const atls_http *h, atls_error *err, const char *field, const char *expected, const char *actual,
                    const char *message, ...) ATLS_PRINTF(6, 7);

/* atls_http_too_long says that the body is over its cap. */
bool atls_http_too_long(const atls_http *h, atls_error *err);

#endif
