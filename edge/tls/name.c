/* SPDX-License-Identifier: Apache-2.0 */
/* name.c: server names and Host headers. */
#include "name.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define MAX_LABEL_LEN 63u

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alphanumeric(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool atls_name_is_ip(const char *text)
{
    struct in_addr v4;
    struct in6_addr v6;
    return inet_pton(AF_INET, text, &v4) == 1 || inet_pton(AF_INET6, text, &v6) == 1;
}

/* Gives the length of a label at text, 0 when there is none. */
static size_t label_len(const char *text, bool *all_digits)
{
    size_t n = 0;
    *all_digits = true;
    while (is_alphanumeric(text[n]) || text[n] == '-') {
        *all_digits = *all_digits && is_digit(text[n]);
        n++;
    }
    bool hyphen_at_end = n > 0 && (text[0] == '-' || text[n - 1] == '-');
    return n > MAX_LABEL_LEN || hyphen_at_end ? 0 : n;
}

static bool is_dns_name(const char *name)
{
    if (strlen(name) > ATLS_MAX_DNS_NAME_LEN) {
        return false;
    }
    for (;;) {
        bool all_digits;
        size_t n = label_len(name, &all_digits);
        if (n == 0) {
            return false;
        }
        name += n;
        if (*name == '\0') {
            return !all_digits; /* 1.2.3 and 256.0.0.1 are broken addresses, not names */
        }
        if (*name++ != '.') {
            return false;
        }
    }
}

bool atls_name_check(const char *name, atls_error *err)
{
    if (name == NULL || name[0] == '\0') {
        return atls_fail(err, ATLS_E_INVALID_SERVER_NAME, "server_name", "a server name is required");
    }
    return atls_name_is_ip(name) || is_dns_name(name)
           || atls_fail_values(err, ATLS_E_INVALID_SERVER_NAME, "server_name", "DNS name or IP address", name,
                               "the server name cannot be used");
}

bool atls_name_check_host(const char *host, atls_error *err)
{
    static const char others[] = "-._~%!$&'()*+,;=:[]";
    size_t n = 0;
    while (host[n] != '\0' && (is_alphanumeric(host[n]) || strchr(others, host[n]) != NULL)) {
        n++;
    }
    return (host[n] == '\0' && n > 0 && n <= ATLS_MAX_HOST_LEN)
           || atls_fail(err, ATLS_E_INVALID_SERVER_NAME, "http_host", "the Host header cannot be used");
}
