/* SPDX-License-Identifier: Apache-2.0 */
/* evidence.c: checks of what a device gave, before it is handed out, and how SEV-SNP's pieces are put together. */
#include "evidence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "evidence/dcap/dcap.h"
#include "system.h"

#define ENTRY_LEN       24u /* GUID 16, offset u32, length u32 */
#define MAX_ENTRIES     32u
#define REPORT_DATA_AT  0x50u
#define RESPONSE_HEADER 32u

static bool over_other_data(const char *field, const uint8_t expected[64], atls_bytes actual, atls_error *err)
{
    return atls_fail_bytes(err, ATLS_E_QUOTE, field, atls_bytes_of(expected, 64), actual,
                           "what was made is not over the report data that was asked for");
}

bool atls_made_quote(atls_bytes quote, const uint8_t report_data[64], const char *field, atls_error *err)
{
    dcap_quote q;
    atls_error unknown = {0};
    if (!dcap_quote_decode(quote, &q, &unknown)) {
        return true;
    }
    const atls_bytes actual = atls_bytes_of(q.body_type == 1 ? q.sgx.reportdata : q.td.reportdata, 64);
    return atls_bytes_equal(actual, atls_bytes_of(report_data, 64)) || over_other_data(field, report_data, actual, err);
}

/* ---- SEV-SNP ------------------------------------------------------------------------------------------------------ */

typedef struct entry {
    atls_bytes guid;
    uint32_t offset;
    uint32_t length;
} entry;

static bool read_entry(atls_cur *c, entry *e)
{
    return atls_cur_bytes(c, "guid", 16, &e->guid) && atls_cur_u32le(c, "offset", &e->offset)
           && atls_cur_u32le(c, "length", &e->length);
}

static bool is_last(const entry *e)
{
    return e->offset == 0 && e->length == 0 && atls_bytes_is_zero(e->guid);
}

bool atls_certificate_table_len(atls_bytes table, size_t *len)
{
    atls_error ignored = {0};
    atls_cur c;
    size_t end = 0;
    *len = 0;
    if (table.len == 0) {
        return true;
    }
    atls_cur_init(&c, table, "table", &ignored);
    for (size_t n = 0; n <= MAX_ENTRIES; n++) {
        entry e;
        if (!read_entry(&c, &e)) {
            return false;
        }
        if (is_last(&e)) {
            const size_t header = (n + 1) * ENTRY_LEN;
            *len = n == 0 ? 0 : end > header ? end : header;
            return true;
        }
        if (e.offset > table.len || e.length > table.len - e.offset) {
            return false;
        }
        end = (size_t)e.offset + e.length > end ? (size_t)e.offset + e.length : end;
    }
    return false;
}

bool atls_made_report(atls_bytes report, atls_bytes table, const uint8_t report_data[64], const char *field,
                      atls_arena *arena, atls_bytes *out, atls_error *err)
{
    size_t table_len = 0;
    char actual[32];
    if (report.len != ATLS_SNP_REPORT_LEN) {
        (void)snprintf(actual, sizeof actual, "%zu", report.len);
        return atls_fail_values(err, ATLS_E_QUOTE, field, "1184", actual, "a report has another length");
    }
    const atls_bytes held = atls_bytes_of(report.ptr + REPORT_DATA_AT, 64);
    if (!atls_bytes_equal(held, atls_bytes_of(report_data, 64))) {
        return over_other_data(field, report_data, held, err);
    }
    if (!atls_certificate_table_len(table, &table_len)) {
        return atls_fail(err, ATLS_E_IO, field,
                         "the certificate table from the host is malformed (ask its operator, or do without it)");
    }
    uint8_t *both = atls_arena_raw(arena, report.len + table_len, err);
    if (both == NULL) {
        return false;
    }
    memcpy(both, report.ptr, report.len);
    memcpy(both + report.len, table.ptr, table_len);
    *out = atls_bytes_of(both, report.len + table_len);
    return true;
}

static const char *status_words(uint32_t status)
{
    switch (status) {
    case 0x16:
        return "invalid parameters";
    case 0x27:
        return "no such signing key: the host has not set it up";
    default:
        return "a status that we have no words for";
    }
}

bool atls_snp_response_report(atls_bytes response, atls_bytes *report, atls_error *err)
{
    atls_error ignored = {0};
    atls_cur c;
    uint32_t status = 0, size = 0;
    atls_cur_init(&c, response, "response", &ignored);
    if (!atls_cur_u32le(&c, "status", &status) || !atls_cur_u32le(&c, "size", &size)
        || response.len < RESPONSE_HEADER + ATLS_SNP_REPORT_LEN) {
        return atls_fail(err, ATLS_E_QUOTE, "attester.sev_guest.response", "the driver's answer is too short");
    }
    if (status != 0) {
        return atls_fail(err, ATLS_E_IO, "attester.sev_guest.status", "the firmware refuses a report: status 0x%x, %s",
                         (unsigned)status, status_words(status));
    }
    if (size != ATLS_SNP_REPORT_LEN) {
        char actual[16];
        (void)snprintf(actual, sizeof actual, "%u", (unsigned)size);
        return atls_fail_values(err, ATLS_E_QUOTE, "attester.sev_guest.report_size", "1184", actual,
                                "the firmware's report has another length");
    }
    *report = atls_bytes_of(response.ptr + RESPONSE_HEADER, ATLS_SNP_REPORT_LEN);
    return true;
}

/* ---- event logs --------------------------------------------------------------------------------------------------- */

bool atls_event_log_file(const char *path, const char *default_path, const char *field, size_t max, atls_arena *arena,
                         atls_bytes *out, atls_error *err)
{
    *out = atls_bytes_empty();
    if (path != NULL && path[0] == '\0') {
        return true;
    }
    const int reason = atls_device_read(path != NULL ? path : default_path, max, arena, out);
    const bool may_be_absent = path == NULL && reason != ENOMEM && reason != EFBIG;
    return reason == 0 || may_be_absent || atls_system_fail(err, field, path != NULL ? path : default_path, reason);
}
