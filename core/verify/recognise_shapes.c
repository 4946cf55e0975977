/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_shapes.c: what is inside a value, from its first bytes and its outermost structure. Everything that it reads
 * is a claim of whoever wrote the certificate. */
#include "recognise_shapes.h"

#include <string.h>

#include "base/cbor.h"
#include "base/text.h"

#define SNP_REPORT_LEN 1184u
#define OE_HEADER_LEN  16u

/* ---- first bytes ---- */

static bool begins(atls_bytes in, const char *bytes, size_t n)
{
    return in.len >= n && memcmp(in.ptr, bytes, n) == 0;
}
#define BEGINS(in, literal) begins(in, literal, sizeof(literal) - 1)

/* Version u16, key type u16, from version 4 on TEE type u32 (0 SGX, 0x81 TDX), little-endian. */
const char *atls_look_quote_name(atls_bytes in)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } headers[] = {
        {"\x03\x00\x02\x00", 4, "Intel SGX quote, version 3"},
        {"\x04\x00\x02\x00\x81\x00\x00\x00", 8, "Intel TDX quote, version 4"},
        {"\x04\x00\x03\x00\x81\x00\x00\x00", 8, "Intel TDX quote, version 4"},
        {"\x04\x00\x02\x00\x00\x00\x00\x00", 8, "Intel SGX quote, version 4"},
        {"\x04\x00\x03\x00\x00\x00\x00\x00", 8, "Intel SGX quote, version 4"},
        {"\x05\x00\x02\x00\x81\x00\x00\x00", 8, "Intel TDX quote, version 5"},
        {"\x05\x00\x03\x00\x81\x00\x00\x00", 8, "Intel TDX quote, version 5"},
        {"\x05\x00\x02\x00\x00\x00\x00\x00", 8, "Intel SGX quote, version 5"},
        {"\x05\x00", 2, "Intel quote, version 5"},
    };
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        if (begins(in, headers[i].bytes, headers[i].n)) {
            return headers[i].name;
        }
    }
    return NULL;
}

/* A report's version 5 and a quote's begin alike; nothing but a report has its length and a zero upper half. */
static bool is_snp_report(atls_bytes in)
{
    return in.len == SNP_REPORT_LEN && in.ptr[0] >= 2 && in.ptr[0] <= 5 && in.ptr[1] == 0 && in.ptr[2] == 0
           && in.ptr[3] == 0;
}

const char *atls_look_sniff(atls_bytes in)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *name;
    } marks[] = {
        {"\x84\x44", 2, "COSE_Sign1 (AWS Nitro attestation documents look like this)"},
        {"{", 1, "JSON document"},
        {"\xff\x54\x43\x47", 4, "TPM attestation (TPMS_ATTEST)"},
        {"HCLA", 4, "Azure HCL report"},
    };
    if (is_snp_report(in)) {
        return "AMD SEV-SNP attestation report";
    }
    const char *quote = atls_look_quote_name(in);
    if (quote != NULL) {
        return quote;
    }
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        if (begins(in, marks[i].bytes, marks[i].n)) {
            return marks[i].name;
        }
    }
    return NULL;
}

/* ---- what a look says ---- */

bool atls_look_inside(atls_look *l, const char *phrase)
{
    const bool first = l->out->inside[0] == '\0';
    const char *text = first ? phrase : atls_text_format(l->arena, l->err, "%s, %s", l->out->inside, phrase);
    if (text == NULL) {
        return false;
    }
    l->out->inside = text;
    return true;
}

bool atls_look_problem(atls_look *l, const char *why)
{
    if (l->out->problem[0] == '\0') {
        l->out->problem = why;
    }
    return true;
}

bool atls_look_found(atls_look *l, atls_bytes value)
{
    const char *name = atls_look_sniff(value);
    if (atls_look_quote_name(value) != NULL && !is_snp_report(value)) {
        l->out->quote = value;
    }
    /* the name of a value that is known by shape alone has said it already */
    return name == NULL || l->out->by_shape || atls_look_inside(l, name);
}

static bool look_for_quote(atls_look *l, atls_bytes value)
{
    if (atls_look_quote_name(value) == NULL) {
        return atls_look_problem(l, "not an Intel quote");
    }
    return atls_look_found(l, value);
}

bool atls_look_bytes(atls_look *l)
{
    return l->value.len == 0 ? atls_look_problem(l, "empty") : atls_look_found(l, l->value);
}

bool atls_look_quote(atls_look *l)
{
    return look_for_quote(l, l->value);
}

/* ---- CBOR: interoperable RA-TLS ---- */

/* The tags that rats-tls writes, the last three of its own making. */
static const char *tag_name(uint64_t tag)
{
    static const struct {
        uint64_t tag;
        const char *name;
    } tags[] = {
        {60000, "CBOR tag 60000 (Intel quote)"},
        {60001, "CBOR tag 60001 (Intel TEE report)"},
        {60002, "CBOR tag 60002 (SGX local report)"},
        {0x1a7504, "CBOR tag 0x1a7504 (AMD SEV-SNP, private number)"},
        {0x1a7505, "CBOR tag 0x1a7505 (AMD SEV, private number)"},
        {0x1a7506, "CBOR tag 0x1a7506 (Hygon CSV, private number)"},
    };
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (tags[i].tag == tag) {
            return tags[i].name;
        }
    }
    return NULL;
}

static bool read_tag(atls_cur *c, uint64_t *tag)
{
    atls_cbor_item item;
    if (!atls_cbor_head(c, "tag", &item) || item.type != ATLS_CBOR_TAG) {
        return false;
    }
    *tag = item.n;
    return true;
}

/* "pubkey-hash": bytes that hold CBOR [named-information algorithm, hash]. */
static const char *hash_phrase(atls_bytes value)
{
    static const struct {
        uint64_t alg;
        size_t len;
        const char *phrase;
    } algs[] = {{1, 32, "claims: pubkey-hash (SHA-256)"},
                {7, 48, "claims: pubkey-hash (SHA-384)"},
                {8, 64, "claims: pubkey-hash (SHA-512)"}};
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    uint64_t n;
    uint64_t alg;
    atls_bytes hash;
    atls_cur_init(&c, value, "", &why);
    if (!atls_cbor_array(&c, "hash", 2, &n) || n != 2 || !atls_cbor_uint(&c, "hash", UINT32_MAX, &alg)
        || !atls_cbor_bytes(&c, "hash", &hash) || !atls_cur_end(&c)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof algs / sizeof algs[0]; i++) {
        if (algs[i].alg == alg && algs[i].len == hash.len) {
            return algs[i].phrase;
        }
    }
    return NULL;
}

typedef struct claims {
    bool has_hash;
    bool has_nonce;
    const char *hash; /* NULL: none, or one that is not understood */
} claims;

static bool read_claims(atls_bytes in, claims *out)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    uint64_t n;
    *out = (claims){.hash = NULL};
    atls_cur_init(&c, in, "", &why);
    if (!atls_cbor_map(&c, "claims", UINT16_MAX, &n)) {
        return false;
    }
    for (uint64_t i = 0; i < n; i++) {
        atls_bytes name;
        atls_bytes value;
        if (!atls_cbor_text(&c, "name", &name) || !atls_cbor_bytes(&c, "value", &value)) {
            return false;
        }
        out->has_nonce = out->has_nonce || atls_bytes_equal_str(name, "nonce");
        if (atls_bytes_equal_str(name, "pubkey-hash")) {
            out->has_hash = true;
            out->hash = hash_phrase(value);
        }
    }
    return atls_cur_end(&c);
}

static bool look_at_claims(atls_look *l, atls_bytes in)
{
    claims found;
    if (!read_claims(in, &found)) {
        return atls_look_problem(l, "the claims are not a CBOR map of text to bytes");
    }
    if (found.hash == NULL) {
        return atls_look_problem(l, found.has_hash ? "pubkey-hash is not a hash that is known"
                                                   : "the claims have no pubkey-hash: nothing is bound to the key");
    }
    return atls_look_inside(l, found.hash) && (!found.has_nonce || atls_look_inside(l, "nonce of an unknown verifier"));
}

/* tag([evidence, claims]), definite lengths; a tag that names nothing is somebody else's. */
static bool look_at_tagged(atls_look *l, atls_cur *c, uint64_t tag)
{
    uint64_t n;
    atls_bytes evidence;
    atls_bytes claims_buffer;
    if (!atls_look_inside(l, tag_name(tag))) {
        return false;
    }
    if (!atls_cbor_array(c, "evidence", 2, &n) || n != 2 || !atls_cbor_bytes(c, "evidence", &evidence)
        || !atls_cbor_bytes(c, "claims", &claims_buffer) || !atls_cur_end(c)) {
        return atls_look_problem(l, "not a CBOR tag over [evidence, claims]");
    }
    if (evidence.len == 0) {
        return atls_look_problem(l, "the evidence is empty");
    }
    if (!(tag == 60000 ? look_for_quote(l, evidence) : atls_look_found(l, evidence))) {
        return false;
    }
    return look_at_claims(l, claims_buffer);
}

bool atls_look_tagged(atls_look *l)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    uint64_t tag;
    atls_cur_init(&c, l->value, "", &why);
    if (read_tag(&c, &tag) && tag_name(tag) != NULL) {
        return look_at_tagged(l, &c, tag);
    }
    l->out->format = "TCG DICE conceptual message wrapper";
    return atls_look_cmw(l);
}

bool atls_look_endorsement(atls_look *l)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    uint64_t tag;
    uint64_t n;
    atls_cur_init(&c, l->value, "", &why);
    if (!read_tag(&c, &tag)) {
        return atls_look_sequence(l);
    }
    l->out->format = "rats-tls collateral (TCG DICE endorsement manifest)";
    if (tag_name(tag) == NULL) {
        return atls_look_problem(l, "a CBOR tag that names nothing");
    }
    if (!atls_cbor_array(&c, "collateral", 9, &n) || n < 8) {
        return atls_look_inside(l, tag_name(tag)) && atls_look_problem(l, "not an array of 8 or 9 pieces");
    }
    return atls_look_inside(l, tag_name(tag))
           && atls_look_inside(l, n == 9 ? "collateral in 9 pieces" : "collateral in 8 pieces");
}

/* ---- conceptual message wrappers: told apart by their first byte ---- */

/* The type is shown only when it could be a media type, because it is the peer's text. */
static bool look_at_type(atls_look *l, atls_bytes type)
{
    bool readable = type.len > 0 && type.len <= 100;
    for (size_t i = 0; readable && i < type.len; i++) {
        readable = type.ptr[i] > 0x20 && type.ptr[i] < 0x7f;
    }
    if (!readable) {
        return true;
    }
    const char *phrase = atls_text_format(l->arena, l->err, "type %.*s", (int)type.len, (const char *)type.ptr);
    return phrase != NULL && atls_look_inside(l, phrase);
}

static bool look_at_cbor_record(atls_look *l)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_cbor_item type;
    atls_bytes value;
    uint64_t n;
    if (!atls_look_inside(l, "CBOR record")) {
        return false;
    }
    atls_cur_init(&c, l->value, "", &why);
    if (!atls_cbor_array(&c, "record", 3, &n) || !atls_cbor_head(&c, "type", &type)
        || (type.type != ATLS_CBOR_TEXT && type.type != ATLS_CBOR_UINT) || !atls_cbor_bytes(&c, "value", &value)) {
        return atls_look_problem(l, "not a CBOR record [type, bytes, indicator]");
    }
    return (type.type != ATLS_CBOR_TEXT || look_at_type(l, type.bytes)) && atls_look_found(l, value);
}

static bool look_at_json_record(atls_look *l)
{
    const atls_json *tree;
    bool parsed;
    if (!atls_look_inside(l, l->value.ptr[0] == '[' ? "JSON record" : "JSON collection")
        || !atls_look_parse(l, l->value, &tree, &parsed)) {
        return false;
    }
    if (!parsed) {
        return atls_look_problem(l, "not JSON");
    }
    if (tree->type == ATLS_JSON_OBJECT) {
        return true;
    }
    if (tree->child == NULL || tree->child->next == NULL || tree->child->next->type != ATLS_JSON_STRING) {
        return atls_look_problem(l, "not a JSON record [type, base64url, indicator]");
    }
    return tree->child->type != ATLS_JSON_STRING || look_at_type(l, tree->child->text);
}

bool atls_look_cmw(atls_look *l)
{
    const uint8_t first = l->value.len == 0 ? 0 : l->value.ptr[0];
    if (first == '[' || first == '{') {
        return look_at_json_record(l);
    }
    if (first == 0x82 || first == 0x83) {
        return look_at_cbor_record(l);
    }
    if (first >> 4 == 0xa || first == 0xbf) {
        return atls_look_inside(l, "CBOR collection");
    }
    if (first >= 0xc0 && first <= 0xdb) {
        return atls_look_inside(l, "CBOR tag");
    }
    return atls_look_problem(l, "neither a record, a collection nor a tag");
}

/* ---- Open Enclave: version u32 1, type u32 (1 local, 2 remote), length u64, little-endian; then the report ---- */

bool atls_look_open_enclave(atls_look *l)
{
    atls_error why = {.code = ATLS_OK};
    atls_cur c;
    atls_bytes report;
    atls_cur_init(&c, l->value, "", &why);
    const bool local = BEGINS(l->value, "\x01\x00\x00\x00\x01\x00\x00\x00");
    const bool remote = BEGINS(l->value, "\x01\x00\x00\x00\x02\x00\x00\x00");
    if ((!local && !remote) || !atls_cur_skip(&c, "header", OE_HEADER_LEN)) {
        return atls_look_quote_name(l->value) != NULL ? atls_look_found(l, l->value)
                                                      : atls_look_problem(l, "not an Open Enclave report");
    }
    report = atls_cur_rest(&c);
    return atls_look_inside(l, local ? "local report" : "remote report") && atls_look_found(l, report);
}
