/* SPDX-License-Identifier: Apache-2.0 */
/* constellation_variants.c: the kinds of documents: how each is made of evidence, and judged. */
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "constellation.h"

/* ---- TDX --------------------------------------------------------------------------------------------------------- */

static bool write_tdx(const uint8_t user_data[32], const uint8_t nonce[32], const atls_evidence *evidence,
                      atls_arena *arena, atls_bytes *document, atls_error *err)
{
    constellation_document in = {.quote = evidence->quote};
    (void)nonce; /* the quote holds it */
    memcpy(in.user_data, user_data, sizeof in.user_data);
    return constellation_document_write(&in, arena, document, err);
}

/* The quote stands in the document without a word about its kind; other kinds have their own variants, or none. */
static bool is_of(atls_platform platform, const atls_result *r, atls_error *err)
{
    return r->claims.platform == platform
           || atls_fail_values(err, ATLS_E_TEE_TYPE_MISMATCH, "document", atls_platform_name(platform),
                               atls_platform_name(r->claims.platform),
                               "the evidence is of another kind than its variant says");
}

static bool check_tdx(const atls_hook *hook, const atls_variant_input *in, atls_arena *arena, uint8_t user_data[32],
                      atls_result *result, atls_error *err)
{
    constellation_document document;
    atls_appraisal appraisal = {
        .binding = {.grade = ATLS_GRADE_KEY_FRESH, .profile = ATLS_CONSTELLATION_PROFILE},
        .event_log = atls_bytes_empty(),
        .now = in->now,
        .endorse = hook->endorse,
        .endorse_ctx = hook->endorse_ctx,
    };
    if (!constellation_document_read(in->document, arena, &document, err)
        || !constellation_report_data(hook->crypto, atls_bytes_of(document.user_data, sizeof document.user_data),
                                      atls_bytes_of(in->nonce, CONSTELLATION_NONCE_LEN), appraisal.binding.value,
                                      err)) {
        return false;
    }
    appraisal.evidence = document.quote;
    memcpy(user_data, document.user_data, CONSTELLATION_USER_DATA_LEN);
    return atls_tape_appraise(in->tape, &hook->record, hook->verifier, &appraisal, arena, result, err)
           && is_of(ATLS_PLATFORM_TDX, result, err);
}

const atls_variant *atls_variant_tdx(void)
{
    static const atls_variant tdx = {
        .name = "qemu-tdx", .oid = "1.3.9900.5.99", .write = write_tdx, .check = check_tdx};
    return &tdx;
}

/* ---- vTPM -------------------------------------------------------------------------------------------------------------- */

/* The attester wrote all but the last member, which says whose certificate this is (edge/attester/tpm_variant.c). */
static bool write_vtpm(const uint8_t user_data[32], const uint8_t nonce[32], const atls_evidence *evidence,
                       atls_arena *arena, atls_bytes *document, atls_error *err)
{
    const atls_bytes made = evidence->quote;
    char text[CONSTELLATION_NONCE_TEXT_LEN + 1];
    const atls_json *top;
    atls_error why = {0};
    atls_buf b;
    (void)nonce; /* the quotes are over it */
    *document = atls_bytes_empty();
    if (!atls_json_parse(made, "evidence", arena, &top, &why) || top->type != ATLS_JSON_OBJECT
        || atls_json_find(top, "Attestation") == NULL || atls_json_find(top, "UserData") != NULL
        || made.ptr[made.len - 1] != '}') {
        return atls_fail(err, ATLS_E_CONFIGURATION, "attest",
                         "what was made is no document of a TPM: the attester's option variant must name this variant");
    }
    constellation_nonce_write(user_data, text); /* 32 bytes as base64, whatever they are */
    atls_buf_init(&b, arena, err);
    atls_buf_put(&b, atls_bytes_of(made.ptr, made.len - 1));
    atls_buf_format(&b, ",\"UserData\":\"%s\"}", text);
    if (!atls_buf_done(&b, document)) {
        return false;
    }
    return document->len <= CONSTELLATION_MAX_DOCUMENT_SENT
           || atls_fail(err, ATLS_E_LIMIT, "document",
                        "%zu bytes, of which old peers read %u: quote fewer banks, or no log", document->len,
                        CONSTELLATION_MAX_DOCUMENT_SENT);
}

/* The document is the evidence: its room makes of this value what the quotes must hold. */
static bool check_vtpm(const atls_hook *hook, const atls_variant_input *in, atls_arena *arena, uint8_t user_data[32],
                       atls_result *result, atls_error *err)
{
    atls_appraisal appraisal = {
        .evidence = in->document,
        .binding = {.grade = ATLS_GRADE_KEY_FRESH, .profile = ATLS_CONSTELLATION_PROFILE, .value_len = 32},
        .event_log = atls_bytes_empty(),
        .now = in->now,
        .endorse = hook->endorse,
        .endorse_ctx = hook->endorse_ctx,
        .trust_key = hook->trust_key,
        .trust_key_ctx = hook->trust_key_ctx,
    };
    return constellation_user_data_read(in->document, arena, user_data, err)
           && constellation_report_data(hook->crypto, atls_bytes_of(user_data, CONSTELLATION_USER_DATA_LEN),
                                        atls_bytes_of(in->nonce, CONSTELLATION_NONCE_LEN), appraisal.binding.value, err)
           && atls_tape_appraise(in->tape, &hook->record, hook->verifier, &appraisal, arena, result, err)
           && is_of(ATLS_PLATFORM_TPM, result, err);
}

#define VTPM(variant, number)                                                                                          \
    {                                                                                                                  \
        .name = (variant), .oid = (number), .write = write_vtpm, .check = check_vtpm                                   \
    }

const atls_variant *atls_variants_vtpm(size_t *n)
{
    static const atls_variant variants[] = {
        VTPM("aws-nitro-tpm", "1.3.9900.2.1"), VTPM("aws-sev-snp", "1.3.9900.2.2"),
        VTPM("gcp-sev-es", "1.3.9900.3.1"),    VTPM("gcp-sev-snp", "1.3.9900.3.2"),
        VTPM("azure-sev-snp", "1.3.9900.4.1"), VTPM("azure-trustedlaunch", "1.3.9900.4.2"),
        VTPM("azure-tdx", "1.3.9900.4.3"),     VTPM("qemu-vtpm", "1.3.9900.5.1"),
    };
    *n = sizeof variants / sizeof variants[0];
    return variants;
}

const atls_variant *atls_variant_named(const char *name)
{
    size_t n = 0;
    const atls_variant *vtpm = atls_variants_vtpm(&n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(vtpm[i].name, name) == 0) {
            return &vtpm[i];
        }
    }
    return strcmp(atls_variant_tdx()->name, name) == 0 ? atls_variant_tdx() : NULL;
}
