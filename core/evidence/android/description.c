/* SPDX-License-Identifier: Apache-2.0 */
/* description.c: KeyDescription and AuthorizationList: sections 3 and 4 of the specification. It reads like their tables. */
#include <stdio.h>
#include <string.h>

#include "android.h"
#include "base/der.h"

/* What a member is, and where it goes. */
typedef enum kind {
    KIND_INTEGER,
    KIND_SET,
    KIND_FLAG,
    KIND_OCTETS,
    KIND_ROOT_OF_TRUST,
    KIND_APPLICATION_ID,
} kind;

typedef struct row {
    const char *name;
    size_t offset; /* in atls_android_authorizations */
    uint32_t tag;
    kind kind;
} row;

static const row rows[] = {
#define X(tag, name, type) {#name, offsetof(atls_android_authorizations, name), tag, KIND_##type},
    ATLS_ANDROID_TAGS(X)
#undef X
};
#define N_ROWS (sizeof rows / sizeof rows[0])

/* These must be what the schema says; of others a value of the wrong type counts as absent. */
static bool is_essential(uint32_t tag)
{
    return tag == 303 || tag == 701 || tag == 704 || tag == 705 || tag == 709;
}

typedef struct list {
    atls_android_authorizations *out;
    const char *field; /* "keyDescription.hardwareEnforced" */
    atls_arena *arena;
    atls_error *err;
    bool seen[N_ROWS];
    uint32_t last;
} list;

static bool wrong(const list *l, const char *name, const char *message)
{
    char field[64];
    (void)snprintf(field, sizeof field, "%s.%s", l->field, name);
    return atls_fail(l->err, ATLS_E_ANDROID_APP_UNEXPECTED, field, "%s", message);
}

static void note(uint32_t tag, uint32_t *tags, size_t *n)
{
    if (*n < ATLS_ANDROID_MAX_LISTED_TAGS) {
        tags[*n] = tag;
    }
    (*n)++;
}

static size_t row_of(uint32_t tag)
{
    size_t i = 0;
    while (i < N_ROWS && rows[i].tag != tag) {
        i++;
    }
    return i;
}

static bool read_value(list *l, const row *r, atls_bytes content)
{
    void *member = (unsigned char *)l->out + r->offset;
    switch (r->kind) {
    case KIND_INTEGER:
        return android_read_integer(content, member);
    case KIND_SET:
        return android_read_set(content, l->arena, member, l->err);
    case KIND_FLAG:
        *(atls_android_flag *)member = android_read_null(content);
        return *(atls_android_flag *)member;
    case KIND_OCTETS:
        return android_read_octets(content, member);
    case KIND_ROOT_OF_TRUST:
        return android_read_root_of_trust(content, member);
    case KIND_APPLICATION_ID:
        return android_read_application_id(content, l->arena, member, l->err);
    }
    return false;
}

/* The number of a context-specific tag; *constructed tells whether it can be EXPLICIT. False: of another class. */
static bool tag_number(atls_der_tag tag, uint32_t *number, bool *constructed)
{
    const bool is_high = tag > 0xff;
    const uint32_t first = is_high ? tag >> 24 : tag;
    *number = is_high ? tag & 0xffffff : tag & 0x1f;
    *constructed = (first & 0x20) != 0;
    return (first & 0xc0) == 0x80;
}

static bool read_member(list *l, uint32_t tag, bool constructed, atls_bytes content)
{
    const size_t i = row_of(tag);
    l->out->is_unordered = l->out->is_unordered || tag < l->last;
    l->last = tag;
    if (i == N_ROWS) {
        note(tag, l->out->unknown, &l->out->n_unknown);
        return true;
    }
    if (l->seen[i] && rows[i].kind != KIND_SET) {
        return wrong(l, rows[i].name, "the tag stands there twice");
    }
    l->seen[i] = true;
    if (constructed && read_value(l, &rows[i], content)) {
        return true;
    }
    if (l->err->code != ATLS_OK) {
        return false;
    }
    if (is_essential(tag)) {
        return wrong(l, rows[i].name, "the value is not of the type that the schema has");
    }
    note(tag, l->out->ignored, &l->out->n_ignored);
    return true;
}

/* Members that are absent still point somewhere. */
static void clear(atls_android_authorizations *out)
{
    *out = (atls_android_authorizations){.n_unknown = 0};
    for (size_t i = 0; i < N_ROWS; i++) {
        void *member = (unsigned char *)out + rows[i].offset;
        if (rows[i].kind == KIND_OCTETS) {
            ((atls_android_octets *)member)->value = atls_bytes_empty();
        }
    }
    out->rootOfTrust.verifiedBootKey = atls_bytes_empty();
    out->rootOfTrust.verifiedBootHash.value = atls_bytes_empty();
}

static bool read_list(list *l, atls_bytes content)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, content, l->field, &why);
    clear(l->out);
    for (size_t n = 0; c.rest.len > 0; n++) {
        atls_der_tag tag;
        atls_bytes value;
        uint32_t number;
        bool constructed;
        if (n == ANDROID_MAX_TAGS || !atls_der_any(&c, "", &tag, &value, NULL)) {
            return wrong(l, "tag", n == ANDROID_MAX_TAGS ? "too many members" : "not a sequence of tagged values");
        }
        if (!tag_number(tag, &number, &constructed)) {
            return wrong(l, "tag", "something that has no context-specific tag");
        }
        if (!read_member(l, number, constructed, value)) {
            return false;
        }
    }
    return true;
}

bool android_authorizations_decode(atls_bytes in, const char *field, atls_arena *arena,
                                   atls_android_authorizations *out, atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    atls_bytes content;
    list l = {.out = out, .field = field, .arena = arena, .err = err};
    atls_cur_init(&c, in, "", &why);
    if (!atls_der_expect(&c, "", ATLS_DER_SEQUENCE, &content) || c.rest.len > 0) {
        return atls_fail(err, ATLS_E_ANDROID_APP_UNEXPECTED, field, "not one SEQUENCE");
    }
    return read_list(&l, content);
}

/* ---- the record ---- */

/* INTEGER or ENUMERATED: both have been written for each of the first four. */
static bool read_number(atls_cur *c, const char *field, uint64_t max, uint64_t *out)
{
    const bool is_enumerated = atls_der_peek(c, ATLS_DER_ENUMERATED);
    return atls_der_uint(c, field, is_enumerated ? ATLS_DER_ENUMERATED : ATLS_DER_INTEGER, max, out);
}

static bool read_head(atls_cur *c, atls_android_key_description *out)
{
    uint64_t version, level, keymaster, keymaster_level;
    if (!read_number(c, "attestationVersion", UINT32_MAX, &version)
        || !read_number(c, "attestationSecurityLevel", ATLS_ANDROID_STRONG_BOX, &level)
        || !read_number(c, "keymasterVersion", UINT32_MAX, &keymaster)
        || !read_number(c, "keymasterSecurityLevel", ATLS_ANDROID_STRONG_BOX, &keymaster_level)) {
        return false;
    }
    out->attestationVersion = (uint32_t)version;
    out->attestationSecurityLevel = (atls_android_level)level;
    out->keymasterVersion = (uint32_t)keymaster;
    out->keymasterSecurityLevel = (atls_android_level)keymaster_level;
    return atls_der_expect(c, "attestationChallenge", ATLS_DER_OCTET_STRING, &out->attestationChallenge)
           && atls_der_expect(c, "uniqueId", ATLS_DER_OCTET_STRING, &out->uniqueId);
}

static bool read_lists(atls_cur *c, atls_arena *arena, atls_android_key_description *out, atls_error *err)
{
    list software = {
        .out = &out->softwareEnforced, .field = "keyDescription.softwareEnforced", .arena = arena, .err = err};
    list hardware = {
        .out = &out->hardwareEnforced, .field = "keyDescription.hardwareEnforced", .arena = arena, .err = err};
    atls_bytes first;
    atls_bytes second;
    return atls_der_expect(c, "softwareEnforced", ATLS_DER_SEQUENCE, &first)
           && atls_der_expect(c, "hardwareEnforced", ATLS_DER_SEQUENCE, &second) && atls_cur_end(c)
           && read_list(&software, first) && read_list(&hardware, second);
}

bool android_description_decode(atls_bytes in, atls_arena *arena, atls_android_key_description *out, atls_error *err)
{
    atls_cur c;
    atls_cur fields;
    *out = (atls_android_key_description){.attestationVersion = 0};
    atls_cur_init(&c, in, "", err);
    if (!atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &fields) || !atls_cur_end(&c) || !read_head(&fields, out)) {
        return atls_error_relabel(err, ATLS_E_ANDROID_APP_UNEXPECTED, "keyDescription");
    }
    if (read_lists(&fields, arena, out, err)) {
        return true;
    }
    const bool is_named = err->code == ATLS_E_ANDROID_APP_UNEXPECTED || err->code == ATLS_E_MEMORY;
    return !is_named ? atls_error_relabel(err, ATLS_E_ANDROID_APP_UNEXPECTED, "keyDescription") : false;
}
