/* SPDX-License-Identifier: Apache-2.0 */
/* tap.h: what every test program shares: cmocka's headers in the order it wants, and table-driven tests, one named test
 * per row. */
#ifndef ATLS_TESTS_TAP_H
#define ATLS_TESTS_TAP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A list of tests that grows: tests of tables append one entry per row, with the row as initial state. */
typedef struct tap_list {
    struct CMUnitTest *items;
    size_t n;
    size_t cap;
} tap_list;

static inline void tap_add(tap_list *l, const char *name, CMUnitTestFunction fn, const void *row)
{
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 64 : 2 * l->cap;
        l->items = realloc(l->items, l->cap * sizeof *l->items);
        if (l->items == NULL) {
            abort();
        }
    }
    union {
        const void *in;
        void *out;
    } state = {.in = row};
    l->items[l->n++] = (struct CMUnitTest){name, fn, NULL, NULL, state.out};
}

static inline int tap_run(const char *group, tap_list *l)
{
    int failed = _cmocka_run_group_tests(group, l->items, l->n, NULL, NULL);
    free(l->items);
    *l = (tap_list){0};
    return failed;
}

#endif
