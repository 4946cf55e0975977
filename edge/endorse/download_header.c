/* SPDX-License-Identifier: Apache-2.0 */
/* download_header.c: lines of headers. */
#include "download_header.h"

#include <string.h>

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trimmed(atls_bytes b)
{
    while (b.len > 0 && is_blank(b.ptr[0])) {
        b.ptr++;
        b.len--;
    }
    while (b.len > 0 && is_blank(b.ptr[b.len - 1])) {
        b.len--;
    }
    return b;
}

static bool is_word(atls_bytes text, const char *word)
{
    const size_t n = strlen(word);
    bool same = text.len == n;
    for (size_t i = 0; same && i < n; i++) {
        same = lower(text.ptr[i]) == (uint8_t)word[i];
    }
    return same;
}

/* What stands before the first `mark`, and what behind it; without one everything, and nothing. */
static atls_bytes split(atls_bytes text, uint8_t mark, atls_bytes *rest)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == mark) {
            *rest = atls_bytes_of(text.ptr + i + 1, text.len - i - 1);
            return atls_bytes_of(text.ptr, i);
        }
    }
    *rest = atls_bytes_empty();
    return text;
}

/* ---- Cache-Control ----------------------------------------------------------------------------------------------------- */

static bool read_seconds(atls_bytes text, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = value > 99999999 ? value : 10 * value + (uint32_t)(text.ptr[i] - '0');
    }
    *out = value;
    return text.len > 0;
}

static void read_directive(atls_answer_headers *h, atls_bytes text)
{
    atls_bytes value;
    const atls_bytes name = trimmed(split(text, '=', &value));
    uint32_t seconds;
    if (is_word(name, "no-store") || is_word(name, "no-cache")) {
        h->no_store = true;
    } else if (is_word(name, "max-age") && read_seconds(trimmed(value), &seconds)) {
        h->max_age_s = h->has_max_age && h->max_age_s < seconds ? h->max_age_s : seconds; /* of two the shorter */
        h->has_max_age = true;
    }
}

static void read_cache_control(atls_answer_headers *h, atls_bytes value)
{
    while (value.len > 0) {
        atls_bytes rest;
        read_directive(h, split(value, ',', &rest));
        value = rest;
    }
}

/* ---- lines ------------------------------------------------------------------------------------------------------------- */

static bool names_chain(atls_bytes name)
{
    static const char *const names[] = {"tcb-info-issuer-chain", "sgx-tcb-info-issuer-chain",
                                        "sgx-enclave-identity-issuer-chain", "sgx-pck-crl-issuer-chain"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is_word(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* Some caches send both spellings, with one value. */
static bool take_chain(atls_answer_headers *h, atls_bytes value, atls_error *err)
{
    if (!h->has_chain) {
        h->has_chain = true;
        return atls_arena_copy(h->arena, value, &h->chain, err);
    }
    return atls_bytes_equal(h->chain, value)
           || atls_fail(err, ATLS_E_COLLATERAL_FORMAT, "http", "two headers with different issuer chains");
}

bool atls_answer_header(atls_answer_headers *h, atls_bytes line, atls_error *err)
{
    if (line.len > h->max_len - h->len) {
        return atls_fail(err, ATLS_E_LIMIT, "http", "the headers are longer than %zu bytes", h->max_len);
    }
    h->len += line.len;
    if (line.len >= 5 && memcmp(line.ptr, "HTTP/", 5) == 0) {
        const atls_answer_headers fresh = {.max_len = h->max_len, .arena = h->arena, .len = h->len};
        *h = fresh;
        h->chain = atls_bytes_empty();
        return true;
    }
    atls_bytes value;
    const atls_bytes name = split(line, ':', &value);
    if (is_word(name, "cache-control")) {
        read_cache_control(h, trimmed(value));
    }
    return !names_chain(name) || take_chain(h, trimmed(value), err);
}
