/* SPDX-License-Identifier: Apache-2.0 */
/* test_native_values.c: what the readers of atls/1's messages hand out, what is left behind a refusal, how long a message
 * may be, and that no writer writes what a reader would refuse. */
#include "edge/tls/native_frame.h"

#include "base/check.h"
#include "base/text.h"

#define LOG_TYPE "application/vnd.atls.dstack-event-log+json"

static atls_bytes text(const char *t)
{
    return atls_bytes_str(t);
}

static atls_bytes body_of(atls_bytes frame)
{
    return atls_bytes_of(frame.ptr + 4, frame.len - 4);
}

/* ---- values ---- */

static atls_native_hello a_hello(void)
{
    atls_native_hello h = {.types = {{text("a/quote"), text("a/report")}, 2},
                           .protocols = {{text("h2"), text("http/1.1"), text("x")}, 3},
                           .staple = true,
                           .has_wait = true,
                           .wait_ms = 0xfedcba98};
    for (size_t i = 0; i < sizeof h.nonce; i++) {
        h.nonce[i] = (uint8_t)(0xff - i);
    }
    return h;
}

static void check_names(const atls_native_names *a, const atls_native_names *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_true(atls_bytes_equal(a->items[i], b->items[i]));
    }
}

static void test_hello(void **state)
{
    (void)state;
    atls_native_hello h = a_hello();
    atls_native_hello back;
    atls_native_message m;
    atls_error err = {0};
    atls_bytes frame;
    assert_true(atls_native_write_hello(false, &h, check_arena(), &frame, &err));
    assert_true(atls_native_peek(body_of(frame), &m, &err));
    assert_int_equal(m, ATLS_NATIVE_CLIENT_HELLO);
    assert_true(atls_native_read_hello(false, body_of(frame), &back, &err));
    assert_memory_equal(back.nonce, h.nonce, sizeof h.nonce);
    check_names(&back.types, &h.types);
    check_names(&back.protocols, &h.protocols);
    assert_true(back.staple && back.has_wait);
    assert_int_equal(back.wait_ms, 0xfedcba98);
    assert_ptr_equal(back.types.items[0].ptr, frame.ptr + 4 + 43); /* borrowed, not copied */
}

/* What is left out is not there, whatever stood in the structure before. */
static void test_bare_hello(void **state)
{
    (void)state;
    atls_native_hello h = {.protocols = {{text("x")}, 1}};
    atls_native_hello back = a_hello();
    atls_error err = {0};
    atls_bytes frame;
    atls_native_message m;
    assert_true(atls_native_write_hello(true, &h, check_arena(), &frame, &err));
    assert_true(atls_native_peek(body_of(frame), &m, &err));
    assert_int_equal(m, ATLS_NATIVE_SERVER_HELLO);
    assert_true(atls_native_read_hello(true, body_of(frame), &back, &err));
    assert_int_equal(back.types.n, 0);
    assert_int_equal(back.protocols.n, 1);
    assert_false(back.staple || back.has_wait);
    assert_int_equal(back.wait_ms, 0);
}

static uint8_t siblings[ATLS_TREE_MAX_DEPTH * ATLS_TREE_HASH_LEN];

static atls_native_evidence an_evidence(void)
{
    for (size_t i = 0; i < sizeof siblings; i++) {
        siblings[i] = (uint8_t)(i / 64 + i);
    }
    return (atls_native_evidence){.evidence = {text("a/quote"), text("the quote")},
                                  .has_companion = true,
                                  .companion = {text(LOG_TYPE), text("[]")},
                                  .staples = {{text("a/crl"), text("one")}, {text("a/crl"), text("two")}},
                                  .n_staples = 2,
                                  .path = {5, 7, atls_bytes_of(siblings, sizeof(uint8_t[3][64]))}};
}

static void check_record(const atls_cmw_record *a, const atls_cmw_record *b)
{
    assert_true(atls_bytes_equal(a->type, b->type));
    assert_true(atls_bytes_equal(a->value, b->value));
}

static void test_evidence(void **state)
{
    (void)state;
    atls_native_evidence e = an_evidence();
    atls_native_evidence back;
    atls_native_message m;
    atls_error err = {0};
    atls_bytes frame;
    assert_true(atls_native_write_evidence(&e, check_arena(), &frame, &err));
    assert_true(atls_native_peek(body_of(frame), &m, &err));
    assert_int_equal(m, ATLS_NATIVE_EVIDENCE);
    assert_true(atls_native_read_evidence(body_of(frame), &back, &err));
    check_record(&back.evidence, &e.evidence);
    assert_true(back.has_companion);
    check_record(&back.companion, &e.companion);
    assert_int_equal(back.n_staples, 2);
    check_record(&back.staples[0], &e.staples[0]);
    check_record(&back.staples[1], &e.staples[1]);
    assert_int_equal(back.path.index, 5);
    assert_int_equal(back.path.size, 7);
    assert_true(atls_bytes_equal(back.path.siblings, e.path.siblings));
    assert_ptr_equal(back.path.siblings.ptr, back.siblings);
}

static void test_bare_evidence(void **state)
{
    (void)state;
    atls_native_evidence e = {.evidence = {text("t"), text("v")}, .path = {.size = 1}};
    atls_native_evidence back = an_evidence();
    atls_error err = {0};
    atls_bytes frame;
    assert_true(atls_native_write_evidence(&e, check_arena(), &frame, &err));
    assert_true(atls_native_read_evidence(body_of(frame), &back, &err));
    assert_false(back.has_companion);
    assert_int_equal(back.companion.value.len, 0);
    assert_int_equal(back.n_staples, 0);
    assert_int_equal(back.path.index, 0);
    assert_int_equal(back.path.size, 1);
    assert_int_equal(back.path.siblings.len, 0);
}

static void test_done(void **state)
{
    (void)state;
    for (unsigned n = 0; n <= 4; n++) {
        atls_native_done d = {.refusal = (atls_category)n};
        atls_native_done back;
        atls_native_message m;
        atls_error err = {0};
        atls_bytes frame;
        memset(d.context, 0x5a, sizeof d.context);
        assert_true(atls_native_write_done(&d, check_arena(), &frame, &err));
        assert_int_equal(frame.len, n == 0 ? 44 : 9); /* a refusal says its category and nothing else */
        assert_true(atls_native_peek(body_of(frame), &m, &err));
        assert_int_equal(m, ATLS_NATIVE_DONE);
        assert_true(atls_native_read_done(body_of(frame), &back, &err));
        assert_int_equal(back.refusal, n);
        assert_int_equal(back.context[31], n == 0 ? 0x5a : 0);
    }
}

/* Refused at its last byte, a message leaves nothing that could be taken for one. */
static void test_refused_is_empty(void **state)
{
    (void)state;
    atls_native_hello h = a_hello();
    atls_native_evidence e = an_evidence();
    atls_native_done d = {.refusal = ATLS_CATEGORY_NONE};
    atls_bytes frame;
    atls_error err = {0};
    atls_arena *arena = check_arena();
    uint8_t longer[1024] = {0};
    memset(d.context, 0x5a, sizeof d.context);
    assert_true(atls_native_write_hello(false, &h, arena, &frame, &err));
    memcpy(longer, frame.ptr + 4, frame.len - 4);
    assert_false(atls_native_read_hello(false, atls_bytes_of(longer, frame.len - 3), &h, &err));
    assert_true(atls_bytes_is_zero(atls_bytes_of(h.nonce, sizeof h.nonce)));
    assert_true(h.types.n == 0 && h.protocols.n == 0 && !h.staple && !h.has_wait);
    atls_error_clear(&err);
    assert_true(atls_native_write_evidence(&e, arena, &frame, &err));
    memcpy(longer, frame.ptr + 4, frame.len - 4);
    assert_false(atls_native_read_evidence(atls_bytes_of(longer, frame.len - 3), &e, &err));
    assert_true(e.evidence.value.len == 0 && !e.has_companion && e.n_staples == 0 && e.path.siblings.len == 0);
    assert_true(atls_bytes_is_zero(atls_bytes_of(e.siblings, sizeof e.siblings)));
    atls_error_clear(&err);
    assert_true(atls_native_write_done(&d, arena, &frame, &err));
    memcpy(longer, frame.ptr + 4, frame.len - 4);
    longer[frame.len - 4] = 0;
    assert_false(atls_native_read_done(atls_bytes_of(longer, frame.len - 3), &d, &err));
    assert_int_equal(d.refusal, ATLS_CATEGORY_INTERNAL);
    assert_true(atls_bytes_is_zero(atls_bytes_of(d.context, sizeof d.context)));
}

/* ---- lengths ---- */

static void test_max_len(void **state)
{
    (void)state;
    assert_int_equal(atls_native_max_len(ATLS_NATIVE_CLIENT_HELLO), 4096);
    assert_int_equal(atls_native_max_len(ATLS_NATIVE_SERVER_HELLO), 4096);
    assert_int_equal(atls_native_max_len(ATLS_NATIVE_EVIDENCE), 1024 * 1024);
    assert_int_equal(atls_native_max_len(ATLS_NATIVE_DONE), 64);
    assert_int_equal(atls_native_max_len((atls_native_message)0), 0);
    assert_int_equal(atls_native_max_len((atls_native_message)5), 0);
    assert_int_equal(atls_native_max_len((atls_native_message)-1), 0);
}

static void check_too_long(const atls_error *err, atls_code code, const char *field, const char *expected,
                           const char *actual)
{
    check_error(err, code, field);
    assert_string_equal(err->expected, expected);
    assert_string_equal(err->actual, actual);
}

static char letters[16][256];

/* A hello whose body is that long: sixteen types, all but one as long as may be. */
static atls_native_hello hello_of(size_t body_len)
{
    atls_native_hello h = {.types = {.n = 16}, .protocols = {{text("x")}, 1}};
    size_t last =
        body_len - (44 + 3) - 15 * 257 - 2; /* head and all before the types, protocols, the others, its head */
    for (size_t i = 0; i < 16; i++) {
        memset(letters[i], 'a' + (int)i, sizeof letters[i]);
        h.types.items[i] = atls_bytes_of(letters[i], i < 15 ? 255 : last);
    }
    return h;
}

static void test_hello_length(void **state)
{
    (void)state;
    for (unsigned server = 0; server < 2; server++) {
        atls_native_hello h = hello_of(4096 - 1);
        const char *name = server == 1 ? "server_hello" : "client_hello";
        atls_error err = {0};
        atls_bytes frame;
        assert_true(atls_native_write_hello(server == 1, &h, check_arena(), &frame, &err));
        h = hello_of(4096 - 1 + (4096 - (frame.len - 4)));
        assert_true(atls_native_write_hello(server == 1, &h, check_arena(), &frame, &err));
        assert_int_equal(frame.len, 4 + 4096);
        h.types.items[15].len++;
        assert_false(atls_native_write_hello(server == 1, &h, check_arena(), &frame, &err));
        check_too_long(&err, ATLS_E_USAGE, name, "at most 4096 bytes", "4097");
        assert_int_equal(frame.len, 0);
    }
}

/* An evidence body with a value of n bytes, made without the writer and its rules. */
static atls_bytes raw_evidence(size_t n)
{
    static uint8_t value[1024 * 1024 + 1];
    atls_error err = {0};
    atls_buf b;
    atls_cw w;
    atls_bytes out = atls_bytes_empty();
    atls_cmw_record r = {text("t"), atls_bytes_of(value, n)};
    atls_buf_init(&b, check_arena(), &err);
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 2);
    atls_cw_uint(&w, 0);
    atls_cw_uint(&w, 3);
    atls_cw_uint(&w, 1);
    atls_cmw_write(&w, ATLS_CMW_EVIDENCE, &r);
    assert_true(atls_buf_done(&b, &out));
    return out;
}

static void test_evidence_length(void **state)
{
    (void)state;
    atls_native_evidence e;
    atls_error err = {0};
    size_t heads = raw_evidence(1024 * 1024).len - 1024 * 1024;
    atls_bytes body = raw_evidence(1024 * 1024 - heads);
    assert_int_equal(body.len, 1024 * 1024);
    assert_true(atls_native_read_evidence(body, &e, &err));
    body = raw_evidence(1024 * 1024 - heads + 1);
    assert_false(atls_native_read_evidence(body, &e, &err));
    check_too_long(&err, ATLS_E_PROTOCOL, "evidence", "at most 1048576 bytes", "1048577");
}

/* Bytes behind a done are too many when there are more than 64 in all, and trailing before. */
static void test_done_length(void **state)
{
    (void)state;
    static const uint8_t refusal[66] = "\xa2\x00\x04\x01\x01";
    atls_native_done d;
    atls_error err = {0};
    assert_false(atls_native_read_done(atls_bytes_of(refusal, 64), &d, &err));
    check_too_long(&err, ATLS_E_PROTOCOL, "done", "0 bytes", "59 bytes");
    atls_error_clear(&err);
    assert_false(atls_native_read_done(atls_bytes_of(refusal, 65), &d, &err));
    check_too_long(&err, ATLS_E_PROTOCOL, "done", "at most 64 bytes", "65");
}

/* ---- what no writer writes ---- */

typedef struct misuse_row {
    const char *name;
    void (*hello)(atls_native_hello *h);       /* one change of an honest client's, */
    void (*evidence)(atls_native_evidence *e); /* or of honest evidence */
    bool is_server;
    const char *field;
} misuse_row;

static void seventeen_types(atls_native_hello *h)
{
    h->types.n = 17;
}
static void seventeen_protocols(atls_native_hello *h)
{
    h->protocols.n = 17;
}
static void no_protocol(atls_native_hello *h)
{
    h->protocols.n = 0;
}
static void repeated(atls_native_hello *h)
{
    h->types.items[1] = h->types.items[0];
}
static void no_name(atls_native_hello *h)
{
    h->types.items[1] = atls_bytes_empty();
}
static void no_utf8(atls_native_hello *h)
{
    h->protocols.items[0] = text("\xff");
}
static void endless_name(atls_native_hello *h)
{
    h->protocols.items[0].len = SIZE_MAX;
}
static void nothing(atls_native_hello *h)
{
    (void)h;
}
static void one_protocol(atls_native_hello *h)
{
    h->protocols.n = 1;
}
static void seventeen_staples(atls_native_evidence *e)
{
    e->n_staples = 17;
}
static void empty_staple(atls_native_evidence *e)
{
    e->staples[1].value = atls_bytes_empty();
}
static void endless_staple(atls_native_evidence *e)
{
    e->staples[1].value.len = SIZE_MAX;
}
static void endless_evidence(atls_native_evidence *e)
{
    e->evidence.value.len = SIZE_MAX;
}
static void endless_companion(atls_native_evidence *e)
{
    e->companion.type.len = SIZE_MAX;
}
static void no_evidence(atls_native_evidence *e)
{
    e->evidence.value = atls_bytes_empty();
}
static void log_only(atls_native_evidence *e)
{
    e->has_companion = false;
    e->evidence = e->companion;
}
static void two_quotes(atls_native_evidence *e)
{
    e->companion = e->evidence;
}
static void no_size(atls_native_evidence *e)
{
    e->path = (atls_tree_path){.siblings = atls_bytes_empty()};
}
static void part_of_a_sibling(atls_native_evidence *e)
{
    e->path.siblings.len--;
}
static void siblings_of_one_leaf(atls_native_evidence *e)
{
    e->path.index = 0;
    e->path.size = 1;
}

static const misuse_row misuse_rows[] = {
    {"seventeen types", seventeen_types, NULL, false, "client_hello.types"},
    {"seventeen types of a server", seventeen_types, NULL, true, "server_hello.types"},
    {"seventeen protocols", seventeen_protocols, NULL, false, "client_hello.protocols"},
    {"seventeen protocols of a server", seventeen_protocols, NULL, true, "server_hello.protocols"},
    {"no protocol", no_protocol, NULL, false, "client_hello.protocols"},
    {"three protocols of a server", nothing, NULL, true, "server_hello.protocols"},
    {"a server that waits", one_protocol, NULL, true, "server_hello.key"},
    {"a type twice", repeated, NULL, false, "client_hello.types"},
    {"an empty name", no_name, NULL, false, "client_hello.types"},
    {"a name that is no text", no_utf8, NULL, false, "client_hello.protocols"},
    {"a name without end", endless_name, NULL, false, "client_hello.protocols"},
    {"seventeen endorsements", NULL, seventeen_staples, false, "evidence.endorsements"},
    {"an empty endorsement", NULL, empty_staple, false, "evidence.endorsements.value"},
    {"an endorsement without end", NULL, endless_staple, false, "evidence.endorsements"},
    {"evidence without end", NULL, endless_evidence, false, "evidence.cmw"},
    {"a companion without end", NULL, endless_companion, false, "evidence.companion"},
    {"empty evidence", NULL, no_evidence, false, "evidence.cmw.value"},
    {"a log alone", NULL, log_only, false, "evidence.cmw.type"},
    {"two quotes", NULL, two_quotes, false, "evidence.companion.type"},
    {"a tree without size", NULL, no_size, false, "evidence.tree.size"},
    {"a part of a sibling", NULL, part_of_a_sibling, false, "evidence.tree.siblings"},
    {"siblings of one leaf", NULL, siblings_of_one_leaf, false, "evidence.tree.siblings"},
};

static void test_misuse(void **state)
{
    const misuse_row *r = *state;
    atls_native_hello h = a_hello();
    atls_native_evidence e = an_evidence();
    atls_error err = {0};
    atls_bytes out = text("left over");
    bool ok;
    if (r->hello != NULL) {
        r->hello(&h);
        ok = atls_native_write_hello(r->is_server, &h, check_arena(), &out, &err);
    } else {
        r->evidence(&e);
        ok = atls_native_write_evidence(&e, check_arena(), &out, &err);
    }
    assert_false(ok);
    check_error(&err, ATLS_E_USAGE, r->field);
    assert_int_equal(out.len, 0);
}

/* Lists that are too long are refused before they are walked: behind the last item is other memory. */
static void test_counts(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        atls_native_hello h = a_hello();
        atls_native_evidence e = an_evidence();
        atls_error err = {0};
        atls_bytes out;
        h.types.n = i == 0 ? 17 : 1;
        h.protocols.n = i == 1 ? 17 : 1;
        e.n_staples = 17;
        assert_false(i < 2 ? atls_native_write_hello(false, &h, check_arena(), &out, &err)
                           : atls_native_write_evidence(&e, check_arena(), &out, &err));
        assert_int_equal(err.code, ATLS_E_USAGE);
        assert_non_null(strstr(err.message, "at most 16 may be sent"));
    }
}

static void test_no_such_refusal(void **state)
{
    (void)state;
    atls_native_done d = {.refusal = (atls_category)5};
    atls_error err = {0};
    atls_bytes out;
    assert_false(atls_native_write_done(&d, check_arena(), &out, &err));
    check_error(&err, ATLS_E_USAGE, "done.verdict");
}

static void test_no_memory(void **state)
{
    (void)state;
    uint8_t block[48];
    atls_native_hello h = a_hello();
    atls_native_evidence e = an_evidence();
    atls_native_done d = {.refusal = ATLS_CATEGORY_NONE};
    for (unsigned i = 0; i < 3; i++) {
        atls_arena a;
        atls_error err = {0};
        atls_bytes out = text("left over");
        atls_arena_init(&a, block, sizeof block);
        assert_false(i == 0   ? atls_native_write_hello(false, &h, &a, &out, &err)
                     : i == 1 ? atls_native_write_evidence(&e, &a, &out, &err)
                              : atls_native_write_done(&d, &a, &out, &err));
        check_error(&err, ATLS_E_MEMORY, "arena");
        assert_int_equal(out.len, 0);
    }
}

/* Evidence is large and sessions are many: a frame takes its length and little more from the arena. */
static void test_memory(void **state)
{
    (void)state;
    static const uint8_t value[100000];
    atls_native_evidence e = an_evidence();
    atls_error err = {0};
    atls_bytes out;
    atls_arena *arena = check_arena();
    e.evidence.value = atls_bytes_of(value, sizeof value);
    assert_true(atls_native_write_evidence(&e, arena, &out, &err));
    assert_true(arena->peak < out.len + 512);
}

int main(void)
{
    tap_list tests = {0};
    tap_add(&tests, "hello", test_hello, NULL);
    tap_add(&tests, "a bare hello", test_bare_hello, NULL);
    tap_add(&tests, "evidence", test_evidence, NULL);
    tap_add(&tests, "bare evidence", test_bare_evidence, NULL);
    tap_add(&tests, "done", test_done, NULL);
    tap_add(&tests, "what is refused is empty", test_refused_is_empty, NULL);
    tap_add(&tests, "the longest body", test_max_len, NULL);
    tap_add(&tests, "a hello's length", test_hello_length, NULL);
    tap_add(&tests, "evidence's length", test_evidence_length, NULL);
    tap_add(&tests, "a done's length", test_done_length, NULL);
    for (size_t i = 0; i < COUNT(misuse_rows); i++) {
        tap_add(&tests, misuse_rows[i].name, test_misuse, &misuse_rows[i]);
    }
    tap_add(&tests, "too many are not walked", test_counts, NULL);
    tap_add(&tests, "no such refusal", test_no_such_refusal, NULL);
    tap_add(&tests, "no memory", test_no_memory, NULL);
    tap_add(&tests, "memory", test_memory, NULL);
    return tap_run("native_values", &tests);
}
