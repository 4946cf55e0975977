/* SPDX-License-Identifier: Apache-2.0 */
/* tcb_info.c: the signed TCB info document (specification section 4.1), versions 2 and 3. */
#include <stdio.h>
#include <string.h>

#include "levels.h"

/* Version 3 says "SGX" or "TDX"; version 2 is older than TDX and says nothing. */
static bool read_id(const atls_json *doc, dcap_tcb_info *out, atls_error *err)
{
    atls_bytes id = atls_bytes_str("SGX");
    if ((out->version == 3 || atls_json_find(doc, "id") != NULL) && !atls_json_member_text(doc, "", "id", &id, err)) {
        return false;
    }
    out->is_tdx = out->version == 3 && atls_bytes_equal_str(id, "TDX");
    if (!out->is_tdx && !atls_bytes_equal_str(id, "SGX")) {
        return atls_fail_values(err, ATLS_E_ENCODING, "id", out->version == 3 ? "SGX or TDX" : "SGX",
                                dcap_show(id).text, NULL);
    }
    return true;
}

static bool read_version(const atls_json *doc, dcap_tcb_info *out, atls_error *err)
{
    uint64_t version;
    if (!atls_json_member_uint(doc, "", "version", UINT32_MAX, &version, err)) {
        return false;
    }
    out->version = (uint32_t)version;
    if (version == 2 || version == 3) {
        return true;
    }
    char actual[16];
    snprintf(actual, sizeof actual, "%u", (unsigned)out->version);
    return atls_fail_unsupported(err, ATLS_E_COLLATERAL_FORMAT, "version", "2 or 3", actual, NULL);
}

static bool read_header(const atls_json *doc, dcap_tcb_info *out, atls_error *err)
{
    uint64_t type;
    uint64_t number;
    if (!read_version(doc, out, err) || !read_id(doc, out, err)
        || !dcap_json_time(doc, "issueDate", &out->issue_date, err)
        || !dcap_json_time(doc, "nextUpdate", &out->next_update, err)
        || !atls_json_member_hex(doc, "", "fmspc", out->fmspc, sizeof out->fmspc, err)
        || !atls_json_member_hex(doc, "", "pceId", out->pceid, sizeof out->pceid, err)
        || !atls_json_member_uint(doc, "", "tcbType", 0, &type, err)
        || !atls_json_member_uint(doc, "", "tcbEvaluationDataNumber", UINT32_MAX, &number, err)) {
        return false;
    }
    out->evaluation_data_number = (uint32_t)number;
    return true;
}

static bool read_module(const atls_json *module, dcap_module_identity *out, atls_error *err)
{
    return atls_json_member_hex(module, "", "mrsigner", out->mrsigner, sizeof out->mrsigner, err)
           && atls_json_member_hex(module, "", "attributes", out->attributes, sizeof out->attributes, err)
           && atls_json_member_hex(module, "", "attributesMask", out->attributes_mask, sizeof out->attributes_mask,
                                   err);
}

/* "TDX_" and two hex digits, in either case: both spellings exist. */
static bool read_module_id(const atls_json *identity, uint8_t *version, atls_error *err)
{
    atls_bytes id;
    if (!atls_json_member_text(identity, "", "id", &id, err)) {
        return false;
    }
    static const char upper[] = "TDX_";
    static const char lower[] = "tdx_";
    bool fits = id.len == 6 && atls_hex_fixed(atls_bytes_of(id.ptr + 4, 2), version, 1);
    for (size_t i = 0; fits && i < 4; i++) {
        fits = id.ptr[i] == (uint8_t)upper[i] || id.ptr[i] == (uint8_t)lower[i];
    }
    return fits || atls_fail_values(err, ATLS_E_ENCODING, "id", "TDX_ and two hex digits", dcap_show(id).text, NULL);
}

static bool read_identity(const atls_json *identity, atls_arena *a, dcap_module_identity *out, atls_error *err)
{
    return read_module_id(identity, &out->version, err) && read_module(identity, out, err)
           && dcap_levels_read(identity, DCAP_LEVEL_ISV, a, &out->levels, &out->n_levels, err);
}

static bool is_known_version(const dcap_module_identity *list, size_t n, uint8_t version)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i].version == version) {
            return true;
        }
    }
    return false;
}

static bool read_identities(const atls_json *list, atls_arena *a, dcap_tcb_info *out, atls_error *err)
{
    if (list->n > ATLS_MAX_MODULE_IDENTITIES) {
        return atls_fail(err, ATLS_E_LIMIT, "", "at most %u module identities", ATLS_MAX_MODULE_IDENTITIES);
    }
    dcap_module_identity *items = atls_arena_array(a, list->n, sizeof *items, err);
    if (items == NULL) {
        return false;
    }
    size_t n = 0;
    for (const atls_json *identity = list->child; identity != NULL; identity = identity->next) {
        if (!read_identity(identity, a, &items[n], err)) {
            return dcap_json_at(err, "tdxModuleIdentities", n);
        }
        if (is_known_version(items, n, items[n].version)) {
            (void)atls_fail(err, ATLS_E_ENCODING, "id", "another module identity has the same id");
            return dcap_json_at(err, "tdxModuleIdentities", n);
        }
        n++;
    }
    out->has_identities = true;
    out->identities = items;
    out->n_identities = n;
    return true;
}

static bool read_tdx_members(const atls_json *doc, atls_arena *a, dcap_tcb_info *out, atls_error *err)
{
    const atls_json *module;
    const atls_json *identities;
    if (!atls_json_member(doc, "", "tdxModule", ATLS_JSON_OBJECT, &module, err)) {
        return false;
    }
    if (!read_module(module, &out->base, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "tdxModule");
    }
    if (atls_json_find(doc, "tdxModuleIdentities") == NULL) {
        return true;
    }
    return atls_json_member(doc, "", "tdxModuleIdentities", ATLS_JSON_ARRAY, &identities, err)
           && read_identities(identities, a, out, err);
}

static bool refuse_tdx_members(const atls_json *doc, atls_error *err)
{
    static const char *const names[] = {"tdxModule", "tdxModuleIdentities"};
    for (size_t i = 0; i < 2; i++) {
        if (atls_json_find(doc, names[i]) != NULL) {
            return atls_fail_values(err, ATLS_E_ENCODING, names[i], "missing",
                                    atls_json_type_name(atls_json_find(doc, names[i])),
                                    "TCB info for SGX has no TDX members");
        }
    }
    return true;
}

static bool read_document(atls_bytes text, atls_arena *a, dcap_tcb_info *out, atls_error *err)
{
    const atls_json *doc;
    if (!dcap_json_document(text, a, &doc, err) || !read_header(doc, out, err)) {
        return false;
    }
    if (out->is_tdx ? !read_tdx_members(doc, a, out, err) : !refuse_tdx_members(doc, err)) {
        return false;
    }
    dcap_level_kind sgx = out->version == 2 ? DCAP_LEVEL_FLAT : DCAP_LEVEL_SGX;
    return dcap_levels_read(doc, out->is_tdx ? DCAP_LEVEL_TDX : sgx, a, &out->levels, &out->n_levels, err);
}

bool dcap_tcb_info_decode(atls_bytes text, atls_arena *a, dcap_tcb_info *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    return read_document(text, a, out, err) || atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "tcb_info");
}
