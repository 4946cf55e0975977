/* SPDX-License-Identifier: Apache-2.0 */
/* policy_dstack.c: the members of "dstack_tdx" documents, as existing clients write them.
 *
 * Their optional members may be null, which means absent. Source: specification of dstack sections 3 and 4. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "evidence/dstack/dstack.h"
#include "policy_reader.h"

#define DSTACK_ID_LEN    20u /* app-id and instance-id, dstack section 2.1 */
#define MAX_PROVIDER_LEN 4096u
#define MAX_URL_LEN      2048u

bool atls_policy_read_bootchain(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const names[] = {"mrtd", "rtmr0", "rtmr1", "rtmr2"};
    static const char *const paths[] = {"expected_bootchain.mrtd", "expected_bootchain.rtmr0",
                                        "expected_bootchain.rtmr1", "expected_bootchain.rtmr2"};
    const atls_json *values[4];
    if (v->type == ATLS_JSON_NULL) {
        return true;
    }
    if (!atls_policy_object(r, m->name, v, names, 4, true, values)) {
        return false;
    }
    for (size_t i = 0; i < 4; i++) {
        if (!atls_policy_hex(r, paths[i], values[i], r->policy->dstack.bootchain[i], 48)) {
            return false;
        }
    }
    r->policy->dstack.has_bootchain = true;
    return true;
}

/* ---- the application, said in one of three ways ---- */

static bool only_compose_member(policy_reader *r, const policy_member *m)
{
    if (r->compose_member != NULL) {
        return atls_fail_values(r->err, ATLS_E_CONFIGURATION, m->name, "one of the three", r->compose_member,
                                "only one of app_compose, app_compose_raw and app_compose_hash may be present");
    }
    r->compose_member = m->name;
    r->policy->dstack.has_compose_hash = true;
    return true;
}

static bool hash_compose(policy_reader *r, atls_bytes file)
{
    const atls_crypto *crypto = atls_policy_crypto(r);
    return crypto != NULL && atls_digest(crypto, ATLS_SHA256, &file, 1, r->policy->dstack.compose_hash, r->err);
}

bool atls_policy_read_compose(policy_reader *r, const policy_member *m, const atls_json *v)
{
    atls_bytes canonical;
    return v->type == ATLS_JSON_NULL
           || (only_compose_member(r, m) && dstack_compose_canonical(v->raw, r->scratch, &canonical, r->err)
               && hash_compose(r, canonical));
}

bool atls_policy_read_compose_raw(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type != ATLS_JSON_STRING || v->text.len == 0) {
        return atls_policy_wrong(r, m->name, "the text of app-compose.json", v);
    }
    return only_compose_member(r, m) && hash_compose(r, v->text);
}

bool atls_policy_read_compose_hash(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return only_compose_member(r, m)
           && atls_policy_hex(r, m->name, v, r->policy->dstack.compose_hash, sizeof r->policy->dstack.compose_hash);
}

bool atls_policy_read_os_image_hash(policy_reader *r, const policy_member *m, const atls_json *v)
{
    if (v->type == ATLS_JSON_NULL) {
        return true;
    }
    r->policy->dstack.has_os_image_hash = true;
    return atls_policy_hex(r, m->name, v, r->policy->dstack.os_image_hash, sizeof r->policy->dstack.os_image_hash);
}

/* ---- pins ---- */

static bool read_id(policy_reader *r, const policy_member *m, const atls_json *v, atls_bytes *out)
{
    uint8_t *id = atls_arena_raw(&r->policy->arena, DSTACK_ID_LEN, r->err);
    if (id == NULL || !atls_policy_hex(r, m->name, v, id, DSTACK_ID_LEN)) {
        return false;
    }
    *out = atls_bytes_of(id, DSTACK_ID_LEN);
    return true;
}

bool atls_policy_read_app_id(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_id(r, m, v, &r->policy->dstack.app_id);
}

bool atls_policy_read_instance_id(policy_reader *r, const policy_member *m, const atls_json *v)
{
    return read_id(r, m, v, &r->policy->dstack.instance_id);
}

bool atls_policy_read_key_provider(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char *const names[] = {"name", "id"};
    atls_dstack_policy *d = &r->policy->dstack;
    const atls_json *values[2];
    if (!atls_policy_object(r, m->name, v, names, 2, false, values)) {
        return false;
    }
    if (values[0] == NULL && values[1] == NULL) {
        return atls_policy_wrong(r, m->name, "an object with name, id or both", v);
    }
    return (values[0] == NULL
            || atls_policy_text(r, "key_provider.name", values[0], MAX_PROVIDER_LEN, &d->key_provider_name))
           && (values[1] == NULL
               || atls_policy_text(r, "key_provider.id", values[1], MAX_PROVIDER_LEN, &d->key_provider_id));
}

/* ---- where endorsements come from ---- */

/* Null and empty mean Intel's own service, which is the empty value. */
bool atls_policy_read_pccs_url(policy_reader *r, const policy_member *m, const atls_json *v)
{
    static const char https[] = "https://";
    r->policy->dstack.pccs_url = atls_bytes_empty();
    if (v->type == ATLS_JSON_NULL || (v->type == ATLS_JSON_STRING && v->text.len == 0)) {
        return true;
    }
    if (v->type != ATLS_JSON_STRING || v->text.len < sizeof https
        || memcmp(v->text.ptr, https, sizeof https - 1) != 0) {
        return atls_policy_wrong(r, m->name, "null or a URL that begins with https://", v);
    }
    return atls_policy_text(r, m->name, v, MAX_URL_LEN, &r->policy->dstack.pccs_url);
}

/* ---- rules between members ---- */

bool atls_policy_check_dstack(policy_reader *r)
{
    const atls_dstack_policy *d = &r->policy->dstack;
    const char *missing = !d->has_bootchain       ? "expected_bootchain"
                          : !d->has_compose_hash  ? "app_compose"
                          : !d->has_os_image_hash ? "os_image_hash"
                                                  : NULL;
    if (missing != NULL && !d->disable_runtime_verification) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, missing,
                         "required member is missing: without it the software in the machine is not checked");
    }
    return true;
}
