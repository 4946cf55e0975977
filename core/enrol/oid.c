/* SPDX-License-Identifier: Apache-2.0 */
/* oid.c: object identifiers between dotted decimal and X.690 8.19, with arcs of up to 128 bits: UUIDs below 2.25 are one arc.
 *
 * A number is kept as the digits that DER writes, base 128, most significant first: 19 of them hold 133 bits, which is
 * enough for an arc, ten times an arc, and an arc with 80 added. */
#include <stdio.h>
#include <string.h>

#include "message.h"

#define N_DIGITS       19u
#define TOP_OF_ARC     3u /* 18 digits are 126 bits; the first one may add two */
#define MAX_DECIMAL    39u
#define MAX_CONTENT    256u
#define MAX_TEXT       (4 * MAX_CONTENT + 4) /* an octet makes at most three digits and a dot; the first one a number more */
#define SECOND_ARCS    40u                   /* below the first arcs 0 and 1 */
#define UNBOUNDED_ROOT 2u                    /* below it a second arc may be any number */

typedef struct number {
    uint8_t digit[N_DIGITS];
} number;

static bool is_arc(const number *n)
{
    return n->digit[0] <= TOP_OF_ARC;
}

/* n * factor + add, which must fit. */
static void multiply_add(number *n, unsigned factor, unsigned add)
{
    unsigned carry = add;
    for (size_t i = N_DIGITS; i > 0; i--) {
        const unsigned value = n->digit[i - 1] * factor + carry;
        n->digit[i - 1] = (uint8_t)(value & 0x7f);
        carry = value >> 7;
    }
}

/* n - less, where less <= n and less < 128 */
static void subtract(number *n, unsigned less)
{
    unsigned borrow = less;
    for (size_t i = N_DIGITS; i > 0 && borrow > 0; i--) {
        const bool is_short = n->digit[i - 1] < borrow;
        n->digit[i - 1] = (uint8_t)((n->digit[i - 1] + (is_short ? 128u : 0u)) - borrow);
        borrow = is_short ? 1 : 0;
    }
}

/* n / 10, and what is left. */
static unsigned divide_by_10(number *n)
{
    unsigned rest = 0;
    for (size_t i = 0; i < N_DIGITS; i++) {
        const unsigned value = rest << 7 | n->digit[i];
        n->digit[i] = (uint8_t)(value / 10);
        rest = value % 10;
    }
    return rest;
}

static bool is_zero(const number *n)
{
    return atls_bytes_is_zero(atls_bytes_of(n->digit, N_DIGITS));
}

/* n when it is below 128 */
static unsigned small(const number *n)
{
    return n->digit[N_DIGITS - 1];
}

static bool is_below(const number *n, unsigned limit)
{
    return atls_bytes_is_zero(atls_bytes_of(n->digit, N_DIGITS - 1)) && small(n) < limit;
}

/* ---- text to DER ---- */

static bool wrong(const char *field, const char *why, atls_error *err)
{
    return atls_fail(err, ATLS_E_ENCODING, field, "an object identifier %s", why);
}

/* One arc up to a dot or the end; *pos is then behind it. No leading zero, no sign. */
static bool read_arc(atls_bytes text, size_t *pos, number *out)
{
    const size_t start = *pos;
    *out = (number){{0}};
    for (; *pos < text.len && text.ptr[*pos] != '.'; (*pos)++) {
        const uint8_t c = text.ptr[*pos];
        const bool is_after_zero = *pos > start && text.ptr[start] == '0';
        if (c < '0' || c > '9' || is_after_zero) {
            return false;
        }
        multiply_add(out, 10, (unsigned)(c - '0'));
        if (!is_arc(out)) {
            return false;
        }
    }
    return *pos > start;
}

static void put_number(atls_buf *b, const number *n)
{
    uint8_t octets[N_DIGITS];
    size_t first = 0;
    while (first + 1 < N_DIGITS && n->digit[first] == 0) {
        first++;
    }
    for (size_t i = first; i < N_DIGITS; i++) {
        octets[i] = (uint8_t)(n->digit[i] | (i + 1 < N_DIGITS ? 0x80u : 0u));
    }
    atls_buf_put(b, atls_bytes_of(octets + first, N_DIGITS - first));
}

/* Root and second arc are written as one number: 40 * root + second. */
static bool read_first_two(atls_bytes text, size_t *pos, number *out)
{
    number root;
    if (!read_arc(text, pos, &root) || !is_below(&root, UNBOUNDED_ROOT + 1) || *pos == text.len) {
        return false;
    }
    (*pos)++;
    if (!read_arc(text, pos, out) || (small(&root) < UNBOUNDED_ROOT && !is_below(out, SECOND_ARCS))) {
        return false;
    }
    multiply_add(out, 1, SECOND_ARCS * small(&root));
    return true;
}

bool atls_enrol_oid_der(atls_bytes text, const char *field, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    number n;
    size_t pos = 0;
    *out = atls_bytes_empty();
    if (text.len > MAX_TEXT) {
        return wrong(field, "is too long", err);
    }
    if (!read_first_two(text, &pos, &n)) {
        return wrong(field, "does not begin with two arcs that go together", err);
    }
    atls_buf_init(&b, arena, err);
    put_number(&b, &n);
    while (pos < text.len) {
        pos++; /* the dot */
        if (!read_arc(text, &pos, &n)) {
            return wrong(field, "has an arc that is no decimal number of up to 128 bits", err);
        }
        put_number(&b, &n);
    }
    if (b.len > MAX_CONTENT) {
        return wrong(field, "is too long", err);
    }
    return atls_buf_done(&b, out);
}

/* ---- DER to text ---- */

/* One number from *pos on: minimal, and no longer than the digits that there are. */
static bool take_number(atls_bytes content, size_t *pos, number *out)
{
    const size_t start = *pos;
    *out = (number){{0}};
    while (*pos < content.len && (content.ptr[*pos] & 0x80) != 0) {
        (*pos)++;
    }
    const size_t n = *pos + 1 - start;
    if (*pos == content.len || n > N_DIGITS || content.ptr[start] == 0x80) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        out->digit[N_DIGITS - n + i] = content.ptr[start + i] & 0x7f;
    }
    (*pos)++;
    return true;
}

static void put_decimal(atls_buf *b, number n)
{
    char text[MAX_DECIMAL];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + divide_by_10(&n));
    } while (!is_zero(&n) && at > 0);
    atls_buf_put(b, atls_bytes_of(text + at, sizeof text - at));
}

static bool put_first_two(atls_buf *b, number *n)
{
    const unsigned root = is_below(n, SECOND_ARCS) ? 0 : is_below(n, 2 * SECOND_ARCS) ? 1 : UNBOUNDED_ROOT;
    subtract(n, root * SECOND_ARCS);
    if (!is_arc(n)) {
        return false;
    }
    atls_buf_format(b, "%u.", root);
    put_decimal(b, *n);
    return true;
}

bool atls_enrol_oid_text(atls_bytes content, const char *field, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    number n;
    size_t pos = 0;
    *out = atls_bytes_empty();
    if (content.len == 0 || content.len > MAX_CONTENT) {
        return wrong(field, "is empty or too long", err);
    }
    atls_buf_init(&b, arena, err);
    if (!take_number(content, &pos, &n) || !put_first_two(&b, &n)) {
        return wrong(field, "does not begin with a minimal number of up to 128 bits", err);
    }
    while (pos < content.len) {
        if (!take_number(content, &pos, &n) || !is_arc(&n)) {
            return wrong(field, "has an arc that is no minimal number of up to 128 bits", err);
        }
        atls_buf_str(&b, ".");
        put_decimal(&b, n);
    }
    return atls_buf_done(&b, out);
}
