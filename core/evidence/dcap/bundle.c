/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c: offline bundles, the QuoteCollateralV3 JSON of dcap-qvl (specification section 4.3), both ways.
 *
 * Strings: PEM chains, hex DER lists, the exact signed text of the documents, hex signatures. A signed document is a
 * string within the JSON, so that its bytes survive whoever prints the bundle. */
#include <stddef.h>

#include "atls/endorse.h"
#include "base/json.h"
#include "base/limits.h"

typedef struct member {
    const char *name;
    size_t offset; /* of the atls_bytes in atls_dcap_collateral */
    bool is_hex;
    bool is_optional; /* may be missing or null */
} member;

#define MEMBER(name, is_hex, is_optional)                                                                              \
    {                                                                                                                  \
#name, offsetof(atls_dcap_collateral, name), is_hex, is_optional                                               \
    }

/* The issuer chain of the PCK list is never used: the list must be signed by the CA of the PCK chain itself. */
static const member members[] = {
    MEMBER(pck_crl_issuer_chain, false, true),
    MEMBER(root_ca_crl, true, false),
    MEMBER(pck_crl, true, false),
    MEMBER(tcb_info_issuer_chain, false, false),
    MEMBER(tcb_info, false, false),
    MEMBER(tcb_info_signature, false, false),
    MEMBER(qe_identity_issuer_chain, false, false),
    MEMBER(qe_identity, false, false),
    MEMBER(qe_identity_signature, false, false),
    MEMBER(pck_certificate_chain, false, true),
};
#define N_MEMBERS (sizeof members / sizeof members[0])

static atls_bytes *slot(atls_dcap_collateral *c, const member *m)
{
    void *at = (unsigned char *)c + m->offset;
    return at;
}

static bool read_member(const atls_json *bundle, const member *m, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    const atls_json *value = atls_json_find(bundle, m->name);
    *out = atls_bytes_empty();
    if (m->is_optional && (value == NULL || value->type == ATLS_JSON_NULL)) {
        return true;
    }
    if (!atls_json_member_text(bundle, "", m->name, out, err)) {
        return false;
    }
    return !m->is_hex || atls_hex_decode(*out, m->name, arena, out, err);
}

static bool read_bundle(atls_bytes json, atls_arena *arena, atls_dcap_collateral *out, atls_error *err)
{
    const atls_json *bundle;
    if (json.len > ATLS_MAX_BUNDLE_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "bundle", "a bundle has at most %u bytes", ATLS_MAX_BUNDLE_LEN);
    }
    if (!atls_json_parse(json, "bundle", arena, &bundle, err)) {
        return false;
    }
    if (bundle->type != ATLS_JSON_OBJECT) {
        return atls_fail_values(err, ATLS_E_ENCODING, "bundle", "object", atls_json_type_name(bundle), NULL);
    }
    for (size_t i = 0; i < N_MEMBERS; i++) {
        if (!read_member(bundle, &members[i], arena, slot(out, &members[i]), err)) {
            return false;
        }
    }
    return true;
}

/* A bundle does not say what it is for; the QE identity in it does. Only a label: authenticate asks the documents. */
static atls_platform platform_of(const atls_dcap_collateral *c, atls_arena *arena)
{
    atls_error ignored = {.code = ATLS_OK};
    const atls_json *identity;
    atls_bytes id;
    bool is_sgx = atls_json_parse(c->qe_identity, "", arena, &identity, &ignored)
                  && atls_json_member_text(identity, "", "id", &id, &ignored) && atls_bytes_equal_str(id, "QE");
    return is_sgx ? ATLS_PLATFORM_SGX : ATLS_PLATFORM_TDX;
}

bool atls_endorsements_from_bundle(atls_bytes json, atls_arena *arena, atls_endorsements *out, atls_error *err)
{
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (!read_bundle(json, arena, &out->dcap, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    out->platform = platform_of(&out->dcap, arena);
    return true;
}

bool atls_endorsements_from_bundle_fn(void *ctx, const atls_endorsement_request *request, atls_arena *arena,
                                      atls_endorsements *out, atls_error *err)
{
    const atls_bytes *json = ctx;
    *out = (atls_endorsements){.platform = ATLS_PLATFORM_NONE};
    if (!read_bundle(*json, arena, &out->dcap, err)) {
        return atls_error_relabel(err, ATLS_E_COLLATERAL_FORMAT, "");
    }
    out->platform = request->platform;
    return true;
}

bool atls_endorsements_to_bundle(const atls_endorsements *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf buf;
    atls_jw w;
    atls_dcap_collateral c = in->dcap;
    atls_buf_init(&buf, arena, err);
    atls_jw_init(&w, &buf);
    atls_jw_open(&w, NULL, '{');
    for (size_t i = 0; i < N_MEMBERS; i++) {
        const atls_bytes value = *slot(&c, &members[i]);
        if (members[i].is_optional && value.len == 0) {
            continue;
        }
        if (members[i].is_hex) {
            atls_jw_hex(&w, members[i].name, value);
        } else {
            atls_jw_string(&w, members[i].name, value);
        }
    }
    atls_jw_close(&w, '}');
    return atls_buf_done(&buf, out);
}
