/* SPDX-License-Identifier: Apache-2.0 */
/* recognise_json.c: the documents of Constellation, which are JSON without any wrapper (constellation section 8). */
#include "base/json.h"
#include "base/text.h"
#include "recognise_shapes.h"

bool atls_look_parse(atls_look *l, atls_bytes text, const atls_json **tree, bool *parsed)
{
    atls_error why = {.code = ATLS_OK};
    *parsed = atls_json_parse(text, "document", l->arena, tree, &why);
    if (!*parsed && why.code == ATLS_E_MEMORY) {
        *l->err = why;
        return false;
    }
    return true;
}

/* The document as an object; *object is NULL when it is none, and then the problem is told. */
static bool open_object(atls_look *l, const atls_json **object)
{
    bool parsed;
    *object = NULL;
    const atls_json *tree = NULL;
    if (!atls_look_parse(l, l->value, &tree, &parsed)) {
        return false;
    }
    if (!parsed || tree->type != ATLS_JSON_OBJECT) {
        return atls_look_problem(l, "not a JSON object");
    }
    *object = tree;
    return atls_look_inside(l, "JSON document");
}

/* Go writes absent bytes as null, and base64 otherwise. */
static bool is_bytes(const atls_json *v)
{
    return v != NULL && (v->type == ATLS_JSON_STRING || v->type == ATLS_JSON_NULL);
}

bool atls_look_json(atls_look *l)
{
    const atls_json *object;
    return open_object(l, &object);
}

bool atls_look_fake(atls_look *l)
{
    const atls_json *object;
    if (!open_object(l, &object)) {
        return false;
    }
    if (object == NULL) {
        return true;
    }
    return (is_bytes(atls_json_find(object, "UserData")) && is_bytes(atls_json_find(object, "Nonce")))
           || atls_look_problem(l, "no UserData or no Nonce in the document");
}

/* The quote is decoded, so that it can be named and shown. */
static bool look_at_raw_quote(atls_look *l, const atls_json *raw)
{
    atls_error why = {.code = ATLS_OK};
    atls_bytes quote;
    if (!atls_base64_decode(raw->text, false, "RawQuote", l->arena, &quote, &why)) {
        if (why.code == ATLS_E_MEMORY) {
            *l->err = why;
            return false;
        }
        return atls_look_problem(l, "RawQuote is not base64");
    }
    return atls_look_quote_name(quote) != NULL ? atls_look_found(l, quote)
                                               : atls_look_problem(l, "RawQuote is not an Intel quote");
}

bool atls_look_tdx(atls_look *l)
{
    const atls_json *object;
    if (!open_object(l, &object)) {
        return false;
    }
    if (object == NULL) {
        return true;
    }
    const atls_json *raw = atls_json_find(object, "RawQuote");
    const atls_json *user_data = atls_json_find(object, "UserData");
    if (raw == NULL || raw->type != ATLS_JSON_STRING || user_data == NULL || user_data->type != ATLS_JSON_STRING) {
        return atls_look_problem(l, "no RawQuote or no UserData in the document");
    }
    return look_at_raw_quote(l, raw);
}

/* One quote per active bank of registers. */
static bool put_tpm_quotes(atls_look *l, const atls_json *attestation)
{
    const atls_json *quotes = atls_json_find(attestation, "quotes");
    if (quotes == NULL || quotes->type != ATLS_JSON_ARRAY || quotes->n == 0) {
        return atls_look_problem(l, "no TPM quotes in the document");
    }
    const char *phrase = atls_text_format(l->arena, l->err, "TPM quotes: %u", (unsigned)quotes->n);
    return phrase != NULL && atls_look_inside(l, phrase);
}

bool atls_look_vtpm(atls_look *l)
{
    const atls_json *object;
    if (!open_object(l, &object)) {
        return false;
    }
    if (object == NULL) {
        return true;
    }
    const atls_json *attestation = atls_json_find(object, "Attestation");
    if (attestation == NULL || attestation->type != ATLS_JSON_OBJECT || !is_bytes(atls_json_find(object, "UserData"))) {
        return atls_look_problem(l, "no Attestation or no UserData in the document");
    }
    const atls_json *tee = atls_json_find(attestation, "TeeAttestation");
    return put_tpm_quotes(l, attestation)
           && (tee == NULL || tee->type == ATLS_JSON_NULL || atls_look_inside(l, "evidence of the TEE beside them"));
}
