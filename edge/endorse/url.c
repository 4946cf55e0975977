/* SPDX-License-Identifier: Apache-2.0 */
/* url.c: addresses of sources. libcurl parses them again; what it could read otherwise than we do is not let through. */
#include "url.h"

#include <stdio.h>
#include <string.h>

#define HTTPS        "https://"
#define HTTP         "http://"
#define MAX_BASE_LEN 255u

static bool refuse(const char *field, const char *why, atls_error *err)
{
    (void)atls_fail(err, ATLS_E_CONFIGURATION, field, "%s", why);
    return false;
}

static const char *after(const char *text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

/* host[:port] of what follows the scheme */
static size_t authority_len(const char *rest)
{
    return strcspn(rest, "/?");
}

static bool is_dotted_loopback(const char *host, size_t n)
{
    if (n < 4 || strncmp(host, "127.", 4) != 0) {
        return false;
    }
    return strspn(host, "0123456789.") >= n;
}

static bool is_loopback(const char *rest)
{
    const size_t n = authority_len(rest);
    if (rest[0] == '[') {
        return strncmp(rest, "[::1]", 5) == 0 && (n == 5 || rest[5] == ':');
    }
    const size_t colon = strcspn(rest, ":");
    const size_t host = colon < n ? colon : n;
    return (host == 9 && strncmp(rest, "localhost", 9) == 0) || is_dotted_loopback(rest, host);
}

static bool is_plain(const char *url)
{
    for (const char *p = url; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~' || strchr("@#\\\"'<>`{}|^", *p) != NULL) {
            return false;
        }
    }
    return true;
}

bool atls_url_check(const char *url, bool any_http, const char *field, atls_error *err)
{
    if (strlen(url) >= ATLS_URL_SIZE || !is_plain(url)) {
        return refuse(field, "an address is short and of plain characters, without user and fragment", err);
    }
    const char *rest = after(url, HTTPS);
    if (rest == NULL) {
        rest = after(url, HTTP);
        if (rest == NULL) {
            return refuse(field, "an address begins with https://", err);
        }
        if (!any_http && !is_loopback(rest)) {
            return refuse(field, "http is for this machine only (insecure_http lets it be any)", err);
        }
    }
    const size_t n = authority_len(rest);
    return (n > 0 && rest[0] != ':') || refuse(field, "the address names no host", err);
}

static void cut_end(char *text, const char *end)
{
    const size_t len = strlen(text);
    const size_t n = strlen(end);
    if (len >= n && strcmp(text + len - n, end) == 0) {
        text[len - n] = '\0';
    }
}

static void cut_slashes(char *text)
{
    size_t len = strlen(text);
    while (len > 0 && text[len - 1] == '/') {
        text[--len] = '\0';
    }
}

bool atls_url_base(const char *url, bool any_http, const char *field, char out[static ATLS_URL_SIZE], atls_error *err)
{
    if (!atls_url_check(url, any_http, field, err)) {
        return false;
    }
    if (strlen(url) > MAX_BASE_LEN || strchr(url, '?') != NULL) {
        return refuse(field, "the address of a source has at most 255 characters, and no query", err);
    }
    (void)snprintf(out, ATLS_URL_SIZE, "%s", url);
    cut_slashes(out);
    cut_end(out, "/sgx/certification/v4");
    cut_end(out, "/tdx/certification/v4");
    cut_slashes(out);
    return true;
}

static const char *rest_of(const char *url)
{
    const char *colon = strstr(url, "://");
    return colon == NULL ? url : colon + 3;
}

void atls_url_host(const char *url, char *out, size_t size)
{
    const char *rest = rest_of(url);
    (void)snprintf(out, size, "%.*s", (int)authority_len(rest), rest);
}

static unsigned lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (unsigned)c | 0x20u : (unsigned char)c;
}

bool atls_url_origin_equal(const char *a, const char *b)
{
    const size_t n = (size_t)(rest_of(a) - a) + authority_len(rest_of(a));
    const size_t m = (size_t)(rest_of(b) - b) + authority_len(rest_of(b));
    bool same = n == m;
    for (size_t i = 0; same && i < n; i++) {
        same = lower(a[i]) == lower(b[i]);
    }
    return same;
}
