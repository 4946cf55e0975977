/* SPDX-License-Identifier: Apache-2.0 */
/* test_buckets.c: token buckets: their rate, whose they are, and that the table keeps its size. */
#include "tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "edge/tls/buckets.h"

static atls_address of4(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return atls_address_of((const struct sockaddr *)&in);
}

static atls_address of6(const char *text)
{
    struct sockaddr_in6 in = {.sin6_family = AF_INET6};
    assert_int_equal(inet_pton(AF_INET6, text, &in.sin6_addr), 1);
    return atls_address_of((const struct sockaddr *)&in);
}

static bool same(atls_address a, atls_address b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void cuts_addresses(void **state)
{
    (void)state;
    assert_false(same(of4("192.0.2.1"), of4("192.0.2.2")));
    assert_true(same(of6("2001:db8:1:2::1"), of6("2001:db8:1:2:ffff::2")));
    assert_false(same(of6("2001:db8:1:2::1"), of6("2001:db8:1:3::1")));
    assert_true(same(of6("::ffff:192.0.2.1"), of4("192.0.2.1")));
    assert_false(same(of6("::"), of4("0.0.0.0")));
}

static atls_buckets *make(size_t n)
{
    atls_buckets *b = NULL;
    atls_error err = {0};
    assert_true(atls_buckets_new(n, &b, &err));
    return b;
}

static void keeps_rate(void **state)
{
    atls_buckets *b = make(64);
    const atls_address who = of4("192.0.2.1");
    uint32_t retry_s = 0;
    uint64_t now = 1000;
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(atls_buckets_take(b, &who, 6, 5, now, &retry_s));
    }
    assert_false(atls_buckets_take(b, &who, 6, 5, now, &retry_s));
    assert_int_equal(retry_s, 11); /* one in ten seconds, and one more to be sure */
    assert_false(atls_buckets_take(b, &who, 6, 5, now + 9999, &retry_s));
    assert_int_equal(retry_s, 1);
    assert_true(atls_buckets_take(b, &who, 6, 5, now + 10000, &retry_s));
    assert_false(atls_buckets_take(b, &who, 6, 5, now + 10000, &retry_s));
    now += 3600000; /* however long: no more than the burst */
    for (size_t i = 0; i < 5; i++) {
        assert_true(atls_buckets_take(b, &who, 6, 5, now, &retry_s));
    }
    assert_false(atls_buckets_take(b, &who, 6, 5, now, &retry_s));
    const atls_address other = of4("192.0.2.2");
    assert_true(atls_buckets_take(b, &other, 6, 5, now, &retry_s));
    atls_buckets_free(b);
}

static void zero_is_no_limit(void **state)
{
    atls_buckets *b = make(64);
    const atls_address who = of4("192.0.2.1");
    uint32_t retry_s = 0;
    (void)state;
    for (size_t i = 0; i < 10000; i++) {
        assert_true(atls_buckets_take(b, &who, 0, 1, 5, &retry_s));
    }
    atls_buckets_free(b);
}

static void a_clock_that_goes_back(void **state)
{
    atls_buckets *b = make(64);
    const atls_address who = of4("192.0.2.1");
    uint32_t retry_s = 0;
    (void)state;
    assert_true(atls_buckets_take(b, &who, 60, 1, 100000, &retry_s));
    assert_false(atls_buckets_take(b, &who, 60, 1, 1, &retry_s));
    assert_false(
        atls_buckets_take(b, &who, 60, 1, 100000, &retry_s)); /* and comes forward again: nothing was earned twice */
    assert_true(atls_buckets_take(b, &who, 60, 1, 101000, &retry_s));
    atls_buckets_free(b);
}

/* An address that has used its bucket up stays refused while ten thousand others come by in a table of a thousand. */
static void remembers_who_is_empty(void **state)
{
    atls_buckets *b = make(1000);
    const atls_address who = of4("192.0.2.1");
    uint32_t retry_s = 0;
    (void)state;
    for (size_t i = 0; i < 100; i++) {
        assert_true(atls_buckets_take(b, &who, 1, 100, 1000, &retry_s));
    }
    for (uint32_t i = 0; i < 10000; i++) {
        atls_address other = {{4, 10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
        assert_true(atls_buckets_take(b, &other, 1, 100, 1000, &retry_s));
    }
    assert_false(atls_buckets_take(b, &who, 1, 100, 1000, &retry_s));
    atls_buckets_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_addresses),         cmocka_unit_test(keeps_rate),
        cmocka_unit_test(zero_is_no_limit),       cmocka_unit_test(a_clock_that_goes_back),
        cmocka_unit_test(remembers_who_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
