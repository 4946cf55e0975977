/* SPDX-License-Identifier: Apache-2.0 */
/* SEV-SNP: every proper prefix of evidence is refused, and so is every bit of a report that somebody turned. Of the
 * certificate table, whose content is only a hint, a turned bit is refused or changes nothing. */
#include "evidence/sevsnp/sevsnp.h"
#include "snp_scene.h"

#define TABLE_STEP 61 /* bytes of certificates between one flip and the next */

static const scene_row plain = {"plain", "genoa v5", {"pile.crl=none"}, ATLS_OK, "", NULL};
static const scene_row extended = {"extended", "genoa v5 vlek table", {NULL}, ATLS_OK, "", NULL};

static bool decodes(atls_bytes in, atls_error *err)
{
    static sevsnp_evidence e;
    atls_error_clear(err);
    return sevsnp_evidence_decode(in, &e, err);
}

static void prefixes(void **state)
{
    scene s;
    atls_error err;
    (void)state;
    scene_open(&extended, &s);
    assert_true(s.evidence.len > 2 * SEVSNP_REPORT_LEN);
    for (size_t n = 0; n < s.evidence.len; n++) {
        /* a copy, so that sanitizers see a read too far */
        uint8_t *copy = malloc(n == 0 ? 1 : n);
        assert_non_null(copy);
        memcpy(copy, s.evidence.ptr, n);
        const bool ok = decodes(atls_bytes_of(copy, n), &err);
        assert_int_equal(ok, n == SEVSNP_REPORT_LEN); /* a report without a table is whole */
        assert_true(ok || err.code == ATLS_E_EVIDENCE_FORMAT);
        free(copy);
    }
    assert_true(decodes(s.evidence, &err));
    scene_close(&s);
}

static bool exhaustive; /* all bits of every byte, which takes half a minute */

/* Bytes whose bits mean something each; of what is compared or hashed as a whole one bit stands for all. */
static bool is_dense(size_t at)
{
    return exhaustive || at < 0x50 || (at >= 0x180 && at < 0x1a0) || (at >= 0x1e0 && at < 0x210)
           || (at >= 0x2a0 && at < 0x330 && (at - 0x2a0) % 72 >= 44) || at >= SEVSNP_REPORT_LEN;
}

/* Flips bits of every step-th byte; *survived counts those flips that the verifier accepts. */
static size_t flip_all(scene *s, size_t from, size_t to, size_t step, size_t *survived)
{
    const size_t used = s->arena.used;
    atls_bytes copy;
    atls_result good;
    size_t n = 0;
    atls_error err = {0};
    assert_true(scene_appraise(s, s->evidence, &good, &err));
    const atls_sev_snp_claims claims = good.claims.sev_snp;
    *survived = 0;
    for (size_t at = from; at < to; at += step) {
        for (unsigned bit = 0; bit < 8; bit++) {
            atls_result r;
            if (!is_dense(at) && bit != at % 8) {
                continue;
            }
            n++;
            s->arena.used = used;
            atls_error_clear(&err);
            assert_true(atls_arena_copy(&s->arena, s->evidence, &copy, &err));
            ((uint8_t *)(uintptr_t)copy.ptr)[at] ^= (uint8_t)(1u << bit);
            if (scene_appraise(s, copy, &r, &err)) {
                (*survived)++;
                assert_memory_equal(&r.claims.sev_snp.report, &claims.report, sizeof claims.report);
                assert_memory_equal(r.claims.root_sha256, good.claims.root_sha256, 32);
            } else {
                assert_true(err.code != ATLS_OK && err.code != ATLS_E_INTERNAL && err.code != ATLS_E_MEMORY);
            }
        }
    }
    return n;
}

static void flips_of_the_report(void **state)
{
    scene s;
    size_t survived;
    (void)state;
    scene_open(&plain, &s);
    const size_t n = flip_all(&s, 0, SEVSNP_REPORT_LEN, 1, &survived);
    assert_true(exhaustive ? n == SEVSNP_REPORT_LEN * 8 : n > 2 * SEVSNP_REPORT_LEN);
    assert_int_equal(survived, 0);
    scene_close(&s);
}

static void flips_of_the_table(void **state)
{
    scene s;
    size_t survived;
    (void)state;
    scene_open(&extended, &s);
    const size_t header = SEVSNP_REPORT_LEN + 4 * 24;
    const size_t n = flip_all(&s, SEVSNP_REPORT_LEN, header, 1, &survived);
    assert_true(n == 768 && survived == 0);
    (void)flip_all(&s, header, s.evidence.len, TABLE_STEP, &survived);
    assert_int_equal(survived, 0); /* three certificates, each of which is signed or pinned */
    scene_close(&s);
}

/* ---- tables by hand ---- */

typedef struct entry {
    uint8_t guid; /* last byte of a GUID of zeros */
    uint32_t offset;
    uint32_t len;
} entry;

typedef struct table_row {
    const char *name;
    entry entries[3]; /* up to the first whose GUID, offset and length are zero */
    size_t len;       /* of the whole table, filled with `fill` after the header */
    uint8_t fill;
    bool no_end; /* the header has no last entry */
    const char *field;
} table_row;

/* clang-format off */
static const table_row tables[] = {
    {"table: empty", {{0}}, 0, 0, false, ""},
    {"table: only its end", {{0}}, 24, 0, false, ""},
    {"table: only its end, and a page of zeros", {{0}}, 4096, 0, false, ""},
    {"table: one byte", {{0}}, 1, 0, true, "certificate_table.guid"},
    {"table: 23 zeros", {{0}}, 23, 0, true, "certificate_table.length"},
    {"table: its end, and a byte of a page", {{0}}, 25, 1, false, ""},
    {"table: one entry to the last byte", {{1, 48, 10}}, 58, 7, false, ""},
    {"table: one entry beyond the last byte", {{1, 48, 11}}, 58, 7, false, "certificate_table.offset"},
    {"table: leftovers after the entry", {{1, 48, 10}}, 59, 7, false, ""},
    {"table: leftovers before the entry", {{1, 49, 9}}, 58, 7, false, ""},
    {"table: an entry inside the header", {{1, 47, 11}}, 58, 7, false, "certificate_table.offset"},
    {"table: an entry at the start", {{1, 0, 58}}, 58, 7, false, "certificate_table.offset"},
    {"table: offset at the end, no length", {{1, 48, 0}}, 48, 0, false, ""},
    {"table: offset beyond, no length", {{1, 9999, 0}}, 48, 0, false, ""},
    {"table: offset beyond", {{1, 59, 1}}, 58, 0, false, "certificate_table.offset"},
    {"table: offset and length wrap 32 bits", {{1, 0xffffffff, 0x3b}}, 58, 0, false, "certificate_table.offset"},
    {"table: the largest length", {{1, 48, 0xffffffff}}, 58, 0, false, "certificate_table.offset"},
    {"table: two entries", {{1, 72, 5}, {2, 77, 5}}, 82, 7, false, ""},
    {"table: two entries, the later one first", {{1, 77, 5}, {2, 72, 5}}, 82, 7, false, ""},
    {"table: two entries over each other", {{1, 72, 8}, {2, 74, 8}}, 82, 7, false, ""},
    {"table: leftovers between two entries", {{1, 72, 4}, {2, 77, 5}}, 82, 7, false, ""},
    {"table: a GUID twice", {{1, 72, 5}, {1, 77, 5}}, 82, 7, false, "certificate_table.guid"},
    {"table: an entry without a GUID", {{0, 48, 10}}, 58, 7, false, "certificate_table.guid"},
    {"table: no end", {{1, 24, 24}}, 48, 7, true, "certificate_table.guid"},
};
/* clang-format on */

static size_t put_entry(uint8_t *out, const entry *e)
{
    memset(out, 0, 24);
    out[15] = e->guid;
    for (size_t i = 0; i < 4; i++) {
        out[16 + i] = (uint8_t)(e->offset >> (8 * i));
        out[20 + i] = (uint8_t)(e->len >> (8 * i));
    }
    return 24;
}

static void run_table(void **state)
{
    const table_row *row = *state;
    uint8_t *bytes = malloc(row->len == 0 ? 1 : row->len);
    sevsnp_table table;
    size_t at = 0;
    size_t n = 0;
    atls_error err = {0};
    assert_non_null(bytes);
    memset(bytes, row->fill, row->len);
    for (; n < 3 && (row->entries[n].guid != 0 || row->entries[n].len != 0); n++) {
        at += put_entry(bytes + at, &row->entries[n]);
    }
    if (!row->no_end && row->len > 0) {
        memset(bytes + at, 0, 24);
    }
    const bool ok = sevsnp_table_decode(atls_bytes_of(bytes, row->len), &table, &err);
    assert_string_equal(err.field, row->field);
    assert_int_equal(ok, row->field[0] == '\0');
    assert_int_equal(table.n, ok ? n : 0);
    assert_true(ok || err.code == ATLS_E_EVIDENCE_FORMAT);
    free(bytes);
}

static void many_entries(void **state)
{
    static uint8_t bytes[24 * (SEVSNP_MAX_TABLE_ENTRIES + 2)];
    static sevsnp_table table;
    atls_error err = {0};
    (void)state;
    for (size_t n = SEVSNP_MAX_TABLE_ENTRIES; n <= SEVSNP_MAX_TABLE_ENTRIES + 1; n++) {
        memset(bytes, 0, sizeof bytes);
        for (size_t i = 0; i < n; i++) {
            bytes[24 * i] = (uint8_t)(i + 1);
        }
        const bool ok = sevsnp_table_decode(atls_bytes_of(bytes, 24 * (n + 1)), &table, &err);
        assert_int_equal(ok, n == SEVSNP_MAX_TABLE_ENTRIES);
    }
    assert_string_equal(err.field, "certificate_table.entries");
}

/* ---- framings ---- */

static void versions(void **state)
{
    scene s;
    atls_error err;
    atls_bytes copy;
    (void)state;
    scene_open(&plain, &s);
    for (unsigned v = 0; v < 256; v++) {
        atls_error_clear(&err);
        assert_true(atls_arena_copy(&s.arena, s.evidence, &copy, &err));
        ((uint8_t *)(uintptr_t)copy.ptr)[0] = (uint8_t)v;
        const bool ok = decodes(copy, &err);
        assert_int_equal(ok, v >= 2 && v <= 5);
        assert_true(ok || (err.unsupported && strcmp(err.field, "report.version") == 0));
    }
    scene_close(&s);
}

/* {604, 1, 2, 1, 584} and JSON: what Azure's vTPM holds after a report. */
static void azure(void **state)
{
    static const uint8_t header[20] = {0x5c, 2, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0x48, 2, 0, 0};
    static uint8_t blob[SEVSNP_REPORT_LEN + 20 + 584];
    scene s;
    atls_bytes report;
    atls_bytes data;
    atls_error err = {0};
    (void)state;
    scene_open(&plain, &s);
    memcpy(blob, s.evidence.ptr, SEVSNP_REPORT_LEN);
    memcpy(blob + SEVSNP_REPORT_LEN, header, sizeof header);
    memset(blob + SEVSNP_REPORT_LEN + 20, '{', 584);
    for (size_t n = 0; n <= sizeof blob; n++) {
        atls_error_clear(&err);
        const bool ok = sevsnp_azure_report(atls_bytes_of(blob, n), &report, &data, &err);
        assert_int_equal(ok, n == SEVSNP_REPORT_LEN + 20 || n == sizeof blob);
        assert_true(ok ? report.len == SEVSNP_REPORT_LEN && data.len == n - SEVSNP_REPORT_LEN - 20
                       : report.len == 0 && data.len == 0 && err.code == ATLS_E_EVIDENCE_FORMAT);
        assert_int_equal(decodes(atls_bytes_of(blob, n), &err), n == SEVSNP_REPORT_LEN);
    }
    blob[SEVSNP_REPORT_LEN + 8] = 4; /* a TD's report */
    atls_error_clear(&err);
    assert_false(sevsnp_azure_report(atls_bytes_of(blob, sizeof blob), &report, &data, &err));
    assert_string_equal(err.field, "azure.header");
    scene_close(&s);
}

/* ---- what a fetcher is asked for ---- */

typedef struct request_row {
    const char *name;
    scene_row scene;
    const char *product;
    const char *tcb;
    size_t chip_id_len;
    bool is_vlek;
    bool needs_leaf;
    bool needs_chain;
} request_row;

/* clang-format off */
static const request_row requests[] = {
    {"request: Milan", {"", "milan v3", {NULL}, ATLS_OK, "", NULL}, "Milan", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 128, false, true, true},
    {"request: Turin", {"", "turin v5", {NULL}, ATLS_OK, "", NULL}, "Turin", "fmcSPL=1&blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 16, false, true, true},
    {"request: version 2 does not say", {"", "genoa v2", {NULL}, ATLS_OK, "", NULL}, "", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 128, false, true, true},
    {"request: version 2 with a chip id of 8 bytes", {"", "turin v2", {NULL}, ATLS_OK, "", NULL}, "Turin", "fmcSPL=1&blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 16, false, true, true},
    {"request: version 2 with its certificates", {"", "milan v2 table", {NULL}, ATLS_OK, "", NULL}, "Milan", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 128, false, false, false},
    {"request: a VLEK alone came along", {"", "genoa vlek table", {"table=vlek"}, ATLS_OK, "", NULL}, "Genoa", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 0, true, false, true},
    {"request: the reported TCB", {"", "genoa", {"report.reported_tcb=0900000000001600"}, ATLS_OK, "", NULL}, "Genoa", "blSPL=9&teeSPL=0&snpSPL=22&ucodeSPL=0", 128, false, true, true},
    {"request: a masked chip id", {"", "genoa", {"report.chip_id=64x00"}, ATLS_OK, "", NULL}, "Genoa", "blSPL=10&teeSPL=0&snpSPL=23&ucodeSPL=84", 0, false, true, true},
};
/* clang-format on */

static void run_request(void **state)
{
    const request_row *row = *state;
    scene s;
    const void *evidence;
    atls_endorsement_request out;
    atls_error err = {0};
    scene_open(&row->scene, &s);
    assert_true(sevsnp_format()->decode(s.evidence, &s.arena, &evidence, &err));
    assert_true(sevsnp_format()->request(evidence, &s.arena, &out, &err));
    assert_int_equal(out.platform, ATLS_PLATFORM_SEV_SNP);
    assert_string_equal(out.sev_snp.product, row->product);
    assert_string_equal(out.sev_snp.tcb, row->tcb);
    assert_int_equal(strlen(out.sev_snp.chip_id), row->chip_id_len);
    assert_int_equal(out.sev_snp.is_vlek, row->is_vlek);
    assert_int_equal(out.sev_snp.needs_leaf, row->needs_leaf);
    assert_int_equal(out.sev_snp.needs_chain, row->needs_chain);
    scene_close(&s);
}

int main(int argc, char **argv)
{
    tap_list l = {0};
    exhaustive = argc > 1 && strcmp(argv[1], "--exhaustive") == 0;
    tap_add(&l, "prefixes: every one is refused", prefixes, NULL);
    tap_add(&l, "flips: every bit of a report counts", flips_of_the_report, NULL);
    tap_add(&l, "flips: of the table", flips_of_the_table, NULL);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        tap_add(&l, tables[i].name, run_table, &tables[i]);
    }
    tap_add(&l, "table: 32 entries, and not 33", many_entries, NULL);
    tap_add(&l, "versions: 2 to 5", versions, NULL);
    tap_add(&l, "azure: stripped by callers, refused by decode", azure, NULL);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        tap_add(&l, requests[i].name, run_request, &requests[i]);
    }
    return tap_run("sevsnp_flips", &l);
}
