/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_store_url.c: atls_store_url_parse, over any text. What is read is complete, bounded and printable; what is refused leaves
 * nothing; an error repeats nothing of the address. */
#include <string.h>

#include "edge/service/store_url.h"
#include "fuzz.h"

static bool is_text(const char *text, size_t size)
{
    const size_t n = strnlen(text, size);
    for (size_t i = 0; i < n; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return n < size;
}

static void check_read(const atls_store_url *u)
{
    FUZZ_ASSERT(is_text(u->path, sizeof u->path) && is_text(u->host, sizeof u->host));
    FUZZ_ASSERT(strnlen(u->user, sizeof u->user) < sizeof u->user);
    FUZZ_ASSERT(strnlen(u->password, sizeof u->password) < sizeof u->password);
    FUZZ_ASSERT(u->user[0] == '\0' || u->password[0] != '\0');
    switch (u->scheme) {
    case ATLS_STORE_MEMORY:
        FUZZ_ASSERT(u->path[0] == '\0' && u->host[0] == '\0');
        return;
    case ATLS_STORE_SQLITE:
        FUZZ_ASSERT((u->path[0] == '/' || strncmp(u->path, "./", 2) == 0) && u->host[0] == '\0');
        return;
    case ATLS_STORE_REDIS_UNIX:
        FUZZ_ASSERT(u->path[0] != '\0' && strlen(u->path) <= ATLS_STORE_SOCKET_LEN && u->host[0] == '\0');
        return;
    case ATLS_STORE_REDIS:
        FUZZ_ASSERT(u->path[0] == '\0' && u->host[0] != '\0' && strchr(u->host, '@') == NULL && u->port != 0);
        FUZZ_ASSERT(u->db <= 1023);
        return;
    case ATLS_STORE_NONE:
        break;
    }
    FUZZ_ASSERT(false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const atls_store_url none;
    atls_store_url u;
    atls_error err = {.code = ATLS_OK};
    const bool ok = atls_store_url_parse(atls_bytes_of(data, size), &u, &err);
    FUZZ_ASSERT(ok == (err.code == ATLS_OK));
    if (ok) {
        check_read(&u);
    } else {
        FUZZ_ASSERT(memcmp(&u, &none, sizeof u) == 0);
    }
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const fuzz_literal seeds[] = {
        FUZZ_TEXT("memory:"),
        FUZZ_TEXT("sqlite:/var/lib/atls/challenges.db"),
        FUZZ_TEXT("redis://user:pa%40ss@host.example:6379/15"),
        FUZZ_TEXT("redis://:p@[::1]:1/0"),
        FUZZ_TEXT("redis+unix:/run/redis.sock"),
        FUZZ_TEXT("rediss://host"),
    };
    return fuzz_seed_of(seeds, sizeof seeds / sizeof seeds[0], index, out, cap);
}
