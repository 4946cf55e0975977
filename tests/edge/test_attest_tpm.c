/* SPDX-License-Identifier: Apache-2.0 */
/* test_attest_tpm.c: the TPM attester over the real swtpm. What it writes is read back with our CBOR reader, tpm2-tss'
 * unmarshalling and OpenSSL: the signature, what was asked for, and the digest over exactly the values beside it. */
#include "tap.h"

#include <unistd.h>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "edge/attester/tpm_document.h"
#include "swtpm.h"
#include "tpm_inside.h"
#include "tpm_seen.h"

#define ARENA_SIZE ((size_t)4 * 1024 * 1024)

static swtpm tpm;
static char moving_path[512];
static uint8_t wanted[64];

/* ---- what stands in the TPM --------------------------------------------------------------------------------------- */

static void put_key(TPM2_HANDLE at, bool restricted)
{
    TPM2B_PUBLIC template = inside_template(INSIDE_ECC);
    template.publicArea.objectAttributes = restricted ? 0x00050072 : 0x00040072;
    template.publicArea.unique.ecc.x.size = restricted ? 0 : 1; /* another key than the restricted one */
    inside_put_key(&tpm, at, &template);
}

/* Whatever happened, nothing of ours is left in the TPM. */
static void check_nothing_left(void)
{
    inside d = inside_open(&tpm);
    static const uint32_t kinds[] = {TPM2_TRANSIENT_FIRST, TPM2_LOADED_SESSION_FIRST};
    for (size_t i = 0; i < 2; i++) {
        TPMS_CAPABILITY_DATA *data = NULL;
        TPMI_YES_NO more = 0;
        assert_int_equal(Esys_GetCapability(d.esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_HANDLES,
                                            kinds[i], 8, &more, &data),
                         0);
        assert_int_equal(data->data.handles.count, 0);
        Esys_Free(data);
    }
    inside_close(&d);
}

/* ---- rows --------------------------------------------------------------------------------------------------------- */

#define S1   TPM2_ALG_SHA1
#define S256 TPM2_ALG_SHA256
#define S384 TPM2_ALG_SHA384

typedef struct row {
    const char *name;
    atls_tpm_options options; /* tcti NULL: the swtpm; event_log_path NULL: none */
    const char *tcti;
    long moves;      /* so many quotes have a PCR extended before them */
    TPM2_HANDLE key; /* stands there: a good key */
    TPM2_HANDLE bad; /* stands there: a key that signs anything */
    atls_code code;
    const char *field;
    const char *message;
    uint16_t type; /* of the key */
} row;

/* clang-format off */
static const row rows[] = {
    {"the usual", {0}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"an ECC key", {.key = ATLS_TPM_KEY_ECC}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"an RSA key", {.key = ATLS_TPM_KEY_RSA}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_RSA},
    {"one PCR", {.banks = {{S256, 1u << 23}}, .n_banks = 1}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"nine PCRs, two calls", {.banks = {{S256, 0x0001ff}}, .n_banks = 1}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"three banks", {.banks = {{S256, 0xffffff}, {S384, 0x00ff00}, {S1, 7}}, .n_banks = 3}, NULL, 0, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a key at a handle", {.key = ATLS_TPM_KEY_HANDLE, .key_handle = 0x81010042}, NULL, 0, 0x81010042, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a key of others' tools is found", {0}, NULL, 0, 0x81008f01, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a key that signs anything is passed over", {0}, NULL, 0, 0, 0x81000003, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a PCR that moves: once more", {0}, NULL, 1, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a PCR that moves four times", {0}, NULL, 4, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},
    {"a PCR that moves for ever", {0}, NULL, 5, 0, 0, ATLS_E_IO, "attester.tpm.pcrs", "kept changing", 0},
    {"a PCR that moves and was not asked for", {.banks = {{S256, 1}}, .n_banks = 1}, NULL, 1000, 0, 0, ATLS_OK, NULL, NULL, TPM2_ALG_ECC},

    {"a key that signs anything is refused", {.key = ATLS_TPM_KEY_HANDLE, .key_handle = 0x81010042}, NULL, 0, 0, 0x81010042, ATLS_E_KEY_ATTRIBUTES, "attester.tpm.key", "restricted", 0},
    {"no key at a handle", {.key = ATLS_TPM_KEY_HANDLE, .key_handle = 0x81010043}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.key", "0x81010043", 0},
    {"no template in an index", {.key = ATLS_TPM_KEY_TEMPLATE, .key_handle = 0x01c10077}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.key", "0x01c10077", 0},
    {"no certificate in an index", {.certificate_index = 0x01c10078}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.certificate", "0x01c10078", 0},
    {"a kind of key that there is not", {.key = (atls_tpm_key)77}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.key", NULL, 0},
    {"a bank that this TPM does not have", {.banks = {{0x0012, 1}}, .n_banks = 1}, NULL, 0, 0, 0, ATLS_E_IO, "attester.tpm", "reading PCRs", 0},
    {"a bank twice", {.banks = {{S256, 1}, {S256, 2}}, .n_banks = 2}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.banks", "twice", 0},
    {"no PCR", {.banks = {{S256, 0}}, .n_banks = 1}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.banks", "0 to 23", 0},
    {"PCR 24", {.banks = {{S256, 1u << 24}}, .n_banks = 1}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.banks", "0 to 23", 0},
    {"five banks", {.n_banks = 5}, NULL, 0, 0, 0, ATLS_E_CONFIGURATION, "attester.tpm.banks", "at most 4", 0},
    {"an event log that is named and absent", {.event_log_path = "/nowhere/log"}, NULL, 0, 0, 0, ATLS_E_IO, "attester.tpm.event_log", "/nowhere/log", 0},
    {"no device", {0}, "device:/nowhere/tpmrm0", 0, 0, 0, ATLS_E_IO, "attester.tpm", "/nowhere/tpmrm0: No such file", 0},
    {"a device that is none", {0}, "device:/dev/null", 0, 0, 0, ATLS_E_IO, "attester.tpm", NULL, 0},
    {"nobody listens", {0}, "swtpm:host=127.0.0.1,port=9", 0, 0, 0, ATLS_E_IO, "attester.tpm", "does not answer", 0},
    {"a TCTI that there is not", {0}, "frobnicate:x", 0, 0, 0, ATLS_E_IO, "attester.tpm", "TCTI frobnicate", 0},
};
/* clang-format on */

static void check_made(const row *r, atls_bytes quote)
{
    seen s;
    TPMT_PUBLIC public;
    seen_read(quote, &s);
    seen_public(&s, &public);
    assert_int_equal(public.type, r->type);
    assert_int_equal(public.objectAttributes, 0x00050072);
    EVP_PKEY *key = seen_key(&public);
    assert_int_equal(s.n_quotes, r->options.n_banks == 0 ? 1 : r->options.n_banks);
    for (size_t i = 0; i < s.n_quotes; i++) {
        assert_int_equal(s.quotes[i].bank, r->options.n_banks == 0 ? S256 : r->options.banks[i].algorithm);
        assert_int_equal(s.quotes[i].pcrs, r->options.n_banks == 0 ? 0xffffff : r->options.banks[i].pcrs);
        seen_check_signature(key, &s.quotes[i]);
        seen_check_message(&s.quotes[i], wanted);
    }
    EVP_PKEY_free(key);
    assert_int_equal(s.event_log.len, 0);
    assert_int_equal(s.certificate.len, 0);
    assert_int_equal(s.report.len, 0);
}

static void test_row(void **state)
{
    const row *r = *state;
    char tcti[640];
    atls_error err = {0};
    atls_arena a;
    atls_evidence e;
    atls_tpm_options o = r->options;
    if (tpm.pid == 0 || (r->moves > 0 && access(moving_path, R_OK) != 0)) {
        skip();
    }
    (void)snprintf(tcti, sizeof tcti, "%s:%ld,%s", moving_path, r->moves, tpm.tcti);
    o.tcti = r->tcti != NULL ? r->tcti : r->moves > 0 ? tcti : tpm.tcti;
    o.event_log_path = o.event_log_path == NULL ? "" : o.event_log_path;
    for (int i = 0; i < 2; i++) {
        const TPM2_HANDLE at = i == 0 ? r->key : r->bad;
        if (at != 0) {
            put_key(at, i == 0);
        }
    }
    assert_true(atls_arena_new(&a, ARENA_SIZE, &err));
    const bool ok = atls_attest_tpm(&o, wanted, &a, &e, &err);
    for (int i = 0; i < 2; i++) {
        const TPM2_HANDLE at = i == 0 ? r->key : r->bad;
        if (at != 0) {
            inside_take_key(&tpm, at);
        }
    }
    if (ok != (r->field == NULL) || err.code != r->code) {
        fail_msg("%s at %s: %s", atls_code_name(err.code), err.field, err.message);
    }
    if (ok) {
        check_made(r, e.quote);
    } else {
        assert_string_equal(err.field, r->field);
        if (r->message != NULL && strstr(err.message, r->message) == NULL) {
            fail_msg("%s", err.message);
        }
        assert_int_equal(e.quote.len, 0);
    }
    check_nothing_left();
    atls_arena_free(&a);
}

/* ---- what lies beside a key --------------------------------------------------------------------------------------- */

static void make(atls_tpm_options *o, atls_arena *a, seen *out)
{
    atls_error err = {0};
    atls_evidence e;
    o->tcti = tpm.tcti;
    o->event_log_path = o->event_log_path == NULL ? "" : o->event_log_path;
    if (!atls_attest_tpm(o, wanted, a, &e, &err)) {
        fail_msg("%s at %s: %s", atls_code_name(err.code), err.field, err.message);
    }
    seen_read(e.quote, out);
    check_nothing_left();
}

static void begin(atls_arena *a)
{
    atls_error err = {0};
    if (tpm.pid == 0) {
        skip();
    }
    assert_true(atls_arena_new(a, ARENA_SIZE, &err));
}

/* The same template gives the same key, which is what a verifier pins. */
static void test_same_key(void **state)
{
    (void)state;
    atls_arena a;
    seen first, second;
    begin(&a);
    make(&(atls_tpm_options){.key = ATLS_TPM_KEY_ECC}, &a, &first);
    make(&(atls_tpm_options){.key = ATLS_TPM_KEY_ECC}, &a, &second);
    assert_true(atls_bytes_equal(first.public_area, second.public_area));
    assert_false(atls_bytes_equal(first.quotes[0].signature, second.quotes[0].signature));
    atls_arena_free(&a);
}

/* As on Google's machines: a template and the certificate of its key, padded, in NV, under the endorsement hierarchy. */
static void test_template(void **state)
{
    (void)state;
    uint8_t nv[sizeof(TPMT_PUBLIC)], certificate[900] = {0x30, 0x82, 0x02, 0xbc};
    size_t n = 0;
    atls_arena a;
    seen plain, google, named;
    const TPM2B_PUBLIC template = inside_template(INSIDE_ECC);
    begin(&a);
    make(&(atls_tpm_options){0}, &a, &plain);
    assert_int_equal(Tss2_MU_TPMT_PUBLIC_Marshal(&template.publicArea, nv, sizeof nv, &n), 0);
    memset(certificate + 4, 0x11, 0x2bc);
    inside_put_index(&tpm, 0x01c10003, nv, (uint16_t)n, TPMA_NV_AUTHREAD);
    inside_put_index(&tpm, 0x01c10002, certificate, sizeof certificate, TPMA_NV_OWNERREAD);
    make(&(atls_tpm_options){0}, &a, &google);
    make(&(atls_tpm_options){.key = ATLS_TPM_KEY_TEMPLATE, .key_handle = 0x01c10003}, &a, &named);
    inside_take_index(&tpm, 0x01c10003);
    inside_take_index(&tpm, 0x01c10002);
    assert_false(atls_bytes_equal(plain.public_area, google.public_area)); /* another hierarchy */
    assert_true(atls_bytes_equal(named.public_area, google.public_area));
    assert_true(atls_bytes_equal(google.certificate, atls_bytes_of(certificate, 4 + 0x2bc)));
    assert_int_equal(plain.certificate.len, 0);
    atls_arena_free(&a);
}

static void put_u32le(uint8_t *at, uint32_t n)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (uint8_t)(n >> 8 * i);
    }
}

/* A report of Azure's; theirs are 2600 bytes, and an index of swtpm holds 2048. */
static void make_hcl(uint8_t out[2048], uint32_t type)
{
    static const char json[] = "{\"keys\":[]}";
    memset(out, 0, 2048);
    memcpy(out, "HCLA", 4);
    memset(out + 32, 0x5a, 1184);
    put_u32le(out + 1216, 20 + sizeof json - 1);
    put_u32le(out + 1220, 1);
    put_u32le(out + 1224, type);
    put_u32le(out + 1228, 1);
    put_u32le(out + 1232, sizeof json - 1);
    memcpy(out + 1236, json, sizeof json - 1);
}

/* As on Azure's: the key at its handle, the report over it, and the key's certificate. */
static void test_azure(void **state)
{
    (void)state;
    uint8_t hcl[2048];
    const uint8_t certificate[] = {0x30, 0x01, 0x05, 0, 0};
    atls_arena a;
    seen snp, tdx, bare;
    begin(&a);
    put_key(0x81000003, true);
    make(&(atls_tpm_options){0}, &a, &bare);
    make_hcl(hcl, 2);
    inside_put_index(&tpm, 0x01400001, hcl, sizeof hcl, TPMA_NV_OWNERREAD);
    inside_put_index(&tpm, 0x01c101d0, certificate, sizeof certificate, TPMA_NV_OWNERREAD);
    make(&(atls_tpm_options){0}, &a, &snp);
    inside_take_index(&tpm, 0x01400001);
    make_hcl(hcl, 4); /* a TDREPORT is no quote */
    inside_put_index(&tpm, 0x01400001, hcl, sizeof hcl, TPMA_NV_OWNERREAD);
    make(&(atls_tpm_options){0}, &a, &tdx);
    inside_take_index(&tpm, 0x01400001);
    inside_take_index(&tpm, 0x01c101d0);
    inside_take_key(&tpm, 0x81000003);
    assert_int_equal(bare.report.len, 0);
    assert_int_equal(bare.certificate.len, 0);
    assert_true(atls_bytes_equal(snp.certificate, atls_bytes_of(certificate, 3)));
    assert_true(atls_bytes_equal(snp.report, atls_bytes_of(hcl + 32, 1184)));
    assert_true(atls_bytes_equal_str(snp.runtime_data, "{\"keys\":[]}"));
    assert_int_equal(tdx.report.len, 0);
    atls_arena_free(&a);
}

/* An index that is defined and was never written, or that a secret guards, is as if it were not there. */
static void test_unreadable(void **state)
{
    (void)state;
    atls_arena a;
    seen s;
    begin(&a);
    put_key(0x81000003, true);
    inside_put_index(&tpm, 0x01c101d0, NULL, 100, TPMA_NV_OWNERREAD);
    make(&(atls_tpm_options){0}, &a, &s);
    inside_take_index(&tpm, 0x01c101d0);
    assert_int_equal(s.certificate.len, 0);
    inside_put_index(&tpm, 0x01c101d0, (const uint8_t *)"\x30\x01\x05", 3, TPMA_NV_POLICYREAD);
    make(&(atls_tpm_options){0}, &a, &s);
    inside_take_index(&tpm, 0x01c101d0);
    inside_take_key(&tpm, 0x81000003);
    assert_int_equal(s.certificate.len, 0);
    atls_arena_free(&a);
}

static void test_event_log(void **state)
{
    (void)state;
    char path[] = "/tmp/atls-log-XXXXXX";
    static uint8_t log[20000];
    atls_arena a;
    seen s;
    begin(&a);
    memset(log, 0x4c, sizeof log);
    const int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, log, sizeof log) == (ssize_t)sizeof log);
    (void)close(fd);
    make(&(atls_tpm_options){.event_log_path = path}, &a, &s);
    (void)unlink(path);
    assert_true(atls_bytes_equal(s.event_log, atls_bytes_of(log, sizeof log)));
    atls_arena_free(&a);
}

static void test_look(void **state)
{
    (void)state;
    char text[96];
    atls_error err = {0};
    if (tpm.pid == 0) {
        skip();
    }
    assert_true(atls_tpm_look(tpm.tcti, text, &err));
    assert_string_equal(text, "TPM 2.0, banks SHA-1 SHA-256 SHA-384 SHA-512");
    assert_false(atls_tpm_look("device:/nowhere", text, &err));
    assert_string_equal(text, "");
}

/* Arenas that are too small: an error, and nothing left in the TPM. */
static void test_small_arena(void **state)
{
    (void)state;
    static uint8_t block[16384];
    if (tpm.pid == 0) {
        skip();
    }
    for (size_t size = 0; size < sizeof block; size += 3001) {
        atls_error err = {0};
        atls_arena a;
        atls_evidence e;
        atls_tpm_options o = {.tcti = tpm.tcti, .event_log_path = ""};
        atls_arena_init(&a, block, size);
        if (!atls_attest_tpm(&o, wanted, &a, &e, &err)) {
            assert_int_equal(err.code, ATLS_E_MEMORY);
        }
        check_nothing_left();
    }
}

int main(int argc, char *argv[])
{
    tap_list l = {0};
    (void)argc;
    const char *slash = strrchr(argv[0], '/');
    const int dir = slash == NULL ? 1 : (int)(slash - argv[0]);
    (void)snprintf(moving_path, sizeof moving_path, "%.*s/libatls_test_tcti.so", dir, slash == NULL ? "." : argv[0]);
    (void)setenv("TSS2_LOG", "all+none", 0);
    for (size_t i = 0; i < sizeof wanted; i++) {
        wanted[i] = (uint8_t)(0xa0 + i);
    }
    if (!swtpm_start(&tpm)) {
        printf("# swtpm is not here: the TPM attester is not tested\n");
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tap_add(&l, rows[i].name, test_row, &rows[i]);
    }
    tap_add(&l, "the same key every time", test_same_key, NULL);
    tap_add(&l, "a template and its certificate", test_template, NULL);
    tap_add(&l, "a key with a hardware report over it", test_azure, NULL);
    tap_add(&l, "indices that cannot be read", test_unreadable, NULL);
    tap_add(&l, "an event log", test_event_log, NULL);
    tap_add(&l, "a look", test_look, NULL);
    tap_add(&l, "arenas of all sizes", test_small_arena, NULL);
    const int failed = tap_run("attest_tpm", &l);
    swtpm_stop(&tpm);
    return failed;
}
