/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.c: borrowed slices, one equality and one wipe. */
#include "atls/bytes.h"

#include <string.h>

static const uint8_t nothing = 0;

atls_bytes atls_bytes_empty(void)
{
    return (atls_bytes){&nothing, 0};
}

atls_bytes atls_bytes_of(const void *ptr, size_t len)
{
    if (ptr == NULL) {
        return atls_bytes_empty();
    }
    return (atls_bytes){ptr, len};
}

atls_bytes atls_bytes_str(const char *text)
{
    return text == NULL ? atls_bytes_empty() : atls_bytes_of(text, strlen(text));
}

bool atls_bytes_equal(atls_bytes a, atls_bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    uint8_t difference = 0;
    for (size_t i = 0; i < a.len; i++) {
        difference = (uint8_t)(difference | (a.ptr[i] ^ b.ptr[i]));
    }
    return difference == 0;
}

bool atls_bytes_equal_str(atls_bytes a, const char *text)
{
    return atls_bytes_equal(a, atls_bytes_str(text));
}

bool atls_bytes_is_zero(atls_bytes a)
{
    uint8_t any = 0;
    for (size_t i = 0; i < a.len; i++) {
        any = (uint8_t)(any | a.ptr[i]);
    }
    return any == 0;
}

void atls_wipe(void *ptr, size_t len)
{
    /* A call through a volatile pointer: the compiler cannot know that it is memset, so it cannot leave it out. */
    void *(*volatile fill)(void *, int, size_t) = memset;
    if (len > 0) {
        fill(ptr, 0, len);
    }
}
