/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c: the registers that a log leads to, and what its events may be believed (section 6).
 *
 * Replay covers digests and their order, nothing else: types and data are the log's own words. Data is what was measured only
 * where its hash is the digest. So nothing here relies on a type: a separator is known by its digest, whatever the log calls
 * it, and facts are taken from where firmware stands before anybody else had the machine. */
#include <string.h>

#include "pki/sha1.h"
#include "tpm.h"

#define MAX_DIGEST_LEN  64u
#define GCE_PCR         0u
#define SECURE_BOOT_PCR 7u

static size_t index_of(const tpm_log *log, uint16_t alg)
{
    size_t i = 0;
    while (i < log->n_algs && log->algs[i] != alg) {
        i++;
    }
    return i;
}

bool tpm_log_has(const tpm_log *log, uint16_t alg)
{
    return index_of(log, alg) < log->n_algs;
}

static bool digest(const atls_crypto *c, const tpm_hash *h, const atls_bytes *parts, size_t n,
                   uint8_t out[static MAX_DIGEST_LEN], atls_error *err)
{
    return h->alg == TPM_ALG_SHA1 ? atls_sha1(parts, n, out, err) : atls_digest(c, h->hash, parts, n, out, err);
}

static bool check_bank(const tpm_log *log, const tpm_hash *h, atls_error *err)
{
    if (h->hash == 0 && h->alg != TPM_ALG_SHA1) {
        return atls_fail(err, ATLS_E_UNSUPPORTED, "event_log", "registers of this bank cannot be computed here");
    }
    return tpm_log_has(log, h->alg)
           || atls_fail(err, ATLS_E_UNSUPPORTED, "event_log", "the log has no %s digests", h->name);
}

/* ---- registers ---- */

bool tpm_log_replay(const atls_crypto *c, const tpm_log *log, uint16_t alg, tpm_registers *out, atls_error *err)
{
    const tpm_hash h = tpm_hash_of(alg);
    const size_t index = index_of(log, alg);
    *out = (tpm_registers){.len = h.len};
    if (!check_bank(log, &h, err)) {
        return false;
    }
    out->values[0][h.len - 1] = log->locality;
    for (size_t i = 0; i < log->n_records; i++) {
        const tpm_record *r = &log->records[i];
        if (r->type == TPM_EV_NO_ACTION) {
            continue;
        }
        uint8_t next[MAX_DIGEST_LEN];
        const atls_bytes parts[] = {atls_bytes_of(out->values[r->pcr], h.len), r->digests[index]};
        if (!digest(c, &h, parts, 2, next, err)) {
            return false;
        }
        memcpy(out->values[r->pcr], next, h.len);
        out->mask |= 1u << r->pcr;
    }
    return true;
}

/* ---- events ---- */

static bool read_events(const atls_crypto *c, const tpm_log *log, const tpm_hash *h, atls_tpm_event *events,
                        atls_error *err)
{
    const size_t index = index_of(log, h->alg);
    for (size_t i = 0; i < log->n_records; i++) {
        const tpm_record *r = &log->records[i];
        uint8_t hash[MAX_DIGEST_LEN];
        if (!digest(c, h, &r->data, 1, hash, err)) {
            return false;
        }
        events[i] = (atls_tpm_event){.pcr = r->pcr, .type = r->type, .digest = r->digests[index], .data = r->data};
        events[i].verified =
            r->type != TPM_EV_NO_ACTION && atls_bytes_equal(atls_bytes_of(hash, h->len), r->digests[index]);
    }
    return true;
}

/* The digests of EV_SEPARATOR: of four zero bytes, or of four ff where firmware met an error. */
typedef struct separators {
    uint8_t digests[2][MAX_DIGEST_LEN];
    size_t len;
} separators;

static bool make_separators(const atls_crypto *c, const tpm_hash *h, separators *out, atls_error *err)
{
    static const uint8_t zeros[4] = {0};
    static const uint8_t ones[4] = {0xff, 0xff, 0xff, 0xff};
    const atls_bytes data[] = {atls_bytes_of(zeros, 4), atls_bytes_of(ones, 4)};
    out->len = h->len;
    return digest(c, h, &data[0], 1, out->digests[0], err) && digest(c, h, &data[1], 1, out->digests[1], err);
}

static bool is_separator(const separators *s, const atls_tpm_event *e)
{
    return atls_bytes_equal(e->digest, atls_bytes_of(s->digests[0], s->len))
           || atls_bytes_equal(e->digest, atls_bytes_of(s->digests[1], s->len));
}

/* ---- what firmware says ---- */

/* "GCE Virtual Firmware v<n>" in UTF-16, with a NUL */
static bool read_gce_version(atls_bytes data, uint32_t *out)
{
    static const char text[] = "GCE Virtual Firmware v";
    const size_t n = sizeof text - 1;
    uint32_t version = 0;
    if (data.len % 2 != 0 || data.len / 2 < n + 2 || data.len / 2 > n + 10) {
        return false;
    }
    for (size_t i = 0; i < data.len / 2; i++) {
        const uint8_t ch = data.ptr[2 * i];
        const bool last = i + 1 == data.len / 2;
        if (data.ptr[2 * i + 1] != 0 || (i < n ? ch != (uint8_t)text[i] : last ? ch != 0 : ch < '0' || ch > '9')) {
            return false;
        }
        version = i < n || last ? version : version * 10 + (uint32_t)(ch - '0');
    }
    *out = version;
    return true;
}

/* "GCE NonHostInfo", NUL, the technology, 15 zeros */
static const char *read_gce_technology(atls_bytes data)
{
    static const char text[16] = "GCE NonHostInfo";
    static const char *const names[] = {"none", "sev", "sev-es", "tdx", "sev-snp"};
    if (data.len != 32 || memcmp(data.ptr, text, sizeof text) != 0
        || !atls_bytes_is_zero(atls_bytes_of(data.ptr + 17, 15))) {
        return NULL;
    }
    return data.ptr[16] < sizeof names / sizeof names[0] ? names[data.ptr[16]] : NULL;
}

static void read_gce(const separators *s, atls_tpm_claims *out)
{
    for (size_t i = 0; i < out->n_events; i++) {
        const atls_tpm_event *e = &out->events[i];
        if (e->pcr != GCE_PCR || e->type == TPM_EV_NO_ACTION) {
            continue;
        }
        if (is_separator(s, e)) {
            return;
        }
        const char *technology = e->verified ? read_gce_technology(e->data) : NULL;
        out->gce_technology = technology == NULL ? out->gce_technology : technology;
        out->has_gce_firmware =
            (e->verified && read_gce_version(e->data, &out->gce_firmware_version)) || out->has_gce_firmware;
    }
}

/* UEFI_VARIABLE_DATA of SecureBoot: its GUID, two lengths, the name in UTF-16, one byte or none. */
static atls_tpm_state read_secure_boot(atls_bytes data)
{
    static const uint8_t head[52] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98,
                                     0x03, 0x2b, 0x8c, 0x0a, 0,    0,    0,    0,    0,    0,    0,    0,    0,
                                     0,    0,    0,    0,    0,    0,    'S',  0,    'e',  0,    'c',  0,    'u',
                                     0,    'r',  0,    'e',  0,    'B',  0,    'o',  0,    'o',  0,    't',  0};
    const size_t n = data.len < sizeof head ? 0 : data.len - sizeof head;
    if (data.len < sizeof head || n > 1 || data.ptr[24] != n || memcmp(data.ptr, head, 24) != 0
        || memcmp(data.ptr + 25, head + 25, sizeof head - 25) != 0) {
        return ATLS_TPM_UNKNOWN;
    }
    if (n == 0 || data.ptr[sizeof head] == 0) {
        return ATLS_TPM_OFF;
    }
    return data.ptr[sizeof head] == 1 ? ATLS_TPM_ON : ATLS_TPM_UNKNOWN;
}

/* The first thing that is ever measured into PCR 7, when nobody but firmware could have. */
static void find_secure_boot(atls_tpm_claims *out)
{
    for (size_t i = 0; i < out->n_events; i++) {
        const atls_tpm_event *e = &out->events[i];
        if (e->pcr == SECURE_BOOT_PCR && e->type != TPM_EV_NO_ACTION) {
            out->secure_boot = e->verified ? read_secure_boot(e->data) : ATLS_TPM_UNKNOWN;
            return;
        }
    }
}

bool tpm_log_events(const atls_crypto *c, const tpm_log *log, uint16_t alg, atls_arena *a, atls_tpm_claims *out,
                    atls_error *err)
{
    const tpm_hash h = tpm_hash_of(alg);
    separators s;
    atls_tpm_event *events = atls_arena_array(a, log->n_records, sizeof *events, err);
    if (events == NULL || !check_bank(log, &h, err) || !read_events(c, log, &h, events, err)
        || !make_separators(c, &h, &s, err)) {
        return false;
    }
    out->events = events;
    out->n_events = log->n_records;
    read_gce(&s, out);
    find_secure_boot(out);
    return true;
}
