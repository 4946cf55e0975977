/* SPDX-License-Identifier: Apache-2.0 */
/* name.h: names that come from the caller and go into SNI, into a certificate check and into a Host header. */
#ifndef ATLS_EDGE_TLS_NAME_H
#define ATLS_EDGE_TLS_NAME_H

#include "atls/error.h"

#define ATLS_MAX_HOST_LEN 320u /* a DNS name or address with brackets and port */

/* atls_name_is_ip tells whether text is an IPv4 or IPv6 address, without brackets or zone. */
bool atls_name_is_ip(const char *text);

#define ATLS_MAX_DNS_NAME_LEN 253u

/* atls_name_check wants a DNS name (labels of letters, digits and hyphens, 1 to 63 bytes, together at most 253, the
 * last one not all digits, no dot at the end) or an IP address. Errors: INVALID_SERVER_NAME with field "server_name".
 */
ATLS_MUST_USE bool atls_name_check(const char *name, atls_error *err);

/* atls_name_check_host wants what may stand in a Host header: 1 to ATLS_MAX_HOST_LEN bytes of RFC 3986 host and port,
 * so that nothing can end the line or the value. Errors: INVALID_SERVER_NAME with field "http_host". */
ATLS_MUST_USE bool atls_name_check_host(const char *host, atls_error *err);

#endif
