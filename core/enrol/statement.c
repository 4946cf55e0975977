/* SPDX-License-Identifier: Apache-2.0 */
/* statement.c: what a phone's hardware says of its key, in JSON. Nothing in it is believed here. */
#include <stdio.h>
#include <string.h>

#include "base/der.h"
#include "message.h"

static const char android_key[] = "android-key";
static const char ios_appattest[] = "ios-appattest";

/* Two halves of a certificate, or two certificates in one element, would be one chain behind the other and another one
 * element by element: every element is one SEQUENCE, from its first byte to its last. */
static bool check_element(const atls_enrol_reader *r, atls_bytes der, size_t index)
{
    atls_error ignored = {.code = ATLS_OK};
    atls_cur c;
    atls_bytes content;
    char name[32];
    snprintf(name, sizeof name, "x5c[%zu]", index);
    atls_cur_init(&c, der, "", &ignored);
    return (atls_der_expect(&c, "", ATLS_DER_SEQUENCE, &content) && atls_cur_end(&c))
           || atls_enrol_wrong(r, name, "not one certificate in DER");
}

static bool join(const atls_enrol_statement *s, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    size_t len = 0;
    for (size_t i = 0; i < s->n_x5c; i++) {
        len += s->x5c[i].len;
    }
    uint8_t *chain = atls_arena_raw(arena, len, err);
    if (chain == NULL) {
        return false;
    }
    *out = atls_bytes_of(chain, len);
    for (size_t i = 0; i < s->n_x5c; i++) {
        memcpy(chain, s->x5c[i].ptr, s->x5c[i].len);
        chain += s->x5c[i].len;
    }
    return true;
}

static bool read_android(const atls_enrol_reader *r, atls_enrol_statement *out)
{
    out->kind = ATLS_ENROL_ANDROID_KEY;
    if (!atls_enrol_member_certificates(r, "x5c", out->x5c, &out->n_x5c)) {
        return false;
    }
    for (size_t i = 0; i < out->n_x5c; i++) {
        if (!check_element(r, out->x5c[i], i)) {
            return false;
        }
    }
    return join(out, r->arena, &out->chain, r->err);
}

static bool read_apple(const atls_enrol_reader *r, atls_enrol_statement *out)
{
    out->kind = ATLS_ENROL_IOS_APPATTEST;
    return atls_enrol_member_binary(r, "attestation", ATLS_ENROL_MAX_STATEMENT_LEN, &out->attestation)
           && atls_enrol_member_binary(r, "clientDataJSON", ATLS_ENROL_MAX_STATEMENT_LEN, &out->client_data);
}

static bool read_any(const atls_enrol_reader *r, atls_enrol_statement *out)
{
    atls_bytes typ;
    if (!atls_enrol_member_text(r, "typ", &typ)) {
        return false;
    }
    if (atls_bytes_equal_str(typ, android_key)) {
        return read_android(r, out);
    }
    if (atls_bytes_equal_str(typ, ios_appattest)) {
        return read_apple(r, out);
    }
    return atls_fail_values(r->err, ATLS_E_UNSUPPORTED, "statement.typ", "android-key or ios-appattest",
                            "something else", "a statement of a kind that is not known");
}

static void clear(atls_enrol_statement *out)
{
    const atls_bytes empty = atls_bytes_empty();
    *out = (atls_enrol_statement){.chain = empty, .attestation = empty, .client_data = empty};
    for (size_t i = 0; i < ATLS_ENROL_MAX_CERTIFICATES; i++) {
        out->x5c[i] = empty;
    }
}

bool atls_enrol_statement_read(atls_bytes json, atls_arena *arena, atls_enrol_statement *out, atls_error *err)
{
    atls_enrol_reader r = {.name = "statement", .code = ATLS_E_ENROL_STATEMENT, .arena = arena, .err = err};
    clear(out);
    if (atls_enrol_reader_open(&r, json, ATLS_ENROL_MAX_STATEMENT_LEN) && read_any(&r, out)) {
        return true;
    }
    clear(out);
    return false;
}

/* What is written can be read: values are bounded by the message that holds them, and none is empty. An empty x5c is
 * what a debug statement may have to repeat. */
static bool check(const atls_enrol_statement *in, atls_error *err)
{
    if (in->kind == ATLS_ENROL_IOS_APPATTEST) {
        return (in->attestation.len > 0 && in->client_data.len > 0)
               || atls_fail(err, ATLS_E_USAGE, "statement", "an attestation or client data without a byte");
    }
    if (in->kind != ATLS_ENROL_ANDROID_KEY) {
        return atls_fail(err, ATLS_E_USAGE, "statement.typ", "a statement of no kind");
    }
    if (in->n_x5c > ATLS_ENROL_MAX_CERTIFICATES) {
        return atls_fail(err, ATLS_E_USAGE, "statement.x5c", "%zu certificates; at most %u", in->n_x5c,
                         ATLS_ENROL_MAX_CERTIFICATES);
    }
    const atls_enrol_reader r = {.name = "statement", .code = ATLS_E_USAGE, .err = err};
    for (size_t i = 0; i < in->n_x5c; i++) {
        if (!check_element(&r, in->x5c[i], i)) {
            return false;
        }
    }
    return true;
}

bool atls_enrol_statement_write(const atls_enrol_statement *in, atls_arena *arena, atls_bytes *out, atls_error *err)
{
    atls_buf b;
    atls_jw w;
    *out = atls_bytes_empty();
    if (!check(in, err)) {
        return false;
    }
    const bool is_android = in->kind == ATLS_ENROL_ANDROID_KEY;
    atls_buf_init(&b, arena, err);
    atls_jw_init(&w, &b);
    atls_jw_open(&w, NULL, '{');
    atls_jw_str(&w, "typ", is_android ? android_key : ios_appattest);
    if (is_android) {
        atls_enrol_jw_certificates(&w, "x5c", in->x5c, in->n_x5c);
    } else {
        atls_enrol_jw_binary(&w, "attestation", in->attestation);
        atls_enrol_jw_binary(&w, "clientDataJSON", in->client_data);
    }
    atls_jw_close(&w, '}');
    return atls_enrol_written(&b, "statement", ATLS_ENROL_MAX_STATEMENT_LEN, out, err);
}
