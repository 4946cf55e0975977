/* SPDX-License-Identifier: Apache-2.0 */
/* payload.c: the map that is signed: section 2 of the specification.
 *
 * Members that this library does not know are passed over: AWS may add some. Keys are text, and none comes twice. */
#include <stdio.h>

#include "base/cbor_open.h"
#include "nitro.h"

#define MAX_TIMESTAMP_MS UINT64_C(253402300799999) /* the last instant of the year 9999 */

static bool wrong(const atls_cur *c, const char *field, const char *expected, const char *actual, const char *message)
{
    (void)atls_cur_fail(c, ATLS_E_ENCODING, field, expected, actual, message);
    return false;
}

static bool wrong_length(const atls_cur *c, const char *field, const char *expected, size_t len)
{
    char actual[32];
    snprintf(actual, sizeof actual, "%zu bytes", len);
    return wrong(c, field, expected, actual, "the length is wrong");
}

/* ---- single members ---- */

static bool read_text(atls_cur *c, const char *field, atls_bytes *out)
{
    if (!atls_cbor_text(c, field, out)) {
        return false;
    }
    return (out->len > 0 && out->len <= NITRO_MAX_TEXT_LEN)
           || wrong_length(c, field, "1 to 256 bytes of text", out->len);
}

static bool read_module_id(atls_cur *c, nitro_document *out)
{
    return read_text(c, "payload.module_id", &out->module_id);
}

static bool read_digest(atls_cur *c, nitro_document *out)
{
    return read_text(c, "payload.digest", &out->digest);
}

static bool read_timestamp(atls_cur *c, nitro_document *out)
{
    return atls_cbor_uint(c, "payload.timestamp", MAX_TIMESTAMP_MS, &out->timestamp_ms)
           && (out->timestamp_ms > 0
               || wrong(c, "payload.timestamp", "more than 0", "0", "the document does not say when it was made"));
}

static bool read_pcr(atls_cur *c, const char *field, nitro_document *out)
{
    uint64_t i;
    atls_bytes value;
    if (!atls_cbor_uint(c, field, ATLS_NITRO_PCRS - 1, &i) || !atls_cbor_bytes(c, field, &value)) {
        return false;
    }
    if ((out->pcrs >> i & 1u) != 0) {
        return wrong(c, field, NULL, NULL, "a register stands twice");
    }
    if (value.len != ATLS_NITRO_PCR_SIZE) {
        return wrong_length(c, field, "48 bytes", value.len);
    }
    out->pcrs |= UINT32_C(1) << i;
    out->pcr[i] = value;
    return true;
}

static bool read_registers(atls_cur *c, const char *field, nitro_document *out)
{
    atls_cbor_group g;
    bool more = true;
    if (!atls_cbor_map_begin(c, field, ATLS_NITRO_PCRS, &g)) {
        return false;
    }
    while (atls_cbor_more(c, field, &g, &more)) {
        if (!more) {
            return out->pcrs != 0 || wrong(c, field, "1 to 32 registers", "none", "the document has no registers");
        }
        if (!read_pcr(c, field, out)) {
            return false;
        }
    }
    return false;
}

/* The two kinds of documents share everything but this name, so both names in one would leave its kind open. */
static bool read_pcrs(atls_cur *c, nitro_document *out)
{
    if (out->pcrs != 0) {
        return wrong(c, "payload.pcrs", "pcrs or nitrotpm_pcrs", "both", "the document is of two kinds at once");
    }
    return read_registers(c, "payload.pcrs", out);
}

static bool read_nitrotpm_pcrs(atls_cur *c, nitro_document *out)
{
    if (out->pcrs != 0) {
        return wrong(c, "payload.nitrotpm_pcrs", "pcrs or nitrotpm_pcrs", "both",
                     "the document is of two kinds at once");
    }
    out->is_nitrotpm = true;
    return read_registers(c, "payload.nitrotpm_pcrs", out);
}

static bool read_der(atls_cur *c, const char *field, atls_bytes *out)
{
    if (!atls_cbor_bytes(c, field, out)) {
        return false;
    }
    return (out->len > 0 && out->len <= NITRO_MAX_CERT_LEN) || wrong_length(c, field, "1 to 1024 bytes", out->len);
}

static bool read_certificate(atls_cur *c, nitro_document *out)
{
    return read_der(c, "payload.certificate", &out->certificate);
}

static bool read_cabundle(atls_cur *c, nitro_document *out)
{
    static const char field[] = "payload.cabundle";
    atls_cbor_group g;
    bool more = true;
    if (!atls_cbor_array_begin(c, field, NITRO_MAX_CABUNDLE, &g)) {
        return false;
    }
    while (atls_cbor_more(c, field, &g, &more)) {
        if (!more) {
            return out->n_cabundle > 0
                   || wrong(c, field, "at least 1 certificate", "none", "the document brings no authorities");
        }
        if (!read_der(c, field, &out->cabundle[out->n_cabundle])) {
            return false;
        }
        out->n_cabundle++;
    }
    return false;
}

static bool read_optional(atls_cur *c, const char *field, atls_nitro_optional *out)
{
    atls_cur look = *c;
    atls_cbor_item item;
    if (!atls_cbor_head(&look, field, &item)) {
        return false;
    }
    if (item.type == ATLS_CBOR_NULL) {
        *c = look;
        return true;
    }
    out->present = true;
    return atls_cbor_bytes(c, field, &out->value)
           && (out->value.len <= NITRO_MAX_DATA_LEN || wrong_length(c, field, "at most 1024 bytes", out->value.len));
}

static bool read_public_key(atls_cur *c, nitro_document *out)
{
    return read_optional(c, "payload.public_key", &out->public_key);
}

static bool read_user_data(atls_cur *c, nitro_document *out)
{
    return read_optional(c, "payload.user_data", &out->user_data);
}

static bool read_nonce(atls_cur *c, nitro_document *out)
{
    return read_optional(c, "payload.nonce", &out->nonce);
}

/* ---- the map ---- */

static const struct member {
    const char *name;
    bool (*read)(atls_cur *c, nitro_document *out);
} members[] = {
    {"module_id", read_module_id},         {"digest", read_digest},
    {"timestamp", read_timestamp},         {"pcrs", read_pcrs},
    {"nitrotpm_pcrs", read_nitrotpm_pcrs}, {"certificate", read_certificate},
    {"cabundle", read_cabundle},           {"public_key", read_public_key},
    {"user_data", read_user_data},         {"nonce", read_nonce},
};

static bool read_value(atls_cur *c, atls_bytes name, nitro_document *out)
{
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        if (atls_bytes_equal_str(name, members[i].name)) {
            return members[i].read(c, out);
        }
    }
    /* inside the payload: one level is spent */
    return atls_cbor_skip_open(c, "payload", NITRO_MAX_DEPTH - 1, NULL);
}

static bool read_member(atls_cur *c, atls_bytes *names, size_t n, nitro_document *out)
{
    if (!atls_cbor_text(c, "payload", &names[n])) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (atls_bytes_equal(names[i], names[n])) {
            return wrong(c, "payload", NULL, NULL, "a member stands twice");
        }
    }
    return read_value(c, names[n], out);
}

static bool check_complete(const atls_cur *c, const nitro_document *d)
{
    const struct {
        const char *field;
        bool is_there;
    } needed[] = {
        {"payload.module_id", d->module_id.len > 0},     {"payload.digest", d->digest.len > 0},
        {"payload.timestamp", d->timestamp_ms > 0},      {"payload.pcrs", d->pcrs != 0},
        {"payload.certificate", d->certificate.len > 0}, {"payload.cabundle", d->n_cabundle > 0},
    };
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (!needed[i].is_there) {
            return wrong(c, needed[i].field, "present", "absent", "a member of the document is missing");
        }
    }
    return true;
}

static void start(nitro_document *out)
{
    const atls_bytes none = atls_bytes_empty();
    out->module_id = none;
    out->digest = none;
    out->certificate = none;
    out->public_key = (atls_nitro_optional){.value = none};
    out->user_data = (atls_nitro_optional){.value = none};
    out->nonce = (atls_nitro_optional){.value = none};
    for (size_t i = 0; i < ATLS_NITRO_PCRS; i++) {
        out->pcr[i] = none;
    }
    for (size_t i = 0; i < NITRO_MAX_CABUNDLE; i++) {
        out->cabundle[i] = none;
    }
}

bool nitro_payload_decode(atls_bytes payload, nitro_document *out, atls_error *err)
{
    atls_cur c;
    atls_cbor_group g;
    atls_bytes names[NITRO_MAX_MEMBERS];
    bool more = true;
    start(out);
    atls_cur_init(&c, payload, "", err);
    if (!atls_cbor_map_begin(&c, "payload", NITRO_MAX_MEMBERS, &g)) {
        return false;
    }
    for (size_t n = 0; more; n++) {
        if (!atls_cbor_more(&c, "payload", &g, &more) || (more && !read_member(&c, names, n, out))) {
            return false;
        }
    }
    if (c.rest.len > 0) {
        return atls_cur_fail(&c, ATLS_E_TRAILING, "payload", NULL, NULL, "bytes after the payload's map");
    }
    return check_complete(&c, out);
}
