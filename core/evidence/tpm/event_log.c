/* SPDX-License-Identifier: Apache-2.0 */
/* event_log.c: the firmware's log, TCG2 (crypto-agile) or in its older SHA-1 form, becomes records (section 6).
 *
 * Little-endian. Everything is a rumour until replay agrees with a quote, and names and data even then.
 * Source: TCG PC Client Platform Firmware Profile: TCG_PCClientPCREvent, TCG_EfiSpecIDEvent, TCG_PCR_EVENT2, and its
 * EV_NO_ACTION events. */
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "tpm.h"

#define MAX_DIGEST_LEN 64u
#define SHA1_LEN       20u
#define MIN_AGILE_LEN  18u /* of a record: 16 bytes and one algorithm's number; bounds the memory for records */
#define MIN_SHA1_LEN   32u

typedef struct log_reader {
    atls_cur cur;
    tpm_log *log;
    tpm_record *records;
    size_t cap;
    bool has_locality;
    char at[32]; /* "event_log[12]" */
} log_reader;

static bool fail_number(const atls_cur *c, const char *field, const char *expected, uint32_t actual,
                        const char *message)
{
    char text[16];
    snprintf(text, sizeof text, "%lu", (unsigned long)actual);
    return atls_cur_fail(c, ATLS_E_ENCODING, field, expected, text, message);
}

/* ---- header ---- */

static bool read_algorithm(atls_cur *c, tpm_log *log)
{
    uint16_t alg;
    uint16_t size;
    if (!atls_cur_u16le(c, "algorithm_id", &alg) || !atls_cur_u16le(c, "digest_size", &size)) {
        return false;
    }
    for (size_t i = 0; i < log->n_algs; i++) {
        if (log->algs[i] == alg) {
            return fail_number(c, "algorithm_id", "each one once", alg, "an algorithm is listed twice");
        }
    }
    const size_t known = tpm_hash_of(alg).len;
    if (size == 0 || size > MAX_DIGEST_LEN || (known != 0 && known != size)) {
        return fail_number(c, "digest_size", "the size of its algorithm", size,
                           "no digest of this algorithm is that long");
    }
    log->algs[log->n_algs] = alg;
    log->sizes[log->n_algs++] = size;
    return true;
}

static bool read_spec_id(atls_cur *c, tpm_log *log)
{
    uint32_t n;
    uint8_t vendor_size;
    if (!atls_cur_skip(c, "signature", 16) || !atls_cur_skip(c, "platform_class", 4) || !atls_cur_skip(c, "version", 3)
        || !atls_cur_skip(c, "uintn_size", 1) || !atls_cur_u32le(c, "number_of_algorithms", &n)) {
        return false;
    }
    if (n == 0 || n > TPM_MAX_LOG_ALGS) {
        return fail_number(c, "number_of_algorithms", "1 to 8", n, "no sensible number of algorithms");
    }
    for (uint32_t i = 0; i < n; i++) {
        if (!read_algorithm(c, log)) {
            return false;
        }
    }
    return atls_cur_u8(c, "vendor_info_size", &vendor_size) && atls_cur_skip(c, "vendor_info", vendor_size)
           && atls_cur_end(c);
}

/* The first event of either form: SHA-1 shape. */
typedef struct sha1_event {
    uint32_t pcr;
    uint32_t type;
    atls_bytes digest;
    atls_bytes data;
} sha1_event;

static bool read_sha1_event(atls_cur *c, sha1_event *out)
{
    uint32_t size;
    return atls_cur_u32le(c, "pcr", &out->pcr) && atls_cur_u32le(c, "type", &out->type)
           && atls_cur_bytes(c, "digest", SHA1_LEN, &out->digest) && atls_cur_u32le(c, "size", &size)
           && atls_cur_bytes(c, "data", size, &out->data);
}

static bool begins_with(atls_bytes in, const char *text, size_t len)
{
    return in.len >= len && memcmp(in.ptr, text, len) == 0;
}

/* A log of the newer form begins with a header in the shape of the older one, so that old readers pass over it. Without it the
 * whole log is of the older form. */
static bool read_header(log_reader *r)
{
    static const char spec_id[16] = "Spec ID Event03";
    atls_cur look = r->cur;
    atls_error ignored = {.code = ATLS_OK};
    sha1_event first;
    look.err = &ignored;
    r->log->is_agile = read_sha1_event(&look, &first) && first.type == TPM_EV_NO_ACTION
                       && begins_with(first.data, spec_id, sizeof spec_id);
    if (!r->log->is_agile) {
        r->log->algs[0] = TPM_ALG_SHA1;
        r->log->sizes[0] = SHA1_LEN;
        r->log->n_algs = 1;
        return true;
    }
    if (!atls_bytes_is_zero(first.digest)) {
        return atls_cur_fail(&r->cur, ATLS_E_ENCODING, "digest", "zeros", NULL, "the header has no digest");
    }
    atls_cur event;
    atls_cur_init(&event, first.data, "event_log.header", r->cur.err);
    r->cur.rest = look.rest;
    return read_spec_id(&event, r->log);
}

/* ---- records ---- */

static size_t find_algorithm(const tpm_log *log, uint16_t alg)
{
    size_t i = 0;
    while (i < log->n_algs && log->algs[i] != alg) {
        i++;
    }
    return i;
}

/* TPML_DIGEST_VALUES: every algorithm of the header exactly once; one of another size would move everything after it. */
static bool read_digests(log_reader *r, tpm_record *out)
{
    atls_cur *c = &r->cur;
    uint32_t n;
    if (!atls_cur_u32le(c, "digests", &n)) {
        return false;
    }
    if (n != r->log->n_algs) {
        return fail_number(c, "digests", "one for each algorithm of the header", n, "another number of digests");
    }
    for (uint32_t i = 0; i < n; i++) {
        uint16_t alg;
        if (!atls_cur_u16le(c, "digests", &alg)) {
            return false;
        }
        const size_t index = find_algorithm(r->log, alg);
        if (index == r->log->n_algs || out->digests[index].len != 0) {
            return fail_number(c, "digests", "an algorithm of the header, once", alg, "an algorithm out of place");
        }
        if (!atls_cur_bytes(c, "digests", r->log->sizes[index], &out->digests[index])) {
            return false;
        }
    }
    return true;
}

/* What is extended belongs to a PCR; what is not may say that it belongs to none (SP 800-155 events). */
static bool check_pcr(const log_reader *r, const tpm_record *next)
{
    return next->pcr < TPM_N_PCRS || (next->pcr == TPM_NO_PCR && next->type == TPM_EV_NO_ACTION)
           || fail_number(&r->cur, "pcr", "0 to 23", next->pcr, "an event of a PCR that there is not");
}

/* TCG: PCR 0 of a TPM that was started from locality 3 or 4 begins with that number. */
static void take_locality(log_reader *r, const tpm_record *next)
{
    static const char name[16] = "StartupLocality";
    if (next->type == TPM_EV_NO_ACTION && next->pcr == 0 && !r->has_locality && next->data.len == sizeof name + 1
        && begins_with(next->data, name, sizeof name) && next->data.ptr[sizeof name] <= 4) {
        r->log->locality = next->data.ptr[sizeof name];
        r->has_locality = true;
    }
}

static bool read_record(log_reader *r)
{
    atls_cur *c = &r->cur;
    uint32_t size;
    const atls_bytes empty = atls_bytes_empty();
    if (r->log->n_records == r->cap || r->log->n_records == TPM_MAX_EVENTS) {
        return atls_cur_fail(c, ATLS_E_LIMIT, "", NULL, NULL, "too many events");
    }
    tpm_record next = {.data = empty};
    for (size_t i = 0; i < TPM_MAX_LOG_ALGS; i++) {
        next.digests[i] = empty;
    }
    if (!atls_cur_u32le(c, "pcr", &next.pcr) || !atls_cur_u32le(c, "type", &next.type) || !check_pcr(r, &next)
        || !(r->log->is_agile ? read_digests(r, &next) : atls_cur_bytes(c, "digest", SHA1_LEN, &next.digests[0]))
        || !atls_cur_u32le(c, "size", &size) || !atls_cur_bytes(c, "data", size, &next.data)) {
        return false;
    }
    take_locality(r, &next);
    r->records[r->log->n_records++] = next;
    return true;
}

static uint32_t peek(atls_bytes in, size_t at)
{
    return in.len < at + 4 ? 0
                           : (uint32_t)in.ptr[at] | (uint32_t)in.ptr[at + 1] << 8 | (uint32_t)in.ptr[at + 2] << 16
                                 | (uint32_t)in.ptr[at + 3] << 24;
}

static bool is_padding(atls_bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        if (in.ptr[i] != 0x00 && in.ptr[i] != 0xff) {
            return false;
        }
    }
    return true;
}

/* A log ends with its bytes, with PCR ffffffff (tables are padded with that byte), or with zeros (others are padded so). What
 * follows must be padding: nothing that a reader with another idea of the end could take for a record. */
static bool is_end(const log_reader *r, bool *ok)
{
    const atls_bytes rest = r->cur.rest;
    const bool terminator = rest.len >= 4 && peek(rest, 0) == TPM_NO_PCR && peek(rest, 4) != TPM_EV_NO_ACTION;
    *ok = true;
    if (rest.len == 0 || atls_bytes_is_zero(rest)) {
        return true;
    }
    if (terminator) {
        *ok = is_padding(rest)
              || atls_cur_fail(&r->cur, ATLS_E_TRAILING, "", "padding", NULL, "data after the end of the log");
    }
    return terminator;
}

static bool read_records(log_reader *r)
{
    bool ok;
    r->cur.prefix = r->at;
    snprintf(r->at, sizeof r->at, "event_log[0]");
    while (!is_end(r, &ok)) {
        if (!read_record(r)) {
            return false;
        }
        snprintf(r->at, sizeof r->at, "event_log[%zu]", r->log->n_records);
    }
    return ok;
}

bool tpm_log_decode(atls_bytes in, atls_arena *a, tpm_log *out, atls_error *err)
{
    log_reader r = {.log = out};
    *out = (tpm_log){0};
    if (in.len == 0 || in.len > TPM_MAX_LOG_LEN) {
        return atls_fail(err, ATLS_E_EVENT_LOG_PARSE, "event_log", "an event log of %zu bytes; 1 to %zu", in.len,
                         TPM_MAX_LOG_LEN);
    }
    atls_cur_init(&r.cur, in, "event_log.header", err);
    if (!read_header(&r)) {
        return atls_error_relabel(err, ATLS_E_EVENT_LOG_PARSE, "");
    }
    r.cap = in.len / (out->is_agile ? MIN_AGILE_LEN : MIN_SHA1_LEN) + 1;
    r.cap = r.cap < TPM_MAX_EVENTS ? r.cap : TPM_MAX_EVENTS;
    r.records = atls_arena_array(a, r.cap, sizeof *r.records, err);
    if (r.records == NULL) {
        return false;
    }
    out->records = r.records;
    return read_records(&r) || atls_error_relabel(err, ATLS_E_EVENT_LOG_PARSE, "");
}
