/* SPDX-License-Identifier: Apache-2.0 */
/* version.c: versions (SemVer 2.0, with minor and patch optional) and build numbers of iOS: section 8. */
#include "apple.h"

#define MAX_NUMBER 999999999u

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

/* -1 for what is no letter */
static int letter(uint8_t c)
{
    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : -1;
}

static atls_bytes from(atls_bytes text, size_t at)
{
    return atls_bytes_of(text.ptr + at, text.len - at);
}

/* Decimal digits from *at on: at least one, without a leading zero where that is asked for. */
static bool read_number(atls_bytes text, size_t *at, bool canonical, uint32_t *out)
{
    const size_t start = *at;
    uint32_t n = 0;
    while (*at < text.len && is_digit(text.ptr[*at])) {
        if (*at - start == 9) {
            return false;
        }
        n = 10 * n + (uint32_t)(text.ptr[*at] - '0');
        (*at)++;
    }
    *out = n;
    return *at > start && !(canonical && *at - start > 1 && text.ptr[start] == '0');
}

/* ---- SemVer ---- */

static bool is_identifier_char(uint8_t c)
{
    return is_digit(c) || letter(c) >= 0 || c == '-';
}

static bool is_numeric(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

/* The part up to the next dot; *rest is what follows it. False at the end. */
static bool next_identifier(atls_bytes *rest, atls_bytes *out)
{
    size_t n = 0;
    if (rest->len == 0) {
        return false;
    }
    while (n < rest->len && rest->ptr[n] != '.') {
        n++;
    }
    *out = atls_bytes_of(rest->ptr, n);
    *rest = from(*rest, n < rest->len ? n + 1 : n);
    return true;
}

/* Identifiers of letters, digits and dashes between dots, none of them empty; numbers without leading zeros. */
static bool are_identifiers(atls_bytes text, bool canonical)
{
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != '.') {
            if (!is_identifier_char(text.ptr[i])) {
                return false;
            }
            continue;
        }
        const atls_bytes one = atls_bytes_of(text.ptr + start, i - start);
        if (one.len == 0 || (canonical && one.len > 1 && one.ptr[0] == '0' && is_numeric(one))) {
            return false;
        }
        start = i + 1;
    }
    return true;
}

static size_t find(atls_bytes text, size_t at, uint8_t c)
{
    while (at < text.len && text.ptr[at] != c) {
        at++;
    }
    return at;
}

bool apple_semver_parse(atls_bytes text, apple_semver *out)
{
    size_t at = 0;
    *out = (apple_semver){.pre_release = atls_bytes_empty()};
    const size_t plus = find(text, 0, '+');
    const atls_bytes core = atls_bytes_of(text.ptr, plus);
    if (plus < text.len && !are_identifiers(from(text, plus + 1), false)) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (i > 0 && (at >= core.len || core.ptr[at] != '.')) {
            break;
        }
        at += i > 0 ? 1 : 0;
        if (!read_number(core, &at, true, &out->part[i])) {
            return false;
        }
    }
    if (at < core.len && core.ptr[at] == '-') {
        out->pre_release = from(core, at + 1);
        return are_identifiers(out->pre_release, true);
    }
    return at == core.len;
}

static int order_of(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

/* Numbers by value, which of those without leading zeros is their length first; numbers below words; words as bytes. */
static int order_identifiers(atls_bytes a, atls_bytes b)
{
    const bool a_is_number = is_numeric(a);
    if (a_is_number != is_numeric(b)) {
        return a_is_number ? -1 : 1;
    }
    if (a_is_number && a.len != b.len) {
        return order_of(a.len, b.len);
    }
    return atls_cbor_key_order(a, b);
}

static int order_pre_releases(atls_bytes a, atls_bytes b)
{
    atls_bytes one;
    atls_bytes other;
    if (a.len == 0 || b.len == 0) {
        return order_of(a.len == 0 ? 1 : 0, b.len == 0 ? 1 : 0); /* the release comes after */
    }
    for (;;) {
        const bool has_one = next_identifier(&a, &one);
        const bool has_other = next_identifier(&b, &other);
        if (!has_one || !has_other) {
            return order_of(has_one ? 1 : 0, has_other ? 1 : 0);
        }
        const int order = order_identifiers(one, other);
        if (order != 0) {
            return order;
        }
    }
}

int apple_semver_order(const apple_semver *a, const apple_semver *b)
{
    for (size_t i = 0; i < 3; i++) {
        if (a->part[i] != b->part[i]) {
            return order_of(a->part[i], b->part[i]);
        }
    }
    return order_pre_releases(a->pre_release, b->pre_release);
}

/* ---- build numbers: "21D61", "18A8395", "22A3354a" ---- */

/* At most four letters from *at on, as a number in base 36. */
static bool read_letters(atls_bytes text, size_t *at, uint32_t *out)
{
    size_t n = 0;
    *out = 0;
    while (*at < text.len && letter(text.ptr[*at]) >= 0) {
        if (n++ == 4) {
            return false;
        }
        *out = 36 * *out + (uint32_t)letter(text.ptr[*at]);
        (*at)++;
    }
    return true;
}

bool apple_build_parse(atls_bytes text, apple_build *out)
{
    size_t at = 0;
    *out = (apple_build){0};
    return read_number(text, &at, false, &out->train) && read_letters(text, &at, &out->letters) && out->letters > 0
           && read_number(text, &at, false, &out->number) && read_letters(text, &at, &out->mastering) && at == text.len;
}

int apple_build_order(const apple_build *a, const apple_build *b)
{
    if (a->train != b->train) {
        return order_of(a->train, b->train);
    }
    if (a->letters != b->letters) {
        return order_of(a->letters, b->letters);
    }
    if (a->number != b->number) {
        return order_of(a->number, b->number);
    }
    if ((a->mastering == 0) != (b->mastering == 0)) {
        return a->mastering == 0 ? 1 : -1;
    }
    return order_of(a->mastering, b->mastering);
}
