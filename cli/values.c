/* SPDX-License-Identifier: Apache-2.0 */
/* values.c: strict readers for words of the command line. */
#include "values.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "files.h"

#define MAX_HEX_FILE 4096u
#define MAX_ALPN     16u

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trim(atls_bytes in)
{
    while (in.len > 0 && is_space(in.ptr[0])) {
        in = atls_bytes_of(in.ptr + 1, in.len - 1);
    }
    while (in.len > 0 && is_space(in.ptr[in.len - 1])) {
        in.len--;
    }
    return in;
}

bool cli_hex(const char *word, const char *field, size_t min, size_t max, atls_arena *a, atls_bytes *out,
             atls_error *err)
{
    atls_bytes digits = atls_bytes_str(word);
    if (word[0] == '@') {
        if (!cli_read(word + 1, field, MAX_HEX_FILE, a, &digits, err)) {
            return false;
        }
        digits = trim(digits);
    }
    size_t n = digits.len / 2;
    uint8_t *bytes = atls_arena_raw(a, n + 1, err);
    if (bytes == NULL) {
        return false;
    }
    if (digits.len % 2 != 0 || n < min || n > max || !atls_hex_fixed(digits, bytes, n)) {
        if (min == max) {
            return atls_fail(err, ATLS_E_USAGE, field, "wants exactly %zu hex digits", 2 * min);
        }
        return atls_fail(err, ATLS_E_USAGE, field, "wants %zu to %zu hex digits, an even number", 2 * min, 2 * max);
    }
    *out = atls_bytes_of(bytes, n);
    return true;
}

bool cli_time(const char *word, const char *field, atls_time *out, atls_error *err)
{
    if (word == NULL) {
        *out = cli_now();
        return true;
    }
    if (!atls_time_parse(atls_bytes_str(word), out) || *out == ATLS_TIME_UNSET) {
        return atls_fail(err, ATLS_E_USAGE, field, "wants a time as YYYY-MM-DDTHH:MM:SSZ, in UTC");
    }
    return true;
}

bool cli_number(const char *word, const char *field, uint32_t min, uint32_t max, uint32_t *out, atls_error *err)
{
    if (word == NULL) {
        return true;
    }
    uint64_t value = 0;
    size_t len = strlen(word);
    bool ok = len > 0 && len <= 10;
    for (size_t i = 0; ok && i < len; i++) {
        ok = word[i] >= '0' && word[i] <= '9';
        value = value * 10 + (uint64_t)(word[i] - '0');
    }
    if (!ok || value < min || value > max) {
        return atls_fail(err, ATLS_E_USAGE, field, "wants a number from %u to %u", (unsigned)min, (unsigned)max);
    }
    *out = (uint32_t)value;
    return true;
}

bool cli_random(uint8_t *out, size_t n, atls_error *err)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, out, n); /* up to 256 bytes come whole */
    if (fd >= 0) {
        (void)close(fd);
    }
    return got == (ssize_t)n || atls_fail(err, ATLS_E_INTERNAL, "/dev/urandom", "no random bytes");
}

bool cli_pin(const char *word, const char *field, atls_arena *a, uint8_t out[32], atls_error *err)
{
    static const char prefix[] = "sha256//";
    atls_error ignored = {0}; /* the error below says what is wanted, which helps more than where base64 went wrong */
    atls_bytes value = atls_bytes_empty();
    if (strncmp(word, prefix, sizeof prefix - 1) == 0
        && atls_base64_decode(atls_bytes_str(word + sizeof prefix - 1), false, field, a, &value, &ignored)
        && value.len == 32) {
        memcpy(out, value.ptr, 32);
        return true;
    }
    if (atls_hex_fixed(atls_bytes_str(word), out, 32)) {
        return true;
    }
    return atls_fail(err, ATLS_E_USAGE, field,
                     "wants sha256//BASE64 or 64 hex digits: SHA-256 of the public key (SPKI)");
}

static bool address_port(const char *word, atls_arena *a, cli_address *out, atls_error *err)
{
    uint32_t port = 0;
    if (!cli_number(word, "HOST:PORT", 1, 65535, &port, err)) {
        return false;
    }
    out->port = atls_text_format(a, err, "%u", (unsigned)port);
    return out->port != NULL;
}

static bool address_host(atls_bytes host, atls_arena *a, cli_address *out, atls_error *err)
{
    if (host.len == 0 || host.len > 255) {
        return atls_fail(err, ATLS_E_USAGE, "HOST:PORT", "the host is missing or too long");
    }
    out->host = atls_text_copy(host, a, err);
    return out->host != NULL;
}

bool cli_address_parse(const char *word, atls_arena *a, cli_address *out, atls_error *err)
{
    const char *first = strchr(word, ':');
    if (first != NULL && strncmp(first, "://", 3) == 0) {
        const size_t len = strcspn(first + 3, "/?#");
        return atls_fail(err, ATLS_E_USAGE, "HOST:PORT", "wants no URL: write %.*s%s", len > 80 ? 80 : (int)len,
                         first + 3, memchr(first + 3, ':', len) == NULL ? ":443" : "");
    }
    if (word[0] == '[') {
        const char *end = strchr(word, ']');
        if (end == NULL || (end[1] != 0 && end[1] != ':')) {
            return atls_fail(err, ATLS_E_USAGE, "HOST:PORT", "wants [ADDRESS]:PORT");
        }
        return address_host(atls_bytes_of(word + 1, (size_t)(end - word - 1)), a, out, err)
               && address_port(end[1] == ':' ? end + 2 : "443", a, out, err);
    }
    if (first != NULL && strchr(first + 1, ':') != NULL) {
        return atls_fail(err, ATLS_E_USAGE, "HOST:PORT", "an IPv6 address stands in brackets: [ADDRESS]:PORT");
    }
    size_t host_len = first == NULL ? strlen(word) : (size_t)(first - word);
    return address_host(atls_bytes_of(word, host_len), a, out, err)
           && address_port(first == NULL ? "443" : first + 1, a, out, err);
}

bool cli_alpn(const char *word, const char *field, atls_arena *a, const char *const **out, atls_error *err)
{
    *out = NULL;
    if (word == NULL) {
        return true;
    }
    const char **names = atls_arena_array(a, MAX_ALPN + 1, sizeof *names, err);
    if (names == NULL) {
        return false;
    }
    size_t n = 0;
    for (const char *at = word;;) {
        const char *comma = strchr(at, ',');
        size_t len = comma == NULL ? strlen(at) : (size_t)(comma - at);
        if (len == 0 || len > 255 || n == MAX_ALPN) {
            return atls_fail(err, ATLS_E_USAGE, field, "wants 1 to %u names of 1 to 255 bytes: http/1.1,NAME",
                             MAX_ALPN);
        }
        names[n] = atls_text_copy(atls_bytes_of(at, len), a, err);
        if (names[n++] == NULL) {
            return false;
        }
        if (comma == NULL) {
            break;
        }
        at = comma + 1;
    }
    *out = names;
    return true;
}

bool cli_profile(const char *text, const char *option, unsigned *out, atls_error *err)
{
    static const struct {
        const char *name;
        unsigned bit;
    } profiles[] = {{"atls/1", ATLS_PROFILE_NATIVE},
                    {"dstack", ATLS_PROFILE_DSTACK},
                    {"constellation", ATLS_PROFILE_CONSTELLATION}};
    for (size_t i = 0; i < sizeof profiles / sizeof profiles[0]; i++) {
        if (strcmp(text, profiles[i].name) == 0) {
            *out = profiles[i].bit;
            return true;
        }
    }
    return atls_fail(err, ATLS_E_USAGE, option, "wants atls/1, dstack or constellation");
}
