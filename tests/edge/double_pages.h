/* SPDX-License-Identifier: Apache-2.0 */
/* double_pages.h: what a double has to serve, for double.c only. */
#ifndef ATLS_TESTS_EDGE_DOUBLE_PAGES_H
#define ATLS_TESTS_EDGE_DOUBLE_PAGES_H

#include "double.h"

/* What is served for a path. */
typedef struct double_page {
    atls_bytes body;
    const char *chain_header; /* NULL: none */
    atls_bytes chain;
    bool is_list;
} double_page;

/* double_find_page makes what an honest service answers with, in the arena; false: 404. */
bool double_find_page(const double_server *d, const char *path, atls_arena *a, double_page *out);

/* double_list writes a list as PEM, or as hex. */
atls_bytes double_list(atls_bytes der, bool is_pem, atls_arena *a);

#endif
