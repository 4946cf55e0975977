/* SPDX-License-Identifier: Apache-2.0 */
/* store_url.c: addresses of stores. What is not of the form is refused; nothing is guessed. */
#include "store_url.h"

#include <string.h>

#include "base/text.h"

#define FIELD      "store"
#define REDIS_PORT 6379u
#define MAX_DB     1023u

static bool refuse(atls_error *err, const char *why)
{
    (void)atls_fail(err, ATLS_E_CONFIGURATION, FIELD, "%s", why);
    return false;
}

/* text begins with prefix: *rest is what follows. */
static bool after(atls_bytes text, const char *prefix, atls_bytes *rest)
{
    const size_t n = strlen(prefix);
    if (text.len < n || !atls_bytes_equal_str(atls_bytes_of(text.ptr, n), prefix)) {
        return false;
    }
    *rest = atls_bytes_of(text.ptr + n, text.len - n);
    return true;
}

/* Where c stands first; text.len when nowhere. */
static size_t find(atls_bytes text, char c)
{
    size_t i = 0;
    while (i < text.len && text.ptr[i] != (uint8_t)c) {
        i++;
    }
    return i;
}

static atls_bytes cut(atls_bytes text, size_t from, size_t to)
{
    return atls_bytes_of(text.ptr + from, to - from);
}

static bool is_printable(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return true;
}

static bool copy(atls_bytes in, char *out, size_t size)
{
    if (in.len >= size) {
        return false;
    }
    memcpy(out, in.ptr, in.len);
    out[in.len] = '\0';
    return true;
}

/* Decimal without leading zeros, up to max. */
static bool read_number(atls_bytes text, uint32_t max, uint16_t *out)
{
    uint32_t value = 0;
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out = (uint16_t)value;
    return value <= max;
}

/* ---- paths --------------------------------------------------------------------------------------------------------------- */

/* A path of SQLite's that begins otherwise than with a slash or a dot may mean something to it (":memory:", "file:"). */
static bool read_path(atls_bytes rest, size_t max_len, atls_store_url *out, atls_error *err)
{
    const char *before = rest.len > 0 && rest.ptr[0] == '/' ? "" : "./";
    const size_t n = strlen(before);
    if (rest.len == 0 || rest.ptr[rest.len - 1] == '/') {
        return refuse(err, "the address of the store names no file");
    }
    if (n + rest.len > max_len) {
        return refuse(err, "the path of the store is too long");
    }
    memcpy(out->path, before, n);
    memcpy(out->path + n, rest.ptr, rest.len);
    out->path[n + rest.len] = '\0';
    return true;
}

/* ---- redis: -------------------------------------------------------------------------------------------------------------- */

static bool decode(atls_bytes in, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.ptr[i];
        if (c == '%') {
            if (in.len - i < 3 || !atls_hex_fixed(cut(in, i + 1, i + 3), &c, 1) || c == 0) {
                return false;
            }
            i += 2;
        }
        if (n + 1 >= size) {
            return false;
        }
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

/* [user]:password */
static bool read_login(atls_bytes login, atls_store_url *out, atls_error *err)
{
    const size_t colon = find(login, ':');
    if (colon == login.len || colon + 1 == login.len) {
        return refuse(err, "what stands before @ in the store's address is [user]:password");
    }
    if (!decode(cut(login, 0, colon), out->user, sizeof out->user)
        || !decode(cut(login, colon + 1, login.len), out->password, sizeof out->password)) {
        return refuse(err, "user or password in the store's address is too long, or has a % that is no %XX");
    }
    return true;
}

static bool is_host(atls_bytes host, const char *more)
{
    for (size_t i = 0; i < host.len; i++) {
        const uint8_t c = host.ptr[i];
        const uint8_t lower = (uint8_t)(c | 0x20u);
        if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'z') && strchr(more, c) == NULL) {
            return false;
        }
    }
    return host.len > 0;
}

/* host[:port], [v6][:port] */
static bool read_place(atls_bytes place, atls_store_url *out, atls_error *err)
{
    const bool is_v6 = place.len > 0 && place.ptr[0] == '[';
    const size_t from = is_v6 ? 1 : 0;
    const size_t end = is_v6 ? find(place, ']') : find(place, ':');
    const size_t next = is_v6 ? end + 1 : end;
    if (next > place.len || !is_host(cut(place, from, end), is_v6 ? ":." : ".-_")
        || !copy(cut(place, from, end), out->host, sizeof out->host)) {
        return refuse(err, "the address of the store names no host");
    }
    out->port = REDIS_PORT;
    if (next == place.len) {
        return true;
    }
    if (place.ptr[next] != ':' || !read_number(cut(place, next + 1, place.len), UINT16_MAX, &out->port)
        || out->port == 0) {
        return refuse(err, "the port of the store is a number from 1 to 65535");
    }
    return true;
}

static bool read_redis(atls_bytes rest, atls_store_url *out, atls_error *err)
{
    size_t at = rest.len; /* of the last @: a password may hold one */
    for (size_t i = 0; i < rest.len; i++) {
        at = rest.ptr[i] == '@' ? i : at;
    }
    if (at < rest.len) {
        if (!read_login(cut(rest, 0, at), out, err)) {
            return false;
        }
        rest = cut(rest, at + 1, rest.len);
    }
    const size_t slash = find(rest, '/');
    if (!read_place(cut(rest, 0, slash), out, err)) {
        return false;
    }
    if (slash + 1 < rest.len && !read_number(cut(rest, slash + 1, rest.len), MAX_DB, &out->db)) {
        return refuse(err, "what follows the host in the store's address is the number of a database, 0 to 1023");
    }
    return true;
}

static bool parse(atls_bytes text, atls_store_url *out, atls_error *err)
{
    atls_bytes rest;
    if (text.len > ATLS_STORE_PATH_SIZE || !is_printable(text)) {
        return refuse(err, "the address of a store has at most 1024 characters, none of them blank");
    }
    if (atls_bytes_equal_str(text, "memory:")) {
        out->scheme = ATLS_STORE_MEMORY;
        return true;
    }
    if (after(text, "sqlite:", &rest)) {
        out->scheme = ATLS_STORE_SQLITE;
        return read_path(rest, ATLS_STORE_PATH_SIZE - 1, out, err);
    }
    if (after(text, "redis+unix:", &rest)) {
        out->scheme = ATLS_STORE_REDIS_UNIX;
        return read_path(rest, ATLS_STORE_SOCKET_LEN, out, err);
    }
    if (after(text, "redis://", &rest)) {
        out->scheme = ATLS_STORE_REDIS;
        return read_redis(rest, out, err);
    }
    if (after(text, "rediss:", &rest)) {
        return atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, FIELD, "redis:, redis+unix:", "rediss:",
                                     "Redis over TLS is not in this build: put a tunnel before it, and use its socket");
    }
    return refuse(err, "the address of a store begins with memory:, sqlite:, redis:// or redis+unix:");
}

bool atls_store_url_parse(atls_bytes text, atls_store_url *out, atls_error *err)
{
    *out = (atls_store_url){.scheme = ATLS_STORE_NONE};
    if (parse(text, out, err)) {
        return true;
    }
    atls_wipe(out, sizeof *out);
    return false;
}
