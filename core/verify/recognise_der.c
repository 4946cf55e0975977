/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_der.c: values that are DER, and those of dstack, which have a second OCTET STRING around them. */
#include <string.h>

#include "base/der.h"
#include "base/text.h"
#include "recognise_shapes.h"

/* The content of the one element that a value is, if it has this tag. */
static bool only(atls_bytes value, atls_der_tag tag, atls_bytes *content)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_cur_init(&c, value, "", &why);
    return atls_der_expect(&c, "", tag, content) && atls_cur_end(&c);
}

bool atls_look_sequence(atls_look *l)
{
    atls_bytes content;
    return only(l->value, ATLS_DER_SEQUENCE, &content) ? atls_look_inside(l, "DER SEQUENCE")
                                                       : atls_look_problem(l, "not one DER SEQUENCE");
}

/* ---- rats-tls, the ASN.1 design ---- */

typedef struct rats {
    atls_bytes type; /* content of the OID that says what it is */
    atls_bytes body; /* the innermost OCTET STRING */
} rats;

/* SEQUENCE { OID, [n] EXPLICIT SEQUENCE { OID, OCTET STRING } } */
static bool read_rats(atls_bytes value, rats *out)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_cur outer;
    atls_cur inner;
    atls_der_tag tag;
    atls_bytes tagged;
    atls_bytes oid;
    atls_bytes content;
    if (!only(value, ATLS_DER_SEQUENCE, &content)) {
        return false;
    }
    atls_cur_init(&outer, content, "", &why);
    if (!atls_der_oid(&outer, "", &out->type) || !atls_der_any(&outer, "", &tag, &tagged, NULL) || !atls_cur_end(&outer)
        || (tag & 0xe0u) != 0xa0u) {
        return false;
    }
    atls_cur_init(&c, tagged, "", &why);
    return atls_der_nested(&c, "", ATLS_DER_SEQUENCE, &inner) && atls_cur_end(&c) && atls_der_oid(&inner, "", &oid)
           && atls_der_expect(&inner, "", ATLS_DER_OCTET_STRING, &out->body) && atls_cur_end(&inner);
}

static bool put_rats(atls_look *l, const rats *r)
{
    static const struct {
        const char *oid;
        const char *phrase;
    } types[] = {
        {"1.2.840.113741.1337.1.1", "SGX EPID evidence"},     {"1.2.840.113741.1337.1.2", "SGX ECDSA evidence"},
        {"1.2.840.113741.1337.1.3", "SGX local report"},      {"1.2.840.113741.1337.1.4", "TDX ECDSA evidence"},
        {"1.2.840.113741.1337.1.5", "TDX local report"},      {"1.2.840.113741.1337.2.2", "SGX ECDSA endorsement"},
        {"1.2.840.113741.1337.2.4", "TDX ECDSA endorsement"},
    };
    const char *oid = atls_oid_text(r->type, l->arena, l->err);
    if (oid == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(oid, types[i].oid) == 0) {
            return atls_look_inside(l, types[i].phrase) && atls_look_found(l, r->body);
        }
    }
    return atls_look_inside(l, oid) && atls_look_problem(l, "of a kind that rats-tls does not name");
}

bool atls_look_rats_tls(atls_look *l)
{
    rats found;
    return read_rats(l->value, &found) ? put_rats(l, &found)
                                       : atls_look_problem(l, "not SEQUENCE { OID, [n] { OID, OCTET STRING } }");
}

/* One OID, two owners: the endorsement of rats-tls is a SEQUENCE of a fixed shape, a report of Intel's attestation
 * service is JSON text. */
bool atls_look_rats_or_ias(atls_look *l)
{
    rats found;
    if (read_rats(l->value, &found)) {
        l->out->format = "rats-tls ASN.1 endorsement";
        l->out->note = "collateral for evidence in the same certificate";
        return put_rats(l, &found);
    }
    if (l->value.len == 0 || l->value.ptr[0] != '{') {
        return atls_look_problem(l, "neither a rats-tls endorsement (DER) nor an IAS report (JSON)");
    }
    l->out->format = "Intel RA-TLS IAS report (EPID)";
    l->out->is_evidence = true;
    l->out->best_grade = ATLS_GRADE_KEY;
    l->out->note = "the service that signed such reports has ended; never enough by default";
    return atls_look_json(l);
}

/* ---- dstack: an OCTET STRING within ---- */

static bool unwrap(atls_look *l, atls_bytes *inner, bool *ok)
{
    *ok = only(l->value, ATLS_DER_OCTET_STRING, inner);
    if (!*ok) {
        return atls_look_problem(l, "not wrapped in an OCTET STRING of its own");
    }
    if (inner->len == 0) {
        *ok = false;
        return atls_look_problem(l, "empty");
    }
    return atls_look_inside(l, "DER OCTET STRING");
}

bool atls_look_dstack_quote(atls_look *l)
{
    atls_bytes inner;
    bool ok;
    if (!unwrap(l, &inner, &ok)) {
        return false;
    }
    if (!ok) {
        return true;
    }
    return atls_look_quote_name(inner) != NULL ? atls_look_found(l, inner) : atls_look_problem(l, "not an Intel quote");
}

bool atls_look_dstack_log(atls_look *l)
{
    const atls_json *tree;
    atls_bytes inner;
    bool ok;
    bool parsed;
    if (!unwrap(l, &inner, &ok)) {
        return false;
    }
    if (!ok) {
        return true;
    }
    if (!atls_look_parse(l, inner, &tree, &parsed)) {
        return false;
    }
    if (!parsed || tree->type != ATLS_JSON_ARRAY) {
        return atls_look_problem(l, "not a JSON array of events");
    }
    const char *phrase = atls_text_format(l->arena, l->err, "JSON array of %u events", (unsigned)tree->n);
    return phrase != NULL && atls_look_inside(l, phrase);
}

bool atls_look_dstack_bytes(atls_look *l)
{
    atls_bytes inner;
    bool ok;
    return unwrap(l, &inner, &ok);
}

bool atls_look_dstack_text(atls_look *l)
{
    atls_bytes inner;
    bool ok;
    if (!unwrap(l, &inner, &ok)) {
        return false;
    }
    return !ok || (atls_utf8_valid(inner) ? atls_look_inside(l, "text") : atls_look_problem(l, "not text"));
}

/* MessagePack: fixmap, map 16, map 32 */
static bool is_msgpack_map(atls_bytes in)
{
    return in.ptr[0] >> 4 == 8 || in.ptr[0] == 0xde || in.ptr[0] == 0xdf;
}

bool atls_look_dstack_msgpack(atls_look *l)
{
    atls_bytes inner;
    bool ok;
    if (!unwrap(l, &inner, &ok)) {
        return false;
    }
    return !ok
           || (is_msgpack_map(inner) ? atls_look_inside(l, "MessagePack map")
                                     : atls_look_problem(l, "not a MessagePack map"));
}

/* Version 0 in SCALE begins with 00 00; later versions are not documented enough to be told. */
bool atls_look_dstack_attested(atls_look *l)
{
    atls_bytes inner;
    bool ok;
    if (!unwrap(l, &inner, &ok)) {
        return false;
    }
    if (!ok) {
        return true;
    }
    if (inner.len >= 2 && inner.ptr[0] == 0 && inner.ptr[1] == 0) {
        return atls_look_inside(l, "SCALE, version 0");
    }
    return atls_look_inside(l, is_msgpack_map(inner) ? "MessagePack map" : "a later version, which cannot be told");
}

/* ---- phones ---- */

static const char *level_name(uint64_t level)
{
    static const char *const names[] = {"by software", "by the TEE", "by StrongBox"};
    return level < sizeof names / sizeof names[0] ? names[level] : "by an unknown security level";
}

/* KeyDescription begins with INTEGER attestationVersion, ENUMERATED attestationSecurityLevel and has eight elements. */
bool atls_look_android(atls_look *l)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_bytes content;
    atls_bytes challenge;
    uint64_t version, level, keymaster, keymaster_level;
    if (!only(l->value, ATLS_DER_SEQUENCE, &content)) {
        return atls_look_problem(l, "not a KeyDescription (no SEQUENCE)");
    }
    atls_cur_init(&c, content, "", &why);
    if (!atls_der_uint(&c, "", ATLS_DER_INTEGER, UINT32_MAX, &version)
        || !atls_der_uint(&c, "", ATLS_DER_ENUMERATED, UINT32_MAX, &level)
        || !atls_der_uint(&c, "", ATLS_DER_INTEGER, UINT32_MAX, &keymaster)
        || !atls_der_uint(&c, "", ATLS_DER_ENUMERATED, UINT32_MAX, &keymaster_level)
        || !atls_der_expect(&c, "", ATLS_DER_OCTET_STRING, &challenge)) {
        return atls_look_problem(l, "not a KeyDescription");
    }
    const char *phrase = atls_text_format(l->arena, l->err,
                                          "KeyDescription, version %u, attested %s, challenge of %zu "
                                          "bytes",
                                          (unsigned)version, level_name(level), challenge.len);
    return phrase != NULL && atls_look_inside(l, phrase);
}

bool atls_look_apple(atls_look *l)
{
    atls_bytes sequence;
    atls_bytes tagged;
    atls_bytes nonce;
    if (!only(l->value, ATLS_DER_SEQUENCE, &sequence) || !only(sequence, ATLS_DER_CONTEXT_CONS(1), &tagged)
        || !only(tagged, ATLS_DER_OCTET_STRING, &nonce) || nonce.len != 32) {
        return atls_look_problem(l, "not SEQUENCE { [1] { OCTET STRING of 32 bytes } }");
    }
    return atls_look_inside(l, "a nonce of 32 bytes");
}
