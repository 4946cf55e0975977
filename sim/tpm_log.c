/* SPDX-License-Identifier: Apache-2.0 */
/* tpm_log.c: what firmware did, as its log tells it, and the registers that come of it. */
#include "sim/tpm_internal.h"

#include <stdio.h>
#include <string.h>

typedef struct boot_event {
    uint32_t pcr;
    uint32_t type;
    const char *data; /* NULL: bytes below */
    const uint8_t *bytes;
    size_t len;
    bool described; /* the digest is not of the data */
} boot_event;

static const uint8_t crtm[] = "G\0C\0E\0 \0V\0i\0r\0t\0u\0a\0l\0 \0F\0i\0r\0m\0w\0a\0r\0e\0 \0v\0002\0\0\0";
static const uint8_t non_host[32] = "GCE NonHostInfo\0\4";
static const uint8_t secure_boot[53] =
    "\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c\x0a\0\0\0\0\0\0\0\1\0\0"
    "\0\0\0\0\0S\0e\0c\0u\0r\0e\0B\0o\0o\0t\0\1";
static const uint8_t separator[4] = {0};

static const boot_event events[] = {
    {0, 0x00000008, NULL, crtm, sizeof crtm - 1, false},
    {0, 0x00000011, NULL, non_host, sizeof non_host, false},
    {7, 0x80000001, NULL, secure_boot, sizeof secure_boot, false},
    {7, 0x00000004, NULL, separator, 4, false},
    {0, 0x00000004, NULL, separator, 4, false},
    {4, 0x80000007, "Calling EFI Application from Boot Option", NULL, 0, false},
    {4, 0x00000004, NULL, separator, 4, false},
    {4, 0x80000003, "an image", NULL, 0, true},
    {9, 0x0000000d, "/boot/initrd", NULL, 0, true},
    {5, 0x80000007, "Exit Boot Services Invocation", NULL, 0, false},
    {5, 0x80000007, "Exit Boot Services Returned with Success", NULL, 0, false},
};
#define N_EVENTS (sizeof events / sizeof events[0])

static void extend(sim_tpm_bank *b, size_t index, const uint8_t *digest)
{
    uint8_t both[128];
    memcpy(both, b->pcr[index], b->len);
    memcpy(both + b->len, digest, b->len);
    sim_hash(b->alg, atls_bytes_of(both, 2 * b->len), b->pcr[index]);
}

static atls_bytes data_of(sim_op *o, size_t i)
{
    const boot_event *e = &events[i];
    atls_bytes data = e->data != NULL ? atls_bytes_str(e->data) : atls_bytes_of(e->bytes, e->len);
    (void)sim_get_bytes(o, &data, "event.%zu.data", i);
    return data;
}

/* event.<i>.data is what was measured; event.<i>.shown what the log says of it. */
static void put_digests(sim_op *o, sim_tpm *t, size_t i, atls_bytes data, bool extends, bool sha1_form, atls_buf *b)
{
    for (size_t k = 0; k < SIM_TPM_N_BANKS; k++) {
        uint8_t digest[64];
        sim_tpm_bank *bank = &t->banks[k];
        sim_hash(bank->alg, data, digest);
        if (events[i].described) {
            sim_hash(bank->alg, atls_bytes_of(digest, bank->len), digest);
        }
        if (extends) {
            extend(bank, events[i].pcr, digest);
        }
        if (sha1_form && k > 0) {
            continue;
        }
        if (!sha1_form) {
            sim_put_le(b, sim_get_uint(o, bank->alg, "event.%zu.%s.alg", i, bank->name), 2);
        }
        sim_get_fixed(o, digest, bank->len, "event.%zu.%s", i, bank->name);
        atls_buf_put(b, atls_bytes_of(digest, bank->len));
    }
}

static void put_event(sim_op *o, sim_tpm *t, size_t i, bool sha1_form, atls_buf *b)
{
    const uint64_t type = sim_get_uint(o, events[i].type, "event.%zu.type", i);
    atls_bytes data = data_of(o, i);
    sim_put_le(b, sim_get_uint(o, events[i].pcr, "event.%zu.pcr", i), 4);
    sim_put_le(b, type, 4);
    if (!sha1_form) {
        sim_put_le(b, sim_get_uint(o, SIM_TPM_N_BANKS, "event.%zu.digests", i), 4);
    }
    put_digests(o, t, i, data, true, sha1_form, b);
    (void)sim_get_bytes(o, &data, "event.%zu.shown", i);
    sim_put_le(b, sim_get_uint(o, data.len, "event.%zu.size", i), 4);
    atls_buf_put(b, data);
}

static void put_header(sim_op *o, const sim_tpm *t, atls_buf *b)
{
    static const uint8_t zeros[20] = {0};
    sim_put_le(b, 0, 4);
    sim_put_le(b, 3, 4);
    atls_buf_put(b, atls_bytes_of(zeros, sizeof zeros));
    sim_put_le(b, 28 + 4 * SIM_TPM_N_BANKS + 1, 4);
    atls_buf_put(b, atls_bytes_of("Spec ID Event03", 16));
    sim_put_le(b, 0, 4);
    sim_put_le(b, 0x02000200, 4); /* minor, major, errata, uintnSize */
    sim_put_le(b, sim_get_uint(o, SIM_TPM_N_BANKS, "log.algorithms"), 4);
    for (size_t i = 0; i < SIM_TPM_N_BANKS; i++) {
        sim_put_le(b, t->banks[i].alg, 2);
        sim_put_le(b, sim_get_uint(o, t->banks[i].len, "log.%s.size", t->banks[i].name), 2);
    }
    sim_put_u8(b, 0);
}

/* A no-action event: the TPM was started from this locality, and PCR 0 begins with it. */
static void put_locality(sim_op *o, sim_tpm *t, bool sha1_form, atls_buf *b)
{
    static const uint8_t zeros[64] = {0};
    if (sim_get(o, "log.locality") == NULL) {
        return;
    }
    const uint8_t locality = (uint8_t)sim_get_uint(o, 3, "log.locality");
    sim_put_le(b, 0, 4);
    sim_put_le(b, 3, 4);
    if (!sha1_form) {
        sim_put_le(b, SIM_TPM_N_BANKS, 4);
    }
    for (size_t k = 0; k < (sha1_form ? 1 : SIM_TPM_N_BANKS); k++) {
        if (!sha1_form) {
            sim_put_le(b, t->banks[k].alg, 2);
        }
        atls_buf_put(b, atls_bytes_of(zeros, t->banks[k].len));
    }
    sim_put_le(b, 17, 4);
    atls_buf_put(b, atls_bytes_of("StartupLocality", 16));
    sim_put_u8(b, locality);
    for (size_t k = 0; k < SIM_TPM_N_BANKS; k++) {
        t->banks[k].pcr[0][t->banks[k].len - 1] = locality;
    }
}

static void start_registers(sim_op *o, sim_tpm *t)
{
    static const sim_tpm_bank banks[SIM_TPM_N_BANKS] = {
        {.name = "sha1", .alg = 4, .len = 20},
        {.name = "sha256", .alg = 11, .len = 32},
        {.name = "sha384", .alg = 12, .len = 48},
        {.name = "sha512", .alg = 13, .len = 64},
    };
    memcpy(t->banks, banks, sizeof banks);
    for (size_t k = 0; k < SIM_TPM_N_BANKS; k++) {
        for (size_t i = 17; i <= 22; i++) {
            memset(t->banks[k].pcr[i], 0xff, t->banks[k].len);
        }
    }
    (void)o;
}

/* log: tcg2, sha1, none. pcr.<bank>.<i> is what the register holds, whatever the log leads to. */
void sim_tpm_log_make(sim_op *o, sim_tpm *t)
{
    const char *form = sim_get_text(o, "tcg2", "log");
    const bool sha1_form = strcmp(form, "sha1") == 0;
    atls_bytes tail = atls_bytes_empty();
    atls_buf b = sim_buf(o);
    start_registers(o, t);
    if (!sha1_form) {
        put_header(o, t, &b);
    }
    put_locality(o, t, sha1_form, &b);
    for (size_t i = 0; i < N_EVENTS; i++) {
        put_event(o, t, i, sha1_form, &b);
    }
    (void)sim_get_bytes(o, &tail, "log.tail");
    atls_buf_put(&b, tail);
    t->log = sim_raw(o, "event_log", sim_done(&b));
    if (strcmp(form, "none") == 0) {
        t->log = atls_bytes_empty();
    }
    for (size_t k = 0; k < SIM_TPM_N_BANKS; k++) {
        for (size_t i = 0; i < SIM_TPM_N_PCRS; i++) {
            sim_get_fixed(o, t->banks[k].pcr[i], t->banks[k].len, "pcr.%s.%zu", t->banks[k].name, i);
        }
    }
}
