/* SPDX-License-Identifier: Apache-2.0 */
/* test_identity_memory.c: a server that is not whom the client means is refused also where memory is short: OpenSSL copies the name
 * for each verification, and without the copy it would verify a certificate of anybody's. */
#include "rig.h"

#include <stdlib.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Allocations of this size alone are counted: copies of the name. The one of this number, from 0, is refused; below 0: none. */
static size_t size_of_name;
static long n_left = -1;

static bool is_refused(size_t size)
{
    return size == size_of_name && n_left >= 0 && n_left-- == 0;
}

static void *their_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused(size) ? NULL : malloc(size);
}

static void *their_realloc(void *old, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_refused(size) ? NULL : realloc(old, size);
}

static void their_free(void *old, const char *file, int line)
{
    (void)file;
    (void)line;
    free(old);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

typedef struct row {
    const char *name;
    const char *server_name;
    size_t size; /* of a copy */
} row;

#define LONG_NAME "a-name-that-no-other-thing-is-as-long-as.of-a-stranger.example.com"

static const row rows[] = {
    {"another name", LONG_NAME, sizeof LONG_NAME},
    {"another address", "192.0.2.1", 4 + 1}, /* OpenSSL puts a zero behind it */
};

static bool is_over(atls_step step)
{
    return step == ATLS_STEP_DONE || step == ATLS_STEP_FAILED;
}

/* Gives whether the copy of this number was asked for. Whatever became of it, the server is none of ours. */
static bool refuse_copy(rig *r, long number)
{
    bool was_asked = false;
    rig_ssl(r);
    rig_client(r);
    rig_server(r);
    r->client_step = ATLS_STEP_WANT_READ;
    r->server_step = ATLS_STEP_WANT_READ;
    long left = number;
    for (unsigned i = 0; i < 50 && !is_over(r->client_step); i++) {
        n_left = left;
        r->client_step = atls_session_step(r->client, &r->client_err);
        left = n_left;
        n_left = -1;
        was_asked = was_asked || left < 0;
        if (!is_over(r->server_step)) {
            r->server_step = atls_session_step(r->server, &r->server_err);
        }
    }
    assert_int_equal(r->client_step, ATLS_STEP_FAILED);
    assert_null(atls_session_result(r->client));
    assert_true(was_asked || r->client_err.code == ATLS_E_IDENTITY);
    atls_session_free(r->client);
    atls_session_free(r->server);
    SSL_free(r->client_ssl);
    SSL_free(r->server_ssl);
    r->client = r->server = NULL;
    r->client_ssl = r->server_ssl = NULL;
    r->client_err = r->server_err = (atls_error){.code = ATLS_OK};
    ERR_clear_error();
    return was_asked;
}

static void refuses(void **state)
{
    const row *t = *state;
    long n = 0;
    rig r;
    rig_open(&r);
    r.client_options.server_name = t->server_name;
    size_of_name = t->size;
    while (refuse_copy(&r, n)) {
        n++;
    }
    assert_in_range(n, 2, 10000); /* for the parameters, and for the verification */
    rig_close(&r);
}

int main(void)
{
    tap_list l = {0};
    if (CRYPTO_set_mem_functions(their_malloc, their_realloc, their_free) != 1) {
        return 1;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, refuses, &rows[i]);
    }
    return tap_run("edge/identity_memory", &l);
}
