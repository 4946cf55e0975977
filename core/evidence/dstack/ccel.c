/* SPDX-License-Identifier: Apache-2.0 */
/* ccel.c: a raw TCG2 event log, as in the ACPI table CCEL (section 2), becomes a dstack_log.
 *
 * Source: TCG PC Client Platform Firmware Profile, TCG_PCClientPCREvent, TCG_EfiSpecIdEvent and TCG_PCR_EVENT2; Intel's
 * guest-hypervisor interface for the register numbers. Little-endian throughout. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/limits.h"
#include "log.h"

#define ALG_SHA384     0x000cu
#define MAX_ALGORITHMS 8u          /* TCG's registry has fewer hashes; real logs have one */
#define TERMINATOR     0xffffffffu /* what follows the last record: the table is padded with 0xFF */
#define MIN_RECORD_LEN 66u         /* without event data, with one SHA-384 digest */

static const char spec_id_signature[16] = "Spec ID Event03";

typedef struct algorithm {
    uint16_t id;
    uint16_t digest_size;
} algorithm;

typedef struct ccel_reader {
    log_builder b;
    atls_cur cur;
    algorithm algorithms[MAX_ALGORITHMS];
    size_t n_algorithms;
    size_t n_records; /* after the header, dropped ones included */
    char at[32];      /* "event_log[12]" */
} ccel_reader;

static bool fail_number(const atls_cur *c, const char *field, const char *expected, uint32_t actual,
                        const char *message)
{
    char text[16];
    snprintf(text, sizeof text, "%lu", (unsigned long)actual);
    return atls_cur_fail(c, ATLS_E_ENCODING, field, expected, text, message);
}

static const algorithm *find_algorithm(const ccel_reader *r, uint16_t id)
{
    for (size_t i = 0; i < r->n_algorithms; i++) {
        if (r->algorithms[i].id == id) {
            return &r->algorithms[i];
        }
    }
    return NULL;
}

static bool read_algorithm(ccel_reader *r, atls_cur *c)
{
    algorithm next;
    if (!atls_cur_u16le(c, "algorithm_id", &next.id) || !atls_cur_u16le(c, "digest_size", &next.digest_size)) {
        return false;
    }
    if (find_algorithm(r, next.id) != NULL) {
        return fail_number(c, "algorithm_id", "each one once", next.id, "an algorithm is listed twice");
    }
    if (next.id == ALG_SHA384 && next.digest_size != DSTACK_DIGEST_LEN) {
        return fail_number(c, "digest_size", "48", next.digest_size, "SHA-384 has 48 bytes");
    }
    r->algorithms[r->n_algorithms++] = next;
    return true;
}

static bool read_algorithms(ccel_reader *r, atls_cur *c)
{
    uint32_t n;
    if (!atls_cur_u32le(c, "number_of_algorithms", &n)) {
        return false;
    }
    if (n == 0 || n > MAX_ALGORITHMS) {
        return fail_number(c, "number_of_algorithms", "1 to 8", n, "no sensible number of algorithms");
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_algorithm(r, c)) {
            return false;
        }
    }
    if (find_algorithm(r, ALG_SHA384) == NULL) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "algorithm_id", "12", NULL,
                             "the registers are SHA-384, the log is not");
    }
    return true;
}

static bool read_spec_id(ccel_reader *r, atls_cur *c)
{
    uint8_t signature[sizeof spec_id_signature];
    uint8_t major;
    uint8_t vendor_info_size;
    if (!atls_cur_copy(c, "signature", signature, sizeof signature)) {
        return false;
    }
    if (memcmp(signature, spec_id_signature, sizeof signature) != 0) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "signature", spec_id_signature, NULL, "not a TCG2 event log");
    }
    if (!atls_cur_skip(c, "platform_class", 4) || !atls_cur_skip(c, "spec_version_minor", 1)
        || !atls_cur_u8(c, "spec_version_major", &major)) {
        return false;
    }
    if (major != 2) {
        return fail_number(c, "spec_version_major", "2", major, "another version of the log format");
    }
    return atls_cur_skip(c, "spec_errata", 1) && atls_cur_skip(c, "uintn_size", 1) && read_algorithms(r, c)
           && atls_cur_u8(c, "vendor_info_size", &vendor_info_size) && atls_cur_skip(c, "vendor_info", vendor_info_size)
           && atls_cur_end(c);
}

/* The first record has the shape of the old format, so that old readers can pass over it. */
static bool read_header(ccel_reader *r)
{
    atls_cur *c = &r->cur;
    uint32_t index;
    uint32_t type;
    uint8_t sha1[20];
    uint32_t size;
    if (!atls_cur_u32le(c, "index", &index) || !atls_cur_u32le(c, "type", &type)
        || !atls_cur_copy(c, "digest", sha1, sizeof sha1) || !atls_cur_u32le(c, "size", &size)) {
        return false;
    }
    /* TCG says 0, firmware of TDs says 1 */
    if (index > 1) {
        return fail_number(c, "index", "0 or 1", index, "neither a JSON array nor a TCG2 event log");
    }
    if (type != DSTACK_EV_NO_ACTION) {
        return fail_number(c, "type", "3", type, "neither a JSON array nor a TCG2 event log");
    }
    if (!atls_bytes_is_zero(atls_bytes_of(sha1, sizeof sha1))) {
        return atls_cur_fail(c, ATLS_E_ENCODING, "digest", "zeros", NULL, "the header has no digest");
    }
    atls_cur spec_id;
    return atls_cur_child(c, "event", size, "event_log.header.event", &spec_id) && read_spec_id(r, &spec_id);
}

/* TPML_DIGEST_VALUES: only algorithms that the header announced, each once, SHA-384 among them. */
static bool read_digests(ccel_reader *r, uint8_t sha384[static DSTACK_DIGEST_LEN])
{
    atls_cur *c = &r->cur;
    uint32_t n;
    bool seen[MAX_ALGORITHMS] = {false};
    bool found = false;
    if (!atls_cur_u32le(c, "digests", &n)) {
        return false;
    }
    if (n == 0 || n > r->n_algorithms) {
        return fail_number(c, "digests", "one for each algorithm of the header", n, "no sensible number of digests");
    }
    for (uint32_t i = 0; i < n; i++) {
        uint16_t id;
        if (!atls_cur_u16le(c, "digests", &id)) {
            return false;
        }
        const algorithm *alg = find_algorithm(r, id);
        if (alg == NULL || seen[alg - r->algorithms]) {
            return fail_number(c, "digests", "an algorithm of the header, once", id, "an algorithm out of place");
        }
        seen[alg - r->algorithms] = true;
        found = found || id == ALG_SHA384;
        if (id == ALG_SHA384 ? !atls_cur_copy(c, "digests", sha384, DSTACK_DIGEST_LEN)
                             : !atls_cur_skip(c, "digests", alg->digest_size)) {
            return false;
        }
    }
    return found
           || atls_cur_fail(c, ATLS_E_ENCODING, "digests", "SHA-384", NULL, "a record without its SHA-384 digest");
}

static bool check_place(const atls_cur *c, uint32_t index, uint32_t type)
{
    if (index > DSTACK_RUNTIME_IMR + 1) {
        return fail_number(c, "index", "0 to 4", index, "an entry outside the four registers"); /* R2 */
    }
    if (type == DSTACK_RUNTIME_EVENT) {
        /* R1, R3: such an event counts only with a name and payload that its digest is recomputed from */
        return fail_number(c, "type", "a boot event", type, "runtime events belong into a JSON log");
    }
    return true;
}

static bool read_record(ccel_reader *r, uint32_t index)
{
    atls_cur *c = &r->cur;
    atls_event e = {.version = 1, .name = atls_bytes_empty()};
    uint32_t size;
    if (!atls_cur_u32le(c, "type", &e.type) || !check_place(c, index, e.type) || !read_digests(r, e.digest)
        || !atls_cur_u32le(c, "size", &size) || !atls_cur_bytes(c, "event", size, &e.payload)
        || !dstack_log_count_payload(&r->b, r->at, size)) {
        return false;
    }
    if (index == 0) {
        return true; /* one cloud logs what went into MRTD; no register to replay, so nothing to keep */
    }
    e.imr = index - 1;
    dstack_log *log = r->b.log;
    if (log->n_events == r->b.cap) {
        return atls_cur_fail(c, ATLS_E_LIMIT, "", NULL, NULL, "too many entries");
    }
    log->events[log->n_events] = e;
    log->has_digest[log->n_events] = true;
    log->preimages[log->n_events] = atls_bytes_empty();
    log->n_events++;
    return true;
}

/* After the end there is padding: nothing that a reader with another idea of the end could take for a record. */
static bool check_padding(atls_cur *c)
{
    atls_bytes rest = atls_cur_rest(c);
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.ptr[i] != rest.ptr[0] || (rest.ptr[0] != 0x00 && rest.ptr[0] != 0xff)) {
            return atls_cur_fail(c, ATLS_E_TRAILING, "", "0xFF or zeros", NULL, "data after the end of the log");
        }
    }
    return true;
}

static bool read_records(ccel_reader *r)
{
    r->cur.prefix = r->at;
    while (r->cur.rest.len > 0) {
        uint32_t index;
        snprintf(r->at, sizeof r->at, "event_log[%zu]", r->n_records);
        if (!atls_cur_u32le(&r->cur, "index", &index)) {
            return false;
        }
        if (index == TERMINATOR) {
            return check_padding(&r->cur);
        }
        if (!read_record(r, index)) {
            return false;
        }
        r->n_records++;
    }
    return true;
}

bool dstack_log_decode_ccel(atls_bytes in, atls_arena *a, dstack_log *out, atls_error *err)
{
    ccel_reader r = {0};
    size_t room = in.len / MIN_RECORD_LEN + 1;
    atls_cur_init(&r.cur, in, "event_log.header", err);
    if (!read_header(&r) || !dstack_log_begin(&r.b, out, room < ATLS_MAX_EVENTS ? room : ATLS_MAX_EVENTS, a, err)) {
        return false;
    }
    out->is_ccel = true;
    return read_records(&r);
}
