/* SPDX-License-Identifier: Apache-2.0 */
/* table.c: the certificate table of an extended report (specification section 5; AMD 56421, "SNP Extended Guest Request").
 *
 * The host fills it in, so that none of it is more than a hint. Entries of 24 bytes, ended by one of zeros; offsets count
 * from the start of the table. What no entry covers is not looked at: the host writes into whole pages of the guest, which
 * kernels do not clear first, and nothing of the table is authenticated anyway. */
#include <string.h>

#include "base/cursor.h"
#include "sevsnp.h"

#define GUID_LEN  16u
#define ENTRY_LEN 24u

static const struct {
    sevsnp_table_kind kind;
    uint8_t guid[GUID_LEN]; /* in the order of the text */
} kinds[] = {
    {SEVSNP_TABLE_VCEK,
     {0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64, 0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd}},
    {SEVSNP_TABLE_VLEK,
     {0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e, 0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1}},
    {SEVSNP_TABLE_ASK,
     {0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4, 0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82}},
    {SEVSNP_TABLE_ARK,
     {0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52, 0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae}},
    {SEVSNP_TABLE_CRL,
     {0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d, 0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea}},
};

static sevsnp_table_kind kind_of(atls_bytes guid)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (atls_bytes_equal(guid, atls_bytes_of(kinds[i].guid, GUID_LEN))) {
            return kinds[i].kind;
        }
    }
    return SEVSNP_TABLE_OTHER;
}

static bool fail(atls_error *err, const char *field, const char *message)
{
    return atls_fail(err, ATLS_E_EVIDENCE_FORMAT, field, "%s", message);
}

/* One entry as it stands there; *last: it is the one of zeros. */
typedef struct raw_entry {
    atls_bytes guid;
    uint32_t offset;
    uint32_t len;
} raw_entry;

static bool read_entry(atls_cur *c, raw_entry *e, bool *last)
{
    if (!atls_cur_bytes(c, "guid", GUID_LEN, &e->guid) || !atls_cur_u32le(c, "offset", &e->offset)
        || !atls_cur_u32le(c, "length", &e->len)) {
        return false;
    }
    *last = atls_bytes_is_zero(e->guid) && e->offset == 0 && e->len == 0;
    return *last || !atls_bytes_is_zero(e->guid) || fail(c->err, "guid", "an entry without a GUID that is not the end");
}

static bool is_there(const sevsnp_table *t, atls_bytes guid)
{
    for (size_t i = 0; i < t->n; i++) {
        if (atls_bytes_equal(t->entries[i].guid, guid)) {
            return true;
        }
    }
    return false;
}

static bool read_header(atls_cur *c, raw_entry *raw, sevsnp_table *out)
{
    bool last = false;
    for (;;) {
        raw_entry e = {.guid = atls_bytes_empty()};
        if (!read_entry(c, &e, &last)) {
            return false;
        }
        if (last) {
            return true;
        }
        if (out->n == SEVSNP_MAX_TABLE_ENTRIES) {
            return fail(c->err, "entries", "more than 32 entries");
        }
        if (is_there(out, e.guid)) {
            return fail(c->err, "guid", "a GUID that stands there twice");
        }
        raw[out->n] = e;
        out->entries[out->n++] = (sevsnp_table_entry){.kind = kind_of(e.guid), .guid = e.guid};
    }
}

/* Offset and length are 32 bits of somebody else's; both are compared with what is there before they are added. */
static bool find_data(atls_bytes in, size_t header_len, const raw_entry *e, atls_bytes *data, atls_error *err)
{
    atls_cur c;
    *data = atls_bytes_empty();
    if (e->len == 0) {
        return true; /* the host has none of this kind */
    }
    if (e->offset < header_len || e->offset > in.len || e->len > in.len - e->offset) {
        return fail(err, "offset", "an entry that is not behind the header and inside the table");
    }
    atls_cur_init(&c, in, "", err);
    return atls_cur_skip(&c, "offset", e->offset) && atls_cur_bytes(&c, "data", e->len, data);
}

static bool read_table(atls_bytes in, sevsnp_table *out, atls_error *err)
{
    raw_entry raw[SEVSNP_MAX_TABLE_ENTRIES] = {{.offset = 0}};
    atls_cur c;
    atls_cur_init(&c, in, "", err);
    if (!read_header(&c, raw, out)) {
        return false;
    }
    const size_t header_len = atls_cur_offset(&c);
    for (size_t i = 0; i < out->n; i++) {
        if (!find_data(in, header_len, &raw[i], &out->entries[i].data, err)) {
            return false;
        }
    }
    return true;
}

bool sevsnp_table_decode(atls_bytes in, sevsnp_table *out, atls_error *err)
{
    memset(out, 0, sizeof *out);
    if (in.len == 0) {
        return true;
    }
    if (!read_table(in, out, err)) {
        out->n = 0;
        return atls_error_relabel(err, ATLS_E_EVIDENCE_FORMAT, "certificate_table");
    }
    return true;
}

atls_bytes sevsnp_table_find(const sevsnp_table *t, sevsnp_table_kind kind)
{
    for (size_t i = 0; i < t->n; i++) {
        if (t->entries[i].kind == kind) {
            return t->entries[i].data;
        }
    }
    return atls_bytes_empty();
}
