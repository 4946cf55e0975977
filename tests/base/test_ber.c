/* SPDX-License-Identifier: Apache-2.0 */
/* BER: what DER refuses and senders of CMS write: open lengths, OCTET STRINGs in pieces. Everything else stays DER's business. */
#include "base/ber.h"
#include "base/limits.h"
#include "check.h"

typedef struct row {
    const char *name;
    const char *in;
    size_t len;
    const char *content; /* NULL: refused */
    size_t content_len;
    size_t rest; /* bytes that are left */
    atls_code code;
} row;

#define IN(text)       text, sizeof(text) - 1
#define NO(c)          NULL, 0, 0, ATLS_E_##c
#define OK(text, rest) text, sizeof(text) - 1, rest, ATLS_OK

static const row elements[] = {
    {"definite, primitive", IN("\x04\x02\x41\x42\x00"), OK("\x41\x42", 1)},
    {"definite, constructed", IN("\x30\x03\x02\x01\x05"), OK("\x02\x01\x05", 0)},
    {"open, empty", IN("\x30\x80\x00\x00"), OK("", 0)},
    {"open", IN("\x30\x80\x02\x01\x05\x00\x00\xff"), OK("\x02\x01\x05", 1)},
    {"open in open", IN("\x30\x80\x31\x80\x05\x00\x00\x00\x00\x00"), OK("\x31\x80\x05\x00\x00\x00", 0)},
    {"open in a context tag", IN("\xa0\x80\x30\x80\x00\x00\x00\x00"), OK("\x30\x80\x00\x00", 0)},
    {"zeros inside a definite one end nothing", IN("\x30\x80\x04\x02\x00\x00\x00\x00"), OK("\x04\x02\x00\x00", 0)},
    {"what a definite one holds is not looked at", IN("\x30\x80\x30\x02\xff\xff\x00\x00"), OK("\x30\x02\xff\xff", 0)},
    {"nothing", IN(""), NO(TRUNCATED)},
    {"no end", IN("\x30\x80\x02\x01\x05"), NO(TRUNCATED)},
    {"half an end", IN("\x30\x80\x00"), NO(ENCODING)},
    {"an end that belongs to the inner one", IN("\x30\x80\x31\x80\x00\x00"), NO(TRUNCATED)},
    {"an end by itself", IN("\x00\x00"), NO(ENCODING)},
    {"an end with content", IN("\x30\x80\x00\x01\x00"), NO(ENCODING)},
    {"open and primitive", IN("\x04\x80\x00\x00"), NO(ENCODING)},
    {"open and primitive, inside", IN("\x30\x80\x04\x80\x00\x00\x00\x00"), NO(ENCODING)},
    {"open with a high tag", IN("\xbf\x85\x3d\x80\x00\x00"), NO(ENCODING)},
    {"a length that is not minimal", IN("\x30\x81\x01\x00"), NO(ENCODING)},
    {"a length that is not minimal, inside", IN("\x30\x80\x04\x81\x01\x00\x00\x00"), NO(ENCODING)},
    {"longer than the input", IN("\x30\x80\x04\x05\x00\x00\x00\x00"), NO(TRUNCATED)},
};

static void test_element(void **state)
{
    const row *r = *state;
    atls_error err = {0};
    atls_cur c;
    atls_der_tag tag;
    atls_bytes content;
    atls_bytes whole;
    atls_cur_init(&c, atls_bytes_of(r->in, r->len), "", &err);
    const bool ok = atls_ber_any(&c, "x", &tag, &content, &whole);
    if (r->content == NULL) {
        assert_false(ok);
        assert_int_equal(err.code, r->code);
        assert_string_equal(err.field, "x");
        assert_int_equal(c.rest.len, r->len); /* a failure moves nothing */
        return;
    }
    assert_true(ok);
    assert_int_equal(tag, (uint8_t)r->in[0]);
    assert_int_equal(content.len, r->content_len);
    assert_memory_equal(content.ptr, r->content, r->content_len);
    assert_int_equal(c.rest.len, r->rest);
    assert_int_equal(whole.len, r->len - r->rest);
    assert_ptr_equal(whole.ptr, r->in);
}

static const row strings[] = {
    {"in one piece", IN("\x04\x02\x41\x42"), OK("AB", 0)},
    {"in two", IN("\x24\x80\x04\x01\x41\x04\x01\x42\x00\x00"), OK("AB", 0)},
    {"in two, definite", IN("\x24\x06\x04\x01\x41\x04\x01\x42"), OK("AB", 0)},
    {"with an empty piece", IN("\x24\x80\x04\x00\x04\x01\x41\x00\x00\x01"), OK("A", 1)},
    {"in no piece", IN("\x24\x80\x00\x00"), OK("", 0)},
    {"a piece of another type", IN("\x24\x80\x02\x01\x41\x00\x00"), NO(ENCODING)},
    {"a piece in pieces", IN("\x24\x80\x24\x80\x04\x01\x41\x00\x00\x00\x00"), NO(ENCODING)},
    {"another type", IN("\x30\x80\x04\x01\x41\x00\x00"), NO(ENCODING)},
    {"another type, definite", IN("\x0c\x01\x41"), NO(ENCODING)},
    {"cut", IN("\x24\x80\x04\x01\x41\x04"), NO(TRUNCATED)},
};

static void test_string(void **state)
{
    const row *r = *state;
    uint8_t room[256];
    atls_error err = {0};
    atls_arena a;
    atls_cur c;
    atls_bytes out;
    atls_arena_init(&a, room, sizeof room);
    atls_cur_init(&c, atls_bytes_of(r->in, r->len), "", &err);
    const bool ok = atls_ber_octets(&c, "x", &a, &out, &err);
    if (r->content == NULL) {
        assert_false(ok);
        assert_int_equal(err.code, r->code);
        assert_int_equal(c.rest.len, r->len);
        return;
    }
    assert_true(ok);
    assert_int_equal(out.len, r->content_len);
    assert_memory_equal(out.ptr, r->content, r->content_len);
    assert_int_equal(c.rest.len, r->rest);
}

static void test_memory(void **state)
{
    static const char in[] = "\x24\x80\x04\x01\x41\x00\x00";
    uint8_t room[2];
    atls_error err = {0};
    atls_arena a;
    atls_cur c;
    atls_bytes out;
    (void)state;
    atls_arena_init(&a, room, sizeof room);
    atls_cur_init(&c, atls_bytes_of(in, sizeof in - 1), "", &err);
    assert_false(atls_ber_octets(&c, "x", &a, &out, &err));
    assert_int_equal(err.code, ATLS_E_MEMORY);
}

/* The element itself and ATLS_MAX_DER_DEPTH - 1 inside it; one more is refused. */
static void test_depth(void **state)
{
    uint8_t in[4 * (ATLS_MAX_DER_DEPTH + 1)] = {0};
    (void)state;
    for (size_t n = ATLS_MAX_DER_DEPTH; n <= ATLS_MAX_DER_DEPTH + 1; n++) {
        atls_error err = {0};
        atls_cur c;
        for (size_t i = 0; i < n; i++) {
            in[2 * i] = 0x30;
            in[2 * i + 1] = 0x80;
        }
        atls_cur_init(&c, atls_bytes_of(in, 4 * n), "", &err);
        assert_int_equal(atls_ber_any(&c, "x", NULL, NULL, NULL), n == ATLS_MAX_DER_DEPTH);
        assert_int_equal(err.code, n == ATLS_MAX_DER_DEPTH ? ATLS_OK : ATLS_E_LIMIT);
    }
}

/* The prefix of the cursor goes along. */
static void test_nested(void **state)
{
    static const char in[] = "\x30\x80\x02\x01\x05\x00\x00";
    atls_error err = {0};
    atls_cur c;
    atls_cur inner;
    uint64_t n;
    (void)state;
    atls_cur_init(&c, atls_bytes_of(in, sizeof in - 1), "outer", &err);
    assert_true(atls_ber_nested(&c, "x", ATLS_DER_SEQUENCE, &inner) && atls_cur_end(&c));
    assert_true(atls_der_uint(&inner, "n", ATLS_DER_INTEGER, 9, &n) && n == 5 && atls_cur_end(&inner));
    assert_false(atls_der_uint(&inner, "n", ATLS_DER_INTEGER, 9, &n));
    assert_string_equal(err.field, "outer.n");
    err = (atls_error){0};
    atls_cur_init(&c, atls_bytes_of(in, sizeof in - 1), "outer", &err);
    assert_false(atls_ber_nested(&c, "x", ATLS_DER_SET, &inner));
    assert_int_equal(err.code, ATLS_E_ENCODING);
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < sizeof elements / sizeof elements[0]; i++) {
        tap_add(&tests, elements[i].name, test_element, &elements[i]);
    }
    for (size_t i = 0; i < sizeof strings / sizeof strings[0]; i++) {
        tap_add(&tests, strings[i].name, test_string, &strings[i]);
    }
    tap_add(&tests, "no memory to join in", test_memory, NULL);
    tap_add(&tests, "depth", test_depth, NULL);
    tap_add(&tests, "nested", test_nested, NULL);
    return tap_run("ber", &tests);
}
