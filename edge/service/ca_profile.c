/* SPDX-License-Identifier: Apache-2.0 */
/* ca_profile.c: reads a profile. What is not in the table is refused, so that a misspelt member can never say less than was meant. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "base/text.h"
#include "ca_internal.h"

#define MIN_LIFE_S 60
#define MAX_LIFE_S (398 * 86400) /* without a list of revoked ones nobody should want more */
#define MAX_BACK_S 86400
#define MAX_URL    512

typedef struct reader {
    ca_profile *p;
    atls_arena *a;
    atls_error *err;
} reader;

typedef struct member {
    const char *name;
    bool (*read)(reader *r, const char *field, const atls_json *v);
} member;

static bool wrong(reader *r, const char *field, const char *expected, const atls_json *v)
{
    return atls_fail_values(r->err, ATLS_E_CONFIGURATION, field, expected, atls_json_type_name(v), "%s must be %s",
                            field, expected);
}

static const char *path(reader *r, const char *field, size_t i)
{
    return atls_text_format(r->a, r->err, "%s[%zu]", field, i);
}

static bool is_list(reader *r, const char *field, const atls_json *v)
{
    return (v->type == ATLS_JSON_ARRAY && v->n <= CA_MAX_ENTRIES)
           || wrong(r, field, "an array of at most 16 entries", v);
}

/* ---- templates ---- */

/* {app}, {platform}, {security_level}, {key}; a brace of another kind is a mistake. */
static bool is_template(atls_bytes text)
{
    static const char *const words[] = {"{app}", "{platform}", "{security_level}", "{key}"};
    for (size_t i = 0; i < text.len; i++) {
        size_t w = 0;
        if (text.ptr[i] == '}') {
            return false;
        }
        if (text.ptr[i] != '{') {
            continue;
        }
        const size_t n_words = sizeof words / sizeof words[0];
        while (w < n_words
               && (text.len - i < strlen(words[w]) || memcmp(text.ptr + i, words[w], strlen(words[w])) != 0)) {
            w++;
        }
        if (w == n_words) {
            return false;
        }
        i += strlen(words[w]) - 1;
    }
    return true;
}

static bool has_no_template(atls_bytes text)
{
    return memchr(text.ptr, '{', text.len) == NULL;
}

/* A fixed value has to fit now; a template is looked at when it is filled. */
static bool read_text(reader *r, const char *field, const atls_json *v, uint8_t tag, size_t max, const char **out)
{
    if (v == NULL || v->type != ATLS_JSON_STRING || !is_template(v->text)
        || !ca_text_fits(v->text, has_no_template(v->text) ? tag : ATLS_DER_UTF8_STRING,
                         has_no_template(v->text) ? max : CA_MAX_TEXT_LEN)) {
        return wrong(r, field, "a text that fits, with {app}, {platform}, {security_level}, {key} in it", v);
    }
    *out = atls_text_copy(v->text, r->a, r->err);
    return *out != NULL;
}

/* An object of exactly two strings, "type" and "value". */
static bool read_pair(reader *r, const char *field, const atls_json *v, const atls_json **type, const atls_json **value)
{
    *type = atls_json_find(v, "type");
    *value = atls_json_find(v, "value");
    if (v->type != ATLS_JSON_OBJECT || v->n != 2 || *type == NULL || *value == NULL
        || (*type)->type != ATLS_JSON_STRING) {
        return wrong(r, field, "an object of \"type\" and \"value\"", v);
    }
    return true;
}

/* ---- subject ---- */

static bool read_subject(reader *r, const char *field, const atls_json *v)
{
    r->p->n_subject = 0; /* the default, which the list replaces */
    if (!is_list(r, field, v)) {
        return false;
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *each = path(r, field, r->p->n_subject);
        const atls_json *type;
        const atls_json *value;
        if (each == NULL || !read_pair(r, each, item, &type, &value)) {
            return false;
        }
        ca_entry *e = &r->p->subject[r->p->n_subject++];
        e->type = ca_name_type_find(type->text);
        if (e->type == NULL) {
            return wrong(r, each, "of type CN, O, OU, L, ST, C, UID or DC", type);
        }
        if (!read_text(r, each, value, e->type->tag, e->type->max, &e->text)) {
            return false;
        }
    }
    return true;
}

static bool read_subject_from_csr(reader *r, const char *field, const atls_json *v)
{
    if (!is_list(r, field, v)) {
        return false;
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *each = path(r, field, r->p->n_subject_from_csr);
        const ca_name_type *type = item->type == ATLS_JSON_STRING ? ca_name_type_find(item->text) : NULL;
        for (size_t i = 0; type != NULL && i < r->p->n_subject_from_csr; i++) {
            type = r->p->subject_from_csr[i] == type ? NULL : type;
        }
        if (each == NULL || type == NULL) {
            return each != NULL && wrong(r, each, "CN, O, OU, L, ST, C, UID or DC, each once", item);
        }
        r->p->subject_from_csr[r->p->n_subject_from_csr++] = type;
    }
    return true;
}

/* ---- subjectAltName ---- */

static ca_san_kind san_kind(atls_bytes word)
{
    return atls_bytes_equal_str(word, "dns")     ? CA_SAN_DNS
           : atls_bytes_equal_str(word, "uri")   ? CA_SAN_URI
           : atls_bytes_equal_str(word, "email") ? CA_SAN_EMAIL
                                                 : 0;
}

static bool read_sans(reader *r, const char *field, const atls_json *v, bool is_filled, ca_entry *out, size_t *n)
{
    if (!is_list(r, field, v)) {
        return false;
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *each = path(r, field, *n);
        const atls_json *type;
        const atls_json *value;
        if (each == NULL || !read_pair(r, each, item, &type, &value)) {
            return false;
        }
        ca_entry *e = &out[(*n)++];
        e->san = san_kind(type->text);
        if (e->san == 0) {
            return wrong(r, each, "of type dns, uri or email", type);
        }
        if (!read_text(r, each, value, ATLS_DER_IA5_STRING, CA_MAX_TEXT_LEN, &e->text)) {
            return false;
        }
        if (!is_filled && strchr(e->text, '{') != NULL) {
            return wrong(r, each, "a name, or a dot and the end of one, as it stands", value);
        }
    }
    return true;
}

static bool read_san(reader *r, const char *field, const atls_json *v)
{
    return read_sans(r, field, v, true, r->p->san, &r->p->n_san);
}

static bool read_san_from_csr(reader *r, const char *field, const atls_json *v)
{
    return read_sans(r, field, v, false, r->p->san_from_csr, &r->p->n_san_from_csr);
}

/* ---- object identifiers ---- */

/* Digits and single dots between them, no zeros in front. */
static bool is_dotted(atls_bytes text)
{
    uint8_t before = '.';
    for (size_t i = 0; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        const bool is_last = i + 1 == text.len || text.ptr[i + 1] == '.';
        const bool is_digit = c >= '0' && c <= '9';
        if ((c == '.' && before == '.') || (c != '.' && !is_digit) || (before == '.' && c == '0' && !is_last)) {
            return false;
        }
        before = c;
    }
    return before != '.';
}

bool ca_oid_from_text(atls_bytes text, atls_arena *a, atls_bytes *out, atls_error *err)
{
    char word[128];
    if (text.len >= sizeof word || !is_dotted(text)) {
        return false;
    }
    memcpy(word, text.ptr, text.len);
    word[text.len] = '\0';
    ASN1_OBJECT *object = OBJ_txt2obj(word, 1);
    const bool ok = object != NULL && OBJ_length(object) > 0
                    && atls_arena_copy(a, atls_bytes_of(OBJ_get0_data(object), OBJ_length(object)), out, err);
    ASN1_OBJECT_free(object);
    ERR_clear_error();
    return ok;
}

/* What nobody may have who only showed a phone: every purpose at once, and signing answers about revocation. */
static bool is_usable_purpose(atls_bytes oid)
{
    static const uint8_t any[] = {0x55, 0x1d, 0x25, 0x00};
    static const uint8_t ocsp[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09};
    return !atls_bytes_equal(oid, atls_bytes_of(any, sizeof any))
           && !atls_bytes_equal(oid, atls_bytes_of(ocsp, sizeof ocsp));
}

static atls_bytes purpose_of(atls_bytes word)
{
    static const uint8_t client[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
    static const uint8_t server[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01};
    static const uint8_t email[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x04};
    return atls_bytes_equal_str(word, "clientAuth")        ? atls_bytes_of(client, sizeof client)
           : atls_bytes_equal_str(word, "serverAuth")      ? atls_bytes_of(server, sizeof server)
           : atls_bytes_equal_str(word, "emailProtection") ? atls_bytes_of(email, sizeof email)
                                                           : atls_bytes_empty();
}

static bool is_new(const atls_bytes *list, size_t n, atls_bytes oid)
{
    for (size_t i = 0; i < n; i++) {
        if (atls_bytes_equal(list[i], oid)) {
            return false;
        }
    }
    return true;
}

static bool read_eku(reader *r, const char *field, const atls_json *v)
{
    r->p->n_eku = 0; /* the default, which the list replaces */
    if (!is_list(r, field, v)) {
        return false;
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *each = path(r, field, r->p->n_eku);
        atls_bytes oid = item->type == ATLS_JSON_STRING ? purpose_of(item->text) : atls_bytes_empty();
        const bool found =
            oid.len > 0 || (item->type == ATLS_JSON_STRING && ca_oid_from_text(item->text, r->a, &oid, r->err));
        if (each == NULL || !found || !is_usable_purpose(oid) || !is_new(r->p->eku, r->p->n_eku, oid)) {
            return each != NULL
                   && wrong(r, each,
                            "clientAuth, serverAuth, emailProtection or an OID, but neither any nor OCSPSigning", item);
        }
        r->p->eku[r->p->n_eku++] = oid;
    }
    return true;
}

static bool read_extensions(reader *r, const char *field, const atls_json *v)
{
    if (!is_list(r, field, v)) {
        return false;
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *each = path(r, field, r->p->n_extensions_from_csr);
        atls_bytes oid = atls_bytes_empty();
        if (each == NULL) {
            return false;
        }
        if (item->type != ATLS_JSON_STRING || !ca_oid_from_text(item->text, r->a, &oid, r->err)
            || ca_oid_is_reserved(oid) || !is_new(r->p->extensions_from_csr, r->p->n_extensions_from_csr, oid)) {
            return wrong(r, each, "an OID of an extension that phones may ask for", item);
        }
        r->p->extensions_from_csr[r->p->n_extensions_from_csr++] = oid;
    }
    return true;
}

/* ---- single values ---- */

static bool read_seconds(reader *r, const char *field, const atls_json *v, int64_t min, int64_t max, int64_t *out)
{
    atls_error why = {.code = ATLS_OK};
    uint64_t value = 0;
    if (!atls_json_uint(v, field, (uint64_t)max, &value, &why) || (int64_t)value < min) {
        const char *expected =
            atls_text_format(r->a, r->err, "a number of seconds, %lld to %lld", (long long)min, (long long)max);
        return expected != NULL && wrong(r, field, expected, v);
    }
    *out = (int64_t)value;
    return true;
}

static bool read_life(reader *r, const char *field, const atls_json *v)
{
    return read_seconds(r, field, v, MIN_LIFE_S, MAX_LIFE_S, &r->p->life_s);
}

static bool read_back(reader *r, const char *field, const atls_json *v)
{
    return read_seconds(r, field, v, 0, MAX_BACK_S, &r->p->back_s);
}

static bool read_attested_key(reader *r, const char *field, const atls_json *v)
{
    r->p->attested_key = v->type == ATLS_JSON_TRUE;
    return v->type == ATLS_JSON_TRUE || v->type == ATLS_JSON_FALSE || wrong(r, field, "true or false", v);
}

static bool read_crl(reader *r, const char *field, const atls_json *v)
{
    const bool is_http = v->type == ATLS_JSON_STRING && v->text.len > 7 && memcmp(v->text.ptr, "http://", 7) == 0;
    if (!is_http || !ca_text_fits(v->text, ATLS_DER_IA5_STRING, MAX_URL) || !has_no_template(v->text)) {
        return wrong(r, field, "an http:// URL of at most 512 bytes", v);
    }
    r->p->crl = atls_text_copy(v->text, r->a, r->err);
    return r->p->crl != NULL;
}

static bool read_description(reader *r, const char *field, const atls_json *v)
{
    return v->type == ATLS_JSON_STRING || wrong(r, field, "a string", v);
}

/* ---- the table ---- */

static const member members[] = {
    {"description", read_description},
    {"subject", read_subject},
    {"subject_from_csr", read_subject_from_csr},
    {"san", read_san},
    {"san_from_csr", read_san_from_csr},
    {"eku", read_eku},
    {"extensions_from_csr", read_extensions},
    {"life_s", read_life},
    {"backdate_s", read_back},
    {"crl", read_crl},
    {"attested_key", read_attested_key},
};
#define N_MEMBERS (sizeof members / sizeof members[0])

static bool read_member(reader *r, const atls_json *v)
{
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if (atls_bytes_equal_str(v->name, members[i].name)) {
            const char *field = atls_text_format(r->a, r->err, "profile.%s", members[i].name);
            return field != NULL && members[i].read(r, field, v);
        }
    }
    const char *field = atls_text_format(r->a, r->err, "profile.%.*s", v->name.len < 40 ? (int)v->name.len : 40,
                                         (const char *)v->name.ptr);
    return field != NULL && atls_fail(r->err, ATLS_E_CONFIGURATION, field, "unknown member");
}

static void set_defaults(ca_profile *out)
{
    *out = (ca_profile){.life_s = ATLS_CA_DEFAULT_LIFE_S, .back_s = ATLS_CA_DEFAULT_BACK_S};
    out->subject[0] = (ca_entry){.type = ca_name_type_find(atls_bytes_str("CN")), .text = "{app}"};
    out->n_subject = 1;
    out->eku[0] = purpose_of(atls_bytes_str("clientAuth"));
    out->n_eku = 1;
}

/* RFC 5280, 4.1.2.6: who has no subject has another name. */
static bool check(const ca_profile *p, atls_error *err)
{
    return p->n_subject > 0 || p->n_san > 0
           || atls_fail(err, ATLS_E_CONFIGURATION, "profile.subject", "without a subject there has to be a san");
}

bool ca_profile_read(atls_bytes text, atls_arena *a, ca_profile *out, atls_error *err)
{
    reader r = {.p = out, .a = a, .err = err};
    const atls_json *document;
    set_defaults(out);
    if (text.len == 0) {
        return true;
    }
    if (!atls_json_parse(text, "profile", a, &document, err)) {
        return err->code == ATLS_E_MEMORY ? false : atls_error_relabel(err, ATLS_E_CONFIGURATION, "ca");
    }
    if (document->type != ATLS_JSON_OBJECT) {
        return wrong(&r, "profile", "an object", document);
    }
    for (const atls_json *v = document->child; v != NULL; v = v->next) {
        if (!read_member(&r, v)) {
            return false;
        }
    }
    return check(out, err);
}

bool atls_ca_profile_check(atls_bytes profile, atls_error *err)
{
    atls_arena a = {0};
    ca_profile p;
    const bool ok = atls_arena_new(&a, CA_ARENA_SIZE, err) && ca_profile_read(profile, &a, &p, err);
    atls_arena_free(&a);
    return ok;
}
