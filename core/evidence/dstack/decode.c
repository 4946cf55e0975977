/* SPDX-License-Identifier: Apache-2.0 */
/* decode.c: dstack's JSON event log (section 2) becomes a dstack_log.
 *
 * Everything that can be said of an entry without a digest is said here, because an entry that is silently dropped,
 * moved to another register or read under another name is how a forged log gets past a verifier. */
#include <stdio.h>

#include "base/json.h"
#include "base/limits.h"
#include "log.h"

#define LOG_FIELD "event_log"

typedef struct entry_reader {
    log_builder b;
    const atls_json *json; /* the entry */
    atls_event *event;
    size_t index;
    char at[32];    /* "event_log[12]" */
    char field[64]; /* "event_log[12].digest", of the last call of at_field */
} entry_reader;

bool dstack_log_is_runtime(const dstack_log *log, const atls_event *e)
{
    return !log->is_ccel && e->imr == DSTACK_RUNTIME_IMR && e->type == DSTACK_RUNTIME_EVENT;
}

bool dstack_log_begin(log_builder *b, dstack_log *log, size_t cap, atls_arena *a, atls_error *err)
{
    if (cap > ATLS_MAX_EVENTS) {
        return atls_fail(err, ATLS_E_LIMIT, LOG_FIELD, "%zu entries, at most %u are read", cap, ATLS_MAX_EVENTS);
    }
    *b = (log_builder){.log = log, .cap = cap, .arena = a, .err = err};
    *log = (dstack_log){0};
    log->events = atls_arena_array(a, cap, sizeof *log->events, err);
    log->has_digest = atls_arena_array(a, cap, sizeof *log->has_digest, err);
    log->preimages = atls_arena_array(a, cap, sizeof *log->preimages, err);
    return log->events != NULL && log->has_digest != NULL && log->preimages != NULL;
}

bool dstack_log_count_payload(log_builder *b, const char *field, size_t len)
{
    if (len > ATLS_MAX_EVENT_PAYLOADS_LEN - b->payload_len) {
        return atls_fail(b->err, ATLS_E_LIMIT, field, "the payloads are longer than %u bytes together",
                         ATLS_MAX_EVENT_PAYLOADS_LEN);
    }
    b->payload_len += len;
    return true;
}

static const char *at_field(entry_reader *r, const char *name)
{
    snprintf(r->field, sizeof r->field, "%s.%s", r->at, name);
    return r->field;
}

static bool fail_entry(entry_reader *r, const char *name, const char *expected, const char *actual, const char *message)
{
    return atls_fail_values(r->b.err, ATLS_E_EVENT_LOG_PARSE, at_field(r, name), expected, actual, "%s", message);
}

static bool fail_number(entry_reader *r, const char *name, const char *expected, uint64_t actual, const char *message)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)actual);
    return fail_entry(r, name, expected, text, message);
}

static bool read_imr(entry_reader *r)
{
    uint64_t imr;
    if (!atls_json_member_uint(r->json, r->at, "imr", UINT32_MAX, &imr, r->b.err)) {
        return false;
    }
    r->event->imr = (uint32_t)imr;
    if (imr <= DSTACK_RUNTIME_IMR) {
        return true;
    }
    /* R2: no register proves it, so it could say anything */
    return fail_number(r, "imr", "0 to 3", imr, "an entry outside the four registers");
}

static bool read_type(entry_reader *r)
{
    uint64_t type;
    if (!atls_json_member_uint(r->json, r->at, "event_type", UINT32_MAX, &type, r->b.err)) {
        return false;
    }
    r->event->type = (uint32_t)type;
    bool is_runtime_type = type == DSTACK_RUNTIME_EVENT;
    if (is_runtime_type == (r->event->imr == DSTACK_RUNTIME_IMR)) {
        return true;
    }
    /* R3: one lane for runtime events, and nothing else in it */
    return fail_number(r, "event_type", is_runtime_type ? "a boot event" : "134217729", type,
                       "runtime events belong to RTMR3, and RTMR3 to them");
}

static bool read_version(entry_reader *r)
{
    r->event->version = 1;
    const atls_json *value = atls_json_find(r->json, "version");
    if (value == NULL) {
        return true;
    }
    uint64_t version;
    if (!atls_json_uint(value, at_field(r, "version"), UINT32_MAX, &version, r->b.err)) {
        return false;
    }
    r->event->version = (uint32_t)version;
    if (version == 1 || version == 2) {
        return true;
    }
    char actual[24];
    snprintf(actual, sizeof actual, "%llu", (unsigned long long)version);
    return atls_fail_unsupported(r->b.err, ATLS_E_EVENT_LOG_PARSE, at_field(r, "version"), "1 or 2", actual,
                                 "an unknown digest form");
}

static bool read_digest(entry_reader *r)
{
    atls_bytes hex;
    if (!atls_json_member_text(r->json, r->at, "digest", &hex, r->b.err)) {
        return false;
    }
    bool *has_digest = &r->b.log->has_digest[r->index];
    if (hex.len == 0 && dstack_log_is_runtime(r->b.log, r->event)) {
        *has_digest = false; /* R8: newer guests blank it; authenticate.c recomputes it */
        return true;
    }
    /* R7: a digest that is padded or cut is another digest */
    *has_digest = atls_hex_fixed(hex, r->event->digest, DSTACK_DIGEST_LEN);
    if (*has_digest) {
        return true;
    }
    char actual[48];
    snprintf(actual, sizeof actual, "%zu characters", hex.len);
    return fail_entry(r, "digest", "96 hex digits", actual, "a digest is exactly 48 bytes of hex");
}

static bool read_name(entry_reader *r)
{
    atls_bytes name;
    if (!atls_json_member_text(r->json, r->at, "event", &name, r->b.err)) {
        return false;
    }
    r->event->name = name;
    if (!dstack_log_is_runtime(r->b.log, r->event) || r->event->version != 1) {
        return true;
    }
    /* R4: "a:b" with payload "c" hashes like "a" with payload "b:c" */
    if (name.len == 0) {
        return fail_entry(r, "event", "a name", "", "a runtime event without a name");
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == ':') {
            return fail_entry(r, "event", "a name without ':'", NULL, "where this name ends is ambiguous");
        }
    }
    return true;
}

static bool read_payload(entry_reader *r)
{
    atls_bytes hex;
    return atls_json_member_text(r->json, r->at, "event_payload", &hex, r->b.err)
           && dstack_log_count_payload(&r->b, at_field(r, "event_payload"), hex.len / 2)
           && atls_hex_decode(hex, r->field, r->b.arena, &r->event->payload, r->b.err);
}

static bool read_preimage(entry_reader *r)
{
    atls_bytes *out = &r->b.log->preimages[r->index];
    *out = atls_bytes_empty();
    if (atls_json_find(r->json, "preimage") == NULL) {
        return true;
    }
    atls_bytes hex;
    if (!atls_json_member_text(r->json, r->at, "preimage", &hex, r->b.err)
        || !atls_hex_decode(hex, at_field(r, "preimage"), r->b.arena, out, r->b.err)) {
        return false;
    }
    /* R19: what is there must be the hashed bytes, and no event hashes none. */
    return out->len > 0 || r->event->version != 2
           || atls_fail(r->b.err, ATLS_E_EVENT_LOG_PARSE, at_field(r, "preimage"), "the preimage is empty");
}

/* Members that we do not know are ignored: nothing is ever read from them, and the digest covers what is. */
static bool read_entry(entry_reader *r)
{
    snprintf(r->at, sizeof r->at, LOG_FIELD "[%zu]", r->index);
    if (r->json->type != ATLS_JSON_OBJECT) {
        return atls_fail_values(r->b.err, ATLS_E_EVENT_LOG_PARSE, r->at, "object", atls_json_type_name(r->json),
                                "an entry is an object");
    }
    return read_imr(r) && read_type(r) && read_version(r) && read_digest(r) && read_name(r) && read_payload(r)
           && read_preimage(r);
}

static bool decode_json(atls_bytes text, atls_arena *a, dstack_log *out, atls_error *err)
{
    const atls_json *array;
    if (!atls_json_parse(text, LOG_FIELD, a, &array, err)) {
        return false;
    }
    if (array->type != ATLS_JSON_ARRAY) {
        return atls_fail_values(err, ATLS_E_ENCODING, LOG_FIELD, "array", atls_json_type_name(array), NULL);
    }
    entry_reader r = {0};
    if (!dstack_log_begin(&r.b, out, array->n, a, err)) {
        return false;
    }
    for (r.json = array->child; r.json != NULL; r.json = r.json->next) {
        r.event = &out->events[r.index];
        if (!read_entry(&r)) {
            return false;
        }
        r.index++;
    }
    out->n_events = r.index;
    return true;
}

int dstack_log_first_byte(atls_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            return c;
        }
    }
    return -1;
}

static bool decode(atls_bytes text, atls_arena *a, dstack_log *out, atls_error *err)
{
    if (text.len > ATLS_MAX_EVENT_LOG_LEN) {
        return atls_fail(err, ATLS_E_LIMIT, LOG_FIELD, "%zu bytes, at most %u are read", text.len,
                         ATLS_MAX_EVENT_LOG_LEN);
    }
    if (dstack_log_first_byte(text) == '[') {
        return decode_json(text, a, out, err);
    }
    return dstack_log_decode_ccel(text, a, out, err);
}

bool dstack_log_decode(atls_bytes text, atls_arena *a, dstack_log *out, atls_error *err)
{
    *out = (dstack_log){0};
    if (!decode(text, a, out, err)) {
        *out = (dstack_log){0};
        return atls_error_relabel(err, ATLS_E_EVENT_LOG_PARSE, "");
    }
    return true;
}
