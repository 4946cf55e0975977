/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: bytes to an attestation object: section 1. Steps 1 and 2 fail here; what is wrong inside authData and the receipt
 * is a matter of steps 6 and 7, and only kept. */
#include <stdio.h>

#include "apple.h"

static const char format_name[] = "apple-appattest";

static bool wrong(const atls_cur *c, const char *field, const char *expected, const char *actual, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, actual, message);
    return false;
}

/* What is there, of the members that are known. */
typedef struct presence {
    bool fmt;
    bool statement;
    bool auth_data;
    bool x5c;
    bool receipt;
    bool is_other; /* fmt is something else */
} presence;

static bool read_x5c(atls_cur *c, apple_attestation *out)
{
    static const char field[] = "attStmt.x5c";
    uint64_t n;
    char actual[32];
    if (!atls_cbor_array(c, field, APPLE_MAX_CERTIFICATES, &n)) {
        return false;
    }
    if (n != 2) {
        snprintf(actual, sizeof actual, "%llu certificates", (unsigned long long)n);
        return wrong(c, field, "2 certificates", actual,
                     "an attestation has the credential certificate and one intermediate");
    }
    return atls_cbor_bytes(c, "attStmt.x5c[0]", &out->x5c[0]) && atls_cbor_bytes(c, "attStmt.x5c[1]", &out->x5c[1]);
}

static bool read_statement(atls_cur *c, apple_attestation *out, presence *is)
{
    static const char field[] = "attStmt";
    apple_map m;
    bool more = false;
    atls_bytes name;
    atls_bytes key;
    bool ok = apple_map_begin(c, field, &m);
    while (ok && apple_map_next(c, field, &m, &more, &name, &key)) {
        if (atls_bytes_equal_str(name, "x5c")) {
            is->x5c = true;
            ok = read_x5c(c, out);
        } else if (atls_bytes_equal_str(name, "receipt")) {
            is->receipt = true;
            ok = atls_cbor_bytes(c, "attStmt.receipt", &out->receipt_der);
        } else { /* inside two maps */
            ok = apple_cbor_skip(c, field, APPLE_MAX_DEPTH - 2, NULL);
        }
    }
    is->statement = ok && !more;
    return is->statement;
}

static bool read_format(atls_cur *c, presence *is)
{
    atls_bytes fmt;
    is->fmt = atls_cbor_text(c, "fmt", &fmt);
    is->is_other = is->fmt && !atls_bytes_equal_str(fmt, format_name);
    return is->fmt;
}

static bool read_object(atls_cur *c, apple_attestation *out, presence *is)
{
    apple_map m;
    bool more = false;
    atls_bytes name;
    atls_bytes key;
    bool ok = apple_map_begin(c, "", &m);
    while (ok && apple_map_next(c, "", &m, &more, &name, &key)) {
        if (atls_bytes_equal_str(name, "fmt")) {
            ok = read_format(c, is);
        } else if (atls_bytes_equal_str(name, "attStmt")) {
            ok = read_statement(c, out, is);
        } else if (atls_bytes_equal_str(name, "authData")) {
            is->auth_data = true;
            ok = atls_cbor_bytes(c, "authData", &out->auth_data_raw);
        } else {
            ok = apple_cbor_skip(c, "", APPLE_MAX_DEPTH - 1, NULL);
        }
    }
    return ok && !more && atls_cur_end(c);
}

static bool check_complete(const atls_cur *c, const presence *is)
{
    const struct {
        const char *field;
        bool is_there;
    } needed[] = {
        {"fmt", is->fmt},
        {"attStmt", is->statement},
        {"attStmt.x5c", is->x5c},
        {"attStmt.receipt", is->receipt},
        {"authData", is->auth_data},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!needed[i].is_there) {
            return wrong(c, needed[i].field, "present", "absent", "a member of the attestation object is missing");
        }
    }
    return true;
}

static bool decode_object(atls_bytes in, apple_attestation *out, atls_error *err)
{
    atls_cur c;
    presence is = {0};
    if (in.len > APPLE_MAX_OBJECT_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, "", "%zu bytes; at most %u", in.len, APPLE_MAX_OBJECT_LEN);
    }
    atls_cur_init(&c, in, "", err);
    if (!read_object(&c, out, &is) || !check_complete(&c, &is)) {
        return false;
    }
    return !is.is_other
           || atls_fail_unsupported(err, ATLS_E_EVIDENCE_FORMAT, "fmt", format_name, "something else",
                                    "the object is an attestation of another kind");
}

bool apple_attestation_decode(atls_bytes in, atls_arena *arena, apple_attestation *out, atls_error *err)
{
    const atls_bytes none = atls_bytes_empty();
    *out = (apple_attestation){
        .x5c = {none, none},
        .receipt_der = none,
        .auth_data_raw = none,
        .session_assertion = {.signature = none, .auth_data = none, .rp_id_hash = none},
    };
    if (!decode_object(in, out, err)) {
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "attestation");
    }
    out->has_auth_data = apple_auth_data_decode(out->auth_data_raw, &out->auth_data, &out->auth_data_error);
    out->has_receipt = apple_receipt_decode(out->receipt_der, arena, &out->receipt, &out->receipt_error);
    if (out->receipt_error.code == ATLS_E_MEMORY) {
        *err = out->receipt_error;
        return false;
    }
    return true;
}
