/* SPDX-License-Identifier: Apache-2.0 */
/* policy_android.c: the members of "android_key" documents: Warden's configuration with its names and defaults (android.md,
 * section 10), so that recorded ones are read as they are. There null is the same as not being there. What weakens keeps its
 * foreign name, and is listed as weakening. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "pki/cert.h"
#include "policy_reader.h"

#define MAX_APPLICATIONS 256u
#define MAX_DIGESTS      64u
#define MAX_ANCHORS      64u
#define MAX_ORIGINS      16u
#define MAX_NAME_LEN     256u
#define MAX_PROXY_LEN    1024u
#define MAX_PEM_LEN      (8u * 1024)
#define MAX_SECONDS      ((int64_t)1 << 53) /* what every JSON writer can write */
#define MAX_YEAR         9999u
#define SHA256_LEN       32u

static bool is_null(const atls_json *v)
{
    return v == NULL || v->type == ATLS_JSON_NULL;
}

static void weaken(policy_reader *r, const char *name)
{
    for (size_t i = 0; i < r->policy->insecure.n; i++) {
        if (strcmp(r->insecure[i], name) == 0) {
            return;
        }
    }
    if (r->policy->insecure.n < POLICY_MAX_INSECURE) {
        r->insecure[r->policy->insecure.n++] = name;
    }
}

/* ---- numbers ---- */

/* An integer of either sign whose size is at most max. */
static bool read_signed(policy_reader *r, const char *path, const atls_json *v, int64_t max, int64_t *out)
{
    uint64_t size = 0;
    atls_error unused = {0};
    atls_json without = *v;
    const bool negative = v->type == ATLS_JSON_NUMBER && v->text.len > 1 && v->text.ptr[0] == '-';
    if (negative) {
        without.text = without.raw = atls_bytes_of(v->text.ptr + 1, v->text.len - 1);
    }
    if (!atls_json_uint(&without, path, (uint64_t)max, &size, &unused)) {
        char expected[64];
        (void)snprintf(expected, sizeof expected, "an integer from -%lld to %lld", (long long)max, (long long)max);
        return atls_policy_wrong(r, path, expected, v);
    }
    *out = negative ? -(int64_t)size : (int64_t)size;
    return true;
}

static bool read_version(policy_reader *r, const char *path, const atls_json *v, atls_android_version_policy *out)
{
    int64_t version = 0;
    if (is_null(v)) {
        return true;
    }
    if (!read_signed(r, path, v, INT32_MAX, &version)) {
        return false;
    }
    out->is_set = true;
    out->version = version < 0 ? 0 : (uint64_t)version;
    return true;
}

/* ---- patch levels ---- */

static bool read_patch_level(policy_reader *r, const char *path, const atls_json *v, atls_android_patch_policy *out)
{
    static const char *const names[] = {"year", "month", "maxFuturePatchLevelMonths"};
    const atls_json *members[3];
    uint64_t year = 0;
    uint64_t month = 0;
    if (is_null(v)) {
        return true;
    }
    if (!atls_policy_object(r, path, v, names, 3, false, members)) {
        return false;
    }
    if (members[0] == NULL || members[1] == NULL) {
        return atls_policy_wrong(r, path, "an object with year and month", v);
    }
    if (!atls_policy_uint(r, path, members[0], MAX_YEAR, &year) || !atls_policy_uint(r, path, members[1], 12, &month)) {
        return false;
    }
    if (month == 0) {
        return atls_policy_wrong(r, path, "a month from 1 to 12", members[1]);
    }
    *out = (atls_android_patch_policy){.is_set = true, .months = (int64_t)(year * 12 + month) - 1, .max_future = 1};
    if (members[2] == NULL) {
        return true;
    }
    out->any_future = members[2]->type == ATLS_JSON_NULL;
    return out->any_future || read_signed(r, path, members[2], INT32_MAX, &out->max_future);
}

/* ---- digests and keys ---- */

/* SHA-256 as base64url, as Warden has it, or as hex digits. */
static bool read_sha256(policy_reader *r, const char *path, const atls_json *v, uint8_t out[SHA256_LEN])
{
    atls_error why = {0};
    atls_bytes bytes;
    if (v->type == ATLS_JSON_STRING && atls_hex_fixed(v->text, out, SHA256_LEN)) {
        return true;
    }
    if (v->type != ATLS_JSON_STRING || v->text.len > 2 * SHA256_LEN
        || !atls_base64url_decode(v->text, path, r->scratch, &bytes, &why) || bytes.len != SHA256_LEN) {
        return atls_policy_wrong(r, path, "a SHA-256, base64url or hex", v);
    }
    memcpy(out, bytes.ptr, SHA256_LEN);
    return true;
}

static bool hash_key(policy_reader *r, const char *path, const atls_json *v, uint8_t out[SHA256_LEN])
{
    atls_bytes spki;
    const atls_crypto *crypto = atls_policy_crypto(r);
    if (v->text.len > MAX_PEM_LEN) {
        return atls_policy_wrong(r, path, "a public key of at most 8 KiB", v);
    }
    return crypto != NULL && atls_pem_public_key(v->text, ATLS_E_CONFIGURATION, path, r->scratch, &spki, r->err)
           && ((spki.len > 2 && spki.ptr[0] == 0x30) || atls_policy_wrong(r, path, "a SubjectPublicKeyInfo", v))
           && atls_digest(crypto, ATLS_SHA256, &spki, 1, out, r->err);
}

/* What vouches for nothing may stand in any list; where hardware is meant (name is not NULL), that makes the policy weak. */
static atls_key_anchor anchor_of(policy_reader *r, const char *name, const uint8_t hash[SHA256_LEN])
{
    atls_key_anchor anchor = {.label = "a key of the policy"};
    const atls_key_anchor *known = atls_anchor_android_find(hash);
    memcpy(anchor.spki_sha256, hash, SHA256_LEN);
    if (name != NULL && known != NULL && !known->production) {
        weaken(r, name);
    }
    return known != NULL ? *known : anchor;
}

static bool read_anchors(policy_reader *r, const char *name, const char *weak_name, const atls_json *v,
                         atls_android_anchors *out)
{
    if (!atls_policy_list(r, name, v, 0)) {
        return false;
    }
    if (v->n > MAX_ANCHORS) {
        return atls_policy_wrong(r, name, "a list of at most 64 keys", v);
    }
    atls_key_anchor *keys = atls_arena_array(&r->policy->arena, (size_t)v->n + 1, sizeof *keys, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        uint8_t hash[SHA256_LEN];
        const char *path = atls_policy_path(r, name, n);
        if (keys == NULL || path == NULL) {
            return false;
        }
        const bool is_pem = item->type == ATLS_JSON_STRING && item->text.len > 0 && item->text.ptr[0] == '-';
        if (!(is_pem ? hash_key(r, path, item, hash) : read_sha256(r, path, item, hash))) {
            return false;
        }
        keys[n] = anchor_of(r, weak_name, hash);
    }
    *out = (atls_android_anchors){.keys = keys, .n = n};
    return keys != NULL;
}

/* ---- applications ---- */

static const char *const app_names[] = {
    "packageName",
    "signatureDigests",
    "appVersion",
    "androidVersionOverride",
    "patchLevelOverride",
    "trustAnchorOverrides",
    "requireRemoteKeyProvisioningOverride",
    "requireRemoteProvisioningOverride", /* what some documentation has */
    "osPatchLevel",                      /* derived, written by Warden, ignored */
};
#define N_APP_NAMES (sizeof app_names / sizeof app_names[0])

static bool read_digests(policy_reader *r, const char *path, const atls_json *v, atls_android_application *out)
{
    if (is_null(v) || v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > MAX_DIGESTS) {
        return atls_policy_wrong(r, path, "an array of 1 to 64 digests", v);
    }
    uint8_t(*digests)[SHA256_LEN] = atls_arena_array(&r->policy->arena, v->n, sizeof *digests, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        const char *each = digests == NULL ? NULL : atls_policy_path(r, path, n);
        if (each == NULL || !read_sha256(r, each, item, digests[n])) {
            return false;
        }
    }
    out->digests = (const uint8_t(*)[SHA256_LEN])digests;
    out->n_digests = n;
    return digests != NULL;
}

static bool read_flag_or_null(policy_reader *r, const char *path, const atls_json *v, bool *has, bool *out)
{
    if (is_null(v)) {
        return true;
    }
    *has = true;
    return atls_policy_flag(r, path, v, out);
}

static bool read_overrides(policy_reader *r, const char *path, const atls_json *const *m, atls_android_application *out)
{
    const atls_json *remote = m[6] == NULL ? m[7] : m[6];
    const char *version = atls_text_format(r->scratch, r->err, "%s.androidVersionOverride", path);
    const char *patch = atls_text_format(r->scratch, r->err, "%s.patchLevelOverride", path);
    const char *anchors = atls_text_format(r->scratch, r->err, "%s.trustAnchorOverrides", path);
    if (version == NULL || patch == NULL || anchors == NULL) {
        return false;
    }
    out->has_anchors = !is_null(m[5]);
    return read_version(r, version, m[3], &out->android_version) && read_patch_level(r, patch, m[4], &out->patch_level)
           && (is_null(m[5]) || read_anchors(r, anchors, "trustAnchorOverrides", m[5], &out->anchors))
           && read_flag_or_null(r, path, remote, &out->has_remote, &out->require_remote);
}

static bool read_application(policy_reader *r, const char *path, const atls_json *v, atls_android_application *out)
{
    const atls_json *m[N_APP_NAMES];
    if (!atls_policy_object(r, path, v, app_names, N_APP_NAMES, false, m)) {
        return false;
    }
    if (m[6] != NULL && m[7] != NULL) {
        return atls_policy_wrong(r, path, "one of the two spellings of requireRemoteKeyProvisioningOverride", v);
    }
    const char *name = atls_text_format(r->scratch, r->err, "%s.packageName", path);
    const char *digests = atls_text_format(r->scratch, r->err, "%s.signatureDigests", path);
    const char *version = atls_text_format(r->scratch, r->err, "%s.appVersion", path);
    if (name == NULL || digests == NULL || version == NULL) {
        return false;
    }
    if (m[0] == NULL) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, name, "required member is missing");
    }
    out->has_version = !is_null(m[2]);
    return atls_policy_text(r, name, m[0], MAX_NAME_LEN, &out->package_name) && read_digests(r, digests, m[1], out)
           && (is_null(m[2]) || read_signed(r, version, m[2], INT64_MAX, &out->version))
           && read_overrides(r, path, m, out);
}

static bool read_applications(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > MAX_APPLICATIONS) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 256 applications", v);
    }
    atls_android_application *all = atls_arena_array(&r->policy->arena, v->n, sizeof *all, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        const char *path = all == NULL ? NULL : atls_policy_path(r, m->name, n);
        if (path == NULL || !read_application(r, path, item, &all[n])) {
            return false;
        }
    }
    r->policy->android.applications = all;
    r->policy->android.n_applications = n;
    return true;
}

/* ---- the other members ---- */

static bool read_flag(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return is_null(v) || atls_policy_read_flag(r, m, v);
}

static bool read_weak_flag(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (!read_flag(r, m, v)) {
        return false;
    }
    if (v->type == ATLS_JSON_TRUE) {
        weaken(r, m->name);
    }
    return true;
}

static bool read_android_version(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_version(r, m->name, v, &r->policy->android.android_version);
}

static bool read_own_patch_level(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_patch_level(r, m->name, v, &r->policy->android.patch_level);
}

/* width: 0 hardware, 1 software */
static bool read_own_anchors(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_android_policy *p = &r->policy->android;
    if (is_null(v)) {
        return true;
    }
    p->has_anchors[m->width] = true;
    return read_anchors(r, m->name, m->width == 0 ? m->name : NULL, v, &p->anchors[m->width]);
}

static bool read_offset(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return is_null(v) || read_signed(r, m->name, v, INT32_MAX, &r->policy->android.offset_s);
}

/* Here null is a value of its own: no limit. */
static bool read_statement_age(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_android_policy *p = &r->policy->android;
    if (v->type == ATLS_JSON_NULL) {
        p->any_statement_age = true;
        weaken(r, m->name);
        return true;
    }
    if (!read_signed(r, m->name, v, MAX_SECONDS, &p->statement_age_s)) {
        return false;
    }
    p->has_statement_age = true;
    return p->statement_age_s >= 0 || atls_policy_wrong(r, m->name, "null, or seconds from 0 on", v);
}

static bool read_proxy(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return is_null(v) || atls_policy_text(r, m->name, v, MAX_PROXY_LEN, &r->policy->android.http_proxy);
}

static bool read_expiry(policy_reader *r, const policy_member *m, const atls_json *v)
{
    const bool is_text = v->type == ATLS_JSON_STRING;
    r->policy->android.ignore_factory_expiry = is_text && atls_bytes_equal_str(v->text, "ignore");
    if (r->policy->android.ignore_factory_expiry) {
        weaken(r, m->name);
        return true;
    }
    return is_null(v) || (is_text && atls_bytes_equal_str(v->text, "enforce"))
           || atls_policy_wrong(r, m->name, "enforce or ignore", v);
}

static bool read_decimal(policy_reader *r, const policy_member *m, const atls_json *v)
{
    bool matches = true;
    if (!is_null(v) && !atls_policy_flag(r, m->name, v, &matches)) {
        return false;
    }
    r->policy->android.ignore_decimal_serials = !matches;
    if (!matches) {
        weaken(r, m->name);
    }
    return true;
}

static bool read_origins(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (is_null(v)) {
        return true;
    }
    if (v->type != ATLS_JSON_ARRAY || v->n == 0 || v->n > MAX_ORIGINS) {
        return atls_policy_wrong(r, m->name, "an array of 1 to 16 numbers", v);
    }
    uint64_t *all = atls_arena_array(&r->policy->arena, v->n, sizeof *all, r->err);
    size_t n = 0;
    for (const atls_json *item = v->child; item != NULL; item = item->next, n++) {
        const char *path = all == NULL ? NULL : atls_policy_path(r, m->name, n);
        if (path == NULL || !atls_policy_uint(r, path, item, UINT32_MAX, &all[n])) {
            return false;
        }
    }
    r->policy->android.has_origins = true;
    r->policy->android.origins = all;
    r->policy->android.n_origins = n;
    return true;
}

static bool read_max_stale(policy_reader *r, const policy_member *m, const atls_json *v)
{
    uint64_t seconds = 0;
    if (is_null(v)) {
        return true;
    }
    r->policy->android.has_max_stale = true;
    if (!atls_policy_uint(r, m->name, v, UINT32_MAX, &seconds)) {
        return false;
    }
    r->policy->android.max_stale_s = (uint32_t)seconds;
    return true;
}

#define FLAG(name, member)                                                                                             \
    {                                                                                                                  \
        name, KIND_ANDROID, read_flag, 0, offsetof(atls_policy, android.member)                                        \
    }
#define WEAK(name, member)                                                                                             \
    {                                                                                                                  \
        name, KIND_ANDROID, read_weak_flag, 0, offsetof(atls_policy, android.member)                                   \
    }

const policy_member atls_policy_android_members[] = {
    {"applications", KIND_ANDROID, read_applications, 0, 0},
    {"androidVersion", KIND_ANDROID, read_android_version, 0, 0},
    {"patchLevel", KIND_ANDROID, read_own_patch_level, 0, 0},
    FLAG("requireStrongBox", require_strong_box),
    WEAK("allowBootloaderUnlock", allow_bootloader_unlock),
    FLAG("requireRollbackResistance", require_rollback_resistance),
    WEAK("ignoreLeafValidity", ignore_leaf_validity),
    {"hardwareAttestationTrustAnchors", KIND_ANDROID, read_own_anchors, 0, 0},
    {"softwareAttestationTrustAnchors", KIND_ANDROID, read_own_anchors, 1, 0},
    {"verificationSecondsOffset", KIND_ANDROID, read_offset, 0, 0},
    {"attestationStatementValiditySeconds", KIND_ANDROID, read_statement_age, 0, 0},
    FLAG("disableHardwareAttestation", disable_hardware),
    WEAK("enableNougatAttestation", enable_nougat),
    WEAK("enableSoftwareAttestation", enable_software),
    FLAG("requireRemoteKeyProvisioning", require_remote),
    {"httpProxy", KIND_ANDROID, read_proxy, 0, 0},
    {"factoryChainExpiry", KIND_ANDROID, read_expiry, 0, 0},
    FLAG("strictTags", strict_tags),
    FLAG("matchCertificateLevel", match_certificate_level),
    {"matchDecimalSerials", KIND_ANDROID, read_decimal, 0, 0},
    {"allowedOrigins", KIND_ANDROID, read_origins, 0, 0},
    {"revocationMaxStaleSeconds", KIND_ANDROID, read_max_stale, 0, 0},
    {"osPatchLevel", KIND_ANDROID, atls_policy_read_nothing, 0, 0}, /* derived, written by Warden */
};
const size_t atls_policy_n_android_members = sizeof atls_policy_android_members / sizeof atls_policy_android_members[0];

/* ---- rules between members ---- */

static bool has_anchors(const policy_reader *r, bool is_software)
{
    const atls_android_policy *p = &r->policy->android;
    return !p->has_anchors[is_software] || p->anchors[is_software].n > 0 || (!is_software && r->n_roots > 0);
}

static bool invalid(policy_reader *r, const char *field, const char *message)
{
    return atls_fail(r->err, ATLS_E_CONFIGURATION, field, "%s", message);
}

bool atls_policy_check_android(policy_reader *r)
{
    const atls_android_policy *p = &r->policy->android;
    const bool wants_software = p->enable_nougat || p->enable_software;
    if (p->n_applications == 0) {
        return invalid(r, "applications", "the policy names no application");
    }
    if (p->disable_hardware && !wants_software) {
        return invalid(r, "disableHardwareAttestation", "no mode of attestation is left");
    }
    if (!p->disable_hardware && !has_anchors(r, false)) {
        return invalid(r, "hardwareAttestationTrustAnchors", "no key vouches for hardware, and that mode is enabled");
    }
    if (wants_software && !has_anchors(r, true)) {
        return invalid(r, "softwareAttestationTrustAnchors", "no key vouches for software, and that mode is enabled");
    }
    return has_anchors(r, false) || has_anchors(r, true)
           || invalid(r, "hardwareAttestationTrustAnchors", "no key vouches for anything");
}

/* ---- roots next to the document ---- */

static bool hash_root(policy_reader *r, atls_bytes der, uint8_t out[SHA256_LEN])
{
    atls_cert cert;
    const atls_crypto *crypto = atls_policy_crypto(r);
    if (crypto == NULL) {
        return false;
    }
    if (!atls_cert_decode_of_phone(der, "", &cert, r->err)) {
        return atls_error_relabel(r->err, ATLS_E_PCK_CHAIN, "trusted_roots");
    }
    return atls_digest(crypto, ATLS_SHA256, &cert.spki, 1, out, r->err);
}

bool atls_policy_add_android_roots(policy_reader *r, const atls_bytes *roots, size_t n)
{
    static const char name[] = "hardwareAttestationTrustAnchors";
    atls_android_policy *p = &r->policy->android;
    const size_t n_own = p->anchors[0].n;
    if (n == 0) {
        return true;
    }
    if (n > MAX_ANCHORS) {
        return invalid(r, "trusted_roots", "more than 64 roots");
    }
    atls_key_anchor *keys = atls_arena_array(&r->policy->arena, n_own + n, sizeof *keys, r->err);
    for (size_t i = 0; keys != NULL && i < n_own; i++) {
        keys[i] = p->anchors[0].keys[i];
    }
    for (size_t i = 0; i < n; i++) {
        uint8_t hash[SHA256_LEN];
        if (keys == NULL || !hash_root(r, roots[i], hash)) {
            return false;
        }
        keys[n_own + i] = anchor_of(r, name, hash);
    }
    p->has_anchors[0] = true;
    p->anchors[0] = (atls_android_anchors){.keys = keys, .n = n_own + n};
    return true;
}
