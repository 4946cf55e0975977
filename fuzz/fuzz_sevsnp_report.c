/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_sevsnp_report.c: sevsnp_evidence_decode, sevsnp_table_decode, sevsnp_azure_report. What decodes accounts for every
 * byte: report, entries, zeros. The same bytes are never evidence and Azure's framing at once. */
#include "evidence/sevsnp/sevsnp.h"
#include "snp_seed.h"

static void check_report(const sevsnp_report *r, atls_bytes in)
{
    size_t reserved = 0;
    const atls_bytes parts[] = {r->raw, r->signed_span, r->r, r->s};
    FUZZ_ASSERT(r->body.version >= 2 && r->body.version <= 5);
    FUZZ_ASSERT(r->raw.len == SEVSNP_REPORT_LEN && r->signed_span.len == SEVSNP_SIGNED_LEN);
    FUZZ_ASSERT(r->r.len == 72 && r->s.len == 72 && r->n_reserved <= SEVSNP_MAX_RESERVED);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        FUZZ_ASSERT(fuzz_is_within(parts[i], in));
    }
    for (size_t i = 0; i < r->n_reserved; i++) {
        FUZZ_ASSERT(fuzz_is_within(r->reserved[i].bytes, in));
        reserved += r->reserved[i].bytes.len;
    }
    FUZZ_ASSERT(reserved
                == 4u + 368 + 1 + 1 + (r->body.has_cpuid ? 21u : 24u) + (r->body.has_mit_vectors ? 152u : 168u));
}

/* Entries lie behind the header, inside the table. */
static void check_table(const sevsnp_table *t, atls_bytes in)
{
    const atls_bytes header = atls_bytes_of(in.ptr, 24 * (t->n + 1));
    FUZZ_ASSERT(t->n <= SEVSNP_MAX_TABLE_ENTRIES && header.len <= in.len);
    for (size_t i = 0; i < t->n; i++) {
        FUZZ_ASSERT(t->entries[i].data.len == 0
                    || (fuzz_is_within(t->entries[i].data, in) && t->entries[i].data.ptr >= header.ptr + header.len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const atls_bytes in = atls_bytes_of(data, size);
    sevsnp_evidence e;
    atls_bytes report;
    atls_bytes runtime;
    atls_error err = {0};
    atls_error other = {0};
    const bool ok = sevsnp_evidence_decode(in, &e, &err);
    const bool azure = sevsnp_azure_report(in, &report, &runtime, &other);
    FUZZ_ASSERT(!ok || !azure);
    if (azure) {
        FUZZ_ASSERT(report.len == SEVSNP_REPORT_LEN && fuzz_is_within(runtime, in)
                    && (size == SEVSNP_REPORT_LEN + 20 || size == SEVSNP_REPORT_LEN + 20 + runtime.len));
    }
    if (!ok) {
        FUZZ_ASSERT(err.code == ATLS_E_EVIDENCE_FORMAT
                    && (strncmp(err.field, "report", 6) == 0 || strncmp(err.field, "certificate_table", 17) == 0));
        return 0;
    }
    check_report(&e.report, in);
    if (size > SEVSNP_REPORT_LEN) {
        check_table(&e.table, atls_bytes_of(data + SEVSNP_REPORT_LEN, size - SEVSNP_REPORT_LEN));
    }
    FUZZ_ASSERT(sevsnp_evidence_decode(atls_bytes_of(data, SEVSNP_REPORT_LEN), &e, &err) && e.table.n == 0);
    return 0;
}

size_t fuzz_seed(size_t index, uint8_t *out, size_t cap)
{
    static const uint8_t report_data[64] = {1};
    return index < FUZZ_SNP_ROOMS ? fuzz_snp_extended(index, report_data, out, cap) : 0;
}
