/* SPDX-License-Identifier: Apache-2.0 */
/* test_cbor_open_diff.c: items with groups of open length, ours against libcbor. Every item that is well made is accepted by
 * both; whatever we accept, damaged or not, libcbor accepts, and finds its end at the same byte. */
#include "check.h"

#include <cbor.h>

#include "base/cbor_open.h"
#include "base/text.h"
#include "random.h"

#define ROOM     4096
#define N_INPUTS 40000

typedef struct input {
    uint8_t out[ROOM];
    size_t len;
    uint8_t next_key; /* of maps: never the same twice */
    randoms random;
} input;

static void put(input *in, unsigned byte)
{
    assert_true(in->len < ROOM / 2);
    in->out[in->len++] = (uint8_t)byte;
}

static void put_some(input *in, unsigned depth);

/* n elements or pairs, in either form. */
static void put_group(input *in, unsigned major, unsigned depth)
{
    const unsigned n = (unsigned)random_below(&in->random, 5);
    const bool open = random_below(&in->random, 2) == 0;
    put(in, open ? major << 5 | 31 : major << 5 | n);
    for (unsigned i = 0; i < n; i++) {
        if (major == 5) {
            put(in, 0x18);
            put(in, 24u + in->next_key++ % 200);
        }
        put_some(in, depth - 1);
    }
    if (open) {
        put(in, 0xff);
    }
}

static void put_some(input *in, unsigned depth)
{
    const unsigned n = (unsigned)random_below(&in->random, 20);
    switch (random_below(&in->random, depth == 0 ? 4 : 8)) {
    case 0:
    case 1:
        put(in, n);
        return;
    case 2:
        put(in, 0x40 | n);
        for (unsigned i = 0; i < n; i++) {
            put(in, (unsigned)random_below(&in->random, 256));
        }
        return;
    case 3:
        put(in, 0xf4 + n % 4);
        return;
    case 4:
    case 5:
        put_group(in, 4, depth);
        return;
    default:
        put_group(in, 5, depth);
    }
}

/* libcbor asks malloc for as many elements as a head promises, before it looks. */
static bool might_take_all_memory(const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((in[i] >= 0x9a && in[i] <= 0x9b) || (in[i] >= 0xba && in[i] <= 0xbb)) {
            return true;
        }
    }
    return false;
}

static bool has_tag(const uint8_t *in, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (in[i] >> 5 == 6) {
            return true; /* older releases of libcbor refuse some numbers */
        }
    }
    return false;
}

static bool compare(const input *in)
{
    uint8_t *exact = malloc(in->len == 0 ? 1 : in->len);
    assert_non_null(exact);
    memcpy(exact, in->out, in->len);
    atls_error err = {0};
    atls_cur c;
    atls_bytes whole = atls_bytes_empty();
    atls_cur_init(&c, atls_bytes_of(exact, in->len), "", &err);
    const bool ours = atls_cbor_skip_open(&c, "f", 16, &whole);
    if (ours && !might_take_all_memory(exact, in->len) && !has_tag(exact, in->len)) {
        struct cbor_load_result result = {0};
        cbor_item_t *theirs = cbor_load(exact, in->len, &result);
        if (theirs == NULL || result.read != whole.len) {
            char hex[2 * ROOM + 1];
            atls_hex_encode(atls_bytes_of(exact, in->len), hex);
            fail_msg("accepted by us, another thing to libcbor: %s", hex);
        }
        cbor_decref(&theirs);
    }
    free(exact);
    return ours;
}

static void test_valid(void **state)
{
    static input in;
    (void)state;
    in.random = (randoms){0x9e3779b97f4a7c15u};
    for (size_t i = 0; i < N_INPUTS; i++) {
        in.len = 0;
        in.next_key = 0;
        put_some(&in, 3);
        assert_true(compare(&in));
    }
}

static void test_damaged(void **state)
{
    static input in;
    size_t yes = 0;
    (void)state;
    in.random = (randoms){0x2545f4914f6cdd1du};
    for (size_t i = 0; i < N_INPUTS; i++) {
        in.len = 0;
        in.next_key = 0;
        put_some(&in, 3);
        for (size_t n = 1 + random_below(&in.random, 2); n > 0; n--) {
            in.len = random_damage(&in.random, in.out, in.len, ROOM);
        }
        yes += compare(&in);
    }
    assert_true(yes > N_INPUTS / 10 && yes < N_INPUTS - N_INPUTS / 10);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "items as they should be", test_valid, NULL);
    tap_add(&tests, "items that are damaged", test_damaged, NULL);
    return tap_run("cbor_open_diff", &tests);
}
