/* SPDX-License-Identifier: Apache-2.0 */
/* policy_tpm.c: the members of "tpm" documents that no other kind has. docs/policy.md says the same in words.
 *
 * Expected registers are written as Constellation writes them: {"4": {"expected": hex, "warnOnly": false}}, or hex alone. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

#define MAX_TEXT_LEN 256u
#define MAX_DIGEST   64u
#define ALG_SHA256   0x000bu
#define ALG_SHA384   0x000cu
#define ALG_SHA512   0x000du
#define PCR_DEBUG    16u /* anybody may reset these two */
#define PCR_APP      23u
#define SHA256_LEN   32u
#define NAME_ALG_LEN 2u

static const struct {
    const char *name;
    uint16_t alg;
    size_t len;
} banks[] = {{"sha256", ALG_SHA256, 32}, {"sha384", ALG_SHA384, 48}, {"sha512", ALG_SHA512, 64}};
#define N_BANKS (sizeof banks / sizeof banks[0])

static bool read_bank(policy_reader *r, const policy_member *m, const atls_json *v)
{
    for (size_t i = 0; v->type == ATLS_JSON_STRING && i < N_BANKS; i++) {
        if (atls_bytes_equal_str(v->text, banks[i].name)) {
            r->policy->tpm.bank = banks[i].alg;
            return true;
        }
    }
    return atls_policy_wrong(r, m->name, "sha256, sha384 or sha512", v);
}

/* ---- lists ---- */

/* One value stands for a list of one. *item is the first, *n how many. */
static bool open_list(policy_reader *r, const char *path, const atls_json *v, const atls_json **item, size_t *n)
{
    if (v->type != ATLS_JSON_ARRAY) {
        *item = v;
        *n = 1;
        return true;
    }
    *item = v->child;
    *n = v->n;
    return atls_policy_list(r, path, v, 1);
}

/* The i-th entry's path: the list's own for a value that stands for one. */
static const char *entry_path(policy_reader *r, const char *path, const atls_json *v, size_t i)
{
    return v->type == ATLS_JSON_ARRAY ? atls_policy_path(r, path, i) : path;
}

typedef bool (*entry_fn)(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out);

static bool read_entries(policy_reader *r, const char *path, const atls_json *v, entry_fn read,
                         const atls_bytes **items, size_t *n)
{
    const atls_json *item;
    size_t count;
    if (!open_list(r, path, v, &item, &count)) {
        return false;
    }
    atls_bytes *out = atls_arena_array(&r->policy->arena, count, sizeof *out, r->err);
    if (out == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++, item = item->next) {
        const char *at = entry_path(r, path, v, i);
        if (at == NULL || !read(r, at, item, &out[i])) {
            return false;
        }
    }
    *items = out;
    *n = count;
    return true;
}

static bool read_hex(policy_reader *r, const char *path, const atls_json *v, const char *expected, size_t len,
                     atls_bytes *out)
{
    if (v->type != ATLS_JSON_STRING || v->text.len != 2 * len) {
        return atls_policy_wrong(r, path, expected, v);
    }
    uint8_t *bytes = atls_arena_raw(&r->policy->arena, len, r->err);
    *out = atls_bytes_of(bytes, bytes == NULL ? 0 : len);
    return bytes != NULL && atls_policy_hex(r, path, v, bytes, len);
}

/* ---- registers ---- */

/* As long as a digest of some bank; which one is known when the whole document is. */
static bool read_value(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out)
{
    static const char expected[] = "hex digits of a SHA-256, SHA-384 or SHA-512 digest";
    for (size_t i = 0; v->type == ATLS_JSON_STRING && i < N_BANKS; i++) {
        if (v->text.len == 2 * banks[i].len) {
            return read_hex(r, path, v, expected, banks[i].len, out);
        }
    }
    return atls_policy_wrong(r, path, expected, v);
}

static bool read_index(policy_reader *r, const atls_json *v, size_t *out)
{
    const atls_bytes name = v->name;
    size_t index = 0;
    bool ok = name.len >= 1 && name.len <= 2 && (name.len == 1 || name.ptr[0] != '0');
    for (size_t i = 0; i < name.len && ok; i++) {
        ok = name.ptr[i] >= '0' && name.ptr[i] <= '9';
        index = index * 10 + (size_t)(name.ptr[i] - '0');
    }
    *out = index;
    if (!ok || index >= ATLS_TPM_POLICY_PCRS) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "pcrs", "the name of a PCR is a number from 0 to 23");
    }
    if (index == PCR_DEBUG || index == PCR_APP) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "pcrs", "PCR %zu can be reset by anybody on the machine", index);
    }
    return true;
}

static bool read_pcr(policy_reader *r, const atls_json *v)
{
    static const char *const names[] = {"expected", "warnOnly"};
    const atls_json *values[2] = {v, NULL};
    size_t index;
    if (!read_index(r, v, &index)) {
        return false;
    }
    atls_tpm_pcr_policy *pcr = &r->policy->tpm.pcrs[index];
    const char *path = atls_text_format(r->scratch, r->err, "pcrs.%zu", index);
    if (path == NULL || (v->type == ATLS_JSON_OBJECT && !atls_policy_object(r, path, v, names, 2, false, values))) {
        return false;
    }
    if (values[0] == NULL) {
        return atls_policy_wrong(r, path, "an object with a member expected", v);
    }
    return (values[1] == NULL || atls_policy_flag(r, path, values[1], &pcr->warn_only))
           && read_entries(r, path, values[0], read_value, &pcr->values, &pcr->n);
}

static bool read_pcrs(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_OBJECT) {
        return atls_policy_wrong(r, m->name, "an object from PCRs to expected values", v);
    }
    for (const atls_json *item = v->child; item != NULL; item = item->next) {
        if (!read_pcr(r, item)) {
            return false;
        }
        r->policy->tpm.has_pcrs = true;
    }
    return true;
}

/* ---- which key, which machine ---- */

/* SHA-256 of TPMT_PUBLIC or of SubjectPublicKeyInfo, or a TPM Name, which begins with its hash algorithm. */
static bool read_key(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out)
{
    static const char expected[] = "a SHA-256 (64 hex digits), or a TPM Name (000b, 000c or 000d, and its digest)";
    if (v->type == ATLS_JSON_STRING && v->text.len == 2 * SHA256_LEN) {
        return read_hex(r, path, v, expected, SHA256_LEN, out);
    }
    for (size_t i = 0; v->type == ATLS_JSON_STRING && i < N_BANKS; i++) {
        const size_t len = NAME_ALG_LEN + banks[i].len;
        if (v->text.len == 2 * len) {
            return read_hex(r, path, v, expected, len, out)
                   && ((out->ptr[0] == 0 && out->ptr[1] == banks[i].alg) || atls_policy_wrong(r, path, expected, v));
        }
    }
    return atls_policy_wrong(r, path, expected, v);
}

static bool read_keys(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_tpm_texts *keys = &r->policy->tpm.keys;
    return read_entries(r, m->name, v, read_key, &keys->items, &keys->n);
}

static bool read_text(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out)
{
    return atls_policy_text(r, path, v, MAX_TEXT_LEN, out);
}

static bool read_number_text(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out)
{
    static const char expected[] = "a string of decimal digits";
    bool ok = v->type == ATLS_JSON_STRING && v->text.len >= 1 && v->text.len <= 20
              && (v->text.len == 1 || v->text.ptr[0] != '0');
    for (size_t i = 0; ok && i < v->text.len; i++) {
        ok = v->text.ptr[i] >= '0' && v->text.ptr[i] <= '9';
    }
    return ok ? read_text(r, path, v, out) : atls_policy_wrong(r, path, expected, v);
}

static bool read_technology(policy_reader *r, const char *path, const atls_json *v, atls_bytes *out)
{
    static const char *const names[] = {"none", "sev", "sev-es", "tdx", "sev-snp"};
    for (size_t i = 0; v->type == ATLS_JSON_STRING && i < sizeof names / sizeof names[0]; i++) {
        if (atls_bytes_equal_str(v->text, names[i])) {
            *out = atls_bytes_str(names[i]);
            return true;
        }
    }
    return atls_policy_wrong(r, path, "none, sev, sev-es, tdx or sev-snp", v);
}

/* m->offset is that of an atls_tpm_texts in atls_policy */
static atls_tpm_texts *texts_of(policy_reader *r, const policy_member *m)
{
    atls_tpm_policy *t = &r->policy->tpm;
    atls_tpm_texts *const all[] = {&t->gce_project, &t->gce_zone, &t->gce_instance, &t->gce_instance_id,
                                   &t->gce_technology};
    return all[m->width];
}

static bool read_texts(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const entry_fn readers[] = {read_text, read_text, read_text, read_number_text, read_technology};
    atls_tpm_texts *out = texts_of(r, m);
    return read_entries(r, m->name, v, readers[m->width], &out->items, &out->n);
}

static bool read_min_gce_firmware(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t number = 0;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &number)) {
        return false;
    }
    r->policy->tpm.has_min_gce_firmware = true;
    r->policy->tpm.min_gce_firmware = (uint32_t)number;
    return true;
}

/* ---- the table ---- */

/* clang-format off */
#define TEXTS(name, index) {#name, KIND_TPM, read_texts, index, 0}
#define FLAG(name) {#name, KIND_TPM, atls_policy_read_flag, 0, offsetof(atls_policy, tpm.name)}
#define INSECURE_FLAG(name) {#name, KIND_TPM, atls_policy_read_insecure_flag, 0, offsetof(atls_policy, tpm.name)}

const policy_member atls_policy_tpm_members[] = {
    /* which key, which machine */
    {"ak", KIND_TPM, read_keys, 0, 0},
    FLAG(allow_rsapss),
    TEXTS(gce_project, 0),
    TEXTS(gce_zone, 1),
    TEXTS(gce_instance, 2),
    TEXTS(gce_instance_id, 3),
    /* which code */
    {"pcrs", KIND_TPM, read_pcrs, 0, 0},
    {"bank", KIND_TPM, read_bank, 0, 0},
    FLAG(require_event_log),
    FLAG(ignore_event_log),
    FLAG(require_secure_boot),
    TEXTS(gce_technology, 4),
    {"min_gce_firmware", KIND_TPM, read_min_gce_firmware, 0, 0},
    /* what weakens */
    INSECURE_FLAG(insecure_allow_unauthenticated_ak),
    INSECURE_FLAG(insecure_accept_any_measurement),
};
/* clang-format on */
const size_t atls_policy_n_tpm_members = sizeof atls_policy_tpm_members / sizeof atls_policy_tpm_members[0];

/* ---- rules between members ---- */

static size_t bank_len(const atls_tpm_policy *t)
{
    for (size_t i = 0; i < N_BANKS; i++) {
        if (banks[i].alg == t->bank) {
            return banks[i].len;
        }
    }
    return banks[0].len;
}

static bool check_lengths(policy_reader *r)
{
    const atls_tpm_policy *t = &r->policy->tpm;
    const size_t len = bank_len(t);
    for (size_t i = 0; i < ATLS_TPM_POLICY_PCRS; i++) {
        for (size_t k = 0; k < t->pcrs[i].n; k++) {
            if (t->pcrs[i].values[k].len != len) {
                char field[16];
                snprintf(field, sizeof field, "pcrs.%zu", i);
                return atls_fail(r->err, ATLS_E_CONFIGURATION, field,
                                 "a value of %zu bytes, but those of the bank have %zu", t->pcrs[i].values[k].len, len);
            }
        }
    }
    return true;
}

bool atls_policy_check_tpm(policy_reader *r)
{
    const atls_tpm_policy *t = &r->policy->tpm;
    if (!t->has_pcrs && !t->insecure_accept_any_measurement) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "pcrs",
                         "without a PCR any code is accepted; say insecure_accept_any_measurement if that is meant");
    }
    if (t->ignore_event_log
        && (t->require_event_log || t->require_secure_boot || t->has_min_gce_firmware || t->gce_technology.n > 0)) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, "ignore_event_log",
                         "another member asks for what only the event log says");
    }
    return check_lengths(r);
}
