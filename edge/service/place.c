/* SPDX-License-Identifier: Apache-2.0 */
/* place.c: reads an address and a port. */
#include "place.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static bool read_port(const char *text, uint16_t *out)
{
    unsigned port = 0;
    const size_t n = strlen(text);
    if (n == 0 || n > 5) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        port = port * 10 + (unsigned)(text[i] - '0');
    }
    *out = (uint16_t)port;
    return port <= 65535;
}

static bool read_host(const char *host, uint16_t port, svc_place *out)
{
    struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const size_t n = strlen(host);
    char bare[INET6_ADDRSTRLEN] = "";
    if (inet_pton(AF_INET, host, &in4.sin_addr) == 1) {
        memcpy(&out->address, &in4, sizeof in4);
        out->len = sizeof in4;
        out->is_loopback = (ntohl(in4.sin_addr.s_addr) >> 24) == 127;
        return true;
    }
    if (n < 3 || n - 2 >= sizeof bare || host[0] != '[' || host[n - 1] != ']') {
        return false;
    }
    memcpy(bare, host + 1, n - 2);
    if (inet_pton(AF_INET6, bare, &in6.sin6_addr) != 1) {
        return false;
    }
    memcpy(&out->address, &in6, sizeof in6);
    out->len = sizeof in6;
    out->is_loopback = IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
    return true;
}

bool svc_place_parse(const char *text, const char *field, svc_place *out, atls_error *err)
{
    const char *colon = strrchr(text, ':');
    char host[64] = "";
    uint16_t port = 0;
    memset(out, 0, sizeof *out);
    if (colon != NULL && (size_t)(colon - text) < sizeof host && read_port(colon + 1, &port)) {
        memcpy(host, text, (size_t)(colon - text));
        if (read_host(host, port, out)) {
            return true;
        }
    }
    return atls_fail_values(err, ATLS_E_CONFIGURATION, field, "127.0.0.1:8443 or [::1]:8443", text,
                            "this is no address and port in numbers");
}
