/* SPDX-License-Identifier: Apache-2.0 */
/* place.h: addresses to listen at, as text: "127.0.0.1:8443", "[::1]:8443". Numbers only: a service does not wait for a resolver. */
#ifndef ATLS_EDGE_SERVICE_PLACE_H
#define ATLS_EDGE_SERVICE_PLACE_H

#include <sys/socket.h>

#include "atls/error.h"

typedef struct svc_place {
    struct sockaddr_storage address;
    socklen_t len;
    bool is_loopback;
} svc_place;

/* svc_place_parse reads one. Errors: CONFIGURATION with `field`. */
ATLS_MUST_USE bool svc_place_parse(const char *text, const char *field, svc_place *out, atls_error *err);

#endif
