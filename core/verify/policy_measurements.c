/* SPDX-License-Identifier: Apache-2.0 */
/* policy_measurements.c: measurements.json of cvm-reverse-proxy, read as it is: it becomes a document of ours, which is then read
 * like any other, so that both have the same rules.
 *
 *   v2  [{"measurement_id": text, "attestation_type": text, "measurements": {index: {"expected": hex}}}, ...]
 *   v1  {name: {index: {"expected": hex}}, ...}      every entry is of type azure-tdx
 *
 * An entry is one alternative of an any_of; an empty one, which would accept everything, is refused. A vTPM's registers mean
 * something only if hardware vouches for the key that quotes them, so those types ask for that, too.
 * Source: specification of constellation, sections 8 and 9. */
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "policy_reader.h"

#define TDX_REGISTERS    5u
#define SHA384_HEX_LEN   96u
#define TYPE_OF_VERSION1 "azure-tdx"

/* What an attestation_type is as a policy of ours. */
typedef struct variant {
    const char *name;
    bool is_tdx;          /* indices are MRTD and RTMR0 to RTMR3 */
    const char *hardware; /* vTPM: what must vouch for its key; "" : nothing can, or an API of the cloud */
} variant;

static const variant variants[] = {
    {"azure-tdx", false, "tdx"},
    {"azure-sev-snp", false, "sev_snp"},
    {"aws-sev-snp", false, "sev_snp"},
    {"gcp-sev-snp", false, "sev_snp"},
    {"gcp-sev-es", false, ""},
    {"aws-nitro-tpm", false, ""},
    {"azure-trustedlaunch", false, ""},
    {"qemu-vtpm", false, ""},
    {"qemu-tdx", true, ""},
    {"dcap-tdx", true, ""},
};

bool atls_policy_is_measurements(const atls_json *document)
{
    if (document->type == ATLS_JSON_ARRAY) {
        return document->child != NULL;
    }
    if (document->type != ATLS_JSON_OBJECT || document->child == NULL || atls_json_find(document, "type") != NULL) {
        return false;
    }
    for (const atls_json *v = document->child; v != NULL; v = v->next) {
        if (v->type != ATLS_JSON_OBJECT) {
            return false;
        }
    }
    return true;
}

static const variant *find_variant(atls_bytes name)
{
    for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) {
        if (atls_bytes_equal_str(name, variants[i].name)) {
            return &variants[i];
        }
    }
    return NULL;
}

/* The value itself, or the member "expected" of an object; NULL when it is neither. */
static const atls_json *expected_of(const atls_json *v)
{
    const atls_json *inner = v->type == ATLS_JSON_OBJECT ? atls_json_find(v, "expected") : v;
    return inner != NULL && inner->type == ATLS_JSON_STRING ? inner : NULL;
}

static bool put_tdx(policy_reader *r, const char *path, const atls_json *measurements, atls_jw *w)
{
    static const char *const names[TDX_REGISTERS] = {"mrtd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"};
    atls_jw_str(w, "type", "tdx");
    for (const atls_json *v = measurements->child; v != NULL; v = v->next) {
        const bool known = v->name.len == 1 && v->name.ptr[0] >= '0' && v->name.ptr[0] < '0' + (int)TDX_REGISTERS;
        const atls_json *expected = expected_of(v);
        if (!known || expected == NULL) {
            return atls_policy_wrong(r, path, "an object of 0 (MRTD) to 4 (RTMR3) with expected values", measurements);
        }
        if (v->type == ATLS_JSON_OBJECT && v->n != 1) {
            return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "measurements of TDX are enforced: only \"expected\"");
        }
        atls_jw_raw(w, names[v->name.ptr[0] - '0'], expected->raw);
    }
    return true;
}

static bool put_tpm(const variant *kind, const atls_json *measurements, atls_jw *w)
{
    const atls_json *first = expected_of(measurements->child);
    atls_jw_str(w, "type", "tpm");
    if (first != NULL && first->text.len == SHA384_HEX_LEN) {
        atls_jw_str(w, "bank", "sha384");
    }
    atls_jw_raw(w, "pcrs", measurements->raw);
    if (kind->hardware[0] != 0) {
        atls_jw_open(w, "hardware", '{');
        atls_jw_str(w, "type", kind->hardware);
        atls_jw_close(w, '}');
    }
    return true;
}

static bool put_entry(policy_reader *r, const char *path, atls_bytes type, const atls_json *measurements, atls_jw *w)
{
    const variant *kind = find_variant(type);
    if (path == NULL) {
        return false;
    }
    if (kind == NULL) {
        return atls_fail(r->err, ATLS_E_CONFIGURATION, path, "no such attestation_type");
    }
    if (measurements->type != ATLS_JSON_OBJECT || measurements->child == NULL) {
        return atls_policy_wrong(r, path, "an object with at least one measurement", measurements);
    }
    atls_jw_open(w, NULL, '{');
    const bool ok = kind->is_tdx ? put_tdx(r, path, measurements, w) : put_tpm(kind, measurements, w);
    atls_jw_close(w, '}');
    return ok;
}

static bool put_version2(policy_reader *r, size_t i, const atls_json *entry, atls_jw *w)
{
    static const char *const names[] = {"measurement_id", "attestation_type", "measurements"};
    const atls_json *values[3];
    const char *path = atls_policy_path(r, "measurements", i);
    if (path == NULL || !atls_policy_object(r, path, entry, names, 3, false, values)) {
        return false;
    }
    if (values[1] == NULL || values[1]->type != ATLS_JSON_STRING || values[2] == NULL) {
        return atls_policy_wrong(r, path, "an object with attestation_type and measurements", entry);
    }
    return put_entry(r, path, values[1]->text, values[2], w);
}

bool atls_policy_from_measurements(policy_reader *r, const atls_json *document, atls_bytes *out)
{
    atls_buf buf;
    atls_jw w;
    size_t i = 0;
    const bool is_v2 = document->type == ATLS_JSON_ARRAY;
    atls_buf_init(&buf, r->scratch, r->err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "type", "any_of");
    atls_jw_open(&w, "policies", '[');
    for (const atls_json *entry = document->child; entry != NULL; entry = entry->next, i++) {
        if (is_v2
                ? !put_version2(r, i, entry, &w)
                : !put_entry(r, atls_policy_path(r, "measurements", i), atls_bytes_str(TYPE_OF_VERSION1), entry, &w)) {
            return false;
        }
    }
    atls_jw_close(&w, ']');
    atls_jw_close(&w, '}');
    return atls_buf_done(&buf, out);
}
