/* SPDX-License-Identifier: Apache-2.0 */
/* record_box.c: the container of recordings: deterministic CBOR, with a digest behind everything.
 *
 *   [ "atls record", 1, kind, version of atls, { name: value, ... }, SHA-256 of all bytes before this item ]
 *
 * The digest is looked at before anything but the first bytes, so that whatever happened to a file has one name. */
#include "record_box.h"

#include <stdlib.h>
#include <string.h>

#include "atls/atls.h"
#include "base/cbor.h"
#include "base/cbor_write.h"

#define MAGIC           "atls record"
#define N_PARTS         6u
#define DIGEST_LEN      32u
#define DIGEST_ITEM     (DIGEST_LEN + 2) /* with its head */
#define MAX_NAME_LEN    64u
#define MAX_HEAD_LEN    9u
#define FIXED_LEN       256u /* everything outside the map, and more */
#define MAX_KIND_LEN    32u
#define MAX_LIBRARY_LEN 64u

/* RFC 8949 4.2.1 over text keys: the shorter first, then byte by byte. */
static int compare_names(const char *a, const char *b)
{
    const size_t m = strlen(a);
    const size_t n = strlen(b);
    return m != n ? (m < n ? -1 : 1) : strcmp(a, b);
}

/* ---- writing ---- */

void atls_box_init(atls_box *b, atls_arena *arena, atls_error *err)
{
    *b = (atls_box){.arena = arena, .err = err};
    b->members = atls_arena_array(arena, ATLS_MAX_RECORD_MEMBERS, sizeof *b->members, err);
    b->failed = b->members == NULL;
}

static void fail(atls_box *b, atls_code code, const char *name, const char *message)
{
    b->failed = true;
    (void)atls_fail(b->err, code, name[0] == '\0' ? "record" : name, "%s", message);
}

static atls_record_member *add(atls_box *b, const char *name, atls_record_type type)
{
    if (b->failed) {
        return NULL;
    }
    if (b->n == ATLS_MAX_RECORD_MEMBERS) {
        fail(b, ATLS_E_LIMIT, name, "a recording has no room for so many members");
        return NULL;
    }
    if (name[0] == '\0' || strlen(name) > MAX_NAME_LEN) {
        fail(b, ATLS_E_INTERNAL, name, "not a name for a member");
        return NULL;
    }
    atls_record_member *m = &b->members[b->n++];
    *m = (atls_record_member){.name = name, .type = type, .bytes = atls_bytes_empty()};
    return m;
}

void atls_box_number(atls_box *b, const char *name, uint64_t value)
{
    atls_record_member *m = add(b, name, ATLS_RECORD_NUMBER);
    if (m != NULL) {
        m->number = value;
    }
}

void atls_box_flag(atls_box *b, const char *name, bool value)
{
    atls_record_member *m = add(b, name, ATLS_RECORD_FLAG);
    if (m != NULL) {
        m->flag = value;
    }
}

void atls_box_bytes(atls_box *b, const char *name, atls_bytes value)
{
    atls_record_member *m = add(b, name, ATLS_RECORD_BYTES);
    if (m != NULL) {
        m->bytes = value;
    }
}

void atls_box_text(atls_box *b, const char *name, atls_bytes value)
{
    atls_record_member *m = add(b, name, ATLS_RECORD_TEXT);
    if (m != NULL && !atls_utf8_valid(value)) {
        fail(b, ATLS_E_USAGE, name, "not UTF-8");
    } else if (m != NULL) {
        m->bytes = value;
    }
}

void atls_box_list(atls_box *b, const char *name, const atls_bytes *items, size_t n)
{
    atls_record_member *m = add(b, name, ATLS_RECORD_LIST);
    if (m != NULL && n > ATLS_MAX_RECORD_LIST) {
        fail(b, ATLS_E_LIMIT, name, "a list of a recording has no room for so many entries");
    } else if (m != NULL) {
        m->items = items;
        m->n_items = n;
    }
}

const char *atls_box_name(atls_box *b, const char *group, size_t i, const char *rest)
{
    const char *name = atls_text_format(b->arena, b->err, "%s[%zu].%s", group, i, rest);
    b->failed = b->failed || name == NULL;
    return name == NULL ? "" : name;
}

static int by_name(const void *a, const void *b)
{
    const atls_record_member *x = a;
    const atls_record_member *y = b;
    return compare_names(x->name, y->name);
}

/* Adds without wrapping; what is too long is too long. */
static size_t plus(size_t sum, size_t more)
{
    return more > ATLS_MAX_RECORD_LEN || sum > ATLS_MAX_RECORD_LEN ? (size_t)ATLS_MAX_RECORD_LEN + 1 : sum + more;
}

/* At least what the writer will need, so that its buffer never grows. */
static size_t room_for(const atls_box *b)
{
    size_t sum = FIXED_LEN;
    for (size_t i = 0; i < b->n; i++) {
        const atls_record_member *m = &b->members[i];
        sum = plus(plus(sum, strlen(m->name) + 2 * MAX_HEAD_LEN), m->bytes.len);
        for (size_t k = 0; k < m->n_items; k++) {
            sum = plus(plus(sum, MAX_HEAD_LEN), m->items[k].len);
        }
    }
    return sum;
}

static void put_list(atls_cw *w, const atls_record_member *m)
{
    atls_cw_array(w, m->n_items);
    for (size_t i = 0; i < m->n_items; i++) {
        atls_cw_bytes(w, m->items[i]);
    }
}

static void put_member(atls_cw *w, const atls_record_member *m)
{
    atls_cw_text(w, atls_bytes_str(m->name));
    switch (m->type) {
    case ATLS_RECORD_NUMBER:
        atls_cw_uint(w, m->number);
        break;
    case ATLS_RECORD_FLAG:
        atls_cw_bool(w, m->flag);
        break;
    case ATLS_RECORD_BYTES:
        atls_cw_bytes(w, m->bytes);
        break;
    case ATLS_RECORD_TEXT:
        atls_cw_text(w, m->bytes);
        break;
    case ATLS_RECORD_LIST:
        put_list(w, m);
        break;
    }
}

static void put_all(atls_cw *w, const atls_box *b, const char *kind)
{
    atls_cw_array(w, N_PARTS);
    atls_cw_text(w, atls_bytes_str(MAGIC));
    atls_cw_uint(w, ATLS_RECORD_VERSION);
    atls_cw_text(w, atls_bytes_str(kind));
    atls_cw_text(w, atls_bytes_str(ATLS_VERSION));
    atls_cw_map(w, b->n);
    for (size_t i = 0; i < b->n; i++) {
        put_member(w, &b->members[i]);
    }
}

static bool no_name_twice(atls_box *b)
{
    qsort(b->members, b->n, sizeof *b->members, by_name);
    for (size_t i = 1; i < b->n; i++) {
        if (strcmp(b->members[i - 1].name, b->members[i].name) == 0) {
            fail(b, ATLS_E_USAGE, b->members[i].name, "two members of one name");
        }
    }
    return !b->failed;
}

bool atls_box_done(atls_box *b, const atls_crypto *c, const char *kind, atls_bytes *out)
{
    uint8_t digest[DIGEST_LEN];
    atls_buf buf;
    atls_cw w;
    *out = atls_bytes_empty();
    if (b->failed || !no_name_twice(b)) {
        return false;
    }
    const size_t room = room_for(b);
    if (room > ATLS_MAX_RECORD_LEN) {
        return atls_fail(b->err, ATLS_E_LIMIT, "record", "longer than %u bytes", ATLS_MAX_RECORD_LEN);
    }
    atls_buf_init(&buf, b->arena, b->err);
    buf.ptr = atls_arena_raw(b->arena, room, b->err);
    buf.cap = buf.ptr == NULL ? 0 : room;
    buf.failed = buf.ptr == NULL;
    atls_cw_init(&w, &buf);
    put_all(&w, b, kind);
    const atls_bytes before = atls_bytes_of(buf.ptr, buf.len);
    if (buf.failed || !atls_digest(c, ATLS_SHA256, &before, 1, digest, b->err)) {
        return false;
    }
    atls_cw_bytes(&w, atls_bytes_of(digest, sizeof digest));
    return atls_buf_done(&buf, out);
}

/* ---- reading ---- */

typedef struct box_reader {
    atls_cur cur;
    atls_arena *arena;
    atls_error *err;
} box_reader;

static bool is_recording(atls_bytes file)
{
    static const uint8_t start[] = {0x80 + N_PARTS, 0x60 + sizeof MAGIC - 1};
    return file.len > sizeof start + sizeof MAGIC - 1 + DIGEST_ITEM && memcmp(file.ptr, start, sizeof start) == 0
           && memcmp(file.ptr + sizeof start, MAGIC, sizeof MAGIC - 1) == 0;
}

static bool check_digest(atls_bytes file, uint8_t digest[DIGEST_LEN], atls_error *err)
{
    atls_crypto *c = NULL;
    const atls_bytes before = atls_bytes_of(file.ptr, file.len - DIGEST_ITEM);
    const atls_bytes found = atls_bytes_of(file.ptr + file.len - DIGEST_LEN, DIGEST_LEN);
    if (!atls_crypto_new(&c, err)) {
        return false;
    }
    const bool ok = atls_digest(c, ATLS_SHA256, &before, 1, digest, err);
    atls_crypto_free(c);
    return ok
           && (atls_bytes_equal(found, atls_bytes_of(digest, DIGEST_LEN))
               || atls_fail_bytes(err, ATLS_E_ENCODING, "record.digest", atls_bytes_of(digest, DIGEST_LEN), found,
                                  "a byte of the recording was changed, or is missing"));
}

static bool read_word(box_reader *r, const char *field, size_t max, const char **out)
{
    atls_bytes text;
    if (!atls_cbor_text(&r->cur, field, &text)) {
        return false;
    }
    if (text.len == 0 || text.len > max) {
        return atls_cur_fail(&r->cur, ATLS_E_LIMIT, field, NULL, NULL, "a word of impossible length");
    }
    *out = atls_text_copy(text, r->arena, r->err);
    return *out != NULL;
}

static bool read_version(box_reader *r)
{
    uint64_t version = 0;
    return atls_cbor_uint(&r->cur, "version", UINT64_MAX, &version)
           && (version == ATLS_RECORD_VERSION
               || atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, "record.version", "1", "another",
                                        "a recording of another format than this version of atls knows"));
}

static bool read_items(box_reader *r, uint64_t n, atls_record_member *m)
{
    if (n > ATLS_MAX_RECORD_LIST) {
        return atls_cur_fail(&r->cur, ATLS_E_LIMIT, m->name, NULL, NULL, "too many entries");
    }
    atls_bytes *items = atls_arena_array(r->arena, (size_t)n + 1, sizeof *items, r->err);
    if (items == NULL) {
        return false;
    }
    m->items = items;
    for (; m->n_items < n; m->n_items++) {
        if (!atls_cbor_bytes(&r->cur, m->name, &items[m->n_items])) {
            return false;
        }
    }
    return true;
}

static bool read_value(box_reader *r, atls_record_member *m)
{
    atls_cbor_item item;
    if (!atls_cbor_head(&r->cur, m->name, &item)) {
        return false;
    }
    m->bytes = atls_bytes_empty();
    switch (item.type) {
    case ATLS_CBOR_UINT:
        m->type = ATLS_RECORD_NUMBER;
        m->number = item.n;
        return true;
    case ATLS_CBOR_FALSE:
    case ATLS_CBOR_TRUE:
        m->type = ATLS_RECORD_FLAG;
        m->flag = item.type == ATLS_CBOR_TRUE;
        return true;
    case ATLS_CBOR_BYTES:
    case ATLS_CBOR_TEXT:
        m->type = item.type == ATLS_CBOR_BYTES ? ATLS_RECORD_BYTES : ATLS_RECORD_TEXT;
        m->bytes = item.bytes;
        return true;
    case ATLS_CBOR_ARRAY:
        m->type = ATLS_RECORD_LIST;
        return read_items(r, item.n, m);
    default:
        return atls_cur_fail(&r->cur, ATLS_E_ENCODING, m->name, NULL, NULL,
                             "a value of a kind that recordings do not have");
    }
}

static bool read_members(box_reader *r, atls_record *out)
{
    uint64_t n = 0;
    if (!atls_cbor_map(&r->cur, "members", ATLS_MAX_RECORD_MEMBERS, &n)) {
        return false;
    }
    atls_record_member *members = atls_arena_array(r->arena, (size_t)n + 1, sizeof *members, r->err);
    if (members == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_word(r, "member", MAX_NAME_LEN, &members[i].name)) {
            return false;
        }
        if (i > 0 && compare_names(members[i - 1].name, members[i].name) >= 0) {
            return atls_cur_fail(&r->cur, ATLS_E_ENCODING, members[i].name, NULL, NULL, "members are not in order");
        }
        if (!read_value(r, &members[i])) {
            return false;
        }
    }
    out->members = members;
    out->n_members = (size_t)n;
    return true;
}

static bool read_parts(box_reader *r, atls_record *out)
{
    uint64_t n = 0;
    atls_bytes word;
    return atls_cbor_array(&r->cur, "parts", N_PARTS, &n) && atls_cbor_text(&r->cur, "magic", &word) && read_version(r)
           && read_word(r, "kind", MAX_KIND_LEN, &out->kind) && read_word(r, "library", MAX_LIBRARY_LEN, &out->library)
           && read_members(r, out) && atls_cbor_bytes(&r->cur, "digest", &word) && atls_cur_end(&r->cur)
           && (word.len == DIGEST_LEN
               || atls_cur_fail(&r->cur, ATLS_E_ENCODING, "digest", NULL, NULL, "not a SHA-256 digest"));
}

bool atls_record_open(atls_bytes file, atls_arena *arena, atls_record *out, atls_error *err)
{
    box_reader r = {.arena = arena, .err = err};
    *out = (atls_record){.kind = "", .library = ""};
    if (file.len > ATLS_MAX_RECORD_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "record", "longer than %u bytes", ATLS_MAX_RECORD_LEN);
    }
    if (!is_recording(file)) {
        return atls_fail(err, ATLS_E_ENCODING, "record", "not a recording of atls, or the first bytes were changed");
    }
    if (!check_digest(file, out->sha256, err)) {
        return false;
    }
    atls_cur_init(&r.cur, file, "record", err);
    return read_parts(&r, out);
}

const atls_record_member *atls_record_find(const atls_record *r, const char *name)
{
    for (size_t i = 0; i < r->n_members; i++) {
        if (strcmp(r->members[i].name, name) == 0) {
            return &r->members[i];
        }
    }
    return NULL;
}
