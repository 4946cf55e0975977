/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_limits.c: texts that were written to cost much: as many members, values or levels as can be, names whose
 * hashes are all the same. And the arena that gives out in the middle. */
#include "check.h"

#include "base/json.h"
#include "base/limits.h"

#define ROOM ((size_t)2 * 1024 * 1024)

typedef struct builder {
    char *text;
    size_t len;
} builder;

static builder new_text(void)
{
    builder b = {.text = malloc(ROOM)};
    assert_non_null(b.text);
    return b;
}

static void add(builder *b, const char *text)
{
    size_t len = strlen(text);
    assert_true(len <= ROOM - b->len);
    memcpy(b->text + b->len, text, len);
    b->len += len;
}

/* {"0":0,"1":0, ...}, the last name repeating the one with this number unless that is n or more */
static void add_object(builder *b, unsigned n, unsigned repeat)
{
    add(b, "{");
    for (unsigned i = 0; i < n; i++) {
        char member[32];
        snprintf(member, sizeof member, "%s\"%x\":0", i == 0 ? "" : ",", i == n - 1 && repeat < n ? repeat : i);
        add(b, member);
    }
    add(b, "}");
}

static void parse_and_free(builder *b, atls_code code)
{
    atls_error err = {0};
    const atls_json *root;
    bool ok = atls_json_parse(atls_bytes_of(b->text, b->len), "f", check_arena(), &root, &err);
    check_error(&err, code, code == ATLS_OK ? "" : "f");
    assert_int_equal(ok, code == ATLS_OK);
    free(b->text);
}

typedef struct members_row {
    const char *name;
    unsigned n;
    unsigned repeat;
    atls_code code;
} members_row;

static const members_row members_rows[] = {
    {"members: as many as allowed", ATLS_MAX_JSON_MEMBERS, UINT32_MAX, ATLS_OK},
    {"members: one more", ATLS_MAX_JSON_MEMBERS + 1, UINT32_MAX, ATLS_E_LIMIT},
    {"members: as many as allowed, the last is the first", ATLS_MAX_JSON_MEMBERS, 0, ATLS_E_ENCODING},
    {"members: as many as allowed, the last is the one before", ATLS_MAX_JSON_MEMBERS, 1022, ATLS_E_ENCODING},
    {"members: eight are compared in pairs", 8, 3, ATLS_E_ENCODING},
    {"members: nine are sorted", 9, 3, ATLS_E_ENCODING},
    {"members: no power of two", 777, 500, ATLS_E_ENCODING},
    {"members: no power of two, all different", 777, UINT32_MAX, ATLS_OK},
};

static void test_members(void **state)
{
    const members_row *row = *state;
    builder b = new_text();
    add_object(&b, row->n, row->repeat);
    parse_and_free(&b, row->code);
}

static void test_every_repetition(void **state)
{
    (void)state;
    for (unsigned n = 2; n < 40; n++) {
        for (unsigned repeat = 0; repeat < n - 1; repeat++) {
            builder b = new_text();
            add_object(&b, n, repeat);
            parse_and_free(&b, ATLS_E_ENCODING);
        }
    }
}

static void test_values(void **state)
{
    const unsigned *n = *state;
    builder b = new_text();
    add(&b, "[0");
    for (unsigned i = 2; i < *n; i++) {
        add(&b, ",0");
    }
    add(&b, "]");
    parse_and_free(&b, *n <= ATLS_MAX_JSON_NODES ? ATLS_OK : ATLS_E_LIMIT);
}

static void test_unclosed(void **state)
{
    const char *open = *state;
    builder b = new_text();
    while (b.len + strlen(open) <= 1024 * 1024) {
        add(&b, open);
    }
    parse_and_free(&b, ATLS_E_LIMIT);
}

static void test_many_full_objects(void **state)
{
    (void)state;
    builder b = new_text();
    add(&b, "[");
    while (b.len < 1000 * 1000) {
        add_object(&b, ATLS_MAX_JSON_MEMBERS, UINT32_MAX);
        add(&b, ",");
    }
    add(&b, "0]");
    parse_and_free(&b, ATLS_OK);
}

/* ---- names with one hash ---- */

#define BLOCK_LEN 6
#define N_BLOCKS  10 /* 2^10 names */

static uint32_t hash_block(uint32_t hash, const char *block)
{
    for (size_t i = 0; i < BLOCK_LEN; i++) {
        hash = (hash ^ (uint8_t)block[i]) * 16777619u;
    }
    return hash;
}

/* The block with this number. Numbers are stirred first: FNV keeps similar blocks apart. */
static void spell(uint32_t n, char *block)
{
    uint64_t rest = (n * UINT64_C(0x9e3779b97f4a7c15)) >> 28;
    for (size_t i = 0; i < BLOCK_LEN; i++, rest /= 64) {
        block[i] = (char)('0' + rest % 64 + (rest % 64 >= 44 ? 1 : 0)); /* '0' to 'p', without the backslash */
    }
}

/* Two blocks that take a hash from `hash` to the same value: a birthday among some 2^17. */
static uint32_t collide(uint32_t hash, char pair[2][BLOCK_LEN])
{
    enum { SLOTS = 1 << 20 };
    uint32_t *seen = calloc(SLOTS, sizeof *seen);
    assert_non_null(seen);
    for (uint32_t n = 1; n < 1u << 22; n++) {
        spell(n, pair[1]);
        uint32_t after = hash_block(hash, pair[1]);
        uint32_t slot = after % SLOTS;
        spell(seen[slot], pair[0]);
        if (seen[slot] != 0 && hash_block(hash, pair[0]) == after) {
            free(seen);
            return after;
        }
        seen[slot] = n;
    }
    free(seen);
    fail_msg("no two blocks collide");
    return 0;
}

static void test_hash_flood(void **state)
{
    (void)state;
    char pairs[N_BLOCKS][2][BLOCK_LEN];
    uint32_t hash = 2166136261u;
    for (unsigned i = 0; i < N_BLOCKS; i++) {
        hash = collide(hash, pairs[i]);
    }
    builder b = new_text();
    add(&b, "[");
    while (b.len < 1000 * 1000) {
        add(&b, "{");
        for (unsigned i = 0; i < 1u << N_BLOCKS; i++) {
            char name[N_BLOCKS * BLOCK_LEN + 1] = {0};
            for (unsigned block = 0; block < N_BLOCKS; block++) {
                memcpy(name + block * BLOCK_LEN, pairs[block][i >> block & 1], BLOCK_LEN);
            }
            add(&b, i == 0 ? "\"" : ",\"");
            add(&b, name);
            add(&b, "\":0");
        }
        add(&b, "},");
    }
    add(&b, "0]");
    parse_and_free(&b, ATLS_OK); /* one hash, and still no name twice */
}

/* ---- memory ---- */

static void test_every_arena_size(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":[1,\"\\u0041bcdefgh\",{\"\\n\":null}],\"b\":\"0123456789abcdef\\n\"}";
    static uint8_t block[4096];
    bool ok = false;
    for (size_t size = 0; !ok && size < sizeof block; size++) {
        atls_arena a;
        atls_error err = {0};
        const atls_json *root;
        atls_arena_init(&a, block, size);
        ok = atls_json_parse(atls_bytes_str(text), "f", &a, &root, &err);
        check_error(&err, ok ? ATLS_OK : ATLS_E_MEMORY, ok ? "" : "arena");
    }
    assert_true(ok);
}

int main(void)
{
    static const unsigned as_many = ATLS_MAX_JSON_NODES;
    static const unsigned one_more = ATLS_MAX_JSON_NODES + 1;
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(members_rows); i++) {
        tap_add(&tests, members_rows[i].name, test_members, &members_rows[i]);
    }
    tap_add(&tests, "members: any repetition among any number is seen", test_every_repetition, NULL);
    tap_add(&tests, "values: as many as allowed", test_values, &as_many);
    tap_add(&tests, "values: one more", test_values, &one_more);
    tap_add(&tests, "depth: a MiB of brackets", test_unclosed, "[");
    tap_add(&tests, "depth: a MiB of objects", test_unclosed, "{\"\":");
    tap_add(&tests, "cost: a MiB of objects as large as can be", test_many_full_objects, NULL);
    tap_add(&tests, "cost: a MiB of names whose hashes are equal", test_hash_flood, NULL);
    tap_add(&tests, "memory: every arena that is too small says so", test_every_arena_size, NULL);
    return tap_run("json_limits", &tests);
}
