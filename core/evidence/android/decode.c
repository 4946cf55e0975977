/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: bytes to a chain: sections 1 and 2 of the specification. Order and number of certificates are the sender's. */
#include <stdio.h>
#include <string.h>

#include "android.h"
#include "base/der.h"
#include "base/json.h"
#include "base/text.h"

static const uint8_t key_description_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x11};
static const uint8_t provisioning_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x01, 0x1e};

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static atls_bytes trimmed(atls_bytes in)
{
    size_t start = 0;
    while (start < in.len && is_space(in.ptr[start])) {
        start++;
    }
    return atls_bytes_of(in.ptr + start, in.len - start);
}

static bool unparsable(atls_error *err, const char *message)
{
    return atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", "%s", message);
}

/* ---- forms ---- */

static bool add(atls_bytes der, atls_bytes *ders, size_t *n, atls_error *err)
{
    if (*n == ANDROID_MAX_CERTIFICATES) {
        return atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", "more than %u certificates",
                         ANDROID_MAX_CERTIFICATES);
    }
    ders[(*n)++] = der;
    return true;
}

static bool split_pem(atls_bytes text, atls_arena *arena, atls_bytes *ders, size_t *n, atls_error *err)
{
    while (text.len > 0) {
        bool is_crl;
        atls_bytes der;
        if (!atls_pem_next(&text, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", arena, &is_crl, &der, err)) {
            return false;
        }
        if (is_crl) {
            return unparsable(err, "a revocation list stands among the certificates");
        }
        if (!add(der, ders, n, err)) {
            return false;
        }
    }
    return true;
}

static bool split_der(atls_bytes in, atls_bytes *ders, size_t *n, atls_error *err)
{
    atls_error why = {0};
    atls_cur c;
    atls_cur_init(&c, in, "", &why);
    while (c.rest.len > 0) {
        atls_der_tag tag;
        atls_bytes whole;
        if (!atls_der_any(&c, "", &tag, NULL, &whole) || tag != ATLS_DER_SEQUENCE) {
            return atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", "what stands at byte %zu is no certificate",
                             atls_cur_offset(&c));
        }
        if (!add(whole, ders, n, err)) {
            return false;
        }
    }
    return true;
}

static bool has_any(atls_bytes text, const char *characters)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\0' && strchr(characters, text.ptr[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool decode_text(atls_bytes text, bool only_url, atls_arena *arena, atls_bytes *der, atls_error *err)
{
    atls_error why = {0};
    const bool plain = !only_url && has_any(text, "+/");
    const bool ok = plain ? atls_base64_decode(text, false, "", arena, der, &why)
                          : atls_base64url_decode(text, "", arena, der, &why);
    if (!ok && why.code == ATLS_E_MEMORY) {
        *err = why;
        return false;
    }
    return ok || unparsable(err, only_url ? "a certificate is not base64url" : "a certificate is not base64");
}

static bool split_array(const atls_json *array, bool only_url, atls_arena *arena, atls_bytes *ders, size_t *n,
                        atls_error *err)
{
    for (const atls_json *item = array->child; item != NULL; item = item->next) {
        atls_bytes der;
        if (item->type != ATLS_JSON_STRING) {
            return unparsable(err, "the array holds something else than strings");
        }
        if (!decode_text(item->text, only_url, arena, &der, err) || !add(der, ders, n, err)) {
            return false;
        }
    }
    return true;
}

/* The statement of enrolment.md, section 4: base64url although it is named x5c. */
static bool split_json(atls_bytes text, atls_arena *arena, atls_bytes *ders, size_t *n, atls_error *err)
{
    const atls_json *tree = NULL;
    atls_error why = {0};
    if (!atls_json_parse(text, "chain", arena, &tree, &why)) {
        *err = why;
        return atls_error_relabel(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "");
    }
    if (tree->type == ATLS_JSON_ARRAY) {
        return split_array(tree, false, arena, ders, n, err);
    }
    const atls_json *typ = atls_json_find(tree, "typ");
    const atls_json *x5c = atls_json_find(tree, "x5c");
    if (typ == NULL || typ->type != ATLS_JSON_STRING || !atls_bytes_equal_str(typ->text, "android-key")) {
        return unparsable(err, "not a statement of typ android-key");
    }
    if (x5c == NULL || x5c->type != ATLS_JSON_ARRAY) {
        return unparsable(err, "the statement has no array x5c");
    }
    return split_array(x5c, true, arena, ders, n, err);
}

bool android_chain_split(atls_bytes in, atls_arena *arena, atls_bytes *ders, size_t *n, atls_error *err)
{
    *n = 0;
    if (in.len > ANDROID_MAX_EVIDENCE_LEN) {
        return atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", "%zu bytes; at most %u", in.len,
                         ANDROID_MAX_EVIDENCE_LEN);
    }
    const atls_bytes text = trimmed(in);
    const uint8_t first = text.len > 0 ? text.ptr[0] : 0;
    bool ok;
    if (first == '[' || first == '{') {
        ok = split_json(text, arena, ders, n, err);
    } else {
        ok = first == '-' ? split_pem(text, arena, ders, n, err) : split_der(in, ders, n, err);
    }
    return ok && (*n > 0 || unparsable(err, "there is no certificate"));
}

/* ---- certificates ---- */

static bool check_sizes(const atls_bytes *ders, size_t n, atls_error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < n; i++) {
        total += ders[i].len; /* each one no longer than the evidence */
    }
    return total <= ANDROID_MAX_CHAIN_LEN
           || atls_fail(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "chain", "%zu bytes of certificates; at most %u", total,
                        ANDROID_MAX_CHAIN_LEN);
}

static bool read_certificates(const atls_bytes *ders, android_evidence *out, atls_error *err)
{
    for (size_t i = 0; i < out->n; i++) {
        char prefix[32];
        (void)snprintf(prefix, sizeof prefix, "chain[%zu]", i);
        if (!atls_cert_decode_of_phone(ders[i], prefix, &out->certs[i], err)) {
            return atls_error_relabel(err, ATLS_E_ANDROID_CHAIN_UNPARSABLE, "");
        }
    }
    return true;
}

/* ---- extensions ---- */

/* While somebody may have signed further certificates with the attested key, the description closest to the root is the
 * genuine one: errors shall speak of that one, and rule 6 of the chain refuses the rest. */
static void find_descriptions(android_evidence *e)
{
    const atls_bytes oid = atls_bytes_of(key_description_oid, sizeof key_description_oid);
    e->described = e->n;
    for (size_t i = 0; i < e->n; i++) {
        if (atls_cert_extension(&e->certs[i], oid) != NULL) {
            e->described = i;
            e->n_described++;
        }
    }
}

static bool read_description(android_evidence *e, atls_arena *arena, atls_error *err)
{
    const atls_bytes oid = atls_bytes_of(key_description_oid, sizeof key_description_oid);
    if (e->described == e->n) {
        (void)atls_fail(&e->why, ATLS_E_ANDROID_APP_UNEXPECTED, "keyDescription",
                        "no certificate of the chain has a key description");
        return true;
    }
    const atls_extension *found = atls_cert_extension(&e->certs[e->described], oid);
    if (!android_description_decode(found->value, arena, &e->description, &e->why) && e->why.code == ATLS_E_MEMORY) {
        *err = e->why;
        return false;
    }
    return true;
}

static void read_provisioning(android_evidence *e)
{
    const atls_bytes oid = atls_bytes_of(provisioning_oid, sizeof provisioning_oid);
    const atls_extension *found = e->n > 1 ? atls_cert_extension(&e->certs[1], oid) : NULL;
    if (found != NULL) {
        android_provisioning_read(found->value, &e->info);
    }
}

bool android_certificates_decode(const atls_bytes *ders, size_t n, atls_arena *arena, android_evidence *out,
                                 atls_error *err)
{
    *out = (android_evidence){.n = n, .session_signature = atls_bytes_empty()};
    if (!check_sizes(ders, n, err)) {
        return false;
    }
    out->certs = atls_arena_array(arena, out->n, sizeof *out->certs, err);
    if (out->certs == NULL || !read_certificates(ders, out, err)) {
        return false;
    }
    find_descriptions(out);
    android_names_read(out);
    read_provisioning(out);
    return read_description(out, arena, err);
}

bool android_chain_decode(atls_bytes in, atls_arena *arena, android_evidence *out, atls_error *err)
{
    atls_bytes ders[ANDROID_MAX_CERTIFICATES];
    size_t n = 0;
    *out = (android_evidence){.n = 0};
    return android_chain_split(in, arena, ders, &n, err) && android_certificates_decode(ders, n, arena, out, err);
}

size_t android_looks_like(atls_bytes in, atls_arena *arena)
{
    atls_error why = {0};
    android_evidence *e = atls_arena_alloc(arena, sizeof *e, &why);
    return e != NULL && android_chain_decode(in, arena, e, &why) && e->n_described > 0 ? e->n : 0;
}
