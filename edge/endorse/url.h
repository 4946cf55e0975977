/* SPDX-License-Identifier: Apache-2.0 */
/* url.h: the few rules for addresses of sources. Pure. */
#ifndef ATLS_EDGE_ENDORSE_URL_H
#define ATLS_EDGE_ENDORSE_URL_H

#include "atls/error.h"

#define ATLS_URL_SIZE 512u /* of any address, with its NUL */

/* atls_url_check wants https://host[:port][/path], printable ASCII, without user, fragment, quotes and blanks; http where the
 * host is this machine, or where any_http. Errors: CONFIGURATION with `field`. */
ATLS_MUST_USE bool atls_url_check(const char *url, bool any_http, const char *field, atls_error *err);

/* atls_url_base is atls_url_check for the address of a source, which has no query, and writes it without slashes at its end and
 * without /sgx/certification/v4 or /tdx/certification/v4. At most 255 characters. Errors: same. */
ATLS_MUST_USE bool atls_url_base(const char *url, bool any_http, const char *field, char out[static ATLS_URL_SIZE],
                                 atls_error *err);

/* atls_url_host writes "host[:port]" as it stands in a checked address, cut at size. */
void atls_url_host(const char *url, char *out, size_t size);

/* atls_url_origin_equal tells whether two checked addresses have the same scheme, host and port, letter for letter but for
 * case. */
bool atls_url_origin_equal(const char *a, const char *b);

#endif
