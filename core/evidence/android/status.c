/* SPDX-License-Identifier: Apache-2.0 */
/* status.c: Google's list of revoked certificates: section 9 of the specification.
 *
 *   {"entries": {"<serial>": {"status": "REVOKED", "reason": "...", ...}}}
 *
 * It becomes a sorted table of lower-case keys. Serials of certificates are rendered in hexadecimal, as most keys are, and in
 * decimal, as some plainly are; both are looked up. */
#include <string.h>

#include "android.h"
#include "base/json.h"
#include "base/text.h"

#define MAX_SERIAL_LEN 64u  /* as the certificate reader has it */
#define MAX_DIGITS     160u /* of 512 bits, in decimal, a sign included */
#define MAX_WORD_LEN   64u  /* of status and reason that are shown */

typedef struct entry {
    atls_bytes key; /* lower case */
    bool is_revoked;
    const char *status;
    const char *reason;
} entry;

struct atls_android_list {
    const entry *entries; /* sorted by key; of one key, those that revoke come first */
    size_t n;
    uint8_t sha256[32];
};

static bool unavailable(atls_error *err, const char *field, const char *message)
{
    return atls_fail(err, ATLS_E_ANDROID_LIST_UNAVAILABLE, field, "%s", message);
}

/* ---- making the table ---- */

static int order(const entry *a, const entry *b)
{
    const size_t n = a->key.len < b->key.len ? a->key.len : b->key.len;
    const int by_bytes = n == 0 ? 0 : memcmp(a->key.ptr, b->key.ptr, n);
    if (by_bytes != 0 || a->key.len != b->key.len) {
        return by_bytes != 0 ? by_bytes : a->key.len < b->key.len ? -1 : 1;
    }
    return (int)b->is_revoked - (int)a->is_revoked;
}

static void merge(const entry *from, entry *to, size_t n, size_t width)
{
    for (size_t start = 0; start < n; start += 2 * width) {
        const size_t middle = start + width < n ? start + width : n;
        const size_t end = middle + width < n ? middle + width : n;
        size_t left = start;
        size_t right = middle;
        for (size_t i = start; i < end; i++) {
            const bool take_left = left < middle && (right == end || order(&from[left], &from[right]) <= 0);
            to[i] = take_left ? from[left++] : from[right++];
        }
    }
}

static const entry *sorted(entry *entries, size_t n, atls_arena *arena, atls_error *err)
{
    entry *spare = atls_arena_array(arena, n + 1, sizeof *spare, err);
    if (spare == NULL) {
        return NULL;
    }
    for (size_t width = 1; width < n; width *= 2) {
        merge(entries, spare, n, width);
        entry *other = entries;
        entries = spare;
        spare = other;
    }
    return entries;
}

/* Printable text of a member, for people; "" when it is none. */
static const char *word_of(const atls_json *object, const char *name, atls_arena *arena, atls_error *err)
{
    const atls_json *v = atls_json_find(object, name);
    if (v == NULL || v->type != ATLS_JSON_STRING || v->text.len > MAX_WORD_LEN
        || memchr(v->text.ptr, 0, v->text.len) != NULL) {
        return "";
    }
    return atls_text_copy(v->text, arena, err);
}

static bool lower_case(atls_bytes in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    uint8_t *text = atls_arena_raw(arena, in.len + 1, err);
    if (text == NULL) {
        return false;
    }
    for (size_t i = 0; i < in.len; i++) {
        const uint8_t c = in.ptr[i];
        text[i] = c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
    }
    *out = atls_bytes_of(text, in.len);
    return true;
}

/* "OK" is the only status that does not revoke; one that is missing or new does. */
static bool read_entry(const atls_json *v, atls_arena *arena, entry *out, atls_error *err)
{
    if (v->type != ATLS_JSON_OBJECT) {
        return unavailable(err, "status.entries", "an entry of the status list is no object");
    }
    const atls_json *status = atls_json_find(v, "status");
    out->is_revoked = status == NULL || status->type != ATLS_JSON_STRING || !atls_bytes_equal_str(status->text, "OK");
    out->status = word_of(v, "status", arena, err);
    out->reason = word_of(v, "reason", arena, err);
    return out->status != NULL && out->reason != NULL && lower_case(v->name, arena, &out->key, err);
}

static bool read_entries(const atls_json *object, atls_arena *arena, atls_android_list *out, atls_error *err)
{
    entry *entries = atls_arena_array(arena, (size_t)object->n + 1, sizeof *entries, err);
    size_t n = 0;
    for (const atls_json *v = object->child; v != NULL; v = v->next, n++) {
        if (entries == NULL || !read_entry(v, arena, &entries[n], err)) {
            return false;
        }
    }
    if (entries == NULL) {
        return false;
    }
    out->n = n;
    out->entries = sorted(entries, n, arena, err);
    return out->entries != NULL;
}

bool android_list_compile(const atls_crypto *crypto, atls_bytes json, atls_arena *arena, const atls_android_list **out,
                          atls_error *err)
{
    const atls_json *tree = NULL;
    atls_error why = {0};
    *out = NULL;
    if (json.len > ANDROID_MAX_STATUS_LEN) {
        return unavailable(err, "status", "the status list is longer than 16 MiB");
    }
    if (!atls_json_parse_wide(json, "status", arena, &tree, &why)) {
        if (why.code == ATLS_E_MEMORY) {
            *err = why;
            return false;
        }
        return unavailable(err, "status", why.message);
    }
    const atls_json *entries = atls_json_find(tree, "entries");
    if (entries == NULL || entries->type != ATLS_JSON_OBJECT) {
        return unavailable(err, "status.entries", "the status list has no object named entries");
    }
    atls_android_list *list = atls_arena_alloc(arena, sizeof *list, err);
    if (list == NULL || !atls_digest(crypto, ATLS_SHA256, &json, 1, list->sha256, err)
        || !read_entries(entries, arena, list, err)) {
        return false;
    }
    *out = list;
    return true;
}

bool atls_android_list_compile(atls_bytes json, atls_arena *arena, const atls_android_list **out, atls_error *err)
{
    atls_crypto *crypto = NULL;
    *out = NULL;
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    const bool ok = android_list_compile(crypto, json, arena, out, err);
    atls_crypto_free(crypto);
    return ok;
}

size_t atls_android_list_len(const atls_android_list *list)
{
    return list->n;
}

void atls_android_list_sha256(const atls_android_list *list, uint8_t out[32])
{
    memcpy(out, list->sha256, sizeof list->sha256);
}

/* ---- serials ---- */

typedef struct magnitude {
    uint8_t bytes[MAX_SERIAL_LEN];
    size_t len;
    bool is_negative;
} magnitude;

/* Two's complement, most significant byte first. */
static bool magnitude_of(atls_bytes serial, magnitude *out)
{
    *out = (magnitude){.len = serial.len};
    if (serial.len == 0 || serial.len > MAX_SERIAL_LEN) {
        return false;
    }
    memcpy(out->bytes, serial.ptr, serial.len);
    out->is_negative = (serial.ptr[0] & 0x80) != 0;
    unsigned carry = 1;
    for (size_t i = serial.len; out->is_negative && i > 0; i--) {
        const unsigned sum = (unsigned)(uint8_t)~out->bytes[i - 1] + carry;
        out->bytes[i - 1] = (uint8_t)sum;
        carry = sum >> 8;
    }
    return true;
}

static atls_bytes hexadecimal(const magnitude *m, char text[MAX_DIGITS])
{
    char digits[2 * MAX_SERIAL_LEN + 1];
    size_t skip = 0;
    size_t n = 0;
    atls_hex_encode(atls_bytes_of(m->bytes, m->len), digits);
    while (skip + 1 < 2 * m->len && digits[skip] == '0') {
        skip++;
    }
    if (m->is_negative) {
        text[n++] = '-';
    }
    memcpy(text + n, digits + skip, 2 * m->len - skip);
    return atls_bytes_of(text, n + 2 * m->len - skip);
}

/* Long division by ten; digits come out backwards. */
static atls_bytes decimal(const magnitude *m, char text[MAX_DIGITS])
{
    uint8_t rest[MAX_SERIAL_LEN];
    size_t at = MAX_DIGITS;
    bool is_zero;
    memcpy(rest, m->bytes, m->len);
    do {
        unsigned remainder = 0;
        is_zero = true;
        for (size_t i = 0; i < m->len; i++) {
            const unsigned value = remainder << 8 | rest[i];
            rest[i] = (uint8_t)(value / 10);
            remainder = value % 10;
            is_zero = is_zero && rest[i] == 0;
        }
        text[--at] = (char)('0' + remainder);
    } while (!is_zero);
    if (m->is_negative) {
        text[--at] = '-';
    }
    return atls_bytes_of(text + at, MAX_DIGITS - at);
}

static const entry *find(const atls_android_list *list, atls_bytes key)
{
    const entry wanted = {.key = key, .is_revoked = true};
    size_t low = 0;
    size_t high = list->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (order(&list->entries[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    const bool found = low < list->n && list->entries[low].key.len == key.len
                       && memcmp(list->entries[low].key.ptr, key.ptr, key.len) == 0;
    return found ? &list->entries[low] : NULL;
}

bool android_list_find(const atls_android_list *list, atls_bytes serial, bool match_decimal, android_status *out,
                       atls_error *err)
{
    char text[MAX_DIGITS];
    magnitude m;
    *out = (android_status){.status = "", .reason = ""};
    if (!magnitude_of(serial, &m)) {
        return atls_fail(err, ATLS_E_INTERNAL, "serial", "a serial of an impossible length");
    }
    const entry *found = find(list, hexadecimal(&m, text));
    if ((found == NULL || !found->is_revoked) && match_decimal) {
        const entry *by_decimal = find(list, decimal(&m, text));
        found = by_decimal != NULL && (found == NULL || by_decimal->is_revoked) ? by_decimal : found;
    }
    if (found != NULL) {
        *out = (android_status){.is_revoked = found->is_revoked, .status = found->status, .reason = found->reason};
    }
    return true;
}
