/* SPDX-License-Identifier: Apache-2.0 */
/* A signed bundle as bytes: every bit and every byte of it counts, every rule of docs/bundle.md has a row that breaks that rule
 * alone, and what is accepted is what the writer writes. */
#include "atls/atls.h"
#include "base/cbor_write.h"
#include "pki/ed25519.h"
#include "tap.h"

#define MADE  1781524800 /* 2026-06-15T12:00:00Z */
#define ARENA ((size_t)96 * 1024 * 1024)

static const uint8_t seed[32] = {7, 1, 2, 3};
static const char domain[] = "atls endorsement bundle v1";

typedef struct scene {
    atls_arena arena;
    atls_bundle_key key;
    atls_bytes private_pem;
    atls_error err;
    atls_bundle bundle;
} scene;

static void open_scene(scene *s)
{
    atls_bytes public_pem;
    memset(s, 0, sizeof *s);
    assert_true(atls_arena_new(&s->arena, ARENA, &s->err));
    assert_true(atls_bundle_key_pair(seed, &s->arena, &s->private_pem, &public_pem, &s->err));
    assert_true(atls_bundle_key_parse(public_pem, &s->key, &s->err));
}

static void close_scene(scene *s)
{
    atls_arena_free(&s->arena);
}

static bool open_file(scene *s, atls_bytes file)
{
    atls_error_clear(&s->err);
    return atls_bundle_open(file, &s->key, 1, &s->arena, &s->bundle, &s->err);
}

/* A small honest bundle: one list of revoked Android keys. */
static atls_bytes small(scene *s)
{
    atls_bundle_pieces p;
    atls_bytes out;
    atls_bundle_pieces_init(&p, &s->arena);
    assert_true(atls_bundle_add_file(&p, atls_bytes_str("{\"entries\":{}}"), &s->err));
    assert_true(atls_bundle_pack(&p, 5, MADE, s->private_pem, &out, &s->err));
    return out;
}

static uint8_t *copy_of(scene *s, atls_bytes in)
{
    uint8_t *out = atls_arena_raw(&s->arena, in.len + 1, &s->err);
    assert_non_null(out);
    memcpy(out, in.ptr, in.len);
    return out;
}

static void test_honest(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    assert_true(atls_bundle_is(file));
    assert_true(open_file(&s, file));
    assert_int_equal(s.bundle.sequence, 5);
    assert_int_equal(s.bundle.made, MADE);
    assert_memory_equal(s.bundle.signer, s.key.raw, 32);
    assert_false(s.bundle.insecure_unsigned);
    assert_int_equal(s.bundle.n_pieces, 1);
    const atls_bundle_piece *piece = atls_bundle_find(&s.bundle, "android.status", "google");
    assert_ptr_equal(piece, &s.bundle.pieces[0]);
    assert_true(atls_bytes_equal_str(piece->parts[0], "{\"entries\":{}}"));
    assert_null(atls_bundle_find(&s.bundle, "android.status", "apple"));
    assert_true(atls_bytes_equal(small(&s), file)); /* the same bytes every time */
    close_scene(&s);
}

/* To the byte, by hand: what docs/bundle.md says a second implementation has to write. */
static void test_bytes(void **state)
{
    (void)state;
    static const char expected[] = "\xa3"
                                   "\x64made\x1a\x6a\x2f\xe9\x40"
                                   "\x66pieces\x81\x83\x6e"
                                   "android.status\x66google\x81\x4e{\"entries\":{}}"
                                   "\x68sequence\x05";
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    assert_int_equal(file.len, sizeof domain + sizeof expected - 1 + 96);
    assert_memory_equal(file.ptr, domain, sizeof domain);
    assert_memory_equal(file.ptr + sizeof domain, expected, sizeof expected - 1);
    assert_memory_equal(file.ptr + file.len - 96, s.key.raw, 32);
    close_scene(&s);
}

static void test_flips(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    uint8_t *bytes = copy_of(&s, file);
    const size_t used = s.arena.used;
    for (size_t i = 0; i < 8 * file.len; i++) {
        bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ 1u << i % 8);
        assert_false(open_file(&s, atls_bytes_of(bytes, file.len)));
        assert_int_not_equal(s.err.code, ATLS_OK);
        bytes[i / 8] = (uint8_t)(bytes[i / 8] ^ 1u << i % 8);
        s.arena.used = used;
    }
    assert_true(open_file(&s, atls_bytes_of(bytes, file.len)));
    close_scene(&s);
}

static void test_lengths(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    uint8_t *bytes = copy_of(&s, file);
    for (size_t len = 0; len < file.len; len++) {
        assert_false(open_file(&s, atls_bytes_of(bytes, len)));
        atls_error_clear(&s.err); /* and looking at it is no way around */
        assert_false(atls_bundle_open_insecure_unsigned(atls_bytes_of(bytes, len), &s.arena, &s.bundle, &s.err));
    }
    bytes[file.len] = 0;
    assert_false(open_file(&s, atls_bytes_of(bytes, file.len + 1)));
    close_scene(&s);
}

static void test_keys(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    atls_bundle_key keys[ATLS_BUNDLE_MAX_KEYS + 1] = {{{1}}};
    keys[2] = s.key;
    assert_true(atls_bundle_open(file, keys, 3, &s.arena, &s.bundle, &s.err));
    assert_false(atls_bundle_open(file, keys, 2, &s.arena, &s.bundle, &s.err));
    assert_int_equal(s.err.code, ATLS_E_BUNDLE_SIGNATURE);
    assert_string_equal(s.err.field, "bundle.signer");
    assert_int_equal(atls_error_exit_status(&s.err), 2);
    atls_error_clear(&s.err);
    assert_false(atls_bundle_open(file, keys, 0, &s.arena, &s.bundle, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    atls_error_clear(&s.err);
    assert_false(atls_bundle_open(file, keys, ATLS_BUNDLE_MAX_KEYS + 1, &s.arena, &s.bundle, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    close_scene(&s);
}

/* Opened for a look, a bundle endorses nothing. */
static void test_unsigned(void **state)
{
    (void)state;
    scene s;
    atls_endorsements e;
    const atls_endorsement_request request = {.platform = ATLS_PLATFORM_NITRO, .pck_ca = ""};
    open_scene(&s);
    const atls_bytes file = small(&s);
    uint8_t *bytes = copy_of(&s, file);
    bytes[file.len - 1] ^= 1;
    assert_true(atls_bundle_open_insecure_unsigned(atls_bytes_of(bytes, file.len), &s.arena, &s.bundle, &s.err));
    assert_true(s.bundle.insecure_unsigned);
    assert_int_equal(s.bundle.n_pieces, 1);
    assert_false(atls_bundle_endorse(&s.bundle, &request, &s.arena, &e, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    atls_error_clear(&s.err);
    assert_false(atls_bundle_admit("/nonexistent/state", &s.bundle, &s.err));
    assert_int_equal(s.err.code, ATLS_E_USAGE);
    close_scene(&s);
}

/* ---- rules, one lie each, honestly signed ---- */

typedef struct lie_piece {
    const char *kind;
    const char *subject;
    size_t n_parts;
    size_t part_len;
} lie_piece;

typedef struct lie {
    const char *name;
    uint64_t made;
    uint64_t sequence;
    lie_piece pieces[3]; /* up to the first without a kind */
    const char *extra;   /* a member more, behind the others; its value is 1 */
    const char *without; /* this member is left out */
    atls_code code;
    const char *field;
    bool unsupported;
    size_t repeat; /* the first piece, so often */
} lie;

#define STATUS                                                                                                         \
    {                                                                                                                  \
        "android.status", "google", 1, 4                                                                               \
    }
#define CERT(s)                                                                                                        \
    {                                                                                                                  \
        "certificate", s, 1, 4                                                                                         \
    }
#define HONEST     .made = MADE, .sequence = 5
#define NO(c, f)   .code = ATLS_E_##c, .field = f
#define UNKNOWN(f) NO(UNSUPPORTED, f), .unsupported = true
#define NAME_240   N60 N60 N60 N60
#define N60        "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"

/* clang-format off */
static const lie lies[] = {
    {"no lie", HONEST, .pieces = {STATUS}},
    {"no lie: pieces in order", HONEST, .pieces = {STATUS, CERT("other/a"), CERT("other/b")}},
    {"no lie: a member that may be passed over", HONEST, .pieces = {STATUS}, .extra = "x-operator"},
    {"no lie: the longest subject", HONEST, .pieces = {CERT(NAME_240)}},
    {"a member of the future", HONEST, .pieces = {STATUS}, .extra = "z-critical", UNKNOWN("bundle.member")},
    {"two pieces for one subject", HONEST, .pieces = {CERT("other/a"), CERT("other/a")}, NO(COLLATERAL_FORMAT, "bundle.pieces[1]")},
    {"subjects out of order", HONEST, .pieces = {CERT("other/b"), CERT("other/a")}, NO(COLLATERAL_FORMAT, "bundle.pieces[1]")},
    {"kinds out of order", HONEST, .pieces = {CERT("other/a"), STATUS}, NO(COLLATERAL_FORMAT, "bundle.pieces[1]")},
    {"a kind of the future", HONEST, .pieces = {{"bios", "a", 1, 4}}, UNKNOWN("bundle.pieces[0].kind")},
    {"no kind", HONEST, .pieces = {{"", "a", 1, 4}}, UNKNOWN("bundle.pieces[0].kind")},
    {"no subject", HONEST, .pieces = {CERT("")}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].subject")},
    {"a subject with a space", HONEST, .pieces = {CERT("a b")}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].subject")},
    {"a subject with a newline", HONEST, .pieces = {CERT("a\n")}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].subject")},
    {"a subject that is too long", HONEST, .pieces = {CERT(NAME_240 "a")}, NO(LIMIT, "bundle.subject")},
    {"a part too few", HONEST, .pieces = {{"dcap.pck_crl", "platform", 1, 4}}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].parts")},
    {"a part too many", HONEST, .pieces = {{"certificate", "a", 2, 4}}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].parts")},
    {"more parts than any kind has", HONEST, .pieces = {{"certificate", "a", 4, 4}}, NO(LIMIT, "bundle.parts")},
    {"no part", HONEST, .pieces = {{"certificate", "a", 0, 4}}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].parts")},
    {"an empty part", HONEST, .pieces = {{"certificate", "a", 1, 0}}, NO(COLLATERAL_FORMAT, "bundle.pieces[0].der")},
    {"no lie: the longest certificate", HONEST, .pieces = {{"certificate", "a", 1, 16384}}},
    {"a certificate that is too long", HONEST, .pieces = {{"certificate", "a", 1, 16385}}, NO(LIMIT, "bundle.pieces[0].der")},
    {"a list that is too long", HONEST, .pieces = {{"crl", "a", 1, 8388609}}, NO(LIMIT, "bundle.pieces[0].der")},
    {"a document that is too long", HONEST, .pieces = {{"dcap.tcb_info", "a", 3, 1048577}}, NO(LIMIT, "bundle.pieces[0].text")},
    {"a signature that is too long", HONEST, .pieces = {{"dcap.tcb_info", "a", 3, 257}}, NO(LIMIT, "bundle.pieces[0].signature")},
    {"no pieces", HONEST, NO(COLLATERAL_FORMAT, "bundle.pieces")},
    {"no date", .made = 0, .sequence = 5, .pieces = {STATUS}, NO(COLLATERAL_FORMAT, "bundle.made")},
    {"a date beyond dates", .made = 253402300800, .sequence = 5, .pieces = {STATUS}, NO(COLLATERAL_FORMAT, "bundle.made")},
    {"no lie: the last date", .made = 253402300799, .sequence = 5, .pieces = {STATUS}},
    {"sequence 0", .made = MADE, .sequence = 0, .pieces = {STATUS}, NO(COLLATERAL_FORMAT, "bundle.sequence")},
    {"a sequence beyond 2^53", .made = MADE, .sequence = 9007199254740992u, .pieces = {STATUS}, NO(COLLATERAL_FORMAT, "bundle.sequence")},
    {"no lie: the last sequence", .made = MADE, .sequence = 9007199254740991u, .pieces = {STATUS}},
    {"made left out", HONEST, .pieces = {STATUS}, .without = "made", NO(COLLATERAL_FORMAT, "bundle.payload")},
    {"pieces left out", HONEST, .pieces = {STATUS}, .without = "pieces", NO(COLLATERAL_FORMAT, "bundle.payload")},
    {"sequence left out", HONEST, .pieces = {STATUS}, .without = "sequence", NO(COLLATERAL_FORMAT, "bundle.payload")},
    {"a member twice", HONEST, .pieces = {STATUS}, .extra = "sequence", NO(COLLATERAL_FORMAT, "bundle.payload")},
    {"members out of order", HONEST, .pieces = {STATUS}, .extra = "a", NO(COLLATERAL_FORMAT, "bundle.payload")},
    {"more pieces than there may be", HONEST, .pieces = {STATUS}, .repeat = 4097, NO(LIMIT, "bundle.pieces")},
};
/* clang-format on */

static atls_bytes sign(scene *s, atls_buf *b)
{
    uint8_t trailer[96];
    atls_bytes out;
    memcpy(trailer, s->key.raw, 32);
    assert_true(atls_ed25519_sign(seed, atls_bytes_of(b->ptr, b->len), trailer + 32, &s->err));
    atls_buf_put(b, atls_bytes_of(trailer, sizeof trailer));
    assert_true(atls_buf_done(b, &out));
    return out;
}

static bool has(const lie *l, const char *member)
{
    return l->without == NULL || strcmp(l->without, member) != 0;
}

static void put_piece(atls_cw *w, const lie_piece *p, atls_bytes part)
{
    atls_cw_array(w, 3);
    atls_cw_text(w, atls_bytes_str(p->kind));
    atls_cw_text(w, atls_bytes_str(p->subject));
    atls_cw_array(w, p->n_parts);
    for (size_t i = 0; i < p->n_parts; i++) {
        atls_cw_bytes(w, part);
    }
}

static atls_bytes make(scene *s, const lie *l)
{
    static uint8_t filler[9000000];
    size_t n = 0;
    atls_buf b;
    atls_cw w;
    atls_buf_init(&b, &s->arena, &s->err);
    atls_buf_put(&b, atls_bytes_of(domain, sizeof domain));
    atls_cw_init(&w, &b);
    atls_cw_map(&w, 3u + (l->extra != NULL ? 1u : 0u) - (l->without != NULL ? 1u : 0u));
    if (has(l, "made")) {
        atls_cw_text(&w, atls_bytes_str("made"));
        atls_cw_uint(&w, l->made);
    }
    while (n < 3 && l->pieces[n].kind != NULL) {
        n++;
    }
    if (has(l, "pieces")) {
        atls_cw_text(&w, atls_bytes_str("pieces"));
        atls_cw_array(&w, l->repeat > 0 ? l->repeat : n);
        for (size_t i = 0; i < (l->repeat > 0 ? l->repeat : n); i++) {
            const lie_piece *p = &l->pieces[l->repeat > 0 ? 0 : i];
            put_piece(&w, p, atls_bytes_of(filler, p->part_len));
        }
    }
    if (has(l, "sequence")) {
        atls_cw_text(&w, atls_bytes_str("sequence"));
        atls_cw_uint(&w, l->sequence);
    }
    if (l->extra != NULL) {
        atls_cw_text(&w, atls_bytes_str(l->extra));
        atls_cw_uint(&w, 1);
    }
    return sign(s, &b);
}

static void test_lie(void **state)
{
    const lie *l = *state;
    scene s;
    open_scene(&s);
    const bool ok = open_file(&s, make(&s, l));
    if (ok != (l->code == ATLS_OK) || s.err.code != l->code) {
        fail_msg("%s %s: %s", atls_code_name(s.err.code), s.err.field, s.err.message);
    }
    if (!ok) {
        assert_string_equal(s.err.field, l->field);
        assert_int_equal(s.err.unsupported, l->unsupported);
    }
    close_scene(&s);
}

/* Bytes that no writer of ours makes. */
static const struct {
    const char *name;
    const char *payload;
    size_t len;
} raw[] = {
#define RAW(text) text, sizeof(text) - 1
    {"no map", RAW("\x80")},
    {"a longer head than there must be", RAW("\xb8\x03\x64made\x01\x66pieces\x80\x68sequence\x01")},
    {"an indefinite length", RAW("\xbf\x64made\x01\x66pieces\x80\x68sequence\x01\xff")},
    {"a byte behind the payload", RAW("\xa3\x64made\x01\x66pieces\x81\x83\x6e"
                                      "android.status\x66google\x81\x41{\x68sequence\x01\x00")},
    {"a number as text", RAW("\xa3\x64made\x61\x31\x66pieces\x81\x83\x6e"
                             "android.status\x66google\x81\x41{\x68sequence\x01")},
    {"a part as text", RAW("\xa3\x64made\x01\x66pieces\x81\x83\x6e"
                           "android.status\x66google\x81\x61{\x68sequence\x01")},
    {"a piece of two", RAW("\xa3\x64made\x01\x66pieces\x81\x82\x6e"
                           "android.status\x66google\x68sequence\x01")},
    {"a subject with a NUL", RAW("\xa3\x64made\x01\x66pieces\x81\x83\x6e"
                                 "android.status\x66goo\x00le\x81\x41{\x68sequence\x01")},
#undef RAW
};

static void test_raw(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    for (size_t i = 0; i < sizeof raw / sizeof raw[0]; i++) {
        atls_buf b;
        atls_buf_init(&b, &s.arena, &s.err);
        atls_buf_put(&b, atls_bytes_of(domain, sizeof domain));
        atls_buf_put(&b, atls_bytes_of(raw[i].payload, raw[i].len));
        if (open_file(&s, sign(&s, &b)) || s.err.code != ATLS_E_COLLATERAL_FORMAT) {
            fail_msg("%s: %s", raw[i].name, atls_code_name(s.err.code));
        }
    }
    close_scene(&s);
}

static void test_version(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    const atls_bytes file = small(&s);
    uint8_t *bytes = copy_of(&s, file);
    bytes[sizeof domain - 2] = '2';
    assert_true(atls_bundle_is(atls_bytes_of(bytes, file.len)));
    assert_false(open_file(&s, atls_bytes_of(bytes, file.len)));
    assert_int_equal(s.err.code, ATLS_E_UNSUPPORTED);
    assert_int_equal(atls_error_exit_status(&s.err), 8);
    assert_false(atls_bundle_is(atls_bytes_str("{\"tcb_info\":\"\"}")));
    close_scene(&s);
}

/* ---- the writer's side ---- */

static void test_pack_refusals(void **state)
{
    (void)state;
    scene s;
    atls_bundle_pieces p;
    atls_bytes out;
    open_scene(&s);
    atls_bundle_pieces_init(&p, &s.arena);
    assert_false(atls_bundle_pack(&p, 1, MADE, s.private_pem, &out, &s.err)); /* nothing in it */
    assert_string_equal(s.err.field, "bundle.pieces");
    atls_error_clear(&s.err);
    assert_true(atls_bundle_add_file(&p, atls_bytes_str("{\"entries\":{}}"), &s.err));
    const struct {
        uint64_t sequence;
        atls_time made;
        const char *field;
    } rows[] = {{0, MADE, "bundle.sequence"},
                {9007199254740992u, MADE, "bundle.sequence"},
                {1, 0, "bundle.made"},
                {1, 253402300800, "bundle.made"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        atls_error_clear(&s.err);
        assert_false(atls_bundle_pack(&p, rows[i].sequence, rows[i].made, s.private_pem, &out, &s.err));
        assert_int_equal(s.err.code, ATLS_E_USAGE);
        assert_string_equal(s.err.field, rows[i].field);
    }
    atls_error_clear(&s.err);
    assert_false(atls_bundle_pack(&p, 1, MADE, atls_bytes_str("no key"), &out, &s.err));
    assert_string_equal(s.err.field, "key");
    atls_error_clear(&s.err); /* a second list that differs: which is newer does not show */
    assert_true(atls_bundle_add_file(&p, atls_bytes_str("{\"entries\":{}}"), &s.err));
    assert_int_equal(p.n, 1);
    assert_false(atls_bundle_add_file(&p, atls_bytes_str("{\"entries\":{} }"), &s.err));
    assert_int_equal(s.err.code, ATLS_E_COLLATERAL_FORMAT);
    assert_string_equal(s.err.field, "google");
    close_scene(&s);
}

/* The decoded key is nowhere in the memory that was used. */
static void test_wiped(void **state)
{
    (void)state;
    scene s;
    open_scene(&s);
    (void)small(&s);
    for (size_t i = 0; i + sizeof seed <= s.arena.used; i++) {
        assert_true(memcmp(s.arena.base + i, seed, sizeof seed) != 0);
    }
    close_scene(&s);
}

int main(void)
{
    tap_list l = {0};
    tap_add(&l, "an honest bundle", test_honest, NULL);
    tap_add(&l, "to the byte", test_bytes, NULL);
    tap_add(&l, "every bit counts", test_flips, NULL);
    tap_add(&l, "every length but its own is refused", test_lengths, NULL);
    tap_add(&l, "who may have signed", test_keys, NULL);
    tap_add(&l, "opened for a look only", test_unsigned, NULL);
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        tap_add(&l, lies[i].name, test_lie, &lies[i]);
    }
    tap_add(&l, "bytes that no writer makes", test_raw, NULL);
    tap_add(&l, "another version", test_version, NULL);
    tap_add(&l, "what cannot be packed", test_pack_refusals, NULL);
    tap_add(&l, "the key is wiped", test_wiped, NULL);
    return tap_run("verify/bundle", &l);
}
