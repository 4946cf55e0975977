/* SPDX-License-Identifier: Apache-2.0 */
/* format.c: the room's row in the registry, and the doors that are too small for a file of their own. */
#include <string.h>

#include "tpm.h"

static bool decode(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    tpm_evidence *e = atls_arena_alloc(arena, sizeof *e, err);
    if (e == NULL || !tpm_decode(in, arena, e, err)) {
        return false;
    }
    *evidence = e;
    return true;
}

/* In a session: the map of specification native.md alone. The field of Constellation's document is a hash over bytes that its sender
 * chooses, among others. */
static bool decode_session(atls_bytes in, atls_arena *arena, const void **evidence, atls_error *err)
{
    if (!decode(in, arena, evidence, err)) {
        return false;
    }
    const tpm_evidence *e = *evidence;
    return e->form == TPM_FORM_CBOR
           || atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "", "a CBOR map", "another form",
                                    "a session takes TPM evidence of its own form only");
}

/* Intermediates and lists, if somebody has any: nothing of them is indispensable, other things may vouch for a key. */
static bool request(const void *evidence, atls_arena *arena, atls_endorsement_request *out, atls_error *err)
{
    (void)evidence;
    (void)arena;
    (void)err;
    *out = (atls_endorsement_request){.platform = ATLS_PLATFORM_TPM, .pck_ca = ""};
    return true;
}

static bool nested(const void *evidence, const atls_crypto *c, atls_arena *arena, atls_nested *out, bool *found,
                   atls_error *err)
{
    tpm_hardware_claim claim;
    if (!tpm_hardware_claim_make(evidence, c, arena, &claim, err)) {
        return false;
    }
    *found = claim.platform != ATLS_PLATFORM_NONE;
    *out = (atls_nested){.platform = claim.platform, .evidence = claim.report};
    out->pile.certificates = claim.certs;
    out->pile.n_certificates = claim.n_certs;
    memcpy(out->report_data, claim.report_data, sizeof out->report_data);
    return true;
}

/* ---- bind ---- */

#define SHORT_VALUE 32u

/* The value that a quote is made for: TPMs take 32 bytes everywhere and 64 only somewhere, so sessions use the first half of
 * theirs. Of a value that is no session's nothing is left out but zeros. */
static bool shorten(const atls_binding_value *in, size_t *len, atls_error *err)
{
    *len = in->len > SHORT_VALUE ? SHORT_VALUE : in->len;
    return in->is_session || atls_bytes_is_zero(atls_bytes_of(in->value + *len, in->len - *len))
           || atls_fail(err, ATLS_E_USAGE, "binding.value", "this form of evidence holds values of 32 bytes");
}

static bool bind_document(const tpm_evidence *e, const atls_crypto *c, const atls_binding_value *in,
                          uint8_t expected[static 64], size_t *len, atls_error *err)
{
    size_t value_len;
    if (!shorten(in, &value_len, err)) {
        return false;
    }
    if (value_len != SHORT_VALUE) {
        return atls_fail(err, ATLS_E_USAGE, "binding.value",
                         "a document of Constellation is bound to 32 bytes, not %zu", value_len);
    }
    const atls_bytes parts[] = {e->instance_info, atls_bytes_of(in->value, value_len)};
    *len = 32;
    return atls_digest(c, ATLS_SHA256, parts, 2, expected, err);
}

bool tpm_bind(const void *evidence, const atls_crypto *c, const atls_binding_value *in, uint8_t expected[64],
              size_t *len, atls_error *err)
{
    const tpm_evidence *e = evidence;
    if (in->len == 0 || in->len > TPM_MAX_EXTRA_LEN) {
        return atls_fail(err, ATLS_E_USAGE, "binding.value", "a value of %zu bytes", in->len);
    }
    if (e->form == TPM_FORM_CONSTELLATION) {
        return bind_document(e, c, in, expected, len, err);
    }
    *len = in->is_session && in->len > SHORT_VALUE ? SHORT_VALUE : in->len;
    memcpy(expected, in->value, *len);
    return true;
}

const atls_format *tpm_format(void)
{
    static const atls_format row = {
        .name = "tpm",
        .decode = decode,
        .decode_session = decode_session,
        .request = request,
        .nested = nested,
        .authenticate = tpm_authenticate,
        .bind = tpm_bind,
        .appraise = tpm_appraise,
        .names_code = tpm_names_code,
        .inspect = tpm_inspect,
        .put_claims = tpm_put_claims,
    };
    return &row;
}
