/* SPDX-License-Identifier: Apache-2.0 */
/* policy_sev_snp.c: the members of policies of type "sev_snp". Source: specification of SEV-SNP, section 6. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

#define KIND_SNP       (1u << ATLS_POLICY_SEV_SNP)
#define CHIP_ID_LEN    64u
#define TURIN_CHIP_LEN 8u
#define KEY_DIGEST_LEN 48u
#define MAX_CSP_LEN    128u
#define MAX_VMPL       3u

/* ---- lists of words ---- */

/* Sets the bit of each word of a list; words[i] is bit i, NULL: no such word. */
static bool read_words(policy_reader *r, const policy_member *m, const atls_json *v, const char *const *words, size_t n,
                       const char *expected, unsigned *out)
{
    if (!atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    size_t i = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        const char *path = atls_policy_path(r, m->name, i++);
        unsigned found = 0;
        for (size_t w = 0; w < n && item->type == ATLS_JSON_STRING; w++) {
            if (words[w] != NULL && atls_bytes_equal_str(item->text, words[w])) {
                found = 1u << w;
            }
        }
        if (path == NULL || (found == 0 && !atls_policy_wrong(r, path, expected, item))) {
            return false;
        }
        *out |= found;
    }
    return true;
}

static bool read_products(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const words[ATLS_SNP_N_PRODUCTS] = {
        [ATLS_SNP_MILAN] = "Milan", [ATLS_SNP_GENOA] = "Genoa", [ATLS_SNP_TURIN] = "Turin"};
    return read_words(r, m, v, words, ATLS_SNP_N_PRODUCTS, "Milan, Genoa or Turin", &r->policy->sev_snp.products);
}

static bool read_signing_keys(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const words[] = {"vcek", "vlek"};
    return read_words(r, m, v, words, 2, "vcek or vlek", &r->policy->sev_snp.signing_keys);
}

/* One level, or a list of them. */
static bool read_vmpl(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool single = v->type != ATLS_JSON_ARRAY;
    if (!single && !atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    size_t i = 0;
    for (const atls_json *item = single ? v : v->child; item != NULL; item = single ? NULL : item->next) {
        const char *path = single ? m->name : atls_policy_path(r, m->name, i++);
        uint64_t level = 0;
        if (path == NULL || !atls_policy_uint(r, path, item, MAX_VMPL, &level)) {
            return false;
        }
        r->policy->sev_snp.vmpls |= 1u << level;
    }
    return true;
}

/* One name, or a list of them. */
static bool read_csp_id(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool single = v->type != ATLS_JSON_ARRAY;
    if (!single && !atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    const size_t n = single ? 1 : v->n;
    const char **items = atls_arena_array(&r->policy->arena, n, sizeof *items, r->err);
    const atls_json *item = single ? v : v->child;
    for (size_t i = 0; items != NULL && i < n; i++, item = item->next) {
        const char *path = single ? m->name : atls_policy_path(r, m->name, i);
        atls_bytes text;
        if (path == NULL || !atls_policy_text(r, path, item, MAX_CSP_LEN, &text)) {
            return false;
        }
        items[i] = atls_text_copy(text, &r->policy->arena, r->err);
        if (items[i] == NULL) {
            return false;
        }
    }
    r->policy->sev_snp.csp_ids = (atls_text_list){.items = items, .n = n};
    return items != NULL;
}

/* ---- byte strings ---- */

/* A digest of zeros is what a guest without that key has: listing it would vouch for whatever nobody signed. */
static bool read_key_digest(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!atls_policy_read_reference(r, m, v)) {
        return false;
    }
    const atls_reference *list = &r->references[r->policy->n_references - 1];
    for (size_t i = 0; i < list->n; i++) {
        if (atls_bytes_is_zero(atls_bytes_of(list->values + i * list->width, list->width))) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, m->name,
                             "a digest of zeros is no key: it would accept guests that nobody signed");
        }
    }
    return true;
}

/* Turin's chip ids have 8 bytes, which a report fills up with zeros. */
static bool read_chip_id(policy_reader *r, const char *path, const atls_json *v, uint8_t out[static CHIP_ID_LEN])
{
    const bool is_short = v->type == ATLS_JSON_STRING && v->text.len == 2 * TURIN_CHIP_LEN;
    memset(out, 0, CHIP_ID_LEN);
    if (!(is_short ? atls_policy_hex(r, path, v, out, TURIN_CHIP_LEN)
                   : atls_policy_hex(r, path, v, out, CHIP_ID_LEN))) {
        return false;
    }
    return !atls_bytes_is_zero(atls_bytes_of(out, CHIP_ID_LEN))
           || atls_policy_wrong(r, path, "a chip id; one of zeros is no chip", v);
}

static bool read_machines(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool single = v->type != ATLS_JSON_ARRAY;
    if (!single && !atls_policy_list(r, m->name, v, 1)) {
        return false;
    }
    const size_t n = single ? 1 : v->n;
    uint8_t *values = atls_arena_array(&r->policy->arena, n, CHIP_ID_LEN, r->err);
    const atls_json *item = single ? v : v->child;
    for (size_t i = 0; values != NULL && i < n; i++, item = item->next) {
        const char *path = single ? m->name : atls_policy_path(r, m->name, i);
        if (path == NULL || !read_chip_id(r, path, item, values + i * CHIP_ID_LEN)) {
            return false;
        }
    }
    if (values == NULL) {
        return false;
    }
    r->references[r->policy->n_references++] =
        (atls_reference){.name = m->name, .width = CHIP_ID_LEN, .values = values, .n = n};
    return true;
}

/* ---- bits ---- */

typedef struct named_bit {
    const char *name;
    uint64_t bit;
} named_bit;

#define MAX_BITS 8u

/* An object of bits by name: true demands one, false forbids it. */
static bool read_bits(policy_reader *r, const char *path, const atls_json *v, const named_bit *bits, size_t n,
                      uint64_t *set, uint64_t *clear)
{
    const char *names[MAX_BITS];
    const atls_json *values[MAX_BITS];
    for (size_t i = 0; i < n; i++) {
        names[i] = bits[i].name;
    }
    if (!atls_policy_object(r, path, v, names, n, false, values)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        bool wanted = false;
        const char *inner = atls_text_format(r->scratch, r->err, "%s.%s", path, names[i]);
        if (inner == NULL || (values[i] != NULL && !atls_policy_flag(r, inner, values[i], &wanted))) {
            return false;
        }
        if (values[i] != NULL) {
            *(wanted ? set : clear) |= bits[i].bit;
        }
    }
    return true;
}

static bool read_guest_policy(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const named_bit bits[] = {
        {"smt_allowed", ATLS_SNP_POLICY_SMT},
        {"single_socket", ATLS_SNP_POLICY_SINGLE_SOCKET},
        {"cxl_allowed", ATLS_SNP_POLICY_CXL},
        {"mem_aes_256_xts", ATLS_SNP_POLICY_MEM_AES_256_XTS},
        {"rapl_disabled", ATLS_SNP_POLICY_RAPL_DIS},
        {"ciphertext_hiding", ATLS_SNP_POLICY_CIPHERTEXT_HIDING},
        {"page_swap_disabled", ATLS_SNP_POLICY_PAGE_SWAP_DISABLED},
    };
    atls_sev_snp_policy *p = &r->policy->sev_snp;
    return read_bits(r, m->name, v, bits, sizeof bits / sizeof bits[0], &p->policy_set, &p->policy_clear);
}

static bool read_platform_info(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const named_bit bits[] = {
        {"smt", ATLS_SNP_PLATFORM_SMT},
        {"tsme", ATLS_SNP_PLATFORM_TSME},
        {"ecc", ATLS_SNP_PLATFORM_ECC},
        {"rapl_disabled", ATLS_SNP_PLATFORM_RAPL_DIS},
        {"ciphertext_hiding", ATLS_SNP_PLATFORM_CIPHERTEXT_HIDING},
        {"alias_check_complete", ATLS_SNP_PLATFORM_ALIAS_CHECK_COMPLETE},
        {"tio", ATLS_SNP_PLATFORM_TIO},
    };
    atls_sev_snp_policy *p = &r->policy->sev_snp;
    return read_bits(r, m->name, v, bits, sizeof bits / sizeof bits[0], &p->platform_set, &p->platform_clear);
}

/* Masks, for bits without a name: m->offset is that of the uint64_t in atls_policy. A mask of nothing asks nothing. */
static bool read_mask(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t mask = 0;
    uint64_t *out = (void *)((unsigned char *)r->policy + m->offset);
    if (!atls_policy_uint(r, m->name, v, UINT64_MAX, &mask)) {
        return false;
    }
    *out |= mask;
    return mask != 0 || atls_policy_wrong(r, m->name, "a mask with at least one bit", v);
}

/* ---- versions ---- */

static bool read_min_guest_svn(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &number)) {
        return false;
    }
    r->policy->sev_snp.has_min_guest_svn = true;
    r->policy->sev_snp.min_guest_svn = (uint32_t)number;
    return true;
}

static bool read_min_build(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT8_MAX, &number)) {
        return false;
    }
    r->policy->sev_snp.has_min_build = true;
    r->policy->sev_snp.min_build = (uint8_t)number;
    return true;
}

/* 1 to 3 digits without a leading zero, at most 255. */
static bool read_small(atls_bytes text, uint8_t *out)
{
    unsigned value = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0')) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        value = 10 * value + (unsigned)(text.ptr[i] - '0');
    }
    *out = (uint8_t)value;
    return value <= UINT8_MAX;
}

static bool read_min_version(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_sev_snp_policy *p = &r->policy->sev_snp;
    size_t dot = 0;
    while (v->type == ATLS_JSON_STRING && dot < v->text.len && v->text.ptr[dot] != '.') {
        dot++;
    }
    p->has_min_version = v->type == ATLS_JSON_STRING && dot < v->text.len
                         && read_small(atls_bytes_of(v->text.ptr, dot), &p->min_major)
                         && read_small(atls_bytes_of(v->text.ptr + dot + 1, v->text.len - dot - 1), &p->min_minor);
    return p->has_min_version || atls_policy_wrong(r, m->name, "a version like \"1.55\"", v);
}

/* m->offset is that of the atls_snp_least_tcb in atls_policy. */
static bool read_min_tcb(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const names[ATLS_SNP_N_PARTS] = {"fmc", "bootloader", "tee", "snp", "microcode"};
    const atls_json *values[ATLS_SNP_N_PARTS];
    atls_snp_least_tcb *out = (void *)((unsigned char *)r->policy + m->offset);
    if (!atls_policy_object(r, m->name, v, names, ATLS_SNP_N_PARTS, false, values)) {
        return false;
    }
    for (size_t i = 0; i < ATLS_SNP_N_PARTS; i++) {
        uint64_t least = 0;
        const char *path = atls_text_format(r->scratch, r->err, "%s.%s", m->name, names[i]);
        if (path == NULL || (values[i] != NULL && !atls_policy_uint(r, path, values[i], UINT8_MAX, &least))) {
            return false;
        }
        out->least[i] = (uint8_t)least;
        out->given = out->given || values[i] != NULL;
    }
    return out->given || atls_policy_wrong(r, m->name, "an object with at least one part of the TCB", v);
}

/* ---- the table ---- */

#define SNP_OFFSET(member)                 offsetof(atls_policy, sev_snp.member)
#define SNP_FIELD_ROW(name, member, width) {name, KIND_SNP, atls_policy_read_reference, width, 0},

/* clang-format off */
const policy_member atls_policy_sev_snp_members[] = {
    /* which machine */
    {"machines", KIND_SNP, read_machines, 0, 0},
    {"products", KIND_SNP, read_products, 0, 0},
    {"signing_keys", KIND_SNP, read_signing_keys, 0, 0},
    {"csp_id", KIND_SNP, read_csp_id, 0, 0},
    /* in which state */
    {"vmpl", KIND_SNP, read_vmpl, 0, 0},
    {"guest_policy", KIND_SNP, read_guest_policy, 0, 0},
    {"platform_info", KIND_SNP, read_platform_info, 0, 0},
    {"platform_info_required", KIND_SNP, read_mask, 0, SNP_OFFSET(platform_set)},
    {"platform_info_forbidden", KIND_SNP, read_mask, 0, SNP_OFFSET(platform_clear)},
    {"launch_mit_vector", KIND_SNP, read_mask, 0, SNP_OFFSET(launch_mit_vector)},
    {"current_mit_vector", KIND_SNP, read_mask, 0, SNP_OFFSET(current_mit_vector)},
    /* with which firmware */
    {"min_tcb", KIND_SNP, read_min_tcb, 0, SNP_OFFSET(min_tcb)},
    {"min_current_tcb", KIND_SNP, read_min_tcb, 0, SNP_OFFSET(min_current_tcb)},
    {"min_committed_tcb", KIND_SNP, read_min_tcb, 0, SNP_OFFSET(min_committed_tcb)},
    {"min_launch_tcb", KIND_SNP, read_min_tcb, 0, SNP_OFFSET(min_launch_tcb)},
    {"min_version", KIND_SNP, read_min_version, 0, 0},
    {"min_build", KIND_SNP, read_min_build, 0, 0},
    {"require_committed_equals_current", KIND_SNP, atls_policy_read_flag, 0,
     SNP_OFFSET(require_committed_equals_current)},
    /* which code */
    ATLS_SNP_FIELDS(SNP_FIELD_ROW)
    {"id_key_digest", KIND_SNP, read_key_digest, KEY_DIGEST_LEN, 0},
    {"author_key_digest", KIND_SNP, read_key_digest, KEY_DIGEST_LEN, 0},
    {"min_guest_svn", KIND_SNP, read_min_guest_svn, 0, 0},
    /* what weakens */
    {"insecure_allow_debug", KIND_SNP, atls_policy_read_insecure_flag, 0, offsetof(atls_policy, insecure_allow_debug)},
    {"insecure_allow_migration_agent", KIND_SNP, atls_policy_read_insecure_flag, 0,
     SNP_OFFSET(insecure_allow_migration_agent)},
};
/* clang-format on */
const size_t atls_policy_n_sev_snp_members = sizeof atls_policy_sev_snp_members / sizeof atls_policy_sev_snp_members[0];

/* ---- rules between members ---- */

bool atls_policy_check_sev_snp(policy_reader *r)
{
    const atls_sev_snp_policy *p = &r->policy->sev_snp;
    if ((p->platform_set & p->platform_clear) != 0) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "platform_info", "a bit that is both demanded and forbidden");
    }
    if (p->csp_ids.n > 0 && p->signing_keys == 1u) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "csp_id",
                         "only a VLEK names a cloud, and signing_keys allows none");
    }
    if (atls_policy_reference(r->policy, "machines") != NULL && p->signing_keys == 2u) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "machines",
                         "only a VCEK names a machine, and signing_keys allows none");
    }
    return true;
}
