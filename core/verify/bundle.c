/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: a signed bundle from bytes, and to bytes (docs/bundle.md).
 *
 *   "atls endorsement bundle v1\0"  payload (one deterministic CBOR item)  signer's key, 32  signature, 64
 *
 * The signature covers all that stands before the key, as it stands, and is checked before any of it is read. The reader
 * knows one encoding for one content: whatever it accepts, the writer writes again, byte for byte. */
#include <stdio.h>
#include <string.h>

#include "base/cbor.h"
#include "base/cbor_write.h"
#include "bundle_kinds.h"
#include "pki/ed25519.h"

#define TRAILER_LEN (ATLS_ED25519_KEY_LEN + ATLS_ED25519_SIGNATURE_LEN)
#define MAX_MEMBERS 64u /* of the payload; this version knows three */

/* With its NUL. What follows the digit is the version's. */
static const char magic[] = "atls endorsement bundle v1";
static const char any_version[] = "atls endorsement bundle v";

/* ---- the frame ---- */

typedef struct frame {
    atls_bytes signed_span;
    atls_bytes payload;
    const uint8_t *key;
    const uint8_t *signature;
} frame;

static bool begins_with(atls_bytes in, const char *text, size_t len)
{
    return in.len >= len && memcmp(in.ptr, text, len) == 0;
}

bool atls_bundle_is(atls_bytes file)
{
    return begins_with(file, any_version, sizeof any_version - 1);
}

static bool read_frame(atls_bytes file, frame *out, atls_error *err)
{
    if (!atls_bundle_is(file)) {
        (void)atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "bundle", "the file is no signed bundle of endorsements");
        return false;
    }
    if (!begins_with(file, magic, sizeof magic)) {
        (void)atls_fail_unsupported(err, ATLS_E_UNSUPPORTED, "bundle.version", "1", "another",
                                    "the bundle is of a version that this program does not know");
        return false;
    }
    if (file.len > ATLS_BUNDLE_MAX_LEN) {
        (void)atls_fail(err, ATLS_E_LIMIT, "bundle", "more than %u bytes", ATLS_BUNDLE_MAX_LEN);
        return false;
    }
    if (file.len - sizeof magic < TRAILER_LEN + 1) {
        (void)atls_fail(err, ATLS_E_TRUNCATED, "bundle", "the file ends before a bundle could");
        return false;
    }
    out->signed_span = atls_bytes_of(file.ptr, file.len - TRAILER_LEN);
    out->payload = atls_bytes_of(file.ptr + sizeof magic, file.len - sizeof magic - TRAILER_LEN);
    out->key = file.ptr + file.len - TRAILER_LEN;
    out->signature = out->key + ATLS_ED25519_KEY_LEN;
    return true;
}

static bool is_trusted(const uint8_t *key, const atls_bundle_key *keys, size_t n)
{
    const atls_bytes signer = atls_bytes_of(key, ATLS_ED25519_KEY_LEN);
    for (size_t i = 0; i < n; i++) {
        if (atls_bytes_equal(signer, atls_bytes_of(keys[i].raw, sizeof keys[i].raw))) {
            return true;
        }
    }
    return false;
}

static bool check_signature(const frame *f, const atls_bundle_key *keys, size_t n, atls_error *err)
{
    if (n == 0 || n > ATLS_BUNDLE_MAX_KEYS) {
        return atls_fail(err, ATLS_E_USAGE, "bundle.keys", "say which keys, 1 to %u, may have signed the bundle",
                         ATLS_BUNDLE_MAX_KEYS);
    }
    if (!is_trusted(f->key, keys, n)) {
        return atls_fail_bytes(err, ATLS_E_BUNDLE_SIGNATURE, "bundle.signer",
                               atls_bytes_of(keys[0].raw, sizeof keys[0].raw),
                               atls_bytes_of(f->key, ATLS_ED25519_KEY_LEN), "the bundle is signed by another key");
    }
    return atls_ed25519_verify(f->key, f->signed_span, f->signature, ATLS_E_BUNDLE_SIGNATURE, "bundle.signature", err);
}

/* ---- reading ---- */

typedef struct reader {
    atls_cur c;
    atls_arena *arena;
    atls_bundle *out;
    atls_error *err;
} reader;

static bool fail_piece(reader *r, size_t at, const char *what)
{
    char field[48];
    (void)snprintf(field, sizeof field, "bundle.pieces[%zu]", at);
    return atls_fail(r->err, ATLS_E_COLLATERAL_FORMAT, field, "%s", what);
}

static bool read_text(reader *r, const char *field, const char **out)
{
    atls_bytes text;
    if (!atls_cbor_text(&r->c, field, &text)) {
        return false;
    }
    if (text.len > BUNDLE_MAX_SUBJECT_LEN) {
        return atls_cur_fail(&r->c, ATLS_E_LIMIT, field, NULL, NULL, "the text is too long");
    }
    *out = atls_text_copy(text, r->arena, r->err);
    return *out != NULL;
}

static bool read_parts(reader *r, atls_bundle_piece *p)
{
    uint64_t n;
    if (!atls_cbor_array(&r->c, "parts", ATLS_BUNDLE_MAX_PARTS, &n)) {
        return false;
    }
    p->n_parts = (size_t)n;
    for (size_t i = 0; i < p->n_parts; i++) {
        if (!atls_cbor_bytes(&r->c, "part", &p->parts[i])) {
            return false;
        }
    }
    return true;
}

static bool read_piece(reader *r, size_t at, atls_bundle_piece *p)
{
    uint64_t n;
    if (!atls_cbor_array(&r->c, "piece", 3, &n)) {
        return false;
    }
    if (n != 3) {
        return fail_piece(r, at, "a piece is a kind, a subject and its parts");
    }
    return read_text(r, "kind", &p->kind) && read_text(r, "subject", &p->subject) && read_parts(r, p)
           && atls_bundle_check_piece(p, at, r->err);
}

static bool read_pieces(reader *r)
{
    uint64_t n;
    if (!atls_cbor_array(&r->c, "pieces", ATLS_BUNDLE_MAX_PIECES, &n)) {
        return false;
    }
    atls_bundle_piece *pieces = atls_arena_array(r->arena, (size_t)n + 1, sizeof *pieces, r->err);
    if (pieces == NULL) {
        return false;
    }
    for (size_t i = 0; i < (size_t)n; i++) {
        if (!read_piece(r, i, &pieces[i])) {
            return false;
        }
        if (i > 0 && atls_bundle_order(&pieces[i - 1], &pieces[i]) >= 0) {
            return fail_piece(r, i, "pieces come in the order of kind and subject, and none comes twice");
        }
    }
    r->out->pieces = pieces;
    r->out->n_pieces = (size_t)n;
    return n > 0 || atls_cur_fail(&r->c, ATLS_E_COLLATERAL_FORMAT, "pieces", NULL, NULL, "there is no piece");
}

/* Bits of the members that were there. */
enum { HAS_MADE = 1, HAS_PIECES = 2, HAS_SEQUENCE = 4, HAS_ALL = 7 };

/* What a later version adds either may be passed over, and then its name begins with "x-", or changes what the rest means. */
static bool read_member(reader *r, unsigned *has)
{
    atls_bytes name;
    uint64_t made;
    if (!atls_cbor_text(&r->c, "member", &name)) {
        return false;
    }
    if (atls_bytes_equal_str(name, "made")) {
        *has |= HAS_MADE;
        if (!atls_cbor_uint(&r->c, "made", BUNDLE_MAX_MADE, &made)) {
            return false;
        }
        r->out->made = (atls_time)made;
        return made > 0 || atls_cur_fail(&r->c, ATLS_E_COLLATERAL_FORMAT, "made", NULL, "0", "the bundle has no date");
    }
    if (atls_bytes_equal_str(name, "pieces")) {
        *has |= HAS_PIECES;
        return read_pieces(r);
    }
    if (atls_bytes_equal_str(name, "sequence")) {
        *has |= HAS_SEQUENCE;
        return atls_cbor_uint(&r->c, "sequence", BUNDLE_MAX_SEQUENCE, &r->out->sequence)
               && (r->out->sequence > 0
                   || atls_cur_fail(&r->c, ATLS_E_COLLATERAL_FORMAT, "sequence", NULL, "0", "sequences begin at 1"));
    }
    if (begins_with(name, "x-", 2)) {
        atls_bytes ignored;
        return atls_cbor_skip(&r->c, "extension", true, &ignored);
    }
    return atls_fail_unsupported(r->err, ATLS_E_UNSUPPORTED, "bundle.member", "made, pieces, sequence", NULL,
                                 "the bundle has a member that this program does not know");
}

/* Order and duplicates of members, at every level, are looked at by the skip. */
static bool read_payload(reader *r, atls_bytes payload)
{
    uint64_t n;
    unsigned has = 0;
    atls_bytes whole;
    atls_cur_init(&r->c, payload, "bundle", r->err);
    if (!atls_cbor_skip(&r->c, "payload", true, &whole) || !atls_cur_end(&r->c)) {
        return false;
    }
    atls_cur_init(&r->c, payload, "bundle", r->err);
    if (!atls_cbor_map(&r->c, "payload", MAX_MEMBERS, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (!read_member(r, &has)) {
            return false;
        }
    }
    return (has == HAS_ALL
            || atls_cur_fail(&r->c, ATLS_E_COLLATERAL_FORMAT, "payload", "made, pieces, sequence", NULL,
                             "a member is missing"))
           && atls_cur_end(&r->c);
}

static bool read_bundle(const frame *f, atls_arena *arena, atls_bundle *out, atls_error *err)
{
    atls_bundle b = {.insecure_unsigned = true};
    reader r = {.arena = arena, .out = &b, .err = err};
    memcpy(b.signer, f->key, sizeof b.signer);
    if (!read_payload(&r, f->payload)) {
        const bool is_format =
            err->code == ATLS_E_ENCODING || err->code == ATLS_E_TRUNCATED || err->code == ATLS_E_TRAILING;
        return is_format ? atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "") : false;
    }
    *out = b;
    return true;
}

bool atls_bundle_open(atls_bytes file, const atls_bundle_key *keys, size_t n_keys, atls_arena *arena, atls_bundle *out,
                      atls_error *err)
{
    frame f;
    atls_bundle b;
    if (!read_frame(file, &f, err) || !check_signature(&f, keys, n_keys, err) || !read_bundle(&f, arena, &b, err)) {
        return false;
    }
    *out = b;
    out->insecure_unsigned = false;
    return true;
}

bool atls_bundle_open_insecure_unsigned(atls_bytes file, atls_arena *arena, atls_bundle *out, atls_error *err)
{
    frame f;
    return read_frame(file, &f, err) && read_bundle(&f, arena, out, err);
}

const atls_bundle_piece *atls_bundle_find(const atls_bundle *b, const char *kind, const char *subject)
{
    const atls_bundle_piece wanted = {.kind = kind, .subject = subject};
    size_t from = 0;
    size_t to = b->n_pieces;
    while (from < to) {
        const size_t middle = from + (to - from) / 2;
        const int order = atls_bundle_order(&wanted, &b->pieces[middle]);
        if (order == 0) {
            return &b->pieces[middle];
        }
        *(order < 0 ? &to : &from) = order < 0 ? middle : middle + 1;
    }
    return NULL;
}

/* ---- writing ---- */

static bool check_numbers(const atls_bundle_pieces *p, uint64_t sequence, atls_time made, atls_error *err)
{
    if (sequence == 0 || sequence > BUNDLE_MAX_SEQUENCE) {
        return atls_fail(err, ATLS_E_USAGE, "bundle.sequence", "wants 1 to 2^53 - 1");
    }
    if (made <= ATLS_TIME_UNSET || (uint64_t)made > BUNDLE_MAX_MADE) {
        return atls_fail(err, ATLS_E_USAGE, "bundle.made", "wants a date up to the year 9999");
    }
    if (p->n == 0) {
        return atls_fail(err, ATLS_E_USAGE, "bundle.pieces", "there is nothing to pack");
    }
    return p->n <= ATLS_BUNDLE_MAX_PIECES
           || atls_fail(err, ATLS_E_LIMIT, "bundle.pieces", "more than %u pieces", ATLS_BUNDLE_MAX_PIECES);
}

static bool write_payload(const atls_bundle_pieces *p, uint64_t sequence, atls_time made, atls_buf *b, atls_error *err)
{
    atls_cw w;
    atls_cw_init(&w, b);
    atls_cw_map(&w, 3);
    atls_cw_text(&w, atls_bytes_str("made"));
    atls_cw_uint(&w, (uint64_t)made);
    atls_cw_text(&w, atls_bytes_str("pieces"));
    atls_cw_array(&w, p->n);
    for (size_t i = 0; i < p->n; i++) {
        const atls_bundle_piece *piece = &p->items[i];
        if (!atls_bundle_check_piece(piece, i, err)) {
            return false;
        }
        atls_cw_array(&w, 3);
        atls_cw_text(&w, atls_bytes_str(piece->kind));
        atls_cw_text(&w, atls_bytes_str(piece->subject));
        atls_cw_array(&w, piece->n_parts);
        for (size_t k = 0; k < piece->n_parts; k++) {
            atls_cw_bytes(&w, piece->parts[k]);
        }
    }
    atls_cw_text(&w, atls_bytes_str("sequence"));
    atls_cw_uint(&w, sequence);
    return true;
}

static bool sign(const atls_buf *b, const uint8_t seed[32], uint8_t trailer[TRAILER_LEN], atls_error *err)
{
    return !b->failed && atls_ed25519_public(seed, trailer, err)
           && atls_ed25519_sign(seed, atls_bytes_of(b->ptr, b->len), trailer + ATLS_ED25519_KEY_LEN, err);
}

bool atls_bundle_pack(const atls_bundle_pieces *p, uint64_t sequence, atls_time made, atls_bytes private_pem,
                      atls_bytes *out, atls_error *err)
{
    uint8_t seed[ATLS_ED25519_KEY_LEN] = {0};
    uint8_t trailer[TRAILER_LEN];
    atls_buf b;
    if (!check_numbers(p, sequence, made, err) || !atls_ed25519_read_seed(private_pem, "key", seed, err)) {
        return false;
    }
    atls_buf_init(&b, p->arena, err);
    atls_buf_put(&b, atls_bytes_of(magic, sizeof magic));
    const bool is_signed = write_payload(p, sequence, made, &b, err) && sign(&b, seed, trailer, err);
    atls_wipe(seed, sizeof seed);
    if (!is_signed) {
        return false;
    }
    atls_buf_put(&b, atls_bytes_of(trailer, sizeof trailer));
    if (b.len > ATLS_BUNDLE_MAX_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "bundle", "more than %u bytes", ATLS_BUNDLE_MAX_LEN);
    }
    return atls_buf_done(&b, out);
}

/* ---- keys ---- */

bool atls_bundle_key_parse(atls_bytes file, atls_bundle_key *out, atls_error *err)
{
    return atls_ed25519_read_public(file, "key", out->raw, err);
}

bool atls_bundle_key_pair(const uint8_t seed[32], atls_arena *arena, atls_bytes *private_pem, atls_bytes *public_pem,
                          atls_error *err)
{
    uint8_t key[ATLS_ED25519_KEY_LEN];
    return atls_ed25519_public(seed, key, err) && atls_ed25519_write_seed(seed, arena, private_pem, err)
           && atls_ed25519_write_public(key, arena, public_pem, err);
}
