/* SPDX-License-Identifier: Apache-2.0 */
/* response.c: the answer of /tdx_quote, or of the guest agent's GetQuote, taken apart; and what its quote must be bound
 * to (section 1). Nothing in a response is believed: report_data and success are not even read. */
#include <string.h>

#include "atls/verifier.h"
#include "base/json.h"
#include "base/limits.h"
#include "log.h"

/* The members in either form, and their names in errors. */
typedef struct response_form {
    const atls_json *object;
    const char *quote;
    const char *event_log;
    const char *vm_config;
} response_form;

static bool read_quote(const response_form *f, atls_arena *a, atls_bytes *out, atls_error *err)
{
    const atls_json *value = atls_json_find(f->object, "quote");
    if (value == NULL || value->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_QUOTE, f->quote, "string", atls_json_type_name(value),
                                "the response has no quote");
    }
    if (value->text.len == 0) {
        return atls_fail(err, ATLS_E_QUOTE, f->quote, "the quote is empty");
    }
    if (value->text.len / 2 > ATLS_MAX_QUOTE_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, f->quote, "%zu bytes, at most %u are read", value->text.len / 2,
                         ATLS_MAX_QUOTE_LEN);
    }
    return atls_hex_decode(value->text, f->quote, a, out, err) || atls_error_relabel(err, ATLS_E_OTHER, "");
}

/* Servers send a string that holds an array; their documentation shows an array. Both are handed out as text. */
static bool read_event_log(const response_form *f, atls_bytes *out, atls_error *err)
{
    const atls_json *value = atls_json_find(f->object, "event_log");
    if (value == NULL || value->type == ATLS_JSON_NULL) {
        return true;
    }
    if (value->type != ATLS_JSON_ARRAY && value->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_EVENT_LOG_PARSE, f->event_log, "string or array",
                                atls_json_type_name(value), NULL);
    }
    atls_bytes text = value->type == ATLS_JSON_ARRAY ? value->raw : value->text;
    int first = dstack_log_first_byte(text);
    if (first == '[') {
        *out = text;
        return true;
    }
    /* a string that holds anything else must not reach the reader of binary logs; an empty one is no log */
    return first < 0
           || atls_fail_values(err, ATLS_E_EVENT_LOG_PARSE, f->event_log, "a JSON array", NULL,
                               "the event log is no array");
}

static bool read_vm_config(const response_form *f, atls_bytes *out, atls_error *err)
{
    const atls_json *value = atls_json_find(f->object, "vm_config");
    if (value == NULL || value->type == ATLS_JSON_NULL) {
        return true;
    }
    if (value->type != ATLS_JSON_STRING) {
        return atls_fail_values(err, ATLS_E_QUOTE, f->vm_config, "string", atls_json_type_name(value), NULL);
    }
    *out = value->text;
    return true;
}

/* The server nests GetQuote's answer under "quote"; the agent's own has a string there. */
static response_form find_form(const atls_json *top)
{
    const response_form nested = {atls_json_find(top, "quote"), "quote.quote", "quote.event_log", "quote.vm_config"};
    const response_form flat = {top, "quote", "event_log", "vm_config"};
    return nested.object != NULL && nested.object->type == ATLS_JSON_OBJECT ? nested : flat;
}

static bool decode(atls_bytes json, atls_arena *arena, atls_dstack_response *out, atls_error *err)
{
    const atls_json *top;
    if (json.len > ATLS_MAX_HTTP_BODY_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "response", "%zu bytes, at most %u are read", json.len,
                         ATLS_MAX_HTTP_BODY_LEN);
    }
    if (!atls_json_parse(json, "response", arena, &top, err)) {
        return atls_error_relabel(err, ATLS_E_QUOTE, "");
    }
    if (top->type != ATLS_JSON_OBJECT) {
        return atls_fail_values(err, ATLS_E_QUOTE, "response", "object", atls_json_type_name(top), NULL);
    }
    const response_form form = find_form(top);
    return read_quote(&form, arena, &out->quote, err) && read_event_log(&form, &out->event_log, err)
           && read_vm_config(&form, &out->vm_config, err);
}

bool atls_dstack_response_decode(atls_bytes json, atls_arena *arena, atls_dstack_response *out, atls_error *err)
{
    const atls_dstack_response none = {atls_bytes_empty(), atls_bytes_empty(), atls_bytes_empty()};
    *out = none;
    if (!decode(json, arena, out, err)) {
        *out = none;
        return false;
    }
    return true;
}

bool atls_dstack_report_data(const uint8_t nonce[32], const uint8_t ekm[32], uint8_t out[64], atls_error *err)
{
    const atls_bytes parts[2] = {atls_bytes_of(nonce, 32), atls_bytes_of(ekm, 32)};
    atls_crypto *crypto;
    memset(out, 0, 64);
    if (!atls_crypto_new(&crypto, err)) {
        return false;
    }
    bool ok = atls_digest(crypto, ATLS_SHA512, parts, 2, out, err);
    atls_crypto_free(crypto);
    return ok;
}
