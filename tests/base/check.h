/* SPDX-License-Identifier: Apache-2.0 */
/* check.h: what the tests of base share: an arena, hex literals, and the rule that a refusal has a code and a field. */
#ifndef ATLS_TESTS_BASE_CHECK_H
#define ATLS_TESTS_BASE_CHECK_H

#include "tap.h"

#include "atls/arena.h"
#include "atls/error.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An empty arena over a block that the next call gives out again. */
static inline atls_arena *check_arena(void)
{
    static uint8_t block[32 * 1024 * 1024];
    static atls_arena arena;
    atls_arena_init(&arena, block, sizeof block);
    return &arena;
}

/* Code and field: dying for the wrong reason is a failed test. */
static inline void check_error(const atls_error *err, atls_code code, const char *field)
{
    if (err->code != code || strcmp(err->field, field) != 0) {
        char line[512];
        (void)atls_error_line(err, line, sizeof line);
        fail_msg("got \"%s\", wanted %s %s", line, atls_code_name(code), field);
    }
    assert_int_equal(err->category, atls_code_category(code));
    assert_true(code == ATLS_OK || err->message[0] != '\0');
}

static inline int check_digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c >= 'A' ? c - 'A' + 10 : c - '0';
}

/* Hex with spaces to bytes, in a block that ends where the bytes end, so that sanitizers see a read too far. */
static inline uint8_t *check_hex(const char *hex, size_t *len)
{
    uint8_t *out = malloc(strlen(hex) / 2 + 1);
    assert_non_null(out);
    *len = 0;
    for (; *hex != '\0'; hex++) {
        if (*hex != ' ') {
            out[(*len)++] = (uint8_t)(check_digit(hex[0]) << 4 | check_digit(hex[1]));
            hex++;
        }
    }
    uint8_t *exact = realloc(out, *len == 0 ? 1 : *len);
    assert_non_null(exact);
    return exact;
}

#endif
