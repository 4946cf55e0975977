/* SPDX-License-Identifier: Apache-2.0 */
/* What people paste becomes the bytes it stands for; anything else stays what it is. */
#include "tap.h"

#include "base/text.h"

typedef struct row {
    const char *name;
    const char *in;
    const char *out; /* NULL: as it was */
} row;

static const row rows[] = {
    {"hex", "68690A", "hi\n"},
    {"hex with 0x", "0x6869", "hi"},
    {"hex with 0X and white space", " 0X68\r\n 69\n", "hi"},
    {"hex wins over base64", "abcd", "\xab\xcd"},
    {"base64", "aGkh", "hi!"},
    {"base64 in lines", "aGkh\naGk=\n", "hi!hi"},
    {"0x alone", "0x", NULL},
    {"0x in the middle", "680x69", NULL},
    {"an odd number of digits", "68690", NULL},
    {"base64 without its padding", "aGk", NULL},
    {"base64 with bits left over", "aGl=", NULL},
    {"padding in the middle", "aG==aGkh", NULL},
    {"a byte of no alphabet", "6869!", NULL},
    {"a PEM block", "-----BEGIN X-----", NULL},
    {"white space only", " \n", NULL},
    {"nothing", "", NULL},
};

static void test_row(void **state)
{
    const row *r = *state;
    atls_arena a = {0};
    atls_error err = {0};
    atls_bytes in = atls_bytes_str(r->in);
    atls_bytes out;
    assert_true(atls_arena_new(&a, 4096, &err));
    assert_true(atls_armour_decode(in, &a, &out, &err));
    assert_int_equal(err.code, ATLS_OK);
    assert_true(atls_bytes_equal(out, r->out == NULL ? in : atls_bytes_str(r->out)));
    atls_arena_free(&a);
}

static void test_memory(void **state)
{
    (void)state;
    uint8_t block[8];
    atls_arena a;
    atls_error err = {0};
    atls_bytes out;
    atls_arena_init(&a, block, sizeof block);
    assert_false(atls_armour_decode(atls_bytes_str("0123456789"), &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&tests, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&tests, "an arena that is too small", test_memory, NULL);
    return tap_run("armour", &tests);
}
