/* SPDX-License-Identifier: Apache-2.0 */
/* store_url.h: addresses of stores (store.h has their forms).
 *
 * User and password may hold %XX; a host is a name, an IPv4 address or an IPv6 address in brackets; a path is taken as it
 * stands, and is "./" PATH where it does not begin with a slash. Nothing of an address is repeated in errors. */
#ifndef ATLS_EDGE_SERVICE_STORE_URL_H
#define ATLS_EDGE_SERVICE_STORE_URL_H

#include "atls/error.h"

typedef enum atls_store_scheme {
    ATLS_STORE_NONE = 0,
    ATLS_STORE_MEMORY,
    ATLS_STORE_SQLITE,
    ATLS_STORE_REDIS,
    ATLS_STORE_REDIS_UNIX,
} atls_store_scheme;

#define ATLS_STORE_PATH_SIZE   1024u
#define ATLS_STORE_HOST_SIZE   256u
#define ATLS_STORE_SECRET_SIZE 256u
#define ATLS_STORE_SOCKET_LEN  107u /* sun_path of Linux, without its NUL */

typedef struct atls_store_url {
    atls_store_scheme scheme;
    char path[ATLS_STORE_PATH_SIZE];       /* SQLITE, REDIS_UNIX */
    char host[ATLS_STORE_HOST_SIZE];       /* REDIS, without brackets */
    uint16_t port;                         /* REDIS: 1 to 65535 */
    uint16_t db;                           /* REDIS: 0 to 1023 */
    char user[ATLS_STORE_SECRET_SIZE];     /* "": the default user */
    char password[ATLS_STORE_SECRET_SIZE]; /* "": none */
} atls_store_url;

/* atls_store_url_parse reads an address. *out is zeroed on failure; the caller wipes it, it may hold a password.
 * Errors: CONFIGURATION, UNSUPPORTED (rediss:). */
ATLS_MUST_USE bool atls_store_url_parse(atls_bytes text, atls_store_url *out, atls_error *err);

#endif
