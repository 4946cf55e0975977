/* SPDX-License-Identifier: Apache-2.0 */
/* claims_json.c: a record, and authenticated claims, as JSON. Members that name a person's device (serial, IMEI, MEID,
 * uniqueId) are shown as "withheld": section 12. docs/json.md lists the rest. */
#include "android.h"
#include "base/json.h"

static void put_integer(atls_jw *w, const char *name, const atls_android_integer *v)
{
    if (v->present) {
        atls_jw_uint(w, name, v->value);
    }
}

static void put_flag(atls_jw *w, const char *name, const atls_android_flag *v)
{
    if (*v) {
        atls_jw_bool(w, name, true);
    }
}

static void put_set(atls_jw *w, const char *name, const atls_android_set *v)
{
    if (!v->present) {
        return;
    }
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < v->n; i++) {
        atls_jw_uint(w, NULL, v->values[i]);
    }
    atls_jw_close(w, ']');
}

static bool is_personal(uint32_t tag)
{
    return (tag >= 710 && tag <= 717) || tag == 723;
}

static void put_octets(atls_jw *w, const char *name, const atls_android_octets *v, uint32_t tag)
{
    if (!v->present) {
        return;
    }
    if (is_personal(tag)) {
        atls_jw_str(w, name, "withheld");
    } else {
        atls_jw_hex(w, name, v->value);
    }
}

static void put_root_of_trust(atls_jw *w, const char *name, const atls_android_root_of_trust *v)
{
    static const char *const states[] = {"VERIFIED", "SELF_SIGNED", "UNVERIFIED", "FAILED"};
    if (!v->present) {
        return;
    }
    atls_jw_open(w, name, '{');
    atls_jw_hex(w, "verifiedBootKey", v->verifiedBootKey);
    atls_jw_bool(w, "deviceLocked", v->deviceLocked);
    atls_jw_str(w, "verifiedBootState", states[v->verifiedBootState & 3]);
    if (v->verifiedBootHash.present) {
        atls_jw_hex(w, "verifiedBootHash", v->verifiedBootHash.value);
    }
    atls_jw_close(w, '}');
}

static void put_application_id(atls_jw *w, const char *name, const atls_android_application_id *v)
{
    if (!v->present) {
        return;
    }
    atls_jw_open(w, name, '{');
    if (!v->intact) {
        atls_jw_str(w, "problem", "cannot be read");
    }
    atls_jw_open(w, "packages", '[');
    for (size_t i = 0; v->intact && i < v->n_packages; i++) {
        atls_jw_open(w, NULL, '{');
        atls_jw_string(w, "name", v->packages[i].name);
        atls_jw_uint(w, "version", v->packages[i].version);
        atls_jw_close(w, '}');
    }
    atls_jw_close(w, ']');
    atls_jw_open(w, "signatureDigests", '[');
    for (size_t i = 0; v->intact && i < v->n_signatureDigests; i++) {
        atls_jw_hex(w, NULL, v->signatureDigests[i]);
    }
    atls_jw_close(w, ']');
    atls_jw_close(w, '}');
}

static void put_tags(atls_jw *w, const char *name, const uint32_t *tags, size_t n)
{
    if (n == 0) {
        return;
    }
    atls_jw_open(w, name, '[');
    for (size_t i = 0; i < n && i < ATLS_ANDROID_MAX_LISTED_TAGS; i++) {
        atls_jw_uint(w, NULL, tags[i]);
    }
    atls_jw_close(w, ']');
}

#define PUT_INTEGER(w, tag, name, v)        put_integer(w, name, v)
#define PUT_SET(w, tag, name, v)            put_set(w, name, v)
#define PUT_FLAG(w, tag, name, v)           put_flag(w, name, v)
#define PUT_OCTETS(w, tag, name, v)         put_octets(w, name, v, tag)
#define PUT_ROOT_OF_TRUST(w, tag, name, v)  put_root_of_trust(w, name, v)
#define PUT_APPLICATION_ID(w, tag, name, v) put_application_id(w, name, v)

static void put_authorizations(atls_jw *w, const char *name, const atls_android_authorizations *a)
{
    atls_jw_open(w, name, '{');
#define X(tag, member, type) PUT_##type(w, tag, #member, &a->member);
    ATLS_ANDROID_TAGS(X)
#undef X
    put_tags(w, "unknownTags", a->unknown, a->n_unknown);
    put_tags(w, "ignoredTags", a->ignored, a->n_ignored);
    if (a->is_unordered) {
        atls_jw_bool(w, "unordered", true);
    }
    atls_jw_close(w, '}');
}

void android_put_description(atls_jw *w, const char *name, const atls_android_key_description *d)
{
    atls_jw_open(w, name, '{');
    atls_jw_uint(w, "attestationVersion", d->attestationVersion);
    atls_jw_str(w, "attestationSecurityLevel", atls_android_level_name(d->attestationSecurityLevel));
    atls_jw_uint(w, "keymasterVersion", d->keymasterVersion);
    atls_jw_str(w, "keymasterSecurityLevel", atls_android_level_name(d->keymasterSecurityLevel));
    atls_jw_hex(w, "attestationChallenge", d->attestationChallenge);
    atls_jw_str(w, "uniqueId", d->uniqueId.len > 0 ? "withheld" : "");
    put_authorizations(w, "softwareEnforced", &d->softwareEnforced);
    put_authorizations(w, "hardwareEnforced", &d->hardwareEnforced);
    atls_jw_close(w, '}');
}

static void put_info(atls_jw *w, const atls_android_provisioning_info *info)
{
    if (!info->present) {
        return;
    }
    atls_jw_open(w, "provisioning_info", '{');
    put_integer(w, "certificatesIssued", &info->certificatesIssued);
    if (info->manufacturer.present) {
        atls_jw_string(w, "manufacturer", info->manufacturer.value);
    }
    if (!info->intact) {
        atls_jw_str(w, "problem", "cannot be read");
    }
    atls_jw_close(w, '}');
}

static void put_list(atls_jw *w, const atls_android_claims *c)
{
    atls_jw_open(w, "status_list", '{');
    atls_jw_hex(w, "sha256", atls_bytes_of(c->status_sha256, sizeof c->status_sha256));
    atls_jw_time(w, "fetched", c->status_fetched);
    atls_jw_time(w, "expires", c->status_expires);
    atls_jw_bool(w, "stale", c->status_is_stale);
    atls_jw_close(w, '}');
}

void android_put_claims(struct atls_jw *w, const atls_claims *claims)
{
    const atls_android_claims *c = &claims->android;
    atls_jw_open(w, "android", '{');
    atls_jw_str(w, "mode", atls_android_mode_name(c->mode));
    atls_jw_string(w, "package_name", c->package_name);
    atls_jw_uint(w, "package_version", c->package_version);
    atls_jw_hex(w, "signer_digest", c->signer_digest);
    atls_jw_str(w, "provisioning", atls_android_provisioning_name(c->provisioning));
    atls_jw_str(w, "certificate_level", atls_android_level_name(c->certificate_level));
    put_info(w, &c->info);
    atls_jw_hex(w, "public_key", c->public_key);
    atls_jw_hex(w, "public_key_sha256", atls_bytes_of(c->public_key_sha256, sizeof c->public_key_sha256));
    atls_jw_hex(w, "root_spki_sha256", atls_bytes_of(c->root_spki_sha256, sizeof c->root_spki_sha256));
    atls_jw_time(w, "verified_at", c->verified_ms / 1000);
    atls_jw_uint(w, "certificates", c->n_certificates);
    atls_jw_time(w, "earliest_expiration", c->earliest_expiration);
    put_list(w, c);
    android_put_description(w, "key_description", c->description);
    atls_jw_close(w, '}');
}
