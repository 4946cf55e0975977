/* SPDX-License-Identifier: Apache-2.0 */
/* qe_identity.c: the signed identity of the quoting enclave (specification section 4.2), version 2.
 *
 * A well-formed identity of another enclave ("QVE") or version is a mismatch rather than a malformed document. */
#include <string.h>

#include "levels.h"

static bool mismatch(atls_error *err, const char *field, const char *expected, atls_bytes actual)
{
    return atls_fail_values(err, ATLS_E_QE_IDENTITY_MISMATCH, field, expected, dcap_show(actual).text,
                            "the identity is not that of a quoting enclave that is understood");
}

static bool read_kind(const atls_json *doc, dcap_qe_identity *out, atls_error *err)
{
    atls_bytes id;
    uint64_t version;
    if (!atls_json_member_text(doc, "", "id", &id, err)
        || !atls_json_member_uint(doc, "", "version", UINT32_MAX, &version, err)) {
        return false;
    }
    out->is_td_qe = atls_bytes_equal_str(id, "TD_QE");
    out->version = (uint32_t)version;
    if (!out->is_td_qe && !atls_bytes_equal_str(id, "QE")) {
        return mismatch(err, "id", "QE or TD_QE", id);
    }
    return version == 2 || mismatch(err, "version", "2", atls_json_find(doc, "version")->raw);
}

static bool read_dates(const atls_json *doc, dcap_qe_identity *out, atls_error *err)
{
    uint64_t number;
    if (!dcap_json_time(doc, "issueDate", &out->issue_date, err)
        || !dcap_json_time(doc, "nextUpdate", &out->next_update, err)
        || !atls_json_member_uint(doc, "", "tcbEvaluationDataNumber", UINT32_MAX, &number, err)) {
        return false;
    }
    out->evaluation_data_number = (uint32_t)number;
    return true;
}

static bool read_expected(const atls_json *doc, dcap_qe_identity *out, atls_error *err)
{
    uint64_t prodid;
    if (!atls_json_member_hex(doc, "", "miscselect", out->miscselect, sizeof out->miscselect, err)
        || !atls_json_member_hex(doc, "", "miscselectMask", out->miscselect_mask, sizeof out->miscselect_mask, err)
        || !atls_json_member_hex(doc, "", "attributes", out->attributes, sizeof out->attributes, err)
        || !atls_json_member_hex(doc, "", "attributesMask", out->attributes_mask, sizeof out->attributes_mask, err)
        || !atls_json_member_hex(doc, "", "mrsigner", out->mrsigner, sizeof out->mrsigner, err)
        || !atls_json_member_uint(doc, "", "isvprodid", UINT16_MAX, &prodid, err)) {
        return false;
    }
    out->isvprodid = (uint16_t)prodid;
    return true;
}

static bool read_document(atls_bytes text, atls_arena *a, dcap_qe_identity *out, atls_error *err)
{
    const atls_json *doc;
    return dcap_json_document(text, a, &doc, err) && read_kind(doc, out, err) && read_dates(doc, out, err)
           && read_expected(doc, out, err)
           && dcap_levels_read(doc, DCAP_LEVEL_ISV, a, &out->levels, &out->n_levels, err);
}

bool dcap_qe_identity_decode(atls_bytes text, atls_arena *a, dcap_qe_identity *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    return read_document(text, a, out, err) || atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "qe_identity");
}
