/* SPDX-License-Identifier: Apache-2.0 */
/* test_fetch_names.c: a resolver of names that does not answer: time-outs, and the end of a fetcher, do not wait for it.
 *
 * This program's getaddrinfo takes the place of the C library's, and says "later" after a long while. */
#include "fetch_scene.h"

#include <netdb.h>
#include <time.h>

#define RESOLVER_S 4

static atomic_uint n_asked;

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict out)
{
    const struct timespec while_nobody_answers = {.tv_sec = RESOLVER_S};
    (void)name;
    (void)service;
    (void)hints;
    (void)out;
    (void)atomic_fetch_add(&n_asked, 1);
    (void)nanosleep(&while_nobody_answers, NULL);
    return EAI_AGAIN;
}

static void test_slow_resolver(void **state)
{
    const atls_source source = {.kind = ATLS_SOURCE_PCCS, .url = "https://names.invalid"};
    const atls_fetcher_options o = {.sources = &source,
                                    .n_sources = 1,
                                    .proxy = "",
                                    .connect_timeout_ms = 300,
                                    .request_timeout_ms = 300,
                                    .total_timeout_ms = 300};
    const atls_endorsement_request r = {.platform = ATLS_PLATFORM_TDX, .is_tdx = true, .pck_ca = "platform"};
    atls_fetcher *f;
    atls_arena arena;
    atls_endorsements out;
    atls_error err = {.code = ATLS_OK};
    (void)state;
    assert_true(atls_arena_new(&arena, ATLS_ARENA_DEFAULT_SIZE, &err));
    assert_true(atls_fetcher_new(&o, &f, &err));
    const unsigned begin = scene_ms();
    assert_false(atls_fetcher_endorse(f, &r, &arena, &out, &err));
    atls_fetcher_free(f);
    const unsigned took = scene_ms() - begin;
    assert_int_equal(err.code, ATLS_E_TIMEOUT);
    assert_int_equal(atomic_load(&n_asked), 1);
    assert_true(took < 1000 * RESOLVER_S - 500);
    atls_arena_free(&arena);
    const struct timespec rest = {.tv_sec = RESOLVER_S}; /* the thread that waits for the resolver ends by itself */
    (void)nanosleep(&rest, NULL);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "a resolver that does not answer", test_slow_resolver, NULL);
    return tap_run("fetch_names", &l);
}
