/* SPDX-License-Identifier: Apache-2.0 */
/* name.c: what people and the few naming rules need to know of a Name (RFC 5280 4.1.2.4). Equality is not here: names
 * are equal when their encodings are. */
#include "base/der.h"
#include "base/text.h"
#include "cert.h"

typedef struct attribute {
    atls_bytes oid;
    atls_der_tag tag;
    atls_bytes value; /* content */
} attribute;

/* A walk over the attributes of a Name. Names inside decoded certificates have this structure already. */
typedef struct walk {
    atls_cur rdns;
    atls_cur set;
    bool first_of_set;
} walk;

static bool walk_start(walk *w, atls_bytes name, atls_error *err)
{
    atls_cur c;
    atls_cur_init(&c, name, "name", err);
    atls_cur_init(&w->set, atls_bytes_empty(), "name", err);
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &w->rdns) && atls_cur_end(&c);
}

static bool walk_more(const walk *w)
{
    return w->set.rest.len > 0 || w->rdns.rest.len > 0;
}

static bool walk_next(walk *w, attribute *out)
{
    atls_cur pair;
    w->first_of_set = w->set.rest.len == 0;
    if (w->first_of_set && !atls_der_nested(&w->rdns, "", ATLS_DER_SET, &w->set)) {
        return false;
    }
    return atls_der_nested(&w->set, "", ATLS_DER_SEQUENCE, &pair) && atls_der_oid(&pair, "", &out->oid)
           && atls_der_any(&pair, "", &out->tag, &out->value, NULL) && atls_cur_end(&pair);
}

static bool is_common_name(atls_bytes oid)
{
    static const uint8_t cn[] = {0x55, 0x04, 0x03};
    return atls_bytes_equal(oid, atls_bytes_of(cn, sizeof cn));
}

/* No NUL may hide the rest of a name from somebody who thinks in C strings. */
static bool is_plain_text(const attribute *a)
{
    if (a->tag != ATLS_DER_UTF8_STRING && a->tag != ATLS_DER_PRINTABLE_STRING) {
        return false;
    }
    for (size_t i = 0; i < a->value.len; i++) {
        if (a->value.ptr[i] == 0 || (a->tag == ATLS_DER_PRINTABLE_STRING && a->value.ptr[i] >= 0x7f)) {
            return false;
        }
    }
    return atls_utf8_valid(a->value);
}

bool atls_name_common_name(atls_bytes name, atls_bytes *out)
{
    atls_error why = {0};
    walk w;
    bool found = false;
    atls_bytes text = atls_bytes_empty();
    *out = text;
    if (!walk_start(&w, name, &why)) {
        return false;
    }
    while (walk_more(&w)) {
        attribute a;
        if (!walk_next(&w, &a)) {
            return false;
        }
        if (!is_common_name(a.oid)) {
            continue;
        }
        if (found || !is_plain_text(&a)) {
            return false;
        }
        found = true;
        text = a.value;
    }
    *out = text;
    return found;
}

/* Text for people. */

typedef struct short_name {
    const char *text;
    uint8_t len;
    uint8_t oid[9];
} short_name;

static const short_name short_names[] = {
    {"CN", 3, {0x55, 0x04, 0x03}},
    {"serialNumber", 3, {0x55, 0x04, 0x05}},
    {"C", 3, {0x55, 0x04, 0x06}},
    {"L", 3, {0x55, 0x04, 0x07}},
    {"ST", 3, {0x55, 0x04, 0x08}},
    {"O", 3, {0x55, 0x04, 0x0a}},
    {"OU", 3, {0x55, 0x04, 0x0b}},
    {"title", 3, {0x55, 0x04, 0x0c}},
    {"emailAddress", 9, {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01}},
};

static void put_hex(atls_buf *b, atls_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        atls_buf_format(b, "%02x", in.ptr[i]);
    }
}

static void put_type(atls_buf *b, atls_bytes oid)
{
    for (size_t i = 0; i < sizeof short_names / sizeof short_names[0]; i++) {
        if (atls_bytes_equal(oid, atls_bytes_of(short_names[i].oid, short_names[i].len))) {
            atls_buf_str(b, short_names[i].text);
            return;
        }
    }
    atls_buf_str(b, "oid-");
    put_hex(b, oid);
}

/* What would look like structure, or is not printable ASCII, is shown as \hh (RFC 4514 2.4): a CN that reads
 * "x, O=Intel Corporation" must not look like two attributes. */
static void put_value(atls_buf *b, const attribute *a)
{
    static const char special[] = ",+\"\\<>;=#";
    for (size_t i = 0; i < a->value.len; i++) {
        uint8_t ch = a->value.ptr[i];
        bool plain = ch >= 0x20 && ch <= 0x7e;
        for (size_t j = 0; plain && special[j] != '\0'; j++) {
            plain = ch != (uint8_t)special[j];
        }
        if (plain) {
            atls_buf_put(b, atls_bytes_of(&ch, 1));
        } else {
            atls_buf_format(b, "\\%02x", ch);
        }
    }
}

const char *atls_name_text(atls_bytes name, atls_arena *a, atls_error *err)
{
    walk w;
    atls_buf b;
    atls_bytes text;
    bool first = true;
    if (!walk_start(&w, name, err)) {
        return NULL;
    }
    atls_buf_init(&b, a, err);
    while (walk_more(&w)) {
        attribute next;
        if (!walk_next(&w, &next)) {
            return NULL;
        }
        if (!first) {
            atls_buf_str(&b, w.first_of_set ? ", " : " + ");
        }
        first = false;
        put_type(&b, next.oid);
        atls_buf_str(&b, "=");
        put_value(&b, &next);
    }
    return atls_buf_done(&b, &text) ? atls_text_copy(text, a, err) : NULL;
}
