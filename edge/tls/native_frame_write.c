/* SPDX-License-Identifier: Apache-2.0 */
/* native_frame_write.c: the four messages, length first.
 *
 * The rules live in the reader alone: what was written is read back before it is handed out, so a frame that the peer
 * would have to refuse never leaves, and its fault has the reader's field. That is a walk over heads: nothing is hashed
 * or copied but nonces and siblings. */
#include "native_frame.h"

#define LENGTH_LEN   4u
#define HEADS_LEN    256u /* more than all heads and numbers of an evidence frame but its records' and siblings' */
#define MAX_HEAD_LEN 9u

typedef struct frame {
    atls_buf buf;
    atls_cw w;
} frame;

/* ---- any frame ----------------------------------------------------------------------------------------------------- */

/* room: how long the frame may become without moving. The length is filled in at the end. */
static bool begin(frame *f, atls_arena *a, size_t room, atls_error *err)
{
    static const uint8_t length[LENGTH_LEN] = {0};
    atls_buf_init(&f->buf, a, err);
    f->buf.ptr = atls_arena_raw(a, room, err);
    if (f->buf.ptr == NULL) {
        return false;
    }
    f->buf.cap = room;
    atls_buf_put(&f->buf, atls_bytes_of(length, sizeof length));
    atls_cw_init(&f->w, &f->buf);
    return true;
}

/* Gives the frame and its body. */
static bool finish(frame *f, atls_bytes *whole, atls_bytes *body)
{
    if (!atls_buf_done(&f->buf, whole)) {
        return false;
    }
    *body = atls_bytes_of(whole->ptr + LENGTH_LEN, whole->len - LENGTH_LEN);
    for (unsigned i = 0; i < LENGTH_LEN; i++) {
        f->buf.ptr[i] = (uint8_t)(body->len >> (8 * (LENGTH_LEN - 1 - i)));
    }
    return true;
}

/* The reader's no, as our caller's fault. */
static bool misuse(const atls_error *why, atls_error *err)
{
    return atls_fail_values(err, ATLS_E_USAGE, why->field, why->expected, why->actual, "%s", why->message);
}

/* ---- hellos -------------------------------------------------------------------------------------------------------- */

static void put_names(atls_cw *w, uint64_t key, const atls_native_names *names)
{
    atls_cw_uint(w, key);
    atls_cw_array(w, names->n);
    for (size_t i = 0; i < names->n; i++) {
        atls_cw_text(w, names->items[i]);
    }
}

static void put_hello(atls_cw *w, bool is_server, const atls_native_hello *in)
{
    atls_cw_map(w, 5u + (in->staple ? 1 : 0) + (in->has_wait ? 1 : 0));
    atls_cw_uint(w, 0);
    atls_cw_uint(w, is_server ? ATLS_NATIVE_SERVER_HELLO : ATLS_NATIVE_CLIENT_HELLO);
    atls_cw_uint(w, 1);
    atls_cw_uint(w, ATLS_NATIVE_REVISION);
    atls_cw_uint(w, 2);
    atls_cw_bytes(w, atls_bytes_of(in->nonce, sizeof in->nonce));
    put_names(w, 3, &in->types);
    put_names(w, 4, &in->protocols);
    if (in->staple) {
        atls_cw_uint(w, 5);
        atls_cw_bool(w, true);
    }
    if (in->has_wait) {
        atls_cw_uint(w, 6);
        atls_cw_uint(w, in->wait_ms);
    }
}

static bool check_names(const atls_native_names *names, const char *field, atls_error *err)
{
    if (names->n > ATLS_NATIVE_MAX_NAMES) {
        return atls_fail(err, ATLS_E_USAGE, field, "%zu names, at most %u may be sent", names->n,
                         ATLS_NATIVE_MAX_NAMES);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (names->items[i].len > ATLS_NATIVE_MAX_HELLO_LEN) {
            return atls_fail(err, ATLS_E_USAGE, field, "a name of %zu bytes", names->items[i].len);
        }
    }
    return true;
}

bool atls_native_write_hello(bool is_server, const atls_native_hello *in, atls_arena *a, atls_bytes *out,
                             atls_error *err)
{
    frame f;
    atls_bytes whole;
    atls_bytes body;
    atls_native_hello back;
    atls_error why = {.code = ATLS_OK};
    *out = atls_bytes_empty();
    if (!check_names(&in->types, is_server ? "server_hello.types" : "client_hello.types", err)
        || !check_names(&in->protocols, is_server ? "server_hello.protocols" : "client_hello.protocols", err)
        || !begin(&f, a, HEADS_LEN, err)) {
        return false;
    }
    put_hello(&f.w, is_server, in);
    if (!finish(&f, &whole, &body)) {
        return false;
    }
    bool ok = atls_native_read_hello(is_server, body, &back, &why);
    atls_wipe(back.nonce, sizeof back.nonce);
    if (!ok) {
        return misuse(&why, err);
    }
    *out = whole;
    return true;
}

/* ---- evidence ------------------------------------------------------------------------------------------------------ */

static void put_cmw(atls_cw *w, const atls_native_evidence *in)
{
    atls_cw_uint(w, 1);
    if (!in->has_companion) {
        atls_cmw_write(w, ATLS_CMW_EVIDENCE, &in->evidence);
        return;
    }
    atls_cw_map(w, 2);
    atls_cw_uint(w, 0);
    atls_cmw_write(w, ATLS_CMW_EVIDENCE, &in->evidence);
    atls_cw_uint(w, 1);
    atls_cmw_write(w, ATLS_CMW_EVIDENCE, &in->companion);
}

static void put_staples(atls_cw *w, const atls_native_evidence *in)
{
    if (in->n_staples == 0) {
        return;
    }
    atls_cw_uint(w, 2);
    atls_cw_array(w, in->n_staples);
    for (size_t i = 0; i < in->n_staples; i++) {
        atls_cmw_write(w, ATLS_CMW_ENDORSEMENT, &in->staples[i]);
    }
}

static void put_tree(atls_cw *w, const atls_tree_path *path)
{
    if (path->size == 1) {
        return;
    }
    atls_cw_uint(w, 3);
    atls_cw_array(w, 3);
    atls_cw_uint(w, path->index);
    atls_cw_uint(w, path->size);
    atls_cw_array(w, path->siblings.len / ATLS_TREE_HASH_LEN);
    for (size_t at = 0; at < path->siblings.len; at += ATLS_TREE_HASH_LEN) {
        atls_cw_bytes(w, atls_bytes_of(path->siblings.ptr + at, ATLS_TREE_HASH_LEN));
    }
}

static void put_evidence(atls_cw *w, const atls_native_evidence *in)
{
    atls_cw_map(w, 2u + (in->n_staples > 0 ? 1 : 0) + (in->path.size > 1 ? 1 : 0));
    atls_cw_uint(w, 0);
    atls_cw_uint(w, ATLS_NATIVE_EVIDENCE);
    put_cmw(w, in);
    put_staples(w, in);
    put_tree(w, &in->path);
}

/* Adds what a record takes to *room, if a frame could hold it at all: then no sum can overflow. */
static bool add_record(const atls_cmw_record *r, const char *field, size_t *room, atls_error *err)
{
    if (r->type.len > ATLS_NATIVE_MAX_EVIDENCE_LEN || r->value.len > ATLS_NATIVE_MAX_EVIDENCE_LEN) {
        return atls_fail(err, ATLS_E_USAGE, field, "a record is longer than any frame");
    }
    *room += 2u + 2 * MAX_HEAD_LEN + r->type.len + r->value.len;
    return true;
}

/* How long the frame becomes at most: evidence is large, and a buffer that grows leaves copies in the arena. */
static bool measure(const atls_native_evidence *in, size_t *room, atls_error *err)
{
    if (in->n_staples > ATLS_NATIVE_MAX_STAPLES) {
        return atls_fail(err, ATLS_E_USAGE, "evidence.endorsements", "%zu records, at most %u may be sent",
                         in->n_staples, ATLS_NATIVE_MAX_STAPLES);
    }
    if (!atls_tree_path_check(&in->path, "evidence.tree", err)) {
        return false;
    }
    *room = HEADS_LEN + in->path.siblings.len;
    if (!add_record(&in->evidence, "evidence.cmw", room, err)
        || (in->has_companion && !add_record(&in->companion, "evidence.companion", room, err))) {
        return false;
    }
    for (size_t i = 0; i < in->n_staples; i++) {
        if (!add_record(&in->staples[i], "evidence.endorsements", room, err)) {
            return false;
        }
    }
    return true;
}

bool atls_native_write_evidence(const atls_native_evidence *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    frame f;
    size_t room = 0;
    atls_bytes whole;
    atls_bytes body;
    atls_native_evidence back;
    atls_error why = {.code = ATLS_OK};
    *out = atls_bytes_empty();
    if (!measure(in, &room, &why)) {
        return misuse(&why, err);
    }
    if (!begin(&f, a, room, err)) {
        return false;
    }
    put_evidence(&f.w, in);
    if (!finish(&f, &whole, &body)) {
        return false;
    }
    if (!atls_native_read_evidence(body, &back, &why)) {
        return misuse(&why, err);
    }
    *out = whole;
    return true;
}

/* ---- done ---------------------------------------------------------------------------------------------------------- */

bool atls_native_write_done(const atls_native_done *in, atls_arena *a, atls_bytes *out, atls_error *err)
{
    frame f;
    atls_bytes whole;
    atls_bytes body;
    atls_native_done back;
    atls_error why = {.code = ATLS_OK};
    const bool accepted = in->refusal == ATLS_CATEGORY_NONE;
    *out = atls_bytes_empty();
    if (!begin(&f, a, LENGTH_LEN + ATLS_NATIVE_MAX_DONE_LEN, err)) {
        return false;
    }
    atls_cw_map(&f.w, accepted ? 3 : 2);
    atls_cw_uint(&f.w, 0);
    atls_cw_uint(&f.w, ATLS_NATIVE_DONE);
    atls_cw_uint(&f.w, 1);
    atls_cw_uint(&f.w, (uint64_t)in->refusal);
    if (accepted) {
        atls_cw_uint(&f.w, 2);
        atls_cw_bytes(&f.w, atls_bytes_of(in->context, sizeof in->context));
    }
    if (!finish(&f, &whole, &body)) {
        return false;
    }
    if (!atls_native_read_done(body, &back, &why)) {
        return misuse(&why, err);
    }
    *out = whole;
    return true;
}
