/* SPDX-License-Identifier: Apache-2.0 */
/* json.c: Constellation's vTPM document, and go-tpm-tools' object alone, as Go's encoding/json writes them (constellation
 * section 8): byte strings are padded base64 or null, maps have decimal keys. Names are exact, repeated ones refused, unknown
 * ones ignored; so is TeeAttestation, which nobody verifies. */
#include <stdio.h>

#include "base/json.h"
#include "base/text.h"
#include "tpm.h"

#define USER_DATA_LEN 32u

/* A member that Go writes as null when it is empty, or leaves out. */
static bool read_bytes(const atls_json *object, const char *prefix, const char *name, atls_arena *a, atls_bytes *out,
                       atls_error *err)
{
    char path[64];
    const atls_json *v = atls_json_find(object, name);
    snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] == '\0' ? "" : ".", name);
    *out = atls_bytes_empty();
    if (v == NULL || v->type == ATLS_JSON_NULL) {
        return true;
    }
    if (v->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, path, "base64", atls_json_type_name(v), NULL);
    }
    return atls_base64_decode(v->text, false, path, a, out, err);
}

/* "0" to "23", as Go writes integers */
static bool read_index(atls_bytes name, uint64_t *out, atls_error *err)
{
    const bool digits = name.len >= 1 && name.len <= 2 && name.ptr[0] >= '0' && name.ptr[0] <= '9'
                        && (name.len == 1 || (name.ptr[0] != '0' && name.ptr[1] >= '0' && name.ptr[1] <= '9'));
    if (!digits) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "the name of a PCR is a number from 0 to 23");
    }
    *out = name.len == 1 ? (uint64_t)(name.ptr[0] - '0') : (uint64_t)((name.ptr[0] - '0') * 10 + name.ptr[1] - '0');
    return true;
}

static bool read_pcr(const atls_json *v, tpm_bank *bank, atls_arena *a, atls_error *err)
{
    uint64_t index = 0;
    atls_bytes value;
    if (v->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, "pcrs", "base64", atls_json_type_name(v), NULL);
    }
    return read_index(v->name, &index, err) && atls_base64_decode(v->text, false, "pcrs", a, &value, err)
           && tpm_pcr_add(bank, index, value, err);
}

static bool read_pcrs(const atls_json *quote, tpm_quote *q, atls_arena *a, atls_error *err)
{
    const atls_json *pcrs;
    const atls_json *values;
    uint64_t alg;
    tpm_bank *bank;
    if (!atls_json_member(quote, "", "pcrs", ATLS_JSON_OBJECT, &pcrs, err)
        || !atls_json_member_uint(pcrs, "pcrs", "hash", UINT16_MAX, &alg, err)
        || !atls_json_member(pcrs, "pcrs", "pcrs", ATLS_JSON_OBJECT, &values, err)
        || !tpm_bank_add(q, a, alg, &bank, err)) {
        return false;
    }
    for (const atls_json *v = values->child; v != NULL; v = v->next) {
        if (!read_pcr(v, bank, a, err)) {
            return false;
        }
    }
    return true;
}

static bool read_quote(const atls_json *v, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    tpm_quote *q;
    if (v->type != ATLS_JSON_OBJECT) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, "", "object", atls_json_type_name(v), NULL);
    }
    return tpm_quote_add(e, a, &q, err) && read_bytes(v, "", "quote", a, &q->message, err)
           && read_bytes(v, "", "raw_sig", a, &q->signature, err) && read_pcrs(v, q, a, err);
}

static bool read_quotes(const atls_json *attestation, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    const atls_json *quotes;
    size_t i = 0;
    if (!atls_json_member(attestation, "", "quotes", ATLS_JSON_ARRAY, &quotes, err)) {
        return false;
    }
    for (const atls_json *v = quotes->child; v != NULL; v = v->next, i++) {
        if (!read_quote(v, e, a, err)) {
            char path[24];
            snprintf(path, sizeof path, "quotes[%zu]", i);
            return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, path);
        }
    }
    return true;
}

static bool read_certs(const atls_json *attestation, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    static const char field[] = "intermediate_certs";
    const atls_json *list = atls_json_find(attestation, field);
    if (list == NULL || list->type == ATLS_JSON_NULL) {
        return true;
    }
    if (list->type != ATLS_JSON_ARRAY) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, field, "array", atls_json_type_name(list), NULL);
    }
    for (const atls_json *v = list->child; v != NULL; v = v->next) {
        atls_bytes der;
        if (v->type != ATLS_JSON_STRING) {
            return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, field, "base64", atls_json_type_name(v), NULL);
        }
        if (!atls_base64_decode(v->text, false, field, a, &der, err)
            || !tpm_cert_add(e->certs, &e->n_certs, der, field, err)) {
            return false;
        }
    }
    return true;
}

static bool read_attestation(const atls_json *v, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    return read_bytes(v, "", "ak_pub", a, &e->ak_pub, err) && read_quotes(v, e, a, err)
           && read_bytes(v, "", "event_log", a, &e->event_log, err) && read_bytes(v, "", "ak_cert", a, &e->ak_cert, err)
           && read_certs(v, e, a, err);
}

static bool read_document(const atls_json *top, tpm_evidence *e, atls_arena *a, atls_error *err)
{
    const atls_json *attestation;
    if (!atls_json_member(top, "", "Attestation", ATLS_JSON_OBJECT, &attestation, err)
        || !read_bytes(top, "", "InstanceInfo", a, &e->instance_info, err)
        || !read_bytes(top, "", "UserData", a, &e->user_data, err)) {
        return false;
    }
    /* UserData and nonce are hashed without lengths: both must be what they always are (constellation section 10.5) */
    if (e->user_data.len != USER_DATA_LEN) {
        return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, "UserData", "%zu bytes of user data instead of %u",
                         e->user_data.len, USER_DATA_LEN);
    }
    return read_attestation(attestation, e, a, err) && tpm_instance_read(e, a, err);
}

bool tpm_json_decode(atls_bytes in, atls_arena *a, tpm_evidence *out, atls_error *err)
{
    const atls_json *top;
    if (!atls_json_parse(in, "", a, &top, err)) {
        return false;
    }
    const bool outer = atls_json_find(top, "Attestation") != NULL;
    const bool inner = atls_json_find(top, "ak_pub") != NULL;
    if (outer == inner) {
        return atls_fail_values(err, ATLS_E_EVIDENCE_FORMAT, "", "Attestation, or ak_pub", outer ? "both" : "neither",
                                "not a document of Constellation or go-tpm-tools");
    }
    out->form = outer ? TPM_FORM_CONSTELLATION : TPM_FORM_JSON;
    return outer ? read_document(top, out, a, err) : read_attestation(top, out, a, err);
}
