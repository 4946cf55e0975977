/* SPDX-License-Identifier: Apache-2.0 */
/* response.c: the server's answer: a chain of certificates, or a kind of failure. */
#include "message.h"

static const struct {
    const char *text;
    atls_category kind;
} kinds[] = {
    {"TRUST", ATLS_CATEGORY_TRUST},
    {"TIME", ATLS_CATEGORY_TIME},
    {"CONTENT", ATLS_CATEGORY_CONTENT},
    {"INTERNAL", ATLS_CATEGORY_INTERNAL},
};
#define N_KINDS (sizeof kinds / sizeof kinds[0])

/* ---- reading ---- */

static bool read_success(const atls_enrol_reader *r, atls_enrol_response *out)
{
    out->is_success = true;
    return atls_enrol_member_certificates(r, "certificateChain", out->chain, &out->n_chain)
           && (out->n_chain > 0 || atls_enrol_wrong(r, "certificateChain", "no certificate"));
}

static bool read_kind(const atls_enrol_reader *r, atls_category *out)
{
    atls_bytes text;
    if (!atls_enrol_member_text(r, "kind", &text)) {
        return false;
    }
    for (size_t i = 0; i < N_KINDS; i++) {
        if (atls_bytes_equal_str(text, kinds[i].text)) {
            *out = kinds[i].kind;
            return true;
        }
    }
    return atls_enrol_wrong(r, "kind", "none of TRUST, TIME, CONTENT, INTERNAL");
}

/* The member is always there, if only as null (section 5). */
static bool read_explanation(const atls_enrol_reader *r, atls_enrol_response *out)
{
    const atls_json *value = atls_json_find(r->object, "explanation");
    if (value != NULL && value->type == ATLS_JSON_NULL) {
        return true;
    }
    out->has_explanation = true;
    return atls_enrol_member_text(r, "explanation", &out->explanation)
           && (out->explanation.len <= ATLS_ENROL_MAX_EXPLANATION_LEN
               || atls_enrol_wrong(r, "explanation", "more than 1 KiB of text"));
}

static bool read_any(const atls_enrol_reader *r, atls_enrol_response *out)
{
    atls_bytes type;
    if (!atls_enrol_member_text(r, "type", &type)) {
        return false;
    }
    if (atls_bytes_equal_str(type, "Success")) {
        return read_success(r, out);
    }
    if (atls_bytes_equal_str(type, "Failure")) {
        return read_kind(r, &out->kind) && read_explanation(r, out);
    }
    return atls_enrol_wrong(r, "type", "neither Success nor Failure");
}

static void clear(atls_enrol_response *out)
{
    const atls_bytes empty = atls_bytes_empty();
    *out = (atls_enrol_response){.explanation = empty};
    for (size_t i = 0; i < ATLS_ENROL_MAX_CERTIFICATES; i++) {
        out->chain[i] = empty;
    }
}

bool atls_enrol_response_read(atls_bytes json, atls_arena *arena, atls_enrol_response *out, atls_error *err)
{
    atls_enrol_reader r = {.name = "response", .code = ATLS_E_ENROL_RESPONSE, .arena = arena, .err = err};
    clear(out);
    if (atls_enrol_reader_open(&r, json, ATLS_ENROL_MAX_MESSAGE_LEN) && read_any(&r, out)) {
        return true;
    }
    clear(out);
    return false;
}

/* ---- writing ---- */

static bool write_success(atls_jw *w, const atls_enrol_response *in, atls_error *err)
{
    static const char field[] = "response.certificateChain";
    if (in->n_chain == 0 || in->n_chain > ATLS_ENROL_MAX_CERTIFICATES) {
        return atls_fail(err, ATLS_E_USAGE, field, "%zu certificates; 1 to %u", in->n_chain,
                         ATLS_ENROL_MAX_CERTIFICATES);
    }
    for (size_t i = 0; i < in->n_chain; i++) {
        if (in->chain[i].len == 0) {
            return atls_fail(err, ATLS_E_USAGE, field, "certificate %zu is empty", i);
        }
    }
    atls_jw_str(w, "type", "Success");
    atls_enrol_jw_certificates(w, "certificateChain", in->chain, in->n_chain);
    return true;
}

static bool write_failure(atls_jw *w, const atls_enrol_response *in, atls_error *err)
{
    size_t i = 0;
    while (i < N_KINDS && kinds[i].kind != in->kind) {
        i++;
    }
    if (i == N_KINDS) {
        return atls_fail(err, ATLS_E_USAGE, "response.kind", "a failure of no kind");
    }
    if (in->has_explanation
        && (in->explanation.len > ATLS_ENROL_MAX_EXPLANATION_LEN || !atls_utf8_valid(in->explanation))) {
        return atls_fail(err, ATLS_E_USAGE, "response.explanation", "not UTF-8 of at most %u bytes",
                         ATLS_ENROL_MAX_EXPLANATION_LEN);
    }
    atls_jw_str(w, "type", "Failure");
    atls_jw_str(w, "kind", kinds[i].text);
    if (in->has_explanation) {
        atls_jw_string(w, "explanation", in->explanation);
    } else {
        atls_jw_null(w, "explanation");
    }
    return true;
}

bool atls_enrol_response_write(const atls_enrol_response *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    if (!(in->is_success ? write_success : write_failure)(&w, in, err)) {
        return false;
    }
    atls_jw_close(&w, '}');
    return atls_enrol_written(&b, "response", ATLS_ENROL_MAX_MESSAGE_LEN, out, err);
}
