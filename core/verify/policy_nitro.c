/* SPDX-License-Identifier: Apache-2.0 */
/* policy_nitro.c: the members of "nitro" documents.
 *
 * What AWS measures of names (role, instance, signing certificate) is computed here, once: a policy says who, and the room
 * compares registers. Source: Nitro specification section 5; AWS Nitro Enclaves, "Cryptographic attestation". */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "pki/cert.h"
#include "policy_reader.h"

#define PCR_SIZE     ATLS_NITRO_PCR_SIZE
#define MAX_NAMES    256u /* roles, instances, certificates, modules, regions of one list */
#define MAX_NAME_LEN 256u
#define MAX_NONCE    1024u
#define MAX_SIGNER   (8u * 1024) /* a PEM text */

/* ---- lists: one value, or an array of which one must match ---- */

typedef struct list {
    const atls_json *first;
    size_t n;
    bool is_array;
} list;

static bool read_list(policy_reader *r, const char *name, const atls_json *v, size_t max, list *out)
{
    out->is_array = v->type == ATLS_JSON_ARRAY;
    out->n = out->is_array ? v->n : 1;
    out->first = out->is_array ? v->child : v;
    if (out->is_array && !atls_policy_list(r, name, v, 1)) {
        return false;
    }
    return out->n <= max || atls_policy_wrong(r, name, "a list of at most 256 values", v);
}

static const char *path_of(policy_reader *r, const char *name, const list *l, size_t i)
{
    return l->is_array ? atls_policy_path(r, name, i) : name;
}

/* Turns one element into `width` bytes. */
typedef bool (*element_fn)(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t width);

static bool read_values(policy_reader *r, const char *name, const atls_json *v, size_t max, size_t width,
                        element_fn read, atls_nitro_values *out)
{
    list l;
    if (!read_list(r, name, v, max, &l)) {
        return false;
    }
    uint8_t *values = atls_arena_array(&r->policy->arena, l.n, width, r->err);
    if (values == NULL) {
        return false;
    }
    const atls_json *item = l.first;
    for (size_t i = 0; i < l.n; i++, item = item->next) {
        const char *path = path_of(r, name, &l, i);
        if (path == NULL || !read(r, path, item, values + i * width, width)) {
            return false;
        }
    }
    *out = (atls_nitro_values){.values = values, .n = l.n};
    return true;
}

static bool read_texts(policy_reader *r, const char *name, const atls_json *v, atls_nitro_texts *out)
{
    list l;
    if (!read_list(r, name, v, MAX_NAMES, &l)) {
        return false;
    }
    atls_bytes *items = atls_arena_array(&r->policy->arena, l.n, sizeof *items, r->err);
    if (items == NULL) {
        return false;
    }
    const atls_json *item = l.first;
    for (size_t i = 0; i < l.n; i++, item = item->next) {
        const char *path = path_of(r, name, &l, i);
        if (path == NULL || !atls_policy_text(r, path, item, MAX_NAME_LEN, &items[i])) {
            return false;
        }
    }
    *out = (atls_nitro_texts){.items = items, .n = l.n};
    return true;
}

/* ---- what is measured ---- */

/* A register that was zero and was extended once by these bytes. */
static bool extended(policy_reader *r, atls_bytes with, uint8_t *out)
{
    static const uint8_t zeros[PCR_SIZE];
    const atls_crypto *crypto = atls_policy_crypto(r);
    const atls_bytes parts[2] = {atls_bytes_of(zeros, sizeof zeros), with};
    return crypto != NULL && atls_digest(crypto, ATLS_SHA384, parts, 2, out, r->err);
}

static bool begins(atls_bytes text, const char *prefix)
{
    const size_t n = strlen(prefix);
    return text.len > n && memcmp(text.ptr, prefix, n) == 0;
}

static bool contains(atls_bytes text, const char *word)
{
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= text.len; i++) {
        if (memcmp(text.ptr + i, word, n) == 0) {
            return true;
        }
    }
    return false;
}

/* PCR3 is extended by the name itself, not by its digest; so is PCR4. */
static bool read_role(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t width)
{
    (void)width;
    if (v->type != ATLS_JSON_STRING || v->text.len > MAX_NAME_LEN || !begins(v->text, "arn:")
        || !contains(v->text, ":role/")) {
        return atls_policy_wrong(r, path, "the ARN of a role, arn:aws:iam::123456789012:role/name", v);
    }
    return extended(r, v->text, out);
}

static bool is_instance_id(atls_bytes id)
{
    return begins(id, "i-") && (id.len == 2 + 8 || id.len == 2 + 17)
           && atls_is_lower_hex(atls_bytes_of(id.ptr + 2, id.len - 2));
}

static bool read_instance(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t width)
{
    (void)width;
    if (v->type != ATLS_JSON_STRING || !is_instance_id(v->text)) {
        return atls_policy_wrong(r, path, "an instance id, i- and 8 or 17 lower-case hex digits", v);
    }
    return extended(r, v->text, out);
}

static bool hash_pem(policy_reader *r, const char *path, const atls_json *v, uint8_t *out)
{
    atls_bytes der;
    size_t n = 0;
    const atls_crypto *crypto = atls_policy_crypto(r);
    return crypto != NULL
           && atls_pem_certificates(v->text, false, ATLS_E_CONFIGURATION, path, r->scratch, &der, 1, &n, r->err)
           && atls_digest(crypto, ATLS_SHA384, &der, 1, out, r->err);
}

/* PCR8 is extended by the SHA-384 of the certificate's DER. */
static bool read_signer(policy_reader *r, const char *path, const atls_json *v, uint8_t *out, size_t width)
{
    uint8_t digest[PCR_SIZE];
    const bool is_pem = v->type == ATLS_JSON_STRING && v->text.len > 0 && v->text.ptr[0] == '-';
    if (is_pem && v->text.len > MAX_SIGNER) {
        return atls_policy_wrong(r, path, "one certificate of at most 8 KiB", v);
    }
    const bool ok = is_pem ? hash_pem(r, path, v, digest) : atls_policy_hex(r, path, v, digest, sizeof digest);
    (void)width;
    return ok && extended(r, atls_bytes_of(digest, sizeof digest), out);
}

/* ---- members ---- */

static bool read_document(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool is_text = v->type == ATLS_JSON_STRING;
    r->policy->nitro.wants_nitrotpm = is_text && atls_bytes_equal_str(v->text, "nitrotpm");
    return r->policy->nitro.wants_nitrotpm || (is_text && atls_bytes_equal_str(v->text, "enclave"))
           || atls_policy_wrong(r, m->name, "enclave or nitrotpm", v);
}

static const char *const pcr_names[] = {
    "0",  "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11", "12", "13", "14", "15",
    "16", "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
};
_Static_assert(sizeof pcr_names / sizeof pcr_names[0] == ATLS_NITRO_PCRS, "a name for each");

static bool read_pcrs(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const atls_json *values[ATLS_NITRO_PCRS];
    if (!atls_policy_object(r, m->name, v, pcr_names, ATLS_NITRO_PCRS, false, values)) {
        return false;
    }
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        const char *path = values[i] == NULL ? "" : atls_text_format(r->scratch, r->err, "pcrs.%s", pcr_names[i]);
        if (path == NULL
            || (values[i] != NULL
                && !read_values(r, path, values[i], MAX_NAMES, PCR_SIZE, atls_policy_hex, &r->policy->nitro.pcr[i]))) {
            return false;
        }
    }
    return v->n > 0 || atls_policy_wrong(r, m->name, "an object with at least one register", v);
}

static bool read_role_arn(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_values(r, m->name, v, MAX_NAMES, PCR_SIZE, read_role, &r->policy->nitro.role_arn);
}

static bool read_instance_id(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_values(r, m->name, v, MAX_NAMES, PCR_SIZE, read_instance, &r->policy->nitro.instance_id);
}

static bool read_signing_certificate(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_values(r, m->name, v, MAX_NAMES, PCR_SIZE, read_signer, &r->policy->nitro.signing_certificate);
}

static bool read_public_key(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_values(r, m->name, v, MAX_NAMES, 32, atls_policy_hex, &r->policy->nitro.public_key_sha256);
}

static bool read_module_id(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_texts(r, m->name, v, &r->policy->nitro.module_id);
}

static bool read_region(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_texts(r, m->name, v, &r->policy->nitro.region);
}

static bool read_nonce(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const size_t n = v->type == ATLS_JSON_STRING ? v->text.len / 2 : 0;
    if (n == 0 || n > MAX_NONCE || v->text.len % 2 != 0) {
        return atls_policy_wrong(r, m->name, "1 to 1024 bytes in hex", v);
    }
    uint8_t *nonce = atls_arena_raw(&r->policy->arena, n, r->err);
    if (nonce == NULL || !atls_policy_hex(r, m->name, v, nonce, n)) {
        return false;
    }
    r->policy->nitro.has_nonce = true;
    r->policy->nitro.nonce = atls_bytes_of(nonce, n);
    return true;
}

static bool read_max_age(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t seconds = 0;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &seconds)) {
        return false;
    }
    r->policy->nitro.max_age_s = (uint32_t)seconds;
    return seconds > 0 || atls_policy_wrong(r, m->name, "1 to 4294967295 seconds", v);
}

#define ONLY_NITRO (1u << ATLS_POLICY_NITRO)

const policy_member atls_policy_nitro_members[] = {
    {"document", ONLY_NITRO, read_document, 0, 0},
    {"pcrs", ONLY_NITRO, read_pcrs, 0, 0},
    {"signing_certificate", ONLY_NITRO, read_signing_certificate, 0, 0},
    {"role_arn", ONLY_NITRO, read_role_arn, 0, 0},
    {"instance_id", ONLY_NITRO, read_instance_id, 0, 0},
    {"module_id", ONLY_NITRO, read_module_id, 0, 0},
    {"region", ONLY_NITRO, read_region, 0, 0},
    {"nonce", ONLY_NITRO, read_nonce, 0, 0},
    {"public_key_sha256", ONLY_NITRO, read_public_key, 0, 0},
    {"max_age", ONLY_NITRO, read_max_age, 0, 0},
    {"insecure_historic", ONLY_NITRO, atls_policy_read_insecure_flag, 0,
     offsetof(atls_policy, nitro.insecure_historic)},
    {"insecure_allow_debug", ONLY_NITRO, atls_policy_read_insecure_flag, 0,
     offsetof(atls_policy, insecure_allow_debug)},
};
const size_t atls_policy_n_nitro_members = sizeof atls_policy_nitro_members / sizeof atls_policy_nitro_members[0];

/* ---- rules between members ---- */

/* A NitroTPM's registers of these numbers hold other things, and such a list would never match what was meant. */
static bool check_kind(policy_reader *r)
{
    const atls_nitro_policy *p = &r->policy->nitro;
    const struct {
        const char *name;
        size_t n;
    } of_enclaves[] = {
        {"role_arn", p->role_arn.n},
        {"instance_id", p->instance_id.n},
        {"signing_certificate", p->signing_certificate.n},
        {"insecure_allow_debug", r->policy->insecure_allow_debug ? 1 : 0},
    };
    for (size_t i = 0; p->wants_nitrotpm && i < sizeof of_enclaves / sizeof of_enclaves[0]; i++) {
        if (of_enclaves[i].n > 0) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, of_enclaves[i].name,
                             "only documents of enclaves have this: it does not go with \"document\": \"nitrotpm\"");
        }
    }
    return true;
}

static bool has_zero(const atls_nitro_values *v)
{
    for (size_t i = 0; i < v->n; i++) {
        if (atls_bytes_is_zero(atls_bytes_of(v->values + i * PCR_SIZE, PCR_SIZE))) {
            return true;
        }
    }
    return false;
}

/* Zeros in the registers of the image are how debug mode looks. */
static bool check_zero(policy_reader *r)
{
    static const char *const paths[] = {"pcrs.0", "pcrs.1", "pcrs.2"};
    const bool is_debug = r->policy->insecure_allow_debug || r->policy->nitro.wants_nitrotpm;
    for (size_t i = 0; !is_debug && i < 3; i++) {
        if (has_zero(&r->policy->nitro.pcr[i])) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, paths[i],
                             "a register of zeros is that of an enclave in debug mode");
        }
    }
    return true;
}

bool atls_policy_check_nitro(policy_reader *r)
{
    const atls_nitro_policy *p = &r->policy->nitro;
    if (p->insecure_historic && p->max_age_s != 0) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "max_age", "insecure_historic leaves out what max_age asks for");
    }
    return check_kind(r) && check_zero(r);
}
