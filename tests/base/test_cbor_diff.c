/* SPDX-License-Identifier: Apache-2.0 */
/* test_cbor_diff.c: our CBOR reader and libcbor on the same bytes. What we accept, libcbor accepts, with the same
 * values. What libcbor accepts and a deterministic encoder writes again to the same bytes, we accept: so all that we
 * refuse beyond libcbor is a second spelling, bad UTF-8 or too deep. */
#include "check.h"

#include <cbor.h>
#include <math.h>

#include "base/cbor.h"
#include "base/limits.h"
#include "base/text.h"
#include "random.h"

#define ROOM     4096
#define N_INPUTS 40000

/* ---- the same values ---- */

static bool same_float(uint64_t bits, double theirs)
{
    double ours;
    memcpy(&ours, &bits, sizeof ours);
    /* libcbor drops the payload of a NaN; the rest must be the same to the sign of zero */
    return isnan(ours) ? isnan(theirs) : memcmp(&ours, &theirs, sizeof ours) == 0;
}

static bool same_string(atls_bytes ours, const unsigned char *theirs, size_t len)
{
    return atls_bytes_equal(ours, atls_bytes_of(theirs, len));
}

/* One item and what belongs to it; c has been accepted before. */
static bool same_item(atls_cur *c, const cbor_item_t *theirs)
{
    atls_cbor_item ours;
    if (!atls_cbor_head(c, "f", &ours)) {
        return false;
    }
    bool same = true;
    switch (ours.type) {
    case ATLS_CBOR_UINT:
        return cbor_isa_uint(theirs) && cbor_get_int(theirs) == ours.n;
    case ATLS_CBOR_NEGATIVE:
        return cbor_isa_negint(theirs) && cbor_get_int(theirs) == ours.n;
    case ATLS_CBOR_BYTES:
        return cbor_isa_bytestring(theirs)
               && same_string(ours.bytes, cbor_bytestring_handle(theirs), cbor_bytestring_length(theirs));
    case ATLS_CBOR_TEXT:
        return cbor_isa_string(theirs)
               && same_string(ours.bytes, cbor_string_handle(theirs), cbor_string_length(theirs));
    case ATLS_CBOR_ARRAY:
        same = cbor_isa_array(theirs) && cbor_array_size(theirs) == ours.n;
        for (size_t i = 0; same && i < ours.n; i++) {
            same = same_item(c, cbor_array_handle(theirs)[i]);
        }
        return same;
    case ATLS_CBOR_MAP:
        same = cbor_isa_map(theirs) && cbor_map_size(theirs) == ours.n;
        for (size_t i = 0; same && i < ours.n; i++) {
            struct cbor_pair pair = cbor_map_handle(theirs)[i];
            same = same_item(c, pair.key) && same_item(c, pair.value);
        }
        return same;
    case ATLS_CBOR_TAG: {
        cbor_item_t *inner = cbor_isa_tag(theirs) && cbor_tag_value(theirs) == ours.n ? cbor_tag_item(theirs) : NULL;
        same = inner != NULL && same_item(c, inner);
        if (inner != NULL) {
            cbor_decref(&inner);
        }
        return same;
    }
    case ATLS_CBOR_FLOAT:
        return cbor_is_float(theirs) && same_float(ours.n, cbor_float_get_float(theirs));
    case ATLS_CBOR_FALSE:
        return cbor_isa_float_ctrl(theirs) && cbor_float_ctrl_is_ctrl(theirs) && cbor_ctrl_value(theirs) == 20;
    case ATLS_CBOR_TRUE:
        return cbor_isa_float_ctrl(theirs) && cbor_float_ctrl_is_ctrl(theirs) && cbor_ctrl_value(theirs) == 21;
    case ATLS_CBOR_NULL:
        return cbor_isa_float_ctrl(theirs) && cbor_float_ctrl_is_ctrl(theirs) && cbor_ctrl_value(theirs) == 22;
    default:
        return cbor_isa_float_ctrl(theirs) && cbor_float_ctrl_is_ctrl(theirs) && cbor_ctrl_value(theirs) == 23;
    }
}

/* ---- a deterministic encoder over libcbor's tree, with floats in floating point where ours are integers ---- */

typedef struct encoder {
    uint8_t out[2 * ROOM];
    size_t len;
    bool failed; /* something that deterministic CBOR cannot say, or that is beyond our limits */
} encoder;

static void put_bytes(encoder *e, const void *bytes, size_t len)
{
    e->failed = e->failed || len > sizeof e->out - e->len;
    if (!e->failed && len > 0) {
        memcpy(e->out + e->len, bytes, len);
        e->len += len;
    }
}

static void put_number(encoder *e, unsigned first, uint64_t n, unsigned size)
{
    uint8_t head[9] = {(uint8_t)first};
    for (unsigned i = 0; i < size; i++) {
        head[1 + i] = (uint8_t)(n >> (8 * (size - 1 - i)));
    }
    put_bytes(e, head, 1 + (size_t)size);
}

static void put_head(encoder *e, unsigned major, uint64_t n)
{
    if (n < 24) {
        put_number(e, major << 5 | (unsigned)n, 0, 0);
    } else if (n <= 0xff) {
        put_number(e, major << 5 | 24, n, 1);
    } else if (n <= 0xffff) {
        put_number(e, major << 5 | 25, n, 2);
    } else if (n <= 0xffffffff) {
        put_number(e, major << 5 | 26, n, 4);
    } else {
        put_number(e, major << 5 | 27, n, 8);
    }
}

/* Whether a finite or infinite value is a half, and which. */
static bool as_half(double value, uint16_t *out)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    double magnitude = fabs(value);
    if (isinf(value)) {
        *out = (uint16_t)(sign | 0x7c00);
        return true;
    }
    int exponent;
    double fraction = frexp(magnitude, &exponent); /* magnitude is fraction * 2^exponent, 0.5 <= fraction < 1 */
    bool subnormal = magnitude < ldexp(1, -14);
    double scaled = subnormal ? ldexp(magnitude, 24) : ldexp(fraction, 11);
    if (magnitude > 65504 || scaled != floor(scaled)) {
        return false;
    }
    *out = subnormal ? (uint16_t)(sign | (unsigned)scaled)
                     : (uint16_t)(sign | (unsigned)(exponent + 14) << 10 | ((unsigned)scaled & 0x3ff));
    return true;
}

static void put_float(encoder *e, double value)
{
    uint16_t half = 0x7e00;
    if (isnan(value) || as_half(value, &half)) {
        put_number(e, 0xf9, half, 2);
        return;
    }
    uint32_t single;
    uint64_t bits;
    float narrow = fabs(value) <= 3.4028234663852886e38 ? (float)value : 0;
    memcpy(&single, &narrow, sizeof single);
    memcpy(&bits, &value, sizeof bits);
    if ((double)narrow == value) {
        put_number(e, 0xfa, single, 4);
    } else {
        put_number(e, 0xfb, bits, 8);
    }
}

static void put_item(encoder *e, const cbor_item_t *item, unsigned depth);

static void put_container(encoder *e, const cbor_item_t *item, unsigned depth)
{
    e->failed = e->failed || depth == ATLS_MAX_CBOR_DEPTH;
    if (e->failed) {
        return;
    }
    if (cbor_isa_tag(item)) {
        cbor_item_t *inner = cbor_tag_item(item);
        put_head(e, 6, cbor_tag_value(item));
        put_item(e, inner, depth + 1);
        cbor_decref(&inner);
    } else if (cbor_isa_array(item)) {
        put_head(e, 4, cbor_array_size(item));
        for (size_t i = 0; i < cbor_array_size(item); i++) {
            put_item(e, cbor_array_handle(item)[i], depth + 1);
        }
    } else {
        put_head(e, 5, cbor_map_size(item));
        for (size_t i = 0; i < cbor_map_size(item); i++) {
            put_item(e, cbor_map_handle(item)[i].key, depth + 1);
            put_item(e, cbor_map_handle(item)[i].value, depth + 1);
        }
    }
}

static void put_item(encoder *e, const cbor_item_t *item, unsigned depth)
{
    switch (cbor_typeof(item)) {
    case CBOR_TYPE_UINT:
        put_head(e, 0, cbor_get_int(item));
        return;
    case CBOR_TYPE_NEGINT:
        put_head(e, 1, cbor_get_int(item));
        return;
    case CBOR_TYPE_BYTESTRING:
        e->failed = e->failed || !cbor_bytestring_is_definite(item);
        put_head(e, 2, cbor_bytestring_length(item));
        put_bytes(e, cbor_bytestring_handle(item), e->failed ? 0 : cbor_bytestring_length(item));
        return;
    case CBOR_TYPE_STRING:
        e->failed = e->failed || !cbor_string_is_definite(item)
                    || !atls_utf8_valid(atls_bytes_of(cbor_string_handle(item), cbor_string_length(item)));
        put_head(e, 3, cbor_string_length(item));
        put_bytes(e, cbor_string_handle(item), e->failed ? 0 : cbor_string_length(item));
        return;
    case CBOR_TYPE_FLOAT_CTRL:
        if (cbor_float_ctrl_is_ctrl(item)) {
            e->failed = e->failed || cbor_ctrl_value(item) < 20 || cbor_ctrl_value(item) > 23;
            put_head(e, 7, cbor_ctrl_value(item));
            return;
        }
        put_float(e, cbor_float_get_float(item));
        return;
    default:
        put_container(e, item, depth);
    }
}

/* ---- the two readers on one input ---- */

typedef enum verdict { BOTH_YES, BOTH_NO, SECOND_SPELLING, OLD_TAG, N_VERDICTS } verdict;

/* OLD_TAG: releases of libcbor before 0.10 call the tags 6 to 20 malformed, because RFC 7049 had not assigned them all.
 */
static bool is_old_tag(const uint8_t *in, size_t len, const struct cbor_load_result *result)
{
    return result->error.code == CBOR_ERR_MALFORMATED && result->error.position < len
           && in[result->error.position] >= 0xc6 && in[result->error.position] <= 0xd4;
}

/* Whether some byte could be the head of an array or map of more elements than there are bytes. libcbor asks malloc for
 * as many before it looks, so it is not asked about those that we refuse. */
static bool might_take_all_memory(const uint8_t *in, size_t len)
{
    for (size_t i = 0; i + 5 <= len; i++) {
        bool four = in[i] == 0x9a || in[i] == 0xba;
        bool eight = in[i] == 0x9b || in[i] == 0xbb;
        bool large = four && (in[i + 1] != 0 || in[i + 2] != 0);
        if (eight || large) {
            return true;
        }
    }
    return false;
}

static void show_and_fail(const char *what, const uint8_t *in, size_t len)
{
    char hex[2 * ROOM + 1];
    atls_hex_encode(atls_bytes_of(in, len), hex);
    fail_msg("%s: %s", what, hex);
}

static verdict compare(const uint8_t *in, size_t len)
{
    uint8_t *exact = malloc(len == 0 ? 1 : len);
    assert_non_null(exact);
    memcpy(exact, in, len);
    atls_error err = {0};
    atls_cur c;
    atls_bytes whole = atls_bytes_empty();
    atls_cur_init(&c, atls_bytes_of(exact, len), "", &err);
    bool ours = atls_cbor_skip(&c, "f", false, &whole);
    struct cbor_load_result result = {0};
    bool ask = ours || !might_take_all_memory(exact, len);
    cbor_item_t *theirs = ask ? cbor_load(exact, len, &result) : NULL;
    static encoder again;
    again.len = 0;
    again.failed = theirs == NULL;
    bool old_tag = ours && theirs == NULL && is_old_tag(exact, len, &result);
    if (ours && !old_tag) {
        atls_cur_init(&c, whole, "", &err);
        if (theirs == NULL || result.read != whole.len || !same_item(&c, theirs) || !atls_cur_end(&c)) {
            show_and_fail("accepted by us, another thing to libcbor", in, len);
        }
    } else if (theirs != NULL) {
        put_item(&again, theirs, 0);
        if (!again.failed && again.len == result.read && memcmp(again.out, exact, again.len) == 0) {
            show_and_fail(err.message, in, len);
        }
    }
    verdict v = old_tag ? OLD_TAG : ours ? BOTH_YES : theirs == NULL ? BOTH_NO : SECOND_SPELLING;
    if (theirs != NULL) {
        cbor_decref(&theirs);
    }
    free(exact);
    return v;
}

/* ---- inputs ---- */

typedef struct input {
    encoder e;
    randoms random;
} input;

static void make_random(input *in)
{
    size_t n = 1 + random_below(&in->random, 24);
    for (size_t i = 0; i < n; i++) {
        in->e.out[in->e.len++] = (uint8_t)random_next(&in->random);
    }
}

/* numbers of every size, often at the edge of one */
static uint64_t edge(randoms *r)
{
    uint64_t n = random_next(r) >> random_below(r, 64);
    return random_below(r, 3) == 0 ? ((uint64_t)1 << random_below(r, 64)) - random_below(r, 2) : n;
}

/* floats of every class: bits that are mostly zeros or ones around the boundaries of the shorter formats */
static void put_some_float(input *in)
{
    static const int exponents[] = {-1074, -1023, -1022, -150, -149, -127, -126, -25,
                                    -24,   -15,   -14,   0,    15,   16,   127,  128};
    double value = ldexp(1 + ldexp((double)random_below(&in->random, 2048), -(int)random_below(&in->random, 60)),
                         exponents[random_below(&in->random, COUNT(exponents))]);
    value = random_below(&in->random, 2) == 0 ? value : -value;
    float narrow = fabs(value) < 3.0e38 ? (float)value : 1;
    uint64_t bits;
    uint32_t single;
    memcpy(&bits, &value, sizeof bits);
    memcpy(&single, &narrow, sizeof single);
    switch (random_below(&in->random, 4)) {
    case 0:
        put_number(&in->e, 0xf9, random_next(&in->random) & 0xffff, 2);
        return;
    case 1:
        put_number(&in->e, 0xfa, single, 4);
        return;
    case 2:
        put_number(&in->e, 0xfb, bits, 8);
        return;
    default:
        put_float(&in->e, value);
    }
}

static void put_some(input *in, unsigned depth)
{
    static const char *const texts[] = {"", "a", "\xc3\xa9", "iss", "0123456789012345678901234567890123456789"};
    size_t kind = random_below(&in->random, depth == 0 ? 6 : 9);
    const char *text = texts[random_below(&in->random, COUNT(texts))];
    size_t n = random_below(&in->random, 5);
    switch (kind) {
    case 0:
    case 1:
        put_head(&in->e, (unsigned)kind, edge(&in->random));
        return;
    case 2:
    case 3:
        put_head(&in->e, (unsigned)kind, strlen(text));
        put_bytes(&in->e, text, strlen(text));
        return;
    case 4:
        put_some_float(in);
        return;
    case 5:
        put_head(&in->e, 7, 20 + random_below(&in->random, 4));
        return;
    default:
        put_head(&in->e, (unsigned)kind - 2, kind == 8 ? edge(&in->random) : n);
        n = kind == 8 ? 1 : kind == 7 ? 2 * n : n;
        for (size_t i = 0; i < n; i++) {
            put_some(in, depth - 1);
        }
    }
}

static void make_valid(input *in)
{
    put_some(in, 4);
}

static void make_floats(input *in)
{
    put_some_float(in);
}

static void make_damaged(input *in)
{
    put_some(in, 3);
    for (size_t n = 1 + random_below(&in->random, 2); n > 0; n--) {
        in->e.len = random_damage(&in->random, in->e.out, in->e.len, ROOM);
    }
}

typedef struct kind {
    const char *name;
    void (*make)(input *in);
    size_t least[N_VERDICTS]; /* of each verdict, or the test would test nothing */
} kind;

static const kind kinds[] = {
    {"items as they should be, but for floats", make_valid, {20000, 0, 1000}},
    {"floats on both sides of every boundary", make_floats, {20000, 0, 4000}},
    {"items that are damaged", make_damaged, {10000, 4000, 500}},
    {"random bytes", make_random, {2000, 4000, 20}},
};

static void test_kind(void **state)
{
    const kind *k = *state;
    size_t counts[N_VERDICTS] = {0};
    input in = {.random = {0x9e3779b97f4a7c15u}};
    for (size_t i = 0; i < N_INPUTS; i++) {
        in.e.len = 0;
        k->make(&in);
        if (!in.e.failed && in.e.len <= ROOM) {
            counts[compare(in.e.out, in.e.len)]++;
        }
        in.e.failed = false;
    }
    print_message("# both yes %zu, both no %zu, second spellings %zu, tags 6 to 20 %zu\n", counts[BOTH_YES],
                  counts[BOTH_NO], counts[SECOND_SPELLING], counts[OLD_TAG]);
    for (size_t v = 0; v < N_VERDICTS; v++) {
        assert_true(counts[v] >= k->least[v]);
    }
}

int main(void)
{
    tap_list tests = {0};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        tap_add(&tests, kinds[i].name, test_kind, &kinds[i]);
    }
    return tap_run("cbor_diff", &tests);
}
